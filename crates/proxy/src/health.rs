//! Whether the gateway lives and is ready: for load balancers and orchestrators.
//!
//! | Path | Where | Meaning |
//! |---|---|---|
//! | `/status-0123456789abcdef` | gateway | 200 once a configuration is loaded |
//! | `/internal-status-0123456789abcdef` | gateway | 200 when ready, else 503 |
//! | `/livez`, `/healthz/live` | admin | 200 while the process runs |
//! | `/readyz`, `/healthz/ready` | admin | 200 when ready, else 503; says why |
//! | `/metrics` | admin | what was measured, in Prometheus' text format or OpenMetrics |
//!
//! Source: <https://learn.microsoft.com/azure/api-management/self-hosted-gateway-migration-guide>

use std::future::{Future, ready};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use telemetry::{Metrics, TextFormat};
use transport::{Body, Peer, Request, Response, Service};

use crate::Gateway;

const STATUS: &str = "/status-0123456789abcdef";
const INTERNAL_STATUS: &str = "/internal-status-0123456789abcdef";

/// The state of the gateway as a whole.
#[derive(Debug, Default)]
pub struct Health {
    is_loaded: AtomicBool,
    is_draining: AtomicBool,
    /// Why the last change of the configuration was not taken; the one before it still runs.
    problem: RwLock<Option<String>>,
    /// Where the configuration comes from, if that is shared with other gateways.
    store: RwLock<Option<StoreState>>,
}

/// How the gateway stands to the store that it shares its configuration with others through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreState {
    /// The version that is known here.
    pub version: String,
    /// Where it comes from: the store, or a local copy.
    pub from: &'static str,
    /// Why it may not be the last one.
    pub problem: Option<String>,
}

impl Health {
    /// A configuration is in place.
    pub(crate) fn loaded(&self) {
        self.is_loaded.store(true, Relaxed);
        self.refused(None);
    }

