//! Counters in this process: exact, quick, lost at its end unless quotas are written to disk.

use std::fmt;
use std::time::Duration;

use crate::bucket::Bucket;
use crate::counters::{
    Algorithm, Charge, Counters, Exceeded, MAX_MEMBERS, Period, Quota, QuotaCall, QuotaCharge,
    QuotaStanding, QuotaStandings, Rate, RateCall, Reply, Standing, Standings, StoreFailure,
};
use crate::period;
use crate::table::{Counter, Group, NoRoom, Table};
use crate::tokens::{TokenCall, TokenCounter, TokenStanding};
use crate::window::Window;

/// Keys of each kind, unless configured.
pub const DEFAULT_MAX_KEYS: usize = 100_000;

/// Counters in this process. A key of a rate takes at most about 700 bytes with its own text, a
/// key of a quota about 150.
pub struct MemoryCounters {
    rates: Table<RateCounter>,
    pub(crate) quotas: Table<QuotaCounter>,
    pub(crate) tokens: Table<TokenCounter>,
}

impl MemoryCounters {
    /// Counters with at most so many keys for rates, and as many for quotas and for tokens.
    #[must_use]
    pub fn new(max_keys: usize) -> MemoryCounters {
        MemoryCounters {
            rates: Table::new(max_keys),
            quotas: Table::new(max_keys),
            tokens: Table::new(max_keys),
        }
    }

    /// Keys that there are, of rates and of quotas.
    #[must_use]
    pub fn n_keys(&self) -> (usize, usize) {
        (self.rates.n_keys(), self.quotas.n_keys())
    }

    fn rates_now(&self, call: RateCall<'_>) -> Result<Standings, StoreFailure> {
        if call.rates.len() > MAX_MEMBERS {
            return Err(StoreFailure::TooMany);
        }
        let now = millis(call.now);
        for is_second in [false, true] {
            match self.rates_once(call, now) {
                Err(NoRoom) if !is_second => self.rates.sweep(now, now, |_| {}),
                other => return other.map_err(|NoRoom| StoreFailure::Full),
            }
        }
        Err(StoreFailure::Full)
    }

    fn rates_once(&self, call: RateCall<'_>, now: u64) -> Result<Standings, NoRoom> {
        let mut group = self.rates.group(call.group).ok_or(NoRoom)?;
        let (n, needed) = match call.charge {
            Charge::IfRoom(n) => (n, n.max(1)),
            Charge::Always(n) => (n, 1),
        };
        let mut standings = Standings::new();
        if let [rate] = call.rates {
            // The usual case: the counter is found once.
            let counter = current(&mut group, rate, call.algorithm, now)?;
            let mut standing = counter.standing(now, rate, needed);
            if n > 0 && (standing.has_room || matches!(call.charge, Charge::Always(_))) {
                counter.add(now, rate, n);
                standing.remaining = standing.remaining.saturating_sub(n);
            }
            standings.push(standing);
            return Ok(standings);
        }
        for rate in call.rates {
            let counter = current(&mut group, rate, call.algorithm, now)?;
            standings.push(counter.standing(now, rate, needed));
        }
        let is_charged = match call.charge {
            Charge::IfRoom(_) => standings.iter().all(|it| it.has_room),
            Charge::Always(_) => true,
        };
        if is_charged && n > 0 {
            for (rate, standing) in call.rates.iter().zip(&mut standings) {
                let counter = current(&mut group, rate, call.algorithm, now)?;
                counter.add(now, rate, n);
                standing.remaining = standing.remaining.saturating_sub(n);
            }
        }
        Ok(standings)
    }

    fn quotas_now(&self, call: QuotaCall<'_>) -> Result<QuotaStandings, StoreFailure> {
        if call.quotas.len() > MAX_MEMBERS {
            return Err(StoreFailure::TooMany);
        }
        for is_second in [false, true] {
            match self.quotas_once(call) {
                // What is over is forgotten on disk when the next writing comes to it.
                Err(NoRoom) if !is_second => {
                    let now_ms = u64::try_from(call.now_ms).unwrap_or_default();
                    self.quotas.sweep(call.now_ms, now_ms, |_| {});
                }
                other => return other.map_err(|NoRoom| StoreFailure::Full),
            }
        }
        Err(StoreFailure::Full)
    }

    fn quotas_once(&self, call: QuotaCall<'_>) -> Result<QuotaStandings, NoRoom> {
        let mut group = self.quotas.group(call.group).ok_or(NoRoom)?;
        let mut standings = QuotaStandings::new();
        for quota in call.quotas {
            let counter = group.counter(quota.member, QuotaCounter::new)?;
            let counter = counter.turned(quota.period, call.now_ms);
            let needed = match call.charge {
                QuotaCharge::IfRoom(n) => n.max(1),
                QuotaCharge::Always { .. } => 1,
            };
            standings.push(counter.standing(quota, call.now_ms, needed));
        }
        let (calls, bytes) = match call.charge {
            QuotaCharge::IfRoom(_) if standings.iter().any(|it| it.exceeded.is_some()) => (0, 0),
            QuotaCharge::IfRoom(n) => (n, 0),
            QuotaCharge::Always { calls, bytes } => (calls, bytes),
        };
        if (calls, bytes) != (0, 0) {
            for quota in call.quotas {
                let counter = group.counter(quota.member, QuotaCounter::new)?;
                *counter = counter.turned(quota.period, call.now_ms).plus(calls, bytes);
            }
        }
        Ok(standings)
    }
}

impl Counters for MemoryCounters {
    fn is_here(&self) -> bool {
        true
    }

    fn is_durable(&self) -> bool {
        false
    }

    fn rates<'a>(&'a self, call: RateCall<'a>) -> Reply<'a, Standings> {
        Reply::Now(self.rates_now(call))
    }

