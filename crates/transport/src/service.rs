//! What a listener calls for each request.

use std::future::Future;
use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};

use crate::{Body, Peer, Request, Response};

/// Answers requests. One value serves all connections of all threads.
///
/// The request's URI is as received: origin form on HTTP/1.1 (`/path?query`), absolute form on
/// HTTP/2. If the client goes away the future is dropped, and with it any call it was making.
pub trait Service: Send + Sync + 'static {
    /// Answers one request.
    fn call(
        self: Arc<Self>,
        request: Request,
        peer: Arc<Peer>,
    ) -> impl Future<Output = Response> + Send + 'static;

    /// Ends when nothing is left of what answered requests have set going. A worker that has
    /// drained waits for it.
    fn settled(self: Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        std::future::ready(())
    }
}

/// Marks a response that is never sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abort;

/// The answer of a service that wants the connection closed without one, as a stand-in for a
/// service that is down does. On HTTP/2 only the stream is reset.
#[must_use]
pub fn abort() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Abort);
    response
}

/// An answer of the listener itself, in the shape of the gateway's own errors.
pub(crate) fn explain(status: StatusCode, message: &str) -> Response {
    let status_code = status.as_u16();
    let body = format!("{{ \"statusCode\": {status_code}, \"message\": \"{message}\" }}");
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Any function of the right shape is a service.
impl<F, R> Service for F
where
    F: Fn(Request, Arc<Peer>) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    fn call(
        self: Arc<Self>,
        request: Request,
        peer: Arc<Peer>,
    ) -> impl Future<Output = Response> + Send + 'static {
        (*self)(request, peer)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::{Abort, abort, explain};

    #[test]
    fn an_abort_is_marked() {
        assert!(abort().extensions().get::<Abort>().is_some());
    }

    #[test]
    fn the_listeners_own_answers_look_like_the_gateways() {
        let answer = explain(StatusCode::BAD_REQUEST, "No.");
        let expected = r#"{ "statusCode": 400, "message": "No." }"#;
        assert_eq!(answer.body().as_bytes().unwrap(), expected);
        assert_eq!(answer.headers()["content-type"], "application/json");
    }
}
