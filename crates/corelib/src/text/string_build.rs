//! `System.String`: members that make a string of others.
//! <https://learn.microsoft.com/dotnet/api/system.string.join>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::{Type, names};
use clr::value::composite;
use clr::value::{Array, Value};
use dotnet::{Runtime, Str};

use super::{CHARS, PROVIDER, made, out_of_range, part, units};

const STRING: Type = Type::String;
const OBJECT: Type = Type::Object;
const INT: Type = Type::Int32;
const MANY_STRINGS: Type = Type::Params(&Type::String);
const MANY_OBJECTS: Type = Type::Params(&Type::Object);
const STRINGS: Type = Type::Named(names::IENUMERABLE, &[Type::String]);
const ITEMS: Type = Type::Named(names::IENUMERABLE, &[Type::M]);

pub(super) const MEMBERS: &[Member] = &[
    Member::constructor(&[CHARS], STRING, |args, cx| {
        let (array,): (Option<Arc<Array>>,) = args.get()?;
        made(cx, Str::from_units(&array.map(|it| units(&it)).unwrap_or_default()))
    })
    .params(&["value"]),
    Member::constructor(&[CHARS, INT, INT], STRING, |args, cx| {
        let (array, start, count): (Arc<Array>, i32, i32) = args.get()?;
        let all = units(&array);
        let range = part(start, count, all.len(), ("startIndex", "length"))?;
        made(cx, Str::from_units(all.get(range).unwrap_or_default()))
    })
    .params(&["value", "startIndex", "length"]),
    Member::constructor(&[Type::Char, INT], STRING, |args, cx| {
        let (unit, count): (u16, i32) = args.get()?;
        let Ok(count) = usize::try_from(count) else {
            return Err(out_of_range("'count' must be non-negative.", "count"));
        };
        cx.allocate(count)?;
        made(cx, Str::from_units(&vec![unit; count]))
    })
    .params(&["c", "count"]),
    // Concat
    Member::static_method("Concat", &[OBJECT], STRING, concat),
    Member::static_method("Concat", &[OBJECT, OBJECT], STRING, concat),
    Member::static_method("Concat", &[OBJECT, OBJECT, OBJECT], STRING, concat),
    Member::static_method("Concat", &[STRING, STRING], STRING, concat),
    Member::static_method("Concat", &[STRING, STRING, STRING], STRING, concat),
    Member::static_method("Concat", &[STRING, STRING, STRING, STRING], STRING, concat),
    Member::static_method("Concat", &[MANY_OBJECTS], STRING, concat_items).params(&["args"]),
    Member::static_method("Concat", &[MANY_STRINGS], STRING, concat_items).params(&["values"]),
    Member::static_method("Concat", &[STRINGS], STRING, concat_items).params(&["values"]),
    Member::static_method("Concat", &[ITEMS], STRING, concat_items).params(&["values"]),
    // Join
    Member::static_method("Join", &[STRING, MANY_STRINGS], STRING, |args, cx| {
        join(args, cx, false)
    })
    .params(&["separator", "value"]),
    Member::static_method("Join", &[STRING, MANY_OBJECTS], STRING, |args, cx| join(args, cx, true))
        .params(&["separator", "values"]),
    Member::static_method("Join", &[STRING, STRINGS], STRING, |args, cx| join(args, cx, false))
        .params(&["separator", "values"]),
    Member::static_method("Join", &[STRING, ITEMS], STRING, |args, cx| join(args, cx, false))
        .params(&["separator", "values"]),
    Member::static_method("Join", &[Type::Char, MANY_STRINGS], STRING, |args, cx| {
        join(args, cx, false)
    })
    .params(&["separator", "value"]),
    Member::static_method("Join", &[Type::Char, MANY_OBJECTS], STRING, |args, cx| {
        join(args, cx, false)
    })
    .params(&["separator", "values"]),
    Member::static_method("Join", &[Type::Char, ITEMS], STRING, |args, cx| join(args, cx, false))
        .params(&["separator", "values"]),
    Member::static_method("Join", &[STRING, Type::STRINGS, INT, INT], STRING, |args, cx| {
        let (separator, array, start, count): (Option<Str>, Arc<Array>, i32, i32) = args.get()?;
        let all = array.to_vec();
        let range = part(start, count, all.len(), ("startIndex", "count"))?;
        let separator = separator.unwrap_or(Str::EMPTY);
        joined_by(cx, &separator, all.get(range).unwrap_or_default())
    })
    .params(&["separator", "value", "startIndex", "count"]),
    // Format
    Member::static_method("Format", &[STRING, OBJECT], STRING, |args, cx| format(args, cx, 0))
        .params(&["format", "arg0"]),
    Member::static_method("Format", &[STRING, OBJECT, OBJECT], STRING, |args, cx| {
        format(args, cx, 0)
    })
    .params(&["format", "arg0", "arg1"]),
    Member::static_method("Format", &[STRING, OBJECT, OBJECT, OBJECT], STRING, |args, cx| {
        format(args, cx, 0)
    })
    .params(&["format", "arg0", "arg1", "arg2"]),
    Member::static_method("Format", &[STRING, MANY_OBJECTS], STRING, |args, cx| {
        format_array(args, cx, 0)
    })
    .params(&["format", "args"]),
    Member::static_method("Format", &[PROVIDER, STRING, OBJECT], STRING, |args, cx| {
        format(args, cx, 1)
    })
    .params(&["provider", "format", "arg0"]),
    Member::static_method("Format", &[PROVIDER, STRING, OBJECT, OBJECT], STRING, |args, cx| {
        format(args, cx, 1)
    })
    .params(&["provider", "format", "arg0", "arg1"]),
    Member::static_method(
        "Format",
        &[PROVIDER, STRING, OBJECT, OBJECT, OBJECT],
        STRING,
        |args, cx| format(args, cx, 1),
    )
    .params(&["provider", "format", "arg0", "arg1", "arg2"]),
    Member::static_method("Format", &[PROVIDER, STRING, MANY_OBJECTS], STRING, |args, cx| {
        format_array(args, cx, 1)
    })
    .params(&["provider", "format", "args"]),
];

