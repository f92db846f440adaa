//! What an expression can see of the request being handled.
//!
//! A [`Host`] is asked only for what an expression reads. Parts of `context` are values of their
//! own, [`HostRef`], which hold nothing: reading `context.Response.StatusCode` makes no object.

pub mod dictionary;
mod empty;
pub mod info;
pub mod url;
pub mod variables;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use dotnet::Str;

pub use empty::EmptyHost;
pub use info::{
    ApiInfo, BackendInfo, DeploymentInfo, GraphQlInfo, GroupInfo, IdentityInfo, LastError,
    OperationInfo, ProductInfo, ProductState, SubscriptionInfo, UserInfo, WorkspaceInfo,
};
pub use url::UrlView;
pub use variables::Variables;

use crate::types::{Type, names};
use crate::value::Object;

/// The request being handled, as expressions see it.
pub trait Host {
    /// `context.Request`.
    fn request(&self) -> &dyn RequestView;
    /// `context.Response`.
    fn response(&self) -> Option<&dyn ResponseView>;
    /// `context.Variables`.
    fn variables(&self) -> &Variables;
    /// `context.RequestId`.
    fn request_id(&self) -> u128;
    /// `context.Timestamp`.
    fn timestamp(&self) -> SystemTime;
    /// `context.Elapsed`.
    fn elapsed(&self) -> Duration;
    /// The time, for `DateTime.UtcNow` and its like.
    fn now(&self) -> SystemTime;
    /// `context.Tracing`.
    fn tracing(&self) -> bool {
        false
    }
    /// `context.Trace(message)`.
    fn trace(&self, _message: &str) {}
    /// Fills bytes from a secure random source.
    fn random(&self, bytes: &mut [u8]);
    /// `context.Api`.
    fn api(&self) -> Option<&ApiInfo> {
        None
    }
    /// `context.Operation`.
    fn operation(&self) -> Option<&OperationInfo> {
        None
    }
    /// `context.Product`.
    fn product(&self) -> Option<&ProductInfo> {
        None
    }
    /// `context.Subscription`.
    fn subscription(&self) -> Option<&SubscriptionInfo> {
        None
    }
    /// `context.User`.
    fn user(&self) -> Option<&UserInfo> {
        None
    }
    /// `context.Workspace`.
    fn workspace(&self) -> Option<&WorkspaceInfo> {
        None
    }
    /// `context.Backend`.
    fn backend(&self) -> Option<&BackendInfo> {
        None
    }
    /// `context.Deployment`.
    fn deployment(&self) -> &DeploymentInfo;
    /// `context.GraphQL`.
    fn graphql(&self) -> Option<&GraphQlInfo> {
        None
    }
    /// Does a path lead from a certificate (DER) to whom the gateway trusts to name clients?
    fn is_trusted(&self, _certificate: &[u8]) -> bool {
        false
    }
    /// As [`Host::is_trusted`], and nothing on the path has been revoked; what cannot be found out
    /// counts as revoked. `None`: it was not looked up.
    fn is_unrevoked(&self, _certificate: &[u8]) -> Option<bool> {
        None
    }
    /// `context.LastError`.
    fn last_error(&self) -> Option<&LastError> {
        None
    }
}

/// `context.Request`.
pub trait RequestView {
    /// The method in upper case.
    fn method(&self) -> &str;
    /// The URL that the request will be forwarded to.
    fn url(&self) -> &UrlView;
    /// The URL as the client sent it.
    fn original_url(&self) -> &UrlView;
    /// The address of the immediate caller.
    fn ip_address(&self) -> &str;
    /// What the operation's template matched.
    fn matched_parameters(&self) -> &[(String, String)];
    /// The headers.
    fn headers(&self) -> &dyn HeadersView;
    /// The body, if there is one.
    fn body(&self) -> Option<&dyn BodyView>;
    /// The client's certificate, DER.
    fn certificate(&self) -> Option<&[u8]> {
        None
    }
    /// `Foundry.Deployment`.
    fn foundry_deployment(&self) -> Option<Cow<'_, str>> {
        None
    }
}

/// `context.Response`, or a response that a policy stored.
pub trait ResponseView {
    /// The status.
    fn status_code(&self) -> u16;
    /// The reason phrase.
    fn status_reason(&self) -> &str;
    /// The headers.
    fn headers(&self) -> &dyn HeadersView;
    /// The body, if there is one.
    fn body(&self) -> Option<&dyn BodyView>;
}

/// Headers. Names compare without case.
pub trait HeadersView {
    /// Calls `f` with each value of a header.
    fn each(&self, name: &str, f: &mut dyn FnMut(&str));
    /// Calls `f` with each name and value, in order.
    fn all(&self, f: &mut dyn FnMut(&str, &str));
    /// Is there such a header?
    fn contains(&self, name: &str) -> bool;
}

