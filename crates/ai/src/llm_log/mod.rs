//! Prompts and completions in the log: `largeLanguageModel` of a diagnostic.
//!
//! ```text
//! first step ─▶ RequestSecrets (of the client)
//! last step  ─▶ Prompt (gathers the body on its way) ─┐
//! Listener   ─▶ Answered (read on its way) ───────────┴▶ Call ─▶ items ─▶ secrets out ─▶ chunks ─▶ Sink
//! ```
//!
//! Nothing is held back or waited for: bodies are looked at as they pass, records are made when the
//! answer is through, and sinks take them into bounded queues or refuse them. What is not logged
//! for want of room is counted: of a message in the record itself, of records in a metric.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-llm-logs>,
//! <https://learn.microsoft.com/azure/azure-monitor/reference/tables/apimanagementgatewayllmlog>

mod call;
mod chunks;
mod items;
mod prompt;
mod record;
mod request_secrets;
mod sink;

use std::sync::Arc;

use http::Method;
use llm::{Format, model_in_path};
use pipeline::{
    Context, Extensions, Flow, Immediate, LlmLog, LlmLogSteps, LlmLogging, PolicyError, Step,
};
use telemetry::Secrets;

pub(crate) use self::prompt::Prompt;

use self::call::Call;
use self::request_secrets::RequestSecrets;
use self::sink::Sink;
use crate::answer::{AnswerFormat, overhear};
use crate::model_call::is_json;

/// How this crate logs calls of models.
pub(crate) const LOGGING: LlmLogging = LlmLogging(steps);

/// Where the records of an API go, and what must not stand in them.
#[derive(Debug)]
struct Logs {
    sinks: Vec<(LlmLog, Sink)>,
    secrets: Arc<Secrets>,
}

fn steps(logs: &[LlmLog], secrets: &Arc<Secrets>, extensions: &Extensions) -> LlmLogSteps {
    let sinks = logs.iter().map(|it| (it.clone(), Sink::new(it, extensions)));
    let logs = Logs { sinks: sinks.collect(), secrets: Arc::clone(secrets) };
    LlmLogSteps { first: Step::immediate(Remember), last: Step::immediate(Begin(Arc::new(logs))) }
}

/// Keeps what the client showed, before policies take it away.
#[derive(Debug)]
struct Remember;

impl Immediate for Remember {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        if context.request.method == Method::POST {
            let secrets = RequestSecrets::of(context);
            context.request.extensions.insert(secrets);
        }
        Ok(Flow::Next)
    }
}

/// Begins to log a call of a model.
#[derive(Debug)]
struct Begin(Arc<Logs>);

impl Immediate for Begin {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        if context.request.method != Method::POST {
            return Ok(Flow::Next);
        }
        let path = known_path(context);
        let known = Format::of_path(&path);
        let is_json = is_json(&context.request.headers);
        // Else it is an ordinary request of an API that has models, too.
        if known.is_none() && !is_json && model_in_path(&path).is_none() {
            return Ok(Flow::Next);
        }
        let prompt = Prompt::gather(context, path, is_json);
        let format = match known {
            Some(format) => AnswerFormat::Known(format),
            None => AnswerFormat::OfRequest(Arc::clone(&prompt)),
        };
        let call = Call::begin(context, Arc::clone(&self.0), prompt, known.is_some());
        overhear(context, format, Arc::new(call));
        Ok(Flow::Next)
    }
}

/// The path that tells more: the client's, or the one that goes to the backend.
fn known_path(context: &Context) -> String {
    let original = context.request.original_url.path();
    match Format::of_path(original) {
        Some(_) => original.to_owned(),
        None => context.request.url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests;
