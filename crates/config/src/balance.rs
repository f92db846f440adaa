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
    /// How a member is chosen among those of the same priority. Beyond Azure.
    pub balance: Balance,
    /// Whether a call that brought no response goes on to the next member. Beyond Azure.
    pub fails_over: bool,
}

/// How a member of a pool is chosen among those of the same priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// In turn, by weight, as Azure does it.
    #[default]
    Weight,
    /// The one that answers soonest, as far as is known; the weight divides its time.
    Latency,
}

/// What a single backend has beyond Azure; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Asks whether it is there.
    pub health_check: Option<HealthCheck>,
    /// Longest wait for the first byte of a response's body; of a response without one, for its
    /// headers.
    pub first_byte_timeout: Option<Duration>,
    /// Longest pause within a response's body.
    pub stream_idle_timeout: Option<Duration>,
}

/// How a backend is asked whether it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked for, below the backend's URL.
    pub path: String,
    /// Time between two checks. Default 10 s.
    pub interval: Duration,
    /// Longest time that a check may take. Default 2 s.
    pub timeout: Duration,
    /// So many bad checks in a row, and nothing is sent to it. Default 3.
    pub unhealthy_after: u32,
    /// So many good checks in a row, and it is used again. Default 2.
    pub healthy_after: u32,
    /// Statuses that are good. Default 200 to 399.
    pub expected: Vec<RangeInclusive<u16>>,
}

impl Default for HealthCheck {
    fn default() -> HealthCheck {
        HealthCheck {
            path: "/".to_owned(),
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            unhealthy_after: 3,
            healthy_after: 2,
            expected: vec![200..=399],
        }
    }
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
