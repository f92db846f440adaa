//! A timer that is kept and set again.
//!
//! Making a timer costs an entry in the runtime's wheel, and dropping it another search there.
//! Setting one that runs already to a later time costs a single store: it finds out when it goes
//! off that it was too early.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::BodyError;

/// A timer of one connection or body, made when it is first set.
#[derive(Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Goes off at this time, and not at the one it was set to before.
    pub(crate) fn set(&mut self, at: Instant) {
        match &mut self.0 {
            Some(sleep) => sleep.as_mut().reset(at),
            None => self.0 = Some(Box::pin(sleep_until(at))),
        }
    }

    /// Whether the time has come. An alarm that was never set does not go off.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().map_or(Poll::Pending, |sleep| sleep.as_mut().poll(cx))
    }

    /// What `work` gives, or `None` if it is not done at this time. Without a time it is waited
    /// for; work that is done at once sets no alarm.
    pub(crate) async fn bound<T>(
        &mut self,
        at: Option<Instant>,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut unset = at;
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            if let Some(at) = unset.take() {
                self.set(at);
            }
            match at {
                Some(_) => self.poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await
    }
}

/// The longest pause inside a body. Counts only while a part is waited for.
#[derive(Debug)]
pub(crate) struct Pause {
    bound: Option<Duration>,
    alarm: Alarm,
    is_waiting: bool,
}

impl Pause {
    pub(crate) fn new(bound: Option<Duration>) -> Self {
        Self { bound, alarm: Alarm::default(), is_waiting: false }
    }

    /// Another body begins. The alarm is kept: to set it again costs less than to make one.
    pub(crate) fn restart(&mut self, bound: Option<Duration>) {
        (self.bound, self.is_waiting) = (bound, false);
    }

    /// A part has come.
    pub(crate) fn moved(&mut self) {
        self.is_waiting = false;
    }

    /// Nothing is there: ready when the pause has been too long.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        let Some(after) = self.bound else { return Poll::Pending };
        if !self.is_waiting {
            // Further away than times go: never.
            let Some(at) = Instant::now().checked_add(after) else { return Poll::Pending };
            self.alarm.set(at);
            self.is_waiting = true;
        }
        self.alarm.poll(cx).map(|()| BodyError::IdleTimeout { after })
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alarm({})", if self.0.is_some() { "set" } else { "unset" })
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Alarm, Pause};
    use crate::BodyError;

    const LONG: Duration = Duration::from_secs(3600);

    /// Done when it is polled for the second time.
    async fn soon(value: u8) -> u8 {
        tokio::task::yield_now().await;
        value
    }

    #[tokio::test]
    async fn it_goes_off_at_the_time_set_last() {
        let mut alarm = Alarm::default();
        let now = || Some(Instant::now());
        assert_eq!(alarm.bound(now(), pending::<()>()).await, None);
        // Later than before, then earlier.
        alarm.set(Instant::now() + LONG);
        assert_eq!(alarm.bound(now(), pending::<()>()).await, None);
        // It has gone off; the next time counts alone.
        assert_eq!(alarm.bound(Some(Instant::now() + LONG), soon(1)).await, Some(1));
        assert_eq!(alarm.bound(now(), pending::<()>()).await, None);
    }

    #[tokio::test]
    async fn work_that_is_done_at_once_is_never_late() {
        let mut alarm = Alarm::default();
        assert_eq!(alarm.bound(Some(Instant::now()), ready(1)).await, Some(1));
        assert_eq!(alarm.bound(None, soon(2)).await, Some(2));
    }

    #[tokio::test]
    async fn an_alarm_of_earlier_work_does_not_count_for_work_without_a_bound() {
        let mut alarm = Alarm::default();
        alarm.set(Instant::now());
        assert_eq!(alarm.bound(None, soon(3)).await, Some(3));
    }

    #[tokio::test]
    async fn a_pause_counts_from_its_own_start() {
        let after = Duration::from_millis(1);
        let mut pause = Pause::new(Some(after));
        for _ in 0..2 {
            let late = std::future::poll_fn(|cx| pause.poll(cx)).await;
            assert_eq!(late, BodyError::IdleTimeout { after });
            pause.moved();
        }
        let never = std::future::poll_fn(|cx| Pause::new(None).poll(cx));
        assert!(tokio::time::timeout(after, never).await.is_err());
    }
}
