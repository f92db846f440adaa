//! Secrets from Key Vault.
//!
//! The vault is asked without a token first and answers with a challenge that names the resource
//! a token is needed for; the challenge is kept per host. A challenge may only name a resource
//! that the vault's own host belongs to, so that a wrong address cannot fish for other tokens.
//!
//! Source: <https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret>;
//! <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>.

mod challenge;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value};
use transport::{Body, Clock, HttpClient, Secret};
use url::Url;

pub use watch::{Round, SecretWatch, WatchSettings};

use crate::error::quoted;
use crate::fetch::{self, FetchError, without_secrets};
use crate::managed_identity::{ManagedIdentities, ManagedIdentityError};
use challenge::Challenge;

const API_VERSION: &str = "7.4";
/// The longest wait for one answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses before the attempts to read a secret.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3)];
/// The largest number of hosts whose challenge is kept.
const MAX_HOSTS: usize = 256;

/// Why a secret could not be read. The messages name the secret, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyVaultError {
    /// Not `https://{vault}/secrets/{name}`, with or without a version.
    #[error("`{0}` is not the identifier of a Key Vault secret")]
    Identifier(String),
    /// The vault or its secret cannot be reached now.
    #[error("`{identifier}` is not available: {reason}")]
    Unavailable {
        /// The secret.
        identifier: String,
        /// What happened.
        reason: String,
    },
    /// There is no token for the vault.
    #[error("no token for `{identifier}`: {problem}")]
    NoToken {
        /// The secret.
        identifier: String,
        /// Why.
        problem: ManagedIdentityError,
    },
    /// The identity may not read secrets, or the secret is disabled.
    #[error("`{identifier}` may not be read: {reason}")]
    Forbidden {
        /// The secret.
        identifier: String,
        /// What the vault says.
        reason: String,
    },
    /// There is no such secret.
    #[error("`{0}` does not exist")]
    NotFound(String),
    /// The vault asks for a token that it has no right to.
    #[error("the challenge of `{0}` cannot be trusted")]
    Challenge(String),
    /// The answer is not a secret.
    #[error("the answer for `{0}` is not a secret")]
    Malformed(String),
}

impl KeyVaultError {
    /// True if the same request may succeed later without a change of the configuration.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::NoToken { problem, .. } => problem.is_temporary(),
            _ => false,
        }
    }
}

/// Reads secrets, as a managed identity.
#[derive(Debug)]
pub struct KeyVault {
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    identities: Arc<ManagedIdentities>,
    /// By host and port.
    challenges: Mutex<HashMap<String, Challenge>>,
}

impl KeyVault {
    /// Reads secrets with this client and these identities.
    pub fn new(
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        identities: Arc<ManagedIdentities>,
    ) -> Self {
        Self { client, clock, identities, challenges: Mutex::default() }
    }

    /// The value of a secret: the newest one, or that of the version in the identifier.
    ///
    /// `client_id` names a user-assigned identity. At most three attempts are made.
    ///
    /// # Errors
    ///
    /// [`KeyVaultError`]; the message names the secret and never its value.
    pub async fn secret(
        &self,
        identifier: &Url,
        client_id: Option<&str>,
    ) -> Result<Secret, KeyVaultError> {
        let target = secret_url(identifier)?;
        let mut outcome = Err(KeyVaultError::NotFound(String::new()));
        for pause in PAUSES {
            self.clock.sleep(pause).await;
            outcome = self.attempt(&target, client_id).await;
            if outcome.as_ref().err().is_none_or(|it| !it.is_temporary()) {
                break;
            }
        }
        outcome
    }

    async fn attempt(
        &self,
        target: &Url,
        client_id: Option<&str>,
    ) -> Result<Secret, KeyVaultError> {
        let mut challenge = self.kept_challenge(target);
        // First without a token, unless the challenge is known; then twice, because a vault may
        // have moved to another resource since.
        for _ in 0..3 {
            let token = match &challenge {
                None => None,
                Some(challenge) => {
                    let token = self.identities.access_token(client_id, challenge.resource()).await;
                    let identifier = without_secrets(target);
                    Some(token.map_err(|problem| KeyVaultError::NoToken { identifier, problem })?)
                }
            };
            let answer = self.get(target, token.as_ref().map(|it| it.secret())).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return read(target, &answer);
            }
            let header = answer.headers().get(WWW_AUTHENTICATE).and_then(|it| it.to_str().ok());
            let fresh = header
                .and_then(|it| Challenge::parse(it, target))
                .ok_or_else(|| KeyVaultError::Challenge(without_secrets(target)))?;
            if challenge.as_ref() == Some(&fresh) {
                return Err(forbidden(target, &answer));
            }
            self.keep_challenge(target, fresh.clone());
            challenge = Some(fresh);
        }
        Err(KeyVaultError::Challenge(without_secrets(target)))
    }

    async fn get(
        &self,
        target: &Url,
        token: Option<&Secret>,
    ) -> Result<Response<Bytes>, KeyVaultError> {
        let unavailable = |problem: FetchError| KeyVaultError::Unavailable {
            identifier: without_secrets(target),
            reason: problem.to_string(),
        };
        let mut request = http::Request::builder().method(Method::GET).uri(target.as_str());
        if let Some(token) = token {
            let mut header = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_| KeyVaultError::Malformed(without_secrets(target)))?;
            header.set_sensitive(true);
            request = request.header(AUTHORIZATION, header);
        }
        let request = request
            .body(Body::empty())
            .map_err(|_| KeyVaultError::Identifier(without_secrets(target)))?;
        fetch::call(&self.client, &self.clock, request, CALL_TIMEOUT).await.map_err(unavailable)
    }

    fn kept_challenge(&self, target: &Url) -> Option<Challenge> {
        let challenges = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        challenges.get(target.authority()).cloned()
    }

    fn keep_challenge(&self, target: &Url, challenge: Challenge) {
        let mut challenges = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        if challenges.len() >= MAX_HOSTS {
            challenges.clear();
        }
        challenges.insert(target.authority().to_owned(), challenge);
    }
}

