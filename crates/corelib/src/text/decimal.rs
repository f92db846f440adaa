//! `System.Decimal`: <https://learn.microsoft.com/dotnet/api/system.decimal>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Array, Value};
use dotnet::Str;
use dotnet::text::Failure;
use dotnet::text::number::parse::{Styles, parse_decimal};
use dotnet::text::number::{arithmetic, decimal};
use rust_decimal::{Decimal, RoundingStrategy};

use super::PROVIDER;
use super::enums::{self, MIDPOINT_ROUNDING, NUMBER_STYLES};
use super::integers::{compare, equals, integer, styles, to_text, value};

pub(crate) const TYPE: TypeDef = TypeDef::structure("System.Decimal", MEMBERS)
    .bases(&[Type::named(names::ICOMPARABLE), Type::named(names::IFORMATTABLE)]);

const STYLES: Type = Type::named(NUMBER_STYLES);
const STRING: Type = Type::String;
const DECIMAL: Type = Type::Decimal;
const PAIR: &[Type] = &[Type::Decimal, Type::Decimal];
const ROUNDING: Type = Type::named(MIDPOINT_ROUNDING);

const MEMBERS: &[Member] = &[
    Member::static_property("Zero", DECIMAL, |_, _| Ok(Decimal::ZERO.into())),
    Member::static_property("One", DECIMAL, |_, _| Ok(Decimal::ONE.into())),
    Member::static_property("MinusOne", DECIMAL, |_, _| Ok(Decimal::NEGATIVE_ONE.into())),
    Member::static_property("MaxValue", DECIMAL, |_, _| Ok(Decimal::MAX.into())),
    Member::static_property("MinValue", DECIMAL, |_, _| Ok(Decimal::MIN.into())),
    Member::constructor(&[Type::Int32], DECIMAL, from_integer).params(&["value"]),
    Member::constructor(&[Type::UInt32], DECIMAL, from_integer).params(&["value"]),
    Member::constructor(&[Type::Int64], DECIMAL, from_integer).params(&["value"]),
    Member::constructor(&[Type::UInt64], DECIMAL, from_integer).params(&["value"]),
    Member::constructor(&[Type::Single], DECIMAL, |args, _| {
        let (it,): (f32,) = args.get()?;
        Ok(decimal::from_float(it)?.into())
    })
    .params(&["value"]),
    Member::constructor(&[Type::Double], DECIMAL, |args, _| {
        let (it,): (f64,) = args.get()?;
        Ok(decimal::from_double(it)?.into())
    })
    .params(&["value"]),
    Member::constructor(&[Type::Array(&Type::Int32)], DECIMAL, |args, _| {
        let (bits,): (Arc<Array>,) = args.get()?;
        let parts: Vec<i64> = bits.to_vec().iter().filter_map(Value::as_i64).collect();
        of_bits(&parts)
    })
    .params(&["bits"]),
    Member::constructor(
        &[Type::Int32, Type::Int32, Type::Int32, Type::Bool, Type::Byte],
        DECIMAL,
        |args, _| {
            let (low, middle, high, negative, scale): (i32, i32, i32, bool, u8) = args.get()?;
            let part = |it: i32, shift: u32| u128::from(it as u32) << shift;
            let mantissa = part(low, 0) | part(middle, 32) | part(high, 64);
            made_of(mantissa, scale.into(), negative)
        },
    )
    .params(&["lo", "mid", "hi", "isNegative", "scale"]),
    Member::static_method("Add", PAIR, DECIMAL, |args, _| two(args, arithmetic::add))
        .params(&["d1", "d2"]),
    Member::static_method("Subtract", PAIR, DECIMAL, |args, _| two(args, arithmetic::subtract))
        .params(&["d1", "d2"]),
    Member::static_method("Multiply", PAIR, DECIMAL, |args, _| two(args, arithmetic::multiply))
        .params(&["d1", "d2"]),
    Member::static_method("Divide", PAIR, DECIMAL, |args, _| {
        no_zero(args)?;
        two(args, arithmetic::divide)
    })
    .params(&["d1", "d2"]),
    Member::static_method("Remainder", PAIR, DECIMAL, |args, _| {
        no_zero(args)?;
        two(args, arithmetic::remainder)
    })
    .params(&["d1", "d2"]),
    Member::static_method("Negate", &[DECIMAL], DECIMAL, |args, _| one(args, |it| -it))
        .params(&["d"]),
    Member::static_method("Floor", &[DECIMAL], DECIMAL, |args, _| one(args, |it| it.floor()))
        .params(&["d"]),
    Member::static_method("Ceiling", &[DECIMAL], DECIMAL, |args, _| one(args, |it| it.ceil()))
        .params(&["d"]),
    Member::static_method("Truncate", &[DECIMAL], DECIMAL, |args, _| one(args, |it| it.trunc()))
        .params(&["d"]),
    Member::static_method("Round", &[DECIMAL], DECIMAL, |args, _| round(args)).params(&["d"]),
    Member::static_method("Round", &[DECIMAL, Type::Int32], DECIMAL, |args, _| round(args))
        .params(&["d", "decimals"]),
    Member::static_method("Round", &[DECIMAL, ROUNDING], DECIMAL, |args, _| round(args))
        .params(&["d", "mode"]),
    Member::static_method("Round", &[DECIMAL, Type::Int32, ROUNDING], DECIMAL, |args, _| {
        round(args)
    })
    .params(&["d", "decimals", "mode"]),
    Member::static_method("Compare", PAIR, Type::Int32, compare).params(&["d1", "d2"]),
    Member::static_method("Equals", PAIR, Type::Bool, equals).params(&["d1", "d2"]),
    Member::static_method("GetBits", &[DECIMAL], Type::Array(&Type::Int32), |args, _| {
        let (it,): (Decimal,) = args.get()?;
        Ok(Value::array(Type::Int32, decimal::bits(it).map(Value::Int).to_vec()))
    })
    .params(&["d"]),
    Member::static_method("ToByte", &[DECIMAL], Type::Byte, to_integer).params(&["value"]),
    Member::static_method("ToSByte", &[DECIMAL], Type::SByte, to_integer).params(&["value"]),
    Member::static_method("ToInt16", &[DECIMAL], Type::Int16, to_integer).params(&["value"]),
    Member::static_method("ToUInt16", &[DECIMAL], Type::UInt16, to_integer).params(&["value"]),
    Member::static_method("ToInt32", &[DECIMAL], Type::Int32, to_integer).params(&["d"]),
    Member::static_method("ToUInt32", &[DECIMAL], Type::UInt32, to_integer).params(&["d"]),
    Member::static_method("ToInt64", &[DECIMAL], Type::Int64, to_integer).params(&["d"]),
    Member::static_method("ToUInt64", &[DECIMAL], Type::UInt64, to_integer).params(&["d"]),
    Member::static_method("ToDouble", &[DECIMAL], Type::Double, |args, _| {
        let (it,): (Decimal,) = args.get()?;
        Ok(decimal::to_double(it).into())
    })
    .params(&["d"]),
    Member::static_method("ToSingle", &[DECIMAL], Type::Single, |args, _| {
        let (it,): (Decimal,) = args.get()?;
        Ok(decimal::to_float(it).into())
    })
    .params(&["d"]),
    Member::static_method("ToOACurrency", &[DECIMAL], Type::Int64, |args, _| {
        let (it,): (Decimal,) = args.get()?;
        let whole = arithmetic::multiply(it, Decimal::from(10_000)).map(|it| it.round());
        let currency = whole.and_then(|it| i64::try_from(it.mantissa()).ok());
        currency.map(Value::Long).ok_or_else(overflow)
    })
    .params(&["value"]),
    Member::static_method("FromOACurrency", &[Type::Int64], DECIMAL, |args, _| {
        let (it,): (i64,) = args.get()?;
        let exact = arithmetic::divide(Decimal::from(it), Decimal::from(10_000));
        exact.map(Value::Decimal).ok_or_else(overflow)
    })
    .params(&["cy"]),
    Member::static_method("Parse", &[STRING], DECIMAL, parse).params(&["s"]),
    Member::static_method("Parse", &[STRING, STYLES], DECIMAL, parse).params(&["s", "style"]),
    Member::static_method("Parse", &[STRING, PROVIDER], DECIMAL, parse).params(&["s", "provider"]),
    Member::static_method("Parse", &[STRING, STYLES, PROVIDER], DECIMAL, parse)
        .params(&["s", "style", "provider"]),
    Member::static_method("TryParse", &[STRING, Type::Out(&DECIMAL)], Type::Bool, try_parse)
        .params(&["s", "result"]),
    Member::static_method(
        "TryParse",
        &[STRING, STYLES, PROVIDER, Type::Out(&DECIMAL)],
        Type::Bool,
        try_parse,
    )
    .params(&["s", "style", "provider", "result"]),
    Member::method("ToString", &[STRING], STRING, to_text).params(&["format"]),
    Member::method("ToString", &[PROVIDER], STRING, to_text).params(&["provider"]),
    Member::method("ToString", &[STRING, PROVIDER], STRING, to_text)
        .params(&["format", "provider"]),
    crate::language::span::try_format_row(),
    Member::method("Equals", &[DECIMAL], Type::Bool, equals).params(&["value"]),
    Member::method("CompareTo", &[DECIMAL], Type::Int32, compare).params(&["value"]),
    Member::method("CompareTo", &[Type::Object], Type::Int32, compare).params(&["value"]),
    Member::method("GetTypeCode", &[], Type::named(enums::TYPE_CODE), |args, _| {
        Ok(enums::type_code(args.value(0)))
    }),
];

