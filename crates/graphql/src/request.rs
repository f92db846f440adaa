//! Requests as they come over HTTP: a JSON body, a document alone, or a query string.
//!
//! Source: <https://graphql.github.io/graphql-over-http/draft/#sec-Request>

use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// A request: the document, which of its operations, and the values of variables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The document.
    pub query: String,
    /// The operation of the document; needed if there are several.
    pub operation_name: Option<String>,
    /// Values of variables, as the client sent them.
    pub variables: Map<String, Value>,
}

/// Why a message is no GraphQL request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRequest(String);

impl fmt::Display for MalformedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MalformedRequest {}

fn malformed(message: impl Into<String>) -> MalformedRequest {
    MalformedRequest(message.into())
}

impl Request {
    /// The request in a body. A content type that is not named counts as JSON.
    ///
    /// # Errors
    ///
    /// The body is neither JSON with a text `query` nor, for `application/graphql`, text.
    pub fn from_body(content_type: Option<&str>, body: &[u8]) -> Result<Request, MalformedRequest> {
        let media_type = content_type.and_then(|it| it.split(';').next()).map(str::trim);
        match media_type.filter(|it| !it.is_empty()).map(str::to_ascii_lowercase).as_deref() {
            Some("application/graphql") => {
                let query = std::str::from_utf8(body);
                let query = query.map_err(|_| malformed("The body is not UTF-8."))?;
                Ok(Request { query: query.to_owned(), ..Request::default() })
            }
            None | Some("application/json" | "application/graphql+json" | "text/json") => {
                Request::from_json(body)
            }
            Some(other) => Err(malformed(format!(
                "The content type `{other}` is not one of GraphQL requests; send \
                 `application/json`."
            ))),
        }
    }

    fn from_json(body: &[u8]) -> Result<Request, MalformedRequest> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|it| malformed(format!("The body is no JSON: {it}.")))?;
        Request::from_value(body)
    }

    /// The request in a JSON object.
    ///
    /// # Errors
    ///
    /// It has no text `query`, or a member is not what it must be.
    pub fn from_value(json: Value) -> Result<Request, MalformedRequest> {
        let Value::Object(mut body) = json else {
            return Err(malformed("The body must be one JSON object; batches are not served."));
        };
        let query = match body.remove("query") {
            Some(Value::String(query)) => query,
            None | Some(Value::Null) => return Err(malformed("The request has no `query`.")),
            Some(_) => return Err(malformed("`query` must be a string.")),
        };
        let operation_name = match body.remove("operationName") {
            Some(Value::String(name)) => Some(name).filter(|it| !it.is_empty()),
            None | Some(Value::Null) => None,
            Some(_) => return Err(malformed("`operationName` must be a string.")),
        };
        Ok(Request { query, operation_name, variables: variables(body.remove("variables"))? })
    }

    /// The request in a query string.
    ///
    /// # Errors
    ///
    /// There is no `query`, or `variables` is not a JSON object.
    pub fn from_query_string(query_string: &str) -> Result<Request, MalformedRequest> {
        let mut request = Request::default();
        let mut has_query = false;
        for pair in query_string.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "query" => {
                    request.query = decoded(value)?;
                    has_query = true;
                }
                "operationName" => {
                    request.operation_name = Some(decoded(value)?).filter(|it| !it.is_empty());
                }
                "variables" => {
                    let text = decoded(value)?;
                    if !text.is_empty() {
                        let json = serde_json::from_str(&text);
                        let json = json.map_err(|_| malformed("`variables` is no JSON."))?;
                        request.variables = variables(Some(json))?;
                    }
                }
                _ => {}
            }
        }
        if has_query { Ok(request) } else { Err(malformed("The request has no `query`.")) }
    }

    /// The request as a JSON body has it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("query".to_owned(), Value::from(self.query.as_str()));
        if let Some(name) = &self.operation_name {
            json.insert("operationName".to_owned(), json!(name));
        }
        if !self.variables.is_empty() {
            json.insert("variables".to_owned(), Value::Object(self.variables.clone()));
        }
        Value::Object(json)
    }
}

fn variables(json: Option<Value>) -> Result<Map<String, Value>, MalformedRequest> {
    match json {
        Some(Value::Object(map)) => Ok(map),
        None | Some(Value::Null) => Ok(Map::new()),
        Some(_) => Err(malformed("`variables` must be a JSON object.")),
    }
}

fn decoded(value: &str) -> Result<String, MalformedRequest> {
    let spaced = value.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8();
    text.map(|it| it.into_owned()).map_err(|_| malformed("The query string is not UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(content_type: &str, body: &str) -> String {
        match Request::from_body(Some(content_type), body.as_bytes()) {
            Ok(it) => format!("{} {:?} {}", it.query, it.operation_name, it.to_json()["variables"]),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_body_is_json_or_a_document() {
        for (content_type, text, expected) in [
            ("application/json", r#"{"query":"{a}"}"#, "{a} None null"),
            (
                "application/json; charset=utf-8",
                r#"{"query":"q","operationName":"x","variables":{"a":1},"extensions":{}}"#,
                r#"q Some("x") {"a":1}"#,
            ),
            ("", r#"{"query":"{a}","variables":null,"operationName":null}"#, "{a} None null"),
            ("Application/GraphQL", "{ a }", "{ a } None null"),
            ("application/json", "[]", "The body must be one JSON object; batches are not served."),
            ("application/json", "{}", "The request has no `query`."),
            ("application/json", r#"{"query":1}"#, "`query` must be a string."),
            (
                "application/json",
                r#"{"query":"a","operationName":1}"#,
                "`operationName` must be a string.",
            ),
            (
                "application/json",
                r#"{"query":"a","variables":[]}"#,
                "`variables` must be a JSON object.",
            ),
            (
                "text/plain",
                "{a}",
                "The content type `text/plain` is not one of GraphQL requests; send `application/json`.",
            ),
        ] {
            assert_eq!(body(content_type, text), expected);
        }
        assert!(body("application/json", "{").starts_with("The body is no JSON: "));
        assert!(Request::from_body(Some("application/graphql"), b"\xff").is_err());
    }

    #[test]
    fn a_query_string_holds_a_request() {
        let read = |text: &str| match Request::from_query_string(text) {
            Ok(it) => it.to_json().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            read("query=%7Ba%7D+x&operationName=n&variables=%7B%22a%22%3A1%7D&other=1"),
            r#"{"query":"{a} x","operationName":"n","variables":{"a":1}}"#
        );
        assert_eq!(read("a=b"), "The request has no `query`.");
        assert_eq!(read("query=%FF"), "The query string is not UTF-8.");
        assert_eq!(read("query=a&variables=x"), "`variables` is no JSON.");
        assert_eq!(read("query=a&variables="), r#"{"query":"a"}"#);
    }
}
