//! `<llm-token-limit>` and `<azure-openai-token-limit>`: so many tokens a minute, in a period of the
//! calendar, or both.
//!
//! Tokens are known after the call. Without estimation a call passes while there is a token left,
//! and what it used is charged to those after it; with estimation (and for a stream, always) the
//! prompt must fit. Beside that, what a call is expected to use is held while it runs, unseen: calls
//! at the same time find that much less room, so that together they do not go beyond the limit by
//! more than they were misjudged.
//!
//! A realtime session (WebSocket) begins while there is a token left. Each of its answers is charged
//! when it is done; when nothing is left, the next message of the client ends the session with 1008.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/llm-token-limit-policy>,
//! <https://learn.microsoft.com/azure/api-management/azure-openai-token-limit-policy>

mod numbers;
mod period;
mod refusal;
mod report;
mod reservation;
mod session;
mod usual;

use std::sync::Arc;

use document::Diagnostic;
use expr::Uses;
use limits::Store;
use pipeline::{
    Attr, Background, CompileCx, Computed, Context, Element, Flow, PolicyError, PolicyKind, Scopes,
    Sections, Step, ValueType, Waiting, codes,
};
use state::TokenCharge;

use crate::{ModelCall, listen};
use numbers::Tokens;
use period::QuotaPeriod;
use report::{
    CONSUMED_HEADER, CONSUMED_VARIABLE, OLD_CONSUMED_HEADER, OLD_CONSUMED_VARIABLE,
    REMAINING_HEADER, REMAINING_QUOTA_HEADER, REMAINING_QUOTA_VARIABLE, REMAINING_VARIABLE,
    RETRY_AFTER_HEADER, RETRY_AFTER_VARIABLE, Report,
};
use reservation::{Asked, Charged, Reservation};
use session::Session;
use usual::Usual;

/// `<llm-token-limit>`.
pub(crate) const LLM: PolicyKind = PolicyKind {
    name: "llm-token-limit",
    summary: "Lets a key use so many tokens of a model in a minute or a longer period.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[
        COUNTER_KEY,
        PER_MINUTE,
        QUOTA,
        QUOTA_PERIOD,
        ESTIMATE,
        TOOLKIT_ESTIMATE,
        RETRY_AFTER_HEADER,
        RETRY_AFTER_VARIABLE,
        REMAINING_QUOTA_HEADER,
        REMAINING_QUOTA_VARIABLE,
        REMAINING_HEADER,
        REMAINING_VARIABLE,
        CONSUMED_HEADER,
        CONSUMED_VARIABLE,
        OLD_CONSUMED_HEADER,
        OLD_CONSUMED_VARIABLE,
    ],
    children: &[],
    compile,
};

/// `<azure-openai-token-limit>`: the same.
pub(crate) const AZURE_OPENAI: PolicyKind = PolicyKind { name: "azure-openai-token-limit", ..LLM };

const COUNTER_KEY: Attr =
    Attr::required("counter-key").expressions().null_is_empty().doc("What is counted together.");
const PER_MINUTE: Attr = Attr::absent_by_default("tokens-per-minute")
    .expressions()
    .of(ValueType::Integer)
    .doc("Tokens of prompts and completions that are allowed in a minute.");
const QUOTA: Attr = Attr::absent_by_default("token-quota")
    .expressions()
    .of(ValueType::Integer)
    .doc("Tokens that are allowed in the period.");
const QUOTA_PERIOD: Attr = Attr::absent_by_default("token-quota-period")
    .expressions()
    .one_of(&["Hourly", "Daily", "Weekly", "Monthly", "Yearly"])
    .doc("The period of the quota: of the calendar, in UTC; a week begins on Monday.");
const ESTIMATE: Attr = Attr::optional("estimate-prompt-tokens", "false")
    .expected()
    .of(ValueType::Boolean)
    .doc("Whether the prompt is counted before the call and must fit; for streams it always is.");

const TOOLKIT_ESTIMATE: Attr = Attr::absent_by_default("estimate-prompt-token")
    .excludes(&["estimate-prompt-tokens"])
    .of(ValueType::Boolean)
    .doc("How Microsoft's policy toolkit spells `estimate-prompt-tokens`.");

#[derive(Debug)]
struct TokenLimit(Arc<Limit>);

