//! Conversions of a `JValue`: the cast operators of `JToken`, `Value<T>()`, `Convert.ChangeType`.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/M_Newtonsoft_Json_Linq_JToken_op_Explicit.htm>,
//! <https://learn.microsoft.com/dotnet/api/system.convert.changetype>

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};

use super::scalar::{DateKind, DateTime, Kind, Scalar, parse_guid};
use super::{Fault, Token, date};

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
    fn bounds(self) -> Option<(i128, i128)> {
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

fn invalid_cast(value: &Scalar, target: Target) -> Fault {
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

/// `Convert.ToInt32(value)` and its like, with the invariant culture.
///
/// # Errors
///
/// `FormatException`, `OverflowException`, `InvalidCastException`.
pub fn convert_scalar(value: &Scalar, target: Target) -> Result<Scalar, Fault> {
    if let Some(bounds) = target.bounds() {
        return to_integer(value, target, bounds);
    }
    match target {
        Target::String => Ok(Scalar::String(value.to_text())),
        Target::Bool => to_bool(value).map(Scalar::Bool),
        Target::Double => to_double(value).map(Scalar::Float),
        Target::Single => to_double(value).map(|it| Scalar::Single(it as f32)),
        Target::Decimal => to_decimal(value).map(Scalar::Decimal),
        Target::Char => to_char(value),
        Target::DateTime => to_date(value),
        Target::DateTimeOffset => to_date_offset(value),
        _ => special(&value.to_text(), target),
    }
}

fn to_integer(value: &Scalar, target: Target, (low, high): (i128, i128)) -> Result<Scalar, Fault> {
    let overflow = || {
        let name = target.name();
        let article = if name.starts_with(['I', 'U']) { "an" } else { "a" };
        let article = if name.starts_with("UI") { "a" } else { article };
        Fault::overflow(format!("Value was either too large or too small for {article} {name}."))
    };
    let wide: i128 = match value {
        Scalar::Null | Scalar::Undefined | Scalar::NullString => 0,
        Scalar::Bool(value) => i128::from(*value),
        Scalar::Int(value) => i128::from(*value),
        Scalar::Float(value) => round_double(*value).ok_or_else(overflow)?,
        Scalar::Single(value) => round_double(f64::from(*value)).ok_or_else(overflow)?,
        Scalar::Decimal(value) => value
            .round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven)
            .to_i128()
            .ok_or_else(overflow)?,
        Scalar::Big(digits) => digits.parse().map_err(|_| overflow())?,
        Scalar::String(text) | Scalar::Comment(text) | Scalar::Raw(text) => {
            parse_integer(text, overflow)?
        }
        _ => return Err(invalid_cast(value, target)),
    };
    if wide < low || wide > high {
        return Err(overflow());
    }
    Ok(match i64::try_from(wide) {
        Ok(value) => Scalar::Int(value),
        Err(_) => Scalar::Big(Arc::from(wide.to_string())),
    })
}

fn round_double(value: f64) -> Option<i128> {
    value.round_ties_even().to_i128()
}

fn parse_integer(text: &str, overflow: impl Fn() -> Fault) -> Result<i128, Fault> {
    let text = text.trim_matches(is_white);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return Err(bad_number());
    }
    text.parse().map_err(|_| overflow())
}

fn is_white(it: char) -> bool {
    matches!(it, ' ' | '\t'..='\r' | '\0')
}

fn bad_number() -> Fault {
    Fault::format("Input string was not in a correct format.")
}

fn to_bool(value: &Scalar) -> Result<bool, Fault> {
    Ok(match value {
        Scalar::Null | Scalar::Undefined | Scalar::NullString => false,
        Scalar::Bool(value) => *value,
        Scalar::Int(value) => *value != 0,
        Scalar::Big(digits) => &**digits != "0",
        Scalar::Float(value) => *value != 0.0,
        Scalar::Single(value) => *value != 0.0,
        Scalar::Decimal(value) => !value.is_zero(),
        Scalar::String(text) | Scalar::Comment(text) | Scalar::Raw(text) => {
            let trimmed = text.trim_matches(|it: char| it.is_whitespace() || it == '\0');
            if trimmed.eq_ignore_ascii_case("true") {
                true
            } else if trimmed.eq_ignore_ascii_case("false") {
                false
            } else {
                return Err(Fault::format(format!(
                    "String '{text}' was not recognized as a valid Boolean."
                )));
            }
        }
        _ => return Err(invalid_cast(value, Target::Bool)),
    })
}

