//! One request from its headers to its answer.
//!
//! ```text
//! origin ─▶ Context ─▶ route ─┬─▶ key ─▶ pipeline::run ─▶ finish
//!                        │     └─preflight─▶ pipeline::preflight ─▶ finish
//!                        └────────┴─────error─▶ pipeline::fail ─▶ finish
//! ```
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use std::borrow::Cow;
use std::sync::Arc;

use config::{Api, ApiKind, Operation, Service};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use pipeline::{
    Background, BaseUrl, Blame, Body, Context, Pipeline, PolicyError, RequestUrl, Services,
};
use telemetry::{AccessLog, Outbox};
use transport::{Peer, Request, Response};

use crate::access::Presented;
use crate::agents;
use crate::backend::headers;
use crate::caller;
use crate::finish::{self, Entry};
use crate::gateway::Live;
use crate::measure::{Measured, ServerSpan};
use crate::origin;
use crate::preflight;
use crate::router::{Route, Wanted};
use crate::trail::Trail;

/// Takes a request to where its first policy runs. This part does not wait, so that nothing of
/// it is kept while the others do.
pub(crate) fn prepare(
    live: Arc<Live>,
    services: &Arc<Services>,
    access_log: Option<&Arc<AccessLog>>,
    outbox: Option<&Arc<Outbox>>,
    request: Request,
    peer: Arc<Peer>,
) -> Work {
    let (mut head, body) = request.into_parts();
    let version = head.version;
    name_host(&mut head);
    let is_websocket = head.headers.contains_key(header::CONNECTION) && {
        headers::drop_named(&mut head.headers);
        transport::upgrade::is_websocket(&head.headers)
    };
    let origin = origin::of(&head, &peer);
    let target = std::mem::take(&mut head.uri).into_parts().path_and_query;
    let target = target.unwrap_or_else(|| PathAndQuery::from_static("/"));
    let snapshot = &live.snapshot;
    let wanted = Wanted {
        method: &head.method,
        path: target.path(),
        query: target.query().unwrap_or_default(),
        headers: &head.headers,
        is_tls: peer.tls.is_some(),
    };
    let route = live.router.find(wanted, snapshot);
    let api = route.as_ref().and_then(|it| snapshot.apis.get(it.api));
    let operation = api
        .zip(route.as_ref())
        .and_then(|(api, route)| operation(api, route, &head.method, is_websocket));
    let now = || services.clock.now();
    let preflight = preflight::find(&live, wanted, api, operation, now);
    let operation = preflight.as_ref().map_or(operation, |it| it.operation);

    let place = place(route.as_ref(), api, operation, preflight.is_some());
    let series = Arc::clone(live.series.route(route.as_ref().map(|it| it.api), place));

    let place_of_operation = route.as_ref().and_then(|it| it.operation);
    let (url, way) = match &route {
        None => (RequestUrl::received(origin.clone(), target.clone(), 0), Way::Nowhere),
        Some(route) => {
            let base = match api.and_then(|it| it.service.as_ref()) {
                Some(Service::Url(base)) => base,
                Some(Service::Backend(_)) | None => &origin,
            };
            let (url, way) = way(&live, route, base.clone(), &head.method, &target);
            match api.filter(|it| it.kind.is_for_agents()) {
                Some(api) => (agents::target(api, route.operation, url), way),
                None => (url, way),
            }
        }
    };
    let original = RequestUrl::received(origin, target, 0);
    let length = Measured::announced(&body);
    let mut context = Box::new(context(head, body, url, original, services, &peer));
    context.deployment = snapshot.deployment.clone();
    let backends = api.and_then(|it| it.backends.as_ref()).unwrap_or(&snapshot.backend_entries);
    context.backends = backends.clone();
    context.workspace = api.and_then(|it| it.workspace.clone());
    context.api = api.map(|it| it.info.clone());
    let is_mcp = api.is_some_and(|it| it.kind == ApiKind::Mcp);
    context.operation = operation.filter(|_| !is_mcp).map(|it| it.operation.clone());
    if let Some(api) = api.filter(|it| it.agents.is_some()) {
        let from = (&peer, version);
        agents::note(&mut context, &live, api, place_of_operation, access_log, from);
    }
    let is_preflight = preflight.is_some();
    let (pipeline, checked) = match preflight {
        Some(it) => (it.pipeline, Ok(())),
        None => {
            let goes_elsewhere =
                api.is_some_and(|it| agents::goes_elsewhere(it, place_of_operation));
            check(&live, api, operation, &mut context, is_websocket, goes_elsewhere)
        }
    };
    let pipeline = pipeline.clone();
    let span = outbox.and_then(|it| ServerSpan::begin(it, &mut context, &peer));
    let entry = access_log.map(|log| {
        Trail::begin(&mut context);
        Box::new(Entry::new(log.clone(), &mut context, peer, version, api))
    });
    let measured = Some(Measured::new(series, &mut context, length).with_span(span));
    way.note(live, &mut context.request);
    Work { pipeline, checked, is_preflight, context: Some(context), entry, measured }
}

