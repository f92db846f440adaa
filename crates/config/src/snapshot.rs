//! What the gateway runs on: everything resolved, compiled and immutable.
//!
//! A request holds one [`Snapshot`] from its first byte to its last. The router and the key table
//! are built over it once, when it is put in place.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-key-concepts>

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use expr::host::{ApiInfo, DeploymentInfo, ProductInfo, SubscriptionInfo, UserInfo, WorkspaceInfo};
use http::{HeaderName, HeaderValue};
use pipeline::{BaseUrl, Pipeline};
use transport::{ClientIdentity, ClientTls, Pins, Proxy, Secret};

use crate::balance::{BreakerRule, Extras, Pool};

/// A whole configuration, ready to run.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Every revision of every API, in the order of definition.
    pub apis: Vec<Api>,
    /// All subscriptions, whatever their state.
    pub subscriptions: Vec<Subscription>,
    /// All products: those of the service, then those of its workspaces.
    pub products: Vec<Product>,
    /// Backend entities by name.
    pub backends: HashMap<String, Arc<Backend>>,
    /// The same backends as the pipeline sees them.
    pub backend_entries: Arc<pipeline::Backends>,
    /// The effective policy of the global scope alone: for requests that match no API.
    pub global: Arc<Pipeline>,
    /// What `context.Deployment` shows.
    pub deployment: Arc<DeploymentInfo>,
    /// Settings of the gateway itself.
    pub settings: Settings,
}

/// Settings that have no place in Azure's entities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Takes subscription keys out of what is sent to backends. Azure passes them on, which is
    /// the default here too.
    pub strip_subscription_keys: bool,
    /// Answers over HTTP for APIs that list only HTTPS, and the other way round: for gateways
    /// behind something that ends TLS.
    pub any_protocol: bool,
    /// Refuses the keys of subscriptions before their start date and from their expiration or end
    /// date on. For Azure these dates are notes: only the state counts.
    pub enforce_subscription_dates: bool,
}

/// A product.
#[derive(Debug, Clone, Default)]
pub struct Product {
    /// What expressions see.
    pub info: Arc<ProductInfo>,
    /// The workspace that it is in, by name.
    pub workspace: Option<String>,
}

/// One revision of an API.
#[derive(Debug)]
pub struct Api {
    /// What expressions see. `id` is the entity's name without `;rev=`; `path` is the URL
    /// suffix without slashes at its ends, perhaps empty; `revision` is the number.
    pub info: Arc<ApiInfo>,
    /// Where the version is named, for an API in a version set.
    pub version: Option<Version>,
    /// Whether the revision can be reached.
    pub is_online: bool,
    /// Protocols that it answers to.
    pub protocols: Protocols,
    /// What kind of calls it takes.
    pub kind: ApiKind,
    /// Where requests go unless a policy says otherwise. `None`: a policy must say.
    pub service: Option<Service>,
    /// Whether a key is needed.
    pub subscription_required: bool,
    /// Header that carries the subscription key.
    pub key_header: HeaderName,
    /// Query parameter that carries the subscription key.
    pub key_query: String,
    /// Whether the key may also come as a bearer token, as clients of the `/openai/v1/` surface
    /// send it.
    pub key_bearer: bool,
    /// Operations, in the order of definition.
    pub operations: Vec<Operation>,
    /// The products that it is in, by their places in [`Snapshot::products`], ascending.
    pub products: Vec<usize>,
    /// The one of them that needs no subscription.
    pub open_product: Option<usize>,
    /// The workspace that it is in.
    pub workspace: Option<Arc<WorkspaceInfo>>,
    /// The backends of its workspace beside those of the service; none outside of a workspace:
    /// then [`Snapshot::backend_entries`] are meant.
    pub backends: Option<Arc<pipeline::Backends>>,
    /// What is served to agents; an MCP server that is passed through has nothing here.
    pub agents: Option<Agents>,
    /// The effective policy of the API's scope: for requests that match none of its operations.
    pub pipeline: Arc<Pipeline>,
}

/// Protocols of an API. `ws` counts as HTTP, `wss` as HTTPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocols {
    /// Without TLS.
    pub http: bool,
    /// With TLS.
    pub https: bool,
}

/// What kind of calls an API takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApiKind {
    /// Ordinary requests.
    #[default]
    Http,
    /// WebSocket handshakes only; its one operation is `onHandshake`.
    WebSocket,
    /// GraphQL requests, at the API's own address.
    GraphQl,
    /// An MCP server: one that is passed through, or one whose tools are operations.
    Mcp,
    /// An A2A agent: JSON-RPC and its card.
    A2a,
    /// A unified model API: Chat Completions in front of models of several providers.
    Models,
}

impl ApiKind {
    /// Whether agents speak to it.
    #[must_use]
    pub const fn is_for_agents(self) -> bool {
        matches!(self, ApiKind::Mcp | ApiKind::A2a)
    }
}

