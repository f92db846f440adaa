//! Counters in this process: groups, bounds, both algorithms, many threads.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

fn rate(member: &str, calls: u32) -> Rate<'_> {
    Rate { member, calls, period: Duration::from_secs(60) }
}

fn call<'a>(rates: &'a [Rate<'a>], charge: Charge, seconds: u64) -> RateCall<'a> {
    let now = Duration::from_secs(seconds);
    RateCall { group: "g", rates, algorithm: Algorithm::SlidingWindow, charge, now }
}

/// What is left of each limit, or the seconds to wait.
fn ask(it: &MemoryCounters, call: RateCall<'_>) -> Vec<Result<u32, u64>> {
    let standings = it.rates_now(call).unwrap();
    let seen = |it: &Standing| {
        if it.has_room { Ok(it.remaining) } else { Err(it.wait.as_secs()) }
    };
    standings.iter().map(seen).collect()
}

#[test]
fn a_refusal_of_one_limit_charges_none() {
    let it = MemoryCounters::new(10);
    let (narrow, wide) = (rate("narrow", 1), rate("wide", 5));
    let both = [narrow, wide];
    assert_eq!(ask(&it, call(&both, Charge::IfRoom(1), 0)), [Ok(0), Ok(4)]);
    assert_eq!(ask(&it, call(&both, Charge::IfRoom(1), 1)), [Err(59), Ok(4)]);
    assert_eq!(ask(&it, call(&[wide], Charge::IfRoom(1), 1)), [Ok(3)]);
    assert_eq!(ask(&it, call(&both, Charge::IfRoom(1), 60)), [Ok(0), Ok(2)]);
}

#[test]
fn a_look_charges_nothing_and_a_settlement_always() {
    let it = MemoryCounters::new(10);
    let one = [rate("", 2)];
    assert_eq!(ask(&it, call(&one, Charge::IfRoom(0), 0)), [Ok(2)]);
    assert_eq!(ask(&it, call(&one, Charge::Always(5), 0)), [Ok(0)]);
    assert_eq!(ask(&it, call(&one, Charge::IfRoom(0), 0)), [Err(60)]);
    assert_eq!(ask(&it, call(&one, Charge::IfRoom(3), 60)), [Err(60)], "three never fit");
}

#[test]
fn both_algorithms_answer_and_a_change_of_it_begins_anew() {
    let it = MemoryCounters::new(10);
    let one = [rate("", 2)];
    let bucket = |seconds| RateCall {
        algorithm: Algorithm::TokenBucket,
        ..call(&one, Charge::IfRoom(1), seconds)
    };
    assert_eq!(ask(&it, bucket(0)), [Ok(1)]);
    assert_eq!(ask(&it, bucket(0)), [Ok(0)]);
    assert_eq!(ask(&it, bucket(0)), [Err(30)]);
    assert_eq!(ask(&it, bucket(30)), [Ok(0)]);
    assert_eq!(ask(&it, call(&one, Charge::IfRoom(1), 30)), [Ok(1)]);
}

#[test]
fn a_full_store_fails_for_new_keys_until_old_ones_are_over() {
    let it = MemoryCounters::new(2);
    let one = [rate("", 5)];
    let of =
        |group, seconds| it.rates_now(RateCall { group, ..call(&one, Charge::IfRoom(1), seconds) });
    assert!(of("a", 10).is_ok() && of("b", 40).is_ok());
    assert_eq!(of("c", 50), Err(StoreFailure::Full));
    assert!(of("a", 50).is_ok());
    assert_eq!(of("c", 70), Err(StoreFailure::Full), "both still count");
    assert!(of("c", 100).is_ok(), "b is over");
    assert_eq!(it.n_keys(), (2, 0));
}

#[test]
fn more_limits_than_a_store_takes_are_refused() {
    let it = MemoryCounters::new(100);
    let many = [rate("", 1); MAX_MEMBERS + 1];
    assert_eq!(it.rates_now(call(&many, Charge::IfRoom(1), 0)), Err(StoreFailure::TooMany));
}

#[test]
fn many_threads_take_exactly_what_there_is() {
    for algorithm in [Algorithm::SlidingWindow, Algorithm::TokenBucket] {
        let it = MemoryCounters::new(10);
        let n_passed = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let rates = [rate("a", 1000), rate("b", 1500)];
                    for _ in 0..400 {
                        let call = RateCall { algorithm, ..call(&rates, Charge::IfRoom(1), 9) };
                        if it.rates_now(call).unwrap().iter().all(|it| it.has_room) {
                            n_passed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(n_passed.into_inner(), 1000, "{algorithm:?}");
    }
}

fn quota(calls: Option<u64>, bytes: Option<u64>, seconds: u64) -> Quota<'static> {
    let length = (seconds > 0).then(|| Duration::from_secs(seconds));
    Quota { member: "", calls, bytes, period: Period { origin_ms: 0, length } }
}

fn spend(
    it: &MemoryCounters,
    quotas: &[Quota<'_>],
    charge: QuotaCharge,
    seconds: i64,
) -> Vec<(Option<Exceeded>, Option<u64>)> {
    let call = QuotaCall { group: "g", quotas, charge, now_ms: seconds * 1000 };
    let standings = it.quotas_now(call).unwrap();
    standings.iter().map(|it| (it.exceeded, it.wait.map(|it| it.as_secs()))).collect()
}

#[test]
fn a_quota_counts_calls_within_its_period() {
    let it = MemoryCounters::new(10);
    let two = [quota(Some(2), None, 100)];
    let take = |seconds| spend(&it, &two, QuotaCharge::IfRoom(1), seconds);
    assert_eq!(take(10), [(None, Some(90))]);
    assert_eq!(take(20), [(None, Some(80))]);
    assert_eq!(take(99), [(Some(Exceeded::Calls), Some(1))]);
    assert_eq!(take(100), [(None, Some(100))]);
}

#[test]
fn a_quota_of_bytes_lets_the_request_through_that_crosses_it() {
    let it = MemoryCounters::new(10);
    let bytes = [quota(None, Some(1000), 0)];
    let take = || spend(&it, &bytes, QuotaCharge::IfRoom(1), 5);
    assert_eq!(take(), [(None, None)]);
    spend(&it, &bytes, QuotaCharge::Always { calls: 0, bytes: 999 }, 5);
    assert_eq!(take(), [(None, None)]);
    spend(&it, &bytes, QuotaCharge::Always { calls: 0, bytes: 1 }, 1_000_000);
    assert_eq!(take(), [(Some(Exceeded::Bytes), None)]);
}

#[test]
fn a_clock_that_is_set_back_renews_no_quota() {
    let it = MemoryCounters::new(10);
    let one = [quota(Some(1), None, 100)];
    let take = |seconds| spend(&it, &one, QuotaCharge::IfRoom(1), seconds)[0].0;
    assert_eq!(
        (take(250), take(150), take(299)),
        (None, Some(Exceeded::Calls), Some(Exceeded::Calls))
    );
    assert_eq!(take(300), None);
}

#[test]
fn quotas_that_are_over_make_room() {
    let it = MemoryCounters::new(1);
    let of = |group, seconds: i64| {
        let quotas = [quota(Some(1), None, 100)];
        let charge = QuotaCharge::IfRoom(1);
        it.quotas_now(QuotaCall { group, quotas: &quotas, charge, now_ms: seconds * 1000 })
    };
    assert!(of("a", 50).is_ok());
    assert_eq!(of("b", 99), Err(StoreFailure::Full));
    assert!(of("b", 100).is_ok());
}
