//! `Regex`: searching within bounds.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.regex>

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ::regex::{Budget, Exhausted, Options, Text};

use super::{Fault, Match, fault};
use crate::string::Str;

/// Steps that one call may take for any text.
const BASE_STEPS: u64 = 4_000_000;
/// Steps that one call may take for each unit of its text.
const STEPS_PER_UNIT: u64 = 32;
/// Matches that one call may list.
const MAX_MATCHES: usize = 1_000_000;
/// Options that .NET knows.
const KNOWN_OPTIONS: i32 = (1 << 10) - 1;

/// A compiled regular expression.
pub struct Regex {
    pub(super) inner: ::regex::Regex,
    pattern: Str,
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Regex").field(&self.pattern.as_str()).field(&self.options()).finish()
    }
}

/// The text as the engine takes it.
fn searched<R>(text: &Str, search: impl FnOnce(Text<'_>) -> R) -> R {
    match text.as_ascii() {
        Some(text) => search(Text::Ascii(text.as_bytes())),
        None => search(Text::Units(&text.units())),
    }
}

fn too_long(_: Exhausted) -> Fault {
    Fault::limit("a regular expression takes more time than allowed")
}

impl Regex {
    /// `new Regex(pattern, options)`.
    ///
    /// # Errors
    ///
    /// `ArgumentException` if the pattern is wrong; `ArgumentOutOfRangeException` of options that
    /// there are not or that exclude each other; a limit if the pattern is too large.
    pub fn new(pattern: &Str, options: Options) -> Result<Self, Fault> {
        let with_ecma = Options::ECMA_SCRIPT
            | Options::IGNORE_CASE
            | Options::MULTILINE
            | Options::CULTURE_INVARIANT
            | Options::COMPILED;
        let excluded = options.has(Options::ECMA_SCRIPT) && options.0 & !with_ecma.0 != 0;
        if options.0 & !KNOWN_OPTIONS != 0 || excluded {
            return Err(Fault::new(
                "System.ArgumentOutOfRangeException",
                "Specified argument was out of the range of valid values. (Parameter 'options')",
            ));
        }
        let inner = ::regex::Regex::new(&pattern.units(), options).map_err(|it| fault(&it))?;
        Ok(Self { inner, pattern: pattern.clone() })
    }

    /// `ToString()`.
    #[must_use]
    pub fn pattern(&self) -> &Str {
        &self.pattern
    }

    /// `Options`.
    #[must_use]
    pub fn options(&self) -> Options {
        self.inner.options()
    }

    /// `RightToLeft`.
    #[must_use]
    pub fn goes_back(&self) -> bool {
        self.options().has(Options::RIGHT_TO_LEFT)
    }

    /// Number and name of every group, in the order of numbers.
    pub fn groups(&self) -> impl Iterator<Item = (u32, &str)> {
        self.inner.groups().iter().map(|it| (it.number, it.name.as_str()))
    }

    /// The place of the group with that number.
    #[must_use]
    pub fn group_by_number(&self, number: u32) -> Option<usize> {
        self.inner.group_by_number(number)
    }

    /// The place of the group with that name; numbers are names as well.
    #[must_use]
    pub fn group_by_name(&self, name: &str) -> Option<usize> {
        self.inner.group_by_name(name)
    }

    /// What one call may take.
    pub(super) fn budget(text: &Str) -> Budget {
        Budget::new(BASE_STEPS + STEPS_PER_UNIT * text.len() as u64)
    }

    /// Where a search begins if nothing else is said, or the place that is.
    pub(super) fn start(&self, text: &Str, start: Option<usize>) -> Result<usize, Fault> {
        let start = start.unwrap_or(if self.goes_back() { text.len() } else { 0 });
        if start <= text.len() {
            return Ok(start);
        }
        Err(Fault::new(
            "System.ArgumentOutOfRangeException",
            "Start index cannot be less than 0 or greater than input length. (Parameter 'startat')",
        ))
    }

    /// `IsMatch(text, start)`: `start` is counted in units.
    ///
    /// # Errors
    ///
    /// A limit if the search takes too many steps; `ArgumentOutOfRangeException` if `start` is
    /// outside the text.
    pub fn is_match(&self, text: &Str, start: Option<usize>) -> Result<bool, Fault> {
        let start = self.start(text, start)?;
        let mut budget = Self::budget(text);
        searched(text, |it| self.inner.is_match(it, start, &mut budget)).map_err(too_long)
    }

    /// `Match(text, start)`.
    ///
    /// # Errors
    ///
    /// As [`Regex::is_match`].
    pub fn find(
        self: &Arc<Self>,
        text: &Str,
        start: Option<usize>,
    ) -> Result<Option<Match>, Fault> {
        let start = self.start(text, start)?;
        self.search(text, &(0..text.len()), start, false, &mut Self::budget(text))
    }

    /// `Match(text, beginning, length)`: nothing outside of that part is looked at.
    ///
    /// # Errors
    ///
    /// A limit; `ArgumentOutOfRangeException` if the part reaches outside of the text.
    pub fn find_in(
        self: &Arc<Self>,
        text: &Str,
        beginning: usize,
        length: usize,
    ) -> Result<Option<Match>, Fault> {
        let end =
            beginning.checked_add(length).filter(|it| *it <= text.len()).ok_or_else(|| {
                Fault::new(
                    "System.ArgumentOutOfRangeException",
                    "Length cannot be less than 0 or exceed input length. (Parameter 'length')",
                )
            })?;
        let start = if self.goes_back() { end } else { beginning };
        self.search(text, &(beginning..end), start, false, &mut Self::budget(text))
    }

    /// Searches a part of the text; `start` is a place in the whole text.
    pub(super) fn search(
        self: &Arc<Self>,
        text: &Str,
        window: &Range<usize>,
        start: usize,
        after_empty: bool,
        budget: &mut Budget,
    ) -> Result<Option<Match>, Fault> {
        let part = text.slice(window.clone()).unwrap_or(Str::EMPTY);
        let start = start.saturating_sub(window.start);
        let found = searched(&part, |it| self.inner.find(it, start, after_empty, budget));
        Ok(found.map_err(too_long)?.map(|found| Match {
            regex: Arc::clone(self),
            input: text.clone(),
            found: found.moved(window.start),
            window: window.clone(),
        }))
    }

    /// `Matches(text, start)`: all matches, at most `count` of them. The steps are those of one
    /// call.
    ///
    /// # Errors
    ///
    /// As [`Regex::is_match`]; a limit if there are too many matches.
    pub fn find_all(
        self: &Arc<Self>,
        text: &Str,
        start: Option<usize>,
        count: Option<usize>,
    ) -> Result<Vec<Match>, Fault> {
        let start = self.start(text, start)?;
        let mut budget = Self::budget(text);
        let mut from = Some((start, false));
        let mut found = Vec::new();
        while let Some((start, after_empty)) = from.filter(|_| Some(found.len()) != count) {
            let next = self.search(text, &(0..text.len()), start, after_empty, &mut budget)?;
            from = next.as_ref().map(Match::next_start);
            found.extend(next);
            if found.len() > MAX_MATCHES {
                return Err(Fault::limit(format!(
                    "a regular expression has more than {MAX_MATCHES} matches"
                )));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Options, Regex};
    use crate::string::Str;

    fn regex(pattern: &str) -> Arc<Regex> {
        Arc::new(Regex::new(&pattern.into(), Options::NONE).unwrap())
    }

    #[test]
    fn places_are_counted_in_utf16_units() {
        let found = regex("b+").find(&Str::from("é😀bb"), None).unwrap().unwrap();
        let whole = found.captures(0).last().unwrap();

        assert_eq!((whole.index, whole.length), (3, 2));
        assert_eq!(found.slice(whole), "bb");
    }

    #[test]
    fn empty_matches_step_forward() {
        let all = |text: &str, pattern: &str| {
            regex(pattern).find_all(&Str::from(text), None, None).unwrap().len()
        };
        assert_eq!(all("abc", ""), 4);
        assert_eq!(all("aaaa", "aa"), 2);
        assert_eq!(all("x", "x*"), 2);
    }

    #[test]
    fn a_search_begins_where_it_is_told() {
        let text = Str::from("aab");
        assert!(regex("a").is_match(&text, Some(1)).unwrap());
        assert!(!regex("a").is_match(&text, Some(2)).unwrap());
        assert!(regex("(?<=a)b").is_match(&text, Some(2)).unwrap());
        let found = regex("^a$").find_in(&text, 1, 1).unwrap().unwrap();
        assert_eq!(found.captures(0)[0].index, 1);
        assert!(found.next_match().unwrap().is_none());
        assert!(regex("a").find_in(&text, 2, 2).is_err());
        let fault = regex("a").is_match(&text, Some(4)).unwrap_err();
        assert_eq!(fault.type_name, "System.ArgumentOutOfRangeException");
    }

    #[test]
    fn options_that_exclude_each_other_are_refused() {
        for options in [Options(1024), Options(-1), Options::ECMA_SCRIPT | Options::SINGLELINE] {
            let fault = Regex::new(&Str::EMPTY, options).unwrap_err();
            assert_eq!(fault.type_name, "System.ArgumentOutOfRangeException");
        }
        assert!(Regex::new(&"(".into(), Options::NONE).unwrap_err().message.contains("Not enough"));
    }

    #[test]
    fn a_search_that_never_ends_is_stopped() {
        let text = Str::from("a".repeat(60) + "!");
        let fault = regex(r"^(?:(\w+)\1?)+$").find(&text, None).unwrap_err();
        assert!(fault.limit);
    }
}
