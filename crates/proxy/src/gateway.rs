//! The gateway: what it runs on now, and the way in.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use aws_lc_rs::hmac;
use config::Snapshot;
use pipeline::{Background, Services};
use state::BreakerStore;
use telemetry::{AccessLog, Labels, Metrics, Outbox};
use transport::{Peer, Request, Response, Service};

use crate::access::Keys;
use crate::backend::sharing::{self, Link};
use crate::backend::{BackendTokens, BreakerState, Targets, check};
use crate::driver;
use crate::health::{self, Health};
use crate::measure::{AllSeries, Errors, GENERATION, STATE};
use crate::router::Router;

/// Answers requests with the snapshot that is in place when they arrive.
pub struct Gateway {
    live: ArcSwapOption<Live>,
    services: Arc<Services>,
    access_log: Option<Arc<AccessLog>>,
    background: Arc<Background>,
    health: Health,
    metrics: Arc<Metrics>,
    errors: Arc<Errors>,
    /// Where spans go, if any are sent.
    outbox: Option<Arc<Outbox>>,
    /// Signs what clients are told of the members of pools.
    session_key: hmac::Key,
    /// How breakers are shared with other gateways, if they are.
    link: OnceLock<Arc<Link>>,
}

/// A snapshot with the tables that are made over it.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) router: Router,
    pub(crate) keys: Keys,
    pub(crate) targets: Targets,
    pub(crate) series: AllSeries,
}

impl Live {
    fn new(snapshot: Arc<Snapshot>, before: Option<&Live>, gateway: &Gateway) -> Self {
        let before = before.map(|it| &it.targets);
        let (key, link) = (&gateway.session_key, gateway.link.get());
        Self {
            router: Router::new(&snapshot),
            keys: Keys::new(&snapshot),
            targets: Targets::new(&snapshot, before, key, link),
            series: AllSeries::new(&snapshot, &gateway.metrics, &gateway.errors),
            snapshot,
        }
    }
}

impl Gateway {
    /// A gateway without configuration: it answers 503 until one is [installed](Self::install).
    /// The services must forward by [`HttpForward`](crate::HttpForward).
    #[must_use]
    pub fn new(services: Arc<Services>, access_log: Option<Arc<AccessLog>>) -> Arc<Self> {
        let mut key = [0; 32];
        services.random(&mut key);
        let metrics: Arc<Metrics> = services.extensions().shared();
        let gateway = Arc::new(Self {
            session_key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            link: OnceLock::new(),
            live: ArcSwapOption::empty(),
            background: services.extensions().shared(),
            access_log,
            health: Health::default(),
            errors: Arc::new(Errors::new(&metrics)),
            outbox: services.extension(),
            metrics,
            services,
        });
        let own = Arc::downgrade(&gateway);
        gateway.metrics.observe(&STATE, move || {
            own.upgrade().map(|it| it.breaker_gauges()).unwrap_or_default()
        });
        gateway
    }

    /// Every backend with a breaker: 0 closed, 2 open.
    fn breaker_gauges(&self) -> Vec<(Labels, f64)> {
        let live = self.live.load();
        let Some(live) = live.as_ref() else { return Vec::new() };
        let breakers = live.targets.breakers(self.services.clock.monotonic());
        let labels = |id| Labels::new(&[("portcullis.backend", id)]);
        breakers.map(|(id, open)| (labels(id), if open { 2.0 } else { 0.0 })).collect()
    }

    /// Puts a snapshot in place. Requests that have begun go on with the one they began with.
    pub fn install(&self, snapshot: Arc<Snapshot>) {
        let before = self.live.load_full();
        let live = Live::new(snapshot, before.as_deref(), self);
        self.metrics.series(&GENERATION, &[]).add(1);
        self.live.store(Some(Arc::new(live)));
        self.health.loaded();
    }

