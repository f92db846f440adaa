//! Checks of the whole crate: properties, the corpus of public documents, recorded results.

extern crate portcullis_expr as expr;

mod corpus;
mod oracle;
mod syntax;
mod vectors;
