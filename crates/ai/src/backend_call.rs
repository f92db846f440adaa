//! Calls to backend entities beside the request's own: with their credentials, breakers and pools,
//! as `forward-request` makes them.
//!
//! The call is a request of its own in the eyes of the forwarder. It has nothing of the client's:
//! no headers, no subscription, no address.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use pipeline::{
    Backends, BaseUrl, Blame, Body, Context, ForwardCall, PolicyError, Request, RequestUrl, Route,
    Services,
};
use telemetry::TraceContext;

/// Longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// A backend entity that can be called as long as the request lives, and while its response is on
/// its way.
#[derive(Clone)]
pub(crate) struct BackendCall {
    services: Arc<Services>,
    backends: Arc<Backends>,
    route: Option<Route>,
    id: Arc<str>,
    /// Of the entity; none for a pool.
    url: Option<Arc<BaseUrl>>,
    /// The span of the request that it is called for, if traces are kept.
    span: Option<TraceContext>,
}

/// An answer.
pub(crate) struct Posted {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// Whether the entity that was called (of a pool, the member) sends an `Authorization` of its
    /// own: then one that is given is never sent.
    pub(crate) has_authorization: bool,
}

impl std::fmt::Debug for BackendCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackendCall({})", self.id)
    }
}

impl BackendCall {
    /// The backend entity of that name.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn of(context: &Context, id: &str) -> Result<BackendCall, PolicyError> {
        let entry = context.backends.get(id).ok_or_else(|| {
            PolicyError::new("BackendNotFound", format!("Backend {id} was not found."))
                .blame(Blame::Configuration)
        })?;
        Ok(BackendCall {
            services: Arc::clone(&context.services),
            backends: Arc::clone(&context.backends),
            route: context.request.route().cloned(),
            id: id.into(),
            url: entry.url.clone(),
            span: context.span,
        })
    }

    /// The path of the entity's URL; empty for a pool.
    pub(crate) fn base_path(&self) -> &str {
        self.url.as_ref().map_or("", |it| it.path())
    }

    /// Posts JSON to a path below the entity's URL and reads the answer, whatever its status.
    /// Credentials of the entity go before `authorization`.
    ///
    /// # Errors
    ///
    /// There was no answer, or not all of it. The text is for logs, without secrets.
    pub(crate) async fn post(
        &self,
        (path, query): (&str, &str),
        json: String,
        authorization: Option<HeaderValue>,
        timeout: Duration,
    ) -> Result<Posted, String> {
        let nowhere = || Arc::new(BaseUrl::origin("http", "localhost", 80));
        let url = RequestUrl::new(self.url.clone().unwrap_or_else(nowhere), path, query);
        let mut request = Request::new(Method::POST, url.clone(), url);
        if let Some(route) = &self.route {
            request.set_route(route.clone());
        }
        let json_type = HeaderValue::from_static("application/json");
        request.headers.insert(CONTENT_TYPE, json_type.clone());
        request.headers.insert(ACCEPT, json_type);
        if let Some(value) = authorization {
            request.headers.insert(AUTHORIZATION, value);
        }
        request.body = Body::bytes(json);
        let mut context = Context::new(request, Arc::clone(&self.services));
        context.backends = Arc::clone(&self.backends);
        context.span = self.span;
        context.use_backend(&self.id).map_err(|it| it.to_string())?;
        let call = ForwardCall { timeout: Some(timeout), ..ForwardCall::default() };
        let sent = self.services.forward.forward(&mut context, call).await;
        sent.map_err(|error| format!("{}: {}", error.reason(), error.message()))?;
        let has_authorization = context.backend().is_some_and(|it| it.has_authorization);
        let response = context.response_mut();
        response.body.buffer(MAX_ANSWER_BYTES).await.map_err(|it| it.to_string())?;
        let body = response.body.as_bytes().unwrap_or_default();
        Ok(Posted { status: response.status, body, has_authorization })
    }
}
