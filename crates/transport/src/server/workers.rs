//! One thread, one runtime, one socket per core.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::serve_here;
use crate::{Limits, Service};

/// Connections that wait in the kernel until they are accepted.
const BACKLOG: i32 = 1024;

/// Threads for work that blocks, per worker: names and other short waits.
const MAX_BLOCKING_THREADS: usize = 16;

/// Where to listen.
#[derive(Clone)]
pub struct ListenerConfig {
    /// Address; port 0 lets the system choose.
    pub address: SocketAddr,
    /// With TLS, how. Offer `h2` and `http/1.1` in its ALPN list to speak both.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl fmt::Debug for ListenerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListenerConfig({}, tls: {})", self.address, self.tls.is_some())
    }
}

/// The way to [`Bound`].
#[derive(Debug, Clone, Copy)]
pub struct Server;

/// Sockets that are bound, one per worker and listener, but not served yet.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<ListenerConfig>,
    /// Per worker, in the order of `listeners`.
    sockets: Vec<Vec<std::net::TcpListener>>,
    limits: Limits,
}

/// Worker threads at work. Dropping it stops them at once.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    phase: watch::Sender<Phase>,
    ended: watch::Receiver<usize>,
    workers: Vec<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Serving,
    Draining,
    Stopped,
}

impl Server {
    /// Binds every listener once per worker (at least one).
    ///
    /// # Errors
    ///
    /// What the system says, for instance if an address is in use.
    pub fn bind(
        mut listeners: Vec<ListenerConfig>,
        limits: Limits,
        workers: usize,
    ) -> io::Result<Bound> {
        for listener in listeners.iter().filter(|it| it.address.port() != 0) {
            claim(listener.address)?;
        }
        let mut sockets = Vec::new();
        for _ in 0..workers.max(1) {
            let mut own = Vec::new();
            for listener in &mut listeners {
                let socket = listen(listener.address)?;
                // The other workers need the port that the system chose for the first.
                listener.address = socket.local_addr()?;
                own.push(socket);
            }
            sockets.push(own);
        }
        Ok(Bound { listeners, sockets, limits })
    }
}

/// Fails if another process listens there. `SO_REUSEPORT` alone would share the port with it
/// silently, and every other connection would end up there.
fn claim(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    let explain = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    socket.bind(&address.into()).and_then(|()| socket.listen(1)).map_err(explain)
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl Bound {
    /// The addresses in the order of the listeners, with the ports that were chosen.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|it| it.address).collect()
    }

    /// Starts the worker threads.
    ///
    /// # Errors
    ///
    /// If the system gives no thread or no event queue.
    pub fn serve<S: Service>(self, service: Arc<S>) -> io::Result<Running> {
        let addresses = self.addresses();
        let (phase, phases) = watch::channel(Phase::Serving);
        let (end, ended) = watch::channel(0);
        let mut workers = Vec::new();
        for (number, sockets) in self.sockets.into_iter().enumerate() {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(MAX_BLOCKING_THREADS)
                .build()?;
            let work = work(
                sockets.into_iter().zip(self.listeners.clone()).collect(),
                self.limits.clone(),
                service.clone(),
                phases.clone(),
            );
            let end = end.clone();
            let thread = std::thread::Builder::new().name(format!("worker-{number}"));
            workers.push(thread.spawn(move || {
                runtime.block_on(work);
                // A name that is still looked up must not hold up the end.
                runtime.shutdown_background();
                end.send_modify(|n_ended| *n_ended += 1);
            })?);
        }
        Ok(Running { addresses, phase, ended, workers })
    }
}

async fn work<S: Service>(
    listeners: Vec<(std::net::TcpListener, ListenerConfig)>,
    limits: Limits,
    service: Arc<S>,
    mut phases: watch::Receiver<Phase>,
) {
    let mut serving = JoinSet::new();
    for (socket, config) in listeners {
        let listener = match TcpListener::from_std(socket) {
            Ok(it) => it,
            Err(error) => {
                tracing::error!(%error, address = %config.address, "cannot listen");
                continue;
            }
        };
        let mut phases = phases.clone();
        let draining = async move {
            let _ = phases.wait_for(|it| *it >= Phase::Draining).await;
        };
        serving.spawn(serve_here(listener, config.tls, limits.clone(), service.clone(), draining));
    }
    let all = async {
        while serving.join_next().await.is_some() {}
        service.settled().await;
    };
    tokio::select! {
        () = all => {}
        _ = phases.wait_for(|it| *it == Phase::Stopped) => {}
    }
}

impl Running {
    /// The addresses in the order of the listeners.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Accepts no more and waits until every request in flight is answered and
    /// [`Service::settled`], at most this long. Whether all were.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.phase.send_if_modified(|phase| {
            let changes = *phase == Phase::Serving;
            if changes {
                *phase = Phase::Draining;
            }
            changes
        });
        let n_workers = self.workers.len();
        let mut ended = self.ended.clone();
        let all = ended.wait_for(|n_ended| *n_ended >= n_workers);
        tokio::time::timeout(limit, all).await.is_ok_and(|it| it.is_ok())
    }

    /// Closes every connection at once and waits for the threads.
    pub fn stop(mut self) {
        self.halt();
        for worker in self.workers.drain(..) {
            // A panic of a worker has been reported by its thread.
            let _ = worker.join();
        }
    }

    fn halt(&self) {
        self.phase.send_replace(Phase::Stopped);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.halt();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::{ListenerConfig, Server};
    use crate::Limits;

    #[test]
    fn all_workers_share_the_port_that_the_system_chose() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listeners = vec![ListenerConfig { address, tls: None }; 2];
        let bound = Server::bind(listeners, Limits::default(), 3).unwrap();

        let ports: Vec<u16> = bound.addresses().iter().map(SocketAddr::port).collect();
        assert!(ports.iter().all(|it| *it != 0));
        for own in &bound.sockets {
            let own: Vec<u16> = own.iter().map(|it| it.local_addr().unwrap().port()).collect();
            assert_eq!(own, ports);
        }
    }

    #[test]
    fn a_port_that_somebody_else_serves_is_refused() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let bind = |address| {
            Server::bind(vec![ListenerConfig { address, tls: None }], Limits::default(), 2)
        };
        let first = bind(address).unwrap();
        let taken = first.addresses()[0];

        let refused = bind(taken).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::AddrInUse);
        assert!(refused.to_string().contains(&taken.to_string()));

        drop(first);
        assert!(bind(taken).is_ok());
    }
}
