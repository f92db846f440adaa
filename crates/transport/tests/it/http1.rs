//! HTTP/1.1 over the socket: what is refused, what is answered how, and how backends are read.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use transport::{
    Body, CallError, CallOptions, Client, ClientConfig, HostMap, HttpClient, Limits, Peer, Request,
    Response, Roots, serve_here,
};

use crate::raw::{PATIENCE, echo, exchange, read_to_end, read_until, serve, statuses};

const LAST: &str = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn no_request_is_smuggled_past_the_first() {
    let address = serve(Limits::default(), echo).await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    for head in [
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n",
        "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\n",
        "Transfer-Encoding:\u{b}chunked\r\n",
        "Transfer-Encoding:\u{a0}chunked\r\n",
        "Transfer-Encoding: chunk\0ed\r\n",
        "Transfer-Encoding: 'chunked'\r\n",
        "Transfer-Encoding: chunked \u{b}\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: , chunked\r\n",
        "Transfer-Encoding\0: chunked\r\n",
        "Content-Length: 0\r\nContent-Length: 44\r\n",
        "Content-Length: 0, 44\r\n",
        "Content-Length: 0 44\r\n",
        "Content-Length: 00000000000000000000000\u{b}\r\n",
        "Content-Length: 0\n",
        "Content-Length\t: 0\r\n",
    ] {
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n0\r\n\r\n{hidden}{LAST}");
        let answer = exchange(address, &request).await;
        assert_eq!(statuses(&answer), [400], "{head:?}: {answer}");
    }
    // Chunks that some would end elsewhere.
    for chunks in [
        "0\n\r\n",
        "0\r\n\n",
        "0\r\nX: y\n\r\n",
        "00000000000000000\r\n",
        "0;\rx\r\n\r\n",
        "0x0\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "1\r\na0\r\n\r\n",
        "0\r\n X: y\r\n\r\n",
    ] {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = exchange(address, &format!("{head}{chunks}{hidden}{LAST}")).await;
        assert!(!answer.contains("/hidden") && !answer.contains("/last"), "{chunks:?}: {answer}");
    }
}

#[tokio::test]
async fn methods_versions_and_statuses_decide_on_the_framing() {
    let address = serve(Limits::default(), |request: Request, _: Arc<Peer>| async move {
        let status = request.uri().path()[1..].parse().unwrap();
        let body = if request.uri().query().is_some() { stream() } else { Body::full("body") };
        http::Response::builder().status::<u16>(status).body(body).unwrap()
    })
    .await;
    let told = async |request: &str| {
        let answer = exchange(address, request).await;
        let lines: Vec<_> = answer.split("\r\n").filter(|it| !it.starts_with("date: ")).collect();
        lines.join("|")
    };
    let new = async |start: &str| {
        told(&format!("{start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
    };
    let old =
        async |start: &str, more: &str| told(&format!("{start} HTTP/1.0\r\n{more}\r\n")).await;

    let close = "connection: close||";
    assert_eq!(new("GET /200").await, format!("HTTP/1.1 200 OK|content-length: 4|{close}body"));
    assert_eq!(new("HEAD /200").await, format!("HTTP/1.1 200 OK|content-length: 4|{close}"));
    assert_eq!(new("GET /204").await, format!("HTTP/1.1 204 No Content|{close}"));
    assert_eq!(
        new("GET /304").await,
        format!("HTTP/1.1 304 Not Modified|content-length: 4|{close}")
    );
    let chunked = format!("HTTP/1.1 200 OK|transfer-encoding: chunked|{close}");
    assert_eq!(new("GET /200?s").await, format!("{chunked}3|one|3|two|0||"));
    assert_eq!(new("HEAD /200?s").await, format!("HTTP/1.1 200 OK|{close}"));
    assert!(new("GET /100").await.starts_with("HTTP/1.1 500 "));

    assert_eq!(old("GET /200", "").await, "HTTP/1.0 200 OK|content-length: 4||body");
    assert_eq!(old("GET /200?s", "").await, "HTTP/1.0 200 OK||onetwo");
    let twice = "Connection: keep-alive\r\n\r\nGET /200 HTTP/1.0\r\n";
    assert_eq!(
        old("GET /200", twice).await,
        "HTTP/1.0 200 OK|content-length: 4|connection: keep-alive||body\
         HTTP/1.0 200 OK|content-length: 4||body"
    );
}

/// A stream of two parts that are there at once.
fn stream() -> Body {
    let (sender, body) = Body::channel(2);
    tokio::spawn(async move {
        for part in ["one", "two"] {
            let _ = sender.send(part).await;
        }
    });
    body
}

#[tokio::test]
async fn an_unread_body_is_skipped_if_it_is_short() {
    let address = serve(Limits::default(), |_: Request, _: Arc<Peer>| async {
        Response::new(Body::full("unread"))
    })
    .await;
    for (n_bytes, expected) in [(100_000, vec![200, 200]), (3_000_000, vec![200])] {
        let body = "b".repeat(n_bytes);
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {n_bytes}\r\n\r\n");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (mut read, mut write) = stream.split();
        let send = async {
            // The other side may have closed already.
            let _ = write.write_all(format!("{head}{body}{LAST}").as_bytes()).await;
        };
        let mut answer = Vec::new();
        let (_, end) = tokio::join!(send, timeout(PATIENCE, read.read_to_end(&mut answer)));
        assert!(end.is_ok());
        assert_eq!(statuses(&String::from_utf8(answer).unwrap()), expected, "{n_bytes}");
    }
}

#[tokio::test]
async fn requests_ahead_of_the_one_in_work_wait_in_the_kernel() {
    let service = |_: Request, _: Arc<Peer>| std::future::pending();
    let address = serve(Limits::default(), service).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let requests = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10_000);
    let mut n_taken = 0;
    while let Ok(taken) =
        timeout(Duration::from_millis(200), stream.write(requests.as_bytes())).await
    {
        n_taken += taken.unwrap();
        // The loopback buffers hold a few megabytes.
        assert!(n_taken < 64 << 20, "everything is read");
    }
}

#[tokio::test]
async fn half_a_head_does_not_hold_up_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let draining = async { drop(stopped.await) };
    let served =
        tokio::spawn(serve_here(listener, None, Limits::default(), Arc::new(echo), draining));
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(format!("{}GET / HT", LAST.replace("close", "x")).as_bytes()).await.unwrap();
    read_until(&mut half, "/last").await;
    stop.send(()).unwrap();
    timeout(PATIENCE, served).await.expect("does not end").unwrap();
    assert_eq!(read_to_end(&mut half).await, "");
}

