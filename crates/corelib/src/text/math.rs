//! `System.Math`: <https://learn.microsoft.com/dotnet/api/system.math>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use dotnet::Runtime;
use rust_decimal::Decimal;

use super::enums::MIDPOINT_ROUNDING;
use super::integers::{integer, value, wide};
use super::{bad_rounding, decimal, joined, out_of_range};

pub(crate) const TYPE: TypeDef = TypeDef::static_class("System.Math", MEMBERS);

const DOUBLE: Type = Type::Double;
const DECIMAL: Type = Type::Decimal;
const INT: Type = Type::Int32;
const LONG: Type = Type::Int64;
const ROUNDING: Type = Type::named(MIDPOINT_ROUNDING);
const ONE: &[Type] = &[DOUBLE];
const TWO: &[Type] = &[DOUBLE, DOUBLE];

macro_rules! per_type {
    ($($ty:ident),*) => { &[$(
        Member::static_method("Max", &[Type::$ty, Type::$ty], Type::$ty, max)
            .params(&["val1", "val2"]),
        Member::static_method("Min", &[Type::$ty, Type::$ty], Type::$ty, min)
            .params(&["val1", "val2"]),
        Member::static_method("Clamp", &[Type::$ty, Type::$ty, Type::$ty], Type::$ty, clamp)
            .params(&["value", "min", "max"]),
    )*] };
}

macro_rules! per_signed_type {
    ($($ty:ident),*) => { &[$(
        Member::static_method("Abs", &[Type::$ty], Type::$ty, abs).params(&["value"]),
        Member::static_method("Sign", &[Type::$ty], Type::Int32, sign).params(&["value"]),
    )*] };
}

macro_rules! functions {
    ($($name:literal: $f:expr),* $(,)?) => { &[$(
        Member::static_method($name, ONE, DOUBLE, |args, _| {
            let (it,): (f64,) = args.get()?;
            let f: fn(f64) -> f64 = $f;
            Ok(f(it).into())
        }).params(&["d"]),
    )*] };
}

const PER_TYPE: &[Member] =
    per_type!(SByte, Byte, Int16, UInt16, Int32, UInt32, Int64, UInt64, Single, Double, Decimal);
const PER_SIGNED_TYPE: &[Member] =
    per_signed_type!(SByte, Int16, Int32, Int64, Single, Double, Decimal);
const FUNCTIONS: &[Member] = functions! {
    "Floor": f64::floor,
    "Ceiling": f64::ceil,
    "Truncate": f64::trunc,
    "Sqrt": f64::sqrt,
    "Cbrt": f64::cbrt,
    "Exp": f64::exp,
    "Log": f64::ln,
    "Log10": f64::log10,
    "Log2": f64::log2,
    "Sin": f64::sin,
    "Cos": f64::cos,
    "Tan": f64::tan,
    "Asin": f64::asin,
    "Acos": f64::acos,
    "Atan": f64::atan,
    "Sinh": f64::sinh,
    "Cosh": f64::cosh,
    "Tanh": f64::tanh,
    "Asinh": f64::asinh,
    "Acosh": f64::acosh,
    "Atanh": f64::atanh,
};

const MEMBERS: &[Member] = &joined::<
    { PER_TYPE.len() + PER_SIGNED_TYPE.len() + FUNCTIONS.len() + OTHERS.len() },
>(&[PER_TYPE, PER_SIGNED_TYPE, FUNCTIONS, OTHERS]);

