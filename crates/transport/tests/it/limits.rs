//! Every bound of a listener, one by one.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use transport::{Body, Limits, Peer, Request, Response};

use crate::raw::{echo, exchange, read_to_end, read_until, serve, statuses};

const SHORT: Duration = Duration::from_millis(40);

async fn refused(change: fn(&mut Limits), request: String) -> (Vec<u16>, String) {
    let mut limits = Limits::default();
    change(&mut limits);
    let address = serve(limits, echo).await;
    let answer = exchange(address, &request).await;
    (statuses(&answer), answer)
}

#[tokio::test]
async fn a_long_target_is_414() {
    let target = "x".repeat(200);
    let request = format!("GET /{target} HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(refused(|it| it.max_target_bytes = 200, request).await.0, [414]);
}

#[tokio::test]
async fn large_headers_are_431() {
    let header = |n: usize| format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(n));
    assert_eq!(refused(|it| it.max_head_bytes = 8192, header(8200)).await.0, [431]);
    // The end never comes, so only the buffer can tell.
    let endless = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}", "a".repeat(20_000));
    assert_eq!(refused(|it| it.max_head_bytes = 8192, endless).await.0, [431]);
}

#[tokio::test]
async fn many_headers_are_431() {
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(10));
    assert_eq!(refused(|it| it.max_headers = 10, request).await.0, [431]);
}

#[tokio::test]
async fn a_body_announced_too_large_is_413_and_never_asked_for() {
    let request =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(refused(|it| it.max_body_bytes = 10, request.to_owned()).await.0, [413]);
}

#[tokio::test]
async fn the_answer_413_arrives_although_the_client_goes_on_sending() {
    let body = "b".repeat(600_000);
    let request = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n{body}");
    assert_eq!(refused(|it| it.max_body_bytes = 10, request).await.0, [413]);
}

#[tokio::test]
async fn a_body_that_grows_too_large_ends_with_an_error() {
    let request = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n";
    let (statuses, answer) = refused(|it| it.max_body_bytes = 10, request.to_owned()).await;
    assert_eq!(statuses, [400]);
    assert!(answer.contains("larger than 10 bytes"), "{answer}");
}

#[tokio::test]
async fn a_body_that_pauses_too_long_ends_with_an_error() {
    let request = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nab";
    let (statuses, answer) = refused(|it| it.body_idle_timeout = SHORT, request.to_owned()).await;
    assert_eq!(statuses, [400]);
    assert!(answer.contains("paused"), "{answer}");
}

#[tokio::test]
async fn headers_that_do_not_end_are_408() {
    for request in ["G", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        assert_eq!(refused(|it| it.head_timeout = SHORT, request.to_owned()).await.0, [408]);
    }
    let again = "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT".to_owned();
    assert_eq!(refused(|it| it.head_timeout = SHORT, again).await.0, [200, 408]);
}

#[tokio::test]
async fn a_resting_connection_is_closed_without_a_word() {
    let (statuses, _) = refused(|it| it.keep_alive_timeout = SHORT, String::new()).await;
    assert!(statuses.is_empty());
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned();
    assert_eq!(refused(|it| it.keep_alive_timeout = SHORT, request).await.0, [200]);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_504() {
    let limits = Limits { request_timeout: SHORT, ..Limits::default() };
    let address = serve(limits, |_: Request, _: Arc<Peer>| std::future::pending()).await;
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(statuses(&exchange(address, request).await), [504]);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off() {
    let limits = Limits { write_timeout: SHORT, ..Limits::default() };
    let (sender, body) = Body::channel(1);
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let address = serve(limits, move |_: Request, _: Arc<Peer>| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Response::new(body) }
    })
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // The loopback buffers hold a few megabytes; then the sender is told that nobody reads.
    let chunk = bytes::Bytes::from(vec![0; 1 << 20]);
    let mut n_sent = 0;
    while sender.send(chunk.clone()).await.is_ok() {
        n_sent += 1;
        assert!(n_sent < 200, "nothing stops the sender");
    }
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_their_turn() {
    let limits = Limits { max_connections: 1, ..Limits::default() };
    let address = serve(limits, echo).await;
    let request = b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(request).await.unwrap();
    read_until(&mut first, "/first").await;

    let mut second = TcpStream::connect(address).await.unwrap();
    second
        .write_all(b"GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    first.write_all(request).await.unwrap();
    read_until(&mut first, "/first").await;
    assert!(second.try_read(&mut [0; 1]).is_err(), "answered too early");
    drop(first);
    assert!(read_to_end(&mut second).await.contains("/second"));
}
