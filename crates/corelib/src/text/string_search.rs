//! `System.String`: members that find something.
//! <https://learn.microsoft.com/dotnet/api/system.string.indexof>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::Type;
use clr::value::{Array, Value};
use dotnet::Str;
use dotnet::text::chars::to_upper;
use dotnet::text::compare::{Comparison, Which, find};

use super::units;
use super::{CHARS, COMPARISON, CULTURE, comparison, out_of_range, part, position, scan, search};

const STRING: Type = Type::String;
const INT: Type = Type::Int32;
const BOOL: Type = Type::Bool;
const CHAR: Type = Type::Char;

pub(super) const MEMBERS: &[Member] = &[
    Member::method("Contains", &[STRING], BOOL, |args, cx| {
        let (text, pattern) = args.get()?;
        Ok(found(cx, &text, &pattern, Comparison::Ordinal, Which::First)?.is_some().into())
    })
    .params(&["value"]),
    Member::method("Contains", &[STRING, COMPARISON], BOOL, |args, cx| {
        let (text, pattern, kind) = args.get()?;
        Ok(found(cx, &text, &pattern, comparison(kind)?, Which::First)?.is_some().into())
    })
    .params(&["value", "comparisonType"]),
    Member::method("Contains", &[CHAR], BOOL, |args, cx| {
        let (text, unit): (Str, u16) = args.get()?;
        scan(cx, &text)?;
        Ok(text.units().contains(&unit).into())
    })
    .params(&["value"]),
    Member::method("Contains", &[CHAR, COMPARISON], BOOL, |args, cx| {
        let (text, unit, kind): (_, u16, _) = args.get()?;
        let pattern = Str::from_unit(unit);
        Ok(found(cx, &text, &pattern, comparison(kind)?, Which::First)?.is_some().into())
    })
    .params(&["value", "comparisonType"]),
    Member::method("StartsWith", &[STRING], BOOL, |args, cx| {
        let (text, pattern) = args.get()?;
        Ok(found(cx, &text, &pattern, Comparison::Culture, Which::Prefix)?.is_some().into())
    })
    .params(&["value"]),
    Member::method("StartsWith", &[STRING, COMPARISON], BOOL, |args, cx| {
        let (text, pattern, kind) = args.get()?;
        Ok(found(cx, &text, &pattern, comparison(kind)?, Which::Prefix)?.is_some().into())
    })
    .params(&["value", "comparisonType"]),
    Member::method("StartsWith", &[STRING, BOOL, CULTURE], BOOL, |args, cx| {
        let (text, pattern, ignore, _): (_, _, _, Value) = args.get()?;
        Ok(found(cx, &text, &pattern, culture(ignore), Which::Prefix)?.is_some().into())
    })
    .params(&["value", "ignoreCase", "culture"]),
    Member::method("StartsWith", &[CHAR], BOOL, |args, _| {
        let (text, unit): (Str, u16) = args.get()?;
        Ok((text.unit(0) == Some(unit)).into())
    })
    .params(&["value"]),
    Member::method("EndsWith", &[STRING], BOOL, |args, cx| {
        let (text, pattern) = args.get()?;
        Ok(found(cx, &text, &pattern, Comparison::Culture, Which::Suffix)?.is_some().into())
    })
    .params(&["value"]),
    Member::method("EndsWith", &[STRING, COMPARISON], BOOL, |args, cx| {
        let (text, pattern, kind) = args.get()?;
        Ok(found(cx, &text, &pattern, comparison(kind)?, Which::Suffix)?.is_some().into())
    })
    .params(&["value", "comparisonType"]),
    Member::method("EndsWith", &[STRING, BOOL, CULTURE], BOOL, |args, cx| {
        let (text, pattern, ignore, _): (_, _, _, Value) = args.get()?;
        Ok(found(cx, &text, &pattern, culture(ignore), Which::Suffix)?.is_some().into())
    })
    .params(&["value", "ignoreCase", "culture"]),
    Member::method("EndsWith", &[CHAR], BOOL, |args, _| {
        let (text, unit): (Str, u16) = args.get()?;
        Ok((text.len().checked_sub(1).and_then(|at| text.unit(at)) == Some(unit)).into())
    })
    .params(&["value"]),
    // IndexOf
    Member::method("IndexOf", &[CHAR], INT, first_char).params(&["value"]),
    Member::method("IndexOf", &[CHAR, INT], INT, first_char).params(&["value", "startIndex"]),
    Member::method("IndexOf", &[CHAR, INT, INT], INT, first_char).params(&[
        "value",
        "startIndex",
        "count",
    ]),
    Member::method("IndexOf", &[CHAR, COMPARISON], INT, |args, cx| {
        let (text, unit, kind): (Str, u16, i64) = args.get()?;
        scan(cx, &text)?;
        let ignore = comparison(kind)?.ignores_case();
        let same = |it: &u16| *it == unit || (ignore && to_upper(*it) == to_upper(unit));
        Ok(position(text.units().iter().position(same)))
    })
    .params(&["value", "comparisonType"]),
    Member::method("IndexOf", &[STRING], INT, first_text).params(&["value"]),
    Member::method("IndexOf", &[STRING, INT], INT, first_text).params(&["value", "startIndex"]),
    Member::method("IndexOf", &[STRING, INT, INT], INT, first_text).params(&[
        "value",
        "startIndex",
        "count",
    ]),
    Member::method("IndexOf", &[STRING, COMPARISON], INT, first_text)
        .params(&["value", "comparisonType"]),
    Member::method("IndexOf", &[STRING, INT, COMPARISON], INT, first_text).params(&[
        "value",
        "startIndex",
        "comparisonType",
    ]),
    Member::method("IndexOf", &[STRING, INT, INT, COMPARISON], INT, first_text).params(&[
        "value",
        "startIndex",
        "count",
        "comparisonType",
    ]),
    Member::method("IndexOfAny", &[CHARS], INT, first_char).params(&["anyOf"]),
    Member::method("IndexOfAny", &[CHARS, INT], INT, first_char).params(&["anyOf", "startIndex"]),
    Member::method("IndexOfAny", &[CHARS, INT, INT], INT, first_char).params(&[
        "anyOf",
        "startIndex",
        "count",
    ]),
    // LastIndexOf
    Member::method("LastIndexOf", &[CHAR], INT, last_char).params(&["value"]),
    Member::method("LastIndexOf", &[CHAR, INT], INT, last_char).params(&["value", "startIndex"]),
    Member::method("LastIndexOf", &[CHAR, INT, INT], INT, last_char).params(&[
        "value",
        "startIndex",
        "count",
    ]),
    Member::method("LastIndexOf", &[STRING], INT, last_text).params(&["value"]),
    Member::method("LastIndexOf", &[STRING, INT], INT, last_text).params(&["value", "startIndex"]),
    Member::method("LastIndexOf", &[STRING, INT, INT], INT, last_text).params(&[
        "value",
        "startIndex",
        "count",
    ]),
    Member::method("LastIndexOf", &[STRING, COMPARISON], INT, last_text)
        .params(&["value", "comparisonType"]),
    Member::method("LastIndexOf", &[STRING, INT, COMPARISON], INT, last_text).params(&[
        "value",
        "startIndex",
        "comparisonType",
    ]),
    Member::method("LastIndexOf", &[STRING, INT, INT, COMPARISON], INT, last_text).params(&[
        "value",
        "startIndex",
        "count",
        "comparisonType",
    ]),
    Member::method("LastIndexOfAny", &[CHARS], INT, last_char).params(&["anyOf"]),
    Member::method("LastIndexOfAny", &[CHARS, INT], INT, last_char)
        .params(&["anyOf", "startIndex"]),
    Member::method("LastIndexOfAny", &[CHARS, INT, INT], INT, last_char).params(&[
        "anyOf",
        "startIndex",
        "count",
    ]),
];

