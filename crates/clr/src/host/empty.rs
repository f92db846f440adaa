//! A host that knows nothing, for what needs no request.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{
    BodyView, DeploymentInfo, HeadersView, Host, RequestView, ResponseValue, ResponseView, UrlView,
    Variables,
};

/// An empty `GET https://localhost/` in 1970, unless it is filled; its random bytes are no secret.
#[derive(Default)]
pub struct EmptyHost {
    /// `context.Request.Url`.
    pub url: UrlView,
    /// `context.Request.Headers`.
    pub headers: Vec<(String, String)>,
    /// `context.Request.Body`.
    pub body: Option<Arc<dyn BodyView>>,
    /// `context.Response`.
    pub response: Option<ResponseValue>,
    /// `context.Deployment`.
    pub deployment: DeploymentInfo,
    /// `context.Variables`.
    pub variables: Variables,
}

impl Host for EmptyHost {
    fn request(&self) -> &dyn RequestView {
        self
    }
    fn response(&self) -> Option<&dyn ResponseView> {
        self.response.as_ref().map(|it| it as &dyn ResponseView)
    }
    fn variables(&self) -> &Variables {
        &self.variables
    }
    fn request_id(&self) -> u128 {
        0
    }
    fn timestamp(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
    fn deployment(&self) -> &DeploymentInfo {
        &self.deployment
    }
}

impl RequestView for EmptyHost {
    fn method(&self) -> &str {
        "GET"
    }
    fn url(&self) -> &UrlView {
        &self.url
    }
    fn original_url(&self) -> &UrlView {
        &self.url
    }
    fn ip_address(&self) -> &str {
        "127.0.0.1"
    }
    fn matched_parameters(&self) -> &[(String, String)] {
        &[]
    }
    fn headers(&self) -> &dyn HeadersView {
        &self.headers
    }
    fn body(&self) -> Option<&dyn BodyView> {
        self.body.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_request_has_no_body() {
        let host = EmptyHost::default();
        assert_eq!(host.request().method(), "GET");
        assert!(host.request().body().is_none() && host.response().is_none());
    }
}
