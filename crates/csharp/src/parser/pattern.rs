//! Patterns of C# 7: constants, types, `T x`, `var x`. Later ones are refused by name.
//!
//! Source: C# 7 language specification, 11.

use super::Parser;
use super::expression::SHIFT;
use super::types::Question;
use crate::ast::{Pattern, Span};
use crate::token::{Keyword, Punct, TokenKind};

impl Parser<'_> {
    /// Parses what stands after `is`.
    pub(super) fn is_pattern(&mut self) -> Pattern {
        let start = self.span();
        if let Some(refused) = self.later_pattern() {
            return refused;
        }
        if let Some(declared) = self.declaration_pattern() {
            return declared;
        }
        if let Some(ty) = self.scan_type(self.at, Question::Unless) {
            let computed = matches!(
                self.kind_at(ty.end),
                TokenKind::Punct(
                    Punct::OpenParen | Punct::OpenBracket | Punct::Plus | Punct::Minus
                )
            );
            if !computed {
                let ty = self.type_ref(Question::Unless);
                return self.after_pattern(start, Pattern::Type(ty));
            }
        }
        let constant = self.nested(|it| it.binary(SHIFT));
        self.after_pattern(start, Pattern::Constant(constant))
    }

    /// Parses what stands after `case`.
    pub(super) fn case_pattern(&mut self) -> Pattern {
        let start = self.span();
        if let Some(refused) = self.later_pattern() {
            return refused;
        }
        if let Some(declared) = self.declaration_pattern() {
            return declared;
        }
        let certain_type = self
            .scan_type(self.at, Question::Unless)
            .filter(|it| it.certain && self.is_punct(it.end, Punct::Colon));
        if certain_type.is_some() {
            self.needs(start, 9, "a type pattern without a name");
            return Pattern::Type(self.type_ref(Question::Unless));
        }
        let constant = self.expression();
        self.after_pattern(start, Pattern::Constant(constant))
    }

    /// `T x` and `var x`.
    fn declaration_pattern(&mut self) -> Option<Pattern> {
        let start = self.span();
        let ty = self.scan_type(self.at, Question::Unless)?;
        if !self.is_identifier(ty.end) || self.is_combinator(ty.end) {
            return None;
        }
        if self.is_word(self.at, "var") && ty.end == self.at + 1 {
            self.advance();
            let name = self.designation();
            return Some(Pattern::Var { name, span: self.span_from(start) });
        }
        let ty = self.type_ref(Question::Unless);
        let name = self.designation();
        Some(Pattern::Declaration { ty, name })
    }

    /// Whether the word goes on behind a pattern instead of naming a variable.
    fn is_combinator(&self, index: usize) -> bool {
        let follows = |words: &[&str]| words.iter().any(|it| self.is_word(index, it));
        if follows(&["and", "or"]) {
            return !self.is_punct(index + 1, Punct::CloseParen)
                && !self.is_punct(index + 1, Punct::Semicolon)
                && !self.is_punct(index + 1, Punct::AndAlso);
        }
        follows(&["when"]) || (!self.ranges.is_empty() && follows(super::query::CLAUSES))
    }

    /// Patterns that start like none of C# 7.
    fn later_pattern(&mut self) -> Option<Pattern> {
        let start = self.span();
        let (version, what) = match self.kind() {
            TokenKind::Punct(Punct::OpenBrace) => (8, "a property pattern"),
            TokenKind::Punct(Punct::OpenBracket) => (11, "a list pattern"),
            TokenKind::Punct(Punct::Less | Punct::LessEqual | Punct::Greater) => {
                (9, "a relational pattern")
            }
            TokenKind::Identifier { .. } if self.is_not_pattern() => (9, "a `not` pattern"),
            _ => {
                return self.type_with_subpattern();
            }
        };
        self.needs(start, version, what);
        match self.closer(self.at) {
            Some(end) => self.at = end + 1,
            None => {
                self.advance();
                if self.at(Punct::Assign) {
                    self.advance();
                }
                if version == 9 {
                    self.is_pattern();
                }
            }
        }
        Some(self.after_pattern(start, Pattern::Constant(self.missing(start))))
    }

    fn is_not_pattern(&self) -> bool {
        let after = self.kind_at(self.at + 1);
        self.is_word(self.at, "not")
            && matches!(
                after,
                TokenKind::Identifier { .. } | TokenKind::Literal(_) | TokenKind::Keyword(_)
            )
            && !self.is_keyword(self.at + 1, Keyword::Is)
            && !self.is_keyword(self.at + 1, Keyword::As)
    }

    /// `T { ... }` and `T (...)`.
    fn type_with_subpattern(&mut self) -> Option<Pattern> {
        let start = self.span();
        let ty = self.scan_type(self.at, Question::Unless)?;
        let (version, what) = match self.kind_at(ty.end) {
            TokenKind::Punct(Punct::OpenBrace) => (8, "a property pattern"),
            TokenKind::Punct(Punct::OpenParen) => (8, "a positional pattern"),
            _ => return None,
        };
        let end = self.closer(ty.end)?;
        self.needs(start.to(self.span_at(end)), version, what);
        self.at = end + 1;
        if self.is_identifier(self.at) && !self.is_combinator(self.at) {
            self.advance();
        }
        Some(Pattern::Constant(self.missing(start)))
    }

    /// `and` and `or` behind a pattern.
    fn after_pattern(&mut self, start: Span, pattern: Pattern) -> Pattern {
        while (self.is_word(self.at, "and") || self.is_word(self.at, "or"))
            && self.is_combinator(self.at)
        {
            self.needs(start, 9, "an `and` or `or` pattern");
            self.advance();
            self.nested(Self::is_pattern);
        }
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print, problem};

    #[test]
    fn patterns_of_c_sharp_7() {
        assert_eq!(print("x is string"), "(is x string)");
        assert_eq!(print("x is string s && s.A"), "(&& (is x string s) s.A)");
        assert_eq!(print("x is null"), "(is x const null)");
        assert_eq!(print("x is -1"), "(is x const (- 1))");
        assert_eq!(print("x is var y"), "(is x var y)");
        assert_eq!(print("x is A.B _"), "(is x A.B _)");
        assert_eq!(print("x is \"a\" ? 1 : 2"), "(?: (is x const \"a\") 1 2)");
        assert_eq!(print("!(x is JObject)"), "(! (is x JObject))");
    }

    #[test]
    fn later_patterns_are_refused_by_name() {
        for (source, expected) in [
            ("x is { }", "a property pattern needs C# 8"),
            ("x is string { Length: 3 }", "a property pattern needs C# 8"),
            ("x is not null", "a `not` pattern needs C# 9"),
            ("x is > 3 and < 10", "a relational pattern needs C# 9"),
            ("x is 1 or 2", "an `and` or `or` pattern needs C# 9"),
            ("x is [1]", "a list pattern needs C# 11"),
        ] {
            assert_eq!(problem(source), expected, "{source}");
        }
    }
}
