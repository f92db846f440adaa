//! What the gateway tells about its requests, and what it must not tell.
//!
//! ```text
//! AccessRecord ─▶ AccessLog::write (request thread: format into a buffer) ─▶ writer thread ─▶ file
//! ```
//!
//! Start with [`AccessLog`], [`Metrics`] and [`Outbox`]. [`redact`] takes keys out of URLs before anybody sees them,
//! [`Secrets`] known secrets out of texts that people wrote.
//!
//! This crate knows nothing of policies, routes or sockets.

mod access_log;
mod instrument;
mod metrics;
mod outbox;
mod points;
mod prometheus;
mod record;
pub mod redact;
mod registry;
pub mod rotating_file;
mod secrets;
pub mod trace;

pub use access_log::{AccessLog, Sink};
pub use instrument::{Buckets, Counter, Gauge, Histogram};
pub use metrics::{MAX_SERIES, Metrics, Series, Total};
pub use outbox::{LogEvent, MAX_WAITING_BYTES, Outbox};
pub use points::{Data, Labels, MetricPoints};
pub use prometheus::TextFormat;
pub use record::{AccessRecord, LastErrorRecord, Timestamp, TraceRecord};
pub use registry::{MAX_LABEL_BYTES, MAX_SERIES_PER_METRIC, Metric};
pub use rotating_file::Rotation;
pub use secrets::{MIN_SECRET_BYTES, Secrets, TooManySecrets};
pub use trace::{Sampler, SpanKind, SpanRecord, TraceContext, Value};
