//! Functions that take a lambda: `map(range(0, 3), lambda('i', …lambdaVariables('i')…))`.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-lambda>

use serde_json::{Map, Value};

use super::runtime::Item;
use super::special::Call;
use crate::fault::Fault;
use crate::functions::display;
use crate::syntax::Expr;

pub(super) fn call<'t>(it: &Call<'_, 't>, lower: &str) -> Option<Result<Item<'t>, Fault>> {
    let value = match lower {
        "lambdavariables" => variable(it),
        "lambda" => Err(Fault::wrong("a `lambda` stands only in the functions that call it")),
        "filter" => filter(it),
        "map" => map(it),
        "mapvalues" => map_values(it),
        "reduce" => reduce(it),
        "sort" => sort(it),
        "toobject" => to_object(it),
        "groupby" => group_by(it),
        _ => return None,
    };
    Some(value.map(Item::Value))
}

fn variable(it: &Call<'_, '_>) -> Result<Value, Fault> {
    it.counts(1, 1)?;
    let name = it.text(0)?;
    let found = it.frame.locals.iter().rev().find(|(local, _)| *local == name);
    let missing = || Fault::wrong(format!("there is no variable `{name}` of a lambda here"));
    found.map(|(_, value)| value.clone()).ok_or_else(missing)
}

/// A lambda: the names of its variables, and its body.
struct Lambda<'a> {
    names: Vec<String>,
    body: &'a Expr,
}

/// The argument at `at`, which has to be a lambda.
fn lambda<'a>(it: &Call<'a, '_>, at: usize) -> Result<Lambda<'a>, Fault> {
    let wrong = || Fault::wrong(format!("`{}`: argument {} has to be a `lambda`", it.name, at + 1));
    let Some(Expr::Call(name, parts)) = it.given.get(at) else { return Err(wrong()) };
    let Some((body, names)) = parts.split_last() else { return Err(wrong()) };
    let names: Option<Vec<String>> = names
        .iter()
        .map(|it| match it {
            Expr::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    match names {
        Some(names) if name.eq_ignore_ascii_case("lambda") => Ok(Lambda { names, body }),
        _ => Err(wrong()),
    }
}

impl Lambda<'_> {
    /// Its value for these variables; those that it does not name are left out.
    fn of(&self, it: &Call<'_, '_>, values: &[&Value]) -> Result<Value, Fault> {
        let mut frame = it.frame.clone();
        let values = values.iter().map(|it| (*it).clone());
        frame.locals.extend(self.names.iter().cloned().zip(values));
        it.world.expression(&frame, self.body)
    }

    fn decides(&self, it: &Call<'_, '_>, values: &[&Value]) -> Result<bool, Fault> {
        let value = self.of(it, values)?;
        let wrong = || Fault::wrong(format!("`{}`: the lambda gives no boolean", it.name));
        value.as_bool().ok_or_else(wrong)
    }
}

fn array(it: &Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    match it.value(0)? {
        Value::Array(array) => Ok(array),
        other => Err(it.expected(0, &other, "an array")),
    }
}

fn filter(it: &Call<'_, '_>) -> Result<Value, Fault> {
    it.counts(2, 2)?;
    let lambda = lambda(it, 1)?;
    let mut kept = Vec::new();
    for (at, value) in array(it)?.into_iter().enumerate() {
        if lambda.decides(it, &[&value, &at.into()])? {
            kept.push(value);
        }
    }
    Ok(kept.into())
}

fn map(it: &Call<'_, '_>) -> Result<Value, Fault> {
    it.counts(2, 2)?;
    let lambda = lambda(it, 1)?;
    array(it)?.iter().enumerate().map(|(at, value)| lambda.of(it, &[value, &at.into()])).collect()
}

fn map_values(it: &Call<'_, '_>) -> Result<Value, Fault> {
    it.counts(2, 2)?;
    let lambda = lambda(it, 1)?;
    let Value::Object(object) = it.value(0)? else {
        return Err(Fault::wrong("`mapValues`: argument 1 is no object"));
    };
    let mut made = Map::new();
    for (key, value) in &object {
        made.insert(key.clone(), lambda.of(it, &[value])?);
    }
    Ok(made.into())
}

fn reduce(it: &Call<'_, '_>) -> Result<Value, Fault> {
    it.counts(3, 3)?;
    let lambda = lambda(it, 2)?;
    let mut all = it.value(1)?;
    for (at, value) in array(it)?.iter().enumerate() {
        all = lambda.of(it, &[&all, value, &at.into()])?;
    }
    Ok(all)
}

/// The lambda says whether the first of two goes before the second; equals keep their order.
fn sort(it: &Call<'_, '_>) -> Result<Value, Fault> {
    it.counts(2, 2)?;
    let lambda = lambda(it, 1)?;
    let mut sorted: Vec<Value> = Vec::new();
    for value in array(it)? {
        let (mut low, mut high) = (0, sorted.len());
        while low < high {
            let middle = low.midpoint(high);
            let other = sorted.get(middle).unwrap_or(&Value::Null);
            if lambda.decides(it, &[&value, other])? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        sorted.insert(low, value);
    }
    Ok(sorted.into())
}

fn to_object(it: &Call<'_, '_>) -> Result<Value, Fault> {
    it.counts(2, 3)?;
    let key = lambda(it, 1)?;
    let content = if it.given.len() > 2 { Some(lambda(it, 2)?) } else { None };
    let mut made = Map::new();
    for value in array(it)? {
        let key = display(&key.of(it, &[&value])?);
        let value = match &content {
            Some(content) => content.of(it, &[&value])?,
            None => value,
        };
        made.insert(key, value);
    }
    Ok(made.into())
}

fn group_by(it: &Call<'_, '_>) -> Result<Value, Fault> {
    it.counts(2, 2)?;
    let key = lambda(it, 1)?;
    let mut made: Map<String, Value> = Map::new();
    for value in array(it)? {
        let key = display(&key.of(it, &[&value])?);
        if let Value::Array(group) = made.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
            group.push(value);
        }
    }
    Ok(made.into())
}
