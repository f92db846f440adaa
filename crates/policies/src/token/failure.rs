//! Azure's words for a token that is refused.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use http::StatusCode;
use identity::TokenError;
use pipeline::{
    Attr, Blame, CompileCx, Computed, Context, Diagnostic, Element, PolicyError, ValueType,
};

pub(crate) const FAILED_CODE: Attr = Attr::optional("failed-validation-httpcode", "401")
    .expressions()
    .doc("Status if the token is refused.")
    .of(ValueType::Status);
pub(crate) const FAILED_MESSAGE: Attr = Attr::absent_by_default("failed-validation-error-message")
    .expressions()
    .doc("Message if the token is refused; by default it depends on the failure.");

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// There is no token.
    NotPresent,
    /// The header has another scheme than this.
    Scheme(String),
    /// Several values where one token should be.
    Several,
    /// A computed address or tenant is none.
    Trust(String),
    /// The token itself.
    Token(TokenError),
}

/// How a refusal is answered.
#[derive(Debug)]
pub(crate) struct Failure {
    status: Computed<StatusCode>,
    message: Option<Computed<Option<String>>>,
}

impl Failure {
    pub(crate) fn compile(
        cx: &mut CompileCx<'_>,
        element: Element<'_>,
    ) -> Result<Self, Diagnostic> {
        let status = cx.attr(element, &FAILED_CODE)?;
        Ok(Self { status, message: cx.attr_if(element, &FAILED_MESSAGE)? })
    }

    pub(super) fn error(
        &self,
        rejection: &Rejection,
        context: &Context,
    ) -> Result<PolicyError, PolicyError> {
        let status = self.status.get(context)?;
        let message = match &self.message {
            Some(message) => message.get(context)?,
            None => None,
        };
        let body = match message {
            Some(message) => message,
            None if *rejection == Rejection::NotPresent => "JWT not present.".to_owned(),
            None => "Invalid JWT.".to_owned(),
        };
        let error = PolicyError::new(rejection.reason(), rejection.message()).respond(status, body);
        Ok(error.blame(rejection.blame()))
    }
}

impl Rejection {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Rejection::NotPresent => "TokenNotPresent",
            Rejection::Scheme(_) | Rejection::Several | Rejection::Trust(_) => "JwtInvalid",
            Rejection::Token(error) => match error {
                TokenError::SignatureInvalid | TokenError::SignatureOfNonceToken => {
                    "TokenSignatureInvalid"
                }
                TokenError::KeyNotFound(_) => "TokenSignatureKeyNotFound",
                TokenError::Expired(_) => "TokenExpired",
                TokenError::AudienceNotAllowed(_) => "TokenAudienceNotAllowed",
                TokenError::IssuerNotAllowed(_) => "TokenIssuerNotAllowed",
                TokenError::ClaimsMissing(_) => "TokenClaimNotFound",
                TokenError::ClaimValueNotAllowed { .. } => "TokenClaimValueNotAllowed",
                TokenError::Malformed(_)
                | TokenError::TooLong
                | TokenError::NotSigned
                | TokenError::AlgorithmNotSupported(_)
                | TokenError::NotDecrypted
                | TokenError::KeysUnavailable(_)
                | TokenError::ExpirationMissing
                | TokenError::NotYetValid(_) => "JwtInvalid",
            },
        }
    }

    /// The text for `context.LastError`.
    pub(crate) fn message(&self) -> String {
        let text = match self {
            Rejection::NotPresent => return "JWT not present.".to_owned(),
            Rejection::Scheme(scheme) => {
                format!("the Authorization header does not have the scheme `{scheme}`")
            }
            Rejection::Several => "the request has several tokens".to_owned(),
            Rejection::Trust(problem) => problem.clone(),
            Rejection::Token(error) => error.to_string(),
        };
        let mut letters = text.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase()).unwrap_or_default();
        let denied = if self.reason() == "JwtInvalid" { "" } else { " Access denied." };
        format!("{first}{}.{denied}", letters.as_str())
    }

    fn blame(&self) -> Blame {
        match self {
            Rejection::Token(TokenError::KeysUnavailable(_)) => Blame::IdentityProvider,
            Rejection::Trust(_) => Blame::Configuration,
            _ => Blame::Client,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn reasons_and_messages_are_those_of_the_table() {
        let token = |it| Rejection::Token(it);
        for (rejection, reason, message) in [
            (Rejection::NotPresent, "TokenNotPresent", "JWT not present."),
            (
                token(TokenError::SignatureInvalid),
                "TokenSignatureInvalid",
                "The signature is not valid. Access denied.",
            ),
            (
                token(TokenError::KeyNotFound("k".to_owned())),
                "TokenSignatureKeyNotFound",
                "No key found for the signature, key id `k`. Access denied.",
            ),
            (
                token(TokenError::Expired(Duration::from_secs(1))),
                "TokenExpired",
                "The token expired 1 s ago. Access denied.",
            ),
            (
                token(TokenError::AudienceNotAllowed("a".to_owned())),
                "TokenAudienceNotAllowed",
                "The audience is not allowed: `a`. Access denied.",
            ),
            (
                token(TokenError::IssuerNotAllowed("i".to_owned())),
                "TokenIssuerNotAllowed",
                "The issuer is not allowed: `i`. Access denied.",
            ),
            (
                token(TokenError::ClaimsMissing(vec!["a".to_owned(), "b".to_owned()])),
                "TokenClaimNotFound",
                "JWT token is missing the following claims: a, b. Access denied.",
            ),
            (
                token(TokenError::ClaimValueNotAllowed {
                    claim: "c".to_owned(),
                    value: "v".to_owned(),
                }),
                "TokenClaimValueNotAllowed",
                "Claim c value of v is not allowed. Access denied.",
            ),
            (token(TokenError::NotSigned), "JwtInvalid", "The token is not signed."),
            (
                token(TokenError::ExpirationMissing),
                "JwtInvalid",
                "The token has no expiration time.",
            ),
            (
                Rejection::Scheme("Bearer".to_owned()),
                "JwtInvalid",
                "The Authorization header does not have the scheme `Bearer`.",
            ),
            (Rejection::Several, "JwtInvalid", "The request has several tokens."),
        ] {
            assert_eq!((rejection.reason(), rejection.message().as_str()), (reason, message));
        }
    }

    #[test]
    fn a_provider_without_keys_is_to_blame_for_it() {
        let unavailable = Rejection::Token(TokenError::KeysUnavailable("u".to_owned()));
        assert_eq!(unavailable.blame(), Blame::IdentityProvider);
        assert_eq!(Rejection::NotPresent.blame(), Blame::Client);
    }
}
