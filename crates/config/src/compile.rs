//! Resolved entities to a snapshot: documents are compiled and spliced, addresses checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use document::{Diagnostic, Document, Node, Related, Span};
use expr::host::{ApiInfo, DeploymentInfo, UrlView};
use http::HeaderName;
use pipeline::{
    ApiName, ApiNames, Backends, BaseUrl, Certificate, Certificates, CompiledDocument, Fragments,
    GraphQlApi, NamedSchemas, Pipeline, Scope, Surroundings, Target, body_warnings, check_fragment,
    compile_default_global, compile_document, pair_warnings, reads_response,
};

use crate::a2a;
use crate::codes;
use crate::entity::{ApiEntity, OperationEntity, PolicyEntity};
use crate::graphql;
use crate::llm_log::Logging;
use crate::load::{Engine, Parsed, Summary};
use crate::mcp;
use crate::resolve::Resolved;
use crate::snapshot::{Api, ApiKind, Operation, Protocols, Service, Snapshot};

/// Compiles a configuration. Returns the snapshot (none if a document does not compile), how much
/// was looked at, and every problem.
pub(crate) fn compile(
    parsed: &Parsed,
    resolved: Resolved,
    engine: Engine<'_>,
) -> (Option<Snapshot>, Summary, Vec<Diagnostic>) {
    let entities = &parsed.entities;
    let mut fragments = Fragments::new();
    for it in &entities.fragments {
        fragments.insert(it.name.as_str(), it.file.clone(), &it.text);
    }
    let backend_entries: Backends =
        resolved.backends.values().map(|it| (*it.entry).clone()).collect();
    let deployment = Arc::new(deployment(parsed, &resolved.certificates));
    let mut schemas = NamedSchemas::default();
    for it in &entities.schemas {
        schemas.insert(&it.name, it.schema.clone());
    }
    let mut problems = Vec::new();
    let loggers = Arc::clone(&resolved.loggers);
    let logging =
        Logging::new(entities, &resolved, loggers.clone(), engine.extensions, &mut problems);
    let mut extensions = engine.extensions.clone();
    extensions.insert(Arc::new(schemas));
    extensions.insert(Arc::new(resolved.certificates));
    extensions.insert(Arc::new(resolved.authorizations));
    extensions.insert(loggers);
    extensions.insert(Arc::new(resolved.caches));
    extensions.insert(Arc::new(api_names(&entities.apis)));
    extensions.insert(Arc::new(parsed.settings.ai.clone()));
    let surroundings = Surroundings {
        registry: engine.registry,
        named_values: &resolved.named_values,
        fragments: &fragments,
        backends: Some(&backend_entries),
        extensions: &extensions,
        options: &parsed.settings.expressions,
    };
    let mut cx = Compiler {
        surroundings: &surroundings,
        logging: &logging,
        problems,
        summary: Summary { n_fragments: entities.fragments.len(), ..Summary::default() },
        is_whole: true,
    };
    for (_, fragment) in fragments.iter() {
        let checked = check_fragment(fragment, &surroundings);
        cx.summary.n_expressions += checked.n_expressions;
        cx.problems.extend(checked.diagnostics);
    }
    let global = cx.global(entities.policy.as_ref());
    let mut apis: Vec<Api> =
        entities.apis.iter().map(|it| cx.api(it, &global, &backend_entries)).collect();
    cx.problems.extend(mcp::link(&entities.apis, &mut apis));
    check_addresses(&entities.apis, &mut cx.problems);
    let (summary, problems, is_whole) = (cx.summary, cx.problems, cx.is_whole);
    let snapshot = Snapshot {
        apis,
        subscriptions: resolved.subscriptions,
        backends: resolved.backends,
        backend_entries: Arc::new(backend_entries),
        global: Arc::new(Pipeline::splice(&[&global])),
        deployment,
        settings: parsed.settings.requests.clone(),
    };
    (is_whole.then_some(snapshot), summary, problems)
}

fn api_names(apis: &[ApiEntity]) -> ApiNames {
    let name = |it: &ApiEntity| ApiName {
        id: it.id.clone(),
        name: it.display_name.clone(),
        operations: it
            .operations
            .iter()
            .map(|it| (it.id.clone(), it.display_name.clone()))
            .collect(),
    };
    apis.iter().map(name).collect()
}

