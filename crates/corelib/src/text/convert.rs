//! `System.Convert`: <https://learn.microsoft.com/dotnet/api/system.convert>
//!
//! .NET has an overload per type of value; here one row of `object` looks at the value instead,
//! which gives the same results. Text has rows of its own, since `null` of type `string` differs.

use std::sync::Arc;

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef, default_value};
use clr::types::{Type, names};
use clr::value::{Array, Value};
use dotnet::Str;
use dotnet::text::Failure;
use dotnet::text::encoding::{from_base64, from_hex, to_base64, to_hex};
use dotnet::text::number::decimal;
use dotnet::text::number::parse::{Styles, parse_bool, parse_decimal, parse_radix};

use super::enums::{self, BASE64_OPTIONS};
use super::integers::{self, integer, value, wide};
use super::{CHARS, PROVIDER, datetime, dbnull, floats, made, part, units};
use crate::language::object::TypeObject;
use crate::language::span;

pub(crate) const TYPE: TypeDef = TypeDef::static_class("System.Convert", MEMBERS);

const STRING: Type = Type::String;
const OBJECT: Type = Type::Object;
const INT: Type = Type::Int32;
const TYPE_CODE: Type = Type::named(enums::TYPE_CODE);
const WRITTEN: Type = Type::Out(&Type::Int32);
const OPTIONS: Type = Type::named(BASE64_OPTIONS);

macro_rules! targets {
    ($($name:literal: $ty:ident),* $(,)?) => { &[$(
        Member::static_method($name, &[OBJECT], Type::$ty, convert).params(&["value"]),
        Member::static_method($name, &[OBJECT, PROVIDER], Type::$ty, convert)
            .params(&["value", "provider"]),
        Member::static_method($name, &[STRING], Type::$ty, convert).params(&["value"]),
        Member::static_method($name, &[STRING, PROVIDER], Type::$ty, convert)
            .params(&["value", "provider"]),
    )*] };
}

const TARGETS: &[Member] = targets! {
    "ToBoolean": Bool,
    "ToChar": Char,
    "ToSByte": SByte,
    "ToByte": Byte,
    "ToInt16": Int16,
    "ToUInt16": UInt16,
    "ToInt32": Int32,
    "ToUInt32": UInt32,
    "ToInt64": Int64,
    "ToUInt64": UInt64,
    "ToSingle": Single,
    "ToDouble": Double,
    "ToDecimal": Decimal,
    "ToDateTime": DateTime,
};

macro_rules! radixes {
    ($($name:literal: $ty:ident),* $(,)?) => { &[$(
        Member::static_method($name, &[STRING, INT], Type::$ty, from_radix)
            .params(&["value", "fromBase"]),
    )*] };
}

const RADIXES: &[Member] = radixes! {
    "ToSByte": SByte, "ToByte": Byte, "ToInt16": Int16, "ToUInt16": UInt16, "ToInt32": Int32,
    "ToUInt32": UInt32, "ToInt64": Int64, "ToUInt64": UInt64,
};

const MEMBERS: &[Member] =
    &super::joined::<{ TARGETS.len() + RADIXES.len() + OTHERS.len() }>(&[TARGETS, RADIXES, OTHERS]);

