//! The interfaces of `System.Collections.Generic`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic>
//!
//! They differ in little more than names and bases, so they share one table.

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};

use super::any;
use super::enumerator;
use super::{Comparer, hash_set};

const PAIR: Type = Type::Named(names::KEYVALUEPAIR, &[Type::T, Type::U]);

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::interface(names::IENUMERABLE_PLAIN, &[]),
    TypeDef::interface(names::IENUMERABLE, ENUMERABLE)
        .generic(1)
        .bases(&[Type::named(names::IENUMERABLE_PLAIN)]),
    TypeDef::interface(names::ICOLLECTION, COLLECTION)
        .generic(1)
        .bases(&[Type::Named(names::IENUMERABLE, &[Type::T])]),
    TypeDef::interface(names::ILIST, LIST)
        .generic(1)
        .bases(&[Type::Named(names::ICOLLECTION, &[Type::T])]),
    TypeDef::interface(names::ISET, SET)
        .generic(1)
        .bases(&[Type::Named(names::ICOLLECTION, &[Type::T])]),
    TypeDef::interface(names::IREADONLYCOLLECTION, READ_ONLY_COLLECTION)
        .generic(1)
        .bases(&[Type::Named(names::IENUMERABLE, &[Type::T])]),
    TypeDef::interface(names::IREADONLYLIST, READ_ONLY_LIST)
        .generic(1)
        .bases(&[Type::Named(names::IREADONLYCOLLECTION, &[Type::T])])
        .unlisted(),
    TypeDef::interface(names::IDICTIONARY, DICTIONARY)
        .generic(2)
        .bases(&[Type::Named(names::ICOLLECTION, &[PAIR])]),
    TypeDef::interface(names::IREADONLYDICTIONARY, READ_ONLY_DICTIONARY)
        .generic(2)
        .bases(&[Type::Named(names::IREADONLYCOLLECTION, &[PAIR])]),
    TypeDef::interface(names::ICOMPARER, COMPARER).generic(1),
    TypeDef::interface(names::IEQUALITYCOMPARER, EQUALITY_COMPARER).generic(1),
];

const ENUMERABLE: &[Member] = &[Member::method(
    "GetEnumerator",
    &[],
    Type::Named(names::IENUMERATOR, &[Type::T]),
    enumerator::start,
)];

const COLLECTION: &[Member] = &[
    Member::property("Count", Type::Int32, any::count_of),
    Member::property("IsReadOnly", Type::Bool, |args, _| Ok(any::is_read_only(args))),
    Member::method("Add", &[Type::T], Type::Void, any::add).params(&["item"]),
    Member::method("Remove", &[Type::T], Type::Bool, any::remove).params(&["item"]),
    Member::method("Clear", &[], Type::Void, |args, _| any::clear(args)),
    Member::method("Contains", &[Type::T], Type::Bool, any::contains).params(&["item"]),
    Member::method("CopyTo", &[Type::Array(&Type::T), Type::Int32], Type::Void, |args, cx| {
        any::copy_to(args, cx)
    })
    .params(&["array", "arrayIndex"]),
];

const LIST: &[Member] = &[
    Member::indexer(&[Type::Int32], Type::T, any::item)
        .params(&["index"])
        .set(|args, _| any::set_item(args)),
    Member::method("IndexOf", &[Type::T], Type::Int32, any::index_of).params(&["item"]),
    Member::method("Insert", &[Type::Int32, Type::T], Type::Void, any::insert)
        .params(&["index", "item"]),
    Member::method("RemoveAt", &[Type::Int32], Type::Void, any::remove_at).params(&["index"]),
];

const COMPARER: &[Member] =
    &[Member::method("Compare", &[Type::T, Type::T], Type::Int32, |args, _| {
        let order = Comparer::of(args.value(0)).compare(args.value(1), args.value(2))?;
        Ok((order as i32).into())
    })
    .params(&["x", "y"])];

