//! Interpolated strings: a stack of open holes, so that nested ones cost nothing extra.
//!
//! Source: C# 7 language specification, 12.8.3.

use super::text::Units;
use super::{Hole, Lexer, MAX_HOLES, is_line_break};
use crate::ast::Span;
use crate::token::TokenKind;

impl Lexer<'_> {
    /// `:` and `}` of a hole with no bracket open. Returns whether something was read.
    pub(super) fn hole_syntax(&mut self) -> bool {
        let Some(&Hole { verbatim, depth: 0, start: string }) = self.holes.last() else {
            return false;
        };
        let start = self.at;
        match self.peek() {
            Some(':') if !self.rest().starts_with("::") => {
                self.at += 1;
                let text = self.format_text(verbatim);
                self.push(TokenKind::HoleFormat(text.into()), start);
                true
            }
            Some('}') => {
                self.at += 1;
                self.push(TokenKind::HoleEnd, start);
                self.holes.pop();
                self.interpolation_text(string, verbatim);
                true
            }
            _ => false,
        }
    }

    fn format_text(&mut self, verbatim: bool) -> String {
        let mut units = Units::default();
        loop {
            match self.peek() {
                None => break,
                Some('"') if verbatim && self.peek_at(1) == Some('"') => {
                    units.push('"');
                    self.at += 2;
                }
                Some('"') => break,
                Some('}') if self.peek_at(1) == Some('}') => {
                    units.push('}');
                    self.at += 2;
                }
                Some('{') if self.peek_at(1) == Some('{') => {
                    units.push('{');
                    self.at += 2;
                }
                Some('}' | '{') => break,
                Some('\\') if !verbatim => self.escape(&mut units),
                Some(it) if !verbatim && is_line_break(it) => break,
                Some(it) => {
                    units.push(it);
                    self.at += it.len_utf8();
                }
            }
        }
        String::from_utf16_lossy(&units.0)
    }

    pub(super) fn interpolated(&mut self, opening: usize, verbatim: bool) {
        let start = self.at;
        self.at += opening;
        self.push(TokenKind::InterpolationStart, start);
        self.interpolation_text(start, verbatim);
    }

    /// Text of an interpolated string up to a hole or the closing quote.
    fn interpolation_text(&mut self, string: usize, verbatim: bool) {
        let start = self.at;
        let mut units = Units::default();
        loop {
            match self.peek() {
                None => return self.unclosed(string, "interpolated string"),
                Some('"') if verbatim && self.peek_at(1) == Some('"') => {
                    units.push('"');
                    self.at += 2;
                }
                Some('"') => {
                    self.text_token(units, start);
                    let quote = self.at;
                    self.at += 1;
                    return self.push(TokenKind::InterpolationEnd, quote);
                }
                Some(brace @ ('{' | '}')) if self.peek_at(1) == Some(brace) => {
                    units.push(brace);
                    self.at += 2;
                }
                Some('{') => {
                    self.text_token(units, start);
                    return self.open_hole(string, verbatim);
                }
                Some('}') => {
                    let span = Span::new(self.at, self.at + 1);
                    let help = Some("write `}}` for a brace");
                    self.problem("PC0301", "`}` without `{`", span, "in this string", help);
                    self.at += 1;
                }
                Some('\\') if !verbatim => self.escape(&mut units),
                Some(it) if !verbatim && is_line_break(it) => {
                    return self.unclosed(string, "interpolated string");
                }
                Some(it) => {
                    units.push(it);
                    self.at += it.len_utf8();
                }
            }
        }
    }

    fn text_token(&mut self, units: Units, start: usize) {
        if !units.0.is_empty() {
            self.push(TokenKind::InterpolationText(units.into_literal()), start);
        }
    }

    fn open_hole(&mut self, string: usize, verbatim: bool) {
        let start = self.at;
        self.at += 1;
        self.push(TokenKind::HoleStart, start);
        self.holes.push(Hole { verbatim, depth: 0, start: string });
        if self.holes.len() > MAX_HOLES {
            let span = Span::new(start, self.at);
            let message = "interpolated strings are nested too deeply";
            self.problem("PC0304", message, span, "too deep", None);
            self.holes.clear();
            self.at = self.source.len();
        }
    }

    pub(super) fn unclosed(&mut self, start: usize, what: &str) {
        let span = Span::new(start, self.at);
        let message = format!("{what} is not closed");
        self.problem("PC0301", &message, span, "starts here", None);
        let last = self.tokens.last().map_or(0, |it| it.span.end as usize);
        self.push(TokenKind::Unknown, start.max(last));
    }
}

#[cfg(test)]
mod tests {
    use crate::lexer::tokenize;

    #[test]
    fn a_hole_ends_at_its_own_brace() {
        let (tokens, problems) = tokenize("$\"{new { a = 1 }.a:0}\"");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(tokens.len(), 14);
    }
}
