//! `<xsl-transform>`: transforms an XML body by a stylesheet, XSLT 1.0.
//!
//! The stylesheet is compiled when the document loads. It reads nothing but the body and its
//! parameters. `Content-Type` stays, but for its charset, unless the stylesheet's `xsl:output` has a
//! `media-type`.
//!
//! A short run is done where the request is; one that turns out long is done again beside the
//! requests.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/xsl-transform-policy>

use std::sync::Arc;

use document::{Resolved, Severity};
use expr::host::Host;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use pipeline::{
    Attr, Blame, Body, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Message,
    PolicyError, PolicyKind, Scopes, Sections, Step, Waiting, codes,
};
use xslt::{Failure, Limits, Output, Stylesheet};

use crate::content;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "xsl-transform",
    summary: "Transforms an XML body by an XSLT 1.0 stylesheet.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND),
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[PARAMETER, STYLESHEET],
    compile,
};

const NAME: Attr = Attr::required("name").doc("Name of the parameter in the stylesheet.");
const PARAMETER: Child = Child::repeated("parameter")
    .attrs(&[NAME])
    .expressions()
    .doc("A parameter of the stylesheet; its text.");
const STYLESHEET: Child = Child::foreign().doc("The stylesheet: `xsl:stylesheet`.");

/// What a run may take before it makes way for other requests: about a millisecond.
const SHORT_STEPS: u64 = 10_000;
/// Longest body that is read without making way for other requests.
const SHORT_BYTES: usize = 32 * 1024;

#[derive(Debug)]
struct XslTransform {
    message: Message,
    stylesheet: Arc<Stylesheet>,
    parameters: Vec<(String, Computed<String>)>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let mut parameters = Vec::new();
    for child in element.children(&PARAMETER) {
        let name: String = cx.literal(child, &NAME)?;
        parameters.push((name.trim().to_owned(), cx.text(child)?));
    }
    let Some(source) = cx.foreign(element, &[&PARAMETER])? else {
        // A named value is not at hand: the document is only checked.
        return Ok(Step::immediate(Unready));
    };
    match Stylesheet::compile(source.as_str()) {
        Ok(stylesheet) => {
            unknown_parameters(element, cx, &stylesheet, &parameters);
            let stylesheet = Arc::new(stylesheet);
            Ok(Step::waiting(XslTransform { message: cx.message(), stylesheet, parameters }))
        }
        Err(problems) => {
            let mut diagnostics = problems.into_iter().map(|it| diagnostic(&source, &it));
            let last = diagnostics.next_back();
            diagnostics.for_each(|it| cx.report(it));
            Err(last.unwrap_or_else(|| {
                cx.refuse(element, codes::BAD_STYLESHEET, "the stylesheet cannot be used")
            }))
        }
    }
}

fn diagnostic(source: &Resolved, problem: &xslt::Problem) -> Diagnostic {
    let message = format!("stylesheet: {}", problem.message);
    let span = problem.span.clone();
    let text = source.text();
    source.diagnostic(Severity::Error, codes::BAD_STYLESHEET, text, span, &message)
}

/// Warns of parameters that the stylesheet does not declare: they change nothing.
fn unknown_parameters(
    element: Element<'_>,
    cx: &mut CompileCx,
    stylesheet: &Stylesheet,
    parameters: &[(String, Computed<String>)],
) {
    for (child, (name, _)) in element.children(&PARAMETER).zip(parameters) {
        if !stylesheet.params().any(|it| it == name) {
            let message = format!("the stylesheet has no parameter `{name}`");
            let it = Diagnostic::warning(codes::NO_EFFECT, child.attr_span(&NAME), message);
            cx.report(it.label("there is no `xsl:param` of this name at its top"));
        }
    }
}

/// Stands for the policy in a document that cannot run.
#[derive(Debug)]
struct Unready;

impl pipeline::Immediate for Unready {
    fn apply(&self, _: &mut Context) -> Result<Flow, PolicyError> {
        Err(PolicyError::new(FAILED, "the stylesheet needs a named value that is not at hand"))
    }
}

/// The reason of every failure but that of a bound.
const FAILED: &str = "XslTransformFailed";
/// The reason if a run takes more than a gateway gives it.
const LIMIT: &str = "XslTransformLimitExceeded";

