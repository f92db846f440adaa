//! The way out of a listener's connection: a response and its body.
//!
//! Whatever of the body is at hand leaves with the head in one send; what comes later leaves at
//! once, several parts together only if they are there together.

use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use http::StatusCode;
use http_body::Body as _;

use super::encode::{self, Encoder};
use super::server::{Connection, Gone};
use crate::service::{Abort, explain};
use crate::{Body, Response};

/// A response on its way out.
#[derive(Default)]
pub(crate) struct Answer {
    body: Body,
    state: State,
    /// The socket takes nothing at present.
    is_blocked: bool,
    /// Counts what the socket has taken, as a sign of life.
    n_sends: u32,
    n_sends_seen: u32,
    /// What was read of the request's body although nobody wanted it.
    pub(super) n_skipped: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    None,
    Body(Encoder),
    /// Everything is in the output.
    Complete,
    /// The body broke: the end must not look like one.
    Broken {
        with_close: bool,
    },
}

impl Answer {
    /// Whether the response's head has been written.
    pub(super) fn has_begun(&self) -> bool {
        self.state != State::None
    }
}

impl Connection<'_> {
    /// Writes the response's head.
    pub(super) fn begin_answer(&mut self, response: Response) -> Result<(), Gone> {
        let mut response = response;
        let has_extensions = !response.extensions().is_empty();
        if has_extensions && response.extensions().get::<Abort>().is_some() {
            return Err(Gone);
        }
        let status = response.status();
        let switches = status == StatusCode::SWITCHING_PROTOCOLS && self.handover.is_some();
        if status.is_informational() && !switches {
            // Not an answer; to the client it would be one that never comes.
            response = explain(StatusCode::INTERNAL_SERVER_ERROR, "The answer is not valid HTTP.");
        }
        if !switches {
            self.handover = None;
        }
        if self.feed.as_ref().is_some_and(|it| it.is_unread()) && !self.can_skip_body() {
            self.asked.keep_alive = false;
        }
        self.asked.keep_alive &= !self.rules.is_draining.load(Relaxed);
        self.ticker.touch();
        let encoder = encode::response(self.output.buffer(), &response, &mut self.asked);
        self.answer.body = response.into_body();
        self.answer.n_skipped = 0;
        self.answer.is_blocked = false;
        self.answer.state = match encoder {
            Some(encoder) => State::Body(encoder),
            None => State::Complete,
        };
        if encoder.is_none() {
            self.answer.body = Body::empty();
        }
        Ok(())
    }

    /// Sends the response to its end.
    pub(super) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        loop {
            let is_waiting = self.fill(cx);
            match self.output.poll_send(cx, &mut self.io, &mut self.answer.n_sends) {
                Poll::Ready(Ok(())) => {
                    self.answer.is_blocked = false;
                    self.output.clear();
                    match self.answer.state {
                        State::Complete | State::None => {
                            self.answer.state = State::None;
                            return Poll::Ready(Ok(()));
                        }
                        State::Broken { with_close } => {
                            if with_close {
                                self.io.reset_on_close();
                            }
                            return Poll::Ready(Err(Gone));
                        }
                        State::Body(_) if !is_waiting => continue,
                        State::Body(_) => {}
                    }
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Gone)),
                Poll::Pending => {}
            }
            match self.poll_body(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(gone)) => return Poll::Ready(Err(gone)),
                Poll::Pending => break,
            }
        }
        self.poll_blocked(cx)
    }

    /// Bounds the time in which the client takes nothing.
    fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let is_blocked = !self.output.is_sent();
        let answer = &mut self.answer;
        if is_blocked != answer.is_blocked || answer.n_sends != answer.n_sends_seen {
            (answer.is_blocked, answer.n_sends_seen) = (is_blocked, answer.n_sends);
            self.ticker.touch();
        }
        match self.ticker.tick(cx) {
            Some(passed) if is_blocked && passed >= self.rules.limits.write_timeout => {
                Poll::Ready(Err(Gone))
            }
            _ => Poll::Pending,
        }
    }

    /// Takes from the body what is there and there is room for. Whether more must be waited for.
    fn fill(&mut self, cx: &mut Context<'_>) -> bool {
        while let State::Body(mut encoder) = self.answer.state {
            if !self.output.has_room() {
                return false;
            }
            let output = &mut self.output;
            let is_good = match Pin::new(&mut self.answer.body).poll_frame(cx) {
                Poll::Pending => return true,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => encoder.data(output, data).is_ok(),
                    // Trailers: no client has asked for them.
                    Err(_) => true,
                },
                Poll::Ready(None) => {
                    self.answer.body = Body::empty();
                    let is_good = encoder.finish(output).is_ok();
                    if is_good {
                        self.answer.state = State::Complete;
                        return false;
                    }
                    false
                }
                Poll::Ready(Some(Err(_))) => false,
            };
            self.answer.state = match is_good {
                true => State::Body(encoder),
                false => State::Broken { with_close: encoder == Encoder::Close },
            };
        }
        false
    }
}
