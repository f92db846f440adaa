//! Vectors of texts, from a backend that speaks OpenAI's embeddings.
//!
//! The backend entity's own credentials count. If they are not good enough and the entity sends no
//! `Authorization` itself, the gateway's identity is tried: that is what `system-assigned` means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use identity::ManagedIdentities;
use llm::Json;
use serde_json::json;

use crate::backend_call::{BackendCall, Posted};

/// Longest wait for a vector: a cache that takes longer is no use.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The resource that Azure's models are.
const RESOURCE: &str = "https://cognitiveservices.azure.com";

const VERSION: &str = "api-version=2024-10-21";

/// Most numbers of a vector.
const MAX_DIMENSIONS: usize = 8192;

/// Asks for vectors.
#[derive(Debug, Default)]
pub(crate) struct Embedder {
    pub(crate) identities: Option<Arc<ManagedIdentities>>,
    /// Whether the backend wanted a token the last time.
    needs_token: AtomicBool,
}

impl Embedder {
    pub(crate) fn new(identities: Option<Arc<ManagedIdentities>>) -> Embedder {
        Embedder { identities, needs_token: AtomicBool::new(false) }
    }

    /// The vector of a text, of length one.
    ///
    /// # Errors
    ///
    /// There is none. The text is for logs, without secrets.
    pub(crate) async fn vector(
        &self,
        call: &BackendCall,
        text: &str,
    ) -> Result<Arc<[f32]>, String> {
        let body = json!({ "input": text }).to_string();
        let (path, query) = target(call.base_path());
        let token = match self.needs_token.load(Ordering::Relaxed) {
            true => Some(self.token().await?),
            false => None,
        };
        let has_token = token.is_some();
        let mut answer = call.post((path, query), body.clone(), token, TIMEOUT).await?;
        // An `Authorization` of the entity goes before the token: asking again would change nothing.
        let may_help = !has_token && !answer.has_authorization && self.identities.is_some();
        if answer.status == StatusCode::UNAUTHORIZED && may_help {
            let token = self.token().await?;
            answer = call.post((path, query), body, Some(token), TIMEOUT).await?;
            self.needs_token.store(answer.status.is_success(), Ordering::Relaxed);
        }
        let Posted { status, body, .. } = answer;
        if !status.is_success() {
            return Err(format!("the embeddings backend answered {}", status.as_u16()));
        }
        read(&body).ok_or_else(|| "the answer has no embedding".to_owned())
    }

    async fn token(&self) -> Result<http::HeaderValue, String> {
        let identities = self.identities.as_ref().ok_or("no managed identity is set up")?;
        let token = identities.access_token(None, RESOURCE).await.map_err(|it| it.to_string())?;
        token.bearer().ok_or_else(|| "the token makes no header".to_owned())
    }
}

/// Path and query below an entity's URL, which may name a service, a deployment, or the operation.
fn target(base_path: &str) -> (&'static str, &'static str) {
    let base = base_path.trim_end_matches('/');
    let path = if base.ends_with("/embeddings") { "" } else { "/embeddings" };
    let is_versioned = base.contains("/deployments/");
    (path, if is_versioned { VERSION } else { "" })
}

/// The first embedding of an answer, brought to length one.
fn read(body: &[u8]) -> Option<Arc<[f32]>> {
    let mut vector: Vec<f32> = Vec::new();
    let mut n_seen = 0;
    let mut is_whole = true;
    Json::of_bytes(body)?.get("data")?.each(|item| {
        n_seen += 1;
        if n_seen == 1
            && let Some(embedding) = item.get("embedding")
        {
            embedding.each(|it| match it.text().parse::<f32>() {
                Ok(number) if number.is_finite() && vector.len() < MAX_DIMENSIONS => {
                    vector.push(number);
                }
                _ => is_whole = false,
            });
        }
    });
    let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
    if !is_whole || !length.is_finite() || length <= f32::EPSILON {
        return None;
    }
    vector.iter_mut().for_each(|it| *it /= length);
    Some(vector.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Answering, context};

    #[test]
    fn an_entity_names_a_service_a_deployment_or_the_operation() {
        for (base, expected) in [
            ("/openai/deployments/e", ("/embeddings", VERSION)),
            ("/openai/deployments/e/embeddings", ("", VERSION)),
            ("/openai/v1", ("/embeddings", "")),
            ("/openai/v1/embeddings/", ("", "")),
        ] {
            assert_eq!(target(base), expected, "{base}");
        }
    }

    #[test]
    fn vectors_are_brought_to_length_one_and_nonsense_is_none() {
        let of = |text: &str| read(text.as_bytes()).map(|it| it.to_vec());
        assert_eq!(of(r#"{"data":[{"embedding":[3,4]}]}"#), Some(vec![0.6, 0.8]));
        for nonsense in [
            "{}",
            "oops",
            r#"{"data":[]}"#,
            r#"{"data":[{"embedding":[0,0]}]}"#,
            r#"{"data":[{"embedding":["a"]}]}"#,
            r#"{"data":[{"embedding":[1e39]}]}"#,
        ] {
            assert_eq!(of(nonsense), None, "{nonsense}");
        }
    }

    #[tokio::test]
    async fn a_backend_that_fails_gives_no_vector() {
        for (status, body) in [(500, "{}"), (401, "{}"), (200, "{}")] {
            let forward = Answering::new(match (status, body) {
                (500, _) => |_, _| (500, "{}".to_owned()),
                (401, _) => |_, _| (401, "{}".to_owned()),
                _ => |_, _| (200, "{}".to_owned()),
            });
            let context = context(Arc::clone(&forward), "/x", "");
            let call = BackendCall::of(&context, "safety").unwrap();
            assert!(Embedder::default().vector(&call, "x").await.is_err());
            assert_eq!(forward.n_asked(), 1);
        }
    }
}
