//! `<llm-content-safety>`: lets through only prompts and completions that Azure AI Content Safety
//! finds harmless.
//!
//! In `inbound` the text of users and tools is checked, in `outbound` (or from `inbound`, with
//! `enforce-on-completions`) what the model answered. A whole answer is withheld until it is
//! judged. Of a stream, events are held until the window of text that they belong to is judged; on a
//! violation nothing more is forwarded, and the stream ends without its terminator.
//!
//! Without a verdict nothing passes: 503, unless the configuration says otherwise.
//!
//! Not checked: pictures, sounds and files, and bodies that are no text.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/llm-content-safety-policy>

mod guard;
mod rules;
mod service;
mod texts;

use std::sync::Arc;

use document::Diagnostic;
use expr::Uses;
use expr::host::BodyView;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use llm::Format;
use pipeline::{
    AiSettings, Attr, Blame, Body, Child, CompileCx, Computed, Context, Element, Flow, LateError,
    Place, PolicyError, PolicyKind, Response, Scope, Scopes, Section, Sections, Step, ValueType,
    Waiting, Watch, WhenUnavailable, codes,
};
use transport::BoxFuture;

use self::guard::{Guard, Late};
use self::rules::{Category, OutputType, Rules, Size, Threshold};
use self::service::{Service, Unavailable, Verdict};
use self::texts::{Asked, answered, windows};
use crate::backend_call::BackendCall;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: NAME,
    summary: "Lets through only prompts and completions that Content Safety finds harmless.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND),
    scopes: Scopes::ALL.without(Scope::Operation),
    attrs: &[BACKEND_ID, SHIELD, ON_COMPLETIONS, WINDOW, OVERLAP],
    children: &[CATEGORIES, BLOCKLISTS],
    compile,
};

const NAME: &str = "llm-content-safety";

const BACKEND_ID: Attr =
    Attr::required("backend-id").expressions().doc("Backend entity of Azure AI Content Safety.");
const SHIELD: Attr = Attr::optional("shield-prompt", "false")
    .expressions()
    .doc("Whether prompts are checked for attacks, too.");
const ON_COMPLETIONS: Attr = Attr::optional("enforce-on-completions", "false")
    .expressions()
    .doc("In `inbound`: whether the completion is checked, too.");
const WINDOW: Attr = Attr::optional("window-size", "10000")
    .expressions()
    .of(ValueType::Integer)
    .doc("Characters of a response that are judged at a time, 1 to 10000.");
const OVERLAP: Attr = Attr::optional("window-overlap-size", "0")
    .expressions()
    .of(ValueType::Integer)
    .doc("Characters of a window that the next one has again; less than a window.");
const CATEGORIES: Child = Child::optional("categories")
    .attrs(&[OUTPUT_TYPE])
    .children(&[CATEGORY])
    .doc("Harm categories.");
const OUTPUT_TYPE: Attr = Attr::optional("output-type", "FourSeverityLevels")
    .expressions()
    .one_of(OutputType::WORDS)
    .doc("Severities 0, 2, 4, 6, or all from 0 to 7.");
const CATEGORY: Child =
    Child::repeated("category").attrs(&[CATEGORY_NAME, THRESHOLD]).empty().doc("A category.");
const CATEGORY_NAME: Attr =
    Attr::required("name").expressions().one_of(Category::WORDS).doc("Its name.");
const THRESHOLD: Attr = Attr::required("threshold")
    .expressions()
    .of(ValueType::Integer)
    .doc("Severity from which on it is blocked, 0 to 7.");
const BLOCKLISTS: Child = Child::optional("blocklists").children(&[ID]).doc("Blocklists.");
const ID: Child =
    Child::repeated("id").expressions().doc("A blocklist of the service; a hit blocks.");