fn culture(ignore_case: bool) -> Comparison {
    if ignore_case { Comparison::CultureIgnoreCase } else { Comparison::Culture }
}

fn found(
    cx: &mut EvalCx<'_>,
    text: &Str,
    pattern: &Str,
    by: Comparison,
    which: Which,
) -> Result<Option<usize>, Exception> {
    if matches!(which, Which::First | Which::Last) {
        search(cx, text, pattern)?;
    }
    Ok(find(text, pattern, by, which).map(|(at, _)| at))
}

/// The units to look for: one, or any of an array.
fn wanted(args: &mut Args<'_>) -> Result<Vec<u16>, Exception> {
    if let Value::Char(unit) = args.value(1) {
        return Ok(vec![*unit]);
    }
    let array: Arc<Array> = args.arg(1)?;
    Ok(units(&array))
}

/// The integers and the comparison that follow the thing to look for.
fn range_and_comparison(args: &Args<'_>) -> Result<(Vec<i32>, Comparison), Exception> {
    let mut numbers = Vec::new();
    let mut by = Comparison::Culture;
    for value in args.values().iter().skip(2) {
        match value {
            Value::Int(it) => numbers.push(*it),
            Value::Enum(_, kind) => by = comparison(*kind)?,
            _ => {}
        }
    }
    Ok((numbers, by))
}

