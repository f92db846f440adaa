//! Text under construction: bytes while they are ASCII, UTF-16 units from then on.

use crate::string::Str;

/// Text that grows at its end; as cheap as a `String` while all of it is ASCII.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    ascii: String,
    /// What follows `ascii`, from the first unit on that is not ASCII.
    wide: Vec<u16>,
}

impl Builder {
    /// How many units there are.
    pub fn len(&self) -> usize {
        self.ascii.len() + self.wide.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a string.
    pub fn push(&mut self, text: &Str) {
        match text.as_ascii() {
            Some(text) if self.wide.is_empty() => self.ascii.push_str(text),
            _ => self.wide.extend_from_slice(&text.units()),
        }
    }

    /// Appends text.
    pub fn push_text(&mut self, text: &str) {
        if self.wide.is_empty() && text.is_ascii() {
            self.ascii.push_str(text);
        } else {
            self.wide.extend(text.encode_utf16());
        }
    }

    /// Appends a unit several times.
    pub fn push_repeated(&mut self, unit: u16, count: usize) {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() && self.wide.is_empty() => {
                self.ascii.extend(std::iter::repeat_n(char::from(byte), count));
            }
            _ => self.wide.extend(std::iter::repeat_n(unit, count)),
        }
    }

    /// What was built.
    pub fn to_str(&self) -> Str {
        if self.wide.is_empty() {
            return self.ascii.as_str().into();
        }
        let mut units: Vec<u16> = self.ascii.bytes().map(u16::from).collect();
        units.extend_from_slice(&self.wide);
        Str::from_units(&units)
    }
}

impl From<&Str> for Builder {
    fn from(text: &Str) -> Self {
        let mut it = Self::default();
        it.push(text);
        it
    }
}

#[cfg(test)]
mod tests {
    use super::Builder;

    #[test]
    fn text_grows_at_its_end() {
        let mut it = Builder::default();
        it.push_text("ab");
        it.push_repeated(u16::from(b'-'), 2);
        assert_eq!(it.to_str(), "ab--");
        it.push(&"é".into());
        it.push_text("z");
        it.push_repeated(0xd83d, 1);
        it.push_repeated(0xde00, 1);
        assert_eq!(it.to_str(), "ab--éz😀");
        assert_eq!((it.len(), it.is_empty()), (8, false));
    }
}
