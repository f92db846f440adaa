//! OpenAI's Responses.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses>,
//! <https://platform.openai.com/docs/api-reference/responses-streaming>

use std::borrow::Cow;

use super::chat::part;
use crate::answer::{EventKind, Sink, Stretch};
use crate::json::Json;
use crate::request::{Message, ModelRequest, Part};

pub(super) fn request<'a>(body: Json<'a>, into: &mut ModelRequest<'a>) {
    into.options_of_openai(body);
    let [instructions, input, tools, max_tokens] =
        body.pick(["instructions", "input", "tools", "max_output_tokens"]);
    into.tools = tools;
    into.max_tokens = max_tokens.and_then(Json::number);
    if let Some(text) = instructions.and_then(Json::string) {
        into.messages.push(Message::of_text("system", text));
    }
    let Some(input) = input else { return };
    match input.string() {
        Some(text) => into.messages.push(Message::of_text("user", text)),
        None => input.each(|it| into.messages.push(item(it))),
    }
}

fn item(item: Json<'_>) -> Message<'_> {
    let [kind, role, content] = item.pick(["type", "role", "content"]);
    let [name, arguments, output] = item.pick(["name", "arguments", "output"]);
    let kind = kind.and_then(Json::string).unwrap_or(Cow::Borrowed("message"));
    let mut parts = Vec::new();
    let role = match &*kind {
        "function_call" | "custom_tool_call" => {
            let name = name.and_then(Json::string).unwrap_or_default();
            let arguments = arguments.or(item.get("input")).and_then(Json::string);
            parts.push(Part::ToolCall { name, arguments: arguments.unwrap_or_default() });
            Cow::Borrowed("assistant")
        }
        "function_call_output" | "custom_tool_call_output" => {
            match output.map(|it| (it, it.string())) {
                Some((_, Some(text))) => parts.push(Part::ToolResult(text)),
                Some((list, None)) => list.each(|it| parts.push(part(it, true))),
                None => {}
            }
            Cow::Borrowed("tool")
        }
        "message" => {
            match content.map(|it| (it, it.string())) {
                Some((_, Some(text))) => parts.push(Part::Text(text)),
                Some((list, None)) => list.each(|it| parts.push(part(it, false))),
                None => {}
            }
            role.and_then(Json::string).unwrap_or(Cow::Borrowed("user"))
        }
        _ => {
            parts.push(Part::Other);
            Cow::Borrowed("user")
        }
    };
    Message { role, name: None, parts }
}

pub(super) fn answer(body: Json<'_>, into: &mut Sink<'_>) {
    about(body, into);
    let Some(output) = body.get("output") else { return };
    output.each(|item| {
        let [content, summary] = item.pick(["content", "summary"]);
        if let Some(content) = content {
            content.each(|it| {
                let [text, refusal] = it.pick(["text", "refusal"]);
                into.text(0, Stretch::Text, text.or(refusal));
            });
        }
        if let Some(summary) = summary {
            summary.each(|it| {
                into.text(0, Stretch::Reasoning, it.get("text"));
            });
        }
        let [name, arguments] = item.pick(["name", "arguments"]);
        into.text(0, Stretch::Tools, name);
        into.text(0, Stretch::Tools, arguments);
    });
}

/// Everything but the text.
fn about(body: Json<'_>, into: &mut Sink<'_>) {
    let [id, model, usage, error, status, details] =
        body.pick(["id", "model", "usage", "error", "status", "incomplete_details"]);
    into.identity(id, model);
    if let Some(usage) = usage {
        into.usage(usage);
    }
    if let Some(error) = error {
        into.error(error);
    }
    let reason = details.and_then(|it| it.get("reason")).or(status);
    let is_over = reason.and_then(Json::string).is_some_and(|it| it != "in_progress");
    into.finish(0, reason.filter(|_| is_over));
}

/// What is read of an event's object.
pub(super) const EVENT: [&str; 4] = ["type", "response", "delta", "item"];

pub(super) fn event(event_type: Option<&str>, data: Json<'_>, into: &mut Sink<'_>) -> EventKind {
    let [kind, response, delta, item] = data.pick(EVENT);
    let kind = kind.and_then(Json::string);
    let kind = kind.as_deref().or(event_type).unwrap_or_default();
    if let Some(response) = response {
        // The text came before, in deltas.
        about(response, into);
    }
    let stretch = match kind {
        "response.output_text.delta" | "response.refusal.delta" => Stretch::Text,
        "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
            Stretch::Reasoning
        }
        "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
            Stretch::Tools
        }
        "response.output_item.added" => {
            into.text(0, Stretch::Tools, item.and_then(|it| it.get("name")));
            return EventKind::Other;
        }
        "response.completed" | "response.incomplete" => return EventKind::End,
        "response.failed" => return EventKind::Error,
        "error" => {
            into.error(data);
            return EventKind::Error;
        }
        _ => return EventKind::Other,
    };
    if into.text(0, stretch, delta) { EventKind::Text } else { EventKind::Other }
}
