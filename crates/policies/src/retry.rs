//! `<retry>`: runs the policies inside again while a condition is true.
//!
//! The policies run once; then the condition is evaluated, and while it is true and retries are
//! left, they run again after a wait: at most `count` + 1 times. Everything but the condition is
//! evaluated once, before the first run.
//!
//! In `backend` a backend that cannot be reached or does not answer in time is no end: the
//! condition sees that there is no response. If it does not ask for another run, the failure
//! goes on.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/retry-policy>

use std::time::Duration;

use expr::Uses;
use pipeline::{
    Attr, Blame, Child, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow,
    PolicyError, PolicyKind, Scopes, Seconds, Section, Sections, SharedContext, Step, Steps, Unfit,
    ValueType, Waiting, codes,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "retry",
    summary: "Runs the policies inside again while a condition is true.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[CONDITION, COUNT, INTERVAL, MAX_INTERVAL, DELTA, FIRST_FAST_RETRY],
    children: &[CONTENT],
    compile,
};

const CONDITION: Attr = Attr::required("condition")
    .expressions()
    .doc("Whether to run again, asked after each run.")
    .of(ValueType::Boolean);
const COUNT: Attr =
    Attr::required("count").expressions().doc("Most retries: 1 to 50.").of(ValueType::Integer);
const INTERVAL: Attr = Attr::required("interval")
    .expressions()
    .doc("Wait before a retry, in seconds.")
    .of(ValueType::Seconds);
const MAX_INTERVAL: Attr = Attr::absent_by_default("max-interval")
    .expressions()
    .doc("Longest wait, in seconds; with `delta` the wait grows exponentially up to it.")
    .of(ValueType::Seconds);
const DELTA: Attr = Attr::absent_by_default("delta")
    .expressions()
    .doc("What the wait grows by, in seconds.")
    .of(ValueType::Seconds);
const FIRST_FAST_RETRY: Attr = Attr::optional("first-fast-retry", "false")
    .expressions()
    .doc("Whether the first retry comes without a wait.");
const CONTENT: Child = Child::content().doc("The policies that are tried.");

/// The attribute of `forward-request` that keeps a body for another try.
const BUFFER_REQUEST_BODY: &str = "buffer-request-body";

#[derive(Debug)]
struct Retry {
    condition: Computed<bool>,
    count: Computed<Count>,
    interval: Computed<Seconds>,
    max_interval: Option<Computed<Seconds>>,
    delta: Option<Computed<Seconds>>,
    first_fast_retry: Computed<bool>,
    section: Section,
    steps: Steps,
}

/// A number of retries.
#[derive(Clone, Copy, Debug)]
struct Count(u32);

impl Convert for Count {
    fn refuses(found: &expr::Type) -> Option<&'static str> {
        u32::refuses(found)
    }

    fn from_text(text: &str) -> Result<Count, Unfit> {
        let count = text.trim().parse().ok().filter(|it| (1..=50).contains(it));
        count.map(Count).ok_or_else(|| Unfit::wanted("an integer from 1 to 50").got(text.trim()))
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    warn_of_bodies(element, cx);
    let retry = Retry {
        condition: cx.attr(element, &CONDITION)?,
        count: cx.attr(element, &COUNT)?,
        interval: cx.attr(element, &INTERVAL)?,
        max_interval: cx.attr_if(element, &MAX_INTERVAL)?,
        delta: cx.attr_if(element, &DELTA)?,
        first_fast_retry: cx.attr(element, &FIRST_FAST_RETRY)?,
        section: cx.section(),
        steps: cx.steps(element)?,
    };
    let before_the_first_run = retry.uses();
    Ok(Step::waiting(retry).reading(before_the_first_run))
}

/// A body is streamed to the backend and gone unless `forward-request` keeps it.
fn warn_of_bodies(element: Element<'_>, cx: &mut CompileCx) {
    let mut nodes: Vec<_> = element.node().child_elements().collect();
    while let Some(node) = nodes.pop() {
        if node.name != "forward-request" {
            nodes.extend(node.child_elements());
            continue;
        }
        let kept = node.attribute(BUFFER_REQUEST_BODY).map(|it| it.value.as_str().trim());
        if kept.is_none_or(|it| it.eq_ignore_ascii_case("false")) {
            cx.report(
                Diagnostic::warning(
                    codes::BODY_SENT_ONCE,
                    node.name_span,
                    "a request with a body cannot be sent again from here",
                )
                .label("the body is not kept")
                .help("add `buffer-request-body=\"true\"`"),
            );
        }
    }
}

impl Retry {
    /// What all attributes but the condition read.
    fn uses(&self) -> Uses {
        let of =
            |it: &Option<Computed<Seconds>>| it.as_ref().map(Computed::uses).unwrap_or_default();
        [self.interval.uses(), of(&self.max_interval), of(&self.delta)]
            .into_iter()
            .fold(self.count.uses().union(self.first_fast_retry.uses()), Uses::union)
    }

