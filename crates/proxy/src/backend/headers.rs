//! Headers between the two sides: what belongs to a connection stays there.
//!
//! Source: RFC 9110, section 7.6.1.

use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};
use pipeline::is_hop_by_hop;

use crate::caller;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Takes out the headers that the client's `Connection` names, as its request comes in. Whatever
/// policies and credentials put in later is the gateway's own: no caller can name it away.
pub(crate) fn drop_named(headers: &mut HeaderMap) {
    for name in named(headers) {
        if name != HOST && !is_hop_by_hop(&name) {
            headers.remove(name);
        }
    }
}

/// Takes out what was meant for the gateway. The length is counted anew from the body.
pub(super) fn clean_request(headers: &mut HeaderMap, is_websocket: bool) {
    drop_hop_by_hop(headers);
    headers.remove(CONTENT_LENGTH);
    if is_websocket {
        upgrade(headers);
    }
}

/// Takes out what was meant for the gateway. The length stays: it may be the answer to `HEAD`.
pub(super) fn clean_response(headers: &mut HeaderMap, switches: bool) {
    // `Connection` is one of them.
    if headers.keys().any(is_hop_by_hop) {
        for name in named(headers) {
            headers.remove(name);
        }
        drop_hop_by_hop(headers);
    }
    if switches {
        upgrade(headers);
    }
}

/// What `Connection` names. Most messages have none at all, or one that names nothing.
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    // The usual words name no header that would stay otherwise.
    let is_usual =
        |it: &str| it.eq_ignore_ascii_case("keep-alive") || it.eq_ignore_ascii_case("close");
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(',').map(str::trim))
        .filter(|it| !is_usual(it))
        .filter_map(|it| it.parse().ok())
        .collect()
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    // Most messages have one at most; to compare names is cheaper than to look them up.
    while let Some(name) = headers.keys().find(|it| is_hop_by_hop(it)).cloned() {
        headers.remove(name);
    }
}

fn upgrade(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Appends the client's address to `X-Forwarded-For`; what it says already is kept.
pub(super) fn add_forwarded_for(headers: &mut HeaderMap, address: &Arc<str>) {
    if !headers.contains_key(FORWARDED_FOR) {
        if let Some(value) = caller::header_value(address) {
            headers.insert(FORWARDED_FOR, value);
        }
        return;
    }
    let mut chain = Vec::new();
    for known in headers.get_all(FORWARDED_FOR) {
        chain.extend_from_slice(known.as_bytes());
        chain.extend_from_slice(b", ");
    }
    chain.extend_from_slice(address.as_bytes());
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(chain)) {
        headers.insert(FORWARDED_FOR, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{add_forwarded_for, clean_request, clean_response, drop_named};

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn headers_of_the_connection_are_taken_out() {
        let mut it = headers(&[
            ("connection", "close"),
            ("connection", "keep-alive"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("accept", "*/*"),
        ]);
        clean_request(&mut it, false);
        assert_eq!(it, headers(&[("accept", "*/*")]));
    }

    #[test]
    fn what_the_client_names_is_taken_out_as_it_comes_in() {
        let mut it = headers(&[
            ("connection", "close, X-Mine, Host"),
            ("connection", "upgrade"),
            ("host", "h"),
            ("upgrade", "websocket"),
            ("x-mine", "1"),
        ]);
        drop_named(&mut it);
        assert!(!it.contains_key("x-mine"));
        assert!(it.contains_key("host") && it.contains_key("upgrade"));
        // A policy's header of that name stays.
        it.insert("x-mine", HeaderValue::from_static("2"));
        clean_request(&mut it, false);
        assert_eq!(it, headers(&[("host", "h"), ("x-mine", "2")]));
    }

    #[test]
    fn a_handshake_keeps_its_upgrade() {
        let mut it = headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        clean_request(&mut it, true);
        assert_eq!(it, headers(&[("connection", "Upgrade"), ("upgrade", "websocket")]));
    }

    #[test]
    fn a_response_keeps_its_length() {
        let mut it =
            headers(&[("content-length", "5"), ("connection", "close, x-mine"), ("x-mine", "1")]);
        clean_response(&mut it, false);
        assert_eq!(it, headers(&[("content-length", "5")]));
    }

    #[test]
    fn the_clients_address_is_appended() {
        let mut it = headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")]);
        add_forwarded_for(&mut it, &Arc::from("3.3.3.3"));
        assert_eq!(it, headers(&[("x-forwarded-for", "1.1.1.1, 2.2.2.2, 3.3.3.3")]));
        let mut it = HeaderMap::new();
        add_forwarded_for(&mut it, &Arc::from("::1"));
        assert_eq!(it, headers(&[("x-forwarded-for", "::1")]));
    }
}
