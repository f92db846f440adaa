//! A proxy that calls go through: a tunnel (`CONNECT`) to TLS hosts, whole URLs for others.
//!
//! Between gateway and proxy there is no TLS. The proxy resolves the host's name; `hosts:` says
//! where the proxy itself is found, and what is trusted of the host behind it.
//!
//! Source: RFC 9110, section 9.3.6 (`CONNECT`), 11.7 (`Proxy-Authorization`); RFC 9112, section
//! 3.2.2 (whole URLs)

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::CallError;
use crate::Secret;

/// Longest head of a proxy's answer to `CONNECT`.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// A proxy. Cloning copies a pointer.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(Arc<Parts>);

#[derive(PartialEq, Eq)]
struct Parts {
    host: Box<str>,
    port: u16,
    /// Value of `Proxy-Authorization`.
    authorization: Option<HeaderValue>,
}

/// The text names no proxy, or the credentials make no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProxy {
    /// Not of the form `http://host:port`.
    #[error("a proxy is `http://host:port`")]
    Url,
    /// A colon in the user name, or a control character.
    #[error("the proxy's user name has a colon")]
    Credentials,
}

impl Proxy {
    /// A proxy at `http://host:port`; the scheme may be left out, and without a port it is 80. With
    /// credentials it is told who calls, by the scheme `Basic`.
    ///
    /// # Errors
    ///
    /// [`BadProxy`].
    pub fn new(url: &str, credentials: Option<(&str, &Secret)>) -> Result<Proxy, BadProxy> {
        let url = url.trim();
        // As .NET's `WebProxy` does it.
        let uri = if url.contains("://") { url.parse() } else { format!("http://{url}").parse() };
        let uri: Uri = uri.map_err(|_| BadProxy::Url)?;
        let authority = uri.authority().ok_or(BadProxy::Url)?;
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let has_user = authority.as_str().contains('@');
        if uri.scheme_str() != Some("http") || !is_bare || has_user || authority.host().is_empty() {
            return Err(BadProxy::Url);
        }
        let authorization = credentials
            .map(|(name, password)| {
                if name.contains(':') {
                    return Err(BadProxy::Credentials);
                }
                let text = STANDARD.encode(format!("{name}:{}", password.expose()));
                let value = HeaderValue::from_str(&format!("Basic {text}"));
                let mut value = value.map_err(|_| BadProxy::Credentials)?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()?;
        // A port that is out of range is none for `Authority`.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("" | ":") | None => 80,
            Some(port) => port.trim_start_matches(':').parse().map_err(|_| BadProxy::Url)?,
        };
        Ok(Proxy(Arc::new(Parts { host: authority.host().into(), port, authorization })))
    }

    /// Host name or address, in brackets if that has colons.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// `host:port`, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.0.host, self.0.port)
    }

    /// The value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.0.authorization.as_ref()
    }

    /// Asks for a tunnel to `host:port`. After that the stream belongs to the host.
    pub(super) async fn tunnel(
        &self,
        stream: &mut TcpStream,
        authority: &str,
    ) -> Result<(), CallError> {
        let failed = |reason: &str| self.failed(reason);
        let mut head =
            format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n").into_bytes();
        if let Some(value) = &self.0.authorization {
            head.extend_from_slice(b"proxy-authorization: ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        stream.write_all(&head).await.map_err(|error| failed(&error.to_string()))?;
        let mut answer = Vec::with_capacity(512);
        loop {
            let n_read = stream.read_buf(&mut answer).await;
            if n_read.map_err(|error| failed(&error.to_string()))? == 0 {
                return Err(failed("it closed the connection"));
            }
            if let Some(end) = answer.windows(4).position(|it| it == b"\r\n\r\n") {
                // The host behind waits for us to speak: what comes with the head is not its.
                let is_alone = end + 4 == answer.len();
                return match status(&answer) {
                    Some(200..=299) if is_alone => Ok(()),
                    Some(200..=299) => Err(failed("it spoke before the host")),
                    Some(status) => Err(failed(&format!("it answered {status}"))),
                    None => Err(failed("its answer is no HTTP")),
                };
            }
            if answer.len() > MAX_HEAD_BYTES {
                return Err(failed("the head of its answer is too long"));
            }
        }
    }

    /// A failure of the proxy itself.
    pub(super) fn failed(&self, reason: &str) -> CallError {
        CallError::Proxy { proxy: self.name(), reason: reason.to_owned() }
    }
}

/// The status in a status line.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.0 ").or_else(|| head.strip_prefix(b"HTTP/1.1 "))?;
    let digits = rest.get(..3).filter(|it| it.iter().all(u8::is_ascii_digit))?;
    let ends = matches!(rest.get(3), Some(b' ' | b'\r'));
    ends.then(|| digits.iter().fold(0, |sum, it| sum * 10 + u16::from(it - b'0')))
}

/// Shows no credentials.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        for (url, expected) in [
            ("http://proxy.example:8080", Some("proxy.example:8080")),
            (" http://proxy.example/ ", Some("proxy.example:80")),
            ("http://[::1]:3128", Some("[::1]:3128")),
            ("http://proxy.example:99999", None),
            ("https://proxy.example", None),
            ("http://proxy.example/path", None),
            ("http://proxy.example?x", None),
            ("http://me:hunter2@proxy.example", None),
            ("proxy.example:8080", Some("proxy.example:8080")),
            ("proxy.example", Some("proxy.example:80")),
            ("a b", None),
            ("http://", None),
            ("", None),
        ] {
            let found = Proxy::new(url, None).ok().map(|it| it.name());
            assert_eq!(found.as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn credentials_make_a_header_that_is_not_shown() {
        let password = Secret::new("hunter2");
        let proxy = Proxy::new("http://p", Some(("me", &password))).unwrap();
        assert_eq!(proxy.authorization().unwrap(), "Basic bWU6aHVudGVyMg==");
        assert_eq!(format!("{proxy:?}"), "Proxy(\"p:80\")");
        assert_eq!(Proxy::new("http://p", Some(("a:b", &password))), Err(BadProxy::Credentials));
        assert_ne!(proxy, Proxy::new("http://p", None).unwrap());
    }

    #[test]
    fn a_status_line_has_three_digits() {
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.0 407\r\n", Some(407)),
            ("HTTP/2 200 OK\r\n", None),
            ("HTTP/1.1 2000\r\n", None),
            ("HTTP/1.1 2x0 \r\n", None),
            ("SSH-2.0", None),
        ] {
            assert_eq!(status(text.as_bytes()), expected, "{text}");
        }
    }
}
