//! Numbers: radixes, underscores, exponents, suffixes.
//!
//! Source: C# 7 language specification, 6.4.5.3 and 6.4.5.4.

use super::Lexer;
use crate::ast::{IntegerSuffix, Literal, Span};
use crate::token::TokenKind;

impl Lexer<'_> {
    pub(super) fn number(&mut self) {
        let start = self.at;
        let bytes = self.rest().as_bytes();
        let radix = match bytes {
            [b'0', b'x' | b'X', ..] => 16,
            [b'0', b'b' | b'B', ..] => 2,
            _ => 10,
        };
        let kind = if radix == 10 { self.decimal_number() } else { self.radix_number(radix) };
        match kind {
            Ok(literal) => self.push(TokenKind::Literal(literal), start),
            Err(message) => {
                let span = Span::new(start, self.at);
                self.problem("PC0301", message, span, "this number", None);
                let zero = Literal::Integer { value: 0, suffix: IntegerSuffix::None };
                self.push(TokenKind::Literal(zero), start);
            }
        }
    }

    /// The digits from here, with `_` between them left out.
    fn digits(&mut self, is_digit: impl Fn(u8) -> bool) -> (String, bool) {
        let mut text = String::new();
        let mut last = 0;
        while let Some(&next) = self.rest().as_bytes().first() {
            if is_digit(next) {
                text.push(char::from(next));
            } else if next != b'_' || text.is_empty() {
                break;
            }
            last = next;
            self.at += 1;
        }
        (text, last != b'_')
    }

    fn radix_number(&mut self, radix: u32) -> Result<Literal, &'static str> {
        self.at += 2;
        while self.rest().starts_with('_') {
            self.at += 1;
        }
        let (text, ends_well) = self.digits(|it| char::from(it).is_digit(radix));
        if text.is_empty() || !ends_well {
            return Err("number without digits");
        }
        let value = u64::from_str_radix(&text, radix).map_err(|_| "integer is too large")?;
        let suffix = self.integer_suffix();
        Ok(Literal::Integer { value, suffix })
    }

    fn decimal_number(&mut self) -> Result<Literal, &'static str> {
        let (mut text, mut ends_well) = self.digits(|it| it.is_ascii_digit());
        let mut real = false;
        let follows = |it: &Self| it.peek_at(1).is_some_and(|it| it.is_ascii_digit());
        if self.peek() == Some('.') && follows(self) {
            self.at += 1;
            let (fraction, well) = self.digits(|it| it.is_ascii_digit());
            if text.is_empty() {
                text.push('0');
            }
            text.push('.');
            text.push_str(&fraction);
            real = true;
            ends_well &= well;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            let signed = matches!(self.peek_at(1), Some('+' | '-'));
            let first = self.peek_at(if signed { 2 } else { 1 });
            if first.is_some_and(|it| it.is_ascii_digit()) {
                text.push('e');
                self.at += 1;
                if signed && let Some(sign) = self.advance() {
                    text.push(sign);
                }
                let (exponent, well) = self.digits(|it| it.is_ascii_digit());
                text.push_str(&exponent);
                real = true;
                ends_well &= well;
            }
        }
        if !ends_well {
            return Err("a number must not end with `_`");
        }
        self.finish_number(&text, real)
    }

    fn finish_number(&mut self, text: &str, real: bool) -> Result<Literal, &'static str> {
        let too_large = "floating-point constant is outside the range of its type";
        let suffix = self.peek();
        if matches!(suffix, Some('f' | 'F' | 'd' | 'D' | 'm' | 'M')) {
            self.at += 1;
        }
        match suffix {
            Some('m' | 'M') => Ok(Literal::Decimal(text.into())),
            Some('f' | 'F') => {
                let value: f32 = text.parse().map_err(|_| too_large)?;
                if value.is_finite() { Ok(Literal::Float(value)) } else { Err(too_large) }
            }
            Some('d' | 'D') => double(text).ok_or(too_large),
            _ if real => double(text).ok_or(too_large),
            _ => {
                let value = text.parse().map_err(|_| "integer is too large")?;
                Ok(Literal::Integer { value, suffix: self.integer_suffix() })
            }
        }
    }

    fn integer_suffix(&mut self) -> IntegerSuffix {
        let letter = |it: Option<char>| it.map(|it| it.to_ascii_lowercase());
        let (suffix, length) = match (letter(self.peek()), letter(self.peek_at(1))) {
            (Some('u'), Some('l')) | (Some('l'), Some('u')) => (IntegerSuffix::Ul, 2),
            (Some('u'), _) => (IntegerSuffix::U, 1),
            (Some('l'), _) => (IntegerSuffix::L, 1),
            _ => (IntegerSuffix::None, 0),
        };
        self.at += length;
        suffix
    }
}

fn double(text: &str) -> Option<Literal> {
    text.parse().ok().filter(|it: &f64| it.is_finite()).map(Literal::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_must_be_finite() {
        assert_eq!(double("1e3"), Some(Literal::Double(1000.0)));
        assert_eq!(double("1e999"), None);
    }
}
