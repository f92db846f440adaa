//! A policy's failure: what `context.LastError` says, what the client gets, who is to blame.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use uuid::Uuid;

use crate::error_response::{error_response, internal_error_response};
use crate::message::Response;
use crate::origin::Thrown;
use crate::place::Place;

/// Whose fault a failure is. Status, metrics, breaker and log level follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The client sent what it may not send, or went away.
    Client,
    /// The gateway itself.
    Gateway,
    /// The backend did not answer as it should.
    Backend,
    /// The provider of keys or tokens did not.
    IdentityProvider,
    /// The documents and entities are at fault.
    Configuration,
}

impl Blame {
    /// One word for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Blame::Client => "client",
            Blame::Gateway => "gateway",
            Blame::Backend => "backend",
            Blame::IdentityProvider => "identity provider",
            Blame::Configuration => "configuration",
        }
    }
}

/// Why a policy failed. Small to move: the content is boxed.
///
/// Without [`PolicyError::respond`] the client gets a plain 500 that shows nothing of the
/// message.
#[derive(Debug)]
pub struct PolicyError(Box<Content>);

#[derive(Debug)]
struct Content {
    reason: Cow<'static, str>,
    message: String,
    answer: Answer,
    headers: HeaderMap,
    phrase: Option<String>,
    blame: Blame,
    place: Option<Arc<Place>>,
    exception: Option<Thrown>,
}

/// What the client gets if `on-error` changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// The status with the body for internal failures.
    Internal(StatusCode),
    /// The status and message that the policy names.
    Respond(StatusCode, String),
    /// The response that is already there (the backend's).
    Keep,
}

impl PolicyError {
    /// A failure with Azure's word for it and a text for the log and `context.LastError`.
    pub fn new(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> PolicyError {
        PolicyError(Box::new(Content {
            reason: reason.into(),
            message: message.into(),
            answer: Answer::Internal(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            phrase: None,
            blame: Blame::Gateway,
            place: None,
            exception: None,
        }))
    }

    /// An expression threw, or its result cannot be used where it stands.
    ///
    /// The message starts with `Expression evaluation failed.` as documents expect.
    pub fn evaluation(message: impl fmt::Display) -> PolicyError {
        PolicyError::new(
            "ExpressionValueEvaluationFailure",
            format!("Expression evaluation failed. {message}"),
        )
        .blame(Blame::Configuration)
    }

    /// The client gets this status and message, in the default error body.
    ///
    /// A failure that answers with a 4xx status is the client's unless [`PolicyError::blame`]
    /// says otherwise afterwards.
    #[must_use]
    pub fn respond(mut self, status: StatusCode, message: impl Into<String>) -> PolicyError {
        if status.is_client_error() {
            self.0.blame = Blame::Client;
        }
        self.0.answer = Answer::Respond(status, message.into());
        self
    }

    /// The client gets this status with the body for internal failures.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> PolicyError {
        self.0.answer = Answer::Internal(status);
        self
    }

    /// The client gets the response that the context holds, unless `on-error` changes it.
    #[must_use]
    pub fn keep_response(mut self) -> PolicyError {
        self.0.answer = Answer::Keep;
        self
    }

    /// Adds a header to the error response, such as `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> PolicyError {
        self.0.headers.append(name, value);
        self
    }

    /// The reason phrase of the error response, in place of the status' usual one.
    #[must_use]
    pub fn phrase(mut self, phrase: impl Into<String>) -> PolicyError {
        self.0.phrase = Some(phrase.into());
        self
    }

    /// Says whose fault it is.
    #[must_use]
    pub fn blame(mut self, blame: Blame) -> PolicyError {
        self.0.blame = blame;
        self
    }

    /// The failure is of a built-in step (`configuration`, `authorization`), not of a policy.
    #[must_use]
    pub fn source(self, name: &'static str) -> PolicyError {
        self.at(&Arc::new(Place::built_in(name)))
    }

