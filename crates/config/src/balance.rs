//! How requests are spread over backends, and when a backend is left alone.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/backends>

use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;

/// Most members of a pool, as Azure has it.
pub const MAX_POOL_MEMBERS: usize = 30;

/// Several backends behind one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The backends, in the order of the entity.
    pub members: Vec<PoolMember>,
    /// Name of the cookie that keeps a session with the member that it began with.
    pub session_cookie: Option<String>,
    /// What callers get while no member is available. Default 503.
    pub failure_status: StatusCode,
}

/// A backend of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolMember {
    /// The backend's name.
    pub backend: String,
    /// Its group. A group is used only while no member of a group with a smaller number is
    /// available. Default 0.
    pub priority: u32,
    /// Its share within the group; with 0 it gets nothing. Default 1.
    pub weight: u32,
}

/// When a backend is left alone, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerRule {
    /// How many failures trip it.
    pub threshold: Threshold,
    /// The time over which they count.
    pub interval: Duration,
    /// Statuses that are failures.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// Reasons of `context.LastError` that are failures.
    pub reasons: Vec<String>,
    /// How long nothing is sent.
    pub trip_duration: Duration,
    /// Whether the failing response may say how long instead.
    pub accepts_retry_after: bool,
    /// What callers get meanwhile. Default 503.
    pub failure_status: StatusCode,
}

/// How many failures are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// So many within the interval.
    Count(u32),
    /// So many of a hundred calls within the interval, of at least [`MIN_CALLS`].
    Percentage(u8),
}

/// Calls within the interval from which on a percentage means something.
pub const MIN_CALLS: u32 = 5;

/// Most failures that a rule can count.
pub const MAX_COUNT: u32 = 10_000;
