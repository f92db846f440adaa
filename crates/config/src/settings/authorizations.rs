//! `authorization-providers:`: tokens of other services, which no artifact folder holds.
//!
//! ```yaml
//! authorization-providers:
//!   crm:
//!     token-url: https://login.crm.example/oauth2/token   # or `tenant:` for Entra ID
//!     connections:
//!       app:                                              # client credentials
//!         client-id: gateway
//!         client-secret: { env: CRM_SECRET }
//!         scopes: [read, write]
//!         parameters: { audience: crm }
//!         secret-in: body                                 # or header
//!       user:                                             # somebody's consent, given elsewhere
//!         client-id: gateway
//!         client-secret: { env: CRM_SECRET }
//!         refresh-token: { file: secrets/crm-refresh }
//!         access: [managed, { tenant: TENANT, object: OBJECT }]
//! ```
//!
//! Source: <https://learn.microsoft.com/azure/api-management/credentials-overview>

use pipeline::AccessPolicy;
use url::{Host, Url};

use crate::codes;
use crate::secret_source::SecretSource;
use crate::tree::{Fields, Keys, Tree};

/// A connection of a credential provider.
#[derive(Clone, Debug)]
pub struct ConnectionSetting {
    /// Name of the provider.
    pub provider: String,
    /// Its own name.
    pub name: String,
    /// The provider's token endpoint.
    pub token_url: Url,
    /// Who asks.
    pub client_id: String,
    /// Where its secret comes from.
    pub client_secret: Option<SecretSource>,
    /// The secret stands in a header.
    pub is_secret_in_header: bool,
    /// Where the refresh token comes from; none: client credentials.
    pub refresh_token: Option<SecretSource>,
    /// What tokens are to be good for.
    pub scopes: Vec<String>,
    /// Further parameters of the request.
    pub parameters: Vec<(String, String)>,
    /// Who may use it.
    pub access: Vec<AccessPolicy>,
}

pub(super) fn read(fields: &Fields<'_, '_>) -> Vec<ConnectionSetting> {
    let Some(all) = fields.map("authorization-providers") else { return Vec::new() };
    let mut read = Vec::new();
    for entry in all.tree().entries() {
        let provider = Fields::new(&entry.value, Keys::Known, fields.problems());
        let token_url = token_url(&provider);
        if let Some(connections) = provider.map("connections") {
            for one in connections.tree().entries() {
                let fields = Fields::new(&one.value, Keys::Known, fields.problems());
                let names = (entry.key.as_str(), one.key.as_str());
                read.extend(connection(&fields, names, token_url.as_ref()));
                fields.finish();
            }
        }
        provider.finish();
    }
    read
}

/// The token endpoint, given or that of a tenant of Entra ID.
fn token_url(fields: &Fields<'_, '_>) -> Option<Url> {
    let tenant = fields.filled("tenant");
    let text = match (fields.filled("token-url"), tenant) {
        (Some(text), None) => text,
        (None, Some(tenant)) => {
            format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", tenant.trim())
        }
        _ => {
            let message = "a credential provider needs `token-url` or `tenant`";
            fields.report(fields.tree().error(codes::MISSING, message));
            return None;
        }
    };
    let url = Url::parse(&text).ok().filter(is_allowed);
    if url.is_none() {
        let message = format!("`{text}` is no address of a token endpoint: https is needed");
        fields.report(fields.tree().error(codes::BAD_VALUE, message));
    }
    url
}

/// Secrets go over TLS, or stay on the machine.
fn is_allowed(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(it)) => it.is_loopback(),
        Some(Host::Ipv6(it)) => it.is_loopback(),
        None => false,
    };
    url.has_host() && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

fn connection(
    fields: &Fields<'_, '_>,
    (provider, name): (&str, &str),
    token_url: Option<&Url>,
) -> Option<ConnectionSetting> {
    let client_id = fields.filled("client-id");
    if client_id.is_none() {
        fields.missing("client-id");
    }
    let client_secret = secret(fields, "client-secret");
    let refresh_token = secret(fields, "refresh-token");
    if client_secret.is_none() && refresh_token.is_none() {
        let message =
            format!("connection `{name}` has neither `client-secret` nor `refresh-token`");
        fields.report(fields.tree().error(codes::MISSING, message));
    }
    let is_secret_in_header = match fields.filled("secret-in").as_deref() {
        None | Some("body") => false,
        Some("header") => true,
        Some(other) => {
            let message = format!("`{other}` is not `body` or `header`");
            fields.report(fields.tree().error(codes::BAD_VALUE, message));
            false
        }
    };
    let scopes = fields.list("scopes");
    let scopes = scopes.iter().filter_map(|it| it.scalar().map(str::to_owned)).collect();
    let parameters = fields.map("parameters").map(|it| pairs(it.tree())).unwrap_or_default();
    let access = fields.list("access").into_iter().filter_map(|it| access(it, fields)).collect();
    Some(ConnectionSetting {
        provider: provider.to_owned(),
        name: name.to_owned(),
        token_url: token_url?.clone(),
        client_id: client_id?,
        client_secret,
        is_secret_in_header,
        refresh_token,
        scopes,
        parameters,
        access,
    })
}