fn concat(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let parts: Vec<Str> = args.values().iter().map(|it| cx.text_of(it)).collect();
    made_of(cx, &parts)
}

fn concat_items(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let parts = items(args, 0, cx)?;
    let parts: Vec<Str> = parts.iter().map(|it| cx.text_of(it)).collect();
    made_of(cx, &parts)
}

fn made_of(cx: &mut EvalCx<'_>, parts: &[Str]) -> Result<Value, Exception> {
    cx.allocate(parts.iter().map(Str::len).sum())?;
    Ok(Str::concat_all(parts).into())
}

/// The items of a sequence that must not be null.
fn items(args: &mut Args<'_>, at: usize, cx: &mut EvalCx<'_>) -> Result<Vec<Value>, Exception> {
    if args.value(at).is_null() {
        let name = args.member().parameter_name(at);
        return Err(Exception::argument_null(if name.is_empty() { "values" } else { name }));
    }
    args.value(at).clone().collect(cx)
}

fn join(args: &mut Args<'_>, cx: &mut EvalCx<'_>, of_objects: bool) -> Result<Value, Exception> {
    let separator = cx.text_of(args.value(0));
    let values = items(args, 1, cx)?;
    // .NET Framework gives up when the first of an `object[]` is null; kept there for compatibility.
    let stops = of_objects && cx.runtime() == Runtime::Framework;
    if stops && values.first().is_some_and(Value::is_null) {
        return Ok(Value::EMPTY);
    }
    joined_by(cx, &separator, &values)
}

fn joined_by(cx: &mut EvalCx<'_>, separator: &Str, values: &[Value]) -> Result<Value, Exception> {
    let mut parts = Vec::with_capacity(values.len() * 2);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            parts.push(separator.clone());
        }
        parts.push(cx.text_of(value));
    }
    made_of(cx, &parts)
}

fn format(args: &mut Args<'_>, cx: &mut EvalCx<'_>, at: usize) -> Result<Value, Exception> {
    let format: Str = args.arg(at)?;
    let values = args.values().get(at + 1..).unwrap_or_default().to_vec();
    formatted(cx, &format, &values)
}

fn format_array(args: &mut Args<'_>, cx: &mut EvalCx<'_>, at: usize) -> Result<Value, Exception> {
    let (format, array): (Str, Arc<Array>) = (args.arg(at)?, args.arg(at + 1)?);
    formatted(cx, &format, &array.to_vec())
}

/// Composite formatting within the budget.
pub(crate) fn formatted(
    cx: &mut EvalCx<'_>,
    format: &Str,
    values: &[Value],
) -> Result<Value, Exception> {
    const MOST: usize = 64 << 20;
    cx.steps(format.len() as u64 / 16)?;
    let values: Vec<Value> = values
        .iter()
        .map(|it| if matches!(it, Value::Host(_)) { cx.text_of(it).into() } else { it.clone() })
        .collect();
    let formatted = composite::format(format.as_str(), &values, cx.runtime(), MOST)?;
    match formatted {
        Some(text) => made(cx, text),
        None => Err(Exception::budget(clr::exception::Kind::Memory)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn joining_puts_the_separator_between() {
        let values = [Value::from("a"), Value::Null, Value::from(2.5)];
        let text = with_cx(|cx| joined_by(cx, &"-".into(), &values)).unwrap();
        assert_eq!(text.to_text(), "a--2.5");
    }

    #[test]
    fn a_width_cannot_outgrow_the_memory() {
        let wide = "{0,999999}".repeat(80);
        let result = with_cx(|cx| formatted(cx, &wide.into(), &[Value::Null]));
        assert!(!result.unwrap_err().is_catchable());
    }
}
