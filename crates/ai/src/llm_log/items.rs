//! Prompts and completions as a list of short objects, whatever API they were written for.
//!
//! An item is what one part of a message says: `{"role":"user","content":"Hello"}`. What is no text
//! has a `type`: `image`, `audio`, `file`, `tokens`, `tool_call`, `tool_result`, `reasoning`.

use llm::{Answer, Completion, Message, ModelRequest, Part};
use serde::Serialize;
use serde_json::{Value, json};
use telemetry::Secrets;

/// Longest name, role or other word that is kept.
const MAX_WORD_BYTES: usize = 256;

/// A part of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    /// Who says it; none: it is not known, and the content is the body as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    /// What it is, unless it is a text.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    /// The tool that is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Which of several completions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<u64>,
    /// What it says.
    pub(super) content: String,
    /// Why the completion ended, on its last item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finish_reason: Option<String>,
    /// Whether it goes on where the item before it was cut.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) continued: bool,
}

/// What a request says. A body that cannot be read is one item without a role.
pub(super) fn of_request(request: &ModelRequest<'_>, body: &[u8]) -> Vec<Item> {
    if request.messages.is_empty() && !body.is_empty() {
        let content = String::from_utf8_lossy(body).into_owned();
        return vec![Item { content, ..Item::default() }];
    }
    request.messages.iter().flat_map(of_message).collect()
}

fn of_message<'m>(message: &'m Message<'_>) -> impl Iterator<Item = Item> + 'm {
    message.parts.iter().map(|part| {
        let (kind, name, content) = match part {
            Part::Text(text) => (None, None, text.to_string()),
            Part::Image => (Some("image"), None, String::new()),
            Part::Audio => (Some("audio"), None, String::new()),
            Part::File => (Some("file"), None, String::new()),
            Part::ToolCall { name, arguments } => {
                (Some("tool_call"), Some(word(name)), arguments.to_string())
            }
            Part::ToolResult(text) => (Some("tool_result"), None, text.to_string()),
            Part::Tokens(n) => (Some("tokens"), None, n.to_string()),
            Part::Other => (Some("other"), None, String::new()),
        };
        Item { role: Some(word(&message.role)), kind, name, content, ..Item::default() }
    })
}

/// What a model answered.
pub(super) fn of_answer(answer: &Answer) -> Vec<Item> {
    let several = answer.completions.len() > 1;
    answer.completions.iter().flat_map(|it| of_completion(it, several)).collect()
}

fn of_completion(completion: &Completion, several: bool) -> Vec<Item> {
    let item = |kind, text: &str| Item {
        role: Some("assistant".to_owned()),
        kind,
        index: several.then_some(completion.index),
        content: text.to_owned(),
        ..Item::default()
    };
    let stretches = [
        (Some("reasoning"), &completion.reasoning),
        (None, &completion.text),
        (Some("tool_call"), &completion.tools),
    ];
    let mut items: Vec<Item> = stretches
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(kind, text)| item(kind, text))
        .collect();
    if items.is_empty() {
        items.push(item(None, ""));
    }
    if let Some(last) = items.last_mut() {
        last.finish_reason = completion.finish_reason.as_deref().map(word);
    }
    items
}

/// A short text, cut if it is not.
pub(super) fn word(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_WORD_BYTES);
    text.get(..end).unwrap_or_default().to_owned()
}

impl Item {
    /// The same without secrets.
    pub(super) fn without(mut self, secrets: &Secrets, of_request: &[&str]) -> Item {
        let hide = |text: &mut String| {
            if let std::borrow::Cow::Owned(hidden) = secrets.hide(text, of_request) {
                *text = hidden;
            }
        };
        hide(&mut self.content);
        for text in [&mut self.role, &mut self.name, &mut self.finish_reason] {
            text.iter_mut().for_each(hide);
        }
        self
    }

