//! Tokens whose signature was found to be right, so that it is computed once per token.
//!
//! What is kept is the verdict on the signature, and the times between which the rules of a
//! verifier hold that are the same for every request; the time is looked at on each use. An entry
//! is found by the whole text of the token and the key ring that checked it, compared byte by
//! byte, so two tokens cannot be mistaken for each other. It is good only as long as the keys and
//! issuers of all providers are those it was checked with.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::keyring::{Authentic, Sources};

/// What an entry takes besides the token's text and claims, roughly.
const ENTRY_OVERHEAD_BYTES: u64 = 512;

/// The cache; one for all policies of a gateway.
#[derive(Debug)]
pub(crate) struct TokenCache {
    entries: Cache<Key, Arc<Entry>, Weight>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    keyring: u64,
    token: Box<[u8]>,
}

#[derive(Debug)]
struct KeyRef<'a> {
    keyring: u64,
    token: &'a [u8],
}

/// A token that was found authentic.
#[derive(Debug)]
pub(crate) struct Entry {
    sources: Sources,
    pub(crate) authentic: Arc<Authentic>,
    /// When the rules hold that the verifier was made with, once they were found to.
    pub(crate) valid: OnceLock<Valid>,
}

/// The times between which a token is valid; `None`: without a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Valid {
    /// The first such time.
    pub(crate) from: Option<SystemTime>,
    /// The first time at which it is expired.
    pub(crate) until: Option<SystemTime>,
}

impl Valid {
    /// Whether a time lies between them.
    pub(crate) fn holds(&self, now: SystemTime) -> bool {
        self.from.is_none_or(|it| it <= now) && self.until.is_none_or(|it| now < it)
    }
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

    /// The token, if this key ring found its signature right with keys that are `current`.
    pub(crate) fn get(
        &self,
        keyring: u64,
        token: &[u8],
        current: impl FnOnce(&Sources) -> bool,
    ) -> Option<Arc<Entry>> {
        let entry = self.entries.get(&KeyRef { keyring, token })?;
        current(&entry.sources).then_some(entry)
    }

    pub(crate) fn insert(
        &self,
        keyring: u64,
        token: &[u8],
        sources: Sources,
        authentic: &Arc<Authentic>,
    ) -> Arc<Entry> {
        let key = Key { keyring, token: token.into() };
        let authentic = Arc::clone(authentic);
        let entry = Arc::new(Entry { sources, authentic, valid: OnceLock::new() });
        self.entries.insert(key, Arc::clone(&entry));
        entry
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

impl Weighter<Key, Arc<Entry>> for Weight {
    fn weight(&self, key: &Key, _: &Arc<Entry>) -> u64 {
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
        cache.insert(1, b"token", sources(1), &authentic());
        let has = |keyring, token: &[u8], current: Sources| {
            cache.get(keyring, token, |it| *it == current).is_some()
        };

        assert!(has(1, b"token", sources(1)));
        assert!(!has(2, b"token", sources(1)));
        assert!(!has(1, b"toke", sources(1)));
        assert!(!has(1, b"Token", sources(1)));
        assert!(!has(1, b"token", sources(2)));
        assert!(!has(1, b"token", Sources::default()));
    }

    #[test]
    fn a_time_is_valid_from_the_first_to_before_the_last() {
        let at = |secs| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(secs);
        let holds = |from: Option<u64>, until: Option<u64>, now| {
            Valid { from: from.map(at), until: until.map(at) }.holds(at(now))
        };
        for (now, expected) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(holds(Some(10), Some(20), now), expected, "{now}");
        }
        assert!(holds(None, None, 0) && holds(Some(10), None, 99) && !holds(None, Some(20), 20));
    }

    #[test]
    fn the_memory_is_bounded() {
        let cache = TokenCache::new(64 * 1024);
        for n in 0..10_000 {
            cache.insert(1, format!("{n:0>1000}").as_bytes(), sources(1), &authentic());
        }

        assert!(cache.entries.weight() <= 64 * 1024);
        assert!(cache.entries.len() <= 20);
    }
}