#[derive(Debug)]
struct ContentSafety {
    backend_id: Computed<String>,
    shield: Computed<bool>,
    on_completions: Computed<bool>,
    window: Computed<Size>,
    overlap: Computed<Size>,
    output_type: Computed<OutputType>,
    categories: Vec<(Computed<Category>, Computed<Threshold>)>,
    blocklists: Vec<Computed<String>>,
    when_unavailable: WhenUnavailable,
    section: Section,
    /// For failures after the policy has run.
    place: Arc<Place>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let backend_id: Computed<String> = cx.attr(element, &BACKEND_ID)?;
    crate::backend_attr::check(element, &BACKEND_ID, &backend_id, cx)?;
    let settings: Option<Arc<AiSettings>> = cx.extension();
    let mut policy = ContentSafety {
        backend_id,
        shield: cx.attr(element, &SHIELD)?,
        on_completions: cx.attr(element, &ON_COMPLETIONS)?,
        window: cx.attr(element, &WINDOW)?,
        overlap: cx.attr(element, &OVERLAP)?,
        output_type: Computed::literal(OutputType::FourSeverityLevels),
        categories: Vec::new(),
        blocklists: Vec::new(),
        when_unavailable: settings.map(|it| it.content_safety).unwrap_or_default(),
        section: cx.section(),
        place: cx.place_of(element, element),
    };
    if let Some(categories) = element.child(&CATEGORIES) {
        policy.output_type = cx.attr(categories, &OUTPUT_TYPE)?;
        for it in categories.children(&CATEGORY) {
            policy.categories.push((cx.attr(it, &CATEGORY_NAME)?, cx.attr(it, &THRESHOLD)?));
        }
    }
    if let Some(blocklists) = element.child(&BLOCKLISTS) {
        let ids = blocklists.children(&ID).map(|it| cx.text(it));
        policy.blocklists = ids.collect::<Result<_, _>>()?;
    }
    let sizes = policy.window.as_literal().zip(policy.overlap.as_literal());
    if sizes.is_some_and(|(window, overlap)| window.0 == 0 || overlap.0 >= window.0) {
        let message = "`window-overlap-size` must be less than `window-size`";
        return Err(cx.refuse(element, codes::BAD_VALUE, message).label("no window ever moves on"));
    }
    policy.warn_of_nothing(element, cx);
    Ok(Step::waiting(policy))
}

impl ContentSafety {
    /// A policy that checks nothing is legal, and surely not meant so.
    fn warn_of_nothing(&self, element: Element<'_>, cx: &mut CompileCx) {
        let shields = self.shield.as_literal() != Some(&false) && self.section == Section::Inbound;
        if self.categories.is_empty() && self.blocklists.is_empty() && !shields {
            let message = "`llm-content-safety` has nothing to check: it lets everything through";
            cx.report(
                Diagnostic::warning(codes::TOO_PERMISSIVE, element.span(), message)
                    .label("needs `categories`, `blocklists` or, in `inbound`, `shield-prompt`"),
            );
        }
    }

    fn rules(&self, context: &Context) -> Result<Rules, PolicyError> {
        let (window, overlap) = (self.window.get(context)?.0, self.overlap.get(context)?.0);
        if overlap >= window {
            let message = "`window-overlap-size` must be less than `window-size`.";
            return Err(PolicyError::evaluation(message));
        }
        let category = |(name, threshold): &(Computed<Category>, Computed<Threshold>)| {
            Ok((name.get(context)?, threshold.get(context)?.0))
        };
        Ok(Rules {
            categories: self.categories.iter().map(category).collect::<Result<_, PolicyError>>()?,
            output_type: self.output_type.get(context)?,
            blocklists: self
                .blocklists
                .iter()
                .map(|it| it.get(context))
                .collect::<Result<_, _>>()?,
            shields: self.section == Section::Inbound && self.shield.get(context)?,
            window,
            overlap,
        })
    }
}

impl Waiting for ContentSafety {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let rules = self.rules(context)?;
        if rules.check_nothing() {
            return Ok(Flow::Next);
        }
        let backend_id = self.backend_id.get(context)?;
        let call = BackendCall::of(context, backend_id.trim())?;
        let check = Check {
            service: Service { call, rules: Arc::new(rules) },
            when_unavailable: self.when_unavailable,
            place: Arc::clone(&self.place),
        };
        if self.section != Section::Inbound {
            check.response(context).await?;
            return Ok(Flow::Next);
        }
        check.request(context).await?;
        if self.on_completions.get(context)? && check.service.rules.check_texts() {
            // A compressed stream could not be read.
            context.request.headers.remove(ACCEPT_ENCODING);
            context.watch_response(Arc::new(check));
        }
        Ok(Flow::Next)
    }
}

/// What is done for one request.
#[derive(Debug)]
struct Check {
    service: Service,
    when_unavailable: WhenUnavailable,
    place: Arc<Place>,
}

