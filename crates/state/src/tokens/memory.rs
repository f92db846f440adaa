//! Budgets of tokens in this process.
//!
//! What was used of a quota stands among the quotas of calls and bytes, so that it is written to
//! disk with them. The lock of the budget is taken before that of its quota, always.

use std::time::Duration;

use super::{
    Holds, TokenBucket, TokenCall, TokenCharge, TokenQuota, TokenQuotaStanding, TokenRate,
    TokenRateStanding, TokenStanding,
};
use crate::counters::{Period, StoreFailure};
use crate::memory::{MemoryCounters, QuotaCounter, millis};
use crate::table::{Counter, Group, NoRoom};

/// Where only what others hold is in the way.
const WAIT_FOR_HOLDS: Duration = Duration::from_secs(1);
/// The counter of the rate within its budget.
const RATE: &str = "";

/// A rate, or what is held of a quota.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TokenCounter {
    bucket: Option<TokenBucket>,
    holds: Holds,
}

impl Counter for TokenCounter {
    type Now = u64;

    fn is_over(&self, now: u64) -> bool {
        self.holds.total(Holds::slot(now)) == 0 && self.bucket.is_none_or(|it| it.is_full(now))
    }
}

impl MemoryCounters {
    pub(crate) fn tokens_now(&self, call: TokenCall<'_>) -> Result<TokenStanding, StoreFailure> {
        let now = millis(call.now);
        for is_second in [false, true] {
            match self.tokens_once(call, now) {
                Err(NoRoom) if !is_second => {
                    self.tokens.sweep(now, now, |_| {});
                    let now_ms = u64::try_from(call.now_ms).unwrap_or_default();
                    self.quotas.sweep(call.now_ms, now_ms, |_| {});
                }
                other => return other.map_err(|NoRoom| StoreFailure::Full),
            }
        }
        Err(StoreFailure::Full)
    }

    fn tokens_once(&self, call: TokenCall<'_>, now: u64) -> Result<TokenStanding, NoRoom> {
        let mut budget = self.tokens.group(call.group).ok_or(NoRoom)?;
        let mut quotas = match call.quota {
            Some(_) => Some(self.quotas.group(call.group).ok_or(NoRoom)?),
            None => None,
        };
        let slot = Holds::slot(now);
        let needed = match call.charge {
            TokenCharge::Reserve { needed, .. } => Some(needed.max(1)),
            TokenCharge::Settle { .. } => None,
        };
        let mut standing = TokenStanding { rate: None, quota: None, slot };
        if let Some(rate) = &call.rate {
            let counter = rated(&mut budget, rate, now)?;
            standing.rate = Some(counter.rate_standing(needed, slot));
        }
        if let (Some(quota), Some(quotas)) = (&call.quota, &mut quotas) {
            let held = budget.counter(quota.member, TokenCounter::default)?.holds.total(slot);
            let used = used(quotas, quota, call.now_ms)?.calls;
            standing.quota = Some(quota_standing(quota, used, held, needed));
        }
        let change = Change::of(call.charge, slot);
        if !standing.has_room() {
            return Ok(standing);
        }
        if let (Some(rate), Some(told)) = (&call.rate, &mut standing.rate) {
            let counter = rated(&mut budget, rate, now)?;
            change.hold(&mut counter.holds);
            if let Some(bucket) = &mut counter.bucket {
                bucket.take(change.charge);
                told.remaining = bucket.remaining();
            }
        }
        if let (Some(quota), Some(quotas), Some(told)) =
            (&call.quota, &mut quotas, &mut standing.quota)
        {
            change.hold(&mut budget.counter(quota.member, TokenCounter::default)?.holds);
            let counter = used(quotas, quota, call.now_ms)?;
            counter.calls = counter.calls.saturating_add_signed(change.charge);
            counter.is_new = true;
            told.remaining = quota.tokens.saturating_sub(counter.calls);
        }
        Ok(standing)
    }
}

/// What is done to each counter.
struct Change {
    charge: i64,
    hold: u64,
    release: u64,
    slot: u64,
}

impl Change {
    fn of(charge: TokenCharge, now_slot: u64) -> Change {
        match charge {
            TokenCharge::Reserve { charge, hold, .. } => {
                let charge = i64::try_from(charge).unwrap_or(i64::MAX);
                Change { charge, hold, release: 0, slot: now_slot }
            }
            TokenCharge::Settle { charge, hold, slot } => {
                Change { charge, hold: 0, release: hold, slot }
            }
        }
    }

