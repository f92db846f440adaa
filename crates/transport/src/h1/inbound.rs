//! The body of a request that is still on its way: the connection's end and the reader's.
//!
//! Only the connection touches the socket, and it reads no further than the reader asks. Most
//! readers run in the connection's own task: then nobody is woken, the connection looks here
//! after each poll. A body that came with its head never gets here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

use crate::BodyError;
use crate::alarm::Pause;

type Next = Option<Result<Frame<Bytes>, BodyError>>;

/// What both ends share.
#[derive(Default)]
struct Slot {
    chunk: Option<Bytes>,
    trailers: Option<HeaderMap>,
    end: Option<Result<(), BodyError>>,
    /// The reader waits for the next chunk.
    wants: bool,
    is_dropped: bool,
    reader: Option<Waker>,
    connection: Option<Waker>,
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection's end.
pub(crate) struct Feed(Arc<Mutex<Slot>>);

/// The reader's end.
pub(crate) struct Inbound {
    slot: Arc<Mutex<Slot>>,
    /// Bytes to come, if the length was announced.
    left: Option<u64>,
    limit: u64,
    /// Bytes that may still come.
    budget: u64,
    pause: Pause,
}

/// Both ends of a body of this length, if it is known; at most `limit` bytes, with pauses of at
/// most `idle`.
pub(crate) fn pair(left: Option<u64>, limit: u64, idle: Duration) -> (Feed, Inbound) {
    let slot = Arc::<Mutex<Slot>>::default();
    let pause = Pause::new(Some(idle));
    (Feed(slot.clone()), Inbound { slot, left, limit, budget: limit, pause })
}

impl Feed {
    /// Whether the reader waits for more. It will wake the task of `cx` when it does later.
    pub(crate) fn is_wanted(&self, cx: &Context<'_>) -> bool {
        let mut slot = lock(&self.0);
        if slot.connection.is_none() {
            slot.connection = Some(cx.waker().clone());
        }
        slot.wants
    }

    /// Whether nobody will ever read it.
    pub(crate) fn is_unread(&self) -> bool {
        lock(&self.0).is_dropped
    }

    /// Hands over the next chunk.
    pub(crate) fn data(&self, data: Bytes, cx: &Context<'_>) {
        let mut slot = lock(&self.0);
        slot.chunk = Some(data);
        wake(slot, Some(cx));
    }

    /// The body is complete, or broken.
    pub(crate) fn end(&self, end: Result<Option<HeaderMap>, BodyError>, cx: &Context<'_>) {
        let mut slot = lock(&self.0);
        slot.end = Some(end.map(|trailers| slot.trailers = trailers));
        wake(slot, Some(cx));
    }
}

/// The reader polls again; if it is in the connection's task, that polls it anyway.
fn wake(mut slot: MutexGuard<'_, Slot>, cx: Option<&Context<'_>>) {
    slot.wants = false;
    let reader = slot.reader.take();
    drop(slot);
    if let Some(reader) = reader
        && cx.is_none_or(|cx| !reader.will_wake(cx.waker()))
    {
        reader.wake();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut slot = lock(&self.0);
        if slot.end.is_none() {
            slot.end = Some(Err(BodyError::Aborted("the connection was closed".to_owned())));
            wake(slot, None);
        }
    }
}

impl Inbound {
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let mut slot = lock(&self.slot);
        if let Some(data) = slot.chunk.take() {
            drop(slot);
            return Poll::Ready(Some(self.count(data)));
        }
        match (slot.trailers.take(), slot.end.take()) {
            (Some(trailers), end) => {
                slot.end = end;
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            (None, Some(Ok(()))) => {
                slot.end = Some(Ok(()));
                self.left = Some(0);
                return Poll::Ready(None);
            }
            (None, Some(Err(error))) => {
                slot.end = Some(Err(error.clone()));
                return Poll::Ready(Some(Err(error)));
            }
            (None, None) => {}
        }
        slot.wants = true;
        let waker = cx.waker();
        if !slot.reader.as_ref().is_some_and(|it| it.will_wake(waker)) {
            slot.reader = Some(waker.clone());
        }
        if let Some(connection) = &slot.connection
            && !connection.will_wake(waker)
        {
            connection.wake_by_ref();
        }
        drop(slot);
        self.pause.poll(cx).map(|error| Some(Err(error)))
    }

    fn count(&mut self, data: Bytes) -> Result<Frame<Bytes>, BodyError> {
        self.pause.moved();
        let n_bytes = data.len() as u64;
        self.left = self.left.map(|it| it.saturating_sub(n_bytes));
        match self.budget.checked_sub(n_bytes) {
            Some(budget) => {
                self.budget = budget;
                Ok(Frame::data(data))
            }
            None => Err(BodyError::TooLarge { limit: self.limit }),
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        (slot.is_dropped, slot.wants) = (true, false);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::{Inbound, pair};
    use crate::BodyError;

    fn read(body: &mut Inbound) -> Poll<Option<Result<String, BodyError>>> {
        let mut cx = Context::from_waker(Waker::noop());
        body.poll_frame(&mut cx).map(|next| {
            next.map(|it| it.map(|it| String::from_utf8(it.into_data().unwrap().to_vec()).unwrap()))
        })
    }

    #[tokio::test]
    async fn chunks_come_when_they_are_wanted_and_then_the_end() {
        let cx = &Context::from_waker(Waker::noop());
        let (feed, mut body) = pair(Some(3), 10, Duration::from_secs(60));
        assert!(!feed.is_wanted(cx));
        assert!(read(&mut body).is_pending());
        assert!(feed.is_wanted(cx));
        feed.data("ab".into(), cx);
        assert!(!feed.is_wanted(cx));
        assert_eq!(read(&mut body), Poll::Ready(Some(Ok("ab".to_owned()))));
        assert_eq!(body.size_hint().exact(), Some(1));
        feed.data("c".into(), cx);
        feed.end(Ok(None), cx);
        drop(feed);
        assert_eq!(read(&mut body), Poll::Ready(Some(Ok("c".to_owned()))));
        assert!(body.is_end_stream());
        assert_eq!(read(&mut body), Poll::Ready(None));
    }

    #[tokio::test]
    async fn a_body_is_bounded_and_cut_with_its_connection() {
        let cx = &Context::from_waker(Waker::noop());
        let (feed, mut body) = pair(None, 3, Duration::from_secs(60));
        feed.data("abcd".into(), cx);
        assert_eq!(read(&mut body), Poll::Ready(Some(Err(BodyError::TooLarge { limit: 3 }))));
        drop(feed);
        assert!(matches!(read(&mut body), Poll::Ready(Some(Err(BodyError::Aborted(_))))));
    }

    #[test]
    fn a_body_that_is_dropped_is_known_to_be_unread() {
        let (feed, body) = pair(None, 3, Duration::ZERO);
        assert!(!feed.is_unread());
        drop(body);
        assert!(feed.is_unread());
    }
}
