//! `counters:`: where rate limits and quotas are counted.
//!
//! ```yaml
//! counters:
//!   disk: data/quotas.redb            # quotas survive a restart; or
//!   redis: { env: REDIS_URL }         # several gateways count together
//!   on-store-failure: allow           # or refuse
//!   algorithm: sliding-window         # or token-bucket
//!   breakers: own                     # or shared, through Redis
//!   events: own                       # or shared, through Redis
//! ```

use std::path::PathBuf;
use std::time::Duration;

use super::{address, quantity};
use crate::codes;
use crate::secret_source::SecretSource;
use crate::tree::Fields;

/// Most keys that one gateway counts, unless set.
const DEFAULT_MAX_KEYS: usize = 100_000;
/// Longest wait for Redis that may be set: a request waits so long at most.
const MAX_TIMEOUT: Duration = Duration::from_secs(5);

/// Where and how rate limits and quotas are counted.
#[derive(Clone, Debug)]
pub struct CounterSettings {
    /// The store.
    pub store: CounterStore,
    /// Whether a request is refused whose limit cannot be looked up.
    pub refuse_on_store_failure: bool,
    /// Whether rates are token buckets instead of sliding windows.
    pub token_bucket: bool,
    /// Most keys in this process, of rates and of quotas each.
    pub max_keys: usize,
    /// What the keys in Redis begin with; gateways with the same prefix count together.
    pub prefix: String,
    /// Longest wait for an answer of Redis, if it is not the usual one.
    pub timeout: Option<Duration>,
    /// Whether circuit breakers are shared through Redis.
    pub shares_breakers: bool,
    /// Whether events of GraphQL subscriptions are shared through Redis.
    pub shares_events: bool,
}

/// A store of counters.
#[derive(Clone, Debug)]
pub enum CounterStore {
    /// This process.
    Memory,
    /// This process, quotas written to a file behind it; relative to the settings file.
    Disk(PathBuf),
    /// A Redis server, by its URL or connection string.
    Redis(SecretSource),
}

impl Default for CounterSettings {
    fn default() -> CounterSettings {
        CounterSettings {
            store: CounterStore::Memory,
            refuse_on_store_failure: false,
            token_bucket: false,
            max_keys: DEFAULT_MAX_KEYS,
            prefix: "portcullis".to_owned(),
            timeout: None,
            shares_breakers: false,
            shares_events: false,
        }
    }
}

impl PartialEq for CounterSettings {
    /// Whether a restart would change nothing, as far as the file tells.
    fn eq(&self, other: &CounterSettings) -> bool {
        let address = |it: &CounterSettings| match &it.store {
            // It holds no password, or it would not stand in the file.
            CounterStore::Redis(SecretSource::Text(address)) => address.expose().to_owned(),
            CounterStore::Redis(_) | CounterStore::Disk(_) | CounterStore::Memory => String::new(),
        };
        format!("{self:?}") == format!("{other:?}") && address(self) == address(other)
    }
}

pub(super) fn read(fields: &Fields<'_, '_>) -> CounterSettings {
    let mut it = CounterSettings::default();
    let Some(counters) = fields.map("counters") else { return it };
    let disk = counters.filled("disk").map(|path| CounterStore::Disk(path.into()));
    let redis = address::read(&counters, "redis", "Redis").map(CounterStore::Redis);
    if disk.is_some() && redis.is_some() {
        let message = "counters have one store: `disk` or `redis`";
        counters.report(counters.tree().error(codes::BAD_VALUE, message));
    }
    it.store = redis.or(disk).unwrap_or(CounterStore::Memory);
    it.refuse_on_store_failure = word(&counters, "on-store-failure", ["allow", "refuse"]);
    it.token_bucket = word(&counters, "algorithm", ["sliding-window", "token-bucket"]);
    it.shares_breakers = word(&counters, "breakers", ["own", "shared"]);
    it.shares_events = word(&counters, "events", ["own", "shared"]);
    for (key, is_shared) in [("breakers", it.shares_breakers), ("events", it.shares_events)] {
        if is_shared && !matches!(it.store, CounterStore::Redis(_)) {
            let place = counters.get(key).unwrap_or(counters.tree());
            let message = format!("`{key}: shared` needs `redis`");
            counters.report(place.error(codes::BAD_VALUE, message));
        }
    }
    if let Some(found) = counters.number("max-keys").and_then(|it| usize::try_from(it).ok()) {
        it.max_keys = found;
    }
    if let Some(prefix) = counters.filled("prefix") {
        it.prefix = prefix;
    }
    it.timeout = quantity::duration(&counters, "timeout").filter(|found| {
        let fits = !found.is_zero() && *found <= MAX_TIMEOUT;
        if !fits {
            let place = counters.get("timeout").unwrap_or(counters.tree());
            counters.report(place.error(codes::BAD_VALUE, "`timeout` is from 1ms to 5s"));
        }
        fits
    });
    counters.finish();
    it
}

