//! `<llm-emit-token-metric>` and `<azure-openai-emit-token-metric>`: counts the tokens that a call
//! of a model used.
//!
//! The policy stands in `inbound` and measures when the answer was seen: what the model says it
//! used, or, of a stream that does not say, what its text comes to. Dimensions with a value are
//! evaluated where the policy stands, those without one when the backend has answered, so that
//! `Backend ID` names the member of a pool. A request that is refused before the backend measures
//! nothing, and nothing that goes wrong here fails a request.
//!
//! Each answer of a realtime session (WebSocket) is a measurement of its own.
//!
//! Beside Azure's names the gateway adds OpenTelemetry's for the same call; see [`gen_ai`].
//!
//! Source: <https://learn.microsoft.com/azure/api-management/llm-emit-token-metric-policy>,
//! <https://learn.microsoft.com/azure/api-management/azure-openai-emit-token-metric-policy>

mod asked;
mod gen_ai;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use document::Diagnostic;
use llm::{Format, Usage, count_completion};
use pipeline::{
    Attr, Background, Child, Closing, CompileCx, Computed, Context, Element, Flow, Message,
    MessageWatch, PolicyError, PolicyKind, Scopes, Sections, Step, USUAL_DIMENSIONS, Waiting,
    Watch, codes,
};
use telemetry::{Metrics, Series};
use transport::BoxFuture;

use self::gen_ai::{GenAi, Operation};
pub(crate) use self::gen_ai::{operation, provider};
use crate::model_call::is_json;
use crate::realtime;
use crate::{Answered, Ending, Listener, ModelCall, listen};

/// `<llm-emit-token-metric>`.
pub(crate) const LLM: PolicyKind = PolicyKind {
    name: "llm-emit-token-metric",
    summary: "Adds the tokens that a call of a model used to the gateway's metrics.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[NAMESPACE],
    children: &[DIMENSION],
    compile,
};

/// `<azure-openai-emit-token-metric>`: the same.
pub(crate) const AZURE_OPENAI: PolicyKind =
    PolicyKind { name: "azure-openai-emit-token-metric", ..LLM };

const NAMESPACE: Attr =
    Attr::optional("namespace", "API Management").doc("Namespace of the metrics.");
const DIMENSION_NAME: Attr = Attr::required("name").expressions().doc("Name of the dimension.");
const DIMENSION_VALUE: Attr = Attr::absent_by_default("value")
    .expressions()
    .doc("Its value; may be left out of the dimensions that every request has.");
const DIMENSION: Child = Child::one_or_more("dimension")
    .attrs(&[DIMENSION_NAME, DIMENSION_VALUE])
    .empty()
    .doc("What measurements are told apart by.");

/// A dimension that the other metrics do not have by themselves.
const BACKEND_ID: &str = "Backend ID";
/// Most dimensions of its own that Azure takes.
const MAX_OWN_DIMENSIONS: usize = 5;

#[derive(Debug)]
struct TokenMetric(Arc<Policy>);

#[derive(Debug)]
struct Policy {
    namespace: String,
    dimensions: Vec<Dimension>,
    metrics: Arc<Metrics>,
    gen_ai: Arc<GenAi>,
    background: Arc<Background>,
}

#[derive(Debug)]
struct Dimension {
    name: Computed<String>,
    value: Option<Computed<String>>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Step, Diagnostic> {
    let mut dimensions = Vec::new();
    let mut n_own = 0;
    for child in element.children(&DIMENSION) {
        let name: Computed<String> = cx.attr(child, &DIMENSION_NAME)?;
        let value = cx.attr_if(child, &DIMENSION_VALUE)?;
        let is_usual = |it: &str| it == BACKEND_ID || USUAL_DIMENSIONS.contains(&it);
        let own = name.as_literal().map(|it| it.trim()).filter(|it| !is_usual(it));
        if let Some(own) = own {
            n_own += 1;
            if value.is_none() {
                cx.report(missing_value(child, cx, own));
            }
            if n_own == MAX_OWN_DIMENSIONS + 1 {
                let message = format!(
                    "Azure takes {MAX_OWN_DIMENSIONS} dimensions of its own in `{}`",
                    element.name()
                );
                let it = Diagnostic::warning(codes::NOT_PORTABLE, child.span(), message);
                cx.report(it.label("one too many there"));
            }
        }
        dimensions.push(Dimension { name, value });
    }
    let policy = Policy {
        namespace: cx.literal(element, &NAMESPACE)?,
        dimensions,
        metrics: cx.shared(),
        gen_ai: cx.shared(),
        background: cx.shared(),
    };
    Ok(Step::waiting(TokenMetric(Arc::new(policy))))
}

fn missing_value(child: Element<'_>, cx: &CompileCx<'_>, name: &str) -> Diagnostic {
    let message = format!("dimension `{name}` needs the attribute `value`");
    let it = cx.refuse(child, codes::MISSING_ATTRIBUTE, message);
    match document::closest(name, USUAL_DIMENSIONS.into_iter().chain([BACKEND_ID])) {
        Some(near) => it.label(format!("did you mean `{near}`?")),
        None => it.label("`value` is missing"),
    }
}

impl Waiting for TokenMetric {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let policy = &self.0;
        let mut dimensions = Vec::with_capacity(policy.dimensions.len());
        for dimension in &policy.dimensions {
            let name = dimension.name.get(context)?.trim().to_owned();
            let value = match &dimension.value {
                Some(value) => Some(value.get(context)?),
                None => None,
            };
            dimensions.push((name, value));
        }
        // A body that is too long for policies passes as it would without this one.
        if is_json(&context.request.headers)
            && !context.buffer_within(Message::Request, usize::MAX).await?
        {
            tracing::debug!("tokens are not measured: the request is too long");
            return Ok(Flow::Next);
        }
        let call = ModelCall::of(context).await?;
        if call.is_lookup(context) {
            return Ok(Flow::Next);
        }
        let is_session = context.is_handshake();
        let emission = Arc::new(Emission {
            policy: Arc::clone(policy),
            operation: (!is_session).then(|| Operation::begin(context, &call)).flatten(),
            state: Mutex::new(State { dimensions, is_resolved: false, answered: None }),
            call,
        });
        context.watch_response(Arc::<Emission>::clone(&emission));
        if is_session {
            context.watch_messages(Arc::new(Session(emission)));
            return Ok(Flow::Next);
        }
        listen(context, &emission.call, Arc::new(Heard(Arc::clone(&emission))));
        Ok(Flow::Next)
    }
}

