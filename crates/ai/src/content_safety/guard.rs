//! A stream that is judged on its way.
//!
//! ```text
//! body ─▶ EventStream ─▶ held, with their text ─▶ window full or body over ─▶ judged ─▶ out
//!                                                                        └─ blocked ─▶ end
//! ```
//!
//! A window has the last characters of the one before, so many as the overlap says, and new text.
//! While one is judged nothing is read, so that no more is held than a window and the last chunk.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use llm::{Event, EventStream, Format};
use pipeline::{LateError, Place, PolicyError, WhenUnavailable};
use transport::{Body, BodyError, BoxFuture};

use super::service::{Service, Unavailable, Verdict};
use super::texts::told;
use super::{blocked, unavailable};

/// Most bytes of events that are held at a time.
const MAX_HELD_BYTES: usize = 16 << 20;

type Judgement = BoxFuture<'static, Result<Verdict, Unavailable>>;

pub(super) struct Guard {
    body: Body,
    format: Format,
    service: Service,
    when_unavailable: WhenUnavailable,
    events: EventStream,
    /// Not judged yet.
    held: Vec<Bytes>,
    n_held_bytes: usize,
    /// What the next window begins with: judged before.
    overlap: String,
    /// Text of what is held.
    fresh: String,
    n_fresh_chars: usize,
    judgement: Option<Judgement>,
    /// Judged, on its way out.
    ready: VecDeque<Bytes>,
    state: State,
    late: Late,
}

/// Where it is noted why a stream was stopped.
pub(super) struct Late {
    pub(super) error: LateError,
    pub(super) place: Arc<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The body has ended; the rest is judged.
    Ending,
    Over,
}

impl Guard {
    pub(super) fn new(
        body: Body,
        format: Format,
        service: Service,
        when_unavailable: WhenUnavailable,
        late: Late,
    ) -> Guard {
        Guard {
            body,
            format,
            service,
            when_unavailable,
            events: EventStream::default(),
            held: Vec::new(),
            n_held_bytes: 0,
            overlap: String::new(),
            fresh: String::new(),
            n_fresh_chars: 0,
            judgement: None,
            ready: VecDeque::new(),
            state: State::Open,
            late,
        }
    }

    /// Takes in what has come, as far as the window goes.
    fn read(&mut self) {
        let room = self.service.rules.window.saturating_sub(self.service.rules.overlap).max(1);
        while self.n_fresh_chars < room && self.state != State::Over {
            match self.events.next() {
                None => return,
                Some(Ok(event)) => self.hold(&event),
                Some(Err(_)) => self.stop(blocked("An event is too long to be checked.")),
            }
        }
        if self.n_fresh_chars > 0 {
            self.judge();
        }
    }

    fn hold(&mut self, event: &Event) {
        let text = told(self.format, event);
        let raw = event.raw().clone();
        self.n_held_bytes += raw.len();
        if self.n_held_bytes > MAX_HELD_BYTES {
            return self.stop(blocked("Too much would have to be held."));
        }
        self.n_fresh_chars += text.chars().count();
        self.fresh.push_str(&text);
        self.held.push(raw);
    }

    /// Sends the window off. A single event may be longer than a window: then it is judged in
    /// several.
    fn judge(&mut self) {
        let rules = &self.service.rules;
        let text = format!("{}{}", self.overlap, self.fresh);
        let Some(windows) = super::texts::windows(&text, rules.window, rules.overlap) else {
            return self.stop(blocked("The text is longer than can be checked."));
        };
        let windows: Vec<String> = windows.into_iter().map(str::to_owned).collect();
        let n_chars = text.chars().count();
        self.overlap = text.chars().skip(n_chars.saturating_sub(rules.overlap)).collect();
        self.fresh.clear();
        self.n_fresh_chars = 0;
        let service = self.service.clone();
        self.judgement = Some(Box::pin(async move {
            for window in &windows {
                let verdict = service.analyze(window).await?;
                if verdict != Verdict::Clean {
                    return Ok(verdict);
                }
            }
            Ok(Verdict::Clean)
        }));
    }

