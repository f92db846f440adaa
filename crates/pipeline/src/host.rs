//! The context as expressions see it.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use expr::Variables;
use expr::host::{
    ApiInfo, BackendInfo, BodyUnavailable, BodyView, DeploymentInfo, GraphQlInfo, HeadersView,
    Host, LastError, OperationInfo, ProductInfo, RequestView, ResponseView, SubscriptionInfo,
    UrlView, UserInfo, WorkspaceInfo,
};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::body::{Body, NotBuffered};
use crate::context::Context;
use crate::encoding;
use crate::message::{Request, Response};

impl Host for Context {
    fn request(&self) -> &dyn RequestView {
        &self.request
    }

    fn response(&self) -> Option<&dyn ResponseView> {
        self.response.as_ref().map(|it| it as &dyn ResponseView)
    }

    fn variables(&self) -> &Variables {
        &self.variables
    }

    fn request_id(&self) -> u128 {
        self.request_id.as_u128()
    }

    fn timestamp(&self) -> SystemTime {
        self.received
    }

    fn elapsed(&self) -> Duration {
        Context::elapsed(self)
    }

    fn now(&self) -> SystemTime {
        self.services.clock.now()
    }

    fn tracing(&self) -> bool {
        self.tracing
    }

    fn trace(&self, message: &str) {
        if self.tracing {
            tracing::info!(request_id = %self.request_id, message, "context.Trace");
        }
    }

    fn random(&self, bytes: &mut [u8]) {
        self.services.random(bytes);
    }

    fn api(&self) -> Option<&ApiInfo> {
        self.api.as_deref()
    }

    fn operation(&self) -> Option<&OperationInfo> {
        self.operation.as_deref().map(|it| &*it.info)
    }

    fn product(&self) -> Option<&ProductInfo> {
        self.product.as_deref()
    }

    fn subscription(&self) -> Option<&SubscriptionInfo> {
        self.subscription.as_deref()
    }

    fn user(&self) -> Option<&UserInfo> {
        self.user.as_deref()
    }

    fn workspace(&self) -> Option<&WorkspaceInfo> {
        self.workspace.as_deref()
    }

    fn backend(&self) -> Option<&BackendInfo> {
        Context::backend(self).map(|it| &*it.info)
    }

    fn deployment(&self) -> &DeploymentInfo {
        &self.deployment
    }

    fn last_error(&self) -> Option<&LastError> {
        self.last_error.as_ref()
    }

    fn is_trusted(&self, certificate: &[u8]) -> bool {
        let Some(trust) = &self.services.trust else { return false };
        match &self.request.certificates {
            Some(chain) if is_first(chain, certificate) => trust.is_trusted(chain),
            _ => trust.is_trusted(&[certificate.to_vec()]),
        }
    }

    fn is_unrevoked(&self, certificate: &[u8]) -> Option<bool> {
        let chain = self.request.certificates.as_ref()?;
        self.is_unrevoked.filter(|_| is_first(chain, certificate))
    }

    fn graphql(&self) -> Option<&GraphQlInfo> {
        self.graphql.as_deref()
    }
}

/// Is it the client's own certificate?
fn is_first(chain: &[Vec<u8>], certificate: &[u8]) -> bool {
    chain.first().is_some_and(|it| it == certificate)
}

impl RequestView for Request {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn url(&self) -> &UrlView {
        self.url.view()
    }

    fn original_url(&self) -> &UrlView {
        self.original_url.view()
    }

    fn ip_address(&self) -> &str {
        &self.ip_address
    }

    fn matched_parameters(&self) -> &[(String, String)] {
        Request::matched_parameters(self)
    }

    fn headers(&self) -> &dyn HeadersView {
        self
    }

    fn body(&self) -> Option<&dyn BodyView> {
        self.body.is_present().then_some(self as &dyn BodyView)
    }

    fn certificate(&self) -> Option<&[u8]> {
        self.certificates.as_ref().and_then(|it| it.first()).map(Vec::as_slice)
    }

    /// The `{deployment-id}` of the operation's template, else the model that a buffered JSON
    /// body names.
    fn foundry_deployment(&self) -> Option<Cow<'_, str>> {
        let named = |name: &str| {
            let found = Request::matched_parameters(self).iter().find(|(own, _)| own == name);
            found.map(|(_, value)| Cow::Borrowed(value.as_str()))
        };
        named("deployment-id").or_else(|| {
            let body = decoded(&self.headers, &self.body, self.body.as_bytes()?).ok()?;
            let json: serde_json::Value = serde_json::from_slice(&body).ok()?;
            json.get("model")?.as_str().map(|it| Cow::Owned(it.to_owned()))
        })
    }
}

impl HeadersView for Request {
    fn each(&self, name: &str, f: &mut dyn FnMut(&str)) {
        each(&self.headers, name, f);
    }

    fn all(&self, f: &mut dyn FnMut(&str, &str)) {
        all(&self.headers, f);
    }

    fn contains(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}

impl BodyView for Request {
    fn read(&self, preserve: bool) -> Result<Bytes, BodyUnavailable> {
        let read = read(&self.headers, &self.body, preserve);
        if matches!(read, Err(BodyUnavailable::TooLarge { .. })) {
            self.body.note_overflow();
        }
        read
    }

    fn content_type(&self) -> Option<Cow<'_, str>> {
        content_type(&self.headers)
    }
}

impl ResponseView for Response {
    fn status_code(&self) -> u16 {
        self.status.as_u16()
    }

    fn status_reason(&self) -> &str {
        self.reason()
    }

    fn headers(&self) -> &dyn HeadersView {
        self
    }

    fn body(&self) -> Option<&dyn BodyView> {
        self.body.is_present().then_some(self as &dyn BodyView)
    }
}

