//! `System.Collections.Generic.Dictionary<TKey, TValue>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.dictionary-2>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{self, Type, names};
use clr::value::{Cursor, KeyValuePair, Object, Value};
use dotnet::{Runtime, Str};

use super::{Comparer, Table};
use super::{any, capacity};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::DICTIONARY, MEMBERS).generic(2).bases(&[
    Type::Named(names::IDICTIONARY, &[Type::T, Type::U]),
    Type::Named(names::IREADONLYDICTIONARY, &[Type::T, Type::U]),
]);

/// `Dictionary<TKey, TValue>.KeyCollection`.
pub(crate) const KEYS: TypeDef =
    TypeDef::class("System.Collections.Generic.Dictionary+KeyCollection", &[])
        .generic(2)
        .bases(&[Type::Named(names::ICOLLECTION, &[Type::T])]);

/// `Dictionary<TKey, TValue>.ValueCollection`.
pub(crate) const VALUES: TypeDef =
    TypeDef::class("System.Collections.Generic.Dictionary+ValueCollection", &[])
        .generic(2)
        .bases(&[Type::Named(names::ICOLLECTION, &[Type::U])]);

const SELF: Type = Type::Named(names::DICTIONARY, &[Type::T, Type::U]);
const SOURCE: Type = Type::Named(names::IDICTIONARY, &[Type::T, Type::U]);
const KEY_COMPARER: Type = Type::Named(names::IEQUALITYCOMPARER, &[Type::T]);

/// A dictionary.
#[derive(Debug)]
pub struct Dictionary {
    ty: Type,
    pair: Type,
    table: Mutex<Table>,
}

impl Dictionary {
    /// An empty dictionary of key and value types.
    pub fn new(types: [Type; 2], comparer: Comparer) -> Self {
        Self {
            ty: types::named(names::DICTIONARY, &types),
            pair: types::named(names::KEYVALUEPAIR, &types),
            table: Mutex::new(Table::new(comparer)),
        }
    }

    /// An empty `SortedDictionary`.
    pub(crate) fn sorted(types: [Type; 2]) -> Self {
        let ty = types::named(names::SORTEDDICTIONARY, &types);
        Self { ty, ..Self::new(types, Comparer::Default) }
    }

    fn is_sorted(&self) -> bool {
        self.ty.is_named(names::SORTEDDICTIONARY)
    }

    /// The entries, locked: hold it for moments only, never while a lambda runs.
    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the value of a key.
    pub fn set(&self, key: impl Into<Value>, value: impl Into<Value>) {
        self.table().set(key.into(), value.into());
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// `ArgumentNullException` for a null key, `ArgumentException` for a key that is there.
    pub fn add(&self, key: Value, value: Value) -> Result<(), Exception> {
        not_null(&key)?;
        if self.table().contains(&key) {
            return Err(Exception::argument(format!(
                "An item with the same key has already been added. Key: {}",
                key.to_text()
            )));
        }
        self.table().add(key, value);
        Ok(())
    }

    /// The value of a key.
    pub fn get(&self, key: &Value) -> Option<Value> {
        self.table().get(key).cloned()
    }

    /// Key and value types.
    pub fn types(&self) -> [Type; 2] {
        [0, 1].map(|index| self.ty.argument(index).unwrap_or(Type::Object))
    }
}

/// Keys must not be null.
pub(crate) fn not_null(key: &Value) -> Result<(), Exception> {
    if key.is_null() { Err(Exception::argument_null("key")) } else { Ok(()) }
}

impl Object for Dictionary {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn to_text(&self, _: Runtime) -> Str {
        clr::types::clr_name(self.ty).into()
    }

    fn cursor(self: Arc<Self>, cx: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        entries(self, Part::Pair, cx).map(Some)
    }
}

/// An enumeration of a dictionary; of a sorted one, in the order of the keys.
fn entries(
    dictionary: Arc<Dictionary>,
    part: Part,
    cx: &mut EvalCx<'_>,
) -> Result<Box<dyn Cursor>, Exception> {
    let version = dictionary.table().version();
    let mut order = None;
    if dictionary.is_sorted() {
        let mut keys: Vec<Value> = dictionary.table().iter().map(|(key, _)| key.clone()).collect();
        cx.allocate(keys.len() * size_of::<Value>())?;
        super::sort::sort(&mut keys, Comparer::Default, cx)?;
        order = Some(keys.into_iter());
    }
    Ok(Box::new(Entries { dictionary, version, at: 0, part, order }))
}

/// What an enumeration gives.
#[derive(Clone, Copy, Debug)]
enum Part {
    Pair,
    Key,
    Value,
}

struct Entries {
    dictionary: Arc<Dictionary>,
    version: u64,
    at: usize,
    part: Part,
    /// The keys that are left, of a sorted dictionary.
    order: Option<std::vec::IntoIter<Value>>,
}

impl Cursor for Entries {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        let table = self.dictionary.table();
        if table.version() != self.version {
            return Err(super::modified());
        }
        let sorted = match self.order.as_mut() {
            None => None,
            Some(keys) => match keys.next() {
                Some(key) => Some((self.at, key)),
                None => return Ok(None),
            },
        };
        let found = match &sorted {
            Some((at, key)) => table.get(key).map(|value| (*at, key, value)),
            None => table.next_from(self.at),
        };
        let Some((next, key, value)) = found else { return Ok(None) };
        let item = match self.part {
            Part::Key => key.clone(),
            Part::Value => value.clone(),
            Part::Pair => {
                Value::object(KeyValuePair::of(self.dictionary.pair, key.clone(), value.clone()))
            }
        };
        self.at = next;
        Ok(Some(item))
    }
}

