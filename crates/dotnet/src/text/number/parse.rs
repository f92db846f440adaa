//! Reading numbers: `Parse` and `TryParse` with their `NumberStyles`, and `Convert`'s radixes.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.globalization.numberstyles>

use rust_decimal::Decimal;

use super::scan::{is_white, scan};
use super::{Digits, Kind};
use crate::text::{Failure, Runtime};

/// `System.Globalization.NumberStyles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Styles(pub u32);

impl Styles {
    pub(super) const LEADING_WHITE: u32 = 0x1;
    pub(super) const TRAILING_WHITE: u32 = 0x2;
    pub(super) const LEADING_SIGN: u32 = 0x4;
    pub(super) const TRAILING_SIGN: u32 = 0x8;
    pub(super) const PARENTHESES: u32 = 0x10;
    pub(super) const POINT: u32 = 0x20;
    pub(super) const THOUSANDS: u32 = 0x40;
    pub(super) const EXPONENT: u32 = 0x80;
    pub(super) const CURRENCY: u32 = 0x100;
    const HEX: u32 = 0x200;
    /// What integers accept by default.
    pub const INTEGER: Self = Self(0x7);
    /// What `decimal` accepts by default.
    pub const NUMBER: Self = Self(0x6f);
    /// What `double` and `float` accept by default.
    pub const FLOAT_THOUSANDS: Self = Self(0xe7);

