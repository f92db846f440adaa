//! A cluster of Redis servers: keys are where their slots are, also after a slot has moved.

use std::time::Duration;

use bytes::Bytes;
use portcullis_state::{
    Algorithm, BreakerReport, BreakerStore, BreakerThreshold, Cache, CacheKey, Charge, Counters,
    Rate, RateCall, Redis, RedisBreakers, RedisCache, RedisCounters,
};

use crate::server::Cluster;

const MINUTE: Duration = Duration::from_secs(60);
const ALL: [&str; 3] = ["", "api/a", "operation/a/b"];

/// Takes one of five calls for each of the groups; gives how many are left.
async fn take(redis: &Redis, groups: &[String], members: &[&str]) -> Vec<u32> {
    let counters = RedisCounters::new(redis.clone(), "p");
    let rates: Vec<Rate<'_>> =
        members.iter().map(|member| Rate { member, calls: 5, period: MINUTE }).collect();
    let mut left = Vec::new();
    for group in groups {
        let (algorithm, charge) = (Algorithm::SlidingWindow, Charge::IfRoom(1));
        let call = RateCall { group, rates: &rates, algorithm, charge, now: Duration::ZERO };
        let standings = counters.rates(call).get().await.unwrap();
        assert_eq!(standings.len(), members.len());
        left.push(standings[0].remaining);
    }
    left
}

#[tokio::test]
async fn counters_breakers_and_caches_find_their_nodes() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let redis = cluster.nodes[0].connect().await;
    let mut groups: Vec<String> = (0..20).map(|it| format!("group {it}")).collect();
    groups.extend(["}odd{".to_owned(), "with {tag}".to_owned()]);
    assert!(take(&redis, &groups, &ALL).await.iter().all(|it| *it == 4));
    // Another gateway that was given the other node.
    let other = cluster.nodes[1].connect().await;
    assert!(take(&other, &groups, &ALL).await.iter().all(|it| *it == 3));
    for n in 0..2 {
        assert_ne!(cluster.ask(n, "DBSIZE").await, "0", "both nodes have keys");
    }
    let cache = RedisCache::new(redis.clone(), "n", 1000);
    for n in 0..20_u8 {
        let key = CacheKey([n; 32]);
        cache.put(&key, Bytes::from(vec![n]), MINUTE, Duration::ZERO).await.unwrap();
        assert_eq!(cache.get(&key, Duration::ZERO).await.unwrap(), Some(Bytes::from(vec![n])));
        cache.remove(&key).await.unwrap();
    }
    let report = |backend| BreakerReport {
        backend,
        threshold: BreakerThreshold::Failures(1),
        interval: MINUTE,
        trip: MINUTE,
        n_calls: 1,
        n_failures: 1,
        tripped: None,
    };
    let breakers = RedisBreakers::new(other, "p");
    let standings = breakers.exchange(&[report("a"), report("b"), report("}c{")]).await.unwrap();
    assert!(standings.iter().all(|it| !it.is_zero()));
}

#[tokio::test]
async fn a_slot_that_moves_is_followed() {
    let Some(cluster) = Cluster::start(2).await else { return };
    let redis = cluster.nodes[0].connect().await;
    let slot: u16 = redis_slot(&cluster, "fresh").await;
    let from = usize::from(slot >= 8192);
    let to = 1 - from;
    let ids = [cluster.ask(0, "CLUSTER MYID").await, cluster.ask(1, "CLUSTER MYID").await];
    // On its way: the old node has none of its keys and says `ASK`.
    let importing = format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[from]);
    assert_eq!(cluster.ask(to, &importing).await, "OK");
    let migrating = format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[to]);
    assert_eq!(cluster.ask(from, &migrating).await, "OK");
    let groups = ["fresh".to_owned()];
    // One key: a node that takes several of a slot over asks to be tried again later.
    assert_eq!(take(&redis, &groups, &[""]).await, [4]);
    // There: the old node says `MOVED`.
    for node in [to, from] {
        let moved = format!("CLUSTER SETSLOT {slot} NODE {}", ids[to]);
        assert_eq!(cluster.ask(node, &moved).await, "OK");
    }
    for left in [3, 2] {
        assert_eq!(take(&redis, &groups, &[""]).await, [left]);
    }
    assert_eq!(redis.n_failures(), 0, "no failure was seen");
}

async fn redis_slot(cluster: &Cluster, tag: &str) -> u16 {
    let address = cluster.nodes[0].settings().address();
    let client = redis::Client::open(format!("redis://{address}")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("CLUSTER").arg("KEYSLOT").arg(tag).query_async(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_node_that_is_gone_costs_its_own_keys_only() {
    let Some(mut cluster) = Cluster::start(2).await else { return };
    // Otherwise the rest of a cluster refuses everything.
    for n in 0..2 {
        assert_eq!(cluster.ask(n, "CONFIG SET cluster-require-full-coverage no").await, "OK");
    }
    let redis = cluster.nodes[0].connect().await;
    let groups: Vec<String> = (0..20).map(|it| format!("group {it}")).collect();
    assert!(take(&redis, &groups, &ALL).await.iter().all(|it| *it == 4));
    cluster.nodes[1].kill();
    let counters = RedisCounters::new(redis.clone(), "p");
    let rates = [Rate { member: "", calls: 5, period: MINUTE }];
    let (mut n_good, mut n_bad) = (0, 0);
    for group in &groups {
        let (algorithm, charge) = (Algorithm::SlidingWindow, Charge::IfRoom(1));
        let call = RateCall { group, rates: &rates, algorithm, charge, now: Duration::ZERO };
        match counters.rates(call).get().await {
            Ok(_) => n_good += 1,
            Err(_) => n_bad += 1,
        }
    }
    assert!(n_good > 0 && n_bad > 0, "{n_good} good, {n_bad} bad");
}
