//! Replacing and splitting.
//!
//! Matches that were found from right to left are put together from their end.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/substitutions-in-regular-expressions>

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use ::regex::Piece;

use super::{Fault, Match, Regex, fault};
use crate::string::Str;

/// A replacement text that has been read.
#[derive(Clone, Debug)]
pub struct Replacement {
    pieces: Vec<Piece>,
}

/// Text under construction out of parts of another: bytes as long as both are ASCII.
enum Output<'a> {
    Ascii(&'a str, String),
    Units(Cow<'a, [u16]>, Vec<u16>),
}

impl<'a> Output<'a> {
    fn new(input: &'a Str, is_ascii: bool) -> Self {
        match input.as_ascii() {
            Some(text) if is_ascii => Self::Ascii(text, String::with_capacity(text.len())),
            _ => Self::Units(input.units(), Vec::with_capacity(input.len())),
        }
    }

    /// A part of the text that was searched.
    fn part(&mut self, range: Range<usize>) {
        match self {
            Self::Ascii(input, out) => out.push_str(input.get(range).unwrap_or("")),
            Self::Units(input, out) => out.extend_from_slice(input.get(range).unwrap_or(&[])),
        }
    }

    fn text(&mut self, text: &Str) {
        match (self, text.as_ascii()) {
            (Self::Ascii(_, out), Some(text)) => out.push_str(text),
            (Self::Ascii(..), None) => {}
            (Self::Units(_, out), _) => out.extend_from_slice(&text.units()),
        }
    }

    fn units(&mut self, text: &[u16]) {
        match self {
            Self::Ascii(_, out) => {
                out.extend(text.iter().map(|it| char::from(it.to_le_bytes()[0])))
            }
            Self::Units(_, out) => out.extend_from_slice(text),
        }
    }

    fn finish(self) -> Str {
        match self {
            Self::Ascii(_, out) => Str::from(out),
            Self::Units(_, out) => Str::from_units(&out),
        }
    }
}

impl Replacement {
    /// Reads a replacement text for matches of `regex`.
    ///
    /// # Errors
    ///
    /// `ArgumentException` of a group's number that is too large.
    pub fn parse(text: &Str, regex: &Regex) -> Result<Self, Fault> {
        let pieces = regex.inner.replacement(&text.units()).map_err(|it| fault(&it))?;
        Ok(Self { pieces })
    }

    fn is_ascii(&self) -> bool {
        let plain =
            |it: &Piece| !matches!(it, Piece::Text(text) if text.iter().any(|it| *it >= 128));
        self.pieces.iter().all(plain)
    }

    /// Where a piece that is not text is in the text that was searched.
    fn range(piece: &Piece, found: &Match) -> Range<usize> {
        match piece {
            Piece::Text(_) => 0..0,
            Piece::Group(at) => found.last(*at),
            Piece::Before => 0..found.range().start,
            Piece::After => found.range().end..found.input.len(),
            Piece::Last => found.last(found.group_count().saturating_sub(1)),
            Piece::Whole => 0..found.input.len(),
        }
    }

    /// How many units a match is replaced with.
    fn size(&self, found: &Match) -> usize {
        let size = |piece: &Piece| match piece {
            Piece::Text(text) => text.len(),
            other => Self::range(other, found).len(),
        };
        self.pieces.iter().map(size).fold(0, usize::saturating_add)
    }

    fn write(&self, found: &Match, out: &mut Output<'_>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.units(text),
                other => out.part(Self::range(other, found)),
            }
        }
    }
}

impl Regex {
    /// `Replace(text, replacement, count, start)`; nothing if it would have more bytes than `most`.
    ///
    /// # Errors
    ///
    /// As [`Regex::find`].
    pub fn replace(
        self: &Arc<Self>,
        text: &Str,
        replacement: &Str,
        count: Option<usize>,
        start: Option<usize>,
        most: usize,
    ) -> Result<Option<Str>, Fault> {
        let replacement = Replacement::parse(replacement, self)?;
        let matches = self.find_all(text, start, count)?;
        let sizes = matches.iter().map(|it| replacement.size(it));
        if sizes.fold(text.size(), usize::saturating_add) > most {
            return Ok(None);
        }
        let ascii = replacement.is_ascii();
        Ok(Some(splice(text, &matches, ascii, |at, out| {
            if let Some(found) = matches.get(at) {
                replacement.write(found, out);
            }
        })))
    }

