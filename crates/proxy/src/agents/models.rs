//! A unified model API: one address that speaks Chat Completions, models of several providers behind.
//!
//! ```text
//! body.model ─▶ alias ─▶ target ─▶ its request ─▶ backend ─▶ answer of Chat Completions
//!                          ▲                         │
//!                          └──── the next one ◀── failed, 429, 5xx
//! ```
//!
//! Policies see Chat Completions on both sides. Of the client's headers only those that policies
//! have set go to a provider: the client's credentials are the gateway's.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/unified-model-api>

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use config::{Model, ModelFormat, ModelTarget, ModelsApi};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use llm::Json;
use llm::translate::{
    ANTHROPIC_VERSION, MessagesStream, chat_answer, chat_error, error_object, to_messages,
    with_model,
};
use percent_encoding::percent_decode_str;
use pipeline::{
    BaseUrl, Blame, Body, Context, Follow, ForwardCall, Message, Pass, PolicyError, RequestUrl,
    Response, connection_failure, decode_body, request_body_failure,
};
use serde_json::{Value, json};

use super::tool_call::passed_on;
use crate::backend::HttpForward;

/// Longest error of a provider that is read.
const MAX_ERROR_BYTES: usize = 1 << 20;

/// What a request to a unified model API needs.
#[derive(Debug)]
pub(crate) struct ModelsCall {
    pub(super) api: Arc<ModelsApi>,
    pub(super) operation: Operation,
    /// The headers as the client sent them: what differs was set by a policy.
    pub(super) received: HeaderMap,
    pub(super) key_header: HeaderName,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Chat,
    List,
    Get,
}

impl Operation {
    /// By the place among the operations of the API.
    pub(super) fn of(place: usize) -> Operation {
        match place {
            0 => Operation::Chat,
            1 => Operation::List,
            _ => Operation::Get,
        }
    }
}

/// The backend was chosen by an alias, not by a policy.
#[derive(Clone, Copy)]
struct Chosen;

/// Answers a request.
///
/// # Errors
///
/// The body of the request did not come; the last model that was asked gave no answer.
pub(crate) async fn serve_models(
    forward: &HttpForward,
    context: &mut Context,
    models: &ModelsCall,
    call: ForwardCall,
) -> Result<(), PolicyError> {
    let response = match models.operation {
        Operation::Chat => return chat(forward, context, models, call).await,
        Operation::List => list(&models.api),
        Operation::Get => get(&models.api, context.request.original_url.path()),
    };
    context.set_response(response);
    Ok(())
}

fn list(api: &ModelsApi) -> Response {
    let data: Vec<Value> = api.models.iter().map(entry).collect();
    Response::json(StatusCode::OK, json!({ "object": "list", "data": data }).to_string())
}

fn get(api: &ModelsApi, path: &str) -> Response {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = percent_decode_str(name).decode_utf8_lossy();
    match api.get(&name) {
        Some(model) => Response::json(StatusCode::OK, entry(model).to_string()),
        None => unknown(&name),
    }
}

fn entry(model: &Model) -> Value {
    json!({ "id": model.alias, "object": "model", "created": 0, "owned_by": "gateway" })
}

fn unknown(name: &str) -> Response {
    let message = format!("The model `{name}` does not exist");
    refused(StatusCode::NOT_FOUND, &message, Some("model"), Some("model_not_found"))
}

fn refused(status: StatusCode, message: &str, param: Option<&str>, code: Option<&str>) -> Response {
    let error = error_object(message, "invalid_request_error", param, code);
    Response::json(status, error.to_string())
}

