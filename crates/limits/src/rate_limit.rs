//! `<rate-limit>`: so many calls of a subscription in a short time.
//!
//! Each subscription has a counter for the scope of the policy, and one for each API and
//! operation that the policy names; a request is charged to all that it is subject to, or to
//! none. Calls without a subscription are not limited.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/rate-limit-policy>

use std::time::Duration;

use document::Diagnostic;
use pipeline::{
    Attr, Child, CompileCx, Context, Element, Flow, PolicyError, PolicyKind, Scope, Scopes,
    Sections, Step, ValueType, Waiting,
};
use smallvec::SmallVec;
use state::{Charge, Rate, Standings, StoreFailure};

use crate::numbers::{Calls, Window};
use crate::report::{
    REMAINING_HEADER, REMAINING_VARIABLE, RETRY_AFTER_HEADER, RETRY_AFTER_VARIABLE, Report,
    TOTAL_HEADER,
};
use crate::store::Store;
use crate::subject::{self, ID, NAME, Tree};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "rate-limit",
    summary: "Lets a subscription make so many calls in a short time.",
    sections: Sections::INBOUND.once(),
    scopes: Scopes::ALL.without(Scope::Global).without(Scope::Workspace),
    attrs: &[
        CALLS,
        RENEWAL_PERIOD,
        RETRY_AFTER_HEADER,
        RETRY_AFTER_VARIABLE,
        REMAINING_HEADER,
        REMAINING_VARIABLE,
        TOTAL_HEADER,
    ],
    children: &[API],
    compile,
};

const CALLS: Attr =
    Attr::required("calls").of(ValueType::Integer).doc("Calls that are allowed in the period.");
const RENEWAL_PERIOD: Attr = Attr::required("renewal-period")
    .of(ValueType::Seconds)
    .doc("The period in seconds, from 1 to 300.");
const API: Child = Child::repeated("api")
    .attrs(&[NAME, ID, CALLS, RENEWAL_PERIOD])
    .children(&[OPERATION])
    .doc("A limit for one API.");
const OPERATION: Child = Child::repeated("operation")
    .attrs(&[NAME, ID, CALLS, RENEWAL_PERIOD])
    .empty()
    .doc("A limit for one operation of the API.");

#[derive(Debug)]
struct RateLimit {
    limits: Tree<Limit>,
    report: Report,
    scope: Scope,
    store: Store,
}

/// The limits that a request is subject to.
type Rates<'a> = SmallVec<[Rate<'a>; 4]>;

#[derive(Debug)]
struct Limit {
    calls: u32,
    period: Duration,
}

fn compile(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Step, Diagnostic> {
    Ok(Step::waiting(RateLimit {
        limits: Tree::compile(element, cx, [&API, &OPERATION], limit)?,
        report: Report::compile(element, cx)?,
        scope: cx.scope(),
        store: Store::of(cx),
    }))
}

fn limit(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Limit, Diagnostic> {
    let Calls(calls) = cx.literal(element, &CALLS)?;
    let Window(period) = cx.literal(element, &RENEWAL_PERIOD)?;
    Ok(Limit { calls, period })
}

impl RateLimit {
    fn rates<'a>(&'a self, context: &Context) -> Rates<'a> {
        let rate = |(member, it): (&'a str, &'a Limit)| Rate {
            member,
            calls: it.calls,
            period: it.period,
        };
        self.limits.of(context).map(rate).collect()
    }

    fn conclude(
        &self,
        context: &mut Context,
        answer: Result<Standings, StoreFailure>,
    ) -> Result<Flow, PolicyError> {
        if let Some(standings) = self.store.judge(answer)? {
            self.report.tell(context, self.limits.own.calls, &standings)?;
        }
        Ok(Flow::Next)
    }
}

