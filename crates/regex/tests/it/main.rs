//! Properties of the engine: it agrees with another one where both can do a pattern, and any
//! pattern and text are answered within bounds.

extern crate portcullis_regex as regex;

mod agreement;
mod bounds;
