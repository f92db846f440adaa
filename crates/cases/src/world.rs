//! The world of one case: its documents compiled, its request run, the edges faked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use document::{Diagnostic, NamedValue, NamedValues};
use expr::host::{ApiInfo, BackendInfo, LastError, OperationInfo};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use pipeline::url::BaseUrl;
use pipeline::{
    BackendEntry, Backends, Body, CompiledDocument, Context, Extensions, Fragments, Observer,
    Operation, OperationResponse, Pipeline, PolicyError, Registry, Representation, Request,
    RequestUrl, Scope, Services, Surroundings, Target, compile_default_global, compile_document,
};
use transport::{CallError, FakeClient, FakeClock, RecordedRequest};

use crate::case::{Answer, Case, Described, Message};
use crate::relay::Relay;

/// Runs cases with the policies of a registry.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    registry: &'a Registry,
}

/// What a case brought.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Problems of its documents.
    pub problems: Vec<Diagnostic>,
    /// How the request went; none if the documents do not load.
    pub ran: Option<Got>,
}

/// How a request went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Got {
    /// The response to the client.
    pub response: Message,
    /// What the backend (or another address without an answer of its own) got, in order.
    pub backend: Vec<Message>,
    /// Variables: name, .NET type, text.
    pub variables: Vec<(String, String, String)>,
    /// Members of `context.LastError`; empty if there was no error.
    pub last_error: Vec<(String, String)>,
}

/// Largest body that is looked at.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

impl<'a> World<'a> {
    /// A world with these policies.
    #[must_use]
    pub fn new(registry: &'a Registry) -> World<'a> {
        World { registry }
    }

    /// Compiles the documents of a case and runs its request.
    #[must_use]
    pub fn run(&self, case: &Case) -> Outcome {
        let operation = operation(case);
        let backends = backends(case);
        let (pipeline, mut problems) = self.compile(case, &operation, &backends);
        let Some(pipeline) = pipeline else { return Outcome { problems, ran: None } };
        match drive(case, &pipeline, operation, backends) {
            Ok(got) => Outcome { problems, ran: Some(got) },
            Err(problem) => {
                problems.push(Diagnostic::error(pipeline::codes::BAD_VALUE, 0..0, problem));
                Outcome { problems, ran: None }
            }
        }
    }

    fn compile(
        &self,
        case: &Case,
        operation: &Operation,
        backends: &Backends,
    ) -> (Option<Pipeline>, Vec<Diagnostic>) {
        let mut named_values = NamedValues::new();
        for (name, value, is_secret) in &case.named_values {
            let value = value.as_str();
            let value =
                if *is_secret { NamedValue::secret(value) } else { NamedValue::plain(value) };
            named_values.insert(name.as_str(), value);
        }
        let mut fragments = Fragments::new();
        for (name, text) in &case.fragments {
            fragments.insert(name, format!("fragment {name}").into(), text);
        }
        let surroundings = Surroundings {
            registry: self.registry,
            named_values: &named_values,
            fragments: &fragments,
            backends: Some(backends),
            extensions: &Extensions::default(),
            options: &expr::Options::default(),
        };
        let mut problems = Vec::new();
        let mut compiled: Vec<CompiledDocument> = Vec::new();
        if !case.documents.iter().any(|(scope, _)| *scope == Scope::Global) {
            compiled.extend(compile_default_global(&surroundings));
        }
        let mut is_whole = true;
        for (scope, text) in &case.documents {
            let (document, found) = document::parse(text);
            let is_readable = !found.iter().any(Diagnostic::is_error);
            problems.extend(found);
            let is_operation = *scope == Scope::Operation;
            let target = Target { scope: *scope, operation: is_operation.then_some(operation) };
            let (result, found) = compile_document(&document, None, target, &surroundings);
            problems.extend(found);
            is_whole &= is_readable && result.is_some();
            compiled.extend(result);
        }
        let pipeline = Pipeline::splice(&compiled.iter().collect::<Vec<_>>());
        (is_whole.then_some(pipeline), problems)
    }
}

fn operation(case: &Case) -> Operation {
    let (method, template) =
        case.operation.clone().unwrap_or_else(|| ("*".to_owned(), "/*".to_owned()));
    let info = OperationInfo {
        id: "operation".to_owned(),
        method,
        name: "Operation".to_owned(),
        url_template: template,
    };
    let mut operation = Operation { info: Arc::new(info), ..Operation::default() };
    for (status, content_type, described) in &case.described {
        let (example, schema) = match described {
            Described::Example(text) => (Some(text.clone()), None),
            Described::Schema(text) => (None, serde_json::from_str(text).ok()),
        };
        let representation = Representation { content_type: content_type.clone(), example, schema };
        match operation.responses.iter_mut().find(|it| it.status == *status) {
            Some(response) => response.representations.push(representation),
            None => operation
                .responses
                .push(OperationResponse { status: *status, representations: vec![representation] }),
        }
    }
    operation
}

fn backends(case: &Case) -> Backends {
    let entry = |(id, url): &(String, String)| BackendEntry {
        info: Arc::new(BackendInfo {
            id: id.clone(),
            kind: "Single".to_owned(),
            ..BackendInfo::default()
        }),
        url: BaseUrl::parse(url).ok().map(Arc::new),
    };
    case.backends.iter().map(entry).collect()
}

/// Runs the request of a case; an error says what of the case cannot be run.
fn drive(
    case: &Case,
    pipeline: &Pipeline,
    operation: Operation,
    backends: Backends,
) -> Result<Got, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let client = client(case);
    let watch = Arc::new(Watch::default());
    let mut services = Services::new(
        Arc::new(client.clone()),
        Arc::new(FakeClock::at_unix(1_767_225_600)),
        Arc::new(Relay),
    )
    .with_random(|bytes| bytes.fill(0));
    services.observer = Some(Arc::<Watch>::clone(&watch));
    let request = request(case)?;
    let mut context = Context::new(request, Arc::new(services));
    let template = operation.info.url_template.clone();
    let matched = match_template(&template, context.request.url.below());
    context.request.set_matched_parameters(matched);
    context.operation = Some(Arc::new(operation));
    context.api = Some(Arc::new(ApiInfo {
        id: "api".to_owned(),
        name: "API".to_owned(),
        revision: "1".to_owned(),
        is_current_revision: true,
        ..ApiInfo::default()
    }));
    context.backends = Arc::new(backends);
    let response = runtime.block_on(async {
        pipeline::run(pipeline, &mut context).await;
        let response = context.response.take().unwrap_or_default();
        let reason = response.reason().to_owned();
        let response = response.into_http().map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = body.collect(MAX_BODY_BYTES).await.map_err(|error| error.to_string())?;
        let first_line = format!("{} {reason}", head.status.as_u16()).trim().to_owned();
        Ok::<_, String>(message(first_line, &head.headers, &body))
    })?;
    let calls = client.requests();
    let backend = calls.iter().filter(|it| answer_for(case, it).is_none()).map(call).collect();
    let seen = watch.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Got { response, backend, ..seen })
}

