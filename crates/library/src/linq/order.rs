//! `OrderBy`, `ThenBy` and their descending forms. Stable, like .NET's.

use std::cmp::Ordering;
use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{self, Type, names};
use clr::value::{Cursor, Object, Value};
use corelib::collections::{Comparer, sort};

use super::{SOURCE, argument, cursor, element_of, named};

pub(crate) const IORDEREDENUMERABLE: TypeDef = TypeDef::interface(names::IORDEREDENUMERABLE, &[])
    .generic(1)
    .bases(&[Type::Named(names::IENUMERABLE, &[Type::T])]);

const ORDERED: Type = Type::Named(names::IORDEREDENUMERABLE, &[Type::M]);
const KEY: Type = Type::Func(&[Type::M, Type::N]);
const COMPARER: Type = Type::Named(names::ICOMPARER, &[Type::N]);

macro_rules! rows {
    ($($name:literal of $source:ident descending $descending:literal;)*) => {
        pub(super) const ROWS: &[Member] = &[$(
            Member::extension($name, &[$source, KEY], ORDERED, |args, _| ordered(args, $descending))
                .params(&["source", "keySelector"]),
            Member::extension($name, &[$source, KEY, COMPARER], ORDERED, |args, _| {
                ordered(args, $descending)
            })
            .params(&["source", "keySelector", "comparer"]),
        )*];
    };
}

rows! {
    "OrderBy" of SOURCE descending false;
    "OrderByDescending" of SOURCE descending true;
    "ThenBy" of ORDERED descending false;
    "ThenByDescending" of ORDERED descending true;
}

/// How to sort.
#[derive(Clone, Debug)]
struct Key {
    selector: Value,
    comparer: Comparer,
    descending: bool,
}

/// A sequence that is sorted when it is enumerated.
#[derive(Debug)]
struct Ordered {
    element: Type,
    source: Value,
    keys: Vec<Key>,
}

impl Drop for Ordered {
    fn drop(&mut self) {
        clr::value::release([std::mem::take(&mut self.source)]);
    }
}

fn ordered(args: &Args<'_>, descending: bool) -> Result<Value, Exception> {
    let (source, selector) = (argument(args, 0)?, argument(args, 1)?);
    let comparer = named(args, "comparer").map_or(Comparer::Default, Comparer::of);
    let key = Key { selector, comparer, descending };
    let is_next = args.member().name.starts_with("ThenBy");
    let earlier = source.as_object::<Ordered>().filter(|_| is_next);
    let (source, mut keys) = match earlier {
        Some(it) => (it.source.clone(), it.keys.clone()),
        None => (source, Vec::new()),
    };
    keys.push(key);
    Ok(Value::object(Ordered { element: element_of(args), source, keys }))
}

impl Object for Ordered {
    fn net_type(&self) -> Type {
        types::named(names::IORDEREDENUMERABLE, &[self.element])
    }

    fn cursor(self: Arc<Self>, cx: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        let mut rows: Vec<(Vec<Value>, Value)> = Vec::new();
        for item in self.source.collect(cx)? {
            let mut keys = Vec::with_capacity(self.keys.len());
            for key in &self.keys {
                keys.push(cx.invoke(&key.selector, std::slice::from_ref(&item))?);
            }
            cx.allocate(keys.len() * size_of::<Value>())?;
            rows.push((keys, item));
        }
        sort::sort_by(&mut rows, cx, &mut |a, b, _| self.compare(&a.0, &b.0))?;
        let mut rows = rows.into_iter();
        Ok(Some(cursor(move |_| Ok(rows.next().map(|(_, item)| item)))))
    }
}

impl Ordered {
    fn compare(&self, a: &[Value], b: &[Value]) -> Result<Ordering, Exception> {
        for (key, (a, b)) in self.keys.iter().zip(a.iter().zip(b)) {
            let order = key.comparer.compare(a, b).map_err(|it| {
                Exception::invalid_operation("Failed to compare two elements in the array.")
                    .caused_by(it)
            })?;
            if order != Ordering::Equal {
                return Ok(if key.descending { order.reverse() } else { order });
            }
        }
        Ok(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, list, run};

    #[test]
    fn sequences_are_sorted_by_several_keys() {
        let last_digit = || lambda(|args| (args[0].as_i64().unwrap() as i32 % 10).into());
        let itself = lambda(|args| args[0].clone());
        let all = ints(&[21, 12, 11, 22]);
        assert_eq!(list("OrderBy", &[all.clone(), last_digit()]), [21, 11, 12, 22]);
        assert_eq!(list("OrderByDescending", &[all.clone(), last_digit()]), [12, 22, 21, 11]);
        let first = run("OrderBy", &[all, last_digit()]).unwrap();
        assert_eq!(list("ThenBy", &[first.clone(), itself.clone()]), [11, 21, 12, 22]);
        assert_eq!(list("ThenByDescending", &[first, itself]), [21, 11, 22, 12]);
    }
}
