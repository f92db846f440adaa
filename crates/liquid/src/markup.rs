//! The small language inside of outputs and tags: fragments, values, filters, attributes.
//!
//! DotLiquid reads it with regular expressions; these functions accept what those accept, and tell
//! what was meant to be something and is not.

use std::ops::Range;

use dotnet::Runtime;
use dotnet::Str;
use dotnet::text::number::parse::{Styles, parse_decimal, parse_double};

use crate::error::Flaw;
use crate::expr::{Expr, Part, Path};
use crate::scan::is_word;
use crate::value::Value;

/// A part of a template's text, which knows where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Markup<'a> {
    pub(crate) text: &'a str,
    /// Its first byte in the whole text.
    pub(crate) start: usize,
}

impl<'a> Markup<'a> {
    pub(crate) fn of(text: &'a str, range: Range<usize>) -> Markup<'a> {
        Markup { text: text.get(range.clone()).unwrap_or_default(), start: range.start }
    }

    /// Its bytes in the whole text.
    pub(crate) fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    pub(crate) fn slice(self, range: Range<usize>) -> Markup<'a> {
        let start = self.start + range.start;
        Markup { text: self.text.get(range).unwrap_or_default(), start }
    }

    pub(crate) fn from(self, at: usize) -> Markup<'a> {
        self.slice(at.min(self.text.len())..self.text.len())
    }

    pub(crate) fn trim_start(self) -> Markup<'a> {
        self.from(self.text.len() - self.text.trim_start().len())
    }

    pub(crate) fn trim(self) -> Markup<'a> {
        let it = self.trim_start();
        it.slice(0..it.text.trim_end().len())
    }

    pub(crate) fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// The word (`\w+`) that it begins with.
    pub(crate) fn word(self) -> Option<Markup<'a>> {
        let end = self.text.find(|ch: char| !is_word(ch)).unwrap_or(self.text.len());
        (end > 0).then(|| self.slice(0..end))
    }

    /// The first fragment at or behind its start, and what is left behind it. A fragment is a quoted
    /// text, or characters that are neither blank nor `|` (nor `,` if `commas` end it), quoted parts
    /// included.
    pub(crate) fn fragment(self, commas: Commas) -> Option<(Markup<'a>, Markup<'a>)> {
        let starts = self.text.char_indices().map(|(at, _)| at);
        let mut found = starts.filter_map(|at| Some((at, fragment_end(self.text, at, commas)?)));
        let (at, end) = found.next()?;
        Some((self.slice(at..end), self.from(end)))
    }

    /// The fragment that it begins with.
    pub(crate) fn fragment_here(self, commas: Commas) -> Option<(Markup<'a>, Markup<'a>)> {
        let end = fragment_end(self.text, 0, commas)?;
        Some((self.slice(0..end), self.from(end)))
    }

    /// A flaw in it.
    pub(crate) fn flaw(self, message: impl Into<String>) -> Flaw {
        Flaw::new(self.span(), message)
    }
}

/// Whether a comma ends a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commas {
    End,
    Belong,
}

fn fragment_end(text: &str, at: usize, commas: Commas) -> Option<usize> {
    let rest = text.get(at..)?;
    if rest.starts_with(['"', '\'']) {
        return quoted_end(text, at);
    }
    let mut end = at;
    while let Some(ch) = text.get(end..).and_then(|it| it.chars().next()) {
        if matches!(ch, '"' | '\'') {
            match quoted_end(text, end) {
                Some(behind) => end = behind,
                None => break,
            }
        } else if ch.is_whitespace() || ch == '|' || (ch == ',' && commas == Commas::End) {
            break;
        } else {
            end += ch.len_utf8();
        }
    }
    (end > at).then_some(end)
}

/// Just behind the quoted text that begins here.
pub(crate) fn quoted_end(text: &str, at: usize) -> Option<usize> {
    let quote = text.get(at..)?.chars().next()?;
    let length = text.get(at + 1..)?.find(quote)?;
    Some(at + 1 + length + 1)
}

/// The pieces between `|` outside of quoted texts.
pub(crate) fn pieces(markup: Markup<'_>) -> Vec<Markup<'_>> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(ch) = markup.text.get(at..).and_then(|it| it.chars().next()) {
        if ch == '|' {
            pieces.push(markup.slice(from..at));
            from = at + 1;
        }
        at = match ch {
            '"' | '\'' => quoted_end(markup.text, at).unwrap_or(at + 1),
            _ => at + ch.len_utf8(),
        };
    }
    pieces.push(markup.from(from));
    pieces
}

