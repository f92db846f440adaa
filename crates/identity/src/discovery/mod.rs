//! OpenID discovery: from the address of a metadata document to an issuer and its keys.
//!
//! ```text
//! Providers (one per gateway) ─ by URL ─▶ Provider ─▶ Document { issuer, keys }
//! ```
//!
//! A [`Provider`] fetches in the background as soon as it is asked for, keeps what it has for an
//! hour, refreshes before that ends, and goes on with the old keys while the provider is down.
//! However many requests wait, one fetch is under way.
//!
//! Source: OpenID Connect Discovery 1.0, sections 3 and 4.

mod document;
mod provider;
mod providers;

pub use document::Document;
pub use provider::Provider;
pub use providers::{ProviderProblem, ProviderSettings, Providers};
