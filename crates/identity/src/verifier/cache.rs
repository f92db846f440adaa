//! Tokens whose signature was found to be right, so that it is computed once per token.
//!
//! Only the verdict on the signature is kept: `exp`, `nbf` and every rule of a policy are
//! checked on each use. An entry is found by the whole text of the token and the key ring that
//! checked it, compared byte by byte, so two tokens cannot be mistaken for each other. It is
//! good only as long as the keys of all providers are those it was checked with.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::keyring::{Authentic, Sources};

/// What an entry takes besides the token's text and claims, roughly.
const ENTRY_OVERHEAD_BYTES: u64 = 512;

/// The cache; one for all policies of a gateway.
#[derive(Debug)]
pub(crate) struct TokenCache {
    entries: Cache<Key, Entry, Weight>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    keyring: u64,
    token: Box<str>,
}

#[derive(Debug)]
struct KeyRef<'a> {
    keyring: u64,
    token: &'a str,
}

#[derive(Clone, Debug)]
struct Entry {
    sources: Arc<Sources>,
    authentic: Arc<Authentic>,
}

#[derive(Clone, Debug)]
struct Weight;

impl TokenCache {
    /// A cache that takes about this much memory.
    pub(crate) fn new(max_bytes: u64) -> Self {
        let expected_items =
            usize::try_from(max_bytes / 4096).unwrap_or(usize::MAX).clamp(16, 65_536);
        Self { entries: Cache::with_weighter(expected_items, max_bytes, Weight) }
    }

    /// The token, if this key ring found its signature right with these keys.
    pub(crate) fn get(
        &self,
        keyring: u64,
        token: &str,
        sources: &Sources,
    ) -> Option<Arc<Authentic>> {
        let entry = self.entries.get(&KeyRef { keyring, token })?;
        (*entry.sources == *sources).then_some(entry.authentic)
    }

    pub(crate) fn insert(
        &self,
        keyring: u64,
        token: &str,
        sources: Sources,
        authentic: &Arc<Authentic>,
    ) {
        let key = Key { keyring, token: token.into() };
        let entry = Entry { sources: Arc::new(sources), authentic: Arc::clone(authentic) };
        self.entries.insert(key, entry);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        KeyRef { keyring: self.keyring, token: &self.token }.hash(state);
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.keyring.hash(state);
        self.token.hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.keyring == key.keyring && *self.token == *key.token
    }
}

impl Weighter<Key, Entry> for Weight {
    fn weight(&self, key: &Key, _: &Entry) -> u64 {
        // The claims are about as large as the text that they were read from.
        key.token.len() as u64 * 3 + ENTRY_OVERHEAD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::Jwt;

    fn authentic() -> Arc<Authentic> {
        let jwt = Jwt::parse("eyJhbGciOiJSUzI1NiJ9.e30.AA").unwrap();
        Arc::new(Authentic::for_test(jwt))
    }

    fn sources(generation: u64) -> Sources {
        Sources::from_iter([(1, generation)])
    }

    #[test]
    fn only_the_whole_token_with_the_same_keys_is_a_hit() {
        let cache = TokenCache::new(1 << 20);
        cache.insert(1, "token", sources(1), &authentic());

        assert!(cache.get(1, "token", &sources(1)).is_some());
        assert!(cache.get(2, "token", &sources(1)).is_none());
        assert!(cache.get(1, "toke", &sources(1)).is_none());
        assert!(cache.get(1, "Token", &sources(1)).is_none());
        assert!(cache.get(1, "token", &sources(2)).is_none());
        assert!(cache.get(1, "token", &Sources::default()).is_none());
    }

    #[test]
    fn the_memory_is_bounded() {
        let cache = TokenCache::new(64 * 1024);
        for n in 0..10_000 {
            cache.insert(1, &format!("{n:0>1000}"), sources(1), &authentic());
        }

        assert!(cache.entries.weight() <= 64 * 1024);
        assert!(cache.entries.len() <= 20);
    }
}
