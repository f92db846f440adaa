//! Tokens of other services: what a connection of a credential provider gives.
//!
//! ```text
//! TokenRequest ─▶ slot: token, answer, refresh token ─▶ Authorized
//!                   │
//!                   └─ POST to the token endpoint, one at a time
//! ```
//!
//! Start with [`AuthorizationTokens::get`]. A token is got when it is first asked for and again from
//! five minutes before it expires; if that fails, the old one serves until it expires. A refresh
//! token that the provider replaces is kept, also in the file that it came from.
//!
//! Source: RFC 6749, sections 4.4, 5 and 6.

mod answer;
mod slot;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::{Map, Value};
use transport::{Clock, HttpClient, Secret};
use url::Url;

use slot::Slot;

/// Connections whose tokens are kept.
const MAX_SLOTS: usize = 1024;

/// How a connection gets its tokens. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The provider's token endpoint.
    pub token_url: Url,
    /// Who asks.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<Secret>,
    /// Where the secret stands.
    pub secret_in: SecretIn,
    /// What is presented.
    pub grant: Grant,
    /// What the token is to be good for.
    pub scopes: Vec<String>,
    /// Further parameters of the request.
    pub parameters: Vec<(String, String)>,
}

/// Where a client's secret stands (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretIn {
    /// In the body, as `client_secret`.
    #[default]
    Body,
    /// In the `Authorization` header, as Basic.
    Header,
}

/// What is presented to get a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Nothing but the client's own secret.
    ClientCredentials,
    /// A token that somebody's consent once brought.
    RefreshToken {
        /// The token.
        token: Secret,
        /// Where one that replaces it is written.
        file: Option<PathBuf>,
    },
}

/// What a provider answered. `Debug` shows nothing of it.
pub struct Authorized {
    access_token: Secret,
    members: Map<String, Value>,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationProblem {
    /// The provider did not answer, or not usably; it may later.
    #[error("the token endpoint is not available: {0}")]
    Unavailable(String),
    /// The provider refuses.
    #[error("the token endpoint refuses: {0}")]
    Refused(String),
}

/// The tokens of a gateway's connections: made once, kept over changes of the configuration.
pub struct AuthorizationTokens {
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<[u8; 32], Arc<Slot>>>,
}

impl Authorized {
    /// The token.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// The members of the answer, the refresh token excepted.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }
}

impl AuthorizationTokens {
    /// Tokens that are got with this client.
    #[must_use]
    pub fn new(client: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock, slots: Mutex::default() }
    }

    /// A token that is valid now. Waits at most 10 s, and only if none is at hand or it is time to
    /// refresh the one that is.
    ///
    /// # Errors
    ///
    /// [`AuthorizationProblem`], without any secret in it.
    pub async fn get(
        &self,
        request: &TokenRequest,
    ) -> Result<Arc<Authorized>, AuthorizationProblem> {
        self.slot(request).get(request, &self.client, &self.clock).await
    }

    fn slot(&self, request: &TokenRequest) -> Arc<Slot> {
        let key = key(request);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_SLOTS && !slots.contains_key(&key) {
            slots.clear();
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

/// Two requests with the same key get the same tokens.
fn key(request: &TokenRequest) -> [u8; 32] {
    let secret = |it: &Option<Secret>| it.as_ref().map(|it| it.expose().to_owned());
    let (kind, refresh_token) = match &request.grant {
        Grant::ClientCredentials => ("client", None),
        Grant::RefreshToken { token, .. } => ("refresh", Some(token.expose().to_owned())),
    };
    let parameters = request.parameters.iter().map(|(name, value)| format!("{name}={value}"));
    let mut parts = vec![
        request.token_url.to_string(),
        request.client_id.clone(),
        secret(&request.client_secret).unwrap_or_default(),
        kind.to_owned(),
        refresh_token.unwrap_or_default(),
        request.scopes.join(" "),
    ];
    parts.extend(parameters);
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut key = [0; 32];
    key.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    key
}

impl fmt::Debug for Authorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorized(..)")
    }
}

impl fmt::Debug for AuthorizationTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationTokens(..)")
    }
}
