//! Tokens that a model says it has used.
//!
//! Source: the table "usage mapping" follows each vendor's reference:
//! <https://platform.openai.com/docs/api-reference/chat/object>,
//! <https://platform.openai.com/docs/api-reference/responses/object>,
//! <https://docs.anthropic.com/en/api/messages>,
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>

use crate::json::Json;

/// Tokens of one answer. What an API does not tell is zero, or none where that is not the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens of the completion. Gemini does not count its reasoning here, the others do.
    pub completion_tokens: u64,
    /// All tokens: as told, or else the sum of prompt and completion.
    pub total_tokens: u64,
    /// Tokens of the prompt that came out of the vendor's cache. OpenAI and Gemini count them in
    /// `prompt_tokens` as well, Anthropic and Bedrock do not.
    pub cached_tokens: Option<u64>,
    /// Tokens of the prompt that went into the vendor's cache (Anthropic, Bedrock).
    pub cache_creation_tokens: Option<u64>,
    /// Tokens of reasoning (OpenAI) or thinking (Gemini) that no client sees.
    pub reasoning_tokens: Option<u64>,
    /// Audio in the prompt.
    pub audio_prompt_tokens: Option<u64>,
    /// Audio in the completion.
    pub audio_completion_tokens: Option<u64>,
    /// Tokens of a prediction that came true (OpenAI's predicted outputs).
    pub accepted_prediction_tokens: Option<u64>,
    /// Tokens of a prediction that did not.
    pub rejected_prediction_tokens: Option<u64>,
}

/// Numbers of a usage object; what an event leaves out stays as events before told it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    prompt: Option<u64>,
    completion: Option<u64>,
    total: Option<u64>,
    rest: Usage,
}

impl Usage {
    /// Reads a usage object of any of the APIs; none if it has no number of tokens.
    #[must_use]
    pub fn read(usage: Json<'_>) -> Option<Usage> {
        let mut told = Told::default();
        told.add(usage);
        told.usage()
    }

    /// Both together: of several answers to one request.
    #[must_use]
    pub fn plus(self, other: Usage) -> Usage {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        Usage {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            total_tokens: self.total_tokens.saturating_add(other.total_tokens),
            cached_tokens: sum(self.cached_tokens, other.cached_tokens),
            cache_creation_tokens: sum(self.cache_creation_tokens, other.cache_creation_tokens),
            reasoning_tokens: sum(self.reasoning_tokens, other.reasoning_tokens),
            audio_prompt_tokens: sum(self.audio_prompt_tokens, other.audio_prompt_tokens),
            audio_completion_tokens: sum(
                self.audio_completion_tokens,
                other.audio_completion_tokens,
            ),
            accepted_prediction_tokens: sum(
                self.accepted_prediction_tokens,
                other.accepted_prediction_tokens,
            ),
            rejected_prediction_tokens: sum(
                self.rejected_prediction_tokens,
                other.rejected_prediction_tokens,
            ),
        }
    }
}

impl Told {
    /// Takes the numbers of an object, which replace those that are known.
    pub(crate) fn add(&mut self, usage: Json<'_>) {
        let [openai_in, responses_in, gemini_in, bedrock_in] =
            usage.pick(["prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens"]);
        let [openai_out, responses_out, gemini_out, bedrock_out] = usage.pick([
            "completion_tokens",
            "output_tokens",
            "candidatesTokenCount",
            "outputTokens",
        ]);
        let [openai_all, gemini_all, bedrock_all] =
            usage.pick(["total_tokens", "totalTokenCount", "totalTokens"]);
        take(&mut self.prompt, [openai_in, responses_in, gemini_in, bedrock_in]);
        take(&mut self.completion, [openai_out, responses_out, gemini_out, bedrock_out]);
        take(&mut self.total, [openai_all, gemini_all, bedrock_all]);
        self.add_details(usage);
        self.add_categories(usage);
    }

    /// OpenAI's objects within.
    fn add_details(&mut self, usage: Json<'_>) {
        let names = [
            ["prompt_tokens_details", "completion_tokens_details"],
            ["input_tokens_details", "output_tokens_details"],
            // Of realtime sessions.
            ["input_token_details", "output_token_details"],
        ];
        for names in names {
            let [prompt, completion] = usage.pick(names);
            if let Some(prompt) = prompt {
                let [cached, audio] = prompt.pick(["cached_tokens", "audio_tokens"]);
                take(&mut self.rest.cached_tokens, [cached]);
                take(&mut self.rest.audio_prompt_tokens, [audio]);
            }
            if let Some(completion) = completion {
                let [reasoning, audio, accepted, rejected] = completion.pick([
                    "reasoning_tokens",
                    "audio_tokens",
                    "accepted_prediction_tokens",
                    "rejected_prediction_tokens",
                ]);
                take(&mut self.rest.reasoning_tokens, [reasoning]);
                take(&mut self.rest.audio_completion_tokens, [audio]);
                take(&mut self.rest.accepted_prediction_tokens, [accepted]);
                take(&mut self.rest.rejected_prediction_tokens, [rejected]);
            }
        }
    }

