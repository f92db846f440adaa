//! What a request adds to the gateway's metrics, from its head to the last byte of its answer.

mod series;
mod span;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::StatusCode;
use http_body::Body as _;
use pipeline::{CacheUse, Context, LateError};
use transport::{Body, CallError, Clock, Response};

pub(crate) use self::series::{AllSeries, Errors, GENERATION, RouteSeries, STATE};
pub(crate) use self::span::ServerSpan;
use crate::trail;

/// A request that is being measured. When it is dropped, its series are added to.
pub(crate) struct Measured {
    series: Arc<RouteSeries>,
    clock: Arc<dyn Clock>,
    started: Duration,
    /// Until the head of the answer.
    to_head: Duration,
    backend: Duration,
    n_calls: u32,
    cache: CacheUse,
    status: Option<StatusCode>,
    received: Received,
    n_sent: u64,
    /// Of a policy that stops the answer on its way.
    late_error: Option<LateError>,
    /// Only of a trace that is kept.
    span: Option<Box<ServerSpan>>,
}

/// How much of the request's body came.
enum Received {
    /// Its length was announced.
    Announced(u64),
    /// It is counted on its way.
    Counted(Arc<AtomicU64>),
}

impl Measured {
    /// A request whose head has come; `length` is that of its body, if it was announced.
    pub(crate) fn new(
        series: Arc<RouteSeries>,
        context: &mut Context,
        length: Option<u64>,
    ) -> Measured {
        series.api.active.add(1);
        let clock = Arc::clone(&context.services.clock);
        Measured {
            series,
            started: context.started(),
            clock,
            to_head: Duration::ZERO,
            backend: Duration::ZERO,
            n_calls: 0,
            cache: CacheUse::None,
            status: None,
            received: match length {
                Some(n) => Received::Announced(n),
                None => Received::Counted(context.request.body.count()),
            },
            n_sent: 0,
            late_error: None,
            span: None,
        }
    }

    /// The request has a span.
    pub(crate) fn with_span(mut self, span: Option<ServerSpan>) -> Measured {
        self.span = span.map(Box::new);
        self
    }

    /// The length of a body, if it was announced.
    pub(crate) fn announced(body: &Body) -> Option<u64> {
        body.size_hint().exact()
    }

    /// The pipeline is done: the head of the answer is known. Without a status the client has
    /// gone.
    pub(crate) fn close(&mut self, context: &Context, status: Option<StatusCode>) {
        self.to_head = self.clock.monotonic().saturating_sub(self.started);
        self.backend = context.calls.time;
        self.n_calls = context.calls.count;
        self.cache = context.cache;
        self.status = status;
        self.late_error = context.known_late_error().cloned();
        if let Some(error) = &context.last_error {
            self.series.errors.count(&error.source, error.reason.as_deref().unwrap_or_default());
        }
        if let Some(span) = &mut self.span {
            span.close(status, context.last_error.as_ref());
        }
    }

    /// So much of the answer's body went out.
    pub(crate) fn sent(&mut self, n_bytes: u64) {
        self.n_sent += n_bytes;
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let api = &self.series.api;
        api.active.add(-1);
        api.sent.add(self.n_sent);
        api.received.add(match &self.received {
            Received::Announced(n) => *n,
            Received::Counted(n) => n.load(Relaxed),
        });
        match self.cache {
            CacheUse::None => {}
            CacheUse::Hit => api.hits.add(1),
            CacheUse::Miss => api.misses.add(1),
        }
        if self.n_calls > 1 {
            api.retries.add(u64::from(self.n_calls - 1));
        }
        let total = self.clock.monotonic().saturating_sub(self.started);
        let late = self.late_error.as_ref().and_then(LateError::get);
        if let Some(error) = late {
            self.series.errors.count(&error.source, error.reason.as_deref().unwrap_or_default());
        }
        if let Some(span) = self.span.take() {
            span.end(total, late);
        }
        let Some(class) = self.series.class(self.status) else { return };
        class.requests.add(1);
        class.total.record_duration(total);
        class.own.record_duration(self.to_head.saturating_sub(self.backend));
        if self.n_calls > 0 {
            class.backend.record_duration(self.backend);
        }
    }
}

