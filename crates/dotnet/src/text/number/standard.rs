//! Standard numeric formats: `C D E F G N P R X`, each with an optional precision.

use rust_decimal::Decimal;

use super::custom::format_custom;
use super::double::Floating;
use super::{Digits, Kind, push_exponent};
use crate::text::{Failure, Runtime};

/// A format string, read.
enum Spec {
    /// A letter and the precision behind it, if any.
    Standard(char, Option<usize>),
    /// Everything else.
    Custom,
}

/// Formats any integer; `bits` is the width of its type, for `X`.
///
/// # Errors
///
/// [`Failure::Format`] for a letter that means nothing to integers.
pub fn format_integer(value: i128, bits: u32, format: &str) -> Result<String, Failure> {
    let (letter, precision) = match read(format) {
        Spec::Standard(letter, precision) => (letter, precision),
        Spec::Custom => return Ok(format_custom(Digits::integer(value), format)),
    };
    match letter {
        'D' | 'd' => Ok(whole(value, precision.unwrap_or(0))),
        'G' | 'g' if precision.unwrap_or(0) == 0 => Ok(value.to_string()),
        'X' | 'x' => {
            let mask = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
            let (raw, width) = (value as u128 & mask, precision.unwrap_or(0));
            Ok(if letter == 'X' { format!("{raw:0width$X}") } else { format!("{raw:0width$x}") })
        }
        _ => standard(Digits::integer(value), letter, precision, false),
    }
}

/// Formats a `decimal`.
///
/// # Errors
///
/// [`Failure::Format`] for a letter that means nothing to decimals.
pub fn format_decimal(value: Decimal, format: &str) -> Result<String, Failure> {
    match read(format) {
        Spec::Custom => Ok(format_custom(Digits::decimal(value), format)),
        Spec::Standard(letter, precision) => {
            standard(Digits::decimal(value), letter, precision, false)
        }
    }
}

/// Formats a `double`.
///
/// # Errors
///
/// [`Failure::Format`] for a letter that means nothing to floating-point numbers.
pub fn format_double(value: f64, format: &str, runtime: Runtime) -> Result<String, Failure> {
    floating(Floating::Double(value), format, runtime)
}

/// Formats a `float`.
///
/// # Errors
///
/// [`Failure::Format`] for a letter that means nothing to floating-point numbers.
pub fn format_float(value: f32, format: &str, runtime: Runtime) -> Result<String, Failure> {
    floating(Floating::Float(value), format, runtime)
}

/// What `ToString()` gives.
pub(crate) fn general(number: Floating, runtime: Runtime) -> String {
    if let Some(special) = number.special() {
        return special.to_owned();
    }
    let (digits, places) = match runtime {
        Runtime::Modern => {
            let digits = number.shortest();
            let places = digits.digits.len().max(number.round_trip());
            (digits, places)
        }
        Runtime::Framework => (number.framework(number.precision()), number.precision()),
    };
    let mut out = String::new();
    push_sign(&mut out, &digits);
    push_general(&mut out, &digits, places, 'E', false);
    out
}

fn floating(number: Floating, format: &str, runtime: Runtime) -> Result<String, Failure> {
    if let Some(special) = number.special() {
        return Ok(special.to_owned());
    }
    let (letter, precision) = match read(format) {
        Spec::Standard(letter, precision) => (letter, precision),
        Spec::Custom => {
            let digits = match runtime {
                Runtime::Modern => number.significant(number.precision()),
                Runtime::Framework => number.framework(number.precision()),
            };
            return Ok(format_custom(digits, format));
        }
    };
    let upper = letter.to_ascii_uppercase();
    if (upper == 'G' && precision.unwrap_or(0) == 0 && runtime == Runtime::Modern)
        || (upper == 'R' && runtime == Runtime::Modern)
    {
        let text = general(number, runtime);
        return Ok(if matches!(letter, 'g' | 'r') { text.replace('E', "e") } else { text });
    }
    let (digits, precision) = match runtime {
        Runtime::Modern => (modern_digits(number, upper, precision)?, precision),
        Runtime::Framework => framework_digits(number, upper, precision)?,
    };
    let letter = match letter {
        'R' => 'G',
        'r' => 'g',
        other => other,
    };
    standard(digits, letter, precision, runtime == Runtime::Modern)
}

/// The digits that modern .NET rounds out of the exact value for a format.
fn modern_digits(
    number: Floating,
    letter: char,
    precision: Option<usize>,
) -> Result<Digits, Failure> {
    Ok(match letter {
        'C' | 'F' | 'N' => number.places(precision.unwrap_or(2)),
        'P' => number.places(precision.unwrap_or(2) + 2),
        'E' => number.significant(precision.unwrap_or(6) + 1),
        'G' => number.significant(precision.unwrap_or(1)),
        _ => return Err(Failure::bad_format()),
    })
}