const OTHERS: &[Member] = &[
    Member::constant("PI", DOUBLE, Constant::Float(std::f64::consts::PI)),
    Member::constant("E", DOUBLE, Constant::Float(std::f64::consts::E)),
    Member::static_method("Floor", &[DECIMAL], DECIMAL, |args, _| {
        let (it,): (Decimal,) = args.get()?;
        Ok(it.floor().into())
    })
    .params(&["d"]),
    Member::static_method("Ceiling", &[DECIMAL], DECIMAL, |args, _| {
        let (it,): (Decimal,) = args.get()?;
        Ok(it.ceil().into())
    })
    .params(&["d"]),
    Member::static_method("Truncate", &[DECIMAL], DECIMAL, |args, _| {
        let (it,): (Decimal,) = args.get()?;
        Ok(it.trunc().into())
    })
    .params(&["d"]),
    Member::static_method("Round", ONE, DOUBLE, round).params(&["a"]),
    Member::static_method("Round", &[DOUBLE, INT], DOUBLE, round).params(&["value", "digits"]),
    Member::static_method("Round", &[DOUBLE, ROUNDING], DOUBLE, round).params(&["value", "mode"]),
    Member::static_method("Round", &[DOUBLE, INT, ROUNDING], DOUBLE, round)
        .params(&["value", "digits", "mode"]),
    Member::static_method("Round", &[DECIMAL], DECIMAL, |args, _| decimal::round(args))
        .params(&["d"]),
    Member::static_method("Round", &[DECIMAL, INT], DECIMAL, |args, _| decimal::round(args))
        .params(&["d", "decimals"]),
    Member::static_method("Round", &[DECIMAL, ROUNDING], DECIMAL, |args, _| decimal::round(args))
        .params(&["d", "mode"]),
    Member::static_method("Round", &[DECIMAL, INT, ROUNDING], DECIMAL, |args, _| {
        decimal::round(args)
    })
    .params(&["d", "decimals", "mode"]),
    Member::static_method("CopySign", TWO, DOUBLE, |args, _| two(args, f64::copysign))
        .params(&["x", "y"]),
    Member::static_method("MaxMagnitude", TWO, DOUBLE, |args, _| {
        two(args, |a, b| if magnitude(a, b, f64::gt) { a } else { b })
    })
    .params(&["x", "y"]),
    Member::static_method("MinMagnitude", TWO, DOUBLE, |args, _| {
        two(args, |a, b| if magnitude(a, b, f64::lt) { a } else { b })
    })
    .params(&["x", "y"]),
    Member::static_method("BitIncrement", ONE, DOUBLE, |args, _| {
        let (it,): (f64,) = args.get()?;
        Ok(it.next_up().into())
    })
    .params(&["x"]),
    Member::static_method("BitDecrement", ONE, DOUBLE, |args, _| {
        let (it,): (f64,) = args.get()?;
        Ok(it.next_down().into())
    })
    .params(&["x"]),
    Member::static_method("FusedMultiplyAdd", &[DOUBLE, DOUBLE, DOUBLE], DOUBLE, |args, _| {
        let (x, y, z): (f64, f64, f64) = args.get()?;
        Ok(x.mul_add(y, z).into())
    })
    .params(&["x", "y", "z"]),
    Member::static_method("ScaleB", &[DOUBLE, INT], DOUBLE, |args, _| {
        let (x, n): (f64, i32) = args.get()?;
        // In two steps, since 2^n alone may overflow where the product does not.
        let half = n.clamp(-2200, 2200) / 2;
        let rest = n.clamp(-2200, 2200) - half;
        Ok((x * 2_f64.powi(half) * 2_f64.powi(rest)).into())
    })
    .params(&["x", "n"]),
    Member::static_method("ILogB", ONE, INT, |args, _| {
        let (x,): (f64,) = args.get()?;
        Ok(exponent(x).into())
    })
    .params(&["x"]),
    Member::static_method("Pow", TWO, DOUBLE, |args, _| two(args, f64::powf)).params(&["x", "y"]),
    Member::static_method("Atan2", TWO, DOUBLE, |args, _| two(args, f64::atan2))
        .params(&["y", "x"]),
    Member::static_method("Log", TWO, DOUBLE, |args, _| two(args, log)).params(&["a", "newBase"]),
    Member::static_method("IEEERemainder", TWO, DOUBLE, |args, _| two(args, remainder))
        .params(&["x", "y"]),
    Member::static_method("BigMul", &[INT, INT], LONG, |args, _| {
        let (a, b): (i32, i32) = args.get()?;
        Ok((i64::from(a) * i64::from(b)).into())
    })
    .params(&["a", "b"]),
    Member::static_method("DivRem", &[INT, INT, Type::Out(&Type::Int32)], INT, div_rem)
        .params(&["a", "b", "result"]),
    Member::static_method("DivRem", &[LONG, LONG, Type::Out(&Type::Int64)], LONG, div_rem)
        .params(&["a", "b", "result"]),
];

