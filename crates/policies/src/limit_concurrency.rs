//! `<limit-concurrency>`: lets at most so many requests of a key run the policies inside at once.
//!
//! There is no queue: one request more fails at once. The slot is given back when the policies
//! inside are done, fail or are given up; if they brought a streaming response, when that ends.
//! The count is this process's own, and policies with the same key share it.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/limit-concurrency-policy>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow, Immediate,
    PolicyError, PolicyKind, Scopes, Sections, SharedContext, Step, Steps, Unfit, ValueType,
    Waiting,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "limit-concurrency",
    summary: "Lets at most so many requests of a key run the policies inside at once.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[KEY, MAX_COUNT],
    children: &[CONTENT],
    compile,
};

const KEY: Attr =
    Attr::required("key").expressions().null_is_empty().doc("What is counted together.");
const MAX_COUNT: Attr = Attr::required("max-count")
    .doc("How many requests may be inside at once, at least 1.")
    .of(ValueType::Integer);
const CONTENT: Child = Child::content().doc("The policies that are limited.");

#[derive(Debug)]
struct LimitConcurrency {
    key: Computed<String>,
    max_count: MaxCount,
    slots: Arc<Slots>,
    steps: Steps,
}

/// A number from 1.
#[derive(Clone, Copy, Debug)]
struct MaxCount(u32);

impl Convert for MaxCount {
    fn from_text(text: &str) -> Result<MaxCount, Unfit> {
        let unfit = || Unfit::wanted("an integer from 1 to 4294967295").got(text.trim());
        let count = text.trim().parse().ok().filter(|it| *it > 0);
        count.map(MaxCount).ok_or_else(unfit)
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let policy = LimitConcurrency {
        key: cx.attr(element, &KEY)?,
        max_count: cx.literal(element, &MAX_COUNT)?,
        slots: cx.shared(),
        steps: cx.steps(element)?,
    };
    let is_immediate = policy.steps.are_immediate();
    Ok(if is_immediate { Step::immediate(policy) } else { Step::waiting(policy) })
}

impl Immediate for LimitConcurrency {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let _slot = self.take(context)?;
        self.steps.apply(context)
    }
}

impl Waiting for LimitConcurrency {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let slot = self.take(context)?;
        let had_stream = has_stream(context);
        let flow = self.steps.run(context).await?;
        if !had_stream {
            slot.keep_for_response(context);
        }
        Ok(flow)
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        let (slot, had_stream) = {
            let context = shared.lock().await;
            (self.take(&context)?, has_stream(&context))
        };
        let flow = self.steps.run_beside(shared).await?;
        if !had_stream {
            slot.keep_for_response(&mut *shared.lock().await);
        }
        Ok(flow)
    }
}

impl LimitConcurrency {
    fn take(&self, context: &Context) -> Result<Slot, PolicyError> {
        let key = self.key.get(context)?;
        Slots::take(&self.slots, key, self.max_count.0).ok_or_else(|| {
            PolicyError::new("ConcurrencyLimitExceeded", "Concurrency limit is exceeded.")
                .respond(StatusCode::TOO_MANY_REQUESTS, "Concurrency limit is exceeded.")
        })
    }
}

fn has_stream(context: &Context) -> bool {
    context.response.as_ref().is_some_and(|it| it.body.is_stream())
}

/// How many requests are inside, by key. A key that nobody is inside of takes no memory, so
/// there are never more keys than requests.
#[derive(Debug, Default)]
struct Slots(Mutex<HashMap<String, u32>>);