    fn conclude(&mut self, verdict: Result<Verdict, Unavailable>) {
        match verdict {
            Ok(Verdict::Clean) => self.release(),
            Ok(Verdict::Blocked(why)) => self.stop(blocked(&why)),
            Err(problem) if self.when_unavailable == WhenUnavailable::Allow => {
                tracing::warn!(%problem, "content safety is not available; nothing was checked");
                self.release();
            }
            Err(problem) => self.stop(unavailable(&problem)),
        }
    }

    fn release(&mut self) {
        self.ready.extend(self.held.drain(..));
        self.n_held_bytes = 0;
    }

    /// Nothing more goes out; the backend's call is given up.
    fn stop(&mut self, why: PolicyError) {
        tracing::warn!(reason = why.reason(), why = why.message(), "a stream was stopped");
        self.late.error.set(&why.at(&self.late.place));
        self.held.clear();
        self.ready.clear();
        self.judgement = None;
        self.body = Body::empty();
        self.state = State::Over;
    }

    /// The body has ended: what is left is judged, if it says anything.
    fn end(&mut self) {
        self.state = State::Ending;
        if let Some(rest) = self.events.finish() {
            self.hold(&rest);
        }
        if self.state == State::Over {
            return;
        }
        match self.n_fresh_chars {
            0 => self.release(),
            _ => self.judge(),
        }
    }
}

// It is never pinned inside.
impl Unpin for Guard {}

