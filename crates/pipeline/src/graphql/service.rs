//! Asking the API's own GraphQL service for what has no resolver.
//!
//! The request goes where the client's would have gone, with the headers that policies left, and
//! through the same backend entity; its body is the part of the operation that is asked.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/graphql-schema-resolve-api>

use std::sync::Arc;

use graphql::{Error, Request, Resolved};
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde_json::Value;
use transport::{ClientIdentity, Proxy};

use super::beside::Beside;
use super::fork::fork;
use super::resolver::text_of;
use crate::body::Body;
use crate::context::Context;
use crate::encoding;
use crate::error::PolicyError;
use crate::request_url::RequestUrl;
use crate::services::ForwardCall;

/// The response of the service to a part of the operation.
pub(super) async fn ask(
    outer: &Context,
    call: &ForwardCall,
    request: Request,
    beside: &Beside,
) -> Resolved {
    let mut context = context(outer, &request);
    beside.begin();
    let outcome = answer(&mut context, call).await;
    beside.end(&mut context);
    match outcome {
        Ok(json) => Ok(json),
        Err(error) => {
            tracing::warn!(request_id = %outer.request_id, "the GraphQL service failed: {error}");
            let text = text_of(&error);
            let text = text.unwrap_or_else(|| "The service cannot be asked.".to_owned());
            Err(Error::new(text).code(error.reason()))
        }
    }
}

/// A context for the call.
fn context(outer: &Context, asked: &Request) -> Context {
    let json = HeaderValue::from_static("application/json");
    let mut context = fork(outer);
    let request = &mut context.request;
    if request.method == Method::GET {
        // The query of a GET request is the operation.
        request.url = RequestUrl::new(Arc::clone(request.url.base()), request.url.below(), "");
    }
    request.method = Method::POST;
    request.headers = outer.request.headers.clone();
    for name in [CONTENT_LENGTH, CONTENT_ENCODING] {
        request.headers.remove(name);
    }
    request.headers.insert(CONTENT_TYPE, json.clone());
    request.headers.insert(ACCEPT, json);
    request.host_is_set = outer.request.host_is_set;
    request.body = Body::bytes(asked.to_json().to_string());
    let attached = &outer.request.extensions;
    if let Some(identity) = attached.get::<ClientIdentity>() {
        request.extensions.insert(identity.clone());
    }
    if let Some(proxy) = attached.get::<Proxy>() {
        request.extensions.insert(proxy.clone());
    }
    context.backend = outer.backend.clone();
    context.pool = outer.pool.clone();
    context
}

async fn answer(context: &mut Context, call: &ForwardCall) -> Result<Value, PolicyError> {
    let forward = Arc::clone(&context.services.forward);
    forward.forward(context, call.clone()).await?;
    let max_bytes = context.services.max_buffered_body_bytes;
    let Some(response) = &mut context.response else { return Ok(Value::Null) };
    let unreadable = |text: String| PolicyError::new("UnreadableResponse", text);
    response.body.buffer(max_bytes).await.map_err(|it| unreadable(it.to_string()))?;
    let bytes = response.body.as_bytes().unwrap_or_default();
    let bytes = encoding::decode(&response.headers, bytes, max_bytes)
        .map_err(|it| unreadable(format!("{it:?}")))?;
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(json) if json.get("data").is_some() || json.get("errors").is_some() => Ok(json),
        _ => {
            let status = response.status.as_u16();
            Err(unreadable(format!("status {status} and no GraphQL response")))
        }
    }
}
