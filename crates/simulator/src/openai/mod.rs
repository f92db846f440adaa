//! Azure OpenAI: chat completions and embeddings, under deployment paths and under `/openai/v1/`.
//!
//! The answers are made from the request, so that a test can predict them; the checks are real:
//! a key must be the resource's, a token must be signed by the Entra ID stand-in for
//! `https://cognitiveservices.azure.com` and be alive.
//!
//! Source: <https://learn.microsoft.com/azure/ai-services/openai/reference>

mod chat;
mod embeddings;
pub(crate) mod error;

use http::{HeaderMap, Method, header};
use serde_json::{Map, Value};
use transport::{Request, Response};
use url::form_urlencoded;

use crate::entra::token;
use crate::reply;
use crate::world::World;

/// The resource that a token must be for.
const RESOURCE: &str = "https://cognitiveservices.azure.com";

/// Longest request body, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

pub(crate) async fn handle(world: &World, request: Request) -> Response {
    let client_request_id = header_text(request.headers(), "x-ms-client-request-id");
    let mut response = answer(world, request).await;
    let request_id = reply::request_id();
    let echoed = client_request_id.unwrap_or_else(|| request_id.clone());
    reply::set(&mut response, "apim-request-id", &reply::request_id());
    reply::set(&mut response, "x-request-id", &request_id);
    reply::set(&mut response, "x-ms-client-request-id", &echoed);
    reply::set(&mut response, "x-ms-region", "Local");
    reply::set(&mut response, "x-content-type-options", "nosniff");
    reply::set(&mut response, "x-accel-buffering", "no");
    response
}

async fn answer(world: &World, request: Request) -> Response {
    if let Err(refusal) = authorize(world, request.headers()) {
        return refusal;
    }
    let Some(call) = Call::parse(&request) else { return error::resource_not_found() };
    let body = match request.into_body().collect(MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(problem) => return error::invalid_request(&problem.to_string(), None),
    };
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return error::invalid_request("We could not parse the JSON body of your request.", None);
    };
    let deployment =
        call.deployment.as_deref().or_else(|| body.get("model").and_then(Value::as_str));
    let Some(model) = deployment.and_then(|it| world.seed.deployments.get(it)) else {
        return error::deployment_not_found();
    };
    let embeds = model.contains("embedding");
    match call.operation {
        Operation::Chat if embeds => error::wrong_model("chatCompletion", model),
        Operation::Chat => chat::answer(model, &body, world.now()),
        Operation::Embeddings if !embeds => error::wrong_model("embeddings", model),
        Operation::Embeddings => embeddings::answer(model, &body),
    }
}

/// A bearer token that is good decides; otherwise the key must be. What the real service does when
/// both come is not documented. Published set-ups send it a managed identity's token beside the
/// caller's `api-key`, so it is taken to accept that.
fn authorize(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    let bearer = header_text(headers, "authorization");
    let bearer = bearer.as_deref().and_then(|it| it.strip_prefix("Bearer "));
    let is_key = |text: &str| text == world.seed.openai_key;
    if let Some(text) = bearer {
        let is_good =
            is_key(text) || token::check(&world.keys(), text, &[RESOURCE], world.now()).is_ok();
        if is_good {
            return Ok(());
        }
    }
    match header_text(headers, "api-key") {
        Some(key) if is_key(&key) => Ok(()),
        Some(_) if bearer.is_none() => Err(error::wrong_key()),
        None if bearer.is_none() => Err(error::wrong_key()),
        _ => Err(error::wrong_token()),
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Chat,
    Embeddings,
}

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    operation: Operation,
    deployment: Option<String>,
}

impl Call {
    fn parse(request: &Request) -> Option<Self> {
        let uri = request.uri();
        let has_version = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .any(|(name, value)| name == "api-version" && !value.is_empty());
        Self::of(request.method(), uri.path(), has_version)
    }

    fn of(method: &Method, path: &str, has_version: bool) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
        let (deployment, rest) = match segments.as_slice() {
            ["openai", "deployments", deployment, rest @ ..] if has_version => {
                (Some((*deployment).to_owned()), rest)
            }
            ["openai", "v1", rest @ ..] => (None, rest),
            _ => return None,
        };
        let operation = match rest {
            ["chat", "completions"] => Operation::Chat,
            ["embeddings"] => Operation::Embeddings,
            _ => return None,
        };
        (method == Method::POST).then_some(Self { operation, deployment })
    }
}

/// Roughly how many tokens a text has: a word or mark of up to eight characters is one token, a
/// longer word one for every four characters. Good for tests, which can predict it; not a bill.
fn count_tokens(text: &str) -> u64 {
    text.split_whitespace()
        .map(|word| match word.chars().count() {
            0..=8 => 1,
            n => u64::try_from(n.div_ceil(4)).unwrap_or(u64::MAX),
        })
        .sum()
}

/// Sets the content type of a stream.
fn event_stream(response: &mut Response) {
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        http::HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_surfaces_are_understood_and_a_version_is_needed_on_one() {
        let chat = |path, has_version| Call::of(&Method::POST, path, has_version);
        let deployed = Call { operation: Operation::Chat, deployment: Some("d".into()) };
        assert_eq!(chat("/openai/deployments/d/chat/completions", true), Some(deployed));
        assert_eq!(chat("/openai/deployments/d/chat/completions", false), None);
        assert_eq!(
            chat("/openai/v1/embeddings", false),
            Some(Call { operation: Operation::Embeddings, deployment: None })
        );
        assert_eq!(chat("/openai/v1//openai/v1/chat/completions", false), None);
    }

    #[test]
    fn only_a_post_is_a_call() {
        assert_eq!(Call::of(&Method::GET, "/openai/v1/embeddings", true), None);
    }
}
