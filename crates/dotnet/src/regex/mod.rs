//! Regular expressions of .NET, translated for the engine `fancy-regex`.
//!
//! ```text
//! pattern -> translate (refuses what cannot be had) -> Regex -> Match, replace, split
//! ```
//!
//! The dialects differ in much that looks alike: the numbers of named groups, `$` before a last
//! line break, what `\w` and `\s` hold, `{` as text, subtraction of classes. So a pattern is never
//! handed on: it is read with .NET's rules and written again. Balancing groups, conditions other than on a group and
//! matching from right to left are refused. A match takes a bounded number of steps.
//!
//! Start with [`Regex::new`].
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-language-quick-reference>

mod blocks;
mod class;
mod cursor;
mod engine;
mod escape;
mod groups;
mod options;
mod replacement;
mod translate;

pub use engine::{Capture, Match, Regex};
pub use escape::{escape, unescape};
pub use options::Options;
pub use replacement::Replacement;

pub use crate::fault::Fault;
