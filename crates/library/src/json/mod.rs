//! `Newtonsoft.Json` and `Newtonsoft.Json.Linq`: <https://www.newtonsoft.com/json/help/html/Introduction.htm>
//!
//! The rows stand on [`tree::json`]. A token is a [`Token`] inside of a [`Value`]; which of the
//! classes it is follows from its kind.

pub(crate) mod conversions;
pub(crate) mod deserialize;
pub(crate) mod enums;
pub(crate) mod extensions;
pub(crate) mod jarray;
pub(crate) mod jconstructor;
pub(crate) mod jcontainer;
pub(crate) mod jenumerable;
pub(crate) mod jobject;
pub(crate) mod jproperty;
pub(crate) mod jraw;
pub(crate) mod json_convert;
pub(crate) mod jtoken;
pub(crate) mod jvalue;
pub(crate) mod serialize;
pub(crate) mod settings;

use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::Args;
use clr::types::{Type, names};
use clr::value::{Cursor, DateTime, DateTimeKind, DateTimeOffset, Object, Value};
use dotnet::{Runtime, Str};
use tree::json::{
    Children, Content, DateKind, DateTime as JsonDate, Kind, ParseOptions, Root, Scalar, Token,
    compare_scalars, guid_text,
};

/// `JToken`.
pub(crate) const JTOKEN: Type = Type::named(names::JTOKEN);
/// `JContainer`.
pub(crate) const JCONTAINER: Type = Type::named(names::JCONTAINER);
/// `JObject`.
pub(crate) const JOBJECT: Type = Type::named(names::JOBJECT);
/// `JArray`.
pub(crate) const JARRAY: Type = Type::named(names::JARRAY);
/// `JProperty`.
pub(crate) const JPROPERTY: Type = Type::named(names::JPROPERTY);
/// `JValue`.
pub(crate) const JVALUE: Type = Type::named(names::JVALUE);
/// `IEnumerable<JToken>`.
pub(crate) const JTOKENS: Type = Type::enumerable(&[JTOKEN]);
/// `Formatting`.
pub(crate) const FORMATTING: Type = Type::named(names::FORMATTING);
/// `StringComparison`.
pub(crate) const COMPARISON: Type = Type::named(names::STRINGCOMPARISON);

/// How many steps of the budget a look at a token costs is one; building one costs this much memory.
const TOKEN_BYTES: usize = 64;

/// A token as an object of the library.
#[derive(Debug)]
pub(crate) struct JToken(Token);

impl Deref for JToken {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.0
    }
}

impl Object for JToken {
    fn net_type(&self) -> Type {
        class_of(self.kind())
    }

    fn to_text(&self, runtime: Runtime) -> Str {
        self.0.to_text_as(runtime).into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        let Some(other) = token_of(other) else { return Some(false) };
        Some(match (self.scalar(), other.scalar()) {
            (Some(a), Some(b)) => {
                a.kind() == b.kind()
                    && matches!(compare_scalars(a.kind(), &a, &b), Ok(Ordering::Equal))
            }
            _ => self.is_same(other),
        })
    }

    fn hash_code(&self) -> Option<u64> {
        Some(match self.scalar() {
            Some(value) => value_of(&value).hash_code(),
            // Containers are equal by reference only; their place may change as trees unite.
            None => self.kind() as u64,
        })
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        let (a, b) = (self.scalar()?, token_of(other)?.scalar()?);
        compare_scalars(a.kind(), &a, &b).ok()
    }

    fn convert(&self, to: Type) -> Option<Result<Value, Exception>> {
        // A `JValue` converts as its casts do.
        self.scalar().map(|_| conversions::cast_to(Some(self), to))
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Ok(Some(Box::new(TokenCursor(self.children()))))
    }
}

/// The children of a token as values.
struct TokenCursor(Children);

impl Cursor for TokenCursor {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        Ok(self.0.next().transpose()?.map(object))
    }
}

/// The class of tokens of a kind.
pub(crate) fn class_of(kind: Kind) -> Type {
    Type::named(match kind {
        Kind::Object => names::JOBJECT,
        Kind::Array => names::JARRAY,
        Kind::Property => names::JPROPERTY,
        Kind::Constructor => "Newtonsoft.Json.Linq.JConstructor",
        Kind::Raw => "Newtonsoft.Json.Linq.JRaw",
        _ => names::JVALUE,
    })
}

/// An argument that is a token.
pub(crate) fn token(args: &mut Args<'_>, at: usize) -> Result<Arc<JToken>, Exception> {
    args.arg(at)
}

/// The token of a value.
pub(crate) fn token_of(value: &Value) -> Option<&Token> {
    value.as_object::<JToken>().map(Deref::deref)
}

