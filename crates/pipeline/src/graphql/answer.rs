//! The answer of a GraphQL API that the gateway serves itself.
//!
//! A request that is malformed is answered 400. Errors of a well-formed request are answered 200
//! as `application/json`, or 400 as `application/graphql-response+json` for clients that ask for
//! that.
//!
//! Source: <https://graphql.github.io/graphql-over-http/draft/#sec-Response>

use std::sync::Arc;

use expr::Uses;
use graphql::{Call, Error, MalformedRequest, Operation, Resolved, Resolver};
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use transport::BoxFuture;

use super::beside::Beside;
use super::{FieldErrors, GraphQlApi, MAX_CONCURRENT_CALLS, Resolvers, service, socket};
use crate::body::Body;
use crate::context::Context;
use crate::encoding;
use crate::error::{Blame, PolicyError};
use crate::message::{Request, Response};
use crate::services::ForwardCall;

/// The media type that tells GraphQL responses from other JSON.
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

impl GraphQlApi {
    /// Executes the operation of the context's request and puts the response into the context. What
    /// has no resolver is asked of the API's own service, by `call`, if it has one. A handshake of
    /// WebSocket is answered, and subscriptions are served behind it.
    ///
    /// # Errors
    ///
    /// The request's body cannot be read. What is wrong with the operation, or with the value of a
    /// field, is told by the response.
    pub async fn execute(
        &self,
        context: &mut Context,
        call: &ForwardCall,
    ) -> Result<(), PolicyError> {
        let response = self.answer(context, call).await?;
        context.set_response(response);
        Ok(())
    }

    async fn answer(
        &self,
        context: &mut Context,
        call: &ForwardCall,
    ) -> Result<Response, PolicyError> {
        if context.is_graphql_handshake() {
            return Ok(socket::open(context));
        }
        let is_get = match context.request.method {
            Method::GET => true,
            Method::POST => false,
            _ => return Ok(not_allowed("GET, POST", "GraphQL requests are GET or POST.")),
        };
        let request = match self.read(context).await? {
            Ok(request) => request,
            Err(error) => return Ok(malformed(&context.request.headers, &error.to_string())),
        };
        let headers = &context.request.headers;
        let operation = match self.schema.check(&request, &self.limits) {
            Ok(operation) => operation,
            Err(errors) => return Ok(refused(headers, &errors)),
        };
        if is_get && operation.is_mutation() {
            return Ok(not_allowed("POST", "Mutations are POST requests."));
        }
        let mut payload = request.to_json().to_string();
        payload.pop();
        let beside = Beside::new(context);
        let response = self.resolved(context, call, &operation, &payload, &beside).await;
        beside.tell(context);
        Ok(json_response(&context.request.headers, StatusCode::OK, &response))
    }

    /// The GraphQL request in a context's request.
    ///
    /// # Errors
    ///
    /// The body cannot be received.
    pub async fn read(
        &self,
        context: &mut Context,
    ) -> Result<Result<graphql::Request, MalformedRequest>, PolicyError> {
        if context.request.method == Method::GET {
            return Ok(graphql::Request::from_query_string(context.request.url.query()));
        }
        context.buffer(Uses::REQUEST_BODY).await?;
        let bytes = context.request.body.as_bytes().unwrap_or_default();
        let most = context.services.max_buffered_body_bytes;
        let bytes =
            encoding::decode(&context.request.headers, bytes, most).map_err(|_| undecodable())?;
        let content_type = context.request.header_values(CONTENT_TYPE).next();
        Ok(graphql::Request::from_body(content_type, &bytes))
    }

    /// What a subscription comes to for an event, an object with the field of the root. Fields below
    /// it that have a resolver are resolved.
    pub(super) async fn event(
        &self,
        context: &Context,
        operation: &Operation,
        payload: &str,
        event: &Value,
    ) -> graphql::Response {
        let beside = Beside::new(context);
        let resolving = self.resolving(context, None, payload, &beside);
        graphql::execute_event(event, operation, &resolving, &self.limits).await
    }

    fn resolving<'a>(
        &self,
        context: &'a Context,
        service: Option<&'a ForwardCall>,
        payload: &'a str,
        beside: &'a Beside,
    ) -> Resolving<'a> {
        let turns = Semaphore::new(MAX_CONCURRENT_CALLS);
        Resolving { resolvers: self.resolvers(), service, context, payload, beside, turns }
    }

    async fn resolved(
        &self,
        context: &Context,
        call: &ForwardCall,
        operation: &Operation,
        payload: &str,
        beside: &Beside,
    ) -> Value {
        let service = self.has_service().then_some(call);
        let resolving = self.resolving(context, service, payload, beside);
        let mut response = graphql::execute(operation, &resolving, &self.limits).await;
        response.errors.extend(FieldErrors::of(context));
        response.to_json()
    }
}

