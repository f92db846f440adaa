//! All providers of a gateway, shared by address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use transport::{Clock, HttpClient};
use url::Url;

use super::provider::{Provider, Shared};
use crate::fetch::without_secrets;
use crate::verifier::cache::TokenCache;

/// The largest number of providers; only computed addresses can reach it.
const MAX_PROVIDERS: usize = 1024;

/// How providers are asked.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Hosts that may be asked over plain http (`identity.allow-http` of `portcullis.yaml`).
    pub allow_http: Vec<String>,
    /// How long a document is used; refreshed in the background before. One hour.
    pub lifetime: Duration,
    /// How old a document may become while the provider is down. One day.
    pub max_stale: Duration,
    /// At most one extra fetch in this time because of keys that are not known. Five minutes.
    pub unknown_key_interval: Duration,
    /// The most memory that verified tokens may take. 32 MiB.
    pub max_cached_token_bytes: u64,
    /// Whether documents are fetched before a request needs them, and kept fresh. True; false
    /// where nothing may be fetched, as in a check of a configuration.
    pub in_background: bool,
    /// Where background work runs; none: on the runtime of whoever asks first.
    pub runtime: Option<Handle>,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self {
            allow_http: Vec::new(),
            lifetime: Duration::from_secs(60 * 60),
            max_stale: Duration::from_secs(24 * 60 * 60),
            unknown_key_interval: Duration::from_secs(5 * 60),
            max_cached_token_bytes: 32 * 1024 * 1024,
            in_background: true,
            runtime: None,
        }
    }
}

/// Why an address cannot be that of a provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderProblem {
    /// Not an absolute URL.
    #[error("`{0}` is not an absolute URL")]
    NotUrl(String),
    /// Plain http, and neither this machine nor a listed host.
    #[error(
        "`{0}` is not allowed: https is needed, unless the host is listed under `identity.allow-http`"
    )]
    NotAllowed(String),
    /// More than 1024 addresses are in use.
    #[error("too many identity providers are in use")]
    TooMany,
}

/// The providers of a gateway: made once, kept over changes of the configuration.
#[derive(Debug)]
pub struct Providers {
    shared: Arc<Shared>,
    known: Mutex<HashMap<String, Arc<Provider>>>,
    cache: Arc<TokenCache>,
}

impl Providers {
    /// Providers that are asked with this client.
    pub fn new(
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        settings: ProviderSettings,
    ) -> Self {
        let cache = Arc::new(TokenCache::new(settings.max_cached_token_bytes));
        let shared = Arc::new(Shared { client, clock, settings });
        Self { shared, known: Mutex::default(), cache }
    }

    /// The provider with this metadata address. The first call starts to fetch in the
    /// background, if there is a runtime; all later ones get the same provider.
    ///
    /// # Errors
    ///
    /// If the address is not allowed, or too many are in use.
    pub fn provider(&self, metadata_url: &str) -> Result<Arc<Provider>, ProviderProblem> {
        let url = self.check(metadata_url)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_PROVIDERS && !known.contains_key(url.as_str()) {
            forget_one(&mut known)?;
        }
        match known.entry(url.as_str().to_owned()) {
            Entry::Occupied(entry) => Ok(Arc::clone(entry.get())),
            Entry::Vacant(entry) => {
                let provider = Provider::new(url, Arc::clone(&self.shared));
                entry.insert(Arc::clone(&provider));
                drop(known);
                if self.shared.settings.in_background {
                    provider.keep_fresh();
                }
                Ok(provider)
            }
        }
    }

    /// Whether an address could be that of a provider; nothing is fetched.
    ///
    /// # Errors
    ///
    /// If it is not an absolute URL or not allowed.
    pub fn check(&self, metadata_url: &str) -> Result<Url, ProviderProblem> {
        let text = metadata_url.trim();
        let mut url =
            Url::parse(text).map_err(|_| ProviderProblem::NotUrl(crate::error::quoted(text)))?;
        if !self.shared.settings.allows(&url) {
            return Err(ProviderProblem::NotAllowed(without_secrets(&url)));
        }
        url.set_fragment(None);
        Ok(url)
    }

    /// Forgets the providers that nobody holds any more. To be called after a new
    /// configuration is in force and the old one gone.
    pub fn forget_unused(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, it| Arc::strong_count(it) > 1);
    }

    /// All providers, for reports.
    pub fn all(&self) -> Vec<Arc<Provider>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().cloned().collect()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    pub(crate) fn cache(&self) -> &Arc<TokenCache> {
        &self.cache
    }
}

/// Makes room: of the providers that only the map holds, the one unused for longest goes.
fn forget_one(known: &mut HashMap<String, Arc<Provider>>) -> Result<(), ProviderProblem> {
    let oldest = known
        .iter()
        .filter(|(_, it)| Arc::strong_count(it) == 1)
        .min_by_key(|(_, it)| it.last_used())
        .map(|(url, _)| url.clone())
        .ok_or(ProviderProblem::TooMany)?;
    known.remove(&oldest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use transport::{FakeClient, FakeClock};

    use super::*;

    fn providers() -> Providers {
        let settings = ProviderSettings::default();
        Providers::new(
            Arc::new(FakeClient::unreachable()),
            Arc::new(FakeClock::at_unix(0)),
            settings,
        )
    }

    #[test]
    fn a_provider_is_shared_by_address() {
        let providers = providers();

        let one = providers.provider("https://a.test/x").unwrap();
        let same = providers.provider(" https://A.test:443/x#y ").unwrap();
        let other = providers.provider("https://a.test/y").unwrap();

        assert!(Arc::ptr_eq(&one, &same));
        assert!(!Arc::ptr_eq(&one, &other));
        drop((one, same));
        providers.forget_unused();
        assert_eq!(providers.all().len(), 1);
    }

    #[test]
    fn addresses_are_checked_before_anything_is_fetched() {
        let problem = |it: &str| providers().provider(it).err().unwrap();

        assert_eq!(problem("x"), ProviderProblem::NotUrl("x".to_owned()));
        assert_eq!(
            problem("http://a.test/x?y"),
            ProviderProblem::NotAllowed("http://a.test/x".to_owned())
        );
    }

    #[test]
    fn the_number_of_providers_is_bounded() {
        let providers = providers();
        let held: Vec<_> = (0..MAX_PROVIDERS)
            .map(|it| providers.provider(&format!("https://a.test/{it}")).unwrap())
            .collect();

        assert_eq!(providers.provider("https://b.test").err(), Some(ProviderProblem::TooMany));
        drop(held);
        assert!(providers.provider("https://b.test").is_ok());
        assert_eq!(providers.all().len(), MAX_PROVIDERS);
    }
}
