//! What the gateway tells about its requests, and what it must not tell.
//!
//! ```text
//! AccessRecord ─▶ AccessLog::write (request thread: format into a buffer) ─▶ writer thread ─▶ file
//! ```
//!
//! Start with [`AccessLog`] and [`Metrics`]. [`redact`] takes keys out of URLs before anybody sees them.
//!
//! This crate knows nothing of policies, routes or sockets.

mod access_log;
mod metrics;
mod record;
pub mod redact;

pub use access_log::{AccessLog, Sink};
pub use metrics::{MAX_DIMENSION_BYTES, MAX_SERIES, Metrics, Series, Total};
pub use record::{AccessRecord, LastErrorRecord};
