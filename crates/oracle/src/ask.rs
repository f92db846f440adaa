//! Asking the library about a value, with an expression: `((JToken)v).Type`.
//!
//! So results are written by the same code that expressions run, and this module depends on no
//! type's inside.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use clr::host::Host;

use expr::{Form, Options, Program, Runtime, Value, Variables, compile};

use super::recorded::RecordedHost;

/// The name of the value in the expressions: `context.Variables["v"]`.
const VARIABLE: &str = "v";

type Programs = Mutex<HashMap<(&'static str, bool), Option<Program>>>;

static PROGRAMS: LazyLock<Programs> = LazyLock::new(Mutex::default);

/// Evaluates an expression over `context.Variables["v"]`; `None` if it does not compile or throws.
pub(super) fn ask(code: &'static str, value: &Value, runtime: Runtime) -> Option<Value> {
    let program = {
        let mut known = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
        let options = Options { runtime, allow_unlisted: true, ..Options::default() };
        known
            .entry((code, runtime == Runtime::Framework))
            .or_insert_with(|| compile(code, Form::Expression, &options).ok())
            .clone()?
    };
    let mut variables = Variables::default();
    variables.set(VARIABLE, value.clone());
    let host = RecordedHost::with_variables(variables);
    debug_assert!(host.variables().contains(VARIABLE));
    program.evaluate(&host).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_sees_the_value() {
        let answer =
            ask("(int)context.Variables[\"v\"] + 1", &Value::from(2), Runtime::Modern).unwrap();
        assert!(answer.equals(&Value::from(3)));
        assert!(ask("nothing +", &Value::Null, Runtime::Modern).is_none());
    }
}
