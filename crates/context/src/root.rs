//! `context` itself.

use std::time::Duration;

use clr::Uses;
use clr::exception::Exception;
use clr::host::HostRef;
use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{DateTime, Value};

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::interface(names::ICONTEXT, MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::part("Api", HostRef::Api.static_type(), |host| {
        Some(host.api().map(|_| HostRef::Api).into())
    })
    .doc("The API of the request."),
    Member::part("Backend", HostRef::Backend.static_type(), |host| {
        Some(host.backend().map(|_| HostRef::Backend).into())
    })
    .doc("The backend entity that was selected."),
    Member::part("Deployment", HostRef::Deployment.static_type(), |_| {
        Some(HostRef::Deployment.into())
    })
    .doc("The service and the gateway."),
    Member::property("Elapsed", Type::TimeSpan, |_, cx| Ok(span(cx.host().elapsed())))
        .doc("The time since `Timestamp`."),
    Member::part("GraphQL", HostRef::GraphQl.static_type(), |host| {
        Some(host.graphql().map(|_| HostRef::GraphQl).into())
    })
    .in_resolvers()
    .doc("What a GraphQL resolver is called with; there in resolvers only."),
    Member::part("LastError", HostRef::LastError.static_type(), |host| {
        Some(host.last_error().map(|_| HostRef::LastError).into())
    })
    .doc("The error that is being handled; null outside of `on-error`."),
    Member::part("Operation", HostRef::Operation.static_type(), |host| {
        Some(host.operation().map(|_| HostRef::Operation).into())
    })
    .doc("The operation of the request."),
    Member::property("ParentResult", Type::named(names::JTOKEN), |_, cx| {
        Ok(cx.host().graphql().map_or(Value::Null, |it| it.parent.clone()))
    })
    .in_resolvers()
    .doc("`GraphQL.Parent` under its older name; there in resolvers only."),
    Member::part("Product", HostRef::Product.static_type(), |host| {
        Some(host.product().map(|_| HostRef::Product).into())
    })
    .doc("The product of the subscription; null without one."),
    Member::part("Request", HostRef::Request.static_type(), |_| Some(HostRef::Request.into()))
        .doc("The request as it stands."),
    Member::part("RequestId", Type::Guid, |host| {
        Some(Value::Guid(host.request_id().to_be_bytes()))
    })
    .doc("A unique id of the request."),
    Member::part("Response", HostRef::Response.static_type(), |host| {
        Some(host.response().map(|_| HostRef::Response).into())
    })
    .uses(Uses::RESPONSE)
    .doc("The response as it stands; null before there is one."),
    Member::part("Subscription", HostRef::Subscription.static_type(), |host| {
        Some(host.subscription().map(|_| HostRef::Subscription).into())
    })
    .doc("The subscription of the request; null without a valid key."),
    Member::property("Timestamp", Type::DateTime, |_, cx| {
        Ok(Value::DateTime(DateTime::from_system(cx.host().timestamp())))
    })
    .doc("When the request was received, UTC."),
    Member::property("Tracing", Type::Bool, |_, cx| Ok(cx.host().tracing().into()))
        .doc("Is the request traced?"),
    Member::part("User", HostRef::User.static_type(), |host| {
        Some(host.user().map(|_| HostRef::User).into())
    })
    .doc("The user who owns the subscription; null without one."),
    Member::part("Variables", HostRef::Variables.static_type(), |_| {
        Some(HostRef::Variables.into())
    })
    .find(|host, name| host.variables().get(name))
    .doc("The variables that policies have set."),
    Member::part("Workspace", HostRef::Workspace.static_type(), |host| {
        Some(host.workspace().map(|_| HostRef::Workspace).into())
    })
    .doc("The workspace of the API; null outside of one."),
    Member::method("Trace", &[Type::String], Type::Void, |args, cx| {
        match args.value(1) {
            Value::String(message) => cx.host().trace(message.as_str()),
            _ => return Err(Exception::argument_null("message")),
        }
        Ok(Value::Null)
    })
    .params(&["message"])
    .doc("Adds a message to the trace of the request."),
];

/// A duration as ticks.
fn span(it: Duration) -> Value {
    Value::TimeSpan(i64::try_from(it.as_nanos() / 100).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{call, property, with_recorded};
    use super::*;

    #[test]
    fn plain_members_are_read_from_the_host() {
        let of = HostRef::Context;
        assert_eq!(property(MEMBERS, "RequestId", of), "0f8fad5b-d9cb-469f-a165-70867728950e");
        assert_eq!(property(MEMBERS, "Elapsed", of), "00:00:00.2345678");
        assert_eq!(property(MEMBERS, "Timestamp", of), "03/15/2024 10:20:30");
        assert_eq!(property(MEMBERS, "Tracing", of), "False");
    }

    #[test]
    fn what_is_not_there_is_null() {
        with_recorded(|cx| {
            for (name, is_null) in [("LastError", true), ("Backend", true), ("User", false)] {
                let it = call(MEMBERS, name, &[HostRef::Context.into()], cx).unwrap();
                assert_eq!(it.is_null(), is_null, "{name}");
            }
        });
    }

    #[test]
    fn a_trace_needs_a_message() {
        with_recorded(|cx| {
            let context = || Value::from(HostRef::Context);
            assert!(call(MEMBERS, "Trace", &[context(), "m".into()], cx).is_ok());
            assert!(call(MEMBERS, "Trace", &[context(), Value::Null], cx).is_err());
        });
    }
}
