//! What a connection of HTTP/2 is doing and since when, kept by the socket and the requests, read
//! by the one timer that each connection has.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Body, BodyError, Limits};

/// Stands for "not now" among times.
const NEVER: u64 = u64::MAX;

/// State of one connection. Only its own thread uses it: the atomics are for `Send` alone.
#[derive(Debug)]
pub(super) struct Watch {
    start: Instant,
    /// Time since when no request is in flight.
    idle_since: AtomicU64,
    /// Time since when the socket takes no bytes.
    blocked_since: AtomicU64,
    in_flight: AtomicU32,
    /// Responses whose bodies come from elsewhere.
    outgoing: Mutex<Vec<Weak<Outgoing>>>,
}

/// Which bound has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    Idle,
    Write,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            idle_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(NEVER),
            in_flight: AtomicU32::new(0),
            outgoing: Mutex::default(),
        }
    }

    /// Watches over a response's body, as long as somebody holds it.
    pub(super) fn add(&self, outgoing: &Arc<Outgoing>) {
        let mut all = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::downgrade(outgoing));
    }

    /// Cuts the bodies of which the client has taken nothing for this long. Its other streams go
    /// on.
    pub(super) fn cut(&self, bound: Duration) {
        let now = self.elapsed();
        let mut all = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| match it.upgrade() {
            None => false,
            Some(outgoing) => {
                let since = outgoing.offered_since.load(Relaxed);
                let is_late = since != NEVER && now.saturating_sub(since) >= millis(bound);
                if is_late {
                    // Whatever feeds it learns at once that nobody reads.
                    *outgoing.body() = Body::empty();
                    outgoing.cut_after.store(millis(bound), Relaxed);
                }
                !is_late
            }
        });
    }

    pub(super) fn overdue(&self, limits: &Limits) -> Option<Overdue> {
        let now = self.elapsed();
        let passed = |since: &AtomicU64, bound: Duration| {
            let since = since.load(Relaxed);
            since != NEVER && now.saturating_sub(since) >= millis(bound)
        };
        if passed(&self.blocked_since, limits.write_timeout) {
            Some(Overdue::Write)
        } else if passed(&self.idle_since, limits.keep_alive_timeout) {
            Some(Overdue::Idle)
        } else {
            None
        }
    }

    fn elapsed(&self) -> u64 {
        millis(self.start.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NEVER - 1)
}

/// A request in flight: from its headers until its response is sent or dropped.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Watch>);

impl InFlight {
    pub(super) fn new(watch: Arc<Watch>) -> Self {
        watch.in_flight.fetch_add(1, Relaxed);
        watch.idle_since.store(NEVER, Relaxed);
        Self(watch)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.0.idle_since.store(self.0.elapsed(), Relaxed);
        }
    }
}

/// The body of a response on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    body: Mutex<Body>,
    /// Time since when a part of it waits for the client.
    offered_since: AtomicU64,
    /// The bound in milliseconds, once it has been cut.
    cut_after: AtomicU64,
}

impl Outgoing {
    pub(super) fn new(body: Body) -> Self {
        let never = || AtomicU64::new(NEVER);
        Self { body: Mutex::new(body), offered_since: never(), cut_after: never() }
    }

    pub(super) fn body(&self) -> MutexGuard<'_, Body> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The library asks for the next part when the client has room for it.
    pub(super) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
        watch: &Watch,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.offered_since.store(NEVER, Relaxed);
        let after = self.cut_after.load(Relaxed);
        if after != NEVER {
            let after = Duration::from_millis(after);
            return Poll::Ready(Some(Err(BodyError::IdleTimeout { after })));
        }
        let next = Pin::new(&mut *self.body()).poll_frame(cx);
        if matches!(next, Poll::Ready(Some(Ok(_)))) {
            self.offered_since.store(watch.elapsed(), Relaxed);
        }
        next
    }
}

/// A socket that keeps its [`Watch`] up to date.
#[derive(Debug)]
pub(super) struct Watched<T> {
    inner: T,
    watch: Arc<Watch>,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, watch: Arc<Watch>) -> Self {
        Self { inner, watch }
    }

    fn note_write<R>(&self, outcome: &Poll<R>) {
        let was_blocked = self.watch.blocked_since.load(Relaxed) != NEVER;
        match (was_blocked, outcome.is_pending()) {
            (false, true) => self.watch.blocked_since.store(self.watch.elapsed(), Relaxed),
            (true, false) => self.watch.blocked_since.store(NEVER, Relaxed),
            _ => {}
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note_write(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.note_write(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(cx);
        self.note_write(&outcome);
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::{InFlight, Outgoing, Overdue, Watch, Watched};
    use crate::{Body, Limits};

    #[test]
    fn a_connection_without_request_is_idle_and_one_with_a_request_is_not() {
        let watch = Arc::new(Watch::new());
        let limits = Limits { keep_alive_timeout: Duration::ZERO, ..Limits::default() };

        assert_eq!(watch.overdue(&limits), Some(Overdue::Idle));
        let request = InFlight::new(watch.clone());
        assert_eq!(watch.overdue(&limits), None);
        drop(request);
        assert_eq!(watch.overdue(&limits), Some(Overdue::Idle));
    }

    #[test]
    fn a_body_that_is_not_taken_is_cut_and_no_other() {
        let watch = Watch::new();
        let mut cx = Context::from_waker(Waker::noop());
        let (taken, waiting) = [(); 2].map(|()| Arc::new(Outgoing::new(Body::full("x")))).into();
        for it in [&taken, &waiting] {
            watch.add(it);
            assert!(it.poll_frame(&mut cx, &watch).is_ready());
        }
        // The end is asked for: what came before has been taken.
        assert!(matches!(taken.poll_frame(&mut cx, &watch), Poll::Ready(None)));
        watch.cut(Duration::ZERO);
        assert!(matches!(taken.poll_frame(&mut cx, &watch), Poll::Ready(None)));
        assert!(matches!(waiting.poll_frame(&mut cx, &watch), Poll::Ready(Some(Err(_)))));
    }

    #[test]
    fn a_socket_that_takes_nothing_is_overdue() {
        let watch = Arc::new(Watch::new());
        let socket = Watched::new((), watch.clone());
        let limits = Limits { write_timeout: Duration::ZERO, ..Limits::default() };

        socket.note_write(&std::task::Poll::<()>::Pending);
        assert_eq!(watch.overdue(&limits), Some(Overdue::Write));
        socket.note_write(&std::task::Poll::Ready(()));
        assert_eq!(watch.overdue(&limits), None);
    }
}