impl Waiting for XslTransform {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        if context.operation.as_ref().is_some_and(|it| it.is_websocket) {
            return Ok(Flow::Next);
        }
        let mut parameters = Vec::with_capacity(self.parameters.len());
        for (name, value) in &self.parameters {
            parameters.push((name.clone(), value.get(context)?));
        }
        let bytes = content::bytes(context, self.message).await?;
        let content_type = content::content_type(context, self.message).map(str::to_owned);
        let Some(text) = content::xml_text(&bytes, content_type.as_deref()) else {
            let it = PolicyError::new(FAILED, "XSLT: the body is no text in its encoding");
            return Err(it.blame(self.blame()));
        };
        let limits = Limits {
            max_output_bytes: context.services.max_buffered_body_bytes,
            ..Limits::default()
        };
        let job = Job { stylesheet: Arc::clone(&self.stylesheet), text, parameters, limits };
        let output = job.done().await.map_err(|it| self.error(it))?;
        for message in &output.messages {
            if context.tracing() {
                context.trace(&format!("xsl:message: {message}"));
            }
        }
        self.replace(context, output);
        Ok(Flow::Next)
    }
}

/// One transformation.
struct Job {
    stylesheet: Arc<Stylesheet>,
    text: String,
    parameters: Vec<(String, String)>,
    limits: Limits,
}

impl Job {
    async fn done(self) -> Result<Output, Failure> {
        if self.text.len() <= SHORT_BYTES {
            let short = Limits { max_steps: SHORT_STEPS, ..self.limits.clone() };
            match self.run(&short) {
                Err(Failure::Limit(_)) => {}
                other => return other,
            }
        }
        let long = move || self.run(&self.limits);
        tokio::task::spawn_blocking(long)
            .await
            .unwrap_or_else(|error| Err(Failure::Broken { message: error.to_string(), at: None }))
    }

    fn run(&self, limits: &Limits) -> Result<Output, Failure> {
        let parameters: Vec<(&str, &str)> =
            self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.stylesheet.transform(&self.text, &parameters, limits)
    }
}

impl XslTransform {
    /// Who sent the body.
    fn blame(&self) -> Blame {
        match self.message {
            Message::Request => Blame::Client,
            Message::Response | Message::Draft => Blame::Backend,
        }
    }

    fn error(&self, failure: Failure) -> PolicyError {
        let message = format!("XSLT: {failure}");
        match failure {
            Failure::Malformed(_) => PolicyError::new(FAILED, message).blame(self.blame()),
            Failure::Limit(_) => PolicyError::new(LIMIT, message),
            Failure::Broken { .. } | Failure::Terminated(_) => PolicyError::new(FAILED, message),
        }
    }

    fn replace(&self, context: &mut Context, output: Output) {
        context.set_body(self.message, Body::bytes(output.bytes));
        let charset = output.encoding.name();
        let headers = context.headers_mut(self.message);
        let old = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let new = match (self.stylesheet.media_type(), old) {
            (Some(media_type), _) if media_type.contains(';') => Some(media_type.to_owned()),
            (Some(media_type), _) => Some(format!("{media_type}; charset={charset}")),
            (None, Some(old)) => content::with_charset(old, charset),
            (None, None) => None,
        };
        if let Some(new) = new.and_then(|it| HeaderValue::from_str(&it).ok()) {
            headers.insert(CONTENT_TYPE, new);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::problems;

    const XSL: &str = "version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'";

    fn with(top: &str) -> String {
        problems(&format!(
            "<xsl-transform><xsl:stylesheet {XSL}>{top}</xsl:stylesheet></xsl-transform>"
        ))
    }

    #[test]
    fn what_is_written_is_checked_when_it_loads() {
        assert_eq!(with("<xsl:template match=\"@* | node()\"/>"), "fine");
        assert_eq!(with("<xsl:template match='a['/><xsl:key name='k'/>"), "PC0440 PC0440 PC0440");
        assert_eq!(with("<xsl:include href='x'/>"), "PC0440");
        assert_eq!(with("<xsl:value-of select='{{nothing}}'/>"), "PC0204");
        let policy = |inner: &str| problems(&format!("<xsl-transform>{inner}</xsl-transform>"));
        assert_eq!(policy(""), "PC0406");
        assert_eq!(policy("<parameter name='a'>x</parameter>"), "PC0406");
        assert_eq!(policy("<a/>"), "PC0440");
        assert_eq!(policy("<a/><b/>"), "PC0407");
        assert_eq!(policy(&format!("<r {} />", XSL.replace("version", "xsl:version"))), "fine");
        assert_eq!(policy("<parameter>x</parameter><a/>"), "PC0404");
    }

    #[test]
    fn a_parameter_that_the_stylesheet_does_not_have_is_told() {
        let policy = |name: &str| {
            problems(&format!(
                "<xsl-transform><parameter name='{name}'>x</parameter><xsl:stylesheet {XSL}>\
                 <xsl:param name='a'/></xsl:stylesheet></xsl-transform>"
            ))
        };
        assert_eq!((policy("a").as_str(), policy("b").as_str()), ("fine", "PC0431"));
    }
}
