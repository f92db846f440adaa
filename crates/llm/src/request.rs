//! What a request asks of a model.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;

use crate::format::Format;
use crate::json::Json;

/// A request to a model, as far as its format is known. It borrows from the body. `Debug` shows no
/// content.
#[derive(Clone, Default)]
pub struct ModelRequest<'a> {
    /// How it is written.
    pub format: Format,
    /// The model that the body names. What the path names goes before it: [`model_in_path`].
    pub model: Option<Cow<'a, str>>,
    /// Whether the answer is to be a stream.
    pub is_stream: bool,
    /// Whether the request itself asks that the stream tells its usage
    /// (`stream_options.include_usage`).
    pub asks_for_usage: bool,
    /// Its messages in their order, system messages and instructions first.
    pub messages: Vec<Message<'a>>,
    /// The tools that the model may call, as JSON.
    pub tools: Option<Json<'a>>,
    /// Most tokens of the completion, if the request bounds them.
    pub max_tokens: Option<u64>,
    /// How many completions are asked for; none: one.
    pub n: Option<u64>,
}

/// A message of a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// `system`, `developer`, `user`, `assistant`, `model`, `tool` or another word.
    pub role: Cow<'a, str>,
    /// The author's name, where the API has one.
    pub name: Option<Cow<'a, str>>,
    /// What it says.
    pub parts: Vec<Part<'a>>,
}

/// A part of a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A picture, by address or inside.
    Image,
    /// Sound.
    Audio,
    /// A document.
    File,
    /// The model called a tool.
    ToolCall {
        /// The tool.
        name: Cow<'a, str>,
        /// Its arguments, as JSON.
        arguments: Cow<'a, str>,
    },
    /// What a tool answered.
    ToolResult(Cow<'a, str>),
    /// So many tokens, instead of a text.
    Tokens(u64),
    /// Something that is not known.
    Other,
}

impl<'a> ModelRequest<'a> {
    /// Reads a request. `path` is that of the request; `has_anthropic_version` tells whether it has
    /// a header `anthropic-version`. A body that is no JSON gives a request of which nothing is
    /// known but what the path tells.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis_llm::ModelRequest;
    ///
    /// let body = br#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    /// let request = ModelRequest::read("/v1/chat/completions", false, body);
    /// assert!(request.is_stream && !request.asks_for_usage);
    /// assert_eq!(request.messages[0].text(), "Hi");
    /// ```
    #[must_use]
    pub fn read(path: &str, has_anthropic_version: bool, body: &'a [u8]) -> ModelRequest<'a> {
        let json = Json::of_bytes(body);
        let format = Format::detect(path, has_anthropic_version, json);
        let mut request = ModelRequest {
            format,
            is_stream: Format::is_stream_by_path(path),
            ..ModelRequest::default()
        };
        if let Some(json) = json {
            format.read_request(json, &mut request);
        }
        request
    }

    /// Members that all of OpenAI's APIs have.
    pub(crate) fn options_of_openai(&mut self, body: Json<'a>) {
        let [model, stream, options, n] = body.pick(["model", "stream", "stream_options", "n"]);
        self.model = model.and_then(Json::string);
        self.is_stream |= stream.is_some_and(Json::is_true);
        self.n = n.and_then(Json::number);
        let usage = options.and_then(|it| it.get("include_usage"));
        self.asks_for_usage = usage.is_some_and(Json::is_true);
    }

    /// How many pictures it holds.
    #[must_use]
    pub fn n_images(&self) -> usize {
        self.parts().filter(|it| **it == Part::Image).count()
    }

    /// The parts of all messages.
    pub fn parts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.messages.iter().flat_map(|it| &it.parts)
    }
}

impl<'a> Message<'a> {
    pub(crate) fn of_text(role: &'static str, text: Cow<'a, str>) -> Message<'a> {
        Message { role: Cow::Borrowed(role), name: None, parts: vec![Part::Text(text)] }
    }

    /// Whether it tells the model how to behave: `system` or `developer`.
    #[must_use]
    pub fn is_system(&self) -> bool {
        matches!(&*self.role, "system" | "developer")
    }

    /// Its texts and what tools answered, joined by line feeds.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let mut texts = self.parts.iter().filter_map(|it| match it {
            Part::Text(text) | Part::ToolResult(text) => Some(&**text),
            _ => None,
        });
        let Some(first) = texts.next() else { return Cow::Borrowed("") };
        let Some(second) = texts.next() else { return Cow::Borrowed(first) };
        let mut all = format!("{first}\n{second}");
        for text in texts {
            all.push('\n');
            all.push_str(text);
        }
        Cow::Owned(all)
    }
}

