//! Characters, strings and numbers of lenient JSON, as Newtonsoft's `JsonTextReader` reads them.

use std::sync::Arc;

use super::number::canonical_integer;
use super::scalar::Scalar;

/// A failure at a place of the text; the path to it is added on the way out.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) at: usize,
    pub(super) kind: FailureKind,
    pub(super) path: Vec<PathStep>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    Syntax,
    End,
    Limit,
}

#[derive(Debug)]
pub(super) enum PathStep {
    Name(Arc<str>),
    Index(usize),
}

pub(super) type Lexed<T> = Result<T, Box<Failure>>;

/// A text and a place in it.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Names met so far, so that objects of a list share theirs.
    names: Vec<Option<Arc<str>>>,
    /// Is a fraction that no double holds an error?
    finite: bool,
}

const N_NAMES: usize = 64;
/// Digits that an integer may have, as Newtonsoft bounds them.
const MAX_INTEGER_DIGITS: usize = 380;

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text: text.strip_prefix('\u{feff}').unwrap_or(text),
            at: 0,
            names: Vec::new(),
            finite: false,
        }
    }

    /// Refuses fractions that no double holds, if so wanted.
    pub(super) fn finite(self, finite: bool) -> Self {
        Self { finite, ..self }
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Lexed<T> {
        self.failure(message, FailureKind::Syntax)
    }

    pub(super) fn failure<T>(&self, message: impl Into<String>, kind: FailureKind) -> Lexed<T> {
        let (message, path) = (message.into(), Vec::new());
        Err(Box::new(Failure { message, at: self.at, kind, path }))
    }

    pub(super) fn unexpected<T>(&self, while_doing: &str) -> Lexed<T> {
        match self.char() {
            Some(it) => self.fail(format!("{while_doing}: {it}.")),
            None => self.failure("Unexpected end when reading JSON.", FailureKind::End),
        }
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn char(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn advance(&mut self, n_bytes: usize) {
        self.at += n_bytes;
    }

    /// Skips white space of any script.
    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t'..=b'\r' | 0 => self.at += 1,
                0x80.. => match self.char() {
                    Some(it) if it.is_whitespace() || it == '\u{feff}' => self.at += it.len_utf8(),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    /// Skips white space and comments.
    pub(super) fn skip(&mut self) -> Lexed<()> {
        loop {
            self.skip_space();
            if self.byte() != Some(b'/') {
                return Ok(());
            }
            let rest = self.rest();
            let length = if rest.starts_with("//") {
                rest.find(['\n', '\r']).unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(at) if at >= 2 => at + 2,
                    _ => return self.fail("Unexpected end while parsing comment."),
                }
            } else {
                self.at += 1;
                return self.unexpected("Error parsing comment. Expected: *, got");
            };
            self.at += length;
        }
    }

    /// Does `word` stand here?
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.rest().starts_with(word)
    }

    /// Takes `word` if it stands here and is followed by something that ends a value.
    pub(super) fn literal(&mut self, word: &str, value: Scalar, error: &str) -> Lexed<Scalar> {
        let Some(rest) = self.rest().strip_prefix(word) else {
            return self.fail(error);
        };
        let ends = rest.chars().next().is_none_or(|it| {
            matches!(it, '}' | ']' | ',' | ')' | '/' | '\0') || it.is_whitespace()
        });
        self.at += word.len();
        if ends { Ok(value) } else { self.fail(error) }
    }

    /// A string; stands on its opening quote.
    pub(super) fn string(&mut self) -> Lexed<Arc<str>> {
        let quote = self.byte().unwrap_or(b'"');
        self.at += 1;
        let start = self.at;
        let end = self.plain_end(quote);
        if self.text.as_bytes().get(end) == Some(&quote) {
            self.at = end + 1;
            return Ok(Arc::from(self.text.get(start..end).unwrap_or("")));
        }
        self.escaped(quote).map(Arc::from)
    }

    /// A member's name in quotes; shared with earlier ones.
    pub(super) fn name(&mut self) -> Lexed<Arc<str>> {
        let quote = self.byte().unwrap_or(b'"');
        let start = self.at + 1;
        self.at = start;
        let end = self.plain_end(quote);
        if self.text.as_bytes().get(end) == Some(&quote) {
            self.at = end + 1;
            let name = self.text.get(start..end).unwrap_or("");
            return Ok(self.shared(name));
        }
        self.escaped(quote).map(Arc::from)
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if self.names.is_empty() {
            self.names.resize(N_NAMES, None);
        }
        let hash = name
            .bytes()
            .fold(name.len(), |sum, it| sum.wrapping_mul(31).wrapping_add(usize::from(it)));
        match self.names.get_mut(hash % N_NAMES) {
            Some(Some(known)) if &**known == name => Arc::clone(known),
            Some(slot) => {
                let new: Arc<str> = Arc::from(name);
                *slot = Some(Arc::clone(&new));
                new
            }
            None => Arc::from(name),
        }
    }

    /// Where the next quote or backslash is.
    fn plain_end(&self, quote: u8) -> usize {
        let bytes = self.text.as_bytes().get(self.at..).unwrap_or(&[]);
        let length = bytes.iter().position(|it| *it == quote || *it == b'\\');
        self.at + length.unwrap_or(bytes.len())
    }

    fn escaped(&mut self, quote: u8) -> Lexed<String> {
        let mut out = String::new();
        loop {
            let end = self.plain_end(quote);
            out.push_str(self.text.get(self.at..end).unwrap_or(""));
            self.at = end;
            match self.byte() {
                None => {
                    let delimiter = char::from(quote);
                    return self
                        .fail(format!("Unterminated string. Expected delimiter: {delimiter}."));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut out)?;
                }
                Some(_) => {
                    self.at += 1;
                    return Ok(out);
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Lexed<()> {
        let it = match self.byte() {
            Some(b'b') => '\u{8}',
            Some(b't') => '\t',
            Some(b'n') => '\n',
            Some(b'f') => '\u{c}',
            Some(b'r') => '\r',
            Some(it @ (b'\\' | b'"' | b'\'' | b'/')) => char::from(it),
            Some(b'u') => {
                self.at += 1;
                let first = self.unit()?;
                let is_high = (0xd800..0xdc00).contains(&first);
                if is_high && self.rest().starts_with("\\u") {
                    let before = self.at;
                    self.at += 2;
                    let second = self.unit()?;
                    if let Some(Ok(it)) = char::decode_utf16([first, second]).next() {
                        out.push(it);
                        return Ok(());
                    }
                    self.at = before;
                }
                out.push(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER));
                return Ok(());
            }
            Some(_) => return self.unexpected("Bad JSON escape sequence"),
            None => {
                return self.fail("Unterminated string. Expected delimiter: \".");
            }
        };
        self.at += 1;
        out.push(it);
        Ok(())
    }

    fn unit(&mut self) -> Lexed<u16> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or("");
        let is_hex = digits.len() == 4 && digits.bytes().all(|it| it.is_ascii_hexdigit());
        match u16::from_str_radix(digits, 16) {
            Ok(unit) if is_hex => {
                self.at += 4;
                Ok(unit)
            }
            _ => self.fail(format!("Invalid Unicode escape sequence: \\u{digits}.")),
        }
    }

    /// A member's name without quotes.
    pub(super) fn bare_name(&mut self) -> Lexed<Arc<str>> {
        let is_part = |it: char| it.is_alphanumeric() || matches!(it, '_' | '$');
        let rest = self.rest();
        let length = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
        if length == 0 {
            return self.unexpected("Invalid property identifier character");
        }
        self.at += length;
        match self.char() {
            None => self
                .failure("Unexpected end while parsing unquoted property name.", FailureKind::End),
            Some(it) if it.is_whitespace() || it == ':' || it == '/' => {
                Ok(Arc::from(rest.get(..length).unwrap_or("")))
            }
            Some(_) => self.unexpected("Invalid JavaScript property identifier character"),
        }
    }

    /// A word of letters, digits and dots: the name of a constructor.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let is_part = |it: char| it.is_alphanumeric() || matches!(it, '_' | '$' | '.');
        let length = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or("")
    }

    /// A number: decimal, `0x` hexadecimal or, after a leading zero, octal.
    pub(super) fn number(&mut self) -> Lexed<Scalar> {
        let bytes = self.text.as_bytes().get(self.at..).unwrap_or(&[]);
        let is_part = |it: &u8| matches!(it, b'0'..=b'9' | b'-' | b'+' | b'.' | b'a'..=b'f' | b'A'..=b'F' | b'x' | b'X');
        let length = bytes.iter().position(|it| !is_part(it)).unwrap_or(bytes.len());
        let text = self.rest().get(..length).unwrap_or("");
        self.at += length;
        let ends = self.char().is_none_or(|it| {
            matches!(it, ',' | '}' | ']' | ')' | '/' | '\0') || it.is_whitespace()
        });
        if !ends {
            return self.unexpected("Unexpected character encountered while parsing number");
        }
        match number(text) {
            Some(Scalar::Float(it)) if self.finite && !it.is_finite() => {
                self.fail(format!("Input string '{text}' is not a valid number."))
            }
            Some(value) => Ok(value),
            None if length > MAX_INTEGER_DIGITS => {
                self.fail(format!("JSON integer {text} is too large to parse."))
            }
            None => self.fail(format!("Input string '{text}' is not a valid number.")),
        }
    }
}

fn number(text: &str) -> Option<Scalar> {
    let other_base = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => Some((16, text.get(2..)?)),
        [b'0', b'.' | b'e' | b'E', ..] => None,
        [b'0', _, ..] => Some((8, text)),
        _ => None,
    };
    if let Some((base, digits)) = other_base {
        let is_digits = digits.bytes().all(|it| char::from(it).is_digit(base));
        let value = if is_digits { u64::from_str_radix(digits, base).ok()? } else { return None };
        return Some(Scalar::Int(value.cast_signed()));
    }
    // `parse` would also take a leading plus, but no value starts with one.
    if let Ok(value) = text.parse::<i64>() {
        return Some(Scalar::Int(value));
    }
    if let Some(digits) = canonical_integer(text) {
        let fits = text.len() <= MAX_INTEGER_DIGITS;
        return fits.then(|| Scalar::Big(Arc::from(digits)));
    }
    let is_decimal = text.bytes().all(|it| it.is_ascii_digit() || b"+-.eE".contains(&it));
    let value = if is_decimal { text.parse::<f64>().ok()? } else { return None };
    // Newtonsoft shares one boxed zero, which has no sign.
    Some(Scalar::Float(if value == 0.0 { 0.0 } else { value }))
}

