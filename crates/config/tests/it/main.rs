//! The config crate against the shipped example and arbitrary files.

#[cfg(test)]
mod example;
#[cfg(test)]
mod properties;