    fn hold(&self, holds: &mut Holds) {
        holds.release(self.slot, self.release);
        if self.hold > 0 {
            holds.add(self.slot, self.hold);
        }
    }
}

impl TokenCounter {
    /// How it stands; with nothing needed there is always room.
    fn rate_standing(&self, needed: Option<u64>, slot: u64) -> TokenRateStanding {
        let held = self.holds.total(slot);
        let Some(bucket) = &self.bucket else {
            let (has_room, never_fits, remaining) = (true, false, 0);
            return TokenRateStanding { has_room, never_fits, remaining, wait: Duration::ZERO };
        };
        let has_room = needed.is_none_or(|it| bucket.has_room(it, held));
        let needed = needed.unwrap_or(0);
        let wait = match (has_room, bucket.wait(needed)) {
            (true, _) => Duration::ZERO,
            (false, 0) => WAIT_FOR_HOLDS,
            (false, wait) => Duration::from_millis(wait),
        };
        let never_fits = bucket.never_fits(needed);
        TokenRateStanding { has_room, never_fits, remaining: bucket.remaining(), wait }
    }
}

/// The counter of the rate, as it is now.
fn rated<'g>(
    budget: &'g mut Group<'_, TokenCounter>,
    rate: &TokenRate,
    now: u64,
) -> Result<&'g mut TokenCounter, NoRoom> {
    let period = millis(rate.period).max(1);
    let counter = budget.counter(RATE, TokenCounter::default)?;
    let bucket = counter.bucket.get_or_insert_with(|| TokenBucket::new(now, period, rate.tokens));
    bucket.refill(now, period, rate.tokens);
    Ok(counter)
}

/// What was used of a quota, as it is now.
fn used<'g>(
    quotas: &'g mut Group<'_, QuotaCounter>,
    quota: &TokenQuota<'_>,
    now_ms: i64,
) -> Result<&'g mut QuotaCounter, NoRoom> {
    let length = quota.end_ms.saturating_sub(quota.start_ms);
    let length = Duration::from_millis(u64::try_from(length).unwrap_or_default().max(1));
    let period = Period { origin_ms: quota.start_ms, length: Some(length) };
    let counter = quotas.counter(quota.member, QuotaCounter::new)?;
    *counter = counter.turned(period, now_ms);
    Ok(counter)
}

