//! `context.Response`, and responses that policies store in variables.

use std::sync::Arc;

use clr::Uses;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::{HeadersView, HostRef, ResponseValue, ResponseView};
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use corelib::collections::{Comparer, Dictionary};
use dotnet::text::compare::Comparison;

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::interface(names::IRESPONSE, MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::property("Body", Type::named(names::IMESSAGEBODY), |args, cx| {
        if let Some(stored) = args.value(0).as_object::<ResponseValue>() {
            let body = stored.body.as_ref().map(Arc::clone);
            return Ok(body.map_or(Value::Null, super::body::stored));
        }
        Ok(view(args, cx)?.body().map(|_| HostRef::ResponseBody).into())
    })
    .uses(Uses::RESPONSE_BODY)
    .doc("The body; null if there is none. Reading it buffers the whole response."),
    Member::property("Headers", HostRef::ResponseHeaders.static_type(), |args, _| {
        match args.value(0).as_object::<ResponseValue>() {
            Some(stored) => Ok(dictionary(&stored.headers)),
            None => Ok(HostRef::ResponseHeaders.into()),
        }
    })
    .read(|host| Some(host.response().map(|_| HostRef::ResponseHeaders)?.into()))
    .doc("The headers by name, without regard to case."),
    Member::property("StatusCode", Type::Int32, |args, cx| {
        Ok(Value::Int(i32::from(view(args, cx)?.status_code())))
    })
    .read_int(|host| Some(i32::from(host.response()?.status_code())))
    .doc("The status."),
    Member::property("StatusReason", Type::String, |args, cx| {
        Ok(view(args, cx)?.status_reason().into())
    })
    .read(|host| Some(host.response()?.status_reason().into()))
    .doc("The reason phrase."),
];

fn view<'a>(args: &'a Args<'_>, cx: &'a EvalCx<'_>) -> Result<&'a dyn ResponseView, Exception> {
    if let Some(stored) = args.value(0).as_object::<ResponseValue>() {
        return Ok(stored);
    }
    cx.host().response().ok_or_else(Exception::null_reference)
}

/// Headers that are no part of the request being handled, as a dictionary.
fn dictionary(headers: &dyn HeadersView) -> Value {
    let mut grouped: Vec<(String, Vec<Value>)> = Vec::new();
    headers.all(&mut |name, value| match grouped
        .iter_mut()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
    {
        Some((_, values)) => values.push(value.into()),
        None => grouped.push((name.to_owned(), vec![value.into()])),
    });
    let comparer = Comparer::Strings(Comparison::OrdinalIgnoreCase);
    let made = Dictionary::new([Type::String, Type::STRINGS], comparer);
    for (name, values) in grouped {
        made.set(name, Value::array(Type::String, values));
    }
    Value::object(made)
}

#[cfg(test)]
mod tests {
    use corelib::collections::any;

    use super::super::test_support::{call, property, with_recorded};
    use super::*;

    #[test]
    fn the_response_of_the_request_is_read_from_the_host() {
        assert_eq!(property(MEMBERS, "StatusCode", HostRef::Response), "200");
        assert_eq!(property(MEMBERS, "StatusReason", HostRef::Response), "OK");
    }

    #[test]
    fn a_stored_response_has_the_same_members() {
        with_recorded(|cx| {
            let stored = cx.host().variables().get("tokenstate").unwrap().clone();
            let status = call(MEMBERS, "StatusCode", std::slice::from_ref(&stored), cx).unwrap();
            assert_eq!(status.as_i64(), Some(200));
            let headers = call(MEMBERS, "Headers", std::slice::from_ref(&stored), cx).unwrap();
            let found = any::lookup(&headers, &"content-TYPE".into(), cx).unwrap().unwrap();
            assert_eq!(found.collect(cx).unwrap()[0].to_text(), "application/json");
            let body = call(MEMBERS, "Body", &[stored], cx).unwrap();
            assert_eq!(body.type_name(), "Apim.IMessageBody");
        });
    }
}
