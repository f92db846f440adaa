//! Azure SQL and SQL Server, asked one statement at a time.
//!
//! ```text
//! connection string ─▶ Server ─┐
//! statement, parameters ───────┴─ask─▶ TLS, login, sp_executesql ─▶ rows as JSON
//! ```
//!
//! Start with [`ask`]. Each statement has a connection of its own, so that nothing that one leaves
//! behind (settings, temporary tables, open transactions) meets another. Connections are encrypted
//! and the server's certificate is checked, whatever the connection string says.
//!
//! This crate knows nothing of policies, requests or tokens' origins.

mod client;
mod limited;
mod server;
mod statement;
mod value;

pub use client::{Bounds, Login, Row, SqlError, ask};
pub use server::{ConnectionStringError, Server};
pub use statement::{Parameter, SqlType, Statement, is_parameter_name};
