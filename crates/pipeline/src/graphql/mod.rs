//! GraphQL APIs: the schema, who finds the values of fields, and the answer to a request.
//!
//! ```text
//! forward-request ─▶ GraphQlApi::execute ─▶ graphql::execute ─▶ FieldResolver per field
//!                          │                                        │ a context of its own
//!                     Context::response ◀── data and errors ◀── JSON ┘
//! publish-event ─▶ Context::publish ─▶ Events ─▶ subscribers behind WebSockets (socket)
//! ```
//!
//! Source: <https://learn.microsoft.com/azure/api-management/graphql-apis-overview>

mod answer;
mod beside;
mod events;
mod field_errors;
mod fork;
mod publish;
mod resolver;
mod service;
mod share;
mod socket;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use graphql::{Limits, Schema, UnknownField};

use crate::operation::Operation;

pub use answer::graphql_errors;
pub use field_errors::FieldErrors;
pub use publish::MAX_EVENT_BYTES;
pub use resolver::FieldResolver;
pub use share::{MAX_SHARED_EVENT_BYTES, SharedEvents};
pub use socket::{
    Checked as CheckedOperation, OperationCheck, prepare_subscriptions, relay_subscriptions,
};

/// Most calls of resolvers that one request has under way.
pub const MAX_CONCURRENT_CALLS: usize = 16;

/// A GraphQL API with a schema.
#[derive(Debug)]
pub struct GraphQlApi {
    /// The schema.
    pub schema: Schema,
    /// Bounds of a request.
    pub limits: Limits,
    /// Whether the API has resolver entities: then `set-graphql-resolver` has no effect.
    is_managed: bool,
    has_skipped: AtomicBool,
    /// Whether there is somewhere to pass requests on to.
    has_service: bool,
    /// By type and field; filled while the configuration is loaded.
    resolvers: Mutex<Arc<Resolvers>>,
    /// Fields of the subscription type that a `publish-event` names; filled in the same way.
    published: Mutex<BTreeSet<String>>,
}

/// Resolvers by type and field.
pub(crate) type Resolvers = BTreeMap<String, BTreeMap<String, FieldResolver>>;

impl GraphQlApi {
    /// An API with these resolver entities.
    #[must_use]
    pub fn new(schema: Schema, has_service: bool) -> GraphQlApi {
        let (limits, resolvers) = (Limits::default(), Mutex::default());
        let has_skipped = AtomicBool::new(false);
        let published = Mutex::default();
        let is_managed = false;
        GraphQlApi { schema, limits, is_managed, has_skipped, has_service, resolvers, published }
    }

    /// With a resolver entity for a field.
    #[must_use]
    pub fn managed(mut self, type_name: &str, field: &str, resolver: FieldResolver) -> GraphQlApi {
        self.is_managed = true;
        self.insert(type_name, field, resolver);
        self
    }

    /// Adds the resolver of a policy, while the configuration is loaded. It has no effect if the API
    /// has resolver entities, as in Azure.
    ///
    /// # Errors
    ///
    /// Why the field cannot have one.
    pub fn set_by_policy(
        &self,
        type_name: &str,
        field: &str,
        resolver: FieldResolver,
    ) -> Result<(), String> {
        self.check_field(type_name, field)?;
        match self.is_managed {
            true => self.has_skipped.store(true, Ordering::Relaxed),
            false => self.insert(type_name, field, resolver),
        }
        Ok(())
    }

    /// Whether a field may have a resolver.
    ///
    /// # Errors
    ///
    /// Why not, with a suggestion.
    pub fn check_field(&self, type_name: &str, field: &str) -> Result<(), String> {
        if self.schema.is_subscription_type(type_name) {
            return Err(
                "a subscription has no resolver; `publish-event` in the resolver of another \
                        field tells its subscribers"
                    .to_owned(),
            );
        }
        self.schema.find_field(type_name, field).map_err(|error| match error {
            UnknownField::Type(names) => {
                format!("the schema has no type `{type_name}`{}", near(type_name, &names))
            }
            UnknownField::Field(names) => {
                format!("the type `{type_name}` has no field `{field}`{}", near(field, &names))
            }
            UnknownField::NoObject => {
                format!("`{type_name}` is no object type, so its fields have no resolvers")
            }
        })
    }

