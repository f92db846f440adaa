//! What the calls of resolvers come to for their request: time, number, and the last one for the log.
//!
//! Calls at the same time count once: the time is that in which at least one was under way. Together
//! they are one call of the request, since none of them is a repetition.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use transport::Clock;

use crate::context::Context;
use crate::trail::{BackendCall, Trail};

/// The calls beside a request.
#[derive(Debug)]
pub(super) struct Beside {
    clock: Arc<dyn Clock>,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    n_active: u32,
    /// When the first of those under way began.
    since: Duration,
    time: Duration,
    has_called: bool,
    last: Option<BackendCall>,
}

impl Beside {
    pub(super) fn new(context: &Context) -> Beside {
        Beside { clock: Arc::clone(&context.services.clock), noted: Mutex::default() }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub(super) fn begin(&self) {
        let now = self.clock.monotonic();
        let mut noted = self.noted();
        if noted.n_active == 0 {
            noted.since = now;
        }
        noted.n_active += 1;
    }

    /// A call has ended, and left this context.
    pub(super) fn end(&self, context: &mut Context) {
        let now = self.clock.monotonic();
        let mut noted = self.noted();
        noted.n_active = noted.n_active.saturating_sub(1);
        if noted.n_active == 0 {
            let since = noted.since;
            noted.time += now.saturating_sub(since);
        }
        noted.has_called |= context.calls.count > 0;
        if let Some(call) = Trail::of_mut(context).and_then(|it| it.call.take()) {
            noted.last = Some(call);
        }
    }

    /// Tells the request of its calls, once all have ended.
    pub(super) fn tell(self, context: &mut Context) {
        let noted = self.noted.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !noted.has_called {
            return;
        }
        context.calls.count = context.calls.count.saturating_add(1);
        context.calls.time += noted.time;
        if let Some(trail) = Trail::of_mut(context) {
            trail.call = noted.last.or(trail.call.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::context;

    fn call(url: &str) -> BackendCall {
        let (method, url) = (http::Method::GET, url.to_owned());
        BackendCall { method, url, status: None, backend: None }
    }

    #[test]
    fn calls_at_the_same_time_count_once_and_the_last_is_noted() {
        let mut outer = context();
        Trail::begin(&mut outer);
        let beside = Beside::new(&outer);
        let ended = |url: &str| {
            let mut inner = context();
            inner.calls.count = 1;
            Trail::begin(&mut inner);
            Trail::of_mut(&mut inner).unwrap().call = Some(call(url));
            beside.end(&mut inner);
        };
        beside.begin();
        beside.begin();
        ended("a");
        ended("b");
        assert_eq!(beside.noted().n_active, 0);
        beside.tell(&mut outer);
        assert_eq!(outer.calls.count, 1);
        assert_eq!(Trail::of_mut(&mut outer).unwrap().call.as_ref().unwrap().url, "b");
    }

    #[test]
    fn a_resolver_that_calls_nobody_leaves_nothing() {
        let mut outer = context();
        let beside = Beside::new(&outer);
        beside.begin();
        beside.end(&mut context());
        beside.tell(&mut outer);
        assert_eq!(outer.calls, crate::context::BackendCalls::default());
    }
}