#[tokio::test]
async fn an_upgraded_connection_is_waited_for_when_draining() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", backend.local_addr().unwrap());
    let client = client();
    let service = move |mut request: Request, _: Arc<Peer>| {
        let (client, url) = (client.clone(), url.clone());
        async move {
            let ours = transport::upgrade::take(request.extensions_mut()).unwrap();
            *request.uri_mut() = url.parse().unwrap();
            let mut response = client.send(request, &CallOptions::default()).await.unwrap();
            let theirs = transport::upgrade::take(response.extensions_mut()).unwrap();
            tokio::spawn(transport::upgrade::relay(ours, theirs, PATIENCE));
            response
        }
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let draining = async { drop(stopped.await) };
    let mut served =
        tokio::spawn(serve_here(listener, None, Limits::default(), Arc::new(service), draining));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let ask = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut other = backend.accept().await.unwrap().0;
    read_until(&mut other, "\r\n\r\n").await;
    let switch =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    other.write_all(switch.as_bytes()).await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;

    stop.send(()).unwrap();
    assert!(timeout(Duration::from_millis(50), &mut served).await.is_err(), "not waited for");
    other.write_all(b"still here").await.unwrap();
    read_until(&mut stream, "still here").await;
    drop((other, stream));
    timeout(PATIENCE, served).await.expect("does not end").unwrap();
}

