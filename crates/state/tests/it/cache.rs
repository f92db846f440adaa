//! The cache in Redis: what goes in comes out, expires, and misses while the server is away.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use portcullis_state::{Cache, CacheFailure, CacheKey, Health, Redis, RedisCache, RedisFailure};

use crate::server::Server;

const LONG: Duration = Duration::from_secs(20);
const HOUR: Duration = Duration::from_secs(3600);
const NOW: Duration = Duration::ZERO;
const MAX_BYTES: usize = 1000;

fn key(number: u8) -> CacheKey {
    CacheKey([number; 32])
}

async fn becomes(redis: &Redis, health: Health) {
    let since = Instant::now();
    while redis.health() != health {
        assert!(since.elapsed() < LONG, "it stays {:?}", redis.health());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn what_is_put_in_comes_out_byte_by_byte_and_for_other_gateways_too() {
    let Some(server) = Server::start() else { return };
    let first = RedisCache::new(server.connect().await, "shop", MAX_BYTES);
    let second = RedisCache::new(server.connect().await, "shop", MAX_BYTES);
    let other = RedisCache::new(server.connect().await, "other", MAX_BYTES);
    let bytes = Bytes::from((0..=255).collect::<Vec<u8>>());

    assert_eq!(first.get(&key(1), NOW).await, Ok(None));
    first.put(&key(1), bytes.clone(), HOUR, NOW).await.unwrap();
    assert_eq!(second.get(&key(1), NOW).await, Ok(Some(bytes)));
    assert_eq!(other.get(&key(1), NOW).await, Ok(None));
    assert_eq!(first.get(&key(2), NOW).await, Ok(None));

    second.remove(&key(1)).await.unwrap();
    assert_eq!(first.get(&key(1), NOW).await, Ok(None));
}

#[tokio::test]
async fn an_entry_carries_its_life_to_the_server_and_none_is_no_entry() {
    let Some(server) = Server::start() else { return };
    let redis = server.connect().await;
    let cache = RedisCache::new(redis.clone(), "shop", MAX_BYTES);
    let life = async |key: CacheKey| {
        let name = format!("portcullis:cache:shop:{key}");
        redis.run::<i64>(redis::cmd("PTTL").arg(name)).await.unwrap()
    };

    cache.put(&key(1), Bytes::from("a"), HOUR, NOW).await.unwrap();
    assert!((3_590_000..=3_600_000).contains(&life(key(1)).await));
    cache.put(&key(1), Bytes::from("a"), Duration::MAX, NOW).await.unwrap();
    assert!(life(key(1)).await > 300_000_000_000);
    cache.put(&key(1), Bytes::from("a"), Duration::ZERO, NOW).await.unwrap();
    assert_eq!(cache.get(&key(1), NOW).await, Ok(None));

    cache.put(&key(2), Bytes::from("b"), Duration::from_millis(1), NOW).await.unwrap();
    let since = Instant::now();
    while cache.get(&key(2), NOW).await.unwrap().is_some() {
        assert!(since.elapsed() < LONG);
    }
}

#[tokio::test]
async fn entries_over_the_bound_are_neither_written_nor_read() {
    let Some(server) = Server::start() else { return };
    let redis = server.connect().await;
    let cache = RedisCache::new(redis.clone(), "shop", MAX_BYTES);
    let put = async |n_bytes| cache.put(&key(1), Bytes::from(vec![1; n_bytes]), HOUR, NOW).await;

    put(MAX_BYTES).await.unwrap();
    assert_eq!(cache.get(&key(1), NOW).await.unwrap().unwrap().len(), MAX_BYTES);
    let too_large = CacheFailure::TooLarge { bytes: MAX_BYTES + 1, limit: MAX_BYTES };
    assert_eq!(put(MAX_BYTES + 1).await, Err(too_large.clone()));
    assert_eq!(cache.get(&key(1), NOW).await, Ok(None));

    let name = format!("portcullis:cache:shop:{}", key(3));
    let text = "x".repeat(5 * MAX_BYTES);
    let _: () = redis.run(redis::cmd("SET").arg(name).arg(text)).await.unwrap();
    assert_eq!(cache.get(&key(3), NOW).await, Err(too_large));
}

#[tokio::test]
async fn a_server_killed_under_load_is_a_cache_that_misses_and_comes_back() {
    let Some(mut server) = Server::start() else { return };
    let redis = server.connect().await;
    let cache = RedisCache::new(redis.clone(), "shop", MAX_BYTES);
    cache.put(&key(1), Bytes::from("a"), HOUR, NOW).await.unwrap();

    let (n_good, n_missed) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let longest = AtomicU64::new(0);
    let load = async |number: u8| {
        while !is_over.load(Ordering::Relaxed) {
            let since = Instant::now();
            let put = cache.put(&key(number), Bytes::from("v"), HOUR, NOW).await;
            let got = cache.get(&key(number), NOW).await;
            let is_good = put.is_ok() && got == Ok(Some(Bytes::from("v")));
            let counter = if is_good { &n_good } else { &n_missed };
            counter.fetch_add(1, Ordering::Relaxed);
            let milliseconds = u64::try_from(since.elapsed().as_millis()).unwrap();
            longest.fetch_max(milliseconds, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let script = async {
        grows(&n_good).await;
        server.kill();
        becomes(&redis, Health::Away).await;
        assert_eq!(cache.get(&key(1), NOW).await, Err(RedisFailure::Away.into()));
        grows(&n_missed).await;
        assert!(server.start_again());
        becomes(&redis, Health::Up).await;
        assert_eq!(cache.get(&key(1), NOW).await, Ok(None), "it has forgotten everything");
        grows(&n_good).await;
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(load(11), load(12), load(13), load(14), script);
    let longest = longest.into_inner();
    assert!(longest < 3000, "{longest} ms");
}

/// Waits until a number has grown.
async fn grows(number: &AtomicU64) {
    let (since, before) = (Instant::now(), number.load(Ordering::Relaxed));
    while number.load(Ordering::Relaxed) < before + 20 {
        assert!(since.elapsed() < LONG, "it stays at {before}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
