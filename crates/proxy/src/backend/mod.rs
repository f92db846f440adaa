//! Calling backends: [`pipeline::Forward`] over [`transport::HttpClient`].
//!
//! ```text
//! Context ─▶ URL, headers, credentials ─▶ call ─▶ redirects ─▶ Context::response
//! ```
//!
//! Source: <https://learn.microsoft.com/azure/api-management/forward-request-policy>,
//! <https://learn.microsoft.com/azure/api-management/backends>

mod aws;
mod balance;
mod breaker;
pub(crate) mod check;
mod choice;
mod credentials;
mod first_byte;
mod gather;
pub(crate) mod headers;
mod latency;
mod retry_after;
#[cfg(test)]
mod scenarios;
mod session;
pub(crate) mod sharing;
mod single;
mod target;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use config::Backend;
use http::{Extensions, Method, StatusCode, header};
use pipeline::{
    Blame, ClientSpan, Context, Forward, ForwardCall, PolicyError, Services, call_failure,
    connection_failure, request_body_failure,
};
use telemetry::redact;
use transport::{
    Body, BoxFuture, CallError, CallOptions, ClientIdentity, ClientTls, HttpVersion, Proxy,
    Request, Response, Secret, upgrade,
};

pub(crate) use self::balance::Targets;
use self::choice::Choice;
pub use self::sharing::BreakerState;
use crate::agents::{self, AgentCall};
use crate::measure;
use crate::trail::{self, BackendCall, Trail};

/// How long an upgraded connection may be silent both ways: 15 minutes.
const WEBSOCKET_IDLE: Duration = Duration::from_secs(15 * 60);

/// Tokens of the gateway's managed identity, for backends that ask for one.
pub trait BackendTokens: fmt::Debug + Send + Sync {
    /// A token for a resource; of the system-assigned identity if no client id is given.
    ///
    /// The error is a text for logs, without secrets.
    fn access_token<'a>(
        &'a self,
        resource: &'a str,
        client_id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Secret, String>>;
}

/// Forwards requests over HTTP with the client of the context's services.
#[derive(Debug, Default)]
pub struct HttpForward {
    tokens: Option<Arc<dyn BackendTokens>>,
}

impl HttpForward {
    /// A forwarder; without tokens, backends that need one fail.
    #[must_use]
    pub fn new(tokens: Option<Arc<dyn BackendTokens>>) -> Self {
        Self { tokens }
    }
}

impl Forward for HttpForward {
    fn forward<'a>(
        &'a self,
        context: &'a mut Context,
        call: ForwardCall,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        Box::pin(self.call(context, call))
    }
}

impl HttpForward {
    async fn call(&self, context: &mut Context, call: ForwardCall) -> Result<(), PolicyError> {
        match agents::of(context) {
            None => self.pass_on(context, call).await,
            Some(AgentCall::Mcp(origin)) => agents::serve(context, &origin, &call).await,
            Some(AgentCall::Models(it)) => agents::serve_models(self, context, &it, call).await,
            Some(AgentCall::Card(card)) => {
                // It is read here, so it comes as it is.
                context.request.headers.remove(header::ACCEPT_ENCODING);
                self.pass_on(context, call).await?;
                agents::rewrite_card(context, &card).await
            }
        }
    }

