//! Custom numeric formats: `#,##0.00;(0);zero`.
//!
//! A faithful rendering of the algorithm that .NET documents by example; characters that mean
//! nothing stand for themselves.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/custom-numeric-format-strings>

use super::{Digits, Kind, push_exponent};

/// Formats by a custom format; `number` may be rounded to what the format shows.
pub(super) fn format_custom(mut number: Digits, format: &str) -> String {
    let format: Vec<char> = format.chars().collect();
    let wanted = if number.is_zero() { 2 } else { usize::from(number.negative) };
    let mut start = section(&format, wanted);
    let shape = loop {
        let shape = Shape::read(&format, start);
        if number.is_zero() {
            if number.kind != Kind::Floating {
                number.negative = false;
            }
            number.scale = 0;
            break shape;
        }
        number.scale += shape.scale_adjust;
        let places =
            if shape.scientific { shape.digits } else { number.scale + shape.digits - shape.point };
        number.round(places, false);
        if number.is_zero() {
            let zero = section(&format, 2);
            if zero != start {
                start = zero;
                continue;
            }
        }
        break shape;
    };
    Writer::new(&number, &shape, &format, start).write()
}

/// Where the nth `;`-separated section starts; 0 if it is absent or empty.
fn section(format: &[char], mut wanted: usize) -> usize {
    if wanted == 0 {
        return 0;
    }
    let mut at = 0;
    while let Some(&ch) = format.get(at) {
        at += 1;
        match ch {
            '\'' | '"' => at = past_quote(format, at, ch),
            '\\' => at += 1,
            ';' => {
                wanted -= 1;
                if wanted == 0 {
                    return if format.get(at).is_some_and(|next| *next != ';') { at } else { 0 };
                }
            }
            _ => {}
        }
    }
    0
}

fn past_quote(format: &[char], mut at: usize, quote: char) -> usize {
    while let Some(&ch) = format.get(at) {
        at += 1;
        if ch == quote {
            break;
        }
    }
    at
}

/// What a section says about the number as a whole.
struct Shape {
    digits: i32,
    point: i32,
    first_zero: i32,
    last_zero: i32,
    scientific: bool,
    grouped: bool,
    scale_adjust: i32,
}

impl Shape {
    fn read(format: &[char], start: usize) -> Self {
        let mut shape = Self {
            digits: 0,
            point: -1,
            first_zero: i32::MAX,
            last_zero: 0,
            scientific: false,
            grouped: false,
            scale_adjust: 0,
        };
        let (mut comma_at, mut commas) = (-1, 0);
        let mut at = start;
        while let Some(&ch) = format.get(at) {
            at += 1;
            match ch {
                ';' => break,
                '#' => shape.digits += 1,
                '0' => {
                    shape.first_zero = shape.first_zero.min(shape.digits);
                    shape.digits += 1;
                    shape.last_zero = shape.digits;
                }
                '.' if shape.point < 0 => shape.point = shape.digits,
                ',' if shape.digits > 0 && shape.point < 0 => {
                    if comma_at == shape.digits {
                        commas += 1;
                        continue;
                    }
                    shape.grouped |= comma_at >= 0;
                    (comma_at, commas) = (shape.digits, 1);
                }
                '%' => shape.scale_adjust += 2,
                '\u{2030}' => shape.scale_adjust += 3,
                '\'' | '"' => at = past_quote(format, at, ch),
                '\\' => at += 1,
                'E' | 'e' if exponent(format, at).is_some() => {
                    at += 1;
                    while format.get(at) == Some(&'0') {
                        at += 1;
                    }
                    shape.scientific = true;
                }
                _ => {}
            }
        }
        if shape.point < 0 {
            shape.point = shape.digits;
        }
        if comma_at == shape.point && comma_at >= 0 {
            shape.scale_adjust -= commas * 3;
        } else {
            shape.grouped |= comma_at >= 0;
        }
        shape.first_zero =
            if shape.first_zero < shape.point { shape.point - shape.first_zero } else { 0 };
        shape.last_zero =
            if shape.last_zero > shape.point { shape.point - shape.last_zero } else { 0 };
        shape
    }
}

