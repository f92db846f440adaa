//! Stylesheets, documents and results.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod cases;
mod conformance;
mod fuzz;
mod problems;
mod properties;
