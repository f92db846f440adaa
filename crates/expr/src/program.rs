//! What an expression compiles to.

use std::fmt;
use std::sync::Arc;

use clr::Uses;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::Host;
use clr::types::Type;
use clr::value::Value;
use csharp::Problem;

use crate::Options;
use crate::evaluate::condition::truth;
use crate::evaluate::{closure, eval};
use crate::ir::{Body, Code, Node};
use crate::reads::{BodyRead, certain_reads};

/// A compiled expression: made once when configuration loads, evaluated for each request.
#[derive(Clone)]
pub struct Program(Arc<Inner>);

struct Inner {
    code: Code,
    result: Type,
    uses: Uses,
    options: Options,
    warnings: Vec<Problem>,
}

impl Program {
    pub(crate) fn new(
        code: Code,
        result: Type,
        uses: Uses,
        options: Options,
        warnings: Vec<Problem>,
    ) -> Self {
        Self(Arc::new(Inner { code, result, uses, options, warnings }))
    }

    /// What of the request and the response it may read.
    #[must_use]
    pub fn uses(&self) -> Uses {
        self.0.uses
    }

    /// The static type of its value; `object` if its `return` statements differ.
    #[must_use]
    pub fn result_type(&self) -> &Type {
        &self.0.result
    }

    /// The bodies that it reads whenever it runs, in order. What it may read is in
    /// [`Program::uses`].
    #[must_use]
    pub fn body_reads(&self) -> Vec<BodyRead> {
        let uses = self.0.uses;
        if uses.request_body || uses.response_body {
            return certain_reads(&self.0.code);
        }
        Vec::new()
    }

    /// What is odd about it, though it can run.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.0.warnings
    }

    /// The value, if it is the same for every request.
    #[must_use]
    pub fn constant(&self) -> Option<&Value> {
        match &self.0.code.body {
            Body::Expression(Node::Const(value)) if !matches!(value, Value::Host(_)) => Some(value),
            _ => None,
        }
    }

    /// Evaluates it.
    ///
    /// # Errors
    ///
    /// What the expression throws, or the end of the budget.
    pub fn evaluate(&self, host: &dyn Host) -> Result<Value, Exception> {
        let mut cx = EvalCx::new(host, self.0.options.runtime, self.0.options.limits);
        self.evaluate_in(&mut cx)
    }

    /// Evaluates it with a budget that is given, and may be shared by several.
    ///
    /// # Errors
    ///
    /// As [`Program::evaluate`].
    pub fn evaluate_in(&self, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
        let code = &self.0.code;
        let result = match &code.body {
            // Nothing is stored: no frame is needed.
            Body::Expression(node) if code.slots == 0 => cx.deeper(code.height, |cx| match node {
                Node::OrElse(_) | Node::AndAlso(_) => truth(node, 0, cx).map(Value::Bool),
                _ => eval(node, 0, cx),
            }),
            _ => closure::run(code, &[], &[], cx),
        };
        if !cx.has_cells() {
            return result;
        }
        // Functions may refer to themselves through their variables: let go of those. A lazy
        // sequence may still need them, so it is enumerated first.
        let result = result.and_then(|value| match &value {
            Value::Sequence(it) => {
                let element = it.element();
                let items = value.collect(cx)?;
                Ok(Value::sequence_of(element, items))
            }
            _ => Ok(value),
        });
        if !matches!(result, Ok(Value::Func(_))) {
            cx.clear_cells();
        }
        result
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({})", self.0.result)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Form, Options, compile};

    #[test]
    fn a_program_knows_its_constant() {
        let constant = |source| {
            let program = compile(source, Form::Expression, &Options::default()).unwrap();
            program.constant().map(|it| it.to_text().into_owned())
        };
        assert_eq!(constant("1 + 2").as_deref(), Some("3"));
        assert_eq!(constant("context.Request.Method"), None);
    }
}
