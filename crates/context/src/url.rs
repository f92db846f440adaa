//! `IUrl`: of the request, or of an API.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::{HostRef, UrlView};
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use corelib::collections::{Comparer, Dictionary};
use dotnet::text::compare::Comparison;
use dotnet::{Runtime, Str};

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::interface(names::IURL, MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::property("Scheme", Type::String, |args, cx| Ok(view(args, cx)?.scheme.as_str().into()))
        .doc("`http` or `https`."),
    Member::property("Host", Type::String, |args, cx| Ok(view(args, cx)?.host.as_str().into()))
        .doc("The host name without port."),
    Member::property("Port", Type::Int32, |args, cx| Ok(i32::from(view(args, cx)?.port).into()))
        .doc("The port, also when it is the scheme's own."),
    Member::property("Path", Type::String, |args, cx| Ok(view(args, cx)?.path.as_str().into()))
        .doc("The path, with a leading `/`."),
    Member::property("QueryString", Type::String, |args, cx| {
        Ok(view(args, cx)?.query_string.as_str().into())
    })
    .doc("The query, with a leading `?` unless it is empty."),
    Member::property("Query", HostRef::UrlQuery.static_type(), |args, _| match args.value(0) {
        Value::Host(HostRef::OriginalUrl) => Ok(HostRef::OriginalUrlQuery.into()),
        Value::Host(_) => Ok(HostRef::UrlQuery.into()),
        other => Ok(other.as_object::<Url>().map_or(Value::Null, |it| query(&it.0))),
    })
    .doc("The decoded query parameters by name, without regard to case."),
    Member::method("ToString", &[], Type::String, |args, cx| {
        Ok(view(args, cx)?.to_string().into())
    })
    .doc("The whole URL."),
];

/// A URL that is no part of the request being handled.
#[derive(Debug)]
struct Url(UrlView);

impl Object for Url {
    fn net_type(&self) -> Type {
        Type::named(names::IURL)
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.to_string().into()
    }
}

/// A URL as a value.
pub(super) fn url(of: &UrlView) -> Value {
    Value::object(Url(of.clone()))
}

fn view<'a>(args: &'a Args<'_>, cx: &'a EvalCx<'_>) -> Result<&'a UrlView, Exception> {
    match args.value(0) {
        Value::Host(HostRef::Url) => Ok(cx.host().request().url()),
        Value::Host(HostRef::OriginalUrl) => Ok(cx.host().request().original_url()),
        other => other.as_object::<Url>().map(|it| &it.0).ok_or_else(Exception::null_reference),
    }
}

fn query(of: &UrlView) -> Value {
    let comparer = Comparer::Strings(Comparison::OrdinalIgnoreCase);
    let made = Dictionary::new([Type::String, Type::STRINGS], comparer);
    for (name, _) in of.query_pairs() {
        let values = Value::strings(of.query_values(&name));
        made.set(name, values);
    }
    Value::object(made)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::property;
    use super::*;

    #[test]
    fn the_urls_of_the_request_are_read_from_the_host() {
        assert_eq!(property(MEMBERS, "Host", HostRef::Url), "api.contoso.com");
        assert_eq!(property(MEMBERS, "Port", HostRef::OriginalUrl), "8443");
        let text = property(MEMBERS, "ToString", HostRef::Url);
        assert!(text.starts_with("https://api.contoso.com/orders/v1/"), "{text}");
    }

    #[test]
    fn another_url_has_the_same_members() {
        let it = url(&UrlView::parse("https://a.b/c?x=1&X=2").unwrap());
        assert_eq!(property(MEMBERS, "Path", it.clone()), "/c");
        assert_eq!(property(MEMBERS, "QueryString", it.clone()), "?x=1&X=2");
        assert_eq!(it.to_text(), "https://a.b/c?x=1&X=2");
    }
}
