//! Liquid templates: `set-body template="liquid"` and the contents of the Dapr policies.
//!
//! ```text
//! element ─compile─▶ Liquid ─render─▶ body (JSON, XML, text) and context as values ─▶ text
//! ```
//!
//! `body` is the message that the policy works on, read by its `Content-Type`. In `send-request`
//! and its like it is the copied body, or else that of the message at hand; in `return-response`
//! nothing, unless a stored response is changed. What takes long is done beside the requests.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-body-policy>

mod context;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use document::Severity;
use liquid::body::{self, Reading};
use liquid::{Limits, Template, Value};
use pipeline::{
    CompileCx, Context, Diagnostic, Element, Message, PolicyError, Section, TemplateFlaw, codes,
};

use crate::content;

/// Steps that are done where the request is: about 100 µs. A template that takes more begins again
/// beside the requests.
const FEW_STEPS: u64 = 1_000;
/// Longest body that is read where the request is.
const SHORT_BYTES: usize = 8 * 1024;
/// Ticks of 1970-01-01.
const UNIX_TICKS: i64 = 621_355_968_000_000_000;

/// A compiled template and what it is given.
#[derive(Debug)]
pub(crate) struct Liquid {
    template: Arc<Template>,
    reading: Reading,
    message: Message,
    /// Where the body is taken from if the message has none.
    fallback: Option<Message>,
    uses_body: bool,
}

impl Liquid {
    /// Compiles the content of an element. Nothing if it has errors, which are reported.
    ///
    /// # Errors
    ///
    /// None today.
    pub(crate) fn compile(
        element: Element<'_>,
        cx: &mut CompileCx<'_>,
        reading: Reading,
    ) -> Result<Option<Liquid>, Diagnostic> {
        let template = cx.template(element, |text, is_markup| {
            let compile = if is_markup { Template::compile_markup } else { Template::compile };
            match compile(text) {
                Ok(template) => {
                    let warn = |it: &liquid::Flaw| {
                        flaw(it.clone(), Severity::Warning, codes::DOUBTFUL_TEMPLATE)
                    };
                    let warnings = template.warnings().iter().map(warn).collect();
                    (Some(template), warnings)
                }
                Err(flaws) => {
                    let fail = |it| flaw(it, Severity::Error, codes::BAD_TEMPLATE);
                    (None, flaws.into_iter().map(fail).collect())
                }
            }
        })?;
        let is_request = matches!(cx.section(), Section::Inbound | Section::Backend);
        let at_hand = if is_request { Message::Request } else { Message::Response };
        let (message, fallback) = match cx.message() {
            Message::Draft if cx.parent() == Some("return-response") => (Message::Draft, None),
            Message::Draft => (Message::Draft, Some(at_hand)),
            message => (message, None),
        };
        Ok(template.map(|template| Liquid {
            uses_body: template.uses(&["body"]),
            template: Arc::new(template),
            reading,
            message,
            fallback,
        }))
    }

    /// Renders the template.
    ///
    /// # Errors
    ///
    /// A body that cannot be read in its media type; a filter that cannot work on its values; a
    /// bound. All are failed evaluations.
    pub(crate) async fn render(&self, context: &mut Context) -> Result<String, PolicyError> {
        let body = if self.uses_body { self.body(context).await? } else { None };
        let most = context.services.max_buffered_body_bytes;
        let job = Job {
            template: Arc::clone(&self.template),
            reading: self.reading,
            body,
            context: context::value(context, &self.template),
            limits: Limits {
                output_bytes: most,
                work_bytes: most.saturating_mul(4),
                ..Limits::default()
            },
            now: ticks(context),
        };
        if job.body.as_ref().is_none_or(|it| it.bytes.len() <= SHORT_BYTES) {
            let few = Limits { steps: FEW_STEPS, ..job.limits };
            match job.render(&few) {
                Err(Failure::OutOfSteps(_)) => {}
                Err(Failure::Other(error)) => return Err(error),
                Ok(text) => return Ok(text),
            }
        }
        let work = move || job.render(&job.limits).map_err(Failure::into_error);
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|error| Err(PolicyError::new("Internal", error.to_string())))
    }

    async fn body(&self, context: &mut Context) -> Result<Option<Body>, PolicyError> {
        let is_draft_empty = self.message == Message::Draft
            && !context.draft.as_ref().is_some_and(|it| it.body.is_present());
        let from = match self.fallback {
            Some(fallback) if is_draft_empty => fallback,
            _ => self.message,
        };
        let own = content::content_type(context, self.message);
        let media = own.or_else(|| content::content_type(context, from)).map(str::to_owned);
        let bytes = content::bytes(context, from).await?;
        Ok((!bytes.is_empty()).then_some(Body { bytes, media }))
    }
}