/// A token as a value.
pub fn object(token: Token) -> Value {
    Value::object(JToken(token))
}

/// JSON text as a token whose texts stay texts: what looks like a date becomes none.
///
/// # Errors
///
/// `JsonReaderException`: the text is no JSON, or nests deeper than 64 levels.
pub fn plain(text: &str) -> Result<Value, Exception> {
    let options = ParseOptions { dates: false, ..ParseOptions::default() };
    Ok(object(tree::json::parse(text, Root::Any, &options)?))
}

/// The JSON tree of a value, as `JToken.FromObject` makes it.
///
/// # Errors
///
/// What reading a property throws; a limit.
pub fn tree_of(value: &Value, cx: &mut EvalCx<'_>) -> Result<Token, Exception> {
    serialize::token_of(value, serialize::Options::default(), cx)
}

/// A token, or null.
pub(crate) fn value(token: Option<Token>) -> Value {
    token.map_or(Value::Null, object)
}

/// A lazy `IEnumerable<element>` of tokens that are found when an enumeration begins.
pub(crate) fn lazily<F>(element: Type, find: F) -> Value
where
    F: Fn(&mut EvalCx<'_>) -> Result<Vec<Token>, Exception> + Send + Sync + 'static,
{
    Value::sequence(element, move |cx| {
        let found = find(cx)?;
        cx.allocate(found.len() * TOKEN_BYTES)?;
        let items = found.into_iter().map(object).collect();
        Ok(Box::new(clr::value::sequence::Items::new(items)))
    })
}

/// A lazy sequence of the children of a token, which notices changes of the token.
pub(crate) fn children(of: &Token, element: Type, keep: fn(&Token) -> Option<Value>) -> Value {
    let of = of.clone();
    Value::sequence(element, move |_| Ok(Box::new(Filtered { children: of.children(), keep })))
}

struct Filtered {
    children: Children,
    keep: fn(&Token) -> Option<Value>,
}

impl Cursor for Filtered {
    fn next(&mut self, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        for child in self.children.by_ref() {
            cx.step()?;
            if let Some(value) = (self.keep)(&child?) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

/// What a value is as content of a container: a token, a simple value or several of them.
///
/// # Errors
///
/// `ArgumentException` of a value that is none of these.
pub(crate) fn content(value: &Value, cx: &mut EvalCx<'_>) -> Result<Content, Exception> {
    cx.allocate(TOKEN_BYTES)?;
    if let Some(token) = token_of(value) {
        return Ok(Content::Token(token.clone()));
    }
    // A `JValue` has a constructor for `char`; as an `object` it is nothing to it.
    let of_its_own = scalar_in(value, cx.runtime()).filter(|_| !matches!(value, Value::Char(_)));
    if let Some(scalar) = of_its_own {
        return Ok(Content::Value(scalar));
    }
    let is_enumerable = matches!(value, Value::Array(_) | Value::List(_) | Value::Sequence(_))
        || clr::rows::is_reference_convertible(
            value.runtime_type(),
            Type::named(names::IENUMERABLE_PLAIN),
        );
    if !is_enumerable {
        return Err(Exception::argument(format!(
            "Could not determine JSON object type for type {}.",
            value.type_name()
        )));
    }
    let items = value.collect(cx)?;
    let items = items.iter().map(|it| content(it, cx)).collect::<Result<_, _>>()?;
    Ok(Content::Many(items))
}

/// As [`scalar_of`]; where .NET Framework is imitated, as its Newtonsoft does: a decimal zero keeps
/// its places.
pub(crate) fn scalar_in(value: &Value, runtime: Runtime) -> Option<Scalar> {
    match value {
        Value::Decimal(it) if runtime == Runtime::Framework => Some(Scalar::Decimal(*it)),
        other => scalar_of(other),
    }
}

/// The value of a `JValue` that holds this value, if a `JValue` can hold it.
pub(crate) fn scalar_of(value: &Value) -> Option<Scalar> {
    Some(match value {
        Value::Null => Scalar::Null,
        Value::Bool(it) => Scalar::Bool(*it),
        Value::Char(it) => Scalar::String(Str::from_unit(*it).as_str().into()),
        Value::ULong(it) => match i64::try_from(*it) {
            Ok(it) => Scalar::Int(it),
            Err(_) => Scalar::Big(it.to_string().into()),
        },
        Value::Single(it) => Scalar::Single(*it),
        // Newtonsoft shares one boxed zero, which has no sign.
        Value::Double(it) => Scalar::Float(if *it == 0.0 { 0.0 } else { *it }),
        Value::Decimal(it) if it.is_zero() => Scalar::Decimal(rust_decimal::Decimal::ZERO),
        Value::Decimal(it) => Scalar::Decimal(*it),
        Value::String(it) => Scalar::String(it.as_str().into()),
        Value::Guid(it) => Scalar::Guid(u128::from_be_bytes(*it)),
        Value::DateTime(it) => Scalar::Date(date_to_json(*it)),
        Value::DateTimeOffset(it) => {
            let date = JsonDate { ticks: it.ticks, kind: DateKind::Unspecified };
            Scalar::DateOffset(date, it.offset_minutes)
        }
        Value::TimeSpan(it) => Scalar::TimeSpan(*it),
        Value::Enum(_, it) => Scalar::Int(*it),
        Value::Bytes(it) => Scalar::Bytes(Arc::from(&*it.to_bytes())),
        Value::Object(it) if it.net_type() == Type::named(names::URI) => {
            Scalar::Uri(original_uri(value).as_str().into())
        }
        other => Scalar::Int(other.as_i64()?),
    })
}

/// The text that an address was made from.
pub(crate) fn original_uri(value: &Value) -> Str {
    value.to_str(Runtime::Modern)
}

fn date_to_json(date: DateTime) -> JsonDate {
    let kind = match date.kind {
        DateTimeKind::Unspecified => DateKind::Unspecified,
        DateTimeKind::Utc => DateKind::Utc,
        DateTimeKind::Local => DateKind::Local,
    };
    JsonDate { ticks: date.ticks, kind }
}

fn date_from_json(date: JsonDate) -> DateTime {
    let kind = match date.kind {
        DateKind::Unspecified => DateTimeKind::Unspecified,
        DateKind::Utc => DateTimeKind::Utc,
        DateKind::Local => DateTimeKind::Local,
    };
    DateTime { ticks: date.ticks, kind }
}

/// `JValue.Value`: integers are `long`.
pub(crate) fn value_of(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null | Scalar::Undefined | Scalar::NullString => Value::Null,
        Scalar::Bool(it) => Value::Bool(*it),
        Scalar::Int(it) => Value::Long(*it),
        Scalar::Big(digits) => Value::object(jvalue::BigInteger(Arc::clone(digits))),
        Scalar::Float(it) => Value::Double(*it),
        Scalar::Single(it) => Value::Single(*it),
        Scalar::Decimal(it) => Value::Decimal(*it),
        Scalar::String(it) | Scalar::Comment(it) | Scalar::Raw(it) | Scalar::Uri(it) => {
            Value::String(Arc::clone(it).into())
        }
        Scalar::Date(it) => Value::DateTime(date_from_json(*it)),
        Scalar::DateOffset(it, minutes) => {
            Value::DateTimeOffset(DateTimeOffset { ticks: it.ticks, offset_minutes: *minutes })
        }
        Scalar::TimeSpan(it) => Value::TimeSpan(*it),
        Scalar::Guid(it) => Value::Guid(it.to_be_bytes()),
        Scalar::Bytes(it) => Value::from(it.to_vec()),
    }
}

/// The name of a GUID's text, for keys of objects.
pub(crate) fn guid_name(guid: [u8; 16]) -> String {
    guid_text(u128::from_be_bytes(guid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn values_and_scalars_convert_both_ways() {
        let cases = [
            (Value::from(5), "System.Int64", "5"),
            (Value::from("x"), "System.String", "x"),
            (Value::from(1.5), "System.Double", "1.5"),
            (Value::from(true), "System.Boolean", "True"),
            (Value::ULong(u64::MAX), "System.Numerics.BigInteger", "18446744073709551615"),
            (Value::TimeSpan(10_000_000), "System.TimeSpan", "00:00:01"),
        ];
        for (value, type_name, text) in cases {
            let back = value_of(&scalar_of(&value).unwrap());
            assert_eq!((back.type_name().as_str(), &*back.to_text()), (type_name, text));
        }
    }

    #[test]
    fn tokens_are_equal_as_newtonsofts_are() {
        let one = || object(Token::value(1));
        let it = object(Token::object());

        assert!(one().equals(&one()) && one().hash_code() == one().hash_code());
        assert!(it.equals(&it) && !it.equals(&object(Token::object())));
        assert!(!one().equals(&Value::from(1)));
    }

    #[test]
    fn content_may_be_a_list_of_lists() {
        with_cx(|cx| {
            let list = Value::list(Type::Int32, vec![1.into(), 2.into()]);
            let Content::Many(items) = content(&list, cx).unwrap() else { panic!("no list") };
            assert_eq!(items.len(), 2);
            let func =
                Value::object(clr::value::Anonymous::new(clr::types::anonymous(vec![]), vec![]));
            assert_eq!(content(&func, cx).unwrap_err().type_name, "System.ArgumentException");
        });
    }
}
