//! Runs Azure API Management policy documents anywhere.

fn main() {}
