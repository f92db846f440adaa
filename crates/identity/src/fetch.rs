//! Fetching small documents: bounded in size, time and redirects.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, LOCATION};
use http::{Method, StatusCode};
use transport::{Body, BodyError, CallError, CallOptions, Clock, HttpClient, Request};
use url::{Host, Url};

/// The largest document that is read.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
/// The longest wait for a document, redirects included.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 3;

/// Why a document could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address is neither `https` nor on the local machine nor explicitly allowed.
    #[error("`{0}` is not allowed: https is needed")]
    NotAllowed(String),
    /// The call brought no response.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The response's body broke off or was too large.
    #[error("the answer could not be read: {0}")]
    Body(BodyError),
    /// No complete answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// A status other than 200.
    #[error("the answer has status {}", .0.as_u16())]
    Status(StatusCode),
    /// More than three redirects, or one without a usable target.
    #[error("redirected too often or to a place that is not allowed")]
    Redirect,
    /// The document is not what it should be.
    #[error("the document is not usable: {0}")]
    Malformed(String),
}

/// Fetches a document with `GET`; follows at most three redirects that `is_allowed` permits.
pub(crate) async fn get(
    client: &Arc<dyn HttpClient>,
    url: &Url,
    is_allowed: &(dyn Fn(&Url) -> bool + Sync),
) -> Result<Bytes, FetchError> {
    let mut target = url.clone();
    for _ in 0..=MAX_REDIRECTS {
        if !is_allowed(&target) || (url.scheme() == "https" && target.scheme() != "https") {
            return Err(FetchError::NotAllowed(without_secrets(&target)));
        }
        let request = http::Request::builder()
            .method(Method::GET)
            .uri(uri_text(&target))
            .header(ACCEPT, "application/json")
            .body(Body::empty())
            .map_err(|_| FetchError::NotAllowed(without_secrets(&target)))?;
        let response = client.send(request, &call_options(FETCH_TIMEOUT)).await?;
        match response.status() {
            StatusCode::OK => {
                let body = response.into_body().collect(MAX_DOCUMENT_BYTES).await;
                return body.map_err(FetchError::Body);
            }
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
                target =
                    location.and_then(|it| target.join(it).ok()).ok_or(FetchError::Redirect)?;
            }
            status => return Err(FetchError::Status(status)),
        }
    }
    Err(FetchError::Redirect)
}

/// Sends a request and reads the whole answer, whatever its status.
pub(crate) async fn call(
    client: &Arc<dyn HttpClient>,
    clock: &Arc<dyn Clock>,
    request: Request,
    timeout: Duration,
) -> Result<http::Response<Bytes>, FetchError> {
    call_up_to(client, clock, request, timeout, MAX_DOCUMENT_BYTES).await
}

/// The same with another bound for the answer.
pub(crate) async fn call_up_to(
    client: &Arc<dyn HttpClient>,
    clock: &Arc<dyn Clock>,
    request: Request,
    timeout: Duration,
    max_bytes: usize,
) -> Result<http::Response<Bytes>, FetchError> {
    let work = async {
        let (head, body) = client.send(request, &call_options(timeout)).await?.into_parts();
        let body = body.collect(max_bytes).await.map_err(FetchError::Body)?;
        Ok(http::Response::from_parts(head, body))
    };
    within(clock, timeout, work).await
}

/// Gives up after `timeout` on this clock.
pub(crate) async fn within<T>(
    clock: &Arc<dyn Clock>,
    timeout: Duration,
    work: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    tokio::select! {
        biased;
        outcome = work => outcome,
        () = clock.sleep(timeout) => Err(FetchError::Timeout(timeout)),
    }
}

fn call_options(timeout: Duration) -> CallOptions {
    CallOptions {
        response_timeout: Some(timeout),
        connect_timeout: timeout,
        body_idle_timeout: Some(timeout),
        ..CallOptions::default()
    }
}

