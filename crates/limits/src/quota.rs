//! `<quota>`: a budget of calls, of bytes or of both for a subscription.
//!
//! Its periods are counted from the start of the subscription. Calls are charged when the policy
//! runs; bytes when the response is through, so that the request that crosses the limit is the
//! last. Calls without a subscription have no quota.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/quota-policy>

use std::sync::Arc;
use std::time::Duration;

use document::Diagnostic;
use expr::value::DateTime;
use pipeline::{
    Attr, Background, Child, CompileCx, Context, Element, Flow, PolicyError, PolicyKind, Scope,
    Scopes, Sections, Settle, Step, ValueType, Waiting,
};
use smallvec::SmallVec;
use state::{Period, Quota, QuotaCharge, QuotaStanding, QuotaStandings, StoreFailure};
use transport::BoxFuture;

use crate::numbers::{Kilobytes, QuotaCalls, Renewal};
use crate::refusal;
use crate::store::Store;
use crate::subject::{self, ID, NAME, Tree};
use crate::traffic::Traffic;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "quota",
    summary: "Gives a subscription a budget of calls, bytes or both.",
    sections: Sections::INBOUND.once(),
    scopes: Scopes::ALL
        .without(Scope::Global)
        .without(Scope::Workspace)
        .without(Scope::Api)
        .without(Scope::Operation),
    attrs: &[CALLS, BANDWIDTH, RENEWAL_PERIOD],
    children: &[API],
    compile,
};

pub(crate) const CALLS: Attr = Attr::absent_by_default("calls")
    .of(ValueType::Integer)
    .doc("Calls that are allowed in the period.");
pub(crate) const BANDWIDTH: Attr = Attr::absent_by_default("bandwidth")
    .of(ValueType::Integer)
    .doc("Kilobytes that are allowed in the period, requests and responses together.");
const RENEWAL_PERIOD: Attr = Attr::required("renewal-period")
    .of(ValueType::Seconds)
    .doc("The period in seconds; 0: it never ends.");
const OWN_PERIOD: Attr = Attr::absent_by_default("renewal-period")
    .of(ValueType::Seconds)
    .doc("The period in seconds; without it that of the policy.");
const API: Child = Child::repeated("api")
    .attrs(&[NAME, ID, CALLS, BANDWIDTH, OWN_PERIOD])
    .children(&[OPERATION])
    .doc("A quota for one API.");
const OPERATION: Child = Child::repeated("operation")
    .attrs(&[NAME, ID, CALLS, BANDWIDTH, OWN_PERIOD])
    .empty()
    .doc("A quota for one operation of the API.");

#[derive(Debug)]
struct QuotaPolicy(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    limits: Tree<Limit>,
    scope: Scope,
    store: Store,
}

/// What is allowed, by calls and bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) calls: Option<u64>,
    pub(crate) bytes: Option<u64>,
    length: Option<Duration>,
}

