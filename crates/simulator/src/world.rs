//! What the stand-ins know: who exists, which keys sign, which secrets there are, what is broken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use transport::Clock;

use crate::content_safety::Blocklists;
use crate::cosmos::Store;
use crate::deployment::{Deployment, Deployments};
use crate::entra::keys::KeyRing;
use crate::fault::Faults;
use crate::key_vault::Vault;
use crate::mcp::Sessions;

/// Who and what exists in the simulated tenant.
///
/// The defaults are fixed, so that a command typed from the documentation works. They are no
/// secrets: nothing but the stand-ins accepts them.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Seed {
    /// Directory (tenant) identifier.
    pub tenant_id: String,
    /// A domain name of the same tenant, good wherever the identifier is.
    pub tenant_domain: String,
    /// Application that signs in with a secret.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Client identifier of the system-assigned managed identity.
    pub system_identity: String,
    /// Client identifier of the one user-assigned managed identity.
    pub user_identity: String,
    /// What App Service expects in `X-IDENTITY-HEADER`.
    pub identity_header: String,
    /// Application roles that tokens of `client_id` carry.
    pub roles: Vec<String>,
    /// Key that the Azure OpenAI stand-in accepts in `api-key`.
    pub openai_key: String,
    /// Deployments of the Azure OpenAI stand-in by name. `HOST/NAME`, with the first label of a
    /// host name, is a deployment of that host alone.
    pub deployments: BTreeMap<String, Deployment>,
    /// Blocklists of the content safety stand-in: name and texts.
    pub blocklists: BTreeMap<String, Vec<String>>,
    /// Secrets of the Key Vault stand-in.
    pub secrets: BTreeMap<String, String>,
    /// Key of the Cosmos DB account, in Base64.
    pub cosmos_key: String,
    /// Containers of the Cosmos DB account: `DATABASE/CONTAINER` and the path of the partition key.
    pub containers: BTreeMap<String, String>,
}

impl Default for Seed {
    fn default() -> Self {
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        Self {
            tenant_id: "11111111-1111-1111-1111-111111111111".into(),
            tenant_domain: "local.onmicrosoft.com".into(),
            client_id: "aaaaaaaa-0000-0000-0000-000000000001".into(),
            client_secret: "local-secret".into(),
            system_identity: "bbbbbbbb-0000-0000-0000-000000000001".into(),
            user_identity: "bbbbbbbb-0000-0000-0000-000000000002".into(),
            identity_header: "local-identity-header".into(),
            roles: vec!["Llm.Use".into()],
            openai_key: "local-azure-openai-key".into(),
            deployments: [
                ("claude-sonnet-4-5", "claude-sonnet-4-5"),
                ("gemini-2.5-flash", "gemini-2.5-flash"),
                ("gpt-4o", "gpt-4o-2024-11-20"),
                ("gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
                ("gpt-realtime", "gpt-realtime-2025-08-28"),
                ("text-embedding-3-small", "text-embedding-3-small"),
            ]
            .map(|(name, model)| (name.to_owned(), Deployment::of(model)))
            .into(),
            blocklists: BTreeMap::new(),
            secrets: owned(&[("openai-api-key", "local-azure-openai-key")]),
            cosmos_key: "bG9jYWwtY29zbW9zLWtleQ==".into(),
            containers: owned(&[("local/items", "/id")]),
        }
    }
}

impl Seed {
    /// Whether a path segment names this tenant: by identifier, by domain, or by one of the words
    /// for "the tenant of whoever signs in".
    pub fn is_tenant(&self, segment: &str) -> bool {
        [self.tenant_id.as_str(), &self.tenant_domain, "common", "organizations"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(segment))
    }
}

/// The state that all stand-ins share.
#[derive(Debug)]
pub struct World {
    /// Who exists.
    pub seed: Seed,
    /// The clock that dates tokens.
    pub clock: Arc<dyn Clock>,
    keys: Mutex<KeyRing>,
    vault: Mutex<Vault>,
    cosmos: Mutex<Store>,
    /// What is broken at the moment.
    pub faults: Faults,
    /// The deployments of models, with what is left of their limits.
    pub(crate) deployments: Deployments,
    /// The blocklists of content safety.
    pub(crate) blocklists: Blocklists,
    /// The sessions of the MCP server.
    pub(crate) sessions: Sessions,
}

impl World {
    /// A world at its beginning.
    ///
    /// # Errors
    ///
    /// If the built-in signing keys cannot be read.
    pub fn new(seed: Seed, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let vault = Vault::new(&seed.secrets, seconds(&*clock));
        Ok(Self {
            keys: Mutex::new(KeyRing::built_in()?),
            vault: Mutex::new(vault),
            cosmos: Mutex::new(Store::new(&seed.containers)),
            faults: Faults::default(),
            deployments: Deployments::new(&seed.deployments),
            blocklists: Blocklists::new(&seed.blocklists),
            sessions: Sessions::default(),
            seed,
            clock,
        })
    }

    /// The keys that sign tokens.
    pub fn keys(&self) -> MutexGuard<'_, KeyRing> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secrets of the Key Vault.
    pub(crate) fn vault(&self) -> MutexGuard<'_, Vault> {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The databases of the Cosmos DB account.
    pub(crate) fn cosmos(&self) -> MutexGuard<'_, Store> {
        self.cosmos.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970 by the world's clock.
    pub fn now(&self) -> u64 {
        seconds(&*self.clock)
    }
}

fn seconds(clock: &dyn Clock) -> u64 {
    clock.now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_only_what_differs() {
        let text = r#"{
            "openai-key": "k",
            "deployments": { "d": { "model": "m", "tokens-per-minute": 1000 } }
        }"#;
        let seed: Seed = serde_json::from_str(text).unwrap();
        assert_eq!(seed.openai_key, "k");
        assert_eq!(seed.deployments["d"].tokens_per_minute, Some(1000));
        assert_eq!(seed.tenant_id, Seed::default().tenant_id);
        assert!(serde_json::from_str::<Seed>(r#"{ "tenant": "x" }"#).is_err());
    }

    #[test]
    fn the_tenant_answers_to_its_identifier_its_domain_and_the_common_words() {
        let seed = Seed::default();
        let known = |segment: &str| seed.is_tenant(segment);
        assert!(known(&seed.tenant_id) && known("LOCAL.onmicrosoft.com") && known("common"));
        assert!(!known("22222222-2222-2222-2222-222222222222"));
    }
}
