//! Open connections to other hosts, per thread: no lock, and no other thread is woken.
//!
//! A connection is taken out for one HTTP/1.1 call and comes back when the response's body has
//! been read to its end. An HTTP/2 connection stays in and is shared.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::HeaderValue;
use hyper::client::conn::{http1, http2};

use super::target::{Key, Target};
use crate::Body;
use crate::alarm::Alarm;

/// Destinations per thread; beyond, those without connections are forgotten.
const MAX_DESTINATIONS: usize = 512;

/// How long a connection may take to get ready again after the end of a response.
const READY_WAIT: Duration = Duration::from_secs(1);

thread_local! {
    static POOLS: RefCell<HashMap<u64, Pool, BuildHasherDefault<Hashed>>> = RefCell::default();
}

/// The keys are hashes already ([`Target::hash`]).
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The connections of one thread to one destination.
struct Pool {
    key: Key,
    host: HeaderValue,
    idle: Vec<Http1>,
    shared: Option<Http2>,
    n_open: Arc<AtomicUsize>,
}

/// What a thread has for a destination.
pub(super) struct Found {
    /// Value of the `Host` header.
    pub(super) host: HeaderValue,
    pub(super) connection: Option<Connection>,
    /// Open connections of this thread, idle or not.
    pub(super) n_open: Arc<AtomicUsize>,
}

/// A connection that a request can be sent on.
pub(super) enum Connection {
    Http1(Http1),
    Http2(Http2),
}

/// An HTTP/1.1 connection, owned by one call or by the pool.
pub(super) struct Http1 {
    pub(super) sender: http1::SendRequest<Body>,
    /// Bounds one call after the other.
    pub(super) alarm: Alarm,
    pub(super) usage: Arc<Usage>,
}

/// A handle on a shared HTTP/2 connection.
#[derive(Clone)]
pub(super) struct Http2 {
    pub(super) sender: http2::SendRequest<Body>,
    pub(super) usage: Arc<Usage>,
}

/// Whether a connection rests, and since when; its own task closes it when it is time.
#[derive(Debug)]
pub(super) struct Usage {
    start: Instant,
    n_users: AtomicU32,
    idle_since: AtomicU64,
}

