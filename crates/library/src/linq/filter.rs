//! `Where`, `OfType`, `Cast`, `Skip`, `Take` and their kin.

use std::collections::VecDeque;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::{Type, names};
use clr::value::Value;

use super::{PREDICATE, SOURCE, argument, call, cursor, element_of, lazy, takes_index};

const PLAIN: Type = Type::named(names::IENUMERABLE_PLAIN);
const INDEXED: Type = Type::Func(&[Type::M, Type::Int32, Type::Bool]);

pub(super) const ROWS: &[Member] = &[
    Member::extension("Where", &[SOURCE, PREDICATE], SOURCE, |args, _| filtered(args))
        .params(&["source", "predicate"]),
    Member::extension("Where", &[SOURCE, INDEXED], SOURCE, |args, _| filtered(args))
        .params(&["source", "predicate"]),
    Member::extension("OfType", &[PLAIN], SOURCE, |args, _| of_type(args)).params(&["source"]),
    Member::extension("Cast", &[PLAIN], SOURCE, |args, _| cast(args)).params(&["source"]),
    Member::extension("Skip", &[SOURCE, Type::Int32], SOURCE, |args, _| skip(args))
        .params(&["source", "count"]),
    Member::extension("Take", &[SOURCE, Type::Int32], SOURCE, |args, _| take(args))
        .params(&["source", "count"]),
    Member::extension("SkipLast", &[SOURCE, Type::Int32], SOURCE, |args, _| skip_last(args))
        .params(&["source", "count"]),
    Member::extension("TakeLast", &[SOURCE, Type::Int32], SOURCE, |args, _| take_last(args))
        .params(&["source", "count"]),
    Member::extension("SkipWhile", &[SOURCE, PREDICATE], SOURCE, |args, _| skip_while(args))
        .params(&["source", "predicate"]),
    Member::extension("SkipWhile", &[SOURCE, INDEXED], SOURCE, |args, _| skip_while(args))
        .params(&["source", "predicate"]),
    Member::extension("TakeWhile", &[SOURCE, PREDICATE], SOURCE, |args, _| take_while(args))
        .params(&["source", "predicate"]),
    Member::extension("TakeWhile", &[SOURCE, INDEXED], SOURCE, |args, _| take_while(args))
        .params(&["source", "predicate"]),
    Member::extension("Reverse", &[SOURCE], SOURCE, |args, _| {
        let source = argument(args, 0)?;
        lazy(args, move |cx| {
            let mut items = source.collect(cx)?;
            Ok(cursor(move |_| Ok(items.pop())))
        })
    })
    .params(&["source"]),
];

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or(false)
}

fn filtered(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, predicate) = (argument(args, 0)?, argument(args, 1)?);
    let indexed = takes_index(args, 1);
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let predicate = predicate.clone();
        let mut at = 0;
        Ok(cursor(move |cx| {
            while let Some(item) = items.next(cx)? {
                cx.step()?;
                at += 1;
                if truth(&call(&predicate, item.clone(), indexed.then_some(at - 1), cx)?) {
                    return Ok(Some(item));
                }
            }
            Ok(None)
        }))
    })
}

fn of_type(args: &mut Args<'_>) -> Result<Value, Exception> {
    let source = argument(args, 0)?;
    let wanted = element_of(args);
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        Ok(cursor(move |cx| {
            while let Some(item) = items.next(cx)? {
                cx.step()?;
                if item.is_instance(wanted) {
                    return Ok(Some(item));
                }
            }
            Ok(None)
        }))
    })
}

fn cast(args: &mut Args<'_>) -> Result<Value, Exception> {
    let source = argument(args, 0)?;
    let wanted = element_of(args);
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        Ok(cursor(move |cx| match items.next(cx)? {
            Some(item) => checked(item, wanted).map(Some),
            None => Ok(None),
        }))
    })
}

/// An item of exactly the type that `Cast<T>()` asks for.
fn checked(item: Value, wanted: Type) -> Result<Value, Exception> {
    if item.is_instance(wanted) || (item.is_null() && wanted.accepts_null()) {
        return Ok(item);
    }
    if item.is_null() {
        return Err(Exception::null_reference());
    }
    Err(Exception::invalid_cast(format!(
        "Unable to cast object of type '{}' to type '{}'.",
        item.type_name(),
        wanted.full_name()
    )))
}

