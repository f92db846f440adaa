//! Operators.
//!
//! Source: C# specification, 12.4 and 12.8 to 12.15.

use clr::types::{self, Type};
use clr::value::Value;
use csharp::ast::{self, BinaryOp, ExprKind, Span};

use super::conversion::{explicit, standard_explicit, standard_implicit, with_null};
use super::{Binder, Expr, codes};
use crate::ir::{Conversion, Node, Number, Op, Operation};

impl Binder {
    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Expr {
        match op {
            BinaryOp::AndAlso | BinaryOp::OrElse => {
                return self.short_circuit(op, op_span, left, right, span);
            }
            BinaryOp::Coalesce => return self.coalesce(left, right, span),
            _ => {}
        }
        let a = self.operand(left);
        let b = self.operand(right);
        self.binary_values(op, op_span, a, b, span)
    }

    fn operand(&mut self, expr: &ast::Expr) -> Expr {
        if matches!(expr.kind, ExprKind::Default(None)) {
            return Expr::new(Node::Const(Value::Null), Type::Null, expr.span);
        }
        let bound = self.value(expr);
        self.require_value(&bound);
        bound
    }

    /// `a op b` of bound operands.
    pub(super) fn binary_values(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        a: Expr,
        b: Expr,
        span: Span,
    ) -> Expr {
        if a.ty == Type::Error || b.ty == Type::Error || a.ty == Type::Void || b.ty == Type::Void {
            return Expr::error(span);
        }
        if a.ty == Type::Dynamic || b.ty == Type::Dynamic {
            return Expr { span, ..self.late_binary(op, op_span, a, b) };
        }
        if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual)
            && let Some(done) = self.tuple_equality(op, op_span, &a, &b, span)
        {
            return done;
        }
        if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual)
            && let Some(known) = super::equality::known_equality(&a, &b)
        {
            let done = self.compared(op, op_span, a, b, span);
            let value = Value::Bool(known == (op == BinaryOp::Equal));
            let fits = done.ty == Type::Bool;
            return if fits { Expr::constant(value, Type::Bool, span) } else { done };
        }
        self.compared(op, op_span, a, b, span)
    }

    fn compared(&mut self, op: BinaryOp, op_span: Span, a: Expr, b: Expr, span: Span) -> Expr {
        let operands = [a, b];
        if !matches!((operands[0].ty, operands[1].ty), (Type::Null, Type::Null))
            && let Some(done) = self.user_operator(op.text(), &operands, span)
        {
            return done;
        }
        let [a, b] = operands;
        // After the operators that a type defines: `XNamespace + string` is a name.
        let appends_null = |x: &Expr, y: &Expr| {
            x.ty == Type::Null
                && !y.ty.without_null().is_numeric()
                && !y.ty.without_null().is_enum()
                && y.ty != Type::Null
        };
        if op == BinaryOp::Add
            && (a.ty == Type::String
                || b.ty == Type::String
                || appends_null(&a, &b)
                || appends_null(&b, &a))
        {
            return self.concat(a, b, span);
        }
        let done = match op {
            BinaryOp::Equal | BinaryOp::NotEqual => self.equality(op, &a, &b, span),
            BinaryOp::ShiftLeft | BinaryOp::ShiftRight => self.shift(op, &a, &b, span),
            _ => self.arithmetic(op, &a, &b, span),
        };
        done.unwrap_or_else(|| {
            self.no_binary(op, op_span, &a, &b);
            Expr::error(span)
        })
    }

    pub(super) fn no_binary(&mut self, op: BinaryOp, op_span: Span, a: &Expr, b: &Expr) {
        let text = op.text();
        let json = |it: Type| {
            it.is_reference() && explicit(it, Type::String, false).is_some() && it != Type::Object
        };
        let help = if a.ty == Type::String && b.ty.is_numeric() {
            Some(format!("parse the string first: `{}.Parse(...)`", b.ty))
        } else if b.ty == Type::String && a.ty.is_numeric() {
            Some(format!("parse the string first: `{}.Parse(...)`", a.ty))
        } else if [a.ty, b.ty].contains(&Type::STRINGS) && [a.ty, b.ty].contains(&Type::String) {
            Some("take one of the values, `[0]`, or `GetValueOrDefault(...)`".to_owned())
        } else if (json(a.ty) && b.ty == Type::String) || (json(b.ty) && a.ty == Type::String) {
            Some("cast it first: `(string)...`".to_owned())
        } else if a.ty == Type::Object || b.ty == Type::Object {
            let other = if a.ty == Type::Object { b.ty } else { a.ty };
            Some(format!("cast the `object` first: `({other})...`"))
        } else {
            None
        };
        self.report(
            codes::NO_OPERATOR,
            op_span,
            format!("operator `{text}` cannot be applied to `{}` and `{}`", a.ty, b.ty),
            "no such operator",
            help,
        );
    }

    fn concat(&mut self, a: Expr, b: Expr, span: Span) -> Expr {
        // Only strings and `null` make a constant.
        let text = |it: &Expr| match (&it.constant, it.ty) {
            (Some(Value::String(it)), _) => Some(it.clone()),
            (Some(Value::Null), _) | (None, Type::Null) => {
                Some(Value::Null.to_str(self.options.runtime))
            }
            _ => None,
        };
        if let (Some(x), Some(y)) = (text(&a), text(&b)) {
            let joined = x.concat(&y);
            return Expr::constant(Value::String(joined), Type::String, span);
        }
        let mut parts = Vec::new();
        // a + b + c is one concatenation.
        match a.node {
            Node::Concat(own) if a.ty == Type::String => parts.extend(own),
            node => parts.push(node),
        }
        parts.push(b.node);
        Expr::new(Node::Concat(parts.into_boxed_slice()), Type::String, span)
    }

    fn arithmetic(&mut self, op: BinaryOp, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
        let kind = op_of(op)?;
        if let Some(done) = self.enum_operator(kind, a, b, span) {
            return Some(done);
        }
        let logical = matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Xor);
        let bools = [a, b].iter().all(|it| matches!(it.ty.without_null(), Type::Bool | Type::Null));
        if logical && bools && !(a.ty == Type::Null && b.ty == Type::Null) {
            return Some(self.logical(op, kind, a, b, span));
        }
        if kind.is_comparison()
            && let Some(done) = self.ordered_struct(kind, a, b, span)
        {
            return Some(done);
        }
        // `null + null` and `null & null` might mean several things.
        if a.ty == Type::Null && b.ty == Type::Null && (logical || op == BinaryOp::Add) {
            return None;
        }
        let to = self.promoted(a, b)?;
        if logical && matches!(to, Type::Single | Type::Double | Type::Decimal) {
            return None;
        }
        let result = if kind.is_comparison() { Type::Bool } else { to };
        Some(self.operation(kind, to, result, a, b, span))
    }

    /// The operation on operands converted to a type, lifted if one of them may be null.
    pub(super) fn operation(
        &mut self,
        op: Op,
        to: Type,
        result: Type,
        a: &Expr,
        b: &Expr,
        span: Span,
    ) -> Expr {
        let operation = Operation { op, number: number_of(to), checked: self.checked };
        let is_lifted = |it: &Expr| matches!(it.ty, Type::Nullable(_) | Type::Null);
        let lifted = is_lifted(a) || is_lifted(b);
        let target = if lifted { types::nullable(to) } else { to };
        let (a, b) = (self.convert(a.clone(), target), self.convert(b.clone(), target));
        if !lifted && let Some(folded) = self.fold_binary(operation, &a, &b, result, span) {
            return folded;
        }
        let operands = Box::new((a.node, b.node));
        if lifted {
            let ty = if op.is_comparison() { Type::Bool } else { types::nullable(result) };
            return Expr::new(Node::Lifted(operation, operands, span), ty, span);
        }
        Expr::new(Node::Binary(operation, operands, span), result, span)
    }

    /// Binary numeric promotion (12.4.7.3); constants may narrow to fit.
    pub(super) fn promoted(&self, a: &Expr, b: &Expr) -> Option<Type> {
        let (x, y) = (a.ty.without_null(), b.ty.without_null());
        let numeric = |it: Type| it.is_numeric() || it == Type::Null;
        if !numeric(x) || !numeric(y) {
            return None;
        }
        let any = |ty: Type| x == ty || y == ty;
        if any(Type::Decimal) {
            let binary_float = any(Type::Double) || any(Type::Single);
            return (!binary_float).then_some(Type::Decimal);
        }
        if any(Type::Double) {
            return Some(Type::Double);
        }
        if any(Type::Single) {
            return Some(Type::Single);
        }
        if any(Type::UInt64) {
            let fits = |it: &Expr| {
                it.ty == Type::Null
                    || self.implicit_way(it, types::nullable(Type::UInt64)).is_some()
            };
            return (fits(a) && fits(b)).then_some(Type::UInt64);
        }
        if any(Type::Int64) {
            return Some(Type::Int64);
        }
        if any(Type::UInt32) {
            let fits = |it: &Expr| {
                it.ty == Type::Null
                    || self.implicit_way(it, types::nullable(Type::UInt32)).is_some()
            };
            return Some(if fits(a) && fits(b) { Type::UInt32 } else { Type::Int64 });
        }
        Some(Type::Int32)
    }

    fn shift(&mut self, op: BinaryOp, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
        let kind = op_of(op)?;
        let inner = a.ty.without_null();
        let to = match inner {
            Type::UInt32 | Type::Int64 | Type::UInt64 => inner,
            _ if inner.is_integral() || a.ty == Type::Null => Type::Int32,
            _ => return None,
        };
        let is_lifted = |it: &Expr| matches!(it.ty, Type::Nullable(_) | Type::Null);
        let lifted = is_lifted(a) || is_lifted(b);
        let (left, right) = if lifted {
            (types::nullable(to), types::nullable(Type::Int32))
        } else {
            (to, Type::Int32)
        };
        self.implicit_way(b, right)?;
        let (a, b) = (self.convert(a.clone(), left), self.convert(b.clone(), right));
        let operation = Operation { op: kind, number: number_of(to), checked: false };
        if !lifted && let Some(folded) = self.fold_binary(operation, &a, &b, to, span) {
            return Some(folded);
        }
        let operands = Box::new((a.node, b.node));
        Some(if lifted {
            Expr::new(Node::Lifted(operation, operands, span), left, span)
        } else {
            Expr::new(Node::Binary(operation, operands, span), to, span)
        })
    }

    fn logical(&mut self, op: BinaryOp, kind: Op, a: &Expr, b: &Expr, span: Span) -> Expr {
        if a.ty == Type::Bool && b.ty == Type::Bool {
            return self.operation(kind, Type::Bool, Type::Bool, a, b, span);
        }
        let ty = types::nullable(Type::Bool);
        let operands = Box::new((a.node.clone(), b.node.clone()));
        let node = match op {
            BinaryOp::Xor => Node::Lifted(
                Operation { op: kind, number: Number::Bool, checked: false },
                operands,
                span,
            ),
            _ => Node::ThreeValued { or: op == BinaryOp::Or, operands },
        };
        Expr::new(node, ty, span)
    }

    /// Operators of enums (12.10.5, 12.12.6, 12.13.3).
    pub(super) fn enum_operator(&mut self, op: Op, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
        let (x, y) = (a.ty.without_null(), b.ty.without_null());
        let of = if x.is_enum() {
            x
        } else if y.is_enum() {
            y
        } else {
            return None;
        };
        let both = (x == of || self.implicit_way(a, with_null(of)).is_some())
            && (y == of || self.implicit_way(b, with_null(of)).is_some());
        match op {
            _ if op.is_comparison() && both => Some(self.operation(op, of, Type::Bool, a, b, span)),
            Op::And | Op::Or | Op::Xor if both => Some(self.operation(op, of, of, a, b, span)),
            Op::Add if x == y => None,
            Op::Add | Op::Subtract => {
                let lifted =
                    [a, b].iter().any(|it| matches!(it.ty, Type::Nullable(_) | Type::Null));
                let number = |it: &Expr| -> Option<Expr> {
                    let inner = it.ty.without_null();
                    if inner == Type::Null {
                        return Some(Expr { ty: types::nullable(Type::Int32), ..it.clone() });
                    }
                    let way = if inner.is_enum() {
                        standard_explicit(inner, Type::Int32, false)?
                    } else {
                        standard_implicit(inner, Type::Int32)?
                    };
                    Some(match way {
                        super::Way::Same => it.clone(),
                        super::Way::By(by) => Expr::new(
                            Node::Convert(by, Box::new(it.node.clone()), it.span),
                            Type::Int32,
                            it.span,
                        ),
                    })
                };
                let (m, n) = (number(a)?, number(b)?);
                let sum = self.operation(op, Type::Int32, Type::Int32, &m, &n, span);
                if op == Op::Subtract && x == y {
                    return Some(sum);
                }
                let def = clr::rows::definition(of.definition_name()?)?;
                let into = Conversion::ToEnum(def);
                let into = if lifted { Conversion::Lifted(Box::new(into)) } else { into };
                let node = Node::Convert(into, Box::new(sum.node), span);
                Some(Expr::new(node, if lifted { types::nullable(of) } else { of }, span))
            }
            _ => None,
        }
    }
}

