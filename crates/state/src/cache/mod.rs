//! Caches: bytes under a digest, for a while.
//!
//! ```text
//! CacheKey (a digest) ─▶ Cache ─┬▶ InternalCache: this process, bounded by bytes
//!                               └▶ RedisCache: shared by several gateways
//! ```
//!
//! A cache may lose an entry at any time: it is full, it was restarted, the server is away. It
//! never gives an entry that has expired, and never one of another key.

mod internal;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

use crate::redis::RedisFailure;

pub use internal::InternalCache;

/// Longest life of an entry; longer ones are cut to it: ten years.
pub const MAX_ENTRY_LIFE: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What an entry is found by: a digest (SHA-256) that its owner made, so that no key is longer
/// than another and none shows what it was made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheKey(pub [u8; 32]);

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|it| write!(f, "{it:02x}"))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

/// Bounds of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Bytes of all entries together, what their upkeep costs included; of the internal cache
    /// only.
    pub total_bytes: usize,
    /// Bytes of one entry.
    pub entry_bytes: usize,
}

impl Default for CacheLimits {
    /// 64 MiB in total, 2 MiB an entry.
    fn default() -> CacheLimits {
        CacheLimits { total_bytes: 64 << 20, entry_bytes: 2 << 20 }
    }
}

/// Why an entry was not read or written. Nobody needs it: a cache that fails is a cache that has
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CacheFailure {
    /// The entry is larger than one may be.
    #[error("the entry has {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// What it may have.
        limit: usize,
    },
    /// The server did not do what it was asked.
    #[error(transparent)]
    Redis(#[from] RedisFailure),
}

/// What a cache is doing.
pub type CacheFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, CacheFailure>> + Send + 'a>>;

/// Bytes under a digest, for a while.
///
/// `now` is a monotonic clock's time since whatever start, the same for all calls; a cache whose
/// entries expire by a clock of their own ignores it.
pub trait Cache: fmt::Debug + Send + Sync {
    /// The entry of that key, if there is one that has not expired.
    fn get<'a>(&'a self, key: &'a CacheKey, now: Duration) -> CacheFuture<'a, Option<Bytes>>;

    /// Puts an entry in, in place of one of the same key. One that lives no time is removed.
    fn put<'a>(
        &'a self,
        key: &'a CacheKey,
        entry: Bytes,
        life: Duration,
        now: Duration,
    ) -> CacheFuture<'a, ()>;

    /// Takes the entry of that key out.
    fn remove<'a>(&'a self, key: &'a CacheKey) -> CacheFuture<'a, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_as_hexadecimal_digits() {
        let mut key = CacheKey([0; 32]);
        key.0[0] = 0xa5;
        let text = key.to_string();
        assert_eq!((text.len(), &text[..4]), (64, "a500"));
        assert_eq!(format!("{key:?}"), format!("CacheKey({text})"));
    }

    #[test]
    fn the_default_bounds_are_the_documented_ones() {
        let it = CacheLimits::default();
        assert_eq!((it.total_bytes, it.entry_bytes), (67_108_864, 2_097_152));
    }
}
