//! Arrays and `List<T>`.
//!
//! Each guards its items with a lock of its own. Take the items out ([`Array::to_vec`]) or hold the
//! lock for moments only: never while a lambda runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::Value;
use crate::exception::Exception;
use crate::types::Type;

/// `T[]`: a fixed number of items.
#[derive(Debug)]
pub struct Array {
    element: Type,
    items: Mutex<Box<[Value]>>,
}

impl Drop for Array {
    fn drop(&mut self) {
        let items = self.items.get_mut().unwrap_or_else(PoisonError::into_inner);
        super::release(std::mem::take(items));
    }
}

impl Array {
    /// An array of items.
    #[must_use]
    pub fn new(element: Type, items: Vec<Value>) -> Self {
        Self { element, items: Mutex::new(items.into_boxed_slice()) }
    }

    /// The type of its items.
    #[must_use]
    pub const fn element(&self) -> Type {
        self.element
    }

    /// The items, locked.
    pub fn items(&self) -> MutexGuard<'_, Box<[Value]>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The items, copied.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Value> {
        self.items().to_vec()
    }

    /// `Length`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items().len()
    }

    /// Is `Length` zero?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at a position.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.items().get(index).cloned()
    }

    /// Puts an item at a position; false if there is none.
    pub fn set(&self, index: usize, value: Value) -> bool {
        self.items().get_mut(index).map(|it| *it = value).is_some()
    }
}

/// `byte[]`.
#[derive(Debug)]
pub struct ByteArray(Mutex<Bytes>);

impl ByteArray {
    /// An array of bytes.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        Self(Mutex::new(bytes))
    }

    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes as they are now; no copy.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.lock().clone()
    }

    /// `Length`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Is `Length` zero?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The byte at a position.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<u8> {
        self.lock().get(index).copied()
    }

    /// Changes the bytes; their number must stay.
    pub fn change<R>(&self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let mut guard = self.lock();
        let mut bytes = match std::mem::take(&mut *guard).try_into_mut() {
            Ok(own) => own,
            Err(shared) => bytes::BytesMut::from(&*shared),
        };
        let result = f(&mut bytes);
        *guard = bytes.freeze();
        result
    }

    /// Puts a byte at a position; false if there is none.
    pub fn set(&self, index: usize, value: u8) -> bool {
        self.change(|all| all.get_mut(index).map(|it| *it = value).is_some())
    }
}

/// `List<T>`.
#[derive(Debug)]
pub struct List {
    element: Type,
    content: Mutex<Content>,
}

#[derive(Debug)]
struct Content {
    items: Vec<Value>,
    version: u64,
    /// The room that .NET's list would have.
    capacity: usize,
}

impl Drop for List {
    fn drop(&mut self) {
        let content = self.content.get_mut().unwrap_or_else(PoisonError::into_inner);
        super::release(std::mem::take(&mut content.items));
    }
}

impl List {
    /// A list of items.
    #[must_use]
    pub fn new(element: Type, items: Vec<Value>) -> Self {
        Self { element, content: Mutex::new(Content { capacity: items.len(), items, version: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The type of its items.
    #[must_use]
    pub const fn element(&self) -> Type {
        self.element
    }

    /// The items, copied.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Value> {
        self.lock().items.clone()
    }

    /// `Count`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Is `Count` zero?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at a position.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.lock().items.get(index).cloned()
    }

    /// Puts an item at a position; false if there is none.
    pub fn set(&self, index: usize, value: Value) -> bool {
        self.change(|items| items.get_mut(index).map(|it| *it = value).is_some())
    }

    /// Appends an item.
    pub fn push(&self, value: Value) {
        self.change(|items| items.push(value));
    }

    /// Looks at the items; must not evaluate anything meanwhile.
    pub fn read<R>(&self, f: impl FnOnce(&[Value]) -> R) -> R {
        f(&self.lock().items)
    }

    /// Changes the items; enumerations that are under way will fail, as in .NET.
    pub fn change<R>(&self, f: impl FnOnce(&mut Vec<Value>) -> R) -> R {
        let mut content = self.lock();
        content.version = content.version.wrapping_add(1);
        let result = f(&mut content.items);
        if content.items.len() > content.capacity {
            content.capacity = content.items.len().max(content.capacity * 2).max(4);
        }
        result
    }

    /// Inserts items one by one, as .NET's list does with those it cannot count before.
    pub fn insert_each(&self, at: usize, added: Vec<Value>) {
        let mut content = self.lock();
        content.version = content.version.wrapping_add(added.len() as u64);
        let wanted = content.items.len() + added.len();
        content.items.splice(at..at, added);
        while content.capacity < wanted {
            content.capacity = (content.capacity * 2).max(4);
        }
    }

    /// `Capacity`: the room that .NET's list would have.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.lock().capacity
    }

    /// Sets `Capacity`; false if there are more items.
    #[must_use]
    pub fn set_capacity(&self, capacity: usize) -> bool {
        let mut content = self.lock();
        let fits = content.items.len() <= capacity;
        if fits {
            content.capacity = capacity;
        }
        fits
    }

    /// A number that differs after each change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// The item at a position for an enumeration that began at a version.
    ///
    /// # Errors
    ///
    /// `InvalidOperationException` if the list was changed since.
    pub fn next_at(&self, index: usize, version: u64) -> Result<Option<Value>, Exception> {
        let content = self.lock();
        if content.version != version {
            return Err(Exception::invalid_operation(
                "Collection was modified; enumeration operation may not execute.",
            ));
        }
        Ok(content.items.get(index).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_changes_stops_its_enumeration() {
        let list = List::new(Type::Int32, vec![Value::from(1)]);
        let version = list.version();
        assert!(list.next_at(0, version).unwrap().is_some());
        list.push(Value::from(2));
        assert!(list.next_at(1, version).is_err());
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn the_room_of_a_list_doubles() {
        let list = List::new(Type::Int32, Vec::new());
        let rooms: Vec<usize> = (0..5)
            .map(|it| {
                list.push(Value::from(it));
                list.capacity()
            })
            .collect();
        assert_eq!(rooms, [4, 4, 4, 4, 8]);
        assert!(!list.set_capacity(4) && list.set_capacity(5));
    }

    #[test]
    fn changing_bytes_leaves_earlier_copies_alone() {
        let array = ByteArray::new(Bytes::from_static(b"ab"));
        let before = array.to_bytes();
        assert!(array.set(0, b'x') && !array.set(2, 0));
        assert_eq!((&before[..], &array.to_bytes()[..]), (&b"ab"[..], &b"xb"[..]));
    }

    #[test]
    fn an_array_refuses_positions_outside() {
        let array = Array::new(Type::String, vec![Value::Null]);
        assert!(array.set(0, Value::from("a")) && !array.set(1, Value::Null));
        assert!(array.get(1).is_none());
    }
}
