//! Tables by path segment. Most hold a handful of names, and then comparing them is cheaper than
//! any hash.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::hash::{WordHasher, is_plain};
use super::segment::fold;

/// Names up to which a table compares one by one.
const FEW: usize = 8;

/// Values by segment, which compare as [`fold`] makes them.
#[derive(Debug)]
pub(super) struct Table<V> {
    entries: Vec<Entry<V>>,
    /// Places of the entries by name; empty while there are few.
    places: HashMap<Box<str>, usize, BuildHasherDefault<WordHasher>>,
}

#[derive(Debug)]
struct Entry<V> {
    /// Folded.
    name: Box<str>,
    /// Whether a segment that is the same text is the same segment: not so with `%`, which is
    /// decoded in a segment.
    is_plain: bool,
    value: V,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: HashMap::default() }
    }
}

impl<V: Default> Table<V> {
    /// The value of a folded name, made if it is not there.
    pub(super) fn entry(&mut self, name: String) -> &mut V {
        let known = match self.places.is_empty() {
            true => self.entries.iter().position(|it| *it.name == *name),
            false => self.places.get(&*name).copied(),
        };
        let at = known.unwrap_or_else(|| {
            let is_plain = is_plain(&name);
            self.entries.push(Entry { name: name.into(), is_plain, value: V::default() });
            self.index();
            self.entries.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the place was found or just made")]
        &mut self.entries[at].value
    }

    fn index(&mut self) {
        if self.entries.len() <= FEW {
            return;
        }
        let n_known = self.places.len();
        for (place, entry) in self.entries.iter().enumerate().skip(n_known) {
            self.places.insert(entry.name.clone(), place);
        }
    }
}

impl<V> Table<V> {
    /// The value for a segment as received.
    pub(super) fn get(&self, segment: &str) -> Option<&V> {
        if self.entries.len() > FEW {
            let place = match is_plain(segment) {
                true => self.places.get(segment),
                false => self.places.get(&*fold(segment)),
            };
            return self.entries.get(*place?).map(|it| &it.value);
        }
        let same = |it: &&Entry<V>| it.is_plain && *it.name == *segment;
        if let Some(found) = self.entries.iter().find(same) {
            return Some(&found.value);
        }
        if self.entries.is_empty() || is_plain(segment) {
            return None;
        }
        let folded = fold(segment);
        self.entries.iter().find(|it| *it.name == *folded).map(|it| &it.value)
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, Table};
    use crate::router::segment::fold;

    /// The number of the name that a segment finds.
    fn find(names: &[&str], segment: &str) -> Option<usize> {
        let mut table = Table::<usize>::default();
        for (number, name) in names.iter().enumerate() {
            *table.entry(fold(name).into_owned()) = number;
        }
        table.get(segment).copied()
    }

    #[test]
    fn few_and_many_names_are_found_alike() {
        let others: Vec<String> = (0..=FEW).map(|it| format!("other{it}")).collect();
        let names = ["orders", "a%20b", "100%25", "100%", "STRASSE", "café", "%2541"];
        let many: Vec<&str> =
            names.iter().copied().chain(others.iter().map(String::as_str)).collect();
        for (segment, expected) in [
            ("orders", Some(0)),
            ("Orders", Some(0)),
            ("%6frders", Some(0)),
            ("order", None),
            ("", None),
            ("a b", Some(1)),
            ("A%20B", Some(1)),
            ("100%25", Some(3)),
            ("strasse", Some(4)),
            ("CAFÉ", Some(5)),
            ("caf%c3%a9", Some(5)),
            ("%2541", Some(6)),
            ("%41", None),
        ] {
            assert_eq!(find(&names, segment), expected, "few: {segment}");
            assert_eq!(find(&many, segment), expected, "many: {segment}");
        }
    }

    #[test]
    fn a_name_has_one_entry() {
        let mut table = Table::<Vec<u32>>::default();
        for number in 0..100 {
            table.entry(format!("name{}", number % 20)).push(number);
        }
        assert_eq!(table.get("name7").unwrap(), &[7, 27, 47, 67, 87]);
    }
}
