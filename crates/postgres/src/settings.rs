//! Where a database is and how to log in, from a URL or from a list of `key=value`.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Longest wait for a connection, TLS and login included. No request waits for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a database is and how to log in. `Debug` shows no password.
#[derive(Clone)]
pub struct Settings {
    pub(crate) config: Config,
}

/// Why an address is none. The address may hold a password, so no message shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither a URL nor a list of `key=value`.
    #[error("expected `postgres://USER@HOST:PORT/DATABASE` or `host=... user=... dbname=...`")]
    NotAnAddress,
    /// There is no host in it.
    #[error("the address names no host")]
    NoHost,
}

impl Settings {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...` or `host=... user=...`.
    ///
    /// Without `sslmode` or with `prefer`, TLS is demanded, but from a host that is this machine:
    /// a choice that somebody on the way can make for us would protect nothing. The server's
    /// certificate is always checked. Only `disable` turns TLS off.
    ///
    /// # Errors
    ///
    /// The text is neither.
    pub fn parse(text: &str) -> Result<Settings, AddressError> {
        let mut config: Config = text.trim().parse().map_err(|_| AddressError::NotAnAddress)?;
        if config.get_hosts().is_empty() {
            return Err(AddressError::NoHost);
        }
        if config.get_ssl_mode() == SslMode::Prefer && !config.get_hosts().iter().all(is_here) {
            config.ssl_mode(SslMode::Require);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("portcullis");
        }
        Ok(Settings { config })
    }

    /// Host and port, or the folder of the socket: for logs.
    #[must_use]
    pub fn address(&self) -> String {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => format!("{host}:{port}"),
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "postgres".to_owned(),
        }
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address())
            .field("sslmode", &self.config.get_ssl_mode())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> String {
        match Settings::parse(text) {
            Err(error) => format!("{error:?}"),
            Ok(it) => {
                let (user, database) = (it.config.get_user(), it.config.get_dbname());
                format!("{} {user:?} {database:?} {:?}", it.address(), it.config.get_ssl_mode())
            }
        }
    }

    #[test]
    fn tls_is_demanded_from_other_machines() {
        for (text, expected) in [
            ("postgres://u:p@db.example/d", "db.example:5432 Some(\"u\") Some(\"d\") Require"),
            ("postgresql://u@db.example:7000/d", "db.example:7000 Some(\"u\") Some(\"d\") Require"),
            (
                "postgres://u@db.example/d?sslmode=disable",
                "db.example:5432 Some(\"u\") Some(\"d\") Disable",
            ),
            ("postgres://u@127.0.0.1/d", "127.0.0.1:5432 Some(\"u\") Some(\"d\") Prefer"),
            ("host=localhost user=u", "localhost:5432 Some(\"u\") None Prefer"),
            ("host=/run/postgresql user=u", "/run/postgresql Some(\"u\") None Prefer"),
        ] {
            assert_eq!(seen(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, expected) in [
            ("hunter2", "NotAnAddress"),
            ("http://h/d", "NotAnAddress"),
            ("user=u password=hunter2", "NoHost"),
            ("host=h colour=red", "NotAnAddress"),
        ] {
            assert_eq!(seen(text), expected, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let it = Settings::parse("postgres://user:hunter2@h/d").unwrap();
        let text = format!("{it:?}");
        assert!(text.contains("h:5432") && !text.contains("hunter2"), "{text}");
    }
}
