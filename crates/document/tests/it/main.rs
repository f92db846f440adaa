//! The document crate against real documents and arbitrary text.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod properties;
