//! `format-number()` (XSLT 1.0, section 12.3), as .NET does it: the pattern becomes a custom format
//! of .NET, whose rules for rounding and for zero count.

use dotnet::Runtime;
use dotnet::text::number::format_double;

use super::numerals::grouped;
use super::{Focus, Run};
use crate::limits::Failure;
use crate::names::Key;
use crate::sheet::DecimalFormat;
use crate::xpath::{Expr, Spaces, Value};

/// Digits in one part of a pattern.
const MAX_DIGITS: usize = 100;

impl<'s> Run<'s> {
    pub(super) fn format_number(
        &mut self,
        arguments: &'s [Expr],
        spaces: &'s Spaces,
        focus: Focus,
    ) -> Result<Value, Failure> {
        let number = self.number_at(arguments, 0, focus)?;
        let pattern = self.text_at(arguments, 1, focus)?;
        let name = match arguments.get(2) {
            Some(expr) => {
                let written = self.text(expr, focus)?;
                self.qualified(&written, spaces)?
            }
            None => Key::default(),
        };
        let default = DecimalFormat::default();
        let format = match self.sheet.formats.get(&name) {
            Some(format) => format,
            None if name == Key::default() => &default,
            None => {
                let name = self.names.text(name.local);
                return Err(Failure::broken(format!("Decimal format '{name}' is not defined.")));
            }
        };
        let text = written(number, &pattern, format).map_err(Failure::broken)?;
        self.budget.text(text.len())?;
        Ok(Value::text(&text))
    }
}

/// Writes a number.
fn written(number: f64, pattern: &str, format: &DecimalFormat) -> Result<String, String> {
    let mut parts = pattern.split(format.separator);
    let positive = Picture::read(parts.next().unwrap_or(""), pattern, format)?;
    let negative = parts.next().map(|it| Picture::read(it, pattern, format)).transpose()?;
    if parts.next().is_some() {
        return Err(format!("Format '{pattern}' has two pattern separators."));
    }
    if number.is_nan() {
        return Ok(format.nan.clone());
    }
    let minus = if number < 0.0 { format.minus.to_string() } else { String::new() };
    if number.is_infinite() {
        return Ok(minus + &format.infinity);
    }
    match negative {
        Some(negative) if number < 0.0 => negative.write(number, "", format),
        _ => positive.write(number, &format.minus.to_string(), format),
    }
}

/// One part of a pattern.
#[derive(Debug, Default)]
struct Picture {
    prefix: String,
    suffix: String,
    n_optional_integers: usize,
    n_integers: usize,
    n_fractions: usize,
    n_optional_fractions: usize,
    has_point: bool,
    group: usize,
    scale: Option<char>,
}

impl Picture {
    fn read(text: &str, whole: &str, format: &DecimalFormat) -> Result<Self, String> {
        if text.is_empty() {
            return Err("Format cannot be empty.".to_owned());
        }
        let mut picture = Self::default();
        let (mut has_digits, mut group) = (false, None::<usize>);
        for it in text.chars() {
            if it == format.digit || it == format.zero {
                if !picture.suffix.is_empty() {
                    return Err(format!("Format '{whole}' has digits after its suffix."));
                }
                has_digits = true;
                picture.digit(it == format.zero, whole)?;
                group = group.map(|it| it + usize::from(!picture.has_point));
            } else if it == format.decimal {
                if picture.has_point {
                    return Err(format!("Format '{whole}' cannot have two decimal separators."));
                }
                picture.has_point = true;
            } else if it == format.grouping && !picture.has_point {
                group = Some(0);
            } else {
                if it == format.percent || it == format.per_mille {
                    picture.scale = Some(it);
                }
                // Quotes only protect what they enclose.
                if it != '\'' {
                    let has_number = has_digits || picture.has_point;
                    if has_number { picture.suffix.push(it) } else { picture.prefix.push(it) }
                }
            }
        }
        if !has_digits {
            return Err("Format string should have at least one digit or zero digit.".to_owned());
        }
        picture.group = group.unwrap_or(0);
        Ok(picture)
    }

