//! Taking keys out of what is logged and traced.

use std::borrow::Cow;

/// Query parameters whose values are never shown: keys of the gateway and of Azure OpenAI, tokens
/// of browser clients in WebSocket URLs, codes and signatures.
const SECRET_PARAMETERS: &[&str] = &[
    "subscription-key",
    "api-key",
    "authorization",
    "access_token",
    "client_secret",
    "code",
    "sig",
];

/// The WebSocket subprotocol in which OpenAI's browser client sends its key.
const SECRET_PROTOCOL: &str = "openai-insecure-api-key.";

/// Stands for what is not shown.
pub const HIDDEN: &str = "***";

/// The URL with the values of secret query parameters hidden. `also` names one more parameter,
/// for instance an API's own name for the subscription key. Letter case does not matter.
#[must_use]
pub fn url<'a>(url: &'a str, also: Option<&str>) -> Cow<'a, str> {
    let Some((path, query)) = url.split_once('?') else { return Cow::Borrowed(url) };
    let is_secret = |name: &str| is_secret_parameter(name, also);
    let name = |pair: &'a str| pair.split('=').next().unwrap_or_default();
    if !query.split('&').any(|it| is_secret(&decode(name(it)))) {
        return Cow::Borrowed(url);
    }
    let mut text = String::with_capacity(url.len());
    text.push_str(path);
    for (number, pair) in query.split('&').enumerate() {
        text.push(if number == 0 { '?' } else { '&' });
        if is_secret(&decode(name(pair))) {
            text.push_str(name(pair));
            text.push('=');
            text.push_str(HIDDEN);
        } else {
            text.push_str(pair);
        }
    }
    Cow::Owned(text)
}

/// Whether the value of a query parameter of this name, decoded, is never shown. `also` as in [`url`].
#[must_use]
pub fn is_secret_parameter(name: &str, also: Option<&str>) -> bool {
    SECRET_PARAMETERS.iter().copied().chain(also).any(|it| it.eq_ignore_ascii_case(name))
}

/// The value of `Sec-WebSocket-Protocol` with keys hidden.
#[must_use]
pub fn protocols(value: &str) -> Cow<'_, str> {
    if !value.to_ascii_lowercase().contains(SECRET_PROTOCOL) {
        return Cow::Borrowed(value);
    }
    let shown = value.split(',').map(|it| {
        let it = it.trim();
        match it.get(..SECRET_PROTOCOL.len()) {
            Some(start) if start.eq_ignore_ascii_case(SECRET_PROTOCOL) => {
                Cow::Owned(format!("{start}{HIDDEN}"))
            }
            _ => Cow::Borrowed(it),
        }
    });
    Cow::Owned(shown.collect::<Vec<_>>().join(", "))
}

/// Percent-decodes a name, so that `api%2Dkey` does not slip through.
fn decode(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let bytes = name.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|it| char::from(*it).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{protocols, url};

    #[test]
    fn keys_in_queries_are_hidden() {
        for (given, expected) in [
            ("/a?subscription-key=s3&x=y", "/a?subscription-key=***&x=y"),
            ("https://h/a?x=y&API-KEY=s3", "https://h/a?x=y&API-KEY=***"),
            (
                "/a?Authorization=Bearer%20s3&Authorization=s3",
                "/a?Authorization=***&Authorization=***",
            ),
            ("/a?api%2Dkey=s3", "/a?api%2Dkey=***"),
            ("/a?api%2-key=%zz&api-key", "/a?api%2-key=%zz&api-key=***"),
            ("/a?own=s3", "/a?own=***"),
        ] {
            assert_eq!(url(given, Some("own")), expected);
        }
    }

    #[test]
    fn a_url_without_keys_is_not_copied() {
        for given in ["/a", "/a?b=c&api-version=1", "/api-key=x"] {
            assert!(matches!(url(given, None), Cow::Borrowed(it) if it == given));
        }
    }

    #[test]
    fn the_key_in_a_subprotocol_is_hidden() {
        assert_eq!(
            protocols("realtime, openai-insecure-api-key.s3, x"),
            "realtime, openai-insecure-api-key.***, x"
        );
        assert_eq!(protocols("realtime"), "realtime");
    }
}
