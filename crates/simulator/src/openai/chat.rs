//! Chat completions, whole and streamed.
//!
//! The answer repeats the last user message, so that a test knows it beforehand. A message that
//! contains `[filtered]` triggers the prompt filter.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};
use transport::{Body, Response};

use super::{count_tokens, error, event_stream};
use crate::reply;

/// A prompt that holds this is refused by the content filter.
const FILTER_TRIGGER: &str = "[filtered]";

/// Pause between two chunks of a stream.
const PACE: Duration = Duration::from_millis(2);

pub(crate) fn answer(model: &str, body: &Map<String, Value>, now: u64) -> Response {
    let Some(messages) = body.get("messages").and_then(Value::as_array).filter(|it| !it.is_empty())
    else {
        let message = "Missing required parameter: 'messages'.";
        return error::invalid_request(message, Some("messages"));
    };
    let texts: Vec<String> = messages.iter().map(text_of).collect();
    if texts.iter().any(|text| text.contains(FILTER_TRIGGER)) {
        return filtered();
    }
    let last_user = messages
        .iter()
        .zip(&texts)
        .rfind(|(message, _)| message.get("role").and_then(Value::as_str) == Some("user"));
    let text = last_user.map_or("Hello.".to_owned(), |(_, text)| format!("You said: {text}"));
    let limit =
        ["max_completion_tokens", "max_tokens"].iter().find_map(|it| body.get(*it)?.as_u64());
    let completion = Completion {
        id: format!("chatcmpl-{}", uuid::Uuid::new_v4().simple()),
        created: now,
        model: model.to_owned(),
        prompt_tokens: texts.iter().map(|text| count_tokens(text) + 4).sum(),
        ..cut(&text, limit)
    };
    if body.get("stream").and_then(Value::as_bool) == Some(true) {
        let usage = body.get("stream_options").and_then(|it| it.get("include_usage"));
        return completion.stream(usage == Some(&Value::Bool(true)));
    }
    reply::json(StatusCode::OK, &completion.whole())
}

/// The text of a message, whose content is text or a list of parts.
fn text_of(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    }
}

/// Cuts the answer after `limit` words, as a token limit would.
fn cut(text: &str, limit: Option<u64>) -> Completion {
    let limit = limit.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
    let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    let finish_reason = if words.len() > limit { "length" } else { "stop" };
    Completion {
        words: words.into_iter().take(limit).collect(),
        finish_reason,
        ..Completion::default()
    }
}

#[derive(Debug, Default)]
struct Completion {
    id: String,
    created: u64,
    model: String,
    prompt_tokens: u64,
    words: Vec<String>,
    finish_reason: &'static str,
}

impl Completion {
    fn usage(&self) -> Value {
        let completion_tokens = count_tokens(&self.words.concat());
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": self.prompt_tokens + completion_tokens,
        })
    }

    fn whole(&self) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": "fp_local",
            "prompt_filter_results":
                [{ "prompt_index": 0, "content_filter_results": unfiltered() }],
            "choices": [{
                "index": 0,
                "finish_reason": self.finish_reason,
                "logprobs": null,
                "message": {
                    "role": "assistant",
                    "content": self.words.concat(),
                    "refusal": null,
                },
                "content_filter_results": unfiltered(),
            }],
            "usage": self.usage(),
        })
    }

    /// The events in the service's order: filter results, role, content, end, usage, `[DONE]`.
    fn events(&self, include_usage: bool) -> Vec<String> {
        let chunk = |choices: Value, usage: Value| {
            let mut chunk = json!({
                "id": self.id,
                "object": "chat.completion.chunk",
                "created": self.created,
                "model": self.model,
                "system_fingerprint": "fp_local",
                "choices": choices,
            });
            if include_usage && let Some(members) = chunk.as_object_mut() {
                members.insert("usage".into(), usage);
            }
            chunk.to_string()
        };
        let choice = |delta: Value, finish_reason: Value| {
            json!([{
                "index": 0,
                "delta": delta,
                "finish_reason": finish_reason,
                "logprobs": null,
                "content_filter_results": {},
            }])
        };
        let prompt_filter = json!({
            "choices": [], "created": 0, "id": "", "model": "", "object": "",
            "prompt_filter_results":
                [{ "prompt_index": 0, "content_filter_results": unfiltered() }],
        });
        let mut events = vec![prompt_filter.to_string()];
        let role = json!({ "role": "assistant", "content": "", "refusal": null });
        events.push(chunk(choice(role, Value::Null), Value::Null));
        for word in &self.words {
            events.push(chunk(choice(json!({ "content": word }), Value::Null), Value::Null));
        }
        events.push(chunk(choice(json!({}), json!(self.finish_reason)), Value::Null));
        if include_usage {
            events.push(chunk(json!([]), self.usage()));
        }
        events.push("[DONE]".to_owned());
        events
    }

    fn stream(&self, include_usage: bool) -> Response {
        let events = self.events(include_usage);
        let (sender, body) = Body::channel(1);
        tokio::spawn(async move {
            for event in events {
                if sender.send(Bytes::from(format!("data: {event}\n\n"))).await.is_err() {
                    return;
                }
                tokio::time::sleep(PACE).await;
            }
        });
        let mut response = Response::new(body);
        event_stream(&mut response);
        response
    }
}

fn unfiltered() -> Value {
    let safe = json!({ "filtered": false, "severity": "safe" });
    json!({ "hate": safe, "self_harm": safe, "sexual": safe, "violence": safe })
}

fn filtered() -> Response {
    let safe = json!({ "filtered": false, "severity": "safe" });
    reply::json(
        StatusCode::BAD_REQUEST,
        &json!({ "error": {
            "message": "The response was filtered due to the prompt triggering Azure OpenAI's \
                        content management policy. Please modify your prompt and retry. To learn \
                        more about our content filtering policies please read our documentation: \
                        https://go.microsoft.com/fwlink/?linkid=2198766",
            "type": null,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {
                    "hate": safe,
                    "jailbreak": { "filtered": false, "detected": false },
                    "self_harm": safe,
                    "sexual": safe,
                    "violence": { "filtered": true, "severity": "medium" },
                },
            },
        } }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion(text: &str, limit: Option<u64>) -> Completion {
        Completion { prompt_tokens: 5, ..cut(text, limit) }
    }

    #[test]
    fn a_stream_has_the_services_order_and_says_the_same_as_the_whole() {
        let completion = completion("one two", None);
        let events = completion.events(true);
        let parsed: Vec<Value> =
            events[..events.len() - 1].iter().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(parsed[0]["choices"], json!([]));
        assert_eq!(parsed[1]["choices"][0]["delta"]["role"], json!("assistant"));
        let text: String =
            parsed.iter().filter_map(|it| it["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(json!(text), completion.whole()["choices"][0]["message"]["content"]);
        assert_eq!(parsed.last().unwrap()["usage"], completion.usage());
        assert_eq!(events.last().unwrap(), "[DONE]");
    }

    #[test]
    fn usage_is_streamed_only_on_request() {
        assert!(!completion("one", None).events(false).concat().contains("usage"));
    }

    #[test]
    fn a_limit_cuts_the_answer() {
        let cut = completion("one two three", Some(2)).whole();
        assert_eq!(cut["choices"][0]["finish_reason"], json!("length"));
        assert_eq!(cut["choices"][0]["message"]["content"], json!("one two "));
    }
}
