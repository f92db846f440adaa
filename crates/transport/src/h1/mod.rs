//! HTTP/1.1, written over the socket: both sides of the gateway.
//!
//! ```text
//! socket ─▶ BytesMut ─Lines─▶ head ─▶ http::Request / Response ─▶ service / caller
//!                    └Decoder▶ chunks of the body, slices of the same memory
//! socket ◀─ Output ◀─encode─ head and body
//! ```
//!
//! A connection is one value with one reading and one writing buffer, and no task, channel or lock
//! between them and the code that uses it: the listener's connection polls the service in its own
//! task ([`server`]), and a call owns its connection until the response's body is read
//! ([`client`]).
//!
//! What a request or response may look like is decided in [`fields`], [`request`] and
//! [`response`], once for both sides and without leniency: whatever two readers may read in two
//! ways is refused. Start there for the rules, with [`server`] for the order of events.
//!
//! Source: RFC 9110, RFC 9112.

pub(crate) mod answer;
pub(crate) mod chunked;
pub(crate) mod client;
#[cfg(test)]
mod differential;
pub(crate) mod encode;
pub(crate) mod fields;
pub(crate) mod inbound;
pub(crate) mod incoming;
pub(crate) mod io;
pub(crate) mod lines;
pub(crate) mod output;
pub(crate) mod received;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod server;
pub(crate) mod ticker;

use bytes::BytesMut;

/// Room for what comes from a socket: most heads and small bodies in one receive.
pub(crate) const READ_BYTES: usize = 8 * 1024;

/// Room for the rest of a long body.
pub(crate) const LONG_READ_BYTES: usize = 64 * 1024;

/// Gives back the memory of a buffer that a long body has made large.
pub(crate) fn give_back(buffer: &mut BytesMut) {
    if buffer.is_empty() && buffer.capacity() > 2 * READ_BYTES {
        *buffer = BytesMut::with_capacity(READ_BYTES);
    }
}

/// What came breaks the rules of HTTP/1.1; the text says which, for logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{LONG_READ_BYTES, READ_BYTES, give_back};

    #[test]
    fn the_memory_of_a_connection_at_rest_is_bounded() {
        for n_bytes in [READ_BYTES, LONG_READ_BYTES] {
            let mut buffer = BytesMut::with_capacity(n_bytes);
            give_back(&mut buffer);
            assert!(buffer.capacity() <= 2 * READ_BYTES);
        }
    }
}
