//! A listener that echoes, and a client that writes bytes as they are.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use transport::{Body, Limits, Peer, Request, Response, Service, serve_here};

/// Nothing on loopback takes this long; a test that waits for it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Serves until the test's runtime ends.
pub(crate) async fn serve<S: Service>(limits: Limits, service: S) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let never = std::future::pending();
    tokio::spawn(serve_here(listener, None, limits, Arc::new(service), never));
    address
}

/// Answers with method, path and body, or with the body's error and 400.
pub(crate) async fn echo(request: Request, _: Arc<Peer>) -> Response {
    let (head, body) = request.into_parts();
    let (status, text) = match body.collect(1 << 20).await {
        Ok(body) => (200, format!("{} {} {}", head.method, head.uri, body.escape_ascii())),
        Err(error) => (400, error.to_string()),
    };
    http::Response::builder().status(status).body(Body::full(text)).unwrap()
}

/// Everything a server answers to these bytes until it closes; the writing side stays open.
pub(crate) async fn exchange(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    read_to_end(&mut stream).await
}

pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut all)).await;
    assert!(read.is_ok(), "still open after {:?}", String::from_utf8_lossy(&all));
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until the text so far contains this.
pub(crate) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = String::new();
    while !all.contains(end) {
        let mut part = [0; 4096];
        let n = timeout(PATIENCE, stream.read(&mut part)).await.expect("too slow").unwrap();
        assert!(n > 0, "closed after {all:?}");
        all.push_str(&String::from_utf8_lossy(&part[..n]));
    }
    all
}

/// The status codes of all responses in a text.
pub(crate) fn statuses(text: &str) -> Vec<u16> {
    text.match_indices("HTTP/1.1 ").map(|(at, _)| text[at + 9..at + 12].parse().unwrap()).collect()
}
