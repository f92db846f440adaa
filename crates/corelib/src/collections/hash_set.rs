//! `System.Collections.Generic.HashSet<T>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.hashset-1>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, default_value};
use clr::types::{self, Type, names};
use clr::value::{Cursor, Object, Value};
use dotnet::{Runtime, Str};

use super::comparer::Rules;
use super::{Comparer, Table, any, capacity, enumerator};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::HASHSET, MEMBERS).generic(1).bases(&[
    Type::Named(names::ISET, &[Type::T]),
    Type::Named(names::IREADONLYCOLLECTION, &[Type::T]),
]);

const SELF: Type = Type::Named(names::HASHSET, &[Type::T]);
const ITEMS: Type = Type::Named(names::IENUMERABLE, &[Type::T]);
const COMPARER: Type = Type::Named(names::IEQUALITYCOMPARER, &[Type::T]);

/// A set.
#[derive(Debug)]
pub struct HashSet {
    element: Type,
    table: Mutex<Table>,
}

impl HashSet {
    /// A set of items.
    pub fn new(element: Type, items: Vec<Value>, comparer: Comparer) -> Self {
        let mut table = Table::new(comparer);
        for item in items {
            table.add(item, Value::Null);
        }
        Self { element, table: Mutex::new(table) }
    }

    /// The items, locked: hold it for moments only, never while a lambda runs.
    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes an item; whether it was there.
    pub fn remove(&self, item: &Value) -> bool {
        self.table().remove(item).is_some()
    }
}

impl Object for HashSet {
    fn net_type(&self) -> Type {
        types::named(names::HASHSET, &[self.element])
    }

    fn to_text(&self, _: Runtime) -> Str {
        clr::types::clr_name(self.net_type()).into()
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        let version = self.table().version();
        Ok(Some(Box::new(Items { set: self, version, at: 0 })))
    }
}

struct Items {
    set: Arc<HashSet>,
    version: u64,
    at: usize,
}

impl Cursor for Items {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        let table = self.set.table();
        if table.version() != self.version {
            return Err(super::modified());
        }
        let Some((next, item, _)) = table.next_from(self.at) else { return Ok(None) };
        self.at = next;
        Ok(Some(item.clone()))
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], SELF, construct),
    Member::constructor(&[ITEMS], SELF, construct).params(&["collection"]),
    Member::constructor(&[COMPARER], SELF, construct).params(&["comparer"]),
    Member::constructor(&[ITEMS, COMPARER], SELF, construct).params(&["collection", "comparer"]),
    Member::constructor(&[Type::Int32], SELF, construct).params(&["capacity"]),
    Member::constructor(&[Type::Int32, COMPARER], SELF, construct)
        .params(&["capacity", "comparer"]),
    Member::method("EnsureCapacity", &[Type::Int32], Type::Int32, |args, cx| {
        let wanted = capacity::wanted(args.value(1), cx)?;
        let it: Arc<HashSet> = args.arg(0)?;
        let room = it.table().ensure(wanted, false);
        Ok(any::length(room))
    })
    .params(&["capacity"])
    .doc("How many items .NET would have room for then."),
    Member::method("TrimExcess", &[], Type::Void, |args, cx| {
        let it: Arc<HashSet> = args.arg(0)?;
        let mut table = it.table();
        cx.steps(1 + table.len() as u64)?;
        let room = if table.is_empty() { 0 } else { capacity::prime(table.len()) };
        table.set_capacity(room);
        table.compact();
        Ok(Value::Null)
    }),
    Member::method("OnDeserialization", &[Type::Object], Type::Void, |_, _| Ok(Value::Null))
        .params(&["sender"]),
    Member::property("Count", Type::Int32, any::count_of),
    Member::property("Comparer", COMPARER, |args, _| {
        let it: Arc<HashSet> = args.arg(0)?;
        let comparer = it.table().comparer();
        Ok(comparer.value(it.element))
    }),
    Member::static_method(
        "CreateSetComparer",
        &[],
        Type::Named(names::IEQUALITYCOMPARER, &[SELF]),
        |args, _| Ok(Comparer::Rules(&SETS).object(args.returns())),
    ),
    Member::method("TryGetValue", &[Type::T, Type::Out(&Type::T)], Type::Bool, |args, _| {
        let (it, wanted): (Arc<HashSet>, Value) = (args.arg(0)?, args.arg(1)?);
        let found = it.table().key(&wanted).cloned();
        let is_there = found.is_some();
        args.set_out(2, found.unwrap_or_else(|| default_value(it.element)));
        Ok(is_there.into())
    })
    .params(&["equalValue", "actualValue"]),
    ADD,
    Member::method("Remove", &[Type::T], Type::Bool, |args, _| {
        let (it, item): (Arc<HashSet>, Value) = args.get()?;
        Ok(it.remove(&item).into())
    })
    .params(&["item"]),
    Member::method(
        "RemoveWhere",
        &[Type::Func(&[Type::T, Type::Bool])],
        Type::Int32,
        |args, cx| {
            let (it, predicate): (Arc<HashSet>, Value) = args.get()?;
            let items: Vec<Value> = it.table().iter().map(|(item, _)| item.clone()).collect();
            let mut removed = 0;
            for item in items {
                if cx.test(&predicate, std::slice::from_ref(&item))? && it.remove(&item) {
                    removed += 1;
                }
            }
            Ok(any::length(removed))
        },
    )
    .params(&["match"]),
    Member::method("Clear", &[], Type::Void, |args, _| any::clear(args)),
    Member::method("Contains", &[Type::T], Type::Bool, any::contains).params(&["item"]),
    Member::method("CopyTo", &[Type::Array(&Type::T)], Type::Void, |args, cx| {
        any::copy_to(args, cx)
    })
    .params(&["array"]),
    Member::method("CopyTo", &[Type::Array(&Type::T), Type::Int32], Type::Void, |args, cx| {
        any::copy_to(args, cx)
    })
    .params(&["array", "arrayIndex"]),
    Member::method(
        "GetEnumerator",
        &[],
        Type::Named(names::IENUMERATOR, &[Type::T]),
        enumerator::start,
    ),
    UNION_WITH,
    EXCEPT_WITH,
    INTERSECT_WITH,
    SYMMETRIC_EXCEPT_WITH,
    IS_SUBSET_OF,
    IS_PROPER_SUBSET_OF,
    IS_SUPERSET_OF,
    IS_PROPER_SUPERSET_OF,
    SET_EQUALS,
    OVERLAPS,
];

