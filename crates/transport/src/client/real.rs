//! The client that really calls.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{HeaderValue, Method, Uri, Version, header};
use tokio::time::Instant;

use super::connect::connect;
use super::pool::{self, Connection, Http2, Lease};
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

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

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
        Box::pin(self.0.exchange(request, options))
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
#[derive(Clone, Copy)]
struct Route<'a> {
    target: &'a Target,
    hash: u64,
    deadline: Option<Deadline>,
    options: &'a CallOptions,
}

impl Inner {
    pub(super) fn reach(&self) -> Arc<Reach> {
        self.reach.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn exchange(
        &self,
        request: Request,
        options: &CallOptions,
    ) -> Result<Response, CallError> {
        // The request gets it back in the form that its protocol wants.
        let mut request = request;
        let target = Target::new(std::mem::take(request.uri_mut()), options)?;
        let hash = target.hash(self.id.load(Ordering::Acquire));
        let deadline = options.response_timeout.and_then(Deadline::new);
        let route = Route { target: &target, hash, deadline, options };
        let (found, is_reused) = self.connection(&route).await?;
        match found {
            (host, Connection::Http1(mut connection)) => {
                connection.begin(request, target.path(), &host, options.continue_timeout);
                self.send1(connection, is_reused, route).await
            }
            (_, Connection::Http2(connection)) => {
                // Boxed: large, and few calls need it.
                Box::pin(self.exchange2(connection, is_reused, request, route)).await
            }
        }
    }

    /// A connection that rests, is shared or is new, and the value of `Host`. Whether it has
    /// served before.
    async fn connection(
        &self,
        route: &Route<'_>,
    ) -> Result<((HeaderValue, Connection), bool), CallError> {
        let Route { target, hash, deadline, options } = *route;
        let found = pool::check_out(target, hash, || target.host_value())?;
        if let Some(connection) = found.connection {
            return Ok(((found.host, connection), true));
        }
        // Boxed: a handshake is large, and most calls need none.
        let bound = options.connect_timeout;
        let opening = Box::pin(connect(self, target, hash, bound, found.n_open));
        let opened = match at(deadline) {
            Some(at) => tokio::time::timeout_at(at, opening).await.map_err(|_| late(deadline))?,
            None => opening.await,
        };
        let connection = opened?;
        if let Connection::Http2(shared) = &connection {
            pool::share(hash, shared);
        }
        Ok(((found.host, connection), false))
    }

    /// Sends what the connection has begun with; on another one if it turns out to be dead.
    async fn send1(
        &self,
        mut connection: Box<Http1>,
        mut is_reused: bool,
        route: Route<'_>,
    ) -> Result<Response, CallError> {
        let Route { target, deadline, options, .. } = route;
        let mut until = Until::new(at(deadline));
        loop {
            let fault = match poll_fn(|cx| connection.poll_head(cx, &mut until)).await {
                Ok(head) => return Ok(connection.respond(head, options.body_idle_timeout)),
                Err(fault) => fault,
            };
            let broken = |reason| CallError::Broken { host: target.name(), reason };
            match fault {
                Fault::RequestBody(error) => return Err(CallError::RequestBody(error)),
                Fault::Late => return Err(late(deadline)),
                Fault::Broken(_) if is_reused && connection.can_repeat() => {}
                Fault::Broken(reason) => return Err(broken(reason)),
            }
            let again = Box::pin(self.connection(&route)).await?;
            let ((_, Connection::Http1(mut next)), reused) = again else {
                return Err(broken("the protocol has changed".to_owned()));
            };
            next.take_over(connection);
            (connection, is_reused) = (next, reused);
            until = Until::new(at(deadline));
        }
    }

    async fn exchange2(
        &self,
        mut connection: Http2,
        mut is_reused: bool,
        mut request: Request,
        route: Route<'_>,
    ) -> Result<Response, CallError> {
        loop {
            let spare = if is_reused { copy(&request) } else { None };
            let attempt = Self::send2(connection, request, route).await;
            request = match (attempt, spare) {
                (Ok(response), _) => return Ok(response),
                (Err(Failure::Unsent(unsent)), _) if is_reused => *unsent,
                (Err(Failure::Broken(_)), Some(spare)) => spare,
                (Err(Failure::Final(error) | Failure::Broken(error)), _) => return Err(error),
                (Err(Failure::Unsent(_)), _) => {
                    let reason = "closed before the request was sent".to_owned();
                    return Err(CallError::Broken { host: route.target.name(), reason });
                }
            };
            let (next, reused) = self.connection(&route).await?;
            is_reused = reused;
            connection = match next {
                (_, Connection::Http2(next)) => next,
                (host, Connection::Http1(mut next)) => {
                    let wait = route.options.continue_timeout;
                    request.headers_mut().entry(header::HOST).or_insert_with(|| host.clone());
                    next.begin(request, route.target.path(), &host, wait);
                    return self.send1(next, reused, route).await;
                }
            };
        }
    }

    async fn send2(
        mut connection: Http2,
        mut request: Request,
        Route { target, hash, deadline, options }: Route<'_>,
    ) -> Result<Response, Failure> {
        *request.version_mut() = Version::HTTP_2;
        // HTTP/2 says `:authority` in place of `Host`.
        *request.uri_mut() = match request.headers_mut().remove(header::HOST) {
            Some(host) => with_authority(target.uri(), &host).map_err(Failure::Final)?,
            None => target.uri().clone(),
        };
        let lease = Lease::new(connection.usage.clone());
        let sent = connection.sender.try_send_request(request);
        let outcome = Alarm::default().bound(at(deadline), sent).await;
        match outcome.ok_or_else(|| Failure::Final(late(deadline)))? {
            Ok(response) => {
                let idle = options.body_idle_timeout;
                Ok(response.map(|body| Body::leased(body, idle, lease)))
            }
            Err(mut error) => {
                if connection.sender.is_closed() || error.message().is_some() {
                    pool::unshare(hash);
                }
                Err(match error.take_message() {
                    Some(unsent) => Failure::Unsent(Box::new(unsent)),
                    None => failure(error.error(), target),
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

    use super::{Client, ClientConfig, copy, with_authority};
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

    /// Every call moves it at least once.
    #[test]
    fn the_future_of_a_call_stays_small() {
        let client = Client::new(ClientConfig::new(Roots::none(), HostMap::new()));
        let options = CallOptions::default();
        let call = client.0.exchange(request(Method::GET, Body::empty()), &options);
        assert!(size_of_val(&call) < 1280, "{}", size_of_val(&call));
    }

    #[test]
    fn the_host_header_becomes_the_authority() {
        let uri = Uri::from_static("https://a/b?c");
        let changed = with_authority(&uri, &HeaderValue::from_static("x:1")).unwrap();
        assert_eq!(changed, "https://x:1/b?c");
        assert!(with_authority(&uri, &HeaderValue::from_static("a b")).is_err());
    }
}
