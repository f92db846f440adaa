//! The series of a snapshot: found when it is put in place, so that a request only adds to them.
//!
//! | Metric | Labels |
//! |---|---|
//! | `portcullis.requests` | API, operation, class of the status |
//! | `http.server.request.duration` | the same, method and route |
//! | `portcullis.gateway.duration`, `portcullis.backend.duration` | API, operation, class |
//! | `http.server.active_requests`, `portcullis.request.body`, `portcullis.response.body` | API |
//! | `portcullis.cache.lookups` | API, outcome |
//! | `portcullis.backend.retries` | API |
//! | `http.client.request.duration` | backend entity or, for a plain URL, API; class |
//! | `portcullis.errors` | source and reason of `context.LastError` |
//! | `portcullis.backend.state` | backend entity |
//!
//! Source: <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use config::{Api, Operation, Snapshot};
use http::StatusCode;
use telemetry::{Counter, Gauge, Histogram, Metric, Metrics};

/// Bounds that the HTTP conventions give for durations, in seconds; longer ones added for models.
const SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
    120.0,
];
/// Bounds for the gateway's own part, in seconds.
const OWN_SECONDS: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

const REQUESTS: Metric<Counter> =
    Metric::new("portcullis.requests", "{request}", "Requests, by class of the answer's status.");
const TOTAL: Metric<Histogram> = Metric::new(
    "http.server.request.duration",
    "s",
    "From the arrival of a request's head to the last byte of the answer.",
)
.bounds(SECONDS);
const OWN: Metric<Histogram> = Metric::new(
    "portcullis.gateway.duration",
    "s",
    "From the arrival of a request's head to the head of the answer, without the backends' part.",
)
.bounds(OWN_SECONDS);
const BACKEND: Metric<Histogram> = Metric::new(
    "portcullis.backend.duration",
    "s",
    "Time of a request until the heads of its backends' answers.",
)
.bounds(SECONDS);
const ACTIVE: Metric<Gauge> = Metric::new(
    "http.server.active_requests",
    "{request}",
    "Requests that are not yet answered to the last byte.",
);
const RECEIVED: Metric<Counter> =
    Metric::new("portcullis.request.body", "By", "Bytes of the bodies of requests.");
const SENT: Metric<Counter> =
    Metric::new("portcullis.response.body", "By", "Bytes of the bodies of answers.");
const LOOKUPS: Metric<Counter> =
    Metric::new("portcullis.cache.lookups", "{lookup}", "Looks into the response cache.");
const RETRIES: Metric<Counter> = Metric::new(
    "portcullis.backend.retries",
    "{call}",
    "Calls to backends beyond the first of a request.",
);
const CALLS: Metric<Histogram> = Metric::new(
    "http.client.request.duration",
    "s",
    "From a call to a backend to the head of its answer.",
)
.bounds(SECONDS);
const ERRORS: Metric<Counter> = Metric::new(
    "portcullis.errors",
    "{error}",
    "Failures of requests, by the policy or built-in step that failed and its reason.",
);
/// 0 closed, 2 open.
pub(crate) const STATE: Metric<Gauge> = Metric::new(
    "portcullis.backend.state",
    "1",
    "State of a backend's circuit breaker: 0 closed, 2 open.",
);
/// How many snapshots were put in place.
pub(crate) const GENERATION: Metric<Gauge> =
    Metric::new("portcullis.config.generation", "1", "How many configurations were put in place.");

/// Classes of a status; the first is for requests whose client was gone before there was one.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The series of a snapshot.
#[derive(Debug)]
pub(crate) struct AllSeries {
    apis: Vec<ApiRoutes>,
    nowhere: Arc<RouteSeries>,
    backends: HashMap<String, CallSeries>,
}

#[derive(Debug)]
struct ApiRoutes {
    operations: Vec<Arc<RouteSeries>>,
    /// For what matches no operation, and for preflights.
    none: Arc<RouteSeries>,
}

/// The series of one operation.
#[derive(Debug)]
pub(crate) struct RouteSeries {
    pub(crate) api: Arc<ApiSeries>,
    pub(crate) errors: Arc<Errors>,
    metrics: Arc<Metrics>,
    /// Of API and operation, route and method.
    labels: [String; 4],
    classes: [OnceLock<ClassSeries>; CLASSES.len()],
}

/// The series that an API's operations share.
#[derive(Debug)]
pub(crate) struct ApiSeries {
    pub(crate) active: Arc<Gauge>,
    pub(crate) received: Arc<Counter>,
    pub(crate) sent: Arc<Counter>,
    pub(crate) hits: Arc<Counter>,
    pub(crate) misses: Arc<Counter>,
    pub(crate) retries: Arc<Counter>,
    /// Calls that go to no backend entity.
    pub(crate) calls: CallSeries,
}

