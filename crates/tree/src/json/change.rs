//! `Convert.ToInt32` and its like over the values of tokens, with the invariant culture.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.convert>

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};

use super::convert::{Target, invalid_cast};
use super::scalar::{DateKind, DateTime, Scalar, parse_guid};
use super::{Fault, date};

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

pub(super) fn special(text: &str, target: Target) -> Result<Scalar, Fault> {
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

pub(super) fn from_base64(text: &str) -> Result<Scalar, Fault> {
    let compact: String =
        text.chars().filter(|it| !matches!(it, ' ' | '\t' | '\r' | '\n')).collect();
    let bytes = STANDARD.decode(compact).map_err(|_| {
        Fault::format(
            "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters, or an illegal character among the padding characters.",
        )
    })?;
    Ok(Scalar::Bytes(Arc::from(bytes)))
}

pub(super) fn guid_from_bytes(bytes: &[u8]) -> Result<Scalar, Fault> {
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
    use super::convert_scalar;
    use crate::json::{Scalar, Target};

    #[test]
    fn texts_become_numbers_by_the_rules_of_each_type() {
        let cases = [
            (" 12 ", Target::Int32, Some("12")),
            ("1.5", Target::Int32, None),
            ("1,234.5", Target::Double, Some("1234.5")),
            ("1e3", Target::Double, Some("1000")),
            ("1e3", Target::Decimal, None),
            ("1.10", Target::Decimal, Some("1.10")),
            ("5-", Target::Decimal, Some("-5")),
            ("TRUE ", Target::Bool, Some("True")),
            ("yes", Target::Bool, None),
            ("", Target::Double, None),
        ];
        for (text, target, expected) in cases {
            let found = convert_scalar(&Scalar::from(text), target).ok();
            let found = found.map(|it| it.to_text().to_string());
            assert_eq!(found.as_deref(), expected, "{text} {target:?}");
        }
    }

    #[test]
    fn doubles_become_decimals_of_15_digits() {
        let decimal = convert_scalar(&Scalar::from(0.1 + 0.2), Target::Decimal).unwrap();
        assert_eq!(&*decimal.to_text(), "0.3");
        assert!(convert_scalar(&Scalar::from(1e40), Target::Decimal).is_err());
    }
}
