//! What one rate-limit check costs in this process.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_state::{
    Algorithm, Charge, Counters, MemoryCounters, Period, Quota, QuotaCall, QuotaCharge, Rate,
    RateCall,
};

fn checks(c: &mut Criterion) {
    let counters = MemoryCounters::new(100_000);
    for (algorithm, name) in
        [(Algorithm::SlidingWindow, "window"), (Algorithm::TokenBucket, "bucket")]
    {
        for n_limits in [1, 3] {
            let rates: Vec<Rate<'_>> = ["", "api", "operation"]
                .into_iter()
                .take(n_limits)
                .map(|member| Rate { member, calls: u32::MAX, period: Duration::from_secs(60) })
                .collect();
            let mut now = Duration::from_secs(1);
            c.bench_function(&format!("{name}, {n_limits} limits"), |b| {
                b.iter(|| {
                    now += Duration::from_micros(100);
                    let charge = Charge::IfRoom(1);
                    let group = black_box("subscription/acme/api/chat");
                    let call = RateCall { group, rates: &rates, algorithm, charge, now };
                    black_box(counters.rates(call))
                });
            });
        }
    }
    let keys: Vec<String> =
        (0..50_000).map(|it| format!("10.0.{}.{}", it / 256, it % 256)).collect();
    let rates = [Rate { member: "", calls: 100, period: Duration::from_secs(60) }];
    let (mut at, mut now) = (0, Duration::from_secs(1));
    c.bench_function("window, 50 000 keys", |b| {
        b.iter(|| {
            at = (at + 7919) % keys.len();
            now += Duration::from_micros(100);
            let group = keys.get(at).map_or("", String::as_str);
            let algorithm = Algorithm::SlidingWindow;
            let call = RateCall { group, rates: &rates, algorithm, charge: Charge::IfRoom(1), now };
            black_box(counters.rates(call))
        });
    });
    let period = Period { origin_ms: 0, length: Some(Duration::from_secs(3600)) };
    let quotas = [Quota { member: "", calls: Some(u64::MAX), bytes: None, period }];
    c.bench_function("quota", |b| {
        b.iter(|| {
            let group = black_box("subscription/acme/product/gold");
            let charge = QuotaCharge::IfRoom(1);
            black_box(counters.quotas(QuotaCall { group, quotas: &quotas, charge, now_ms: 5 }))
        });
    });
}

criterion_group!(benches, checks);
criterion_main!(benches);
