//! Compact tokens: three segments for a signed one, five for an encrypted one.
//!
//! A [`Jwt`] is only read, not believed. What it says about keys (`jku`, `jwk`, `x5u`, `x5c`) is
//! never followed; what it says must be understood (`crit`) makes it unreadable.
//!
//! Source: RFC 7515, sections 4 and 7.1; RFC 7519, section 7.2; RFC 8725, section 3.

use serde_json::{Map, Value};

use crate::base64url;
use crate::claims::Claims;
use crate::error::TokenError;
use crate::json;

/// The longest token that is read, in bytes.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// The longest `kid`, in bytes.
const MAX_KEY_ID_BYTES: usize = 1024;

/// Values of `typ` of tokens that are made for something else than to carry an identity, as far
/// as a specification defines them (RFC 8417, RFC 9101, RFC 9449, RFC 9701, OpenID back-channel
/// logout and federation). Their issuers use the same keys, so the type tells them apart.
const OTHER_PURPOSES: [&str; 7] = [
    "dpop+jwt",
    "entity-statement+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
    "client-authentication+jwt",
];

/// A token that was read but not checked.
#[derive(Debug)]
pub struct Jwt {
    header: Header,
    claims: Claims,
    signature: Vec<u8>,
    /// The length of `header.payload` in the token's text.
    signed_bytes: usize,
}

/// The header of a compact token.
#[derive(Debug)]
pub struct Header {
    /// `alg`, as it stands there.
    pub algorithm: String,
    /// `kid`.
    pub key_id: Option<String>,
    /// `typ`.
    pub token_type: Option<String>,
    /// All members.
    pub members: Map<String, Value>,
}

impl Jwt {
    /// Reads a signed or unsigned token in compact form.
    ///
    /// # Errors
    ///
    /// [`TokenError::TooLong`] or [`TokenError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let [header, payload, signature] = segments(text)?;
        let signed_bytes = header.len() + 1 + payload.len();
        let header = Header::parse(header)?;
        if header.members.contains_key("b64") {
            return Err(TokenError::Malformed("the header has `b64`"));
        }
        let payload =
            base64url::decode(payload).ok_or(TokenError::Malformed("invalid base64url"))?;
        let claims = json::object(&payload)
            .ok_or(TokenError::Malformed("the claims are not a JSON object with unique names"))?;
        let signature =
            base64url::decode(signature).ok_or(TokenError::Malformed("invalid base64url"))?;
        Ok(Self { header, claims: Claims::new(claims), signature, signed_bytes })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The claims; nobody has vouched for them yet.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The part of `text` that is signed; `text` is what the token was read from.
    pub(crate) fn signed<'a>(&self, text: &'a str) -> &'a [u8] {
        text.as_bytes().get(..self.signed_bytes).unwrap_or_default()
    }
}

impl Header {
    /// Reads the first segment of a token.
    pub(crate) fn parse(segment: &str) -> Result<Self, TokenError> {
        let bytes = base64url::decode(segment).ok_or(TokenError::Malformed("invalid base64url"))?;
        let members = json::object(&bytes)
            .ok_or(TokenError::Malformed("the header is not a JSON object with unique names"))?;
        if members.contains_key("crit") {
            return Err(TokenError::Malformed("the header has `crit`"));
        }
        let algorithm = match members.get("alg") {
            Some(Value::String(name)) if !name.is_empty() => name.clone(),
            _ => return Err(TokenError::Malformed("the header has no `alg`")),
        };
        let key_id = text_member(&members, "kid")?;
        if key_id.as_ref().is_some_and(|it| it.len() > MAX_KEY_ID_BYTES) {
            return Err(TokenError::Malformed("`kid` is too long"));
        }
        let token_type = text_member(&members, "typ")?;
        if token_type.as_deref().is_some_and(is_other_purpose) {
            return Err(TokenError::Malformed("`typ` names a token for another purpose"));
        }
        Ok(Self { algorithm, key_id, token_type, members })
    }
}

/// True if a text looks like an encrypted token: it has five segments.
pub(crate) fn is_encrypted(text: &str) -> bool {
    text.bytes().filter(|it| *it == b'.').count() == 4
}

/// Splits a compact token into exactly `N` segments.
pub(crate) fn segments<const N: usize>(text: &str) -> Result<[&str; N], TokenError> {
    if text.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLong);
    }
    let parts: Vec<&str> = text.splitn(N + 1, '.').collect();
    parts.try_into().map_err(|_| TokenError::Malformed("wrong number of segments"))
}

