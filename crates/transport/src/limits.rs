//! Bounds of an HTTP listener. Every one is enforced and tested; none is unlimited by default.

use std::time::Duration;

/// What a listener accepts from a client, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Open connections per worker; further ones wait in the kernel's queue. Default 16,384.
    pub max_connections: usize,
    /// Request line and headers together, in bytes; beyond: 431, or 414 if the request line alone
    /// is longer. Default 64 KiB.
    pub max_head_bytes: usize,
    /// Number of header lines; beyond: 431. Default 100.
    pub max_headers: usize,
    /// Request target in bytes; beyond: 414. Default 16 KiB.
    pub max_target_bytes: usize,
    /// Request body in bytes; beyond: 413 if announced, else the body ends with
    /// [`BodyError::TooLarge`](crate::BodyError::TooLarge). Default 256 MiB.
    pub max_body_bytes: u64,
    /// From connection accepted to TLS handshake done; beyond: closed. Default 10 s.
    pub handshake_timeout: Duration,
    /// From the first byte of a request to the end of its headers; beyond: 408. Default 15 s.
    pub head_timeout: Duration,
    /// How long a connection may rest between two requests; beyond: closed. Default 75 s, longer
    /// than clients keep theirs, so that the client is the one that closes.
    pub keep_alive_timeout: Duration,
    /// Longest pause inside a request body; beyond: the body ends with
    /// [`BodyError::IdleTimeout`](crate::BodyError::IdleTimeout). Default 60 s.
    pub body_idle_timeout: Duration,
    /// Longest time in which the client takes no byte of a waiting response; beyond: closed. An
    /// HTTP/2 stream that the client does not read is cut alone. Default 240 s.
    pub write_timeout: Duration,
    /// From the request's headers to the response's headers; beyond: 504. Default 1 h.
    pub request_timeout: Duration,
    /// Concurrent HTTP/2 streams per connection. Default 100.
    pub max_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 16_384,
            max_head_bytes: 64 * 1024,
            max_headers: 100,
            max_target_bytes: 16 * 1024,
            max_body_bytes: 256 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(15),
            keep_alive_timeout: Duration::from_secs(75),
            body_idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(240),
            request_timeout: Duration::from_secs(3600),
            max_streams: 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn connections_outlive_those_of_the_openai_clients() {
        assert!(Limits::default().keep_alive_timeout.as_secs() >= 60);
    }
}
