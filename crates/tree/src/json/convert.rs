//! Conversions of a `JValue`: the cast operators of `JToken`, `Value<T>()`, `Convert.ChangeType`.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/M_Newtonsoft_Json_Linq_JToken_op_Explicit.htm>,
//! <https://learn.microsoft.com/dotnet/api/system.convert.changetype>

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::change::{convert_scalar, from_base64, guid_from_bytes, special};
use super::scalar::{Kind, Scalar};
use super::{Fault, Token};

/// A simple type that a value may be converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the .NET types")]
pub enum Target {
    String,
    Bool,
    Char,
    SByte,
    Byte,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Single,
    Double,
    Decimal,
    DateTime,
    DateTimeOffset,
    TimeSpan,
    Guid,
    Uri,
    Bytes,
}

impl Target {
    /// The type's name in messages: `Int32`.
    pub fn name(self) -> &'static str {
        match self {
            Target::String => "String",
            Target::Bool => "Boolean",
            Target::Char => "Char",
            Target::SByte => "SByte",
            Target::Byte => "Byte",
            Target::Int16 => "Int16",
            Target::UInt16 => "UInt16",
            Target::Int32 => "Int32",
            Target::UInt32 => "UInt32",
            Target::Int64 => "Int64",
            Target::UInt64 => "UInt64",
            Target::Single => "Single",
            Target::Double => "Double",
            Target::Decimal => "Decimal",
            Target::DateTime => "DateTime",
            Target::DateTimeOffset => "DateTimeOffset",
            Target::TimeSpan => "TimeSpan",
            Target::Guid => "Guid",
            Target::Uri => "Uri",
            Target::Bytes => "byte array",
        }
    }

    /// The smallest and the greatest value of an integer type.
    pub(super) fn bounds(self) -> Option<(i128, i128)> {
        Some(match self {
            Target::SByte => (i8::MIN.into(), i8::MAX.into()),
            Target::Byte => (0, u8::MAX.into()),
            Target::Int16 => (i16::MIN.into(), i16::MAX.into()),
            Target::UInt16 => (0, u16::MAX.into()),
            Target::Int32 => (i32::MIN.into(), i32::MAX.into()),
            Target::UInt32 => (0, u32::MAX.into()),
            Target::Int64 => (i64::MIN.into(), i64::MAX.into()),
            Target::UInt64 => (0, u64::MAX.into()),
            _ => return None,
        })
    }

    fn accepts(self, kind: Kind) -> bool {
        use Kind::{
            Boolean, Bytes, Comment, Date, Float, Guid, Integer, Raw, String, TimeSpan, Uri,
        };
        if matches!(kind, String | Comment | Raw) {
            return true;
        }
        match self {
            Target::String => {
                matches!(kind, Date | Integer | Float | Boolean | Bytes | Guid | TimeSpan | Uri)
            }
            Target::Guid => matches!(kind, Guid | Bytes),
            Target::TimeSpan => kind == TimeSpan,
            Target::Uri => kind == Uri,
            Target::Char => matches!(kind, Integer | Float),
            Target::DateTime | Target::DateTimeOffset => kind == Date,
            Target::Bytes => matches!(kind, Bytes | Integer),
            _ => matches!(kind, Integer | Float | Boolean),
        }
    }
}

