//! `GroupBy` and `ToLookup`, with `IGrouping<K, E>` and `ILookup<K, E>`.

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{self, Type, names};
use clr::value::sequence::Items;
use clr::value::{Cursor, Object, Value};
use corelib::collections::{Comparer, Table, any};

use super::{SOURCE, argument, cursor, lazy, named};

pub(crate) const IGROUPING: TypeDef = TypeDef::interface(names::IGROUPING, GROUPING_ROWS)
    .generic(2)
    .bases(&[Type::Named(names::IENUMERABLE, &[Type::U])]);

pub(crate) const ILOOKUP: TypeDef =
    TypeDef::interface(names::ILOOKUP, LOOKUP_ROWS).generic(2).bases(&[Type::Named(
        names::IENUMERABLE,
        &[Type::Named(names::IGROUPING, &[Type::T, Type::U])],
    )]);

const GROUPING_ROWS: &[Member] = &[Member::property("Key", Type::T, |args, _| {
    Ok(args.value(0).as_object::<Grouping>().map_or(Value::Null, |it| it.key.clone()))
})];

const LOOKUP_ROWS: &[Member] = &[
    Member::property("Count", Type::Int32, any::count_of),
    Member::method("Contains", &[Type::T], Type::Bool, |args, _| {
        let (it, key): (Arc<Lookup>, Value) = args.get()?;
        Ok(it.find(&key).is_some().into())
    })
    .params(&["key"]),
    Member::indexer(&[Type::T], Type::Named(names::IENUMERABLE, &[Type::U]), |args, _| {
        let (it, key): (Arc<Lookup>, Value) = args.get()?;
        let element = args.returns().argument(0).unwrap_or(Type::Object);
        Ok(it.find(&key).unwrap_or_else(|| Value::array(element, Vec::new())))
    })
    .params(&["key"]),
];

const KEY: Type = Type::Func(&[Type::M, Type::N]);
const ELEMENT: Type = Type::Func(&[Type::M, Type::O]);
const EQUALITY: Type = Type::Named(names::IEQUALITYCOMPARER, &[Type::N]);
const GROUP: Type = Type::Named(names::IGROUPING, &[Type::N, Type::M]);
const GROUP_OF: Type = Type::Named(names::IGROUPING, &[Type::N, Type::O]);
const GROUPS: Type = Type::Named(names::IENUMERABLE, &[GROUP]);
const GROUPS_OF: Type = Type::Named(names::IENUMERABLE, &[GROUP_OF]);
const RESULT: Type = Type::Func(&[Type::N, Type::Named(names::IENUMERABLE, &[Type::M]), Type::O]);
const RESULT_OF: Type =
    Type::Func(&[Type::N, Type::Named(names::IENUMERABLE, &[Type::O]), Type::P]);
const RESULTS: Type = Type::Named(names::IENUMERABLE, &[Type::O]);
const RESULTS_OF: Type = Type::Named(names::IENUMERABLE, &[Type::P]);

macro_rules! rows {
    ($($name:literal ($($param:ident $param_name:literal),*) -> $result:expr, $call:ident;)*) => {
        pub(super) const ROWS: &[Member] = &[$(
            Member::extension($name, &[SOURCE, KEY $(, $param)*], $result, |args, cx| $call(args, cx))
                .params(&["source", "keySelector" $(, $param_name)*]),
        )*];
    };
}

rows! {
    "GroupBy" () -> GROUPS, group_by;
    "GroupBy" (EQUALITY "comparer") -> GROUPS, group_by;
    "GroupBy" (ELEMENT "elementSelector") -> GROUPS_OF, group_by;
    "GroupBy" (ELEMENT "elementSelector", EQUALITY "comparer") -> GROUPS_OF, group_by;
    "GroupBy" (RESULT "resultSelector") -> RESULTS, group_by;
    "GroupBy" (RESULT "resultSelector", EQUALITY "comparer") -> RESULTS, group_by;
    "GroupBy" (ELEMENT "elementSelector", RESULT_OF "resultSelector") -> RESULTS_OF, group_by;
    "GroupBy" (ELEMENT "elementSelector", RESULT_OF "resultSelector", EQUALITY "comparer")
        -> RESULTS_OF, group_by;
    "ToLookup" () -> Type::Named(names::ILOOKUP, &[Type::N, Type::M]), to_lookup;
    "ToLookup" (EQUALITY "comparer") -> Type::Named(names::ILOOKUP, &[Type::N, Type::M]), to_lookup;
    "ToLookup" (ELEMENT "elementSelector")
        -> Type::Named(names::ILOOKUP, &[Type::N, Type::O]), to_lookup;
    "ToLookup" (ELEMENT "elementSelector", EQUALITY "comparer")
        -> Type::Named(names::ILOOKUP, &[Type::N, Type::O]), to_lookup;
}

