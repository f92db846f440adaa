//! The way in of a listener's connection besides heads: the request's body, and the client's end.
//!
//! The socket is read only for what somebody waits for. While a service works on a complete
//! request, that is the client's end: it ends the work.

use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use super::chunked::{Decoder, Step};
use super::inbound;
use super::server::{Connection, Gone, LINGER};
use super::{LONG_READ_BYTES, READ_BYTES};
use crate::{Body, BodyError};

/// What is read ahead of a request that is being answered.
const MAX_AHEAD_BYTES: usize = LONG_READ_BYTES;

impl Connection<'_> {
    /// Room for the next receive. A nearly full buffer is used up first: what was taken out of it
    /// has then been dropped, and its memory is used again.
    pub(super) fn reserve(&mut self, room: usize) {
        if self.input.capacity() - self.input.len() < room / 4 {
            self.input.reserve(room);
        }
    }

    /// The request's body: what came with the head, if it is whole.
    pub(super) fn body(&mut self) -> Body {
        let left = self.decoder.left();
        if left.is_some_and(|left| left <= self.input.len() as u64) {
            return match self.decoder.next(&mut self.input) {
                Ok(Step::Data(data)) => Body::full(data),
                _ => Body::empty(),
            };
        }
        let limits = self.rules.limits;
        let (feed, body) = inbound::pair(left, limits.max_body_bytes, limits.body_idle_timeout);
        self.feed = Some(feed);
        Body::inbound(body)
    }

    /// Brings the request's body on its way to its reader. Ready when the reader should be polled
    /// again, or when the client is gone.
    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let Some(feed) = &self.feed else { return self.poll_quiet(cx) };
        if !feed.is_wanted(cx) {
            return Poll::Pending;
        }
        // Once the answer has begun it is too late for that word.
        if self.expects_continue && !self.answer.has_begun() {
            self.expects_continue = false;
            self.output.buffer().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        if !self.output.is_sent() && !self.answer.has_begun() {
            match self.output.poll_send(cx, &mut self.io, &mut 0) {
                Poll::Ready(Ok(())) => self.output.clear(),
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Gone)),
                Poll::Pending => {}
            }
        }
        loop {
            match self.decoder.next(&mut self.input) {
                Ok(Step::Data(data)) => {
                    feed.data(data, cx);
                    if self.decoder.finish(&mut self.input) {
                        feed.end(Ok(None), cx);
                        self.feed = None;
                    }
                    return Poll::Ready(Ok(()));
                }
                Ok(Step::End(trailers)) => {
                    feed.end(Ok(trailers), cx);
                    self.feed = None;
                    return Poll::Ready(Ok(()));
                }
                Err(malformed) => {
                    feed.end(Err(BodyError::Aborted(malformed.to_string())), cx);
                    self.feed = None;
                    self.decoder = Decoder::Close;
                    self.asked.keep_alive = false;
                    return Poll::Ready(Ok(()));
                }
                Ok(Step::More) => {}
            }
            let room = self.decoder.room();
            if self.input.capacity() - self.input.len() < room / 4 {
                self.input.reserve(room);
            }
            match self.io.poll_fill(cx, &mut self.input) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Gone)),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Waits for the client's end. Requests that come meanwhile are kept, within a bound.
    fn poll_quiet<T>(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Gone>> {
        while self.input.len() < MAX_AHEAD_BYTES {
            self.reserve(READ_BYTES);
            match self.io.poll_fill(cx, &mut self.input) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Gone)),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    /// Whether what is left of the request's body is worth reading, to keep the connection.
    pub(super) fn can_skip_body(&self) -> bool {
        !self.expects_continue && self.decoder.left().is_none_or(|it| it <= LINGER.0)
    }

    /// The connection is ready for the next request. A long body's memory is not kept for it.
    fn rest(&mut self) {
        self.ticker.touch();
        super::give_back(&mut self.input);
    }

    /// After the answer: reads what is left of the request's body, within bounds. Whether the
    /// connection can go on.
    pub(super) fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.asked.keep_alive || self.expects_continue {
            return Poll::Ready(false);
        }
        if self.feed.is_none() {
            self.rest();
            return Poll::Ready(true);
        }
        loop {
            match self.decoder.next(&mut self.input) {
                Ok(Step::Data(data)) => {
                    self.answer.n_skipped += data.len() as u64;
                    if self.answer.n_skipped > LINGER.0 {
                        return Poll::Ready(false);
                    }
                }
                Ok(Step::End(_)) => {
                    self.feed = None;
                    self.rest();
                    return Poll::Ready(true);
                }
                Err(_) => return Poll::Ready(false),
                Ok(Step::More) => {
                    self.reserve(READ_BYTES);
                    match self.io.poll_fill(cx, &mut self.input) {
                        Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(false),
                        Poll::Ready(Ok(_)) => {}
                        Poll::Pending => break,
                    }
                }
            }
        }
        if self.rules.is_draining.load(Relaxed) {
            return Poll::Ready(false);
        }
        match self.ticker.tick(cx) {
            Some(passed) if passed >= LINGER.1 => Poll::Ready(false),
            _ => Poll::Pending,
        }
    }
}
