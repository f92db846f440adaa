//! `<quota-by-key>`: a budget of calls, of bytes or of both for a key.
//!
//! Policies that use a value as key and have the same periods share its counter, wherever they
//! stand, and a request is charged to it once. An expression for the condition or the count is
//! evaluated when the response is final.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/quota-by-key-policy>

use std::sync::Arc;

use document::Diagnostic;
use pipeline::{
    Attr, CompileCx, Computed, Context, Element, Flow, PolicyError, PolicyKind, Scopes, Sections,
    Settle, Step, ValueType, Waiting,
};
use state::{Period, Quota, QuotaCharge, QuotaStandings, StoreFailure};
use transport::BoxFuture;

use crate::increment::{CONDITION, COUNT, Increment};
use crate::key;
use crate::numbers::{KeyRenewal, Moment};
use crate::quota::{BANDWIDTH, CALLS, Charge, Limit, refuse_if_exceeded};
use crate::store::Store;
use crate::traffic::Traffic;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "quota-by-key",
    summary: "Gives a key a budget of calls, bytes or both.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[CALLS, BANDWIDTH, RENEWAL_PERIOD, COUNTER_KEY, CONDITION, COUNT, FIRST_PERIOD_START],
    children: &[],
    compile,
};

const RENEWAL_PERIOD: Attr = Attr::required("renewal-period")
    .of(ValueType::Seconds)
    .doc("The period in seconds, at least 300; 0: it never ends.");
const COUNTER_KEY: Attr =
    Attr::required("counter-key").expressions().null_is_empty().doc("What is counted together.");
const FIRST_PERIOD_START: Attr = Attr::optional("first-period-start", "0001-01-01T00:00:00Z")
    .doc("When the first period begins, as `yyyy-MM-ddTHH:mm:ssZ`.");

#[derive(Debug)]
struct QuotaByKey(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    limit: Limit,
    period: Period,
    /// The counter of the period within those of the key.
    member: String,
    key: Computed<String>,
    increment: Increment,
    store: Store,
}

fn compile(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Step, Diagnostic> {
    let KeyRenewal(length) = cx.literal(element, &RENEWAL_PERIOD)?;
    let start: Option<Moment> = cx.literal_if(element, &FIRST_PERIOD_START)?;
    let period = start.unwrap_or(Moment::YEAR_ONE).period(length);
    let member = match length {
        None => "0".to_owned(),
        Some(length) => {
            let length_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX).max(1);
            format!("{}/{}", length.as_secs(), period.origin_ms.rem_euclid(length_ms))
        }
    };
    let budget = Budget {
        limit: Limit::compile(element, cx, length)?,
        period,
        member,
        key: cx.attr(element, &COUNTER_KEY)?,
        increment: Increment::compile(element, cx)?,
        store: Store::of_quotas(cx),
    };
    let reads = budget.key.uses().union(budget.increment.reads());
    Ok(Step::waiting(QuotaByKey(Arc::new(budget))).reading(reads))
}

/// What a request was charged to already.
#[derive(Clone, Debug, Default)]
struct Counted {
    calls: Vec<Counter>,
    bytes: Vec<Counter>,
}

/// A counter that a request was charged to, and with how much.
#[derive(Clone, Debug)]
struct Counter {
    group: String,
    member: String,
    count: u64,
}

impl Counted {
    fn of(context: &mut Context) -> &mut Counted {
        context.request.extensions.get_or_insert_default()
    }
}

/// Notes a counter; gives whether it was not there before.
fn is_first(noted: &mut Vec<Counter>, group: &str, member: &str, count: u64) -> bool {
    let is_new = !noted.iter().any(|it| it.group == group && it.member == member);
    if is_new {
        noted.push(Counter { group: group.to_owned(), member: member.to_owned(), count });
    }
    is_new
}

impl Budget {
    /// The quota. What the request itself was charged with before is no reason to refuse it.
    fn quotas(&self, charged: u64) -> [Quota<'_>; 1] {
        let Limit { calls, bytes, .. } = self.limit;
        let calls = calls.map(|it| it.saturating_add(charged));
        [Quota { member: &self.member, calls, bytes, period: self.period }]
    }

    /// What to charge now: nothing if that is known at the end, or if it was charged before; and
    /// what was charged before.
    fn charge(&self, context: &mut Context, group: &str) -> (QuotaCharge, u64) {
        let mut counted = Counted::of(context).calls.iter();
        match counted.find(|it| it.group == group && it.member == self.member) {
            Some(counter) => (QuotaCharge::IfRoom(0), counter.count),
            None => (QuotaCharge::IfRoom(self.increment.now().unwrap_or(0).into()), 0),
        }
    }

