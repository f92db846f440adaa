//! Equality, order and conversion of values, as .NET's `Convert.ChangeType` and `Comparer` have
//! them.
//!
//! Numbers are compared by what they are worth, whatever their types: DotLiquid rounds one to the
//! type of the other first, so that 1.5 is 2 there.

use std::cmp::Ordering;

use dotnet::text::compare::{Comparison, order};
use dotnet::text::number::decimal::{from_double, to_double};
use dotnet::text::number::parse::{Styles, parse_bool, parse_decimal, parse_double, parse_integer};
use dotnet::text::time;
use dotnet::{Fault, Runtime};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use std::sync::Arc;

use crate::error::Stop;
use crate::value::{Moment, Value};

/// A number, as exact as can be.
#[derive(Clone, Copy, Debug)]
enum Number {
    Decimal(Decimal),
    Double(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Number> {
        Some(match value {
            Value::Int(it) => Number::Decimal(Decimal::from(*it)),
            Value::Long(it) => Number::Decimal(Decimal::from(*it)),
            Value::Decimal(it) => Number::Decimal(*it),
            Value::Double(it) => {
                Decimal::from_f64(*it).map_or(Number::Double(*it), Number::Decimal)
            }
            _ => return None,
        })
    }

    fn double(self) -> f64 {
        match self {
            Number::Decimal(it) => to_double(it),
            Number::Double(it) => it,
        }
    }

    fn compare(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Decimal(a), Number::Decimal(b)) => Some(a.cmp(&b)),
            (a, b) => a.double().partial_cmp(&b.double()),
        }
    }
}

/// Whether two values are equal: as their types have it, or once one is converted to the type of
/// the other.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Empty, Value::Empty) => true,
        (Value::Empty, other) | (other, Value::Empty) => other.is_empty(),
        (Value::Nil, Value::Nil) => true,
        (Value::Nil, _) | (_, Value::Nil) => false,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Date(a), Value::Date(b)) => a.ticks == b.ticks,
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Hash(a), Value::Hash(b)) => Arc::ptr_eq(a, b),
        (Value::Pair(a), Value::Pair(b)) => a.0 == b.0 && equal(&a.1, &b.1),
        (Value::Range(a, b), Value::Range(c, d)) => (a, b) == (c, d),
        // An element of XML with attributes is its text, too.
        (Value::Hash(hash), other) | (other, Value::Hash(hash)) => {
            hash.text().is_some_and(|it| equal(&Value::Text(it.clone()), other))
        }
        _ => match (Number::of(left), Number::of(right)) {
            (Some(a), Some(b)) => a.compare(b) == Some(Ordering::Equal),
            _ => converted_equal(left, right),
        },
    }
}

fn converted_equal(left: &Value, right: &Value) -> bool {
    match convert(left, right) {
        Ok(left) => is_same(&left, right),
        Err(_) => convert(right, left).is_ok_and(|right| is_same(&right, left)),
    }
}

/// `Equals` of two values of one type.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Date(a), Value::Date(b)) => a.ticks == b.ticks,
        _ => match (Number::of(a), Number::of(b)) {
            (Some(a), Some(b)) => a.compare(b) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

/// How two values stand to each other: the right one is converted to the type of the left one.
///
/// Numbers that are no numbers (NaN) stand in no order.
pub(crate) fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, Stop> {
    if let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) {
        return Ok(a.compare(b));
    }
    Ok(Some(match (left, &convert(right, left)?) {
        (Value::Text(a), Value::Text(b)) => order(a, b, Comparison::Culture),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.ticks.cmp(&b.ticks),
        (left, right) => match (Number::of(left), Number::of(right)) {
            (Some(a), Some(b)) => return Ok(a.compare(b)),
            _ => return Err(Stop::failed("These values have no order.")),
        },
    }))
}

/// The order of a list that is sorted: nothing first; only values of one kind can be compared.
pub(crate) fn sort_order(a: &Value, b: &Value) -> Result<Ordering, Stop> {
    match (a, b) {
        (Value::Nil, Value::Nil) => Ok(Ordering::Equal),
        (Value::Nil, _) => Ok(Ordering::Less),
        (_, Value::Nil) => Ok(Ordering::Greater),
        (Value::Text(a), Value::Text(b)) => Ok(order(a, b, Comparison::Culture)),
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Ok(a.ticks.cmp(&b.ticks)),
        _ => match (Number::of(a), Number::of(b)) {
            (Some(a), Some(b)) => Ok(a.compare(b).unwrap_or(Ordering::Equal)),
            _ => Err(Stop::failed("Failed to compare two elements in the array.")),
        },
    }
}

