//! JSON as Newtonsoft.Json 13 sees it: a mutable tree of tokens that know their parents.
//!
//! ```text
//! text -> reader -> Tree <- Token (a handle: tree and number of the node)
//!                    |
//!     edit, merge, select (JSON path), compare, convert (casts), writer -> text
//! ```
//!
//! Start with [`parse`] and [`Token`]. A [`Token`] is a reference to a node, as a variable of the
//! type `JToken` is: clones see each other's changes, and a child keeps its parents alive. Trees
//! are unions of nodes behind one lock; attaching a token of one tree to another unites the two.
//!
//! This module knows nothing of the evaluator: it takes and gives plain data and [`Fault`]s.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/N_Newtonsoft_Json_Linq.htm>

mod arena;
mod change;
mod compare;
mod convert;
pub mod date;
mod edit;
mod lexer;
mod merge;
mod navigate;
pub mod number;
mod path;
mod query;
mod reader;
mod scalar;
mod select;
mod token;
mod writer;

pub use change::convert_scalar;
pub use compare::{compare_scalars, deep_equals};
pub use convert::{Target, cast, change_type};
pub use merge::{ArrayMerge, MergeSettings};
pub use path::Path;
pub use reader::{ParseOptions, Root, parse};
pub use scalar::{DateKind, DateTime, Kind, Scalar, guid_text, parse_guid};
pub use token::{Children, Content, Token};
pub use writer::{Formatting, quote, write_scalar};

pub use dotnet::Fault;

/// Containers nest this deep at most, however they are built; .NET has no limit but its stack.
pub const MAX_TREE_DEPTH: u16 = 256;
