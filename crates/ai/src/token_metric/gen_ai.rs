//! OpenTelemetry's metrics and span of a call of a model.
//!
//! | Metric | What |
//! |---|---|
//! | `gen_ai.client.token.usage` | tokens of a call, `gen_ai.token.type` `input` or `output` |
//! | `gen_ai.client.inference.usage.*` | sums of tokens by kind, cached and reasoning ones too |
//! | `gen_ai.client.operation.duration` | from the policy to the end of the answer |
//! | `gen_ai.server.time_to_first_token` | of streams |
//! | `gen_ai.server.time_per_output_token` | of streams, after the first |
//!
//! Names of models are the client's until the model has answered well: only then do they become
//! labels.
//!
//! Source: <https://opentelemetry.io/docs/specs/semconv/gen-ai/>

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use llm::{Format, Usage};
use pipeline::Context;
use telemetry::{
    Counter, Histogram, Metric, Metrics, Outbox, SpanKind, SpanRecord, TraceContext, Value, trace,
};
use transport::Clock;

use super::asked;
use crate::{Answered, Ending, ModelCall};

/// Most combinations of labels whose series are kept at hand.
const MAX_KNOWN: usize = 512;

const SECONDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TO_FIRST: &[f64] =
    &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const PER_TOKEN: &[f64] =
    &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];
const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

const USAGE: Metric<Histogram> =
    Metric::new("gen_ai.client.token.usage", "{token}", "Tokens of a call.").bounds(TOKENS);
const DURATION: Metric<Histogram> =
    Metric::new("gen_ai.client.operation.duration", "s", "Duration of a call of a model.")
        .bounds(SECONDS);
const FIRST: Metric<Histogram> = Metric::new(
    "gen_ai.server.time_to_first_token",
    "s",
    "Until the first token of a stream was there.",
)
.bounds(TO_FIRST);
const EACH: Metric<Histogram> = Metric::new(
    "gen_ai.server.time_per_output_token",
    "s",
    "Time for each token of a stream after the first.",
)
.bounds(PER_TOKEN);

/// Sums by kind.
const SUMS: [Metric<Counter>; 5] = [
    Metric::new("gen_ai.client.inference.usage.input_tokens", "{token}", "Tokens of prompts."),
    Metric::new("gen_ai.client.inference.usage.output_tokens", "{token}", "Tokens of completions."),
    Metric::new(
        "gen_ai.client.inference.usage.cache_read.input_tokens",
        "{token}",
        "Tokens of prompts that came out of the vendor's cache.",
    ),
    Metric::new(
        "gen_ai.client.inference.usage.cache_write.input_tokens",
        "{token}",
        "Tokens of prompts that went into the vendor's cache.",
    ),
    Metric::new(
        "gen_ai.client.inference.usage.reasoning.output_tokens",
        "{token}",
        "Tokens of reasoning.",
    ),
];

/// The series that were needed so far, shared by all policies.
#[derive(Debug, Default)]
pub(crate) struct GenAi(RwLock<HashMap<[String; 5], Arc<Handles>>>);

#[derive(Debug)]
struct Handles {
    input: Arc<Histogram>,
    output: Arc<Histogram>,
    duration: Arc<Histogram>,
    first: Arc<Histogram>,
    each: Arc<Histogram>,
    sums: [Arc<Counter>; SUMS.len()],
}

/// A call of a model, from the policy to the end of the answer.
pub(super) struct Operation {
    name: &'static str,
    provider: &'static str,
    model: Option<String>,
    api: String,
    is_stream: bool,
    clock: Arc<dyn Clock>,
    started: Duration,
    start: SystemTime,
    /// When the first and the last piece of text came, in nanoseconds since the start; 0: not yet.
    first: AtomicU64,
    last: AtomicU64,
    span: Option<OwnSpan>,
}

/// The span of a call, if it is kept.
struct OwnSpan {
    outbox: Arc<Outbox>,
    context: TraceContext,
    parent: [u8; 8],
    /// What the request asked for.
    asked: Vec<(&'static str, Value)>,
}

/// Marks a request whose call is measured.
#[derive(Clone, Copy)]
struct IsMeasured;

impl Operation {
    /// Begins; none if another policy has begun for this request.
    pub(super) fn begin(context: &mut Context, call: &ModelCall) -> Option<Operation> {
        if context.request.extensions.insert(IsMeasured).is_some() {
            return None;
        }
        let services = Arc::clone(&context.services);
        let span = context.span.filter(|it| it.is_sampled).and_then(|above| {
            let outbox: Arc<Outbox> = services.extension()?;
            let id = trace::span_id(|bytes| services.random(bytes));
            Some(OwnSpan {
                outbox,
                context: above.child(id),
                parent: above.span_id,
                asked: asked::attributes(call.format, call.body()),
            })
        });
        Some(Operation {
            name: operation(call.format),
            provider: provider(call.format, context.request.original_url.path()),
            model: call.models.first().cloned(),
            api: context.api.as_ref().map(|it| it.id.clone()).unwrap_or_default(),
            is_stream: call.is_stream,
            started: services.clock.monotonic(),
            start: services.clock.now(),
            clock: Arc::clone(&services.clock),
            first: AtomicU64::new(0),
            last: AtomicU64::new(0),
            span,
        })
    }