/// What one request will measure.
struct Emission {
    policy: Arc<Policy>,
    call: ModelCall,
    /// Only of the first policy of a request: the call is one, however many policies measure it.
    operation: Option<Operation>,
    state: Mutex<State>,
}

struct State {
    /// Without a value: not known before the backend has answered.
    dimensions: Vec<(String, Option<String>)>,
    is_resolved: bool,
    /// An answer that was there before the dimensions were known.
    answered: Option<Arc<Answered>>,
}

impl Emission {
    /// Gives the dimensions their values now; gives an answer that has waited for that.
    fn resolve(&self, context: &Context) -> Option<Arc<Answered>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut state.is_resolved, true) {
            for (name, value) in &mut state.dimensions {
                value.get_or_insert_with(|| context.usual_dimension(name));
            }
        }
        state.answered.take()
    }

    /// The answer is over: measures it, or what its text comes to.
    fn over(self: &Arc<Self>, answered: &Arc<Answered>) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if !state.is_resolved {
                state.answered = Some(Arc::clone(answered));
                return;
            }
        }
        let is_told = answered.answer.usage.is_some() && answered.ending == Ending::Whole;
        let is_estimated = self.call.is_stream && answered.status.is_success() && !is_told;
        if !is_estimated {
            return self.emit(answered, answered.answer.usage);
        }
        let (emission, answered) = (Arc::clone(self), Arc::clone(answered));
        self.policy.background.spawn(async move {
            let usage = emission.estimate(&answered).await;
            emission.emit(&answered, Some(usage));
        });
    }

    /// Tokens of a stream that did not tell them, or not all of them.
    async fn estimate(&self, answered: &Arc<Answered>) -> Usage {
        let told = answered.answer.usage.unwrap_or_default();
        let prompt_tokens = match told.prompt_tokens {
            0 => self.call.count_prompt().await,
            told => told,
        };
        let tokenizer = self.call.tokenizer(answered.answer.model.as_deref());
        let shown = Arc::clone(answered);
        let counted = tokio::task::spawn_blocking(move || {
            tokenizer.load();
            count_completion(&shown.answer, tokenizer)
        });
        // It does not panic; a runtime that is shutting down drops it.
        let completion_tokens = counted.await.unwrap_or_default().max(told.completion_tokens);
        let total_tokens = prompt_tokens.saturating_add(completion_tokens);
        Usage { prompt_tokens, completion_tokens, total_tokens, ..told }
    }

    fn emit(&self, answered: &Answered, usage: Option<Usage>) {
        if let Some(operation) = &self.operation {
            let (metrics, gen_ai) = (&self.policy.metrics, &self.policy.gen_ai);
            operation.end(metrics, gen_ai, answered, usage);
        }
        self.measure(usage);
    }

    #[expect(clippy::cast_precision_loss, reason = "measurements are floating-point numbers")]
    fn measure(&self, usage: Option<Usage>) {
        let Some(usage) = usage else { return };
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let dimensions: Vec<(String, String)> = state
            .dimensions
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()))
            .collect();
        drop(state);
        let completion =
            Some(usage.completion_tokens).filter(|_| self.call.format != Format::Embeddings);
        for (name, tokens) in [
            ("Total Tokens", Some(usage.total_tokens)),
            ("Prompt Tokens", Some(usage.prompt_tokens)),
            ("Completion Tokens", completion),
            ("Cached Tokens", usage.cached_tokens),
            ("Reasoning Tokens", usage.reasoning_tokens),
        ] {
            let Some(tokens) = tokens else { continue };
            let series = Series::new(self.policy.namespace.as_str(), name, dimensions.clone());
            self.policy.metrics.measure(series, tokens as f64);
        }
    }
}

/// What hears of the answers of a realtime session: each is measured when it is done.
#[derive(Debug)]
struct Session(Arc<Emission>);

impl MessageWatch for Session {
    fn client_says<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), Closing>> {
        Box::pin(async { Ok(()) })
    }

    fn backend_said<'a>(&'a self, text: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.0.measure(realtime::usage(text)) })
    }
}

/// What hears of the answer on behalf of an emission.
#[derive(Debug)]
struct Heard(Arc<Emission>);

impl Listener for Heard {
    fn answered<'a>(
        &'a self,
        context: &'a mut Context,
        answered: &'a Answered,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        Box::pin(async move {
            self.0.resolve(context);
            self.0.emit(answered, answered.answer.usage);
            Ok(())
        })
    }

    fn text(&self) {
        if let Some(operation) = &self.0.operation {
            operation.text();
        }
    }

    fn streamed(&self, answered: &Arc<Answered>) {
        self.0.over(answered);
    }
}

impl Watch for Emission {
    fn answered<'a>(
        self: Arc<Self>,
        context: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        if let Some(answered) = self.resolve(context) {
            self.over(&answered);
        }
        Box::pin(async { Ok(()) })
    }
}

impl fmt::Debug for Emission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emission").field("call", &self.call).finish_non_exhaustive()
    }
}