/// The place of the operation whose series are added to.
fn place(
    route: Option<&Route<'_>>,
    api: Option<&Api>,
    operation: Option<&Operation>,
    is_preflight: bool,
) -> Option<usize> {
    match api?.kind {
        _ if is_preflight => None,
        ApiKind::WebSocket => Some(0),
        ApiKind::GraphQl if operation.is_some_and(|it| it.operation.speaks_graphql) => {
            api?.operations.iter().position(|it| it.operation.speaks_graphql)
        }
        ApiKind::Http | ApiKind::GraphQl | ApiKind::Mcp | ApiKind::A2a | ApiKind::Models => {
            route?.operation
        }
    }
}

/// How what the URL template matched will be known.
enum Way {
    /// There is no API.
    Nowhere,
    /// From the original path, if somebody asks: the API, and the byte where what is below it
    /// begins.
    Known(usize, usize),
    /// The original path had dot segments, so the API and what was matched without them.
    Resolved(usize, Vec<(String, String)>),
}

/// The URL below a base for a request that has an API.
fn way(
    live: &Live,
    route: &Route<'_>,
    base: Arc<BaseUrl>,
    method: &Method,
    target: &PathAndQuery,
) -> (RequestUrl, Way) {
    match &route.below {
        Cow::Borrowed(below) => {
            let start = target.path().len() - below.len();
            (RequestUrl::received(base, target.clone(), start), Way::Known(route.api, start))
        }
        Cow::Owned(below) => {
            let query = target.query().unwrap_or_default();
            let parameters = live.router.parameters(route.api, method, below, query);
            (RequestUrl::new(base, below, query), Way::Resolved(route.api, parameters))
        }
    }
}

impl Way {
    fn note(self, live: Arc<Live>, request: &mut pipeline::Request) {
        match self {
            Way::Nowhere => {}
            Way::Known(api, below) => {
                request.set_route(pipeline::Route { routes: live, api, below });
            }
            Way::Resolved(api, parameters) => {
                request.set_route(pipeline::Route { routes: live, api, below: 0 });
                request.set_matched_parameters(parameters);
            }
        }
    }
}

/// A request in the pipeline. If it is dropped there, the client has gone.
pub(crate) struct Work {
    pipeline: Arc<Pipeline>,
    checked: Result<(), PolicyError>,
    is_preflight: bool,
    context: Option<Box<Context>>,
    entry: Option<Box<Entry>>,
    measured: Option<Measured>,
}

impl Work {
    /// A request that the gateway makes itself.
    pub(crate) fn new(
        pipeline: Arc<Pipeline>,
        checked: Result<(), PolicyError>,
        context: Box<Context>,
        entry: Option<Box<Entry>>,
        measured: Measured,
    ) -> Work {
        let (context, measured) = (Some(context), Some(measured));
        Work { pipeline, checked, is_preflight: false, context, entry, measured }
    }

