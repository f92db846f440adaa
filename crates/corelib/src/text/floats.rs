//! `System.Double` and `System.Single`. Their rows are the same but for the type.
//! <https://learn.microsoft.com/dotnet/api/system.double>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef, default_value};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::text::number::parse::{Styles, parse_double, parse_float};
use dotnet::{Runtime, Str};

use super::PROVIDER;
use super::enums::{self, NUMBER_STYLES};
use super::integers::{compare, equals, styles, to_text};

const STYLES: Type = Type::named(NUMBER_STYLES);
const STRING: Type = Type::String;
const BASES: &[Type] = &[Type::named(names::ICOMPARABLE), Type::named(names::IFORMATTABLE)];

macro_rules! floating {
    ($name:literal, $ty:ident, $rust:ident) => {
        TypeDef::structure(
            concat!("System.", $name),
            &[
                Member::constant("MaxValue", Type::$ty, Constant::Float($rust::MAX as f64)),
                Member::constant("MinValue", Type::$ty, Constant::Float($rust::MIN as f64)),
                Member::constant("Epsilon", Type::$ty, Constant::Float($rust::from_bits(1) as f64)),
                Member::constant("NaN", Type::$ty, Constant::Float(f64::NAN)),
                Member::constant("PositiveInfinity", Type::$ty, Constant::Float(f64::INFINITY)),
                Member::constant("NegativeInfinity", Type::$ty, Constant::Float(f64::NEG_INFINITY)),
                Member::static_method("IsNaN", &[Type::$ty], Type::Bool, |args, _| {
                    test(args, f64::is_nan)
                })
                .params(&["d"]),
                Member::static_method("IsInfinity", &[Type::$ty], Type::Bool, |args, _| {
                    test(args, f64::is_infinite)
                })
                .params(&["d"]),
                Member::static_method("IsFinite", &[Type::$ty], Type::Bool, |args, _| {
                    test(args, f64::is_finite)
                })
                .params(&["d"]),
                Member::static_method("IsNegative", &[Type::$ty], Type::Bool, |args, _| {
                    test(args, f64::is_sign_negative)
                })
                .params(&["d"]),
                Member::static_method("IsNormal", &[Type::$ty], Type::Bool, |args, _| {
                    let (it,): ($rust,) = args.get()?;
                    Ok(it.is_normal().into())
                })
                .params(&["d"]),
                Member::static_method("IsSubnormal", &[Type::$ty], Type::Bool, |args, _| {
                    let (it,): ($rust,) = args.get()?;
                    Ok(it.is_subnormal().into())
                })
                .params(&["d"]),
                Member::static_method("IsPositiveInfinity", &[Type::$ty], Type::Bool, |args, _| {
                    test(args, |it| it == f64::INFINITY)
                })
                .params(&["d"]),
                Member::static_method("IsNegativeInfinity", &[Type::$ty], Type::Bool, |args, _| {
                    test(args, |it| it == f64::NEG_INFINITY)
                })
                .params(&["d"]),
                Member::static_method("Parse", &[STRING], Type::$ty, parse).params(&["s"]),
                Member::static_method("Parse", &[STRING, STYLES], Type::$ty, parse)
                    .params(&["s", "style"]),
                Member::static_method("Parse", &[STRING, PROVIDER], Type::$ty, parse)
                    .params(&["s", "provider"]),
                Member::static_method("Parse", &[STRING, STYLES, PROVIDER], Type::$ty, parse)
                    .params(&["s", "style", "provider"]),
                Member::static_method(
                    "TryParse",
                    &[STRING, Type::Out(&Type::$ty)],
                    Type::Bool,
                    try_parse,
                )
                .params(&["s", "result"]),
                Member::static_method(
                    "TryParse",
                    &[STRING, STYLES, PROVIDER, Type::Out(&Type::$ty)],
                    Type::Bool,
                    try_parse,
                )
                .params(&["s", "style", "provider", "result"]),
                Member::method("ToString", &[STRING], STRING, to_text).params(&["format"]),
                Member::method("ToString", &[PROVIDER], STRING, to_text).params(&["provider"]),
                Member::method("ToString", &[STRING, PROVIDER], STRING, to_text)
                    .params(&["format", "provider"]),
                crate::language::span::try_format_row(),
                Member::method("Equals", &[Type::$ty], Type::Bool, equals).params(&["obj"]),
                Member::method("CompareTo", &[Type::$ty], Type::Int32, compare).params(&["value"]),
                Member::method("CompareTo", &[Type::Object], Type::Int32, compare)
                    .params(&["value"]),
                Member::method("GetTypeCode", &[], Type::named(enums::TYPE_CODE), |args, _| {
                    Ok(enums::type_code(args.value(0)))
                }),
            ],
        )
        .bases(BASES)
    };
}

pub(crate) const TYPES: &[TypeDef] =
    &[floating!("Double", Double, f64), floating!("Single", Single, f32)];

fn test(args: &mut Args<'_>, f: fn(f64) -> bool) -> Result<Value, Exception> {
    Ok(args.value(0).as_f64().is_some_and(f).into())
}

/// Reads a `double` or `float`.
pub(crate) fn read(
    text: &Str,
    styles: Styles,
    of: Type,
    runtime: Runtime,
) -> Result<Value, Exception> {
    Ok(if of == Type::Single {
        parse_float(text.as_str(), styles, runtime)?.into()
    } else {
        parse_double(text.as_str(), styles, runtime)?.into()
    })
}

fn parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    let styles = styles(args, Styles::FLOAT_THOUSANDS, true)?;
    cx.steps(text.len() as u64 / 16)?;
    read(&text, styles, args.returns(), cx.runtime())
}

fn try_parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let last = args.len() - 1;
    let of = match args.member().params.last() {
        Some(Type::Out(of)) => **of,
        _ => Type::Double,
    };
    let styles = styles(args, Styles::FLOAT_THOUSANDS, true)?;
    let text: Option<Str> = args.arg(0)?;
    cx.steps(text.as_ref().map_or(0, Str::len) as u64 / 16)?;
    let parsed = text.and_then(|it| read(&it, styles, of, cx.runtime()).ok());
    let found = parsed.is_some();
    args.set_out(last, parsed.unwrap_or_else(|| default_value(of)));
    Ok(found.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_width_reads_its_own_values() {
        let read =
            |text: &str, of| read(&text.into(), Styles::FLOAT_THOUSANDS, of, Runtime::Modern);
        assert!(read("3.4", Type::Single).unwrap().equals(&Value::Single(3.4)));
        assert!(read("1,5", Type::Double).unwrap().equals(&Value::Double(15.0)));
        assert!(read("x", Type::Double).is_err());
    }
}
