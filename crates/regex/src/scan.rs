//! A place in a pattern.

use crate::Options;
use crate::error::Error;
use crate::units::is_word;

/// Stands for any unit that is not ASCII.
pub(crate) const WIDE: u8 = 0xff;

/// A place in a pattern, and the options that hold there.
pub(crate) struct Scan<'a> {
    units: &'a [u16],
    pub(crate) at: usize,
    pub(crate) options: Options,
    /// The parenthesis that comes is a condition: it does not capture.
    pub(crate) in_condition: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(units: &'a [u16], options: Options) -> Self {
        Self { units, at: 0, options, in_condition: false }
    }

    pub(crate) fn has(&self, option: Options) -> bool {
        self.options.has(option)
    }

    /// Units that are left.
    pub(crate) fn left(&self) -> usize {
        self.units.len().saturating_sub(self.at)
    }

    pub(crate) fn unit(&self, ahead: usize) -> Option<u16> {
        self.units.get(self.at.saturating_add(ahead)).copied()
    }

    /// The unit that far ahead; [`WIDE`] if it is not ASCII.
    pub(crate) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.unit(ahead).map(narrow)
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    pub(crate) fn next_unit(&mut self) -> Option<u16> {
        let unit = self.unit(0)?;
        self.at += 1;
        Some(unit)
    }

    pub(crate) fn next(&mut self) -> Option<u8> {
        self.next_unit().map(narrow)
    }

    pub(crate) fn take(&mut self, it: u8) -> bool {
        let is_there = self.peek() == Some(it);
        self.at += usize::from(is_there);
        is_there
    }

    /// A number of decimal digits; zero if there is none.
    pub(crate) fn decimal(&mut self) -> Result<u32, Error> {
        let mut value: u32 = 0;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            self.at += 1;
            let more = value.checked_mul(10).and_then(|it| it.checked_add(u32::from(digit - b'0')));
            value = more.filter(|it| *it <= i32::MAX.cast_unsigned()).ok_or_else(|| {
                self.error("Capture group numbers must be less than or equal to Int32.MaxValue.")
            })?;
        }
        Ok(value)
    }

    /// A group's name.
    pub(crate) fn name(&mut self) -> String {
        let from = self.at;
        while self.unit(0).is_some_and(is_word) {
            self.at += 1;
        }
        self.text(from, self.at)
    }

    pub(crate) fn at_word(&self) -> bool {
        self.unit(0).is_some_and(is_word)
    }

    pub(crate) fn text(&self, from: usize, to: usize) -> String {
        String::from_utf16_lossy(self.units.get(from..to).unwrap_or(&[]))
    }

    /// Does a quantifier stand here: `*`, `+`, `?`, `{n}`, `{n,}` or `{n,m}`?
    pub(crate) fn at_quantifier(&self) -> bool {
        match self.peek() {
            Some(b'*' | b'+' | b'?') => return true,
            Some(b'{') => {}
            _ => return false,
        }
        let digits = |from: usize| {
            (from..)
                .take_while(|at| self.peek_at(*at).is_some_and(|it| it.is_ascii_digit()))
                .count()
        };
        let low = digits(1);
        match self.peek_at(1 + low) {
            _ if low == 0 => false,
            Some(b'}') => true,
            Some(b',') => self.peek_at(2 + low + digits(2 + low)) == Some(b'}'),
            _ => false,
        }
    }

    /// Skips comments, and white space if `x` is on.
    pub(crate) fn skip_blank(&mut self) -> Result<(), Error> {
        let spaced = self.has(Options::IGNORE_PATTERN_WHITESPACE);
        loop {
            match self.peek() {
                Some(it) if spaced && is_blank(it) => self.at += 1,
                Some(b'#') if spaced => {
                    while self.peek().is_some_and(|it| it != b'\n') {
                        self.at += 1;
                    }
                }
                Some(b'(') if self.peek_at(1) == Some(b'?') && self.peek_at(2) == Some(b'#') => {
                    while self.peek().is_some_and(|it| it != b')') {
                        self.at += 1;
                    }
                    if !self.take(b')') {
                        return Err(self.error("Unterminated (?#...) comment."));
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads the letters of inline options.
    pub(crate) fn inline_options(&mut self) {
        let mut on = true;
        while let Some(it) = self.peek() {
            match (it, Options::of_letter(char::from(it))) {
                (b'-', _) => on = false,
                (b'+', _) => on = true,
                (_, Some(option)) => self.options = self.options.with(option, on),
                _ => return,
            }
            self.at += 1;
        }
    }

    /// `ArgumentException` at this place of the pattern.
    pub(crate) fn error(&self, what: impl Into<String>) -> Error {
        let pattern = String::from_utf16_lossy(self.units);
        Error::Pattern { pattern, offset: self.at, what: what.into() }
    }
}

fn narrow(unit: u16) -> u8 {
    u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(WIDE)
}

/// What `x` skips.
pub(crate) fn is_blank(it: u8) -> bool {
    matches!(it, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

/// Has the character a meaning of its own in a pattern?
pub(crate) fn is_special(it: u8) -> bool {
    matches!(it, b'\\' | b'*' | b'+' | b'?' | b'|' | b'{' | b'[' | b'(' | b')' | b'^' | b'$' | b'.')
}

#[cfg(test)]
mod tests {
    use super::Scan;
    use crate::Options;

    fn scan<T>(pattern: &str, read: impl FnOnce(&mut Scan<'_>) -> T) -> T {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        read(&mut Scan::new(&units, Options::IGNORE_PATTERN_WHITESPACE))
    }

    #[test]
    fn quantifiers_are_told_from_text() {
        for (text, expected) in [
            ("*", true),
            ("{3}", true),
            ("{3,}", true),
            ("{3,4}x", true),
            ("{,3}", false),
            ("{3", false),
            ("{a}", false),
            ("a", false),
        ] {
            assert_eq!(scan(text, |it| it.at_quantifier()), expected, "{text}");
        }
    }

    #[test]
    fn blanks_and_comments_are_skipped() {
        let rest = |text: &str| scan(text, |it| it.skip_blank().map(|()| it.left()));
        assert_eq!(rest(" \t# to the end\n (?# and this)a").unwrap(), 1);
        assert!(rest("(?#").is_err());
    }

    #[test]
    fn errors_tell_the_place_in_units() {
        let error = scan("😀12", |it| {
            it.at = 2;
            assert_eq!(it.decimal(), Ok(12));
            it.error("No.")
        });
        assert_eq!(error.to_string(), "Invalid pattern '😀12' at offset 4. No.");
        assert!(scan("99999999999", |it| it.decimal()).is_err());
    }
}
