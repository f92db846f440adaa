//! Azure's `context` of one request: what policies change and expressions see.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use expr::host::{
    ApiInfo, DeploymentInfo, GraphQlInfo, LastError, ProductInfo, SubscriptionInfo, UserInfo,
    WorkspaceInfo,
};
use expr::{Uses, Variables};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use telemetry::{TraceContext, TraceRecord};
use transport::BodyError;
use uuid::Uuid;

use crate::backends::{BackendEntry, Backends, UnknownBackend};
use crate::body::Body;
use crate::error::{Blame, PolicyError};
use crate::late_error::LateError;
use crate::message::{Message, Request, Response, replace_body, set_charset_utf8};
use crate::operation::Operation;
use crate::section::Scope;
use crate::services::Services;
use crate::settle::Settle;
use crate::url::BaseUrl;
use crate::watch::Watch;

/// One request on its way through the pipeline.
pub struct Context {
    /// The request to the backend, at first as the client sent it.
    pub request: Request,
    /// The response to the client; none before there is one.
    pub response: Option<Response>,
    /// The message that a policy is making, while its children run: a response, or the headers
    /// and body of a call.
    pub draft: Option<Response>,
    /// What `set-variable` and other policies stored.
    pub variables: Variables,
    /// The API, once it is found.
    pub api: Option<Arc<ApiInfo>>,
    /// The operation, once it is found.
    pub operation: Option<Arc<Operation>>,
    /// The product whose subscription was used.
    pub product: Option<Arc<ProductInfo>>,
    /// The subscription that was used.
    pub subscription: Option<Arc<SubscriptionInfo>>,
    /// The owner of the subscription.
    pub user: Option<Arc<UserInfo>>,
    /// The workspace of the API.
    pub workspace: Option<Arc<WorkspaceInfo>>,
    /// The gateway itself.
    pub deployment: Arc<DeploymentInfo>,
    /// The failure that `on-error` is handling.
    pub last_error: Option<LastError>,
    /// What a GraphQL resolver is called with, while one runs; made by [`expr::graphql`].
    pub graphql: Option<Arc<GraphQlInfo>>,
    /// Client, clock, and what other crates added.
    pub services: Arc<Services>,
    /// The backend entities of the snapshot.
    pub backends: Arc<Backends>,
    /// Unique id of this request.
    pub request_id: Uuid,
    /// When the request was received.
    pub received: SystemTime,
    /// Whether `context.Trace` is kept.
    pub tracing: bool,
    /// What became of the look into the response cache: for the log.
    pub cache: CacheUse,
    /// The calls to backends so far: for log and metrics.
    pub calls: BackendCalls,
    /// What `trace` policies said: for the log ([`Context::add_trace_record`]).
    pub trace_records: Vec<TraceRecord>,
    /// The span of the request, if traces are kept: calls to backends name it as their parent.
    pub span: Option<TraceContext>,
    /// Where a failure of the response on its way is noted, if one can be.
    pub(crate) late_error: Option<LateError>,
    /// The status that a pipeline without a response will answer with.
    pub(crate) pending_status: Option<PendingStatus>,
    /// Whether the client's certificate is trusted and not revoked, once it was looked up.
    pub(crate) is_unrevoked: Option<bool>,
    stamp: Option<Box<Stamp>>,
    /// Headers of every response that comes in.
    stamped: Vec<(HeaderName, HeaderValue)>,
    /// What is done when the response is final.
    pub(crate) to_settle: VecDeque<Arc<dyn Settle>>,
    /// Who waits for the backend's response.
    pub(crate) watches: VecDeque<Arc<dyn Watch>>,
    /// Whether the response is that of a backend.
    pub(crate) has_backend_response: bool,
    pub(crate) started: Duration,
    pub(crate) backend: Option<Arc<BackendEntry>>,
    /// The scope whose policy has selected the backend entity.
    backend_scope: Option<Scope>,
    pub(crate) pool: Option<Arc<BackendEntry>>,
    /// Whether nothing reads the request after the step that runs now.
    pub(crate) is_last_use: bool,
    /// Whether `outbound` runs although `inbound` has ended with a response.
    pub(crate) goes_to_outbound: bool,
}

