//! `Any`, `All`, `Count`, `LongCount`, `Contains`, `SequenceEqual`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::Type;
use clr::value::Value;
use corelib::collections::{Comparer, any};

use super::{EQUALITY, PREDICATE, SOURCE, argument, int, named};

pub(super) const ROWS: &[Member] = &[
    Member::extension("Any", &[SOURCE], Type::Bool, |args, cx| {
        let source = argument(args, 0)?;
        if let Some(known) = any::known_count(&source) {
            return Ok((known > 0).into());
        }
        let mut items = source.cursor(cx)?;
        Ok(items.next(cx)?.is_some().into())
    })
    .params(&["source"]),
    Member::extension("Any", &[SOURCE, PREDICATE], Type::Bool, |args, cx| {
        Ok(find(args, cx, true)?.into())
    })
    .params(&["source", "predicate"]),
    Member::extension("All", &[SOURCE, PREDICATE], Type::Bool, |args, cx| {
        Ok((!find(args, cx, false)?).into())
    })
    .params(&["source", "predicate"]),
    Member::extension("Count", &[SOURCE], Type::Int32, |args, cx| {
        Ok(int(any::count(&argument(args, 0)?, cx)?))
    })
    .params(&["source"]),
    Member::extension("Count", &[SOURCE, PREDICATE], Type::Int32, |args, cx| {
        Ok(int(count_matching(args, cx)?))
    })
    .params(&["source", "predicate"]),
    Member::extension("LongCount", &[SOURCE], Type::Int64, |args, cx| {
        let count = any::count(&argument(args, 0)?, cx)?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX).into())
    })
    .params(&["source"]),
    Member::extension("LongCount", &[SOURCE, PREDICATE], Type::Int64, |args, cx| {
        let count = count_matching(args, cx)?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX).into())
    })
    .params(&["source", "predicate"]),
    Member::extension("Contains", &[SOURCE, Type::M], Type::Bool, |args, cx| contains(args, cx))
        .params(&["source", "value"]),
    Member::extension("Contains", &[SOURCE, Type::M, EQUALITY], Type::Bool, |args, cx| {
        contains(args, cx)
    })
    .params(&["source", "value", "comparer"]),
    Member::extension("SequenceEqual", &[SOURCE, SOURCE], Type::Bool, |args, cx| {
        sequence_equal(args, cx)
    })
    .params(&["first", "second"]),
    Member::extension("SequenceEqual", &[SOURCE, SOURCE, EQUALITY], Type::Bool, |args, cx| {
        sequence_equal(args, cx)
    })
    .params(&["first", "second", "comparer"]),
];

/// Is there an item of which the predicate says this?
fn find(args: &Args<'_>, cx: &mut EvalCx<'_>, wanted: bool) -> Result<bool, Exception> {
    let (source, predicate) = (argument(args, 0)?, argument(args, 1)?);
    let mut items = source.cursor(cx)?;
    while let Some(item) = items.next(cx)? {
        if cx.test(&predicate, &[item])? == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn count_matching(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<usize, Exception> {
    let (source, predicate) = (argument(args, 0)?, argument(args, 1)?);
    let mut items = source.cursor(cx)?;
    let mut count = 0;
    while let Some(item) = items.next(cx)? {
        count += usize::from(cx.test(&predicate, &[item])?);
    }
    Ok(count)
}

fn comparer(args: &Args<'_>) -> Comparer {
    named(args, "comparer").map_or(Comparer::Default, Comparer::of)
}

fn contains(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (source, comparer) = (argument(args, 0)?, comparer(args));
    let mut items = source.cursor(cx)?;
    while let Some(item) = items.next(cx)? {
        cx.step()?;
        if comparer.equals(&item, args.value(1)) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn sequence_equal(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (first, second, comparer) = (argument(args, 0)?, argument(args, 1)?, comparer(args));
    let (mut first, mut second) = (first.cursor(cx)?, second.cursor(cx)?);
    loop {
        cx.step()?;
        match (first.next(cx)?, second.next(cx)?) {
            (Some(a), Some(b)) if comparer.equals(&a, &b) => {}
            (None, None) => return Ok(true.into()),
            _ => return Ok(false.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, run};
    use super::*;

    #[test]
    fn questions_about_sequences() {
        let odd = lambda(|args| (args[0].as_i64().unwrap() % 2 == 1).into());
        let all = ints(&[1, 2, 3]);
        let yes = |name: &str, args: &[Value]| run(name, args).unwrap().as_bool().unwrap();
        assert!(yes("Any", std::slice::from_ref(&all)) && !yes("Any", &[ints(&[])]));
        assert!(
            yes("Any", &[all.clone(), odd.clone()]) && !yes("All", &[all.clone(), odd.clone()])
        );
        assert!(yes("Contains", &[all.clone(), Value::from(2)]));
        assert!(yes("SequenceEqual", &[all.clone(), ints(&[1, 2, 3])]));
        assert!(!yes("SequenceEqual", &[all.clone(), ints(&[1, 2])]));
        assert_eq!(run("Count", &[all, odd]).unwrap().as_i64(), Some(2));
    }
}
