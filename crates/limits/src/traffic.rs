//! Bytes that a request and its response are: heads as policies leave them, bodies as they pass.
//!
//! What lies below (TLS, chunks, frames) is not counted. Azure does not say what it counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Method};
use pipeline::Context;

/// `HTTP/1.1`, spaces and the line's end.
const REQUEST_LINE_EXTRA: usize = 12;
/// `HTTP/1.1 200 ` and the line's end.
const STATUS_LINE: u64 = 15;
/// Colon, space and the line's end.
const HEADER_EXTRA: usize = 4;

/// The bytes of a request, counted on.
#[derive(Debug)]
pub(crate) struct Traffic {
    head: u64,
    body: Arc<AtomicU64>,
}

impl Traffic {
    /// Begins to count the request.
    pub(crate) fn begin(context: &mut Context) -> Traffic {
        let request = &mut context.request;
        let url = &request.original_url;
        let line = request.original_method.as_str().len() + url.path().len() + url.query().len();
        let line = u64::try_from(line + REQUEST_LINE_EXTRA).unwrap_or(u64::MAX);
        Traffic { head: line + head(&request.headers), body: request.body.count() }
    }

    /// Has `charge` told of all bytes when the response is through, or given up.
    pub(crate) fn finish(
        &self,
        context: &mut Context,
        charge: impl FnOnce(u64) + Send + Sync + Unpin + 'static,
    ) {
        let is_head = context.request.original_method == Method::HEAD;
        let Some(response) = &mut context.response else { return };
        let before = self.head + STATUS_LINE + head(&response.headers);
        let bodies =
            [Arc::clone(&self.body), if is_head { Arc::default() } else { response.body.count() }];
        let sum = Sum { before, bodies, charge: Some(charge) };
        // What is in memory is through as far as we are concerned: this drops the sum at once.
        response.body.hold(sum);
    }
}

/// Tells when it is dropped.
struct Sum<F: FnOnce(u64)> {
    before: u64,
    bodies: [Arc<AtomicU64>; 2],
    charge: Option<F>,
}

impl<F: FnOnce(u64)> Drop for Sum<F> {
    fn drop(&mut self) {
        let bodies = self.bodies.iter().map(|it| it.load(Ordering::Relaxed));
        let total = bodies.fold(self.before, u64::saturating_add);
        if let Some(charge) = self.charge.take() {
            charge(total);
        }
    }
}

fn head(headers: &HeaderMap) -> u64 {
    let of = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.len() + HEADER_EXTRA
    };
    let n_bytes: usize = headers.iter().map(of).sum();
    u64::try_from(n_bytes).unwrap_or(u64::MAX)
}
