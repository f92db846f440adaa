//! From the context's URL to the one that is called.

use bytes::Bytes;
use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pipeline::{PolicyError, RequestUrl, connection_failure};

/// What may not stand in a path or query as it is; policies can put anything there.
const FORBIDDEN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// The absolute URI; `ws` and `wss` are called over `http` and `https`.
pub(super) fn uri(url: &RequestUrl) -> Result<Uri, PolicyError> {
    let base = url.base();
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(match base.scheme() {
        "http" | "ws" => Scheme::HTTP,
        _ => Scheme::HTTPS,
    });
    let refused = || connection_failure(format!("`{}` is no URL that can be called.", base));
    parts.authority = Some(base.uri_authority().ok_or_else(refused)?.clone());
    let path = url.path_and_query();
    // Looks at every byte, which the compiler makes a few instructions for many at a time.
    let is_unclean = path.bytes().fold(false, |found, it| {
        found | !it.is_ascii_graphic() | matches!(it, b'"' | b'#' | b'<' | b'>')
    });
    let path = if !is_unclean { path } else { utf8_percent_encode(&path, FORBIDDEN).to_string() };
    // Of all owned texts only `Bytes` are taken over without a copy.
    let path = PathAndQuery::from_maybe_shared(Bytes::from(path)).map_err(|_| refused())?;
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::{BaseUrl, RequestUrl};

    use super::uri;

    #[test]
    fn base_path_and_query_make_the_uri() {
        for (base, below, query, expected) in [
            ("https://h/openai", "/x", "a=b", "https://h/openai/x?a=b"),
            ("http://h:8080", "", "", "http://h:8080/"),
            ("wss://h/", "/x/", "", "https://h/x/"),
            ("https://h", "/a b/é#", "q=\"", "https://h/a%20b/%C3%A9%23?q=%22"),
            ("https://h", "/a%20b", "q=%2f", "https://h/a%20b?q=%2f"),
        ] {
            let base = Arc::new(BaseUrl::parse(base).unwrap());
            let url = RequestUrl::new(base, below, query);
            assert_eq!(uri(&url).unwrap().to_string(), expected);
        }
    }
}
