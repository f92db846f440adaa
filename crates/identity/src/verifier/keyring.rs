//! Keys from all sources together: which of them made this signature?
//!
//! A token that names a key (`kid`) is checked with keys of that name and no other, as far as a
//! name is known; keys that a policy lists itself are all tried if the name is unknown, and every
//! key is if the token names none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::algorithm::{Algorithm, KeyType};
use crate::discovery::{Document, Provider};
use crate::error::{TokenError, quoted};
use crate::jwe::{self, DecryptionKey};
use crate::jwt::{self, Jwt, MAX_TOKEN_BYTES};
use crate::key::Key;
use crate::verifier::cache::{Entry, TokenCache};

/// The keys that a policy lists itself, and the memory of tokens checked before.
#[derive(Debug)]
pub(crate) struct Keyring {
    id: u64,
    keys: Vec<Key>,
    decryption_keys: Vec<DecryptionKey>,
    cache: Arc<TokenCache>,
    /// How many signatures were computed, for tests and figures.
    n_checked: AtomicU64,
}

/// A token whose signature is right, or that needs none. Its claims are not judged yet.
#[derive(Debug)]
pub(crate) struct Authentic {
    pub(crate) jwt: Jwt,
    /// The issuer that the signing key belongs to, if its provider says so.
    pub(crate) key_issuer: Option<String>,
    _private: (),
}

/// The state of every provider's keys: its identifier and generation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources(Vec<(u64, u64)>);

/// The documents of the providers, in order; `None` for one that has none.
pub(crate) type Documents = Vec<Option<Arc<Document>>>;

/// A token that is authentic, and what it was checked with.
pub(crate) struct Authenticated {
    pub(crate) authentic: Arc<Authentic>,
    pub(crate) documents: Documents,
    /// Its place in the memory; none for a token without a signature.
    pub(crate) entry: Option<Arc<Entry>>,
}

impl Authenticated {
    fn remembered(entry: Arc<Entry>, documents: Documents) -> Self {
        let authentic = Arc::clone(&entry.authentic);
        Self { authentic, documents, entry: Some(entry) }
    }
}

enum Search<'a> {
    Found(&'a Key),
    /// Keys were tried, or the one that is named cannot be used.
    Wrong,
    Unknown,
}

impl Keyring {
    pub(crate) fn new(
        keys: Vec<Key>,
        decryption_keys: Vec<DecryptionKey>,
        cache: Arc<TokenCache>,
    ) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self { id, keys, decryption_keys, cache, n_checked: AtomicU64::new(0) }
    }

    pub(crate) fn n_checked(&self) -> u64 {
        self.n_checked.load(Ordering::Relaxed)
    }

    /// Finds out whether the token is authentic, and with which documents of the providers.
    /// Waits only for keys that are not there yet.
    pub(crate) async fn authenticate(
        &self,
        token: &str,
        providers: &[Arc<Provider>],
        require_signed: bool,
    ) -> Result<Authenticated, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        if let Some(entry) = self.recall(token.as_bytes(), providers) {
            let documents = providers.iter().map(|it| it.current()).collect();
            return Ok(Authenticated::remembered(entry, documents));
        }

        let inner = match jwt::is_encrypted(token) {
            true => Some(jwe::decrypt(token, &self.decryption_keys)?),
            false => None,
        };
        let text = inner.as_deref().unwrap_or(token);
        let jwt = Jwt::parse(text)?;
        if jwt.header().algorithm == "none" {
            let authentic = unsigned(jwt, require_signed)?;
            return Ok(Authenticated { authentic, documents: load(providers).await, entry: None });
        }
        let algorithm = Algorithm::from_name(&jwt.header().algorithm)
            .ok_or_else(|| TokenError::AlgorithmNotSupported(quoted(&jwt.header().algorithm)))?;

        // Published keys are public: for a shared secret there is nothing to wait for.
        let is_public = algorithm.key_type() != KeyType::Secret;
        let mut documents = match is_public {
            true => load(providers).await,
            false => Documents::new(),
        };
        let mut search = self.search(&jwt, text, algorithm, &documents);
        if is_public && matches!(search, Search::Unknown) && refetch(providers).await {
            documents = providers.iter().map(|it| it.current()).collect();
            search = self.search(&jwt, text, algorithm, &documents);
        }
        let key_issuer = match search {
            Search::Found(key) => key.issuer().map(str::to_owned),
            Search::Wrong if jwt.header().members.contains_key("nonce") => {
                return Err(TokenError::SignatureOfNonceToken);
            }
            Search::Wrong => return Err(TokenError::SignatureInvalid),
            Search::Unknown => return Err(not_found(&jwt, providers, &documents)),
        };
        if !is_public {
            // Now that the token is authentic, its issuer may be one that a provider names.
            documents = load(providers).await;
        }
        let authentic = Arc::new(Authentic { jwt, key_issuer, _private: () });
        let sources = Sources::of(providers, &documents);
        let entry = self.cache.insert(self.id, token.as_bytes(), sources, &authentic);
        Ok(Authenticated::remembered(entry, documents))
    }

    /// The token, if it was found authentic before and the keys are still the same.
    pub(crate) fn recall(&self, token: &[u8], providers: &[Arc<Provider>]) -> Option<Arc<Entry>> {
        self.cache.get(self.id, token, |it| it.are_those_of(providers))
    }

    fn search<'a>(
        &'a self,
        jwt: &Jwt,
        text: &str,
        algorithm: Algorithm,
        documents: &'a Documents,
    ) -> Search<'a> {
        let published = documents.iter().flatten().flat_map(|it| &it.keys().keys);
        let all: Vec<&Key> = self.keys.iter().chain(published).collect();
        let is_right = |key: &Key| {
            key.allows(algorithm) && {
                self.n_checked.fetch_add(1, Ordering::Relaxed);
                key.verify(algorithm, jwt.signed(text), jwt.signature())
            }
        };
        let first_right = |keys: &[&'a Key]| keys.iter().copied().find(|it| is_right(it));

        let Some(key_id) = jwt.header().key_id.as_deref() else {
            return match first_right(&all) {
                Some(key) => Search::Found(key),
                None if all.iter().any(|it| it.allows(algorithm)) => Search::Wrong,
                None => Search::Unknown,
            };
        };
        let named: Vec<&Key> = all.into_iter().filter(|it| it.id() == Some(key_id)).collect();
        if !named.is_empty() {
            return first_right(&named).map_or(Search::Wrong, Search::Found);
        }
        // No key has this name: those that the policy lists are all tried (documented), and
        // published keys that have no name of their own.
        let published = documents.iter().flatten().flat_map(|it| &it.keys().keys);
        let nameless = published.filter(|it| it.id().is_none());
        let rest: Vec<&Key> = self.keys.iter().chain(nameless).collect();
        first_right(&rest).map_or(Search::Unknown, Search::Found)
    }
}

