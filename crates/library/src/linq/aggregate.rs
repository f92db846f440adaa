//! `Aggregate`, and `Min` and `Max` of anything that has an order.

use std::cmp::Ordering;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::Type;
use clr::value::Value;
use corelib::collections::Comparer;

use super::{SOURCE, argument, no_elements};

pub(super) const ROWS: &[Member] = &[
    Member::extension(
        "Aggregate",
        &[SOURCE, Type::Func(&[Type::M, Type::M, Type::M])],
        Type::M,
        |args, cx| {
            let (source, f) = (argument(args, 0)?, argument(args, 1)?);
            let mut items = source.cursor(cx)?;
            let mut result = items.next(cx)?.ok_or_else(no_elements)?;
            while let Some(item) = items.next(cx)? {
                result = cx.invoke(&f, &[result, item])?;
            }
            Ok(result)
        },
    )
    .params(&["source", "func"]),
    Member::extension(
        "Aggregate",
        &[SOURCE, Type::N, Type::Func(&[Type::N, Type::M, Type::N])],
        Type::N,
        |args, cx| folded(args, cx),
    )
    .params(&["source", "seed", "func"]),
    Member::extension(
        "Aggregate",
        &[
            SOURCE,
            Type::N,
            Type::Func(&[Type::N, Type::M, Type::N]),
            Type::Func(&[Type::N, Type::O]),
        ],
        Type::O,
        |args, cx| {
            let result = folded(args, cx)?;
            cx.invoke(&argument(args, 3)?, &[result])
        },
    )
    .params(&["source", "seed", "func", "resultSelector"]),
    Member::extension("Min", &[SOURCE], Type::M, |args, cx| extreme(args, cx, Ordering::Less))
        .params(&["source"]),
    Member::extension("Max", &[SOURCE], Type::M, |args, cx| extreme(args, cx, Ordering::Greater))
        .params(&["source"]),
    Member::extension("Min", &[SOURCE, Type::Func(&[Type::M, Type::N])], Type::N, |args, cx| {
        extreme(args, cx, Ordering::Less)
    })
    .params(&["source", "selector"]),
    Member::extension("Max", &[SOURCE, Type::Func(&[Type::M, Type::N])], Type::N, |args, cx| {
        extreme(args, cx, Ordering::Greater)
    })
    .params(&["source", "selector"]),
];

fn folded(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (source, f) = (argument(args, 0)?, argument(args, 2)?);
    let mut items = source.cursor(cx)?;
    let mut result = args.value(1).clone();
    while let Some(item) = items.next(cx)? {
        result = cx.invoke(&f, &[result, item])?;
    }
    Ok(result)
}

/// The least or the greatest item, nulls left out. NaN counts as less than any number, so `Min`
/// finds it and `Max` does not. Nothing at all is null, or an error for types without null.
fn extreme(args: &Args<'_>, cx: &mut EvalCx<'_>, wanted: Ordering) -> Result<Value, Exception> {
    let source = argument(args, 0)?;
    let selector = if args.len() > 1 { Some(argument(args, 1)?) } else { None };
    let mut items = source.cursor(cx)?;
    let mut best = Value::Null;
    while let Some(item) = items.next(cx)? {
        cx.step()?;
        let item = match &selector {
            Some(it) => cx.invoke(it, &[item])?,
            None => item,
        };
        let is_better = !item.is_null()
            && (best.is_null() || Comparer::Default.compare(&item, &best)? == wanted);
        if is_better {
            best = item;
        }
    }
    if best.is_null() && args.returns().is_non_nullable_value() {
        return Err(no_elements());
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, run};
    use super::*;

    #[test]
    fn sequences_are_folded() {
        let add = || {
            lambda(|args| {
                (args[0].as_i64().unwrap() as i32 * 10 + args[1].as_i64().unwrap() as i32).into()
            })
        };
        assert_eq!(run("Aggregate", &[ints(&[1, 2, 3]), add()]).unwrap().as_i64(), Some(123));
        let seeded = run("Aggregate", &[ints(&[1, 2]), Value::from(9), add()]).unwrap();
        assert_eq!(seeded.as_i64(), Some(912));
        assert!(run("Aggregate", &[ints(&[]), add()]).is_err());
    }

    #[test]
    fn extremes_skip_nulls() {
        assert_eq!(run("Max", &[ints(&[1, 3, 2])]).unwrap().as_i64(), Some(3));
        assert_eq!(run("Min", &[ints(&[2, 1, 3])]).unwrap().as_i64(), Some(1));
        assert!(run("Min", &[ints(&[])]).is_err());
    }
}
