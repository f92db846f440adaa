//! `System.BitConverter`: <https://learn.microsoft.com/dotnet/api/system.bitconverter>
//!
//! Little-endian, as on every machine that .NET runs on today.

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;

use super::integers::{integer, value, wide};
use super::{made, out_of_range, part};
use crate::language::span;

pub(crate) const TYPE: TypeDef = TypeDef::static_class("System.BitConverter", MEMBERS);

const BYTES: Type = Type::BYTES;
const INT: Type = Type::Int32;
const FROM: &[Type] = &[BYTES, INT];
const STRING: Type = Type::String;

macro_rules! get_bytes {
    ($($ty:ident),*) => { &[$(
        Member::static_method("GetBytes", &[Type::$ty], BYTES, |args, cx| {
            let [it] = args.take()?;
            cx.allocate(8)?;
            Ok(bytes_of(&it, Type::$ty).into())
        }).params(&["value"]),
    )*] };
}

macro_rules! from_bytes {
    ($($name:literal: $ty:ident),* $(,)?) => { &[$(
        Member::static_method($name, FROM, Type::$ty, read).params(&["value", "startIndex"]),
    )*] };
}

macro_rules! write_bytes {
    ($($ty:ident),*) => { &[$(
        Member::static_method("TryWriteBytes", &[span::BYTES, Type::$ty], Type::Bool, |args, _| {
            let bytes = bytes_of(args.value(1), Type::$ty);
            Ok(span::write_bytes(args.value(0), &bytes).into())
        }).params(&["destination", "value"]),
    )*] };
}

macro_rules! from_start {
    ($($name:literal: $ty:ident),* $(,)?) => { &[$(
        Member::static_method($name, &[span::READ_BYTES], Type::$ty, read_first).params(&["value"]),
    )*] };
}

const GET_BYTES: &[Member] =
    get_bytes!(Bool, Char, Int16, UInt16, Int32, UInt32, Int64, UInt64, Single, Double);
const FROM_BYTES: &[Member] = from_bytes! {
    "ToBoolean": Bool, "ToChar": Char, "ToInt16": Int16, "ToUInt16": UInt16, "ToInt32": Int32,
    "ToUInt32": UInt32, "ToInt64": Int64, "ToUInt64": UInt64, "ToSingle": Single,
    "ToDouble": Double,
};

const WRITE_BYTES: &[Member] =
    write_bytes!(Bool, Char, Int16, UInt16, Int32, UInt32, Int64, UInt64, Single, Double);
const FROM_START: &[Member] = from_start! {
    "ToBoolean": Bool, "ToChar": Char, "ToInt16": Int16, "ToUInt16": UInt16, "ToInt32": Int32,
    "ToUInt32": UInt32, "ToInt64": Int64, "ToUInt64": UInt64, "ToSingle": Single,
    "ToDouble": Double,
};

const PARTS: &[&[Member]] = &[GET_BYTES, FROM_BYTES, WRITE_BYTES, FROM_START, OTHERS];
const MEMBERS: &[Member] = &super::joined::<{ super::count(PARTS) }>(PARTS);

const OTHERS: &[Member] = &[
    Member::constant("IsLittleEndian", Type::Bool, Constant::Bool(true)),
    Member::static_method("ToString", &[BYTES], STRING, dashed).params(&["value"]),
    Member::static_method("ToString", FROM, STRING, dashed).params(&["value", "startIndex"]),
    Member::static_method("ToString", &[BYTES, INT, INT], STRING, dashed).params(&[
        "value",
        "startIndex",
        "length",
    ]),
    Member::static_method("DoubleToInt64Bits", &[Type::Double], Type::Int64, |args, _| {
        let (it,): (f64,) = args.get()?;
        Ok(i64::from_ne_bytes(it.to_ne_bytes()).into())
    })
    .params(&["value"]),
    Member::static_method("Int64BitsToDouble", &[Type::Int64], Type::Double, |args, _| {
        let (it,): (i64,) = args.get()?;
        Ok(f64::from_ne_bytes(it.to_ne_bytes()).into())
    })
    .params(&["value"]),
    Member::static_method("SingleToInt32Bits", &[Type::Single], INT, |args, _| {
        let (it,): (f32,) = args.get()?;
        Ok(i32::from_ne_bytes(it.to_ne_bytes()).into())
    })
    .params(&["value"]),
    Member::static_method("Int32BitsToSingle", &[INT], Type::Single, |args, _| {
        let (it,): (i32,) = args.get()?;
        Ok(f32::from_ne_bytes(it.to_ne_bytes()).into())
    })
    .params(&["value"]),
];

/// The bytes of a value of a type.
fn bytes_of(it: &Value, of: Type) -> Vec<u8> {
    match it {
        Value::Bool(it) => vec![u8::from(*it)],
        Value::Single(it) => it.to_le_bytes().to_vec(),
        Value::Double(it) => it.to_le_bytes().to_vec(),
        other => {
            let width = integer(of).map_or(0, |it| it.bits as usize / 8);
            wide(other).unwrap_or(0).to_le_bytes().into_iter().take(width).collect()
        }
    }
}

fn read(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.returns();
    let (bytes, start): (Bytes, i32) = args.get()?;
    let width = width(of);
    let outside = "Index was out of range. Must be non-negative and less than the size of the \
                   collection.";
    let start = usize::try_from(start).ok().filter(|it| *it < bytes.len());
    let start = start.ok_or_else(|| out_of_range(outside, "startIndex"))?;
    let Some(part) = bytes.get(start..start + width) else {
        let text = "Destination array is not long enough to copy all the items in the collection. \
                    Check array index and length. (Parameter 'value')";
        return Err(Exception::argument(text));
    };
    Ok(value_of(part, of))
}

/// Reads a value at the beginning of a span.
fn read_first(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.returns();
    let bytes = span::bytes(args.value(0));
    let part = bytes.get(..width(of)).ok_or_else(|| Exception::argument_out_of_range("value"))?;
    Ok(value_of(part, of))
}

/// How many bytes a value of a type has.
fn width(of: Type) -> usize {
    match of {
        Type::Bool => 1,
        Type::Single => 4,
        Type::Double => 8,
        _ => integer(of).map_or(0, |it| it.bits as usize / 8),
    }
}

fn value_of(bytes: &[u8], of: Type) -> Value {
    let raw = bytes.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    match of {
        Type::Bool => (raw != 0).into(),
        Type::Single => f32::from_bits(raw as u32).into(),
        Type::Double => f64::from_bits(raw).into(),
        _ => value(of, i128::from(raw)),
    }
}

fn dashed(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let bytes: Bytes = args.arg(0)?;
    let number = |at: usize| args.value(at).as_i64().and_then(|it| i32::try_from(it).ok());
    let start = number(1).unwrap_or(0);
    let whole = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
    let count = number(2).unwrap_or(whole.saturating_sub(start));
    let range = part(start, count, bytes.len(), ("startIndex", "length"))?;
    let bytes = bytes.get(range).unwrap_or_default();
    cx.steps(bytes.len() as u64 / 16)?;
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        text.push_str(if index > 0 { "-" } else { "" });
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
        }
    }
    made(cx, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_little_endian() {
        assert_eq!(bytes_of(&Value::from(258), Type::Int32), [2, 1, 0, 0]);
        assert_eq!(bytes_of(&Value::Int16(-2), Type::Int16), [0xfe, 0xff]);
        assert_eq!(bytes_of(&Value::Char(0x61), Type::Char), [0x61, 0]);
        assert_eq!(bytes_of(&Value::from(1.0), Type::Double), [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    }
}
