//! Time as a trait: the system's, and one that tests move by hand.

use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;

use crate::BoxFuture;

/// What time it is.
pub trait Clock: Debug + Send + Sync {
    /// The calendar time; may jump.
    fn now(&self) -> SystemTime;

    /// Time since an arbitrary start; never goes back. For measuring.
    fn monotonic(&self) -> Duration;

    /// Ends after this time has passed on this clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The computer's clock. `sleep` needs a tokio runtime with its timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        START.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that stands still until it is advanced. Clones share the same time.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<Mutex<FakeTime>>);

#[derive(Debug)]
struct FakeTime {
    start: SystemTime,
    elapsed: Duration,
    sleepers: Vec<(Duration, oneshot::Sender<()>)>,
}

impl FakeClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn at(start: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(FakeTime {
            start,
            elapsed: Duration::ZERO,
            sleepers: Vec::new(),
        })))
    }

    /// A clock that shows this many seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn at_unix(seconds: u64) -> Self {
        Self::at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Moves the time on and wakes every sleeper whose time has come, the earliest first.
    pub fn advance(&self, duration: Duration) {
        let mut time = self.time();
        time.elapsed += duration;
        let elapsed = time.elapsed;
        let (mut due, waiting): (Vec<_>, Vec<_>) =
            time.sleepers.drain(..).partition(|(at, _)| *at <= elapsed);
        time.sleepers = waiting;
        drop(time);
        due.sort_by_key(|(at, _)| *at);
        for (_, wake) in due {
            // The sleeper may have been dropped meanwhile.
            let _ = wake.send(());
        }
    }

    /// How many sleepers wait, for tests that must know that one has gone to sleep.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        let mut time = self.time();
        time.sleepers.retain(|(_, wake)| !wake.is_closed());
        time.sleepers.len()
    }

    fn time(&self) -> MutexGuard<'_, FakeTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        let time = self.time();
        time.start + time.elapsed
    }

    fn monotonic(&self) -> Duration {
        self.time().elapsed
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (wake, woken) = oneshot::channel();
        let mut time = self.time();
        let at = time.elapsed + duration;
        if duration.is_zero() {
            return Box::pin(std::future::ready(()));
        }
        time.sleepers.push((at, wake));
        Box::pin(async move {
            // An error means that the clock is gone: then nobody can wake us any more.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::{Clock, FakeClock, SystemClock};

    #[test]
    fn sleepers_wake_when_the_fake_clock_reaches_them() {
        let clock = FakeClock::at_unix(100);
        let mut sleep = clock.sleep(Duration::from_secs(5));
        let mut poll = || sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));

        assert_eq!(poll(), Poll::Pending);
        clock.advance(Duration::from_secs(4));
        assert_eq!(poll(), Poll::Pending);
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(poll(), Poll::Ready(()));
        assert_eq!(clock.now(), FakeClock::at_unix(105).now());
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
    }

    #[test]
    fn the_system_clock_never_goes_back() {
        let first = SystemClock.monotonic();
        assert!(SystemClock.monotonic() >= first);
    }
}
