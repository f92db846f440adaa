//! A stream of the Messages API as one of Chat Completions, event by event.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::answer::{Tokens, finish_reason};
use super::error::error_object;
use crate::event_stream::{DEFAULT_MAX_EVENT_BYTES, Event, EventStream, Oversized};

/// Writes the stream anew while it comes. It holds back no more than the beginning of one event.
pub struct MessagesStream {
    stream: EventStream,
    tells_usage: bool,
    created: u64,
    id: Value,
    model: Value,
    tokens: Tokens,
    /// Calls of tools that have begun.
    n_calls: u64,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// More may come.
    Open,
    /// The last event was written.
    Over,
}

impl MessagesStream {
    /// A stream made at `created` (seconds since 1970), which tells its usage at its end if the
    /// request asks for it.
    #[must_use]
    pub fn new(created: u64, tells_usage: bool) -> MessagesStream {
        MessagesStream {
            stream: EventStream::new(DEFAULT_MAX_EVENT_BYTES),
            tells_usage,
            created,
            id: Value::Null,
            model: Value::Null,
            tokens: Tokens::default(),
            n_calls: 0,
            ending: Ending::Open,
        }
    }

    /// What to write for bytes that came; nothing may be to write yet.
    pub fn push(&mut self, data: Bytes) -> Bytes {
        let mut written = String::new();
        self.stream.push(data);
        while self.ending == Ending::Open
            && let Some(next) = self.stream.next()
        {
            match next {
                Ok(event) => self.event(&event, &mut written),
                Err(Oversized { limit, .. }) => {
                    let message = format!("an event of the model is longer than {limit} bytes");
                    self.fail(&message, "api_error", &mut written);
                }
            }
        }
        written.into()
    }

    /// What to write when the stream has ended: an error, if it ended too early.
    pub fn finish(&mut self) -> Bytes {
        let mut written = String::new();
        if self.ending == Ending::Open
            && let Some(event) = self.stream.finish()
        {
            self.event(&event, &mut written);
        }
        if self.ending == Ending::Open {
            self.fail("the model's stream broke off", "api_error", &mut written);
        }
        written.into()
    }

