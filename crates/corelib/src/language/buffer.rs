//! `System.Buffer`: <https://learn.microsoft.com/dotnet/api/system.buffer>
//!
//! Not on Azure's list; there where the options widen it. Arrays of numbers are seen as their bytes,
//! the lowest first.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, integer_of};
use clr::types::{Type, names};
use clr::value::Value;

pub(crate) const TYPE: TypeDef = TypeDef::static_class("System.Buffer", MEMBERS).unlisted();

const ARRAY: Type = Type::named(names::ARRAY);
const INT: Type = Type::Int32;

const MEMBERS: &[Member] = &[
    Member::static_method("BlockCopy", &[ARRAY, INT, ARRAY, INT, INT], Type::Void, block_copy)
        .params(&["src", "srcOffset", "dst", "dstOffset", "count"]),
    Member::static_method("ByteLength", &[ARRAY], INT, |args, cx| {
        let bytes = bytes_of(args.value(0), "array", cx)?;
        Ok(i32::try_from(bytes.len()).unwrap_or(i32::MAX).into())
    })
    .params(&["array"]),
];

fn block_copy(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [source, from, target, to, count] = args.take()?;
    let bytes = bytes_of(&source, "src", cx)?;
    let mut into =
        if source.is_same(&target) { bytes.clone() } else { bytes_of(&target, "dst", cx)? };
    let number = |it: &Value, name: &str| {
        let it = it.as_i64().and_then(|it| usize::try_from(it).ok());
        it.ok_or_else(|| Exception::argument_out_of_range(name))
    };
    let (from, to) = (number(&from, "srcOffset")?, number(&to, "dstOffset")?);
    let count = number(&count, "count")?;
    let short = || {
        Exception::argument(
            "Offset and length were out of bounds for the array or count is greater than the \
             number of elements from index to the end of the source collection.",
        )
    };
    let part = from.checked_add(count).and_then(|end| bytes.get(from..end)).ok_or_else(short)?;
    let place = to.checked_add(count).and_then(|end| into.get_mut(to..end)).ok_or_else(short)?;
    place.copy_from_slice(part);
    match &target {
        Value::Bytes(it) => it.change(|own| own.copy_from_slice(&into)),
        Value::Array(it) => {
            let element = it.element();
            let width = width(element).unwrap_or(1);
            for (at, chunk) in into.chunks_exact(width).enumerate() {
                it.set(at, value_of(element, chunk));
            }
        }
        _ => {}
    }
    Ok(Value::Null)
}

/// How many bytes an item has.
const fn width(element: Type) -> Option<usize> {
    Some(match element {
        Type::Bool | Type::Byte | Type::SByte => 1,
        Type::Char | Type::Int16 | Type::UInt16 => 2,
        Type::Int32 | Type::UInt32 | Type::Single => 4,
        Type::Int64 | Type::UInt64 | Type::Double => 8,
        _ => return None,
    })
}

fn bytes_of(array: &Value, name: &str, cx: &mut EvalCx<'_>) -> Result<Vec<u8>, Exception> {
    let items = match array {
        Value::Null => return Err(Exception::argument_null(name)),
        Value::Bytes(it) => {
            cx.allocate(it.len())?;
            return Ok(it.to_bytes().to_vec());
        }
        Value::Array(it) => it,
        _ => return Err(Exception::argument("Object must be an array of primitives.")),
    };
    let width = width(items.element())
        .ok_or_else(|| Exception::argument("Object must be an array of primitives."))?;
    cx.allocate(items.len() * width)?;
    cx.steps(items.len() as u64)?;
    let mut bytes = Vec::with_capacity(items.len() * width);
    for item in items.to_vec() {
        let bits = match item {
            Value::Bool(it) => u64::from(it),
            Value::Char(it) => u64::from(it),
            Value::Single(it) => u64::from(it.to_bits()),
            Value::Double(it) => it.to_bits(),
            Value::ULong(it) => it,
            other => other.as_i64().unwrap_or(0).cast_unsigned(),
        };
        bytes.extend(bits.to_le_bytes().iter().take(width));
    }
    Ok(bytes)
}

fn value_of(element: Type, bytes: &[u8]) -> Value {
    let bits = bytes.iter().rev().fold(0_u64, |all, it| (all << 8) | u64::from(*it));
    match element {
        Type::Bool => Value::Bool(bits != 0),
        Type::Single => Value::Single(f32::from_bits(u32::try_from(bits).unwrap_or(0))),
        Type::Double => Value::Double(f64::from_bits(bits)),
        _ => integer_of(element, bits.cast_signed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    fn copied(values: Vec<Value>) -> Result<Value, Exception> {
        with_cx(|cx| {
            let mut values = values;
            let row = &MEMBERS[0];
            (row.call)(&mut Args::new(row, &mut values, &[], &[], row.returns), cx)
        })
    }

    #[test]
    fn bytes_are_copied_within_bounds() {
        let target = Value::from(vec![0_u8; 4]);
        let numbers = Value::array(INT, vec![0x0201.into()]);
        let args = |count: i32| {
            vec![numbers.clone(), 0.into(), target.clone(), 1.into(), Value::from(count)]
        };
        assert!(copied(args(2)).is_ok());
        assert_eq!(&target.as_bytes().unwrap()[..], [0, 1, 2, 0]);
        assert_eq!(copied(args(5)).unwrap_err().type_name, "System.ArgumentException");
        assert!(copied(args(-1)).is_err());
    }
}
