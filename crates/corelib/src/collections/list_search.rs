//! Searching with a predicate: the same for `List<T>` and for the static members of `System.Array`.
//!
//! Argument 0 is the collection, the last one the predicate.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, default_value};
use clr::value::Value;

use super::list::place;

/// The items with their positions for which the predicate holds, until `limit` are found.
fn matches(
    args: &Args<'_>,
    cx: &mut EvalCx<'_>,
    backwards: bool,
    limit: usize,
) -> Result<Vec<(usize, Value)>, Exception> {
    let predicate = args.value(args.len().saturating_sub(1));
    if predicate.is_null() {
        return Err(Exception::argument_null("match"));
    }
    let items = super::any::items(args.value(0), "array", cx)?;
    let mut found = Vec::new();
    let count = items.len();
    let mut order: Box<dyn Iterator<Item = usize>> = Box::new(0..count);
    if backwards {
        order = Box::new((0..count).rev());
    }
    for at in order {
        let Some(item) = items.get(at) else { break };
        if cx.test(predicate, std::slice::from_ref(item))? {
            found.push((at, item.clone()));
            if found.len() >= limit {
                break;
            }
        }
    }
    Ok(found)
}

fn first(
    args: &Args<'_>,
    cx: &mut EvalCx<'_>,
    backwards: bool,
) -> Result<Option<(usize, Value)>, Exception> {
    Ok(matches(args, cx, backwards, 1)?.pop())
}

/// `Exists`.
pub(crate) fn exists(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    Ok(first(args, cx, false)?.is_some().into())
}

/// `Find`.
pub(crate) fn find(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let found = first(args, cx, false)?;
    Ok(found.map_or_else(|| default_value(args.returns()), |(_, item)| item))
}

/// `FindLast`.
pub(crate) fn find_last(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let found = first(args, cx, true)?;
    Ok(found.map_or_else(|| default_value(args.returns()), |(_, item)| item))
}

/// `FindIndex`.
pub(crate) fn find_index(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    Ok(place(first(args, cx, false)?.map(|(at, _)| at)))
}

/// `FindLastIndex`.
pub(crate) fn find_last_index(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    Ok(place(first(args, cx, true)?.map(|(at, _)| at)))
}

/// The items of `FindAll`.
pub(crate) fn all_found(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Vec<Value>, Exception> {
    Ok(matches(args, cx, false, usize::MAX)?.into_iter().map(|(_, item)| item).collect())
}

/// `TrueForAll`.
pub(crate) fn true_for_all(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let predicate = args.value(args.len().saturating_sub(1)).clone();
    if predicate.is_null() {
        return Err(Exception::argument_null("match"));
    }
    for item in super::any::items(args.value(0), "array", cx)? {
        if !cx.test(&predicate, &[item])? {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

#[cfg(test)]
mod tests {
    use clr::rows::Member;
    use clr::types::Type;

    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn a_predicate_must_not_be_null() {
        const ROW: Member =
            Member::static_method("Exists", &[], Type::Bool, |_, _| Ok(Value::Null));
        with_cx(|cx| {
            let mut values = [Value::strings(["a"]), Value::Null];
            let mut args = Args::new(&ROW, &mut values, &[], &[], Type::Bool);
            let error = exists(&mut args, cx).unwrap_err();
            assert_eq!(error.message, "Value cannot be null. (Parameter 'match')");
        });
    }
}
