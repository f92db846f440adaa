//! `Join` and `GroupJoin`.

use std::collections::VecDeque;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::{Type, names};
use clr::value::{List, Value};
use corelib::collections::{Comparer, Table};

use super::{argument, cursor, lazy, named};

const OUTER: Type = Type::Named(names::IENUMERABLE, &[Type::M]);
const INNER: Type = Type::Named(names::IENUMERABLE, &[Type::N]);
const RESULTS: Type = Type::Named(names::IENUMERABLE, &[Type::P]);
const EQUALITY: Type = Type::Named(names::IEQUALITYCOMPARER, &[Type::O]);

macro_rules! rows {
    ($($name:literal $result:expr, $grouped:literal;)*) => {
        pub(super) const ROWS: &[Member] = &[$(
            Member::extension(
                $name,
                &[OUTER, INNER, Type::Func(&[Type::M, Type::O]), Type::Func(&[Type::N, Type::O]), $result],
                RESULTS,
                |args, _| joined(args, $grouped),
            )
            .params(&["outer", "inner", "outerKeySelector", "innerKeySelector", "resultSelector"]),
            Member::extension(
                $name,
                &[
                    OUTER,
                    INNER,
                    Type::Func(&[Type::M, Type::O]),
                    Type::Func(&[Type::N, Type::O]),
                    $result,
                    EQUALITY,
                ],
                RESULTS,
                |args, _| joined(args, $grouped),
            )
            .params(&[
                "outer", "inner", "outerKeySelector", "innerKeySelector", "resultSelector", "comparer",
            ]),
        )*];
    };
}

rows! {
    "Join" Type::Func(&[Type::M, Type::N, Type::P]), false;
    "GroupJoin" Type::Func(&[Type::M, INNER, Type::P]), true;
}

/// The inner items by key; items with a null key match nothing.
fn by_key(
    inner: &Value,
    selector: &Value,
    comparer: Comparer,
    element: Type,
    cx: &mut EvalCx<'_>,
) -> Result<Table, Exception> {
    let mut table = Table::new(comparer);
    let mut items = inner.cursor(cx)?;
    while let Some(item) = items.next(cx)? {
        cx.allocate(size_of::<Value>())?;
        let key = cx.invoke(selector, std::slice::from_ref(&item))?;
        if key.is_null() {
            continue;
        }
        match table.get(&key) {
            Some(Value::List(list)) => list.push(item),
            _ => {
                let list = List::new(element, vec![item]);
                table.add(key, Value::List(std::sync::Arc::new(list)));
            }
        }
    }
    Ok(table)
}

fn joined(args: &Args<'_>, grouped: bool) -> Result<Value, Exception> {
    let (outer, inner) = (argument(args, 0)?, argument(args, 1)?);
    let (outer_key, inner_key, result) =
        (argument(args, 2)?, argument(args, 3)?, argument(args, 4)?);
    let comparer = named(args, "comparer").map_or(Comparer::Default, Comparer::of);
    let element = args.method_arg(1);
    lazy(args, move |cx| {
        let mut items = outer.cursor(cx)?;
        let table = by_key(&inner, &inner_key, comparer, element, cx)?;
        let (outer_key, result) = (outer_key.clone(), result.clone());
        let mut ready: VecDeque<(Value, Value)> = VecDeque::new();
        Ok(cursor(move |cx| {
            loop {
                cx.step()?;
                if let Some((outer, inner)) = ready.pop_front() {
                    return cx.invoke(&result, &[outer, inner]).map(Some);
                }
                let Some(item) = items.next(cx)? else { return Ok(None) };
                let key = cx.invoke(&outer_key, std::slice::from_ref(&item))?;
                let found = if key.is_null() { None } else { table.get(&key) };
                if grouped {
                    let group = found.cloned().unwrap_or_else(|| Value::array(element, Vec::new()));
                    ready.push_back((item, group));
                } else if let Some(Value::List(list)) = found {
                    ready.extend(list.to_vec().into_iter().map(|it| (item.clone(), it)));
                }
            }
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, list};
    use super::*;

    #[test]
    fn items_with_the_same_key_meet() {
        let itself = || lambda(|args| args[0].clone());
        let digit = lambda(|args| (args[0].as_i64().unwrap() as i32 % 10).into());
        let add = lambda(|args| {
            (args[0].as_i64().unwrap() as i32 * 100 + args[1].as_i64().unwrap() as i32).into()
        });
        let result = list("Join", &[ints(&[1, 2]), ints(&[21, 12, 11]), itself(), digit, add]);
        assert_eq!(result, [121, 111, 212]);
    }

    #[test]
    fn a_group_join_keeps_items_without_a_match() {
        let itself = || lambda(|args| args[0].clone());
        let first = lambda(|args| args[0].clone());
        let result = list("GroupJoin", &[ints(&[1, 5]), ints(&[1, 1]), itself(), itself(), first]);
        assert_eq!(result, [1, 5]);
        assert!(matches!(RESULTS, Type::Named(..)));
    }
}
