//! An answer of the Messages API as one of Chat Completions.

use serde_json::{Map, Value, json};

/// The answer, made at `created` (seconds since 1970); none if this is no answer of the Messages
/// API.
#[must_use]
pub fn chat_answer(body: &[u8], created: u64) -> Option<Value> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let content = body.get("content")?.as_array()?;
    let (mut text, mut calls) = (None::<String>, Vec::new());
    for block in content {
        match block.get("type").and_then(Value::as_str) {
            Some("text") => {
                let it = block.get("text").and_then(Value::as_str).unwrap_or_default();
                text.get_or_insert_default().push_str(it);
            }
            Some("tool_use") => {
                let input = block.get("input").map_or_else(|| "{}".to_owned(), Value::to_string);
                calls.push(json!({
                    "id": block.get("id"), "type": "function",
                    "function": { "name": block.get("name"), "arguments": input },
                }));
            }
            // Thinking has no place here.
            _ => {}
        }
    }
    let mut message = Map::new();
    message.insert("role".to_owned(), "assistant".into());
    message.insert("content".to_owned(), text.map_or(Value::Null, Value::from));
    message.insert("refusal".to_owned(), Value::Null);
    if !calls.is_empty() {
        message.insert("tool_calls".to_owned(), calls.into());
    }
    let reason = finish_reason(body.get("stop_reason").and_then(Value::as_str));
    Some(json!({
        "id": body.get("id"),
        "object": "chat.completion",
        "created": created,
        "model": body.get("model"),
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": reason }],
        "usage": Tokens::default().updated(body.get("usage")).usage(),
    }))
}

/// Why the model stopped, in the other API's word.
pub(super) fn finish_reason(stop_reason: Option<&str>) -> &'static str {
    match stop_reason {
        Some("max_tokens" | "model_context_window_exceeded") => "length",
        Some("tool_use") => "tool_calls",
        Some("refusal") => "content_filter",
        _ => "stop",
    }
}

/// Tokens as the Messages API tells them; what a stream tells later replaces what it told before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tokens {
    input: u64,
    cache_read: u64,
    cache_creation: u64,
    output: u64,
}

impl Tokens {
    pub(super) fn updated(mut self, usage: Option<&Value>) -> Tokens {
        let number = |name: &str| usage.and_then(|it| it.get(name)).and_then(Value::as_u64);
        self.input = number("input_tokens").unwrap_or(self.input);
        self.cache_read = number("cache_read_input_tokens").unwrap_or(self.cache_read);
        self.cache_creation = number("cache_creation_input_tokens").unwrap_or(self.cache_creation);
        self.output = number("output_tokens").unwrap_or(self.output);
        self
    }

    /// The same in the words of Chat Completions, where the prompt includes what was cached.
    pub(super) fn usage(self) -> Value {
        let parts = [self.input, self.cache_read, self.cache_creation];
        let prompt = parts.into_iter().fold(0, u64::saturating_add);
        json!({
            "prompt_tokens": prompt,
            "completion_tokens": self.output,
            "total_tokens": prompt.saturating_add(self.output),
            "prompt_tokens_details": { "cached_tokens": self.cache_read },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_word() {
        for (reason, expected) in [
            (Some("end_turn"), "stop"),
            (Some("stop_sequence"), "stop"),
            (Some("max_tokens"), "length"),
            (Some("model_context_window_exceeded"), "length"),
            (Some("tool_use"), "tool_calls"),
            (Some("refusal"), "content_filter"),
            (Some("pause_turn"), "stop"),
            (None, "stop"),
        ] {
            assert_eq!(finish_reason(reason), expected, "{reason:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for body in ["", "[]", "{}", r#"{"content":"x"}"#, r#"{"choices":[]}"#] {
            assert!(chat_answer(body.as_bytes(), 0).is_none(), "{body}");
        }
    }
}
