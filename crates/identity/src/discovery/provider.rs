//! One provider: its document, and the one fetch that may be under way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;
use tokio::sync::watch;
use transport::{Clock, HttpClient};
use url::Url;

use super::document::{Document, Metadata};
use super::providers::ProviderSettings;
use crate::fetch::{self, FETCH_TIMEOUT, FetchError, is_loopback};

/// The first pause after a failed fetch; it doubles with every further failure.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest pause between two attempts while a provider is down.
const LAST_RETRY: Duration = Duration::from_secs(60);

/// What all providers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: ProviderSettings,
}

/// An OpenID provider, known by the address of its metadata document.
#[derive(Debug)]
pub struct Provider {
    /// Distinguishes providers in the cache of verified tokens.
    id: u64,
    url: Url,
    shared: Arc<Shared>,
    current: ArcSwapOption<Fetched>,
    flight: Mutex<Flight>,
    /// When a request last asked for the document, in seconds of the monotonic clock.
    last_used_secs: AtomicU64,
}

#[derive(Debug)]
struct Fetched {
    document: Arc<Document>,
    at: Duration,
}

#[derive(Debug, Default)]
struct Flight {
    running: Option<watch::Receiver<()>>,
    failures: u32,
    last_failure: Option<(Duration, FetchError)>,
    last_forced: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// There is no document that could be used.
    Missing,
    /// The document gets old.
    Refresh,
    /// A token names a key that the document does not have.
    UnknownKey,
}

impl Provider {
    pub(crate) fn new(url: Url, shared: Arc<Shared>) -> Arc<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let now = shared.clock.monotonic().as_secs();
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            url,
            shared,
            current: ArcSwapOption::empty(),
            flight: Mutex::default(),
            last_used_secs: AtomicU64::new(now),
        })
    }

    /// The address of the metadata document.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Why the last fetch failed, if it did.
    pub fn problem(&self) -> Option<FetchError> {
        self.flight().last_failure.as_ref().map(|it| it.1.clone())
    }

    /// The document, if there is one that is not too old. Never waits.
    ///
    /// A document is used for up to an hour, and longer only while the provider is down. If
    /// nobody keeps it fresh in the background, its use starts a fetch when it gets old.
    pub fn current(self: &Arc<Self>) -> Option<Arc<Document>> {
        self.with_current(Arc::clone)
    }

    /// The generation of the current document; 0 if there is none.
    pub(crate) fn generation(self: &Arc<Self>) -> u64 {
        self.with_current(|it| it.generation()).unwrap_or_default()
    }

    fn with_current<T>(self: &Arc<Self>, f: impl FnOnce(&Arc<Document>) -> T) -> Option<T> {
        let now = self.now();
        self.last_used_secs.store(now.as_secs(), Ordering::Relaxed);
        let fetched = self.current.load();
        let fetched = fetched.as_ref()?;
        let age = now.saturating_sub(fetched.at);
        if age >= self.shared.settings.lifetime {
            // Whoever needs the new document waits for the same fetch later.
            let _running = self.start(Reason::Refresh);
        }
        (age <= self.shared.settings.max_stale).then(|| f(&fetched.document))
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn last_used(&self) -> Duration {
        Duration::from_secs(self.last_used_secs.load(Ordering::Relaxed))
    }

    /// The document; fetches it if there is none, once for everybody who waits.
    pub(crate) async fn document(self: &Arc<Self>) -> Option<Arc<Document>> {
        if let Some(document) = self.current() {
            return Some(document);
        }
        self.fly(Reason::Missing).await;
        self.current()
    }

    /// Fetches again because a key is unknown; true if there was a fetch to wait for.
    ///
    /// At most one such fetch per interval, so that a flood of invented keys stays cheap.
    pub(crate) async fn refetch_for_unknown_key(self: &Arc<Self>) -> bool {
        self.fly(Reason::UnknownKey).await
    }

    /// Starts a fetch if there is no document, without waiting for it.
    pub(crate) fn prepare(self: &Arc<Self>) {
        if self.current().is_none() {
            // Whoever needs the document waits for the same fetch later.
            let _running = self.start(Reason::Missing);
        }
    }

    /// Starts to keep the document fresh until nobody needs the provider any more.
    pub(crate) fn keep_fresh(self: &Arc<Self>) {
        let Some(runtime) = self.runtime() else { return };
        let weak = Arc::downgrade(self);
        runtime.spawn(refresh_loop(weak, Arc::clone(&self.shared.clock)));
    }

    /// Waits for the fetch that is under way, or starts one; false if none may be started now.
    async fn fly(self: &Arc<Self>, reason: Reason) -> bool {
        let Some(mut running) = self.start(reason) else { return false };
        // The sender says nothing; it is dropped when the fetch has ended.
        while running.changed().await.is_ok() {}
        true
    }

    fn start(self: &Arc<Self>, reason: Reason) -> Option<watch::Receiver<()>> {
        let now = self.now();
        let mut flight = self.flight();
        if let Some(running) = &flight.running {
            return Some(running.clone());
        }
        let interval = self.shared.settings.unknown_key_interval;
        let may_start = match reason {
            Reason::Refresh | Reason::Missing => flight.retry_at().is_none_or(|it| it <= now),
            Reason::UnknownKey => {
                flight.retry_at().is_none_or(|it| it <= now)
                    && flight.last_forced.is_none_or(|it| it + interval <= now)
            }
        };
        if !may_start {
            return None;
        }
        let runtime = self.runtime()?;
        let (done, running) = watch::channel(());
        flight.running = Some(running.clone());
        drop(flight);
        // The fetch is a task of its own: it goes on when the request that started it ends.
        let landing = Landing { provider: Arc::clone(self), _done: done };
        runtime.spawn(async move { landing.provider.fetch(reason).await });
        Some(running)
    }

    async fn fetch(self: &Arc<Self>, reason: Reason) {
        let clock = &self.shared.clock;
        let outcome = fetch::within(clock, FETCH_TIMEOUT, self.read()).await;
        let now = self.now();
        let mut flight = self.flight();
        match outcome {
            Ok(document) => {
                flight.failures = 0;
                flight.last_failure = None;
                if reason == Reason::UnknownKey {
                    flight.last_forced = Some(now);
                }
                self.current
                    .store(Some(Arc::new(Fetched { document: Arc::new(document), at: now })));
            }
            Err(problem) => {
                let url = fetch::without_secrets(&self.url);
                let is_stale = self.current.load().is_some();
                tracing::warn!(%url, %problem, is_stale, "signing keys could not be fetched");
                flight.failures = flight.failures.saturating_add(1);
                flight.last_failure = Some((now, problem));
            }
        }
    }

    async fn read(&self) -> Result<Document, FetchError> {
        let settings = &self.shared.settings;
        let is_allowed = |url: &Url| settings.allows(url);
        let client = &self.shared.client;
        let metadata = Metadata::parse(&fetch::get(client, &self.url, &is_allowed).await?)?;
        let key_text = fetch::get(client, &metadata.key_set_url, &is_allowed).await?;
        let previous = self.current.load();
        Document::read(metadata.issuer, key_text, previous.as_ref().map(|it| &*it.document))
    }

    /// How long the background task has to wait for the next fetch.
    fn next_refresh(&self) -> Duration {
        let now = self.now();
        if let Some(at) = self.flight().retry_at() {
            return at.saturating_sub(now);
        }
        match &*self.current.load() {
            None => Duration::ZERO,
            // A twelfth before the end, so that requests never wait for a fresh document.
            Some(fetched) => {
                (fetched.at + self.shared.settings.lifetime / 12 * 11).saturating_sub(now)
            }
        }
    }

    fn runtime(&self) -> Option<Handle> {
        self.shared.settings.runtime.clone().or_else(|| Handle::try_current().ok())
    }

    fn now(&self) -> Duration {
        self.shared.clock.monotonic()
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// When the next attempt may be made, if the last one failed.
    fn retry_at(&self) -> Option<Duration> {
        let (at, _) = self.last_failure.as_ref()?;
        let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        Some(*at + doubled.min(LAST_RETRY))
    }
}

impl ProviderSettings {
    /// True if keys may be fetched from here: https, this machine, or a host that is listed.
    pub fn allows(&self, url: &Url) -> bool {
        match url.scheme() {
            "https" => url.host().is_some(),
            "http" => {
                is_loopback(url)
                    || url.host_str().is_some_and(|host| {
                        self.allow_http.iter().any(|it| it.eq_ignore_ascii_case(host))
                    })
            }
            _ => false,
        }
    }
}

/// Marks the end of a fetch, however it ends.
struct Landing {
    provider: Arc<Provider>,
    _done: watch::Sender<()>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.provider.flight().running = None;
    }
}

