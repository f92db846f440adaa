//! The string functions, on plain texts (XPath 1.0, section 4.2). Characters are counted as UTF-16
//! units, as .NET counts them.

use crate::names::is_space;
use crate::xpath::{number_of, rounded};

/// `string-length()`.
pub(super) fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// `substring()`: the characters whose position is at least `from` and less than `from + length`,
/// both rounded.
pub(super) fn substring(text: &str, from: f64, length: Option<f64>) -> String {
    let from = rounded(from);
    let end = length.map_or(f64::INFINITY, |it| from + rounded(it));
    let is_wanted = |position: usize| {
        let position = number_of(position);
        position >= from && position < end
    };
    if text.chars().all(|it| it.len_utf16() == 1) {
        return text
            .chars()
            .enumerate()
            .filter(|(at, _)| is_wanted(at + 1))
            .map(|it| it.1)
            .collect();
    }
    let units: Vec<u16> = text
        .encode_utf16()
        .enumerate()
        .filter(|(at, _)| is_wanted(at + 1))
        .map(|it| it.1)
        .collect();
    String::from_utf16_lossy(&units)
}

/// `normalize-space()`.
pub(super) fn normalized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|it| !it.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// `translate()`: the first time that a character stands in `from` counts.
pub(super) fn translated(text: &str, from: &str, to: &str) -> String {
    let mut map = std::collections::HashMap::new();
    let mut to = to.chars();
    for it in from.chars() {
        let with = to.next();
        map.entry(it).or_insert(with);
    }
    text.chars().filter_map(|it| map.get(&it).copied().unwrap_or(Some(it))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn substrings_are_cut_by_rounded_positions() {
        for (from, length, expected) in [
            (2.0, Some(3.0), "234"),
            (2.0, None, "2345"),
            (1.5, Some(2.6), "234"),
            (0.0, Some(3.0), "12"),
            (f64::NAN, Some(3.0), ""),
            (1.0, Some(f64::NAN), ""),
            (-42.0, Some(f64::INFINITY), "12345"),
            (f64::NEG_INFINITY, Some(f64::INFINITY), ""),
            (9.0, None, ""),
        ] {
            assert_eq!(substring("12345", from, length), expected, "{from} {length:?}");
        }
    }

    #[test]
    fn characters_are_exchanged_and_left_out() {
        for (text, from, to, expected) in [
            ("bar", "abc", "ABC", "BAr"),
            ("--aaa--", "abc-", "ABC", "AAA"),
            ("aa", "aa", "bc", "bb"),
            ("x", "", "y", "x"),
        ] {
            assert_eq!(translated(text, from, to), expected);
        }
        assert_eq!(
            (length("\u{1f600}a"), normalized(" a\n b\u{a0} ")),
            (3, "a b\u{a0}".to_owned())
        );
    }

    proptest! {
        #[test]
        fn a_substring_of_whole_numbers_is_what_it_says(text in "[a-zé]{0,12}", from in -3_i32..15, n in -2_i32..15) {
            let first = usize::try_from(from.max(1)).unwrap();
            let last = usize::try_from((from + n).max(1)).unwrap();
            let expected: String = text.chars().skip(first - 1).take(last.saturating_sub(first)).collect();
            prop_assert_eq!(substring(&text, f64::from(from), Some(f64::from(n))), expected);
        }

        #[test]
        fn normalized_text_stays_as_it_is(text in "[a \\t\\n]{0,20}") {
            let once = normalized(&text);
            prop_assert_eq!(normalized(&once), once.clone());
            prop_assert!(!once.contains("  ") && once.trim() == once);
        }
    }
}
