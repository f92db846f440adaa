//! What an operation answered, as the result of a tool.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-result>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The result of a tool.
#[derive(Debug)]
pub struct Answered(Value);

impl Answered {
    pub(super) fn into_value(self) -> Value {
        self.0
    }
}

/// An answer of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// Its status.
    pub status: u16,
    /// The words of the status.
    pub reason: &'a str,
    /// Its media type, perhaps with parameters.
    pub content_type: &'a str,
    /// Its body, decoded.
    pub body: &'a [u8],
    /// The address that it came from.
    pub uri: &'a str,
}

/// An error of the tool itself, in words that a model can act on.
#[must_use]
pub fn tool_error(text: &str) -> Answered {
    Answered(json!({ "content": [{ "type": "text", "text": text }], "isError": true }))
}

/// What an operation answered. A status from 400 on is an error of the tool. A JSON object is
/// structured content too, so that clients need not read it again.
#[must_use]
pub fn tool_result(it: Content<'_>) -> Answered {
    let is_error = it.status >= 400;
    let media = it.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let content = content(&it, &media);
    let mut result = json!({ "content": [content], "isError": is_error });
    let is_json = media == "application/json" || media.ends_with("+json");
    if is_json
        && let Ok(object @ Value::Object(_)) = serde_json::from_slice(it.body)
        && let Some(members) = result.as_object_mut()
    {
        members.insert("structuredContent".to_owned(), object);
    }
    Answered(result)
}

fn content(it: &Content<'_>, media: &str) -> Value {
    if it.body.is_empty() {
        let text = format!("{} {}", it.status, it.reason);
        return json!({ "type": "text", "text": text.trim_end() });
    }
    let kind = media.split('/').next().unwrap_or_default();
    if matches!(kind, "image" | "audio") && media != "image/svg+xml" {
        return json!({ "type": kind, "data": STANDARD.encode(it.body), "mimeType": media });
    }
    match std::str::from_utf8(it.body) {
        Ok(text) => json!({ "type": "text", "text": text }),
        Err(_) if is_text(media) => {
            json!({ "type": "text", "text": String::from_utf8_lossy(it.body) })
        }
        Err(_) => json!({ "type": "resource", "resource": {
            "uri": it.uri,
            "mimeType": if media.is_empty() { "application/octet-stream" } else { media },
            "blob": STANDARD.encode(it.body),
        } }),
    }
}

fn is_text(media: &str) -> bool {
    media.starts_with("text/") || media.ends_with("json") || media.ends_with("xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(status: u16, content_type: &str, body: &[u8]) -> Value {
        let content = Content { status, reason: "Words", content_type, body, uri: "https://gw/x" };
        tool_result(content).into_value()
    }

    #[test]
    fn json_objects_are_text_and_structured_content() {
        let it = result(200, "application/json; charset=utf-8", br#"{"a":1}"#);
        assert_eq!(it["content"][0]["text"], r#"{"a":1}"#);
        assert_eq!(it["structuredContent"]["a"], 1);
        assert_eq!(it["isError"], false);
        assert!(result(200, "application/json", b"[1]").get("structuredContent").is_none());
        assert!(result(200, "text/plain", b"{}").get("structuredContent").is_none());
    }

    #[test]
    fn an_error_status_is_an_error_of_the_tool() {
        let it = result(404, "application/problem+json", br#"{"title":"no"}"#);
        assert_eq!(
            (&it["isError"], &it["structuredContent"]["title"]),
            (&json!(true), &json!("no"))
        );
        assert_eq!(result(400, "", b"")["content"][0]["text"], "400 Words");
        assert_eq!(result(399, "", b"")["isError"], false);
    }

    #[test]
    fn what_is_no_text_is_sent_in_base64() {
        let image = result(200, "image/png", &[0xff, 0]);
        assert_eq!(
            (&image["content"][0]["type"], &image["content"][0]["data"]),
            (&json!("image"), &json!("/wA="))
        );
        let other = result(200, "application/pdf", &[0xff, 0]);
        assert_eq!(other["content"][0]["resource"]["blob"], "/wA=");
        assert_eq!(other["content"][0]["resource"]["mimeType"], "application/pdf");
        assert_eq!(result(200, "text/plain", &[0xff])["content"][0]["text"], "\u{fffd}");
    }
}
