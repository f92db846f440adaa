//! `generateContent` of Google's Vertex AI and Gemini. A stream is whole answers one after the
//! other, each with a part of the text.
//!
//! Source: <https://ai.google.dev/api/generate-content>

use std::borrow::Cow;

use crate::answer::{EventKind, Sink, Stretch};
use crate::json::Json;
use crate::request::{Message, ModelRequest, Part};

pub(super) fn request<'a>(body: Json<'a>, into: &mut ModelRequest<'a>) {
    let [camel, snake, contents, tools, generation, model] = body.pick([
        "systemInstruction",
        "system_instruction",
        "contents",
        "tools",
        "generationConfig",
        "model",
    ]);
    into.model = model.and_then(Json::string);
    into.tools = tools;
    if let Some(generation) = generation {
        let [max_tokens, n] = generation.pick(["maxOutputTokens", "candidateCount"]);
        into.max_tokens = max_tokens.and_then(Json::number);
        into.n = n.and_then(Json::number);
    }
    if let Some(system) = camel.or(snake) {
        into.messages.push(message(system, "system"));
    }
    if let Some(contents) = contents {
        contents.each(|it| into.messages.push(message(it, "user")));
    }
}

fn message<'a>(content: Json<'a>, role_if_absent: &'static str) -> Message<'a> {
    let [role, parts] = content.pick(["role", "parts"]);
    let role = role.and_then(Json::string).unwrap_or(Cow::Borrowed(role_if_absent));
    let mut found = Vec::new();
    if let Some(parts) = parts {
        parts.each(|it| found.push(part(it)));
    }
    Message { role, name: None, parts: found }
}

fn part(part: Json<'_>) -> Part<'_> {
    let [text, inline, file, call, response] =
        part.pick(["text", "inlineData", "fileData", "functionCall", "functionResponse"]);
    if let Some(text) = text.and_then(Json::string) {
        return Part::Text(text);
    }
    if let Some(call) = call {
        let [name, arguments] = call.pick(["name", "args"]);
        return Part::ToolCall {
            name: name.and_then(Json::string).unwrap_or_default(),
            arguments: Cow::Borrowed(arguments.map_or("", Json::text)),
        };
    }
    if let Some(response) = response {
        let answer = response.get("response").map_or("", Json::text);
        return Part::ToolResult(Cow::Borrowed(answer));
    }
    let kind = inline.or(file).and_then(|it| it.get("mimeType")).and_then(Json::string);
    match kind.as_deref().and_then(|it| it.split('/').next()) {
        Some("image") => Part::Image,
        Some("audio") => Part::Audio,
        Some(_) => Part::File,
        None => Part::Other,
    }
}

pub(super) fn answer(body: Json<'_>, into: &mut Sink<'_>) -> EventKind {
    let [id, model, usage, candidates, error] =
        body.pick(["responseId", "modelVersion", "usageMetadata", "candidates", "error"]);
    into.identity(id, model);
    if let Some(usage) = usage {
        into.usage(usage);
    }
    if let Some(error) = error {
        into.error(error);
        return EventKind::Error;
    }
    let (mut position, mut has_text) = (0, false);
    if let Some(candidates) = candidates {
        candidates.each(|it| {
            has_text |= candidate(it, position, into);
            position += 1;
        });
    }
    if has_text { EventKind::Text } else { EventKind::Other }
}

fn candidate(candidate: Json<'_>, position: u64, into: &mut Sink<'_>) -> bool {
    let [index, content, finish] = candidate.pick(["index", "content", "finishReason"]);
    let index = index.and_then(Json::number).unwrap_or(position);
    into.finish(index, finish);
    let mut has_text = false;
    if let Some(parts) = content.and_then(|it| it.get("parts")) {
        parts.each(|it| {
            let [text, thought, call] = it.pick(["text", "thought", "functionCall"]);
            let is_thought = thought.is_some_and(Json::is_true);
            let stretch = if is_thought { Stretch::Reasoning } else { Stretch::Text };
            has_text |= into.text(index, stretch, text);
            if let Some(call) = call {
                let [name, arguments] = call.pick(["name", "args"]);
                into.text(index, Stretch::Tools, name);
                if let Some(arguments) = arguments {
                    into.json_text(index, arguments);
                }
                has_text = true;
            }
        });
    }
    has_text
}
