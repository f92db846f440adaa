//! The resolver of a field: policies that run on a context of their own and leave a response,
//! whose body is the field's value.
//!
//! In a resolver `context.Request` is the request as it stood when it was forwarded, with the
//! arguments of the field in its body beside query and variables; `context.Response` is that of
//! the data source. Variables that a resolver sets are seen by itself alone.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/configure-graphql-resolver>

use std::sync::Arc;

use bytes::Bytes;
use expr::host::GraphQlInfo;
use graphql::{Call, Error, Resolved};
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::Value;

use super::beside::Beside;
use super::fork::fork;
use crate::body::Body;
use crate::context::Context;
use crate::encoding;
use crate::error::PolicyError;
use crate::operation::Operation;
use crate::step::Steps;

/// The resolver of a field, compiled.
#[derive(Clone, Debug)]
pub struct FieldResolver {
    steps: Arc<Steps>,
}

impl FieldResolver {
    /// A resolver of these steps; they leave a response in their context.
    #[must_use]
    pub fn new(steps: Steps) -> FieldResolver {
        FieldResolver { steps: Arc::new(steps) }
    }

    /// The value of a field. `payload` is the GraphQL request as a JSON object, without its closing
    /// brace.
    pub(super) async fn resolve(
        &self,
        outer: &Context,
        payload: &str,
        call: Call<'_>,
        beside: &Beside,
    ) -> Resolved {
        let mut context = match call_context(outer, payload, call) {
            Ok(context) => context,
            Err(error) => return Err(told(outer, call, &error)),
        };
        beside.begin();
        let outcome = self.value(&mut context).await;
        beside.end(&mut context);
        match outcome {
            Ok(value) => Ok(value),
            Err(error) => Err(told(outer, call, &error)),
        }
    }

    async fn value(&self, context: &mut Context) -> Result<Value, PolicyError> {
        self.steps.run(context).await?;
        context.response_json().await
    }

    /// Has the policies of the resolver prepared for an operation of its API.
    pub(super) fn prepare(&self, operation: &Arc<Operation>) -> Vec<String> {
        self.steps.prepare(operation)
    }
}

impl Context {
    /// The body of the response as the value of a GraphQL field: JSON, or else a text; null if there
    /// is none.
    ///
    /// # Errors
    ///
    /// It cannot be received or decoded, or is no text.
    pub async fn response_json(&mut self) -> Result<Value, PolicyError> {
        let max_bytes = self.services.max_buffered_body_bytes;
        let Some(response) = &mut self.response else { return Ok(Value::Null) };
        let unreadable = |text: String| PolicyError::new("UnreadableResponse", text);
        response.body.buffer(max_bytes).await.map_err(|it| unreadable(it.to_string()))?;
        let Some(bytes) = response.body.as_bytes().filter(|it| !it.is_empty()) else {
            return Ok(Value::Null);
        };
        let bytes = encoding::decode(&response.headers, bytes, max_bytes)
            .map_err(|it| unreadable(format!("{it:?}")))?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(value),
            // What is no JSON is a text.
            Err(_) => match std::str::from_utf8(&bytes) {
                Ok(text) => Ok(Value::from(text)),
                Err(_) => Err(unreadable("the response is neither JSON nor UTF-8".to_owned())),
            },
        }
    }
}

/// A context for one call of a resolver.
fn call_context(outer: &Context, payload: &str, call: Call<'_>) -> Result<Context, PolicyError> {
    let arguments = Value::Object(call.arguments.clone()).to_string();
    let parent = (!call.parent.is_null()).then(|| call.parent.to_string());
    let info: GraphQlInfo = expr::graphql(&arguments, parent.as_deref())
        .map_err(|it| PolicyError::evaluation(&it.message))?;
    let mut context = fork(outer);
    let request = &mut context.request;
    request.headers = outer.request.headers.clone();
    for name in [CONTENT_LENGTH, CONTENT_ENCODING] {
        request.headers.remove(name);
    }
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.body = Body::bytes(Bytes::from(format!("{payload},\"arguments\":{arguments}}}")));
    context.graphql = Some(Arc::new(info));
    Ok(context)
}

/// What the client is told: the failure's word, and its text only if it is meant for clients.
fn told(outer: &Context, call: Call<'_>, error: &PolicyError) -> Error {
    let Call { type_name, field, .. } = call;
    tracing::warn!(
        request_id = %outer.request_id,
        "the resolver of {type_name}.{field} failed: {error}"
    );
    let text = text_of(error)
        .unwrap_or_else(|| format!("The field `{type_name}.{field}` cannot be resolved."));
    Error::new(text).code(error.reason())
}

/// What may be told of a failure.
pub(super) fn text_of(error: &PolicyError) -> Option<String> {
    match (error.response_message(), error.reason()) {
        (Some(text), _) => Some(text.to_owned()),
        (None, "Timeout") => Some("The data source did not answer in time.".to_owned()),
        (None, "BackendConnectionFailure") => Some("The data source cannot be reached.".to_owned()),
        (None, _) => None,
    }
}
