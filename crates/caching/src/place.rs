//! Where a policy's entries are: the internal cache, the external one, or nowhere.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-cache-external>

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use document::Diagnostic;
use pipeline::{Attr, Background, Caches, CompileCx, Context, Element, codes, words};
use state::{Cache, CacheFailure, CacheKey, InternalCache};

use crate::stores::{Gathered, Stores};

words! {
    /// `caching-type`.
    pub(crate) enum CachingType {
        /// The built-in cache.
        Internal = "internal",
        /// A server.
        External = "external",
        /// A server if one is configured, else the built-in cache.
        PreferExternal = "prefer-external",
    }
}

/// The attribute that says it.
pub(crate) const CACHING_TYPE: Attr = Attr::optional("caching-type", "prefer-external")
    .one_of(CachingType::WORDS)
    .doc("Which cache.");

/// Where entries are.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    kind: Kind,
    /// Largest entry.
    pub(crate) max_entry_bytes: usize,
    stores: Arc<Stores>,
}

#[derive(Clone)]
enum Kind {
    Internal(Arc<InternalCache>),
    External(Arc<dyn Cache>),
    /// Nothing is found and nothing is stored.
    Nowhere,
}

impl Place {
    /// Where the policy's entries are.
    ///
    /// # Errors
    ///
    /// The external cache of the configuration cannot be used.
    pub(crate) fn of(element: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Place, Diagnostic> {
        let wanted: CachingType = cx.literal(element, &CACHING_TYPE)?;
        let stores = cx.extension::<Stores>().unwrap_or_else(|| cx.shared());
        let configured = cx.extension::<Caches>();
        let caches = configured.as_deref().cloned().unwrap_or_default();
        let kind = match (wanted, &caches.external) {
            (CachingType::Internal, _) | (CachingType::PreferExternal, None) => {
                Kind::Internal(stores.internal(&caches))
            }
            (CachingType::External, None) => {
                if configured.is_some() {
                    let message = "there is no external cache: nothing is found or stored";
                    let span = element.attr_span(&CACHING_TYPE);
                    let it = Diagnostic::warning(codes::NO_EFFECT, span, message);
                    cx.report(it.label("no cache entity is for this gateway's location"));
                }
                Kind::Nowhere
            }
            (_, Some(external)) => match stores.external(external, &caches) {
                Ok(Some(cache)) => Kind::External(cache),
                Ok(None) => Kind::Nowhere,
                Err(why) => {
                    let message = format!("cache `{}` cannot be used: {why}", external.id);
                    return Err(cx.refuse(element, codes::UNUSABLE_CACHE, message));
                }
            },
        };
        Ok(Place { kind, max_entry_bytes: caches.max_entry_bytes, stores })
    }

    /// Whether looking and storing never wait.
    pub(crate) fn is_immediate(&self) -> bool {
        !matches!(self.kind, Kind::External(_))
    }

    /// The entry of that key, if it can be told at once.
    pub(crate) fn get_now(&self, key: &CacheKey, context: &Context) -> Option<Bytes> {
        match &self.kind {
            Kind::Internal(cache) => cache.get_now(key, now(context)),
            Kind::External(_) | Kind::Nowhere => None,
        }
    }

    /// The entry of that key. A cache that fails has none.
    pub(crate) async fn get(&self, key: &CacheKey, now: Duration) -> Option<Bytes> {
        let Kind::External(cache) = &self.kind else {
            return match &self.kind {
                Kind::Internal(cache) => cache.get_now(key, now),
                _ => None,
            };
        };
        // The cache itself tells of its troubles, once.
        cache.get(key, now).await.unwrap_or_default()
    }

    /// Puts an entry in, if that does not wait; see [`Place::put`].
    pub(crate) fn put_now(&self, key: &CacheKey, entry: Bytes, life: Duration, now: Duration) {
        if let Kind::Internal(cache) = &self.kind {
            tell(cache.put_now(key, entry, life, now));
        }
    }

    /// Puts an entry in, or takes it out if it lives no time. What fails is not stored.
    pub(crate) async fn put(&self, key: &CacheKey, entry: Bytes, life: Duration, now: Duration) {
        match &self.kind {
            Kind::Internal(_) => self.put_now(key, entry, life, now),
            Kind::External(cache) => tell(cache.put(key, entry, life, now).await),
            Kind::Nowhere => {}
        }
    }

    /// Puts an entry in without waiting for it.
    pub(crate) fn put_in_background(
        &self,
        key: CacheKey,
        (entry, held): (Bytes, Gathered),
        (life, now): (Duration, Duration),
        background: &Arc<Background>,
    ) {
        match &self.kind {
            Kind::External(cache) => {
                let cache = Arc::clone(cache);
                background.spawn(async move {
                    tell(cache.put(&key, entry, life, now).await);
                    drop(held);
                });
            }
            _ => self.put_now(&key, entry, life, now),
        }
    }

    /// Takes an entry out.
    pub(crate) async fn remove(&self, key: &CacheKey) {
        match &self.kind {
            Kind::Internal(_) => self.remove_now(key),
            Kind::External(cache) => tell(cache.remove(key).await),
            Kind::Nowhere => {}
        }
    }

    /// Takes an entry out, if that does not wait.
    pub(crate) fn remove_now(&self, key: &CacheKey) {
        if let Kind::Internal(cache) = &self.kind {
            cache.remove_now(key);
        }
    }

    /// Whether entries go anywhere.
    pub(crate) fn is_somewhere(&self) -> bool {
        !matches!(self.kind, Kind::Nowhere)
    }

    /// Room for a body that is gathered.
    pub(crate) fn gathered(&self) -> Gathered {
        self.stores.gathered()
    }

    #[cfg(test)]
    pub(crate) fn internal(caches: &Caches) -> Place {
        let stores = Arc::<Stores>::default();
        let kind = Kind::Internal(stores.internal(caches));
        Place { kind, max_entry_bytes: caches.max_entry_bytes, stores }
    }

    #[cfg(test)]
    pub(crate) fn external(cache: Arc<dyn Cache>) -> Place {
        let stores = Arc::default();
        Place { kind: Kind::External(cache), max_entry_bytes: 1 << 20, stores }
    }
}

/// The time that entries of the internal cache expire by.
pub(crate) fn now(context: &Context) -> Duration {
    context.services.clock.monotonic()
}

/// Troubles of a server are told where they begin and end; what is too large is told here.
fn tell(result: Result<(), CacheFailure>) {
    if let Err(CacheFailure::TooLarge { bytes, limit }) = result {
        tracing::warn!(bytes, limit, "an entry is too large for the cache and not stored");
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Internal(_) => f.write_str("Internal"),
            Kind::External(cache) => write!(f, "External({cache:?})"),
            Kind::Nowhere => f.write_str("Nowhere"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use state::{CacheFuture, RedisFailure};

    use super::*;
    use crate::key::of_value;

    const LIFE: Duration = Duration::from_secs(60);

    /// A server that is there or away.
    #[derive(Debug, Default)]
    struct Server {
        is_away: bool,
        entry: Mutex<Option<Bytes>>,
    }

    impl Server {
        fn answer<T>(&self, result: T) -> Result<T, CacheFailure> {
            if self.is_away { Err(RedisFailure::Away.into()) } else { Ok(result) }
        }
    }

    impl Cache for Server {
        fn get<'a>(&'a self, _: &'a CacheKey, _: Duration) -> CacheFuture<'a, Option<Bytes>> {
            Box::pin(async { self.answer(self.entry.lock().unwrap().clone()) })
        }

        fn put<'a>(
            &'a self,
            _: &'a CacheKey,
            entry: Bytes,
            _: Duration,
            _: Duration,
        ) -> CacheFuture<'a, ()> {
            Box::pin(async move {
                *self.entry.lock().unwrap() = Some(entry);
                self.answer(())
            })
        }

        fn remove<'a>(&'a self, _: &'a CacheKey) -> CacheFuture<'a, ()> {
            Box::pin(async {
                *self.entry.lock().unwrap() = None;
                self.answer(())
            })
        }
    }

    async fn put_and_got(place: &Place) -> Option<Bytes> {
        let key = of_value("k");
        place.put(&key, Bytes::from("v"), LIFE, Duration::ZERO).await;
        place.get(&key, Duration::ZERO).await
    }

    #[tokio::test]
    async fn a_server_is_asked_and_one_that_is_away_has_nothing() {
        let place = Place::external(Arc::new(Server::default()));
        assert!(!place.is_immediate() && place.is_somewhere());
        assert_eq!(put_and_got(&place).await.unwrap(), "v");
        place.remove(&of_value("k")).await;
        assert_eq!(place.get(&of_value("k"), Duration::ZERO).await, None);

        let away = Place::external(Arc::new(Server { is_away: true, ..Server::default() }));
        assert_eq!(put_and_got(&away).await, None);
        away.remove(&of_value("k")).await;
    }

    #[tokio::test]
    async fn an_entry_is_put_into_a_server_without_waiting() {
        let server = Arc::new(Server::default());
        let place = Place::external(server.clone());
        let background: Arc<Background> = Arc::default();
        let entry = (Bytes::from("v"), place.gathered());
        place.put_in_background(of_value("k"), entry, (LIFE, Duration::ZERO), &background);
        assert!(server.entry.lock().unwrap().is_none());
        background.settled().await;
        assert_eq!(server.entry.lock().unwrap().clone().unwrap(), "v");
    }

    #[tokio::test]
    async fn the_internal_cache_waits_for_nothing_and_nowhere_has_nothing() {
        let place = crate::test_support::internal(100);
        assert!(place.is_immediate() && place.is_somewhere());
        assert_eq!(put_and_got(&place).await.unwrap(), "v");
        place.put(&of_value("k"), Bytes::from(vec![1; 101]), LIFE, Duration::ZERO).await;
        assert_eq!(place.get(&of_value("k"), Duration::ZERO).await, None);

        let nowhere = Place { kind: Kind::Nowhere, ..place };
        assert!(nowhere.is_immediate() && !nowhere.is_somewhere());
        assert_eq!(put_and_got(&nowhere).await, None);
    }
}
