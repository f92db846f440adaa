//! A listener's connection: requests one after the other, each answered in the connection's own
//! task.
//!
//! ```text
//! poll_request ─▶ Service::call ─▶ poll_work ─▶ poll_answer ─▶ poll_rest ─┐
//!      ▲                                                                  │
//!      └────────────────────── kept alive ◀───────────────────────────────┘
//! ```
//!
//! [`incoming`](super::incoming) has the request's body, [`answer`](super::answer) the way out.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http::{StatusCode, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::READ_BYTES;
use super::answer::Answer;
use super::chunked::Decoder;
use super::encode::Asked;
use super::inbound::Feed;
use super::io::{Io, Rewound};
use super::lines::{Lines, Scan};
use super::output::Output;
use super::request::{Refusal, RequestHead};
use super::ticker::Ticker;
use crate::service::explain;
use crate::upgrade::{Handover, OnUpgrade};
use crate::{Limits, Peer, Request, Response, Service};

/// Bytes and time spent on reading what nobody wants any more.
pub(super) const LINGER: (u64, Duration) = (1024 * 1024, Duration::from_secs(2));

/// How a connection begins: by prior knowledge it may be HTTP/2 (RFC 9113, section 3.3). No
/// method is called PRI.
const PREFACE: &[u8] = b"PRI ";

/// How a connection ended.
pub(crate) enum Ended {
    Closed,
    /// It speaks HTTP/2, from its first byte.
    Http2(Rewound),
}

/// What the connection's timer and the listener decide on.
pub(crate) struct Rules<'a> {
    pub(crate) limits: &'a Limits,
    /// Set before the listener's signal to drain ends.
    pub(crate) is_draining: &'a AtomicBool,
    /// Without TLS the first bytes tell the protocol.
    pub(crate) may_be_http2: bool,
}

/// A connection between and during requests.
pub(crate) struct Connection<'a> {
    pub(super) io: Io,
    /// What has come and is not used.
    pub(super) input: BytesMut,
    lines: Lines,
    /// A request has begun whose head is not complete.
    in_head: bool,
    pub(super) output: Output,
    pub(super) ticker: Ticker,
    pub(super) rules: Rules<'a>,
    pub(super) asked: Asked,
    /// The rest of the request's body.
    pub(super) decoder: Decoder,
    /// Where that goes, until it is complete.
    pub(super) feed: Option<Feed>,
    /// The client waits for a word before it sends the body.
    pub(super) expects_continue: bool,
    pub(super) handover: Option<Handover>,
    pub(super) answer: Answer,
}

/// The client is gone, or is no longer listened to.
pub(crate) struct Gone;

/// Why no request comes.
enum Stop {
    Refused(Refusal),
    Http2,
    Closed,
}

