//! The extension methods of policy expressions: `GetValueOrDefault`, `AsJwt`, `AsBasic`, ...

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::dictionary::joined;
use clr::rows::{Args, Member, TypeDef, default_value};
use clr::types::{Type, names};
use clr::value::{JwtValue, Value};
use corelib::collections::any;

use super::DOCS;
use super::basic;

pub(crate) const TYPE: TypeDef = TypeDef::static_class("Apim.PolicyExtensions", MEMBERS).docs(DOCS);

const STRINGS: Type = Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::STRINGS]);
const TEXTS: Type = Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::String]);
const OBJECTS: Type = Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::Object]);

/// Any dictionary: what .NET's `CollectionExtensions` extends. Documents rely on it for variables
/// without a type argument and for defaults that are arrays.
const ANY: Type = Type::Named(names::IREADONLYDICTIONARY, &[Type::M, Type::N]);

const MEMBERS: &[Member] = &[
    Member::extension("GetValueOrDefault", &[STRINGS, Type::String], Type::String, |args, cx| {
        all_values(args, cx)
    })
    .params(&["dictionary", "name"])
    .doc("All values joined with commas, or null."),
    Member::extension(
        "GetValueOrDefault",
        &[STRINGS, Type::String, Type::String],
        Type::String,
        all_values,
    )
    .params(&["dictionary", "name", "defaultValue"])
    .doc("All values joined with commas, or the default."),
    Member::extension("GetValueOrDefault", &[TEXTS, Type::String], Type::String, |args, cx| {
        one_value(args, cx)
    })
    .params(&["dictionary", "name"])
    .doc("The value, or null."),
    Member::extension(
        "GetValueOrDefault",
        &[TEXTS, Type::String, Type::String],
        Type::String,
        one_value,
    )
    .params(&["dictionary", "name", "defaultValue"])
    .doc("The value, or the default."),
    Member::extension("GetValueOrDefault", &[OBJECTS, Type::String], Type::M, |args, cx| {
        cast_value(args, cx)
    })
    .params(&["dictionary", "name"])
    .doc("The value, which must be of the type, or the type's default."),
    Member::extension("GetValueOrDefault", &[OBJECTS, Type::String], Type::Object, |args, cx| {
        cast_value(args, cx)
    })
    .params(&["dictionary", "name"])
    .doc("The value, or null."),
    Member::extension("GetValueOrDefault", &[OBJECTS, Type::String, Type::M], Type::M, cast_value)
        .params(&["dictionary", "name", "defaultValue"])
        .doc("The value, which must be of the type, or the default."),
    Member::extension("GetValueOrDefault", &[ANY, Type::M], Type::N, |args, cx| {
        any_value(args, cx)
    })
    .params(&["dictionary", "key"])
    .doc("The value, or the default of its type."),
    Member::extension("GetValueOrDefault", &[ANY, Type::M, Type::N], Type::N, |args, cx| {
        any_value(args, cx)
    })
    .params(&["dictionary", "key", "defaultValue"])
    .doc("The value, or the default."),
    Member::extension("AsJwt", &[Type::String], Type::named(names::JWT), |args, cx| jwt(args, cx))
        .params(&["input"])
        .doc("The token, its signature unchecked; null if the text is none."),
    Member::extension(
        "TryParseJwt",
        &[Type::String, Type::Out(&Type::named(names::JWT))],
        Type::Bool,
        |args, cx| {
            let token = jwt(args, cx)?;
            let found = !token.is_null();
            args.set_out(1, token);
            Ok(found.into())
        },
    )
    .params(&["input", "result"])
    .doc("Reads a token, its signature unchecked."),
    Member::extension(
        "AsJObject",
        &[Type::named(names::JTOKEN)],
        Type::named(names::JOBJECT),
        |args, _| match args.value(0) {
            Value::Null => Err(Exception::null_reference()),
            token => Ok(token.clone()),
        },
    )
    .params(&["parent"])
    .in_resolvers()
    .doc("`ParentResult` as an object; there in GraphQL resolvers only."),
    Member::extension("AsBasic", &[Type::String], Type::named(names::BASIC), |args, cx| {
        credentials(args, cx)
    })
    .params(&["input"])
    .doc("The credentials of an `Authorization` header; null if they are not valid."),
    Member::extension(
        "TryParseBasic",
        &[Type::String, Type::Out(&Type::named(names::BASIC))],
        Type::Bool,
        |args, cx| {
            let it = credentials(args, cx)?;
            let found = !it.is_null();
            args.set_out(1, it);
            Ok(found.into())
        },
    )
    .params(&["input", "result"])
    .doc("Reads the credentials of an `Authorization` header."),
];

fn name<'a>(args: &'a Args<'_>) -> Result<&'a str, Exception> {
    if args.value(0).is_null() {
        return Err(Exception::null_reference());
    }
    args.value(1).as_str().ok_or_else(|| Exception::argument_null("key"))
}

