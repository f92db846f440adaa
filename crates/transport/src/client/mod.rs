//! Making calls: to backends, identity providers, the metadata service, Key Vault.
//!
//! [`HttpClient`] is the trait that everything takes. [`Client`](real::Client) calls over
//! connections that each thread keeps; [`FakeClient`](fake::FakeClient) answers from a closure.

mod connect;
pub(crate) mod fake;
pub(crate) mod pool;
pub(crate) mod proxy;
pub(crate) mod real;
mod resolve;
mod target;

use std::fmt::Debug;
use std::time::Duration;

use self::proxy::Proxy;
use crate::{BodyError, BoxFuture, ClientIdentity, Pins, Request, Response};

/// Sends requests.
pub trait HttpClient: Debug + Send + Sync {
    /// Sends a request with an absolute URI (`http` or `https`) and returns as soon as the
    /// response's headers are there; its body streams. Redirects are not followed. `Host` is
    /// taken from the URI unless the request has one. Dropping the future ends the call.
    ///
    /// A call is repeated on a fresh connection only when a reused one turned out to be dead
    /// and nothing of it can have been processed.
    fn send<'a>(
        &'a self,
        request: Request,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Response, CallError>>;
}

/// How a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOptions {
    /// Protocol version. Default HTTP/1.1.
    pub http_version: HttpVersion,
    /// Longest wait for the response's headers, from the start of the call. Default 300 s;
    /// `None`: no bound.
    pub response_timeout: Option<Duration>,
    /// Longest time for name, connection and TLS together. Default 10 s.
    pub connect_timeout: Duration,
    /// With `Expect: 100-continue` on the request: how long the body waits for the answer
    /// before it is sent all the same. Default 1 s.
    pub continue_timeout: Duration,
    /// Longest pause inside the response's body; `None`: no bound. Default 240 s.
    pub body_idle_timeout: Option<Duration>,
    /// What is checked of the other side's certificate.
    pub tls: ClientTls,
    /// Certificates of which the other side's must be one; none: any that passes the checks.
    pub pins: Option<Pins>,
    /// The certificate that is presented if the other side asks for one.
    pub identity: Option<ClientIdentity>,
    /// The proxy that the call goes through.
    pub proxy: Option<Proxy>,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            http_version: HttpVersion::default(),
            response_timeout: Some(Duration::from_secs(300)),
            connect_timeout: Duration::from_secs(10),
            continue_timeout: Duration::from_secs(1),
            body_idle_timeout: Some(Duration::from_secs(240)),
            tls: ClientTls::default(),
            pins: None,
            identity: None,
            proxy: None,
        }
    }
}

/// Protocol versions a call may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 if the other side agrees (ALPN), else HTTP/1.1. Without TLS: HTTP/1.1.
    Http2OrHttp1,
    /// HTTP/2 only; without TLS with prior knowledge.
    Http2,
}

/// Checks of the other side's certificate. Both are on by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientTls {
    /// The chain must lead to a trusted root, and no certificate may be expired.
    pub verify_chain: bool,
    /// The certificate must carry the host's name.
    pub verify_name: bool,
}

impl Default for ClientTls {
    fn default() -> Self {
        Self { verify_chain: true, verify_name: true }
    }
}

/// Why a call brought no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The URI is not absolute, or its scheme is neither `http` nor `https`.
    #[error("`{0}` is not an absolute http or https URL")]
    Url(String),
    /// The host has no address.
    #[error("host `{host}` cannot be resolved: {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No TCP connection.
    #[error("cannot connect to `{host}`: {reason}")]
    Connect {
        /// Host and port.
        host: String,
        /// What the system said.
        reason: String,
    },
    /// The TLS handshake failed, or the certificate was refused.
    #[error("TLS with `{host}` failed: {reason}")]
    Tls {
        /// Host and port.
        host: String,
        /// What the TLS library said.
        reason: String,
    },
    /// The proxy makes no connection, or refuses the call.
    #[error("proxy `{proxy}` failed: {reason}")]
    Proxy {
        /// Host and port of the proxy.
        proxy: String,
        /// What it did.
        reason: String,
    },
    /// The other side does not speak the asked version of HTTP.
    #[error("`{host}` does not speak HTTP/2")]
    Version {
        /// Host and port.
        host: String,
    },
    /// No connection within `connect_timeout`.
    #[error("no connection to `{host}` within {} ms", .after.as_millis())]
    ConnectTimeout {
        /// Host and port.
        host: String,
        /// The bound.
        after: Duration,
    },
    /// No response headers within `response_timeout`.
    #[error("no response within {} ms", .after.as_millis())]
    Timeout {
        /// The bound.
        after: Duration,
    },
    /// Too many connections to this host are open already.
    #[error("too many connections to `{host}`")]
    Busy {
        /// Host and port.
        host: String,
    },
    /// The request's own body failed: the client's fault, not the other side's.
    #[error("the request body failed: {0}")]
    RequestBody(BodyError),
    /// The connection broke, or what came is not HTTP, before the response's headers were there.
    #[error("connection to `{host}` broke: {reason}")]
    Broken {
        /// Host and port.
        host: String,
        /// What the HTTP library said.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CallError, CallOptions};

    #[test]
    fn the_defaults_check_certificates_and_wait_as_forward_request_does() {
        let options = CallOptions::default();
        assert!(options.tls.verify_chain && options.tls.verify_name);
        assert_eq!(options.response_timeout, Some(Duration::from_secs(300)));
    }

    #[test]
    fn errors_read_as_sentences() {
        let error = CallError::Timeout { after: Duration::from_millis(1500) };
        assert_eq!(error.to_string(), "no response within 1500 ms");
    }
}
