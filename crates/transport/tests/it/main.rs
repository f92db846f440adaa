//! The crate over real sockets: loopback only, ports chosen by the system.

extern crate portcullis_transport as transport;

mod client;
mod limits;
mod raw;
mod server;
mod tls;