#[cfg(test)]
mod tests {
    use super::{Lexer, number};
    use crate::json::scalar::Scalar;

    #[test]
    fn numbers_are_read_as_newtonsoft_reads_them() {
        let cases = [
            ("5", Some(Scalar::Int(5))),
            ("-0", Some(Scalar::Int(0))),
            ("010", Some(Scalar::Int(8))),
            ("0x1F", Some(Scalar::Int(31))),
            ("09", None),
            ("1e2", Some(Scalar::Float(100.0))),
            ("-0.0", Some(Scalar::Float(0.0))),
            (".5", Some(Scalar::Float(0.5))),
            ("5.", Some(Scalar::Float(5.0))),
            ("1e400", Some(Scalar::Float(f64::INFINITY))),
            ("9223372036854775808", Some(Scalar::Big("9223372036854775808".into()))),
            ("1f", None),
            ("-", None),
            ("1-2", None),
            (".", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_unescape_and_lone_surrogates_are_replaced() {
        let cases = [
            (r#""plain""#, "plain"),
            (r#"'sin"gle'"#, "sin\"gle"),
            (r#""\u0041\n\/\'""#, "A\n/'"),
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\ud83d!""#, "\u{fffd}!"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            ("\"raw\nbreak\"", "raw\nbreak"),
        ];
        for (text, expected) in cases {
            assert_eq!(&*Lexer::new(text).string().unwrap(), expected);
        }
        for wrong in ["\"open", r#""\x""#, r#""\u00g0""#, "\"\\"] {
            assert!(Lexer::new(wrong).string().is_err());
        }
    }

    #[test]
    fn comments_and_white_space_are_skipped() {
        let mut lexer = Lexer::new(" // a\n /* b */\u{a0} x");
        lexer.skip().unwrap();
        assert_eq!(lexer.byte(), Some(b'x'));
        assert!(Lexer::new("/* open").skip().is_err());
        assert!(Lexer::new("/x").skip().is_err());
    }

    #[test]
    fn equal_names_share_their_text() {
        let mut lexer = Lexer::new(r#""ab""ab""#);
        let (a, b) = (lexer.name().unwrap(), lexer.name().unwrap());
        assert!(std::sync::Arc::ptr_eq(&a, &b));
    }
}
