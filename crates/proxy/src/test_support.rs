//! Snapshots for tests, made of a few words.

use std::sync::Arc;

use config::{
    Api, ApiKind, InProducts, Operation, Protocols, Service, Snapshot, Subscription,
    SubscriptionScope, Version,
};
use expr::host::{ApiInfo, OperationInfo, SubscriptionInfo};
use http::HeaderName;
use http::{HeaderValue, StatusCode};
use pipeline::{
    Attr, BaseUrl, CompileCx, Computed, Context, Diagnostic, Element, Extensions, Flow,
    ForwardCall, Fragments, Immediate, Pipeline, PolicyError, PolicyKind, Registry, Scope, Scopes,
    Sections, Services, Step, Surroundings, Target, Waiting, compile_document,
};
use transport::{BoxFuture, CallError, CallOptions, FakeClient, HttpClient, SystemClock};

use crate::{Gateway, HttpForward};

/// An API in a few words.
#[derive(Debug, Clone)]
pub(crate) struct ApiSpec {
    pub(crate) id: &'static str,
    pub(crate) path: &'static str,
    pub(crate) version: Option<Version>,
    pub(crate) revision: &'static str,
    pub(crate) is_current: bool,
    pub(crate) is_online: bool,
    pub(crate) protocols: Protocols,
    pub(crate) kind: ApiKind,
    pub(crate) service: Option<&'static str>,
    pub(crate) subscription_required: bool,
    pub(crate) key_header: &'static str,
    pub(crate) key_query: &'static str,
    pub(crate) key_bearer: bool,
    pub(crate) operations: &'static [&'static str],
    pub(crate) pipeline: Arc<Pipeline>,
}

impl Default for ApiSpec {
    fn default() -> Self {
        Self {
            id: "api",
            path: "",
            version: None,
            revision: "1",
            is_current: true,
            is_online: true,
            protocols: Protocols::default(),
            kind: ApiKind::Http,
            service: Some("https://backend.test/base"),
            subscription_required: false,
            key_header: "ocp-apim-subscription-key",
            key_query: "subscription-key",
            key_bearer: false,
            operations: &[],
            pipeline: Arc::default(),
        }
    }
}

pub(crate) fn api(spec: &ApiSpec) -> Api {
    let info = ApiInfo {
        id: spec.id.to_owned(),
        path: spec.path.to_owned(),
        revision: spec.revision.to_owned(),
        is_current_revision: spec.is_current,
        ..ApiInfo::default()
    };
    Api {
        info: Arc::new(info),
        version: spec.version.clone(),
        is_online: spec.is_online,
        protocols: spec.protocols,
        kind: spec.kind,
        service: spec.service.map(|it| Service::Url(Arc::new(BaseUrl::parse(it).unwrap()))),
        subscription_required: spec.subscription_required,
        key_header: HeaderName::from_static(spec.key_header),
        key_query: spec.key_query.to_owned(),
        key_bearer: spec.key_bearer,
        operations: spec.operations.iter().map(|it| operation(it, spec)).collect(),
        products: Vec::new(),
        open_product: None,
        workspace: None,
        backends: None,
        agents: None,
        pipeline: spec.pipeline.clone(),
    }
}

fn operation(text: &str, spec: &ApiSpec) -> Operation {
    let (method, template) = text.split_once(' ').unwrap();
    let info = OperationInfo {
        id: text.to_owned(),
        method: method.to_owned(),
        url_template: template.to_owned(),
        ..OperationInfo::default()
    };
    let operation = pipeline::Operation {
        info: Arc::new(info),
        is_websocket: spec.kind == ApiKind::WebSocket,
        ..pipeline::Operation::default()
    };
    let in_products = InProducts::default();
    Operation { operation: Arc::new(operation), pipeline: spec.pipeline.clone(), in_products }
}

pub(crate) fn snapshot(specs: &[ApiSpec]) -> Snapshot {
    Snapshot { apis: specs.iter().map(api).collect(), ..Snapshot::default() }
}

pub(crate) fn subscription(
    id: &str,
    scope: SubscriptionScope,
    is_active: bool,
    keys: &[&str],
) -> Subscription {
    let info = SubscriptionInfo {
        id: id.to_owned(),
        primary_key: keys.first().copied().unwrap_or_default().to_owned(),
        secondary_key: keys.get(1).copied().unwrap_or_default().to_owned(),
        ..SubscriptionInfo::default()
    };
    let keys = keys.iter().map(|it| (*it).into()).collect();
    Subscription { info: Arc::new(info), scope, is_active, keys, ..Subscription::default() }
}

/// A gateway over a client, with a snapshot in place.
pub(crate) fn gateway(specs: &[ApiSpec], client: Option<FakeClient>) -> Arc<Gateway> {
    let gateway = Gateway::new(services(client), None);
    gateway.install(Arc::new(snapshot(specs)));
    gateway
}

/// Services over a client that answers from a closure, or over none.
pub(crate) fn services(client: Option<FakeClient>) -> Arc<Services> {
    let client = client.unwrap_or_else(FakeClient::unreachable);
    let forward = Arc::new(HttpForward::default());
    Arc::new(Services::new(Arc::new(client), Arc::new(SystemClock), forward))
}

/// A gateway whose backend never answers, and what tells that it has been called.
pub(crate) fn stuck_gateway(
    specs: &[ApiSpec],
    noted: Arc<Noted>,
) -> (Arc<Gateway>, Arc<tokio::sync::Notify>) {
    let called = Arc::<tokio::sync::Notify>::default();
    let client = Arc::new(Stuck(called.clone()));
    let forward = Arc::new(HttpForward::default());
    let services = Services::new(client, Arc::new(SystemClock), forward).with(noted);
    let gateway = Gateway::new(Arc::new(services), None);
    gateway.install(Arc::new(snapshot(specs)));
    (gateway, called)
}

