//! Numbers: IEEE 754 doubles, read and written as XPath 1.0 says (sections 3.5 and 4.4).

use crate::names::is_space;

/// `number()` of a text: digits with an optional sign and fraction, white space around; else NaN.
pub(crate) fn parse_number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.bytes().all(|it| it.is_ascii_digit() || it == b'.')
        && digits.bytes().filter(|it| *it == b'.').count() <= 1
        && digits.bytes().any(|it| it.is_ascii_digit());
    if is_number { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// `string()` of a number: never with an exponent, and the shortest digits that read back.
pub(crate) fn number_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if value == 0.0 {
        "0".to_owned()
    } else {
        value.to_string()
    }
}

/// `round()`: to the nearest integer, halves towards positive infinity.
pub(crate) fn rounded(value: f64) -> f64 {
    if (-0.5..0.0).contains(&value) {
        return -0.0;
    }
    let floor = value.floor();
    if value - floor >= 0.5 { floor + 1.0 } else { floor }
}

/// A number as a count, if it is one.
pub(crate) fn number_of(n: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are bounded far below 2^53")]
    let number = n as f64;
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_read_and_numbers_written() {
        for (text, expected) in [
            ("1", "1"),
            (" -1.50\n", "-1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0", "0"),
            ("1e3", "NaN"),
            ("+1", "NaN"),
            ("", "NaN"),
            ("-", "NaN"),
            (".", "NaN"),
            ("1 2", "NaN"),
            ("--1", "NaN"),
            ("Infinity", "NaN"),
            ("100000000000000000000000", "100000000000000000000000"),
            ("0.0000001", "0.0000001"),
        ] {
            assert_eq!(number_text(parse_number(text)), expected, "{text:?}");
        }
        assert_eq!(number_text(f64::NEG_INFINITY), "-Infinity");
    }

    #[test]
    fn halves_are_rounded_up() {
        for (value, expected) in
            [(0.5, 1.0), (-0.5, 0.0), (1.4, 1.0), (-1.5, -1.0), (2.5, 3.0), (-2.6, -3.0)]
        {
            assert_eq!(rounded(value), expected, "{value}");
        }
        assert!(rounded(f64::NAN).is_nan());
        assert_eq!(rounded(0.499_999_999_999_999_94), 0.0);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in proptest::num::f64::NORMAL) {
            prop_assert_eq!(parse_number(&number_text(value)), value);
        }
    }
}
