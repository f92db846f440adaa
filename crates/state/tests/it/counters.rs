//! Counters in Redis: the same answers as in this process, exact among many, within a cluster.

use std::sync::Arc;
use std::time::Duration;

use portcullis_state::{
    Algorithm, Charge, Counters, Exceeded, MemoryCounters, Period, Quota, QuotaCall, QuotaCharge,
    QuotaStandings, Rate, RateCall, Redis, RedisCounters, Script, Standings,
};

use crate::server::Server;

const ALGORITHMS: [Algorithm; 2] = [Algorithm::SlidingWindow, Algorithm::TokenBucket];
const MINUTE: Duration = Duration::from_secs(60);

async fn take(
    counters: &RedisCounters,
    algorithm: Algorithm,
    rates: &[Rate<'_>],
    charge: Charge,
) -> Standings {
    let call = RateCall { group: "g", rates, algorithm, charge, now: Duration::ZERO };
    counters.rates(call).get().await.unwrap()
}

#[tokio::test]
async fn limits_of_a_group_are_charged_together_or_not_at_all() {
    let Some(server) = Server::start() else { return };
    let counters = RedisCounters::new(server.connect().await, "p");
    for (algorithm, name) in ALGORITHMS.into_iter().zip(["one", "two"]) {
        let narrow = Rate { member: name, calls: 1, period: MINUTE };
        let wide = Rate { member: "wide", calls: 5, period: MINUTE };
        let both = [narrow, wide];
        let first = take(&counters, algorithm, &both, Charge::IfRoom(1)).await;
        assert!(first.iter().all(|it| it.has_room) && first[0].remaining == 0, "{first:?}");
        let second = take(&counters, algorithm, &both, Charge::IfRoom(1)).await;
        assert!(!second[0].has_room && second[0].wait <= MINUTE && second[1].has_room);
        assert_eq!(second[1].remaining, 4);
        let looked = take(&counters, algorithm, &[wide], Charge::IfRoom(0)).await;
        assert_eq!(looked[0].remaining, 4);
        let settled = take(&counters, algorithm, &[wide], Charge::Always(9)).await;
        assert_eq!(settled[0].remaining, 0);
    }
}

#[tokio::test]
async fn room_comes_back_when_the_answer_says_so() {
    let Some(server) = Server::start() else { return };
    let counters = RedisCounters::new(server.connect().await, "p");
    for (algorithm, member) in ALGORITHMS.into_iter().zip(["w", "b"]) {
        let rates = [Rate { member, calls: 2, period: Duration::from_millis(1500) }];
        for _ in 0..2 {
            assert!(take(&counters, algorithm, &rates, Charge::IfRoom(1)).await[0].has_room);
        }
        let refused = take(&counters, algorithm, &rates, Charge::IfRoom(1)).await[0];
        assert!(!refused.has_room && refused.wait <= Duration::from_millis(1500), "{refused:?}");
        // The server's clock decides, so the test has to let it run.
        tokio::time::sleep(refused.wait).await;
        assert!(take(&counters, algorithm, &rates, Charge::IfRoom(1)).await[0].has_room);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_gateways_at_once_take_exactly_what_there_is() {
    let Some(server) = Server::start() else { return };
    for algorithm in ALGORITHMS {
        let mut gateways = Vec::new();
        for _ in 0..4 {
            gateways.push(Arc::new(RedisCounters::new(server.connect().await, "p")));
        }
        let mut tasks = tokio::task::JoinSet::new();
        for i in 0..400 {
            let gateway = Arc::clone(&gateways[i % 4]);
            tasks.spawn(async move {
                let period = Duration::from_secs(300);
                let rates = [Rate { member: "", calls: 150, period }];
                let call = RateCall {
                    group: if algorithm == Algorithm::SlidingWindow { "w" } else { "b" },
                    rates: &rates,
                    algorithm,
                    charge: Charge::IfRoom(1),
                    now: Duration::ZERO,
                };
                gateway.rates(call).get().await.unwrap()[0].has_room
            });
        }
        let passed = tasks.join_all().await.into_iter().filter(|it| *it).count();
        // A bucket gives one back every two seconds.
        let most = if algorithm == Algorithm::SlidingWindow { 150 } else { 160 };
        assert!((150..=most).contains(&passed), "{algorithm:?}: {passed}");
    }
}

async fn spend(
    counters: &RedisCounters,
    quotas: &[Quota<'_>],
    charge: QuotaCharge,
) -> QuotaStandings {
    let call = QuotaCall { group: "g", quotas, charge, now_ms: 0 };
    counters.quotas(call).get().await.unwrap()
}

#[tokio::test]
async fn quotas_count_calls_and_bytes() {
    let Some(server) = Server::start() else { return };
    let counters = RedisCounters::new(server.connect().await, "p");
    let forever = Period { origin_ms: 0, length: None };
    let of = |member, calls, bytes| [Quota { member, calls, bytes, period: forever }];
    let take = QuotaCharge::IfRoom(1);

    let calls = of("calls", Some(2), None);
    for expected in [None, None, Some(Exceeded::Calls)] {
        let standing = spend(&counters, &calls, take).await[0];
        assert_eq!((standing.exceeded, standing.wait), (expected, None));
    }
    let bytes = of("bytes", None, Some(1000));
    for (spent, expected) in [(999, None), (1, None), (0, Some(Exceeded::Bytes))] {
        assert_eq!(spend(&counters, &bytes, take).await[0].exceeded, expected);
        spend(&counters, &bytes, QuotaCharge::Always { calls: 0, bytes: spent }).await;
    }
    let period = Period { origin_ms: -62_135_596_800_000, length: Some(Duration::from_secs(3600)) };
    let hourly = [Quota { member: "hourly", calls: Some(1), bytes: None, period }];
    let standing = spend(&counters, &hourly, take).await[0];
    assert!(standing.exceeded.is_none() && standing.wait.unwrap() <= Duration::from_secs(3600));
}

/// The scripts with a clock that the test sets.
pub(crate) fn with_clock(code: &str) -> Script {
    let read = "cjson.decode(redis.call('GET', 'clock'))";
    let code = code.replace("redis.call('TIME')", read);
    Script::new(Box::leak(code.into_boxed_str()))
}

/// A time that Redis's own clock does not reach, so that nothing expires meanwhile.
pub(crate) const FUTURE_MS: u64 = 4_000_000_000_000;

pub(crate) async fn set_clock(redis: &Redis, now_ms: u64) {
    let text = format!("[\"{}\", \"{}\"]", now_ms / 1000, now_ms % 1000 * 1000);
    let _: String = redis.run(redis::cmd("SET").arg("clock").arg(text)).await.unwrap();
}

/// Numbers that look random and are the same every time.
pub(crate) fn random(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

#[tokio::test]
async fn the_script_and_this_process_give_the_same_answers() {
    let Some(server) = Server::start() else { return };
    let redis = server.connect().await;
    let script = with_clock(include_str!("../../src/redis/rates.lua"));
    for (algorithm, name) in ALGORITHMS.into_iter().zip(["window", "bucket"]) {
        for seed in 0..8 {
            let (mut state, mut now) = (seed, FUTURE_MS);
            let memory = MemoryCounters::new(10);
            let member = format!("{name}{seed}");
            let (mut calls, mut period) = (1 + random(&mut state, 12), 60_000);
            for step in 0..150 {
                now += random(&mut state, 6_000);
                if step == 75 {
                    (calls, period) =
                        (1 + random(&mut state, 12), 1_000 + random(&mut state, 99_000));
                }
                let n = [1, 1, 1, 0, 2, 3][random(&mut state, 6) as usize];
                let always = random(&mut state, 8) == 0;
                let charge = if always { Charge::Always(n) } else { Charge::IfRoom(n) };
                let period_time = Duration::from_millis(period);
                let rates = [Rate { member: &member, calls: calls as u32, period: period_time }];
                let now_time = Duration::from_millis(now);
                let call = RateCall { group: "", rates: &rates, algorithm, charge, now: now_time };
                let here = memory.rates(call).get().await.unwrap()[0];

                set_clock(&redis, now).await;
                let how = if always { "always" } else { "if-room" };
                let args = [name, &n.to_string(), how, &calls.to_string(), &period.to_string()];
                let there: Vec<i64> = redis.script(&script, &[&member], &args).await.unwrap();
                let expected = [
                    i64::from(here.has_room),
                    i64::from(here.remaining),
                    here.wait.as_millis() as i64,
                ];
                assert_eq!(there, expected, "{member} step {step} {charge:?} {calls}/{period}");
            }
        }
    }
}

#[tokio::test]
async fn quotas_in_redis_are_those_of_this_process() {
    let Some(server) = Server::start() else { return };
    let redis = server.connect().await;
    let script = with_clock(include_str!("../../src/redis/quotas.lua"));
    for seed in 0..6 {
        let (mut state, mut now) = (seed + 100, FUTURE_MS);
        let memory = MemoryCounters::new(10);
        let key = format!("q{seed}");
        let origin_ms = random(&mut state, 5_000_000) as i64 - 62_135_596_800_000;
        for step in 0..150 {
            now += random(&mut state, 60_000);
            if random(&mut state, 30) == 0 {
                now -= 500_000;
            }
            let length = [0, 300_000, 300_000, 300_000, 3_600_000][random(&mut state, 5) as usize];
            let period =
                Period { origin_ms, length: (length > 0).then(|| Duration::from_millis(length)) };
            let (calls, bytes) = (random(&mut state, 9), random(&mut state, 900));
            let quotas = [Quota { member: "", calls: Some(calls), bytes: Some(bytes), period }];
            let n = random(&mut state, 3);
            let always = random(&mut state, 3) == 0;
            let (charge, how) = if always {
                (QuotaCharge::Always { calls: n, bytes: 100 * n }, "always")
            } else {
                (QuotaCharge::IfRoom(n), "if-room")
            };
            let call = QuotaCall { group: &key, quotas: &quotas, charge, now_ms: now as i64 };
            let here = memory.quotas(call).get().await.unwrap()[0];

            set_clock(&redis, now).await;
            let n_bytes = if always { 100 * n } else { 0 };
            let args = [n, n_bytes].map(|it| it.to_string()).into_iter().chain([how.to_owned()]);
            let limits = [calls as i64, bytes as i64, origin_ms, length as i64];
            let args: Vec<String> = args.chain(limits.map(|it| it.to_string())).collect();
            let there: Vec<i64> = redis.script(&script, &[&key], &args).await.unwrap();
            let exceeded = match here.exceeded {
                None => 0,
                Some(Exceeded::Calls) => 1,
                Some(Exceeded::Bytes) => 2,
            };
            let wait = here.wait.map_or(-1, |it| it.as_millis() as i64);
            assert_eq!(there, [exceeded, wait], "{key} step {step} {charge:?} length {length}");
        }
    }
}