    fn elapsed(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.started)
    }

    /// A piece of text came.
    pub(super) fn text(&self) {
        let nanos = u64::try_from(self.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        // An answer is read by one thread at a time.
        if self.first.load(Relaxed) == 0 {
            self.first.store(nanos, Relaxed);
        }
        self.last.store(nanos, Relaxed);
    }

    /// The answer is over.
    pub(super) fn end(
        &self,
        metrics: &Metrics,
        known: &GenAi,
        answered: &Answered,
        usage: Option<Usage>,
    ) {
        let duration = self.elapsed();
        let error = error(answered);
        let handles = known.handles(metrics, self.labels(answered, error.as_deref()));
        handles.duration.record_duration(duration);
        let first = Duration::from_nanos(self.first.load(Relaxed));
        if self.is_stream && !first.is_zero() {
            handles.first.record_duration(first);
        }
        if let Some(usage) = usage {
            handles.add(usage);
            let after = Duration::from_nanos(self.last.load(Relaxed)).saturating_sub(first);
            let n_after = u32::try_from(usage.completion_tokens).unwrap_or(u32::MAX);
            if let Some(each) = after.checked_div(n_after.saturating_sub(1))
                && self.is_stream
                && !first.is_zero()
            {
                handles.each.record_duration(each);
            }
        }
        if let Some(span) = &self.span {
            let mut attributes = self.attributes(answered, usage, error.as_deref(), first);
            attributes.extend(span.asked.iter().cloned());
            span.outbox.span(SpanRecord {
                context: span.context,
                parent: Some(span.parent),
                name: match &self.model {
                    Some(model) => format!("{} {model}", self.name),
                    None => self.name.to_owned(),
                },
                kind: SpanKind::Client,
                start: self.start,
                duration,
                attributes,
                error,
            });
        }
    }

    fn labels(&self, answered: &Answered, error: Option<&str>) -> [String; 5] {
        let is_good = answered.status.is_success();
        let asked = self.model.clone().filter(|_| is_good).unwrap_or_default();
        let gave = answered.answer.model.clone().filter(|_| is_good).unwrap_or_default();
        [
            self.api.clone(),
            format!("{}\0{}", self.name, self.provider),
            asked,
            gave,
            error.unwrap_or_default().to_owned(),
        ]
    }

    fn attributes(
        &self,
        answered: &Answered,
        usage: Option<Usage>,
        error: Option<&str>,
        first: Duration,
    ) -> Vec<(&'static str, Value)> {
        let answer = &answered.answer;
        let mut all: Vec<(&'static str, Value)> = vec![
            ("gen_ai.operation.name", self.name.into()),
            ("gen_ai.provider.name", self.provider.into()),
            ("gen_ai.request.stream", Value::Bool(self.is_stream)),
            ("portcullis.api", self.api.as_str().into()),
        ];
        let mut text = |name, value: Option<&str>| {
            all.extend(value.map(|it| (name, Value::from(it))));
        };
        text("gen_ai.request.model", self.model.as_deref());
        text("gen_ai.response.model", answer.model.as_deref());
        text("gen_ai.response.id", answer.id.as_deref());
        text("error.type", error);
        let reasons: Vec<String> =
            answer.completions.iter().filter_map(|it| it.finish_reason.clone()).collect();
        if !reasons.is_empty() {
            all.push(("gen_ai.response.finish_reasons", Value::List(reasons)));
        }
        if self.is_stream && !first.is_zero() {
            let seconds = Value::Double(first.as_secs_f64());
            all.push(("gen_ai.response.time_to_first_chunk", seconds));
        }
        if let Some(usage) = usage {
            all.push(("gen_ai.usage.input_tokens", usage.prompt_tokens.into()));
            all.push(("gen_ai.usage.output_tokens", usage.completion_tokens.into()));
            let mut more = |name, tokens: Option<u64>| {
                all.extend(tokens.map(|it| (name, Value::from(it))));
            };
            more("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens);
            more("gen_ai.usage.cache_creation.input_tokens", usage.cache_creation_tokens);
            more("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens);
        }
        all
    }
}

impl GenAi {
    fn handles(&self, metrics: &Metrics, labels: [String; 5]) -> Arc<Handles> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&labels).cloned();
        known.unwrap_or_else(|| {
            let handles = Arc::new(Handles::new(metrics, &labels));
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if all.len() < MAX_KNOWN {
                all.insert(labels, Arc::clone(&handles));
            }
            handles
        })
    }
}

impl Handles {
    fn new(metrics: &Metrics, labels: &[String; 5]) -> Handles {
        let [api, names, asked, gave, error] = labels;
        let (name, provider) = names.split_once('\0').unwrap_or((names, ""));
        let labels = [
            ("gen_ai.operation.name", name),
            ("gen_ai.provider.name", provider),
            ("gen_ai.request.model", asked.as_str()),
            ("gen_ai.response.model", gave.as_str()),
            ("portcullis.api", api.as_str()),
        ];
        let of = |name, value| {
            let mut all = labels.to_vec();
            all.push((name, value));
            all
        };
        Handles {
            input: metrics.series(&USAGE, &of("gen_ai.token.type", "input")),
            output: metrics.series(&USAGE, &of("gen_ai.token.type", "output")),
            duration: metrics.series(&DURATION, &of("error.type", error)),
            first: metrics.series(&FIRST, &labels),
            each: metrics.series(&EACH, &labels),
            sums: SUMS.each_ref().map(|it| metrics.series(it, &labels)),
        }
    }