    fn waits(&self, context: &Context) -> Result<Waits, PolicyError> {
        let of = |it: &Option<Computed<Seconds>>| match it {
            Some(it) => it.get(context).map(|it| Some(it.0)),
            None => Ok(None),
        };
        Ok(Waits {
            interval: self.interval.get(context)?.0,
            max_interval: of(&self.max_interval)?,
            delta: of(&self.delta)?,
            first_fast_retry: self.first_fast_retry.get(context)?,
        })
    }

    /// Whether the condition may ask for another run after this failure.
    fn is_of_the_backend(&self, error: &PolicyError) -> bool {
        self.section == Section::Backend
            && error.blamed() == Blame::Backend
            && matches!(
                error.reason(),
                "Timeout"
                    | "BackendConnectionFailure"
                    | "BackendUnavailable"
                    | "BackendPoolUnavailable"
            )
    }

    /// Whether to run again after a run that ended so.
    async fn asks(
        &self,
        context: &mut Context,
        failure: Option<PolicyError>,
    ) -> Result<bool, PolicyError> {
        let Some(failure) = failure else {
            context.buffer(self.condition.uses()).await?;
            return self.condition.get(context);
        };
        // Documents recognise a tripped breaker by the response; other failures have none.
        context.response = match failure.reason() {
            "BackendUnavailable" | "BackendPoolUnavailable" => failure.response(context.request_id),
            _ => None,
        };
        match self.condition.get(context) {
            Ok(true) => Ok(true),
            Ok(false) | Err(_) => Err(failure),
        }
    }
}

impl Waiting for Retry {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.run_beside(&SharedContext::new(context)).await
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        let (count, waits, clock) = {
            let context = shared.lock().await;
            let count = self.count.get(&context)?.0;
            (count, self.waits(&context)?, context.services.clock.clone())
        };
        for n in 1..=count {
            let failure = match self.steps.run_beside(shared).await {
                Ok(Flow::End) => return Ok(Flow::End),
                Ok(Flow::Next) => None,
                Err(error) if self.is_of_the_backend(&error) => Some(error),
                Err(error) => return Err(error),
            };
            let wait = {
                let mut context = shared.lock().await;
                if !self.asks(&mut context, failure).await? {
                    return Ok(Flow::Next);
                }
                waits.before(n, fraction(&context))
            };
            if !wait.is_zero() {
                clock.sleep(wait).await;
            }
        }
        self.steps.run_beside(shared).await
    }
}

