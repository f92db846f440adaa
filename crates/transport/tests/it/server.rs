//! Requests, framing, draining.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use transport::{Body, Limits, ListenerConfig, Peer, Request, Response, Server, serve_here};

use crate::raw::{PATIENCE, echo, exchange, read_to_end, read_until, serve, statuses};

const CLOSE: &str = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_order() {
    let address = serve(Limits::default(), echo).await;
    let answers = exchange(
        address,
        &format!(
            "GET /a HTTP/1.1\r\nHost: x\r\n\r\n\
             POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\
             POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n\
             {CLOSE}"
        ),
    )
    .await;
    assert_eq!(statuses(&answers), [200; 4], "{answers}");
    for text in ["GET /a ", "POST /b abc", "POST /c de", "GET /last "] {
        assert!(answers.contains(text), "{answers}");
    }
}

#[tokio::test]
async fn ambiguous_or_broken_framing_is_refused_and_the_connection_closed() {
    let address = serve(Limits::default(), echo).await;
    for (name, head) in [
        ("both lengths", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
        ("both, other order", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
        ("equal lengths twice", "Content-Length: 3\r\nContent-Length: 3\r\n"),
        ("two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n"),
        ("a list of lengths", "Content-Length: 3, 3\r\n"),
        ("a signed length", "Content-Length: +3\r\n"),
        ("a negative length", "Content-Length: -3\r\n"),
        ("a huge length", "Content-Length: 99999999999999999999\r\n"),
        ("another encoding", "Transfer-Encoding: gzip\r\n"),
        ("two encodings", "Transfer-Encoding: gzip, chunked\r\n"),
        ("a hidden encoding", "Transfer-Encoding: \x0bchunked\r\n"),
        ("obs-fold", "X-A: b\r\n c\r\n"),
        ("a folded encoding", "Transfer-Encoding:\r\n chunked\r\n"),
        ("a bare CR", "X-A: b\rc\r\n"),
        ("a bare CR before a header", "X-A: b\rContent-Length: 3\r\n"),
        ("a space before the colon", "Content-Length : 3\r\n"),
        ("no colon", "nonsense\r\n"),
        ("no name", ": x\r\n"),
        ("a NUL", "X-A: \0\r\n"),
        ("a second Host", "Host: y\r\n"),
    ] {
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{head}\r\nabc{CLOSE}");
        let answer = exchange(address, &request).await;
        assert_eq!(statuses(&answer), [400], "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_request_needs_a_host_a_method_and_a_version() {
    let address = serve(Limits::default(), echo).await;
    for (request, status, message) in [
        ("GET / HTTP/1.1\r\n\r\n", 400, "The request is not valid HTTP."),
        ("G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "The request is not valid HTTP."),
        ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "The request is not valid HTTP."),
        ("GET / HTTP/1.1\nHost: x\n\n", 400, "The request is not valid HTTP."),
        ("nonsense\r\n\r\n", 400, "The request is not valid HTTP."),
        ("\u{16}\u{3}\u{1}", 400, "The request is not valid HTTP."),
        ("GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505, "The version of HTTP is not supported."),
        ("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501, "The method CONNECT is not supported."),
    ] {
        let answer = exchange(address, request).await;
        assert_eq!(statuses(&answer), [status], "{request:?}: {answer}");
        // In the shape of the gateway's own errors.
        let body = format!("\r\n\r\n{{ \"statusCode\": {status}, \"message\": \"{message}\" }}");
        assert!(answer.ends_with(&body) && answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn broken_chunks_end_the_body_and_the_connection() {
    let address = serve(Limits::default(), echo).await;
    for chunks in ["zz\r\nab\r\n", "2\r\nabc\r\n0\r\n\r\n", "-2\r\nab\r\n", "fffffffffffffffff\r\n"]
    {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = exchange(address, &format!("{head}{chunks}{CLOSE}")).await;
        assert!(!answer.contains("200"), "{chunks:?}: {answer}");
    }
}

#[tokio::test]
async fn the_body_is_asked_for_only_when_somebody_reads_it() {
    let address = serve(Limits::default(), |request: Request, peer| async move {
        if request.uri().path() == "/read" {
            return echo(request, peer).await;
        }
        Response::new(Body::full("unread"))
    })
    .await;
    let head = |path| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
    };

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head("/read").as_bytes()).await.unwrap();
    assert_eq!(statuses(&read_until(&mut stream, "\r\n\r\n").await), [100]);
    stream.write_all(b"ab").await.unwrap();
    assert!(read_until(&mut stream, "/read ab").await.contains("HTTP/1.1 200"));

    let answer = exchange(address, &head("/ignore")).await;
    assert_eq!(statuses(&answer), [200], "{answer}");
}

#[tokio::test]
async fn a_response_streams_chunk_by_chunk() {
    let (chunks, body) = Body::channel(1);
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let address = serve(Limits::default(), move |_: Request, _: Arc<Peer>| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Response::new(body) }
    })
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();

    for chunk in ["one", "two"] {
        chunks.send(chunk).await.unwrap();
        read_until(&mut stream, chunk).await;
    }
    chunks.abort("no more").await;
    let rest = read_to_end(&mut stream).await;
    assert!(!rest.contains("0\r\n\r\n"), "an aborted body must not look complete: {rest:?}");
}

#[tokio::test]
async fn the_work_is_dropped_when_the_client_goes_away() {
    let (started, mut is_started) = tokio::sync::mpsc::channel(1);
    let (alive, mut is_alive) = tokio::sync::mpsc::channel::<()>(1);
    let address = serve(Limits::default(), move |_: Request, _: Arc<Peer>| {
        let (started, alive) = (started.clone(), alive.clone());
        async move {
            let _alive = alive;
            started.send(()).await.unwrap();
            std::future::pending().await
        }
    })
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    is_started.recv().await.unwrap();
    is_alive.close();
    drop(stream);
    // Only the service's own copy keeps the channel open now; it goes with the request's.
    let gone = async {
        while is_alive.sender_strong_count() > 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("the work goes on");
}

#[tokio::test]
async fn draining_answers_what_is_in_flight_and_closes_what_rests() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (finish, finished) = oneshot::channel::<()>();
    let (stop, stopped) = oneshot::channel::<()>();
    let (arrive, mut arrived) = tokio::sync::mpsc::channel(1);
    let finished = Arc::new(std::sync::Mutex::new(Some(finished)));
    let service = move |_: Request, _: Arc<Peer>| {
        let (finished, arrive) = (finished.lock().unwrap().take(), arrive.clone());
        async move {
            arrive.send(()).await.unwrap();
            finished.unwrap().await.unwrap();
            Response::new(Body::full("done"))
        }
    };
    let draining = async { drop(stopped.await) };
    let served =
        tokio::spawn(serve_here(listener, None, Limits::default(), Arc::new(service), draining));

    let mut resting = TcpStream::connect(address).await.unwrap();
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    arrived.recv().await.unwrap();
    stop.send(()).unwrap();
    assert_eq!(read_to_end(&mut resting).await, "");
    finish.send(()).unwrap();
    let answer = read_to_end(&mut busy).await;
    assert!(answer.contains("done"), "{answer}");
    timeout(PATIENCE, served).await.expect("does not end").unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_the_kernel_has_accepted_is_answered_before_the_listener_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut early = TcpStream::connect(address).await.unwrap();
    early.write_all(b"GET /early HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let stopped = std::future::ready(());
    tokio::spawn(serve_here(listener, None, Limits::default(), Arc::new(echo), stopped));
    assert!(read_to_end(&mut early).await.contains("/early"));
}

#[test]
fn workers_serve_one_port_and_drain() {
    let listener = ListenerConfig { address: "127.0.0.1:0".parse().unwrap(), tls: None };
    let bound = Server::bind(vec![listener], Limits::default(), 2).unwrap();
    let running = bound.serve(Arc::new(echo)).unwrap();
    let address = running.addresses()[0];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..20 {
            assert_eq!(statuses(&exchange(address, CLOSE).await), [200]);
        }
        assert!(running.drain(PATIENCE).await);
        assert!(TcpStream::connect(address).await.is_err());
    });
    running.stop();
}

#[test]
fn a_drain_that_takes_too_long_says_so_and_stop_ends_it() {
    let listener = ListenerConfig { address: "127.0.0.1:0".parse().unwrap(), tls: None };
    let bound = Server::bind(vec![listener], Limits::default(), 1).unwrap();
    let (arrive, mut arrived) = tokio::sync::mpsc::channel(1);
    let service = move |_: Request, _: Arc<Peer>| {
        let arrive = arrive.clone();
        async move {
            arrive.send(()).await.unwrap();
            std::future::pending().await
        }
    };
    let running = bound.serve(Arc::new(service)).unwrap();
    let address = running.addresses()[0];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut stream = runtime.block_on(async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        arrived.recv().await.unwrap();
        assert!(!running.drain(Duration::from_millis(1)).await);
        stream
    });
    running.stop();
    assert_eq!(runtime.block_on(read_to_end(&mut stream)), "");
}
