//! Method groups: methods that are named, not called.
//!
//! Source: C# specification, 10.8.

use clr::rows::{self, MemberKind};
use clr::types::Type;
use csharp::ast::{self, Argument, ArgumentMode, ExprKind, LambdaBody, Name, SimpleName, Span};

use super::lambda::Inferred;
use super::{Binder, Expr, codes};

impl Binder {
    /// Is the expression the name of a method that is not called?
    pub(super) fn is_method_group(&self, expr: &ast::Expr) -> bool {
        let ExprKind::Member { target, name, .. } = &expr.kind else { return false };
        let text = &*name.name.text;
        // `OidGroup.All` is no method, although `All` is one of others.
        if let ExprKind::Name(of) = &target.kind
            && rows::all()
                .any(|it| it.short_name() == &*of.name.text && it.enum_value(text).is_some())
        {
            return false;
        }
        let mut is_method = false;
        for member in rows::all().flat_map(|it| it.members).filter(|it| it.name == text) {
            match member.kind {
                MemberKind::Method | MemberKind::StaticMethod | MemberKind::Extension => {
                    is_method = true
                }
                _ => return false,
            }
        }
        is_method
    }

    /// The expression, if it is a method group.
    pub(super) fn method_group<'a>(&self, expr: &'a ast::Expr) -> Option<&'a ast::Expr> {
        self.is_method_group(expr).then_some(expr)
    }

    /// A method group is bound as the lambda that passes its parameters on.
    pub(super) fn group_as(&mut self, group: &ast::Expr, to: Type, span: Span) -> Expr {
        let Type::Func(signature) = to else {
            self.report(
                codes::NOT_A_VALUE,
                span,
                "a method without a call is no value",
                "a method",
                Some("call it: `...()`".to_owned()),
            );
            return Expr::error(span);
        };
        let count = signature.len().saturating_sub(1);
        let bound = self.lambda_as(&wrap(group, count), to);
        // Lambdas inside the wrapper have addresses that will be used again.
        self.inferred.clear();
        bound
    }

    pub(super) fn group_fits(&mut self, group: &ast::Expr, to: Type) -> bool {
        let Type::Func(signature) = to else { return false };
        let Some((result, inputs)) = signature.split_last() else { return false };
        self.group_try(group, inputs, Some(*result)).is_some()
    }

    pub(super) fn group_result(&mut self, group: &ast::Expr, inputs: &[Type]) -> Option<Type> {
        self.group_try(group, inputs, None)
    }

    fn group_try(&mut self, group: &ast::Expr, inputs: &[Type], result: Option<Type>) -> Inferred {
        let key = self.key(group, inputs, result);
        if let Some(known) = self.inferred.get(&key) {
            return *known;
        }
        let lambda = wrap(group, inputs.len());
        let ExprKind::Lambda { parameters, body } = &lambda.kind else { return None };
        let (found, ok) = self.speculate(|it| {
            it.bind_lambda(parameters.as_deref(), body, inputs, result, group.span).result
        });
        self.inferred.clear();
        let inferred = ok.then_some(found);
        self.inferred.insert(key, inferred);
        inferred
    }
}

/// `(p0, p1) => group(p0, p1)`.
fn wrap(group: &ast::Expr, count: usize) -> ast::Expr {
    let span = group.span;
    let name = |at: usize| Name { text: format!("<p{at}>").into(), span };
    let expr = |kind: ExprKind| ast::Expr { kind, span, parenthesised: false };
    let parameter = |at: usize| ast::Parameter {
        mode: ArgumentMode::Value,
        params: false,
        ty: None,
        name: name(at),
        default: None,
    };
    let argument = |at: usize| Argument {
        name: None,
        mode: ArgumentMode::Value,
        value: expr(ExprKind::Name(SimpleName { name: name(at), type_arguments: Vec::new() })),
    };
    let call = expr(ExprKind::Call {
        target: Box::new(group.clone()),
        arguments: (0..count).map(argument).collect(),
    });
    expr(ExprKind::Lambda {
        parameters: Some((0..count).map(parameter).collect()),
        body: Box::new(LambdaBody::Expression(call)),
    })
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn a_method_becomes_the_delegate_that_is_expected() {
        check(
            Form::Expression,
            &[("new[] {\"1\"}.Select(int.Parse).First()", "Int32: 1"), ("int.Parse", "PC0335")],
        );
    }
}
