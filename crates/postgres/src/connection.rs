//! One connection that a task of its own makes, sets up, watches and makes again.
//!
//! A database that is away costs a request nothing: while there is no connection a query fails at
//! once. One that does not answer costs the time that the caller gives; the query is then given up
//! and the connection with it, because answers come in order.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Connection, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::settings::Settings;

/// Queries on their way at one time; more fail at once.
const MAX_QUERIES: usize = 64;
/// Longest time for the statements of the set-up: they may wait for other gateways that do the same.
const SET_UP_TIMEOUT: Duration = Duration::from_secs(30);
/// Waits between attempts to connect: doubling from the first to the last.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(2);
/// A connection that lived so long makes the next attempt come soon again.
const STEADY: Duration = Duration::from_secs(5);

/// Why a query gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no connection; found out at once.
    #[error("PostgreSQL is away")]
    Away,
    /// Too many queries are on their way.
    #[error("PostgreSQL has {MAX_QUERIES} queries to answer already")]
    Busy,
    /// No answer in time. The statement may have been carried out.
    #[error("PostgreSQL did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The connection broke off. The statement may have been carried out.
    #[error("the connection to PostgreSQL broke off")]
    BrokenOff,
    /// An error of the server; only its code is kept, texts may hold what was sent.
    #[error("PostgreSQL answered with the error {0}")]
    Refused(String),
    /// The answer has another shape than the query asks for.
    #[error("the answer of PostgreSQL has an unexpected shape")]
    Odd,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        match error.code() {
            Some(code) => Failure::Refused(code.code().to_owned()),
            None if error.is_closed() => Failure::BrokenOff,
            None => Failure::Odd,
        }
    }
}

/// A database. Clones share the connection, which ends with the last of them.
#[derive(Clone)]
pub struct Postgres {
    shared: Arc<Shared>,
    _task: Arc<EndsTask>,
}

struct EndsTask(AbortHandle);

impl Drop for EndsTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Shared {
    address: String,
    current: ArcSwapOption<Client>,
    up: watch::Sender<bool>,
    /// Goes up with each notification, and when the connection comes back or breaks off.
    news: watch::Sender<u64>,
    /// Goes up when the connection is to be given up.
    losses: watch::Sender<u64>,
    free: Semaphore,
}

impl Postgres {
    /// Starts connecting, in a task on that runtime. `set_up` is carried out on every new
    /// connection before anything else; it must do no harm when it is done again.
    #[must_use]
    pub fn start(
        settings: Settings,
        tls: ClientConfig,
        set_up: &'static str,
        runtime: &Handle,
    ) -> Postgres {
        let shared = Arc::new(Shared {
            address: settings.address(),
            current: ArcSwapOption::empty(),
            up: watch::Sender::new(false),
            news: watch::Sender::new(0),
            losses: watch::Sender::new(0),
            free: Semaphore::new(MAX_QUERIES),
        });
        let work =
            keep_connected(Arc::clone(&shared), settings, MakeRustlsConnect::new(tls), set_up);
        let task = runtime.spawn(work).abort_handle();
        Postgres { shared, _task: Arc::new(EndsTask(task)) }
    }

    /// Host and port: for logs.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    /// Waits so long at most for the connection.
    pub async fn is_up_within(&self, wait: Duration) -> bool {
        let mut up = self.shared.up.subscribe();
        timeout(wait, up.wait_for(|it| *it)).await.is_ok_and(|it| it.is_ok())
    }

    /// Whether there is a connection now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        *self.shared.up.borrow()
    }

    /// Changes with each notification for which the set-up listens (`LISTEN`), and when the
    /// connection comes back or breaks off: what was notified meanwhile is lost.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.shared.news.subscribe()
    }

    /// The rows of a query, in one round trip.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    pub async fn query(
        &self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
        wait: Duration,
    ) -> Result<Vec<Row>, Failure> {
        let client = self.shared.current.load_full().ok_or(Failure::Away)?;
        let _place = self.shared.free.try_acquire().map_err(|_| Failure::Busy)?;
        match timeout(wait, client.query_typed(statement, parameters)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                self.shared.losses.send_modify(|it| *it += 1);
                Err(Failure::TimedOut(wait))
            }
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

async fn keep_connected(
    shared: Arc<Shared>,
    settings: Settings,
    tls: MakeRustlsConnect,
    set_up: &'static str,
) {
    let mut wait = RETRY_FIRST;
    let mut is_told = false;
    loop {
        let began = Instant::now();
        match live(&shared, &settings, tls.clone(), set_up).await {
            Ok(()) => is_told = false,
            Err(problem) if !is_told => {
                is_told = true;
                let address = &shared.address;
                tracing::warn!(address, problem, "PostgreSQL cannot be used; trying again");
            }
            Err(_) => {}
        }
        if began.elapsed() > STEADY {
            wait = RETRY_FIRST;
        }
        sleep(wait).await;
        wait = (wait * 2).min(RETRY_LAST);
    }
}

/// One connection from its beginning to its end.
async fn live(
    shared: &Shared,
    settings: &Settings,
    tls: MakeRustlsConnect,
    set_up: &str,
) -> Result<(), String> {
    let connecting = settings.config.connect(tls);
    let (client, connection) = connecting.await.map_err(|error| reason(&error))?;
    let mut connection = std::pin::pin!(drive(connection, shared));
    let mut losses = shared.losses.subscribe();
    let until = Instant::now() + SET_UP_TIMEOUT;
    tokio::select! {
        done = timeout_at(until, client.batch_execute(set_up)) => match done {
            Ok(done) => done.map_err(|error| reason(&error))?,
            Err(_) => return Err("the set-up takes too long".to_owned()),
        },
        _ = &mut connection => return Err("the connection broke off".to_owned()),
    }
    shared.current.store(Some(Arc::new(client)));
    shared.up.send_replace(true);
    shared.news.send_modify(|it| *it += 1);
    tracing::info!(address = shared.address, "PostgreSQL is there");
    tokio::select! {
        _ = &mut connection => {}
        _ = losses.changed() => {}
    }
    shared.current.store(None);
    shared.up.send_replace(false);
    shared.news.send_modify(|it| *it += 1);
    tracing::warn!(address = shared.address, "PostgreSQL is away");
    Ok(())
}

/// Carries a connection to its end, and tells of notifications.
async fn drive<S, T>(mut connection: Connection<S, T>, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            shared.news.send_modify(|it| *it += 1);
        }
    }
}

/// Why there is no connection: the server's code, or what the system says. Nothing of the login.
fn reason(error: &tokio_postgres::Error) -> String {
    let source = std::error::Error::source(error);
    match (error.code(), source) {
        (Some(code), _) => format!("the server answered with the error {}", code.code()),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    }
}
