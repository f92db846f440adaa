//! `Match`: what a search has found, and going on from there.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.match>

use std::ops::Range;
use std::sync::Arc;

use ::regex::{Found, Span};

use super::{Fault, Regex};
use crate::string::Str;

/// A successful match.
#[derive(Clone, Debug)]
pub struct Match {
    pub(super) regex: Arc<Regex>,
    pub(super) input: Str,
    pub(super) found: Found,
    /// The part of the text that was searched.
    pub(super) window: Range<usize>,
}

/// The units of a capture.
pub(super) fn range(span: Span) -> Range<usize> {
    span.index..span.index + span.length
}

impl Match {
    /// The regular expression.
    #[must_use]
    pub fn regex(&self) -> &Arc<Regex> {
        &self.regex
    }

    /// The text that was searched.
    #[must_use]
    pub fn input(&self) -> &Str {
        &self.input
    }

    /// `Groups.Count`.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.found.n_groups()
    }

    /// What the group at that place has caught, the last one last.
    #[must_use]
    pub fn captures(&self, at: usize) -> &[Span] {
        self.found.captures(at)
    }

    /// `Value` of a capture.
    #[must_use]
    pub fn slice(&self, capture: &Span) -> Str {
        self.input.slice(range(*capture)).unwrap_or(Str::EMPTY)
    }

    /// Where the match is.
    pub(super) fn range(&self) -> Range<usize> {
        range(self.found.whole())
    }

    /// Where the group at that place has caught its last; empty if it has caught nothing.
    pub(super) fn last(&self, at: usize) -> Range<usize> {
        self.captures(at).last().map_or(0..0, |it| range(*it))
    }

    /// Where the next search begins, and whether this match was empty.
    pub(super) fn next_start(&self) -> (usize, bool) {
        let range = self.range();
        (if self.regex.goes_back() { range.start } else { range.end }, range.is_empty())
    }

    /// `NextMatch()`.
    ///
    /// # Errors
    ///
    /// As [`Regex::find`].
    pub fn next_match(&self) -> Result<Option<Match>, Fault> {
        let (start, after_empty) = self.next_start();
        let mut budget = Regex::budget(&self.input);
        self.regex.search(&self.input, &self.window, start, after_empty, &mut budget)
    }
}
