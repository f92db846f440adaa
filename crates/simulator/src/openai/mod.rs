//! Azure OpenAI: chat completions, completions, responses, embeddings and realtime sessions, under
//! deployment paths and under `/openai/v1/`; models of Anthropic and Gemini in their own shapes.
//!
//! The answers are made from the request, so that a test can predict them ([`completion`]); the
//! checks are real: a key must be the resource's, a token must be signed by the Entra ID stand-in
//! for `https://cognitiveservices.azure.com` and be alive, a deployment has its limits.
//!
//! Source: <https://learn.microsoft.com/azure/ai-services/openai/reference>

mod anthropic;
mod call;
mod chat;
mod completion;
mod embeddings;
pub(crate) mod error;
mod gemini;
mod realtime;
mod responses;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use transport::{Request, Response};
use url::form_urlencoded;

use self::call::{Call, Operation};
use self::chat::Form;
use self::completion::{Pace, Prompt};
use crate::deployment::{Deployment, Rates};
use crate::entra::token;
use crate::fault::Twist;
use crate::reply;
use crate::world::World;

/// The resource that a token must be for.
const RESOURCE: &str = "https://cognitiveservices.azure.com";

/// Longest request body, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Tokens that an answer is expected to have when the request sets no limit.
const EXPECTED_TOKENS: u64 = 16;

pub(crate) async fn handle(world: &World, request: Request, host: &str, twist: &Twist) -> Response {
    let client_request_id = header_text(request.headers(), "x-ms-client-request-id");
    let mut response = answer(world, request, host, twist).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
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

async fn answer(world: &World, request: Request, host: &str, twist: &Twist) -> Response {
    let query = Query::of(&request);
    if let Err(refusal) = authorize(world, request.headers(), &query) {
        return refusal;
    }
    let Some(call) = Call::parse(request.method(), request.uri().path(), query.version().is_some())
    else {
        return error::resource_not_found();
    };
    match call.operation {
        Operation::Models => return models(world),
        Operation::Realtime => return realtime(world, request, host, &query),
        _ => {}
    }
    let body = match request.into_body().collect(MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(problem) => return error::invalid_request(&problem.to_string(), None),
    };
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return error::invalid_request("We could not parse the JSON body of your request.", None);
    };
    let name = call.deployment.as_deref().or_else(|| body.get("model").and_then(Value::as_str));
    let Some((key, deployment)) = name.and_then(|it| world.deployments.find(host, it)) else {
        return error::deployment_not_found();
    };
    let asked = Asked { world, call: &call, body: &body, key: &key, deployment: &deployment };
    asked.answer(twist, query.version().unwrap_or("v1")).await
}

/// A call whose deployment is known.
struct Asked<'a> {
    world: &'a World,
    call: &'a Call,
    body: &'a Map<String, Value>,
    key: &'a str,
    deployment: &'a Deployment,
}

