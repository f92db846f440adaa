//! Loops.
//!
//! Source: C# 7 language specification, 13.9.

use super::{Dialect, Parser, expr};
use crate::ast::{Block, Expr, ExprKind, For, Foreach, Name, SimpleName, Stmt, StmtKind, TypeRef};
use crate::token::{Keyword, Punct};

impl Parser<'_> {
    pub(super) fn do_statement(&mut self) -> StmtKind {
        self.advance();
        let body = Box::new(self.embedded());
        self.expect_keyword(Keyword::While);
        let condition = self.condition();
        self.end_statement();
        StmtKind::Do { body, condition }
    }

    pub(super) fn for_statement(&mut self) -> StmtKind {
        self.advance();
        self.expect(Punct::OpenParen);
        let mut init = Vec::new();
        let declaration = if self.begins_declaration() { Some(self.local(false)) } else { None };
        if declaration.is_none() && !self.at(Punct::Semicolon) {
            init = self.expressions();
        }
        self.expect(Punct::Semicolon);
        let condition = (!self.at(Punct::Semicolon)).then(|| self.expression());
        self.expect(Punct::Semicolon);
        let step = if self.at(Punct::CloseParen) { Vec::new() } else { self.expressions() };
        self.expect(Punct::CloseParen);
        let body = self.embedded();
        StmtKind::For(Box::new(For { declaration, init, condition, step, body }))
    }

    pub(super) fn expressions(&mut self) -> Vec<Expr> {
        let mut all = vec![self.expression()];
        while self.eat(Punct::Comma) {
            all.push(self.expression());
        }
        all
    }

    pub(super) fn foreach_statement(&mut self) -> StmtKind {
        self.advance();
        self.expect(Punct::OpenParen);
        if self.dialect == Dialect::Beyond && self.deconstructs() {
            return self.deconstructing_foreach();
        }
        let (ty, name) = self.foreach_variable();
        self.expect_keyword(Keyword::In);
        let source = self.expression();
        self.expect(Punct::CloseParen);
        let body = self.embedded();
        StmtKind::Foreach(Box::new(Foreach { ty, name, source, body }))
    }

    /// `var (` or `(` after `foreach (`, with `in` behind its `)`.
    pub(super) fn deconstructs(&self) -> bool {
        let open = if self.is_word(self.at, "var") { self.at + 1 } else { self.at };
        self.is_punct(open, Punct::OpenParen)
            && self.closer(open).is_some_and(|end| self.is_keyword(end + 1, Keyword::In))
    }

    /// `foreach (var (a, b) in c) s` is `foreach (var t in c) { (var a, var b) = t; s }`.
    pub(super) fn deconstructing_foreach(&mut self) -> StmtKind {
        let start = self.span();
        let target = if self.eat_word("var") { self.designations() } else { self.expression() };
        let span = target.span;
        self.expect_keyword(Keyword::In);
        let source = self.expression();
        self.expect(Punct::CloseParen);
        let body = self.embedded();
        let name = Name { text: format!("<item {}>", start.start).into(), span };
        let simple = SimpleName { name: name.clone(), type_arguments: Vec::new() };
        let value = Box::new(expr(ExprKind::Name(simple), span));
        let assign = ExprKind::Assign { op: None, target: Box::new(target), value };
        let first = Stmt { kind: StmtKind::Expression(expr(assign, span)), span };
        let whole = self.span_from(start);
        let block = Block { statements: vec![first, body], span: whole };
        let body = Stmt { kind: StmtKind::Block(block), span: whole };
        StmtKind::Foreach(Box::new(Foreach { ty: None, name, source, body }))
    }

    pub(super) fn foreach_variable(&mut self) -> (Option<TypeRef>, Name) {
        let start = self.span();
        if self.is_word(self.at, "var")
            && self.is_punct(self.at + 1, Punct::OpenParen)
            && let Some(end) = self.closer(self.at + 1)
        {
            let span = start.to(self.span_at(end));
            self.refuse_tuple(span);
            self.at = end;
            self.advance();
            return (None, Name { text: "".into(), span });
        }
        let ty = self.type_or_var();
        (ty, self.name())
    }
}
