//! One call of a model that is logged, from the request to the end of the answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use llm::{Format, model_in_path};
use pipeline::{Background, Context, PolicyError, Services, url};
use tokio::runtime::Handle;
use transport::BoxFuture;

use super::Logs;
use super::chunks::{Cut, cut};
use super::items::{self, Item};
use super::prompt::Prompt;
use super::record::{Common, Entry, Holds, Summary};
use super::request_secrets::RequestSecrets;
use crate::answer::{Answered, Listener};
use crate::token_metric::{operation, provider};

/// Records of more text than this are made beside the worker.
const MAX_BYTES_HERE: usize = 64 << 10;

/// A call of a model. Its records are made once: when the answer is over, or when nobody can hear
/// of it any more because the client went away.
pub(super) struct Call {
    services: Arc<Services>,
    is_done: AtomicBool,
    facts: Arc<Facts>,
}

/// What is known of a call before it is answered.
struct Facts {
    logs: Arc<Logs>,
    prompt: Arc<Prompt>,
    /// The path says that it is a call of a model; else only the answer can.
    is_model_path: bool,
    common: Common,
    secrets: RequestSecrets,
    api_version: Option<String>,
    subscription: Option<String>,
    deployment: Option<String>,
}

impl Call {
    pub(super) fn begin(
        context: &mut Context,
        logs: Arc<Logs>,
        prompt: Arc<Prompt>,
        is_model_path: bool,
    ) -> Call {
        let of_client = context.request.extensions.remove::<RequestSecrets>();
        let secrets = RequestSecrets::of(context).and(of_client);
        let (original, sent) = (&context.request.original_url, &context.request.url);
        let deployment = model_in_path(original.path()).or_else(|| model_in_path(sent.path()));
        let version = |query: &str| {
            let mut pairs = url::pairs(query.trim_start_matches('?'));
            pairs.find(|it| it.is_named("api-version")).map(|it| it.value().into_owned())
        };
        let facts = Facts {
            common: Common {
                received: context.received,
                correlation_id: context.request_id.to_string(),
                region: context.deployment.region.clone(),
                api: context.api.as_ref().map(|it| it.id.clone()),
                span: context.span,
                operation: "",
                provider: "",
            },
            api_version: version(original.query()).or_else(|| version(sent.query())),
            subscription: context.subscription.as_ref().map(|it| it.id.clone()),
            deployment: deployment.map(std::borrow::Cow::into_owned),
            logs,
            prompt,
            is_model_path,
            secrets,
        };
        let services = Arc::clone(&context.services);
        Call { services, is_done: AtomicBool::new(false), facts: Arc::new(facts) }
    }

    /// Makes the records, unless that was done.
    fn finish(&self, answered: Option<Arc<Answered>>) {
        if self.is_done.swap(true, Relaxed) {
            return;
        }
        let (facts, services) = (Arc::clone(&self.facts), Arc::clone(&self.services));
        let n_bytes = facts.prompt.len() + answered.as_ref().map_or(0, |it| text_len(it));
        let work = move || facts.log(answered.as_deref(), &services);
        if Handle::try_current().is_err() {
            return work();
        }
        // Behind the frame that is on its way, so that the client does not wait for it.
        let background: Arc<Background> = self.services.extensions().shared();
        background.spawn(async move {
            if n_bytes <= MAX_BYTES_HERE {
                return work();
            }
            // It does not panic; a runtime that is shutting down drops it.
            let _ = tokio::task::spawn_blocking(work).await;
        });
    }
}

fn text_len(answered: &Answered) -> usize {
    let all = answered.answer.completions.iter();
    all.map(|it| it.text.len() + it.reasoning.len() + it.tools.len()).sum()
}