/// The series of an operation's answers of one class.
#[derive(Debug)]
pub(crate) struct ClassSeries {
    pub(crate) requests: Arc<Counter>,
    pub(crate) total: Arc<Histogram>,
    pub(crate) own: Arc<Histogram>,
    pub(crate) backend: Arc<Histogram>,
}

/// The series of calls to one backend.
#[derive(Debug)]
pub(crate) struct CallSeries {
    metrics: Arc<Metrics>,
    label: (&'static str, String),
    classes: [OnceLock<Arc<Histogram>>; CLASSES.len()],
}

/// Failures by source and reason: few, but not known before they happen. Finding one that has
/// happened before takes no lock.
#[derive(Debug)]
pub(crate) struct Errors {
    metrics: Arc<Metrics>,
    known: ArcSwap<HashMap<String, HashMap<String, Arc<Counter>>>>,
}

/// Most pairs of source and reason that are kept at hand.
const MAX_ERRORS: usize = 500;

impl AllSeries {
    pub(crate) fn new(snapshot: &Snapshot, metrics: &Arc<Metrics>, errors: &Arc<Errors>) -> Self {
        let api = |api: &Api| {
            let series = Arc::new(ApiSeries::new(&api.info.id, metrics));
            let route = |labels| Arc::new(RouteSeries::new(&series, metrics, errors, labels));
            let id = || api.info.id.clone();
            let operation = |it: &Operation| {
                let info = &it.operation.info;
                let method = if info.method == "*" { "_OTHER" } else { &info.method };
                let path = format!("/{}{}", api.base_path(), info.url_template);
                route([id(), info.id.clone(), path, method.to_owned()])
            };
            ApiRoutes {
                operations: api.operations.iter().map(operation).collect(),
                none: route([id(), String::new(), String::new(), String::new()]),
            }
        };
        let nowhere = Arc::new(ApiSeries::new("", metrics));
        let call = |id: &String| (id.clone(), CallSeries::new("portcullis.backend", id, metrics));
        Self {
            apis: snapshot.apis.iter().map(api).collect(),
            nowhere: Arc::new(RouteSeries::new(&nowhere, metrics, errors, Default::default())),
            backends: snapshot.backends.keys().map(call).collect(),
        }
    }

    /// The series of an operation by its place; of the API alone, or of no API.
    pub(crate) fn route(&self, api: Option<usize>, operation: Option<usize>) -> &Arc<RouteSeries> {
        let Some(api) = api.and_then(|it| self.apis.get(it)) else { return &self.nowhere };
        operation.and_then(|it| api.operations.get(it)).unwrap_or(&api.none)
    }

    /// Calls to a backend entity.
    pub(crate) fn backend(&self, id: &str) -> Option<&CallSeries> {
        self.backends.get(id)
    }
}

impl ApiSeries {
    fn new(id: &str, metrics: &Arc<Metrics>) -> Self {
        let api = ("portcullis.api", id);
        let looked = |outcome| metrics.series(&LOOKUPS, &[api, ("portcullis.outcome", outcome)]);
        Self {
            active: metrics.series(&ACTIVE, &[api]),
            received: metrics.series(&RECEIVED, &[api]),
            sent: metrics.series(&SENT, &[api]),
            hits: looked("hit"),
            misses: looked("miss"),
            retries: metrics.series(&RETRIES, &[api]),
            calls: CallSeries::new("portcullis.api", id, metrics),
        }
    }
}

impl RouteSeries {
    fn new(
        api: &Arc<ApiSeries>,
        metrics: &Arc<Metrics>,
        errors: &Arc<Errors>,
        labels: [String; 4],
    ) -> Self {
        Self {
            api: Arc::clone(api),
            errors: Arc::clone(errors),
            metrics: Arc::clone(metrics),
            labels,
            classes: Default::default(),
        }
    }

    /// The series of answers with this status; made when the first such answer is given.
    pub(crate) fn class(&self, status: Option<StatusCode>) -> Option<&ClassSeries> {
        let (class, name) = class(status);
        Some(self.classes.get(class)?.get_or_init(|| {
            let [api, operation, route, method] = &self.labels;
            let labels = [
                ("portcullis.api", api.as_str()),
                ("portcullis.operation", operation),
                ("portcullis.status_class", name),
                ("http.route", route),
                ("http.request.method", method),
            ];
            let [api, operation, class, ..] = labels;
            let short = [api, operation, class];
            ClassSeries {
                requests: self.metrics.series(&REQUESTS, &short),
                total: self.metrics.series(&TOTAL, &labels),
                own: self.metrics.series(&OWN, &short),
                backend: self.metrics.series(&BACKEND, &short),
            }
        }))
    }
}

impl CallSeries {
    fn new(label: &'static str, id: &str, metrics: &Arc<Metrics>) -> Self {
        let label = (label, id.to_owned());
        Self { metrics: Arc::clone(metrics), label, classes: Default::default() }
    }

