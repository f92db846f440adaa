//! Calls through a proxy: tunnels with TLS inside, whole URLs without.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use transport::{
    Body, CallError, CallOptions, Client, ClientCertificates, ClientConfig, HostMap, HostTarget,
    HttpClient, HttpVersion, Limits, Peer, Proxy, Request, Response, Roots, Secret, TlsIdentity,
    serve_here, server_config,
};

use crate::raw::{PATIENCE, echo, serve};

/// A proxy that notes the heads of what it is asked, and tunnels everything to one address.
struct TinyProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl TinyProxy {
    /// `answer` is what it says to `CONNECT`; what begins with 200 is followed by a tunnel.
    async fn start(answer: &'static str, leads_to: SocketAddr) -> TinyProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(client.read_u8().await.unwrap());
                    }
                    noted.lock().unwrap().push(String::from_utf8(head).unwrap());
                    client.write_all(answer.as_bytes()).await.unwrap();
                    if answer.contains(" 200 ") {
                        let mut host = TcpStream::connect(leads_to).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut host).await;
                    }
                });
            }
        });
        TinyProxy { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    fn options(&self, credentials: Option<(&str, &Secret)>) -> CallOptions {
        let proxy = Proxy::new(&format!("http://{}", self.address), credentials).unwrap();
        CallOptions { proxy: Some(proxy), ..CallOptions::default() }
    }
}

async fn describe(request: Request, peer: Arc<Peer>) -> Response {
    let sni = peer.tls.clone().and_then(|it| it.sni).unwrap_or_default();
    let proxied = request.headers().contains_key("proxy-authorization");
    Response::new(Body::full(format!("{:?} {sni} {} {proxied}", request.version(), request.uri())))
}

/// A TLS listener for `backend.test`, and a client that trusts it but knows no address for it.
async fn backend() -> (SocketAddr, Client) {
    let made = rcgen::generate_simple_self_signed(vec!["backend.test".to_owned()]).unwrap();
    let identity = TlsIdentity {
        host_names: vec![],
        chain_pem: made.cert.pem(),
        key_pem: made.signing_key.serialize_pem().into(),
    };
    let tls = server_config(&[identity], ClientCertificates::Accepted).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let never = std::future::pending();
    tokio::spawn(serve_here(listener, Some(tls), Limits::default(), Arc::new(describe), never));
    // Nothing listens there: only the certificate of this entry may count.
    let nowhere = HostTarget::new("127.0.0.1:1".to_owned()).unwrap();
    let target = nowhere.with_ca_pem(made.cert.pem().as_bytes()).unwrap();
    let mut hosts = HostMap::new();
    hosts.insert("backend.test", target).unwrap();
    (address, Client::new(ClientConfig::new(Roots::none(), hosts)))
}

