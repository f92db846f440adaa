//! The messages of GraphQL over WebSocket, subprotocol `graphql-transport-ws`.
//!
//! Source: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::request::Request;

/// The name of the subprotocol.
pub const PROTOCOL: &str = "graphql-transport-ws";

/// Longest id of an operation, in bytes.
const MAX_ID_BYTES: usize = 256;

/// What a client says.
#[derive(Clone, Debug, PartialEq)]
pub enum FromClient {
    /// The first message, with its payload.
    Init(Option<Value>),
    /// Are you there?
    Ping(Option<Value>),
    /// I am.
    Pong(Option<Value>),
    /// Asks for an operation.
    Subscribe {
        /// The client's name for it.
        id: String,
        /// The operation.
        request: Request,
    },
    /// Wants no more of an operation.
    Complete {
        /// The client's name for it.
        id: String,
    },
}

/// Why a connection is closed: the code and the reason of the close frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The code.
    pub code: u16,
    /// The reason, for people.
    pub reason: String,
}

impl Closing {
    /// A message that does not fit the protocol.
    pub fn invalid(reason: impl Into<String>) -> Closing {
        Closing { code: 4400, reason: reason.into() }
    }

    /// An operation before the connection was acknowledged.
    #[must_use]
    pub fn unauthorized() -> Closing {
        Closing { code: 4401, reason: "Unauthorized".to_owned() }
    }

    /// No first message in time.
    #[must_use]
    pub fn init_timeout() -> Closing {
        Closing { code: 4408, reason: "Connection initialisation timeout".to_owned() }
    }

    /// An id that is in use.
    #[must_use]
    pub fn subscriber_exists(id: &str) -> Closing {
        Closing { code: 4409, reason: format!("Subscriber for {id} already exists") }
    }

    /// A second first message.
    #[must_use]
    pub fn too_many_inits() -> Closing {
        Closing { code: 4429, reason: "Too many initialisation requests".to_owned() }
    }
}

impl FromClient {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// It does not fit the protocol.
    pub fn parse(text: &str) -> Result<FromClient, Closing> {
        let message: Value = serde_json::from_str(text)
            .map_err(|_| Closing::invalid("Invalid message: it is no JSON"))?;
        let Value::Object(mut message) = message else {
            return Err(Closing::invalid("Invalid message: it is no object"));
        };
        let kind = message.remove("type");
        match kind.as_ref().and_then(Value::as_str) {
            Some("connection_init") => payload(&mut message).map(FromClient::Init),
            Some("ping") => payload(&mut message).map(FromClient::Ping),
            Some("pong") => payload(&mut message).map(FromClient::Pong),
            Some("complete") => Ok(FromClient::Complete { id: id(&mut message)? }),
            Some("subscribe") => {
                let id = id(&mut message)?;
                let payload = message.remove("payload").unwrap_or_default();
                let request = Request::from_value(payload)
                    .map_err(|it| Closing::invalid(format!("Invalid message: {it}")))?;
                Ok(FromClient::Subscribe { id, request })
            }
            _ => Err(Closing::invalid("Invalid message: its `type` is not known")),
        }
    }

    /// The message as a client sends it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let with = |kind: &str, payload: &Option<Value>| {
            let mut message = Map::new();
            message.insert("type".to_owned(), Value::from(kind));
            if let Some(payload) = payload {
                message.insert("payload".to_owned(), payload.clone());
            }
            Value::Object(message).to_string()
        };
        match self {
            FromClient::Init(payload) => with("connection_init", payload),
            FromClient::Ping(payload) => with("ping", payload),
            FromClient::Pong(payload) => with("pong", payload),
            FromClient::Subscribe { id, request } => {
                json!({ "id": id, "type": "subscribe", "payload": request.to_json() }).to_string()
            }
            FromClient::Complete { id } => json!({ "id": id, "type": "complete" }).to_string(),
        }
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, Closing> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_ID_BYTES => Ok(id),
        _ => Err(Closing::invalid("Invalid message: its `id` is no text, or too long")),
    }
}

fn payload(message: &mut Map<String, Value>) -> Result<Option<Value>, Closing> {
    match message.remove("payload") {
        payload @ (None | Some(Value::Null | Value::Object(_))) => Ok(payload),
        Some(_) => Err(Closing::invalid("Invalid message: its `payload` is no object")),
    }
}

/// `connection_ack`.
#[must_use]
pub fn ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// `pong`.
#[must_use]
pub fn pong() -> String {
    json!({ "type": "pong" }).to_string()
}

/// `next`: the outcome of one event.
#[must_use]
pub fn next(id: &str, response: &Value) -> String {
    json!({ "id": id, "type": "next", "payload": response }).to_string()
}

/// `error`: the operation is not executed, or not any more.
#[must_use]
pub fn error(id: &str, errors: &[Error]) -> String {
    let errors: Vec<Value> = errors.iter().map(Error::to_json).collect();
    json!({ "id": id, "type": "error", "payload": errors }).to_string()
}

