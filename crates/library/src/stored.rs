//! Values as bytes and back, for caches: what was put in comes out with its .NET type.
//!
//! Stored are `null`, booleans, characters, numbers, strings, `Guid`, dates, times, `byte[]`, JSON
//! tokens, XML documents and elements, and arrays and `List<T>` of these. What comes out is new:
//! no change of it is seen elsewhere. Everything else (delegates, lazy sequences, responses,
//! tokens of JWT, members of enums, dictionaries) cannot be stored.
//!
//! A byte says what follows; integers are little-endian, texts and lists begin with their length.

mod read;
mod write;

#[cfg(test)]
mod tests;

use clr::types::{Type, names};
use clr::value::Value;

/// The first byte; one that changes with the form.
const VERSION: u8 = 1;

/// Lists in lists nest this deep at most.
const MAX_DEPTH: usize = 32;

/// Why a value cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotStorable {
    /// Values of that type (its .NET name) are not.
    Type(String),
    /// Lists nest deeper than 32.
    TooDeep,
    /// It takes more bytes than allowed.
    TooLarge,
}

/// A value as bytes, at most so many.
///
/// # Errors
///
/// It is of a type that is not stored, or too large, or too deep.
pub fn store(value: &Value, max_bytes: usize) -> Result<Vec<u8>, NotStorable> {
    let mut writer = write::Writer::new(max_bytes);
    writer.byte(VERSION)?;
    writer.value(value, MAX_DEPTH)?;
    Ok(writer.finish())
}

/// The value that was stored; none if these are not the bytes of one.
#[must_use]
pub fn restore(bytes: &[u8]) -> Option<Value> {
    let mut reader = read::Reader::new(bytes);
    if reader.byte()? != VERSION {
        return None;
    }
    let value = reader.value(MAX_DEPTH)?;
    reader.is_at_end().then_some(value)
}

/// What a byte says that follows. Numbers are never used for something else.
macro_rules! tags {
    ($($name:ident = $number:literal),* $(,)?) => { $( const $name: u8 = $number; )* };
}
tags! {
    NULL = 0, FALSE = 1, TRUE = 2, CHAR = 3, SBYTE = 4, BYTE = 5, INT16 = 6, UINT16 = 7, INT = 8,
    UINT = 9, LONG = 10, ULONG = 11, SINGLE = 12, DOUBLE = 13, DECIMAL = 14, STRING = 15,
    // A string with half of a pair of UTF-16 units.
    UNITS = 16,
    GUID = 17, DATE = 18, DATE_OFFSET = 19, TIME_SPAN = 20, BYTES = 21, ARRAY = 22, LIST = 23,
    // JSON.
    OBJECT = 40, JARRAY = 41, PROPERTY = 42, SCALAR = 43,
    // XML.
    ELEMENT = 50, DOCUMENT = 51,
}

/// The types of items of arrays and lists that are stored, by their place. Only grows at its end.
const ITEM_TYPES: &[Type] = &[
    Type::Object,
    Type::String,
    Type::Bool,
    Type::Char,
    Type::SByte,
    Type::Byte,
    Type::Int16,
    Type::UInt16,
    Type::Int32,
    Type::UInt32,
    Type::Int64,
    Type::UInt64,
    Type::Single,
    Type::Double,
    Type::Decimal,
    Type::Guid,
    Type::DateTime,
    Type::DateTimeOffset,
    Type::TimeSpan,
    Type::BYTES,
    Type::named(names::JTOKEN),
    Type::named(names::JOBJECT),
    Type::named(names::JARRAY),
    Type::named(names::JVALUE),
    Type::named(names::JPROPERTY),
    Type::named(names::XELEMENT),
    Type::named(names::XDOCUMENT),
];
