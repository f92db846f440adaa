//! Message bodies: nothing, bytes in memory, or a stream.
//!
//! A body that nobody reads goes through untouched. Every stream is bounded where it enters the
//! process: in bytes and in pauses.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use crate::alarm::Pause;
use crate::client::pool::Lease;
use crate::h1::inbound::Inbound;
use crate::h1::received::Received;

/// A message body: `Send`, `Sync`, and an [`http_body::Body`].
#[derive(Default)]
pub struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Bytes),
    Http2(Box<Metered>),
    Inbound(Box<Inbound>),
    Received(Received),
    Channel(mpsc::Receiver<Result<Bytes, BodyError>>),
    /// The lock is never taken: it makes the trait object `Sync`, which `&mut self` suffices for.
    Stream(Mutex<Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError> + Send>>>),
}

/// Why a body ended before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
    /// A pause longer than allowed.
    #[error("the body paused for more than {} ms", .after.as_millis())]
    IdleTimeout {
        /// The bound.
        after: Duration,
    },
    /// The connection broke, or the other side gave up.
    #[error("the body was cut short: {0}")]
    Aborted(String),
}

/// The writing end of [`Body::channel`].
#[derive(Debug, Clone)]
pub struct BodySender(mpsc::Sender<Result<Bytes, BodyError>>);

/// The reader of a [`Body::channel`] is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reader of the body is gone")]
pub struct SenderGone;

impl Body {
    /// No bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// These bytes.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::empty() } else { Self(Kind::Full(bytes)) }
    }

    /// A stream of another kind.
    #[must_use]
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes, Error = BodyError> + Send + 'static,
    {
        Self(Kind::Stream(Mutex::new(Box::pin(body))))
    }

    /// A stream written by hand, at most `capacity` chunks ahead of the reader (at least one).
    /// It ends when all senders are dropped.
    #[must_use]
    pub fn channel(capacity: usize) -> (BodySender, Self) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (BodySender(sender), Self(Kind::Channel(receiver)))
    }

    /// The bytes, if they are all in memory; `None` for a stream.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        static NOTHING: Bytes = Bytes::new();
        match &self.0 {
            Kind::Empty => Some(&NOTHING),
            Kind::Full(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Reads to the end, at most `max_bytes`. Trailers are dropped.
    ///
    /// # Errors
    ///
    /// [`BodyError::TooLarge`] before more than `max_bytes` are held; errors of the stream.
    pub async fn collect(mut self, max_bytes: usize) -> Result<Bytes, BodyError> {
        let limit = BodyError::TooLarge { limit: max_bytes as u64 };
        if self.size_hint().lower() > max_bytes as u64 {
            return Err(limit);
        }
        let Some(first) = self.next_data().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.next_data().await? else {
            return if first.len() > max_bytes { Err(limit) } else { Ok(first) };
        };
        let mut all = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(data) = next {
            if all.len() + data.len() > max_bytes {
                return Err(limit);
            }
            all.extend_from_slice(&data);
            next = self.next_data().await?;
        }
        Ok(all.freeze())
    }

    /// The next chunk that is not empty; `None` at the end. Trailers are skipped.
    ///
    /// # Errors
    ///
    /// Errors of the stream.
    pub async fn next_data(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            match poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await {
                None => return Ok(None),
                Some(frame) => match frame?.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    _ => {}
                },
            }
        }
    }

    /// A request's body that is still on its way.
    pub(crate) fn inbound(inbound: Inbound) -> Self {
        Self(Kind::Inbound(Box::new(inbound)))
    }

    /// A body of HTTP/2, at most `max_bytes` and with pauses of at most `idle`.
    pub(crate) fn incoming(inner: Incoming, max_bytes: u64, idle: Option<Duration>) -> Self {
        if inner.is_end_stream() {
            return Self::empty();
        }
        Self(Kind::Http2(Box::new(Metered::new(inner, max_bytes, idle))))
    }

    /// A body of HTTP/2 from a backend; it holds on to its connection until its end.
    pub(crate) fn leased(inner: Incoming, idle: Option<Duration>, lease: Lease) -> Self {
        if inner.is_end_stream() {
            return Self::empty();
        }
        let metered = Metered::new(inner, u64::MAX, idle);
        Self(Kind::Http2(Box::new(Metered { lease: Some(lease), ..metered })))
    }

    /// A response's body off a connection of HTTP/1.1.
    pub(crate) fn received(received: Received) -> Self {
        Self(Kind::Received(received))
    }

    /// The bytes, if they are all in memory; the body is empty then.
    pub(crate) fn take_bytes(&mut self) -> Option<Bytes> {
        match &mut self.0 {
            Kind::Empty => Some(Bytes::new()),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                Some(bytes)
            }
            _ => None,
        }
    }
}

impl BodySender {
    /// Hands over a chunk; waits while the reader is behind.
    ///
    /// # Errors
    ///
    /// [`SenderGone`] if nobody reads any more: stop producing.
    pub async fn send(&self, data: impl Into<Bytes>) -> Result<(), SenderGone> {
        self.0.send(Ok(data.into())).await.map_err(|_| SenderGone)
    }

