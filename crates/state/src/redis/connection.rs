//! One multiplexed connection that a task of its own makes, watches and makes again. To a node of a
//! cluster it is a connection to each of its masters, found by asking that node; answers that say
//! where a key is now (`MOVED`, `ASK`) are followed.
//!
//! A dead server costs a request little: while there is no connection a command fails at once;
//! a server that stops answering costs the commands on their way [`RedisSettings::timeout`]
//! each, and after [`N_TIMEOUTS`] in a row the connection is given up. Only the task tries
//! whether the server is back, never a request.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError};
use redis::{ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::settings::RedisSettings;

/// So many commands in a row without an answer in time end a connection.
pub(super) const N_TIMEOUTS: u32 = 3;
/// How often an idle connection is tried.
pub(super) const PING_EVERY: Duration = Duration::from_secs(2);
/// Waits between attempts to connect: doubling from the first to the last.
pub(super) const RETRY_FIRST: Duration = Duration::from_millis(50);
pub(super) const RETRY_LAST: Duration = Duration::from_secs(1);
/// A connection that lived so long makes the next attempt come soon again.
pub(super) const STEADY: Duration = Duration::from_secs(5);
/// Commands that may wait to be sent.
const MAX_QUEUED: usize = 4096;
/// How often a command is sent again within a cluster: to where a key has moved, or to a node
/// that takes another one's place. The bound of a command holds for all of it.
const N_REDIRECTS: u32 = 6;
/// Longest wait between two of them, in milliseconds.
const MAX_REDIRECT_WAIT: u64 = 20;

/// A connection to a server, or to the masters of a cluster. Clones share it.
#[derive(Clone)]
enum Wire {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Whether a server can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The first attempt to connect is under way.
    Connecting,
    /// There is a connection.
    Up,
    /// There is none, and attempts go on.
    Away,
}

/// Why a command gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisFailure {
    /// There is no connection; found out at once.
    #[error("Redis is away")]
    Away,
    /// No answer in time. The command may have been carried out.
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The connection broke off. The command may have been carried out.
    #[error("the connection to Redis broke off")]
    BrokenOff,
    /// Redis answered with an error; only its code is kept, texts may hold what was sent.
    #[error("Redis answered `{0}`")]
    Refused(String),
    /// The answer has another shape than the command asks for.
    #[error("the answer of Redis has an unexpected shape")]
    Odd,
}

/// A Redis server. Clones share the connection; it ends with the last of them.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
    _task: Arc<EndsTask>,
    /// Dropped to end the thread, if there is one.
    _thread: Option<Arc<tokio::sync::oneshot::Sender<()>>>,
}

struct EndsTask(AbortHandle);

impl Drop for EndsTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Shared {
    settings: RedisSettings,
    address: String,
    current: ArcSwapOption<Wire>,
    /// Goes up with every loss; the task waits for it.
    losses: watch::Sender<u64>,
    health: AtomicU8,
    timeouts_in_row: AtomicU32,
    n_failures: AtomicU64,
}

impl Redis {
    /// Starts connecting, in a task on that runtime, which also carries all commands. Nothing
    /// waits: see [`Redis::is_up_within`].
    #[must_use]
    pub fn start(settings: RedisSettings, runtime: &Handle) -> Redis {
        let shared = Arc::new(Shared {
            address: settings.address(),
            settings,
            current: ArcSwapOption::empty(),
            losses: watch::Sender::new(0),
            health: AtomicU8::new(0),
            timeouts_in_row: AtomicU32::new(0),
            n_failures: AtomicU64::new(0),
        });
        let task = runtime.spawn(keep_connected(Arc::clone(&shared))).abort_handle();
        Redis { shared, _task: Arc::new(EndsTask(task)), _thread: None }
    }