/// What the gateway has a hand in itself.
#[derive(Debug, Clone)]
pub enum Agents {
    /// An MCP server whose tools are operations.
    Mcp(Arc<agents::mcp::Server>),
    /// An A2A agent.
    A2a(A2aApi),
    /// A unified model API.
    Models(Arc<ModelsApi>),
}

/// A unified model API.
#[derive(Debug, Clone, Default)]
pub struct ModelsApi {
    /// The models that clients can name, in the order in which they are listed.
    pub models: Vec<Model>,
}

impl ModelsApi {
    /// The model of a name, which is told apart by case.
    #[must_use]
    pub fn get(&self, alias: &str) -> Option<&Model> {
        self.models.iter().find(|it| it.alias == alias)
    }
}

/// A model that clients can name.
#[derive(Debug, Clone)]
pub struct Model {
    /// The client's name for it.
    pub alias: String,
    /// Where it is; the next is asked if one fails.
    pub targets: Vec<ModelTarget>,
}

/// A model of a provider.
#[derive(Debug, Clone)]
pub struct ModelTarget {
    /// The provider's name for it.
    pub model: String,
    /// What its API speaks.
    pub format: ModelFormat,
    /// The backend or pool.
    pub backend: String,
    /// Tokens of an answer where the request does not bound them.
    pub max_tokens: u64,
}

/// What the API of a model speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFormat {
    /// OpenAI's Chat Completions, as clients do.
    ChatCompletions,
    /// Anthropic's Messages.
    Messages,
}

/// The place of the first operation of an A2A API that answers with the card.
pub const CARD_OPERATION: usize = 1;

/// An A2A agent.
#[derive(Debug, Clone)]
pub struct A2aApi {
    /// Its id in traces.
    pub id: String,
    /// Where JSON-RPC requests go, below the API.
    pub rpc_path: String,
    /// Where the card comes from.
    pub card: CardSource,
}

/// Where an agent's card comes from.
#[derive(Debug, Clone)]
pub enum CardSource {
    /// This URL.
    Url(Arc<BaseUrl>),
    /// This path below the API's backend.
    Below(String),
}

/// An API's place in its version set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Where requests name the version.
    pub scheme: VersionScheme,
    /// The identifier; `None` for the Original version, which answers without one.
    pub identifier: Option<String>,
}

/// Where requests name the version. All versions of a set share one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionScheme {
    /// A path segment after the URL suffix.
    Segment,
    /// A header.
    Header(HeaderName),
    /// A query parameter.
    Query(String),
}

/// Where an API's requests go.
#[derive(Debug, Clone)]
pub enum Service {
    /// A URL (`serviceUrl`).
    Url(Arc<BaseUrl>),
    /// A backend entity (`backendId`).
    Backend(String),
}

/// An operation with its effective policy.
#[derive(Debug)]
pub struct Operation {
    /// What policies and expressions see: `info.method` (`*`: any) and `info.url_template`
    /// decide what it matches.
    pub operation: Arc<pipeline::Operation>,
    /// The effective policy outside of products, spliced.
    pub pipeline: Arc<Pipeline>,
    /// Those in the context of a product, where they differ.
    pub in_products: InProducts,
}

impl Operation {
    /// The effective policy in the context of a product, by its place, or outside of products.
    #[must_use]
    pub fn effective(&self, product: Option<usize>) -> &Arc<Pipeline> {
        product.and_then(|it| self.in_products.get(it)).unwrap_or(&self.pipeline)
    }
}

/// The place of a product, and the effective policy in its context.
type InProduct = (usize, Arc<Pipeline>);

/// Effective policies in the context of products. Operations that inherit all share one.
#[derive(Debug, Clone, Default)]
pub struct InProducts(Option<Arc<[InProduct]>>);

impl InProducts {
    /// Takes pairs of a product's place and a policy, ascending.
    #[must_use]
    pub fn new(pipelines: Vec<(usize, Arc<Pipeline>)>) -> Self {
        Self((!pipelines.is_empty()).then(|| pipelines.into()))
    }

    /// The policy of a product; none if it is the one outside of products.
    #[must_use]
    pub fn get(&self, product: usize) -> Option<&Arc<Pipeline>> {
        let all = self.0.as_deref()?;
        let at = all.binary_search_by_key(&product, |it| it.0).ok()?;
        all.get(at).map(|it| &it.1)
    }

    /// Every pair.
    pub fn iter(&self) -> impl Iterator<Item = &(usize, Arc<Pipeline>)> {
        self.0.iter().flat_map(|it| it.iter())
    }
}

impl Api {
    /// Its path, with the version if that is a segment: what stands before an operation's.
    #[must_use]
    pub fn base_path(&self) -> String {
        let version = self.version.as_ref().filter(|it| it.scheme == VersionScheme::Segment);
        match version.and_then(|it| it.identifier.as_deref()) {
            Some(version) if self.info.path.is_empty() => version.to_owned(),
            Some(version) => format!("{}/{version}", self.info.path),
            None => self.info.path.clone(),
        }
    }
}

