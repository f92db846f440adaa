//! The sliding window: when the calls of the last period came.
//!
//! The period is cut into [`N_SLOTS`] − 1 parts. Calls of one part are counted together and all
//! forgotten a period after the *last* of them. So there are never more than `calls` within any
//! stretch as long as the period; room comes back at most one part (3 % of the period) later
//! than with a list of every call, and not later at all when calls are rare.
//!
//! `redis/rates.lua` has the same arithmetic.

use std::collections::VecDeque;

/// Parts that are kept.
pub(crate) const N_SLOTS: usize = 32;

/// The calls of the last period, oldest first. Times are milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    slots: VecDeque<Slot>,
    /// Of all slots.
    total: u64,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    last: u64,
    n: u32,
}

impl Window {
    /// No calls yet. All memory that it will ever need is taken now.
    pub(crate) fn new() -> Window {
        Window { slots: VecDeque::with_capacity(N_SLOTS), total: 0 }
    }

    /// Forgets what is a period old.
    pub(crate) fn forget(&mut self, now: u64, period: u64) {
        while self.slots.front().is_some_and(|it| it.last.saturating_add(period) <= now) {
            let gone = self.slots.pop_front().map_or(0, |it| it.n);
            self.total = self.total.saturating_sub(gone.into());
        }
    }

    /// Whether nothing is left to count.
    pub(crate) fn is_over(&self, now: u64, period: u64) -> bool {
        self.slots.back().is_none_or(|it| it.last.saturating_add(period) <= now)
    }

    /// Calls that count.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Time until there is room for so many calls; zero if there is.
    pub(crate) fn wait(&self, now: u64, period: u64, calls: u32, needed: u32) -> u64 {
        if needed > calls {
            return period;
        }
        let mut over = (self.total() + u64::from(needed)).saturating_sub(u64::from(calls));
        for slot in &self.slots {
            if over == 0 {
                return 0;
            }
            over = over.saturating_sub(u64::from(slot.n));
            if over == 0 {
                return slot.last.saturating_add(period).saturating_sub(now);
            }
        }
        0
    }

    /// Counts calls, whether there is room or not.
    pub(crate) fn add(&mut self, now: u64, period: u64, n: u32) {
        if n == 0 {
            return;
        }
        let part = period.div_ceil(N_SLOTS as u64 - 1).max(1);
        if let Some(newest) = self.slots.back_mut()
            && (newest.last / part >= now / part)
        {
            newest.last = newest.last.max(now);
            let counted = n.min(u32::MAX - newest.n);
            newest.n += counted;
            self.total += u64::from(counted);
            return;
        }
        if self.slots.len() >= N_SLOTS {
            // Only after a period was made longer: two parts become one, and count longer.
            let oldest = self.slots.pop_front().map_or(0, |it| it.n);
            if let Some(next) = self.slots.front_mut() {
                let kept = oldest.min(u32::MAX - next.n);
                next.n += kept;
                self.total -= u64::from(oldest - kept);
            }
        }
        self.slots.push_back(Slot { last: now, n });
        self.total += u64::from(n);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PERIOD: u64 = 62_000;

    /// Takes one call if there is room; gives the wait otherwise.
    fn take(it: &mut Window, now: u64, calls: u32) -> Result<(), u64> {
        it.forget(now, PERIOD);
        match it.wait(now, PERIOD, calls, 1) {
            0 => {
                it.add(now, PERIOD, 1);
                Ok(())
            }
            wait => Err(wait),
        }
    }

    #[test]
    fn a_call_is_forgotten_exactly_a_period_after_it_came() {
        let mut it = Window::new();
        assert_eq!(take(&mut it, 500, 2), Ok(()));
        assert_eq!(take(&mut it, 30_000, 2), Ok(()));
        assert_eq!(take(&mut it, 60_000, 2), Err(2_500));
        assert_eq!(take(&mut it, 62_499, 2), Err(1));
        assert_eq!(take(&mut it, 62_500, 2), Ok(()));
        assert_eq!(take(&mut it, 62_500, 2), Err(29_500));
    }

    #[test]
    fn a_full_burst_is_free_again_when_it_is_a_period_old() {
        let mut it = Window::new();
        for _ in 0..10 {
            assert_eq!(take(&mut it, 1_000, 10), Ok(()));
        }
        assert_eq!(take(&mut it, 1_000, 10), Err(PERIOD));
        assert!(!it.is_over(62_999, PERIOD) && it.is_over(63_000, PERIOD));
        assert_eq!(take(&mut it, 63_000, 10), Ok(()));
        assert_eq!(it.total(), 1);
    }

    #[test]
    fn more_than_the_limit_at_once_never_has_room() {
        let it = Window::new();
        assert_eq!(it.wait(0, PERIOD, 5, 6), PERIOD);
        assert_eq!(it.wait(0, PERIOD, 0, 1), PERIOD);
        assert_eq!(it.wait(0, PERIOD, 5, 5), 0);
    }

    #[test]
    fn a_longer_period_never_makes_more_parts_than_there_are() {
        let mut it = Window::new();
        for at in 0..1_000 {
            it.forget(at * 100, 3_100);
            it.add(at * 100, 3_100, 1);
        }
        for at in 1_000..1_100 {
            it.forget(at * 100, 300_000);
            it.add(at * 100, 1, 1);
            assert!(it.slots.len() <= N_SLOTS);
        }
        assert_eq!(it.total(), 131);
    }

    #[test]
    fn a_clock_that_goes_back_forgets_nothing_and_adds_nothing_twice() {
        let mut it = Window::new();
        it.add(10_000, PERIOD, 3);
        it.add(1_000, PERIOD, 2);
        it.forget(1_000, PERIOD);
        assert_eq!(it.total(), 5);
    }

    proptest! {
        /// Never more than the limit within any period, and never a call refused that a list of
        /// every call would have let pass a part of the period before.
        #[test]
        fn the_limit_holds_within_any_period(
            gaps in proptest::collection::vec(0_u64..9_000, 1..400),
            calls in 1_u32..40,
        ) {
            let (mut it, mut now, mut passed) = (Window::new(), 7_u64, Vec::new());
            let part = PERIOD.div_ceil(N_SLOTS as u64 - 1);
            for gap in gaps {
                now += gap;
                let within = |length: u64| {
                    passed.iter().filter(|at| **at + length > now).count() as u32
                };
                let (exact, late) = (within(PERIOD), within(PERIOD + part));
                match take(&mut it, now, calls) {
                    Ok(()) => {
                        prop_assert!(exact < calls, "{exact} within the period at {now}");
                        passed.push(now);
                    }
                    Err(wait) => {
                        prop_assert!(late >= calls, "refused with {late} of {calls} at {now}");
                        prop_assert!(wait > 0 && wait <= PERIOD);
                        let mut later = it.clone();
                        prop_assert_eq!(take(&mut later, now + wait, calls), Ok(()));
                    }
                }
            }
        }
    }
}