#[tokio::test]
async fn a_client_that_stops_inside_its_body_ends_the_work() {
    let (told, mut tell) = tokio::sync::mpsc::channel(1);
    let address = serve(Limits::default(), move |request: Request, _: Arc<Peer>| {
        let told = told.clone();
        async move {
            // Read in a task of its own, which outlives the request.
            tokio::spawn(async move {
                let _ = told.send(request.into_body().collect(99).await).await;
            });
            std::future::pending().await
        }
    })
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").await.unwrap();
    drop(stream);
    let outcome = timeout(PATIENCE, tell.recv()).await.unwrap().unwrap();
    assert!(matches!(outcome, Err(transport::BodyError::Aborted(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_body_may_be_read_by_another_task() {
    let address = serve(Limits::default(), |request: Request, _: Arc<Peer>| async {
        let read = tokio::spawn(request.into_body().collect(1 << 20));
        let text = read.await.unwrap().map_or(0, |it| it.len());
        Response::new(Body::full(text.to_string()))
    })
    .await;
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n";
    let request = format!("{head}{}{LAST}", "b".repeat(300_000));
    let answer = exchange(address, &request).await;
    assert!(answer.contains("\r\n\r\n300000HTTP"), "{answer}");
}

fn client() -> Client {
    Client::new(ClientConfig::new(Roots::none(), HostMap::new()))
}

/// Calls a backend that answers each request with the next of these, and closes after the last.
async fn call(method: Method, answers: &[&[u8]]) -> Vec<Result<(u16, String), CallError>> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answers: Vec<Vec<u8>> = answers.iter().map(|it| it.to_vec()).collect();
    let n_calls = answers.len();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in answers {
            read_until(&mut stream, "\r\n\r\n").await;
            stream.write_all(&answer).await.unwrap();
        }
    });
    let (client, mut outcomes) = (client(), Vec::new());
    for _ in 0..n_calls {
        let request = http::Request::builder().method(method.clone()).uri(&url);
        let request = request.body(Body::empty()).unwrap();
        outcomes.push(match client.send(request, &CallOptions::default()).await {
            Ok(response) => {
                let status = response.status().as_u16();
                let body = response.into_body().collect(1 << 20).await;
                let body = body.map(|it| String::from_utf8_lossy(&it).into_owned());
                Ok((status, body.unwrap_or_else(|error| error.to_string())))
            }
            Err(error) => Err(error),
        });
    }
    outcomes
}

#[tokio::test]
async fn every_form_of_response_is_read_to_its_end() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(256));
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(3);
    for (method, answer, status, body) in [
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, "ab"),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
            200,
            "ab",
        ),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
            200,
            "",
        ),
        (Method::GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, ""),
        (Method::GET, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", 204, ""),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", 304, ""),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200, ""),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, ""),
        (Method::GET, &format!("{interim}HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab"), 200, "ab"),
    ] {
        // The same connection serves the second call.
        let outcomes = call(method, &[answer.as_bytes(), answer.as_bytes()]).await;
        let expected = (status, body.to_owned());
        assert!(outcomes.iter().all(|it| *it == Ok(expected.clone())), "{answer:?}: {outcomes:?}");
    }
    for (answer, body) in [
        ("HTTP/1.1 200 OK\r\n\r\nall of it", "all of it"),
        ("HTTP/1.0 200 OK\r\n\r\nall of it", "all of it"),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nall of it", "all"),
        (&many, ""),
    ] {
        let outcome = call(Method::GET, &[answer.as_bytes()]).await;
        assert_eq!(outcome, [Ok((200, body.to_owned()))], "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_sound_response_is_an_error() {
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(40);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(257));
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nab",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "SSH-2.0-x\r\n",
        "HTTP/1.1 200 OK\r\nA: b",
        &interim,
        &many,
    ] {
        let outcome = call(Method::GET, &[answer.as_bytes()]).await;
        assert!(matches!(&outcome[..], [Err(CallError::Broken { .. })]), "{answer:?}: {outcome:?}");
    }
    let broken = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    let outcome = call(Method::GET, &[broken]).await;
    assert!(matches!(&outcome[..], [Ok((200, text))] if text.contains("cut short")), "{outcome:?}");
}

#[tokio::test]
async fn a_connection_with_more_than_an_answer_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_until(&mut stream, "\r\n\r\n").await;
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";
            let foul = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfoul";
            stream.write_all(format!("{answer}{foul}").as_bytes()).await.unwrap();
            tokio::spawn(async move { stream.read(&mut [0; 9]).await });
        }
    });
    let client = client();
    for _ in 0..5 {
        let request = http::Request::get(&url).body(Body::empty()).unwrap();
        let response = client.send(request, &CallOptions::default()).await.unwrap();
        assert_eq!(response.into_body().collect(9).await.unwrap(), "good");
    }
}

#[tokio::test]
async fn an_early_answer_ends_a_long_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_until(&mut stream, "\r\n\r\n").await;
            let answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig";
            stream.write_all(answer.as_bytes()).await.unwrap();
            open.push(stream);
        }
    });
    // Neither of these bodies can ever be sent to its end.
    let (_sender, never) = Body::channel(1);
    let large = Body::full(vec![0; 64 << 20]);
    let client = client();
    for body in [never, large] {
        let request = http::Request::post(&url).body(body).unwrap();
        let response = timeout(PATIENCE, client.send(request, &CallOptions::default())).await;
        let response = response.unwrap().unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(response.into_body().collect(9).await.unwrap(), "big");
    }
}

