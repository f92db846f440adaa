//! A body that something follows on its way: looked at, counted, gathered, or changed.
//!
//! ```text
//! sender ─▶ Body ─frame─▶ Follow::data ─▶ reader      no copy, no delay, nothing held back
//!                └─end──▶ Follow::end                  unless the follower wants it so
//!                └─broken off, given up─▶ Follow::broken
//! ```
//!
//! A follower hears of exactly one of [`Follow::end`] and [`Follow::broken`], once.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use transport::BodyError;

use crate::body::Body;

/// Who follows a body. It is called between two waits of the body's reader, so it must be quick.
pub trait Follow: Send + 'static {
    /// Data on its way, never empty. What is given back goes on in its place.
    fn data(&mut self, data: Bytes) -> Pass {
        Pass::On(data)
    }

    /// The body has ended well; what is given goes out behind it.
    fn end(&mut self) -> Option<Bytes> {
        None
    }

    /// The body has broken off; without an error, its reader has given it up.
    fn broken(&mut self, error: Option<&BodyError>) {
        let _ = error;
    }

    /// Whether the length may change: then nothing is told of it beforehand.
    fn changes_length(&self) -> bool {
        false
    }
}

/// What goes on in place of data that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// This; nothing, if it is empty.
    On(Bytes),
    /// This, and with it the body ends well. The rest is not read: a backend's call is given up.
    Last(Bytes),
}

/// A body with its follower.
struct Followed<F: Follow> {
    body: transport::Body,
    follower: F,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The follower knows of the end; this is still to go out.
    Ending(Bytes),
    Over,
}

/// Has a body followed. One that is in memory is gone through at once, and stays in memory.
///
/// A stream whose length may change has no length any more: whoever sets a follower that
/// [changes it](Follow::changes_length) removes `Content-Length`.
#[must_use]
pub fn follow(body: transport::Body, mut follower: impl Follow) -> transport::Body {
    if let Some(bytes) = body.as_bytes() {
        return match through(bytes.clone(), &mut follower) {
            Some(changed) => transport::Body::full(changed),
            None => body,
        };
    }
    let is_over = body.is_end_stream();
    let mut followed = Followed { body, follower, state: State::Open };
    if is_over {
        followed.finish();
    }
    transport::Body::stream(followed)
}

/// Goes through bytes in memory; gives what they became, if that is something else.
fn through(bytes: Bytes, follower: &mut impl Follow) -> Option<Bytes> {
    let before = bytes.clone();
    let passed = if bytes.is_empty() { Pass::On(bytes) } else { follower.data(bytes) };
    let (passed, behind) = match passed {
        Pass::On(data) => (data, follower.end()),
        Pass::Last(data) => {
            follower.end();
            (data, None)
        }
    };
    let all = match behind {
        Some(behind) if !behind.is_empty() => [passed, behind].concat().into(),
        _ => passed,
    };
    (all != before).then_some(all)
}

impl Body {
    /// Has the body followed: a stream as it is read, bytes in memory at once. A body that is gone
    /// is not followed; the follower is dropped.
    pub fn follow(&mut self, follower: impl Follow) {
        if let Some(bytes) = self.as_bytes() {
            let mut follower = follower;
            if let Some(changed) = through(bytes, &mut follower) {
                *self = Body::bytes(changed);
            }
            return;
        }
        if let Ok(stream) = self.send() {
            *self = Body::stream(follow(stream, follower));
        }
    }
}

impl<F: Follow> Followed<F> {
    /// The body has ended well.
    fn finish(&mut self) {
        let behind = self.follower.end();
        self.state = match behind {
            Some(behind) if !behind.is_empty() => State::Ending(behind),
            _ => State::Over,
        };
    }

