//! Statements.
//!
//! Source: C# specification, 13.

use super::flow::Flow;
use super::lambda::is_statement;
use super::member::item_type;
use super::{Binder, Expr, codes};
use crate::ir::{Call, Foreach, Node, Stmt};
use crate::library::Member;
use crate::syntax::ast::{self, ExprKind, Span, StmtKind};
use crate::types::Type;

/// A loop or a switch that `break` and `continue` refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loop {
    pub(super) is_switch: bool,
    pub(super) breaks: Option<Flow>,
    pub(super) continues: Option<Flow>,
}

impl Binder {
    /// Statements in the scope that is open.
    pub(super) fn statements(&mut self, statements: &[ast::Stmt]) -> Vec<Stmt> {
        self.declare_functions(statements);
        let mut functions = Vec::new();
        let mut all = Vec::new();
        for it in statements {
            if let StmtKind::LocalFunction(function) = &it.kind {
                functions.extend(self.local_function(function, it.span));
                continue;
            }
            let bound = self.statement(it);
            all.push(bound);
        }
        functions.extend(all);
        functions
    }

    pub(super) fn block(&mut self, statements: &[ast::Stmt]) -> Vec<Stmt> {
        self.enter();
        let all = self.statements(statements);
        let cells = self.leave();
        if cells.is_empty() { all } else { vec![Stmt::Scope(cells, all.into_boxed_slice())] }
    }

    /// A statement that is the body of another, with a scope of its own.
    pub(super) fn body(&mut self, statement: &ast::Stmt) -> Stmt {
        Stmt::Block(self.block(std::slice::from_ref(statement)).into_boxed_slice())
    }

    fn statement(&mut self, it: &ast::Stmt) -> Stmt {
        self.work(it.span);
        self.deeper();
        let bound = self.statement_form(it);
        self.nesting -= 1;
        bound
    }

    fn statement_form(&mut self, it: &ast::Stmt) -> Stmt {
        let span = it.span;
        match &it.kind {
            StmtKind::Block(block) => Stmt::Block(self.block(&block.statements).into_boxed_slice()),
            StmtKind::Local(local) => Stmt::Block(self.local(local, None).into_boxed_slice()),
            StmtKind::LocalFunction(function) => {
                self.declare_functions(std::slice::from_ref(it));
                self.local_function(function, span).unwrap_or(Stmt::Block(Box::default()))
            }
            StmtKind::Expression(expr) => self.expression_statement(expr),
            StmtKind::If { condition, then, otherwise } => {
                self.if_else(condition, then, otherwise.as_deref())
            }
            StmtKind::While { condition, body } => self.while_loop(condition, body),
            StmtKind::Do { body, condition } => self.do_loop(body, condition),
            StmtKind::For(it) => self.for_loop(it),
            StmtKind::Foreach(it) => self.foreach(it, span),
            StmtKind::Switch(it) => self.switch(it),
            StmtKind::Break => self.jump(span, true),
            StmtKind::Continue => self.jump(span, false),
            StmtKind::Return(value) => self.return_statement(value.as_ref(), span),
            StmtKind::Throw(value) => self.throw_statement(value.as_ref(), span),
            StmtKind::Try(it) => self.try_statement(it),
            StmtKind::Using { resource, body } => self.using(resource, body),
            StmtKind::Checked { checked, body } => {
                let before = (self.checked, self.explicitly_unchecked);
                (self.checked, self.explicitly_unchecked) = (*checked, !*checked);
                let all = self.block(&body.statements);
                (self.checked, self.explicitly_unchecked) = before;
                Stmt::Block(all.into_boxed_slice())
            }
            StmtKind::Empty => Stmt::Block(Box::default()),
        }
    }

