//! The management API of a running gateway: its listener, who may call it, and the files that it
//! changes.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use admin::{
    Authority, Engine, ManagementService, ManagementSettings, ServiceName, StaticTokens,
    StoreFiles, Surroundings,
};
use config::{
    Environment, GatewaySettings, IssuerSetting, ManagementSetting, SecretProvider, Source, Store,
};
use identity::{Matching, Providers, RequiredClaim, Rules, Verifier, VerifierSettings};
use tokio::net::TcpListener;
use transport::{ClientCertificates, Limits, SystemClock, TlsIdentity, serve_here, server_config};

use crate::cli::Serve;
use crate::commands::complain;
use crate::exit::Exit;
use crate::serve::{parse_address, pem, remote};

/// Audiences that Azure's tools ask tokens for.
const AUDIENCES: &[&str] = &[
    "https://management.azure.com",
    "https://management.azure.com/",
    "https://management.core.windows.net",
    "https://management.core.windows.net/",
];
const LOGIN: &str = "https://login.microsoftonline.com";
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// What `dev` adds where the settings say nothing: its stand-in issues tokens.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// The tenant of the stand-in.
    pub(crate) tenant_id: String,
    /// Where clients find it.
    pub(crate) login_endpoint: String,
}

/// What the listener needs of the running gateway.
pub(crate) struct Parts<'a> {
    pub(crate) settings: &'a GatewaySettings,
    pub(crate) serve: &'a Serve,
    pub(crate) folder: Option<&'a Path>,
    pub(crate) environment: &'a Environment,
    pub(crate) secrets: &'a dyn SecretProvider,
    pub(crate) providers: &'a Providers,
    pub(crate) store: &'a Arc<Store>,
    /// The files, if they are in memory.
    pub(crate) memory: Option<Source>,
    /// The certificate, unless the settings name one.
    pub(crate) certificate: Option<TlsIdentity>,
    pub(crate) local: Option<Local>,
    /// Where the gateway is reached.
    pub(crate) gateway_url: String,
}

/// Starts to listen, if the command line or the settings name an address.
///
/// # Errors
///
/// How the process ends instead.
pub(crate) async fn start(parts: Parts<'_>) -> Result<Option<SocketAddr>, Exit> {
    let own = &parts.settings.management;
    let Some(address) = parts.serve.management.as_ref().or(own.listen.as_ref()) else {
        return Ok(None);
    };
    let address = parse_address(address, Ipv4Addr::LOCALHOST)?;
    let authority = authority(&parts, own).await?;
    let identity = certificate(&parts, own)?;
    let tls = server_config(&[identity], ClientCertificates::Ignored).map_err(|error| {
        complain(&format!("management: {error}"));
        Exit::Unreadable
    })?;
    let files = StoreFiles::new(parts.store.clone(), parts.memory.clone());
    let engine = Engine::new(Arc::new(files), service_name(&parts, own), Arc::new(SystemClock));
    let settings = ManagementSettings {
        is_read_only: own.is_read_only || parts.serve.management_read_only,
        max_body_bytes: own.max_body_bytes,
        surroundings: surroundings(&parts, own),
    };
    let service = ManagementService::new(engine, authority, settings);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| remote(&format!("management listener {address}: {error}")))?;
    let address = listener.local_addr().map_err(|error| remote(&error))?;
    let limits = Limits {
        max_connections: own.max_connections,
        max_body_bytes: u64::try_from(own.max_body_bytes).unwrap_or(u64::MAX),
        request_timeout: Duration::from_secs(120),
        ..Limits::default()
    };
    tokio::spawn(serve_here(listener, Some(tls), limits, service, std::future::pending()));
    Ok(Some(address))
}

async fn authority(parts: &Parts<'_>, own: &ManagementSetting) -> Result<Authority, Exit> {
    let told = |what: String| {
        complain(&format!("management: {what}"));
        Exit::Unreadable
    };
    let mut tokens = StaticTokens::default();
    if let Some(source) = &own.tokens {
        let text =
            source.get(parts.environment, parts.folder, parts.secrets).await.map_err(told)?;
        tokens =
            StaticTokens::parse(text.expose()).map_err(|error| told(format!("tokens: {error}")))?;
    }
    let verifier = verifier(parts, own).map_err(told)?;
    if tokens.is_empty() && verifier.is_none() {
        complain(
            "management: nobody could call it: name `tokens` or an `issuer` below `management` in portcullis.yaml",
        );
        return Err(Exit::Usage);
    }
    Ok(Authority::new(tokens, verifier))
}

