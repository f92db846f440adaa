//! Filters on lists. A text is a list of its characters where a list is wanted.

use std::cmp::Ordering;
use std::collections::HashSet;

use dotnet::Str;

use super::Args;
use crate::compare::{equal, sort_order};
use crate::error::Stop;
use crate::lookup::member;
use crate::value::Value;

/// Characters of a text, items of a list; 0 for anything else.
pub(super) fn size(args: Args<'_, '_>) -> Result<Value, Stop> {
    let length = args.input.len().unwrap_or(0);
    Ok(Value::Int(i32::try_from(length).unwrap_or(i32::MAX)))
}

pub(super) fn first(args: Args<'_, '_>) -> Result<Value, Stop> {
    end(&args, |_| 0)
}

pub(super) fn last(args: Args<'_, '_>) -> Result<Value, Stop> {
    end(&args, |length| length.saturating_sub(1))
}

fn end(args: &Args<'_, '_>, at: fn(usize) -> usize) -> Result<Value, Stop> {
    match (args.input.len(), &args.input) {
        (Some(length), input) => Ok(input.item(at(length)).unwrap_or_default()),
        (None, Value::Nil) => Ok(Value::Nil),
        (None, _) => Err(Stop::failed("The value is no list.")),
    }
}

pub(super) fn join(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let glue = if args.rest.is_empty() { Some(" ".into()) } else { args.text(0)? };
    let glue = glue.unwrap_or(Str::EMPTY);
    let input = args.input.clone();
    let Some(items) = args.items(&input)? else { return Ok(Value::Nil) };
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        args.cx.budget.makes(item.weight() + glue.len())?;
        if at > 0 {
            out.push_str(glue.as_str());
        }
        out.push_str(item.to_text().as_str());
    }
    Ok(Value::from(out))
}

/// The items, those of lists in the list in their place. Something else is a list of one.
fn flat(args: &mut Args<'_, '_>) -> Result<Option<Vec<Value>>, Stop> {
    let input = args.input.clone();
    match &input {
        Value::Nil => return Ok(None),
        it if it.len().is_none() => return Ok(Some(vec![input])),
        _ => {}
    }
    let mut flat = Vec::new();
    flatten(args, &input, &mut flat)?;
    Ok(Some(flat))
}

fn flatten(args: &mut Args<'_, '_>, list: &Value, flat: &mut Vec<Value>) -> Result<(), Stop> {
    for item in args.items(list)?.unwrap_or_default() {
        match item {
            Value::List(_) | Value::Hash(_) | Value::Range(..) => flatten(args, &item, flat)?,
            item => flat.push(item),
        }
    }
    Ok(())
}

/// Sorts; by the member of that name if there is one. Nothing comes first.
pub(super) fn sort(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let property = args.text(0)?.filter(|it| !it.is_empty());
    let input = args.input.clone();
    let are_hashes = |it: &Value| match it {
        Value::List(items) => items.iter().all(|it| matches!(it, Value::Hash(_))),
        _ => false,
    };
    let items = if property.is_some() && are_hashes(&input) {
        args.items(&input)?
    } else {
        flat(&mut args)?
    };
    let Some(items) = items else { return Ok(Value::Nil) };
    let rounds = u64::from(usize::BITS - items.len().leading_zeros());
    args.cx.budget.steps(items.len() as u64 * rounds)?;
    let key = |it: &Value| match &property {
        Some(name) => member(it, name.as_str()),
        None => Some(it.clone()),
    };
    let keyed: Vec<(Option<Value>, Value)> = items.into_iter().map(|it| (key(&it), it)).collect();
    if property.is_some() && keyed.iter().all(|it| it.0.is_none()) {
        return Ok(Value::list(keyed.into_iter().map(|it| it.1)));
    }
    sorted(keyed)
}

fn sorted(mut keyed: Vec<(Option<Value>, Value)>) -> Result<Value, Stop> {
    let mut failure = None;
    let key = |it: &Option<Value>| it.clone().unwrap_or_default();
    keyed.sort_by(|a, b| {
        sort_order(&key(&a.0), &key(&b.0)).unwrap_or_else(|stop| {
            failure = Some(stop);
            Ordering::Equal
        })
    });
    match failure {
        Some(stop) => Err(stop),
        None => Ok(Value::list(keyed.into_iter().map(|it| it.1))),
    }
}

/// The member of each item; nothing for items that have none.
pub(super) fn map(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let name = args.text(0)?.unwrap_or(Str::EMPTY);
    let input = args.input.clone();
    let Some(items) = args.items(&input)? else { return Ok(Value::Nil) };
    Ok(Value::list(items.iter().map(|it| member(it, name.as_str()).unwrap_or_default())))
}

