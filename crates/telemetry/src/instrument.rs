//! Counters, gauges and histograms that many threads add to without waiting for each other.
//!
//! A cell is found once, when the configuration loads or a series is first used, and kept: adding
//! to it is a few atomic additions, without a lock, a look-up or an allocation.
//!
//! Source: <https://opentelemetry.io/docs/specs/otel/metrics/data-model/>

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Nanoseconds of a second: durations are summed as whole nanoseconds.
const NANOS: f64 = 1e9;

/// Only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// Goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

/// How often values fell between bounds, and their sum.
#[derive(Debug)]
pub struct Histogram {
    /// Upper bounds, inclusive, in what [`Histogram::record`] takes.
    bounds: Box<[u64]>,
    /// One more than bounds: the last is for what is above all.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
    /// How many of what is recorded make one of the metric's unit.
    per_unit: f64,
}

/// What a histogram has counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// Upper bounds, inclusive, in the metric's unit.
    pub bounds: Vec<f64>,
    /// How many values fell into each bucket; one more than bounds.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: f64,
}

impl Buckets {
    /// How many values there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Counter {
    /// Adds.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// The sum.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Gauge {
    /// Adds; a negative number goes down.
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// Replaces the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Relaxed);
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

impl Histogram {
    /// Of whole numbers, such as tokens or bytes.
    #[must_use]
    pub fn of_numbers(bounds: &[f64]) -> Histogram {
        Histogram::new(bounds, 1.0)
    }

    /// Of durations, whose bounds are in seconds.
    #[must_use]
    pub fn of_durations(bounds: &[f64]) -> Histogram {
        Histogram::new(bounds, NANOS)
    }

    fn new(bounds: &[f64], per_unit: f64) -> Histogram {
        // Bounds are small positive numbers: the conversion saturates and loses nothing that counts.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and bounds are small"
        )]
        let bounds: Box<[u64]> = bounds.iter().map(|it| (it * per_unit).round() as u64).collect();
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram { bounds, counts, sum: AtomicU64::new(0), per_unit }
    }

    /// Counts a number; of a histogram of durations it is in nanoseconds.
    pub fn record(&self, value: u64) {
        self.record_many(value, 1);
    }

    /// Counts a number several times.
    pub fn record_many(&self, value: u64, n: u64) {
        let bucket = self.bounds.iter().position(|it| value <= *it).unwrap_or(self.bounds.len());
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(n, Relaxed);
        }
        self.sum.fetch_add(value.saturating_mul(n), Relaxed);
    }

    /// Counts a duration.
    pub fn record_duration(&self, value: Duration) {
        self.record(u64::try_from(value.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What was counted so far.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sums are shown as floating-point numbers")]
    pub fn buckets(&self) -> Buckets {
        Buckets {
            bounds: self.bounds.iter().map(|it| *it as f64 / self.per_unit).collect(),
            counts: self.counts.iter().map(|it| it.load(Relaxed)).collect(),
            sum: self.sum.load(Relaxed) as f64 / self.per_unit,
        }
    }
}

/// A cell of any kind, as a family of series holds it.
#[derive(Clone, Debug)]
pub(crate) enum AnyCell {
    Counter(Arc<Counter>),
    Gauge(Arc<Gauge>),
    Histogram(Arc<Histogram>),
}

impl AnyCell {
    /// Whether nobody but the family holds it.
    pub(crate) fn is_forgotten(&self) -> bool {
        match self {
            AnyCell::Counter(it) => Arc::strong_count(it) == 1,
            AnyCell::Gauge(it) => Arc::strong_count(it) == 1,
            AnyCell::Histogram(it) => Arc::strong_count(it) == 1,
        }
    }
}

/// A kind of cell.
pub trait Cell: Sized + Sealed {
    /// A cell that has counted nothing.
    #[doc(hidden)]
    fn empty(unit: &str, bounds: &[f64]) -> Arc<Self>;
}

/// Only the kinds of this file are cells.
pub trait Sealed: Sized {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: nobody outside can call it")]
    fn wrap(this: Arc<Self>) -> AnyCell;
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: nobody outside can call it")]
    fn unwrap(cell: &AnyCell) -> Option<Arc<Self>>;
}

macro_rules! cell {
    ($name:ident, $make:expr) => {
        impl Cell for $name {
            fn empty(unit: &str, bounds: &[f64]) -> Arc<Self> {
                let make: fn(&str, &[f64]) -> $name = $make;
                Arc::new(make(unit, bounds))
            }
        }

        impl Sealed for $name {
            #[expect(private_interfaces, reason = "sealed: nobody outside can call it")]
            fn wrap(this: Arc<Self>) -> AnyCell {
                AnyCell::$name(this)
            }

            #[expect(private_interfaces, reason = "sealed: nobody outside can call it")]
            fn unwrap(cell: &AnyCell) -> Option<Arc<Self>> {
                match cell {
                    AnyCell::$name(it) => Some(Arc::clone(it)),
                    _ => None,
                }
            }
        }
    };
}

cell!(Counter, |_, _| Counter::default());
cell!(Gauge, |_, _| Gauge::default());
cell!(Histogram, |unit, bounds| match unit {
    "s" => Histogram::of_durations(bounds),
    _ => Histogram::of_numbers(bounds),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_first_bucket_that_holds_it() {
        let it = Histogram::of_numbers(&[1.0, 10.0]);
        for value in [0, 1, 2, 10, 11] {
            it.record(value);
        }
        it.record_many(5, 3);
        let expected = Buckets { bounds: vec![1.0, 10.0], counts: vec![2, 5, 1], sum: 39.0 };
        assert_eq!(it.buckets(), expected);
        assert_eq!(it.buckets().count(), 8);
    }

    #[test]
    fn durations_are_shown_in_seconds() {
        let it = Histogram::of_durations(&[0.005, 0.25, 81.92]);
        it.record_duration(Duration::from_millis(5));
        it.record_duration(Duration::from_micros(5001));
        it.record_duration(Duration::from_secs(90));
        let buckets = it.buckets();
        assert_eq!(buckets.bounds, [0.005, 0.25, 81.92]);
        assert_eq!(buckets.counts, [1, 1, 0, 1]);
        assert!((buckets.sum - 90.010_001).abs() < 1e-9);
    }

    #[test]
    fn gauges_go_down_and_counters_do_not() {
        let (counter, gauge) = (Counter::default(), Gauge::default());
        counter.add(2);
        gauge.add(2);
        gauge.add(-3);
        assert_eq!((counter.get(), gauge.get()), (2, -1));
        gauge.set(7);
        assert_eq!(gauge.get(), 7);
    }
}