fn to_double(value: &Scalar) -> Result<f64, Fault> {
    Ok(match value {
        Scalar::Null | Scalar::Undefined | Scalar::NullString => 0.0,
        Scalar::Bool(value) => f64::from(u8::from(*value)),
        Scalar::Int(value) => *value as f64,
        Scalar::Big(digits) => digits.parse().map_err(|_| bad_number())?,
        Scalar::Float(value) => *value,
        Scalar::Single(value) => f64::from(*value),
        Scalar::Decimal(value) => value.to_f64().unwrap_or(0.0),
        Scalar::String(text) | Scalar::Comment(text) | Scalar::Raw(text) => {
            return parse_double(text);
        }
        _ => return Err(invalid_cast(value, Target::Double)),
    })
}

/// `double.Parse(text)`: white space, thousands separators and an exponent are allowed.
fn parse_double(text: &str) -> Result<f64, Fault> {
    let text = text.trim_matches(is_white);
    match text.to_ascii_lowercase().as_str() {
        "nan" | "-nan" | "+nan" => return Ok(f64::NAN),
        "infinity" | "+infinity" | "∞" => return Ok(f64::INFINITY),
        "-infinity" | "-∞" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    plain_number(text, true)?.parse().map_err(|_| bad_number())
}

/// The number without thousands separators; checks its characters.
fn plain_number(text: &str, exponent: bool) -> Result<String, Fault> {
    let whole_end = text.find(['.', 'e', 'E']).unwrap_or(text.len());
    let (whole, rest) = text.split_at(whole_end);
    let whole = whole.replace(',', "");
    let is_allowed = |it: char| {
        it.is_ascii_digit() || it == '.' || (exponent && matches!(it, 'e' | 'E' | '+' | '-'))
    };
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(&whole);
    let has_digit = digits.bytes().any(|it| it.is_ascii_digit())
        || rest.strip_prefix('.').is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    if !digits.bytes().all(|it| it.is_ascii_digit()) || !rest.chars().all(is_allowed) || !has_digit
    {
        return Err(bad_number());
    }
    Ok(whole + rest)
}

fn to_decimal(value: &Scalar) -> Result<Decimal, Fault> {
    let overflow = || Fault::overflow("Value was either too large or too small for a Decimal.");
    match value {
        Scalar::Null | Scalar::Undefined | Scalar::NullString => Ok(Decimal::ZERO),
        Scalar::Bool(value) => Ok(Decimal::from(u8::from(*value))),
        Scalar::Int(value) => Ok(Decimal::from(*value)),
        Scalar::Big(digits) => digits.parse().map_err(|_| overflow()),
        // .NET rounds a double to 15 digits, a single to 7.
        Scalar::Float(value) => rounded_decimal(*value, 15).ok_or_else(overflow),
        Scalar::Single(value) => rounded_decimal(f64::from(*value), 7).ok_or_else(overflow),
        Scalar::Decimal(value) => Ok(*value),
        Scalar::String(text) | Scalar::Comment(text) | Scalar::Raw(text) => {
            let text = text.trim_matches(is_white);
            let (text, negative) = match text.strip_suffix('-') {
                Some(rest) => (rest, "-"),
                None => (text, ""),
            };
            let text = format!("{negative}{}", plain_number(text, false)?);
            let padded = text.trim_end_matches('.');
            padded.parse().map_err(|_| overflow())
        }
        _ => Err(invalid_cast(value, Target::Decimal)),
    }
}

fn rounded_decimal(value: f64, digits: usize) -> Option<Decimal> {
    if !value.is_finite() {
        return None;
    }
    if value == 0.0 {
        return Some(Decimal::ZERO);
    }
    let text = format!("{value:.*e}", digits - 1);
    Decimal::from_scientific(&text)
        .ok()
        .or_else(|| Decimal::from_f64(value))
        .or_else(|| (value.abs() < 1e-28).then_some(Decimal::ZERO))
        .map(|it| it.normalize())
}

fn to_char(value: &Scalar) -> Result<Scalar, Fault> {
    match value {
        Scalar::String(text) | Scalar::Comment(text) | Scalar::Raw(text) => {
            let mut units = text.encode_utf16();
            match (units.next(), units.next()) {
                (Some(unit), None) => Ok(Scalar::Int(i64::from(unit))),
                _ => Err(Fault::format("String must be exactly one character long.")),
            }
        }
        Scalar::Int(_) | Scalar::Big(_) => match to_integer(value, Target::UInt16, (0, 0xffff)) {
            Ok(value) => Ok(value),
            Err(_) => {
                Err(Fault::overflow("Value was either too large or too small for a character."))
            }
        },
        _ => Err(invalid_cast(value, Target::Char)),
    }
}

fn bad_date(text: &str) -> Fault {
    Fault::format(format!("String '{text}' was not recognized as a valid DateTime."))
}

fn to_date(value: &Scalar) -> Result<Scalar, Fault> {
    match value {
        Scalar::Date(date) => Ok(Scalar::Date(*date)),
        Scalar::DateOffset(date, _) => {
            Ok(Scalar::Date(DateTime { ticks: date.ticks, kind: DateKind::Unspecified }))
        }
        Scalar::String(text) | Scalar::Comment(text) | Scalar::Raw(text) => {
            let parsed = date::parse_text(text).ok_or_else(|| bad_date(text))?;
            // `DateTime.Parse` turns universal time into local time.
            let kind = match parsed.kind {
                DateKind::Unspecified => DateKind::Unspecified,
                DateKind::Utc | DateKind::Local => DateKind::Local,
            };
            Ok(Scalar::Date(DateTime { ticks: parsed.ticks, kind }))
        }
        Scalar::Null | Scalar::NullString | Scalar::Undefined => {
            Ok(Scalar::Date(DateTime { ticks: 0, kind: DateKind::Unspecified }))
        }
        _ => Err(invalid_cast(value, Target::DateTime)),
    }
}

fn to_date_offset(value: &Scalar) -> Result<Scalar, Fault> {
    match value {
        Scalar::DateOffset(..) => Ok(value.clone()),
        Scalar::Date(date) => Ok(Scalar::DateOffset(*date, 0)),
        _ => {
            let text = value.to_text();
            let (date, minutes) = date::iso_offset(&text)
                .or_else(|| date::parse_text(&text).map(|it| (it, 0)))
                .ok_or_else(|| bad_date(&text))?;
            Ok(Scalar::DateOffset(date, minutes))
        }
    }
}

fn special(text: &str, target: Target) -> Result<Scalar, Fault> {
    match target {
        Target::Guid => parse_guid(text).map(Scalar::Guid).ok_or_else(|| {
            Fault::format(
                "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).",
            )
        }),
        Target::TimeSpan => date::parse_time_span(text).map(Scalar::TimeSpan).ok_or_else(|| {
            Fault::format(format!("String '{text}' was not recognized as a valid TimeSpan."))
        }),
        Target::Uri => Ok(Scalar::Uri(Arc::from(text))),
        Target::Bytes => from_base64(text),
        _ => Ok(Scalar::String(Arc::from(text))),
    }
}

fn from_base64(text: &str) -> Result<Scalar, Fault> {
    let compact: String =
        text.chars().filter(|it| !matches!(it, ' ' | '\t' | '\r' | '\n')).collect();
    let bytes = STANDARD.decode(compact).map_err(|_| {
        Fault::format(
            "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters, or an illegal character among the padding characters.",
        )
    })?;
    Ok(Scalar::Bytes(Arc::from(bytes)))
}

fn guid_from_bytes(bytes: &[u8]) -> Result<Scalar, Fault> {
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| {
        Fault::argument("Byte array for GUID must be exactly 16 bytes long. (Parameter 'b')")
    })?;
    // .NET keeps the first three groups with their lowest byte first.
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let mut ordered = vec![d, c, b, a, f, e, h, g];
    ordered.extend(rest);
    Ok(Scalar::Guid(ordered.iter().fold(0, |sum, it| (sum << 8) | u128::from(*it))))
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
