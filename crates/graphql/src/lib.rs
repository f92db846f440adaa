//! GraphQL: schemas, requests checked against them, operations executed field by field.
//!
//! ```text
//! SDL ─Schema::parse─▶ Schema ──────────┐
//! body or query ─▶ Request ─Schema::check─▶ Operation ─execute─▶ Response (data, errors)
//!                                          │              ▲
//!                                          └─rules::apply  └─ Resolver: type, field, arguments,
//!                                             (allow, remove)          parent ─▶ JSON
//! messages of a WebSocket ─▶ socket::FromClient ─▶ Request ─Schema::check_subscription─▶ Operation
//! event ─execute_event─▶ Response
//! ```
//!
//! Start with [`Schema::parse`] and [`Schema::check`]. Parsing, validation and introspection are
//! the library's; execution is ours, so that the fields of a selection set are resolved at the same
//! time and everything is counted ([`Limits`]).
//!
//! This crate does no I/O and knows nothing of HTTP messages, policies or entities.
//!
//! Source: <https://spec.graphql.org/October2021/>, <https://graphql.github.io/graphql-over-http/>

mod error;
mod execute;
mod json;
mod limits;
mod measure;
mod operation;
#[cfg(test)]
mod properties;
mod request;
mod rules;
mod schema;
pub mod socket;

pub use error::{Error, Location, Segment};
pub use execute::{Call, Resolved, Resolver, Response, execute, execute_event};
pub use limits::Limits;
pub use operation::{Operation, check_unknown_subscription};
pub use request::{MalformedRequest, Request};
pub use rules::{Decision, Pruned, Selected};
pub use schema::{Flaw, Schema, UnknownField};