    /// Whether the last event was written: what still comes is of no use.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ending == Ending::Over
    }

    fn event(&mut self, event: &Event, written: &mut String) {
        let Some(data) = event.data() else { return };
        let Ok(data) = serde_json::from_slice::<Value>(&data) else { return };
        let kind = data.get("type").and_then(Value::as_str);
        match kind.or(event.event_type()).unwrap_or_default() {
            "message_start" => self.begin(data.get("message"), written),
            "content_block_start" => self.block(data.get("content_block"), written),
            "content_block_delta" => self.delta(data.get("delta"), written),
            "message_delta" => {
                self.tokens = self.tokens.updated(data.get("usage"));
                let reason = data.get("delta").and_then(|it| it.get("stop_reason"));
                if let Some(reason) = reason.and_then(Value::as_str) {
                    self.chunk(json!({}), Some(finish_reason(Some(reason))), written);
                }
            }
            "message_stop" => self.end(written),
            "error" => {
                let error = data.get("error");
                let member = |name| error.and_then(|it| it.get(name)).and_then(Value::as_str);
                let message = member("message").unwrap_or("the model failed");
                self.fail(message, member("type").unwrap_or("api_error"), written);
            }
            // Keeps the connection open.
            "ping" => written.push_str(": ping\n\n"),
            _ => {}
        }
    }

    fn begin(&mut self, message: Option<&Value>, written: &mut String) {
        let member = |name| message.and_then(|it| it.get(name)).cloned().unwrap_or_default();
        (self.id, self.model) = (member("id"), member("model"));
        self.tokens = self.tokens.updated(message.and_then(|it| it.get("usage")));
        self.chunk(json!({ "role": "assistant", "content": "" }), None, written);
    }

    fn block(&mut self, block: Option<&Value>, written: &mut String) {
        let member = |name: &str| block.and_then(|it| it.get(name));
        match member("type").and_then(Value::as_str) {
            Some("text") => {
                if let Some(text) = member("text").filter(|it| *it != "") {
                    self.chunk(json!({ "content": text }), None, written);
                }
            }
            Some("tool_use") => {
                let function = json!({ "name": member("name"), "arguments": "" });
                let call = json!({
                    "index": self.n_calls, "id": member("id"), "type": "function",
                    "function": function,
                });
                self.n_calls = self.n_calls.saturating_add(1);
                self.chunk(json!({ "tool_calls": [call] }), None, written);
            }
            _ => {}
        }
    }

    fn delta(&mut self, delta: Option<&Value>, written: &mut String) {
        let member = |name: &str| delta.and_then(|it| it.get(name));
        if let Some(text) = member("text") {
            self.chunk(json!({ "content": text }), None, written);
        } else if let Some(part) = member("partial_json").filter(|it| *it != "") {
            let index = self.n_calls.saturating_sub(1);
            let call = json!({ "index": index, "function": { "arguments": part } });
            self.chunk(json!({ "tool_calls": [call] }), None, written);
        }
    }

    fn end(&mut self, written: &mut String) {
        if self.tells_usage {
            let mut chunk = self.head();
            chunk.insert("choices".to_owned(), json!([]));
            chunk.insert("usage".to_owned(), self.tokens.usage());
            write(&Value::Object(chunk), written);
        }
        written.push_str("data: [DONE]\n\n");
        self.ending = Ending::Over;
    }

    fn fail(&mut self, message: &str, kind: &str, written: &mut String) {
        write(&error_object(message, kind, None, None), written);
        self.ending = Ending::Over;
    }

    fn head(&self) -> Map<String, Value> {
        let mut chunk = Map::new();
        chunk.insert("id".to_owned(), self.id.clone());
        chunk.insert("object".to_owned(), "chat.completion.chunk".into());
        chunk.insert("created".to_owned(), self.created.into());
        chunk.insert("model".to_owned(), self.model.clone());
        chunk
    }

    fn chunk(&self, delta: Value, reason: Option<&str>, written: &mut String) {
        let mut chunk = self.head();
        let choice =
            json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason });
        chunk.insert("choices".to_owned(), json!([choice]));
        if self.tells_usage {
            chunk.insert("usage".to_owned(), Value::Null);
        }
        write(&Value::Object(chunk), written);
    }
}

fn write(value: &Value, written: &mut String) {
    written.push_str("data: ");
    written.push_str(&value.to_string());
    written.push_str("\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_ends_early_says_so() {
        let mut stream = MessagesStream::new(0, false);
        let start = "data: {\"type\":\"message_start\",\"message\":{\"id\":\"1\"}}\n\n";
        assert!(!stream.push(start.into()).is_empty());
        assert!(!stream.is_over());
        let last = stream.finish();
        assert!(String::from_utf8_lossy(&last).contains("the model's stream broke off"));
        assert!(stream.is_over() && stream.finish().is_empty());
    }

    #[test]
    fn an_event_beyond_the_bound_ends_the_stream() {
        let mut stream = MessagesStream::new(0, false);
        let long = format!("data: {}\n\n", "x".repeat(DEFAULT_MAX_EVENT_BYTES + 1));
        let written = stream.push(long.into());
        assert!(String::from_utf8_lossy(&written).contains("longer than"));
        assert!(stream.is_over() && stream.push("data: {}\n\n".into()).is_empty());
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut stream = MessagesStream::new(0, false);
        for event in [
            "event: ping\ndata: {}\n\n",
            "data: oops\n\n",
            ": comment\n\n",
            "data: {\"type\":\"new_kind\"}\n\n",
            "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"x\"}}\n\n",
        ] {
            let written = stream.push(event.into());
            assert!(written.is_empty() || written == ": ping\n\n", "{event}");
        }
    }
}
