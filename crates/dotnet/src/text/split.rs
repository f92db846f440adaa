//! Cutting text into pieces: `string.Split` in all its overloads, and trimming.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.string.split>

use std::ops::Range;

use super::chars::is_white_space;
use crate::string::Str;

/// What separates the pieces.
#[derive(Debug)]
pub enum Separators {
    /// Any white space.
    WhiteSpace,
    /// Any of these units.
    Units(Vec<u16>),
    /// Any of these texts; the first that matches counts.
    Texts(Vec<Str>),
}

impl Separators {
    /// Units, or white space if there are none.
    pub fn units(units: Vec<u16>) -> Self {
        if units.is_empty() { Self::WhiteSpace } else { Self::Units(units) }
    }

    /// Texts, or white space if there are none. Empty ones never match.
    pub fn texts(texts: Vec<Str>) -> Self {
        if texts.is_empty() { Self::WhiteSpace } else { Self::Texts(texts) }
    }

    /// How many units a separator at the start of the text takes; 0 if there is none.
    fn matched(&self, text: &[u16], texts: &[Vec<u16>]) -> usize {
        let Some(first) = text.first() else { return 0 };
        match self {
            Self::WhiteSpace => usize::from(is_white_space(*first)),
            Self::Units(units) => usize::from(units.contains(first)),
            Self::Texts(_) => {
                texts.iter().find(|it| !it.is_empty() && text.starts_with(it)).map_or(0, Vec::len)
            }
        }
    }
}

/// The pieces of a text, at most `most` of them.
pub fn split(text: &Str, separators: &Separators, most: usize, remove_empty: bool) -> Vec<Str> {
    let piece = |range: Range<usize>| text.slice(range).unwrap_or(Str::EMPTY);
    if most == 0 || (remove_empty && text.is_empty()) {
        return Vec::new();
    }
    if most == 1 {
        return vec![text.clone()];
    }
    let found = separated(text, separators);
    let mut pieces = Vec::with_capacity(found.len().min(most) + 1);
    let mut start = 0;
    for range in found {
        if pieces.len() + 1 == most && !(remove_empty && range.start == start) {
            break;
        }
        if !(remove_empty && range.start == start) {
            pieces.push(piece(start..range.start));
        }
        start = range.end;
    }
    if !remove_empty || start < text.len() {
        pieces.push(piece(start..text.len()));
    }
    pieces
}

/// Where the separators are.
fn separated(text: &Str, separators: &Separators) -> Vec<Range<usize>> {
    if let (Some(text), Separators::Units(units)) = (text.as_ascii(), separators) {
        let bytes: Vec<u8> = units.iter().filter_map(|unit| u8::try_from(*unit).ok()).collect();
        let is_separator = |(_, byte): &(usize, u8)| bytes.contains(byte);
        return text.bytes().enumerate().filter(is_separator).map(|(at, _)| at..at + 1).collect();
    }
    let texts: Vec<Vec<u16>> = match separators {
        Separators::Texts(texts) => texts.iter().map(|it| it.units().into_owned()).collect(),
        _ => Vec::new(),
    };
    let units = text.units();
    let mut found = Vec::new();
    let mut at = 0;
    while at < units.len() {
        let length = separators.matched(units.get(at..).unwrap_or_default(), &texts);
        if length > 0 {
            found.push(at..at + length);
        }
        at += length.max(1);
    }
    found
}

/// Cuts units off the start and the end; white space if the set is empty.
pub fn trim(text: &Str, set: &[u16], start: bool, end: bool) -> Str {
    let cut = |unit: u16| if set.is_empty() { is_white_space(unit) } else { set.contains(&unit) };
    let (mut from, mut to) = (0, text.len());
    while start && from < to && text.unit(from).is_some_and(cut) {
        from += 1;
    }
    while end && from < to && text.unit(to - 1).is_some_and(cut) {
        to -= 1;
    }
    text.slice(from..to).unwrap_or(Str::EMPTY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, separators: &Separators, most: usize, remove_empty: bool) -> Vec<String> {
        let pieces = split(&text.into(), separators, most, remove_empty);
        pieces.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn texts_are_cut_as_dotnet_cuts_them() {
        let all = usize::MAX;
        let units = |text: &str| Separators::units(text.encode_utf16().collect());
        let texts = |list: &[&str]| Separators::texts(list.iter().map(|it| (*it).into()).collect());
        for (text, separators, most, remove_empty, expected) in [
            ("a,b,,c,", units(","), all, false, &["a", "b", "", "c", ""][..]),
            ("a,b,c", units(","), 2, false, &["a", "b,c"]),
            ("a,b,c", units(","), 0, false, &[]),
            (",,a,b", units(","), 2, true, &["a", "b"]),
            (",,a,b,c", units(","), 2, true, &["a", "b,c"]),
            ("a, b; c", texts(&[", ", "; "]), all, false, &["a", "b", "c"]),
            ("a--b--c", texts(&["--"]), 2, false, &["a", "b--c"]),
            ("a b\tc\nd", units(""), all, false, &["a", "b", "c", "d"]),
            ("a  b", units(" "), all, false, &["a", "", "b"]),
            ("a  b", units(""), all, true, &["a", "b"]),
            ("", units(","), all, false, &[""]),
            ("", units(","), all, true, &[]),
            ("abc", texts(&[""]), all, false, &["abc"]),
            ("äxö", units("x"), all, false, &["ä", "ö"]),
            (",", units(","), all, true, &[]),
            ("a,,", units(","), 2, true, &["a"]),
        ] {
            assert_eq!(cut(text, &separators, most, remove_empty), expected, "{text}");
        }
    }

    #[test]
    fn ends_are_trimmed() {
        let shown = |text: &str, set: &str, start, end| {
            let set: Vec<u16> = set.encode_utf16().collect();
            trim(&text.into(), &set, start, end).to_string()
        };
        assert_eq!(shown("\t\r\n hi \u{a0}\u{2003}", "", true, true), "hi");
        assert_eq!(shown("xxhixx", "x", true, true), "hi");
        assert_eq!(shown("/a/b/", "/", true, false), "a/b/");
        assert_eq!(shown("   ", "", true, true), "");
    }

    proptest::proptest! {
        #[test]
        fn pieces_join_to_the_text(text in "[a,é]{0,12}") {
            let pieces = split(&text.as_str().into(), &Separators::Units(vec![0x2c]), usize::MAX, false);
            let joined: Vec<String> = pieces.iter().map(ToString::to_string).collect();
            proptest::prop_assert_eq!(joined.join(","), text);
        }
    }
}
