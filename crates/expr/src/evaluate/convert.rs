//! Conversions of values.
//!
//! Source: C# specification, 10.2 and 10.3.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, integer_of};
use clr::types::Type;
use clr::value::{Anonymous, Value};
use dotnet::Runtime;
use dotnet::text::number::decimal;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Outcome;
use crate::ir::Conversion;

/// Converts a value.
///
/// # Errors
///
/// `InvalidCastException`, `OverflowException`, what a user-defined conversion throws.
pub(crate) fn convert(conversion: &Conversion, value: Value, cx: &mut EvalCx<'_>) -> Outcome {
    match conversion {
        Conversion::Cast(Type::String) if matches!(value, Value::String(_)) => Ok(value),
        Conversion::Numeric { to, checked } => numeric(&value, *to, *checked),
        Conversion::ToEnum(def) => match numeric(&value, Type::Int64, false)? {
            Value::Long(it) => Ok(Value::Enum(def, it)),
            other => Ok(other),
        },
        Conversion::FromEnum { to, checked } => match value {
            Value::Enum(_, it) => numeric(&Value::Long(it), *to, *checked),
            other => Ok(other),
        },
        Conversion::Lifted(inner) => {
            if value.is_null() {
                return Ok(value);
            }
            convert(inner, value, cx)
        }
        Conversion::Cast(to) => cast(value, *to, cx),
        Conversion::NotNull => {
            if value.is_null() {
                return Err(Exception::invalid_operation("Nullable object must have a value."));
            }
            Ok(value)
        }
        Conversion::User(member, null_passes) => {
            if *null_passes && value.is_null() {
                return Ok(value);
            }
            let mut values = [value];
            let mut args = Args::new(member, &mut values, &[], &[], member.returns);
            (member.call)(&mut args, cx)
        }
        Conversion::Tuple(it) => {
            let (ty, items) = &**it;
            let tuple = value.as_object::<Anonymous>().ok_or_else(Exception::null_reference)?;
            let each = tuple.fields().iter().zip(items);
            let fields: Result<Vec<Value>, Exception> = each
                .map(|(it, by)| match by {
                    Some(by) => convert(by, it.clone(), cx),
                    None => Ok(it.clone()),
                })
                .collect();
            Ok(Value::object(Anonymous::new(*ty, fields?)))
        }
        Conversion::Late(site) => super::late::apply(site, &[value], cx),
        Conversion::Chain(it) => {
            let value = convert(&it.0, value, cx)?;
            convert(&it.1, value, cx)
        }
    }
}

/// `(T)value` of a reference: unboxing is exact.
pub(crate) fn cast(value: Value, to: Type, cx: &EvalCx<'_>) -> Outcome {
    if value.is_null() {
        return if to.is_non_nullable_value() {
            Err(Exception::null_reference())
        } else {
            Ok(value)
        };
    }
    if value.is_instance(to) {
        return Ok(value);
    }
    // An enum unboxes as its number, and a number as an enum of that type.
    match (&value, to) {
        (Value::Enum(_, it), Type::Int32) => return Ok(integer_of(to, *it)),
        (Value::Int(it), Type::Named(..)) if to.is_enum() => {
            return Ok(integer_of(to, i64::from(*it)));
        }
        _ => {}
    }
    Err(refused_cast(&value, to, cx))
}

/// `InvalidCastException` for a value that is not of the type.
#[cold]
pub(crate) fn refused_cast(value: &Value, to: Type, cx: &EvalCx<'_>) -> Exception {
    if to.is_value_type() && cx.runtime() == Runtime::Framework {
        return Exception::invalid_cast("Specified cast is not valid.");
    }
    Exception::invalid_cast(format!(
        "Unable to cast object of type '{}' to type '{}'.",
        value.type_name(),
        to.full_name()
    ))
}

fn overflow() -> Exception {
    Exception::overflow("Arithmetic operation resulted in an overflow.")
}

fn too_large(to: Type) -> Exception {
    Exception::overflow(format!("Value was either too large or too small for {}.", to.full_name()))
}

