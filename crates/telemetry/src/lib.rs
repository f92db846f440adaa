//! What the gateway tells about its requests, and what it must not tell.
//!
//! ```text
//! AccessRecord ─▶ AccessLog::write (request thread: format into a buffer) ─▶ writer thread ─▶ file
//! ```
//!
//! Start with [`AccessLog`]. [`redact`] takes keys out of URLs before anybody sees them.
//!
//! This crate knows nothing of policies, routes or sockets.

mod access_log;
mod record;
pub mod redact;

pub use access_log::{AccessLog, Sink};
pub use record::{AccessRecord, LastErrorRecord};
