//! `buffer-response`: small chunks are gathered before they are passed on.
//!
//! Events are never held back, whatever the policy says: a client that waits for one would wait
//! for the end. A response whose length is known is no stream and goes through as it is.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/how-to-server-sent-events>

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http_body::{Body as HttpBody, Frame, SizeHint};
use transport::{Body, BodyError, Response};

/// Bytes that are gathered, unless the stream ends before.
const GATHERED_BYTES: usize = 8 * 1024;

/// The response, its chunks gathered if they may be.
pub(super) fn gather(response: Response) -> Response {
    let is_stream = response.body().size_hint().exact().is_none();
    if !is_stream || is_event_stream(&response) {
        return response;
    }
    response.map(|body| Body::stream(Gathered { body, held: BytesMut::new(), next: None }))
}

fn is_event_stream(response: &Response) -> bool {
    const EVENTS: &[u8] = b"text/event-stream";
    let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], |it| it.as_bytes());
    kind.get(..EVENTS.len()).is_some_and(|it| it.eq_ignore_ascii_case(EVENTS))
}

struct Gathered {
    body: Body,
    held: BytesMut,
    /// What came after the bytes that are handed over first: trailers or an error.
    next: Option<Result<Frame<Bytes>, BodyError>>,
}

impl Gathered {
    fn release(&mut self) -> Frame<Bytes> {
        Frame::data(self.held.split().freeze())
    }
}

impl HttpBody for Gathered {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(next) = self.next.take() {
            return Poll::Ready(Some(next));
        }
        loop {
            let Poll::Ready(next) = Pin::new(&mut self.body).poll_frame(cx) else {
                return Poll::Pending;
            };
            let other = match next.map(|it| it.map(Frame::into_data)) {
                None if self.held.is_empty() => return Poll::Ready(None),
                None => return Poll::Ready(Some(Ok(self.release()))),
                Some(Ok(Ok(data))) => {
                    if self.held.is_empty() && data.len() >= GATHERED_BYTES {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                    self.held.extend_from_slice(&data);
                    if self.held.len() >= GATHERED_BYTES {
                        return Poll::Ready(Some(Ok(self.release())));
                    }
                    continue;
                }
                Some(Ok(Err(trailers))) => Ok(trailers),
                Some(Err(error)) => Err(error),
            };
            if self.held.is_empty() {
                return Poll::Ready(Some(other));
            }
            self.next = Some(other);
            return Poll::Ready(Some(Ok(self.release())));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.next.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use http::HeaderValue;
    use transport::{Body, BodyError, Response};

    use super::{GATHERED_BYTES, gather};

    fn response(kind: &'static str, body: Body) -> Response {
        let mut response = Response::new(body);
        response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
        gather(response)
    }

    /// Lengths of the chunks that come at once.
    fn ready(body: &mut Body) -> Vec<usize> {
        let mut lengths = Vec::new();
        loop {
            let next = std::pin::pin!(body.next_data());
            match next.poll(&mut Context::from_waker(Waker::noop())) {
                std::task::Poll::Ready(Ok(Some(data))) => lengths.push(data.len()),
                _ => return lengths,
            }
        }
    }

    #[tokio::test]
    async fn small_chunks_wait_for_each_other_and_events_do_not() {
        for (kind, expected) in
            [("application/json", vec![]), ("Text/Event-Stream; charset=utf-8", vec![3, 3])]
        {
            let (sender, body) = Body::channel(4);
            let mut body = response(kind, body).into_body();
            sender.send("abc").await.unwrap();
            sender.send("def").await.unwrap();
            assert_eq!(ready(&mut body), expected, "{kind}");
        }
    }

    #[tokio::test]
    async fn eight_kilobytes_or_the_end_release_what_is_held() {
        let (sender, body) = Body::channel(8);
        let mut body = response("text/plain", body).into_body();
        sender.send(vec![0; GATHERED_BYTES]).await.unwrap();
        sender.send(vec![0; GATHERED_BYTES - 1]).await.unwrap();
        sender.send("x").await.unwrap();
        sender.send("rest").await.unwrap();
        assert_eq!(ready(&mut body), [GATHERED_BYTES, GATHERED_BYTES]);
        drop(sender);
        assert_eq!(ready(&mut body), [4]);
    }

    #[tokio::test]
    async fn what_is_held_comes_before_the_error() {
        let (sender, body) = Body::channel(8);
        let mut body = response("text/plain", body).into_body();
        sender.send("abc").await.unwrap();
        sender.abort("gone").await;
        assert_eq!(body.next_data().await.unwrap().unwrap(), "abc");
        assert_eq!(body.next_data().await, Err(BodyError::Aborted("gone".to_owned())));
    }
}
