//! The seam to the expression engine: the one place that names its compiler.
//!
//! The engine's compiler is not part of this tree yet, so every expression is refused when the
//! document is loaded; [`Program`] has no values.

use expr::{Exception, Form, Host, Options, Problem, Type, Uses, Value};

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) enum Program {}

impl Program {
    /// What it reads.
    pub(crate) fn uses(&self) -> Uses {
        match *self {}
    }

    /// Its static type.
    pub(crate) fn result_type(&self) -> &Type {
        match *self {}
    }

    /// Its value for a request.
    pub(crate) fn evaluate(&self, _: &dyn Host) -> Result<Value, Exception> {
        match *self {}
    }
}

/// Compiles an expression.
pub(crate) fn compile(source: &str, _: Form, _: &Options) -> Result<Program, Vec<Problem>> {
    Err(vec![Problem {
        code: "PC0399",
        message: "policy expressions cannot be compiled by this build".to_owned(),
        span: 0..source.len(),
        label: "cannot be evaluated".to_owned(),
        help: None,
    }])
}