/// The arguments in a filter's piece: fragments behind `:` or `,`.
pub(crate) fn arguments<'a>(piece: Markup<'a>, flaws: &mut Vec<Flaw>) -> Vec<Markup<'a>> {
    let mut arguments = Vec::new();
    let mut rest = piece;
    while let Some(at) = rest.text.find([':', ',']) {
        rest = rest.from(at + 1).trim_start();
        match rest.fragment_here(Commas::End) {
            Some((argument, behind)) => {
                arguments.push(argument);
                rest = behind;
            }
            None if rest.text.starts_with(['"', '\'']) => {
                flaws.push(rest.flaw("the quoted text is not closed"));
                break;
            }
            None => {}
        }
    }
    arguments
}

/// `name: value` pairs, as those behind a `for`.
pub(crate) fn attributes(markup: Markup<'_>) -> Vec<(&str, Markup<'_>)> {
    let mut attributes = Vec::new();
    let mut rest = markup;
    while let Some(at) = rest.text.find(':') {
        let before = rest.slice(0..at).text.trim_end();
        let start = before.rfind(|ch: char| !is_word(ch)).map_or(0, |it| {
            it + before.get(it..).and_then(|it| it.chars().next()).map_or(1, char::len_utf8)
        });
        let name = before.get(start..).unwrap_or_default();
        rest = rest.from(at + 1).trim_start();
        if let (false, Some((value, behind))) = (name.is_empty(), rest.fragment_here(Commas::End)) {
            attributes.push((name, value));
            rest = behind;
        }
    }
    attributes
}

/// Reads a value.
pub(crate) fn value(markup: Markup<'_>) -> Result<Expr, Flaw> {
    let text = markup.text;
    let literal = |value| Ok(Expr::Literal(value));
    match text {
        "" | "nil" | "null" => return literal(Value::Nil),
        "true" => return literal(Value::Bool(true)),
        "false" => return literal(Value::Bool(false)),
        "empty" | "blank" => return literal(Value::Empty),
        _ => {}
    }
    for quote in ['\'', '"'] {
        let inner = text.strip_prefix(quote).and_then(|it| it.strip_suffix(quote));
        if let Some(inner) = inner {
            return literal(Value::Text(Str::from(inner)));
        }
    }
    if let Some(number) = number(markup)? {
        return literal(number);
    }
    let range = text.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    if let Some((at, _)) = range.and_then(|it| it.match_indices("..").last())
        && at > 0
        && at + 3 < text.len() - 1
    {
        let from = value(markup.slice(1..at + 1))?;
        let to = value(markup.slice(at + 3..text.len() - 1))?;
        return Ok(Expr::Range(Box::new((from, to))));
    }
    path(markup).map(Expr::Path)
}

/// A number: digits with a sign perhaps, or those with points and commas.
fn number(markup: Markup<'_>) -> Result<Option<Value>, Flaw> {
    let text = markup.text;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|ch: char| ch.is_ascii_digit()) {
        return Ok(None);
    }
    if digits.bytes().all(|it| it.is_ascii_digit()) {
        if let Ok(value) = text.parse::<i32>() {
            return Ok(Some(Value::Int(value)));
        }
        let flaw = |_| markup.flaw("the number is larger than 64 bits hold");
        return text.parse::<i64>().map(|it| Some(Value::Long(it))).map_err(flaw);
    }
    if digits.len() < 2 || !digits.bytes().all(|it| it.is_ascii_digit() || b".,|".contains(&it)) {
        return Ok(None);
    }
    let styles = Styles::FLOAT_THOUSANDS;
    if let Ok(value) = parse_decimal(text, styles) {
        return Ok(Some(Value::Decimal(value)));
    }
    let flaw = |_| markup.flaw("this is no number");
    parse_double(text, styles, Runtime::Modern).map(|it| Some(Value::Double(it))).map_err(flaw)
}

