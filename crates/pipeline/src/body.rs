//! A message's body as policies see it: absent, a stream nobody has read, or bytes.
//!
//! A stream goes through untouched unless something reads it; then it is buffered, bounded, just
//! before the first reader. A read that does not preserve the content consumes it: later reads
//! find an empty body, and an unchanged message is sent on with an empty body.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use transport::BodyError;

use crate::services::DEFAULT_MAX_BUFFERED_BODY_BYTES;

/// The body of a request or response.
#[derive(Default)]
pub struct Body {
    content: Content,
    /// Expressions read through a shared reference, so this is a cell.
    consumed: AtomicBool,
    /// Whether a reader found more in it, decoded, than the bound allows.
    overflowed: AtomicBool,
    /// The bound that it was buffered with.
    max_bytes: Option<usize>,
    /// Whether it came from outside, all of it at once: the bound counts for it as for a stream.
    is_received: bool,
}

#[derive(Default)]
enum Content {
    #[default]
    Absent,
    Stream(transport::Body),
    Bytes(Bytes),
    /// A stream that was sent on, or that broke while it was buffered.
    Gone,
}

/// The body is a stream that nothing has buffered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body has not been buffered or was already sent on")]
pub struct NotBuffered;

impl Body {
    /// Notes that a reader found more in it, decoded, than the bound allows.
    pub(crate) fn note_overflow(&self) {
        self.overflowed.store(true, Ordering::Relaxed);
    }

    /// Whether a reader found more in it, decoded, than the bound allows, since this was asked last.
    pub fn take_overflow(&self) -> bool {
        self.overflowed.swap(false, Ordering::Relaxed)
    }

    /// No body at all: `context.Request.Body` is null.
    #[must_use]
    pub fn absent() -> Body {
        Body::default()
    }

    /// What comes from outside; what is in memory already can be read, if it is within the bound of
    /// the reader.
    #[must_use]
    pub fn stream(body: transport::Body) -> Body {
        match body.as_bytes() {
            Some(bytes) => Body { is_received: true, ..Body::bytes(bytes.clone()) },
            None => Body { content: Content::Stream(body), ..Body::default() },
        }
    }

    /// These bytes, perhaps none.
    #[must_use]
    pub fn bytes(bytes: impl Into<Bytes>) -> Body {
        Body { content: Content::Bytes(bytes.into()), ..Body::default() }
    }

