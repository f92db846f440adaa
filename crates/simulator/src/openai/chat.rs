//! Chat completions and the older completions, whole and streamed.

use http::StatusCode;
use serde_json::{Map, Value, json};
use transport::Response;

use super::completion::{Completion, Finish, Pace, Prompt, Tool, data_event, text_of};
use super::error;
use crate::reply;

/// Most answers to one prompt.
const MAX_CHOICES: u64 = 8;

/// The prompt of a request for a chat completion.
pub(super) fn prompt(body: &Map<String, Value>) -> Result<Prompt, Response> {
    let messages = body.get("messages").and_then(Value::as_array).filter(|it| !it.is_empty());
    let Some(messages) = messages else {
        let message = "Missing required parameter: 'messages'.";
        return Err(error::invalid_request(message, Some("messages")));
    };
    let role = |it: &Value| it.get("role").and_then(Value::as_str).unwrap_or("user").to_owned();
    Ok(Prompt {
        messages: messages.iter().map(|it| (role(it), text_of(it.get("content")))).collect(),
        tool: tool(body),
        limit: limit(body, &["max_completion_tokens", "max_tokens"]),
    })
}

/// The prompt of a request for an older completion.
pub(super) fn older_prompt(body: &Map<String, Value>) -> Result<Prompt, Response> {
    let text = match body.get("prompt") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(texts)) => {
            texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        _ => return Err(error::invalid_request("'prompt' must be text.", Some("prompt"))),
    };
    let limit = limit(body, &["max_tokens"]);
    Ok(Prompt { messages: vec![("user".to_owned(), text)], tool: None, limit })
}

pub(super) fn limit(body: &Map<String, Value>, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|it| body.get(*it)?.as_u64())
}

/// The tool that `tool_choice` names, else the first of `tools`.
fn tool(body: &Map<String, Value>) -> Option<Tool> {
    let choice = body.get("tool_choice");
    if choice == Some(&json!("none")) {
        return None;
    }
    let name = |it: &Value| {
        let function = it.get("function").unwrap_or(it);
        function.get("name").and_then(Value::as_str).map(str::to_owned)
    };
    let chosen = choice.and_then(name);
    let is_required = chosen.is_some() || choice == Some(&json!("required"));
    let first = || body.get("tools").and_then(Value::as_array)?.first().and_then(name);
    Some(Tool { name: chosen.or_else(first)?, is_required })
}

/// Which of the two APIs an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Chat,
    Older,
}

pub(super) async fn answer(
    form: Form,
    completion: &Completion,
    body: &Map<String, Value>,
    pace: Pace,
) -> Response {
    let n_choices = body.get("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, MAX_CHOICES);
    let answer = Answer { form, completion, n_choices };
    if body.get("stream").and_then(Value::as_bool) == Some(true) {
        let usage = body.get("stream_options").and_then(|it| it.get("include_usage"));
        return pace.stream(answer.events(usage == Some(&Value::Bool(true))));
    }
    pace.wait(completion.usage.completion).await;
    reply::json(StatusCode::OK, &answer.whole())
}

#[derive(Clone, Copy, Debug)]
struct Answer<'a> {
    form: Form,
    completion: &'a Completion,
    n_choices: u64,
}

