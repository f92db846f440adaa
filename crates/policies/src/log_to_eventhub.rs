//! `<log-to-eventhub>`: sends a text to the event hub (or file) of a logger.
//!
//! The request does not wait: the text is queued, sent together with others, and dropped if the
//! logger does not take it within a few tries; see `event_log`.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/log-to-eventhub-policy>

use std::sync::Arc;

use document::closest;
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, LogTarget,
    Logger, Loggers, PolicyError, PolicyKind, Scopes, Sections, Step, codes,
};

use crate::event_log::{Event, Partition, Queues};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "log-to-eventhub",
    summary: "Sends a text to the event hub (or file) of a logger.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[LOGGER_ID, PARTITION_ID, PARTITION_KEY],
    children: &[TEXT],
    compile,
};

const LOGGER_ID: Attr = Attr::required("logger-id").doc("Logger entity.");
const PARTITION_ID: Attr = Attr::absent_by_default("partition-id")
    .excludes(&["partition-key"])
    .doc("Partition that gets the text.");
const PARTITION_KEY: Attr =
    Attr::absent_by_default("partition-key").expressions().doc("What decides about the partition.");
const TEXT: Child = Child::text().expressions().doc("The text.");

/// What is longer is cut.
const MAX_BYTES: usize = 200 * 1024;

#[derive(Debug)]
struct LogToEventhub {
    /// None where documents are only checked.
    logger: Option<Arc<Logger>>,
    queues: Arc<Queues>,
    partition: Where,
    text: Computed<String>,
}

#[derive(Debug)]
enum Where {
    Any,
    Id(String),
    Key(Computed<String>),
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let id: String = cx.literal(element, &LOGGER_ID)?;
    let logger = logger(element, cx, id.trim())?;
    let partition =
        match (cx.literal_if(element, &PARTITION_ID)?, cx.attr_if(element, &PARTITION_KEY)?) {
            (Some(id), _) => Where::Id(id),
            (None, Some(key)) => Where::Key(key),
            (None, None) => Where::Any,
        };
    let text = cx.text(element)?;
    Ok(Step::immediate(LogToEventhub { logger, queues: cx.shared(), partition, text }))
}

fn logger(
    element: Element<'_>,
    cx: &mut CompileCx<'_>,
    id: &str,
) -> Result<Option<Arc<Logger>>, Diagnostic> {
    let code = document::codes::UNKNOWN_LOGGER;
    let message = format!("unknown logger `{id}`");
    let Some(loggers) = cx.extension::<Loggers>() else {
        let it = Diagnostic::note(code, element.attr_span(&LOGGER_ID), message);
        cx.report(it.label("not at hand: the document is checked on its own"));
        return Ok(None);
    };
    let Some(logger) = loggers.get(id) else {
        let it = cx.refuse_attr(element, &LOGGER_ID, code, message);
        return Err(match closest(id, loggers.names()) {
            Some(near) => it.label(format!("did you mean `{near}`?")),
            None => it.label("no logger has this name"),
        });
    };
    let why = match &logger.target {
        LogTarget::Unusable(why) => Some(why.as_str()),
        LogTarget::Own => Some("its type is `azureMonitor`"),
        LogTarget::EventHub(_) | LogTarget::File(_) | LogTarget::Unread => None,
    };
    if let Some(why) = why {
        let message = format!("logger `{id}` cannot be sent to: {why}");
        let it = cx.refuse_attr(element, &LOGGER_ID, codes::NOT_SUPPORTED, message);
        return Err(it.label("would log nothing"));
    }
    Ok(Some(Arc::clone(logger)))
}

impl Immediate for LogToEventhub {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let partition = match &self.partition {
            Where::Any => Partition::Any,
            Where::Id(id) => Partition::Id(id.trim().to_owned()),
            Where::Key(key) => Partition::Key(key.get(context)?),
        };
        let mut text = self.text.get(context)?;
        text.truncate(text.floor_char_boundary(MAX_BYTES));
        let Some(logger) = &self.logger else { return Ok(Flow::Next) };
        let queue = self.queues.of(logger);
        queue.push(Event { partition, text, is_line: false }, logger, &context.services);
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use pipeline::EventHub;

    use super::*;
    use crate::test_support::Trial;

    fn trial(policy: &str) -> Trial {
        let text = "Endpoint=sb://n/;SharedAccessKeyName=s;SharedAccessKey=k;EntityPath=h";
        let hub = LogTarget::EventHub(EventHub::from_connection_string(text, None).unwrap());
        let none = LogTarget::Unusable("its type is `applicationInsights`".to_owned());
        let logger = |id: &str, target| Logger { id: id.to_owned(), is_buffered: false, target };
        let loggers: Loggers = [logger("hub", hub), logger("insights", none)].into_iter().collect();
        let mut trial = Trial::inbound(policy);
        trial.extensions.insert(Arc::new(loggers));
        trial.client =
            transport::FakeClient::new(|_| Ok(transport::Response::new(transport::Body::empty())));
        trial
    }

    fn sent(policy: &str) -> Vec<String> {
        let trial = trial(policy);
        let client = trial.client.clone();
        assert_eq!(trial.run("GET /orders").outcome, "next");
        let shown = |it: &transport::RecordedRequest| {
            format!("{} {}", it.uri.path(), String::from_utf8_lossy(&it.body))
        };
        client.requests().iter().map(shown).collect()
    }

    #[test]
    fn the_text_goes_to_the_hub_of_the_logger() {
        let policy = r#"<log-to-eventhub logger-id="Hub">@(context.Request.Method + " it")</log-to-eventhub>"#;
        assert_eq!(sent(policy), ["/h/messages GET it"]);
        let policy =
            r#"<log-to-eventhub logger-id="hub" partition-id="3"> text </log-to-eventhub>"#;
        assert_eq!(sent(policy), ["/h/partitions/3/messages text"]);
    }

    #[test]
    fn a_long_text_is_cut() {
        let policy =
            r#"<log-to-eventhub logger-id="hub">@(new string('é', 150000))</log-to-eventhub>"#;
        assert_eq!(sent(policy)[0].len(), MAX_BYTES + "/h/messages ".len());
    }

    #[test]
    fn a_logger_that_cannot_be_used_does_not_load() {
        for (attributes, codes) in [
            (r#"logger-id="hub""#, "fine"),
            (r#"logger-id="hbu""#, "PC0207"),
            (r#"logger-id="insights""#, "PC0423"),
            (r#"logger-id="@(context.Api.Id)""#, "PC0411"),
            ("", "PC0404"),
            (r#"logger-id="hub" partition-id="1" partition-key="k""#, "PC0410"),
            (r#"logger-id="hub" partition-id="@(1)""#, "PC0411"),
            (r#"logger-id="hub" partition-key="@(context.Api.Id)""#, "fine"),
        ] {
            let policy = format!("<log-to-eventhub {attributes}>x</log-to-eventhub>");
            assert_eq!(trial(&policy).problems(), codes, "{attributes}");
        }
        assert_eq!(trial(r#"<log-to-eventhub logger-id="hub" />"#).problems(), "PC0424");
        let alone = Trial::inbound(r#"<log-to-eventhub logger-id="x">y</log-to-eventhub>"#);
        assert_eq!(alone.problems(), "PC0207");
        assert_eq!(alone.run("").outcome, "next");
    }
}