/// Keys or values of a dictionary, as they are when enumerated.
#[derive(Debug)]
pub(crate) struct Half {
    dictionary: Arc<Dictionary>,
    part: Part,
}

impl Half {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.dictionary.table().len()
    }
}

impl Object for Half {
    fn net_type(&self) -> Type {
        use super::sorted_dictionary as sorted;
        let name = match (self.part, self.dictionary.is_sorted()) {
            (Part::Key, false) => KEYS.name,
            (_, false) => VALUES.name,
            (Part::Key, true) => sorted::KEYS.name,
            (_, true) => sorted::VALUES.name,
        };
        types::named(name, &self.dictionary.types())
    }

    fn cursor(self: Arc<Self>, cx: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        entries(Arc::clone(&self.dictionary), self.part, cx).map(Some)
    }
}

/// `Keys` and `Values` of a dictionary.
pub(crate) fn half(dictionary: Arc<Dictionary>, keys: bool) -> Value {
    Value::object(Half { dictionary, part: if keys { Part::Key } else { Part::Value } })
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], SELF, construct),
    Member::constructor(&[Type::Int32], SELF, construct).params(&["capacity"]),
    Member::constructor(&[KEY_COMPARER], SELF, construct).params(&["comparer"]),
    Member::constructor(&[Type::Int32, KEY_COMPARER], SELF, construct)
        .params(&["capacity", "comparer"]),
    Member::property("Comparer", KEY_COMPARER, |args, _| {
        let it: Arc<Dictionary> = args.arg(0)?;
        let comparer = it.table().comparer();
        let [key, _] = it.types();
        Ok(comparer.value(key))
    }),
    Member::constructor(&[SOURCE], SELF, construct).params(&["dictionary"]),
    Member::constructor(&[SOURCE, KEY_COMPARER], SELF, construct)
        .params(&["dictionary", "comparer"]),
    Member::constructor(
        &[Type::Named(
            names::IENUMERABLE,
            &[Type::Named(names::KEYVALUEPAIR, &[Type::T, Type::U])],
        )],
        SELF,
        construct,
    )
    .params(&["collection"]),
    Member::property("Count", Type::Int32, any::count_of),
    Member::property("Keys", Type::Named(KEYS.name, &[Type::T, Type::U]), |args, _| {
        let (it,): (Arc<Dictionary>,) = args.get()?;
        Ok(half(it, true))
    }),
    Member::property("Values", Type::Named(VALUES.name, &[Type::T, Type::U]), |args, _| {
        let (it,): (Arc<Dictionary>,) = args.get()?;
        Ok(half(it, false))
    }),
    Member::indexer(&[Type::T], Type::U, any::entry).params(&["key"]).set(|args, _| set(args)),
    Member::method("Add", &[Type::T, Type::U], Type::Void, add).params(&["key", "value"]),
    Member::method("TryAdd", &[Type::T, Type::U], Type::Bool, |args, cx| {
        cx.allocate(2 * size_of::<Value>())?;
        let (it, key, value): (Arc<Dictionary>, Value, Value) = args.get()?;
        not_null(&key)?;
        Ok(it.table().add(key, value).into())
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
    Member::method("Remove", &[Type::T], Type::Bool, |args, cx| remove(args, cx)).params(&["key"]),
    Member::method("Remove", &[Type::T, Type::Out(&Type::U)], Type::Bool, |args, _| {
        let it = args.arg::<Arc<Dictionary>>(0)?;
        let key = args.arg::<Value>(1)?;
        not_null(&key)?;
        let removed = it.table().remove(&key);
        let found = removed.is_some();
        let [_, value] = it.types();
        args.set_out(2, removed.unwrap_or_else(|| clr::rows::default_value(value)));
        Ok(found.into())
    })
    .params(&["key", "value"]),
    Member::method("EnsureCapacity", &[Type::Int32], Type::Int32, |args, cx| {
        let wanted = capacity::wanted(args.value(1), cx)?;
        let it: Arc<Dictionary> = args.arg(0)?;
        let room = it.table().ensure(wanted, true);
        Ok(any::length(room))
    })
    .params(&["capacity"])
    .doc("How many entries .NET would have room for then."),
    Member::method("TrimExcess", &[], Type::Void, trim),
    Member::method("TrimExcess", &[Type::Int32], Type::Void, trim).params(&["capacity"]),
    Member::method("OnDeserialization", &[Type::Object], Type::Void, |_, _| Ok(Value::Null))
        .params(&["sender"]),
    Member::method("Clear", &[], Type::Void, |args, _| {
        let (it,): (Arc<Dictionary>,) = args.get()?;
        it.table().clear();
        Ok(Value::Null)
    }),
    Member::method(
        "GetEnumerator",
        &[],
        Type::Named(names::IENUMERATOR, &[Type::Named(names::KEYVALUEPAIR, &[Type::T, Type::U])]),
        super::enumerator::start,
    ),
];

/// The constructors: a capacity is kept, a source is copied, a comparer is kept.
fn construct(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let types = [args.type_arg(0), args.type_arg(1)];
    let last = args.len().checked_sub(1).map_or(&Value::Null, |it| args.value(it));
    let made = Dictionary::new(types, Comparer::of(last));
    let first = args.value(0).clone();
    if let Some(capacity) = first.as_i64() {
        if capacity != 0 {
            let wanted = capacity::wanted(&first, cx)?;
            made.table().ensure(wanted, false);
        }
    } else if first.is_null() {
        if args.member().parameter_name(0) == "dictionary" {
            return Err(Exception::argument_null("dictionary"));
        }
    } else if args.member().parameter_name(0) != "comparer" {
        let pairs = first.collect(cx)?;
        if any::known_count(&first).is_some() && !pairs.is_empty() {
            made.table().ensure(pairs.len(), false);
        }
        for pair in pairs {
            if let Some(pair) = pair.as_object::<KeyValuePair>() {
                made.add(pair.key.clone(), pair.value.clone())?;
            }
        }
    }
    Ok(Value::object(made))
}

/// `TrimExcess`: room for so many entries, for those that are there if nothing is said.
fn trim(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let it: Arc<Dictionary> = args.arg(0)?;
    let mut table = it.table();
    let wanted = if args.len() > 1 { capacity::wanted(args.value(1), cx)? } else { table.len() };
    if wanted < table.len() {
        return Err(Exception::argument_out_of_range("capacity"));
    }
    let room = capacity::prime(wanted);
    if room < table.capacity() {
        cx.steps(1 + table.len() as u64)?;
        table.set_capacity(room);
        table.compact();
        table.touch();
    }
    Ok(Value::Null)
}

fn set(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (it, key, value): (Arc<Dictionary>, Value, Value) = args.get()?;
    not_null(&key)?;
    it.table().set(key, value);
    Ok(Value::Null)
}

fn add(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    cx.allocate(2 * size_of::<Value>())?;
    let (it, key, value): (Arc<Dictionary>, Value, Value) = args.get()?;
    it.add(key, value)?;
    Ok(Value::Null)
}

fn remove(args: &mut Args<'_>, cx: &EvalCx<'_>) -> Result<Value, Exception> {
    let (it, key): (Arc<Dictionary>, Value) = args.get()?;
    not_null(&key)?;
    let removed = it.table().remove(&key).is_some();
    // .NET Core lets an enumeration go on after a removal.
    if removed && cx.runtime() == dotnet::Runtime::Framework {
        it.table().touch();
    }
    Ok(removed.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn keys_are_unique_and_never_null() {
        let it = Dictionary::new([Type::String, Type::Int32], Comparer::Default);
        it.add("a".into(), Value::from(1)).unwrap();
        let error = it.add("a".into(), Value::from(2)).unwrap_err();
        assert_eq!(error.type_name, "System.ArgumentException");
        assert_eq!(
            it.add(Value::Null, Value::Null).unwrap_err().type_name,
            "System.ArgumentNullException"
        );
        assert!(it.get(&"a".into()).unwrap().equals(&Value::from(1)));
    }

    #[test]
    fn a_change_ends_an_enumeration() {
        let it = Arc::new(Dictionary::new([Type::String, Type::Int32], Comparer::Default));
        it.set("a", 1);
        with_cx(|cx| {
            let mut cursor = Arc::clone(&it).cursor(cx).unwrap().unwrap();
            assert_eq!(cursor.next(cx).unwrap().unwrap().to_text(), "[a, 1]");
            it.set("b", 2);
            assert!(cursor.next(cx).is_err());
        });
        assert_eq!(
            Value::Object(it).to_text(),
            "System.Collections.Generic.Dictionary`2[System.String,System.Int32]"
        );
    }
}
