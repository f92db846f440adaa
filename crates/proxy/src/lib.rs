//! The gateway: router, access check, request driver, backends.
//!
//! ```text
//! Request ─▶ Router ─▶ Keys ─▶ pipeline::run ─▶ Response
//!                                  └─▶ backend (pipeline::Forward)
//! ```
//!
//! Start with [`Gateway::handle`]; it never sees a socket. A request reads one snapshot from its
//! first byte to its last.
//!
//! This crate knows no policy by name.

mod access;
mod agents;
mod backend;
mod caller;
mod driver;
mod finish;
mod gateway;
pub mod health;
mod measure;
mod origin;
mod preflight;
mod router;
#[cfg(test)]
mod test_support;
mod trail;

pub use access::{Admitted, Denied, Keys, Presented};
pub use backend::{BackendTokens, BreakerState, HttpForward};
pub use gateway::Gateway;
pub use router::{Route, Router, Wanted};
