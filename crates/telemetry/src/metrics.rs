//! Measurements of this process, in a bounded number of series.
//!
//! ```text
//! gateway:  Metric ─▶ Metrics::series ─▶ Arc<Counter> and others, kept ─▶ add (no lock)
//! policies: Series ─▶ Metrics::measure (a short lock)
//! both ─▶ Metrics::points ─▶ TextFormat::write, OTLP
//! ```
//!
//! A series is a metric with one value for each of its dimensions. A metric has at most
//! [`MAX_SERIES_PER_METRIC`] series and the process at most [`MAX_SERIES`] that policies made;
//! what is beyond the first bound is summed in a series of its own, and what is beyond the second
//! is dropped and counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::instrument::Cell;
use crate::points::{Data, Labels, MetricPoints};
use crate::prometheus::TextFormat;
use crate::registry::{MAX_LABEL_BYTES, MAX_SERIES_PER_METRIC, Metric, OVERFLOW, Registry};

/// Most series that policies make.
pub const MAX_SERIES: usize = 20_000;

/// How many measurements were dropped because there were too many series.
const DROPPED: &str = "portcullis_measurements_dropped_total";

/// What was measured since the process started.
#[derive(Debug, Default)]
pub struct Metrics {
    own: Registry,
    emitted: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    /// By namespace and name, then by dimensions.
    metrics: HashMap<(String, String), HashMap<Dimensions, Total>>,
    n_series: usize,
    counters: BTreeMap<&'static str, u64>,
    n_dropped: u64,
}

/// Names and values, sorted.
type Dimensions = Vec<(String, String)>;

/// Which series a measurement belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    metric: (String, String),
    dimensions: Vec<(String, String)>,
}

/// All measurements of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// How many there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

impl Series {
    /// A series; long values of dimensions are cut to [`MAX_LABEL_BYTES`].
    #[must_use]
    pub fn new(
        namespace: impl Into<String>,
        name: impl Into<String>,
        dimensions: impl IntoIterator<Item = (String, String)>,
    ) -> Series {
        let cut = |(name, mut value): (String, String)| {
            value.truncate(value.floor_char_boundary(MAX_LABEL_BYTES));
            (name, value)
        };
        let mut dimensions: Vec<_> = dimensions.into_iter().map(cut).collect();
        dimensions.sort();
        Series { metric: (namespace.into(), name.into()), dimensions }
    }
}

impl Metrics {
    /// The cell of one of the gateway's own series; made if it is not there. Keep it: finding it
    /// takes a lock.
    #[must_use]
    pub fn series<C: Cell>(&self, metric: &Metric<C>, labels: &[(&str, &str)]) -> Arc<C> {
        self.own.series(metric, labels)
    }

    /// Shows values that are looked up whenever somebody asks.
    pub fn observe<C>(
        &self,
        metric: &Metric<C>,
        look: impl Fn() -> Vec<(Labels, f64)> + Send + Sync + 'static,
    ) {
        self.own.observe(metric, look);
    }

    /// Adds a measurement of a policy.
    pub fn measure(&self, series: Series, value: f64) {
        let mut all = self.all();
        let All { metrics, n_series, n_dropped, .. } = &mut *all;
        let is_full = *n_series >= MAX_SERIES;
        let name = &series.metric.1;
        let Some(known) = metrics.get_mut(&series.metric) else {
            if is_full {
                return drop_one(n_dropped, name);
            }
            let first = HashMap::from([(series.dimensions, Total { count: 1, sum: value })]);
            metrics.insert(series.metric, first);
            *n_series += 1;
            return;
        };
        let dimensions = match known.contains_key(&series.dimensions) {
            false if known.len() >= MAX_SERIES_PER_METRIC => {
                vec![(OVERFLOW.to_owned(), "true".to_owned())]
            }
            _ => series.dimensions,
        };
        match known.get_mut(&dimensions) {
            Some(total) => total.add(value),
            None if is_full => drop_one(n_dropped, name),
            None => {
                known.insert(dimensions, Total { count: 1, sum: value });
                *n_series += 1;
            }
        }
    }

    /// Adds one to a counter of the gateway's own, whose name ends with `_total`.
    pub fn count(&self, name: &'static str) {
        self.add(name, 1);
    }

    /// Adds to a counter of the gateway's own, whose name ends with `_total`.
    pub fn add(&self, name: &'static str, n: u64) {
        *self.all().counters.entry(name).or_default() += n;
    }

    /// Everything that was measured so far.
    #[must_use]
    pub fn points(&self) -> Vec<MetricPoints> {
        let mut points = self.own.points();
        let all = self.all();
        let counters = all.counters.iter().map(|(name, count)| (*name, *count));
        for (name, count) in counters.chain([(DROPPED, all.n_dropped)]) {
            let data = Data::Counter(vec![(Labels::default(), count)]);
            points.push(MetricPoints::own(name, "", "", data));
        }
        for ((namespace, name), series) in &all.metrics {
            let labels = |it: &Vec<(String, String)>| Labels::of_sorted(it.clone());
            let mut series: Vec<_> = series.iter().map(|it| (labels(it.0), *it.1)).collect();
            series.sort_by(|(a, _), (b, _)| a.cmp(b));
            points.push(MetricPoints {
                namespace: Some(namespace.clone()),
                name: name.clone().into(),
                unit: "",
                help: "",
                data: Data::Summary(series),
            });
        }
        points
    }

