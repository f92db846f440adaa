//! The gateway between real sockets: loopback only, ports chosen by the system.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

extern crate portcullis_proxy as proxy;

#[allow(dead_code, reason = "shared with the unit tests, which use more of it")]
#[path = "../../src/test_support.rs"]
mod test_support;

mod agents;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::ApiKind;
use pipeline::Services;
use proxy::{Gateway, HttpForward};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use transport::{
    Body, Client, ClientCertificates, ClientConfig, HostMap, HostTarget, Limits, Peer, Request,
    Response, Roots, Service, SystemClock, TlsIdentity, serve_here, server_config,
};

mod service;

use test_support::{ApiSpec, forwarding, pipeline, snapshot};

/// Nothing on loopback takes this long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn serve<S: Service>(service: Arc<S>, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_here(listener, None, limits, service, std::future::pending()));
    address
}

/// A gateway in front of a backend at this address, which is called over plain HTTP.
async fn gateway(backend: SocketAddr, spec: ApiSpec, limits: Limits) -> SocketAddr {
    let mut hosts = HostMap::new();
    let target = HostTarget::new(backend.to_string()).unwrap().with_tls(false);
    hosts.insert("backend.test", target).unwrap();
    let client = Client::new(ClientConfig::new(Roots::none(), hosts));
    let forward = Arc::new(HttpForward::default());
    let services = Services::new(Arc::new(client), Arc::new(SystemClock), forward);
    let gateway = Gateway::new(Arc::new(services), None);
    gateway.install(Arc::new(snapshot(&[spec])));
    serve(gateway, limits).await
}

fn everything() -> ApiSpec {
    ApiSpec { operations: &["* /*"], pipeline: forwarding(), ..ApiSpec::default() }
}

async fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = String::new();
    while !all.contains(end) {
        let mut part = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut part)).await;
        let n = read.unwrap_or_else(|_| panic!("too slow after {all:?}")).unwrap();
        assert!(n > 0, "closed after {all:?}");
        all.push_str(&String::from_utf8_lossy(&part[..n]));
    }
    all
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("still open").unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

/// Answers with what arrived.
async fn mirror(request: Request, _: Arc<Peer>) -> Response {
    let (head, body) = request.into_parts();
    let mut text = format!("{} {}\n", head.method, head.uri);
    for (name, value) in &head.headers {
        text += &format!("{name}: {}\n", value.to_str().unwrap());
    }
    match body.collect(1 << 20).await {
        Ok(body) => text += &String::from_utf8_lossy(&body),
        Err(error) => text += &error.to_string(),
    }
    Response::new(Body::full(text))
}

#[tokio::test]
async fn the_backend_sees_its_own_host_and_the_clients_address() {
    let backend = serve(Arc::new(mirror), Limits::default()).await;
    let address = gateway(backend, everything(), Limits::default()).await;
    let request = "POST /a%2Fb/?x=%20 HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let answer = read_to_end(&mut send(address, request).await).await;
    for line in [
        "HTTP/1.1 200 OK",
        "POST /base/a%2Fb/?x=%20\n",
        "host: backend.test\n",
        "x-forwarded-for: 127.0.0.1\n",
        "transfer-encoding: chunked\n",
        "\nabc",
    ] {
        assert!(answer.contains(line), "{line} in {answer}");
    }
}