impl HttpBody for Guard {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(data) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            if let Some(judgement) = &mut self.judgement {
                let Poll::Ready(verdict) = judgement.as_mut().poll(cx) else {
                    return Poll::Pending;
                };
                self.judgement = None;
                self.conclude(verdict);
                continue;
            }
            match self.state {
                State::Over => return Poll::Ready(None),
                State::Ending => {
                    self.state = State::Over;
                    continue;
                }
                State::Open => {}
            }
            self.read();
            if self.judgement.is_some() || self.state == State::Over {
                continue;
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => self.end(),
                Poll::Ready(Some(Err(error))) => {
                    self.state = State::Over;
                    self.held.clear();
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.events.push(data);
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.state == State::Over && self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::{Category, OutputType, Rules};
    use super::*;
    use crate::backend_call::BackendCall;
    use crate::test_support::{Answering, context};

    /// `bad` is hateful; `down` is too much for the service.
    fn judge(_: &str, body: &str) -> (u16, String) {
        let asked: serde_json::Value = serde_json::from_str(body).unwrap();
        let text = asked["text"].as_str().unwrap();
        if text.contains("down") {
            return (500, String::new());
        }
        let severity = if text.contains("bad") { 6 } else { 0 };
        let found =
            format!(r#"{{"categoriesAnalysis":[{{"category":"Hate","severity":{severity}}}]}}"#);
        (200, found)
    }

    fn events(words: &[&str]) -> Vec<String> {
        let event = |it: &&str| {
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{it}\"}}}}]}}\n\n")
        };
        let mut events: Vec<String> = words.iter().map(event).collect();
        events.push("data: [DONE]\n\n".to_owned());
        events
    }

    /// What goes out for these chunks, the texts that were judged, and the reason that is noted.
    async fn guarded(
        chunks: Vec<String>,
        (window, overlap): (usize, usize),
        when_unavailable: WhenUnavailable,
    ) -> (String, Vec<String>, String) {
        let forward = Answering::new(judge);
        let context = context(Arc::clone(&forward), "/v1/chat/completions", "{}");
        let rules = Rules {
            categories: vec![(Category::Hate, 4)],
            output_type: OutputType::FourSeverityLevels,
            blocklists: Vec::new(),
            shields: false,
            window,
            overlap,
        };
        let service =
            Service { call: BackendCall::of(&context, "safety").unwrap(), rules: Arc::new(rules) };
        let (sender, body) = Body::channel(chunks.len());
        for chunk in chunks {
            sender.send(chunk).await.unwrap();
        }
        drop(sender);
        let error = LateError::default();
        let place = Arc::new(Place::built_in("llm-content-safety"));
        let late = Late { error: error.clone(), place };
        let guard = Guard::new(body, Format::ChatCompletions, service, when_unavailable, late);
        let mut body = Body::stream(guard);
        let mut out = String::new();
        while let Some(data) = body.next_data().await.unwrap() {
            out.push_str(std::str::from_utf8(&data).unwrap());
        }
        let asked = forward.asked.lock().unwrap();
        let texts = asked.iter().map(|it| {
            let it: serde_json::Value = serde_json::from_str(it).unwrap();
            it["text"].as_str().unwrap().to_owned()
        });
        let noted = error.get().map(|it| {
            assert_eq!(it.source, "llm-content-safety");
            it.reason.clone().unwrap()
        });
        (out, texts.collect(), noted.unwrap_or_default())
    }

    const REFUSE: WhenUnavailable = WhenUnavailable::Refuse;

    #[tokio::test]
    async fn a_clean_stream_goes_through_byte_for_byte_window_by_window() {
        let chunks = events(&["aaaa", "bbbb", "cccc"]);
        let (out, judged, noted) = guarded(chunks.clone(), (8, 0), REFUSE).await;
        assert_eq!((out, noted.as_str()), (chunks.concat(), ""));
        assert_eq!(judged, ["aaaabbbb", "cccc"]);
    }

    #[tokio::test]
    async fn however_the_stream_is_cut_the_same_is_judged() {
        let whole = events(&["one ", "two ", "three"]).concat();
        let bytes = whole.as_bytes().chunks(1);
        let cut = bytes.map(|it| String::from_utf8(it.to_vec()).unwrap()).collect();
        let (out, judged, _) = guarded(cut, (8, 0), REFUSE).await;
        assert_eq!((out, judged), (whole, vec!["one two ".to_owned(), "three".to_owned()]));
    }

    #[tokio::test]
    async fn nothing_of_a_bad_window_goes_out_nor_anything_behind_it() {
        let chunks = events(&["good", "good", "bad!", "good"]);
        let (out, judged, noted) = guarded(chunks.clone(), (8, 0), REFUSE).await;
        assert_eq!(out, chunks[..2].concat());
        assert_eq!((judged.len(), noted.as_str()), (2, "ContentSafetyViolation"));
        let (out, ..) = guarded(events(&["bad"]), (100, 0), REFUSE).await;
        assert_eq!(out, "");
    }

    #[tokio::test]
    async fn the_overlap_finds_what_lies_across_two_windows() {
        let chunks = events(&["xxxb", "adxx"]);
        let (out, judged, _) = guarded(chunks.clone(), (4, 0), REFUSE).await;
        assert_eq!((out, judged.len()), (chunks.concat(), 2));
        let (out, judged, _) = guarded(chunks.clone(), (6, 2), REFUSE).await;
        assert_eq!(out, chunks[0]);
        assert_eq!(judged, ["xxxb", "xbadxx"]);
    }

    #[tokio::test]
    async fn an_event_longer_than_a_window_is_judged_in_several() {
        let (out, judged, _) = guarded(events(&["aaaabbbbcc"]), (4, 0), REFUSE).await;
        assert!(out.ends_with("[DONE]\n\n"));
        assert_eq!(judged, ["aaaa", "bbbb", "cc"]);
    }

    #[tokio::test]
    async fn without_a_verdict_the_stream_ends_unless_it_may_go_on() {
        let chunks = events(&["down", "more"]);
        let (out, _, noted) = guarded(chunks.clone(), (4, 0), REFUSE).await;
        assert_eq!((out.as_str(), noted.as_str()), ("", "ContentSafetyUnavailable"));
        let (out, _, noted) = guarded(chunks.clone(), (4, 0), WhenUnavailable::Allow).await;
        assert_eq!((out, noted.as_str()), (chunks.concat(), ""));
    }

    #[tokio::test]
    async fn an_event_beyond_every_bound_stops_the_stream() {
        let long = format!("data: {}", "x".repeat(llm::DEFAULT_MAX_EVENT_BYTES + 1));
        let (out, _, noted) = guarded(vec![long, "\n\n".to_owned()], (4, 0), REFUSE).await;
        assert_eq!((out.as_str(), noted.as_str()), ("", "ContentSafetyViolation"));
    }

    #[tokio::test]
    async fn a_stream_without_text_needs_no_judgement() {
        let (out, judged, _) = guarded(events(&[]), (4, 0), REFUSE).await;
        assert_eq!((out.as_str(), judged.len()), ("data: [DONE]\n\n", 0));
    }
}
