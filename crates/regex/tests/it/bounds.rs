//! Any pattern is compiled or refused, any search ends within its budget.
//!
//! `cargo bolero test PROPERTY -p portcullis-regex` runs these as fuzz targets.

use bolero::check;
use regex::{Budget, Error, Exhausted, Options, Regex, Text, escape, unescape};

/// Pieces of patterns that, thrown together at random, reach far into parser and engine.
const PIECES: &[&str] = &[
    "a",
    "b",
    "ab",
    "é",
    "1",
    " ",
    "\\d",
    "\\w",
    "\\s",
    "\\W",
    ".",
    "[ab]",
    "[^a]",
    "[a-z-[b]]",
    "[",
    "]",
    "\\p{L}",
    "\\P{IsGreek}",
    "(",
    ")",
    "(?:",
    "(?=",
    "(?!",
    "(?<=",
    "(?<!",
    "(?>",
    "(?<n>",
    "(?<2>",
    "(?<-n>",
    "(?<m-n>",
    "(?(1)",
    "(?(n)",
    "(?(?=a)",
    "|",
    "*",
    "+",
    "?",
    "*?",
    "+?",
    "??",
    "{2}",
    "{1,3}",
    "{0,2}?",
    "{,1}",
    "{1000}",
    "^",
    "$",
    "\\A",
    "\\z",
    "\\Z",
    "\\G",
    "\\b",
    "\\B",
    "\\1",
    "\\2",
    "\\k<n>",
    "(?i)",
    "(?-i)",
    "(?x)",
    "(?n)",
    "(?s:",
    "(?#c)",
    "#",
    "\\",
    "\\x41",
    "\\u00e9",
    "\\cA",
    "-",
];

const OPTIONS: &[i32] = &[0, 1, 2, 4, 16, 32, 64, 65, 67, 256, 257];

/// Steps of one search.
const STEPS: u64 = 20_000;

/// One of a list.
fn pick<T: Copy>(list: &[T], byte: u8) -> T {
    *list.iter().cycle().nth(usize::from(byte)).unwrap()
}

/// A pattern and a text made of bytes.
fn soup(bytes: &[u8]) -> (String, Vec<u16>, Options) {
    const TEXT: [char; 8] = ['a', 'b', '1', ' ', '\n', 'é', '😀', 'A'];

    let (options, rest) = bytes.split_first().map_or((0, bytes), |(it, rest)| (*it, rest));
    let (first, second) = rest.split_at(rest.len() / 2);
    let pattern = first.iter().map(|it| pick(PIECES, *it)).collect();
    let text: String = second.iter().map(|it| pick(&TEXT, *it)).collect();
    (pattern, text.encode_utf16().collect(), Options(pick(OPTIONS, options)))
}

/// Runs through all matches; the budget is for all of them together.
fn run(pattern: &[u16], text: &[u16], options: Options) {
    let regex = match Regex::new(pattern, options) {
        Ok(regex) => regex,
        Err(Error::Pattern { offset, .. }) => return assert!(offset <= pattern.len()),
        Err(Error::TooLarge(_)) => return,
    };
    let back = options.has(Options::RIGHT_TO_LEFT);
    let mut budget = Budget::new(STEPS);
    let (mut at, mut empty) = (if back { text.len() } else { 0 }, false);
    for _ in 0..text.len() + 2 {
        let left = budget.left();
        match regex.find(Text::Units(text), at, empty, &mut budget) {
            Err(Exhausted) => return assert_eq!(budget.left(), 0),
            Ok(None) => return,
            Ok(Some(found)) => {
                assert!(budget.left() < left);
                let whole = found.whole();
                for group in 0..found.n_groups() {
                    let fits = |it: &regex::Span| it.index + it.length <= text.len();
                    assert!(found.captures(group).iter().all(fits));
                }
                at = if back { whole.index } else { whole.index + whole.length };
                empty = whole.length == 0;
            }
        }
    }
    unreachable!("matches without end");
}

#[test]
fn patterns_of_pieces_end() {
    check!().for_each(|bytes| {
        let (pattern, text, options) = soup(bytes);
        run(&pattern.encode_utf16().collect::<Vec<_>>(), &text, options);
    });
}

#[test]
fn any_units_are_compiled_or_refused() {
    check!().with_type::<Vec<u16>>().for_each(|units| {
        run(units, units, Options::NONE);
        let _ = unescape(units);
        assert_eq!(unescape(&escape(units)).as_ref(), Ok(units));
    });
}

#[test]
fn patterns_that_go_back_and_forth_end_with_their_budget() {
    let text: Vec<u16> =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!".encode_utf16().collect();
    for pattern in [
        "(a+)+$",
        "(a|a)*$",
        "(a|aa)+$",
        "(?:a{0,5}){0,99}$",
        "((a*)*)*$",
        "(a*?)*?$",
        "(?=(a+)+$)",
        "(?<=^(a+)+)b",
        r"(a+)\1*\1*\1*$",
        "(?:(?:a{1000}){1000}){1000}b|(x+x+)+y|(a?){60}a{60}$",
    ] {
        let regex = Regex::new(&pattern.encode_utf16().collect::<Vec<_>>(), Options::NONE).unwrap();
        let mut budget = Budget::new(200_000);
        match regex.find(Text::Units(&text), 0, false, &mut budget) {
            Ok(_) => assert!(budget.left() > 0, "{pattern}"),
            Err(Exhausted) => assert_eq!(budget.left(), 0, "{pattern}"),
        }
    }
}

#[test]
fn patterns_that_nest_deeply_are_refused_and_long_ones_too() {
    for pattern in
        ["(".repeat(10_000), "(?:".repeat(5_000), "[a-".repeat(5_000), "a".repeat(40_000)]
    {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        assert!(matches!(Regex::new(&units, Options::NONE), Err(Error::TooLarge(_))));
    }
    let deep = "(".repeat(200) + "a" + &")".repeat(200) + "*";
    assert!(Regex::new(&deep.encode_utf16().collect::<Vec<_>>(), Options::NONE).is_ok());
}