pub(super) const fn op_of(op: BinaryOp) -> Option<Op> {
    Some(match op {
        BinaryOp::Add => Op::Add,
        BinaryOp::Subtract => Op::Subtract,
        BinaryOp::Multiply => Op::Multiply,
        BinaryOp::Divide => Op::Divide,
        BinaryOp::Remainder => Op::Remainder,
        BinaryOp::ShiftLeft => Op::ShiftLeft,
        BinaryOp::ShiftRight => Op::ShiftRight,
        BinaryOp::Less => Op::Less,
        BinaryOp::Greater => Op::Greater,
        BinaryOp::LessOrEqual => Op::LessOrEqual,
        BinaryOp::GreaterOrEqual => Op::GreaterOrEqual,
        BinaryOp::Equal => Op::Equal,
        BinaryOp::NotEqual => Op::NotEqual,
        BinaryOp::And => Op::And,
        BinaryOp::Xor => Op::Xor,
        BinaryOp::Or => Op::Or,
        _ => return None,
    })
}

pub(super) fn number_of(ty: Type) -> Number {
    match ty {
        Type::Int32 => Number::Int,
        Type::UInt32 => Number::UInt,
        Type::Int64 => Number::Long,
        Type::UInt64 => Number::ULong,
        Type::Single => Number::Single,
        Type::Double => Number::Double,
        Type::Decimal => Number::Decimal,
        Type::Bool => Number::Bool,
        _ if ty.is_enum() => Number::Enum,
        _ => Number::Other,
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn operands_are_promoted() {
        check(
            Form::Statements,
            &[
                ("byte a = 200, b = 100; return a + b;", "Int32: 300"),
                ("uint a = 1; int b = -2; return a + b;", "Int64: -1"),
                ("ulong a = 1; int b = 2; return a + b;", "PC0331"),
                ("return 1UL + 1;", "UInt64: 2"),
                ("return 1 << 33;", "Int32: 2"),
                ("bool? a = null; return a & false;", "Boolean: False"),
                ("return DayOfWeek.Monday + 1;", "DayOfWeek: Tuesday"),
            ],
        );
    }
}
