//! One token: the identity it belongs to, the resource it is for, and the fetch under way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;
use tokio::sync::watch;
use transport::Clock;

use super::request::{Caller, attempt};
use super::{AccessToken, IdentitySource, ManagedIdentityError};

/// Pauses before the attempts of a request, which does not wait long.
const QUICK: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(2)];
/// Pauses before the attempts in the background: 0, 2, 6, 14 and 30 s after the start.
const PATIENT: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];
/// The longest that the attempts of a request take together.
const QUICK_LIMIT: Duration = Duration::from_secs(10);
/// How long before it expires a token is refreshed.
const REFRESH_AHEAD: Duration = Duration::from_secs(5 * 60);
/// The pause after a refresh that failed with all its attempts.
const REFRESH_PAUSE: Duration = Duration::from_secs(60);
/// How long requests are told of a failure without a new attempt.
const FAILURE_KEPT: Duration = Duration::from_millis(500);

/// What all slots share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) source: IdentitySource,
    pub(super) caller: Caller,
    pub(super) runtime: Option<Handle>,
}

#[derive(Debug)]
pub(super) struct Slot {
    client_id: Option<String>,
    resource: String,
    shared: Arc<Shared>,
    current: ArcSwapOption<Held>,
    flight: Mutex<Flight>,
    /// When a request last asked, in milliseconds of the monotonic clock.
    last_used_ms: AtomicU64,
}

#[derive(Debug)]
struct Held {
    token: AccessToken,
    /// When to refresh it, and when it was fetched, on the monotonic clock.
    refresh_at: Duration,
    fetched_at: Duration,
}

#[derive(Debug, Default)]
struct Flight {
    running: Option<watch::Receiver<()>>,
    last_failure: Option<(Duration, ManagedIdentityError)>,
    is_kept_fresh: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Quick,
    Patient,
}

