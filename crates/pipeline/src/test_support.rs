//! A few small policies, and the way from text to a run: what the tests of this crate start from.

use std::sync::Arc;

use document::{Diagnostic, NamedValue, NamedValues};
use expr::{Uses, Value};
use http::{Method, StatusCode};
use transport::{FakeClient, FakeClock};

use crate::{
    Attr, BaseUrl, Child, CompiledDocument, Computed, Context, Extensions, Flow, Fragments,
    Immediate, Message, NoForward, Pipeline, PolicyError, PolicyKind, Registry, Request,
    RequestUrl, Response, Scope, Scopes, Section, Sections, Services, Step, Steps, Surroundings,
    Target, Waiting, compile_document,
};

/// `<mark name="x" />` notes that it ran; `<pause name="x" />` the same after waiting.
const MARK: PolicyKind = PolicyKind {
    name: "mark",
    summary: "Notes that it ran.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[NAME],
    children: &[],
    compile: |element, cx| Ok(Step::immediate(Mark { name: cx.attr(element, &NAME)? })),
};
const PAUSE: PolicyKind = PolicyKind {
    name: "pause",
    summary: "Notes that it ran, after waiting.",
    compile: |element, cx| Ok(Step::waiting(Mark { name: cx.attr(element, &NAME)? })),
    ..MARK
};
/// `<fail status="403" />` fails; without a status it is an internal failure.
const FAIL: PolicyKind = PolicyKind {
    name: "fail",
    summary: "Fails.",
    attrs: &[STATUS, KEEP],
    compile: |element, cx| {
        Ok(Step::immediate(Fail {
            status: cx.attr_if(element, &STATUS)?,
            keep: cx.literal(element, &KEEP)?,
        }))
    },
    ..MARK
};
/// `<end>..</end>` ends the pipeline, after its content; works in inbound only, at any scope but
/// the workspace.
const END: PolicyKind = PolicyKind {
    name: "end",
    summary: "Ends the pipeline.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL.without(Scope::Workspace),
    attrs: &[],
    children: &[Child::content()],
    compile: |element, cx| Ok(Step::waiting(Group { steps: cx.steps(element)?, ends: true })),
};
/// `<draft><mark /></draft>` has a policy as its child.
const DRAFT: PolicyKind = PolicyKind {
    name: "draft",
    summary: "Has policies as children.",
    attrs: &[],
    children: &[Child::optional("end").as_policy(), Child::one_or_more("mark").as_policy()],
    compile: |element, cx| {
        assert_eq!(cx.message(), Message::Request);
        Ok(Step::waiting(Group { steps: cx.steps_on(element, Message::Draft)?, ends: false }))
    },
    ..MARK
};
/// `<read />` reads the request's body.
const READ: PolicyKind = PolicyKind {
    name: "read",
    summary: "Reads the request's body.",
    attrs: &[],
    compile: |_, _| Ok(Step::immediate(Read).reading(Uses::REQUEST_BODY)),
    ..MARK
};
/// `<include name="x" />` includes a fragment.
const INCLUDE: PolicyKind = PolicyKind {
    name: "include",
    summary: "Includes a fragment.",
    compile: |element, cx| {
        let name: String = cx.literal(element, &NAME)?;
        Ok(Step::inline(cx.fragment(element, &name)?))
    },
    ..MARK
};
/// `<shaped a="" b="" c=""><item/></shaped>` has one of every kind of rule.
const SHAPED: PolicyKind = PolicyKind {
    name: "shaped",
    summary: "Has one of every kind of rule.",
    attrs: &[
        NAME,
        Attr::optional("colour", "red").one_of(&["red", "green"]).expressions(),
        Attr::optional("size", "1").expected().excludes(&["colour"]),
    ],
    children: &[
        Child::optional("note").expressions(),
        Child::repeated("item").attrs(&[Attr::required("key")]).empty(),
        Child::optional("list").children(&[Child::one_or_more("value")]),
    ],
    compile: |_, _| Ok(Step::inline(Steps::default())),
    ..MARK
};
/// `<answer/>` answers in place of the backend.
const ANSWER: PolicyKind = PolicyKind {
    name: "answer",
    summary: "Answers in place of the backend.",
    attrs: &[],
    compile: |_, _| Ok(Step::immediate(AnswerInPlace)),
    ..MARK
};
/// `<forward/>` is the backend's answer.
const FORWARD: PolicyKind = PolicyKind {
    name: "forward",
    summary: "Is the backend's answer.",
    attrs: &[],
    compile: |_, _| Ok(Step::immediate(ForwardIt)),
    ..MARK
};
/// `<word>x</word>` holds a number as text.
const WORD: PolicyKind = PolicyKind {
    name: "word",
    summary: "Holds a number as text.",
    attrs: &[],
    children: &[Child::text().expressions()],
    compile: |element, cx| {
        let _: Computed<u32> = cx.text(element)?;
        Ok(Step::inline(Steps::default()))
    },
    ..MARK
};

