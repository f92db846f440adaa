//! Finding out what the cursor stands at.

use std::ops::Range;

use crate::Options;
use crate::bind::probe::{MARKER, Site, probe};
use csharp::Form;
use csharp::lexer::tokenize;
use csharp::token::{Punct, TokenKind};

/// Longest source that is looked at, in bytes; completion is asked for at every key.
const MAX_SOURCE_BYTES: usize = 64 * 1024;

/// The name around the cursor, which may be empty; `None` inside of a number, or if the cursor is
/// nowhere.
pub(super) fn word_at(source: &str, cursor: usize) -> Option<Range<usize>> {
    if source.len() > MAX_SOURCE_BYTES || !source.is_char_boundary(cursor) {
        return None;
    }
    let (before, after) = source.split_at_checked(cursor)?;
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    let start = before.trim_end_matches(is_part).len();
    let end = cursor + after.len() - after.trim_start_matches(is_part).len();
    let word = source.get(start..end)?;
    let is_number = |it: &str| it.starts_with(|c: char| c.is_ascii_digit());
    if is_number(word) {
        return None;
    }
    // `1.` and `1.5` are numbers, not members of them.
    let fraction = before.get(..start)?.strip_suffix('.').is_some_and(|it| {
        let digits = it.trim_end_matches(is_part).len();
        it.get(digits..).is_some_and(is_number)
    });
    (!fraction).then_some(start..end)
}

/// What stands at the word. Several ways to finish the source are tried.
pub(super) fn find(
    source: &str,
    form: Form,
    word: &Range<usize>,
    options: &Options,
) -> Option<Site> {
    let (before, after) = (source.get(..word.start)?, source.get(word.end..)?);
    let closers = closers(before);
    let attempts = [
        format!("{before}{MARKER}{after}"),
        format!("{before}{MARKER}{closers}"),
        format!("{before}{MARKER};{closers}"),
        format!("{before}{MARKER}>(){closers}"),
        format!("{before}{MARKER}> a{closers}"),
        format!("{before}{MARKER} a{closers}"),
    ];
    attempts.iter().find_map(|it| probe(it, form, options))
}

/// Are there brackets open at the end of a source, so that more has to come?
#[must_use]
pub fn is_unfinished(source: &str) -> bool {
    let open = closers(source);
    // A string ends with its line: one that is open is a mistake.
    !open.is_empty() && !open.contains('"')
}

/// The brackets, quotes included, that close what is open at the end of a text.
fn closers(text: &str) -> String {
    let mut open = String::new();
    for token in tokenize(text).0 {
        match token.kind {
            TokenKind::Punct(Punct::OpenParen) => open.push(')'),
            TokenKind::Punct(Punct::OpenBracket) => open.push(']'),
            TokenKind::Punct(Punct::OpenBrace) => open.push('}'),
            TokenKind::InterpolationStart => open.push('"'),
            TokenKind::HoleStart => open.push('\u{1}'),
            TokenKind::Punct(Punct::CloseParen | Punct::CloseBracket | Punct::CloseBrace)
            | TokenKind::HoleEnd
            | TokenKind::InterpolationEnd => {
                open.pop();
            }
            _ => {}
        }
    }
    open.chars().rev().map(|it| if it == '\u{1}' { '}' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_around_the_cursor() {
        assert_eq!(word_at("a.Bcd", 4), Some(2..5));
        assert_eq!(word_at("a.", 2), Some(2..2));
        assert_eq!(word_at("1.5", 3), None);
        assert_eq!(word_at("x1.", 3), Some(3..3));
        assert_eq!(word_at("ä", 1), None);
        assert_eq!(word_at("a", 2), None);
    }

    #[test]
    fn what_is_open_is_closed() {
        assert!(is_unfinished("f(") && !is_unfinished("f()") && !is_unfinished("$\"{a("));
        assert_eq!(closers("a(b[{ x"), "}])");
        assert_eq!(closers("a(b)"), "");
        assert_eq!(closers("$\"{a("), ")}\"");
    }
}
