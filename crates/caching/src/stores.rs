//! The caches of a process: made once, kept when the configuration is loaded anew.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pipeline::{CacheConnection, Caches, ExternalCache};
use state::{Cache, CacheLimits, InternalCache, Redis, RedisCache, RedisSettings};
use tokio::runtime::Handle;

/// Bytes of response bodies that may be held at one time until they are whole and stored.
pub(crate) const MAX_GATHERED_BYTES: usize = 64 << 20;

/// The caches of a process.
///
/// Without a runtime ([`Stores::default`]) there is no external cache: documents are only
/// checked.
#[derive(Default)]
pub struct Stores {
    runtime: Option<Handle>,
    internal: OnceLock<Arc<InternalCache>>,
    external: Mutex<Option<Connected>>,
    gathered: Arc<AtomicUsize>,
}

/// An external cache and the settings that it was made with.
struct Connected {
    settings: (ExternalCache, String, usize),
    cache: Arc<dyn Cache>,
}

impl Stores {
    /// Caches whose connections live on that runtime.
    #[must_use]
    pub fn new(runtime: Handle) -> Stores {
        Stores { runtime: Some(runtime), ..Stores::default() }
    }

    /// The internal cache. Its bounds are those that it was first asked for with.
    pub(crate) fn internal(&self, caches: &Caches) -> Arc<InternalCache> {
        let make = || {
            Arc::new(InternalCache::new(CacheLimits {
                total_bytes: caches.max_total_bytes,
                entry_bytes: caches.max_entry_bytes,
            }))
        };
        Arc::clone(self.internal.get_or_init(make))
    }

    /// The external cache: the same as long as its settings stay. None where nothing may be
    /// connected or secrets were not read.
    ///
    /// # Errors
    ///
    /// Why it cannot be used.
    pub(crate) fn external(
        &self,
        external: &ExternalCache,
        caches: &Caches,
    ) -> Result<Option<Arc<dyn Cache>>, String> {
        let connection = match &external.connection {
            CacheConnection::Unread => return Ok(None),
            CacheConnection::Unusable(why) => return Err(why.clone()),
            CacheConnection::Known(secret) => secret,
        };
        let mut redis = RedisSettings::parse(connection.expose()).map_err(|it| it.to_string())?;
        let Some(runtime) = &self.runtime else { return Ok(None) };
        let settings = (external.clone(), caches.namespace.clone(), caches.max_entry_bytes);
        let mut connected = self.external.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(it) = connected.as_ref().filter(|it| it.settings == settings) {
            return Ok(Some(Arc::clone(&it.cache)));
        }
        if let Some(timeout) = external.timeout {
            redis.timeout = timeout;
        }
        let redis = Redis::start(redis, runtime);
        let cache = RedisCache::new(redis, &caches.namespace, caches.max_entry_bytes);
        let cache: Arc<dyn Cache> = Arc::new(cache);
        *connected = Some(Connected { settings, cache: Arc::clone(&cache) });
        Ok(Some(cache))
    }

    pub(crate) fn gathered(&self) -> Gathered {
        Gathered { all: Arc::clone(&self.gathered), own: 0 }
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").field("internal", &self.internal).finish_non_exhaustive()
    }
}

/// Bytes that a response holds until it is stored; given back when dropped.
#[derive(Debug)]
pub(crate) struct Gathered {
    all: Arc<AtomicUsize>,
    own: usize,
}

impl Gathered {
    /// Holds so many more, unless all together would hold too many.
    pub(crate) fn take(&mut self, n_bytes: usize) -> bool {
        let before = self.all.fetch_add(n_bytes, Ordering::Relaxed);
        if before.saturating_add(n_bytes) > MAX_GATHERED_BYTES {
            self.all.fetch_sub(n_bytes, Ordering::Relaxed);
            return false;
        }
        self.own += n_bytes;
        true
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use transport::Secret;

    use super::*;

    fn cache(connection: CacheConnection) -> ExternalCache {
        ExternalCache { id: "default".to_owned(), connection, timeout: None }
    }

    fn known(text: &str) -> ExternalCache {
        cache(CacheConnection::Known(Secret::new(text)))
    }

    #[tokio::test]
    async fn a_connection_is_kept_as_long_as_its_settings_stay() {
        let (stores, caches) = (Stores::new(Handle::current()), Caches::default());
        let of = |external: &ExternalCache| stores.external(external, &caches).unwrap().unwrap();
        let first = of(&known("127.0.0.1:1"));
        assert!(Arc::ptr_eq(&first, &of(&known("127.0.0.1:1"))));
        assert!(!Arc::ptr_eq(&first, &of(&known("127.0.0.1:2"))));
    }

    #[test]
    fn nothing_is_connected_where_documents_are_only_checked() {
        let (stores, caches) = (Stores::default(), Caches::default());
        let of =
            |external: &ExternalCache| stores.external(external, &caches).map(|it| it.is_some());
        assert_eq!(of(&known("127.0.0.1:1")), Ok(false));
        assert_eq!(of(&cache(CacheConnection::Unread)), Ok(false));
        let unusable = CacheConnection::Unusable("it is gone".to_owned());
        assert_eq!(of(&cache(unusable)), Err("it is gone".to_owned()));
        let error = of(&known("password=hunter2")).unwrap_err();
        assert!(error.starts_with("expected") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_internal_cache_is_one() {
        let (stores, caches) = (Stores::default(), Caches::default());
        assert!(Arc::ptr_eq(&stores.internal(&caches), &stores.internal(&caches)));
        assert_eq!(stores.internal(&caches).limits(), CacheLimits::default());
    }

    #[test]
    fn what_is_gathered_is_bounded_and_given_back() {
        let stores = Stores::default();
        let (mut first, mut second) = (stores.gathered(), stores.gathered());
        assert!(first.take(MAX_GATHERED_BYTES - 1) && second.take(1));
        assert!(!second.take(1) && !first.take(2));
        drop(first);
        assert!(second.take(1));
        drop(second);
        assert_eq!(stores.gathered.load(Ordering::Relaxed), 0);
    }
}
