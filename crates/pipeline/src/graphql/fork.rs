//! A context for a call beside the request: everything that expressions see of the request, and
//! nothing that belongs to its response.

use std::sync::Arc;

use crate::context::Context;
use crate::message::Request;
use crate::trail::Trail;

/// A context that has the outer one's request without headers and body.
pub(super) fn fork(outer: &Context) -> Context {
    let mut request = Request::new(
        outer.request.method.clone(),
        outer.request.url.clone(),
        outer.request.original_url.clone(),
    );
    request.original_method = outer.request.original_method.clone();
    request.ip_address = Arc::clone(&outer.request.ip_address);
    request.certificates = outer.request.certificates.clone();
    if let Some(route) = outer.request.route() {
        request.set_route(route.clone());
    }
    let mut context = Context::new(request, Arc::clone(&outer.services));
    context.variables = outer.variables.clone();
    context.api = outer.api.clone();
    context.operation = outer.operation.clone();
    context.product = outer.product.clone();
    context.subscription = outer.subscription.clone();
    context.user = outer.user.clone();
    context.workspace = outer.workspace.clone();
    context.deployment = Arc::clone(&outer.deployment);
    context.backends = Arc::clone(&outer.backends);
    context.request_id = outer.request_id;
    context.received = outer.received;
    context.tracing = outer.tracing;
    context.started = outer.started;
    if outer.request.extensions.get::<Trail>().is_some() {
        Trail::begin(&mut context);
    }
    context
}
