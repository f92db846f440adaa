//! One policy, one request: what the unit tests of policies start from.

use std::sync::{Arc, Mutex};

use document::NamedValues;
use expr::host::OperationInfo;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use pipeline::url::BaseUrl;
use pipeline::{
    Backends, Blame, Body, Context, Extensions, Flow, Forward, ForwardCall, Fragments, Operation,
    Pipeline, PolicyError, Registry, Request, RequestUrl, Response, Scope, Section, Services,
    Surroundings, Target,
};
use transport::{BoxFuture, FakeClient, FakeClock};

use crate::ALL;

/// Runs a policy in `inbound`. `request` is header lines, or a request line and header lines.
///
/// Gives `next`, `end STATUS BODY`, or `STATUS MESSAGE (REASON)`.
pub(crate) fn outcome(policy: &str, request: &str) -> String {
    Trial::inbound(policy).run(request).outcome
}

/// What is wrong with a policy in `inbound`: codes, or `fine`.
pub(crate) fn problems(policy: &str) -> String {
    Trial::inbound(policy).problems()
}

/// A policy in a section, and what surrounds it.
pub(crate) struct Trial {
    pub(crate) section: Section,
    pub(crate) policy: String,
    /// What the global scope has before it.
    pub(crate) before: String,
    pub(crate) operation: Option<Operation>,
    pub(crate) matched: Vec<(String, String)>,
    pub(crate) response: Option<Response>,
    pub(crate) backend_status: StatusCode,
    /// Whether the body of the backend's response never ends.
    pub(crate) backend_streams: bool,
    pub(crate) backends: Option<Backends>,
    pub(crate) fragments: Fragments,
    pub(crate) named_values: NamedValues,
    pub(crate) extensions: Extensions,
    /// Answers other calls; nobody unless a test says so.
    pub(crate) client: FakeClient,
}

/// How a trial went.
pub(crate) struct Ran {
    pub(crate) outcome: String,
    pub(crate) context: Context,
    pub(crate) calls: Vec<ForwardCall>,
    /// Who is to blame, if it failed.
    pub(crate) blame: Option<Blame>,
}

impl Trial {
    pub(crate) fn inbound(policy: &str) -> Trial {
        Trial::of(Section::Inbound, policy)
    }

    pub(crate) fn of(section: Section, policy: &str) -> Trial {
        Trial {
            section,
            policy: policy.to_owned(),
            before: String::new(),
            operation: None,
            matched: Vec::new(),
            response: None,
            backend_status: StatusCode::OK,
            backend_streams: false,
            backends: None,
            fragments: Fragments::new(),
            named_values: NamedValues::new(),
            extensions: Extensions::default(),
            client: FakeClient::unreachable(),
        }
    }

    /// At an operation with this URL template, which matched these parameters (as received).
    pub(crate) fn at_operation(mut self, template: &str, matched: &[(&str, &str)]) -> Trial {
        let info = OperationInfo { url_template: template.to_owned(), ..OperationInfo::default() };
        self.operation = Some(Operation { info: Arc::new(info), ..Operation::default() });
        self.matched = matched.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self
    }

    fn compile(&self) -> (Option<pipeline::CompiledDocument>, Vec<document::Diagnostic>) {
        let target = match &self.operation {
            Some(it) => Target { scope: Scope::Operation, operation: Some(it) },
            None => Target::scope(Scope::Api),
        };
        let base = if self.before.is_empty() { "" } else { "<base />" };
        self.compile_at(target, &format!("{base}{}", self.policy))
    }

    fn compile_at(
        &self,
        target: Target<'_>,
        policy: &str,
    ) -> (Option<pipeline::CompiledDocument>, Vec<document::Diagnostic>) {
        let text = format!("<policies><{0}>{policy}</{0}></policies>", self.section);
        let (document, problems) = document::parse(&text);
        assert!(problems.is_empty(), "{problems:?}");
        let surroundings = Surroundings {
            registry: &Registry::new(ALL),
            named_values: &self.named_values,
            fragments: &self.fragments,
            backends: self.backends.as_ref(),
            extensions: &self.extensions,
            options: &expr::Options::default(),
        };
        pipeline::compile_document(&document, None, target, &surroundings)
    }

