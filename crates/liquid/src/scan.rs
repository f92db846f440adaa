//! A template's text cut into text, outputs and tags.
//!
//! `{{-` and `{%-` take the blanks before them away, `-}}` and `-%}` one line break or the blanks
//! behind them, as DotLiquid does: before anything else, and everywhere.

use std::ops::Range;

use crate::error::Flaw;

/// A text without what whitespace control takes away, and where its parts come from.
pub(crate) struct Trimmed {
    pub(crate) text: String,
    /// Where a part begins in the new text, and in the old one.
    map: Vec<(usize, usize)>,
    source_bytes: usize,
}

impl Trimmed {
    /// Takes white space away. In the source of a document that was not decoded (`is_markup`),
    /// references to the characters of markup are decoded where Liquid reads them.
    pub(crate) fn new(source: &str, is_markup: bool) -> Trimmed {
        let mut it = Trimmed { text: String::new(), map: vec![(0, 0)], source_bytes: source.len() };
        let (mut at, mut is_inside) = (0, false);
        while let Some(rest) = source.get(at..).filter(|it| !it.is_empty()) {
            let (taken, written) = match rest.as_bytes() {
                [b'{', b'{' | b'%', dash, ..] => {
                    is_inside = true;
                    if *dash == b'-' {
                        let kept = it.text.trim_end_matches([' ', '\t']).len();
                        it.text.truncate(kept);
                    }
                    (if *dash == b'-' { 3 } else { 2 }, rest.get(..2))
                }
                [b'-', b'}' | b'%', b'}', behind @ ..] => {
                    is_inside = false;
                    (3 + blanks(behind), rest.get(1..3))
                }
                [b'}' | b'%', b'}', ..] => {
                    is_inside = false;
                    (2, rest.get(..2))
                }
                [b'&', ..] if is_inside && is_markup => match reference(rest) {
                    Some((length, text)) => (length, Some(text)),
                    None => (1, rest.get(..1)),
                },
                _ => {
                    let length = rest.chars().next().map_or(1, char::len_utf8);
                    (length, rest.get(..length))
                }
            };
            it.push(written.unwrap_or_default(), at);
            at += taken;
        }
        it.push("", at);
        it
    }

    /// The byte of the old text that a byte of the new one comes from.
    pub(crate) fn source(&self, at: usize) -> usize {
        let part = self.map.partition_point(|it| it.0 <= at).saturating_sub(1);
        let (here, there) = self.map.get(part).copied().unwrap_or_default();
        (there + at.saturating_sub(here)).min(self.source_bytes)
    }

    /// Adds text that comes from a byte of the source.
    fn push(&mut self, text: &str, source: usize) {
        let here = self.text.len();
        while self.map.last().is_some_and(|it| it.0 > here) {
            self.map.pop();
        }
        let expected = self.map.last().map(|it| it.1 + (here - it.0));
        if expected != Some(source) {
            match self.map.last_mut() {
                Some(last) if last.0 == here => last.1 = source,
                _ => self.map.push((here, source)),
            }
        }
        self.text.push_str(text);
    }
}

/// One line break, or blanks, at the start: how many bytes.
fn blanks(text: &[u8]) -> usize {
    match text {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => text.iter().take_while(|it| matches!(it, b' ' | b'\t')).count(),
    }
}

/// A reference to a character of markup at the start: its length, and the character.
fn reference(text: &str) -> Option<(usize, &'static str)> {
    const REFERENCES: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\""), ("&apos;", "'")];
    REFERENCES.iter().find(|it| text.starts_with(it.0)).map(|it| (it.0.len(), it.1))
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Text that is copied.
    Text(Range<usize>),
    /// What stands between `{{` and `}}`.
    Output(Range<usize>),
    /// What stands between `{%` and `%}`.
    Tag {
        whole: Range<usize>,
        /// The word that it begins with.
        name: Range<usize>,
        /// What stands behind the word.
        markup: Range<usize>,
    },
}

/// Cuts a text; what is not closed or has no name is a flaw and left out.
pub(crate) fn tokens(text: &str, flaws: &mut Vec<Flaw>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut from = 0;
    while let Some((at, is_tag)) = next_mark(text, from) {
        if at > from {
            tokens.push(Token::Text(from..at));
        }
        let closer = if is_tag { "%}" } else { "}}" };
        let inner = at + 2;
        let Some(length) = text.get(inner..).and_then(|it| it.find(closer)) else {
            let (what, mark) = if is_tag { ("tag", "{%") } else { ("output", "{{") };
            let message = format!("{what} is not closed: `{mark}` without `{closer}`");
            flaws.push(Flaw::new(at..inner, message));
            return tokens;
        };
        let inner = inner..inner + length;
        from = inner.end + 2;
        if is_tag {
            match tag(text, at..from, &inner) {
                Some(tag) => tokens.push(tag),
                None => flaws.push(Flaw::new(at..from, "a tag begins with its name")),
            }
        } else {
            tokens.push(Token::Output(inner));
        }
    }
    if from < text.len() {
        tokens.push(Token::Text(from..text.len()));
    }
    tokens
}