/// Notes a call to a backend that has ended; none is the entity of a plain URL.
pub(crate) fn called(
    context: &mut Context,
    backend: Option<&str>,
    time: Duration,
    outcome: &Result<Response, CallError>,
) {
    context.calls.count = context.calls.count.saturating_add(1);
    context.calls.time += time;
    let Some((live, api)) = trail::place(context) else { return };
    let series = match backend {
        Some(id) => live.series.backend(id),
        None => Some(&live.series.route(Some(api), None).api.calls),
    };
    let status = outcome.as_ref().ok().map(http::Response::status);
    if let Some(histogram) = series.and_then(|it| it.class(status)) {
        histogram.record_duration(time);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::time::Duration;

    use pipeline::Services;
    use telemetry::Metrics;
    use transport::{Body, CallError, FakeClient, FakeClock, Peer};

    use crate::test_support::{ApiSpec, forwarding, pipeline, snapshot};
    use crate::{Gateway, HttpForward};

    /// What was measured of these calls, the lines of some metrics; the backend takes 30 ms and
    /// the client reads the answer for another 10 ms.
    async fn measured(spec: ApiSpec, requests: &[&str], wanted: &[&str]) -> Vec<String> {
        let clock = Arc::new(FakeClock::at_unix(0));
        let backend = clock.clone();
        let client = FakeClient::new(move |it| {
            backend.advance(Duration::from_millis(30));
            if it.uri.path().ends_with("broken") {
                return Err(CallError::Timeout { after: Duration::ZERO });
            }
            let (sender, body) = Body::channel(2);
            tokio::spawn(async move { sender.send("12345").await });
            Ok(transport::Response::new(body))
        });
        let services =
            Services::new(Arc::new(client), clock.clone(), Arc::new(HttpForward::default()));
        let gateway = Gateway::new(Arc::new(services), None);
        gateway.install(Arc::new(snapshot(&[spec])));
        for request in requests {
            let (method, path) = request.split_once(' ').unwrap();
            let request = http::Request::builder().method(method).uri(path).header("host", "h");
            let request = request.body(Body::full("abc")).unwrap();
            let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
            let answer = gateway.clone().handle(request, peer).await;
            clock.advance(Duration::from_millis(10));
            answer.into_body().collect(1000).await.unwrap();
        }
        let metrics: Arc<Metrics> = gateway.services().extensions().shared();
        let text = metrics.prometheus();
        let is_wanted = |it: &&str| wanted.iter().any(|name| it.starts_with(name));
        text.lines().filter(is_wanted).map(str::to_owned).collect()
    }

    fn shop() -> ApiSpec {
        ApiSpec {
            id: "shop",
            path: "shop",
            operations: &["GET /ok", "GET /broken", "GET /twice"],
            pipeline: forwarding(),
            ..ApiSpec::default()
        }
    }

    #[tokio::test]
    async fn a_streamed_answer_is_measured_to_its_end_and_split() {
        let lines = measured(
            shop(),
            &["GET /shop/ok"],
            &[
                "http_server_request_duration_seconds_sum",
                "portcullis_gateway_duration_seconds_sum",
                "portcullis_backend_duration_seconds_sum",
                "http_client_request_duration_seconds_sum",
                "http_server_active_requests",
                "portcullis_request_body_bytes_total",
                "portcullis_response_body_bytes_total",
            ],
        );
        let of =
            r#"portcullis_api="shop",portcullis_operation="GET /ok",portcullis_status_class="2xx""#;
        assert_eq!(
            lines.await,
            [
                r#"http_client_request_duration_seconds_sum{portcullis_api="shop",portcullis_status_class="2xx"} 0.03"#.to_owned(),
                "http_server_active_requests 0".to_owned(),
                r#"http_server_active_requests{portcullis_api="shop"} 0"#.to_owned(),
                format!(r#"http_server_request_duration_seconds_sum{{http_request_method="GET",http_route="/shop/ok",{of}}} 0.04"#),
                format!("portcullis_backend_duration_seconds_sum{{{of}}} 0.03"),
                format!("portcullis_gateway_duration_seconds_sum{{{of}}} 0"),
                "portcullis_request_body_bytes_total 0".to_owned(),
                r#"portcullis_request_body_bytes_total{portcullis_api="shop"} 3"#.to_owned(),
                "portcullis_response_body_bytes_total 0".to_owned(),
                r#"portcullis_response_body_bytes_total{portcullis_api="shop"} 5"#.to_owned(),
            ]
            .into_iter()
            .collect::<Vec<_>>(),
        );
    }

    #[tokio::test]
    async fn requests_and_errors_are_counted_by_what_became_of_them() {
        let wanted = ["portcullis_requests_total{", "portcullis_errors_total{"];
        let requests = ["GET /shop/ok", "GET /shop/ok", "GET /shop/broken", "GET /none"];
        let lines = measured(shop(), &requests, &wanted);
        assert_eq!(
            lines.await,
            [
                r#"portcullis_errors_total{error_type="OperationNotFound",portcullis_source="configuration"} 1"#,
                r#"portcullis_errors_total{error_type="Timeout",portcullis_source="forward-request"} 1"#,
                r#"portcullis_requests_total{portcullis_api="shop",portcullis_operation="GET /broken",portcullis_status_class="5xx"} 1"#,
                r#"portcullis_requests_total{portcullis_api="shop",portcullis_operation="GET /ok",portcullis_status_class="2xx"} 2"#,
                r#"portcullis_requests_total{portcullis_status_class="4xx"} 1"#,
            ]
        );
    }

    #[tokio::test]
    async fn calls_beyond_the_first_are_retries() {
        let twice = pipeline("<backend><forward-request /><forward-request /></backend>");
        let spec = ApiSpec { pipeline: twice, ..shop() };
        let lines = measured(spec, &["GET /shop/ok"], &["portcullis_backend_retries_total{"]);
        assert_eq!(lines.await, [r#"portcullis_backend_retries_total{portcullis_api="shop"} 1"#]);
    }
}
