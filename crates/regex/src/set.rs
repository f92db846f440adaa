//! Sets of units: what a class holds.
//!
//! ASCII is answered from a bitmap that is filled once; anything else from ranges and categories.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/character-classes-in-regular-expressions>

use crate::blocks::{Property, property};
use crate::units::{WORD, categories, category, is_space, lowered, to_lower};

/// All categories, as bits.
const EVERY_CATEGORY: u32 = (1 << 30) - 1;

/// A set of units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// A bit for each ASCII unit that is in the set; see [`Set::sealed`].
    ascii: u128,
    negated: bool,
    /// First and last unit, in the order of the first ones once it is sealed.
    ranges: Vec<(u16, u16)>,
    categories: u32,
    spaces: bool,
    no_spaces: bool,
    /// What is looked up is the lower case.
    folds: bool,
    minus: Option<Box<Set>>,
}

impl Set {
    /// `\w`, `\d` or `\s`; an upper case letter is the rest.
    pub(crate) fn shorthand(letter: u8, ecma: bool) -> Self {
        let mut set = Self::default();
        set.add_shorthand(letter, ecma);
        set.sealed()
    }

    /// These units.
    pub(crate) fn of(units: impl IntoIterator<Item = u16>) -> Self {
        let ranges = units.into_iter().map(|it| (it, it)).collect();
        Self { ranges, ..Self::default() }.sealed()
    }

    pub(crate) fn negate(&mut self) {
        self.negated = true;
    }

    pub(crate) fn add_range(&mut self, first: u16, last: u16) {
        self.ranges.push((first, last));
    }

    pub(crate) fn subtract(&mut self, other: Self) {
        self.minus = Some(Box::new(other));
    }

    pub(crate) fn add_shorthand(&mut self, letter: u8, ecma: bool) {
        let unit = |it: char| it as u16;
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        match (letter.to_ascii_lowercase(), ecma) {
            (b'w', false) => self.add_categories(WORD, letter == b'W'),
            (b'd', false) => self.add_categories(categories("Nd"), letter == b'D'),
            (b's', false) if letter == b's' => self.spaces = true,
            (b's', false) => self.no_spaces = true,
            (b'w', true) => {
                let plain =
                    [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'), ('\u{130}', '\u{130}')];
                ranges.extend(plain.map(|(first, last)| (unit(first), unit(last))));
            }
            (b'd', true) => ranges.push((unit('0'), unit('9'))),
            _ => ranges.extend([(9, 13), (32, 32)]),
        }
        if letter.is_ascii_uppercase() && ecma {
            ranges = gaps(&ranges);
        }
        self.ranges.extend(ranges);
    }

    fn add_categories(&mut self, bits: u32, inverted: bool) {
        self.categories |= if inverted { EVERY_CATEGORY & !bits } else { bits };
    }

    /// Adds `\p{name}`; false if .NET does not know it. With `folds`, the three categories of case
    /// are one.
    pub(crate) fn add_property(&mut self, name: &str, inverted: bool, folds: bool) -> bool {
        match property(name) {
            None => return false,
            Some(Property::Categories(_)) if folds && matches!(name, "Lu" | "Ll" | "Lt") => {
                self.add_categories(0b111, inverted);
            }
            Some(Property::Categories(bits)) => self.add_categories(bits, inverted),
            Some(Property::Block(first, last)) if inverted => {
                self.ranges.extend(gaps(&[(first, last)]));
            }
            Some(Property::Block(first, last)) => self.ranges.push((first, last)),
        }
        true
    }

    /// Lets letters match in either case: what is in the set is put into lower case, and so is
    /// what is looked up.
    pub(crate) fn fold(&mut self) {
        self.folds = true;
        let mut more = Vec::new();
        for (first, last) in &mut self.ranges {
            if first == last {
                *first = to_lower(*first);
                *last = *first;
            } else {
                more.extend(lowered(*first, *last).map(|it| (it, it)));
            }
        }
        self.ranges.append(&mut more);
    }

    /// The set ready for look-ups.
    pub(crate) fn sealed(mut self) -> Self {
        self.ranges.sort_unstable();
        self.ranges = merged(&self.ranges);
        self.ascii = (0..128u16).filter(|it| self.looked_up(*it)).fold(0, |all, it| all | 1 << it);
        self
    }

    /// Is the unit in the set?
    #[inline]
    pub(crate) fn has(&self, unit: u16) -> bool {
        if unit < 128 { self.ascii >> unit & 1 == 1 } else { self.looked_up(unit) }
    }

    /// The ASCII units as bits.
    pub(crate) fn ascii(&self) -> u128 {
        self.ascii
    }

    /// May the set hold a unit that is not ASCII?
    pub(crate) fn has_wide(&self) -> bool {
        let narrow = self.ranges.last().is_none_or(|(_, last)| *last < 128);
        self.negated
            || self.folds
            || self.categories != 0
            || self.spaces
            || self.no_spaces
            || !narrow
    }

    fn looked_up(&self, unit: u16) -> bool {
        self.holds(if self.folds { to_lower(unit) } else { unit })
    }

    fn holds(&self, unit: u16) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= unit);
        let near = after.checked_sub(1).and_then(|at| self.ranges.get(at));
        let found = near.is_some_and(|(_, last)| unit <= *last)
            || (self.categories != 0 && self.categories >> category(unit) & 1 == 1)
            || (self.spaces && is_space(unit))
            || (self.no_spaces && !is_space(unit));
        found != self.negated && !self.minus.as_ref().is_some_and(|it| it.holds(unit))
    }
}