/// The items whose member equals a value; without a value, those whose member is true.
pub(super) fn r#where(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let Some(name) = args.text(0)?.filter(|it| !it.as_str().trim().is_empty()) else {
        return Err(Stop::failed("The name of a member is missing."));
    };
    let target = args.arg(1);
    let input = args.input.clone();
    let Some(items) = args.items(&input)? else { return Ok(Value::Nil) };
    let is_wanted = |it: &Value| {
        let found = member(it, name.as_str()).unwrap_or_default();
        match (&found, &target) {
            (Value::Nil, _) | (_, Value::Nil) => found.is_truthy(),
            _ => equal(&found, &target),
        }
    };
    Ok(Value::list(items.into_iter().filter(is_wanted)))
}

pub(super) fn concat(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let (left, right) = (args.input.clone(), args.arg(0));
    match (args.items(&left)?, args.items(&right)?) {
        (None, _) => Ok(right),
        (_, None) => Ok(left),
        (Some(left), Some(right)) => Ok(Value::list(left.into_iter().chain(right))),
    }
}

/// The items backwards; a text stays as it is.
pub(super) fn reverse(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let input = args.input.clone();
    if matches!(input, Value::Text(_)) {
        return Ok(input);
    }
    let items = args.items(&input)?;
    Ok(items.map_or(Value::Nil, |it| Value::list(it.into_iter().rev())))
}

/// The items without repeats: those of one type and value.
pub(super) fn uniq(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let Some(items) = flat(&mut args)? else { return Ok(Value::Nil) };
    let mut seen = HashSet::new();
    let is_new = |it: &Value| seen.insert((std::mem::discriminant(it), it.to_text()));
    Ok(Value::list(items.into_iter().filter(is_new)))
}

/// The items that are not nothing.
pub(super) fn compact(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let Some(items) = flat(&mut args)? else { return Ok(Value::Nil) };
    Ok(Value::list(items.into_iter().filter(|it| !matches!(it, Value::Nil))))
}

#[cfg(test)]
mod tests {
    use crate::template::test::render_with;
    use crate::value::Value;

    fn given() -> Vec<(&'static str, Value)> {
        let row =
            |name: &str, n: i64| Value::hash([("name", Value::from(name)), ("n", Value::Long(n))]);
        let other = Value::hash([("other", Value::Bool(true))]);
        let nested = Value::list([Value::Int(3), Value::list([Value::Int(1), Value::Nil])]);
        vec![
            ("rows", Value::list([row("b", 2), row("a", 3), row("c", 2)])),
            ("mixed", Value::list([row("b", 2), other])),
            ("texts", Value::list([Value::from("b"), Value::from("B"), Value::from("a")])),
            ("nested", nested),
            ("odd", Value::list([Value::Int(1), Value::from("x")])),
        ]
    }

    #[test]
    fn lists_are_changed() {
        for (expression, expected) in [
            ("texts | Size", "3"),
            ("'añ' | Size", "2"),
            ("7 | Size", "0"),
            ("nothing | Size", "0"),
            ("texts | First", "b"),
            ("texts | Last", "a"),
            ("'abc' | Last", "c"),
            ("nothing | First", ""),
            ("texts | Join", "b B a"),
            ("texts | Join: ', '", "b, B, a"),
            ("'abc' | Join: '-'", "a-b-c"),
            ("texts | Sort | Join", "a b B"),
            ("nested | Sort | Join: ','", ",1,3"),
            ("rows | Sort: 'n' | Map: 'name' | Join", "b c a"),
            ("rows | Sort: 'none' | Map: 'name' | Join", "b a c"),
            ("mixed | Sort: 'n' | Map: 'n' | Join: ','", ",2"),
            ("rows | Map: 'n' | Uniq | Join", "2 3"),
            ("rows | Map: 'none' | Join: ','", ",,"),
            ("rows | Where: 'n', 2 | Map: 'name' | Join", "b c"),
            ("mixed | Where: 'other' | Size", "1"),
            ("texts | Concat: nested | Size", "5"),
            ("nothing | Concat: texts | Size", "3"),
            ("texts | Reverse | Join", "a B b"),
            ("'abc' | Reverse", "abc"),
            ("nested | Compact | Join: ','", "3,1"),
            ("5 | Uniq | Join", "5"),
            ("nothing | Uniq", ""),
        ] {
            let text = render_with(&format!("{{{{ {expression} }}}}"), &given());
            assert_eq!(text, expected, "{expression}");
        }
    }

    #[test]
    fn what_is_no_list_or_has_no_order_fails() {
        for expression in
            ["5 | Join", "5 | First", "5 | Map: 'a'", "odd | Sort", "rows | Where: ''"]
        {
            let text = render_with(&format!("{{{{ {expression} }}}}"), &given());
            assert!(text.starts_with('!'), "{expression}: {text}");
        }
    }
}