/// The resolvers of an API at work for one request.
struct Resolving<'a> {
    resolvers: Arc<Resolvers>,
    /// How the API's own service is called, if it has one.
    service: Option<&'a ForwardCall>,
    context: &'a Context,
    payload: &'a str,
    beside: &'a Beside,
    /// Whoever calls a data source holds one.
    turns: Semaphore,
}

impl Resolver for Resolving<'_> {
    fn has(&self, type_name: &str, field: &str) -> bool {
        self.resolvers.get(type_name).is_some_and(|it| it.contains_key(field))
    }

    fn resolve<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Resolved> {
        Box::pin(async move {
            let found = self.resolvers.get(call.type_name).and_then(|it| it.get(call.field));
            let Some(resolver) = found else { return Ok(Value::Null) };
            // It is never closed.
            let _turn = self.turns.acquire().await;
            resolver.resolve(self.context, self.payload, call, self.beside).await
        })
    }

    fn has_service(&self) -> bool {
        self.service.is_some()
    }

    fn ask(&self, request: graphql::Request) -> BoxFuture<'_, Resolved> {
        Box::pin(async move {
            let Some(call) = self.service else { return Ok(Value::Null) };
            let _turn = self.turns.acquire().await;
            service::ask(self.context, call, request, self.beside).await
        })
    }
}

fn undecodable() -> PolicyError {
    PolicyError::new("ClientConnectionFailure", "the request body cannot be decoded")
        .respond(StatusCode::BAD_REQUEST, "Request body cannot be decoded.")
        .blame(Blame::Client)
}

/// The response to what is no GraphQL request.
fn malformed(headers: &HeaderMap, text: &str) -> Response {
    let errors = json!({ "errors": [Error::new(text).code("BAD_REQUEST").to_json()] });
    json_response(headers, StatusCode::BAD_REQUEST, &errors)
}

/// The response to a request that cannot be executed.
fn refused(headers: &HeaderMap, errors: &[Error]) -> Response {
    let status = match wants_graphql_response(headers) {
        true => StatusCode::BAD_REQUEST,
        false => StatusCode::OK,
    };
    let errors: Vec<Value> = errors.iter().map(Error::to_json).collect();
    json_response(headers, status, &json!({ "errors": errors }))
}

/// A response with one error.
pub(super) fn json_error(status: StatusCode, text: &str, code: &str) -> Response {
    let errors = json!({ "errors": [Error::new(text).code(code).to_json()] });
    json_response(&HeaderMap::new(), status, &errors)
}

fn not_allowed(allow: &'static str, text: &str) -> Response {
    let mut response = json_error(StatusCode::METHOD_NOT_ALLOWED, text, "METHOD_NOT_ALLOWED");
    response.headers.insert(ALLOW, HeaderValue::from_static(allow));
    response
}

fn json_response(request: &HeaderMap, status: StatusCode, json: &Value) -> Response {
    let mut response = Response::new(status);
    let media_type = match wants_graphql_response(request) {
        true => GRAPHQL_RESPONSE,
        false => "application/json",
    };
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.body = Body::bytes(json.to_string());
    response
}

/// Whether the client names the media type of GraphQL responses before, or without, plain JSON.
fn wants_graphql_response(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).into_iter().filter_map(|it| it.to_str().ok());
    for media_type in accepted.flat_map(|it| it.split(',')) {
        match media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
            GRAPHQL_RESPONSE => return true,
            "application/json" => return false,
            _ => {}
        }
    }
    false
}

/// The response to a request that a policy refuses: 400 with errors and without data.
#[must_use]
pub fn graphql_errors(request: &Request, errors: &[Error]) -> Response {
    let errors: Vec<Value> = errors.iter().map(Error::to_json).collect();
    json_response(&request.headers, StatusCode::BAD_REQUEST, &json!({ "errors": errors }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_is_the_first_that_the_client_names() {
        for (accept, expected) in [
            (None, false),
            (Some("*/*"), false),
            (Some("application/json"), false),
            (Some("application/json, application/graphql-response+json"), false),
            (
                Some("application/graphql-response+json; charset=utf-8, application/json;q=0.9"),
                true,
            ),
            (Some("text/html, Application/GraphQL-Response+JSON"), true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(wants_graphql_response(&headers), expected, "{accept:?}");
        }
    }
}
