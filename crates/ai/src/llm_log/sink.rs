//! Where records go: the gateway's own log with OpenTelemetry, or a logger.
//!
//! All of them take an entry into a bounded queue or refuse it; nobody waits.

use std::fmt;
use std::sync::Arc;

use pipeline::{EventSink, Extensions, LlmLog, Logger, Services};
use telemetry::{AccessLog, Counter, Metric, Metrics, Outbox};

use super::record::Entry;

const RECORDS: Metric<Counter> = Metric::new(
    "portcullis.llm_log.records",
    "",
    "Entries of prompts and completions that a log has taken.",
);
const DROPPED: Metric<Counter> = Metric::new(
    "portcullis.llm_log.dropped",
    "",
    "Entries of prompts and completions that found no room.",
);

/// Where the records of a diagnostic go.
pub(super) struct Sink {
    target: Target,
    diagnostic: String,
    records: Arc<Counter>,
    dropped: Arc<Counter>,
}

enum Target {
    /// Either may be absent.
    Own(Option<Arc<AccessLog>>, Option<Arc<Outbox>>),
    Logger(Arc<Logger>, Option<EventSink>),
}

impl Sink {
    pub(super) fn new(log: &LlmLog, extensions: &Extensions) -> Sink {
        let metrics: Arc<Metrics> = extensions.shared();
        let labels = [("portcullis.diagnostic", log.diagnostic.as_str())];
        let target = match &log.logger {
            Some(logger) => {
                let sink = extensions.get::<EventSink>();
                Target::Logger(Arc::clone(logger), sink.as_deref().copied())
            }
            None => {
                let access_log = extensions.get::<AccessLog>().filter(|it| it.is_written());
                let outbox = extensions.get::<Outbox>().filter(|it| it.wants_logs);
                if access_log.is_none() && outbox.is_none() {
                    tracing::warn!(
                        diagnostic = log.diagnostic,
                        "calls of models are to be logged, and there is no log: it is switched off"
                    );
                }
                Target::Own(access_log, outbox)
            }
        };
        Sink {
            target,
            diagnostic: log.diagnostic.clone(),
            records: metrics.series(&RECORDS, &labels),
            dropped: metrics.series(&DROPPED, &labels),
        }
    }

    /// Hands an entry over.
    pub(super) fn put(&self, entry: &Entry<'_>, services: &Arc<Services>) {
        let is_taken = match &self.target {
            Target::Own(access_log, outbox) => {
                let is_written = access_log.as_ref().is_none_or(|it| it.write_line(entry));
                let is_queued = outbox.as_ref().is_none_or(|it| it.log(entry.event()));
                is_written && is_queued
            }
            Target::Logger(logger, sink) => match (sink, serde_json::to_string(entry)) {
                (Some(sink), Ok(line)) => sink.push(logger, line, services),
                _ => false,
            },
        };
        if is_taken {
            return self.records.add(1);
        }
        let before = self.dropped.get();
        self.dropped.add(1);
        // Rarer and rarer, so that it does not fill the log.
        if before == 0 || before.ilog2() < (before + 1).ilog2() {
            let (diagnostic, dropped) = (&self.diagnostic, before + 1);
            tracing::warn!(diagnostic, dropped, "entries of prompts and completions are dropped");
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sink({})", self.diagnostic)
    }
}
