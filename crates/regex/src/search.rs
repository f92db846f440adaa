//! Searching a text for matches.

use std::cell::RefCell;
use std::ops::Range;

use crate::census::{Census, Group};
use crate::compile::compile;
use crate::error::Error;
use crate::first::First;
use crate::machine::{Machine, UNITS_PER_STEP};
use crate::options::Options;
use crate::parse::{check_length, parse};
use crate::program::{Place, Program};
use crate::scratch::Scratch;
use crate::source::Source;

/// A compiled regular expression.
#[derive(Debug)]
pub struct Regex {
    pub(crate) program: Program,
    groups: Vec<Group>,
    options: Options,
}

/// A text to search.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// ASCII only: units are bytes.
    Ascii(&'a [u8]),
    /// UTF-16 units.
    Units(&'a [u16]),
}

/// Steps that searches may take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    steps: u64,
}

/// A search took more steps or more memory than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a regular expression takes more time than allowed")]
pub struct Exhausted;

/// A part of a text, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub index: usize,
    /// How long it is.
    pub length: usize,
}

/// A match: what each group has caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Of one group after the other, in the order of catching; the whole match first.
    spans: Vec<Span>,
    /// Where in `spans` each group but the first ends.
    ends: Vec<u32>,
}

impl Budget {
    /// That many steps: about one per instruction and per 16 units that are passed over.
    #[must_use]
    pub const fn new(steps: u64) -> Self {
        Self { steps }
    }

