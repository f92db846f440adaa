//! Circuit breakers that several gateways share, and what is told of them.
//!
//! No request waits for the store. Each gateway decides by its own copy; a task of the control
//! runtime tells the store what was counted and asks how the breakers of all stand, in one round
//! trip for all of them: at once when a call failed, and every [`AGE`] otherwise. So a gateway
//! knows what another one found after [`AGE`], [`GAP`] and a round trip at the latest.
//!
//! While the store is away every gateway decides from its own traffic, as without a store. What
//! it counts then is not told later, but for trips that still last.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use state::{BreakerReport, BreakerStore};
use tokio::sync::Notify;
use transport::Clock;

use super::balance::Targets;
use super::breaker::Breaker;
use crate::Gateway;

/// How old a gateway's copy gets.
pub(crate) const AGE: Duration = Duration::from_millis(250);
/// Least time between two round trips.
const GAP: Duration = Duration::from_millis(10);

/// What breakers and the task that tells of them have in common.
#[derive(Debug, Default)]
pub(crate) struct Link {
    wake: Notify,
    is_up: AtomicBool,
}

impl Link {
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether the store answered when it was last asked.
    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Relaxed)
    }

    /// Notes whether it does; gives whether it did before.
    pub(super) fn set_up(&self, is_up: bool) -> bool {
        self.is_up.swap(is_up, Relaxed)
    }
}

/// Keeps the breakers of a gateway and those of the store alike, until the gateway is gone.
pub(crate) async fn keep_alike(
    gateway: Weak<Gateway>,
    store: Arc<dyn BreakerStore>,
    link: Arc<Link>,
    clock: Arc<dyn Clock>,
) {
    loop {
        let Some(live) = gateway.upgrade().map(|it| it.live()) else { return };
        if let Some(live) = live {
            exchange(&live.targets, &*store, &link, &*clock).await;
        }
        clock.sleep(GAP).await;
        tokio::select! {
            () = link.wake.notified() => {}
            () = clock.sleep(AGE) => {}
        }
    }
}

/// One round trip.
pub(crate) async fn exchange(
    targets: &Targets,
    store: &dyn BreakerStore,
    link: &Link,
    clock: &dyn Clock,
) {
    let now = clock.monotonic();
    let pairs = targets.singles().filter_map(|it| {
        let breaker = it.breaker.as_deref()?;
        Some((breaker, breaker.report(now)?))
    });
    let (breakers, reports): (Vec<&Breaker>, Vec<BreakerReport<'_>>) = pairs.unzip();
    if reports.is_empty() {
        return;
    }
    match store.exchange(&reports).await {
        Ok(standings) => {
            if !link.set_up(true) {
                tracing::info!("circuit breakers are shared with the other gateways");
            }
            let now = clock.monotonic();
            for (breaker, left) in breakers.iter().zip(standings) {
                breaker.adopt(left, now);
            }
        }
        Err(error) => {
            if link.set_up(false) {
                tracing::warn!(%error, "circuit breakers are not shared at present");
            }
            for (breaker, report) in breakers.iter().zip(&reports) {
                breaker.not_told(report.tripped.is_some());
            }
        }
    }
}

/// How the breaker of a backend stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerState {
    /// The backend's name.
    pub backend: String,
    /// How long the breaker stays open; none: it is closed. There is no state between: when the
    /// time is over all calls are made again, as Azure has it.
    pub open_for: Option<Duration>,
    /// What health checks have found; none if there are none.
    pub is_healthy: Option<bool>,
}

/// How all backends stand that have a breaker or health checks, in the order of their names: for
/// metrics.
pub(crate) fn states(targets: &Targets, now: Duration) -> Vec<BreakerState> {
    let state = |it: &Arc<super::single::Single>| {
        if it.breaker.is_none() && it.check.is_none() {
            return None;
        }
        Some(BreakerState {
            backend: it.backend.entry.info.id.clone(),
            open_for: it.breaker.as_ref().and_then(|it| it.open_for(now)),
            is_healthy: it.check.as_ref().map(|it| it.down_for().is_none()),
        })
    };
    let mut all: Vec<BreakerState> = targets.singles().filter_map(state).collect();
    all.sort_by(|a, b| a.backend.cmp(&b.backend));
    all
}
