//! APIs: address, backend, subscription key names, operations and policy; each revision is one.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/add-api-manually>

use std::sync::Arc;

use http::HeaderName;
use pipeline::{BaseUrl, NamedSchemas};

use super::{
    A2aEntity, DiagnosticEntity, GraphQlEntity, McpEntity, ModelEntity, OperationEntity,
    PolicyEntity, Reading, ReleaseEntity, VersionSetEntity, a2a, diagnostic, graphql, mcp, models,
    operation, policy, properties, release, schema, version_set,
};
use crate::codes;
use crate::layout::{EntityFiles, last_two};
use crate::openapi::{self, RequiredQuery};
use crate::place::Place;
use crate::snapshot::ApiKind;
use crate::tree::Fields;

/// The header that carries a subscription key unless an API says otherwise.
pub const KEY_HEADER: &str = "Ocp-Apim-Subscription-Key";
/// The query parameter that carries a subscription key unless an API says otherwise.
pub const KEY_QUERY: &str = "subscription-key";

/// A revision of an API.
#[derive(Clone, Debug)]
pub struct ApiEntity {
    /// Entity name without `;rev=n`.
    pub id: String,
    /// Revision number.
    pub revision: String,
    /// Whether it answers without `;rev=`.
    pub is_current: bool,
    /// The version, in a version set; none for the Original version.
    pub version: Option<String>,
    /// The version set.
    pub version_set: Option<VersionSetOf>,
    /// Releases: which revisions were made current, and when.
    pub releases: Vec<ReleaseEntity>,
    /// Whether it can be reached at all.
    pub is_online: bool,
    /// Display name.
    pub display_name: String,
    /// URL suffix without slashes at its ends; may be empty.
    pub path: String,
    /// `http`, `https`, `ws`, `wss`.
    pub protocols: Vec<String>,
    /// Base URL of the backend.
    pub service_url: Option<String>,
    /// Backend entity that is used unless a policy says otherwise.
    pub backend_id: Option<String>,
    /// Whether a key is needed.
    pub subscription_required: bool,
    /// Header that carries the key.
    pub key_header: String,
    /// Query parameter that carries the key.
    pub key_query: String,
    /// Whether the key may stand in `Authorization: Bearer`.
    pub key_bearer: bool,
    /// How it is spoken to.
    pub kind: ApiKind,
    /// Its schema and resolvers, if it is a GraphQL API.
    pub graphql: Option<GraphQlEntity>,
    /// Its tools, if it is an MCP server.
    pub mcp: Option<McpEntity>,
    /// Its agent, if it is an A2A API.
    pub a2a: Option<A2aEntity>,
    /// Its models, if it is a unified model API.
    pub models: Option<Vec<ModelEntity>>,
    /// What it is for.
    pub description: Option<String>,
    /// Its operations in order.
    pub operations: Vec<OperationEntity>,
    /// The XML schemas that it has of its own.
    pub schemas: Option<Arc<NamedSchemas>>,
    /// Its own diagnostics.
    pub diagnostics: Vec<DiagnosticEntity>,
    /// Its policy document.
    pub policy: Option<PolicyEntity>,
    /// Where it is described.
    pub place: Place,
}

/// The version set of an API.
#[derive(Clone, Debug)]
pub enum VersionSetOf {
    /// An entity, by name.
    Named(String),
    /// One that the API describes itself.
    Own(VersionSetEntity),
}

