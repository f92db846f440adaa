//! Whose entries may answer a question: those of the same partition.

use aws_lc_rs::digest::{Context as Digest, SHA256};
use llm::Format;
use pipeline::Context;

use super::index::PartitionKey;
use super::question::Question;

/// What the policy tells apart.
#[derive(Debug)]
pub(crate) struct Apart {
    /// Values of `vary-by`, all together.
    pub(crate) vary_by: Vec<String>,
    /// Whether callers of different subscriptions share entries without `vary-by`.
    pub(crate) shares: bool,
    /// The backend whose embeddings are compared.
    pub(crate) embeddings: String,
}

/// The partition of a question: API, operation, model, every parameter, and who asks.
pub(crate) fn key(context: &Context, question: &Question, apart: &Apart) -> PartitionKey {
    let mut parts = Parts(Digest::new(&SHA256));
    let api = context.api.as_ref().map_or("", |it| it.id.as_str());
    let operation = context.operation.as_ref().map_or("", |it| it.info.id.as_str());
    parts.add(api);
    parts.add(operation);
    // It names the deployment, where the body does not.
    parts.add(context.request.original_url.path());
    parts.add(version(context.request.original_url.own_query()));
    parts.add(question.format.name());
    parts.add(if question.is_stream { "stream" } else { "whole" });
    parts.add(&apart.embeddings);
    parts.count(question.parameters.len());
    for (name, value) in &question.parameters {
        parts.add(name);
        parts.add(value);
    }
    // `vary-by` says who shares; without it nobody does who has another subscription.
    parts.count(apart.vary_by.len());
    for value in &apart.vary_by {
        parts.add(value);
    }
    let subscription = context.subscription.as_ref().map(|it| it.id.as_str());
    match subscription.filter(|_| apart.vary_by.is_empty() && !apart.shares) {
        Some(subscription) => {
            parts.add("subscription");
            parts.add(subscription);
        }
        None => parts.add("everybody"),
    }
    parts.finish()
}

/// The API's version, which changes answers; the rest of the query may be a key.
fn version(query: &str) -> &str {
    let mut versions = query.split('&').filter_map(|it| it.strip_prefix("api-version="));
    versions.next_back().unwrap_or_default()
}

/// A SHA-256 over parts that each begin with their length, so that no two lists make one key.
struct Parts(Digest);

impl Parts {
    fn add(&mut self, part: impl AsRef<[u8]>) {
        self.count(part.as_ref().len());
        self.0.update(part.as_ref());
    }

    fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    fn finish(self) -> PartitionKey {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        key
    }
}

/// Whether a format says in its own words that an answer is whole.
pub(crate) fn is_complete(format: Format, finish_reason: &str) -> bool {
    match format {
        Format::ChatCompletions | Format::Completions => {
            matches!(finish_reason, "stop" | "length")
        }
        Format::Responses => finish_reason == "completed",
        Format::Messages => {
            matches!(finish_reason, "end_turn" | "max_tokens" | "stop_sequence")
        }
        Format::GenerateContent => matches!(finish_reason, "STOP" | "MAX_TOKENS"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expr::host::SubscriptionInfo;

    use super::*;
    use crate::semantic_cache::question::Counting;
    use crate::test_support::{Answering, context};

    fn key_of(
        subscription: Option<&str>,
        vary_by: &[&str],
        shares: bool,
        body: &str,
    ) -> PartitionKey {
        let path = "/openai/v1/chat/completions";
        let mut context = context(Answering::new(|_, _| (500, String::new())), path, body);
        context.subscription = subscription.map(|id| {
            Arc::new(SubscriptionInfo { id: id.to_owned(), ..SubscriptionInfo::default() })
        });
        let question = Question::of(path, false, body.as_bytes(), Counting::default()).unwrap();
        let vary_by = vary_by.iter().map(|it| (*it).to_owned()).collect();
        key(&context, &question, &Apart { vary_by, shares, embeddings: "e".to_owned() })
    }

    const BODY: &str = r#"{"messages":[{"role":"user","content":"U"}]}"#;

    #[test]
    fn without_vary_by_no_two_subscriptions_share() {
        let of = |subscription| key_of(subscription, &[], false, BODY);
        assert_eq!(of(Some("a")), of(Some("a")));
        assert_ne!(of(Some("a")), of(Some("b")));
        assert_ne!(of(Some("a")), of(None));
    }

    #[test]
    fn vary_by_or_the_configuration_says_who_shares() {
        let varied = |subscription, value| key_of(Some(subscription), &[value], false, BODY);
        assert_eq!(varied("a", "group"), varied("b", "group"));
        assert_ne!(varied("a", "group"), varied("a", "other"));
        assert_eq!(key_of(Some("a"), &[], true, BODY), key_of(Some("b"), &[], true, BODY));
    }

    #[test]
    fn the_dialogue_does_not_count_and_every_parameter_does() {
        let of = |body: &str| key_of(None, &[], false, body);
        let other = r#"{"messages":[{"role":"user","content":"V"}]}"#;
        assert_eq!(of(BODY), of(other));
        for more in [r#""temperature":1"#, r#""stream":true"#, r#""model":"m""#, r#""seed":1"#] {
            let body = format!(r#"{{{more},"messages":[{{"role":"user","content":"U"}}]}}"#);
            assert_ne!(of(BODY), of(&body), "{more}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let varied = |values: &[&str]| key_of(None, values, false, BODY);
        assert_ne!(varied(&["ab", "c"]), varied(&["a", "bc"]));
    }
}
