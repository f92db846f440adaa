//! Policy expressions: C# 7 over an allow-list of .NET types, compiled at load time, evaluated within bounds.
//!
//! ```text
//! source -> scan (where it ends) -> syntax (tree) -> bind (types, overloads) -> Program
//!                                                     ^
//!                                          library: one row per .NET member
//! Program + Host -> EvalCx (budget) -> Value or Exception
//! ```
//!
//! This crate does no I/O and knows nothing of policies: what an expression sees of a request comes
//! from a [`Host`].

pub mod bind;
pub mod crypto;
pub mod cx;
mod evaluate;
pub mod exception;
pub mod fault;
pub mod host;
mod ir;
pub mod json;
pub mod library;
pub mod options;
pub mod oracle;
pub mod problem;
pub mod program;
pub mod regex;
pub mod scan;
pub mod string;
pub mod syntax;
pub mod text;
mod tree;
pub mod types;
pub mod value;
pub mod xml;

pub use bind::compile;
pub use cx::EvalCx;
pub use exception::Exception;
pub use host::{Host, Variables};
pub use options::{Limits, Options, Runtime};
pub use problem::Problem;
pub use program::{Program, Uses};
pub use scan::Form;
pub use string::Str;
pub use types::Type;
pub use value::{JwtValue, Value};