async fn refresh_loop(provider: Weak<Provider>, clock: Arc<dyn Clock>) {
    loop {
        let Some(wait) = provider.upgrade().map(|it| it.next_refresh()) else { return };
        clock.sleep(wait).await;
        let Some(strong) = provider.upgrade() else { return };
        // Another fetch may have come first; then there is nothing to do yet.
        if strong.next_refresh().is_zero() {
            strong.fly(Reason::Refresh).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_while_a_provider_is_down() {
        let pause = |failures| {
            let failure = (Duration::from_secs(100), FetchError::Redirect);
            let flight = Flight { failures, last_failure: Some(failure), ..Flight::default() };
            flight.retry_at().unwrap().as_secs() - 100
        };
        assert_eq!([1, 2, 3, 6, 7, 40].map(pause), [1, 2, 4, 32, 60, 60]);
        assert_eq!(Flight::default().retry_at(), None);
    }

    #[test]
    fn plain_http_is_for_this_machine_and_listed_hosts() {
        let settings =
            ProviderSettings { allow_http: vec!["Idp.test".to_owned()], ..Default::default() };
        let allows = |it: &str| settings.allows(&Url::parse(it).unwrap());
        for good in
            ["https://a.test/x", "http://localhost:1/x", "http://127.0.0.1/", "http://idp.test/"]
        {
            assert!(allows(good), "{good}");
        }
        for bad in [
            "http://a.test/",
            "ftp://a.test/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "http://idp.test.evil/",
        ] {
            assert!(!allows(bad), "{bad}");
        }
    }
}