/// The digits, 15 as a rule, that .NET Framework starts from, and the precision it then uses.
fn framework_digits(
    number: Floating,
    letter: char,
    precision: Option<usize>,
) -> Result<(Digits, Option<usize>), Failure> {
    let (few, many) = (number.precision(), number.round_trip());
    Ok(match letter {
        'R' => {
            let (digits, count) = number.framework_round_trip();
            (digits, Some(count))
        }
        'G' => match precision.filter(|it| *it > 0) {
            None => (number.framework(few), Some(few)),
            Some(count) if count > few => (number.framework(many), Some(count)),
            Some(count) => (number.framework(few), Some(count)),
        },
        'E' if precision.is_some_and(|it| it >= few) => (number.framework(many), precision),
        'C' | 'E' | 'F' | 'N' | 'P' => (number.framework(few), precision),
        _ => return Err(Failure::bad_format()),
    })
}

/// Writes digits by a standard format; `exact` says that they are rounded already.
fn standard(
    mut number: Digits,
    letter: char,
    precision: Option<usize>,
    exact: bool,
) -> Result<String, Failure> {
    let places = precision.unwrap_or(2);
    let rounding = |number: &mut Digits| {
        number.round(number.scale.saturating_add(places as i32), exact);
    };
    let mut out = String::new();
    match letter.to_ascii_uppercase() {
        'F' => {
            rounding(&mut number);
            push_sign(&mut out, &number);
            push_fixed(&mut out, &number, places, false);
        }
        'N' => {
            rounding(&mut number);
            push_sign(&mut out, &number);
            push_fixed(&mut out, &number, places, true);
        }
        'C' => {
            rounding(&mut number);
            out.push_str(if number.negative { "(\u{a4}" } else { "\u{a4}" });
            push_fixed(&mut out, &number, places, true);
            out.push_str(if number.negative { ")" } else { "" });
        }
        'P' => {
            if !number.is_zero() {
                number.scale += 2;
            }
            rounding(&mut number);
            push_sign(&mut out, &number);
            push_fixed(&mut out, &number, places, true);
            out.push_str(" %");
        }
        'E' => {
            let places = precision.unwrap_or(6);
            number.round(places as i32 + 1, exact);
            push_sign(&mut out, &number);
            push_scientific(&mut out, &number, places, letter);
        }
        'G' => {
            let all = precision.unwrap_or(0) == 0 && number.kind == Kind::Decimal;
            let count = match precision {
                Some(count) if count > 0 => count,
                _ => number.digits.len(),
            };
            if !all {
                number.round(count as i32, exact);
            }
            if !(all && number.is_zero()) {
                push_sign(&mut out, &number);
            }
            let exponent = if letter == 'G' { 'E' } else { 'e' };
            push_general(&mut out, &number, count, exponent, all);
        }
        _ => return Err(Failure::bad_format()),
    }
    Ok(out)
}

fn read(format: &str) -> Spec {
    let Some(first) = format.chars().next() else { return Spec::Standard('G', None) };
    if !first.is_ascii_alphabetic() {
        return Spec::Custom;
    }
    let rest = format.get(1..).unwrap_or_default();
    let significant = rest.trim_start_matches('0');
    if !rest.bytes().all(|it| it.is_ascii_digit()) || significant.len() > 2 {
        return Spec::Custom;
    }
    let precision =
        if rest.is_empty() { None } else { Some(significant.parse().unwrap_or_default()) };
    Spec::Standard(first, precision)
}

fn whole(value: i128, width: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{:0width$}", value.unsigned_abs())
}

fn push_sign(out: &mut String, number: &Digits) {
    if number.negative {
        out.push('-');
    }
}

/// `1,234.50`: all digits before the point, exactly `places` after it.
fn push_fixed(out: &mut String, number: &Digits, places: usize, grouped: bool) {
    let whole = usize::try_from(number.scale).unwrap_or(0);
    if whole == 0 {
        out.push('0');
    }
    for index in 0..whole {
        out.push(number.at(index).map_or('0', char::from));
        let left = whole - index - 1;
        if grouped && left > 0 && left % 3 == 0 {
            out.push(',');
        }
    }
    if places == 0 {
        return;
    }
    out.push('.');
    let leading = usize::try_from(-number.scale).unwrap_or(0).min(places);
    out.extend(std::iter::repeat_n('0', leading));
    for index in 0..places - leading {
        out.push(number.at(whole + index).map_or('0', char::from));
    }
}

fn push_scientific(out: &mut String, number: &Digits, places: usize, letter: char) {
    out.push(number.at(0).map_or('0', char::from));
    if places > 0 {
        out.push('.');
    }
    for index in 1..=places {
        out.push(number.at(index).map_or('0', char::from));
    }
    let exponent = if number.is_zero() { 0 } else { number.scale - 1 };
    push_exponent(out, exponent, letter, 3, true);
}