/// A group.
#[derive(Debug)]
pub struct Grouping {
    ty: Type,
    /// `Key`.
    pub key: Value,
    items: Vec<Value>,
}

impl Object for Grouping {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Ok(Some(Box::new(Items::new(self.items.clone()))))
    }
}

/// Groups by key.
#[derive(Debug)]
struct Lookup {
    ty: Type,
    groups: Vec<Value>,
    places: Table,
}

impl Lookup {
    fn find(&self, key: &Value) -> Option<Value> {
        let at = self.places.get(key)?.as_i64().and_then(|it| usize::try_from(it).ok())?;
        self.groups.get(at).cloned()
    }
}

impl Object for Lookup {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Ok(Some(Box::new(Items::new(self.groups.clone()))))
    }
}

/// How to group: what a row was called with.
#[derive(Clone)]
struct Plan {
    source: Value,
    key: Value,
    element: Option<Value>,
    comparer: Comparer,
    /// The type of a group.
    group: Type,
}

impl Plan {
    fn new(args: &Args<'_>) -> Result<Self, Exception> {
        let element = named(args, "elementSelector").cloned();
        let item = if element.is_some() { args.method_arg(2) } else { args.method_arg(0) };
        Ok(Self {
            source: argument(args, 0)?,
            key: argument(args, 1)?,
            element,
            comparer: named(args, "comparer").map_or(Comparer::Default, Comparer::of),
            group: types::named(names::IGROUPING, &[args.method_arg(1), item]),
        })
    }

    /// The groups in the order of their first items, and where the group of a key is.
    fn groups(&self, cx: &mut EvalCx<'_>) -> Result<(Vec<Grouping>, Table), Exception> {
        let mut groups: Vec<Grouping> = Vec::new();
        let mut places = Table::new(self.comparer);
        let mut items = self.source.cursor(cx)?;
        while let Some(item) = items.next(cx)? {
            cx.allocate(size_of::<Value>())?;
            let key = cx.invoke(&self.key, std::slice::from_ref(&item))?;
            let item = match &self.element {
                Some(it) => cx.invoke(it, &[item])?,
                None => item,
            };
            let known = places.get(&key).and_then(Value::as_i64);
            let known = known.and_then(|it| usize::try_from(it).ok());
            match known.and_then(|at| groups.get_mut(at)) {
                Some(group) => group.items.push(item),
                None => {
                    let at = i64::try_from(groups.len()).unwrap_or(i64::MAX);
                    places.add(key.clone(), at.into());
                    groups.push(Grouping { ty: self.group, key, items: vec![item] });
                }
            }
        }
        Ok((groups, places))
    }
}

fn group_by(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let plan = Plan::new(args)?;
    let result = named(args, "resultSelector").cloned();
    lazy(args, move |cx| {
        let (groups, _) = plan.groups(cx)?;
        let mut groups = groups.into_iter();
        let result = result.clone();
        Ok(cursor(move |cx| {
            let Some(group) = groups.next() else { return Ok(None) };
            let key = group.key.clone();
            let group = Value::object(group);
            match &result {
                Some(it) => cx.invoke(it, &[key, group]).map(Some),
                None => Ok(Some(group)),
            }
        }))
    })
}

fn to_lookup(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (groups, places) = Plan::new(args)?.groups(cx)?;
    let groups = groups.into_iter().map(Value::object).collect();
    Ok(Value::object(Lookup { ty: args.returns(), groups, places }))
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, run};
    use super::*;
    use crate::test_support::with_cx;

    fn by_last_digit(name: &str) -> Value {
        let digit = lambda(|args| (args[0].as_i64().unwrap() as i32 % 10).into());
        run(name, &[ints(&[11, 22, 21]), digit]).unwrap()
    }

    #[test]
    fn groups_come_in_the_order_of_their_first_items() {
        with_cx(|cx| {
            let groups = by_last_digit("GroupBy").collect(cx).unwrap();
            let keys: Vec<i64> = groups
                .iter()
                .map(|it| it.as_object::<Grouping>().unwrap().key.as_i64().unwrap())
                .collect();
            assert_eq!(keys, [1, 2]);
            assert_eq!(groups[0].collect(cx).unwrap().len(), 2);
        });
    }

    #[test]
    fn a_lookup_finds_groups_by_key() {
        let lookup = by_last_digit("ToLookup");
        let lookup = lookup.as_object::<Lookup>().unwrap();
        assert!(lookup.find(&Value::from(1)).is_some());
        assert!(lookup.find(&Value::from(9)).is_none());
    }
}