impl Waiting for RateLimit {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Some(group) = subject::group(context, self.scope) else { return Ok(Flow::Next) };
        let rates = self.rates(context);
        let answer = self.store.rates(context, &group, &rates, Charge::IfRoom(1)).get().await;
        self.conclude(context, answer)
    }

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError> {
        let Some(group) = subject::group(context, self.scope) else {
            return Ok(Some(Flow::Next));
        };
        if !self.store.is_here() {
            return Ok(None);
        }
        let rates = self.rates(context);
        let reply = self.store.rates(context, &group, &rates, Charge::IfRoom(1));
        let Some(answer) = reply.now() else { return Ok(None) };
        self.conclude(context, answer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use state::{Algorithm, Limits, MemoryCounters, OnStoreFailure};

    use crate::test_support::World;

    const THREE: &str = r#"<rate-limit calls="3" renewal-period="60" />"#;

    #[test]
    fn subscriptions_are_limited_apart_and_callers_without_one_not_at_all() {
        let mut world = World::new();
        assert_eq!(world.answers(THREE, 4), [200, 200, 200, 429]);
        world.subscription = Some("other");
        assert_eq!(world.answers(THREE, 1), [200]);
        world.subscription = None;
        assert_eq!(world.answers(THREE, 9), [200; 9]);
        world.subscription = Some("acme");
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(world.answers(THREE, 1), [200]);
    }

    #[test]
    fn apis_and_operations_have_limits_of_their_own_and_a_refusal_charges_none() {
        let policy = r#"
<rate-limit calls="5" renewal-period="60">
    <api id="CHAT" calls="3" renewal-period="60">
        <operation name="Complete it" calls="9" renewal-period="60" />
        <operation id="complete" calls="1" renewal-period="60" />
    </api>
    <api name="The images" calls="2" renewal-period="60" />
    <api name="chat" calls="0" renewal-period="60" />
</rate-limit>"#;
        let mut world = World::new();
        assert_eq!(world.answers(policy, 2), [200, 429], "the operation allows one");
        world.operation = "list";
        assert_eq!(world.answers(policy, 3), [200, 200, 429], "the API allows three");
        (world.api, world.operation) = ("images", "draw");
        assert_eq!(world.answers(policy, 3), [200, 200, 429], "five in all");
    }

    #[test]
    fn both_algorithms_limit() {
        let of = |algorithm| {
            let counters = Arc::new(MemoryCounters::new(10));
            World::with(Limits::new(counters, algorithm, OnStoreFailure::Refuse))
        };
        for (algorithm, after) in [(Algorithm::SlidingWindow, 429), (Algorithm::TokenBucket, 200)] {
            let mut world = of(algorithm);
            assert_eq!(world.answers(THREE, 4), [200, 200, 200, 429]);
            world.clock.advance(Duration::from_secs(20));
            assert_eq!(world.answers(THREE, 1), [after], "{algorithm:?}");
        }
    }

    #[test]
    fn a_limit_that_cannot_be_looked_up_passes_or_refuses_as_set_up() {
        for (on_failure, expected) in [(OnStoreFailure::Allow, 200), (OnStoreFailure::Refuse, 503)]
        {
            let full = Arc::new(MemoryCounters::new(0));
            let mut world = World::with(Limits::new(full, Algorithm::default(), on_failure));
            let context = world.send(&format!("{THREE}<quota calls='1' renewal-period='60' />"));
            assert_eq!(context.response.unwrap().status.as_u16(), expected);
            let metrics: Arc<telemetry::Metrics> = context.services.extensions().shared();
            let n = if expected == 200 { 2 } else { 1 };
            let text = format!("portcullis_limit_store_failures_total {n}\n");
            assert!(metrics.prometheus().contains(&text), "{}", metrics.prometheus());
            if expected == 503 {
                let error = context.last_error.unwrap();
                assert_eq!(error.reason.as_deref(), Some("CounterStoreUnavailable"));
            }
        }
    }

    #[test]
    fn a_limit_of_what_there_is_not_is_a_warning() {
        let world = World::with_names();
        let of = |api: &str, operation: &str| {
            let rest = r#"calls="1" renewal-period="1""#;
            let operation = match operation {
                "" => String::new(),
                it => format!("<operation {it} {rest} />"),
            };
            let inner = format!("<api {api} {rest}>{operation}</api>");
            world.problems(&format!("<rate-limit {rest}>{inner}</rate-limit>"))
        };
        for (api, operation, warning) in [
            (r#"id="CHAT""#, r#"name="Complete it""#, ""),
            (r#"name="The chat""#, r#"id="complete""#, ""),
            (r#"id="chats""#, r#"id="complete""#, "there is no API with the id `chats`"),
            (r#"name="chat""#, "", "there is no API with the name `chat`"),
            (r#"id="chat""#, r#"id="list""#, "there is no operation with the id `list`"),
        ] {
            let expected = format!("PC0431 the limit applies to nothing: {warning}");
            let expected = if warning.is_empty() { vec![] } else { vec![expected] };
            assert_eq!(of(api, operation), expected, "{api} {operation}");
        }
        let none_known = World::new();
        assert_eq!(none_known.problems(r#"<rate-limit calls="1" renewal-period="1"><api id="x" calls="1" renewal-period="1" /></rate-limit>"#), [""; 0]);
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        let world = World::new();
        let of = |inner: &str| {
            let policy =
                format!(r#"<rate-limit calls="1" renewal-period="1">{inner}</rate-limit>"#);
            world.problems(&policy)
        };
        let twice = r#"<api id="a" calls="1" renewal-period="1" />"#;
        assert_eq!(of(&format!("{twice}{twice}")), ["PC0407 `api` has this limit twice"]);
        let nobody = r#"<api calls="1" renewal-period="1" />"#;
        assert_eq!(of(nobody), ["PC0425 `api` needs `name` or `id`"]);
        assert_eq!(of(r#"<api id="a" calls="1" />"#).len(), 1);
        assert_eq!(world.problems(r#"<rate-limit calls="x" renewal-period="1" />"#).len(), 1);
    }
}
