//! What must outlive a request, and what several gateways share: counters, quotas, caches.
//!
//! ```text
//! policy ─▶ store ─┬▶ in process
//!                  ├▶ in process, written to disk (quotas)
//!                  └▶ Redis: one script, one round trip
//! ```
//!
//! Start with [`Redis`] for the connection to a Redis server, with [`Cache`] for caches.
//!
//! This crate knows nothing of policies, settings files or requests. Time is passed in.

mod cache;
mod redis;

pub use cache::{
    Cache, CacheFailure, CacheFuture, CacheKey, CacheLimits, InternalCache, MAX_ENTRY_LIFE,
};
pub use redis::{
    Health, Redis, RedisAddressError, RedisCache, RedisFailure, RedisSettings, Script,
};