    fn conclude(
        self: &Arc<Self>,
        context: &mut Context,
        group: String,
        charge: QuotaCharge,
        answer: Result<QuotaStandings, StoreFailure>,
    ) -> Result<Flow, PolicyError> {
        if let Some(standings) = self.store.judge(answer)? {
            refuse_if_exceeded(&standings)?;
        }
        if let QuotaCharge::IfRoom(count @ 1..) = charge {
            is_first(&mut Counted::of(context).calls, &group, &self.member, count);
        }
        let counts_bytes = self.limit.bytes.is_some();
        let is_postponed = self.increment.now().is_none() || counts_bytes;
        if is_postponed && !self.increment.is_never() {
            let traffic = counts_bytes.then(|| Traffic::begin(context));
            let budget = Arc::clone(self);
            context.settle_later(Arc::new(Postponed { budget, group, traffic }));
        }
        Ok(Flow::Next)
    }
}

impl Waiting for QuotaByKey {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let group = key::group(&self.0.key.borrow(context)?);
        let (charge, charged) = self.0.charge(context, &group);
        let (now, quotas) = (context.services.clock.now(), self.0.quotas(charged));
        let answer = self.0.store.quotas(now, &group, &quotas, charge).get().await;
        self.0.conclude(context, group, charge, answer)
    }

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError> {
        if !self.0.store.is_here() {
            return Ok(None);
        }
        let group = key::group(&self.0.key.borrow(context)?);
        let (charge, charged) = self.0.charge(context, &group);
        let (now, quotas) = (context.services.clock.now(), self.0.quotas(charged));
        let reply = self.0.store.quotas(now, &group, &quotas, charge);
        let Some(answer) = reply.now() else { return Ok(None) };
        self.0.conclude(context, group, charge, answer).map(Some)
    }
}

/// A charge that is known when the response is final, or through.
#[derive(Debug)]
struct Postponed {
    budget: Arc<Budget>,
    group: String,
    traffic: Option<Traffic>,
}

impl Settle for Postponed {
    fn settle<'a>(self: Arc<Self>, context: &'a mut Context) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(count) = self.budget.increment.at_end(context).await else { return };
            let (budget, group, member) = (&self.budget, &self.group, &self.budget.member);
            let is_postponed = budget.increment.now().is_none();
            let counted = &mut Counted::of(context).calls;
            if is_postponed && is_first(counted, group, member, count.into()) {
                let charge = QuotaCharge::Always { calls: count.into(), bytes: 0 };
                let (now, quotas) = (context.services.clock.now(), budget.quotas(0));
                budget.store.note(budget.store.quotas(now, group, &quotas, charge).get().await);
            }
            if let Some(traffic) = &self.traffic
                && is_first(&mut Counted::of(context).bytes, group, member, 0)
            {
                let counters = vec![(member.clone(), budget.period)];
                let charge = Charge::new(context, &budget.store, group.clone(), counters);
                traffic.finish(context, move |bytes| charge.spend(bytes));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::test_support::World;

    const KEY: &str = r#"counter-key="k" renewal-period="300""#;

    #[test]
    fn a_request_is_charged_once_to_a_key_whatever_runs() {
        let mut world = World::new();
        let two = format!("<quota-by-key calls='2' {KEY} /><quota-by-key calls='9' {KEY} />");
        assert_eq!(world.answers(&two, 3), [200, 200, 403]);
        world.clock.advance(Duration::from_secs(300));
        let turned = format!("<quota-by-key calls='9' {KEY} /><quota-by-key calls='2' {KEY} />");
        assert_eq!(world.answers(&turned, 3), [200, 200, 403]);
        let late = format!(
            "<quota-by-key calls='9' {KEY} increment-count='@(context.Request.Method.Length)' />"
        );
        world.clock.advance(Duration::from_secs(300));
        assert_eq!(world.answers(&format!("{late}{two}{late}"), 3), [200, 200, 403]);
    }

    #[test]
    fn the_first_of_several_counts_at_the_end_wins() {
        let mut world = World::new();
        let of = |count| {
            format!(
                "<quota-by-key calls='6' {KEY} increment-count='@(context.Request.Method.Length * {count})' />"
            )
        };
        assert_eq!(world.answers(&format!("{}{}", of(1), of(2)), 3), [200, 200, 403]);
    }

    #[test]
    fn periods_are_counted_apart_and_from_their_start() {
        let mut world = World::new();
        let one = format!("<quota-by-key calls='1' {KEY} />");
        let other = r#"<quota-by-key calls="1" counter-key="k" renewal-period="600" />"#;
        assert_eq!(world.answers(&one, 2), [200, 403]);
        assert_eq!(world.answers(other, 2), [200, 403]);
        world.clock.advance(Duration::from_secs(300));
        assert_eq!((world.answers(&one, 1), world.answers(other, 1)), (vec![200], vec![403]));
    }

    #[test]
    fn bytes_are_charged_when_the_response_is_through() {
        let mut world = World::new();
        let kilobyte = format!("<quota-by-key bandwidth='1' {KEY} />");
        world.body = "x".repeat(700);
        assert_eq!(world.answers(&kilobyte, 3), [200, 200, 403]);
    }
}