/// Serves a connection until it closes. `draining` is polled once, so that its end wakes this
/// task.
pub(crate) async fn serve<S: Service>(
    service: &Arc<S>,
    peer: &Arc<Peer>,
    io: Io,
    rules: Rules<'_>,
    draining: Pin<&mut (impl Future<Output = ()> + Send)>,
) -> Ended {
    let mut it = Connection::new(io, rules);
    {
        let mut draining = std::pin::pin!(tokio::task::coop::unconstrained(draining));
        poll_fn(|cx| {
            let _ = draining.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
    }
    loop {
        let request = match poll_fn(|cx| it.poll_request(cx)).await {
            Ok(request) => request,
            Err(Stop::Refused(refusal)) => {
                it.refuse(refusal).await;
                return Ended::Closed;
            }
            Err(Stop::Http2) => return Ended::Http2(Rewound::new(it.input.freeze(), it.io)),
            Err(Stop::Closed) => return Ended::Closed,
        };
        let answered = {
            let mut work = std::pin::pin!(service.clone().call(request, peer.clone()));
            poll_fn(|cx| it.poll_work(cx, work.as_mut())).await
        };
        if answered.is_err() || poll_fn(|cx| it.poll_answer(cx)).await.is_err() {
            return Ended::Closed;
        }
        if let Some(handover) = it.handover.take() {
            hand_over(handover, it.input, it.io).await;
            return Ended::Closed;
        }
        if !poll_fn(|cx| it.poll_rest(cx)).await {
            it.close().await;
            return Ended::Closed;
        }
    }
}

/// Gives the socket to whoever goes on with it, and waits for its end: it counts as a connection
/// until then.
async fn hand_over(handover: Handover, input: BytesMut, io: Io) {
    let (open, closed) = oneshot::channel::<()>();
    if handover.send(Rewound::new(input.freeze(), io).holding(open)).is_ok() {
        // Nothing is ever sent: an error means that it was dropped.
        let _ = closed.await;
    }
}

impl<'a> Connection<'a> {
    fn new(io: Io, rules: Rules<'a>) -> Self {
        Self {
            io,
            input: BytesMut::with_capacity(READ_BYTES),
            lines: Lines::default(),
            in_head: false,
            output: Output::default(),
            ticker: Ticker::new(rules.limits),
            rules,
            asked: Asked { version: Version::HTTP_11, is_head: false, keep_alive: false },
            decoder: Decoder::length(0),
            feed: None,
            expects_continue: false,
            handover: None,
            answer: Answer::default(),
        }
    }

    fn poll_request(&mut self, cx: &mut Context<'_>) -> Poll<Result<Request, Stop>> {
        loop {
            if let Some(next) = self.take_request() {
                return Poll::Ready(next);
            }
            self.reserve(READ_BYTES);
            match self.io.poll_fill(cx, &mut self.input) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Stop::Closed)),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
        }
        if self.rules.is_draining.load(Relaxed) {
            return Poll::Ready(Err(Stop::Closed));
        }
        let (is_idle, limits) = (self.input.is_empty(), self.rules.limits);
        match self.ticker.tick(cx) {
            Some(passed) if is_idle && passed >= limits.keep_alive_timeout => {
                Poll::Ready(Err(Stop::Closed))
            }
            Some(passed) if !is_idle && passed >= limits.head_timeout => {
                Poll::Ready(Err(Stop::Refused(Refusal::Timeout)))
            }
            _ => Poll::Pending,
        }
    }

    /// The next request, if its head is there.
    fn take_request(&mut self) -> Option<Result<Request, Stop>> {
        // Empty lines before a request are skipped (RFC 9112, section 2.2).
        while self.input.starts_with(b"\r\n") {
            self.input.advance(2);
        }
        if self.input.is_empty() {
            return None;
        }
        // Empty lines alone do not count as a sign of life.
        if !std::mem::replace(&mut self.in_head, true) {
            self.ticker.touch();
        }
        if self.rules.may_be_http2 {
            let n = self.input.len().min(PREFACE.len());
            if self.input.get(..n) == PREFACE.get(..n) {
                return (n == PREFACE.len()).then_some(Err(Stop::Http2));
            }
            self.rules.may_be_http2 = false;
        }
        let limits = self.rules.limits;
        let refusal = match self.lines.scan(&self.input, limits.max_headers + 1) {
            Ok(Scan::Complete(n)) if n <= limits.max_head_bytes => {
                let head = self.input.split_to(n).freeze();
                let read = RequestHead::read(&head, &self.lines, limits);
                self.lines.clear();
                return Some(match read {
                    Ok(head) => Ok(self.begin(head)),
                    Err(refusal) => Err(Stop::Refused(refusal)),
                });
            }
            Ok(Scan::Partial) if self.input.len() <= limits.max_head_bytes => {
                if is_request_so_far(&self.input) {
                    return None;
                }
                Refusal::Malformed
            }
            Ok(Scan::Partial) if !self.lines.has_first() => Refusal::TargetTooLong,
            Ok(_) => Refusal::HeadersTooLarge,
            Err(malformed) => malformed.into(),
        };
        Some(Err(Stop::Refused(refusal)))
    }

    fn begin(&mut self, head: RequestHead) -> Request {
        self.in_head = false;
        self.ticker.touch();
        self.asked = Asked {
            version: head.version,
            is_head: head.method == http::Method::HEAD,
            keep_alive: head.keep_alive,
        };
        self.decoder = head.body;
        let mut request = Request::new(self.body());
        self.expects_continue = head.expects_continue && self.feed.is_some();
        *request.method_mut() = head.method;
        *request.uri_mut() = head.uri;
        *request.version_mut() = head.version;
        *request.headers_mut() = head.headers;
        // What comes after a body that nobody has read could be taken for it.
        if head.upgrades && self.decoder.is_done() && self.feed.is_none() {
            let (handover, promise) = OnUpgrade::pair();
            self.handover = Some(handover);
            request.extensions_mut().insert(promise);
        }
        request
    }

    fn poll_work<F: Future<Output = Response>>(
        &mut self,
        cx: &mut Context<'_>,
        mut work: Pin<&mut F>,
    ) -> Poll<Result<(), Gone>> {
        loop {
            if let Poll::Ready(response) = work.as_mut().poll(cx) {
                return Poll::Ready(self.begin_answer(response));
            }
            match self.poll_body(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(gone)) => return Poll::Ready(Err(gone)),
                Poll::Pending => break,
            }
        }
        match self.ticker.tick(cx) {
            Some(passed) if passed >= self.rules.limits.request_timeout => {
                let late = explain(StatusCode::GATEWAY_TIMEOUT, "The request took too long.");
                Poll::Ready(self.begin_answer(late))
            }
            _ => Poll::Pending,
        }
    }

    /// Answers what is no request, and closes.
    async fn refuse(mut self, refusal: Refusal) {
        self.asked = Asked { version: Version::HTTP_11, is_head: false, keep_alive: false };
        self.feed = None;
        let begun = self.begin_answer(explain(refusal.status(), refusal.message()));
        // What remains of it is unknown.
        self.decoder = Decoder::Close;
        if begun.is_ok() && poll_fn(|cx| self.poll_answer(cx)).await.is_ok() {
            self.close().await;
        }
    }

    /// Closes so that the answer is not lost in a reset: what the client still sends is read,
    /// within bounds, and dropped.
    async fn close(mut self) {
        let owes = self.feed.is_some() || !self.decoder.is_done() || !self.input.is_empty();
        self.feed = None;
        let end = async {
            let _ = self.io.shutdown().await;
            if owes {
                let mut rest = (&mut self.io).take(LINGER.0);
                let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
            }
        };
        let _ = timeout(LINGER.1, end).await;
    }
}

/// Whether the start of an incomplete head may be one: what speaks another protocol need not be
/// waited for.
fn is_request_so_far(input: &[u8]) -> bool {
    let method = input.split(|it| *it == b' ').next().unwrap_or_default();
    matches!(input, [b'\r'])
        || (!method.is_empty()
            && method
                .iter()
                .all(|it| it.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(it)))
}

#[cfg(test)]
mod tests {
    use super::is_request_so_far;

    #[test]
    fn other_protocols_are_known_by_their_first_bytes() {
        for start in ["G", "GET", "GET /\0", "\r", "M-SEARCH *", "x!#$%&'*+-.^_`|~ "] {
            assert!(is_request_so_far(start.as_bytes()), "{start:?}");
        }
        for start in ["\u{16}\u{3}\u{1}", " GET", "\rG", "GE\u{e9}", "{\"a\": 1}", "GET/"] {
            assert!(!is_request_so_far(start.as_bytes()), "{start:?}");
        }
    }
}
