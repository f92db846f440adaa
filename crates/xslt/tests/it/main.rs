//! Stylesheets, documents and results.

mod cases;
mod conformance;
mod fuzz;
mod problems;
mod properties;
