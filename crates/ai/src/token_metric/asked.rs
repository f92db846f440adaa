//! What a request asks of a model, as attributes of its span. Only read for a span that is kept.
//!
//! Source: <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>

use llm::{Format, Json};
use telemetry::Value;

/// Most sequences that end an answer that are told.
const MAX_STOPS: usize = 16;

/// A number of the request: its attribute, and its names in the APIs, the newest first.
type Row = (&'static str, &'static [&'static str]);

const WHOLE: &[Row] = &[
    (
        "gen_ai.request.max_tokens",
        &[
            "max_completion_tokens",
            "max_output_tokens",
            "max_tokens",
            "maxOutputTokens",
            "maxTokens",
        ],
    ),
    ("gen_ai.request.seed", &["seed"]),
];
const DECIMAL: &[Row] = &[
    ("gen_ai.request.temperature", &["temperature"]),
    ("gen_ai.request.top_p", &["top_p", "topP"]),
    ("gen_ai.request.top_k", &["top_k", "topK"]),
    ("gen_ai.request.frequency_penalty", &["frequency_penalty", "frequencyPenalty"]),
    ("gen_ai.request.presence_penalty", &["presence_penalty", "presencePenalty"]),
];
const STOPS: &[&str] = &["stop", "stop_sequences", "stopSequences"];
const COUNTS: &[&str] = &["n", "candidateCount"];
/// Where Gemini and Bedrock keep them.
const WITHIN: [&str; 2] = ["generationConfig", "inferenceConfig"];

/// The attributes of a request's body.
pub(super) fn attributes(format: Format, body: &[u8]) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    let Some(body) = Json::of_bytes(body).filter(|it| it.is_object()) else { return all };
    let options = WITHIN.iter().find_map(|it| body.get(it)).unwrap_or(body);
    let find = |names: &[&str]| names.iter().find_map(|it| options.get(it));
    for (attribute, names) in WHOLE {
        all.extend(find(names).and_then(Json::number).map(|it| (*attribute, it.into())));
    }
    for (attribute, names) in DECIMAL {
        let number = find(names).and_then(|it| it.text().parse().ok());
        all.extend(number.map(|it| (*attribute, Value::Double(it))));
    }
    // One is what is meant without it.
    let count = find(COUNTS).and_then(Json::number).filter(|it| *it != 1);
    all.extend(count.map(|it| ("gen_ai.request.choice.count", it.into())));
    let mut stops = Vec::new();
    if let Some(given) = find(STOPS) {
        let mut add = |it: Json<'_>| {
            if stops.len() < MAX_STOPS {
                stops.extend(it.string().map(std::borrow::Cow::into_owned));
            }
        };
        match given.is_array() {
            true => given.each(add),
            false => add(given),
        }
    }
    if !stops.is_empty() {
        all.push(("gen_ai.request.stop_sequences", Value::List(stops)));
    }
    let api = match format {
        Format::ChatCompletions => "chat_completions",
        Format::Responses => "responses",
        _ => return all,
    };
    all.push(("openai.api.type", api.into()));
    let tier = body.get("service_tier").and_then(Json::string).filter(|it| it != "auto");
    all.extend(tier.map(|it| ("openai.request.service_tier", Value::from(&*it))));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_each_api_are_told_and_no_content() {
        for (format, body, expected) in [
            (
                Format::ChatCompletions,
                r#"{"messages":[{"content":"hunter2"}],"max_completion_tokens":5,"max_tokens":9,"n":2,
                    "temperature":0.5,"stop":"END","service_tier":"flex"}"#,
                r#"[("gen_ai.request.max_tokens", Int(5)), ("gen_ai.request.temperature", Double(0.5)), ("gen_ai.request.choice.count", Int(2)), ("gen_ai.request.stop_sequences", List(["END"])), ("openai.api.type", Text("chat_completions")), ("openai.request.service_tier", Text("flex"))]"#,
            ),
            (
                Format::GenerateContent,
                r#"{"contents":[],"generationConfig":{"maxOutputTokens":7,"topK":40,"stopSequences":["a","b"]}}"#,
                r#"[("gen_ai.request.max_tokens", Int(7)), ("gen_ai.request.top_k", Double(40.0)), ("gen_ai.request.stop_sequences", List(["a", "b"]))]"#,
            ),
            (
                Format::Converse,
                r#"{"inferenceConfig":{"maxTokens":3,"topP":0.25}}"#,
                r#"[("gen_ai.request.max_tokens", Int(3)), ("gen_ai.request.top_p", Double(0.25))]"#,
            ),
            (Format::Messages, r#"{"n":1,"max_tokens":null,"temperature":"hot"}"#, "[]"),
            (Format::ChatCompletions, "oops", "[]"),
        ] {
            let found = attributes(format, body.as_bytes());
            assert_eq!(format!("{found:?}"), expected, "{body}");
        }
    }

    #[test]
    fn a_long_list_is_cut() {
        let body = format!(r#"{{"stop":[{}"x"]}}"#, r#""y","#.repeat(40));
        let found = attributes(Format::Completions, body.as_bytes());
        assert!(matches!(&found[..], [(_, Value::List(it))] if it.len() == MAX_STOPS));
    }
}