/// `Convert.ChangeType(value, like.GetType())`.
fn convert(value: &Value, like: &Value) -> Result<Value, Stop> {
    let cast = || Stop::Fault(Fault::invalid_cast("These values cannot be compared."));
    match like {
        Value::Text(_) => match value {
            Value::List(_) | Value::Pair(_) | Value::Range(..) | Value::Empty => Err(cast()),
            Value::Hash(hash) => hash.text().cloned().map(Value::Text).ok_or_else(cast),
            value => Ok(Value::Text(value.to_text())),
        },
        Value::Bool(_) => match value {
            Value::Text(text) => {
                let flag = parse_bool(text.as_str()).map(Value::Bool);
                flag.ok_or_else(|| Stop::failed("The text is no Boolean."))
            }
            value => match Number::of(value) {
                Some(number) => Ok(Value::Bool(number.double() != 0.0)),
                None => Err(cast()),
            },
        },
        Value::Date(_) => match value {
            Value::Text(text) => Ok(Value::Date(moment(text.as_str(), 0)?)),
            _ => Err(cast()),
        },
        Value::Int(_) | Value::Long(_) => match value {
            Value::Bool(it) => Ok(Value::Int(i32::from(*it))),
            Value::Text(text) => Ok(Value::Long(integer(text.as_str())?)),
            _ => Err(cast()),
        },
        Value::Double(_) | Value::Decimal(_) => match value {
            Value::Bool(it) => Ok(Value::Int(i32::from(*it))),
            Value::Text(text) => {
                let styles = Styles::FLOAT_THOUSANDS;
                Ok(Value::Double(parse_double(text.as_str(), styles, Runtime::Modern)?))
            }
            _ => Err(cast()),
        },
        _ => Err(cast()),
    }
}

fn integer(text: &str) -> Result<i64, Stop> {
    let range = (i128::from(i64::MIN), i128::from(i64::MAX), "Int64");
    let value = parse_integer(text, Styles::INTEGER, range)?;
    Ok(i64::try_from(value).unwrap_or(0))
}

/// `DateTime.Parse`; a zone in the text turns it into UTC, the gateway's own zone.
pub(crate) fn moment(text: &str, today: i64) -> Result<Moment, Stop> {
    let (ticks, zone) = time::parse(text, today)?.date_time(time::Styles::default())?;
    Ok(Moment { ticks, zone })
}

impl Value {
    /// `Convert.ToInt32`: rounded to even; nothing for nothing.
    pub(crate) fn to_int(&self) -> Result<Option<i32>, Stop> {
        let overflow = || Stop::Fault(Fault::overflow("Value was too large for an Int32."));
        Ok(Some(match self {
            Value::Nil => return Ok(None),
            Value::Bool(it) => i32::from(*it),
            Value::Int(it) => *it,
            Value::Text(it) => i32::try_from(integer(it.as_str())?).map_err(|_| overflow())?,
            value => match Number::of(value) {
                Some(Number::Decimal(it)) => it.round().to_i32().ok_or_else(overflow)?,
                Some(Number::Double(_)) => return Err(overflow()),
                None => return Err(Stop::failed("The value is no number.")),
            },
        }))
    }

    /// `Convert.ToDecimal`; nothing for nothing.
    pub(crate) fn to_decimal(&self) -> Result<Option<Decimal>, Stop> {
        Ok(Some(match self {
            Value::Nil => return Ok(None),
            Value::Bool(it) => Decimal::from(i32::from(*it)),
            Value::Text(it) => parse_decimal(it.as_str(), Styles::NUMBER)?,
            Value::Double(it) => from_double(*it)?,
            value => match Number::of(value) {
                Some(Number::Decimal(it)) => it,
                _ => return Err(Stop::failed("The value is no number.")),
            },
        }))
    }

    /// `Convert.ToDouble` of a number.
    pub(crate) fn to_double(&self) -> Option<f64> {
        match self {
            Value::Double(it) => Some(*it),
            value => Number::of(value).map(Number::double),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Value {
        Value::Decimal(text.parse().unwrap())
    }

    #[test]
    fn values_are_equal_once_one_is_converted() {
        let one = Value::Int(1);
        for (left, right, expected) in [
            (one.clone(), Value::Long(1), true),
            (one.clone(), Value::Double(1.0), true),
            (one.clone(), number("1.5"), false),
            (Value::Int(2), number("1.5"), false),
            (one.clone(), Value::from("1"), true),
            (Value::from("1"), one.clone(), true),
            (Value::from("1.0"), one.clone(), false),
            (Value::Bool(true), Value::from("true"), false),
            (Value::from("true"), Value::Bool(true), true),
            (Value::Nil, Value::from(""), false),
            (Value::from(""), Value::Empty, true),
            (Value::list([]), Value::Empty, true),
            (Value::Nil, Value::Empty, false),
            (Value::list([]), Value::from(""), false),
            (Value::Double(0.1), number("0.1"), true),
        ] {
            assert_eq!(equal(&left, &right), expected, "{left:?} {right:?}");
        }
    }

    #[test]
    fn the_right_value_is_converted_for_an_order() {
        let order = |a: Value, b: Value| compare(&a, &b).ok().flatten();
        assert_eq!(order(Value::Int(2), Value::from("10")), Some(Ordering::Less));
        assert_eq!(order(Value::from("2"), Value::Int(10)), Some(Ordering::Greater));
        assert_eq!(order(Value::Int(1), number("1.5")), Some(Ordering::Less));
        assert_eq!(order(Value::Double(f64::NAN), Value::Int(1)), None);
        assert!(compare(&Value::Int(1), &Value::from("x")).is_err());
        assert!(compare(&Value::list([]), &Value::Int(1)).is_err());
        let day = Value::Date(
            moment("2024-01-02", 0).unwrap_or(Moment { ticks: 0, zone: time::Zone::Utc }),
        );
        assert_eq!(order(day, Value::from("2024-01-03")), Some(Ordering::Less));
    }

    #[test]
    fn numbers_round_to_even() {
        for (text, expected) in [("0.5", 0), ("1.5", 2), ("2.5", 2), ("-1.5", -2)] {
            assert_eq!(number(text).to_int().ok().flatten(), Some(expected), "{text}");
        }
        assert!(Value::Double(1e300).to_int().is_err() && Value::from("x").to_int().is_err());
    }
}
