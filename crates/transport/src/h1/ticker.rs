//! The one timer of a connection.
//!
//! A timer per bound and request costs several percent of a request, and so does asking for the
//! time. Here the timer looks a few times per bound whether the connection is still in the state
//! in which it was the last time; a request costs a few additions.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep};

use crate::Limits;

/// Counts how long nothing has changed.
pub(crate) struct Ticker {
    sleep: Pin<Box<Sleep>>,
    period: Duration,
    is_armed: bool,
    /// Changes with the connection's state.
    state: u32,
    state_at_tick: u32,
    n_ticks: u32,
}

impl Ticker {
    pub(crate) fn new(limits: &Limits) -> Self {
        let period = period(limits);
        Self {
            sleep: Box::pin(sleep(period)),
            period,
            is_armed: false,
            state: 0,
            state_at_tick: 0,
            n_ticks: 0,
        }
    }

    /// The connection's state has changed, or it has got on in it.
    pub(crate) fn touch(&mut self) {
        self.state = self.state.wrapping_add(1);
    }

    /// If the timer has gone off: how long the state has lasted, at least. Always in the same
    /// task: the timer keeps its waker.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_>) -> Option<Duration> {
        if !self.is_armed {
            self.arm(cx.waker());
            self.is_armed = true;
        }
        if !self.sleep.is_elapsed() {
            return None;
        }
        if self.state == self.state_at_tick {
            self.n_ticks = self.n_ticks.saturating_add(1);
        } else {
            (self.state_at_tick, self.n_ticks) = (self.state, 0);
        }
        self.sleep.as_mut().reset(Instant::now() + self.period);
        self.arm(cx.waker());
        Some(self.period.saturating_mul(self.n_ticks))
    }

    /// Only a poll registers the task; the runtime must not put it off.
    fn arm(&mut self, waker: &Waker) {
        let mut polled = std::pin::pin!(unconstrained(self.sleep.as_mut()));
        if let Poll::Ready(()) = polled.as_mut().poll(&mut Context::from_waker(waker)) {
            waker.wake_by_ref();
        }
    }
}

/// How often the timer looks: often enough to keep the shortest bound well.
pub(crate) fn period(limits: &Limits) -> Duration {
    let shortest = limits
        .head_timeout
        .min(limits.keep_alive_timeout)
        .min(limits.write_timeout)
        .min(limits.request_timeout);
    (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(5))
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};
    use std::time::Duration;

    use super::{Ticker, period};
    use crate::Limits;

    fn limits(head_timeout: Duration) -> Limits {
        Limits { head_timeout, ..Limits::default() }
    }

    #[test]
    fn the_timer_looks_several_times_per_bound() {
        assert_eq!(period(&limits(Duration::from_millis(400))), Duration::from_millis(100));
        assert_eq!(period(&limits(Duration::ZERO)), Duration::from_millis(5));
    }

    #[tokio::test]
    async fn a_state_lasts_until_it_changes() {
        let mut ticker = Ticker::new(&limits(Duration::ZERO));
        let mut next = async |touches: bool| {
            std::future::poll_fn(|cx: &mut Context<'_>| {
                if touches {
                    ticker.touch();
                }
                ticker.tick(cx).map_or(Poll::Pending, Poll::Ready)
            })
            .await
        };
        let tick = Duration::from_millis(5);
        assert_eq!(next(false).await, tick);
        assert_eq!(next(false).await, tick * 2);
        assert_eq!(next(true).await, Duration::ZERO);
        assert_eq!(next(false).await, tick);
    }
}
