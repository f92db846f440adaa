//! C# 7 as policies write it: expressions and statements, from text to tree.
//!
//! ```text
//! text -> scan (where an expression ends)
//! source -> lexer::tokenize -> token::Token -> parser -> ast::Root (or problems)
//! ```
//!
//! Start with [`parser`]; [`scan`] serves whoever looks for expressions in a larger text. Knows
//! nothing of types, members or the host: that is the binder's work.

pub mod ast;
pub mod lexer;
pub mod parser;
mod problem;
pub mod scan;
pub mod token;

pub use problem::Problem;
pub use scan::Form;
