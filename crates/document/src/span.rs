//! Places in a source text: byte spans, and lines and columns for people.

/// A range of bytes in a source text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `start..end`; offsets past 4 GiB are clamped (sources are far smaller).
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The empty span at `at`.
    pub fn at(at: usize) -> Self {
        Self::new(at, at)
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The same as a range of `usize`, to slice with.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.range().len()
    }

    /// Whether no byte is inside.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies inside.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// A place as people count: both numbers start at 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1. A byte order mark does not count.
    pub column: usize,
    /// The byte offset it was made from.
    pub offset: usize,
}

/// Where each line of a text starts; turns offsets into lines and columns.
#[derive(Debug, Clone)]
pub struct LineIndex {
    /// Offset of each line's first byte.
    starts: Vec<usize>,
}

impl LineIndex {
    /// Reads the line ends (LF, CRLF or a lone CR) of `text`.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        let mut bytes = text.bytes().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            let is_crlf = byte == b'\r' && matches!(bytes.peek(), Some((_, b'\n')));
            if byte == b'\n' || (byte == b'\r' && !is_crlf) {
                starts.push(at + 1);
            }
        }
        Self { starts }
    }

    /// Line and column of `offset` in `text`, which is the text this index was made from.
    /// An offset inside a character counts as that character's start.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let offset = text.floor_char_boundary(offset);
        let before = text.get(start..offset).unwrap_or("");
        let column = before.chars().filter(|it| *it != '\u{feff}').count() + 1;
        Position { line, column, offset }
    }

    /// The text of `line` (from 1) without its line end.
    pub fn line<'t>(&self, text: &'t str, line: usize) -> &'t str {
        let start = line.checked_sub(1).and_then(|it| self.starts.get(it)).copied();
        let end = self.starts.get(line).copied().unwrap_or(text.len());
        let line = start.and_then(|start| text.get(start..end)).unwrap_or("");
        line.trim_end_matches(['\n', '\r']).trim_start_matches('\u{feff}')
    }

    /// Number of lines; a text without a line end has one.
    pub fn n_lines(&self) -> usize {
        self.starts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_in_any_style() {
        let text = "\u{feff}ab\r\n\u{e9}\u{e9}x\rlast\n";
        let lines = LineIndex::new(text);
        let at = |needle: &str| {
            let it = lines.position(text, text.find(needle).unwrap());
            (it.line, it.column)
        };
        assert_eq!(at("a"), (1, 1));
        assert_eq!(at("b"), (1, 2));
        assert_eq!(at("x"), (2, 3));
        assert_eq!(at("last"), (3, 1));
        assert_eq!(lines.n_lines(), 4);
        assert_eq!(lines.line(text, 1), "ab");
        assert_eq!(lines.line(text, 2), "\u{e9}\u{e9}x");
        assert_eq!(lines.line(text, 9), "");
        assert_eq!(lines.position(text, 9999).line, 4);
    }

    #[test]
    fn an_offset_inside_a_character_is_its_start() {
        let text = "\u{e9}b";
        assert_eq!(LineIndex::new(text).position(text, 1).column, 1);
    }

    #[test]
    fn spans_join_and_contain() {
        let (a, b) = (Span::new(2, 5), Span::new(4, 9));
        assert_eq!(a.to(b), Span::new(2, 9));
        assert!(a.to(b).contains(b) && !a.contains(b));
        assert_eq!((a.len(), Span::at(3).is_empty()), (3, true));
    }
}
