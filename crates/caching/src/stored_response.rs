//! A response as an entry of a cache: head and body as bytes, and back.
//!
//! A byte for the form, then integers (little-endian) and texts that begin with their length; the
//! body is the rest. Headers that belong to one connection are left out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pipeline::{Body, Response, is_hop_by_hop};

const VERSION: u8 = 1;
/// More headers are not believed.
const MAX_HEADERS: usize = 1024;
/// No reason phrase.
const NO_REASON: u32 = u32::MAX;

/// A response that was stored.
#[derive(Debug)]
pub(crate) struct StoredResponse {
    pub(crate) stored: SystemTime,
    pub(crate) life: Duration,
    status: StatusCode,
    reason: Option<String>,
    headers: HeaderMap,
    body: Bytes,
}

/// The bytes of a response before its body.
pub(crate) fn head_of(response: &Response, stored: SystemTime, life: Duration) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    let stored = stored.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    bytes.extend_from_slice(&stored.to_le_bytes());
    bytes.extend_from_slice(&life.as_secs().to_le_bytes());
    bytes.extend_from_slice(&response.status.as_u16().to_le_bytes());
    match &response.reason {
        Some(reason) => counted(&mut bytes, reason.as_bytes()),
        None => bytes.extend_from_slice(&NO_REASON.to_le_bytes()),
    }
    let named: Vec<String> = response
        .header_values(CONNECTION)
        .flat_map(|it| it.split(','))
        .map(|it| it.trim().to_ascii_lowercase())
        .collect();
    let is_kept = |name: &HeaderName| {
        !is_hop_by_hop(name)
            && *name != CONTENT_LENGTH
            && !named.iter().any(|it| it == name.as_str())
    };
    let kept = || response.headers.iter().filter(|(name, _)| is_kept(name));
    let n_headers = u32::try_from(kept().count()).unwrap_or(0);
    bytes.extend_from_slice(&n_headers.to_le_bytes());
    for (name, value) in kept() {
        counted(&mut bytes, name.as_str().as_bytes());
        counted(&mut bytes, value.as_bytes());
    }
    bytes
}

fn counted(bytes: &mut Vec<u8>, text: &[u8]) {
    // A head is read within bounds far below 4 GiB.
    let length = u32::try_from(text.len()).unwrap_or(0);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text);
}

impl StoredResponse {
    /// The response of an entry; none if it is not one.
    pub(crate) fn read(entry: &Bytes) -> Option<StoredResponse> {
        let mut rest = &**entry;
        let [version] = fixed(&mut rest)?;
        if version != VERSION {
            return None;
        }
        let stored = Duration::from_secs(u64::from_le_bytes(fixed(&mut rest)?));
        let life = Duration::from_secs(u64::from_le_bytes(fixed(&mut rest)?));
        let status = StatusCode::from_u16(u16::from_le_bytes(fixed(&mut rest)?)).ok()?;
        let reason = match u32::from_le_bytes(fixed(&mut rest)?) {
            NO_REASON => None,
            length => {
                let text = taken(&mut rest, usize::try_from(length).ok()?)?;
                Some(std::str::from_utf8(text).ok()?.to_owned())
            }
        };
        let n_headers = usize::try_from(u32::from_le_bytes(fixed(&mut rest)?)).ok()?;
        if n_headers > MAX_HEADERS {
            return None;
        }
        let mut headers = HeaderMap::with_capacity(n_headers);
        for _ in 0..n_headers {
            let name = HeaderName::from_bytes(text(&mut rest)?).ok()?;
            headers.append(name, HeaderValue::from_bytes(text(&mut rest)?).ok()?);
        }
        let stored = UNIX_EPOCH.checked_add(stored)?;
        let body = entry.slice_ref(rest);
        Some(StoredResponse { stored, life, status, reason, headers, body })
    }

    /// Whether the client can read its content: it was encoded for another one.
    pub(crate) fn is_readable_by(&self, request: &HeaderMap) -> bool {
        let codings = self.headers.get_all(CONTENT_ENCODING).iter();
        codings.filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(',')).all(|coding| {
            let coding = coding.trim();
            coding.is_empty() || coding.eq_ignore_ascii_case("identity") || accepts(request, coding)
        })
    }

    /// Whether the client has the same content already (`If-None-Match`).
    fn is_known_to(&self, request: &HeaderMap) -> bool {
        let Some(tag) = self.headers.get(ETAG).and_then(|it| it.to_str().ok()) else {
            return false;
        };
        let known = request.get_all(IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
        known.flat_map(tags).any(|it| it == "*" || opaque(it) == opaque(tag.trim()))
    }

    /// The response to a request: with its content, or 304 if the client has that already.
    pub(crate) fn into_response(self, request: &HeaderMap) -> Response {
        let is_known = self.is_known_to(request) && self.status == StatusCode::OK;
        let mut response = Response::new(self.status);
        response.reason = self.reason;
        response.headers = self.headers;
        response.body = Body::bytes(self.body);
        if is_known {
            response.status = StatusCode::NOT_MODIFIED;
            response.reason = None;
            response.body = Body::absent();
            for name in [http::header::CONTENT_TYPE, CONTENT_ENCODING] {
                response.headers.remove(name);
            }
        }
        response
    }
}

