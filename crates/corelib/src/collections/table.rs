//! The hash table under dictionaries and sets, with .NET's order of enumeration: that of insertion,
//! except that the place of a removed entry is used again, the last one freed first.

use std::collections::HashMap;

use clr::value::Value;
use smallvec::SmallVec;

use super::Comparer;

/// Keys with values.
#[derive(Debug, Default)]
pub struct Table {
    entries: Vec<Option<(Value, Value)>>,
    free: Vec<usize>,
    places: HashMap<u64, SmallVec<[usize; 1]>>,
    comparer: Comparer,
    version: u64,
    /// The room that .NET's table would have.
    capacity: usize,
}

impl Drop for Table {
    fn drop(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        clr::value::release(entries.into_iter().flatten().flat_map(|(key, value)| [key, value]));
    }
}

impl Table {
    /// An empty table.
    pub fn new(comparer: Comparer) -> Self {
        let mut made = Self::default();
        made.comparer = comparer;
        made
    }

    /// How keys are compared.
    pub const fn comparer(&self) -> Comparer {
        self.comparer
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A number that differs after each change that ends enumerations.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The room that .NET's table would have.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Says what room .NET's table would have.
    pub(super) const fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    /// Moves the entries together, so that no place between them is free.
    pub(super) fn compact(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        self.places.clear();
        self.free.clear();
        self.entries = entries.into_iter().filter(Option::is_some).collect();
        for (at, (key, _)) in self.entries.iter().flatten().enumerate() {
            self.places.entry(self.comparer.hash(key)).or_default().push(at);
        }
    }

    fn place(&self, key: &Value) -> Option<usize> {
        let places = self.places.get(&self.comparer.hash(key))?;
        places
            .iter()
            .copied()
            .find(|at| self.entry(*at).is_some_and(|(own, _)| self.comparer.equals(own, key)))
    }

    fn entry(&self, at: usize) -> Option<&(Value, Value)> {
        self.entries.get(at).and_then(Option::as_ref)
    }

    /// The value of a key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.place(key).and_then(|at| self.entry(at)).map(|(_, value)| value)
    }

    /// The key that is equal to one.
    pub fn key(&self, key: &Value) -> Option<&Value> {
        self.place(key).and_then(|at| self.entry(at)).map(|(key, _)| key)
    }

    /// Is there such a key?
    pub fn contains(&self, key: &Value) -> bool {
        self.place(key).is_some()
    }

    /// Adds an entry; false if the key is there already.
    pub fn add(&mut self, key: Value, value: Value) -> bool {
        if self.contains(&key) {
            return false;
        }
        let hash = self.comparer.hash(&key);
        self.version = self.version.wrapping_add(1);
        let at = match self.free.pop() {
            Some(at) => {
                if let Some(slot) = self.entries.get_mut(at) {
                    *slot = Some((key, value));
                }
                at
            }
            None => {
                self.entries.push(Some((key, value)));
                if self.entries.len() > self.capacity {
                    self.capacity = super::capacity::larger(self.capacity);
                }
                self.entries.len() - 1
            }
        };
        self.places.entry(hash).or_default().push(at);
        true
    }

    /// Adds an entry or replaces the value of the key that is there.
    pub fn set(&mut self, key: Value, value: Value) {
        match self.place(&key) {
            Some(at) => {
                if let Some(Some((_, old))) = self.entries.get_mut(at) {
                    *old = value;
                }
                // .NET Core 3.1 and .NET Framework count this as a change.
                self.version = self.version.wrapping_add(1);
            }
            None => {
                self.add(key, value);
            }
        }
    }

    /// Takes a key out; gives its value.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let at = self.place(key)?;
        let hash = self.comparer.hash(key);
        if let Some(places) = self.places.get_mut(&hash) {
            places.retain(|it| *it != at);
            if places.is_empty() {
                self.places.remove(&hash);
            }
        }
        self.free.push(at);
        self.entries.get_mut(at).and_then(Option::take).map(|(_, value)| value)
    }

    /// Ends the enumerations under way.
    pub fn touch(&mut self) {
        self.version = self.version.wrapping_add(1);
    }

    /// Takes all entries out.
    pub fn clear(&mut self) {
        let version = self.version.wrapping_add(1);
        let capacity = self.capacity;
        *self = Self::new(self.comparer);
        self.version = version;
        self.capacity = capacity;
    }

    /// The first entry at a place or behind it, and the place behind that entry.
    pub fn next_from(&self, at: usize) -> Option<(usize, &Value, &Value)> {
        let rest = self.entries.get(at..)?;
        let (skipped, (key, value)) =
            rest.iter().enumerate().find_map(|(i, it)| it.as_ref().map(|it| (i, it)))?;
        Some((at + skipped + 1, key, value))
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = &(Value, Value)> {
        self.entries.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(table: &Table) -> Vec<i64> {
        table.iter().map(|(key, _)| key.as_i64().unwrap()).collect()
    }

    #[test]
    fn a_freed_place_is_used_again() {
        let mut table = Table::default();
        for key in 1..=3 {
            assert!(table.add(Value::from(key), Value::Null));
        }
        assert!(!table.add(Value::from(1), Value::Null));
        assert!(table.remove(&Value::from(2)).is_some());
        table.set(Value::from(9), Value::Null);
        assert_eq!(keys(&table), [1, 9, 3]);
        assert_eq!(table.len(), 3);
        assert!(table.contains(&Value::from(9)) && !table.contains(&Value::from(2)));
    }

    #[test]
    fn enumeration_goes_from_place_to_place() {
        let mut table = Table::default();
        table.add(Value::from(1), Value::Null);
        table.add(Value::from(2), Value::Null);
        table.remove(&Value::from(1));
        let (next, key, _) = table.next_from(0).unwrap();
        assert_eq!((next, key.as_i64()), (2, Some(2)));
        assert!(table.next_from(next).is_none());
        table.clear();
        assert_eq!(table.len(), 0);
    }
}
