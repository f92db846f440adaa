//! The connection: commands, scripts, losses, bounds.

use std::time::{Duration, Instant};

use portcullis_state::{Health, Redis, RedisFailure, RedisSettings, Script};
use tokio::runtime::Handle;

use crate::server::Server;

const LONG: Duration = Duration::from_secs(20);

async fn becomes(redis: &Redis, health: Health) {
    let since = Instant::now();
    while redis.health() != health {
        assert!(since.elapsed() < LONG, "it stays {:?}", redis.health());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_command_and_a_script_get_their_answers() {
    let Some(server) = Server::start() else { return };
    let redis = server.connect().await;

    let done: String = redis.run(redis::cmd("SET").arg("a").arg("1")).await.unwrap();
    assert_eq!(done, "OK");
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for expected in [4_i64, 7] {
        assert_eq!(redis.script::<i64, _>(&script, &["a"], &[3]).await.unwrap(), expected);
    }
    let _: () = redis.run(redis::cmd("SCRIPT").arg("FLUSH")).await.unwrap();
    assert_eq!(redis.script::<i64, _>(&script, &["a"], &[3]).await.unwrap(), 10);
    assert_eq!(redis.n_failures(), 0);
}

#[tokio::test]
async fn an_error_of_the_server_is_told_by_its_code_alone() {
    let Some(server) = Server::start() else { return };
    let redis = server.connect().await;

    let _: () = redis.run(redis::cmd("SET").arg("a").arg("text")).await.unwrap();
    let failure = redis.run::<i64>(redis::cmd("LPUSH").arg("a").arg("hunter2")).await;
    assert_eq!(failure, Err(RedisFailure::Refused("WRONGTYPE".to_owned())));
    assert_eq!(redis.run::<i64>(redis::cmd("GET").arg("a")).await, Err(RedisFailure::Odd));
    assert_eq!((redis.health(), redis.n_failures()), (Health::Up, 2));
}

#[tokio::test]
async fn a_server_that_is_killed_costs_no_wait_and_one_that_comes_back_is_found() {
    let Some(mut server) = Server::start() else { return };
    let redis = server.connect().await;
    let ping = redis::cmd("PING");

    server.kill();
    assert!(redis.run::<String>(&ping).await.is_err());
    becomes(&redis, Health::Away).await;
    let since = Instant::now();
    for _ in 0..1000 {
        assert_eq!(redis.run::<String>(&ping).await, Err(RedisFailure::Away));
    }
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());

    assert!(server.start_again());
    becomes(&redis, Health::Up).await;
    assert_eq!(redis.run::<String>(&ping).await.unwrap(), "PONG");
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_three_waits_and_then_none() {
    let Some(server) = Server::start() else { return };
    let mut settings = server.settings();
    settings.timeout = Duration::from_millis(200);
    let redis = Redis::start(settings, &Handle::current());
    becomes(&redis, Health::Up).await;
    let ping = redis::cmd("PING");

    server.signal("-STOP");
    let since = Instant::now();
    for _ in 0..3 {
        let failure = redis.run::<String>(&ping).await.unwrap_err();
        assert!(matches!(failure, RedisFailure::TimedOut(_) | RedisFailure::Away), "{failure:?}");
    }
    assert_eq!(redis.run::<String>(&ping).await, Err(RedisFailure::Away));
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());

    server.signal("-CONT");
    becomes(&redis, Health::Up).await;
    assert_eq!(redis.run::<String>(&ping).await.unwrap(), "PONG");
}

#[tokio::test]
async fn a_connection_on_a_thread_of_its_own_works_while_this_one_is_busy() {
    let Some(server) = Server::start() else { return };
    let redis = Redis::start_apart(server.settings()).unwrap();
    // This thread does nothing else until the other one has connected.
    let since = Instant::now();
    while redis.health() != Health::Up {
        assert!(since.elapsed() < LONG);
        std::thread::yield_now();
    }
    let answers = [redis.clone(), redis]
        .map(|it| async move { it.run::<String>(&redis::cmd("PING")).await.unwrap() });
    for answer in answers {
        assert_eq!(answer.await, "PONG");
    }
}

#[tokio::test]
async fn nobody_listening_is_known_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let settings = RedisSettings::parse(&format!("redis://{address}")).unwrap();
    let redis = Redis::start(settings, &Handle::current());

    assert_eq!(redis.run::<String>(&redis::cmd("PING")).await, Err(RedisFailure::Away));
    becomes(&redis, Health::Away).await;
    assert!(!redis.is_up_within(Duration::from_millis(20)).await);
    assert_eq!(redis.address(), address.to_string());
}
