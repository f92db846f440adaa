//! `Distinct`, `Union`, `Intersect`, `Except`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::value::Value;
use corelib::collections::{Comparer, Table};

use super::{EQUALITY, SOURCE, argument, cursor, lazy};

pub(super) const ROWS: &[Member] = &[
    Member::extension("Distinct", &[SOURCE], SOURCE, |args, _| distinct(args, None))
        .params(&["source"]),
    Member::extension("Distinct", &[SOURCE, EQUALITY], SOURCE, |args, _| distinct(args, None))
        .params(&["source", "comparer"]),
    Member::extension("Union", &[SOURCE, SOURCE], SOURCE, |args, _| union(args))
        .params(&["first", "second"]),
    Member::extension("Union", &[SOURCE, SOURCE, EQUALITY], SOURCE, |args, _| union(args))
        .params(&["first", "second", "comparer"]),
    Member::extension("Intersect", &[SOURCE, SOURCE], SOURCE, |args, _| common(args, true))
        .params(&["first", "second"]),
    Member::extension("Intersect", &[SOURCE, SOURCE, EQUALITY], SOURCE, |args, _| {
        common(args, true)
    })
    .params(&["first", "second", "comparer"]),
    Member::extension("Except", &[SOURCE, SOURCE], SOURCE, |args, _| common(args, false))
        .params(&["first", "second"]),
    Member::extension("Except", &[SOURCE, SOURCE, EQUALITY], SOURCE, |args, _| common(args, false))
        .params(&["first", "second", "comparer"]),
];

fn comparer(args: &Args<'_>) -> Comparer {
    super::named(args, "comparer").map_or(Comparer::Default, Comparer::of)
}

fn union(args: &Args<'_>) -> Result<Value, Exception> {
    let second = argument(args, 1)?;
    distinct(args, Some(second))
}

fn distinct(args: &Args<'_>, second: Option<Value>) -> Result<Value, Exception> {
    let (source, comparer) = (argument(args, 0)?, comparer(args));
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let mut rest = second.clone();
        let mut seen = Table::new(comparer);
        Ok(cursor(move |cx| {
            loop {
                while let Some(item) = items.next(cx)? {
                    if is_new(&mut seen, &item, cx)? {
                        return Ok(Some(item));
                    }
                }
                match rest.take() {
                    Some(second) => items = second.cursor(cx)?,
                    None => return Ok(None),
                }
            }
        }))
    })
}

fn is_new(seen: &mut Table, item: &Value, cx: &mut EvalCx<'_>) -> Result<bool, Exception> {
    cx.step()?;
    cx.allocate(size_of::<Value>())?;
    Ok(seen.add(item.clone(), Value::Null))
}

/// Items of the first sequence that the second one has (`Intersect`), or has not (`Except`).
fn common(args: &Args<'_>, wanted: bool) -> Result<Value, Exception> {
    let (first, second, comparer) = (argument(args, 0)?, argument(args, 1)?, comparer(args));
    lazy(args, move |cx| {
        let mut other = Table::new(comparer);
        for item in second.collect(cx)? {
            is_new(&mut other, &item, cx)?;
        }
        let mut items = first.cursor(cx)?;
        let mut seen = Table::new(comparer);
        Ok(cursor(move |cx| {
            while let Some(item) = items.next(cx)? {
                if other.contains(&item) == wanted && is_new(&mut seen, &item, cx)? {
                    return Ok(Some(item));
                }
            }
            Ok(None)
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, list};

    #[test]
    fn sets_keep_the_order_of_the_first_sequence() {
        let (a, b) = (ints(&[3, 1, 3, 2]), ints(&[2, 3, 9]));
        assert_eq!(list("Distinct", std::slice::from_ref(&a)), [3, 1, 2]);
        assert_eq!(list("Union", &[a.clone(), b.clone()]), [3, 1, 2, 9]);
        assert_eq!(list("Intersect", &[a.clone(), b.clone()]), [3, 2]);
        assert_eq!(list("Except", &[a, b]), [1]);
    }
}