/// A name with members: words (a dash belongs to them, a question mark may end them) and values in
/// brackets, whatever stands between them.
fn path(markup: Markup<'_>) -> Result<Path, Flaw> {
    let mut parts = Vec::new();
    let mut at = 0;
    let text = markup.text;
    let is_name = |ch: char| is_word(ch) || ch == '-';
    while let Some(ch) = text.get(at..).and_then(|it| it.chars().next()) {
        if is_name(ch) {
            let rest = text.get(at..).unwrap_or_default();
            let length = rest.find(|ch| !is_name(ch)).unwrap_or(rest.len());
            let mark = usize::from(rest.get(length..).is_some_and(|it| it.starts_with('?')));
            parts.push(Part::Name(rest.get(..length + mark).unwrap_or_default().into()));
            at += length + mark;
            continue;
        }
        if ch == '['
            && let Some(length) = text.get(at + 1..).and_then(|it| it.find(']'))
            && length > 0
        {
            // What stands in brackets holds no brackets, so this goes one level deep.
            let index = value(markup.slice(at + 1..at + 1 + length))?;
            parts.push(Part::Index(Box::new(index)));
            at += length + 2;
            continue;
        }
        at += ch.len_utf8();
    }
    let mut parts = parts.into_iter();
    match parts.next() {
        Some(first) => Ok(Path { first, rest: parts.collect() }),
        None => Err(markup.flaw(format!("`{text}` is neither a name nor a literal"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Markup<'_> {
        Markup { text, start: 0 }
    }

    fn shown(expr: &Expr) -> String {
        let part = |it: &Part| match it {
            Part::Name(name) => format!(".{name}"),
            Part::Index(index) => format!("[{}]", shown(index)),
        };
        match expr {
            Expr::Literal(Value::Empty) => "empty".to_owned(),
            Expr::Literal(Value::Text(text)) => format!("'{text}'"),
            Expr::Literal(it) => format!("{it:?}").replace("..", it.to_text().as_str()),
            Expr::Range(it) => format!("({} to {})", shown(&it.0), shown(&it.1)),
            Expr::Path(it) => {
                std::iter::once(&it.first).chain(&it.rest).map(part).collect::<String>()
            }
        }
    }

    #[test]
    fn values_are_read_as_dotliquid_reads_them() {
        for (text, expected) in [
            ("nil", "Nil"),
            ("true", "Bool(True)"),
            ("blank", "empty"),
            ("'a b'", "'a b'"),
            ("\"it's\"", "'it's'"),
            ("-7", "Int(-7)"),
            ("3000000000", "Long(3000000000)"),
            ("1.50", "Decimal(1.50)"),
            ("1,000.5", "Decimal(1000.5)"),
            ("(1..n)", "(Int(1) to .n)"),
            ("(a.b..3)", "(.a.b to Int(3))"),
            ("body.a-b", ".body.a-b"),
            ("a[0]['x y'].b?", ".a[Int(0)]['x y'].b?"),
            ("a[b.c]", ".a[.b.c]"),
            ("['x'].y", "['x'].y"),
            ("a==b", ".a.b"),
            ("é.ß", ".é.ß"),
        ] {
            assert_eq!(shown(&value(of(text)).unwrap()), expected, "{text}");
        }
        for text in ["$", "99999999999999999999", "1.2.3"] {
            assert!(value(of(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn fragments_end_at_blanks_and_hold_quoted_texts() {
        for (text, first, rest) in [
            ("a b", "a", " b"),
            (" 'a b'c", "'a b'", "c"),
            ("a['x y'].b|c", "a['x y'].b", "|c"),
            ("a,b", "a", ",b"),
            ("\"a", "a", ""),
        ] {
            let (fragment, behind) = of(text).fragment(Commas::End).unwrap();
            assert_eq!((fragment.text, behind.text), (first, rest), "{text}");
        }
        assert_eq!(of("a,b").fragment(Commas::Belong).unwrap().0.text, "a,b");
        assert!(of(" | ").fragment(Commas::End).is_none());
    }

    #[test]
    fn filters_and_their_arguments_are_told_apart() {
        let pieces: Vec<&str> =
            pieces(of("a | B: 'x|y', 2 | C")).into_iter().map(|it| it.text).collect();
        assert_eq!(pieces, ["a ", " B: 'x|y', 2 ", " C"]);
        let mut flaws = Vec::new();
        let found = arguments(of(" Replace: \"a:b\", c.d ,7"), &mut flaws);
        assert_eq!(found.iter().map(|it| it.text).collect::<Vec<_>>(), ["\"a:b\"", "c.d", "7"]);
        assert!(flaws.is_empty());
        assert!(arguments(of("Append: 'x"), &mut flaws).is_empty() && flaws.len() == 1);
    }

    #[test]
    fn attributes_are_names_with_values() {
        let found = attributes(of("x in y limit:2 offset : continue cols:'3'"));
        let found: Vec<(&str, &str)> = found.into_iter().map(|it| (it.0, it.1.text)).collect();
        assert_eq!(found, [("limit", "2"), ("offset", "continue"), ("cols", "'3'")]);
    }
}