    pub(super) fn allows(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    /// Refuses combinations that .NET refuses.
    ///
    /// # Errors
    ///
    /// [`Failure::Argument`] for unknown flags, hex with others, or hex for a fraction.
    pub fn checked(self, fraction: bool) -> Result<Self, Failure> {
        let hex = self.allows(Self::HEX);
        if self.0 > 0x3ff || (hex && (fraction || self.0 & !0x203 != 0)) {
            let text = "With the AllowHexSpecifier bit set in the enum bit field, the only other \
                        valid bits are AllowLeadingWhite and AllowTrailingWhite.";
            return Err(Failure::Argument(text.to_owned(), "style"));
        }
        Ok(self)
    }
}

/// Reads an integer that must lie in `min..=max`; `name` is its type, for the message.
///
/// # Errors
///
/// [`Failure::Format`] for anything but a number in these styles, [`Failure::Overflow`] for one
/// out of range or with a fraction.
pub fn parse_integer(
    text: &str,
    styles: Styles,
    (min, max, name): (i128, i128, &str),
) -> Result<i128, Failure> {
    if styles.allows(Styles::HEX) {
        return parse_hex(text, styles, (min, max, name));
    }
    let number = scan(text, styles, Kind::Integer).ok_or_else(Failure::input_format)?;
    let overflow = || Failure::overflow(name);
    let scale = usize::try_from(number.scale).unwrap_or(0);
    if scale > 20 || scale < number.digits.len() {
        return Err(overflow());
    }
    let mut value: i128 = 0;
    for index in 0..scale {
        value = value * 10 + i128::from(number.at(index).unwrap_or(b'0') - b'0');
    }
    let value = if number.negative { -value } else { value };
    if (min..=max).contains(&value) { Ok(value) } else { Err(overflow()) }
}

/// Reads a `double`.
///
/// # Errors
///
/// [`Failure::Format`]; with [`Runtime::Framework`] also [`Failure::Overflow`].
pub fn parse_double(text: &str, styles: Styles, runtime: Runtime) -> Result<f64, Failure> {
    let Some(number) = scan(text, styles, Kind::Floating) else {
        return special(text, runtime).ok_or_else(Failure::input_format);
    };
    let value: f64 = plain(&number).parse().map_err(|_| Failure::input_format())?;
    if value.is_infinite() && runtime == Runtime::Framework {
        return Err(Failure::overflow("Double"));
    }
    Ok(if runtime == Runtime::Framework && value == 0.0 { 0.0 } else { value })
}

/// Reads a `float`.
///
/// # Errors
///
/// As [`parse_double`].
pub fn parse_float(text: &str, styles: Styles, runtime: Runtime) -> Result<f32, Failure> {
    let Some(number) = scan(text, styles, Kind::Floating) else {
        let value = special(text, runtime).ok_or_else(Failure::input_format)?;
        return Ok(value as f32);
    };
    let value: f32 = plain(&number).parse().map_err(|_| Failure::input_format())?;
    if value.is_infinite() && runtime == Runtime::Framework {
        return Err(Failure::overflow("Single"));
    }
    Ok(value)
}

/// Reads a `decimal`, keeping its scale; digits that do not fit are rounded, ties to even.
///
/// # Errors
///
/// [`Failure::Format`], [`Failure::Overflow`].
pub fn parse_decimal(text: &str, styles: Styles) -> Result<Decimal, Failure> {
    let number = scan(text, styles, Kind::Decimal).ok_or_else(Failure::input_format)?;
    super::decimal::from_digits(&number).ok_or_else(|| Failure::overflow("Decimal"))
}

/// Reads `true` or `false` in any letter case, with white space and NULs around it.
pub fn parse_bool(text: &str) -> Option<bool> {
    let text = text.trim_matches(|ch: char| ch.is_whitespace() || ch == '\0');
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Reads an integer in base 2, 8, 10 or 16 as `Convert.ToInt32(text, base)` does.
///
/// `bits` is the width of the type. Bases other than 10 read the bit pattern.
///
/// # Errors
///
/// [`Failure::Argument`] for another base or a minus sign, [`Failure::Range`] for no digits,
/// [`Failure::Format`] for others, [`Failure::Overflow`] for too many.
pub fn parse_radix(text: &str, radix: u32, bits: u32, signed: bool) -> Result<i128, Failure> {
    if !matches!(radix, 2 | 8 | 10 | 16) {
        return Err(Failure::Argument("Invalid Base.".to_owned(), ""));
    }
    let overflow = || {
        let name = if signed { "Int" } else { "UInt" };
        Failure::overflow(&format!("{name}{bits}"))
    };
    let mut rest = text.as_bytes();
    if rest.is_empty() {
        let text = "Index was out of range. Must be non-negative and less than the size of the \
                    collection.";
        return Err(Failure::Range(text.to_owned(), "startIndex"));
    }
    let mut negative = false;
    if let [sign @ (b'-' | b'+'), tail @ ..] = rest {
        negative = *sign == b'-';
        rest = tail;
        if negative && (radix != 10 || !signed) {
            let (failure, why) = if radix == 10 {
                (
                    Failure::Overflow as fn(String) -> Failure,
                    "The string was being parsed as an unsigned number and could not have a negative sign.",
                )
            } else {
                (
                    argument as fn(String) -> Failure,
                    "String cannot contain a minus sign if the base is not 10.",
                )
            };
            return Err(failure(why.to_owned()));
        }
    }
    if let [b'0', b'x' | b'X', tail @ ..] = rest
        && radix == 16
    {
        rest = tail;
    }
    if rest.is_empty() {
        return Err(Failure::Format("Could not find any recognizable digits.".to_owned()));
    }
    // .NET reads 32 or 64 bits first, and sees afterwards whether they fit a narrower type.
    let width = bits.max(32);
    let mut value: i128 = 0;
    for (index, byte) in rest.iter().enumerate() {
        let Some(digit) = char::from(*byte).to_digit(radix) else {
            let text = if index == 0 {
                "Could not find any recognizable digits."
            } else {
                "Additional non-parsable characters are at the end of the string."
            };
            return Err(Failure::Format(text.to_owned()));
        };
        value = value * i128::from(radix) + i128::from(digit);
        if value >= 1 << width {
            return Err(overflow());
        }
    }
    if value >= 1 << bits {
        return Err(overflow());
    }
    let half = 1 << (bits - 1);
    if signed && radix == 10 {
        let value = if negative { -value } else { value };
        return if (-half..half).contains(&value) { Ok(value) } else { Err(overflow()) };
    }
    Ok(if signed && value >= half { value - (1 << bits) } else { value })
}

fn argument(text: String) -> Failure {
    Failure::Argument(text, "")
}

fn parse_hex(
    text: &str,
    styles: Styles,
    (min, max, name): (i128, i128, &str),
) -> Result<i128, Failure> {
    let mut body = text.trim_end_matches('\0');
    if styles.allows(Styles::LEADING_WHITE) {
        body = body.trim_start_matches(is_white);
    }
    if styles.allows(Styles::TRAILING_WHITE) {
        body = body.trim_end_matches(is_white);
    }
    if body.is_empty() || !body.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err(Failure::input_format());
    }
    let range = if min < 0 { 2 * (max + 1) } else { max + 1 };
    let digits = body.trim_start_matches('0');
    let value =
        if digits.is_empty() { 0 } else { i128::from_str_radix(digits, 16).unwrap_or(range) };
    if digits.len() > 16 || value >= range {
        return Err(Failure::overflow(name));
    }
    Ok(if value > max { value - range } else { value })
}

fn plain(number: &Digits) -> String {
    let sign = if number.negative { "-" } else { "" };
    format!("{sign}0.{}0e{}", String::from_utf8_lossy(&number.digits), number.scale)
}

/// The names of what is no number; no style forbids them.
fn special(text: &str, runtime: Runtime) -> Option<f64> {
    let text = text.trim();
    if runtime == Runtime::Framework {
        return match text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        };
    }
    let name = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    if name.eq_ignore_ascii_case("Infinity") {
        Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
    } else if name.eq_ignore_ascii_case("NaN") {
        Some(f64::NAN)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Styles, parse_bool, parse_decimal, parse_double, parse_integer, parse_radix};
    use crate::text::Failure;
    use crate::text::Runtime::{Framework, Modern};

