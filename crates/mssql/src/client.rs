//! One statement: connect, log in, ask, read the rows.
//!
//! Source: <https://learn.microsoft.com/openspecs/windows_protocols/ms-tds>

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde_json::{Map, Value};
use tiberius::error::Error;
use tiberius::{AuthMethod, Client, Command, CommandItem, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use crate::limited::Limited;
use crate::server::Server;
use crate::statement::Statement;
use crate::value;

/// A row: columns in their order.
pub type Row = Map<String, Value>;

type Connection = Client<Compat<Limited<TcpStream>>>;

/// How much one statement may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Longest time for all of it.
    pub timeout: Duration,
    /// Most rows.
    pub max_rows: usize,
    /// Most bytes that the server sends, those of TLS and login included.
    pub max_bytes: usize,
}

/// How much a connection may still send, and whether it has sent more.
struct Limit {
    left: usize,
    is_over: Arc<AtomicBool>,
}

/// Who asks.
#[derive(Clone, Copy)]
pub enum Login<'a> {
    /// The name and the password of the connection string.
    Password,
    /// An access token.
    Token(&'a str),
}

impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Login::Password => "Password",
            Login::Token(_) => "Token",
        })
    }
}

/// Why there are no rows. Texts of the server, which may hold data, are left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// The connection string has no name and password.
    #[error("the connection string has no `User ID` and `Password`")]
    NoPassword,
    /// The server cannot be reached, or the connection broke.
    #[error("the database cannot be reached: {0}")]
    Connection(String),
    /// The connection is not protected as it must be.
    #[error("no protected connection to the database: {0}")]
    Tls(String),
    /// The server refuses the login or the statement, with its number.
    #[error("the database answered error {0}")]
    Refused(u32),
    /// The server does not keep to the protocol.
    #[error("the database does not keep to the protocol")]
    Protocol,
    /// It took too long.
    #[error("the database did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// There are too many rows.
    #[error("the answer has more than {0} rows")]
    TooManyRows(usize),
    /// The rows are too long.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// Executes a statement and gives the rows of its first result; none if it has no result.
///
/// # Errors
///
/// The server cannot be asked, refuses, or answers with more than the bounds allow.
pub async fn ask(
    server: &Server,
    login: Login<'_>,
    statement: &Statement,
    bounds: &Bounds,
) -> Result<Vec<Row>, SqlError> {
    let is_over = Arc::<AtomicBool>::default();
    let rows = rows(server, login, statement, bounds, &is_over);
    // The client logs texts of the server, which may hold data.
    let rows = rows.with_subscriber(NoSubscriber::default());
    let asked = timeout(bounds.timeout, rows).await;
    let rows = asked.map_err(|_| SqlError::TimedOut(bounds.timeout))?;
    rows.map_err(|error| match is_over.load(Ordering::Relaxed) {
        true => SqlError::TooLong(bounds.max_bytes),
        false => error,
    })
}

async fn rows(
    server: &Server,
    login: Login<'_>,
    statement: &Statement,
    bounds: &Bounds,
    is_over: &Arc<AtomicBool>,
) -> Result<Vec<Row>, SqlError> {
    let fail = |error| failure(&error);
    let left = bounds.max_bytes;
    let over = || Limit { left, is_over: Arc::clone(is_over) };
    let config = config(server, login)?;
    let mut client = match connect(config.clone(), &server.host, server.port, over()).await {
        // Azure's gateways send clients on to the node of the database.
        Err(Error::Routing { host, port }) => {
            let mut config = config;
            config.host(&host);
            config.port(port);
            connect(config, &host, port, over()).await.map_err(fail)?
        }
        other => other.map_err(fail)?,
    };
    let declaration = statement.declaration();
    let mut command = Command::new("sp_executesql");
    command.bind_param("@stmt", statement.text.as_str());
    if !declaration.is_empty() {
        command.bind_param("@params", declaration.as_str());
    }
    for it in &statement.parameters {
        command.bind_param(it.name.as_str(), it.value.as_deref());
    }
    let mut stream = command.exec(&mut client).await.map_err(fail)?;
    let mut rows = Vec::new();
    while let Some(item) = stream.try_next().await.map_err(fail)? {
        let CommandItem::Row(row) = item else { continue };
        if row.result_index() > 0 {
            continue;
        }
        if rows.len() >= bounds.max_rows {
            return Err(SqlError::TooManyRows(bounds.max_rows));
        }
        rows.push(
            row.cells().map(|(it, data)| (it.name().to_owned(), value::json(data))).collect(),
        );
    }
    Ok(rows)
}

fn config(server: &Server, login: Login<'_>) -> Result<Config, SqlError> {
    let mut config = Config::new();
    config.host(&server.host);
    config.port(server.port);
    if let Some(database) = &server.database {
        config.database(database);
    }
    config.application_name("Portcullis");
    config.readonly(server.is_readonly);
    config.encryption(match server.is_strict {
        true => EncryptionLevel::Strict,
        false => EncryptionLevel::Required,
    });
    if let Some(name) = &server.certificate_name {
        config.hostname_in_certificate(name);
    }
    config.authentication(match (login, &server.login) {
        (Login::Token(token), _) => AuthMethod::aad_token(token),
        (Login::Password, Some((user, password))) => AuthMethod::sql_server(user, password),
        (Login::Password, None) => return Err(SqlError::NoPassword),
    });
    Ok(config)
}

async fn connect(
    config: Config,
    host: &str,
    port: u16,
    Limit { left, is_over }: Limit,
) -> Result<Connection, Error> {
    let socket = TcpStream::connect((host, port)).await?;
    socket.set_nodelay(true)?;
    let socket = Limited { socket, left, is_over };
    Client::connect(config, socket.compat_write()).await
}

fn failure(error: &Error) -> SqlError {
    match error {
        Error::Io { kind, .. } => SqlError::Connection(kind.to_string()),
        Error::Tls(text) => SqlError::Tls(text.chars().take(200).collect()),
        Error::Server(error) => SqlError::Refused(error.code()),
        Error::Routing { .. } => SqlError::Connection("it sends on and on".to_owned()),
        _ => SqlError::Protocol,
    }
}