    /// `Split(text, count, start)`: what is between the matches, and what groups have caught.
    ///
    /// # Errors
    ///
    /// As [`Regex::find`].
    pub fn split(
        self: &Arc<Self>,
        text: &Str,
        count: usize,
        start: Option<usize>,
    ) -> Result<Vec<Str>, Fault> {
        let most = count.checked_sub(1);
        if most == Some(0) {
            self.start(text, start)?;
            return Ok(vec![text.clone()]);
        }
        let matches = self.find_all(text, start, most)?;
        if matches.is_empty() {
            return Ok(vec![text.clone()]);
        }
        let slice = |range| text.slice(range).unwrap_or(Str::EMPTY);
        let back = self.goes_back();
        let (mut parts, mut from) = (Vec::new(), if back { text.len() } else { 0 });
        for found in &matches {
            let range = found.range();
            parts.push(slice(if back { range.end..from } else { from..range.start }));
            from = if back { range.start } else { range.end };
            for at in 1..found.group_count() {
                // As in .NET: what has caught is known by place, what it is by number.
                if !found.captures(at).is_empty() {
                    let number = u32::try_from(at).unwrap_or(u32::MAX);
                    let range = self.group_by_number(number).map_or(0..0, |it| found.last(it));
                    parts.push(slice(range));
                }
            }
        }
        parts.push(slice(if back { 0..from } else { from..text.len() }));
        if back {
            parts.reverse();
        }
        Ok(parts)
    }
}

/// The text with every match written anew: `write` gets the place of the match.
fn splice(
    text: &Str,
    matches: &[Match],
    is_ascii: bool,
    mut write: impl FnMut(usize, &mut Output<'_>),
) -> Str {
    let Some(first) = matches.first() else { return text.clone() };
    let back = first.regex.goes_back();
    let mut out = Output::new(text, is_ascii);
    let mut from = 0;
    for step in 0..matches.len() {
        let at = if back { matches.len() - 1 - step } else { step };
        let Some(found) = matches.get(at) else { break };
        let range = found.range();
        out.part(from..range.start);
        write(at, &mut out);
        from = range.end;
    }
    out.part(from..text.len());
    out.finish()
}

impl Match {
    /// The text with these matches replaced by `texts`, in order.
    #[must_use]
    pub fn splice(text: &Str, matches: &[Match], texts: &[Str]) -> Str {
        let is_ascii = texts.iter().all(|it| it.as_ascii().is_some());
        splice(text, matches, is_ascii, |at, out| {
            if let Some(it) = texts.get(at) {
                out.text(it);
            }
        })
    }

    /// `Result(replacement)`.
    ///
    /// # Errors
    ///
    /// As [`Replacement::parse`].
    pub fn result(&self, replacement: &Str) -> Result<Str, Fault> {
        let replacement = Replacement::parse(replacement, &self.regex)?;
        let mut out = Output::new(&self.input, replacement.is_ascii());
        replacement.write(self, &mut out);
        Ok(out.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::regex::{Options, Regex};
    use crate::string::Str;

    fn regex(pattern: &str, options: Options) -> Arc<Regex> {
        Arc::new(Regex::new(&pattern.into(), options).unwrap())
    }

    fn replace(text: &str, pattern: &str, replacement: &str, options: Options) -> String {
        let made = regex(pattern, options).replace(
            &Str::from(text),
            &replacement.into(),
            None,
            None,
            1 << 20,
        );
        made.unwrap().unwrap().as_str().to_owned()
    }

    #[test]
    fn substitutions_are_dotnets() {
        let cases = [
            ("abc", "z", "y", "abc"),
            ("abc", "", "-", "-a-b-c-"),
            ("x", "x*", "-", "--"),
            ("2024-02-03", r"(?<y>\d+)-(?<m>\d+)-(?<d>\d+)", "${d}.${m}.${y}", "03.02.2024"),
            ("abc", "b", "[$0]", "a[b]c"),
            ("abc", "b", "[$&]", "a[b]c"),
            ("abc", "(b)", "$10", "a$10c"),
            ("abc", "(b)", "${1}0", "ab0c"),
            ("abc", "(a)(b)?", "$+", "bc"),
            ("abc", "b", "$`|$'|$_|$$|$x|${no}", "aa|c|abc|$|$x|${no}c"),
            ("é1😀2", r"\d", "<$0>", "é<1>😀<2>"),
            ("a1", r"\d", "é", "aé"),
        ];
        for (text, pattern, replacement, expected) in cases {
            let made = replace(text, pattern, replacement, Options::NONE);
            assert_eq!(made, expected, "{pattern} {replacement}");
        }
        assert_eq!(replace("a1b22", r"\d+", "<$`|$0>", Options::RIGHT_TO_LEFT), "a<a|1>b<a1b|22>");
    }

    #[test]
    fn splitting_keeps_empty_parts_and_groups() {
        let split = |text: &str, pattern: &str, count, options| {
            let parts = regex(pattern, options).split(&Str::from(text), count, None).unwrap();
            parts.iter().map(Str::as_str).collect::<Vec<_>>().join("/")
        };
        assert_eq!(split("a1b2c", r"\d", 0, Options::NONE), "a/b/c");
        assert_eq!(split("abc", "", 0, Options::NONE), "/a/b/c/");
        assert_eq!(split(",a,", ",", 0, Options::NONE), "/a/");
        assert_eq!(split("a1b2c", r"(\d)", 0, Options::NONE), "a/1/b/2/c");
        assert_eq!(split("a1b2c", r"\d", 2, Options::NONE), "a/b2c");
        assert_eq!(split("a1b2c", r"\d", 2, Options::RIGHT_TO_LEFT), "a1b/c");
    }
}
