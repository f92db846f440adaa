//! `System.Array`: <https://learn.microsoft.com/dotnet/api/system.array>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, default_value};
use clr::types::{Type, names};
use clr::value::Value;

use super::list::{mapped, place, search_sorted};
use super::{Comparer, any, enumerator, list_search, sort};
use crate::language::TypeObject;

pub(crate) const TYPE: TypeDef =
    TypeDef::class(names::ARRAY, MEMBERS).bases(&[Type::named(names::IENUMERABLE_PLAIN)]);

const ARRAY: Type = Type::named(names::ARRAY);
const ITEMS: Type = Type::Array(&Type::M);
const PREDICATE: Type = Type::Func(&[Type::M, Type::Bool]);
const COMPARER: Type = Type::Named(names::ICOMPARER, &[Type::M]);

const OBJECTS: Type = Type::Named(names::IENUMERATOR, &[Type::Object]);
const READ_ONLY: Type = Type::Named(names::IREADONLYLIST, &[Type::M]);
const COPIED: &[&str] =
    &["sourceArray", "sourceIndex", "destinationArray", "destinationIndex", "length"];

const MEMBERS: &[Member] = &[
    Member::property("Length", Type::Int32, any::count_of),
    Member::property("LongLength", Type::Int64, |args, cx| {
        Ok(i64::try_from(any::count(args.value(0), cx)?).unwrap_or(i64::MAX).into())
    }),
    Member::property("IsSynchronized", Type::Bool, |_, _| Ok(false.into())),
    Member::property("SyncRoot", Type::Object, |args, _| args.take::<1>().map(|[it]| it))
        .doc("The array itself."),
    Member::method("Initialize", &[], Type::Void, |_, _| Ok(Value::Null))
        .doc("Calls the constructors of value types, of which none here has one."),
    Member::property("Rank", Type::Int32, |_, _| Ok(Value::Int(1))),
    Member::method("GetLength", &[Type::Int32], Type::Int32, |args, cx| {
        one_dimension(args)?;
        any::count_of(args, cx)
    })
    .params(&["dimension"]),
    Member::method("GetLowerBound", &[Type::Int32], Type::Int32, |args, _| {
        one_dimension(args)?;
        Ok(Value::Int(0))
    })
    .params(&["dimension"]),
    Member::method("GetUpperBound", &[Type::Int32], Type::Int32, |args, cx| {
        one_dimension(args)?;
        let length = any::count(args.value(0), cx)?;
        Ok(place(length.checked_sub(1)))
    })
    .params(&["dimension"]),
    Member::method("GetValue", &[Type::Int32], Type::Object, |args, cx| {
        any::item(args, cx).map_err(|_| Exception::index_out_of_range())
    })
    .params(&["index"]),
    Member::method("SetValue", &[Type::Object, Type::Int32], Type::Void, |args, _| {
        let [of, value, index] = args.take()?;
        let at = any::position(&index).ok_or_else(Exception::index_out_of_range)?;
        if store(&of, at, value) { Ok(Value::Null) } else { Err(Exception::index_out_of_range()) }
    })
    .params(&["value", "index"]),
    Member::method("GetLongLength", &[Type::Int32], Type::Int64, |args, cx| {
        one_dimension(args)?;
        Ok(i64::try_from(any::count(args.value(0), cx)?).unwrap_or(i64::MAX).into())
    })
    .params(&["dimension"]),
    Member::property("IsFixedSize", Type::Bool, |_, _| Ok(true.into())),
    Member::property("IsReadOnly", Type::Bool, |_, _| Ok(false.into())),
    Member::method("GetEnumerator", &[], OBJECTS, enumerator::start),
    Member::static_method(
        "CreateInstance",
        &[Type::named(names::TYPE), Type::Int32],
        ARRAY,
        |args, cx| {
            let element = args.value(0).as_object::<TypeObject>().map(|it| it.0);
            let element = element.ok_or_else(|| Exception::argument_null("elementType"))?;
            let length = any::position(args.value(1));
            let length = length.ok_or_else(|| Exception::argument_out_of_range("length"))?;
            cx.allocate(length.saturating_mul(size_of::<Value>()))?;
            Ok(Value::array(element, vec![default_value(element); length]))
        },
    )
    .params(&["elementType", "length"]),
    Member::static_method("AsReadOnly", &[ITEMS], READ_ONLY, |args, _| {
        let [it] = args.take()?;
        if it.is_null() { Err(Exception::argument_null("array")) } else { Ok(it) }
    })
    .params(&["array"]),
    Member::static_method("Fill", &[ITEMS, Type::M], Type::Void, |args, cx| {
        let [of, value] = args.take()?;
        fill(&of, &value, None, cx)
    })
    .params(&["array", "value"]),
    Member::static_method(
        "Fill",
        &[ITEMS, Type::M, Type::Int32, Type::Int32],
        Type::Void,
        |args, cx| {
            let [of, value, start, count] = args.take()?;
            fill(&of, &value, Some((&start, &count)), cx)
        },
    )
    .params(&["array", "value", "startIndex", "count"]),
    Member::method("Clone", &[], Type::Object, |args, cx| {
        let items = args.value(0).clone().collect(cx)?;
        Ok(made(element_of(args.value(0)), items))
    }),
    Member::method("CopyTo", &[ARRAY, Type::Int32], Type::Void, any::copy_to)
        .params(&["array", "index"]),
    Member::static_method("Empty", &[], ITEMS, |args, _| {
        Ok(Value::array(args.method_arg(0), Vec::new()))
    }),
    Member::static_method("IndexOf", &[ITEMS, Type::M], Type::Int32, |args, cx| {
        index_of(args, cx, false)
    })
    .params(&["array", "value"]),
    Member::static_method("IndexOf", &[ITEMS, Type::M, Type::Int32], Type::Int32, |args, cx| {
        index_of(args, cx, false)
    })
    .params(&["array", "value", "startIndex"]),
    Member::static_method("IndexOf", &[ARRAY, Type::Object], Type::Int32, |args, cx| {
        index_of(args, cx, false)
    })
    .params(&["array", "value"]),
    Member::static_method(
        "IndexOf",
        &[ARRAY, Type::Object, Type::Int32],
        Type::Int32,
        |args, cx| index_of(args, cx, false),
    )
    .params(&["array", "value", "startIndex"]),
    Member::static_method("LastIndexOf", &[ARRAY, Type::Object], Type::Int32, |args, cx| {
        index_of(args, cx, true)
    })
    .params(&["array", "value"]),
    Member::static_method("LastIndexOf", &[ITEMS, Type::M], Type::Int32, |args, cx| {
        index_of(args, cx, true)
    })
    .params(&["array", "value"]),
    Member::static_method("Exists", &[ITEMS, PREDICATE], Type::Bool, |args, cx| {
        list_search::exists(args, cx)
    })
    .params(&["array", "match"]),
    Member::static_method("Find", &[ITEMS, PREDICATE], Type::M, |args, cx| {
        list_search::find(args, cx)
    })
    .params(&["array", "match"]),
    Member::static_method("FindLast", &[ITEMS, PREDICATE], Type::M, |args, cx| {
        list_search::find_last(args, cx)
    })
    .params(&["array", "match"]),
    Member::static_method("FindAll", &[ITEMS, PREDICATE], ITEMS, |args, cx| {
        Ok(Value::array(args.method_arg(0), list_search::all_found(args, cx)?))
    })
    .params(&["array", "match"]),
    Member::static_method("FindIndex", &[ITEMS, PREDICATE], Type::Int32, |args, cx| {
        list_search::find_index(args, cx)
    })
    .params(&["array", "match"]),
    Member::static_method("FindLastIndex", &[ITEMS, PREDICATE], Type::Int32, |args, cx| {
        list_search::find_last_index(args, cx)
    })
    .params(&["array", "match"]),
    Member::static_method("TrueForAll", &[ITEMS, PREDICATE], Type::Bool, |args, cx| {
        list_search::true_for_all(args, cx)
    })
    .params(&["array", "match"]),
    Member::static_method(
        "ForEach",
        &[ITEMS, Type::Func(&[Type::M, Type::Void])],
        Type::Void,
        |args, cx| {
            mapped(args, cx)?;
            Ok(Value::Null)
        },
    )
    .params(&["array", "action"]),
    Member::static_method(
        "ConvertAll",
        &[ITEMS, Type::Func(&[Type::M, Type::N])],
        Type::Array(&Type::N),
        |args, cx| Ok(Value::array(args.method_arg(1), mapped(args, cx)?)),
    )
    .params(&["array", "converter"]),
    Member::static_method("BinarySearch", &[ITEMS, Type::M], Type::Int32, |args, cx| {
        let items = any::items(args.value(0), "array", cx)?;
        search_sorted(&items, args.value(1), Comparer::Default)
    })
    .params(&["array", "value"]),
    Member::static_method("Sort", &[ITEMS], Type::Void, sorted).params(&["array"]),
    Member::static_method("Sort", &[ITEMS, COMPARER], Type::Void, sorted)
        .params(&["array", "comparer"]),
    Member::static_method(
        "Sort",
        &[ITEMS, Type::Func(&[Type::M, Type::M, Type::Int32])],
        Type::Void,
        sorted,
    )
    .params(&["array", "comparison"]),
    Member::static_method("Sort", &[ITEMS, Type::Array(&Type::N)], Type::Void, |args, cx| {
        sort_with_items(args, cx)
    })
    .params(&["keys", "items"]),
    Member::static_method("Reverse", &[ARRAY], Type::Void, reversed).params(&["array"]),
    Member::static_method("Reverse", &[ARRAY, Type::Int32, Type::Int32], Type::Void, |args, cx| {
        reversed(args, cx)
    })
    .params(&["array", "index", "length"]),
    Member::static_method("Clear", &[ARRAY, Type::Int32, Type::Int32], Type::Void, |args, cx| {
        let [of, start, count] = args.take()?;
        let (start, count) = (any::position(&start), any::position(&count));
        let length = any::count(&of, cx)?;
        let (Some(start), Some(count)) = (start, count) else {
            return Err(Exception::index_out_of_range());
        };
        if start.saturating_add(count) > length {
            return Err(Exception::index_out_of_range());
        }
        cx.steps(count as u64)?;
        let empty = default_value(element_of(&of));
        for at in start..start + count {
            store(&of, at, empty.clone());
        }
        Ok(Value::Null)
    })
    .params(&["array", "index", "length"]),
    Member::static_method("Copy", &[ARRAY, ARRAY, Type::Int32], Type::Void, |args, cx| {
        let [from, into, count] = args.take()?;
        copy(&from, &Value::Int(0), &into, &Value::Int(0), &count, cx)
    })
    .params(&["sourceArray", "destinationArray", "length"]),
    Member::static_method(
        "Copy",
        &[ARRAY, Type::Int32, ARRAY, Type::Int32, Type::Int32],
        Type::Void,
        |args, cx| {
            let [from, start, into, at, count] = args.take()?;
            copy(&from, &start, &into, &at, &count, cx)
        },
    )
    .params(COPIED),
    Member::static_method(
        "ConstrainedCopy",
        &[ARRAY, Type::Int32, ARRAY, Type::Int32, Type::Int32],
        Type::Void,
        |args, cx| {
            let [from, start, into, at, count] = args.take()?;
            copy(&from, &start, &into, &at, &count, cx)
        },
    )
    .params(COPIED),
    Member::static_method("Resize", &[Type::Out(&ITEMS), Type::Int32], Type::Void, |args, cx| {
        let size = any::position(args.value(1));
        let size = size.ok_or_else(|| Exception::argument_out_of_range("newSize"))?;
        cx.allocate(size.saturating_mul(size_of::<Value>()))?;
        let old = args.value(0).clone();
        let mut items = if old.is_null() { Vec::new() } else { old.collect(cx)? };
        let element = args.method_arg(0);
        items.resize(size, default_value(element));
        args.set_out(0, Value::array(element, items));
        Ok(Value::Null)
    })
    .params(&["array", "newSize"]),
];

