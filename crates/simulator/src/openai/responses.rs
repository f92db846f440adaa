//! The Responses API, whole and streamed.
//!
//! Source: <https://learn.microsoft.com/azure/ai-services/openai/how-to/responses>

use http::StatusCode;
use serde_json::{Map, Value, json};
use transport::Response;

use super::chat::limit;
use super::completion::{Completion, Finish, Pace, Prompt, Tool, named_event, text_of};
use super::error;
use crate::reply;

/// The prompt of a request.
pub(super) fn prompt(body: &Map<String, Value>) -> Result<Prompt, Response> {
    let mut messages = Vec::new();
    if let Some(text) = body.get("instructions").and_then(Value::as_str) {
        messages.push(("system".to_owned(), text.to_owned()));
    }
    match body.get("input") {
        Some(Value::String(text)) => messages.push(("user".to_owned(), text.clone())),
        Some(Value::Array(items)) => messages.extend(items.iter().map(message)),
        _ => {
            return Err(error::invalid_request(
                "Missing required parameter: 'input'.",
                Some("input"),
            ));
        }
    }
    let choice = body.get("tool_choice");
    let name = |it: &Value| it.get("name").and_then(Value::as_str).map(str::to_owned);
    let chosen = choice.and_then(name);
    let is_required = chosen.is_some() || choice == Some(&json!("required"));
    let first = || body.get("tools").and_then(Value::as_array)?.iter().find_map(name);
    let tool = chosen.or_else(first).map(|name| Tool { name, is_required });
    Ok(Prompt { messages, tool, limit: limit(body, &["max_output_tokens"]) })
}

/// Role and text of an item of the input.
fn message(item: &Value) -> (String, String) {
    if let Some(output) = item.get("output") {
        return ("tool".to_owned(), text_of(Some(output)));
    }
    let role = item.get("role").and_then(Value::as_str).unwrap_or("user");
    (role.to_owned(), text_of(item.get("content")))
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

fn whole(completion: &Completion) -> Value {
    let usage = completion.usage;
    response(
        completion,
        status(completion),
        vec![item(completion, status(completion))],
        json!({
            "input_tokens": usage.prompt,
            "input_tokens_details": { "cached_tokens": usage.cached },
            "output_tokens": usage.completion,
            "output_tokens_details": { "reasoning_tokens": usage.reasoning },
            "total_tokens": usage.total(),
        }),
    )
}

fn status(completion: &Completion) -> &'static str {
    match completion.finish {
        Finish::Stop | Finish::ToolCall => "completed",
        Finish::Length | Finish::ContentFilter(_) => "incomplete",
    }
}

fn response(completion: &Completion, status: &str, output: Vec<Value>, usage: Value) -> Value {
    let incomplete = match (status, &completion.finish) {
        ("incomplete", Finish::Length) => json!({ "reason": "max_output_tokens" }),
        ("incomplete", _) => json!({ "reason": "content_filter" }),
        _ => Value::Null,
    };
    json!({
        "id": format!("resp_{}", completion.id),
        "object": "response",
        "created_at": completion.created,
        "status": status,
        "error": null,
        "incomplete_details": incomplete,
        "instructions": null,
        "max_output_tokens": null,
        "metadata": {},
        "model": completion.model,
        "output": output,
        "parallel_tool_calls": true,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
    })
}

fn item(completion: &Completion, status: &str) -> Value {
    match &completion.tool {
        Some(name) => json!({
            "id": format!("fc_{}", completion.id),
            "type": "function_call",
            "status": status,
            "call_id": format!("call_{}", completion.id),
            "name": name,
            "arguments": "{}",
        }),
        None => json!({
            "id": format!("msg_{}", completion.id),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part(&completion.text())],
        }),
    }
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "annotations": [], "text": text })
}