/// A message body.
pub trait BodyView: Send + Sync {
    /// The whole body, content encodings undone. A read that does not preserve it leaves it empty.
    ///
    /// # Errors
    ///
    /// If the body cannot be had.
    fn read(&self, preserve: bool) -> Result<Bytes, BodyUnavailable>;
    /// The value of `Content-Type`.
    fn content_type(&self) -> Option<Cow<'_, str>> {
        None
    }
}

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyUnavailable {
    /// It was not buffered, or it is longer than the limit.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Anything else, in words.
    #[error("the body cannot be read: {0}")]
    Broken(String),
}

/// A part of `context` by name: a value without content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the member of `context` of the same name")]
pub enum HostRef {
    Context,
    Request,
    RequestBody,
    RequestHeaders,
    MatchedParameters,
    Foundry,
    Url,
    UrlQuery,
    OriginalUrl,
    OriginalUrlQuery,
    Response,
    ResponseBody,
    ResponseHeaders,
    Variables,
    Api,
    Operation,
    Product,
    Subscription,
    User,
    Workspace,
    Backend,
    Deployment,
    Gateway,
    SustainabilityInfo,
    Certificates,
    LastError,
    GraphQl,
}

const STRING_TO_STRINGS: Type =
    Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::STRINGS]);
const STRING_TO_STRING: Type =
    Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::String]);
const STRING_TO_CERTIFICATE: Type =
    Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::named(names::X509CERTIFICATE2)]);

impl HostRef {
    /// Its type as expressions see it.
    #[must_use]
    pub const fn static_type(self) -> Type {
        match self {
            Self::Context => Type::named(names::ICONTEXT),
            Self::Request => Type::named(names::IREQUEST),
            Self::RequestBody | Self::ResponseBody => Type::named(names::IMESSAGEBODY),
            Self::RequestHeaders
            | Self::ResponseHeaders
            | Self::UrlQuery
            | Self::OriginalUrlQuery => STRING_TO_STRINGS,
            Self::MatchedParameters => STRING_TO_STRING,
            Self::Foundry => Type::named("Apim.IFoundry"),
            Self::Url | Self::OriginalUrl => Type::named(names::IURL),
            Self::Response => Type::named(names::IRESPONSE),
            Self::Variables => {
                Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::Object])
            }
            Self::Api => Type::named("Apim.IApi"),
            Self::Operation => Type::named("Apim.IOperation"),
            Self::Product => Type::named("Apim.IProduct"),
            Self::Subscription => Type::named("Apim.ISubscription"),
            Self::User => Type::named("Apim.IUser"),
            Self::Workspace => Type::named("Apim.IWorkspace"),
            Self::Backend => Type::named("Apim.IBackend"),
            Self::Deployment => Type::named("Apim.IDeployment"),
            Self::Gateway => Type::named("Apim.IGateway"),
            Self::SustainabilityInfo => Type::named("Apim.ISustainabilityInfo"),
            Self::Certificates => STRING_TO_CERTIFICATE,
            Self::LastError => Type::named("Apim.ILastError"),
            Self::GraphQl => Type::named("Apim.IGraphQL"),
        }
    }
}

impl HostRef {
    /// The text of a part of `context`, if its type has one of its own.
    #[must_use]
    pub fn text(self, host: &dyn Host) -> Option<Str> {
        let request = host.request();
        match self {
            Self::Url => Some(request.url().to_string().into()),
            Self::OriginalUrl => Some(request.original_url().to_string().into()),
            _ => None,
        }
    }
}

/// A response that a policy stored in a variable (`send-request`).
pub struct ResponseValue {
    /// The status.
    pub status_code: u16,
    /// The reason phrase.
    pub status_reason: String,
    /// The headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Arc<dyn BodyView>>,
}

impl fmt::Debug for ResponseValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseValue({})", self.status_code)
    }
}

impl Object for ResponseValue {
    fn net_type(&self) -> Type {
        Type::named(names::IRESPONSE)
    }
}

impl ResponseView for ResponseValue {
    fn status_code(&self) -> u16 {
        self.status_code
    }

    fn status_reason(&self) -> &str {
        &self.status_reason
    }

    fn headers(&self) -> &dyn HeadersView {
        &self.headers
    }

    fn body(&self) -> Option<&dyn BodyView> {
        self.body.as_deref()
    }
}

impl HeadersView for Vec<(String, String)> {
    fn each(&self, name: &str, f: &mut dyn FnMut(&str)) {
        for (own, value) in self {
            if own.eq_ignore_ascii_case(name) {
                f(value);
            }
        }
    }

    fn all(&self, f: &mut dyn FnMut(&str, &str)) {
        for (name, value) in self {
            f(name, value);
        }
    }

    fn contains(&self, name: &str) -> bool {
        self.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_without_regard_to_case() {
        let headers = vec![("X-A".to_owned(), "1".to_owned()), ("x-a".to_owned(), "2".to_owned())];
        let mut values = Vec::new();
        headers.each("x-A", &mut |it| values.push(it.to_owned()));
        assert_eq!(values, ["1", "2"]);
        assert!(headers.contains("X-a") && !headers.contains("X-B"));
    }
}
