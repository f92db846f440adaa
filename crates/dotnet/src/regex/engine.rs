//! Running a regular expression: matches, replacing, splitting.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::groups::Group;
use super::translate::translate;
use super::{Fault, Options, Replacement};
use crate::string::Str;

/// Steps back that one search may take.
const BACKTRACK_LIMIT: usize = 500_000;
/// Bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 4 << 20;
/// Matches that one call may list.
const MAX_MATCHES: usize = 1_000_000;

/// A compiled regular expression.
pub struct Regex {
    inner: fancy_regex::Regex,
    groups: Vec<Group>,
    pattern: Str,
    options: Options,
}

/// One thing that a group has caught: bytes of the text, and .NET's place and length in units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    bytes: Range<usize>,
    /// `Capture.Index`.
    pub index: usize,
    /// `Capture.Length`.
    pub length: usize,
}

/// A successful match.
#[derive(Clone, Debug)]
pub struct Match {
    regex: Arc<Regex>,
    input: Str,
    /// By place in the list of groups; empty if the group took no part.
    groups: Vec<Vec<Capture>>,
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Regex").field(&self.pattern.as_str()).field(&self.options).finish()
    }
}

fn run_error(error: &fancy_regex::Error) -> Fault {
    match error {
        fancy_regex::Error::RuntimeError(_) => {
            Fault::limit("a regular expression takes more time than allowed")
        }
        other => Fault::argument(format!("Invalid pattern. {other}")),
    }
}

