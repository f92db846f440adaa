//! Regular expressions as .NET has them: its dialect, its order of trying, its captures.
//!
//! ```text
//! pattern -> census (groups and their numbers) -> parse -> Node -> compile -> Program
//! text ----------------------------------------------------------------------> Search -> Found
//! ```
//!
//! A pattern and a text are UTF-16 units, since .NET counts and matches these. Matching is by
//! backtracking with a stack of its own, so a pattern never deepens Rust's. What was changed is
//! written to a trail and undone when the search steps back. Every step and every entry of stack
//! and trail counts against a [`Budget`]: a search ends within it or fails as [`Exhausted`].
//!
//! Start with [`Regex::new`] and [`Regex::find`].
//!
//! This crate knows nothing of expressions, of strings of ours or of the gateway.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-language-quick-reference>

mod blocks;
mod census;
mod class;
mod compile;
mod error;
mod escape;
mod first;
mod group;
mod machine;
mod node;
mod options;
mod parse;
mod program;
mod reference;
mod replacement;
mod scan;
mod scratch;
mod search;
mod set;
mod source;
mod units;

pub use census::Group;
pub use error::Error;
pub use escape::{escape, unescape};
pub use options::Options;
pub use replacement::Piece;
pub use search::{Budget, Exhausted, Found, Regex, Span, Text};
pub use units::{CATEGORIES, category};
