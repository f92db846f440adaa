//! The head of a request, and why one is refused.
//!
//! Source: RFC 9112, sections 2, 3 and 6.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header};

use super::Malformed;
use super::chunked::Decoder;
use super::fields::Fields;
use super::lines::Lines;
use crate::Limits;

/// Room for headers that are added on the way, so that the map need not grow.
const SPARE: usize = 3;

/// What a client asks for, before its body.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Decoder,
    pub(crate) keep_alive: bool,
    pub(crate) expects_continue: bool,
    /// It names another protocol to go on with.
    pub(crate) upgrades: bool,
}

/// Why a request is answered before anyone looks at it. The connection closes then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    /// The head did not end in time.
    Timeout,
    BodyTooLarge,
    TargetTooLong,
    HeadersTooLarge,
    /// `CONNECT`: this is no tunnel.
    Method,
    Version,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Method => StatusCode::NOT_IMPLEMENTED,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Malformed => "The request is not valid HTTP.",
            Self::Timeout => "The request took too long to arrive.",
            Self::BodyTooLarge => "The request body is too large.",
            Self::TargetTooLong => "The request target is too long.",
            Self::HeadersTooLarge => "There are too many headers.",
            Self::Method => "The method CONNECT is not supported.",
            Self::Version => "The version of HTTP is not supported.",
        }
    }
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl RequestHead {
    /// Reads a complete head.
    pub(crate) fn read(head: &Bytes, lines: &Lines, limits: &Limits) -> Result<Self, Refusal> {
        let mut ranges = lines.ranges();
        let first = ranges.next().unwrap_or_default();
        let (method, uri, version) = request_line(head, first, limits)?;
        let fields = Fields::read(head, ranges, lines.n_fields() + SPARE)?;
        if fields.n_hosts != 1 && (version == Version::HTTP_11 || fields.n_hosts > 1) {
            return Err(Refusal::Malformed);
        }
        let is_named = |it: &HeaderValue| {
            let named = uri
                .authority()
                .is_none_or(|named| named.as_str().as_bytes().eq_ignore_ascii_case(it.as_bytes()));
            named && is_host(it.as_bytes())
        };
        if fields.headers.get(header::HOST).is_some_and(|it| !is_named(it)) {
            return Err(Refusal::Malformed);
        }
        // An old reader would not know chunks (RFC 9112, section 6.1).
        if version == Version::HTTP_10 && fields.is_chunked {
            return Err(Refusal::Malformed);
        }
        if fields.length.is_some_and(|it| it > limits.max_body_bytes) {
            return Err(Refusal::BodyTooLarge);
        }
        let (options, is_new) = (fields.options, version == Version::HTTP_11);
        Ok(Self {
            method,
            uri,
            version,
            body: match fields.is_chunked {
                true => Decoder::chunked(),
                false => Decoder::length(fields.length.unwrap_or(0)),
            },
            keep_alive: !options.close && (is_new || options.keep_alive),
            expects_continue: is_new && fields.expects_continue,
            upgrades: is_new && options.upgrade && fields.has_upgrade,
            headers: fields.headers,
        })
    }
}

/// `method SP target SP version`, with exactly these blanks.
fn request_line(
    head: &Bytes,
    line: Range<usize>,
    limits: &Limits,
) -> Result<(Method, Uri, Version), Refusal> {
    const VERSION: usize = " HTTP/1.1".len();
    let start = line.start;
    let text = head.get(line).unwrap_or_default();
    let space = text.iter().position(|it| *it == b' ').ok_or(Refusal::Malformed)?;
    let end = text.len().checked_sub(VERSION).filter(|it| *it > space).ok_or(Refusal::Malformed)?;
    let version = match text.get(end..) {
        Some(b" HTTP/1.1") => Version::HTTP_11,
        Some(b" HTTP/1.0") => Version::HTTP_10,
        Some([b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor])
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            return Err(Refusal::Version);
        }
        _ => return Err(Refusal::Malformed),
    };
    let method = Method::from_bytes(text.get(..space).unwrap_or_default())
        .map_err(|_| Refusal::Malformed)?;
    let target = text.get(space + 1..end).unwrap_or_default();
    if target.len() > limits.max_target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    if method == Method::CONNECT {
        return Err(Refusal::Method);
    }
    let uri = Uri::from_maybe_shared(head.slice(start + space + 1..start + end))
        .map_err(|_| Refusal::Malformed)?;
    if is_target(target, &method, &uri) {
        Ok((method, uri, version))
    } else {
        Err(Refusal::Malformed)
    }
}