async fn chat(
    forward: &HttpForward,
    context: &mut Context,
    models: &ModelsCall,
    call: ForwardCall,
) -> Result<(), PolicyError> {
    refuse_other_backends(context)?;
    let max_bytes = context.services.max_buffered_body_bytes;
    context.request.body.buffer(max_bytes).await.map_err(|it| request_body_failure(&it))?;
    let body = context.request.body.as_bytes().unwrap_or_default();
    let Some(named) = Json::of_bytes(&body).and_then(|it| it.get("model")).and_then(Json::string)
    else {
        let message = "you must provide a model parameter";
        context.set_response(refused(StatusCode::BAD_REQUEST, message, Some("model"), None));
        return Ok(());
    };
    let Some(model) = models.api.get(&named) else {
        context.set_response(unknown(&named));
        return Ok(());
    };
    let mine = context.request.headers.clone();
    let passed = passed_on(context, &models.received, &models.key_header);
    let (mut left, mut asked) = (model.targets.len(), None);
    let mut outcome =
        Err(connection_failure("The model has no target.").blame(Blame::Configuration));
    for target in &model.targets {
        left = left.saturating_sub(1);
        let request = match request(target, &body) {
            Ok(request) => request,
            Err(response) => {
                context.set_response(*response);
                (outcome, asked) = (Ok(()), None);
                // The next may know what this one does not.
                continue;
            }
        };
        context.request.headers = headers(&passed, &mine, target.format);
        prepare(context, target, request)?;
        asked = Some(target.format);
        outcome = forward.pass_on(context, call.clone()).await;
        let is_good =
            outcome.is_ok() && context.response.as_ref().is_some_and(|it| !failed(it.status));
        if is_good || left == 0 {
            break;
        }
        tracing::debug!(request_id = %context.request_id, backend = target.backend, "a model failed");
        context.response = None;
    }
    context.request.headers = mine;
    context.request.body = Body::bytes(body.clone());
    outcome?;
    match asked {
        Some(ModelFormat::Messages) => translate(context, &body).await,
        Some(ModelFormat::ChatCompletions) | None => Ok(()),
    }
}

/// Whether another model is asked.
fn failed(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || status.is_server_error()
}

/// A policy that names a backend would be overruled without a word.
fn refuse_other_backends(context: &mut Context) -> Result<(), PolicyError> {
    let is_ours = context.request.extensions.get::<Chosen>().is_some();
    let is_moved =
        context.request.url.base().to_string() != context.request.original_url.base().to_string();
    if !is_ours && (context.backend().is_some() || is_moved) {
        let message = "The models of a unified model API name their backends: no policy can.";
        return Err(connection_failure(message).blame(Blame::Configuration));
    }
    context.request.extensions.insert(Chosen);
    Ok(())
}

/// The body of the request to a model, or what the client is told.
fn request(target: &ModelTarget, body: &Bytes) -> Result<Vec<u8>, Box<Response>> {
    match target.format {
        // A body without a model was refused before.
        ModelFormat::ChatCompletions => {
            Ok(with_model(body, &target.model).unwrap_or_else(|| body.to_vec()))
        }
        ModelFormat::Messages => match to_messages(body, &target.model, target.max_tokens) {
            Ok(made) => Ok(made.to_string().into_bytes()),
            Err(why) => {
                let param = Some(why.param.as_str()).filter(|it| !it.is_empty());
                Err(Box::new(refused(StatusCode::BAD_REQUEST, &why.message, param, None)))
            }
        },
    }
}

/// The headers of the request to a model.
fn headers(passed: &HeaderMap, mine: &HeaderMap, format: ModelFormat) -> HeaderMap {
    let mut headers = passed.clone();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(accept) = mine.get(header::ACCEPT) {
        headers.insert(header::ACCEPT, accept.clone());
    }
    match format {
        ModelFormat::ChatCompletions => {
            if let Some(encoding) = mine.get(header::ACCEPT_ENCODING) {
                headers.insert(header::ACCEPT_ENCODING, encoding.clone());
            }
        }
        ModelFormat::Messages => {
            let version = HeaderName::from_static("anthropic-version");
            headers.entry(version).or_insert(HeaderValue::from_static(ANTHROPIC_VERSION));
        }
    }
    headers
}

fn prepare(context: &mut Context, target: &ModelTarget, body: Vec<u8>) -> Result<(), PolicyError> {
    let unknown = || {
        let message = format!("Backend {} was not found.", target.backend);
        connection_failure(message).blame(Blame::Configuration)
    };
    context.use_backend(&target.backend).map_err(|_| unknown())?;
    let base = context.backends.get(&target.backend).and_then(|it| it.url.clone());
    let path = match (target.format, base.as_deref().map_or("", BaseUrl::path)) {
        (ModelFormat::ChatCompletions, it) if it.ends_with("/chat/completions") => "",
        (ModelFormat::ChatCompletions, _) => "/chat/completions",
        (ModelFormat::Messages, it) if it.ends_with("/messages") => "",
        (ModelFormat::Messages, it) if it.ends_with("/v1") => "/messages",
        (ModelFormat::Messages, _) => "/v1/messages",
    };
    // A pool's member brings its own URL when it is chosen.
    let base = base.unwrap_or_else(|| Arc::clone(context.request.url.base()));
    context.request.url = RequestUrl::new(base, path, "");
    context.set_body(Message::Request, Body::bytes(body));
    Ok(())
}