    /// Whether there is a body, be it empty.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(self.content, Content::Absent)
    }

    /// Whether the body is still the stream that came in.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self.content, Content::Stream(_))
    }

    /// Reads a stream into memory; does nothing for what a policy made.
    ///
    /// # Errors
    ///
    /// More than `max_bytes`, or errors of the stream; the body is gone then.
    pub async fn buffer(&mut self, max_bytes: usize) -> Result<(), BodyError> {
        self.max_bytes = Some(max_bytes);
        if let Content::Stream(stream) = &mut self.content {
            let stream = std::mem::take(stream);
            self.content = Content::Gone;
            self.content = Content::Bytes(stream.collect(max_bytes).await?);
        }
        if let Content::Bytes(bytes) = &self.content
            && self.is_received
            && bytes.len() > max_bytes
        {
            self.content = Content::Gone;
            return Err(BodyError::TooLarge { limit: max_bytes as u64 });
        }
        Ok(())
    }

    /// Reads a stream of at most `max_bytes` into memory; a longer one stays a stream, whole. Gives
    /// whether the body is in memory. `reader_max_bytes` is the bound for those who decode it.
    ///
    /// # Errors
    ///
    /// Errors of the stream; the body is gone then.
    pub async fn buffer_within(
        &mut self,
        max_bytes: usize,
        reader_max_bytes: usize,
    ) -> Result<bool, BodyError> {
        let Content::Stream(stream) = &mut self.content else {
            return Ok(!matches!(self.content, Content::Gone));
        };
        let mut stream = std::mem::take(stream);
        self.content = Content::Gone;
        let mut read = BytesMut::new();
        while let Some(chunk) = stream.next_data().await? {
            read.extend_from_slice(&chunk);
            if read.len() > max_bytes {
                let resumed = Resumed { read: Some(read.freeze()), rest: stream };
                self.content = Content::Stream(transport::Body::stream(resumed));
                return Ok(false);
            }
        }
        self.max_bytes = Some(reader_max_bytes);
        self.content = Content::Bytes(read.freeze());
        Ok(true)
    }

    /// The bytes, for a reader. A read that does not `preserve` them consumes the body; after
    /// that it is empty.
    ///
    /// # Errors
    ///
    /// The body is a stream that was not buffered, or is gone.
    pub fn read(&self, preserve: bool) -> Result<Bytes, NotBuffered> {
        match &self.content {
            Content::Absent => Ok(Bytes::new()),
            Content::Bytes(_) if self.consumed.load(Ordering::Relaxed) => Ok(Bytes::new()),
            Content::Bytes(bytes) => {
                if !preserve {
                    self.consumed.store(true, Ordering::Relaxed);
                }
                Ok(bytes.clone())
            }
            Content::Stream(_) | Content::Gone => Err(NotBuffered),
        }
    }

    /// How many bytes a reader may hold: the bound that the body was buffered with.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.max_bytes.unwrap_or(DEFAULT_MAX_BUFFERED_BODY_BYTES)
    }

    /// Keeps a value until the stream has ended or is given up; for anything else the value is
    /// dropped at once.
    pub fn hold(&mut self, value: impl Send + Sync + Unpin + 'static) {
        if let Content::Stream(stream) = &mut self.content {
            let body = std::mem::take(stream);
            *stream = transport::Body::stream(Held { body, value: Some(value) });
        }
    }

    /// How many bytes it has: known at once if it is in memory, else counted as it is read.
    pub fn count(&mut self) -> Arc<AtomicU64> {
        let n_bytes = Arc::new(AtomicU64::new(0));
        match &mut self.content {
            Content::Bytes(bytes) => n_bytes.store(bytes.len() as u64, Ordering::Relaxed),
            Content::Stream(stream) => {
                let counted =
                    Counted { body: std::mem::take(stream), n_bytes: Arc::clone(&n_bytes) };
                *stream = transport::Body::stream(counted);
            }
            Content::Absent | Content::Gone => {}
        }
        n_bytes
    }

    /// The bytes, if they are in memory, without reading them.
    #[must_use]
    pub fn as_bytes(&self) -> Option<Bytes> {
        match &self.content {
            Content::Absent => Some(Bytes::new()),
            Content::Bytes(_) if self.consumed.load(Ordering::Relaxed) => Some(Bytes::new()),
            Content::Bytes(bytes) => Some(bytes.clone()),
            Content::Stream(_) | Content::Gone => None,
        }
    }

    /// The body to send on. Bytes stay and can be sent again; a stream can be sent once.
    ///
    /// # Errors
    ///
    /// The stream was sent on before, or broke.
    pub fn send(&mut self) -> Result<transport::Body, NotBuffered> {
        match &mut self.content {
            Content::Absent => Ok(transport::Body::empty()),
            Content::Bytes(bytes) => {
                let consumed = *self.consumed.get_mut();
                let bytes = if consumed { Bytes::new() } else { bytes.clone() };
                Ok(transport::Body::full(bytes))
            }
            Content::Stream(stream) => {
                let stream = std::mem::take(stream);
                self.content = Content::Gone;
                Ok(stream)
            }
            Content::Gone => Err(NotBuffered),
        }
    }
}

/// A stream that keeps a value until its end.
struct Held<T> {
    body: transport::Body,
    value: Option<T>,
}

