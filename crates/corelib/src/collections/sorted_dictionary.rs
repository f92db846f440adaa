//! `System.Collections.Generic.SortedDictionary<TKey, TValue>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.sorteddictionary-2>
//!
//! Not on Azure's list; there where the options widen it. A dictionary whose entries are put in the
//! order of their keys when they are enumerated.

use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;

use super::dictionary::{self, Dictionary};
use super::{any, enumerator};

const OWN: Type = Type::Named(names::SORTEDDICTIONARY, &[Type::T, Type::U]);
const SOURCE: Type = Type::Named(names::IDICTIONARY, &[Type::T, Type::U]);
const PAIR: Type = Type::Named(names::KEYVALUEPAIR, &[Type::T, Type::U]);

pub(crate) const TYPE: TypeDef =
    TypeDef::class(names::SORTEDDICTIONARY, MEMBERS).generic(2).bases(&[SOURCE]).unlisted();

/// `SortedDictionary<TKey, TValue>.KeyCollection`.
pub(crate) const KEYS: TypeDef =
    TypeDef::class("System.Collections.Generic.SortedDictionary+KeyCollection", &[])
        .generic(2)
        .bases(&[Type::Named(names::ICOLLECTION, &[Type::T])])
        .unlisted();

/// `SortedDictionary<TKey, TValue>.ValueCollection`.
pub(crate) const VALUES: TypeDef =
    TypeDef::class("System.Collections.Generic.SortedDictionary+ValueCollection", &[])
        .generic(2)
        .bases(&[Type::Named(names::ICOLLECTION, &[Type::U])])
        .unlisted();

fn own(args: &mut Args<'_>) -> Result<Arc<Dictionary>, Exception> {
    args.arg::<Arc<Dictionary>>(0)
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], OWN, |args, _| {
        Ok(Value::object(Dictionary::sorted([args.type_arg(0), args.type_arg(1)])))
    }),
    Member::constructor(&[SOURCE], OWN, |args, cx| {
        let made = Dictionary::sorted([args.type_arg(0), args.type_arg(1)]);
        for pair in any::items(args.value(0), "dictionary", cx)? {
            if let Some(it) = pair.as_object::<clr::value::KeyValuePair>() {
                made.add(it.key.clone(), it.value.clone())?;
            }
        }
        Ok(Value::object(made))
    })
    .params(&["dictionary"]),
    Member::property("Count", Type::Int32, any::count_of),
    Member::property("Keys", Type::Named(KEYS.name, &[Type::T, Type::U]), |args, _| {
        Ok(dictionary::half(own(args)?, true))
    }),
    Member::property("Values", Type::Named(VALUES.name, &[Type::T, Type::U]), |args, _| {
        Ok(dictionary::half(own(args)?, false))
    }),
    Member::indexer(&[Type::T], Type::U, any::entry).params(&["key"]).set(|args, cx| {
        cx.allocate(2 * size_of::<Value>())?;
        let (it, key, value): (Arc<Dictionary>, Value, Value) = args.get()?;
        dictionary::not_null(&key)?;
        it.set(key, value);
        Ok(Value::Null)
    }),
    Member::method("Add", &[Type::T, Type::U], Type::Void, |args, cx| {
        cx.allocate(2 * size_of::<Value>())?;
        let (it, key, value): (Arc<Dictionary>, Value, Value) = args.get()?;
        it.add(key, value)?;
        Ok(Value::Null)
    })
    .params(&["key", "value"]),
    Member::method("ContainsKey", &[Type::T], Type::Bool, any::contains_key).params(&["key"]),
    Member::method("ContainsValue", &[Type::U], Type::Bool, |args, cx| {
        let (it, value): (Arc<Dictionary>, Value) = args.get()?;
        let table = it.table();
        cx.steps(table.len() as u64)?;
        Ok(table.iter().any(|(_, own)| own.equals(&value)).into())
    })
    .params(&["value"]),
    Member::method("TryGetValue", &[Type::T, Type::Out(&Type::U)], Type::Bool, |args, cx| {
        any::try_get_value(args, cx)
    })
    .params(&["key", "value"]),
    Member::method("Remove", &[Type::T], Type::Bool, |args, _| {
        let (it, key): (Arc<Dictionary>, Value) = args.get()?;
        dictionary::not_null(&key)?;
        Ok(it.table().remove(&key).is_some().into())
    })
    .params(&["key"]),
    Member::method("Clear", &[], Type::Void, |args, _| {
        own(args)?.table().clear();
        Ok(Value::Null)
    }),
    Member::method(
        "GetEnumerator",
        &[],
        Type::Named(names::IENUMERATOR, &[PAIR]),
        enumerator::start,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn entries_are_enumerated_in_the_order_of_their_keys() {
        with_cx(|cx| {
            let it = Arc::new(Dictionary::sorted([Type::String, Type::Int32]));
            for (key, value) in [("b", 1), ("c", 3), ("a", 2)] {
                it.add(key.into(), value.into()).unwrap();
            }
            let text = |it: &Value, cx: &mut clr::EvalCx<'_>| -> Vec<String> {
                it.collect(cx).unwrap().iter().map(|it| it.to_text().into_owned()).collect()
            };
            assert_eq!(text(&dictionary::half(Arc::clone(&it), true), cx), ["a", "b", "c"]);
            assert_eq!(text(&dictionary::half(it, false), cx), ["2", "1", "3"]);
        });
    }
}
