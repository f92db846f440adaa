//! Calls: reuse of connections, retries, bounds, streaming.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use transport::{
    Body, BodyError, CallError, CallOptions, Client, ClientConfig, HostMap, HostTarget, HttpClient,
    Limits, Peer, Request, Response, Roots,
};

use crate::raw::{PATIENCE, echo, read_until, serve};

fn client() -> Client {
    Client::new(ClientConfig::new(Roots::none(), HostMap::new()))
}

fn request(method: Method, url: impl AsRef<str>, body: Body) -> Request {
    http::Request::builder().method(method).uri(url.as_ref()).body(body).unwrap()
}

async fn get(client: &Client, url: impl AsRef<str>) -> Result<String, CallError> {
    let response =
        client.send(request(Method::GET, url, Body::empty()), &CallOptions::default()).await?;
    Ok(String::from_utf8_lossy(&response.into_body().collect(1 << 20).await.unwrap()).into_owned())
}

/// Answers with the client's port, which tells connections apart.
async fn port(_: Request, peer: Arc<Peer>) -> Response {
    Response::new(Body::full(peer.address.port().to_string()))
}

/// A backend that answers each connection's requests with these bytes, one per request head,
/// and then closes.
async fn scripted(connections: Vec<Vec<&'static str>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answers in connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                read_until(&mut stream, "\r\n\r\n").await;
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    address
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn a_connection_serves_one_call_after_the_other() {
    let address = serve(Limits::default(), port).await;
    let client = client();
    let first = get(&client, format!("http://{address}/a")).await.unwrap();
    for _ in 0..20 {
        assert_eq!(get(&client, format!("http://{address}/b")).await.unwrap(), first);
    }
    // Another client has connections of its own.
    assert_ne!(get(&self::client(), format!("http://{address}/")).await.unwrap(), first);
}

#[tokio::test]
async fn calls_at_the_same_time_have_connections_of_their_own() {
    let address = serve(Limits::default(), port).await;
    let (client, url) = (client(), format!("http://{address}/"));
    let send = || client.send(request(Method::GET, &url, Body::empty()), &OPTIONS);
    let (a, b) = tokio::join!(send(), send());
    let (a, b) = tokio::join!(a.unwrap().into_body().collect(9), b.unwrap().into_body().collect(9));
    assert_ne!(a.unwrap(), b.unwrap());
}

static OPTIONS: std::sync::LazyLock<CallOptions> = std::sync::LazyLock::new(CallOptions::default);

#[tokio::test]
async fn a_resting_connection_is_closed_after_a_while() {
    let address = serve(Limits::default(), port).await;
    let mut config = ClientConfig::new(Roots::none(), HostMap::new());
    config.idle_timeout = Duration::from_millis(20);
    let client = Client::new(config);
    let url = format!("http://{address}/");
    let first = get(&client, &url).await.unwrap();
    let changed = async {
        while get(&client, &url).await.unwrap() == first {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, changed).await.expect("the connection stays");
}

#[tokio::test]
async fn what_may_arrive_twice_is_sent_again_when_a_reused_connection_breaks() {
    let address = scripted(vec![vec![OK, ""], vec![OK]]).await;
    let (client, url) = (client(), format!("http://{address}/"));
    assert_eq!(get(&client, &url).await.unwrap(), "ok");
    assert_eq!(get(&client, &url).await.unwrap(), "ok");
}

#[tokio::test]
async fn what_must_not_arrive_twice_fails_when_a_reused_connection_breaks() {
    let address = scripted(vec![vec![OK, ""], vec![OK]]).await;
    let (client, url) = (client(), format!("http://{address}/"));
    assert_eq!(get(&client, &url).await.unwrap(), "ok");
    let outcome = client.send(request(Method::POST, &url, Body::full("x")), &OPTIONS).await;
    assert!(matches!(outcome, Err(CallError::Broken { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_fresh_connection_that_breaks_is_not_tried_again() {
    let address = scripted(vec![vec![""], vec![OK]]).await;
    let outcome = get(&client(), format!("http://{address}/")).await;
    assert!(matches!(outcome, Err(CallError::Broken { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_connection_that_was_closed_at_rest_is_not_used() {
    let address = scripted(vec![vec![OK], vec![OK]]).await;
    let (client, url) = (client(), format!("http://{address}/"));
    assert_eq!(get(&client, &url).await.unwrap(), "ok");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let outcome = client.send(request(Method::POST, &url, Body::full("x")), &OPTIONS).await;
    assert_eq!(outcome.unwrap().status(), 200);
}

#[tokio::test]
async fn every_way_to_fail_has_its_error() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = (silent.local_addr().unwrap(), silent);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let garbage = scripted(vec![vec!["nonsense\r\n\r\n"]]).await;
    let huge: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(200_000)).into_boxed_str(),
    );
    let huge = scripted(vec![vec![huge]]).await;
    let mut options =
        CallOptions { response_timeout: Some(Duration::from_millis(30)), ..CallOptions::default() };
    let fail = async |url: String, options: &CallOptions| {
        client().send(request(Method::GET, url, Body::empty()), options).await.unwrap_err()
    };

    let error = fail(format!("http://{}/", silent.0), &options).await;
    assert!(matches!(error, CallError::Timeout { .. }), "{error}");
    let error = fail(format!("http://{closed}/?key=1"), &OPTIONS).await;
    assert!(matches!(error, CallError::Connect { .. }), "{error}");
    assert!(!error.to_string().contains("key"));
    let error = fail(format!("http://{garbage}/"), &OPTIONS).await;
    assert!(matches!(error, CallError::Broken { .. }), "{error}");
    let error = fail(format!("http://{huge}/"), &OPTIONS).await;
    assert!(matches!(error, CallError::Broken { .. }), "{error}");
    let error = fail("http://nowhere.invalid/".to_owned(), &OPTIONS).await;
    assert!(matches!(error, CallError::Resolve { .. }), "{error}");
    let error = fail("/relative".to_owned(), &OPTIONS).await;
    assert!(matches!(error, CallError::Url(_)), "{error}");
    // TLS is spoken to a listener that never answers.
    options.connect_timeout = Duration::from_millis(30);
    options.response_timeout = None;
    let error = fail(format!("https://{}/", silent.0), &options).await;
    assert!(matches!(error, CallError::ConnectTimeout { .. }), "{error}");
}

#[tokio::test]
async fn connections_per_destination_are_bounded() {
    let address = serve(Limits::default(), port).await;
    let mut config = ClientConfig::new(Roots::none(), HostMap::new());
    config.max_connections = 1;
    let (client, url) = (Client::new(config), format!("http://{address}/"));
    let send = || client.send(request(Method::GET, &url, Body::empty()), &OPTIONS);
    let (first, second) = tokio::join!(send(), send());
    assert!(first.is_ok());
    assert!(matches!(second, Err(CallError::Busy { .. })), "{second:?}");
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let address = serve(Limits::default(), |request: Request, _: Arc<Peer>| async {
        Response::new(request.into_body())
    })
    .await;
    let (sender, body) = Body::channel(1);
    let call = request(Method::POST, format!("http://{address}/"), body);
    let mut body = client().send(call, &OPTIONS).await.unwrap().into_body();
    for chunk in ["one", "two", "three"] {
        sender.send(chunk).await.unwrap();
        assert_eq!(body.next_data().await.unwrap().unwrap(), chunk);
    }
    drop(sender);
    assert_eq!(body.next_data().await.unwrap(), None);
}

#[tokio::test]
async fn a_slow_reader_holds_back_the_backend() {
    let n_sent = Arc::new(Mutex::new(0));
    let counter = n_sent.clone();
    let address = serve(Limits::default(), move |_: Request, _: Arc<Peer>| {
        let counter = counter.clone();
        async move {
            let (sender, body) = Body::channel(1);
            tokio::spawn(async move {
                let chunk = bytes::Bytes::from(vec![0; 1 << 20]);
                while sender.send(chunk.clone()).await.is_ok() && *counter.lock().unwrap() < 500 {
                    *counter.lock().unwrap() += 1;
                }
            });
            Response::new(body)
        }
    })
    .await;
    let call = request(Method::GET, format!("http://{address}/"), Body::empty());
    let mut body = client().send(call, &OPTIONS).await.unwrap().into_body();
    body.next_data().await.unwrap().unwrap();
    let mut before = 0;
    let settled = async {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = *n_sent.lock().unwrap();
            if std::mem::replace(&mut before, now) == now {
                return now;
            }
        }
    };
    let n_sent = timeout(PATIENCE, settled).await.unwrap();
    assert!(n_sent < 100, "{n_sent} MiB went out although nobody reads");
}

#[tokio::test]
async fn a_body_cut_short_is_an_error_and_not_an_end() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ] {
        let address = scripted(vec![vec![answer]]).await;
        let call = request(Method::GET, format!("http://{address}/"), Body::empty());
        let body = client().send(call, &OPTIONS).await.unwrap().into_body();
        let outcome = body.collect(9).await;
        assert!(matches!(outcome, Err(BodyError::Aborted(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_body_that_pauses_too_long_ends_with_an_error() {
    let (_sender, body) = Body::channel(1);
    let body = Mutex::new(Some(body));
    let address = serve(Limits::default(), move |_: Request, _: Arc<Peer>| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Response::new(body) }
    })
    .await;
    let after = Duration::from_millis(20);
    let options = CallOptions { body_idle_timeout: Some(after), ..CallOptions::default() };
    let call = request(Method::GET, format!("http://{address}/"), Body::empty());
    let body = client().send(call, &options).await.unwrap().into_body();
    assert_eq!(body.collect(9).await, Err(BodyError::IdleTimeout { after }));
}

#[tokio::test]
async fn a_request_body_that_fails_is_not_the_backends_fault() {
    let address = serve(Limits::default(), echo).await;
    let (sender, body) = Body::channel(2);
    sender.send("x").await.unwrap();
    sender.abort("gone").await;
    let call = request(Method::POST, format!("http://{address}/"), body);
    let outcome = client().send(call, &OPTIONS).await;
    assert!(matches!(outcome, Err(CallError::RequestBody(_))), "{outcome:?}");
}

#[tokio::test]
async fn dropping_the_call_or_its_body_closes_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"] {
        let client = client();
        let mut call = client.send(request(Method::GET, &url, Body::empty()), &OPTIONS);
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_until(&mut stream, "\r\n\r\n").await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream
        };
        let mut stream = tokio::select! {
            stream = serve => stream,
            outcome = &mut call => panic!("{outcome:?}"),
        };
        if answer.is_empty() {
            drop(call);
        } else {
            drop(call.await.unwrap());
        }
        let n = timeout(PATIENCE, stream.read(&mut [0; 1])).await.expect("still open");
        assert_eq!(n.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn an_expected_continue_is_waited_for_and_a_refusal_spares_the_body() {
    let expecting = |address| {
        let mut call = request(Method::POST, format!("http://{address}/"), Body::full("the body"));
        call.headers_mut().insert("expect", http::HeaderValue::from_static("100-continue"));
        call
    };
    let options =
        CallOptions { continue_timeout: Duration::from_secs(60), ..CallOptions::default() };

    let address = serve(Limits::default(), echo).await;
    let answer = client().send(expecting(address), &options).await.unwrap();
    let answer = answer.into_body().collect(99).await.unwrap();
    assert_eq!(answer, "POST / the body");

    let refusal = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n";
    let address = scripted(vec![vec![refusal]]).await;
    let answer = client().send(expecting(address), &options).await.unwrap();
    assert_eq!(answer.status(), StatusCode::EXPECTATION_FAILED);

    // A backend that never says 100 gets the body after the wait.
    let options =
        CallOptions { continue_timeout: Duration::from_millis(10), ..CallOptions::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_until(&mut stream, "the body").await;
        stream.write_all(OK.as_bytes()).await.unwrap();
    };
    let client = client();
    let (answer, ()) = tokio::join!(client.send(expecting(address), &options), serve);
    assert_eq!(answer.unwrap().status(), 200);
}

#[tokio::test]
async fn a_new_map_of_hosts_leads_every_later_call() {
    let old = scripted(vec![vec!["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold"]]).await;
    let new = scripted(vec![vec!["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew"]]).await;
    let map = |to: SocketAddr| {
        let mut hosts = HostMap::new();
        hosts.insert("a.test", HostTarget::new(to.to_string()).unwrap()).unwrap();
        hosts
    };
    let client = Client::new(ClientConfig::new(Roots::none(), map(old)));
    assert_eq!(get(&client, "http://a.test/").await.unwrap(), "old");
    client.set_hosts(map(new));
    assert_eq!(get(&client, "http://a.test/").await.unwrap(), "new");
}

#[tokio::test]
async fn mapped_hosts_keep_their_name_and_may_drop_tls() {
    let address = serve(Limits::default(), |request: Request, _: Arc<Peer>| async move {
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        Response::new(Body::full(format!("{host} {}", request.uri())))
    })
    .await;
    let mut hosts = HostMap::new();
    let target = HostTarget::new(address.to_string()).unwrap().with_tls(false);
    hosts.insert("*.openai.azure.com", target).unwrap();
    let client = Client::new(ClientConfig::new(Roots::none(), hosts));
    let answer = get(&client, "https://one.openai.azure.com/openai?x=y").await.unwrap();
    assert_eq!(answer, "one.openai.azure.com /openai?x=y");
}

#[tokio::test]
async fn upgraded_connections_relay_bytes_until_one_side_closes() {
    let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = echo.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = echo.accept().await.unwrap();
        read_until(&mut stream, "\r\n\r\n").await;
        let switch = "HTTP/1.1 101 Switching Protocols\r\n\
            Connection: upgrade\r\nUpgrade: websocket\r\n\r\nhello";
        stream.write_all(switch.as_bytes()).await.unwrap();
        let text = read_until(&mut stream, "ping").await;
        stream.write_all(text.as_bytes()).await.unwrap();
    });
    let (report, mut reported) = tokio::sync::mpsc::channel(1);
    let gateway = serve(Limits::default(), move |mut request: Request, _: Arc<Peer>| {
        let report = report.clone();
        async move {
            assert!(transport::upgrade::is_websocket(request.headers()));
            let ours = transport::upgrade::take(request.extensions_mut()).unwrap();
            *request.uri_mut() = format!("http://{backend}/").parse().unwrap();
            let mut response = client().send(request, &OPTIONS).await.unwrap();
            let theirs = transport::upgrade::take(response.extensions_mut()).unwrap();
            tokio::spawn(async move {
                let relayed = transport::upgrade::relay(ours, theirs, PATIENCE).await;
                report.send(relayed.unwrap()).await.unwrap();
            });
            response
        }
    })
    .await;
    let mut stream = TcpStream::connect(gateway).await.unwrap();
    let ask = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(ask.as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, "hello").await.starts_with("HTTP/1.1 101"));
    stream.write_all(b"ping").await.unwrap();
    read_until(&mut stream, "ping").await;
    assert_eq!(crate::raw::read_to_end(&mut stream).await, "");
    drop(stream);
    let relayed = timeout(PATIENCE, reported.recv()).await.unwrap().unwrap();
    assert_eq!((relayed.from_client, relayed.from_backend), (4, 9));
}
