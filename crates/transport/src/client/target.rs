//! Where a call goes: what of its URL and options makes two calls share a connection.

use std::ops::Range;

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use memchr::{memchr, memrchr};

use super::proxy::Proxy;
use crate::h1::fields::number;
use crate::tls::client::Checks;
use crate::{CallError, CallOptions, ClientIdentity, HttpVersion};

/// The destination of a call, read from its URL.
#[derive(Debug, Clone)]
pub(super) struct Target {
    uri: Uri,
    /// Where the host stands in the authority: the library would look for it each time.
    host: Range<usize>,
    pub(super) tls: bool,
    pub(super) port: u16,
    pub(super) verify: Checks,
    pub(super) identity: Option<ClientIdentity>,
    pub(super) version: HttpVersion,
    pub(super) proxy: Option<Proxy>,
    /// The whole URL, for a proxy that is sent the request itself.
    whole: Option<Box<str>>,
}

/// What a pool of connections is for.
#[derive(Debug, Clone)]
pub(super) struct Key {
    host: Box<str>,
    tls: bool,
    port: u16,
    verify: Checks,
    identity: Option<ClientIdentity>,
    version: HttpVersion,
    proxy: Option<Proxy>,
}

impl Target {
    pub(super) fn new(uri: Uri, options: &CallOptions) -> Result<Self, CallError> {
        let refused = || CallError::Url(without_query(&uri));
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(refused()),
        };
        let authority = uri.authority().ok_or_else(refused)?;
        let (host, port) = host_and_port(authority.as_str().as_bytes());
        if host.is_empty() {
            return Err(refused());
        }
        let port = port.unwrap_or(if tls { 443 } else { 80 });
        let verify = Checks { tls: options.tls, pins: options.pins.clone() };
        let version = options.http_version;
        let (identity, proxy) = (options.identity.clone(), options.proxy.clone());
        let whole = proxy.is_some() && !tls;
        let mut it = Self { uri, host, tls, port, verify, identity, version, proxy, whole: None };
        if whole {
            it.whole = Some(it.whole_url().into());
        }
        Ok(it)
    }

    pub(super) fn host(&self) -> &str {
        let authority = self.uri.authority().map_or("", |it| it.as_str());
        authority.get(self.host.clone()).unwrap_or_default()
    }

    /// `host:port`, for messages.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.host(), self.port)
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The URL without user information.
    fn whole_url(&self) -> String {
        let port = if self.port == 80 { String::new() } else { format!(":{}", self.port) };
        let path = self.uri.path_and_query().map_or("/", |it| it.as_str());
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("http://{}{port}{slash}{path}", self.host())
    }

    /// Whether the request itself goes to a proxy, not through a tunnel.
    pub(super) fn is_relayed(&self) -> bool {
        self.whole.is_some()
    }

    /// The target of an HTTP/1.1 request line: path and query, or the whole URL for a proxy.
    pub(super) fn path(&self) -> &str {
        if let Some(whole) = &self.whole {
            return whole;
        }
        self.uri.path_and_query().map_or("/", |it| it.as_str())
    }

    /// The value of `Host`: without user information, and without the scheme's own port.
    pub(super) fn host_value(&self) -> Result<HeaderValue, CallError> {
        let is_usual = self.port == if self.tls { 443 } else { 80 };
        let host = self.host();
        let value = if is_usual { host.to_owned() } else { format!("{host}:{}", self.port) };
        HeaderValue::try_from(value).map_err(|_| CallError::Url(without_query(&self.uri)))
    }

    /// A number that calls with the same key share. Others may share it too, and then go without
    /// a pool: it need be no better than quick.
    pub(super) fn hash(&self, client: u64) -> u64 {
        let mut hash = client;
        for part in self.host().as_bytes().chunks(8) {
            let mut word = [0; 8];
            if let Some(word) = word.get_mut(..part.len()) {
                word.copy_from_slice(part);
                word.make_ascii_lowercase();
            }
            hash = mix(hash, u64::from_le_bytes(word));
        }
        let presents = self.identity.is_some();
        let Checks { tls, pins } = &self.verify;
        let flags = [presents, self.tls, tls.verify_chain, tls.verify_name, pins.is_some()];
        let flags = flags.iter().fold(0, |all, it| all << 1 | u64::from(*it));
        let version = match self.version {
            HttpVersion::Http1 => 0,
            HttpVersion::Http2OrHttp1 => 1,
            HttpVersion::Http2 => 2,
        };
        if let Some(proxy) = &self.proxy {
            // Few proxies are used at a time: their ports tell most of them apart.
            hash = mix(hash, u64::from(proxy.port()) << 16 | proxy.host().len() as u64);
        }
        mix(hash, u64::from(self.port) << 8 | flags << 2 | version)
    }

    pub(super) fn key(&self) -> Key {
        Key {
            host: self.host().into(),
            tls: self.tls,
            port: self.port,
            verify: self.verify.clone(),
            identity: self.identity.clone(),
            version: self.version,
            proxy: self.proxy.clone(),
        }
    }

    pub(super) fn fits(&self, key: &Key) -> bool {
        self.tls == key.tls
            && self.port == key.port
            && self.verify == key.verify
            && self.identity == key.identity
            && self.version == key.version
            && self.proxy == key.proxy
            && self.host().eq_ignore_ascii_case(&key.host)
    }
}