    /// Where it failed; the first (innermost) place stays.
    #[must_use]
    pub fn at(mut self, place: &Arc<Place>) -> PolicyError {
        self.0.place.get_or_insert_with(|| Arc::clone(place));
        self
    }

    /// Forgets where it failed: the policy that holds the one that failed answers for it.
    #[must_use]
    pub fn without_place(mut self) -> PolicyError {
        self.0.place = None;
        self
    }

    /// An expression threw it.
    #[must_use]
    pub(crate) fn thrown(mut self, exception: Thrown) -> PolicyError {
        self.0.exception = Some(exception);
        self
    }

    /// What an expression threw and where, if that is why the policy failed.
    #[must_use]
    pub fn exception(&self) -> Option<&Thrown> {
        self.0.exception.as_ref()
    }

    /// Azure's word.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The text for the log and `context.LastError`.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whose fault it is.
    #[must_use]
    pub fn blamed(&self) -> Blame {
        self.0.blame
    }

    /// The policy or built-in step that failed, once the runner has noted it.
    #[must_use]
    pub fn place(&self) -> Option<&Arc<Place>> {
        self.0.place.as_ref()
    }

    /// The status that the client gets if `on-error` changes nothing; none if the response
    /// that is already there stays.
    #[must_use]
    pub fn response_status(&self) -> Option<StatusCode> {
        match &self.0.answer {
            Answer::Internal(status) | Answer::Respond(status, _) => Some(*status),
            Answer::Keep => None,
        }
    }

    /// The message that the client gets, if the policy names one.
    #[must_use]
    pub fn response_message(&self) -> Option<&str> {
        match &self.0.answer {
            Answer::Respond(_, message) => Some(message),
            Answer::Internal(_) | Answer::Keep => None,
        }
    }

    /// The response that the client gets if `on-error` changes nothing; none if the one that is
    /// already there stays. `activity_id` is the request's id.
    #[must_use]
    pub fn response(&self, activity_id: Uuid) -> Option<Response> {
        let mut response = match &self.0.answer {
            Answer::Internal(status) => internal_error_response(*status, activity_id),
            Answer::Respond(status, message) => error_response(*status, message),
            Answer::Keep => return None,
        };
        response.headers.extend(self.0.headers.clone());
        response.reason.clone_from(&self.0.phrase);
        Some(response)
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason(), self.message())
    }
}

impl std::error::Error for PolicyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_to_move() {
        assert_eq!(size_of::<PolicyError>(), size_of::<usize>());
    }

    #[test]
    fn an_error_is_internal_unless_it_says_otherwise() {
        let error = PolicyError::new("Odd", "secret detail");

        assert_eq!(error.response_status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
        assert_eq!(error.response_message(), None);
        assert_eq!(error.blamed(), Blame::Gateway);
    }

    #[test]
    fn a_client_error_is_the_clients_unless_told_otherwise() {
        let error =
            || PolicyError::new("TokenExpired", "late").respond(StatusCode::FORBIDDEN, "No");

        assert_eq!(error().blamed(), Blame::Client);
        assert_eq!(error().blame(Blame::IdentityProvider).blamed(), Blame::IdentityProvider);
    }

    #[test]
    fn an_evaluation_failure_has_azures_words() {
        let error = PolicyError::evaluation("Value cannot be null.");

        assert_eq!(error.reason(), "ExpressionValueEvaluationFailure");
        assert_eq!(error.message(), "Expression evaluation failed. Value cannot be null.");
    }

    #[test]
    fn the_innermost_place_stays() {
        let inner = Arc::new(Place::built_in("inner"));
        let error = PolicyError::new("Odd", "").at(&inner).at(&Arc::new(Place::built_in("outer")));

        assert_eq!(error.place().map(|it| it.source()), Some("inner"));
        assert!(error.without_place().place().is_none());
    }
}