/// `Add`
pub(super) const ADD: Member = Member::method("Add", &[Type::T], Type::Bool, |args, cx| {
    cx.allocate(2 * size_of::<Value>())?;
    let (it, item): (Arc<HashSet>, Value) = args.get()?;
    Ok(it.table().add(item, Value::Null).into())
})
.params(&["item"]);

/// `UnionWith`
pub(super) const UNION_WITH: Member =
    Member::method("UnionWith", &[ITEMS], Type::Void, |args, cx| {
        let (it, other) = both(args, cx)?;
        for (item, _) in other.iter() {
            it.table().add(item.clone(), Value::Null);
        }
        Ok(Value::Null)
    })
    .params(&["other"]);

/// `ExceptWith`
pub(super) const EXCEPT_WITH: Member =
    Member::method("ExceptWith", &[ITEMS], Type::Void, |args, cx| {
        let (it, other) = both(args, cx)?;
        for (item, _) in other.iter() {
            it.remove(item);
        }
        Ok(Value::Null)
    })
    .params(&["other"]);

/// `IntersectWith`
pub(super) const INTERSECT_WITH: Member =
    Member::method("IntersectWith", &[ITEMS], Type::Void, |args, cx| {
        let (it, other) = both(args, cx)?;
        let items: Vec<Value> = it.table().iter().map(|(item, _)| item.clone()).collect();
        for item in items.iter().filter(|item| !other.contains(item)) {
            it.remove(item);
        }
        Ok(Value::Null)
    })
    .params(&["other"]);

/// `SymmetricExceptWith`
pub(super) const SYMMETRIC_EXCEPT_WITH: Member =
    Member::method("SymmetricExceptWith", &[ITEMS], Type::Void, |args, cx| {
        let (it, other) = both(args, cx)?;
        for (item, _) in other.iter() {
            if !it.remove(item) {
                it.table().add(item.clone(), Value::Null);
            }
        }
        Ok(Value::Null)
    })
    .params(&["other"]);

/// `IsSubsetOf`
pub(super) const IS_SUBSET_OF: Member =
    Member::method("IsSubsetOf", &[ITEMS], Type::Bool, |args, cx| {
        relation(args, cx, |own, common, _| common == own)
    })
    .params(&["other"]);

/// `IsProperSubsetOf`
pub(super) const IS_PROPER_SUBSET_OF: Member =
    Member::method("IsProperSubsetOf", &[ITEMS], Type::Bool, |args, cx| {
        relation(args, cx, |own, common, other| common == own && other > own)
    })
    .params(&["other"]);

/// `IsSupersetOf`
pub(super) const IS_SUPERSET_OF: Member =
    Member::method("IsSupersetOf", &[ITEMS], Type::Bool, |args, cx| {
        relation(args, cx, |_, common, other| common == other)
    })
    .params(&["other"]);

/// `IsProperSupersetOf`
pub(super) const IS_PROPER_SUPERSET_OF: Member =
    Member::method("IsProperSupersetOf", &[ITEMS], Type::Bool, |args, cx| {
        relation(args, cx, |own, common, other| common == other && own > other)
    })
    .params(&["other"]);

/// `SetEquals`
pub(super) const SET_EQUALS: Member =
    Member::method("SetEquals", &[ITEMS], Type::Bool, |args, cx| {
        relation(args, cx, |own, common, other| common == own && common == other)
    })
    .params(&["other"]);

/// `Overlaps`
pub(super) const OVERLAPS: Member = Member::method("Overlaps", &[ITEMS], Type::Bool, |args, cx| {
    relation(args, cx, |_, common, _| common > 0)
})
.params(&["other"]);