/// The parameters of the template's path, and of its query, as received.
fn match_template(template: &str, path: &str) -> Vec<(String, String)> {
    let template = template.split('?').next().unwrap_or_default();
    template
        .split('/')
        .zip(path.split('/'))
        .filter_map(|(pattern, segment)| {
            let name = pattern.strip_prefix('{')?.strip_suffix('}')?;
            Some((name.to_owned(), segment.to_owned()))
        })
        .collect()
}

fn request(case: &Case) -> Result<Request, String> {
    let (method, target) = case
        .request
        .first_line
        .split_once(' ')
        .ok_or_else(|| format!("`{}` is no request line", case.request.first_line))?;
    let (path, query) = target.trim().split_once('?').unwrap_or((target.trim(), ""));
    let origin = Arc::new(BaseUrl::origin("https", "gateway.example", 443));
    let service = Arc::new(BaseUrl::origin("https", "backend.example", 443));
    let mut request = Request::new(
        method.parse::<Method>().map_err(|_| format!("`{method}` is no method"))?,
        RequestUrl::new(service, path, query),
        RequestUrl::new(origin, path, query),
    );
    request.headers = headers(&case.request)?;
    request.ip_address = "192.0.2.1".to_owned();
    if let Some(body) = &case.request.body {
        request.body = Body::bytes(body.clone());
    }
    Ok(request)
}

fn headers(message: &Message) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        let bad = || format!("`{name}: {value}` is no header");
        let name: HeaderName = name.parse().map_err(|_| bad())?;
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
    }
    Ok(headers)
}

fn client(case: &Case) -> FakeClient {
    let case = case.clone();
    FakeClient::new(move |request| {
        let answer = answer_for(&case, request).unwrap_or(&case.backend_response);
        let host = request.uri.authority().map(ToString::to_string).unwrap_or_default();
        let message = match answer {
            Answer::Response(message) => message,
            Answer::ConnectionRefused => {
                return Err(CallError::Connect { host, reason: "connection refused".to_owned() });
            }
            Answer::Timeout => return Err(CallError::Timeout { after: Duration::from_secs(300) }),
        };
        let (status, reason) =
            message.first_line.split_once(' ').unwrap_or((&message.first_line, ""));
        let broken = |reason: String| CallError::Connect { host: host.clone(), reason };
        let status = status
            .parse::<StatusCode>()
            .map_err(|_| broken(format!("`{}` is no status line", message.first_line)))?;
        let mut response = pipeline::Response::new(status);
        response.reason = Some(reason.to_owned()).filter(|it| !it.is_empty());
        response.headers = headers(message).map_err(&broken)?;
        response.body = Body::bytes(message.body.clone().unwrap_or_default());
        response.into_http().map_err(|error| broken(error.to_string()))
    })
}

/// The answer of an address that has one of its own.
fn answer_for<'c>(case: &'c Case, request: &RecordedRequest) -> Option<&'c Answer> {
    let url = request.uri.to_string();
    case.answers.iter().find(|(own, _)| *own == url).map(|(_, answer)| answer)
}

fn call(request: &RecordedRequest) -> Message {
    let uri = request.uri.to_string();
    message(format!("{} {uri}", request.method), &request.headers, &request.body)
}

fn message(first_line: String, headers: &HeaderMap, body: &Bytes) -> Message {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers =
        headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    Message { first_line, headers, body: Some(text(body)).filter(|it| !it.is_empty()) }
}

/// Notes variables and the error when the pipeline is done.
#[derive(Debug, Default)]
struct Watch(Mutex<Got>);

impl Observer for Watch {
    fn finished(&self, context: &Context, _: Option<&PolicyError>) {
        let variables = context
            .variables
            .iter()
            .map(|(name, value)| (name.to_owned(), value.type_name(), value.to_text().into_owned()))
            .collect();
        let last_error = context.last_error.as_ref().map(members).unwrap_or_default();
        let mut got = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *got = Got { variables, last_error, ..Got::default() };
    }
}

fn members(error: &LastError) -> Vec<(String, String)> {
    let optional = |it: &Option<String>| it.clone().unwrap_or_default();
    [
        ("source", error.source.clone()),
        ("reason", optional(&error.reason)),
        ("message", error.message.clone()),
        ("scope", optional(&error.scope)),
        ("section", optional(&error.section)),
        ("path", optional(&error.path)),
        ("policy-id", optional(&error.policy_id)),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text))
    .collect()
}
