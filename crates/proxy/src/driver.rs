//! One request from its headers to its answer.
//!
//! ```text
//! origin ─▶ Context ─▶ route ─▶ key ─▶ pipeline::run ─▶ finish
//!                        └────────┴─────error─▶ pipeline::fail ─▶ finish
//! ```
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use std::sync::Arc;

use config::{Api, ApiKind, Operation, Service};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use pipeline::{Body, Context, Pipeline, PolicyError, RequestUrl, Services};
use telemetry::AccessLog;
use transport::{Peer, Request, Response};

use crate::finish::{self, Entry};
use crate::gateway::Live;
use crate::origin;
use crate::router::{Route, Wanted};
use crate::trail::Trail;

/// Answers a request with a snapshot.
pub(crate) async fn drive(
    live: Arc<Live>,
    services: &Arc<Services>,
    access_log: Option<&Arc<AccessLog>>,
    request: Request,
    peer: Arc<Peer>,
) -> Response {
    let (mut head, body) = request.into_parts();
    name_host(&mut head);
    let snapshot = live.snapshot.clone();
    let origin = origin::of(&head, &peer);
    let path = head.uri.path().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let original = RequestUrl::new(origin, &path, &query);
    let is_websocket = transport::upgrade::is_websocket(&head.headers);
    let wanted = Wanted {
        method: &head.method,
        path: &path,
        query: &query,
        headers: &head.headers,
        is_tls: peer.tls.is_some(),
    };
    let route = live.router.find(wanted, &snapshot);
    let api = route.as_ref().and_then(|it| snapshot.apis.get(it.api));
    let operation = api
        .zip(route.as_ref())
        .and_then(|(api, route)| operation(api, route, &head.method, is_websocket));

    let url = match (api.and_then(|it| it.service.as_ref()), &route) {
        (Some(Service::Url(base)), Some(route)) => {
            RequestUrl::new(base.clone(), &route.below, &query)
        }
        (_, Some(route)) => RequestUrl::new(original.base().clone(), &route.below, &query),
        (_, None) => original.clone(),
    };
    let (n_api, parameters) = match route {
        Some(route) => (Some(route.api), route.parameters),
        None => (None, Vec::new()),
    };
    let mut context = context(head, body, url, original, services, &peer);
    context.deployment = snapshot.deployment.clone();
    context.backends = snapshot.backend_entries.clone();
    context.api = api.map(|it| it.info.clone());
    context.operation = operation.map(|it| it.operation.clone());
    context.request.set_matched_parameters(parameters);
    let mut entry = access_log.map(|log| Entry::new(log.clone(), &context, peer.clone(), api));
    context.request.extensions.insert(Trail::new(live.clone(), n_api, entry.is_some()));

    let (pipeline, checked) = check(&live, api, operation, &mut context, &query, is_websocket);
    if let Some(entry) = &mut entry {
        entry.subscription = context.subscription.clone();
    }
    match checked {
        Ok(()) => {
            pipeline::run(pipeline, &mut context).await;
        }
        Err(error) => {
            pipeline::fail(pipeline, &mut context, error).await;
        }
    }
    finish::respond(context, entry)
}

/// Everything that is decided before the first policy, and the policies that then run.
fn check<'a>(
    live: &'a Live,
    api: Option<&'a Api>,
    operation: Option<&'a Operation>,
    context: &mut Context,
    query: &str,
    is_websocket: bool,
) -> (&'a Pipeline, Result<(), PolicyError>) {
    let Some(api) = api else { return (&live.snapshot.global, Err(not_found())) };
    let Some(operation) = operation else { return (&api.pipeline, Err(not_found())) };
    let admitted = live.keys.admit(api, &context.request.headers, query, is_websocket);
    match admitted {
        Ok(subscription) => context.subscription = subscription,
        Err(denied) => {
            let origin = context.request.original_url.base().to_string();
            return (&operation.pipeline, Err(denied.into_error(api, &origin)));
        }
    }
    let backend = match &api.service {
        Some(Service::Backend(id)) => context.use_backend(id).map_err(|_| no_backend(id)),
        Some(Service::Url(_)) | None => Ok(()),
    };
    (&operation.pipeline, backend)
}

/// The operation that answers. WebSocket APIs take handshakes only, and all of them; ordinary
/// ones take none.
fn operation<'a>(
    api: &'a Api,
    route: &Route<'_>,
    method: &Method,
    is_websocket: bool,
) -> Option<&'a Operation> {
    match api.kind {
        ApiKind::WebSocket if is_websocket && method == Method::GET => api.operations.first(),
        ApiKind::Http if !is_websocket => api.operations.get(route.operation?),
        ApiKind::WebSocket | ApiKind::Http => None,
    }
}

/// HTTP/2 names the host in the URL only; policies look for the header.
fn name_host(head: &mut Parts) {
    if !head.headers.contains_key(header::HOST)
        && let Some(authority) = head.uri.authority()
        && let Ok(value) = HeaderValue::from_str(authority.as_str())
    {
        head.headers.insert(header::HOST, value);
    }
}

fn context(
    head: Parts,
    body: transport::Body,
    url: RequestUrl,
    original: RequestUrl,
    services: &Arc<Services>,
    peer: &Peer,
) -> Context {
    let mut request = pipeline::Request::new(head.method, url, original);
    let has_body = !body.is_end_stream()
        || head.headers.contains_key(header::CONTENT_LENGTH)
        || head.headers.contains_key(header::TRANSFER_ENCODING);
    request.body = if has_body { Body::stream(body) } else { Body::absent() };
    request.headers = head.headers;
    request.extensions = head.extensions;
    request.ip_address = peer.address.ip().to_canonical().to_string();
    request.certificate = peer.tls.as_ref().and_then(|it| it.certificate.clone());
    Context::new(request, services.clone())
}

fn not_found() -> PolicyError {
    PolicyError::new("OperationNotFound", "Unable to match incoming request to an operation.")
        .respond(StatusCode::NOT_FOUND, "Resource not found")
        .source("configuration")
}

fn no_backend(id: &str) -> PolicyError {
    PolicyError::new("BackendNotFound", format!("The API's backend `{id}` does not exist."))
        .source("configuration")
}

/// The answer while there is no configuration.
pub(crate) fn not_loaded() -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let response = pipeline::error_response(status, "The gateway has no configuration yet.");
    finish::into_http(response, &Method::GET)
}