impl<T: Unpin> HttpBody for Held<T> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.value = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that is counted.
struct Counted {
    body: transport::Body,
    n_bytes: Arc<AtomicU64>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let next = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &next {
            let n_bytes = frame.data_ref().map_or(0, |it| it.len() as u64);
            self.n_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream whose beginning was read.
struct Resumed {
    read: Option<Bytes>,
    rest: transport::Body,
}

impl HttpBody for Resumed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.read.take() {
            Some(read) => Poll::Ready(Some(Ok(Frame::data(read)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.is_end_stream()
    }
}

/// Says how much there is and shows nothing of it.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Absent => f.write_str("Body(absent)"),
            Content::Stream(_) => f.write_str("Body(stream)"),
            Content::Bytes(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Content::Gone => f.write_str("Body(gone)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(chunks: &'static [&'static str]) -> Body {
        let (sender, body) = transport::Body::channel(chunks.len());
        let feed = async move {
            for chunk in chunks {
                sender.send(*chunk).await.unwrap();
            }
        };
        let mut feed = std::pin::pin!(feed);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(feed.as_mut().poll(&mut cx).is_ready());
        Body::stream(body)
    }

    #[tokio::test]
    async fn a_stream_is_read_once_it_is_buffered() {
        let mut body = stream(&["he", "llo"]);

        assert_eq!(body.read(true), Err(NotBuffered));
        body.buffer(5).await.unwrap();
        assert_eq!(body.read(true).unwrap(), "hello");
        assert_eq!(body.read(true).unwrap(), "hello");
    }

    #[tokio::test]
    async fn more_than_the_bound_is_refused_and_the_body_is_gone() {
        let mut body = stream(&["he", "llo"]);

        assert_eq!(body.buffer(4).await, Err(BodyError::TooLarge { limit: 4 }));
        assert_eq!(body.read(true), Err(NotBuffered));
        assert!(body.send().is_err());
    }

    #[tokio::test]
    async fn the_bound_counts_for_what_comes_in_one_piece_and_not_for_what_a_policy_made() {
        let mut received = Body::stream(transport::Body::full("hello"));
        assert_eq!(received.read(true).unwrap(), "hello");
        received.buffer(5).await.unwrap();
        assert_eq!(received.buffer(4).await, Err(BodyError::TooLarge { limit: 4 }));
        assert_eq!(received.read(true), Err(NotBuffered));

        let mut made = Body::bytes("hello");
        made.buffer(4).await.unwrap();
        assert_eq!(made.read(true).unwrap(), "hello");
    }

    #[tokio::test]
    async fn a_stream_that_is_too_long_stays_a_stream_and_is_whole() {
        let mut body = stream(&["he", "l", "lo"]);
        assert_eq!(body.buffer_within(2, 9).await, Ok(false));
        assert!(body.is_stream());
        assert_eq!(body.send().unwrap().collect(9).await.unwrap(), "hello");
        assert_eq!(body.buffer_within(2, 9).await, Ok(false));

        let mut body = stream(&["he", "llo"]);
        assert_eq!(body.buffer_within(5, 9).await, Ok(true));
        assert_eq!(body.read(true).unwrap(), "hello");
        assert_eq!(Body::absent().buffer_within(0, 9).await, Ok(true));
    }

    #[tokio::test]
    async fn a_read_that_does_not_preserve_leaves_an_empty_body() {
        let mut body = Body::bytes("hello");

        assert_eq!(body.read(false).unwrap(), "hello");
        assert_eq!(body.read(true).unwrap(), "");
        assert!(body.is_present());
        assert_eq!(body.send().unwrap().collect(9).await.unwrap(), "");
    }

    #[tokio::test]
    async fn bytes_can_be_sent_again_and_a_stream_cannot() {
        let mut bytes = Body::bytes("x");
        assert!(bytes.send().is_ok() && bytes.send().is_ok());

        let mut streamed = stream(&["x"]);
        assert!(streamed.is_stream());
        assert!(streamed.send().is_ok());
        assert!(streamed.send().is_err());
    }

    #[tokio::test]
    async fn a_value_is_held_until_the_stream_ends_or_is_dropped() {
        let held = std::sync::Arc::new(());
        let is_held = || std::sync::Arc::strong_count(&held) == 2;

        let mut bytes = Body::bytes("x");
        bytes.hold(held.clone());
        assert!(!is_held());

        let mut read = stream(&["x"]);
        read.hold(held.clone());
        let mut sent = read.send().unwrap();
        assert_eq!(sent.next_data().await.unwrap().unwrap(), "x");
        assert!(is_held());
        assert_eq!(sent.next_data().await, Ok(None));
        assert!(!is_held());

        let mut dropped = stream(&["x"]);
        dropped.hold(held.clone());
        assert!(is_held());
        drop(dropped);
        assert!(!is_held());
    }

    #[test]
    fn an_absent_body_reads_as_nothing() {
        assert!(!Body::absent().is_present());
        assert_eq!(Body::absent().read(false).unwrap(), "");
        assert!(Body::bytes("").is_present());
    }

    #[tokio::test]
    async fn a_body_is_counted_as_it_is_read() {
        let n_of = |it: &Arc<AtomicU64>| it.load(Ordering::Relaxed);
        assert_eq!(n_of(&Body::absent().count()), 0);
        assert_eq!(n_of(&Body::bytes("hello").count()), 5);

        let (sender, body) = transport::Body::channel(2);
        sender.send("he").await.unwrap();
        sender.send("llo").await.unwrap();
        drop(sender);
        let mut body = Body::stream(body);
        let n_bytes = body.count();
        assert_eq!(n_of(&n_bytes), 0);
        body.buffer(10).await.unwrap();
        assert_eq!((n_of(&n_bytes), body.as_bytes().unwrap().len()), (5, 5));
    }
}
