//! Tokens that the gateway gets for itself.
//!
//! ```text
//! ManagedIdentities ─ (identity, resource) ─▶ Slot: token, the one fetch under way
//!        │                                      │
//!        └──────────────▶ IdentitySource ◀──────┘ IMDS, App Service, Arc, workload identity
//! ```
//!
//! A token is fetched when it is first asked for, refreshed in the background from five minutes
//! before it expires as long as it is used, and used until it expires if a refresh fails.
//!
//! Sources: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>;
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity>;
//! <https://learn.microsoft.com/azure/aks/workload-identity-overview>;
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>.

mod answer;
mod cache;
mod request;
mod slot;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderValue;
use transport::Secret;

pub use cache::{ManagedIdentities, ManagedIdentitySettings, TokenOf};
pub use source::{Environment, IdentitySource, WorkloadIdentity};

/// A token for a resource, with the time it expires. Cheap to clone.
#[derive(Clone)]
pub struct AccessToken(Arc<Issued>);

struct Issued {
    secret: Secret,
    /// The same text for those who have to keep it in this form.
    text: Arc<str>,
    /// None if the text can stand in no header.
    bearer: Option<HeaderValue>,
    expires: SystemTime,
}

impl AccessToken {
    pub(crate) fn new(secret: Secret, expires: SystemTime) -> Self {
        let text = Arc::from(secret.expose());
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", secret.expose())).ok();
        if let Some(value) = &mut bearer {
            value.set_sensitive(true);
        }
        Self(Arc::new(Issued { secret, text, bearer, expires }))
    }

    /// The text of the token, without `Bearer`.
    pub fn secret(&self) -> &Secret {
        &self.0.secret
    }

    /// The same text, shared: for variables, which policies may read.
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.0.text)
    }

    /// The value of `Authorization` with the token, marked as sensitive; none if the token can
    /// stand in no header.
    pub fn bearer(&self) -> Option<HeaderValue> {
        self.0.bearer.clone()
    }

    /// The second at which it expires.
    pub fn expires(&self) -> SystemTime {
        self.0.expires
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("expires", &self.0.expires).finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagedIdentityError {
    /// The endpoint cannot be reached, or says that it is not ready: trying later may help.
    #[error("the managed identity endpoint ({endpoint}) is not available: {reason}")]
    Unavailable {
        /// Which kind of endpoint.
        endpoint: &'static str,
        /// What happened.
        reason: String,
    },
    /// The identity does not exist, may not get this token, or is set up wrongly.
    #[error("the managed identity is not usable ({endpoint}): {reason}")]
    Misconfigured {
        /// Which kind of endpoint.
        endpoint: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl ManagedIdentityError {
    /// True if the same request may succeed later without a change of the configuration.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