impl Answer<'_> {
    fn usage(&self) -> Value {
        let usage = self.completion.usage;
        let completion_tokens = usage.completion * self.n_choices;
        json!({
            "prompt_tokens": usage.prompt,
            "completion_tokens": completion_tokens,
            "total_tokens": usage.prompt + completion_tokens,
            "prompt_tokens_details": { "cached_tokens": usage.cached, "audio_tokens": 0 },
            "completion_tokens_details": {
                "reasoning_tokens": usage.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }

    fn finish_reason(&self) -> &'static str {
        match self.completion.finish {
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::ToolCall => "tool_calls",
            Finish::ContentFilter(_) => "content_filter",
        }
    }

    fn filter_results(&self) -> Value {
        match &self.completion.finish {
            Finish::ContentFilter(category) => filter_results(Some(category)),
            _ => filter_results(None),
        }
    }

    fn id(&self) -> String {
        let prefix = if self.form == Form::Chat { "chatcmpl" } else { "cmpl" };
        format!("{prefix}-{}", self.completion.id)
    }

    fn tool_call(&self) -> Option<Value> {
        let name = self.completion.tool.as_ref()?;
        Some(json!({
            "id": format!("call_{}", self.completion.id),
            "type": "function",
            "function": { "name": name, "arguments": "{}" },
        }))
    }

    fn whole(&self) -> Value {
        let choice = |index: u64| {
            let mut choice = json!({
                "index": index,
                "finish_reason": self.finish_reason(),
                "logprobs": null,
                "content_filter_results": self.filter_results(),
            });
            let said = match (self.form, self.tool_call()) {
                (Form::Older, _) => ("text", json!(self.completion.text())),
                (Form::Chat, None) => {
                    let content = self.completion.text();
                    let said = json!({ "role": "assistant", "content": content, "refusal": null });
                    ("message", said)
                }
                (Form::Chat, Some(call)) => {
                    let said =
                        json!({ "role": "assistant", "content": null, "tool_calls": [call] });
                    ("message", said)
                }
            };
            if let Some(members) = choice.as_object_mut() {
                members.insert(said.0.to_owned(), said.1);
            }
            choice
        };
        json!({
            "id": self.id(),
            "object": if self.form == Form::Chat { "chat.completion" } else { "text_completion" },
            "created": self.completion.created,
            "model": self.completion.model,
            "system_fingerprint": "fp_local",
            "prompt_filter_results":
                [{ "prompt_index": 0, "content_filter_results": filter_results(None) }],
            "choices": (0..self.n_choices).map(choice).collect::<Vec<_>>(),
            "usage": self.usage(),
        })
    }

    /// The events in the service's order: filter results, role, content, end, usage, `[DONE]`.
    fn events(&self, include_usage: bool) -> Vec<String> {
        let mut events = Vec::new();
        if self.form == Form::Chat {
            let prompt_filter = json!({
                "choices": [], "created": 0, "id": "", "model": "", "object": "",
                "prompt_filter_results":
                    [{ "prompt_index": 0, "content_filter_results": filter_results(None) }],
            });
            events.push(data_event(&prompt_filter.to_string()));
        }
        for index in 0..self.n_choices {
            let said = match self.form {
                Form::Chat => self.deltas(),
                Form::Older => {
                    self.completion.words.iter().map(|it| json!({ "text": it })).collect()
                }
            };
            for said in said {
                events.push(self.chunk(
                    self.choice(index, said, false),
                    Value::Null,
                    include_usage,
                ));
            }
            let end = if self.form == Form::Chat {
                json!({ "delta": {} })
            } else {
                json!({ "text": "" })
            };
            events.push(self.chunk(self.choice(index, end, true), Value::Null, include_usage));
        }
        if include_usage {
            events.push(self.chunk(json!([]), self.usage(), true));
        }
        events.push(data_event("[DONE]"));
        events
    }

    fn deltas(&self) -> Vec<Value> {
        let Some(mut call) = self.tool_call() else {
            let role = json!({ "role": "assistant", "content": "", "refusal": null });
            let words = self.completion.words.iter().map(|it| json!({ "content": it }));
            return std::iter::once(role).chain(words).map(|it| json!({ "delta": it })).collect();
        };
        if let Some(members) = call.as_object_mut() {
            members.insert("index".into(), json!(0));
            if let Some(arguments) =
                members.get_mut("function").and_then(|it| it.get_mut("arguments"))
            {
                *arguments = json!("");
            }
        }
        let begin = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
        let arguments =
            json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "{}" } }] });
        vec![json!({ "delta": begin }), json!({ "delta": arguments })]
    }

    fn choice(&self, index: u64, said: Value, is_end: bool) -> Value {
        let (finish_reason, results) = match is_end {
            true => (json!(self.finish_reason()), self.filter_results()),
            false => (Value::Null, filter_results(None)),
        };
        let mut choice = json!({
            "index": index,
            "finish_reason": finish_reason,
            "logprobs": null,
            "content_filter_results": results,
        });
        if let (Some(members), Value::Object(said)) = (choice.as_object_mut(), said) {
            members.extend(said);
        }
        json!([choice])
    }

    fn chunk(&self, choices: Value, usage: Value, include_usage: bool) -> String {
        let object =
            if self.form == Form::Chat { "chat.completion.chunk" } else { "text_completion" };
        let mut chunk = json!({
            "id": self.id(),
            "object": object,
            "created": self.completion.created,
            "model": self.completion.model,
            "system_fingerprint": "fp_local",
            "choices": choices,
        });
        if include_usage && let Some(members) = chunk.as_object_mut() {
            members.insert("usage".into(), usage);
        }
        data_event(&chunk.to_string())
    }
}

/// The filter's results, with one category that was too much.
fn filter_results(filtered: Option<&str>) -> Value {
    let mut results = Map::new();
    for category in ["hate", "self_harm", "sexual", "violence"] {
        let result = match filtered == Some(category) {
            true => json!({ "filtered": true, "severity": "medium" }),
            false => json!({ "filtered": false, "severity": "safe" }),
        };
        results.insert(category.to_owned(), result);
    }
    Value::Object(results)
}