#[tokio::test]
async fn events_reach_the_client_one_by_one_and_its_leaving_reaches_the_backend() {
    let (sender, body) = Body::channel(1);
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let service = move |_: Request, _: Arc<Peer>| {
        let body = body.lock().unwrap().take().unwrap();
        async move {
            let mut response = Response::new(body);
            let events = http::HeaderValue::from_static("text/event-stream");
            response.headers_mut().insert("content-type", events);
            response
        }
    };
    let backend = serve(Arc::new(service), Limits::default()).await;
    // The policy asks for gathering, which events are exempt from.
    let address = gateway(backend, everything(), Limits::default()).await;
    let mut client = send(address, "GET /events HTTP/1.1\r\nHost: gw\r\n\r\n").await;
    for event in ["data: one\n\n", "data: two\n\n"] {
        sender.send(event).await.unwrap();
        read_until(&mut client, event).await;
    }
    drop(client);
    timeout(PATIENCE, sender.closed()).await.expect("the backend still sends");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_ends_the_call() {
    let (started, mut is_started) = tokio::sync::mpsc::channel(1);
    let (alive, mut is_alive) = tokio::sync::mpsc::channel::<()>(1);
    let service = move |_: Request, _: Arc<Peer>| {
        let (started, alive) = (started.clone(), alive.clone());
        async move {
            let _alive = alive;
            started.send(()).await.unwrap();
            std::future::pending().await
        }
    };
    let backend = serve(Arc::new(service), Limits::default()).await;
    let address = gateway(backend, everything(), Limits::default()).await;
    let client = send(address, "GET / HTTP/1.1\r\nHost: gw\r\n\r\n").await;
    is_started.recv().await.unwrap();
    is_alive.close();
    drop(client);
    let gone = async {
        while is_alive.sender_strong_count() > 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("the call goes on");
}

#[tokio::test]
async fn a_response_that_breaks_off_does_not_look_complete() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_until(&mut stream, "\r\n\r\n").await;
        let half = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
        stream.write_all(half.as_bytes()).await.unwrap();
    });
    let address = gateway(backend, everything(), Limits::default()).await;
    let mut client = send(address, "GET / HTTP/1.1\r\nHost: gw\r\n\r\n").await;
    let answer = read_to_end(&mut client).await;
    assert!(answer.contains("200 OK"), "{answer}");
    assert!(!answer.contains("\r\n0\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_413_although_it_streams() {
    let backend = serve(Arc::new(mirror), Limits::default()).await;
    let limits = Limits { max_body_bytes: 10, ..Limits::default() };
    let address = gateway(backend, everything(), limits).await;
    let request = "POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: chunked\r\n\
        Connection: close\r\n\r\nb\r\nhello world\r\n0\r\n\r\n";
    let answer = read_to_end(&mut send(address, request).await).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn an_expected_continue_is_passed_through_both_ways() {
    let backend = serve(Arc::new(mirror), Limits::default()).await;
    let address = gateway(backend, everything(), Limits::default()).await;
    let head = "POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    let mut client = send(address, head).await;
    assert!(read_until(&mut client, "\r\n\r\n").await.starts_with("HTTP/1.1 100"));
    client.write_all(b"body").await.unwrap();
    let answer = read_until(&mut client, "\nbody").await;
    assert!(answer.contains("expect: 100-continue"), "{answer}");

    // Refused before the backend is asked: the client need not send its body.
    let refused =
        ApiSpec { pipeline: pipeline(r#"<inbound><fail name="no" /></inbound>"#), ..everything() };
    let address = gateway(backend, refused, Limits::default()).await;
    let answer = read_to_end(&mut send(address, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 418"), "{answer}");
}

#[tokio::test]
async fn websockets_pass_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_until(&mut stream, "\r\n\r\n").await;
        assert!(head.contains("upgrade: websocket"), "{head}");
        assert!(head.contains("sec-websocket-protocol: realtime"), "{head}");
        let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Protocol: realtime\r\n\r\n";
        stream.write_all(switch.as_bytes()).await.unwrap();
        let text = read_until(&mut stream, "ping").await;
        stream.write_all(text.replace("ping", "pong").as_bytes()).await.unwrap();
    });
    let spec = ApiSpec { kind: ApiKind::WebSocket, operations: &["GET /"], ..everything() };
    let address = gateway(backend, spec, Limits::default()).await;
    let handshake = "GET /realtime HTTP/1.1\r\nHost: gw\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Protocol: realtime\r\n\r\n";
    let mut client = send(address, handshake).await;
    let switched = read_until(&mut client, "\r\n\r\n").await;
    assert!(switched.starts_with("HTTP/1.1 101"), "{switched}");
    assert!(switched.contains("sec-websocket-protocol: realtime"), "{switched}");
    client.write_all(b"ping").await.unwrap();
    read_until(&mut client, "pong").await;
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn the_gateway_speaks_http2_over_tls() {
    let backend = serve(Arc::new(mirror), Limits::default()).await;
    let mut hosts = HostMap::new();
    let target = HostTarget::new(backend.to_string()).unwrap().with_tls(false);
    hosts.insert("backend.test", target).unwrap();
    let client = Client::new(ClientConfig::new(Roots::none(), hosts));
    let forward = Arc::new(HttpForward::default());
    let services = Services::new(Arc::new(client), Arc::new(SystemClock), forward);
    let gateway = Gateway::new(Arc::new(services), None);
    gateway.install(Arc::new(snapshot(&[everything()])));

    let made = rcgen::generate_simple_self_signed(vec!["gw.test".to_owned()]).unwrap();
    let identity = TlsIdentity::new(made.cert.pem(), made.signing_key.serialize_pem());
    let tls = server_config(&[identity], ClientCertificates::Ignored).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let never = std::future::pending();
    tokio::spawn(serve_here(listener, Some(tls), Limits::default(), gateway, never));

    let mut hosts = HostMap::new();
    let target = HostTarget::new(address.to_string()).unwrap();
    let target = target.with_ca_pem(made.cert.pem().as_bytes()).unwrap();
    hosts.insert("gw.test", target).unwrap();
    let client = Client::new(ClientConfig::new(Roots::none(), hosts));
    let options = transport::CallOptions {
        http_version: transport::HttpVersion::Http2,
        ..transport::CallOptions::default()
    };
    let request = http::Request::post("https://gw.test/x").body(Body::full("over h2")).unwrap();
    let response = transport::HttpClient::send(&client, request, &options).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    let body = response.into_body().collect(4096).await.unwrap();
    let text = String::from_utf8_lossy(&body);
    assert!(text.starts_with("POST /base/x\n") && text.ends_with("\nover h2"), "{text}");
}
