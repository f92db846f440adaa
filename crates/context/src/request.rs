//! `context.Request`.

use clr::Uses;
use clr::host::HostRef;
use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::interface(names::IREQUEST, MEMBERS).docs(DOCS);

/// `context.Request.Foundry`.
pub(crate) const FOUNDRY: TypeDef = TypeDef::interface("Apim.IFoundry", FOUNDRY_ROWS).docs(DOCS);

/// `context.Request.PrivateEndpointConnection`: no call comes through a private endpoint here.
pub(crate) const PRIVATE_ENDPOINT: TypeDef =
    TypeDef::interface("Apim.IPrivateEndpointConnection", PRIVATE_ENDPOINT_ROWS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::part("Body", HostRef::RequestBody.static_type(), |host| {
        Some(host.request().body().map(|_| HostRef::RequestBody).into())
    })
    .uses(Uses::REQUEST_BODY)
    .doc("The body; null if there is none."),
    Member::property("Certificate", Type::named(names::X509CERTIFICATE2), |_, cx| {
        match cx.host().request().certificate() {
            Some(der) => super::deployment::certificate(der),
            None => Ok(Value::Null),
        }
    })
    .doc("The client's certificate; null if there is none."),
    Member::part("Foundry", HostRef::Foundry.static_type(), |_| Some(HostRef::Foundry.into()))
        .doc("The model deployment that the request addresses."),
    Member::part("Headers", HostRef::RequestHeaders.static_type(), |_| {
        Some(HostRef::RequestHeaders.into())
    })
    .doc("The headers by name, without regard to case."),
    Member::part("IpAddress", Type::String, |host| Some(host.request().ip_address().into()))
        .doc("The address of the immediate caller."),
    Member::part("MatchedParameters", HostRef::MatchedParameters.static_type(), |_| {
        Some(HostRef::MatchedParameters.into())
    })
    .doc("What the operation's template matched."),
    Member::part("Method", Type::String, |host| Some(host.request().method().into()))
        .doc("The method in upper case."),
    Member::part("OriginalUrl", HostRef::OriginalUrl.static_type(), |_| {
        Some(HostRef::OriginalUrl.into())
    })
    .doc("The URL as the client sent it."),
    Member::property("PrivateEndpointConnection", Type::named(PRIVATE_ENDPOINT.name), |_, _| {
        Ok(Value::Null)
    })
    .doc("The private endpoint that the call came through; always null."),
    Member::part("Url", HostRef::Url.static_type(), |_| Some(HostRef::Url.into()))
        .doc("The URL that the request will be forwarded to."),
];

const FOUNDRY_ROWS: &[Member] = &[Member::property("Deployment", Type::String, |_, cx| {
    Ok(cx.host().request().foundry_deployment().into())
})
.uses(Uses::FOUNDRY)
.doc("The id of the model deployment; null if the request addresses none.")];

const PRIVATE_ENDPOINT_ROWS: &[Member] = &[
    Member::property("Name", Type::String, |_, _| Ok(Value::Null)),
    Member::property("GroupId", Type::String, |_, _| Ok(Value::Null)),
    Member::property("MemberName", Type::String, |_, _| Ok(Value::Null)),
];

#[cfg(test)]
mod tests {
    use super::super::test_support::property;
    use super::*;

    #[test]
    fn members_are_read_from_the_host() {
        assert_eq!(property(MEMBERS, "Method", HostRef::Request), "POST");
        assert_eq!(property(MEMBERS, "IpAddress", HostRef::Request), "203.0.113.42");
        assert_eq!(property(MEMBERS, "Certificate", HostRef::Request), "");
        assert_eq!(property(FOUNDRY_ROWS, "Deployment", HostRef::Foundry), "");
    }

    #[test]
    fn reading_the_body_is_recorded() {
        let body = MEMBERS.iter().find(|it| it.name == "Body").unwrap();
        assert!(body.uses.request_body && !body.uses.response_body);
        assert!(MEMBERS.iter().filter(|it| it.uses != Uses::NONE).count() == 1);
    }
}