fn deployment(parsed: &Parsed, certificates: &Certificates) -> DeploymentInfo {
    let gateway = parsed.settings.gateway.clone();
    DeploymentInfo {
        is_managed: gateway.name.is_none(),
        gateway_id: gateway.name.unwrap_or_else(|| "managed".to_owned()),
        region: gateway.region.unwrap_or_default(),
        service_id: gateway.service_id.unwrap_or_default(),
        service_name: gateway.service_name.unwrap_or_default(),
        certificates: shown(parsed, certificates),
        ..DeploymentInfo::default()
    }
}

/// The certificates that can be used, under their names as they were written, with their keys, so
/// that expressions can sign.
fn shown(parsed: &Parsed, certificates: &Certificates) -> Vec<(String, expr::Value)> {
    let entities = parsed.entities.certificates.iter().map(|it| it.name.as_str());
    let settings = parsed.settings.certificates.iter().map(|it| it.name.as_str());
    let mut shown: Vec<(String, expr::Value)> = Vec::new();
    for name in settings.chain(entities) {
        let is_new = !shown.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
        if let Some(Certificate::Usable(entry)) = certificates.get(name).filter(|_| is_new) {
            let key = entry.private_key_pem.as_ref().map(|it| it.expose());
            // Its text was read before, so that it is a certificate.
            if let Ok(value) = expr::certificate(entry.chain_pem.as_bytes(), key) {
                shown.push((name.to_owned(), value));
            }
        }
    }
    shown
}

struct Compiler<'a> {
    surroundings: &'a Surroundings<'a>,
    logging: &'a Logging<'a>,
    problems: Vec<Diagnostic>,
    summary: Summary,
    /// Whether every document was compiled.
    is_whole: bool,
}