/// Most records of `trace` policies that the log has of a request.
pub const MAX_TRACE_RECORDS: usize = 32;

/// Calls to backends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendCalls {
    /// How many there were; those of the resolvers of a GraphQL API are one together.
    pub count: u32,
    /// From each call to the head of its answer, in sum; of resolvers the time in which at least one
    /// ran.
    pub time: Duration,
}

/// What became of the look into the response cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// There was none.
    #[default]
    None,
    /// The response came from the cache.
    Hit,
    /// It was not there.
    Miss,
}

impl CacheUse {
    /// One word for logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            CacheUse::None => "none",
            CacheUse::Hit => "hit",
            CacheUse::Miss => "miss",
        }
    }
}

/// Changes the headers of a response.
type Stamp = dyn Fn(&mut HeaderMap) + Send + Sync;

/// What `set-status` asked for before there was a response.
#[derive(Debug)]
pub(crate) struct PendingStatus {
    pub(crate) status: StatusCode,
    pub(crate) reason: Option<String>,
}

/// The gateway and the backends of a request that has no snapshot yet.
static UNKNOWN: LazyLock<(Arc<DeploymentInfo>, Arc<Backends>)> = LazyLock::new(Default::default);

impl Context {
    /// A request that was received just now.
    #[must_use]
    pub fn new(request: Request, services: Arc<Services>) -> Context {
        let mut id = [0; 16];
        services.random(&mut id);
        Context {
            request,
            response: None,
            draft: None,
            variables: Variables::default(),
            api: None,
            operation: None,
            product: None,
            subscription: None,
            user: None,
            workspace: None,
            deployment: Arc::clone(&UNKNOWN.0),
            last_error: None,
            graphql: None,
            backends: Arc::clone(&UNKNOWN.1),
            request_id: uuid::Builder::from_random_bytes(id).into_uuid(),
            received: services.clock.now(),
            tracing: false,
            cache: CacheUse::None,
            calls: BackendCalls::default(),
            trace_records: Vec::new(),
            span: None,
            late_error: None,
            pending_status: None,
            is_unrevoked: None,
            stamp: None,
            stamped: Vec::new(),
            to_settle: VecDeque::new(),
            watches: VecDeque::new(),
            has_backend_response: false,
            started: services.clock.monotonic(),
            backend: None,
            backend_scope: None,
            pool: None,
            is_last_use: false,
            goes_to_outbound: false,
            services,
        }
    }

    /// Keeps what a `trace` policy said for the log; no more than [`MAX_TRACE_RECORDS`] of a request.
    pub fn add_trace_record(&mut self, record: TraceRecord) {
        if self.trace_records.len() < MAX_TRACE_RECORDS {
            self.trace_records.push(record);
        }
    }