fn two(args: &mut Args<'_>, f: fn(f64, f64) -> f64) -> Result<Value, Exception> {
    let (a, b): (f64, f64) = args.get()?;
    Ok(f(a, b).into())
}

/// Whether the first is the one to take by size; NaN is taken, and of equals the signs decide.
fn magnitude(a: f64, b: f64, wins: fn(&f64, &f64) -> bool) -> bool {
    let (x, y) = (a.abs(), b.abs());
    if x == y {
        return wins(&1.0, &0.0) != a.is_sign_negative();
    }
    x.is_nan() || (!y.is_nan() && wins(&x, &y))
}

/// The binary exponent.
fn exponent(x: f64) -> i32 {
    if x == 0.0 {
        return i32::MIN;
    }
    if !x.is_finite() {
        return i32::MAX;
    }
    let (bits, bias) =
        if x.is_subnormal() { ((x * 2_f64.powi(64)).to_bits(), 64) } else { (x.to_bits(), 0) };
    i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) - 1023 - bias
}

fn log(it: f64, base: f64) -> f64 {
    if it.is_nan() || base.is_nan() {
        return f64::NAN;
    }
    if base == 1.0 || (it != 1.0 && (base == 0.0 || base == f64::INFINITY)) {
        return f64::NAN;
    }
    it.ln() / base.ln()
}

/// `Math.IEEERemainder`: `x - y * q` with `q` the integer nearest to `x / y`, ties to even.
fn remainder(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() || x.is_infinite() || y == 0.0 {
        return f64::NAN;
    }
    let regular = x % y;
    if regular == 0.0 && x.is_sign_negative() {
        return -0.0;
    }
    let alternative = regular - y.abs() * x.signum();
    if alternative.abs() == regular.abs() {
        let quotient = x / y;
        let rounded = quotient.round_ties_even();
        return if rounded.abs() > quotient.abs() { alternative } else { regular };
    }
    if alternative.abs() < regular.abs() { alternative } else { regular }
}

fn overflow() -> Exception {
    Exception::overflow("Negating the minimum value of a twos complement number is invalid.")
}

fn abs(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.returns();
    let [it] = args.take()?;
    Ok(match it {
        Value::Double(it) => it.abs().into(),
        Value::Single(it) => it.abs().into(),
        Value::Decimal(it) => it.abs().into(),
        other => {
            let size = wide(&other).unwrap_or(0).abs();
            let fits = integer(of).is_some_and(|range| size <= range.max);
            if !fits {
                return Err(overflow());
            }
            value(of, size)
        }
    })
}

fn sign(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [it] = args.take()?;
    let sign = match it {
        Value::Decimal(it) if it.is_zero() => 0,
        Value::Decimal(it) => {
            if it.is_sign_negative() {
                -1
            } else {
                1
            }
        }
        Value::Double(_) | Value::Single(_) => match it.as_f64() {
            Some(it) if it.is_nan() => {
                return Err(Exception::new(
                    "System.ArithmeticException",
                    "Function does not accept floating point Not-a-Number values.",
                ));
            }
            Some(0.0) => 0,
            Some(it) => {
                if it < 0.0 {
                    -1
                } else {
                    1
                }
            }
            None => 0,
        },
        other => wide(&other).unwrap_or(0).signum() as i32,
    };
    Ok(sign.into())
}

/// Whether the first number is the smaller; NaN wins, and (on modern .NET) `-0` is below `0`.
fn picks_first(a: &Value, b: &Value, smaller: bool, runtime: Runtime) -> bool {
    if let (Value::Double(_) | Value::Single(_), Some(x), Some(y)) = (a, a.as_f64(), b.as_f64()) {
        if x.is_nan() || y.is_nan() {
            return x.is_nan();
        }
        if x == y && runtime == Runtime::Modern {
            return x.is_sign_negative() == smaller;
        }
        return if smaller { x < y } else { x > y };
    }
    let order = a.compare(b);
    order.is_some_and(|it| if smaller { it.is_le() } else { it.is_ge() })
}

