//! What the unit tests of this crate start from.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};
use pipeline::{BaseUrl, Caches, Context, NoForward, Request, RequestUrl, Services};
use transport::{FakeClient, FakeClock};

use crate::place::Place;

/// The context of a request: a request line and header lines.
pub(crate) fn context(text: &str) -> Context {
    let clock = FakeClock::at_unix(1_700_000_000);
    let client = Arc::new(FakeClient::unreachable());
    let services = Services::new(client, Arc::new(clock), Arc::new(NoForward));
    Context::new(request(text), Arc::new(services))
}

fn request(text: &str) -> Request {
    let mut lines = text.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let base = Arc::new(BaseUrl::origin("https", "backend.example", 443));
    let url = RequestUrl::new(base, path, query);
    let mut request = Request::new(method.parse::<Method>().unwrap(), url.clone(), url);
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        let name: HeaderName = name.parse().unwrap();
        request.headers.append(name, HeaderValue::from_str(value.trim()).unwrap());
    }
    request
}

/// The internal cache, with entries of at most so many bytes.
pub(crate) fn internal(max_entry_bytes: usize) -> Place {
    Place::internal(&Caches { max_entry_bytes, ..Caches::default() })
}
