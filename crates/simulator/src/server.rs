//! Starts the stand-ins and hands each request to the right one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use transport::{ClientCertificates, Limits, Peer, Request, Response, Service, TlsIdentity};

use crate::fault::{Effect, Twist};
use crate::world::World;
use crate::{
    LocalCa, breaking, content_safety, control, cosmos, entra, key_vault, managed_identity, mcp,
    openai, reply,
};

/// One simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StandIn {
    /// Azure OpenAI and, below `/contentsafety`, AI Content Safety, as one resource of Azure AI
    /// services has them; over HTTP.
    AzureOpenAi,
    /// Entra ID, over HTTPS: its clients refuse anything else.
    Entra,
    /// IMDS and, below `/msi/token`, the App Service identity endpoint; over HTTP.
    Imds,
    /// Key Vault, over HTTPS.
    KeyVault,
    /// A server of the Model Context Protocol, over HTTP.
    Mcp,
    /// Cosmos DB, over HTTP.
    Cosmos,
}

impl StandIn {
    /// All of them, in the order in which they are started and listed.
    pub const ALL: [Self; 6] =
        [Self::AzureOpenAi, Self::Entra, Self::Imds, Self::KeyVault, Self::Mcp, Self::Cosmos];

    fn is_tls(self) -> bool {
        matches!(self, Self::Entra | Self::KeyVault)
    }
}

/// Which stand-ins to start.
pub type StandIns = Vec<StandIn>;

/// The port of each stand-in; 0 lets the system choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Azure OpenAI.
    pub azure_openai: u16,
    /// Entra ID.
    pub entra: u16,
    /// IMDS and App Service identity.
    pub imds: u16,
    /// Key Vault.
    pub key_vault: u16,
    /// MCP server.
    pub mcp: u16,
    /// Cosmos DB.
    pub cosmos: u16,
}

impl Ports {
    /// The ports that the documentation names.
    pub const FIXED: Self = Self {
        azure_openai: 8090,
        entra: 8445,
        imds: 8091,
        key_vault: 8446,
        mcp: 8092,
        cosmos: 8093,
    };

    fn of(self, service: StandIn) -> u16 {
        match service {
            StandIn::AzureOpenAi => self.azure_openai,
            StandIn::Entra => self.entra,
            StandIn::Imds => self.imds,
            StandIn::KeyVault => self.key_vault,
            StandIn::Mcp => self.mcp,
            StandIn::Cosmos => self.cosmos,
        }
    }
}

/// Where each stand-in listens; `None` for one that was not started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Azure OpenAI.
    pub azure_openai: Option<SocketAddr>,
    /// Entra ID.
    pub entra: Option<SocketAddr>,
    /// IMDS and App Service identity.
    pub imds: Option<SocketAddr>,
    /// Key Vault.
    pub key_vault: Option<SocketAddr>,
    /// MCP server.
    pub mcp: Option<SocketAddr>,
    /// Cosmos DB.
    pub cosmos: Option<SocketAddr>,
}

/// Running stand-ins; they stop when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    addresses: Addresses,
    world: Arc<World>,
    _stop: watch::Sender<()>,
}

impl Simulator {
    /// Starts `services` on loopback, on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// If a port is taken or a certificate cannot be made.
    pub async fn start(
        world: Arc<World>,
        services: &[StandIn],
        ports: Ports,
        ca: &LocalCa,
    ) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(());
        let mut addresses = Addresses::default();
        let (chain, key) = ca.issue(&[])?;
        let tls =
            transport::server_config(&[TlsIdentity::new(chain, key)], ClientCertificates::Ignored)
                .map_err(io::Error::other)?;
        for &service in services {
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), ports.of(service));
            let listener = TcpListener::bind(address).await.map_err(|error| {
                io::Error::new(error.kind(), format!("{service:?} at {address}: {error}"))
            })?;
            addresses.set(service, listener.local_addr()?);
            let tls = service.is_tls().then(|| Arc::clone(&tls));
            let handler = Arc::new(Handler { world: Arc::clone(&world), service });
            let mut stopped = stopped.clone();
            let until_stopped = async move {
                // An error says that the sender is gone, which is the signal.
                while stopped.changed().await.is_ok() {}
            };
            tokio::spawn(transport::serve_here(
                listener,
                tls,
                Limits::default(),
                handler,
                until_stopped,
            ));
        }
        Ok(Self { addresses, world, _stop: stop })
    }

    /// Where they listen.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What they know.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }
}

