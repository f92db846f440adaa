//! `<trace>`: writes a line of the author's own into the gateway's log.
//!
//! The line has the target `trace`, so that a log filter can choose its level
//! (`info,trace=debug`): `verbose` is written at `debug`, `information` at `info`, `error` at
//! `error`. It names the request, so that it can be found beside the request's own line.
//!
//! What is of `information` or `error` stands in the request's line of the access log, too
//! (`TraceRecords`): Azure's diagnostics have that verbosity unless they say otherwise.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/trace-policy>

use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, Scopes, Sections, Step, codes, words,
};
use serde_json::Map;
use telemetry::TraceRecord;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "trace",
    summary: "Writes a line of the author's own into the gateway's log.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[SOURCE, SEVERITY],
    children: &[TEXT, MESSAGE, METADATA],
    compile,
};

/// Published documents write expressions here, which the documentation does not mention.
const SOURCE: Attr = Attr::required("source").expressions().doc("Who says it.");
const SEVERITY: Attr =
    Attr::optional("severity", "verbose").one_of(Severity::WORDS).doc("How much it matters.");
/// Published documents write the message without its element.
const TEXT: Child = Child::optional_text().expressions().doc("The message, without an element.");
const MESSAGE: Child = Child::optional("message").expressions().doc("What is said.");
const METADATA_NAME: Attr = Attr::required("name").expressions().doc("Name of the property.");
const METADATA_VALUE: Attr =
    Attr::required("value").expressions().null_is_empty().doc("Its value.");
const METADATA: Child = Child::repeated("metadata")
    .attrs(&[METADATA_NAME, METADATA_VALUE])
    .empty()
    .doc("A property that is written with the message.");

/// Longest line; what is longer is cut.
const MAX_BYTES: usize = 32 * 1024;

/// Longest part of a line that the access log has, too; metadata that is longer is left out there.
const MAX_RECORDED_BYTES: usize = 4096;

words! {
    enum Severity {
        Verbose = "verbose",
        Information = "information",
        Error = "error",
    }
}

#[derive(Debug)]
struct Trace {
    source: Computed<String>,
    severity: Severity,
    message: Computed<String>,
    metadata: Vec<(Computed<String>, Computed<String>)>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let message = match (element.child(&MESSAGE), element.has_text()) {
        (Some(message), false) => cx.text(message)?,
        (None, true) => cx.text(element)?,
        (Some(_), true) => {
            let it = cx.refuse(element, codes::UNEXPECTED_TEXT, "`trace` has two messages");
            return Err(it.label("a text and a `message` element"));
        }
        (None, false) => {
            let it = cx.refuse(element, codes::MISSING_CHILD, "`trace` needs a `message` element");
            return Err(it.label("`message` is missing"));
        }
    };
    let mut metadata = Vec::new();
    for child in element.children(&METADATA) {
        metadata.push((cx.attr(child, &METADATA_NAME)?, cx.attr(child, &METADATA_VALUE)?));
    }
    Ok(Step::immediate(Trace {
        source: cx.attr(element, &SOURCE)?,
        severity: cx.literal(element, &SEVERITY)?,
        message,
        metadata,
    }))
}

impl Immediate for Trace {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let source = self.source.borrow(context)?;
        let message = self.message.borrow(context)?;
        let mut properties = Map::new();
        for (name, value) in &self.metadata {
            properties.insert(name.get(context)?, value.get(context)?.into());
        }
        let written = serde_json::Value::Object(properties.clone()).to_string();
        let (message, metadata) = (cut(&message, MAX_BYTES), cut(&written, MAX_BYTES));
        let (source, request_id) = (&*source, context.request_id);
        macro_rules! write {
            ($level:ident) => {
                tracing::event!(
                    target: "trace", tracing::Level::$level, %request_id, source, metadata,
                    "{message}"
                )
            };
        }
        match self.severity {
            Severity::Verbose => write!(DEBUG),
            Severity::Information => write!(INFO),
            Severity::Error => write!(ERROR),
        }
        let severity = match self.severity {
            Severity::Verbose => return Ok(Flow::Next),
            Severity::Information => "information",
            Severity::Error => "error",
        };
        let record = TraceRecord {
            source: cut(source, MAX_RECORDED_BYTES).to_owned(),
            severity,
            message: cut(message, MAX_RECORDED_BYTES).to_owned(),
            // Cut JSON would be none.
            metadata: if written.len() <= MAX_RECORDED_BYTES { properties } else { Map::new() },
        };
        context.add_trace_record(record);
        Ok(Flow::Next)
    }
}

