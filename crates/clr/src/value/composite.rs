//! Formatting any value by a format string, and composite formatting: `{index,alignment:format}`.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/composite-formatting>

use dotnet::text::time::Zone;
use dotnet::text::{Builder, Failure, guid, number, time};
use dotnet::{Runtime, Str};

use crate::rows::TypeDef;
use crate::value::{DateTimeKind, Value};

/// The largest index and width that .NET accepts.
const LIMIT: usize = 1_000_000;

/// `IFormattable.ToString(format, null)`; types without formats ignore it, null is empty.
///
/// # Errors
///
/// [`Failure::Format`] for a format that means nothing to the type.
pub fn format_value(value: &Value, format: &str, runtime: Runtime) -> Result<Str, Failure> {
    if format.is_empty() {
        return Ok(value.to_str(runtime));
    }
    let integer = |it: i128, bits| number::format_integer(it, bits, format);
    let text = match value {
        Value::SByte(it) => integer(i128::from(*it), 8)?,
        Value::Byte(it) => integer(i128::from(*it), 8)?,
        Value::Int16(it) => integer(i128::from(*it), 16)?,
        Value::UInt16(it) => integer(i128::from(*it), 16)?,
        Value::Int(it) => integer(i128::from(*it), 32)?,
        Value::UInt(it) => integer(i128::from(*it), 32)?,
        Value::Long(it) => integer(i128::from(*it), 64)?,
        Value::ULong(it) => integer(i128::from(*it), 64)?,
        Value::Single(it) => number::format_float(*it, format, runtime)?,
        Value::Double(it) => number::format_double(*it, format, runtime)?,
        Value::Decimal(it) => number::format_decimal(*it, format)?,
        Value::Guid(it) => guid::format(*it, format)?,
        Value::DateTime(it) => time::format_date_time(it.ticks, zone(it.kind), format)?,
        Value::DateTimeOffset(it) => {
            time::format_date_time_offset(it.ticks, it.offset_minutes.into(), format)?
        }
        Value::TimeSpan(it) => time::span::format(*it, format)?,
        Value::Enum(def, it) => format_enum(def, *it, format)?,
        _ => return Ok(value.to_str(runtime)),
    };
    Ok(text.into())
}

/// What `ToString()` of a GUID or a time gives; empty for others.
pub(crate) fn plain(value: &Value) -> Str {
    let text = match value {
        Value::Guid(it) => guid::format(*it, ""),
        Value::DateTime(it) => time::format_date_time(it.ticks, zone(it.kind), ""),
        Value::DateTimeOffset(it) => {
            time::format_date_time_offset(it.ticks, it.offset_minutes.into(), "")
        }
        Value::TimeSpan(it) => time::span::format(*it, ""),
        _ => return Str::EMPTY,
    };
    // The default formats are never refused.
    text.map_or(Str::EMPTY, Str::from)
}

/// The zone of a kind.
pub fn zone(kind: DateTimeKind) -> Zone {
    match kind {
        DateTimeKind::Unspecified => Zone::Unspecified,
        DateTimeKind::Utc => Zone::Utc,
        DateTimeKind::Local => Zone::Local,
    }
}

fn format_enum(def: &TypeDef, value: i64, format: &str) -> Result<String, Failure> {
    match format {
        "G" | "g" | "F" | "f" => Ok(def.enum_text(value)),
        "D" | "d" => Ok(value.to_string()),
        "X" | "x" => number::format_integer(i128::from(value), 32, "X8"),
        _ => {
            let text = "Format string can be only \"G\", \"g\", \"X\", \"x\", \"F\", \"f\", \"D\" \
                        or \"d\".";
            Err(Failure::Format(text.to_owned()))
        }
    }
}

/// Formats one hole and pads it with spaces: to the left if `width` is positive.
///
/// # Errors
///
/// As [`format_value`].
pub fn format_hole(
    out: &mut Builder,
    value: &Value,
    width: i32,
    format: &str,
    runtime: Runtime,
) -> Result<(), Failure> {
    let text = format_value(value, format, runtime)?;
    let missing = (width.unsigned_abs() as usize).saturating_sub(text.len());
    if width > 0 {
        out.push_repeated(0x20, missing);
    }
    out.push(&text);
    if width < 0 {
        out.push_repeated(0x20, missing);
    }
    Ok(())
}