/// Ranges that touch or overlap made one; they are sorted.
fn merged(ranges: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut out: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match out.last_mut() {
            Some((_, end)) if *first <= end.saturating_add(1) => *end = (*end).max(*last),
            _ => out.push((*first, *last)),
        }
    }
    out
}

/// What is between sorted ranges.
fn gaps(ranges: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut out = Vec::new();
    let mut next = Some(0);
    for (first, last) in ranges {
        if let Some(from) = next.filter(|it| it < first) {
            out.push((from, first - 1));
        }
        next = last.checked_add(1);
    }
    out.extend(next.map(|from| (from, u16::MAX)));
    out
}

#[cfg(test)]
mod tests {
    use super::{Set, gaps};

    fn ranges(text: &str) -> Set {
        let mut set = Set::default();
        for pair in text.split(' ') {
            let units: Vec<u16> = pair.encode_utf16().collect();
            set.add_range(units[0], units[1]);
        }
        set
    }

    #[test]
    fn shorthands_hold_what_dotnet_says() {
        let has = |letter, ecma, ch: char| Set::shorthand(letter, ecma).has(ch as u16);
        for (letter, yes, no) in
            [(b'w', "aZ_9é٣", "- €"), (b'd', "0٣", "a½"), (b's', " \t\u{2003}", "a\u{200b}")]
        {
            for ch in yes.chars() {
                assert!(
                    has(letter, false, ch) && !has(letter.to_ascii_uppercase(), false, ch),
                    "{ch}"
                );
            }
            for ch in no.chars() {
                assert!(
                    !has(letter, false, ch) && has(letter.to_ascii_uppercase(), false, ch),
                    "{ch}"
                );
            }
        }
        assert!(has(b'w', true, 'İ') && !has(b'w', true, 'é') && has(b'W', true, 'é'));
        assert!(!has(b'd', true, '٣') && has(b'D', true, '٣') && !has(b's', true, '\u{a0}'));
    }

    #[test]
    fn folding_looks_up_the_lower_case() {
        let mut set = ranges("AA XZ");
        set.fold();
        let set = set.sealed();
        assert!("aAxXyYzZ".encode_utf16().all(|it| set.has(it)));
        let mut kelvin = ranges("kk");
        kelvin.fold();
        assert!(kelvin.sealed().has(0x212a));
    }

    #[test]
    fn a_subtraction_is_not_negated_with_the_rest() {
        let mut set = ranges("az");
        set.negate();
        set.subtract(ranges("XX").sealed());
        let set = set.sealed();
        assert!(set.has(b'Y'.into()) && !set.has(b'X'.into()) && !set.has(b'a'.into()));
        assert!(set.has_wide() && !ranges("az").sealed().has_wide());
    }

    #[test]
    fn gaps_are_what_ranges_leave() {
        assert_eq!(gaps(&[(0, 4), (10, 11)]), [(5, 9), (12, u16::MAX)]);
        assert_eq!(gaps(&[(3, u16::MAX)]), [(0, 2)]);
    }
}