impl Addresses {
    fn set(&mut self, service: StandIn, address: SocketAddr) {
        *(match service {
            StandIn::AzureOpenAi => &mut self.azure_openai,
            StandIn::Entra => &mut self.entra,
            StandIn::Imds => &mut self.imds,
            StandIn::KeyVault => &mut self.key_vault,
            StandIn::Mcp => &mut self.mcp,
            StandIn::Cosmos => &mut self.cosmos,
        }) = Some(address);
    }
}

#[derive(Debug)]
struct Handler {
    world: Arc<World>,
    service: StandIn,
}

impl Service for Handler {
    async fn call(self: Arc<Self>, request: Request, _peer: Arc<Peer>) -> Response {
        if request.uri().path().starts_with(control::PREFIX) {
            return control::handle(&self.world, self.service, request).await;
        }
        let (host, path) = (host_label(&request), request.uri().path());
        match self.world.faults.next(self.service, &host, path) {
            Effect::Hang => transport::abort(),
            Effect::Fail { after, status, retry_after, header } => {
                self.world.clock.sleep(after).await;
                self.failure(status, retry_after, header.as_deref())
            }
            Effect::Serve(after, twist) => {
                if !after.is_zero() {
                    self.world.clock.sleep(after).await;
                }
                let response = self.answer(request, &host, &twist).await;
                match twist.break_after_events {
                    Some(n_events) => breaking::after(response, n_events),
                    None => response,
                }
            }
        }
    }
}

/// The first label of the host that a request is for, in lower case.
fn host_label(request: &Request) -> String {
    let named = request.headers().get(http::header::HOST).and_then(|it| it.to_str().ok());
    let host = named.or_else(|| request.uri().host()).unwrap_or_default();
    host.split(['.', ':']).next().unwrap_or_default().to_ascii_lowercase()
}

impl Handler {
    async fn answer(&self, request: Request, host: &str, twist: &Twist) -> Response {
        match self.service {
            StandIn::AzureOpenAi if content_safety::is_for(&request) => {
                content_safety::handle(&self.world, request).await
            }
            StandIn::AzureOpenAi => openai::handle(&self.world, request, host, twist).await,
            StandIn::Entra => entra::handle(&self.world, request).await,
            StandIn::Imds => managed_identity::handle(&self.world, &request),
            StandIn::KeyVault => key_vault::handle(&self.world, request).await,
            StandIn::Mcp => mcp::handle(&self.world, request).await,
            StandIn::Cosmos => cosmos::handle(&self.world, request).await,
        }
    }

    fn failure(&self, status: u16, retry_after: Option<u64>, header: Option<&str>) -> Response {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.service == StandIn::AzureOpenAi {
            return openai::error::injected(status, retry_after, header);
        }
        let mut response = reply::json(
            status,
            &json!({
                "error": "temporarily_unavailable",
                "error_description": "the stand-in was told to fail",
            }),
        );
        if let Some(seconds) = retry_after {
            reply::set_named(&mut response, header.unwrap_or("retry-after"), &seconds.to_string());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_for_the_first_label_of_its_host() {
        for (host, label) in
            [("East-1.openai.azure.com", "east-1"), ("localhost:80", "localhost"), ("", "")]
        {
            let mut request = Request::default();
            request.headers_mut().insert("host", host.parse().unwrap());
            assert_eq!(host_label(&request), label);
        }
    }
}
