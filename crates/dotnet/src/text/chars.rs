//! `System.Char`: Unicode categories, case, numeric values, all by UTF-16 unit.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.char>

/// The number of a unit's `System.Globalization.UnicodeCategory`.
pub use ::regex::category;

/// Looks up a property; ASCII is answered by `ascii`.
fn is(unit: u16, ascii: fn(&u8) -> bool, categories: std::ops::RangeInclusive<u8>) -> bool {
    match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => ascii(&byte),
        _ => categories.contains(&category(unit)),
    }
}

/// `char.IsLetter`.
pub fn is_letter(unit: u16) -> bool {
    is(unit, u8::is_ascii_alphabetic, 0..=4)
}

/// `char.IsDigit`: decimal digits of any script.
pub fn is_digit(unit: u16) -> bool {
    is(unit, u8::is_ascii_digit, 8..=8)
}

/// `char.IsLetterOrDigit`.
pub fn is_letter_or_digit(unit: u16) -> bool {
    is_letter(unit) || is_digit(unit)
}

/// `char.IsNumber`: digits, letter-like numbers, fractions.
pub fn is_number(unit: u16) -> bool {
    is(unit, u8::is_ascii_digit, 8..=10)
}

/// `char.IsUpper`.
pub fn is_upper(unit: u16) -> bool {
    is(unit, u8::is_ascii_uppercase, 0..=0)
}

/// `char.IsLower`.
pub fn is_lower(unit: u16) -> bool {
    is(unit, u8::is_ascii_lowercase, 1..=1)
}

/// `char.IsPunctuation`.
pub fn is_punctuation(unit: u16) -> bool {
    (18..=24).contains(&category(unit))
}

/// `char.IsSymbol`.
pub fn is_symbol(unit: u16) -> bool {
    (25..=28).contains(&category(unit))
}

/// `char.IsSeparator`.
pub fn is_separator(unit: u16) -> bool {
    (11..=13).contains(&category(unit))
}

/// `char.IsControl`.
pub fn is_control(unit: u16) -> bool {
    unit < 0x20 || (0x7f..=0x9f).contains(&unit)
}

/// `char.IsWhiteSpace`.
pub fn is_white_space(unit: u16) -> bool {
    match unit {
        0x20 | 0x09..=0x0d | 0x85 | 0xa0 => true,
        0..=0x7f => false,
        _ => is_separator(unit),
    }
}

/// `char.IsHighSurrogate`.
pub fn is_high_surrogate(unit: u16) -> bool {
    (0xd800..=0xdbff).contains(&unit)
}

/// `char.IsLowSurrogate`.
pub fn is_low_surrogate(unit: u16) -> bool {
    (0xdc00..=0xdfff).contains(&unit)
}

/// `char.ToUpperInvariant`.
pub fn to_upper(unit: u16) -> u16 {
    if unit < 0x80 {
        return u16::from((unit as u8).to_ascii_uppercase());
    }
    char::from_u32(u32::from(unit)).map_or(unit, |ch| single(upper_char(ch)).unwrap_or(unit))
}

/// `char.ToLowerInvariant`.
pub fn to_lower(unit: u16) -> u16 {
    if unit < 0x80 {
        return u16::from((unit as u8).to_ascii_lowercase());
    }
    char::from_u32(u32::from(unit)).map_or(unit, |ch| single(lower_char(ch)).unwrap_or(unit))
}

fn single(ch: char) -> Option<u16> {
    u16::try_from(u32::from(ch)).ok()
}

/// One character's upper case; itself if that would be several (`ß`), or Turkish.
pub fn upper_char(ch: char) -> char {
    let mut mapped = ch.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) if ch != '\u{131}' => upper,
        _ => ch,
    }
}

/// One character's lower case; itself if that would be several (`İ`).
pub fn lower_char(ch: char) -> char {
    let mut mapped = ch.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(lower), None) => lower,
        _ => ch,
    }
}

/// `char.GetNumericValue`; -1 if there is none.
pub fn numeric_value(unit: u16) -> f64 {
    if is_digit(unit) {
        let zero = (0..10).take_while(|back| unit >= *back && is_digit(unit - back)).last();
        // Digits of a script stand together, from zero to nine, at a multiple of ten after others.
        let first = unit - zero.unwrap_or(0);
        return f64::from((unit - first) % 10);
    }
    match unit {
        0xb2 => 2.0,
        0xb3 => 3.0,
        0xb9 => 1.0,
        0xbc => 0.25,
        0xbd => 0.5,
        0xbe => 0.75,
        0x2070 => 0.0,
        0x2074..=0x2079 => f64::from(unit - 0x2070),
        0x2080..=0x2089 => f64::from(unit - 0x2080),
        0x2153 => 1.0 / 3.0,
        0x2154 => 2.0 / 3.0,
        0x2160..=0x216b => f64::from(unit - 0x215f),
        0x2170..=0x217b => f64::from(unit - 0x216f),
        0x2460..=0x2473 => f64::from(unit - 0x245f),
        _ => -1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_those_of_unicode() {
        for (ch, expected) in [
            ('A', 0),
            ('a', 1),
            ('٣', 8),
            (' ', 11),
            ('\n', 14),
            ('!', 24),
            ('$', 26),
            ('+', 25),
            ('\u{2028}', 12),
            ('ª', 1),
        ] {
            assert_eq!(category(ch as u16), expected, "{ch}");
        }
        assert_eq!(category(0xd800), 16);
        assert!(is_digit('٣' as u16) && is_letter('é' as u16) && !is_letter(0x301));
        assert!(is_white_space(0x2003) && is_white_space(0xa0) && !is_white_space(0x200b));
    }

    #[test]
    fn case_maps_one_to_one() {
        for (from, to) in [('a', 'A'), ('é', 'É'), ('ß', 'ß'), ('ǆ', 'Ǆ'), ('ı', 'ı'), ('ÿ', 'Ÿ')]
        {
            assert_eq!(to_upper(from as u16), to as u16, "{from}");
        }
        for (from, to) in [('A', 'a'), ('İ', 'İ'), ('Σ', 'σ')] {
            assert_eq!(to_lower(from as u16), to as u16, "{from}");
        }
    }

    #[test]
    fn numbers_have_values() {
        for (ch, value) in [('0', 0.0), ('9', 9.0), ('٣', 3.0), ('½', 0.5), ('x', -1.0)] {
            assert_eq!(numeric_value(ch as u16), value, "{ch}");
        }
    }
}