impl Slots {
    fn take(slots: &Arc<Slots>, key: String, max_count: u32) -> Option<Slot> {
        let mut counts = slots.counts();
        match counts.get_mut(&key) {
            Some(count) if *count >= max_count => return None,
            Some(count) => *count += 1,
            None => {
                counts.insert(key.clone(), 1);
            }
        }
        drop(counts);
        Some(Slot { slots: Arc::clone(slots), key })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request inside; gives its place back when it is dropped.
#[derive(Debug)]
struct Slot {
    slots: Arc<Slots>,
    key: String,
}

impl Slot {
    /// A response that still streams keeps the slot until its end.
    fn keep_for_response(self, context: &mut Context) {
        if let Some(response) = &mut context.response {
            response.body.hold(self);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.slots.counts();
        match counts.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::{Body, Response, Section};

    use super::*;
    use crate::test_support::{Trial, problems};

    const REFUSED: &str = "429 Concurrency limit is exceeded. (ConcurrencyLimitExceeded)";

    fn limited(max_count: u32, content: &str) -> String {
        format!(
            r#"<limit-concurrency key="@(context.Request.Method)" max-count="{max_count}">{content}</limit-concurrency>"#
        )
    }

    /// How a request goes while others are inside, and how many are inside afterwards.
    fn beside(n_others: usize, section: Section, policy: &str) -> (String, u32) {
        let trial = Trial::of(section, policy);
        let slots: Arc<Slots> = trial.extensions.shared();
        let others: Vec<_> =
            (0..n_others).map(|_| Slots::take(&slots, "GET".to_owned(), 9).unwrap()).collect();
        let outcome = trial.run("GET /").outcome;
        let n_inside = slots.counts().get("GET").copied().unwrap_or_default();
        drop(others);
        assert!(slots.counts().is_empty());
        (outcome, n_inside)
    }

    #[test]
    fn one_more_than_the_count_fails_at_once() {
        for (n_others, expected) in [(0, "next"), (1, "next"), (2, REFUSED), (3, REFUSED)] {
            for (section, inside) in [
                (Section::Inbound, r#"<set-variable name="a" value="1" />"#),
                (Section::Backend, "<forward-request />"),
            ] {
                let (outcome, n_inside) = beside(n_others, section, &limited(2, inside));
                assert_eq!((outcome.as_str(), n_inside as usize), (expected, n_others));
            }
        }
    }

    #[test]
    fn keys_are_counted_apart_and_policies_of_one_key_together() {
        let nested = limited(1, &limited(1, ""));
        assert_eq!(beside(0, Section::Inbound, &nested).0, REFUSED);
        let nested = limited(2, &limited(2, ""));
        assert_eq!(beside(0, Section::Inbound, &nested).0, "next");
        let other = r#"<limit-concurrency key="other" max-count="1" />"#;
        assert_eq!(beside(5, Section::Inbound, other).0, "next");
    }

    #[test]
    fn an_error_and_an_end_give_the_slot_back() {
        for (inside, expected) in [
            (
                r#"<check-header name="x" failed-check-httpcode="403" failed-check-error-message="No" ignore-case="true" />"#,
                "403 No (HeaderNotFound)",
            ),
            ("<return-response />", "end 200"),
        ] {
            assert_eq!(beside(1, Section::Inbound, &limited(2, inside)), (expected.to_owned(), 1));
        }
    }

    fn streaming() -> Body {
        let (_sender, body) = transport::Body::channel(1);
        Body::stream(body)
    }

    #[test]
    fn a_streaming_response_keeps_the_slot_until_it_is_gone() {
        let mut trial = Trial::of(Section::Backend, &limited(2, "<forward-request />"));
        trial.backend_streams = true;
        let slots: Arc<Slots> = trial.extensions.shared();
        let ran = trial.run("GET /");
        assert_eq!(slots.counts()["GET"], 1);
        drop(ran);
        assert!(slots.counts().is_empty());
    }

    #[test]
    fn a_response_that_was_there_before_does_not_keep_it() {
        let inside = limited(1, r#"<wait for="all" />"#);
        let mut trial = Trial::of(Section::Outbound, &inside);
        trial.response = Some(Response { body: streaming(), ..Response::new(StatusCode::OK) });
        let slots: Arc<Slots> = trial.extensions.shared();
        let ran = trial.run("GET /");
        assert!(ran.context.response.unwrap().body.is_stream() && slots.counts().is_empty());
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        for (attributes, code) in [
            (r#"key="k""#, "PC0404"),
            (r#"max-count="1""#, "PC0404"),
            (r#"key="k" max-count="0""#, "PC0409"),
            (r#"key="k" max-count="-1""#, "PC0409"),
            (r#"key="k" max-count="many""#, "PC0409"),
            (r#"key="k" max-count="@(1)""#, "PC0411"),
            (r#"key="k" max-count="5" queue="1""#, "PC0403"),
            (r#"key="@(context.Api.Id)" max-count="5""#, "fine"),
        ] {
            assert_eq!(
                problems(&format!("<limit-concurrency {attributes} />")),
                code,
                "{attributes}"
            );
        }
        assert_eq!(
            problems(r#"<limit-concurrency key="k" max-count="1"><base /></limit-concurrency>"#),
            "PC0417"
        );
    }
}
