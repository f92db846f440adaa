//! The gateway: what it runs on now, and the way in.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use config::Snapshot;
use pipeline::Services;
use telemetry::AccessLog;
use transport::{Peer, Request, Response, Service};

use crate::access::Keys;
use crate::driver;
use crate::health::{self, Health};
use crate::router::Router;

/// Answers requests with the snapshot that is in place when they arrive.
pub struct Gateway {
    live: ArcSwapOption<Live>,
    services: Arc<Services>,
    access_log: Option<Arc<AccessLog>>,
    health: Health,
}

/// A snapshot with the tables that are made over it.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) router: Router,
    pub(crate) keys: Keys,
}

impl Live {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { router: Router::new(&snapshot), keys: Keys::new(&snapshot), snapshot }
    }
}

impl Gateway {
    /// A gateway without configuration: it answers 503 until one is [installed](Self::install).
    /// The services must forward by [`HttpForward`](crate::HttpForward).
    #[must_use]
    pub fn new(services: Arc<Services>, access_log: Option<Arc<AccessLog>>) -> Arc<Self> {
        Arc::new(Self {
            live: ArcSwapOption::empty(),
            services,
            access_log,
            health: Health::default(),
        })
    }

    /// Puts a snapshot in place. Requests that have begun go on with the one they began with.
    pub fn install(&self, snapshot: Arc<Snapshot>) {
        self.live.store(Some(Arc::new(Live::new(snapshot))));
        self.health.loaded();
    }

    /// The snapshot in place.
    #[must_use]
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.live.load().as_ref().map(|it| it.snapshot.clone())
    }

    /// What the gateway tells of itself.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// What outlives requests and snapshots.
    #[must_use]
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Answers one request. If the future is dropped, the call to the backend ends with it.
    pub async fn handle(self: Arc<Self>, request: Request, peer: Arc<Peer>) -> Response {
        if let Some(answer) = health::on_gateway(&self.health, &request) {
            return answer;
        }
        let Some(live) = self.live.load_full() else { return driver::not_loaded() };
        driver::drive(live, &self.services, self.access_log.as_ref(), request, peer).await
    }
}

impl Service for Gateway {
    fn call(
        self: Arc<Self>,
        request: Request,
        peer: Arc<Peer>,
    ) -> impl Future<Output = Response> + Send + 'static {
        self.handle(request, peer)
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("health", &self.health).finish_non_exhaustive()
    }
}
