//! The client that really calls.

use std::future::{poll_fn, ready};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, Uri, Version, header};
use tokio::time::{Instant, timeout_at};

use super::connect::connect;
use super::pool::{self, Connection, Http2, Lease};
use super::proxy::Proxy;
use super::resolve::Resolver;
use super::target::Target;
use super::{CallError, CallOptions, HttpClient};
use crate::alarm::Alarm;
use crate::body::reason;
use crate::h1::client::{Connection as Http1, Deadline as Until, Fault};
use crate::tls::client::ClientConfigs;
use crate::{Body, BodyError, BoxFuture, HostMap, Request, Response, Roots};

/// Settings of a [`Client`]. All bounds are per thread.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Hosts that are reached elsewhere.
    pub hosts: HostMap,
    /// Certificate authorities that are trusted.
    pub roots: Roots,
    /// How long a connection may rest before it is closed. Default 50 s: shorter than servers
    /// keep theirs.
    pub idle_timeout: Duration,
    /// Resting HTTP/1.1 connections per destination. Default 256.
    pub max_idle: usize,
    /// Open connections per destination; beyond: [`CallError::Busy`]. Default 4,096.
    pub max_connections: usize,
    /// How long an answer of the resolver is used. Default 30 s.
    pub name_time_to_live: Duration,
}

impl ClientConfig {
    /// The defaults, with these roots and hosts.
    #[must_use]
    pub fn new(roots: Roots, hosts: HostMap) -> Self {
        Self {
            hosts,
            roots,
            idle_timeout: Duration::from_secs(50),
            max_idle: 256,
            max_connections: 4096,
            name_time_to_live: Duration::from_secs(30),
        }
    }
}

/// An [`HttpClient`] over connections that each thread keeps for itself. Cheap to clone; must be
/// used within a tokio runtime. Proxies named in the environment are never used.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    /// Tells the connections of one client from those of another, and those of one map of hosts
    /// from those of the next.
    id: AtomicU64,
    pub(super) config: ClientConfig,
    pub(super) resolver: Resolver,
    reach: RwLock<Arc<Reach>>,
}

/// What decides where a new connection leads and what it trusts. Only new connections ask.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) hosts: HostMap,
    pub(super) tls: ClientConfigs,
}

/// Begins anywhere, so that nobody can tell which destinations share a number.
static NEXT_ID: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(())));

impl Client {
    /// A client with these settings.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Self(Arc::new(Inner {
            id: AtomicU64::new(NEXT_ID.fetch_add(1, Ordering::Relaxed)),
            resolver: Resolver::new(config.name_time_to_live),
            reach: RwLock::new(Arc::new(Reach::new(&config))),
            config,
        }))
    }

    /// The map of hosts.
    #[must_use]
    pub fn hosts(&self) -> HostMap {
        self.0.reach().hosts.clone()
    }

    /// Replaces the map of hosts. Calls that have begun go on; every later one has a connection
    /// that was made by the new map.
    pub fn set_hosts(&self, hosts: HostMap) {
        let reach = Reach::new(&ClientConfig { hosts, ..self.0.config.clone() });
        *self.0.reach.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(reach);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        self.0.id.store(id, Ordering::Release);
    }
}

impl HttpClient for Client {
    fn send<'a>(
        &'a self,
        request: Request,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Response, CallError>> {
        // All that can be done at once is done here, so that the future does not carry the request.
        let mut request = request;
        let call = match Call::new(&self.0, &mut request, options) {
            Ok(call) => call,
            Err(error) => return Box::pin(ready(Err(error))),
        };
        match call.check_out() {
            Ok((host, Held::Resting(Connection::Http1(mut connection)))) => {
                connection.begin(request, call.target.path(), &host, options.continue_timeout);
                Box::pin(call.finish(connection))
            }
            Ok(found) => Box::pin(call.exchange(found, request)),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}

/// How one attempt over HTTP/2 ended without a response.
enum Failure {
    Final(CallError),
    /// Nothing of the request left us: it may be sent again, whatever it is.
    Unsent(Box<Request>),
    /// The connection broke before any answer.
    Broken(CallError),
}

impl Reach {
    fn new(config: &ClientConfig) -> Self {
        Self { hosts: config.hosts.clone(), tls: ClientConfigs::new(config.roots.clone()) }
    }
}

/// Until when the response's headers must be there.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    /// `None` if that is further away than times go.
    fn new(after: Duration) -> Option<Self> {
        Instant::now().checked_add(after).map(|at| Self { at, after })
    }
}

fn at(deadline: Option<Deadline>) -> Option<Instant> {
    deadline.map(|it| it.at)
}

fn late(deadline: Option<Deadline>) -> CallError {
    CallError::Timeout { after: deadline.map_or(Duration::ZERO, |it| it.after) }
}

/// What all attempts of a call have in common.
struct Call<'a> {
    client: &'a Inner,
    target: Target,
    hash: u64,
    deadline: Option<Deadline>,
    options: &'a CallOptions,
}