    /// The same on a thread of its own, so that no other work holds up its answers. The thread
    /// ends with the last clone.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start_apart(settings: RedisSettings) -> std::io::Result<Redis> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (told, ends) = tokio::sync::oneshot::channel::<()>();
        let mut redis = Redis::start(settings, runtime.handle());
        redis._thread = Some(Arc::new(told));
        std::thread::Builder::new().name("redis".to_owned()).spawn(move || {
            // An error says that the last clone is gone.
            let _ = runtime.block_on(ends);
        })?;
        Ok(redis)
    }

    /// Waits until there is a connection, but no longer than that: for the start of a process.
    pub async fn is_up_within(&self, longest: Duration) -> bool {
        let up = async {
            while self.health() != Health::Up {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(longest, up).await.is_ok()
    }

    /// Whether the server can be used now.
    #[must_use]
    pub fn health(&self) -> Health {
        match self.shared.health.load(Ordering::Relaxed) {
            0 => Health::Connecting,
            1 => Health::Up,
            _ => Health::Away,
        }
    }

    /// Host and port: for logs.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    pub(super) fn settings(&self) -> &RedisSettings {
        &self.shared.settings
    }

    /// Commands that gave nothing since the start: for metrics.
    #[must_use]
    pub fn n_failures(&self) -> u64 {
        self.shared.n_failures.load(Ordering::Relaxed)
    }

    /// Sends a command and waits for its answer, no longer than [`RedisSettings::timeout`].
    ///
    /// # Errors
    ///
    /// There is no connection, or no answer in time, or not the answer that was asked for.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisFailure> {
        self.bounded(async |connection: &mut Wire| sent(connection, command).await).await
    }

    /// As [`Redis::run`], with another command if the server does not know the script.
    pub(super) async fn run_or<T: FromRedisValue>(
        &self,
        command: &Cmd,
        or: impl Fn() -> Cmd,
    ) -> Result<T, RedisFailure> {
        self.bounded(async |connection: &mut Wire| match sent(connection, command).await {
            Err(it) if it.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                sent(connection, &or()).await
            }
            other => other,
        })
        .await
    }

    async fn bounded<T: FromRedisValue>(
        &self,
        send: impl AsyncFnOnce(&mut Wire) -> Result<Value, RedisError>,
    ) -> Result<T, RedisFailure> {
        let longest = self.shared.settings.timeout;
        let Some(current) = self.shared.current.load_full() else {
            return Err(self.shared.failed(RedisFailure::Away));
        };
        let mut connection = Wire::clone(&current);
        let result = match timeout(longest, send(&mut connection)).await {
            Err(_) => {
                let n_before = self.shared.timeouts_in_row.fetch_add(1, Ordering::Relaxed);
                if n_before + 1 >= N_TIMEOUTS {
                    self.shared.lose(&current);
                }
                Err(RedisFailure::TimedOut(longest))
            }
            Ok(Err(error)) => {
                // A cluster finds its way by itself, or stops answering.
                if matches!(*current, Wire::One(_)) && ends_connection(&error) {
                    self.shared.lose(&current);
                }
                Err(failure(&error))
            }
            Ok(Ok(value)) => {
                self.shared.timeouts_in_row.store(0, Ordering::Relaxed);
                T::from_redis_value(value).map_err(|_| RedisFailure::Odd)
            }
        };
        result.map_err(|it| self.shared.failed(it))
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("settings", &self.shared.settings)
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn failed(&self, failure: RedisFailure) -> RedisFailure {
        self.n_failures.fetch_add(1, Ordering::Relaxed);
        failure
    }

    /// Gives up a connection, unless another took its place meanwhile.
    fn lose(&self, lost: &Arc<Wire>) {
        let before = self.current.compare_and_swap(lost, None);
        if before.as_ref().is_some_and(|it| Arc::ptr_eq(it, lost)) {
            self.set_health(Health::Away);
            self.losses.send_modify(|it| *it += 1);
        }
    }

    fn set_health(&self, health: Health) {
        let code = match health {
            Health::Connecting => 0,
            Health::Up => 1,
            Health::Away => 2,
        };
        if self.health.swap(code, Ordering::Relaxed) != code {
            match health {
                Health::Up => tracing::info!(address = %self.address, "Redis is there"),
                _ => tracing::warn!(address = %self.address, "Redis is away"),
            }
        }
    }
}