/// Entity tags of a list; commas inside of quotes are theirs (RFC 9110, section 8.8.3).
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    list.split(move |it: char| {
        in_quotes ^= it == '"';
        it == ',' && !in_quotes
    })
    .map(str::trim)
    .filter(|it| !it.is_empty())
}

/// A tag as weak comparison sees it.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whether `Accept-Encoding` allows a coding (RFC 9110, section 12.5.3).
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    let listed = request.get_all(ACCEPT_ENCODING).iter().filter_map(|it| it.to_str().ok());
    let mut any = false;
    for item in listed.flat_map(|it| it.split(',')) {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").and_then(|it| it.trim().parse().ok());
        let is_allowed = weight.unwrap_or(1.0_f32) > 0.0;
        match name.trim() {
            name if name.eq_ignore_ascii_case(coding) => return is_allowed,
            "*" => any = is_allowed,
            _ => {}
        }
    }
    any
}

fn taken<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (it, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(it)
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    taken(rest, N)?.try_into().ok()
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(fixed(rest)?);
    taken(rest, usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let parsed = |it: &(&'static str, &'static str)| {
            (HeaderName::from_static(it.0), HeaderValue::from_static(it.1))
        };
        lines.iter().map(parsed).collect()
    }

    fn entry(lines: &[(&'static str, &'static str)], body: &str) -> Bytes {
        let mut response = Response::new(StatusCode::OK);
        for (name, value) in lines {
            response.headers.append(*name, HeaderValue::from_static(value));
        }
        response.reason = Some("Fine".to_owned());
        let stored = UNIX_EPOCH + Duration::from_secs(1000);
        let mut bytes = head_of(&response, stored, Duration::from_secs(60));
        bytes.extend_from_slice(body.as_bytes());
        Bytes::from(bytes)
    }

    #[test]
    fn status_headers_and_body_come_back() {
        let it = entry(&[("x-a", "1"), ("content-type", "text/plain"), ("x-a", "2")], "hello");
        let stored = StoredResponse::read(&it).unwrap();
        assert_eq!(
            (stored.stored, stored.life.as_secs()),
            (UNIX_EPOCH + Duration::from_secs(1000), 60)
        );
        let response = stored.into_response(&HeaderMap::new());
        assert_eq!((response.status.as_u16(), response.reason()), (200, "Fine"));
        assert_eq!(response.header_values("x-a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(response.body.as_bytes().unwrap(), "hello");
    }

    #[test]
    fn headers_of_the_connection_are_left_out() {
        let it = entry(
            &[
                ("connection", "close, X-Own"),
                ("x-own", "1"),
                ("keep-alive", "5"),
                ("transfer-encoding", "chunked"),
                ("content-length", "5"),
                ("x-kept", "1"),
            ],
            "hello",
        );
        let response = StoredResponse::read(&it).unwrap().into_response(&HeaderMap::new());
        assert_eq!(response.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
    }

    #[test]
    fn a_client_that_has_the_content_gets_304() {
        let it = entry(&[("etag", "\"a,b\""), ("content-type", "text/plain")], "hello");
        for (known, expected) in [
            ("\"a,b\"", 304),
            ("W/\"a,b\"", 304),
            ("\"x\" , \"a,b\"", 304),
            ("*", 304),
            ("\"a\"", 200),
            ("", 200),
        ] {
            let request = headers(&[("if-none-match", known)]);
            let response = StoredResponse::read(&it).unwrap().into_response(&request);
            assert_eq!(response.status.as_u16(), expected, "{known}");
            assert_eq!(response.body.is_present(), expected == 200);
            assert!(response.headers.contains_key("etag"));
        }
        let without_tag = entry(&[], "hello");
        let request = headers(&[("if-none-match", "*")]);
        let response = StoredResponse::read(&without_tag).unwrap().into_response(&request);
        assert_eq!(response.status.as_u16(), 200);
    }

    #[test]
    fn encoded_content_is_for_clients_that_can_read_it() {
        let it = StoredResponse::read(&entry(&[("content-encoding", "gzip")], "x")).unwrap();
        for (accepted, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("*, gzip;q=0", false),
            ("gzip;q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(it.is_readable_by(&headers(&[("accept-encoding", accepted)])), expected);
        }
        assert!(!it.is_readable_by(&HeaderMap::new()));
        let plain = StoredResponse::read(&entry(&[("content-encoding", "identity")], "x")).unwrap();
        assert!(plain.is_readable_by(&HeaderMap::new()));
    }

    #[test]
    fn a_head_that_is_cut_is_no_response() {
        let it = entry(&[("x-a", "1")], "");
        for length in 0..it.len() {
            assert!(StoredResponse::read(&it.slice(..length)).is_none(), "{length}");
        }
        let other = Bytes::from([&[VERSION + 1], &it[1..]].concat());
        assert!(StoredResponse::read(&other).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let bytes = Bytes::from([&[VERSION], bytes.as_slice()].concat());
            let _ = StoredResponse::read(&bytes);
        }
    }
}
