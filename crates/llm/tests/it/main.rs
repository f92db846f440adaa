//! Checks of the whole crate: answers of real services, random bytes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "all of it is test code, the functions that tests share too"
)]

extern crate portcullis_llm as llm;

mod fuzz;
mod golden;
mod translate;
