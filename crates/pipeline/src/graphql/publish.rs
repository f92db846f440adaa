//! Publishing events, and what is known of it when the configuration is loaded.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/publish-event-policy>

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::events::{Events, Topic};
use super::{GraphQlApi, near};
use crate::context::Context;
use crate::error::{Blame, PolicyError};

/// Longest event, as JSON: 1 MiB.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

impl GraphQlApi {
    /// Notes that a policy publishes events for a field of the subscription type, while the
    /// configuration is loaded.
    ///
    /// # Errors
    ///
    /// There is no such field.
    pub fn publish_to(&self, field: &str) -> Result<(), String> {
        let fields = self.schema.subscription_fields();
        if fields.is_empty() {
            return Err("the schema has no subscriptions".to_owned());
        }
        if !fields.iter().any(|it| it == field) {
            let near = near(field, &fields);
            return Err(format!("the schema has no subscription `{field}`{near}"));
        }
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.insert(field.to_owned());
        Ok(())
    }

    /// The fields that policies publish events for.
    pub(super) fn published(&self) -> BTreeSet<String> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The subscriptions that the gateway serves and no policy publishes events for.
    #[must_use]
    pub fn silent_subscriptions(&self) -> Vec<String> {
        let published = self.published();
        let mut fields = self.schema.subscription_fields();
        fields.retain(|it| !published.contains(it));
        let is_served_here = self.is_synthetic() && !(self.has_service && published.is_empty());
        if is_served_here { fields } else { Vec::new() }
    }
}

impl Context {
    /// Tells those who subscribe to these fields of the API of an event, and the other gateways if
    /// there are any. Nobody is waited for.
    ///
    /// # Errors
    ///
    /// The event is longer than [`MAX_EVENT_BYTES`].
    pub fn publish(&self, fields: &[String], event: Value) -> Result<(), PolicyError> {
        let text = event.to_string();
        if text.len() > MAX_EVENT_BYTES {
            let text = format!("The event is longer than {MAX_EVENT_BYTES} bytes.");
            return Err(PolicyError::new("EventTooLarge", text).blame(Blame::Backend));
        }
        let events = self.services.extensions().shared::<Events>();
        let event = Arc::new(event);
        for field in fields {
            events.publish(&Topic::new(self.api.as_deref(), field), &event);
        }
        events.share(self.api.as_deref(), fields, &text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use graphql::Schema;

    use super::*;
    use crate::operation::Operation;
    use crate::test_support::context;

    const SDL: &str = "type Query { a: Int } type Subscription { made: Int gone: Int }";

    #[test]
    fn events_are_for_subscriptions_of_the_schema() {
        let api = GraphQlApi::new(Schema::parse(SDL).unwrap(), false);
        assert_eq!(api.silent_subscriptions(), ["made", "gone"]);
        assert_eq!(api.publish_to("made"), Ok(()));
        let told = |it: &str| api.publish_to(it).unwrap_err();
        assert_eq!(told("mode"), "the schema has no subscription `mode`; did you mean `made`?");
        assert_eq!(told("a"), "the schema has no subscription `a`");
        assert_eq!(api.silent_subscriptions(), ["gone"]);
        let plain = GraphQlApi::new(Schema::parse("type Query { a: Int }").unwrap(), false);
        assert_eq!(plain.publish_to("a").unwrap_err(), "the schema has no subscriptions");
    }

    #[test]
    fn subscriptions_are_told_of_by_the_service_if_there_is_one_and_no_policy_publishes() {
        let handshake = Operation { speaks_graphql: true, ..Operation::default() };
        let answers =
            |api: &GraphQlApi| (api.answers(&Operation::default()), api.answers(&handshake));
        let api = |has_service| GraphQlApi::new(Schema::parse(SDL).unwrap(), has_service);
        assert_eq!(answers(&api(false)), (true, true));
        assert_eq!(answers(&api(true)), (false, false));
        let steps = crate::step::Steps::default();
        let mixed = api(true).managed("Query", "a", super::super::FieldResolver::new(steps));
        assert_eq!(answers(&mixed), (true, false));
        assert_eq!(mixed.silent_subscriptions(), [""; 0]);
        mixed.publish_to("made").unwrap();
        assert_eq!(answers(&mixed), (true, true));
        assert_eq!(mixed.silent_subscriptions(), ["gone"]);
    }

    #[test]
    fn a_long_event_is_refused() {
        let context = context();
        let fields = ["made".to_owned()];
        assert!(context.publish(&fields, Value::from("x".repeat(MAX_EVENT_BYTES - 2))).is_ok());
        let error = context.publish(&fields, Value::from("x".repeat(MAX_EVENT_BYTES - 1)));
        assert_eq!(error.unwrap_err().reason(), "EventTooLarge");
    }
}
