//! Anthropic's Messages.
//!
//! Source: <https://docs.anthropic.com/en/api/messages>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use std::borrow::Cow;

use crate::answer::{EventKind, Sink, Stretch};
use crate::json::Json;
use crate::request::{Message, ModelRequest, Part};

pub(super) fn request<'a>(body: Json<'a>, into: &mut ModelRequest<'a>) {
    let [model, stream, system, messages, tools, max_tokens] =
        body.pick(["model", "stream", "system", "messages", "tools", "max_tokens"]);
    into.model = model.and_then(Json::string);
    into.is_stream |= stream.is_some_and(Json::is_true);
    into.tools = tools;
    into.max_tokens = max_tokens.and_then(Json::number);
    if let Some(system) = system {
        let parts = content(system);
        into.messages.push(Message { role: Cow::Borrowed("system"), name: None, parts });
    }
    if let Some(messages) = messages {
        messages.each(|it| {
            let [role, blocks] = it.pick(["role", "content"]);
            let role = role.and_then(Json::string).unwrap_or(Cow::Borrowed("user"));
            let parts = blocks.map(content).unwrap_or_default();
            into.messages.push(Message { role, name: None, parts });
        });
    }
}

/// A text, or a list of blocks.
fn content(content: Json<'_>) -> Vec<Part<'_>> {
    if let Some(text) = content.string() {
        return vec![Part::Text(text)];
    }
    let mut parts = Vec::new();
    content.each(|it| block(it, &mut parts));
    parts
}

fn block<'a>(block: Json<'a>, parts: &mut Vec<Part<'a>>) {
    let [kind, text, thinking] = block.pick(["type", "text", "thinking"]);
    let kind = kind.and_then(Json::string).unwrap_or_default();
    match &*kind {
        "image" => parts.push(Part::Image),
        "document" => parts.push(Part::File),
        "tool_use" | "server_tool_use" => {
            let [name, input] = block.pick(["name", "input"]);
            parts.push(Part::ToolCall {
                name: name.and_then(Json::string).unwrap_or_default(),
                arguments: Cow::Borrowed(input.map_or("", Json::text)),
            });
        }
        "tool_result" => match block.get("content").map(|it| (it, it.string())) {
            Some((_, Some(text))) => parts.push(Part::ToolResult(text)),
            Some((list, None)) => list.each(|it| match it.get("text").and_then(Json::string) {
                Some(text) => parts.push(Part::ToolResult(text)),
                None => self::block(it, parts),
            }),
            None => {}
        },
        _ => match text.or(thinking).and_then(Json::string) {
            Some(text) => parts.push(Part::Text(text)),
            None => parts.push(Part::Other),
        },
    }
}

pub(super) fn answer(body: Json<'_>, into: &mut Sink<'_>) {
    let [id, model, usage, content, stop_reason, error] =
        body.pick(["id", "model", "usage", "content", "stop_reason", "error"]);
    into.identity(id, model);
    into.finish(0, stop_reason);
    if let Some(usage) = usage {
        into.usage(usage);
    }
    if let Some(error) = error {
        into.error(error);
    }
    if let Some(content) = content {
        content.each(|it| {
            let [text, thinking, name, input] = it.pick(["text", "thinking", "name", "input"]);
            into.text(0, Stretch::Text, text);
            into.text(0, Stretch::Reasoning, thinking);
            into.text(0, Stretch::Tools, name);
            if let Some(input) = input {
                into.json_text(0, input);
            }
        });
    }
}

/// What is read of an event's object.
pub(super) const EVENT: [&str; 6] = ["type", "message", "delta", "usage", "content_block", "error"];

pub(super) fn event(event_type: Option<&str>, data: Json<'_>, into: &mut Sink<'_>) -> EventKind {
    let [kind, message, delta, usage, block, error] = data.pick(EVENT);
    let kind = kind.and_then(Json::string);
    match kind.as_deref().or(event_type).unwrap_or_default() {
        "message_start" => {
            if let Some(message) = message {
                answer(message, into);
            }
            EventKind::Other
        }
        "content_block_start" => {
            into.text(0, Stretch::Tools, block.and_then(|it| it.get("name")));
            EventKind::Other
        }
        "content_block_delta" => {
            let Some(delta) = delta else { return EventKind::Other };
            let [text, thinking, json] = delta.pick(["text", "thinking", "partial_json"]);
            let has_text = into.text(0, Stretch::Text, text)
                | into.text(0, Stretch::Reasoning, thinking)
                | into.text(0, Stretch::Tools, json);
            if has_text { EventKind::Text } else { EventKind::Other }
        }
        "message_delta" => {
            into.finish(0, delta.and_then(|it| it.get("stop_reason")));
            if let Some(usage) = usage {
                into.usage(usage);
            }
            EventKind::Other
        }
        "message_stop" => EventKind::End,
        "error" => {
            into.error(error.unwrap_or(data));
            EventKind::Error
        }
        _ => EventKind::Other,
    }
}
