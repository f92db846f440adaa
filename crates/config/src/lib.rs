//! Files to entities to an immutable snapshot, swapped atomically.

mod snapshot;

pub use snapshot::{
    Api, ApiKind, Backend, Credentials, ManagedIdentity, Operation, Protocols, Service, Settings,
    Snapshot, Subscription, SubscriptionScope, Version, VersionScheme,
};
