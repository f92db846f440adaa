//! Errors of the Messages API as those of Chat Completions.

use serde_json::{Value, json};

/// The error of an answer and its status. `fallback` is the text where the body tells none.
#[must_use]
pub fn chat_error(status: u16, body: &[u8], fallback: &str) -> (u16, Value) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = body.get("error");
    let member = |name: &str| error.and_then(|it| it.get(name)).and_then(Value::as_str);
    let kind = member("type").unwrap_or_else(|| kind_of(status));
    // A status of Anthropic's own, which clients of the other API do not know.
    let status = if status == 529 { 503 } else { status };
    (status, error_object(member("message").unwrap_or(fallback), kind, None, None))
}

/// An error as Chat Completions has it.
#[must_use]
pub fn error_object(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": param, "code": code } })
}

fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_text_and_type() {
        let anthropic = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}"#;
        for (status, body, expected) in [
            (529, anthropic, (503, "Overloaded", "overloaded_error")),
            (429, "", (429, "Too Many", "rate_limit_error")),
            (400, "<html>", (400, "Too Many", "invalid_request_error")),
            (500, r#"{"error":"x"}"#, (500, "Too Many", "api_error")),
        ] {
            let (status, made) = chat_error(status, body.as_bytes(), "Too Many");
            let error = &made["error"];
            let made =
                (status, error["message"].as_str().unwrap(), error["type"].as_str().unwrap());
            assert_eq!(made, expected);
        }
    }
}
