//! Comparing, finding and replacing text under each `StringComparison`.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.stringcomparison>

use std::borrow::Cow;
use std::cmp::Ordering;

use super::chars::to_upper;
use super::collate;
use crate::string::Str;

/// `System.StringComparison`; the current culture is the invariant one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// As the invariant culture orders text.
    Culture,
    /// The same without case.
    CultureIgnoreCase,
    /// By the value of each unit.
    Ordinal,
    /// By the value of each unit in upper case.
    OrdinalIgnoreCase,
}

impl Comparison {
    /// The comparison of an enum's value; `None` if there is no such member.
    pub fn of(value: i64) -> Option<Self> {
        Some(match value {
            0 | 2 => Self::Culture,
            1 | 3 => Self::CultureIgnoreCase,
            4 => Self::Ordinal,
            5 => Self::OrdinalIgnoreCase,
            _ => return None,
        })
    }

    /// Whether case counts nothing.
    pub fn ignores_case(self) -> bool {
        matches!(self, Self::CultureIgnoreCase | Self::OrdinalIgnoreCase)
    }

    fn is_culture(self) -> bool {
        matches!(self, Self::Culture | Self::CultureIgnoreCase)
    }
}

/// Compares; the number is that of `string.Compare` (ordinal: the difference of units).
pub fn compare(a: &Str, b: &Str, comparison: Comparison) -> i32 {
    let ignore_case = comparison.ignores_case();
    if comparison.is_culture() {
        let order = match (a.as_ascii(), b.as_ascii()) {
            (Some(a), Some(b)) => collate::compare_ascii(a.as_bytes(), b.as_bytes(), ignore_case),
            _ => collate::compare(&a.units(), &b.units(), ignore_case),
        };
        return order as i32;
    }
    let (a, b) = (a.units(), b.units());
    let fold = |unit: &u16| if ignore_case { to_upper(*unit) } else { *unit };
    let difference = a.iter().map(fold).zip(b.iter().map(fold)).find(|(a, b)| a != b);
    match difference {
        Some((a, b)) => i32::from(a) - i32::from(b),
        // The first two units are compared before the lengths; behind the end stands a zero.
        None if !ignore_case && a.len().min(b.len()) < 2 => {
            let at = a.len().min(b.len());
            let unit = |it: &[u16]| it.get(at).copied().map_or(0, i32::from);
            unit(&a) - unit(&b)
        }
        None => i32::try_from(a.len() as i64 - b.len() as i64).unwrap_or(0),
    }
}

/// Whether two texts are equal.
pub fn equals(a: &Str, b: &Str, comparison: Comparison) -> bool {
    match (comparison, a.as_ascii(), b.as_ascii()) {
        (Comparison::Ordinal, ..) => a == b,
        (Comparison::OrdinalIgnoreCase, Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => compare(a, b, comparison) == 0,
    }
}

/// Equality and order as `Ordering`, for sorting.
pub fn order(a: &Str, b: &Str, comparison: Comparison) -> Ordering {
    compare(a, b, comparison).cmp(&0)
}

/// A text that equals another under a comparison has the same key.
pub fn key(text: &Str, comparison: Comparison) -> Cow<'_, [u16]> {
    match comparison {
        Comparison::Ordinal => text.units(),
        _ if comparison.ignores_case() => {
            Cow::Owned(text.units().iter().map(|unit| to_upper(*unit)).collect())
        }
        _ => text.units(),
    }
}

/// Which match to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first.
    First,
    /// The last.
    Last,
    /// Only one at the start.
    Prefix,
    /// Only one at the end.
    Suffix,
}

/// Finds a pattern; gives where it starts and how many units it takes.
///
/// An empty pattern is found at once.
pub fn find(
    text: &Str,
    pattern: &Str,
    comparison: Comparison,
    which: Which,
) -> Option<(usize, usize)> {
    if pattern.is_empty() {
        let at = if matches!(which, Which::First | Which::Prefix) { 0 } else { text.len() };
        return Some((at, 0));
    }
    let plain = |text: &Str| text.as_ascii().is_some_and(|it| collate::is_plain(it.as_bytes()));
    if comparison.is_culture() && !(plain(text) && plain(pattern)) {
        return find_weighed(&text.units(), &pattern.units(), comparison.ignores_case(), which);
    }
    let length = pattern.len();
    if length > text.len() {
        return None;
    }
    if let (Some(text), Some(pattern)) = (text.as_ascii(), pattern.as_ascii()) {
        let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
        let found = if comparison.ignores_case() {
            search(text, pattern, which, u8::eq_ignore_ascii_case)
        } else {
            search(text, pattern, which, u8::eq)
        };
        return found.map(|at| (at, length));
    }
    let (text, pattern) = (text.units(), pattern.units());
    let found = if comparison.ignores_case() {
        search(&text, &pattern, which, |a, b| a == b || to_upper(*a) == to_upper(*b))
    } else {
        search(&text, &pattern, which, u16::eq)
    };
    found.map(|at| (at, length))
}

