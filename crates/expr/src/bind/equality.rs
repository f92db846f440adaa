//! `==`, `!=` and the order of structs.
//!
//! Source: C# specification, 12.12.

use clr::types::Type;
use clr::value::Value;
use csharp::ast::{BinaryOp, Span};
use dotnet::Str;

use super::conversion::{standard_explicit, standard_implicit};
use super::{Binder, Expr, codes};
use crate::ir::{Node, Op};

impl Binder {
    /// `==` and `!=` (12.12).
    pub(super) fn equality(
        &mut self,
        op: BinaryOp,
        a: &Expr,
        b: &Expr,
        span: Span,
    ) -> Option<Expr> {
        let equal = op == BinaryOp::Equal;
        let kind = if equal { Op::Equal } else { Op::NotEqual };
        if a.ty == Type::Null && b.ty == Type::Null {
            return Some(Expr::constant(Value::Bool(equal), Type::Bool, span));
        }
        let pair = || Box::new((a.node.clone(), b.node.clone()));
        let string = |it: Type| matches!(it, Type::String | Type::Null);
        if string(a.ty) && string(b.ty) {
            if let (Some(x), Some(y)) = (constant_text(a), constant_text(b)) {
                return Some(Expr::constant(Value::Bool((x == y) == equal), Type::Bool, span));
            }
            return Some(Expr::new(Node::StringEquals(equal, pair()), Type::Bool, span));
        }
        let (x, y) = (a.ty.without_null(), b.ty.without_null());
        if x != Type::Null
            && y != Type::Null
            && let Some(done) = self.enum_operator(kind, a, b, span)
        {
            return Some(done);
        }
        if x == Type::Bool && y == Type::Bool {
            return Some(self.operation(kind, Type::Bool, Type::Bool, a, b, span));
        }
        if x.is_numeric() && y.is_numeric() {
            let to = self.promoted(a, b)?;
            return Some(self.operation(kind, to, Type::Bool, a, b, span));
        }
        let is_null = |it: &Expr| it.ty == Type::Null;
        if (is_null(a) && matches!(b.ty, Type::Nullable(_)))
            || (is_null(b) && matches!(a.ty, Type::Nullable(_)))
        {
            return Some(Expr::new(Node::Same(equal, pair()), Type::Bool, span));
        }
        let never_null = |it: Type| {
            it.is_simple()
                || it.is_enum()
                || matches!(it, Type::Guid | Type::DateTime | Type::DateTimeOffset | Type::TimeSpan)
        };
        if (is_null(a) && never_null(b.ty)) || (is_null(b) && never_null(a.ty)) {
            self.warn(
                codes::NO_OPERATOR,
                span,
                "a value of this type is never `null`",
                "always the same",
                "compare with a value instead",
            );
            let operand = if is_null(a) { b } else { a };
            if operand.constant.is_some() {
                return Some(Expr::constant(Value::Bool(!equal), Type::Bool, span));
            }
            let operand = operand.node.clone();
            let nodes = Box::new([operand, Node::Const(Value::Bool(!equal))]);
            return Some(Expr::new(Node::Sequence(nodes), Type::Bool, span));
        }
        if x == y && x.is_value_type() {
            let known =
                matches!(x, Type::Guid | Type::DateTime | Type::DateTimeOffset | Type::TimeSpan);
            return known.then(|| Expr::new(Node::Equals(equal, pair()), Type::Bool, span));
        }
        self.reference_equality(equal, a, b, span)
    }

    pub(super) fn reference_equality(
        &mut self,
        equal: bool,
        a: &Expr,
        b: &Expr,
        span: Span,
    ) -> Option<Expr> {
        let reference = |it: &Expr| it.ty.is_reference() || it.ty == Type::Null;
        if !reference(a) || !reference(b) {
            return None;
        }
        if is_known_null(a) && is_known_null(b) {
            return Some(Expr::constant(Value::Bool(equal), Type::Bool, span));
        }
        let related = standard_implicit(a.ty, b.ty).is_some()
            || standard_implicit(b.ty, a.ty).is_some()
            || standard_explicit(a.ty, b.ty, false).is_some()
            || standard_explicit(b.ty, a.ty, false).is_some();
        if !related {
            return None;
        }
        if (a.ty == Type::Object && b.ty == Type::String)
            || (a.ty == Type::String && b.ty == Type::Object)
        {
            self.warn(
                codes::NO_OPERATOR,
                span,
                "this compares an `object` with a `string`",
                "compared by value here; C# compares references",
                "cast the `object` first: `(string)...`",
            );
        }
        let pair = Box::new((a.node.clone(), b.node.clone()));
        Some(Expr::new(Node::Same(equal, pair), Type::Bool, span))
    }