impl Limit {
    /// Reads what is allowed; one of the two has to be there.
    pub(crate) fn compile(
        element: Element<'_>,
        cx: &mut CompileCx<'_>,
        length: Option<Duration>,
    ) -> Result<Limit, Diagnostic> {
        let calls: Option<QuotaCalls> = cx.literal_if(element, &CALLS)?;
        let bandwidth: Option<Kilobytes> = cx.literal_if(element, &BANDWIDTH)?;
        if calls.is_none() && bandwidth.is_none() {
            let message = format!("`{}` needs `calls`, `bandwidth` or both", element.name());
            return Err(cx.refuse(element, pipeline::codes::ONE_OF_ATTRIBUTES, message));
        }
        Ok(Limit { calls: calls.map(|it| it.0), bytes: bandwidth.map(|it| it.0), length })
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Step, Diagnostic> {
    let Renewal(length) = cx.literal(element, &RENEWAL_PERIOD)?;
    let read = |element: Element<'_>, cx: &mut CompileCx<'_>| {
        let own: Option<Renewal> = cx.literal_if(element, &OWN_PERIOD)?;
        Limit::compile(element, cx, own.map_or(length, |it| it.0))
    };
    Ok(Step::waiting(QuotaPolicy(Arc::new(Budget {
        limits: Tree::compile(element, cx, [&API, &OPERATION], read)?,
        scope: cx.scope(),
        store: Store::of_quotas(cx),
    }))))
}

/// .NET's ticks of 100 ns at 1970-01-01.
const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// The quotas that a request is subject to.
type Quotas<'a> = SmallVec<[Quota<'a>; 4]>;

impl Budget {
    fn quotas<'a>(&'a self, context: &Context) -> Quotas<'a> {
        let origin_ms = start_of_subscription(context);
        let quota = |(member, it): (&'a str, &'a Limit)| Quota {
            member,
            calls: it.calls,
            bytes: it.bytes,
            period: Period { origin_ms, length: it.length },
        };
        self.limits.of(context).map(quota).collect()
    }

    fn conclude(
        self: &Arc<Self>,
        context: &mut Context,
        group: String,
        answer: Result<QuotaStandings, StoreFailure>,
    ) -> Result<Flow, PolicyError> {
        if let Some(standings) = self.store.judge(answer)? {
            refuse_if_exceeded(&standings)?;
        }
        if self.quotas(context).iter().any(|it| it.bytes.is_some()) {
            let traffic = Traffic::begin(context);
            context.settle_later(Arc::new(Bytes { budget: Arc::clone(self), group, traffic }));
        }
        Ok(Flow::Next)
    }
}

/// The refusal that lasts longest, if any quota is used up.
pub(crate) fn refuse_if_exceeded(standings: &[QuotaStanding]) -> Result<(), PolicyError> {
    let exceeded = standings.iter().filter_map(|it| Some((it.exceeded?, it.wait)));
    let longest = exceeded.max_by_key(|(_, wait)| wait.unwrap_or(Duration::MAX));
    match longest {
        Some((exceeded, wait)) => Err(refusal::quota(exceeded, wait)),
        None => Ok(()),
    }
}

impl Waiting for QuotaPolicy {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Some(group) = subject::group(context, self.0.scope) else { return Ok(Flow::Next) };
        let quotas = self.0.quotas(context);
        let now = context.services.clock.now();
        let reply = self.0.store.quotas(now, &group, &quotas, QuotaCharge::IfRoom(1));
        let answer = reply.get().await;
        self.0.conclude(context, group, answer)
    }

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError> {
        let Some(group) = subject::group(context, self.0.scope) else {
            return Ok(Some(Flow::Next));
        };
        if !self.0.store.is_here() {
            return Ok(None);
        }
        let quotas = self.0.quotas(context);
        let now = context.services.clock.now();
        let reply = self.0.store.quotas(now, &group, &quotas, QuotaCharge::IfRoom(1));
        let Some(answer) = reply.now() else { return Ok(None) };
        self.0.conclude(context, group, answer).map(Some)
    }
}

/// The bytes of a request, charged when its response is through.
#[derive(Debug)]
struct Bytes {
    budget: Arc<Budget>,
    group: String,
    traffic: Traffic,
}

impl Settle for Bytes {
    fn settle<'a>(self: Arc<Self>, context: &'a mut Context) -> BoxFuture<'a, ()> {
        let all = self.budget.quotas(context).into_iter().filter(|it| it.bytes.is_some());
        let quotas = all.map(|it| (it.member.to_owned(), it.period)).collect();
        let charge = Charge::new(context, &self.budget.store, self.group.clone(), quotas);
        self.traffic.finish(context, move |bytes| charge.spend(bytes));
        Box::pin(async {})
    }
}

/// Charges bytes, from wherever a body ends.
#[derive(Debug)]
pub(crate) struct Charge {
    store: Store,
    group: String,
    counters: Vec<(String, Period)>,
    clock: Arc<dyn transport::Clock>,
    background: Arc<Background>,
}

impl Charge {
    pub(crate) fn new(
        context: &Context,
        store: &Store,
        group: String,
        counters: Vec<(String, Period)>,
    ) -> Charge {
        Charge {
            store: store.clone(),
            group,
            counters,
            clock: Arc::clone(&context.services.clock),
            background: context.services.extensions().shared(),
        }
    }

