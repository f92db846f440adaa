//! Requests of OpenAI's Completions and Embeddings: a text, a list of texts, or tokens.
//!
//! Source: <https://platform.openai.com/docs/api-reference/completions>,
//! <https://platform.openai.com/docs/api-reference/embeddings>

use std::borrow::Cow;

use crate::json::Json;
use crate::request::{Message, ModelRequest, Part};

/// Reads a request whose text stands under `name`.
pub(super) fn request<'a>(body: Json<'a>, name: &str, into: &mut ModelRequest<'a>) {
    into.options_of_openai(body);
    let [prompt, max_tokens, suffix] = body.pick([name, "max_tokens", "suffix"]);
    into.max_tokens = max_tokens.and_then(Json::number);
    let mut parts = Vec::new();
    if let Some(prompt) = prompt {
        match prompt.string() {
            Some(text) => parts.push(Part::Text(text)),
            None => list(prompt, &mut parts),
        }
    }
    parts.extend(suffix.and_then(Json::string).map(Part::Text));
    if !parts.is_empty() {
        into.messages.push(Message { role: Cow::Borrowed("user"), name: None, parts });
    }
}

/// Texts, tokens, or lists of tokens.
fn list<'a>(prompt: Json<'a>, parts: &mut Vec<Part<'a>>) {
    let mut n_tokens = 0;
    prompt.each(|it| match (it.string(), it.n_items()) {
        (Some(text), _) => parts.push(Part::Text(text)),
        (None, Some(n)) => n_tokens += n as u64,
        (None, None) => n_tokens += 1,
    });
    if n_tokens > 0 {
        parts.push(Part::Tokens(n_tokens));
    }
}
