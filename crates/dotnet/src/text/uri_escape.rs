//! The canonical escapes of a URI's parts.
//!
//! Source: RFC 3986, sections 2.3 and 6.2.2.2.

use super::web::escape;

/// What may stand in a URI besides letters and digits.
pub(super) const ALLOWED: &[u8] = b"-_.~:/?#[]@!$&'()*+,;=%";

/// Escapes what may not stand in a URI, decodes what need not be escaped.
pub(super) fn canonical(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        plain.push_str(before);
        let digits = tail.as_bytes().get(1..3);
        let escape = digits.is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit));
        plain.push_str(if escape { "%" } else { "%25" });
        rest = tail.get(1..).unwrap_or_default();
    }
    plain.push_str(rest);
    let decoded = unescape_upper(&plain);
    escape(&decoded, |byte| byte.is_ascii_alphanumeric() || ALLOWED.contains(&byte))
}

/// Decodes the escapes of unreserved ASCII, leaves the others as they are.
fn unescape_upper(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let (triple, after) = tail.split_at_checked(3).unwrap_or((tail, ""));
        let value = triple.get(1..).and_then(|it| u8::from_str_radix(it, 16).ok());
        match value {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
                out.push(char::from(byte));
            }
            _ => out.push_str(triple),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn escapes_are_made_or_taken_away_as_needed() {
        for (text, expected) in
            [("a b", "a%20b"), ("%41%2F%zz", "A%2F%25zz"), ("é", "%C3%A9"), ("a|b", "a%7Cb")]
        {
            assert_eq!(canonical(text), expected);
        }
    }
}
