//! `System.Decimal`: from digits, to and from binary floating point, rounding, bits.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.decimal>

use rust_decimal::Decimal;

use super::Digits;
use crate::text::Failure;

/// The largest mantissa: 96 bits.
pub(super) const MAX: u128 = (1 << 96) - 1;

/// The decimal nearest to the digits, ties to even; `None` if it is too large.
pub(crate) fn from_digits(number: &Digits) -> Option<Decimal> {
    let mut exponent = number.scale;
    if number.is_zero() {
        let scale = u32::try_from(-exponent).unwrap_or(0).min(28);
        return Some(signed(0, scale, number.negative));
    }
    if exponent > 29 {
        return None;
    }
    let (mut mantissa, mut at) = (0u128, 0);
    while exponent > 0 || (exponent > -28 && at < number.digits.len()) {
        let next = mantissa * 10 + u128::from(number.at(at).unwrap_or(b'0') - b'0');
        if next > MAX {
            break;
        }
        mantissa = next;
        at += 1;
        exponent -= 1;
    }
    let tail = number.digits.get(at..).unwrap_or_default();
    let up = match tail {
        [b'5', rest @ ..] => mantissa % 2 == 1 || rest.iter().any(|digit| *digit != b'0'),
        [digit, ..] => *digit > b'5',
        [] => false,
    };
    if up {
        mantissa += 1;
        if mantissa > MAX {
            mantissa = MAX / 10 + 1;
            exponent += 1;
        }
    }
    match exponent {
        1.. => None,
        ..=-29 => Some(signed(0, 28, number.negative)),
        _ => Some(signed(mantissa, exponent.unsigned_abs(), number.negative)),
    }
}

/// `(decimal)double`: 15 significant digits, trailing zeros dropped.
///
/// # Errors
///
/// [`Failure::Overflow`] for what does not fit, infinities and NaN.
pub fn from_double(value: f64) -> Result<Decimal, Failure> {
    from_binary(value, 15)
}

/// `(decimal)float`: 7 significant digits.
///
/// # Errors
///
/// As [`from_double`].
pub fn from_float(value: f32) -> Result<Decimal, Failure> {
    from_binary(f64::from(value), 7)
}

/// `(double)decimal`.
pub fn to_double(value: Decimal) -> f64 {
    let mantissa = value.mantissa().unsigned_abs();
    let high = (mantissa >> 64) as f64 * 18_446_744_073_709_551_616.0;
    let size = (high + (mantissa as u64) as f64) / power(value.scale());
    if value.is_sign_negative() { -size } else { size }
}

/// `(float)decimal`.
pub fn to_float(value: Decimal) -> f32 {
    to_double(value) as f32
}

/// The whole part, cut toward zero, as a wide integer.
pub fn truncated(value: Decimal) -> i128 {
    value.trunc().mantissa()
}

/// The four integers of `decimal.GetBits`: low, middle and high part, then scale and sign.
pub fn bits(value: Decimal) -> [i32; 4] {
    let mantissa = value.mantissa().unsigned_abs();
    let sign = if value.is_sign_negative() { 1u32 << 31 } else { 0 };
    let part = |shift: u32| (mantissa >> shift) as u32 as i32;
    [part(0), part(32), part(64), (sign | (value.scale() << 16)) as i32]
}

/// A decimal of its parts; `None` if the mantissa is over 96 bits or the scale over 28.
pub fn of_parts(mantissa: u128, scale: u32, negative: bool) -> Option<Decimal> {
    (mantissa <= MAX && scale <= 28).then(|| signed(mantissa, scale, negative))
}

fn signed(mantissa: u128, scale: u32, negative: bool) -> Decimal {
    let mantissa = i128::try_from(mantissa).unwrap_or(0);
    let mut value = Decimal::from_i128_with_scale(mantissa, scale);
    value.set_sign_negative(negative);
    value
}

fn power(exponent: u32) -> f64 {
    // Powers up to 10^22 are exact; the others are what the compiler makes of `1eN`.
    format!("1e{exponent}").parse().unwrap_or(f64::INFINITY)
}

fn from_binary(value: f64, digits: i32) -> Result<Decimal, Failure> {
    let exponent = ((value.to_bits() >> 52) & 0x7ff) as i32 - 1022;
    if exponent < -94 {
        return Ok(Decimal::ZERO);
    }
    if exponent > 96 {
        return Err(Failure::overflow("Decimal"));
    }
    let limit = power(digits.unsigned_abs());
    let mut size = value.abs();
    let mut scale = digits - 1 - ((exponent * 19728) >> 16);
    if scale >= 0 {
        scale = scale.min(28);
        size *= power(scale.unsigned_abs());
    } else if scale != -1 || size >= limit {
        size /= power(scale.unsigned_abs());
    } else {
        scale = 0;
    }
    if size < limit / 10.0 && scale < 28 {
        size *= 10.0;
        scale += 1;
    }
    let mut mantissa = size as u128;
    let rest = size - mantissa as f64;
    if rest > 0.5 || (rest == 0.5 && mantissa % 2 == 1) {
        mantissa += 1;
    }
    if mantissa == 0 {
        return Ok(Decimal::ZERO);
    }
    while scale < 0 {
        mantissa *= 10;
        scale += 1;
    }
    let mut strippable = scale.min(digits - 1);
    while strippable > 0 && mantissa.is_multiple_of(10) {
        mantissa /= 10;
        scale -= 1;
        strippable -= 1;
    }
    of_parts(mantissa, scale.unsigned_abs(), value < 0.0)
        .ok_or_else(|| Failure::overflow("Decimal"))
}

#[cfg(test)]
mod tests {
    use super::{bits, from_double, from_float, to_double};

    #[test]
    fn doubles_become_fifteen_digits() {
        for (value, expected) in [
            (1.1, "1.1"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.333333333333333"),
            (123_456_789.123_456_8, "123456789.123457"),
            (255.5, "255.5"),
            (1e20, "100000000000000000000"),
            (-0.5, "-0.5"),
            (1e-30, "0"),
            (100.0, "100"),
        ] {
            assert_eq!(from_double(value).unwrap().to_string(), expected);
        }
        assert!(from_double(1e30).is_err());
        assert!(from_double(f64::NAN).is_err());
        assert_eq!(from_float(1.1).unwrap().to_string(), "1.1");
    }

    #[test]
    fn decimals_become_doubles() {
        assert_eq!(to_double("254.5".parse().unwrap()), 254.5);
        assert_eq!(to_double("-0.1".parse().unwrap()), -0.1);
        assert_eq!(bits("1.5".parse().unwrap()), [15, 0, 0, 65536]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_reads_back(mantissa: u64, scale in 0u32..28, negative: bool) {
            use crate::text::number::{format_decimal, parse::{Styles, parse_decimal}};
            let value = super::of_parts(u128::from(mantissa), scale, negative && mantissa > 0).unwrap();
            let text = format_decimal(value, "G").unwrap();
            let back = parse_decimal(&text, Styles::NUMBER).unwrap();
            proptest::prop_assert_eq!(back.to_string(), value.to_string());
            proptest::prop_assert_eq!(back.scale(), value.scale());
        }
    }
}
