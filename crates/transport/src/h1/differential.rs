//! Our reading of heads beside another parser's: the same for what is ordinary, and nothing is
//! taken that the other would refuse.

use bytes::Bytes;
use http::HeaderMap;
use proptest::prelude::*;

use super::lines::{Lines, Scan};
use super::request::RequestHead;
use super::response::ResponseHead;
use crate::Limits;

/// First line in three parts, then headers.
type Head = (String, String, String, Vec<(String, Vec<u8>)>);

fn lines(text: &Bytes) -> Option<(Bytes, Lines)> {
    let mut lines = Lines::default();
    match lines.scan(text, 60) {
        Ok(Scan::Complete(n)) => Some((text.slice(..n), lines)),
        _ => None,
    }
}

fn sorted(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let pairs = headers.iter().map(|it| (it.0.to_string(), it.1.as_bytes().to_vec()));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort();
    pairs
}

fn our_request(text: &Bytes) -> Option<Head> {
    let (head, lines) = lines(text)?;
    let it = RequestHead::read(&head, &lines, &Limits::default()).ok()?;
    let version = format!("{:?}", it.version);
    Some((it.method.to_string(), it.uri.to_string(), version, sorted(&it.headers)))
}

fn our_response(text: &Bytes) -> Option<Head> {
    let (head, lines) = lines(text)?;
    let it = ResponseHead::read(&head, &lines, false).ok()?.response;
    let reason = it.extensions().get::<crate::ReasonPhrase>();
    let usual = it.status().canonical_reason().unwrap_or_default();
    let reason = reason.map_or(usual.into(), |it| String::from_utf8_lossy(it.as_bytes()).into());
    let version = format!("{:?}", it.version());
    Some((version, it.status().as_str().to_owned(), reason, sorted(it.headers())))
}

fn pairs(headers: &[httparse::Header<'_>]) -> Vec<(String, Vec<u8>)> {
    let pairs = headers.iter().map(|it| (it.name.to_ascii_lowercase(), it.value.to_vec()));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort();
    pairs
}

fn version(minor: u8) -> String {
    format!("HTTP/1.{minor}")
}

fn their_request(text: &Bytes) -> Option<Head> {
    let mut headers = [httparse::EMPTY_HEADER; 60];
    let mut it = httparse::Request::new(&mut headers);
    it.parse(text).ok()?.is_complete().then_some(())?;
    let (method, path) = (it.method?.to_owned(), it.path?.to_owned());
    Some((method, path, version(it.version?), pairs(it.headers)))
}

fn their_response(text: &Bytes) -> Option<Head> {
    let mut headers = [httparse::EMPTY_HEADER; 60];
    let mut it = httparse::Response::new(&mut headers);
    it.parse(text).ok()?.is_complete().then_some(())?;
    let (status, reason) = (it.code?.to_string(), it.reason?.to_owned());
    Some((version(it.version?), status, reason, pairs(it.headers)))
}

fn fields() -> impl Strategy<Value = String> {
    let name = "[a-zA-Z][a-zA-Z0-9_.-]{0,20}";
    let value = "[ \t]{0,2}([!-~\u{e9}]([ \t!-~]{0,60}[!-~])?)?[ \t]{0,2}";
    let field = (name, value).prop_filter_map("it would be framing", |(name, value)| {
        let lower = name.to_ascii_lowercase();
        let is_framing = ["host", "content-length", "transfer-encoding"].contains(&lower.as_str());
        (!is_framing).then(|| format!("{name}:{value}\r\n"))
    });
    prop::collection::vec(field, 0..30).prop_map(|it| it.concat())
}

/// Text of what heads are made of, and of what they must not be made of.
fn almost(start: &'static str) -> impl Strategy<Value = Bytes> {
    let part = prop_oneof![
        4 => Just("\r\n".to_owned()),
        1 => "[\r\n\t \0:;,@/\u{7f}\u{b}]",
        4 => "[a-zA-Z-]{1,6}: ?[a-z0-9, ]{0,6}\r\n",
        1 => Just("Host: x\r\n".to_owned()),
        1 => Just("Content-Length: 3\r\n".to_owned()),
        1 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
        1 => "[ -~]{0,8}",
    ];
    let parts = prop::collection::vec(part, 0..8).prop_map(|it| it.concat());
    parts.prop_map(move |it| Bytes::from(format!("{start}{it}\r\n\r\n")))
}

proptest! {
    #[test]
    fn ordinary_requests_are_read_alike(
        method in "[A-Z]{1,10}",
        target in "/[a-zA-Z0-9/._~%?&=+:@-]{0,60}",
        minor in 0..2_u8,
        fields in fields(),
    ) {
        prop_assume!(method != "CONNECT");
        let text = format!("{method} {target} HTTP/1.{minor}\r\nHost: a.b:1\r\n{fields}\r\nrest");
        let text = Bytes::from(text);
        let ours = our_request(&text);
        prop_assert!(ours.is_some(), "{:?}", text);
        prop_assert_eq!(ours, their_request(&text));
    }

    #[test]
    fn ordinary_responses_are_read_alike(
        status in 200..600_u16,
        reason in "[A-Za-z ]{0,20}",
        minor in 0..2_u8,
        fields in fields(),
    ) {
        let text = format!("HTTP/1.{minor} {status} {reason}\r\n{fields}\r\nrest");
        let text = Bytes::from(text);
        let ours = our_response(&text);
        prop_assert!(ours.is_some(), "{:?}", text);
        prop_assert_eq!(ours, their_response(&text));
    }

    #[test]
    fn no_request_is_taken_that_another_reads_otherwise(text in almost("GET / HTTP/1.1\r\n")) {
        if let Some(ours) = our_request(&text) {
            prop_assert_eq!(Some(ours), their_request(&text));
        }
    }

    #[test]
    fn no_response_is_taken_that_another_reads_otherwise(text in almost("HTTP/1.1 200 OK\r\n")) {
        if let Some(ours) = our_response(&text) {
            prop_assert_eq!(Some(ours), their_response(&text));
        }
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = Bytes::from([&bytes[..], b"\r\n\r\n"].concat());
        let _ = (our_request(&text), our_response(&text));
    }

    #[test]
    fn any_request_line_is_taken(line in "[ -~\t\0\r]{0,60}") {
        let text = Bytes::from(format!("{line}\r\nHost: x\r\n\r\n"));
        if let Some(ours) = our_request(&text) {
            prop_assert_eq!(ours.1, their_request(&text).map(|it| it.1).unwrap_or_default());
        }
    }
}
