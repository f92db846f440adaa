//! Logging of prompts and completions: what a configuration says of it, and how it hooks in.
//!
//! ```text
//! diagnostic (largeLanguageModel) ─▶ LlmLog ─┐
//! Extensions: LlmLogging (who can) ──────────┴▶ LlmLogSteps ─▶ around `inbound` of each pipeline
//! ```
//!
//! Without a diagnostic nothing is added to a pipeline, so that nothing is paid for.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-llm-logs>

use std::fmt;
use std::sync::Arc;

use expr::Uses;
use telemetry::Secrets;

use crate::effective::Pipeline;
use crate::loggers::Logger;
use crate::place::Place;
use crate::services::{Extensions, Services};
use crate::step::{Step, Steps};

/// Most bytes of prompts, and of completions, of one request that are logged.
pub const MAX_LLM_LOG_BYTES: usize = 2 << 20;
/// How many are logged unless a diagnostic says otherwise.
pub const DEFAULT_LLM_LOG_BYTES: usize = 32 << 10;

/// What one diagnostic logs of the calls of models of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LlmLog {
    /// The diagnostic's name.
    pub diagnostic: String,
    /// Where records go; none: to the gateway's own log, and with it to OpenTelemetry.
    pub logger: Option<Arc<Logger>>,
    /// Most bytes of a prompt; none: prompts are not logged, only that there was a call.
    pub max_request_bytes: Option<usize>,
    /// Most bytes of the completions; none: they are not logged.
    pub max_response_bytes: Option<usize>,
}

/// Makes the steps that log calls of models: among the extensions of whoever runs pipelines.
#[derive(Clone, Copy)]
pub struct LlmLogging(pub fn(&[LlmLog], &Arc<Secrets>, &Extensions) -> LlmLogSteps);

/// What logging adds to a pipeline.
#[derive(Debug)]
pub struct LlmLogSteps {
    /// Before the first policy: it sees the request as the client sent it.
    pub first: Step,
    /// After the last policy of `inbound`: it sees what goes to the backend.
    pub last: Step,
}

impl Pipeline {
    /// The same with logging around `inbound`. The steps are not policies: they never fail, end or
    /// answer a request.
    #[must_use]
    pub fn with_llm_log(&self, steps: LlmLogSteps) -> Pipeline {
        let place = || Place::built_in("diagnostics");
        let placed = |step: Step| step.placed(place(), Uses::default(), Vec::new());
        let mut inbound = Steps::default();
        inbound.push(placed(steps.first));
        self.inbound.clone().into_shared().for_each(|it| inbound.push_shared(it));
        inbound.push(placed(steps.last));
        Pipeline { inbound, ..self.clone() }
    }
}

impl fmt::Debug for LlmLogging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LlmLogging")
    }
}

/// Sends events to loggers, beside the requests: among the extensions of whoever runs pipelines.
#[derive(Clone, Copy)]
pub struct EventSink(pub fn(&Arc<Logger>, String, &Arc<Services>) -> bool);

impl EventSink {
    /// Queues a line of JSON for a logger. It is sent, or written as it is, later. Gives whether
    /// there was room.
    #[must_use]
    pub fn push(self, logger: &Arc<Logger>, line: String, services: &Arc<Services>) -> bool {
        (self.0)(logger, line, services)
    }
}

impl fmt::Debug for EventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventSink")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{context, log, pipeline};
    use crate::{Context, Flow, Immediate, PolicyError, Scope, Section};

    #[derive(Debug)]
    struct Note(&'static str);

    impl Immediate for Note {
        fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
            let before = log(context);
            context.variables.set(self.0, expr::Value::from(format!("after [{before}]")));
            Ok(Flow::Next)
        }
    }

    fn steps() -> LlmLogSteps {
        LlmLogSteps { first: Step::immediate(Note("first")), last: Step::immediate(Note("last")) }
    }

    async fn noted(inbound: &str) -> (String, String) {
        let text = format!("<policies><inbound>{inbound}</inbound></policies>");
        let logged = pipeline(&[(Scope::Api, &text)]).with_llm_log(steps());
        let mut context = context();
        crate::run(&logged, &mut context).await;
        let of = |name| match context.variables.get(name) {
            Some(it) => it.as_str().unwrap().to_owned(),
            None => "never".to_owned(),
        };
        (of("first"), of("last"))
    }

    #[tokio::test]
    async fn the_steps_stand_around_inbound_and_an_answer_there_skips_the_last() {
        let (first, last) = noted("<mark name='a'/><mark name='b'/>").await;
        assert_eq!((first.as_str(), last.as_str()), ("after []", "after [a b]"));
        assert_eq!(noted("<mark name='a'/><end/>").await.1, "never");
    }

    #[test]
    fn other_sections_stay_as_they_are() {
        let text = "<policies><backend><mark name='a'/></backend></policies>";
        let plain = pipeline(&[(Scope::Api, text)]);
        let logged = plain.with_llm_log(steps());
        assert_eq!((plain.inbound.len(), logged.inbound.len()), (0, 2));
        for section in [Section::Backend, Section::Outbound, Section::OnError] {
            assert_eq!(plain.section(section).len(), logged.section(section).len());
        }
    }
}
