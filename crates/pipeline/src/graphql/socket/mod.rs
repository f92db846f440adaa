//! Subscriptions over WebSocket: the handshake, and who looks at each operation behind it.
//!
//! ```text
//! handshake ─policies─▶ forward-request ─┬─▶ open: the gateway tells of events itself (session)
//!                                        └─▶ the API's own service does (relay)
//! ```
//!
//! Policies see the handshake. What they want to check of each operation that comes later they leave
//! as [`OperationCheck`]s. Only subscriptions are served, as in Azure.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/graphql-apis-overview>

mod relay;
mod session;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use graphql::socket::PROTOCOL;
use graphql::{Error, Limits, Request, check_unknown_subscription};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, StatusCode};
use transport::{upgrade, websocket};

use super::GraphQlApi;
use super::answer::json_error;
use super::events::Events;
use super::fork::fork;
use crate::background::Background;
use crate::context::Context;
use crate::error::{Blame, PolicyError};
use crate::message::Response;
use crate::operation::Operation;

pub use relay::relay_subscriptions;

/// How much of everything connections with subscriptions may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Most connections of the process: 10,000.
    max_connections: usize,
    /// Most subscriptions of a connection: 100.
    max_subscriptions: usize,
    /// Most events that wait for a subscription: 64.
    max_queued_events: usize,
    /// Most texts that wait for a connection: 16.
    max_queued_texts: usize,
    /// Longest message of a client, in bytes: 512 KiB.
    max_message_bytes: usize,
    /// Longest wait for the first message: 10 s.
    init_timeout: Duration,
    /// From one ping to the next: 60 s.
    ping_interval: Duration,
    /// Longest silence of a client, its answers to pings included: 15 minutes.
    idle_timeout: Duration,
    /// Longest time that a message may take to be sent: 30 s.
    send_timeout: Duration,
    /// Longest wait for a client to close after the gateway has: 5 s.
    linger_timeout: Duration,
}

pub(super) const BOUNDS: Bounds = Bounds {
    max_connections: 10_000,
    max_subscriptions: 100,
    max_queued_events: 64,
    max_queued_texts: 16,
    max_message_bytes: 512 * 1024,
    init_timeout: Duration::from_secs(10),
    ping_interval: Duration::from_secs(60),
    idle_timeout: Duration::from_secs(15 * 60),
    send_timeout: Duration::from_secs(30),
    linger_timeout: Duration::from_secs(5),
};

/// Looks at each operation that comes over a WebSocket, for the policy that left it at the handshake.
pub trait OperationCheck: fmt::Debug + Send + Sync {
    /// What may be executed of an operation, or why nothing. The context is that of the handshake.
    ///
    /// # Errors
    ///
    /// The operation cannot be judged; it is refused then.
    fn check(
        &self,
        context: &Context,
        api: &GraphQlApi,
        request: &Request,
    ) -> Result<Checked, PolicyError>;
}

/// What a check came to.
#[derive(Clone, Debug)]
pub enum Checked {
    /// What is left of the request, and the errors that stand in each of its outcomes.
    Left(Request, Vec<Error>),
    /// Nothing may be executed.
    Refused(Vec<Error>),
}

/// The checks that policies have left; among the request's extensions.
#[derive(Clone, Debug, Default)]
struct Checks(Vec<Arc<dyn OperationCheck>>);

impl Context {
    /// Has each operation behind this handshake checked.
    pub fn check_operations(&mut self, check: Arc<dyn OperationCheck>) {
        self.request.extensions.get_or_insert_default::<Checks>().0.push(check);
    }

    /// Whether the request is the handshake of a GraphQL API.
    #[must_use]
    pub fn is_graphql_handshake(&self) -> bool {
        self.operation.as_ref().is_some_and(|it| it.speaks_graphql)
    }
}

/// What is behind a handshake: the context that policies have left, without the client's connection.
struct Handshake {
    context: Context,
    checks: Checks,
    /// None if its schema is not known.
    api: Option<Arc<GraphQlApi>>,
}

