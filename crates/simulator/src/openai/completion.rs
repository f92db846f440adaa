//! What the model answers, whatever the API: made from the prompt, so that a test knows it.
//!
//! The answer repeats the last user message (`You said: ...`), or the result of a tool when that
//! came last. Words in a prompt ask for more:
//!
//! | word | effect |
//! |---|---|
//! | `[filtered]`, `[filtered:hate]` | the content filter refuses the prompt |
//! | `[filtered-answer]`, `[filtered-answer:hate]` | the content filter stops the answer in its middle |
//! | `[cached:7]` | so many of the prompt's tokens count as cached |
//! | `[reasoning:5]` | so many tokens of reasoning are added to the answer's |
//! | `[tool]` | the first tool of the request is called |

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use transport::{Body, Clock, Response};

use super::count_tokens;
use crate::reply;

/// Pause between two events of a stream that has no latency of its own, so that they come apart.
const PACE: Duration = Duration::from_millis(2);

/// What a request asks the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// The text of each message, with its role.
    pub(crate) messages: Vec<(String, String)>,
    /// The tool that must be called, or may be.
    pub(crate) tool: Option<Tool>,
    /// Most tokens of the answer.
    pub(crate) limit: Option<u64>,
}

/// A tool of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// Whether the request insists on it.
    pub(crate) is_required: bool,
}

/// Tokens by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt: u64,
    pub(crate) cached: u64,
    /// Including those of reasoning.
    pub(crate) completion: u64,
    pub(crate) reasoning: u64,
}

impl Usage {
    pub(crate) fn total(self) -> u64 {
        self.prompt + self.completion
    }
}

/// Why an answer ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Finish {
    #[default]
    Stop,
    Length,
    ToolCall,
    /// By this category.
    ContentFilter(String),
}

/// An answer of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Completion {
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    pub(crate) model: String,
    /// The text, word by word, each with the blank behind it.
    pub(crate) words: Vec<String>,
    /// The tool that it calls instead of saying something.
    pub(crate) tool: Option<String>,
    pub(crate) finish: Finish,
    pub(crate) usage: Usage,
}

impl Prompt {
    /// Roughly how many tokens it has, four more for each message.
    pub(crate) fn n_tokens(&self) -> u64 {
        self.messages.iter().map(|(_, text)| count_tokens(text) + 4).sum()
    }

    /// The category by which the content filter refuses it.
    pub(crate) fn refused_category(&self) -> Option<String> {
        self.word("filtered").map(|it| it.unwrap_or("violence").to_owned())
    }

    /// A bracketed word: `Some(None)` for `[name]`, `Some(Some("x"))` for `[name:x]`.
    fn word(&self, name: &str) -> Option<Option<&str>> {
        self.messages.iter().find_map(|(_, text)| {
            text.match_indices('[').find_map(|(at, _)| {
                let (inside, _) = text.get(at + 1..)?.split_once(']')?;
                match inside.split_once(':') {
                    Some((it, argument)) if it == name => Some(Some(argument)),
                    None if inside == name => Some(None),
                    _ => None,
                }
            })
        })
    }

    fn number(&self, name: &str) -> u64 {
        self.word(name).flatten().and_then(|it| it.parse().ok()).unwrap_or(0)
    }

    /// The model's answer; `filter` is a category by which it is stopped in any case.
    pub(crate) fn answer(&self, model: &str, created: u64, filter: Option<&str>) -> Completion {
        let n_prompt = self.n_tokens();
        let mut completion = Completion {
            id: uuid::Uuid::new_v4().simple().to_string(),
            created,
            model: model.to_owned(),
            usage: Usage {
                prompt: n_prompt,
                cached: self.number("cached").min(n_prompt),
                completion: 0,
                reasoning: self.number("reasoning"),
            },
            ..Completion::default()
        };
        let last = self.messages.last().map(|(role, _)| role.as_str());
        let calls = |tool: &&Tool| tool.is_required || self.word("tool").is_some();
        match self.tool.as_ref().filter(calls).filter(|_| last != Some("tool")) {
            Some(tool) => {
                completion.tool = Some(tool.name.clone());
                completion.finish = Finish::ToolCall;
            }
            None => self.say(&mut completion, filter),
        }
        let n_said: u64 = match &completion.tool {
            Some(name) => count_tokens(name) + 4,
            None => count_tokens(&completion.text()),
        };
        completion.usage.completion = n_said + completion.usage.reasoning;
        completion
    }