/// What a thread has for a destination: a connection, or the count of those that are open.
enum Held {
    Resting(Connection),
    None(Arc<AtomicUsize>),
}

impl Inner {
    pub(super) fn reach(&self) -> Arc<Reach> {
        self.reach.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<'a> Call<'a> {
    /// Takes the URI out of the request, which gets it back in the form that its protocol wants.
    fn new(
        client: &'a Inner,
        request: &mut Request,
        options: &'a CallOptions,
    ) -> Result<Self, CallError> {
        let target = Target::new(std::mem::take(request.uri_mut()), options)?;
        if target.is_relayed() {
            let headers = request.headers_mut();
            headers.remove(header::PROXY_AUTHORIZATION);
            if let Some(value) = target.proxy.as_ref().and_then(Proxy::authorization) {
                headers.insert(header::PROXY_AUTHORIZATION, value.clone());
            }
        }
        let hash = target.hash(client.id.load(Ordering::Acquire));
        let deadline = options.response_timeout.and_then(Deadline::new);
        Ok(Self { client, target, hash, deadline, options })
    }

    /// What this thread has for the destination, and the value of `Host`.
    fn check_out(&self) -> Result<(HeaderValue, Held), CallError> {
        let found = pool::check_out(&self.target, self.hash, || self.target.host_value())?;
        let held = match found.connection {
            Some(connection) => Held::Resting(connection),
            None => Held::None(found.n_open),
        };
        Ok((found.host, held))
    }

    /// Goes on with a connection that has rested and has begun with the request.
    async fn finish(self, connection: Box<Http1>) -> Result<Response, CallError> {
        self.send1(connection, true).await
    }

    async fn exchange(
        self,
        (host, held): (HeaderValue, Held),
        request: Request,
    ) -> Result<Response, CallError> {
        let (connection, is_reused) = self.connection(held).await?;
        match connection {
            Connection::Http1(mut connection) => {
                let wait = self.options.continue_timeout;
                connection.begin(request, self.target.path(), &host, wait);
                self.send1(connection, is_reused).await
            }
            Connection::Http2(connection) => {
                // Boxed: large, and few calls need it.
                Box::pin(self.exchange2(connection, is_reused, request)).await
            }
        }
    }

    /// A connection that rests, is shared or is new. Whether it has served before.
    async fn connection(&self, held: Held) -> Result<(Connection, bool), CallError> {
        let n_open = match held {
            Held::Resting(connection) => return Ok((connection, true)),
            Held::None(n_open) => n_open,
        };
        // Boxed: a handshake is large, and most calls need none.
        let bound = self.options.connect_timeout;
        let opening = Box::pin(connect(self.client, &self.target, self.hash, bound, n_open));
        let opened = match at(self.deadline) {
            Some(at) => timeout_at(at, opening).await.map_err(|_| late(self.deadline))?,
            None => opening.await,
        };
        let connection = opened?;
        if let Connection::Http2(shared) = &connection {
            pool::share(self.hash, shared);
        }
        Ok((connection, false))
    }

    /// Another connection, after one has failed.
    async fn next(&self) -> Result<(HeaderValue, Connection, bool), CallError> {
        let (host, held) = self.check_out()?;
        let (connection, is_reused) = self.connection(held).await?;
        Ok((host, connection, is_reused))
    }

    fn broken(&self, reason: impl Into<String>) -> CallError {
        CallError::Broken { host: self.target.name(), reason: reason.into() }
    }

    /// Sends what the connection has begun with; on another one if it turns out to be dead.
    async fn send1(
        &self,
        mut connection: Box<Http1>,
        mut is_reused: bool,
    ) -> Result<Response, CallError> {
        loop {
            let mut until = Until::new(at(self.deadline));
            let fault = match poll_fn(|cx| connection.poll_head(cx, &mut until)).await {
                Ok(head) => {
                    let response = connection.respond(head, self.options.body_idle_timeout);
                    return self.unless_refused(response);
                }
                Err(fault) => fault,
            };
            match fault {
                Fault::RequestBody(error) => return Err(CallError::RequestBody(error)),
                Fault::Late => return Err(late(self.deadline)),
                Fault::Broken(_) if is_reused && connection.can_repeat() => {}
                Fault::Broken(reason) => return Err(self.broken(reason)),
            }
            let (_, Connection::Http1(mut next), reused) = Box::pin(self.next()).await? else {
                return Err(self.broken("the protocol has changed"));
            };
            next.take_over(connection);
            (connection, is_reused) = (next, reused);
        }
    }

    /// What a proxy answers for itself is no response.
    fn unless_refused(&self, response: Response) -> Result<Response, CallError> {
        let is_refused = self.target.is_relayed()
            && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        match &self.target.proxy {
            Some(proxy) if is_refused => Err(proxy.failed("it answered 407")),
            _ => Ok(response),
        }
    }

    async fn exchange2(
        &self,
        mut connection: Http2,
        mut is_reused: bool,
        mut request: Request,
    ) -> Result<Response, CallError> {
        loop {
            let spare = if is_reused { copy(&request) } else { None };
            let attempt = self.send2(connection, request).await;
            request = match (attempt, spare) {
                (Ok(response), _) => return Ok(response),
                (Err(Failure::Unsent(unsent)), _) if is_reused => *unsent,
                (Err(Failure::Broken(_)), Some(spare)) => spare,
                (Err(Failure::Final(error) | Failure::Broken(error)), _) => return Err(error),
                (Err(Failure::Unsent(_)), _) => {
                    return Err(self.broken("closed before the request was sent"));
                }
            };
            let (host, next, reused) = self.next().await?;
            is_reused = reused;
            connection = match next {
                Connection::Http2(next) => next,
                Connection::Http1(mut next) => {
                    let wait = self.options.continue_timeout;
                    next.begin(request, self.target.path(), &host, wait);
                    return self.send1(next, reused).await;
                }
            };
        }
    }

    async fn send2(
        &self,
        mut connection: Http2,
        mut request: Request,
    ) -> Result<Response, Failure> {
        *request.version_mut() = Version::HTTP_2;
        // HTTP/2 says `:authority` in place of `Host`.
        *request.uri_mut() = match request.headers_mut().remove(header::HOST) {
            Some(host) => with_authority(self.target.uri(), &host).map_err(Failure::Final)?,
            None => self.target.uri().clone(),
        };
        let lease = Lease::new(connection.usage.clone());
        let sent = connection.sender.try_send_request(request);
        let outcome = Alarm::default().bound(at(self.deadline), sent).await;
        match outcome.ok_or_else(|| Failure::Final(late(self.deadline)))? {
            Ok(response) => {
                let idle = self.options.body_idle_timeout;
                Ok(response.map(|body| Body::leased(body, idle, lease)))
            }
            Err(mut error) => {
                if connection.sender.is_closed() || error.message().is_some() {
                    pool::unshare(self.hash);
                }
                Err(match error.take_message() {
                    Some(unsent) => Failure::Unsent(Box::new(unsent)),
                    None => failure(error.error(), &self.target),
                })
            }
        }
    }
}

fn with_authority(uri: &Uri, host: &HeaderValue) -> Result<Uri, CallError> {
    let mut parts = uri.clone().into_parts();
    let refused = || CallError::Url("the Host header is no host name".to_owned());
    parts.authority = Some(host.as_bytes().try_into().map_err(|_| refused())?);
    Uri::from_parts(parts).map_err(|_| refused())
}

/// A copy to send once more, if a second arrival does no harm and the body is at hand.
///
/// Source: RFC 9110, section 9.2.2.
fn copy(request: &Request) -> Option<Request> {
    let is_idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS | Method::TRACE
    );
    let body = request.body().as_bytes().filter(|_| is_idempotent)?.clone();
    let mut copy = Request::new(Body::full(body));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

fn failure(error: &hyper::Error, target: &Target) -> Failure {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<BodyError>() {
            return Failure::Final(CallError::RequestBody(error.clone()));
        }
        source = inner.source();
    }
    Failure::Broken(CallError::Broken { host: target.name(), reason: reason(error) })
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, Uri};

