//! Functions at run time: lambdas, local functions, delegates to rows.

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::slot::Cell;
use clr::types::Type;
use clr::value::{Callable, Value};

use super::statements::{Flow, exec_all};
use super::{Outcome, eval};
use crate::ir::{Body, Capture, Code};

/// A function with the variables that it captured.
#[derive(Debug)]
struct Closure {
    code: Arc<Code>,
    captured: Box<[(u32, Arc<Cell>)]>,
}

impl Callable for Closure {
    fn signature(&self) -> Type {
        self.code.signature
    }

    fn call(&self, args: &[Value], cx: &mut EvalCx<'_>) -> Outcome {
        if matches!(self.code.body, Body::Iterator(_)) {
            return super::iterator::sequence(&self.code, &self.captured, args, cx);
        }
        run(&self.code, &self.captured, args, cx)
    }
}

/// Makes a delegate of a lambda.
pub(crate) fn make(
    code: &Arc<Code>,
    captures: &[Capture],
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Value {
    let captured = captures.iter().map(|it| (it.inner, cx.cell(base, it.outer))).collect();
    Value::Func(Arc::new(Closure { code: Arc::clone(code), captured }))
}

/// Runs a function with a frame of its own.
pub(crate) fn run(
    code: &Code,
    captured: &[(u32, Arc<Cell>)],
    args: &[Value],
    cx: &mut EvalCx<'_>,
) -> Outcome {
    cx.deeper(code.height, |cx| {
        let base = enter(code, captured, args, cx);
        let result = match &code.body {
            Body::Expression(node) => eval(node, base, cx),
            Body::Block(statements) => exec_all(statements, base, cx).map(|flow| match flow {
                Flow::Return(value) => value,
                _ => Value::Null,
            }),
            // Made where it is called: see `Closure::call`.
            Body::Iterator(_) => Ok(Value::Null),
        };
        cx.pop_frame(base);
        result
    })
}

/// Makes the frame of a function, its arguments in place; gives the first slot.
#[inline]
pub(crate) fn enter(
    code: &Code,
    captured: &[(u32, Arc<Cell>)],
    args: &[Value],
    cx: &mut EvalCx<'_>,
) -> usize {
    let base = cx.push_frame(code.slots);
    for (slot, value) in (0..).zip(args) {
        match value.to_object::<Cell>().filter(|_| code.references.contains(&slot)) {
            Some(cell) => cx.share(base, slot, cell),
            None => cx.store(base, slot, value.clone()),
        }
    }
    for slot in &code.cells {
        cx.cell(base, *slot);
    }
    for (slot, cell) in captured {
        cx.share(base, *slot, Arc::clone(cell));
    }
    base
}

#[cfg(test)]
mod tests {
    use crate::test_support::with_cx;
    use crate::{Form, Options, Value, compile};

    #[test]
    fn functions_that_refer_to_themselves_are_let_go() {
        let source = "Func<int, int> f = null; f = n => n < 1 ? 0 : 1 + f(n - 1); return f(5);";
        let program = compile(source, Form::Statements, &Options::default()).unwrap();
        with_cx(|cx| {
            assert!(program.evaluate_in(cx).unwrap().equals(&Value::from(5)));
            assert!(!cx.has_cells());
        });
    }
}
