//! A connection whose subscriptions the gateway serves itself.
//!
//! ```text
//! client ─messages─▶ Session ─subscribe─▶ task per subscription ─next─▶ Session ─▶ client
//!                                             ▲
//!                                     events ─┘ publish-event
//! ```
//!
//! One task per subscription executes its operation for one event after the other, so that a slow
//! data source of one holds up no other.
//!
//! Source: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use graphql::socket::{self, Closing, FromClient};
use graphql::{Error, Operation, Request};
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use transport::websocket::{self, End, Incoming, Sender, WebSocketError};

use super::{Bounds, Handshake};
use crate::graphql::events::{Events, Subscription, Topic};

/// One connection.
pub(super) struct Session {
    shared: Arc<Shared>,
    events: Arc<Events>,
    bounds: Bounds,
    is_acknowledged: bool,
    /// By the client's names for them.
    subscriptions: HashMap<String, Task>,
}

/// What the tasks of a connection share.
struct Shared(Handshake);

/// A task that ends with its subscription.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a task has for the client.
enum Outgoing {
    Text(String),
    /// The subscription with this id has ended.
    Last(String, String),
}

/// How a connection ends.
enum Ending {
    /// The client has closed it, with this code.
    Client(Option<u16>),
    /// The gateway closes it.
    Gateway(Closing),
    /// It broke.
    Broken,
}

impl Session {
    pub(super) fn new(handshake: Handshake, events: Arc<Events>, bounds: Bounds) -> Session {
        Session {
            shared: Arc::new(Shared(handshake)),
            events,
            bounds,
            is_acknowledged: false,
            subscriptions: HashMap::new(),
        }
    }

    /// Speaks with the client until one of both closes, or `closing` ends.
    pub(super) async fn serve<S>(mut self, socket: S, closing: impl Future<Output = ()>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let most = self.bounds.max_message_bytes;
        let (mut receiver, mut sender) = websocket::split(socket, End::Server, most);
        let end = self.speak(&mut receiver, &mut sender, closing).await;
        self.subscriptions.clear();
        let (code, reason) = match end {
            Ending::Client(code) => (code, String::new()),
            Ending::Gateway(closing) => (Some(closing.code), closing.reason),
            Ending::Broken => return,
        };
        tracing::debug!(code, reason, "a connection with subscriptions ends");
        if self.within(sender.close(code, &reason)).await.is_err() {
            // Nobody is left to be told.
            return;
        }
        let clock = Arc::clone(&self.shared.0.context.services.clock);
        tokio::select! {
            () = receiver.drain() => {}
            () = clock.sleep(self.bounds.linger_timeout) => {}
        }
    }

