//! Making .NET values of JSON: `JsonConvert.DeserializeObject<T>`, `JToken.ToObject<T>`.
//!
//! Supported are simple types, tokens, arrays, lists, sets, dictionaries and `object`.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/SerializationGuide.htm>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{TypeKind, definition, integer_of, is_reference_convertible};
use clr::types::{self, Type, names};
use clr::value::Value;
use corelib::collections::{Comparer, Dictionary};
use dotnet::Runtime;
use tree::json::{Kind, Scalar, Target, Token, change_type, date};

use super::conversions::{cast_to, is_cast, operator, target_of, typed};
use super::{class_of, value_of};

const INT_OR_NULL: Type = Type::Nullable(&Type::Int32);

/// Where the token comes from: in text, dates are still strings, and a string may be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Text { dates: bool },
    Token,
}

/// `token.ToObject<T>()`: for most simple types the operator `(T)token`.
pub(super) fn token_to(token: &Token, to: Type, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if is_cast(to) {
        return operator(Some(token), to, cx);
    }
    if to.without_null().is_enum() {
        return to_enumeration(token, to);
    }
    convert(token, to, Source::Token, cx)
}

/// `JsonConvert.DeserializeObject<T>` of text that was read without looking for dates.
pub(super) fn text_to(
    token: &Token,
    to: Type,
    dates: bool,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    convert(token, to, Source::Text { dates }, cx)
}

/// `ToObject` of an enum: by name, else as the number that the operator gives.
fn to_enumeration(token: &Token, to: Type) -> Result<Value, Exception> {
    let (of, nullable) = (to.without_null(), to.accepts_null());
    let text = match token.scalar() {
        Some(Scalar::Int(it)) => return Ok(integer_of(of, it)),
        Some(Scalar::String(text)) => text,
        _ => {
            let number = cast_to(Some(token), if nullable { INT_OR_NULL } else { Type::Int32 })?;
            return match number.as_i64() {
                Some(_) if nullable => Err(Exception::invalid_cast(format!(
                    "Unable to cast object of type 'System.Int32' to type '{}'.",
                    to.full_name()
                ))),
                Some(it) => Ok(integer_of(of, it)),
                None => Ok(Value::Null),
            };
        }
    };
    if nullable && text.is_empty() {
        return Ok(Value::Null);
    }
    let name = || of.definition_name().and_then(|it| it.rsplit('.').next()).unwrap_or_default();
    let number = enum_number(&text, of);
    number
        .map(|it| integer_of(of, it))
        .ok_or_else(|| Exception::argument(format!("Could not convert '{text}' to {}.", name())))
}

/// A member of an enum by its name, whatever its case, or as a number.
fn enum_number(text: &str, of: Type) -> Option<i64> {
    let values = match of.definition_name().and_then(definition)?.kind {
        TypeKind::Enum { values, .. } => values,
        _ => return None,
    };
    let text = text.trim();
    let named = values.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|it| it.1);
    named.or_else(|| text.parse().ok())
}

fn failure(message: String) -> Exception {
    Exception::new("Newtonsoft.Json.JsonSerializationException", message)
}

fn convert(
    token: &Token,
    to: Type,
    source: Source,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    cx.step()?;
    cx.allocate(size_of::<Value>())?;
    if to == Type::Object {
        return Ok(match as_object(token, source).scalar() {
            Some(scalar) => value_of(&scalar),
            None => super::object(as_object(token, source)),
        });
    }
    let is_token_type = is_reference_convertible(to, super::JTOKEN);
    if is_token_type {
        if !is_reference_convertible(class_of(token.kind()), to) {
            if token.kind() == Kind::Null {
                return Ok(Value::Null);
            }
            if cx.runtime() == Runtime::Framework {
                // Its Newtonsoft leaves this to the cast of the result.
                return Err(Exception::new(
                    "System.InvalidCastException",
                    "Specified cast is not valid.",
                ));
            }
            return Err(failure(format!(
                "Deserialized JSON type '{}' is not compatible with expected type '{}'.",
                class_of(token.kind()).full_name(),
                to.full_name()
            )));
        }
        return Ok(super::object(as_object(token, source)));
    }
    if let Some(scalar) = token.scalar() {
        if matches!(scalar, Scalar::Null | Scalar::Undefined) && to.accepts_null() {
            return Ok(Value::Null);
        }
        // Nothing at all is null for all that can be null.
        let is_empty = matches!(&scalar, Scalar::String(it) if it.is_empty());
        if is_empty && to.accepts_null() && target_of(to).is_none() {
            return Ok(Value::Null);
        }
        return simple(&scalar, to, source);
    }
    if to == Type::BYTES && token.kind() == Kind::Array {
        return bytes_of(token, source, cx);
    }
    if target_of(to).is_some() || to.is_enum() {
        let text = format!("Unexpected token when reading {}: {}.", to, start_of(token));
        return Err(Exception::new("Newtonsoft.Json.JsonReaderException", text));
    }
    cx.deeper(1, |cx| collection(token, to, source, cx))
}