/// A random number from 0 up to 1.
fn fraction(context: &Context) -> f64 {
    let mut bytes = [0; 4];
    context.services.random(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

/// How long to wait before each retry.
#[derive(Debug)]
struct Waits {
    interval: Duration,
    max_interval: Option<Duration>,
    delta: Option<Duration>,
    first_fast_retry: bool,
}

impl Waits {
    /// The wait before retry `n`, the first being 1. `fraction`, from 0 to 1, places the
    /// exponential form's step between 0.8 and 1.2 times `delta`.
    ///
    /// The documentation's formula and its example differ; this is the example's.
    fn before(&self, n: u32, fraction: f64) -> Duration {
        let n_before = n.saturating_sub(1);
        if self.first_fast_retry && n_before == 0 {
            return Duration::ZERO;
        }
        match (self.delta, self.max_interval) {
            (None, _) => self.interval,
            (Some(delta), None) => self.interval.saturating_add(delta.saturating_mul(n_before)),
            (Some(delta), Some(max)) => {
                let step = delta.as_secs_f64() * (0.8 + 0.4 * fraction);
                let grown = (2_f64.powf(f64::from(n_before)) - 1.0) * step;
                let wait = Duration::try_from_secs_f64(self.interval.as_secs_f64() + grown);
                wait.unwrap_or(max).min(max)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Trial, outcome, problems};

    fn waits(interval: u64, delta: Option<u64>, max: Option<u64>, fast: bool) -> Vec<f64> {
        let waits = Waits {
            interval: Duration::from_secs(interval),
            max_interval: max.map(Duration::from_secs),
            delta: delta.map(Duration::from_secs),
            first_fast_retry: fast,
        };
        (1..=6).map(|n| waits.before(n, 0.5).as_secs_f64()).collect()
    }

    #[test]
    fn the_three_formulas_are_those_of_the_documentation() {
        assert_eq!(waits(7, None, None, false), [7.0; 6]);
        assert_eq!(waits(7, None, Some(3), false), [7.0; 6]);
        assert_eq!(waits(5, Some(2), None, false), [5.0, 7.0, 9.0, 11.0, 13.0, 15.0]);
        assert_eq!(waits(10, Some(10), Some(100), false), [10.0, 20.0, 40.0, 80.0, 100.0, 100.0]);
        assert_eq!(waits(5, Some(2), None, true), [0.0, 7.0, 9.0, 11.0, 13.0, 15.0]);
        assert_eq!(waits(0, None, None, true), [0.0; 6]);
    }

    #[test]
    fn the_exponential_step_is_random_within_a_fifth() {
        let waits = Waits {
            interval: Duration::ZERO,
            max_interval: Some(Duration::from_secs(1000)),
            delta: Some(Duration::from_secs(10)),
            first_fast_retry: false,
        };
        let second = |fraction| waits.before(2, fraction).as_secs_f64();
        assert_eq!((second(0.0), second(0.5), second(1.0)), (8.0, 10.0, 12.0));
        assert_eq!(waits.before(50, 1.0), Duration::from_secs(1000));
        let huge = Waits {
            interval: Duration::from_secs(u32::MAX.into()),
            max_interval: None,
            delta: Some(Duration::MAX),
            first_fast_retry: false,
        };
        assert_eq!(huge.before(50, 0.0), Duration::MAX);
    }

    /// Runs until the counter `n` has this value.
    fn counting(attributes: &str) -> String {
        format!(
            r#"<set-variable name="n" value="@(0)" />
            <retry {attributes} interval="0">
                <set-variable name="n" value="@((int)context.Variables["n"] + 1)" />
            </retry>"#
        )
    }

    fn n_runs(attributes: &str) -> i64 {
        let ran = Trial::inbound(&counting(attributes)).run("");
        assert_eq!(ran.outcome, "next");
        ran.context.variables.get("n").unwrap().as_i64().unwrap()
    }

    #[test]
    fn it_runs_once_and_then_while_the_condition_is_true() {
        assert_eq!(n_runs(r#"condition="false" count="5""#), 1);
        assert_eq!(n_runs(r#"condition="true" count="5""#), 6);
        assert_eq!(n_runs(r#"condition="@((int)context.Variables["n"] < 3)" count="50""#), 3);
        assert_eq!(n_runs(r#"condition="true" count="@((int)context.Variables["n"] + 2)""#), 3);
    }

    #[test]
    fn an_end_inside_ends_it() {
        let policy =
            r#"<retry condition="true" count="3" interval="0"><return-response /></retry>"#;
        assert_eq!(outcome(policy, ""), "end 200");
    }

    #[test]
    fn a_condition_or_count_that_fails_is_an_error() {
        for attributes in [
            r#"condition="@(context.Variables["none"].Equals(1))" count="3""#,
            r#"condition="true" count="@(51)""#,
            r#"condition="true" count="@(0)""#,
        ] {
            let text = counting(attributes);
            assert_eq!(outcome(&text, ""), "500 - (ExpressionValueEvaluationFailure)", "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        for (attributes, code) in [
            (r#"count="1" interval="1""#, "PC0404"),
            (r#"condition="true" interval="1""#, "PC0404"),
            (r#"condition="true" count="1""#, "PC0404"),
            (r#"condition="maybe" count="1" interval="1""#, "PC0409"),
            (r#"condition="true" count="0" interval="1""#, "PC0409"),
            (r#"condition="true" count="51" interval="1""#, "PC0409"),
            (r#"condition="true" count="50" interval="-1""#, "PC0409"),
            (r#"condition="true" count="1" interval="1" max-interval="x""#, "PC0409"),
            (r#"condition="true" count="1" interval="1" delta="x""#, "PC0409"),
            (r#"condition="true" count="1" interval="1" first-fast-retry="x""#, "PC0409"),
            (r#"condition="true" count="@("a".Length > 0)" interval="1""#, "PC0409"),
            (r#"condition="true" count="1" interval="1" jitter="1""#, "PC0403"),
            (r#"condition="true" count="1" interval="1" max-interval="9" delta="1""#, "fine"),
        ] {
            assert_eq!(problems(&format!("<retry {attributes} />")), code, "{attributes}");
        }
    }

    #[test]
    fn a_body_that_is_not_kept_is_a_warning() {
        for (attributes, code) in [
            ("", "PC0428"),
            (r#"buffer-request-body="false""#, "PC0428"),
            (r#"buffer-request-body="true""#, "fine"),
            (r#"buffer-request-body="@(true)""#, "fine"),
        ] {
            let policy = format!(
                r#"<retry condition="true" count="1" interval="1"><choose><when condition="true">
                    <forward-request {attributes} /></when></choose></retry>"#
            );
            let trial = Trial::of(Section::Backend, &policy);
            assert_eq!(trial.problems(), code, "{attributes}");
        }
    }
}
