//! Statements.
//!
//! Source: C# 7 language specification, 13.

use super::types::Question;
use super::{Dialect, Parser};
use crate::ast::{Block, Catch, Expr, ExprKind, Resource, Span, Stmt, StmtKind, Try};
use crate::token::{Keyword, Punct, TokenKind};

impl Parser<'_> {
    /// Parses a statement, declarations included, and recovers from syntax errors in it.
    pub(super) fn statement(&mut self) -> Stmt {
        self.nested(|it| {
            let start = it.span();
            let at = it.at;
            let kind = it.statement_kind();
            if it.recovering {
                it.skip_to_next_statement(at);
            }
            Stmt { kind, span: it.span_from(start) }
        })
    }

    /// Parses a statement where C# allows no declaration: the body of an `if` or a loop.
    pub(super) fn embedded(&mut self) -> Stmt {
        let statement = self.statement();
        if matches!(
            statement.kind,
            StmtKind::Local(_) | StmtKind::LocalFunction(_) | StmtKind::Labelled(..)
        ) {
            let message = "a declaration cannot stand here without braces".to_owned();
            let help = Some("put it in `{ ... }`");
            self.report("PC0301", statement.span, message, "declared here", help);
        }
        statement
    }

    /// `{ ... }`.
    pub(super) fn block(&mut self) -> Block {
        let start = self.span();
        let mut statements = Vec::new();
        if self.expect(Punct::OpenBrace) {
            while !self.at(Punct::CloseBrace) && *self.kind() != TokenKind::End {
                statements.push(self.statement());
            }
            self.expect(Punct::CloseBrace);
        }
        Block { statements, span: self.span_from(start) }
    }

    /// Skips to behind the next `;`, or to a `}` that closes the block around.
    pub(super) fn skip_to_next_statement(&mut self, begin: usize) {
        loop {
            match self.kind() {
                TokenKind::End => break,
                TokenKind::Punct(Punct::CloseBrace) => break,
                TokenKind::Punct(Punct::Semicolon) => {
                    self.advance();
                    break;
                }
                TokenKind::Punct(Punct::OpenBrace) => match self.closer(self.at) {
                    Some(end) => {
                        self.at = end;
                        self.advance();
                        break;
                    }
                    None => self.advance(),
                },
                _ => self.advance(),
            }
        }
        if self.at == begin && *self.kind() != TokenKind::End {
            self.advance();
        }
        if *self.kind() != TokenKind::End {
            self.recovering = self.too_deep;
        }
    }

    pub(super) fn end_statement(&mut self) {
        if self.eat(Punct::Semicolon) || self.recovering {
            return;
        }
        // Marked behind the last token, where the `;` belongs.
        let end = self.span_at(self.at.saturating_sub(1)).end;
        let before = self.source.get(..end as usize).unwrap_or_default();
        let last = before.chars().next_back().map_or(0, char::len_utf8);
        let start = end.saturating_sub(u32::try_from(last).unwrap_or(0));
        let span = Span { start, end };
        self.report("PC0301", span, "expected `;`".to_owned(), "`;` is missing behind this", None);
        if !self.starts_line() {
            self.recovering = true;
        }
    }

    /// Whether the current token looks like the beginning of a statement, so that a missing `;` before
    /// it needs no skipping.
    pub(super) fn starts_line(&self) -> bool {
        let before = self.span_at(self.at.saturating_sub(1)).end as usize;
        let here = self.span().start as usize;
        self.at(Punct::CloseBrace)
            || self.source.get(before..here).is_some_and(|it| it.contains('\n'))
    }

    fn statement_kind(&mut self) -> StmtKind {
        match self.kind() {
            TokenKind::Punct(Punct::OpenBrace) => StmtKind::Block(self.block()),
            TokenKind::Punct(Punct::Semicolon) => {
                self.advance();
                StmtKind::Empty
            }
            TokenKind::Keyword(keyword) => {
                let keyword = *keyword;
                self.keyword_statement(keyword)
            }
            TokenKind::Identifier { .. } => {
                if self.is_punct(self.at + 1, Punct::Colon) {
                    return self.labelled();
                }
                if self.dialect == Dialect::Beyond && self.is_yield() {
                    return self.yielded();
                }
                self.refuse_word_statement();
                self.declaration_or_expression()
            }
            TokenKind::Punct(Punct::OpenParen) if self.dialect == Dialect::Beyond => {
                self.declaration_or_expression()
            }
            _ => self.expression_statement(),
        }
    }

    fn keyword_statement(&mut self, keyword: Keyword) -> StmtKind {
        let braces = self.is_punct(self.at + 1, Punct::OpenBrace);
        match keyword {
            Keyword::If => self.if_statement(),
            Keyword::While => {
                self.advance();
                let condition = self.condition();
                StmtKind::While { condition, body: Box::new(self.embedded()) }
            }
            Keyword::Do => self.do_statement(),
            Keyword::For => self.for_statement(),
            Keyword::Foreach => self.foreach_statement(),
            Keyword::Switch => self.switch_statement(),
            Keyword::Break => {
                self.advance();
                self.end_statement();
                StmtKind::Break
            }
            Keyword::Continue => {
                self.advance();
                self.end_statement();
                StmtKind::Continue
            }
            Keyword::Return => {
                self.advance();
                let value = (!self.at(Punct::Semicolon)).then(|| self.expression());
                self.end_statement();
                StmtKind::Return(value)
            }
            Keyword::Throw => {
                self.advance();
                let value = (!self.at(Punct::Semicolon)).then(|| self.expression());
                self.end_statement();
                StmtKind::Throw(value)
            }
            Keyword::Try => self.try_statement(),
            Keyword::Using => self.using_statement(),
            Keyword::Checked | Keyword::Unchecked if braces => {
                self.advance();
                let checked = keyword == Keyword::Checked;
                StmtKind::Checked { checked, body: self.block() }
            }
            Keyword::Const => self.constant(),
            Keyword::Goto if self.dialect == Dialect::Beyond => self.goto(),
            Keyword::Lock | Keyword::Goto | Keyword::Unsafe | Keyword::Fixed => {
                self.refused_statement(keyword)
            }
            Keyword::Else | Keyword::Catch | Keyword::Finally | Keyword::Case => {
                self.expected("a statement");
                self.advance();
                StmtKind::Empty
            }
            _ => self.declaration_or_expression(),
        }
    }

    fn declaration_or_expression(&mut self) -> StmtKind {
        match self.declaration() {
            Some(kind) => kind,
            None if matches!(self.kind(), TokenKind::Keyword(_)) => {
                // A word such as `await` was refused, and a statement follows it.
                match *self.kind() {
                    TokenKind::Keyword(
                        it @ (Keyword::Foreach | Keyword::Return | Keyword::Break),
                    ) => self.keyword_statement(it),
                    _ => self.expression_statement(),
                }
            }
            None => self.expression_statement(),
        }
    }

    fn expression_statement(&mut self) -> StmtKind {
        let value = self.expression();
        if !self.recovering && !is_statement(&value) {
            let message = "only a call, an assignment, `++`, `--` or `new` can be a statement";
            let label = "computes a value that nobody uses";
            let help = self.at(Punct::Semicolon).then_some("did you mean `return`?");
            self.report("PC0301", value.span, message.to_owned(), label, help);
        }
        self.end_statement();
        StmtKind::Expression(value)
    }

    /// `(e)`.
    pub(super) fn condition(&mut self) -> Expr {
        self.expect(Punct::OpenParen);
        let condition = self.expression();
        self.expect(Punct::CloseParen);
        condition
    }

    fn if_statement(&mut self) -> StmtKind {
        self.advance();
        let condition = self.condition();
        let then = Box::new(self.embedded());
        let otherwise = self.eat_keyword(Keyword::Else).then(|| Box::new(self.embedded()));
        StmtKind::If { condition, then, otherwise }
    }

    fn try_statement(&mut self) -> StmtKind {
        self.advance();
        let body = self.block();
        let mut catches = Vec::new();
        while self.at_keyword(Keyword::Catch) {
            catches.push(self.catch());
        }
        let finally = self.eat_keyword(Keyword::Finally).then(|| self.block());
        if catches.is_empty() && finally.is_none() {
            self.expected("`catch` or `finally`");
        }
        StmtKind::Try(Box::new(Try { body, catches, finally }))
    }

    fn catch(&mut self) -> Catch {
        let start = self.span();
        self.advance();
        let mut ty = None;
        let mut name = None;
        if self.eat(Punct::OpenParen) {
            ty = Some(self.type_ref(Question::Nullable));
            name = self.is_identifier(self.at).then(|| self.name());
            self.expect(Punct::CloseParen);
        }
        let filter = self.eat_word("when").then(|| self.condition());
        let body = self.block();
        Catch { ty, name, filter, body, span: self.span_from(start) }
    }

    fn using_statement(&mut self) -> StmtKind {
        let start = self.span();
        self.advance();
        if !self.at(Punct::OpenParen) {
            self.needs(start, 8, "`using` without parentheses");
            return self.declaration_or_expression();
        }
        self.advance();
        let resource = if self.begins_declaration() {
            Resource::Local(self.local(false))
        } else {
            Resource::Expression(self.expression())
        };
        self.expect(Punct::CloseParen);
        StmtKind::Using { resource, body: Box::new(self.embedded()) }
    }

    fn constant(&mut self) -> StmtKind {
        self.advance();
        let local = self.local(true);
        self.end_statement();
        StmtKind::Local(local)
    }

    /// Ends a declaration of locals.
    pub(super) fn end_declaration(&mut self) {
        self.end_statement();
    }
}

