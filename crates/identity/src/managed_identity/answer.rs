//! What the endpoints answer.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};
use transport::Secret;

use super::{AccessToken, ManagedIdentityError};
use crate::error::quoted;
use crate::fetch::FetchError;

/// The longest token that is taken.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// Reads a token from an answer, whichever endpoint gave it: some write numbers as texts.
pub(super) fn token(
    endpoint: &'static str,
    answer: Result<Response<Bytes>, FetchError>,
    now: SystemTime,
) -> Result<AccessToken, ManagedIdentityError> {
    let unavailable = |reason| ManagedIdentityError::Unavailable { endpoint, reason };
    let answer = answer.map_err(|it| unavailable(it.to_string()))?;
    let members: Map<String, Value> = serde_json::from_slice(answer.body()).unwrap_or_default();
    if answer.status() != StatusCode::OK {
        return Err(refusal(endpoint, answer.status(), &members));
    }
    let text = members.get("access_token").and_then(Value::as_str).unwrap_or("");
    let is_usable = !text.is_empty()
        && text.len() <= MAX_TOKEN_BYTES
        && text.bytes().all(|it| it.is_ascii_graphic());
    if !is_usable {
        return Err(unavailable("the answer has no token".to_owned()));
    }
    let seconds = |name: &str| members.get(name).and_then(seconds);
    let expires = match (seconds("expires_on"), seconds("expires_in")) {
        (Some(at), _) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at)),
        (None, Some(after)) => now.checked_add(Duration::from_secs(after)),
        (None, None) => None,
    };
    match expires {
        Some(expires) if expires > now => Ok(AccessToken::new(Secret::new(text), expires)),
        Some(_) => Err(unavailable("the token in the answer has expired already".to_owned())),
        None => Err(unavailable("the answer does not say when the token expires".to_owned())),
    }
}

/// Which answers mean that trying again may help.
fn refusal(
    endpoint: &'static str,
    status: StatusCode,
    members: &Map<String, Value>,
) -> ManagedIdentityError {
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(quoted);
    let mut reason = format!("status {}", status.as_u16());
    let parts = [text("error"), text("error_description").or_else(|| text("message"))];
    for part in parts.into_iter().flatten() {
        reason.push_str(", ");
        reason.push_str(&part);
    }
    // 404 and 410: the metadata service is being updated.
    let is_temporary = status.is_server_error() || matches!(status.as_u16(), 404 | 408 | 410 | 429);
    match is_temporary {
        true => ManagedIdentityError::Unavailable { endpoint, reason },
        false => ManagedIdentityError::Misconfigured { endpoint, reason },
    }
}

fn seconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(|it| it as u64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<u64, String> {
        let answer = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let token = token("IMDS", Ok(answer), now).map_err(|it| it.to_string())?;
        assert_eq!(token.secret().expose(), "t");
        Ok(token.expires().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn numbers_may_be_texts() {
        for (body, expires) in [
            (r#"{"access_token":"t","expires_on":"5000","expires_in":"9"}"#, 5000),
            (r#"{"access_token":"t","expires_on":5000}"#, 5000),
            (r#"{"access_token":"t","expires_in":"3599"}"#, 4599),
            (r#"{"access_token":"t","expires_in":3599,"ext_expires_in":1}"#, 4599),
            (
                r#"{"access_token":"t","expires_on":"09/14/2017 00:00:00 PM +00:00","expires_in":"60"}"#,
                1060,
            ),
        ] {
            assert_eq!(read(200, body), Ok(expires), "{body}");
        }
    }

    #[test]
    fn an_answer_without_a_usable_token_is_a_failure() {
        for body in [
            "",
            "x",
            "[]",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"t"}"#,
            r#"{"access_token":"t","expires_on":"1000"}"#,
            r#"{"access_token":"a b","expires_in":1}"#,
            r#"{"access_token":"a\r\nb","expires_in":1}"#,
            r#"{"access_token":"t","expires_on":-1}"#,
        ] {
            assert!(read(200, body).unwrap_err().contains("not available"), "{body}");
        }
    }

    #[test]
    fn the_status_tells_whether_to_try_again() {
        let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        for status in [404, 408, 410, 429, 500, 503] {
            let text = read(status, body).unwrap_err();
            assert!(text.contains("is not available: status"), "{text}");
        }
        for status in [400, 401, 403] {
            let text = read(status, body).unwrap_err();
            assert!(
                text.ends_with(&format!("status {status}, invalid_request, Identity not found"))
            );
            assert!(text.contains("not usable"), "{text}");
        }
        let plain = read(401, r#"{"statusCode":401,"message":"wrong header"}"#).unwrap_err();
        assert!(plain.ends_with("status 401, wrong header"), "{plain}");
    }
}
