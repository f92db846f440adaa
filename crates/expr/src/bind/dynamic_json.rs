//! What Newtonsoft.Json's objects do of their own when they are `dynamic`.
//!
//! Each is written as an ordinary operation: a member of a `JObject` is an item by name, an operator
//! of a `JValue` compares it, or computes with what it holds.
//!
//! Source: `JObject.GetMetaObject` and `JValue.GetMetaObject` of Newtonsoft.Json 13.

use clr::types::{Type, names};
use csharp::ast::{
    self, Argument, ArgumentMode, BinaryOp, ExprKind, Literal, Name, Predefined, SimpleName, Span,
    TypeRef, TypeRefKind,
};

/// The operation as an ordinary one, if the first operand has its own way.
pub(super) fn rewritten(syntax: &ast::Expr, types: &[Type]) -> Option<ast::Expr> {
    let first = types.first()?;
    let span = syntax.span;
    match &syntax.kind {
        ExprKind::Member { name, .. } if first.is_named(names::JOBJECT) => Some(item(name, span)),
        ExprKind::Assign { op: None, target, value } if first.is_named(names::JOBJECT) => {
            let ExprKind::Member { name, .. } = &target.kind else { return None };
            let token = Type::named(names::JTOKEN);
            let is_token =
                types.last().is_some_and(|it| clr::rows::is_reference_convertible(*it, token));
            let value = Box::new(if is_token { (**value).clone() } else { token_of(value, span) });
            let target = Box::new(item(name, span));
            Some(expr(ExprKind::Assign { op: None, target, value }, span))
        }
        ExprKind::Binary { op, op_span, left, right } if first.is_named(names::JVALUE) => {
            let other_is_value = types.get(1).is_some_and(|it| it.is_named(names::JVALUE));
            if is_comparison(*op) {
                let compared = call(member(left, "CompareTo", span), cast_to_object(right, span));
                let zero = ast::IntegerSuffix::None;
                let zero =
                    expr(ExprKind::Literal(Literal::Integer { value: 0, suffix: zero }), span);
                return Some(binary(*op, *op_span, compared, zero));
            }
            let a = dynamic(member(left, "Value", span));
            let b = if other_is_value { member(right, "Value", span) } else { (**right).clone() };
            let computed = binary(*op, *op_span, a, dynamic(b));
            Some(token_of(&computed, span))
        }
        _ => None,
    }
}

/// Does the value convert as a cast does, where others convert implicitly?
pub(super) fn converts_by_cast(of: Type) -> bool {
    of.is_named(names::JVALUE)
}

fn expr(kind: ExprKind, span: Span) -> ast::Expr {
    ast::Expr { kind, span, parenthesised: false }
}

fn simple(text: &str, span: Span) -> SimpleName {
    SimpleName { name: Name { text: text.into(), span }, type_arguments: Vec::new() }
}

fn argument(value: ast::Expr) -> Argument {
    Argument { name: None, mode: ArgumentMode::Value, value }
}

/// `first["name"]`.
fn item(name: &SimpleName, span: Span) -> ast::Expr {
    let text = expr(ExprKind::Literal(Literal::String(name.name.text.clone())), span);
    let target = Box::new(super::late::name_of_operand(0, span));
    expr(ExprKind::Index { target, arguments: vec![argument(text)] }, span)
}

fn member(of: &ast::Expr, name: &str, span: Span) -> ast::Expr {
    expr(ExprKind::Member { target: Box::new(of.clone()), name: simple(name, span) }, span)
}

fn call(target: ast::Expr, value: ast::Expr) -> ast::Expr {
    let span = target.span;
    let arguments = vec![argument(value)];
    expr(ExprKind::Call { target: Box::new(target), arguments }, span)
}

fn binary(op: BinaryOp, op_span: Span, left: ast::Expr, right: ast::Expr) -> ast::Expr {
    let span = left.span;
    let (left, right) = (Box::new(left), Box::new(right));
    expr(ExprKind::Binary { op, op_span, left, right }, span)
}

fn cast_to_object(value: &ast::Expr, span: Span) -> ast::Expr {
    let ty = TypeRef { kind: TypeRefKind::Predefined(Predefined::Object), span };
    expr(ExprKind::Cast { ty, value: Box::new(value.clone()) }, span)
}

fn named(name: &str, span: Span) -> TypeRef {
    TypeRef { kind: TypeRefKind::Named(vec![simple(name, span)]), span }
}

fn dynamic(value: ast::Expr) -> ast::Expr {
    let span = value.span;
    expr(ExprKind::Cast { ty: named("dynamic", span), value: Box::new(value) }, span)
}

/// `new JValue((object)value)`.
fn token_of(value: &ast::Expr, span: Span) -> ast::Expr {
    let arguments = vec![argument(cast_to_object(value, span))];
    expr(ExprKind::New { ty: named("JValue", span), arguments, initializer: None }, span)
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    matches!(op, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual)
}

#[cfg(test)]
mod tests {
    use crate::bind::tests::beyond;

    #[test]
    fn members_of_an_object_are_items_and_values_compute() {
        beyond(&[
            ("dynamic o = JObject.Parse(\"{'s':'x'}\"); string s = o.s; return s;", "String: x"),
            ("dynamic o = JObject.Parse(\"{}\"); return o.missing == null;", "Boolean: True"),
            (
                "dynamic o = JObject.Parse(\"{'a':{'b':[1,2]}}\"); return (int)o.a.b[1] + 1;",
                "Int32: 3",
            ),
            (
                "dynamic o = new JObject(); o.n = \"x\"; o.l = new JArray(1, 2); o.z = null; return o.ToString(Formatting.None);",
                "String: {\"n\":\"x\",\"l\":[1,2],\"z\":null}",
            ),
            (
                "dynamic o = JObject.Parse(\"{'n':5}\"); return o.n == 5 && o.n > 4;",
                "Boolean: True",
            ),
            ("dynamic o = JObject.Parse(\"{'n':5}\"); return (int)(o.n + 2);", "Int32: 7"),
        ]);
    }
}
