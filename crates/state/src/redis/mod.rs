//! A Redis server: its address, a connection that heals itself, commands within a bound.
//!
//! ```text
//! RedisSettings::parse ─▶ Redis::start ─▶ Redis::run, Redis::script, RedisChannel
//!                             │
//!                             └▶ a task that connects, listens for losses and connects again
//! ```
//!
//! No request ever waits for a connection: while there is none, a command fails at once.

mod breakers;
mod cache;
mod channel;
mod connection;
mod counters;
mod script;
mod settings;

pub use breakers::RedisBreakers;
pub use cache::RedisCache;
pub use channel::RedisChannel;
pub use connection::{Health, Redis, RedisFailure};
pub use counters::RedisCounters;
pub use script::Script;
pub use settings::{RedisAddressError, RedisSettings};
