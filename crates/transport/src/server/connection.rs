//! One accepted connection: TLS, choice of the protocol, and its requests until it closes.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, Version, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::framing::Framing;
use super::watch::{InFlight, Overdue, Watch, Watched, tick};
use crate::service::Abort;
use crate::{Body, BodyError, Limits, Peer, Response, Service, TlsInfo};

/// What all connections of a listener share.
pub(super) struct Shared<S> {
    pub(super) service: Arc<S>,
    pub(super) limits: Limits,
    pub(super) tls: Option<TlsAcceptor>,
}

/// Bytes and time spent on reading what a refused client still sends.
const LINGER: (u64, Duration) = (1024 * 1024, Duration::from_secs(2));

const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Serves a connection until it closes, or until `draining` ends and its requests are answered.
pub(super) async fn serve<S: Service>(
    shared: Arc<Shared<S>>,
    stream: TcpStream,
    address: SocketAddr,
    draining: impl Future<Output = ()>,
) {
    // Small answers must not wait for the client's acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(address);
    let mut draining = std::pin::pin!(draining);
    let Some(acceptor) = &shared.tls else {
        let mut start = [0; 4];
        let peek = timeout(shared.limits.keep_alive_timeout, stream.peek(&mut start));
        let n = tokio::select! {
            biased;
            peeked = peek => match peeked {
                Ok(Ok(n)) => n,
                _ => return,
            },
            () = draining.as_mut() => return,
        };
        let peer = Peer { address, local, tls: None };
        // Prior knowledge (RFC 9113, section 3.3): no HTTP/1.1 method is called PRI.
        let is_http2 = start.get(..n) == Some(b"PRI ");
        return serve_http(shared, stream, peer, is_http2, draining).await;
    };
    let handshake = timeout(shared.limits.handshake_timeout, acceptor.accept(stream));
    let stream = tokio::select! {
        biased;
        done = handshake => match done {
            Ok(Ok(stream)) => stream,
            _ => return,
        },
        () = draining.as_mut() => return,
    };
    let session = stream.get_ref().1;
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    let tls = TlsInfo {
        protocol: match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        },
        sni: session.server_name().map(ToOwned::to_owned),
        certificate: session
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|certificate| certificate.to_vec()),
    };
    let peer = Peer { address, local, tls: Some(tls) };
    serve_http(shared, stream, peer, is_http2, draining).await;
}

async fn serve_http<S, T>(
    shared: Arc<Shared<S>>,
    stream: T,
    peer: Peer,
    is_http2: bool,
    draining: impl Future<Output = ()>,
) where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let watch = Arc::new(Watch::new());
    let peer = Arc::new(peer);
    let limits = shared.limits.clone();
    let answering = {
        let watch = watch.clone();
        service_fn(move |request| answer(&shared, &watch, &peer, request))
    };
    if is_http2 {
        let io = TokioIo::new(Watched::new(stream, watch.clone(), None));
        let mut connection = http2_builder(&limits).serve_connection(io, answering);
        let shut_down = |it: Pin<&mut _>| http2::Connection::graceful_shutdown(it);
        drive(&mut connection, shut_down, &watch, &limits, draining).await;
        return;
    }
    let io = TokioIo::new(Watched::new(stream, watch.clone(), Some(Framing::new())));
    let mut connection = http1_builder(&limits).serve_connection(io, answering).with_upgrades();
    let shut_down = |it: Pin<&mut _>| http1::UpgradeableConnection::graceful_shutdown(it);
    let ended = drive(&mut connection, shut_down, &watch, &limits, draining).await;
    let owes = ended == Ended::Head || watch.lingers();
    let Some(parts) = owes.then(|| connection.into_parts()).flatten() else { return };
    let mut io = parts.io.into_inner();
    if ended == Ended::Head {
        let _ = io.write_all(TIMED_OUT).await;
        let _ = io.shutdown().await;
    }
    let mut rest = io.take(LINGER.0);
    let _ = timeout(LINGER.1, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Closed,
    /// The bound for headers has passed: the client is owed a 408.
    Head,
    Write,
}

/// Runs a connection beside its timer.
async fn drive<C, E>(
    connection: &mut C,
    mut shut_down: impl FnMut(Pin<&mut C>),
    watch: &Watch,
    limits: &Limits,
    draining: impl Future<Output = ()>,
) -> Ended
where
    C: Future<Output = Result<(), E>> + Unpin,
{
    let period = tick(limits);
    let mut timer = std::pin::pin!(tokio::time::sleep(period));
    let mut draining = std::pin::pin!(draining);
    let (mut is_draining, mut n_idle) = (false, 0);
    loop {
        tokio::select! {
            biased;
            _ = &mut *connection => return Ended::Closed,
            () = draining.as_mut(), if !is_draining => {
                is_draining = true;
                shut_down(Pin::new(connection));
            }
            () = timer.as_mut() => {
                match watch.overdue(limits) {
                    None => n_idle = 0,
                    // HTTP/2 has a timer per request: there this is seen by nobody.
                    Some(Overdue::Request) => watch.expire(),
                    Some(Overdue::Head) => return Ended::Head,
                    Some(Overdue::Write) => return Ended::Write,
                    // An HTTP/2 client is told first; then it has had its time.
                    Some(Overdue::Idle) if n_idle > 0 => return Ended::Closed,
                    Some(Overdue::Idle) => {
                        n_idle += 1;
                        shut_down(Pin::new(connection));
                    }
                }
                timer.as_mut().reset(tokio::time::Instant::now() + period);
            }
        }
    }
}

