//! Plain data behind `context`: what is known of the API, the caller and the error.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-policy-expressions>

use super::UrlView;
use crate::value::{DateTime, Value};

/// `context.Api`, and the APIs of a product.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiInfo {
    /// Resource name.
    pub id: String,
    /// Display name.
    pub name: String,
    /// URL suffix.
    pub path: String,
    /// Revision number.
    pub revision: String,
    /// Version, if the API has one.
    pub version: Option<String>,
    /// Is this the revision that answers without `;rev=`?
    pub is_current_revision: bool,
    /// `http`, `https`, `ws`, `wss`.
    pub protocols: Vec<String>,
    /// Backend URL.
    pub service_url: Option<UrlView>,
    /// Header that carries the subscription key.
    pub subscription_key_header: String,
    /// Query parameter that carries the subscription key.
    pub subscription_key_query: String,
}

/// `context.GraphQL`: what a GraphQL resolver is called with.
#[derive(Clone, Debug, Default)]
pub struct GraphQlInfo {
    /// The arguments of the field: a `JObject`.
    pub arguments: Value,
    /// The value of the object that the field belongs to: a `JToken`; null at the root.
    pub parent: Value,
}

/// `context.Operation`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationInfo {
    /// Resource name.
    pub id: String,
    /// HTTP method.
    pub method: String,
    /// Display name.
    pub name: String,
    /// URL template.
    pub url_template: String,
}

/// `context.Product`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductInfo {
    /// Resource name.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Must a subscription be approved?
    pub approval_required: bool,
    /// Groups that see it.
    pub groups: Vec<GroupInfo>,
    /// Is it published?
    pub state: ProductState,
    /// How many subscriptions a user may have.
    pub subscriptions_limit: Option<i32>,
    /// Is a subscription needed?
    pub subscription_required: bool,
    /// The APIs in it.
    pub apis: Vec<ApiInfo>,
}

/// `ProductState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProductState {
    /// Not to be seen.
    #[default]
    NotPublished,
    /// To be seen.
    Published,
}

/// `IGroup`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupInfo {
    /// Resource name.
    pub id: String,
    /// Display name.
    pub name: String,
}

/// `IUserIdentity`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityInfo {
    /// Identifier at the provider.
    pub id: String,
    /// Name of the provider.
    pub provider: String,
}

/// `context.Subscription`. `Debug` shows no key.
#[derive(Clone, Default, PartialEq)]
pub struct SubscriptionInfo {
    /// Resource name.
    pub id: String,
    /// The key that was presented.
    pub key: String,
    /// Display name.
    pub name: Option<String>,
    /// First key.
    pub primary_key: String,
    /// Second key.
    pub secondary_key: String,
    /// When it was made.
    pub created_date: DateTime,
    /// When it begins.
    pub start_date: Option<DateTime>,
    /// When it ends.
    pub end_date: Option<DateTime>,
}

impl std::fmt::Debug for SubscriptionInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubscriptionInfo")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// `context.User`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserInfo {
    /// Resource name.
    pub id: String,
    /// Mail address.
    pub email: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Note of the administrator.
    pub note: Option<String>,
    /// When the user registered.
    pub registration_date: DateTime,
    /// Groups of the user.
    pub groups: Vec<GroupInfo>,
    /// Identities of the user.
    pub identities: Vec<IdentityInfo>,
}

/// `context.Workspace`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceInfo {
    /// Resource name.
    pub id: String,
    /// Display name.
    pub name: String,
}

/// `context.Backend`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackendInfo {
    /// Entity name.
    pub id: String,
    /// `Single` or `Pool`.
    pub kind: String,
    /// `azureRegion` of the entity.
    pub azure_region: Option<String>,
}

/// `context.Deployment`.
#[derive(Clone, Debug, Default)]
pub struct DeploymentInfo {
    /// Name of the gateway.
    pub gateway_id: String,
    /// Name of this process of the gateway.
    pub instance_id: String,
    /// Is it a managed gateway?
    pub is_managed: bool,
    /// Location.
    pub region: String,
    /// Id of the service.
    pub service_id: String,
    /// Name of the service.
    pub service_name: String,
    /// Certificate entities: id and `X509Certificate2`, with its key if it has one.
    pub certificates: Vec<(String, Value)>,
}

/// `context.LastError`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastError {
    /// Policy element or built-in step that failed.
    pub source: String,
    /// Machine code.
    pub reason: Option<String>,
    /// Human text.
    pub message: String,
    /// `global`, `product`, `api`, `operation`.
    pub scope: Option<String>,
    /// `inbound`, `backend`, `outbound`, `on-error`.
    pub section: Option<String>,
    /// Nested position: `choose[3]/when[2]`.
    pub path: Option<String>,
    /// The failing element's `id`.
    pub policy_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_unpublished_unless_said() {
        assert_eq!(ProductInfo::default().state, ProductState::NotPublished);
    }

    #[test]
    fn keys_are_not_printed() {
        let key = || "hunter2".to_owned();
        let it = SubscriptionInfo {
            key: key(),
            primary_key: key(),
            secondary_key: key(),
            ..SubscriptionInfo::default()
        };
        assert!(!format!("{it:?}").contains("hunter2"));
    }
}