impl Compiler<'_> {
    fn global(&mut self, policy: Option<&PolicyEntity>) -> CompiledDocument {
        match policy {
            Some(policy) => self.document(policy, Target::scope(Scope::Global)),
            None => compile_default_global(self.surroundings),
        }
        .unwrap_or_else(|| CompiledDocument::inheriting(Scope::Global))
    }

    fn document(&mut self, policy: &PolicyEntity, target: Target<'_>) -> Option<CompiledDocument> {
        self.summary.n_policies += 1;
        let (document, problems) = document::parse(&policy.text);
        self.summary.n_expressions += n_expressions(&document);
        let is_broken = problems.iter().any(Diagnostic::is_error);
        self.problems.extend(problems.into_iter().map(|it| it.in_file(policy.file.clone())));
        if is_broken {
            self.is_whole = false;
            return None;
        }
        let file = Some(policy.file.clone());
        let (compiled, problems) = compile_document(&document, file, target, self.surroundings);
        let in_file = |it: Diagnostic| match it.file {
            Some(_) => it,
            None => it.in_file(policy.file.clone()),
        };
        self.problems.extend(problems.into_iter().map(in_file));
        self.is_whole &= compiled.is_some();
        compiled
    }

    fn api(&mut self, api: &ApiEntity, global: &CompiledDocument, backends: &Backends) -> Api {
        self.summary.n_apis += 1;
        let own = api.policy.as_ref().and_then(|it| self.document(it, Target::scope(Scope::Api)));
        let mut documents = vec![global];
        documents.extend(own.as_ref());
        let pipeline = Arc::new(Pipeline::splice(&documents));
        if api.operations.is_empty() || api.operations.iter().any(|it| it.policy.is_none()) {
            self.check_bodies(&documents);
        }
        let graphql = self.graphql(api);
        let logs = self.logging.of(api, &mut self.problems);
        let inherited = self.logging.around(pipeline.clone(), &logs);
        let operations: Vec<Operation> = api
            .operations
            .iter()
            .map(|it| {
                let own = self.operation(it, api, graphql.as_ref(), &documents, &pipeline);
                let is_inherited = Arc::ptr_eq(&own.pipeline, &pipeline);
                let pipeline = match is_inherited {
                    true => inherited.clone(),
                    false => self.logging.around(own.pipeline, &logs),
                };
                Operation { pipeline, ..own }
            })
            .collect();
        if let Some((built, operation)) = graphql.as_ref().zip(operations.first()) {
            let problems = graphql::check(api, built, &operation.operation);
            self.is_whole &= !problems.iter().any(Diagnostic::is_error);
            self.problems.extend(problems);
        }
        let a2a = a2a::compile(api);
        self.problems.extend(a2a.problem);
        let service = a2a.service.or_else(|| self.service(api, backends));
        if api.mcp.as_ref().is_some_and(|it| it.tools.is_empty()) && reads_response(&documents) {
            let message = format!(
                "API `{}` holds every stream until its end: a policy reads the body of the response",
                api.full_name()
            );
            self.problems.push(api.place.warning(codes::HOLDS_STREAM, message));
        }
        Api {
            info: Arc::new(info(api)),
            version: None,
            is_online: api.is_online,
            protocols: Protocols {
                http: api.protocols.iter().any(|it| it == "http" || it == "ws"),
                https: api.protocols.iter().any(|it| it == "https" || it == "wss"),
            },
            kind: api.kind,
            service,
            subscription_required: api.subscription_required,
            // The entity has reported a name that is none.
            key_header: HeaderName::from_bytes(api.key_header.as_bytes())
                .unwrap_or(HeaderName::from_static("ocp-apim-subscription-key")),
            key_query: api.key_query.clone(),
            key_bearer: api.key_bearer,
            operations,
            agents: a2a.agents,
            pipeline,
        }
    }

    /// Warnings about the effective policy; what several operations inherit is told once.
    fn check_bodies(&mut self, documents: &[&CompiledDocument]) {
        let halves = pair_warnings(&Pipeline::splice(documents));
        for problem in body_warnings(documents).into_iter().chain(halves) {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// Schema and resolvers of a GraphQL API.
    fn graphql(&mut self, api: &ApiEntity) -> Option<Arc<GraphQlApi>> {
        let compiled = graphql::compile(api, self.surroundings);
        self.summary.n_policies += compiled.n_documents;
        self.is_whole &= compiled.is_whole;
        self.problems.extend(compiled.problems);
        compiled.api
    }

    fn service(&mut self, api: &ApiEntity, backends: &Backends) -> Option<Service> {
        if let Some(id) = &api.backend_id {
            let known = backends.names().find(|it| it.eq_ignore_ascii_case(id));
            return match known {
                Some(known) => Some(Service::Backend(known.to_owned())),
                None => {
                    let message = format!("API `{}`: unknown backend `{id}`", api.full_name());
                    let problem = api.place.error(document::codes::UNKNOWN_BACKEND, message);
                    self.problems.push(match document::closest(id, backends.names()) {
                        Some(near) => problem.help(format!("did you mean `{near}`?")),
                        None => problem,
                    });
                    None
                }
            };
        }
        let url = api.service_url.as_deref()?.trim();
        match BaseUrl::parse(url) {
            Ok(url) => Some(Service::Url(Arc::new(url))),
            Err(error) => {
                let message =
                    format!("API `{}`: `serviceUrl` cannot be used: {error}", api.full_name());
                self.problems.push(api.place.error(codes::BAD_VALUE, message));
                None
            }
        }
    }

    fn operation(
        &mut self,
        entity: &OperationEntity,
        api: &ApiEntity,
        graphql: Option<&Arc<GraphQlApi>>,
        documents: &[&CompiledDocument],
        pipeline: &Arc<Pipeline>,
    ) -> Operation {
        self.summary.n_operations += 1;
        let speaks_graphql =
            api.kind == ApiKind::GraphQl && entity.id == crate::entity::GRAPHQL_HANDSHAKE;
        let operation = Arc::new(pipeline::Operation {
            is_websocket: api.kind == ApiKind::WebSocket || speaks_graphql,
            speaks_graphql,
            graphql: graphql.cloned(),
            schemas: api.schemas.clone(),
            ..entity.clone().into_operation()
        });
        let target = Target { scope: Scope::Operation, operation: Some(&operation) };
        let own = entity.policy.as_ref().and_then(|it| self.document(it, target));
        let pipeline = match &own {
            Some(own) => {
                let mut documents = documents.to_vec();
                documents.push(own);
                self.check_bodies(&documents);
                Arc::new(Pipeline::splice(&documents))
            }
            None => pipeline.clone(),
        };
        for problem in pipeline.prepare(&operation) {
            let message = format!("operation `{}`: {problem}", entity.id);
            self.problems.push(entity.place.error(codes::SPECIFICATION, message));
            self.is_whole = false;
        }
        Operation { operation, pipeline }
    }
}

fn info(api: &ApiEntity) -> ApiInfo {
    ApiInfo {
        id: api.id.clone(),
        name: api.display_name.clone(),
        path: api.path.clone(),
        revision: api.revision.clone(),
        version: None,
        is_current_revision: api.is_current,
        protocols: api.protocols.clone(),
        service_url: api.service_url.as_deref().and_then(|it| UrlView::parse(it.trim())),
        subscription_key_header: api.key_header.clone(),
        subscription_key_query: api.key_query.clone(),
    }
}

/// How many values of a document are written as expressions.
fn n_expressions(document: &Document) -> usize {
    fn of(nodes: &[Node]) -> usize {
        nodes
            .iter()
            .filter_map(Node::as_element)
            .map(|it| {
                let attributes = it.attributes.iter().filter(|it| it.value.starts_expression());
                attributes.count() + usize::from(it.text().starts_expression()) + of(&it.children)
            })
            .sum()
    }
    of(document.nodes())
}

/// Reports APIs and operations that a request could not tell apart.
fn check_addresses(apis: &[ApiEntity], problems: &mut Vec<Diagnostic>) {
    let mut paths: BTreeMap<String, &ApiEntity> = BTreeMap::new();
    let mut revisions: BTreeMap<(String, &str), &ApiEntity> = BTreeMap::new();
    for api in apis {
        let id = api.id.to_lowercase();
        if let Some(first) = revisions.insert((id, &api.revision), api) {
            let message = format!("API `{}` has revision {} twice", api.id, api.revision);
            problems.push(api.place.error(codes::DUPLICATE, message).related(also(&first.place)));
        }
        // Versions share a path; they have been refused.
        if !api.is_current || api.is_versioned {
            continue;
        }
        if let Some(first) = paths.insert(api.path.to_lowercase(), api) {
            let message = match first.id.eq_ignore_ascii_case(&api.id) {
                true => format!("API `{}` has two current revisions", api.id),
                false => {
                    format!(
                        "APIs `{}` and `{}` have the same path `{}`",
                        first.id, api.id, api.path
                    )
                }
            };
            problems
                .push(api.place.error(codes::ROUTE_CONFLICT, message).related(also(&first.place)));
        }
    }
    apis.iter().for_each(|api| check_operations(api, apis, problems));
}

/// Reports operations that match the same requests, and an API without a current revision.
fn check_operations(api: &ApiEntity, apis: &[ApiEntity], problems: &mut Vec<Diagnostic>) {
    let mut templates: BTreeMap<(&str, String), &OperationEntity> = BTreeMap::new();
    for operation in &api.operations {
        let shape = shape(&operation.url_template);
        if let Some(first) = templates.insert((&operation.method, shape), operation) {
            let message = format!(
                "operations `{}` and `{}` of API `{}` match the same requests",
                first.id, operation.id, api.id
            );
            let help = "the first one answers";
            problems.push(
                operation
                    .place
                    .warning(codes::ROUTE_CONFLICT, message)
                    .help(help)
                    .related(also(&first.place)),
            );
        }
    }
    if !api.is_current
        && !apis.iter().any(|it| it.is_current && it.id.eq_ignore_ascii_case(&api.id))
    {
        let message = format!("API `{}` has no current revision", api.id);
        problems.push(api.place.warning(codes::ROUTE_CONFLICT, message));
    }
}

fn also(place: &crate::place::Place) -> Related {
    let span: Span = place.span;
    Related { file: Some(place.file.clone()), span, message: "the first one".to_owned() }
}

/// A template in lower case with the names of its parameters left out.
fn shape(template: &str) -> String {
    let mut shape = String::new();
    let mut is_name = false;
    for it in template.chars().flat_map(char::to_lowercase) {
        match it {
            '{' => is_name = true,
            '}' => {
                is_name = false;
                shape.push_str("{}");
            }
            _ if is_name => {}
            _ => shape.push(it),
        }
    }
    shape.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use pipeline::{Extensions, Registry};

    use super::*;
    use crate::load::{Loaded, Options, load};
    use crate::secret_source::NoSecrets;
    use crate::source::Source;

    async fn run(files: &[(&str, &str)]) -> Loaded {
        let source = Source::from_files(files.iter().map(|(name, text)| (*name, *text)));
        let engine = Engine { registry: &Registry::default(), extensions: &Extensions::default() };
        load(&source, &Options::default(), &NoSecrets, engine).await
    }

    fn told(loaded: &Loaded) -> Vec<String> {
        loaded.diagnostics.iter().map(|it| format!("{} {}", it.code, it.message)).collect()
    }

    const SPEC: &str =
        "openapi: 3.0.1\npaths: { '/x/{a}': { get: { operationId: one } }, /y: { post: {} } }\n";

    #[tokio::test]
    async fn a_configuration_becomes_a_snapshot() {
        let loaded = run(&[
            ("portcullis.yaml", "gateway: { name: local, region: here }\n"),
            ("apis/chat/apiInformation.json", r#"{"properties":{"path":"openai","serviceUrl":"https://h.test/o","protocols":["http","https"]}}"#),
            ("apis/chat/specification.yaml", SPEC),
            ("apis/chat/policy.xml", "<policies><inbound><base /></inbound></policies>"),
            ("apis/chat/operations/one/policy.xml", "<policies><inbound><base /></inbound></policies>"),
            ("backends/b/backendInformation.json", r#"{"properties":{"url":"https://b.test"}}"#),
        ])
        .await;
        assert_eq!(told(&loaded), [""; 0]);
        assert_eq!(
            loaded.summary,
            Summary { n_apis: 1, n_operations: 2, n_policies: 2, n_fragments: 0, n_expressions: 0 }
        );
        let snapshot = loaded.snapshot.unwrap();
        let api = &snapshot.apis[0];
        assert_eq!((api.info.id.as_str(), api.info.path.as_str()), ("chat", "openai"));
        assert!(api.protocols.http && api.protocols.https && api.is_online);
        assert!(matches!(&api.service, Some(Service::Url(url)) if url.host() == "h.test"));
        assert!(!Arc::ptr_eq(&api.operations[0].pipeline, &api.pipeline));
        assert!(Arc::ptr_eq(&api.operations[1].pipeline, &api.pipeline));
        assert_eq!(snapshot.deployment.gateway_id, "local");
        assert!(snapshot.backend_entries.get("b").is_some());
    }

    #[tokio::test]
    async fn problems_of_documents_carry_their_file_and_stop_the_snapshot() {
        let loaded = run(&[
            ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
            ("apis/a/policy.xml", "<policies><inbound>"),
            ("policy.xml", "<policies><inbuond /></policies>"),
        ])
        .await;
        assert!(loaded.snapshot.is_none());
        let files: Vec<&str> =
            loaded.diagnostics.iter().filter_map(|it| it.file.as_deref()).collect();
        assert_eq!(files, ["apis/a/policy.xml", "apis/a/policy.xml", "policy.xml"]);
    }

    #[tokio::test]
    async fn addresses_must_differ() {
        let api = |path: &str, more: &str| format!(r#"{{"properties":{{"path":"{path}"{more}}}}}"#);
        let loaded = run(&[
            ("apis/a/apiInformation.json", &api("x", "")),
            ("apis/b/apiInformation.json", &api("/X/", "")),
            ("apis/c/apiInformation.json", &api("c", r#","backendId":"/backends/nope""#)),
            ("apis/d;rev=2/apiInformation.json", &api("d", r#","apiRevision":"2""#)),
            ("apis/e/apiInformation.json", &api("e", "")),
            ("apis/e/specification.yaml", "openapi: 3.0.1\npaths: { '/x/{a}': { get: { operationId: one } }, '/X/{b}/': { get: { operationId: two } } }\n"),
        ])
        .await;
        assert_eq!(
            told(&loaded),
            [
                "PC0517 APIs `a` and `b` have the same path `X`",
                "PC0202 API `c`: unknown backend `nope`",
                "PC0517 API `d` has no current revision",
                "PC0517 operations `one` and `two` of API `e` match the same requests",
            ]
        );
    }

    #[test]
    fn templates_compare_without_names() {
        assert_eq!(shape("/A/{b}/?c={d}"), shape("/a/{x}/?C={y}"));
        assert_ne!(shape("/a/{b}"), shape("/a/b"));
    }
}
