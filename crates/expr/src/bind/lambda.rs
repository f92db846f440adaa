//! Lambdas and anonymous methods.
//!
//! Source: C# specification, 10.7 and 12.19.

use std::sync::Arc;

use clr::types::{self, Type};
use csharp::ast::{self, ArgumentMode, ExprKind, LambdaBody, Name, Span};

use super::captured::{Effect, Noted};
use super::conversion::best_common;
use super::flow::Flow;
use super::scope::Function;
use super::{Binder, Expr, codes};
use crate::ir::{Body, Capture, Code, Node};

/// Where a lambda stands, the types around it and of its parameters, and the result it must have.
pub(crate) type LambdaKey = (usize, Vec<Type>, Option<Type>);
/// The type of a lambda's result, or that its body cannot be bound.
pub(crate) type Inferred = Option<Type>;

/// A function that was bound.
pub(super) struct Bound {
    pub(super) code: Code,
    pub(super) captures: Box<[Capture]>,
    pub(super) result: Type,
    pub(super) effect: Effect,
}

/// How many levels a call counts beside the height of its body.
const CALL_LEVELS: u32 = 3;

impl Binder {
    /// Tries something without keeping its problems; the flag says that there were none.
    pub(super) fn speculate<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> (R, bool) {
        let (problems, warnings, errors) = (self.problems.len(), self.warnings.len(), self.errors);
        let (flow, uses, when) = (self.flow.clone(), self.uses, self.when.take());
        let scopes: Vec<usize> = self.scopes.iter().map(|it| it.variables.len()).collect();
        let result = f(self);
        let ok = self.errors == errors;
        if !ok && self.problems.len() > problems {
            self.failed = self.problems.get(problems).cloned();
        }
        self.problems.truncate(problems);
        self.warnings.truncate(warnings);
        self.errors = errors;
        self.flow = flow;
        self.uses = uses;
        self.when = when;
        self.scopes.truncate(scopes.len());
        for (scope, length) in self.scopes.iter_mut().zip(scopes) {
            scope.variables.truncate(length);
        }
        (result, ok)
    }

    /// The written types of a lambda's parameters, if all are written.
    pub(super) fn lambda_parameter_types(&mut self, lambda: &ast::Expr) -> Option<Vec<Type>> {
        let ExprKind::Lambda { parameters: Some(parameters), .. } = &lambda.kind else {
            return None;
        };
        if parameters.is_empty() {
            return None;
        }
        let (types, ok) = self.speculate(|it| {
            parameters.iter().map(|own| own.ty.as_ref().map(|ty| it.type_of(ty))).collect()
        });
        if ok { types } else { None }
    }

    /// Could the lambda become a value of the type?
    pub(super) fn lambda_fits(&mut self, lambda: &ast::Expr, to: Type) -> bool {
        let Type::Func(signature) = to else { return false };
        let Some((result, inputs)) = signature.split_last() else { return false };
        self.lambda_try(lambda, inputs, Some(*result)).is_some()
    }

    /// The type of a lambda's result for parameter types; `None` if the body cannot be bound.
    pub(super) fn lambda_result(&mut self, lambda: &ast::Expr, inputs: &[Type]) -> Option<Type> {
        self.lambda_try(lambda, inputs, None)
    }

    fn lambda_try(
        &mut self,
        lambda: &ast::Expr,
        inputs: &[Type],
        result: Option<Type>,
    ) -> Inferred {
        let ExprKind::Lambda { parameters, body } = &lambda.kind else { return None };
        if parameters.as_ref().is_some_and(|it| it.len() != inputs.len()) {
            return None;
        }
        let key = self.key(lambda, inputs, result);
        if let Some(known) = self.inferred.get(&key) {
            return *known;
        }
        let (found, ok) = self.speculate(|it| {
            it.bind_lambda(parameters.as_deref(), body, inputs, result, lambda.span).result
        });
        let inferred = ok.then_some(found);
        self.inferred.insert(key, inferred);
        inferred
    }

    pub(super) fn key(&self, at: &ast::Expr, inputs: &[Type], result: Option<Type>) -> LambdaKey {
        let generic = self.type_parameters.iter().map(|(_, ty)| *ty);
        let context = self.context.iter().copied().chain(generic);
        (std::ptr::from_ref(at).addr(), context.chain(inputs.iter().copied()).collect(), result)
    }

