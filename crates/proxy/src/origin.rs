//! Scheme, host and port as the client used them.

use std::cell::RefCell;
use std::sync::Arc;

use http::header;
use http::request::Parts;
use pipeline::BaseUrl;
use transport::Peer;

/// Origins that a thread remembers: those of its listeners, seldom more.
const MAX_KNOWN: usize = 32;

/// Longest host that is taken as one; the name of a host has at most 253 bytes.
const MAX_HOST_BYTES: usize = 260;

type Known = Vec<(bool, String, Arc<BaseUrl>)>;

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// The origin of a request; nearly always one that the thread has seen before.
pub(crate) fn of(head: &Parts, peer: &Peer) -> Arc<BaseUrl> {
    let is_tls = peer.tls.is_some();
    let host = head.headers.get(header::HOST).map(|it| it.as_bytes()).unwrap_or_default();
    let known = KNOWN.with_borrow(|known| {
        // Only hosts are known.
        let mut known = known.iter();
        let found = known.find(|(tls, name, _)| *tls == is_tls && name.as_bytes() == host);
        found.map(|(_, _, origin)| origin.clone())
    });
    known.unwrap_or_else(|| learn(is_tls, host, peer))
}

/// The origin of a request that is the first of its kind on this thread.
fn learn(is_tls: bool, host: &[u8], peer: &Peer) -> Arc<BaseUrl> {
    let Some(host) = std::str::from_utf8(host).ok().filter(|it| is_host(it)) else {
        return Arc::new(parse(is_tls, &peer.local.to_string()));
    };
    let origin = Arc::new(parse(is_tls, host));
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MAX_KNOWN {
            known.remove(0);
        }
        known.push((is_tls, host.to_owned(), origin.clone()));
    });
    origin
}

/// Whether a text can stand for a host in messages and URLs: no blanks, quotes or slashes.
fn is_host(text: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~:[]%".contains(&it);
    !text.is_empty() && text.len() <= MAX_HOST_BYTES && text.bytes().all(is_plain)
}

fn parse(is_tls: bool, host: &str) -> BaseUrl {
    let (scheme, usual) = if is_tls { ("https", 443) } else { ("http", 80) };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !port.ends_with(']') => {
            (name, port.parse().unwrap_or(usual))
        }
        _ => (host, usual),
    };
    BaseUrl::origin(scheme, name, port)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use transport::{Peer, TlsInfo};

    use super::{KNOWN, MAX_KNOWN, of};

    fn origin(host: &str, is_tls: bool) -> String {
        let request = http::Request::builder().header("host", host).body(()).unwrap();
        let peer = Peer {
            tls: is_tls.then(TlsInfo::default),
            ..Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST))
        };
        of(&request.into_parts().0, &peer).to_string()
    }

    #[test]
    fn the_host_header_gives_name_and_port() {
        assert_eq!(origin("api.test", true), "https://api.test");
        assert_eq!(origin("api.test:443", true), "https://api.test");
        assert_eq!(origin("api.test:8443", true), "https://api.test:8443");
        assert_eq!(origin("[::1]", false), "http://[::1]");
        assert_eq!(origin("[::1]:81", false), "http://[::1]:81");
    }

    #[test]
    fn what_is_no_host_is_replaced_by_the_listeners_address() {
        for host in ["", "a b", "a\"b", "a/b", "user@host"] {
            assert_eq!(origin(host, false), "http://127.0.0.1:0", "{host}");
        }
    }

    #[test]
    fn origins_are_remembered_and_bounded() {
        let make = || {
            let request = http::Request::builder().header("host", "x").body(()).unwrap();
            of(&request.into_parts().0, &Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)))
        };
        assert!(Arc::ptr_eq(&make(), &make()));
        for number in 0..MAX_KNOWN * 2 {
            origin(&format!("host{number}"), true);
        }
        assert_eq!(KNOWN.with_borrow(Vec::len), MAX_KNOWN);
    }
}