/// The policy as it stands in the document.
#[derive(Debug)]
struct Limit {
    key: Computed<String>,
    per_minute: Option<Computed<Tokens>>,
    quota: Option<(Computed<Tokens>, Computed<QuotaPeriod>)>,
    estimates: bool,
    report: Report,
    usual: Usual,
    store: Store,
    background: Arc<Background>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Step, Diagnostic> {
    let key = cx.attr(element, &COUNTER_KEY)?;
    let per_minute = cx.attr_if(element, &PER_MINUTE)?;
    let quota = match (cx.attr_if(element, &QUOTA)?, cx.attr_if(element, &QUOTA_PERIOD)?) {
        (Some(quota), Some(period)) => Some((quota, period)),
        (None, None) if per_minute.is_some() => None,
        (None, None) => {
            let message =
                format!("`{}` needs `tokens-per-minute` or `token-quota`", element.name());
            return Err(cx
                .refuse(element, codes::ONE_OF_ATTRIBUTES, message)
                .label("limits nothing"));
        }
        (quota, _) => {
            let missing = if quota.is_some() { &QUOTA_PERIOD } else { &QUOTA };
            let message = "`token-quota` and `token-quota-period` need each other";
            let label = format!("`{}` is missing", missing.name());
            return Err(cx.refuse(element, codes::ONE_OF_ATTRIBUTES, message).label(label));
        }
    };
    let store = if quota.is_some() { Store::of_quotas(cx) } else { Store::of(cx) };
    let limit = Limit {
        estimates: estimates(element, cx)?,
        report: Report::compile(element, cx)?,
        usual: Usual::default(),
        background: cx.shared(),
        key,
        per_minute,
        quota,
        store,
    };
    let reads = limit.reads();
    Ok(Step::waiting(TokenLimit(Arc::new(limit))).reading(reads))
}

/// Whether the prompt is counted before the call, under either name.
fn estimates(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<bool, Diagnostic> {
    let toolkit: Option<bool> = cx.literal_if(element, &TOOLKIT_ESTIMATE)?;
    if toolkit.is_some() {
        let message = format!("`{}` is called `{}`", TOOLKIT_ESTIMATE.name(), ESTIMATE.name());
        let span = element.attr_span(&TOOLKIT_ESTIMATE);
        cx.report(Diagnostic::warning(codes::NOT_PORTABLE, span, message));
    }
    let estimates: bool = cx.literal(element, &ESTIMATE)?;
    Ok(toolkit.unwrap_or(estimates))
}

impl Limit {
    fn reads(&self) -> Uses {
        let quota =
            self.quota.as_ref().map_or(Uses::NONE, |(n, period)| n.uses().union(period.uses()));
        let per_minute = self.per_minute.as_ref().map_or(Uses::NONE, Computed::uses);
        self.key.uses().union(per_minute).union(quota)
    }

    /// The limit for this request.
    fn asked(&self, context: &Context) -> Result<Asked, PolicyError> {
        let per_minute = match &self.per_minute {
            Some(it) => Some(it.get(context)?.0),
            None => None,
        };
        let quota = match &self.quota {
            Some((tokens, period)) => Some((tokens.get(context)?.0, period.get(context)?)),
            None => None,
        };
        let group = limits::group_of_key(&self.key.borrow(context)?);
        Ok(Asked { group, per_minute, quota })
    }
}

impl TokenLimit {
    /// Refuses if nothing is left, and tells what is; charges nothing. Gives the counters' slot.
    async fn look(&self, context: &mut Context, asked: &Asked) -> Result<u64, PolicyError> {
        let limit = &self.0;
        let clock = Arc::clone(&context.services.clock);
        let charge = TokenCharge::Reserve { needed: 0, charge: 0, hold: 0 };
        let answer = limit.store.tokens(asked.call(charge, &*clock)).get().await;
        let standing = limit.store.judge(answer)?;
        if let Some(standing) = &standing {
            let quota_wait = asked.quota.map(|(_, period)| period.left(clock.now()));
            limit.report.tell(context, standing, quota_wait)?;
        }
        Ok(standing.map_or(0, |it| it.slot))
    }

    /// A realtime session: it begins if there is a token left, and its answers are charged as they
    /// are done.
    async fn begin_session(
        &self,
        context: &mut Context,
        asked: Asked,
    ) -> Result<Flow, PolicyError> {
        let limit = &self.0;
        let clock = Arc::clone(&context.services.clock);
        let slot = self.look(context, &asked).await?;
        let session = Session::new(Arc::clone(limit), asked, slot, clock);
        context.watch_messages(Arc::new(session));
        Ok(Flow::Next)
    }
}

impl Waiting for TokenLimit {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let limit = &self.0;
        let asked = limit.asked(context)?;
        if context.is_handshake() {
            return self.begin_session(context, asked).await;
        }
        let call = ModelCall::of(context).await?;
        if call.is_lookup(context) {
            return self.look(context, &asked).await.map(|_| Flow::Next);
        }
        let estimates = limit.estimates || call.is_stream;
        let prompt = if estimates { call.count_prompt().await } else { 0 };
        let unseen = if estimates { 0 } else { call.rough_prompt_tokens };
        let hold = limit.usual.completion(&call).saturating_add(unseen);
        let charge = TokenCharge::Reserve { needed: prompt, charge: prompt, hold };
        let clock = Arc::clone(&context.services.clock);
        let answer = limit.store.tokens(asked.call(charge, &*clock)).get().await;
        let charged = match limit.store.judge(answer)? {
            Some(standing) => {
                let quota_wait = asked.quota.map(|(_, period)| period.left(clock.now()));
                limit.report.tell(context, &standing, quota_wait)?;
                Some(Charged { prompt, hold, slot: standing.slot })
            }
            // The store could not answer, and the settings let the request pass uncounted.
            None => None,
        };
        limit.report.estimated(context, prompt);
        let reservation = Reservation::new(Arc::clone(limit), asked, charged, clock);
        let settled = reservation::Settled::new(reservation, &call, prompt);
        listen(context, &call, Arc::new(settled));
        Ok(Flow::Next)
    }
}