    const INT: (i128, i128, &str) = (i32::MIN as i128, i32::MAX as i128, "Int32");

    #[test]
    fn integers_read_in_their_styles() {
        for (text, styles, expected) in [
            ("-42", Styles::INTEGER, Some(-42)),
            (" 007 ", Styles::INTEGER, Some(7)),
            ("12\0", Styles::INTEGER, Some(12)),
            ("12.5", Styles::INTEGER, None),
            ("", Styles::INTEGER, None),
            ("0x1F", Styles::INTEGER, None),
            ("- 5", Styles::INTEGER, None),
            ("+5", Styles::INTEGER, Some(5)),
            ("1,000", Styles(0x40), Some(1000)),
            ("(5)", Styles(0x10), Some(-5)),
            ("(5", Styles(0x10), None),
            ("1,000", Styles::NUMBER, Some(1000)),
            ("1.00", Styles::NUMBER, Some(1)),
            ("1e3", Styles(0x87), Some(1000)),
            ("fF", Styles(0x203), Some(255)),
            ("FFFFFFFF", Styles(0x203), Some(-1)),
            ("-0", Styles::INTEGER, Some(0)),
        ] {
            assert_eq!(parse_integer(text, styles, INT).ok(), expected, "{text}");
        }
    }

    #[test]
    fn integers_out_of_range_overflow() {
        for text in ["2147483648", "-2147483649", "99999999999999999999999999"] {
            let result = parse_integer(text, Styles::INTEGER, INT);
            assert_eq!(result, Err(Failure::overflow("Int32")), "{text}");
        }
        assert!(
            parse_integer("2147483648x", Styles::INTEGER, INT)
                .is_err_and(|it| { it == Failure::input_format() })
        );
    }

    #[test]
    fn doubles_read_as_dotnet_reads_them() {
        for (text, expected) in [
            ("1.5", Some(1.5)),
            ("1,234.5", Some(1234.5)),
            ("1,5", Some(15.0)),
            ("1e3", Some(1000.0)),
            (" -.5 ", Some(-0.5)),
            ("Infinity", Some(f64::INFINITY)),
            ("1.7976931348623157E+308", Some(f64::MAX)),
            ("1e400", Some(f64::INFINITY)),
            ("5.", Some(5.0)),
            ("1e", None),
            ("abc", None),
            ("", None),
        ] {
            let value = parse_double(text, Styles::FLOAT_THOUSANDS, Modern).ok();
            assert_eq!(value, expected, "{text}");
        }
        assert!(parse_double("1e400", Styles::FLOAT_THOUSANDS, Framework).is_err());
    }

    #[test]
    fn decimals_keep_trailing_zeros() {
        for (text, expected) in [
            ("1.50", Some("1.50")),
            ("1,234.50", Some("1234.50")),
            ("1.5-", Some("-1.5")),
            ("-1.5-", None),
            ("79228162514264337593543950336", None),
            ("0.00000000000000000000000000005", Some("0.0000000000000000000000000000")),
            ("0.00000000000000000000000000015", Some("0.0000000000000000000000000002")),
            ("000", Some("0")),
            ("0.00", Some("0.00")),
        ] {
            let value = parse_decimal(text, Styles::NUMBER).ok().map(|it| it.to_string());
            assert_eq!(value.as_deref(), expected, "{text}");
        }
        assert_eq!(parse_decimal("1e3", Styles(0xa7)).unwrap().to_string(), "1000");
    }

    #[test]
    fn booleans_are_two_words() {
        assert_eq!(parse_bool(" True\0"), Some(true));
        assert_eq!(parse_bool("FALSE"), Some(false));
        assert_eq!(parse_bool("1"), None);
    }

    #[test]
    fn radixes_read_bit_patterns() {
        for (text, radix, expected) in [
            ("ff", 16, Some(255)),
            ("0xFFFFFFFF", 16, Some(-1)),
            ("1010", 2, Some(10)),
            ("-5", 10, Some(-5)),
            ("-5", 16, None),
            ("9", 8, None),
            ("", 16, None),
            ("100000000", 16, None),
            ("5", 7, None),
        ] {
            assert_eq!(parse_radix(text, radix, 32, true).ok(), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,20}", styles in 0u32..0x400) {
            let _ = parse_integer(&text, Styles(styles), INT);
            let _ = parse_decimal(&text, Styles(styles));
            let _ = parse_double(&text, Styles(styles), Modern);
        }
    }
}
