//! Stand-ins for the services that a policy needs: Azure OpenAI with AI Content Safety, Entra ID,
//! the managed identity endpoints (IMDS and App Service), Key Vault, Cosmos DB, and an MCP server.
//!
//! ```text
//! Settings ─▶ Simulator::start ─▶ one HTTP(S) server a service, all sharing one World
//!                                   World: directory, signing keys, secrets, faults
//! ```
//!
//! They are real servers on loopback with the wire shapes of the real services, so that unmodified
//! SDKs and the gateway itself can talk to them. What they check they really check: keys, tokens
//! with their signature, audience and lifetime, identity headers, challenge handshakes. Each answers
//! to a few control calls below [`control::PREFIX`], which inject faults, change deployments and
//! rotate keys.
//!
//! Start with [`Simulator::start`]. This crate knows the wire, not the gateway: it uses `transport`
//! and nothing else of ours, and nothing that it believes may be believed in production.

mod breaking;
pub mod ca;
mod content_safety;
pub mod control;
mod cosmos;
pub mod deployment;
pub mod entra;
pub mod fault;
pub mod key_vault;
pub mod managed_identity;
mod mcp;
pub mod openai;
mod reply;
mod server;
pub mod world;

pub use ca::LocalCa;
pub use server::{Addresses, Ports, Simulator, StandIn, StandIns};
pub use world::{Seed, World};