fn cut(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::test_support::{Trial, outcome, problems};

    /// Keeps each event as text.
    #[derive(Clone, Default)]
    struct Events(Arc<Mutex<Vec<String>>>);

    impl tracing::Subscriber for Events {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.target() == "trace"
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            struct Fields(String);
            impl tracing::field::Visit for Fields {
                fn record_debug(
                    &mut self,
                    field: &tracing::field::Field,
                    value: &dyn std::fmt::Debug,
                ) {
                    if field.name() != "request_id" {
                        self.0.push_str(&format!(" {}={value:?}", field.name()));
                    }
                }
            }
            let mut fields = Fields(event.metadata().level().to_string());
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0);
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    fn lines(policy: &str) -> Vec<String> {
        let events = Events::default();
        let outcome =
            tracing::subscriber::with_default(events.clone(), || outcome(policy, "GET /orders"));
        assert_eq!(outcome, "next");
        let lines = events.0.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn severity_is_the_level() {
        for (severity, level) in [
            ("", "DEBUG"),
            (r#"severity="verbose""#, "DEBUG"),
            (r#"severity="Information""#, "INFO"),
            (r#"severity="error""#, "ERROR"),
        ] {
            let policy = format!(r#"<trace source="s" {severity}><message>m</message></trace>"#);
            let expected = format!(r#"{level} message=m source="s" metadata="{{}}""#);
            assert_eq!(lines(&policy), [expected], "{severity}");
        }
    }

    #[test]
    fn what_is_more_than_verbose_is_kept_for_the_log() {
        let kept = |severity: &str| {
            let policy = format!(
                "<trace source='s' severity='{severity}'><message>m</message>\
                 <metadata name='a' value='1' /></trace>"
            );
            let records = Trial::inbound(&policy).run("").context.trace_records;
            records.iter().map(|it| format!("{it:?}")).collect::<String>()
        };
        assert_eq!(kept("verbose"), "");
        for severity in ["information", "error"] {
            let expected = format!(
                "TraceRecord {{ source: \"s\", severity: \"{severity}\", message: \"m\", \
                 metadata: {{\"a\": String(\"1\")}} }}"
            );
            assert_eq!(kept(severity), expected);
        }
    }

    #[test]
    fn the_log_has_no_more_than_its_bounds() {
        let one = "<trace source='s' severity='error'><message>@(new string('a', 5000))</message>\
                   <metadata name='a' value='@(new string((char)98, 5000))' /></trace>";
        let records = Trial::inbound(&one.repeat(40)).run("").context.trace_records;
        assert_eq!(records.len(), pipeline::MAX_TRACE_RECORDS);
        let all_fit = |it: &TraceRecord| it.message.len() == 4096 && it.metadata.is_empty();
        assert!(records.iter().all(all_fit));
    }

    #[test]
    fn message_and_metadata_are_evaluated() {
        let policy = r#"<trace source="@(context.Request.Method)">
            <message>@("path " + context.Request.Url.Path)</message>
            <metadata name="a" value="@((string)null)" />
            <metadata name="b" value="two" />
        </trace>"#;
        let expected =
            r#"DEBUG message=path /orders source="GET" metadata="{\"a\":\"\",\"b\":\"two\"}""#;
        assert_eq!(lines(policy), [expected]);
        let text = r#"<trace source="s">@("text")</trace>"#;
        assert_eq!(lines(text), [r#"DEBUG message=text source="s" metadata="{}""#]);
    }

    #[test]
    fn a_long_message_is_cut() {
        let policy = r#"<trace source="s"><message>@(new string('é', 40000))</message></trace>"#;
        let line = &lines(policy)[0];
        assert!((MAX_BYTES..MAX_BYTES + 100).contains(&line.len()), "{}", line.len());
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        for (attributes, content, codes) in [
            ("", "<message>m</message>", "PC0404"),
            (r#"source="s""#, "", "PC0406"),
            (r#"source="s""#, "text <message>m</message>", "PC0408"),
            (r#"source="s""#, "<message>1</message><message>2</message>", "PC0407"),
            (r#"source="s" severity="loud""#, "<message>m</message>", "PC0409"),
            (r#"source="s" severity="@(context.Api.Id)""#, "<message>m</message>", "PC0411"),
            (r#"source="s""#, r#"<message>m</message><metadata name="a" />"#, "PC0404"),
            (r#"source="s""#, r#"<message>m</message><metadata value="a" />"#, "PC0404"),
        ] {
            let policy = format!("<trace {attributes}>{content}</trace>");
            assert_eq!(problems(&policy), codes, "{policy}");
        }
    }

    #[test]
    fn a_message_that_cannot_be_evaluated_is_an_error() {
        let policy = r#"<trace source="s"><message>@(context.Variables["none"].ToString())</message></trace>"#;
        assert_eq!(outcome(policy, ""), "500 - (ExpressionValueEvaluationFailure)");
    }
}
