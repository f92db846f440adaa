//! Subscriptions with their keys: from the entity, the settings, variables and the command line.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use document::{Diagnostic, Severity};
use expr::host::SubscriptionInfo;
use expr::value::DateTime;
use transport::Secret;

use super::users::Users;
use crate::codes;
use crate::entity::{ApiEntity, ScopeEntity, SubscriptionEntity, SubscriptionState};
use crate::load::{Options, Parsed, Secrets};
use crate::place::Place;
use crate::products;
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
    let users = Users::new(&parsed.entities, problems);
    let mut subscriptions = Vec::new();
    let mut told = Vec::new();
    for named in entities(parsed, options, problems) {
        let entity = &named.entity;
        let Some(scope) = scope(&named, parsed, problems) else { continue };
        let keys = keys(entity, parsed, options, secrets, problems).await;
        let owner = entity.owner.as_deref().map(|it| users.get(it));
        let is_active = entity.state == SubscriptionState::Active;
        if is_active && entity.primary.is_none() && entity.secondary.is_none() {
            told.push((named.full_name(), entity.place.clone()));
        }
        let made = subscription(entity, scope, keys, problems);
        subscriptions.push(Subscription {
            is_active: is_active && owner.as_ref().is_none_or(|it| it.is_active),
            user: owner.map(|it| it.info),
            ..made
        });
    }
    for (id, place) in told {
        let message = format!("subscription `{id}` has no keys: no request can use it");
        let help = format!("give one in `portcullis.yaml`: `keys: {{ {id}: {{ env: NAME }} }}`");
        problems.push(place.note(codes::UNUSABLE_KEYS, message).help(help));
    }
    same_keys(&subscriptions, problems);
    subscriptions
}

/// A subscription, and the workspace that it is in.
struct Named {
    workspace: Option<String>,
    entity: SubscriptionEntity,
}

impl Named {
    /// The name that settings, variables and options call it by: in a workspace, with the
    /// workspace's name before its own (`team/acme`).
    fn full_name(&self) -> String {
        match &self.workspace {
            Some(workspace) => format!("{workspace}/{}", self.entity.id),
            None => self.entity.id.clone(),
        }
    }
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
fn entities(parsed: &Parsed, options: &Options, problems: &mut Vec<Diagnostic>) -> Vec<Named> {
    let of = |workspace: Option<&str>, it: &SubscriptionEntity| Named {
        workspace: workspace.map(str::to_owned),
        entity: it.clone(),
    };
    let mut all: Vec<Named> = parsed.entities.subscriptions.iter().map(|it| of(None, it)).collect();
    for it in &parsed.entities.workspaces {
        all.extend(it.entities.subscriptions.iter().map(|own| of(Some(&it.id), own)));
    }
    // Names in lower case, so that many keys cost no more than each.
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, it) in all.iter().enumerate() {
        places.entry(it.full_name().to_lowercase()).or_insert(place);
    }
    let mut made = |all: &mut Vec<Named>, name: &str, scope, place: &Place| {
        let at = *places.entry(name.to_lowercase()).or_insert(all.len());
        let is_new = at == all.len();
        if is_new {
            all.push(Named { workspace: None, entity: new(name, scope, place) });
        }
        (at, is_new)
    };
    for setting in &parsed.settings.keys {
        let name = &setting.subscription;
        let scope = match (&setting.scope, name.as_str()) {
            (Some(scope), _) => scope.clone(),
            (None, ALL_ACCESS) => ScopeEntity::AllAccess,
            (None, _) => ScopeEntity::AllApis,
        };
        let (at, is_new) = made(&mut all, name, scope, &setting.place);
        let Some(Named { entity, .. }) = all.get_mut(at) else { continue };
        if !is_new && setting.scope.as_ref().is_some_and(|it| *it != entity.scope) {
            let message = format!("subscription `{name}` has another scope in its own file");
            problems.push(setting.place.error(codes::DUPLICATE, message));
        }
        entity.owner = setting.user.clone().or(entity.owner.take());
        entity.primary = setting.primary.clone().or(entity.primary.take());
        entity.secondary = setting.secondary.clone().or(entity.secondary.take());
    }
    for it in &mut all {
        if let Some(key) = options.environment.key(&it.full_name()) {
            it.entity.primary = Some(SecretSource::Text(Secret::new(key)));
        }
    }
    for (name, key) in &options.keys {
        let (at, _) = made(&mut all, name, ScopeEntity::AllApis, &Place::file("--key"));
        if let Some(it) = all.get_mut(at) {
            it.entity.primary = Some(SecretSource::Text(key.clone()));
        }
    }
    all
}

fn new(name: &str, scope: ScopeEntity, place: &Place) -> SubscriptionEntity {
    SubscriptionEntity {
        id: name.to_owned(),
        display_name: Some(name.to_owned()),
        owner: None,
        scope,
        state: SubscriptionState::Active,
        primary: None,
        secondary: None,
        created: None,
        start: None,
        expiration: None,
        end: None,
        place: place.clone(),
    }
}