    /// What goes on in place of a frame; none if nothing does.
    fn pass(&mut self, frame: Frame<Bytes>) -> Option<Frame<Bytes>> {
        let data = match frame.into_data() {
            Ok(data) if data.is_empty() => return None,
            Ok(data) => data,
            Err(trailers) => return Some(trailers),
        };
        let passed = match self.follower.data(data) {
            Pass::On(data) => {
                // A reader that counts does not ask again after the last byte.
                if self.body.is_end_stream() {
                    self.finish();
                }
                data
            }
            Pass::Last(data) => {
                // What the follower would add behind the end belongs to what was not read.
                self.follower.end();
                self.state = State::Over;
                self.body = transport::Body::empty();
                data
            }
        };
        (!passed.is_empty()).then(|| Frame::data(passed))
    }
}

// It is never pinned inside.
impl<F: Follow> Unpin for Followed<F> {}

impl<F: Follow> HttpBody for Followed<F> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            match &mut self.state {
                State::Over => return Poll::Ready(None),
                State::Ending(behind) => {
                    let behind = std::mem::take(behind);
                    self.state = State::Over;
                    return Poll::Ready(Some(Ok(Frame::data(behind))));
                }
                State::Open => {}
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => self.finish(),
                Poll::Ready(Some(Ok(frame))) => {
                    if let Some(frame) = self.pass(frame) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.state = State::Over;
                    self.follower.broken(Some(&error));
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.state == State::Over
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Over => SizeHint::with_exact(0),
            State::Ending(behind) => SizeHint::with_exact(behind.len() as u64),
            State::Open if self.follower.changes_length() => SizeHint::default(),
            State::Open => self.body.size_hint(),
        }
    }
}

