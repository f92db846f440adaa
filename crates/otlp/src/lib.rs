//! Sends metrics, spans and log records to an OpenTelemetry collector: OTLP over HTTP, protobuf.
//!
//! ```text
//! Metrics::points ─┐                 ┌▶ /v1/metrics
//! Outbox (spans) ──┼▶ encode ▶ POST ─┼▶ /v1/traces
//! Outbox (logs) ───┘    (retries)    └▶ /v1/logs
//! ```
//!
//! Start with [`Settings::read`] and [`Exporter::run`]. It runs beside the requests, on the
//! control runtime; a request only puts things into the [`telemetry::Outbox`], which is bounded.
//!
//! The messages are written by hand and the calls made with the gateway's own client: OpenTelemetry's
//! SDK would count each measurement a second time behind locks, and bring a second HTTP client.

mod encode;
mod exporter;
mod settings;
mod wire;

pub use exporter::Exporter;
pub use settings::{BadSettings, Given, Settings, Signal, Target};