async fn keep_connected(shared: Arc<Shared>) {
    let mut losses = shared.losses.subscribe();
    let mut wait = RETRY_FIRST;
    loop {
        match connect(&shared.settings).await {
            Err(error) => {
                shared.set_health(Health::Away);
                tracing::debug!(address = %shared.address, %error, "no connection to Redis");
            }
            Ok(connection) => {
                let since = Instant::now();
                let connection = Arc::new(connection);
                shared.timeouts_in_row.store(0, Ordering::Relaxed);
                losses.mark_unchanged();
                shared.current.store(Some(Arc::clone(&connection)));
                shared.set_health(Health::Up);
                watch_over(&shared, &connection, &mut losses).await;
                if since.elapsed() > STEADY {
                    wait = RETRY_FIRST;
                }
            }
        }
        sleep(wait).await;
        wait = (wait * 2).min(RETRY_LAST);
    }
}

/// Returns when the connection is lost.
async fn watch_over(shared: &Shared, connection: &Arc<Wire>, losses: &mut watch::Receiver<u64>) {
    loop {
        tokio::select! {
            _ = losses.changed() => return,
            () = sleep(PING_EVERY) => {
                // Of a cluster one node may be away, and the others are there.
                if let Wire::One(one) = &**connection
                    && ping(&mut Wire::One(one.clone()), &shared.settings).await.is_err()
                {
                    shared.lose(connection);
                    return;
                }
            }
        }
    }
}

async fn connect(settings: &RedisSettings) -> Result<Wire, RedisFailure> {
    let made = async {
        let client = Client::open(settings.info.clone()).map_err(|it| failure(&it))?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(MAX_QUEUED);
        let connected = client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = Wire::One(connected.map_err(|it| failure(&it))?);
        ping(&mut connection, settings).await?;
        if !is_of_cluster(&mut connection).await {
            return Ok(connection);
        }
        let client = ClusterClientBuilder::new([settings.info.clone()])
            .connection_timeout(settings.connect_timeout)
            .response_timeout(settings.connect_timeout)
            .retries(N_REDIRECTS)
            .min_retry_wait(1)
            .max_retry_wait(MAX_REDIRECT_WAIT)
            .build()
            .map_err(|it| failure(&it))?;
        let connected = client.get_async_connection().await;
        connected.map(Wire::Cluster).map_err(|it| failure(&it))
    };
    let longest = settings.connect_timeout;
    timeout(longest, made).await.unwrap_or(Err(RedisFailure::TimedOut(longest)))
}

/// Whether the server is a node of a cluster. One that does not say is none.
async fn is_of_cluster(connection: &mut Wire) -> bool {
    let mut ask = redis::cmd("INFO");
    ask.arg("cluster");
    let told = sent(connection, &ask).await.and_then(|it| Ok(String::from_redis_value(it)?));
    told.is_ok_and(|it| it.contains("cluster_enabled:1"))
}

async fn ping(connection: &mut Wire, settings: &RedisSettings) -> Result<(), RedisFailure> {
    // A server that answers a single ping slowly is not given up.
    let longest = settings.timeout * N_TIMEOUTS;
    match timeout(longest, sent(connection, &redis::cmd("PING"))).await {
        Err(_) => Err(RedisFailure::TimedOut(longest)),
        Ok(Err(error)) => Err(failure(&error)),
        Ok(Ok(_)) => Ok(()),
    }
}

/// The answer; one that says what went wrong is an error.
async fn sent(connection: &mut Wire, command: &Cmd) -> Result<Value, RedisError> {
    let answer = match connection {
        Wire::One(it) => it.send_packed_command(command).await?,
        Wire::Cluster(it) => it.req_packed_command(command).await?,
    };
    answer.extract_error()
}

/// A server that starts, or that has become a replica, is of no use: another connection may
/// lead to the right one.
fn ends_connection(error: &RedisError) -> bool {
    let is_elsewhere = matches!(error.code(), Some("LOADING" | "READONLY" | "MASTERDOWN"));
    is_elsewhere || error.is_unrecoverable_error() || error.is_io_error()
}

pub(super) fn failure(error: &RedisError) -> RedisFailure {
    match error.code() {
        Some(code) => RedisFailure::Refused(code.to_owned()),
        None if error.kind() == ErrorKind::UnexpectedReturnType => RedisFailure::Odd,
        None => RedisFailure::BrokenOff,
    }
}