    /// The series of calls with this outcome; none is a call without an answer.
    pub(crate) fn class(&self, status: Option<StatusCode>) -> Option<&Arc<Histogram>> {
        let (class, name) = class(status);
        Some(self.classes.get(class)?.get_or_init(|| {
            let labels = [(self.label.0, self.label.1.as_str()), ("portcullis.status_class", name)];
            self.metrics.series(&CALLS, &labels)
        }))
    }
}

fn class(status: Option<StatusCode>) -> (usize, &'static str) {
    let class = status.map_or(0, |it| usize::from(it.as_u16() / 100));
    // Statuses beyond 599 are the backend's own and count as its failures.
    let class = class.min(CLASSES.len() - 1);
    (class, CLASSES.get(class).copied().unwrap_or_default())
}

impl Errors {
    pub(crate) fn new(metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), known: ArcSwap::default() }
    }

    pub(crate) fn count(&self, source: &str, reason: &str) {
        let known = self.known.load();
        if let Some(counter) = known.get(source).and_then(|it| it.get(reason)) {
            return counter.add(1);
        }
        let counter =
            self.metrics.series(&ERRORS, &[("portcullis.source", source), ("error.type", reason)]);
        counter.add(1);
        if known.values().map(HashMap::len).sum::<usize>() < MAX_ERRORS {
            self.known.rcu(|old| {
                let mut new = HashMap::clone(old);
                let reasons = new.entry(source.to_owned()).or_default();
                reasons.insert(reason.to_owned(), Arc::clone(&counter));
                new
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{ApiSpec, snapshot};

    fn series(metrics: &Arc<Metrics>) -> AllSeries {
        let spec = ApiSpec {
            id: "shop",
            path: "shop",
            operations: &["GET /items/{id}", "* /x"],
            ..ApiSpec::default()
        };
        AllSeries::new(&snapshot(&[spec]), metrics, &Arc::new(Errors::new(metrics)))
    }

    #[test]
    fn a_series_is_shown_once_there_was_such_an_answer() {
        let metrics = Arc::<Metrics>::default();
        let all = series(&metrics);
        assert!(!metrics.prometheus().contains("portcullis_requests_total"));
        for (api, operation, status) in [
            (Some(0), Some(0), Some(StatusCode::OK)),
            (Some(0), Some(0), Some(StatusCode::CREATED)),
            (Some(0), Some(1), None),
            (Some(0), None, Some(StatusCode::NOT_FOUND)),
            (None, None, StatusCode::from_u16(799).ok()),
            (Some(9), Some(9), StatusCode::from_u16(500).ok()),
        ] {
            all.route(api, operation).class(status).unwrap().requests.add(1);
        }
        let text = metrics.prometheus();
        let found: Vec<&str> =
            text.lines().filter(|it| it.starts_with("portcullis_requests_total{")).collect();
        assert_eq!(
            found,
            [
                r#"portcullis_requests_total{portcullis_api="shop",portcullis_operation="* /x",portcullis_status_class="none"} 1"#,
                r#"portcullis_requests_total{portcullis_api="shop",portcullis_operation="GET /items/{id}",portcullis_status_class="2xx"} 2"#,
                r#"portcullis_requests_total{portcullis_api="shop",portcullis_status_class="4xx"} 1"#,
                r#"portcullis_requests_total{portcullis_status_class="5xx"} 2"#,
            ]
        );
        assert!(text.contains(r#"http_route="/shop/items/{id}""#), "{text}");
    }

    #[test]
    fn a_reload_goes_on_with_the_same_series() {
        let metrics = Arc::<Metrics>::default();
        let of = |all: &AllSeries| {
            Arc::clone(&all.route(Some(0), Some(0)).class(Some(StatusCode::OK)).unwrap().requests)
        };
        let (first, second) = (series(&metrics), series(&metrics));
        assert!(Arc::ptr_eq(&of(&first), &of(&second)));
    }

    #[test]
    fn errors_are_counted_by_source_and_reason() {
        let metrics = Arc::<Metrics>::default();
        let errors = Errors::new(&metrics);
        errors.count("rate-limit", "RateLimitExceeded");
        errors.count("rate-limit", "RateLimitExceeded");
        for n in 0..MAX_ERRORS + 10 {
            errors.count("made-up", &n.to_string());
        }
        assert_eq!(errors.known.load().values().map(HashMap::len).sum::<usize>(), MAX_ERRORS);
        let text = metrics.prometheus();
        let expected = r#"portcullis_errors_total{error_type="RateLimitExceeded",portcullis_source="rate-limit"} 2"#;
        assert!(text.contains(expected), "{text}");
    }
}
