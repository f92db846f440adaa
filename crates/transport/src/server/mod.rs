//! Listeners: on the current runtime, or one per core.
//!
//! Every worker thread has a current-thread runtime and a socket of its own on the same port
//! (`SO_REUSEPORT`), so a connection lives and dies on one core.

mod connection;
mod http2;
mod watch;
mod workers;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch as channel};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

pub use workers::{Bound, ListenerConfig, Running, Server};

use crate::{Limits, Service};
use connection::Shared;

/// Serves a listener on the current runtime until `shutdown` ends; then accepts no more, lets the
/// requests in flight be answered, and returns when the last connection is closed.
///
/// Dropping the future closes everything at once.
pub async fn serve_here<S: Service>(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: Limits,
    service: Arc<S>,
    shutdown: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(limits.max_connections.min(Semaphore::MAX_PERMITS)));
    let tls = tls.map(TlsAcceptor::from);
    let is_draining = AtomicBool::new(false);
    let shared = Arc::new(Shared { service, limits, tls, is_draining });
    let (drain, draining) = channel::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.as_mut() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &permits) => accepted,
        };
        match accepted {
            Ok(accepted) => {
                connections.spawn(run(accepted, shared.clone(), draining.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: do not spin.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // Connections that the kernel has taken for this socket would be reset with it.
    while let Ok(Ok(accepted)) = timeout(Duration::ZERO, accept(&listener, &permits)).await {
        connections.spawn(run(accepted, shared.clone(), draining.clone()));
    }
    drop(listener);
    shared.is_draining.store(true, Relaxed);
    drain.send_replace(true);
    while connections.join_next().await.is_some() {}
}

type Accepted = (OwnedSemaphorePermit, TcpStream, SocketAddr);

async fn run<S: Service>(
    (permit, stream, address): Accepted,
    shared: Arc<Shared<S>>,
    mut draining: channel::Receiver<bool>,
) {
    let draining = async move {
        // An error means that the listener is gone, which is as good.
        let _ = draining.wait_for(|it| *it).await;
    };
    connection::serve(shared, stream, address, draining).await;
    drop(permit);
}

async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> io::Result<Accepted> {
    let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    Ok((permit, stream, address))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::net::TcpListener;

    use super::serve_here;
    use crate::{Body, Limits, Peer, Request, Response};

    #[tokio::test]
    async fn a_listener_without_connections_ends_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = |_: Request, _: Arc<Peer>| async { Response::new(Body::empty()) };
        let stopped = std::future::ready(());
        serve_here(listener, None, Limits::default(), Arc::new(service), stopped).await;
    }
}
