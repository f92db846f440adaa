//! The gateway's edges: the client, the identity providers, the gateway's own identity, Key Vault.
//! Made once per process; they outlive every configuration.

use std::sync::Arc;

use caching::Stores;
use config::SecretProvider;
use identity::{
    AuthorizationTokens, ClientTrust, IdentitySource, KeyVault, ManagedIdentities,
    ManagedIdentitySettings, ProviderSettings, Providers, SecretWatch, WatchSettings,
};
use pipeline::{Extensions, Services};
use proxy::{BackendTokens, HttpForward};
use tokio::runtime::Handle;
use transport::{
    BoxFuture, Client, ClientConfig, Clock, HostMap, HttpClient, Roots, Secret, SystemClock,
};
use url::Url;

/// What an edge needs to know.
#[derive(Debug)]
pub(crate) struct EdgeSettings {
    /// Host names that lead elsewhere.
    pub(crate) hosts: HostMap,
    /// Certificate authorities that are trusted.
    pub(crate) roots: Roots,
    /// Certificate authorities that are trusted to name clients.
    pub(crate) client_roots: Roots,
    /// Where the gateway's own tokens come from.
    pub(crate) source: IdentitySource,
    /// Hosts of providers that may be asked over plain HTTP.
    pub(crate) allow_http: Vec<String>,
    /// Largest body that is held in memory for policies.
    pub(crate) max_buffered_body_bytes: usize,
}

/// The edges.
#[derive(Debug)]
pub(crate) struct Edges {
    pub(crate) client: Client,
    pub(crate) roots: Roots,
    pub(crate) providers: Arc<Providers>,
    pub(crate) secrets: Arc<SecretWatch>,
    pub(crate) services: Arc<Services>,
    /// The gateway's own tokens, for backends.
    pub(crate) tokens: Arc<dyn BackendTokens>,
}

impl Edges {
    /// Makes them; what they do in the background runs on `runtime`.
    pub(crate) fn new(settings: EdgeSettings, runtime: &Handle) -> Self {
        let roots = settings.roots.clone();
        let real = Client::new(ClientConfig::new(settings.roots, settings.hosts));
        let client: Arc<dyn HttpClient> = Arc::new(real.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let identities = Arc::new(ManagedIdentities::new(
            client.clone(),
            clock.clone(),
            ManagedIdentitySettings { source: settings.source, runtime: Some(runtime.clone()) },
        ));
        let providers = Arc::new(Providers::new(
            client.clone(),
            clock.clone(),
            ProviderSettings {
                allow_http: settings.allow_http,
                runtime: Some(runtime.clone()),
                ..ProviderSettings::default()
            },
        ));
        let vault = KeyVault::new(client.clone(), clock.clone(), identities.clone());
        let secrets = Arc::new(SecretWatch::new(Arc::new(vault), WatchSettings::default()));
        let tokens: Arc<dyn BackendTokens> = Arc::new(IdentityTokens(identities.clone()));
        let forward = Arc::new(HttpForward::new(Some(tokens.clone())));
        let authorizations = AuthorizationTokens::new(client.clone(), clock.clone());
        let trust =
            Arc::new(ClientTrust::new(&settings.client_roots, client.clone(), clock.clone()));
        let mut services = Services::new(client, clock, forward)
            .with(providers.clone())
            .with(identities)
            .with(Arc::new(authorizations))
            .with(trust.clone())
            .with(Arc::new(Stores::new(runtime.clone())));
        services.trust = Some(trust);
        services.max_buffered_body_bytes = settings.max_buffered_body_bytes;
        Self { client: real, roots, providers, secrets, services: Arc::new(services), tokens }
    }
}

impl Edges {
    /// Adds what policies find by its type.
    pub(crate) fn with<T: Send + Sync + 'static>(mut self, extension: Arc<T>) -> Self {
        self.services = Arc::new(Services::clone(&self.services).with(extension));
        self
    }
}

/// What policies are compiled with when nothing may be asked: providers that fetch nothing.
pub(crate) fn offline_extensions() -> Extensions {
    let settings = ProviderSettings { in_background: false, ..ProviderSettings::default() };
    let client = Arc::new(Client::new(ClientConfig::new(Roots::none(), HostMap::new())));
    let mut extensions = Extensions::default();
    extensions.insert(Arc::new(Providers::new(client, Arc::new(SystemClock), settings)));
    extensions
}

/// The gateway's tokens, for backends with `credentials.managedIdentity`.
#[derive(Debug)]
struct IdentityTokens(Arc<ManagedIdentities>);

impl BackendTokens for IdentityTokens {
    fn access_token<'a>(
        &'a self,
        resource: &'a str,
        client_id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Secret, String>> {
        Box::pin(async move {
            let token = self.0.access_token(client_id, resource).await;
            token.map(|it| it.secret().clone()).map_err(|problem| problem.to_string())
        })
    }
}

/// Key Vault, for named values.
#[derive(Debug)]
pub(crate) struct VaultSecrets(pub(crate) Arc<SecretWatch>);

impl SecretProvider for VaultSecrets {
    fn secret<'a>(
        &'a self,
        identifier: &'a Url,
        client_id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Secret, String>> {
        Box::pin(async move {
            self.0.secret(identifier, client_id).await.map_err(|problem| problem.to_string())
        })
    }
}