/// Makes the answer of the Messages API one of Chat Completions.
async fn translate(context: &mut Context, asked: &Bytes) -> Result<(), PolicyError> {
    let created = context.services.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let created = created.as_secs();
    let max_bytes = context.services.max_buffered_body_bytes;
    let Some(response) = &mut context.response else { return Ok(()) };
    if !response.decode_on_its_way() {
        return Err(unreadable("its encoding cannot be undone"));
    }
    let is_stream = response.status.is_success() && is_event_stream(&response.headers);
    if is_stream {
        let tells_usage = Json::of_bytes(asked)
            .and_then(|it| it.at(&["stream_options", "include_usage"]))
            .is_some_and(Json::is_true);
        response.headers.remove(header::CONTENT_LENGTH);
        response.body.follow(Translated(MessagesStream::new(created, tells_usage)));
        return Ok(());
    }
    let is_success = response.status.is_success();
    let limit = if is_success { max_bytes } else { MAX_ERROR_BYTES.min(max_bytes) };
    response.body.buffer(limit).await.map_err(|it| unreadable(&it.to_string()))?;
    let bytes = response.body.as_bytes().unwrap_or_default();
    let bytes = decode_body(&response.headers, bytes, limit)
        .map_err(|_| unreadable("its encoding cannot be undone"))?;
    let made = match is_success {
        true => chat_answer(&bytes, created)
            .ok_or_else(|| unreadable("it is none of the Messages API"))?,
        false => {
            let fallback = response.status.canonical_reason().unwrap_or("the model failed");
            let (status, error) = chat_error(response.status.as_u16(), &bytes, fallback);
            response.status = StatusCode::from_u16(status).unwrap_or(response.status);
            error
        }
    };
    let json = HeaderValue::from_static("application/json");
    response.headers.insert(header::CONTENT_TYPE, json);
    context.set_text_body(Message::Response, made.to_string());
    Ok(())
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("text/event-stream")
}

fn unreadable(why: &str) -> PolicyError {
    let message = format!("The answer of the model cannot be read: {why}");
    PolicyError::new("BackendConnectionFailure", message).blame(Blame::Backend)
}

/// A stream that is written anew.
struct Translated(MessagesStream);

impl Follow for Translated {
    fn data(&mut self, data: Bytes) -> Pass {
        let written = self.0.push(data);
        if self.0.is_over() { Pass::Last(written) } else { Pass::On(written) }
    }

    fn end(&mut self) -> Option<Bytes> {
        Some(self.0.finish()).filter(|it| !it.is_empty())
    }

    fn changes_length(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_model_is_asked_where_one_has_no_room_or_fails() {
        for (status, expected) in [
            (200, false),
            (400, false),
            (401, false),
            (408, true),
            (429, true),
            (500, true),
            (529, true),
        ] {
            assert_eq!(failed(StatusCode::from_u16(status).unwrap()), expected, "{status}");
        }
    }

    #[test]
    fn models_are_listed_by_the_names_that_clients_give() {
        let model = |alias: &str| Model { alias: alias.to_owned(), targets: Vec::new() };
        let api = ModelsApi { models: vec![model("gpt"), model("a b")] };
        let text = |it: Response| {
            let body = String::from_utf8(it.body.as_bytes().unwrap().to_vec()).unwrap();
            format!("{} {body}", it.status.as_u16())
        };
        let gpt = r#"{"id":"gpt","object":"model","created":0,"owned_by":"gateway"}"#;
        assert!(text(list(&api)).starts_with(&format!(r#"200 {{"object":"list","data":[{gpt},"#)));
        assert_eq!(text(get(&api, "/llm/v1/models/gpt")), format!("200 {gpt}"));
        assert!(text(get(&api, "/llm/v1/models/a%20b")).starts_with("200"));
        assert!(text(get(&api, "/llm/v1/models/x")).contains("The model `x` does not exist"));
    }
}