/// `<resolve>..</resolve>` holds policies of a GraphQL resolver.
const RESOLVE: PolicyKind = PolicyKind {
    name: "resolve",
    summary: "Holds policies of a resolver.",
    attrs: &[],
    children: &[Child::content()],
    compile: |element, cx| {
        let steps = cx.in_resolver(|cx| cx.steps(element))?;
        Ok(Step::waiting(Group { steps, ends: false }))
    },
    ..MARK
};

/// `<shout>x</shout>` holds a text in a language without capitals.
const SHOUT: PolicyKind = PolicyKind {
    name: "shout",
    summary: "Holds a text in a language without capitals.",
    attrs: &[],
    children: &[Child::markup()],
    compile: |element, cx| {
        let made = cx.template(element, |text, _| {
            let is_bad = |it: &str| it == "LOUD" || it == "hunter2";
            let bad = text.split(' ').find(|it| is_bad(it));
            let flaw = bad.and_then(|it| {
                text.find(it).map(|at| crate::TemplateFlaw {
                    severity: document::Severity::Error,
                    code: crate::codes::BAD_TEMPLATE,
                    span: at..at + it.len(),
                    message: format!("`{it}` is too loud"),
                    help: Some(format!("whisper `{it}`")),
                })
            });
            (Some(()), flaw.into_iter().collect())
        })?;
        assert!(made.is_none() || cx.parent().is_none_or(|it| it != "shout"));
        Ok(Step::inline(Steps::default()))
    },
    ..MARK
};

const NAME: Attr = Attr::required("name");
const STATUS: Attr = Attr::absent_by_default("status");
const KEEP: Attr = Attr::optional("keep", "false");

pub(crate) const KINDS: &[PolicyKind] =
    &[MARK, PAUSE, FAIL, END, DRAFT, READ, INCLUDE, SHAPED, ANSWER, FORWARD, WORD, SHOUT, RESOLVE];

#[derive(Debug)]
struct Mark {
    name: Computed<String>,
}

impl Immediate for Mark {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let log = context.variables.get("log").map(|it| it.to_text().into_owned());
        let log = format!("{} {}", log.unwrap_or_default(), self.name.get(context)?);
        context.variables.set("log", Value::from(log.trim()));
        Ok(Flow::Next)
    }
}

impl Waiting for Mark {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        tokio::task::yield_now().await;
        self.apply(context)
    }
}

#[derive(Debug)]
struct Fail {
    status: Option<Computed<StatusCode>>,
    keep: bool,
}

impl Immediate for Fail {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let error = PolicyError::new("Odd", "it failed");
        Err(match &self.status {
            Some(status) => error.respond(status.get(context)?, "Told"),
            None if self.keep => error.keep_response(),
            None => error,
        })
    }
}

#[derive(Debug)]
struct Group {
    steps: Steps,
    ends: bool,
}

impl Waiting for Group {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.steps.run(context).await?;
        if self.ends {
            context.set_response(Response::new(StatusCode::ACCEPTED));
        }
        Ok(if self.ends { Flow::End } else { Flow::Next })
    }
}

#[derive(Debug)]
struct AnswerInPlace;

impl Immediate for AnswerInPlace {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        context
            .answer_in_place_of_backend(Response::new(StatusCode::NON_AUTHORITATIVE_INFORMATION));
        Ok(Flow::End)
    }
}

#[derive(Debug)]
struct ForwardIt;

impl Immediate for ForwardIt {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let mut response = Response::new(StatusCode::from_u16(209).unwrap());
        response.body = crate::Body::bytes("of the backend");
        context.set_backend_response(response);
        Ok(Flow::Next)
    }
}

#[derive(Debug)]
struct Read;

impl Immediate for Read {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let body = context.request.body.read(true).map_err(PolicyError::evaluation)?;
        let text = String::from_utf8_lossy(&body).into_owned();
        context.variables.set("read", Value::from(text));
        Ok(Flow::Next)
    }
}

