//! OpenAI's Chat Completions; Completions and Embeddings answer in the same shape.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat>

use std::borrow::Cow;

use crate::answer::{EventKind, Sink, Stretch};
use crate::json::Json;
use crate::request::{Message, ModelRequest, Part};

pub(super) fn request<'a>(body: Json<'a>, into: &mut ModelRequest<'a>) {
    into.options_of_openai(body);
    let [messages, tools, functions, newer, older] =
        body.pick(["messages", "tools", "functions", "max_completion_tokens", "max_tokens"]);
    into.tools = tools.or(functions);
    into.max_tokens = newer.or(older).and_then(Json::number);
    if let Some(messages) = messages {
        messages.each(|it| into.messages.push(message(it)));
    }
}

fn message(message: Json<'_>) -> Message<'_> {
    let [role, content, name, tool_calls, function_call] =
        message.pick(["role", "content", "name", "tool_calls", "function_call"]);
    let role = role.and_then(Json::string).unwrap_or(Cow::Borrowed("user"));
    let mut parts = Vec::new();
    if let Some(content) = content {
        match content.string() {
            Some(text) if is_tool(&role) => parts.push(Part::ToolResult(text)),
            Some(text) => parts.push(Part::Text(text)),
            None => content.each(|it| parts.push(part(it, is_tool(&role)))),
        }
    }
    if let Some(calls) = tool_calls {
        calls.each(|it| parts.extend(it.get("function").and_then(call)));
    }
    parts.extend(function_call.and_then(call));
    Message { role, name: name.and_then(Json::string), parts }
}

fn is_tool(role: &str) -> bool {
    matches!(role, "tool" | "function")
}

fn call(function: Json<'_>) -> Option<Part<'_>> {
    let [name, arguments] = function.pick(["name", "arguments"]);
    Some(Part::ToolCall {
        name: name?.string()?,
        arguments: arguments.and_then(Json::string).unwrap_or_default(),
    })
}

/// A part of a content that is a list, by its `type`; the Responses API has the same with a prefix.
pub(super) fn part(part: Json<'_>, is_tool: bool) -> Part<'_> {
    let [kind, text, refusal] = part.pick(["type", "text", "refusal"]);
    let kind = kind.and_then(Json::string).unwrap_or_default();
    match (&*kind, text.or(refusal).and_then(Json::string)) {
        (_, Some(text)) if is_tool => Part::ToolResult(text),
        (_, Some(text)) => Part::Text(text),
        ("image_url" | "input_image" | "image", None) => Part::Image,
        ("input_audio" | "audio", None) => Part::Audio,
        ("file" | "input_file", None) => Part::File,
        _ => Part::Other,
    }
}

/// What is read of an answer's object.
pub(super) const ANSWER: [&str; 5] = ["id", "model", "choices", "usage", "error"];

/// Reads a whole answer or an event: they differ in `message` and `delta` only.
pub(super) fn answer(body: Json<'_>, into: &mut Sink<'_>) -> EventKind {
    let [id, model, choices, usage, error] = body.pick(ANSWER);
    into.identity(id, model);
    if let Some(error) = error {
        into.error(error);
        return EventKind::Error;
    }
    if let Some(usage) = usage {
        into.usage(usage);
    }
    let (mut n_choices, mut has_text) = (0_u64, false);
    if let Some(choices) = choices {
        choices.each_picked(CHOICE, |it| {
            has_text |= choice(it, n_choices, into);
            n_choices += 1;
        });
    }
    match () {
        () if has_text => EventKind::Text,
        () if usage.is_some() && n_choices == 0 && choices.is_some() => EventKind::Usage,
        () => EventKind::Other,
    }
}

const CHOICE: [&str; 5] = ["index", "delta", "message", "text", "finish_reason"];

fn choice(choice: [Option<Json<'_>>; 5], position: u64, into: &mut Sink<'_>) -> bool {
    let [index, delta, message, text, finish] = choice;
    let index = index.and_then(Json::number).unwrap_or(position);
    into.finish(index, finish);
    let mut has_text = into.text(index, Stretch::Text, text);
    let Some(message) = delta.or(message) else { return has_text };
    let [content, refusal, reasoning, tool_calls, function_call] =
        message.pick(["content", "refusal", "reasoning_content", "tool_calls", "function_call"]);
    match content {
        // Some services answer with parts.
        Some(parts) if parts.is_array() => {
            parts.each(|it| has_text |= into.text(index, Stretch::Text, it.get("text")));
        }
        content => has_text |= into.text(index, Stretch::Text, content),
    }
    has_text |= into.text(index, Stretch::Text, refusal);
    has_text |= into.text(index, Stretch::Reasoning, reasoning);
    if let Some(calls) = tool_calls {
        calls.each(|it| has_text |= called(it.get("function"), index, into));
    }
    has_text | called(function_call, index, into)
}

fn called(function: Option<Json<'_>>, index: u64, into: &mut Sink<'_>) -> bool {
    let Some(function) = function else { return false };
    let [name, arguments] = function.pick(["name", "arguments"]);
    let named = into.text(index, Stretch::Tools, name);
    named | into.text(index, Stretch::Tools, arguments)
}
