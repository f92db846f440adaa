//! Properties of the engine: it agrees with another one where both can do a pattern, and any
//! pattern and text are answered within bounds.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

extern crate portcullis_regex as regex;

mod agreement;
mod bounds;
