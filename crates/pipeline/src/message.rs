//! The request and the response as they stand in the pipeline.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use http::header::{AsHeaderName, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::body::{Body, NotBuffered};
use crate::request_url::RequestUrl;

/// The message that a transforming policy works on.
///
/// `inbound` and `backend` work on the request, `outbound` and `on-error` on the response, and
/// the children of `return-response` and `send-request` on the message that those are making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The request to the backend.
    Request,
    /// The response to the client.
    Response,
    /// The message that a policy is making.
    Draft,
}

/// The request to the backend, at first as the client sent it.
pub struct Request {
    /// The method, as policies changed it.
    pub method: Method,
    /// The method that the client used.
    pub original_method: Method,
    /// Where the request goes.
    pub url: RequestUrl,
    /// The URL that the client used; never changes.
    pub original_url: RequestUrl,
    /// The headers.
    pub headers: HeaderMap,
    /// Whether a policy set `Host`; otherwise the backend's host is sent.
    pub host_is_set: bool,
    /// The body.
    pub body: Body,
    /// The address of the immediate caller.
    pub ip_address: Arc<str>,
    /// The client's certificate and those above it (DER, its own first), if TLS had one.
    pub certificates: Option<Arc<[Vec<u8>]>>,
    /// What the HTTP library attached, such as the upgrade of a WebSocket handshake.
    pub extensions: Extensions,
    /// The query that the last `rewrite-uri` started from; the next one starts from it again.
    pub query_before_rewrite: Option<String>,
    /// What found the operation; none if parameters were set as they are.
    route: Option<Route>,
    /// What the operation's URL template matched; made when somebody looks.
    matched: OnceLock<Box<Matched>>,
}

/// How a request was matched to its operation, for those who ask later what its URL template
/// matched: hardly any request needs that.
#[derive(Clone, Debug)]
pub struct Route {
    /// The tables that the operation was found in.
    pub routes: Arc<dyn Routes>,
    /// The API's place in them.
    pub api: usize,
    /// Where in the original path what is below the API begins, in bytes.
    pub below: usize,
}

/// The tables that operations are found in.
pub trait Routes: fmt::Debug + Any + Send + Sync {
    /// What the URL template of the operation for a method, a path below an API and a query
    /// matched: the parameters' names and values, as received (percent-encoded).
    fn parameters(
        &self,
        api: usize,
        method: &Method,
        below: &str,
        query: &str,
    ) -> Vec<(String, String)>;
}

#[derive(Default)]
struct Matched {
    decoded: Vec<(String, String)>,
    /// As received; none if that is the same.
    raw: Option<Vec<(String, String)>>,
}

impl Request {
    /// A request as the client sent it, on its way to `url`.
    #[must_use]
    pub fn new(method: Method, url: RequestUrl, original_url: RequestUrl) -> Request {
        Request {
            original_method: method.clone(),
            method,
            url,
            original_url,
            headers: HeaderMap::new(),
            host_is_set: false,
            body: Body::absent(),
            ip_address: Arc::clone(&NO_ADDRESS),
            certificates: None,
            extensions: Extensions::new(),
            query_before_rewrite: None,
            route: None,
            matched: OnceLock::new(),
        }
    }

    /// The header's values that are text, in order.
    pub fn header_values(&self, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).into_iter().filter_map(|it| it.to_str().ok())
    }

    /// Notes what the operation's URL template matched, as received (percent-encoded).
    pub fn set_matched_parameters(&mut self, raw: Vec<(String, String)>) {
        self.matched = OnceLock::from(Box::new(Matched::of(raw)));
    }

    /// Notes how the operation was found, so that what its URL template matched is known when it
    /// is asked for.
    pub fn set_route(&mut self, route: Route) {
        self.route = Some(route);
        self.matched = OnceLock::new();
    }

    /// How the operation was found, if that was noted.
    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        self.route.as_ref()
    }

    fn matched(&self) -> &Matched {
        self.matched.get_or_init(|| {
            let raw = self.route.as_ref().map(|it| {
                let url = &self.original_url;
                let below = url.below().get(it.below..).unwrap_or_default();
                it.routes.parameters(it.api, &self.original_method, below, url.own_query())
            });
            Box::new(Matched::of(raw.unwrap_or_default()))
        })
    }

    /// What the operation's URL template matched, decoded.
    #[must_use]
    pub fn matched_parameters(&self) -> &[(String, String)] {
        &self.matched().decoded
    }

    /// What the operation's URL template matched, as received.
    #[must_use]
    pub fn raw_matched_parameters(&self) -> &[(String, String)] {
        let matched = self.matched();
        matched.raw.as_ref().unwrap_or(&matched.decoded)
    }
}

/// For requests without a caller, such as those of tests.
static NO_ADDRESS: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));

impl Matched {
    fn of(raw: Vec<(String, String)>) -> Matched {
        if !raw.iter().any(|(_, value)| value.contains('%')) {
            return Matched { decoded: raw, raw: None };
        }
        let decode = |(name, value): &(String, String)| {
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            (name.clone(), value.into_owned())
        };
        Matched { decoded: raw.iter().map(decode).collect(), raw: Some(raw) }
    }
}

/// The response to the client, at first as the backend sent it.
#[derive(Default)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The reason phrase; without one the standard phrase is sent (HTTP/1.1 only).
    pub reason: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// What the HTTP library attached, such as the upgrade of a WebSocket handshake.
    pub extensions: Extensions,
}

impl Response {
    /// A response without headers and body.
    #[must_use]
    pub fn new(status: StatusCode) -> Response {
        Response { status, ..Response::default() }
    }

