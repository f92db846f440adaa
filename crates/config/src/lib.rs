//! Files to entities to an immutable snapshot, swapped atomically.
//!
//! ```text
//! folder, portcullis.yaml ─Source::read─▶ Source ─parse─▶ Parsed (entities, settings)
//!                                                            │ resolve: secrets, references
//!                 Store ◀─swap─ Snapshot ◀─compile─ Resolved ◀┘
//! ```
//!
//! Each arrow returns *all* problems it finds. Start with [`Store`] to serve a configuration, or
//! with [`load`] to check one. With an error among the problems there is no snapshot, and a store
//! keeps the last good one.
//!
//! This crate never sees a request, and no policy by name: it is handed a `pipeline::Registry`.

mod a2a;
mod addresses;
mod balance;
mod balance_checks;
pub mod codes;
mod compile;
mod entity;
mod environment;
pub mod files;
mod graphql;
mod hidden;
mod layout;
mod llm_log;
mod load;
mod mcp;
mod models;
mod openapi;
mod overrides;
mod place;
mod products;
mod remembered;
mod resolve;
mod reuse;
mod secret_source;
mod settings;
mod short_backend;
mod single_file;
mod snapshot;
mod source;
mod store;
pub mod tree;
mod versions;
mod watch;

pub use balance::{
    Balance, BreakerRule, Extras, HealthCheck, MAX_COUNT, MAX_POOL_MEMBERS, MIN_CALLS, Pool,
    PoolMember, Threshold,
};
pub use entity::{
    A2aEntity, ApiEntity, AwsEntity, BackendEntity, CacheEntity, CertificateEntity, CertificateRef,
    CredentialsEntity, DiagnosticEntity, Entities, FileEntity, FragmentEntity, GatewayEntity,
    Given, GraphQlEntity, GroupEntity, KEY_HEADER, KEY_QUERY, LinkEntity, LlmEntity, LoggerEntity,
    LoggerTarget, McpEntity, ModelEntity, ModelTargetEntity, NamedValueEntity, OperationEntity,
    PolicyEntity, ProductEntity, ProxyEntity, ReleaseEntity, ResolverEntity, SchemaEntity,
    SchemaText, ScopeEntity, SubscriptionEntity, SubscriptionState, TemplateParameter, TlsEntity,
    ToolEntity, UserEntity, VersionSetEntity, VersionSetOf, WorkspaceEntity,
};
pub use environment::Environment;
pub use load::{Engine, Loaded, Options, Parsed, Secrets, Summary, load, parse};
pub use openapi::described_operations;
pub use place::Place;
pub use remembered::Remembered;
pub use secret_source::{NoSecrets, SecretProvider, SecretSource, vault_identifier};
pub use settings::{
    CacheBounds, CertificateSetting, ConnectionSetting, CounterSettings, CounterStore, GatewayName,
    GatewaySettings, HostSetting, IdentitySettings, IssuerSetting, KeySetting, ManagementSetting,
    StoreSetting, TelemetrySettings, TlsSetting,
};
pub use snapshot::{
    A2aApi, Agents, Api, ApiKind, AwsCredentials, Backend, CARD_OPERATION, CardSource, Credentials,
    InProducts, ManagedIdentity, Model, ModelFormat, ModelTarget, ModelsApi, Operation, Product,
    Protocols, Service, Settings, Snapshot, Subscription, SubscriptionScope, Version,
    VersionScheme,
};
pub use source::{SETTINGS_FILE, Source};
pub use store::{ChangeError, Changed, Origin, Refusal, Reload, Status, Store, StoreSettings};
pub use watch::{QUIET, WatchError, Watcher};
