//! Requests one after the other against the policies of this crate, with a fake clock.

use std::sync::Arc;
use std::time::Duration;

use document::{Diagnostic, NamedValues};
use expr::host::{ApiInfo, OperationInfo, SubscriptionInfo};
use http::{Method, StatusCode};
use pipeline::url::BaseUrl;
use pipeline::{
    Body, CompileCx, Context, Element, Extensions, Flow, Fragments, Immediate, NoForward,
    Operation, Pipeline, PolicyError, PolicyKind, Registry, Request, RequestUrl, Response, Scope,
    Scopes, Sections, Services, Step, Surroundings, Target,
};
use state::Limits;
use transport::{FakeClient, FakeClock};

const KINDS: &[PolicyKind] = &[
    crate::QUOTA,
    crate::QUOTA_BY_KEY,
    crate::RATE_LIMIT,
    crate::RATE_LIMIT_BY_KEY,
    ANSWER,
    CHECK,
];

/// Answers 200 with the body of the world; stands for a backend.
const ANSWER: PolicyKind = PolicyKind {
    name: "answer",
    summary: "",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[],
    compile: |_, _| Ok(Step::immediate(Answer)),
};

/// Refuses every request with 400.
const CHECK: PolicyKind = PolicyKind {
    name: "check-it",
    compile: |_: Element<'_>, _: &mut CompileCx<'_>| -> Result<Step, Diagnostic> {
        Ok(Step::immediate(Check))
    },
    ..ANSWER
};

#[derive(Debug)]
struct Answer;

impl Immediate for Answer {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let body: Arc<Text> = context.services.extension().unwrap();
        let mut response = Response::new(StatusCode::OK);
        let Text { text, streams } = &*body;
        response.body = if *streams {
            let (sender, body) = transport::Body::channel(1);
            crate::quota::finish_now(async { sender.send(text.clone()).await.unwrap() });
            Body::stream(body)
        } else {
            Body::bytes(text.clone())
        };
        context.set_response(response);
        Ok(Flow::Next)
    }
}

#[derive(Debug)]
struct Check;

impl Immediate for Check {
    fn apply(&self, _: &mut Context) -> Result<Flow, PolicyError> {
        Err(PolicyError::new("Bad", "bad").respond(StatusCode::BAD_REQUEST, "bad"))
    }
}

struct Text {
    text: String,
    streams: bool,
}

/// A process: its clock and its counters.
pub(crate) struct World {
    pub(crate) clock: Arc<FakeClock>,
    /// What the backend answers.
    pub(crate) body: String,
    /// Whether it comes as a stream.
    pub(crate) streams: bool,
    /// The name of the subscription, if the caller has one.
    pub(crate) subscription: Option<&'static str>,
    pub(crate) api: &'static str,
    pub(crate) operation: &'static str,
    extensions: Extensions,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            clock: Arc::new(FakeClock::at_unix(1_767_225_600)),
            body: String::new(),
            streams: false,
            subscription: Some("acme"),
            api: "chat",
            operation: "complete",
            extensions: Extensions::default(),
        }
    }

    /// With another store than the one in this process.
    pub(crate) fn with(limits: Limits) -> World {
        let mut world = World::new();
        world.extensions.insert(Arc::new(limits));
        world
    }

    /// With the names of an API and its operation.
    pub(crate) fn with_names() -> World {
        let api = pipeline::ApiName {
            id: "chat".to_owned(),
            name: "The chat".to_owned(),
            operations: vec![("complete".to_owned(), "Complete it".to_owned())],
        };
        let mut world = World::new();
        world.extensions.insert(Arc::new(pipeline::ApiNames::from_iter([api])));
        world
    }

    /// What is wrong with a policy, as codes.
    pub(crate) fn problems(&self, policy: &str) -> Vec<String> {
        let (_, problems) = self.compile(policy);
        problems.iter().map(|it| format!("{} {}", it.code.as_str(), it.message)).collect()
    }

    fn compile(&self, policies: &str) -> (Option<pipeline::CompiledDocument>, Vec<Diagnostic>) {
        let text = format!(
            "<policies><inbound>{policies}</inbound><backend><answer /></backend></policies>"
        );
        let (document, problems) = document::parse(&text);
        assert!(problems.is_empty(), "{problems:?}");
        let surroundings = Surroundings {
            registry: &Registry::new(KINDS),
            named_values: &NamedValues::new(),
            fragments: &Fragments::new(),
            backends: None,
            extensions: &self.extensions,
            options: &expr::Options::default(),
        };
        pipeline::compile_document(&document, None, Target::scope(Scope::Product), &surroundings)
    }

    /// Sends a request; gives its context at the end, the response as the client has it.
    pub(crate) fn send(&mut self, policies: &str) -> Context {
        let (compiled, problems) = self.compile(policies);
        let compiled = compiled.unwrap_or_else(|| panic!("{problems:?}"));
        let pipeline = Pipeline::splice(&[&compiled]);
        let services = Services::new(
            Arc::new(FakeClient::unreachable()),
            Arc::<FakeClock>::clone(&self.clock),
            Arc::new(NoForward),
        );
        let mut extensions = self.extensions.clone();
        extensions.insert(Arc::new(Text { text: self.body.clone(), streams: self.streams }));
        let services = services.with_extensions(extensions);
        let base = Arc::new(BaseUrl::origin("https", "gateway.example", 443));
        let url = RequestUrl::new(base, "/chat", "");
        let request = Request::new(Method::GET, url.clone(), url);
        let mut context = Context::new(request, Arc::new(services));
        let info = |id: &str| SubscriptionInfo { id: id.to_owned(), ..SubscriptionInfo::default() };
        context.subscription = self.subscription.map(|it| Arc::new(info(it)));
        let api = ApiInfo {
            id: self.api.to_owned(),
            name: format!("The {}", self.api),
            ..ApiInfo::default()
        };
        context.api = Some(Arc::new(api));
        let info = OperationInfo { id: self.operation.to_owned(), ..OperationInfo::default() };
        context.operation =
            Some(Arc::new(Operation { info: Arc::new(info), ..Operation::default() }));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(pipeline::run(&pipeline, &mut context));
        context
    }

    /// Sends a request and reads all of its response.
    pub(crate) fn read_all(&mut self, policies: &str) {
        let mut context = self.send(policies);
        let body = &mut context.response.as_mut().unwrap().body;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(body.buffer(1 << 20)).unwrap();
    }

    /// The statuses of so many requests, a millisecond apart.
    pub(crate) fn answers(&mut self, policies: &str, n: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..n {
            self.clock.advance(Duration::from_millis(1));
            statuses.push(self.send(policies).response.unwrap().status.as_u16());
        }
        statuses
    }
}
