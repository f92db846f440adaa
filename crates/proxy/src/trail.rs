//! What travels with a request beside its context: the snapshot, and what its backend call left
//! ([`Trail`]).

use std::any::Any;

use config::Api;
use http::Method;
pub(crate) use pipeline::{BackendCall, Trail};
use pipeline::{Context, Routes};

use crate::gateway::Live;

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