    /// Time since the request was received.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.services.clock.monotonic().saturating_sub(self.started)
    }

    /// When the request was received, by the monotonic clock.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.started
    }

    /// The backend entity that was selected; none if the request goes to a plain URL.
    #[must_use]
    pub fn backend(&self) -> Option<&Arc<BackendEntry>> {
        self.backend.as_ref()
    }

    /// Sends the request to a plain URL: path and query stay.
    pub fn use_base_url(&mut self, base: Arc<BaseUrl>) {
        (self.backend, self.backend_scope, self.pool) = (None, None, None);
        self.request.url.set_base(base);
    }

    /// Notes the scope whose policy has selected the backend entity.
    pub fn note_backend_scope(&mut self, scope: Scope) {
        self.backend_scope = Some(scope);
    }

    /// Whether a policy of a broader scope has selected a backend entity: then only another one
    /// can take its place, not a plain URL.
    #[must_use]
    pub fn has_backend_of_broader_scope(&self, scope: Scope) -> bool {
        self.backend_scope.is_some_and(|it| it < scope)
    }

    /// Sends the request to a backend entity: path and query stay.
    ///
    /// # Errors
    ///
    /// The snapshot has no such backend.
    pub fn use_backend(&mut self, id: &str) -> Result<(), UnknownBackend> {
        let backend = Arc::clone(self.backends.get(id).ok_or(UnknownBackend)?);
        self.pool = backend.url.is_none().then(|| Arc::clone(&backend));
        self.note_backend(backend);
        Ok(())
    }

    /// The pool that was selected, if one was: every call chooses a member of it anew.
    #[must_use]
    pub fn pool(&self) -> Option<&Arc<BackendEntry>> {
        self.pool.as_ref()
    }

    /// Notes which backend is called, such as the member that a pool chose: expressions see it
    /// from then on.
    pub fn note_backend(&mut self, backend: Arc<BackendEntry>) {
        if let Some(url) = &backend.url {
            self.request.url.set_base(Arc::clone(url));
        }
        self.backend = Some(backend);
    }

    /// Whether nothing reads the request after the step that runs now: then its parts may be
    /// taken instead of copied.
    #[must_use]
    pub fn is_last_use_of_request(&self) -> bool {
        self.is_last_use
    }

    /// The headers of a message. A response that is not there yet is made.
    pub fn headers_mut(&mut self, message: Message) -> &mut HeaderMap {
        match message {
            Message::Request => &mut self.request.headers,
            Message::Response => &mut self.response_mut().headers,
            Message::Draft => &mut self.draft.get_or_insert_default().headers,
        }
    }

    /// Replaces the body of a message; length and content encoding are forgotten.
    pub fn set_body(&mut self, message: Message, body: Body) {
        let (headers, slot) = match message {
            Message::Request => (&mut self.request.headers, &mut self.request.body),
            Message::Response => {
                let response = self.response_mut();
                (&mut response.headers, &mut response.body)
            }
            Message::Draft => {
                let draft = self.draft.get_or_insert_default();
                (&mut draft.headers, &mut draft.body)
            }
        };
        replace_body(headers, slot, body);
    }

    /// Replaces the body of a message by text in UTF-8; a charset that `Content-Type` names is
    /// changed accordingly.
    pub fn set_text_body(&mut self, message: Message, text: impl Into<Bytes>) {
        set_charset_utf8(self.headers_mut(message));
        self.set_body(message, Body::bytes(text));
    }

    /// Sets the status of a message that is a response. With [`Message::Request`] it is kept
    /// for a pipeline that ends without a response.
    pub fn set_status(&mut self, message: Message, status: StatusCode, reason: Option<String>) {
        let response = match message {
            Message::Draft => self.draft.get_or_insert_default(),
            Message::Response => self.response_mut(),
            Message::Request => match &mut self.response {
                Some(response) => response,
                None => {
                    self.pending_status = Some(PendingStatus { status, reason });
                    return;
                }
            },
        };
        response.status = status;
        response.reason = reason;
    }

    /// The response; made if there is none yet: 200, or what `set-status` asked for.
    pub fn response_mut(&mut self) -> &mut Response {
        let (pending, stamp) = (&mut self.pending_status, &self.stamp);
        let stamped = &self.stamped;
        self.response.get_or_insert_with(|| {
            let mut response = match pending.take() {
                None => Response::new(StatusCode::OK),
                Some(it) => Response { reason: it.reason, ..Response::new(it.status) },
            };
            if let Some(stamp) = stamp {
                stamp(&mut response.headers);
            }
            response.headers.extend(stamped.iter().cloned());
            response
        })
    }

    /// Puts a response in, such as that of a backend; what `set-status` asked for before is
    /// void.
    pub fn set_response(&mut self, mut response: Response) {
        self.pending_status = None;
        self.has_backend_response = false;
        if let Some(stamp) = &self.stamp {
            stamp(&mut response.headers);
        }
        for (name, value) in &self.stamped {
            response.headers.insert(name, value.clone());
        }
        self.response = Some(response);
    }

    /// Puts a response in that did not come from the backend, as one of a cache. If the policy ends
    /// the section ([`Flow::End`](crate::Flow::End)) in `inbound`, `backend` is skipped and
    /// `outbound` runs.
    pub fn answer_in_place_of_backend(&mut self, response: Response) {
        self.set_response(response);
        self.goes_to_outbound = true;
    }

    /// Changes the headers of every response that comes in from now on: those of the backend,
    /// of policies that answer, of errors. Policies that run later may change them again. One
    /// stamp counts, the last.
    pub fn stamp_responses(&mut self, stamp: impl Fn(&mut HeaderMap) + Send + Sync + 'static) {
        if let Some(response) = &mut self.response {
            stamp(&mut response.headers);
        }
        self.stamp = Some(Box::new(stamp));
    }

    /// Sets a header of the response, and of every response that comes in from now on. Policies
    /// that run later may change it again.
    pub fn stamp_header(&mut self, name: HeaderName, value: HeaderValue) {
        if let Some(response) = &mut self.response {
            response.headers.insert(name.clone(), value.clone());
        }
        match self.stamped.iter_mut().find(|(it, _)| *it == name) {
            Some((_, old)) => *old = value,
            None => self.stamped.push((name, value)),
        }
    }

    /// Reads the bodies that a step is about to read into memory, and looks up whether the client's
    /// certificate has been revoked if the step asks.
    ///
    /// # Errors
    ///
    /// A request body over the bound answers 413; a response body over the bound is a failed
    /// evaluation; a body that breaks off is the sender's fault.
    pub async fn buffer(&mut self, uses: Uses) -> Result<(), PolicyError> {
        let max_bytes = self.services.max_buffered_body_bytes;
        if uses.request_body || self.needs_body_for_foundry(uses) {
            self.request.body.buffer(max_bytes).await.map_err(|it| request_error(&it))?;
        }
        if uses.settled().response_body
            && let Some(response) = &mut self.response
        {
            response.body.buffer(max_bytes).await.map_err(|it| response_error(&it))?;
        }
        if uses.revocation && self.is_unrevoked.is_none() {
            self.is_unrevoked = match (&self.services.trust, &self.request.certificates) {
                (Some(trust), Some(chain)) => Some(trust.is_unrevoked(chain).await),
                _ => None,
            };
        }
        Ok(())
    }

    /// Reads the body of the request, or else of the response, into memory if it is at most
    /// `max_bytes` long; a longer one stays a stream. Gives whether it is in memory.
    ///
    /// # Errors
    ///
    /// The body breaks off: the sender's fault.
    pub async fn buffer_within(
        &mut self,
        message: Message,
        max_bytes: usize,
    ) -> Result<bool, PolicyError> {
        let most = self.services.max_buffered_body_bytes;
        let max_bytes = max_bytes.min(most);
        if message == Message::Request {
            let buffered = self.request.body.buffer_within(max_bytes, most).await;
            return buffered.map_err(|it| request_error(&it));
        }
        match &mut self.response {
            Some(it) => {
                it.body.buffer_within(max_bytes, most).await.map_err(|it| response_error(&it))
            }
            None => Ok(true),
        }
    }
}

