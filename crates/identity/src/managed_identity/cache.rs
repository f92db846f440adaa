//! All tokens of a gateway, by identity and resource.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use transport::{Clock, HttpClient};

use super::request::Caller;
use super::slot::{Shared, Slot};
use super::{AccessToken, IdentitySource, ManagedIdentityError};

/// The largest number of tokens; only computed resources can reach it.
const MAX_TOKENS: usize = 1024;
/// The longest name of a resource or identity.
const MAX_NAME_BYTES: usize = 2048;

type SlotKey = (Option<String>, String);

/// How tokens are got.
#[derive(Clone, Debug)]
pub struct ManagedIdentitySettings {
    /// Where they come from.
    pub source: IdentitySource,
    /// Where background work runs; none: on the runtime of whoever asks first.
    pub runtime: Option<Handle>,
}

/// The tokens of a gateway: made once, kept over changes of the configuration.
#[derive(Debug)]
pub struct ManagedIdentities {
    shared: Arc<Shared>,
    /// By client ID and resource.
    slots: Mutex<HashMap<SlotKey, Arc<Slot>>>,
}

/// The tokens of one identity for one resource. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenOf(Arc<Slot>);

impl TokenOf {
    /// The token that is at hand, if it is valid now. Never waits, and fetches nothing.
    pub fn ready(&self) -> Option<AccessToken> {
        self.0.ready()
    }

    /// A valid token; as [`ManagedIdentities::access_token`].
    ///
    /// # Errors
    ///
    /// [`ManagedIdentityError`], without any secret in it.
    pub async fn access_token(&self) -> Result<AccessToken, ManagedIdentityError> {
        self.0.token().await
    }
}

impl ManagedIdentities {
    /// Tokens that are fetched with this client.
    pub fn new(
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        settings: ManagedIdentitySettings,
    ) -> Self {
        let ManagedIdentitySettings { source, runtime } = settings;
        let shared = Arc::new(Shared { source, caller: Caller { client, clock }, runtime });
        Self { shared, slots: Mutex::default() }
    }

    /// What the source of the tokens is called.
    pub fn source_name(&self) -> &'static str {
        self.shared.source.name()
    }

    /// A valid token for a resource, as the system-assigned identity or the one with this
    /// client ID. Waits at most 10 s, and only if no valid token is at hand.
    ///
    /// # Errors
    ///
    /// [`ManagedIdentityError`], without any secret in it.
    pub async fn access_token(
        &self,
        client_id: Option<&str>,
        resource: &str,
    ) -> Result<AccessToken, ManagedIdentityError> {
        self.token_of(client_id, resource)?.access_token().await
    }

    /// The tokens of one identity for one resource, to be kept by who asks for them again and
    /// again: finding them takes a lock and a key, asking takes neither.
    ///
    /// # Errors
    ///
    /// [`ManagedIdentityError::Misconfigured`] if the resource is empty or a name too long.
    pub fn token_of(
        &self,
        client_id: Option<&str>,
        resource: &str,
    ) -> Result<TokenOf, ManagedIdentityError> {
        let client_id = client_id.map(str::trim).filter(|it| !it.is_empty());
        self.slot(client_id, resource).map(TokenOf)
    }

    fn slot(
        &self,
        client_id: Option<&str>,
        resource: &str,
    ) -> Result<Arc<Slot>, ManagedIdentityError> {
        let name_bytes = resource.len().max(client_id.unwrap_or("").len());
        if resource.is_empty() || name_bytes > MAX_NAME_BYTES {
            return Err(ManagedIdentityError::Misconfigured {
                endpoint: self.shared.source.name(),
                reason: "the resource or client ID is empty or too long".to_owned(),
            });
        }
        let key = (client_id.map(str::to_owned), resource.to_owned());
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&key) {
            return Ok(Arc::clone(slot));
        }
        if slots.len() >= MAX_TOKENS {
            let oldest = slots.iter().min_by_key(|it| it.1.last_used_ms()).map(|it| it.0.clone());
            oldest.and_then(|it| slots.remove(&it));
        }
        let slot = Slot::new(client_id, resource, Arc::clone(&self.shared));
        slots.insert(key, Arc::clone(&slot));
        Ok(slot)
    }

    #[cfg(test)]
    pub(super) fn n_tokens(&self) -> usize {
        self.slots.lock().unwrap().len()
    }
}