    /// Binds a lambda for good.
    pub(super) fn lambda_as(&mut self, lambda: &ast::Expr, to: Type) -> Expr {
        let span = lambda.span;
        let ExprKind::Lambda { parameters, body } = &lambda.kind else { return Expr::error(span) };
        let Type::Func(signature) = to else {
            if to != Type::Error {
                self.report(
                    codes::NO_CONVERSION,
                    span,
                    format!("a lambda cannot become a value of type `{to}`, which is no delegate"),
                    format!("expected `{to}`"),
                    None,
                );
            }
            return Expr::error(span);
        };
        let Some((result, inputs)) = signature.split_last() else { return Expr::error(span) };
        if let Some(own) = parameters
            && own.len() != inputs.len()
        {
            self.report(
                codes::NO_CONVERSION,
                span,
                format!("`{to}` takes {} parameters, the lambda has {}", inputs.len(), own.len()),
                "wrong number of parameters",
                None,
            );
            return Expr::error(span);
        }
        let bound = self.bind_lambda(parameters.as_deref(), body, inputs, Some(*result), span);
        let code = Code { signature: to.erased(), ..bound.code };
        Expr::new(Node::Lambda(Arc::new(code), bound.captures), to, span)
    }

    pub(super) fn bind_lambda(
        &mut self,
        parameters: Option<&[ast::Parameter]>,
        body: &LambdaBody,
        inputs: &[Type],
        result: Option<Type>,
        span: Span,
    ) -> Bound {
        let mut named: Vec<(Name, Type)> = Vec::new();
        let modes: Vec<ArgumentMode> =
            parameters.iter().flat_map(|all| all.iter().map(|it| it.mode)).collect();
        for (at, ty) in inputs.iter().enumerate() {
            let Some(own) = parameters.map(|all| all.get(at)) else {
                named.push((Name { text: format!("<{at}>").into(), span }, *ty));
                continue;
            };
            let Some(own) = own else { continue };
            if let Some(written) = &own.ty {
                let written_ty = self.type_of(written);
                if written_ty != *ty && written_ty != Type::Error && *ty != Type::Error {
                    self.report(
                        codes::NO_CONVERSION,
                        written.span,
                        format!("the parameter is `{written_ty}`, but `{ty}` is passed"),
                        format!("expected `{ty}`"),
                        None,
                    );
                }
            }
            named.push((own.name.clone(), *ty));
        }
        self.context.extend_from_slice(inputs);
        let bound = self.bind_function(&named, &modes, body, result, span, None);
        self.context.truncate(self.context.len() - inputs.len());
        bound
    }

    /// Binds the body of a lambda, or of the local function that is given.
    pub(super) fn bind_function(
        &mut self,
        parameters: &[(Name, Type)],
        modes: &[ArgumentMode],
        body: &LambdaBody,
        result: Option<Type>,
        span: Span,
        of: Option<&ast::LocalFunction>,
    ) -> Bound {
        let yields = of.and_then(|it| self.yields(it, result.unwrap_or(Type::Void)));
        let (before, nesting) = (self.flow.clone(), std::mem::take(&mut self.nesting));
        let receivers = std::mem::take(&mut self.receivers);
        let inner = if yields.is_some() { Some(Type::Void) } else { result };
        let noted = of.map(|_| Noted::default());
        self.functions.push(Function { result: inner, yields, noted, ..Function::default() });
        self.enter();
        if of.is_some() {
            self.flow = Flow::start();
        }
        let modes = modes.iter().copied().chain(std::iter::repeat(ArgumentMode::Value));
        let mut references = Vec::new();
        for ((name, ty), mode) in parameters.iter().zip(modes) {
            let by_reference = if let Type::Out(inner) = ty { Some(**inner) } else { None };
            let id = self.declare(name, by_reference.unwrap_or(*ty));
            if by_reference.is_some() {
                references.push(self.slot_of(id));
            }
            if mode == ArgumentMode::In
                && let Some(own) = self.variables.get_mut(id)
            {
                own.read_only = Some("a variable that can only be read");
            }
            if mode == ArgumentMode::Out {
                self.function().outs.push(id);
            } else {
                self.flow.assign(id);
            }
        }
        let (body, found) = match body {
            LambdaBody::Expression(expr) => {
                let bound = self.lambda_expression(expr, inner);
                (Body::Expression(bound.node), bound.ty)
            }
            LambdaBody::Block(block) => self.lambda_block(block, inner, span),
        };
        self.exit_function(span);
        let body = match yields {
            Some(yields) => Self::iterator_body(yields, body),
            None => body,
        };
        let cells = self.leave();
        let function = self.functions.pop().unwrap_or_default();
        self.flow = before;
        self.nesting = nesting;
        self.receivers = receivers;
        let result = result.unwrap_or(found);
        let signature: Vec<Type> = parameters.iter().map(|(_, ty)| *ty).chain([result]).collect();
        let noted = function.noted.unwrap_or_default();
        let effect = self.effect(&noted, self.functions.len());
        let code = Code {
            signature: types::func(&signature).erased(),
            slots: function.slots,
            height: function.height + CALL_LEVELS,
            references: references.into_boxed_slice(),
            cells,
            body,
        };
        let captures = function.captures.into_iter().map(|(_, it)| it).collect();
        Bound { code, captures, result, effect }
    }

