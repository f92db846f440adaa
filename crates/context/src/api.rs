//! `IApi`: `context.Api`, and the APIs of a product.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::ApiInfo;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};

use super::{DOCS, optional};

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.IApi", MEMBERS).docs(DOCS);

/// `SubscriptionKeyParameterNames`.
pub(crate) const KEY_NAMES: TypeDef =
    TypeDef::interface("Apim.ISubscriptionKeyParameterNames", KEY_NAMES_ROWS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::property("Id", Type::String, |args, cx| Ok(info(args, cx)?.id.as_str().into()))
        .doc("The resource name."),
    Member::property("Name", Type::String, |args, cx| Ok(info(args, cx)?.name.as_str().into()))
        .doc("The display name."),
    Member::property("Path", Type::String, |args, cx| Ok(info(args, cx)?.path.as_str().into()))
        .doc("The URL suffix."),
    Member::property("Revision", Type::String, |args, cx| {
        Ok(info(args, cx)?.revision.as_str().into())
    })
    .doc("The revision."),
    Member::property("Version", Type::String, |args, cx| {
        Ok(optional(info(args, cx)?.version.as_ref()))
    })
    .doc("The version; null if the API has none."),
    Member::property("IsCurrentRevision", Type::Bool, |args, cx| {
        Ok(info(args, cx)?.is_current_revision.into())
    })
    .doc("Is this the revision that answers by default?"),
    Member::property("Protocols", Type::enumerable(&[Type::String]), |args, cx| {
        Ok(Value::strings(info(args, cx)?.protocols.iter().map(String::as_str)))
    })
    .doc("`http`, `https`, `ws`, `wss`."),
    Member::property("ServiceUrl", Type::named(names::IURL), |args, cx| {
        Ok(info(args, cx)?.service_url.as_ref().map_or(Value::Null, super::url::url))
    })
    .doc("The backend's URL."),
    Member::property("SubscriptionKeyParameterNames", Type::named(KEY_NAMES.name), |args, cx| {
        let info = info(args, cx)?;
        Ok(Value::object(KeyNames {
            header: info.subscription_key_header.clone(),
            query: info.subscription_key_query.clone(),
        }))
    })
    .doc("Where the subscription key is expected."),
];

const KEY_NAMES_ROWS: &[Member] = &[
    Member::property("Header", Type::String, |args, _| {
        Ok(args
            .value(0)
            .as_object::<KeyNames>()
            .map(|it| it.header.as_str().into())
            .unwrap_or_default())
    })
    .doc("The header."),
    Member::property("Query", Type::String, |args, _| {
        Ok(args
            .value(0)
            .as_object::<KeyNames>()
            .map(|it| it.query.as_str().into())
            .unwrap_or_default())
    })
    .doc("The query parameter."),
];

/// An API that is not the one of the request.
#[derive(Debug)]
struct Api(ApiInfo);

impl Object for Api {
    fn net_type(&self) -> Type {
        Type::named(TYPE.name)
    }
}

/// An API as a value.
pub(super) fn api(of: &ApiInfo) -> Value {
    Value::object(Api(of.clone()))
}

#[derive(Debug)]
struct KeyNames {
    header: String,
    query: String,
}

impl Object for KeyNames {
    fn net_type(&self) -> Type {
        Type::named(KEY_NAMES.name)
    }
}

fn info<'a>(args: &'a Args<'_>, cx: &'a EvalCx<'_>) -> Result<&'a ApiInfo, Exception> {
    if let Some(it) = args.value(0).as_object::<Api>() {
        return Ok(&it.0);
    }
    cx.host().api().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use clr::host::HostRef;

    use super::super::test_support::{call, property, with_recorded};
    use super::*;

    #[test]
    fn the_api_of_the_request_is_read_from_the_host() {
        for (name, expected) in [
            ("Id", "orders-api"),
            ("Path", "shop/v1"),
            ("Version", "v1"),
            ("IsCurrentRevision", "True"),
        ] {
            assert_eq!(property(MEMBERS, name, HostRef::Api), expected);
        }
        let url = property(MEMBERS, "ServiceUrl", HostRef::Api);
        assert_eq!(url, "https://backend.contoso.net/orders");
    }

    #[test]
    fn key_names_and_other_apis_are_objects() {
        with_recorded(|cx| {
            let names =
                call(MEMBERS, "SubscriptionKeyParameterNames", &[HostRef::Api.into()], cx).unwrap();
            let header = call(KEY_NAMES_ROWS, "Header", &[names], cx).unwrap();
            assert_eq!(header.to_text(), "Ocp-Apim-Subscription-Key");
        });
        let other = api(&ApiInfo { id: "x".to_owned(), ..ApiInfo::default() });
        assert_eq!(property(MEMBERS, "Id", other), "x");
    }
}
