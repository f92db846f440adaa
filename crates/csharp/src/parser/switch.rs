//! The `switch` statement.
//!
//! Source: C# 7 language specification, 13.8.3.

use super::Parser;
use crate::ast::{StmtKind, Switch, SwitchLabel, SwitchSection};
use crate::token::{Keyword, Punct, TokenKind};

impl Parser<'_> {
    /// Parses a `switch`; the current token is `switch`.
    pub(super) fn switch_statement(&mut self) -> StmtKind {
        self.advance();
        self.expect(Punct::OpenParen);
        let value = self.expression();
        self.expect(Punct::CloseParen);
        let mut sections = Vec::new();
        self.expect(Punct::OpenBrace);
        while self.at_label() && !self.recovering {
            sections.push(self.section());
        }
        self.expect(Punct::CloseBrace);
        StmtKind::Switch(Box::new(Switch { value, sections }))
    }

    fn at_label(&self) -> bool {
        self.at_keyword(Keyword::Case)
            || (self.at_keyword(Keyword::Default) && self.is_punct(self.at + 1, Punct::Colon))
    }

    fn section(&mut self) -> SwitchSection {
        let start = self.span();
        let mut labels = Vec::new();
        while self.at_label() && !self.recovering {
            labels.push(self.label());
        }
        let mut statements = Vec::new();
        while !self.at_label() && !self.at(Punct::CloseBrace) && *self.kind() != TokenKind::End {
            statements.push(self.statement());
        }
        SwitchSection { labels, statements, span: self.span_from(start) }
    }

    fn label(&mut self) -> SwitchLabel {
        let start = self.span();
        if self.eat_keyword(Keyword::Default) {
            self.expect(Punct::Colon);
            return SwitchLabel::Default(start);
        }
        self.advance();
        let pattern = self.nested(Self::case_pattern);
        let when = self.eat_word("when").then(|| self.expression());
        self.expect(Punct::Colon);
        SwitchLabel::Case { pattern, when, span: self.span_from(start) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print_statements as print, statement_problems as problems};

    #[test]
    fn sections_have_several_labels_of_every_kind() {
        assert_eq!(
            print("switch (x) { case 1: case \"a\": F(); break; default: return; }"),
            "switch (x) {case const 1: case const \"a\": F(); break; default: return;}"
        );
        assert_eq!(
            print(
                "switch (x) { case string s when s.A: break; case var y: break; case null: break; }"
            ),
            "switch (x) {case string s when s.A: break; case var y: break; case const null: break;}"
        );
        assert_eq!(
            print("switch (x) { case A.B: break; case (C) when d: break; }"),
            "switch (x) {case const A.B: break; case const C when d: break;}"
        );
    }

    #[test]
    fn later_labels_are_refused_by_name() {
        for (source, expected) in [
            ("switch (x) { case int: break; }", "a type pattern without a name needs C# 9"),
            ("switch (x) { case > 1: break; }", "a relational pattern needs C# 9"),
            ("switch (x) { case { A: 1 }: break; }", "a property pattern needs C# 8"),
            ("switch (x) { break; }", "expected `}`, found `break`"),
        ] {
            assert_eq!(problems(source)[0], expected, "{source}");
        }
    }
}