fn flaw(it: liquid::Flaw, severity: Severity, code: document::Code) -> TemplateFlaw {
    TemplateFlaw { severity, code, span: it.span, message: it.message, help: it.help }
}

/// The time, in ticks of .NET.
fn ticks(context: &Context) -> i64 {
    let since = context.services.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos() / 100).unwrap_or(0).saturating_add(UNIX_TICKS)
}

/// A body and its media type.
struct Body {
    bytes: Bytes,
    media: Option<String>,
}

/// One rendering, free of the context.
struct Job {
    template: Arc<Template>,
    reading: Reading,
    body: Option<Body>,
    context: Value,
    limits: Limits,
    now: i64,
}

enum Failure {
    OutOfSteps(PolicyError),
    Other(PolicyError),
}

impl Failure {
    fn into_error(self) -> PolicyError {
        match self {
            Failure::OutOfSteps(error) | Failure::Other(error) => error,
        }
    }
}

impl Job {
    fn render(&self, limits: &Limits) -> Result<String, Failure> {
        let body = self.body().map_err(Failure::Other)?;
        let given = [("body", body), ("context", self.context.clone())];
        self.template.render(&given, limits, self.now).map_err(|error| {
            let text = error.to_string();
            let text = text.strip_suffix('.').unwrap_or(&text);
            let failure =
                PolicyError::evaluation(format_args!("The template cannot be rendered: {text}."));
            match error.is_out_of_steps() {
                true => Failure::OutOfSteps(failure),
                false => Failure::Other(failure),
            }
        })
    }

    fn body(&self) -> Result<Value, PolicyError> {
        let Some(Body { bytes, media }) = &self.body else { return Ok(Value::Nil) };
        let bad = |what: &str, why: &str| {
            PolicyError::evaluation(format_args!("The body is no {what}: {why}"))
        };
        let read = match media.as_deref().is_some_and(content::is_xml) {
            true => content::xml_text,
            false => content::text,
        };
        let text = read(bytes, media.as_deref())
            .ok_or_else(|| bad("text", "it does not fit its charset."))?;
        match media.as_deref() {
            Some(media) if content::is_json(media) => {
                body::json(&text, self.reading).map_err(|it| bad("JSON", &it.message))
            }
            Some(media) if content::is_xml(media) => {
                body::xml(&text, self.reading).map_err(|it| bad("XML", &it.message))
            }
            _ => Ok(Value::from(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::Section;

    use crate::test_support::{Trial, outcome, problems, text};

    fn body(policy: &str, request: &str) -> String {
        let ran = Trial::inbound(policy).run(request);
        assert_eq!(ran.outcome, "next", "{policy}");
        text(&ran.context.request.body)
    }

    #[test]
    fn a_template_that_takes_long_is_rendered_beside_the_requests() {
        let template = "{% for i in (1..2000) %}x{% endfor %}";
        let policy = format!("<set-body template=\"liquid\">{template}</set-body>");
        assert_eq!(body(&policy, "POST /"), "x".repeat(2000));
        let endless = template.replace("2000", "2000000");
        let policy = format!("<set-body template=\"liquid\">{endless}</set-body>");
        assert_eq!(outcome(&policy, "POST /"), "500 - (ExpressionValueEvaluationFailure)");
    }

    #[test]
    fn a_long_body_is_read_beside_the_requests() {
        let list = format!("[{}\"x\"]", "\"abcdefghij\",".repeat(1000));
        let policies = format!(
            r#"<set-header name="Content-Type"><value>application/json</value></set-header>
            <set-body>{list}</set-body><set-body template="liquid">{{{{ body.size }}}}</set-body>"#
        );
        assert_eq!(body(&policies, "POST /"), "1001");
    }

    #[test]
    fn what_is_wrong_with_a_template_is_told_when_it_loads() {
        for (template, expected) in [
            ("{{ body.x | Upcase }}", "fine"),
            ("{{ body.x | Upcse }}", "PC0441"),
            ("{% if a %}", "PC0441"),
            ("{{ a | X }}{{ b | Y }}", "PC0441 PC0441"),
            ("{% if a=='b' %}{% endif %}", "PC0442"),
        ] {
            let policy = format!("<set-body template=\"liquid\">{template}</set-body>");
            assert_eq!(problems(&policy), expected, "{template}");
        }
    }

    #[test]
    fn the_response_is_the_body_in_outbound() {
        let mut trial = Trial::of(
            Section::Outbound,
            "<set-body template=\"liquid\">{{ body.a.b }}{{ context.Response.StatusCode }}</set-body>",
        );
        let mut response = pipeline::Response::new(http::StatusCode::CREATED);
        response.headers.insert("content-type", "application/xml".parse().unwrap());
        response.body = pipeline::Body::bytes("<a><b>1</b></a>");
        trial.response = Some(response);
        let ran = trial.run("");
        assert_eq!(text(&ran.context.response.unwrap().body), "1201");
    }
}
