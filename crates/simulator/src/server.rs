//! Starts the stand-ins and hands each request to the right one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use transport::{ClientCertificates, Limits, Peer, Request, Response, Service, TlsIdentity};

use crate::fault::Effect;
use crate::world::World;
use crate::{LocalCa, control, entra, key_vault, managed_identity, openai, reply};

/// One simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StandIn {
    /// Azure OpenAI, over HTTP.
    AzureOpenAi,
    /// Entra ID, over HTTPS: its clients refuse anything else.
    Entra,
    /// IMDS and, below `/msi/token`, the App Service identity endpoint; over HTTP.
    Imds,
    /// Key Vault, over HTTPS.
    KeyVault,
}

impl StandIn {
    /// All of them, in the order in which they are started and listed.
    pub const ALL: [Self; 4] = [Self::AzureOpenAi, Self::Entra, Self::Imds, Self::KeyVault];

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
}

impl Ports {
    /// The ports that the documentation names.
    pub const FIXED: Self = Self { azure_openai: 8090, entra: 8445, imds: 8091, key_vault: 8446 };

    fn of(self, service: StandIn) -> u16 {
        match service {
            StandIn::AzureOpenAi => self.azure_openai,
            StandIn::Entra => self.entra,
            StandIn::Imds => self.imds,
            StandIn::KeyVault => self.key_vault,
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
        match self.world.faults.next(self.service) {
            Effect::Hang => transport::abort(),
            Effect::Fail { after, status, retry_after } => {
                self.world.clock.sleep(after).await;
                self.failure(status, retry_after)
            }
            Effect::Serve(after) => {
                if !after.is_zero() {
                    self.world.clock.sleep(after).await;
                }
                self.answer(request).await
            }
        }
    }
}

impl Handler {
    async fn answer(&self, request: Request) -> Response {
        match self.service {
            StandIn::AzureOpenAi => openai::handle(&self.world, request).await,
            StandIn::Entra => entra::handle(&self.world, request).await,
            StandIn::Imds => managed_identity::handle(&self.world, &request),
            StandIn::KeyVault => key_vault::handle(&self.world, request).await,
        }
    }

    fn failure(&self, status: u16, retry_after: Option<u64>) -> Response {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match self.service {
            StandIn::AzureOpenAi => openai::error::injected(status, retry_after),
            StandIn::Entra | StandIn::KeyVault | StandIn::Imds => reply::json(
                status,
                &json!({
                    "error": "temporarily_unavailable",
                    "error_description": "the stand-in was told to fail",
                }),
            ),
        };
        if let Some(seconds) = retry_after {
            reply::set(&mut response, "retry-after", &seconds.to_string());
        }
        response
    }
}
