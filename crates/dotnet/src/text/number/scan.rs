//! Finding the digits of a number in text, as `NumberStyles` allow.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.globalization.numberstyles>

use super::parse::Styles;
use super::{Digits, Kind};

/// White space as numbers have it around them: less than `char.IsWhiteSpace`.
pub(super) fn is_white(ch: char) -> bool {
    ch == ' ' || ('\t'..='\r').contains(&ch)
}

/// Reads sign, digits, point, exponent; `None` if the text is no number in these styles.
pub(super) fn scan(text: &str, styles: Styles, kind: Kind) -> Option<Digits> {
    let mut scanner = Scanner {
        text: text.as_bytes(),
        at: 0,
        styles,
        signed: false,
        open: false,
        currency: !styles.allows(Styles::CURRENCY),
        number: Digits { digits: Vec::new(), scale: 0, negative: false, kind },
    };
    scanner.prefix();
    let (any, point) = scanner.digits();
    if !any {
        return None;
    }
    scanner.exponent();
    scanner.suffix();
    let rest = scanner.text.get(scanner.at..).unwrap_or_default();
    if scanner.open || rest.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut number = scanner.number;
    if kind == Kind::Integer || kind == Kind::Floating {
        while number.digits.last() == Some(&b'0') {
            number.digits.pop();
        }
    }
    if number.is_zero() && kind != Kind::Decimal {
        number.scale = 0;
        number.negative &= kind == Kind::Floating || point;
    }
    Some(number)
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    styles: Styles,
    signed: bool,
    open: bool,
    /// Whether the currency sign was seen, or may not come.
    currency: bool,
    number: Digits,
}

impl Scanner<'_> {
    const CURRENCY_SIGN: &'static [u8] = "\u{a4}".as_bytes();

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn white(&self) -> bool {
        self.peek().is_some_and(|byte| is_white(char::from(byte)))
    }

    fn take_currency(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = !self.currency && rest.starts_with(Self::CURRENCY_SIGN);
        if found {
            self.currency = true;
            self.at += Self::CURRENCY_SIGN.len();
        }
        found
    }

    fn prefix(&mut self) {
        let mut currency_seen = false;
        loop {
            let white = self.white() && self.styles.allows(Styles::LEADING_WHITE);
            if white && (!self.signed || currency_seen) {
                self.at += 1;
                continue;
            }
            match self.peek() {
                Some(sign @ (b'+' | b'-'))
                    if self.styles.allows(Styles::LEADING_SIGN) && !self.signed =>
                {
                    self.signed = true;
                    self.number.negative = sign == b'-';
                    self.at += 1;
                }
                Some(b'(') if self.styles.allows(Styles::PARENTHESES) && !self.signed => {
                    (self.signed, self.open, self.number.negative) = (true, true, true);
                    self.at += 1;
                }
                _ if self.take_currency() => currency_seen = true,
                _ => return,
            }
        }
    }

    /// Gives whether there were digits, and whether there was a point.
    fn digits(&mut self) -> (bool, bool) {
        let (mut any, mut point) = (false, false);
        while let Some(byte) = self.peek() {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    if byte != b'0' || !self.number.digits.is_empty() {
                        self.number.digits.push(byte);
                        self.number.scale += i32::from(!point);
                    } else if point {
                        self.number.scale -= 1;
                    }
                }
                b'.' if self.styles.allows(Styles::POINT) && !point => point = true,
                b',' if self.styles.allows(Styles::THOUSANDS) && any && !point => {}
                _ => break,
            }
            self.at += 1;
        }
        (any, point)
    }

    fn exponent(&mut self) {
        if !matches!(self.peek(), Some(b'e' | b'E')) || !self.styles.allows(Styles::EXPONENT) {
            return;
        }
        let start = self.at;
        self.at += 1;
        let negative = self.peek() == Some(b'-');
        if matches!(self.peek(), Some(b'+' | b'-')) {
            self.at += 1;
        }
        let (mut value, mut any) = (0i32, false);
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            any = true;
            value = (value * 10 + i32::from(byte - b'0')).min(9999);
            self.at += 1;
        }
        if any {
            self.number.scale += if negative { -value } else { value };
        } else {
            self.at = start;
        }
    }

    fn suffix(&mut self) {
        loop {
            if self.white() && self.styles.allows(Styles::TRAILING_WHITE) {
                self.at += 1;
                continue;
            }
            match self.peek() {
                Some(sign @ (b'+' | b'-'))
                    if self.styles.allows(Styles::TRAILING_SIGN) && !self.signed =>
                {
                    self.signed = true;
                    self.number.negative = sign == b'-';
                    self.at += 1;
                }
                Some(b')') if self.open => {
                    self.open = false;
                    self.at += 1;
                }
                _ if self.take_currency() => {}
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_found_between_signs_and_exponents() {
        let found = |text| {
            let number = scan(text, Styles(0x1ff), Kind::Decimal)?;
            Some((String::from_utf8(number.digits).unwrap(), number.scale, number.negative))
        };
        assert_eq!(found(" -1,234.50e2 "), Some(("123450".to_owned(), 6, true)));
        assert_eq!(found("(0.005)"), Some(("5".to_owned(), -2, true)));
        assert_eq!(found("1.2.3"), None);
        assert_eq!(found("("), None);
    }
}