impl Usage {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), n_users: AtomicU32::new(0), idle_since: AtomicU64::new(0) }
    }

    pub(super) fn is_idle_for(&self, bound: Duration) -> bool {
        let idle = self.elapsed().saturating_sub(self.idle_since.load(Relaxed));
        self.n_users.load(Relaxed) == 0 && u128::from(idle) >= bound.as_millis()
    }

    fn begin(&self) {
        self.n_users.fetch_add(1, Relaxed);
    }

    fn end(&self) {
        if self.n_users.fetch_sub(1, Relaxed) == 1 {
            self.idle_since.store(self.elapsed(), Relaxed);
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A response's hold on its connection, until the end of its body.
pub(crate) struct Lease {
    hash: u64,
    max_idle: usize,
    /// `None` for HTTP/2, and for connections that must not be used again.
    http1: Option<(http1::SendRequest<Body>, Alarm)>,
    usage: Arc<Usage>,
}

impl Lease {
    pub(super) fn new(
        hash: u64,
        max_idle: usize,
        http1: Option<(http1::SendRequest<Body>, Alarm)>,
        usage: Arc<Usage>,
    ) -> Self {
        usage.begin();
        Self { hash, max_idle, http1, usage }
    }

    /// The body has been read to its end: the connection may serve the next call.
    pub(crate) fn finish(mut self) {
        let Some((mut sender, alarm)) = self.http1.take() else { return };
        let (hash, max_idle, usage) = (self.hash, self.max_idle, self.usage.clone());
        drop(self);
        if sender.is_ready() {
            put_back(hash, max_idle, Http1 { sender, alarm, usage });
        } else if !sender.is_closed() {
            // The connection's task has not come round yet, or still sends the request.
            tokio::spawn(async move {
                let ready = tokio::time::timeout(READY_WAIT, sender.ready()).await;
                if matches!(ready, Ok(Ok(()))) {
                    put_back(hash, max_idle, Http1 { sender, alarm, usage });
                }
            });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.usage.end();
    }
}

/// Finds a connection for a destination, or at least its counters.
pub(super) fn check_out(
    target: &Target,
    hash: u64,
    host: impl FnOnce() -> Result<HeaderValue, crate::CallError>,
) -> Result<Found, crate::CallError> {
    POOLS.with_borrow_mut(|pools| {
        if let Some(pool) = pools.get_mut(&hash) {
            if !target.fits(&pool.key) {
                // Two keys with one hash: the later one goes without a pool.
                return Ok(Found { host: host()?, connection: None, n_open: Arc::default() });
            }
            let connection = pool.take();
            return Ok(Found { host: pool.host.clone(), connection, n_open: pool.n_open.clone() });
        }
        let (host, n_open) = (host()?, Arc::<AtomicUsize>::default());
        if pools.len() >= MAX_DESTINATIONS {
            pools.retain(|_, pool| pool.is_used());
        }
        if pools.len() < MAX_DESTINATIONS {
            let (host, n_open) = (host.clone(), n_open.clone());
            pools.insert(
                hash,
                Pool { key: target.key(), host, idle: Vec::new(), shared: None, n_open },
            );
        }
        Ok(Found { host, connection: None, n_open })
    })
}

/// Keeps an HTTP/2 connection for all calls of this thread.
pub(super) fn share(hash: u64, connection: &Http2) {
    POOLS.with_borrow_mut(|pools| {
        if let Some(pool) = pools.get_mut(&hash) {
            pool.shared = Some(connection.clone());
        }
    });
}

/// Forgets a shared connection that turned out to be dead.
pub(super) fn unshare(hash: u64) {
    POOLS.with_borrow_mut(|pools| {
        if let Some(pool) = pools.get_mut(&hash) {
            pool.shared = None;
        }
    });
}

fn put_back(hash: u64, max_idle: usize, connection: Http1) {
    POOLS.with_borrow_mut(|pools| {
        let Some(pool) = pools.get_mut(&hash) else { return };
        if pool.idle.len() >= max_idle {
            pool.idle.retain(|it| !it.sender.is_closed());
        }
        if pool.idle.len() < max_idle {
            pool.idle.push(connection);
        }
    });
}

impl Pool {
    fn take(&mut self) -> Option<Connection> {
        if let Some(shared) = &self.shared {
            if !shared.sender.is_closed() {
                return Some(Connection::Http2(shared.clone()));
            }
            self.shared = None;
        }
        // The one used last: the others may then rest until they are closed.
        while let Some(connection) = self.idle.pop() {
            if connection.sender.is_ready() {
                return Some(Connection::Http1(connection));
            }
        }
        None
    }

    fn is_used(&self) -> bool {
        self.n_open.load(Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use http::{HeaderValue, Uri};

    use super::{Lease, MAX_DESTINATIONS, POOLS, Usage, check_out};
    use crate::CallOptions;
    use crate::client::target::Target;

    #[test]
    fn a_connection_is_idle_when_its_last_user_is_done() {
        let usage = Arc::new(Usage::new());
        let is_idle = || usage.is_idle_for(Duration::ZERO);
        let leases = [1, 2].map(|_| Lease::new(1, 1, None, usage.clone()));
        assert!(!is_idle());
        drop(leases);
        assert!(is_idle());
        assert!(!usage.is_idle_for(Duration::from_secs(60)));
    }

    #[test]
    fn destinations_are_bounded() {
        for number in 0..MAX_DESTINATIONS + 10 {
            let uri: Uri = format!("http://host{number}/").parse().unwrap();
            let target = Target::new(uri, &CallOptions::default()).unwrap();
            let host = || Ok(HeaderValue::from_static("x"));
            check_out(&target, target.hash(1), host).unwrap();
        }
        assert!(POOLS.with_borrow(|it| it.len()) <= MAX_DESTINATIONS);
    }
}
