//! What a refused call is answered with: Azure Resource Manager's error.
//!
//! ```json
//! { "error": { "code": "ValidationError", "message": "...", "details": [{ "code", "target", "message" }] } }
//! ```
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/common-error-codes>

use http::StatusCode;
use serde_json::{Value, json};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its status.
    pub status: StatusCode,
    /// Azure's word for it.
    pub code: &'static str,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What is wrong in detail.
    pub details: Vec<Detail>,
}

/// One of the things that are wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// A stable code.
    pub code: String,
    /// The property, element or file.
    pub target: Option<String>,
    /// What is wrong with it.
    pub message: String,
}

/// Most details of one answer.
const MAX_DETAILS: usize = 50;

impl Problem {
    /// A refusal without details.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new() }
    }

    /// There is no such resource.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", format!("{what} not found."))
    }

    /// The request is no good as a whole.
    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Some properties are wrong.
    pub fn invalid(details: Vec<Detail>) -> Self {
        let message = "One or more fields contain incorrect values:";
        Self { details, ..Self::bad("ValidationError", message) }
    }

    /// One property is wrong.
    pub fn property(target: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![Detail::of(target, message)])
    }

    /// The resource is not the one that the client has seen.
    pub fn stale() -> Self {
        let message = "Resource was modified since last retrieval.";
        Self::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message)
    }

    /// The method means nothing here.
    pub fn method() -> Self {
        let message = "The requested resource does not support this method.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    /// The body.
    pub fn to_json(&self) -> Value {
        let details: Vec<Value> = self
            .details
            .iter()
            .take(MAX_DETAILS)
            .map(|it| json!({ "code": it.code, "target": it.target, "message": it.message }))
            .collect();
        let details = if details.is_empty() { Value::Null } else { details.into() };
        json!({ "error": { "code": self.code, "message": self.message, "details": details } })
    }
}

impl Detail {
    /// A property with a wrong value.
    pub fn of(target: &str, message: impl Into<String>) -> Self {
        let target = Some(target.to_owned());
        Self { code: "ValidationError".to_owned(), target, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_azures_shape() {
        let problem = Problem::property("path", "Value is required.");
        assert_eq!(
            problem.to_json(),
            json!({ "error": {
                "code": "ValidationError",
                "message": "One or more fields contain incorrect values:",
                "details": [
                    { "code": "ValidationError", "target": "path", "message": "Value is required." }
                ]
            } })
        );
        assert_eq!(Problem::not_found("API").to_json()["error"]["details"], Value::Null);
    }

    #[test]
    fn details_are_bounded() {
        let many = (0..1000).map(|_| Detail::of("x", "y")).collect();
        let told = Problem::invalid(many).to_json();
        assert_eq!(told["error"]["details"].as_array().unwrap().len(), MAX_DETAILS);
    }
}
