//! The streamable HTTP transport of an MCP server whose tools are operations.
//!
//! A POST is answered by one JSON document, or as an event stream if the client accepts nothing
//! else. No message comes unasked, so GET offers no stream.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports>,
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>

use std::sync::Arc;

use agents::mcp::{
    Answer, BadMessage, Failure, Headers, INVALID_REQUEST, Incoming, MAX_MESSAGE_BYTES, Message,
    Version, decode_name, failure,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pipeline::{Context, ForwardCall, PolicyError, Response, call_failure, request_body_failure};
use serde_json::Value;
use transport::{BodyError, CallError};

use super::McpCall;
use super::sessions::{self, Ended};
use super::tool_call;

const SESSION: &str = "mcp-session-id";

/// Answers a request to the server, within the time that the policy gives.
pub(crate) async fn serve(
    context: &mut Context,
    origin: &McpCall,
    call: &ForwardCall,
) -> Result<(), PolicyError> {
    let Some(timeout) = call.timeout else { return answer(context, origin).await };
    let clock = Arc::clone(&context.services.clock);
    tokio::select! {
        biased;
        answered = answer(context, origin) => answered,
        () = clock.sleep(timeout) => Err(call_failure(&CallError::Timeout { after: timeout })),
    }
}

async fn answer(context: &mut Context, origin: &McpCall) -> Result<(), PolicyError> {
    let response = match prepare(context).await? {
        Ok(asked) => reply(context, origin, asked).await,
        Err(refusal) => refusal,
    };
    context.set_response(response);
    Ok(())
}

/// What a POST asks for.
struct Asked {
    incoming: Incoming,
    version: Version,
    form: Form,
}

/// How the reply is written.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Events,
}

/// Everything that is checked before a message is looked at.
async fn prepare(context: &mut Context) -> Result<Result<Asked, Response>, PolicyError> {
    let headers = &context.request.headers;
    let api = context.api.as_ref().map(|it| it.id.clone()).unwrap_or_default();
    let version = match Version::of_header(text(headers, "mcp-protocol-version")) {
        Ok(version) => version,
        Err(bad) => return Ok(Err(refuse(StatusCode::BAD_REQUEST, &bad))),
    };
    let ended: Arc<Ended> = context.services.extensions().shared();
    let session = text(headers, SESSION).filter(|_| !version.is_stateless());
    if session.is_some_and(|it| !sessions::is_id(it)) {
        return Ok(Err(refused(StatusCode::BAD_REQUEST, "Bad Mcp-Session-Id")));
    }
    if session.is_some_and(|it| ended.has(&api, it)) {
        return Ok(Err(refused(StatusCode::NOT_FOUND, "Session not found")));
    }
    match (&context.request.method, session) {
        (&Method::POST, _) => {}
        (&Method::DELETE, Some(session)) if !version.is_stateless() => {
            ended.end(&api, session);
            return Ok(Err(Response::new(StatusCode::NO_CONTENT)));
        }
        (&Method::DELETE, None) if !version.is_stateless() => {
            return Ok(Err(refused(StatusCode::BAD_REQUEST, "Mcp-Session-Id is missing")));
        }
        _ => {
            let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
            let allowed = if version.is_stateless() { "POST" } else { "POST, DELETE" };
            response.headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            return Ok(Err(response));
        }
    }
    let Some(form) = accepted(headers) else {
        let text = "Accept must name application/json or text/event-stream";
        return Ok(Err(refused(StatusCode::NOT_ACCEPTABLE, text)));
    };
    let media = text(headers, "content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        let text = "Content-Type must be application/json";
        return Ok(Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)));
    }
    let max_bytes = MAX_MESSAGE_BYTES.min(context.services.max_buffered_body_bytes);
    match context.request.body.buffer(max_bytes).await {
        Ok(()) => {}
        Err(BodyError::TooLarge { limit }) => return Ok(Err(too_large(limit as usize))),
        Err(error) => return Err(request_body_failure(&error)),
    }
    let body = context.request.body.as_bytes().unwrap_or_default();
    if body.len() > max_bytes {
        return Ok(Err(too_large(max_bytes)));
    }
    Ok(match Incoming::read(&body) {
        Ok(Incoming::Batch(_)) if version != Version::V2025March => {
            Err(refused(StatusCode::BAD_REQUEST, "Batches are not part of this version"))
        }
        Ok(incoming) => Ok(Asked { incoming, version, form }),
        Err(bad) => Err(json(StatusCode::BAD_REQUEST, &failure(&bad.id, &bad.failure))),
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The form that the client accepts; JSON if it accepts both or does not say.
fn accepted(headers: &HeaderMap) -> Option<Form> {
    let all: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|it| it.to_str().ok()).collect();
    if all.is_empty() {
        return Some(Form::Json);
    }
    let names = |wanted: &[&str]| {
        let ranges = all.iter().flat_map(|it| it.split(','));
        let mut media = ranges.map(|it| it.split(';').next().unwrap_or_default().trim());
        media.any(|it| wanted.iter().any(|wanted| it.eq_ignore_ascii_case(wanted)))
    };
    if names(&["application/json", "application/*", "*/*"]) {
        Some(Form::Json)
    } else {
        names(&["text/event-stream", "text/*"]).then_some(Form::Events)
    }
}

async fn reply(context: &mut Context, origin: &McpCall, asked: Asked) -> Response {
    let Asked { incoming, version, form } = asked;
    match incoming {
        Incoming::One(message) => {
            let begins = message.method() == "initialize" && !version.is_stateless();
            let Some((value, refusal)) = one(context, origin, &message, version).await else {
                return Response::new(StatusCode::ACCEPTED);
            };
            let status = match &refusal {
                Some(it) if version.is_stateless() => it.status(),
                _ => 200,
            };
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let form = if refusal.is_some() { Form::Json } else { form };
            let mut response = written(status, &value, form);
            if begins && refusal.is_none() {
                response.headers.insert(SESSION, new_session(context));
            }
            response
        }
        Incoming::Batch(messages) => {
            let mut replies = Vec::new();
            // One after the other: a request has one call of a tool under way.
            for message in messages {
                match message {
                    Ok(it) if it.method() == "initialize" => {
                        let bad = Failure::new(INVALID_REQUEST, "`initialize` stands alone");
                        replies.extend(it.id().map(|id| failure(id, &bad)));
                    }
                    Ok(it) => {
                        replies.extend(one(context, origin, &it, version).await.map(|it| it.0));
                    }
                    Err(BadMessage { id, failure: bad }) => replies.push(failure(&id, &bad)),
                }
            }
            if replies.is_empty() {
                return Response::new(StatusCode::ACCEPTED);
            }
            written(StatusCode::OK, &Value::Array(replies), form)
        }
    }
}

/// The reply to a message, and how the protocol was not kept; none if nothing is to be replied.
async fn one(
    context: &mut Context,
    origin: &McpCall,
    message: &Message,
    version: Version,
) -> Option<(Value, Option<Failure>)> {
    let headers = &context.request.headers;
    let name = text(headers, "mcp-name").map(decode_name);
    let headers = Headers { method: text(headers, "mcp-method"), name: name.as_deref() };
    let call = match origin.server.answer(message, version, headers) {
        Answer::Accepted => return None,
        Answer::Reply(value) => return Some((value, None)),
        Answer::Failed(value, failure) => return Some((value, Some(failure))),
        Answer::Call(call) => call,
    };
    let clock = Arc::clone(&context.services.clock);
    let started = clock.monotonic();
    let answered = tool_call::run(context, origin, &call).await;
    context.calls.count = context.calls.count.saturating_add(1);
    context.calls.time += clock.monotonic().saturating_sub(started);
    Some((call.reply(answered), None))
}

/// An id that nobody can guess.
fn new_session(context: &Context) -> HeaderValue {
    let mut bytes = [0; 16];
    context.services.random(&mut bytes);
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
    HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("0"))
}

