//! Listeners, TLS, the HTTP client and its pools, bodies, host names and the clock.
//!
//! ```text
//! socket ─▶ Server / serve_here ─▶ Service::call(Request, Peer) ─▶ Response ─▶ socket
//!                                        │
//!                                        └─▶ HttpClient::send(Request) ─▶ Response
//! ```
//!
//! Start with [`Service`] (what a listener calls), [`HttpClient`] (what makes calls) and
//! [`Body`] (what both carry). Every edge of the gateway is a trait here, with a real
//! implementation and a fake: [`Client`] and [`FakeClient`], [`SystemClock`] and [`FakeClock`].
//!
//! One current-thread runtime per core owns its listener and its backend connections, so the
//! request path takes no lock and wakes no other thread; futures stay `Send` all the same.
//!
//! This crate knows nothing of policies, routes or configuration.

mod alarm;
mod body;
mod client;
mod clock;
mod h1;
mod hosts;
mod limits;
mod peer;
mod random;
mod secret;
mod server;
mod service;
mod tls;
mod trust;
pub mod upgrade;
pub mod websocket;

use std::future::Future;
use std::pin::Pin;

pub use body::{Body, BodyError, BodySender, SenderGone};
pub use client::fake::{FakeClient, RecordedRequest};
pub use client::proxy::{BadProxy, Proxy};
pub use client::real::{Client, ClientConfig};
pub use client::{CallError, CallOptions, ClientTls, HttpClient, HttpVersion};
pub use clock::{Clock, FakeClock, SystemClock};
pub use hosts::{HostMap, HostMapError, HostTarget};
pub use limits::Limits;
pub use peer::{Peer, TlsInfo};
pub use random::fill_random;
pub use secret::Secret;
pub use server::{Bound, ListenerConfig, Running, Server, serve_here};
pub use service::{Service, abort};
pub use tls::{
    ClientCertificates, ClientIdentity, PinnedName, Pins, Roots, Thumbprint, TlsError, TlsIdentity,
    server_config,
};
pub use trust::CertificateTrust;

/// The reason phrase of a status line that is not the standard one; an extension of responses.
pub use hyper::ext::ReasonPhrase;

/// A request with our [`Body`], on either side of the gateway.
pub type Request = http::Request<Body>;

/// A response with our [`Body`], on either side of the gateway.
pub type Response = http::Response<Body>;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