    /// Steps that are left.
    #[must_use]
    pub const fn left(self) -> u64 {
        self.steps
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Regex {
    /// Compiles a pattern, given as UTF-16 units.
    ///
    /// # Errors
    ///
    /// What is wrong with the pattern, or that it is too large.
    pub fn new(pattern: &[u16], options: Options) -> Result<Self, Error> {
        check_length(pattern)?;
        let census = Census::of(pattern, options)?;
        let node = parse(pattern, options, &census)?;
        let groups = census.groups();
        let program = compile(&node, groups.len(), options.has(Options::RIGHT_TO_LEFT));
        Ok(Self { program, groups, options })
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> Options {
        self.options
    }

    /// The groups in the order of their numbers; the first is the whole match.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The place of the group with that number in [`Regex::groups`].
    #[must_use]
    pub fn group_by_number(&self, number: u32) -> Option<usize> {
        self.groups.binary_search_by_key(&number, |it| it.number).ok()
    }

    /// The place of the group with that name; a number is the name of a group without one.
    #[must_use]
    pub fn group_by_name(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|it| it.name == name)
    }

    /// Is there a match from a place on?
    ///
    /// # Errors
    ///
    /// The budget is used up.
    pub fn is_match(
        &self,
        text: Text<'_>,
        start: usize,
        budget: &mut Budget,
    ) -> Result<bool, Exhausted> {
        Ok(self.search(text, start, false, budget, |_, _| ())?.is_some())
    }

    /// The next match from a place on. After an empty match there, `after_empty` goes on one unit
    /// further.
    ///
    /// # Errors
    ///
    /// The budget is used up.
    pub fn find(
        &self,
        text: Text<'_>,
        start: usize,
        after_empty: bool,
        budget: &mut Budget,
    ) -> Result<Option<Found>, Exhausted> {
        let n_groups = self.groups.len();
        self.search(text, start, after_empty, budget, |range, scratch| {
            Found::new(range, scratch, n_groups)
        })
    }

    fn search<R>(
        &self,
        text: Text<'_>,
        start: usize,
        after_empty: bool,
        budget: &mut Budget,
        read: impl FnOnce(Range<usize>, &Scratch) -> R,
    ) -> Result<Option<R>, Exhausted> {
        let mut scratch = SCRATCH.with_borrow_mut(std::mem::take);
        let found = match text {
            Text::Ascii(text) => self.run(text, start, after_empty, budget, &mut scratch),
            Text::Units(text) => self.run(text, start, after_empty, budget, &mut scratch),
        };
        let found = found.map(|it| it.map(|range| read(range, &scratch)));
        scratch.shrink();
        SCRATCH.set(scratch);
        found
    }

    fn run<T: Source + Prefixed>(
        &self,
        text: T,
        start: usize,
        after_empty: bool,
        budget: &mut Budget,
        scratch: &mut Scratch,
    ) -> Result<Option<Range<usize>>, Exhausted> {
        if u32::try_from(text.len()).is_err() {
            return Err(Exhausted);
        }
        let program = &self.program;
        let stop = if program.back { 0 } else { text.len() };
        let mut machine = Machine::new(program, text, scratch, start, budget.steps);
        let mut at = start.min(text.len());
        if after_empty {
            if at == stop {
                return Ok(None);
            }
            at = if program.back { at - 1 } else { at + 1 };
        }
        let mut tried = false;
        let found = loop {
            let Some(candidate) = candidate(&mut machine, at, tried) else { break None };
            tried = true;
            if let Some(end) = machine.run(candidate) {
                break Some(candidate.min(end)..candidate.max(end));
            }
            if machine.steps == 0 || candidate == stop {
                break None;
            }
            at = if program.back { candidate - 1 } else { candidate + 1 };
        };
        budget.steps = machine.steps;
        if found.is_none() && machine.steps == 0 { Err(Exhausted) } else { Ok(found) }
    }
}

/// The first place, from `at` on, where a match can begin. Has this search `tried` a place before?
fn candidate<T: Source + Prefixed>(
    machine: &mut Machine<'_, T>,
    at: usize,
    tried: bool,
) -> Option<usize> {
    let (program, text) = (machine.program, machine.text);
    let after = match program.place {
        Place::Beginning => return (at == 0).then_some(at),
        Place::Start => return (at == machine.start).then_some(at),
        // What failed where a run of units begins fails everywhere in it.
        Place::Run(single) if tried => match program.singles.get(single as usize) {
            Some(it) if text.unit(at - 1).is_some_and(|unit| it.unit.fits(unit)) => {
                text.position(at, |unit| !it.unit.fits(unit)).map(|it| it + 1)
            }
            _ => Some(at),
        },
        _ => Some(at),
    };
    let found = after.and_then(|at| match &program.first {
        First::Any => Some(at),
        First::Text { units, finder } => text.find_text(units, finder.as_deref(), at),
        First::Units { ascii, wide } => {
            let fits = |unit: u16| if unit < 128 { ascii >> unit & 1 == 1 } else { *wide };
            if program.back {
                (0..at).rev().find(|at| text.unit(*at).is_some_and(fits)).map(|it| it + 1)
            } else {
                text.position(at, fits)
            }
        }
    });
    let passed = found.map_or(text.len(), |it| it.abs_diff(at));
    machine.steps = machine.steps.saturating_sub((passed / UNITS_PER_STEP) as u64).max(1);
    found
}

/// A text in which a text is looked for.
trait Prefixed {
    fn find_text(
        self,
        units: &[u16],
        finder: Option<&memchr::memmem::Finder<'_>>,
        from: usize,
    ) -> Option<usize>;
}

impl Prefixed for &[u8] {
    fn find_text(
        self,
        _: &[u16],
        finder: Option<&memchr::memmem::Finder<'_>>,
        from: usize,
    ) -> Option<usize> {
        // Without a finder the text looked for is not ASCII, but this one is.
        finder?.find(self.get(from..)?).map(|it| from + it)
    }
}

impl Prefixed for &[u16] {
    fn find_text(
        self,
        units: &[u16],
        _: Option<&memchr::memmem::Finder<'_>>,
        from: usize,
    ) -> Option<usize> {
        let found = self.get(from..)?.windows(units.len()).position(|it| it == units);
        found.map(|it| from + it)
    }
}

impl Found {
    fn new(range: Range<usize>, scratch: &Scratch, n_groups: usize) -> Self {
        let mut spans = vec![Span { index: range.start, length: range.len() }];
        let mut ends = Vec::with_capacity(n_groups.saturating_sub(1));
        for slot in 1..n_groups {
            let from = spans.len();
            spans.extend(scratch.all(slot).map(|it| Span {
                index: it.start as usize,
                length: it.end.saturating_sub(it.start) as usize,
            }));
            if let Some(it) = spans.get_mut(from..) {
                it.reverse();
            }
            ends.push(u32::try_from(spans.len()).unwrap_or(u32::MAX));
        }
        Self { spans, ends }
    }

    /// The same, that many units further on.
    #[must_use]
    pub fn moved(mut self, units: usize) -> Self {
        self.spans.iter_mut().for_each(|it| it.index += units);
        self
    }

    /// How many groups there are, with the whole match.
    #[must_use]
    pub fn n_groups(&self) -> usize {
        self.ends.len() + 1
    }

    /// The whole match.
    #[must_use]
    pub fn whole(&self) -> Span {
        self.spans.first().copied().unwrap_or(Span { index: 0, length: 0 })
    }

    /// What the group at that place has caught, the last one last.
    #[must_use]
    pub fn captures(&self, at: usize) -> &[Span] {
        let end = |at: usize| self.ends.get(at).map_or(0, |it| *it as usize);
        let range = match at {
            0 => 0..1,
            1 => 1..end(0),
            at => end(at - 2)..end(at - 1),
        };
        self.spans.get(range).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Exhausted, Regex, Text};
    use crate::Options;

    fn regex(pattern: &str) -> Regex {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        Regex::new(&units, Options::NONE).unwrap()
    }

    /// Where each match begins.
    fn all(pattern: &str, text: &str) -> Vec<usize> {
        let (regex, mut budget) = (regex(pattern), Budget::new(100_000));
        let units: Vec<u16> = text.encode_utf16().collect();
        let text = if text.is_ascii() { Text::Ascii(text.as_bytes()) } else { Text::Units(&units) };
        let (mut at, mut empty, mut places) = (0, false, Vec::new());
        while let Some(found) = regex.find(text, at, empty, &mut budget).unwrap() {
            let whole = found.whole();
            places.push(whole.index);
            (at, empty) = (whole.index + whole.length, whole.length == 0);
        }
        places
    }

    #[test]
    fn searches_pass_over_what_cannot_match() {
        for (pattern, text, expected) in [
            ("", "abc", &[0, 1, 2, 3][..]),
            ("aa", "aaaa", &[0, 2]),
            ("x*", "x", &[0, 1]),
            ("[b-d]", "abacad", &[1, 3, 5]),
            ("^a", "aa", &[0]),
            (r"\Ga", "aab", &[0, 1]),
            (".*b", "a\nab\nb", &[2, 5]),
            ("(?s).*b", "a\nab\nba", &[0]),
            ("é+", "aééaé", &[1, 4]),
            ("bé", "abébé", &[1, 3]),
            (".", "\u{1f600}", &[0, 1]),
            ("é", "abc", &[]),
        ] {
            assert_eq!(all(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_search_ends_with_its_budget() {
        let text = "a".repeat(60) + "!";
        let mut budget = Budget::new(1_000_000);
        let found =
            regex(r"^(?:(\w+)\1?)+$").find(Text::Ascii(text.as_bytes()), 0, false, &mut budget);
        assert_eq!(found, Err(Exhausted));
        assert_eq!(budget.left(), 0);
    }

    #[test]
    fn a_search_ends_with_its_memory() {
        let text = vec![b'a'; 3 << 20];
        let mut budget = Budget::new(u64::MAX);
        let found = regex(r"(?:a|ab)*c").find(Text::Ascii(&text), 0, false, &mut budget);
        assert_eq!(found, Err(Exhausted));
    }

    #[test]
    fn steps_are_counted_for_what_is_passed_over() {
        let text = vec![b'a'; 1 << 16];
        let mut budget = Budget::new(1 << 20);
        regex("[bc]").is_match(Text::Ascii(&text), 0, &mut budget).unwrap();
        assert_eq!((1 << 20) - budget.left(), (1 << 16) / 16);
    }
}
