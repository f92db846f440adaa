//! Converse of Amazon Bedrock. Its streams are not event streams of text: see
//! [`BinaryStream`](crate::BinaryStream).
//!
//! Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>

use std::borrow::Cow;

use crate::answer::{EventKind, Sink, Stretch};
use crate::json::Json;
use crate::request::{Message, ModelRequest, Part};

/// Whether the contents of messages are lists of blocks without a `type`, which is Converse's way.
pub(super) fn is_message_list(messages: Json<'_>) -> bool {
    let mut is_such = false;
    messages.each(|it| {
        if let Some(content) = it.get("content") {
            content.each(|block| is_such |= block.is_object() && block.get("type").is_none());
        }
    });
    is_such
}

pub(super) fn request<'a>(body: Json<'a>, into: &mut ModelRequest<'a>) {
    let [system, messages, inference, tools] =
        body.pick(["system", "messages", "inferenceConfig", "toolConfig"]);
    into.tools = tools.and_then(|it| it.get("tools"));
    let max_tokens = inference.and_then(|it| it.get("maxTokens"));
    into.max_tokens = max_tokens.and_then(Json::number);
    if let Some(system) = system {
        let parts = blocks(system);
        into.messages.push(Message { role: Cow::Borrowed("system"), name: None, parts });
    }
    if let Some(messages) = messages {
        messages.each(|it| {
            let [role, content] = it.pick(["role", "content"]);
            let role = role.and_then(Json::string).unwrap_or(Cow::Borrowed("user"));
            let parts = content.map(blocks).unwrap_or_default();
            into.messages.push(Message { role, name: None, parts });
        });
    }
}

fn blocks(list: Json<'_>) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    list.each(|it| {
        let [text, image, document, call, result] =
            it.pick(["text", "image", "document", "toolUse", "toolResult"]);
        if let Some(text) = text.and_then(Json::string) {
            parts.push(Part::Text(text));
        } else if image.is_some() {
            parts.push(Part::Image);
        } else if document.is_some() {
            parts.push(Part::File);
        } else if let Some(call) = call {
            let [name, input] = call.pick(["name", "input"]);
            parts.push(Part::ToolCall {
                name: name.and_then(Json::string).unwrap_or_default(),
                arguments: Cow::Borrowed(input.map_or("", Json::text)),
            });
        } else if let Some(content) = result.and_then(|it| it.get("content")) {
            content.each(|it| {
                let [text, json] = it.pick(["text", "json"]);
                let text = text.and_then(Json::string);
                let json = json.map(|it| Cow::Borrowed(it.text()));
                parts.push(text.or(json).map_or(Part::Other, Part::ToolResult));
            });
        } else {
            parts.push(Part::Other);
        }
    });
    parts
}

pub(super) fn answer(body: Json<'_>, into: &mut Sink<'_>) {
    let [output, usage, stop_reason] = body.pick(["output", "usage", "stopReason"]);
    into.finish(0, stop_reason);
    if let Some(usage) = usage {
        into.usage(usage);
    }
    let content = output.and_then(|it| it.at(&["message", "content"]));
    if let Some(content) = content {
        content.each(|it| {
            block(it, into);
        });
    }
}

fn block(block: Json<'_>, into: &mut Sink<'_>) -> bool {
    let [text, call, reasoning] = block.pick(["text", "toolUse", "reasoningContent"]);
    let mut has_text = into.text(0, Stretch::Text, text);
    if let Some(call) = call {
        let [name, input] = call.pick(["name", "input"]);
        has_text |= into.text(0, Stretch::Tools, name);
        match input {
            Some(input) if input.is_object() => into.json_text(0, input),
            input => has_text |= into.text(0, Stretch::Tools, input),
        }
    }
    if let Some(reasoning) = reasoning {
        let whole = reasoning.at(&["reasoningText", "text"]);
        has_text |= into.text(0, Stretch::Reasoning, whole.or(reasoning.get("text")));
    }
    has_text
}

pub(super) fn event(event_type: Option<&str>, data: Json<'_>, into: &mut Sink<'_>) -> EventKind {
    let [delta, start, stop_reason, usage] = data.pick(["delta", "start", "stopReason", "usage"]);
    if let Some(usage) = usage {
        into.usage(usage);
    }
    into.finish(0, stop_reason);
    if event_type.is_some_and(|it| it.ends_with("Exception")) {
        into.error(data);
        return EventKind::Error;
    }
    if let Some(start) = start {
        block(start, into);
    }
    match delta.is_some_and(|it| block(it, into)) {
        true => EventKind::Text,
        false if usage.is_some() => EventKind::End,
        false => EventKind::Other,
    }
}