fn next_mark(text: &str, from: usize) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let braces = text.get(from..)?.match_indices('{').map(|(it, _)| from + it);
    braces.into_iter().find_map(|at| match bytes.get(at + 1) {
        Some(b'{') => Some((at, false)),
        Some(b'%') => Some((at, true)),
        _ => None,
    })
}

fn tag(text: &str, whole: Range<usize>, inner: &Range<usize>) -> Option<Token> {
    let content = text.get(inner.clone())?;
    let start = inner.start + (content.len() - content.trim_start().len());
    let rest = text.get(start..inner.end)?;
    let length = rest.find(|ch: char| !is_word(ch)).unwrap_or(rest.len());
    let behind = rest.get(length..)?;
    let markup = start + length + (behind.len() - behind.trim_start().len());
    let name = start..start + length;
    (length > 0).then_some(Token::Tag { whole, name, markup: markup..inner.end })
}

/// `\w`.
pub(crate) fn is_word(ch: char) -> bool {
    ch.is_alphanumeric() || ch == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut flaws = Vec::new();
        let mut shown: Vec<String> = tokens(text, &mut flaws)
            .into_iter()
            .map(|it| match it {
                Token::Text(it) => format!("[{}]", &text[it]),
                Token::Output(it) => format!("<{}>", &text[it]),
                Token::Tag { name, markup, .. } => format!("({}:{})", &text[name], &text[markup]),
            })
            .collect();
        shown.extend(flaws.into_iter().map(|it| format!("!{}", it.message)));
        shown.concat()
    }

    #[test]
    fn a_text_is_cut_at_its_marks() {
        for (text, expected) in [
            ("", ""),
            ("a {b} %} }}", "[a {b} %} }}]"),
            ("a{{ b }}c", "[a]< b >[c]"),
            ("{% if a %}x{%endif%}", "(if:a )[x](endif:)"),
            ("{{{ a }}", "<{ a >"),
            ("{\n{{a\n}}}", "[{\n]<a\n>[}]"),
            ("x{{ a }", "[x]!output is not closed: `{{` without `}}`"),
            ("x{% a", "[x]!tag is not closed: `{%` without `%}`"),
            ("{% %}", "!a tag begins with its name"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn dashes_take_white_space_away() {
        for (text, expected) in [
            ("a \t{{- b -}} \t c", "a{{ b }}c"),
            ("a\n {{- b -}}\n\n c", "a\n{{ b }}\n c"),
            ("a {%- b -%}\r\n c", "a{% b %} c"),
            ("a {{- b -}} {{- c -}} d", "a{{ b }}{{ c }}d"),
            ("{{-}}", "{{}}"),
            ("a - b -} }-", "a - b -} }-"),
            ("{{ 1 -}}", "{{ 1 }}"),
        ] {
            assert_eq!(Trimmed::new(text, false).text, expected, "{text}");
        }
    }

    #[test]
    fn markup_is_decoded_where_liquid_reads_it() {
        let text = "a &lt; {% if b &lt; '&quot;' -%} &amp; {{ c &amp;amp; }} &gt;";
        let trimmed = Trimmed::new(text, true);
        assert_eq!(trimmed.text, "a &lt; {% if b < '\"' %}&amp; {{ c &amp; }} &gt;");
        for (here, there) in [("'\"'", "'&quot;'"), ("c", "c"), ("}} &gt;", "}} &gt;")] {
            let at = trimmed.text.find(here).unwrap();
            assert_eq!(trimmed.source(at), text.find(there).unwrap(), "{here}");
        }
        assert_eq!(Trimmed::new(text, false).text, text.replace("-%} ", "%}"));
    }

    #[test]
    fn places_are_found_again_in_the_text_as_written() {
        let source = "ab  {{- c -}}  de {{- f }} g";
        let trimmed = Trimmed::new(source, false);
        assert_eq!(trimmed.text, "ab{{ c }}de{{ f }} g");
        for ch in ['a', 'c', 'd', 'e', 'f', 'g'] {
            let at = trimmed.text.find(ch).unwrap();
            assert_eq!(trimmed.source(at), source.find(ch).unwrap(), "{ch}");
        }
        assert_eq!(trimmed.source(trimmed.text.len()), source.len());
    }
}
