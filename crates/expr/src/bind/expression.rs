//! Expressions: one function per form.

use super::conversion::{best_common, explicit, with_null};
use super::names::Head;
use super::{Binder, Expr, Way, codes};
use crate::ir::Node;
use crate::library;
use crate::string::Str;
use crate::syntax::ast::{self, ExprKind, IntegerSuffix, Literal, Span};
use crate::types::{self, Type};
use crate::value::Value;

impl Binder {
    /// Binds an expression that must have a value (or be `void`).
    pub(super) fn value(&mut self, expr: &ast::Expr) -> Expr {
        if !self.work(expr.span) {
            return Expr::error(expr.span);
        }
        self.deeper();
        let bound = self.form(expr);
        self.nesting -= 1;
        let keeps = matches!(
            expr.kind,
            ExprKind::Binary { op: ast::BinaryOp::AndAlso | ast::BinaryOp::OrElse, .. }
                | ExprKind::Unary { op: ast::UnaryOp::Not, .. }
                | ExprKind::Is { .. }
                | ExprKind::Checked { .. }
                | ExprKind::Conditional { .. }
        );
        if let Some(Value::Bool(it)) = bound.constant {
            let (yes, no) = (self.flow.clone(), self.flow.unreachable());
            self.when = Some(if it { (yes, no) } else { (no, yes) });
        } else if !keeps {
            self.when = None;
        }
        bound
    }

    /// One level deeper; undone by taking one from `nesting`.
    pub(super) fn deeper(&mut self) {
        self.nesting += 1;
        let nesting = self.nesting;
        let function = self.function();
        function.height = function.height.max(nesting);
    }

    /// A condition: its node, and the states if it is true and false.
    pub(super) fn condition(&mut self, expr: &ast::Expr) -> (Expr, super::Flow, super::Flow) {
        let bound = self.value(expr);
        let when = self.when.take();
        let bound = self.convert(bound, Type::Bool);
        let (yes, no) = when.unwrap_or_else(|| (self.flow.clone(), self.flow.clone()));
        (bound, yes, no)
    }

