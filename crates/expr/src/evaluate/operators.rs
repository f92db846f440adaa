//! Operators on values of one type, as C# defines them after promotion.
//!
//! Source: C# specification, 12.10 to 12.13.

use std::cmp::Ordering;

use clr::exception::Exception;
use clr::value::Value;
use dotnet::text::number::arithmetic;
use rust_decimal::Decimal;

use super::Outcome;
use crate::ir::{Number, Op, Operation};

fn overflow() -> Exception {
    Exception::overflow("Arithmetic operation resulted in an overflow.")
}

fn decimal_overflow() -> Exception {
    Exception::overflow("Value was either too large or too small for a Decimal.")
}

/// `a op b`.
///
/// # Errors
///
/// `DivideByZeroException`, `OverflowException`.
pub(crate) fn apply(operation: Operation, a: &Value, b: &Value) -> Outcome {
    let Operation { op, checked, .. } = operation;
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => int(op, *a, *b, checked),
        (Value::Long(a), Value::Long(b)) => long(op, *a, *b, checked),
        (Value::UInt(a), Value::UInt(b)) => uint(op, *a, *b, checked),
        (Value::ULong(a), Value::ULong(b)) => ulong(op, *a, *b, checked),
        (Value::Double(a), Value::Double(b)) => double(op, *a, *b),
        (Value::Single(a), Value::Single(b)) => single(op, *a, *b),
        (Value::Decimal(a), Value::Decimal(b)) => decimal(op, *a, *b),
        (Value::Bool(a), Value::Bool(b)) => boolean(op, *a, *b),
        (Value::Enum(def, a), Value::Enum(_, b)) => match long(op, *a, *b, false)? {
            Value::Long(it) => Ok(Value::Enum(def, it)),
            other => Ok(other),
        },
        // Shifts: the count is an int whatever is shifted.
        (Value::Long(a), Value::Int(b)) => long(op, *a, i64::from(*b), checked),
        #[expect(clippy::cast_sign_loss, reason = "only the low bits of a shift count matter")]
        (Value::UInt(a), Value::Int(b)) => uint(op, *a, *b as u32, checked),
        #[expect(clippy::cast_sign_loss, reason = "only the low bits of a shift count matter")]
        (Value::ULong(a), Value::Int(b)) => ulong(op, *a, *b as u64, checked),
        _ => other(op, a, b),
    }
}

/// `a op b` of two integers if the operation compares.
#[inline]
pub(crate) fn compare_int(op: Op, a: i32, b: i32) -> Option<bool> {
    Some(match op {
        Op::Equal => a == b,
        Op::NotEqual => a != b,
        Op::Less => a < b,
        Op::LessOrEqual => a <= b,
        Op::Greater => a > b,
        Op::GreaterOrEqual => a >= b,
        _ => return None,
    })
}

fn compare(op: Op, order: Option<Ordering>) -> Outcome {
    Ok(Value::Bool(match op {
        Op::Equal => order == Some(Ordering::Equal),
        Op::NotEqual => order != Some(Ordering::Equal),
        Op::Less => order == Some(Ordering::Less),
        Op::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Op::Greater => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }))
}

macro_rules! integer {
    ($name:ident, $rust:ty, $variant:ident, $mask:literal) => {
        #[allow(
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            clippy::unnecessary_cast,
            reason = "shift counts are masked"
        )]
        fn $name(op: Op, a: $rust, b: $rust, checked: bool) -> Outcome {
            if op.is_comparison() {
                return compare(op, Some(a.cmp(&b)));
            }
            Ok(Value::$variant(match op {
                Op::Add if checked => a.checked_add(b).ok_or_else(overflow)?,
                Op::Add => a.wrapping_add(b),
                Op::Subtract if checked => a.checked_sub(b).ok_or_else(overflow)?,
                Op::Subtract => a.wrapping_sub(b),
                Op::Multiply if checked => a.checked_mul(b).ok_or_else(overflow)?,
                Op::Multiply => a.wrapping_mul(b),
                Op::Divide | Op::Remainder if b == 0 => return Err(Exception::divide_by_zero()),
                Op::Divide => a.checked_div(b).ok_or_else(overflow)?,
                Op::Remainder => a.checked_rem(b).ok_or_else(overflow)?,
                Op::ShiftLeft => a.wrapping_shl((b & $mask) as u32),
                Op::ShiftRight => a.wrapping_shr((b & $mask) as u32),
                Op::And => a & b,
                Op::Or => a | b,
                _ => a ^ b,
            }))
        }
    };
}

integer!(int, i32, Int, 31);
integer!(uint, u32, UInt, 31);
integer!(long, i64, Long, 63);
integer!(ulong, u64, ULong, 63);

