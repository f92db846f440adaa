//! `System.Span<T>` and `System.ReadOnlySpan<T>`, as far as expressions meet them: as parameters.
//! <https://learn.microsoft.com/dotnet/api/system.span-1>
//!
//! Neither is on Azure's list, so none can be named, kept or given out. But C# passes an array
//! where a span is asked for (and a string where a span of characters is read), and then no such
//! type is named. So a row's parameter may be a span, and the row gets what was passed: the array
//! itself, whose items it may change, the string, or null for a span of nothing.

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use clr::value::composite::format_value;
use dotnet::Str;

/// `Span<char>`
pub(crate) const CHARS: Type = Type::Named(names::SPAN, &[Type::Char]);
/// `Span<byte>`
pub const BYTES: Type = Type::Named(names::SPAN, &[Type::Byte]);
/// `ReadOnlySpan<char>`
pub const READ_CHARS: Type = Type::Named(names::READONLYSPAN, &[Type::Char]);
/// `ReadOnlySpan<byte>`
pub const READ_BYTES: Type = Type::Named(names::READONLYSPAN, &[Type::Byte]);

const OF_T: Type = Type::Named(names::SPAN, &[Type::T]);
const READ_T: Type = Type::Named(names::READONLYSPAN, &[Type::T]);

pub(crate) const TYPES: &[TypeDef] = &[
    TypeDef::structure(names::SPAN, FROM_ARRAY).generic(1).unlisted(),
    TypeDef::structure(names::READONLYSPAN, READ_FROM).generic(1).unlisted(),
];

const FROM_ARRAY: &[Member] = &[
    Member::implicit(&[Type::Array(&Type::T)], OF_T, as_it_is).params(&["array"]),
    Member::implicit(&[OF_T], READ_T, as_it_is).params(&["span"]),
];

const READ_FROM: &[Member] = &[
    Member::implicit(&[Type::Array(&Type::T)], READ_T, as_it_is).params(&["array"]),
    Member::implicit(&[Type::String], READ_CHARS, as_it_is).params(&["value"]),
];

fn as_it_is(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    args.take::<1>().map(|[it]| it)
}

/// The characters of an argument that is a span of them.
pub fn text(of: &Value) -> Str {
    match of {
        Value::String(it) => it.clone(),
        Value::Array(it) => Str::from_units(&crate::text::units(it)),
        _ => Str::EMPTY,
    }
}

/// The bytes of an argument that is a span of them.
pub fn bytes(of: &Value) -> Bytes {
    of.as_bytes().unwrap_or_default()
}

/// Writes into an argument that is a span of bytes, if it is long enough.
pub fn write_bytes(into: &Value, bytes: &[u8]) -> bool {
    match into {
        Value::Bytes(it) => it.change(|own| match own.get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                true
            }
            None => false,
        }),
        _ => bytes.is_empty(),
    }
}

/// Writes into an argument that is a span of characters, if it is long enough.
pub(crate) fn write_text(into: &Value, text: &Str) -> bool {
    let units = text.units();
    match into {
        Value::Array(it) if it.len() >= units.len() => {
            for (at, unit) in units.iter().enumerate() {
                it.set(at, Value::Char(*unit));
            }
            true
        }
        _ => units.is_empty(),
    }
}

/// Sets an `out int` to how many items were written: all of them or none.
pub fn set_written(args: &mut Args<'_>, at: usize, fits: bool, count: usize) -> Value {
    let count = if fits { i32::try_from(count).unwrap_or(i32::MAX) } else { 0 };
    args.set_out(at, count.into());
    fits.into()
}

const INT_OUT: Type = Type::Out(&Type::Int32);
const TRY_FORMAT: &[Type] = &[CHARS, INT_OUT, READ_CHARS, Type::named(names::IFORMATPROVIDER)];

/// The row `TryFormat(destination, out charsWritten, format, provider)`.
pub(crate) const fn try_format_row() -> Member {
    Member::method("TryFormat", TRY_FORMAT, Type::Bool, try_format)
        .params(&["destination", "charsWritten", "format", "provider"])
        .defaults(&[Constant::Default, Constant::Default])
}

/// The same of a type whose formats ask no provider, or that has none.
pub(crate) const fn try_format_plain(with_format: bool) -> Member {
    if with_format {
        Member::method("TryFormat", &[CHARS, INT_OUT, READ_CHARS], Type::Bool, try_format)
            .params(&["destination", "charsWritten", "format"])
            .defaults(&[Constant::Default])
    } else {
        Member::method("TryFormat", &[CHARS, INT_OUT], Type::Bool, try_format)
            .params(&["destination", "charsWritten"])
    }
}

fn try_format(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let format = text(args.value(3));
    let shown = format_value(args.value(0), format.as_str(), cx.runtime())?;
    cx.steps(1 + shown.len() as u64 / 16)?;
    cx.allocate(shown.size())?;
    let fits = write_text(args.value(1), &shown);
    Ok(set_written(args, 2, fits, shown.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_leaves_the_array_alone() {
        let array = Value::from(vec![7_u8; 2]);
        assert!(!write_bytes(&array, &[1, 2, 3]));
        assert_eq!(bytes(&array), [7, 7].as_slice());
        assert!(write_bytes(&array, &[1]));
        assert_eq!(bytes(&array), [1, 7].as_slice());
        assert!(write_bytes(&Value::Null, &[]) && !write_bytes(&Value::Null, &[1]));
    }

    #[test]
    fn characters_are_read_from_strings_and_arrays() {
        let array = Value::array(Type::Char, vec![Value::Char(0x61), Value::Char(0)]);
        assert_eq!(text(&array).as_str(), "a\0");
        assert!(write_text(&array, &"xy".into()) && !write_text(&array, &"xyz".into()));
        assert_eq!(text(&array).as_str(), "xy");
        assert_eq!(text(&"ab".into()).as_str(), "ab");
        assert!(text(&Value::Null).is_empty());
    }
}
