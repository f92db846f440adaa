//! Subscriptions: who may call what, with which keys.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-subscriptions>

use transport::Secret;

use super::{Reading, is_redacted, properties};
use crate::codes;
use crate::layout::{EntityFiles, Reference, last_two, reference};
use crate::place::Place;
use crate::secret_source::SecretSource;

/// A subscription.
#[derive(Clone, Debug)]
pub struct SubscriptionEntity {
    /// Entity name.
    pub id: String,
    /// Display name.
    pub display_name: Option<String>,
    /// The user who owns it, by name.
    pub owner: Option<String>,
    /// What it admits to.
    pub scope: ScopeEntity,
    /// Only an active one admits.
    pub state: SubscriptionState,
    /// The first key.
    pub primary: Option<SecretSource>,
    /// The second key, equal in effect.
    pub secondary: Option<SecretSource>,
    /// When it was made, as written.
    pub created: Option<String>,
    /// When it begins, as written.
    pub start: Option<String>,
    /// When it expires, as written.
    pub expiration: Option<String>,
    /// When it has ended, as written.
    pub end: Option<String>,
    /// Where it is described.
    pub place: Place,
}

/// What a subscription admits to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeEntity {
    /// Every API, all products included: the service itself.
    AllAccess,
    /// Every API.
    AllApis,
    /// One API, by name.
    Api(String),
    /// The APIs of one product, by name.
    Product(String),
    /// Every API of the workspace of this name.
    Workspace(String),
    /// Something in the workspace of this name.
    In(String, Box<ScopeEntity>),
}

/// The state of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// It admits.
    Active,
    /// It does not, whatever it is called: submitted, suspended, expired, rejected, cancelled.
    Inactive,
}

impl ScopeEntity {
    /// Reads a scope: `/apis`, `/apis/{id}`, `/products/{id}`, or the id of the service.
    pub fn parse(text: &str) -> Option<Self> {
        let Reference { workspace, kind, name } = reference(text);
        if let Some(workspace) = workspace {
            let workspace = workspace.to_owned();
            if name.eq_ignore_ascii_case("apis") {
                return Some(Self::Workspace(workspace));
            }
            let inner = match kind.to_ascii_lowercase().as_str() {
                "apis" => Self::Api(name.to_owned()),
                "products" => Self::Product(name.to_owned()),
                _ => return None,
            };
            return Some(Self::In(workspace, Box::new(inner)));
        }
        match (kind.to_ascii_lowercase().as_str(), name.to_ascii_lowercase().as_str()) {
            (_, "apis") => Some(Self::AllApis),
            ("apis", _) => Some(Self::Api(name.to_owned())),
            ("products", _) => Some(Self::Product(name.to_owned())),
            ("workspaces", _) => Some(Self::Workspace(name.to_owned())),
            ("", "") | ("service", _) => Some(Self::AllAccess),
            _ => None,
        }
    }
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<SubscriptionEntity> {
    let info = cx.info("subscriptions", files)?;
    let fields = properties(&info, cx.problems);
    let place = files.place();
    let id = files.name.clone();
    let Some(text) = fields.text("scope") else {
        cx.report(place.error(codes::MISSING, format!("subscription `{id}` has no `scope`")));
        return None;
    };
    let Some(scope) = ScopeEntity::parse(&text) else {
        let message = format!("subscription `{id}`: `{text}` is no scope");
        cx.report(
            place
                .error(codes::BAD_VALUE, message)
                .help("`/apis`, `/apis/<name>` or `/products/<name>`"),
        );
        return None;
    };
    let state = match fields.filled("state").map(|it| it.to_ascii_lowercase()).as_deref() {
        None | Some("active") => SubscriptionState::Active,
        Some("submitted" | "suspended" | "expired" | "rejected" | "cancelled") => {
            SubscriptionState::Inactive
        }
        Some(other) => {
            let message = format!("subscription `{id}`: `{other}` is no state");
            cx.report(place.error(codes::BAD_VALUE, message));
            SubscriptionState::Inactive
        }
    };
    let key = |key| {
        let text = fields.filled(key).filter(|it| !is_redacted(it));
        text.map(|it| SecretSource::Text(Secret::new(it)))
    };
    Some(SubscriptionEntity {
        display_name: fields.filled("displayName"),
        scope,
        state,
        primary: key("primaryKey"),
        secondary: key("secondaryKey"),
        created: fields.filled("createdDate"),
        start: fields.filled("startDate"),
        expiration: fields.filled("expirationDate"),
        end: fields.filled("endDate"),
        owner: fields.filled("ownerId").map(|it| last_two(&it).1.to_owned()),
        id,
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn one(properties: &str) -> (Option<SubscriptionEntity>, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let (mut entities, problems) =
            read(&[("subscriptions/s/subscriptionInformation.json", &text)]);
        (entities.subscriptions.pop(), problems)
    }

    #[test]
    fn scopes_are_read_in_every_form() {
        let api = || Some(ScopeEntity::Api("chat".to_owned()));
        for (text, scope) in [
            ("/apis", Some(ScopeEntity::AllApis)),
            (
                "/subscriptions/1/resourceGroups/g/providers/x/service/s/apis",
                Some(ScopeEntity::AllApis),
            ),
            ("/apis/chat", api()),
            ("apis/chat", api()),
            ("/products/p", Some(ScopeEntity::Product("p".to_owned()))),
            ("/", Some(ScopeEntity::AllAccess)),
            ("/subscriptions/1/x/service/s/", Some(ScopeEntity::AllAccess)),
            ("/workspaces/w", Some(ScopeEntity::Workspace("w".to_owned()))),
            ("/x/workspaces/w/apis", Some(ScopeEntity::Workspace("w".to_owned()))),
            (
                "workspaces/w/apis/chat",
                api().map(|it| ScopeEntity::In("w".to_owned(), Box::new(it))),
            ),
            ("workspaces/w/groups/g", None),
            ("nonsense", None),
        ] {
            assert_eq!(ScopeEntity::parse(text), scope, "{text}");
        }
    }

    #[test]
    fn keys_are_read_unless_redacted() {
        let (it, _) =
            one(r#"{"scope":"/apis","primaryKey":"k","secondaryKey":"*** REDACTED ***"}"#);
        let it = it.unwrap();
        assert!(it.primary.is_some() && it.secondary.is_none());
        assert_eq!(it.state, SubscriptionState::Active);
    }

    #[test]
    fn only_active_is_active() {
        assert_eq!(
            one(r#"{"scope":"/apis","state":"suspended"}"#).0.unwrap().state,
            SubscriptionState::Inactive
        );
        let (it, problems) = one(r#"{"scope":"/apis","state":"on"}"#);
        assert_eq!(it.unwrap().state, SubscriptionState::Inactive);
        assert_eq!(problems, ["PC0506 subscription `s`: `on` is no state"]);
        assert_eq!(one("{}").1, ["PC0505 subscription `s` has no `scope`"]);
        assert_eq!(one(r#"{"scope":"x"}"#).1, ["PC0506 subscription `s`: `x` is no scope"]);
    }
}