fn default(args: &Args<'_>) -> Value {
    if args.len() > 2 { args.value(2).clone() } else { Value::Null }
}

/// `(IReadOnlyDictionary<string, string[]>, name, default)`.
fn all_values(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let name = name(args)?;
    if let Value::Host(of) = args.value(0) {
        let Some(text) = joined(*of, name, cx) else { return Ok(default(args)) };
        cx.allocate(text.len())?;
        return Ok(text.into());
    }
    let Some(values) = any::lookup(args.value(0), args.value(1), cx)? else {
        return Ok(default(args));
    };
    let values = values.collect(cx)?;
    let texts: Vec<_> = values.iter().map(Value::to_text).collect();
    Ok(texts.join(",").into())
}

/// `(IReadOnlyDictionary<string, string>, name, default)`.
fn one_value(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    name(args)?;
    let found = any::lookup(args.value(0), args.value(1), cx)?;
    Ok(found.unwrap_or_else(|| default(args)))
}

/// `<T>(IReadOnlyDictionary<string, object>, name, default)`: the value is unboxed, not converted.
fn cast_value(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    name(args)?;
    let wanted = args.method_arg(0);
    match any::lookup(args.value(0), args.value(1), cx)? {
        Some(value) if value.is_null() && wanted.accepts_null() => Ok(value),
        Some(value) if value.is_null() => Err(Exception::null_reference()),
        Some(value) if value.is_instance(wanted) => Ok(value),
        Some(value) => Err(Exception::invalid_cast(format!(
            "Unable to cast object of type '{}' to type '{}'.",
            value.type_name(),
            wanted.full_name()
        ))),
        None if args.len() > 2 => Ok(args.value(2).clone()),
        None => Ok(default_value(wanted)),
    }
}

/// `(IReadOnlyDictionary<TKey, TValue>, key, default)`.
fn any_value(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if args.value(0).is_null() {
        return Err(Exception::argument_null("dictionary"));
    }
    let found = any::lookup(args.value(0), args.value(1), cx)?;
    Ok(match found {
        Some(value) => value,
        None if args.len() > 2 => args.value(2).clone(),
        None => default_value(args.method_arg(1)),
    })
}

fn jwt(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let Some(text) = args.value(0).as_str() else { return Ok(Value::Null) };
    cx.allocate(text.len() * 2)?;
    cx.steps(text.len() as u64 / 64)?;
    Ok(JwtValue::parse(text).map_or(Value::Null, Value::jwt))
}

fn credentials(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let Some(text) = args.value(0).as_str() else { return Ok(Value::Null) };
    cx.allocate(text.len())?;
    Ok(basic::credentials(text))
}

#[cfg(test)]
mod tests {
    use clr::host::HostRef;

    use super::super::test_support::with_recorded;
    use super::*;

    fn get(of: HostRef, row: usize, values: &[Value], wanted: Type) -> Result<String, Exception> {
        let row: &'static Member = &MEMBERS[row];
        let mut all = vec![Value::from(of)];
        all.extend(values.iter().cloned());
        with_recorded(|cx| {
            let mut args = Args::new(row, &mut all, &[], std::slice::from_ref(&wanted), wanted);
            Ok((row.call)(&mut args, cx)?.to_text().into_owned())
        })
    }

    #[test]
    fn values_of_headers_and_query_are_joined() {
        let text = |of, values: &[Value]| get(of, values.len() - 1, values, Type::String).unwrap();
        assert_eq!(text(HostRef::UrlQuery, &["tag".into()]), "red,blue");
        assert_eq!(text(HostRef::RequestHeaders, &["X-Empty".into(), "d".into()]), "");
        assert_eq!(text(HostRef::RequestHeaders, &["nope".into(), "d".into()]), "d");
        assert_eq!(text(HostRef::RequestHeaders, &["nope".into()]), "");
    }

    #[test]
    fn matched_parameters_have_one_value() {
        let it = get(HostRef::MatchedParameters, 2, &["customerId".into()], Type::String);
        assert_eq!(it.unwrap(), "C-1001");
    }

    #[test]
    fn variables_must_be_of_the_type() {
        let value = |name: &str, wanted| get(HostRef::Variables, 4, &[name.into()], wanted);
        assert_eq!(value("retryCount", Type::Int32).unwrap(), "2");
        assert_eq!(value("none", Type::Int32).unwrap(), "0");
        assert_eq!(value("nothing", Type::String).unwrap(), "");
        let error = value("retryCount", Type::Int64).unwrap_err();
        assert_eq!(error.type_name, "System.InvalidCastException");
        let error = value("nothing", Type::Int32).unwrap_err();
        assert_eq!(error.type_name, "System.NullReferenceException");
    }
}
