//! The cache in Redis, shared by several gateways: one command an operation, within its bound.
//!
//! When the server is away, or does not answer in time, everything misses and nothing is stored.
//! That is logged when it begins and when it ends, for reading and writing apart.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use redis::Cmd;

use super::{Redis, RedisFailure};
use crate::cache::{Cache, CacheFailure, CacheFuture, CacheKey, MAX_ENTRY_LIFE};

/// A cache in Redis.
#[derive(Clone)]
pub struct RedisCache(Arc<Inner>);

struct Inner {
    redis: Redis,
    prefix: String,
    max_entry_bytes: usize,
    reads: Trouble,
    writes: Trouble,
}

/// Whether an operation fails at present, so that only changes are told.
struct Trouble {
    verb: &'static str,
    is_there: AtomicBool,
}

impl RedisCache {
    /// A cache in that server. Keys begin with `portcullis:cache:NAMESPACE:`; gateways of one
    /// service share a namespace. Entries over the bound are neither written nor read.
    #[must_use]
    pub fn new(redis: Redis, namespace: &str, max_entry_bytes: usize) -> RedisCache {
        let trouble = |verb| Trouble { verb, is_there: AtomicBool::new(false) };
        RedisCache(Arc::new(Inner {
            redis,
            prefix: format!("portcullis:cache:{namespace}:"),
            max_entry_bytes,
            reads: trouble("read from"),
            writes: trouble("written to"),
        }))
    }

    /// The server.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.0.redis
    }

    fn key(&self, key: &CacheKey) -> String {
        format!("{}{key}", self.0.prefix)
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, CacheFailure> {
        let limit = self.0.max_entry_bytes;
        // One byte more than allowed tells that there are more, without fetching them all.
        let mut command = Cmd::new();
        command.arg("GETRANGE").arg(self.key(key)).arg(0).arg(limit);
        let read: Result<Vec<u8>, RedisFailure> = self.0.redis.run(&command).await;
        let bytes = self.0.reads.note(read, &self.0.redis)?;
        match bytes.len() {
            // A key that is not there reads as nothing.
            0 => Ok(None),
            bytes if bytes > limit => Err(CacheFailure::TooLarge { bytes, limit }),
            _ => Ok(Some(Bytes::from(bytes))),
        }
    }

    async fn write(
        &self,
        key: &CacheKey,
        entry: Bytes,
        life: Duration,
    ) -> Result<(), CacheFailure> {
        let (bytes, limit) = (entry.len(), self.0.max_entry_bytes);
        let too_large = bytes > limit;
        let milliseconds = life.min(MAX_ENTRY_LIFE).as_millis();
        if too_large || milliseconds == 0 || entry.is_empty() {
            self.delete(key).await?;
            return if too_large { Err(CacheFailure::TooLarge { bytes, limit }) } else { Ok(()) };
        }
        let mut command = Cmd::new();
        command.arg("SET").arg(self.key(key)).arg(&*entry);
        command.arg("PX").arg(u64::try_from(milliseconds).unwrap_or(u64::MAX));
        let written: Result<(), RedisFailure> = self.0.redis.run(&command).await;
        Ok(self.0.writes.note(written, &self.0.redis)?)
    }

    async fn delete(&self, key: &CacheKey) -> Result<(), CacheFailure> {
        let mut command = Cmd::new();
        command.arg("DEL").arg(self.key(key));
        let removed: Result<i64, RedisFailure> = self.0.redis.run(&command).await;
        self.0.writes.note(removed, &self.0.redis)?;
        Ok(())
    }
}

impl Trouble {
    /// Tells when it begins and when it ends.
    fn note<T>(&self, result: Result<T, RedisFailure>, redis: &Redis) -> Result<T, RedisFailure> {
        let is_there = result.is_err();
        if self.is_there.load(Ordering::Relaxed) != is_there
            && self.is_there.swap(is_there, Ordering::Relaxed) != is_there
        {
            let (address, verb) = (redis.address(), self.verb);
            match &result {
                Err(error) => {
                    tracing::warn!(%address, %error, "the external cache cannot be {verb}");
                }
                Ok(_) => tracing::info!(%address, "the external cache can be {verb} again"),
            }
        }
        result
    }
}

impl Cache for RedisCache {
    fn get<'a>(&'a self, key: &'a CacheKey, _: Duration) -> CacheFuture<'a, Option<Bytes>> {
        Box::pin(self.read(key))
    }

    fn put<'a>(
        &'a self,
        key: &'a CacheKey,
        entry: Bytes,
        life: Duration,
        _: Duration,
    ) -> CacheFuture<'a, ()> {
        Box::pin(self.write(key, entry, life))
    }

    fn remove<'a>(&'a self, key: &'a CacheKey) -> CacheFuture<'a, ()> {
        Box::pin(self.delete(key))
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisCache({})", self.0.redis.address())
    }
}
