//! A connection whose subscriptions the API's own service serves: messages are read on their way, so
//! that only subscriptions pass, and only those that policies let pass.
//!
//! What the client says is written anew, so that the service reads what the gateway has read.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/graphql-apis-overview>

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use graphql::Error;
use graphql::socket::{self, Closing, FromClient, PROTOCOL};
use http::HeaderMap;
use http::header::{SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};
use tokio::io::{AsyncRead, AsyncWrite};
use transport::upgrade::OnUpgrade;
use transport::websocket::{self, End, Incoming, Receiver, Sender};

use super::{BOUNDS, Bounds, Handshake};
use crate::background::Background;
use crate::call::connection_failure;
use crate::context::Context;
use crate::error::PolicyError;
use crate::graphql::events::Events;

/// Passes messages on between both sides once the client has its 101, whose headers these are.
///
/// # Errors
///
/// The service has agreed on something that the gateway cannot read, or there are too many
/// connections.
pub fn relay_subscriptions(
    context: &Context,
    answer: &HeaderMap,
    client: OnUpgrade,
    service: OnUpgrade,
) -> Result<(), PolicyError> {
    let protocol = answer.get(SEC_WEBSOCKET_PROTOCOL).map(http::HeaderValue::as_bytes);
    if protocol != Some(PROTOCOL.as_bytes()) || answer.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        let text = "The GraphQL service does not speak `graphql-transport-ws`.";
        return Err(connection_failure(text));
    }
    let shared = context.services.extensions();
    let (events, background) = (shared.shared::<Events>(), shared.shared::<Background>());
    let Some(connection) = events.connect(BOUNDS.max_connections) else {
        return Err(connection_failure("There are too many connections with subscriptions."));
    };
    let max_bytes = context.services.max_buffered_body_bytes;
    let relay = Relay::new(Handshake::of(context), BOUNDS);
    let closing = Arc::clone(&background);
    background.spawn(async move {
        let sockets = tokio::try_join!(client.connection(), service.connection());
        if let Ok((client, service)) = sockets {
            let client = websocket::split(client, End::Server, BOUNDS.max_message_bytes);
            let service = websocket::split(service, End::Client, max_bytes);
            relay.run(client, service, closing.closing()).await;
        }
        drop(connection);
    });
    Ok(())
}

/// One connection.
pub(super) struct Relay {
    handshake: Handshake,
    bounds: Bounds,
    /// By the client's names for them: the errors that stand in each outcome.
    subscriptions: HashMap<String, Vec<Error>>,
}

/// Both directions of a side.
type Side<R, W> = (Receiver<R>, Sender<W>);

/// Where a message goes.
enum Way {
    ToService(String),
    ToClient(String),
    PongToClient(Vec<u8>),
    PongToService(Vec<u8>),
    Nowhere,
}

/// The code and the reason of both close frames; none if it just breaks.
type Ending = Option<(Option<u16>, String)>;

fn gateway(closing: Closing) -> Ending {
    Some((Some(closing.code), closing.reason))
}

impl Relay {
    pub(super) fn new(handshake: Handshake, bounds: Bounds) -> Relay {
        Relay { handshake, bounds, subscriptions: HashMap::new() }
    }

    /// Passes messages on until one side closes, nothing moves for too long, or `closing` ends.
    pub(super) async fn run<A, B, C, D>(
        mut self,
        mut client: Side<A, B>,
        mut service: Side<C, D>,
        closing: impl Future<Output = ()>,
    ) where
        A: AsyncRead + Unpin,
        B: AsyncWrite + Unpin,
        C: AsyncRead + Unpin,
        D: AsyncWrite + Unpin,
    {
        let mut closing = std::pin::pin!(closing);
        let clock = Arc::clone(&self.handshake.context.services.clock);
        let ending = loop {
            let way = tokio::select! {
                incoming = client.0.next() => self.client_said(incoming),
                incoming = service.0.next() => self.service_said(incoming),
                () = clock.sleep(self.bounds.idle_timeout) => {
                    Err(Some((Some(1001), "Nothing was heard for too long".to_owned())))
                }
                () = &mut closing => {
                    Err(Some((Some(1001), "The gateway is shutting down".to_owned())))
                }
            };
            let sent = match way {
                Ok(Way::ToService(text)) => self.within(service.1.text(&text)).await,
                Ok(Way::ToClient(text)) => self.within(client.1.text(&text)).await,
                Ok(Way::PongToClient(payload)) => self.within(client.1.pong(&payload)).await,
                Ok(Way::PongToService(payload)) => self.within(service.1.pong(&payload)).await,
                Ok(Way::Nowhere) => Ok(()),
                Err(ending) => break ending,
            };
            if sent.is_err() {
                break None;
            }
        };
        let Some((code, reason)) = ending else { return };
        tracing::debug!(code, reason, "a connection with subscriptions ends");
        // Nobody is left to be told that it failed.
        let _ = self.within(client.1.close(code, &reason)).await;
        let _ = self.within(service.1.close(code, &reason)).await;
        tokio::select! {
            ((), ()) = async { tokio::join!(client.0.drain(), service.0.drain()) } => {}
            () = clock.sleep(self.bounds.linger_timeout) => {}
        }
    }

