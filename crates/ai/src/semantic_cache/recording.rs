//! An answer on its way to the client, kept when it is whole.
//!
//! What breaks off, grows too large, calls tools, was filtered or did not end as an answer should is
//! not kept; the client gets the same either way.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use llm::{Answer, AnswerReader, EventKind, EventStream, Format};
use pipeline::{Follow, Pass, SemanticCacheSettings};
use transport::{BodyError, Clock};

use super::answers::{Answers, Kept};
use super::index::{Gathered, PartitionKey, Stored};
use super::partition::is_complete;

/// Longest answer that is kept, in bytes.
pub(crate) const MAX_ANSWER_BYTES: usize = 2 << 20;

/// What the lookup leaves to the store.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) key: PartitionKey,
    pub(crate) vector: Arc<[f32]>,
    pub(crate) format: Format,
    pub(crate) is_stream: bool,
    pub(crate) bounds: SemanticCacheSettings,
}

/// An entry in the making.
pub(crate) struct Recording {
    pub(crate) plan: Plan,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) life: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) answers: Answers,
    /// None once the answer is given away.
    pub(crate) gathered: Option<Gathered>,
    /// None if it is not to be kept any more.
    pub(crate) body: Option<BytesMut>,
}

impl Follow for Recording {
    fn data(&mut self, data: Bytes) -> Pass {
        if let Some(body) = &mut self.body {
            let fits = body.len() + data.len() <= MAX_ANSWER_BYTES;
            if fits && self.gathered.as_mut().is_some_and(|it| it.take(data.len())) {
                body.extend_from_slice(&data);
            } else {
                self.body = None;
            }
        }
        Pass::On(data)
    }

    fn end(&mut self) -> Option<Bytes> {
        self.keep();
        None
    }

    /// Clients hang up as soon as they have read the last event of a stream.
    fn broken(&mut self, error: Option<&BodyError>) {
        let has_last = |body: &BytesMut| streamed(self.plan.format, &body.clone().freeze()).1;
        if error.is_none() && self.plan.is_stream && self.body.as_ref().is_some_and(has_last) {
            self.keep();
        }
    }
}

impl Recording {
    fn keep(&mut self) {
        let Some(body) = self.body.take().map(BytesMut::freeze) else { return };
        // Of another status nothing is known but that the policy wants it.
        if self.status == StatusCode::OK && !is_whole(&self.plan, &body) {
            return;
        }
        let headers = std::mem::take(&mut self.headers);
        let stored = Stored { status: self.status, headers, body };
        let Some(gathered) = self.gathered.take() else { return };
        let Plan { key, vector, bounds, .. } = &self.plan;
        let kept = Kept { key: *key, vector: Arc::clone(vector), stored, life: self.life };
        self.answers.keep(kept, gathered, self.clock.monotonic(), bounds);
    }
}

/// Whether it is one text that ended as it should.
fn is_whole(plan: &Plan, body: &Bytes) -> bool {
    let answer = match plan.is_stream {
        true => streamed(plan.format, body).0,
        false => Answer::read(plan.format, body),
    };
    let [only] = answer.completions.as_slice() else { return false };
    let ended = only.finish_reason.as_deref().is_some_and(|it| is_complete(plan.format, it));
    ended && only.tools.is_empty() && answer.error.is_none() && answer.n_bytes_left_out == 0
}

/// The answer of a stream, and whether its last event has come.
fn streamed(format: Format, body: &Bytes) -> (Answer, bool) {
    let (mut events, mut reader) = (EventStream::default(), AnswerReader::new(format));
    let mut has_last = false;
    events.push(body.clone());
    while let Some(event) = events.next() {
        match event {
            Ok(event) => has_last |= reader.event(&event) == EventKind::End,
            Err(_) => return (Answer::default(), false),
        }
    }
    (reader.into_answer(), has_last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(format: Format, is_stream: bool) -> Plan {
        let vector = vec![1.0].into();
        Plan { key: [0; 32], vector, format, is_stream, bounds: SemanticCacheSettings::default() }
    }

    fn kept(format: Format, is_stream: bool, body: &str) -> bool {
        is_whole(&plan(format, is_stream), &Bytes::from(body.to_owned()))
    }

    fn whole(finish: &str, more: &str) -> String {
        format!(
            r#"{{"choices":[{{"index":0,"finish_reason":"{finish}","message":{{"content":"x"{more}}}}}]}}"#
        )
    }

    #[test]
    fn only_a_text_that_ended_well_is_kept() {
        let chat = |body: &str| kept(Format::ChatCompletions, false, body);
        assert!(chat(&whole("stop", "")) && chat(&whole("length", "")));
        assert!(!chat(&whole("content_filter", "")));
        let call = r#","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]"#;
        assert!(!chat(&whole("tool_calls", call)) && !chat(&whole("stop", call)));
        assert!(!chat("{}") && !chat("oops") && !chat(r#"{"error":{"code":"x"}}"#));
        let two = r#"{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"x"}},
            {"index":1,"finish_reason":"stop","message":{"content":"y"}}]}"#;
        assert!(!chat(two));
    }

    #[test]
    fn a_stream_must_have_come_to_its_end() {
        let text = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n";
        let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
        let stream = |body: String| kept(Format::ChatCompletions, true, &body);
        assert!(stream(format!("{text}{end}data: [DONE]\n\n")));
        assert!(!stream(format!("{text}{text}")));
        let last = |body: String| streamed(Format::ChatCompletions, &body.into()).1;
        assert!(last(format!("{text}{end}data: [DONE]\n\n")));
        assert!(!last(format!("{text}{end}")));
    }
}
