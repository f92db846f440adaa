//! A server of the Model Context Protocol: streamable HTTP, two tools, one resource.
//!
//! `echo` gives its text back, as a stream of events; `add` adds two numbers. Every call after
//! `initialize` must name its session.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-06-18/basic/transports>

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use transport::{Body, Request, Response};

use crate::openai::header_text;
use crate::reply;
use crate::world::World;

/// The protocol's versions that it speaks, the newest first.
const VERSIONS: [&str; 2] = ["2025-06-18", "2025-03-26"];

/// Longest request body, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Most sessions at a time.
const MAX_SESSIONS: usize = 1000;

const SESSION: &str = "mcp-session-id";

/// The sessions that have begun and not ended.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<BTreeSet<String>>);

impl Sessions {
    fn all(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Option<String> {
        let mut all = self.all();
        if all.len() >= MAX_SESSIONS {
            return None;
        }
        let id = reply::request_id();
        all.insert(id.clone());
        Some(id)
    }
}

pub(crate) async fn handle(world: &World, request: Request) -> Response {
    let sessions = &world.sessions;
    if request.uri().path().trim_end_matches('/') != "/mcp" {
        return refuse(StatusCode::NOT_FOUND, "Not Found");
    }
    let session = header_text(request.headers(), SESSION);
    match *request.method() {
        Method::POST => {}
        Method::DELETE => {
            let has_ended = session.is_some_and(|it| sessions.all().remove(&it));
            let status = if has_ended { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
            return reply::empty(status);
        }
        // No events come unasked, so no stream is offered (transports, "listening for messages").
        _ => return refuse(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    }
    if !accepts_both(request.headers()) {
        let message = "Client must accept both application/json and text/event-stream";
        return refuse(StatusCode::NOT_ACCEPTABLE, message);
    }
    let body = match request.into_body().collect(MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return failure(&Value::Null, -32_700, "Parse error");
    };
    answer(sessions, session, &message)
}

fn accepts_both(headers: &HeaderMap) -> bool {
    let accept = header_text(headers, "accept").unwrap_or_default();
    accept.contains("*/*")
        || (accept.contains("application/json") && accept.contains("text/event-stream"))
}

fn answer(sessions: &Sessions, session: Option<String>, message: &Value) -> Response {
    let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
    let params = message.get("params").cloned().unwrap_or_default();
    if method == "initialize" {
        return initialize(sessions, message.get("id"), &params);
    }
    match session {
        None => {
            return refuse(StatusCode::BAD_REQUEST, "Bad Request: No valid session ID provided");
        }
        Some(it) if !sessions.all().contains(&it) => {
            return refuse(StatusCode::NOT_FOUND, "Session not found");
        }
        Some(_) => {}
    }
    let Some(id) = message.get("id") else { return reply::empty(StatusCode::ACCEPTED) };
    match method {
        "ping" => result(id, json!({})),
        "tools/list" => result(id, json!({ "tools": tools() })),
        "tools/call" => call(id, &params),
        "resources/list" => {
            let resource =
                json!({ "uri": "local://greeting", "name": "greeting", "mimeType": "text/plain" });
            result(id, json!({ "resources": [resource] }))
        }
        "resources/read" if params.get("uri") == Some(&json!("local://greeting")) => {
            let content =
                json!({ "uri": "local://greeting", "mimeType": "text/plain", "text": "Hello." });
            result(id, json!({ "contents": [content] }))
        }
        "resources/read" => failure(id, -32_002, "Resource not found"),
        _ => failure(id, -32_601, "Method not found"),
    }
}

fn initialize(sessions: &Sessions, id: Option<&Value>, params: &Value) -> Response {
    let Some(id) = id else { return failure(&Value::Null, -32_600, "Invalid Request") };
    let Some(session) = sessions.begin() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "Too many sessions");
    };
    let asked = params.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
    let [newest, ..] = VERSIONS;
    let version = VERSIONS.into_iter().find(|it| *it == asked).unwrap_or(newest);
    let mut response = result(
        id,
        json!({
            "protocolVersion": version,
            "capabilities": { "tools": { "listChanged": false }, "resources": {} },
            "serverInfo": { "name": "local", "version": "1.0.0" },
        }),
    );
    reply::set(&mut response, SESSION, &session);
    response
}

fn tools() -> Value {
    json!([
        {
            "name": "echo",
            "description": "Gives its text back.",
            "inputSchema": {
                "type": "object",
                "properties": { "text": { "type": "string" } },
                "required": ["text"],
            },
        },
        {
            "name": "add",
            "description": "Adds two numbers.",
            "inputSchema": {
                "type": "object",
                "properties": { "a": { "type": "number" }, "b": { "type": "number" } },
                "required": ["a", "b"],
            },
        },
    ])
}

fn call(id: &Value, params: &Value) -> Response {
    let argument = |name: &str| params.get("arguments").and_then(|it| it.get(name));
    let number = |name: &str| argument(name).and_then(Value::as_f64);
    let said = |text: &str, is_error: bool| json!({ "content": [{ "type": "text", "text": text }], "isError": is_error });
    match params.get("name").and_then(Value::as_str) {
        Some("echo") => match argument("text").and_then(Value::as_str) {
            Some(text) => events(&rpc(id, "result", said(text, false))),
            None => result(id, said("`text` is required", true)),
        },
        Some("add") => match number("a").zip(number("b")) {
            Some((a, b)) => result(id, said(&(a + b).to_string(), false)),
            None => result(id, said("`a` and `b` must be numbers", true)),
        },
        _ => failure(id, -32_602, "Unknown tool"),
    }
}

fn rpc(id: &Value, member: &str, value: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, member: value })
}

