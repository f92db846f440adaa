//! Operations on `dynamic`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::value::Value;

use super::{Outcome, closure};
use crate::bind::late::Site;
use crate::ir::Node;

/// What C# throws if an operation does not exist for the types that its operands have.
const FAULT: &str = "Microsoft.CSharp.RuntimeBinder.RuntimeBinderException";
/// What looking up an operation costs.
const STEPS: u64 = 20;

/// Evaluates the operands, then binds and runs the operation.
#[inline(never)]
pub(crate) fn run(site: &Site, operands: &[Node], base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    let values = super::all(operands, base, cx)?;
    apply(site, &values, cx)
}

/// Binds an operation for values and runs it.
pub(crate) fn apply(site: &Site, values: &[Value], cx: &mut EvalCx<'_>) -> Outcome {
    cx.steps(STEPS)?;
    match site.code(values, cx.runtime()) {
        Ok(code) => closure::run(&code, &[], values, cx),
        Err(_) if values.first().is_some_and(Value::is_null) => {
            Err(Exception::new(FAULT, "Cannot perform runtime binding on a null reference"))
        }
        Err(problem) => Err(Exception::new(FAULT, problem.message)),
    }
}

#[cfg(test)]
mod tests {
    use crate::bind::tests::beyond;

    #[test]
    fn what_cannot_be_bound_throws_and_can_be_caught() {
        beyond(&[(
            "dynamic d = 1; try { return d.Nope(); } catch (Exception e) { return e.Message.Substring(0, 26); }",
            "String: `int` has no member `Nope`",
        )]);
    }
}
