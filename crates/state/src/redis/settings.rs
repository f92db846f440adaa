//! Where a Redis server is and how to log in, from a URL or from Azure's connection string.
//!
//! Sources: <https://www.iana.org/assignments/uri-schemes/prov/redis> and
//! <https://stackexchange.github.io/StackExchange.Redis/Configuration>, which is the form that
//! Azure's portal shows.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

/// Longest wait for an answer of Redis, unless configured.
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(50);
/// Longest wait for a connection, TLS and login included. No request waits for it.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const PORT: u16 = 6379;
const TLS_PORT: u16 = 6380;

/// Options of a connection string that say how another client behaves, and nothing to us.
const OTHER_CLIENTS_OPTIONS: [&str; 12] = [
    "abortconnect",
    "allowadmin",
    "asynctimeout",
    "configcheckseconds",
    "connectretry",
    "connecttimeout",
    "keepalive",
    "name",
    "responsetimeout",
    "sslprotocols",
    "synctimeout",
    "tiebreaker",
];

/// Where a Redis server is, how to log in, how long to wait. `Debug` shows no password.
#[derive(Clone)]
pub struct RedisSettings {
    pub(super) info: ConnectionInfo,
    /// Longest wait for an answer; 50 ms unless set.
    pub timeout: Duration,
    /// Longest wait for a connection; 2 s unless set.
    pub connect_timeout: Duration,
}

/// Why an address is none. The address may hold a password, so no message shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisAddressError {
    /// Neither a URL nor a connection string.
    #[error(
        "expected `redis://HOST:PORT`, `rediss://HOST:PORT` (TLS) or `HOST:PORT,password=...,ssl=True`"
    )]
    NotAnAddress,
    /// Certificates that are not checked protect nothing.
    #[error("`#insecure` turns the check of the server's certificate off, which is not supported")]
    Insecure,
    /// An option of a connection string that is not known.
    #[error("the option `{0}` of the connection string is not known")]
    UnknownOption(String),
    /// An option of a connection string has no such value.
    #[error("the option `{0}` of the connection string has a value that it cannot have")]
    BadOption(&'static str),
}

impl RedisSettings {
    /// Reads `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`, the same with `rediss` for TLS,
    /// or a connection string `HOST[:PORT],password=...,ssl=True`.
    ///
    /// # Errors
    ///
    /// The text is neither, or asks for something that cannot be done.
    pub fn parse(text: &str) -> Result<RedisSettings, RedisAddressError> {
        let text = text.trim();
        let info = if text.contains("://") { from_url(text) } else { from_options(text) }?;
        Ok(RedisSettings {
            info,
            timeout: DEFAULT_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
        })
    }

    /// Host and port, or the path of the socket: for logs.
    #[must_use]
    pub fn address(&self) -> String {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                format!("{host}:{port}")
            }
            ConnectionAddr::Unix(path) => path.display().to_string(),
            _ => "redis".to_owned(),
        }
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self.info.addr(), ConnectionAddr::TcpTls { .. })
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("address", &self.address())
            .field("tls", &self.is_tls())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn from_url(text: &str) -> Result<ConnectionInfo, RedisAddressError> {
    if text.ends_with("#insecure") {
        return Err(RedisAddressError::Insecure);
    }
    if !["redis://", "rediss://", "unix://", "redis+unix://"].iter().any(|it| text.starts_with(it))
    {
        return Err(RedisAddressError::NotAnAddress);
    }
    text.into_connection_info().map_err(|_| RedisAddressError::NotAnAddress)
}

fn from_options(text: &str) -> Result<ConnectionInfo, RedisAddressError> {
    let mut parts = text.split(',').map(str::trim);
    let host = parts.next().filter(|it| !it.is_empty() && !it.contains('='));
    let host = host.ok_or(RedisAddressError::NotAnAddress)?;
    let mut login = RedisConnectionInfo::default();
    let mut tls = false;
    for part in parts.filter(|it| !it.is_empty()) {
        // A password may hold `=` itself, as Azure's keys do.
        let (name, value) = part.split_once('=').ok_or(RedisAddressError::NotAnAddress)?;
        match name.trim().to_ascii_lowercase().as_str() {
            "password" => login = login.set_password(value),
            "user" => login = login.set_username(value),
            "ssl" => {
                tls = value
                    .trim()
                    .to_ascii_lowercase()
                    .parse()
                    .map_err(|_| RedisAddressError::BadOption("ssl"))?;
            }
            "defaultdatabase" => {
                let number = value.trim().parse();
                login = login
                    .set_db(number.map_err(|_| RedisAddressError::BadOption("defaultDatabase"))?);
            }
            other if OTHER_CLIENTS_OPTIONS.contains(&other) => {}
            _ => return Err(RedisAddressError::UnknownOption(name.trim().to_owned())),
        }
    }
    let (host, port) = host_and_port(host, tls)?;
    let scheme = if tls { "rediss" } else { "redis" };
    // By way of a URL: there is no other way to an address with TLS.
    let info = format!("{scheme}://{host}:{port}").into_connection_info();
    Ok(info.map_err(|_| RedisAddressError::NotAnAddress)?.set_redis_settings(login))
}

fn host_and_port(text: &str, tls: bool) -> Result<(&str, u16), RedisAddressError> {
    match text.rsplit_once(':') {
        None => Ok((text, if tls { TLS_PORT } else { PORT })),
        Some((host, port)) => {
            let port = port.parse().map_err(|_| RedisAddressError::NotAnAddress)?;
            Ok((host, port))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> String {
        match RedisSettings::parse(text) {
            Err(error) => format!("{error:?}"),
            Ok(it) => {
                let login = it.info.redis_settings();
                let (user, password) = (login.username(), login.password());
                let tls = if it.is_tls() { " tls" } else { "" };
                format!("{}/{}{tls} {user:?} {password:?}", it.address(), login.db())
            }
        }
    }

    #[test]
    fn urls_and_connection_strings_name_the_same_things() {
        for (text, expected) in [
            ("redis://localhost", "localhost:6379/0 None None"),
            (" redis://cache.example:7000/3 ", "cache.example:7000/3 None None"),
            ("redis://:p%40ss@h:1", "h:1/0 None Some(\"p@ss\")"),
            ("rediss://u:p@h:6380", "h:6380/0 tls Some(\"u\") Some(\"p\")"),
            ("h", "h:6379/0 None None"),
            ("h,ssl=true", "h:6380/0 tls None None"),
            (
                "h:6390,password=abc==,ssl=True,abortConnect=False,defaultDatabase=2",
                "h:6390/2 tls None Some(\"abc==\")",
            ),
            ("h:6379,user=me,password=p", "h:6379/0 Some(\"me\") Some(\"p\")"),
        ] {
            assert_eq!(seen(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        for (text, expected) in [
            ("", "NotAnAddress"),
            ("http://h", "NotAnAddress"),
            ("redis://", "NotAnAddress"),
            ("password=hunter2", "NotAnAddress"),
            ("h:port", "NotAnAddress"),
            ("h,hunter2", "NotAnAddress"),
            ("rediss://h#insecure", "Insecure"),
            ("h,proxy=Twemproxy", "UnknownOption(\"proxy\")"),
            ("h,ssl=yes", "BadOption(\"ssl\")"),
            ("h,defaultDatabase=x", "BadOption(\"defaultDatabase\")"),
        ] {
            assert_eq!(seen(text), expected, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let it = RedisSettings::parse("rediss://user:hunter2@h:6380").unwrap();
        let text = format!("{it:?}");
        assert!(text.contains("h:6380") && !text.contains("hunter2"), "{text}");
    }
}
