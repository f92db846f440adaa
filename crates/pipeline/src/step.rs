//! Compiled policies: steps that act at once, steps that wait, and lists of steps.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use expr::Uses;
use transport::BoxFuture;

use crate::context::Context;
use crate::effective::Item;
use crate::error::PolicyError;
use crate::operation::Operation;
use crate::place::Place;
use crate::section::Scope;
use crate::shared::SharedContext;

/// What happens after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The next step runs.
    Next,
    /// The response in the context is the answer: no later step of any section runs, and
    /// this is not an error.
    End,
}

/// A policy that never waits.
pub trait Immediate: fmt::Debug + Send + Sync + 'static {
    /// Does the policy's work.
    ///
    /// # Errors
    ///
    /// The failure that `on-error` gets to see.
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError>;

    /// Answers a CORS preflight, if the step says so ([`Step::answering_preflights`]):
    /// [`Flow::End`] with the answer in the context, or [`Flow::Next`] if the next such policy
    /// is to be asked.
    ///
    /// # Errors
    ///
    /// The failure that `on-error` gets to see.
    fn preflight(&self, _: &mut Context) -> Result<Flow, PolicyError> {
        Ok(Flow::Next)
    }
}

/// A policy that waits for something; written as `async fn run`.
pub trait Waiting: fmt::Debug + Send + Sync + 'static {
    /// Does the policy's work.
    ///
    /// # Errors
    ///
    /// The failure that `on-error` gets to see.
    fn run(&self, context: &mut Context) -> impl Future<Output = Result<Flow, PolicyError>> + Send;

    /// Does the policy's work beside others on the same context, as children of `wait` do.
    ///
    /// Without an own form the policy keeps the context to itself until it is done. A policy
    /// that waits for something else than the context, or that holds policies, lets go of it
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// Those of [`Waiting::run`].
    fn run_beside(
        &self,
        shared: &SharedContext<'_>,
    ) -> impl Future<Output = Result<Flow, PolicyError>> + Send {
        async move {
            let mut context = shared.lock().await;
            self.run(&mut context).await
        }
    }

    /// Does all of the policy's work if it need not wait this time; `None` if it must, and then
    /// nothing was done yet.
    ///
    /// # Errors
    ///
    /// As [`Waiting::run`].
    fn try_now(&self, _: &mut Context) -> Result<Option<Flow>, PolicyError> {
        Ok(None)
    }
}

/// [`Waiting`] behind a pointer; only these pay for a boxed future.
trait BoxedWaiting: fmt::Debug + Send + Sync {
    fn run_boxed<'a>(
        &'a self,
        context: &'a mut Context,
    ) -> BoxFuture<'a, Result<Flow, PolicyError>>;

    fn run_beside_boxed<'a>(
        &'a self,
        shared: &'a SharedContext<'_>,
    ) -> BoxFuture<'a, Result<Flow, PolicyError>>;

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError>;
}

impl<T: Waiting> BoxedWaiting for T {
    fn run_boxed<'a>(
        &'a self,
        context: &'a mut Context,
    ) -> BoxFuture<'a, Result<Flow, PolicyError>> {
        Box::pin(self.run(context))
    }

    fn run_beside_boxed<'a>(
        &'a self,
        shared: &'a SharedContext<'_>,
    ) -> BoxFuture<'a, Result<Flow, PolicyError>> {
        Box::pin(self.run_beside(shared))
    }

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError> {
        Waiting::try_now(self, context)
    }
}

#[derive(Debug)]
enum Action {
    Immediate(Box<dyn Immediate>),
    Waiting(Box<dyn BoxedWaiting>),
    /// Put in place of the step when the list is made; never run.
    Inline(Steps),
}

/// A compiled policy.
#[derive(Debug)]
pub struct Step {
    action: Action,
    /// Bodies to buffer before the step, if it says so itself; else what its expressions read.
    reads: Option<Uses>,
    answers_preflights: bool,
    takes_request: bool,
    effect: Option<Effect>,
}

/// What a step does with the bodies, for the warning about bodies that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It puts another body in place.
    Replaces,
    /// It ends the request with a response of its own.
    Ends,
    /// It sends the request and takes the response.
    Forwards,
}

impl Step {
    /// A policy that never waits.
    pub fn immediate(policy: impl Immediate) -> Step {
        Step::of(Action::Immediate(Box::new(policy)))
    }