    fn form(&mut self, expr: &ast::Expr) -> Expr {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Literal(it) => self.literal(it, span),
            ExprKind::Interpolated(parts) => self.interpolated(parts, span),
            ExprKind::Name(_) | ExprKind::Predefined(_) => match self.head(expr) {
                Head::Value(it) => it,
                Head::Error => Expr::error(span),
                Head::Type(_) | Head::Namespace(_) => self.not_a_value(span),
            },
            ExprKind::Member { target, name } => match self.head(target) {
                Head::Value(it) => self.member_value(it, name, span),
                Head::Type(of) => self.static_value(of, name, span),
                Head::Namespace(_) => match self.head(expr) {
                    Head::Value(it) => it,
                    Head::Error => Expr::error(span),
                    _ => self.not_a_value(span),
                },
                Head::Error => Expr::error(span),
            },
            ExprKind::ConditionalAccess { target, rest } => {
                self.conditional_access(target, rest, span)
            }
            ExprKind::Receiver => match self.receivers.last() {
                Some((slot, ty)) => Expr::new(Node::Local(*slot), *ty, span),
                None => Expr::error(span),
            },
            ExprKind::Call { target, arguments } => self.call(target, arguments, span),
            ExprKind::Index { target, arguments } => self.index(target, arguments, span),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, span),
            ExprKind::Binary { op, op_span, left, right } => {
                self.binary(*op, *op_span, left, right, span)
            }
            ExprKind::Assign { op, target, value } => self.assign(*op, target, value, span),
            ExprKind::Step { target, up, prefix } => self.step(target, *up, *prefix, span),
            ExprKind::Conditional { condition, then, otherwise } => {
                self.conditional(condition, then, otherwise, span)
            }
            ExprKind::Cast { ty, value } => self.cast(ty, value, span),
            ExprKind::As { value, ty } => self.as_type(value, ty, span),
            ExprKind::Is { value, pattern } => self.is_pattern(value, pattern, span),
            ExprKind::Lambda { .. } => {
                self.report(
                    codes::NO_TYPE,
                    span,
                    "a lambda needs a delegate type",
                    "its type cannot be told from here",
                    Some("declare it with its type: `Func<int, int> f = x => ...;`".to_owned()),
                );
                Expr::error(span)
            }
            ExprKind::New { ty, arguments, initializer } => {
                self.new_object(ty, arguments, initializer.as_ref(), span)
            }
            ExprKind::NewAnonymous(members) => self.new_anonymous(members, span),
            ExprKind::NewArray(it) => self.new_array(it, span),
            ExprKind::ArrayInitializer(_) => {
                self.report(
                    codes::NO_TYPE,
                    span,
                    "an array initialiser needs the type of its array",
                    "expected an expression",
                    Some("write `new[] { ... }`".to_owned()),
                );
                Expr::error(span)
            }
            ExprKind::Default(Some(ty)) => {
                let ty = self.type_of(ty);
                Self::default_of(ty, span)
            }
            ExprKind::Default(None) => {
                self.report(
                    codes::NO_TYPE,
                    span,
                    "the type of `default` cannot be told from here",
                    "no type",
                    Some("write `default(T)`".to_owned()),
                );
                Expr::error(span)
            }
            ExprKind::TypeOf(ty) => self.type_object(ty.as_ref(), span),
            ExprKind::NameOf(_, name) => {
                Expr::constant(Value::String(Str::from(&**name)), Type::String, span)
            }
            ExprKind::Checked { checked, value } => {
                let before = (self.checked, self.explicitly_unchecked);
                (self.checked, self.explicitly_unchecked) = (*checked, !*checked);
                let bound = self.value(value);
                (self.checked, self.explicitly_unchecked) = before;
                bound
            }
            ExprKind::Throw(value) => {
                let node = self.thrown(value);
                self.flow = self.flow.unreachable();
                Expr::new(Node::Throw(Box::new(node.node), span), Type::Null, span)
            }
            ExprKind::Declaration { .. } => {
                self.report(
                    codes::NOT_A_VALUE,
                    span,
                    "a declaration is no value",
                    "only after `out`",
                    None,
                );
                Expr::error(span)
            }
            ExprKind::Missing => Expr::error(span),
        }
    }

    /// `typeof(T)`: `System.Type` is not on the allow-list, but `Enum.Parse` needs it of enums.
    fn type_object(&mut self, written: Option<&ast::TypeRef>, span: Span) -> Expr {
        let ty = written.map_or(Type::Void, |it| self.type_of(it));
        if ty == Type::Error {
            return Expr::error(span);
        }
        if !ty.is_enum() && !self.options.allow_unlisted {
            self.report(
                codes::NOT_ALLOWED,
                span,
                "`typeof` is not allowed in policy expressions, except of enums",
                "type `System.Type` is not on the list of allowed types",
                None,
            );
            return Expr::error(span);
        }
        let value = Value::object(library::core::object::TypeObject(ty));
        Expr::new(Node::Const(value), Type::named(types::names::TYPE), span)
    }

    pub(super) fn not_a_value(&mut self, span: Span) -> Expr {
        self.report(
            codes::NOT_A_VALUE,
            span,
            "a type or namespace is no value",
            "expected a value",
            Some("name one of its members".to_owned()),
        );
        Expr::error(span)
    }

    pub(super) fn default_of(ty: Type, span: Span) -> Expr {
        let value = library::default_value(ty);
        if ty.is_simple() || ty.is_enum() {
            return Expr::constant(value, ty, span);
        }
        Expr::new(Node::Const(value), ty, span)
    }

    /// The exception after `throw`.
    pub(super) fn thrown(&mut self, value: &ast::Expr) -> Expr {
        let bound = self.value(value);
        let exception = Type::named(types::names::EXCEPTION);
        if bound.ty == Type::Null { bound } else { self.convert(bound, exception) }
    }

    fn literal(&mut self, literal: &Literal, span: Span) -> Expr {
        let (value, ty) = match literal {
            Literal::Null => return Expr::new(Node::Const(Value::Null), Type::Null, span),
            Literal::Bool(it) => (Value::Bool(*it), Type::Bool),
            Literal::Integer { value, suffix } => integer(*value, *suffix),
            Literal::Double(it) => (Value::Double(*it), Type::Double),
            Literal::Float(it) => (Value::Single(*it), Type::Single),
            Literal::Decimal(text) => match super::fold::decimal(text) {
                Some(it) => (Value::Decimal(it), Type::Decimal),
                None => {
                    self.report(
                        codes::CONSTANT,
                        span,
                        "the number does not fit `decimal`",
                        "too large",
                        None,
                    );
                    return Expr::error(span);
                }
            },
            Literal::Char(it) => (Value::Char(*it), Type::Char),
            Literal::String(it) => (Value::String(Str::from(&**it)), Type::String),
            Literal::Units(it) => (Value::String(Str::from_units(it)), Type::String),
        };
        Expr::constant(value, ty, span)
    }

    fn interpolated(&mut self, parts: &[ast::InterpolatedPart], span: Span) -> Expr {
        let mut nodes = Vec::new();
        for part in parts {
            match part {
                ast::InterpolatedPart::Text(text) => nodes.push(self.literal(text, span).node),
                ast::InterpolatedPart::Hole { value, alignment, format } => {
                    let bound = self.value(value);
                    self.require_value(&bound);
                    let alignment = alignment.as_ref().map_or(0, |it| self.alignment(it));
                    nodes.push(Node::Format {
                        value: Box::new(bound.node),
                        alignment,
                        format: format.clone(),
                    });
                }
            }
        }
        Expr::new(Node::Concat(nodes.into_boxed_slice()), Type::String, span)
    }

    fn alignment(&mut self, expr: &ast::Expr) -> i32 {
        let bound = self.value(expr);
        let bound = self.convert(bound, Type::Int32);
        match bound.constant {
            Some(Value::Int(it)) => it,
            _ if bound.ty == Type::Error => 0,
            _ => {
                self.report(
                    codes::CONSTANT,
                    bound.span,
                    "the alignment must be a constant",
                    "not a constant",
                    None,
                );
                0
            }
        }
    }

    /// Reports it if there is no value.
    pub(super) fn require_value(&mut self, bound: &Expr) {
        if bound.ty == Type::Void {
            self.report(
                codes::NOT_A_VALUE,
                bound.span,
                "the call has no value",
                "returns nothing (`void`)",
                None,
            );
        }
    }

    fn conditional_access(&mut self, target: &ast::Expr, rest: &ast::Expr, span: Span) -> Expr {
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

    fn conditional(
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
        let (a, b) = (self.convert(a, ty), self.convert(b, ty));
        if let (Some(test), Some(x), Some(y)) = (&condition.constant, &a.constant, &b.constant) {
            let value = if test.as_bool() == Some(true) { x } else { y };
            return Expr::constant(value.clone(), ty, span);
        }
        Expr::new(Node::Conditional(Box::new((condition.node, a.node, b.node))), ty, span)
    }

    /// A branch of `?:`; `default` takes the type of the other one later.
    fn branch(&mut self, expr: &ast::Expr) -> Expr {
        let bound = if matches!(expr.kind, ExprKind::Default(None)) {
            Expr::new(Node::Const(Value::Null), Type::Null, expr.span)
        } else {
            self.value(expr)
        };
        self.require_value(&bound);
        bound
    }

    fn common_branch_type(&self, a: &Expr, b: &Expr) -> Option<Type> {
        if a.ty == Type::Error || b.ty == Type::Error {
            return Some(Type::Error);
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

    fn cast(&mut self, written: &ast::TypeRef, value: &ast::Expr, span: Span) -> Expr {
        let ty = self.type_of(written);
        if self.is_untyped(value) {
            return self.value_as(value, ty);
        }
        let bound = self.value(value);
        if ty == Type::Error || bound.ty == Type::Error {
            return Expr { span, ..Expr::error(span) };
        }
        if bound.is_null_literal() || bound.ty == Type::Void {
            return Expr { span, ..self.convert(bound, ty) };
        }
        if let Some(way) = self.implicit_way(&bound, ty) {
            return Expr { span, ..self.apply_way(bound, way, ty) };
        }
        if let Some(value) = &bound.constant
            && bound.ty.is_numeric()
            && ty.is_numeric()
        {
            match crate::evaluate::convert::numeric(value, ty, !self.explicitly_unchecked) {
                Ok(value) => return Expr::constant(value, ty, span),
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

    fn as_type(&mut self, value: &ast::Expr, written: &ast::TypeRef, span: Span) -> Expr {
        let bound = self.value(value);
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
        Expr::new(Node::As(ty, Box::new(bound.node)), ty, span)
    }

    /// Has the expression no type of its own: lambda, `default`, a method group?
    pub(super) fn is_untyped(&self, expr: &ast::Expr) -> bool {
        matches!(
            expr.kind,
            ExprKind::Lambda { .. } | ExprKind::Default(None) | ExprKind::ArrayInitializer(_)
        )
    }

    /// Binds an expression where a type is expected, and converts it.
    pub(super) fn value_as(&mut self, expr: &ast::Expr, to: Type) -> Expr {
        match &expr.kind {
            ExprKind::Lambda { .. } => self.lambda_as(expr, to),
            ExprKind::Default(None) => Self::default_of(to, expr.span),
            ExprKind::ArrayInitializer(items) => self.array_initializer(items, to, expr.span),
            ExprKind::Throw(_) => {
                let bound = self.value(expr);
                Expr { ty: to, ..bound }
            }
            _ => {
                if let Type::Func(_) = to
                    && let Some(group) = self.method_group(expr)
                {
                    return self.group_as(group, to, expr.span);
                }
                let bound = self.value(expr);
                self.convert(bound, to)
            }
        }
    }

    /// Turns a way into a conversion for values that come at run time.
    pub(super) fn conversion_of(way: Way) -> Option<crate::ir::Conversion> {
        match way {
            Way::Same => None,
            Way::By(it) => Some(it),
        }
    }
}

/// The first of the suffix's types that holds the number.
fn integer(value: u64, suffix: IntegerSuffix) -> (Value, Type) {
    let unsigned = matches!(suffix, IntegerSuffix::U | IntegerSuffix::Ul);
    let long = matches!(suffix, IntegerSuffix::L | IntegerSuffix::Ul);
    match (i32::try_from(value), u32::try_from(value), i64::try_from(value)) {
        (Ok(it), ..) if !unsigned && !long => (Value::Int(it), Type::Int32),
        (_, Ok(it), _) if !long => (Value::UInt(it), Type::UInt32),
        (.., Ok(it)) if !unsigned => (Value::Long(it), Type::Int64),
        _ => (Value::ULong(value), Type::UInt64),
    }
}
