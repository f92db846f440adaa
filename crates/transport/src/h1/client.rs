//! A call's connection to a backend: the request out, the response's head in.
//!
//! It has no task of its own. The call owns it until the head is there, then the response's body
//! does ([`received`](super::received)), and at that body's end it rests in its thread's pool.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use tokio::time::{Instant, Sleep};

use super::chunked::Decoder;
use super::encode::{self, Encoder};
use super::io::{Io, Rewound};
use super::lines::{Lines, Scan};
use super::output::Output;
use super::response::ResponseHead;
use super::{Malformed, READ_BYTES};
use crate::alarm::{Alarm, Pause};
use crate::client::pool::Home;
use crate::upgrade::OnUpgrade;
use crate::{Body, BodyError, Request, Response};

/// Headers of a response: bytes and lines.
const MAX_HEAD: (usize, usize) = (128 * 1024, 256);

/// Interim responses before the final one.
const MAX_INTERIM: u32 = 32;

/// An HTTP/1.1 connection to a backend.
pub(crate) struct Connection {
    pub(super) io: Io,
    pub(super) input: BytesMut,
    lines: Lines,
    output: Output,
    /// What remains of the request's body.
    body: Body,
    sending: Sending,
    /// The whole request is in the output, and may arrive twice.
    is_repeatable: bool,
    is_head: bool,
    asks_upgrade: bool,
    may_go_on: bool,
    n_interim: u32,
    /// How often the socket has taken something of the request.
    n_sends: u32,
    /// Takes the response's body.
    pub(super) decoder: Decoder,
    pub(super) first: Bytes,
    pub(super) pause: Pause,
    /// Bounds one call after the other.
    alarm: Alarm,
    /// Where it rests, and what counts it.
    pub(crate) home: Home,
}

/// How far the request's body is.
enum Sending {
    /// Held back until the other side asks for it (RFC 9110, section 10.1.1).
    Held(Encoder, Pin<Box<Sleep>>),
    Body(Encoder),
    /// Everything is in the output, or nothing more can be sent.
    Done,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The request's own body failed.
    RequestBody(BodyError),
    /// The time is over.
    Late,
    /// The connection broke before any answer.
    Broken(String),
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Broken(malformed.to_string())
    }
}

