//! Budgets of tokens in Redis: the same answers as in this process, never more among many gateways.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_state::{
    Counters, MemoryCounters, RedisCounters, TokenCall, TokenCharge, TokenQuota, TokenRate,
    TokenStanding,
};

use crate::counters::{FUTURE_MS, random, set_clock, with_clock};
use crate::server::Server;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR_MS: i64 = 3_600_000;

fn call<'a>(tokens: u64, quota: Option<u64>, charge: TokenCharge, now_ms: i64) -> TokenCall<'a> {
    let start_ms = now_ms - now_ms % HOUR_MS;
    let end_ms = start_ms + HOUR_MS;
    TokenCall {
        group: "g",
        rate: Some(TokenRate { tokens, period: MINUTE }),
        quota: quota.map(|tokens| TokenQuota { member: "Hourly", tokens, start_ms, end_ms }),
        charge,
        now: Duration::from_millis(now_ms as u64),
        now_ms,
    }
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_millis() as i64
}

#[tokio::test]
async fn a_reservation_and_its_settlement_are_one_step_each() {
    let Some(server) = Server::start() else { return };
    let counters = RedisCounters::new(server.connect().await, "p");
    let ask = async |charge| {
        counters.tokens(call(6_000, Some(10_000), charge, now_ms())).get().await.unwrap()
    };
    let held = ask(TokenCharge::Reserve { needed: 0, charge: 0, hold: 6_000 }).await;
    assert!(held.has_room() && held.rate.unwrap().remaining == 6_000, "{held:?}");
    let refused = ask(TokenCharge::Reserve { needed: 0, charge: 0, hold: 1 }).await;
    assert!(!refused.has_room() && refused.quota.unwrap().has_room, "{refused:?}");
    assert_eq!(refused.rate.unwrap().wait, Duration::from_secs(1));
    let settled = ask(TokenCharge::Settle { charge: 9_000, hold: 6_000, slot: held.slot }).await;
    assert_eq!(settled.quota.unwrap().remaining, 1_000);
    let later = ask(TokenCharge::Reserve { needed: 0, charge: 0, hold: 1 }).await;
    let wait = later.rate.unwrap().wait;
    assert!(
        !later.has_room() && wait > Duration::from_secs(28),
        "three thousand in debt: {wait:?}"
    );
}

#[tokio::test]
async fn two_gateways_never_pass_more_than_there_is() {
    let Some(server) = Server::start() else { return };
    let passed = Arc::new(AtomicU64::new(0));
    let mut clients = Vec::new();
    for n in 0..200 {
        let gateway = n % 2;
        clients.push((gateway, Arc::clone(&passed)));
    }
    let gateways = [
        Arc::new(RedisCounters::new(server.connect().await, "p")),
        Arc::new(RedisCounters::new(server.connect().await, "p")),
    ];
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|(gateway, passed)| {
            let counters = Arc::clone(&gateways[gateway]);
            tokio::spawn(async move {
                // A minute brings one token back.
                let reserve = TokenCharge::Reserve { needed: 0, charge: 0, hold: 30 };
                let quota = call(1_000_000, Some(2_000), reserve, now_ms());
                let standing = counters.tokens(quota).get().await.unwrap();
                if standing.has_room() {
                    passed.fetch_add(30, Ordering::Relaxed);
                    let slot = standing.slot;
                    let settle = TokenCharge::Settle { charge: 30, hold: 30, slot };
                    let settled = call(1_000_000, Some(2_000), settle, now_ms());
                    counters.tokens(settled).get().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let passed = passed.load(Ordering::Relaxed);
    assert!((2_000..2_030).contains(&passed), "{passed}");
}

/// The numbers that the script gives.
fn numbers(it: &TokenStanding) -> Vec<i64> {
    let rate = it.rate.unwrap();
    let mut all = vec![
        i64::from(rate.has_room),
        rate.remaining as i64,
        rate.wait.as_millis() as i64,
        i64::from(rate.never_fits),
    ];
    if let Some(quota) = it.quota {
        all.extend([i64::from(quota.has_room), quota.remaining as i64]);
    }
    all
}

#[tokio::test]
async fn the_script_and_this_process_give_the_same_answers() {
    let Some(server) = Server::start() else { return };
    let redis = server.connect().await;
    let script = with_clock(include_str!("../../src/redis/tokens.lua"));
    for seed in 0..8_u64 {
        let (mut state, mut now) = (seed, FUTURE_MS);
        let memory = MemoryCounters::new(10);
        let (mut tokens, mut quota) = (50 + random(&mut state, 200), 3_000_u64);
        let mut held: Vec<(u64, u64)> = Vec::new();
        for step in 0..200 {
            now += random(&mut state, 20_000);
            if step == 100 {
                (tokens, quota) = (50 + random(&mut state, 200), 5_000);
            }
            let (needed, hold) = (random(&mut state, 80), random(&mut state, 60));
            let settles = random(&mut state, 3) > 0 && !held.is_empty();
            let charge = if settles {
                let (hold, slot) = held.swap_remove(0);
                let charge = random(&mut state, 120) as i64 - 20;
                TokenCharge::Settle { charge, hold, slot }
            } else {
                TokenCharge::Reserve { needed, charge: needed / 2, hold }
            };
            let here_call = call(tokens, Some(quota), charge, now as i64);
            let here = memory.tokens(here_call).get().await.unwrap();
            if here.has_room() && !settles {
                held.push((hold, here.slot));
            }

            set_clock(&redis, now).await;
            let mut args: Vec<String> = match charge {
                TokenCharge::Reserve { needed, charge, hold } => {
                    vec!["reserve".into(), needed.to_string(), charge.to_string(), hold.to_string()]
                }
                TokenCharge::Settle { charge, hold, slot } => {
                    vec!["settle".into(), slot.to_string(), charge.to_string(), hold.to_string()]
                }
            };
            let period = here_call.quota.unwrap();
            args.extend(["rate".into(), tokens.to_string(), "60000".into()]);
            args.extend(["quota".into(), quota.to_string(), period.end_ms.to_string()]);
            let keys = [format!("r{seed}"), format!("q{seed}:{}", period.start_ms)];
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let mut there: Vec<i64> = redis.script(&script, &keys, &args).await.unwrap();
            assert_eq!(there.remove(0), here.slot as i64);
            there.truncate(6);
            // A quota of another period holds nothing there, and here until the slot is over.
            let same_rate = there[..4] == numbers(&here)[..4];
            assert!(same_rate, "{seed} step {step} {charge:?}: {there:?} {here:?}");
            assert_eq!(there[5], numbers(&here)[5], "{seed} step {step} {charge:?}");
        }
    }
}