impl ApiEntity {
    /// The name that people know it by: with `;rev=n` unless it is current.
    pub fn full_name(&self) -> String {
        if self.is_current { self.id.clone() } else { format!("{};rev={}", self.id, self.revision) }
    }
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<ApiEntity> {
    let info = cx.info("apis", files)?;
    let fields = properties(&info, cx.problems);
    let place = files.place();
    if files.info.is_none() {
        let message = format!("API `{}` has no `apiInformation.json`", files.name);
        cx.report(place.error(codes::MISSING, message));
        return None;
    }
    let (id, revision_of_name) = match files.name.rsplit_once(";rev=") {
        Some((id, revision)) => (id.to_owned(), Some(revision.to_owned())),
        None => (files.name.clone(), None),
    };
    let models = files.below.get("models").and_then(|it| cx.parse(it));
    let models = models.map(|it| models::read(&it, cx.problems));
    let kind = match kind(&id, &fields)? {
        ApiKind::Http if models.is_some() => ApiKind::Models,
        kind => kind,
    };
    let path = fields.text("path").unwrap_or_else(|| {
        cx.report(place.error(codes::MISSING, format!("API `{id}` has no `path`")));
        String::new()
    });
    let required = required_query(&fields);
    let mcp = (kind == ApiKind::Mcp).then(|| mcp::read(&id, &fields, files, cx));
    let a2a = (kind == ApiKind::A2a).then(|| a2a::read(&id, &fields));
    let mut operations = match (kind, &files.specification) {
        (ApiKind::Mcp, _) => mcp::operations(&place, mcp.as_ref()),
        (ApiKind::A2a, _) => a2a::operations(&place, a2a.as_ref()),
        (ApiKind::Models, _) => models::operations(&place),
        (ApiKind::WebSocket, _) => vec![handshake(&place)],
        (ApiKind::GraphQl, _) => graphql::operations(&place),
        (ApiKind::Http, Some(file)) => specification(&id, file, required, cx),
        (ApiKind::Http, None) => Vec::new(),
    };
    if kind != ApiKind::Mcp && files.below.keys().any(|it| it.starts_with("mcpserver")) {
        let message = format!(
            "API `{id}`: an MCP server beside the API's own operations is not in this version"
        );
        let help = "make it an API of `type: mcp`";
        cx.report(place.error(codes::NOT_SUPPORTED, message).help(help));
    }
    if kind.is_for_agents() {
        refuse_policies(&id, files, cx);
    } else {
        operation::complete(files, &mut operations, cx);
    }
    let graphql = (kind == ApiKind::GraphQl).then(|| graphql::read(&id, files, cx));
    if let Some(it) = files.resolvers.values().next().filter(|_| graphql.is_none()) {
        let message = format!("API `{id}` has resolvers and is no GraphQL API");
        cx.report(it.place().error(codes::BAD_VALUE, message));
    }
    let keys = fields.map("subscriptionKeyParameterNames");
    let key = |key| keys.as_ref().and_then(|it| it.filled(key));
    let is_current = fields.bool("isCurrent").unwrap_or(revision_of_name.is_none());
    let service_url = fields.filled("serviceUrl");
    check_values(&id, service_url.as_deref(), key("header").as_deref(), &fields);
    Some(ApiEntity {
        revision: fields
            .filled("apiRevision")
            .or(revision_of_name)
            .unwrap_or_else(|| "1".to_owned()),
        is_current,
        version: fields.filled("apiVersion").map(|it| it.trim().to_owned()),
        version_set: version_set(&id, &fields),
        releases: release::read_all(files, cx),
        is_online: fields.bool("isOnline").unwrap_or(true),
        display_name: fields.filled("displayName").unwrap_or_else(|| id.clone()),
        path: path.trim().trim_matches('/').to_owned(),
        protocols: protocols(kind, &fields),
        service_url,
        backend_id: fields
            .filled("backendId")
            .map(|it| it.rsplit('/').next().unwrap_or("").to_owned()),
        subscription_required: fields.bool("subscriptionRequired").unwrap_or(true),
        key_header: key("header").unwrap_or_else(|| KEY_HEADER.to_owned()),
        key_query: key("query").unwrap_or_else(|| KEY_QUERY.to_owned()),
        key_bearer: key("bearer").is_some_and(|it| it.eq_ignore_ascii_case("enabled")),
        kind,
        graphql,
        mcp,
        a2a,
        models,
        description: fields.filled("description"),
        operations,
        schemas: schema::of_api(files, cx),
        diagnostics: diagnostic::read_of_api(files, cx),
        policy: policy::read(
            files.policy.as_ref(),
            cx.overrides.policy(Some(&files.name), None),
            cx,
        ),
        id,
        place,
    })
}

/// The operations of an API for agents are the gateway's: tools write down wildcards, which say
/// nothing, but a policy there would be left out.
fn refuse_policies(id: &str, files: &EntityFiles, cx: &Reading<'_>) {
    for it in files.operations.values().filter(|it| it.policy.is_some()) {
        let message = format!("API `{id}` is for agents: its policies stand at the API");
        cx.report(it.place().error(codes::NOT_SUPPORTED, message));
    }
}

/// Whether required query parameters become part of URL templates.
fn required_query(fields: &Fields<'_, '_>) -> RequiredQuery {
    const KEY: &str = "translateRequiredQueryParameters";
    match fields.filled(KEY).as_deref() {
        None | Some("template") => RequiredQuery::Template,
        Some("query") => RequiredQuery::Query,
        Some(other) => {
            let place = fields.get(KEY).unwrap_or(fields.tree());
            let message = format!("`{KEY}` is `template` or `query`, not `{other}`");
            fields.report(place.error(codes::BAD_VALUE, message));
            RequiredQuery::Template
        }
    }
}

fn specification(
    id: &str,
    file: &Arc<str>,
    required: RequiredQuery,
    cx: &Reading<'_>,
) -> Vec<OperationEntity> {
    let lower = file.to_ascii_lowercase();
    if ![".json", ".yaml", ".yml"].iter().any(|it| lower.ends_with(it)) {
        let message =
            format!("API `{id}`: specifications other than OpenAPI are not in this version");
        cx.report(Place::file(file.clone()).error(codes::NOT_SUPPORTED, message));
        return Vec::new();
    }
    let text = cx.source.text(file);
    if let Some(known) = text.and_then(|it| cx.remembered.operations(file, it, required)) {
        return known;
    }
    let n_problems = cx.problems.borrow().len();
    let Some(tree) = cx.parse(file) else { return Vec::new() };
    let operations = openapi::operations(&tree, required, cx.problems);
    if let (Some(text), true) = (text, cx.problems.borrow().len() == n_problems) {
        cx.remembered.keep(file, text, required, &operations);
    }
    operations
}

/// The version set of an API. A version without one could be named nowhere.
fn version_set(id: &str, fields: &Fields<'_, '_>) -> Option<VersionSetOf> {
    if let Some(reference) = fields.filled("apiVersionSetId") {
        return Some(VersionSetOf::Named(last_two(&reference).1.to_owned()));
    }
    if let Some(own) = fields.map("apiVersionSet") {
        let place = Place::from(own.tree());
        return version_set::of_properties(id, &own, place).map(VersionSetOf::Own);
    }
    if let (Some(version), Some(tree)) = (fields.filled("apiVersion"), fields.get("apiVersion")) {
        let message = format!("API `{id}` has version `{version}` and no `apiVersionSetId`");
        fields.report(tree.error(codes::MISSING, message));
    }
    None
}

fn kind(id: &str, fields: &Fields<'_, '_>) -> Option<ApiKind> {
    let of = |key| fields.filled(key).map(|it| it.to_ascii_lowercase());
    match of("type").or_else(|| of("apiType")).as_deref() {
        None | Some("http") => Some(ApiKind::Http),
        Some("websocket") => Some(ApiKind::WebSocket),
        Some("graphql") => Some(ApiKind::GraphQl),
        Some("mcp") => Some(ApiKind::Mcp),
        Some("a2a") => Some(ApiKind::A2a),
        Some(other) => {
            let message = format!("API `{id}`: APIs of type `{other}` are not in this version");
            fields.report(fields.tree().error(codes::NOT_SUPPORTED, message));
            None
        }
    }
}

fn protocols(kind: ApiKind, fields: &Fields<'_, '_>) -> Vec<String> {
    let known: &[&str] = match kind {
        ApiKind::Http | ApiKind::Mcp | ApiKind::A2a | ApiKind::Models => &["http", "https"],
        ApiKind::GraphQl => &["http", "https", "ws", "wss"],
        ApiKind::WebSocket => &["ws", "wss"],
    };
    let mut protocols = Vec::new();
    for tree in fields.list("protocols") {
        match tree.scalar().map(str::to_ascii_lowercase) {
            Some(it) if known.contains(&it.as_str()) => protocols.push(it),
            _ => {
                let shown = tree.scalar().unwrap_or("?");
                let message = format!("`{shown}` is no protocol of this API");
                let help = format!("known: {}", known.join(", "));
                fields.report(tree.error(codes::BAD_VALUE, message).help(help));
            }
        }
    }
    if protocols.is_empty() {
        // Azure's default for APIs made through its management interface.
        protocols = known.iter().skip(1).map(|it| (*it).to_owned()).collect();
    }
    protocols
}

/// Reports a backend URL and a key header that cannot be used.
fn check_values(id: &str, url: Option<&str>, header: Option<&str>, fields: &Fields<'_, '_>) {
    let place = |key| fields.get(key).map_or_else(|| Place::from(fields.tree()), Place::from);
    if let Some(error) = url.and_then(|it| BaseUrl::parse(it.trim()).err()) {
        let message = format!("API `{id}`: `serviceUrl` cannot be used: {error}");
        fields.report(place("serviceUrl").error(codes::BAD_VALUE, message));
    }
    if let Some(name) = header.filter(|it| HeaderName::from_bytes(it.as_bytes()).is_err()) {
        let message = format!("API `{id}`: `{name}` is no header name");
        fields.report(place("subscriptionKeyParameterNames").error(codes::BAD_VALUE, message));
    }
}

/// The one operation of a WebSocket API.
pub(crate) fn handshake(place: &Place) -> OperationEntity {
    OperationEntity {
        id: "onHandshake".to_owned(),
        display_name: "onHandshake".to_owned(),
        description: None,
        method: "GET".to_owned(),
        url_template: "/*".to_owned(),
        parameters: Vec::new(),
        request: Default::default(),
        responses: Vec::new(),
        specification: None,
        policy: None,
        place: place.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn one(properties: &str) -> (Option<ApiEntity>, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let (mut entities, problems) = read(&[("apis/chat;rev=2/apiInformation.json", &text)]);
        (entities.apis.pop(), problems)
    }

    #[test]
    fn properties_and_defaults_are_azures() {
        let (api, problems) =
            one(r#"{"path":"/openai/","serviceUrl":"https://h.test/x","apiRevision":"2"}"#);
        assert!(problems.is_empty(), "{problems:?}");
        let api = api.unwrap();
        assert_eq!((api.id.as_str(), api.revision.as_str(), api.is_current), ("chat", "2", false));
        assert_eq!(api.full_name(), "chat;rev=2");
        assert_eq!((api.path.as_str(), api.display_name.as_str()), ("openai", "chat"));
        assert_eq!(api.protocols, ["https"]);
        assert!(api.subscription_required && !api.key_bearer);
        assert_eq!((api.key_header.as_str(), api.key_query.as_str()), (KEY_HEADER, KEY_QUERY));
    }

    #[test]
    fn key_names_may_be_changed() {
        let (api, _) = one(r#"{"path":"","subscriptionRequired":"false",
                "subscriptionKeyParameterNames":{"header":"api-key","query":"k","bearer":"enabled"}}"#);
        let api = api.unwrap();
        assert_eq!((api.key_header.as_str(), api.key_query.as_str()), ("api-key", "k"));
        assert!(api.key_bearer && !api.subscription_required && api.path.is_empty());
    }

    #[test]
    fn a_websocket_api_has_the_handshake_only() {
        let api = one(r#"{"path":"w","type":"websocket","serviceUrl":"wss://h.test"}"#).0.unwrap();
        assert_eq!(api.kind, ApiKind::WebSocket);
        assert_eq!(api.operations[0].id, "onHandshake");
        assert_eq!(api.protocols, ["wss"]);
    }

    #[test]
    fn required_query_parameters_are_of_the_template_unless_the_api_says_otherwise() {
        let spec = "openapi: 3.0.1\npaths: { /a: { get: { operationId: a, parameters: \
                    [{ name: q, in: query, required: true }] } } }\n";
        for (value, template) in [
            ("", "/a?q={q}"),
            (r#","translateRequiredQueryParameters":"template""#, "/a?q={q}"),
            (r#","translateRequiredQueryParameters":"query""#, "/a"),
        ] {
            let info = format!(r#"{{"properties":{{"path":"a"{value}}}}}"#);
            let files = [
                ("apis/x/apiInformation.json", info.as_str()),
                ("apis/x/specification.yaml", spec),
            ];
            let (entities, problems) = read(&files);
            assert!(problems.is_empty(), "{problems:?}");
            let operation = &entities.apis[0].operations[0];
            assert_eq!(operation.url_template, template, "{value}");
            assert!(operation.request.parameters[0].is_required);
        }
        let problems = one(r#"{"path":"a","translateRequiredQueryParameters":"path"}"#).1;
        let expected =
            "PC0506 `translateRequiredQueryParameters` is `template` or `query`, not `path`";
        assert_eq!(problems, [expected]);
    }

    #[test]
    fn a_version_names_its_set_or_brings_it() {
        let (api, problems) =
            one(r#"{"path":"a","apiVersion":"v1","apiVersionSetId":"/x/apiVersionSets/s"}"#);
        assert_eq!(problems, [""; 0]);
        let api = api.unwrap();
        assert_eq!(api.version.as_deref(), Some("v1"));
        assert!(matches!(api.version_set, Some(VersionSetOf::Named(it)) if it == "s"));
        let (api, problems) =
            one(r#"{"path":"a","apiVersion":"","apiVersionSet":{"versioningScheme":"Segment"}}"#);
        assert_eq!(problems, [""; 0]);
        let api = api.unwrap();
        assert!(api.version.is_none() && matches!(api.version_set, Some(VersionSetOf::Own(_))));
    }

    #[test]
    fn what_is_not_built_or_wrong_is_refused() {
        for (properties, problem) in [
            (
                r#"{"path":"a","apiVersion":"v1"}"#,
                "PC0505 API `chat` has version `v1` and no `apiVersionSetId`",
            ),
            (
                r#"{"path":"a","type":"grpc"}"#,
                "PC0507 API `chat`: APIs of type `grpc` are not in this version",
            ),
            (r#"{"path":"a","protocols":["ftp"]}"#, "PC0506 `ftp` is no protocol of this API"),
            (r#"{"displayName":"x"}"#, "PC0505 API `chat` has no `path`"),
            (
                r#"{"path":"a","subscriptionKeyParameterNames":{"header":"a b"}}"#,
                "PC0506 API `chat`: `a b` is no header name",
            ),
        ] {
            assert_eq!(one(properties).1, [problem]);
        }
        assert_eq!(one(r#"{"path":"a","type":"graphql","protocols":["https","wss"]}"#).1, [""; 0]);
        assert_eq!(one(r#"{"path":"a","serviceUrl":"nonsense"}"#).1.len(), 1);
        let (_, problems) = read(&[
            ("apis/g/apiInformation.json", r#"{"properties":{"path":"g"}}"#),
            ("apis/g/resolvers/r/policy.xml", "<x/>"),
        ]);
        assert_eq!(problems, ["PC0506 API `g` has resolvers and is no GraphQL API"]);
        let (_, problems) = read(&[("apis/a/policy.xml", "<policies/>")]);
        assert_eq!(problems, ["PC0505 API `a` has no `apiInformation.json`"]);
    }

    #[test]
    fn only_openapi_specifications_are_read() {
        let (_, problems) = read(&[
            ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
            ("apis/a/specification.wsdl.xml", "<x/>"),
        ]);
        assert_eq!(
            problems,
            ["PC0507 API `a`: specifications other than OpenAPI are not in this version"]
        );
    }
}
