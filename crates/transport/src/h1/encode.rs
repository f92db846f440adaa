//! Writes heads, and bodies by their length or in chunks.
//!
//! Framing is ours: what a service or caller says of length, encoding and connection is read, and
//! written anew from what the body is.
//!
//! Source: RFC 9110, sections 6.4.1 and 8.6; RFC 9112, sections 6 and 7.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use http_body::Body as _;

use super::chunked::LAST;
use super::fields::{Options, number};
use super::output::Output;
use crate::{ReasonPhrase, Request, Response};

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoder {
    /// So many bytes are to come.
    Length(u64),
    Chunked,
    /// With the connection.
    Close,
}

/// The body is not as long as its head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not as long as announced")]
pub(crate) struct WrongLength;

impl Encoder {
    /// Adds a part of the body.
    pub(crate) fn data(&mut self, output: &mut Output, data: Bytes) -> Result<(), WrongLength> {
        match self {
            _ if data.is_empty() => {}
            Self::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(WrongLength)?;
                output.push(data, b"");
            }
            Self::Chunked => {
                push_hex(output.buffer(), data.len());
                output.push(data, b"\r\n");
            }
            Self::Close => output.push(data, b""),
        }
        Ok(())
    }

    /// Adds the body's end. Only while there is room.
    pub(crate) fn finish(&mut self, output: &mut Output) -> Result<(), WrongLength> {
        match self {
            Self::Length(0) | Self::Close => Ok(()),
            Self::Length(_) => Err(WrongLength),
            Self::Chunked => {
                output.buffer().extend_from_slice(LAST);
                Ok(())
            }
        }
    }
}

/// What a response must know of the request it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) version: Version,
    pub(crate) is_head: bool,
    /// Whether the connection may go on afterwards; the response may say no.
    pub(crate) keep_alive: bool,
}

/// Writes the head of a response. How its body is to be sent; `None`: not at all.
pub(crate) fn response(
    out: &mut Vec<u8>,
    response: &Response,
    asked: &mut Asked,
) -> Option<Encoder> {
    let status = response.status();
    let is_switch = status == StatusCode::SWITCHING_PROTOCOLS;
    let (has_body, length) = response_length(response, asked.is_head);
    let is_old = asked.version == Version::HTTP_10;
    status_line(out, response, is_old);
    let (mut options, mut has_date) = (Options::default(), false);
    for (name, value) in response.headers() {
        match name.as_str().len() {
            4 if *name == header::DATE => has_date = true,
            10 if *name == header::CONNECTION && !is_switch => {
                options.read(value.as_bytes());
                continue;
            }
            14 if *name == header::CONTENT_LENGTH => continue,
            17 if *name == header::TRANSFER_ENCODING => continue,
            _ => {}
        }
        line(out, name, value);
    }
    let encoder = match length {
        Some(length) => {
            length_line(out, length);
            Encoder::Length(length)
        }
        None if !has_body => Encoder::Length(0),
        None if is_old => Encoder::Close,
        None => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
            Encoder::Chunked
        }
    };
    asked.keep_alive &= !options.close && encoder != Encoder::Close && !is_switch;
    match (asked.keep_alive, is_old) {
        _ if is_switch => {}
        (true, true) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        (false, false) => out.extend_from_slice(b"connection: close\r\n"),
        _ => {}
    }
    if !has_date {
        date_line(out);
    }
    out.extend_from_slice(b"\r\n");
    has_body.then_some(encoder)
}

/// Whether the response has a body, and what it says of its length.
fn response_length(response: &Response, is_head: bool) -> (bool, Option<u64>) {
    let status = response.status();
    let exact = response.body().size_hint().exact();
    if status.is_informational() || status == StatusCode::NO_CONTENT {
        return (false, None);
    }
    if is_head || status == StatusCode::NOT_MODIFIED {
        // What the answer to GET would have had, if that is known.
        let length = announced(response.headers()).or(exact.filter(|it| *it > 0));
        return (false, length);
    }
    (true, exact.or_else(|| announced(response.headers())))
}

/// A length that the headers announce, if there is exactly one.
fn announced(headers: &HeaderMap) -> Option<u64> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let length = number(lengths.next()?.as_bytes(), 10)?;
    lengths.next().is_none().then_some(length)
}