const EQUALITY_COMPARER: &[Member] = &[
    Member::method("Equals", &[Type::T, Type::T], Type::Bool, |args, _| {
        Ok(Comparer::of(args.value(0)).equals(args.value(1), args.value(2)).into())
    })
    .params(&["x", "y"]),
    #[expect(clippy::cast_possible_truncation, reason = "a hash may lose bits")]
    Member::method("GetHashCode", &[Type::T], Type::Int32, |args, _| {
        let hash = Comparer::of(args.value(0)).hash(args.value(1));
        Ok(i32::from_ne_bytes(((hash ^ (hash >> 32)) as u32).to_ne_bytes()).into())
    })
    .params(&["obj"]),
];

const SET: &[Member] = &[
    hash_set::ADD,
    hash_set::UNION_WITH,
    hash_set::EXCEPT_WITH,
    hash_set::INTERSECT_WITH,
    hash_set::SYMMETRIC_EXCEPT_WITH,
    hash_set::IS_SUBSET_OF,
    hash_set::IS_PROPER_SUBSET_OF,
    hash_set::IS_SUPERSET_OF,
    hash_set::IS_PROPER_SUPERSET_OF,
    hash_set::SET_EQUALS,
    hash_set::OVERLAPS,
];

const READ_ONLY_COLLECTION: &[Member] = &[Member::property("Count", Type::Int32, any::count_of)];

const READ_ONLY_LIST: &[Member] =
    &[Member::indexer(&[Type::Int32], Type::T, any::item).params(&["index"])];

const DICTIONARY: &[Member] = &[
    Member::indexer(&[Type::T], Type::U, any::entry).params(&["key"]).set(|args, _| {
        let [map, key, value] = args.take()?;
        super::dictionary::not_null(&key)?;
        match map.as_object::<super::Dictionary>() {
            Some(it) => it.set(key, value),
            None => return Err(any::fixed_size()),
        }
        Ok(clr::Value::Null)
    }),
    Member::property("Keys", Type::Named(names::ICOLLECTION, &[Type::T]), |args, cx| {
        any::half_of(args, cx, true)
    }),
    Member::property("Values", Type::Named(names::ICOLLECTION, &[Type::U]), |args, cx| {
        any::half_of(args, cx, false)
    }),
    Member::method("ContainsKey", &[Type::T], Type::Bool, any::contains_key).params(&["key"]),
    Member::method("TryGetValue", &[Type::T, Type::Out(&Type::U)], Type::Bool, |args, cx| {
        any::try_get_value(args, cx)
    })
    .params(&["key", "value"]),
    Member::method("Add", &[Type::T, Type::U], Type::Void, |args, cx| {
        cx.allocate(2 * size_of::<clr::Value>())?;
        let [map, key, value] = args.take()?;
        match map.as_object::<super::Dictionary>() {
            Some(it) => it.add(key, value)?,
            None => return Err(any::fixed_size()),
        }
        Ok(clr::Value::Null)
    })
    .params(&["key", "value"]),
    Member::method("Remove", &[Type::T], Type::Bool, |args, _| {
        let [map, key] = args.take()?;
        super::dictionary::not_null(&key)?;
        match map.as_object::<super::Dictionary>() {
            Some(it) => Ok(it.table().remove(&key).is_some().into()),
            None => Err(any::fixed_size()),
        }
    })
    .params(&["key"]),
];

const READ_ONLY_DICTIONARY: &[Member] = &[
    Member::indexer(&[Type::T], Type::U, any::entry).params(&["key"]),
    Member::property("Keys", Type::Named(names::IENUMERABLE, &[Type::T]), |args, cx| {
        any::half_of(args, cx, true)
    }),
    Member::property("Values", Type::Named(names::IENUMERABLE, &[Type::U]), |args, cx| {
        any::half_of(args, cx, false)
    }),
    Member::method("ContainsKey", &[Type::T], Type::Bool, any::contains_key).params(&["key"]),
    Member::method("TryGetValue", &[Type::T, Type::Out(&Type::U)], Type::Bool, |args, cx| {
        any::try_get_value(args, cx)
    })
    .params(&["key", "value"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_interfaces_have_no_writing_members() {
        for row in READ_ONLY_DICTIONARY.iter().chain(READ_ONLY_LIST) {
            assert!(row.set.is_none() && !["Add", "Remove"].contains(&row.name), "{row}");
        }
    }
}
