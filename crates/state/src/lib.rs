//! What must outlive a request, and what several gateways share: counters and quotas.
//!
//! ```text
//! policy ─▶ store ─┬▶ in process
//!                  ├▶ in process, written to disk (quotas)
//!                  └▶ Redis: one script, one round trip
//! ```
//!
//! Start with [`Redis`] for the connection to a Redis server.
//!
//! This crate knows nothing of policies, settings files or requests. Time is passed in.

mod redis;

pub use redis::{Health, Redis, RedisAddressError, RedisFailure, RedisSettings, Script};
