//! Why a token was refused.
//!
//! One variant for every reason that a policy can tell apart. The texts are for logs and for
//! `context.LastError`; they never contain the token or a key.

use std::time::Duration;

/// Why a token was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The text is not a token, or says something that no reader may ignore.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// The token is longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("the token is longer than {} bytes", crate::MAX_TOKEN_BYTES)]
    TooLong,
    /// The token is not signed, but must be.
    #[error("the token is not signed")]
    NotSigned,
    /// The token names an algorithm that is not checked here.
    #[error("the algorithm `{0}` is not supported")]
    AlgorithmNotSupported(String),
    /// An encrypted token that none of the decryption keys opens.
    #[error("the token cannot be decrypted")]
    NotDecrypted,
    /// The key that the token names did not make the signature.
    #[error("the signature is not valid")]
    SignatureInvalid,
    /// As [`TokenError::SignatureInvalid`], for a token with a `nonce` in its header.
    #[error(
        "the signature is not valid (the header has a `nonce`: tokens for Microsoft Graph can only be checked by Microsoft Graph)"
    )]
    SignatureOfNonceToken,
    /// No key with the identifier that the token names, and no other key fits.
    #[error("no key found for the signature, key id `{0}`")]
    KeyNotFound(String),
    /// The keys of a provider could not be fetched and none are cached.
    #[error("the signing keys of `{0}` are not available")]
    KeysUnavailable(String),
    /// The token has no `exp` claim, but must have one (RFC 7519, 4.1.4).
    #[error("the token has no expiration time")]
    ExpirationMissing,
    /// The `exp` claim plus the clock skew is this long past (RFC 7519, 4.1.4).
    #[error("the token expired {} s ago", .0.as_secs())]
    Expired(Duration),
    /// The `nbf` claim minus the clock skew is this far ahead (RFC 7519, 4.1.5).
    #[error("the token is not valid for another {} s", .0.as_secs())]
    NotYetValid(Duration),
    /// The `aud` claim names none of the accepted audiences (RFC 7519, 4.1.3).
    #[error("the audience is not allowed: `{0}`")]
    AudienceNotAllowed(String),
    /// The `iss` claim is none of the accepted issuers (RFC 7519, 4.1.1).
    #[error("the issuer is not allowed: `{0}`")]
    IssuerNotAllowed(String),
    /// Claims that are required and not there.
    #[error("JWT token is missing the following claims: {}", .0.join(", "))]
    ClaimsMissing(Vec<String>),
    /// A claim without the values that are required.
    #[error("Claim {claim} value of {value} is not allowed")]
    ClaimValueNotAllowed {
        /// The name of the claim.
        claim: String,
        /// What the token says, cut to a readable length.
        value: String,
    },
}

/// The longest piece of a token that a message repeats.
const MAX_QUOTED_CHARS: usize = 256;

/// Cuts a text of a token to a length that fits a message, and leaves out control characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String =
        text.chars().filter(|it| !it.is_control()).take(MAX_QUOTED_CHARS).collect();
    if text.chars().count() > MAX_QUOTED_CHARS {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_azure_fixes_or_plain_sentences() {
        let texts = [
            (TokenError::Expired(Duration::from_millis(1999)), "the token expired 1 s ago"),
            (
                TokenError::ClaimsMissing(vec!["a".to_owned(), "b".to_owned()]),
                "JWT token is missing the following claims: a, b",
            ),
            (
                TokenError::ClaimValueNotAllowed { claim: "aud".to_owned(), value: "x".to_owned() },
                "Claim aud value of x is not allowed",
            ),
            (TokenError::TooLong, "the token is longer than 65536 bytes"),
        ];
        for (error, text) in texts {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn quoted_text_is_bounded_and_has_no_control_characters() {
        assert_eq!(quoted("a\r\nb"), "ab");
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), MAX_QUOTED_CHARS + 1);
    }
}
