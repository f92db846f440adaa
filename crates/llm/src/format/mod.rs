//! The formats of model APIs: how to tell them apart, and what each says where.
//!
//! A file for each; a format reads requests, whole answers and events of a stream into the same
//! few words.

mod chat;
mod completions;
mod converse;
mod gemini;
mod messages;
mod responses;

use crate::answer::{EventKind, Sink};
use crate::json::Json;
use crate::request::ModelRequest;

/// How requests and answers of a model API are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// OpenAI's Chat Completions.
    ChatCompletions,
    /// OpenAI's older Completions.
    Completions,
    /// OpenAI's Embeddings.
    Embeddings,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
    /// `generateContent` of Google's Vertex AI and Gemini.
    GenerateContent,
    /// Converse of Amazon Bedrock.
    Converse,
    /// Something else: only a usage object of an answer is read.
    #[default]
    Unknown,
}

/// Ends of paths, the longer before the shorter.
const SUFFIXES: &[(&str, Format)] = &[
    ("/chat/completions", Format::ChatCompletions),
    ("/completions", Format::Completions),
    ("/embeddings", Format::Embeddings),
    ("/responses", Format::Responses),
    ("/messages", Format::Messages),
    (":generateContent", Format::GenerateContent),
    (":streamGenerateContent", Format::GenerateContent),
    ("/converse", Format::Converse),
    ("/converse-stream", Format::Converse),
    // Their bodies have a `prompt` or an `input`, too.
    ("/images/generations", Format::Unknown),
    ("/images/edits", Format::Unknown),
    ("/images/variations", Format::Unknown),
    ("/audio/speech", Format::Unknown),
    ("/audio/transcriptions", Format::Unknown),
    ("/audio/translations", Format::Unknown),
    ("/moderations", Format::Unknown),
    ("/batches", Format::Unknown),
    ("/files", Format::Unknown),
];

impl Format {
    /// Which format a request has: by the end of its path (a query does not count), else by its
    /// body, in which case `has_anthropic_version` tells whether there is a header
    /// `anthropic-version`.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis_llm::{Format, Json};
    ///
    /// let path = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";
    /// assert_eq!(Format::detect(path, false, None), Format::ChatCompletions);
    /// let body = Json::of_bytes(br#"{"model":"gpt-4o","input":"Hello"}"#);
    /// assert_eq!(Format::detect("/ask", false, body), Format::Responses);
    /// ```
    #[must_use]
    pub fn detect(path: &str, has_anthropic_version: bool, body: Option<Json<'_>>) -> Format {
        Format::of_path(path)
            .or_else(|| body.and_then(|it| Format::of_body(has_anthropic_version, it)))
            .unwrap_or_default()
    }

    /// The format that the end of a path tells.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Format> {
        let path = without_query(path);
        let found = SUFFIXES.iter().find(|(suffix, _)| path.ends_with(suffix));
        found.map(|(_, format)| *format)
    }

    fn of_body(has_anthropic_version: bool, body: Json<'_>) -> Option<Format> {
        let [messages, input, contents, prompt, max_tokens, version] = body.pick([
            "messages",
            "input",
            "contents",
            "prompt",
            "max_tokens",
            "anthropic_version",
        ]);
        let [inference, system] = body.pick(["inferenceConfig", "system"]);
        let holds_content_lists = messages.is_some_and(|it| converse::is_message_list(it));
        match () {
            () if contents.is_some_and(Json::is_array) => Some(Format::GenerateContent),
            () if messages.is_some_and(Json::is_array) => Some(match () {
                () if inference.is_some() || holds_content_lists => Format::Converse,
                () if max_tokens.is_some() && (has_anthropic_version || version.is_some()) => {
                    Format::Messages
                }
                // Nobody else has it there.
                () if max_tokens.is_some() && system.is_some() => Format::Messages,
                () => Format::ChatCompletions,
            }),
            () if input.is_some() => Some(Format::Responses),
            () if prompt.is_some() => Some(Format::Completions),
            () => None,
        }
    }

    /// One word for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::ChatCompletions => "chat_completions",
            Format::Completions => "completions",
            Format::Embeddings => "embeddings",
            Format::Responses => "responses",
            Format::Messages => "messages",
            Format::GenerateContent => "generate_content",
            Format::Converse => "converse",
            Format::Unknown => "unknown",
        }
    }

    /// Whether a stream tells its usage only if the request asks for it by
    /// `stream_options.include_usage`.
    #[must_use]
    pub const fn tells_usage_on_request(self) -> bool {
        matches!(self, Format::ChatCompletions | Format::Completions)
    }

    /// Whether the path alone says that the answer is a stream.
    pub(crate) fn is_stream_by_path(path: &str) -> bool {
        let path = without_query(path);
        path.ends_with(":streamGenerateContent") || path.ends_with("/converse-stream")
    }

    pub(crate) fn read_request<'a>(self, body: Json<'a>, into: &mut ModelRequest<'a>) {
        match self {
            Format::ChatCompletions => chat::request(body, into),
            Format::Completions => completions::request(body, "prompt", into),
            Format::Embeddings => completions::request(body, "input", into),
            Format::Responses => responses::request(body, into),
            Format::Messages => messages::request(body, into),
            Format::GenerateContent => gemini::request(body, into),
            Format::Converse => converse::request(body, into),
            Format::Unknown => {}
        }
    }

    /// Reads a whole answer, or one item of an answer in parts.
    pub(crate) fn read_answer(self, body: Json<'_>, into: &mut Sink<'_>) {
        match self {
            Format::ChatCompletions | Format::Completions | Format::Embeddings => {
                chat::answer(body, into);
            }
            Format::Responses => responses::answer(body, into),
            Format::Messages => messages::answer(body, into),
            Format::GenerateContent => {
                gemini::answer(body, into);
            }
            Format::Converse => converse::answer(body, into),
            Format::Unknown => into.of_unknown(body),
        }
    }

    /// What is read of the object of an event that brings text; none: perhaps any member.
    pub(crate) const fn read_in_events(self) -> Option<&'static [&'static str]> {
        match self {
            Format::ChatCompletions | Format::Completions | Format::Embeddings => {
                Some(&chat::ANSWER)
            }
            Format::Responses => Some(&responses::EVENT),
            Format::Messages => Some(&messages::EVENT),
            Format::GenerateContent | Format::Converse | Format::Unknown => None,
        }
    }

    /// Reads an event of a stream; `event_type` is what the stream's framing calls it.
    pub(crate) fn read_event(
        self,
        event_type: Option<&str>,
        data: Json<'_>,
        into: &mut Sink<'_>,
    ) -> EventKind {
        match self {
            Format::ChatCompletions | Format::Completions | Format::Embeddings => {
                chat::answer(data, into)
            }
            Format::Responses => responses::event(event_type, data, into),
            Format::Messages => messages::event(event_type, data, into),
            Format::GenerateContent => gemini::answer(data, into),
            Format::Converse => converse::event(event_type, data, into),
            Format::Unknown => {
                into.of_unknown(data);
                EventKind::Other
            }
        }
    }
}

