//! Integration tests of the program and of the workspace as a whole.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod docs;
mod guide;
mod tidy;
