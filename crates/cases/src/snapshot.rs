//! The snapshot of a case: one API, its backends, subscriptions and certificates.

use std::sync::Arc;

use config::{
    Api, ApiKind, Backend, Protocols, Service, Snapshot, Subscription, SubscriptionScope,
};
use expr::host::{ApiInfo, BackendInfo, DeploymentInfo, SubscriptionInfo, UrlView};
use http::header::HeaderName;
use pipeline::url::BaseUrl;
use pipeline::{BackendEntry, Backends, Operation, Pipeline};
use transport::Secret;

use crate::case::Case;

/// Where requests go unless a policy says otherwise.
const SERVICE: &str = "https://backend.example";

pub(crate) fn subscription((id, key): &(String, String)) -> Subscription {
    let info =
        SubscriptionInfo { id: id.clone(), name: Some(id.clone()), ..SubscriptionInfo::default() };
    Subscription {
        info: Arc::new(info),
        scope: SubscriptionScope::AllApis,
        is_active: true,
        keys: vec![Secret::new(key.as_str())],
        ..Subscription::default()
    }
}

pub(crate) fn backends(case: &Case) -> Result<Backends, String> {
    let entry = |(id, url): &(String, String)| {
        let url = BaseUrl::parse(url).map_err(|error| format!("`{url}`: {error}"))?;
        let info =
            BackendInfo { id: id.clone(), kind: "Single".to_owned(), ..BackendInfo::default() };
        Ok(BackendEntry { info: Arc::new(info), url: Some(Arc::new(url)), ..Default::default() })
    };
    case.backends.iter().map(entry).collect()
}

pub(crate) fn snapshot(
    global: Pipeline,
    pipeline: Pipeline,
    operations: Vec<Arc<Operation>>,
    backends: Backends,
) -> Result<Snapshot, String> {
    let pipeline = Arc::new(pipeline);
    let service = BaseUrl::parse(SERVICE).map_err(|error| error.to_string())?;
    let api = Api {
        info: Arc::new(ApiInfo {
            id: "api".to_owned(),
            name: "API".to_owned(),
            revision: "1".to_owned(),
            is_current_revision: true,
            protocols: vec!["https".to_owned()],
            service_url: UrlView::parse(SERVICE),
            subscription_key_header: "Ocp-Apim-Subscription-Key".to_owned(),
            subscription_key_query: "subscription-key".to_owned(),
            ..ApiInfo::default()
        }),
        version: None,
        is_online: true,
        protocols: Protocols::default(),
        kind: ApiKind::Http,
        products: Vec::new(),
        open_product: None,
        workspace: None,
        backends: None,
        agents: None,
        service: Some(Service::Url(Arc::new(service))),
        subscription_required: false,
        key_header: HeaderName::from_static("ocp-apim-subscription-key"),
        key_query: "subscription-key".to_owned(),
        key_bearer: false,
        operations: operations
            .into_iter()
            .map(|operation| config::Operation {
                operation,
                pipeline: Arc::clone(&pipeline),
                in_products: config::InProducts::default(),
            })
            .collect(),
        pipeline,
    };
    let entities = backends.names().filter_map(|name| {
        let entry = Arc::clone(backends.get(name)?);
        let entity = Backend { entry, ..Backend::default() };
        Some((name.to_owned(), Arc::new(entity)))
    });
    Ok(Snapshot {
        apis: vec![api],
        backends: entities.collect(),
        backend_entries: Arc::new(backends),
        global: Arc::new(global),
        ..Snapshot::default()
    })
}

/// What `context.Deployment` shows: the certificates.
///
/// # Errors
///
/// A text that is no certificate.
pub(crate) fn deployment(case: &Case) -> Result<Arc<DeploymentInfo>, String> {
    let certificate = |(name, text): &(String, String)| {
        let key = text.contains("PRIVATE KEY").then_some(text.as_str());
        match expr::certificate(text.as_bytes(), key) {
            Ok(value) => Ok((name.clone(), value)),
            Err(error) => Err(format!("certificate `{name}`: {error}")),
        }
    };
    let certificates = case.certificates.iter().map(certificate).collect::<Result<_, _>>()?;
    Ok(Arc::new(DeploymentInfo { certificates, ..DeploymentInfo::default() }))
}