    /// Calls the backend that the context names.
    pub(crate) async fn pass_on(
        &self,
        context: &mut Context,
        call: ForwardCall,
    ) -> Result<(), PolicyError> {
        let mut choice = Choice::make(context)?;
        if call.buffer_request_body {
            let max_bytes = context.services.max_buffered_body_bytes;
            context.request.body.buffer(max_bytes).await.map_err(|it| request_body_failure(&it))?;
        }
        let is_websocket = context.operation.as_ref().is_some_and(|it| it.is_websocket);
        if context.is_graphql_handshake() {
            pipeline::prepare_subscriptions(context)?;
        }
        let mut response = loop {
            let backend = choice.backend().cloned();
            let backend = backend.as_deref();
            let mut request = self.request(context, &choice, is_websocket).await?;
            let options = options(&call, backend, &context.request.extensions, is_websocket);
            note(context, &request, backend);
            let span = context.span.and_then(|above| {
                let key = trail::of(context).map(|(_, api)| api.key_query.as_str());
                ClientSpan::begin(above, &context.services, &mut request, |it| {
                    redact::url(&shown_url(it, backend), key).into_owned()
                })
            });
            let started = context.services.clock.monotonic();
            choice.begin(context, started);
            let outcome = send(&context.services, request, &options, &call, backend).await;
            let time = context.services.clock.monotonic().saturating_sub(started);
            measure::called(context, choice.id(), time, &outcome);
            if let Some(mut span) = span {
                if let Some(backend) = choice.id() {
                    span.note("portcullis.backend", backend);
                }
                let status = outcome.as_ref().map(http::Response::status);
                span.end(status.map_err(call_failure));
            }
            note_outcome(context, &outcome);
            let outcome = outcome.map_err(|it| call_failure(&it));
            choice.record(context, &outcome);
            match outcome {
                Ok(response) => break response,
                Err(error) if choice.goes_on(context, &error) => {}
                Err(error) => return Err(error),
            }
        };
        let switches = is_websocket && response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if switches {
            relay(context, &mut response)?;
        } else if response.status().is_informational() {
            return Err(connection_failure("The backend switched protocols without being asked."));
        }
        headers::clean_response(response.headers_mut(), switches);
        if call.buffer_response {
            response = gather::gather(response);
        }
        choice.tell(context, response.headers_mut());
        context.set_backend_response(pipeline::Response::from_http(response));
        Ok(())
    }

