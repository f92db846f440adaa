//! `IUrl`: a URL in parts.

use std::fmt;

use percent_encoding::percent_decode_str;

/// A URL as expressions see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlView {
    /// `http` or `https`.
    pub scheme: String,
    /// Host name without port.
    pub host: String,
    /// Port, also when it is the scheme's own.
    pub port: u16,
    /// Path as it is on the wire, with a leading `/`.
    pub path: String,
    /// Query as it is on the wire, with a leading `?` unless empty.
    pub query_string: String,
}

impl UrlView {
    /// Takes an absolute URL apart; `None` if it has no scheme, no host or a bad port.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let rest = rest.split('#').next().unwrap_or(rest);
        let (rest, query_string) = match rest.find('?') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let default_port = if scheme.eq_ignore_ascii_case("http") { 80 } else { 443 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, default_port),
        };
        if scheme.is_empty() || host.is_empty() {
            return None;
        }
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            query_string: if query_string == "?" { String::new() } else { query_string.to_owned() },
        })
    }

    /// Is the port the scheme's own?
    #[must_use]
    pub fn has_default_port(&self) -> bool {
        matches!((self.scheme.as_str(), self.port), ("https" | "wss", 443) | ("http" | "ws", 80))
    }

    /// The decoded query parameters in order; a parameter without `=` has an empty value.
    pub fn query_pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        pairs(&self.query_string)
    }

    /// The decoded values of a query parameter; names compare without case.
    #[must_use]
    pub fn query_values(&self, name: &str) -> Vec<String> {
        self.query_pairs()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }
}

/// The decoded pairs of a query string or a form, in order.
pub fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let text = text.strip_prefix('?').unwrap_or(text);
    text.split('&').filter(|it| !it.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The whole URL; the port is left out if it is the scheme's own.
impl fmt::Display for UrlView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if !self.has_default_port() {
            write!(f, ":{}", self.port)?;
        }
        write!(f, "{}{}", self.path, self.query_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_written_again() {
        let cases = [
            ("https://a.b/c?x=1", "a.b", 443, "/c", "?x=1"),
            ("http://a.b:8080", "a.b", 8080, "/", ""),
            ("https://[::1]/p", "[::1]", 443, "/p", ""),
        ];
        for (text, host, port, path, query) in cases {
            let url = UrlView::parse(text).unwrap();
            assert_eq!((url.host.as_str(), url.port), (host, port));
            assert_eq!((url.path.as_str(), url.query_string.as_str()), (path, query));
        }
        assert_eq!(UrlView::parse("https://a:443/x").unwrap().to_string(), "https://a/x");
        assert_eq!(UrlView::parse("nothing"), None);
    }

    #[test]
    fn query_values_are_decoded() {
        let url = UrlView::parse("https://a/?q=hello%20world&Tag=a+b&tag=c&flag").unwrap();
        assert_eq!(url.query_values("q"), ["hello world"]);
        assert_eq!(url.query_values("TAG"), ["a b", "c"]);
        assert_eq!(url.query_values("flag"), [""]);
    }
}
