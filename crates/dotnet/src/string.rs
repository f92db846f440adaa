//! `System.String`: immutable text of UTF-16 units, as .NET counts them.
//!
//! ASCII text (nearly all text of HTTP) is kept as it is, since its units are its bytes. Anything
//! else keeps its units, for positions, together with its UTF-8 text. Lone surrogates are kept in
//! the units; in the UTF-8 text they are U+FFFD.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.string>

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// A .NET string. Cloning copies a pointer.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    /// ASCII only.
    Static(&'static str),
    /// ASCII only.
    Ascii(Arc<str>),
    /// ASCII only: a long text that was put together, kept where it was made.
    Built(Arc<Box<str>>),
    Wide(Arc<Wide>),
}

/// From this length on a text that was put together is not copied once more.
const BUILT_BYTES: usize = 128;

struct Wide {
    units: Box<[u16]>,
    text: Box<str>,
}

impl Str {
    /// The empty string.
    pub const EMPTY: Self = Self(Repr::Static(""));

    /// Text of a constant: no allocation if it is ASCII.
    #[inline]
    #[must_use]
    pub fn from_static(text: &'static str) -> Self {
        if text.is_ascii() { Self(Repr::Static(text)) } else { Self::wide(text.into()) }
    }

    /// A string of UTF-16 units, which need not be well-formed.
    #[must_use]
    pub fn from_units(units: &[u16]) -> Self {
        if units.is_empty() {
            return Self::EMPTY;
        }
        if units.iter().all(|it| *it < 0x80) {
            let text: String = units.iter().map(|it| char::from(it.to_le_bytes()[0])).collect();
            return Self::built(text);
        }
        let text = String::from_utf16_lossy(units).into_boxed_str();
        Self(Repr::Wide(Arc::new(Wide { units: units.into(), text })))
    }

    /// One UTF-16 unit.
    #[must_use]
    pub fn from_unit(unit: u16) -> Self {
        Self::from_units(&[unit])
    }

    /// A part of an ASCII text.
    fn ascii(text: &str) -> Self {
        if text.is_empty() { Self::EMPTY } else { Self(Repr::Ascii(text.into())) }
    }

    /// An ASCII text that was put together.
    fn built(text: String) -> Self {
        match text.len() {
            0 => Self::EMPTY,
            1..BUILT_BYTES => Self(Repr::Ascii(text.into())),
            _ => Self(Repr::Built(Arc::new(text.into_boxed_str()))),
        }
    }

    fn wide(text: Box<str>) -> Self {
        let units = text.encode_utf16().collect();
        Self(Repr::Wide(Arc::new(Wide { units, text })))
    }

