//! Text of values in XML (`XmlConvert`): casts of elements and attributes, and content.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.xml.xmlconvert>

use super::Fault;
use crate::json::{DateKind, DateTime, Scalar, Target, convert_scalar, date, number};

/// The text of a value as content: `true`, `1.5`, ISO 8601 dates and durations.
#[must_use]
pub fn content_text(value: &Scalar) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Float(value) => {
            special_float(*value).map_or_else(|| number::double_text(*value), str::to_owned)
        }
        Scalar::Single(value) => special_float(f64::from(*value))
            .map_or_else(|| number::single_text(*value), str::to_owned),
        Scalar::Date(value) => date::json(*value),
        Scalar::DateOffset(value, 0) => {
            let utc = DateTime { ticks: value.ticks, kind: DateKind::Utc };
            date::json(utc)
        }
        Scalar::DateOffset(value, minutes) => date::json_offset(*value, *minutes),
        Scalar::TimeSpan(ticks) => duration(*ticks),
        other => other.to_text().to_string(),
    }
}

fn special_float(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "INF" } else { "-INF" })
    } else {
        None
    }
}

/// `(T)element`: the text as a value of that type.
///
/// # Errors
///
/// `FormatException`, `OverflowException`.
pub fn cast(text: &str, target: Target) -> Result<Scalar, Fault> {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
    let invalid =
        || Fault::format(format!("The string '{text}' is not a valid {} value.", target.name()));
    match target {
        Target::String => Ok(Scalar::from(text)),
        Target::Bool => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Scalar::Bool(true)),
            "false" | "0" => Ok(Scalar::Bool(false)),
            _ => Err(invalid()),
        },
        Target::Double | Target::Single => {
            let value = match trimmed {
                "INF" => f64::INFINITY,
                "-INF" => f64::NEG_INFINITY,
                other => {
                    let is_plain = !other.contains(',');
                    match convert_scalar(&Scalar::from(other), Target::Double) {
                        Ok(Scalar::Float(value)) if is_plain => value,
                        _ => return Err(Fault::format("Input string was not in a correct format.")),
                    }
                }
            };
            #[expect(clippy::cast_possible_truncation, reason = "the type says float")]
            Ok(if target == Target::Single { Scalar::Single(value as f32) } else { value.into() })
        }
        Target::DateTime => match date::iso(trimmed.as_bytes()).or_else(|| date::parse_text(trimmed)) {
            Some(date) => Ok(Scalar::Date(date)),
            None => Err(Fault::format(format!(
                "String '{text}' was not recognized as a valid DateTime."
            ))),
        },
        Target::DateTimeOffset => match date::iso_offset(trimmed) {
            Some((date, minutes)) => Ok(Scalar::DateOffset(date, minutes)),
            None => date::parse_text(trimmed)
                .map(|it| Scalar::DateOffset(it, 0))
                .ok_or_else(invalid),
        },
        Target::TimeSpan => parse_duration(trimmed).map(Scalar::TimeSpan).ok_or_else(invalid),
        Target::Guid => crate::json::parse_guid(trimmed).map(Scalar::Guid).ok_or_else(|| {
            Fault::format("Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).")
        }),
        _ => convert_scalar(&Scalar::from(trimmed), target),
    }
}

const SECOND: i64 = 10_000_000;

/// A duration as ISO 8601 writes it: `P1DT2H3M4.5S`.
fn duration(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = ticks.unsigned_abs();
    let second = SECOND.unsigned_abs();
    let (days, rest) = (ticks / (86_400 * second), ticks % (86_400 * second));
    let (hours, minutes) = (rest / (3600 * second), rest / (60 * second) % 60);
    let (seconds, fraction) = (rest / second % 60, rest % second);
    let mut date = String::new();
    if days > 0 {
        date = format!("{days}D");
    }
    let mut time = String::new();
    if hours > 0 {
        time.push_str(&format!("{hours}H"));
    }
    if minutes > 0 {
        time.push_str(&format!("{minutes}M"));
    }
    if seconds > 0 || fraction > 0 {
        let fraction = format!(".{fraction:07}");
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        time.push_str(&format!("{seconds}{fraction}S"));
    }
    match (date.is_empty(), time.is_empty()) {
        (true, true) => "PT0S".to_owned(),
        (_, true) => format!("{sign}P{date}"),
        _ => format!("{sign}P{date}T{time}"),
    }
}

fn parse_duration(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let text = text.strip_prefix('P')?;
    let (date, time) = match text.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut ticks: i64 = 0;
    for (part, units) in [
        (date, &[('Y', 365 * 86_400), ('M', 30 * 86_400), ('D', 86_400)]),
        (time, &[('H', 3600), ('M', 60), ('S', 1)]),
    ] {
        let mut rest = part;
        for (unit, seconds) in units {
            let Some((number, after)) = rest.split_once(*unit) else { continue };
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if !fraction.is_empty() && *unit != 'S' || fraction.len() > 7 {
                return None;
            }
            let whole: i64 = whole.parse().ok()?;
            let fraction: i64 = format!("{fraction:0<7}").parse().ok()?;
            ticks = ticks
                .checked_add(whole.checked_mul(*seconds)?.checked_mul(SECOND)?)?
                .checked_add(fraction)?;
            rest = after;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    ticks.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::{cast, content_text};
    use crate::json::{Scalar, Target};

    #[test]
    fn content_is_written_as_xml_schema_says() {
        let cases = [
            (Scalar::from(true), "true"),
            (Scalar::from(1.5), "1.5"),
            (Scalar::from(f64::INFINITY), "INF"),
            (Scalar::TimeSpan(36 * 36_000_000_000), "P1DT12H"),
            (Scalar::TimeSpan(-15_000_000), "-PT1.5S"),
            (Scalar::TimeSpan(0), "PT0S"),
        ];
        for (value, text) in cases {
            assert_eq!(content_text(&value), text);
        }
    }

    #[test]
    fn text_is_cast_as_xml_schema_says() {
        let cases = [
            (" 1 ", Target::Int32, Some("1")),
            ("1.50", Target::Decimal, Some("1.50")),
            ("TRUE", Target::Bool, Some("True")),
            ("1", Target::Bool, Some("True")),
            ("yes", Target::Bool, None),
            ("x", Target::Int32, None),
            ("INF", Target::Double, Some("Infinity")),
            ("1,5", Target::Double, None),
            ("P1DT12H", Target::TimeSpan, Some("1.12:00:00")),
            ("12:00", Target::TimeSpan, None),
            ("2024-02-03T04:05:06Z", Target::DateTime, Some("02/03/2024 04:05:06")),
        ];
        for (text, target, expected) in cases {
            let found = cast(text, target).ok().map(|it| it.to_text().to_string());
            assert_eq!(found.as_deref(), expected, "{text} {target:?}");
        }
    }
}