/// The problems of policies of `inbound`, which may name a plain value (`seven`) and two secret
/// ones (`key`, and `key-words` of many words).
pub(crate) fn inbound_problems(policies: &str) -> Vec<Diagnostic> {
    let mut named_values = NamedValues::new();
    named_values.insert("seven", NamedValue::plain("7"));
    named_values.insert("key", NamedValue::secret("hunter2"));
    named_values.insert("key-words", NamedValue::secret("x ".repeat(50)));
    let text = format!("<policies><inbound>{policies}</inbound></policies>");
    World { named_values, ..World::default() }.compile(Scope::Api, &text).1
}

/// Documents and what they may refer to.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) named_values: NamedValues,
    pub(crate) fragments: Fragments,
}

impl World {
    pub(crate) fn surrounded<T>(&self, f: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        f(&Surroundings {
            registry: &Registry::new(KINDS),
            named_values: &self.named_values,
            fragments: &self.fragments,
            backends: None,
            extensions: &Extensions::default(),
            options: &expr::Options::default(),
        })
    }

    pub(crate) fn compile(
        &self,
        scope: Scope,
        text: &str,
    ) -> (Option<CompiledDocument>, Vec<Diagnostic>) {
        let (document, problems) = document::parse(text);
        assert!(problems.is_empty(), "{problems:?}");
        let file = Some("policy.xml".into());
        self.surrounded(|it| compile_document(&document, file, Target::scope(scope), it))
    }
}

/// Codes and messages of what is wrong with policies in `inbound`, or `fine`.
pub(crate) fn problems(policies: &str) -> String {
    document_problems(&format!("<policies><inbound>{policies}</inbound></policies>"))
}

/// Codes of what is wrong with a document at API scope, or `fine`.
pub(crate) fn document_problems(text: &str) -> String {
    let (compiled, problems) = World::default().compile(Scope::Api, text);
    assert_eq!(compiled.is_some(), !problems.iter().any(Diagnostic::is_error));
    codes_of(&problems)
}

pub(crate) fn codes_of(problems: &[Diagnostic]) -> String {
    let codes: Vec<&str> = problems.iter().map(|it| it.code.as_str()).collect();
    if codes.is_empty() { "fine".to_owned() } else { codes.join(" ") }
}

/// The effective policy of documents, from the broadest scope to the narrowest.
pub(crate) fn pipeline(documents: &[(Scope, &str)]) -> Pipeline {
    let compiled: Vec<CompiledDocument> = documents
        .iter()
        .map(|(scope, text)| {
            let (compiled, problems) = World::default().compile(*scope, text);
            compiled.unwrap_or_else(|| panic!("{problems:?}"))
        })
        .collect();
    Pipeline::splice(&compiled.iter().collect::<Vec<_>>())
}

/// One document.
pub(crate) fn compiled(scope: Scope, text: &str) -> CompiledDocument {
    let (compiled, problems) = World::default().compile(scope, text);
    compiled.unwrap_or_else(|| panic!("{problems:?}"))
}

pub(crate) fn context() -> Context {
    let clock = FakeClock::at_unix(1_700_000_000);
    let client = Arc::new(FakeClient::unreachable());
    let services = Services::new(client, Arc::new(clock), Arc::new(NoForward))
        .with_random(|bytes| bytes.fill(7));
    let base = Arc::new(BaseUrl::origin("https", "api.example", 443));
    let url = RequestUrl::new(base, "/orders", "");
    Context::new(Request::new(Method::GET, url.clone(), url), Arc::new(services))
}

/// What ran, in order.
pub(crate) fn log(context: &Context) -> String {
    context.variables.get("log").map(|it| it.to_text().into_owned()).unwrap_or_default()
}

/// The status and body of the response.
pub(crate) fn answer(context: &Context) -> String {
    let response = context.response.as_ref().unwrap();
    let body = response.body.as_bytes().unwrap();
    format!("{} {}", response.status.as_u16(), String::from_utf8_lossy(&body)).trim().to_owned()
}

pub(crate) fn place_of(section: Section, pipeline: &Pipeline) -> Vec<String> {
    let of = |it: &Arc<crate::Place>| {
        format!("{} {}", it.scope().unwrap(), it.path().unwrap_or_default())
    };
    pipeline.section(section).places().map(of).collect()
}
