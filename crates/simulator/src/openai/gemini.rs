//! Gemini's `generateContent`, as Google AI and Vertex AI have it.
//!
//! Source: <https://ai.google.dev/api/generate-content>

use http::StatusCode;
use serde_json::{Map, Value, json};
use transport::Response;

use super::completion::{Completion, Finish, Pace, Prompt, data_event, text_of};
use super::error;
use crate::reply;

/// The prompt of a request.
pub(super) fn prompt(body: &Map<String, Value>) -> Result<Prompt, Response> {
    let Some(contents) = body.get("contents").and_then(Value::as_array).filter(|it| !it.is_empty())
    else {
        return Err(error::invalid_request("contents is not specified", Some("contents")));
    };
    let system = body.get("systemInstruction").or_else(|| body.get("system_instruction"));
    let mut messages: Vec<(String, String)> = Vec::new();
    messages.extend(system.map(|it| ("system".to_owned(), text_of(it.get("parts")))));
    messages.extend(contents.iter().map(|it| {
        let role = it.get("role").and_then(Value::as_str).unwrap_or("user");
        (role.to_owned(), text_of(it.get("parts")))
    }));
    let limit = body.get("generationConfig").and_then(|it| it.get("maxOutputTokens"));
    Ok(Prompt { messages, tool: None, limit: limit.and_then(Value::as_u64) })
}

pub(super) async fn answer(completion: &Completion, is_stream: bool, pace: Pace) -> Response {
    if is_stream {
        return pace.stream(events(completion));
    }
    pace.wait(completion.usage.completion).await;
    reply::json(StatusCode::OK, &chunk(completion, &completion.text(), true))
}

fn finish_reason(completion: &Completion) -> &'static str {
    match completion.finish {
        Finish::Stop | Finish::ToolCall => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::ContentFilter(_) => "SAFETY",
    }
}

fn chunk(completion: &Completion, text: &str, is_last: bool) -> Value {
    let usage = completion.usage;
    let mut candidate =
        json!({ "content": { "role": "model", "parts": [{ "text": text }] }, "index": 0 });
    let mut counts = json!({ "promptTokenCount": usage.prompt, "totalTokenCount": usage.prompt });
    if is_last
        && let (Some(candidate), Some(counts)) = (candidate.as_object_mut(), counts.as_object_mut())
    {
        candidate.insert("finishReason".into(), json!(finish_reason(completion)));
        // Thoughts are not among the candidates' tokens of this API.
        counts.insert("candidatesTokenCount".into(), json!(usage.completion - usage.reasoning));
        counts.insert("totalTokenCount".into(), json!(usage.total()));
        if usage.cached > 0 {
            counts.insert("cachedContentTokenCount".into(), json!(usage.cached));
        }
        if usage.reasoning > 0 {
            counts.insert("thoughtsTokenCount".into(), json!(usage.reasoning));
        }
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": counts,
        "modelVersion": completion.model,
        "responseId": completion.id,
    })
}

fn events(completion: &Completion) -> Vec<String> {
    let n_words = completion.words.len();
    let words = completion.words.iter().enumerate();
    words
        .map(|(at, word)| data_event(&chunk(completion, word, at + 1 == n_words).to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_tells_the_usage() {
        let body =
            json!({ "contents": [{ "role": "user", "parts": [{ "text": "one [reasoning:2]" }] }] });
        let completion = prompt(body.as_object().unwrap()).unwrap().answer("m", 7, None);
        let whole = chunk(&completion, &completion.text(), true);
        let usage = &whole["usageMetadata"];
        assert_eq!(
            whole["candidates"][0]["content"]["parts"][0]["text"],
            "You said: one [reasoning:2]"
        );
        assert_eq!(usage["thoughtsTokenCount"], 2);
        let counts: Vec<u64> = ["promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"]
            .iter()
            .map(|it| usage[*it].as_u64().unwrap())
            .collect();
        assert_eq!(usage["totalTokenCount"], counts.iter().sum::<u64>());
        let events = events(&completion);
        assert_eq!(events.len(), 4);
        assert!(events[3].contains("finishReason") && !events[0].contains("finishReason"));
    }
}
