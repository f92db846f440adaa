//! Opening a connection: name, TCP, TLS, protocol.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::pool::{Connection, Counted, Home, Http2, Usage};
use super::real::Inner;
use super::target::Target;
use crate::h1::client::Connection as Http1;
use crate::h1::io::{Io, Rewound};
use crate::{CallError, HostTarget, HttpVersion};

/// Probes of the kernel, so that a silent peer is noticed and middleboxes keep the path.
const PROBE_AFTER: Duration = Duration::from_secs(60);

/// Time for one of several addresses before the next is tried.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Headers of a response of HTTP/2, in bytes.
const MAX_HEAD_BYTES: u32 = 128 * 1024;

/// Opens a connection.
pub(super) async fn connect(
    inner: &Inner,
    target: &Target,
    hash: u64,
    bound: Duration,
    n_open: Arc<AtomicUsize>,
) -> Result<Connection, CallError> {
    if n_open.load(Relaxed) >= inner.config.max_connections {
        return Err(CallError::Busy { host: target.name() });
    }
    let counted = Counted::new(n_open);
    timeout(bound, open(inner, target, hash, counted))
        .await
        .unwrap_or_else(|_| Err(CallError::ConnectTimeout { host: target.name(), after: bound }))
}

async fn open(
    inner: &Inner,
    target: &Target,
    hash: u64,
    counted: Counted,
) -> Result<Connection, CallError> {
    let reach = inner.reach();
    let mapped = reach.hosts.find(target.host());
    let stream = stream(inner, target, mapped).await?;
    let config = &inner.config;
    let idle = config.idle_timeout;
    let http1 = |io, counted| {
        let home = Home::new(hash, config.max_idle, idle, counted);
        Ok(Connection::Http1(Box::new(Http1::new(io, home))))
    };
    // Through a proxy the host itself is reached, whatever stands in for it otherwise.
    let stand_in = mapped.filter(|_| target.proxy.is_none());
    if !stand_in.and_then(|it| it.tls).unwrap_or(target.tls) {
        return match target.version {
            HttpVersion::Http2 if target.proxy.is_some() => {
                Err(CallError::Version { host: target.name() })
            }
            HttpVersion::Http2 => handshake(Io::Plain(stream), target, idle, counted).await,
            HttpVersion::Http1 | HttpVersion::Http2OrHttp1 => http1(Io::Plain(stream), counted),
        };
    }
    let failed = |reason: String| CallError::Tls { host: target.name(), reason };
    let tls = reach
        .tls
        .find(&target.verify, target.identity.as_ref(), target.version, mapped)
        .map_err(|error| failed(error.to_string()))?;
    let host = target.host();
    let literal = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(literal.to_owned())
        .map_err(|_| failed("the host is no valid server name".to_owned()))?;
    let stream = TlsConnector::from(tls)
        .connect(name, stream)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    if target.version == HttpVersion::Http2 && !is_http2 {
        return Err(CallError::Version { host: target.name() });
    }
    let io = Io::Dialled(Box::new(stream));
    if is_http2 { handshake(io, target, idle, counted).await } else { http1(io, counted) }
}

/// A connection to the host, to a proxy, or through one.
async fn stream(
    inner: &Inner,
    target: &Target,
    mapped: Option<&Arc<HostTarget>>,
) -> Result<TcpStream, CallError> {
    let Some(proxy) = &target.proxy else {
        return dial(inner, (target.host(), target.port), mapped).await;
    };
    let reach = inner.reach();
    let mapped = reach.hosts.find(proxy.host());
    let mut stream = dial(inner, (proxy.host(), proxy.port()), mapped).await?;
    if !target.is_relayed() {
        proxy.tunnel(&mut stream, &target.name()).await?;
    }
    Ok(stream)
}

async fn dial(
    inner: &Inner,
    (name, own_port): (&str, u16),
    mapped: Option<&Arc<HostTarget>>,
) -> Result<TcpStream, CallError> {
    let (host, port) = match mapped.and_then(|it| it.address.rsplit_once(':')) {
        Some((host, port)) => (host, port.parse().unwrap_or(own_port)),
        None => (name, own_port),
    };
    let addresses: Arc<[IpAddr]> = inner.resolver.resolve(host).await?;
    let mut reason = String::new();
    for (number, address) in addresses.iter().enumerate() {
        let is_last = number + 1 == addresses.len();
        let attempt = TcpStream::connect(SocketAddr::new(*address, port));
        let outcome = if is_last {
            attempt.await
        } else {
            timeout(ATTEMPT, attempt).await.unwrap_or_else(|late| Err(late.into()))
        };
        match outcome {
            Ok(stream) => {
                // Both only make things better; a socket without them still works.
                let _ = stream.set_nodelay(true);
                let probes = TcpKeepalive::new().with_time(PROBE_AFTER);
                let _ = SockRef::from(&stream).set_tcp_keepalive(&probes);
                return Ok(stream);
            }
            Err(error) => reason = error.to_string(),
        }
    }
    Err(CallError::Connect { host: format!("{name}:{own_port}"), reason })
}

/// Begins HTTP/2; the connection's task ends when it is closed, or has rested for the idle timeout.
async fn handshake(
    io: Io,
    target: &Target,
    idle: Duration,
    counted: Counted,
) -> Result<Connection, CallError> {
    let broken = |error: hyper::Error| CallError::Broken {
        host: target.name(),
        reason: crate::body::reason(&error),
    };
    let io = TokioIo::new(Rewound::new(bytes::Bytes::new(), io));
    let usage = Arc::new(Usage::new());
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .keep_alive_interval(PROBE_AFTER / 2)
        .max_header_list_size(MAX_HEAD_BYTES)
        .handshake(io)
        .await
        .map_err(broken)?;
    tokio::spawn(run(connection, usage.clone(), idle, counted));
    Ok(Connection::Http2(Http2 { sender, usage }))
}

async fn run<C: Future>(connection: C, usage: Arc<Usage>, idle: Duration, counted: Counted) {
    let mut connection = std::pin::pin!(connection);
    let period = (idle / 4).max(Duration::from_millis(5));
    let mut timer = std::pin::pin!(tokio::time::sleep(period));
    loop {
        tokio::select! {
            biased;
            _ = connection.as_mut() => break,
            () = timer.as_mut() => {
                if usage.is_idle_for(idle) {
                    break;
                }
                timer.as_mut().reset(tokio::time::Instant::now() + period);
            }
        }
    }
    drop(counted);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    use super::{Counted, Usage, run};

    #[tokio::test]
    async fn a_connection_counts_until_it_is_closed_or_has_rested_enough() {
        let n_open = Arc::new(AtomicUsize::new(0));
        let counted = Counted::new(n_open.clone());
        assert_eq!(n_open.load(Relaxed), 1);
        let (usage, never) = (Arc::new(Usage::new()), std::future::pending::<()>());
        run(never, usage, Duration::from_millis(1), counted).await;
        assert_eq!(n_open.load(Relaxed), 0);
    }
}
