//! From text to tokens: the lexical rules of C# 7.
//!
//! One pass, linear time. Interpolated strings are read with a stack of holes, so that nested ones
//! cost nothing extra. What cannot be read becomes [`TokenKind::Unknown`] and a [`Problem`].
//!
//! Source: C# 7 language specification, 6.3 and 6.4, and 12.8.3 for interpolated strings.

mod interpolated;
mod number;
mod text;

use super::ast::Span;
#[cfg(test)]
use super::ast::{IntegerSuffix, Literal};
use super::token::{Keyword, Punct, Token, TokenKind};
use crate::problem::Problem;
use text::unicode_escape;

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

    /// `#pragma` and regions say nothing here and are skipped; `#if` and the like are refused.
    fn directive(&mut self) {
        let start = self.at;
        self.at += self.rest().find(is_line_break).unwrap_or(self.rest().len());
        let text = self.source.get(start + 1..self.at).unwrap_or("").trim_start();
        if ["pragma", "region", "endregion"].iter().any(|it| text.starts_with(it)) {
            return;
        }
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
        assert_eq!(texts("#pragma warning disable\na\n#region x\n"), ["a", ""]);
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