    /// Everything, in Prometheus' text format 0.0.4.
    #[must_use]
    pub fn prometheus(&self) -> String {
        TextFormat::Prometheus.write(&self.points())
    }

    /// What a series came to; for tests.
    #[must_use]
    pub fn total(&self, series: &Series) -> Option<Total> {
        self.all().metrics.get(&series.metric)?.get(&series.dimensions).copied()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.emitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_one(n_dropped: &mut u64, metric: &str) {
    *n_dropped += 1;
    if *n_dropped == 1 {
        tracing::warn!(metric, "there are too many series: measurements are dropped");
    }
}

impl Total {
    fn add(&mut self, value: f64) {
        self.merge(Total { count: 1, sum: value });
    }

    pub(crate) fn merge(&mut self, other: Total) {
        self.count += other.count;
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, dimensions: &[(&str, &str)]) -> Series {
        let dimensions = dimensions.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Series::new("API Management", name, dimensions)
    }

    #[test]
    fn measurements_of_a_series_are_summed() {
        let metrics = Metrics::default();
        metrics.measure(series("Tokens", &[("API ID", "a"), ("User", "b")]), 3.0);
        metrics.measure(series("Tokens", &[("User", "b"), ("API ID", "a")]), 4.5);
        metrics.measure(series("Tokens", &[("API ID", "c")]), 1.0);

        let total = metrics.total(&series("Tokens", &[("API ID", "a"), ("User", "b")]));
        assert_eq!(total, Some(Total { count: 2, sum: 7.5 }));
        assert_eq!(metrics.total(&series("Requests", &[])), None);
    }

    #[test]
    fn the_text_is_that_of_prometheus() {
        let metrics = Metrics::default();
        metrics.measure(series("Tokens", &[("API ID", "a\"b\\c\nd"), ("1st", "")]), 2.5);
        metrics.measure(series("Requests", &[]), 1.0);
        metrics.count("portcullis_things_total");
        metrics.count("portcullis_things_total");

        assert_eq!(
            metrics.prometheus(),
            "# TYPE API_Management_Requests summary\nAPI_Management_Requests_sum 1\n\
             API_Management_Requests_count 1\n\
             # TYPE API_Management_Tokens summary\n\
             API_Management_Tokens_sum{API_ID=\"a\\\"b\\\\c\\nd\",_1st=\"\"} 2.5\n\
             API_Management_Tokens_count{API_ID=\"a\\\"b\\\\c\\nd\",_1st=\"\"} 1\n\
             # TYPE portcullis_measurements_dropped_total counter\n\
             portcullis_measurements_dropped_total 0\n\
             # TYPE portcullis_things_total counter\nportcullis_things_total 2\n"
        );
    }

    #[test]
    fn names_that_become_the_same_go_together() {
        let metrics = Metrics::default();
        metrics.measure(series("a b", &[]), 1.0);
        metrics.measure(series("a-b", &[("x y", "1"), ("x-y", "2")]), 1.0);
        metrics.measure(series("a_b", &[]), 1.0);

        let text = metrics.prometheus();
        assert!(text.contains("API_Management_a_b_count 2\n"), "{text}");
        assert_eq!(text.matches("# TYPE API_Management_a_b ").count(), 1);
        assert_eq!(text.matches("x_y=").count(), 2);
    }

    #[test]
    fn a_metric_has_a_bounded_number_of_series_and_the_rest_is_one() {
        let metrics = Metrics::default();
        for n in 0..MAX_SERIES_PER_METRIC + 5 {
            metrics.measure(series("m", &[("n", &n.to_string())]), 1.0);
        }
        metrics.measure(series("m", &[("n", "0")]), 1.0);

        assert_eq!(metrics.total(&series("m", &[("n", "0")])).unwrap().count, 2);
        let beyond = MAX_SERIES_PER_METRIC.to_string();
        assert_eq!(metrics.total(&series("m", &[("n", &beyond)])), None);
        let rest = metrics.total(&series("m", &[(OVERFLOW, "true")]));
        assert_eq!(rest, Some(Total { count: 5, sum: 5.0 }));
    }

    #[test]
    fn the_number_of_all_series_is_bounded_and_the_rest_is_counted() {
        let metrics = Metrics::default();
        for n in 0..MAX_SERIES + 5 {
            metrics.measure(series(&format!("m{n}"), &[]), 1.0);
        }
        metrics.measure(series("m0", &[]), 1.0);
        metrics.measure(series("m0", &[("new", "1")]), 1.0);
        assert_eq!(metrics.total(&series("m0", &[])).unwrap().count, 2);
        assert!(metrics.prometheus().contains("portcullis_measurements_dropped_total 6\n"));
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "é".repeat(MAX_LABEL_BYTES);
        let it = series("m", &[("a", &format!("x{long}"))]);
        assert_eq!(it.dimensions[0].1.len(), MAX_LABEL_BYTES - 1);
    }
}
