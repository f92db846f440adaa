//! A request as it was recorded: a [`Host`] over JSON.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use clr::host::{
    ApiInfo, BackendInfo, BodyUnavailable, BodyView, DeploymentInfo, GraphQlInfo, HeadersView,
    Host, LastError, OperationInfo, ProductInfo, RequestView, ResponseValue, ResponseView,
    SubscriptionInfo, UrlView, UserInfo, Variables, WorkspaceInfo,
};
use clr::value::DateTime;
use clr::value::time::UNIX_EPOCH_TICKS;
use serde_json::{Map, Value as Json};

use super::parts::{
    api, deployment, graphql, last_error, operation, optional, product, request, response,
    subscription, text, user,
};
use super::values::{date, elapsed, guid, variables};

/// The context of every case that does not say otherwise.
const DEFAULT: &str = include_str!("../data/context.json");

/// What `DateTime.UtcNow` gives, in seconds since 1970: 2026-01-01. The recorded results were made
/// later than the tokens in them expire.
const NOW: u64 = 1_767_225_600;

/// What a recorded context lacks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` of the recorded context is missing or of the wrong kind")]
pub struct RecordingFault(String);

pub(super) type Result<T> = std::result::Result<T, RecordingFault>;

pub(super) fn fault(member: &str) -> RecordingFault {
    RecordingFault(member.to_owned())
}

/// The request being handled, from a record.
///
/// The clock stands still, so that results do not change from run to run.
#[derive(Debug, Default)]
pub struct RecordedHost {
    request: Request,
    response: Option<ResponseValue>,
    variables: Variables,
    request_id: u128,
    timestamp: DateTime,
    elapsed: Duration,
    tracing: bool,
    api: Option<ApiInfo>,
    operation: Option<OperationInfo>,
    product: Option<ProductInfo>,
    subscription: Option<SubscriptionInfo>,
    user: Option<UserInfo>,
    workspace: Option<WorkspaceInfo>,
    backend: Option<BackendInfo>,
    deployment: DeploymentInfo,
    last_error: Option<LastError>,
    graphql: Option<GraphQlInfo>,
    traced: Mutex<Vec<String>>,
}

/// The recorded request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: UrlView,
    pub(super) original_url: UrlView,
    pub(super) ip_address: String,
    pub(super) matched_parameters: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Body>,
}

/// A body that a read may use up.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Mutex<Bytes>,
    pub(super) content_type: Option<String>,
}

impl BodyView for Body {
    fn read(&self, preserve: bool) -> std::result::Result<Bytes, BodyUnavailable> {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(if preserve { bytes.clone() } else { std::mem::take(&mut *bytes) })
    }

    fn content_type(&self) -> Option<Cow<'_, str>> {
        self.content_type.as_deref().map(Cow::Borrowed)
    }
}

impl RecordedHost {
    /// The default record with a case's `context` laid over it, two levels deep.
    ///
    /// # Errors
    ///
    /// If a member is missing or of the wrong kind.
    pub fn over_default(over: Option<&Json>) -> Result<Self> {
        let base: Json = serde_json::from_str(DEFAULT).map_err(|_| fault("context"))?;
        let Json::Object(base) = base else { return Err(fault("context")) };
        let over = match over {
            None | Some(Json::Null) => return Self::from_record(&base),
            Some(Json::Object(over)) => over,
            Some(_) => return Err(fault("context")),
        };
        Self::from_record(&merged(base, over))
    }

    /// Nothing but variables.
    #[must_use]
    pub fn with_variables(variables: Variables) -> Self {
        Self { variables, ..Self::default() }
    }

    /// From a whole record.
    ///
    /// # Errors
    ///
    /// If a member is missing or of the wrong kind.
    pub fn from_record(record: &Map<String, Json>) -> Result<Self> {
        let part = |name: &str| record.get(name).filter(|it| !it.is_null());
        let mut host = Self {
            variables: variables(part("Variables"))?,
            timestamp: part("Timestamp").map(date).transpose()?.unwrap_or_default(),
            elapsed: part("Elapsed").map(elapsed).transpose()?.unwrap_or_default(),
            tracing: part("Tracing").and_then(Json::as_bool).unwrap_or(false),
            api: part("Api").map(api).transpose()?,
            operation: part("Operation").map(operation),
            subscription: part("Subscription").map(subscription).transpose()?,
            user: part("User").map(user).transpose()?,
            workspace: part("Workspace")
                .map(|it| WorkspaceInfo { id: text(it, "Id"), name: text(it, "Name") }),
            backend: part("Backend").map(|it| BackendInfo {
                id: text(it, "Id"),
                kind: text(it, "Type"),
                azure_region: optional(it, "AzureRegion"),
            }),
            deployment: part("Deployment").map(deployment).unwrap_or_default(),
            last_error: part("LastError").map(last_error),
            graphql: part("GraphQL").map(graphql).transpose()?,
            ..Self::default()
        };
        if let Some(id) = part("RequestId") {
            let id = id.as_str().and_then(guid).ok_or_else(|| fault("RequestId"))?;
            host.request_id = u128::from_be_bytes(id);
        }
        if let Some(it) = part("Request") {
            host.request = request(it)?;
        }
        if let Some(it) = part("Response") {
            host.response = Some(response(it)?);
        }
        if let Some(it) = part("Product") {
            host.product = Some(product(it, host.api.as_ref())?);
        }
        Ok(host)
    }

