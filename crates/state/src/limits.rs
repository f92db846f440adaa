//! The store that policies ask, and what counts when it cannot answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::counters::{
    Algorithm, Counters, QuotaCall, QuotaStandings, RateCall, Reply, Standings, StoreFailure,
};
use crate::memory::{DEFAULT_MAX_KEYS, MemoryCounters};
use crate::tokens::{TokenCall, TokenStanding};

/// What happens to a request whose limit cannot be looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStoreFailure {
    /// It passes, uncounted.
    #[default]
    Allow,
    /// It is refused.
    Refuse,
}

/// So many answers in a row end a trouble, so that a store which answers now and then does not
/// fill the log.
const N_ANSWERS: u32 = 16;

/// A store of counters with its settings. A failure is never silent: the log tells of the first
/// one and of the end of the trouble, and every failure is counted.
#[derive(Debug)]
pub struct Limits {
    counters: Arc<dyn Counters>,
    algorithm: Algorithm,
    on_failure: OnStoreFailure,
    is_failing: AtomicBool,
    answers_in_row: AtomicU32,
    n_failures: AtomicU64,
    is_told: AtomicBool,
}

/// What the store said of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// How the limits stand.
    Known(T),
    /// The store cannot answer, and the request passes all the same.
    Unchecked,
    /// The store cannot answer, and the request is refused.
    Refused(StoreFailure),
}

impl Limits {
    /// A store with its settings.
    #[must_use]
    pub fn new(
        counters: Arc<dyn Counters>,
        algorithm: Algorithm,
        on_failure: OnStoreFailure,
    ) -> Limits {
        Limits {
            counters,
            algorithm,
            on_failure,
            is_failing: AtomicBool::new(false),
            answers_in_row: AtomicU32::new(0),
            n_failures: AtomicU64::new(0),
            is_told: AtomicBool::new(false),
        }
    }

    /// How calls per period are counted.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Questions that the store could not answer: for metrics.
    #[must_use]
    pub fn n_failures(&self) -> u64 {
        self.n_failures.load(Ordering::Relaxed)
    }

    /// Whether answers are there at once.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.counters.is_here()
    }

    /// Says in the log, once, that quotas begin anew with the process, if they do.
    pub fn tell_if_volatile(&self) {
        if !self.counters.is_durable() && !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "quotas are counted in memory and begin anew with this process; \
                 `counters: {{ disk: PATH }}` in portcullis.yaml keeps them"
            );
        }
    }

    /// Writes what is not written yet: for the end of a process.
    pub fn flush(&self) {
        self.counters.flush();
    }

    /// Asks about calls per period.
    pub fn rates<'a>(&'a self, call: RateCall<'a>) -> Reply<'a, Standings> {
        self.counters.rates(call)
    }

    /// Asks about quotas.
    pub fn quotas<'a>(&'a self, call: QuotaCall<'a>) -> Reply<'a, QuotaStandings> {
        self.counters.quotas(call)
    }

    /// Reserves and settles tokens.
    pub fn tokens<'a>(&'a self, call: TokenCall<'a>) -> Reply<'a, TokenStanding> {
        self.counters.tokens(call)
    }

    /// What an answer means for the request.
    pub fn judge<T>(&self, answer: Result<T, StoreFailure>) -> Verdict<T> {
        match answer {
            Ok(it) => {
                if self.is_failing.load(Ordering::Relaxed) {
                    self.recover();
                }
                Verdict::Known(it)
            }
            Err(failure) => self.fail(failure),
        }
    }

    #[cold]
    fn recover(&self) {
        let n_before = self.answers_in_row.fetch_add(1, Ordering::Relaxed);
        if n_before + 1 >= N_ANSWERS && self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!("the store of counters answers again");
        }
    }

    #[cold]
    fn fail<T>(&self, failure: StoreFailure) -> Verdict<T> {
        self.n_failures.fetch_add(1, Ordering::Relaxed);
        self.answers_in_row.store(0, Ordering::Relaxed);
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            let what = match self.on_failure {
                OnStoreFailure::Allow => "requests pass unchecked",
                OnStoreFailure::Refuse => "requests are refused",
            };
            tracing::error!(why = %failure, "the store of counters cannot answer; {what}");
        }
        match self.on_failure {
            OnStoreFailure::Allow => Verdict::Unchecked,
            OnStoreFailure::Refuse => Verdict::Refused(failure),
        }
    }
}

/// Counters in this process, sliding windows.
impl Default for Limits {
    fn default() -> Limits {
        let counters = Arc::new(MemoryCounters::new(DEFAULT_MAX_KEYS));
        Limits::new(counters, Algorithm::default(), OnStoreFailure::default())
    }
}

impl fmt::Display for OnStoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnStoreFailure::Allow => "allow",
            OnStoreFailure::Refuse => "refuse",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_over_after_several_answers_in_a_row() {
        let it = Limits::default();
        let is_failing = |it: &Limits| it.is_failing.load(Ordering::Relaxed);
        let answer = |n: u32| (0..n).for_each(|_| assert_eq!(it.judge(Ok(1)), Verdict::Known(1)));
        let fail = || assert_eq!(it.judge::<u8>(Err(StoreFailure::Full)), Verdict::Unchecked);
        fail();
        answer(N_ANSWERS - 1);
        assert!(is_failing(&it));
        fail();
        answer(N_ANSWERS - 1);
        assert!(is_failing(&it));
        answer(1);
        assert!(!is_failing(&it));
    }

    #[test]
    fn a_failure_is_counted_and_means_what_the_setting_says() {
        let of = |on_failure| {
            let counters = Arc::new(MemoryCounters::new(1));
            Limits::new(counters, Algorithm::default(), on_failure)
        };
        let (allow, refuse) = (of(OnStoreFailure::Allow), of(OnStoreFailure::Refuse));
        assert_eq!(allow.judge::<u8>(Err(StoreFailure::Full)), Verdict::Unchecked);
        assert_eq!(
            refuse.judge::<u8>(Err(StoreFailure::Full)),
            Verdict::Refused(StoreFailure::Full)
        );
        assert_eq!(refuse.judge(Ok(7)), Verdict::Known(7));
        assert_eq!((allow.n_failures(), refuse.n_failures()), (1, 1));
    }
}
