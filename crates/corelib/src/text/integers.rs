//! The integer types, `System.SByte` to `System.UInt64`. Their rows are the same but for the type,
//! so they share one table. <https://learn.microsoft.com/dotnet/api/system.int32>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef, integer_of};
use clr::types::{Type, names};
use clr::value::Value;
use clr::value::composite::format_value;
use dotnet::Str;
use dotnet::text::number::parse::{Styles, parse_integer};

use super::enums::{self, NUMBER_STYLES};
use super::{PROVIDER, made};

const STYLES: Type = Type::named(NUMBER_STYLES);
const STRING: Type = Type::String;
const BASES: &[Type] = &[Type::named(names::ICOMPARABLE), Type::named(names::IFORMATTABLE)];

macro_rules! integer {
    ($name:literal, $ty:ident, $min:expr, $max:expr, [$($extra:expr),*]) => {
        TypeDef::structure(concat!("System.", $name), &[
            Member::constant("MaxValue", Type::$ty, $max),
            Member::constant("MinValue", Type::$ty, $min),
            Member::static_method("Parse", &[STRING], Type::$ty, parse).params(&["s"]),
            Member::static_method("Parse", &[STRING, STYLES], Type::$ty, parse)
                .params(&["s", "style"]),
            Member::static_method("Parse", &[STRING, PROVIDER], Type::$ty, parse)
                .params(&["s", "provider"]),
            Member::static_method("Parse", &[STRING, STYLES, PROVIDER], Type::$ty, parse)
                .params(&["s", "style", "provider"]),
            Member::static_method(
                "TryParse", &[STRING, Type::Out(&Type::$ty)], Type::Bool, try_parse,
            ).params(&["s", "result"]),
            Member::static_method(
                "TryParse", &[STRING, STYLES, PROVIDER, Type::Out(&Type::$ty)], Type::Bool, try_parse,
            ).params(&["s", "style", "provider", "result"]),
            Member::method("ToString", &[STRING], STRING, to_text).params(&["format"]),
            Member::method("ToString", &[PROVIDER], STRING, to_text).params(&["provider"]),
            Member::method("ToString", &[STRING, PROVIDER], STRING, to_text)
                .params(&["format", "provider"]),
            crate::language::span::try_format_row(),
            Member::method("Equals", &[Type::$ty], Type::Bool, equals).params(&["obj"]),
            Member::method("CompareTo", &[Type::$ty], Type::Int32, compare).params(&["value"]),
            Member::method("CompareTo", &[Type::Object], Type::Int32, compare).params(&["value"]),
            Member::method("GetHashCode", &[], Type::Int32, hash_code),
            Member::method("GetTypeCode", &[], Type::named(enums::TYPE_CODE), |args, _| {
                Ok(enums::type_code(args.value(0)))
            }),
            $($extra,)*
        ]).bases(BASES)
    };
    ($name:literal, $ty:ident, $rust:ident) => {
        integer!($name, $ty, Constant::Integer($rust::MIN as i64), Constant::Integer($rust::MAX as i64), [])
    };
}

pub(crate) const TYPES: &[TypeDef] = &[
    integer!("SByte", SByte, i8),
    integer!("Byte", Byte, u8),
    integer!("Int16", Int16, i16),
    integer!("UInt16", UInt16, u16),
    integer!("Int32", Int32, i32),
    integer!("UInt32", UInt32, u32),
    integer!("Int64", Int64, i64),
    integer!("UInt64", UInt64, Constant::Integer(0), Constant::Unsigned(u64::MAX), []),
];

/// What is known of an integer type.
#[derive(Clone, Copy)]
pub(crate) struct Integer {
    /// `Int32`
    pub(crate) name: &'static str,
    /// The smallest value.
    pub(crate) min: i128,
    /// The largest value.
    pub(crate) max: i128,
    /// The width in bits.
    pub(crate) bits: u32,
}

