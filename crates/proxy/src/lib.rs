//! The gateway: router, access check, request driver, backends.
//!
//! ```text
//! Request ─▶ Router ─▶ Keys ─▶ pipeline::run ─▶ Response
//!                                  └─▶ backend (pipeline::Forward)
//! ```
//!
//! Start with [`Router`].
//!
//! This crate never sees a socket and knows no policy by name.

pub mod access;
pub mod router;
#[cfg(test)]
mod test_support;