/// Puts an item into an array; false if there is no such place.
pub(crate) fn store(into: &Value, at: usize, item: Value) -> bool {
    match (into, item) {
        (Value::Array(it), item) => it.set(at, item),
        (Value::Bytes(it), Value::Byte(item)) => it.set(at, item),
        _ => false,
    }
}

/// The element type of an array.
pub(crate) fn element_of(of: &Value) -> Type {
    of.runtime_type().element().unwrap_or(Type::Object)
}

fn made(element: Type, items: Vec<Value>) -> Value {
    Value::array(element, items)
}

/// Arrays here have one dimension.
fn one_dimension(args: &Args<'_>) -> Result<(), Exception> {
    if args.value(1).as_i64() == Some(0) { Ok(()) } else { Err(Exception::index_out_of_range()) }
}

fn index_of(args: &mut Args<'_>, cx: &mut EvalCx<'_>, last: bool) -> Result<Value, Exception> {
    let items = any::items(args.value(0), "array", cx)?;
    cx.steps(items.len() as u64)?;
    let start = if args.len() > 2 { any::position(args.value(2)) } else { Some(0) };
    let start = start.filter(|it| *it <= items.len());
    let start = start.ok_or_else(|| Exception::argument_out_of_range("startIndex"))?;
    let wanted = args.value(1);
    let found = if last {
        items.iter().rposition(|it| it.equals(wanted))
    } else {
        items.iter().skip(start).position(|it| it.equals(wanted)).map(|it| it + start)
    };
    Ok(place(found))
}

