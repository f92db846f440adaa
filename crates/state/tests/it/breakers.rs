//! Circuit breakers of several gateways in one Redis.

use std::time::Duration;

use portcullis_state::{BreakerReport, BreakerStore, BreakerThreshold, RedisBreakers};

use crate::server::Server;

const SECOND: Duration = Duration::from_secs(1);

fn report(n_calls: u32, n_failures: u32) -> BreakerReport<'static> {
    BreakerReport {
        backend: "b",
        threshold: BreakerThreshold::Failures(3),
        interval: 60 * SECOND,
        trip: 30 * SECOND,
        n_calls,
        n_failures,
        tripped: None,
    }
}

async fn tell(gateway: &RedisBreakers, report: BreakerReport<'_>) -> u64 {
    let left = gateway.exchange(&[report]).await.unwrap()[0];
    // What is left when the answer comes is a little less.
    (left + SECOND - Duration::from_millis(1)).as_secs()
}

#[tokio::test]
async fn failures_of_two_gateways_trip_a_breaker_for_both() {
    let Some(server) = Server::start() else { return };
    let one = RedisBreakers::new(server.connect().await, "p");
    let two = RedisBreakers::new(server.connect().await, "p");
    let other_service = RedisBreakers::new(server.connect().await, "q");
    assert_eq!(tell(&one, report(0, 0)).await, 0);
    assert_eq!(tell(&one, report(2, 2)).await, 0);
    assert_eq!(tell(&other_service, report(2, 2)).await, 0);
    assert_eq!(tell(&two, report(5, 0)).await, 0);
    assert_eq!(tell(&two, report(1, 1)).await, 30);
    assert_eq!(tell(&one, report(0, 0)).await, 30);
    // Calls that were on their way do not count, and no trip gets shorter.
    assert_eq!(tell(&one, BreakerReport { tripped: Some(SECOND), ..report(9, 9) }).await, 30);
    assert_eq!(tell(&one, BreakerReport { tripped: Some(90 * SECOND), ..report(0, 0) }).await, 90);
    assert_eq!(tell(&two, report(0, 0)).await, 90);
    assert_eq!(tell(&other_service, report(0, 0)).await, 0);
}

#[tokio::test]
async fn a_percentage_is_of_the_calls_of_all() {
    let Some(server) = Server::start() else { return };
    let one = RedisBreakers::new(server.connect().await, "p");
    let two = RedisBreakers::new(server.connect().await, "p");
    let threshold = BreakerThreshold::Percentage { percent: 50, min_calls: 5 };
    let of = |n_calls, n_failures| BreakerReport { threshold, ..report(n_calls, n_failures) };
    assert_eq!(tell(&one, of(4, 4)).await, 0, "too few calls");
    assert_eq!(tell(&two, of(96, 0)).await, 0);
    assert_eq!(tell(&one, of(40, 40)).await, 0, "44 of 140");
    assert_eq!(tell(&two, of(60, 55)).await, 0, "99 of 200");
    assert_eq!(tell(&two, of(1, 1)).await, 0, "100 of 201");
    assert_eq!(tell(&one, of(1, 1)).await, 30, "101 of 202");
}

#[tokio::test]
async fn what_is_older_than_the_interval_is_forgotten_and_a_trip_ends() {
    let Some(server) = Server::start() else { return };
    let it = RedisBreakers::new(server.connect().await, "p");
    let short = Duration::from_millis(300);
    let of = |n_failures| BreakerReport {
        interval: short,
        trip: short,
        ..report(n_failures, n_failures)
    };
    assert_eq!(tell(&it, of(2)).await, 0);
    // The server's clock decides, so the test has to let it run.
    tokio::time::sleep(2 * short).await;
    assert_eq!(tell(&it, of(2)).await, 0);
    assert_eq!(tell(&it, of(1)).await, 1);
    tokio::time::sleep(2 * short).await;
    assert_eq!(tell(&it, of(2)).await, 0, "counting begins anew");
}

#[tokio::test]
async fn many_breakers_are_asked_for_at_once() {
    let Some(server) = Server::start() else { return };
    let it = RedisBreakers::new(server.connect().await, "p");
    let names: Vec<String> = (0..250).map(|it| format!("b{it}")).collect();
    let reports: Vec<BreakerReport<'_>> = names
        .iter()
        .enumerate()
        .map(|(n, backend)| BreakerReport { backend, ..report(3, if n % 2 == 0 { 3 } else { 0 }) })
        .collect();
    let standings = it.exchange(&reports).await.unwrap();
    assert!(standings.iter().enumerate().all(|(n, it)| it.is_zero() == (n % 2 == 1)));
    assert_eq!(standings.len(), 250);
}

#[tokio::test]
async fn a_store_that_is_away_says_so() {
    let Some(mut server) = Server::start() else { return };
    let redis = server.connect().await;
    let it = RedisBreakers::new(redis, "p");
    assert_eq!(tell(&it, report(1, 1)).await, 0);
    server.kill();
    assert!(it.exchange(&[report(1, 1)]).await.is_err());
}
