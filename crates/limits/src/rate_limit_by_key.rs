//! `<rate-limit-by-key>`: so many calls of a key in a short time.
//!
//! All policies that use a value as key and have the same period share its counter, wherever
//! they stand; each that runs counts the request. Azure's page speaks of one counter per value;
//! what policies with different periods make of it there is not said, and here each period has
//! its own.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/rate-limit-by-key-policy>

use std::sync::Arc;
use std::time::Duration;

use document::Diagnostic;
use expr::Uses;
use pipeline::{
    Attr, CompileCx, Computed, Context, Element, Flow, PolicyError, PolicyKind, Scopes, Sections,
    Settle, Step, ValueType, Waiting,
};
use state::{Charge, Rate, Standings, StoreFailure};
use transport::BoxFuture;

use crate::increment::{CONDITION, COUNT, Increment};
use crate::key;
use crate::numbers::{Calls, Window};
use crate::report::{
    REMAINING_HEADER, REMAINING_VARIABLE, RETRY_AFTER_HEADER, RETRY_AFTER_VARIABLE, Report,
    TOTAL_HEADER,
};
use crate::store::Store;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "rate-limit-by-key",
    summary: "Lets a key be used for so many calls in a short time.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[
        CALLS,
        RENEWAL_PERIOD,
        COUNTER_KEY,
        CONDITION,
        COUNT,
        RETRY_AFTER_HEADER,
        RETRY_AFTER_VARIABLE,
        REMAINING_HEADER,
        REMAINING_VARIABLE,
        TOTAL_HEADER,
    ],
    children: &[],
    compile,
};

const CALLS: Attr = Attr::required("calls")
    .expressions()
    .of(ValueType::Integer)
    .doc("Calls that are allowed in the period.");
const RENEWAL_PERIOD: Attr = Attr::required("renewal-period")
    .expressions()
    .of(ValueType::Seconds)
    .doc("The period in seconds, from 1 to 300.");
const COUNTER_KEY: Attr =
    Attr::required("counter-key").expressions().null_is_empty().doc("What is counted together.");

#[derive(Debug)]
struct RateLimitByKey(Arc<Limit>);

#[derive(Debug)]
struct Limit {
    calls: Computed<Calls>,
    period: Computed<Window>,
    key: Computed<String>,
    increment: Increment,
    report: Report,
    store: Store,
}

fn compile(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Step, Diagnostic> {
    let limit = Limit {
        calls: cx.attr(element, &CALLS)?,
        period: cx.attr(element, &RENEWAL_PERIOD)?,
        key: cx.attr(element, &COUNTER_KEY)?,
        increment: Increment::compile(element, cx)?,
        report: Report::compile(element, cx)?,
        store: Store::of(cx),
    };
    let reads = limit.reads();
    Ok(Step::waiting(RateLimitByKey(Arc::new(limit))).reading(reads))
}

/// A limit as it is for one request.
#[derive(Debug)]
struct Asked {
    group: String,
    member: String,
    calls: u32,
    period: Duration,
}

impl Asked {
    fn rate(&self) -> Rate<'_> {
        Rate { member: &self.member, calls: self.calls, period: self.period }
    }
}

impl Limit {
    fn reads(&self) -> Uses {
        let own = self.calls.uses().union(self.period.uses()).union(self.key.uses());
        own.union(self.increment.reads())
    }

    fn asked(&self, context: &Context) -> Result<Asked, PolicyError> {
        let Calls(calls) = self.calls.get(context)?;
        let Window(period) = self.period.get(context)?;
        let group = key::group(&self.key.borrow(context)?);
        Ok(Asked { group, member: period.as_secs().to_string(), calls, period })
    }

    /// Without a count that is known by now, the limit is only looked at.
    fn charge(&self) -> Charge {
        Charge::IfRoom(self.increment.now().unwrap_or(0))
    }

    fn conclude(
        self: &Arc<Self>,
        context: &mut Context,
        asked: Asked,
        answer: Result<Standings, StoreFailure>,
    ) -> Result<Flow, PolicyError> {
        if let Some(standings) = self.store.judge(answer)? {
            self.report.tell(context, asked.calls, &standings)?;
        }
        if self.increment.now().is_none() && !self.increment.is_never() {
            context.settle_later(Arc::new(Postponed { limit: Arc::clone(self), asked }));
        }
        Ok(Flow::Next)
    }
}

impl Waiting for RateLimitByKey {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let asked = self.0.asked(context)?;
        let rates = [asked.rate()];
        let reply = self.0.store.rates(context, &asked.group, &rates, self.0.charge());
        let answer = reply.get().await;
        self.0.conclude(context, asked, answer)
    }

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError> {
        if !self.0.store.is_here() {
            return Ok(None);
        }
        let asked = self.0.asked(context)?;
        let rates = [asked.rate()];
        let reply = self.0.store.rates(context, &asked.group, &rates, self.0.charge());
        let Some(answer) = reply.now() else { return Ok(None) };
        self.0.conclude(context, asked, answer).map(Some)
    }
}

/// A charge that is known when the response is final.
#[derive(Debug)]
struct Postponed {
    limit: Arc<Limit>,
    asked: Asked,
}

impl Settle for Postponed {
    fn settle<'a>(self: Arc<Self>, context: &'a mut Context) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(count) = self.limit.increment.at_end(context).await else { return };
            let rates = [self.asked.rate()];
            let charge = Charge::Always(count);
            let reply = self.limit.store.rates(context, &self.asked.group, &rates, charge);
            self.limit.store.note(reply.get().await);
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::World;

    fn policy(attributes: &str) -> String {
        format!(r#"<rate-limit-by-key renewal-period="60" {attributes} />"#)
    }

    #[test]
    fn policies_of_one_key_and_period_share_a_counter_and_each_counts() {
        let mut world = World::new();
        let one = policy(r#"calls="5" counter-key="k""#);
        let both = format!("{one}{one}");
        assert_eq!(world.answers(&both, 3), [200, 200, 429]);
        let longer = r#"<rate-limit-by-key calls="5" renewal-period="61" counter-key="k" />"#;
        assert_eq!(world.answers(longer, 1), [200]);
    }

    #[test]
    fn an_expression_that_throws_at_the_end_counts_once() {
        let mut world = World::new();
        let throws =
            policy(r#"calls="2" counter-key="k" increment-condition="@(int.Parse("x") == 1)""#);
        assert_eq!(world.answers(&throws, 3), [200, 200, 429]);
    }

    #[test]
    fn what_a_later_error_answers_is_what_the_condition_sees() {
        let mut world = World::new();
        let only_failures = policy(
            r#"calls="1" counter-key="k" increment-condition="@(context.Response.StatusCode == 400)""#,
        );
        let check = r#"<check-it />"#;
        assert_eq!(world.answers(&only_failures, 3), [200, 200, 200]);
        assert_eq!(world.answers(&format!("{only_failures}{check}"), 2), [400, 429]);
    }
}
