//! `System.Text.RegularExpressions`: <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions>
//!
//! The rows stand on [`dotnet::regex`]. Patterns that were compiled are kept, as .NET keeps those
//! of its static methods.

pub(crate) mod capture;
pub(crate) mod collections;
pub(crate) mod group;
pub(crate) mod matches;
pub(crate) mod options;
pub(crate) mod regex_type;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use clr::cx::EvalCx;
use clr::exception::{Exception, Kind};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::Str;
use dotnet::regex::{Fault, Match, Options, Regex};

/// `Regex`.
pub(crate) const REGEX: Type = Type::named(names::REGEX);
/// `Match`.
pub(crate) const MATCH: Type = Type::named(names::MATCH);
const GROUP_NAME: &str = "System.Text.RegularExpressions.Group";
const CAPTURE_NAME: &str = "System.Text.RegularExpressions.Capture";
const GROUP: Type = Type::named(GROUP_NAME);
const CAPTURE: Type = Type::named(CAPTURE_NAME);

/// Compiled patterns that are kept.
const MAX_CACHED: usize = 500;
/// Patterns longer than this are not kept.
const MAX_CACHED_LENGTH: usize = 1000;

type Cache = Mutex<HashMap<(Str, Options), Arc<Regex>>>;

/// The regular expression of a pattern.
fn compiled(pattern: &Str, options: Options) -> Result<Arc<Regex>, Exception> {
    static CACHE: LazyLock<Cache> = LazyLock::new(Mutex::default);
    let key = (pattern.clone(), options);
    let lock = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().get(&key) {
        return Ok(Arc::clone(known));
    }
    let made = Arc::new(Regex::new(pattern, options).map_err(exception)?);
    if pattern.len() <= MAX_CACHED_LENGTH {
        let mut cache = lock();
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert(key, Arc::clone(&made));
    }
    Ok(made)
}

/// A fault of the engine; a search that takes too long cannot be caught.
fn exception(fault: Fault) -> Exception {
    if !fault.limit {
        return fault.into();
    }
    let mut it = Exception::budget(Kind::Regex);
    it.message = fault.message;
    it
}

/// A `Match`, a `Group` of it or a `Capture` of that; nothing is there if it did not succeed.
#[derive(Clone, Debug)]
struct Found {
    found: Option<Arc<Match>>,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Match,
    /// By place in the list of groups.
    Group(usize),
    /// By places of the group and of the capture.
    Capture(usize, usize),
}

impl Object for Found {
    fn net_type(&self) -> Type {
        match self.part {
            Part::Match => MATCH,
            Part::Group(_) => GROUP,
            Part::Capture(..) => CAPTURE,
        }
    }

    fn to_text(&self, _: dotnet::Runtime) -> Str {
        self.text()
    }
}

impl Found {
    fn capture(&self) -> Option<(&Match, &dotnet::regex::Capture)> {
        let found = self.found.as_deref()?;
        let capture = match self.part {
            Part::Match => found.captures(0).last(),
            Part::Group(at) => found.captures(at).last(),
            Part::Capture(at, number) => found.captures(at).get(number),
        };
        Some((found, capture?))
    }

    fn text(&self) -> Str {
        self.capture().map_or(Str::EMPTY, |(found, capture)| found.slice(capture))
    }

    /// The place of its group; of a match, group 0.
    const fn group(&self) -> usize {
        match self.part {
            Part::Match => 0,
            Part::Group(at) | Part::Capture(at, _) => at,
        }
    }
}

/// `Match.Empty`: one object, so that a failed match is equal to it.
fn empty() -> Value {
    static EMPTY: LazyLock<Arc<Found>> =
        LazyLock::new(|| Arc::new(Found { found: None, part: Part::Match }));
    Value::Object(Arc::<Found>::clone(&EMPTY))
}

/// A match as a value.
fn matched(found: Option<Match>) -> Value {
    match found {
        Some(found) => Value::object(Found { found: Some(Arc::new(found)), part: Part::Match }),
        None => empty(),
    }
}

/// Counts a search through a text.
fn charge(cx: &mut EvalCx<'_>, text: &Str) -> Result<(), Exception> {
    cx.steps(2 + text.len() as u64 / 32)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Options, compiled, empty, matched};

    #[test]
    fn patterns_are_kept() {
        let pattern = "kept[0-9]".into();
        let first = compiled(&pattern, Options::NONE).unwrap();
        let again = compiled(&pattern, Options::NONE).unwrap();
        let other = compiled(&pattern, Options::IGNORE_CASE).unwrap();

        assert!(Arc::ptr_eq(&first, &again) && !Arc::ptr_eq(&first, &other));
    }

    #[test]
    fn a_failed_match_is_the_empty_match() {
        assert!(matched(None).is_same(&empty()));
        assert_eq!(empty().to_text(), "");
    }
}