/// A service's `next` with further errors; anything else as it is. Ids are looked up by `errors_of`.
/// Says as well which operation has ended.
pub fn from_service<'a>(
    text: String,
    errors_of: impl FnOnce(&str) -> &'a [Error],
) -> (String, Option<String>) {
    let Ok(Value::Object(mut message)) = serde_json::from_str::<Value>(&text) else {
        return (text, None);
    };
    let Some(id) = message.get("id").and_then(Value::as_str).map(str::to_owned) else {
        return (text, None);
    };
    match message.get("type").and_then(Value::as_str) {
        Some("complete" | "error") => return (text, Some(id)),
        Some("next") => {}
        _ => return (text, None),
    }
    let errors = errors_of(&id);
    let Some(Value::Object(payload)) = message.get_mut("payload").filter(|_| !errors.is_empty())
    else {
        return (text, None);
    };
    let slot = payload.entry("errors").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(all) = slot {
        all.extend(errors.iter().map(Error::to_json));
    }
    (Value::Object(message).to_string(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> String {
        match FromClient::parse(text) {
            Ok(it) => format!("{it:?}"),
            Err(it) => format!("{} {}", it.code, it.reason),
        }
    }

    #[test]
    fn messages_are_read_or_close_the_connection() {
        for (text, expected) in [
            (r#"{"type":"connection_init"}"#, "Init(None)"),
            (
                r#"{"type":"connection_init","payload":{"token":"x"}}"#,
                r#"Init(Some(Object {"token": String("x")}))"#,
            ),
            (r#"{"type":"ping","payload":null}"#, "Ping(Some(Null))"),
            (r#"{"type":"pong"}"#, "Pong(None)"),
            (r#"{"type":"complete","id":"1"}"#, r#"Complete { id: "1" }"#),
            ("x", "4400 Invalid message: it is no JSON"),
            ("[]", "4400 Invalid message: it is no object"),
            ("{}", "4400 Invalid message: its `type` is not known"),
            (r#"{"type":"start","id":"1"}"#, "4400 Invalid message: its `type` is not known"),
            (
                r#"{"type":"connection_init","payload":1}"#,
                "4400 Invalid message: its `payload` is no object",
            ),
            (
                r#"{"type":"complete","id":1}"#,
                "4400 Invalid message: its `id` is no text, or too long",
            ),
            (
                r#"{"type":"subscribe","id":"1","payload":{}}"#,
                "4400 Invalid message: The request has no `query`.",
            ),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        let long = json!({ "type": "complete", "id": "x".repeat(257) }).to_string();
        assert!(parse(&long).starts_with("4400"));
    }

    #[test]
    fn messages_come_back_as_they_were_read_and_with_nothing_twice() {
        let request = Request { query: "{a}".to_owned(), ..Request::default() };
        for message in [
            FromClient::Init(Some(json!({ "token": "x" }))),
            FromClient::Init(None),
            FromClient::Ping(None),
            FromClient::Pong(Some(Value::Null)),
            FromClient::Complete { id: "1".to_owned() },
            FromClient::Subscribe { id: "7".to_owned(), request },
        ] {
            assert_eq!(FromClient::parse(&message.to_text()), Ok(message));
        }
        let twice = r#"{"type":"ping","id":"1","type":"complete","payload":{}}"#;
        let message = FromClient::parse(twice).unwrap();
        assert_eq!(message.to_text(), r#"{"id":"1","type":"complete"}"#);
    }

    #[test]
    fn messages_to_the_client_have_their_form() {
        assert_eq!(ack(), r#"{"type":"connection_ack"}"#);
        assert_eq!(pong(), r#"{"type":"pong"}"#);
        assert_eq!(
            next("1", &json!({ "data": 1 })),
            r#"{"id":"1","type":"next","payload":{"data":1}}"#
        );
        assert_eq!(
            error("1", &[Error::new("no")]),
            r#"{"id":"1","type":"error","payload":[{"message":"no"}]}"#
        );
    }

    #[test]
    fn errors_are_added_to_the_outcomes_of_a_service() {
        let errors = [Error::new("no")];
        let told =
            |text: &str| from_service(text.to_owned(), |id| if id == "1" { &errors } else { &[] });
        for (text, expected, ended) in [
            (
                r#"{"id":"1","type":"next","payload":{"data":{}}}"#,
                r#"{"id":"1","type":"next","payload":{"data":{},"errors":[{"message":"no"}]}}"#,
                None,
            ),
            (
                r#"{"id":"2", "type":"next","payload":{"data":{}}}"#,
                r#"{"id":"2", "type":"next","payload":{"data":{}}}"#,
                None,
            ),
            (r#"{"id":"1","type":"complete"}"#, r#"{"id":"1","type":"complete"}"#, Some("1")),
            (r#"{"type":"connection_ack"}"#, r#"{"type":"connection_ack"}"#, None),
            ("no json", "no json", None),
        ] {
            assert_eq!(told(text), (expected.to_owned(), ended.map(str::to_owned)));
        }
    }
}