    fn say(&self, completion: &mut Completion, filter: Option<&str>) {
        let spoken = self.messages.iter().rfind(|(role, _)| role == "user" || role == "tool");
        let text = spoken.map_or("Hello.".to_owned(), |(_, text)| format!("You said: {text}"));
        let mut words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
        let limit = self.limit.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
        if words.len() > limit {
            words.truncate(limit);
            completion.finish = Finish::Length;
        }
        let asked = self.word("filtered-answer").map(|it| it.unwrap_or("violence"));
        if let Some(category) = filter.or(asked) {
            words.truncate(words.len() / 2);
            completion.finish = Finish::ContentFilter(category.to_owned());
        }
        completion.words = words;
    }
}

impl Completion {
    /// The whole text.
    pub(crate) fn text(&self) -> String {
        self.words.concat()
    }
}

/// The text of a message's content: text, or a list of parts with text.
pub(crate) fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    }
}

/// How fast answers come.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) per_token: Duration,
}

impl Pace {
    /// Waits as long as so many tokens take.
    pub(crate) async fn wait(&self, n_tokens: u64) {
        let n_tokens = u32::try_from(n_tokens).unwrap_or(u32::MAX);
        let time = self.per_token.saturating_mul(n_tokens);
        if !time.is_zero() {
            self.clock.sleep(time).await;
        }
    }

    /// A stream of these events, a token's time after each of them.
    pub(crate) fn stream(self, events: Vec<String>) -> Response {
        let (sender, body) = Body::channel(1);
        tokio::spawn(async move {
            for event in events {
                if sender.send(Bytes::from(event)).await.is_err() {
                    return;
                }
                match self.per_token {
                    Duration::ZERO => tokio::time::sleep(PACE).await,
                    _ => self.wait(1).await,
                }
            }
        });
        let mut response = Response::new(body);
        reply::event_stream(&mut response);
        response
    }
}

/// An event without a name.
pub(crate) fn data_event(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// An event with a name: its `type`.
pub(crate) fn named_event(data: &Value) -> String {
    let name = data.get("type").and_then(Value::as_str).unwrap_or("message");
    format!("event: {name}\ndata: {data}\n\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn prompt(text: &str) -> Prompt {
        Prompt { messages: vec![("user".into(), text.into())], ..Prompt::default() }
    }

    #[test]
    fn an_answer_says_what_was_said_within_its_limit() {
        assert_eq!(prompt("a b").answer("m", 0, None).text(), "You said: a b");
        let cut = Prompt { limit: Some(2), ..prompt("a b") }.answer("m", 0, None);
        assert_eq!((cut.text().as_str(), cut.finish), ("You said: ", Finish::Length));
    }

    #[test]
    fn words_of_the_prompt_ask_for_kinds_of_tokens() {
        let usage = prompt("hi [cached:2] [reasoning:5]").answer("m", 0, None).usage;
        assert_eq!((usage.prompt, usage.cached, usage.reasoning), (12, 2, 5));
        assert_eq!(usage.completion, count_tokens("You said: hi [cached:2] [reasoning:5]") + 5);
        assert_eq!(prompt("[cached:99]").answer("m", 0, None).usage.cached, 7);
    }

    #[test]
    fn the_filter_has_categories() {
        assert_eq!(prompt("[filtered]").refused_category().unwrap(), "violence");
        assert_eq!(prompt("x [filtered:hate] y").refused_category().unwrap(), "hate");
        assert_eq!(prompt("[filtered-answer]").refused_category(), None);
        let stopped = prompt("[filtered-answer:sexual] b c").answer("m", 0, None);
        assert_eq!(stopped.finish, Finish::ContentFilter("sexual".into()));
        let told = prompt("a b").answer("m", 0, Some("hate"));
        assert_eq!(told.finish, Finish::ContentFilter("hate".into()));
    }

    #[test]
    fn a_tool_is_called_on_demand_and_not_again_with_its_result() {
        let tool = |is_required| Some(Tool { name: "t".into(), is_required });
        let ask = |text: &str, is_required| Prompt { tool: tool(is_required), ..prompt(text) };
        assert_eq!(ask("hi", false).answer("m", 0, None).tool, None);
        assert_eq!(ask("[tool]", false).answer("m", 0, None).tool.unwrap(), "t");
        let mut second = ask("hi", true);
        assert!(second.answer("m", 0, None).tool.is_some());
        second.messages.push(("tool".into(), "42".into()));
        assert_eq!(second.answer("m", 0, None).text(), "You said: 42");
    }
}
