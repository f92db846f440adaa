//! Local functions, generic ones included.
//!
//! A local function is a variable that holds a delegate. A generic one is bound anew for each call,
//! with its type parameters replaced.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use clr::rows::Constant;
use clr::types::{self, Type};
use clr::value::Value;
use csharp::ast::{self, Name, Span};

use super::captured::Effect;
use super::overload::{Argument, Param, Signature};
use super::{Binder, Expr, codes};
use crate::ir::{Node, Stmt};

/// How deep generic local functions may call one another.
const MAX_INSTANCES: usize = 8;

/// What is known of a local function.
#[derive(Debug)]
pub(crate) struct LocalFunction {
    ast: ast::LocalFunction,
    params: Vec<Param>,
    returns: Type,
    effect: RefCell<Effect>,
}

impl Binder {
    /// Makes the names of a block's local functions known.
    pub(super) fn declare_functions(&mut self, statements: &[ast::Stmt]) {
        for statement in statements {
            let ast::StmtKind::LocalFunction(it) = &statement.kind else { continue };
            let generics: Vec<(String, Type)> = (0_u8..)
                .zip(&it.type_parameters)
                .map(|(at, name)| (name.text.to_string(), Type::MethodArg(at)))
                .collect();
            let before = self.type_parameters.len();
            self.type_parameters.extend(generics);
            let params: Vec<Param> = it.parameters.iter().map(|own| self.parameter(own)).collect();
            let returns = it.result.as_ref().map_or(Type::Void, |ty| self.type_of(ty));
            self.type_parameters.truncate(before);
            let signature: Vec<Type> =
                params.iter().map(|it| plain(it.ty)).chain([returns]).collect();
            let ty =
                if it.type_parameters.is_empty() { types::func(&signature) } else { Type::Error };
            let id = self.declare(&it.name, ty);
            self.flow.assign(id);
            self.local_functions.push(Rc::new(LocalFunction {
                ast: (**it).clone(),
                params,
                returns,
                effect: RefCell::default(),
            }));
            let index = self.local_functions.len() - 1;
            if let Some(variable) = self.variables.get_mut(id) {
                variable.local_function = Some(index);
            }
        }
    }

    fn parameter(&mut self, own: &ast::Parameter) -> Param {
        let ty = own.ty.as_ref().map_or(Type::Error, |ty| self.type_of(ty));
        let default = own.default.as_ref().map(|it| self.default_constant(it, ty));
        let by_reference = matches!(own.mode, ast::ArgumentMode::Ref | ast::ArgumentMode::Out);
        let ty = match ty {
            Type::Array(item) if own.params => Type::Params(item),
            other if by_reference => Type::Out(types::intern(other)),
            other => other,
        };
        Param { name: own.name.text.to_string(), ty, default }
    }

    fn default_constant(&mut self, expr: &ast::Expr, ty: Type) -> Constant {
        let bound = self.value_as(expr, ty);
        match bound.constant {
            Some(Value::Bool(it)) => Constant::Bool(it),
            Some(Value::Char(it)) => Constant::Char(it),
            Some(Value::Double(it)) => Constant::Float(it),
            Some(Value::String(it)) => Constant::Text(types::leak_text(it.as_str())),
            Some(other) => other.as_i64().map_or(Constant::Default, Constant::Integer),
            None => Constant::Default,
        }
    }

    /// Binds a local function where it stands; the statement goes to the start of the block.
    pub(super) fn local_function(&mut self, it: &ast::LocalFunction, span: Span) -> Option<Stmt> {
        let id = self.find_variable(&it.name.text)?;
        let index = self.variables.get(id)?.local_function?;
        let function = Rc::clone(self.local_functions.get(index)?);
        if !it.type_parameters.is_empty() {
            return None;
        }
        let (node, effect) = self.instance(&function, &[], span);
        function.effect.replace(effect);
        let slot = self.slot_of(id);
        Some(Stmt::Expression(Node::SetLocal(slot, Box::new(node))))
    }

    /// What a local function does with the variables around it.
    pub(super) fn effect_of(&mut self, index: usize, span: Span) -> Effect {
        let Some(function) = self.local_functions.get(index).map(Rc::clone) else {
            return Effect::Unknown;
        };
        let known = function.effect.borrow().clone();
        if !matches!(known, Effect::Unknown) || !function.ast.type_parameters.is_empty() {
            return known;
        }
        function.effect.replace(Effect::Underway);
        let (effect, _) = self.speculate(|it| it.instance(&function, &[], span).1);
        function.effect.replace(effect.clone());
        effect
    }

    fn instance(
        &mut self,
        function: &LocalFunction,
        of: &[Option<Type>],
        span: Span,
    ) -> (Node, Effect) {
        let params: Vec<(Name, Type)> = function
            .ast
            .parameters
            .iter()
            .zip(&function.params)
            .map(|(own, param)| (own.name.clone(), plain(param.ty.substitute(&[], of))))
            .collect();
        let inputs: Vec<Type> = params.iter().map(|(_, ty)| *ty).collect();
        self.context.extend_from_slice(&inputs);
        let result = function.returns.substitute(&[], of);
        let (body, own) = (&function.ast.body, Some(&function.ast));
        let modes: Vec<_> = function.ast.parameters.iter().map(|it| it.mode).collect();
        let bound = self.bind_function(&params, &modes, body, Some(result), span, own);
        self.context.truncate(self.context.len() - inputs.len());
        (Node::Lambda(Arc::new(bound.code), bound.captures), bound.effect)
    }