    /// Bounds the time that sending takes.
    async fn within(&self, sending: impl Future<Output = io::Result<()>>) -> io::Result<()> {
        tokio::select! {
            sent = sending => sent,
            () = self.handshake.context.services.clock.sleep(self.bounds.send_timeout) => {
                Err(io::Error::from(io::ErrorKind::TimedOut))
            }
        }
    }

    fn client_said(
        &mut self,
        incoming: Result<Incoming, websocket::WebSocketError>,
    ) -> Result<Way, Ending> {
        let text = match incoming {
            Ok(Incoming::Text(text)) => text,
            Ok(Incoming::Ping(payload)) => return Ok(Way::PongToClient(payload)),
            Ok(Incoming::Pong) => return Ok(Way::Nowhere),
            Ok(Incoming::Close(code, reason)) => return Err(Some((code, reason))),
            Ok(Incoming::Binary(_)) => {
                return Err(gateway(Closing::invalid("Invalid message: it is no text")));
            }
            Err(error) => {
                return Err(Some((error.close_code().or(Some(1001)), error.to_string())));
            }
        };
        let message = FromClient::parse(&text).map_err(gateway)?;
        let (id, request) = match message {
            FromClient::Complete { id } => {
                self.subscriptions.remove(&id);
                return Ok(Way::ToService(FromClient::Complete { id }.to_text()));
            }
            FromClient::Subscribe { id, request } => (id, request),
            other => return Ok(Way::ToService(other.to_text())),
        };
        if self.subscriptions.contains_key(&id) {
            return Err(gateway(Closing::subscriber_exists(&id)));
        }
        let most = self.bounds.max_subscriptions;
        if self.subscriptions.len() >= most {
            let text = format!("A connection has at most {most} subscriptions.");
            let error = Error::new(text).code("TOO_MANY_SUBSCRIPTIONS");
            return Ok(Way::ToClient(socket::error(&id, &[error])));
        }
        match self.handshake.judge(request) {
            Err(errors) => Ok(Way::ToClient(socket::error(&id, &errors))),
            Ok((request, errors)) => {
                self.subscriptions.insert(id.clone(), errors);
                Ok(Way::ToService(FromClient::Subscribe { id, request }.to_text()))
            }
        }
    }

    fn service_said(
        &mut self,
        incoming: Result<Incoming, websocket::WebSocketError>,
    ) -> Result<Way, Ending> {
        match incoming {
            Ok(Incoming::Text(text)) => {
                let errors = |id: &str| self.subscriptions.get(id).map_or(&[][..], Vec::as_slice);
                let (text, ended) = socket::from_service(text, errors);
                if let Some(id) = ended {
                    self.subscriptions.remove(&id);
                }
                Ok(Way::ToClient(text))
            }
            Ok(Incoming::Ping(payload)) => Ok(Way::PongToService(payload)),
            Ok(Incoming::Pong) => Ok(Way::Nowhere),
            Ok(Incoming::Close(code, reason)) => Err(Some((code, reason))),
            Ok(Incoming::Binary(_)) => Err(Some((Some(1002), "a message is no text".to_owned()))),
            Err(error) => {
                tracing::debug!(%error, "the connection to a GraphQL service broke");
                Err(Some((Some(1001), "The GraphQL service has gone".to_owned())))
            }
        }
    }
}
