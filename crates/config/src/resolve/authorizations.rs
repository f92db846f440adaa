//! Connections of credential providers get their secrets.
//!
//! One that cannot be used is no error by itself: policies that name it do not load then.

use std::sync::Arc;

use pipeline::{Authorizations, Connection, ConnectionEntry, RefreshToken};
use transport::Secret;

use crate::load::{Options, Parsed, Secrets};
use crate::secret_source::{SecretProvider, SecretSource};
use crate::settings::ConnectionSetting;

pub(super) async fn resolve(
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
) -> Authorizations {
    let mut all = Authorizations::default();
    for setting in &parsed.settings.authorizations {
        let entry = match connection(setting, parsed, options, secrets).await {
            Ok(connection) => ConnectionEntry::Usable(Arc::new(connection)),
            Err(_) if options.secrets == Secrets::Assume => ConnectionEntry::NotAtHand,
            Err(why) => ConnectionEntry::Unusable(why),
        };
        all.insert(&setting.provider, &setting.name, entry);
    }
    all
}

async fn connection(
    setting: &ConnectionSetting,
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
) -> Result<Connection, String> {
    let folder = parsed.folder.as_deref();
    let get = async |source: &Option<SecretSource>| -> Result<Option<Secret>, String> {
        let Some(source) = source else { return Ok(None) };
        if options.secrets == Secrets::Assume && source.is_remote() {
            return Err("it is not read now".to_owned());
        }
        source.get(&options.environment, folder, secrets).await.map(Some)
    };
    let client_secret = get(&setting.client_secret).await?;
    let refresh_token = get(&setting.refresh_token).await?;
    let file = setting.refresh_token.as_ref().and_then(|it| it.path(folder));
    Ok(Connection {
        token_url: setting.token_url.clone(),
        client_id: setting.client_id.clone(),
        client_secret,
        is_secret_in_header: setting.is_secret_in_header,
        refresh_token: refresh_token.map(|token| RefreshToken { token, file }),
        scopes: setting.scopes.clone(),
        parameters: setting.parameters.clone(),
        access: setting.access.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::load::parse;
    use crate::secret_source::NoSecrets;
    use crate::source::Source;

    #[tokio::test]
    async fn secrets_are_read_or_it_is_told_why_not() {
        let text = "authorization-providers: { p: { tenant: t, connections: { \
                    a: { client-id: c, client-secret: { env: S } }, \
                    b: { client-id: c, client-secret: { env: NONE } } } } }";
        let source = Source::from_files([("portcullis.yaml", text)]);
        let mut environment = Environment::default();
        environment.set("S", "s3cret");
        let options = Options { environment, ..Options::default() };
        let (parsed, problems) = parse(&source, &options);
        assert!(problems.is_empty(), "{problems:?}");
        let shown = async |options: &Options, name: &str| {
            let all = resolve(&parsed, options, &NoSecrets).await;
            match all.get("p", name).unwrap() {
                ConnectionEntry::Usable(it) => {
                    it.client_secret.as_ref().unwrap().expose().to_owned()
                }
                ConnectionEntry::Unusable(why) => why.clone(),
                ConnectionEntry::NotAtHand => "not at hand".to_owned(),
            }
        };
        assert_eq!(shown(&options, "a").await, "s3cret");
        assert_eq!(shown(&options, "b").await, "environment variable `NONE` is not set");
        let assumed = Options { secrets: Secrets::Assume, ..options };
        assert_eq!(shown(&assumed, "b").await, "not at hand");
    }
}