impl Regex {
    /// `new Regex(pattern, options)`.
    ///
    /// # Errors
    ///
    /// `ArgumentException` if the pattern is wrong or cannot be run; a limit if it is too large.
    pub fn new(pattern: &str, options: Options) -> Result<Self, Fault> {
        let translated = translate(pattern, options)?;
        let inner = fancy_regex::RegexBuilder::new(&translated.pattern)
            .backtrack_limit(BACKTRACK_LIMIT)
            .delegate_size_limit(SIZE_LIMIT)
            .delegate_dfa_size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| {
                Fault::argument(format!("Invalid pattern '{pattern}'. It cannot be run: {error}."))
            })?;
        let groups = translated.groups;
        Ok(Self { inner, groups, pattern: Str::from(pattern), options })
    }

    /// `ToString()`.
    #[must_use]
    pub fn pattern(&self) -> &Str {
        &self.pattern
    }

    /// `Options`.
    #[must_use]
    pub fn options(&self) -> Options {
        self.options
    }

    /// Number and name of every group, in the order of numbers.
    pub fn groups(&self) -> impl Iterator<Item = (u32, &str)> {
        self.groups.iter().map(|it| (it.number, it.name.as_str()))
    }

    /// The place of the group with that number.
    #[must_use]
    pub fn group_by_number(&self, number: u32) -> Option<usize> {
        self.groups.iter().position(|it| it.number == number)
    }

    /// The place of the group with that name; numbers are names as well.
    #[must_use]
    pub fn group_by_name(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|it| it.name == name)
    }

    /// `IsMatch(text)`.
    ///
    /// # Errors
    ///
    /// A limit if the search takes too many steps.
    pub fn is_match(&self, text: &str) -> Result<bool, Fault> {
        self.inner.is_match(text).map_err(|it| run_error(&it))
    }

    /// `Match(text, start)`: `start` is counted in units.
    ///
    /// # Errors
    ///
    /// A limit; `ArgumentOutOfRangeException` if `start` is outside the text.
    pub fn find(self: &Arc<Self>, text: &Str, start: usize) -> Result<Option<Match>, Fault> {
        let at = byte_of_unit(text, start).ok_or_else(|| {
            Fault::new(
                "System.ArgumentOutOfRangeException",
                "Start index cannot be less than 0 or greater than input length. (Parameter 'startat')",
            )
        })?;
        self.find_at(text, at, &mut Units::new(text))
    }

    fn find_at(
        self: &Arc<Self>,
        text: &Str,
        at: usize,
        units: &mut Units<'_>,
    ) -> Result<Option<Match>, Fault> {
        let found = self.inner.captures_from_pos(text.as_str(), at).map_err(|it| run_error(&it))?;
        let Some(captures) = found else { return Ok(None) };
        let groups = self
            .groups
            .iter()
            .map(|group| {
                let mut caught: Vec<Range<usize>> = group
                    .slots
                    .iter()
                    .filter_map(|slot| captures.get(*slot))
                    .map(|it| it.start()..it.end())
                    .collect();
                caught.sort_by_key(|it| (it.end, it.start));
                caught.into_iter().map(|bytes| units.capture(bytes)).collect()
            })
            .collect();
        Ok(Some(Match { regex: Arc::clone(self), input: text.clone(), groups }))
    }

    /// `Matches(text, start)`: all matches, at most `count` of them.
    ///
    /// # Errors
    ///
    /// As [`Regex::find`].
    pub fn find_all(
        self: &Arc<Self>,
        text: &Str,
        start: usize,
        count: Option<usize>,
    ) -> Result<Vec<Match>, Fault> {
        let count = count.unwrap_or(usize::MAX);
        let mut units = Units::new(text);
        let mut found = Vec::new();
        let mut next = match self.find(text, start)? {
            Some(first) if count > 0 => Some(first),
            _ => None,
        };
        while let Some(it) = next {
            if found.len() >= MAX_MATCHES {
                return Err(Fault::limit(format!(
                    "a regular expression has more than {MAX_MATCHES} matches"
                )));
            }
            next = if found.len() + 1 < count { self.after(&it, &mut units)? } else { None };
            found.push(it);
        }
        Ok(found)
    }

    fn after(
        self: &Arc<Self>,
        found: &Match,
        units: &mut Units<'_>,
    ) -> Result<Option<Match>, Fault> {
        let bytes = found.bytes();
        let mut at = bytes.end;
        if bytes.is_empty() {
            // The next search begins one character further.
            match found.input.as_str().get(at..).and_then(|it| it.chars().next()) {
                Some(it) => at += it.len_utf8(),
                None => return Ok(None),
            }
        }
        self.find_at(&found.input, at, units)
    }

    /// `Replace(text, replacement, count, start)`.
    ///
    /// # Errors
    ///
    /// As [`Regex::find`].
    pub fn replace(
        self: &Arc<Self>,
        text: &Str,
        replacement: &str,
        count: Option<usize>,
        start: usize,
        most: usize,
    ) -> Result<Option<Str>, Fault> {
        let matches = self.find_all(text, start, count)?;
        let replacement = Replacement::parse(replacement, self);
        let sizes = matches.iter().map(|it| replacement.size(it));
        if sizes.fold(text.size(), usize::saturating_add) > most {
            return Ok(None);
        }
        Ok(Some(splice(text, &matches, |found, out| replacement.expand(found, out))))
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
        start: usize,
    ) -> Result<Vec<Str>, Fault> {
        let most = count.checked_sub(1);
        if most == Some(0) {
            return Ok(vec![text.clone()]);
        }
        let mut parts = Vec::new();
        let mut from = 0;
        for found in self.find_all(text, start, most)? {
            let bytes = found.bytes();
            parts.push(Str::from(text.as_str().get(from..bytes.start).unwrap_or("")));
            from = bytes.end;
            for group in found.groups.iter().skip(1).filter_map(|it| it.last()) {
                parts.push(found.slice(group));
            }
        }
        if parts.is_empty() {
            return Ok(vec![text.clone()]);
        }
        parts.push(Str::from(text.as_str().get(from..).unwrap_or("")));
        Ok(parts)
    }
}

