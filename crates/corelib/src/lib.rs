//! Rows of .NET's core library: the language's own types, text, numbers, time, collections.
//!
//! ```text
//! language     object, bool, T?, exceptions
//! text         string, numbers, DateTime, Guid, Uri, Encoding, Convert ...
//! collections  arrays, List, Dictionary, HashSet, Queue, Stack, Tuple
//! ```
//!
//! How to add a type is told in [`clr::rows`]. What a row computes is in `dotnet`, where it can be
//! tested alone.

pub mod collections;
pub mod language;
pub mod text;

use clr::rows::TypeDef;

/// Every type with a file of its own, one line each.
static TYPES: &[&TypeDef] = &[
    &language::object::TYPE,
    &language::boolean::TYPE,
    &language::nullable::TYPE,
    &language::type_info::TYPE,
    &text::bitconverter::TYPE,
    &text::char::TYPE,
    &text::convert::TYPE,
    &text::datetime::TYPE,
    &text::datetimeoffset::TYPE,
    &text::dbnull::TYPE,
    &text::decimal::TYPE,
    &text::encoding::TYPE,
    &text::enumeration::TYPE,
    &text::environment::TYPE,
    &text::guid::TYPE,
    &text::ipaddress::TYPE,
    &text::math::TYPE,
    &text::random::TYPE,
    &text::string::TYPE,
    &text::string_comparer::TYPE,
    &text::stringbuilder::TYPE,
    &text::timespan::TYPE,
    &text::uri::TYPE,
    &text::version::TYPE,
    &text::webutility::TYPE,
    &collections::array::TYPE,
    &collections::array_list::TYPE,
    &collections::dictionary::TYPE,
    &collections::dictionary::KEYS,
    &collections::dictionary::VALUES,
    &collections::enumerator::TYPE,
    &collections::hash_set::TYPE,
    &collections::key_value_pair::TYPE,
    &collections::list::TYPE,
    &collections::queue::TYPE,
    &collections::sorted_dictionary::TYPE,
    &collections::sorted_dictionary::KEYS,
    &collections::sorted_dictionary::VALUES,
    &collections::stack::TYPE,
    &collections::tuple::TYPE,
    &collections::value_tuple::TYPE,
    &language::buffer::TYPE,
    &language::console::TYPE,
    &language::exceptions::BINDER,
];

/// Tables of small types that share a file (exceptions, enums).
static TABLES: &[&[TypeDef]] = &[
    language::exceptions::TYPES,
    language::span::TYPES,
    text::culture::TYPES,
    text::enums::TYPES,
    text::floats::TYPES,
    text::integers::TYPES,
    text::reader::TYPES,
    text::timezone::TYPES,
    collections::grid::TYPES,
    collections::interfaces::TYPES,
    collections::linked_list::TYPES,
];

/// Every type of this crate.
pub fn types() -> impl Iterator<Item = &'static TypeDef> {
    TYPES.iter().copied().chain(TABLES.iter().flat_map(|it| it.iter()))
}

#[cfg(test)]
mod test_support {
    //! Evaluations for unit tests.

    use clr::{EvalCx, Limits};
    use dotnet::Runtime;

    /// Runs something with a fresh evaluation over a host that knows nothing.
    pub(crate) fn with_cx<R>(f: impl FnOnce(&mut EvalCx<'_>) -> R) -> R {
        clr::rows::register(crate::types);
        let host = clr::host::EmptyHost::default();
        f(&mut EvalCx::new(&host, Runtime::Modern, Limits::default()))
    }
}