/// Puts one item at every place, or at the places from a start on.
fn fill(
    of: &Value,
    value: &Value,
    part: Option<(&Value, &Value)>,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    if of.is_null() {
        return Err(Exception::argument_null("array"));
    }
    let length = any::count(of, cx)?;
    let (start, count) = match part {
        None => (0, length),
        Some((start, count)) => {
            let start = any::position(start).filter(|it| *it <= length);
            let start = start.ok_or_else(|| Exception::argument_out_of_range("startIndex"))?;
            let count = any::position(count).filter(|it| *it <= length - start);
            (start, count.ok_or_else(|| Exception::argument_out_of_range("count"))?)
        }
    };
    cx.steps(count as u64)?;
    for at in start..start + count {
        store(of, at, value.clone());
    }
    Ok(Value::Null)
}

fn replace(of: &Value, items: Vec<Value>) {
    for (at, item) in items.into_iter().enumerate() {
        store(of, at, item);
    }
}

fn sorted(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.value(0).clone();
    let mut items = any::items(&of, "array", cx)?;
    match (args.len(), args.value(1)) {
        (1, _) => sort::sort(&mut items, Comparer::Default, cx)?,
        (_, comparison @ Value::Func(_)) => sort::sort_with(&mut items, comparison, cx)?,
        (_, comparer) => sort::sort(&mut items, Comparer::of(comparer), cx)?,
    }
    replace(&of, items);
    Ok(Value::Null)
}