/// `(T)token`: `None` is a null reference, which a nullable target takes.
///
/// A result of an integer type is [`Scalar::Int`], or [`Scalar::Big`] above `long.MaxValue`;
/// [`Scalar::Null`] stands for null.
///
/// # Errors
///
/// `ArgumentNullException` of a missing token, `ArgumentException` of a token of the wrong type,
/// `FormatException` and `OverflowException` of text and numbers.
pub fn cast(token: Option<&Token>, target: Target, nullable: bool) -> Result<Scalar, Fault> {
    let Some(token) = token else {
        return if nullable { Ok(Scalar::Null) } else { Err(Fault::argument_null("value")) };
    };
    let inner = token.property_value();
    let token = inner.as_ref().unwrap_or(token);
    let refuse = |kind: Kind| {
        Err(Fault::argument(format!("Can not convert {} to {}.", kind.name(), target.name())))
    };
    let Some(value) = token.scalar() else { return refuse(token.kind()) };
    let kind = value.kind();
    if matches!(kind, Kind::Null | Kind::Undefined) {
        let takes_null = nullable || matches!(target, Target::String | Target::Uri | Target::Bytes);
        return if takes_null { Ok(Scalar::Null) } else { refuse(kind) };
    }
    if !target.accepts(kind) {
        return refuse(kind);
    }
    if matches!(value, Scalar::NullString) && nullable {
        return Ok(Scalar::Null);
    }
    match (&value, target) {
        (Scalar::Bytes(bytes), Target::String) => {
            Ok(Scalar::String(Arc::from(STANDARD.encode(bytes))))
        }
        (Scalar::String(text), Target::Bytes) => from_base64(text),
        (Scalar::Bytes(_), Target::Bytes)
        | (Scalar::Guid(_), Target::Guid)
        | (Scalar::TimeSpan(_), Target::TimeSpan)
        | (Scalar::Uri(_), Target::Uri) => Ok(value),
        (Scalar::Bytes(bytes), Target::Guid) => guid_from_bytes(bytes),
        (Scalar::Int(_) | Scalar::Big(_), Target::Bytes) => refuse(kind),
        (_, Target::Bytes | Target::Guid | Target::TimeSpan | Target::Uri) => {
            special(&value.to_text(), target)
        }
        _ => convert_scalar(&value, target),
    }
}

/// `Extensions.Value<T>(token)` of a value: the value itself if it has the type, else
/// `Convert.ChangeType` with the invariant culture.
///
/// # Errors
///
/// `InvalidCastException` if .NET knows no such conversion; as [`convert_scalar`].
pub fn change_type(value: &Scalar, target: Target, nullable: bool) -> Result<Scalar, Fault> {
    if value.is_null_reference() {
        return if nullable || matches!(target, Target::String | Target::Uri | Target::Bytes) {
            Ok(Scalar::Null)
        } else {
            Err(Fault::invalid_cast("Null object cannot be converted to a value type."))
        };
    }
    match (value, target) {
        (Scalar::Guid(_), Target::Guid)
        | (Scalar::TimeSpan(_), Target::TimeSpan)
        | (Scalar::Uri(_), Target::Uri)
        | (Scalar::Bytes(_), Target::Bytes)
        | (Scalar::DateOffset(..), Target::DateTimeOffset) => Ok(value.clone()),
        (
            Scalar::Guid(_)
            | Scalar::TimeSpan(_)
            | Scalar::Uri(_)
            | Scalar::Bytes(_)
            | Scalar::DateOffset(..)
            | Scalar::Big(_),
            _,
        ) => Err(Fault::invalid_cast("Object must implement IConvertible.")),
        (
            _,
            Target::Guid | Target::TimeSpan | Target::Uri | Target::Bytes | Target::DateTimeOffset,
        ) => Err(invalid_cast(value, target)),
        _ => convert_scalar(value, target),
    }
}

pub(super) fn invalid_cast(value: &Scalar, target: Target) -> Fault {
    let from = match value {
        Scalar::Bool(_) => "Boolean",
        Scalar::Int(_) => "Int64",
        Scalar::Float(_) => "Double",
        Scalar::Single(_) => "Single",
        Scalar::Decimal(_) => "Decimal",
        Scalar::Date(_) => "DateTime",
        _ => "String",
    };
    Fault::invalid_cast(format!("Invalid cast from '{from}' to '{}'.", target.name()))
}

#[cfg(test)]
mod tests {
    use super::{Target, cast, change_type};
    use crate::json::{Fault, ParseOptions, Root, Scalar, parse};

