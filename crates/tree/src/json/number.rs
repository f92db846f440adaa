//! Numbers of JSON: the text of fractions, integers of any length.

use dotnet::Runtime;
use dotnet::text::number::{double_to_text, float_to_text};

/// `double.ToString()` with the invariant culture.
pub fn double_text(value: f64) -> String {
    double_to_text(value, Runtime::Modern)
}

/// `float.ToString()` with the invariant culture.
pub fn single_text(value: f32) -> String {
    float_to_text(value, Runtime::Modern)
}

/// The digits of a number in JSON: a fraction is always told from an integer (`1.0`).
pub fn with_decimal_place(mut text: String) -> String {
    if !text.contains(['.', 'E', 'e', 'N', 'I']) {
        text.push_str(".0");
    }
    text
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

    use super::{canonical_integer, compare_integers, double_text, with_decimal_place};

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
