//! `Enumerable.Range`, `Repeat`, `Empty`.

use clr::exception::Exception;
use clr::rows::Member;
use clr::types::{Type, names};
use clr::value::Value;

use super::{SOURCE, cursor, lazy};

pub(super) const ROWS: &[Member] = &[
    Member::static_method(
        "Range",
        &[Type::Int32, Type::Int32],
        Type::Named(names::IENUMERABLE, &[Type::Int32]),
        |args, _| {
            let (start, count): (i32, i32) = args.get()?;
            let end = i64::from(start) + i64::from(count);
            if count < 0 || end - 1 > i64::from(i32::MAX) {
                return Err(Exception::argument_out_of_range("count"));
            }
            lazy(args, move |_| {
                let mut rest = i64::from(start)..end;
                Ok(cursor(move |_| {
                    Ok(rest.next().and_then(|it| i32::try_from(it).ok()).map(Value::Int))
                }))
            })
        },
    )
    .params(&["start", "count"]),
    Member::static_method("Repeat", &[Type::M, Type::Int32], SOURCE, |args, _| {
        let item = args.value(0).clone();
        let count = args.value(1).as_i64().and_then(|it| usize::try_from(it).ok());
        let count = count.ok_or_else(|| Exception::argument_out_of_range("count"))?;
        lazy(args, move |_| {
            let item = item.clone();
            let mut left = count;
            Ok(cursor(move |_| {
                let more = left > 0;
                left = left.saturating_sub(1);
                Ok(more.then(|| item.clone()))
            }))
        })
    })
    .params(&["element", "count"]),
    Member::static_method("Empty", &[], SOURCE, |args, cx| {
        if cx.runtime() == dotnet::Runtime::Framework {
            return Ok(Value::array(args.method_arg(0), Vec::new()));
        }
        Ok(Value::sequence_of(args.method_arg(0), Vec::new()))
    })
    .params(&[]),
];

#[cfg(test)]
mod tests {
    use super::super::test_support::{list, run};
    use super::*;

    #[test]
    fn numbers_are_counted() {
        assert_eq!(list("Range", &[Value::from(3), Value::from(3)]), [3, 4, 5]);
        assert!(run("Range", &[Value::from(1), Value::from(-1)]).is_err());
        assert!(run("Range", &[Value::from(i32::MAX), Value::from(2)]).is_err());
        assert_eq!(list("Repeat", &[Value::from(7), Value::from(2)]), [7, 7]);
    }
}