const OTHERS: &[Member] = &[
    Member::static_method("ToString", &[OBJECT], STRING, to_text).params(&["value"]),
    Member::static_method("ToString", &[OBJECT, PROVIDER], STRING, to_text)
        .params(&["value", "provider"]),
    Member::static_method("ToString", &[STRING], STRING, |args, _| args.take::<1>().map(|[it]| it))
        .params(&["value"]),
    Member::static_method("ToString", &[STRING, PROVIDER], STRING, |args, _| {
        args.take::<2>().map(|[it, _]| it)
    })
    .params(&["value", "provider"]),
    Member::static_method("ToString", &[Type::Byte, INT], STRING, |args, cx| to_radix(args, cx, 8))
        .params(&["value", "toBase"]),
    Member::static_method("ToString", &[Type::Int16, INT], STRING, |args, cx| {
        to_radix(args, cx, 16)
    })
    .params(&["value", "toBase"]),
    Member::static_method("ToString", &[INT, INT], STRING, |args, cx| to_radix(args, cx, 32))
        .params(&["value", "toBase"]),
    Member::static_method("ToString", &[Type::Int64, INT], STRING, |args, cx| {
        to_radix(args, cx, 64)
    })
    .params(&["value", "toBase"]),
    Member::static_method("ChangeType", &[OBJECT, Type::named(names::TYPE)], OBJECT, |args, cx| {
        let [it, of] = args.take()?;
        let Some(of) = of.as_object::<TypeObject>().map(|of| of.0) else {
            return Err(Exception::argument_null("conversionType"));
        };
        changed(cx, &it, of)
    })
    .params(&["value", "conversionType"]),
    Member::static_method("ChangeType", &[OBJECT, TYPE_CODE], OBJECT, |args, cx| {
        let (it, code): (Value, i64) = args.get()?;
        changed(cx, &it, type_of_code(code)?)
    })
    .params(&["value", "typeCode"]),
    Member::static_method(
        "ChangeType",
        &[OBJECT, Type::named(names::TYPE), PROVIDER],
        OBJECT,
        |args, cx| {
            let [it, of, _] = args.take()?;
            let Some(of) = of.as_object::<TypeObject>().map(|of| of.0) else {
                return Err(Exception::argument_null("conversionType"));
            };
            changed(cx, &it, of)
        },
    )
    .params(&["value", "conversionType", "provider"]),
    Member::static_method("ChangeType", &[OBJECT, TYPE_CODE, PROVIDER], OBJECT, |args, cx| {
        let (it, code, _): (Value, i64, Value) = args.get()?;
        changed(cx, &it, type_of_code(code)?)
    })
    .params(&["value", "typeCode", "provider"]),
    Member::static_method("FromBase64CharArray", &[CHARS, INT, INT], Type::BYTES, |args, cx| {
        let (array, start, count): (Arc<Array>, i32, i32) = args.get()?;
        let all = units(&array);
        let range = part(start, count, all.len(), ("offset", "length"))?;
        cx.allocate(range.len() * 3)?;
        let text = String::from_utf16_lossy(all.get(range).unwrap_or_default());
        Ok(from_base64(&text)?.into())
    })
    .params(&["inArray", "offset", "length"]),
    Member::static_method(
        "TryToBase64Chars",
        &[span::READ_BYTES, span::CHARS, WRITTEN, OPTIONS],
        Type::Bool,
        try_to_base64,
    )
    .params(&["bytes", "chars", "charsWritten", "options"])
    .defaults(&[Constant::Integer(0)]),
    Member::static_method(
        "TryFromBase64Chars",
        &[span::READ_CHARS, span::BYTES, WRITTEN],
        Type::Bool,
        try_from_base64,
    )
    .params(&["chars", "bytes", "bytesWritten"]),
    Member::static_method(
        "TryFromBase64String",
        &[STRING, span::BYTES, WRITTEN],
        Type::Bool,
        |args, cx| {
            if args.value(0).is_null() {
                return Err(Exception::argument_null("s"));
            }
            try_from_base64(args, cx)
        },
    )
    .params(&["s", "bytes", "bytesWritten"]),
    Member::static_method("GetTypeCode", &[OBJECT], TYPE_CODE, |args, _| {
        Ok(enums::type_code(args.value(0)))
    })
    .params(&["value"]),
    Member::static_property("DBNull", OBJECT, |_, _| Ok(dbnull::value())),
    Member::static_method("IsDBNull", &[OBJECT], Type::Bool, |args, _| {
        Ok(dbnull::is(args.value(0)).into())
    })
    .params(&["value"]),
    Member::static_method(
        "ToBase64CharArray",
        &[Type::BYTES, INT, INT, CHARS, INT],
        INT,
        to_base64_chars,
    )
    .params(&["inArray", "offsetIn", "length", "outArray", "offsetOut"]),
    Member::static_method(
        "ToBase64CharArray",
        &[Type::BYTES, INT, INT, CHARS, INT, OPTIONS],
        INT,
        to_base64_chars,
    )
    .params(&["inArray", "offsetIn", "length", "outArray", "offsetOut", "options"]),
    Member::static_method("ToBase64String", &[Type::BYTES], STRING, |args, cx| {
        let (bytes,): (Bytes,) = args.get()?;
        base64(cx, &bytes, 0)
    })
    .params(&["inArray"]),
    Member::static_method("ToBase64String", &[Type::BYTES, OPTIONS], STRING, |args, cx| {
        let (bytes, options): (Bytes, i64) = args.get()?;
        base64(cx, &bytes, options)
    })
    .params(&["inArray", "options"]),
    Member::static_method("ToBase64String", &[Type::BYTES, INT, INT], STRING, |args, cx| {
        let (bytes, start, count): (Bytes, i32, i32) = args.get()?;
        let range = part(start, count, bytes.len(), ("offset", "length"))?;
        base64(cx, bytes.get(range).unwrap_or_default(), 0)
    })
    .params(&["inArray", "offset", "length"]),
    Member::static_method(
        "ToBase64String",
        &[Type::BYTES, INT, INT, OPTIONS],
        STRING,
        |args, cx| {
            let (bytes, start, count, options): (Bytes, i32, i32, i64) = args.get()?;
            let range = part(start, count, bytes.len(), ("offset", "length"))?;
            base64(cx, bytes.get(range).unwrap_or_default(), options)
        },
    )
    .params(&["inArray", "offset", "length", "options"]),
    Member::static_method("FromBase64String", &[STRING], Type::BYTES, |args, cx| {
        let (text,): (Str,) = args.get()?;
        cx.allocate(text.len())?;
        cx.steps(text.len() as u64 / 64)?;
        Ok(from_base64(text.as_str())?.into())
    })
    .params(&["s"]),
    Member::static_method("ToHexString", &[Type::BYTES], STRING, |args, cx| {
        let (bytes,): (Bytes,) = args.get()?;
        cx.steps(bytes.len() as u64 / 16)?;
        made(cx, to_hex(&bytes))
    })
    .params(&["inArray"]),
    Member::static_method("FromHexString", &[STRING], Type::BYTES, |args, cx| {
        let (text,): (Str,) = args.get()?;
        cx.allocate(text.len())?;
        cx.steps(text.len() as u64 / 16)?;
        Ok(from_hex(text.as_str())?.into())
    })
    .params(&["s"]),
];

