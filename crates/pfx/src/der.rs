//! The little of ASN.1 that keys and PKCS #12 need: tag, length, content. Read in DER and in BER,
//! written in DER.
//!
//! Older programs write lengths that are not known in advance and octet strings in pieces; both are
//! read. Numbers of tags above 30 do not occur.
//!
//! Source: ITU-T X.690, section 8.1.

use std::borrow::Cow;

use zeroize::Zeroizing;

/// Elements within elements, no deeper than any real file goes.
const MAX_DEPTH: usize = 24;
const CONSTRUCTED: u8 = 0x20;

/// A number.
pub const INTEGER: u8 = 0x02;
/// A string of bits.
pub const BITS: u8 = 0x03;
/// A string of bytes.
pub const OCTETS: u8 = 0x04;
/// An object identifier.
pub const OID: u8 = 0x06;
/// A sequence.
pub const SEQUENCE: u8 = 0x30;
/// A set.
pub const SET: u8 = 0x31;
/// `[0]`, constructed.
pub const CONTEXT_0: u8 = 0xA0;

/// One element: its tag and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its tag.
    pub tag: u8,
    /// What it holds.
    pub content: &'a [u8],
    /// With tag and length, as it stands.
    pub whole: &'a [u8],
}

/// Elements, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Is there nothing more?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is. `None` at the end and where nothing can be read.
    pub fn take(&mut self) -> Option<Element<'a>> {
        let (element, rest) = element(self.0, MAX_DEPTH)?;
        self.0 = rest;
        Some(element)
    }

    /// The next element, if it has that tag.
    pub fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let found = ahead.take().filter(|it| it.tag == tag)?;
        *self = ahead;
        Some(found)
    }

    /// What is in the next element, which has that tag.
    pub fn within(&mut self, tag: u8) -> Option<Reader<'a>> {
        self.expect(tag).map(|it| Reader(it.content))
    }

    /// The next element as an object identifier, its bytes.
    pub fn oid(&mut self) -> Option<&'a [u8]> {
        self.expect(OID).map(|it| it.content)
    }

    /// The next element as a small number that is not negative.
    pub fn number(&mut self) -> Option<u32> {
        let content = self.expect(INTEGER)?.content;
        let digits = content.strip_prefix(&[0]).unwrap_or(content);
        let is_negative = content.first().is_none_or(|it| it & 0x80 != 0);
        if is_negative || digits.len() > 4 {
            return None;
        }
        Some(digits.iter().fold(0, |sum, digit| (sum << 8) | u32::from(*digit)))
    }

    /// The next element as an octet string.
    pub fn octets(&mut self) -> Option<Cow<'a, [u8]>> {
        self.take().filter(|it| it.tag & !CONSTRUCTED == OCTETS).and_then(|it| octets(&it))
    }
}

/// The bytes of an octet string, of any tag, put together if it is in pieces.
#[must_use]
pub fn octets<'a>(element: &Element<'a>) -> Option<Cow<'a, [u8]>> {
    if element.tag & CONSTRUCTED == 0 {
        return Some(Cow::Borrowed(element.content));
    }
    let mut pieces = Reader(element.content);
    let mut whole = Vec::with_capacity(element.content.len());
    while !pieces.is_empty() {
        // Pieces of pieces are allowed and do not occur.
        whole.extend_from_slice(pieces.expect(OCTETS)?.content);
    }
    Some(Cow::Owned(whole))
}

fn element(bytes: &[u8], depth: usize) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    if tag & 0x1F == 0x1F || depth == 0 {
        return None;
    }
    let (&first, rest) = rest.split_first()?;
    let (content, after) = match first {
        0..0x80 => rest.split_at_checked(usize::from(first))?,
        0x80 if tag & CONSTRUCTED != 0 => until_end(rest, depth)?,
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let length = length.iter().fold(0, |sum, it| (sum << 8) | usize::from(*it));
            rest.split_at_checked(length)?
        }
        _ => return None,
    };
    let whole = bytes.get(..bytes.len() - after.len())?;
    Some((Element { tag, content, whole }, after))
}

/// The content up to the mark of its end, and what follows the mark.
fn until_end(bytes: &[u8], depth: usize) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes;
    loop {
        if let Some(after) = rest.strip_prefix(&[0, 0]) {
            return Some((bytes.get(..bytes.len() - rest.len())?, after));
        }
        rest = element(rest, depth - 1)?.1;
    }
}

/// Writes an element: tag, length, content.
#[must_use]
pub fn write(tag: u8, content: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|it| **it == 0).count();
    let digits = length.get(zeros..).unwrap_or_default();
    // All in one piece, so that no copy of a key stays behind.
    let mut out = Zeroizing::new(Vec::with_capacity(content.len() + digits.len() + 2));
    out.push(tag);
    match digits {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        _ => {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0x7F));
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Writes an element that holds others.
#[must_use]
pub fn write_all<I: AsRef<[u8]>>(tag: u8, parts: &[I]) -> Zeroizing<Vec<u8>> {
    let length = parts.iter().map(|it| it.as_ref().len()).sum();
    let mut content = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        content.extend_from_slice(part.as_ref());
    }
    write(tag, &content)
}