impl Slot {
    pub(super) fn new(client_id: Option<&str>, resource: &str, shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            client_id: client_id.map(str::to_owned),
            resource: resource.to_owned(),
            shared,
            current: ArcSwapOption::empty(),
            flight: Mutex::default(),
            last_used_ms: AtomicU64::new(0),
        })
    }

    pub(super) fn last_used_ms(&self) -> u64 {
        self.last_used_ms.load(Ordering::Relaxed)
    }

    /// The token that is at hand, if it is valid now.
    pub(super) fn ready(&self) -> Option<AccessToken> {
        let now_ms = u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX);
        self.last_used_ms.store(now_ms, Ordering::Relaxed);
        self.valid()
    }

    /// A token that is valid now. Waits only if there is none.
    pub(super) async fn token(self: &Arc<Self>) -> Result<AccessToken, ManagedIdentityError> {
        if let Some(token) = self.ready() {
            return Ok(token);
        }
        if let Some(mut running) = self.start(Patience::Quick) {
            // The sender says nothing; it is dropped when the fetch has ended.
            let ended = async { while running.changed().await.is_ok() {} };
            tokio::select! {
                biased;
                () = ended => {}
                () = self.clock().sleep(QUICK_LIMIT) => {}
            }
        }
        if let Some(token) = self.valid() {
            return Ok(token);
        }
        let failure = self.flight().last_failure.as_ref().map(|it| it.1.clone());
        Err(failure.unwrap_or_else(|| ManagedIdentityError::Unavailable {
            endpoint: self.shared.source.name(),
            reason: format!("no answer within {} s", QUICK_LIMIT.as_secs()),
        }))
    }

    fn valid(&self) -> Option<AccessToken> {
        let held = self.current.load();
        let token = &held.as_ref()?.token;
        (token.expires() > self.clock().now()).then(|| token.clone())
    }

    /// Joins the fetch that is under way, or starts one; `None` if the last one just failed.
    fn start(self: &Arc<Self>, patience: Patience) -> Option<watch::Receiver<()>> {
        let now = self.now();
        let mut flight = self.flight();
        if let Some(running) = &flight.running {
            return Some(running.clone());
        }
        let has_just_failed =
            flight.last_failure.as_ref().is_some_and(|it| it.0 + FAILURE_KEPT > now);
        if patience == Patience::Quick && has_just_failed {
            return None;
        }
        let runtime = self.shared.runtime.clone().or_else(|| Handle::try_current().ok())?;
        let (done, running) = watch::channel(());
        flight.running = Some(running.clone());
        drop(flight);
        // The fetch is a task of its own: it goes on when the request that started it ends.
        let landing = Landing { slot: Arc::clone(self), _done: done };
        runtime.spawn(async move { landing.slot.fetch(patience).await });
        Some(running)
    }

    async fn fetch(self: &Arc<Self>, patience: Patience) {
        let pauses: &[Duration] = match patience {
            Patience::Quick => &QUICK,
            Patience::Patient => &PATIENT,
        };
        for pause in pauses {
            self.clock().sleep(*pause).await;
            let Shared { source, caller, .. } = &*self.shared;
            match attempt(source, caller, self.client_id.as_deref(), &self.resource).await {
                Ok(token) => return self.hold(token),
                Err(problem) => {
                    let is_final = !problem.is_temporary();
                    tracing::warn!(resource = %self.resource, %problem, "no managed identity token");
                    self.flight().last_failure = Some((self.now(), problem));
                    if is_final {
                        return;
                    }
                }
            }
        }
    }

    fn hold(self: &Arc<Self>, token: AccessToken) {
        let now = self.now();
        let lifetime = token.expires().duration_since(self.clock().now()).unwrap_or_default();
        let refresh_at = now + lifetime - REFRESH_AHEAD.min(lifetime / 2);
        self.current.store(Some(Arc::new(Held { token, refresh_at, fetched_at: now })));
        let mut flight = self.flight();
        flight.last_failure = None;
        if !flight.is_kept_fresh
            && let Some(runtime) =
                self.shared.runtime.clone().or_else(|| Handle::try_current().ok())
        {
            flight.is_kept_fresh = true;
            runtime.spawn(refresh_loop(Arc::downgrade(self), Arc::clone(self.clock())));
        }
    }

    /// How long to wait for the next refresh; `None` if there is nothing worth refreshing.
    fn next_refresh(&self) -> Option<Duration> {
        self.valid()?;
        let refresh_at = self.current.load().as_ref()?.refresh_at;
        let failed_at = self.flight().last_failure.as_ref().map(|it| it.0);
        let at = failed_at.map_or(refresh_at, |it| refresh_at.max(it + REFRESH_PAUSE));
        Some(at.saturating_sub(self.now()))
    }

    /// True if a request has asked for the token since it was fetched (or caused the fetch).
    fn is_in_use(&self) -> bool {
        let fetched_at = self.current.load().as_ref().map(|it| it.fetched_at).unwrap_or_default();
        // Whoever caused a fetch asked a little before it ended.
        let since = fetched_at.saturating_sub(QUICK_LIMIT);
        u128::from(self.last_used_ms()) >= since.as_millis()
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.caller.clock
    }

    fn now(&self) -> Duration {
        self.clock().monotonic()
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks the end of a fetch, however it ends.
struct Landing {
    slot: Arc<Slot>,
    _done: watch::Sender<()>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.slot.flight().running = None;
    }
}

/// Keeps one token fresh until nobody uses it any more.
async fn refresh_loop(slot: Weak<Slot>, clock: Arc<dyn Clock>) {
    while let Some(wait) = slot.upgrade().and_then(|it| it.next_refresh()) {
        clock.sleep(wait).await;
        let Some(strong) = slot.upgrade() else { return };
        if !strong.is_in_use() {
            break;
        }
        // Another fetch may have come first; then there is nothing to do yet.
        if strong.next_refresh().is_some_and(|it| it.is_zero())
            && let Some(mut running) = strong.start(Patience::Patient)
        {
            while running.changed().await.is_ok() {}
        }
    }
    if let Some(slot) = slot.upgrade() {
        slot.flight().is_kept_fresh = false;
    }
}
