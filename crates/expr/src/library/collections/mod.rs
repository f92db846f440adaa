//! Collections: `System.Array`, `System.Collections.Generic`, `System.Tuple`.
//!
//! `List<T>` and arrays are [`Value`](crate::value::Value)s of their own, the rest are objects. The
//! rows of interfaces (`IList<T>`, `IReadOnlyDictionary<TKey, TValue>`, ...) work on whatever has the
//! interface, through [`any`].

pub(crate) mod any;
pub(crate) mod array;
pub(crate) mod comparer;
pub(crate) mod dictionary;
pub(crate) mod enumerator;
pub(crate) mod hash_set;
pub(crate) mod interfaces;
pub(crate) mod key_value_pair;
pub(crate) mod list;
pub(crate) mod list_search;
pub(crate) mod queue;
pub(crate) mod sort;
pub(crate) mod stack;
pub(crate) mod table;
pub(crate) mod tuple;

pub(crate) use comparer::Comparer;
pub(crate) use dictionary::Dictionary;
pub(crate) use key_value_pair::KeyValuePair;
pub(crate) use table::Table;

use crate::exception::Exception;
use crate::types::Type;

/// What an enumeration throws when its collection was changed meanwhile.
pub(crate) fn modified() -> Exception {
    Exception::invalid_operation("Collection was modified; enumeration operation may not execute.")
}

/// The name that `ToString()` of a generic collection gives: `Dictionary`2[System.String,...]`.
pub(crate) fn clr_name(of: Type) -> String {
    match of {
        Type::Named(name, arguments) if !arguments.is_empty() => {
            let list: Vec<String> = arguments.iter().map(|it| clr_name(*it)).collect();
            format!("{name}`{}[{}]", arguments.len(), list.join(","))
        }
        Type::Nullable(it) => format!("System.Nullable`1[{}]", clr_name(*it)),
        Type::Array(it) => format!("{}[]", clr_name(*it)),
        other => other.full_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{named, names};

    #[test]
    fn generic_names_carry_their_arity() {
        let list = named(names::LIST, &[Type::STRINGS]);
        assert_eq!(clr_name(list), "System.Collections.Generic.List`1[System.String[]]");
    }
}
