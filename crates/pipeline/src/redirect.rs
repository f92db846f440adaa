//! The gateway goes where a response points: `follow-redirects="true"`, and calls of policies.
//!
//! Source: RFC 9110, section 15.4.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, HOST, LOCATION};
use http::{HeaderName, Method, StatusCode, Uri};
use transport::{Body, CallError, CallOptions, HttpClient, Request, Response};
use url::Url;

/// Redirects that are followed; the next one goes to the client.
const MAX_REDIRECTS: usize = 10;

/// Credentials that are not shown to another host.
static OF_THE_HOST: [HeaderName; 5] = [
    AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("api-key"),
    HeaderName::from_static("ocp-apim-subscription-key"),
    HOST,
];

/// Sends a request and follows redirects, as far as the body can be sent again and the way does
/// not leave TLS. A redirect that is not followed is the response.
///
/// # Errors
///
/// Those of [`HttpClient::send`].
pub async fn follow_redirects(
    client: &dyn HttpClient,
    request: Request,
    options: &CallOptions,
) -> Result<Response, CallError> {
    let (mut request, mut options) = (request, Cow::Borrowed(options));
    for _ in 0..MAX_REDIRECTS {
        let body = request.body().as_bytes().cloned();
        let mut next = Request::new(Body::empty());
        *next.method_mut() = request.method().clone();
        *next.uri_mut() = request.uri().clone();
        *next.headers_mut() = request.headers().clone();
        let response = client.send(request, &options).await?;
        let from = next.uri().clone();
        match redirect(&response, next, body) {
            Some(next) => {
                // Nor is a certificate shown to another host.
                if options.identity.is_some() && is_elsewhere(&from, next.uri()) {
                    options.to_mut().identity = None;
                }
                request = next;
            }
            None => return Ok(response),
        }
    }
    client.send(request, &options).await
}

fn is_elsewhere(from: &Uri, to: &Uri) -> bool {
    to.authority() != from.authority() || to.scheme() != from.scheme()
}

/// The request that a response points to, if there is one that may be sent. `next` is the one
/// before without its body; `body` is `None` if that was a stream, which is gone.
fn redirect(response: &Response, mut next: Request, body: Option<Bytes>) -> Option<Request> {
    let becomes_get = match response.status() {
        StatusCode::SEE_OTHER => next.method() != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => next.method() == Method::POST,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => false,
        _ => return None,
    };
    let target = target(response, next.uri())?;
    if becomes_get {
        *next.method_mut() = Method::GET;
        for name in [CONTENT_LENGTH, CONTENT_TYPE, EXPECT] {
            next.headers_mut().remove(name);
        }
    } else {
        *next.body_mut() = Body::full(body?);
    }
    if is_elsewhere(next.uri(), &target) {
        for name in &OF_THE_HOST {
            next.headers_mut().remove(name);
        }
    }
    *next.uri_mut() = target;
    Some(next)
}

fn target(response: &Response, from: &Uri) -> Option<Uri> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let mut url = Url::parse(&from.to_string()).ok()?.join(location).ok()?;
    url.set_fragment(None);
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => from.scheme_str() == Some("http"),
        _ => false,
    };
    let has_user = !url.username().is_empty() || url.password().is_some();
    if is_safe && !has_user { url.as_str().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};
    use transport::{Body, CallOptions, FakeClient, Request, Response};

    use super::{MAX_REDIRECTS, follow_redirects};

    fn request(method: &Method, body: Body) -> Request {
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = "https://a.test/start?x=1".parse().unwrap();
        request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer s"));
        request
    }

    /// The calls that a redirect leads to: method, URL, body and whether credentials are sent.
    async fn calls(method: Method, body: Body, status: u16, location: &'static str) -> Vec<String> {
        let client = FakeClient::new(move |request| {
            let mut response = Response::new(Body::empty());
            if request.uri.path() == "/start" {
                *response.status_mut() = status.try_into().unwrap();
                response.headers_mut().insert("location", HeaderValue::from_static(location));
            }
            Ok(response)
        });
        follow_redirects(&client, request(&method, body), &CallOptions::default()).await.unwrap();
        client
            .requests()
            .iter()
            .skip(1)
            .map(|it| {
                let has_key = it.headers.contains_key("authorization");
                format!("{} {} {} {has_key}", it.method, it.uri, it.body.escape_ascii())
            })
            .collect()
    }

    #[tokio::test]
    async fn method_and_body_follow_the_status() {
        for (method, status, expected) in [
            (Method::GET, 302, "GET https://a.test/next  true"),
            (Method::POST, 301, "GET https://a.test/next  true"),
            (Method::PUT, 302, "PUT https://a.test/next b true"),
            (Method::PUT, 303, "GET https://a.test/next  true"),
            (Method::POST, 307, "POST https://a.test/next b true"),
            (Method::POST, 308, "POST https://a.test/next b true"),
        ] {
            let body = if method == Method::GET { Body::empty() } else { Body::full("b") };
            assert_eq!(calls(method, body, status, "/next#part").await, [expected]);
        }
    }

    #[tokio::test]
    async fn credentials_stay_with_the_host() {
        for location in ["https://b.test/next", "https://a.test:444/next"] {
            let calls = calls(Method::GET, Body::empty(), 302, location).await;
            assert_eq!(calls, [format!("GET {location}  false")]);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_followed_is_the_response() {
        for location in ["http://a.test/next", "ftp://a.test/", "https://u:p@a.test/", "//"] {
            assert!(
                calls(Method::GET, Body::empty(), 302, location).await.is_empty(),
                "{location}"
            );
        }
        let (sender, body) = Body::channel(1);
        drop(sender);
        assert!(calls(Method::POST, body, 307, "/next").await.is_empty());
        assert!(calls(Method::GET, Body::empty(), 304, "/next").await.is_empty());
    }

    #[tokio::test]
    async fn a_circle_ends() {
        let client = FakeClient::new(|_| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = http::StatusCode::FOUND;
            response.headers_mut().insert("location", HeaderValue::from_static("/start"));
            Ok(response)
        });
        let request = request(&Method::GET, Body::empty());
        let response = follow_redirects(&client, request, &CallOptions::default()).await.unwrap();
        assert_eq!(response.status(), 302);
        assert_eq!(client.requests().len(), MAX_REDIRECTS + 1);
    }
}
