//! Stand-ins for the Azure services that a policy needs: Azure OpenAI, Entra ID, the managed
//! identity endpoints (IMDS and App Service) and Key Vault.
//!
//! ```text
//! Settings ─▶ Simulator::start ─▶ one HTTP(S) server a service, all sharing one World
//!                                   World: directory, signing keys, secrets, faults
//! ```
//!
//! They are real servers on loopback with the wire shapes of the real services, so that unmodified
//! SDKs and the gateway itself can talk to them. What they check they really check: keys, tokens
//! with their signature, audience and lifetime, identity headers, challenge handshakes. Each answers
//! to a few control calls below [`control::PREFIX`], which inject faults and rotate keys.
//!
//! Start with [`Simulator::start`]. This crate knows the wire, not the gateway: it uses `transport`
//! and nothing else of ours, and nothing that it believes may be believed in production.

pub mod ca;
pub mod control;
pub mod entra;
pub mod fault;
pub mod key_vault;
pub mod managed_identity;
pub mod openai;
mod reply;
mod server;
pub mod world;

pub use ca::LocalCa;
pub use server::{Addresses, Ports, Simulator, StandIn, StandIns};
pub use world::{Seed, World};
