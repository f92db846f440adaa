//! Constant expressions.
//!
//! Source: C# specification, 12.23.

use clr::rows::definition;
use clr::types::Type;
use clr::value::Value;
use csharp::ast::Span;
use rust_decimal::Decimal;

use super::{Binder, Expr, codes};
use crate::evaluate::{convert, operators};
use crate::ir::{Conversion, Op, Operation};

/// A decimal literal's value, with its scale.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    Decimal::from_str_exact(text).ok().or_else(|| text.parse().ok())
}

/// A built-in conversion of a constant; `None` if it cannot be done while compiling.
pub(super) fn convert(conversion: &Conversion, value: &Value) -> Option<Value> {
    match conversion {
        Conversion::Numeric { to, .. } => convert::numeric(value, *to, true).ok(),
        Conversion::ToEnum(def) => Some(Value::Enum(def, value.as_i64()?)),
        Conversion::FromEnum { to, .. } => match value {
            Value::Enum(_, it) => convert::numeric(&Value::Long(*it), *to, true).ok(),
            _ => None,
        },
        Conversion::Lifted(inner) => convert(inner, value),
        _ => None,
    }
}

impl Binder {
    /// `a op b` of two constants; reports what overflows. `None` if they are no constants.
    pub(super) fn fold_binary(
        &mut self,
        operation: Operation,
        a: &Expr,
        b: &Expr,
        ty: Type,
        span: Span,
    ) -> Option<Expr> {
        let divides = matches!(operation.op, Op::Divide | Op::Remainder);
        let zero = |it: &Value| match it {
            Value::Decimal(it) => it.is_zero(),
            Value::ULong(it) => *it == 0,
            other => other.as_i64() == Some(0),
        };
        // With a dividend that is not constant it is left to the evaluation.
        let floating =
            matches!(operation.number, crate::ir::Number::Single | crate::ir::Number::Double);
        let known = a.constant.is_some() && !floating;
        if divides && known && b.constant.as_ref().is_some_and(zero) {
            self.report(
                codes::CONSTANT,
                span,
                "division by the constant zero",
                "always fails",
                None,
            );
            return Some(Expr::error(span));
        }
        let (x, y) = (a.constant.as_ref()?, b.constant.as_ref()?);
        let checked = Operation { checked: !self.explicitly_unchecked, ..operation };
        match operators::apply(checked, x, y) {
            Ok(value) => Some(Expr::constant(value, ty, span)),
            Err(_) => {
                self.report_overflow(span, ty);
                Some(Expr::error(span))
            }
        }
    }

    pub(super) fn report_overflow(&mut self, span: Span, ty: Type) {
        let wider = match ty {
            Type::Int32 | Type::UInt32 => {
                Some("make one operand a `long` with the suffix `L`, or use `unchecked(...)`")
            }
            _ => None,
        };
        self.report(
            codes::CONSTANT,
            span,
            format!("the constant expression overflows `{ty}`"),
            "overflows when it is compiled",
            wider.map(str::to_owned),
        );
    }
}

/// The constant of a row, as a value.
pub(super) fn member_constant(member: &clr::rows::Member) -> Option<Value> {
    let value = member.constant?.value(member.returns);
    let known = !matches!(member.returns, Type::Named(name, _) if definition(name).is_none());
    known.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_literals_keep_their_scale() {
        for (text, expected) in [("1.50", "1.50"), ("1e2", "100"), ("0.1", "0.1")] {
            assert_eq!(decimal(text).unwrap().to_string(), expected);
        }
        assert!(decimal("99999999999999999999999999999999").is_none());
    }
}
