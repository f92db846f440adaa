//! Casts, `as`, `?:` and `?.`.
//!
//! Source: C# specification, 12.9.7, 12.12.13, 12.18 and 12.8.8.

use clr::types::Type;
use clr::value::Value;
use csharp::ast::{self, ExprKind, Span};

use super::conversion::{best_common, explicit, with_null};
use super::{Binder, Expr, codes};
use crate::ir::Node;

impl Binder {
    pub(super) fn cast(&mut self, written: &ast::TypeRef, value: &ast::Expr, span: Span) -> Expr {
        let ty = self.type_of(written);
        if self.is_untyped(value) {
            return self.value_as(value, ty);
        }
        let bound = self.value(value);
        let is_known = match ty {
            _ if super::equality::is_known_null(&bound) => true,
            Type::Nullable(_) => bound.constant.is_some(),
            _ => false,
        };
        let null = is_known && bound.constant.is_none() && matches!(ty, Type::Nullable(_));
        let mut done = self.cast_value(written, bound, ty, span);
        if null && matches!(done.node, Node::Convert(..)) {
            done.node = Node::Const(Value::Null);
        }
        Expr { is_cast: is_known && matches!(done.node, Node::Const(_)), ..done }
    }

    fn cast_value(&mut self, written: &ast::TypeRef, bound: Expr, ty: Type, span: Span) -> Expr {
        if ty == Type::Error || bound.ty == Type::Error {
            return Expr { span, ..Expr::error(span) };
        }
        if bound.is_null_literal() || bound.ty == Type::Void {
            return Expr { span, ..self.convert(bound, ty) };
        }
        if bound.ty == Type::Dynamic && !matches!(ty, Type::Object | Type::Dynamic) {
            let way = super::Way::By(super::late::conversion_to(ty.erased(), true));
            return Expr { span, ..self.apply_way(bound, way, ty) };
        }
        if let Some(way) = self.implicit_way(&bound, ty) {
            return Expr { span, ..self.apply_way(bound, way, ty) };
        }
        if let Some(value) = &bound.constant
            && bound.ty.is_numeric()
            && ty.without_null().is_numeric()
        {
            let to = ty.without_null();
            match crate::evaluate::convert::numeric(value, to, !self.explicitly_unchecked) {
                Ok(value) if to == ty => return Expr::constant(value, ty, span),
                Ok(value) => return Expr::new(Node::Const(value), ty, span),
                Err(_) => {
                    let text = value.to_text().into_owned();
                    self.report(
                        codes::CONSTANT,
                        span,
                        format!("the constant `{text}` does not fit `{ty}`"),
                        "out of range",
                        Some(format!("write `unchecked(({ty}){text})` if it is to wrap around")),
                    );
                    return Expr::error(span);
                }
            }
        }
        match explicit(bound.ty, ty, self.checked) {
            Some(way) => Expr { span, ..self.apply_way(bound, way, ty) },
            None => {
                let from = bound.ty;
                let help = if ty == Type::String {
                    Some("call `.ToString()`".to_owned())
                } else if from == Type::String && ty.is_numeric() {
                    Some(format!("parse it: `{ty}.Parse(...)`"))
                } else {
                    None
                };
                self.report(
                    codes::NO_CONVERSION,
                    written.span,
                    format!("`{from}` cannot be cast to `{ty}`"),
                    "no such conversion",
                    help,
                );
                Expr::error(span)
            }
        }
    }

    pub(super) fn as_type(
        &mut self,
        value: &ast::Expr,
        written: &ast::TypeRef,
        span: Span,
    ) -> Expr {
        let bound = Self::undynamic(self.value(value));
        let ty = self.type_of(written);
        if bound.ty == Type::Error || ty == Type::Error {
            return Expr::error(span);
        }
        if ty.is_non_nullable_value() {
            self.report(
                codes::NO_CONVERSION,
                written.span,
                format!("`as` needs a type that can be null, which `{ty}` is not"),
                "a value type",
                Some(format!("use `as {ty}?`")),
            );
            return Expr::error(span);
        }
        let possible = bound.is_null_literal()
            || super::conversion::standard_implicit(bound.ty, ty).is_some()
            || super::conversion::standard_explicit(bound.ty, ty, false).is_some();
        if !possible {
            self.report(
                codes::NO_CONVERSION,
                span,
                format!("`{}` can never be `{ty}`", bound.ty),
                "always null",
                None,
            );
            return Expr::error(span);
        }
        Expr::new(Node::As(ty.erased(), Box::new(bound.node)), ty, span)
    }