fn overflow() -> Exception {
    Failure::overflow("Decimal").into()
}

fn from_integer(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [it] = args.take()?;
    let wide = super::integers::wide(&it).unwrap_or(0);
    Ok(Decimal::from_i128_with_scale(wide, 0).into())
}

fn of_bits(parts: &[i64]) -> Result<Value, Exception> {
    let &[low, middle, high, flags] = parts else {
        let text = "Decimal constructor requires an array or span of four valid decimal bytes.";
        return Err(Exception::argument(text));
    };
    let part = |it: i64, shift: u32| u128::from(it as u32) << shift;
    let mantissa = part(low, 0) | part(middle, 32) | part(high, 64);
    made_of(mantissa, (flags >> 16) as u32 & 0xff, flags < 0)
}

fn made_of(mantissa: u128, scale: u32, negative: bool) -> Result<Value, Exception> {
    let wrong = "Decimal's scale value must be between 0 and 28, inclusive.";
    let made = decimal::of_parts(mantissa, scale, negative);
    made.map(Value::Decimal).ok_or_else(|| super::out_of_range(wrong, "scale"))
}

fn one(args: &mut Args<'_>, f: fn(Decimal) -> Decimal) -> Result<Value, Exception> {
    let (it,): (Decimal,) = args.get()?;
    Ok(f(it).into())
}