    async fn request(
        &self,
        context: &mut Context,
        choice: &Choice,
        is_websocket: bool,
    ) -> Result<Request, PolicyError> {
        let aws = choice.backend().and_then(|it| it.credentials.aws.as_ref());
        if aws.is_some() {
            // The signature is over the body, too.
            let max_bytes = context.services.max_buffered_body_bytes;
            context.request.body.buffer(max_bytes).await.map_err(|it| request_body_failure(&it))?;
        }
        let mut url = Cow::Borrowed(&context.request.url);
        let mut headers = match context.is_last_use_of_request() && choice.is_final() {
            true => std::mem::take(&mut context.request.headers),
            false => context.request.headers.clone(),
        };
        headers::clean_request(&mut headers, is_websocket);
        if is_websocket && context.message_watches().is_some() {
            // Who hears the messages must be able to read them.
            headers.remove(header::SEC_WEBSOCKET_EXTENSIONS);
        }
        headers::add_forwarded_for(&mut headers, &context.request.ip_address);
        if !context.request.host_is_set {
            headers.remove(header::HOST);
        }
        credentials::strip_keys(context, &mut headers, &mut url);
        if let Some(backend) = choice.backend() {
            let tokens = self.tokens.as_deref();
            credentials::apply(&backend.credentials, tokens, &mut headers, &mut url).await?;
        }
        let uri = target::uri(&url)?;
        let body = if is_websocket { Body::empty() } else { send_body(context)? };
        match body.as_bytes() {
            None => {}
            Some(bytes) => {
                // Nobody waits for the client any more.
                headers.remove(header::EXPECT);
                let sends =
                    matches!(context.request.method, Method::POST | Method::PUT | Method::PATCH);
                if bytes.is_empty() && sends {
                    headers.insert(header::CONTENT_LENGTH, http::HeaderValue::from_static("0"));
                }
            }
        }
        if let Some(aws) = aws {
            let (target, now) = ((&context.request.method, &uri), context.services.clock.now());
            aws::sign(aws, now, target, &mut headers, body.as_bytes())?;
        }
        let mut request = Request::new(body);
        *request.method_mut() = context.request.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// Sends the request; a backend may bound the time until its response begins.
async fn send(
    services: &Services,
    request: Request,
    options: &CallOptions,
    call: &ForwardCall,
    backend: Option<&Backend>,
) -> Result<Response, CallError> {
    let client = &*services.client;
    let Some(bound) = backend.and_then(|it| it.extras.first_byte_timeout) else {
        return match call.follow_redirects {
            true => pipeline::follow_redirects(client, request, options).await,
            false => client.send(request, options).await,
        };
    };
    let host = request.uri().host().unwrap_or_default().to_owned();
    let sent: BoxFuture<'_, _> = match call.follow_redirects {
        true => Box::pin(pipeline::follow_redirects(client, request, options)),
        false => client.send(request, options),
    };
    first_byte::within(bound, &*services.clock, &host, sent).await
}

/// How the call is made. What the backend entity says of certificate and proxy goes before what
/// policies say, as its other credentials do.
fn options(
    call: &ForwardCall,
    backend: Option<&Backend>,
    extensions: &Extensions,
    is_websocket: bool,
) -> CallOptions {
    let usual = CallOptions::default();
    let identity = backend.and_then(|it| it.identity.as_ref());
    let proxy = backend.and_then(|it| it.proxy.as_ref());
    CallOptions {
        http_version: if is_websocket { HttpVersion::Http1 } else { call.http_version },
        response_timeout: call.timeout,
        continue_timeout: call.continue_timeout.unwrap_or(usual.continue_timeout),
        // The WebSocket page says that both checks are always made there.
        tls: backend.filter(|_| !is_websocket).map_or(ClientTls::default(), |it| it.tls),
        pins: backend.and_then(|it| it.pins.clone()),
        identity: identity.or_else(|| extensions.get::<ClientIdentity>()).cloned(),
        proxy: proxy.or_else(|| extensions.get::<Proxy>()).cloned(),
        body_idle_timeout: backend
            .and_then(|it| it.extras.stream_idle_timeout)
            .or(usual.body_idle_timeout),
        ..usual
    }
}

fn send_body(context: &mut Context) -> Result<Body, PolicyError> {
    context.request.body.send().map_err(|_| {
        connection_failure(
            "The request body was sent before and is gone. Set buffer-request-body=\"true\" \
             on forward-request.",
        )
        .blame(Blame::Configuration)
    })
}

/// The URL of a call as logs may show it, without the credentials that the backend entity added.
fn shown_url(uri: &http::Uri, backend: Option<&Backend>) -> String {
    let names = backend.into_iter().flat_map(|it| &it.credentials.query);
    names.fold(uri.to_string(), |url, (name, _)| redact::url(&url, Some(name)).into_owned())
}

/// Notes the call if somebody will ask for it.
fn note(context: &mut Context, request: &Request, backend: Option<&Backend>) {
    if Trail::of_mut(context).is_none() {
        return;
    }
    let call = BackendCall {
        method: request.method().clone(),
        url: shown_url(request.uri(), backend),
        status: None,
        backend: context.backend().cloned(),
    };
    if let Some(trail) = Trail::of_mut(context) {
        trail.call = Some(call);
    }
}

fn note_outcome(context: &mut Context, outcome: &Result<Response, CallError>) {
    let Some(trail) = Trail::of_mut(context) else { return };
    if let Some(call) = &mut trail.call {
        call.status = outcome.as_ref().ok().map(http::Response::status);
    }
}

/// Copies bytes between both sides once the client has its 101; of a GraphQL API messages, which are
/// looked at, and of any other messages, if somebody hears them.
fn relay(context: &mut Context, response: &mut Response) -> Result<(), PolicyError> {
    let client = upgrade::take(&mut context.request.extensions);
    let sides = client.zip(upgrade::take(response.extensions_mut()));
    let Some((client, backend)) = sides else {
        return Err(connection_failure("The connection cannot be upgraded."));
    };
    if context.is_graphql_handshake() {
        return pipeline::relay_subscriptions(context, response.headers(), client, backend);
    }
    if let Some(watches) = context.message_watches() {
        if response.headers().contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
            return Err(connection_failure("The backend chose an extension that was not offered."));
        }
        tokio::spawn(async move {
            if let Err(error) = session::relay(client, backend, watches, WEBSOCKET_IDLE).await {
                tracing::debug!(%error, "a WebSocket session broke");
            }
        });
        return Ok(());
    }
    tokio::spawn(async move {
        match upgrade::relay(client, backend, WEBSOCKET_IDLE).await {
            Ok(relayed) => tracing::debug!(?relayed, "a WebSocket connection was closed"),
            Err(error) => tracing::debug!(%error, "a WebSocket connection broke"),
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::Backend;
    use http::Extensions;
    use pipeline::ForwardCall;
    use transport::{ClientIdentity, ClientTls, HttpVersion, Pins, Proxy, Thumbprint};

    use super::options;

    fn backend() -> Backend {
        Backend { tls: ClientTls { verify_chain: false, verify_name: false }, ..Backend::default() }
    }

    #[test]
    fn the_policy_and_the_backend_say_how_the_call_is_made() {
        let call = ForwardCall {
            timeout: None,
            continue_timeout: Some(Duration::from_secs(7)),
            http_version: HttpVersion::Http2,
            ..ForwardCall::default()
        };
        let made = options(&call, Some(&backend()), &Extensions::new(), false);
        assert_eq!(made.response_timeout, None);
        assert_eq!(made.continue_timeout, Duration::from_secs(7));
        assert_eq!(made.http_version, HttpVersion::Http2);
        assert!(!made.tls.verify_chain);
    }

    #[test]
    fn the_credentials_of_a_backend_are_not_shown() {
        let query = vec![("own-key".to_owned(), vec!["s3cret".into()])];
        let credentials = config::Credentials { query, ..config::Credentials::default() };
        let backend = Backend { credentials, ..Backend::default() };
        let uri = "https://b/x?a=b&own-key=s3cret".parse().unwrap();
        assert_eq!(super::shown_url(&uri, Some(&backend)), "https://b/x?a=b&own-key=***");
        assert_eq!(super::shown_url(&uri, None), uri.to_string());
    }

    #[test]
    fn certificate_and_proxy_of_the_backend_go_before_those_of_policies() {
        let identity = |name: &str| {
            let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            let key = made.signing_key.serialize_pem().into();
            ClientIdentity::from_pem(&made.cert.pem(), &key).unwrap()
        };
        let proxy = |name: &str| Proxy::new(name, None).unwrap();
        let pins = Pins::new(vec![Thumbprint::of(b"x")], Vec::new());
        let full = Backend {
            identity: Some(identity("backend")),
            proxy: Some(proxy("http://backend")),
            pins: pins.clone(),
            ..Backend::default()
        };
        let mut extensions = Extensions::new();
        extensions.insert(identity("policy"));
        extensions.insert(proxy("http://policy"));
        let call = ForwardCall::default();

        let made = options(&call, Some(&full), &extensions, true);
        assert_eq!((&made.identity, &made.proxy), (&full.identity, &full.proxy));
        assert_eq!(made.pins, pins, "a pin holds for WebSockets, too");
        for backend in [None, Some(&Backend::default())] {
            let made = options(&call, backend, &extensions, false);
            assert_eq!(made.identity.as_ref(), extensions.get());
            assert_eq!((made.proxy.as_ref(), made.pins), (extensions.get(), None));
        }
    }

    #[test]
    fn websockets_are_http1_and_always_checked() {
        let call =
            ForwardCall { http_version: HttpVersion::Http2OrHttp1, ..ForwardCall::default() };
        let made = options(&call, Some(&backend()), &Extensions::new(), true);
        assert_eq!(made.http_version, HttpVersion::Http1);
        assert_eq!(made.tls, ClientTls::default());
    }
}
