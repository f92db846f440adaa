//! Subscriptions with their keys: from the entity, the settings, variables and the command line.

use std::collections::HashMap;
use std::sync::Arc;

use document::{Diagnostic, Severity};
use expr::host::SubscriptionInfo;
use expr::value::DateTime;
use transport::Secret;

use crate::codes;
use crate::entity::{ScopeEntity, SubscriptionEntity, SubscriptionState};
use crate::load::{Options, Parsed, Secrets};
use crate::place::Place;
use crate::secret_source::{SecretProvider, SecretSource};
use crate::snapshot::{Subscription, SubscriptionScope};

/// The subscription that every service has.
const ALL_ACCESS: &str = "master";

pub(super) async fn resolve(
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Subscription> {
    let mut subscriptions = Vec::new();
    let mut told = Vec::new();
    for entity in entities(parsed, options, problems) {
        let Some(scope) = scope(&entity, parsed, problems) else { continue };
        let keys = keys(&entity, parsed, options, secrets, problems).await;
        let is_active = entity.state == SubscriptionState::Active;
        if is_active && entity.primary.is_none() && entity.secondary.is_none() {
            told.push((entity.id.clone(), entity.place.clone()));
        }
        subscriptions.push(subscription(&entity, scope, is_active, keys));
    }
    for (id, place) in told {
        let message = format!("subscription `{id}` has no keys: no request can use it");
        let help = format!("give one in `portcullis.yaml`: `keys: {{ {id}: {{ env: NAME }} }}`");
        problems.push(place.note(codes::UNUSABLE_KEYS, message).help(help));
    }
    same_keys(&subscriptions, problems);
    subscriptions
}

/// The keys of a subscription in order; none for one that is not given or cannot be read.
async fn keys(
    entity: &SubscriptionEntity,
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Option<Secret>> {
    let is_unknown = |it: &&SecretSource| options.secrets == Secrets::Assume && it.is_remote();
    let mut keys = Vec::new();
    for source in [&entity.primary, &entity.secondary] {
        let Some(source) = source.as_ref().filter(|it| !is_unknown(it)) else {
            keys.push(None);
            continue;
        };
        match source.get(&options.environment, parsed.folder.as_deref(), secrets).await {
            Ok(key) if !key.expose().trim().is_empty() => keys.push(Some(key)),
            Ok(_) => {
                let message = format!("a key of subscription `{}` is empty", entity.id);
                problems.push(entity.place.error(codes::BAD_VALUE, message));
                keys.push(None);
            }
            Err(reason) => {
                let message =
                    format!("key of subscription `{}` cannot be read: {reason}", entity.id);
                let severity = match options.secrets {
                    Secrets::Read => Severity::Error,
                    Secrets::Assume => Severity::Note,
                };
                problems.push(entity.place.problem(severity, codes::SECRET_UNREADABLE, message));
                keys.push(None);
            }
        }
    }
    keys
}

/// The entities with keys of the settings, variables and command line, and new ones.
fn entities(
    parsed: &Parsed,
    options: &Options,
    problems: &mut Vec<Diagnostic>,
) -> Vec<SubscriptionEntity> {
    let mut entities = parsed.entities.subscriptions.clone();
    for setting in &parsed.settings.keys {
        let name = &setting.subscription;
        let found = entities.iter_mut().find(|it| it.id.eq_ignore_ascii_case(name));
        let entity = match found {
            Some(entity) => {
                if setting.scope.as_ref().is_some_and(|it| *it != entity.scope) {
                    let message =
                        format!("subscription `{name}` has another scope in its own file");
                    problems.push(setting.place.error(codes::DUPLICATE, message));
                }
                entity
            }
            None => {
                let scope = match (&setting.scope, name.as_str()) {
                    (Some(scope), _) => scope.clone(),
                    (None, ALL_ACCESS) => ScopeEntity::AllAccess,
                    (None, _) => ScopeEntity::AllApis,
                };
                entities.push(new(name, scope, &setting.place));
                let Some(entity) = entities.last_mut() else { continue };
                entity
            }
        };
        entity.primary = setting.primary.clone().or(entity.primary.take());
        entity.secondary = setting.secondary.clone().or(entity.secondary.take());
    }
    for entity in &mut entities {
        if let Some(key) = options.environment.key(&entity.id) {
            entity.primary = Some(SecretSource::Text(Secret::new(key)));
        }
    }
    for (name, key) in &options.keys {
        let primary = Some(SecretSource::Text(key.clone()));
        match entities.iter_mut().find(|it| it.id.eq_ignore_ascii_case(name)) {
            Some(entity) => entity.primary = primary,
            None => {
                let made = new(name, ScopeEntity::AllApis, &Place::file("--key"));
                entities.push(SubscriptionEntity { primary, ..made });
            }
        }
    }
    entities
}

fn new(name: &str, scope: ScopeEntity, place: &Place) -> SubscriptionEntity {
    SubscriptionEntity {
        id: name.to_owned(),
        display_name: Some(name.to_owned()),
        scope,
        state: SubscriptionState::Active,
        primary: None,
        secondary: None,
        created: None,
        start: None,
        end: None,
        place: place.clone(),
    }
}

/// What the subscription opens; none for one that is left out.
fn scope(
    entity: &SubscriptionEntity,
    parsed: &Parsed,
    problems: &mut Vec<Diagnostic>,
) -> Option<SubscriptionScope> {
    match &entity.scope {
        ScopeEntity::AllAccess | ScopeEntity::AllApis => Some(SubscriptionScope::AllApis),
        ScopeEntity::Api(name) => {
            let name = name.split(";rev=").next().unwrap_or(name);
            let api = parsed.entities.apis.iter().find(|it| it.id.eq_ignore_ascii_case(name));
            if api.is_none() {
                let message = format!(
                    "subscription `{}` is of API `{name}`, which does not exist",
                    entity.id
                );
                problems.push(entity.place.error(codes::UNKNOWN_ENTITY, message));
            }
            api.map(|it| SubscriptionScope::Api(it.id.clone()))
        }
        ScopeEntity::Product(product) => {
            let has_keys = entity.primary.is_some() || entity.secondary.is_some();
            let message = format!(
                "subscription `{}` is of product `{product}`: products are not in this version",
                entity.id
            );
            problems.push(if has_keys {
                entity.place.error(codes::NOT_SUPPORTED, message)
            } else {
                entity.place.note(codes::LEFT_OUT, message)
            });
            None
        }
    }
}

fn subscription(
    entity: &SubscriptionEntity,
    scope: SubscriptionScope,
    is_active: bool,
    keys: Vec<Option<Secret>>,
) -> Subscription {
    let key = |n: usize| {
        let key = keys.get(n).and_then(Option::as_ref);
        key.map(|it| it.expose().to_owned()).unwrap_or_default()
    };
    let date = |text: &Option<String>| {
        let time: jiff::Timestamp = text.as_deref()?.trim().parse().ok()?;
        Some(DateTime::from_system(time.into()))
    };
    let info = SubscriptionInfo {
        id: entity.id.clone(),
        key: String::new(),
        name: entity.display_name.clone(),
        primary_key: key(0),
        secondary_key: key(1),
        created_date: date(&entity.created).unwrap_or_default(),
        start_date: date(&entity.start),
        end_date: date(&entity.end),
    };
    Subscription {
        info: Arc::new(info),
        scope,
        is_active,
        keys: keys.into_iter().flatten().collect(),
    }
}

/// A key that two subscriptions have would not tell who calls.
fn same_keys(subscriptions: &[Subscription], problems: &mut Vec<Diagnostic>) {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for subscription in subscriptions {
        let id = subscription.info.id.as_str();
        for key in &subscription.keys {
            let owner = *owners.entry(key.expose()).or_insert(id);
            if owner != id {
                let message = format!("subscriptions `{owner}` and `{id}` have the same key");
                problems.push(Place::file(".").error(codes::DUPLICATE, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::parse;
    use crate::secret_source::NoSecrets;
    use crate::source::Source;

    const API: (&str, &str) = ("apis/Chat/apiInformation.json", r#"{"properties":{"path":"c"}}"#);

    async fn read(files: &[(&str, &str)], options: &Options) -> (Vec<Subscription>, Vec<String>) {
        let source = Source::from_files(files.iter().map(|(name, text)| (*name, *text)));
        let (parsed, problems) = parse(&source, options);
        assert!(problems.is_empty(), "{problems:?}");
        let mut problems = Vec::new();
        let found = resolve(&parsed, options, &NoSecrets, &mut problems).await;
        (
            found,
            problems.iter().map(|it| format!("{} {}", it.severity.as_str(), it.message)).collect(),
        )
    }

    fn information(scope: &str, more: &str) -> String {
        format!(r#"{{"properties":{{"scope":"{scope}"{more}}}}}"#)
    }

    #[tokio::test]
    async fn keys_come_from_everywhere() {
        let options = Options {
            environment: [("A", "ka"), ("PORTCULLIS_KEY_BOB", "kb")].into_iter().collect(),
            keys: vec![("carl".to_owned(), "kc".into()), ("dora".to_owned(), "kd".into())],
            ..Options::default()
        };
        let (found, problems) = read(
            &[
                API,
                ("portcullis.yaml", "keys: { ann: { env: A }, master: { env: A2 } }\n"),
                (
                    "subscriptions/ann/subscriptionInformation.json",
                    &information("/apis/chat", r#","createdDate":"2024-01-02T03:04:05Z""#),
                ),
                ("subscriptions/bob/subscriptionInformation.json", &information("/apis", "")),
                ("subscriptions/carl/subscriptionInformation.json", &information("/apis", "")),
            ],
            &Options {
                environment: [("A", "ka"), ("A2", "km"), ("PORTCULLIS_KEY_BOB", "kb")]
                    .into_iter()
                    .collect(),
                ..options
            },
        )
        .await;
        assert_eq!(problems, [""; 0]);
        let shown: Vec<(&str, &str)> =
            found.iter().map(|it| (it.info.id.as_str(), it.keys[0].expose())).collect();
        assert_eq!(
            shown,
            [("ann", "ka"), ("bob", "kb"), ("carl", "kc"), ("master", "km"), ("dora", "kd")]
        );
        assert_eq!(found[0].scope, SubscriptionScope::Api("Chat".to_owned()));
        assert!(found[0].info.created_date.ticks > 0);
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_told() {
        let (found, problems) = read(
            &[
                ("portcullis.yaml", "keys: { p: { env: K }, same: { env: K }, gone: { env: NO }, two: { env: K } }\n"),
                ("subscriptions/p/subscriptionInformation.json", &information("/products/x", "")),
                ("subscriptions/q/subscriptionInformation.json", &information("/products/x", "")),
                ("subscriptions/r/subscriptionInformation.json", &information("/apis/none", "")),
                ("subscriptions/s/subscriptionInformation.json", &information("/apis", "")),
            ],
            &Options { environment: [("K", "k")].into_iter().collect(), ..Options::default() },
        )
        .await;
        assert_eq!(found.len(), 4);
        assert_eq!(
            problems,
            [
                "error subscription `p` is of product `x`: products are not in this version",
                "note subscription `q` is of product `x`: products are not in this version",
                "error subscription `r` is of API `none`, which does not exist",
                "error key of subscription `gone` cannot be read: environment variable `NO` is not set",
                "note subscription `s` has no keys: no request can use it",
                "error subscriptions `same` and `two` have the same key",
            ]
        );
    }
}