impl Handshake {
    fn of(outer: &Context) -> Handshake {
        let mut context = fork(outer);
        context.request.headers = outer.request.headers.clone();
        for name in [
            CONNECTION,
            UPGRADE,
            SEC_WEBSOCKET_EXTENSIONS,
            SEC_WEBSOCKET_KEY,
            SEC_WEBSOCKET_PROTOCOL,
            SEC_WEBSOCKET_VERSION,
        ] {
            context.request.headers.remove(name);
        }
        let checks = outer.request.extensions.get::<Checks>().cloned().unwrap_or_default();
        let api = outer.operation.as_ref().and_then(|it| it.graphql.clone());
        // What resolvers call is no handshake.
        let plain = |it: &Arc<Operation>| {
            let operation = Operation::clone(it);
            Arc::new(Operation { is_websocket: false, speaks_graphql: false, ..operation })
        };
        context.operation = outer.operation.as_ref().map(plain);
        Handshake { context, checks, api }
    }

    /// What may be executed of an operation, and the errors that stand in each of its outcomes.
    fn judge(&self, request: Request) -> Result<(Request, Vec<Error>), Vec<Error>> {
        let Some(api) = &self.api else {
            return check_unknown_subscription(&request, &Limits::default())
                .map(|()| (request, Vec::new()));
        };
        api.schema.check_subscription(&request, &api.limits)?;
        let mut left = (request, Vec::new());
        for check in &self.checks.0 {
            match check.check(&self.context, api, &left.0) {
                Ok(Checked::Left(request, errors)) => {
                    left.0 = request;
                    left.1.extend(errors);
                }
                Ok(Checked::Refused(errors)) => return Err(errors),
                Err(error) => {
                    let request_id = self.context.request_id;
                    tracing::warn!(%request_id, "an operation cannot be judged: {error}");
                    let text = "The operation cannot be judged.";
                    return Err(vec![Error::new(text).code(error.reason())]);
                }
            }
        }
        Ok(left)
    }
}

fn offers_protocol(context: &Context) -> bool {
    websocket::protocols(&context.request.headers).any(|it| it == PROTOCOL)
}

const NOT_OFFERED: &str = "The handshake must offer the subprotocol `graphql-transport-ws`.";

/// Readies a handshake for the API's own service: nothing but the subprotocol that the gateway can
/// read may be agreed on.
///
/// # Errors
///
/// The client does not offer it.
pub fn prepare_subscriptions(context: &mut Context) -> Result<(), PolicyError> {
    if !offers_protocol(context) {
        return Err(PolicyError::new("GraphQLProtocolNotOffered", NOT_OFFERED)
            .respond(StatusCode::BAD_REQUEST, NOT_OFFERED)
            .blame(Blame::Client));
    }
    let headers = &mut context.request.headers;
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    Ok(())
}

/// Answers a handshake; once the client has the answer, the gateway tells it of events.
pub(super) fn open(context: &mut Context) -> Response {
    let refuse = |status: StatusCode, text: &str| json_error(status, text, "HANDSHAKE_REFUSED");
    if !offers_protocol(context) {
        return refuse(StatusCode::BAD_REQUEST, NOT_OFFERED);
    }
    let headers = websocket::accept(&context.request.headers, PROTOCOL);
    let promise = upgrade::take(&mut context.request.extensions);
    let Some((headers, promise)) = headers.zip(promise) else {
        return refuse(StatusCode::BAD_REQUEST, "This is no handshake of WebSocket, version 13.");
    };
    let shared = context.services.extensions();
    let (events, background) = (shared.shared::<Events>(), shared.shared::<Background>());
    let Some(connection) = events.connect(BOUNDS.max_connections) else {
        let text = "There are too many connections with subscriptions.";
        return refuse(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let session = session::Session::new(Handshake::of(context), events, BOUNDS);
    let closing = Arc::clone(&background);
    background.spawn(async move {
        // A client that breaks off has had what it wanted.
        if let Ok(socket) = promise.connection().await {
            session.serve(socket, closing.closing()).await;
        }
        drop(connection);
    });
    let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS);
    response.headers = headers;
    response
}