/// A count: less than nothing is nothing.
fn count_of(args: &Args<'_>) -> usize {
    args.value(1).as_i64().and_then(|it| usize::try_from(it).ok()).unwrap_or(0)
}

fn skip(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, count) = (argument(args, 0)?, count_of(args));
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let mut left = count;
        Ok(cursor(move |cx| {
            while left > 0 {
                cx.step()?;
                left -= 1;
                if items.next(cx)?.is_none() {
                    left = 0;
                }
            }
            items.next(cx)
        }))
    })
}

fn take(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, count) = (argument(args, 0)?, count_of(args));
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let mut left = count;
        Ok(cursor(move |cx| {
            if left == 0 {
                return Ok(None);
            }
            left -= 1;
            items.next(cx)
        }))
    })
}

fn skip_last(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, count) = (argument(args, 0)?, count_of(args));
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let mut held = VecDeque::new();
        Ok(cursor(move |cx| {
            while let Some(item) = items.next(cx)? {
                cx.step()?;
                held.push_back(item);
                if held.len() > count {
                    return Ok(held.pop_front());
                }
            }
            Ok(None)
        }))
    })
}

fn take_last(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, count) = (argument(args, 0)?, count_of(args));
    lazy(args, move |cx| {
        let items = source.collect(cx)?;
        let skipped = items.len().saturating_sub(count);
        let mut rest = items.into_iter().skip(skipped);
        Ok(cursor(move |_| Ok(rest.next())))
    })
}

fn skip_while(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, predicate) = (argument(args, 0)?, argument(args, 1)?);
    let indexed = takes_index(args, 1);
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let predicate = predicate.clone();
        let (mut at, mut skipping) = (0, true);
        Ok(cursor(move |cx| {
            while let Some(item) = items.next(cx)? {
                cx.step()?;
                at += 1;
                skipping = skipping
                    && truth(&call(&predicate, item.clone(), indexed.then_some(at - 1), cx)?);
                if !skipping {
                    return Ok(Some(item));
                }
            }
            Ok(None)
        }))
    })
}

fn take_while(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, predicate) = (argument(args, 0)?, argument(args, 1)?);
    let indexed = takes_index(args, 1);
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let predicate = predicate.clone();
        let (mut at, mut taking) = (0, true);
        Ok(cursor(move |cx: &mut EvalCx<'_>| {
            if !taking {
                return Ok(None);
            }
            let Some(item) = items.next(cx)? else { return Ok(None) };
            at += 1;
            taking = truth(&call(&predicate, item.clone(), indexed.then_some(at - 1), cx)?);
            Ok(taking.then_some(item))
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, list};
    use super::*;

    #[test]
    fn items_are_kept_and_left_out() {
        let odd = lambda(|args| (args[0].as_i64().unwrap() % 2 == 1).into());
        let all = ints(&[1, 3, 2, 5]);
        assert_eq!(list("Where", &[all.clone(), odd.clone()]), [1, 3, 5]);
        assert_eq!(list("TakeWhile", &[all.clone(), odd.clone()]), [1, 3]);
        assert_eq!(list("SkipWhile", &[all.clone(), odd]), [2, 5]);
        assert_eq!(list("Reverse", std::slice::from_ref(&all)), [5, 2, 3, 1]);
        for (name, expected) in [
            ("Skip", vec![2, 5]),
            ("Take", vec![1, 3]),
            ("SkipLast", vec![1, 3]),
            ("TakeLast", vec![2, 5]),
        ] {
            assert_eq!(list(name, &[all.clone(), Value::from(2)]), expected, "{name}");
        }
        assert_eq!(list("Take", &[all, Value::from(-1)]), [0_i64; 0]);
    }

    #[test]
    fn a_cast_is_exact() {
        assert!(checked(Value::from(1), Type::Int32).is_ok());
        assert!(checked(Value::from(1), Type::Int64).is_err());
        assert!(checked(Value::Null, Type::String).is_ok());
        assert!(checked(Value::Null, Type::Int32).is_err());
    }
}