    fn add(&self, usage: Usage) {
        self.input.record(usage.prompt_tokens);
        self.output.record(usage.completion_tokens);
        let kinds = [
            Some(usage.prompt_tokens),
            Some(usage.completion_tokens),
            usage.cached_tokens,
            usage.cache_creation_tokens,
            usage.reasoning_tokens,
        ];
        for (sum, tokens) in self.sums.iter().zip(kinds) {
            sum.add(tokens.unwrap_or_default());
        }
    }
}

/// Why the call failed, if it did.
fn error(answered: &Answered) -> Option<String> {
    match answered.ending {
        _ if !answered.status.is_success() => Some(answered.status.as_str().to_owned()),
        Ending::BrokenOff => Some("broken_off".to_owned()),
        Ending::GivenUp => Some("given_up".to_owned()),
        Ending::Whole => answered.answer.error.as_ref().map(|_| "error".to_owned()),
    }
}

/// `gen_ai.operation.name` of a format.
pub(crate) fn operation(format: Format) -> &'static str {
    match format {
        Format::ChatCompletions | Format::Responses | Format::Messages | Format::Converse => "chat",
        Format::Completions => "text_completion",
        Format::Embeddings => "embeddings",
        Format::GenerateContent => "generate_content",
        Format::Unknown => "_OTHER",
    }
}

/// `gen_ai.provider.name` of a format, and of a path where that does not tell.
pub(crate) fn provider(format: Format, path: &str) -> &'static str {
    match format {
        Format::Messages => "anthropic",
        Format::Converse => "aws.bedrock",
        Format::GenerateContent => "gcp.gen_ai",
        Format::Unknown => "_OTHER",
        // Azure's paths have a segment that OpenAI's have not.
        _ if path.split('/').any(|it| it == "openai") => "azure.ai.openai",
        _ => "openai",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_are_told_by_format_and_path() {
        for (format, path, expected) in [
            (
                Format::ChatCompletions,
                "/x/openai/deployments/a/chat/completions",
                "azure.ai.openai",
            ),
            (Format::Responses, "/v1/responses", "openai"),
            (Format::Messages, "/v1/messages", "anthropic"),
            (Format::Converse, "/model/a/converse", "aws.bedrock"),
        ] {
            assert_eq!(provider(format, path), expected, "{path}");
        }
        assert_eq!(operation(Format::Embeddings), "embeddings");
    }

    #[test]
    fn tokens_are_counted_by_kind() {
        let metrics = Metrics::default();
        let labels = ["shop", "chat\0openai", "gpt", "gpt-1", ""].map(str::to_owned);
        let usage = Usage {
            prompt_tokens: 10,
            completion_tokens: 5,
            total_tokens: 15,
            cached_tokens: Some(4),
            reasoning_tokens: Some(2),
            ..Usage::default()
        };
        let known = GenAi::default();
        known.handles(&metrics, labels.clone()).add(usage);
        known.handles(&metrics, labels).add(usage);
        let text = metrics.prometheus();
        for expected in [
            r#"gen_ai_client_token_usage_sum{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt",gen_ai_response_model="gpt-1",gen_ai_token_type="input",portcullis_api="shop"} 20"#,
            "gen_ai_client_inference_usage_cache_read_input_tokens_total{",
            "gen_ai_client_operation_duration_seconds_count{",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        let sum = text.lines().find(|it| it.starts_with("gen_ai_client_inference_usage_reasoning"));
        assert!(sum.unwrap().ends_with(" 4"));
    }
}
