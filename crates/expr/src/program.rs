//! What an expression compiles to.

use std::fmt;
use std::sync::Arc;

use clr::Uses;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::Host;
use clr::types::{Type, names};
use clr::value::{Anonymous, Value};
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
        let result = result.and_then(|value| match lazy(&value) {
            Some(element) => {
                let items = value.collect(cx)?;
                Ok(Value::sequence_of(element, items))
            }
            None => Ok(value),
        });
        if !result.as_ref().is_ok_and(|it| keeps(it, KEPT_DEPTH)) {
            cx.clear_cells();
        }
        result
    }
}

/// How deep in a result functions and lazy sequences are looked for.
const KEPT_DEPTH: u32 = 4;

/// What a sequence gives that is evaluated when it is enumerated.
fn lazy(value: &Value) -> Option<Type> {
    match value {
        Value::Sequence(it) => Some(it.element()),
        Value::Object(it) => match it.net_type() {
            Type::Named(names::IORDEREDENUMERABLE, [element]) => Some(*element),
            _ => None,
        },
        _ => None,
    }
}

/// Does a result have functions or lazy sequences in it, which need the captured variables?
fn keeps(value: &Value, depth: u32) -> bool {
    let any = |all: &[Value]| depth > 0 && all.iter().any(|it| keeps(it, depth - 1));
    match value {
        Value::Func(_) => true,
        Value::Array(it) => any(&it.items()),
        Value::List(it) => any(&it.to_vec()),
        Value::Object(_) => {
            let made = value.as_object::<Anonymous>();
            made.map_or_else(|| lazy(value).is_some(), |it| any(it.fields()))
        }
        _ => lazy(value).is_some(),
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
