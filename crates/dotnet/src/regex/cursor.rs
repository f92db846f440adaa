//! A place in a pattern.

use super::Fault;

/// A place in a pattern.
pub(super) struct Cursor<'a> {
    pattern: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(pattern: &'a str) -> Self {
        Self { pattern, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.pattern.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.rest().chars().nth(ahead)
    }

    pub(super) fn previous(&self) -> Option<char> {
        self.pattern.get(..self.at).and_then(|it| it.chars().next_back())
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let it = self.peek()?;
        self.at += it.len_utf8();
        Some(it)
    }

    pub(super) fn take(&mut self, it: char) -> bool {
        let is_there = self.peek() == Some(it);
        if is_there {
            self.at += it.len_utf8();
        }
        is_there
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    pub(super) fn take_text(&mut self, text: &str) -> bool {
        let is_there = self.starts_with(text);
        if is_there {
            self.at += text.len();
        }
        is_there
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn seek(&mut self, position: usize) {
        self.at = position;
    }

    /// Digits as a number.
    pub(super) fn number(&mut self) -> Option<u32> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let text = self.rest().get(..digits)?;
        self.at += digits;
        text.parse().ok()
    }

    /// A group's name: letters, digits and underscores.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let is_part = |it: char| it.is_alphanumeric() || it == '_';
        let length = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or("")
    }

    /// `ArgumentException` at this place of the pattern.
    pub(super) fn error(&self, what: &str) -> Fault {
        let pattern = self.pattern;
        let offset = pattern.get(..self.at).map_or(0, |it| it.encode_utf16().count());
        Fault::argument(format!("Invalid pattern '{pattern}' at offset {offset}. {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn errors_tell_the_place_in_units() {
        let mut cursor = Cursor::new("😀12x");
        cursor.next();
        assert_eq!(cursor.number(), Some(12));
        assert!(cursor.take('x') && cursor.next().is_none());
        let message = cursor.error("No.").message;
        assert_eq!(message, "Invalid pattern '😀12x' at offset 5. No.");
    }
}
