//! Chat Completions in front, Anthropic's Messages behind: requests, answers, streams and errors.
//!
//! ```text
//! client: Chat Completions ─▶ to_messages ─▶ Messages API
//! client ◀─ chat_answer, MessagesStream, chat_error ◀─ answer, stream, error
//! ```
//!
//! What a request asks for and the other API cannot do is refused; hints that it does not know
//! (`seed`, `frequency_penalty`, `logit_bias`, ...) are left out. Thinking and citations of an answer
//! have no place in Chat Completions and are left out, too.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/unified-model-api>,
//! <https://platform.openai.com/docs/api-reference/chat>, <https://docs.anthropic.com/en/api/messages>

mod answer;
mod content;
mod error;
mod request;
mod stream;

pub use answer::chat_answer;
pub use error::{chat_error, error_object};
pub use request::{Refused, to_messages};
pub use stream::MessagesStream;

use crate::json::Json;

/// The version of the Messages API that is spoken, for the header `anthropic-version`.
pub const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The body of a request with another model in it; nothing else changes. None if the body names no
/// model.
#[must_use]
pub fn with_model(body: &[u8], model: &str) -> Option<Vec<u8>> {
    let json = Json::of_bytes(body)?;
    let (whole, named) = (json.text(), json.get("model")?.text());
    let start = (named.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let (before, after) = (whole.get(..start)?, whole.get(start + named.len()..)?);
    let model = serde_json::Value::from(model).to_string();
    Some([before, &model, after].concat().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_model_changes() {
        for (body, expected) in [
            (
                r#" {"n":1.50, "model" : "gpt" ,"x":[]} "#,
                Some(r#"{"n":1.50, "model" : "a\"b" ,"x":[]}"#),
            ),
            (
                r#"{"messages":[{"model":"gpt"}],"model":"x"}"#,
                Some(r#"{"messages":[{"model":"gpt"}],"model":"a\"b"}"#),
            ),
            (r#"{"x":1}"#, None),
            ("oops", None),
        ] {
            let made = with_model(body.as_bytes(), "a\"b").map(|it| String::from_utf8(it).unwrap());
            assert_eq!(made.as_deref(), expected, "{body}");
        }
    }
}