    pub(crate) fn problems(&self) -> String {
        let (_, problems) = self.compile();
        let codes: Vec<&str> = problems.iter().map(|it| it.code.as_str()).collect();
        if codes.is_empty() { "fine".to_owned() } else { codes.join(" ") }
    }

    pub(crate) fn run(mut self, request: &str) -> Ran {
        let (compiled, problems) = self.compile();
        let compiled = compiled.unwrap_or_else(|| panic!("{problems:?}"));
        let (broader, problems) = self.compile_at(Target::scope(Scope::Global), &self.before);
        let broader = broader.unwrap_or_else(|| panic!("{problems:?}"));
        let pipeline = match self.before.is_empty() {
            true => Pipeline::splice(&[&compiled]),
            false => Pipeline::splice(&[&broader, &compiled]),
        };
        let forward = Arc::new(FakeForward {
            status: self.backend_status,
            streams: self.backend_streams,
            calls: Mutex::new(Vec::new()),
        });
        let services = Services::new(
            Arc::new(self.client.clone()),
            Arc::new(FakeClock::at_unix(1_700_000_000)),
            Arc::<FakeForward>::clone(&forward),
        )
        .with_extensions(self.extensions.clone());
        let mut context = Context::new(read_request(request), Arc::new(services));
        context.request.set_matched_parameters(std::mem::take(&mut self.matched));
        context.operation = self.operation.take().map(Arc::new);
        context.response = self.response.take();
        context.backends = Arc::new(self.backends.take().unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let result = runtime.block_on(async {
            let result = pipeline.section(self.section).run(&mut context).await;
            // What the policy has started gets a turn as well.
            tokio::task::yield_now().await;
            result
        });
        let outcome = describe(&result, &context);
        let calls = forward.calls.lock().unwrap().clone();
        Ran { outcome, context, calls, blame: result.err().map(|it| it.blamed()) }
    }
}

fn describe(result: &Result<Flow, PolicyError>, context: &Context) -> String {
    match result {
        Ok(Flow::Next) => "next".to_owned(),
        Ok(Flow::End) => {
            let response = context.response.as_ref().unwrap();
            format!("end {} {}", response.status.as_u16(), text(&response.body)).trim().to_owned()
        }
        Err(error) => {
            let status =
                error.response_status().map_or("kept".to_owned(), |it| it.as_u16().to_string());
            let message = error.response_message().unwrap_or("-");
            format!("{status} {message} ({})", error.reason())
        }
    }
}

/// The body as text.
pub(crate) fn text(body: &Body) -> String {
    String::from_utf8(body.as_bytes().unwrap().to_vec()).unwrap()
}

fn read_request(text: &str) -> Request {
    let mut lines = text.lines().map(str::trim).filter(|it| !it.is_empty()).peekable();
    let is_request_line = |line: &&str| !line.contains(": ") && line.contains(" /");
    let line = lines.next_if(is_request_line).unwrap_or("GET /orders");
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let base = Arc::new(BaseUrl::origin("https", "backend.example", 443));
    let url = RequestUrl::new(base, path, query);
    let mut request = Request::new(method.parse::<Method>().unwrap(), url.clone(), url);
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        let name: HeaderName = name.parse().unwrap();
        request.headers.append(name, HeaderValue::from_str(value.trim()).unwrap());
    }
    request
}

#[derive(Debug)]
struct FakeForward {
    status: StatusCode,
    streams: bool,
    calls: Mutex<Vec<ForwardCall>>,
}

impl Forward for FakeForward {
    fn forward<'a>(
        &'a self,
        context: &'a mut Context,
        call: ForwardCall,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        self.calls.lock().unwrap().push(call);
        let mut response = Response::new(self.status);
        if self.streams {
            let (_sender, body) = transport::Body::channel(1);
            response.body = Body::stream(body);
        }
        context.set_response(response);
        Box::pin(async { Ok(()) })
    }
}