/// Between numeric types.
///
/// # Errors
///
/// `OverflowException` in a checked context, and always from and to `decimal`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as C# converts")]
pub(crate) fn numeric(value: &Value, to: Type, checked: bool) -> Outcome {
    if matches!(to, Type::Single | Type::Double) {
        let it = match value {
            Value::Single(it) if to == Type::Single => return Ok(Value::Single(*it)),
            Value::Char(it) => f64::from(*it),
            Value::Long(it) if to == Type::Single => return Ok(Value::Single(*it as f32)),
            Value::ULong(it) if to == Type::Single => return Ok(Value::Single(*it as f32)),
            Value::Decimal(it) => decimal::to_double(*it),
            other => other.as_f64().ok_or_else(overflow)?,
        };
        return Ok(if to == Type::Single { Value::Single(it as f32) } else { Value::Double(it) });
    }
    if to == Type::Decimal {
        return to_decimal(value);
    }
    let wide: i128 = match value {
        Value::Char(it) => i128::from(*it),
        Value::ULong(it) => i128::from(*it),
        Value::Single(it) => return float_to_integer(f64::from(*it), to, checked),
        Value::Double(it) => return float_to_integer(*it, to, checked),
        Value::Decimal(it) => {
            let whole = it.trunc().to_i128().ok_or_else(|| too_large(to))?;
            return if in_range(whole, to) { Ok(narrow(whole, to)) } else { Err(too_large(to)) };
        }
        other => i128::from(other.as_i64().ok_or_else(overflow)?),
    };
    if checked && !in_range(wide, to) {
        return Err(overflow());
    }
    Ok(narrow(wide, to))
}

fn to_decimal(value: &Value) -> Outcome {
    let it = match value {
        Value::Single(it) => decimal::from_float(*it).ok(),
        Value::Double(it) => decimal::from_double(*it).ok(),
        Value::Decimal(it) => Some(*it),
        Value::Char(it) => Some(Decimal::from(*it)),
        Value::ULong(it) => Some(Decimal::from(*it)),
        other => other.as_i64().map(Decimal::from),
    };
    it.map(Value::Decimal).ok_or_else(|| too_large(Type::Decimal))
}

#[expect(clippy::cast_possible_truncation, reason = "as C# converts: the low bits")]
fn float_to_integer(it: f64, to: Type, checked: bool) -> Outcome {
    let whole = it.trunc();
    let fits = whole.is_finite() && in_range(whole as i128, to);
    if fits {
        return Ok(narrow(whole as i128, to));
    }
    if checked {
        return Err(overflow());
    }
    // Unspecified by the language. What x64 does: the 64-bit conversion gives its minimum, and
    // narrower types take its low bits.
    let wide = match to {
        Type::Int32 => i128::from(i32::MIN),
        _ if whole.is_finite() && in_range(whole as i128, Type::Int64) => whole as i128,
        _ => i128::from(i64::MIN),
    };
    Ok(narrow(wide, to))
}

fn in_range(it: i128, to: Type) -> bool {
    match to {
        Type::SByte => i8::try_from(it).is_ok(),
        Type::Byte => u8::try_from(it).is_ok(),
        Type::Int16 => i16::try_from(it).is_ok(),
        Type::UInt16 | Type::Char => u16::try_from(it).is_ok(),
        Type::Int32 => i32::try_from(it).is_ok(),
        Type::UInt32 => u32::try_from(it).is_ok(),
        Type::Int64 => i64::try_from(it).is_ok(),
        Type::UInt64 => u64::try_from(it).is_ok(),
        _ => false,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "wraps as C# does")]
fn narrow(it: i128, to: Type) -> Value {
    match to {
        Type::UInt64 => Value::ULong(it as u64),
        _ => integer_of(to, it as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn numbers_convert_as_in_c_sharp() {
        let cases = [
            (Value::from(2.9), Type::Int32, "2"),
            (Value::from(300), Type::Byte, "44"),
            (Value::from(-1), Type::UInt32, "4294967295"),
            (Value::Char(97), Type::Int32, "97"),
            (Value::from(0.1), Type::Decimal, "0.1"),
            (Value::from(u64::MAX), Type::Int64, "-1"),
            (Value::from(f64::NAN), Type::Int32, "-2147483648"),
        ];
        for (value, to, text) in cases {
            assert_eq!(numeric(&value, to, false).unwrap().to_text(), text, "{value:?} to {to}");
        }
        assert!(numeric(&Value::from(300), Type::Byte, true).is_err());
        assert!(numeric(&Value::from(f64::NAN), Type::Decimal, false).is_err());
    }

    #[test]
    fn unboxing_is_exact() {
        assert_eq!(
            with_cx(|cx| cast(Value::from(5_i64), Type::Int32, cx)).unwrap_err().type_name,
            "System.InvalidCastException"
        );
        assert_eq!(
            with_cx(|cx| cast(Value::Null, Type::Int32, cx)).unwrap_err().type_name,
            "System.NullReferenceException"
        );
        assert!(with_cx(|cx| cast(Value::Null, Type::String, cx)).unwrap().is_null());
    }
}