    /// Notes the state at a `return`, or at the end; `out` parameters have a value there.
    pub(super) fn exit_function(&mut self, span: Span) {
        if !self.flow.reachable {
            return;
        }
        let flow = self.flow.clone();
        let outs = self.function().outs.clone();
        for id in outs.into_iter().filter(|it| !flow.is_assigned(*it)) {
            let name = self.variables.get(id).map_or(String::new(), |it| it.name.clone());
            self.report(
                codes::UNASSIGNED,
                span,
                format!("`{name}` must be given a value before the function returns"),
                "not on every path",
                Some(format!("assign `{name}` at the start")),
            );
        }
        if let Some(noted) = &mut self.function().noted {
            noted.exit(flow);
        }
    }

    fn lambda_expression(&mut self, expr: &ast::Expr, result: Option<Type>) -> Expr {
        self.may_throw(expr);
        match result {
            Some(Type::Void) => {
                let bound = self.value(expr);
                if !is_statement(expr) && bound.ty != Type::Error {
                    self.report(
                        codes::NOT_A_VALUE,
                        expr.span,
                        "only calls, assignments and `new` can stand as statements",
                        "its value is not used",
                        None,
                    );
                }
                bound
            }
            Some(to) => self.value_as(expr, to),
            None => self.value(expr),
        }
    }

    fn lambda_block(
        &mut self,
        block: &ast::Block,
        result: Option<Type>,
        span: Span,
    ) -> (Body, Type) {
        let statements = self.statements(&block.statements);
        let falls_out = self.flow.reachable;
        let function = self.function();
        let (returned, nothing) =
            (std::mem::take(&mut function.returned), function.returns_nothing);
        let found = if returned.is_empty() {
            if falls_out || nothing { Type::Void } else { Type::Null }
        } else {
            match best_common(&returned) {
                Some(it) => it,
                None if returned.iter().all(|it| *it == Type::Null) => Type::Null,
                None => {
                    self.report(
                        codes::NO_INFERENCE,
                        span,
                        "the lambda returns values of different types",
                        "no common type",
                        None,
                    );
                    Type::Error
                }
            }
        };
        let returns_value = result.map_or(found != Type::Void, |it| it != Type::Void);
        if falls_out && returns_value {
            let end = Span { start: block.span.end.saturating_sub(1), end: block.span.end };
            self.report(
                codes::NO_RETURN,
                end,
                "not all code paths of the function return a value",
                "control can get here",
                Some("end every path with `return` or `throw`".to_owned()),
            );
        }
        (Body::Block(statements.into_boxed_slice()), found)
    }
}

/// May the expression stand as a statement?
pub(super) fn is_statement(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ExprKind::Call { .. }
        | ExprKind::Assign { .. }
        | ExprKind::Step { .. }
        | ExprKind::New { .. }
        | ExprKind::Throw(_) => true,
        ExprKind::ConditionalAccess { rest, .. } => is_statement(rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn lambdas_take_their_types_from_where_they_stand() {
        check(
            Form::Statements,
            &[
                ("Func<int, int> f = x => x + 1; return f(2);", "Int32: 3"),
                (
                    "Func<int> f = () => { throw new Exception(\"e\"); }; return f();",
                    "System.Exception",
                ),
                ("Func<int, bool> f = x => x; return f(1);", "PC0330"),
                ("Func<int> f = () => { }; return f();", "PC0341"),
                ("Action<int> f = (a, b) => { }; return 1;", "PC0330"),
            ],
        );
    }
}