/// Whether the request asks to be told when to send its body.
fn expects_continue(headers: &HeaderMap) -> bool {
    headers
        .get(header::EXPECT)
        .is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

impl Connection {
    pub(crate) fn new(io: Io, home: Home) -> Self {
        Self {
            io,
            input: BytesMut::with_capacity(READ_BYTES),
            lines: Lines::default(),
            output: Output::default(),
            body: Body::empty(),
            sending: Sending::Done,
            is_repeatable: false,
            is_head: false,
            asks_upgrade: false,
            may_go_on: true,
            n_interim: 0,
            n_sends: 0,
            decoder: Decoder::length(0),
            first: Bytes::new(),
            pause: Pause::new(None),
            alarm: Alarm::default(),
            home,
        }
    }

    /// Whether it can serve a call after it has rested: nothing has come meanwhile.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.io.is_quiet()
    }

    /// Takes a request to be sent.
    pub(crate) fn begin(
        &mut self,
        request: Request,
        path: &str,
        host: &HeaderValue,
        continue_timeout: Duration,
    ) {
        self.output.clear();
        let written = encode::request(self.output.buffer(), &request, path, host);
        let (mut encoder, options) = written;
        let waits = expects_continue(request.headers());
        self.is_head = *request.method() == Method::HEAD;
        self.may_go_on = !options.close;
        self.asks_upgrade = options.upgrade && request.headers().contains_key(header::UPGRADE);
        (self.n_interim, self.n_sends) = (0, 0);
        let is_idempotent = is_idempotent(request.method());
        let mut body = request.into_body();
        let at_hand = body.take_bytes();
        self.is_repeatable = is_idempotent && at_hand.is_some();
        self.sending = match at_hand {
            Some(bytes) if waits && !bytes.is_empty() => {
                self.body = Body::full(bytes);
                self.is_repeatable = false;
                Sending::Held(encoder, Box::pin(tokio::time::sleep(continue_timeout)))
            }
            Some(bytes) => {
                // It is as long as announced: the encoder was made from it.
                let _ = encoder.data(&mut self.output, bytes);
                Sending::Done
            }
            None => {
                self.body = body;
                match waits {
                    true => Sending::Held(encoder, Box::pin(tokio::time::sleep(continue_timeout))),
                    false => Sending::Body(encoder),
                }
            }
        };
    }

    /// Takes over the request of a connection that has failed it.
    pub(crate) fn take_over(&mut self, mut failed: Box<Self>) {
        failed.output.rewind();
        self.output = std::mem::take(&mut failed.output);
        self.body = std::mem::take(&mut failed.body);
        self.sending = std::mem::replace(&mut failed.sending, Sending::Done);
        self.is_repeatable = failed.is_repeatable;
        self.is_head = failed.is_head;
        self.asks_upgrade = failed.asks_upgrade;
        self.may_go_on = failed.may_go_on;
        (self.n_interim, self.n_sends) = (0, 0);
    }

    /// Whether the request may be sent again after the connection broke: nothing of it has left
    /// us, or a second arrival does no harm (RFC 9110, section 9.2.2).
    pub(crate) fn can_repeat(&self) -> bool {
        self.is_repeatable || self.n_sends == 0
    }

    /// Brings the request out and the response's head in. The connection goes on in the response.
    pub(crate) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        deadline: &mut Deadline,
    ) -> Poll<Result<ResponseHead, Fault>> {
        loop {
            let sent = self.poll_sending(cx);
            if let Err(Fault::RequestBody(error)) = sent {
                return Poll::Ready(Err(Fault::RequestBody(error)));
            }
            let n_interim = self.n_interim;
            match self.take_head() {
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                // It may have asked for the body.
                Ok(None) if n_interim != self.n_interim => continue,
                Ok(None) => {}
                Err(malformed) => return Poll::Ready(Err(malformed.into())),
            }
            if self.input.capacity() - self.input.len() < READ_BYTES / 4 {
                self.input.reserve(READ_BYTES);
            }
            let reason = match self.io.poll_fill(cx, &mut self.input) {
                Poll::Ready(Ok(0)) => "closed before the response's headers came".to_owned(),
                Poll::Ready(Err(error)) => error.to_string(),
                Poll::Ready(Ok(_)) => continue,
                Poll::Pending => break,
            };
            return Poll::Ready(Err(sent.err().unwrap_or(Fault::Broken(reason))));
        }
        deadline.poll(&mut self.alarm, cx).map(|()| Err(Fault::Late))
    }

    /// The head of the final response, if it is there.
    fn take_head(&mut self) -> Result<Option<ResponseHead>, Malformed> {
        loop {
            if self.input.is_empty() {
                return Ok(None);
            }
            let n = match self.lines.scan(&self.input, MAX_HEAD.1 + 1)? {
                Scan::Complete(n) if n <= MAX_HEAD.0 => n,
                Scan::Partial if self.input.len() <= MAX_HEAD.0 => return Ok(None),
                _ => return Err(Malformed("the response's headers are too large")),
            };
            let head = self.input.split_to(n).freeze();
            let read = ResponseHead::read(&head, &self.lines, self.is_head);
            self.lines.clear();
            let head = read?;
            let status = head.response.status();
            if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
                self.may_go_on &= head.keep_alive && !status.is_informational();
                return Ok(Some(head));
            }
            self.n_interim += 1;
            if self.n_interim > MAX_INTERIM {
                return Err(Malformed("too many interim responses"));
            }
            if status == StatusCode::CONTINUE {
                self.release();
            }
        }
    }

    /// The other side asks for the body.
    fn release(&mut self) {
        if let Sending::Held(encoder, _) = self.sending {
            self.sending = Sending::Body(encoder);
        }
    }

    /// Sends what there is of the request. An error of its body ends the call; one of the socket
    /// does not: an answer may have come before it.
    pub(super) fn poll_sending(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        if matches!(self.sending, Sending::Done) && self.output.is_sent() {
            return Ok(());
        }
        if let Sending::Held(_, sleep) = &mut self.sending
            && sleep.as_mut().poll(cx).is_ready()
        {
            self.release();
        }
        loop {
            let is_waiting = self.fill(cx)?;
            match self.output.poll_send(cx, &mut self.io, &mut self.n_sends) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Err(error)) => {
                    self.sending = Sending::Done;
                    self.may_go_on = false;
                    return Err(Fault::Broken(error.to_string()));
                }
                Poll::Ready(Ok(())) if is_waiting || matches!(self.sending, Sending::Done) => {
                    return Ok(());
                }
                // Kept while it may have to be sent again.
                Poll::Ready(Ok(())) => self.output.clear(),
            }
        }
    }

    /// Takes from the body what is there and there is room for. Whether more must be waited for.
    fn fill(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let filled = self.try_fill(cx);
        filled.map_err(|error| {
            (self.sending, self.may_go_on) = (Sending::Done, false);
            Fault::RequestBody(error)
        })
    }

    fn try_fill(&mut self, cx: &mut Context<'_>) -> Result<bool, BodyError> {
        loop {
            let Sending::Body(encoder) = &mut self.sending else {
                return Ok(matches!(self.sending, Sending::Held(..)));
            };
            if self.output.is_sent() && !self.output.is_untouched() {
                self.output.clear();
            }
            if !self.output.has_room() {
                return Ok(false);
            }
            let wrong = |_| BodyError::Aborted("it has the wrong length".to_owned());
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Ok(true),
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        encoder.data(&mut self.output, data).map_err(wrong)?;
                    }
                }
                Poll::Ready(Some(Err(error))) => return Err(error),
                Poll::Ready(None) => {
                    encoder.finish(&mut self.output).map_err(wrong)?;
                    (self.sending, self.body) = (Sending::Done, Body::empty());
                }
            }
        }
    }

    /// The connection is at its end with this response.
    pub(super) fn close_after(&mut self) {
        self.may_go_on = false;
    }

    /// Whether it may serve the next call: the request is out, and nothing more has come.
    pub(super) fn is_free(&mut self) -> bool {
        super::give_back(&mut self.input);
        self.may_go_on
            && matches!(self.sending, Sending::Done)
            && self.output.is_sent()
            && self.input.is_empty()
    }

    /// The response with its body, or with the socket if the protocol is switched.
    pub(crate) fn respond(
        mut self: Box<Self>,
        head: ResponseHead,
        idle: Option<Duration>,
    ) -> Response {
        let ResponseHead { mut response, body, .. } = head;
        self.decoder = body;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            if self.asks_upgrade {
                let (handover, promise) = OnUpgrade::pair();
                let this = *self;
                let socket = Rewound::new(this.input.freeze(), this.io).holding(this.home);
                // The receiver is in the promise.
                let _ = handover.send(socket);
                response.extensions_mut().insert(promise);
            }
            return response;
        }
        if self.output.is_sent() {
            self.output.clear();
        }
        self.pause.restart(idle);
        *response.body_mut() = super::received::body(self);
        response
    }
}

fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS | Method::TRACE
    )
}

/// Until when the response's head must be there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    is_set: bool,
}

impl Deadline {
    pub(crate) fn new(at: Option<Instant>) -> Self {
        Self { at, is_set: false }
    }

    /// Ready when the time has come. The alarm is set when it is first waited for.
    fn poll(&mut self, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if !self.is_set {
            alarm.set(at);
            self.is_set = true;
        }
        alarm.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, header};

    use super::{expects_continue, is_idempotent};

    #[test]
    fn only_100_continue_is_an_expectation() {
        let headers = |value: &'static str| -> HeaderMap {
            [(header::EXPECT, HeaderValue::from_static(value))].into_iter().collect()
        };
        assert!(expects_continue(&headers("100-Continue")));
        assert!(!expects_continue(&headers("something")));
        assert!(!expects_continue(&HeaderMap::new()));
    }

    #[test]
    fn only_what_may_arrive_twice_is_repeated() {
        assert!(is_idempotent(&Method::GET) && is_idempotent(&Method::PUT));
        assert!(!is_idempotent(&Method::POST) && !is_idempotent(&Method::PATCH));
    }
}
