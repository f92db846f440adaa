//! Comparing text as the invariant culture does: letters first, then marks, then case.
//!
//! This approximates the root collation of Unicode: `a < A < b < B`, `e < é < f`, punctuation
//! before symbols before digits before letters. Latin letters are compared by what they are made
//! of, letters of other scripts by code point without case. Controls and soft hyphens count nothing.
//!
//! Source: <https://www.unicode.org/reports/tr10/>

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::chars::lower_char;
use super::latin::MARKED;

/// ASCII (and line separators) before the digits, in order.
const BEFORE_DIGITS: &str =
    "\t\n\u{b}\u{c}\r\u{85}\u{2028}\u{2029} _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/// Marks in their order; others follow by code point.
const MARKS: &str = "\u{301}\u{300}\u{306}\u{302}\u{30c}\u{30a}\u{308}\u{30b}\u{303}\u{307}\u{338}\
                     \u{327}\u{328}\u{304}\u{309}\u{323}\u{31b}\u{326}\u{32d}\u{331}";

const OTHER_SYMBOLS: u32 = 0x1000;
const DIGITS: u32 = 0x20_0000;
const LATIN: u32 = 0x20_0100;
const OTHER_LETTERS: u32 = 0x30_0000;

/// What a piece of text weighs; zero on a level means that it does not count there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    primary: u32,
    secondary: u32,
    tertiary: u8,
    /// The unit of the text where it starts, and one past its end.
    pub start: usize,
    pub end: usize,
}

impl Element {
    /// Whether two weigh the same, case aside if so wanted.
    pub(super) fn same(self, other: Self, ignore_case: bool) -> bool {
        self.primary == other.primary
            && self.secondary == other.secondary
            && (ignore_case || self.tertiary == other.tertiary)
    }
}

static DECOMPOSED: LazyLock<HashMap<char, (char, &'static str)>> = LazyLock::new(|| {
    let mut map = HashMap::new();
    for (marks, bases, letters) in MARKED {
        map.extend(letters.chars().zip(bases.chars().map(|base| (base, *marks))));
    }
    map
});

/// The weights of ASCII: order, then case; zero for controls.
static ASCII: LazyLock<[(u32, u8); 128]> = LazyLock::new(|| {
    let mut table = [(0, 0); 128];
    for (ch, weights) in ('\0'..='\u{7f}').zip(table.iter_mut()) {
        let ignored = ch.is_ascii_control() && !('\t'..='\r').contains(&ch);
        if !ignored {
            *weights = (primary(ch.to_ascii_lowercase()), tertiary(ch, 0));
        }
    }
    table
});

/// Compares as the invariant culture does.
pub(super) fn compare(a: &[u16], b: &[u16], ignore_case: bool) -> Ordering {
    let (a, b) = (elements(a), elements(b));
    let level = |of: fn(&Element) -> u32| {
        let nonzero = |it: &u32| *it != 0;
        a.iter().map(of).filter(nonzero).cmp(b.iter().map(of).filter(nonzero))
    };
    level(|it| it.primary)
        .then_with(|| level(|it| it.secondary))
        .then_with(|| if ignore_case { Ordering::Equal } else { level(|it| it.tertiary.into()) })
}

/// Compares ASCII text as the invariant culture does, without allocating.
pub(super) fn compare_ascii(a: &[u8], b: &[u8], ignore_case: bool) -> Ordering {
    let primary = |byte: &u8| ASCII.get(usize::from(*byte)).map_or(0, |it| it.0);
    let tertiary = |byte: &u8| ASCII.get(usize::from(*byte)).map_or(0, |it| it.1);
    let counts = |it: &u32| *it != 0;
    let letters = a.iter().map(primary).filter(counts).cmp(b.iter().map(primary).filter(counts));
    if ignore_case || letters != Ordering::Equal {
        return letters;
    }
    let counts = |it: &u8| *it != 0;
    a.iter().map(tertiary).filter(counts).cmp(b.iter().map(tertiary).filter(counts))
}

/// Whether each byte weighs something of its own, so that text of it is searched by bytes.
pub(super) fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| (0x20..0x7f).contains(byte) || (b'\t'..=b'\r').contains(byte))
}

/// The weights of a text; what counts nothing is left out.
pub(super) fn elements(text: &[u16]) -> Vec<Element> {
    let mut all = Vec::with_capacity(text.len());
    let mut at = 0;
    for decoded in char::decode_utf16(text.iter().copied()) {
        let (ch, length) = match decoded {
            Ok(ch) => (ch, ch.len_utf16()),
            Err(lone) => {
                let primary = OTHER_LETTERS + u32::from(lone.unpaired_surrogate());
                all.push(Element { primary, secondary: 1, tertiary: 2, start: at, end: at + 1 });
                at += 1;
                continue;
            }
        };
        push(&mut all, ch, at, at + length);
        at += length;
    }
    all
}

