//! Messages of JSON-RPC 2.0, as MCP restricts them.
//!
//! Source: <https://www.jsonrpc.org/specification>,
//! <https://modelcontextprotocol.io/specification/2025-11-25/basic>

use serde_json::{Map, Value, json};

use super::MAX_BATCH;

/// What was sent is no JSON.
pub const PARSE_ERROR: i32 = -32_700;
/// What was sent is no request.
pub const INVALID_REQUEST: i32 = -32_600;
/// There is no such method.
pub(super) const METHOD_NOT_FOUND: i32 = -32_601;
/// The parameters are not those of the method.
pub const INVALID_PARAMS: i32 = -32_602;
/// Headers and body say different things.
pub const HEADER_MISMATCH: i32 = -32_020;
/// The version is not spoken.
pub(super) const UNSUPPORTED_VERSION: i32 = -32_022;

/// A failure of the protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Its code.
    pub code: i32,
    /// What is wrong.
    pub message: String,
    /// More of it.
    pub data: Option<Value>,
}

impl Failure {
    /// A failure without data.
    pub fn new(code: i32, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), data: None }
    }

    pub(super) fn data(mut self, data: Value) -> Failure {
        self.data = Some(data);
        self
    }

    /// The HTTP status that it has in versions without sessions.
    #[must_use]
    pub fn status(&self) -> u16 {
        if self.code == METHOD_NOT_FOUND { 404 } else { 400 }
    }
}

/// What a request brought.
#[derive(Debug)]
pub enum Incoming {
    /// One message.
    One(Message),
    /// Several at once.
    Batch(Vec<Result<Message, BadMessage>>),
}

/// Something that is no message.
#[derive(Debug, PartialEq)]
pub struct BadMessage {
    /// The id that it has all the same; null without one.
    pub id: Value,
    /// What is wrong.
    pub failure: Failure,
}

impl Incoming {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// What is wrong with it as a whole.
    pub fn read(body: &[u8]) -> Result<Incoming, BadMessage> {
        let bad =
            |code, text: &str| BadMessage { id: Value::Null, failure: Failure::new(code, text) };
        let json: Value =
            serde_json::from_slice(body).map_err(|_| bad(PARSE_ERROR, "Parse error"))?;
        match json {
            Value::Array(items) if items.is_empty() => {
                Err(bad(INVALID_REQUEST, "The batch is empty"))
            }
            Value::Array(items) if items.len() > MAX_BATCH => {
                Err(bad(INVALID_REQUEST, &format!("The batch has more than {MAX_BATCH} messages")))
            }
            Value::Array(items) => {
                Ok(Incoming::Batch(items.into_iter().map(Message::read).collect()))
            }
            one => Message::read(one).map(Incoming::One),
        }
    }
}

/// One message: a request, a notification or a response.
#[derive(Debug)]
pub struct Message {
    id: Option<Value>,
    /// Empty for a response.
    method: String,
    params: Map<String, Value>,
}

impl Message {
    pub(super) fn read(json: Value) -> Result<Message, BadMessage> {
        let Value::Object(mut members) = json else {
            let failure = Failure::new(INVALID_REQUEST, "Invalid request");
            return Err(BadMessage { id: Value::Null, failure });
        };
        let id = members.remove("id");
        let shown = id.clone().filter(|it| it.is_string() || it.is_number()).unwrap_or_default();
        let bad = |text: &str| {
            Err(BadMessage { id: shown.clone(), failure: Failure::new(INVALID_REQUEST, text) })
        };
        if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return bad("`jsonrpc` must be \"2.0\"");
        }
        if id.as_ref().is_some_and(|it| !it.is_string() && !it.is_number()) {
            return bad("`id` must be a string or a number");
        }
        let method = match members.remove("method") {
            Some(Value::String(method)) => method,
            None if members.contains_key("result") || members.contains_key("error") => {
                String::new()
            }
            _ => return bad("`method` must be a string"),
        };
        let params = match members.remove("params") {
            None => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => {
                let failure = Failure::new(INVALID_PARAMS, "`params` must be an object");
                return Err(BadMessage { id: shown, failure });
            }
        };
        Ok(Message { id, method, params })
    }

    /// The id of a request; none for a notification or a response.
    #[must_use]
    pub fn id(&self) -> Option<&Value> {
        self.id.as_ref().filter(|_| !self.method.is_empty())
    }

    /// The method; empty for a response.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
    }
}

/// The answer to a request.
#[must_use]
pub fn reply(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// The answer to a request that failed.
#[must_use]
pub fn failure(id: &Value, failure: &Failure) -> Value {
    let mut error = json!({ "code": failure.code, "message": failure.message });
    if let (Some(members), Some(data)) = (error.as_object_mut(), &failure.data) {
        members.insert("data".to_owned(), data.clone());
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_told_with_the_id_that_it_has() {
        for (text, code, id) in [
            ("{", PARSE_ERROR, Value::Null),
            ("1", INVALID_REQUEST, Value::Null),
            ("[]", INVALID_REQUEST, Value::Null),
            (r#"{"id":1,"method":"ping"}"#, INVALID_REQUEST, json!(1)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, INVALID_REQUEST, Value::Null),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, INVALID_REQUEST, Value::Null),
            (r#"{"jsonrpc":"2.0","id":"a"}"#, INVALID_REQUEST, json!("a")),
            (r#"{"jsonrpc":"2.0","id":2,"method":"x","params":[1]}"#, INVALID_PARAMS, json!(2)),
        ] {
            let bad = Incoming::read(text.as_bytes()).unwrap_err();
            assert_eq!((bad.failure.code, bad.id), (code, id), "{text}");
        }
    }

    #[test]
    fn responses_and_notifications_have_no_id_to_answer() {
        for text in [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
        ] {
            let Ok(Incoming::One(message)) = Incoming::read(text.as_bytes()) else { panic!() };
            assert_eq!(message.id(), None, "{text}");
        }
    }

    #[test]
    fn batches_and_depth_are_bounded() {
        let one = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let batch = |n: usize| format!("[{}]", vec![one; n].join(","));
        assert!(matches!(
            Incoming::read(batch(MAX_BATCH).as_bytes()), Ok(Incoming::Batch(it)) if it.len() == MAX_BATCH
        ));
        let bad = Incoming::read(batch(MAX_BATCH + 1).as_bytes()).unwrap_err();
        assert_eq!(bad.failure.message, "The batch has more than 32 messages");
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(Incoming::read(deep.as_bytes()).unwrap_err().failure.code, PARSE_ERROR);
    }
}
