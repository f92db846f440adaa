//! The answer on its way out, and the line in the access log when it is through.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use config::Api;
use expr::host::{ApiInfo, LastError, SubscriptionInfo};
use http::{Method, StatusCode, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pipeline::{Context, Operation, internal_error_response};
use telemetry::{AccessLog, AccessRecord, LastErrorRecord, redact};
use transport::{Body, BodyError, Clock, Peer, Response};

use crate::trail::{BackendCall, Trail};

/// The response of a finished pipeline.
pub(crate) fn respond(mut context: Context, entry: Option<Entry>) -> Response {
    let response = context.response.take().unwrap_or_default();
    let response = into_http_or(response, &context.request.original_method, context.request_id);
    let Some(mut entry) = entry else { return response };
    entry.close(&mut context, response.status());
    let (head, body) = response.into_parts();
    match body.as_bytes() {
        Some(bytes) => {
            entry.response_size = bytes.len() as u64;
            entry.is_complete = true;
            Response::from_parts(head, body)
        }
        None => Response::from_parts(head, Body::stream(Logged { body, entry: Box::new(entry) })),
    }
}

/// A response without a request behind it.
pub(crate) fn into_http(response: pipeline::Response, method: &Method) -> Response {
    into_http_or(response, method, uuid::Uuid::nil())
}

fn into_http_or(
    mut response: pipeline::Response,
    method: &Method,
    request_id: uuid::Uuid,
) -> Response {
    // A body in memory may have been read or replaced since its length was announced; an answer
    // to HEAD announces what GET would get.
    if response.body.is_present() && !response.body.is_stream() && *method != Method::HEAD {
        response.headers.remove(header::CONTENT_LENGTH);
    }
    response.into_http().unwrap_or_else(|error| {
        tracing::error!(%request_id, %error, "the response has no body any more");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        // This response's body is in memory, so that it cannot be gone.
        internal_error_response(status, request_id).into_http().unwrap_or_default()
    })
}

/// What the access log will say of a request. Written when dropped: at the end of the response,
/// or when the client has gone.
pub(crate) struct Entry {
    log: Arc<AccessLog>,
    clock: Arc<dyn Clock>,
    started: Duration,
    received: SystemTime,
    id: String,
    peer: Arc<Peer>,
    method: Method,
    url: String,
    key_query: Option<String>,
    request_size: u64,
    api: Option<Arc<ApiInfo>>,
    operation: Option<Arc<Operation>>,
    pub(crate) subscription: Option<Arc<SubscriptionInfo>>,
    backend: Option<BackendCall>,
    backend_time: Duration,
    last_error: Option<LastError>,
    status: Option<StatusCode>,
    response_size: u64,
    is_complete: bool,
    body_error: Option<BodyError>,
}

impl Entry {
    pub(crate) fn new(
        log: Arc<AccessLog>,
        context: &Context,
        peer: Arc<Peer>,
        api: Option<&Api>,
    ) -> Self {
        let clock = context.services.clock.clone();
        let length = context.request.headers.get(header::CONTENT_LENGTH);
        Self {
            log,
            started: clock.monotonic(),
            clock,
            received: context.received,
            id: context.request_id.to_string(),
            peer,
            method: context.request.original_method.clone(),
            url: context.request.original_url.to_string(),
            key_query: api.map(|it| it.key_query.clone()),
            request_size: length.and_then(|it| it.to_str().ok()?.parse().ok()).unwrap_or_default(),
            api: context.api.clone(),
            operation: context.operation.clone(),
            subscription: None,
            backend: None,
            backend_time: Duration::ZERO,
            last_error: None,
            status: None,
            response_size: 0,
            is_complete: false,
            body_error: None,
        }
    }

    /// The pipeline is done; the body is still to come.
    fn close(&mut self, context: &mut Context, status: StatusCode) {
        self.status = Some(status);
        self.last_error = context.last_error.take();
        if let Some(trail) = Trail::of_mut(context) {
            self.backend = trail.call.take();
            self.backend_time = trail.backend_time;
        }
    }

    /// What the log calls the error: the pipeline's, else how the body ended.
    fn error(&self) -> Option<LastErrorRecord<'_>> {
        let built_in = |source, reason, message| LastErrorRecord {
            last_error_source: source,
            last_error_reason: reason,
            last_error_message: message,
            last_error_scope: None,
            last_error_section: None,
        };
        match (&self.last_error, &self.body_error) {
            (Some(error), _) => Some(LastErrorRecord {
                last_error_source: &error.source,
                last_error_reason: error.reason.as_deref().unwrap_or_default(),
                last_error_message: &error.message,
                last_error_scope: error.scope.as_deref(),
                last_error_section: error.section.as_deref(),
            }),
            (None, Some(_)) => Some(built_in(
                "forward-request",
                "BackendConnectionFailure",
                "The response body broke off.",
            )),
            (None, None) if !self.is_complete => Some(built_in(
                "transfer-response",
                "ClientConnectionFailure",
                "The operation was canceled.",
            )),
            (None, None) => None,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let also = self.key_query.as_deref();
        let url = redact::url(&self.url, also);
        let backend_url = self.backend.as_ref().map(|it| redact::url(&it.url, also));
        let ip = self.peer.address.ip().to_canonical().to_string();
        let mut record = AccessRecord::new(self.received, &self.id);
        record.is_request_success = self
            .status
            .is_some_and(|it| it.is_success() || it.is_redirection() || it.is_informational());
        record.total_time = self.clock.monotonic().saturating_sub(self.started);
        record.backend_time = self.backend_time;
        record.caller_ip_address = &ip;
        record.method = self.method.as_str();
        record.url = &url;
        record.client_tls_version = self.peer.tls.as_ref().map(|it| it.protocol);
        record.request_size = self.request_size;
        record.response_size = self.response_size;
        record.response_code = self.status.map_or(0, |it| it.as_u16());
        record.backend_method = self.backend.as_ref().map(|it| it.method.as_str());
        record.backend_url = backend_url.as_deref();
        record.backend_response_code =
            self.backend.as_ref().and_then(|it| it.status).map(|it| it.as_u16());
        record.backend_id =
            self.backend.as_ref().and_then(|it| it.backend.as_ref()).map(|it| &*it.info.id);
        record.api_id = self.api.as_ref().map(|it| &*it.id);
        record.api_revision = self.api.as_ref().map(|it| &*it.revision);
        record.operation_id = self.operation.as_ref().map(|it| &*it.info.id);
        record.apim_subscription_id = self.subscription.as_ref().map(|it| &*it.id);
        record.last_error = self.error();
        self.log.write(&record);
    }
}

/// A streamed response body that is measured.
struct Logged {
    body: Body,
    entry: Box<Entry>,
}

impl HttpBody for Logged {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let next = Pin::new(&mut self.body).poll_frame(cx);
        match &next {
            Poll::Ready(None) => self.entry.is_complete = true,
            Poll::Ready(Some(Ok(frame))) => {
                let n_bytes = frame.data_ref().map_or(0, |it| it.len() as u64);
                self.entry.response_size += n_bytes;
                self.entry.is_complete = self.body.is_end_stream();
            }
            Poll::Ready(Some(Err(error))) => self.entry.body_error = Some(error.clone()),
            Poll::Pending => {}
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