    /// A response with a JSON body, in the spacing that the default error body has.
    #[must_use]
    pub fn json(status: StatusCode, body: String) -> Response {
        let mut response = Response::new(status);
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.body = Body::bytes(body);
        response
    }

    /// A response as the backend sent it, its body still streaming.
    #[must_use]
    pub fn from_http(response: transport::Response) -> Response {
        let (head, body) = response.into_parts();
        let reason = head
            .extensions
            .get::<ReasonPhrase>()
            .map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
        Response {
            status: head.status,
            reason,
            headers: head.headers,
            body: Body::stream(body),
            extensions: head.extensions,
        }
    }

    /// The response to send to the client.
    ///
    /// # Errors
    ///
    /// The body is gone: sent on before, or broken while it was buffered.
    pub fn into_http(mut self) -> Result<transport::Response, NotBuffered> {
        let body = self.body.send()?;
        let mut response = http::Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        *response.extensions_mut() = self.extensions;
        let phrase = self.reason.and_then(|it| ReasonPhrase::try_from(it.into_bytes()).ok());
        match phrase {
            Some(phrase) => response.extensions_mut().insert(phrase),
            None => response.extensions_mut().remove::<ReasonPhrase>(),
        };
        Ok(response)
    }

    /// The reason phrase: the one set, else the standard one, else nothing.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.reason.as_deref().or_else(|| self.status.canonical_reason()).unwrap_or_default()
    }

    /// The header's values that are text, in order.
    pub fn header_values(&self, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).into_iter().filter_map(|it| it.to_str().ok())
    }
}

use transport::ReasonPhrase;

/// Replaces a message's body by text or bytes: the length is counted anew when it is sent, and
/// what was said of the old one's encoding no longer holds.
pub(crate) fn replace_body(headers: &mut HeaderMap, body: &mut Body, new: Body) {
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_ENCODING);
    *body = new;
}

/// Changes the charset that `Content-Type` names to UTF-8, if it names another one.
pub(crate) fn set_charset_utf8(headers: &mut HeaderMap) {
    let Some(text) = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()) else { return };
    let is_charset =
        |it: &str| it.trim().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("charset="));
    if !text.split(';').skip(1).any(is_charset) {
        return;
    }
    let parts: Vec<&str> = text
        .split(';')
        .enumerate()
        .map(|(i, it)| if i > 0 && is_charset(it) { " charset=utf-8" } else { it })
        .collect();
    if let Ok(value) = HeaderValue::from_str(&parts.join(";")) {
        headers.insert(CONTENT_TYPE, value);
    }
}

/// Headers that belong to the connection or the framing: policies can neither change nor remove
/// them.
#[must_use]
pub fn is_untouchable(name: &HeaderName) -> bool {
    matches!(name.as_str(), "connection" | "content-length" | "keep-alive" | "transfer-encoding")
}

/// Headers that belong to one connection and are not passed on (RFC 9110, section 7.6.1).
///
/// A `match`, because it tells most headers apart by their length.
#[must_use]
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Leaves out what may be secret: query, values of headers, body.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.url.path())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// Leaves out what may be secret: values of headers, body.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::url::BaseUrl;

    fn request() -> Request {
        let url = RequestUrl::new(Arc::new(BaseUrl::origin("https", "h", 443)), "/a", "");
        Request::new(Method::GET, url.clone(), url)
    }

    #[test]
    fn matched_parameters_are_kept_raw_and_decoded() {
        let mut it = request();
        it.set_matched_parameters(vec![("id".to_owned(), "a%20b".to_owned())]);

        assert_eq!(it.matched_parameters(), [("id".to_owned(), "a b".to_owned())]);
        assert_eq!(it.raw_matched_parameters(), [("id".to_owned(), "a%20b".to_owned())]);
    }

    #[test]
    fn header_values_are_those_that_are_text() {
        let mut it = request();
        it.headers.append("x-a", HeaderValue::from_static("1"));
        it.headers.append("x-a", HeaderValue::from_bytes(&[0xff]).unwrap());
        it.headers.append("x-a", HeaderValue::from_static("2"));

        assert_eq!(it.header_values("x-a").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn debug_shows_no_values() {
        let mut it = request();
        it.headers.insert("api-key", HeaderValue::from_static("hunter2"));
        it.body = Body::bytes("hunter2");
        let shown = format!("{it:?}");

        assert!(shown.contains("api-key") && shown.contains("7 bytes"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_reason_phrase_goes_in_and_out() {
        let mut http = http::Response::new(transport::Body::empty());
        http.extensions_mut().insert(ReasonPhrase::from_static(b"Very Well"));

        let response = Response::from_http(http);
        assert_eq!(response.reason(), "Very Well");

        let http = response.into_http().unwrap();
        assert_eq!(http.extensions().get::<ReasonPhrase>().unwrap().as_bytes(), b"Very Well");
        assert_eq!(Response::new(StatusCode::NOT_FOUND).reason(), "Not Found");
    }

    #[test]
    fn the_charset_becomes_utf_8_where_one_is_named() {
        let changed = |text| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(text));
            set_charset_utf8(&mut headers);
            headers[CONTENT_TYPE].to_str().unwrap().to_owned()
        };

        assert_eq!(changed("text/xml; charset=utf-16"), "text/xml; charset=utf-8");
        assert_eq!(changed("text/xml;Charset=ascii; x=y"), "text/xml; charset=utf-8; x=y");
        assert_eq!(changed("application/json"), "application/json");
    }

    #[test]
    fn a_replaced_body_loses_length_and_encoding() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("9"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let mut body = Body::absent();

        replace_body(&mut headers, &mut body, Body::bytes("x"));

        assert!(headers.is_empty());
        assert_eq!(body.read(true).unwrap(), "x");
    }
}