async fn get(client: &Client, url: &str, options: &CallOptions) -> Result<String, CallError> {
    let request = http::Request::builder().uri(url).body(Body::empty()).unwrap();
    let call = client.send(request, options);
    let response = tokio::time::timeout(PATIENCE, call).await.expect("too slow")?;
    let status = response.status().as_u16();
    let body = response.into_body().collect(999).await.unwrap();
    Ok(format!("{status} {}", body.escape_ascii()))
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_that_is_kept() {
    let (address, client) = backend().await;
    let proxy = TinyProxy::start("HTTP/1.1 200 Connection established\r\n\r\n", address).await;
    let password = Secret::new("hunter2");
    let options = proxy.options(Some(("me", &password)));
    for _ in 0..2 {
        let text = get(&client, "https://backend.test/a?b=c", &options).await.unwrap();
        assert_eq!(text, "200 HTTP/1.1 backend.test /a?b=c false");
    }
    let options = CallOptions { http_version: HttpVersion::Http2OrHttp1, ..options };
    let text = get(&client, "https://backend.test:8443/", &options).await.unwrap();
    assert_eq!(text, "200 HTTP/2.0 backend.test https://backend.test:8443/ false");
    let head = |authority: &str| {
        format!(
            "CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\nproxy-authorization: Basic bWU6aHVudGVyMg==\r\n\r\n"
        )
    };
    assert_eq!(proxy.heads(), [head("backend.test:443"), head("backend.test:8443")]);
}

#[tokio::test]
async fn connections_of_one_proxy_are_not_used_for_another() {
    let (address, client) = backend().await;
    let ok = "HTTP/1.1 200 OK\r\n\r\n";
    let (a, b) = (TinyProxy::start(ok, address).await, TinyProxy::start(ok, address).await);
    for _ in 0..2 {
        for proxy in [&a, &b] {
            get(&client, "https://backend.test/", &proxy.options(None)).await.unwrap();
        }
    }
    assert_eq!((a.heads().len(), b.heads().len()), (1, 1));
    let direct = get(&client, "https://backend.test/", &CallOptions::default()).await;
    assert!(matches!(direct, Err(CallError::Connect { .. })), "{direct:?}");
}

#[tokio::test]
async fn without_tls_the_proxy_gets_the_whole_url() {
    let proxy = serve(Limits::default(), echo).await;
    let client = Client::new(ClientConfig::new(Roots::none(), HostMap::new()));
    let password = Secret::new("hunter2");
    let url = format!("http://{proxy}");
    let proxy = Proxy::new(&url, Some(("me", &password))).unwrap();
    let options = CallOptions { proxy: Some(proxy), ..CallOptions::default() };
    let text = get(&client, "http://nowhere.test:81/a?b=c", &options).await.unwrap();
    assert_eq!(text, "200 GET http://nowhere.test:81/a?b=c ");
    let http2 = CallOptions { http_version: HttpVersion::Http2, ..options };
    let refused = get(&client, "http://nowhere.test/", &http2).await;
    assert!(matches!(refused, Err(CallError::Version { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_an_error_that_says_so() {
    let (address, client) = backend().await;
    let url = "https://backend.test/";
    for (answer, reason) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it answered 407"),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno", "it answered 502"),
        ("SSH-2.0\r\n\r\n", "its answer is no HTTP"),
        ("HTTP/1.1 200 OK\r\n\r\nearly", "it spoke before the host"),
        ("HTTP/1.1 200", "it closed the connection"),
    ] {
        let proxy = TinyProxy::start(answer, address).await;
        let password = Secret::new("hunter2");
        let options = proxy.options(Some(("me", &password)));
        let error = get(&client, url, &options).await.unwrap_err();
        let CallError::Proxy { reason: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(found, reason, "{answer}");
        assert!(!format!("{error} {error:?} {options:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_proxy_without_tls_may_refuse_too() {
    let refuse = |_: Request, _: Arc<Peer>| async {
        http::Response::builder().status(407).body(Body::empty()).unwrap()
    };
    let proxy = serve(Limits::default(), refuse).await;
    let client = Client::new(ClientConfig::new(Roots::none(), HostMap::new()));
    let proxy = Proxy::new(&format!("http://{proxy}"), None).unwrap();
    let options = CallOptions { proxy: Some(proxy), ..CallOptions::default() };
    let error = get(&client, "http://nowhere.test/", &options).await.unwrap_err();
    assert!(matches!(error, CallError::Proxy { .. }), "{error:?}");
}

#[tokio::test]
async fn a_proxy_that_says_nothing_or_too_much_is_left() {
    let (_, client) = backend().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = Proxy::new(&format!("http://{address}"), None).unwrap();
    let options = CallOptions {
        proxy: Some(proxy.clone()),
        connect_timeout: Duration::from_millis(50),
        ..CallOptions::default()
    };
    let silent = get(&client, "https://backend.test/", &options).await;
    assert!(matches!(silent, Err(CallError::ConnectTimeout { .. })), "{silent:?}");
    drop(listener);
    let gone = CallOptions { proxy: Some(proxy), ..CallOptions::default() };
    let gone = get(&client, "https://backend.test/", &gone).await;
    assert!(matches!(gone, Err(CallError::Connect { .. })), "{gone:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let endless = format!("x: {}\r\n", "y".repeat(1000)).into_bytes();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        for _ in 0..1000 {
            if stream.write_all(&endless).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    });
    let proxy = Proxy::new(&format!("http://{address}"), None).unwrap();
    let options = CallOptions { proxy: Some(proxy), ..CallOptions::default() };
    let error = get(&client, "https://backend.test/", &options).await.unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}
