//! Expressions: one function per form.

use clr::rows;
use clr::types::{self, Type};
use clr::value::Value;
use csharp::ast::{self, ExprKind, Span};
use dotnet::Str;

use super::names::Head;
use super::{Binder, Expr, Way, codes};
use crate::ir::Node;

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
            ExprKind::Tuple(elements) => self.tuple(elements, span),
            ExprKind::SizeOf(ty) => self.size_of(ty, span),
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
                if self.throw_at != std::ptr::from_ref(expr).addr() || expr.parenthesised {
                    self.report(
                        codes::NOT_A_VALUE,
                        span,
                        "`throw` has no value here",
                        "stands only after `??`, in `?:` and as the body of a lambda",
                        None,
                    );
                }
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

    /// `sizeof(T)`: a constant for simple types.
    fn size_of(&mut self, written: &ast::TypeRef, span: Span) -> Expr {
        let size = match self.type_of(written) {
            Type::Error => return Expr::error(span),
            Type::Bool | Type::Byte | Type::SByte => 1,
            Type::Char | Type::Int16 | Type::UInt16 => 2,
            Type::Int32 | Type::UInt32 | Type::Single => 4,
            Type::Int64 | Type::UInt64 | Type::Double => 8,
            Type::Decimal => 16,
            it if it.is_enum() => 4,
            it => {
                self.report(
                    codes::NOT_ALLOWED,
                    span,
                    format!("`{it}` has no fixed size"),
                    "not a simple type",
                    None,
                );
                return Expr::error(span);
            }
        };
        Expr::constant(Value::Int(size), Type::Int32, span)
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
        let value = Value::object(corelib::language::TypeObject(ty));
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
        let value = rows::default_value(ty);
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
            ExprKind::Tuple(elements) if matches!(to, Type::Tuple(of, _) if of.len() == elements.len()) =>
            {
                let of = if let Type::Tuple(of, _) = to { of } else { &[] };
                self.tuple_as(elements, of, to, expr.span)
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

    /// Lets the expression be a `throw`.
    pub(super) fn may_throw(&mut self, expr: &ast::Expr) {
        self.throw_at = std::ptr::from_ref(expr).addr();
    }

    /// Turns a way into a conversion for values that come at run time.
    pub(super) fn conversion_of(way: Way) -> Option<crate::ir::Conversion> {
        match way {
            Way::Same => None,
            Way::By(it) => Some(it),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn an_expression_must_have_a_value() {
        check(
            Form::Expression,
            &[
                ("Guid", "PC0335"),
                ("x => x", "PC0337"),
                ("default(int?)", "null: "),
                ("nameof(String.Length)", "String: Length"),
                ("typeof(string)", "PC0322"),
                ("checked(int.MaxValue - 1)", "Int32: 2147483646"),
            ],
        );
    }
}