    fn expression_statement(&mut self, expr: &ast::Expr) -> Stmt {
        let bound = self.value(expr);
        if !is_statement(expr) || matches!(expr.kind, ExprKind::Throw(_)) {
            if bound.ty != Type::Error {
                self.report(
                    codes::NOT_A_VALUE,
                    expr.span,
                    "only calls, assignments and `new` can stand as statements",
                    "its value is not used",
                    Some("assign it, or `return` it".to_owned()),
                );
            }
        }
        Stmt::Expression(bound.node)
    }

    /// A declaration; `read_only` says what the variables are if they cannot be assigned to.
    pub(super) fn local(
        &mut self,
        local: &ast::Local,
        read_only: Option<&'static str>,
    ) -> Vec<Stmt> {
        let written = local.ty.as_ref().map(|it| self.type_of(it));
        let mut all = Vec::new();
        for variable in &local.variables {
            let name = &variable.name;
            let value = match (&variable.value, written) {
                (Some(value), Some(ty)) => Some(self.value_as(value, ty)),
                (Some(value), None) => Some(self.inferred_value(value, name)),
                (None, Some(_)) => None,
                (None, None) => {
                    self.report(
                        codes::NO_TYPE,
                        name.span,
                        format!("`var {}` needs a value to take its type from", name.text),
                        "no value",
                        Some(format!(
                            "write `var {} = ...`, or its type instead of `var`",
                            name.text
                        )),
                    );
                    Some(Expr::error(name.span))
                }
            };
            let ty = written.or(value.as_ref().map(|it| it.ty)).unwrap_or(Type::Error);
            let id = self.declare(name, ty);
            if let Some(own) = self.variables.get_mut(id) {
                own.read_only = read_only;
            }
            let Some(value) = value else { continue };
            self.flow.assign(id);
            if local.constant {
                self.constant_local(id, &value);
            }
            let slot = self.slot_of(id);
            all.push(Stmt::Expression(Node::SetLocal(slot, Box::new(value.node))));
        }
        all
    }

    fn constant_local(&mut self, id: usize, value: &Expr) {
        let is_null = matches!(value.node, Node::Const(crate::value::Value::Null));
        let constant = value.constant.clone().or(is_null.then_some(crate::value::Value::Null));
        match constant {
            Some(it) => {
                if let Some(own) = self.variables.get_mut(id) {
                    own.constant = Some(it);
                }
            }
            None if value.ty == Type::Error => {}
            None => self.report(
                codes::CONSTANT,
                value.span,
                "the value of a constant must be known when it is compiled",
                "not a constant",
                Some("leave out `const`".to_owned()),
            ),
        }
    }

    fn inferred_value(&mut self, value: &ast::Expr, name: &ast::Name) -> Expr {
        if self.is_method_group(value) {
            self.report(
                codes::NO_TYPE,
                value.span,
                format!("the type of `{}` cannot be told from a method", name.text),
                "a method",
                Some("call it, or write the delegate type instead of `var`".to_owned()),
            );
            return Expr::error(value.span);
        }
        let bound = self.value(value);
        match bound.ty {
            Type::Null => {
                self.report(
                    codes::NO_TYPE,
                    value.span,
                    format!("the type of `{}` cannot be told from `null`", name.text),
                    "has no type",
                    Some(format!("write its type: `string {} = null`", name.text)),
                );
                Expr::error(value.span)
            }
            Type::Void => {
                self.require_value(&bound);
                Expr::error(value.span)
            }
            _ => bound,
        }
    }

    fn if_else(
        &mut self,
        condition: &ast::Expr,
        then: &ast::Stmt,
        otherwise: Option<&ast::Stmt>,
    ) -> Stmt {
        let (bound, yes, no) = self.condition(condition);
        self.flow = yes;
        let then = self.body(then);
        let after_then = std::mem::replace(&mut self.flow, no);
        let otherwise = otherwise.map(|it| Box::new(self.body(it)));
        self.flow = after_then.join(self.flow.clone());
        Stmt::If(bound.node, Box::new(then), otherwise)
    }