    fn quotas<'a>(&'a self, call: QuotaCall<'a>) -> Reply<'a, QuotaStandings> {
        Reply::Now(self.quotas_now(call))
    }

    fn tokens<'a>(&'a self, call: TokenCall<'a>) -> Reply<'a, TokenStanding> {
        Reply::Now(self.tokens_now(call))
    }
}

impl fmt::Debug for MemoryCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rates, quotas) = self.n_keys();
        write!(f, "MemoryCounters({rates} rates, {quotas} quotas)")
    }
}

pub(crate) fn millis(it: Duration) -> u64 {
    u64::try_from(it.as_millis()).unwrap_or(u64::MAX)
}

fn period_of(rate: &Rate<'_>) -> u64 {
    millis(rate.period).max(1)
}

/// The counter of a rate, as the algorithm and the limit are now.
fn current<'g>(
    group: &'g mut Group<'_, RateCounter>,
    rate: &Rate<'_>,
    algorithm: Algorithm,
    now: u64,
) -> Result<&'g mut RateCounter, NoRoom> {
    let make = || RateCounter::new(algorithm, rate, now);
    let counter = group.counter(rate.member, make)?;
    counter.bring_up(algorithm, rate, now);
    Ok(counter)
}

struct RateCounter {
    /// The longest that its calls count.
    period: u64,
    kind: RateKind,
}

enum RateKind {
    Window(Window),
    Bucket(Bucket),
}

impl RateCounter {
    fn new(algorithm: Algorithm, rate: &Rate<'_>, now: u64) -> RateCounter {
        let period = period_of(rate);
        let kind = match algorithm {
            Algorithm::SlidingWindow => RateKind::Window(Window::new()),
            Algorithm::TokenBucket => RateKind::Bucket(Bucket::new(now, period, rate.calls)),
        };
        RateCounter { period, kind }
    }

    fn bring_up(&mut self, algorithm: Algorithm, rate: &Rate<'_>, now: u64) {
        self.period = period_of(rate);
        match (&mut self.kind, algorithm) {
            (RateKind::Window(it), Algorithm::SlidingWindow) => it.forget(now, self.period),
            (RateKind::Bucket(it), Algorithm::TokenBucket) => {
                it.refill(now, self.period, rate.calls);
            }
            _ => *self = RateCounter::new(algorithm, rate, now),
        }
    }

    fn standing(&self, now: u64, rate: &Rate<'_>, needed: u32) -> Standing {
        let (wait, remaining) = match &self.kind {
            RateKind::Window(it) => {
                let left = u64::from(rate.calls).saturating_sub(it.total());
                let wait = it.wait(now, self.period, rate.calls, needed);
                (wait, u32::try_from(left).unwrap_or(u32::MAX))
            }
            RateKind::Bucket(it) => (it.wait(needed), it.remaining()),
        };
        Standing { has_room: wait == 0, remaining, wait: Duration::from_millis(wait) }
    }

    fn add(&mut self, now: u64, rate: &Rate<'_>, n: u32) {
        match &mut self.kind {
            RateKind::Window(it) => it.add(now, period_of(rate), n),
            RateKind::Bucket(it) => it.add(n),
        }
    }
}

impl Counter for RateCounter {
    type Now = u64;

    fn is_over(&self, now: u64) -> bool {
        match &self.kind {
            RateKind::Window(it) => it.is_over(now, self.period),
            RateKind::Bucket(it) => it.is_full(now),
        }
    }
}

/// What was used of a quota in its period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuotaCounter {
    /// Start of the period, in milliseconds since 1970.
    pub(crate) start_ms: i64,
    /// Its length in milliseconds; 0: it has no end.
    pub(crate) length_ms: u64,
    /// Calls, or tokens.
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
    /// Whether it changed since it was last written.
    pub(crate) is_new: bool,
}

impl QuotaCounter {
    /// Nothing was used, at a time before every period.
    pub(crate) fn new() -> QuotaCounter {
        QuotaCounter { start_ms: i64::MIN, length_ms: 0, calls: 0, bytes: 0, is_new: false }
    }

    /// As it is now: anew if another period has begun. A clock that is set back begins nothing
    /// anew.
    pub(crate) fn turned(self, period: Period, now_ms: i64) -> QuotaCounter {
        let (start_ms, length_ms) = period::current(period, now_ms);
        if start_ms > self.start_ms {
            return QuotaCounter { start_ms, length_ms, ..QuotaCounter::new() };
        }
        QuotaCounter { length_ms, ..self }
    }

    fn standing(&self, quota: &Quota<'_>, now_ms: i64, needed: u64) -> QuotaStanding {
        let has_calls = quota.calls.is_none_or(|it| self.calls.saturating_add(needed) <= it);
        let has_bytes = quota.bytes.is_none_or(|it| self.bytes < it);
        let exceeded = match (has_calls, has_bytes) {
            (false, _) => Some(Exceeded::Calls),
            (true, false) => Some(Exceeded::Bytes),
            (true, true) => None,
        };
        QuotaStanding { exceeded, wait: period::left(quota.period, now_ms) }
    }

    fn plus(self, calls: u64, bytes: u64) -> QuotaCounter {
        QuotaCounter {
            calls: self.calls.saturating_add(calls),
            bytes: self.bytes.saturating_add(bytes),
            is_new: true,
            ..self
        }
    }
}

impl Counter for QuotaCounter {
    type Now = i64;

    fn is_over(&self, now_ms: i64) -> bool {
        let is_empty = self.calls == 0 && self.bytes == 0;
        is_empty || period::is_over(self.start_ms, self.length_ms, now_ms)
    }
}

#[cfg(test)]
mod tests;
