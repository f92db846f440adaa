//! `Select`, `SelectMany`, `Zip`.

use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::{Type, names};
use clr::value::{Cursor, Value};

use super::{SOURCE, argument, call, cursor, lazy, takes_index};

const RESULT: Type = Type::Named(names::IENUMERABLE, &[Type::N]);
const RESULT_3: Type = Type::Named(names::IENUMERABLE, &[Type::O]);
const MANY: Type = Type::Func(&[Type::M, RESULT]);
const MANY_INDEXED: Type = Type::Func(&[Type::M, Type::Int32, RESULT]);
const BOTH: Type = Type::Func(&[Type::M, Type::N, Type::O]);

pub(super) const ROWS: &[Member] = &[
    Member::extension("Select", &[SOURCE, Type::Func(&[Type::M, Type::N])], RESULT, |args, _| {
        select(args)
    })
    .params(&["source", "selector"]),
    Member::extension(
        "Select",
        &[SOURCE, Type::Func(&[Type::M, Type::Int32, Type::N])],
        RESULT,
        |args, _| select(args),
    )
    .params(&["source", "selector"]),
    Member::extension("SelectMany", &[SOURCE, MANY], RESULT, |args, _| select_many(args))
        .params(&["source", "selector"]),
    Member::extension("SelectMany", &[SOURCE, MANY_INDEXED], RESULT, |args, _| select_many(args))
        .params(&["source", "selector"]),
    Member::extension("SelectMany", &[SOURCE, MANY, BOTH], RESULT_3, |args, _| select_many(args))
        .params(&["source", "collectionSelector", "resultSelector"]),
    Member::extension("SelectMany", &[SOURCE, MANY_INDEXED, BOTH], RESULT_3, |args, _| {
        select_many(args)
    })
    .params(&["source", "collectionSelector", "resultSelector"]),
    Member::extension("Zip", &[SOURCE, RESULT, BOTH], RESULT_3, |args, _| zip(args)).params(&[
        "first",
        "second",
        "resultSelector",
    ]),
];

fn select(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, selector) = (argument(args, 0)?, argument(args, 1)?);
    let indexed = takes_index(args, 1);
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let selector = selector.clone();
        let mut at = 0;
        Ok(cursor(move |cx| {
            let Some(item) = items.next(cx)? else { return Ok(None) };
            at += 1;
            call(&selector, item, indexed.then_some(at - 1), cx).map(Some)
        }))
    })
}

fn select_many(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (source, selector) = (argument(args, 0)?, argument(args, 1)?);
    let indexed = takes_index(args, 1);
    let result = if args.len() > 2 { Some(argument(args, 2)?) } else { None };
    lazy(args, move |cx| {
        let mut outer = source.cursor(cx)?;
        let (selector, result) = (selector.clone(), result.clone());
        let mut inner: Option<(Value, Box<dyn Cursor>)> = None;
        let mut at = 0;
        Ok(cursor(move |cx| {
            loop {
                cx.step()?;
                if let Some((item, rest)) = &mut inner
                    && let Some(found) = rest.next(cx)?
                {
                    return match &result {
                        Some(result) => cx.invoke(result, &[item.clone(), found]).map(Some),
                        None => Ok(Some(found)),
                    };
                }
                let Some(item) = outer.next(cx)? else { return Ok(None) };
                at += 1;
                let many = call(&selector, item.clone(), indexed.then_some(at - 1), cx)?;
                inner = Some((item, many.cursor(cx)?));
            }
        }))
    })
}

fn zip(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (first, second, result) = (argument(args, 0)?, argument(args, 1)?, argument(args, 2)?);
    lazy(args, move |cx| {
        let (mut first, mut second) = (first.cursor(cx)?, second.cursor(cx)?);
        let result = result.clone();
        Ok(cursor(move |cx| match (first.next(cx)?, second.next(cx)?) {
            (Some(a), Some(b)) => cx.invoke(&result, &[a, b]).map(Some),
            _ => Ok(None),
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, list};
    use super::*;

    #[test]
    fn items_are_mapped_and_flattened() {
        let double = lambda(|args| (args[0].as_i64().unwrap() as i32 * 2).into());
        assert_eq!(list("Select", &[ints(&[1, 2]), double]), [2, 4]);
        let twice =
            lambda(|args| Value::array(Type::Int32, vec![args[0].clone(), args[0].clone()]));
        assert_eq!(list("SelectMany", &[ints(&[1, 2]), twice]), [1, 1, 2, 2]);
        let first = lambda(|args| args[0].clone());
        assert_eq!(list("Zip", &[ints(&[1, 2, 3]), ints(&[7, 8]), first]), [1, 2]);
    }

    #[test]
    fn the_position_is_given_to_lambdas_that_take_it() {
        let rows: Vec<&Member> = ROWS.iter().filter(|it| it.name == "Select").collect();
        let indexed = |row: &'static Member| {
            let mut values = [Value::Null, Value::Null];
            takes_index(&Args::new(row, &mut values, &[], &[], row.returns), 1)
        };
        assert!(!indexed(rows[0]) && indexed(rows[1]));
    }
}