fn without_query(path: &str) -> &str {
    let path = path.split_once('?').map_or(path, |(before, _)| before);
    path.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_of_an_image_is_no_completion() {
        let body = br#"{"model":"gpt-image-1","prompt":"a cat","stream":true}"#;
        for path in
            ["/openai/v1/images/generations", "/openai/deployments/i/images/generations?x=y"]
        {
            let format = Format::detect(path, false, Json::of_bytes(body));
            assert_eq!((format, format.tells_usage_on_request()), (Format::Unknown, false));
        }
    }

    #[test]
    fn the_end_of_the_path_tells_first() {
        for (path, expected) in [
            ("/openai/deployments/d/chat/completions?api-version=x", Format::ChatCompletions),
            ("/v1/chat/completions/", Format::ChatCompletions),
            ("/openai/deployments/d/completions", Format::Completions),
            ("/openai/v1/embeddings", Format::Embeddings),
            ("/openai/responses", Format::Responses),
            ("/anthropic/v1/messages", Format::Messages),
            ("/v1/projects/p/models/gemini-2.5-pro:generateContent", Format::GenerateContent),
            ("/models/m:streamGenerateContent?alt=sse", Format::GenerateContent),
            ("/model/anthropic.claude%3A0/converse", Format::Converse),
            ("/model/m/converse-stream", Format::Converse),
            ("/openai/responses/resp_1/cancel", Format::Unknown),
            ("/images/generations", Format::Unknown),
        ] {
            let body = Json::of_bytes(b"[]");
            assert_eq!(Format::detect(path, false, body), expected, "{path}");
        }
    }

    #[test]
    fn the_body_tells_where_the_path_does_not() {
        for (body, has_version, expected) in [
            (r#"{"messages":[{"role":"user","content":"x"}]}"#, false, Format::ChatCompletions),
            (r#"{"messages":[],"max_tokens":5}"#, true, Format::Messages),
            (r#"{"messages":[],"max_tokens":5}"#, false, Format::ChatCompletions),
            (r#"{"messages":[],"max_tokens":5,"system":"x"}"#, false, Format::Messages),
            (
                r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[]}"#,
                false,
                Format::Messages,
            ),
            (r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#, false, Format::Converse),
            (
                r#"{"messages":[{"content":[{"type":"text","text":"x"}]}]}"#,
                false,
                Format::ChatCompletions,
            ),
            (r#"{"input":"x"}"#, false, Format::Responses),
            (r#"{"contents":[{"parts":[]}]}"#, false, Format::GenerateContent),
            (r#"{"prompt":"x"}"#, false, Format::Completions),
            (r#"{"file":"x"}"#, false, Format::Unknown),
            ("oops", false, Format::Unknown),
        ] {
            let json = Json::of_bytes(body.as_bytes());
            assert_eq!(Format::detect("/ask", has_version, json), expected, "{body}");
        }
    }
}
