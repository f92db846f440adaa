//! A client that answers from a closure and remembers what it was asked.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use super::{CallError, CallOptions, HttpClient};
use crate::{BoxFuture, Request, Response};

/// Largest request body that the fake reads.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

type Answer = dyn Fn(&RecordedRequest) -> Result<Response, CallError> + Send + Sync;

/// An [`HttpClient`] without network. Clones share the closure and the record.
#[derive(Clone)]
pub struct FakeClient {
    answer: Arc<Answer>,
    recorded: Arc<Mutex<Vec<RecordedRequest>>>,
}

/// A request that the fake was asked to send, its body read to the end.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// Method.
    pub method: Method,
    /// Absolute URI.
    pub uri: Uri,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Options of the call.
    pub options: CallOptions,
}

impl FakeClient {
    /// A client that gives each request to the closure.
    pub fn new<F>(answer: F) -> Self
    where
        F: Fn(&RecordedRequest) -> Result<Response, CallError> + Send + Sync + 'static,
    {
        Self { answer: Arc::new(answer), recorded: Arc::default() }
    }

    /// A client nobody may call: every call fails as a refused connection would.
    #[must_use]
    pub fn unreachable() -> Self {
        Self::new(|request| {
            let host = request.uri.authority().map(ToString::to_string).unwrap_or_default();
            Err(CallError::Connect { host, reason: "connection refused".to_owned() })
        })
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for FakeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeClient(..)")
    }
}

impl HttpClient for FakeClient {
    fn send<'a>(
        &'a self,
        request: Request,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Response, CallError>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect(MAX_BODY_BYTES).await.map_err(CallError::RequestBody)?;
            let request = RecordedRequest {
                method: head.method,
                uri: head.uri,
                headers: head.headers,
                body,
                options: options.clone(),
            };
            let answer = (self.answer)(&request);
            self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{FakeClient, HttpClient};
    use crate::{Body, CallError, CallOptions, Request, Response};

    fn request(body: &'static str) -> Request {
        http::Request::builder().uri("https://example.com/x").body(Body::full(body)).unwrap()
    }

    #[tokio::test]
    async fn the_closure_answers_and_the_request_is_recorded() {
        let client = FakeClient::new(|it| Ok(Response::new(Body::full(it.body.clone()))));

        let answer = client.send(request("hello"), &CallOptions::default()).await.unwrap();

        assert_eq!(answer.into_body().collect(10).await.unwrap(), "hello");
        assert_eq!(client.requests()[0].uri, "https://example.com/x");
    }

    #[tokio::test]
    async fn an_unreachable_client_refuses_connections() {
        let outcome = FakeClient::unreachable().send(request(""), &CallOptions::default()).await;
        assert!(matches!(outcome, Err(CallError::Connect { .. })));
    }
}
