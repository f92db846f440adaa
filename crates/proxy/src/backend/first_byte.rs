//! The time to the first byte, for backends that bound it. Beyond Azure.
//!
//! A response counts as begun when the first bytes of its body are there; model APIs send headers
//! and then think. Until then the call can go elsewhere.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use transport::{Body, BodyError, BoxFuture, CallError, Clock, Response};

/// The response with its first bytes at hand.
///
/// # Errors
///
/// It is not there in time: [`CallError::Timeout`]. Or the call fails.
pub(super) async fn within(
    bound: Duration,
    clock: &dyn Clock,
    host: &str,
    call: BoxFuture<'_, Result<Response, CallError>>,
) -> Result<Response, CallError> {
    let begun = async { begin(call.await?, host).await };
    tokio::select! {
        biased;
        begun = begun => begun,
        () = clock.sleep(bound) => Err(CallError::Timeout { after: bound }),
    }
}

async fn begin(response: Response, host: &str) -> Result<Response, CallError> {
    if response.status().is_informational() || response.body().as_bytes().is_some() {
        return Ok(response);
    }
    let (head, mut body) = response.into_parts();
    let first = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
    let first = first
        .transpose()
        .map_err(|error| CallError::Broken { host: host.to_owned(), reason: error.to_string() })?;
    let body = match first {
        None => Body::empty(),
        Some(first) => Body::stream(Begun { first: Some(first), rest: body }),
    };
    Ok(Response::from_parts(head, body))
}

/// A body whose first frame has been read.
struct Begun {
    first: Option<Frame<Bytes>>,
    rest: Body,
}

impl HttpBody for Begun {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.rest.size_hint();
        let n_first = self.first.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len) as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(n_first));
        }
        hint.set_lower(hint.lower().saturating_add(n_first));
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use http::StatusCode;
    use transport::FakeClock;

    use super::*;

    const BOUND: Duration = Duration::from_secs(5);

    async fn ask(response: Response) -> Result<Response, CallError> {
        let clock = FakeClock::at_unix(0);
        within(BOUND, &clock, "h", Box::pin(ready(Ok(response)))).await
    }

    #[tokio::test]
    async fn the_body_is_the_same_with_its_first_bytes_at_hand() {
        let (sender, body) = Body::channel(4);
        sender.send(Bytes::from_static(b"ab")).await.unwrap();
        let begun = ask(Response::new(body)).await.unwrap();
        assert_eq!(begun.body().size_hint().lower(), 2);
        assert!(!begun.body().is_end_stream());
        sender.send(Bytes::from_static(b"cd")).await.unwrap();
        drop(sender);
        assert_eq!(begun.into_body().collect(99).await.unwrap(), "abcd");

        let (sender, ended) = Body::channel(1);
        drop(sender);
        for (body, expected) in [(Body::full("at hand"), "at hand"), (ended, "")] {
            let begun = ask(Response::new(body)).await.unwrap();
            assert_eq!(begun.into_body().collect(99).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn one_that_says_nothing_in_time_is_given_up() {
        let clock = FakeClock::at_unix(0);
        let (_sender, silent) = Body::channel(1);
        let mut response = Response::new(silent);
        *response.status_mut() = StatusCode::OK;
        let calls: [BoxFuture<'_, _>; 2] = [Box::pin(pending()), Box::pin(ready(Ok(response)))];
        for call in calls {
            let asked = within(BOUND, &clock, "h", call);
            let advance = async {
                while clock.sleepers() == 0 {
                    tokio::task::yield_now().await;
                }
                clock.advance(BOUND);
            };
            let (outcome, ()) = tokio::join!(asked, advance);
            assert_eq!(outcome.unwrap_err(), CallError::Timeout { after: BOUND });
        }
    }
}
