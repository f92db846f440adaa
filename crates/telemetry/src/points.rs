//! What was measured at one moment, for those who show it or send it on.

use std::borrow::Cow;
use std::fmt;

use crate::instrument::Buckets;
use crate::metrics::Total;
use crate::registry::MAX_LABEL_BYTES;

/// What tells the series of a metric apart: pairs in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Vec<(String, String)>);

/// A metric and its series.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricPoints {
    /// Azure's namespace of a metric that a policy emits; none for the gateway's own.
    pub namespace: Option<String>,
    /// The name, as it was given.
    pub name: Cow<'static, str>,
    /// A unit of UCUM; empty if there is none.
    pub unit: &'static str,
    /// One sentence, perhaps empty.
    pub help: &'static str,
    /// The series.
    pub data: Data,
}

/// The series of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Sums that only grow.
    Counter(Vec<(Labels, u64)>),
    /// Values that go up and down.
    Gauge(Vec<(Labels, f64)>),
    /// Distributions.
    Histogram(Vec<(Labels, Buckets)>),
    /// How many measurements there were, and their sum.
    Summary(Vec<(Labels, Total)>),
}

impl Labels {
    /// Labels in any order; values longer than [`MAX_LABEL_BYTES`] are cut, empty ones are left
    /// out.
    #[must_use]
    pub fn new(pairs: &[(&str, &str)]) -> Labels {
        let cut = |it: &str| it[..it.floor_char_boundary(MAX_LABEL_BYTES)].to_owned();
        let filled = pairs.iter().filter(|(_, value)| !value.is_empty());
        let mut all: Vec<_> =
            filled.map(|(name, value)| ((*name).to_owned(), cut(value))).collect();
        all.sort();
        Labels(all)
    }

    /// Labels that are cut and sorted.
    pub(crate) fn of_sorted(pairs: Vec<(String, String)>) -> Labels {
        Labels(pairs)
    }

    /// The pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl MetricPoints {
    pub(crate) fn own(
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        data: Data,
    ) -> MetricPoints {
        MetricPoints { namespace: None, name: Cow::Borrowed(name), unit, help, data }
    }
}

impl fmt::Display for Labels {
    /// `a=1,b=2`, for tests and messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_cut_and_never_empty() {
        let long = "é".repeat(MAX_LABEL_BYTES);
        let labels = Labels::new(&[("b", ""), ("c", &format!("x{long}")), ("a", "1")]);
        let found: Vec<_> = labels.iter().map(|(name, value)| (name, value.len())).collect();
        assert_eq!(found, [("a", 1), ("c", MAX_LABEL_BYTES - 1)]);
    }
}
