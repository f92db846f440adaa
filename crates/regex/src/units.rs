//! UTF-16 units: their categories, what is a word, lower case.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.globalization.unicodecategory>

use std::sync::LazyLock;

/// `System.Globalization.UnicodeCategory`, in .NET's order.
pub const CATEGORIES: [&str; 30] = [
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf",
    "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
];

const UNASSIGNED: u8 = 29;
const SURROGATE: u8 = 16;

/// Units of the basic plane.
const N_UNITS: usize = 0x1_0000;

/// The category of each unit of the basic plane.
static TABLE: LazyLock<Box<[u8]>> = LazyLock::new(|| {
    let mut table = vec![UNASSIGNED; N_UNITS].into_boxed_slice();
    for (index, name) in (0u8..).zip(CATEGORIES) {
        for (start, end) in ranges(name) {
            if let Some(units) = table.get_mut(start..=end.min(N_UNITS - 1)) {
                units.fill(index);
            }
        }
    }
    // .NET keeps what Unicode once said about these.
    for (unit, old) in [(0xaa, 1), (0xba, 1), (0xad, 19)] {
        if let Some(category) = table.get_mut(unit) {
            *category = old;
        }
    }
    if let Some(units) = table.get_mut(0xd800..=0xdfff) {
        units.fill(SURROGATE);
    }
    table
});

/// The code points of a category.
fn ranges(name: &str) -> Vec<(usize, usize)> {
    use regex_syntax::hir::{Class, HirKind};

    let Ok(hir) = regex_syntax::parse(&format!("\\p{{{name}}}")) else { return Vec::new() };
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|it| (it.start() as usize, it.end() as usize)).collect()
        }
        // A category of one character is given as that character.
        HirKind::Literal(text) => {
            String::from_utf8_lossy(&text.0).chars().map(|ch| (ch as usize, ch as usize)).collect()
        }
        _ => Vec::new(),
    }
}

/// The place of a unit's category in [`CATEGORIES`].
#[must_use]
pub fn category(unit: u16) -> u8 {
    TABLE.get(usize::from(unit)).copied().unwrap_or(UNASSIGNED)
}

/// The categories whose names begin so, as bits.
pub(crate) fn categories(prefix: &str) -> u32 {
    let bit = |(at, name): (u32, &str)| if name.starts_with(prefix) { 1 << at } else { 0 };
    (0..).zip(CATEGORIES).map(bit).fold(0, |all, it| all | it)
}

/// `L`, `Mn`, `Nd` and `Pc`: what `\w` holds.
pub(crate) const WORD: u32 = 0b1_1111 | 1 << 5 | 1 << 8 | 1 << 18;

/// Is the unit of a word, for borders and names? Joiners are, although `\w` does not hold them.
pub(crate) fn is_word(unit: u16) -> bool {
    match unit {
        0..0x80 => unit.to_le_bytes()[0].is_ascii_alphanumeric() || unit == u16::from(b'_'),
        0x200c | 0x200d => true,
        _ => WORD >> category(unit) & 1 == 1,
    }
}

/// Is the unit of a word for `ECMAScript`?
pub(crate) fn is_ecma_word(unit: u16) -> bool {
    unit == 0x130 || (unit < 0x80 && is_word(unit))
}

/// `char.IsWhiteSpace`.
pub(crate) fn is_space(unit: u16) -> bool {
    match unit {
        0x20 | 0x09..=0x0d | 0x85 | 0xa0 => true,
        0..=0x7f => false,
        _ => (11..=13).contains(&category(unit)),
    }
}

/// `char.ToLowerInvariant`: itself if the lower case is several characters.
pub(crate) fn to_lower(unit: u16) -> u16 {
    if unit < 0x80 {
        return u16::from(unit.to_le_bytes()[0].to_ascii_lowercase());
    }
    let Some(ch) = char::from_u32(u32::from(unit)) else { return unit };
    let mut mapped = ch.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(lower), None) => u16::try_from(u32::from(lower)).unwrap_or(unit),
        _ => unit,
    }
}

/// Units that have another lower case: the lower case and the unit, in the order of both.
static LOWERED: LazyLock<Vec<(u16, u16)>> = LazyLock::new(|| {
    let mut pairs: Vec<(u16, u16)> = (0..=u16::MAX)
        .filter_map(|unit| Some((to_lower(unit), unit)).filter(|(lower, unit)| lower != unit))
        .collect();
    pairs.sort_unstable();
    pairs
});

/// The units other than `lower` whose lower case it is.
pub(crate) fn raised(lower: u16) -> impl Iterator<Item = u16> {
    let from = LOWERED.partition_point(|(it, _)| *it < lower);
    let rest = LOWERED.get(from..).unwrap_or(&[]);
    rest.iter().take_while(move |(it, _)| *it == lower).map(|(_, unit)| *unit)
}

/// The lower cases of the units of a range that have another one.
pub(crate) fn lowered(first: u16, last: u16) -> impl Iterator<Item = u16> {
    LOWERED.iter().filter(move |(_, unit)| (first..=last).contains(unit)).map(|(lower, _)| *lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_those_of_unicode() {
        for (ch, expected) in
            [('A', "Lu"), ('a', "Ll"), ('٣', "Nd"), (' ', "Zs"), ('\n', "Cc"), ('ª', "Ll")]
        {
            assert_eq!(CATEGORIES[usize::from(category(ch as u16))], expected, "{ch}");
        }
        assert_eq!(category(0xd800), SURROGATE);
        assert_eq!(categories("L"), 0b1_1111);
        assert_eq!(categories("L") | categories("Mn") | categories("Nd") | categories("Pc"), WORD);
    }

    #[test]
    fn words_are_letters_marks_digits_and_joiners() {
        assert!(
            ['a', 'Z', '_', '9', 'é', '٣', '\u{301}', '\u{200d}']
                .iter()
                .all(|it| is_word(*it as u16))
        );
        assert!(!is_word('-' as u16) && !is_word('€' as u16));
        assert!(is_ecma_word('İ' as u16) && !is_ecma_word('é' as u16));
        assert!(is_space(0x2003) && is_space(0xa0) && !is_space(0x200b));
    }

    #[test]
    fn case_goes_both_ways() {
        assert_eq!(to_lower('Σ' as u16), 'σ' as u16);
        assert_eq!(to_lower('İ' as u16), 'İ' as u16);
        let raised: Vec<u16> = raised('k' as u16).collect();
        assert_eq!(raised, ['K' as u16, 0x212a]);
        assert_eq!(lowered('Y' as u16, 'Z' as u16).collect::<Vec<_>>(), ['y' as u16, 'z' as u16]);
    }
}