fn max(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [a, b] = args.take()?;
    Ok(if picks_first(&a, &b, false, cx.runtime()) { a } else { b })
}

fn min(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [a, b] = args.take()?;
    Ok(if picks_first(&a, &b, true, cx.runtime()) { a } else { b })
}

fn clamp(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [it, min, max] = args.take()?;
    let above = |a: &Value, b: &Value| a.compare(b).is_some_and(std::cmp::Ordering::is_gt);
    if above(&min, &max) {
        let text = format!("'{}' cannot be greater than {}.", min.to_text(), max.to_text());
        return Err(Exception::argument(text));
    }
    let nan = it.as_f64().is_some_and(f64::is_nan);
    Ok(if !nan && above(&min, &it) {
        min
    } else if above(&it, &max) {
        max
    } else {
        it
    })
}

fn round(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let it: f64 = args.arg(0)?;
    let (mut digits, mut mode) = (None, 0);
    for value in args.values().iter().skip(1) {
        match value {
            Value::Int(it) => digits = Some(*it),
            Value::Enum(_, it) => mode = *it,
            _ => {}
        }
    }
    let rounding: fn(f64) -> f64 = match mode {
        0 => f64::round_ties_even,
        1 => f64::round,
        2 => f64::trunc,
        3 => f64::floor,
        4 => f64::ceil,
        _ => return Err(bad_rounding()),
    };
    let Some(digits) = digits else { return Ok(rounding(it).into()) };
    if !(0..=15).contains(&digits) {
        let text = "Rounding digits must be between 0 and 15, inclusive.";
        return Err(out_of_range(text, "digits"));
    }
    if it.abs() >= 1e16 {
        return Ok(it.into());
    }
    // As .NET does it: scale, round, scale back; so 5.015 to two places is 5.01.
    let power = 10_f64.powi(digits);
    Ok((rounding(it * power) / power).into())
}

fn div_rem(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let of = args.returns();
    let a = wide(args.value(0)).unwrap_or(0);
    let b = wide(args.value(1)).unwrap_or(0);
    if b == 0 {
        return Err(Exception::divide_by_zero());
    }
    if integer(of).is_some_and(|range| a / b > range.max) {
        return Err(Exception::overflow("Arithmetic operation resulted in an overflow."));
    }
    args.set_out(2, value(of, a % b));
    Ok(value(of, a / b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_go_to_the_nearest_multiple() {
        for (x, y, expected) in
            [(5.0, 3.0, -1.0), (3.0, 2.0, -1.0), (4.0, 2.0, 0.0), (27.0, 4.0, -1.0)]
        {
            assert_eq!(remainder(x, y), expected, "{x} {y}");
        }
        assert!(remainder(1.0, 0.0).is_nan());
    }

    #[test]
    fn nan_wins_and_zero_has_a_sign() {
        let pick = |a: f64, b: f64, runtime| picks_first(&a.into(), &b.into(), true, runtime);
        assert!(pick(f64::NAN, 1.0, Runtime::Modern) && !pick(1.0, f64::NAN, Runtime::Modern));
        assert!(pick(-0.0, 0.0, Runtime::Modern) && !pick(-0.0, 0.0, Runtime::Framework));
    }

    #[test]
    fn exponents_are_binary() {
        for (x, expected) in [(1.0, 0), (8.0, 3), (0.75, -1), (5e-324, -1074), (0.0, i32::MIN)] {
            assert_eq!(exponent(x), expected, "{x}");
        }
        assert!(magnitude(-3.0, 2.0, f64::gt) && !magnitude(-3.0, 3.0, f64::gt));
    }

    #[test]
    fn logarithms_take_a_base() {
        assert_eq!(log(8.0, 2.0), 3.0);
        assert!(log(8.0, 1.0).is_nan() && log(f64::NAN, 2.0).is_nan());
    }
}
