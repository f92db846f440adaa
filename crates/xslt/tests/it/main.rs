//! Stylesheets, documents and results.

mod cases;
mod conformance;
mod problems;