fn quota_standing(
    quota: &TokenQuota<'_>,
    used: u64,
    held: u64,
    needed: Option<u64>,
) -> TokenQuotaStanding {
    let taken = used.saturating_add(held);
    TokenQuotaStanding {
        has_room: needed.is_none_or(|it| taken.saturating_add(it) <= quota.tokens),
        remaining: quota.tokens.saturating_sub(used),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    struct Budget {
        counters: MemoryCounters,
        rate: Option<u64>,
        quota: Option<u64>,
        second: u64,
    }

    impl Budget {
        fn new(rate: Option<u64>, quota: Option<u64>) -> Budget {
            Budget { counters: MemoryCounters::new(10), rate, quota, second: 10 }
        }

        fn ask(&self, charge: TokenCharge) -> TokenStanding {
            let now_ms = i64::try_from(self.second * 1000).unwrap();
            let start_ms = now_ms / HOUR_MS * HOUR_MS;
            let rate =
                self.rate.map(|tokens| TokenRate { tokens, period: Duration::from_secs(60) });
            let quota = self.quota.map(|tokens| TokenQuota {
                member: "Hourly",
                tokens,
                start_ms,
                end_ms: start_ms + HOUR_MS,
            });
            let now = Duration::from_secs(self.second);
            let call = TokenCall { group: "g", rate, quota, charge, now, now_ms };
            self.counters.tokens_now(call).unwrap()
        }

        /// What is left of rate and quota, or what refuses.
        fn reserve(&self, needed: u64, charge: u64, hold: u64) -> String {
            shown(&self.ask(TokenCharge::Reserve { needed, charge, hold }))
        }

        fn settle(&self, charge: i64, hold: u64) -> String {
            let slot = Holds::slot(self.second * 1000);
            shown(&self.ask(TokenCharge::Settle { charge, hold, slot }))
        }
    }

    fn shown(it: &TokenStanding) -> String {
        let rate = it.rate.map(|it| match (it.has_room, it.never_fits) {
            (true, _) => format!("{}", it.remaining),
            (false, true) => "never".to_owned(),
            (false, false) => format!("{} in {}", it.remaining, it.wait.as_millis()),
        });
        let quota = it.quota.map(|it| match it.has_room {
            true => format!("{}", it.remaining),
            false => format!("{} no", it.remaining),
        });
        format!("{} / {}", rate.unwrap_or_default(), quota.unwrap_or_default())
    }

    #[test]
    fn what_is_held_is_in_the_way_and_not_told_as_used() {
        let it = Budget::new(Some(100), Some(1000));
        assert_eq!(it.reserve(0, 0, 60), "100 / 1000");
        assert_eq!(it.reserve(0, 0, 60), "100 / 1000", "forty were left");
        assert_eq!(it.reserve(0, 0, 60), "100 in 1000 / 1000", "none is left");
        assert_eq!(it.settle(50, 60), "50 / 950");
        assert_eq!(it.reserve(0, 0, 1), "50 in 1000 / 950", "sixty are held");
        assert_eq!(it.settle(70, 60), "0 / 880", "twenty in debt");
        assert_eq!(it.reserve(0, 0, 1), "0 in 12600 / 880");
    }

    #[test]
    fn an_estimate_needs_room_and_is_charged_at_once() {
        let it = Budget::new(Some(100), None);
        assert_eq!(it.reserve(80, 80, 0), "20 / ");
        assert_eq!(it.reserve(21, 21, 0), "20 in 600 / ");
        assert_eq!(it.reserve(101, 101, 0), "never / ");
        assert_eq!(it.settle(-30, 0), "50 / ");
        assert_eq!(it.reserve(50, 50, 0), "0 / ");
    }

    #[test]
    fn a_quota_is_renewed_with_its_period_and_refuses_both() {
        let mut it = Budget::new(Some(1000), Some(100));
        assert_eq!(it.reserve(0, 0, 0), "1000 / 100");
        assert_eq!(it.settle(120, 0), "880 / 0");
        assert_eq!(it.reserve(0, 0, 0), "880 / 0 no");
        it.second += 3600;
        assert_eq!(it.reserve(60, 60, 10), "940 / 40");
        assert_eq!(it.reserve(60, 60, 10), "940 / 40 no", "neither is charged");
        assert_eq!(it.reserve(30, 30, 0), "910 / 10");
    }

    #[test]
    fn what_a_dead_gateway_held_comes_back() {
        let mut it = Budget::new(Some(100), None);
        assert_eq!(it.reserve(0, 0, 100), "100 / ");
        assert_eq!(it.reserve(0, 0, 1), "100 in 1000 / ");
        it.second += super::super::MAX_HOLD.as_secs();
        assert_eq!(it.reserve(0, 0, 1), "100 / ");
    }

    #[test]
    fn many_threads_never_take_more_than_there_is() {
        let it = Budget::new(Some(10_000), Some(9_000));
        let taken = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..400 {
                        let standing =
                            it.ask(TokenCharge::Reserve { needed: 7, charge: 0, hold: 7 });
                        if standing.has_room() {
                            taken.fetch_add(7, Ordering::Relaxed);
                            let slot = standing.slot;
                            it.ask(TokenCharge::Settle { charge: 7, hold: 7, slot });
                        }
                    }
                });
            }
        });
        let taken = taken.into_inner();
        assert!(taken <= 9_000 && taken > 9_000 - 7, "{taken}");
    }

    #[test]
    fn a_full_store_takes_no_budget_until_one_is_over() {
        let counters = MemoryCounters::new(1);
        let of = |group, second| {
            let rate = Some(TokenRate { tokens: 10, period: Duration::from_secs(60) });
            let charge = TokenCharge::Reserve { needed: 1, charge: 5, hold: 0 };
            let now = Duration::from_secs(second);
            counters.tokens_now(TokenCall { group, rate, quota: None, charge, now, now_ms: 0 })
        };
        assert!(of("a", 10).is_ok());
        assert_eq!(of("b", 20), Err(StoreFailure::Full));
        assert!(of("b", 60).is_ok(), "the first is full again");
    }
}
