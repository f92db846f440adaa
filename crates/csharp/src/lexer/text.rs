//! Strings, characters and their escapes.
//!
//! Source: C# 7 language specification, 6.4.5.5 and 6.4.5.6.

use super::{Lexer, is_line_break};
use crate::ast::{Literal, Span};
use crate::token::TokenKind;

impl Lexer<'_> {
    pub(super) fn regular_string(&mut self) {
        let start = self.at;
        if self.rest().starts_with("\"\"\"") {
            self.needs(start, 3, "11", "a raw string literal");
        }
        self.at += 1;
        let mut units = Units::default();
        loop {
            match self.peek() {
                Some('"') => break self.at += 1,
                Some('\\') => self.escape(&mut units),
                Some(it) if !is_line_break(it) => {
                    units.push(it);
                    self.at += it.len_utf8();
                }
                _ => return self.unclosed(start, "string"),
            }
        }
        self.string_token(units, start);
    }

    pub(super) fn verbatim_string(&mut self) {
        let start = self.at;
        self.at += 2;
        let mut units = Units::default();
        loop {
            match self.advance() {
                Some('"') if self.peek() == Some('"') => {
                    self.at += 1;
                    units.push('"');
                }
                Some('"') => break,
                Some(it) => units.push(it),
                None => return self.unclosed(start, "string"),
            }
        }
        self.string_token(units, start);
    }

    fn string_token(&mut self, units: Units, start: usize) {
        self.push(TokenKind::Literal(units.into_literal()), start);
        if self.rest().starts_with("u8") {
            self.needs(self.at, 2, "11", "a UTF-8 string literal");
            self.at += 2;
        }
    }

    pub(super) fn character(&mut self) {
        let start = self.at;
        self.at += 1;
        let mut units = Units::default();
        loop {
            match self.peek() {
                Some('\'') if self.at > start + 1 => break self.at += 1,
                Some('\\') => self.escape(&mut units),
                Some(it) if !is_line_break(it) && units.0.len() < 64 => {
                    units.push(it);
                    self.at += it.len_utf8();
                    if it == '\'' {
                        break;
                    }
                }
                _ => return self.unclosed(start, "character literal"),
            }
        }
        let unit = match units.0.as_slice() {
            [unit] if self.at > start + 2 => *unit,
            other => {
                let span = Span::new(start, self.at);
                let message = if other.len() > 1 {
                    "a character literal holds one UTF-16 unit"
                } else {
                    "empty character literal"
                };
                let help = Some("write a string with double quotes");
                self.problem("PC0301", message, span, "not one character", help);
                0
            }
        };
        self.push(TokenKind::Literal(Literal::Char(unit)), start);
    }

    /// An escape sequence of a character or a regular string.
    pub(super) fn escape(&mut self, units: &mut Units) {
        let start = self.at;
        let simple = match self.peek_at(1) {
            Some('\'') => Some('\''),
            Some('"') => Some('"'),
            Some('\\') => Some('\\'),
            Some('0') => Some('\0'),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\u{b}'),
            _ => None,
        };
        if let Some(simple) = simple {
            units.push(simple);
            self.at += 2;
            return;
        }
        let code = match self.peek_at(1) {
            Some('x') => hexadecimal(self.source.get(self.at + 2..).unwrap_or(""), 1, 4)
                .map(|(it, digits)| (it, digits + 2)),
            Some('u' | 'U') => unicode_escape(self.rest()),
            _ => None,
        };
        match code {
            Some((code, length)) if code <= 0x10_ffff => {
                units.push_code(code);
                self.at += length;
            }
            _ => {
                self.at += 1;
                if let Some(it) = self.peek().filter(|it| !is_line_break(*it) && *it != '"') {
                    self.at += it.len_utf8();
                }
                let span = Span::new(start, self.at);
                let help = Some("write `\\\\` for a backslash, or a verbatim string `@\"...\"`");
                self.problem("PC0301", "unknown escape sequence", span, "unknown", help);
            }
        }
    }
}

/// Text as UTF-16, since escapes can write half of a surrogate pair.
#[derive(Default)]
pub(super) struct Units(pub(super) Vec<u16>);

impl Units {
    pub(super) fn push(&mut self, it: char) {
        self.0.extend_from_slice(it.encode_utf16(&mut [0; 2]));
    }

    fn push_code(&mut self, code: u32) {
        match (u16::try_from(code), char::from_u32(code)) {
            (Ok(unit), _) => self.0.push(unit),
            (_, Some(it)) => self.push(it),
            _ => {}
        }
    }

    pub(super) fn into_literal(self) -> Literal {
        match String::from_utf16(&self.0) {
            Ok(text) => Literal::String(text.into()),
            Err(_) => Literal::Units(self.0.into()),
        }
    }
}

/// `\uXXXX` and `\UXXXXXXXX`: the code and how many bytes it takes.
pub(super) fn unicode_escape(text: &str) -> Option<(u32, usize)> {
    let digits = match text.as_bytes() {
        [b'\\', b'u', ..] => 4,
        [b'\\', b'U', ..] => 8,
        _ => return None,
    };
    let (code, _) = hexadecimal(text.get(2..)?, digits, digits)?;
    Some((code, digits + 2))
}

/// At least `min` and at most `max` hexadecimal digits: the value and how many there are.
fn hexadecimal(text: &str, min: usize, max: usize) -> Option<(u32, usize)> {
    let length = text.bytes().take(max).take_while(u8::is_ascii_hexdigit).count();
    let digits = text.get(..length).filter(|_| length >= min)?;
    Some((u32::from_str_radix(digits, 16).ok()?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_have_as_many_digits_as_they_say() {
        assert_eq!(unicode_escape("\\u00412"), Some((0x41, 6)));
        assert_eq!(unicode_escape("\\u041"), None);
        assert_eq!(hexadecimal("1fz", 1, 4), Some((0x1f, 2)));
    }
}
