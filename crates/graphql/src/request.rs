//! Requests as they come over HTTP: a JSON body, a document alone, or a query string.
//!
//! Source: <https://graphql.github.io/graphql-over-http/draft/#sec-Request>

use std::fmt;

use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};

/// The members of a request that are read.
const MEMBERS: [&str; 3] = ["query", "operationName", "variables"];

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

    fn from_json(bytes: &[u8]) -> Result<Request, MalformedRequest> {
        let body: Value = serde_json::from_slice(bytes)
            .map_err(|it| malformed(format!("The body is no JSON: {it}.")))?;
        let request = Request::from_value(body)?;
        match Names::of(bytes).repeated() {
            // Another reader may take the other one.
            Some(name) => Err(malformed(format!("The request has `{name}` twice."))),
            None => Ok(request),
        }
    }

    /// Whether a body that holds a request says nothing besides it, in the form that every reader
    /// reads alike: JSON in UTF-8 with no other members, or a document.
    #[must_use]
    pub fn is_plain_body(content_type: Option<&str>, body: &[u8]) -> bool {
        let (media_type, parameters) = content_type
            .and_then(|it| it.split_once(';'))
            .unwrap_or((content_type.unwrap_or_default(), ""));
        let parameters = parameters.trim().to_ascii_lowercase().replace('"', "");
        if !matches!(parameters.as_str(), "" | "charset=utf-8") {
            return false;
        }
        match media_type.trim().to_ascii_lowercase().as_str() {
            "application/graphql" => true,
            _ => Names::of(body).0.iter().all(|it| MEMBERS.contains(&it.as_str())),
        }
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
    /// There is no `query`, or `variables` is not a JSON object, or one of them is there twice.
    pub fn from_query_string(query_string: &str) -> Result<Request, MalformedRequest> {
        let mut request = Request::default();
        let mut names = Names::default();
        for pair in query_string.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?;
            match name.as_str() {
                "query" => request.query = decoded(value)?,
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
            names.0.push(name);
        }
        if let Some(name) = names.repeated() {
            return Err(malformed(format!("The request has `{name}` twice.")));
        }
        match names.0.iter().any(|it| it == "query") {
            true => Ok(request),
            false => Err(malformed("The request has no `query`.")),
        }
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

/// The names of members, in their order.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    /// Those of a JSON object; none of anything else.
    fn of(body: &[u8]) -> Names {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// A member of requests that is there twice, however it is spelled the second time.
    fn repeated(&self) -> Option<&'static str> {
        let n = |member: &str| self.0.iter().filter(|it| it.eq_ignore_ascii_case(member)).count();
        MEMBERS.into_iter().find(|it| n(it) > 1)
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Names, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Names, M::Error> {
                let mut names = Names::default();
                while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                    names.0.push(name);
                }
                Ok(names)
            }
        }
        from.deserialize_map(Reader)
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
                "application/json",
                r#"{"query":"{a}","x":1,"qu\u0065ry":"{b}"}"#,
                "The request has `query` twice.",
            ),
            (
                "application/json",
                r#"{"operationName":"a","query":"{a}","OperationName":"b"}"#,
                "The request has `operationName` twice.",
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
    fn a_body_is_plain_if_all_readers_read_it_alike() {
        for (content_type, text, expected) in [
            ("", r#"{"query":"{a}"}"#, true),
            ("application/json; charset=\"UTF-8\"", r#"{"variables":{},"query":"{a}"}"#, true),
            ("application/graphql", "{ a }", true),
            ("application/json; charset=utf-16", r#"{"query":"{a}"}"#, false),
            ("application/graphql; charset=utf-7", "{ a }", false),
            ("application/json", r#"{"query":"{a}","extensions":{}}"#, false),
            ("application/json", r#"{"query":"{a}","documentId":"7"}"#, false),
        ] {
            let is_plain = Request::is_plain_body(Some(content_type), text.as_bytes());
            assert_eq!(is_plain, expected, "{content_type} {text}");
        }
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
        assert_eq!(read("qu%65ry=a"), r#"{"query":"a"}"#);
        for twice in ["query=a&query=b", "query=a&%71uery=b", "Query=a&query=b"] {
            assert_eq!(read(twice), "The request has `query` twice.");
        }
        assert_eq!(read("variables=&query=a&variables="), "The request has `variables` twice.");
        assert_eq!(read("query=%FF"), "The query string is not UTF-8.");
        assert_eq!(read("query=a&variables=x"), "`variables` is no JSON.");
        assert_eq!(read("query=a&variables="), r#"{"query":"a"}"#);
    }
}
