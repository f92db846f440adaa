//! What travels with a request beside its context: the snapshot, and what its backend call left.

use std::any::Any;
use std::sync::Arc;

use config::Api;
use http::{Method, StatusCode};
use pipeline::{BackendEntry, Context, Routes};

use crate::gateway::Live;

/// What the calls to backends left, for the access log: among the request's extensions, if it is
/// logged at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    pub(crate) call: Option<BackendCall>,
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
    /// Begins the trail of a request that is logged.
    pub(crate) fn begin(context: &mut Context) {
        context.request.extensions.insert(Self::default());
    }

    pub(crate) fn of_mut(context: &mut Context) -> Option<&mut Self> {
        context.request.extensions.get_mut()
    }
}

/// The snapshot that a request runs on, and the place of its API there.
pub(crate) fn place(context: &Context) -> Option<(&Live, usize)> {
    let route = context.request.route()?;
    let routes: &dyn Any = &*route.routes;
    Some((routes.downcast_ref()?, route.api))
}

/// The snapshot that a request runs on, and its API there; none for a request that came another
/// way than through the gateway, or to no API.
pub(crate) fn of(context: &Context) -> Option<(&Live, &Api)> {
    let (live, api) = place(context)?;
    Some((live, live.snapshot.apis.get(api)?))
}

impl Routes for Live {
    fn parameters(
        &self,
        api: usize,
        method: &Method,
        below: &str,
        query: &str,
    ) -> Vec<(String, String)> {
        self.router.parameters(api, method, below, query)
    }
}