#[tokio::test]
async fn a_request_goes_to_a_fresh_connection_if_the_old_one_has_died() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (first, firsts) = oneshot::channel::<()>();
    let server = async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        firsts.await.unwrap();
        // Reads the next request, and dies without a word.
        read_until(&mut stream, "large").await;
        drop(stream);
        let (mut stream, _) = listener.accept().await.unwrap();
        let again = read_until(&mut stream, "end").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        again
    };
    let calls = async {
        let client = client();
        let request = http::Request::get(&url).body(Body::empty()).unwrap();
        client.send(request, &CallOptions::default()).await.unwrap();
        first.send(()).unwrap();
        let body = Body::full(format!("large{}end", "x".repeat(100_000)));
        let request = http::Request::put(&url).header("a", "b").body(body).unwrap();
        client.send(request, &CallOptions::default()).await.unwrap().status()
    };
    let (again, status) = timeout(PATIENCE, async { tokio::join!(server, calls) }).await.unwrap();
    assert_eq!(status, 200);
    assert!(again.starts_with("PUT / HTTP/1.1\r\nhost: "), "{again}");
    assert!(again.contains("\r\na: b\r\ncontent-length: 100008\r\n\r\nlarge"), "{again}");
    assert_eq!(again.len(), again.find("large").unwrap() + 100_008);
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "GET / HTTP/1.1\r\n",
        "POST /x HTTP/1.1\r\n",
        "PUT / HTTP/1.0\r\n",
        "Host: x\r\n",
        "\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "Expect: 100-continue\r\n",
        "3\r\nabc\r\n",
        "0\r\n\r\n",
        "abc",
        "A: b\r\n",
        "\n",
        "\r",
        " ",
        "Connection: upgrade\r\nUpgrade: websocket\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let words = prop::sample::select(words.map(str::as_bytes).map(<[u8]>::to_vec).to_vec());
    prop_oneof![9 => words, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn how_requests_are_cut_does_not_matter(cuts in prop::collection::vec(1_usize..60, 0..12)) {
        let text = format!(
            "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n\
             POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\
             POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
             2;x=y\r\nde\r\n1\r\nf\r\n0\r\nT: u\r\n\r\n{LAST}"
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answers = runtime.block_on(async {
            let address = serve(Limits::default(), echo).await;
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                stream.write_all(now).await.unwrap();
                tokio::task::yield_now().await;
                rest = later;
            }
            stream.write_all(rest).await.unwrap();
            read_to_end(&mut stream).await
        });
        prop_assert_eq!(statuses(&answers), [200; 4]);
        for text in ["GET /a ", "POST /b abc", "POST /c def", "GET /last "] {
            prop_assert!(answers.contains(text), "{}", answers);
        }
    }

    /// Text of what requests are made of, in any order.
    #[test]
    fn whatever_comes_is_answered_or_closed(parts in prop::collection::vec(part(), 0..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (answers, last) = runtime.block_on(async {
            let address = serve(Limits::default(), echo).await;
            let mut stream = TcpStream::connect(address).await.unwrap();
            let (mut read, mut write) = stream.split();
            let send = async {
                // It may be closed before everything is sent.
                let _ = write.write_all(&parts.concat()).await;
                let _ = write.shutdown().await;
            };
            let mut answers = Vec::new();
            let all = async { tokio::join!(send, read.read_to_end(&mut answers)) };
            let (_, read) = timeout(PATIENCE, all).await.expect("it hangs");
            // A reset is an end too.
            drop(read);
            (answers, exchange(address, LAST).await)
        });
        let answers = String::from_utf8_lossy(&answers).into_owned();
        for status in statuses(&answers) {
            prop_assert!([100, 200, 400, 501, 505].contains(&status), "{}", answers);
        }
        prop_assert!(last.contains("GET /last "), "{}", last);
    }

    #[test]
    fn how_responses_are_cut_does_not_matter(cuts in prop::collection::vec(1_usize..60, 0..12)) {
        let text = "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n\
            HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n\
            2;x=y\r\nde\r\n1\r\nf\r\n0\r\nT: u\r\n\r\n";
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let body = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                read_until(&mut stream, "\r\n\r\n").await;
                let mut rest = text.as_bytes();
                for cut in cuts {
                    let (now, later) = rest.split_at(cut.min(rest.len()));
                    stream.write_all(now).await.unwrap();
                    tokio::task::yield_now().await;
                    rest = later;
                }
                stream.write_all(rest).await.unwrap();
                stream.read(&mut [0; 9]).await
            });
            let request = http::Request::get(&url).body(Body::empty()).unwrap();
            let response = client().send(request, &CallOptions::default()).await.unwrap();
            response.into_body().collect(99).await.unwrap()
        });
        prop_assert_eq!(body, "def");
    }
}
