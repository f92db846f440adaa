//! What a token endpoint answers.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};
use transport::Secret;

use super::AuthorizationProblem;
use crate::error::quoted;
use crate::fetch::FetchError;

/// The longest token that is taken.
const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// How long a token is kept whose life is not told.
const UNTOLD: Duration = Duration::from_hours(1);
/// The longest life that is believed.
const MAX_LIFETIME: Duration = Duration::from_hours(24 * 365);

/// A token with what came beside it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) access_token: Secret,
    pub(super) members: Map<String, Value>,
    pub(super) lifetime: Duration,
    pub(super) refresh_token: Option<Secret>,
}

pub(super) fn read(
    answer: Result<Response<Bytes>, FetchError>,
) -> Result<Answer, AuthorizationProblem> {
    let unavailable = |it: &str| AuthorizationProblem::Unavailable(it.to_owned());
    let answer = answer.map_err(|it| unavailable(&it.to_string()))?;
    let members: Map<String, Value> = serde_json::from_slice(answer.body()).unwrap_or_default();
    // Some providers tell of an error with status 200.
    if answer.status() != StatusCode::OK || members.contains_key("error") {
        return Err(refusal(answer.status(), &members));
    }
    let mut members = members;
    let refresh_token = match members.remove("refresh_token") {
        Some(Value::String(it)) if is_token(&it) => Some(Secret::new(it)),
        _ => None,
    };
    let text = members.get("access_token").and_then(Value::as_str).filter(|it| is_token(it));
    let access_token = text.ok_or_else(|| unavailable("the answer has no token"))?;
    let lifetime = match members.get("expires_in") {
        None | Some(Value::Null) => UNTOLD,
        Some(it) => seconds(it).ok_or_else(|| unavailable("`expires_in` is no number"))?,
    };
    if lifetime.is_zero() {
        return Err(unavailable("the token in the answer has expired already"));
    }
    let access_token = Secret::new(access_token);
    Ok(Answer { access_token, members, lifetime: lifetime.min(MAX_LIFETIME), refresh_token })
}

fn refusal(status: StatusCode, members: &Map<String, Value>) -> AuthorizationProblem {
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(quoted);
    let mut reason = format!("status {}", status.as_u16());
    for part in [text("error"), text("error_description")].into_iter().flatten() {
        reason.push_str(", ");
        reason.push_str(&part);
    }
    match status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
        true => AuthorizationProblem::Unavailable(reason),
        false => AuthorizationProblem::Refused(reason),
    }
}

fn is_token(text: &str) -> bool {
    let is_visible = text.bytes().all(|it| it.is_ascii_graphic());
    !text.is_empty() && text.len() <= MAX_TOKEN_BYTES && is_visible
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(it) => it.as_u64().or_else(|| it.as_f64().map(|it| it as u64))?,
        Value::String(it) => it.parse().ok()?,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(status: u16, body: &str) -> String {
        let answer = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
        match read(Ok(answer)) {
            Ok(it) => {
                let refresh = it.refresh_token.map(|it| it.expose().to_owned());
                let names: Vec<&String> = it.members.keys().collect();
                format!(
                    "{} {} {refresh:?} {names:?}",
                    it.access_token.expose(),
                    it.lifetime.as_secs()
                )
            }
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn a_token_comes_with_other_members() {
        for (body, expected) in [
            (
                r#"{"access_token":"t","expires_in":60}"#,
                r#"t 60 None ["access_token", "expires_in"]"#,
            ),
            (
                r#"{"access_token":"t","expires_in":"60","refresh_token":"r"}"#,
                r#"t 60 Some("r") ["access_token", "expires_in"]"#,
            ),
            (r#"{"access_token":"t"}"#, r#"t 3600 None ["access_token"]"#),
            (
                r#"{"access_token":"t","expires_in":1e300}"#,
                r#"t 31536000 None ["access_token", "expires_in"]"#,
            ),
        ] {
            assert_eq!(shown(200, body), expected);
        }
    }

    #[test]
    fn an_answer_without_a_usable_token_is_a_failure() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a b"}"#,
            r#"{"access_token":"t","expires_in":0}"#,
            r#"{"access_token":"t","expires_in":"soon"}"#,
        ] {
            assert!(shown(200, body).starts_with("the token endpoint is not available"), "{body}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let body = r#"{"error":"invalid_grant","error_description":"used"}"#;
        let refused = "the token endpoint refuses: status 400, invalid_grant, used";
        assert_eq!(shown(400, body), refused);
        assert_eq!(shown(200, body), refused.replace("400", "200"));
        assert_eq!(shown(503, ""), "the token endpoint is not available: status 503");
    }
}