/// Whether an exponent (`E0`, `E+0`, `E-0`) follows the letter; true if it has a plus sign.
fn exponent(format: &[char], at: usize) -> Option<bool> {
    match (format.get(at), format.get(at + 1)) {
        (Some('0'), _) | (Some('-'), Some('0')) => Some(false),
        (Some('+'), Some('0')) => Some(true),
        _ => None,
    }
}

/// Writes one section.
struct Writer<'a> {
    number: &'a Digits,
    shape: &'a Shape,
    format: &'a [char],
    start: usize,
    next_digit: usize,
    /// The place of the digit to be written, counted from the point to the left.
    place: i32,
    /// Digits that the number has more (or, negative, fewer) than the format before the point.
    surplus: i32,
    separators: Vec<i32>,
    out: String,
}

impl<'a> Writer<'a> {
    fn new(number: &'a Digits, shape: &'a Shape, format: &'a [char], start: usize) -> Self {
        let (place, surplus) = if shape.scientific {
            (shape.point, 0)
        } else {
            (number.scale.max(shape.point), number.scale - shape.point)
        };
        let mut separators = Vec::new();
        if shape.grouped {
            let count = (place + surplus.min(0)).max(shape.first_zero);
            separators.extend((1..).map(|it| it * 3).take_while(|it| *it < count));
        }
        let out = String::new();
        Self { number, shape, format, start, next_digit: 0, place, surplus, separators, out }
    }

    fn write(mut self) -> String {
        let signed = self.number.negative && self.start == 0;
        if signed && self.number.scale != 0 {
            self.out.push('-');
        }
        let (mut at, mut point_written, mut scientific) =
            (self.start, false, self.shape.scientific);
        while let Some(&ch) = self.format.get(at) {
            at += 1;
            match ch {
                ';' => break,
                '#' | '0' => {
                    self.push_surplus();
                    self.push_digit();
                }
                '.' => {
                    self.push_surplus();
                    point_written |= self.push_point(point_written);
                }
                ',' => {}
                '\'' | '"' => {
                    while let Some(&quoted) = self.format.get(at) {
                        at += 1;
                        if quoted == ch {
                            break;
                        }
                        self.out.push(quoted);
                    }
                }
                '\\' => {
                    self.out.extend(self.format.get(at));
                    at += 1;
                }
                'E' | 'e' => at = self.push_exponent(at, ch, &mut scientific),
                other => self.out.push(other),
            }
        }
        if signed && self.number.scale == 0 && !self.out.is_empty() {
            self.out.insert(0, '-');
        }
        self.out
    }

    /// Writes the digits that the format has no place for, before its first place.
    fn push_surplus(&mut self) {
        while self.surplus > 0 {
            let digit = self.take_digit().unwrap_or('0');
            self.out.push(digit);
            self.push_separator();
            self.place -= 1;
            self.surplus -= 1;
        }
    }

    fn push_digit(&mut self) {
        let digit = if self.surplus < 0 {
            self.surplus += 1;
            (self.place <= self.shape.first_zero).then_some('0')
        } else {
            self.take_digit().or((self.place > self.shape.last_zero).then_some('0'))
        };
        if let Some(digit) = digit {
            self.out.push(digit);
            self.push_separator();
        }
        self.place -= 1;
    }

    fn push_separator(&mut self) {
        if self.place > 1 && self.separators.last() == Some(&(self.place - 1)) {
            self.out.push(',');
            self.separators.pop();
        }
    }

    fn push_point(&mut self, written: bool) -> bool {
        let wanted = self.shape.last_zero < 0
            || (self.shape.point < self.shape.digits && self.next_digit < self.number.digits.len());
        let here = self.place == 0 && !written && wanted;
        if here {
            self.out.push('.');
        }
        here
    }

