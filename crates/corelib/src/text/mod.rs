//! Text, numbers and time: rows over the engines of [`dotnet::text`].
//!
//! A row checks its arguments, counts what it allocates and calls an engine.

mod adjustment_rule;
pub(crate) mod bitconverter;
pub(crate) mod char;
pub(crate) mod convert;
pub(crate) mod culture;
pub(crate) mod datetime;
pub(crate) mod datetimeoffset;
pub(crate) mod dbnull;
pub(crate) mod decimal;
pub(crate) mod encoding;
mod encoding_buffers;
pub(crate) mod enumeration;
pub(crate) mod enums;
pub(crate) mod environment;
pub(crate) mod floats;
pub(crate) mod guid;
pub(crate) mod integers;
pub(crate) mod ipaddress;
pub(crate) mod math;
mod moment;
pub(crate) mod random;
pub mod reader;
pub(crate) mod string;
pub(crate) mod string_build;
pub(crate) mod string_compare;
pub(crate) mod string_comparer;
mod string_room;
pub(crate) mod string_search;
pub(crate) mod string_split;
pub(crate) mod stringbuilder;
pub(crate) mod timespan;
pub(crate) mod timezone;
mod timezone_made;
pub(crate) mod uri;
pub(crate) mod version;
pub(crate) mod webutility;

pub(crate) use clr::rows::{count, joined};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::types::{Type, names};
use clr::value::{Array, Value};
use dotnet::Str;
use dotnet::text::Failure;
use dotnet::text::compare::Comparison;

/// `StringComparison`
pub(crate) const COMPARISON: Type = Type::named(names::STRINGCOMPARISON);
/// `IFormatProvider`
pub(crate) const PROVIDER: Type = Type::named(names::IFORMATPROVIDER);
/// `CultureInfo`
pub(crate) const CULTURE: Type = Type::named("System.Globalization.CultureInfo");
/// `char[]`
pub(crate) const CHARS: Type = Type::Array(&Type::Char);

/// A new string, counted.
pub(crate) fn made(cx: &mut EvalCx<'_>, text: impl Into<Str>) -> Result<Value, Exception> {
    let text = text.into();
    cx.allocate(text.size())?;
    Ok(Value::String(text))
}

/// Counts looking through a text once.
pub(crate) fn scan(cx: &mut EvalCx<'_>, text: &Str) -> Result<(), Exception> {
    cx.steps(text.len() as u64 / 64)
}

/// Counts comparing each place of a text with a pattern.
pub(crate) fn search(cx: &mut EvalCx<'_>, text: &Str, pattern: &Str) -> Result<(), Exception> {
    cx.steps((text.len() as u64).saturating_mul(pattern.len() as u64 / 16 + 1) / 64)
}

/// The units of a `char[]`.
pub(crate) fn units(array: &Array) -> Vec<u16> {
    array.items().iter().map(|it| if let Value::Char(unit) = it { *unit } else { 0 }).collect()
}

/// A `char[]` of units.
pub(crate) fn char_array(cx: &mut EvalCx<'_>, units: &[u16]) -> Result<Value, Exception> {
    cx.allocate(units.len() * size_of::<Value>())?;
    Ok(Value::array(Type::Char, units.iter().map(|unit| Value::Char(*unit)).collect()))
}

/// The `StringComparison` of an argument.
pub(crate) fn comparison(value: i64) -> Result<Comparison, Exception> {
    Comparison::of(value).ok_or_else(|| {
        let text = "The string comparison type passed in is currently not supported.";
        Failure::Argument(text.to_owned(), "comparisonType").into()
    })
}

/// `System.ArgumentOutOfRangeException` with a text of its own.
pub(crate) fn out_of_range(text: &str, parameter: &'static str) -> Exception {
    Failure::Range(text.to_owned(), parameter).into()
}

/// A `MidpointRounding` that does not exist.
pub(crate) fn bad_rounding() -> Exception {
    let text = "The value is not valid for this usage of the type MidpointRounding.";
    Failure::Argument(text.to_owned(), "mode").into()
}

/// An index that must not be negative.
pub(crate) fn index(value: i32, parameter: &'static str) -> Result<usize, Exception> {
    usize::try_from(value).map_err(|_| {
        out_of_range(
            "Index was out of range. Must be non-negative and less than the size of the collection.",
            parameter,
        )
    })
}

/// A part of something of a length: start and count as .NET checks them.
pub(crate) fn part(
    start: i32,
    count: i32,
    length: usize,
    names: (&'static str, &'static str),
) -> Result<std::ops::Range<usize>, Exception> {
    let start = index(start, names.0)?;
    let wrong = "Index and length must refer to a location within the string.";
    let count = usize::try_from(count).map_err(|_| out_of_range(wrong, names.1))?;
    match start.checked_add(count) {
        Some(end) if end <= length => Ok(start..end),
        _ if start > length => Err(out_of_range(wrong, names.0)),
        _ => Err(out_of_range(wrong, names.1)),
    }
}

/// Copies units of a text into a `char[]`.
pub(crate) fn copy_units(
    cx: &mut EvalCx<'_>,
    text: &Str,
    from: i32,
    to: &Array,
    at: i32,
    count: i32,
) -> Result<Value, Exception> {
    let range = part(from, count, text.len(), ("sourceIndex", "count"))?;
    let place = part(at, count, to.len(), ("destinationIndex", "count"))?.start;
    cx.steps(range.len() as u64 / 16)?;
    let units = text.units();
    for (offset, unit) in units.get(range).unwrap_or_default().iter().enumerate() {
        to.set(place + offset, Value::Char(*unit));
    }
    Ok(Value::Null)
}

/// A position as the `int` that .NET gives; -1 for none.
pub(crate) fn position(at: Option<usize>) -> Value {
    Value::Int(at.and_then(|it| i32::try_from(it).ok()).unwrap_or(-1))
}

/// A length as an `int`.
pub(crate) fn length(of: usize) -> Value {
    Value::Int(i32::try_from(of).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_must_lie_inside() {
        let names = ("startIndex", "length");
        assert_eq!(part(1, 2, 3, names).unwrap(), 1..3);
        for (start, count) in [(-1, 0), (0, -1), (4, 0), (1, 3), (i32::MAX, i32::MAX)] {
            let error = part(start, count, 3, names).unwrap_err();
            assert_eq!(error.type_name, "System.ArgumentOutOfRangeException");
        }
    }
}
