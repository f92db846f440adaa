//! TLS on both sides, HTTP/2, certificates.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use transport::{
    Body, CallError, CallOptions, Client, ClientCertificates, ClientConfig, ClientIdentity,
    ClientTls, HostMap, HostTarget, HttpClient, HttpVersion, Limits, Peer, PinnedName, Pins,
    Request, Response, Roots, Thumbprint, TlsIdentity, serve_here, server_config,
};

struct Backend {
    address: SocketAddr,
    ca: String,
}

/// Answers with the version, what TLS agreed on, and the client's port.
async fn describe(request: Request, peer: Arc<Peer>) -> Response {
    let tls = peer.tls.clone().unwrap();
    let sni = tls.sni.unwrap_or_default();
    let text = format!("{:?} {} {sni} {}", request.version(), tls.protocol, peer.address.port());
    Response::new(Body::full(text))
}

/// A TLS listener with a certificate for `name`.
async fn backend(name: &str) -> Backend {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
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
    Backend { address, ca: made.cert.pem() }
}

fn client(backend: &Backend, trusts: bool) -> Client {
    let mut target = HostTarget::new(backend.address.to_string()).unwrap();
    if trusts {
        target = target.with_ca_pem(backend.ca.as_bytes()).unwrap();
    }
    let mut hosts = HostMap::new();
    hosts.insert("backend.test", target).unwrap();
    Client::new(ClientConfig::new(Roots::none(), hosts))
}

async fn call(client: &Client, options: &CallOptions) -> Result<(Version, String), CallError> {
    let request = http::Request::builder().uri("https://backend.test/").body(Body::empty());
    let response = client.send(request.unwrap(), options).await?;
    let version = response.version();
    let body = response.into_body().collect(99).await.unwrap();
    Ok((version, String::from_utf8_lossy(&body).into_owned()))
}

fn versions(http_version: HttpVersion) -> CallOptions {
    CallOptions { http_version, ..CallOptions::default() }
}

#[tokio::test]
async fn the_version_is_agreed_on_and_connections_are_kept() {
    let backend = backend("backend.test").await;
    let client = client(&backend, true);
    for (asked, expected, text) in [
        (HttpVersion::Http1, Version::HTTP_11, "HTTP/1.1"),
        (HttpVersion::Http2OrHttp1, Version::HTTP_2, "HTTP/2.0"),
        (HttpVersion::Http2, Version::HTTP_2, "HTTP/2.0"),
    ] {
        let (version, first) = call(&client, &versions(asked)).await.unwrap();
        assert_eq!(version, expected);
        assert!(first.starts_with(&format!("{text} TLSv1.3 backend.test ")), "{first}");
        assert_eq!(call(&client, &versions(asked)).await.unwrap().1, first);
    }
}

#[tokio::test]
async fn http2_calls_share_a_connection() {
    let backend = backend("backend.test").await;
    let (client, options) = (client(&backend, true), versions(HttpVersion::Http2));
    let first = call(&client, &options).await.unwrap();
    let (a, b) = tokio::join!(call(&client, &options), call(&client, &options));
    assert_eq!(a.unwrap(), first);
    assert_eq!(b.unwrap(), first);
}

