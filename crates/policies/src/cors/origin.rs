//! Origins: what `<origin>` allows, and what a request's `Origin` is compared with.
//!
//! Source: RFC 6454, sections 4 and 6

use pipeline::{Convert, Unfit};
use url::Url;

/// What one `<origin>` allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `*`: every origin.
    Any,
    /// One origin in its normal form.
    One(String),
    /// A text that is no origin: nothing.
    Nothing,
}

/// Nothing is refused: what is no origin allows nothing, and loading says so.
impl Convert for Origin {
    const TAKES_NULL: bool = true;

    fn from_text(text: &str) -> Result<Origin, Unfit> {
        let text = text.trim();
        Ok(match text {
            "*" => Origin::Any,
            _ => normal(text).filter(|it| !it.contains('*')).map_or(Origin::Nothing, Origin::One),
        })
    }
}

/// Scheme and host in lower case, the port unless it is the scheme's own, no slash at the end.
/// `None` if the text is no origin.
pub(super) fn normal(text: &str) -> Option<String> {
    if text == "null" {
        return Some(text.to_owned());
    }
    let (scheme, rest) = text.split_once("://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let is_host = |it: char| !it.is_whitespace() && !it.is_control() && !"/?#@\\,\"'".contains(it);
    if scheme.is_empty() || rest.is_empty() || !rest.chars().all(is_host) {
        return None;
    }
    if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") {
        // Host names beyond ASCII are compared as browsers send them.
        let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
        return Some(url.origin().ascii_serialization());
    }
    let is_scheme = |it: u8| it.is_ascii_alphanumeric() || b"+-.".contains(&it);
    scheme.bytes().all(is_scheme).then(|| text_of(scheme, rest))
}

fn text_of(scheme: &str, rest: &str) -> String {
    format!("{}://{}", scheme.to_ascii_lowercase(), rest.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_in_their_normal_form() {
        for (text, expected) in [
            ("https://Contoso.com", Some("https://contoso.com")),
            ("HTTPS://contoso.com:443/", Some("https://contoso.com")),
            ("http://contoso.com:80", Some("http://contoso.com")),
            ("http://localhost:8080/", Some("http://localhost:8080")),
            ("https://contoso.com:8443", Some("https://contoso.com:8443")),
            ("https://bücher.example", Some("https://xn--bcher-kva.example")),
            ("capacitor://LocalHost", Some("capacitor://localhost")),
            ("null", Some("null")),
            ("contoso.com", None),
            ("https://contoso.com/path", None),
            ("https://user@contoso.com", None),
            ("https://a.test, https://b.test", None),
            ("://x", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(normal(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_allows_nothing() {
        for (text, expected) in [
            ("*", Origin::Any),
            (" https://a.test/ ", Origin::One("https://a.test".to_owned())),
            ("https://*.a.test", Origin::Nothing),
            ("a.test", Origin::Nothing),
            ("", Origin::Nothing),
        ] {
            assert_eq!(Origin::from_text(text).unwrap(), expected, "{text}");
        }
    }
}