/// The address a secret is read at.
fn secret_url(identifier: &Url) -> Result<Url, KeyVaultError> {
    let wrong = || KeyVaultError::Identifier(without_secrets(identifier));
    let mut parts: Vec<&str> =
        identifier.path_segments().ok_or_else(wrong)?.filter(|it| !it.is_empty()).collect();
    let kind = if parts.is_empty() { "" } else { parts.remove(0) };
    let is_plain = |it: &&str| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    let is_right = identifier.scheme() == "https"
        && identifier.host().is_some()
        && identifier.username().is_empty()
        && kind.eq_ignore_ascii_case("secrets")
        && (1..=2).contains(&parts.len())
        && parts.iter().all(is_plain)
        && identifier.query().is_none();
    if !is_right {
        return Err(wrong());
    }
    let mut target = identifier.clone();
    target.set_fragment(None);
    target.set_path(&format!("/secrets/{}", parts.join("/")));
    target.query_pairs_mut().append_pair("api-version", API_VERSION);
    Ok(target)
}

fn read(target: &Url, answer: &Response<Bytes>) -> Result<Secret, KeyVaultError> {
    let identifier = without_secrets(target);
    match answer.status() {
        StatusCode::OK => {
            let members: Map<String, Value> =
                serde_json::from_slice(answer.body()).unwrap_or_default();
            match members.get("value") {
                Some(Value::String(value)) => Ok(Secret::new(value.as_str())),
                _ => Err(KeyVaultError::Malformed(identifier)),
            }
        }
        StatusCode::FORBIDDEN => Err(forbidden(target, answer)),
        StatusCode::NOT_FOUND => Err(KeyVaultError::NotFound(identifier)),
        status if status.is_server_error() || matches!(status.as_u16(), 408 | 429) => {
            let reason = format!("status {}", status.as_u16());
            Err(KeyVaultError::Unavailable { identifier, reason })
        }
        _ => Err(forbidden(target, answer)),
    }
}

fn forbidden(target: &Url, answer: &Response<Bytes>) -> KeyVaultError {
    let members: Map<String, Value> = serde_json::from_slice(answer.body()).unwrap_or_default();
    let text = |name: &str| {
        members.get("error").and_then(|it| it.get(name)).and_then(Value::as_str).map(quoted)
    };
    let mut reason = format!("status {}", answer.status().as_u16());
    for part in [text("code"), text("message")].into_iter().flatten() {
        reason.push_str(", ");
        reason.push_str(&part);
    }
    KeyVaultError::Forbidden { identifier: without_secrets(target), reason }
}

#[cfg(test)]
mod tests {
    use http::Response;
    use serde_json::json;
    use transport::{FakeClient, FakeClock};

    use super::*;
    use crate::managed_identity::{IdentitySource, ManagedIdentitySettings};
    use crate::test_support::{NOW, settle};

    const VAULT: &str = "https://v.vault.azure.net/secrets/s";

    fn vault_with(
        answer: impl Fn(&str, Option<&str>) -> (u16, String, String) + Send + Sync + 'static,
    ) -> (FakeClient, FakeClock, Arc<KeyVault>) {
        let client = FakeClient::new(move |request| {
            let token = request.headers.get(AUTHORIZATION).map(|it| it.to_str().unwrap());
            let (status, challenge, body) = answer(&request.uri.to_string(), token);
            let mut response = Response::builder().status(status);
            if !challenge.is_empty() {
                response = response.header(WWW_AUTHENTICATE, challenge);
            }
            Ok(response.body(Body::full(body)).unwrap())
        });
        let clock = FakeClock::at_unix(NOW);
        let source = IdentitySource::Fixed(Secret::new("token"));
        let shared: Arc<dyn HttpClient> = Arc::new(client.clone());
        let time: Arc<dyn Clock> = Arc::new(clock.clone());
        let settings = ManagedIdentitySettings { source, runtime: None };
        let identities = ManagedIdentities::new(Arc::clone(&shared), Arc::clone(&time), settings);
        let vault = KeyVault::new(shared, time, Arc::new(identities));
        (client, clock, Arc::new(vault))
    }

