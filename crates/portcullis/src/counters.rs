//! The store of rate limits, quotas, shared circuit breakers and shared events that `counters:`
//! names, made when the process starts.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use config::{CounterSettings, CounterStore, Environment, SecretProvider, SecretSource};
use pipeline::{Extensions, MAX_SHARED_EVENT_BYTES, SharedEvents};
use state::{
    Algorithm, BreakerStore, Counters, DiskCounters, Limits, MemoryCounters, OnStoreFailure, Redis,
    RedisBreakers, RedisChannel, RedisCounters, RedisSettings,
};
use tokio::runtime::Handle;

use crate::commands::complain;
use crate::exit::Exit;

/// How long the start waits for Redis. Without it the gateway starts all the same, and
/// `on-store-failure` says what becomes of requests meanwhile.
const REDIS_AT_START: Duration = Duration::from_secs(2);

/// What is opened.
pub(crate) struct Opened {
    pub(crate) limits: Arc<Limits>,
    /// Where circuit breakers are shared, if they are.
    pub(crate) breakers: Option<Arc<dyn BreakerStore>>,
    /// Where events of GraphQL subscriptions are shared, if they are.
    pub(crate) events: Option<EventLine>,
}

/// The way to the subscribers of other gateways.
pub(crate) struct EventLine {
    redis: Redis,
    channel: String,
}

impl EventLine {
    /// Shares the events of a process from now on, in tasks on the current runtime.
    pub(crate) fn open(self, extensions: &Extensions) {
        let events = SharedEvents::of(extensions);
        let heard = events.clone();
        let (hear, runtime) = (move |message: &[u8]| heard.hear(message), Handle::current());
        let channel = &self.channel;
        let channel =
            RedisChannel::start(self.redis, channel, MAX_SHARED_EVENT_BYTES, &runtime, hear);
        events.tell_by(move |message| {
            // The channel itself logs what it loses.
            channel.tell(message);
        });
    }
}

/// Opens the store.
///
/// # Errors
///
/// The file cannot be used, or the address of Redis is not to be had or is none.
pub(crate) async fn open(
    settings: &CounterSettings,
    folder: Option<&Path>,
    environment: &Environment,
    secrets: &dyn SecretProvider,
) -> Result<Opened, Exit> {
    let mut breakers: Option<Arc<dyn BreakerStore>> = None;
    let mut events = None;
    let counters: Arc<dyn Counters> = match &settings.store {
        CounterStore::Memory => Arc::new(MemoryCounters::new(settings.max_keys)),
        CounterStore::Disk(path) => {
            let path = folder.map_or_else(|| path.clone(), |it| it.join(path));
            let opened = DiskCounters::open(&path, settings.max_keys, unix_ms());
            Arc::new(opened.map_err(|error| failed(Exit::Unreadable, &error))?)
        }
        CounterStore::Redis(source) => {
            let redis = redis(settings, source, folder, environment, secrets).await?;
            if settings.shares_breakers {
                breakers = Some(Arc::new(RedisBreakers::new(redis.clone(), &settings.prefix)));
            }
            if settings.shares_events {
                let channel = format!("{}:events", settings.prefix);
                events = Some(EventLine { redis: redis.clone(), channel });
            }
            Arc::new(RedisCounters::new(redis, &settings.prefix))
        }
    };
    let algorithm = match settings.token_bucket {
        true => Algorithm::TokenBucket,
        false => Algorithm::SlidingWindow,
    };
    let on_failure = match settings.refuse_on_store_failure {
        true => OnStoreFailure::Refuse,
        false => OnStoreFailure::Allow,
    };
    let limits = Arc::new(Limits::new(counters, algorithm, on_failure));
    Ok(Opened { limits, breakers, events })
}

async fn redis(
    settings: &CounterSettings,
    source: &SecretSource,
    folder: Option<&Path>,
    environment: &Environment,
    secrets: &dyn SecretProvider,
) -> Result<Redis, Exit> {
    let address = source.get(environment, folder, secrets).await;
    let address = address.map_err(|why| failed(Exit::Unreadable, &why))?;
    let parsed = RedisSettings::parse(address.expose());
    let mut redis = parsed.map_err(|error| failed(Exit::Unreadable, &error))?;
    if let Some(timeout) = settings.timeout {
        redis.timeout = timeout;
    }
    let redis = Redis::start_apart(redis).map_err(|error| failed(Exit::Remote, &error))?;
    if !redis.is_up_within(REDIS_AT_START).await {
        let what = match settings.refuse_on_store_failure {
            true => "limited requests are refused until it is there",
            false => "limits do not count until it is there",
        };
        complain(&format!("counters: Redis at {} does not answer; {what}", redis.address()));
    }
    Ok(redis)
}

fn failed(exit: Exit, why: &dyn std::fmt::Display) -> Exit {
    complain(&format!("counters: {why}"));
    exit
}

fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
