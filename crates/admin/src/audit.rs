//! One line per call that changes something or reads a secret: who, what, when, and what came of
//! it. No line holds a body, a token or a secret.

use http::{Method, StatusCode};

/// Whether a call is told.
pub(crate) fn is_told(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Tells of a call. `path` is the resource's, without the query.
pub(crate) fn tell(
    who: &str,
    method: &Method,
    path: &str,
    status: StatusCode,
    code: &str,
    request_id: &str,
) {
    let outcome = if status.is_success() { "done" } else { "refused" };
    let (method, status) = (method.as_str(), status.as_u16());
    tracing::info!(target: "portcullis::audit", who, method, path, outcome, status, code, request_id, "management call");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_change_something_is_told() {
        for (method, expected) in [
            (Method::GET, false),
            (Method::HEAD, false),
            (Method::PUT, true),
            (Method::PATCH, true),
            (Method::DELETE, true),
            (Method::POST, true),
        ] {
            assert_eq!(is_told(&method), expected, "{method}");
        }
    }
}