fn push(all: &mut Vec<Element>, ch: char, start: usize, end: usize) {
    if is_ignored(ch) {
        return;
    }
    if let Some(secondary) = mark(ch) {
        match all.last_mut() {
            Some(last) => {
                last.secondary = last.secondary * 64 + secondary;
                last.end = end;
            }
            None => all.push(Element { primary: 0, secondary, tertiary: 0, start, end }),
        }
        return;
    }
    let lower = lower_char(ch);
    let mut add = |base: char, secondary: u32, variant: u8| {
        let tertiary = tertiary(ch, variant);
        all.push(Element { primary: primary(base), secondary, tertiary, start, end });
    };
    match lower {
        'ß' | 'ẞ' => {
            add('s', 1, 2);
            add('s', 1, 2);
        }
        'æ' => {
            add('a', 1, 2);
            add('e', 1, 2);
        }
        'œ' => {
            add('o', 1, 2);
            add('e', 1, 2);
        }
        'ǆ' | 'ǅ' => {
            add('d', 1, 2);
            add('z', 64 + mark('\u{30c}').unwrap_or(0), 2);
        }
        'ǉ' | 'ǈ' | 'ǌ' | 'ǋ' => {
            add(if matches!(lower, 'ǉ' | 'ǈ') { 'l' } else { 'n' }, 1, 2);
            add('j', 1, 2);
        }
        '\u{fb00}'..='\u{fb04}' => {
            let letters = ["ff", "fi", "fl", "ffi", "ffl"];
            let index = (u32::from(lower) - 0xfb00) as usize;
            letters.get(index).unwrap_or(&"f").chars().for_each(|it| add(it, 1, 2));
        }
        'İ' => add('i', 64 + mark('\u{307}').unwrap_or(0), 8 - 2),
        'ø' => add('o', 60, 0),
        'ł' => add('l', 60, 0),
        'đ' => add('d', 60, 0),
        'ħ' => add('h', 60, 0),
        _ => match DECOMPOSED.get(&lower) {
            Some((base, marks)) => {
                let secondary = marks.chars().filter_map(mark).fold(1, |all, it| all * 64 + it);
                add(*base, secondary, 0);
            }
            None => add(lower, 1, 0),
        },
    }
}

fn tertiary(ch: char, variant: u8) -> u8 {
    let upper = lower_char(ch) != ch;
    variant + if upper { 8 } else { 2 }
}

fn is_ignored(ch: char) -> bool {
    match ch {
        '\t'..='\r' | '\u{85}' => false,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => true,
        '\u{fe00}'..='\u{fe0f}' => true,
        other => other.is_control(),
    }
}

fn mark(ch: char) -> Option<u32> {
    if !('\u{300}'..='\u{36f}').contains(&ch) {
        return None;
    }
    let known = MARKS.chars().position(|it| it == ch).and_then(|it| u32::try_from(it).ok());
    Some(2 + known.unwrap_or_else(|| 20 + (u32::from(ch) - 0x300) % 40))
}

/// The order of a lower-case character without marks.
fn primary(ch: char) -> u32 {
    let known = || BEFORE_DIGITS.chars().position(|it| it == ch);
    match ch {
        '0'..='9' => DIGITS + u32::from(ch),
        'a'..='z' => LATIN + (u32::from(ch) - 0x60) * 4,
        'ð' => LATIN + 4 * 4 + 1,
        'ı' => LATIN + 9 * 4 + 1,
        'þ' => LATIN + 26 * 4 + 1,
        _ if ch.is_alphanumeric() => OTHER_LETTERS + u32::from(ch),
        _ if ch.is_whitespace() && known().is_none() => primary(' '),
        _ => match known().and_then(|it| u32::try_from(it).ok()) {
            Some(index) => 1 + index,
            None => OTHER_SYMBOLS + u32::from(ch),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str, ignore_case: bool) -> Ordering {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let result = compare(&units(a), &units(b), ignore_case);
        if a.is_ascii() && b.is_ascii() {
            assert_eq!(compare_ascii(a.as_bytes(), b.as_bytes(), ignore_case), result);
        }
        result
    }

    #[test]
    fn letters_come_in_the_order_of_the_alphabet() {
        let sorted = [
            "", " ", "_", "-", ",", "$", "1", "10", "9", "a", "A", "ab", "abc", "ABC", "Abd", "b",
            "B", "e", "é", "É", "ea", "f", "item10", "item9", "ñ", "o", "z", "Z", "я",
        ];
        for pair in sorted.windows(2) {
            assert_ne!(order(pair[0], pair[1], false), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(order("apple", "Apple", false), Ordering::Less);
    }

    #[test]
    fn case_may_be_ignored() {
        assert_eq!(order("abc", "ABC", true), Ordering::Equal);
        assert_eq!(order("é", "É", true), Ordering::Equal);
        assert_eq!(order("e", "é", true), Ordering::Less);
    }

    #[test]
    fn composed_and_decomposed_text_is_equal() {
        assert_eq!(order("é", "e\u{301}", false), Ordering::Equal);
        assert_eq!(order("a\u{ad}b", "ab", false), Ordering::Equal);
        assert_ne!(order("ß", "ss", false), Ordering::Equal);
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_total(a in "\\PC{0,6}", b in "\\PC{0,6}", c in "\\PC{0,6}") {
            proptest::prop_assert_eq!(order(&a, &b, false), order(&b, &a, false).reverse());
            if order(&a, &b, false).is_le() && order(&b, &c, false).is_le() {
                proptest::prop_assert!(order(&a, &c, false).is_le());
            }
        }
    }
}
