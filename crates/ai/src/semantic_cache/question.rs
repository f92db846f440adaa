//! Which requests are answered from the cache, and what of them is compared.
//!
//! The dialogue is compared, in meaning; everything else in the body must be the same to the letter.
//! Nothing is cached that asks for more than one text: several answers, tools, pictures, sounds,
//! files, or a conversation that the service remembers.

use llm::{Format, Json, Message, ModelRequest, Part};

/// Longest dialogue, in bytes: embeddings take some 8,000 tokens.
const MAX_TEXT_BYTES: usize = 32 * 1024;

/// Members that hold the dialogue.
const DIALOGUE: &[&str] = &[
    "messages",
    "input",
    "contents",
    "prompt",
    "instructions",
    "system",
    "systemInstruction",
    "system_instruction",
];

/// Members that make an answer depend on more than the request.
const STATE: &[&str] = &["previous_response_id", "conversation", "background", "cachedContent"];

/// A question that may be answered from the cache.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) format: Format,
    pub(crate) is_stream: bool,
    /// What is compared in meaning.
    pub(crate) text: String,
    /// What must be the same: names and values of all other members, by name.
    pub(crate) parameters: Vec<(String, String)>,
}

/// What the policy says of messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counting {
    pub(crate) ignores_system: bool,
    pub(crate) max_messages: Option<usize>,
}

impl Question {
    /// The question of a request; none if it is not one for the cache.
    pub(crate) fn of(
        path: &str,
        has_version: bool,
        body: &[u8],
        how: Counting,
    ) -> Option<Question> {
        let request = ModelRequest::read(path, has_version, body);
        if !is_answerable(&request) {
            return None;
        }
        let is_kept = |it: &&Message<'_>| !(how.ignores_system && it.is_system());
        let messages: Vec<&Message<'_>> = request.messages.iter().filter(is_kept).collect();
        if how.max_messages.is_some_and(|max| messages.len() > max) {
            return None;
        }
        let mut text = String::new();
        for message in messages {
            text.push_str(&message.role);
            text.push_str(": ");
            text.push_str(&message.text());
            text.push('\n');
        }
        if text.is_empty() || text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let mut parameters = Vec::new();
        let mut has_state = false;
        Json::of_bytes(body)?.each_member(|name, value| {
            has_state |= STATE.contains(&&*name) && value.text() != "null";
            if !DIALOGUE.contains(&&*name) {
                parameters.push((name.into_owned(), value.text().to_owned()));
            }
        });
        parameters.sort();
        let question =
            Question { format: request.format, is_stream: request.is_stream, text, parameters };
        (!has_state).then_some(question)
    }
}

fn is_answerable(request: &ModelRequest<'_>) -> bool {
    let is_known = matches!(
        request.format,
        Format::ChatCompletions
            | Format::Completions
            | Format::Responses
            | Format::Messages
            | Format::GenerateContent
    );
    let has_tools = request.tools.is_some_and(|it| it.n_items() != Some(0));
    let is_text = |it: &Part<'_>| matches!(it, Part::Text(_));
    is_known && !has_tools && request.n.unwrap_or(1) <= 1 && request.parts().all(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/openai/v1/chat/completions";

    fn question(body: &str, how: Counting) -> Option<Question> {
        Question::of(PATH, false, body.as_bytes(), how)
    }

    #[test]
    fn the_dialogue_is_compared_with_roles_and_the_rest_must_be_the_same() {
        let body = r#"{"temperature":0,"model":"m","messages":[{"role":"system","content":"S"},
            {"role":"user","content":"U"}]}"#;
        let it = question(body, Counting::default()).unwrap();
        assert_eq!(it.text, "system: S\nuser: U\n");
        let parameters = [("model", "\"m\""), ("temperature", "0")];
        assert_eq!(it.parameters, parameters.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let ignoring = Counting { ignores_system: true, max_messages: None };
        assert_eq!(question(body, ignoring).unwrap().text, "user: U\n");
    }

    #[test]
    fn messages_are_counted_after_those_of_the_system_are_gone() {
        let body =
            r#"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"U"}]}"#;
        let with = |ignores_system, max| {
            question(body, Counting { ignores_system, max_messages: Some(max) }).is_some()
        };
        assert!(with(true, 1) && !with(false, 1) && with(false, 2) && !with(true, 0));
    }

    #[test]
    fn what_asks_for_more_than_one_text_is_no_question() {
        let user = r#""messages":[{"role":"user","content":"U"}]"#;
        for (body, expected) in [
            (format!("{{{user}}}"), true),
            (format!(r#"{{{user},"n":1,"tools":[]}}"#), true),
            (format!(r#"{{{user},"n":2}}"#), false),
            (format!(r#"{{{user},"tools":[{{"type":"function"}}]}}"#), false),
            (format!(r#"{{{user},"previous_response_id":"r"}}"#), false),
            (
                r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#.to_owned(),
                false,
            ),
            (r#"{"messages":[{"role":"tool","content":"T"}]}"#.to_owned(), false),
            (r#"{"messages":[]}"#.to_owned(), false),
            ("oops".to_owned(), false),
            (
                format!(r#"{{"messages":[{{"role":"user","content":"{}"}}]}}"#, "x".repeat(40_000)),
                false,
            ),
        ] {
            assert_eq!(question(&body, Counting::default()).is_some(), expected, "{body:.80}");
        }
        let embeddings =
            Question::of("/embeddings", false, br#"{"input":"x"}"#, Counting::default());
        assert!(embeddings.is_none());
    }
}
