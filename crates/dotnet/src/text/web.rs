//! Percent-encoding and HTML entities: `Uri.EscapeDataString`, `WebUtility` and their like.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.net.webutility>

use std::fmt::Write as _;

use super::entities::ENTITIES;

/// `Uri.EscapeDataString`: everything but the unreserved characters of RFC 3986.
pub fn escape_data(text: &str) -> String {
    escape(text, |byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

/// `Uri.EscapeUriString`: reserved characters stay, too.
pub fn escape_uri(text: &str) -> String {
    escape(text, |byte| byte.is_ascii_alphanumeric() || b"-_.~:/?#[]@!$&'()*+,;=".contains(&byte))
}

/// Percent-encodes the UTF-8 bytes that are not kept.
pub fn escape(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if keep(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `Uri.UnescapeDataString`: what is not well-formed UTF-8 stays escaped.
pub fn unescape_data(text: &str) -> String {
    unescape(text, |_| true)
}

/// Decodes the escapes whose characters `wanted` accepts; ill-formed ones stay as they are.
pub fn unescape(text: &str, wanted: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        let (before, escapes) = rest.split_at_checked(start).unwrap_or((rest, ""));
        out.push_str(before);
        let bytes: Vec<u8> = escaped_bytes(escapes);
        if bytes.is_empty() {
            out.push('%');
            rest = escapes.get(1..).unwrap_or_default();
            continue;
        }
        for chunk in bytes.utf8_chunks() {
            for ch in chunk.valid().chars() {
                if wanted(ch) {
                    out.push(ch);
                } else {
                    out.push_str(&escape(ch.encode_utf8(&mut [0; 4]), |_| false));
                }
            }
            for byte in chunk.invalid() {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        rest = escapes.get(bytes.len() * 3..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The bytes of the escapes that a text starts with.
fn escaped_bytes(text: &str) -> Vec<u8> {
    let (triples, _) = text.as_bytes().as_chunks::<3>();
    triples.iter().map_while(|triple| escaped(*triple)).collect()
}

fn escaped([percent, high, low]: [u8; 3]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    if percent != b'%' {
        return None;
    }
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// `WebUtility.UrlEncode`: a space becomes `+`.
pub fn url_encode(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!*() ".contains(&byte);
    escape(text, keep).replace(' ', "+")
}

/// `WebUtility.UrlEncodeToBytes`: the same of any bytes.
pub fn url_encode_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' ' => out.push(b'+'),
            _ if byte.is_ascii_alphanumeric() || b"-_.!*()".contains(byte) => out.push(*byte),
            _ => out.extend(format!("%{byte:02X}").bytes()),
        }
    }
    out
}

/// `WebUtility.UrlDecode`: `+` becomes a space, ill-formed UTF-8 becomes U+FFFD.
pub fn url_decode(text: &str) -> String {
    String::from_utf8_lossy(&url_decode_bytes(text.as_bytes())).into_owned()
}

/// `WebUtility.UrlDecodeToBytes`: the same without reading the bytes as text.
pub fn url_decode_bytes(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let triple = rest.first_chunk::<3>().and_then(|it| escaped(*it));
        if let Some(byte) = triple {
            bytes.push(byte);
            rest = rest.get(3..).unwrap_or_default();
            continue;
        }
        bytes.push(if *first == b'+' { b' ' } else { *first });
        rest = tail;
    }
    bytes
}

/// `WebUtility.HtmlEncode`.
pub fn html_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '\u{a0}'..='\u{ff}' | '\u{10000}'.. => {
                let _ = write!(out, "&#{};", u32::from(ch));
            }
            other => out.push(other),
        }
    }
    out
}

/// `WebUtility.HtmlDecode`: the named entities of HTML 4 and numeric ones; others stay.
pub fn html_decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        let (before, entity) = rest.split_at_checked(start).unwrap_or((rest, ""));
        out.push_str(before);
        let body = entity.get(1..).unwrap_or_default();
        let end = body.find([';', '&']).filter(|it| body.as_bytes().get(*it) == Some(&b';'));
        let decoded = end.and_then(|it| body.get(..it)).and_then(entity_char);
        match (decoded, end) {
            (Some(ch), Some(end)) => {
                out.push(ch);
                rest = body.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push('&');
                rest = body;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity_char(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let value = match number.strip_prefix(['x', 'X']) {
            Some(digits) if !digits.starts_with('+') => u32::from_str_radix(digits, 16).ok()?,
            Some(_) => return None,
            None if number.starts_with('+') => return None,
            None => number.parse().ok()?,
        };
        return char::from_u32(value);
    }
    let index = ENTITIES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    ENTITIES.get(index).map(|(_, ch)| *ch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_escape_has_its_own_set() {
        let text = "a b&c=d/é?+~*()'!";
        assert_eq!(escape_data(text), "a%20b%26c%3Dd%2F%C3%A9%3F%2B~%2A%28%29%27%21");
        assert_eq!(escape_uri(text), "a%20b&c=d/%C3%A9?+~*()'!");
        assert_eq!(url_encode(text), "a+b%26c%3Dd%2F%C3%A9%3F%2B%7E*()%27!");
        assert_eq!(escape_data("100%"), "100%25");
    }

    #[test]
    fn ill_formed_escapes_stay() {
        for (text, expected) in
            [("%zz%4", "%zz%4"), ("%E2%82", "%E2%82"), ("%C3%A9%", "é%"), ("a%20b+", "a b+")]
        {
            assert_eq!(unescape_data(text), expected);
        }
        assert_eq!(url_decode("a+b%26c%3Dd%2F%C3%A9"), "a b&c=d/é");
        assert_eq!(url_decode("%zz%4"), "%zz%4");
    }

    #[test]
    fn html_is_encoded_and_decoded() {
        let text = "<a href=\"x\">'&é€</a>";
        let html = "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#233;€&lt;/a&gt;";
        assert_eq!(html_encode(text), html);
        assert_eq!(html_decode(html), text);
        for (html, expected) in [
            ("&euro;&#x20AC;&nbsp;", "€€\u{a0}"),
            ("&nope; & &", "&nope; & &"),
            ("&&lt;", "&<"),
            ("&Alpha;&alpha;", "Αα"),
            ("&#xD800;", "&#xD800;"),
        ] {
            assert_eq!(html_decode(html), expected);
        }
    }

    #[test]
    fn entities_are_sorted_and_complete() {
        assert!(ENTITIES.windows(2).all(|it| it[0].0 < it[1].0));
        assert_eq!(ENTITIES.len(), 253);
    }

    proptest::proptest! {
        #[test]
        fn what_is_escaped_unescapes(text: String) {
            proptest::prop_assert_eq!(unescape_data(&escape_data(&text)), text.clone());
            proptest::prop_assert_eq!(url_decode(&url_encode(&text)), text.clone());
            proptest::prop_assert_eq!(html_decode(&html_encode(&text)), text);
        }
    }
}