fn base64(cx: &mut EvalCx<'_>, bytes: &[u8], options: i64) -> Result<Value, Exception> {
    if !(0..=1).contains(&options) {
        return Err(Exception::argument("Illegal enum value."));
    }
    cx.steps(bytes.len() as u64 / 64)?;
    made(cx, to_base64(bytes, options == 1))
}

fn try_to_base64(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let options: i64 = args.arg(3)?;
    let text = base64(cx, &span::bytes(args.value(0)), options)?.to_str(cx.runtime());
    let fits = span::write_text(args.value(1), &text);
    Ok(span::set_written(args, 2, fits, text.len()))
}

/// Reads four characters at a time, white space aside. What was written before it failed stays.
fn try_from_base64(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text = span::text(args.value(0));
    cx.steps(1 + text.len() as u64 / 16)?;
    cx.allocate(text.len())?;
    let is_space = |it: &char| matches!(it, ' ' | '\t' | '\n' | '\r');
    let chars: Vec<char> = text.as_str().chars().filter(|it| !is_space(it)).collect();
    let (groups, rest) = chars.as_chunks::<4>();
    let mut written = Vec::with_capacity(groups.len() * 3);
    let mut complete = rest.is_empty();
    let room = span::bytes(args.value(1)).len();
    for (at, group) in groups.iter().enumerate() {
        let is_last = at + 1 == groups.len() && rest.is_empty();
        let part = from_base64(&group.iter().collect::<String>()).unwrap_or_default();
        let fits = !part.is_empty() && written.len() + part.len() <= room;
        let n_bytes = part.len();
        if fits {
            written.extend(part);
        }
        if !fits || (n_bytes < 3 && !is_last) {
            complete = false;
            break;
        }
    }
    span::write_bytes(args.value(1), &written);
    Ok(span::set_written(args, 2, complete, written.len()))
}

