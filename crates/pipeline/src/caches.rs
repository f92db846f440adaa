//! What the configuration says of caches, as the caching policies find it when they are compiled.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-cache-external>

use std::time::Duration;

use transport::Secret;

/// The caches of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caches {
    /// The external cache of this gateway's location, if one is configured.
    pub external: Option<ExternalCache>,
    /// Bytes of the internal cache: 64 MiB unless configured.
    pub max_total_bytes: usize,
    /// Bytes of one entry, of either cache: 2 MiB unless configured.
    pub max_entry_bytes: usize,
    /// What gateways share that share entries: the name of the service.
    pub namespace: String,
}

/// A cache entity: a server that speaks Redis' protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalCache {
    /// Its name.
    pub id: String,
    /// Where it is.
    pub connection: CacheConnection,
    /// Longest wait for an answer; 50 ms if none.
    pub timeout: Option<Duration>,
}

/// Where an external cache is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheConnection {
    /// A connection string or URL, which holds a password.
    Known(Secret),
    /// Secrets were not read, as when a configuration is only checked.
    Unread,
    /// It cannot be told, and why.
    Unusable(String),
}

impl Default for Caches {
    fn default() -> Caches {
        Caches {
            external: None,
            max_total_bytes: 64 << 20,
            max_entry_bytes: 2 << 20,
            namespace: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_connection_is_shown() {
        let connection = CacheConnection::Known(Secret::new("h:6379,password=hunter2"));
        let external = ExternalCache { id: "default".to_owned(), connection, timeout: None };
        let caches = Caches { external: Some(external), ..Caches::default() };
        let text = format!("{caches:?}");
        assert!(text.contains("default") && !text.contains("hunter2"), "{text}");
    }
}