#[tokio::test]
async fn certificates_are_checked_as_far_as_the_options_say() {
    let good = backend("backend.test").await;
    let misnamed = backend("other.test").await;
    for (backend, trusts, verify_chain, verify_name, is_accepted) in [
        (&good, true, true, true, true),
        (&good, false, true, true, false),
        (&good, false, false, true, true),
        (&misnamed, true, true, true, false),
        (&misnamed, true, true, false, true),
        (&misnamed, false, true, false, false),
        (&misnamed, false, false, true, false),
        (&misnamed, false, false, false, true),
    ] {
        let tls = ClientTls { verify_chain, verify_name };
        let options = CallOptions { tls, ..CallOptions::default() };
        let outcome = call(&client(backend, trusts), &options).await;
        assert_eq!(outcome.is_ok(), is_accepted, "{outcome:?} {trusts} {tls:?}");
        if let Err(error) = outcome {
            assert!(matches!(error, CallError::Tls { .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn only_a_pinned_certificate_is_accepted() {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;

    let backend = backend("backend.test").await;
    let der = CertificateDer::from_pem_slice(backend.ca.as_bytes()).unwrap();
    let (own, other) = (Thumbprint::of(&der), Thumbprint::of(b"other"));
    let named = |name: &str| PinnedName { name: name.to_owned(), issuer: None };
    let unchecked = ClientTls { verify_chain: false, verify_name: false };
    for (tls, thumbprints, names, is_accepted) in [
        (unchecked, &[own][..], &[][..], true),
        (unchecked, &[other, own], &[], true),
        (unchecked, &[other], &[], false),
        (unchecked, &[other], &[named("Backend.test")], true),
        (unchecked, &[], &[named("other.test")], false),
        // A pin is asked for besides the other checks.
        (ClientTls::default(), &[own], &[], false),
    ] {
        let pins = Pins::new(thumbprints.to_vec(), names.to_vec());
        let options = CallOptions { tls, pins, ..CallOptions::default() };
        let outcome = call(&client(&backend, false), &options).await;
        assert_eq!(outcome.is_ok(), is_accepted, "{outcome:?} {thumbprints:?} {names:?}");
    }
    let pins = Pins::new(vec![other], Vec::new());
    let options = CallOptions { tls: unchecked, pins, ..CallOptions::default() };
    let error = call(&client(&backend, true), &options).await.unwrap_err();
    assert!(error.to_string().contains("none of the pinned ones"), "{error}");
}

#[tokio::test]
async fn http2_works_without_tls_by_prior_knowledge() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = |request: Request, _: Arc<Peer>| async move {
        Response::new(Body::full(format!("{:?}", request.version())))
    };
    let never = std::future::pending();
    tokio::spawn(serve_here(listener, None, Limits::default(), Arc::new(service), never));
    let client = Client::new(ClientConfig::new(Roots::none(), HostMap::new()));
    let request = http::Request::builder().uri(format!("http://{address}/")).body(Body::empty());
    let response = client.send(request.unwrap(), &versions(HttpVersion::Http2)).await.unwrap();
    assert_eq!(response.into_body().collect(99).await.unwrap(), "HTTP/2.0");
}

/// A plain listener over which HTTP/2 is spoken by prior knowledge, and a client for it.
async fn http2(limits: Limits) -> (SocketAddr, Client) {
    let address = crate::raw::serve(limits, crate::raw::echo).await;
    (address, Client::new(ClientConfig::new(Roots::none(), HostMap::new())))
}

async fn http2_status(limits: Limits, request: http::request::Builder, body: Body) -> u16 {
    let (address, client) = http2(limits).await;
    let path = request.uri_ref().unwrap().path().to_owned();
    let request = request.uri(format!("http://{address}{path}")).body(body).unwrap();
    client.send(request, &versions(HttpVersion::Http2)).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_bounds_hold_for_http2_too() {
    let long = "x".repeat(10_000);
    let target = http::Request::get(format!("/{long}"));
    let limits = Limits { max_target_bytes: 9000, ..Limits::default() };
    assert_eq!(http2_status(limits, target, Body::empty()).await, 414);

    let header = http::Request::get("/").header("x-long", &long);
    let limits = Limits { max_head_bytes: 8192, ..Limits::default() };
    assert_eq!(http2_status(limits, header, Body::empty()).await, 431);

    let many = (0..20).fold(http::Request::get("/"), |it, n| it.header("x-many", n));
    let limits = Limits { max_headers: 10, ..Limits::default() };
    assert_eq!(http2_status(limits, many, Body::empty()).await, 431);

    let limits = || Limits { max_body_bytes: 4, ..Limits::default() };
    let post = || http::Request::post("/");
    assert_eq!(http2_status(limits(), post(), Body::full("12345")).await, 413);
    let (sender, body) = Body::channel(1);
    sender.send("12345").await.unwrap();
    drop(sender);
    assert_eq!(http2_status(limits(), post(), body).await, 400);
}

#[tokio::test]
async fn an_http2_stream_that_nobody_reads_is_cut_and_the_others_go_on() {
    let limits = Limits { write_timeout: Duration::from_millis(40), ..Limits::default() };
    let (sender, body) = Body::channel(1);
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let address = crate::raw::serve(limits, move |_: Request, _: Arc<Peer>| {
        let body = body.lock().unwrap().take().unwrap_or_else(|| Body::full("another"));
        async move { Response::new(body) }
    })
    .await;
    let client = Client::new(ClientConfig::new(Roots::none(), HostMap::new()));
    let call = async || {
        let request = http::Request::get(format!("http://{address}/")).body(Body::empty());
        client.send(request.unwrap(), &versions(HttpVersion::Http2)).await.unwrap()
    };
    let unread = call().await;
    let chunk = bytes::Bytes::from(vec![0; 1 << 20]);
    let mut n_sent = 0;
    while sender.send(chunk.clone()).await.is_ok() {
        n_sent += 1;
        assert!(n_sent < 200, "nothing stops the sender");
    }
    assert_eq!(call().await.into_body().collect(99).await.unwrap(), "another");
    assert!(unread.into_body().collect(1 << 30).await.is_err());
}

#[tokio::test]
async fn a_resting_http2_connection_is_closed() {
    let limits = Limits { keep_alive_timeout: Duration::from_millis(40), ..Limits::default() };
    let address = crate::raw::serve(limits, crate::raw::echo).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Preface and an empty SETTINGS frame, then silence.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    crate::raw::read_to_end(&mut stream).await;
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_off() {
    let made = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
    let identity = TlsIdentity::new(made.cert.pem(), made.signing_key.serialize_pem());
    let tls = server_config(&[identity], ClientCertificates::Ignored).unwrap();
    let limits = Limits { handshake_timeout: Duration::from_millis(40), ..Limits::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let never = std::future::pending();
    tokio::spawn(serve_here(listener, Some(tls), limits, Arc::new(describe), never));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[22, 3, 1]).await.unwrap();
    assert_eq!(crate::raw::read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn a_client_certificate_reaches_the_service() {
    let made = rcgen::generate_simple_self_signed(vec!["gw".to_owned()]).unwrap();
    let identity = TlsIdentity::new(made.cert.pem(), made.signing_key.serialize_pem());
    let tls = server_config(&[identity], ClientCertificates::Accepted).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = |_: Request, peer: Arc<Peer>| async move {
        let chain = peer.tls.as_ref().unwrap().certificates.clone();
        Response::new(Body::full(chain.and_then(|it| it.first().cloned()).unwrap_or_default()))
    };
    let never = std::future::pending();
    tokio::spawn(serve_here(listener, Some(tls), Limits::default(), Arc::new(service), never));

    let own = rcgen::generate_simple_self_signed(vec!["client".to_owned()]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![own.cert.der().clone()],
            rustls_pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = rustls_pki_types::ServerName::try_from("gw").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The end may come without a farewell of TLS; what counts is what came before.
    let _ = stream.read_to_end(&mut answer).await;
    let sent: &[u8] = own.cert.der();
    assert!(answer.windows(sent.len()).any(|it| it == sent));
}

/// The length of every certificate that the client sent.
async fn certificates(request: Request, peer: Arc<Peer>) -> Response {
    let chain = peer.tls.as_ref().unwrap().certificates.clone();
    let lengths: Option<Vec<usize>> = chain.map(|it| it.iter().map(Vec::len).collect());
    Response::new(Body::full(format!("{:?} {lengths:?}", request.version())))
}

/// A listener with its client, which presents a chain of two if it is to.
async fn with_certificates(asked: ClientCertificates) -> (Client, CallOptions, [usize; 2]) {
    let made = rcgen::generate_simple_self_signed(vec!["backend.test".to_owned()]).unwrap();
    let identity = TlsIdentity::new(made.cert.pem(), made.signing_key.serialize_pem());
    let tls = server_config(&[identity], asked).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let never = std::future::pending();
    tokio::spawn(serve_here(listener, Some(tls), Limits::default(), Arc::new(certificates), never));

    let above = rcgen::generate_simple_self_signed(vec!["authority".to_owned()]).unwrap();
    let own = rcgen::generate_simple_self_signed(vec!["client".to_owned()]).unwrap();
    let identity = ClientIdentity::from_pem(
        &(own.cert.pem() + &above.cert.pem()),
        &own.signing_key.serialize_pem().into(),
    );
    let options = CallOptions { identity: Some(identity.unwrap()), ..CallOptions::default() };
    let backend = Backend { address, ca: made.cert.pem() };
    (client(&backend, true), options, [own.cert.der().len(), above.cert.der().len()])
}

#[tokio::test]
async fn a_whole_chain_reaches_the_service_in_both_versions() {
    let (client, options, lengths) = with_certificates(ClientCertificates::Accepted).await;
    for (http_version, name) in [(HttpVersion::Http1, "HTTP/1.1"), (HttpVersion::Http2, "HTTP/2.0")]
    {
        let options = CallOptions { http_version, ..options.clone() };
        // The second connection goes on with the session of the first.
        for _ in 0..2 {
            let (_, text) = call(&client, &options).await.unwrap();
            assert_eq!(text, format!("{name} Some({lengths:?})"));
        }
        let without = CallOptions { identity: None, ..options };
        assert_eq!(call(&client, &without).await.unwrap().1, format!("{name} None"));
    }
}

#[tokio::test]
async fn a_listener_may_ask_for_none_or_insist_on_one() {
    let (client, options, _) = with_certificates(ClientCertificates::Ignored).await;
    assert_eq!(call(&client, &options).await.unwrap().1, "HTTP/1.1 None");

    let (client, options, lengths) = with_certificates(ClientCertificates::Required).await;
    let (_, text) = call(&client, &options).await.unwrap();
    assert_eq!(text, format!("HTTP/1.1 Some({lengths:?})"));
    let without = CallOptions { identity: None, ..options };
    assert!(call(&client, &without).await.is_err());
}
