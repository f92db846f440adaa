//! The crate over real sockets: loopback only, ports chosen by the system.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

extern crate portcullis_transport as transport;

mod client;
mod http1;
mod limits;
mod proxy;
mod raw;
mod server;
mod tls;