fn status_line(out: &mut Vec<u8>, response: &Response, is_old: bool) {
    let status = response.status();
    let extensions = response.extensions();
    if status == StatusCode::OK && !is_old && extensions.is_empty() {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(if is_old { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    let usual = || status.canonical_reason().unwrap_or_default().as_bytes();
    let reason = extensions.get::<ReasonPhrase>();
    out.extend_from_slice(reason.map_or_else(usual, |it| it.as_bytes()));
    out.extend_from_slice(b"\r\n");
}

/// Writes the head of a request for `path` at `host`. How its body is to be sent.
pub(crate) fn request(
    out: &mut Vec<u8>,
    request: &Request,
    path: &str,
    host: &HeaderValue,
) -> (Encoder, Options) {
    let (method, headers) = (request.method(), request.headers());
    let exact = request.body().size_hint().exact();
    out.extend_from_slice(method.as_str().as_bytes());
    out.push(b' ');
    // A URL may have a query and no path.
    if path.starts_with('?') {
        out.push(b'/');
    }
    out.extend_from_slice(path.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    line(out, &header::HOST, headers.get(header::HOST).unwrap_or(host));
    let (mut options, mut has_length) = (Options::default(), false);
    for (name, value) in headers {
        match name.as_str().len() {
            4 if *name == header::HOST => continue,
            // Nothing can be expected of a body that is not there.
            6 if *name == header::EXPECT && exact == Some(0) => continue,
            10 if *name == header::CONNECTION => options.read(value.as_bytes()),
            14 if *name == header::CONTENT_LENGTH => {
                has_length = true;
                continue;
            }
            17 if *name == header::TRANSFER_ENCODING => continue,
            _ => {}
        }
        line(out, name, value);
    }
    let encoder = match exact.or_else(|| announced(headers)) {
        Some(0) if !has_length && !sends(method) => Encoder::Length(0),
        Some(length) => {
            length_line(out, length);
            Encoder::Length(length)
        }
        None => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
            Encoder::Chunked
        }
    };
    out.extend_from_slice(b"\r\n");
    (encoder, options)
}

/// Methods whose meaning expects a body: an empty one is announced (RFC 9110, section 8.6).
fn sends(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

fn line(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn length_line(out: &mut Vec<u8>, length: u64) {
    let mut digits = [0; 20];
    let (mut rest, mut start) = (length, digits.len());
    for (number, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        (rest, start) = (rest / 10, number);
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
    out.extend_from_slice(b"\r\n");
}

fn push_hex(out: &mut Vec<u8>, number: usize) {
    // A vector takes everything.
    let _ = write!(out, "{number:x}\r\n");
}

/// A date line, and the second for which it holds.
struct DateLine {
    second: u64,
    text: Vec<u8>,
}

thread_local! {
    static DATE: RefCell<DateLine> = const { RefCell::new(DateLine { second: 0, text: Vec::new() }) };
}

fn date_line(out: &mut Vec<u8>) {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    DATE.with_borrow_mut(|date| {
        if date.second != second || date.text.is_empty() {
            date.second = second;
            date.text.clear();
            let _ = write!(date.text, "date: {}\r\n", httpdate::HttpDate::from(now));
        }
        out.extend_from_slice(&date.text);
    });
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, Method, Version};

    use super::{Asked, Encoder, WrongLength, length_line};
    use crate::h1::output::Output;
    use crate::{Body, ReasonPhrase, Response};

    const ASKED: Asked = Asked { version: Version::HTTP_11, is_head: false, keep_alive: true };

    fn response(status: u16, headers: &[(&str, &str)], body: Body) -> Response {
        let mut response = http::Response::builder().status(status).header("date", "now");
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(body).unwrap()
    }

    fn head(response: &Response, mut asked: Asked) -> (String, Option<Encoder>, bool) {
        let mut out = Vec::new();
        let encoder = super::response(&mut out, response, &mut asked);
        let text = String::from_utf8(out).unwrap();
        let text = text.strip_suffix("\r\n\r\n").unwrap().replace("\r\n", "|");
        (text.replace("|date: now", ""), encoder, asked.keep_alive)
    }

    #[test]
    fn the_body_decides_on_the_framing() {
        let stream = || Body::channel(1).1;
        for (headers, body, line, encoder) in [
            (&[][..], Body::empty(), "content-length: 0", Encoder::Length(0)),
            (&[], Body::full("abc"), "content-length: 3", Encoder::Length(3)),
            (
                &[("content-length", "9")],
                Body::full("abc"),
                "content-length: 3",
                Encoder::Length(3),
            ),
            (&[("content-length", "9")], stream(), "content-length: 9", Encoder::Length(9)),
            (&[("content-length", "x")], stream(), "transfer-encoding: chunked", Encoder::Chunked),
            (
                &[("transfer-encoding", "gzip")],
                stream(),
                "transfer-encoding: chunked",
                Encoder::Chunked,
            ),
        ] {
            let told = head(&response(200, headers, body), ASKED);
            assert_eq!(told, (format!("HTTP/1.1 200 OK|{line}"), Some(encoder), true));
        }
    }

    #[test]
    fn answers_without_a_body_say_nothing_that_means_one() {
        let with_length = [("content-length", "9"), ("transfer-encoding", "chunked")];
        for (status, is_head, expected) in [
            (204, false, "HTTP/1.1 204 No Content"),
            (304, false, "HTTP/1.1 304 Not Modified|content-length: 9"),
            (200, true, "HTTP/1.1 200 OK|content-length: 9"),
        ] {
            let asked = Asked { is_head, ..ASKED };
            let told = head(&response(status, &with_length, Body::full("x")), asked);
            assert_eq!(told, (expected.to_owned(), None, true));
        }
        let asked = Asked { is_head: true, ..ASKED };
        let told = head(&response(200, &[], Body::full("abc")), asked).0;
        assert_eq!(told, "HTTP/1.1 200 OK|content-length: 3");
    }

    #[test]
    fn the_connection_is_told_to_go_on_or_not() {
        let old = Asked { version: Version::HTTP_10, ..ASKED };
        let close = Asked { keep_alive: false, ..ASKED };
        let said = [("connection", "close, x")];
        for (headers, asked, expected) in [
            (&[][..], ASKED, ("HTTP/1.1 200 OK|content-length: 1", true)),
            (&[], close, ("HTTP/1.1 200 OK|content-length: 1|connection: close", false)),
            (&said, ASKED, ("HTTP/1.1 200 OK|content-length: 1|connection: close", false)),
            (&[], old, ("HTTP/1.0 200 OK|content-length: 1|connection: keep-alive", true)),
            (&said, old, ("HTTP/1.0 200 OK|content-length: 1", false)),
        ] {
            let told = head(&response(200, headers, Body::full("x")), asked);
            assert_eq!((told.0.as_str(), told.2), expected);
        }
        let told = head(&response(200, &[], Body::channel(1).1), old);
        assert_eq!(told, ("HTTP/1.0 200 OK".to_owned(), Some(Encoder::Close), false));
        let switch = [("connection", "upgrade"), ("upgrade", "websocket")];
        let told = head(&response(101, &switch, Body::empty()), ASKED).0;
        assert_eq!(told, "HTTP/1.1 101 Switching Protocols|connection: upgrade|upgrade: websocket");
    }

    #[test]
    fn reasons_and_dates_are_written() {
        let mut told = response(299, &[], Body::empty());
        assert!(head(&told, ASKED).0.starts_with("HTTP/1.1 299 |"));
        told.extensions_mut().insert(ReasonPhrase::from_static(b"Very Well"));
        assert!(head(&told, ASKED).0.starts_with("HTTP/1.1 299 Very Well|"));
        told.headers_mut().clear();
        let text = head(&told, ASKED).0;
        assert!(text.contains("|date: ") && text.ends_with(" GMT"), "{text}");
    }

    #[test]
    fn a_request_is_written_with_its_host_first() {
        let write = |method: Method, headers: &[(&'static str, &'static str)], body: Body| {
            let mut request = http::Request::new(body);
            *request.method_mut() = method;
            for (name, value) in headers {
                request.headers_mut().append(*name, HeaderValue::from_static(value));
            }
            let mut out = Vec::new();
            let host = HeaderValue::from_static("h");
            let (encoder, options) = super::request(&mut out, &request, "/p?q", &host);
            let text = String::from_utf8(out).unwrap();
            let text = text.strip_suffix("\r\n\r\n").unwrap().replace("\r\n", "|");
            (text, encoder, options.close)
        };
        let get = write(Method::GET, &[("a", "b"), ("host", "x")], Body::empty());
        assert_eq!(get, ("GET /p?q HTTP/1.1|host: x|a: b".to_owned(), Encoder::Length(0), false));
        let get =
            write(Method::GET, &[("content-length", "0"), ("connection", "close")], Body::empty());
        let expected = "GET /p?q HTTP/1.1|host: h|connection: close|content-length: 0";
        assert_eq!(get, (expected.to_owned(), Encoder::Length(0), true));
        let post = write(Method::POST, &[("expect", "100-continue")], Body::empty());
        assert_eq!(post.0, "POST /p?q HTTP/1.1|host: h|content-length: 0");
        let post = write(Method::POST, &[("transfer-encoding", "x")], Body::channel(1).1);
        assert_eq!(post.0, "POST /p?q HTTP/1.1|host: h|transfer-encoding: chunked");
        let put = write(Method::PUT, &[("content-length", "7")], Body::channel(1).1);
        assert_eq!(put.1, Encoder::Length(7));
    }

    #[test]
    fn a_body_must_be_as_long_as_announced() {
        let encode = |mut encoder: Encoder, parts: &[&'static str]| {
            let mut output = Output::default();
            for part in parts {
                encoder.data(&mut output, Bytes::from_static(part.as_bytes()))?;
            }
            encoder.finish(&mut output)?;
            Ok(String::from_utf8(output.buffer().clone()).unwrap())
        };
        assert_eq!(encode(Encoder::Length(3), &["a", "", "bc"]).unwrap(), "abc");
        assert_eq!(encode(Encoder::Length(3), &["a", "bcd"]), Err(WrongLength));
        assert_eq!(encode(Encoder::Length(3), &["ab"]), Err(WrongLength));
        let chunks = encode(Encoder::Chunked, &["a", "", "0123456789abcdefg"]).unwrap();
        assert_eq!(chunks, "1\r\na\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n");
        assert_eq!(encode(Encoder::Close, &["a"]).unwrap(), "a");
    }

    #[test]
    fn lengths_are_decimal() {
        for number in [0, 7, 10, 1234, u64::MAX] {
            let mut out = Vec::new();
            length_line(&mut out, number);
            assert_eq!(out, format!("content-length: {number}\r\n").as_bytes());
        }
    }
}
