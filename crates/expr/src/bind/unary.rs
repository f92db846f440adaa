//! `+`, `-`, `!`, `~`.
//!
//! Source: C# specification, 12.9.

use clr::types::{self, Type};
use clr::value::Value;
use csharp::ast::{self, ExprKind, Literal, Span, UnaryOp};

use super::conversion::implicit;
use super::operator::number_of;
use super::{Binder, Expr, codes};
use crate::ir::{Node, Number, Op, Operation};

impl Binder {
    pub(super) fn unary(&mut self, op: UnaryOp, operand: &ast::Expr, span: Span) -> Expr {
        if op == UnaryOp::Minus
            && let ExprKind::Literal(Literal::Integer { value, suffix }) = &operand.kind
            && !operand.parenthesised
        {
            // -2147483648 and -9223372036854775808 fit although their digits alone do not.
            match (value, suffix) {
                (0x8000_0000, ast::IntegerSuffix::None) => {
                    return Expr::constant(Value::Int(i32::MIN), Type::Int32, span);
                }
                (0x8000_0000_0000_0000, ast::IntegerSuffix::None | ast::IntegerSuffix::L) => {
                    return Expr::constant(Value::Long(i64::MIN), Type::Int64, span);
                }
                _ => {}
            }
        }
        if op == UnaryOp::Not {
            return self.not(operand, span);
        }
        let operand = self.value(operand);
        if operand.ty == Type::Error {
            return Expr::error(span);
        }
        if operand.ty == Type::Dynamic {
            return self.late_unary(op, operand, span);
        }
        if let Some(done) = self.user_operator(unary_text(op), std::slice::from_ref(&operand), span)
        {
            return done;
        }
        let inner = operand.ty.without_null();
        if op == UnaryOp::Complement && inner.is_enum() {
            let ty = operand.ty;
            return Expr::new(Node::Complement(Box::new(operand.node)), ty, span);
        }
        let to = match (op, inner) {
            (
                _,
                Type::SByte | Type::Byte | Type::Int16 | Type::UInt16 | Type::Char | Type::Int32,
            ) => Type::Int32,
            (UnaryOp::Minus, Type::UInt32) => Type::Int64,
            (UnaryOp::Minus, Type::UInt64) => return self.no_unary(op, &operand, span),
            (_, Type::UInt32 | Type::Int64 | Type::UInt64) => inner,
            (UnaryOp::Plus | UnaryOp::Minus, Type::Single | Type::Double | Type::Decimal) => inner,
            _ => return self.no_unary(op, &operand, span),
        };
        let lifted = matches!(operand.ty, Type::Nullable(_));
        let to = if lifted { types::nullable(to) } else { to };
        let value = self.convert(operand, to);
        match op {
            UnaryOp::Plus => Expr { span, ..value },
            UnaryOp::Complement => match value.constant {
                Some(it) => Expr::constant(crate::evaluate::operators::complement(it), to, span),
                None => Expr::new(Node::Complement(Box::new(value.node)), to, span),
            },
            _ => self.negated(value, to, span),
        }
    }

    fn negated(&mut self, value: Expr, to: Type, span: Span) -> Expr {
        let number = number_of(to.without_null());
        if let Some(constant) = value.constant {
            let checked = !self.explicitly_unchecked;
            return match crate::evaluate::operators::negate(number, checked, constant) {
                Ok(it) => Expr::constant(it, to, span),
                Err(_) => {
                    self.report_overflow(span, to);
                    Expr::error(span)
                }
            };
        }
        Expr::new(Node::Negate(number, self.checked, Box::new(value.node), span), to, span)
    }

    fn not(&mut self, operand: &ast::Expr, span: Span) -> Expr {
        let operand = self.value(operand);
        self.when = self.when.take().map(|(yes, no)| (no, yes));
        if operand.ty == Type::Error {
            return Expr::error(span);
        }
        if operand.ty == types::nullable(Type::Bool) {
            let operands = Box::new((operand.node, Node::Const(Value::Bool(true))));
            let operation = Operation { op: Op::Xor, number: Number::Bool, checked: false };
            return Expr::new(
                Node::Lifted(operation, operands, span),
                types::nullable(Type::Bool),
                span,
            );
        }
        if operand.ty != Type::Bool {
            if let Some(way) = implicit(operand.ty, Type::Bool) {
                let value = self.apply_way(operand, way, Type::Bool);
                return Expr::new(Node::Not(Box::new(value.node)), Type::Bool, span);
            }
            return self.no_unary(UnaryOp::Not, &operand, span);
        }
        match operand.constant {
            Some(Value::Bool(it)) => Expr::constant(Value::Bool(!it), Type::Bool, span),
            _ => Expr::new(Node::Not(Box::new(operand.node)), Type::Bool, span),
        }
    }

    fn no_unary(&mut self, op: UnaryOp, operand: &Expr, span: Span) -> Expr {
        let text = unary_text(op);
        let help = (op == UnaryOp::Not && operand.ty.is_reference())
            .then(|| "compare with `null` instead: `x == null`".to_owned());
        self.report(
            codes::NO_OPERATOR,
            span,
            format!("operator `{text}` cannot be applied to `{}`", operand.ty),
            "no such operator",
            help,
        );
        Expr::error(span)
    }
}

const fn unary_text(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Plus => "+",
        UnaryOp::Minus => "-",
        UnaryOp::Not => "!",
        UnaryOp::Complement => "~",
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn unary_operators_promote() {
        check(
            Form::Statements,
            &[
                ("byte b = 1; return -b;", "Int32: -1"),
                ("uint u = 1; return -u;", "Int64: -1"),
                ("return ~5;", "Int32: -6"),
                ("return !1;", "PC0331"),
                ("return -2147483648;", "Int32: -2147483648"),
                ("return checked(-new[] {int.MinValue}[0]);", "System.OverflowException"),
            ],
        );
    }
}
