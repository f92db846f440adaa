//! Statements.
//!
//! Source: C# specification, 13.

use clr::types::Type;
use csharp::ast::{self, ExprKind, Span, StmtKind};

use super::lambda::is_statement;
use super::{Binder, Expr, codes};
use crate::ir::{Node, Stmt};

impl Binder {
    /// Statements in the scope that is open.
    pub(super) fn statements(&mut self, statements: &[ast::Stmt]) -> Vec<Stmt> {
        if statements.iter().any(|it| matches!(it.kind, StmtKind::Labelled(..))) {
            return self.labelled(statements);
        }
        self.declare_functions(statements);
        let (mut functions, mut all) = (Vec::new(), Vec::new());
        for it in statements {
            self.one_statement(it, &mut functions, &mut all);
        }
        functions.extend(all);
        functions
    }

    /// A statement of a block; local functions go to its start.
    pub(super) fn one_statement(
        &mut self,
        it: &ast::Stmt,
        functions: &mut Vec<Stmt>,
        all: &mut Vec<Stmt>,
    ) {
        if let StmtKind::LocalFunction(function) = &it.kind {
            functions.extend(self.local_function(function, it.span));
            return;
        }
        let bound = self.statement(it);
        all.push(bound);
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
            StmtKind::Labelled(..) => {
                Stmt::Block(self.labelled(std::slice::from_ref(it)).into_boxed_slice())
            }
            StmtKind::Goto(target) => self.goto(target, span),
            StmtKind::Yield(value) => self.yield_statement(value.as_ref(), span),
            StmtKind::Empty => Stmt::Block(Box::default()),
        }
    }

    fn expression_statement(&mut self, expr: &ast::Expr) -> Stmt {
        let bound = self.value(expr);
        let stands = is_statement(expr) && !matches!(expr.kind, ExprKind::Throw(_));
        if !stands && bound.ty != Type::Error {
            self.report(
                codes::NOT_A_VALUE,
                expr.span,
                "only calls, assignments and `new` can stand as statements",
                "its value is not used",
                Some("assign it, or `return` it".to_owned()),
            );
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
        if let (None, [_, second, ..]) = (written, local.variables.as_slice()) {
            self.report(
                codes::NO_TYPE,
                second.name.span,
                "`var` declares one variable",
                "second variable",
                Some("write a statement for each, or the type instead of `var`".to_owned()),
            );
        }
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
        let is_null = matches!(value.node, Node::Const(clr::value::Value::Null));
        let constant = value.constant.clone().or(is_null.then_some(clr::value::Value::Null));
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
        if self.function().yields.is_some() && value.is_none() {
            self.report(
                codes::CONTROL_FLOW,
                span,
                "`return` cannot stand in a function with `yield`",
                "ends no sequence",
                Some("write `yield break;`".to_owned()),
            );
        }
        self.exit_function(span);
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

pub(super) fn scoped(cells: Box<[u32]>, stmt: Stmt) -> Stmt {
    if cells.is_empty() { stmt } else { Stmt::Scope(cells, Box::new([stmt])) }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn statements_declare_and_return() {
        check(
            Form::Statements,
            &[
                ("var x;", "PC0337"),
                ("var x = null; return x;", "PC0337"),
                ("1 + 1; return 1;", "PC0301"),
                ("int a = 1, b = a + 1; return b;", "Int32: 2"),
                ("const int c = 2 * 3; return c;", "Int32: 6"),
                ("if (true) return 1;", "Int32: 1"),
            ],
        );
    }
}
