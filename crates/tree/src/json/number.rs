//! Text of floating point numbers as modern .NET writes it: the shortest digits that read back.
//!
//! Scientific notation starts at 1E+17 for a double (1E+09 for a single) and below 0.0001.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/standard-numeric-format-strings>

/// `double.ToString()` with the invariant culture.
pub fn double_text(value: f64) -> String {
    let is_plain = value == 0.0 || (1e-4..1e17).contains(&value.abs());
    // Here Rust writes the same digits, faster.
    if is_plain {
        value.to_string()
    } else if value.is_finite() {
        arrange(&format!("{value:e}"), 17)
    } else {
        not_finite(value)
    }
}

/// `float.ToString()` with the invariant culture.
pub fn single_text(value: f32) -> String {
    if value.is_finite() { arrange(&format!("{value:e}"), 9) } else { not_finite(f64::from(value)) }
}

/// The digits of a number in JSON: a fraction is always told from an integer (`1.0`).
pub fn with_decimal_place(mut text: String) -> String {
    if !text.contains(['.', 'E', 'e', 'N', 'I']) {
        text.push_str(".0");
    }
    text
}

fn not_finite(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value > 0.0 {
        "Infinity".to_owned()
    } else {
        "-Infinity".to_owned()
    }
}

/// Rearranges Rust's `1.5e20`: `most` is the number of digits before the point that .NET writes
/// out before it turns to an exponent.
fn arrange(scientific: &str, most: i32) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(|it| *it != '.').collect();
    let before_point = exponent + 1;
    if before_point > most || before_point < -3 {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{dot}{rest}E{direction}{:02}", exponent.unsigned_abs());
    }
    if before_point <= 0 {
        let zeros = "0".repeat(before_point.unsigned_abs() as usize);
        return format!("{sign}0.{zeros}{digits}");
    }
    let before_point = before_point as usize;
    if digits.len() <= before_point {
        return format!("{sign}{digits}{}", "0".repeat(before_point - digits.len()));
    }
    let (whole, fraction) = digits.split_at(before_point);
    format!("{sign}{whole}.{fraction}")
}

/// Canonical digits of a decimal integer of any length: no leading zeros, no `-0`.
/// `None` if the text is not an optional sign and digits.
pub fn canonical_integer(text: &str) -> Option<String> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    Some(match (digits.is_empty(), negative) {
        (true, _) => "0".to_owned(),
        (false, true) => format!("-{digits}"),
        (false, false) => digits.to_owned(),
    })
}

/// Compares two canonical integers of any length.
pub fn compare_integers(a: &str, b: &str) -> std::cmp::Ordering {
    let split = |text: &str| match text.strip_prefix('-') {
        Some(rest) => (true, rest.to_owned()),
        None => (false, text.to_owned()),
    };
    let ((a_negative, a), (b_negative, b)) = (split(a), split(b));
    let magnitude = a.len().cmp(&b.len()).then_with(|| a.cmp(&b));
    match (a_negative, b_negative) {
        (false, false) => magnitude,
        (true, true) => magnitude.reverse(),
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{
        canonical_integer, compare_integers, double_text, single_text, with_decimal_place,
    };

    #[test]
    fn doubles_are_written_with_the_shortest_digits() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (1.5, "1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (123_456_789.125, "123456789.125"),
            (1e15, "1000000000000000"),
            (1e16, "10000000000000000"),
            (1e17, "1E+17"),
            (1e20, "1E+20"),
            (1.5e300, "1.5E+300"),
            (0.0001, "0.0001"),
            (0.00001, "1E-05"),
            (1e-7, "1E-07"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::MAX, "1.7976931348623157E+308"),
        ];
        for (value, text) in cases {
            assert_eq!(double_text(value), text);
        }
        assert_eq!(single_text(f32::MAX), "3.4028235E+38");
        assert_eq!(single_text(1e9), "1E+09");
    }

    #[test]
    fn json_tells_fractions_from_integers() {
        assert_eq!(with_decimal_place(double_text(100.0)), "100.0");
        assert_eq!(with_decimal_place(double_text(1e20)), "1E+20");
        assert_eq!(with_decimal_place("1.50".to_owned()), "1.50");
    }

    #[test]
    fn long_integers_are_canonical_and_ordered() {
        assert_eq!(canonical_integer("-000").as_deref(), Some("0"));
        assert_eq!(canonical_integer("0012").as_deref(), Some("12"));
        assert_eq!(canonical_integer("1x"), None);
        assert_eq!(compare_integers("100", "99"), Ordering::Greater);
        assert_eq!(compare_integers("-100", "99"), Ordering::Less);
        assert_eq!(compare_integers("-100", "-99"), Ordering::Less);
    }
}
