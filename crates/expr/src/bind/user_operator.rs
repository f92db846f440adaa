//! Operators that types define, also on nullable operands.
//!
//! Source: C# specification, 12.4.5 and 12.4.8.

use clr::rows::MemberKind;
use clr::types::Type;
use clr::value::Value;
use csharp::ast::Span;

use super::conversion::with_null;
use super::overload::{Argument, Signature};
use super::{Binder, Expr};
use crate::ir::Node;

impl Binder {
    /// An operator that a type defines.
    pub(super) fn user_operator(
        &mut self,
        text: &str,
        operands: &[Expr],
        span: Span,
    ) -> Option<Expr> {
        let mut rows = Vec::new();
        for operand in operands {
            let ty = operand.ty.without_null();
            if ty.is_simple() || matches!(ty, Type::String | Type::Object) {
                continue;
            }
            for found in self.rows(ty, |it| it.kind == MemberKind::Operator && it.name == text) {
                let same = |it: &super::member::Found| std::ptr::eq(it.member, found.member);
                if found.member.params.len() == operands.len() && !rows.iter().any(same) {
                    rows.push(found);
                }
            }
        }
        if rows.is_empty() {
            return None;
        }
        let mut signatures: Vec<Signature> = rows.iter().map(|it| Signature::of(*it)).collect();
        signatures.iter_mut().for_each(|it| it.depth = 0);
        let plain: Vec<Argument<'_>> = operands.iter().cloned().map(Argument::plain).collect();
        if let Ok(fit) = self.resolve(&signatures, &[], &plain) {
            let found = signatures.get(fit.index)?.found?;
            return Some(self.call_rows(&[found], None, &[], &plain, text, span));
        }
        if !operands.iter().any(|it| matches!(it.ty, Type::Nullable(_) | Type::Null)) {
            return None;
        }
        if operands.iter().any(|it| it.ty == Type::Null) {
            return self.null_operand(text, signatures, operands, span);
        }
        self.lifted_user_operator(text, &signatures, operands, span)
    }

    /// A user-defined operator with `null` on one side: the one operator that takes the other side.
    fn null_operand(
        &mut self,
        text: &str,
        mut signatures: Vec<Signature>,
        operands: &[Expr],
        span: Span,
    ) -> Option<Expr> {
        signatures.retain(|it| {
            it.params.iter().zip(operands).all(|(param, own)| match own.ty {
                Type::Null => true,
                ty => super::conversion::implicit(ty.without_null(), param.ty).is_some(),
            })
        });
        if let [_, _, ..] = signatures.as_slice() {
            self.report(
                super::codes::NO_OPERATOR,
                span,
                format!("operator `{text}` might mean several things with `null`"),
                "ambiguous",
                Some("cast the `null`".to_owned()),
            );
            return Some(Expr::error(span));
        }
        let params = signatures.first()?.params.clone();
        let typed: Vec<Expr> = operands
            .iter()
            .zip(params)
            .map(|(own, param)| match own.ty {
                Type::Null => Expr { ty: with_null(param.ty), ..own.clone() },
                _ => own.clone(),
            })
            .collect();
        self.lifted_user_operator(text, &signatures, &typed, span)
    }

    /// A user-defined operator on nullable operands: null in, null (or false) out.
    pub(super) fn lifted_user_operator(
        &mut self,
        text: &str,
        signatures: &[Signature],
        operands: &[Expr],
        span: Span,
    ) -> Option<Expr> {
        let slots: Vec<u32> = operands.iter().map(|_| self.temporary()).collect();
        let inner: Vec<Argument<'_>> = operands
            .iter()
            .zip(&slots)
            .map(|(it, slot)| {
                let ty = if it.ty == Type::Null {
                    operands
                        .iter()
                        .map(|it| it.ty.without_null())
                        .find(|it| *it != Type::Null)
                        .unwrap_or(Type::Null)
                } else {
                    it.ty.without_null()
                };
                Argument::plain(Expr::new(Node::Local(*slot), ty, it.span))
            })
            .collect();
        let fit = self.resolve(signatures, &[], &inner).ok()?;
        let found = signatures.get(fit.index)?.found?;
        let call = self.call_rows(&[found], None, &[], &inner, text, span);
        let is_null =
            |slot: u32| Node::Same(true, Box::new((Node::Local(slot), Node::Const(Value::Null))));
        let any_null =
            slots.iter().copied().map(is_null).reduce(|a, b| Node::OrElse(Box::new((a, b))))?;
        let comparison = matches!(text, "==" | "!=" | "<" | "<=" | ">" | ">=");
        let (if_null, ty) = if comparison {
            let node = match (text, slots.as_slice()) {
                ("==", [a, b]) => Node::AndAlso(Box::new((is_null(*a), is_null(*b)))),
                ("!=", [a, b]) => {
                    Node::Not(Box::new(Node::AndAlso(Box::new((is_null(*a), is_null(*b))))))
                }
                _ => Node::Const(Value::Bool(false)),
            };
            (node, Type::Bool)
        } else {
            (Node::Const(Value::Null), with_null(call.ty))
        };
        let mut nodes: Vec<Node> = operands
            .iter()
            .zip(&slots)
            .map(|(it, slot)| Node::SetLocal(*slot, Box::new(it.node.clone())))
            .collect();
        nodes.push(Node::Conditional(Box::new((any_null, if_null, call.node))));
        Some(Expr::new(Node::Sequence(nodes.into_boxed_slice()), ty, span))
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn types_bring_operators_of_their_own() {
        check(
            Form::Statements,
            &[
                (
                    "return new DateTime(2024, 1, 2) - new DateTime(2024, 1, 1);",
                    "TimeSpan: 1.00:00:00",
                ),
                ("DateTime? a = null; return a - new DateTime(2024, 1, 1);", "null: "),
                (
                    "TimeSpan? t = TimeSpan.FromSeconds(1); return t > TimeSpan.Zero;",
                    "Boolean: True",
                ),
            ],
        );
    }
}
