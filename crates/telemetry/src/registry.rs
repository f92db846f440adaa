//! The gateway's own metrics: families of series, each series a cell.
//!
//! Names and units are OpenTelemetry's. A metric has at most [`MAX_SERIES_PER_METRIC`] series;
//! what comes beyond is counted together, in a series with `otel.metric.overflow="true"`.
//!
//! Source: <https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits>

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::instrument::{AnyCell, Cell};
use crate::points::{Data, Labels, MetricPoints};

/// Most series of one metric, besides the one for what is beyond; OpenTelemetry's default.
pub const MAX_SERIES_PER_METRIC: usize = 2000;
/// Longest value of a label; what is longer is cut.
pub const MAX_LABEL_BYTES: usize = 256;
/// The label of the series for what is beyond the bound.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";

/// A metric of the gateway: what it is called and what it counts.
#[derive(Debug)]
pub struct Metric<C> {
    /// OpenTelemetry's name, such as `http.server.request.duration`.
    pub name: &'static str,
    /// A unit of UCUM: `s`, `By`, `1`, `{token}`.
    pub unit: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Of a histogram: upper bounds in the unit.
    pub bounds: &'static [f64],
    cell: PhantomData<fn() -> C>,
}

impl<C> Metric<C> {
    /// A metric without buckets.
    #[must_use]
    pub const fn new(name: &'static str, unit: &'static str, help: &'static str) -> Metric<C> {
        Metric { name, unit, help, bounds: &[], cell: PhantomData }
    }

    /// With these upper bounds of buckets.
    #[must_use]
    pub const fn bounds(self, bounds: &'static [f64]) -> Metric<C> {
        Metric { bounds, ..self }
    }
}

/// All families.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    families: Mutex<BTreeMap<&'static str, Family>>,
    observers: Mutex<Vec<Observer>>,
}

#[derive(Debug)]
struct Family {
    unit: &'static str,
    help: &'static str,
    series: BTreeMap<Labels, AnyCell>,
    overflow: Option<AnyCell>,
}

/// Values that are looked up when somebody asks.
struct Observer {
    name: &'static str,
    unit: &'static str,
    help: &'static str,
    look: Box<Look>,
}

type Look = dyn Fn() -> Vec<(Labels, f64)> + Send + Sync;

impl Registry {
    /// The cell of a series; made if it is not there.
    pub(crate) fn series<C: Cell>(&self, metric: &Metric<C>, labels: &[(&str, &str)]) -> Arc<C> {
        let mut families = self.families();
        let family = families.entry(metric.name).or_insert_with(|| Family {
            unit: metric.unit,
            help: metric.help,
            series: BTreeMap::new(),
            overflow: None,
        });
        let labels = Labels::new(labels);
        let make = || C::empty(metric.unit, metric.bounds);
        if let Some(cell) = family.series.get(&labels) {
            // Two metrics of one name and different kinds: the second is not shown.
            return C::unwrap(cell).unwrap_or_else(make);
        }
        if family.series.len() >= MAX_SERIES_PER_METRIC {
            family.series.retain(|_, cell| !cell.is_forgotten());
        }
        if family.series.len() >= MAX_SERIES_PER_METRIC {
            if family.overflow.is_none() {
                let metric = metric.name;
                tracing::warn!(metric, "there are too many series: the rest are counted as one");
            }
            let cell = family.overflow.get_or_insert_with(|| C::wrap(make()));
            return C::unwrap(cell).unwrap_or_else(make);
        }
        let cell = make();
        family.series.insert(labels, C::wrap(Arc::clone(&cell)));
        cell
    }

    /// Looks values up whenever somebody asks.
    pub(crate) fn observe<C>(
        &self,
        metric: &Metric<C>,
        look: impl Fn() -> Vec<(Labels, f64)> + Send + Sync + 'static,
    ) {
        let look = Box::new(look);
        let it = Observer { name: metric.name, unit: metric.unit, help: metric.help, look };
        self.observers.lock().unwrap_or_else(PoisonError::into_inner).push(it);
    }

