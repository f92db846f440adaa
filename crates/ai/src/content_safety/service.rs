//! Azure AI Content Safety on the wire.
//!
//! Source: <https://learn.microsoft.com/rest/api/contentsafety/text-operations>, version 2024-09-01

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::rules::Rules;
use super::texts::Asked;
use crate::backend_call::BackendCall;

/// Longest wait for a verdict.
const TIMEOUT: Duration = Duration::from_secs(10);

const VERSION: &str = "api-version=2024-09-01";

/// The service, and what it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) call: BackendCall,
    pub(super) rules: Arc<Rules>,
}

/// What the service found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Clean,
    /// Something; the text says what, without the text that was checked.
    Blocked(String),
}

/// There is no verdict; why, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unavailable(String);

impl Unavailable {
    pub(super) fn of(why: impl Into<String>) -> Unavailable {
        Unavailable(why.into())
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Service {
    /// Judges a text by categories and blocklists.
    pub(super) async fn analyze(&self, text: &str) -> Result<Verdict, Unavailable> {
        if text.trim().is_empty() || !self.rules.check_texts() {
            return Ok(Verdict::Clean);
        }
        let body = self.rules.question(text);
        let (status, answer) = self.ask("/contentsafety/text:analyze", body).await?;
        self.rules.verdict(status, &answer)
    }

    /// Looks for attacks.
    pub(super) async fn shield(&self, asked: &Asked) -> Result<Verdict, Unavailable> {
        let says_nothing = asked.prompt.trim().is_empty() && asked.documents.is_empty();
        if !self.rules.shields || says_nothing {
            return Ok(Verdict::Clean);
        }
        let body = json!({ "userPrompt": asked.prompt, "documents": asked.documents });
        let (status, answer) = self.ask("/contentsafety/text:shieldPrompt", body).await?;
        attack(status, &answer)
    }

    async fn ask(&self, path: &str, body: Value) -> Result<(StatusCode, Bytes), Unavailable> {
        let sent = self.call.post((path, VERSION), body.to_string(), None, TIMEOUT).await;
        sent.map(|it| (it.status, it.body)).map_err(Unavailable)
    }
}

impl Rules {
    fn question(&self, text: &str) -> Value {
        let mut body = json!({ "text": text, "outputType": self.output_type.word() });
        if let Some(members) = body.as_object_mut() {
            if !self.categories.is_empty() {
                let names: Vec<&str> = self.categories.iter().map(|(it, _)| it.word()).collect();
                members.insert("categories".into(), json!(names));
            }
            if !self.blocklists.is_empty() {
                members.insert("blocklistNames".into(), json!(self.blocklists));
                members.insert("haltOnBlocklistHit".into(), json!(true));
            }
        }
        body
    }

    /// What the answer says. An answer that does not say all that was asked is none.
    fn verdict(&self, status: StatusCode, answer: &[u8]) -> Result<Verdict, Unavailable> {
        let answer = read(status, answer)?;
        let hits = answer.get("blocklistsMatch").and_then(Value::as_array);
        if let Some(hit) = hits.and_then(|it| it.first()) {
            let name = hit.get("blocklistName").and_then(Value::as_str).unwrap_or_default();
            return Ok(Verdict::Blocked(format!("Blocklist {name} has an entry that matches.")));
        }
        if !self.blocklists.is_empty() && hits.is_none() {
            return Err(Unavailable::of("the answer has no `blocklistsMatch`"));
        }
        let analysis = answer.get("categoriesAnalysis").and_then(Value::as_array);
        for (category, threshold) in &self.categories {
            let word = category.word();
            let found = analysis
                .into_iter()
                .flatten()
                .find(|it| it.get("category").and_then(Value::as_str) == Some(word));
            let severity = found.and_then(|it| it.get("severity")).and_then(Value::as_u64);
            let Some(severity) = severity else {
                return Err(Unavailable::of(format!("the answer says nothing of `{word}`")));
            };
            if severity >= u64::from(*threshold) {
                let why = format!("Category {word} has severity {severity}; {threshold} blocks.");
                return Ok(Verdict::Blocked(why));
            }
        }
        Ok(Verdict::Clean)
    }
}

fn attack(status: StatusCode, answer: &[u8]) -> Result<Verdict, Unavailable> {
    let answer = read(status, answer)?;
    let detected = |it: &Value| it.get("attackDetected").and_then(Value::as_bool);
    let Some(in_prompt) = answer.get("userPromptAnalysis").map(detected) else {
        return Err(Unavailable::of("the answer has no `userPromptAnalysis`"));
    };
    let documents = answer.get("documentsAnalysis").and_then(Value::as_array);
    let in_documents = documents.into_iter().flatten().map(detected);
    let mut is_attack = false;
    for found in std::iter::once(in_prompt).chain(in_documents) {
        match found {
            Some(found) => is_attack |= found,
            None => return Err(Unavailable::of("the answer has no `attackDetected`")),
        }
    }
    Ok(match is_attack {
        true => Verdict::Blocked("An attack on the prompt was detected.".to_owned()),
        false => Verdict::Clean,
    })
}

fn read(status: StatusCode, answer: &[u8]) -> Result<Value, Unavailable> {
    if !status.is_success() {
        return Err(Unavailable::of(format!("the service answered {}", status.as_u16())));
    }
    serde_json::from_slice(answer).map_err(|_| Unavailable::of("the answer is no JSON"))
}

#[cfg(test)]
mod tests {
    use super::super::rules::{Category, OutputType};
    use super::*;

    fn rules(categories: &[(Category, u8)], blocklists: &[&str]) -> Rules {
        Rules {
            categories: categories.to_vec(),
            output_type: OutputType::EightSeverityLevels,
            blocklists: blocklists.iter().map(|it| (*it).to_owned()).collect(),
            shields: false,
            window: 10,
            overlap: 0,
        }
    }

    #[test]
    fn the_question_names_what_is_wanted() {
        let asked = rules(&[(Category::SelfHarm, 4)], &["a"]).question("x");
        assert_eq!(
            asked,
            json!({ "text": "x", "outputType": "EightSeverityLevels", "categories": ["SelfHarm"],
                "blocklistNames": ["a"], "haltOnBlocklistHit": true })
        );
        let few = rules(&[], &["a"]).question("x");
        assert!(few.get("categories").is_none());
    }

    #[test]
    fn a_severity_at_the_threshold_blocks_and_silence_is_no_verdict() {
        let it = rules(&[(Category::Hate, 4)], &[]);
        let verdict = |text: &str| it.verdict(StatusCode::OK, text.as_bytes());
        let of = |severity| {
            format!(r#"{{"categoriesAnalysis":[{{"category":"Hate","severity":{severity}}}]}}"#)
        };
        assert_eq!(verdict(&of(3)), Ok(Verdict::Clean));
        assert!(matches!(verdict(&of(4)), Ok(Verdict::Blocked(why)) if why.contains("Hate")));
        for silent in ["{}", r#"{"categoriesAnalysis":[]}"#, "oops"] {
            assert!(verdict(silent).is_err(), "{silent}");
        }
        assert!(it.verdict(StatusCode::TOO_MANY_REQUESTS, of(0).as_bytes()).is_err());
    }

    #[test]
    fn a_hit_in_a_blocklist_blocks_whatever_the_categories_say() {
        let it = rules(&[(Category::Hate, 4)], &["names"]);
        let hit = r#"{"blocklistsMatch":[{"blocklistName":"names"}],"categoriesAnalysis":[]}"#;
        let verdict = it.verdict(StatusCode::OK, hit.as_bytes());
        assert!(matches!(verdict, Ok(Verdict::Blocked(why)) if why.contains("names")));
        let silent = r#"{"categoriesAnalysis":[{"category":"Hate","severity":0}]}"#;
        assert!(it.verdict(StatusCode::OK, silent.as_bytes()).is_err());
    }

    #[test]
    fn attacks_are_seen_in_prompt_and_documents() {
        let of = |text: &str| attack(StatusCode::OK, text.as_bytes());
        let clean = r#"{"userPromptAnalysis":{"attackDetected":false},"documentsAnalysis":[]}"#;
        assert_eq!(of(clean), Ok(Verdict::Clean));
        let in_document = r#"{"userPromptAnalysis":{"attackDetected":false},
            "documentsAnalysis":[{"attackDetected":true}]}"#;
        assert!(matches!(of(in_document), Ok(Verdict::Blocked(_))));
        assert!(of("{}").is_err() && of(r#"{"userPromptAnalysis":{}}"#).is_err());
    }
}