/// As short as it gets: plain, or with an exponent if more than `count` digits before the point
/// or more than four zeros after it would be needed.
fn push_general(out: &mut String, number: &Digits, count: usize, letter: char, plain: bool) {
    let far = number.scale > i32::try_from(count).unwrap_or(i32::MAX) || number.scale < -3;
    let scientific = far && !plain;
    let point = if scientific { 1 } else { number.scale };
    let whole = usize::try_from(point).unwrap_or(0);
    if whole == 0 {
        out.push('0');
    }
    for index in 0..whole {
        out.push(number.at(index).map_or('0', char::from));
    }
    if number.digits.len() > whole || point < 0 {
        out.push('.');
        out.extend(std::iter::repeat_n('0', usize::try_from(-point).unwrap_or(0)));
        out.extend(number.digits.iter().skip(whole).map(|digit| char::from(*digit)));
    }
    if scientific {
        push_exponent(out, number.scale - 1, letter, 2, true);
    }
}

#[cfg(test)]
mod tests {
    use super::{format_decimal, format_double, format_integer};
    use crate::text::Runtime::{Framework, Modern};

    #[test]
    fn integers_format_as_dotnet_does() {
        for (value, bits, format, expected) in [
            (42, 32, "X", "2A"),
            (42, 32, "x8", "0000002a"),
            (-1, 32, "X", "FFFFFFFF"),
            (200, 8, "x2", "c8"),
            (-42, 32, "D8", "-00000042"),
            (-42, 32, "E3", "-4.200E+001"),
            (1_234_567, 32, "N", "1,234,567.00"),
            (1_234_567, 32, "N0", "1,234,567"),
            (1_234_567, 32, "G3", "1.23E+06"),
            (0, 32, "C", "\u{a4}0.00"),
            (0, 32, "E3", "0.000E+000"),
            (i128::from(i64::MIN), 64, "P0", "-922,337,203,685,477,580,800 %"),
            (i128::from(u64::MAX), 64, "X", "FFFFFFFFFFFFFFFF"),
            (7, 32, "", "7"),
        ] {
            assert_eq!(format_integer(value, bits, format).as_deref(), Ok(expected), "{format}");
        }
        assert!(format_integer(7, 32, "R").is_err());
        assert!(format_integer(7, 32, "Q").is_err());
    }

    #[test]
    fn doubles_round_as_each_runtime_does() {
        for (value, format, modern, framework) in [
            (1234.5, "F0", "1234", "1235"),
            (1235.5, "F0", "1236", "1236"),
            (2.5, "F0", "2", "3"),
            (1.005, "F2", "1.00", "1.01"),
            (0.125, "F2", "0.12", "0.13"),
            (1234.5678, "e4", "1.2346e+003", "1.2346e+003"),
            (0.1234, "P", "12.34 %", "12.34 %"),
            (-1234.5, "C2", "(\u{a4}1,234.50)", "(\u{a4}1,234.50)"),
            (1234.5, "G2", "1.2E+03", "1.2E+03"),
            (-2.345, "N2", "-2.35", "-2.35"),
            (-0.0, "F3", "-0.000", "0.000"),
            (-0.0, "C", "(\u{a4}0.00)", "\u{a4}0.00"),
            (1.0 / 3.0, "R", "0.3333333333333333", "0.33333333333333331"),
            (0.000_123, "P1", "0.0 %", "0.0 %"),
            (1e21, "R", "1E+21", "1E+21"),
            (99.995, "G4", "100", "100"),
            (f64::NAN, "N2", "NaN", "NaN"),
        ] {
            assert_eq!(format_double(value, format, Modern).as_deref(), Ok(modern), "{format}");
            let other = format_double(value, format, Framework);
            assert_eq!(other.as_deref(), Ok(framework), "{value} {format}");
        }
        assert!(format_double(1.0, "X", Modern).is_err());
        assert!(format_double(1.0, "D", Framework).is_err());
    }

    #[test]
    fn decimals_keep_their_scale() {
        for (value, format, expected) in [
            ("1.00", "G", "1.00"),
            ("0.000", "G", "0.000"),
            ("0.000", "N2", "0.00"),
            ("-2.345", "F1", "-2.3"),
            ("-2.345", "G3", "-2.35"),
            ("1234567.891", "E2", "1.23E+006"),
            ("79228162514264337593543950335", "P0", "7,922,816,251,426,433,759,354,395,033,500 %"),
            ("79228162514264337593543950335", "G3", "7.92E+28"),
            ("0", "P0", "0 %"),
        ] {
            let value = value.parse().unwrap();
            assert_eq!(format_decimal(value, format).as_deref(), Ok(expected), "{format}");
        }
        assert!(format_decimal("1".parse().unwrap(), "R").is_err());
    }
}
