//! What was reserved for a call, until it is settled: by the usage that is told, by what was read of
//! a stream, by nothing if no backend answered.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use llm::{Answer, Format, Tokenizer, count_completion};
use pipeline::{Context, PolicyError};
use state::{TokenCall, TokenCharge, TokenQuota, TokenRate, TokenStanding};
use transport::{BoxFuture, Clock};

use super::Limit;
use super::period::QuotaPeriod;
use crate::{Answered, Listener, ModelCall};

const MINUTE: Duration = Duration::from_secs(60);
/// Longer texts are counted beside the worker.
const MAX_BYTES_HERE: usize = 64 << 10;

/// A limit as it is for one request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) group: String,
    pub(super) per_minute: Option<u64>,
    pub(super) quota: Option<(u64, QuotaPeriod)>,
}

impl Asked {
    /// The question to the store, in the period that is now.
    pub(super) fn call(&self, charge: TokenCharge, clock: &dyn Clock) -> TokenCall<'_> {
        let now = clock.now();
        let quota = self.quota.map(|(tokens, period)| {
            let (start_ms, end_ms) = period.around(now);
            TokenQuota { member: period.member(), tokens, start_ms, end_ms }
        });
        TokenCall {
            group: &self.group,
            rate: self.per_minute.map(|tokens| TokenRate { tokens, period: MINUTE }),
            quota,
            charge,
            now: clock.monotonic(),
            now_ms: limits::unix_ms(now),
        }
    }
}

/// What was taken before the call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charged {
    /// Charged: the estimated prompt, or nothing.
    pub(super) prompt: u64,
    /// Held beside it.
    pub(super) hold: u64,
    pub(super) slot: u64,
}

/// What is still to be settled. Dropped unsettled (the client has gone before there was an answer)
/// it charges all that was expected: the model may well have worked.
#[derive(Debug)]
pub(super) struct Reservation {
    limit: Arc<Limit>,
    asked: Asked,
    /// None: nothing was taken, or it is settled.
    charged: Option<Charged>,
    clock: Arc<dyn Clock>,
}

impl Reservation {
    pub(super) fn new(
        limit: Arc<Limit>,
        asked: Asked,
        charged: Option<Charged>,
        clock: Arc<dyn Clock>,
    ) -> Reservation {
        Reservation { limit, asked, charged, clock }
    }

    /// Settles; gives how the limit stands then, if that is known.
    async fn settle(mut self, tokens: u64) -> Option<TokenStanding> {
        let charged = self.charged.take()?;
        let call = self.asked.call(settlement(charged, tokens), &*self.clock);
        let answer = self.limit.store.tokens(call).get().await;
        // A store that cannot be reached loses this charge; the log tells, a later check decides.
        self.limit.store.judge(answer).ok().flatten()
    }

    /// Settles from where nobody can wait: at once if the store is here.
    fn settle_behind(mut self, tokens: u64) {
        let Some(charged) = self.charged.take() else { return };
        self.charge_behind(charged, tokens);
    }

    fn charge_behind(&mut self, charged: Charged, tokens: u64) {
        let charge = settlement(charged, tokens);
        if self.limit.store.is_here() {
            let call = self.asked.call(charge, &*self.clock);
            if let Some(answer) = self.limit.store.tokens(call).now() {
                self.limit.store.note(answer);
            }
            return;
        }
        let asked = Asked {
            group: std::mem::take(&mut self.asked.group),
            per_minute: self.asked.per_minute,
            quota: self.asked.quota,
        };
        let (limit, clock) = (Arc::clone(&self.limit), Arc::clone(&self.clock));
        self.limit.background.spawn(async move {
            let answer = limit.store.tokens(asked.call(charge, &*clock)).get().await;
            limit.store.note(answer);
        });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(charged) = self.charged.take() {
            self.charge_behind(charged, charged.prompt.saturating_add(charged.hold));
        }
    }
}

/// What is charged beyond what was: what was used, less what was charged.
fn settlement(charged: Charged, tokens: u64) -> TokenCharge {
    let signed = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    let charge = signed(tokens).saturating_sub(signed(charged.prompt));
    TokenCharge::Settle { charge, hold: charged.hold, slot: charged.slot }
}