    /// At once if the store is here, else in the background.
    pub(crate) fn spend(self, bytes: u64) {
        let background = Arc::clone(&self.background);
        let is_here = self.store.is_here();
        let spent = async move {
            let mut quotas = Quotas::new();
            for (member, period) in &self.counters {
                quotas.push(Quota { member, calls: None, bytes: None, period: *period });
            }
            let charge = QuotaCharge::Always { calls: 0, bytes };
            let now = self.clock.now();
            let reply = self.store.quotas(now, &self.group, &quotas, charge);
            self.store.note(reply.get().await);
        };
        if is_here {
            finish_now(spent);
        } else {
            background.spawn(spent);
        }
    }
}

/// Runs a future that never waits.
pub(crate) fn finish_now(work: impl Future<Output = ()>) {
    let mut work = std::pin::pin!(work);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    // It is ready at the first look: the store is in this process.
    let _ = work.as_mut().poll(&mut cx);
}

/// The start of the request's subscription: its start date, else when it was made, else 1970.
fn start_of_subscription(context: &Context) -> i64 {
    let unix_ms = |it: DateTime| (it.ticks - UNIX_EPOCH_TICKS) / 10_000;
    let Some(subscription) = &context.subscription else { return 0 };
    let created = Some(subscription.created_date).filter(|it| it.ticks > 0);
    subscription.start_date.or(created).map_or(0, unix_ms)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::test_support::World;

    #[test]
    fn calls_are_counted_for_the_subscription_and_renewed_with_its_period() {
        let mut world = World::new();
        let two = r#"<quota calls="2" renewal-period="3600" />"#;
        assert_eq!(world.answers(two, 3), [200, 200, 403]);
        world.subscription = Some("other");
        assert_eq!(world.answers(two, 1), [200]);
        world.subscription = None;
        assert_eq!(world.answers(two, 3), [200; 3]);
        world.subscription = Some("acme");
        world.clock.advance(Duration::from_secs(3600));
        assert_eq!(world.answers(two, 3), [200, 200, 403]);
    }

    #[test]
    fn bytes_of_request_and_response_are_charged_when_it_is_through() {
        let mut world = World::new();
        world.body = "x".repeat(1000);
        let kilobyte = r#"<quota bandwidth="2" renewal-period="0" />"#;
        assert_eq!(world.answers(kilobyte, 3), [200, 200, 403]);
        let message = world.send(kilobyte).last_error.unwrap().message;
        assert_eq!(message, "Out of bandwidth quota.");
    }

    #[test]
    fn a_stream_is_charged_when_it_has_ended() {
        let mut world = World::new();
        world.streams = true;
        world.body = "x".repeat(2000);
        let kilobyte = r#"<quota bandwidth="1" renewal-period="0" />"#;
        let first = world.send(kilobyte);
        assert_eq!(world.answers(kilobyte, 1), [200], "nobody has read the first one yet");
        drop(first);
        world.read_all(kilobyte);
        assert_eq!(world.answers(kilobyte, 1), [403]);
    }

    #[test]
    fn parts_inherit_the_period_and_have_quotas_of_their_own() {
        let policy = r#"
<quota calls="5" renewal-period="3600">
    <api id="chat" calls="2">
        <operation id="complete" calls="1" renewal-period="60" />
    </api>
</quota>"#;
        let mut world = World::new();
        assert_eq!(world.answers(policy, 2), [200, 403]);
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(world.answers(policy, 2), [200, 403]);
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(world.answers(policy, 1), [403], "the API has had its two");
        let message = world.send(policy).last_error.unwrap().message;
        assert!(message.ends_with("replenished in 00:58:00."), "{message}");
        world.api = "images";
        assert_eq!(world.answers(policy, 4), [200, 200, 200, 403]);
    }

    #[test]
    fn a_quota_of_nothing_does_not_load() {
        let problems = World::new().problems(r#"<quota renewal-period="60" />"#);
        assert_eq!(problems, ["PC0425 `quota` needs `calls`, `bandwidth` or both"]);
    }
}
