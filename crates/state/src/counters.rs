//! What is asked of a store of counters, and what it answers.
//!
//! Counters of one *group* are checked and changed together, in one step: either all of them
//! have room and all are charged, or none is. In Redis a group lives on one node.
//!
//! Time comes with the question. A store that several gateways share goes by its own clock
//! instead, so that they agree.

use std::fmt;
use std::time::Duration;

use smallvec::SmallVec;

use crate::redis::RedisFailure;
use crate::tokens::{TokenCall, TokenStanding};

/// How calls per period are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Never more than `calls` within any stretch of time as long as the period.
    #[default]
    SlidingWindow,
    /// `calls` at once, and then as fast as `calls` per period: within one period after a rest
    /// up to twice as many.
    TokenBucket,
}

/// One limit of calls per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate<'a> {
    /// Which counter of the group.
    pub member: &'a str,
    /// Calls that are allowed.
    pub calls: u32,
    /// In this time; at least 1 ms.
    pub period: Duration,
}

/// What to do with the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// If all limits have room for so many calls (for one, if it is 0), charge them to all.
    IfRoom(u32),
    /// Charge them whether there is room or not: the calls have happened.
    Always(u32),
}

/// A question about calls per period.
#[derive(Clone, Copy, Debug)]
pub struct RateCall<'a> {
    /// Counters that are checked together.
    pub group: &'a str,
    /// The limits; at most [`MAX_MEMBERS`].
    pub rates: &'a [Rate<'a>],
    /// How they are counted.
    pub algorithm: Algorithm,
    /// What to charge.
    pub charge: Charge,
    /// Time since some moment that stays the same while the process runs.
    pub now: Duration,
}

/// How a limit stands after a [`RateCall`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it had room.
    pub has_room: bool,
    /// Calls that are left.
    pub remaining: u32,
    /// Time until it has room; zero if it had.
    pub wait: Duration,
}

/// The standings, in the order of the limits.
pub type Standings = SmallVec<[Standing; 2]>;

/// When quotas begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// A moment at which one begins, in milliseconds since 1970.
    pub origin_ms: i64,
    /// How long one is; `None`: the quota is never renewed.
    pub length: Option<Duration>,
}

/// A budget of calls, of bytes or of both within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota<'a> {
    /// Which counter of the group.
    pub member: &'a str,
    /// Calls that are allowed.
    pub calls: Option<u64>,
    /// Bytes that are allowed. The request that crosses the limit is the last.
    pub bytes: Option<u64>,
    /// In this time.
    pub period: Period,
}

/// What to do with quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaCharge {
    /// If all quotas have room for so many calls (for one, if it is 0), charge them to all.
    IfRoom(u64),
    /// Charge calls and bytes whether there is room or not.
    Always {
        /// Calls.
        calls: u64,
        /// Bytes.
        bytes: u64,
    },
}

/// A question about quotas.
#[derive(Clone, Copy, Debug)]
pub struct QuotaCall<'a> {
    /// Counters that are checked together.
    pub group: &'a str,
    /// The quotas; at most [`MAX_MEMBERS`].
    pub quotas: &'a [Quota<'a>],
    /// What to charge.
    pub charge: QuotaCharge,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// What a quota has too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// Calls.
    Calls,
    /// Bytes.
    Bytes,
}

/// How a quota stands after a [`QuotaCall`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaStanding {
    /// What it had no room for.
    pub exceeded: Option<Exceeded>,
    /// Time until it is renewed; `None`: never.
    pub wait: Option<Duration>,
}

/// The standings, in the order of the quotas.
pub type QuotaStandings = SmallVec<[QuotaStanding; 2]>;

/// Most counters of a group in one question.
pub const MAX_MEMBERS: usize = 8;

/// Why a store could not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFailure {
    /// The store has as many keys as it may, and all of them still count.
    #[error("the store of counters is full")]
    Full,
    /// More limits at once than a store takes.
    #[error("more than {MAX_MEMBERS} limits at once")]
    TooMany,
    /// The store is elsewhere, and there is no way to it.
    #[error(transparent)]
    Redis(#[from] RedisFailure),
}

/// The future of an answer.
pub type Answer<'a, T> =
    std::pin::Pin<Box<dyn Future<Output = Result<T, StoreFailure>> + Send + 'a>>;

/// An answer that is there at once, or one to wait for.
pub enum Reply<'a, T> {
    /// There at once.
    Now(Result<T, StoreFailure>),
    /// The store is elsewhere. Nothing is sent before this is polled.
    Later(Answer<'a, T>),
}

impl<T> Reply<'_, T> {
    /// The answer, if it is there at once.
    #[must_use]
    pub fn now(self) -> Option<Result<T, StoreFailure>> {
        match self {
            Reply::Now(answer) => Some(answer),
            Reply::Later(_) => None,
        }
    }

    /// The answer.
    ///
    /// # Errors
    ///
    /// The store could not answer.
    pub async fn get(self) -> Result<T, StoreFailure> {
        match self {
            Reply::Now(answer) => answer,
            Reply::Later(answer) => answer.await,
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Reply<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Now(answer) => f.debug_tuple("Now").field(answer).finish(),
            Reply::Later(_) => f.write_str("Later(..)"),
        }
    }
}

/// A store of counters.
pub trait Counters: fmt::Debug + Send + Sync {
    /// Whether answers are there at once ([`Reply::Now`]).
    fn is_here(&self) -> bool;

    /// Whether quotas outlive this process.
    fn is_durable(&self) -> bool;

    /// Writes what is not written yet. Not for requests: it may wait for the disk.
    fn flush(&self) {}

    /// Checks and charges limits of calls per period.
    fn rates<'a>(&'a self, call: RateCall<'a>) -> Reply<'a, Standings>;

    /// Checks and charges quotas.
    fn quotas<'a>(&'a self, call: QuotaCall<'a>) -> Reply<'a, QuotaStandings>;

    /// Reserves and settles tokens.
    fn tokens<'a>(&'a self, call: TokenCall<'a>) -> Reply<'a, TokenStanding>;
}