/// What the subscription opens; none for one that is left out.
fn scope(
    named: &Named,
    parsed: &Parsed,
    problems: &mut Vec<Diagnostic>,
) -> Option<SubscriptionScope> {
    let (mut workspace, mut scope) = (named.workspace.clone(), &named.entity.scope);
    if let ScopeEntity::In(name, inner) = scope {
        (workspace, scope) = (Some(name.clone()), inner);
    }
    let found = match (scope, workspace) {
        (ScopeEntity::AllAccess, None) => Ok(SubscriptionScope::AllAccess),
        (ScopeEntity::AllApis, None) => Ok(SubscriptionScope::AllApis),
        (ScopeEntity::AllAccess | ScopeEntity::AllApis, Some(name)) => in_workspace(&name, parsed),
        (ScopeEntity::Workspace(name), _) => in_workspace(name, parsed),
        (ScopeEntity::Api(name), workspace) => api(name, workspace, parsed),
        (ScopeEntity::Product(name), workspace) => {
            let place = products::place(&parsed.entities, workspace.as_deref(), name);
            place.map(SubscriptionScope::Product).ok_or_else(|| format!("product `{name}`"))
        }
        (ScopeEntity::In(..), _) => Err("workspace in a workspace".to_owned()),
    };
    match found {
        Ok(scope) => Some(scope),
        Err(what) => {
            let message =
                format!("subscription `{}` is of {what}, which does not exist", named.full_name());
            problems.push(named.entity.place.error(codes::UNKNOWN_ENTITY, message));
            None
        }
    }
}

fn in_workspace(name: &str, parsed: &Parsed) -> Result<SubscriptionScope, String> {
    let found = parsed.entities.workspaces.iter().find(|it| it.id.eq_ignore_ascii_case(name));
    found
        .map(|it| SubscriptionScope::Workspace(it.id.clone()))
        .ok_or_else(|| format!("workspace `{name}`"))
}

fn api(
    name: &str,
    workspace: Option<String>,
    parsed: &Parsed,
) -> Result<SubscriptionScope, String> {
    let name = name.split(";rev=").next().unwrap_or(name);
    let is_it = |it: &&ApiEntity| it.id.eq_ignore_ascii_case(name);
    let unknown = || format!("API `{name}`");
    let Some(workspace) = workspace else {
        let found = parsed.entities.apis.iter().find(is_it).ok_or_else(unknown)?;
        return Ok(SubscriptionScope::Api(found.id.clone()));
    };
    let all = parsed.entities.workspaces.iter();
    let of = all.filter(|it| it.id.eq_ignore_ascii_case(&workspace));
    let found = of.flat_map(|it| it.entities.apis.iter().map(move |api| (it, api)));
    let (of, api) = found.into_iter().find(|it| is_it(&it.1)).ok_or_else(unknown)?;
    Ok(SubscriptionScope::WorkspaceApi(of.id.clone(), api.id.clone()))
}

fn subscription(
    entity: &SubscriptionEntity,
    scope: SubscriptionScope,
    keys: Vec<Option<Secret>>,
    problems: &mut Vec<Diagnostic>,
) -> Subscription {
    let key = |n: usize| {
        let key = keys.get(n).and_then(Option::as_ref);
        key.map(|it| it.expose().to_owned()).unwrap_or_default()
    };
    let dates = [&entity.created, &entity.start, &entity.expiration, &entity.end];
    for text in dates.into_iter().flatten().filter(|it| time(it).is_none()) {
        let message = format!("subscription `{}`: `{text}` is no date", entity.id);
        problems.push(entity.place.error(codes::BAD_VALUE, message));
    }
    let ends = [&entity.expiration, &entity.end].into_iter().flatten().filter_map(|it| time(it));
    let info = SubscriptionInfo {
        id: entity.id.clone(),
        key: String::new(),
        name: entity.display_name.clone(),
        primary_key: key(0),
        secondary_key: key(1),
        created_date: date(entity.created.as_deref()).unwrap_or_default(),
        start_date: date(entity.start.as_deref()),
        end_date: date(entity.end.as_deref().or(entity.expiration.as_deref())),
    };
    Subscription {
        info: Arc::new(info),
        scope,
        starts: entity.start.as_deref().and_then(time),
        ends: ends.min(),
        keys: keys.into_iter().flatten().collect(),
        ..Subscription::default()
    }
}

/// A date as Azure writes it: with an offset, or in UTC.
fn time(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let with_offset = text.parse::<jiff::Timestamp>().ok();
    let time = with_offset.or_else(|| format!("{text}Z").parse().ok())?;
    Some(time.into())
}

/// The same as expressions see it.
pub(super) fn date(text: Option<&str>) -> Option<DateTime> {
    time(text?).map(DateTime::from_system)
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
                "error subscription `p` is of product `x`, which does not exist",
                "error subscription `q` is of product `x`, which does not exist",
                "error subscription `r` is of API `none`, which does not exist",
                "error key of subscription `gone` cannot be read: environment variable `NO` is not set",
                "note subscription `s` has no keys: no request can use it",
                "error subscriptions `same` and `two` have the same key",
            ]
        );
    }
}
