//! Filters on numbers: sums in `decimal` if one side has a fraction, else in integers.
//!
//! Integers that grow out of their type go on in a wider one, where DotLiquid 2.0 fails.

use dotnet::Runtime;
use dotnet::text::number::arithmetic;
use dotnet::text::number::decimal::to_double;
use dotnet::text::number::parse::{Styles, parse_double};
use rust_decimal::{Decimal, RoundingStrategy};

use super::Args;
use crate::error::Stop;
use crate::value::Value;

/// One of the five operations, for each kind of number.
struct Operation {
    ints: fn(i64, i64) -> Option<i64>,
    decimals: fn(Decimal, Decimal) -> Option<Decimal>,
    doubles: fn(f64, f64) -> f64,
    /// Whether a second number of 0 has no result in integers.
    divides: bool,
}

const ADD: Operation = Operation {
    ints: i64::checked_add,
    decimals: arithmetic::add,
    doubles: |a, b| a + b,
    divides: false,
};
const SUBTRACT: Operation = Operation {
    ints: i64::checked_sub,
    decimals: arithmetic::subtract,
    doubles: |a, b| a - b,
    divides: false,
};
const MULTIPLY: Operation = Operation {
    ints: i64::checked_mul,
    decimals: arithmetic::multiply,
    doubles: |a, b| a * b,
    divides: false,
};
const DIVIDE: Operation = Operation {
    ints: i64::checked_div,
    decimals: arithmetic::divide,
    doubles: |a, b| a / b,
    divides: true,
};
const REMAINDER: Operation = Operation {
    ints: i64::checked_rem,
    decimals: arithmetic::remainder,
    doubles: |a, b| a % b,
    divides: true,
};

impl Operation {
    fn of(&self, a: &Value, b: &Value) -> Result<Value, Stop> {
        let is_real = |it: &Value| matches!(it, Value::Double(_) | Value::Decimal(_));
        let whole = |it: &Value| match it {
            Value::Int(it) => Some(i64::from(*it)),
            Value::Long(it) => Some(*it),
            _ => None,
        };
        match (a, b) {
            (Value::Nil, _) | (_, Value::Nil) => Ok(Value::Nil),
            _ if is_real(a) || is_real(b) => self.of_reals(a, b),
            _ => match (whole(a), whole(b)) {
                (Some(x), Some(y)) => self.of_integers(a, b, x, y),
                _ => Err(Stop::failed("Argument is not numeric.")),
            },
        }
    }

    fn of_reals(&self, a: &Value, b: &Value) -> Result<Value, Stop> {
        if let (Ok(Some(x)), Ok(Some(y))) = (a.to_decimal(), b.to_decimal())
            && let Some(value) = (self.decimals)(x, y)
        {
            return Ok(Value::Decimal(value));
        }
        // What `decimal` cannot hold or divide is counted less exactly.
        match (double(a), double(b)) {
            (Some(x), Some(y)) => Ok(Value::Double((self.doubles)(x, y))),
            _ => Err(Stop::failed("Input string was not in a correct format.")),
        }
    }

    fn of_integers(&self, a: &Value, b: &Value, x: i64, y: i64) -> Result<Value, Stop> {
        if self.divides && y == 0 {
            return Err(Stop::failed("Attempted to divide by zero."));
        }
        let Some(value) = (self.ints)(x, y) else {
            return Ok(Value::Double((self.doubles)(x as f64, y as f64)));
        };
        Ok(match (a, b, i32::try_from(value)) {
            (Value::Int(_), Value::Int(_), Ok(value)) => Value::Int(value),
            _ => Value::Long(value),
        })
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Text(text) => {
            parse_double(text.as_str(), Styles::FLOAT_THOUSANDS, Runtime::Modern).ok()
        }
        value => value.to_double(),
    }
}

/// Adds numbers, or puts something behind a text.
pub(super) fn plus(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    if let Value::Text(text) = &args.input {
        let text = text.clone();
        let tail = args.text(0)?;
        return Ok(Value::Text(tail.map_or_else(|| text.clone(), |it| text.concat(&it))));
    }
    ADD.of(&args.input, &args.arg(0))
}

pub(super) fn minus(args: Args<'_, '_>) -> Result<Value, Stop> {
    SUBTRACT.of(&args.input, &args.arg(0))
}

/// Multiplies numbers, or repeats a text.
pub(super) fn times(args: Args<'_, '_>) -> Result<Value, Stop> {
    if let (Value::Text(text), it @ (Value::Int(_) | Value::Long(_))) = (&args.input, &args.arg(0))
    {
        let count = it.to_int()?.unwrap_or(0);
        let count = usize::try_from(count).map_err(|_| Stop::failed("The count is below zero."))?;
        args.cx.budget.steps(count as u64)?;
        args.cx.budget.makes(text.len().max(16).saturating_mul(count))?;
        return Ok(Value::list(std::iter::repeat_n(args.input.clone(), count)));
    }
    MULTIPLY.of(&args.input, &args.arg(0))
}

pub(super) fn divided_by(args: Args<'_, '_>) -> Result<Value, Stop> {
    DIVIDE.of(&args.input, &args.arg(0))
}

pub(super) fn modulo(args: Args<'_, '_>) -> Result<Value, Stop> {
    REMAINDER.of(&args.input, &args.arg(0))
}

/// Rounds to even; nothing for what is no number.
pub(super) fn round(args: Args<'_, '_>) -> Result<Value, Stop> {
    let number = args.input.to_decimal().map(Option::unwrap_or_default);
    let places = args.int(0, 0).ok().and_then(|it| u32::try_from(it).ok()).filter(|it| *it <= 28);
    Ok(match (number, places) {
        (Ok(number), Some(places)) => Value::Decimal(
            number.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven),
        ),
        _ => Value::Nil,
    })
}