    /// What the expression wrote with `context.Trace`.
    #[must_use]
    pub fn traced(&self) -> Vec<String> {
        self.traced.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Host for RecordedHost {
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
        self.request_id
    }
    fn timestamp(&self) -> SystemTime {
        let ticks = self.timestamp.ticks - UNIX_EPOCH_TICKS;
        let since = Duration::from_nanos(ticks.unsigned_abs().saturating_mul(100));
        if ticks < 0 { SystemTime::UNIX_EPOCH - since } else { SystemTime::UNIX_EPOCH + since }
    }
    fn elapsed(&self) -> Duration {
        self.elapsed
    }
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }
    fn tracing(&self) -> bool {
        self.tracing
    }
    fn trace(&self, message: &str) {
        self.traced.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_owned());
    }
    fn random(&self, bytes: &mut [u8]) {
        // An error leaves zeros, which are as random as any to a recorded case.
        let _ = aws_lc_rs::rand::fill(bytes);
    }
    fn api(&self) -> Option<&ApiInfo> {
        self.api.as_ref()
    }
    fn operation(&self) -> Option<&OperationInfo> {
        self.operation.as_ref()
    }
    fn product(&self) -> Option<&ProductInfo> {
        self.product.as_ref()
    }
    fn subscription(&self) -> Option<&SubscriptionInfo> {
        self.subscription.as_ref()
    }
    fn user(&self) -> Option<&UserInfo> {
        self.user.as_ref()
    }
    fn workspace(&self) -> Option<&WorkspaceInfo> {
        self.workspace.as_ref()
    }
    fn backend(&self) -> Option<&BackendInfo> {
        self.backend.as_ref()
    }
    fn deployment(&self) -> &DeploymentInfo {
        &self.deployment
    }
    fn last_error(&self) -> Option<&LastError> {
        self.last_error.as_ref()
    }
    fn graphql(&self) -> Option<&GraphQlInfo> {
        self.graphql.as_ref()
    }
}

impl RequestView for Request {
    fn method(&self) -> &str {
        &self.method
    }
    fn url(&self) -> &UrlView {
        &self.url
    }
    fn original_url(&self) -> &UrlView {
        &self.original_url
    }
    fn ip_address(&self) -> &str {
        &self.ip_address
    }
    fn matched_parameters(&self) -> &[(String, String)] {
        &self.matched_parameters
    }
    fn headers(&self) -> &dyn HeadersView {
        &self.headers
    }
    fn body(&self) -> Option<&dyn BodyView> {
        self.body.as_ref().map(|it| it as &dyn BodyView)
    }
}

/// A top-level member that is an object in both has its members replaced one by one.
fn merged(mut base: Map<String, Json>, over: &Map<String, Json>) -> Map<String, Json> {
    for (name, value) in over {
        match (base.get_mut(name), value) {
            (Some(Json::Object(below)), Json::Object(above)) => {
                for (name, value) in above {
                    below.insert(name.clone(), value.clone());
                }
            }
            _ => {
                base.insert(name.clone(), value.clone());
            }
        }
    }
    base
}

#[cfg(test)]
mod tests {
    use clr::Value;
    use serde_json::json;

    use super::*;

    /// The default without its JSON variables, with something over it.
    fn plain(mut over: Json) -> RecordedHost {
        for name in ["jobj", "jarr"] {
            over["Variables"][name] = Json::Null;
        }
        RecordedHost::over_default(Some(&over)).unwrap()
    }

    #[test]
    fn the_default_record_is_complete() {
        let host = plain(json!({}));
        assert_eq!(host.request().method(), "POST");
        assert_eq!(host.request().url().host, "api.contoso.com");
        assert_eq!(host.response().unwrap().status_code(), 200);
        assert_eq!(host.elapsed(), Duration::from_nanos(234_567_800));
        assert_eq!(host.user().unwrap().groups.len(), 2);
        assert!(host.last_error().is_none());
    }

    #[test]
    fn a_context_goes_over_the_default_two_levels_deep() {
        let over = json!({ "Request": { "Method": "GET", "Headers": {} }, "User": null });
        let host = plain(over);
        assert_eq!(host.request().method(), "GET");
        assert!(!host.request().headers().contains("Host"));
        assert_eq!(host.request().ip_address(), "203.0.113.42");
        assert!(host.user().is_none());
    }

    #[test]
    fn a_body_is_used_up_by_a_read_that_does_not_preserve_it() {
        let host = plain(json!({}));
        let body = host.request().body().unwrap();
        let length = body.read(true).unwrap().len();
        assert_eq!(body.read(false).unwrap().len(), length);
        assert!(body.read(true).unwrap().is_empty());
    }

    #[test]
    fn variables_keep_their_types() {
        let over = json!({ "Variables": { "d": { "type": "timespan", "value": "1.02:03:04.5" } } });
        let host = plain(over);
        let type_of = |name: &str| host.variables().get(name).unwrap().type_name();
        assert_eq!(type_of("bigId"), "System.Int64");
        assert_eq!(type_of("retryCount"), "System.Int32");
        assert_eq!(type_of("bytes"), "System.Byte[]");
        assert!(matches!(host.variables().get("d"), Some(Value::TimeSpan(937_845_000_000))));
    }

    #[test]
    fn what_is_of_the_wrong_kind_is_named() {
        let over = json!({ "Variables": { "jobj": null, "jarr": null, "x": [1] } });
        let fault = RecordedHost::over_default(Some(&over)).unwrap_err();
        assert!(fault.to_string().contains("Variables.x"));
    }
}
