//! What the interfaces of collections do with whatever has the interface.
//!
//! Dictionaries and lists are answered directly, parts of `context` by the host, anything else by
//! enumerating it.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::dictionary as context;
use clr::rows::{Args, default_value};
use clr::value::{KeyValuePair, Value};

use super::dictionary::{Dictionary, Half, not_null};
use super::hash_set::HashSet;
use super::line::Line;

/// `Count` as .NET has it.
pub fn length(count: usize) -> Value {
    Value::Int(i32::try_from(count).unwrap_or(i32::MAX))
}

/// How many items a collection has, if it knows without being enumerated.
pub fn known_count(of: &Value) -> Option<usize> {
    Some(match of {
        Value::Array(it) => it.len(),
        Value::Bytes(it) => it.len(),
        Value::List(it) => it.len(),
        Value::Object(_) => {
            if let Some(it) = of.as_object::<Dictionary>() {
                it.table().len()
            } else if let Some(it) = of.as_object::<Half>() {
                it.len()
            } else if let Some(it) = of.as_object::<HashSet>() {
                it.table().len()
            } else if let Some(it) = of.as_object::<Line>() {
                it.len()
            } else {
                return None;
            }
        }
        _ => return None,
    })
}

/// How many items something enumerable has.
///
/// # Errors
///
/// What enumerating it throws.
pub fn count(of: &Value, cx: &mut EvalCx<'_>) -> Result<usize, Exception> {
    if let Some(known) = known_count(of) {
        return Ok(known);
    }
    if let Value::Host(it) = of
        && let Some(known) = context::count(*it, cx)
    {
        return Ok(known);
    }
    let mut cursor = of.cursor(cx)?;
    let mut count = 0;
    while cursor.next(cx)?.is_some() {
        cx.step()?;
        count += 1;
    }
    Ok(count)
}

/// The row `Count`.
pub fn count_of(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    Ok(length(count(args.value(0), cx)?))
}

/// The value of a key of anything like a dictionary.
///
/// # Errors
///
/// `ArgumentNullException` for a null key; what enumerating throws.
pub fn lookup(map: &Value, key: &Value, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
    not_null(key)?;
    if let Some(it) = map.as_object::<Dictionary>() {
        return Ok(it.get(key));
    }
    if let (Value::Host(it), Some(key)) = (map, key.as_str()) {
        return context::lookup(*it, key, cx);
    }
    let mut cursor = map.cursor(cx)?;
    while let Some(item) = cursor.next(cx)? {
        cx.step()?;
        if let Some(pair) = item.as_object::<KeyValuePair>()
            && pair.key.equals(key)
        {
            return Ok(Some(pair.value.clone()));
        }
    }
    Ok(None)
}

/// The row of a dictionary's indexer.
pub fn entry(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let found = lookup(args.value(0), args.value(1), cx)?;
    found.ok_or_else(|| Exception::key_not_found(&args.value(1).to_text()))
}

/// The row `ContainsKey`.
pub fn contains_key(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if let Value::Host(it) = args.value(0)
        && let Some(key) = args.value(1).as_str()
        && let Some(known) = context::contains(*it, key, cx)
    {
        return Ok(known.into());
    }
    if let Some(it) = args.value(0).as_object::<Dictionary>() {
        not_null(args.value(1))?;
        return Ok(it.table().contains(args.value(1)).into());
    }
    Ok(lookup(args.value(0), args.value(1), cx)?.is_some().into())
}

/// The row `TryGetValue`.
pub fn try_get_value(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let found = lookup(args.value(0), args.value(1), cx)?;
    let is_there = found.is_some();
    let value = found.unwrap_or_else(|| default_value(args.type_arg(1)));
    args.set_out(2, value);
    Ok(is_there.into())
}

/// `Keys` or `Values` of anything like a dictionary.
pub fn half_of(args: &mut Args<'_>, cx: &mut EvalCx<'_>, keys: bool) -> Result<Value, Exception> {
    if let Some(it) = args.value(0).to_object::<Dictionary>() {
        return Ok(super::dictionary::half(it, keys));
    }
    let element = args.type_arg(usize::from(!keys));
    let pairs = args.value(0).collect(cx)?;
    let parts = pairs.iter().filter_map(|it| it.as_object::<KeyValuePair>());
    let parts = parts.map(|it| if keys { it.key.clone() } else { it.value.clone() });
    Ok(Value::list(element, parts.collect()))
}

