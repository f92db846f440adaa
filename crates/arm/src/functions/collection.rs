//! Functions of arrays and objects; those that take texts as well stand here, too.

use serde_json::{Map, Value, json};

use super::{Arguments, Function, MANY, display, kind, member, row};
use crate::fault::Fault;

/// How many numbers `range` gives at most, as in Azure.
const RANGE: i64 = 10_000;

pub(super) const ALL: &[Function] = &[
    row("array", 1, 1, |it| {
        Ok(if it.get(0).is_array() { it.get(0).clone() } else { json!([it.get(0)]) })
    }),
    row("concat", 1, MANY, concat),
    row("contains", 2, 2, contains),
    row("createArray", 0, MANY, |it| Ok(it.values.to_vec().into())),
    row("createObject", 0, MANY, create_object),
    row("empty", 1, 1, |it| Ok((it.get(0).is_null() || length(it)? == 0).into())),
    row("first", 1, 1, |it| end(it, |array| array.first(), |text| text.chars().next())),
    row("flatten", 1, 1, flatten),
    row("indexFromEnd", 2, 2, |it| {
        from_end(it)?.ok_or_else(|| it.wrong("the index is outside of the array"))
    }),
    row("intersection", 2, MANY, intersection),
    row("items", 1, 1, items),
    row("last", 1, 1, |it| end(it, |array| array.last(), |text| text.chars().next_back())),
    row("length", 1, 1, |it| Ok(length(it)?.into())),
    row("objectKeys", 1, 1, |it| {
        let mut keys: Vec<&String> = it.object(0)?.keys().collect();
        keys.sort();
        Ok(json!(keys))
    }),
    row("range", 2, 2, range),
    row("shallowMerge", 1, 1, shallow_merge),
    row("skip", 2, 2, |it| part(it, |all, n| all.get(n..).unwrap_or_default())),
    row("take", 2, 2, |it| part(it, |all, n| all.get(..n).unwrap_or(all))),
    row("tryIndexFromEnd", 2, 2, |it| Ok(from_end(it)?.unwrap_or_default())),
    row("union", 1, MANY, union),
];

fn concat(it: &Arguments<'_>) -> Result<Value, Fault> {
    if it.values.iter().any(Value::is_array) {
        let mut all = Vec::new();
        for at in 0..it.values.len() {
            all.extend_from_slice(it.array(at)?);
        }
        return Ok(all.into());
    }
    let mut text = String::new();
    for (at, value) in it.values.iter().enumerate() {
        if value.is_object() {
            return Err(it.expected(at, "a string or an array"));
        }
        text.push_str(&display(value));
    }
    Ok(text.into())
}

fn contains(it: &Arguments<'_>) -> Result<Value, Fault> {
    let holds = match it.get(0) {
        Value::Array(array) => array.contains(it.get(1)),
        Value::Object(object) => member(object, &display(it.get(1))).is_some(),
        Value::String(text) => text.contains(&display(it.get(1))),
        _ => return Err(it.expected(0, "an array, an object or a string")),
    };
    Ok(holds.into())
}

fn create_object(it: &Arguments<'_>) -> Result<Value, Fault> {
    if !it.values.len().is_multiple_of(2) {
        return Err(it.wrong("expected pairs of a name and a value"));
    }
    let mut object = Map::new();
    for at in (0..it.values.len()).step_by(2) {
        object.insert(it.text(at)?.to_owned(), it.get(at + 1).clone());
    }
    Ok(object.into())
}

fn length(it: &Arguments<'_>) -> Result<usize, Fault> {
    match it.get(0) {
        Value::Array(array) => Ok(array.len()),
        Value::Object(object) => Ok(object.len()),
        Value::String(text) => Ok(text.encode_utf16().count()),
        _ => Err(it.expected(0, "an array, an object or a string")),
    }
}