/// The text with every match written anew.
pub(super) fn splice(
    text: &Str,
    matches: &[Match],
    mut write: impl FnMut(&Match, &mut String),
) -> Str {
    if matches.is_empty() {
        return text.clone();
    }
    let mut out = String::with_capacity(text.as_str().len());
    let mut from = 0;
    for found in matches {
        let bytes = found.bytes();
        out.push_str(text.as_str().get(from..bytes.start).unwrap_or(""));
        write(found, &mut out);
        from = bytes.end;
    }
    out.push_str(text.as_str().get(from..).unwrap_or(""));
    Str::from(out)
}

impl Match {
    /// The text with these matches replaced by `texts`, in order.
    #[must_use]
    pub fn splice(text: &Str, matches: &[Match], texts: &[Str]) -> Str {
        let mut texts = texts.iter();
        splice(text, matches, |_, out| {
            if let Some(text) = texts.next() {
                out.push_str(text.as_str());
            }
        })
    }

    fn bytes(&self) -> Range<usize> {
        self.groups.first().and_then(|it| it.last()).map_or(0..0, |it| it.bytes.clone())
    }

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
        self.groups.len()
    }

    /// What the group at that place has caught, the last one last.
    #[must_use]
    pub fn captures(&self, at: usize) -> &[Capture] {
        self.groups.get(at).map_or(&[], Vec::as_slice)
    }

    /// `Value` of a capture.
    #[must_use]
    pub fn slice(&self, capture: &Capture) -> Str {
        Str::from(self.input.as_str().get(capture.bytes.clone()).unwrap_or(""))
    }

    pub(super) fn text_at(&self, at: usize) -> &str {
        let last = self.captures(at).last();
        last.and_then(|it| self.input.as_str().get(it.bytes.clone())).unwrap_or("")
    }

    pub(super) fn before(&self) -> &str {
        self.input.as_str().get(..self.bytes().start).unwrap_or("")
    }

    pub(super) fn after(&self) -> &str {
        self.input.as_str().get(self.bytes().end..).unwrap_or("")
    }

    /// `NextMatch()`.
    ///
    /// # Errors
    ///
    /// As [`Regex::find`].
    pub fn next_match(&self) -> Result<Option<Match>, Fault> {
        self.regex.after(self, &mut Units::new(&self.input))
    }

    /// `Result(replacement)`.
    #[must_use]
    pub fn result(&self, replacement: &str) -> Str {
        let mut out = String::new();
        Replacement::parse(replacement, &self.regex).expand(self, &mut out);
        Str::from(out)
    }
}

fn byte_of_unit(text: &Str, unit: usize) -> Option<usize> {
    if text.as_ascii().is_some() {
        return (unit <= text.len()).then_some(unit);
    }
    let mut units = 0;
    for (at, it) in text.as_str().char_indices() {
        if units >= unit {
            return Some(at);
        }
        units += it.len_utf16();
    }
    (units >= unit).then_some(text.as_str().len())
}

/// Turns places in bytes into places in UTF-16 units, from a place known already.
struct Units<'a> {
    text: &'a str,
    ascii: bool,
    byte: usize,
    unit: usize,
}

impl<'a> Units<'a> {
    fn new(text: &'a Str) -> Self {
        Self { text: text.as_str(), ascii: text.as_ascii().is_some(), byte: 0, unit: 0 }
    }

    fn count(&self, range: Range<usize>) -> usize {
        self.text.get(range).map_or(0, |it| it.chars().map(char::len_utf16).sum())
    }