/// The integer type of a static type.
pub(crate) fn integer(of: Type) -> Option<Integer> {
    let (name, bits, signed) = match of {
        Type::SByte => ("SByte", 8, true),
        Type::Byte => ("Byte", 8, false),
        Type::Int16 => ("Int16", 16, true),
        Type::UInt16 => ("UInt16", 16, false),
        Type::Char => ("Char", 16, false),
        Type::Int32 => ("Int32", 32, true),
        Type::UInt32 => ("UInt32", 32, false),
        Type::Int64 => ("Int64", 64, true),
        Type::UInt64 => ("UInt64", 64, false),
        _ => return None,
    };
    let (min, max) = if signed {
        (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
    } else {
        (0, (1_i128 << bits) - 1)
    };
    Some(Integer { name, min, max, bits })
}

/// An integer that lies in the type's range as a value of it.
pub(crate) fn value(of: Type, it: i128) -> Value {
    integer_of(of, it as i64)
}

/// The value of any integer type or `char`.
pub(crate) fn wide(of: &Value) -> Option<i128> {
    match of {
        Value::ULong(it) => Some(i128::from(*it)),
        Value::Char(it) => Some(i128::from(*it)),
        other => other.as_i64().map(i128::from),
    }
}

/// The styles among the arguments, or a default.
pub(crate) fn styles(
    args: &Args<'_>,
    default: Styles,
    fraction: bool,
) -> Result<Styles, Exception> {
    let given = args.values().iter().find_map(|it| match it {
        Value::Enum(def, styles) if def.name == NUMBER_STYLES => Some(*styles),
        _ => None,
    });
    let styles = given.map_or(default, |it| Styles(u32::try_from(it).unwrap_or(u32::MAX)));
    Ok(styles.checked(fraction)?)
}

fn parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    let styles = styles(args, Styles::INTEGER, false)?;
    cx.steps(text.len() as u64 / 64)?;
    read(&text, styles, args.returns())
}

/// Reads an integer of a type.
pub(crate) fn read(text: &Str, styles: Styles, of: Type) -> Result<Value, Exception> {
    let Some(it) = integer(of) else { return Ok(Value::Null) };
    let number = parse_integer(text.as_str(), styles, (it.min, it.max, it.name))?;
    Ok(value(of, number))
}

fn try_parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let last = args.len() - 1;
    let of = match args.member().params.last() {
        Some(Type::Out(of)) => **of,
        _ => Type::Int32,
    };
    let styles = styles(args, Styles::INTEGER, false)?;
    let text: Option<Str> = args.arg(0)?;
    cx.steps(text.as_ref().map_or(0, Str::len) as u64 / 64)?;
    let parsed = text.and_then(|it| read(&it, styles, of).ok());
    let found = parsed.is_some();
    args.set_out(last, parsed.unwrap_or_else(|| integer_of(of, 0)));
    Ok(found.into())
}

/// `ToString` with a format, a provider or both.
pub(crate) fn to_text(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let format = match args.value(1) {
        Value::String(it) => it.clone(),
        _ => Str::EMPTY,
    };
    let text = format_value(args.value(0), format.as_str(), cx.runtime())?;
    made(cx, text)
}

/// `Equals` of two values of one type.
pub(crate) fn equals(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    Ok(args.value(0).equals(args.value(1)).into())
}

/// `CompareTo` of a value of the same type, or of an object that must be one.
pub(crate) fn compare(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [a, b] = args.take()?;
    if b.is_null() {
        return Ok(1.into());
    }
    // Narrow types give the difference, as .NET does.
    let narrow = matches!(
        a,
        Value::Char(_) | Value::SByte(_) | Value::Byte(_) | Value::Int16(_) | Value::UInt16(_)
    );
    let same_type = std::mem::discriminant(&a) == std::mem::discriminant(&b);
    if narrow && same_type {
        let difference = wide(&a).unwrap_or(0) - wide(&b).unwrap_or(0);
        return Ok(i32::try_from(difference).unwrap_or(0).into());
    }
    match a.compare(&b) {
        Some(order) => Ok((order as i32).into()),
        None => {
            let name = a.runtime_type().full_name();
            let name = name.rsplit('.').next().unwrap_or_default();
            Err(Exception::argument(format!("Object must be of type {name}.")))
        }
    }
}

fn hash_code(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let hash = match args.value(0) {
        Value::SByte(it) => i32::from(*it),
        Value::Int16(it) => i32::from(*it),
        Value::ULong(it) => (*it as i32) ^ ((*it >> 32) as i32),
        Value::Long(it) => (*it as i32) ^ ((*it >> 32) as i32),
        other => wide(other).unwrap_or(0) as i32,
    };
    Ok(hash.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_range() {
        for (of, min, max) in [
            (Type::SByte, -128, 127),
            (Type::UInt16, 0, 65535),
            (Type::Int32, -2147483648, 2147483647),
        ] {
            let it = integer(of).unwrap();
            assert_eq!((it.min, it.max), (min, max));
        }
        assert!(integer(Type::Double).is_none());
    }

    #[test]
    fn each_type_reads_its_own_values() {
        let read = |text: &str, of| read(&text.into(), Styles::INTEGER, of);
        assert!(read("255", Type::Byte).unwrap().equals(&Value::Byte(255)));
        assert!(
            read("18446744073709551615", Type::UInt64).unwrap().equals(&Value::ULong(u64::MAX))
        );
        assert_eq!(read("256", Type::Byte).unwrap_err().type_name, "System.OverflowException");
    }
}
