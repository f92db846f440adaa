//! The store as policies ask it: the clock added, failures judged and counted.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pipeline::{CompileCx, Context, PolicyError};
use state::{
    Charge, Limits, Quota, QuotaCall, QuotaCharge, QuotaStandings, Rate, RateCall, Reply,
    Standings, StoreFailure, TokenCall, TokenStanding, Verdict,
};
use telemetry::Metrics;

use crate::refusal;

/// Limits that could not be looked up.
const FAILURES: &str = "portcullis_limit_store_failures_total";

/// The counters of the process.
#[derive(Clone)]
pub struct Store {
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
}

impl Store {
    /// The store that was set up, or else one in this process.
    #[must_use]
    pub fn of(cx: &CompileCx<'_>) -> Store {
        Store { limits: cx.extension().unwrap_or_else(|| cx.shared()), metrics: cx.shared() }
    }

    /// The same, for quotas, which should outlive the process.
    #[must_use]
    pub fn of_quotas(cx: &CompileCx<'_>) -> Store {
        // A document that is only checked has no store that was set up.
        if let Some(limits) = cx.extension::<Limits>() {
            limits.tell_if_volatile();
        }
        Store::of(cx)
    }

    /// Whether answers are there at once.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.limits.is_here()
    }

    /// Asks about calls per period.
    pub(crate) fn rates<'a>(
        &'a self,
        context: &Context,
        group: &'a str,
        rates: &'a [Rate<'a>],
        charge: Charge,
    ) -> Reply<'a, Standings> {
        let algorithm = self.limits.algorithm();
        let now = context.services.clock.monotonic();
        self.limits.rates(RateCall { group, rates, algorithm, charge, now })
    }

    /// Asks about quotas.
    pub(crate) fn quotas<'a>(
        &'a self,
        now: SystemTime,
        group: &'a str,
        quotas: &'a [Quota<'a>],
        charge: QuotaCharge,
    ) -> Reply<'a, QuotaStandings> {
        self.limits.quotas(QuotaCall { group, quotas, charge, now_ms: unix_ms(now) })
    }

    /// Reserves and settles tokens.
    pub fn tokens<'a>(&'a self, call: TokenCall<'a>) -> Reply<'a, TokenStanding> {
        self.limits.tokens(call)
    }

    /// What an answer means for the request; none if it passes unchecked.
    ///
    /// # Errors
    ///
    /// The limit cannot be looked up, and the settings say to refuse then.
    pub fn judge<T>(&self, answer: Result<T, StoreFailure>) -> Result<Option<T>, PolicyError> {
        match self.limits.judge(answer) {
            Verdict::Known(it) => Ok(Some(it)),
            Verdict::Unchecked => {
                self.metrics.count(FAILURES);
                Ok(None)
            }
            Verdict::Refused(failure) => {
                self.metrics.count(FAILURES);
                Err(refusal::unavailable(&failure))
            }
        }
    }

    /// Notes how a charge went that nobody waits for.
    pub fn note<T>(&self, answer: Result<T, StoreFailure>) {
        // Whether a later request is refused is for its own check to say.
        let _ = self.judge(answer);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.limits, f)
    }
}

/// Milliseconds since 1970.
#[must_use]
pub fn unix_ms(now: SystemTime) -> i64 {
    match now.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |it| -it),
    }
}