/// A subscription.
#[derive(Default)]
pub struct Subscription {
    /// What expressions see, but for `key`, which is the one that was presented.
    pub info: Arc<SubscriptionInfo>,
    /// What it opens.
    pub scope: SubscriptionScope,
    /// Only active ones open anything: those in the state `active` whose owner is active.
    pub is_active: bool,
    /// Its owner, as expressions see them.
    pub user: Option<Arc<UserInfo>>,
    /// From when on it is meant to be used.
    pub starts: Option<SystemTime>,
    /// From when on it is not.
    pub ends: Option<SystemTime>,
    /// Primary and secondary key. A subscription without keys cannot be used.
    pub keys: Vec<Secret>,
}

/// What a subscription opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SubscriptionScope {
    /// Every API, those of workspaces included.
    AllAccess,
    /// Every API of the service itself.
    #[default]
    AllApis,
    /// All revisions of one API of the service, by the name in [`ApiInfo::id`].
    Api(String),
    /// The APIs of a product, by its place in [`Snapshot::products`].
    Product(usize),
    /// Every API of a workspace, by name.
    Workspace(String),
    /// All revisions of one API of a workspace: the workspace's name, and the API's.
    WorkspaceApi(String, String),
}

/// A backend entity.
#[derive(Debug, Default)]
pub struct Backend {
    /// What the pipeline sees: name and base URL.
    pub entry: Arc<pipeline::BackendEntry>,
    /// What is added to every request to it.
    pub credentials: Credentials,
    /// What is checked of its certificate.
    pub tls: ClientTls,
    /// The certificates of which it must have one.
    pub pins: Option<Pins>,
    /// The certificate that it is shown if it asks for one.
    pub identity: Option<ClientIdentity>,
    /// The proxy that calls to it go through.
    pub proxy: Option<Proxy>,
    /// The backends that it stands for, if it is a pool.
    pub pool: Option<Pool>,
    /// When it is left alone.
    pub breaker: Option<BreakerRule>,
    /// What it has beyond Azure.
    pub extras: Extras,
}

/// Credentials of a backend, values resolved.
#[derive(Default)]
pub struct Credentials {
    /// Headers; each replaces what the client or a policy set. Values are marked sensitive.
    pub headers: Vec<(HeaderName, Vec<HeaderValue>)>,
    /// Query parameters; each replaces what is there.
    pub query: Vec<(String, Vec<Secret>)>,
    /// The value of `Authorization`: scheme and parameter.
    pub authorization: Option<HeaderValue>,
    /// A token of the gateway's managed identity, sent as bearer.
    pub managed_identity: Option<ManagedIdentity>,
    /// Keys of AWS, which sign requests in place of any `Authorization`.
    pub aws: Option<AwsCredentials>,
}

/// Keys of AWS, values resolved.
pub struct AwsCredentials {
    /// The region of the service.
    pub region: String,
    /// The name that the service signs with.
    pub service: String,
    /// Which key it is.
    pub access_key_id: Secret,
    /// The key.
    pub secret_access_key: Secret,
    /// The token of a session.
    pub session_token: Option<Secret>,
}

/// Whose token is sent to a backend, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedIdentity {
    /// The resource that the token is for.
    pub resource: String,
    /// The user-assigned identity; `None`: the system-assigned one.
    pub client_id: Option<String>,
}

impl Default for Protocols {
    fn default() -> Self {
        Self { http: true, https: true }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.info.id)
            .field("scope", &self.scope)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Whether they hold an `Authorization`, in whatever form: it goes before any other.
    #[must_use]
    pub fn has_authorization(&self) -> bool {
        let in_header = |it: &(HeaderName, _)| it.0 == http::header::AUTHORIZATION;
        self.authorization.is_some()
            || self.managed_identity.is_some()
            || self.aws.is_some()
            || self.headers.iter().any(in_header)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expr::host::SubscriptionInfo;

    use super::{Credentials, Subscription, SubscriptionScope};

    #[test]
    fn keys_and_credentials_are_not_printed() {
        let info = SubscriptionInfo {
            id: "team".to_owned(),
            primary_key: "s3cret".to_owned(),
            ..SubscriptionInfo::default()
        };
        let subscription = Subscription {
            info: Arc::new(info),
            scope: SubscriptionScope::AllApis,
            is_active: true,
            keys: vec!["s3cret".into()],
            ..Subscription::default()
        };
        let credentials = Credentials {
            query: vec![("key".to_owned(), vec!["s3cret".into()])],
            ..Credentials::default()
        };
        let printed = format!("{subscription:?} {credentials:?}");
        assert!(printed.contains("team") && !printed.contains("s3cret"), "{printed}");
    }
}
