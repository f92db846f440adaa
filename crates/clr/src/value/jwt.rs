//! `Jwt`: a token as an expression sees it. Its signature is not checked here.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-policy-expressions>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json};

use super::{DateTime, Object};
use crate::types::{Type, names};
use crate::value::time::{MAX_TICKS, TICKS_PER_SECOND, UNIX_EPOCH_TICKS};

/// The content of a token, from its header and payload.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct JwtValue {
    /// Header `alg`.
    pub algorithm: Option<String>,
    /// Header `typ`.
    pub token_type: Option<String>,
    /// `iss`.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `jti`.
    pub id: Option<String>,
    /// `aud`, one or several.
    pub audiences: Vec<String>,
    /// Every claim of the payload in order, as text: a list has several values, an object is JSON,
    /// a JSON null is `None`.
    pub claims: Vec<(String, Vec<Option<String>>)>,
    /// `exp`.
    pub expiration_time: Option<DateTime>,
    /// `iat`.
    pub issued_at: Option<DateTime>,
    /// `nbf`.
    pub not_before: Option<DateTime>,
}

impl JwtValue {
    /// Reads a compact token, with or without a leading `Bearer `; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match text.split_at_checked(7) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Bearer ") => rest.trim(),
            _ => text,
        };
        let mut parts = text.split('.');
        let (header, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self::from_json(&object(header)?, &object(payload)?))
    }

    /// From the JSON of header and payload.
    #[must_use]
    pub fn from_json(header: &Map<String, Json>, payload: &Map<String, Json>) -> Self {
        let claims: Vec<(String, Vec<Option<String>>)> =
            payload.iter().map(|(name, value)| (name.clone(), texts(value))).collect();
        let audiences = payload.get("aud").map(texts).unwrap_or_default();
        Self {
            algorithm: header.get("alg").and_then(text),
            token_type: header.get("typ").and_then(text),
            issuer: payload.get("iss").and_then(text),
            subject: payload.get("sub").and_then(text),
            id: payload.get("jti").and_then(text),
            audiences: audiences.into_iter().flatten().collect(),
            claims,
            expiration_time: payload.get("exp").and_then(date),
            issued_at: payload.get("iat").and_then(date),
            not_before: payload.get("nbf").and_then(date),
        }
    }

    /// The values of a claim; names are case-sensitive.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&[Option<String>]> {
        self.claims.iter().find(|(own, _)| own == name).map(|(_, values)| values.as_slice())
    }
}

impl Object for JwtValue {
    fn net_type(&self) -> Type {
        Type::named(names::JWT)
    }
}

fn object(part: &str) -> Option<Map<String, Json>> {
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Json::Object(it) => Some(it),
        _ => None,
    }
}

fn texts(value: &Json) -> Vec<Option<String>> {
    match value {
        Json::Array(items) => items.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(it) => Some(it.clone()),
        other => Some(other.to_string()),
    }
}

fn date(value: &Json) -> Option<DateTime> {
    let Json::Number(number) = value else { return None };
    let seconds: f64 = number.to_string().parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
    let milliseconds = (seconds * 1000.0).round() as i64;
    let ticks = milliseconds.checked_mul(TICKS_PER_SECOND / 1000)?.checked_add(UNIX_EPOCH_TICKS)?;
    (0..=MAX_TICKS).contains(&ticks).then(|| DateTime::utc(ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(header: &str, payload: &str) -> String {
        format!("{}.{}.sig", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_token_is_read_with_and_without_its_scheme() {
        let token = compact(
            r#"{"alg":"RS256"}"#,
            r#"{"sub":"u1","aud":["a","b"],"exp":0,"level":7,"roles":["x",null],"o":{"a":1}}"#,
        );
        for text in [token.clone(), format!("bearer  {token}")] {
            let jwt = JwtValue::parse(&text).unwrap();
            assert_eq!(jwt.subject.as_deref(), Some("u1"));
            assert_eq!(jwt.audiences, ["a", "b"]);
            assert_eq!(jwt.expiration_time, Some(DateTime::utc(UNIX_EPOCH_TICKS)));
            assert_eq!(jwt.claim("level").unwrap(), [Some("7".to_owned())]);
            assert_eq!(jwt.claim("roles").unwrap(), [Some("x".to_owned()), None]);
            assert_eq!(jwt.claim("o").unwrap(), [Some(r#"{"a":1}"#.to_owned())]);
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in ["", "garbage", "a.b.c", "a.b.c.d", &compact("[]", "{}")] {
            assert_eq!(JwtValue::parse(text), None, "{text}");
        }
    }
}