    /// The snapshot in place.
    #[must_use]
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.live.load().as_ref().map(|it| it.snapshot.clone())
    }

    pub(crate) fn live(&self) -> Option<Arc<Live>> {
        self.live.load_full()
    }

    /// Shares the circuit breakers of all later snapshots with other gateways. What it gives has
    /// to run, beside the requests, as long as the gateway does.
    pub fn share_breakers(
        self: &Arc<Self>,
        store: Arc<dyn BreakerStore>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let link = Arc::clone(self.link.get_or_init(Arc::default));
        sharing::keep_alike(Arc::downgrade(self), store, link, self.services.clock.clone())
    }

    /// Runs the health checks of the backends that have one. What it gives has to run, beside the
    /// requests, as long as the gateway does.
    pub fn check_health(
        self: &Arc<Self>,
        tokens: Option<Arc<dyn BackendTokens>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (gateway, clock) = (Arc::downgrade(self), self.services.clock.clone());
        async move {
            loop {
                let Some(gateway) = gateway.upgrade() else { return };
                let rest = gateway.live().map(|live| {
                    check::begin_due(&live.targets, &gateway.services, tokens.as_ref())
                });
                drop(gateway);
                clock.sleep(rest.unwrap_or(check::LONGEST_REST)).await;
            }
        }
    }

    /// How the backends stand that have circuit breakers or health checks: for metrics. Looks at
    /// each of them once.
    #[must_use]
    pub fn breaker_states(&self) -> Vec<BreakerState> {
        let now = self.services.clock.monotonic();
        self.live().map(|it| sharing::states(&it.targets, now)).unwrap_or_default()
    }

    /// What the gateway tells of itself.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// What outlives requests and snapshots.
    #[must_use]
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Answers one request. If the future is dropped, the call to the backend ends with it.
    pub async fn handle(self: Arc<Self>, request: Request, peer: Arc<Peer>) -> Response {
        if let Some(answer) = health::on_gateway(&self.health, &request) {
            return answer;
        }
        let Some(live) = self.live.load_full() else { return driver::not_loaded() };
        let access_log = self.access_log.as_ref();
        let outbox = self.outbox.as_ref();
        driver::prepare(live, &self.services, access_log, outbox, request, peer).run().await
    }
}