impl Watch for Check {
    fn answered<'a>(
        self: Arc<Self>,
        context: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        Box::pin(async move { self.response(context).await.map_err(|it| it.at(&self.place)) })
    }
}

impl Check {
    async fn request(&self, context: &mut Context) -> Result<(), PolicyError> {
        if context.operation.as_ref().is_some_and(|it| it.is_websocket) {
            return Err(blocked("What goes over a WebSocket cannot be checked."));
        }
        context.buffer(Uses::REQUEST_BODY).await?;
        let body = BodyView::read(&context.request, true)
            .map_err(|_| blocked("The request body cannot be read."))?;
        let has_version = context.request.headers.contains_key("anthropic-version");
        let asked = Asked::read(context.request.original_url.path(), has_version, &body);
        if asked.is_too_long() {
            return Err(blocked("The text is longer than the service can check."));
        }
        let (analysis, shielding) =
            tokio::join!(self.service.analyze(&asked.text), self.service.shield(&asked));
        self.conclude(analysis)?;
        self.conclude(shielding)
    }

    async fn response(&self, context: &mut Context) -> Result<(), PolicyError> {
        let Some(response) = &mut context.response else { return Ok(()) };
        // What is no success is no completion.
        if !response.status.is_success() || !self.service.rules.check_texts() {
            return Ok(());
        }
        let has_version = context.request.headers.contains_key("anthropic-version");
        let body = context.request.body.as_bytes().unwrap_or_default();
        let path = context.request.original_url.path();
        let format = Format::detect(path, has_version, llm::Json::of_bytes(&body));
        if is_stream(&response.headers, "text/event-stream") {
            let late = context.late_error();
            return self.stream(context.response_mut(), format, late);
        }
        if is_stream(&response.headers, "application/vnd.amazon.eventstream") {
            return self.conclude(Err(Unavailable::of("a binary stream cannot be checked")));
        }
        context.buffer(Uses::RESPONSE_BODY.union(Uses::RESPONSE)).await?;
        let Some(response) = &context.response else { return Ok(()) };
        let body = BodyView::read(response, true)
            .map_err(|_| blocked("The response body cannot be read."))?;
        let text = answered(format, &body);
        let rules = &self.service.rules;
        let Some(windows) = windows(&text, rules.window, rules.overlap) else {
            return Err(blocked("The text is longer than can be checked."));
        };
        for window in windows {
            self.conclude(self.service.analyze(window).await)?;
        }
        Ok(())
    }

    /// Puts the guard before a stream.
    fn stream(
        &self,
        response: &mut Response,
        format: Format,
        error: LateError,
    ) -> Result<(), PolicyError> {
        let encodings = response.header_values(CONTENT_ENCODING);
        if encodings.into_iter().any(|it| !it.trim().eq_ignore_ascii_case("identity")) {
            return self.conclude(Err(Unavailable::of("a compressed stream cannot be checked")));
        }
        let Ok(body) = response.body.send() else { return Ok(()) };
        let late = Late { error, place: Arc::clone(&self.place) };
        let guard = Guard::new(body, format, self.service.clone(), self.when_unavailable, late);
        response.headers.remove(CONTENT_LENGTH);
        response.body = Body::stream(transport::Body::stream(guard));
        Ok(())
    }

    fn conclude(&self, verdict: Result<Verdict, Unavailable>) -> Result<(), PolicyError> {
        match verdict {
            Ok(Verdict::Clean) => Ok(()),
            Ok(Verdict::Blocked(why)) => Err(blocked(&why)),
            Err(problem) if self.when_unavailable == WhenUnavailable::Allow => {
                tracing::warn!(%problem, "content safety is not available; nothing was checked");
                Ok(())
            }
            Err(problem) => Err(unavailable(&problem)),
        }
    }
}

/// The refusal; `why` is for the log and `context.LastError`.
fn blocked(why: &str) -> PolicyError {
    let message = "Request failed content safety check.";
    PolicyError::new("ContentSafetyViolation", format!("{message} {why}"))
        .respond(StatusCode::FORBIDDEN, message)
}

/// The refusal for want of a verdict.
fn unavailable(problem: &Unavailable) -> PolicyError {
    let message = format!("Content safety is not available: {problem}");
    PolicyError::new("ContentSafetyUnavailable", message)
        .respond(StatusCode::SERVICE_UNAVAILABLE, "Content safety service is not available.")
        .blame(Blame::Backend)
}

fn is_stream(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}
