//! Base URLs, and the parameters of queries.

use std::borrow::Cow;
use std::fmt;

use http::uri::Authority;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a query value that a policy sets: the unreserved characters of
/// RFC 3986, section 2.3.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A base URL: of a backend, of an API's service, or of the gateway as the client wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: String,
    host: String,
    port: u16,
    path: String,
    query: String,
    /// Read once for all requests; none if the host cannot stand in a URI.
    uri_authority: Option<Authority>,
}

/// Why a text is no base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not an absolute URL with a host.
    #[error("not an absolute http or https URL")]
    NotAbsolute,
    /// A scheme the gateway does not call.
    #[error("the scheme `{0}` is not one that the gateway can call")]
    Scheme(String),
    /// User name and password stand in it.
    #[error("user name or password in the URL")]
    Credentials,
}

impl BaseUrl {
    /// Reads an absolute `http`, `https`, `ws` or `wss` URL. A fragment is dropped.
    ///
    /// # Errors
    ///
    /// The text is none.
    pub fn parse(text: &str) -> Result<BaseUrl, BaseUrlError> {
        let url = absolute(text).map_err(|_| BaseUrlError::NotAbsolute)?;
        if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(BaseUrlError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        let host = url.host_str().ok_or(BaseUrlError::NotAbsolute)?.to_owned();
        let port = url.port_or_known_default().ok_or(BaseUrlError::NotAbsolute)?;
        Ok(BaseUrl {
            path: url.path().trim_end_matches('/').to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            ..BaseUrl::origin(url.scheme(), &host, port)
        })
    }

    /// Scheme, host and port without a path: where the client sent its request.
    #[must_use]
    pub fn origin(scheme: &str, host: &str, port: u16) -> BaseUrl {
        let mut base = BaseUrl {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port,
            path: String::new(),
            query: String::new(),
            uri_authority: None,
        };
        base.uri_authority = base.authority().parse().ok();
        base
    }

    /// `http`, `https`, `ws` or `wss`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host, an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, given or known from the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path without a slash at its end; empty for the root.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query, without `?`.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Host, and port unless it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let known = match self.scheme.as_str() {
            "http" | "ws" => 80,
            _ => 443,
        };
        if self.port == known { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// [`authority`](Self::authority) as a part of a URI; none if the host cannot stand in one.
    #[must_use]
    pub fn uri_authority(&self) -> Option<&Authority> {
        self.uri_authority.as_ref()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority(), self.path)?;
        if self.query.is_empty() { Ok(()) } else { write!(f, "?{}", self.query) }
    }
}

/// Reads an absolute URL as .NET does: a tab or a line break in it is encoded, and not left out as
/// browsers do, so that what stands behind it stays a part of the path.
///
/// # Errors
///
/// The text is no absolute URL.
pub fn absolute(text: &str) -> Result<url::Url, url::ParseError> {
    let text = text.trim();
    if !text.contains(['\t', '\r', '\n']) {
        return url::Url::parse(text);
    }
    url::Url::parse(&text.replace('\t', "%09").replace('\r', "%0D").replace('\n', "%0A"))
}

/// One `name=value` of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The text between two `&`.
    pub segment: &'a str,
    /// The name, as written.
    pub raw_name: &'a str,
    /// The value, as written; empty without `=`.
    pub raw_value: &'a str,
}

impl<'a> Pair<'a> {
    /// The name, decoded.
    #[must_use]
    pub fn name(&self) -> Cow<'a, str> {
        decode(self.raw_name)
    }

    /// The value, decoded.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        decode(self.raw_value)
    }

    /// Whether the name is this one, without case.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        // To decode a name never makes it longer, so most names are told apart by their length.
        if self.raw_name.len() < name.len() {
            return false;
        }
        let is_mark = |it: u8| matches!(it, b'%' | b'+');
        let mut both = self.raw_name.bytes().zip(name.bytes());
        let is_same = self.raw_name.len() == name.len()
            && both.all(|(raw, own)| raw.eq_ignore_ascii_case(&own) && !is_mark(raw));
        is_same || (self.raw_name.bytes().any(is_mark) && self.name().eq_ignore_ascii_case(name))
    }
}

/// The parameters of a query, in order; empty segments are left out.
pub fn pairs(query: &str) -> impl Iterator<Item = Pair<'_>> {
    let mut rest = Some(query).filter(|it| !it.is_empty());
    std::iter::from_fn(move || {
        loop {
            let (segment, after) = cut(rest?, b'&');
            rest = after;
            if !segment.is_empty() {
                let (raw_name, raw_value) = cut(segment, b'=');
                return Some(Pair { segment, raw_name, raw_value: raw_value.unwrap_or_default() });
            }
        }
    })
}

/// What stands before the first such byte, which must be ASCII, and what stands after it, if it is
/// there. On short texts several times faster than what the library has for texts of any length.
#[must_use]
pub fn cut(text: &str, at: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|it| it == at) {
        None => (text, None),
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 1..)),
    }
}

/// Decodes a name or value of a query: `+` is a space, `%xx` a byte. Bytes that are no UTF-8
/// become U+FFFD.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

/// Encodes a name or value of a query; everything but the unreserved characters.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, QUERY_VALUE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_base_url_is_refused() {
        let error = |text| BaseUrl::parse(text).unwrap_err();

        assert_eq!(error("orders"), BaseUrlError::NotAbsolute);
        assert_eq!(error("fabric:/app"), BaseUrlError::Scheme("fabric".to_owned()));
        assert_eq!(error("https://u:p@h/"), BaseUrlError::Credentials);
    }

    #[test]
    fn names_and_values_are_decoded() {
        let all: Vec<_> = pairs("a+b=c%20d&&x&=y").map(|it| (it.name(), it.value())).collect();

        assert_eq!(all.len(), 3);
        assert_eq!(all[0], ("a b".into(), "c d".into()));
        assert_eq!(all[1], ("x".into(), "".into()));
        assert_eq!(all[2], ("".into(), "y".into()));
    }

    #[test]
    fn a_text_is_cut_at_the_first_byte() {
        assert_eq!(cut("a=b=c", b'='), ("a", Some("b=c")));
        assert_eq!(cut("é=", b'='), ("é", Some("")));
        assert_eq!(cut("=", b'='), ("", Some("")));
        assert_eq!((cut("ab", b'='), cut("", b'=')), (("ab", None), ("", None)));
    }

    #[test]
    fn names_compare_decoded_and_without_case() {
        let is_named = |query, name| pairs(query).next().unwrap().is_named(name);

        for query in ["api-key=1", "API-KEY", "api%2Dkey=1", "%61pi-key"] {
            assert!(is_named(query, "api-key"), "{query}");
        }
        for query in ["api-keys=1", "api-ke", "api+key", "api%20key", "x"] {
            assert!(!is_named(query, "api-key"), "{query}");
        }
        assert!(is_named("a+b", "a b") && is_named("a%2Bb", "a+b") && !is_named("a+b", "a+b"));
    }
}
