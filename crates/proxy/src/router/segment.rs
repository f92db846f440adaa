//! Path segments: how they compare, and templates that mix text with parameters.
//!
//! The raw path is split at `/` and each segment decoded on its own, so `%2F` does not split.
//! Text compares without letter case; parameter values keep theirs.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a value that was decoded and is encoded again (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A segment as it is compared: decoded and in lower case. Most need no copy.
pub(crate) fn fold(segment: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase() && byte != b'%';
    if segment.bytes().all(is_plain) {
        return Cow::Borrowed(segment);
    }
    Cow::Owned(percent_decode_str(segment).decode_utf8_lossy().to_lowercase())
}

/// A template segment with text and parameters, such as `Customers('{id}')`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mixed {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Decoded, its ASCII letters in lower case, which keeps the places of bytes.
    Text(String),
    Parameter,
}

/// The value of a parameter within a segment.
pub(super) type Value<'a> = Cow<'a, str>;

impl Mixed {
    /// Reads a template segment. The names of its parameters are not part of what it matches.
    pub(super) fn parse(template: &str) -> Self {
        let mut parts = Vec::new();
        let mut at = 0;
        let text = |range: Range<usize>| {
            let text = template.get(range).unwrap_or_default();
            let text = percent_decode_str(text).decode_utf8_lossy().to_ascii_lowercase();
            (!text.is_empty()).then_some(Part::Text(text))
        };
        for placeholder in pipeline::placeholders(template) {
            parts.extend(text(at..placeholder.start));
            parts.push(Part::Parameter);
            at = placeholder.end;
        }
        parts.extend(text(at..template.len()));
        Self { parts }
    }

    /// Bytes of text: of two mixed segments, the one with more text is tried first.
    pub(super) fn n_text_bytes(&self) -> usize {
        self.parts.iter().map(|it| if let Part::Text(text) = it { text.len() } else { 0 }).sum()
    }

    /// The values of the parameters, still percent-encoded, if the segment fits. Every value has
    /// at least one byte; a parameter takes as little as it can.
    pub(super) fn matches<'a>(&self, raw: &'a str) -> Option<Vec<Value<'a>>> {
        if !raw.contains('%') {
            let ranges = self.ranges(raw)?;
            return ranges.into_iter().map(|it| raw.get(it).map(Cow::Borrowed)).collect();
        }
        let decoded = percent_decode_str(raw).decode_utf8().ok()?;
        let ranges = self.ranges(&decoded)?;
        let encode =
            |it| Some(Cow::Owned(utf8_percent_encode(decoded.get(it)?, UNRESERVED).to_string()));
        ranges.into_iter().map(encode).collect()
    }

    fn ranges(&self, segment: &str) -> Option<Vec<Range<usize>>> {
        let lower = segment.to_ascii_lowercase();
        let mut values = Vec::new();
        let mut at = 0;
        // Where the parameter begins whose end is not known yet.
        let mut open = None;
        for (number, part) in self.parts.iter().enumerate() {
            let Part::Text(text) = part else {
                open = Some(at);
                continue;
            };
            let is_last = number + 1 == self.parts.len();
            let start = match open.take() {
                None => lower.get(at..)?.starts_with(text.as_str()).then_some(at)?,
                Some(begin) => {
                    let first = begin + segment.get(begin..)?.chars().next()?.len_utf8();
                    let start = if is_last {
                        let start = lower.len().checked_sub(text.len())?;
                        lower.ends_with(text.as_str()).then_some(start).filter(|it| *it >= first)?
                    } else {
                        first + lower.get(first..)?.find(text.as_str())?
                    };
                    values.push(begin..start);
                    start
                }
            };
            at = start + text.len();
        }
        match open {
            Some(begin) if begin < segment.len() => values.push(begin..segment.len()),
            Some(_) => return None,
            None if at == segment.len() => {}
            None => return None,
        }
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Mixed, fold};

    fn values(template: &str, segment: &str) -> Option<Vec<String>> {
        let values = Mixed::parse(template).matches(segment);
        values.map(|it| it.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn segments_compare_decoded_and_without_case() {
        assert!(matches!(fold("orders-1"), Cow::Borrowed("orders-1")));
        assert_eq!(fold("OrDers"), "orders");
        assert_eq!(fold("a%20B%2Fc"), "a b/c");
        assert_eq!(fold("STRAßE%C3%84"), "straßeä");
    }

    #[test]
    fn text_and_parameters_are_told_apart() {
        for (template, segment, expected) in [
            ("Customers('{id}')", "customers('7')", Some(vec!["7"])),
            ("Customers('{id}')", "customers('')", None),
            ("{name}.json", "a.b.JSON", Some(vec!["a.b"])),
            ("{name}.json", ".json", None),
            ("{a}-{b}", "x-y-z", Some(vec!["x", "y-z"])),
            ("{a}-{b}", "x-", None),
            ("{a}-{b}.{c}", "x-y.z", Some(vec!["x", "y", "z"])),
            ("v{n}", "V12", Some(vec!["12"])),
            ("v{n}", "v", None),
            ("{a}.x", "é.x", Some(vec!["é"])),
        ] {
            let expected = expected.map(|it| it.into_iter().map(str::to_owned).collect());
            assert_eq!(values(template, segment), expected, "{template} {segment}");
        }
    }

    #[test]
    fn values_stay_encoded() {
        assert_eq!(values("{a}.x", "p%2Fq.x").unwrap(), ["p%2Fq"]);
        assert_eq!(values("{a}.x", "p%20q%2Ex").unwrap(), ["p%20q"]);
        assert_eq!(values("{a}.x", "%ff.x"), None);
    }
}
