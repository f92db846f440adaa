//! Equality and order of tokens: `JToken.DeepEquals`, `JValue.Equals`, `JValue.CompareTo`.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

use super::change::convert_scalar;
use super::convert::Target;
use super::number::compare_integers;
use super::scalar::{Kind, Scalar};
use super::{Fault, Token};

/// `JToken.DeepEquals(a, b)`: members in any order, numbers of the same type only.
pub fn deep_equals(a: &Token, b: &Token) -> bool {
    if a.is_same(b) {
        return true;
    }
    let (kind, count) = (a.kind(), a.count());
    match (a.scalar(), b.scalar()) {
        (Some(a), Some(b)) => return scalars_equal(&a, &b),
        (None, None) => {}
        _ => return false,
    }
    if kind != b.kind() || count != b.count() || (kind != Kind::Object && a.name() != b.name()) {
        return false;
    }
    if kind == Kind::Object {
        return a.child_list().iter().all(|property| {
            let other = property.name().and_then(|name| b.get(&name));
            match (property.property_value(), other) {
                (Some(a), Some(b)) => deep_equals(&a, &b),
                _ => false,
            }
        });
    }
    a.child_list().iter().zip(b.child_list()).all(|(a, b)| deep_equals(a, &b))
}

/// `JValue.Equals`: the same type and the same value.
pub(super) fn scalars_equal(a: &Scalar, b: &Scalar) -> bool {
    a.kind() == b.kind() && matches!(compare_scalars(a.kind(), a, b), Ok(Ordering::Equal))
}

/// `JValue.Compare(type, a, b)`: compares as values of the type `kind`; null comes first.
///
/// # Errors
///
/// `FormatException` and its like if `b` cannot be converted to that type.
pub fn compare_scalars(kind: Kind, a: &Scalar, b: &Scalar) -> Result<Ordering, Fault> {
    match (a.is_null_reference(), b.is_null_reference()) {
        (true, true) => return Ok(Ordering::Equal),
        (true, false) => return Ok(Ordering::Less),
        (false, true) => return Ok(Ordering::Greater),
        (false, false) => {}
    }
    match kind {
        Kind::Integer | Kind::Float => compare_numbers(kind, a, b),
        Kind::Comment | Kind::String | Kind::Raw => Ok(a.to_text().cmp(&b.to_text())),
        Kind::Boolean => {
            let truth = |it: &Scalar| convert_scalar(it, Target::Bool);
            match (truth(a)?, truth(b)?) {
                (Scalar::Bool(a), Scalar::Bool(b)) => Ok(a.cmp(&b)),
                _ => Ok(Ordering::Equal),
            }
        }
        Kind::Date => {
            let ticks = |it: &Scalar| match convert_scalar(it, Target::DateTime)? {
                Scalar::Date(date) => Ok(date.ticks),
                _ => Ok(0),
            };
            Ok(ticks(a)?.cmp(&ticks(b)?))
        }
        Kind::Bytes => match (a, b) {
            (Scalar::Bytes(a), Scalar::Bytes(b)) => Ok(a.cmp(b)),
            _ => Err(Fault::argument("Object must be of type byte[].")),
        },
        Kind::Guid => match (a, b) {
            (Scalar::Guid(a), Scalar::Guid(b)) => Ok(a.cmp(b)),
            _ => Err(Fault::argument("Object must be of type Guid.")),
        },
        Kind::Uri => match (a, b) {
            (Scalar::Uri(a), Scalar::Uri(b)) => Ok(a.cmp(b)),
            _ => Err(Fault::argument("Object must be of type Uri.")),
        },
        Kind::TimeSpan => match (a, b) {
            (Scalar::TimeSpan(a), Scalar::TimeSpan(b)) => Ok(a.cmp(b)),
            _ => Err(Fault::argument("Object must be of type TimeSpan.")),
        },
        Kind::Null | Kind::Undefined => Ok(Ordering::Equal),
        Kind::None | Kind::Object | Kind::Array | Kind::Constructor | Kind::Property => {
            Err(Fault::argument(format!("Unexpected value type: {}", kind.name())))
        }
    }
}

