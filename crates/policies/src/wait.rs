//! `<wait>`: runs its children at the same time, until all are done or the first is.
//!
//! The children take turns with one context: whoever waits for another service lets go of it.
//! All variables that they set are visible afterwards; the last writer wins. A child that ends
//! the pipeline ends the others as well.
//!
//! `all`: if a child fails, the rest still runs to its end, and the failure that came first goes
//! on. `any`: the first child that does its work ends the others; a failure goes on only if every
//! child has failed, and it is the last one's.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/wait-policy>

use std::future::poll_fn;
use std::task::Poll;

use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, PolicyError, PolicyKind,
    Scopes, Sections, SharedContext, Step, Steps, Waiting, words,
};
use transport::BoxFuture;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "wait",
    summary: "Runs its children at the same time, until all are done or the first is.",
    sections: Sections::INBOUND.and(Sections::BACKEND).and(Sections::OUTBOUND),
    scopes: Scopes::ALL,
    attrs: &[FOR],
    children: &[SEND_REQUEST, CACHE_LOOKUP_VALUE, CHOOSE],
    compile,
};

const FOR: Attr = Attr::optional("for", "all")
    .expressions()
    .one_of(For::WORDS)
    .doc("Whether all children are waited for, or the first.");
const SEND_REQUEST: Child = Child::repeated("send-request").as_policy().doc("A call.");
const CACHE_LOOKUP_VALUE: Child =
    Child::repeated("cache-lookup-value").as_policy().doc("A look into the cache.");
const CHOOSE: Child = Child::repeated("choose").as_policy().doc("Policies, in order.");

words! {
    enum For {
        All = "all",
        Any = "any",
    }
}

type Outcome = Result<Flow, PolicyError>;

#[derive(Debug)]
struct Wait {
    wanted: Computed<For>,
    children: Vec<Steps>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let wanted: Computed<For> = cx.attr(element, &FOR)?;
    let uses = wanted.uses();
    let children = cx.steps(element)?.into_each();
    Ok(Step::waiting(Wait { wanted, children }).reading(uses))
}

impl Waiting for Wait {
    async fn run(&self, context: &mut Context) -> Outcome {
        self.run_beside(&SharedContext::new(context)).await
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Outcome {
        let wanted = self.wanted.get(&*shared.lock().await)?;
        let running: Vec<BoxFuture<'_, Outcome>> = self
            .children
            .iter()
            .map(|it| Box::pin(it.run_beside(shared)) as BoxFuture<'_, Outcome>)
            .collect();
        if running.is_empty() {
            return Ok(Flow::Next);
        }
        let outcome = finish(running, wanted).await;
        // A child that was cancelled may have left what it was making.
        shared.lock().await.draft = None;
        outcome
    }
}

/// Runs the children until it is known how they end; the others are dropped then.
async fn finish(mut running: Vec<BoxFuture<'_, Outcome>>, wanted: For) -> Outcome {
    let mut failure = None;
    poll_fn(|cx| {
        let mut at = 0;
        while let Some(child) = running.get_mut(at) {
            let Poll::Ready(outcome) = child.as_mut().poll(cx) else {
                at += 1;
                continue;
            };
            drop(running.remove(at));
            match (outcome, wanted) {
                (Ok(Flow::End), _) => return Poll::Ready(Ok(Flow::End)),
                (Ok(Flow::Next), For::Any) => return Poll::Ready(Ok(Flow::Next)),
                (Ok(Flow::Next), For::All) => {}
                (Err(error), For::All) => failure = failure.take().or(Some(error)),
                (Err(error), For::Any) => failure = Some(error),
            }
        }
        if !running.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(failure.take().map_or(Ok(Flow::Next), Err))
    })
    .await
}

#[cfg(test)]
mod tests {
    use pipeline::Section;

    use super::*;
    use crate::test_support::{Trial, outcome, problems};

    /// Children that end after so many turns, in this way.
    fn run(wanted: For, children: &[(usize, &'static str)]) -> String {
        let running = children
            .iter()
            .map(|(n_turns, outcome)| -> BoxFuture<'_, Outcome> {
                Box::pin(async move {
                    for _ in 0..*n_turns {
                        tokio::task::yield_now().await;
                    }
                    match *outcome {
                        "next" => Ok(Flow::Next),
                        "end" => Ok(Flow::End),
                        error => Err(PolicyError::new(error, "")),
                    }
                })
            })
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(finish(running, wanted)) {
            Ok(Flow::Next) => "next".to_owned(),
            Ok(Flow::End) => "end".to_owned(),
            Err(error) => error.reason().to_owned(),
        }
    }

    #[test]
    fn all_waits_for_the_rest_and_raises_the_failure_that_came_first() {
        for (children, expected) in [
            (&[(3, "next"), (1, "next")][..], "next"),
            (&[(3, "late"), (1, "early"), (5, "next")], "early"),
            (&[(3, "late"), (1, "end")], "end"),
            (&[(1, "early"), (3, "end")], "end"),
            (&[(0, "next")], "next"),
        ] {
            assert_eq!(run(For::All, children), expected, "{children:?}");
        }
    }

    #[test]
    fn any_ends_with_the_first_that_does_its_work() {
        for (children, expected) in [
            (&[(3, "late"), (1, "next")][..], "next"),
            (&[(1, "early"), (3, "next")], "next"),
            (&[(3, "late"), (1, "early")], "late"),
            (&[(3, "late"), (1, "end")], "end"),
            (&[(usize::MAX, "never"), (0, "next")], "next"),
        ] {
            assert_eq!(run(For::Any, children), expected, "{children:?}");
        }
    }

    fn set(name: &str) -> String {
        format!(
            r#"<choose><when condition="true"><set-variable name="{name}" value="1" /></when></choose>"#
        )
    }

    #[test]
    fn what_the_children_set_is_seen_afterwards() {
        let ran = Trial::inbound(&format!("<wait>{}{}</wait>", set("a"), set("b"))).run("");
        assert_eq!(ran.outcome, "next");
        assert!(ran.context.variables.contains("a") && ran.context.variables.contains("b"));

        let any = format!(r#"<wait for="@("a" + "ny")">{}{}</wait>"#, set("a"), set("b"));
        let ran = Trial::inbound(&any).run("");
        assert!(ran.context.variables.contains("a") && !ran.context.variables.contains("b"));
    }

    #[test]
    fn an_end_in_a_branch_ends_the_pipeline() {
        let end =
            r#"<wait><choose><when condition="true"><return-response /></when></choose></wait>"#;
        assert_eq!(outcome(end, ""), "end 200");
    }

    #[test]
    fn only_its_own_children_may_stand_inside() {
        assert_eq!(problems("<wait />"), "fine");
        assert_eq!(problems(r#"<wait for="some" />"#), "PC0409");
        assert_eq!(problems("<wait><set-method>GET</set-method></wait>"), "PC0405");
        assert_eq!(problems("<wait>text</wait>"), "PC0408");
        assert_eq!(Trial::of(Section::OnError, "<wait />").problems(), "PC0413");
        assert_eq!(Trial::of(Section::Backend, "<wait />").problems(), "fine");
    }
}
