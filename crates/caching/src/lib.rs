//! The caching policies: responses by request, values by name.
//!
//! ```text
//! cache-lookup ─ Variants ─▶ CacheKey ─▶ Place ─┬▶ InternalCache
//!      │ Plan                            ▲      └▶ RedisCache
//!      ▼                                 │
//! cache-store ─ Gathering (the body on its way to the client) ─ StoredResponse
//!
//! cache-lookup-value, cache-store-value, cache-remove-value ─ ValueKey ─▶ Place
//! ```
//!
//! A policy knows its [`Place`](place::Place) from the moment it is compiled; with the internal
//! cache it never waits. One file per policy. Start with `cache_lookup.rs`.
//!
//! A cache that fails is a cache that has nothing: no request ends because of it.

mod cache_lookup;
mod cache_lookup_value;
mod cache_remove_value;
mod cache_store;
mod cache_store_value;
mod client_caching;
mod gathering;
mod key;
mod life;
mod place;
mod stored_response;
mod stores;
#[cfg(test)]
mod test_support;
mod variants;

use pipeline::PolicyKind;

pub use stores::Stores;

/// `<cache-lookup>`.
pub const CACHE_LOOKUP: PolicyKind = cache_lookup::KIND;
/// `<cache-lookup-value>`.
pub const CACHE_LOOKUP_VALUE: PolicyKind = cache_lookup_value::KIND;
/// `<cache-remove-value>`.
pub const CACHE_REMOVE_VALUE: PolicyKind = cache_remove_value::KIND;
/// `<cache-store>`.
pub const CACHE_STORE: PolicyKind = cache_store::KIND;
/// `<cache-store-value>`.
pub const CACHE_STORE_VALUE: PolicyKind = cache_store_value::KIND;
