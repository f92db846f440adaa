//! What travels with a request beside its context: the snapshot, and what its backend call left.

use std::sync::Arc;
use std::time::Duration;

use config::Api;
use http::{Method, StatusCode};
use pipeline::{BackendEntry, Context};

use crate::gateway::Live;

/// Kept among the request's extensions, where the forwarder finds it.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    pub(crate) live: Arc<Live>,
    n_api: Option<usize>,
    /// Whether somebody will ask for what the call left.
    pub(crate) is_logged: bool,
    pub(crate) call: Option<BackendCall>,
    /// Spent on all calls.
    pub(crate) backend_time: Duration,
}

/// The last call to a backend.
#[derive(Debug, Clone)]
pub(crate) struct BackendCall {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) status: Option<StatusCode>,
    pub(crate) backend: Option<Arc<BackendEntry>>,
}

impl Trail {
    pub(crate) fn new(live: Arc<Live>, n_api: Option<usize>, is_logged: bool) -> Self {
        Self { live, n_api, is_logged, call: None, backend_time: Duration::ZERO }
    }

    /// The trail of a request that came through the gateway.
    pub(crate) fn of(context: &Context) -> Option<&Self> {
        context.request.extensions.get()
    }

    pub(crate) fn of_mut(context: &mut Context) -> Option<&mut Self> {
        context.request.extensions.get_mut()
    }

    pub(crate) fn api(&self) -> Option<&Api> {
        self.live.snapshot.apis.get(self.n_api?)
    }
}
