//! TLS on both sides, HTTP/2, certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Version;
use tokio::net::TcpListener;
use transport::{
    Body, CallError, CallOptions, Client, ClientCertificates, ClientConfig, ClientTls, HostMap,
    HostTarget, HttpClient, HttpVersion, Limits, Peer, Request, Response, Roots, TlsIdentity,
    serve_here, server_config,
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
