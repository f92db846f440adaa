//! The body of a backend's response. It owns the connection, and gives it back at its end.

use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::chunked::{Decoder, LAST, Step};
use super::client::{Connection, Fault};
use crate::client::pool;
use crate::{Body, BodyError};

/// A response's body with its connection; `None` once that has been given back or closed.
pub(crate) struct Received(Option<Box<Connection>>);

/// The body that follows a head. What came with the head as a whole is in memory, and its
/// connection free at once.
pub(super) fn body(mut connection: Box<Connection>) -> Body {
    if connection.decoder.is_done() {
        release(connection);
        return Body::empty();
    }
    let is_whole = match &connection.decoder {
        Decoder::Length(left) => *left <= connection.input.len() as u64,
        Decoder::Chunked(_) => connection.input.ends_with(LAST),
        Decoder::Close => false,
    };
    if is_whole && let Ok(Step::Data(data)) = connection.decoder.next(&mut connection.input) {
        if connection.decoder.finish(&mut connection.input) {
            release(connection);
            return Body::full(data);
        }
        connection.first = data;
    } else if connection.decoder.is_done() {
        release(connection);
        return Body::empty();
    }
    Body::received(Received(Some(connection)))
}

fn release(mut connection: Box<Connection>) {
    if connection.is_free() {
        pool::put_back(connection);
    }
}

impl Received {
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(connection) = self.0.as_deref_mut() else { return Poll::Ready(None) };
        let next = match connection.poll_data(cx) {
            Poll::Ready(next) => next,
            Poll::Pending => return Poll::Pending,
        };
        match next {
            Ok(Step::Data(data)) => {
                // A reader that sees the end need not poll once more.
                if connection.decoder.finish(&mut connection.input) {
                    self.release();
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Ok(Step::End(trailers)) => {
                self.release();
                Poll::Ready(trailers.map(|it| Ok(Frame::trailers(it))))
            }
            Ok(Step::More) => Poll::Pending,
            Err(error) => {
                self.0 = None;
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn release(&mut self) {
        if let Some(connection) = self.0.take() {
            release(connection);
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match &self.0 {
            None => SizeHint::with_exact(0),
            Some(it) => match &it.decoder {
                Decoder::Length(left) => SizeHint::with_exact(*left + it.first.len() as u64),
                _ => SizeHint::default(),
            },
        }
    }
}

impl Connection {
    /// The next part of the body; the rest of the request goes out meanwhile.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, BodyError>> {
        if !self.first.is_empty() {
            return Poll::Ready(Ok(Step::Data(std::mem::take(&mut self.first))));
        }
        if let Err(Fault::RequestBody(error)) = self.poll_sending(cx) {
            let reason = format!("the request body failed: {error}");
            return Poll::Ready(Err(BodyError::Aborted(reason)));
        }
        loop {
            match self.decoder.next(&mut self.input) {
                Ok(Step::More) => {}
                Ok(step) => {
                    self.pause.moved();
                    return Poll::Ready(Ok(step));
                }
                Err(malformed) => {
                    return Poll::Ready(Err(BodyError::Aborted(malformed.to_string())));
                }
            }
            let room = self.decoder.room();
            if self.input.capacity() - self.input.len() < room / 4 {
                self.input.reserve(room);
            }
            match self.io.poll_fill(cx, &mut self.input) {
                Poll::Ready(Ok(0)) if matches!(self.decoder, Decoder::Close) => {
                    self.close_after();
                    return Poll::Ready(Ok(Step::End(None)));
                }
                Poll::Ready(Ok(0)) => {
                    let reason = "the connection was closed".to_owned();
                    return Poll::Ready(Err(BodyError::Aborted(reason)));
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(BodyError::Aborted(error.to_string())));
                }
                Poll::Pending => return self.pause.poll(cx).map(Err),
            }
        }
    }
}