fn search<T>(text: &[T], pattern: &[T], which: Which, same: fn(&T, &T) -> bool) -> Option<usize> {
    let fits = |window: &[T]| window.iter().zip(pattern).all(|(a, b)| same(a, b));
    let last = text.len().checked_sub(pattern.len())?;
    match which {
        Which::First => text.windows(pattern.len()).position(fits),
        Which::Last => text.windows(pattern.len()).rposition(fits),
        Which::Prefix => text.get(..pattern.len()).is_some_and(fits).then_some(0),
        Which::Suffix => text.get(last..).is_some_and(fits).then_some(last),
    }
}

/// Finds by weights, as a culture does: `é` is found as `e` with a mark, a soft hyphen is skipped.
fn find_weighed(
    text: &[u16],
    pattern: &[u16],
    ignore_case: bool,
    which: Which,
) -> Option<(usize, usize)> {
    let (haystack, needle) = (collate::elements(text), collate::elements(pattern));
    if needle.is_empty() {
        let at = if matches!(which, Which::First | Which::Prefix) { 0 } else { text.len() };
        return Some((at, 0));
    }
    let fits = |at: &usize| {
        let window = haystack.get(*at..*at + needle.len());
        window.is_some_and(|it| it.iter().zip(&needle).all(|(a, b)| a.same(*b, ignore_case)))
    };
    let last = haystack.len().checked_sub(needle.len())?;
    let at = match which {
        Which::First => (0..=last).find(fits),
        Which::Last => (0..=last).rev().find(fits),
        Which::Prefix => Some(0).filter(fits),
        Which::Suffix => Some(last).filter(fits),
    }?;
    let start = haystack.get(at)?.start;
    let end = haystack.get(at + needle.len() - 1)?.end;
    Some((start, end - start))
}

/// Replaces every match, from the left; `with` takes its place.
pub fn replace(text: &Str, pattern: &Str, with: &Str, comparison: Comparison) -> Str {
    if let (Some(text), Some(pattern), Some(with), Comparison::Ordinal) =
        (text.as_ascii(), pattern.as_ascii(), with.as_ascii(), comparison)
        && text.contains(pattern)
    {
        return text.replace(pattern, with).into();
    }
    let mut out: Vec<u16> = Vec::new();
    let mut rest = text.clone();
    while let Some((at, length)) = find(&rest, pattern, comparison, Which::First) {
        if length == 0 {
            break;
        }
        out.extend(rest.units().iter().take(at));
        out.extend(with.units().iter());
        rest = rest.slice(at + length..rest.len()).unwrap_or(Str::EMPTY);
    }
    if out.is_empty() && rest.len() == text.len() {
        return rest;
    }
    out.extend(rest.units().iter());
    Str::from_units(&out)
}

#[cfg(test)]
mod tests {
    use super::Comparison::{Culture, CultureIgnoreCase, Ordinal, OrdinalIgnoreCase};
    use super::*;

    fn at(text: &str, pattern: &str, comparison: Comparison, which: Which) -> i64 {
        let found = find(&text.into(), &pattern.into(), comparison, which);
        found.map_or(-1, |(at, _)| at as i64)
    }

    #[test]
    fn each_comparison_has_its_order() {
        for (a, b, comparison, sign) in [
            ("a", "B", Culture, -1),
            ("a", "B", Ordinal, 1),
            ("a", "A", Culture, -1),
            ("a", "A", Ordinal, 1),
            ("a", "A", OrdinalIgnoreCase, 0),
            ("Z", "a", CultureIgnoreCase, 1),
            ("abc", "abcd", Ordinal, -1),
            ("é", "É", OrdinalIgnoreCase, 0),
            ("10", "9", Culture, -1),
        ] {
            assert_eq!(compare(&a.into(), &b.into(), comparison).signum(), sign, "{a} {b}");
            assert_eq!(equals(&a.into(), &b.into(), comparison), sign == 0, "{a} {b}");
        }
    }

    #[test]
    fn patterns_are_found() {
        for (text, pattern, comparison, which, expected) in [
            ("hello", "l", Ordinal, Which::First, 2),
            ("hello", "L", OrdinalIgnoreCase, Which::Last, 3),
            ("hello", "LO", CultureIgnoreCase, Which::Suffix, 3),
            ("hello", "HE", Culture, Which::Prefix, -1),
            ("a\u{ad}b", "ab", Culture, Which::First, 0),
            ("a\u{ad}b", "ab", Ordinal, Which::First, -1),
            ("Straße", "ss", Culture, Which::First, -1),
            ("xé", "e\u{301}", Culture, Which::First, 1),
            ("xé", "E\u{301}", CultureIgnoreCase, Which::Last, 1),
            ("abc", "", Ordinal, Which::Last, 3),
            ("", "a", Ordinal, Which::First, -1),
            ("line1\r\nline2", "\n", Culture, Which::First, 6),
            ("äÖü", "Ü", OrdinalIgnoreCase, Which::First, 2),
        ] {
            assert_eq!(at(text, pattern, comparison, which), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn matches_are_replaced_from_the_left() {
        for (text, pattern, with, comparison, expected) in [
            ("aaa", "aa", "b", Ordinal, "ba"),
            ("Hello hello", "hello", "x", OrdinalIgnoreCase, "x x"),
            ("äöä", "ä", "ae", Ordinal, "aeöae"),
            ("abc", "x", "y", Ordinal, "abc"),
        ] {
            let replaced = replace(&text.into(), &pattern.into(), &with.into(), comparison);
            assert_eq!(replaced, expected);
        }
    }
}
