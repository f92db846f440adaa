//! Azure's words for what can go wrong with a call.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use http::StatusCode;
use transport::{BodyError, CallError};

use crate::error::{Blame, PolicyError};

/// A call that brought no response.
#[must_use]
pub fn call_failure(error: &CallError) -> PolicyError {
    match error {
        CallError::Timeout { .. } => {
            PolicyError::new("Timeout", "Request to the backend service timed out")
                .blame(Blame::Backend)
        }
        CallError::RequestBody(error) => request_body_failure(error),
        CallError::Url(_) => connection_failure(error.to_string()).blame(Blame::Configuration),
        CallError::Resolve { .. }
        | CallError::Connect { .. }
        | CallError::ConnectTimeout { .. }
        | CallError::Tls { .. }
        | CallError::Proxy { .. }
        | CallError::Version { .. }
        | CallError::Broken { .. } => connection_failure(error.to_string()),
        CallError::Busy { .. } => connection_failure(error.to_string()).blame(Blame::Gateway),
    }
}

/// A request body that could not be read to its end.
#[must_use]
pub fn request_body_failure(error: &BodyError) -> PolicyError {
    let failure =
        |message: &str| PolicyError::new("ClientConnectionFailure", message).blame(Blame::Client);
    match error {
        BodyError::TooLarge { limit } => {
            failure(&format!("The request body is larger than {limit} bytes."))
                .respond(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large.")
        }
        BodyError::IdleTimeout { .. } => failure("The request body was not received in time.")
            .respond(StatusCode::REQUEST_TIMEOUT, "Request body was not received in time."),
        BodyError::Aborted(_) => {
            failure("The operation was canceled.").status(StatusCode::BAD_REQUEST)
        }
    }
}

/// Anything else between gateway and backend.
pub fn connection_failure(message: impl Into<String>) -> PolicyError {
    PolicyError::new("BackendConnectionFailure", message).blame(Blame::Backend)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use transport::{BodyError, CallError};

    use super::call_failure;

    #[test]
    fn every_failure_has_azures_word_and_a_status() {
        let host = "h:1".to_owned();
        let reason = "refused".to_owned();
        for (error, expected) in [
            (CallError::Timeout { after: Duration::ZERO }, "Timeout 500 backend"),
            (CallError::Connect { host, reason }, "BackendConnectionFailure 500 backend"),
            (CallError::Url("x".to_owned()), "BackendConnectionFailure 500 configuration"),
            (
                CallError::RequestBody(BodyError::TooLarge { limit: 1 }),
                "ClientConnectionFailure 413 client",
            ),
            (
                CallError::RequestBody(BodyError::IdleTimeout { after: Duration::ZERO }),
                "ClientConnectionFailure 408 client",
            ),
            (
                CallError::RequestBody(BodyError::Aborted(String::new())),
                "ClientConnectionFailure 400 client",
            ),
        ] {
            let error = call_failure(&error);
            let status = error.response_status().unwrap().as_u16();
            let shown = format!("{} {status} {}", error.reason(), error.blamed().name());
            assert_eq!(shown, expected);
        }
    }
}
