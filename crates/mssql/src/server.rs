//! Where a database is and who asks, from a connection string.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/microsoft.data.sqlclient.sqlconnection.connectionstring>

use std::fmt;

const PORT: u16 = 1433;

/// Keywords that say how another client behaves, and nothing to us.
const OTHERS: [&str; 19] = [
    "applicationname",
    "commandtimeout",
    "connectretrycount",
    "connectretryinterval",
    "connecttimeout",
    "connectiontimeout",
    "currentlanguage",
    "enlist",
    "ipaddresspreference",
    "loadbalancetimeout",
    "maxpoolsize",
    "minpoolsize",
    "multipleactiveresultsets",
    "multisubnetfailover",
    "packetsize",
    "persistsecurityinfo",
    "pooling",
    "timeout",
    "workstationid",
];

/// A database. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Name or address of the server.
    pub host: String,
    /// Its port; 1433 unless given.
    pub port: u16,
    /// The database; that of the login if there is none.
    pub database: Option<String>,
    /// Who asks, if a password is given.
    pub(crate) login: Option<(String, String)>,
    /// Whether TLS begins before anything else (TDS 8.0).
    pub(crate) is_strict: bool,
    /// The name that the certificate must have, if it is not the host.
    pub(crate) certificate_name: Option<String>,
    /// Whether a replica that can only be read is good enough.
    pub(crate) is_readonly: bool,
    /// Whether the connection string itself asks for the managed identity.
    pub by_identity: bool,
}

/// Why a text is no connection string. It may hold a password, so no message shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    /// A part is no `key=value`.
    #[error("expected `Server=tcp:HOST,1433;Initial Catalog=DATABASE;...`")]
    Malformed,
    /// No server is named.
    #[error("`Server` is missing")]
    NoServer,
    /// A key that is not known.
    #[error("the key `{0}` is not known")]
    UnknownKey(String),
    /// A key that has no such value.
    #[error("the key `{0}` has a value that it cannot have")]
    BadValue(&'static str),
    /// Something that would make the connection unsafe.
    #[error("`{0}` would leave the connection unprotected, which is not supported")]
    Unprotected(&'static str),
    /// A way to log in that is not there.
    #[error("`{0}` is no way to log in here; use a password or the managed identity")]
    Login(&'static str),
}

use ConnectionStringError as Wrong;

impl Server {
    /// Reads `Server=tcp:HOST,1433;Initial Catalog=DATABASE;User ID=...;Password=...;`.
    ///
    /// # Errors
    ///
    /// The text is none, or asks for something that is not supported.
    pub fn parse(text: &str) -> Result<Server, ConnectionStringError> {
        let mut server = Server {
            host: String::new(),
            port: PORT,
            database: None,
            login: None,
            is_strict: false,
            certificate_name: None,
            is_readonly: false,
            by_identity: false,
        };
        let (mut user, mut password) = (None, None);
        for (key, value) in pairs(text)? {
            let name: String = key.to_ascii_lowercase().split_whitespace().collect();
            match name.as_str() {
                "server" | "datasource" | "address" | "addr" | "networkaddress" => {
                    (server.host, server.port) = address(&value)?;
                }
                "initialcatalog" | "database" => {
                    server.database = Some(value).filter(|it| !it.is_empty());
                }
                "userid" | "uid" | "user" => user = Some(value),
                "password" | "pwd" => password = Some(value),
                "hostnameincertificate" => server.certificate_name = Some(value),
                "applicationintent" => {
                    server.is_readonly = value.eq_ignore_ascii_case("readonly");
                }
                "encrypt" => match value.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "mandatory" => {}
                    "strict" => server.is_strict = true,
                    "false" | "no" | "optional" => return Err(Wrong::Unprotected("Encrypt=False")),
                    _ => return Err(Wrong::BadValue("Encrypt")),
                },
                "trustservercertificate" if is_true(&value, "TrustServerCertificate")? => {
                    return Err(Wrong::Unprotected("TrustServerCertificate=True"));
                }
                "integratedsecurity" | "trusted_connection"
                    if is_true(&value, "Integrated Security")? =>
                {
                    return Err(Wrong::Login("Integrated Security"));
                }
                "trustservercertificate" | "integratedsecurity" | "trusted_connection" => {}
                "authentication" => match value.to_ascii_lowercase().as_str() {
                    "sql password" | "sqlpassword" | "" => {}
                    "active directory managed identity"
                    | "active directory msi"
                    | "active directory default" => server.by_identity = true,
                    _ => return Err(Wrong::Login("Authentication")),
                },
                other if OTHERS.contains(&other) => {}
                _ => return Err(Wrong::UnknownKey(key)),
            }
        }
        server.login = user.zip(password);
        match server.host.is_empty() {
            true => Err(Wrong::NoServer),
            false => Ok(server),
        }
    }

    /// Whether a name and a password are given.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.login.is_some()
    }

    /// `mssql://HOST:PORT/DATABASE`: for logs.
    #[must_use]
    pub fn url(&self) -> String {
        let database = self.database.as_deref().unwrap_or_default();
        format!("mssql://{}:{}/{database}", self.host, self.port)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.url())
    }
}