/// Whether the second of two words stands there; the first is the default.
fn word(fields: &Fields<'_, '_>, key: &'static str, words: [&str; 2]) -> bool {
    let Some(tree) = fields.get(key) else { return false };
    let found = tree.scalar().and_then(|text| words.iter().position(|it| *it == text));
    if found.is_none() {
        let message = format!("`{key}` is `{}` or `{}`", words[0], words[1]);
        fields.report(tree.error(codes::BAD_VALUE, message));
    }
    found == Some(1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn counters_are_in_memory_unless_a_store_is_named() {
        let (it, problems) = read("{}");
        assert_eq!(problems, [""; 0]);
        assert!(matches!(it.counters.store, CounterStore::Memory));
        assert!(!it.counters.refuse_on_store_failure && !it.counters.token_bucket);

        let (it, _) = read("counters: { disk: data/quotas.redb, max-keys: 50 }");
        let CounterStore::Disk(path) = &it.counters.store else { panic!("{:?}", it.counters) };
        assert_eq!((path.to_str(), it.counters.max_keys), (Some("data/quotas.redb"), 50));
    }

    #[test]
    fn redis_is_named_by_a_url_or_by_where_it_is_read_from() {
        for redis in ["redis://localhost:6379", "{ env: REDIS_URL }", "{ file: redis.txt }"] {
            let (it, problems) = read(&format!(
                "counters: {{ redis: {redis}, on-store-failure: refuse, algorithm: token-bucket, \
                 prefix: prod, timeout: 20ms, breakers: shared, \
                 events: shared }}"
            ));
            assert_eq!(problems, [""; 0], "{redis}");
            assert!(it.counters.shares_breakers && it.counters.shares_events);
            assert!(matches!(it.counters.store, CounterStore::Redis(_)), "{redis}");
            assert!(it.counters.refuse_on_store_failure && it.counters.token_bucket);
            assert_eq!(it.counters.prefix, "prod");
            assert_eq!(it.counters.timeout, Some(Duration::from_millis(20)));
        }
    }

    #[test]
    fn a_change_of_the_store_is_seen() {
        let of = |redis: &str| read(&format!("counters: {{ redis: {redis} }}")).0.counters;
        assert_eq!(of("redis://a"), of("redis://a"));
        assert_ne!(of("redis://a"), of("redis://b"));
        assert_ne!(of("{ env: A }"), of("{ env: B }"));
        assert_ne!(of("redis://a"), CounterSettings::default());
    }

    #[test]
    fn mistakes_are_told_and_passwords_are_not() {
        for (text, problem) in [
            (
                "counters: { redis: 'redis://:hunter2@h' }",
                "PC0514 the password of Redis stands in the file",
            ),
            (
                "counters: { disk: a, redis: h }",
                "PC0506 counters have one store: `disk` or `redis`",
            ),
            (
                "counters: { on-store-failure: shrug }",
                "PC0506 `on-store-failure` is `allow` or `refuse`",
            ),
            ("counters: { breakers: shared }", "PC0506 `breakers: shared` needs `redis`"),
            ("counters: { events: shared }", "PC0506 `events: shared` needs `redis`"),
            ("counters: { breakers: mine }", "PC0506 `breakers` is `own` or `shared`"),
            ("counters: { timeout: 1m }", "PC0506 `timeout` is from 1ms to 5s"),
            ("counters: { store: redis }", "PC0503 unknown key `store`"),
        ] {
            assert_eq!(read(text).1, [problem], "{text}");
        }
    }
}