    pub(super) fn in_loop<R>(
        &mut self,
        is_switch: bool,
        f: impl FnOnce(&mut Self) -> R,
    ) -> (R, Loop) {
        self.function().loops.push(Loop { is_switch, ..Loop::default() });
        let result = f(self);
        let own = self.function().loops.pop().unwrap_or_default();
        (result, own)
    }

    fn while_loop(&mut self, condition: &ast::Expr, body: &ast::Stmt) -> Stmt {
        self.enter();
        let (condition, yes, no) = self.condition(condition);
        self.flow = yes;
        let (body, own) = self.in_loop(false, |it| it.body(body));
        let cells = self.leave();
        self.flow = join(no, own.breaks);
        scoped(cells, Stmt::While(condition.node, Box::new(body)))
    }

    fn do_loop(&mut self, body: &ast::Stmt, condition: &ast::Expr) -> Stmt {
        let (body, own) = self.in_loop(false, |it| it.body(body));
        self.flow = join(self.flow.clone(), own.continues);
        let (condition, _, no) = self.condition(condition);
        self.flow = join(no, own.breaks);
        Stmt::Do(Box::new(body), condition.node)
    }

    fn for_loop(&mut self, it: &ast::For) -> Stmt {
        self.enter();
        let mut init = match &it.declaration {
            Some(local) => self.local(local, None),
            None => Vec::new(),
        };
        init.extend(it.init.iter().map(|it| Stmt::Expression(self.value(it).node)));
        let (condition, yes, no) = match &it.condition {
            Some(condition) => {
                let (bound, yes, no) = self.condition(condition);
                (Some(bound.node), yes, no)
            }
            None => (None, self.flow.clone(), self.flow.unreachable()),
        };
        self.flow = yes;
        let (body, own) = self.in_loop(false, |binder| binder.body(&it.body));
        self.flow = join(self.flow.clone(), own.continues);
        let step: Vec<Node> = it.step.iter().map(|it| self.value(it).node).collect();
        let cells = self.leave();
        self.flow = join(no, own.breaks);
        let all = Stmt::For {
            init: init.into_boxed_slice(),
            condition,
            step: step.into_boxed_slice(),
            body: Box::new(body),
        };
        scoped(cells, all)
    }

    fn foreach(&mut self, it: &ast::Foreach, span: Span) -> Stmt {
        let source = self.value(&it.source);
        self.require_value(&source);
        let (source, items) = own_enumerator(source);
        let item = match items {
            Some(item) => item,
            None => {
                if source.ty != Type::Error && source.ty != Type::Void {
                    self.report(
                        codes::NO_CONVERSION,
                        source.span,
                        format!("`foreach` cannot go through a value of type `{}`", source.ty),
                        "not enumerable",
                        None,
                    );
                }
                Type::Error
            }
        };
        let ty = it.ty.as_ref().map_or(item, |it| self.type_of(it));
        let conversion = if item == Type::Error || ty == Type::Error {
            None
        } else {
            match super::conversion::explicit(item, ty, false) {
                Some(way) => Self::conversion_of(way),
                None => {
                    let at = it.ty.as_ref().map_or(it.name.span, |it| it.span);
                    self.report(
                        codes::NO_CONVERSION,
                        at,
                        format!("the items are `{item}`, which do not convert to `{ty}`"),
                        format!("expected `{item}`"),
                        Some("write `var`".to_owned()),
                    );
                    None
                }
            }
        };
        self.enter();
        let id = self.declare(&it.name, ty);
        if let Some(own) = self.variables.get_mut(id) {
            own.read_only = Some("a `foreach` variable");
        }
        let before = self.flow.clone();
        self.flow.assign(id);
        let (body, own) = self.in_loop(false, |binder| binder.body(&it.body));
        self.flow = join(before, own.breaks);
        let slot = self.slot_of(id);
        let captured = !self.leave().is_empty();
        Stmt::Foreach(Box::new(Foreach {
            slot,
            captured,
            source: source.node,
            item,
            conversion,
            body,
            span,
        }))
    }