fn text_member(members: &Map<String, Value>, name: &str) -> Result<Option<String>, TokenError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(TokenError::Malformed("`kid` or `typ` is not a text")),
    }
}

fn is_other_purpose(token_type: &str) -> bool {
    let name = token_type.to_ascii_lowercase();
    let name = name.strip_prefix("application/").unwrap_or(&name);
    OTHER_PURPOSES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        let [header, claims] = [header, claims].map(|it| base64url::encode(it.as_bytes()));
        format!("{header}.{claims}.c2ln")
    }

    fn refused(text: &str) -> String {
        Jwt::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_token_is_taken_apart() {
        let text = token(r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#, r#"{"sub":"me"}"#);

        let jwt = Jwt::parse(&text).unwrap();

        assert_eq!(jwt.header().algorithm, "RS256");
        assert_eq!(jwt.header().key_id.as_deref(), Some("k"));
        assert_eq!(jwt.header().token_type.as_deref(), Some("JWT"));
        assert_eq!(jwt.claims().text("sub"), Some("me"));
        assert_eq!(jwt.signature(), b"sig");
        assert_eq!(jwt.signed(&text), text.strip_suffix(".c2ln").unwrap().as_bytes());
    }

    #[test]
    fn what_is_not_a_compact_token_is_refused() {
        let header = base64url::encode(br#"{"alg":"RS256"}"#);
        for text in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            format!("{header}.e30"),
            format!("{header}.e30.AA.AA"),
            format!("{header}=.e30.AA"),
            format!(" {header}.e30.AA"),
            format!("{header}.e30.AA "),
            format!("{header}.e30.AB"),
            format!("{header}.e31.AA"),
            format!("{header}.W10.AA"),
            format!("{header}..AA"),
            format!("Bearer {header}.e30.AA"),
            format!("{header}.e30.A+/="),
        ] {
            assert!(refused(&text).starts_with("the token is malformed"), "{text:?}");
        }
    }

    #[test]
    fn duplicate_names_are_refused_in_header_and_claims() {
        let headers = [r#"{"alg":"RS256","alg":"none"}"#, r#"{"alg":"RS256","kid":"a","kid":"b"}"#];
        for header in headers {
            assert!(refused(&token(header, "{}")).contains("header"), "{header}");
        }
        for claims in [r#"{"aud":"a","aud":"b"}"#, r#"{"x":{"a":1,"a":1}}"#] {
            assert!(refused(&token(r#"{"alg":"RS256"}"#, claims)).contains("claims"), "{claims}");
        }
    }

    #[test]
    fn a_header_that_must_be_understood_is_refused() {
        for (header, word) in [
            (r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, "crit"),
            (r#"{"alg":"RS256","crit":[]}"#, "crit"),
            (r#"{"alg":"RS256","b64":false}"#, "b64"),
            (r#"{"alg":"RS256","kid":7}"#, "kid"),
            (r#"{"alg":"RS256","typ":["JWT"]}"#, "typ"),
            (r#"{"alg":""}"#, "alg"),
            (r#"{"alg":null}"#, "alg"),
            (r#"{"kid":"a"}"#, "alg"),
            ("[]", "header"),
        ] {
            assert!(refused(&token(header, "{}")).contains(word), "{header}");
        }
    }

    #[test]
    fn token_types_for_other_purposes_are_refused() {
        let with_type = |it: &str| token(&format!(r#"{{"alg":"RS256","typ":"{it}"}}"#), "{}");
        for name in ["JWT", "jwt", "at+jwt", "application/at+jwt", "JWS", "pop"] {
            assert!(Jwt::parse(&with_type(name)).is_ok(), "{name}");
        }
        for name in ["logout+jwt", "Application/DPoP+JWT", "secevent+jwt"] {
            assert!(refused(&with_type(name)).contains("another purpose"), "{name}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let claims = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_TOKEN_BYTES));
        assert_eq!(
            Jwt::parse(&token(r#"{"alg":"RS256"}"#, &claims)).err(),
            Some(TokenError::TooLong)
        );
        let header = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(MAX_KEY_ID_BYTES + 1));
        assert!(refused(&token(&header, "{}")).contains("too long"));
    }

    #[test]
    fn five_segments_mean_encryption() {
        assert!(is_encrypted("a.b.c.d.e"));
        assert!(!is_encrypted("a.b.c") && !is_encrypted("a.b.c.d.e.f"));
    }
}