    /// The item as a message of OpenTelemetry's `gen_ai.input.messages` and
    /// `gen_ai.output.messages`.
    pub(super) fn as_message(&self) -> Value {
        let part = match self.kind {
            None => json!({ "type": "text", "content": self.content }),
            Some("tool_call") => {
                json!({ "type": "tool_call", "name": self.name, "arguments": self.content })
            }
            Some("tool_result") => {
                json!({ "type": "tool_call_response", "response": self.content })
            }
            Some(kind) => json!({ "type": kind, "content": self.content }),
        };
        let mut message =
            json!({ "role": self.role.as_deref().unwrap_or("user"), "parts": [part] });
        if let (Some(reason), Some(message)) = (&self.finish_reason, message.as_object_mut()) {
            message.insert("finish_reason".to_owned(), reason.as_str().into());
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use llm::Format;

    use super::*;

    fn request(path: &str, body: &str) -> String {
        let request = ModelRequest::read(path, false, body.as_bytes());
        serde_json::to_string(&of_request(&request, body.as_bytes())).unwrap()
    }

    #[test]
    fn requests_of_every_api_become_the_same_items() {
        for (path, body) in [
            ("/chat/completions", r#"{"messages":[{"role":"user","content":"Hi"}]}"#),
            ("/completions", r#"{"prompt":"Hi"}"#),
            ("/embeddings", r#"{"input":["Hi"]}"#),
            ("/responses", r#"{"input":"Hi"}"#),
            ("/v1/messages", r#"{"max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}"#),
            (
                "/models/g:generateContent",
                r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
            ),
            ("/model/m/converse", r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#),
        ] {
            assert_eq!(request(path, body), r#"[{"role":"user","content":"Hi"}]"#, "{path}");
        }
    }

    #[test]
    fn what_is_no_text_has_a_type() {
        let body = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"Look"},
            {"type":"image_url","image_url":{"url":"x"}}]},{"role":"assistant","tool_calls":[
            {"function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"42"}]}"#;
        assert_eq!(
            request("/chat/completions", body),
            r#"[{"role":"user","content":"Look"},{"role":"user","type":"image","content":""},{"role":"assistant","type":"tool_call","name":"f","content":"{}"},{"role":"tool","type":"tool_result","content":"42"}]"#
        );
        assert_eq!(
            request("/embeddings", r#"{"input":[1,2]}"#),
            r#"[{"role":"user","type":"tokens","content":"2"}]"#
        );
    }

    #[test]
    fn a_body_that_cannot_be_read_is_shown_as_it_is() {
        assert_eq!(
            request("/chat/completions", r#"{"messages":[{"ro"#),
            r#"[{"content":"{\"messages\":[{\"ro"}]"#
        );
        assert_eq!(request("/chat/completions", ""), "[]");
    }

    #[test]
    fn an_answer_has_an_item_for_each_kind_of_text() {
        let read = |body: &str| {
            let answer = Answer::read(Format::ChatCompletions, body.as_bytes());
            serde_json::to_string(&of_answer(&answer)).unwrap()
        };
        assert_eq!(
            read(r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#),
            r#"[{"role":"assistant","content":"Hi","finish_reason":"stop"}]"#
        );
        assert_eq!(
            read(
                r#"{"choices":[{"index":0,"message":{"content":"a"}},{"index":1,"message":{"content":""},"finish_reason":"length"}]}"#
            ),
            r#"[{"role":"assistant","index":0,"content":"a"},{"role":"assistant","index":1,"content":"","finish_reason":"length"}]"#
        );
    }

    #[test]
    fn items_are_messages_of_opentelemetry_too() {
        let of = |kind, name: Option<&str>, reason: Option<&str>| {
            let item = Item {
                role: Some("assistant".to_owned()),
                kind,
                name: name.map(str::to_owned),
                content: "x".to_owned(),
                finish_reason: reason.map(str::to_owned),
                ..Item::default()
            };
            item.as_message().to_string()
        };
        assert_eq!(
            of(None, None, Some("stop")),
            r#"{"role":"assistant","parts":[{"type":"text","content":"x"}],"finish_reason":"stop"}"#
        );
        assert_eq!(
            of(Some("tool_call"), Some("f"), None),
            r#"{"role":"assistant","parts":[{"type":"tool_call","name":"f","arguments":"x"}]}"#
        );
        assert_eq!(
            of(Some("tool_result"), None, None),
            r#"{"role":"assistant","parts":[{"type":"tool_call_response","response":"x"}]}"#
        );
    }

    #[test]
    fn secrets_are_taken_out_of_every_text() {
        let item = Item {
            role: Some("hunter2".to_owned()),
            name: Some("hunter2".to_owned()),
            content: "a hunter2 b t0ken".to_owned(),
            ..Item::default()
        };
        let it = item.without(&Secrets::new(["hunter2"]).unwrap(), &["t0ken"]);
        assert_eq!((it.role.as_deref(), it.name.as_deref()), (Some("***"), Some("***")));
        assert_eq!(it.content, "a *** b ***");
    }

    #[test]
    fn words_are_bounded() {
        assert_eq!(word(&"é".repeat(300)).len(), 256);
        assert_eq!(word("user"), "user");
    }
}
