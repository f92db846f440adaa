//! Decoded text that knows where in the source each of its bytes came from.

use std::ops::Range;
use std::sync::Arc;

use crate::Span;

/// Where a piece of text came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The source, byte for byte.
    Source,
    /// Something in the source that stands for it: an entity reference or a line break.
    Decoded,
    /// A named value.
    NamedValue { name: Arc<str>, secret: bool },
}

/// A piece of text; it reaches to the next piece's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) start: u32,
    pub(crate) source: Span,
    pub(crate) origin: Origin,
}

/// The text of a value after decoding, with a map back to the source.
///
/// `Debug` shows `{{name}}` where the text of a secret named value stands.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceText {
    text: String,
    segments: Vec<Segment>,
    span: Span,
    pub(crate) unquoted: bool,
    pub(crate) markup: bool,
}

impl SourceText {
    /// An empty text that stands at `span`.
    pub(crate) fn empty(span: Span) -> Self {
        Self { text: String::new(), segments: Vec::new(), span, unquoted: false, markup: false }
    }

    /// A text that stands in the source as it is, from `start` on.
    pub fn verbatim(text: &str, start: usize) -> Self {
        let mut it = Self::empty(Span::new(start, start + text.len()));
        it.push_source(text, start);
        it
    }

    /// The text. If named values were put in, it may hold secrets.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The place of the whole value in the source.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether it is markup kept as text: the content of a `set-body` that holds tags.
    pub fn is_markup(&self) -> bool {
        self.markup
    }

    /// Whether nothing but white space is in it.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether it starts, after white space, like an expression: `@(` or `@{`.
    pub fn starts_expression(&self) -> bool {
        !self.markup && starts_expression(&self.text)
    }

    /// The place in the source that the bytes `range` of the text came from.
    ///
    /// Text that an entity or a named value stands for maps to the whole of that reference.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let Some((first, offset)) = self.segment_at(range.start) else { return self.span };
        let start = match first.origin {
            Origin::Source => first.source.start as usize + offset,
            Origin::Decoded | Origin::NamedValue { .. } => first.source.start as usize,
        };
        if range.end <= range.start {
            return Span::at(start);
        }
        let Some((last, offset)) = self.segment_at(range.end - 1) else { return Span::at(start) };
        let end = match last.origin {
            Origin::Source => last.source.start as usize + offset + 1,
            Origin::Decoded | Origin::NamedValue { .. } => last.source.end as usize,
        };
        Span::new(start, end)
    }

    /// The same without white space at both ends.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.slice(start..start + self.text.trim().len())
    }

    /// The part `range`, which must lie on character boundaries; else it is empty.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut part = Self::empty(self.span_of(range.clone()));
        part.markup = self.markup;
        for (piece, bounds) in self.pieces() {
            let (start, end) = (bounds.start.max(range.start), bounds.end.min(range.end));
            let Some(text) = self.text.get(start..end).filter(|it| !it.is_empty()) else {
                continue;
            };
            let source = match piece.origin {
                Origin::Source => {
                    let at = piece.source.start as usize + (start - bounds.start);
                    Span::new(at, at + text.len())
                }
                Origin::Decoded | Origin::NamedValue { .. } => piece.source,
            };
            part.push(text, source, piece.origin.clone());
        }
        part
    }

    /// The text with `{{name}}` in place of each secret.
    pub fn without_secrets(&self) -> String {
        let mut shown = String::with_capacity(self.text.len());
        for (piece, bounds) in self.pieces() {
            match &piece.origin {
                Origin::NamedValue { name, secret: true } => {
                    shown.push_str("{{");
                    shown.push_str(name);
                    shown.push_str("}}");
                }
                _ => shown.push_str(self.text.get(bounds).unwrap_or("")),
            }
        }
        shown
    }

    /// The named values whose text overlaps `range`, with whether they are secret.
    pub(crate) fn named_values_in(&self, range: Range<usize>) -> Vec<(Arc<str>, bool)> {
        let overlaps =
            |at: &Range<usize>| at.start < range.end.max(range.start + 1) && range.start < at.end;
        self.pieces()
            .filter(|(_, bounds)| overlaps(bounds))
            .filter_map(|(piece, _)| match &piece.origin {
                Origin::NamedValue { name, secret } => Some((name.clone(), *secret)),
                Origin::Source | Origin::Decoded => None,
            })
            .collect()
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = (&Segment, Range<usize>)> {
        let ends = self.segments.iter().skip(1).map(|it| it.start as usize);
        self.segments
            .iter()
            .zip(ends.chain([self.text.len()]))
            .map(|(piece, end)| (piece, piece.start as usize..end))
    }

    pub(crate) fn push_source(&mut self, text: &str, start: usize) {
        self.push(text, Span::new(start, start + text.len()), Origin::Source);
    }

    pub(crate) fn push(&mut self, text: &str, source: Span, origin: Origin) {
        if text.is_empty() {
            return;
        }
        let joins = self.segments.last().is_some_and(|last| {
            last.origin == Origin::Source
                && origin == Origin::Source
                && last.source.end == source.start
        });
        match self.segments.last_mut().filter(|_| joins) {
            Some(last) => last.source.end = source.end,
            None => {
                let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
                self.segments.push(Segment { start, source, origin });
            }
        }
        self.text.push_str(text);
    }

    /// Adds `other` at the end; the whole then spans both.
    pub(crate) fn append(&mut self, other: &Self) {
        self.span = self.span.to(other.span);
        self.markup |= other.markup;
        for (piece, bounds) in other.pieces() {
            self.push(other.text.get(bounds).unwrap_or(""), piece.source, piece.origin.clone());
        }
    }

    fn segment_at(&self, at: usize) -> Option<(&Segment, usize)> {
        let n = self.segments.partition_point(|it| it.start as usize <= at);
        let segment = self.segments.get(n.checked_sub(1)?)?;
        Some((segment, at - segment.start as usize))
    }
}

