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

/// Room for what comes from a socket: most heads and small bodies in one receive.
pub(crate) const READ_BYTES: usize = 8 * 1024;

/// Room for the rest of a long body.
pub(crate) const LONG_READ_BYTES: usize = 64 * 1024;

/// What came breaks the rules of HTTP/1.1; the text says which, for logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) &'static str);