impl Context {
    /// `Foundry.Deployment` is a template parameter, or else in the body.
    fn needs_body_for_foundry(&self, uses: Uses) -> bool {
        let is_parameter = |(name, _): &(String, String)| name == "deployment-id";
        uses.foundry && !self.request.matched_parameters().iter().any(is_parameter)
    }
}

/// Leaves out what may be secret: variables, query, values of headers, bodies.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("request_id", &self.request_id)
            .field("request", &self.request)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

fn request_error(error: &BodyError) -> PolicyError {
    match error {
        BodyError::TooLarge { limit } => {
            PolicyError::evaluation(format_args!("The request body is larger than {limit} bytes."))
                .respond(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large.")
        }
        BodyError::IdleTimeout { .. } => {
            PolicyError::new("ClientConnectionFailure", error.to_string())
                .respond(StatusCode::REQUEST_TIMEOUT, "Request body was not received in time.")
        }
        _ => PolicyError::new("ClientConnectionFailure", error.to_string())
            .status(StatusCode::BAD_REQUEST)
            .blame(Blame::Client),
    }
}

fn response_error(error: &BodyError) -> PolicyError {
    match error {
        BodyError::TooLarge { limit } => {
            PolicyError::evaluation(format_args!("The response body is larger than {limit} bytes."))
                .blame(Blame::Backend)
        }
        _ => PolicyError::new("BackendConnectionFailure", error.to_string()).blame(Blame::Backend),
    }
}

#[cfg(test)]
mod tests {
    use expr::host::BackendInfo;
    use http::Method;
    use transport::{FakeClient, FakeClock};

    use super::*;
    use crate::request_url::RequestUrl;
    use crate::services::NoForward;

    fn context() -> Context {
        let clock = FakeClock::at_unix(1000);
        let client = Arc::new(FakeClient::unreachable());
        let mut services = Services::new(client, Arc::new(clock), Arc::new(NoForward));
        services.max_buffered_body_bytes = 4;
        let base = Arc::new(BaseUrl::parse("https://api.example/v1").unwrap());
        let url = RequestUrl::new(base, "/orders", "a=1");
        Context::new(Request::new(Method::POST, url.clone(), url), Arc::new(services))
    }

    fn backends() -> Arc<Backends> {
        let info = Arc::new(BackendInfo { id: "east".to_owned(), ..BackendInfo::default() });
        let url = Some(Arc::new(BaseUrl::parse("https://east.example/").unwrap()));
        Arc::new([BackendEntry { info, url, ..Default::default() }].into_iter().collect())
    }

    fn streaming(text: &'static str) -> Body {
        use http_body_util::{BodyExt, Full};
        let body = Full::new(Bytes::from_static(text.as_bytes()));
        Body::stream(transport::Body::stream(body.map_err(|it| match it {})))
    }

    #[test]
    fn a_backend_changes_the_base_and_nothing_else() {
        let mut it = context();
        it.backends = backends();

        assert_eq!(it.use_backend("west"), Err(UnknownBackend));
        it.use_backend("east").unwrap();
        assert_eq!(it.request.url.to_string(), "https://east.example/orders?a=1");
        assert_eq!(it.backend().unwrap().info.id, "east");

        it.use_base_url(Arc::new(BaseUrl::parse("http://x/y").unwrap()));
        assert_eq!(it.request.url.to_string(), "http://x/y/orders?a=1");
        assert!(it.backend().is_none());
    }

    #[test]
    fn a_status_set_early_is_that_of_the_response_made_later() {
        let mut it = context();
        it.set_status(Message::Request, StatusCode::ACCEPTED, Some("Soon".to_owned()));
        assert!(it.response.is_none());

        let response = it.response_mut();
        assert_eq!((response.status, response.reason()), (StatusCode::ACCEPTED, "Soon"));
    }

    #[test]
    fn a_status_set_early_does_not_change_the_backends_response() {
        let mut it = context();
        it.set_status(Message::Request, StatusCode::ACCEPTED, None);
        it.set_response(Response::new(StatusCode::NOT_FOUND));

        assert_eq!(it.response_mut().status, StatusCode::NOT_FOUND);
    }

    #[test]
    fn every_response_is_stamped_when_it_comes_in() {
        let mut it = context();
        it.stamp_responses(|headers| {
            headers.insert("x-stamp", http::HeaderValue::from_static("1"));
        });
        assert_eq!(it.response_mut().headers["x-stamp"], "1");
        it.response_mut().headers.remove("x-stamp");
        assert!(it.response_mut().headers.is_empty());

        it.set_response(Response::new(StatusCode::NOT_FOUND));
        assert_eq!(it.response_mut().headers["x-stamp"], "1");
    }

    #[tokio::test]
    async fn a_request_body_over_the_bound_answers_413() {
        let mut it = context();
        it.request.body = streaming("hello");
        it.buffer(Uses::NONE).await.unwrap();

        let error = it.buffer(Uses::REQUEST_BODY).await.unwrap_err();
        assert_eq!(error.response_status(), Some(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(error.reason(), "ExpressionValueEvaluationFailure");
        assert_eq!(error.blamed(), Blame::Client);
    }

    #[tokio::test]
    async fn a_response_body_over_the_bound_is_a_failed_evaluation() {
        let mut it = context();
        let uses = Uses::RESPONSE_BODY.union(Uses::RESPONSE);
        it.buffer(uses).await.unwrap();

        it.response_mut().body = streaming("hello");
        let error = it.buffer(uses).await.unwrap_err();
        assert_eq!(error.response_status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
        assert_eq!(error.reason(), "ExpressionValueEvaluationFailure");
    }

    #[test]
    fn two_requests_have_two_ids() {
        assert_ne!(context().request_id, context().request_id);
    }
}