/// Settles a reservation when the answer is known.
pub(super) struct Settled {
    limit: Arc<Limit>,
    reservation: Mutex<Option<Reservation>>,
    format: Format,
    tokenizer: Tokenizer,
    models: Vec<String>,
    /// Estimated tokens of the prompt; 0 if it was not estimated.
    prompt: u64,
}

impl Settled {
    pub(super) fn new(reservation: Reservation, call: &ModelCall, prompt: u64) -> Settled {
        Settled {
            limit: Arc::clone(&reservation.limit),
            reservation: Mutex::new(Some(reservation)),
            format: call.format,
            tokenizer: call.tokenizer(None),
            models: call.models.clone(),
            prompt,
        }
    }

    fn take(&self) -> Option<Reservation> {
        self.reservation.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What an answer used if it says so; else the prompt, if the backend took it.
    fn told(&self, answered: &Answered) -> u64 {
        match answered.answer.usage {
            Some(usage) => usage.total_tokens,
            None if answered.status.is_success() => self.prompt,
            None => 0,
        }
    }

    fn note(&self, answered: &Answered, completion_tokens: u64) {
        let is_completion = answered.status.is_success()
            && !matches!(self.format, Format::Embeddings | Format::Unknown);
        if is_completion {
            self.limit.usual.note(completion_tokens);
        }
    }
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settled").field("models", &self.models).finish_non_exhaustive()
    }
}

impl Listener for Settled {
    fn answered<'a>(
        &'a self,
        context: &'a mut Context,
        answered: &'a Answered,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        Box::pin(async move {
            let tokens = self.told(answered);
            if let Some(usage) = answered.answer.usage {
                self.note(answered, usage.total_tokens.saturating_sub(usage.prompt_tokens));
            }
            if let Some(reservation) = self.take()
                && let Some(standing) = reservation.settle(tokens).await
            {
                self.limit.report.remaining(context, &standing);
            }
            self.limit.report.consumed(context, tokens);
            Ok(())
        })
    }

    fn streamed(&self, answered: &Arc<Answered>) {
        let Some(reservation) = self.take() else { return };
        let answer = &answered.answer;
        if let Some(usage) = answer.usage.filter(|_| is_final(answered)) {
            self.note(answered, usage.total_tokens.saturating_sub(usage.prompt_tokens));
            reservation.settle_behind(usage.total_tokens);
            return;
        }
        if !answered.status.is_success() {
            reservation.settle_behind(self.told(answered));
            return;
        }
        let names = self.models.iter().map(String::as_str).chain(answer.model.as_deref());
        let tokenizer = Tokenizer::of_models(names);
        let (known, prompt) = (answer.usage.map(|it| it.total_tokens), self.prompt);
        let count = move |answer: &Answer| {
            let counted = prompt.saturating_add(count_completion(answer, tokenizer));
            known.unwrap_or(0).max(counted)
        };
        let n_bytes: usize = answer
            .completions
            .iter()
            .map(|it| it.text.len() + it.reasoning.len() + it.tools.len())
            .sum();
        let is_quick =
            self.tokenizer == tokenizer && tokenizer.is_loaded() && n_bytes <= MAX_BYTES_HERE;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            reservation.settle_behind(count(answer));
            return;
        };
        if is_quick {
            reservation.settle_behind(count(answer));
            return;
        }
        let answered = Arc::clone(answered);
        let background = Arc::clone(&self.limit.background);
        let counting = runtime.spawn_blocking(move || count(&answered.answer));
        background.spawn(async move {
            let tokens = counting.await.unwrap_or(prompt);
            reservation.settle(tokens).await;
        });
    }

    fn unanswered<'a>(&'a self, context: &'a mut Context) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Some(reservation) = self.take()
                && let Some(standing) = reservation.settle(0).await
            {
                self.limit.report.remaining(context, &standing);
            }
            self.limit.report.estimated(context, 0);
        })
    }
}

/// Whether a stream's usage is that of the whole answer: some tell it as they go on.
fn is_final(answered: &Answered) -> bool {
    answered.ending == crate::Ending::Whole
}
