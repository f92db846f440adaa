//! Text alone, and what all methods share: escaping and encoding.

use std::fmt::Write;

use super::Sink;
use crate::document::{Document, Kind};
use crate::limits::Failure;
use crate::sheet::Encoding;

/// The text method: the texts of the tree.
pub(super) fn write(tree: &Document, mut sink: Sink) -> Result<String, Failure> {
    for id in 0..tree.len() {
        if tree.kind(id) == Kind::Text {
            sink.push(&lines(tree.value(id)));
            sink.check()?;
        }
    }
    Ok(sink.text)
}

/// Line breaks as they are written.
pub(super) fn lines(text: &str) -> std::borrow::Cow<'_, str> {
    match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n").into(),
        false => text.into(),
    }
}

/// Which characters are written as references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    Attribute,
    HtmlText,
    HtmlAttribute,
}

impl Sink {
    /// Text with references for what may not stand as it is, or not in the encoding.
    pub(super) fn escaped(&mut self, text: &str, place: Place) {
        let text = match place {
            Place::Text | Place::HtmlText => &*lines(text),
            Place::Attribute | Place::HtmlAttribute => text,
        };
        let mut rest = text;
        while let Some(at) = rest.find(|it: char| is_special(it, self.encoding)) {
            let (before, after) = rest.split_at(at);
            self.push(before);
            let Some(it) = after.chars().next() else { break };
            rest = after.get(it.len_utf8()..).unwrap_or("");
            match reference(it, place, rest) {
                Some(text) => self.push(text),
                None if is_encodable(it, self.encoding) => self.text.push(it),
                None => self.number(it),
            }
        }
        self.push(rest);
    }

    fn number(&mut self, it: char) {
        // Writing to a string does not fail.
        let _ = write!(self.text, "&#x{:X};", u32::from(it));
    }
}

fn is_special(it: char, encoding: Encoding) -> bool {
    matches!(it, '<' | '>' | '&' | '"' | '\n' | '\r' | '\t') || !is_encodable(it, encoding)
}

pub(super) fn is_encodable(it: char, encoding: Encoding) -> bool {
    match encoding {
        Encoding::Utf8 | Encoding::Utf16 => true,
        Encoding::Latin1 => u32::from(it) < 0x100,
        Encoding::Ascii => it.is_ascii(),
    }
}

fn reference(it: char, place: Place, rest: &str) -> Option<&'static str> {
    let is_text = matches!(place, Place::Text | Place::HtmlText);
    Some(match (it, place) {
        // A script in an HTML attribute: `&{`.
        ('&', Place::HtmlAttribute) if rest.starts_with('{') => return None,
        ('&', _) => "&amp;",
        ('<' | '>', Place::HtmlAttribute) => return None,
        ('<', _) => "&lt;",
        ('>', _) => "&gt;",
        ('"', _) if !is_text => "&quot;",
        ('\n', _) if !is_text => "&#xA;",
        ('\r', _) if !is_text => "&#xD;",
        ('\t', Place::Attribute) => "&#x9;",
        _ => return None,
    })
}

/// The bytes of a written result. What a method could not write as a reference becomes `?`.
pub(crate) fn encoded(text: String, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.into_bytes(),
        Encoding::Utf16 => {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        }
        Encoding::Latin1 => {
            text.chars().map(|it| u8::try_from(u32::from(it)).unwrap_or(b'?')).collect()
        }
        Encoding::Ascii => {
            text.chars().map(|it| if it.is_ascii() { it as u8 } else { b'?' }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str, place: Place, encoding: Encoding) -> String {
        let mut sink = Sink { text: String::new(), max_bytes: 1000, encoding };
        sink.escaped(text, place);
        sink.text
    }

    #[test]
    fn each_place_has_its_references() {
        let text = "<&>\"\n\r\t\u{e9}\u{20ac}";
        for (place, encoding, expected) in [
            (Place::Text, Encoding::Utf8, "&lt;&amp;&gt;\"\n\n\t\u{e9}\u{20ac}"),
            (
                Place::Attribute,
                Encoding::Latin1,
                "&lt;&amp;&gt;&quot;&#xA;&#xD;&#x9;\u{e9}&#x20AC;",
            ),
            (Place::HtmlAttribute, Encoding::Ascii, "<&amp;>&quot;&#xA;&#xD;\t&#xE9;&#x20AC;"),
        ] {
            assert_eq!(escaped(text, place, encoding), expected, "{place:?}");
        }
        assert_eq!(escaped("&{x}", Place::HtmlAttribute, Encoding::Utf8), "&{x}");
    }

    #[test]
    fn every_encoding_has_its_bytes() {
        for (encoding, bytes) in [
            (Encoding::Utf8, &b"\xc3\xa9\xe2\x82\xac"[..]),
            (Encoding::Utf16, b"\xff\xfe\xe9\0\xac\x20"),
            (Encoding::Latin1, b"\xe9?"),
            (Encoding::Ascii, b"??"),
        ] {
            assert_eq!(encoded("\u{e9}\u{20ac}".to_owned(), encoding), bytes);
        }
    }
}
