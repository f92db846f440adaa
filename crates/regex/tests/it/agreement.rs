//! On patterns that mean the same in both dialects, two engines find the same.

use proptest::prelude::*;
use regex::{Budget, Options, Regex, Text};

/// A pattern without empty rounds of loops, which the engines go through differently.
fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => "[abc]",
        1 => Just(".".to_owned()),
        1 => Just("[a-b]".to_owned()),
        1 => Just("[^b]".to_owned()),
        1 => Just("\\d".to_owned()),
        1 => Just("é".to_owned()),
    ];
    let quantifier = prop_oneof![
        4 => Just(""),
        1 => Just("+"),
        1 => Just("+?"),
        1 => Just("{2}"),
        1 => Just("{1,2}"),
        1 => Just("{1,2}?"),
    ];
    let leaf = (atom, quantifier).prop_map(|(atom, quantifier)| atom + quantifier);
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|it| it.concat()),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}|{b})")),
            2 => inner.clone().prop_map(|it| format!("({it})")),
            1 => inner.clone().prop_map(|it| format!("(?:{it}[ab])+")),
            1 => inner.clone().prop_map(|it| format!("(?:[b1]{it})*?")),
            1 => inner.clone().prop_map(|it| format!("(?:{it}.){{1,3}}")),
            1 => inner.clone().prop_map(|it| format!("(?>{it})")),
            1 => inner.clone().prop_map(|it| format!("(?={it})")),
            1 => inner.clone().prop_map(|it| format!("(?!{it})")),
            1 => inner.clone().prop_map(|it| format!("({it})\\b")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("^{a}|{b}$")),
        ]
    })
}

/// Where all groups of the first match are, in bytes.
fn ours(pattern: &str, text: &str, wide: bool) -> Option<Vec<Option<(usize, usize)>>> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let given: Vec<u16> = pattern.encode_utf16().collect();
    let regex = Regex::new(&given, Options::NONE).unwrap();
    let searched = if wide { Text::Units(&units) } else { Text::Ascii(text.as_bytes()) };
    let found = regex.find(searched, 0, false, &mut Budget::new(1 << 22)).unwrap()?;
    let bytes = |at: usize| String::from_utf16_lossy(units.get(..at).unwrap_or(&[])).len();
    let group = |at| {
        let last = found.captures(at).last()?;
        Some((bytes(last.index), bytes(last.index + last.length)))
    };
    Some((0..found.n_groups()).map(group).collect())
}

/// The same of the other engine. Its `$` is the end only.
fn theirs(pattern: &str, text: &str) -> Option<Vec<Option<(usize, usize)>>> {
    let regex = fancy_regex::Regex::new(pattern).unwrap();
    let found = regex.captures(text).unwrap()?;
    Some((0..found.len()).map(|at| found.get(at).map(|it| (it.start(), it.end()))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn two_engines_find_the_same(pattern in pattern(), text in "[abcé1 ]{0,12}") {
        // Groups in loops keep what they caught in rounds before; the other engine does so as well.
        prop_assert_eq!(ours(&pattern, &text, true), theirs(&pattern, &text), "{} on {}", pattern, text);
    }

    #[test]
    fn bytes_and_units_give_the_same(pattern in pattern(), text in "[abc1 ]{0,12}") {
        prop_assert_eq!(ours(&pattern, &text, true), ours(&pattern, &text, false));
    }
}