/// The part from a start, as long as asked for or to the end.
fn forward(numbers: &[i32], length: usize) -> Result<std::ops::Range<usize>, Exception> {
    let start = numbers.first().copied().unwrap_or(0);
    let start = part(start, 0, length, ("startIndex", "startIndex"))?.start;
    match numbers.get(1) {
        None => Ok(start..length),
        Some(count) => {
            let wrong = "Count must be positive and count must refer to a location within the \
                         string/array/collection.";
            let count = usize::try_from(*count).ok().filter(|it| *it <= length - start);
            count.map(|it| start..start + it).ok_or_else(|| out_of_range(wrong, "count"))
        }
    }
}

fn first_char(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (text, wanted): (Str, _) = (args.arg(0)?, wanted(args)?);
    let (numbers, _) = range_and_comparison(args)?;
    let range = forward(&numbers, text.len())?;
    cx.steps(text.len() as u64 * (wanted.len() as u64 + 1) / 64)?;
    let units = text.units();
    let within = units.get(range.clone()).unwrap_or_default();
    Ok(position(within.iter().position(|it| wanted.contains(it)).map(|at| at + range.start)))
}

fn first_text(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (text, pattern): (Str, Str) = (args.arg(0)?, args.arg(1)?);
    let (numbers, by) = range_and_comparison(args)?;
    let range = forward(&numbers, text.len())?;
    let start = range.start;
    let within = text.slice(range).unwrap_or(Str::EMPTY);
    let at = found(cx, &within, &pattern, by, Which::First)?;
    Ok(position(at.map(|it| it + start)))
}

fn last_char(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (text, wanted): (Str, _) = (args.arg(0)?, wanted(args)?);
    let (numbers, _) = range_and_comparison(args)?;
    if text.is_empty() {
        return Ok((-1).into());
    }
    let outside = "Index was out of range. Must be non-negative and less than the size of the \
                   collection.";
    let start = match numbers.first() {
        None => text.len() - 1,
        Some(it) => usize::try_from(*it)
            .ok()
            .filter(|it| *it < text.len())
            .ok_or_else(|| out_of_range(outside, "startIndex"))?,
    };
    let count = match numbers.get(1) {
        None => start + 1,
        Some(it) => usize::try_from(*it)
            .ok()
            .filter(|it| *it <= start + 1)
            .ok_or_else(|| out_of_range(outside, "count"))?,
    };
    cx.steps(text.len() as u64 * (wanted.len() as u64 + 1) / 64)?;
    let first = start + 1 - count;
    let units = text.units();
    let within = units.get(first..=start).unwrap_or_default();
    Ok(position(within.iter().rposition(|it| wanted.contains(it)).map(|at| at + first)))
}

fn last_text(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (text, pattern): (Str, Str) = (args.arg(0)?, args.arg(1)?);
    let (numbers, by) = range_and_comparison(args)?;
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let mut start = numbers.first().map_or(length - 1, |it| i64::from(*it));
    let mut count = numbers.get(1).map_or(start + 1, |it| i64::from(*it));
    if length == 0 && (start == -1 || start == 0) {
        return Ok(if pattern.is_empty() { 0 } else { -1 }.into());
    }
    let outside = "Index was out of range. Must be non-negative and less than the size of the \
                   collection.";
    if start < 0 || start > length {
        return Err(out_of_range(outside, "startIndex"));
    }
    if start == length {
        start -= 1;
        count -= i64::from(count > 0);
    }
    if count < 0 || start - count + 1 < 0 {
        return Err(out_of_range("Count must be positive.", "count"));
    }
    if pattern.is_empty() {
        return Ok(position(usize::try_from(start).ok()));
    }
    let (first, end) = ((start - count + 1) as usize, start as usize + 1);
    let within = text.slice(first..end).unwrap_or(Str::EMPTY);
    let at = found(cx, &within, &pattern, by, Which::Last)?;
    Ok(position(at.map(|it| it + first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_run_forward_to_the_end() {
        assert_eq!(forward(&[], 3).unwrap(), 0..3);
        assert_eq!(forward(&[3], 3).unwrap(), 3..3);
        assert_eq!(forward(&[1, 1], 3).unwrap(), 1..2);
        assert!(forward(&[4], 3).is_err() && forward(&[1, 3], 3).is_err());
        assert!(forward(&[-1], 3).is_err() && forward(&[0, -1], 3).is_err());
    }
}
