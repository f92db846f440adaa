//! Patterns of C# 7: types, declarations, `var`, constants.
//!
//! Source: C# specification, 11.2.

use clr::types::Type;
use clr::value::Value;
use csharp::ast::{self, ExprKind, Name, Pattern, Span, TypeRefKind};

use super::conversion::{standard_explicit, standard_implicit};
use super::names::Head;
use super::{Binder, Expr, codes};
use crate::ir::Node;

impl Binder {
    pub(super) fn is_pattern(&mut self, value: &ast::Expr, pattern: &Pattern, span: Span) -> Expr {
        let bound = self.value(value);
        self.require_value(&bound);
        if bound.ty == Type::Error {
            self.declare_after_error(pattern);
            return Expr::error(span);
        }
        let no = self.flow.clone();
        let bound = Self::undynamic(bound);
        let test = self.pattern(bound.node, bound.ty, pattern, span, true);
        self.when = Some((self.flow.clone(), no.clone()));
        self.flow = no;
        Expr::new(test, Type::Bool, span)
    }

    /// A `dynamic` value is tested as an `object`.
    pub(super) fn undynamic(of: Expr) -> Expr {
        if of.ty == Type::Dynamic { Expr { ty: Type::Object, ..of } } else { of }
    }

    fn declare_after_error(&mut self, pattern: &Pattern) {
        if let Pattern::Declaration { name: Some(name), .. }
        | Pattern::Var { name: Some(name), .. } = pattern
        {
            let id = self.declare(name, Type::Error);
            self.flow.assign(id);
        }
    }

    /// The test of a pattern; its variables are assigned in the state after it.
    pub(super) fn pattern(
        &mut self,
        value: Node,
        of: Type,
        pattern: &Pattern,
        span: Span,
        type_first: bool,
    ) -> Node {
        let value = Box::new(value);
        match pattern {
            Pattern::Type(written) => self.type_or_constant(value, of, written, type_first),
            Pattern::Declaration { ty, name } => {
                let ty = self.type_of(ty);
                self.check_possible(of, ty, span);
                let slot = name.as_ref().map(|it| self.pattern_variable(it, ty));
                Node::IsDeclaration { ty: Some(ty.erased()), slot, value }
            }
            Pattern::Var { name, .. } => {
                let slot = name.as_ref().map(|it| self.pattern_variable(it, of));
                Node::IsDeclaration { ty: None, slot, value }
            }
            Pattern::Constant(expr) => {
                let bound = self.value(expr);
                self.constant_test(*value, of, bound)
            }
        }
    }

    fn pattern_variable(&mut self, name: &Name, ty: Type) -> u32 {
        let id = self.declare(name, ty);
        self.flow.assign(id);
        self.slot_of(id)
    }

    fn type_or_constant(
        &mut self,
        value: Box<Node>,
        of: Type,
        written: &ast::TypeRef,
        type_first: bool,
    ) -> Node {
        if let Some(expr) = as_expression(written) {
            let is_type =
                |it: &mut Self| it.speculate(|it| matches!(it.head(&expr), Head::Type(_)));
            let (found_type, clean) = is_type(self);
            if !(found_type && clean) {
                let (_, is_value) = self.speculate(|it| it.value(&expr));
                if is_value || !type_first {
                    let bound = self.value(&expr);
                    return self.constant_test(*value, of, bound);
                }
            }
        }
        let ty = self.type_of(written);
        if !is_possible(of, ty) {
            self.warn(
                codes::NO_CONVERSION,
                written.span,
                &format!("a value of type `{of}` is never `{ty}`"),
                "always false",
                "leave it out",
            );
        }
        Node::Is(ty.erased(), value)
    }

    fn check_possible(&mut self, of: Type, ty: Type, span: Span) {
        if !is_possible(of, ty) {
            self.report(
                codes::NO_CONVERSION,
                span,
                format!("a value of type `{of}` is never `{ty}`"),
                "always false",
                None,
            );
        }
    }

    fn constant_test(&mut self, value: Node, of: Type, constant: Expr) -> Node {
        if constant.ty == Type::Error {
            return Node::Const(Value::Bool(false));
        }
        if constant.ty == Type::Null {
            if of.is_non_nullable_value() {
                self.report_no_conversion(&constant, of);
            }
            return Node::Same(true, Box::new((value, constant.node)));
        }
        if constant.constant.is_none() {
            self.report(
                codes::CONSTANT,
                constant.span,
                "a pattern must be a constant",
                "not a constant",
                Some("compare with `==`".to_owned()),
            );
            return Node::Const(Value::Bool(false));
        }
        let inner = of.without_null();
        if inner.is_reference() && inner != Type::String {
            return Node::IsConstant(Box::new((value, constant.node)));
        }
        let constant = self.convert(constant, inner);
        Node::IsConstant(Box::new((value, constant.node)))
    }
}

/// Can a value of one type be of the other?
fn is_possible(of: Type, ty: Type) -> bool {
    let open = of == Type::Error || ty == Type::Error;
    open || of == Type::Null
        || standard_implicit(of, ty).is_some()
            && (of.is_reference() || !ty.is_value_type() || of.without_null() == ty.without_null())
        || (of.is_reference() && standard_explicit(of, ty, false).is_some())
        || of.without_null() == ty.without_null()
}

/// A written type as the expression of the same text, where that is possible.
fn as_expression(written: &ast::TypeRef) -> Option<ast::Expr> {
    let TypeRefKind::Named(parts) = &written.kind else { return None };
    let mut parts = parts.iter();
    let first = parts.next()?;
    let expr = |kind: ExprKind, span: Span| ast::Expr { kind, span, parenthesised: false };
    let mut all = expr(ExprKind::Name(first.clone()), first.name.span);
    for part in parts {
        let span = all.span.to(part.name.span);
        all = expr(ExprKind::Member { target: Box::new(all), name: part.clone() }, span);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn patterns_test_and_declare() {
        check(
            Form::Statements,
            &[
                ("object o = 5; return o is int i && i > 3;", "Boolean: True"),
                ("object o = 5L; return o is 5;", "Boolean: False"),
                ("object o = null; return o is null;", "Boolean: True"),
                ("object o = \"a\"; if (!(o is string s)) return 0; return s.Length;", "Int32: 1"),
                ("int n = 1; return n is string;", "Boolean: False"),
                ("int n = 1; return n is string s;", "PC0330"),
            ],
        );
    }
}
