//! The management API over a folder, with every policy that is built in.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod folder;
mod property;
