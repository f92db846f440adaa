//! The cache of this process: bounded by bytes, in total and per entry; entries expire one by one.
//!
//! Entries that are seldom asked for leave first when there is no room. Making room is part of the
//! write that needs it, in one of several parts with a lock of its own each; it moves no bytes and
//! waits for nothing, so that no reader waits longer than a few pointers take.

use std::time::Duration;

use bytes::Bytes;
use quick_cache::sync::{Cache as Shards, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::{Cache, CacheFailure, CacheFuture, CacheKey, CacheLimits, MAX_ENTRY_LIFE};

/// What the upkeep of an entry costs beside its bytes: key, deadline, its place in two tables.
const UPKEEP_BYTES: usize = 192;
/// Parts with a lock of their own, unless entries would not fit into one.
const MAX_SHARDS: usize = 8;
/// A part has room for so many of the largest entries.
const ENTRIES_PER_SHARD: usize = 4;

/// The cache of this process.
#[derive(Debug)]
pub struct InternalCache {
    shards: Shards<CacheKey, Entry, Weigh, DefaultHashBuilder, Life>,
    limits: CacheLimits,
}

type Life = DefaultLifecycle<CacheKey, Entry>;

#[derive(Clone, Debug)]
struct Entry {
    bytes: Bytes,
    /// When it is no longer given.
    deadline: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Weigh;

impl Weighter<CacheKey, Entry> for Weigh {
    fn weight(&self, _: &CacheKey, entry: &Entry) -> u64 {
        (entry.bytes.len() + UPKEEP_BYTES) as u64
    }
}

impl InternalCache {
    /// An empty cache. An entry may take half of the whole cache at most.
    #[must_use]
    pub fn new(limits: CacheLimits) -> InternalCache {
        let entry_bytes =
            limits.entry_bytes.min((limits.total_bytes / 2).saturating_sub(UPKEEP_BYTES));
        let limits = CacheLimits { entry_bytes, ..limits };
        let of_shard = (entry_bytes + UPKEEP_BYTES) * ENTRIES_PER_SHARD;
        // A power of two, as the shards are chosen by bits.
        let n_shards = (limits.total_bytes / of_shard).clamp(1, MAX_SHARDS);
        let n_shards =
            if n_shards.is_power_of_two() { n_shards } else { n_shards.next_power_of_two() / 2 };
        let mut options = OptionsBuilder::new();
        options
            .estimated_items_capacity((limits.total_bytes / 4096).clamp(1, 1 << 16))
            .weight_capacity(limits.total_bytes as u64)
            .shards(n_shards);
        let hasher = DefaultHashBuilder::default();
        let shards = match options.build() {
            Ok(options) => Shards::with_options(options, Weigh, hasher, Life::default()),
            // Only options that were not given could be missing.
            Err(_) => Shards::with(64, limits.total_bytes as u64, Weigh, hasher, Life::default()),
        };
        InternalCache { shards, limits }
    }

    /// What it holds at most.
    #[must_use]
    pub fn limits(&self) -> CacheLimits {
        self.limits
    }

    /// Bytes that its entries and their upkeep take; never more than the bound.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        usize::try_from(self.shards.weight()).unwrap_or(usize::MAX)
    }

    /// How many entries there are, expired ones that nobody asked for included.
    #[must_use]
    pub fn n_entries(&self) -> usize {
        self.shards.len()
    }

    /// The entry of that key, if it has not expired: at its deadline it is gone.
    #[must_use]
    pub fn get_now(&self, key: &CacheKey, now: Duration) -> Option<Bytes> {
        let entry = self.shards.get(key)?;
        if now < entry.deadline {
            return Some(entry.bytes);
        }
        // Unless somebody has put a new one in meanwhile.
        self.shards.remove_if(key, |it| it.deadline <= now);
        None
    }

    /// Puts an entry in; see [`Cache::put`].
    ///
    /// # Errors
    ///
    /// It is too large. An entry of the same key is gone then, too: it is out of date.
    pub fn put_now(
        &self,
        key: &CacheKey,
        entry: Bytes,
        life: Duration,
        now: Duration,
    ) -> Result<(), CacheFailure> {
        let (bytes, limit) = (entry.len(), self.limits.entry_bytes);
        if life.is_zero() || bytes > limit {
            self.remove_now(key);
            return if bytes > limit {
                Err(CacheFailure::TooLarge { bytes, limit })
            } else {
                Ok(())
            };
        }
        let deadline = now.saturating_add(life.min(MAX_ENTRY_LIFE));
        // A slice of a larger buffer would keep all of it.
        let bytes = Bytes::copy_from_slice(&entry);
        self.shards.insert(*key, Entry { bytes, deadline });
        Ok(())
    }

    /// Takes the entry of that key out.
    pub fn remove_now(&self, key: &CacheKey) {
        self.shards.remove(key);
    }
}

impl Cache for InternalCache {
    fn get<'a>(&'a self, key: &'a CacheKey, now: Duration) -> CacheFuture<'a, Option<Bytes>> {
        Box::pin(async move { Ok(self.get_now(key, now)) })
    }

    fn put<'a>(
        &'a self,
        key: &'a CacheKey,
        entry: Bytes,
        life: Duration,
        now: Duration,
    ) -> CacheFuture<'a, ()> {
        Box::pin(async move { self.put_now(key, entry, life, now) })
    }

    fn remove<'a>(&'a self, key: &'a CacheKey) -> CacheFuture<'a, ()> {
        Box::pin(async move {
            self.remove_now(key);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn cache(total_bytes: usize, entry_bytes: usize) -> InternalCache {
        InternalCache::new(CacheLimits { total_bytes, entry_bytes })
    }

    fn key(number: u8) -> CacheKey {
        // As a digest, it differs everywhere.
        CacheKey([number.wrapping_mul(37).wrapping_add(1); 32])
    }

    fn seconds(it: u64) -> Duration {
        Duration::from_secs(it)
    }

    #[test]
    fn an_entry_is_gone_at_the_very_tick_of_its_deadline() {
        let it = cache(1 << 20, 1 << 10);
        it.put_now(&key(1), Bytes::from("a"), seconds(10), seconds(100)).unwrap();

        assert_eq!(it.get_now(&key(1), seconds(100)).unwrap(), "a");
        let last = seconds(110) - Duration::from_nanos(1);
        assert_eq!(it.get_now(&key(1), last).unwrap(), "a");
        assert_eq!((it.get_now(&key(1), seconds(110)), it.n_bytes()), (None, 0));
    }

    #[test]
    fn a_new_entry_takes_the_place_of_the_old_one_and_no_life_is_no_entry() {
        let it = cache(1 << 20, 1 << 10);
        for (text, life, expected) in
            [("a", 5, Some("a")), ("bc", 9, Some("bc")), ("d", 0, None), ("e", u64::MAX, Some("e"))]
        {
            it.put_now(&key(1), Bytes::from(text), seconds(life), seconds(1)).unwrap();
            assert_eq!(it.get_now(&key(1), seconds(1)).as_deref(), expected.map(str::as_bytes));
        }
        it.remove_now(&key(1));
        assert_eq!(it.get_now(&key(1), seconds(1)), None);
    }

    #[test]
    fn an_entry_over_the_bound_is_refused_and_the_old_one_is_out_of_date() {
        let it = cache(1 << 20, 4);
        it.put_now(&key(1), Bytes::from("1234"), seconds(9), seconds(0)).unwrap();
        let refused = it.put_now(&key(1), Bytes::from("12345"), seconds(9), seconds(0));

        assert_eq!(refused, Err(CacheFailure::TooLarge { bytes: 5, limit: 4 }));
        assert_eq!(it.get_now(&key(1), seconds(0)), None);
    }

    #[test]
    fn the_largest_entry_fits_whatever_the_bounds_are() {
        for (total, entry) in
            [(1 << 20, 1 << 20), (1 << 16, 1 << 20), (64 << 20, 2 << 20), (9999, 1000)]
        {
            let it = cache(total, entry);
            let largest = Bytes::from(vec![7; it.limits().entry_bytes]);
            it.put_now(&key(1), largest.clone(), seconds(1), seconds(0)).unwrap();
            assert!(it.get_now(&key(1), seconds(0)) == Some(largest), "{total} {entry}");
        }
    }

    #[test]
    fn a_cache_without_room_holds_nothing_and_does_not_fail() {
        let it = cache(0, 0);
        it.put_now(&key(1), Bytes::new(), seconds(1), seconds(0)).unwrap();
        assert_eq!(it.n_bytes(), 0);
        assert!(it.put_now(&key(1), Bytes::from("a"), seconds(1), seconds(0)).is_err());
    }

    #[test]
    fn what_is_kept_of_a_large_buffer_is_a_copy() {
        let it = cache(1 << 20, 1 << 10);
        let buffer = Bytes::from(vec![1; 1 << 20]);
        it.put_now(&key(1), buffer.slice(..3), seconds(9), seconds(0)).unwrap();
        assert!(buffer.is_unique());
    }

    #[derive(Clone, Debug)]
    enum Action {
        Put { key: u8, n_bytes: usize, life: u64 },
        Get { key: u8 },
        Remove { key: u8 },
        Wait { seconds: u64 },
    }

    fn actions() -> impl Strategy<Value = Vec<Action>> {
        let action = prop_oneof![
            4 => (any::<u8>(), 0..3000_usize, 0..20_u64)
                .prop_map(|(key, n_bytes, life)| Action::Put { key, n_bytes, life }),
            4 => any::<u8>().prop_map(|key| Action::Get { key }),
            1 => any::<u8>().prop_map(|key| Action::Remove { key }),
            2 => (0..9_u64).prop_map(|seconds| Action::Wait { seconds }),
        ];
        prop::collection::vec(action, 0..200)
    }

    proptest! {
        #[test]
        fn bytes_are_never_above_the_bound_and_no_entry_is_wrong(
            actions in actions(), total in 0..40_000_usize, entry in 0..2500_usize,
        ) {
            let it = cache(total, entry);
            // What would be there if nothing had to leave.
            let mut all: HashMap<u8, (usize, u64)> = HashMap::new();
            let mut now = 0;
            for action in actions {
                match action {
                    Action::Put { key: number, n_bytes, life } => {
                        let bytes = Bytes::from(vec![number; n_bytes]);
                        let put = it.put_now(&key(number), bytes, seconds(life), seconds(now));
                        prop_assert_eq!(put.is_err(), n_bytes > it.limits().entry_bytes);
                        if put.is_ok() && life > 0 {
                            all.insert(number, (n_bytes, now + life));
                        } else {
                            all.remove(&number);
                        }
                    }
                    Action::Get { key: number } => {
                        if let Some(bytes) = it.get_now(&key(number), seconds(now)) {
                            let (n_bytes, deadline) = all[&number];
                            prop_assert!(now < deadline);
                            prop_assert_eq!(bytes, vec![number; n_bytes]);
                        }
                    }
                    Action::Remove { key: number } => {
                        it.remove_now(&key(number));
                        all.remove(&number);
                    }
                    Action::Wait { seconds } => now += seconds,
                }
                prop_assert!(it.n_bytes() <= total, "{} of {total}", it.n_bytes());
            }
        }
    }

    #[test]
    fn many_threads_stay_within_the_bound() {
        let it = cache(100_000, 2000);
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let it = &it;
                scope.spawn(move || {
                    for round in 0..2000_usize {
                        let number = u8::try_from(round % 200).unwrap() ^ thread;
                        let bytes = Bytes::from(vec![number; round % 1900]);
                        it.put_now(&key(number), bytes, seconds(9), seconds(0)).unwrap();
                        let _ = it.get_now(&key(number), seconds(0));
                        assert!(it.n_bytes() <= 100_000);
                    }
                });
            }
        });
        assert!(it.n_entries() > 10);
    }
}
