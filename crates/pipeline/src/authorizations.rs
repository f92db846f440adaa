//! Credential providers and their connections, as `get-authorization-context` finds them.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/credentials-overview>

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use transport::Secret;
use url::Url;

/// Connections by provider and name, both compared without case.
#[derive(Clone, Debug, Default)]
pub struct Authorizations(BTreeMap<String, BTreeMap<String, ConnectionEntry>>);

/// What is known of a connection.
#[derive(Clone, Debug)]
pub enum ConnectionEntry {
    /// It is at hand.
    Usable(Arc<Connection>),
    /// It cannot be used; why, in words that hold no secret.
    Unusable(String),
    /// Its secrets were not read, as when a configuration is only checked.
    NotAtHand,
}

/// How tokens of another service are got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The provider's token endpoint.
    pub token_url: Url,
    /// Who asks.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<Secret>,
    /// The secret stands in the `Authorization` header, not in the body.
    pub is_secret_in_header: bool,
    /// What somebody's consent brought; none: client credentials.
    pub refresh_token: Option<RefreshToken>,
    /// What tokens are to be good for.
    pub scopes: Vec<String>,
    /// Further parameters of the request.
    pub parameters: Vec<(String, String)>,
    /// Who may use it.
    pub access: Vec<AccessPolicy>,
}

/// A stored refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The token.
    pub token: Secret,
    /// The file it comes from, which receives the one that replaces it.
    pub file: Option<PathBuf>,
}

/// Who may use a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessPolicy {
    /// The gateway itself.
    Managed,
    /// Whoever shows a token of Entra ID with this object.
    Object {
        /// The directory.
        tenant_id: String,
        /// The user or service in it.
        object_id: String,
    },
}

/// Which of the two names is unknown, with the nearest known one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownConnection {
    /// No provider has the name.
    #[error("unknown credential provider `{0}`")]
    Provider(String),
    /// The provider has no such connection.
    #[error("credential provider `{0}` has no connection `{1}`")]
    Connection(String, String),
}

impl Authorizations {
    /// The connection of these names.
    ///
    /// # Errors
    ///
    /// Which name is unknown.
    pub fn get(
        &self,
        provider: &str,
        connection: &str,
    ) -> Result<&ConnectionEntry, UnknownConnection> {
        let of = self.0.get(&provider.to_lowercase());
        let of = of.ok_or_else(|| UnknownConnection::Provider(provider.to_owned()))?;
        of.get(&connection.to_lowercase()).ok_or_else(|| {
            UnknownConnection::Connection(provider.to_owned(), connection.to_owned())
        })
    }

    /// Adds a connection, replacing one of the same names.
    pub fn insert(&mut self, provider: &str, connection: &str, entry: ConnectionEntry) {
        let of = self.0.entry(provider.to_lowercase()).or_default();
        of.insert(connection.to_lowercase(), entry);
    }
}

impl Connection {
    /// Whether the gateway itself may use it: unless it is told who may.
    #[must_use]
    pub fn allows_managed(&self) -> bool {
        self.access.is_empty() || self.access.contains(&AccessPolicy::Managed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case() {
        let mut it = Authorizations::default();
        it.insert("GitHub", "One", ConnectionEntry::NotAtHand);
        assert!(it.get("github", "ONE").is_ok());
        let text = |provider, name| it.get(provider, name).unwrap_err().to_string();
        assert_eq!(text("x", "one"), "unknown credential provider `x`");
        assert_eq!(text("github", "x"), "credential provider `github` has no connection `x`");
    }

    #[test]
    fn the_gateway_may_use_what_says_nothing() {
        let mut it = Connection {
            token_url: Url::parse("https://login.test/").unwrap(),
            client_id: String::new(),
            client_secret: Some("s3cret".into()),
            is_secret_in_header: false,
            refresh_token: None,
            scopes: Vec::new(),
            parameters: Vec::new(),
            access: Vec::new(),
        };
        assert!(it.allows_managed() && !format!("{it:?}").contains("s3cret"));
        let (tenant_id, object_id) = (String::new(), String::new());
        it.access.push(AccessPolicy::Object { tenant_id, object_id });
        assert!(!it.allows_managed());
        it.access.push(AccessPolicy::Managed);
        assert!(it.allows_managed());
    }
}
