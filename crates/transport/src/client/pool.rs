//! Open connections to other hosts, per thread: no lock, and no other thread is woken.
//!
//! A connection is taken out for one HTTP/1.1 call and comes back when the response's body has
//! been read to its end. What has rested too long is closed by the pool's one task, which looks a
//! few times per bound. An HTTP/2 connection stays in and is shared.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::HeaderValue;
use hyper::client::conn::http2;

use super::target::{Key, Target};
use crate::Body;
use crate::h1::client::Connection as Http1;

/// Destinations per thread; beyond, those without connections are forgotten.
const MAX_DESTINATIONS: usize = 512;

/// How many times within the idle timeout a pool is looked through.
const LOOKS: u32 = 4;

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
    #[expect(clippy::vec_box, reason = "calls own them boxed: they are large and move often")]
    idle: Vec<Box<Http1>>,
    shared: Option<Http2>,
    n_open: Arc<AtomicUsize>,
    /// How often it was looked through.
    n_looks: u32,
    /// Whether a task does that.
    is_kept: bool,
}

/// Where a connection belongs while it rests.
pub(crate) struct Home {
    hash: u64,
    max_idle: usize,
    idle_timeout: Duration,
    /// The pool's count when the connection came to rest.
    n_looks: u32,
    _counted: Counted,
}

impl Home {
    pub(super) fn new(
        hash: u64,
        max_idle: usize,
        idle_timeout: Duration,
        counted: Counted,
    ) -> Self {
        Self { hash, max_idle, idle_timeout, n_looks: 0, _counted: counted }
    }
}

/// Counts an open connection.
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub(super) fn new(n_open: Arc<AtomicUsize>) -> Self {
        n_open.fetch_add(1, Relaxed);
        Self(n_open)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
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
    /// Owned by one call or by the pool.
    Http1(Box<Http1>),
    Http2(Http2),
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

/// A call's or response's hold on an HTTP/2 connection.
pub(crate) struct Lease(Arc<Usage>);

impl Lease {
    pub(super) fn new(usage: Arc<Usage>) -> Self {
        usage.begin();
        Self(usage)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.end();
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
                Pool {
                    key: target.key(),
                    host,
                    idle: Vec::new(),
                    shared: None,
                    n_open,
                    n_looks: 0,
                    is_kept: false,
                },
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

/// The connection's response has been read to its end: it may serve the next call.
pub(crate) fn put_back(mut connection: Box<Http1>) {
    let home = &connection.home;
    let (hash, max_idle, idle_timeout) = (home.hash, home.max_idle, home.idle_timeout);
    let unkept = POOLS.try_with(|pools| {
        let mut pools = pools.try_borrow_mut().ok()?;
        let pool = pools.get_mut(&hash)?;
        if pool.idle.len() >= max_idle {
            pool.idle.retain_mut(|it| it.is_quiet());
        }
        if pool.idle.len() >= max_idle {
            return None;
        }
        connection.home.n_looks = pool.n_looks;
        pool.idle.push(connection);
        (!std::mem::replace(&mut pool.is_kept, true)).then_some(())
    });
    if unkept.ok().flatten().is_some() {
        keep(hash, idle_timeout);
    }
}

/// Starts the task that closes what has rested too long, until nothing rests.
fn keep(hash: u64, idle_timeout: Duration) {
    let period = (idle_timeout / LOOKS).max(Duration::from_millis(1));
    let kept = Kept(hash);
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        while kept.look() {
            tokio::time::sleep(period).await;
        }
    });
}

/// The task of a pool. When it ends, with its runtime or by itself, the pool needs another one.
struct Kept(u64);

impl Kept {
    /// Closes what is dead or has rested too long. Whether anything is left.
    fn look(&self) -> bool {
        let closed = POOLS.with_borrow_mut(|pools| {
            let pool = pools.get_mut(&self.0)?;
            pool.n_looks = pool.n_looks.wrapping_add(1);
            let n_looks = pool.n_looks;
            let closed: Vec<_> = pool
                .idle
                .extract_if(.., |it| {
                    n_looks.wrapping_sub(it.home.n_looks) > LOOKS || !it.is_quiet()
                })
                .collect();
            (!pool.idle.is_empty()).then_some(closed)
        });
        closed.is_some()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = POOLS.try_with(|pools| {
            if let Ok(mut pools) = pools.try_borrow_mut()
                && let Some(pool) = pools.get_mut(&self.0)
            {
                pool.is_kept = false;
            }
        });
    }
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
        while let Some(mut connection) = self.idle.pop() {
            if connection.is_quiet() {
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
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    use http::{HeaderValue, Uri};

    use super::{Counted, Lease, MAX_DESTINATIONS, POOLS, Usage, check_out};
    use crate::CallOptions;
    use crate::client::target::Target;

    #[test]
    fn a_connection_is_idle_when_its_last_user_is_done() {
        let usage = Arc::new(Usage::new());
        let is_idle = || usage.is_idle_for(Duration::ZERO);
        let leases = [1, 2].map(|_| Lease::new(usage.clone()));
        assert!(!is_idle());
        drop(leases);
        assert!(is_idle());
        assert!(!usage.is_idle_for(Duration::from_secs(60)));
    }

    #[test]
    fn an_open_connection_counts() {
        let n_open = Arc::new(AtomicUsize::new(0));
        let counted = Counted::new(n_open.clone());
        assert_eq!(n_open.load(Relaxed), 1);
        drop(counted);
        assert_eq!(n_open.load(Relaxed), 0);
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