/// The refusal of a prompt.
pub(super) fn filtered(category: &str) -> Response {
    let mut results = filter_results(Some(category));
    if let Some(members) = results.as_object_mut() {
        let is_jailbreak = category == "jailbreak";
        let jailbreak = json!({ "filtered": is_jailbreak, "detected": is_jailbreak });
        members.shift_insert(1, "jailbreak".into(), jailbreak);
    }
    reply::json(
        StatusCode::BAD_REQUEST,
        &json!({ "error": {
            "message": "The response was filtered due to the prompt triggering Azure OpenAI's \
                        content management policy. Please modify your prompt and retry. To learn \
                        more about our content filtering policies please read our documentation: \
                        https://go.microsoft.com/fwlink/?linkid=2198766",
            "type": null,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": results,
            },
        } }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::completion::tests::prompt as said;
    use super::*;

    fn parsed(events: &[String]) -> Vec<Value> {
        let data = events.iter().map(|it| it.trim().strip_prefix("data: ").unwrap());
        data.filter(|it| *it != "[DONE]").map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    fn answer<'a>(form: Form, completion: &'a Completion) -> Answer<'a> {
        Answer { form, completion, n_choices: 1 }
    }

    #[test]
    fn a_stream_has_the_services_order_and_says_the_same_as_the_whole() {
        let completion = said("one two [reasoning:3]").answer("m", 0, None);
        let answer = answer(Form::Chat, &completion);
        let events = answer.events(true);
        let chunks = parsed(&events);
        assert_eq!(chunks[0]["choices"], json!([]));
        assert_eq!(chunks[1]["choices"][0]["delta"]["role"], json!("assistant"));
        let text: String =
            chunks.iter().filter_map(|it| it["choices"][0]["delta"]["content"].as_str()).collect();
        let whole = answer.whole();
        assert_eq!(json!(text), whole["choices"][0]["message"]["content"]);
        assert_eq!(chunks.last().unwrap()["usage"], whole["usage"]);
        assert_eq!(whole["usage"]["completion_tokens_details"]["reasoning_tokens"], 3);
        assert_eq!(events.last().unwrap(), "data: [DONE]\n\n");
    }

    #[test]
    fn usage_is_streamed_only_on_request() {
        let completion = said("one").answer("m", 0, None);
        assert!(!answer(Form::Chat, &completion).events(false).concat().contains("usage"));
    }

    #[test]
    fn a_filtered_answer_ends_early_and_names_its_category() {
        let completion = said("[filtered-answer:hate] a b c").answer("m", 0, None);
        let whole = answer(Form::Chat, &completion).whole();
        assert_eq!(whole["choices"][0]["finish_reason"], "content_filter");
        assert_eq!(whole["choices"][0]["content_filter_results"]["hate"]["filtered"], true);
        let chunks = parsed(&answer(Form::Chat, &completion).events(false));
        let last = &chunks.last().unwrap()["choices"][0];
        assert_eq!(last["finish_reason"], "content_filter");
        assert_eq!(last["content_filter_results"]["hate"]["filtered"], true);
    }

    #[test]
    fn a_tool_is_called_whole_and_in_pieces() {
        let body = json!({ "messages": [{ "role": "user", "content": "x" }],
            "tools": [{ "type": "function", "function": { "name": "t" } }],
            "tool_choice": "required" });
        let completion = prompt(body.as_object().unwrap()).unwrap().answer("m", 0, None);
        let whole = answer(Form::Chat, &completion).whole();
        assert_eq!(whole["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "t");
        let chunks = parsed(&answer(Form::Chat, &completion).events(false));
        let arguments: String = chunks
            .iter()
            .filter_map(|it| {
                it["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str()
            })
            .collect();
        assert_eq!(arguments, "{}");
    }

    #[test]
    fn several_answers_cost_several_times() {
        let completion = said("one").answer("m", 0, None);
        let answer = Answer { form: Form::Older, completion: &completion, n_choices: 2 };
        let whole = answer.whole();
        assert_eq!(whole["choices"][1]["text"], "You said: one");
        assert_eq!(whole["usage"]["completion_tokens"], 6);
        let chunks = parsed(&answer.events(false));
        assert!(chunks.iter().any(|it| it["choices"][0]["index"] == 1));
    }

    #[test]
    fn a_refused_prompt_names_its_category() {
        let body = filtered("jailbreak").into_body();
        let body: Value = serde_json::from_slice(body.as_bytes().unwrap()).unwrap();
        let results = &body["error"]["innererror"]["content_filter_result"];
        assert_eq!(results["jailbreak"], json!({ "filtered": true, "detected": true }));
        assert_eq!(results["violence"]["filtered"], false);
    }
}