    /// Runs the pipeline, or its `on-error` if a check has failed.
    pub(crate) async fn run(mut self) -> Response {
        let checked = std::mem::replace(&mut self.checked, Ok(()));
        let Some(context) = self.context.as_deref_mut() else { return not_loaded() };
        match checked {
            Ok(()) if self.is_preflight => {
                pipeline::preflight(&self.pipeline, context).await;
            }
            Ok(()) => {
                pipeline::run(&self.pipeline, context).await;
            }
            Err(error) => {
                pipeline::fail(&self.pipeline, context, error).await;
            }
        }
        match self.context.take() {
            Some(context) => finish::respond(context, self.entry.take(), self.measured.take()),
            None => not_loaded(),
        }
    }
}

impl Drop for Work {
    /// The client has gone: `on-error` runs all the same, for what it logs.
    fn drop(&mut self) {
        let Some(mut context) = self.context.take() else { return };
        let (pipeline, entry) = (self.pipeline.clone(), self.entry.take());
        let mut measured = self.measured.take();
        if pipeline.on_error.is_empty() && entry.is_none() {
            if let Some(measured) = &mut measured {
                measured.close(&context, None);
            }
            return;
        }
        let background: Arc<Background> = context.services.extensions().shared();
        background.spawn(async move {
            let error = PolicyError::new("ClientConnectionFailure", "The operation was canceled.")
                .blame(Blame::Client)
                .source("forward-request");
            pipeline::fail(&pipeline, &mut context, error).await;
            if let Some(measured) = &mut measured {
                measured.close(&context, None);
            }
            drop(measured);
            if let Some(entry) = entry {
                entry.abandon(&mut context);
            }
        });
    }
}

/// Everything that is decided before the first policy, and the policies that then run.
fn check<'a>(
    live: &'a Live,
    api: Option<&'a Api>,
    operation: Option<&'a Operation>,
    context: &mut Context,
    is_websocket: bool,
    goes_elsewhere: bool,
) -> (&'a Arc<Pipeline>, Result<(), PolicyError>) {
    let Some(api) = api else { return (&live.snapshot.global, Err(not_found())) };
    let Some(operation) = operation else { return (&api.pipeline, Err(not_found())) };
    let presented = Presented {
        headers: &context.request.headers,
        query: context.request.original_url.own_query(),
        is_websocket,
        now: context.services.clock.now(),
    };
    let product = match live.keys.admit(api, presented) {
        Ok(admitted) => {
            context.subscription = admitted.subscription;
            context.user = admitted.user;
            let product = admitted.product.and_then(|it| live.snapshot.products.get(it));
            context.product = product.map(|it| it.info.clone());
            admitted.product
        }
        Err(denied) => {
            let origin = context.request.original_url.base().to_string();
            return (&operation.pipeline, Err(denied.into_error(api, &origin)));
        }
    };
    let backend = match &api.service {
        Some(Service::Backend(id)) if !goes_elsewhere => {
            context.use_backend(id).map_err(|_| no_backend(id))
        }
        Some(Service::Backend(_) | Service::Url(_)) | None => Ok(()),
    };
    (operation.effective(product), backend)
}

/// The operation that answers. WebSocket APIs take handshakes only, and all of them; GraphQL APIs
/// take them where queries come; ordinary ones take none.
fn operation<'a>(
    api: &'a Api,
    route: &Route<'_>,
    method: &Method,
    is_websocket: bool,
) -> Option<&'a Operation> {
    match api.kind {
        ApiKind::WebSocket if is_websocket && method == Method::GET => api.operations.first(),
        ApiKind::WebSocket => None,
        ApiKind::GraphQl if is_websocket => {
            let handshake = || api.operations.iter().find(|it| it.operation.speaks_graphql);
            route.operation.filter(|_| method == Method::GET).and_then(|_| handshake())
        }
        ApiKind::Http | ApiKind::GraphQl | ApiKind::Mcp | ApiKind::A2a | ApiKind::Models => {
            api.operations.get(route.operation.filter(|_| !is_websocket)?)
        }
    }
}