#[derive(Debug)]
struct Stuck(Arc<tokio::sync::Notify>);

impl HttpClient for Stuck {
    fn send<'a>(
        &'a self,
        _: transport::Request,
        _: &'a CallOptions,
    ) -> BoxFuture<'a, Result<transport::Response, CallError>> {
        self.0.notify_one();
        Box::pin(std::future::pending())
    }
}

/// Where the policy `note` writes the reason of the last error.
pub(crate) struct Noted(pub(crate) tokio::sync::mpsc::UnboundedSender<String>);

/// The pipeline of a document's sections, with the policies below.
pub(crate) fn pipeline(sections: &str) -> Arc<Pipeline> {
    let (document, problems) = document::parse(&format!("<policies>{sections}</policies>"));
    assert!(problems.is_empty(), "{problems:?}");
    let surroundings = Surroundings {
        registry: &Registry::new(KINDS),
        named_values: &document::NamedValues::new(),
        fragments: &Fragments::new(),
        backends: None,
        extensions: &Extensions::default(),
        options: &expr::Options::default(),
    };
    let target = Target::scope(Scope::Api);
    let (compiled, problems) = compile_document(&document, None, target, &surroundings);
    Arc::new(Pipeline::splice(&[&compiled.unwrap_or_else(|| panic!("{problems:?}"))]))
}

/// Forwards every request.
pub(crate) fn forwarding() -> Arc<Pipeline> {
    pipeline("<backend><forward-request /></backend>")
}

const KINDS: &[PolicyKind] = &[
    PolicyKind {
        name: "forward-request",
        summary: "Forwards.",
        sections: Sections::BACKEND,
        scopes: Scopes::ALL,
        attrs: &[TIMEOUT, BUFFER_REQUEST, BUFFER_RESPONSE, FOLLOW, BACKEND],
        children: &[],
        compile: forward,
    },
    PolicyKind {
        name: "header",
        summary: "Sets a header.",
        sections: Sections::ALL,
        scopes: Scopes::ALL,
        attrs: &[NAME, VALUE],
        children: &[],
        compile: header,
    },
    PolicyKind {
        name: "note",
        summary: "Notes the last error.",
        sections: Sections::ALL,
        scopes: Scopes::ALL,
        attrs: &[],
        children: &[],
        compile: |_, _| Ok(Step::immediate(Note)),
    },
    PolicyKind {
        name: "fail",
        summary: "Fails.",
        sections: Sections::ALL,
        scopes: Scopes::ALL,
        attrs: &[NAME],
        children: &[],
        compile: fail,
    },
];

const TIMEOUT: Attr = Attr::optional("timeout-ms", "60000");
const BUFFER_REQUEST: Attr = Attr::optional("buffer-request-body", "false");
const BUFFER_RESPONSE: Attr = Attr::optional("buffer-response", "true");
const FOLLOW: Attr = Attr::optional("follow-redirects", "false");
const BACKEND: Attr = Attr::optional("backend-id", "");
const NAME: Attr = Attr::required("name");
const VALUE: Attr = Attr::required("value").expressions();

#[derive(Debug)]
struct Forward(ForwardCall, String);

fn forward(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let call = ForwardCall {
        timeout: Some(cx.literal::<pipeline::Milliseconds>(element, &TIMEOUT)?.0),
        buffer_request_body: cx.literal(element, &BUFFER_REQUEST)?,
        buffer_response: cx.literal(element, &BUFFER_RESPONSE)?,
        follow_redirects: cx.literal(element, &FOLLOW)?,
        ..ForwardCall::default()
    };
    Ok(Step::waiting(Forward(call, cx.literal(element, &BACKEND)?)).taking_request())
}

impl Waiting for Forward {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        if !self.1.is_empty() {
            context.use_backend(&self.1).map_err(|_| PolicyError::new("BackendNotFound", ""))?;
        }
        let forward = context.services.forward.clone();
        forward.forward(context, self.0.clone()).await.map(|()| Flow::Next)
    }
}

#[derive(Debug)]
struct Header(pipeline::Message, Computed<HeaderName>, Computed<String>);

fn header(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let (name, value) = (cx.attr(element, &NAME)?, cx.attr(element, &VALUE)?);
    Ok(Step::immediate(Header(cx.message(), name, value)))
}

impl Immediate for Header {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let (name, value) = (self.1.get(context)?, self.2.get(context)?);
        let value = HeaderValue::from_str(&value).unwrap();
        context.headers_mut(self.0).insert(name, value);
        Ok(Flow::Next)
    }
}

#[derive(Debug)]
struct Fail(String);

fn fail(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(Fail(cx.literal(element, &NAME)?)))
}

impl Immediate for Fail {
    fn apply(&self, _: &mut Context) -> Result<Flow, PolicyError> {
        Err(PolicyError::new("Failed", "on purpose").respond(StatusCode::IM_A_TEAPOT, &*self.0))
    }
}

#[derive(Debug)]
struct Note;

impl Immediate for Note {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let reason = context.last_error.as_ref().and_then(|it| it.reason.clone());
        let noted = context.services.extension::<Noted>().unwrap();
        noted.0.send(reason.unwrap_or_default()).unwrap();
        Ok(Flow::Next)
    }
}
