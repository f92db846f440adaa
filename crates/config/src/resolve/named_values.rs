//! The text of named values.

use document::{Diagnostic, NamedValue, NamedValues, Severity};

use super::join_all;
use crate::codes;
use crate::entity::NamedValueEntity;
use crate::load::{Options, Parsed, Secrets};
use crate::secret_source::SecretProvider;

pub(super) async fn resolve(
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
    problems: &mut Vec<Diagnostic>,
) -> NamedValues {
    let entities = &parsed.entities.named_values;
    let futures = entities.iter().map(|it| {
        let future = async move { one(it, parsed, options, secrets).await };
        Box::pin(future) as std::pin::Pin<Box<dyn Future<Output = _> + Send + '_>>
    });
    let read = join_all(futures.collect()).await;
    let mut values = NamedValues::new();
    for (entity, (value, problem)) in entities.iter().zip(read) {
        if values.get(&entity.display_name).is_some() {
            let message = format!("display name `{}` is given twice", entity.display_name);
            problems.push(entity.place.error(codes::DUPLICATE, message));
        }
        values.insert(entity.display_name.as_str(), value);
        problems.extend(problem);
    }
    for (name, text) in &options.named_values {
        let is_plain = values.get(name).is_some_and(|it| !it.is_secret());
        values.insert(name.as_str(), make(text.expose(), !is_plain));
    }
    values
}

async fn one(
    entity: &NamedValueEntity,
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
) -> (NamedValue, Option<Diagnostic>) {
    let name = &entity.display_name;
    let is_given = options.named_values.iter().any(|(own, _)| own == name);
    if is_given {
        return (NamedValue::unread(), None);
    }
    if let Some(text) = options.environment.named_value(name) {
        return (make(text, entity.is_secret), None);
    }
    let Some(source) = &entity.value else {
        let is_needed = options.secrets == Secrets::Read && !is_generated(entity);
        let severity = if is_needed { Severity::Error } else { Severity::Note };
        let message = format!("secret of named value `{name}` is redacted and nothing gives it");
        let problem = entity.place.problem(severity, codes::REDACTED, message);
        let help = "give it in `configuration.<env>.yaml` or `portcullis.yaml`";
        let value = match options.secrets {
            Secrets::Read if !is_needed => NamedValue::unreadable("its secret is redacted"),
            _ => NamedValue::unread(),
        };
        return (value, Some(problem.help(help)));
    };
    if options.secrets == Secrets::Assume && source.is_remote() {
        return (NamedValue::unread(), None);
    }
    match source.get(&options.environment, parsed.folder.as_deref(), secrets).await {
        Ok(text) => (make(text.expose(), entity.is_secret), None),
        Err(reason) => {
            let message = format!("named value `{name}` cannot be read: {reason}");
            let severity = match options.secrets {
                Secrets::Read => Severity::Warning,
                Secrets::Assume => Severity::Note,
            };
            let problem = entity.place.problem(severity, codes::SECRET_UNREADABLE, message);
            let value = match options.secrets {
                // Documents that need it do not load; one that nobody needs is no reason to stop.
                Secrets::Read => NamedValue::unreadable(reason),
                Secrets::Assume => NamedValue::unread(),
            };
            (value, Some(problem))
        }
    }
}

/// Whether Azure has made it for itself, such as for a logger's credentials: its name ends in 24
/// hexadecimal digits. No policy is expected to use it; one that does is refused.
fn is_generated(entity: &NamedValueEntity) -> bool {
    let ends_in_id = |name: &str| {
        let n_digits = name.chars().rev().take_while(char::is_ascii_hexdigit).count();
        n_digits == 24
    };
    ends_in_id(&entity.id) || ends_in_id(&entity.display_name)
}

fn make(text: &str, is_secret: bool) -> NamedValue {
    if is_secret { NamedValue::secret(text) } else { NamedValue::plain(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::parse;
    use crate::secret_source::NoSecrets;
    use crate::source::Source;

    const FILES: [(&str, &str); 1] = [(
        "portcullis.yaml",
        "named-values:\n  plain: a\n  env: { env: SET }\n  gone: { env: UNSET }\n  \
         vault: { keyvault: 'https://v.vault.azure.net/secrets/s' }\n",
    )];

    async fn read(options: Options) -> (NamedValues, Vec<String>) {
        let source = Source::from_files(FILES);
        let (parsed, problems) = parse(&source, &options);
        assert!(problems.is_empty(), "{problems:?}");
        let mut problems = Vec::new();
        let values = resolve(&parsed, &options, &NoSecrets, &mut problems).await;
        (
            values,
            problems.iter().map(|it| format!("{} {}", it.severity.as_str(), it.message)).collect(),
        )
    }

    #[tokio::test]
    async fn texts_come_from_their_sources() {
        let environment =
            [("SET", "b"), ("PORTCULLIS_NAMED_VALUE_VAULT", "c")].into_iter().collect();
        let named_values = vec![("gone".to_owned(), "d".into()), ("new".to_owned(), "e".into())];
        let (values, problems) =
            read(Options { environment, named_values, ..Options::default() }).await;
        assert_eq!(problems, [""; 0]);
        let text = |name: &str| values.get(name).unwrap().text().unwrap().to_string();
        assert_eq!(
            [text("plain"), text("env"), text("vault"), text("gone"), text("new")],
            ["a", "b", "c", "d", "e"]
        );
        assert!(
            values.get("new").unwrap().is_secret() && !values.get("plain").unwrap().is_secret()
        );
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_with_the_reason() {
        let (values, problems) = read(Options::default()).await;
        assert_eq!(
            problems,
            [
                "warning named value `env` cannot be read: environment variable `SET` is not set",
                "warning named value `gone` cannot be read: environment variable `UNSET` is not set",
                "warning named value `vault` cannot be read: no Key Vault can be reached from here",
            ]
        );
        assert!(values.get("gone").unwrap().text().is_err());
    }

    #[tokio::test]
    async fn a_check_assumes_what_it_does_not_read() {
        let (values, problems) =
            read(Options { secrets: Secrets::Assume, ..Options::default() }).await;
        assert!(problems.iter().all(|it| it.starts_with("note")) && problems.len() == 2);
        assert!(values.get("vault").unwrap().is_unread());
    }

    #[tokio::test]
    async fn a_generated_secret_is_an_error_only_where_it_is_used() {
        let source = Source::from_files([(
            "named values/655686af217d201b1c89ecc2/namedValueInformation.json",
            r#"{"properties":{"displayName":"Logger-Credentials--655686af217d201b1c89ecc3","secret":true}}"#,
        )]);
        let (parsed, _) = parse(&source, &Options::default());
        let mut problems = Vec::new();
        let values = resolve(&parsed, &Options::default(), &NoSecrets, &mut problems).await;
        assert_eq!(problems[0].severity, Severity::Note);
        let value = values.get("Logger-Credentials--655686af217d201b1c89ecc3").unwrap();
        assert!(value.text().is_err() && !value.is_unread());
    }

    #[tokio::test]
    async fn a_redacted_secret_is_an_error_that_names_it() {
        let source = Source::from_files([(
            "namedValues/k/namedValueInformation.json",
            r#"{"properties":{"displayName":"k","secret":true,"value":"*** REDACTED ***"}}"#,
        )]);
        let (parsed, _) = parse(&source, &Options::default());
        let mut problems = Vec::new();
        resolve(&parsed, &Options::default(), &NoSecrets, &mut problems).await;
        assert!(problems[0].is_error() && problems[0].message.contains("`k`"));
        assert_eq!(problems[0].code, codes::REDACTED);
    }
}
