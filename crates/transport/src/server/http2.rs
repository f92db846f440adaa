//! HTTP/2 of a listener: the library's connection, with our bounds around it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::timeout;

use super::connection::Shared;
use super::watch::{InFlight, Outgoing, Overdue, Watch, Watched};
use crate::h1::io::Rewound;
use crate::h1::request::Refusal;
use crate::h1::ticker::period;
use crate::service::{Abort, explain};
use crate::{Body, BodyError, Limits, Peer, Service};

/// Serves a connection until it closes, or until `draining` ends and its requests are answered.
pub(super) async fn serve<S: Service>(
    shared: Arc<Shared<S>>,
    io: Rewound,
    peer: Arc<Peer>,
    draining: impl Future<Output = ()> + Send,
) {
    let watch = Arc::new(Watch::new());
    let limits = shared.limits.clone();
    let answering = {
        let watch = watch.clone();
        service_fn(move |request| answer(&shared, &watch, &peer, request))
    };
    let io = TokioIo::new(Watched::new(io, watch.clone()));
    let connection = std::pin::pin!(builder(&limits).serve_connection(io, answering));
    drive(connection, |it| it.graceful_shutdown(), &watch, &limits, draining).await;
}

/// Runs a connection beside its timer.
async fn drive<C, E>(
    mut connection: Pin<&mut C>,
    mut shut_down: impl FnMut(Pin<&mut C>),
    watch: &Watch,
    limits: &Limits,
    draining: impl Future<Output = ()>,
) where
    C: Future<Output = Result<(), E>>,
{
    let period = period(limits);
    let mut timer = std::pin::pin!(tokio::time::sleep(period));
    let mut draining = std::pin::pin!(draining);
    let (mut is_draining, mut n_idle) = (false, 0);
    loop {
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = draining.as_mut(), if !is_draining => {
                is_draining = true;
                shut_down(connection.as_mut());
            }
            () = timer.as_mut() => {
                watch.cut(limits.write_timeout);
                match watch.overdue(limits) {
                    None => n_idle = 0,
                    Some(Overdue::Write) => return,
                    // The client is told first; then it has had its time.
                    Some(Overdue::Idle) if n_idle > 0 => return,
                    Some(Overdue::Idle) => {
                        n_idle += 1;
                        shut_down(connection.as_mut());
                    }
                }
                timer.as_mut().reset(tokio::time::Instant::now() + period);
            }
        }
    }
}

fn builder(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .max_header_list_size(u32::try_from(limits.max_head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.max_streams)
        .keep_alive_interval(limits.keep_alive_timeout / 2)
        .keep_alive_timeout(limits.write_timeout.min(Duration::from_secs(20)))
        .timer(TokioTimer::new());
    builder
}

fn answer<S: Service>(
    shared: &Arc<Shared<S>>,
    watch: &Arc<Watch>,
    peer: &Arc<Peer>,
    request: http::Request<Incoming>,
) -> impl Future<Output = Result<http::Response<Sent>, Aborted>> + Send + use<S> {
    let (watch, in_flight) = (watch.clone(), InFlight::new(watch.clone()));
    let limits = &shared.limits;
    let bound = limits.request_timeout;
    let work = match refusal(&request, limits) {
        Some(refusal) => Err(explain(refusal.status(), refusal.message())),
        None => {
            let (max_bytes, idle) = (limits.max_body_bytes, limits.body_idle_timeout);
            let request = request.map(|it| Body::incoming(it, max_bytes, Some(idle)));
            Ok(shared.service.clone().call(request, peer.clone()))
        }
    };
    async move {
        let response = match work {
            Err(refused) => refused,
            Ok(work) => timeout(bound, work).await.unwrap_or_else(|_| {
                explain(http::StatusCode::GATEWAY_TIMEOUT, "The request took too long.")
            }),
        };
        if response.extensions().get::<Abort>().is_some() {
            return Err(Aborted);
        }
        Ok(response.map(|body| Sent::new(body, &watch, in_flight)))
    }
}

/// Why a request is answered before anyone looks at it.
fn refusal(request: &http::Request<Incoming>, limits: &Limits) -> Option<Refusal> {
    let headers = request.headers();
    let target_bytes = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if target_bytes > limits.max_target_bytes {
        return Some(Refusal::TargetTooLong);
    }
    if headers.len() > limits.max_headers {
        return Some(Refusal::HeadersTooLarge);
    }
    // `:authority` is in its place; beside it there may be one.
    if headers.get_all(header::HOST).iter().count() > 1 {
        return Some(Refusal::Malformed);
    }
    let announced = request.body().size_hint().lower();
    (announced > limits.max_body_bytes).then_some(Refusal::BodyTooLarge)
}

/// The service gave no answer, on purpose: the stream is closed.
#[derive(Debug, thiserror::Error)]
#[error("the service closed the connection without an answer")]
struct Aborted;

/// A response body on its way out. The request counts as in flight until it is dropped.
struct Sent {
    out: Arc<Outgoing>,
    watch: Arc<Watch>,
    _in_flight: InFlight,
}

impl Sent {
    fn new(body: Body, watch: &Arc<Watch>, in_flight: InFlight) -> Self {
        let out = Arc::new(Outgoing::new(body));
        // What is in memory holds up nobody.
        if out.body().as_bytes().is_none() {
            watch.add(&out);
        }
        Self { out, watch: watch.clone(), _in_flight: in_flight }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.out.poll_frame(cx, &self.watch)
    }

    fn is_end_stream(&self) -> bool {
        self.out.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.out.body().size_hint()
    }
}