    /// A policy that waits.
    pub fn waiting(policy: impl Waiting) -> Step {
        Step::of(Action::Waiting(Box::new(policy)))
    }

    /// Steps that stand in place of the policy, such as those of a fragment.
    #[must_use]
    pub fn inline(steps: Steps) -> Step {
        Step::of(Action::Inline(steps))
    }

    fn of(action: Action) -> Step {
        Step { action, reads: None, answers_preflights: false, takes_request: false, effect: None }
    }

    /// Says which bodies have to be buffered before the step runs, instead of those that the
    /// expressions in its attributes and texts read.
    #[must_use]
    pub fn reading(mut self, uses: Uses) -> Step {
        self.reads = Some(uses);
        self
    }

    /// Says that the policy answers CORS preflights ([`Immediate::preflight`]) where it stands
    /// directly in `inbound`.
    #[must_use]
    pub fn answering_preflights(mut self) -> Step {
        self.answers_preflights = true;
        self
    }

    /// Says that the policy takes parts of the request instead of copies where
    /// [`Context::is_last_use_of_request`] says that it may. Not for policies that hold others.
    #[must_use]
    pub fn taking_request(mut self) -> Step {
        self.takes_request = true;
        self
    }

    /// Says that the policy puts another body in place of that of its message.
    #[must_use]
    pub fn replacing_body(mut self) -> Step {
        self.effect = Some(Effect::Replaces);
        self
    }

    /// Says that the policy ends the request with a response of its own whenever it runs.
    #[must_use]
    pub fn ending(mut self) -> Step {
        self.effect = Some(Effect::Ends);
        self
    }

    /// Says that the policy sends the request with its body and takes another response.
    #[must_use]
    pub fn forwarding(mut self) -> Step {
        self.effect = Some(Effect::Forwards);
        self
    }

    pub(crate) fn effect(&self) -> Option<Effect> {
        self.effect
    }

    pub(crate) fn placed(
        self,
        place: Place,
        expressions: Uses,
        preparations: Vec<Preparation>,
    ) -> Placed {
        let uses = self.reads.unwrap_or(expressions);
        let Step { action, answers_preflights, takes_request, .. } = self;
        let place = Arc::new(place);
        Placed { action, uses, answers_preflights, takes_request, preparations, place }
    }
}

/// What a policy does once for each operation that it runs for, when a configuration is loaded;
/// gives what keeps it from working there.
pub type Prepare = dyn Fn(&Arc<Operation>) -> Vec<String> + Send + Sync;

/// A preparation of a policy.
#[derive(Clone)]
pub(crate) struct Preparation(pub(crate) Arc<Prepare>);

impl fmt::Debug for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preparation(..)")
    }
}

/// A step at its place.
#[derive(Debug)]
pub(crate) struct Placed {
    action: Action,
    uses: Uses,
    answers_preflights: bool,
    takes_request: bool,
    preparations: Vec<Preparation>,
    place: Arc<Place>,
}

impl Placed {
    /// Whether it, or a step inside of it, prepares itself for operations.
    pub(crate) fn is_prepared(&self) -> bool {
        !self.preparations.is_empty()
    }

    /// The statements that stand for it in a section.
    pub(crate) fn into_items(self, items: &mut Vec<Item>) {
        match self.action {
            Action::Inline(steps) => items.extend(steps.0.into_iter().map(Item::Step)),
            _ => items.push(Item::Step(Arc::new(self))),
        }
    }

    fn is_immediate(&self) -> bool {
        matches!(self.action, Action::Immediate(_)) && !self.uses.must_wait()
    }

    /// Reads the bodies that the step is about to read.
    async fn buffer(&self, context: &mut Context) -> Result<(), PolicyError> {
        if self.uses.must_wait() {
            let buffered = context.buffer(self.uses).await;
            buffered.map_err(|error| error.at(&self.place))?;
        }
        Ok(())
    }
}

/// Steps in the order in which they run.
#[derive(Clone, Debug, Default)]
pub struct Steps(Vec<Arc<Placed>>);

impl Steps {
    pub(crate) fn push(&mut self, step: Placed) {
        match step.action {
            Action::Inline(steps) => self.0.extend(steps.0),
            _ => self.0.push(Arc::new(step)),
        }
    }

    pub(crate) fn push_shared(&mut self, step: Arc<Placed>) {
        self.0.push(step);
    }