fn result(id: &Value, value: Value) -> Response {
    reply::json(StatusCode::OK, &rpc(id, "result", value))
}

fn failure(id: &Value, code: i32, message: &str) -> Response {
    let error = json!({ "code": code, "message": message });
    reply::json(StatusCode::OK, &rpc(id, "error", error))
}

fn refuse(status: StatusCode, message: &str) -> Response {
    let error = json!({ "code": -32_000, "message": message });
    reply::json(status, &rpc(&Value::Null, "error", error))
}

fn events(message: &Value) -> Response {
    let mut response =
        Response::new(Body::full(format!("event: message\nid: 1\ndata: {message}\n\n")));
    reply::event_stream(&mut response);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sessions: &Sessions, session: Option<&str>, message: Value) -> (u16, String) {
        let response = answer(sessions, session.map(str::to_owned), &message);
        let body = response.body().as_bytes().unwrap().to_vec();
        (response.status().as_u16(), String::from_utf8(body).unwrap())
    }

    #[test]
    fn a_session_begins_with_initialize_and_every_call_names_it() {
        let sessions = Sessions::default();
        let begun = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": { "protocolVersion": "2025-03-26" } });
        let response = answer(&sessions, None, &begun);
        let id = response.headers()[SESSION].to_str().unwrap().to_owned();
        let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
        assert_eq!(asked(&sessions, None, list.clone()).0, 400);
        assert_eq!(asked(&sessions, Some("other"), list.clone()).0, 404);
        assert!(asked(&sessions, Some(&id), list).1.contains(r#""name":"add""#));
        let notice = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(asked(&sessions, Some(&id), notice), (202, String::new()));
    }

    #[test]
    fn tools_answer_in_both_ways() {
        let sessions = Sessions::default();
        let session = sessions.begin().unwrap();
        let call = |name: &str, arguments: Value| {
            let params = json!({ "name": name, "arguments": arguments });
            let message =
                json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
            asked(&sessions, Some(&session), message).1
        };
        assert!(call("add", json!({ "a": 1, "b": 2.5 })).contains(r#""text":"3.5""#));
        assert!(call("echo", json!({ "text": "hi" })).starts_with("event: message\n"));
        assert!(call("add", json!({})).contains(r#""isError":true"#));
        assert!(call("other", json!({})).contains("-32602"));
    }

    #[test]
    fn sessions_are_bounded() {
        let sessions = Sessions::default();
        assert_eq!((0..=MAX_SESSIONS).filter_map(|_| sessions.begin()).count(), MAX_SESSIONS);
    }
}