    /// The others' categories.
    fn add_categories(&mut self, usage: Json<'_>) {
        let [anthropic, gemini, bedrock] = usage.pick([
            "cache_read_input_tokens",
            "cachedContentTokenCount",
            "cacheReadInputTokens",
        ]);
        take(&mut self.rest.cached_tokens, [anthropic, gemini, bedrock]);
        let [anthropic, bedrock] =
            usage.pick(["cache_creation_input_tokens", "cacheWriteInputTokens"]);
        take(&mut self.rest.cache_creation_tokens, [anthropic, bedrock]);
        take(&mut self.rest.reasoning_tokens, usage.pick(["thoughtsTokenCount"]));
    }

    /// What is known; none if no object told a number of tokens.
    pub(crate) fn usage(&self) -> Option<Usage> {
        if self.prompt.is_none() && self.completion.is_none() && self.total.is_none() {
            return None;
        }
        let prompt_tokens = self.prompt.unwrap_or(0);
        let completion_tokens = self.completion.unwrap_or(0);
        let sum = prompt_tokens.saturating_add(completion_tokens);
        let total_tokens = self.total.unwrap_or(sum);
        Some(Usage { prompt_tokens, completion_tokens, total_tokens, ..self.rest })
    }
}

fn take<const N: usize>(slot: &mut Option<u64>, found: [Option<Json<'_>>; N]) {
    if let Some(number) = found.into_iter().flatten().find_map(Json::number) {
        *slot = Some(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Usage> {
        Usage::read(Json::of_bytes(text.as_bytes()).unwrap())
    }

    fn counts(text: &str) -> (u64, u64, u64) {
        let it = read(text).unwrap();
        (it.prompt_tokens, it.completion_tokens, it.total_tokens)
    }

    #[test]
    fn each_vendors_names_are_read() {
        for text in [
            r#"{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}"#,
            r#"{"input_tokens":7,"output_tokens":5,"total_tokens":12}"#,
            r#"{"input_tokens":7,"output_tokens":5}"#,
            r#"{"promptTokenCount":7,"candidatesTokenCount":5,"totalTokenCount":12}"#,
            r#"{"inputTokens":7,"outputTokens":5,"totalTokens":12}"#,
        ] {
            assert_eq!(counts(text), (7, 5, 12), "{text}");
        }
    }

    #[test]
    fn a_total_that_is_told_counts_and_what_is_absent_is_zero() {
        assert_eq!(counts(r#"{"prompt_tokens":7,"total_tokens":7}"#), (7, 0, 7));
        let text = r#"{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":30,
            "totalTokenCount":42}"#;
        assert_eq!(counts(text), (7, 5, 42));
        assert_eq!(read(text).unwrap().reasoning_tokens, Some(30));
    }

    #[test]
    fn categories_are_kept_apart() {
        let it = read(
            r#"{"prompt_tokens":9,"completion_tokens":8,"total_tokens":17,
            "prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},
            "completion_tokens_details":{"reasoning_tokens":6,"audio_tokens":0,
            "accepted_prediction_tokens":2,"rejected_prediction_tokens":3}}"#,
        )
        .unwrap();
        assert_eq!((it.cached_tokens, it.reasoning_tokens), (Some(4), Some(6)));
        assert_eq!((it.audio_prompt_tokens, it.audio_completion_tokens), (Some(1), Some(0)));
        let predicted = (it.accepted_prediction_tokens, it.rejected_prediction_tokens);
        assert_eq!(predicted, (Some(2), Some(3)));
        let it = read(
            r#"{"input_tokens":3,"output_tokens":2,"cache_read_input_tokens":100,
            "cache_creation_input_tokens":50}"#,
        )
        .unwrap();
        assert_eq!((it.cached_tokens, it.cache_creation_tokens), (Some(100), Some(50)));
        assert_eq!(it.total_tokens, 5);
    }

    #[test]
    fn what_is_no_usage_is_none() {
        for text in ["{}", "[]", "7", "{\"prompt_tokens\":\"7\"}", "{\"seconds\":3}", "oops"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn usages_add_up() {
        let one = read(r#"{"prompt_tokens":7,"completion_tokens":5}"#).unwrap();
        let two = Usage { reasoning_tokens: Some(3), ..one };
        let sum = one.plus(two);
        assert_eq!(
            (sum.total_tokens, sum.reasoning_tokens, sum.cached_tokens),
            (24, Some(3), None)
        );
    }
}