/// The model or deployment that a path names: what follows `deployments/`, `models/` or, for
/// Bedrock, `model/`; without an action such as `:generateContent`.
///
/// # Examples
///
/// ```
/// let path = "/openai/deployments/gpt%2D4o/chat/completions";
/// assert_eq!(portcullis_llm::model_in_path(path).unwrap(), "gpt-4o");
/// ```
#[must_use]
pub fn model_in_path(path: &str) -> Option<Cow<'_, str>> {
    let path = path.split_once('?').map_or(path, |(before, _)| before);
    let mut segments = path.split('/');
    let marker = segments.by_ref().find(|it| matches!(*it, "deployments" | "models" | "model"))?;
    let segment = segments.next()?;
    let name = if marker == "model" {
        segments.next()?;
        segment
    } else {
        segment.rsplit_once(':').map_or(segment, |(name, _)| name)
    };
    let name = percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty()).then_some(name)
}

impl fmt::Debug for ModelRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelRequest")
            .field("format", &self.format)
            .field("model", &self.model)
            .field("is_stream", &self.is_stream)
            .field("n_messages", &self.messages.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({}, {} parts)", self.role, self.parts.len())
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Part::Image => f.write_str("Image"),
            Part::Audio => f.write_str("Audio"),
            Part::File => f.write_str("File"),
            Part::ToolCall { arguments, .. } => write!(f, "ToolCall({} bytes)", arguments.len()),
            Part::ToolResult(text) => write!(f, "ToolResult({} bytes)", text.len()),
            Part::Tokens(n) => write!(f, "Tokens({n})"),
            Part::Other => f.write_str("Other"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request in short: options, then messages as `role: part | part`.
    fn shown(path: &str, body: &str) -> String {
        let it = ModelRequest::read(path, false, body.as_bytes());
        let mut text = format!(
            "{} {} stream={} usage={} max={:?} n={:?} tools={:?}",
            it.format.name(),
            it.model.as_deref().unwrap_or("-"),
            it.is_stream,
            it.asks_for_usage,
            it.max_tokens,
            it.n,
            it.tools.map(Json::text)
        );
        for message in &it.messages {
            let parts: Vec<String> = message
                .parts
                .iter()
                .map(|it| match it {
                    Part::Text(text) => format!("{text:?}"),
                    Part::ToolCall { name, arguments } => format!("{name}({arguments})"),
                    Part::ToolResult(text) => format!("={text}"),
                    other => format!("{other:?}"),
                })
                .collect();
            text.push_str(&format!("\n{}: {}", message.role, parts.join(" | ")));
        }
        text
    }

    #[test]
    fn a_chat_is_read() {
        let body = r#"{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},
            "n":2,"max_completion_tokens":9,"tools":[{"type":"function"}],"messages":[
            {"role":"system","content":"Be \"brief\""},
            {"role":"user","content":[{"type":"text","text":"Look"},
              {"type":"image_url","image_url":{"url":"x"}},{"type":"input_audio"},{"type":"new"}]},
            {"role":"assistant","content":null,"tool_calls":[
              {"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"1","content":"42"}]}"#;
        assert_eq!(
            shown("/chat/completions", body),
            "chat_completions gpt-4o stream=true usage=true max=Some(9) n=Some(2) tools=Some(\"[{\\\"type\\\":\\\"function\\\"}]\")\n\
             system: \"Be \\\"brief\\\"\"\nuser: \"Look\" | Image | Audio | Other\nassistant: f({})\ntool: =42"
        );
    }

    #[test]
    fn completions_and_embeddings_take_texts_and_tokens() {
        for (prompt, expected) in [
            (r#""a b""#, "user: \"a b\""),
            (r#"["a","b"]"#, "user: \"a\" | \"b\""),
            ("[1,2,3]", "user: Tokens(3)"),
            ("[[1,2],[3]]", "user: Tokens(3)"),
        ] {
            let text = shown("/completions", &format!(r#"{{"prompt":{prompt},"max_tokens":5}}"#));
            assert!(text.ends_with(expected), "{text}");
            let text = shown("/embeddings", &format!(r#"{{"model":null,"input":{prompt}}}"#));
            assert!(text.starts_with("embeddings -") && text.ends_with(expected), "{text}");
        }
    }

    #[test]
    fn a_response_is_read() {
        let body = r#"{"model":"o3","instructions":"Be kind","max_output_tokens":7,"stream":true,
            "input":[{"role":"user","content":"Hi"},
            {"type":"message","role":"user","content":[{"type":"input_text","text":"and"},
              {"type":"input_image","image_url":"x"}]},
            {"type":"function_call","name":"f","arguments":"{\"a\":1}","call_id":"c"},
            {"type":"function_call_output","call_id":"c","output":"42"},{"type":"reasoning"}]}"#;
        assert_eq!(
            shown("/openai/v1/responses", body),
            "responses o3 stream=true usage=false max=Some(7) n=None tools=None\n\
             system: \"Be kind\"\nuser: \"Hi\"\nuser: \"and\" | Image\nassistant: f({\"a\":1})\ntool: =42\nuser: Other"
        );
        assert!(shown("/responses", r#"{"input":"Hi"}"#).ends_with("user: \"Hi\""));
    }

    #[test]
    fn anthropics_messages_are_read() {
        let body = r#"{"model":"claude","max_tokens":7,"system":[{"type":"text","text":"S"}],
            "tools":[],"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[
            {"type":"thinking","thinking":"hm"},{"type":"tool_use","name":"f","input":{"a":1}}]},
            {"role":"user","content":[{"type":"tool_result","content":"42"},
            {"type":"tool_result","content":[{"type":"text","text":"43"},{"type":"image"}]},
            {"type":"image","source":{}},{"type":"document"}]}]}"#;
        assert_eq!(
            shown("/v1/messages", body),
            "messages claude stream=false usage=false max=Some(7) n=None tools=Some(\"[]\")\n\
             system: \"S\"\nuser: \"Hi\"\nassistant: \"hm\" | f({\"a\":1})\nuser: =42 | =43 | Image | Image | File"
        );
    }

    #[test]
    fn geminis_contents_are_read() {
        let body = r#"{"systemInstruction":{"parts":[{"text":"S"}]},
            "generationConfig":{"maxOutputTokens":7,"candidateCount":2},
            "contents":[{"role":"user","parts":[{"text":"Hi"},{"inlineData":{"mimeType":"image/png"}},
            {"fileData":{"mimeType":"audio/wav"}},{"fileData":{"mimeType":"application/pdf"}}]},
            {"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},
            {"parts":[{"functionResponse":{"name":"f","response":{"x":42}}},{"new":1}]}]}"#;
        assert_eq!(
            shown("/models/gemini:streamGenerateContent", body),
            "generate_content - stream=true usage=false max=Some(7) n=Some(2) tools=None\n\
             system: \"S\"\nuser: \"Hi\" | Image | Audio | File\nmodel: f({\"a\":1})\nuser: ={\"x\":42} | Other"
        );
    }

    #[test]
    fn converse_is_read() {
        let body = r#"{"system":[{"text":"S"}],"inferenceConfig":{"maxTokens":7},
            "toolConfig":{"tools":[1]},"messages":[{"role":"user","content":[{"text":"Hi"},
            {"image":{}},{"document":{}}]},{"role":"assistant","content":[
            {"toolUse":{"name":"f","input":{"a":1}}}]},{"role":"user","content":[
            {"toolResult":{"content":[{"text":"42"},{"json":{"b":2}}]}},{"new":1}]}]}"#;
        assert_eq!(
            shown("/model/m/converse", body),
            "converse - stream=false usage=false max=Some(7) n=None tools=Some(\"[1]\")\n\
             system: \"S\"\nuser: \"Hi\" | Image | File\nassistant: f({\"a\":1})\nuser: =42 | ={\"b\":2} | Other"
        );
    }

    #[test]
    fn what_has_another_shape_is_as_if_absent() {
        for body in ["", "oops", "[]", "7", r#"{"messages":7,"stream":"yes","model":7,"n":"x"}"#] {
            let it = ModelRequest::read("/chat/completions", false, body.as_bytes());
            assert!(it.messages.is_empty() && !it.is_stream && it.model.is_none(), "{body}");
        }
        let it = ModelRequest::read("/chat/completions", false, b"\xff\xfe");
        assert_eq!((it.format, it.n), (Format::ChatCompletions, None));
    }

    #[test]
    fn the_path_names_the_model() {
        for (path, expected) in [
            ("/openai/deployments/my%20gpt/chat/completions?x=models/y", Some("my gpt")),
            (
                "/v1/projects/p/publishers/google/models/gemini-2.5-pro:generateContent",
                Some("gemini-2.5-pro"),
            ),
            ("/model/anthropic.claude-3%3A0/converse", Some("anthropic.claude-3:0")),
            ("/model/anthropic.claude-3:0/converse", Some("anthropic.claude-3:0")),
            ("/v1/models", None),
            ("/openai/deployments//chat/completions", None),
            ("/v1/chat/completions", None),
        ] {
            assert_eq!(model_in_path(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn debug_shows_no_content() {
        let body = br#"{"messages":[{"role":"user","content":"hunter2"}]}"#;
        let it = ModelRequest::read("/chat/completions", false, body);
        assert!(!format!("{it:?} {:?}", it.messages).contains("hunter2"));
    }
}