    fn jump(&mut self, span: Span, is_break: bool) -> Stmt {
        let flow = self.flow.clone();
        let target = self.function().loops.iter_mut().rev().find(|it| is_break || !it.is_switch);
        match target {
            Some(own) => {
                let met = if is_break { &mut own.breaks } else { &mut own.continues };
                *met = Some(match met.take() {
                    Some(other) => other.join(flow),
                    None => flow,
                });
            }
            None => {
                let word = if is_break { "break" } else { "continue" };
                self.report(
                    codes::CONTROL_FLOW,
                    span,
                    format!("`{word}` stands outside of a loop"),
                    "nothing to leave",
                    None,
                );
            }
        }
        self.flow = self.flow.unreachable();
        if is_break { Stmt::Break } else { Stmt::Continue }
    }

    fn return_statement(&mut self, value: Option<&ast::Expr>, span: Span) -> Stmt {
        if self.function().finally > 0 {
            self.report(
                codes::CONTROL_FLOW,
                span,
                "`return` cannot leave a `finally` block",
                "in `finally`",
                None,
            );
        }
        let (expected, any) = (self.function().result, self.function().returns_object);
        let node = match (value, expected) {
            (Some(value), Some(Type::Void)) => {
                let bound = self.value(value);
                if bound.ty != Type::Error {
                    self.report(
                        codes::CONTROL_FLOW,
                        value.span,
                        "the function returns nothing",
                        "a value is returned",
                        None,
                    );
                }
                Some(bound)
            }
            (Some(value), Some(ty)) => Some(self.value_as(value, ty)),
            (Some(value), None) => Some(self.value(value)),
            (None, Some(Type::Void)) => None,
            (None, Some(_)) => {
                self.missing_value(span);
                None
            }
            (None, None) if any => {
                self.missing_value(span);
                None
            }
            (None, None) => {
                self.function().returns_nothing = true;
                None
            }
        };
        if let Some(bound) = &node {
            if any {
                self.check_result(bound);
            }
            let ty = bound.ty;
            self.function().returned.push(ty);
        }
        self.flow = self.flow.unreachable();
        Stmt::Return(node.map(|it| it.node))
    }

    fn missing_value(&mut self, span: Span) {
        self.report(
            codes::NO_RETURN,
            span,
            "`return` needs a value",
            "returns nothing",
            Some("write `return null;` if there is none".to_owned()),
        );
    }
}

fn join(a: Flow, b: Option<Flow>) -> Flow {
    match b {
        Some(b) => a.join(b),
        None => a,
    }
}

pub(super) fn scoped(cells: Box<[u32]>, stmt: Stmt) -> Stmt {
    if cells.is_empty() { stmt } else { Stmt::Scope(cells, Box::new([stmt])) }
}

/// A class with a `GetEnumerator` of its own is enumerated by it, as C# prefers: a `JObject` gives
/// pairs, though it is a sequence of tokens as well.
fn own_enumerator(source: Expr) -> (Expr, Option<Type>) {
    let def = source.ty.definition_name().and_then(crate::library::definition);
    let row = def.and_then(|it| {
        it.members.iter().find(|it| it.name == "GetEnumerator" && it.params.is_empty())
    });
    let items = item_type(source.ty);
    let is_own = |it: &&Member| !it.returns.is_open() && it.returns.argument(0) != items;
    let Some(row) = row.filter(is_own) else { return (source, items) };
    let span = source.span;
    let call = Call {
        member: row,
        set: false,
        args: Box::new([source.node]),
        check_null: true,
        of_type: &[],
        of_method: &[],
        returns: row.returns,
        outs: Box::default(),
        span,
    };
    (Expr::new(Node::Call(Box::new(call)), row.returns, span), row.returns.argument(0))
}