    /// As UTF-8; lone surrogates are U+FFFD.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Static(text) => text,
            Repr::Ascii(text) => text,
            Repr::Built(text) => text,
            Repr::Wide(wide) => &wide.text,
        }
    }

    /// The bytes if all are ASCII: then position in bytes and in units are the same.
    #[inline]
    #[must_use]
    pub fn as_ascii(&self) -> Option<&str> {
        match &self.0 {
            Repr::Static(text) => Some(text),
            Repr::Ascii(text) => Some(text),
            Repr::Built(text) => Some(text),
            Repr::Wide(_) => None,
        }
    }

    /// `Length`: UTF-16 units.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Static(text) => text.len(),
            Repr::Ascii(text) => text.len(),
            Repr::Built(text) => text.len(),
            Repr::Wide(wide) => wide.units.len(),
        }
    }

    /// Is `Length` zero?
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The unit at a position.
    #[inline]
    #[must_use]
    pub fn unit(&self, index: usize) -> Option<u16> {
        match &self.0 {
            Repr::Static(text) => text.as_bytes().get(index).map(|it| u16::from(*it)),
            Repr::Ascii(text) => text.as_bytes().get(index).map(|it| u16::from(*it)),
            Repr::Built(text) => text.as_bytes().get(index).map(|it| u16::from(*it)),
            Repr::Wide(wide) => wide.units.get(index).copied(),
        }
    }

    /// All units; free for text that is not ASCII.
    #[inline]
    #[must_use]
    pub fn units(&self) -> Cow<'_, [u16]> {
        match &self.0 {
            Repr::Wide(wide) => Cow::Borrowed(&wide.units),
            _ => Cow::Owned(self.as_str().bytes().map(u16::from).collect()),
        }
    }

    /// Part of the string, in units; `None` if it reaches outside.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        if range.start == 0 && range.end == self.len() {
            return Some(self.clone());
        }
        match &self.0 {
            Repr::Static(text) => text.get(range).map(|it| Self(Repr::Static(it))),
            Repr::Ascii(text) => text.get(range).map(Self::ascii),
            Repr::Built(text) => text.get(range).map(Self::ascii),
            Repr::Wide(wide) => wide.units.get(range).map(Self::from_units),
        }
    }

    /// This and another, one after the other.
    #[must_use]
    pub fn concat(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        if let (Some(a), Some(b)) = (self.as_ascii(), other.as_ascii()) {
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(a);
            text.push_str(b);
            return Self::built(text);
        }
        let mut units = self.units().into_owned();
        units.extend_from_slice(&other.units());
        Self::from_units(&units)
    }

    /// Several strings, one after the other.
    #[must_use]
    pub fn concat_all(parts: &[Self]) -> Self {
        if parts.iter().all(|it| it.as_ascii().is_some()) {
            let mut text = String::with_capacity(parts.iter().map(Self::len).sum());
            parts.iter().for_each(|it| text.push_str(it.as_str()));
            return Self::built(text);
        }
        let mut units = Vec::with_capacity(parts.iter().map(Self::len).sum());
        parts.iter().for_each(|it| units.extend_from_slice(&it.units()));
        Self::from_units(&units)
    }

    /// Does the UTF-8 text stand for exactly this string: no lone surrogate in it?
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        match &self.0 {
            Repr::Wide(wide) => {
                !wide.text.contains('\u{FFFD}')
                    || char::decode_utf16(wide.units.iter().copied()).all(|it| it.is_ok())
            }
            _ => true,
        }
    }

    /// How many bytes the string holds, for the budget.
    #[inline]
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.0 {
            Repr::Static(_) => 0,
            Repr::Ascii(text) => text.len(),
            Repr::Built(text) => text.len(),
            Repr::Wide(wide) => wide.units.len() * 2 + wide.text.len(),
        }
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        if text.is_empty() {
            Self::EMPTY
        } else if text.is_ascii() {
            Self(Repr::Ascii(text.into()))
        } else {
            Self::wide(text.into())
        }
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        if text.is_empty() {
            Self::EMPTY
        } else if text.is_ascii() {
            Self::built(text)
        } else {
            Self::wide(text.into_boxed_str())
        }
    }
}

impl From<Arc<str>> for Str {
    fn from(text: Arc<str>) -> Self {
        if text.is_ascii() { Self(Repr::Ascii(text)) } else { Self::wide(text.as_ref().into()) }
    }
}

impl From<Cow<'_, str>> for Str {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::from(text),
            Cow::Owned(text) => Self::from(text),
        }
    }
}

/// Ordinal equality, unit by unit.
impl PartialEq for Str {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Wide(a), Repr::Wide(b)) => a.units == b.units,
            (Repr::Wide(_), _) | (_, Repr::Wide(_)) => false,
            _ => self.as_str() == other.as_str(),
        }
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other && self.is_well_formed()
    }
}

impl PartialEq<&str> for Str {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

/// Ordinal order, unit by unit.
impl Ord for Str {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self.as_ascii(), other.as_ascii()) {
            (Some(a), Some(b)) => a.cmp(b),
            _ => self.units().cmp(&other.units()),
        }
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_utf_16_units() {
        for (text, length) in [("", 0), ("abc", 3), ("ä", 1), ("😀x", 3)] {
            assert_eq!(Str::from(text).len(), length, "{text}");
        }
    }

    #[test]
    fn slices_may_cut_a_surrogate_pair() {
        let smile = Str::from("a😀b");
        let half = smile.slice(0..2).unwrap();
        assert_eq!(half.units().as_ref(), [0x61, 0xD83D]);
        assert!(!half.is_well_formed());
        assert_eq!(half.concat(&smile.slice(2..4).unwrap()), smile);
        assert!(smile.slice(3..9).is_none());
    }

    #[test]
    fn lone_surrogates_are_not_equal_to_the_replacement_character() {
        assert_ne!(Str::from_unit(0xD800), Str::from("\u{FFFD}"));
        assert_eq!(Str::from_unit(0x41), Str::from("A"));
    }

    #[test]
    fn joined_parts_are_the_whole() {
        let parts = [Str::from("a"), Str::from("é"), Str::EMPTY];
        assert_eq!(Str::concat_all(&parts), Str::from("aé"));
        assert_eq!(Str::concat_all(&parts[..1]).as_ascii(), Some("a"));
    }
}
