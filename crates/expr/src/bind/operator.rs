//! Operators.
//!
//! Source: C# specification, 12.4 and 12.8 to 12.15.

use super::conversion::{explicit, implicit, standard_explicit, standard_implicit, with_null};
use super::overload::{Argument, Signature};
use super::{Binder, Expr, codes};
use crate::ir::{Conversion, Node, Number, Op, Operation};
use crate::library::MemberKind;
use crate::syntax::ast::{self, BinaryOp, ExprKind, Literal, Span, UnaryOp};
use crate::types::{self, Type};
use crate::value::Value;

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
        let operands = [a, b];
        if !matches!((operands[0].ty, operands[1].ty), (Type::Null, Type::Null))
            && let Some(done) = self.user_operator(op.text(), &operands, span)
        {
            return done;
        }
        let [a, b] = operands;
        // After the operators that a type defines: `XNamespace + string` is a name.
        if op == BinaryOp::Add && (a.ty == Type::String || b.ty == Type::String) {
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

    fn no_binary(&mut self, op: BinaryOp, op_span: Span, a: &Expr, b: &Expr) {
        let text = op.text();
        let json = |it: Type| {
            it.is_reference() && explicit(it, Type::String, false).is_some() && it != Type::Object
        };
        let help = if a.ty == Type::String && b.ty.is_numeric() {
            Some(format!("parse the string first: `{}.Parse(...)`", b.ty))
        } else if b.ty == Type::String && a.ty.is_numeric() {
            Some(format!("parse the string first: `{}.Parse(...)`", a.ty))
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
        if let (Some(x), Some(y)) = (&a.constant, &b.constant)
            && !matches!(x, Value::Double(_) | Value::Single(_))
            && !matches!(y, Value::Double(_) | Value::Single(_))
        {
            let joined = x.to_str(self.options.runtime).concat(&y.to_str(self.options.runtime));
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

    /// An operator that a type defines.
    fn user_operator(&mut self, text: &str, operands: &[Expr], span: Span) -> Option<Expr> {
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
        self.lifted_user_operator(text, &signatures, operands, span)
    }

    /// A user-defined operator on nullable operands: null in, null (or false) out.
    fn lifted_user_operator(
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
        let to = self.promoted(a, b)?;
        if logical && matches!(to, Type::Single | Type::Double | Type::Decimal) {
            return None;
        }
        let result = if kind.is_comparison() { Type::Bool } else { to };
        Some(self.operation(kind, to, result, a, b, span))
    }

    /// The operation on operands converted to a type, lifted if one of them may be null.
    fn operation(
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
    fn promoted(&self, a: &Expr, b: &Expr) -> Option<Type> {
        let (x, y) = (a.ty.without_null(), b.ty.without_null());
        let numeric = |it: Type| it.is_numeric() || it == Type::Null;
        if !numeric(x) || !numeric(y) || (x == Type::Null && y == Type::Null) {
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
            _ if inner.is_integral() => Type::Int32,
            _ => return None,
        };
        let lifted = matches!(a.ty, Type::Nullable(_)) || matches!(b.ty, Type::Nullable(_));
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
    fn enum_operator(&mut self, op: Op, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
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
            Op::Add | Op::Subtract => {
                let number = |it: &Expr| -> Option<Expr> {
                    let inner = it.ty.without_null();
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
                let def = crate::library::definition(of.definition_name()?)?;
                let node = Node::Convert(Conversion::ToEnum(def), Box::new(sum.node), span);
                Some(Expr::new(node, of, span))
            }
            _ => None,
        }
    }

    /// Comparison of structs that have an order, when their type has no row for the operator.
    fn ordered_struct(&mut self, op: Op, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
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

    /// `==` and `!=` (12.12).
    fn equality(&mut self, op: BinaryOp, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
        let equal = op == BinaryOp::Equal;
        let kind = if equal { Op::Equal } else { Op::NotEqual };
        if a.ty == Type::Null && b.ty == Type::Null {
            return Some(Expr::constant(Value::Bool(equal), Type::Bool, span));
        }
        let pair = || Box::new((a.node.clone(), b.node.clone()));
        let string = |it: Type| matches!(it, Type::String | Type::Null);
        if string(a.ty) && string(b.ty) {
            if let (Some(Value::String(x)), Some(Value::String(y))) = (&a.constant, &b.constant) {
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
            let operand = if is_null(a) { b.node.clone() } else { a.node.clone() };
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

    fn reference_equality(&mut self, equal: bool, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
        let reference = |it: &Expr| it.ty.is_reference() || it.ty == Type::Null;
        if !reference(a) || !reference(b) {
            return None;
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

    fn short_circuit(
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

    fn coalesce(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
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
        if b.ty != Type::Null && (a.ty == Type::Null || implicit(inner, b.ty).is_some()) {
            let ty = b.ty;
            if a.ty == Type::Null {
                return Expr { span, ..b };
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

const fn unary_text(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Plus => "+",
        UnaryOp::Minus => "-",
        UnaryOp::Not => "!",
        UnaryOp::Complement => "~",
    }
}

const fn op_of(op: BinaryOp) -> Option<Op> {
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

fn number_of(ty: Type) -> Number {
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