    const ALL: &str = r#"{"s":"text","n":42,"f":1.5,"b":true,"z":null,"o":{},"a":[1],
        "d":"2024-02-03T04:05:06Z","e":"","num":"007","big":3000000000,"dec":"1.10"}"#;

    fn show(result: Result<Scalar, Fault>) -> String {
        match result {
            Ok(Scalar::Null) => "null".to_owned(),
            Ok(value) => value.to_text().to_string(),
            Err(fault) => fault.type_name.trim_start_matches("System.").to_owned(),
        }
    }

    #[test]
    fn casts_give_what_newtonsofts_give() {
        let object = parse(ALL, Root::Any, &ParseOptions::default()).unwrap();
        let cases = [
            ("s", Target::String, false, "text"),
            ("s", Target::Int32, false, "FormatException"),
            ("s", Target::Bool, false, "FormatException"),
            ("s", Target::DateTime, true, "FormatException"),
            ("n", Target::String, false, "42"),
            ("n", Target::Int32, true, "42"),
            ("n", Target::Bool, false, "True"),
            ("n", Target::DateTime, true, "ArgumentException"),
            ("f", Target::Int32, false, "2"),
            ("f", Target::Decimal, true, "1.5"),
            ("b", Target::Int32, false, "1"),
            ("b", Target::DateTime, true, "ArgumentException"),
            ("z", Target::String, false, "null"),
            ("z", Target::Int32, true, "null"),
            ("z", Target::Bool, false, "ArgumentException"),
            ("o", Target::String, false, "ArgumentException"),
            ("a", Target::Int32, true, "ArgumentException"),
            ("d", Target::Int32, false, "ArgumentException"),
            ("d", Target::DateTime, true, "02/03/2024 04:05:06"),
            ("e", Target::Int32, true, "FormatException"),
            ("e", Target::Double, false, "FormatException"),
            ("num", Target::Int32, false, "7"),
            ("num", Target::Double, false, "7"),
            ("num", Target::Bool, true, "FormatException"),
            ("big", Target::Int32, false, "OverflowException"),
            ("big", Target::Int64, false, "3000000000"),
            ("dec", Target::Decimal, false, "1.10"),
            ("missing", Target::Int32, false, "ArgumentNullException"),
            ("missing", Target::Decimal, true, "null"),
        ];
        for (name, target, nullable, expected) in cases {
            let token = object.get(name);
            assert_eq!(show(cast(token.as_ref(), target, nullable)), expected, "{name} {target:?}");
        }
    }

    #[test]
    fn value_of_t_changes_the_type() {
        let cases = [
            (Scalar::from("x"), Target::String, "x"),
            (Scalar::from(1.6), Target::Int32, "2"),
            (Scalar::from(2.5), Target::Int32, "2"),
            (Scalar::Null, Target::Int32, "InvalidCastException"),
            (Scalar::Null, Target::String, "null"),
            (Scalar::from("yes"), Target::Bool, "FormatException"),
            (Scalar::from("x"), Target::Guid, "InvalidCastException"),
            (Scalar::from(300), Target::Byte, "OverflowException"),
            (Scalar::from(i64::MAX), Target::UInt64, "9223372036854775807"),
        ];
        for (value, target, expected) in cases {
            assert_eq!(show(change_type(&value, target, false)), expected, "{value:?} {target:?}");
        }
    }

    #[test]
    fn bytes_and_guids_have_their_own_texts() {
        let cast_text = |text: &str, target| {
            let token = parse(text, Root::Any, &ParseOptions::default()).unwrap();
            cast(Some(&token), target, false)
        };
        assert_eq!(cast_text("\"AQID\"", Target::Bytes).unwrap(), Scalar::Bytes([1, 2, 3].into()));
        let guid = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
        assert_eq!(show(cast_text(&format!("\"{guid}\""), Target::Guid)), guid);
        assert_eq!(show(cast_text("\"1.02:03:04\"", Target::TimeSpan)), "1.02:03:04");
        assert_eq!(show(cast_text("\"a\"", Target::Char)), "97");
    }
}
