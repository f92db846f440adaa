//! Small answers: JSON bodies with the headers that every stand-in sets.

use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;
use transport::{Body, Response};
use uuid::Uuid;

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::full(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Sets a header whose value is text made at run time; a value that HTTP cannot carry is left out.
pub(crate) fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// As [`set`], with a name made at run time.
pub(crate) fn set_named(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}

/// Marks an answer as a stream of events.
pub(crate) fn event_stream(response: &mut Response) {
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
}

/// A fresh random identifier, as services put into `x-request-id` and the like.
pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_line_break_never_reaches_the_wire() {
        let mut response = empty(StatusCode::OK);
        set(&mut response, "x-a", "1\r\nx-b: 2");
        assert!(response.headers().is_empty());
    }
}
