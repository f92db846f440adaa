//! Functions that compare and decide.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Arguments, Function, MANY, row};
use crate::fault::Fault;

pub(super) const ALL: &[Function] = &[
    row("bool", 1, 1, boolean),
    row("equals", 2, 2, |it| Ok((it.get(0) == it.get(1)).into())),
    row("false", 0, 0, |_| Ok(false.into())),
    row("greater", 2, 2, |it| Ok(compare(it)?.is_gt().into())),
    row("greaterOrEquals", 2, 2, |it| Ok(compare(it)?.is_ge().into())),
    row("less", 2, 2, |it| Ok(compare(it)?.is_lt().into())),
    row("lessOrEquals", 2, 2, |it| Ok(compare(it)?.is_le().into())),
    row("not", 1, 1, |it| Ok((!it.boolean(0)?).into())),
    row("null", 0, 0, |_| Ok(Value::Null)),
    row("true", 0, 0, |_| Ok(true.into())),
    row("xor", 2, MANY, |it| {
        let mut is = false;
        for at in 0..it.values.len() {
            is ^= it.boolean(at)?;
        }
        Ok(is.into())
    }),
];

fn boolean(it: &Arguments<'_>) -> Result<Value, Fault> {
    let value = match it.get(0) {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => number.as_i64().map(|it| it != 0),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    value.map(Value::from).ok_or_else(|| it.expected(0, "a boolean, `true` or `false`"))
}

fn compare(it: &Arguments<'_>) -> Result<Ordering, Fault> {
    if it.get(0).is_string() {
        return Ok(it.text(0)?.cmp(it.text(1)?));
    }
    Ok(it.integer(0)?.cmp(&it.integer(1)?))
}
