//! Numbers as .NET writes and reads them.
//!
//! Every number becomes [`Digits`] first: decimal digits, the place of the decimal point, a sign.
//! [`format()`] writes digits by a standard format (`N2`, `X8`) or hands them to the custom ones
//! (`#,##0.00;(0)`). Reading goes the other way, through [`parse`].
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/standard-numeric-format-strings>

pub mod arithmetic;
mod custom;
pub mod decimal;
mod double;
pub mod parse;
mod scan;
mod standard;

pub use double::{double_to_text, float_to_text};
pub use standard::{format_decimal, format_double, format_float, format_integer};

/// What the digits were before: decides about `-0` and about who has rounded already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An integer type.
    Integer,
    /// `System.Decimal`.
    Decimal,
    /// `double` or `float`.
    Floating,
}

/// `0.d1 d2 d3 ... * 10^scale`, with a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digits {
    /// ASCII digits without leading zeros; empty for zero.
    pub digits: Vec<u8>,
    /// Where the decimal point stands, counted from before the first digit.
    pub scale: i32,
    /// Whether a minus sign is there; `-0.0` has one.
    pub negative: bool,
    /// Where the digits came from.
    pub kind: Kind,
}

impl Digits {
    /// The digits of an integer.
    pub(crate) fn integer(value: i128) -> Self {
        let digits =
            if value == 0 { Vec::new() } else { value.unsigned_abs().to_string().into_bytes() };
        let scale = i32::try_from(digits.len()).unwrap_or(i32::MAX);
        Self { digits, scale, negative: value < 0, kind: Kind::Integer }
    }

    /// The digits of a decimal: its scale is kept as trailing zeros.
    pub(crate) fn decimal(value: rust_decimal::Decimal) -> Self {
        let whole = Self::integer(value.mantissa());
        let scale = whole.scale - i32::try_from(value.scale()).unwrap_or(0);
        Self { scale, kind: Kind::Decimal, negative: value.is_sign_negative(), ..whole }
    }

    /// Whether the value is zero.
    pub(crate) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The digit at a place, `None` past the end.
    pub(crate) fn at(&self, index: usize) -> Option<u8> {
        self.digits.get(index).copied()
    }

    /// Cuts to `places` digits and drops trailing zeros.
    ///
    /// With `exact` the digits were rounded when they were made, and what is cut off is dropped;
    /// otherwise a next digit of 5 or more rounds up.
    pub(crate) fn round(&mut self, places: i32, exact: bool) {
        let wanted = usize::try_from(places).unwrap_or(0);
        let up = places >= 0 && !exact && self.at(wanted).is_some_and(|digit| digit >= b'5');
        self.digits.truncate(wanted);
        if up {
            while self.digits.last() == Some(&b'9') {
                self.digits.pop();
            }
            match self.digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    self.scale += 1;
                    self.digits.push(b'1');
                }
            }
        } else {
            while self.digits.last() == Some(&b'0') {
                self.digits.pop();
            }
        }
        if self.digits.is_empty() {
            if self.kind != Kind::Floating {
                self.negative = false;
            }
            self.scale = 0;
        }
    }
}

/// Appends an exponent: `E+003`.
pub(crate) fn push_exponent(out: &mut String, value: i32, letter: char, width: usize, plus: bool) {
    out.push(letter);
    if value < 0 {
        out.push('-');
    } else if plus {
        out.push('+');
    }
    out.push_str(&format!("{:0width$}", value.unsigned_abs()));
}

#[cfg(test)]
mod tests {
    use super::{Digits, Kind};

    fn rounded(digits: &str, scale: i32, places: i32) -> (String, i32) {
        let mut number =
            Digits { digits: digits.into(), scale, negative: true, kind: Kind::Decimal };
        number.round(places, false);
        (String::from_utf8(number.digits).unwrap(), number.scale)
    }

    #[test]
    fn rounding_carries_and_drops_zeros() {
        assert_eq!(rounded("12345", 2, 3), ("123".into(), 2));
        assert_eq!(rounded("12355", 2, 4), ("1236".into(), 2));
        assert_eq!(rounded("9995", 1, 3), ("1".into(), 2));
        assert_eq!(rounded("5", 0, 0), ("1".into(), 1));
        assert_eq!(rounded("4", 0, 0), ("".into(), 0));
        assert_eq!(rounded("9", -3, -3), ("".into(), 0));
        assert_eq!(rounded("1200", 2, 9), ("12".into(), 2));
    }
}
