//! How soon a backend answers: for pools that choose by that. Beyond Azure.
//!
//! A moving average of the time to the first byte. It fades while nothing is measured, so that a
//! backend that was slow is tried again, and calls on their way count as if each had to be waited
//! for. A call that failed counts as a long one: what fails fast must not draw calls to itself.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The share of a new measurement.
const SHARE: f64 = 0.3;
/// In this time without a measurement the average halves.
const HALF_LIFE: Duration = Duration::from_secs(10);
/// What a failed call counts at least.
const FAILED: Duration = Duration::from_secs(5);
/// What a backend costs that nothing is known of, so that weights and calls on their way count.
const LEAST: f64 = 1e-6;

/// What is known of one backend; kept over reloads. A measurement that is lost to another one at
/// the same time is no harm.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    /// In nanoseconds; 0: nothing is known.
    average: AtomicU64,
    /// When it was measured, in nanoseconds of the monotonic clock.
    at: AtomicU64,
    n_waiting: AtomicU32,
}

impl Latency {
    /// A call begins.
    pub(crate) fn begin(&self) {
        self.n_waiting.fetch_add(1, Relaxed);
    }

    /// A call that has begun ends without a measurement.
    pub(crate) fn give_up(&self) {
        self.n_waiting.fetch_sub(1, Relaxed);
    }

    /// A call that has begun ends.
    pub(crate) fn measure(&self, took: Duration, is_good: bool, now: Duration) {
        self.give_up();
        let took = if is_good { took } else { took.max(FAILED) };
        let average = match self.average.load(Relaxed) {
            0 => took.as_secs_f64(),
            _ => self.faded(now) * (1.0 - SHARE) + took.as_secs_f64() * SHARE,
        };
        let nanos = Duration::try_from_secs_f64(average).unwrap_or_default().as_nanos();
        self.average.store(u64::try_from(nanos).unwrap_or(u64::MAX).max(1), Relaxed);
        self.at.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// What it costs to send one more call there.
    pub(crate) fn cost(&self, weight: u32, now: Duration) -> f64 {
        let n_calls = f64::from(self.n_waiting.load(Relaxed)) + 1.0;
        (self.faded(now) + LEAST) * n_calls / f64::from(weight.max(1))
    }

    /// The average in seconds, less for the time that has passed.
    fn faded(&self, now: Duration) -> f64 {
        let average = Duration::from_nanos(self.average.load(Relaxed)).as_secs_f64();
        let at = Duration::from_nanos(self.at.load(Relaxed));
        let half_lives = now.saturating_sub(at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        average * (-half_lives).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn measured(times: &[(u64, bool)]) -> Latency {
        let it = Latency::default();
        for (milliseconds, is_good) in times {
            it.begin();
            it.measure(Duration::from_millis(*milliseconds), *is_good, SECOND);
        }
        it
    }

    #[test]
    fn the_average_follows_what_is_measured_and_fades() {
        let cost = |it: &Latency, now| (it.cost(1, now) * 1000.0).round();
        assert_eq!(cost(&Latency::default(), SECOND), 0.0);
        assert_eq!(cost(&measured(&[(100, true)]), SECOND), 100.0);
        assert_eq!(cost(&measured(&[(100, true), (200, true)]), SECOND), 130.0);
        assert_eq!(cost(&measured(&[(100, true)]), SECOND + HALF_LIFE), 50.0);
        assert!(cost(&measured(&[(1, false)]), SECOND) >= 5000.0, "failing fast is not answering");
    }

    #[test]
    fn weight_divides_and_calls_on_their_way_multiply() {
        let it = measured(&[(90, true)]);
        it.begin();
        it.begin();
        let of = |weight| (it.cost(weight, SECOND) * 1000.0).round();
        assert_eq!((of(1), of(3), of(0)), (270.0, 90.0, 270.0));
        it.give_up();
        assert_eq!(of(1), 180.0);
    }
}
