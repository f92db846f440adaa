//! The decimal digits of `double` and `float`, exact or shortest.
//!
//! Modern .NET rounds the exact binary value, ties to even, or gives the shortest digits that
//! round-trip. .NET Framework makes 15 (`float`: 7) digits first and rounds those, ties away from
//! zero.

use super::{Digits, Kind};
use crate::text::Runtime;

/// A binary floating-point number of either width.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Floating {
    /// `System.Double`.
    Double(f64),
    /// `System.Single`.
    Float(f32),
}

impl Floating {
    /// The value as a `double`; exact.
    pub(crate) fn value(self) -> f64 {
        match self {
            Self::Double(value) => value,
            Self::Float(value) => f64::from(value),
        }
    }

    /// Digits that are always right: 15 or 7.
    pub(crate) fn precision(self) -> usize {
        match self {
            Self::Double(_) => 15,
            Self::Float(_) => 7,
        }
    }

    /// Digits that always suffice to round-trip: 17 or 9.
    pub(crate) fn round_trip(self) -> usize {
        match self {
            Self::Double(_) => 17,
            Self::Float(_) => 9,
        }
    }

    /// `NaN`, `Infinity`, `-Infinity`, or nothing for a finite value.
    pub(crate) fn special(self) -> Option<&'static str> {
        let value = self.value();
        if value.is_nan() {
            Some("NaN")
        } else if value.is_infinite() {
            Some(if value > 0.0 { "Infinity" } else { "-Infinity" })
        } else {
            None
        }
    }

    /// The shortest digits that read back as the same value.
    pub(crate) fn shortest(self) -> Digits {
        let text = match self {
            Self::Double(value) => format!("{:e}", value.abs()),
            Self::Float(value) => format!("{:e}", value.abs()),
        };
        self.scientific(&text)
    }

    /// This many significant digits of the exact value, ties to even.
    pub(crate) fn significant(self, count: usize) -> Digits {
        let places = count.max(1) - 1;
        self.scientific(&format!("{:.places$e}", self.value().abs()))
    }

    /// The exact value to this many places after the point, ties to even.
    pub(crate) fn places(self, places: usize) -> Digits {
        let text = format!("{:.places$}", self.value().abs());
        let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
        let all: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
        let zeros = all.iter().take_while(|digit| **digit == b'0').count();
        let scale = whole.len() as i32 - zeros as i32;
        self.trimmed(all.get(zeros..).unwrap_or_default().to_vec(), scale)
    }

    /// This many significant digits, ties away from zero, as .NET Framework makes them.
    pub(crate) fn framework(self, count: usize) -> Digits {
        let mut number = self.significant(count + 40);
        // No sign survives on a zero there, as on integers.
        number.kind = Kind::Integer;
        number.round(i32::try_from(count).unwrap_or(i32::MAX), false);
        number
    }

    /// The digits that .NET Framework's `R` shows: as few as 15 (7) if they read back, else 17 (9).
    pub(crate) fn framework_round_trip(self) -> (Digits, usize) {
        let short = self.framework(self.precision());
        let text = format!(
            "{}0.{}e{}",
            if short.negative { "-" } else { "" },
            String::from_utf8_lossy(&short.digits),
            short.scale
        );
        let same = match self {
            Self::Double(value) => text.parse() == Ok(value) || short.is_zero(),
            Self::Float(value) => text.parse() == Ok(value) || short.is_zero(),
        };
        if same {
            (short, self.precision())
        } else {
            (self.framework(self.round_trip()), self.round_trip())
        }
    }

    fn scientific(self, text: &str) -> Digits {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let scale = exponent.parse::<i32>().unwrap_or(0) + 1;
        if digits.iter().all(|digit| *digit == b'0') {
            return self.trimmed(Vec::new(), 0);
        }
        self.trimmed(digits, scale)
    }

    fn trimmed(self, mut digits: Vec<u8>, scale: i32) -> Digits {
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let scale = if digits.is_empty() { 0 } else { scale };
        Digits { digits, scale, negative: self.value().is_sign_negative(), kind: Kind::Floating }
    }
}

/// What `ToString()` of a `double` gives.
pub fn double_to_text(value: f64, runtime: Runtime) -> String {
    // Here Rust writes the same digits as modern .NET, faster.
    if runtime == Runtime::Modern && (value == 0.0 || (1e-4..1e17).contains(&value.abs())) {
        return value.to_string();
    }
    super::standard::general(Floating::Double(value), runtime)
}

/// What `ToString()` of a `float` gives.
pub fn float_to_text(value: f32, runtime: Runtime) -> String {
    super::standard::general(Floating::Float(value), runtime)
}

#[cfg(test)]
mod tests {
    use super::{Floating, double_to_text, float_to_text};
    use crate::text::Runtime::{Framework, Modern};

    #[test]
    fn doubles_print_as_each_runtime_does() {
        for (value, modern, framework) in [
            (1.0, "1", "1"),
            (1.0 / 3.0, "0.3333333333333333", "0.333333333333333"),
            (0.1 + 0.2, "0.30000000000000004", "0.3"),
            (1e15, "1000000000000000", "1E+15"),
            (1e16, "10000000000000000", "1E+16"),
            (1e20, "1E+20", "1E+20"),
            (1_234_567_890_123_456.0, "1234567890123456", "1.23456789012346E+15"),
            (1e-5, "1E-05", "1E-05"),
            (1e-4, "0.0001", "0.0001"),
            (f64::MAX, "1.7976931348623157E+308", "1.79769313486232E+308"),
            (5e-324, "5E-324", "4.94065645841247E-324"),
            (-0.0, "-0", "0"),
            (f64::NAN, "NaN", "NaN"),
            (f64::NEG_INFINITY, "-Infinity", "-Infinity"),
            (2f64.sqrt(), "1.4142135623730951", "1.4142135623731"),
        ] {
            assert_eq!(double_to_text(value, Modern), modern);
            assert_eq!(double_to_text(value, Framework), framework);
        }
    }

    #[test]
    fn floats_print_as_each_runtime_does() {
        for (value, modern, framework) in [
            (1f32 / 3.0, "0.33333334", "0.3333333"),
            (1e8, "100000000", "1E+08"),
            (4_294_967_297f32, "4.2949673E+09", "4.294967E+09"),
            (123_456.79, "123456.79", "123456.8"),
            (f32::from_bits(1), "1E-45", "1.401298E-45"),
        ] {
            assert_eq!(float_to_text(value, Modern), modern);
            assert_eq!(float_to_text(value, Framework), framework);
        }
    }

    #[test]
    fn exact_digits_round_ties_to_even() {
        for (value, places, digits, scale) in [
            (2.5, 0, "2", 1),
            (3.5, 0, "4", 1),
            (0.5, 0, "", 0),
            (0.6, 0, "1", 1),
            (0.125, 2, "12", 0),
            (0.05, 1, "1", 0),
            (1.005, 2, "1", 1),
            (99.995, 2, "1", 3),
        ] {
            let number = Floating::Double(value).places(places);
            assert_eq!(String::from_utf8_lossy(&number.digits), digits, "{value}");
            assert_eq!(number.scale, scale, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            proptest::prop_assume!(value.is_finite());
            let text = double_to_text(value, Modern);
            proptest::prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
        }

        #[test]
        fn the_short_way_writes_what_the_long_way_does(mantissa: i64, exponent in -24i32..2) {
            let value = mantissa as f64 * 10f64.powi(exponent);
            let long = super::super::standard::general(Floating::Double(value), Modern);
            proptest::prop_assert_eq!(double_to_text(value, Modern), long);
        }
    }
}
