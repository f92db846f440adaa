//! Strict base64url as JOSE wants it, and the looser Base64 of policy documents.
//!
//! A segment of a token has exactly one spelling: no padding, no white space, no stray bits in
//! the last character. Anything else is refused, so that a token has one text form.
//!
//! Source: RFC 7515, section 2; RFC 4648, sections 3.5 and 5.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Decodes one segment of a compact token; `None` if it is not the canonical spelling.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes as a segment of a compact token.
#[cfg(test)]
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes a member of a JWK, or `n` and `e` of a policy: padding is tolerated at the end.
pub(crate) fn decode_member(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).ok()
}

/// Decodes a key that a policy document gives as Base64 text.
///
/// White space is ignored, as .NET does; both alphabets and missing padding are tolerated.
pub(crate) fn decode_key_text(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.chars().filter(|it| !it.is_ascii_whitespace()).collect();
    let bare = compact.trim_end_matches('=');
    if compact.len() - bare.len() > 2 || bare.is_empty() {
        return None;
    }
    STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_has_one_spelling() {
        assert_eq!(decode("AQAB"), Some(vec![1, 0, 1]));
        assert_eq!(decode("AQ"), Some(vec![1]));
        for wrong in ["AQ==", "AR", "A", "AQ AB", "AQ\n", "+/8", "ÄÄÄÄ"] {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn key_text_tolerates_what_people_paste() {
        for text in ["+/8=", "+/8", "-_8", " +/\n8= "] {
            assert_eq!(decode_key_text(text), Some(vec![0xfb, 0xff]), "{text:?}");
        }
        for wrong in ["", "====", "not base64!", "+_8"] {
            assert_eq!(decode_key_text(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_member_of_a_key_may_be_padded() {
        assert_eq!(decode_member("AQ=="), Some(vec![1]));
    }
}