/// `[tcp:]HOST[,PORT]`.
fn address(text: &str) -> Result<(String, u16), ConnectionStringError> {
    let text = text.strip_prefix("tcp:").unwrap_or(text).trim();
    let (host, port) = match text.split_once(',') {
        Some((host, port)) => {
            (host.trim(), port.trim().parse().map_err(|_| Wrong::BadValue("Server"))?)
        }
        None => (text, PORT),
    };
    let host = if host == "." || host == "(local)" { "localhost" } else { host };
    let fits = |it: char| !it.is_whitespace() && !it.is_control() && !matches!(it, '\\' | '/');
    match !host.is_empty() && host.chars().all(fits) {
        true => Ok((host.to_owned(), port)),
        false => Err(Wrong::BadValue("Server")),
    }
}

fn is_true(text: &str, key: &'static str) -> Result<bool, ConnectionStringError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "sspi" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(Wrong::BadValue(key)),
    }
}

/// Keys and values; a value may stand in quotes, which are doubled within.
fn pairs(text: &str) -> Result<Vec<(String, String)>, ConnectionStringError> {
    let mut all = Vec::new();
    let mut rest = text.trim_start_matches([';', ' ', '\t', '\r', '\n']);
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(Wrong::Malformed)?;
        if key.contains(';') || key.trim().is_empty() {
            return Err(Wrong::Malformed);
        }
        let after = after.trim_start();
        let (value, end) = match after.chars().next().filter(|it| matches!(it, '"' | '\'')) {
            Some(quote) => quoted(after, quote).ok_or(Wrong::Malformed)?,
            None => {
                let (value, end) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), end)
            }
        };
        all.push((key.trim().to_owned(), value));
        rest = end.trim_start_matches([';', ' ', '\t', '\r', '\n']);
    }
    Ok(all)
}

/// A value in quotes, and what comes after it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix(quote)?;
    loop {
        let (part, after) = rest.split_once(quote)?;
        value.push_str(part);
        match after.strip_prefix(quote) {
            Some(more) => {
                value.push(quote);
                rest = more;
            }
            None => {
                let after = after.trim_start();
                return (after.is_empty() || after.starts_with(';')).then_some((value, after));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match Server::parse(text) {
            Ok(it) => format!(
                "{} {:?} strict {} identity {}",
                it.url(),
                it.login,
                it.is_strict,
                it.by_identity
            ),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_connection_string_is_read_as_the_portal_shows_it() {
        for (text, expected) in [
            (
                "Server=tcp:me.database.windows.net,1433;Initial Catalog=db;Persist Security Info=False;\
                 User ID=u;Password=p;MultipleActiveResultSets=False;Encrypt=True;\
                 TrustServerCertificate=False;Connection Timeout=30;",
                r#"mssql://me.database.windows.net:1433/db Some(("u", "p")) strict false identity false"#,
            ),
            (
                "\n Data Source = h ; Database='a;b' ; uid=u;pwd=\"p\"\";=\";Encrypt=Strict",
                r#"mssql://h:1433/a;b Some(("u", "p\";=")) strict true identity false"#,
            ),
            (
                "Server=.;Authentication=Active Directory Managed Identity",
                "mssql://localhost:1433/ None strict false identity true",
            ),
            ("", "`Server` is missing"),
            ("Server", "expected `Server=tcp:HOST,1433;Initial Catalog=DATABASE;...`"),
            ("Server=h;x;y=1", "expected `Server=tcp:HOST,1433;Initial Catalog=DATABASE;...`"),
            (
                "Server=h;Password='x",
                "expected `Server=tcp:HOST,1433;Initial Catalog=DATABASE;...`",
            ),
            ("Server=h;Provider=x", "the key `Provider` is not known"),
            ("Server=h,x", "the key `Server` has a value that it cannot have"),
            (r"Server=h\inst", "the key `Server` has a value that it cannot have"),
            ("Server=h;Encrypt=maybe", "the key `Encrypt` has a value that it cannot have"),
            (
                "Server=h;Encrypt=False",
                "`Encrypt=False` would leave the connection unprotected, which is not supported",
            ),
            (
                "Server=h;Trust Server Certificate=true",
                "`TrustServerCertificate=True` would leave the connection unprotected, which is not supported",
            ),
            (
                "Server=h;Integrated Security=SSPI",
                "`Integrated Security` is no way to log in here; use a password or the managed identity",
            ),
            (
                "Server=h;Authentication=Active Directory Interactive",
                "`Authentication` is no way to log in here; use a password or the managed identity",
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let it = Server::parse("Server=h;User ID=u;Password=hunter2").unwrap();
        assert_eq!(format!("{it:?}"), "Server(mssql://h:1433/)");
    }
}