/// Whether the target has one of the forms of RFC 9112, section 3.2, without a fragment.
fn is_target(target: &[u8], method: &Method, uri: &Uri) -> bool {
    let has_form = match target {
        [b'/', ..] => true,
        b"*" => *method == Method::OPTIONS,
        _ => {
            let authority = uri.authority().map_or("@", |it| it.as_str());
            matches!(uri.scheme_str(), Some("http" | "https")) && !authority.contains('@')
        }
    };
    has_form && memchr::memchr(b'#', target).is_none()
}

/// Whether a value of `Host` has the form of RFC 3986, section 3.2: a name or address and perhaps
/// a port. Empty is allowed.
fn is_host(value: &[u8]) -> bool {
    let is_name = |it: &u8| it.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=".contains(it);
    let (host, port) = match value {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|it| *it == b']') else { return false };
            let (address, after) = rest.split_at(end);
            let is_address =
                !address.is_empty() && address.iter().all(|it| is_name(it) || *it == b':');
            if !is_address {
                return false;
            }
            (&b""[..], after.get(1..).unwrap_or_default())
        }
        _ => value.split_at(value.iter().position(|it| *it == b':').unwrap_or(value.len())),
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_port && host.iter().all(is_name)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Version;

    use super::{Refusal, RequestHead, is_host};
    use crate::Limits;
    use crate::h1::lines::{Lines, Scan};

    fn read(text: &str) -> Result<RequestHead, Refusal> {
        let head = Bytes::copy_from_slice(text.as_bytes());
        let mut lines = Lines::default();
        assert!(matches!(lines.scan(&head, 99)?, Scan::Complete(_)), "{text:?}");
        RequestHead::read(&head, &lines, &Limits { max_target_bytes: 50, ..Limits::default() })
    }

    fn line(line: &str) -> Result<RequestHead, Refusal> {
        read(&format!("{line}\r\nHost: x\r\n\r\n"))
    }

    #[test]
    fn a_request_line_has_three_parts_and_two_blanks() {
        for (text, refusal) in [
            ("GET / HTTP/1.1", None),
            ("get / HTTP/1.0", None),
            ("M-SEARCH /a?b HTTP/1.1", None),
            ("OPTIONS * HTTP/1.1", None),
            ("GET http://X/b?c HTTP/1.1", None),
            ("GET http://y/b?c HTTP/1.1", Some(Refusal::Malformed)),
            ("GET * HTTP/1.1", Some(Refusal::Malformed)),
            ("GET a/b HTTP/1.1", Some(Refusal::Malformed)),
            ("GET a:80 HTTP/1.1", Some(Refusal::Malformed)),
            ("GET ftp://a/ HTTP/1.1", Some(Refusal::Malformed)),
            ("GET http://me@a/ HTTP/1.1", Some(Refusal::Malformed)),
            ("GET /a#b HTTP/1.1", Some(Refusal::Malformed)),
            ("GET  / HTTP/1.1", Some(Refusal::Malformed)),
            ("GET /  HTTP/1.1", Some(Refusal::Malformed)),
            ("GET / a HTTP/1.1", Some(Refusal::Malformed)),
            ("GET\t/ HTTP/1.1", Some(Refusal::Malformed)),
            ("GET /\tHTTP/1.1", Some(Refusal::Malformed)),
            (" GET / HTTP/1.1", Some(Refusal::Malformed)),
            ("GET / HTTP/1.1 ", Some(Refusal::Malformed)),
            ("GET / http/1.1", Some(Refusal::Malformed)),
            ("GET / HTTP/11", Some(Refusal::Malformed)),
            ("GET /", Some(Refusal::Malformed)),
            ("GET HTTP/1.1", Some(Refusal::Malformed)),
            ("GET  HTTP/1.1", Some(Refusal::Malformed)),
            ("/ HTTP/1.1", Some(Refusal::Malformed)),
            ("G@T / HTTP/1.1", Some(Refusal::Malformed)),
            ("GET /\0 HTTP/1.1", Some(Refusal::Malformed)),
            ("GET /a\rb HTTP/1.1", Some(Refusal::Malformed)),
            ("GET / HTTP/2.0", Some(Refusal::Version)),
            ("GET / HTTP/1.2", Some(Refusal::Version)),
            ("GET / HTTP/0.9", Some(Refusal::Version)),
            ("CONNECT a:443 HTTP/1.1", Some(Refusal::Method)),
            (
                "GET /34567890123456789012345678901234567890123456789012 HTTP/1.1",
                Some(Refusal::TargetTooLong),
            ),
        ] {
            assert_eq!(line(text).err(), refusal, "{text:?}");
        }
    }

    #[test]
    fn the_version_and_the_connection_header_say_whether_it_is_kept() {
        for (version, connection, keep_alive) in [
            ("1.1", "", true),
            ("1.1", "Connection: close\r\n", false),
            ("1.1", "Connection: keep-alive, close\r\n", false),
            ("1.0", "", false),
            ("1.0", "Connection: keep-alive\r\n", true),
        ] {
            let text = format!("GET / HTTP/{version}\r\nHost: x\r\n{connection}\r\n");
            assert_eq!(read(&text).unwrap().keep_alive, keep_alive, "{text}");
        }
    }

    #[test]
    fn exactly_one_valid_host_is_needed() {
        for (version, hosts, is_good) in [
            ("1.1", "Host: x\r\n", true),
            ("1.1", "Host:\r\n", true),
            ("1.1", "", false),
            ("1.1", "Host: x\r\nHost: x\r\n", false),
            ("1.1", "Host: a b\r\n", false),
            ("1.0", "", true),
            ("1.0", "Host: x\r\nhost: y\r\n", false),
        ] {
            let text = format!("GET / HTTP/{version}\r\n{hosts}\r\n");
            assert_eq!(read(&text).is_ok(), is_good, "{text}");
        }
        for (host, is_good) in [
            ("a.example:8080", true),
            ("[::1]", true),
            ("[::1]:80", true),
            ("a:", true),
            ("a:80a", false),
            ("a:123456", false),
            ("[::1", false),
            ("[]", false),
            ("[::1]x", false),
            ("me@a", false),
            ("a/b", false),
            ("a,b", false),
            ("a?b", false),
            ("::1", false),
        ] {
            assert_eq!(is_host(host.as_bytes()), is_good, "{host}");
        }
    }

    #[test]
    fn an_old_request_has_no_chunks_and_no_expectations() {
        let head = |version: &str, lines: &str| {
            read(&format!("POST / HTTP/{version}\r\nHost: x\r\n{lines}\r\n"))
        };
        assert!(head("1.1", "Transfer-Encoding: chunked\r\n").is_ok());
        assert_eq!(head("1.0", "Transfer-Encoding: chunked\r\n").err(), Some(Refusal::Malformed));
        let old = head("1.0", "Expect: 100-continue\r\nConnection: upgrade\r\nUpgrade: a\r\n");
        let old = old.unwrap();
        assert!(old.version == Version::HTTP_10 && !old.expects_continue && !old.upgrades);
        assert!(head("1.1", "Connection: upgrade\r\nUpgrade: a\r\n").unwrap().upgrades);
        assert!(!head("1.1", "Upgrade: a\r\n").unwrap().upgrades);
    }

    #[test]
    fn a_body_that_is_announced_too_large_is_refused() {
        let text = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 1_u64 << 40);
        assert_eq!(read(&text).err(), Some(Refusal::BodyTooLarge));
    }
}
