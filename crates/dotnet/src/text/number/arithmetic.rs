//! Arithmetic of `System.Decimal`, with the scales and the rounding that .NET gives to results.
//!
//! Sums and products keep all digits that fit into 96 bits and 28 places, and are rounded, ties to
//! even, where they do not. A quotient that is exact at the difference of the scales keeps it;
//! any other has as many places as fit, without trailing zeros.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.decimal>

use rust_decimal::Decimal;

use super::decimal::{MAX, of_parts};

/// The most places after the point.
const PLACES: i32 = 28;

/// `a + b`; `None` if it is too large.
pub fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    let places = a.scale().max(b.scale());
    let (x, y) = (aligned(a, places), aligned(b, places));
    let (size, negative) = if a.is_sign_negative() == b.is_sign_negative() {
        (x.plus(y), a.is_sign_negative())
    } else if x.less(y) {
        (y.minus(x), b.is_sign_negative())
    } else {
        (x.minus(y), a.is_sign_negative())
    };
    fitted(size, places as i32, negative)
}

/// `a - b`; `None` if it is too large.
pub fn subtract(a: Decimal, b: Decimal) -> Option<Decimal> {
    add(a, -b)
}

/// `a * b`; `None` if it is too large.
pub fn multiply(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (x, y) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    let scale = a.scale() + b.scale();
    if x == 0 || y == 0 {
        // A zero keeps its scale only where .NET takes the short way: both of 32 bits.
        let kept = if (x | y) >> 32 == 0 && scale <= 47 { scale.min(28) } else { 0 };
        return of_parts(0, kept, false);
    }
    let product = Wide::product(x, y);
    let negative = a.is_sign_negative() != b.is_sign_negative();
    fitted(product, scale as i32, negative)
}

/// `a / b`; `None` if it is too large or `b` is zero.
pub fn divide(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (x, y) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    let negative = a.is_sign_negative() != b.is_sign_negative();
    let mut scale = a.scale() as i32 - b.scale() as i32;
    let (mut quotient, mut rest) = (x.checked_div(y)?, x % y);
    let started_exact = rest == 0;
    let mut exact = started_exact;
    while scale < 0 || (!exact && scale < PLACES) {
        let digit = rest * 10 / y;
        let next = quotient * 10 + digit;
        if next > MAX {
            if scale < 0 {
                return None;
            }
            break;
        }
        (quotient, rest, scale) = (next, rest * 10 % y, scale + 1);
        exact = rest == 0;
    }
    if !exact && (rest * 2 > y || (rest * 2 == y && quotient % 2 == 1)) {
        quotient += 1;
        if quotient > MAX {
            return fitted(Wide::from(quotient), scale, negative);
        }
    }
    if !started_exact {
        while scale > 0 && quotient % 10 == 0 {
            quotient /= 10;
            scale -= 1;
        }
    }
    of_parts(quotient, scale.unsigned_abs(), negative)
}

/// `a % b`, with the sign of `a`; `None` if `b` is zero.
pub fn remainder(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (x, mut y) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    let mut rest = x.checked_rem(y)?;
    let (mut scale, wanted) = (a.scale(), b.scale());
    if scale < wanted {
        while scale < wanted {
            rest = rest * 10 % y;
            scale += 1;
        }
    } else {
        for _ in wanted..scale {
            // Once the divisor is larger than the dividend, the dividend is what remains.
            if y > x {
                break;
            }
            y *= 10;
        }
        rest = x % y;
    }
    if a.abs() < b.abs() {
        return Some(a);
    }
    of_parts(rest, scale, a.is_sign_negative())
}

fn aligned(it: Decimal, places: u32) -> Wide {
    let mut wide = Wide::from(it.mantissa().unsigned_abs());
    for _ in it.scale()..places {
        wide = wide.times_ten();
    }
    wide
}

/// The nearest value that fits, ties to even.
fn fitted(mut size: Wide, mut scale: i32, negative: bool) -> Option<Decimal> {
    let (mut dropped, mut sticky) = (0, false);
    while size.high > 0 || size.low > MAX || scale > PLACES {
        if scale == 0 {
            return None;
        }
        sticky |= dropped != 0;
        (size, dropped) = size.over_ten();
        scale -= 1;
        let rounds_over =
            size.high == 0 && size.low == MAX && dropped >= 5 && scale <= PLACES && scale > 0;
        if rounds_over {
            // Rounding up would need one bit more: give up one more digit first.
            sticky |= dropped != 0;
            (size, dropped) = size.over_ten();
            scale -= 1;
        }
    }
    let up = dropped > 5 || (dropped == 5 && (sticky || size.low % 2 == 1));
    let mantissa = size.low + u128::from(up);
    of_parts(mantissa, scale.unsigned_abs(), negative)
}

/// An unsigned integer of 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wide {
    high: u128,
    low: u128,
}

impl From<u128> for Wide {
    fn from(low: u128) -> Self {
        Self { high: 0, low }
    }
}