/// `ToBase64CharArray`: how many characters were written.
fn to_base64_chars(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    for (at, name) in [(0, "inArray"), (3, "outArray")] {
        if args.value(at).is_null() {
            return Err(Exception::argument_null(name));
        }
    }
    let (bytes, start, count): (Bytes, i32, i32) = (args.arg(0)?, args.arg(1)?, args.arg(2)?);
    let (out, at): (Arc<Array>, i32) = (args.arg(3)?, args.arg(4)?);
    let range = part(start, count, bytes.len(), ("offsetIn", "length"))?;
    let options = if args.len() > 5 { args.arg(5)? } else { 0 };
    let text = base64(cx, bytes.get(range).unwrap_or_default(), options)?.to_str(cx.runtime());
    let written = i32::try_from(text.len()).unwrap_or(i32::MAX);
    let place = part(at, written, out.len(), ("offsetOut", "offsetOut"))?.start;
    for (offset, unit) in text.units().iter().enumerate() {
        out.set(place + offset, Value::Char(*unit));
    }
    Ok(written.into())
}

fn convert(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.returns();
    let it: Value = args.arg(0)?;
    let null_text = it.is_null() && args.member().params.first() == Some(&Type::String);
    if null_text && of == Type::Char {
        return Err(Exception::argument_null("value"));
    }
    converted(cx, &it, of)
}

/// A value as one of a simple type, as `Convert` does it.
pub(crate) fn converted(cx: &mut EvalCx<'_>, it: &Value, of: Type) -> Result<Value, Exception> {
    if it.is_null() {
        return Ok(default_value(of));
    }
    if it.runtime_type() == of {
        return Ok(it.clone());
    }
    if let Value::Object(object) = it
        && let Some(converted) = object.convert(of)
    {
        return converted;
    }
    if let Some(text) = it.as_string() {
        cx.steps(text.len() as u64 / 64)?;
        return from_text(cx, text, of);
    }
    let simple =
        matches!(it, Value::Bool(_) | Value::Enum(..) | Value::DateTime(_) | Value::Decimal(_));
    if !(simple || it.as_f64().is_some() || matches!(it, Value::Char(_))) {
        let text = format!(
            "Unable to cast object of type '{}' to type 'System.IConvertible'.",
            it.type_name()
        );
        return Err(Exception::invalid_cast(text));
    }
    match of {
        Type::Bool => to_bool(it),
        Type::Single => match narrowed(it) {
            // A decimal or an integer becomes a float at once, not by way of a double.
            Some(narrow) => Ok(narrow.into()),
            None => to_double(it).map(|it| Value::Single(it as f32)),
        },
        Type::Double => to_double(it).map(Value::Double),
        Type::Decimal => to_decimal(it),
        Type::String => Ok(it.to_str(cx.runtime()).into()),
        Type::Char if wide(it).is_none() && !matches!(it, Value::Enum(..)) => Err(no_cast(it, of)),
        _ => to_integer(it, of),
    }
}

fn no_cast(it: &Value, of: Type) -> Exception {
    let short = |of: Type| {
        let name = of.full_name();
        name.rsplit('.').next().unwrap_or_default().to_owned()
    };
    let (from, to) = (short(it.runtime_type()), short(of));
    Exception::invalid_cast(format!("Invalid cast from '{from}' to '{to}'."))
}