impl std::fmt::Debug for SourceText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceText({:?} at {:?})", self.without_secrets(), self.span.range())
    }
}

/// Whether `text` starts, after white space, with `@(` or `@{`.
pub(crate) fn starts_expression(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("@(") || text.starts_with("@{")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a&lt;b{{n}}c` with `&lt;` decoded and `n` put in.
    fn sample() -> SourceText {
        let mut it = SourceText::empty(Span::new(10, 22));
        it.push_source("a", 10);
        it.push("<", Span::new(11, 15), Origin::Decoded);
        it.push_source("b", 15);
        it.push("VALUE", Span::new(16, 21), Origin::NamedValue { name: "n".into(), secret: true });
        it.push_source("c", 21);
        it
    }

    #[test]
    fn places_map_back_to_the_source() {
        let it = sample();
        assert_eq!(it.as_str(), "a<bVALUEc");
        assert_eq!(it.span_of(0..1), Span::new(10, 11));
        assert_eq!(it.span_of(1..2), Span::new(11, 15));
        assert_eq!(it.span_of(4..5), Span::new(16, 21));
        assert_eq!(it.span_of(2..9), Span::new(15, 22));
        assert_eq!(it.span_of(9..9), Span::at(22));
        assert_eq!(SourceText::empty(Span::at(3)).span_of(5..6), Span::at(3));
    }

    #[test]
    fn slices_keep_the_map() {
        let part = sample().slice(1..5);
        assert_eq!((part.as_str(), part.span()), ("<bVA", Span::new(11, 21)));
        assert_eq!(part.span_of(1..2), Span::new(15, 16));
        let text = SourceText::verbatim("  x ", 5).trimmed();
        assert_eq!((text.as_str(), text.span()), ("x", Span::new(7, 8)));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(sample().without_secrets(), "a<b{{n}}c");
        assert!(!format!("{:?}", sample()).contains("VALUE"));
        assert_eq!(sample().named_values_in(0..3), []);
        assert_eq!(sample().named_values_in(7..7), [("n".into(), true)]);
    }

    #[test]
    fn appending_joins_text_and_places() {
        let mut it = SourceText::verbatim("ab", 0);
        it.append(&SourceText::verbatim("cd", 9));
        assert_eq!((it.as_str(), it.span()), ("abcd", Span::new(0, 11)));
        assert_eq!(it.span_of(2..3), Span::new(9, 10));
    }
}