/// `string.Format`; `most` bounds the bytes of the result.
///
/// # Errors
///
/// [`Failure::Format`] for an ill-formed format, an index without argument, or a format that means
/// nothing to its argument; `None` if the result would be larger than `most`.
pub fn format(
    format: &str,
    arguments: &[Value],
    runtime: Runtime,
    most: usize,
) -> Result<Option<Str>, Failure> {
    let mut out = Builder::default();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (literal, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_text(literal);
        let brace = if tail.starts_with('{') { "{" } else { "}" };
        let after = tail.get(1..).unwrap_or_default();
        if let Some(escaped) = after.strip_prefix(brace) {
            out.push_text(brace);
            rest = escaped;
            continue;
        }
        if brace == "}" {
            return Err(ill_formed());
        }
        let hole = Hole::read(after, runtime).ok_or_else(ill_formed)?;
        let value = arguments.get(hole.index).ok_or_else(|| {
            let text = "Index (zero based) must be greater than or equal to zero and less than \
                        the size of the argument list.";
            Failure::Format(text.to_owned())
        })?;
        if out.len().saturating_add(hole.width.unsigned_abs() as usize) > most {
            return Ok(None);
        }
        format_hole(&mut out, value, hole.width, &hole.format, runtime)?;
        rest = hole.rest;
    }
    out.push_text(rest);
    Ok(Some(out.to_str()))
}

fn ill_formed() -> Failure {
    Failure::input_format()
}

struct Hole<'a> {
    index: usize,
    width: i32,
    format: String,
    rest: &'a str,
}

impl<'a> Hole<'a> {
    /// Reads what follows an opening brace.
    fn read(text: &'a str, runtime: Runtime) -> Option<Self> {
        let (index, rest) = number_at(text)?;
        let mut rest = rest.trim_start_matches(' ');
        let mut width = 0;
        if let Some(after) = rest.strip_prefix(',') {
            let after = after.trim_start_matches(' ');
            let (negative, digits) = match after.strip_prefix('-') {
                Some(digits) => (true, digits),
                None => (false, after),
            };
            let (size, after) = number_at(digits)?;
            let size = i32::try_from(size).ok()?;
            width = if negative { -size } else { size };
            rest = after.trim_start_matches(' ');
        }
        let mut format = String::new();
        if let Some(after) = rest.strip_prefix(':') {
            rest = after;
            loop {
                let end = rest.find(['{', '}'])?;
                let (text, tail) = rest.split_at_checked(end)?;
                format.push_str(text);
                rest = tail;
                // The first brace ends it; .NET Framework lets braces be doubled here.
                let doubled = rest.starts_with("{{") || rest.starts_with("}}");
                if runtime == Runtime::Framework && doubled {
                    format.push_str(rest.get(..1)?);
                    rest = rest.get(2..)?;
                } else if rest.starts_with('{') {
                    return None;
                } else {
                    break;
                }
            }
        }
        Some(Self { index, width, format, rest: rest.strip_prefix('}')? })
    }
}

fn number_at(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let value = digits.parse().ok().filter(|it| *it < LIMIT)?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: &str, arguments: &[Value]) -> Option<String> {
        let text = super::format(format, arguments, Runtime::Modern, 1 << 20).ok()?;
        text.map(|it| it.to_string())
    }

    #[test]
    fn holes_are_filled() {
        let args = [Value::from("ab"), Value::from(255), Value::from(1234.567), Value::Null];
        for (format, expected) in [
            ("{0} {1}", "ab 255"),
            ("{{{1}}}", "{255}"),
            ("{0,-5}|{0,5}|", "ab   |   ab|"),
            ("{1:X}{1:x4}", "FF00ff"),
            ("{2:N2}", "1,234.57"),
            ("{3}|", "|"),
            ("{0:abc}", "ab"),
            ("{1 , 6 :D4}", "  0255"),
            ("{0:}}}", "ab}"),
            ("é{0}", "éab"),
        ] {
            assert_eq!(shown(format, &args).as_deref(), Some(expected), "{format}");
        }
    }

    #[test]
    fn ill_formed_formats_are_refused() {
        for format in ["{", "}", "{0", "{x}", "{1}", "{0,}", "{0:", "{0:{}", "{-1}", "{9999999}"] {
            assert_eq!(shown(format, &[Value::from(1)]), None, "{format}");
        }
    }

    #[test]
    fn a_result_that_is_too_large_is_not_made() {
        let result = super::format("{0,999999}", &[Value::Null], Runtime::Modern, 1000);
        assert_eq!(result, Ok(None));
    }

    proptest::proptest! {
        #[test]
        fn no_format_panics(format in "[{}0-9,: -]{0,16}") {
            let _ = shown(&format, &[Value::from(1), Value::from("é")]);
        }
    }
}