/// True for names and addresses of the machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The address as a request needs it: a fragment never leaves the machine.
fn uri_text(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.into()
}

/// The address for messages: without user name, password and query.
pub(crate) fn without_secrets(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    // These fail only for addresses that cannot have a user name, which is as good.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.into()
}

#[cfg(test)]
mod tests {
    use http::Response;
    use transport::{FakeClient, FakeClock};

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn redirecting() -> Arc<dyn HttpClient> {
        Arc::new(FakeClient::new(|request| {
            let path = request.uri.path();
            let (status, location) = match path {
                "/3" => (302, "/2"),
                "/4" => (301, "/3"),
                "/2" => (307, "https://b.test/1"),
                "/1" => (308, "/end"),
                "/down" => (302, "http://a.test/end"),
                "/nowhere" => (302, "http://["),
                "/error" => (503, ""),
                _ => (200, ""),
            };
            let body =
                if path == "/large" { vec![b'x'; MAX_DOCUMENT_BYTES + 1] } else { b"ok".to_vec() };
            let mut response = Response::builder().status(status);
            if !location.is_empty() {
                response = response.header(LOCATION, location);
            }
            Ok(response.body(Body::full(body)).unwrap())
        }))
    }

    #[tokio::test]
    async fn redirects_are_followed_three_times_within_https() {
        let client = redirecting();
        let get = async |path: &str| {
            get(&client, &url(&format!("https://a.test{path}")), &|_| true).await
        };

        assert_eq!(get("/3").await.unwrap(), "ok");
        assert_eq!(get("/4").await, Err(FetchError::Redirect));
        assert_eq!(get("/nowhere").await, Err(FetchError::Redirect));
        assert_eq!(get("/down").await, Err(FetchError::NotAllowed("http://a.test/end".to_owned())));
    }

    #[tokio::test]
    async fn a_document_must_be_small_and_the_status_200() {
        let client = redirecting();
        let get = async |path: &str| {
            get(&client, &url(&format!("https://a.test{path}")), &|_| true).await
        };

        assert!(matches!(get("/large").await, Err(FetchError::Body(_))));
        assert_eq!(get("/error").await, Err(FetchError::Status(StatusCode::SERVICE_UNAVAILABLE)));
    }

    #[tokio::test]
    async fn a_place_that_is_not_allowed_is_not_called() {
        let client = FakeClient::new(|_| Ok(Response::new(Body::full("ok"))));
        let shared: Arc<dyn HttpClient> = Arc::new(client.clone());

        let outcome = get(&shared, &url("http://u:p@a.test/x?code=1"), &|_| false).await;

        assert_eq!(outcome, Err(FetchError::NotAllowed("http://a.test/x".to_owned())));
        assert!(client.requests().is_empty());
    }

    #[tokio::test]
    async fn waiting_ends_with_the_clock() {
        let fake = FakeClock::at_unix(0);
        let clock: Arc<dyn Clock> = Arc::new(fake.clone());
        let work = std::future::pending::<Result<(), FetchError>>();
        let waiting = tokio::spawn(async move { within(&clock, FETCH_TIMEOUT, work).await });
        while fake.sleepers() == 0 {
            tokio::task::yield_now().await;
        }

        fake.advance(FETCH_TIMEOUT);

        assert_eq!(waiting.await.unwrap(), Err(FetchError::Timeout(FETCH_TIMEOUT)));
    }

    #[test]
    fn the_local_machine_is_known_by_name_and_address() {
        for text in
            ["http://localhost:1", "http://127.0.0.9", "http://[::1]:2", "http://a.localhost"]
        {
            assert!(is_loopback(&url(text)), "{text}");
        }
        for text in
            ["http://localhost.test", "http://10.0.0.1", "http://[::2]", "http://notlocalhost"]
        {
            assert!(!is_loopback(&url(text)), "{text}");
        }
    }
}