impl<F: Follow> Drop for Followed<F> {
    fn drop(&mut self) {
        if self.state == State::Open {
            self.follower.broken(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Notes what it hears: upper case instead of `a`, nothing instead of `-`, the end at `!`.
    #[derive(Default)]
    struct Listener {
        heard: String,
        tail: &'static str,
        changes: bool,
    }

    impl Follow for Listener {
        fn data(&mut self, data: Bytes) -> Pass {
            self.heard.push_str(std::str::from_utf8(&data).unwrap());
            match &data[..] {
                b"a" => Pass::On(Bytes::from("A")),
                b"-" => Pass::On(Bytes::new()),
                b"!" => Pass::Last(Bytes::from("last")),
                _ => Pass::On(data),
            }
        }

        fn end(&mut self) -> Option<Bytes> {
            self.heard.push_str(" end");
            (!self.tail.is_empty()).then(|| Bytes::from(self.tail))
        }

        fn broken(&mut self, error: Option<&BodyError>) {
            self.heard.push_str(if error.is_some() { " broken" } else { " given up" });
        }

        fn changes_length(&self) -> bool {
            self.changes
        }
    }

    impl<F: Follow> Follow for Arc<Mutex<F>> {
        fn data(&mut self, data: Bytes) -> Pass {
            self.lock().unwrap().data(data)
        }

        fn end(&mut self) -> Option<Bytes> {
            self.lock().unwrap().end()
        }

        fn broken(&mut self, error: Option<&BodyError>) {
            self.lock().unwrap().broken(error);
        }

        fn changes_length(&self) -> bool {
            self.lock().unwrap().changes_length()
        }
    }

    /// What the reader gets in so many reads, and what the follower hears.
    async fn ran(
        parts: &[&'static str],
        whole: bool,
        n_reads: usize,
        tail: &'static str,
    ) -> String {
        let (sender, body) = transport::Body::channel(parts.len() + 1);
        for part in parts {
            sender.send(*part).await.unwrap();
        }
        if !whole {
            sender.abort("gone").await;
        } else {
            drop(sender);
        }
        let listener = Arc::new(Mutex::new(Listener { tail, ..Listener::default() }));
        let mut body = Body::stream(body);
        body.follow(Arc::clone(&listener));
        let mut sent = body.send().unwrap();
        let mut got = String::new();
        for _ in 0..n_reads {
            match sent.next_data().await {
                Ok(Some(data)) => got.push_str(std::str::from_utf8(&data).unwrap()),
                Ok(None) => break,
                Err(_) => {
                    got.push('~');
                    break;
                }
            }
        }
        drop(sent);
        format!("{got}/{}", listener.lock().unwrap().heard)
    }

    #[tokio::test]
    async fn a_follower_hears_of_data_and_of_one_end() {
        assert_eq!(ran(&["x", "y"], true, 9, "").await, "xy/xy end");
        assert_eq!(ran(&[], true, 9, "").await, "/ end");
        assert_eq!(ran(&["x"], false, 9, "").await, "x~/x broken");
        assert_eq!(ran(&["x", "y"], true, 1, "").await, "x/x given up");
        assert_eq!(ran(&["x"], true, 0, "").await, "/ given up");
    }

    #[tokio::test]
    async fn a_follower_may_replace_drop_add_and_stop() {
        assert_eq!(ran(&["x", "a", "y"], true, 9, "").await, "xAy/xay end");
        assert_eq!(ran(&["-", "x", "-"], true, 9, "").await, "x/-x- end");
        assert_eq!(ran(&["x"], true, 9, "tail").await, "xtail/x end");
        assert_eq!(ran(&["-"], true, 9, "tail").await, "tail/- end");
        assert_eq!(ran(&["x", "!", "y"], true, 9, "tail").await, "xlast/x! end");
    }

    #[tokio::test]
    async fn bytes_in_memory_are_gone_through_at_once_and_stay_there() {
        for (bytes, tail, expected) in
            [("x", "", "x"), ("a", "", "A"), ("-", "t", "t"), ("!", "t", "last"), ("", "t", "t")]
        {
            let mut body = Body::bytes(bytes);
            body.follow(Listener { tail, ..Listener::default() });
            assert_eq!(body.as_bytes().unwrap(), expected);
            let same =
                follow(transport::Body::full(bytes), Listener { tail, ..Listener::default() });
            assert_eq!(same.as_bytes().unwrap(), expected);
        }
    }

    /// A stream that knows its length, and its end with its only frame.
    struct Known(Option<Bytes>);

    impl HttpBody for Known {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            Poll::Ready(self.0.take().map(|it| Ok(Frame::data(it))))
        }

        fn is_end_stream(&self) -> bool {
            self.0.is_none()
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.0.as_ref().map_or(0, |it| it.len() as u64))
        }
    }

    #[tokio::test]
    async fn a_reader_that_stops_at_the_last_byte_has_read_it_all() {
        for (text, tail, expected) in [("x", "", "x end"), ("!", "", "! end")] {
            let listener = Arc::new(Mutex::new(Listener { tail, ..Listener::default() }));
            let known = transport::Body::stream(Known(Some(Bytes::from(text))));
            let mut body = follow(known, Arc::clone(&listener));
            assert_eq!(body.size_hint().exact(), Some(1));
            body.next_data().await.unwrap();
            assert!(body.is_end_stream());
            drop(body);
            assert_eq!(listener.lock().unwrap().heard, expected);
        }
    }

    #[tokio::test]
    async fn what_comes_behind_the_end_is_not_forgotten_and_a_changed_length_is_not_told() {
        let known = transport::Body::stream(Known(Some(Bytes::from("x"))));
        let mut body =
            follow(known, Listener { tail: "tail", changes: true, ..Listener::default() });
        assert_eq!(body.size_hint().exact(), None);
        assert_eq!(body.next_data().await.unwrap().unwrap(), "x");
        assert!(!body.is_end_stream());
        assert_eq!(body.next_data().await.unwrap().unwrap(), "tail");
        assert!(body.is_end_stream() && body.next_data().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_empty_stream_is_over_at_once() {
        let listener = Arc::new(Mutex::new(Listener::default()));
        let body = follow(transport::Body::stream(Known(None)), Arc::clone(&listener));
        assert!(body.is_end_stream());
        assert_eq!(listener.lock().unwrap().heard, " end");
    }
}
