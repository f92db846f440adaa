//! `Concat`, `Append`, `Prepend`, `DefaultIfEmpty`, `AsEnumerable`.

use clr::exception::Exception;
use clr::rows::{Args, Member, default_value};
use clr::types::Type;
use clr::value::Value;

use super::{SOURCE, argument, cursor, element_of, lazy};

pub(super) const ROWS: &[Member] = &[
    Member::extension("Concat", &[SOURCE, SOURCE], SOURCE, |args, _| {
        let (first, second) = (argument(args, 0)?, argument(args, 1)?);
        lazy(args, move |cx| {
            let mut items = first.cursor(cx)?;
            let mut rest = Some(second.clone());
            Ok(cursor(move |cx| {
                loop {
                    if let Some(item) = items.next(cx)? {
                        return Ok(Some(item));
                    }
                    match rest.take() {
                        Some(second) => items = second.cursor(cx)?,
                        None => return Ok(None),
                    }
                }
            }))
        })
    })
    .params(&["first", "second"]),
    Member::extension("Append", &[SOURCE, Type::M], SOURCE, |args, _| {
        let (source, extra) = (argument(args, 0)?, args.value(1).clone());
        lazy(args, move |cx| {
            let mut items = source.cursor(cx)?;
            let mut extra = Some(extra.clone());
            Ok(cursor(move |cx| match items.next(cx)? {
                Some(item) => Ok(Some(item)),
                None => Ok(extra.take()),
            }))
        })
    })
    .params(&["source", "element"]),
    Member::extension("Prepend", &[SOURCE, Type::M], SOURCE, |args, _| {
        let (source, extra) = (argument(args, 0)?, args.value(1).clone());
        lazy(args, move |cx| {
            let mut items = source.cursor(cx)?;
            let mut extra = Some(extra.clone());
            Ok(cursor(move |cx| match extra.take() {
                Some(extra) => Ok(Some(extra)),
                None => items.next(cx),
            }))
        })
    })
    .params(&["source", "element"]),
    Member::extension("DefaultIfEmpty", &[SOURCE], SOURCE, |args, _| {
        let default = default_value(element_of(args));
        default_if_empty(args, default)
    })
    .params(&["source"]),
    Member::extension("DefaultIfEmpty", &[SOURCE, Type::M], SOURCE, |args, _| {
        let default = args.value(1).clone();
        default_if_empty(args, default)
    })
    .params(&["source", "defaultValue"]),
    Member::extension("AsEnumerable", &[SOURCE], SOURCE, |args, _| {
        let [source] = args.take()?;
        Ok(source)
    })
    .params(&["source"]),
];

fn default_if_empty(args: &Args<'_>, default: Value) -> Result<Value, Exception> {
    let source = argument(args, 0)?;
    lazy(args, move |cx| {
        let mut items = source.cursor(cx)?;
        let mut default = Some(default.clone());
        Ok(cursor(move |cx| match items.next(cx)? {
            Some(item) => {
                default = None;
                Ok(Some(item))
            }
            None => Ok(default.take()),
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, list};
    use super::*;

    #[test]
    fn sequences_are_put_together() {
        let all = ints(&[1, 2]);
        assert_eq!(list("Concat", &[all.clone(), ints(&[3])]), [1, 2, 3]);
        assert_eq!(list("Append", &[all.clone(), Value::from(9)]), [1, 2, 9]);
        assert_eq!(list("Prepend", &[all.clone(), Value::from(9)]), [9, 1, 2]);
        assert_eq!(list("DefaultIfEmpty", &[all, Value::from(9)]), [1, 2]);
        assert_eq!(list("DefaultIfEmpty", &[ints(&[]), Value::from(9)]), [9]);
        assert_eq!(list("DefaultIfEmpty", &[ints(&[])]), [0]);
    }
}