fn written(status: StatusCode, value: &Value, form: Form) -> Response {
    match form {
        Form::Json => json(status, value),
        Form::Events => {
            let mut response = Response::new(status);
            let kind = HeaderValue::from_static("text/event-stream");
            response.headers.insert(header::CONTENT_TYPE, kind);
            let none = HeaderValue::from_static("no-cache");
            response.headers.insert(header::CACHE_CONTROL, none);
            let event = format!("event: message\ndata: {value}\n\n");
            response.body = pipeline::Body::bytes(event);
            response
        }
    }
}

fn json(status: StatusCode, value: &Value) -> Response {
    Response::json(status, value.to_string())
}

fn refuse(status: StatusCode, bad: &Failure) -> Response {
    json(status, &failure(&Value::Null, bad))
}

fn refused(status: StatusCode, text: &str) -> Response {
    refuse(status, &Failure::new(INVALID_REQUEST, text))
}

fn too_large(limit: usize) -> Response {
    let text = format!("The message is larger than {limit} bytes");
    refused(StatusCode::PAYLOAD_TOO_LARGE, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_has_the_form_that_is_accepted() {
        for (accept, expected) in [
            (&[][..], "json"),
            (&["application/json, text/event-stream"], "json"),
            (&["text/event-stream;q=1", "application/*"], "json"),
            (&["*/*"], "json"),
            (&["text/event-stream"], "events"),
            (&["text/html"], "none"),
        ] {
            let mut headers = HeaderMap::new();
            for it in accept {
                headers.append(header::ACCEPT, it.parse().unwrap());
            }
            let form = match accepted(&headers) {
                Some(Form::Json) => "json",
                Some(Form::Events) => "events",
                None => "none",
            };
            assert_eq!(form, expected, "{accept:?}");
        }
    }
}