fn end(
    it: &Arguments<'_>,
    of_array: fn(&[Value]) -> Option<&Value>,
    of_text: fn(&str) -> Option<char>,
) -> Result<Value, Fault> {
    match it.get(0) {
        Value::Array(array) => Ok(of_array(array).cloned().unwrap_or_default()),
        Value::String(text) => Ok(of_text(text).map(String::from).unwrap_or_default().into()),
        _ => Err(it.expected(0, "an array or a string")),
    }
}

fn flatten(it: &Arguments<'_>) -> Result<Value, Fault> {
    let mut all = Vec::new();
    for value in it.array(0)? {
        match value {
            Value::Array(array) => all.extend_from_slice(array),
            other => return Err(it.wrong(&format!("the array holds {}, no array", kind(other)))),
        }
    }
    Ok(all.into())
}

fn from_end(it: &Arguments<'_>) -> Result<Option<Value>, Fault> {
    let array = it.array(0)?;
    let at = usize::try_from(it.integer(1)?).ok().and_then(|at| array.len().checked_sub(at));
    Ok(at.and_then(|at| array.get(at)).cloned())
}

fn intersection(it: &Arguments<'_>) -> Result<Value, Fault> {
    let rest = 1..it.values.len();
    if it.get(0).is_array() {
        let mut all = it.array(0)?.to_vec();
        for at in rest {
            let other = it.array(at)?;
            all.retain(|value| other.contains(value));
        }
        return Ok(distinct(all).into());
    }
    let mut all = it.object(0)?.clone();
    for at in rest {
        let other = it.object(at)?;
        all.retain(|key, value| other.get(key) == Some(value));
    }
    Ok(all.into())
}

fn items(it: &Arguments<'_>) -> Result<Value, Fault> {
    let mut all: Vec<(&String, &Value)> = it.object(0)?.iter().collect();
    all.sort_by_key(|(key, _)| *key);
    Ok(all.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect())
}

fn range(it: &Arguments<'_>) -> Result<Value, Fault> {
    let (start, n) = (it.integer(0)?, it.integer(1)?);
    if !(0..=RANGE).contains(&n) {
        return Err(it.wrong(&format!("expected a count from 0 to {RANGE}, not {n}")));
    }
    let end = start.checked_add(n).ok_or_else(|| it.wrong("the numbers are too large"))?;
    Ok((start..end).map(Value::from).collect())
}

fn shallow_merge(it: &Arguments<'_>) -> Result<Value, Fault> {
    let mut all = Map::new();
    for value in it.array(0)? {
        let Value::Object(object) = value else {
            return Err(it.wrong(&format!("the array holds {}, no object", kind(value))));
        };
        all.extend(object.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(all.into())
}

fn part(
    it: &Arguments<'_>,
    choose: for<'a> fn(&'a [Value], usize) -> &'a [Value],
) -> Result<Value, Fault> {
    let n = usize::try_from(it.integer(1)?).unwrap_or(0);
    match it.get(0) {
        Value::Array(array) => Ok(choose(array, n).to_vec().into()),
        Value::String(text) => {
            let letters: Vec<Value> = text.chars().map(|it| it.to_string().into()).collect();
            let chosen = choose(&letters, n).iter().filter_map(Value::as_str);
            Ok(chosen.collect::<String>().into())
        }
        _ => Err(it.expected(0, "an array or a string")),
    }
}

fn union(it: &Arguments<'_>) -> Result<Value, Fault> {
    if it.get(0).is_array() {
        let mut all = Vec::new();
        for at in 0..it.values.len() {
            all.extend_from_slice(it.array(at)?);
        }
        return Ok(distinct(all).into());
    }
    let mut all = Map::new();
    for at in 0..it.values.len() {
        merge(&mut all, it.object(at)?);
    }
    Ok(all.into())
}

/// Puts one object over another; objects in both are merged in turn.
fn merge(all: &mut Map<String, Value>, other: &Map<String, Value>) {
    for (key, value) in other {
        match (all.get_mut(key), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => merge(inner, value),
            _ => {
                all.insert(key.clone(), value.clone());
            }
        }
    }
}

fn distinct(all: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for value in all {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}