fn from_text(cx: &mut EvalCx<'_>, text: &Str, of: Type) -> Result<Value, Exception> {
    match of {
        Type::Bool => parse_bool(text.as_str()).map(Value::Bool).ok_or_else(|| {
            Exception::format(format!("String '{text}' was not recognized as a valid Boolean."))
        }),
        Type::Char => text
            .unit(0)
            .filter(|_| text.len() == 1)
            .map(Value::Char)
            .ok_or_else(|| Exception::format("String must be exactly one character long.")),
        Type::Single | Type::Double => {
            floats::read(text, Styles::FLOAT_THOUSANDS, of, cx.runtime())
        }
        Type::Decimal => Ok(parse_decimal(text.as_str(), Styles::NUMBER)?.into()),
        Type::DateTime => datetime::read(cx, text),
        _ if integer(of).is_some() => integers::read(text, Styles::INTEGER, of),
        _ => Err(no_cast(&text.clone().into(), of)),
    }
}

fn to_bool(it: &Value) -> Result<Value, Exception> {
    match it {
        Value::Char(_) | Value::DateTime(_) => Err(no_cast(it, Type::Bool)),
        Value::Decimal(it) => Ok((!it.is_zero()).into()),
        Value::Single(_) | Value::Double(_) => Ok((it.as_f64() != Some(0.0)).into()),
        Value::Enum(_, it) => Ok((*it != 0).into()),
        _ => Ok((wide(it) != Some(0)).into()),
    }
}

fn to_double(it: &Value) -> Result<f64, Exception> {
    match it {
        Value::Bool(it) => Ok(f64::from(u8::from(*it))),
        Value::Decimal(it) => Ok(decimal::to_double(*it)),
        Value::Enum(_, it) => Ok(*it as f64),
        Value::Char(_) | Value::DateTime(_) => Err(no_cast(it, Type::Double)),
        _ => it.as_f64().ok_or_else(|| no_cast(it, Type::Double)),
    }
}

fn narrowed(it: &Value) -> Option<f32> {
    match it {
        Value::Decimal(it) => Some(decimal::to_float(*it)),
        Value::Char(_) => None,
        _ => wide(it).map(|it| it as f32),
    }
}

fn to_decimal(it: &Value) -> Result<Value, Exception> {
    match it {
        Value::Single(it) => Ok(decimal::from_float(*it)?.into()),
        Value::Double(it) => Ok(decimal::from_double(*it)?.into()),
        Value::Bool(it) => Ok(rust_decimal::Decimal::from(u8::from(*it)).into()),
        Value::Enum(_, it) => Ok(rust_decimal::Decimal::from(*it).into()),
        Value::Char(_) | Value::DateTime(_) => Err(no_cast(it, Type::Decimal)),
        _ => {
            let whole = wide(it).ok_or_else(|| no_cast(it, Type::Decimal))?;
            Ok(rust_decimal::Decimal::from_i128_with_scale(whole, 0).into())
        }
    }
}

/// Fractions are rounded, ties to even.
fn to_integer(it: &Value, of: Type) -> Result<Value, Exception> {
    let Some(range) = integer(of) else { return Err(no_cast(it, of)) };
    let overflow = || Exception::from(Failure::overflow(range.name));
    let whole = match it {
        Value::Bool(it) => i128::from(*it),
        Value::Enum(_, it) => i128::from(*it),
        Value::Decimal(it) => decimal::truncated(it.round_dp(0)),
        Value::Single(_) | Value::Double(_) => {
            let rounded = it.as_f64().unwrap_or(f64::NAN).round_ties_even();
            if rounded.is_nan() || rounded.abs() >= 1e30 {
                return Err(overflow());
            }
            rounded as i128
        }
        _ => wide(it).ok_or_else(|| no_cast(it, of))?,
    };
    if (range.min..=range.max).contains(&whole) { Ok(value(of, whole)) } else { Err(overflow()) }
}

