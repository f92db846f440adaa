//! What a connection is doing and since when, kept by the socket and the requests, read by the
//! one timer that each connection has.
//!
//! A timer per request costs 6 % of a request. Here a request costs a few plain stores, and the
//! timer looks a few times per bound whether one of them has passed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::Framing;
use crate::Limits;

/// Stands for "not now" among times, and for "none" among request numbers.
const NEVER: u64 = u64::MAX;

/// State of one connection. Only its own thread uses it: the atomics are for `Send` alone.
#[derive(Debug)]
pub(super) struct Watch {
    start: Instant,
    /// Time of the first byte of a head that is not complete.
    head_since: AtomicU64,
    /// Time when the last request arrived, while one is in flight.
    busy_since: AtomicU64,
    /// The request in flight has had its time. Only for HTTP/1.1, where there is but one.
    is_expired: AtomicBool,
    /// Time since when no request is in flight.
    idle_since: AtomicU64,
    /// Time since when the socket takes no bytes.
    blocked_since: AtomicU64,
    in_flight: AtomicU32,
    n_called: AtomicU64,
    first_ambiguous: AtomicU64,
    /// A request was refused with its body unread.
    lingers: AtomicBool,
    is_upgraded: AtomicBool,
}

/// Which bound has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    Head,
    Idle,
    Request,
    Write,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            head_since: AtomicU64::new(NEVER),
            busy_since: AtomicU64::new(NEVER),
            is_expired: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(NEVER),
            in_flight: AtomicU32::new(0),
            n_called: AtomicU64::new(0),
            first_ambiguous: AtomicU64::new(NEVER),
            lingers: AtomicBool::new(false),
            is_upgraded: AtomicBool::new(false),
        }
    }

    /// Notes that a request has arrived. Whether its framing is sound.
    pub(super) fn begin(&self) -> bool {
        self.in_flight.fetch_add(1, Relaxed);
        self.idle_since.store(NEVER, Relaxed);
        self.busy_since.store(self.elapsed(), Relaxed);
        self.is_expired.store(false, Relaxed);
        let number = self.n_called.fetch_add(1, Relaxed);
        number < self.first_ambiguous.load(Relaxed)
    }

    /// The response's headers are there: the bound for them no longer applies.
    pub(super) fn answered(&self) {
        self.busy_since.store(NEVER, Relaxed);
    }

    /// Whether the request in flight has had its time.
    pub(super) fn is_expired(&self) -> bool {
        self.is_expired.load(Relaxed)
    }

    /// Takes the request's time away.
    pub(super) fn expire(&self) {
        self.is_expired.store(true, Relaxed);
    }

    fn end(&self) {
        if self.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.idle_since.store(self.elapsed(), Relaxed);
        }
    }

    /// Asks that what the client still sends be read and dropped before the socket is closed, so
    /// that the answer is not lost in a reset.
    pub(super) fn linger(&self) {
        self.lingers.store(true, Relaxed);
    }

    pub(super) fn lingers(&self) -> bool {
        self.lingers.load(Relaxed)
    }

    /// From now on the bytes are not HTTP.
    pub(super) fn upgraded(&self) {
        self.is_upgraded.store(true, Relaxed);
    }

    pub(super) fn overdue(&self, limits: &Limits) -> Option<Overdue> {
        let now = self.elapsed();
        let passed = |since: &AtomicU64, bound: Duration| {
            let since = since.load(Relaxed);
            since != NEVER && now.saturating_sub(since) >= millis(bound)
        };
        if self.is_upgraded.load(Relaxed) {
            return None;
        }
        if passed(&self.blocked_since, limits.write_timeout) {
            Some(Overdue::Write)
        } else if passed(&self.head_since, limits.head_timeout)
            && passed(&self.idle_since, limits.head_timeout)
        {
            // A head that waits behind a request in flight is not the client's delay.
            Some(Overdue::Head)
        } else if passed(&self.busy_since, limits.request_timeout) {
            Some(Overdue::Request)
        } else if passed(&self.idle_since, limits.keep_alive_timeout)
            && self.head_since.load(Relaxed) == NEVER
        {
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
pub(super) struct InFlight(pub(super) Arc<Watch>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// How often the timer of a connection looks: often enough to keep the shortest bound well.
pub(super) fn tick(limits: &Limits) -> Duration {
    let shortest = limits
        .head_timeout
        .min(limits.keep_alive_timeout)
        .min(limits.write_timeout)
        .min(limits.request_timeout);
    (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(5))
}

/// A socket that keeps its [`Watch`] up to date.
#[derive(Debug)]
pub(super) struct Watched<T> {
    inner: T,
    watch: Arc<Watch>,
    /// Only for HTTP/1.1.
    framing: Option<Framing>,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, watch: Arc<Watch>, framing: Option<Framing>) -> Self {
        Self { inner, watch, framing }
    }

    fn note_read(&mut self, bytes: &[u8]) {
        let Some(framing) = &mut self.framing else { return };
        if self.watch.is_upgraded.load(Relaxed) {
            return;
        }
        let was_in_head = framing.in_head();
        if let Some(number) = framing.read(bytes) {
            self.watch.first_ambiguous.store(number, Relaxed);
        }
        match (was_in_head, framing.in_head()) {
            (false, true) => self.watch.head_since.store(self.watch.elapsed(), Relaxed),
            (true, false) => self.watch.head_since.store(NEVER, Relaxed),
            _ => {}
        }
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
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let n_before = buffer.filled().len();
        let outcome = Pin::new(&mut this.inner).poll_read(cx, buffer);
        if matches!(outcome, Poll::Ready(Ok(()))) {
            this.note_read(buffer.filled().get(n_before..).unwrap_or_default());
        }
        outcome
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
    use std::time::Duration;

    use super::{Framing, InFlight, Overdue, Watch, Watched, tick};
    use crate::Limits;

    fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    }

    #[test]
    fn a_connection_without_request_is_idle_and_one_with_a_request_is_not() {
        let watch = Arc::new(Watch::new());
        let limits = limits(|it| it.keep_alive_timeout = Duration::ZERO);

        assert_eq!(watch.overdue(&limits), Some(Overdue::Idle));
        assert!(watch.begin());
        let request = InFlight(watch.clone());
        assert_eq!(watch.overdue(&limits), None);
        drop(request);
        assert_eq!(watch.overdue(&limits), Some(Overdue::Idle));
    }

    #[test]
    fn a_request_is_overdue_until_it_is_answered() {
        let watch = Arc::new(Watch::new());
        let limits = limits(|it| it.request_timeout = Duration::ZERO);
        let _request = InFlight(watch.clone());
        assert!(watch.begin());
        assert_eq!(watch.overdue(&limits), Some(Overdue::Request));
        watch.expire();
        assert!(watch.is_expired());
        watch.answered();
        assert_eq!(watch.overdue(&limits), None);
    }

    #[test]
    fn half_a_head_is_overdue_and_a_whole_one_is_not() {
        let watch = Arc::new(Watch::new());
        let mut socket = Watched::new((), watch.clone(), Some(Framing::new()));
        let limits = limits(|it| it.head_timeout = Duration::ZERO);

        socket.note_read(b"GET / HT");
        assert_eq!(watch.overdue(&limits), Some(Overdue::Head));
        assert!(watch.begin());
        assert_eq!(watch.overdue(&limits), None);
        drop(InFlight(watch.clone()));
        assert_eq!(watch.overdue(&limits), Some(Overdue::Head));
        socket.note_read(b"TP/1.1\r\n\r\n");
        assert_eq!(watch.overdue(&limits), None);
    }

    #[test]
    fn a_socket_that_takes_nothing_is_overdue() {
        let watch = Arc::new(Watch::new());
        let socket = Watched::new((), watch.clone(), None);
        let limits = limits(|it| it.write_timeout = Duration::ZERO);

        socket.note_write(&std::task::Poll::<()>::Pending);
        assert_eq!(watch.overdue(&limits), Some(Overdue::Write));
        socket.note_write(&std::task::Poll::Ready(()));
        assert_eq!(watch.overdue(&limits), None);
    }

    #[test]
    fn the_request_with_ambiguous_framing_is_refused_and_no_earlier_one() {
        let watch = Arc::new(Watch::new());
        let mut socket = Watched::new((), watch.clone(), Some(Framing::new()));
        socket.note_read(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nContent-Length: x\r\n\r\n");

        assert!(watch.begin());
        assert!(!watch.begin());
    }

    #[test]
    fn the_timer_looks_several_times_per_bound() {
        let limits = limits(|it| it.head_timeout = Duration::from_millis(400));
        assert_eq!(tick(&limits), Duration::from_millis(100));
    }
}