fn events(completion: &Completion) -> Vec<String> {
    let begun = |kind: &str| {
        let response = response(completion, "in_progress", Vec::new(), Value::Null);
        json!({ "type": kind, "response": response })
    };
    let mut events = vec![begun("response.created"), begun("response.in_progress")];
    match completion.tool {
        Some(_) => tool_events(completion, &mut events),
        None => text_events(completion, &mut events),
    }
    let done = item(completion, status(completion));
    events.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": done }));
    let kind = format!("response.{}", status(completion));
    events.push(json!({ "type": kind, "response": whole(completion) }));
    let numbered = events.iter_mut().enumerate().map(|(number, event)| {
        if let Some(members) = event.as_object_mut() {
            members.insert("sequence_number".into(), json!(number));
        }
        named_event(event)
    });
    numbered.collect()
}

fn text_events(completion: &Completion, events: &mut Vec<Value>) {
    let id = format!("msg_{}", completion.id);
    let of_part = |kind: &str, name: &str, value: Value| {
        let mut event =
            json!({ "type": kind, "item_id": id, "output_index": 0, "content_index": 0 });
        if let Some(members) = event.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
        event
    };
    let begun = json!({
        "id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": [],
    });
    events.push(json!({ "type": "response.output_item.added", "output_index": 0, "item": begun }));
    events.push(of_part("response.content_part.added", "part", part("")));
    for word in &completion.words {
        events.push(of_part("response.output_text.delta", "delta", json!(word)));
    }
    let text = completion.text();
    events.push(of_part("response.output_text.done", "text", json!(text)));
    events.push(of_part("response.content_part.done", "part", part(&text)));
}

fn tool_events(completion: &Completion, events: &mut Vec<Value>) {
    let id = format!("fc_{}", completion.id);
    let mut begun = item(completion, "in_progress");
    if let Some(arguments) = begun.get_mut("arguments") {
        *arguments = json!("");
    }
    events.push(json!({ "type": "response.output_item.added", "output_index": 0, "item": begun }));
    events.push(json!({
        "type": "response.function_call_arguments.delta",
        "item_id": id, "output_index": 0, "delta": "{}",
    }));
    events.push(json!({
        "type": "response.function_call_arguments.done",
        "item_id": id, "output_index": 0, "arguments": "{}",
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: Value) -> Completion {
        prompt(body.as_object().unwrap()).unwrap().answer("m", 7, None)
    }

    fn parsed(events: &[String]) -> Vec<Value> {
        let data = events.iter().map(|it| it.trim().split_once("\ndata: ").unwrap().1);
        data.map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    #[test]
    fn input_is_text_or_items() {
        let items = json!({ "instructions": "Be kind.", "input": [
            { "role": "user", "content": [{ "type": "input_text", "text": "one" }] },
        ] });
        assert_eq!(asked(items).text(), "You said: one");
        assert_eq!(asked(json!({ "input": "one" })).text(), "You said: one");
        assert!(prompt(&Map::new()).is_err());
    }

    #[test]
    fn the_last_event_holds_the_whole() {
        let completion = asked(json!({ "input": "one two [cached:1]" }));
        let events = parsed(&events(&completion));
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.completed");
        assert_eq!(last["response"], whole(&completion));
        assert_eq!(last["response"]["usage"]["input_tokens_details"]["cached_tokens"], 1);
        assert_eq!(last["sequence_number"], events.len() - 1);
        let text: String = events.iter().filter_map(|it| it["delta"].as_str()).collect();
        assert_eq!(text, completion.text());
    }

    #[test]
    fn a_limit_leaves_it_incomplete() {
        let completion = asked(json!({ "input": "one two", "max_output_tokens": 1 }));
        let whole = whole(&completion);
        assert_eq!(whole["status"], "incomplete");
        assert_eq!(whole["incomplete_details"]["reason"], "max_output_tokens");
    }

    #[test]
    fn tools_are_called_and_their_results_heard() {
        let tools = json!([{ "type": "function", "name": "t" }]);
        let call = asked(json!({ "input": "[tool]", "tools": tools }));
        assert_eq!(whole(&call)["output"][0]["name"], "t");
        let kinds = parsed(&events(&call));
        assert!(kinds.iter().any(|it| it["type"] == "response.function_call_arguments.done"));
        let result = json!({ "type": "function_call_output", "call_id": "c", "output": "42" });
        let heard = asked(json!({ "input": [result], "tools": tools }));
        assert_eq!(heard.text(), "You said: 42");
    }
}