impl Facts {
    fn log(&self, answered: Option<&Answered>, services: &Arc<Services>) {
        let has_usage = answered.is_some_and(|it| it.answer.usage.is_some());
        if !self.is_model_path && !has_usage {
            return;
        }
        let secrets = self.secrets.texts();
        let hide = |text: &str| self.logs.secrets.hide(&items::word(text), &secrets).into_owned();
        let wants = |of: fn(&pipeline::LlmLog) -> Option<usize>| {
            self.logs.sinks.iter().any(|(log, _)| of(log).is_some())
        };
        let without = |items: Vec<Item>| -> Vec<Item> {
            items.into_iter().map(|it| it.without(&self.logs.secrets, &secrets)).collect()
        };
        let (mut summary, common, asked) = self.prompt.with(|request, body, n_more| {
            let summary = Summary {
                api_version: self.api_version.as_deref().map(hide),
                subscription: self.subscription.clone(),
                request_model: request.model.as_deref().map(hide),
                is_stream: request.is_stream,
                n_request_bytes_left_out: n_more,
                ..Summary::default()
            };
            let common = self.common(request.format);
            let is_wanted = wants(|it| it.max_request_bytes);
            let asked = is_wanted.then(|| items::of_request(&request, body));
            (summary, common, asked.unwrap_or_default())
        });
        let deployment = self.deployment.as_deref().map(hide);
        summary.deployment = deployment.or_else(|| summary.request_model.clone());
        let asked = without(asked);
        let mut said = Vec::new();
        if let Some(Answered { answer, .. }) = answered {
            summary.response_model = answer.model.as_deref().map(hide);
            summary.response_id = answer.id.as_deref().map(hide);
            summary.usage = answer.usage;
            let reasons = answer.completions.iter().filter_map(|it| it.finish_reason.as_deref());
            summary.finish_reasons = reasons.map(hide).collect();
            summary.n_response_bytes_left_out = answer.n_bytes_left_out;
            if wants(|it| it.max_response_bytes) {
                said = without(items::of_answer(answer));
            }
        }
        for (log, sink) in &self.logs.sinks {
            let cut = |items: &Vec<Item>, max_bytes: Option<usize>| {
                max_bytes.map(|max| cut(items.clone(), max))
            };
            let request = cut(&asked, log.max_request_bytes);
            let response = cut(&said, log.max_response_bytes);
            let put = |entry: &Entry<'_>| sink.put(entry, services);
            put_all(&common, &summary, request, response, put);
        }
    }

    fn common(&self, format: Format) -> Common {
        Common {
            operation: operation(format),
            provider: provider(format, self.prompt.path()),
            ..self.common.clone()
        }
    }
}

/// Hands over the entries of a call: the summary, then the messages.
fn put_all(
    common: &Common,
    summary: &Summary,
    request: Option<Cut>,
    response: Option<Cut>,
    put: impl Fn(&Entry<'_>),
) {
    // What is not wanted is not left out.
    let left_out = |cut: &Option<Cut>, before: u64| match cut {
        Some(cut) => before.saturating_add(cut.n_left_out),
        None => 0,
    };
    let summary = Summary {
        n_request_bytes_left_out: left_out(&request, summary.n_request_bytes_left_out),
        n_response_bytes_left_out: left_out(&response, summary.n_response_bytes_left_out),
        ..summary.clone()
    };
    put(&Entry { common, number: 0, holds: Holds::Summary(&summary) });
    let (request, response) = (request.unwrap_or_default(), response.unwrap_or_default());
    let request = request.chunks.iter().map(|it| Holds::Request(it));
    let response = response.chunks.iter().map(|it| Holds::Response(it));
    for (number, holds) in request.chain(response).enumerate() {
        put(&Entry { common, number: number + 1, holds });
    }
}

impl Listener for Call {
    fn is_passive(&self) -> bool {
        true
    }

    fn answered<'a>(
        &'a self,
        _: &'a mut Context,
        answered: &'a Answered,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        self.finish(Some(Arc::new(answered.clone())));
        Box::pin(async { Ok(()) })
    }

    fn streamed(&self, answered: &Arc<Answered>) {
        self.finish(Some(Arc::clone(answered)));
    }

    fn unanswered<'a>(&'a self, context: &'a mut Context) -> BoxFuture<'a, ()> {
        // A backend that was called and has not answered may have read the prompt.
        match context.calls.count {
            0 => self.is_done.store(true, Relaxed),
            _ => self.finish(None),
        }
        Box::pin(async {})
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.finish(None);
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("prompt", &self.facts.prompt).finish_non_exhaustive()
    }
}