    /// Notes why a change of the configuration was not taken. It does not make the gateway
    /// unready, but readiness tells of it. `None` takes the note back.
    pub fn refused(&self, problem: Option<String>) {
        *self.problem.write().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// Notes how the gateway stands to the store of its configuration. One that is away does not
    /// make the gateway unready: it serves what it knows, and readiness tells of it.
    pub fn store(&self, state: StoreState) {
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// From now on the gateway is not ready: it is about to stop.
    pub fn drain(&self) {
        self.is_draining.store(true, Relaxed);
    }

    /// Whether requests should be sent here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_loaded.load(Relaxed) && !self.is_draining.load(Relaxed)
    }

    /// One word, and why, as JSON.
    fn describe(&self) -> String {
        let word = match (self.is_draining.load(Relaxed), self.is_loaded.load(Relaxed)) {
            (true, _) => "draining",
            (false, false) => "starting",
            (false, true) => "ready",
        };
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut told = format!("{{ \"status\": \"{word}\"");
        if let Some(problem) = &*self.problem.read().unwrap_or_else(PoisonError::into_inner) {
            told.push_str(&format!(", \"lastReload\": {}", quoted(problem)));
        }
        if let Some(store) = &*self.store.read().unwrap_or_else(PoisonError::into_inner) {
            let StoreState { version, from, problem } = store;
            let version = quoted(version);
            told.push_str(&format!(", \"store\": {{ \"version\": {version}, \"from\": \"{from}\""));
            if let Some(problem) = problem {
                told.push_str(&format!(", \"problem\": {}", quoted(problem)));
            }
            told.push_str(" }");
        }
        told + " }"
    }
}

/// The answer to the paths that Azure's gateways reserve; before routing and policies.
pub(crate) fn on_gateway(health: &Health, request: &Request) -> Option<Response> {
    let path = request.uri().path();
    // Two comparisons of lengths and one of bytes for all other requests.
    let is_up = match path {
        STATUS => health.is_loaded.load(Relaxed),
        INTERNAL_STATUS => health.is_ready(),
        _ => return None,
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    Some(if is_up {
        text(StatusCode::OK, "Service Operational")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
    })
}

/// What the admin listener serves.
#[derive(Debug)]
pub struct AdminService(Arc<Gateway>);

impl AdminService {
    /// The admin side of a gateway.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>) -> Arc<Self> {
        Arc::new(Self(gateway))
    }

    fn answer(&self, request: &Request) -> Response {
        let is_live = match request.uri().path() {
            "/livez" | "/healthz/live" => true,
            "/readyz" | "/healthz/ready" => false,
            "/metrics" if *request.method() == Method::GET => return self.metrics(request),
            _ => return text(StatusCode::NOT_FOUND, "Not Found"),
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        if is_live {
            return text(StatusCode::OK, "live");
        }
        let health = self.0.health();
        let status =
            if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut answer = text(status, health.describe());
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }
}

impl AdminService {
    fn metrics(&self, request: &Request) -> Response {
        let metrics: Arc<Metrics> = self.0.services().extensions().shared();
        let accept = request.headers().get(ACCEPT).and_then(|it| it.to_str().ok());
        let format = TextFormat::accepted(accept.unwrap_or_default());
        let mut answer = text(StatusCode::OK, format.write(&metrics.points()));
        let kind = HeaderValue::from_static(format.content_type());
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    }
}

impl Service for AdminService {
    fn call(
        self: Arc<Self>,
        request: Request,
        _: Arc<Peer>,
    ) -> impl Future<Output = Response> + Send + 'static {
        ready(self.answer(&request))
    }
}

fn text(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use transport::{Body, Request, Response};

    use super::{AdminService, Health, on_gateway};
    use crate::test_support::gateway;

    fn get(path: &str) -> Request {
        http::Request::builder().uri(path).body(Body::empty()).unwrap()
    }

    fn show(response: &Response) -> String {
        let body = response.body().as_bytes().unwrap();
        format!("{} {}", response.status().as_u16(), body.escape_ascii())
    }

    #[test]
    fn the_gateways_own_paths_follow_its_state() {
        let health = Health::default();
        let ask = |path| on_gateway(&health, &get(path)).map(|it| show(&it));
        let both = || [super::STATUS, super::INTERNAL_STATUS].map(|it| ask(it).unwrap());

        assert_eq!(both(), ["503 Service Unavailable", "503 Service Unavailable"]);
        health.loaded();
        assert_eq!(both(), ["200 Service Operational", "200 Service Operational"]);
        health.drain();
        assert_eq!(both(), ["200 Service Operational", "503 Service Unavailable"]);
        assert_eq!(ask("/status-0123456789abcdeg"), None);
    }

    #[test]
    fn the_admin_listener_tells_why() {
        let gateway = gateway(&[], None);
        let admin = AdminService::new(gateway.clone());
        let ask = |path| show(&admin.answer(&get(path)));

        assert_eq!(ask("/livez"), "200 live");
        assert_eq!(ask("/readyz"), r#"200 { \"status\": \"ready\" }"#);
        gateway.health().refused(Some("api.json:3: no \"path\"".to_owned()));
        assert!(ask("/healthz/ready").contains("lastReload"));
        gateway.health().refused(None);
        let store = |problem: Option<&str>| super::StoreState {
            version: "7".to_owned(),
            from: "copy",
            problem: problem.map(str::to_owned),
        };
        gateway.health().store(store(None));
        let shown = r#"200 { "status": "ready", "store": { "version": "7", "from": "copy" } }"#;
        assert_eq!(ask("/readyz").replace('\\', ""), shown);
        gateway.health().store(store(Some("a \"b\" is away")));
        assert!(ask("/readyz").contains("is away"));
        gateway.health().drain();
        assert!(ask("/readyz").starts_with("503 { \\\"status\\\": \\\"draining\\\""));
        assert_eq!(ask("/metric"), "404 Not Found");
    }

    #[test]
    fn the_admin_listener_shows_what_was_measured() {
        let gateway = gateway(&[], None);
        let metrics: std::sync::Arc<telemetry::Metrics> = gateway.services().extensions().shared();
        metrics.measure(telemetry::Series::new("n", "calls", []), 2.5);
        let answer = AdminService::new(gateway).answer(&get("/metrics"));

        assert!(show(&answer).contains("n_calls_sum 2.5"), "{}", show(&answer));
        assert!(answer.headers()["content-type"].to_str().unwrap().contains("version=0.0.4"));
    }
}