/// Sorts keys, and items along with them.
fn sort_with_items(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [keys, items] = args.take()?;
    let mut pairs: Vec<(Value, Value)> =
        any::items(&keys, "keys", cx)?.into_iter().zip(items.collect(cx)?).collect();
    sort::sort_by(&mut pairs, cx, &mut |a, b, _| Comparer::Default.compare(&a.0, &b.0))?;
    let (sorted_keys, sorted_items) = pairs.into_iter().unzip();
    replace(&keys, sorted_keys);
    replace(&items, sorted_items);
    Ok(Value::Null)
}

fn reversed(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.value(0).clone();
    let mut items = any::items(&of, "array", cx)?;
    cx.steps(items.len() as u64)?;
    let (start, end) = if args.len() > 1 {
        let start = any::position(args.value(1));
        let count = any::position(args.value(2));
        match (start, count) {
            (Some(start), Some(count)) => (start, start.saturating_add(count)),
            _ => return Err(Exception::argument_out_of_range("index")),
        }
    } else {
        (0, items.len())
    };
    let Some(part) = items.get_mut(start..end) else {
        return Err(Exception::argument("Offset and length were out of bounds for the array."));
    };
    part.reverse();
    replace(&of, items);
    Ok(Value::Null)
}

fn copy(
    from: &Value,
    start: &Value,
    into: &Value,
    at: &Value,
    count: &Value,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let source = any::items(from, "sourceArray", cx)?;
    if into.is_null() {
        return Err(Exception::argument_null("destinationArray"));
    }
    let (Some(start), Some(at), Some(count)) =
        (any::position(start), any::position(at), any::position(count))
    else {
        return Err(Exception::argument_out_of_range("length"));
    };
    if start.saturating_add(count) > source.len() {
        return Err(Exception::argument(
            "Source array was not long enough. Check the source index, length, and the array's \
             lower bounds. (Parameter 'sourceArray')",
        ));
    }
    if at.saturating_add(count) > any::count(into, cx)? {
        return Err(Exception::argument(
            "Destination array was not long enough. Check the destination index, length, and the \
             array's lower bounds. (Parameter 'destinationArray')",
        ));
    }
    for (offset, item) in source.into_iter().skip(start).take(count).enumerate() {
        store(into, at + offset, item);
    }
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    fn call(name: &str, values: &mut [Value]) -> Result<Value, Exception> {
        let row = MEMBERS.iter().find(|it| it.name == name && it.params.len() == values.len());
        with_cx(|cx| {
            let row = row.unwrap();
            let mut args = Args::new(row, values, &[], &[Type::String], row.returns);
            (row.call)(&mut args, cx)
        })
    }

    #[test]
    fn copying_checks_both_ends() {
        let (from, into) = (Value::strings(["a", "b"]), Value::strings(["x"]));
        assert!(call("Copy", &mut [from.clone(), into.clone(), Value::from(2)]).is_err());
        call("Copy", &mut [from, into.clone(), Value::from(1)]).unwrap();
        assert!(with_cx(|cx| into.collect(cx).unwrap()[0].equals(&"a".into())));
    }

    #[test]
    fn reversing_and_finding() {
        let it = Value::strings(["a", "b", "c"]);
        call("Reverse", &mut [it.clone()]).unwrap();
        let found = call("IndexOf", &mut [it, "a".into()]).unwrap();
        assert_eq!(found.as_i64(), Some(2));
    }

    #[test]
    fn clearing_gives_the_default_of_the_element_type() {
        let it = Value::from(vec![1_u8, 2]);
        call("Clear", &mut [it.clone(), Value::from(0), Value::from(1)]).unwrap();
        assert_eq!(it.as_bytes().unwrap(), [0, 2].as_slice());
    }
}