    /// Cuts the body short: the reader gets an error in place of the end.
    pub async fn abort(self, reason: impl Into<String>) {
        // If the reader is gone, there is nobody to tell.
        let _ = self.0.send(Err(BodyError::Aborted(reason.into()))).await;
    }

    /// Ends when the reader is gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// A body of HTTP/2 with its bounds.
struct Metered {
    inner: Incoming,
    limit: u64,
    left: u64,
    pause: Pause,
    /// For bodies of backends.
    lease: Option<Lease>,
}

impl Metered {
    fn new(inner: Incoming, limit: u64, idle: Option<Duration>) -> Self {
        Self { inner, limit, left: limit, pause: Pause::new(idle), lease: None }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Poll::Ready(next) = Pin::new(&mut self.inner).poll_frame(cx) else {
            return self.pause.poll(cx).map(|error| Some(Err(error)));
        };
        self.pause.moved();
        Poll::Ready(match next {
            None => {
                self.lease = None;
                None
            }
            Some(Err(error)) => Some(Err(BodyError::Aborted(reason(&error)))),
            Some(Ok(frame)) => {
                let n_bytes = frame.data_ref().map_or(0, |it| it.len() as u64);
                match self.left.checked_sub(n_bytes) {
                    Some(left) => {
                        self.left = left;
                        Some(Ok(frame))
                    }
                    None => Some(Err(BodyError::TooLarge { limit: self.limit })),
                }
            }
        })
    }
}

/// The innermost reason of an error of the HTTP library, which hides it in its source.
pub(crate) fn reason(error: &hyper::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match &mut this.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                this.0 = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Kind::Http2(metered) => metered.poll(cx),
            Kind::Inbound(inbound) => inbound.poll_frame(cx),
            Kind::Received(received) => received.poll_frame(cx),
            Kind::Channel(receiver) => {
                receiver.poll_recv(cx).map(|next| next.map(|data| data.map(Frame::data)))
            }
            Kind::Stream(stream) => {
                let stream = stream.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
                stream.as_mut().poll_frame(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Http2(metered) => metered.inner.is_end_stream(),
            Kind::Inbound(inbound) => inbound.is_end_stream(),
            Kind::Received(received) => received.is_end_stream(),
            Kind::Full(_) | Kind::Channel(_) => false,
            Kind::Stream(stream) => stream.lock().is_ok_and(|it| it.is_end_stream()),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Http2(metered) => metered.inner.size_hint(),
            Kind::Inbound(inbound) => inbound.size_hint(),
            Kind::Received(received) => received.size_hint(),
            Kind::Channel(_) => SizeHint::default(),
            Kind::Stream(stream) => stream.lock().map(|it| it.size_hint()).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Empty => f.write_str("Body(empty)"),
            Kind::Full(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            _ => f.write_str("Body(stream)"),
        }
    }
}

macro_rules! from_bytes {
    ($($source:ty),*) => {$(
        impl From<$source> for Body {
            fn from(bytes: $source) -> Self {
                Self::full(bytes)
            }
        }
    )*};
}
from_bytes!(Bytes, String, Vec<u8>, &'static str, &'static [u8]);

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::{Body, BodyError};

    #[tokio::test]
    async fn bytes_come_back_and_are_bounded() {
        assert_eq!(Body::full("hello").collect(5).await.unwrap(), "hello");
        assert_eq!(Body::full("hello").collect(4).await, Err(BodyError::TooLarge { limit: 4 }));
        assert_eq!(Body::empty().collect(0).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_channel_is_bounded_over_all_its_chunks() {
        let read = |max_bytes| async move {
            let (sender, body) = Body::channel(8);
            for chunk in ["ab", "", "cd", "e"] {
                sender.send(chunk).await.unwrap();
            }
            drop(sender);
            body.collect(max_bytes).await
        };
        assert_eq!(read(5).await.unwrap(), "abcde");
        assert_eq!(read(4).await, Err(BodyError::TooLarge { limit: 4 }));
    }

    #[tokio::test]
    async fn an_aborted_channel_is_an_error_and_not_an_end() {
        let (sender, body) = Body::channel(2);
        sender.send("a").await.unwrap();
        sender.abort("gone").await;
        assert_eq!(body.collect(9).await, Err(BodyError::Aborted("gone".to_owned())));
    }

    #[test]
    fn only_bytes_in_memory_can_be_looked_at() {
        assert_eq!(Body::full("x").as_bytes().unwrap(), "x");
        assert_eq!(Body::empty().as_bytes().unwrap(), "");
        assert!(Body::channel(1).1.as_bytes().is_none());
        assert!(Body::channel(1).1.take_bytes().is_none());
        let mut full = Body::full("x");
        assert_eq!(full.take_bytes().unwrap(), "x");
        assert!(full.is_end_stream());
        assert!(Body::empty().is_end_stream());
        assert_eq!(Body::full("abc").size_hint().exact(), Some(3));
    }

    #[test]
    fn a_body_may_be_shared_between_threads() {
        fn check<T: Send + Sync + 'static>() {}
        check::<Body>();
    }
}
