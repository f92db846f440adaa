//! Realtime sessions: events that go over a WebSocket, and the tokens that they tell.
//!
//! Every answer of the model ends with `response.done` and its usage. The client asks for answers by
//! `response.create`, or the service makes them by itself when somebody has spoken.
//!
//! Source: <https://learn.microsoft.com/azure/ai-services/openai/realtime-audio-reference>

use llm::{Json, Usage};

/// The event of the client that asks for an answer.
const CREATE: &str = "response.create";
/// The event of the model that ends an answer.
const DONE: &str = "response.done";

/// Whether a text of the client asks for an answer.
pub(crate) fn asks(text: &str) -> bool {
    is(text, CREATE)
}

/// The usage that a text of the model tells, if it ends an answer.
pub(crate) fn usage(text: &str) -> Option<Usage> {
    if !is(text, DONE) {
        return None;
    }
    Json::of_bytes(text.as_bytes())?.at(&["response", "usage"]).and_then(Usage::read)
}

/// Whether a text is an event of this kind. Most are not, and are not read for that.
fn is(text: &str, kind: &str) -> bool {
    // `.` may be escaped, though nobody does.
    if !text.contains(kind) && !text.contains("\\u") {
        return false;
    }
    let found = Json::of_bytes(text.as_bytes()).and_then(|it| it.get("type"));
    found.and_then(Json::string).is_some_and(|it| it == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_answer_tells_its_usage() {
        let done = r#"{"type":"response.done","response":{"usage":{"total_tokens":9,
            "input_tokens":5,"output_tokens":4,"input_token_details":{"cached_tokens":2}}}}"#;
        let told = usage(done).unwrap();
        assert_eq!((told.prompt_tokens, told.completion_tokens, told.total_tokens), (5, 4, 9));
        assert_eq!(told.cached_tokens, Some(2));
        for text in [
            r#"{"type":"response.done","response":{"usage":null}}"#,
            r#"{"type":"response.output_text.delta","delta":"response.done","response":{"usage":{"total_tokens":9}}}"#,
            "response.done",
            "",
        ] {
            assert!(usage(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_client_asks_for_an_answer() {
        assert!(asks(r#"{"event_id":"1","type":"response.create"}"#));
        assert!(asks(r#"{"type":"response\u002ecreate"}"#));
        assert!(!asks(r#"{"type":"conversation.item.create","item":{"text":"response.create"}}"#));
    }
}
