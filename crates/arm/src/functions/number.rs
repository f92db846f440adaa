//! Functions of numbers.

use serde_json::Value;

use super::{Arguments, Function, MANY, row};
use crate::fault::Fault;

pub(super) const ALL: &[Function] = &[
    row("add", 2, 2, |it| number(it, i64::checked_add)),
    row("div", 2, 2, |it| number(it, i64::checked_div)),
    row("float", 1, 1, float),
    row("int", 1, 1, integer),
    row("max", 1, MANY, |it| most(it, |all| all.iter().max().copied())),
    row("min", 1, MANY, |it| most(it, |all| all.iter().min().copied())),
    row("mod", 2, 2, |it| number(it, i64::checked_rem)),
    row("mul", 2, 2, |it| number(it, i64::checked_mul)),
    row("sub", 2, 2, |it| number(it, i64::checked_sub)),
];

fn number(it: &Arguments<'_>, operation: fn(i64, i64) -> Option<i64>) -> Result<Value, Fault> {
    let result = operation(it.integer(0)?, it.integer(1)?);
    result.map(Value::from).ok_or_else(|| it.wrong("no integer is the result"))
}

fn integer(it: &Arguments<'_>) -> Result<Value, Fault> {
    let value = match it.get(0) {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    value.map(Value::from).ok_or_else(|| it.expected(0, "an integer, or a text that is one"))
}

fn float(it: &Arguments<'_>) -> Result<Value, Fault> {
    let value = match it.get(0) {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok().filter(|it| it.is_finite()),
        _ => None,
    };
    value.map(Value::from).ok_or_else(|| it.expected(0, "a number, or a text that is one"))
}

fn most(it: &Arguments<'_>, choose: fn(&[i64]) -> Option<i64>) -> Result<Value, Fault> {
    let all: Option<Vec<i64>> = match it.get(0) {
        Value::Array(array) => array.iter().map(Value::as_i64).collect(),
        _ => it.values.iter().map(Value::as_i64).collect(),
    };
    let chosen = all.as_deref().and_then(choose);
    chosen.map(Value::from).ok_or_else(|| it.wrong("expected integers, or an array of them"))
}
