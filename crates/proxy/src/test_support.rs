//! Snapshots for tests, made of a few words.

use std::sync::Arc;

use config::{
    Api, ApiKind, Operation, Protocols, Service, Snapshot, Subscription, SubscriptionScope, Version,
};
use expr::host::{ApiInfo, OperationInfo, SubscriptionInfo};
use http::HeaderName;
use pipeline::{BaseUrl, Pipeline};

/// An API in a few words.
#[derive(Debug, Clone)]
pub(crate) struct ApiSpec {
    pub(crate) id: &'static str,
    pub(crate) path: &'static str,
    pub(crate) version: Option<Version>,
    pub(crate) revision: &'static str,
    pub(crate) is_current: bool,
    pub(crate) is_online: bool,
    pub(crate) protocols: Protocols,
    pub(crate) kind: ApiKind,
    pub(crate) service: Option<&'static str>,
    pub(crate) subscription_required: bool,
    pub(crate) key_header: &'static str,
    pub(crate) key_query: &'static str,
    pub(crate) operations: &'static [&'static str],
    pub(crate) pipeline: Arc<Pipeline>,
}

impl Default for ApiSpec {
    fn default() -> Self {
        Self {
            id: "api",
            path: "",
            version: None,
            revision: "1",
            is_current: true,
            is_online: true,
            protocols: Protocols::default(),
            kind: ApiKind::Http,
            service: Some("https://backend.test/base"),
            subscription_required: false,
            key_header: "ocp-apim-subscription-key",
            key_query: "subscription-key",
            operations: &[],
            pipeline: Arc::default(),
        }
    }
}

pub(crate) fn api(spec: &ApiSpec) -> Api {
    let info = ApiInfo {
        id: spec.id.to_owned(),
        path: spec.path.to_owned(),
        revision: spec.revision.to_owned(),
        is_current_revision: spec.is_current,
        ..ApiInfo::default()
    };
    Api {
        info: Arc::new(info),
        version: spec.version.clone(),
        is_online: spec.is_online,
        protocols: spec.protocols,
        kind: spec.kind,
        service: spec.service.map(|it| Service::Url(Arc::new(BaseUrl::parse(it).unwrap()))),
        subscription_required: spec.subscription_required,
        key_header: HeaderName::from_static(spec.key_header),
        key_query: spec.key_query.to_owned(),
        operations: spec.operations.iter().map(|it| operation(it, spec)).collect(),
        pipeline: spec.pipeline.clone(),
    }
}

fn operation(text: &str, spec: &ApiSpec) -> Operation {
    let (method, template) = text.split_once(' ').unwrap();
    let info = OperationInfo {
        id: text.to_owned(),
        method: method.to_owned(),
        url_template: template.to_owned(),
        ..OperationInfo::default()
    };
    let operation = pipeline::Operation {
        info: Arc::new(info),
        is_websocket: spec.kind == ApiKind::WebSocket,
        ..pipeline::Operation::default()
    };
    Operation { operation: Arc::new(operation), pipeline: spec.pipeline.clone() }
}

pub(crate) fn snapshot(specs: &[ApiSpec]) -> Snapshot {
    Snapshot { apis: specs.iter().map(api).collect(), ..Snapshot::default() }
}

pub(crate) fn subscription(
    id: &str,
    scope: SubscriptionScope,
    is_active: bool,
    keys: &[&str],
) -> Subscription {
    let info = SubscriptionInfo {
        id: id.to_owned(),
        primary_key: keys.first().copied().unwrap_or_default().to_owned(),
        secondary_key: keys.get(1).copied().unwrap_or_default().to_owned(),
        ..SubscriptionInfo::default()
    };
    let keys = keys.iter().map(|it| (*it).into()).collect();
    Subscription { info: Arc::new(info), scope, is_active, keys }
}
