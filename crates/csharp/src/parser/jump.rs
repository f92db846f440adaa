//! Jumps by name, `yield`, and the statements that policy expressions do not have.
//!
//! Source: C# 7 language specification, 13.10.

use super::{Dialect, Parser};
use crate::ast::{Goto, StmtKind};
use crate::token::{Keyword, Punct, TokenKind};

impl Parser<'_> {
    pub(super) fn goto(&mut self) -> StmtKind {
        self.advance();
        let target = if self.eat_keyword(Keyword::Case) {
            Goto::Case(self.expression())
        } else if self.eat_keyword(Keyword::Default) {
            Goto::Default
        } else {
            Goto::Label(self.name())
        };
        self.end_statement();
        StmtKind::Goto(target)
    }

    /// `yield return e;` or `yield break;`.
    pub(super) fn yielded(&mut self) -> StmtKind {
        self.advance();
        let value = if self.eat_keyword(Keyword::Return) {
            Some(self.expression())
        } else {
            self.advance();
            None
        };
        self.end_statement();
        StmtKind::Yield(value)
    }

    pub(super) fn refused_statement(&mut self, keyword: Keyword) -> StmtKind {
        let span = self.span();
        self.refuse(span, &format!("`{}` is", keyword.text()), None);
        self.advance();
        if keyword == Keyword::Goto {
            while !self.at(Punct::Semicolon) && *self.kind() != TokenKind::End {
                self.advance();
            }
            self.end_statement();
            return StmtKind::Empty;
        }
        if self.at(Punct::OpenParen) {
            self.at = self.closer(self.at).unwrap_or(self.at);
            self.advance();
        }
        self.embedded().kind
    }

    pub(super) fn labelled(&mut self) -> StmtKind {
        let span = self.span();
        if self.dialect == Dialect::Beyond {
            let name = self.name();
            self.advance();
            return StmtKind::Labelled(name, Box::new(self.statement()));
        }
        self.refuse(span, "a label is", Some("there is no `goto`"));
        self.advance();
        self.advance();
        if self.at(Punct::CloseBrace) { StmtKind::Empty } else { self.statement().kind }
    }

    pub(super) fn is_yield(&self) -> bool {
        let next = self.at + 1;
        self.is_word(self.at, "yield")
            && (self.is_keyword(next, Keyword::Return) || self.is_keyword(next, Keyword::Break))
    }

    /// Statements that begin with a contextual word and are never allowed.
    pub(super) fn refuse_word_statement(&mut self) {
        let span = self.span();
        let next = self.at + 1;
        if self.is_yield() {
            self.refuse(span, "`yield` is", Some("collect into a `List<T>`"));
            self.advance();
        } else if self.is_word(self.at, "await") && self.is_keyword(next, Keyword::Foreach) {
            self.refuse(span, "`await` is", None);
            self.advance();
        }
    }
}