fn compare_numbers(kind: Kind, a: &Scalar, b: &Scalar) -> Result<Ordering, Fault> {
    if let (Scalar::Big(_), _) | (_, Scalar::Big(_)) = (a, b) {
        if let (Some(a), Some(b)) = (integer_digits(a), integer_digits(b)) {
            return Ok(compare_integers(&a, &b));
        }
    } else if let (Some(a), Some(b)) = (decimal(a), decimal(b))
        && matches!(kind, Kind::Integer | Kind::Float)
    {
        return Ok(a.cmp(&b));
    } else if let (Scalar::Int(a), Kind::Integer) = (a, kind)
        && !matches!(b, Scalar::Float(_) | Scalar::Single(_) | Scalar::Decimal(_))
    {
        return match convert_scalar(b, Target::Int64)? {
            Scalar::Int(b) => Ok(a.cmp(&b)),
            _ => Ok(Ordering::Less),
        };
    }
    let double = |it: &Scalar| match convert_scalar(it, Target::Double)? {
        Scalar::Float(it) => Ok(it),
        _ => Ok(f64::NAN),
    };
    let (a, b) = (double(a)?, double(b)?);
    // Newtonsoft takes doubles that differ by rounding only for equal.
    let epsilon = (a.abs() + b.abs() + 10.0) * f64::EPSILON;
    if (a - b).abs() < epsilon {
        return Ok(Ordering::Equal);
    }
    Ok(a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())))
}

fn integer_digits(value: &Scalar) -> Option<String> {
    match value {
        Scalar::Big(digits) => Some(digits.to_string()),
        Scalar::Int(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The value as a decimal if at least one decimal takes part; doubles only if they fit.
fn decimal(value: &Scalar) -> Option<Decimal> {
    match value {
        Scalar::Decimal(value) => Some(*value),
        Scalar::Int(value) => Some(Decimal::from(*value)),
        Scalar::Float(value) if value.fract() != 0.0 || value.abs() < 1e28 => {
            Decimal::from_f64(*value).filter(|it| it.to_f64() == Some(*value))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{compare_scalars, deep_equals, scalars_equal};
    use crate::json::{Kind, ParseOptions, Root, Scalar, parse};

    #[test]
    fn deep_equality_ignores_the_order_of_members_only() {
        let equal = |a: &str, b: &str| {
            let json = |text| parse(text, Root::Any, &ParseOptions::default()).unwrap();
            deep_equals(&json(a), &json(b))
        };
        assert!(equal(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#));
        assert!(!equal(r#"{"a":1}"#, r#"{"a":2}"#));
        assert!(!equal(r#"{"a":1}"#, r#"{"b":1}"#));
        assert!(!equal("[1,2]", "[2,1]"));
        assert!(equal("[1,[]]", "[1,[]]"));
        assert!(!equal("1", "1.0"));
        assert!(!equal("1", "[1]"));
        assert!(!equal("\"1\"", "1"));
    }

    #[test]
    fn numbers_compare_by_value_and_strings_by_code() {
        let compare = |kind, a: Scalar, b: Scalar| compare_scalars(kind, &a, &b).unwrap();

        assert_eq!(compare(Kind::Integer, 1.into(), 2.into()), Ordering::Less);
        assert_eq!(compare(Kind::Integer, 1.into(), 1.0.into()), Ordering::Equal);
        assert_eq!(compare(Kind::Float, 1.5.into(), 1.into()), Ordering::Greater);
        let big = || Scalar::Big("12345678901234567890".into());
        assert_eq!(compare(Kind::Integer, big(), 1.into()), Ordering::Greater);
        assert_eq!(compare(Kind::String, "B".into(), "a".into()), Ordering::Less);
        assert_eq!(compare(Kind::String, Scalar::NullString, "a".into()), Ordering::Less);
        assert!(compare_scalars(Kind::Integer, &1.into(), &"x".into()).is_err());
        assert!(scalars_equal(&f64::NAN.into(), &f64::NAN.into()));
    }
}
