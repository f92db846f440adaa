//! What an expression compiles to.

use std::fmt;
use std::sync::Arc;

use csharp::Problem;

use crate::Options;
use crate::cx::EvalCx;
use crate::evaluate::closure;
use crate::exception::Exception;
use crate::host::Host;
use crate::ir::Code;
use crate::types::Type;
use crate::value::Value;

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

    /// What is odd about it, though it can run.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.0.warnings
    }

    /// The value, if it is the same for every request.
    #[must_use]
    pub fn constant(&self) -> Option<&Value> {
        match &self.0.code.body {
            crate::ir::Body::Expression(crate::ir::Node::Const(value))
                if !matches!(value, Value::Host(_)) =>
            {
                Some(value)
            }
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
        let result = closure::run(&self.0.code, &[], &[], cx);
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

/// What of the request and the response an expression may read, known without evaluating it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uses {
    /// The body of `context.Request`.
    pub request_body: bool,
    /// The body of `context.Response`.
    pub response_body: bool,
    /// `context.Response` at all.
    pub response: bool,
    /// A part of the request or response that only a buffered body can answer, such as `Foundry`.
    pub foundry: bool,
}

impl Uses {
    /// Nothing.
    pub const NONE: Self =
        Self { request_body: false, response_body: false, response: false, foundry: false };
    /// The body of the request.
    pub const REQUEST_BODY: Self = Self { request_body: true, ..Self::NONE };
    /// The body of a response; it counts only together with [`Uses::RESPONSE`].
    pub const RESPONSE_BODY: Self = Self { response_body: true, ..Self::NONE };
    /// `context.Response`.
    pub const RESPONSE: Self = Self { response: true, ..Self::NONE };
    /// `context.Request.Foundry`.
    pub const FOUNDRY: Self = Self { foundry: true, ..Self::NONE };

    /// A response body counts only if it is that of `context.Response`.
    #[must_use]
    pub(crate) const fn settled(mut self) -> Self {
        self.response_body = self.response_body && self.response;
        self
    }

    /// What either reads.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self {
            request_body: self.request_body || other.request_body,
            response_body: self.response_body || other.response_body,
            response: self.response || other.response,
            foundry: self.foundry || other.foundry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_add_up() {
        let both = Uses::REQUEST_BODY.union(Uses::RESPONSE);
        assert!(both.request_body && both.response && !both.response_body);
    }
}
