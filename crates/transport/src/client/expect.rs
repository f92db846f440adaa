//! `Expect: 100-continue` towards a backend: the body waits until it is asked for.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::Sleep;

use crate::{Body, BodyError, Request};

/// Whether the request asks to be told when to send its body.
pub(super) fn is_expected(headers: &HeaderMap) -> bool {
    headers
        .get(header::EXPECT)
        .is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Holds the body back until the other side says 100, or this time has passed.
///
/// Source: RFC 9110, section 10.1.1.
pub(super) fn hold_back(request: Request, wait: Duration) -> Request {
    let (open, opened) = oneshot::channel();
    let open = Arc::new(Mutex::new(Some(open)));
    let mut request = request.map(|body| {
        let sleep = Box::pin(tokio::time::sleep(wait));
        Body::stream(Held { body, waiting: Some(Waiting { opened: Some(opened), sleep }) })
    });
    hyper::ext::on_informational(&mut request, move |response| {
        if response.status() == StatusCode::CONTINUE {
            let open = open.lock().unwrap_or_else(PoisonError::into_inner).take();
            // A second 100, or a body that nobody wants any more, changes nothing.
            let _ = open.map(|it| it.send(()));
        }
    });
    request
}

struct Held {
    body: Body,
    waiting: Option<Waiting>,
}

struct Waiting {
    /// `None` once nobody can say 100 any more: the final answer is there.
    opened: Option<oneshot::Receiver<()>>,
    sleep: Pin<Box<Sleep>>,
}

impl Waiting {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.opened.as_mut().map(|it| Pin::new(it).poll(cx)) {
            Some(Poll::Ready(Ok(()))) => return Poll::Ready(()),
            Some(Poll::Ready(Err(_))) => self.opened = None,
            Some(Poll::Pending) | None => {}
        }
        self.sleep.as_mut().poll(cx)
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(waiting) = &mut self.waiting {
            if waiting.poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.waiting = None;
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{hold_back, is_expected};
    use crate::Body;

    #[test]
    fn only_100_continue_is_an_expectation() {
        let headers = |value: &'static str| {
            [(http::header::EXPECT, http::HeaderValue::from_static(value))].into_iter().collect()
        };
        assert!(is_expected(&headers("100-Continue")));
        assert!(!is_expected(&headers("something")));
        assert!(!is_expected(&http::HeaderMap::new()));
    }

    #[tokio::test]
    async fn the_body_comes_when_the_wait_is_over() {
        let request = hold_back(http::Request::new(Body::full("x")), Duration::from_millis(1));
        assert_eq!(request.into_body().collect(1).await.unwrap(), "x");
    }
}