    fn challenging(resource: &'static str) -> (FakeClient, FakeClock, Arc<KeyVault>) {
        vault_with(move |uri, token| match token {
            Some("Bearer token") if uri.contains("/missing") => {
                (404, String::new(), r#"{"error":{"code":"SecretNotFound"}}"#.to_owned())
            }
            Some("Bearer token") if uri.contains("/forbidden") => (
                403,
                String::new(),
                r#"{"error":{"code":"Forbidden","message":"no get"}}"#.to_owned(),
            ),
            Some("Bearer token") if uri.contains("/odd") => (200, String::new(), "{}".to_owned()),
            Some("Bearer token") => (200, String::new(), json!({ "value": "v1" }).to_string()),
            _ => {
                let challenge = format!(
                    r#"Bearer authorization="https://login.test/t", resource="{resource}""#
                );
                (401, challenge, String::new())
            }
        })
    }

    async fn secret(vault: &KeyVault, identifier: &str) -> Result<String, String> {
        let url = Url::parse(identifier).unwrap();
        let outcome = vault.secret(&url, None).await;
        outcome.map(|it| it.expose().to_owned()).map_err(|it| it.to_string())
    }

    #[tokio::test]
    async fn the_challenge_is_answered_once_per_host() {
        let (client, _, vault) = challenging("https://vault.azure.net");

        assert_eq!(secret(&vault, VAULT).await.as_deref(), Ok("v1"));
        assert_eq!(secret(&vault, &format!("{VAULT}/0123abc")).await.as_deref(), Ok("v1"));

        let calls = client.requests();
        assert_eq!(calls.len(), 3);
        assert_eq!(calls[0].uri, "https://v.vault.azure.net/secrets/s?api-version=7.4");
        assert!(!calls[0].headers.contains_key(AUTHORIZATION));
        assert!(calls[1].headers[AUTHORIZATION].is_sensitive());
        assert_eq!(calls[2].uri, "https://v.vault.azure.net/secrets/s/0123abc?api-version=7.4");
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_without_the_value() {
        let (_, _, vault) = challenging("https://vault.azure.net");
        for (name, text) in [
            ("missing", "`https://v.vault.azure.net/secrets/missing` does not exist"),
            (
                "forbidden",
                "`https://v.vault.azure.net/secrets/forbidden` may not be read: status 403, Forbidden, no get",
            ),
            ("odd", "the answer for `https://v.vault.azure.net/secrets/odd` is not a secret"),
        ] {
            let identifier = format!("https://v.vault.azure.net/secrets/{name}");
            assert_eq!(secret(&vault, &identifier).await, Err(text.to_owned()));
        }
    }

    #[tokio::test]
    async fn a_challenge_for_a_foreign_resource_is_refused() {
        let (client, _, vault) = challenging("https://management.azure.com");
        let error = secret(&vault, VAULT).await.unwrap_err();
        assert!(error.starts_with("the challenge of"), "{error}");
        assert_eq!(client.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_token_that_is_refused_is_not_sent_again_and_again() {
        let challenge = r#"Bearer authorization="https://l/t", resource="https://vault.azure.net""#;
        let (client, _, vault) = vault_with(|_, _| (401, challenge.to_owned(), String::new()));
        let error = secret(&vault, VAULT).await.unwrap_err();
        assert!(error.contains("status 401"), "{error}");
        assert_eq!(client.requests().len(), 2);
    }

    #[tokio::test]
    async fn only_identifiers_of_secrets_are_asked_for() {
        let (client, _, vault) = challenging("https://vault.azure.net");
        for identifier in [
            "http://v.vault.azure.net/secrets/s",
            "https://v.vault.azure.net/keys/s",
            "https://v.vault.azure.net/secrets",
            "https://v.vault.azure.net/secrets/s/v/x",
            "https://v.vault.azure.net/secrets/s?x=1",
            "https://v.vault.azure.net/secrets/a%2Fb",
            "https://u@v.vault.azure.net/secrets/s",
            "https://v.vault.azure.net/secrets/..",
        ] {
            let error = secret(&vault, identifier).await.unwrap_err();
            assert!(error.contains("is not the identifier"), "{identifier} {error}");
        }
        assert!(client.requests().is_empty());
        assert!(secret(&vault, "https://v.vault.azure.net/Secrets/s/").await.is_ok());
    }

    #[tokio::test]
    async fn a_vault_that_is_down_is_asked_three_times() {
        let (client, clock, vault) = vault_with(|_, _| (503, String::new(), String::new()));
        let task = tokio::spawn(async move { secret(&vault, VAULT).await });
        for _ in 0..6 {
            settle().await;
            clock.advance(Duration::from_secs(1));
        }
        let error = task.await.unwrap().unwrap_err();
        assert_eq!(error, "`https://v.vault.azure.net/secrets/s` is not available: status 503");
        assert_eq!(client.requests().len(), 3);
    }
}
