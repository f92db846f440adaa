//! `ToString()` without a format, in the invariant culture.

use std::fmt::Write as _;

use super::{DateTime, DateTimeOffset, Value};
use crate::Runtime;
use crate::string::Str;

/// The text of a value; empty for null.
#[must_use]
pub fn text_of(value: &Value, runtime: Runtime) -> Str {
    match value {
        Value::Null => Str::EMPTY,
        Value::Bool(true) => Str::from_static("True"),
        Value::Bool(false) => Str::from_static("False"),
        Value::Char(it) => Str::from_unit(*it),
        Value::SByte(it) => it.to_string().into(),
        Value::Byte(it) => it.to_string().into(),
        Value::Int16(it) => it.to_string().into(),
        Value::UInt16(it) => it.to_string().into(),
        Value::Int(it) => it.to_string().into(),
        Value::UInt(it) => it.to_string().into(),
        Value::Long(it) => it.to_string().into(),
        Value::ULong(it) => it.to_string().into(),
        Value::Single(it) => single(*it, runtime).into(),
        Value::Double(it) => double(*it, runtime).into(),
        Value::Decimal(it) => it.to_string().into(),
        Value::String(it) => it.clone(),
        Value::Guid(it) => guid(it).into(),
        Value::DateTime(it) => date_time(*it).into(),
        Value::DateTimeOffset(it) => date_time_offset(*it).into(),
        Value::TimeSpan(it) => time_span(*it).into(),
        Value::Enum(def, it) => def.enum_text(*it).into(),
        Value::Object(it) => it.to_text(runtime),
        Value::Host(it) => Str::from(it.static_type().full_name()),
        Value::Array(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Sequence(_)
        | Value::Func(_) => Str::from(value.type_name()),
    }
}

/// `D` format.
fn guid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A double: the shortest digits that round-trip, or 15 digits on .NET Framework.
#[must_use]
pub fn double(it: f64, runtime: Runtime) -> String {
    match runtime {
        Runtime::Modern => general(it, &format!("{it:e}"), 17),
        Runtime::Framework => general(it, &format!("{it:.14e}"), 15),
    }
}

/// A float: the shortest digits that round-trip, or 7 digits on .NET Framework.
#[must_use]
pub fn single(it: f32, runtime: Runtime) -> String {
    match runtime {
        Runtime::Modern => general(f64::from(it), &format!("{it:e}"), 9),
        Runtime::Framework => general(f64::from(it), &format!("{it:.6e}"), 7),
    }
}

/// .NET's general format of `d.ddde-x`: scientific below 1e-4 and above the given digits.
fn general(value: f64, scientific: &str, max_digits: i32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        // Modern .NET keeps the sign of zero, .NET Framework drops it.
        return if max_digits == 17 || max_digits == 9 {
            format!("{sign}0")
        } else {
            "0".to_owned()
        };
    }
    if !(-4..max_digits).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}E{mark}{:02}", exponent.abs());
    }
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent + 1).unwrap_or(1);
    match digits.split_at_checked(whole) {
        Some((head, "")) => format!("{sign}{head}"),
        Some((head, tail)) => format!("{sign}{head}.{tail}"),
        None => format!("{sign}{digits}{}", "0".repeat(whole - digits.len())),
    }
}

/// `MM/dd/yyyy HH:mm:ss`.
fn date_time(it: DateTime) -> String {
    let seconds = it.ticks.div_euclid(10_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!(
        "{month:02}/{day:02}/{year:04} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

fn date_time_offset(it: DateTimeOffset) -> String {
    let sign = if it.offset_minutes < 0 { '-' } else { '+' };
    let minutes = it.offset_minutes.unsigned_abs();
    let clock = date_time(DateTime { ticks: it.ticks, ..DateTime::default() });
    format!("{clock} {sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Year, month and day of days since 0001-01-01 (proleptic Gregorian).
fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that leap days end a year.
    let z = days + 306;
    let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// `[-][d.]hh:mm:ss[.fffffff]`.
fn time_span(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let all = ticks.unsigned_abs();
    let (seconds, fraction) = (all / 10_000_000, all % 10_000_000);
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    let mut text = sign.to_owned();
    if days > 0 {
        let _ = write!(text, "{days}.");
    }
    let _ = write!(text, "{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60);
    if fraction > 0 {
        let _ = write!(text, ".{fraction:07}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_dotnet_writes_them() {
        let cases = [
            (0.1 + 0.2, "0.30000000000000004", "0.3"),
            (1e15, "1000000000000000", "1E+15"),
            (1e17, "1E+17", "1E+17"),
            (-0.0, "-0", "0"),
            (1e-5, "1E-05", "1E-05"),
            (0.0001, "0.0001", "0.0001"),
            (1234.5, "1234.5", "1234.5"),
            (f64::NEG_INFINITY, "-Infinity", "-Infinity"),
        ];
        for (it, modern, framework) in cases {
            assert_eq!(double(it, Runtime::Modern), modern);
            assert_eq!(double(it, Runtime::Framework), framework);
        }
    }

    #[test]
    fn values_have_their_invariant_text() {
        let cases = [
            (Value::from(true), "True"),
            (Value::TimeSpan(2_345_678), "00:00:00.2345678"),
            (Value::TimeSpan(-864_000_000_000 - 10_000_000), "-1.00:00:01"),
            (Value::DateTime(DateTime::utc(638_000_000_000_000_000)), "09/28/2022 22:13:20"),
            (Value::Guid([0xab; 16]), "abababab-abab-abab-abab-abababababab"),
            (Value::Null, ""),
        ];
        for (value, text) in cases {
            assert_eq!(value.to_text(), text);
        }
    }
}
