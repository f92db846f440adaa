//! Policy expressions: C# 7 over an allow-list of .NET types, compiled at load time, evaluated within bounds.
//!
//! ```text
//! source -> csharp (tree) -> bind (types, overloads) -> Program
//!                                    ^
//!                         library: one row per .NET member, over `dotnet` and `tree`
//! Program + Host -> EvalCx (budget) -> Value or Exception
//! ```
//!
//! This crate does no I/O and knows nothing of policies: what an expression sees of a request comes
//! from a [`Host`].

pub mod bind;
pub mod cx;
mod evaluate;
pub mod exception;
pub mod host;
mod ir;
pub mod library;
pub mod options;
pub mod oracle;
pub mod program;
pub mod types;
pub mod value;

pub use bind::compile;
pub use csharp::{Form, Problem};
pub use cx::EvalCx;
pub use dotnet::{Runtime, Str};
pub use exception::Exception;
pub use host::{Host, Variables};
pub use options::{Limits, Options};
pub use program::{Program, Uses};
pub use types::Type;
pub use value::{JwtValue, Value};