fn construct(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let last = args.len().checked_sub(1).map_or(&Value::Null, |it| args.value(it));
    let comparer = Comparer::of(last);
    let items = if args.member().parameter_name(0) == "collection" {
        any::items(args.value(0), "collection", cx)?
    } else {
        Vec::new()
    };
    cx.allocate(items.len() * size_of::<Value>())?;
    let named = args.member().parameter_name(0);
    let source = args.value(0);
    let room = match source.as_object::<HashSet>() {
        _ if named == "capacity" && source.as_i64() != Some(0) => capacity::wanted(source, cx)?,
        Some(it) if it.table().comparer() == comparer => copied_room(&it.table()),
        _ if named == "collection" && any::known_count(source).is_some() => items.len(),
        _ => 0,
    };
    let made = HashSet::new(args.type_arg(0), Vec::new(), comparer);
    {
        let mut table = made.table();
        if room > 0 {
            table.ensure(room, false);
        }
        for item in items {
            table.add(item, Value::Null);
        }
        // A collection with many items that are the same leaves much room.
        if !table.is_empty() && table.capacity() / table.len() > 3 && named == "collection" {
            let room = capacity::prime(table.len());
            table.set_capacity(room);
        }
    }
    Ok(Value::object(made))
}

/// The room of a copy of a set: the same, unless far less is needed.
fn copied_room(of: &Table) -> usize {
    match of.len() {
        0 => 0,
        n if capacity::larger(n + 1) >= of.capacity() => of.capacity(),
        n => n,
    }
}

/// `CreateSetComparer`: sets are equal if they have the same items.
static SETS: Rules = Rules {
    name: "HashSetEqualityComparer",
    equals: |a, b| match (a.as_object::<HashSet>(), b.as_object::<HashSet>()) {
        (Some(a), Some(b)) => {
            let other = items_of(b);
            let own = a.table();
            own.len() == other.len() && other.iter().all(|it| own.contains(it))
        }
        _ => a.is_null() && b.is_null(),
    },
    hash: |it| {
        let items = it.as_object::<HashSet>().map(items_of).unwrap_or_default();
        items.iter().fold(0, |all, it| all ^ it.hash_code())
    },
    order: |_, _| Err(Exception::argument("At least one object must implement IComparable.")),
};

/// The items; sets are locked one at a time, since they may be the same.
fn items_of(set: &HashSet) -> Vec<Value> {
    set.table().iter().map(|(item, _)| item.clone()).collect()
}

/// The set, and the other items as a set with the same comparer.
fn both(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<(Arc<HashSet>, Table), Exception> {
    let other = any::items(args.value(1), "other", cx)?;
    let it = args.arg::<Arc<HashSet>>(0)?;
    cx.steps(other.len() as u64 + it.table().len() as u64)?;
    let mut table = Table::new(it.table().comparer());
    for item in other {
        table.add(item, Value::Null);
    }
    Ok((it, table))
}

/// Compares the sizes of the set, of what both have, and of the other.
fn relation(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    holds: fn(usize, usize, usize) -> bool,
) -> Result<Value, Exception> {
    let (it, other) = both(args, cx)?;
    let own = it.table();
    let common = other.iter().filter(|(item, _)| own.contains(item)).count();
    Ok(holds(own.len(), common, other.len()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    fn call(name: &str, own: &[i32], other: &[i32]) -> (Value, Vec<i64>) {
        let values = |all: &[i32]| all.iter().map(|it| Value::from(*it)).collect::<Vec<_>>();
        let set = Value::object(HashSet::new(Type::Int32, values(own), Comparer::Default));
        let row = MEMBERS.iter().find(|it| it.name == name).unwrap();
        with_cx(|cx| {
            let mut values = [set.clone(), Value::array(Type::Int32, values(other))];
            let mut args = Args::new(row, &mut values, &[Type::Int32], &[], row.returns);
            let result = (row.call)(&mut args, cx).unwrap();
            let items = set.collect(cx).unwrap();
            (result, items.iter().map(|it| it.as_i64().unwrap()).collect())
        })
    }

    #[test]
    fn sets_are_combined_in_place() {
        assert_eq!(call("IntersectWith", &[1, 2, 3], &[2, 3, 4]).1, [2, 3]);
        assert_eq!(call("UnionWith", &[1], &[1, 2]).1, [1, 2]);
        assert_eq!(call("ExceptWith", &[1, 2], &[2]).1, [1]);
        assert_eq!(call("SymmetricExceptWith", &[1, 2], &[2, 3]).1, [1, 3]);
    }

    #[test]
    fn sets_are_compared() {
        let holds = |name, own: &[i32], other: &[i32]| call(name, own, other).0.as_bool().unwrap();
        assert!(holds("IsSubsetOf", &[1, 2], &[1, 2]) && !holds("IsProperSubsetOf", &[1], &[1]));
        assert!(holds("SetEquals", &[1, 2], &[2, 1, 1]) && holds("Overlaps", &[1], &[1, 5]));
        assert!(holds("IsProperSupersetOf", &[1, 2], &[2]));
    }
}
