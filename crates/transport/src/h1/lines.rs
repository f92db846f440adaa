//! Finds the lines of a head as its bytes come in, each byte looked at once.

use std::ops::Range;

use memchr::memchr;

use super::Malformed;

/// The lines seen so far. The memory is used again for the next head.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Where each line's LF is; the last one is that of the empty line, once it is there.
    ends: Vec<u32>,
    /// What has been looked at.
    n_scanned: usize,
}

/// How far a head is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Its end has not come.
    Partial,
    /// It is this long, with the empty line.
    Complete(usize),
    /// There are more lines than allowed.
    TooMany,
}

impl Lines {
    /// Forgets all lines: a new head begins.
    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.n_scanned = 0;
    }

    /// Looks at what is new in `input`, which begins with the head. At most `max_lines`, not
    /// counting the empty one.
    ///
    /// # Errors
    ///
    /// A line that does not end with CRLF: others may see no end there (RFC 9112, section 2.2).
    pub(crate) fn scan(&mut self, input: &[u8], max_lines: usize) -> Result<Scan, Malformed> {
        while let Some(found) = memchr(b'\n', input.get(self.n_scanned..).unwrap_or_default()) {
            let start = self.ends.last().map_or(0, |it| *it as usize + 1);
            let end = self.n_scanned + found;
            self.n_scanned = end + 1;
            if end == start || input.get(end - 1) != Some(&b'\r') {
                return Err(Malformed("a line ends without CR"));
            }
            let at = u32::try_from(end).map_err(|_| Malformed("the head is too long"))?;
            self.ends.push(at);
            if end == start + 1 {
                return Ok(Scan::Complete(end + 1));
            }
            if self.ends.len() > max_lines {
                return Ok(Scan::TooMany);
            }
        }
        self.n_scanned = input.len();
        Ok(Scan::Partial)
    }

    /// Whether the first line is there.
    pub(crate) fn has_first(&self) -> bool {
        !self.ends.is_empty()
    }

    /// How many lines there are besides the first and the empty one.
    pub(crate) fn n_fields(&self) -> usize {
        self.ends.len().saturating_sub(2)
    }

    /// The lines of a complete head without their ends and without the empty one.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        let last = self.ends.len().saturating_sub(1);
        self.ends.iter().take(last).map(move |end| {
            let end = *end as usize;
            let line = start..end - 1;
            start = end + 1;
            line
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Lines, Scan};

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\nrest";

    #[test]
    fn a_head_ends_with_the_first_empty_line() {
        let mut lines = Lines::default();
        assert_eq!(lines.scan(HEAD, 10), Ok(Scan::Complete(33)));
        let lines: Vec<_> = lines.ranges().map(|it| &HEAD[it]).collect();
        assert_eq!(lines, [&b"GET / HTTP/1.1"[..], b"Host: x", b"A: b"]);
    }

    #[test]
    fn too_many_lines_are_found_before_the_end_comes() {
        assert_eq!(Lines::default().scan(b"a\r\nb\r\nc\r\n", 3), Ok(Scan::Partial));
        assert_eq!(Lines::default().scan(b"a\r\nb\r\nc\r\n", 2), Ok(Scan::TooMany));
    }

    #[test]
    fn a_line_feed_alone_is_no_end() {
        for head in ["a\n", "\n", "a\r\nb\n\r\n", "a\r\n\n"] {
            assert!(Lines::default().scan(head.as_bytes(), 9).is_err(), "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_does_not_matter(cuts in prop::collection::vec(0..HEAD.len(), 0..9)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let (mut cut, mut whole) = (Lines::default(), Lines::default());
            let mut last = Scan::Partial;
            for end in cuts.into_iter().chain([HEAD.len()]) {
                if last == Scan::Partial {
                    last = cut.scan(&HEAD[..end], 10).unwrap();
                }
            }
            prop_assert_eq!(last, whole.scan(HEAD, 10).unwrap());
            prop_assert!(cut.ranges().eq(whole.ranges()));
        }
    }
}
