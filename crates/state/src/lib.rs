//! What must outlive a request, and what several gateways share: counters, quotas, caches.
//!
//! ```text
//! policy ─▶ Limits ─▶ Counters ─┬▶ MemoryCounters: this process
//!                               ├▶ DiskCounters: the same, quotas written to a file behind it
//!                               └▶ RedisCounters: one script, one round trip
//! policy ─▶ Cache ─┬▶ InternalCache: this process
//!                  └▶ RedisCache
//! ```
//!
//! Start with [`Counters`] for what is asked of counters and [`Limits`] for who asks, with
//! [`Cache`] for caches, and with [`Redis`] for the connection to a Redis server.
//!
//! This crate knows nothing of policies, settings files or requests. Time is passed in.

mod breakers;
mod bucket;
mod cache;
mod counters;
mod disk;
mod limits;
mod memory;
mod period;
mod redis;
mod table;
mod tokens;
mod window;

pub use breakers::{BreakerReport, BreakerStandings, BreakerStore, BreakerThreshold};
pub use cache::{
    Cache, CacheFailure, CacheFuture, CacheKey, CacheLimits, InternalCache, MAX_ENTRY_LIFE,
};
pub use counters::{
    Algorithm, Answer, Charge, Counters, Exceeded, MAX_MEMBERS, Period, Quota, QuotaCall,
    QuotaCharge, QuotaStanding, QuotaStandings, Rate, RateCall, Reply, Standing, Standings,
    StoreFailure,
};
pub use disk::{DiskCounters, DiskError, WRITE_EVERY};
pub use limits::{Limits, OnStoreFailure, Verdict};
pub use memory::{DEFAULT_MAX_KEYS, MemoryCounters};
pub use redis::{
    Health, Redis, RedisAddressError, RedisBreakers, RedisCache, RedisChannel, RedisCounters,
    RedisFailure, RedisSettings, Script,
};
pub use tokens::{
    MAX_HOLD, TokenCall, TokenCharge, TokenQuota, TokenQuotaStanding, TokenRate, TokenRateStanding,
    TokenStanding,
};