    /// What was counted so far, in the order of names.
    pub(crate) fn points(&self) -> Vec<MetricPoints> {
        let families = self.families();
        let mut all: Vec<MetricPoints> = families.iter().map(|it| points(it.0, it.1)).collect();
        drop(families);
        for it in &*self.observers.lock().unwrap_or_else(PoisonError::into_inner) {
            let mut series = (it.look)();
            series.sort_by(|(a, _), (b, _)| a.cmp(b));
            series.truncate(MAX_SERIES_PER_METRIC);
            if !series.is_empty() {
                all.push(MetricPoints::own(it.name, it.unit, it.help, Data::Gauge(series)));
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are shown as floating-point numbers")]
fn points(name: &'static str, family: &Family) -> MetricPoints {
    let beyond = family.overflow.iter().map(|it| (Labels::new(&[(OVERFLOW, "true")]), it));
    let all = family.series.iter().map(|(labels, it)| (labels.clone(), it)).chain(beyond);
    let (mut counters, mut gauges, mut histograms) = (Vec::new(), Vec::new(), Vec::new());
    for (labels, cell) in all {
        match cell {
            AnyCell::Counter(it) => counters.push((labels, it.get())),
            AnyCell::Gauge(it) => gauges.push((labels, it.get() as f64)),
            AnyCell::Histogram(it) => histograms.push((labels, it.buckets())),
        }
    }
    let data = match (counters.is_empty(), gauges.is_empty()) {
        (false, _) => Data::Counter(counters),
        (true, false) => Data::Gauge(gauges),
        (true, true) => Data::Histogram(histograms),
    };
    MetricPoints::own(name, family.unit, family.help, data)
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observer({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::{Counter, Gauge, Histogram};

    const CALLS: Metric<Counter> = Metric::new("calls", "1", "Calls.");

    fn sums(registry: &Registry) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        for it in registry.points() {
            if let Data::Counter(series) = it.data {
                found.extend(series.into_iter().map(|(labels, n)| (labels.to_string(), n)));
            }
        }
        found
    }

    #[test]
    fn a_series_is_one_cell_whatever_the_order_of_its_labels() {
        let registry = Registry::default();
        let first = registry.series(&CALLS, &[("a", "1"), ("b", "2")]);
        first.add(1);
        registry.series(&CALLS, &[("b", "2"), ("a", "1")]).add(2);
        registry.series(&CALLS, &[]).add(4);
        assert_eq!(sums(&registry), [("".to_owned(), 4), ("a=1,b=2".to_owned(), 3)]);
    }

    #[test]
    fn beyond_the_bound_all_is_counted_in_one_series() {
        let registry = Registry::default();
        let mut held = Vec::new();
        for n in 0..MAX_SERIES_PER_METRIC + 5 {
            let cell = registry.series(&CALLS, &[("n", &n.to_string())]);
            cell.add(1);
            held.push(cell);
        }
        registry.series(&CALLS, &[("n", "0")]).add(1);
        let sums = sums(&registry);
        assert_eq!(sums.len(), MAX_SERIES_PER_METRIC + 1);
        assert_eq!(sums.last().unwrap(), &("otel.metric.overflow=true".to_owned(), 5));
        assert!(sums.contains(&("n=0".to_owned(), 2)));
    }

    #[test]
    fn series_that_nobody_holds_make_room() {
        let registry = Registry::default();
        let kept = registry.series(&CALLS, &[("n", "kept")]);
        for n in 0..MAX_SERIES_PER_METRIC {
            registry.series(&CALLS, &[("n", &n.to_string())]).add(1);
        }
        kept.add(9);
        assert_eq!(sums(&registry).len(), 2, "the one that is held and the last");
        assert!(sums(&registry).contains(&("n=kept".to_owned(), 9)));
    }

    #[test]
    fn kinds_keep_apart_and_observed_values_are_looked_up() {
        const OPEN: Metric<Gauge> = Metric::new("open", "1", "");
        const TIME: Metric<Histogram> = Metric::new("time", "s", "").bounds(&[1.0]);
        let registry = Registry::default();
        registry.series(&TIME, &[]).record_duration(std::time::Duration::from_millis(1500));
        registry.observe(&OPEN, || vec![(Labels::new(&[("b", "x")]), 2.0)]);
        let clash: Metric<Counter> = Metric::new("time", "s", "");
        registry.series(&clash, &[]).add(1);
        let [open, time] = registry.points().try_into().unwrap();
        assert_eq!(open.data, Data::Gauge(vec![(Labels::new(&[("b", "x")]), 2.0)]));
        let Data::Histogram(series) = time.data else { panic!("{time:?}") };
        assert_eq!((series[0].1.counts.as_slice(), series[0].1.sum), (&[0, 1][..], 1.5));
    }
}