fn two(
    args: &mut Args<'_>,
    f: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<Value, Exception> {
    let (a, b): (Decimal, Decimal) = args.get()?;
    f(a, b).map(Value::Decimal).ok_or_else(overflow)
}

fn no_zero(args: &Args<'_>) -> Result<(), Exception> {
    let zero = matches!(args.value(1), Value::Decimal(it) if it.is_zero());
    if zero { Err(Exception::divide_by_zero()) } else { Ok(()) }
}

/// `Round` in all overloads, here and in `Math`.
pub(super) fn round(args: &mut Args<'_>) -> Result<Value, Exception> {
    let it: Decimal = args.arg(0)?;
    let (mut places, mut mode) = (0, 0);
    for value in args.values().iter().skip(1) {
        match value {
            Value::Int(it) => places = *it,
            Value::Enum(_, it) => mode = *it,
            _ => {}
        }
    }
    let Some(places) = u32::try_from(places).ok().filter(|it| *it <= 28) else {
        let text = "Decimal can only round to between 0 and 28 digits of precision.";
        return Err(super::out_of_range(text, "decimals"));
    };
    let strategy = match mode {
        0 => RoundingStrategy::MidpointNearestEven,
        1 => RoundingStrategy::MidpointAwayFromZero,
        2 => RoundingStrategy::ToZero,
        3 => RoundingStrategy::ToNegativeInfinity,
        4 => RoundingStrategy::ToPositiveInfinity,
        _ => return Err(super::bad_rounding()),
    };
    Ok(it.round_dp_with_strategy(places, strategy).into())
}

fn to_integer(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.returns();
    let (it,): (Decimal,) = args.get()?;
    let whole = decimal::truncated(it);
    match integer(of) {
        Some(range) if (range.min..=range.max).contains(&whole) => Ok(value(of, whole)),
        Some(range) => Err(Failure::overflow(range.name).into()),
        None => Ok(Value::Null),
    }
}

fn parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    let styles = styles(args, Styles::NUMBER, true)?;
    cx.steps(text.len() as u64 / 64)?;
    Ok(parse_decimal(text.as_str(), styles)?.into())
}

fn try_parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let last = args.len() - 1;
    let styles = styles(args, Styles::NUMBER, true)?;
    let text: Option<Str> = args.arg(0)?;
    cx.steps(text.as_ref().map_or(0, Str::len) as u64 / 64)?;
    let parsed = text.and_then(|it| parse_decimal(it.as_str(), styles).ok());
    args.set_out(last, parsed.unwrap_or_default().into());
    Ok(parsed.is_some().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_integers_make_a_decimal() {
        assert_eq!(of_bits(&[15, 0, 0, 65536]).unwrap().to_text(), "1.5");
        assert!(of_bits(&[15]).is_err() && of_bits(&[1, 0, 0, 29 << 16]).is_err());
    }
}