/// The row `Contains` of `ICollection<T>`.
pub fn contains(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if let Some(it) = args.value(0).as_object::<HashSet>() {
        return Ok(it.table().contains(args.value(1)).into());
    }
    let mut cursor = args.value(0).cursor(cx)?;
    while let Some(item) = cursor.next(cx)? {
        cx.step()?;
        if item.equals(args.value(1)) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

/// What changing a collection of fixed size throws.
pub fn fixed_size() -> Exception {
    Exception::new("System.NotSupportedException", "Collection was of a fixed size.")
}

/// The row `Add` of `ICollection<T>`.
pub fn add(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    cx.allocate(size_of::<Value>())?;
    let [into, item] = args.take()?;
    match &into {
        Value::List(it) => it.push(item),
        Value::Object(_) => {
            if let Some(it) = into.as_object::<HashSet>() {
                it.table().add(item, Value::Null);
            } else if let (Some(it), Some(pair)) =
                (into.as_object::<Dictionary>(), item.as_object::<KeyValuePair>())
            {
                it.add(pair.key.clone(), pair.value.clone())?;
            } else {
                return Err(fixed_size());
            }
        }
        _ => return Err(fixed_size()),
    }
    Ok(Value::Null)
}

/// The row `Remove` of `ICollection<T>`.
pub fn remove(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [from, item] = args.take()?;
    let removed = match &from {
        Value::List(it) => {
            cx.steps(it.len() as u64)?;
            let at = it.read(|all| all.iter().position(|own| own.equals(&item)));
            at.inspect(|at| drop(it.change(|all| all.remove(*at)))).is_some()
        }
        Value::Object(_) => match (from.as_object::<HashSet>(), from.as_object::<Dictionary>()) {
            (Some(it), _) => it.remove(&item),
            (_, Some(it)) => {
                let key = item.as_object::<KeyValuePair>().map(|it| it.key.clone());
                key.is_some_and(|key| it.table().remove(&key).is_some())
            }
            _ => return Err(fixed_size()),
        },
        _ => return Err(fixed_size()),
    };
    Ok(removed.into())
}

/// The row `Clear` of `ICollection<T>`.
pub fn clear(args: &mut Args<'_>) -> Result<Value, Exception> {
    let [of] = args.take()?;
    match (&of, of.as_object::<HashSet>(), of.as_object::<Dictionary>()) {
        (Value::List(it), ..) => it.change(Vec::clear),
        (_, Some(it), _) => it.table().clear(),
        (_, _, Some(it)) => it.table().clear(),
        _ => return Err(fixed_size()),
    }
    Ok(Value::Null)
}

/// The row `IsReadOnly`: arrays and parts of `context` are.
pub fn is_read_only(args: &mut Args<'_>) -> Value {
    matches!(args.value(0), Value::Array(_) | Value::Bytes(_) | Value::Host(_)).into()
}

/// An index as a position.
pub fn position(index: &Value) -> Option<usize> {
    index.as_i64().and_then(|it| usize::try_from(it).ok())
}

/// What an index outside of a list throws.
pub fn index_fault() -> Exception {
    Exception::new(
        "System.ArgumentOutOfRangeException",
        "Index was out of range. Must be non-negative and less than the size of the collection. \
         (Parameter 'index')",
    )
}

/// The row of the indexer of lists.
pub fn item(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let at = position(args.value(1));
    let found = match args.value(0) {
        Value::List(it) => at.and_then(|at| it.get(at)),
        Value::Array(it) => at.and_then(|at| it.get(at)),
        Value::Bytes(it) => at.and_then(|at| it.get(at)).map(Value::Byte),
        other => {
            let all = other.clone().collect(cx)?;
            at.and_then(|at| all.into_iter().nth(at))
        }
    };
    found.ok_or_else(index_fault)
}

/// The row that sets an item of a list.
pub fn set_item(args: &mut Args<'_>) -> Result<Value, Exception> {
    let [of, index, item] = args.take()?;
    let at = position(&index).ok_or_else(index_fault)?;
    let done = match (&of, &item) {
        (Value::List(it), _) => it.set(at, item),
        (Value::Array(it), _) => it.set(at, item),
        (Value::Bytes(it), Value::Byte(byte)) => it.set(at, *byte),
        _ => return Err(fixed_size()),
    };
    if done { Ok(Value::Null) } else { Err(index_fault()) }
}

/// The row `IndexOf` of `IList<T>`.
pub fn index_of(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let all = args.value(0).clone().collect(cx)?;
    cx.steps(all.len() as u64)?;
    let at = all.iter().position(|it| it.equals(args.value(1)));
    Ok(Value::Int(at.and_then(|it| i32::try_from(it).ok()).unwrap_or(-1)))
}

/// The row `Insert` of `IList<T>`.
pub fn insert(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    cx.allocate(size_of::<Value>())?;
    let [of, index, item] = args.take()?;
    let Value::List(list) = &of else { return Err(fixed_size()) };
    cx.steps(list.len() as u64 / 16)?;
    let at = position(&index).filter(|it| *it <= list.len()).ok_or_else(|| {
        Exception::new(
            "System.ArgumentOutOfRangeException",
            "Index must be within the bounds of the List. (Parameter 'index')",
        )
    })?;
    list.change(|all| all.insert(at, item));
    Ok(Value::Null)
}

/// The row `RemoveAt` of `IList<T>`.
pub fn remove_at(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [of, index] = args.take()?;
    let Value::List(list) = &of else { return Err(fixed_size()) };
    cx.steps(list.len() as u64 / 16)?;
    let at = position(&index).filter(|it| *it < list.len()).ok_or_else(index_fault)?;
    list.change(|all| drop(all.remove(at)));
    Ok(Value::Null)
}

/// The row `CopyTo(array, index)`.
pub fn copy_to(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let items = args.value(0).clone().collect(cx)?;
    let start = if args.len() > 2 { position(args.value(2)) } else { Some(0) };
    let start = start.ok_or_else(|| Exception::argument_out_of_range("arrayIndex"))?;
    let into = args.value(1).clone();
    if into.is_null() {
        return Err(Exception::argument_null("array"));
    }
    if items.len() + start > known_count(&into).unwrap_or(0) {
        return Err(Exception::argument(
            "Destination array was not long enough. Check the destination index, length, and the \
             array's lower bounds. (Parameter 'destinationArray')",
        ));
    }
    for (offset, item) in items.into_iter().enumerate() {
        super::array::store(&into, start + offset, item);
    }
    Ok(Value::Null)
}

/// The items of an argument that must not be null, named as in .NET's messages.
///
/// # Errors
///
/// `ArgumentNullException`; what enumerating throws.
pub fn items(of: &Value, parameter: &str, cx: &mut EvalCx<'_>) -> Result<Vec<Value>, Exception> {
    if of.is_null() { Err(Exception::argument_null(parameter)) } else { of.collect(cx) }
}

#[cfg(test)]
mod tests {
    use clr::types::Type;

    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn counting_works_on_everything_enumerable() {
        with_cx(|cx| {
            assert_eq!(count(&Value::strings(["a", "b"]), cx).unwrap(), 2);
            assert_eq!(count(&Value::from("abc"), cx).unwrap(), 3);
            assert!(count(&Value::from(1), cx).is_err());
        });
    }

    #[test]
    fn a_missing_key_is_none_and_a_null_key_is_refused() {
        let it = Dictionary::new([Type::String, Type::Int32], super::super::Comparer::Default);
        it.set("a", 1);
        let it = Value::object(it);
        with_cx(|cx| {
            assert!(lookup(&it, &"a".into(), cx).unwrap().is_some());
            assert!(lookup(&it, &"b".into(), cx).unwrap().is_none());
            assert!(lookup(&it, &Value::Null, cx).is_err());
        });
    }
}