impl Service for Gateway {
    fn call(
        self: Arc<Self>,
        request: Request,
        peer: Arc<Peer>,
    ) -> impl Future<Output = Response> + Send + 'static {
        self.handle(request, peer)
    }

    async fn settled(self: Arc<Self>) {
        self.background.settled().await;
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("health", &self.health).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::time::Duration;

    use config::{ApiKind, Backend, Credentials, Settings, Snapshot, SubscriptionScope};
    use http::{HeaderName, HeaderValue, StatusCode};
    use pipeline::{BackendEntry, Backends, BaseUrl, Services};
    use telemetry::{AccessLog, Sink};
    use transport::{
        Body, CallError, ClientTls, FakeClient, Peer, RecordedRequest, Request, SystemClock,
    };

    use super::Gateway;
    use crate::HttpForward;
    use crate::test_support::{ApiSpec, forwarding, gateway, pipeline, snapshot, subscription};

    /// A request, its head written as on the wire.
    fn request(text: &str, body: Body) -> Request {
        let mut lines = text.lines().map(str::trim);
        let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
        let mut request = http::Request::builder().method(method).uri(url);
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        request.header("host", "gw.test:8443").body(body).unwrap()
    }

    /// Status, headers that matter and body of the answer.
    async fn ask(gateway: &Arc<Gateway>, text: &str) -> String {
        ask_with(gateway, text, Body::empty()).await
    }

    async fn ask_with(gateway: &Arc<Gateway>, text: &str, body: Body) -> String {
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9))));
        let answer = gateway.clone().handle(request(text, body), peer).await;
        let (head, body) = answer.into_parts();
        let mut shown = head.status.as_u16().to_string();
        for name in ["content-type", "www-authenticate", "x-out", "location", "content-length"] {
            if let Some(value) = head.headers.get(name) {
                shown += &format!(" {name}={}", value.to_str().unwrap());
            }
        }
        let body = body.collect(1 << 20).await.unwrap();
        format!("{shown} | {}", String::from_utf8_lossy(&body))
    }

    fn shop() -> ApiSpec {
        ApiSpec {
            id: "shop",
            path: "shop",
            operations: &["GET /items/{id}", "POST /items"],
            pipeline: forwarding(),
            ..ApiSpec::default()
        }
    }

    fn answering() -> FakeClient {
        FakeClient::new(|_| {
            let mut response = transport::Response::new(Body::full("from backend"));
            let headers = response.headers_mut();
            headers.insert("x-out", HeaderValue::from_static("1"));
            headers.insert("connection", HeaderValue::from_static("close"));
            headers.insert("content-length", HeaderValue::from_static("12"));
            Ok(response)
        })
    }

    fn sent(client: &FakeClient) -> RecordedRequest {
        client.requests().pop().unwrap()
    }

    #[tokio::test]
    async fn a_request_goes_to_the_backend_below_its_service_url() {
        let client = answering();
        let gateway = gateway(&[shop()], Some(client.clone()));

        let answer = ask(
            &gateway,
            "GET /shop/items/7/?a=b&subscription-key=
             connection: x-hop
             x-hop: 1
             x-forwarded-for: 1.2.3.4
             x-mine: 2
             te: trailers",
        );
        // An empty key is a key, and no subscription has it.
        assert!(answer.await.starts_with("401 "));

        let answer = ask(
            &gateway,
            "GET /shop/items/7/?a=b
             connection: x-hop
             x-hop: 1
             x-forwarded-for: 1.2.3.4
             x-mine: 2
             te: trailers",
        );
        assert_eq!(answer.await, "200 x-out=1 | from backend");
        let sent = sent(&client);
        assert_eq!(sent.uri, "https://backend.test/base/items/7/?a=b");
        let mut headers: Vec<String> = sent
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        assert_eq!(headers, ["x-forwarded-for: 1.2.3.4, 10.0.0.9", "x-mine: 2"]);
        assert_eq!(sent.options.response_timeout, Some(Duration::from_secs(60)));
    }

    #[tokio::test]
    async fn a_body_is_sent_on_and_an_empty_one_has_a_length() {
        let client = answering();
        let gateway = gateway(&[shop()], Some(client.clone()));
        ask_with(&gateway, "POST /shop/items\ncontent-length: 3", Body::full("abc")).await;
        assert_eq!(sent(&client).body, "abc");
        ask(&gateway, "POST /shop/items\nexpect: 100-continue").await;
        assert_eq!(sent(&client).headers["content-length"], "0");
        assert!(!sent(&client).headers.contains_key("expect"));
    }

    #[tokio::test]
    async fn what_matches_nothing_is_404_to_the_letter() {
        let gateway = gateway(&[shop()], None);
        let expected = "404 content-type=application/json | \
            { \"statusCode\": 404, \"message\": \"Resource not found\" }";
        for request in [
            "GET /",
            "GET /shops/items/7",
            "GET /shop/other",
            "DELETE /shop/items/7",
            "HEAD /shop/items/7",
            "OPTIONS /shop/items",
            "OPTIONS /shop/items\norigin: https://x\naccess-control-request-method: POST",
            "GET /shop/items/7\nconnection: Upgrade\nupgrade: websocket",
            "OPTIONS *",
        ] {
            assert_eq!(ask(&gateway, request).await, expected, "{request}");
        }
    }

    #[tokio::test]
    async fn missing_and_bad_keys_are_401_to_the_letter_and_404_comes_first() {
        let spec = ApiSpec { subscription_required: true, ..shop() };
        let gateway = gateway(std::slice::from_ref(&spec), Some(answering()));
        let mut with_keys = snapshot(&[spec]);
        with_keys.subscriptions =
            vec![subscription("team", SubscriptionScope::AllApis, true, &["k1", "k2"])];
        gateway.install(Arc::new(with_keys));
        let challenge = "www-authenticate=AzureApiManagementKey \
            realm=\"http://gw.test:8443/shop\",name=\"Ocp-Apim-Subscription-Key\",type=\"header\"";
        let text = |text| format!("{{ \"statusCode\": 401, \"message\": \"{text}\" }}");

        assert_eq!(
            ask(&gateway, "GET /shop/items/7").await,
            format!(
                "401 content-type=application/json {challenge} | {}",
                text(
                    "Access denied due to missing subscription key. Make sure to include \
                     subscription key when making requests to an API."
                )
            )
        );
        assert_eq!(
            ask(&gateway, "GET /shop/items/7?subscription-key=k3").await,
            format!(
                "401 content-type=application/json {challenge} | {}",
                text(
                    "Access denied due to invalid subscription key. Make sure to provide a \
                     valid key for an active subscription."
                )
            )
        );
        assert!(ask(&gateway, "GET /shop/nothing").await.starts_with("404"));
        let with_key = "GET /shop/items/7\nocp-apim-subscription-key: k2";
        assert!(ask(&gateway, with_key).await.starts_with("200"));
    }

    #[tokio::test]
    async fn keys_are_passed_on_unless_the_setting_says_otherwise() {
        let ask_for = async |strip_subscription_keys| {
            let client = answering();
            let gateway = gateway(&[], Some(client.clone()));
            let mut keyed = snapshot(&[shop()]);
            keyed.subscriptions =
                vec![subscription("team", SubscriptionScope::AllApis, true, &["k1"])];
            keyed.settings = Settings { strip_subscription_keys, ..Settings::default() };
            gateway.install(Arc::new(keyed));
            let header = "GET /shop/items/7?x=y\nocp-apim-subscription-key: k1";
            assert!(ask(&gateway, header).await.starts_with("200"));
            let in_header = sent(&client).headers.contains_key("ocp-apim-subscription-key");
            ask(&gateway, "GET /shop/items/7?x=y&subscription-key=k1").await;
            (in_header, sent(&client).uri.query().unwrap().to_owned())
        };
        assert_eq!(ask_for(false).await, (true, "x=y&subscription-key=k1".to_owned()));
        assert_eq!(ask_for(true).await, (false, "x=y".to_owned()));
    }

    #[tokio::test]
    async fn headers_are_there_after_the_call_if_anything_reads_them_then() {
        let read = r#"<header name="x-out"
            value='@(context.Request.Headers.GetValueOrDefault("x-mine", "none"))' />"#;
        for (section, client, status) in
            [("outbound", answering(), "200"), ("on-error", FakeClient::unreachable(), "500")]
        {
            let sections =
                format!("<backend><forward-request /></backend><{section}>{read}</{section}>");
            let spec = ApiSpec { pipeline: pipeline(&sections), ..shop() };
            let gateway = gateway(&[spec], Some(client));
            let answer = ask(&gateway, "GET /shop/items/7\nx-mine: 2").await;
            assert!(answer.starts_with(status) && answer.contains("x-out=2"), "{answer}");
        }
    }

    #[tokio::test]
    async fn errors_of_built_in_steps_go_through_on_error() {
        let marked = pipeline(r#"<on-error><header name="x-out" value="seen" /></on-error>"#);
        let gateway = gateway(&[], None);
        let spec = ApiSpec { pipeline: marked.clone(), subscription_required: true, ..shop() };
        gateway.install(Arc::new(Snapshot { global: marked, ..snapshot(&[spec]) }));
        for (request, status) in
            [("GET /none", "404"), ("GET /shop/none", "404"), ("GET /shop/items/7", "401")]
        {
            let answer = ask(&gateway, request).await;
            assert!(answer.starts_with(status) && answer.contains("x-out=seen"), "{answer}");
        }
    }

    #[tokio::test]
    async fn failures_of_the_call_are_500_with_the_requests_id() {
        for (error, buffers) in [
            (CallError::Timeout { after: Duration::ZERO }, "true"),
            (CallError::Broken { host: "secret-host".to_owned(), reason: "x".to_owned() }, "false"),
        ] {
            let client = FakeClient::new(move |_| Err(error.clone()));
            let forward = pipeline(&format!(
                "<backend><forward-request buffer-response=\"{buffers}\" /></backend>"
            ));
            let gateway = gateway(&[ApiSpec { pipeline: forward, ..shop() }], Some(client));
            let answer = ask(&gateway, "GET /shop/items/7").await;
            let start = "500 content-type=application/json | { \"statusCode\": 500, \
                \"message\": \"Internal server error\", \"activityId\": \"";
            assert!(answer.starts_with(start), "{answer}");
            assert!(!answer.contains("secret-host"));
        }
    }

    #[tokio::test]
    async fn a_body_over_the_bound_is_413() {
        let forward =
            pipeline(r#"<backend><forward-request buffer-request-body="true" /></backend>"#);
        let mut services = Services::new(
            Arc::new(answering()),
            Arc::new(SystemClock),
            Arc::new(HttpForward::default()),
        );
        services.max_buffered_body_bytes = 2;
        let gateway = Gateway::new(Arc::new(services), None);
        gateway.install(Arc::new(snapshot(&[ApiSpec { pipeline: forward, ..shop() }])));
        let (sender, body) = Body::channel(1);
        sender.send("abc").await.unwrap();
        drop(sender);
        let answer = ask_with(&gateway, "POST /shop/items", body).await;
        assert_eq!(
            answer,
            "413 content-type=application/json | \
             { \"statusCode\": 413, \"message\": \"Request body is too large.\" }"
        );
    }

    #[tokio::test]
    async fn an_api_without_service_url_calls_nobody() {
        let client = answering();
        let gateway = gateway(&[ApiSpec { service: None, ..shop() }], Some(client.clone()));
        assert!(ask(&gateway, "GET /shop/items/7").await.starts_with("500"));
        assert!(client.requests().is_empty());
    }

    #[tokio::test]
    async fn a_backend_entity_brings_url_credentials_and_checks() {
        let client = answering();
        let gateway = gateway(&[], Some(client.clone()));
        let forward = pipeline(r#"<backend><forward-request backend-id="east" /></backend>"#);
        let mut with_backend = snapshot(&[ApiSpec { pipeline: forward, ..shop() }]);
        let entry = BackendEntry {
            info: Arc::new(expr::host::BackendInfo { id: "east".to_owned(), ..Default::default() }),
            url: Some(Arc::new(BaseUrl::parse("https://east.test/v2/").unwrap())),
            ..BackendEntry::default()
        };
        let key = HeaderName::from_static("api-key");
        let backend = Backend {
            entry: Arc::new(entry.clone()),
            credentials: Credentials {
                headers: vec![(key, vec![HeaderValue::from_static("real")])],
                query: vec![("code".to_owned(), vec!["c".into()])],
                ..Credentials::default()
            },
            tls: ClientTls { verify_name: false, ..ClientTls::default() },
            ..Backend::default()
        };
        with_backend.backends.insert("east".to_owned(), Arc::new(backend));
        with_backend.backend_entries = Arc::new([entry].into_iter().collect::<Backends>());
        gateway.install(Arc::new(with_backend));

        assert!(ask(&gateway, "GET /shop/items/7\napi-key: smuggled").await.starts_with("200"));
        let sent = sent(&client);
        assert_eq!(sent.uri, "https://east.test/v2/items/7?code=c");
        assert_eq!(sent.headers.get_all("api-key").iter().collect::<Vec<_>>(), ["real"]);
        assert!(!sent.options.tls.verify_name);
    }

    #[tokio::test]
    async fn websocket_apis_take_handshakes_only() {
        let client = answering();
        let spec = ApiSpec { kind: ApiKind::WebSocket, operations: &["GET /"], ..shop() };
        let gateway = gateway(&[spec], Some(client.clone()));
        assert!(ask(&gateway, "GET /shop").await.starts_with("404"));
        let handshake = "GET /shop/realtime\nconnection: upgrade\nupgrade: websocket\n\
            sec-websocket-key: x";
        // The stand-in answers 200, which is an ordinary answer to a refused handshake.
        assert!(ask(&gateway, handshake).await.starts_with("200"));
        let sent = sent(&client);
        assert_eq!(sent.uri, "https://backend.test/base/realtime");
        assert_eq!(sent.headers["upgrade"], "websocket");
        assert_eq!(sent.headers["sec-websocket-key"], "x");
    }

    #[tokio::test]
    async fn without_a_configuration_the_answer_is_503() {
        let services = Services::new(
            Arc::new(FakeClient::unreachable()),
            Arc::new(SystemClock),
            Arc::new(HttpForward::default()),
        );
        let gateway = Gateway::new(Arc::new(services), None);
        assert!(ask(&gateway, "GET /shop/items/7").await.starts_with("503 "));
        assert!(ask(&gateway, "GET /status-0123456789abcdef").await.starts_with("503 "));
    }

    /// It is moved when a connection takes it up, so its size is paid for by every request.
    #[test]
    fn the_future_of_a_request_stays_small() {
        let gateway = gateway(&[shop()], Some(answering()));
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let future = gateway.handle(request("GET /shop/items/7", Body::empty()), peer);
        assert!(size_of_val(&future) < 2048, "{}", size_of_val(&future));
    }

    #[tokio::test]
    async fn a_length_that_no_longer_holds_is_not_announced() {
        let gateway = gateway(&[shop()], Some(answering()));
        assert!(!ask(&gateway, "GET /shop/items/7").await.contains("content-length"));
    }

    #[tokio::test]
    async fn the_access_log_has_a_line_per_request() {
        let path = std::env::temp_dir().join(format!("access-{}.log", uuid::Uuid::new_v4()));
        let log = AccessLog::new(Sink::File(path.clone()), 1 << 20).unwrap();
        let services = Services::new(
            Arc::new(answering()),
            Arc::new(SystemClock),
            Arc::new(HttpForward::default()),
        );
        let gateway = Gateway::new(Arc::new(services), Some(Arc::new(log)));
        let failing = ApiSpec {
            id: "bad",
            path: "bad",
            operations: &["GET /"],
            pipeline: pipeline(r#"<inbound><fail name="no" /></inbound>"#),
            ..ApiSpec::default()
        };
        let mut keyed = snapshot(&[shop(), failing]);
        keyed.subscriptions = vec![subscription("team", SubscriptionScope::AllApis, true, &["k1"])];
        gateway.install(Arc::new(keyed));
        ask(&gateway, "GET /shop/items/7?subscription-key=k1&a=b").await;
        ask(&gateway, "GET /bad").await;
        ask(&gateway, "GET /status-0123456789abcdef").await;
        drop(gateway);

        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        let first = &lines[0];
        assert_eq!(first["Url"], "http://gw.test:8443/shop/items/7?subscription-key=***&a=b");
        assert_eq!(
            first["BackendUrl"],
            "https://backend.test/base/items/7?subscription-key=***&a=b"
        );
        assert_eq!(
            (&first["ResponseCode"], &first["BackendResponseCode"]),
            (&200.into(), &200.into())
        );
        assert_eq!(first["ResponseSize"], 12);
        assert_eq!(first["ApiId"], "shop");
        assert_eq!(first["OperationId"], "GET /items/{id}");
        assert_eq!(first["ApimSubscriptionId"], "team");
        assert_eq!(first["CallerIpAddress"], "10.0.0.9");
        assert_eq!(first["IsRequestSuccess"], true);
        assert!(first.get("LastErrorReason").is_none());
        let second = &lines[1];
        assert_eq!(second["ResponseCode"], StatusCode::IM_A_TEAPOT.as_u16());
        assert_eq!(second["LastErrorSource"], "fail");
        assert_eq!(second["LastErrorReason"], "Failed");
        assert_eq!(second["LastErrorSection"], "inbound");
        assert!(!text.contains("k1"));
    }
}
