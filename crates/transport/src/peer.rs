//! The other end of an accepted connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// What is known of the client's connection. Made once per connection, shared by its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Address and port of the immediate client, which may be a proxy.
    pub address: SocketAddr,
    /// Address and port of ours that the client connected to.
    pub local: SocketAddr,
    /// The TLS session, if there is one.
    pub tls: Option<TlsInfo>,
}

/// What the TLS handshake settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.2` or `TLSv1.3`.
    pub protocol: &'static str,
    /// Server name that the client asked for (SNI).
    pub sni: Option<String>,
    /// The client's certificate and those above it, as it sent them: its own first, in DER. None
    /// if it sent none. It has proven to have the key of the first; nothing else is proven.
    pub certificates: Option<Arc<[Vec<u8>]>>,
}

impl Peer {
    /// A client on the given address, without TLS: what tests and policy cases use.
    #[must_use]
    pub fn plain(address: IpAddr) -> Self {
        Self {
            address: SocketAddr::new(address, 0),
            local: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            tls: None,
        }
    }

    /// The client's address as text; an IPv4 address that is mapped into IPv6 as IPv4.
    #[must_use]
    pub fn ip_text(&self) -> String {
        let IpAddr::V4(address) = self.address.ip().to_canonical() else {
            return self.address.ip().to_string();
        };
        // Several times faster than the general formatting, and every request needs it.
        let mut text = String::with_capacity("255.255.255.255".len());
        for (number, octet) in address.octets().into_iter().enumerate() {
            if number > 0 {
                text.push('.');
            }
            let digit = |it: u8| char::from(b'0' + it % 10);
            if octet >= 100 {
                text.push(digit(octet / 100));
            }
            if octet >= 10 {
                text.push(digit(octet / 10));
            }
            text.push(digit(octet));
        }
        text
    }

    /// `https` with TLS, else `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{Peer, TlsInfo};

    #[test]
    fn addresses_read_as_usual() {
        for text in ["0.0.0.0", "127.0.0.1", "10.20.100.255", "::1", "2001:db8::9"] {
            assert_eq!(Peer::plain(text.parse().unwrap()).ip_text(), text);
        }
        assert_eq!(Peer::plain("::ffff:1.2.3.40".parse().unwrap()).ip_text(), "1.2.3.40");
    }

    #[test]
    fn the_scheme_follows_from_tls() {
        let plain = Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(plain.scheme(), "http");
        assert_eq!(Peer { tls: Some(TlsInfo::default()), ..plain }.scheme(), "https");
    }
}
