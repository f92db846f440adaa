//! Entity references and the decoding of literals and expressions.
//!
//! Source: XML 1.0, sections 2.11, 3.3.3 and 4.1; a bare `&` is accepted because published
//! documents rely on it.

use csharp::scan;

use crate::text::Origin;
use crate::{SourceText, Span};

/// Longest reference that is read, in bytes: `&#x0010FFFF;` has 12.
const MAX_REFERENCE_BYTES: usize = 16;

/// What kind of place a text stands in, which says how white space is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A literal attribute value: line breaks and tabs become spaces.
    Attribute,
    /// Element text, or an expression anywhere: line breaks become line feeds.
    Text,
}

/// Reads the reference at the `&` that starts `text`: its character and its length in bytes.
pub(crate) fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(MAX_REFERENCE_BYTES).position(|it| it == b';')?;
    let name = text.get(1..end)?;
    let character = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => numeric(name.strip_prefix('#')?)?,
    };
    Some((character, end + 1))
}

fn numeric(digits: &str) -> Option<char> {
    let (digits, radix) = match digits.strip_prefix('x') {
        Some(hex) => (hex, 16),
        None => (digits, 10),
    };
    if !digits.chars().all(|it| it.is_digit(radix)) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    (character >= ' ' || matches!(character, '\t' | '\n' | '\r')).then_some(character)
}

/// Whether `text` holds an `&` that starts no reference.
pub(crate) fn has_bare_ampersand(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| reference(text.get(at..).unwrap_or("")).is_none())
}

/// Whether `text` holds a reference.
pub(crate) fn has_reference(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| reference(text.get(at..).unwrap_or("")).is_some())
}

/// Decodes references and line breaks of `source`, which stands at `start`.
pub(crate) fn decode(source: &str, start: usize, place: Place) -> SourceText {
    decode_where(source, start, place, |_| true)
}

/// Reads `source` as it is, line breaks excepted.
pub(crate) fn plain(source: &str, start: usize) -> SourceText {
    decode_where(source, start, Place::Text, |_| false)
}

/// Decodes the references of an unescaped expression that stand outside of its literals.
///
/// `None` if there are none, that is: if the expression really is unescaped.
pub(crate) fn decode_code(source: &str, start: usize) -> Option<SourceText> {
    let literals = scan::literal_ranges(source);
    let is_code = |at: usize| {
        let n = literals.partition_point(|it| it.end <= at);
        literals.get(n).is_none_or(|it| at < it.start)
    };
    let is_named = |at: usize| {
        ["&lt;", "&gt;", "&amp;", "&quot;", "&apos;"]
            .iter()
            .any(|it| source.get(at..).is_some_and(|rest| rest.starts_with(it)))
    };
    source
        .match_indices('&')
        .any(|(at, _)| is_named(at) && is_code(at))
        .then(|| decode_where(source, start, Place::Text, is_code))
}

fn decode_where(
    source: &str,
    start: usize,
    place: Place,
    decodes: impl Fn(usize) -> bool,
) -> SourceText {
    let mut text = SourceText::empty(Span::new(start, start + source.len()));
    let mut from = 0;
    let special = ['&', '\r', '\n', '\t'];
    while let Some(found) = source.get(from..).and_then(|it| it.find(special)) {
        let at = from + found;
        let rest = source.get(at..).unwrap_or("");
        let (replacement, len) = match rest.as_bytes().first() {
            Some(b'&') => match reference(rest).filter(|_| decodes(at)) {
                Some((character, len)) => (Some(character), len),
                None => (None, 1),
            },
            Some(b'\r') => {
                let len = if rest.starts_with("\r\n") { 2 } else { 1 };
                (Some(if place == Place::Attribute { ' ' } else { '\n' }), len)
            }
            _ => ((place == Place::Attribute).then_some(' '), 1),
        };
        let kept = if replacement.is_some() { at } else { at + len };
        text.push_source(source.get(from..kept).unwrap_or(""), start + from);
        if let Some(character) = replacement {
            let span = Span::new(start + at, start + at + len);
            text.push(character.encode_utf8(&mut [0; 4]), span, Origin::Decoded);
        }
        from = at + len;
    }
    text.push_source(source.get(from..).unwrap_or(""), start + from);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_anything_else_is_not() {
        for (text, expected) in [
            ("&lt;x", Some(('<', 4))),
            ("&quot;", Some(('"', 6))),
            ("&#65;", Some(('A', 5))),
            ("&#x20AC;", Some(('\u{20ac}', 8))),
            ("&#0;", None),
            ("&#xD800;", None),
            ("&#+5;", None),
            ("&b=1;", None),
            ("&amp", None),
            ("&", None),
            ("&;", None),
        ] {
            assert_eq!(reference(text), expected, "{text}");
        }
    }

    #[test]
    fn literals_are_decoded_with_xml_white_space() {
        let text = decode("a&amp;b\r\nc\td&e", 0, Place::Attribute);
        assert_eq!(text.as_str(), "a&b c d&e");
        assert_eq!(text.span_of(1..2), Span::new(1, 6));
        assert_eq!(decode("a\r\nb\rc\td", 0, Place::Text).as_str(), "a\nb\nc\td");
        assert_eq!(plain("&amp;\r\n", 0).as_str(), "&amp;\n");
    }

    #[test]
    fn code_is_decoded_outside_of_its_literals_only() {
        let text = decode_code(r#"@(a &amp;&amp; b == "&lt;")"#, 0).unwrap();
        assert_eq!(text.as_str(), r#"@(a && b == "&lt;")"#);
        assert_eq!(
            decode_code("@(a == &quot;x&amp;y&quot;)", 0).unwrap().as_str(),
            "@(a == \"x&y\")"
        );
        assert_eq!(decode_code(r#"@("&amp;")"#, 0), None);
        assert_eq!(decode_code("@(a & b)", 0), None);
    }

    #[test]
    fn bare_ampersands_are_told_from_references() {
        assert!(has_bare_ampersand("a=1&b=2") && !has_bare_ampersand("&amp;&#9;"));
        assert!(has_reference("x&gt;") && !has_reference("a&b;"));
    }
}
