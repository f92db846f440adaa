//! Budgets of tokens: so many a minute, so many in a period of the calendar.
//!
//! ```text
//! before the call  Reserve ─▶ room? ─▶ charge what is certain, hold what is expected
//! after it         Settle  ─▶ let go of what was held, charge the rest (or give back)
//! ```
//!
//! What a call uses is known only after it. So a call *holds* what it is expected to use: the next
//! one finds that much less room, and calls at the same time cannot go beyond the limit by more
//! than they were misjudged. What is held is no use yet: it is not told as used, and comes back
//! when the call settles. A hold whose gateway has died is forgotten after [`MAX_HOLD`].
//!
//! The rate is a bucket that may go into debt: it starts full, fills evenly, and a call that used
//! more than there was is paid back before the next one passes.

mod bucket;
mod holds;
mod memory;

use std::time::Duration;

pub(crate) use bucket::TokenBucket;
pub(crate) use holds::{Holds, N_SLOTS, SLOT};
pub(crate) use memory::TokenCounter;

/// How long a hold is kept at most whose call never settles; no less than 10 minutes.
pub const MAX_HOLD: Duration = Duration::from_secs(SLOT.as_secs() * N_SLOTS as u64);

/// So many tokens in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRate {
    /// Tokens that are allowed; at most 2^40 count.
    pub tokens: u64,
    /// In this time; at least 1 ms, at most a day.
    pub period: Duration,
}

/// So many tokens from one moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenQuota<'a> {
    /// Which counter of the group: quotas of different periods are counted apart.
    pub member: &'a str,
    /// Tokens that are allowed; at most 2^52 count.
    pub tokens: u64,
    /// When the period began, in milliseconds since 1970.
    pub start_ms: i64,
    /// When the next one begins.
    pub end_ms: i64,
}

/// What to do with a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenCharge {
    /// If all limits have room for `needed` tokens (for one, if it is 0) beside what others hold:
    /// charges `charge` and holds `hold` beside it.
    Reserve {
        /// Room that there must be.
        needed: u64,
        /// What is used for certain.
        charge: u64,
        /// What is expected beyond that.
        hold: u64,
    },
    /// Lets go of a hold and charges what was used beyond the first charge, or gives back if that
    /// was too much.
    Settle {
        /// Tokens; below zero: given back.
        charge: i64,
        /// What was held.
        hold: u64,
        /// Where: [`TokenStanding::slot`].
        slot: u64,
    },
}

/// A question about a budget of tokens: a rate, a quota or both, checked and charged in one step.
#[derive(Clone, Copy, Debug)]
pub struct TokenCall<'a> {
    /// The budget.
    pub group: &'a str,
    /// Tokens in a short time.
    pub rate: Option<TokenRate>,
    /// Tokens in a period.
    pub quota: Option<TokenQuota<'a>>,
    /// What to do.
    pub charge: TokenCharge,
    /// Time since some moment that stays the same while the process runs. A store that several
    /// gateways share goes by its own clock.
    pub now: Duration,
    /// Milliseconds since 1970: within the quota's period.
    pub now_ms: i64,
}

/// How a rate of tokens stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRateStanding {
    /// Whether it had room.
    pub has_room: bool,
    /// Whether so much never has room.
    pub never_fits: bool,
    /// Tokens that are left, not counting what others hold.
    pub remaining: u64,
    /// Time until it has room; zero if it had. Where only what others hold is in the way, a second.
    pub wait: Duration,
}

/// How a quota of tokens stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenQuotaStanding {
    /// Whether it had room.
    pub has_room: bool,
    /// Tokens that are left, not counting what others hold.
    pub remaining: u64,
}

/// How a budget stands after a [`TokenCall`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenStanding {
    /// The rate, if the call named one.
    pub rate: Option<TokenRateStanding>,
    /// The quota, if the call named one.
    pub quota: Option<TokenQuotaStanding>,
    /// Where a hold stands, for [`TokenCharge::Settle`].
    pub slot: u64,
}

impl TokenStanding {
    /// Whether there was room, so that a reservation was made.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.rate.is_none_or(|it| it.has_room) && self.quota.is_none_or(|it| it.has_room)
    }
}
