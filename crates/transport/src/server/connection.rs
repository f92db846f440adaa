//! One accepted connection: TLS, choice of the protocol, and its requests until it closes.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::http2;
use crate::h1::io::{Io, Rewound};
use crate::h1::server::{Ended, Rules, serve as serve_http1};
use crate::{Limits, Peer, Service, TlsInfo};

/// What all connections of a listener share.
pub(super) struct Shared<S> {
    pub(super) service: Arc<S>,
    pub(super) limits: Limits,
    pub(super) tls: Option<TlsAcceptor>,
    /// Set before the connections are told to drain.
    pub(super) is_draining: AtomicBool,
}

/// Serves a connection until it closes, or until `draining` ends and its requests are answered.
pub(super) async fn serve<S: Service>(
    shared: Arc<Shared<S>>,
    stream: TcpStream,
    address: SocketAddr,
    draining: impl Future<Output = ()> + Send,
) {
    // Small answers must not wait for the client's acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(address);
    let mut draining = std::pin::pin!(draining);
    let mut peer = Peer { address, local, tls: None };
    let mut is_http2 = false;
    let io = if let Some(acceptor) = &shared.tls {
        let handshake = timeout(shared.limits.handshake_timeout, acceptor.accept(stream));
        let stream = tokio::select! {
            biased;
            done = handshake => match done {
                Ok(Ok(stream)) => stream,
                _ => return,
            },
            () = draining.as_mut() => return,
        };
        is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        peer.tls = Some(tls_info(&stream));
        Io::Accepted(Box::new(stream))
    } else {
        Io::Plain(stream)
    };
    let peer = Arc::new(peer);
    let ended = if is_http2 {
        Ended::Http2(Rewound::new(bytes::Bytes::new(), io))
    } else {
        let rules = Rules {
            limits: &shared.limits,
            is_draining: &shared.is_draining,
            may_be_http2: shared.tls.is_none(),
        };
        serve_http1(&shared.service, &peer, io, rules, draining.as_mut()).await
    };
    if let Ended::Http2(io) = ended {
        // It may have ended already, and is not to be polled again then.
        let has_ended = shared.is_draining.load(Relaxed);
        let draining = async move {
            if !has_ended {
                draining.await;
            }
        };
        // Boxed: large, and few connections need it.
        Box::pin(http2::serve(shared, io, peer, draining)).await;
    }
}

fn tls_info(stream: &TlsStream<TcpStream>) -> TlsInfo {
    let session = stream.get_ref().1;
    TlsInfo {
        protocol: match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        },
        sni: session.server_name().map(ToOwned::to_owned),
        certificates: session
            .peer_certificates()
            .filter(|chain| !chain.is_empty())
            .map(|chain| chain.iter().map(|it| it.to_vec()).collect()),
    }
}