fn verifier(parts: &Parts<'_>, own: &ManagementSetting) -> Result<Option<Verifier>, String> {
    let (issuer, role) = match (&own.issuer, &parts.local) {
        (Some(issuer), _) => (issuer.clone(), Some(issuer.role.clone())),
        // Whoever reaches the stand-in gets any role from it.
        (None, Some(local)) => {
            let metadata =
                format!("{LOGIN}/{}/v2.0/.well-known/openid-configuration", local.tenant_id);
            (IssuerSetting { metadata, audiences: Vec::new(), role: String::new() }, None)
        }
        (None, None) => return Ok(None),
    };
    let provider = parts.providers.provider(&issuer.metadata).map_err(|it| it.to_string())?;
    let audiences = match issuer.audiences.as_slice() {
        [] => AUDIENCES.iter().map(|it| (*it).to_owned()).collect(),
        own => own.to_vec(),
    };
    let tenant = own.tenant_id.as_deref().or(parts.local.as_ref().map(|it| it.tenant_id.as_str()));
    let rules = Rules {
        audiences: Some(audiences),
        // Entra's tokens of the first version name another issuer than its metadata.
        issuers: tenant.map(|it| vec![format!("https://sts.windows.net/{it}/")]),
        required_claims: role
            .map(|role| RequiredClaim {
                name: "roles".to_owned(),
                matching: Matching::Any,
                separator: None,
                values: vec![role],
            })
            .into_iter()
            .collect(),
        ..Rules::default()
    };
    let settings =
        VerifierSettings { providers: vec![provider], rules, ..VerifierSettings::default() };
    Ok(Some(Verifier::new(parts.providers, settings)))
}

fn certificate(parts: &Parts<'_>, own: &ManagementSetting) -> Result<TlsIdentity, Exit> {
    let below = |file: &Path| parts.folder.map_or_else(|| file.to_owned(), |it| it.join(file));
    let tls = &parts.settings.tls;
    let files = match (&own.cert, &own.key, &parts.serve.tls_cert, &parts.serve.tls_key) {
        (Some(cert), Some(key), ..) => Some((below(cert), below(key))),
        (_, _, Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
        _ => tls.cert.as_ref().zip(tls.key.as_ref()).map(|(cert, key)| (below(cert), below(key))),
    };
    match (files, &parts.certificate) {
        (Some((cert, key)), _) => Ok(TlsIdentity::new(pem(&cert)?, pem(&key)?)),
        (None, Some(made)) => Ok(made.clone()),
        (None, None) => {
            complain(
                "management: TLS needs `tls` below `management` or at the top of portcullis.yaml, --tls-cert and --tls-key, or --tls-dev",
            );
            Err(Exit::Usage)
        }
    }
}

fn service_name(parts: &Parts<'_>, own: &ManagementSetting) -> ServiceName {
    let name = own.service.as_ref().or(parts.settings.gateway.service_name.as_ref());
    let or = |text: &Option<String>, other: &str| text.clone().unwrap_or_else(|| other.to_owned());
    ServiceName {
        subscription_id: or(&own.subscription_id, NO_ID),
        resource_group: or(&own.resource_group, "portcullis"),
        name: name.cloned().unwrap_or_else(|| "portcullis".to_owned()),
    }
}

fn surroundings(parts: &Parts<'_>, own: &ManagementSetting) -> Surroundings {
    let local = parts.local.as_ref();
    let tenant = own.tenant_id.clone().or_else(|| local.map(|it| it.tenant_id.clone()));
    let login = own.login_endpoint.clone().or_else(|| local.map(|it| it.login_endpoint.clone()));
    let audience = own.issuer.as_ref().and_then(|it| it.audiences.first().cloned());
    Surroundings {
        tenant_id: tenant.unwrap_or_else(|| "organizations".to_owned()),
        login_endpoint: login.unwrap_or_else(|| LOGIN.to_owned()),
        audience: audience.unwrap_or_else(|| "https://management.azure.com/".to_owned()),
        location: parts.settings.gateway.region.clone().unwrap_or_else(|| "local".to_owned()),
        gateway_url: parts.gateway_url.clone(),
    }
}