macro_rules! float {
    ($name:ident, $rust:ty, $variant:ident) => {
        fn $name(op: Op, a: $rust, b: $rust) -> Outcome {
            if op.is_comparison() {
                return compare(op, a.partial_cmp(&b));
            }
            Ok(Value::$variant(match op {
                Op::Add => a + b,
                Op::Subtract => a - b,
                Op::Multiply => a * b,
                Op::Divide => a / b,
                _ => a % b,
            }))
        }
    };
}

float!(double, f64, Double);
float!(single, f32, Single);

fn decimal(op: Op, a: Decimal, b: Decimal) -> Outcome {
    if op.is_comparison() {
        return compare(op, Some(a.cmp(&b)));
    }
    let result = match op {
        Op::Add => arithmetic::add(a, b),
        Op::Subtract => arithmetic::subtract(a, b),
        Op::Multiply => arithmetic::multiply(a, b),
        Op::Divide | Op::Remainder if b.is_zero() => return Err(Exception::divide_by_zero()),
        Op::Divide => arithmetic::divide(a, b),
        _ => arithmetic::remainder(a, b),
    };
    result.map(Value::Decimal).ok_or_else(decimal_overflow)
}

fn boolean(op: Op, a: bool, b: bool) -> Outcome {
    Ok(Value::Bool(match op {
        Op::Equal => a == b,
        Op::And => a & b,
        Op::Or => a | b,
        _ => a != b,
    }))
}

fn other(op: Op, a: &Value, b: &Value) -> Outcome {
    match op {
        Op::Equal => Ok(Value::Bool(a.equals(b))),
        Op::NotEqual => Ok(Value::Bool(!a.equals(b))),
        _ if op.is_comparison() => compare(op, a.compare(b)),
        _ => Err(Exception::invalid_operation("Operation is not valid for these values.")),
    }
}

/// `-a`; null stays null.
///
/// # Errors
///
/// `OverflowException` in a checked context.
pub(crate) fn negate(_number: Number, checked: bool, value: Value) -> Outcome {
    Ok(match value {
        Value::Int(it) if checked => Value::Int(it.checked_neg().ok_or_else(overflow)?),
        Value::Int(it) => Value::Int(it.wrapping_neg()),
        Value::Long(it) if checked => Value::Long(it.checked_neg().ok_or_else(overflow)?),
        Value::Long(it) => Value::Long(it.wrapping_neg()),
        Value::Single(it) => Value::Single(-it),
        Value::Double(it) => Value::Double(-it),
        Value::Decimal(it) => Value::Decimal(-it),
        Value::TimeSpan(it) => Value::TimeSpan(it.checked_neg().ok_or_else(|| {
            Exception::overflow(
                "Negating the minimum value of a twos complement number is invalid.",
            )
        })?),
        other => other,
    })
}

/// `~a`; null stays null.
pub(crate) fn complement(value: Value) -> Value {
    match value {
        Value::Int(it) => Value::Int(!it),
        Value::UInt(it) => Value::UInt(!it),
        Value::Long(it) => Value::Long(!it),
        Value::ULong(it) => Value::ULong(!it),
        Value::Enum(def, it) => Value::Enum(def, !it),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(
        op: Op,
        a: impl Into<Value>,
        b: impl Into<Value>,
        checked: bool,
    ) -> Result<String, &'static str> {
        let operation = Operation { op, number: Number::Int, checked };
        apply(operation, &a.into(), &b.into())
            .map(|it| it.to_text().into_owned())
            .map_err(|it| it.type_name)
    }

    #[test]
    fn integers_wrap_unless_checked() {
        assert_eq!(run(Op::Add, i32::MAX, 1, false), Ok("-2147483648".to_owned()));
        assert_eq!(run(Op::Add, i32::MAX, 1, true), Err("System.OverflowException"));
        assert_eq!(run(Op::Divide, i32::MIN, -1, false), Err("System.OverflowException"));
    }

    #[test]
    fn division_truncates_and_refuses_zero() {
        assert_eq!(run(Op::Divide, -7, 2, false), Ok("-3".to_owned()));
        assert_eq!(run(Op::Remainder, -7, 2, false), Ok("-1".to_owned()));
        assert_eq!(run(Op::Divide, 1, 0, false), Err("System.DivideByZeroException"));
        assert_eq!(run(Op::Divide, 1.0, 0.0, false), Ok("Infinity".to_owned()));
    }

    #[test]
    fn shift_counts_are_masked() {
        assert_eq!(run(Op::ShiftLeft, 1, 33, false), Ok("2".to_owned()));
        assert_eq!(run(Op::ShiftLeft, 1_i64, 65, false), Ok("2".to_owned()));
        assert_eq!(run(Op::ShiftRight, -1, 1, false), Ok("-1".to_owned()));
    }

    #[test]
    fn nothing_compares_to_nan() {
        for op in [Op::Equal, Op::Less, Op::GreaterOrEqual] {
            assert_eq!(run(op, f64::NAN, 1.0, false), Ok("False".to_owned()));
        }
        assert_eq!(run(Op::NotEqual, f64::NAN, f64::NAN, false), Ok("True".to_owned()));
    }
}