impl Wide {
    /// Of two numbers of at most 96 bits.
    fn product(a: u128, b: u128) -> Self {
        let (a_high, a_low) = (a >> 64, a & u128::from(u64::MAX));
        let (b_high, b_low) = (b >> 64, b & u128::from(u64::MAX));
        let middle = a_high * b_low + a_low * b_high;
        let (low, carry) = (a_low * b_low).overflowing_add(middle << 64);
        Self { high: a_high * b_high + (middle >> 64) + u128::from(carry), low }
    }

    fn plus(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self { high: self.high + other.high + u128::from(carry), low }
    }

    /// The difference to a smaller number.
    fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high - other.high - u128::from(borrow), low }
    }

    fn less(self, other: Self) -> bool {
        (self.high, self.low) < (other.high, other.low)
    }

    fn times_ten(self) -> Self {
        let part = Self::product(self.low & u128::from(u64::MAX), 10);
        let upper = (self.low >> 64) * 10;
        let (low, carry) = part.low.overflowing_add(upper << 64);
        Self { high: self.high * 10 + (upper >> 64) + u128::from(carry), low }
    }

    /// The tenth, and the last digit.
    fn over_ten(self) -> (Self, u8) {
        let (high, rest) = (self.high / 10, self.high % 10);
        let upper = (rest << 64) | (self.low >> 64);
        let (upper, rest) = (upper / 10, upper % 10);
        let lower = (rest << 64) | (self.low & u128::from(u64::MAX));
        let digit = u8::try_from(lower % 10).unwrap_or(0);
        (Self { high, low: (upper << 64) | (lower / 10) }, digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Decimal {
        use crate::text::number::parse::{Styles, parse_decimal};
        parse_decimal(text, Styles::NUMBER).unwrap()
    }

    type Operation = fn(Decimal, Decimal) -> Option<Decimal>;

    #[test]
    fn results_have_the_scales_of_dotnet() {
        for (a, b, operation, expected) in [
            ("1.10", "2.20", add as Operation, "3.30"),
            ("0.00", "0", add, "0.00"),
            ("1.0", "1.0", subtract, "0.0"),
            ("1.0", "1.00", multiply, "1.000"),
            ("0.0", "1.00", multiply, "0.000"),
            ("0.00", "123456789.123456789", multiply, "0"),
            ("0.0000000000000000000000000001", "3", divide, "0"),
            ("10", "4", divide, "2.5"),
            ("3.0", "1.5", divide, "2"),
            ("1.50", "1", divide, "1.50"),
            ("1.00", "8", divide, "0.125"),
            ("1", "3", divide, "0.3333333333333333333333333333"),
            ("2", "3", divide, "0.6666666666666666666666666667"),
            ("100", "7", divide, "14.285714285714285714285714286"),
            ("2.5", "7", divide, "0.3571428571428571428571428571"),
            ("5.00", "2", remainder, "1.00"),
            ("2.5", "7", remainder, "2.5"),
            ("-5.5", "2", remainder, "-1.5"),
            ("7", "0.3", remainder, "0.1"),
            ("79228162514264337593543950335", "0.4", add, "79228162514264337593543950335"),
            ("0.0000000000000000000000000001", "0.5", multiply, "0.0000000000000000000000000000"),
            ("0.0000000000000000000000000003", "0.5", multiply, "0.0000000000000000000000000002"),
        ] {
            let result = operation(of(a), of(b)).map(|it| it.to_string());
            assert_eq!(result.as_deref(), Some(expected), "{a} {b}");
        }
    }

    #[test]
    fn results_that_are_too_large_are_none() {
        let max = Decimal::MAX;
        assert_eq!(add(max, of("0.5")), None);
        assert_eq!(multiply(max, of("1.1")), None);
        assert_eq!(divide(max, of("0.1")), None);
        assert_eq!(divide(of("1"), of("0")), None);
        assert_eq!(remainder(of("1"), of("0")), None);
    }

    proptest::proptest! {
        #[test]
        fn small_numbers_agree_with_integers(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000) {
            let (x, y) = (Decimal::from(a), Decimal::from(b));
            proptest::prop_assert_eq!(add(x, y), Some(Decimal::from(a + b)));
            proptest::prop_assert_eq!(multiply(x, y), Some(Decimal::from(a * b)));
            if b != 0 {
                proptest::prop_assert_eq!(remainder(x, y), Some(Decimal::from(a % b)));
            }
        }

        #[test]
        fn what_is_multiplied_divides(a in 1u64.., b in 1u32..) {
            let (x, y) = (Decimal::from(a), Decimal::from(b));
            let product = multiply(x, y).unwrap();
            proptest::prop_assert_eq!(divide(product, y), Some(x));
        }

        #[test]
        fn nothing_panics(a: u64, b: u64, c: u32, s in 0u32..=28, t in 0u32..=28) {
            let wide = (u128::from(a) << 32) | u128::from(c);
            let (x, y) = (of_parts(wide, s, false).unwrap(), of_parts(u128::from(b), t, true).unwrap());
            for operation in [add as Operation, subtract, multiply, divide, remainder] {
                let _ = operation(x, y);
                let _ = operation(y, x);
            }
        }
    }
}