fn from_radix(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.returns();
    let (text, radix): (Option<Str>, i32) = args.get()?;
    let Some(text) = text else { return Ok(default_value(of)) };
    let Some(range) = integer(of) else { return Ok(Value::Null) };
    let radix = u32::try_from(radix).unwrap_or(0);
    Ok(value(of, parse_radix(text.as_str(), radix, range.bits, range.min < 0)?))
}

fn to_radix(args: &mut Args<'_>, cx: &mut EvalCx<'_>, bits: u32) -> Result<Value, Exception> {
    let [it, radix] = args.take()?;
    let whole = wide(&it).unwrap_or(0);
    let raw = (whole as u128) & ((1 << bits) - 1);
    let text = match radix.as_i64() {
        Some(2) => format!("{raw:b}"),
        Some(8) => format!("{raw:o}"),
        Some(10) => whole.to_string(),
        Some(16) => format!("{raw:x}"),
        _ => return Err(Exception::argument("Invalid Base.")),
    };
    made(cx, text)
}

fn to_text(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text = cx.text_of(args.value(0));
    made(cx, text)
}

fn changed(cx: &mut EvalCx<'_>, it: &Value, of: Type) -> Result<Value, Exception> {
    if it.is_null() {
        if of.is_value_type() {
            return Err(Exception::invalid_cast(
                "Null object cannot be converted to a value type.",
            ));
        }
        return Ok(Value::Null);
    }
    if it.is_instance(of) {
        return Ok(it.clone());
    }
    converted(cx, it, of)
}

fn type_of_code(code: i64) -> Result<Type, Exception> {
    Ok(match code {
        1 => Type::Object,
        3 => Type::Bool,
        4 => Type::Char,
        5 => Type::SByte,
        6 => Type::Byte,
        7 => Type::Int16,
        8 => Type::UInt16,
        9 => Type::Int32,
        10 => Type::UInt32,
        11 => Type::Int64,
        12 => Type::UInt64,
        13 => Type::Single,
        14 => Type::Double,
        15 => Type::Decimal,
        16 => Type::DateTime,
        18 => Type::String,
        _ => return Err(Exception::argument("Unknown TypeCode value.")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    fn to(it: Value, of: Type) -> Result<String, &'static str> {
        let result = with_cx(|cx| converted(cx, &it, of));
        result.map(|it| it.to_text().into_owned()).map_err(|it| it.type_name)
    }

    #[test]
    fn values_convert_as_dotnet_converts_them() {
        for (it, of, expected) in [
            (Value::from(2.5), Type::Int32, "2"),
            (Value::from(13.5), Type::Int64, "14"),
            (Value::from(-0.5), Type::Byte, "0"),
            (Value::from(true), Type::Int32, "1"),
            (Value::Char(0x61), Type::Int32, "97"),
            (Value::from(" 42 "), Type::Int32, "42"),
            (Value::Null, Type::Int32, "0"),
            (Value::from(1.0 / 3.0), Type::Decimal, "0.333333333333333"),
            (Value::from(0.1), Type::Bool, "True"),
            (Value::Single(1.1), Type::Double, "1.100000023841858"),
            (Value::from("1.50"), Type::Decimal, "1.50"),
        ] {
            assert_eq!(to(it, of).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn impossible_conversions_throw() {
        for (it, of, expected) in [
            (Value::from(""), Type::Int32, "System.FormatException"),
            (Value::from("4.2"), Type::Int32, "System.FormatException"),
            (Value::from(256), Type::Byte, "System.OverflowException"),
            (Value::from(f64::NAN), Type::Int32, "System.OverflowException"),
            (Value::Char(0x37), Type::Double, "System.InvalidCastException"),
            (Value::Char(0x37), Type::Bool, "System.InvalidCastException"),
            (Value::from("yes"), Type::Bool, "System.FormatException"),
            (Value::strings(["a"]), Type::Int32, "System.InvalidCastException"),
            (Value::from(1.5), Type::Char, "System.InvalidCastException"),
        ] {
            assert_eq!(to(it, of), Err(expected));
        }
    }
}