    async fn speak<R, W>(
        &mut self,
        receiver: &mut websocket::Receiver<R>,
        sender: &mut Sender<W>,
        closing: impl Future<Output = ()>,
    ) -> Ending
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let clock = Arc::clone(&self.shared.0.context.services.clock);
        let (out, mut outgoing) = mpsc::channel(self.bounds.max_queued_texts);
        let mut closing = std::pin::pin!(closing);
        let mut alarm = clock.sleep(self.bounds.init_timeout);
        let mut heard = clock.monotonic();
        loop {
            let text = tokio::select! {
                incoming = receiver.next() => {
                    heard = clock.monotonic();
                    match self.hear(incoming, &out) {
                        Ok(Reply::None) => continue,
                        Ok(Reply::Text(text)) => text,
                        Ok(Reply::Pong(payload)) => {
                            match self.within(sender.pong(&payload)).await {
                                Ok(()) => continue,
                                Err(_) => return Ending::Broken,
                            }
                        }
                        Err(end) => return end,
                    }
                }
                // There is a sender, so that it does not end.
                Some(text) = outgoing.recv() => match text {
                    Outgoing::Text(text) => text,
                    Outgoing::Last(id, text) => {
                        self.subscriptions.remove(&id);
                        text
                    }
                },
                () = &mut alarm => {
                    alarm = clock.sleep(self.bounds.ping_interval);
                    if !self.is_acknowledged {
                        return Ending::Gateway(Closing::init_timeout());
                    }
                    if clock.monotonic().saturating_sub(heard) >= self.bounds.idle_timeout {
                        let reason = "Nothing was heard for too long".to_owned();
                        return Ending::Gateway(Closing { code: 1001, reason });
                    }
                    match self.within(sender.ping()).await {
                        Ok(()) => continue,
                        Err(_) => return Ending::Broken,
                    }
                }
                () = &mut closing => {
                    let reason = "The gateway is shutting down".to_owned();
                    return Ending::Gateway(Closing { code: 1001, reason });
                }
            };
            if self.within(sender.text(&text)).await.is_err() {
                return Ending::Broken;
            }
        }
    }

    /// Bounds the time that sending takes.
    async fn within(&self, sending: impl Future<Output = io::Result<()>>) -> io::Result<()> {
        tokio::select! {
            sent = sending => sent,
            () = self.shared.0.context.services.clock.sleep(self.bounds.send_timeout) => {
                Err(io::Error::from(io::ErrorKind::TimedOut))
            }
        }
    }

    fn hear(
        &mut self,
        incoming: Result<Incoming, WebSocketError>,
        out: &mpsc::Sender<Outgoing>,
    ) -> Result<Reply, Ending> {
        let text = match incoming {
            Ok(Incoming::Text(text)) => text,
            Ok(Incoming::Ping(payload)) => return Ok(Reply::Pong(payload)),
            Ok(Incoming::Pong) => return Ok(Reply::None),
            Ok(Incoming::Close(code, _)) => return Err(Ending::Client(code)),
            Ok(Incoming::Binary(_)) => {
                return Err(Ending::Gateway(Closing::invalid("Invalid message: it is no text")));
            }
            Err(error) => {
                let Some(code) = error.close_code() else { return Err(Ending::Broken) };
                return Err(Ending::Gateway(Closing { code, reason: error.to_string() }));
            }
        };
        match FromClient::parse(&text).map_err(Ending::Gateway)? {
            FromClient::Init(_) if self.is_acknowledged => {
                Err(Ending::Gateway(Closing::too_many_inits()))
            }
            FromClient::Init(_) => {
                self.is_acknowledged = true;
                Ok(Reply::Text(socket::ack()))
            }
            FromClient::Ping(_) => Ok(Reply::Text(socket::pong())),
            FromClient::Pong(_) => Ok(Reply::None),
            FromClient::Complete { id } => {
                self.subscriptions.remove(&id);
                Ok(Reply::None)
            }
            FromClient::Subscribe { .. } if !self.is_acknowledged => {
                Err(Ending::Gateway(Closing::unauthorized()))
            }
            FromClient::Subscribe { id, .. } if self.subscriptions.contains_key(&id) => {
                Err(Ending::Gateway(Closing::subscriber_exists(&id)))
            }
            FromClient::Subscribe { id, request } => match self.subscribe(&id, request, out) {
                Ok(()) => Ok(Reply::None),
                Err(errors) => Ok(Reply::Text(socket::error(&id, &errors))),
            },
        }
    }

    fn subscribe(
        &mut self,
        id: &str,
        request: Request,
        out: &mpsc::Sender<Outgoing>,
    ) -> Result<(), Vec<Error>> {
        let most = self.bounds.max_subscriptions;
        if self.subscriptions.len() >= most {
            let text = format!("A connection has at most {most} subscriptions.");
            return Err(vec![Error::new(text).code("TOO_MANY_SUBSCRIPTIONS")]);
        }
        let (request, errors) = self.shared.0.judge(request)?;
        // A handshake without a schema is not served here.
        let Some(api) = &self.shared.0.api else { return Err(Vec::new()) };
        let operation = api.schema.check_subscription(&request, &api.limits)?;
        let field = operation.root_field().unwrap_or_default().to_owned();
        let topic = Topic::new(self.shared.0.context.api.as_deref(), &field);
        let events = self.events.listen(topic, self.bounds.max_queued_events);
        let follower = Follower {
            id: id.to_owned(),
            shared: Arc::clone(&self.shared),
            payload: request.to_json().to_string(),
            operation,
            field,
            errors,
        };
        let task = tokio::spawn(follower.follow(events, out.clone()));
        self.subscriptions.insert(id.to_owned(), Task(task.abort_handle()));
        Ok(())
    }
}

/// What is said to a message.
enum Reply {
    None,
    Text(String),
    Pong(Vec<u8>),
}

/// One subscription.
struct Follower {
    id: String,
    shared: Arc<Shared>,
    /// The request as JSON.
    payload: String,
    operation: Operation,
    /// The field of the root.
    field: String,
    /// Stand in each outcome.
    errors: Vec<Error>,
}

impl Follower {
    /// Executes the operation for each event, until the subscriber does not keep up.
    async fn follow(mut self, mut events: Subscription, out: mpsc::Sender<Outgoing>) {
        self.payload.pop();
        while let Some(event) = events.next().await {
            let response = self.outcome(&event).await;
            let text = socket::next(&self.id, &response);
            if out.send(Outgoing::Text(text)).await.is_err() {
                return;
            }
        }
        let text = "The subscriber does not keep up with the events.";
        let text = socket::error(&self.id, &[Error::new(text).code("SUBSCRIBER_TOO_SLOW")]);
        // If it fails, the connection has ended.
        let _ = out.send(Outgoing::Last(self.id, text)).await;
    }

    async fn outcome(&self, event: &Value) -> Value {
        let Some(api) = &self.shared.0.api else { return Value::Null };
        let mut root = Map::new();
        root.insert(self.field.clone(), event.clone());
        let context = &self.shared.0.context;
        let mut response =
            api.event(context, &self.operation, &self.payload, &Value::Object(root)).await;
        response.errors.extend(self.errors.iter().cloned());
        response.to_json()
    }
}