impl HeadersView for Response {
    fn each(&self, name: &str, f: &mut dyn FnMut(&str)) {
        each(&self.headers, name, f);
    }

    fn all(&self, f: &mut dyn FnMut(&str, &str)) {
        all(&self.headers, f);
    }

    fn contains(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}

impl BodyView for Response {
    fn read(&self, preserve: bool) -> Result<Bytes, BodyUnavailable> {
        read(&self.headers, &self.body, preserve)
    }

    fn content_type(&self) -> Option<Cow<'_, str>> {
        content_type(&self.headers)
    }
}

fn each(headers: &HeaderMap, name: &str, f: &mut dyn FnMut(&str)) {
    for value in headers.get_all(name) {
        f(&String::from_utf8_lossy(value.as_bytes()));
    }
}

fn all(headers: &HeaderMap, f: &mut dyn FnMut(&str, &str)) {
    for (name, value) in headers {
        f(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
}

fn read(headers: &HeaderMap, body: &Body, preserve: bool) -> Result<Bytes, BodyUnavailable> {
    let bytes = body
        .read(preserve)
        .map_err(|error: NotBuffered| BodyUnavailable::Broken(error.to_string()))?;
    decoded(headers, body, bytes)
}

fn decoded(headers: &HeaderMap, body: &Body, bytes: Bytes) -> Result<Bytes, BodyUnavailable> {
    encoding::decode(headers, bytes, body.max_bytes())
}

fn content_type(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    headers.get(CONTENT_TYPE).map(|it| String::from_utf8_lossy(it.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderValue, Method, StatusCode};

    use expr::Uses;
    use transport::{BoxFuture, CertificateTrust};

    use super::*;
    use crate::Services;
    use crate::request_url::RequestUrl;
    use crate::test_support::context;
    use crate::url::BaseUrl;

    fn request(body: &'static str) -> Request {
        let url = RequestUrl::new(Arc::new(BaseUrl::origin("https", "h", 443)), "/a", "b=1");
        let mut request = Request::new(Method::POST, url.clone(), url);
        request.body = Body::bytes(body);
        request
    }

    #[test]
    fn headers_are_seen_without_regard_to_case() {
        let mut it = request("");
        it.headers.append("x-a", HeaderValue::from_static("1"));
        it.headers.append("x-a", HeaderValue::from_static("2"));
        let headers: &dyn HeadersView = RequestView::headers(&it);
        let mut values = Vec::new();
        headers.each("X-A", &mut |value| values.push(value.to_owned()));

        assert_eq!(values, ["1", "2"]);
        assert!(headers.contains("X-A") && !headers.contains("not a header"));
    }

    #[test]
    fn an_absent_body_is_null_and_an_empty_one_is_not() {
        let mut it = request("");
        assert!(RequestView::body(&it).is_some());
        it.body = Body::absent();
        assert!(RequestView::body(&it).is_none());
    }

    #[test]
    fn a_body_is_read_through_its_view() {
        let mut response = Response::new(StatusCode::OK);
        response.body = Body::bytes("hello");
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        let body = ResponseView::body(&response).unwrap();

        assert_eq!(body.content_type().as_deref(), Some("text/plain"));
        assert_eq!(body.read(false).unwrap(), "hello");
        assert_eq!(body.read(false).unwrap(), "");
    }

    /// Trusts chains that end with `[9]`; of them, only what begins with `[1]` is not revoked.
    #[derive(Debug)]
    struct Nine;

    impl CertificateTrust for Nine {
        fn is_trusted(&self, chain: &[Vec<u8>]) -> bool {
            chain.last().is_some_and(|it| it == &[9])
        }

        fn is_unrevoked<'a>(&'a self, chain: &'a [Vec<u8>]) -> BoxFuture<'a, bool> {
            Box::pin(async { self.is_trusted(chain) && chain[0] == [1] })
        }
    }

    #[tokio::test]
    async fn a_certificate_is_judged_with_what_the_client_sent_beside_it() {
        for (chain, trusted, unrevoked) in
            [(&[1, 9][..], true, true), (&[2, 9], true, false), (&[1], false, false)]
        {
            let mut it = context();
            let chain: Vec<Vec<u8>> = chain.iter().map(|it| vec![*it]).collect();
            let own = chain[0].clone();
            it.request.certificates = Some(chain.into());
            assert!(!Host::is_trusted(&it, &own), "nobody is trusted without authorities");
            let mut services = Services::clone(&it.services);
            services.trust = Some(Arc::new(Nine));
            it.services = Arc::new(services);
            assert_eq!(Host::is_trusted(&it, &own), trusted);
            assert_eq!(Host::is_unrevoked(&it, &own), None, "it was not looked up yet");
            it.buffer(Uses::REVOCATION).await.unwrap();
            assert_eq!(Host::is_unrevoked(&it, &own), Some(unrevoked));
            // Another certificate stands alone, and its revocation is not looked up.
            assert!(Host::is_trusted(&it, &[9]) && !Host::is_trusted(&it, &[7]));
            assert_eq!(Host::is_unrevoked(&it, &[7]), None);
        }
    }

    #[test]
    fn the_deployment_is_that_of_the_path_or_else_of_the_body() {
        let mut it = request(r#"{"model":"gpt-4o"}"#);
        assert_eq!(it.foundry_deployment().as_deref(), Some("gpt-4o"));
        assert_eq!(it.body.read(true).unwrap(), r#"{"model":"gpt-4o"}"#);

        it.set_matched_parameters(vec![("deployment-id".to_owned(), "chat".to_owned())]);
        assert_eq!(it.foundry_deployment().as_deref(), Some("chat"));
        assert_eq!(request("no json").foundry_deployment(), None);
    }
}
