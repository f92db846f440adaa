//! From text to tokens: the lexical rules of C# 7.
//!
//! One pass, linear time. Interpolated strings are read with a stack of holes, so that nested ones
//! cost nothing extra. What cannot be read becomes [`TokenKind::Unknown`] and a [`Problem`].
//!
//! Source: C# 7 language specification, 6.3 and 6.4, and 12.8.3 for interpolated strings.

use super::ast::{IntegerSuffix, Literal, Span};
use super::token::{Keyword, Punct, Token, TokenKind};
use crate::problem::Problem;

/// How deep interpolated strings may nest.
const MAX_HOLES: usize = 32;

/// Reads all tokens of `source`. The last one is always [`TokenKind::End`].
pub fn tokenize(source: &str) -> (Vec<Token>, Vec<Problem>) {
    let mut lexer = Lexer {
        source,
        at: 0,
        tokens: Vec::with_capacity(source.len() / 4 + 2),
        problems: Vec::new(),
        holes: Vec::new(),
    };
    lexer.run();
    (lexer.tokens, lexer.problems)
}

/// A hole of an interpolated string that is open.
struct Hole {
    verbatim: bool,
    /// Brackets open inside the hole.
    depth: u32,
    /// Where the string starts.
    start: usize,
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Token>,
    problems: Vec<Problem>,
    holes: Vec<Hole>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        loop {
            self.skip_blank();
            let start = self.at;
            let Some(next) = self.peek() else { break };
            match next {
                '0'..='9' => self.number(),
                '.' if self.peek_at(1).is_some_and(|it| it.is_ascii_digit()) => self.number(),
                '"' => self.regular_string(),
                '\'' => self.character(),
                '@' if self.peek_at(1) == Some('"') => self.verbatim_string(),
                '@' if self.rest().starts_with("@$\"") => {
                    self.needs(start, 3, "8", "`@$\"...\"` (write `$@\"...\"`)");
                    self.interpolated(3, true);
                }
                '$' if self.peek_at(1) == Some('"') => self.interpolated(2, false),
                '$' if self.rest().starts_with("$@\"") => self.interpolated(3, true),
                '@' => self.identifier(),
                it if is_identifier_start(it) || it == '\\' => self.identifier(),
                '#' => self.directive(),
                _ => self.punctuation(),
            }
            debug_assert!(self.at > start);
        }
        if let Some(hole) = self.holes.pop() {
            let span = Span::new(hole.start, self.at);
            self.problem("PC0301", "interpolated string is not closed", span, "starts here", None);
        }
        let at = Span::new(self.source.len(), self.source.len());
        self.tokens.push(Token { kind: TokenKind::End, span: at });
    }

    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn peek_at(&self, bytes: usize) -> Option<char> {
        self.source.get(self.at + bytes..).and_then(|it| it.chars().next())
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: Span::new(start, self.at) });
    }

    fn problem(
        &mut self,
        code: &'static str,
        message: &str,
        span: Span,
        label: &str,
        help: Option<&str>,
    ) {
        self.problems.push(Problem {
            code,
            message: message.to_owned(),
            span: span.range(),
            label: label.to_owned(),
            help: help.map(str::to_owned),
        });
    }

    fn needs(&mut self, start: usize, length: usize, version: &str, what: &str) {
        let message = format!("{what} needs C# {version}");
        let span = Span::new(start, start + length);
        self.problem("PC0303", &message, span, "policy expressions are C# 7", None);
    }

    fn skip_blank(&mut self) {
        loop {
            match self.peek() {
                Some(it) if it.is_whitespace() || it == '\u{feff}' || it == '\u{1a}' => {
                    self.at += it.len_utf8();
                }
                Some('/') if self.rest().starts_with("//") => {
                    let end = self.rest().find(is_line_break).unwrap_or(self.rest().len());
                    self.at += end;
                }
                Some('/') if self.rest().starts_with("/*") => {
                    let start = self.at;
                    let length = self.rest().get(2..).and_then(|it| it.find("*/"));
                    self.at = length.map_or(self.source.len(), |it| start + it + 4);
                    if length.is_none() {
                        let span = Span::new(start, start + 2);
                        self.problem("PC0301", "comment is not closed", span, "starts here", None);
                    }
                }
                _ => break,
            }
        }
    }

    /// `#if` and the like. A document has no lines that a directive could rule over.
    fn directive(&mut self) {
        let start = self.at;
        self.at += self.rest().find(is_line_break).unwrap_or(self.rest().len());
        let span = Span::new(start, self.at);
        let message = "preprocessor directives are not allowed in a policy expression";
        self.problem("PC0302", message, span, "directive", None);
    }

    fn identifier(&mut self) {
        let start = self.at;
        let verbatim = self.peek() == Some('@');
        if verbatim {
            self.at += 1;
        }
        let mut text = String::new();
        loop {
            match self.peek() {
                Some('\\') => {
                    let Some((decoded, length)) = unicode_escape(self.rest()) else { break };
                    let Some(decoded) =
                        char::from_u32(decoded).filter(|it| is_identifier_part(*it))
                    else {
                        break;
                    };
                    self.at += length;
                    text.push(decoded);
                }
                Some(it) if is_identifier_part(it) => {
                    self.at += it.len_utf8();
                    text.push(it);
                }
                _ => break,
            }
        }
        if text.is_empty() {
            if !verbatim {
                self.advance();
            }
            return self.unknown(start);
        }
        if let (false, Some(keyword)) = (verbatim, Keyword::from_text(&text)) {
            return self.push(TokenKind::Keyword(keyword), start);
        }
        self.push(TokenKind::Identifier { text: text.into(), verbatim }, start);
    }

    fn unknown(&mut self, start: usize) {
        let span = Span::new(start, self.at);
        let text = self.source.get(span.range()).unwrap_or("").to_owned();
        let help = text.starts_with('&').then_some("entities are not decoded inside an expression");
        let message = format!("`{}` is not C#", text.escape_debug());
        self.problem("PC0301", &message, span, "unexpected character", help);
        self.push(TokenKind::Unknown, start);
    }

    fn punctuation(&mut self) {
        let start = self.at;
        if self.hole_syntax() {
            return;
        }
        let rest = self.rest();
        let found = Punct::ALL.iter().copied().find(|it| rest.starts_with(it.text()));
        let Some(mut punct) = found else {
            self.advance();
            return self.unknown(start);
        };
        // `a?.5:b` is a conditional; `x ?? = y` never is one token.
        if punct == Punct::Range && rest.starts_with("...") {
            punct = Punct::Dot;
        }
        self.at += punct.text().len();
        if let Some(hole) = self.holes.last_mut() {
            match punct {
                Punct::OpenBrace | Punct::OpenBracket | Punct::OpenParen => hole.depth += 1,
                Punct::CloseBrace | Punct::CloseBracket | Punct::CloseParen => {
                    hole.depth = hole.depth.saturating_sub(1);
                }
                _ => {}
            }
        }
        self.push(TokenKind::Punct(punct), start);
    }

    /// `:` and `}` of a hole with no bracket open. Returns whether something was read.
    fn hole_syntax(&mut self) -> bool {
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

    fn interpolated(&mut self, opening: usize, verbatim: bool) {
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

    fn unclosed(&mut self, start: usize, what: &str) {
        let span = Span::new(start, self.at);
        let message = format!("{what} is not closed");
        self.problem("PC0301", &message, span, "starts here", None);
        let last = self.tokens.last().map_or(0, |it| it.span.end as usize);
        self.push(TokenKind::Unknown, start.max(last));
    }

    fn regular_string(&mut self) {
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

    fn verbatim_string(&mut self) {
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

    fn character(&mut self) {
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
    fn escape(&mut self, units: &mut Units) {
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

    fn number(&mut self) {
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

/// Text as UTF-16, since escapes can write half of a surrogate pair.
#[derive(Default)]
struct Units(Vec<u16>);

impl Units {
    fn push(&mut self, it: char) {
        self.0.extend_from_slice(it.encode_utf16(&mut [0; 2]));
    }

    fn push_code(&mut self, code: u32) {
        match (u16::try_from(code), char::from_u32(code)) {
            (Ok(unit), _) => self.0.push(unit),
            (_, Some(it)) => self.push(it),
            _ => {}
        }
    }

    fn into_literal(self) -> Literal {
        match String::from_utf16(&self.0) {
            Ok(text) => Literal::String(text.into()),
            Err(_) => Literal::Units(self.0.into()),
        }
    }
}

/// `\uXXXX` and `\UXXXXXXXX`: the code and how many bytes it takes.
fn unicode_escape(text: &str) -> Option<(u32, usize)> {
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

fn is_line_break(it: char) -> bool {
    matches!(it, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_identifier_start(it: char) -> bool {
    it == '_' || it.is_alphabetic()
}

fn is_identifier_part(it: char) -> bool {
    it == '_'
        || it.is_alphanumeric()
        || matches!(it, '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '\u{203f}' | '\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(source: &str) -> Literal {
        let (tokens, problems) = tokenize(source);
        assert!(problems.is_empty(), "{source}: {problems:?}");
        match tokens.as_slice() {
            [Token { kind: TokenKind::Literal(it), .. }, _] => it.clone(),
            other => panic!("{source}: {other:?}"),
        }
    }

    fn texts(source: &str) -> Vec<&str> {
        let (tokens, _) = tokenize(source);
        tokens.iter().map(|it| &source[it.span.range()]).collect()
    }

    fn messages(source: &str) -> String {
        let (_, problems) = tokenize(source);
        problems.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("; ")
    }

    fn string(text: &str) -> Literal {
        Literal::String(text.into())
    }

    fn integer(value: u64, suffix: IntegerSuffix) -> Literal {
        Literal::Integer { value, suffix }
    }

    #[test]
    fn strings_are_decoded() {
        assert_eq!(literal(r#""a\tb\"\x41\u0042\U0001F600""#), string("a\tb\"AB\u{1f600}"));
        assert_eq!(literal(r#"@"a\""b""#), string("a\\\"b"));
        assert_eq!(literal("@\"a\nb\""), string("a\nb"));
        assert_eq!(literal(r#""\ud83d\ude00""#), string("\u{1f600}"));
        assert_eq!(literal(r#""\ud800""#), Literal::Units([0xd800].into()));
    }

    #[test]
    fn characters_are_utf16_units() {
        assert_eq!(literal("'a'"), Literal::Char(97));
        assert_eq!(literal(r"'\''"), Literal::Char(39));
        assert_eq!(literal(r"'\\'"), Literal::Char(92));
        assert_eq!(literal("'\"'"), Literal::Char(34));
        assert_eq!(literal(r"'\xd800'"), Literal::Char(0xd800));
        assert_eq!(messages("'ab'"), "a character literal holds one UTF-16 unit");
        assert_eq!(messages("''"), "empty character literal");
        assert_eq!(messages("'a"), "character literal is not closed");
    }

    #[test]
    fn numbers_take_suffixes_radixes_and_underscores() {
        assert_eq!(literal("1_000"), integer(1000, IntegerSuffix::None));
        assert_eq!(literal("0xFFul"), integer(255, IntegerSuffix::Ul));
        assert_eq!(literal("0b_1010"), integer(10, IntegerSuffix::None));
        assert_eq!(literal("5LU"), integer(5, IntegerSuffix::Ul));
        assert_eq!(literal("18446744073709551615"), integer(u64::MAX, IntegerSuffix::None));
        assert_eq!(literal("1.5e3"), Literal::Double(1500.0));
        assert_eq!(literal(".5f"), Literal::Float(0.5));
        assert_eq!(literal("1d"), Literal::Double(1.0));
        assert_eq!(literal("1.50m"), Literal::Decimal("1.50".into()));
        assert_eq!(messages("99999999999999999999"), "integer is too large");
        assert_eq!(messages("1e999"), "floating-point constant is outside the range of its type");
    }

    #[test]
    fn a_dot_after_a_number_is_a_member_access() {
        assert_eq!(texts("1.ToString()"), ["1", ".", "ToString", "(", ")", ""]);
        assert_eq!(texts("1.5.ToString"), ["1.5", ".", "ToString", ""]);
        assert_eq!(texts("a?.5:1"), ["a", "?", ".5", ":", "1", ""]);
    }

    #[test]
    fn interpolated_strings_nest() {
        let source = r#"$"a{b[":"],-3:x{{}}}c{$"{d}"}""#;
        let expected = [
            "$\"", "a", "{", "b", "[", "\":\"", "]", ",", "-", "3", ":x{{}}", "}", "c", "{", "$\"",
            "{", "d", "}", "\"", "}", "\"", "",
        ];
        assert_eq!(texts(source), expected);
        assert_eq!(messages(source), "");
    }

    #[test]
    fn verbatim_interpolated_strings_double_their_quotes() {
        let (tokens, problems) = tokenize(r#"$@"{{""a"":{1}}}\""#);
        assert!(problems.is_empty());
        assert_eq!(tokens[1].kind, TokenKind::InterpolationText(string("{\"a\":")));
        assert_eq!(tokens[5].kind, TokenKind::InterpolationText(string("}\\")));
    }

    #[test]
    fn comments_and_white_space_are_skipped() {
        assert_eq!(texts("a // b \" c\n + /* ' */ d"), ["a", "+", "d", ""]);
        assert_eq!(messages("a /* b"), "comment is not closed");
    }

    #[test]
    fn names_may_be_escaped() {
        let (tokens, _) = tokenize(r"@class n\u0061me");
        let name = |text: &str, verbatim| TokenKind::Identifier { text: text.into(), verbatim };
        assert_eq!(tokens[0].kind, name("class", true));
        assert_eq!(tokens[1].kind, name("name", false));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(messages("\"abc"), "string is not closed");
        assert_eq!(messages("\"a\\qb\""), "unknown escape sequence");
        assert_eq!(messages("$\"{a"), "interpolated string is not closed");
        assert_eq!(messages("a ` b"), "```` is not C#".replace("````", "```"));
        assert_eq!(
            messages("#if X"),
            "preprocessor directives are not allowed in a policy expression"
        );
        assert!(messages("@$\"a\"").contains("needs C# 8"));
        assert!(messages("\"\"\"a\"\"\"").contains("needs C# 11"));
        assert_eq!(messages("$\"a}\""), "`}` without `{`");
    }

    #[test]
    fn nesting_is_bounded() {
        let source = "$\"{".repeat(1000);
        assert!(messages(&source).contains("nested too deeply"));
    }
}