/// HTTP/2 names the host in the URL only; policies look for the header.
fn name_host(head: &mut Parts) {
    if let Some(authority) = head.uri.authority()
        && !head.headers.contains_key(header::HOST)
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
    request.ip_address = caller::address(peer);
    request.certificates = peer.tls.as_ref().and_then(|it| it.certificates.clone());
    Context::new(request, services.clone())
}

fn not_found() -> PolicyError {
    PolicyError::new("OperationNotFound", "Unable to match incoming request to an operation.")
        .respond(StatusCode::NOT_FOUND, "Resource not found")
        .source("configuration")
}

pub(crate) fn no_backend(id: &str) -> PolicyError {
    PolicyError::new("BackendNotFound", format!("The API's backend `{id}` does not exist."))
        .source("configuration")
}

/// The answer while there is no configuration.
pub(crate) fn not_loaded() -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let response = pipeline::error_response(status, "The gateway has no configuration yet.");
    finish::into_http(response, &Method::GET)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use config::ApiKind;
    use http::{HeaderValue, Method, Version};
    use transport::{Body, Peer};

    use super::{context, name_host, operation};
    use crate::origin;
    use crate::router::Route;
    use crate::test_support::{ApiSpec, api, services};

    #[test]
    fn handshakes_go_to_websocket_apis_and_nothing_else_does() {
        let choose = |kind, method, is_websocket, found| {
            let api = api(&ApiSpec { kind, operations: &["GET /"], ..ApiSpec::default() });
            let route = Route { api: 0, operation: found, below: "/x".into() };
            operation(&api, &route, &method, is_websocket).is_some()
        };
        for (kind, method, is_websocket, found, expected) in [
            (ApiKind::WebSocket, Method::GET, true, None, true),
            (ApiKind::WebSocket, Method::POST, true, None, false),
            (ApiKind::WebSocket, Method::GET, false, Some(0), false),
            (ApiKind::Http, Method::GET, false, Some(0), true),
            (ApiKind::Http, Method::GET, false, None, false),
            (ApiKind::Http, Method::GET, true, Some(0), false),
        ] {
            assert_eq!(choose(kind, method, is_websocket, found), expected, "{kind:?}");
        }
    }

    #[test]
    fn http2_requests_get_a_host_header() {
        let request = http::Request::get("https://gw.test:8443/x").version(Version::HTTP_2);
        let mut head = request.body(()).unwrap().into_parts().0;
        name_host(&mut head);
        assert_eq!(head.headers["host"], "gw.test:8443");
        head.headers.insert("host", HeaderValue::from_static("kept"));
        name_host(&mut head);
        assert_eq!(head.headers["host"], "kept");
    }

    #[test]
    fn a_request_without_a_body_has_none() {
        let has_body = |length: Option<&'static str>| {
            let mut request = http::Request::get("/x");
            if let Some(length) = length {
                request = request.header("content-length", length);
            }
            let head = request.body(()).unwrap().into_parts().0;
            let peer = Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let url = pipeline::RequestUrl::new(origin::of(&head, &peer), "/x", "");
            let services = services(None);
            let body = Body::empty();
            context(head, body, url.clone(), url, &services, &peer).request.body.is_present()
        };
        assert!(!has_body(None));
        assert!(has_body(Some("0")));
    }

    #[tokio::test]
    async fn a_request_that_is_dropped_still_runs_on_error() {
        let (noted, mut is_noted) = tokio::sync::mpsc::unbounded_channel();
        let noted = Arc::new(crate::test_support::Noted(noted));
        let pipeline = crate::test_support::pipeline(
            "<backend><forward-request /></backend><on-error><note /></on-error>",
        );
        let spec = ApiSpec { operations: &["GET /x"], pipeline, ..ApiSpec::default() };
        let (gateway, called) = crate::test_support::stuck_gateway(&[spec], noted);
        let request = http::Request::get("/x").header("host", "h").body(Body::empty()).unwrap();
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        tokio::select! {
            _ = gateway.handle(request, peer) => panic!("answered"),
            () = called.notified() => {}
        }
        assert_eq!(is_noted.recv().await.unwrap(), "ClientConnectionFailure");
    }
}
