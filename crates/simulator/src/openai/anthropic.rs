//! Anthropic's Messages API, as models of Anthropic are served below `/anthropic`.
//!
//! Source: <https://docs.anthropic.com/en/api/messages>

use http::StatusCode;
use serde_json::{Map, Value, json};
use transport::Response;

use super::chat::limit;
use super::completion::{Completion, Finish, Pace, Prompt, Tool, named_event, text_of};
use super::error;
use crate::reply;

/// The prompt of a request.
pub(super) fn prompt(body: &Map<String, Value>) -> Result<Prompt, Response> {
    let Some(list) = body.get("messages").and_then(Value::as_array).filter(|it| !it.is_empty())
    else {
        return Err(error::invalid_request("messages: Field required", Some("messages")));
    };
    if !body.contains_key("max_tokens") {
        return Err(error::invalid_request("max_tokens: Field required", Some("max_tokens")));
    }
    let mut messages = Vec::new();
    if let Some(system) = body.get("system") {
        messages.push(("system".to_owned(), text_of(Some(system))));
    }
    messages.extend(list.iter().map(message));
    let kind = body.get("tool_choice").and_then(|it| it.get("type")).and_then(Value::as_str);
    let name = |it: &Value| it.get("name").and_then(Value::as_str).map(str::to_owned);
    let chosen = body.get("tool_choice").and_then(name);
    let first = || body.get("tools").and_then(Value::as_array)?.first().and_then(name);
    let is_required = matches!(kind, Some("any" | "tool"));
    let tool = chosen.or_else(first).map(|name| Tool { name, is_required });
    Ok(Prompt { messages, tool, limit: limit(body, &["max_tokens"]) })
}

fn message(message: &Value) -> (String, String) {
    let content = message.get("content");
    let results = content.and_then(Value::as_array).and_then(|parts| {
        parts.iter().find(|it| it.get("type").and_then(Value::as_str) == Some("tool_result"))
    });
    if let Some(result) = results {
        return ("tool".to_owned(), text_of(result.get("content")));
    }
    let role = message.get("role").and_then(Value::as_str).unwrap_or("user");
    (role.to_owned(), text_of(content))
}

pub(super) async fn answer(
    completion: &Completion,
    body: &Map<String, Value>,
    pace: Pace,
) -> Response {
    if body.get("stream").and_then(Value::as_bool) == Some(true) {
        return pace.stream(events(completion));
    }
    pace.wait(completion.usage.completion).await;
    reply::json(StatusCode::OK, &whole(completion))
}

/// Tokens read from a cache are not among the input tokens of this API.
fn usage(completion: &Completion, output_tokens: u64) -> Value {
    let usage = completion.usage;
    json!({
        "input_tokens": usage.prompt - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": output_tokens,
    })
}

fn stop_reason(completion: &Completion) -> &'static str {
    match completion.finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCall => "tool_use",
        Finish::ContentFilter(_) => "refusal",
    }
}

fn block(completion: &Completion, text: &str) -> Value {
    match &completion.tool {
        Some(name) => {
            let id = format!("toolu_{}", completion.id);
            json!({ "type": "tool_use", "id": id, "name": name, "input": {} })
        }
        None => json!({ "type": "text", "text": text }),
    }
}

fn whole(completion: &Completion) -> Value {
    json!({
        "id": format!("msg_{}", completion.id),
        "type": "message",
        "role": "assistant",
        "model": completion.model,
        "content": [block(completion, &completion.text())],
        "stop_reason": stop_reason(completion),
        "stop_sequence": null,
        "usage": usage(completion, completion.usage.completion),
    })
}

fn events(completion: &Completion) -> Vec<String> {
    let message = json!({
        "id": format!("msg_{}", completion.id), "type": "message", "role": "assistant",
        "model": completion.model, "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": usage(completion, 1),
    });
    let mut events = vec![
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": block(completion, "") }),
        json!({ "type": "ping" }),
    ];
    let deltas: Vec<Value> = match completion.tool {
        Some(_) => vec![json!({ "type": "input_json_delta", "partial_json": "{}" })],
        None => {
            let words = completion.words.iter();
            words.map(|it| json!({ "type": "text_delta", "text": it })).collect()
        }
    };
    for delta in deltas {
        events.push(json!({ "type": "content_block_delta", "index": 0, "delta": delta }));
    }
    events.push(json!({ "type": "content_block_stop", "index": 0 }));
    events.push(json!({
        "type": "message_delta",
        "delta": { "stop_reason": stop_reason(completion), "stop_sequence": null },
        "usage": { "output_tokens": completion.usage.completion },
    }));
    events.push(json!({ "type": "message_stop" }));
    events.iter().map(named_event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: Value) -> Completion {
        prompt(body.as_object().unwrap()).unwrap().answer("m", 7, None)
    }

    #[test]
    fn a_message_is_answered_whole_and_in_events() {
        let completion = asked(json!({ "max_tokens": 9, "system": "Be kind.", "messages": [
            { "role": "user", "content": [{ "type": "text", "text": "one [cached:2]" }] },
        ] }));
        let whole = whole(&completion);
        assert_eq!(whole["content"][0]["text"], "You said: one [cached:2]");
        assert_eq!(whole["usage"]["cache_read_input_tokens"], 2);
        let events = events(&completion).concat();
        assert!(events.starts_with("event: message_start\ndata: {"));
        assert!(events.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
    }

    #[test]
    fn a_limit_is_required() {
        let body = json!({ "messages": [{ "role": "user", "content": "x" }] });
        assert!(prompt(body.as_object().unwrap()).is_err());
    }

    #[test]
    fn tools_are_used() {
        let body = json!({ "max_tokens": 9, "tools": [{ "name": "t" }],
            "tool_choice": { "type": "any" },
            "messages": [{ "role": "user", "content": "x" }] });
        assert_eq!(whole(&asked(body))["content"][0]["name"], "t");
    }
}
