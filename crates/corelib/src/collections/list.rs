//! `System.Collections.Generic.List<T>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.list-1>
//!
//! What searches with a predicate is shared with arrays: [`list_search`](super::list_search).

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{List, Value};

use super::list_search;
use super::{Comparer, any, enumerator, sort};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::LIST, MEMBERS)
    .generic(1)
    .bases(&[Type::Named(names::ILIST, &[Type::T]), Type::Named(names::IREADONLYLIST, &[Type::T])]);

const SELF: Type = Type::Named(names::LIST, &[Type::T]);
const ITEMS: Type = Type::Named(names::IENUMERABLE, &[Type::T]);
const COMPARER: Type = Type::Named(names::ICOMPARER, &[Type::T]);
const PREDICATE: Type = Type::Func(&[Type::T, Type::Bool]);

const MEMBERS: &[Member] = &[
    Member::constructor(&[], SELF, |args, _| Ok(Value::list(args.type_arg(0), Vec::new()))),
    Member::constructor(&[Type::Int32], SELF, |args, cx| {
        let room = super::capacity::wanted(args.value(0), cx)?;
        let made = List::new(args.type_arg(0), Vec::new());
        let _ = made.set_capacity(room);
        Ok(Value::List(Arc::new(made)))
    })
    .params(&["capacity"]),
    Member::constructor(&[ITEMS], SELF, |args, cx| {
        let items = any::items(args.value(0), "collection", cx)?;
        if !is_counted(args.value(0)) {
            let made = List::new(args.type_arg(0), Vec::new());
            made.insert_each(0, items);
            return Ok(Value::List(Arc::new(made)));
        }
        Ok(Value::list(args.type_arg(0), items))
    })
    .params(&["collection"]),
    Member::property("Count", Type::Int32, any::count_of),
    Member::property("Capacity", Type::Int32, |args, _| Ok(any::length(list(args)?.capacity())))
        .set(|args, cx| {
            let small = "capacity was less than the current size.";
            let wanted = args.value(1).as_i64().unwrap_or(-1);
            let refused = || dotnet::text::Failure::Range(small.to_owned(), "value");
            let room = usize::try_from(wanted).map_err(|_| refused())?;
            cx.allocate(room.saturating_mul(size_of::<Value>()))?;
            if list(args)?.set_capacity(room) { Ok(Value::Null) } else { Err(refused().into()) }
        })
        .doc("How many items .NET would have room for."),
    Member::indexer(&[Type::Int32], Type::T, any::item)
        .params(&["index"])
        .set(|args, _| any::set_item(args)),
    Member::method("Add", &[Type::T], Type::Void, any::add).params(&["item"]),
    Member::method("AddRange", &[ITEMS], Type::Void, |args, cx| {
        let added = any::items(args.value(1), "collection", cx)?;
        let it = list(args)?;
        insert(&it, it.len(), args.value(1), added);
        Ok(Value::Null)
    })
    .params(&["collection"]),
    Member::method("AsReadOnly", &[], Type::Named(names::IREADONLYLIST, &[Type::T]), |args, _| {
        let [it] = args.take()?;
        Ok(it)
    }),
    Member::method("BinarySearch", &[Type::T], Type::Int32, binary_search).params(&["item"]),
    Member::method("BinarySearch", &[Type::T, COMPARER], Type::Int32, |args, cx| {
        binary_search(args, cx)
    })
    .params(&["item", "comparer"]),
    Member::method("Clear", &[], Type::Void, |args, _| any::clear(args)),
    Member::method("Contains", &[Type::T], Type::Bool, any::contains).params(&["item"]),
    Member::method(
        "ConvertAll",
        &[Type::Func(&[Type::T, Type::M])],
        Type::Named(names::LIST, &[Type::M]),
        |args, cx| {
            let items = mapped(args, cx)?;
            Ok(Value::list(args.method_arg(0), items))
        },
    )
    .params(&["converter"]),
    Member::method("CopyTo", &[Type::Array(&Type::T)], Type::Void, |args, cx| {
        any::copy_to(args, cx)
    })
    .params(&["array"]),
    Member::method("CopyTo", &[Type::Array(&Type::T), Type::Int32], Type::Void, |args, cx| {
        any::copy_to(args, cx)
    })
    .params(&["array", "arrayIndex"]),
    Member::method("ForEach", &[Type::Func(&[Type::T, Type::Void])], Type::Void, |args, cx| {
        let action = args.value(1).clone();
        let it = args.value(0).clone();
        let mut cursor = it.cursor(cx)?;
        while let Some(item) = cursor.next(cx)? {
            cx.invoke(&action, &[item])?;
        }
        Ok(Value::Null)
    })
    .params(&["action"]),
    Member::method(
        "GetEnumerator",
        &[],
        Type::Named(names::IENUMERATOR, &[Type::T]),
        enumerator::start,
    ),
    Member::method("GetRange", &[Type::Int32, Type::Int32], SELF, |args, cx| {
        let items = list(args)?.to_vec();
        let (start, end) = range(args, items.len())?;
        cx.allocate((end - start) * size_of::<Value>())?;
        let part = items.into_iter().skip(start).take(end - start).collect();
        Ok(Value::list(args.type_arg(0), part))
    })
    .params(&["index", "count"]),
    Member::method("IndexOf", &[Type::T], Type::Int32, any::index_of).params(&["item"]),
    Member::method("IndexOf", &[Type::T, Type::Int32], Type::Int32, |args, cx| {
        let items = list(args)?.to_vec();
        cx.steps(items.len() as u64)?;
        let start = any::position(args.value(2)).filter(|it| *it <= items.len());
        let start = start.ok_or_else(|| Exception::argument_out_of_range("index"))?;
        let wanted = args.value(1);
        let found = items.iter().skip(start).position(|it| it.equals(wanted));
        Ok(place(found.map(|it| it + start)))
    })
    .params(&["item", "index"]),
    Member::method("Insert", &[Type::Int32, Type::T], Type::Void, any::insert)
        .params(&["index", "item"]),
    Member::method("InsertRange", &[Type::Int32, ITEMS], Type::Void, |args, cx| {
        let added = any::items(args.value(2), "collection", cx)?;
        let it = list(args)?;
        let at = any::position(args.value(1)).filter(|at| *at <= it.len());
        let at = at.ok_or_else(any::index_fault)?;
        cx.steps(it.len() as u64 / 16)?;
        insert(&it, at, args.value(2), added);
        Ok(Value::Null)
    })
    .params(&["index", "collection"]),
    Member::method("LastIndexOf", &[Type::T], Type::Int32, |args, cx| {
        let items = list(args)?.to_vec();
        cx.steps(items.len() as u64)?;
        Ok(place(items.iter().rposition(|it| it.equals(args.value(1)))))
    })
    .params(&["item"]),
    Member::method("Remove", &[Type::T], Type::Bool, any::remove).params(&["item"]),
    Member::method("RemoveAll", &[PREDICATE], Type::Int32, |args, cx| {
        let items = list(args)?.to_vec();
        let before = items.len();
        let mut kept = Vec::new();
        for item in items {
            if !cx.test(args.value(1), std::slice::from_ref(&item))? {
                kept.push(item);
            }
        }
        let removed = before - kept.len();
        list(args)?.change(|all| *all = kept);
        Ok(any::length(removed))
    })
    .params(&["match"]),
    Member::method("RemoveAt", &[Type::Int32], Type::Void, any::remove_at).params(&["index"]),
    Member::method("RemoveRange", &[Type::Int32, Type::Int32], Type::Void, |args, _| {
        let it = list(args)?;
        let (start, end) = range(args, it.len())?;
        it.change(|all| drop(all.drain(start..end)));
        Ok(Value::Null)
    })
    .params(&["index", "count"]),
    Member::method("Reverse", &[], Type::Void, |args, cx| {
        let it = list(args)?;
        cx.steps(it.len() as u64)?;
        it.change(|all| all.reverse());
        Ok(Value::Null)
    }),
    Member::method("Reverse", &[Type::Int32, Type::Int32], Type::Void, |args, cx| {
        let it = list(args)?;
        cx.steps(it.len() as u64)?;
        let (start, end) = range(args, it.len())?;
        it.change(|all| {
            if let Some(part) = all.get_mut(start..end) {
                part.reverse();
            }
        });
        Ok(Value::Null)
    })
    .params(&["index", "count"]),
    Member::method("Sort", &[], Type::Void, sorted),
    Member::method("Sort", &[Type::Func(&[Type::T, Type::T, Type::Int32])], Type::Void, sorted)
        .params(&["comparison"]),
    Member::method("Sort", &[COMPARER], Type::Void, sorted).params(&["comparer"]),
    Member::method("ToArray", &[], Type::Array(&Type::T), |args, cx| {
        let items = args.value(0).clone().collect(cx)?;
        Ok(Value::array(args.type_arg(0), items))
    }),
    Member::method("Exists", &[PREDICATE], Type::Bool, list_search::exists).params(&["match"]),
    Member::method("Find", &[PREDICATE], Type::T, list_search::find).params(&["match"]),
    Member::method("FindAll", &[PREDICATE], SELF, |args, cx| {
        Ok(Value::list(args.type_arg(0), list_search::all_found(args, cx)?))
    })
    .params(&["match"]),
    Member::method("FindIndex", &[PREDICATE], Type::Int32, |args, cx| {
        list_search::find_index(args, cx)
    })
    .params(&["match"]),
    Member::method("FindLast", &[PREDICATE], Type::T, list_search::find_last).params(&["match"]),
    Member::method("FindLastIndex", &[PREDICATE], Type::Int32, |args, cx| {
        list_search::find_last_index(args, cx)
    })
    .params(&["match"]),
    Member::method("TrueForAll", &[PREDICATE], Type::Bool, |args, cx| {
        list_search::true_for_all(args, cx)
    })
    .params(&["match"]),
    Member::method("TrimExcess", &[], Type::Void, |args, _| {
        let it = list(args)?;
        // .NET leaves room of a tenth.
        if it.len() * 10 < it.capacity() * 9 {
            let _ = it.set_capacity(it.len());
        }
        Ok(Value::Null)
    }),
];

