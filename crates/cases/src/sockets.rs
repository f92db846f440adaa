//! Real sockets on both sides of the gateway, for the same cases.
//!
//! ```text
//! ask ─HTTP/1.1─▶ listener ─▶ Gateway ─▶ Wire ─HTTP/1.1─▶ backend (answers as the case says)
//! ```
//!
//! Everything runs on one thread, and the runtime's clock is paused: it goes on only when nobody
//! has anything to do, so a wait of minutes takes no time and a call over loopback is never late.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use proxy::Gateway;
use tokio::net::TcpListener;
use transport::{
    Body, BoxFuture, CallError, CallOptions, Client, ClientConfig, FakeClock, HostMap, HttpClient,
    Limits, Peer, RecordedRequest, Request, Response, Roots, serve_here,
};

use crate::case::{Answer, Case, Message};
use crate::edges::{self, Answers, TICK};

/// Largest request body that the backend reads.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Most ticks after which a request counts as stuck: an hour.
const MAX_TICKS: u32 = 36_000;

/// Headers that a connection writes when the request does not have them.
const FRAMING: [HeaderName; 3] = [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

fn loopback() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

fn client() -> Client {
    Client::new(ClientConfig::new(Roots::none(), HostMap::new()))
}

/// The same URL at another address, without TLS.
fn moved(url: &Uri, to: SocketAddr) -> Result<Uri, String> {
    let mut parts = url.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(to.to_string().parse::<Authority>().map_err(|error| error.to_string())?);
    parts.path_and_query.get_or_insert(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|error| error.to_string())
}

/// Sends the request of a case to the gateway over a socket, and reads the answer to its end.
pub(crate) async fn ask(
    gateway: Arc<Gateway>,
    peer: Arc<Peer>,
    mut request: Request,
) -> Result<Message, String> {
    let (listener, address) = loopback().map_err(|error| error.to_string())?;
    // The address and the TLS of the caller are the case's, not loopback's.
    let service = move |request: Request, _: Arc<Peer>| {
        let (gateway, peer) = (Arc::clone(&gateway), Arc::clone(&peer));
        async move { gateway.handle(request, peer).await }
    };
    let forever = std::future::pending();
    tokio::spawn(serve_here(listener, None, Limits::default(), Arc::new(service), forever));
    *request.uri_mut() = moved(request.uri(), address)?;
    let options =
        CallOptions { response_timeout: None, body_idle_timeout: None, ..CallOptions::default() };
    let response = client().send(request, &options).await.map_err(|error| error.to_string())?;
    edges::response(response).await
}

/// Waits for the end; the case's clock goes on with the runtime's.
pub(crate) async fn to_the_end<T>(
    clock: &FakeClock,
    work: impl Future<Output = T>,
) -> Result<T, String> {
    let mut work = pin!(work);
    for _ in 0..MAX_TICKS {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = tokio::time::sleep(TICK) => {}
        }
        if clock.sleepers() > 0 {
            clock.advance(TICK);
        }
    }
    Err("the request does not come to an end".to_owned())
}

/// Calls every address over a socket: to the backend of the case, or to where nobody listens.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Shared>);

struct Shared {
    answers: Answers,
    client: Client,
    backend: SocketAddr,
    /// Where nobody listens.
    nowhere: SocketAddr,
    /// What the backend is about to get, by method and path, and what it will answer.
    announced: Mutex<HashMap<(Method, String), VecDeque<Call>>>,
    made: Mutex<Vec<RecordedRequest>>,
}

/// A call on its way.
struct Call {
    url: Uri,
    answer: Message,
    options: CallOptions,
    /// What the connection adds to the head, and the gateway did not say.
    added: Vec<HeaderName>,
}

impl Wire {
    /// Starts the backend of a case on the current runtime.
    pub(crate) fn start(case: &Case) -> io::Result<Wire> {
        let (listener, backend) = loopback()?;
        let (_, nowhere) = loopback()?;
        let wire = Wire(Arc::new(Shared {
            answers: Answers::of(case),
            client: client(),
            backend,
            nowhere,
            announced: Mutex::default(),
            made: Mutex::default(),
        }));
        let shared = Arc::clone(&wire.0);
        let service = move |request, _| Arc::clone(&shared).answer(request);
        let forever = std::future::pending();
        tokio::spawn(serve_here(listener, None, Limits::default(), Arc::new(service), forever));
        Ok(wire)
    }

    /// All requests that reached the backend, or would have, in order.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.0.made).clone()
    }
}

impl Shared {
    /// The backend: notes the request and answers.
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let path = request.uri().to_string();
        let call = lock(&self.announced)
            .get_mut(&(request.method().clone(), path))
            .and_then(VecDeque::pop_front);
        let Some(call) = call else {
            let mut response = Response::new(Body::full("nobody announced this call"));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            return response;
        };
        let answer = edges::answer(&call.answer);
        self.note(request, call).await;
        answer.unwrap_or_else(|problem| {
            let mut response = Response::new(Body::full(problem));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }

    async fn note(&self, request: Request, call: Call) {
        let (mut head, body) = request.into_parts();
        for name in &call.added {
            head.headers.remove(name);
        }
        let body = body.collect(MAX_BODY_BYTES).await.unwrap_or_default();
        lock(&self.made).push(RecordedRequest {
            method: head.method,
            uri: call.url,
            headers: head.headers,
            body,
            options: call.options,
        });
    }

    async fn send(
        &self,
        mut request: Request,
        options: &CallOptions,
    ) -> Result<Response, CallError> {
        let url = request.uri().clone();
        let host = url.authority().map(ToString::to_string).unwrap_or_default();
        let broken = |reason: String| CallError::Broken { host: host.clone(), reason };
        let mut added = FRAMING.to_vec();
        added.retain(|name| !request.headers().contains_key(name));
        if added.contains(&header::HOST) {
            let value = HeaderValue::try_from(&host).map_err(|error| broken(error.to_string()))?;
            request.headers_mut().insert(header::HOST, value);
        }
        let answer = self.answers.next(&url);
        let call = |answer| Call {
            url: url.clone(),
            answer,
            options: options.clone(),
            added: added.clone(),
        };
        let to = match answer {
            Answer::Response(message) => {
                let path = url.path_and_query().map_or("/", |it| it.as_str()).to_owned();
                let key = (request.method().clone(), path);
                lock(&self.announced).entry(key).or_default().push_back(call(message));
                self.backend
            }
            Answer::ConnectionRefused => {
                self.note(emptied(&request), call(Message::default())).await;
                self.nowhere
            }
            Answer::Timeout => {
                self.note(emptied(&request), call(Message::default())).await;
                let after = options.response_timeout.unwrap_or(TICK * MAX_TICKS);
                tokio::time::sleep(after).await;
                return Err(CallError::Timeout { after });
            }
        };
        *request.uri_mut() = moved(&url, to).map_err(broken)?;
        self.client.send(request, options).await.map_err(|error| match error {
            CallError::Connect { reason, .. } => CallError::Connect { host: host.clone(), reason },
            other => other,
        })
    }
}

/// The head of a request whose body nobody will get.
fn emptied(request: &Request) -> Request {
    let mut copy = Request::new(Body::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.0.backend)
    }
}

impl HttpClient for Wire {
    fn send<'a>(
        &'a self,
        request: Request,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Response, CallError>> {
        Box::pin(self.0.send(request, options))
    }
}
