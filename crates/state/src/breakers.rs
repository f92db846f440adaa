//! Circuit breakers that several gateways share: what is told of them and asked.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::counters::StoreFailure;

/// How many failures trip a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerThreshold {
    /// So many within the interval.
    Failures(u32),
    /// So many of a hundred calls within the interval, of at least so many.
    Percentage {
        /// Of a hundred calls.
        percent: u8,
        /// Fewer calls never trip it.
        min_calls: u32,
    },
}

/// What one gateway tells of a breaker since it last did, together with its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerReport<'a> {
    /// The backend's name.
    pub backend: &'a str,
    /// How many failures are too many.
    pub threshold: BreakerThreshold,
    /// The time over which they count; in steps of a sixtieth of it.
    pub interval: Duration,
    /// How long the backend is left alone if these failures are too many.
    pub trip: Duration,
    /// Calls, of which failures.
    pub n_calls: u32,
    /// Failures.
    pub n_failures: u32,
    /// How long this gateway leaves it alone from now on, if it has just decided so by itself.
    pub tripped: Option<Duration>,
}

/// What a store says: for each breaker how long it stays open; zero: it is closed.
pub type BreakerStandings<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Duration>, StoreFailure>> + Send + 'a>>;

/// Where breakers are shared.
pub trait BreakerStore: Debug + Send + Sync {
    /// Tells and asks in one: nothing of other gateways comes in between. The longest trip of a
    /// breaker counts; while it is open, failures do not.
    fn exchange<'a>(&'a self, reports: &'a [BreakerReport<'a>]) -> BreakerStandings<'a>;
}
