//! Collections: `System.Array`, `System.Collections.Generic`, `System.Tuple`.
//!
//! `List<T>` and arrays are [`Value`](clr::value::Value)s of their own, the rest are objects. The
//! rows of interfaces (`IList<T>`, `IReadOnlyDictionary<TKey, TValue>`, ...) work on whatever has the
//! interface, through [`any`].

pub mod any;
pub(crate) mod array;
pub(crate) mod array_list;
mod capacity;
pub(crate) mod comparer;
pub(crate) mod dictionary;
pub mod enumerator;
pub(crate) mod grid;
pub mod hash_set;
pub(crate) mod interfaces;
pub(crate) mod key_value_pair;
pub(crate) mod line;
pub(crate) mod linked_list;
pub(crate) mod list;
pub(crate) mod list_search;
pub(crate) mod queue;
pub mod sort;
pub(crate) mod sorted_dictionary;
pub(crate) mod stack;
pub(crate) mod table;
pub(crate) mod tuple;
pub(crate) mod value_tuple;

pub use comparer::{Comparer, Rules};
pub use dictionary::Dictionary;
pub use table::Table;

use clr::exception::Exception;

/// What an enumeration throws when its collection was changed meanwhile.
pub(crate) fn modified() -> Exception {
    Exception::invalid_operation("Collection was modified; enumeration operation may not execute.")
}