/// The list of an instance member.
pub(crate) fn list(args: &Args<'_>) -> Result<Arc<List>, Exception> {
    match args.value(0) {
        Value::List(it) => Ok(Arc::clone(it)),
        _ => Err(Exception::null_reference()),
    }
}

/// A position, or -1.
pub(crate) fn place(at: Option<usize>) -> Value {
    Value::Int(at.and_then(|it| i32::try_from(it).ok()).unwrap_or(-1))
}

/// `index` and `count` as a range inside of a list.
fn range(args: &Args<'_>, length: usize) -> Result<(usize, usize), Exception> {
    let start = any::position(args.value(1));
    let start = start.ok_or_else(|| Exception::argument_out_of_range("index"))?;
    let count = any::position(args.value(2));
    let count = count.ok_or_else(|| Exception::argument_out_of_range("count"))?;
    match start.checked_add(count).filter(|end| *end <= length) {
        Some(end) => Ok((start, end)),
        None => Err(Exception::argument(
            "Offset and length were out of bounds for the array or count is greater than the \
             number of elements from index to the end of the source collection.",
        )),
    }
}

/// What a converter makes of each item.
pub(crate) fn mapped(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Vec<Value>, Exception> {
    let at = args.len() - 1;
    let items = args.value(at - 1).clone().collect(cx)?;
    items.into_iter().map(|it| cx.invoke(args.value(at), &[it])).collect()
}

fn binary_search(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let items = args.value(0).clone().collect(cx)?;
    let comparer = if args.len() > 2 { Comparer::of(args.value(2)) } else { Comparer::Default };
    search_sorted(&items, args.value(1), comparer)
}

/// Where a sorted list has an item, or the complement of where it would stand.
pub(crate) fn search_sorted(
    items: &[Value],
    wanted: &Value,
    comparer: Comparer,
) -> Result<Value, Exception> {
    let (mut low, mut high) = (0, items.len());
    while low < high {
        let middle = low + (high - low - 1) / 2;
        let Some(item) = items.get(middle) else { break };
        match comparer.compare(item, wanted)? {
            std::cmp::Ordering::Equal => return Ok(place(Some(middle))),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(Value::Int(!i32::try_from(low).unwrap_or(i32::MAX)))
}

fn sorted(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let it = list(args)?;
    let mut items = it.to_vec();
    match (args.len(), args.value(1)) {
        (1, _) => sort::sort(&mut items, Comparer::Default, cx)?,
        (_, comparison @ Value::Func(_)) => sort::sort_with(&mut items, comparison, cx)?,
        (_, comparer) => sort::sort(&mut items, Comparer::of(comparer), cx)?,
    }
    it.change(|all| *all = items);
    Ok(Value::Null)
}

/// Whether it can be told how many items there are, before they are read.
fn is_counted(of: &Value) -> bool {
    !matches!(of, Value::Sequence(_) | Value::String(_))
}

/// Inserts what was in a collection.
fn insert(list: &List, at: usize, from: &Value, added: Vec<Value>) {
    match is_counted(from) {
        true => list.change(|all| drop(all.splice(at..at, added))),
        false => list.insert_each(at, added),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn a_binary_search_gives_the_complement_of_where_an_item_would_stand() {
        let items = [1, 3, 5].map(Value::from);
        for (wanted, expected) in [(3, 1), (0, -1), (4, -3), (9, -4)] {
            let found = search_sorted(&items, &Value::from(wanted), Comparer::Default).unwrap();
            assert_eq!(found.as_i64(), Some(expected), "{wanted}");
        }
    }

    #[test]
    fn positions_outside_are_refused() {
        let row = MEMBERS.iter().find(|it| it.name == "RemoveRange").unwrap();
        let list = Value::list(Type::Int32, vec![Value::from(1)]);
        with_cx(|cx| {
            let mut values = [list.clone(), Value::from(0), Value::from(2)];
            let mut args = Args::new(row, &mut values, &[Type::Int32], &[], Type::Void);
            let error = (row.call)(&mut args, cx).unwrap_err();
            assert_eq!(error.type_name, "System.ArgumentException");
        });
    }
}