    pub(crate) fn into_shared(self) -> impl Iterator<Item = Arc<Placed>> {
        self.0.into_iter()
    }

    /// How many steps there are, not counting those inside of others.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The places of the steps, in order.
    pub fn places(&self) -> impl Iterator<Item = &Arc<Place>> {
        self.0.iter().map(|it| &it.place)
    }

    /// Whether no step waits, for something else or for a body.
    ///
    /// A policy that holds steps is immediate if all of them are.
    #[must_use]
    pub fn are_immediate(&self) -> bool {
        self.0.iter().all(|it| it.is_immediate())
    }

    /// Runs the steps without waiting.
    ///
    /// # Errors
    ///
    /// The first failure, with the place of its step. A step that waits is a failure here;
    /// see [`Steps::are_immediate`].
    pub fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        for step in &self.0 {
            let result = match &step.action {
                Action::Immediate(policy) if step.is_immediate() => policy.apply(context),
                _ => Err(PolicyError::new("Internal", "a step that waits stands where none may")),
            };
            if result.map_err(|error| error.at(&step.place))? == Flow::End {
                return Ok(Flow::End);
            }
        }
        Ok(Flow::Next)
    }

    /// Prepares the policies for an operation, those inside of others included. Gives what keeps
    /// them from working there.
    pub fn prepare(&self, operation: &Arc<Operation>) -> Vec<String> {
        let of = |it: &Arc<Placed>| it.preparations.clone();
        self.0.iter().flat_map(of).flat_map(|it| (it.0)(operation)).collect()
    }

    /// The same for the policies of one scope.
    pub fn prepare_scope(&self, operation: &Arc<Operation>, scope: Scope) -> Vec<String> {
        let of_scope = self.0.iter().filter(|it| it.place.scope() == Some(scope));
        let of = |it: &Arc<Placed>| it.preparations.clone();
        of_scope.flat_map(of).flat_map(|it| (it.0)(operation)).collect()
    }

    /// Whether others are the very same steps.
    #[must_use]
    pub fn is_same(&self, other: &Steps) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| Arc::ptr_eq(a, b))
    }

    /// Whether a step answers CORS preflights.
    #[must_use]
    pub fn answer_preflights(&self) -> bool {
        self.0.iter().any(|it| it.answers_preflights)
    }

    /// Asks the steps that answer CORS preflights, one after the other; no other step runs.
    ///
    /// # Errors
    ///
    /// The first failure, with the place of its step.
    pub async fn preflight(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        for step in self.0.iter().filter(|it| it.answers_preflights) {
            if step.uses.must_wait() {
                let buffered = context.buffer(step.uses).await;
                buffered.map_err(|error| error.at(&step.place))?;
            }
            let Action::Immediate(policy) = &step.action else { continue };
            let flow = policy.preflight(context).map_err(|error| error.at(&step.place))?;
            if flow == Flow::End {
                return Ok(Flow::End);
            }
        }
        Ok(Flow::Next)
    }

    /// Runs the steps, buffering bodies just before their first reader.
    ///
    /// # Errors
    ///
    /// The first failure, with the place of its step.
    pub async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.run_before(context, false).await
    }

    /// As [`Steps::run`]; `is_last` says that nothing reads the request after these steps.
    pub(crate) async fn run_before(
        &self,
        context: &mut Context,
        is_last: bool,
    ) -> Result<Flow, PolicyError> {
        let n_steps = self.0.len();
        for (number, step) in self.0.iter().enumerate() {
            step.buffer(context).await?;
            context.is_last_use = is_last && step.takes_request && number + 1 == n_steps;
            let result = match &step.action {
                Action::Immediate(policy) => policy.apply(context),
                Action::Waiting(policy) => match policy.try_now(context) {
                    Ok(None) => policy.run_boxed(context).await,
                    Ok(Some(flow)) => Ok(flow),
                    Err(error) => Err(error),
                },
                Action::Inline(_) => Ok(Flow::Next),
            };
            if result.map_err(|error| error.at(&step.place))? == Flow::End {
                return Ok(Flow::End);
            }
        }
        Ok(Flow::Next)
    }

    /// Runs the steps one after the other, beside other steps on the same context.
    ///
    /// # Errors
    ///
    /// The first failure, with the place of its step.
    pub async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        for step in &self.0 {
            let result = match &step.action {
                Action::Waiting(policy) => {
                    step.buffer(&mut *shared.lock().await).await?;
                    policy.run_beside_boxed(shared).await
                }
                Action::Immediate(policy) => {
                    let mut context = shared.lock().await;
                    step.buffer(&mut context).await?;
                    policy.apply(&mut context)
                }
                Action::Inline(_) => Ok(Flow::Next),
            };
            if result.map_err(|error| error.at(&step.place))? == Flow::End {
                return Ok(Flow::End);
            }
        }
        Ok(Flow::Next)
    }

    /// Each step as a list of its own.
    #[must_use]
    pub fn into_each(self) -> Vec<Steps> {
        self.0.into_iter().map(|it| Steps(vec![it])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::test_support::{context, log, pipeline};

    fn inbound(policies: &str) -> Steps {
        let text = format!("<policies><inbound>{policies}</inbound></policies>");
        pipeline(&[(Scope::Api, &text)]).inbound
    }

    #[test]
    fn immediate_steps_run_without_waiting() {
        let steps = inbound("<mark name='a'/><mark name='b'/>");
        let mut context = context();

        assert!(steps.are_immediate());
        assert_eq!(steps.apply(&mut context).unwrap(), Flow::Next);
        assert_eq!(log(&context), "a b");
    }

    #[test]
    fn a_step_that_waits_or_reads_a_body_is_not_immediate() {
        for policies in ["<pause name='a'/>", "<read />"] {
            let steps = inbound(policies);
            assert!(!steps.are_immediate(), "{policies}");
            assert!(steps.apply(&mut context()).is_err(), "{policies}");
        }
        assert!(Steps::default().are_immediate() && Steps::default().is_empty());
    }

    #[tokio::test]
    async fn both_kinds_run_in_order() {
        let steps = inbound("<mark name='a'/><pause name='b'/><mark name='c'/>");
        let mut context = context();

        assert_eq!(steps.len(), 3);
        assert_eq!(steps.run(&mut context).await.unwrap(), Flow::Next);
        assert_eq!(log(&context), "a b c");
    }

    #[tokio::test]
    async fn steps_beside_each_other_take_turns_with_the_context() {
        let each = inbound("<pause name='a'/><mark name='b'/><end><mark name='c'/></end>");
        let each = each.into_each();
        let mut context = context();
        let [a, b, c] = each.as_slice() else { panic!("{}", each.len()) };
        let shared = SharedContext::new(&mut context);

        let flows =
            tokio::join!(a.run_beside(&shared), b.run_beside(&shared), c.run_beside(&shared));

        let flows = [flows.0.unwrap(), flows.1.unwrap(), flows.2.unwrap()];
        assert_eq!(flows, [Flow::Next, Flow::Next, Flow::End]);
        assert_eq!(log(&context), "a b c");
    }

    #[tokio::test]
    async fn only_the_last_step_that_says_so_may_take_the_request() {
        #[derive(Debug)]
        struct Taking(&'static str);
        impl Immediate for Taking {
            fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
                let may_take = context.is_last_use_of_request();
                context.variables.set(self.0, expr::Value::from(may_take));
                Ok(Flow::Next)
            }
        }
        for (first, second, is_last, expected) in [
            (true, true, true, [false, true]),
            (true, true, false, [false, false]),
            (true, false, true, [false, false]),
        ] {
            let mut steps = Steps::default();
            for (name, takes) in [("first", first), ("second", second)] {
                let step = Step::immediate(Taking(name));
                let step = if takes { step.taking_request() } else { step };
                steps.push(step.placed(Place::built_in("taking"), Uses::NONE, Vec::new()));
            }
            let mut context = context();
            context.is_last_use = true;
            steps.run_before(&mut context, is_last).await.unwrap();
            let seen = ["first", "second"].map(|it| context.variables.get(it).unwrap().as_bool());
            assert_eq!(seen, expected.map(Some));
        }
    }

    #[tokio::test]
    async fn a_failure_carries_the_place_of_the_innermost_step() {
        let steps = inbound("<mark name='a'/><end><fail/></end><end><mark name='b'/><fail/></end>");
        let error = steps.run(&mut context()).await.unwrap_err();

        assert_eq!(error.place().unwrap().path(), Some("end[1]/fail"));
        assert_eq!(error.place().unwrap().source(), "fail");
    }
}