impl Asked<'_> {
    async fn answer(&self, twist: &Twist, version: &str) -> Response {
        let model = self.deployment.model.as_str();
        let embeds = model.contains("embedding");
        let operation = self.call.operation;
        if embeds != (operation == Operation::Embeddings) {
            return error::wrong_model(operation.word(), model);
        }
        let prompt = match self.prompt() {
            Ok(prompt) => prompt,
            Err(refusal) => return refusal,
        };
        let n_tokens = match &prompt {
            Some(prompt) => prompt.n_tokens() + prompt.limit.unwrap_or(EXPECTED_TOKENS),
            None => embeddings::n_charged(self.body),
        };
        let now = self.world.clock.monotonic();
        let rates = match self.world.deployments.charge(self.key, now, n_tokens) {
            Ok(rates) => rates,
            Err(throttled) => {
                let mut response = error::throttled(operation.id(), version, &throttled);
                tell(&mut response, throttled.rates);
                return response;
            }
        };
        let mut response = match prompt {
            Some(prompt) => self.complete(&prompt, twist.content_filter.as_deref()).await,
            None => embeddings::answer(model, self.body),
        };
        tell(&mut response, rates);
        response
    }

    /// What the model is asked; `None` for embeddings.
    fn prompt(&self) -> Result<Option<Prompt>, Response> {
        match self.call.operation {
            Operation::Chat => chat::prompt(self.body).map(Some),
            Operation::Completions => chat::older_prompt(self.body).map(Some),
            Operation::Responses => responses::prompt(self.body).map(Some),
            Operation::Messages => anthropic::prompt(self.body).map(Some),
            Operation::Generate { .. } => gemini::prompt(self.body).map(Some),
            Operation::Embeddings | Operation::Models | Operation::Realtime => Ok(None),
        }
    }

    async fn complete(&self, prompt: &Prompt, filter: Option<&str>) -> Response {
        if let Some(category) = prompt.refused_category() {
            return chat::filtered(&category);
        }
        let completion = prompt.answer(&self.deployment.model, self.world.now(), filter);
        let pace = Pace {
            clock: Arc::clone(&self.world.clock),
            per_token: Duration::from_millis(self.deployment.latency_per_token_ms),
        };
        match self.call.operation {
            Operation::Completions => chat::answer(Form::Older, &completion, self.body, pace).await,
            Operation::Responses => responses::answer(&completion, self.body, pace).await,
            Operation::Messages => anthropic::answer(&completion, self.body, pace).await,
            Operation::Generate { is_stream } => gemini::answer(&completion, is_stream, pace).await,
            _ => chat::answer(Form::Chat, &completion, self.body, pace).await,
        }
    }
}

/// Sets the headers that tell what is left.
fn tell(response: &mut Response, rates: Rates) {
    if let Some((limit, left)) = rates.requests {
        reply::set(response, "x-ratelimit-limit-requests", &limit.to_string());
        reply::set(response, "x-ratelimit-remaining-requests", &left.to_string());
    }
    if let Some((limit, left)) = rates.tokens {
        reply::set(response, "x-ratelimit-limit-tokens", &limit.to_string());
        reply::set(response, "x-ratelimit-remaining-tokens", &left.to_string());
    }
}

fn models(world: &World) -> Response {
    let list = world.deployments.models().into_iter().map(|(name, model)| {
        json!({ "id": name, "object": "model", "created": world.now(), "owned_by": "local", "model": model })
    });
    reply::json(StatusCode::OK, &json!({ "object": "list", "data": list.collect::<Vec<_>>() }))
}

fn realtime(world: &World, request: Request, host: &str, query: &Query) -> Response {
    let name = query.get("deployment").or_else(|| query.get("model"));
    let Some((_, deployment)) = name.and_then(|it| world.deployments.find(host, it)) else {
        return error::deployment_not_found();
    };
    realtime::handle(request, deployment.model, world.now())
}

/// The query of a request.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(request: &Request) -> Self {
        let query = request.uri().query().unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    fn version(&self) -> Option<&str> {
        self.get("api-version").filter(|it| !it.is_empty())
    }
}

/// A bearer token that is good decides; otherwise the key must be. What the real service does when
/// both come is not documented. Published set-ups send it a managed identity's token beside the
/// caller's `api-key`, so it is taken to accept that.
fn authorize(world: &World, headers: &HeaderMap, query: &Query) -> Result<(), Response> {
    let bearer = header_text(headers, "authorization");
    let bearer = bearer.as_deref().and_then(|it| it.strip_prefix("Bearer "));
    if let Some(text) = bearer
        && is_credential(world, text)
    {
        return Ok(());
    }
    let named = ["api-key", "x-api-key", "x-goog-api-key"]
        .iter()
        .find_map(|it| header_text(headers, it))
        .or_else(|| query.get("api-key").or_else(|| query.get("key")).map(str::to_owned));
    match named {
        Some(key) if key == world.seed.openai_key => Ok(()),
        _ if bearer.is_none() => Err(error::wrong_key()),
        _ => Err(error::wrong_token()),
    }
}

/// Whether a bearer text is the resource's key or a good token for it.
pub(crate) fn is_credential(world: &World, text: &str) -> bool {
    text == world.seed.openai_key
        || token::check(&world.keys(), text, &[RESOURCE], world.now()).is_ok()
}

pub(crate) fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
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
