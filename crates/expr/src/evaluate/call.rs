//! Calls of rows.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::Args;
use clr::value::Value;
use smallvec::SmallVec;

use super::{Outcome, eval};
use crate::ir::{Access, Call, Node};

/// Calls a row with evaluated arguments.
#[inline]
pub(crate) fn call(it: &Call, base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    if it.find.is_some() {
        return item(it, cx).cloned();
    }
    cx.step()?;
    match &*it.args {
        // A property, or a method without arguments: nothing is put on the heap.
        [object] if it.outs.is_empty() => {
            let mut values = [eval(object, base, cx)?];
            run(it, &mut values, cx)
        }
        _ => several(it, base, cx),
    }
}

/// An item of a dictionary of `context`, where the host keeps it.
///
/// # Errors
///
/// As the indexer's row: `KeyNotFoundException`.
#[inline]
pub(crate) fn item<'h>(it: &Call, cx: &mut EvalCx<'h>) -> Result<&'h Value, Exception> {
    cx.step()?;
    let name = match &*it.args {
        [_, Node::Const(Value::String(name))] => name.as_str(),
        _ => "",
    };
    let found = it.find.and_then(|find| find(cx.host(), name));
    found.ok_or_else(|| missing(it, name))
}

#[cold]
fn missing(it: &Call, name: &str) -> Exception {
    Exception::key_not_found(name).at(it.span.range())
}

/// Apart, so that the arguments take no room on the stack of those who have none.
#[inline(never)]
fn several(it: &Call, base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    if !it.outs.is_empty() || it.args.len() > 4 {
        return many(it, base, cx);
    }
    match &*it.args {
        [a, b] => {
            let mut values = [eval(a, base, cx)?, eval(b, base, cx)?];
            run(it, &mut values, cx)
        }
        [a, b, c] => {
            let mut values = [eval(a, base, cx)?, eval(b, base, cx)?, eval(c, base, cx)?];
            run(it, &mut values, cx)
        }
        _ => {
            let mut values: SmallVec<[Value; 4]> = SmallVec::new();
            for arg in &it.args {
                values.push(eval(arg, base, cx)?);
            }
            run(it, &mut values, cx)
        }
    }
}

#[inline(never)]
fn many(it: &Call, base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    let mut values = super::all(&it.args, base, cx)?;
    let result = run(it, &mut values, cx)?;
    for (index, store, slot) in &it.outs {
        let value = values.get_mut(*index).map(std::mem::take).unwrap_or_default();
        cx.store(base, *slot, value);
        eval(store, base, cx)?;
    }
    Ok(result)
}

#[inline]
fn run(it: &Call, values: &mut [Value], cx: &mut EvalCx<'_>) -> Outcome {
    if it.check_null && matches!(values.first(), Some(Value::Null)) {
        return Err(Exception::null_reference().at(it.span.range()));
    }
    if it.access != Access::Read {
        return set(it, values, cx);
    }
    let function = it.member.call;
    let mut args = Args::new(it.member, values, it.of_type, it.of_method, it.returns);
    let mut result = function(&mut args, cx);
    if let Err(exception) = &mut result {
        exception.place(it.span.range());
    }
    result
}

/// Calls the setter of a row; gives the value that was set, or the struct that has it.
#[inline(never)]
fn set(it: &Call, values: &mut [Value], cx: &mut EvalCx<'_>) -> Outcome {
    let value = values.last().cloned().unwrap_or_default();
    if let Some(function) = it.member.set {
        let mut args = Args::new(it.member, values, it.of_type, it.of_method, it.returns);
        let own = function(&mut args, cx).map_err(|error| error.at(it.span.range()))?;
        if it.access == Access::Alter {
            return Ok(own);
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use crate::{Form, Options, compile};
    use clr::host::EmptyHost;

    #[test]
    fn a_call_on_null_throws_where_it_stands() {
        let program =
            compile("((string)null).Length", Form::Expression, &Options::default()).unwrap();
        let error = program.evaluate(&EmptyHost::default()).unwrap_err();
        assert_eq!(
            (error.type_name, error.span.is_some()),
            ("System.NullReferenceException", true)
        );
    }
}
