//! A channel that several processes talk over: what one tells, all others hear that are there.
//!
//! ```text
//! tell ─▶ queue, bounded ─▶ a task ─PUBLISH─▶ Redis ─▶ a connection that only listens ─▶ hear
//! ```
//!
//! Nothing is kept: what is told while Redis is away, or while a process has no connection to it, is
//! lost to the others. That is logged when it begins and when it ends. Who tells never waits.
//!
//! The connection that listens speaks RESP3, so Redis 6 or newer is needed. Messages are handed on as
//! they are read, so that none pile up here; a server throws off who does not read.
//!
//! Source: <https://redis.io/docs/latest/develop/pubsub/>

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, Value};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::connection::{
    N_TIMEOUTS, PING_EVERY, RETRY_FIRST, RETRY_LAST, Redis, RedisFailure, STEADY, failure,
};
use super::settings::RedisSettings;

/// Most messages that wait to be told.
const MAX_WAITING: usize = 1024;
/// Most bytes of them.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Hears the messages of a channel.
type Hear = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A channel. What it does ends when it is dropped.
pub struct RedisChannel {
    name: Arc<str>,
    max_message_bytes: usize,
    waiting: mpsc::Sender<Vec<u8>>,
    n_waiting_bytes: Arc<AtomicUsize>,
    is_full: AtomicBool,
    is_listening: Arc<AtomicBool>,
    tasks: [AbortHandle; 2],
}

impl RedisChannel {
    /// Talks over a channel from now on, in tasks on that runtime. Every message of the channel that
    /// is not too long is heard, those told here too.
    #[must_use]
    pub fn start(
        redis: Redis,
        name: &str,
        max_message_bytes: usize,
        runtime: &Handle,
        hear: impl Fn(&[u8]) + Send + Sync + 'static,
    ) -> RedisChannel {
        let name: Arc<str> = name.into();
        let (waiting, queue) = mpsc::channel(MAX_WAITING);
        let n_waiting_bytes = Arc::<AtomicUsize>::default();
        let is_listening = Arc::<AtomicBool>::default();
        let listener = Listener {
            settings: redis.settings().clone(),
            name: Arc::clone(&name),
            max_message_bytes,
            hear: Arc::new(hear),
            is_listening: Arc::clone(&is_listening),
        };
        let teller = tell_all(redis, Arc::clone(&name), queue, Arc::clone(&n_waiting_bytes));
        let tasks = [runtime.spawn(teller), runtime.spawn(listener.run())];
        RedisChannel {
            name,
            max_message_bytes,
            waiting,
            n_waiting_bytes,
            is_full: AtomicBool::new(false),
            is_listening,
            tasks: tasks.map(|it| it.abort_handle()),
        }
    }

    /// Hands a message over to be told, and waits for nothing. `false` if it never will be: it is too
    /// long, or too many wait already.
    pub fn tell(&self, message: Vec<u8>) -> bool {
        let n_bytes = message.len();
        if n_bytes > self.max_message_bytes {
            return false;
        }
        let fits = |it: usize| it.checked_add(n_bytes).filter(|it| *it <= MAX_WAITING_BYTES);
        let (set, get) = (Ordering::AcqRel, Ordering::Acquire);
        let has_room = self.n_waiting_bytes.fetch_update(set, get, fits).is_ok();
        let is_told = has_room && self.waiting.try_send(message).is_ok();
        if has_room && !is_told {
            self.n_waiting_bytes.fetch_sub(n_bytes, Ordering::AcqRel);
        }
        if self.is_full.swap(!is_told, Ordering::Relaxed) == is_told {
            match is_told {
                true => tracing::info!(channel = &*self.name, "messages are told again"),
                false => tracing::warn!(
                    channel = &*self.name,
                    "more messages wait than are kept; further ones are lost"
                ),
            }
        }
        is_told
    }

    /// Whether messages of others are heard now.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.is_listening.load(Ordering::Relaxed)
    }
}

impl Drop for RedisChannel {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for RedisChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisChannel({})", self.name)
    }
}