    use super::{Call, Client, ClientConfig, copy, with_authority};
    use crate::{Body, CallOptions, HostMap, Request, Roots};

    fn request(method: Method, body: Body) -> Request {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        request
    }

    #[test]
    fn only_what_may_arrive_twice_is_kept_for_a_second_attempt() {
        assert!(copy(&request(Method::GET, Body::empty())).is_some());
        assert!(copy(&request(Method::PUT, Body::full("x"))).is_some());
        assert!(copy(&request(Method::POST, Body::full("x"))).is_none());
        assert!(copy(&request(Method::PUT, Body::channel(1).1)).is_none());
    }

    /// Every call makes one and moves it.
    #[test]
    fn the_future_of_a_call_stays_small() {
        let client = Client::new(ClientConfig::new(Roots::none(), HostMap::new()));
        let (options, uri) = (CallOptions::default(), Uri::from_static("http://a/"));
        let mut request = request(Method::GET, Body::empty());
        *request.uri_mut() = uri;
        let call = Call::new(&client.0, &mut request, &options).unwrap();
        let finishing = |connection| call.finish(connection);
        assert!(size_of_output(&finishing) < 640, "{}", size_of_output(&finishing));
    }

    fn size_of_output<A, F>(_: &impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_host_header_becomes_the_authority() {
        let uri = Uri::from_static("https://a/b?c");
        let changed = with_authority(&uri, &HeaderValue::from_static("x:1")).unwrap();
        assert_eq!(changed, "https://x:1/b?c");
        assert!(with_authority(&uri, &HeaderValue::from_static("a b")).is_err());
    }
}