fn http1_builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .max_headers(limits.max_headers)
        .max_header_size(limits.max_head_bytes)
        // The read buffer bounds a head whose end never comes; hyper wants at least 8 KiB.
        .max_buf_size(limits.max_head_bytes.max(8192))
        .header_read_timeout(None)
        .timer(TokioTimer::new());
    builder
}

fn http2_builder(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .max_header_list_size(u32::try_from(limits.max_head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.max_streams)
        .keep_alive_interval(limits.keep_alive_timeout / 2)
        .keep_alive_timeout(limits.write_timeout.min(Duration::from_secs(20)))
        .timer(TokioTimer::new());
    builder
}

fn answer<S: Service>(
    shared: &Arc<Shared<S>>,
    watch: &Arc<Watch>,
    peer: &Arc<Peer>,
    request: http::Request<Incoming>,
) -> impl Future<Output = Result<http::Response<Sent>, Aborted>> + Send + use<S> {
    let is_sound = watch.begin();
    let in_flight = InFlight(watch.clone());
    let limits = &shared.limits;
    let bound = limits.request_timeout;
    let version = request.version();
    let work = match refusal(&request, limits, is_sound) {
        Some(status) => {
            watch.linger();
            Err(refuse(status, version))
        }
        None => {
            let (max_bytes, idle) = (limits.max_body_bytes, limits.body_idle_timeout);
            let request = request.map(|it| Body::incoming(it, max_bytes, Some(idle)));
            Ok(shared.service.clone().call(request, peer.clone()))
        }
    };
    async move {
        let response = match work {
            Err(refused) => Some(refused),
            Ok(work) if version == Version::HTTP_2 => timeout(bound, work).await.ok(),
            Ok(work) => within(work, &in_flight.0).await,
        };
        let response = response
            .unwrap_or_else(|| explain(StatusCode::GATEWAY_TIMEOUT, "The request took too long."));
        in_flight.0.answered();
        if response.extensions().get::<Abort>().is_some() {
            return Err(Aborted);
        }
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            in_flight.0.upgraded();
        }
        Ok(response.map(|body| Sent { body, _in_flight: in_flight }))
    }
}

/// The response, unless the connection's timer says that the time is over. That timer runs in the
/// task which polls this, so it needs no waker of its own.
async fn within(work: impl Future<Output = Response>, watch: &Watch) -> Option<Response> {
    let mut work = std::pin::pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(response) => Poll::Ready(Some(response)),
        Poll::Pending if watch.is_expired() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// The status that a request deserves before anyone looks at it.
fn refusal(
    request: &http::Request<Incoming>,
    limits: &Limits,
    is_sound: bool,
) -> Option<StatusCode> {
    let headers = request.headers();
    if !is_sound {
        return Some(StatusCode::BAD_REQUEST);
    }
    let target_bytes = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if target_bytes > limits.max_target_bytes {
        return Some(StatusCode::URI_TOO_LONG);
    }
    if headers.len() > limits.max_headers {
        return Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    // Exactly one Host (RFC 9112, section 3.2); HTTP/2 has `:authority` in its place.
    let n_hosts = headers.get_all(header::HOST).iter().count();
    let is_named = request.version() != Version::HTTP_11 || n_hosts == 1;
    if !is_named || n_hosts > 1 {
        return Some(StatusCode::BAD_REQUEST);
    }
    let announced = request.body().size_hint().lower();
    (announced > limits.max_body_bytes).then_some(StatusCode::PAYLOAD_TOO_LARGE)
}

fn refuse(status: StatusCode, version: Version) -> Response {
    let mut response = explain(
        status,
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => "The request body is too large.",
            StatusCode::URI_TOO_LONG => "The request target is too long.",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "There are too many headers.",
            _ => "The request is not valid HTTP.",
        },
    );
    if version < Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// An answer of the listener itself, in the shape of the gateway's own errors.
fn explain(status: StatusCode, message: &str) -> Response {
    let status_code = status.as_u16();
    let body = format!("{{ \"statusCode\": {status_code}, \"message\": \"{message}\" }}");
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The service gave no answer, on purpose: the connection (HTTP/2: the stream) is closed.
#[derive(Debug, thiserror::Error)]
#[error("the service closed the connection without an answer")]
struct Aborted;

/// A response body on its way out. The request counts as in flight until it is dropped.
struct Sent {
    body: Body,
    _in_flight: InFlight,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::{StatusCode, Version, header};

    use super::refuse;

    #[test]
    fn a_refusal_closes_the_connection_where_the_version_knows_how() {
        let close = |version| {
            refuse(StatusCode::BAD_REQUEST, version).headers().contains_key(header::CONNECTION)
        };
        assert!(close(Version::HTTP_11));
        assert!(!close(Version::HTTP_2));
    }
}