    /// Has the resolver entities prepared for an operation of the API.
    #[must_use]
    pub fn prepare(&self, operation: &Arc<Operation>) -> Vec<String> {
        let resolvers = self.resolvers();
        resolvers.values().flatten().flat_map(|(_, it)| it.prepare(operation)).collect()
    }

    /// Whether the gateway itself answers what comes for an operation: it executes queries and
    /// mutations, and it tells subscribers of events unless they are told of by the API's own service.
    #[must_use]
    pub fn answers(&self, operation: &Operation) -> bool {
        let is_told_by_service = || self.has_service && self.published().is_empty();
        self.is_synthetic() && !(operation.speaks_graphql && is_told_by_service())
    }

    fn insert(&self, type_name: &str, field: &str, resolver: FieldResolver) {
        let mut slot = self.resolvers.lock().unwrap_or_else(PoisonError::into_inner);
        let fields = Arc::make_mut(&mut slot).entry(type_name.to_owned()).or_default();
        fields.insert(field.to_owned(), resolver);
    }

    pub(crate) fn resolvers(&self) -> Arc<Resolvers> {
        Arc::clone(&self.resolvers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the gateway executes operations itself: a field has a resolver, or there is nowhere
    /// to pass requests on to.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        !self.has_service || !self.resolvers().is_empty()
    }

    /// Whether fields of the roots without a resolver are asked of the API's own service.
    pub(crate) fn has_service(&self) -> bool {
        self.has_service
    }

    /// Whether a `set-graphql-resolver` policy has no effect because of resolver entities.
    #[must_use]
    pub fn has_skipped(&self) -> bool {
        self.has_skipped.load(Ordering::Relaxed)
    }
}

/// A suggestion, if one of the names is near.
fn near(name: &str, names: &[String]) -> String {
    document::closest(name, names.iter().map(String::as_str))
        .map(|it| format!("; did you mean `{it}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Steps;

    fn api(has_service: bool) -> GraphQlApi {
        let sdl = "type User { name: String } interface Named { name: String } \
                   type Query { user: User } type Subscription { made: User }";
        GraphQlApi::new(Schema::parse(sdl).unwrap(), has_service)
    }

    #[test]
    fn a_resolver_is_for_a_field_of_the_schema() {
        let api = api(false);
        let set = |type_name, field| {
            let set = api.set_by_policy(type_name, field, FieldResolver::new(Steps::default()));
            set.err().unwrap_or_default()
        };
        assert_eq!(set("User", "name"), "");
        assert_eq!(set("Usre", "name"), "the schema has no type `Usre`; did you mean `User`?");
        assert_eq!(set("Zebra", "name"), "the schema has no type `Zebra`");
        assert_eq!(
            set("User", "nmae"),
            "the type `User` has no field `nmae`; did you mean `name`?"
        );
        assert_eq!(
            set("Named", "name"),
            "`Named` is no object type, so its fields have no resolvers"
        );
        assert_eq!(
            set("Subscription", "made"),
            "a subscription has no resolver; `publish-event` in the resolver of another field tells \
             its subscribers"
        );
        assert_eq!(api.resolvers().len(), 1);
    }

    #[test]
    fn an_api_is_synthetic_if_it_has_resolvers_or_no_service() {
        assert!(api(false).is_synthetic() && !api(true).is_synthetic());
        let managed = api(true).managed("User", "name", FieldResolver::new(Steps::default()));
        assert!(managed.is_synthetic() && managed.has_service() && !managed.has_skipped());
        managed.set_by_policy("Query", "user", FieldResolver::new(Steps::default())).unwrap();
        assert!(managed.has_skipped() && managed.resolvers().len() == 1);
    }
}
