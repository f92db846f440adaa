//! `&&`, `||` and `??`.
//!
//! Source: C# specification, 12.14 and 12.15.

use clr::types::Type;
use clr::value::Value;
use csharp::ast::{self, BinaryOp, ExprKind, Span};

use super::conversion::implicit;
use super::{Binder, Expr, codes};
use crate::ir::{Conversion, Node};

impl Binder {
    pub(super) fn short_circuit(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Expr {
        let and = op == BinaryOp::AndAlso;
        let a = self.value(left);
        let when = self.when.take();
        let (a_true, a_false) = when.unwrap_or_else(|| (self.flow.clone(), self.flow.clone()));
        self.flow = if and { a_true.clone() } else { a_false.clone() };
        let b = self.value(right);
        let when = self.when.take();
        let (b_true, b_false) = when.unwrap_or_else(|| (self.flow.clone(), self.flow.clone()));
        let (yes, no) =
            if and { (b_true, a_false.join(b_false)) } else { (a_true.join(b_true), b_false) };
        self.flow = yes.clone().join(no.clone());
        self.when = Some((yes, no));
        if a.ty == Type::Error || b.ty == Type::Error {
            return Expr::error(span);
        }
        let is_bool = |it: &Expr| self.implicit_way(it, Type::Bool).is_some();
        if !is_bool(&a) || !is_bool(&b) {
            self.no_binary(op, op_span, &a, &b);
            return Expr::error(span);
        }
        let (a, b) = (self.convert(a, Type::Bool), self.convert(b, Type::Bool));
        if let (Some(Value::Bool(x)), Some(Value::Bool(y))) = (&a.constant, &b.constant) {
            let value = if and { *x && *y } else { *x || *y };
            return Expr::constant(Value::Bool(value), Type::Bool, span);
        }
        let operands = Box::new((a.node, b.node));
        let node = if and { Node::AndAlso(operands) } else { Node::OrElse(operands) };
        Expr::new(node, Type::Bool, span)
    }

    pub(super) fn coalesce(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        let a = self.value(left);
        let before = self.flow.clone();
        if a.ty == Type::Error {
            self.value(right);
            self.flow = before;
            return Expr::error(span);
        }
        if a.ty.is_non_nullable_value() || a.ty == Type::Void {
            self.report(
                codes::NO_OPERATOR,
                a.span,
                format!("operator `??` cannot be applied to `{}`, which is never null", a.ty),
                "never null",
                Some("leave out `??` and what follows".to_owned()),
            );
            self.value(right);
            self.flow = before;
            return Expr::error(span);
        }
        if self.is_untyped(right) || matches!(right.kind, ExprKind::Throw(_)) {
            let to = if matches!(right.kind, ExprKind::Lambda { .. }) {
                a.ty
            } else {
                a.ty.without_null()
            };
            self.may_throw(right);
            let b = self.value_as(right, to);
            self.flow = before;
            return Expr::new(Node::Coalesce(Box::new((a.node, b.node))), to, span);
        }
        let b = self.value(right);
        self.flow = before;
        if b.ty == Type::Error {
            return Expr::error(span);
        }
        let inner = a.ty.without_null();
        let pair =
            |a: Expr, b: Expr, ty| Expr::new(Node::Coalesce(Box::new((a.node, b.node))), ty, span);
        if a.ty != Type::Null && inner != a.ty && self.implicit_way(&b, inner).is_some() {
            let b = self.convert(b, inner);
            return pair(a, b, inner);
        }
        if a.ty != Type::Null && self.implicit_way(&b, a.ty).is_some() {
            let (ty, b) = (a.ty, self.convert(b, a.ty));
            return pair(a, b, ty);
        }
        let fits_null = |it: Type| a.ty == Type::Null && !it.is_non_nullable_value();
        if b.ty != Type::Null
            && (fits_null(b.ty) || (a.ty != Type::Null && implicit(inner, b.ty).is_some()))
        {
            let ty = b.ty;
            if a.ty == Type::Null {
                return Expr { span, constant: None, ..b };
            }
            let a = match implicit(inner, ty) {
                Some(super::Way::By(by)) => {
                    let by = Conversion::Lifted(Box::new(by));
                    Expr::new(Node::Convert(by, Box::new(a.node), a.span), ty, a.span)
                }
                _ => a,
            };
            return pair(a, b, ty);
        }
        self.no_binary(BinaryOp::Coalesce, span, &a, &b);
        Expr::error(span)
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn the_right_operand_waits_for_the_left_one() {
        check(
            Form::Statements,
            &[
                ("int n = 0; var b = n != 0 && 1 / n > 0; return b;", "Boolean: False"),
                ("int x; return int.TryParse(\"1\", out x) && x == 1;", "Boolean: True"),
                ("string s = null; return s ?? \"d\";", "String: d"),
                ("string s = null; return s ?? throw new Exception(\"none\");", "System.Exception"),
                ("return 1 ?? 2;", "PC0331"),
            ],
        );
    }
}