    pub(super) fn conditional(
        &mut self,
        condition: &ast::Expr,
        then: &ast::Expr,
        otherwise: &ast::Expr,
        span: Span,
    ) -> Expr {
        let (condition, yes, no) = self.condition(condition);
        self.flow = yes;
        let a = self.branch(then);
        let (after_then, when_then) = (self.flow.clone(), self.when.take());
        self.flow = no;
        let b = self.branch(otherwise);
        let (after_else, when_else) = (self.flow.clone(), self.when.take());
        self.flow = after_then.clone().join(after_else.clone());
        if when_then.is_some() || when_else.is_some() {
            let (yes_a, no_a) = when_then.unwrap_or((after_then.clone(), after_then));
            let (yes_b, no_b) = when_else.unwrap_or((after_else.clone(), after_else));
            self.when = Some((yes_a.join(yes_b), no_a.join(no_b)));
        }
        let Some(ty) = self.common_branch_type(&a, &b) else {
            self.report(
                codes::NO_CONVERSION,
                span,
                format!("the branches of `?:` have the types `{}` and `{}`", a.ty, b.ty),
                "no common type",
                Some("cast one of them to the type of the other".to_owned()),
            );
            return Expr::error(span);
        };
        if ty == Type::Null {
            self.report(
                codes::NO_TYPE,
                span,
                "the branches of `?:` are both `null`",
                "has no type",
                Some("cast one of them".to_owned()),
            );
            return Expr::error(span);
        }
        let throws = |it: &Expr| matches!(it.node, Node::Throw(..));
        let a = if throws(&a) { Expr { ty, ..a } } else { self.convert(a, ty) };
        let b = if throws(&b) { Expr { ty, ..b } } else { self.convert(b, ty) };
        let known = |it: &Expr| match (&it.constant, &it.node) {
            (Some(it), _) | (None, Node::Const(it @ Value::Null)) => Some(it.clone()),
            _ => None,
        };
        if let (Some(test), Some(x), Some(y)) = (&condition.constant, known(&a), known(&b)) {
            let value = if test.as_bool() == Some(true) { x } else { y };
            if value.is_null() {
                return Expr::new(Node::Const(value), ty, span);
            }
            return Expr::constant(value, ty, span);
        }
        Expr::new(Node::Conditional(Box::new((condition.node, a.node, b.node))), ty, span)
    }

    /// A branch of `?:`; `default` takes the type of the other one later.
    pub(super) fn branch(&mut self, expr: &ast::Expr) -> Expr {
        self.may_throw(expr);
        let bound = if matches!(expr.kind, ExprKind::Default(None)) {
            Expr::new(Node::Const(Value::Null), Type::Null, expr.span)
        } else {
            self.value(expr)
        };
        self.require_value(&bound);
        bound
    }

    pub(super) fn common_branch_type(&self, a: &Expr, b: &Expr) -> Option<Type> {
        if a.ty == Type::Error || b.ty == Type::Error {
            return Some(Type::Error);
        }
        if a.ty == Type::Dynamic || b.ty == Type::Dynamic {
            return Some(Type::Dynamic);
        }
        let is_throw = |it: &Expr| matches!(it.node, Node::Throw(..));
        if is_throw(a) {
            return Some(b.ty);
        }
        if is_throw(b) || a.ty == b.ty {
            return Some(a.ty);
        }
        let (to_b, to_a) = (self.implicit_way(a, b.ty), self.implicit_way(b, a.ty));
        match (to_b, to_a) {
            (Some(_), None) => Some(b.ty),
            (None, Some(_)) => Some(a.ty),
            (Some(_), Some(_)) => best_common(&[a.ty, b.ty]),
            (None, None) => None,
        }
    }

    pub(super) fn conditional_access(
        &mut self,
        target: &ast::Expr,
        rest: &ast::Expr,
        span: Span,
    ) -> Expr {
        let target = self.value(target);
        self.require_value(&target);
        if target.ty.is_non_nullable_value() {
            self.report(
                codes::NO_OPERATOR,
                target.span,
                format!("`?` cannot be applied to `{}`, which is never null", target.ty),
                "never null",
                Some("use `.` instead of `?.`".to_owned()),
            );
        }
        let slot = self.temporary();
        self.receivers.push((slot, target.ty.without_null()));
        let before = self.flow.clone();
        let rest = self.value(rest);
        self.flow = before;
        self.receivers.pop();
        let ty = with_null(rest.ty);
        let node = Node::NullConditional {
            target: Box::new(target.node),
            slot,
            rest: Box::new(rest.node),
        };
        Expr::new(node, ty, span)
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn casts_follow_the_static_types() {
        check(
            Form::Statements,
            &[
                ("object o = 5; return (long)o;", "System.InvalidCastException"),
                ("return (int)2.9;", "Int32: 2"),
                ("return (byte)300;", "PC0350"),
                ("object o = \"x\"; return (o as string)?.Length;", "Int32: 1"),
                ("return \"5\" as int;", "PC0330"),
                ("return (string)5;", "PC0330"),
                ("return true ? 1 : \"a\";", "PC0330"),
            ],
        );
    }
}
