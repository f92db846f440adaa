//! The head of a backend's response.
//!
//! As strict as for requests: a backend that can be read in two ways could make the next caller
//! on its connection read what another was meant to.
//!
//! Source: RFC 9112, sections 4 and 6.3.

use bytes::Bytes;
use http::{StatusCode, Version};

use super::Malformed;
use super::chunked::Decoder;
use super::fields::Fields;
use super::lines::Lines;
use crate::{Body, ReasonPhrase, Response};

/// What a backend answers, before the body.
pub(crate) struct ResponseHead {
    /// Its body is put in later.
    pub(crate) response: Response,
    pub(crate) body: Decoder,
    /// Whether the connection may serve the next call.
    pub(crate) keep_alive: bool,
}

impl ResponseHead {
    /// Reads a complete head. The answer to `HEAD` has no body, whatever it says.
    pub(crate) fn read(head: &Bytes, lines: &Lines, is_head: bool) -> Result<Self, Malformed> {
        let mut ranges = lines.ranges();
        let first = ranges.next().unwrap_or_default();
        let line = head.get(first.clone()).unwrap_or_default();
        let (version, status, n_before_reason) = status_line(line)?;
        let fields = Fields::read(head, ranges, lines.n_fields())?;
        let is_new = version == Version::HTTP_11;
        if !is_new && fields.is_chunked {
            return Err(Malformed("chunks in a version that knows none"));
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        *response.version_mut() = version;
        let reason = line.get(n_before_reason..).unwrap_or_default();
        if reason != status.canonical_reason().unwrap_or_default().as_bytes() {
            let reason =
                ReasonPhrase::try_from(head.slice(first.start + n_before_reason..first.end))
                    .map_err(|_| Malformed("the reason phrase"))?;
            response.extensions_mut().insert(reason);
        }
        let body = match (fields.length, fields.is_chunked) {
            _ if is_bodiless(status, is_head) => Decoder::length(0),
            (_, true) => Decoder::chunked(),
            (Some(length), _) => Decoder::length(length),
            (None, false) => Decoder::Close,
        };
        let options = fields.options;
        *response.headers_mut() = fields.headers;
        Ok(Self { response, body, keep_alive: !options.close && (is_new || options.keep_alive) })
    }
}

/// The version, the status, and where the reason begins.
fn status_line(line: &[u8]) -> Result<(Version, StatusCode, usize), Malformed> {
    let version = match line.get(..9) {
        Some(b"HTTP/1.1 ") => Version::HTTP_11,
        Some(b"HTTP/1.0 ") => Version::HTTP_10,
        _ => return Err(Malformed("this is not HTTP/1.1")),
    };
    let status = StatusCode::from_bytes(line.get(9..12).unwrap_or_default())
        .map_err(|_| Malformed("the status"))?;
    match line.get(12) {
        // Some leave the blank out with the reason.
        None => Ok((version, status, 12)),
        Some(b' ') => Ok((version, status, 13)),
        Some(_) => Err(Malformed("the status")),
    }
}

/// Whether there is no body whatever the headers say.
fn is_bodiless(status: StatusCode, is_head: bool) -> bool {
    is_head
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::ResponseHead;
    use crate::ReasonPhrase;
    use crate::h1::Malformed;
    use crate::h1::lines::{Lines, Scan};

    fn read(text: &str, is_head: bool) -> Result<ResponseHead, Malformed> {
        let head = Bytes::copy_from_slice(text.as_bytes());
        let mut lines = Lines::default();
        assert!(matches!(lines.scan(&head, 99)?, Scan::Complete(_)), "{text:?}");
        ResponseHead::read(&head, &lines, is_head)
    }

    #[test]
    fn a_status_line_is_read_strictly() {
        for (line, status, reason) in [
            ("HTTP/1.1 200 OK", 200, None),
            ("HTTP/1.0 404 Not Found", 404, None),
            ("HTTP/1.1 200 Very Well", 200, Some("Very Well")),
            ("HTTP/1.1 200 ", 200, Some("")),
            ("HTTP/1.1 200", 200, Some("")),
            ("HTTP/1.1 299 ", 299, None),
        ] {
            let response = read(&format!("{line}\r\n\r\n"), false).unwrap().response;
            assert_eq!(response.status(), status, "{line}");
            let told = response.extensions().get::<ReasonPhrase>().map(|it| it.as_bytes());
            assert_eq!(told, reason.map(str::as_bytes), "{line}");
        }
        for line in [
            "HTTP/1.1 20 OK",
            "HTTP/1.1 2000 OK",
            "HTTP/1.1 abc",
            "HTTP/1.1  200 OK",
            "HTTP/2.0 200 OK",
            "HTTP/1.1 200\tOK",
            "HTTP/1.1 099 X",
            "HTTP/1.1 +20 X",
            "http/1.1 200 OK",
            "ICY 200 OK",
            "HTTP/1.1 200 O\rK",
            "HTTP/1.1 200 \0",
            "HTTP/1.1",
            "nonsense",
            "",
        ] {
            assert!(read(&format!("{line}\r\n\r\n"), false).is_err(), "{line:?}");
        }
    }

    #[test]
    fn the_end_of_the_body_and_of_the_connection_follow_from_the_head() {
        let length = "Content-Length: 5\r\n";
        for (head, is_head, expected) in [
            (format!("HTTP/1.1 200 OK\r\n{length}\r\n"), false, "Length(5) true"),
            (format!("HTTP/1.1 200 OK\r\n{length}\r\n"), true, "Length(0) true"),
            (format!("HTTP/1.1 204 OK\r\n{length}\r\n"), false, "Length(0) true"),
            (format!("HTTP/1.1 304 OK\r\n{length}\r\n"), false, "Length(0) true"),
            (format!("HTTP/1.1 100 OK\r\n{length}\r\n"), false, "Length(0) true"),
            ("HTTP/1.1 200 OK\r\n\r\n".to_owned(), false, "Close true"),
            ("HTTP/1.0 200 OK\r\n\r\n".to_owned(), false, "Close false"),
            (format!("HTTP/1.0 200 OK\r\n{length}\r\n"), false, "Length(5) false"),
            (
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{length}\r\n"),
                false,
                "Length(5) false",
            ),
            (
                format!("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{length}\r\n"),
                false,
                "Length(5) true",
            ),
        ] {
            let read = read(&head, is_head).unwrap();
            assert_eq!(format!("{:?} {}", read.body, read.keep_alive), expected, "{head}");
        }
    }

    #[test]
    fn framing_that_can_be_read_in_two_ways_is_refused() {
        for lines in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "A: b\r\n c\r\n",
        ] {
            assert!(read(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n"), false).is_err(), "{lines}");
        }
        assert!(read("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false).is_err());
    }
}