pub(super) fn ceil(args: Args<'_, '_>) -> Result<Value, Stop> {
    whole(&args, |it| it.ceil())
}

pub(super) fn floor(args: Args<'_, '_>) -> Result<Value, Stop> {
    whole(&args, |it| it.floor())
}

fn whole(args: &Args<'_, '_>, with: fn(&Decimal) -> Decimal) -> Result<Value, Stop> {
    let number = args.input.to_decimal().ok().flatten();
    Ok(number.map_or(Value::Nil, |it| Value::Decimal(with(&it))))
}

/// `Double.TryParse(value.ToString(), NumberStyles.Number)`.
fn parsed(value: &Value) -> Option<f64> {
    match value {
        Value::Nil | Value::List(_) | Value::Hash(_) | Value::Range(..) => None,
        Value::Decimal(it) => Some(to_double(*it)),
        value => {
            let text = value.to_text();
            parse_double(text.as_str(), Styles::NUMBER, Runtime::Modern).ok()
        }
    }
}

/// The distance from zero; zero for what is no number.
pub(super) fn abs(args: Args<'_, '_>) -> Result<Value, Stop> {
    if matches!(args.input, Value::Nil) {
        return Ok(Value::Nil);
    }
    Ok(Value::Double(parsed(&args.input).map_or(0.0, f64::abs)))
}

pub(super) fn at_least(args: Args<'_, '_>) -> Result<Value, Stop> {
    limited(args, |value, bound| if bound > value { bound } else { value })
}

pub(super) fn at_most(args: Args<'_, '_>) -> Result<Value, Stop> {
    limited(args, |value, bound| if bound < value { bound } else { value })
}

/// The value within a bound; what is no number stays as it is.
fn limited(args: Args<'_, '_>, with: fn(f64, f64) -> f64) -> Result<Value, Stop> {
    Ok(match (parsed(&args.input), parsed(&args.arg(0))) {
        (Some(value), Some(bound)) => Value::Double(with(value, bound)),
        _ => args.input,
    })
}

#[cfg(test)]
mod tests {
    use crate::template::test::{render, render_with};
    use crate::value::Value;

    #[test]
    fn numbers_are_counted() {
        for (expression, expected) in [
            ("1 | Plus: 2", "3"),
            ("'1' | Plus: 2", "12"),
            ("1 | Plus: 0.5", "1.5"),
            ("0.1 | Plus: 10 | Minus: 10", "0.1"),
            ("2147483647 | Plus: 1", "2147483648"),
            ("9223372036854775807 | Plus: 1", "9.223372036854776E+18"),
            ("5 | Minus: 7", "-2"),
            ("'5' | Minus: 1.5", "3.5"),
            ("12.5 | Times: 10", "125"),
            ("'ab' | Times: 3", "ababab"),
            ("7 | DividedBy: 2", "3"),
            ("7 | DividedBy: 2.0", "3.5"),
            ("7.0 | DividedBy: 0", "Infinity"),
            ("-7 | Modulo: 3", "-1"),
            ("7.5 | Modulo: 2", "1.5"),
            ("nothing | Plus: 1", ""),
            ("1 | Plus: nothing", ""),
        ] {
            assert_eq!(render(&format!("{{{{ {expression} }}}}")), expected, "{expression}");
        }
    }

    #[test]
    fn numbers_are_rounded_and_bounded() {
        for (expression, expected) in [
            ("2.5 | Round", "2"),
            ("3.5 | Round", "4"),
            ("1.2345 | Round: 2", "1.23"),
            ("'1.5' | Round", "2"),
            ("'x' | Round", ""),
            ("1.5 | Round: 99", ""),
            ("1.2 | Ceil", "2"),
            ("-1.2 | Floor", "-2"),
            ("'x' | Floor", ""),
            ("-17 | Abs", "17"),
            ("'-1.5' | Abs", "1.5"),
            ("'x' | Abs", "0"),
            ("nothing | Abs", ""),
            ("3 | AtLeast: 5", "5"),
            ("3 | AtMost: '2.5'", "2.5"),
            ("'x' | AtMost: 5", "x"),
            ("nothing | AtLeast: 5", ""),
        ] {
            assert_eq!(render(&format!("{{{{ {expression} }}}}")), expected, "{expression}");
        }
    }

    #[test]
    fn numbers_of_json_are_long_and_double() {
        let given = [("i", Value::Long(7)), ("d", Value::Double(0.1))];
        let template = "{{ i | DividedBy: 2 }} {{ d | Plus: 0.2 }} {{ i | Times: d }}";
        assert_eq!(render_with(template, &given), "3 0.3 0.7");
    }

    #[test]
    fn what_is_no_number_fails() {
        for (expression, expected) in [
            ("'a' | Minus: 1", "Argument is not numeric."),
            ("true | Plus: 1", "Argument is not numeric."),
            ("'a' | Minus: 1.5", "Input string was not in a correct format."),
            ("1 | DividedBy: 0", "Attempted to divide by zero."),
            ("1 | Modulo: 0", "Attempted to divide by zero."),
            ("'a' | Times: -1", "The count is below zero."),
        ] {
            let text = render(&format!("{{{{ {expression} }}}}"));
            assert!(text.starts_with('!') && text.ends_with(expected), "{expression}: {text}");
        }
        assert!(render("{{ 'abcdefgh' | Times: 999999 }}").contains("more steps"));
    }
}