    /// Writes an exponent, or the letter if it starts none; gives where to go on.
    fn push_exponent(&mut self, mut at: usize, letter: char, scientific: &mut bool) -> usize {
        let zeros = |mut at: usize| {
            while self.format.get(at) == Some(&'0') {
                at += 1;
            }
            at
        };
        match exponent(self.format, at) {
            Some(plus) if *scientific => {
                let first = if self.format.get(at) == Some(&'0') { at } else { at + 1 };
                let end = zeros(first);
                let value =
                    if self.number.is_zero() { 0 } else { self.number.scale - self.shape.point };
                push_exponent(&mut self.out, value, letter, (end - first).min(10), plus);
                *scientific = false;
                end
            }
            _ if *scientific => {
                self.out.push(letter);
                at
            }
            _ => {
                self.out.push(letter);
                if matches!(self.format.get(at), Some('+' | '-')) {
                    self.out.extend(self.format.get(at));
                    at += 1;
                }
                let end = zeros(at);
                self.out.extend(std::iter::repeat_n('0', end - at));
                end
            }
        }
    }

    fn take_digit(&mut self) -> Option<char> {
        let digit = self.number.at(self.next_digit)?;
        self.next_digit += 1;
        Some(char::from(digit))
    }
}

#[cfg(test)]
mod tests {
    use crate::text::Runtime::{Framework, Modern};
    use crate::text::number::{format_decimal, format_double, format_integer};

    #[test]
    fn integers_fill_the_places() {
        for (value, format, expected) in [
            (0, "#", ""),
            (0, "#,##0", "0"),
            (1_234_567, "#,#,,", "1"),
            (5, "'item' 0", "item 5"),
            (5, "000.00", "005.00"),
            (-5, "0;neg 0;zero", "neg 5"),
            (-5, "#;(#)", "(5)"),
            (3, "\\#0", "#3"),
            (0, "+0;-0;zero", "zero"),
            (7, "+0;-0;zero", "+7"),
            (-42, "0000", "-0042"),
            (-42, "#", "-42"),
            (i64::MIN, "#,##0", "-9,223,372,036,854,775,808"),
            (5_551_234_567, "(###) ###-####", "(555) 123-4567"),
            (12, "0,000", "0,012"),
            (1234, "0.0E+0", "1.2E+3"),
            (1234, "0e00", "1e03"),
            (7, "0E", "7E"),
            (7, "", "7"),
            (12, "0;", "12"),
            (-12, "0;;z", "-12"),
        ] {
            let text = format_integer(i128::from(value), 64, format);
            assert_eq!(text.as_deref(), Ok(expected), "{value} {format}");
        }
    }

    #[test]
    fn fractions_round_to_the_places() {
        for (value, format, modern, framework) in [
            (12345.6789, "0.00", "12345.68", "12345.68"),
            (0.5, "#.##", ".5", ".5"),
            (0.256, "0.0%", "25.6%", "25.6%"),
            (0.0, "0.0E+00", "0.0E+00", "0.0E+00"),
            (-2.345, "0.##", "-2.35", "-2.35"),
            (-2.345, "0.0E+00", "-2.3E+00", "-2.3E+00"),
            (99.995, "000.0", "100.0", "100.0"),
            (-0.0, "#,##0.00", "-0.00", "0.00"),
            (-0.0, "0.0E+00", "-0.0E+00", "0.0E+00"),
            (
                1e21,
                "#,##0.00",
                "1,000,000,000,000,000,000,000.00",
                "1,000,000,000,000,000,000,000.00",
            ),
            (0.000_123, "000.0", "000.0", "000.0"),
            (-5.0, "0.0;(0.0)", "(5.0)", "(5.0)"),
            (1.25, "F1", "1.2", "1.3"),
        ] {
            assert_eq!(format_double(value, format, Modern).as_deref(), Ok(modern), "{format}");
            assert_eq!(format_double(value, format, Framework).as_deref(), Ok(framework));
        }
        for (value, format, expected) in
            [("1.25", "0.0", "1.3"), ("1.50", "0.###", "1.5"), ("-2.345", "#,##0", "-2")]
        {
            assert_eq!(format_decimal(value.parse().unwrap(), format).as_deref(), Ok(expected));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_format_panics(value: f64, format in "[#0.,;%eE+'\"\\\\-]{0,12}") {
            let _ = format_double(value, &format, Modern);
            let _ = format_double(value, &format, Framework);
        }

        #[test]
        fn zero_shows_every_digit(value: i64) {
            let text = format_integer(i128::from(value), 64, "0").unwrap();
            proptest::prop_assert_eq!(text, value.to_string());
        }
    }
}