/// The token as it is for `object` and `JToken`: a copy, with dates in it if it comes from text.
fn as_object(token: &Token, source: Source) -> Token {
    let copy = token.deep_clone();
    if source == (Source::Text { dates: true }) {
        for inner in copy.descendants(true) {
            if let Some(Scalar::String(text)) = inner.scalar()
                && let Some(date) = date::recognise(&text)
            {
                inner.set_scalar(Scalar::Date(date));
            }
        }
    }
    copy
}

fn start_of(token: &Token) -> &'static str {
    match token.kind() {
        Kind::Object => "StartObject",
        Kind::Array => "StartArray",
        other => other.name(),
    }
}

fn simple(scalar: &Scalar, to: Type, source: Source) -> Result<Value, Exception> {
    let name = || to.full_name();
    if to.without_null().is_enum() {
        return enumeration(scalar, to.without_null());
    }
    let Some((target, nullable)) = target_of(to) else {
        return Err(failure(format!(
            "Error converting value {} to type '{}'.",
            tree::json::write_scalar(scalar),
            name()
        )));
    };
    let reader = |message: String| Exception::new("Newtonsoft.Json.JsonReaderException", message);
    if scalar.is_null_reference() && !nullable {
        return Err(failure(format!("Error converting value {{null}} to type '{}'.", name())));
    }
    let is_text = source != Source::Token;
    let value = match (scalar, target) {
        (Scalar::String(text), Target::String) => Scalar::String(Arc::clone(text)),
        (Scalar::Bool(it), Target::String) if is_text => Scalar::from(it.to_string()),
        (Scalar::Float(_), _) if is_text && is_integer(target) => {
            let text = scalar.to_text();
            return Err(reader(format!("Input string '{text}' is not a valid integer.")));
        }
        (Scalar::Bool(_), _) if is_integer(target) => {
            return Err(reader("Error reading integer. Unexpected token: Boolean.".to_owned()));
        }
        (Scalar::String(text), Target::Bool) if !text.trim().is_empty() => {
            let parsed = dotnet::text::number::parse::parse_bool(text);
            Scalar::Bool(
                parsed.ok_or_else(|| {
                    reader(format!("Could not convert string to boolean: {text}."))
                })?,
            )
        }
        (Scalar::Int(_) | Scalar::Float(_) | Scalar::Bool(_) | Scalar::Date(_), Target::Bytes) => {
            let kind = scalar.kind().name();
            return Err(reader(format!("Error reading bytes. Unexpected token: {kind}.")));
        }
        (Scalar::String(text), Target::Bytes) => return bytes(text),
        (Scalar::String(_), Target::Guid | Target::TimeSpan | Target::Uri)
        | (Scalar::String(_), Target::DateTimeOffset) => {
            let token = Token::value(scalar.clone());
            tree::json::cast(Some(&token), target, nullable).map_err(|fault| {
                failure(format!(
                    "Error converting value {} to type '{}'. {fault}",
                    tree::json::write_scalar(scalar),
                    name()
                ))
            })?
        }
        (Scalar::String(text), Target::DateTime) => match date::iso(text.as_bytes()) {
            Some(date) => Scalar::Date(date),
            None => change_type(scalar, target, nullable)
                .map_err(|_| reader(format!("Could not convert string to DateTime: {text}.")))?,
        },
        (Scalar::String(text), _) => change_type(scalar, target, nullable).map_err(|_| {
            reader(format!("Could not convert string to {}: {text}.", target.name().to_lowercase()))
        })?,
        _ => change_type(scalar, target, nullable)?,
    };
    Ok(typed(&value, to))
}

/// Base64, or a GUID.
fn bytes(text: &str) -> Result<Value, Exception> {
    let guid = (text.len() == 36).then(|| Token::value(Scalar::String(text.into())));
    let guid = guid.and_then(|it| cast_to(Some(&it), Type::Guid).ok());
    if let Some(Value::Guid(it)) = guid {
        let [a, b, c, d, e, f, g, h, rest @ ..] = it;
        let order = [d, c, b, a, f, e, h, g];
        return Ok(order.into_iter().chain(rest).collect::<Vec<u8>>().into());
    }
    Ok(dotnet::text::encoding::from_base64(text)?.into())
}

/// A list of numbers.
fn bytes_of(token: &Token, source: Source, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let items = elements(token, Type::Byte, source, cx)?.unwrap_or_default();
    let byte = |it: &Value| it.as_i64().and_then(|it| u8::try_from(it).ok());
    Ok(items.iter().filter_map(byte).collect::<Vec<u8>>().into())
}

fn is_integer(target: Target) -> bool {
    matches!(
        target,
        Target::SByte
            | Target::Byte
            | Target::Int16
            | Target::UInt16
            | Target::Int32
            | Target::UInt32
            | Target::Int64
            | Target::UInt64
    )
}