/// Writes a number that is not negative, given with its big end first.
#[must_use]
pub fn write_number(digits: &[u8]) -> Zeroizing<Vec<u8>> {
    let zeros = digits.iter().take_while(|it| **it == 0).count();
    let digits = digits.get(zeros..).unwrap_or_default();
    // A zero keeps the sign off.
    let mut content = Zeroizing::new(Vec::with_capacity(digits.len() + 1));
    if digits.first().is_none_or(|it| it & 0x80 != 0) {
        content.push(0);
    }
    content.extend_from_slice(digits);
    write(INTEGER, &content)
}

/// Writes an object identifier in dots. Empty if it is none.
#[must_use]
pub fn write_oid(dotted: &str) -> Zeroizing<Vec<u8>> {
    let arcs: Option<Vec<u64>> = dotted.split('.').map(|it| it.parse().ok()).collect();
    let Some([first, second, rest @ ..]) = arcs.as_deref() else { return Zeroizing::default() };
    let Some(start) = first.checked_mul(40).and_then(|it| it.checked_add(*second)) else {
        return Zeroizing::default();
    };
    let mut content = Vec::new();
    for arc in [start].iter().chain(rest) {
        let n = (64 - arc.leading_zeros()).div_ceil(7).max(1);
        for at in (0..n).rev() {
            let more = if at == 0 { 0 } else { 0x80 };
            content.push(u8::try_from((arc >> (7 * at)) & 0x7F).unwrap_or(0) | more);
        }
    }
    write(OID, &content)
}

/// An object identifier in dots, `1.2.840.113549.1.7.1`.
#[must_use]
pub fn dotted(oid: &[u8]) -> String {
    let mut text = String::new();
    let mut number = 0_u64;
    for byte in oid {
        number = (number << 7) | u64::from(byte & 0x7F);
        if byte & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let first = (number / 40).min(2);
            text = format!("{first}.{}", number - first * 40);
        } else {
            text.push_str(&format!(".{number}"));
        }
        number = 0;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_follow_one_another() {
        let mut it = Reader::new(&[0x02, 1, 5, 0x30, 3, 0x06, 1, 0x2A, 0x04, 2, 7, 8]);
        assert_eq!(it.number(), Some(5));
        assert_eq!(it.expect(OCTETS), None);
        assert_eq!(it.within(SEQUENCE).unwrap().oid(), Some(&[0x2A][..]));
        assert_eq!(it.octets().as_deref(), Some(&[7, 8][..]));
        assert!(it.is_empty() && it.take().is_none());
    }

    #[test]
    fn open_lengths_and_pieces_are_read() {
        let bytes = [0x30, 0x80, 0x24, 0x80, 4, 1, 1, 4, 2, 2, 3, 0, 0, 2, 1, 9, 0, 0, 2, 1, 1];
        let mut outer = Reader::new(&bytes);
        let mut inner = outer.within(SEQUENCE).unwrap();
        assert_eq!(inner.octets().as_deref(), Some(&[1, 2, 3][..]));
        assert_eq!(inner.number(), Some(9));
        assert!(inner.is_empty());
        assert_eq!(outer.number(), Some(1));
    }

    #[test]
    fn what_cannot_be_read_ends_the_reading() {
        let deep = [0x30, 0x80].repeat(100);
        for bytes in [&[][..], &[2], &[2, 2, 1], &[2, 0x80, 0], &[0x1F, 1, 1], &[2, 0x85], &deep] {
            assert_eq!(Reader::new(bytes).take(), None, "{bytes:?}");
        }
        for bytes in [&[2, 1, 0x80][..], &[2, 0], &[2, 5, 1, 1, 1, 1, 1]] {
            assert_eq!(Reader::new(bytes).number(), None, "{bytes:?}");
        }
        assert_eq!(Reader::new(&[2, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF]).number(), Some(u32::MAX));
    }

    #[test]
    fn what_is_written_is_read() {
        for oid in ["1.2.840.113549.1.7.1", "2.5.29.17", "2.16.840.1.101.3.4.2.1", "0.9.2342"] {
            assert_eq!(dotted(Reader::new(&write_oid(oid)).oid().unwrap()), oid);
        }
        assert!(write_oid("RSA").is_empty() && write_oid("").is_empty());
        assert_eq!(*write_number(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(*write_number(&[]), [2, 1, 0]);
        for n in [0, 127, 128, 255, 256, 70_000] {
            let written = write_all(SEQUENCE, &[write(OCTETS, &vec![7; n])]);
            let mut inner = Reader::new(&written).within(SEQUENCE).unwrap();
            assert_eq!(inner.octets().unwrap().len(), n);
        }
    }

    #[test]
    fn identifiers_are_shown_in_dots() {
        assert_eq!(dotted(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1]), "1.2.840.113549.1.7.1");
        assert_eq!(dotted(&[0x60, 0x86, 0x48]), "2.16.840");
    }
}
