//! The bucket of tokens: starts full, fills evenly, may go into debt.
//!
//! One token is `period` units (in milliseconds) and `tokens` units come back each millisecond, so
//! that all of it is whole numbers. `redis/tokens.lua` has the same arithmetic.

/// Most tokens that a rate counts.
pub(crate) const MAX_TOKENS: u64 = 1 << 40;
/// The debt is never more than what comes back in so many periods.
pub(crate) const MAX_DEBT_PERIODS: i64 = 1440;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenBucket {
    /// Below zero: more was used than there was.
    level: i64,
    at: u64,
    tokens: u64,
    period: u64,
}

impl TokenBucket {
    pub(crate) fn new(now: u64, period: u64, tokens: u64) -> TokenBucket {
        let tokens = tokens.min(MAX_TOKENS);
        TokenBucket { level: units(period, tokens), at: now, tokens, period }
    }

    /// Lets come back what came back since the last time, and takes over a changed limit.
    pub(crate) fn refill(&mut self, now: u64, period: u64, tokens: u64) {
        let tokens = tokens.min(MAX_TOKENS);
        let gained = signed(now.saturating_sub(self.at)).saturating_mul(signed(self.tokens));
        let level = self.level.saturating_add(gained).min(self.capacity());
        self.at = self.at.max(now);
        // A change of the limit leaves what there is, as tokens.
        self.level = match self.period {
            same if same == period => level,
            other => level / signed(other).max(1) * signed(period),
        };
        (self.period, self.tokens) = (period, tokens);
        self.level = self.level.min(self.capacity());
    }

    fn capacity(&self) -> i64 {
        units(self.period, self.tokens)
    }

    pub(crate) fn is_full(&self, now: u64) -> bool {
        let mut it = *self;
        it.refill(now, self.period, self.tokens);
        it.level >= it.capacity()
    }

    /// Whole tokens that are there.
    pub(crate) fn remaining(&self) -> u64 {
        self.level.max(0).unsigned_abs() / self.period.max(1)
    }

    /// Whether there are so many beside what is held.
    pub(crate) fn has_room(&self, needed: u64, held: u64) -> bool {
        self.level.saturating_sub(units(self.period, held)) >= units(self.period, needed)
    }

    pub(crate) fn never_fits(&self, needed: u64) -> bool {
        needed > self.tokens
    }

    /// Milliseconds until there are so many.
    pub(crate) fn wait(&self, needed: u64) -> u64 {
        let lacking = units(self.period, needed).saturating_sub(self.level).max(0);
        lacking.unsigned_abs().div_ceil(self.tokens.max(1))
    }

    /// Takes tokens out, or gives them back.
    pub(crate) fn take(&mut self, n: i64) {
        let units = n.saturating_mul(signed(self.period));
        let least = self.capacity().saturating_mul(-MAX_DEBT_PERIODS);
        self.level = self.level.saturating_sub(units).clamp(least, self.capacity());
    }
}

fn units(period: u64, tokens: u64) -> i64 {
    signed(period).saturating_mul(signed(tokens))
}

fn signed(it: u64) -> i64 {
    i64::try_from(it).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    #[test]
    fn a_bucket_starts_full_and_fills_evenly() {
        let mut it = TokenBucket::new(0, MINUTE, 600);
        assert!(it.has_room(600, 0) && !it.has_room(600, 1) && it.never_fits(601));
        it.take(600);
        assert_eq!((it.remaining(), it.wait(1)), (0, 100));
        it.refill(50, MINUTE, 600);
        assert_eq!((it.remaining(), it.wait(1)), (0, 50));
        it.refill(100, MINUTE, 600);
        assert_eq!((it.remaining(), it.wait(1), it.wait(11)), (1, 0, 1000));
        assert!(!it.is_full(59_999) && it.is_full(60_000));
    }

    #[test]
    fn a_debt_is_paid_back_however_large() {
        let mut it = TokenBucket::new(0, MINUTE, 10);
        it.take(58);
        assert_eq!((it.remaining(), it.wait(1)), (0, 294_000), "longer than a minute");
        it.take(-50);
        assert_eq!((it.remaining(), it.wait(1)), (2, 0));
        it.take(-50);
        assert_eq!(it.remaining(), 10, "never more than the limit");
        it.take(i64::MAX);
        assert_eq!(it.wait(0), 1440 * MINUTE);
        it.refill(u64::MAX, MINUTE, 10);
        assert_eq!(it.remaining(), 10);
    }

    #[test]
    fn a_changed_limit_keeps_what_there_is() {
        let mut it = TokenBucket::new(0, MINUTE, 100);
        it.take(40);
        it.refill(0, MINUTE, 1000);
        assert_eq!(it.remaining(), 60);
        it.refill(0, MINUTE, 30);
        assert_eq!(it.remaining(), 30);
        it.refill(0, MINUTE / 2, 30);
        assert_eq!(it.remaining(), 30);
        let nothing = TokenBucket::new(0, MINUTE, 0);
        assert!(!nothing.has_room(1, 0) && nothing.never_fits(1) && nothing.is_full(0));
    }
}
