//! The answer on its way out, and the line in the access log when it is through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use config::Api;
use expr::host::{ApiInfo, LastError, ProductInfo, SubscriptionInfo, UserInfo};
use http::{Method, StatusCode, Version, header};
use pipeline::{
    CacheUse, Context, Follow, LateError, Operation, Pass, follow, internal_error_response,
};
use telemetry::{AccessLog, AccessRecord, LastErrorRecord, TraceContext, TraceRecord, redact};
use transport::{BodyError, Clock, Peer, Response};

use crate::measure::Measured;
use crate::trail::{BackendCall, Trail};

/// The response of a finished pipeline.
pub(crate) fn respond(
    mut context: Box<Context>,
    entry: Option<Box<Entry>>,
    measured: Option<Measured>,
) -> Response {
    let response = context.response.take().unwrap_or_default();
    let response = into_http_or(response, &context.request.original_method, context.request_id);
    let mut told = Told { entry, measured };
    told.close(&mut context, response.status());
    if told.is_nobody() {
        return response;
    }
    let (head, body) = response.into_parts();
    match body.as_bytes() {
        Some(bytes) => {
            told.sent(bytes.len() as u64);
            told.complete();
            Response::from_parts(head, body)
        }
        None => Response::from_parts(head, follow(body, told)),
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
    n_received: Arc<AtomicU64>,
    protocol: &'static str,
    api: Option<Arc<ApiInfo>>,
    operation: Option<Arc<Operation>>,
    subscription: Option<Arc<SubscriptionInfo>>,
    product: Option<Arc<ProductInfo>>,
    user: Option<Arc<UserInfo>>,
    backend: Option<BackendCall>,
    backend_time: Duration,
    last_error: Option<LastError>,
    /// Of a policy that stops the response on its way.
    late_error: Option<LateError>,
    status: Option<StatusCode>,
    response_size: u64,
    is_complete: bool,
    body_error: Option<BodyError>,
    cache: CacheUse,
    trace_records: Vec<TraceRecord>,
    /// The span of the request.
    context: Option<TraceContext>,
}

impl Entry {
    pub(crate) fn new(
        log: Arc<AccessLog>,
        context: &mut Context,
        peer: Arc<Peer>,
        version: Version,
        api: Option<&Api>,
    ) -> Self {
        let clock = context.services.clock.clone();
        Self {
            n_received: context.request.body.count(),
            protocol: match version {
                Version::HTTP_2 => "HTTP/2",
                Version::HTTP_10 => "HTTP/1.0",
                _ => "HTTP/1.1",
            },
            log,
            started: clock.monotonic(),
            clock,
            received: context.received,
            id: context.request_id.to_string(),
            peer,
            method: context.request.original_method.clone(),
            url: context.request.original_url.to_string(),
            key_query: api.map(|it| it.key_query.clone()),
            api: context.api.clone(),
            operation: context.operation.clone(),
            subscription: context.subscription.clone(),
            product: context.product.clone(),
            user: context.user.clone(),
            backend: None,
            backend_time: Duration::ZERO,
            last_error: None,
            late_error: None,
            status: None,
            response_size: 0,
            is_complete: false,
            body_error: None,
            cache: CacheUse::None,
            trace_records: Vec::new(),
            context: context.span,
        }
    }

    /// The pipeline is done; the body is still to come.
    fn close(&mut self, context: &mut Context, status: StatusCode) {
        self.status = Some(status);
        self.last_error = context.last_error.take();
        self.late_error = context.known_late_error().cloned();
        self.cache = context.cache;
        self.trace_records = std::mem::take(&mut context.trace_records);
        if let Some(trail) = Trail::of_mut(context) {
            self.backend = trail.call.take();
        }
        self.backend_time = context.calls.time;
    }

    /// The client has gone; nothing was sent.
    pub(crate) fn abandon(mut self, context: &mut Context) {
        self.close(context, StatusCode::OK);
        self.status = None;
    }

    /// What the log calls the error: the pipeline's, else that of who stopped the response on its way,
    /// else how the body ended.
    fn error(&self) -> Option<LastErrorRecord<'_>> {
        let built_in = |source, reason, message| LastErrorRecord {
            last_error_source: source,
            last_error_reason: reason,
            last_error_message: message,
            last_error_scope: None,
            last_error_section: None,
        };
        let late = self.late_error.as_ref().and_then(LateError::get);
        match (self.last_error.as_ref().or(late), &self.body_error) {
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
        let ip = self.peer.ip_text();
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
        record.request_size = self.n_received.load(Relaxed);
        record.client_protocol = self.protocol;
        record.response_size = self.response_size;
        record.response_code = self.status.map_or(0, |it| it.as_u16());
        record.backend_method = self.backend.as_ref().map(|it| it.method.as_str());
        record.backend_url = backend_url.as_deref();
        record.backend_response_code =
            self.backend.as_ref().and_then(|it| it.status).map(|it| it.as_u16());
        record.backend_id =
            self.backend.as_ref().and_then(|it| it.backend.as_ref()).map(|it| &*it.info.id);
        record.cache = self.cache.name();
        record.trace_records = &self.trace_records;
        record.api_id = self.api.as_ref().map(|it| &*it.id);
        record.api_revision = self.api.as_ref().map(|it| &*it.revision);
        record.operation_id = self.operation.as_ref().map(|it| &*it.info.id);
        record.product_id = self.product.as_ref().map(|it| &*it.id);
        record.user_id = self.user.as_ref().map(|it| &*it.id);
        record.apim_subscription_id = self.subscription.as_ref().map(|it| &*it.id);
        record.last_error = self.error();
        self.log.write(&record, self.context);
    }
}

/// Who hears of the answer.
struct Told {
    entry: Option<Box<Entry>>,
    measured: Option<Measured>,
}

impl Told {
    fn is_nobody(&self) -> bool {
        self.entry.is_none() && self.measured.is_none()
    }

    /// The head goes out.
    fn close(&mut self, context: &mut Context, status: StatusCode) {
        if let Some(measured) = &mut self.measured {
            measured.close(context, Some(status));
        }
        if let Some(entry) = &mut self.entry {
            entry.close(context, status);
        }
    }

    fn sent(&mut self, n_bytes: u64) {
        if let Some(measured) = &mut self.measured {
            measured.sent(n_bytes);
        }
        if let Some(entry) = &mut self.entry {
            entry.response_size += n_bytes;
        }
    }

    fn complete(&mut self) {
        if let Some(entry) = &mut self.entry {
            entry.is_complete = true;
        }
    }
}

/// A streamed response body is measured on its way.
impl Follow for Told {
    fn data(&mut self, data: Bytes) -> Pass {
        self.sent(data.len() as u64);
        Pass::On(data)
    }

    fn end(&mut self) -> Option<Bytes> {
        self.complete();
        None
    }

    fn broken(&mut self, error: Option<&BodyError>) {
        if let (Some(entry), Some(error)) = (&mut self.entry, error) {
            entry.body_error = Some(error.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use http::{Method, StatusCode, Version, header};
    use http_body::Body as _;
    use pipeline::{CacheUse, Context, RequestUrl};
    use telemetry::{AccessLog, Sink, TraceRecord};
    use transport::{Body, Peer};

    use super::{Entry, into_http, respond};
    use crate::test_support::services;

    fn context(body: pipeline::Body) -> Context {
        let origin = Arc::new(pipeline::BaseUrl::origin("https", "gw", 443));
        let url = RequestUrl::new(origin, "/x", "");
        let mut request = pipeline::Request::new(Method::POST, url.clone(), url);
        request.body = body;
        Context::new(request, services(None))
    }

    /// The line that is logged for a request which ends as the closure says.
    async fn logged(
        body: pipeline::Body,
        end: impl AsyncFnOnce(Context, Entry),
    ) -> serde_json::Value {
        let path = std::env::temp_dir().join(format!("finish-{}.log", uuid::Uuid::new_v4()));
        let log = Arc::new(AccessLog::new(Sink::File(path.clone()), 1 << 20).unwrap());
        let mut context = context(body);
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let entry = Entry::new(log.clone(), &mut context, peer, Version::HTTP_2, None);
        end(context, entry).await;
        drop(log);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[tokio::test]
    async fn a_streamed_answer_is_logged_when_it_is_through() {
        let (upload, body) = Body::channel(2);
        upload.send("12345").await.unwrap();
        drop(upload);
        let line = logged(pipeline::Body::stream(body), async |mut context, entry| {
            context.request.body.buffer(99).await.unwrap();
            let (sender, body) = Body::channel(2);
            context.response_mut().body = pipeline::Body::stream(body);
            let response = respond(Box::new(context), Some(Box::new(entry)), None);
            sender.send("abc").await.unwrap();
            drop(sender);
            response.into_body().collect(9).await.unwrap();
        });
        let line = line.await;
        assert_eq!((&line["RequestSize"], &line["ResponseSize"]), (&5.into(), &3.into()));
        assert_eq!(line["ClientProtocol"], "HTTP/2");
        assert_eq!(line["ResponseCode"], 200);
        assert!(line.get("LastErrorReason").is_none());
    }

    #[tokio::test]
    async fn what_the_cache_did_is_logged() {
        for (found, expected) in
            [(CacheUse::None, "none"), (CacheUse::Hit, "hit"), (CacheUse::Miss, "miss")]
        {
            let line = logged(pipeline::Body::absent(), async |mut context, entry| {
                context.cache = found;
                respond(Box::new(context), Some(Box::new(entry)), None);
            });
            assert_eq!(line.await["Cache"], expected);
        }
    }

    #[tokio::test]
    async fn what_trace_policies_said_is_logged() {
        let line = logged(pipeline::Body::absent(), async |mut context, entry| {
            context.add_trace_record(TraceRecord {
                source: "s".to_owned(),
                severity: "error",
                message: "m".to_owned(),
                metadata: serde_json::Map::from_iter([("a".to_owned(), "1".into())]),
            });
            respond(Box::new(context), Some(Box::new(entry)), None);
        });
        let expected = serde_json::json!([
            { "Source": "s", "Severity": "error", "Message": "m", "Metadata": { "a": "1" } }
        ]);
        assert_eq!(line.await["TraceRecords"], expected);
    }

    #[tokio::test]
    async fn how_a_body_breaks_off_is_logged() {
        for (aborts, expected) in
            [(true, "BackendConnectionFailure"), (false, "ClientConnectionFailure")]
        {
            let line = logged(pipeline::Body::absent(), async move |mut context, entry| {
                let (sender, body) = Body::channel(2);
                context.response_mut().body = pipeline::Body::stream(body);
                let response = respond(Box::new(context), Some(Box::new(entry)), None);
                if aborts {
                    sender.abort("gone").await;
                    assert!(response.into_body().collect(9).await.is_err());
                }
            });
            assert_eq!(line.await["LastErrorReason"], expected);
        }
    }

    #[tokio::test]
    async fn a_client_that_got_nothing_is_logged_without_a_status() {
        let line = logged(pipeline::Body::absent(), async |mut context, entry| {
            entry.abandon(&mut context);
        });
        let line = line.await;
        assert_eq!((&line["ResponseCode"], &line["IsRequestSuccess"]), (&0.into(), &false.into()));
    }

    #[test]
    fn the_length_of_a_body_in_memory_is_counted_anew() {
        let announced = |method| {
            let mut response = pipeline::Response::new(StatusCode::OK);
            response.headers.insert(header::CONTENT_LENGTH, 99.into());
            response.body = pipeline::Body::bytes("abc");
            let response = into_http(response, &method);
            let length = response.headers().get(header::CONTENT_LENGTH).cloned();
            (length.map(|it| it.to_str().unwrap().to_owned()), response.body().size_hint().exact())
        };
        assert_eq!(announced(Method::GET), (None, Some(3)));
        assert_eq!(announced(Method::HEAD), (Some("99".to_owned()), Some(3)));
    }
}
