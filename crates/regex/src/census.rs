//! The first pass over a pattern: which groups there are, and their numbers.
//!
//! Unnamed groups are counted first, in the order of their parentheses; named ones follow. So a
//! reference may stand before its group.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/grouping-constructs-in-regular-expressions>

use std::collections::BTreeMap;

use crate::Options;
use crate::class::class;
use crate::error::Error;
use crate::reference::{Reference, backslash};
use crate::scan::Scan;

/// A group: its number and its name, which is its number if it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The number.
    pub number: u32,
    /// The name.
    pub name: String,
}

/// The groups of a pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census {
    /// Numbers and where the groups begin.
    numbers: BTreeMap<u32, usize>,
    /// In the order of their first appearance, with place and then number.
    names: Vec<(String, usize)>,
    named: BTreeMap<String, u32>,
    /// The number that the next unnamed group would have.
    next: u32,
}

impl Census {
    /// Counts the groups.
    pub(crate) fn of(units: &[u16], options: Options) -> Result<Self, Error> {
        let mut census = Self { next: 1, ..Self::default() };
        census.numbers.insert(0, 0);
        census.read(&mut Scan::new(units, options))?;
        for (name, place) in std::mem::take(&mut census.names) {
            while census.numbers.contains_key(&census.next) {
                census.next += 1;
            }
            census.numbers.insert(census.next, place);
            census.named.insert(name, census.next);
        }
        Ok(census)
    }

    /// The place of a group in the order of numbers.
    pub(crate) fn slot(&self, number: u32) -> Option<u32> {
        self.numbers
            .contains_key(&number)
            .then(|| u32::try_from(self.numbers.range(..number).count()).unwrap_or(u32::MAX))
    }

    /// The number of a group's name.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.named.get(name).copied()
    }

    /// Where the group begins.
    pub(crate) fn begins(&self, number: u32) -> Option<usize> {
        self.numbers.get(&number).copied()
    }

    /// The largest number.
    pub(crate) fn largest(&self) -> u32 {
        self.numbers.last_key_value().map_or(0, |(it, _)| *it)
    }

    /// All groups in the order of their numbers.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let name = |number: u32| {
            let named = self.named.iter().find(|(_, it)| **it == number);
            named.map_or_else(|| number.to_string(), |(name, _)| name.clone())
        };
        self.numbers.keys().map(|number| Group { number: *number, name: name(*number) }).collect()
    }

    fn read(&mut self, scan: &mut Scan<'_>) -> Result<(), Error> {
        let mut outer = Vec::new();
        loop {
            let place = scan.at;
            match scan.next() {
                None => return Ok(()),
                Some(b'\\') if scan.left() > 0 => {
                    let _: Reference = backslash(scan, None)?;
                }
                Some(b'#') if scan.has(Options::IGNORE_PATTERN_WHITESPACE) => {
                    scan.at -= 1;
                    scan.skip_blank()?;
                }
                Some(b'[') => {
                    class(scan)?;
                }
                Some(b')') => scan.options = outer.pop().unwrap_or(scan.options),
                Some(b'(') if scan.peek() == Some(b'?') && scan.peek_at(1) == Some(b'#') => {
                    scan.at -= 1;
                    scan.skip_blank()?;
                    scan.in_condition = false;
                }
                Some(b'(') => {
                    outer.push(scan.options);
                    scan.in_condition = self.open(scan, place, &mut outer)?;
                }
                Some(_) => {}
            }
        }
    }

    /// Reads what follows an opening parenthesis; true before a condition.
    fn open(
        &mut self,
        scan: &mut Scan<'_>,
        place: usize,
        outer: &mut Vec<Options>,
    ) -> Result<bool, Error> {
        if !scan.take(b'?') {
            if !scan.has(Options::EXPLICIT_CAPTURE) && !scan.in_condition {
                self.numbers.entry(self.next).or_insert(place);
                self.next += 1;
            }
            return Ok(false);
        }
        if scan.left() > 1 && matches!(scan.peek(), Some(b'<' | b'\'')) {
            scan.at += 1;
            match scan.peek() {
                Some(b'1'..=b'9') => {
                    let number = scan.decimal()?;
                    self.numbers.entry(number).or_insert(place);
                }
                Some(b'0') => {}
                _ if scan.at_word() => {
                    let name = scan.name();
                    if !self.names.iter().any(|(it, _)| *it == name) {
                        self.names.push((name, place));
                    }
                }
                _ => {}
            }
            return Ok(false);
        }
        scan.inline_options();
        match scan.peek() {
            Some(b')') => {
                // Options without a group stay on up to the end of the group around them.
                scan.at += 1;
                outer.pop();
                Ok(false)
            }
            Some(b'(') => Ok(true),
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Census;
    use crate::Options;

    fn groups(pattern: &str) -> String {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        let census = Census::of(&units, Options::NONE).unwrap();
        let show = census.groups().into_iter().map(|it| format!("{}={}", it.number, it.name));
        show.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn unnamed_groups_are_numbered_before_named_ones() {
        let cases = [
            ("(?<a>x)(y)", "0=0 1=1 2=a"),
            ("(?<x>a)(?<x>b)", "0=0 1=x"),
            ("(?<5>a)(?:b)(c)(?'n'd)", "0=0 1=1 2=n 5=5"),
            ("(?n)(a)(?<b>c)", "0=0 1=b"),
            ("(?n:(a))(b)", "0=0 1=1"),
            ("(?<1>a)(b)(?<c>d)", "0=0 1=1 2=c"),
            (r"\((a)[(](?#()", "0=0 1=1"),
            ("(?(a)b|(c))", "0=0 1=1"),
            ("(?x)(a) # (b)\n(c)", "0=0 1=1 2=2"),
            ("(?<d-e>a)(?<-f>b)(?<e>)(?<f>)", "0=0 1=d 2=e 3=f"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(groups(pattern), expected, "{pattern}");
        }
    }
}