    /// Comparison of structs that have an order, when their type has no row for the operator.
    pub(super) fn ordered_struct(
        &mut self,
        op: Op,
        a: &Expr,
        b: &Expr,
        span: Span,
    ) -> Option<Expr> {
        let ordered =
            |it: Type| matches!(it, Type::DateTime | Type::DateTimeOffset | Type::TimeSpan);
        let (x, y) = (a.ty.without_null(), b.ty.without_null());
        let of = if ordered(x) { x } else { y };
        let fits = |it: Type| it == of || it == Type::Null;
        if !ordered(of) || !fits(x) || !fits(y) {
            return None;
        }
        Some(self.operation(op, of, Type::Bool, a, b, span))
    }
}

/// `null`, or `null` cast to some type.
pub(super) fn is_known_null(it: &Expr) -> bool {
    it.is_null_literal() || (it.is_cast && matches!(it.node, Node::Const(Value::Null)))
}

/// Are two values equal, of which one at least is a known null of a nullable type, and the other one
/// is known too? The compiler decides that, as it does for constants.
pub(super) fn known_equality(a: &Expr, b: &Expr) -> Option<bool> {
    let null = (is_known_null(a), is_known_null(b));
    let lifted = |it: &Expr| matches!(it.ty, Type::Nullable(_));
    if !(lifted(a) || lifted(b)) || !(null.0 || null.1) {
        return None;
    }
    // `x == null` with the literal is another operator, except for types that have their own.
    let own = |it: Type| {
        matches!(it, Type::Guid | Type::DateTime | Type::DateTimeOffset | Type::TimeSpan)
    };
    if a.is_null_literal() || b.is_null_literal() {
        let has_own = own(a.ty.without_null()) || own(b.ty.without_null());
        return (has_own && null.0 && null.1).then_some(true);
    }
    // What was cast and is promoted then is not known any more.
    let stays = |it: Type, other: Type| {
        let (own, other) = (it.without_null(), other.without_null());
        let small =
            matches!(own, Type::SByte | Type::Byte | Type::Int16 | Type::UInt16 | Type::Char);
        !small && (own == other || standard_implicit(other, own).is_some())
    };
    let known = |it: &Expr, other: &Expr, null: bool| {
        null || it.constant.is_some() || (it.is_cast && stays(it.ty, other.ty))
    };
    (known(a, b, null.0) && known(b, a, null.1)).then_some(null.0 == null.1)
}

/// The text of a constant string, which may be null.
fn constant_text(of: &Expr) -> Option<Option<&Str>> {
    match (&of.constant, &of.node) {
        (Some(Value::String(text)), _) => Some(Some(text)),
        (_, Node::Const(Value::Null)) => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn equality_depends_on_the_static_types() {
        check(
            Form::Statements,
            &[
                ("object a = 1, b = 1; return a == b;", "Boolean: False"),
                ("object a = \"x\"; return a == \"x\";", "Boolean: True"),
                ("int? i = null; return i == null;", "Boolean: True"),
                ("return \"1\" == 1;", "PC0331"),
                ("const bool b = \"\" != null; return b;", "Boolean: True"),
                ("const bool b = (string)null == null; return b;", "Boolean: True"),
                ("const bool b = (string)null == \"b\"; return b;", "Boolean: False"),
                ("if (\"\" == null) { int x; return x; } return 1;", "Int32: 1"),
                ("int? x = null; return !(x > 0) && !(x <= 0);", "Boolean: True"),
            ],
        );
    }
}
