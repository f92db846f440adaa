//! The host of a session: a recorded request with the real clock and the session's variables.

use std::time::{Duration, SystemTime};

use ::expr::host::{
    ApiInfo, BackendInfo, DeploymentInfo, Host, LastError, OperationInfo, ProductInfo, RequestView,
    ResponseView, SubscriptionInfo, UserInfo, Variables, WorkspaceInfo,
};
use ::oracle::RecordedHost;

/// The request being looked at.
#[derive(Debug)]
pub(super) struct SessionHost {
    recorded: RecordedHost,
    variables: Variables,
    started: SystemTime,
    /// The record says when the request came.
    is_timed: bool,
    request_id: u128,
}

impl SessionHost {
    /// A request with variables; if it is timed, it knows itself when it came.
    pub(super) fn new(recorded: RecordedHost, variables: Variables, is_timed: bool) -> Self {
        let request_id = match recorded.request_id() {
            0 => uuid::Uuid::new_v4().as_u128(),
            own => own,
        };
        Self { recorded, variables, started: SystemTime::now(), is_timed, request_id }
    }

    /// The variables of the record.
    pub(super) fn recorded_variables(&self) -> &Variables {
        self.recorded.variables()
    }

    /// What the expression wrote with `context.Trace`.
    pub(super) fn traced(&self) -> Vec<String> {
        self.recorded.traced()
    }
}

impl Host for SessionHost {
    fn request(&self) -> &dyn RequestView {
        self.recorded.request()
    }
    fn response(&self) -> Option<&dyn ResponseView> {
        self.recorded.response()
    }
    fn variables(&self) -> &Variables {
        &self.variables
    }
    fn request_id(&self) -> u128 {
        self.request_id
    }
    fn timestamp(&self) -> SystemTime {
        if self.is_timed { self.recorded.timestamp() } else { self.started }
    }
    fn elapsed(&self) -> Duration {
        self.recorded.elapsed()
    }
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
    fn tracing(&self) -> bool {
        self.recorded.tracing()
    }
    fn trace(&self, message: &str) {
        self.recorded.trace(message);
    }
    fn random(&self, bytes: &mut [u8]) {
        self.recorded.random(bytes);
    }
    fn api(&self) -> Option<&ApiInfo> {
        self.recorded.api()
    }
    fn operation(&self) -> Option<&OperationInfo> {
        self.recorded.operation()
    }
    fn product(&self) -> Option<&ProductInfo> {
        self.recorded.product()
    }
    fn subscription(&self) -> Option<&SubscriptionInfo> {
        self.recorded.subscription()
    }
    fn user(&self) -> Option<&UserInfo> {
        self.recorded.user()
    }
    fn workspace(&self) -> Option<&WorkspaceInfo> {
        self.recorded.workspace()
    }
    fn backend(&self) -> Option<&BackendInfo> {
        self.recorded.backend()
    }
    fn deployment(&self) -> &DeploymentInfo {
        self.recorded.deployment()
    }
    fn last_error(&self) -> Option<&LastError> {
        self.recorded.last_error()
    }
}