/// Whether an expression can be a statement.
fn is_statement(value: &Expr) -> bool {
    if value.parenthesised {
        return false;
    }
    match &value.kind {
        ExprKind::ConditionalAccess { rest, .. } => is_statement(rest),
        ExprKind::Call { .. }
        | ExprKind::Assign { .. }
        | ExprKind::Step { .. }
        | ExprKind::New { .. }
        | ExprKind::Missing => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print_statements as print, statement_problems as problems};

    #[test]
    fn control_flow() {
        assert_eq!(
            print("if (a) b(); else if (c) { } else ;"),
            "if (a) b(); else if (c) {} else ;"
        );
        assert_eq!(print("while (a) { break; continue; }"), "while (a) {break; continue;}");
        assert_eq!(print("do x++; while (x < 3);"), "do x++; while ((< x 3));");
        assert_eq!(
            print("for (int i = 0, j; i < 3; i++, j--) ;"),
            "for (int i = 0, j; (< i 3); i++, j--) ;"
        );
        assert_eq!(print("for (;;) ;"), "for (; ; ) ;");
        assert_eq!(print("foreach (var x in xs) F(x);"), "foreach (var x in xs) F(x);");
        assert_eq!(
            print("foreach (KeyValuePair<string, int> x in xs) ;"),
            "foreach (KeyValuePair<string,int> x in xs) ;"
        );
    }

    #[test]
    fn exceptions_and_resources() {
        assert_eq!(
            print("try { } catch (A.B e) when (e.C) { throw; } catch { } finally { throw x; }"),
            "try {} catch (A.B e) when (e.C) {throw;} catch {} finally {throw x;}"
        );
        assert_eq!(print("using (var x = F()) { }"), "using (var x = F()) {}");
        assert_eq!(print("using (x) ;"), "using (x) ;");
        assert_eq!(print("checked { a = b; }"), "checked {(= a b);}");
    }

    #[test]
    fn refused_statements_are_named() {
        for (source, expected) in [
            ("lock (a) { }", "`lock` is not allowed in a policy expression"),
            ("goto x;", "`goto` is not allowed in a policy expression"),
            ("x: ;", "a label is not allowed in a policy expression"),
            ("yield return 1;", "`yield` is not allowed in a policy expression"),
            ("unsafe { }", "`unsafe` is not allowed in a policy expression"),
            ("using var x = F();", "`using` without parentheses needs C# 8"),
            ("await foreach (var x in y) ;", "`await` is not allowed in a policy expression"),
            ("foreach (var (a, b) in c) ;", "System.ValueTuple is not an allowed type"),
            ("1 + 2;", "only a call, an assignment, `++`, `--` or `new` can be a statement"),
            ("if (a) int x = 1;", "a declaration cannot stand here without braces"),
            ("try { }", "expected `catch` or `finally`, found the end"),
            ("return 1", "expected `;`"),
        ] {
            assert_eq!(problems(source), [expected], "{source}");
        }
    }

    #[test]
    fn several_problems_are_reported() {
        let source = "var a = ;\nvar b = 1;\nif (b c) { d(); }\nreturn a +;";
        assert_eq!(
            problems(source),
            [
                "expected an expression, found `;`",
                "expected `)`, found `c`",
                "expected an expression, found `;`"
            ]
        );
    }
}
