//! From text to tree: lexer and parser for C# 7 expressions and statements.
//!
//! ```text
//! source -> lexer::tokenize -> token::Token -> parser -> ast::Root (or problems)
//! ```
//!
//! Knows nothing of types, members or the host: that is the binder's work.

pub mod ast;
pub mod lexer;
pub mod parser;
pub mod token;
