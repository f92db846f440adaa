//! Sorting with comparisons that may throw, and that count against the budget.

use std::cmp::Ordering;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::value::Value;

use super::Comparer;

/// Sorts in place, stable; stops at the first error.
///
/// # Errors
///
/// What `compare` throws, or the end of the budget.
pub fn sort_by<T>(
    items: &mut Vec<T>,
    cx: &mut EvalCx<'_>,
    compare: &mut dyn FnMut(&T, &T, &mut EvalCx<'_>) -> Result<Ordering, Exception>,
) -> Result<(), Exception> {
    let mut runs: Vec<Vec<T>> = items.drain(..).map(|it| vec![it]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut rest = runs.into_iter();
        while let Some(left) = rest.next() {
            merged.push(match rest.next() {
                Some(right) => merge(left, right, cx, compare)?,
                None => left,
            });
        }
        runs = merged;
    }
    *items = runs.pop().unwrap_or_default();
    Ok(())
}

fn merge<T>(
    left: Vec<T>,
    right: Vec<T>,
    cx: &mut EvalCx<'_>,
    compare: &mut dyn FnMut(&T, &T, &mut EvalCx<'_>) -> Result<Ordering, Exception>,
) -> Result<Vec<T>, Exception> {
    let mut all = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        cx.step()?;
        let take_right = compare(a, b, cx)? == Ordering::Greater;
        all.extend(if take_right { right.next() } else { left.next() });
    }
    all.extend(left);
    all.extend(right);
    Ok(all)
}

/// Sorts by a comparer, as `List<T>.Sort()` and `Array.Sort` do.
///
/// # Errors
///
/// `InvalidOperationException` if the items have no order.
pub fn sort(
    items: &mut Vec<Value>,
    comparer: Comparer,
    cx: &mut EvalCx<'_>,
) -> Result<(), Exception> {
    sort_by(items, cx, &mut |a, b, _| comparer.compare(a, b)).map_err(wrapped)
}

/// Sorts by a `Comparison<T>`.
///
/// # Errors
///
/// `InvalidOperationException` with what the comparison threw.
pub fn sort_with(
    items: &mut Vec<Value>,
    comparison: &Value,
    cx: &mut EvalCx<'_>,
) -> Result<(), Exception> {
    if comparison.is_null() {
        return Err(Exception::argument_null("comparison"));
    }
    sort_by(items, cx, &mut |a, b, cx| {
        let order = cx.invoke(comparison, &[a.clone(), b.clone()])?;
        Ok(order.as_i64().unwrap_or(0).cmp(&0))
    })
    .map_err(wrapped)
}

fn wrapped(cause: Exception) -> Exception {
    if !cause.is_catchable() {
        return cause;
    }
    Exception::invalid_operation("Failed to compare two elements in the array.").caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn sorting_is_stable() {
        with_cx(|cx| {
            let mut items = vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd'), (0, 'e')];
            sort_by(&mut items, cx, &mut |a, b, _| Ok(a.0.cmp(&b.0))).unwrap();
            let letters: String = items.iter().map(|it| it.1).collect();
            assert_eq!(letters, "ebdac");
        });
    }

    #[test]
    fn what_has_no_order_cannot_be_sorted() {
        with_cx(|cx| {
            let mut items = vec![Value::from(1), Value::from("a")];
            let error = sort(&mut items, Comparer::Default, cx).unwrap_err();
            assert_eq!(error.type_name, "System.InvalidOperationException");
        });
    }
}
