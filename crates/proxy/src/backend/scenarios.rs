//! Backends as requests through a gateway find them, on a clock that tests move.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use config::{
    AwsCredentials, Backend, Balance, BreakerRule, Credentials, Extras, HealthCheck, Pool,
    PoolMember, Snapshot, Threshold,
};
use expr::host::BackendInfo;
use http::{HeaderName, HeaderValue, StatusCode};
use pipeline::{BackendEntry, Backends, BaseUrl, Services};
use state::{BreakerReport, BreakerStandings, BreakerStore, StoreFailure};
use transport::{
    Body, BodySender, BoxFuture, CallError, CallOptions, FakeClient, FakeClock, HttpClient, Peer,
    RecordedRequest, Request, Response,
};

use crate::test_support::{ApiSpec, pipeline, snapshot};
use crate::{BreakerState, Gateway, HttpForward};

const SECOND: Duration = Duration::from_secs(1);

/// A breaker that a number of failures with these reasons or statuses trips for half a minute.
fn breaker(count: u32, reasons: &[&str]) -> BreakerRule {
    BreakerRule {
        threshold: Threshold::Count(count),
        interval: 60 * SECOND,
        statuses: vec![500..=599],
        reasons: reasons.iter().map(|it| (*it).to_owned()).collect(),
        trip_duration: 30 * SECOND,
        accepts_retry_after: false,
        failure_status: StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn backend(id: &str) -> Backend {
    let info = BackendInfo { id: id.to_owned(), ..BackendInfo::default() };
    let url = Some(Arc::new(BaseUrl::parse(&format!("https://{id}.test/base")).unwrap()));
    Backend {
        entry: Arc::new(BackendEntry { info: Arc::new(info), url, ..Default::default() }),
        ..Backend::default()
    }
}

/// The pool `p` of these members, by priority.
fn pool(members: &[&str], fails_over: bool) -> Backend {
    let info = BackendInfo { id: "p".to_owned(), ..BackendInfo::default() };
    let member = |(n, it): (usize, &&str)| PoolMember {
        backend: (*it).to_owned(),
        priority: u32::try_from(n).unwrap(),
        weight: 1,
    };
    let pool = Pool {
        members: members.iter().enumerate().map(member).collect(),
        session_cookie: None,
        failure_status: StatusCode::SERVICE_UNAVAILABLE,
        balance: Balance::Weight,
        fails_over,
    };
    let entry = Arc::new(BackendEntry { info: Arc::new(info), ..Default::default() });
    Backend { entry, pool: Some(pool), ..Backend::default() }
}

struct World {
    gateway: Arc<Gateway>,
    clock: FakeClock,
}

impl World {
    /// A gateway whose one API goes to a backend, with these attributes of `forward-request`.
    fn new(backends: Vec<Backend>, forward: &str, client: impl HttpClient + 'static) -> World {
        World::sharing(backends, forward, client, None)
    }

    fn sharing(
        backends: Vec<Backend>,
        forward: &str,
        client: impl HttpClient + 'static,
        store: Option<Arc<dyn BreakerStore>>,
    ) -> World {
        let clock = FakeClock::at_unix(1_700_000_000);
        let http_forward = Arc::new(HttpForward::default());
        let services = Services::new(Arc::new(client), Arc::new(clock.clone()), http_forward);
        let gateway = Gateway::new(Arc::new(services), None);
        if let Some(store) = store {
            tokio::spawn(gateway.share_breakers(store));
        }
        let pipeline = pipeline(&format!("<backend><forward-request {forward} /></backend>"));
        let spec = ApiSpec { operations: &["POST /x"], pipeline, ..ApiSpec::default() };
        let entries: Backends = backends.iter().map(|it| (*it.entry).clone()).collect();
        let backends: HashMap<_, _> =
            backends.into_iter().map(|it| (it.entry.info.id.clone(), Arc::new(it))).collect();
        gateway.install(Arc::new(Snapshot {
            backends,
            backend_entries: Arc::new(entries),
            ..snapshot(&[spec])
        }));
        World { gateway, clock }
    }

    /// Status and body of the answer.
    async fn ask(&self, body: Body) -> String {
        let request = http::Request::post("/x").header("host", "gw.test").body(body).unwrap();
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let (head, body) = self.gateway.clone().handle(request, peer).await.into_parts();
        let body = body.collect(1 << 16).await.unwrap();
        format!("{} {}", head.status.as_u16(), String::from_utf8_lossy(&body))
    }

    fn state(&self, backend: &str) -> BreakerState {
        let mut all = self.gateway.breaker_states().into_iter();
        all.find(|it| it.backend == backend).unwrap()
    }

    fn is_open(&self, backend: &str) -> bool {
        self.state(backend).open_for.is_some()
    }

    /// Lets time pass until something is so.
    async fn pass_until(&self, is_so: impl Fn() -> bool) {
        for _ in 0..2000 {
            if is_so() {
                return;
            }
            self.clock.advance(Duration::from_millis(50));
            tokio::task::yield_now().await;
        }
        panic!("it never comes to that");
    }
}

fn named(request: &RecordedRequest) -> Response {
    let host = request.uri.host().unwrap().to_owned();
    Response::new(Body::full(format!("{host} {}", String::from_utf8_lossy(&request.body))))
}

fn refused(host: &str) -> CallError {
    CallError::Connect { host: host.to_owned(), reason: "refused".to_owned() }
}

/// A body of which nobody knows the end yet.
async fn streamed() -> Body {
    let (sender, body) = Body::channel(1);
    sender.send("abc").await.unwrap();
    body
}

#[tokio::test]
async fn an_exhausted_pool_and_a_backend_that_is_left_alone_answer_503_with_their_names() {
    let failing = || {
        FakeClient::new(|_| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            Ok(response)
        })
    };
    let member = |id: &str| Backend { breaker: Some(breaker(1, &[])), ..backend(id) };
    let all = vec![pool(&["a", "b"], false), member("a"), member("b")];
    for (backends, n_failures, name) in
        [(all, 2, "Backend pool 'p'"), (vec![member("p")], 1, "Backend 'p'")]
    {
        let world = World::new(backends, "backend-id=\"p\"", failing());
        for _ in 0..n_failures {
            assert!(world.ask(Body::empty()).await.starts_with("502"));
        }
        let request = http::Request::post("/x").header("host", "gw.test").body(Body::empty());
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let answer = world.gateway.clone().handle(request.unwrap(), peer).await;
        let answer = pipeline::Response::from_http(answer);
        let text = format!("{name} is temporarily unavailable.");
        assert_eq!((answer.status.as_u16(), answer.reason()), (503, text.as_str()));
        assert_eq!(answer.headers["retry-after"], "30");
        assert_eq!(answer.headers["content-type"], "application/json");
        let body = answer.into_http().unwrap().into_body().collect(1 << 10).await.unwrap();
        let expected = format!(r#"{{ "statusCode": 503, "message": "{text}" }}"#);
        assert_eq!(body, expected.as_bytes());
    }
}

#[tokio::test]
async fn a_call_without_response_goes_on_if_the_pool_says_so_and_the_body_is_there() {
    let ask = async |fails_over, forward: &str, body, down: &'static [&str]| {
        let client = FakeClient::new(move |request| {
            let host = request.uri.host().unwrap();
            if down.contains(&host) { Err(refused(host)) } else { Ok(named(request)) }
        });
        let backends =
            vec![backend("a"), backend("b"), backend("c"), pool(&["a", "b", "c"], fails_over)];
        let world = World::new(backends, &format!("backend-id=\"p\" {forward}"), client.clone());
        (world.ask(body).await, client.requests().len())
    };
    let answer = |text: &str, n| (text.to_owned(), n);
    assert_eq!(ask(true, "", Body::full("abc"), &["a.test"]).await, answer("200 b.test abc", 2));
    assert_eq!(
        ask(true, "", Body::full("abc"), &["a.test", "b.test"]).await,
        answer("200 c.test abc", 3)
    );
    let (text, n) = ask(true, "", Body::full("abc"), &["a.test", "b.test", "c.test"]).await;
    assert!(text.starts_with("500 ") && n == 3, "each is tried once: {text}");
    let (text, n) = ask(false, "", Body::full("abc"), &["a.test"]).await;
    assert!(text.starts_with("500 ") && n == 1, "{text}");
    let (sender, body) = Body::channel(1);
    sender.send("abc").await.unwrap();
    drop(sender);
    let (text, n) = ask(true, "", body, &["a.test"]).await;
    assert!(text.starts_with("500 ") && n == 1, "a stream cannot be sent twice: {text}");
}

#[tokio::test]
async fn a_backend_that_does_not_begin_in_time_is_left_for_the_next() {
    let senders: Arc<Mutex<Vec<BodySender>>> = Arc::default();
    let kept = senders.clone();
    let client = FakeClient::new(move |request| {
        if request.uri.host() != Some("a.test") {
            return Ok(named(request));
        }
        // Headers at once, and then nothing.
        let (sender, body) = Body::channel(1);
        kept.lock().unwrap().push(sender);
        Ok(Response::new(body))
    });
    let slow = Backend {
        breaker: Some(breaker(1, &["Timeout"])),
        extras: Extras {
            first_byte_timeout: Some(5 * SECOND),
            stream_idle_timeout: Some(7 * SECOND),
            ..Extras::default()
        },
        ..backend("a")
    };
    let backends = vec![slow, backend("b"), pool(&["a", "b"], true)];
    let world = World::new(backends, "backend-id=\"p\"", client.clone());
    let asked = world.ask(Body::full("abc"));
    let pass = async {
        while world.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        world.clock.advance(5 * SECOND);
    };
    let (answer, ()) = tokio::join!(asked, pass);
    assert_eq!(answer, "200 b.test abc");
    assert!(world.is_open("a"));
    let idle: Vec<_> = client.requests().iter().map(|it| it.options.body_idle_timeout).collect();
    assert_eq!(idle, [Some(7 * SECOND), CallOptions::default().body_idle_timeout]);
    assert_eq!(senders.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_response_that_begins_in_time_streams_on() {
    let client = FakeClient::new(|_| {
        let (sender, body) = Body::channel(4);
        tokio::spawn(async move {
            for part in ["one ", "two ", "three"] {
                sender.send(Bytes::from_static(part.as_bytes())).await.unwrap();
            }
        });
        Ok(Response::new(body))
    });
    let extras = Extras { first_byte_timeout: Some(SECOND), ..Extras::default() };
    let backends = vec![Backend { extras, ..backend("a") }];
    let world = World::new(backends, "backend-id=\"a\"", client);
    assert_eq!(world.ask(Body::empty()).await, "200 one two three");
}

#[derive(Debug, Default)]
struct Silent(Arc<tokio::sync::Notify>);

impl HttpClient for Silent {
    fn send<'a>(
        &'a self,
        _: Request,
        _: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Response, CallError>> {
        self.0.notify_one();
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_client_that_goes_away_counts_if_the_breaker_names_it() {
    for (reasons, is_open) in [(&["ClientConnectionFailure"][..], true), (&["Timeout"], false)] {
        let client = Silent::default();
        let called = client.0.clone();
        let backends = vec![Backend { breaker: Some(breaker(1, reasons)), ..backend("a") }];
        let world = World::new(backends, "backend-id=\"a\"", client);
        tokio::select! {
            answer = world.ask(streamed().await) => panic!("{answer}"),
            () = called.notified() => {}
        }
        assert_eq!(world.is_open("a"), is_open, "{reasons:?}");
    }
}

/// A store that counts as the real one does, without time.
#[derive(Debug, Default)]
struct Store {
    failures: Mutex<HashMap<String, u32>>,
    open: Mutex<HashMap<String, Duration>>,
    is_away: AtomicBool,
}

impl BreakerStore for Store {
    fn exchange<'a>(&'a self, reports: &'a [BreakerReport<'a>]) -> BreakerStandings<'a> {
        if self.is_away.load(Relaxed) {
            return Box::pin(std::future::ready(Err(StoreFailure::Full)));
        }
        let (mut failures, mut open) = (self.failures.lock().unwrap(), self.open.lock().unwrap());
        let mut stand = |it: &BreakerReport<'_>| {
            let n = failures.entry(it.backend.to_owned()).or_default();
            *n += it.n_failures;
            let trip = it.tripped.or_else(|| (*n >= 2).then_some(it.trip));
            if let Some(trip) = trip {
                open.insert(it.backend.to_owned(), trip);
            }
            open.get(it.backend).copied().unwrap_or_default()
        };
        let standings = reports.iter().map(&mut stand).collect();
        Box::pin(std::future::ready(Ok(standings)))
    }
}

/// Two gateways with a store, and a backend that fails.
fn two(store: &Arc<Store>) -> [World; 2] {
    [(), ()].map(|()| {
        let client = FakeClient::new(|_| {
            let mut response = Response::new(Body::full("down"));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            Ok(response)
        });
        let backends = vec![Backend { breaker: Some(breaker(2, &[])), ..backend("a") }];
        World::sharing(backends, "backend-id=\"a\"", client, Some(store.clone()))
    })
}

#[tokio::test]
async fn failures_of_two_gateways_trip_the_breaker_of_both() {
    let store = Arc::new(Store::default());
    let [one, two] = two(&store);
    for world in [&one, &two] {
        assert_eq!(world.ask(Body::empty()).await, "502 down");
        assert!(!world.is_open("a"), "one failure is not too many");
    }
    let told = || store.failures.lock().unwrap().get("a") == Some(&2);
    one.pass_until(|| one.is_open("a") || told()).await;
    two.pass_until(|| two.is_open("a")).await;
    one.pass_until(|| one.is_open("a")).await;
    assert!(two.ask(Body::empty()).await.contains("temporarily unavailable"));
}

#[tokio::test]
async fn while_the_store_is_away_each_gateway_decides_and_tells_later_what_still_lasts() {
    let store = Arc::new(Store::default());
    store.is_away.store(true, Relaxed);
    let [one, two] = two(&store);
    for _ in 0..2 {
        one.ask(Body::empty()).await;
    }
    assert!(one.is_open("a") && !two.is_open("a"));
    one.clock.advance(SECOND);
    tokio::task::yield_now().await;
    store.is_away.store(false, Relaxed);
    one.pass_until(|| !store.open.lock().unwrap().is_empty()).await;
    two.pass_until(|| two.is_open("a")).await;
    let left = two.state("a").open_for.unwrap();
    assert!(left < 30 * SECOND, "{left:?}");
}

#[tokio::test]
async fn an_unhealthy_backend_is_left_alone_until_it_is_well() {
    let is_well = Arc::new(AtomicBool::new(true));
    let answers = is_well.clone();
    let client = FakeClient::new(move |request| {
        let mut response = named(request);
        if request.uri.path() == "/base/status" && !answers.load(Relaxed) {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        Ok(response)
    });
    let checked = Backend {
        credentials: Credentials {
            headers: vec![(
                HeaderName::from_static("api-key"),
                vec![HeaderValue::from_static("k")],
            )],
            aws: Some(AwsCredentials {
                region: "us-east-1".to_owned(),
                service: "bedrock".to_owned(),
                access_key_id: "id".into(),
                secret_access_key: "secret".into(),
                session_token: None,
            }),
            ..Credentials::default()
        },
        extras: Extras {
            health_check: Some(HealthCheck {
                path: "/status?deep=1".to_owned(),
                unhealthy_after: 2,
                healthy_after: 1,
                ..HealthCheck::default()
            }),
            ..Extras::default()
        },
        ..backend("a")
    };
    let world = World::new(vec![checked], "backend-id=\"a\"", client.clone());
    tokio::spawn(world.gateway.check_health(None));
    assert_eq!(world.state("a").is_healthy, Some(true));
    world.pass_until(|| client.requests().len() >= 2).await;
    let probe = client.requests().remove(0);
    assert_eq!(probe.uri, "https://a.test/base/status?deep=1");
    assert_eq!(probe.headers["api-key"], "k");
    let signature = probe.headers["authorization"].to_str().unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=id/"), "{signature}");
    assert_eq!(world.ask(Body::empty()).await, "200 a.test ");

    is_well.store(false, Relaxed);
    world.pass_until(|| world.state("a").is_healthy == Some(false)).await;
    let answer = world.ask(Body::empty()).await;
    assert!(answer.starts_with("503 ") && answer.contains("temporarily unavailable"), "{answer}");
    is_well.store(true, Relaxed);
    world.pass_until(|| world.state("a").is_healthy == Some(true)).await;
    assert_eq!(world.ask(Body::empty()).await, "200 a.test ");
}
