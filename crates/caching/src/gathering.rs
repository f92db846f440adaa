//! A response's body on its way to the client, gathered meanwhile and stored when it is whole.
//!
//! What breaks off, is given up by its reader or grows too large is not stored; the client gets the
//! same either way.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pipeline::{Background, Body, Context, Follow, Pass};
use state::CacheKey;
use transport::Clock;

use crate::place::Place;
use crate::stores::Gathered;

/// An entry whose body is still to come.
pub(crate) struct Pending {
    place: Place,
    key: CacheKey,
    life: Duration,
    clock: Arc<dyn Clock>,
    background: Arc<Background>,
    /// The head, and what came of the body.
    bytes: BytesMut,
    held: Gathered,
}

impl Pending {
    /// An entry that begins with `head`; none if there is no room for it.
    pub(crate) fn begin(
        (place, key): (&Place, CacheKey),
        head: &[u8],
        life: Duration,
        context: &Context,
    ) -> Option<Pending> {
        let mut pending = Pending {
            place: place.clone(),
            key,
            life,
            clock: Arc::clone(&context.services.clock),
            background: context.services.extensions().shared(),
            bytes: BytesMut::new(),
            held: place.gathered(),
        };
        pending.add(head).then_some(pending)
    }

    /// A part more; false if that is too much.
    fn add(&mut self, part: &[u8]) -> bool {
        let room = self.place.max_entry_bytes.saturating_sub(self.bytes.len());
        if part.len() > room || !self.held.take(part.len()) {
            tracing::debug!("a response is too large for the cache and not stored");
            return false;
        }
        self.bytes.extend_from_slice(part);
        true
    }

    /// It is whole.
    fn finish(self) {
        let (entry, now) = (self.bytes.freeze(), self.clock.monotonic());
        let entry = (entry, self.held);
        self.place.put_in_background(self.key, entry, (self.life, now), &self.background);
    }

    /// Follows a body: one in memory is stored at once, a stream when it has ended.
    pub(crate) fn follow(self, body: &mut Body) {
        body.follow(Gathering(Some(self)));
    }
}

/// An entry on its way; none if it is not to be stored any more.
struct Gathering(Option<Pending>);

impl Follow for Gathering {
    fn data(&mut self, data: Bytes) -> Pass {
        if self.0.as_mut().is_some_and(|it| !it.add(&data)) {
            self.0 = None;
        }
        Pass::On(data)
    }

    fn end(&mut self) -> Option<Bytes> {
        if let Some(pending) = self.0.take() {
            pending.finish();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context as TaskContext, Poll};

    use http_body::{Body as HttpBody, Frame};
    use transport::BodyError;

    use super::*;
    use crate::key;
    use crate::test_support::{context, internal};

    const LIFE: Duration = Duration::from_secs(60);

    /// What is stored of a body that is read so far.
    async fn stored(body: Body, n_reads: usize) -> Option<Bytes> {
        let (context, place) = (context("GET /"), internal(1 << 20));
        let key = key::of_value("k");
        let mut body = body;
        let pending = Pending::begin((&place, key), b"head ", LIFE, &context).unwrap();
        pending.follow(&mut body);
        let mut sent = body.send().unwrap();
        for _ in 0..n_reads {
            if !matches!(sent.next_data().await, Ok(Some(_))) {
                break;
            }
        }
        place.get_now(&key, &context)
    }

    async fn streaming(parts: &[&'static str], is_whole: bool) -> Body {
        let (sender, body) = transport::Body::channel(parts.len() + 1);
        for part in parts {
            sender.send(*part).await.unwrap();
        }
        if !is_whole {
            sender.abort("broken").await;
        }
        Body::stream(body)
    }

    #[tokio::test]
    async fn a_body_in_memory_is_stored_at_once() {
        assert_eq!(stored(Body::bytes("hello"), 0).await.unwrap(), "head hello");
        assert_eq!(stored(Body::absent(), 0).await.unwrap(), "head ");
    }

    #[tokio::test]
    async fn a_stream_is_stored_when_it_has_ended_and_no_earlier() {
        let parts = ["he", "l", "lo"];
        assert_eq!(stored(streaming(&parts, true).await, 2).await, None);
        assert_eq!(stored(streaming(&parts, true).await, 9).await.unwrap(), "head hello");
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_is_not_stored() {
        assert_eq!(stored(streaming(&["he", "l"], false).await, 9).await, None);
    }

    #[tokio::test]
    async fn what_is_too_large_is_not_stored_and_reaches_the_client_whole() {
        let (context, place) = (context("GET /"), internal(14));
        let key = key::of_value("k");
        for (parts, expected) in [(["12345", "6789"], true), (["12345", "67890"], false)] {
            let mut body = streaming(&parts, true).await;
            let pending = Pending::begin((&place, key), b"head ", LIFE, &context).unwrap();
            pending.follow(&mut body);
            let got = body.send().unwrap().collect(99).await.unwrap();
            assert_eq!(got, parts.concat());
            assert_eq!(place.get_now(&key, &context).is_some(), expected);
            place.remove_now(&key);
        }
        assert!(Pending::begin((&place, key), &[0; 15], LIFE, &context).is_none());
    }

    #[tokio::test]
    async fn a_reader_that_stops_at_the_last_byte_has_read_it_all() {
        let full = ending_with_its_data("hello");
        let (context, place) = (context("GET /"), internal(1 << 20));
        let key = key::of_value("k");
        let mut body = Body::stream(full);
        let pending = Pending::begin((&place, key), b"", LIFE, &context).unwrap();
        pending.follow(&mut body);
        let mut sent = body.send().unwrap();
        assert_eq!(sent.next_data().await.unwrap().unwrap(), "hello");
        assert!(sent.is_end_stream());
        drop(sent);
        assert_eq!(place.get_now(&key, &context).unwrap(), "hello");
    }

    /// A stream that knows its end with its only frame.
    fn ending_with_its_data(text: &'static str) -> transport::Body {
        struct Known(Option<Bytes>);
        impl HttpBody for Known {
            type Data = Bytes;
            type Error = BodyError;
            fn poll_frame(
                mut self: Pin<&mut Self>,
                _: &mut TaskContext<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
                Poll::Ready(self.0.take().map(|it| Ok(Frame::data(it))))
            }
            fn is_end_stream(&self) -> bool {
                self.0.is_none()
            }
        }
        transport::Body::stream(Known(Some(Bytes::from(text))))
    }
}
