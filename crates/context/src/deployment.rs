//! `context.Deployment`, with the gateway, its certificates and the carbon intensity.

use clr::exception::Exception;
use clr::host::HostRef;
use clr::rows::{Member, TypeDef, integer_of};
use clr::types::Type;
use clr::value::Value;

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.IDeployment", MEMBERS).docs(DOCS);

/// `context.Deployment.Gateway`.
pub(crate) const GATEWAY: TypeDef = TypeDef::interface("Apim.IGateway", GATEWAY_ROWS).docs(DOCS);

/// `context.Deployment.SustainabilityInfo`.
pub(crate) const SUSTAINABILITY: TypeDef =
    TypeDef::interface("Apim.ISustainabilityInfo", SUSTAINABILITY_ROWS).docs(DOCS);

/// How much carbon dioxide the region's electricity causes; not known to this gateway.
pub(crate) const CARBON_INTENSITY: TypeDef = TypeDef::enumeration(
    "Apim.CarbonIntensityCategory",
    &[
        ("NotAvailable", 0),
        ("VeryLow", 1),
        ("Low", 2),
        ("Moderate", 3),
        ("High", 4),
        ("VeryHigh", 5),
    ],
)
.docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::property("Gateway", HostRef::Gateway.static_type(), |_, _| Ok(HostRef::Gateway.into()))
        .doc("The gateway."),
    Member::property("GatewayId", Type::String, |_, cx| {
        Ok(cx.host().deployment().gateway_id.as_str().into())
    })
    .doc("The name of the gateway."),
    Member::property("Region", Type::String, |_, cx| {
        Ok(cx.host().deployment().region.as_str().into())
    })
    .doc("The location."),
    Member::property("ServiceId", Type::String, |_, cx| {
        Ok(cx.host().deployment().service_id.as_str().into())
    })
    .doc("The id of the service."),
    Member::property("ServiceName", Type::String, |_, cx| {
        Ok(cx.host().deployment().service_name.as_str().into())
    })
    .doc("The name of the service."),
    Member::property("Certificates", HostRef::Certificates.static_type(), |_, _| {
        Ok(HostRef::Certificates.into())
    })
    .doc("The certificate entities by id."),
    Member::property("SustainabilityInfo", HostRef::SustainabilityInfo.static_type(), |_, _| {
        Ok(HostRef::SustainabilityInfo.into())
    })
    .doc("What is known of the region's electricity."),
];

const GATEWAY_ROWS: &[Member] = &[
    Member::property("Id", Type::String, |_, cx| {
        Ok(cx.host().deployment().gateway_id.as_str().into())
    })
    .doc("The name of the gateway."),
    Member::property("InstanceId", Type::String, |_, cx| {
        Ok(cx.host().deployment().instance_id.as_str().into())
    })
    .doc("The name of this process."),
    Member::property("IsManaged", Type::Bool, |_, cx| Ok(cx.host().deployment().is_managed.into()))
        .doc("Is it a managed gateway?"),
];

const SUSTAINABILITY_ROWS: &[Member] =
    &[Member::property("CurrentCarbonIntensity", Type::named(CARBON_INTENSITY.name), |_, _| {
        Ok(integer_of(Type::named(CARBON_INTENSITY.name), 0))
    })
    .doc("The category; always `NotAvailable`.")];

/// A certificate from its DER form.
///
/// # Errors
///
/// If it cannot be read.
pub(super) fn certificate(der: &[u8]) -> Result<Value, Exception> {
    library::crypto::certificate(der)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{call, property, with_recorded};
    use super::*;

    #[test]
    fn members_are_read_from_the_host() {
        assert_eq!(property(MEMBERS, "Region", HostRef::Deployment), "West Europe");
        assert_eq!(property(GATEWAY_ROWS, "Id", HostRef::Gateway), "managed");
        assert_eq!(property(GATEWAY_ROWS, "IsManaged", HostRef::Gateway), "True");
    }

    #[test]
    fn the_carbon_intensity_is_not_known() {
        let of = HostRef::SustainabilityInfo;
        assert_eq!(property(SUSTAINABILITY_ROWS, "CurrentCarbonIntensity", of), "NotAvailable");
        with_recorded(|cx| {
            assert_eq!(
                clr::host::dictionary::lookup(HostRef::Certificates, "x", cx).unwrap().map(|_| ()),
                None
            )
        });
        with_recorded(|cx| {
            assert!(call(MEMBERS, "Certificates", &[HostRef::Deployment.into()], cx).is_ok());
        });
    }
}