    /// The value of a variable, which may be a local function.
    pub(super) fn variable_value(&mut self, id: usize, span: Span) -> Expr {
        self.read_variable(id, span)
    }

    /// Calls a variable: a delegate, or a local function with its own rules for arguments.
    pub(super) fn call_variable(
        &mut self,
        id: usize,
        name: &ast::SimpleName,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Expr {
        let arguments = self.arguments(arguments);
        let function = self
            .variables
            .get(id)
            .and_then(|it| it.local_function)
            .and_then(|at| self.local_functions.get(at))
            .map(Rc::clone);
        let Some(function) = function else {
            let target = self.read_variable(id, name.name.span);
            return self.invoke(target, &arguments, span);
        };
        if arguments.iter().any(Argument::is_error) {
            return Expr::error(span);
        }
        let type_arguments: Vec<Type> =
            name.type_arguments.iter().map(|it| self.type_of(it)).collect();
        let signatures = [Signature {
            params: function.params.clone(),
            returns: function.returns,
            generics: function.ast.type_parameters.len(),
            depth: 0,
            found: None,
            text: format!("{} {}(...)", function.returns, function.ast.name.text),
        }];
        let fit = match self.resolve(&signatures, &type_arguments, &arguments) {
            Ok(fit) => fit,
            Err(why) => {
                self.report_no_overload(&name.name.text, &signatures, &arguments, &why, span);
                return Expr::error(span);
            }
        };
        let of: Vec<Option<Type>> = fit.of_method.iter().copied().map(Some).collect();
        let returns = function.returns.substitute(&[], &of);
        let mut passed = self.pass(&fit, &signatures, &arguments);
        let mut after = Vec::new();
        for (at, store, slot) in std::mem::take(&mut passed.outs) {
            let Some(it) = passed.args.get_mut(at) else { continue };
            *it = match (store, std::mem::replace(it, Node::Reference(slot))) {
                (Node::SetLocal(target, value), _) if matches!(*value, Node::Local(own) if own == slot) => {
                    Node::Reference(target)
                }
                // A part of something: it has a variable while the call lasts.
                (store, Node::Sequence(before)) => {
                    after.push(store);
                    let mut before = before.into_vec();
                    before.pop();
                    before.push(Node::Reference(slot));
                    Node::Sequence(before.into_boxed_slice())
                }
                (_, _) => Node::Reference(slot),
            };
        }
        passed.settle();
        let target = if of.is_empty() {
            self.read_variable(id, name.name.span).node
        } else {
            self.generic_instance(&function, &of, span)
        };
        if let Some(index) = self.variables.get(id).and_then(|it| it.local_function) {
            let effect = self.effect_of(index, span);
            self.after_call(&effect);
        }
        let call = Node::Invoke(Box::new(target), passed.args, span);
        if after.is_empty() {
            return Expr::new(call, returns, span);
        }
        // What it wrote before it threw is written.
        Expr::new(Node::Finally(Box::new(call), after.into_boxed_slice()), returns, span)
    }

    fn generic_instance(
        &mut self,
        function: &LocalFunction,
        of: &[Option<Type>],
        span: Span,
    ) -> Node {
        let at = std::ptr::from_ref(function).addr();
        let known = self.instances.iter().find(|(own, types, _)| *own == at && types == of);
        if let Some((_, _, variable)) = known {
            let variable = *variable;
            return Node::Local(self.slot_of(variable));
        }
        if self.instances.len() >= MAX_INSTANCES {
            self.report(
                codes::TOO_COMPLEX,
                span,
                "generic local functions call each other too deeply",
                "one call too many",
                None,
            );
            return Node::Const(Value::Null);
        }
        // A variable of its own, so that the function can call itself.
        let variable = self.declare_quietly("<generic>", Type::Object);
        self.flow.assign(variable);
        let names = function.ast.type_parameters.iter().map(|it| it.text.to_string());
        let known = names.zip(of.iter().map(|it| it.unwrap_or(Type::Object)));
        let before = self.type_parameters.len();
        self.type_parameters.extend(known.collect::<Vec<_>>());
        self.instances.push((at, of.to_vec(), variable));
        let (node, effect) = self.instance(function, of, span);
        self.instances.pop();
        self.type_parameters.truncate(before);
        self.check_reads(&effect, &function.ast.name.text, span);
        self.after_call(&effect);
        Node::SetLocal(self.slot_of(variable), Box::new(node))
    }
}

/// The type that the body sees of a parameter.
fn plain(ty: Type) -> Type {
    if let Type::Params(item) = ty { Type::Array(item) } else { ty }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn local_functions_recurse_and_capture() {
        check(
            Form::Statements,
            &[
                ("int Fact(int n) => n <= 1 ? 1 : n * Fact(n - 1); return Fact(5);", "Int32: 120"),
                ("int n = 0; void Add(int k = 2) { n += k; } Add(); Add(3); return n;", "Int32: 5"),
                ("int Sum(params int[] xs) => xs.Sum(); return Sum(1, 2, 3);", "Int32: 6"),
            ],
        );
    }
}
