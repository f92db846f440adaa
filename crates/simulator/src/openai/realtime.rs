//! Realtime sessions: a WebSocket on which texts are answered event by event.
//!
//! `session.update`, `conversation.item.create` and `response.create` are understood; audio is not
//! made. Each answer ends with `response.done` and its usage.
//!
//! Source: <https://learn.microsoft.com/azure/ai-services/openai/realtime-audio-reference>

use std::io;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncWrite;
use transport::upgrade::{self, OnUpgrade};
use transport::websocket::{self, End, Incoming, Sender, WebSocketError};
use transport::{Body, Request, Response};

use super::completion::{Prompt, text_of};
use super::error;
use crate::reply;

/// Subprotocol that browsers offer.
const PROTOCOL: &str = "realtime";

/// Longest message, in bytes.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// Most items of a conversation.
const MAX_ITEMS: usize = 1000;

/// Accepts the handshake and answers events until the client closes.
pub(super) fn handle(mut request: Request, model: String, now: u64) -> Response {
    let Some(headers) = websocket::accept(request.headers(), PROTOCOL) else {
        return error::invalid_request("This endpoint wants a WebSocket handshake.", None);
    };
    let Some(promise) = upgrade::take(request.extensions_mut()) else {
        return error::invalid_request("This connection cannot switch protocols.", None);
    };
    tokio::spawn(async move {
        // A client that breaks off has had what it wanted.
        let _ = serve(promise, model, now).await;
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    response
}

async fn serve(promise: OnUpgrade, model: String, now: u64) -> Result<(), WebSocketError> {
    let socket = promise.connection().await?;
    let (mut receiver, sender) = websocket::split(socket, End::Server, MAX_MESSAGE_BYTES);
    let mut session = Session { sender, model, now, prompt: Prompt::default() };
    session.tell("session.created", "session", json!({
        "id": format!("sess_{}", id()), "object": "realtime.session", "model": session.model,
        "modalities": ["text"],
    })).await?;
    loop {
        match receiver.next().await? {
            Incoming::Text(text) => session.hear(&text).await?,
            Incoming::Ping(payload) => session.sender.pong(&payload).await?,
            Incoming::Pong | Incoming::Binary(_) => {}
            Incoming::Close(code, _) => return Ok(session.sender.close(code, "").await?),
        }
    }
}

struct Session<W> {
    sender: Sender<W>,
    model: String,
    now: u64,
    prompt: Prompt,
}

impl<W: AsyncWrite + Unpin> Session<W> {
    async fn hear(&mut self, text: &str) -> io::Result<()> {
        let event: Value = serde_json::from_str(text).unwrap_or_default();
        match event.get("type").and_then(Value::as_str) {
            Some("session.update") => {
                let session = event.get("session").cloned().unwrap_or_default();
                self.tell("session.updated", "session", session).await
            }
            Some("conversation.item.create") => {
                let mut item = event.get("item").cloned().unwrap_or_default();
                let role = item.get("role").and_then(Value::as_str).unwrap_or("user").to_owned();
                if self.prompt.messages.len() < MAX_ITEMS {
                    self.prompt.messages.push((role, text_of(item.get("content"))));
                }
                if let Some(members) = item.as_object_mut() {
                    members.insert("id".into(), json!(format!("item_{}", id())));
                }
                self.tell("conversation.item.created", "item", item).await
            }
            Some("response.create") => self.answer().await,
            other => {
                let message = format!("Invalid value: '{}'.", other.unwrap_or_default());
                let error = json!({ "type": "invalid_request_error", "code": "invalid_value",
                    "message": message, "param": "type" });
                self.tell("error", "error", error).await
            }
        }
    }

    async fn answer(&mut self) -> io::Result<()> {
        let completion = self.prompt.answer(&self.model, self.now, None);
        let response = |status: &str, output: Value, usage: Value| {
            json!({ "id": format!("resp_{}", completion.id), "object": "realtime.response",
                "status": status, "output": output, "usage": usage })
        };
        let begun = response("in_progress", json!([]), Value::Null);
        self.tell("response.created", "response", begun).await?;
        for word in &completion.words {
            self.tell("response.output_text.delta", "delta", json!(word)).await?;
        }
        let text = completion.text();
        self.tell("response.output_text.done", "text", json!(text)).await?;
        self.prompt.messages.push(("assistant".to_owned(), text.clone()));
        let output = json!([{ "id": format!("item_{}", completion.id), "type": "message",
            "role": "assistant", "status": "completed",
            "content": [{ "type": "output_text", "text": text }] }]);
        let usage = completion.usage;
        let usage = json!({
            "total_tokens": usage.total(),
            "input_tokens": usage.prompt,
            "output_tokens": usage.completion,
            "input_token_details":
                { "cached_tokens": usage.cached, "text_tokens": usage.prompt, "audio_tokens": 0 },
            "output_token_details": { "text_tokens": usage.completion, "audio_tokens": 0 },
        });
        self.tell("response.done", "response", response("completed", output, usage)).await
    }

    async fn tell(&mut self, kind: &str, name: &str, value: Value) -> io::Result<()> {
        let event = json!({ "type": kind, "event_id": format!("event_{}", id()), name: value });
        self.sender.text(&event.to_string()).await
    }
}

fn id() -> String {
    reply::request_id().replace('-', "")
}
