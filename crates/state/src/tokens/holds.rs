//! What calls hold that have not settled yet, forgotten by and by.
//!
//! Holds stand in slots of time, so that what a dead gateway held goes away with its slot.
//! `redis/tokens.lua` has the same slots.

use std::time::Duration;

/// How long a slot takes holds in.
pub(crate) const SLOT: Duration = Duration::from_secs(300);
/// Slots that count: the newest and those before it.
pub(crate) const N_SLOTS: usize = 3;

/// What is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds([(u64, u64); N_SLOTS]);

impl Holds {
    /// The slot of a moment.
    pub(crate) fn slot(now_ms: u64) -> u64 {
        now_ms / u64::try_from(SLOT.as_millis()).unwrap_or(u64::MAX)
    }

    /// All that is held.
    pub(crate) fn total(&self, now_slot: u64) -> u64 {
        let counts = self.0.iter().filter(|(slot, _)| counts(*slot, now_slot));
        counts.fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }

    pub(crate) fn add(&mut self, now_slot: u64, n: u64) {
        // A slot that no longer counts makes place for the new one.
        let same = self.0.iter().position(|(slot, _)| *slot == now_slot);
        let is_free = |(slot, n): &(u64, u64)| *n == 0 || !counts(*slot, now_slot);
        let place = same.or_else(|| self.0.iter().position(is_free));
        let place = place.unwrap_or_else(|| oldest(&self.0));
        if let Some(entry) = self.0.get_mut(place) {
            let before = if same.is_some() { entry.1 } else { 0 };
            *entry = (now_slot, before.saturating_add(n));
        }
    }

    /// Lets go. A hold that was forgotten is not let go of twice.
    pub(crate) fn release(&mut self, slot: u64, n: u64) {
        if let Some(entry) = self.0.iter_mut().find(|it| it.0 == slot) {
            entry.1 = entry.1.saturating_sub(n);
        }
    }
}

fn counts(slot: u64, now_slot: u64) -> bool {
    slot.saturating_add(N_SLOTS as u64) > now_slot
}

fn oldest(slots: &[(u64, u64); N_SLOTS]) -> usize {
    let by_slot = slots.iter().enumerate().min_by_key(|(_, (slot, _))| *slot);
    by_slot.map_or(0, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_add_up_and_are_let_go_of() {
        let mut it = Holds::default();
        it.add(7, 5);
        it.add(7, 6);
        it.add(8, 1);
        assert_eq!(it.total(8), 12);
        it.release(7, 6);
        it.release(8, 9);
        assert_eq!(it.total(8), 5);
    }

    #[test]
    fn a_hold_that_is_never_settled_is_forgotten() {
        let mut it = Holds::default();
        for slot in 0..10 {
            it.add(slot, 1);
            assert_eq!(it.total(slot), (slot + 1).min(3), "{slot}");
        }
        assert_eq!((it.total(10), it.total(11), it.total(12)), (2, 1, 0));
        it.release(3, 1);
        assert_eq!(it.total(9), 3, "that one is forgotten already");
        assert_eq!(Holds::slot(599_999), 1);
    }
}
