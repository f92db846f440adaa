//! Measurements of this process, in a bounded number of series; shown in Prometheus' text format.
//!
//! A series is a metric with one value for each of its dimensions. New series beyond
//! [`MAX_SERIES`] are not kept: their measurements are counted as dropped and the first is logged.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most series of a process.
pub const MAX_SERIES: usize = 4096;
/// Longest value of a dimension; what is longer is cut.
pub const MAX_DIMENSION_BYTES: usize = 256;

/// How many measurements were dropped because there were too many series.
const DROPPED: &str = "portcullis_measurements_dropped_total";

/// What was measured since the process started.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    series: HashMap<Series, Total>,
    counters: BTreeMap<&'static str, u64>,
    n_dropped: u64,
}

/// Which series a measurement belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    namespace: String,
    name: String,
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
    /// A series; long values of dimensions are cut to [`MAX_DIMENSION_BYTES`].
    #[must_use]
    pub fn new(
        namespace: impl Into<String>,
        name: impl Into<String>,
        dimensions: impl IntoIterator<Item = (String, String)>,
    ) -> Series {
        let cut = |(name, mut value): (String, String)| {
            value.truncate(value.floor_char_boundary(MAX_DIMENSION_BYTES));
            (name, value)
        };
        let mut dimensions: Vec<_> = dimensions.into_iter().map(cut).collect();
        dimensions.sort();
        Series { namespace: namespace.into(), name: name.into(), dimensions }
    }
}

impl Metrics {
    /// Adds a measurement.
    pub fn measure(&self, series: Series, value: f64) {
        let mut all = self.all();
        let is_full = all.series.len() >= MAX_SERIES;
        match all.series.get_mut(&series) {
            Some(total) => total.add(value),
            None if is_full => {
                all.n_dropped += 1;
                if all.n_dropped == 1 {
                    let metric = &series.name;
                    tracing::warn!(metric, "there are too many series: measurements are dropped");
                }
            }
            None => {
                all.series.insert(series, Total { count: 1, sum: value });
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

    /// Everything, in Prometheus' text format 0.0.4: counters, and a summary without quantiles
    /// for each metric.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        let all = self.all();
        let own = all.counters.iter().map(|(name, count)| (*name, *count));
        for (name, count) in own.chain([(DROPPED, all.n_dropped)]) {
            let _ = writeln!(text, "# TYPE {name} counter\n{name} {count}");
        }
        // Different names may become the same one: their measurements go together.
        let mut summaries: BTreeMap<String, BTreeMap<String, Total>> = BTreeMap::new();
        for (series, total) in &all.series {
            let labels = summaries.entry(series.metric_name()).or_default();
            labels.entry(series.labels()).or_default().merge(*total);
        }
        drop(all);
        for (name, series) in summaries {
            let _ = writeln!(text, "# TYPE {name} summary");
            for (labels, Total { count, sum }) in series {
                let _ = writeln!(text, "{name}_sum{labels} {sum}\n{name}_count{labels} {count}");
            }
        }
        text
    }

    /// What a series came to; for tests and other exporters.
    #[must_use]
    pub fn total(&self, series: &Series) -> Option<Total> {
        self.all().series.get(series).copied()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Total {
    fn add(&mut self, value: f64) {
        self.merge(Total { count: 1, sum: value });
    }

    fn merge(&mut self, other: Total) {
        self.count += other.count;
        self.sum += other.sum;
    }
}

impl Series {
    fn metric_name(&self) -> String {
        identifier(&format!("{}_{}", self.namespace, self.name))
    }

    /// `{a="1",b="2"}`; nothing without dimensions. Of two that become the same name, the last
    /// one stays.
    fn labels(&self) -> String {
        let labels: BTreeMap<String, &str> =
            self.dimensions.iter().map(|(name, value)| (identifier(name), &**value)).collect();
        if labels.is_empty() {
            return String::new();
        }
        let pairs: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        format!("{{{}}}", pairs.join(","))
    }
}

/// A name that Prometheus takes: letters, digits and `_`, not starting with a digit.
fn identifier(name: &str) -> String {
    let is_fine = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut text: String = name.chars().map(|it| if is_fine(it) { it } else { '_' }).collect();
    if text.starts_with(|it: char| it.is_ascii_digit()) || text.is_empty() {
        text.insert(0, '_');
    }
    text
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
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
            "# TYPE portcullis_things_total counter\nportcullis_things_total 2\n\
             # TYPE portcullis_measurements_dropped_total counter\n\
             portcullis_measurements_dropped_total 0\n\
             # TYPE API_Management_Requests summary\nAPI_Management_Requests_sum 1\n\
             API_Management_Requests_count 1\n\
             # TYPE API_Management_Tokens summary\n\
             API_Management_Tokens_sum{API_ID=\"a\\\"b\\\\c\\nd\",_1st=\"\"} 2.5\n\
             API_Management_Tokens_count{API_ID=\"a\\\"b\\\\c\\nd\",_1st=\"\"} 1\n"
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
    fn the_number_of_series_is_bounded_and_the_rest_is_counted() {
        let metrics = Metrics::default();
        for n in 0..MAX_SERIES + 5 {
            metrics.measure(series("m", &[("n", &n.to_string())]), 1.0);
        }
        metrics.measure(series("m", &[("n", "0")]), 1.0);

        assert_eq!(metrics.total(&series("m", &[("n", "0")])).unwrap().count, 2);
        assert_eq!(metrics.total(&series("m", &[("n", &MAX_SERIES.to_string())])), None);
        assert!(metrics.prometheus().contains("portcullis_measurements_dropped_total 5\n"));
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "é".repeat(MAX_DIMENSION_BYTES);
        let it = series("m", &[("a", &format!("x{long}"))]);
        assert_eq!(it.dimensions[0].1.len(), MAX_DIMENSION_BYTES - 1);
    }
}
