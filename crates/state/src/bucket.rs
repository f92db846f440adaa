//! The token bucket: `calls` at once, and then one more every `period / calls`.
//!
//! One call is `period` units (in milliseconds) and `calls` units come back each millisecond, so
//! that all of it is whole numbers. `redis/rates.lua` has the same arithmetic.

/// What is in the bucket. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// Below zero: calls were charged that had no room.
    level: i64,
    at: u64,
    calls: u32,
    period: u64,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(now: u64, period: u64, calls: u32) -> Bucket {
        Bucket { level: capacity(period, calls), at: now, calls, period }
    }

    /// Lets come back what came back since the last time, and takes over a changed limit.
    pub(crate) fn refill(&mut self, now: u64, period: u64, calls: u32) {
        let elapsed = now.saturating_sub(self.at).min(self.period.saturating_mul(2));
        let gained = signed(elapsed).saturating_mul(i64::from(self.calls));
        let level = self.level.saturating_add(gained).min(capacity(self.period, self.calls));
        self.at = self.at.max(now);
        self.level = level;
        if (self.period, self.calls) != (period, calls) {
            let scaled = i128::from(level) * i128::from(period) / i128::from(self.period.max(1));
            let scaled = i64::try_from(scaled).unwrap_or(i64::MAX);
            self.level = scaled.clamp(-capacity(period, calls), capacity(period, calls));
            (self.period, self.calls) = (period, calls);
        }
    }

    /// Whether it is full, so that it need not be kept.
    pub(crate) fn is_full(&self, now: u64) -> bool {
        let mut it = *self;
        it.refill(now, self.period, self.calls);
        it.level >= capacity(self.period, self.calls)
    }

    /// Calls that have room.
    pub(crate) fn remaining(&self) -> u32 {
        u32::try_from(self.level.max(0) / signed(self.period).max(1)).unwrap_or(u32::MAX)
    }

    /// Time until there is room for so many calls; zero if there is.
    pub(crate) fn wait(&self, needed: u32) -> u64 {
        if needed > self.calls {
            return self.period;
        }
        let lacking = capacity(self.period, needed).saturating_sub(self.level).max(0);
        lacking.cast_unsigned().div_ceil(u64::from(self.calls).max(1))
    }

    /// Takes calls out, whether there is room or not; it never owes more than it holds.
    pub(crate) fn add(&mut self, n: u32) {
        let least = -capacity(self.period, self.calls);
        self.level = self.level.saturating_sub(capacity(self.period, n)).max(least);
    }
}

fn capacity(period: u64, calls: u32) -> i64 {
    signed(period).saturating_mul(i64::from(calls))
}

fn signed(it: u64) -> i64 {
    i64::try_from(it).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PERIOD: u64 = 60_000;

    fn take(it: &mut Bucket, now: u64, calls: u32) -> Result<(), u64> {
        it.refill(now, PERIOD, calls);
        match it.wait(1) {
            0 => {
                it.add(1);
                Ok(())
            }
            wait => Err(wait),
        }
    }

    #[test]
    fn calls_at_once_and_then_at_an_even_pace() {
        let mut it = Bucket::new(0, PERIOD, 3);
        for _ in 0..3 {
            assert_eq!(take(&mut it, 0, 3), Ok(()));
        }
        assert_eq!(take(&mut it, 0, 3), Err(20_000));
        assert_eq!(take(&mut it, 19_999, 3), Err(1));
        assert_eq!(take(&mut it, 20_000, 3), Ok(()));
        assert_eq!(take(&mut it, 20_000, 3), Err(20_000));
        assert!(!it.is_full(79_999) && it.is_full(80_000));
    }

    #[test]
    fn what_was_charged_without_room_is_paid_back_within_two_periods() {
        let mut it = Bucket::new(0, PERIOD, 10);
        it.add(u32::MAX);
        assert_eq!((it.remaining(), it.wait(1)), (0, 66_000));
        it.refill(66_000, PERIOD, 10);
        assert_eq!((it.remaining(), it.wait(1)), (1, 0));
    }

    #[test]
    fn a_changed_limit_keeps_what_was_used() {
        let mut it = Bucket::new(0, PERIOD, 10);
        it.add(9);
        it.refill(0, PERIOD / 2, 10);
        assert_eq!(it.remaining(), 1);
        it.refill(0, PERIOD, 5);
        assert_eq!(it.remaining(), 1);
        assert_eq!(it.wait(6), PERIOD);
    }

    proptest! {
        /// Within any stretch: what the bucket holds, and what came back meanwhile.
        #[test]
        fn no_more_than_a_bucket_and_what_came_back(
            gaps in proptest::collection::vec(0_u64..9_000, 1..300),
            calls in 1_u32..40,
        ) {
            let (mut it, mut now, mut passed) = (Bucket::new(0, PERIOD, calls), 0_u64, Vec::new());
            for gap in gaps {
                now += gap;
                match take(&mut it, now, calls) {
                    Ok(()) => passed.push(now),
                    Err(wait) => {
                        let mut later = it;
                        prop_assert_eq!(take(&mut later, now + wait, calls), Ok(()));
                        let mut early = it;
                        prop_assert!(take(&mut early, now + wait - 1, calls).is_err());
                    }
                }
            }
            for (i, from) in passed.iter().enumerate() {
                for (n, to) in passed.iter().skip(i).enumerate() {
                    let most = u64::from(calls) + (to - from) * u64::from(calls) / PERIOD;
                    prop_assert!((n as u64) < most, "{} in {} ms", n + 1, to - from);
                }
            }
        }
    }
}