fn pairs(tree: &Tree) -> Vec<(String, String)> {
    let pair = |it: &crate::tree::Entry| Some((it.key.clone(), it.value.scalar()?.to_owned()));
    tree.entries().iter().filter_map(pair).collect()
}

fn secret(fields: &Fields<'_, '_>, key: &'static str) -> Option<SecretSource> {
    let tree = fields.get(key)?;
    if tree.scalar().is_some() {
        let message = format!("`{key}` stands in the file");
        let problem = tree.error(codes::SECRET_IN_FILE, message);
        fields.report(problem.help("write `{ env: NAME }` or `{ file: PATH }`"));
        return None;
    }
    let nested = Fields::new(tree, Keys::Known, fields.problems());
    let source = SecretSource::read(&nested);
    if source.is_none() {
        fields.report(tree.error(codes::MISSING, format!("`{key}` has no source")));
    }
    nested.finish();
    source
}

fn access(tree: &Tree, fields: &Fields<'_, '_>) -> Option<AccessPolicy> {
    if tree.scalar() == Some("managed") {
        return Some(AccessPolicy::Managed);
    }
    let wrong = || {
        let message = "an access policy is `managed` or `{ tenant: ID, object: ID }`";
        fields.report(tree.error(codes::BAD_VALUE, message));
    };
    if tree.scalar().is_some() {
        wrong();
        return None;
    }
    let it = Fields::new(tree, Keys::Known, fields.problems());
    let found = it.filled("tenant").zip(it.filled("object"));
    it.finish();
    if found.is_none() {
        wrong();
    }
    let (tenant_id, object_id) = found?;
    Some(AccessPolicy::Object { tenant_id, object_id })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    const BOTH: &str = "authorization-providers:\n  crm:\n    token-url: https://login.test/token\n    \
        connections:\n      app:\n        client-id: c\n        client-secret: { env: S }\n        \
        scopes: [a, b]\n        parameters: { audience: x }\n        secret-in: header\n        \
        access: [managed, { tenant: t, object: o }]\n  entra:\n    tenant: T\n    connections:\n      \
        user: { client-id: c, refresh-token: { file: f } }\n";

    #[test]
    fn connections_are_read() {
        let (it, problems) = read(BOTH);
        assert_eq!(problems, [""; 0]);
        let [app, user] = &it.authorizations[..] else { panic!("{:?}", it.authorizations) };
        assert_eq!((app.provider.as_str(), app.name.as_str()), ("crm", "app"));
        assert!(app.is_secret_in_header && app.client_secret.is_some());
        assert_eq!((app.scopes.len(), app.parameters.len(), app.access.len()), (2, 1, 2));
        assert_eq!(
            user.token_url.as_str(),
            "https://login.microsoftonline.com/T/oauth2/v2.0/token"
        );
        assert!(user.refresh_token.is_some() && user.client_secret.is_none());
    }

    #[test]
    fn what_is_wrong_is_told() {
        let of = |connection: &str| {
            let text = format!(
                "authorization-providers: {{ p: {{ token-url: 'https://x.test', connections: {{ c: {connection} }} }} }}"
            );
            read(&text).1
        };
        for (connection, expected) in [
            ("{ client-secret: { env: S } }", "PC0505 `client-id` is missing"),
            (
                "{ client-id: c }",
                "PC0505 connection `c` has neither `client-secret` nor `refresh-token`",
            ),
            (
                "{ client-id: c, client-secret: { env: S }, secret-in: url }",
                "PC0506 `url` is not `body` or `header`",
            ),
            (
                "{ client-id: c, client-secret: { env: S }, access: [all] }",
                "PC0506 an access policy is `managed` or `{ tenant: ID, object: ID }`",
            ),
        ] {
            assert_eq!(of(connection), [expected]);
        }
        assert!(of("{ client-id: c, client-secret: s3cret }")[0].contains("stands in the file"));
        for (provider, expected) in [
            ("{}", "PC0505 a credential provider needs `token-url` or `tenant`"),
            (
                "{ token-url: 'http://x.test/' }",
                "PC0506 `http://x.test/` is no address of a token endpoint: https is needed",
            ),
        ] {
            assert_eq!(
                read(&format!("authorization-providers: {{ p: {provider} }}")).1,
                [expected]
            );
        }
        assert!(
            read("authorization-providers: { p: { token-url: 'http://127.0.0.1:1/' } }")
                .1
                .is_empty()
        );
    }
}
