//! `First`, `Last`, `Single`, `ElementAt` and their `OrDefault` forms.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, default_value};
use clr::types::Type;
use clr::value::Value;

use super::{PREDICATE, SOURCE, argument, no_elements, no_match};

macro_rules! rows {
    ($($name:literal $or_default:literal $function:ident;)*) => {
        pub(super) const ROWS: &[Member] = &[
            $(
                Member::extension($name, &[SOURCE], Type::M, |args, cx| {
                    let found = $function(args, cx)?;
                    found.ok_or_else(no_elements)
                }).params(&["source"]),
                Member::extension($name, &[SOURCE, PREDICATE], Type::M, |args, cx| {
                    let found = $function(args, cx)?;
                    found.ok_or_else(no_match)
                }).params(&["source", "predicate"]),
                Member::extension($or_default, &[SOURCE], Type::M, |args, cx| {
                    let found = $function(args, cx)?;
                    Ok(found.unwrap_or_else(|| default_value(args.returns())))
                }).params(&["source"]),
                Member::extension($or_default, &[SOURCE, PREDICATE], Type::M, |args, cx| {
                    let found = $function(args, cx)?;
                    Ok(found.unwrap_or_else(|| default_value(args.returns())))
                }).params(&["source", "predicate"]),
            )*
            Member::extension("ElementAt", &[SOURCE, Type::Int32], Type::M, |args, cx| {
                let found = element_at(args, cx)?;
                found.ok_or_else(|| Exception::argument_out_of_range("index"))
            }).params(&["source", "index"]),
            Member::extension("ElementAtOrDefault", &[SOURCE, Type::Int32], Type::M, |args, cx| {
                let found = element_at(args, cx)?;
                Ok(found.unwrap_or_else(|| default_value(args.returns())))
            }).params(&["source", "index"]),
        ];
    };
}

rows! {
    "First" "FirstOrDefault" first;
    "Last" "LastOrDefault" last;
    "Single" "SingleOrDefault" single;
}

/// The predicate, if the row has one.
fn predicate(args: &Args<'_>) -> Result<Option<Value>, Exception> {
    if args.len() > 1 { argument(args, 1).map(Some) } else { Ok(None) }
}

/// Calls `f` with each item that fits, until it says stop.
fn each(
    args: &Args<'_>,
    cx: &mut EvalCx<'_>,
    f: &mut dyn FnMut(Value) -> Result<bool, Exception>,
) -> Result<(), Exception> {
    let (source, predicate) = (argument(args, 0)?, predicate(args)?);
    let mut items = source.cursor(cx)?;
    while let Some(item) = items.next(cx)? {
        cx.step()?;
        let fits = match &predicate {
            Some(it) => cx.test(it, std::slice::from_ref(&item))?,
            None => true,
        };
        if fits && !f(item)? {
            break;
        }
    }
    Ok(())
}

fn first(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
    let mut found = None;
    each(args, cx, &mut |item| {
        found = Some(item);
        Ok(false)
    })?;
    Ok(found)
}

fn last(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
    // A list need not be enumerated to find its end.
    if args.len() == 1 {
        match args.value(0) {
            Value::List(it) => return Ok(it.len().checked_sub(1).and_then(|at| it.get(at))),
            Value::Array(it) => return Ok(it.len().checked_sub(1).and_then(|at| it.get(at))),
            _ => {}
        }
    }
    let mut found = None;
    each(args, cx, &mut |item| {
        found = Some(item);
        Ok(true)
    })?;
    Ok(found)
}

fn single(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
    let mut found = None;
    let has_predicate = args.len() > 1;
    each(args, cx, &mut |item| {
        if found.is_some() {
            return Err(Exception::invalid_operation(if has_predicate {
                "Sequence contains more than one matching element"
            } else {
                "Sequence contains more than one element"
            }));
        }
        found = Some(item);
        Ok(true)
    })?;
    Ok(found)
}

fn element_at(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
    let source = argument(args, 0)?;
    let Some(mut left) = args.value(1).as_i64().and_then(|it| usize::try_from(it).ok()) else {
        return Ok(None);
    };
    let mut items = source.cursor(cx)?;
    while let Some(item) = items.next(cx)? {
        cx.step()?;
        if left == 0 {
            return Ok(Some(item));
        }
        left -= 1;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, run};
    use super::*;

    #[test]
    fn one_item_is_found_or_missed() {
        let value =
            |name: &str, all: &[i32]| run(name, &[ints(all)]).map(|it| it.as_i64().unwrap());
        assert_eq!(value("First", &[3, 4]).unwrap(), 3);
        assert_eq!(value("Last", &[3, 4]).unwrap(), 4);
        assert_eq!(value("Single", &[3]).unwrap(), 3);
        assert_eq!(value("FirstOrDefault", &[]).unwrap(), 0);
        for (name, all) in [("First", &[][..]), ("Last", &[]), ("Single", &[]), ("Single", &[1, 2])]
        {
            let error = value(name, all).unwrap_err();
            assert_eq!(error.type_name, "System.InvalidOperationException", "{name}");
        }
    }

    #[test]
    fn a_predicate_chooses() {
        let big = lambda(|args| (args[0].as_i64().unwrap() > 1).into());
        let it = run("First", &[ints(&[1, 2, 3]), big.clone()]).unwrap();
        assert_eq!(it.as_i64(), Some(2));
        let error = run("First", &[ints(&[1]), big]).unwrap_err();
        assert_eq!(error.message, "Sequence contains no matching element");
    }

    #[test]
    fn a_position_outside_is_refused_or_the_default() {
        assert!(run("ElementAt", &[ints(&[1]), Value::from(1)]).is_err());
        assert!(run("ElementAt", &[ints(&[1]), Value::from(-1)]).is_err());
        let it = run("ElementAtOrDefault", &[ints(&[1]), Value::from(9)]).unwrap();
        assert_eq!(it.as_i64(), Some(0));
    }
}