    fn digit(&mut self, is_zero: bool, whole: &str) -> Result<(), String> {
        let count = match (self.has_point, is_zero) {
            (false, true) => &mut self.n_integers,
            (false, false) if self.n_integers > 0 => {
                return Err(format!(
                    "Format '{whole}' cannot have digit symbol after zero digit symbol before a decimal point."
                ));
            }
            (false, false) => &mut self.n_optional_integers,
            (true, true) if self.n_optional_fractions > 0 => {
                return Err(format!(
                    "Format '{whole}' cannot have zero digit symbol after digit symbol after decimal point."
                ));
            }
            (true, true) => &mut self.n_fractions,
            (true, false) => &mut self.n_optional_fractions,
        };
        *count += 1;
        if *count > MAX_DIGITS {
            return Err(format!("a format has at most {MAX_DIGITS} digits"));
        }
        Ok(())
    }

    fn write(&self, number: f64, minus: &str, format: &DecimalFormat) -> Result<String, String> {
        let mut custom = String::from("#");
        custom.push_str(&"0".repeat(self.n_integers));
        custom.push('.');
        custom.push_str(&"0".repeat(self.n_fractions));
        custom.push_str(&"#".repeat(self.n_optional_fractions));
        match self.scale {
            Some(it) if it == format.percent => custom.push('%'),
            Some(_) => custom.push('\u{2030}'),
            None => {}
        }
        let digits = format_double(number, &custom, Runtime::Modern)
            .map_err(|it| format!("the number cannot be formatted: {it:?}"))?;
        let digits = digits.trim_end_matches(['%', '\u{2030}']);
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(digits) => (minus, digits),
            None => ("", digits),
        };
        let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut separator = [0; 4];
        let integer = match self.group {
            0 => integer.to_owned(),
            size => grouped(integer, format.grouping.encode_utf8(&mut separator), size),
        };
        let own_digit = |it: char| match it.to_digit(10) {
            Some(value) if format.zero != '0' => {
                char::from_u32(u32::from(format.zero) + value).unwrap_or(it)
            }
            _ => it,
        };
        let mut out = String::from(sign);
        out.push_str(&self.prefix);
        out.extend(integer.chars().map(own_digit));
        if !fraction.is_empty() {
            out.push(format.decimal);
            out.extend(fraction.chars().map(own_digit));
        }
        out.push_str(&self.suffix);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_dotnet_writes_them() {
        let format = DecimalFormat::default();
        for (number, pattern, expected) in [
            (1234.5, "#,##0.00", "1,234.50"),
            (1234.5, "0", "1235"),
            (1234.5, "#;(#)", "1235"),
            (-1234.567, "#;(#)", "(1235)"),
            (-1234.567, "'x'0", "-x1235"),
            (0.5, "#.##", ".5"),
            (0.0, "#", ""),
            (0.0, "#,##0.##", "0"),
            (0.125, "0.00", "0.13"),
            (0.125, "0%", "13%"),
            (0.5, "00.00\u{2030}", "500.00\u{2030}"),
            (-0.4, "0", "-0"),
            (-0.4, "#", ""),
            (-0.4, "#;(#)", "()"),
            (12345.678, "#,##,##0.0#", "12,345.68"),
            (1_234_567.0, "#,####", "123,4567"),
            (1_234_567.0, "#,##0,", "1234567"),
            (5.0, "0.00 EUR", "5.00 EUR"),
            (f64::NAN, "0", "NaN"),
            (f64::NEG_INFINITY, "0", "-Infinity"),
        ] {
            assert_eq!(
                written(number, pattern, &format).as_deref(),
                Ok(expected),
                "{number} {pattern}"
            );
        }
    }

    #[test]
    fn wrong_patterns_are_named() {
        let format = DecimalFormat::default();
        for pattern in ["", "abc", "#0#", "0.0.0", "0.#0", "0;0;0", ";0"] {
            assert!(written(1.0, pattern, &format).is_err(), "{pattern}");
        }
    }
}
