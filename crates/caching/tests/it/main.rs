//! The caching policies with a real `redis-server`; skipped, loudly, where there is none.

#![cfg(test)]

extern crate state as portcullis_state;

mod redis;
#[expect(dead_code, reason = "shared with the tests of the stores, which need more of it")]
#[path = "../../../state/tests/it/server.rs"]
mod server;
