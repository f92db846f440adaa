//! The stores against a real `redis-server`; skipped, loudly, where there is none.

#![cfg(test)]

mod breakers;
mod cache;
mod channel;
mod cluster;
mod connection;
mod counters;
mod server;
mod tokens;