fn enumeration(scalar: &Scalar, to: Type) -> Result<Value, Exception> {
    let number = match scalar {
        Scalar::Int(it) => Some(*it),
        Scalar::String(text) => enum_number(text, to),
        _ => None,
    };
    number.map(|it| integer_of(to, it)).ok_or_else(|| {
        failure(format!(
            "Error converting value {} to type '{}'.",
            tree::json::write_scalar(scalar),
            to.full_name()
        ))
    })
}

fn collection(
    token: &Token,
    to: Type,
    source: Source,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let mismatch = || {
        let (kind, example) = match token.kind() {
            Kind::Object => ("object", "{\"name\":\"value\"}"),
            _ => ("array", "[1,2,3]"),
        };
        failure(format!(
            "Cannot deserialize the current JSON {kind} (e.g. {example}) into type '{}' because the type requires another JSON value to deserialize correctly.",
            to.full_name()
        ))
    };
    if let Type::Array(element) = to {
        let items = elements(token, *element, source, cx)?.ok_or_else(mismatch)?;
        return Ok(Value::array(*element, items));
    }
    let Type::Named(name, arguments) = to else { return Err(mismatch()) };
    match (name, arguments) {
        (names::DICTIONARY | names::IDICTIONARY | names::IREADONLYDICTIONARY, [key, value]) => {
            if token.kind() != Kind::Object {
                return Err(mismatch());
            }
            let made = Dictionary::new([*key, *value], Comparer::Default);
            for property in token.child_list() {
                let (Some(name), Some(inner)) = (property.name(), property.property_value()) else {
                    continue;
                };
                let name = simple(&Scalar::String(name), *key, source)?;
                let inner = convert(&inner, *value, source, cx)?;
                made.set(name, inner);
            }
            Ok(Value::object(made))
        }
        (
            names::LIST
            | names::ILIST
            | names::IENUMERABLE
            | names::ICOLLECTION
            | names::IREADONLYCOLLECTION
            | names::IREADONLYLIST,
            [element],
        ) => {
            let items = elements(token, *element, source, cx)?.ok_or_else(mismatch)?;
            Ok(Value::list(*element, items))
        }
        _ => Err(failure(format!(
            "Unable to find a constructor to use for type {}.",
            types::named(name, arguments).full_name()
        ))),
    }
}

fn elements(
    token: &Token,
    element: Type,
    source: Source,
    cx: &mut EvalCx<'_>,
) -> Result<Option<Vec<Value>>, Exception> {
    if token.kind() != Kind::Array {
        return Ok(None);
    }
    let items = token.child_list();
    let items =
        items.iter().map(|it| convert(it, element, source, cx)).collect::<Result<_, _>>()?;
    Ok(Some(items))
}

#[cfg(test)]
mod tests {
    use clr::types::{self, Type, names};
    use clr::value::Value;
    use tree::json::{ParseOptions, Root, parse};

    use super::text_to;
    use crate::test_support::with_cx;

    fn read(text: &str, to: Type) -> String {
        let options = ParseOptions { dates: false, ..ParseOptions::default() };
        let token = parse(text, Root::Any, &options).unwrap();
        match with_cx(|cx| text_to(&token, to, true, cx)) {
            Ok(value) => format!("{} {}", value.type_name(), value.to_text()),
            Err(exception) => exception.type_name.to_owned(),
        }
    }

    #[test]
    fn simple_types_are_read_as_newtonsoft_does() {
        let cases = [
            ("\"12\"", Type::Int32, "System.Int32 12"),
            ("\"true\"", Type::Bool, "System.Boolean True"),
            ("5", Type::String, "System.String 5"),
            ("true", Type::String, "System.String true"),
            ("null", Type::String, "null "),
            ("null", Type::Int32, "Newtonsoft.Json.JsonSerializationException"),
            ("\"abc\"", Type::Int32, "Newtonsoft.Json.JsonReaderException"),
            ("1.5", Type::Object, "System.Double 1.5"),
            ("\"2024-02-03T04:05:06Z\"", Type::Object, "System.DateTime 02/03/2024 04:05:06"),
            ("\"2024-02-03T04:05:06Z\"", Type::String, "System.String 2024-02-03T04:05:06Z"),
            ("{}", Type::Int32, "Newtonsoft.Json.JsonReaderException"),
        ];
        for (text, to, expected) in cases {
            assert_eq!(read(text, to), expected, "{text}");
        }
    }

    #[test]
    fn lists_and_dictionaries_are_made() {
        let list = types::named(names::LIST, &[Type::Int32]);
        let options = ParseOptions::default();
        let token = |text| parse(text, Root::Any, &options).unwrap();
        with_cx(|cx| {
            let made = text_to(&token("[1,\"2\"]"), list, true, cx).unwrap();
            assert_eq!(made.collect(cx).unwrap().len(), 2);
            assert!(text_to(&token("{}"), list, true, cx).is_err());
            let map = types::named(names::DICTIONARY, &[Type::String, Type::Int32]);
            let made: Value = text_to(&token("{\"a\":1}"), map, true, cx).unwrap();
            assert_eq!(made.collect(cx).unwrap()[0].to_text(), "[a, 1]");
        });
    }
}
