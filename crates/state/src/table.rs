//! A bounded map from (group, member) to a counter, cut into parts with a lock each.
//!
//! All members of a group are in one part, so that one lock holds a whole group. A known key is
//! found without allocating. When the table is full, counters that count nothing any more make
//! room; if there are none, a new key gets none.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;

/// Parts of a table.
const N_PARTS: usize = 64;
/// A full table looks for counters that are over at most this often.
const SWEEP_EVERY_MS: u64 = 100;

/// What a table holds.
pub(crate) trait Counter {
    /// The moment a question is asked; as [`Counter::is_over`] takes it.
    type Now: Copy;

    /// Whether it counts nothing any more, so that forgetting it changes nothing.
    fn is_over(&self, now: Self::Now) -> bool;
}

/// One counter with its key.
pub(crate) struct Entry<V> {
    pub(crate) group: Box<str>,
    pub(crate) member: Box<str>,
    pub(crate) value: V,
    hash: u64,
}

pub(crate) struct Table<V> {
    parts: Box<[Mutex<HashTable<Entry<V>>>]>,
    hasher: RandomState,
    n_keys: AtomicUsize,
    max_keys: usize,
    /// When the table was last searched, in milliseconds, plus one.
    swept: AtomicU64,
}

/// No room for another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl<V: Counter> Table<V> {
    pub(crate) fn new(max_keys: usize) -> Table<V> {
        let parts = std::iter::repeat_with(|| Mutex::new(HashTable::new())).take(N_PARTS);
        Table {
            parts: parts.collect(),
            hasher: RandomState::new(),
            n_keys: AtomicUsize::new(0),
            max_keys,
            swept: AtomicU64::new(0),
        }
    }

    /// Keys that there are.
    pub(crate) fn n_keys(&self) -> usize {
        self.n_keys.load(Ordering::Relaxed)
    }

    /// A group, for the caller alone until this is dropped.
    pub(crate) fn group<'t>(&'t self, group: &'t str) -> Option<Group<'t, V>> {
        let hash = self.hasher.hash_one(group);
        let part = self.part(hash)?;
        Some(Group { table: self, part: locked(part), name: group, hash })
    }

    /// The part of a group. The upper bits choose it: the lower ones choose the place within.
    fn part(&self, hash: u64) -> Option<&Mutex<HashTable<Entry<V>>>> {
        self.parts.get(usize::try_from(hash >> 40).unwrap_or_default() % N_PARTS)
    }

    /// Forgets counters that are over; `told` hears of each. Not more often than is useful.
    pub(crate) fn sweep(&self, now: V::Now, now_ms: u64, mut told: impl FnMut(&Entry<V>)) {
        let before = self.swept.load(Ordering::Relaxed);
        let is_soon = before != 0 && now_ms < before.saturating_add(SWEEP_EVERY_MS);
        let mark = now_ms.saturating_add(1);
        if is_soon
            || self
                .swept
                .compare_exchange(before, mark, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        for part in &self.parts {
            let mut part = locked(part);
            let n_before = part.len();
            part.retain(|it| {
                let is_over = it.value.is_over(now);
                if is_over {
                    told(it);
                }
                !is_over
            });
            self.n_keys.fetch_sub(n_before - part.len(), Ordering::Relaxed);
        }
    }

    /// Shows every counter, one part after the other; the lock of a part is held meanwhile.
    pub(crate) fn each(&self, mut look: impl FnMut(&mut Entry<V>)) {
        for part in &self.parts {
            for entry in locked(part).iter_mut() {
                look(entry);
            }
        }
    }
}

fn locked<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The counters of a group.
pub(crate) struct Group<'t, V> {
    table: &'t Table<V>,
    part: MutexGuard<'t, HashTable<Entry<V>>>,
    name: &'t str,
    hash: u64,
}

impl<V: Counter> Group<'_, V> {
    fn hash(&self, member: &str) -> u64 {
        if member.is_empty() {
            return self.hash;
        }
        self.table.hasher.hash_one((self.hash, member))
    }

    /// A counter that is there.
    #[cfg(test)]
    pub(crate) fn find(&mut self, member: &str) -> Option<&mut V> {
        let (hash, name) = (self.hash(member), self.name);
        let found = self.part.find_mut(hash, |it| is(it, name, member));
        found.map(|it| &mut it.value)
    }

    /// A counter, made if it is not there.
    ///
    /// # Errors
    ///
    /// There is no room for another.
    pub(crate) fn counter(
        &mut self,
        member: &str,
        make: impl FnOnce() -> V,
    ) -> Result<&mut V, NoRoom> {
        let (hash, name, table) = (self.hash(member), self.name, self.table);
        let entry = self.part.entry(hash, |it| is(it, name, member), |it| it.hash);
        match entry {
            hashbrown::hash_table::Entry::Occupied(it) => Ok(&mut it.into_mut().value),
            hashbrown::hash_table::Entry::Vacant(it) => {
                if table.n_keys.fetch_add(1, Ordering::Relaxed) >= table.max_keys {
                    table.n_keys.fetch_sub(1, Ordering::Relaxed);
                    return Err(NoRoom);
                }
                let entry =
                    Entry { group: name.into(), member: member.into(), value: make(), hash };
                Ok(&mut it.insert(entry).into_mut().value)
            }
        }
    }
}

fn is<V>(entry: &Entry<V>, group: &str, member: &str) -> bool {
    &*entry.member == member && &*entry.group == group
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Is over from that moment.
    #[derive(Debug, PartialEq)]
    struct Until(u64);

    impl Counter for Until {
        type Now = u64;

        fn is_over(&self, now: u64) -> bool {
            self.0 <= now
        }
    }

    #[test]
    fn a_key_is_its_group_and_its_member() {
        let table: Table<Until> = Table::new(10);
        for (group, member, value) in [("a", "", 1), ("a", "b", 2), ("ab", "", 3), ("b", "a", 4)] {
            let mut group = table.group(group).unwrap();
            assert_eq!(group.find(member), None);
            *group.counter(member, || Until(0)).unwrap() = Until(value);
        }
        assert_eq!(table.group("a").unwrap().find("b"), Some(&mut Until(2)));
        assert_eq!(table.group("ab").unwrap().counter("", || Until(9)), Ok(&mut Until(3)));
        assert_eq!(table.n_keys(), 4);
    }

    #[test]
    fn a_full_table_takes_no_key_until_a_counter_is_over() {
        let table: Table<Until> = Table::new(2);
        let add =
            |key: &str, until| table.group(key).unwrap().counter("", || Until(until)).map(|_| ());
        assert_eq!((add("a", 5), add("b", 50), add("c", 60)), (Ok(()), Ok(()), Err(NoRoom)));
        assert_eq!(add("a", 5), Ok(()));

        let mut gone = Vec::new();
        table.sweep(4, 1_000, |it| gone.push(it.group.clone()));
        assert_eq!((gone.len(), add("c", 60)), (0, Err(NoRoom)));
        table.sweep(5, 1_050, |it| gone.push(it.group.clone()));
        assert_eq!((gone.len(), add("c", 60)), (0, Err(NoRoom)), "too soon to look again");
        table.sweep(5, 1_101, |it| gone.push(it.group.clone()));
        assert_eq!((gone, add("c", 60)), (vec!["a".into()], Ok(())));
    }
}
