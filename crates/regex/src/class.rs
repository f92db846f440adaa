//! Character classes: `[a-z-[aeiou]]`.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/character-classes-in-regular-expressions>

use crate::Options;
use crate::error::Error;
use crate::escape::char_escape;
use crate::scan::Scan;
use crate::set::Set;

/// How deep subtractions nest.
const MAX_DEPTH: usize = 20;

/// A class that is being read.
struct Class {
    set: Set,
    /// The beginning of a range whose end is still to come.
    from: Option<u16>,
    depth: usize,
}

/// Reads a class after its `[`.
pub(crate) fn class(scan: &mut Scan<'_>) -> Result<Set, Error> {
    nested(scan, 0)
}

fn nested(scan: &mut Scan<'_>, depth: usize) -> Result<Set, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::TooLarge(format!(
            "subtracts more than {MAX_DEPTH} classes from each other"
        )));
    }
    let mut class = Class { set: Set::default(), from: None, depth };
    if scan.take(b'^') {
        class.set.negate();
    }
    let mut first = true;
    loop {
        let Some(unit) = scan.next_unit() else {
            return Err(scan.error("Unterminated [] set."));
        };
        if unit == u16::from(b']') && !first {
            break;
        }
        class.item(scan, unit, first)?;
        first = false;
    }
    if scan.has(Options::IGNORE_CASE) {
        class.set.fold();
    }
    Ok(class.set.sealed())
}

impl Class {
    fn item(&mut self, scan: &mut Scan<'_>, unit: u16, first: bool) -> Result<(), Error> {
        if unit != u16::from(b'\\') || scan.left() == 0 {
            return self.unit(scan, unit, true, first);
        }
        let ecma = scan.has(Options::ECMA_SCRIPT);
        match scan.peek() {
            Some(letter @ (b'w' | b'd' | b's' | b'W' | b'D' | b'S')) => {
                scan.at += 1;
                self.no_range(scan, letter)?;
                self.set.add_shorthand(letter, ecma);
            }
            Some(letter @ (b'p' | b'P')) => {
                scan.at += 1;
                self.no_range(scan, letter)?;
                add_property(scan, &mut self.set, letter == b'P')?;
            }
            Some(b'-') => {
                scan.at += 1;
                self.set.add_range(u16::from(b'-'), u16::from(b'-'));
            }
            _ => {
                let unit = char_escape(scan)?;
                return self.unit(scan, unit, false, first);
            }
        }
        Ok(())
    }

    fn no_range(&self, scan: &Scan<'_>, letter: u8) -> Result<(), Error> {
        if self.from.is_none() {
            return Ok(());
        }
        let letter = char::from(letter);
        Err(scan.error(format!("Cannot include class \\{letter} in character range.")))
    }

    fn unit(
        &mut self,
        scan: &mut Scan<'_>,
        unit: u16,
        plain: bool,
        first: bool,
    ) -> Result<(), Error> {
        if let Some(from) = self.from.take() {
            if plain && unit == u16::from(b'[') && !first {
                // `a-[b]`: the letter, and a subtraction.
                self.set.add_range(from, from);
                return self.subtraction(scan);
            }
            if from > unit {
                return Err(scan.error("[x-y] range in reverse order."));
            }
            self.set.add_range(from, unit);
            return Ok(());
        }
        if scan.peek() == Some(b'-') && scan.peek_at(1).is_some_and(|it| it != b']') {
            scan.at += 1;
            self.from = Some(unit);
            return Ok(());
        }
        if plain && unit == u16::from(b'-') && scan.peek() == Some(b'[') && !first {
            scan.at += 1;
            return self.subtraction(scan);
        }
        self.set.add_range(unit, unit);
        Ok(())
    }

    fn subtraction(&mut self, scan: &mut Scan<'_>) -> Result<(), Error> {
        self.set.subtract(nested(scan, self.depth + 1)?);
        if scan.peek().is_some_and(|it| it != b']') {
            return Err(scan.error("A subtraction must be the last element in a character class."));
        }
        Ok(())
    }
}

/// Adds `\p{Name}`, after the `p`.
pub(crate) fn add_property(
    scan: &mut Scan<'_>,
    set: &mut Set,
    inverted: bool,
) -> Result<(), Error> {
    if scan.left() < 3 {
        return Err(scan.error("Incomplete \\p{X} character escape."));
    }
    if !scan.take(b'{') {
        return Err(scan.error("Malformed \\p{X} character escape."));
    }
    let from = scan.at;
    while scan.at_word() || scan.peek() == Some(b'-') {
        scan.at += 1;
    }
    let name = scan.text(from, scan.at);
    if !scan.take(b'}') {
        return Err(scan.error("Incomplete \\p{X} character escape."));
    }
    if !set.add_property(&name, inverted, scan.has(Options::IGNORE_CASE)) {
        return Err(scan.error(format!("Unknown property '{name}'.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::class;
    use crate::Options;
    use crate::scan::Scan;

    /// Which of the ASCII letters, digits and some signs the class holds.
    fn holds(pattern: &str, options: Options) -> String {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        match class(&mut Scan::new(&units, options)) {
            Ok(set) => "abcxyzABC0189[]-^_ ".chars().filter(|it| set.has(*it as u16)).collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn classes_hold_what_dotnet_says() {
        let cases = [
            ("a-c]", "abc"),
            ("^a-z]", "ABC0189[]-^_ "),
            ("]a]", "a]"),
            ("a-]", "a-"),
            ("-a]", "a-"),
            (r"\d\x41]", "A0189"),
            ("a-z-[b-y]]", "az"),
            (r"\w-[\d_]]", "abcxyzABC"),
            ("[:a:]", "a["),
            (r"a\-c]", "ac-"),
            ("^-a]", "bcxyzABC0189[]^_ "),
            ("a-[b]]", "a"),
            (r"\P{Lu}\p{IsBasicLatin}]", "abcxyzABC0189[]-^_ "),
        ];
        for (pattern, expected) in cases {
            assert_eq!(holds(pattern, Options::NONE), expected, "[{pattern}");
        }
        assert_eq!(holds(r"A\p{Lu}x]", Options::IGNORE_CASE), "abcxyzABC");
    }

    #[test]
    fn wrong_classes_are_refused() {
        let cases = [
            ("a", "Unterminated [] set."),
            ("]", "Unterminated [] set."),
            ("z-a]", "[x-y] range in reverse order."),
            (r"a-\d]", "Cannot include class \\d in character range."),
            (r"\p{Xx}]", "Unknown property 'Xx'."),
            (r"\pLu]", "Malformed \\p{X} character escape."),
            ("a-[b]c]", "A subtraction must be the last element"),
        ];
        for (pattern, expected) in cases {
            let error = holds(pattern, Options::NONE);
            assert!(error.contains(expected), "[{pattern}: {error}");
        }
        assert!(holds(&"a-[".repeat(100), Options::NONE).contains("subtracts more than"));
    }
}