/// Tells one message after the other, each within the bound of a command.
async fn tell_all(
    redis: Redis,
    name: Arc<str>,
    mut queue: mpsc::Receiver<Vec<u8>>,
    n_waiting_bytes: Arc<AtomicUsize>,
) {
    let mut has_failed = false;
    while let Some(message) = queue.recv().await {
        n_waiting_bytes.fetch_sub(message.len(), Ordering::AcqRel);
        let mut command = redis::cmd("PUBLISH");
        command.arg(&*name).arg(message);
        let told: Result<i64, RedisFailure> = redis.run(&command).await;
        let fails = told.is_err();
        if fails != has_failed {
            match told {
                Err(error) => {
                    tracing::warn!(channel = &*name, %error, "messages are lost to others");
                }
                Ok(_) => tracing::info!(channel = &*name, "others get messages again"),
            }
        }
        has_failed = fails;
    }
}

/// The connection that listens.
struct Listener {
    settings: RedisSettings,
    name: Arc<str>,
    max_message_bytes: usize,
    hear: Hear,
    is_listening: Arc<AtomicBool>,
}

impl Listener {
    async fn run(self) {
        let (mut wait, mut has_warned) = (RETRY_FIRST, false);
        loop {
            let lost = Arc::<Notify>::default();
            match self.connect(&lost).await {
                Ok(connection) => {
                    self.is_listening.store(true, Ordering::Relaxed);
                    tracing::info!(channel = &*self.name, "messages of others are heard");
                    let since = Instant::now();
                    self.watch_over(connection, &lost).await;
                    self.is_listening.store(false, Ordering::Relaxed);
                    tracing::warn!(channel = &*self.name, "messages of others are not heard");
                    has_warned = true;
                    if since.elapsed() > STEADY {
                        wait = RETRY_FIRST;
                    }
                }
                Err(error) if !has_warned => {
                    tracing::warn!(channel = &*self.name, %error, "messages of others are not heard");
                    has_warned = true;
                }
                Err(error) => {
                    tracing::debug!(channel = &*self.name, %error, "no connection to Redis");
                }
            }
            sleep(wait).await;
            wait = (wait * 2).min(RETRY_LAST);
        }
    }

    async fn connect(&self, lost: &Arc<Notify>) -> Result<MultiplexedConnection, RedisFailure> {
        let longest = self.settings.connect_timeout;
        let made = async {
            let login = self.settings.info.redis_settings().clone();
            let login = login.set_protocol(ProtocolVersion::RESP3);
            let info = self.settings.info.clone().set_redis_settings(login);
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(longest))
                .set_response_timeout(Some(longest))
                .set_push_sender(self.taker(lost));
            let client = Client::open(info)?;
            let mut connection =
                client.get_multiplexed_async_connection_with_config(&config).await?;
            connection.subscribe(&*self.name).await?;
            Ok(connection)
        };
        let made = timeout(longest, made).await;
        made.map_err(|_| RedisFailure::TimedOut(longest))?.map_err(|it| failure(&it))
    }

    /// Takes what the server pushes, where it is read.
    fn taker(
        &self,
        lost: &Arc<Notify>,
    ) -> impl Fn(PushInfo) -> Result<(), ()> + Send + Sync + use<> {
        let (lost, hear, name) = (Arc::clone(lost), Arc::clone(&self.hear), Arc::clone(&self.name));
        let most = self.max_message_bytes;
        move |push| {
            match (push.kind, push.data.as_slice()) {
                (PushKind::Disconnection, _) => lost.notify_one(),
                (PushKind::Message, [_, Value::BulkString(message)]) if message.len() <= most => {
                    hear(message);
                }
                (PushKind::Message, _) => {
                    tracing::warn!(channel = &*name, "a message is too long, or is none");
                }
                _ => {}
            }
            Ok(())
        }
    }

    /// Returns when the connection is lost.
    async fn watch_over(&self, mut connection: MultiplexedConnection, lost: &Notify) {
        let longest: Duration = self.settings.timeout * N_TIMEOUTS;
        loop {
            tokio::select! {
                () = lost.notified() => return,
                () = sleep(PING_EVERY) => {}
            }
            let ping = redis::cmd("PING");
            let pong = timeout(longest, ping.query_async::<String>(&mut connection)).await;
            if !matches!(pong, Ok(Ok(_))) {
                return;
            }
        }
    }
}