    fn capture(&mut self, bytes: Range<usize>) -> Capture {
        if self.ascii {
            let (index, length) = (bytes.start, bytes.len());
            return Capture { bytes, index, length };
        }
        let index = if bytes.start >= self.byte {
            self.unit + self.count(self.byte..bytes.start)
        } else {
            self.count(0..bytes.start)
        };
        (self.byte, self.unit) = (bytes.start, index);
        let length = self.count(bytes.clone());
        Capture { bytes, index, length }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{Options, Regex};
    use crate::string::Str;

    fn regex(pattern: &str) -> Arc<Regex> {
        Arc::new(Regex::new(pattern, Options::NONE).unwrap())
    }

    /// The groups of the first match, `-` for those that took no part.
    fn first(text: &str, pattern: &str) -> String {
        let Some(found) = regex(pattern).find(&Str::from(text), 0).unwrap() else {
            return "no match".to_owned();
        };
        let show = |at| match found.captures(at).last() {
            Some(it) => found.slice(it).as_str().to_owned(),
            None => "-".to_owned(),
        };
        (0..found.group_count()).map(show).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn matches_are_those_of_dotnet() {
        let cases = [
            ("abc123", r"\d+", "123"),
            ("a\nb", "^b$", "no match"),
            ("a\nb", "(?m)^b$", "b"),
            ("abc\n", "abc$", "abc"),
            ("abc\n", r"\Aabc\z", "no match"),
            ("abc\r\n", "abc$", "no match"),
            ("٣", r"\d", "٣"),
            ("aab", "^(?>a+)ab", "no match"),
            ("abab", r"^(ab)\1$", "abab|ab"),
            ("xyz", "[a-z-[aeiou]]{3}", "xyz"),
            ("A", r"\x41\u0041?", "A"),
            ("aXb", "a(?#comment)Xb", "aXb"),
            ("ab", "(a)?b(?(1)|c)", "ab|a"),
            ("key=value", r"(?<k>\w+)=(\w+)", "key=value|value|key"),
            ("ab", "(a)|(b)", "a|a|-"),
            ("a{,3}", "a{,3}", "a{,3}"),
            ("abc", r"(?<a>.)(.)(?<b>.)", "abc|b|a|c"),
            ("x1 xy bookkeeper", r"(\w)\1", "oo|o"),
            ("Bearer abc", r"(?i)^bearer\s+(?<t>\S+)$", "Bearer abc|abc"),
            ("a b", "(?x) a \\ b # comment", "a b"),
            ("aaa", "a+?$", "aaa"),
            ("foobar", "(?<=foo)bar", "bar"),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(first(text, pattern), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn places_are_counted_in_utf16_units() {
        let found = regex("b+").find(&Str::from("é😀bb"), 0).unwrap().unwrap();
        let whole = found.captures(0).last().unwrap();

        assert_eq!((whole.index, whole.length), (3, 2));
    }

    #[test]
    fn empty_matches_step_forward() {
        let all = |text: &str, pattern: &str| {
            regex(pattern).find_all(&Str::from(text), 0, None).unwrap().len()
        };
        assert_eq!(all("abc", ""), 4);
        assert_eq!(all("aaaa", "aa"), 2);
        assert_eq!(all("x", "x*"), 2);
    }

    #[test]
    fn splitting_keeps_empty_parts_and_groups() {
        let split = |text: &str, pattern: &str, count| {
            let parts = regex(pattern).split(&Str::from(text), count, 0).unwrap();
            parts.iter().map(Str::as_str).collect::<Vec<_>>().join("/")
        };
        assert_eq!(split("a1b2c", r"\d", 0), "a/b/c");
        assert_eq!(split("abc", "", 0), "/a/b/c/");
        assert_eq!(split(",a,", ",", 0), "/a/");
        assert_eq!(split("a1b2c", r"(\d)", 0), "a/1/b/2/c");
        assert_eq!(split("a1b2c", r"\d", 2), "a/b2c");
    }

    #[test]
    fn a_search_that_never_ends_is_stopped() {
        let text = Str::from("a".repeat(60) + "!");
        let fault = regex(r"^(?:(\w+)\1?)+$").find(&text, 0).unwrap_err();
        assert!(fault.limit);
    }

    proptest! {
        #[test]
        fn any_pattern_is_compiled_or_refused(pattern in "[a-c0-2\\\\(){}\\[\\]?*+|^$.<>!=:#'kwdsbpP,-]{0,24}") {
            if let Ok(regex) = Regex::new(&pattern, Options::NONE) {
                let _ = Arc::new(regex).find_all(&Str::from("abc 012 cab"), 0, Some(20));
            }
        }
    }
}