/// Where the host stands in an authority, brackets of an address included, and the port. The
/// library has checked its form, and would go through it several times.
fn host_and_port(authority: &[u8]) -> (Range<usize>, Option<u16>) {
    let start = memrchr(b'@', authority).map_or(0, |it| it + 1);
    let rest = authority.get(start..).unwrap_or_default();
    let end = match rest.first() {
        Some(b'[') => memchr(b']', rest).map(|it| it + 1),
        _ => memchr(b':', rest),
    };
    let end = start + end.unwrap_or(rest.len());
    let port = authority.get(end + 1..).and_then(|it| number(it, 10));
    (start..end, port.and_then(|it| u16::try_from(it).ok()))
}

/// Spreads what is new over all bits. The factor is that of the golden ratio.
fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

/// A URL for messages: queries may carry keys.
fn without_query(uri: &Uri) -> String {
    let text = uri.to_string();
    text.split(['?', '#']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::{Target, host_and_port};
    use crate::{CallError, CallOptions, HttpVersion, Pins, Thumbprint};

    fn target(url: &'static str) -> Result<Target, CallError> {
        Target::new(Uri::from_static(url), &CallOptions::default())
    }

    #[test]
    fn only_absolute_http_urls_are_called() {
        for url in ["/path?key=1", "ftp://host/", "host:80"] {
            let error = target(url).unwrap_err();
            assert!(!error.to_string().contains("key"), "{error}");
        }
    }

    #[test]
    fn host_and_request_line_follow_from_the_url() {
        for (url, host, line) in [
            ("https://a.b/c?d=e", "a.b", "/c?d=e"),
            ("https://a.b:443", "a.b", "/"),
            ("https://a.b:444/", "a.b:444", "/"),
            ("http://user:word@a.b:81/", "a.b:81", "/"),
            ("http://[::1]:81/", "[::1]:81", "/"),
        ] {
            let target = target(url).unwrap();
            assert_eq!(target.host_value().unwrap(), host, "{url}");
            assert_eq!(target.path(), line, "{url}");
        }
    }

    #[test]
    fn hosts_and_ports_are_what_the_library_finds() {
        for text in [
            "a",
            "a:1",
            "a:",
            "a:65535",
            "a:65536",
            "me@a",
            "me:word@a:7",
            "[::1]",
            "[::1]:8080",
            "me@[::1]:8080",
            "me:w@[::1]",
        ] {
            let authority: http::uri::Authority = text.parse().unwrap();
            let (host, port) = host_and_port(text.as_bytes());
            assert_eq!((&text[host], port), (authority.host(), authority.port_u16()), "{text}");
        }
    }

    #[test]
    fn calls_share_connections_only_if_nothing_that_matters_differs() {
        let first = target("https://Example.com/a").unwrap();
        let same = target("https://example.COM:443/b").unwrap();
        assert!(same.fits(&first.key()) && same.hash(1) == first.hash(1));
        assert_ne!(first.hash(1), first.hash(2));
        for url in ["http://example.com", "https://example.com:444", "https://example.org"] {
            assert!(!target(url).unwrap().fits(&first.key()), "{url}");
        }
        let options = CallOptions { http_version: HttpVersion::Http2, ..CallOptions::default() };
        let other = Target::new(first.uri().clone(), &options).unwrap();
        assert!(!other.fits(&first.key()));
        let pins = Pins::new(vec![Thumbprint::of(b"x")], Vec::new());
        let options = CallOptions { pins, ..CallOptions::default() };
        let pinned = Target::new(first.uri().clone(), &options).unwrap();
        assert!(!pinned.fits(&first.key()) && pinned.fits(&pinned.key()));
    }
}
