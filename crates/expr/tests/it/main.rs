//! Checks of the whole crate: properties, the corpus of public documents, recorded results.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code, the functions that tests share too"
)]

extern crate portcullis_expr as expr;

mod bounds;
mod contexts;
mod corpus;
mod corpus_runs;
mod differential;
mod fuzz;
mod fuzz_targets;
mod generate;
mod generate_expressions;
mod generate_more;
mod generate_wild;
mod messages;
mod oracle;
mod random;
mod reference;
mod vectors;