impl Sources {
    fn of(providers: &[Arc<Provider>], documents: &Documents) -> Self {
        let generation = |it: &Option<Arc<Document>>| it.as_ref().map_or(0, |it| it.generation());
        providers.iter().map(|it| it.id()).zip(documents.iter().map(generation)).collect()
    }

    /// Whether these providers have these keys now.
    pub(crate) fn are_those_of(&self, providers: &[Arc<Provider>]) -> bool {
        self.0.len() == providers.len()
            && self.0.iter().zip(providers).all(|((id, generation), provider)| {
                *id == provider.id() && *generation == provider.generation()
            })
    }
}

impl FromIterator<(u64, u64)> for Sources {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

#[cfg(test)]
impl Authentic {
    pub(crate) fn for_test(jwt: Jwt) -> Self {
        Self { jwt, key_issuer: None, _private: () }
    }
}

fn unsigned(jwt: Jwt, require_signed: bool) -> Result<Arc<Authentic>, TokenError> {
    if require_signed {
        return Err(TokenError::NotSigned);
    }
    if !jwt.signature().is_empty() {
        return Err(TokenError::Malformed("an unsigned token has a signature"));
    }
    Ok(Arc::new(Authentic { jwt, key_issuer: None, _private: () }))
}

/// The documents of all providers; the fetches that are needed run at the same time.
async fn load(providers: &[Arc<Provider>]) -> Documents {
    providers.iter().for_each(Provider::prepare);
    let mut documents = Vec::with_capacity(providers.len());
    for provider in providers {
        documents.push(provider.document().await);
    }
    documents
}

/// Asks the providers again; true if any of them was asked.
async fn refetch(providers: &[Arc<Provider>]) -> bool {
    let mut was_asked = false;
    for provider in providers {
        was_asked |= provider.refetch_for_unknown_key().await;
    }
    was_asked
}

fn not_found(jwt: &Jwt, providers: &[Arc<Provider>], documents: &Documents) -> TokenError {
    let missing = providers.iter().zip(documents).find(|it| it.1.is_none()).map(|it| it.0);
    match missing {
        Some(provider) => {
            TokenError::KeysUnavailable(crate::fetch::without_secrets(provider.url()))
        }
        None => TokenError::KeyNotFound(quoted(jwt.header().key_id.as_deref().unwrap_or(""))),
    }
}
