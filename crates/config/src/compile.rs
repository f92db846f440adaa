//! Resolved entities to a snapshot: documents are compiled and spliced, addresses checked.

use std::sync::Arc;

use document::{Diagnostic, Document, Node};
use expr::host::{ApiInfo, DeploymentInfo, UrlView, WorkspaceInfo};
use http::HeaderName;
use pipeline::{
    ApiName, ApiNames, Backends, BaseUrl, Certificate, Certificates, CompiledDocument, Extensions,
    Fragments, GraphQlApi, LlmLog, NamedSchemas, Pipeline, Scope, Surroundings, Target,
    body_warnings, check_fragment, compile_default_global, compile_document, pair_warnings,
    reads_response,
};

use crate::a2a;
use crate::addresses;
use crate::codes;
use crate::entity::{
    ApiEntity, Entities, GatewayEntity, LinkEntity, OperationEntity, PolicyEntity, ProductEntity,
};
use crate::graphql;
use crate::llm_log::Logging;
use crate::load::{Engine, Parsed, Summary};
use crate::mcp;
use crate::models;
use crate::products::{self, Membership, Memberships};
use crate::resolve::Resolved;
use crate::reuse::{Known, Reuse, Spot};
use crate::snapshot::{Api, ApiKind, Backend, InProducts, Operation, Protocols, Service, Snapshot};
use crate::versions;

/// Compiles a configuration, but for documents that `reuse` knows. Returns the snapshot (none if a document does not compile), how much
/// was looked at, and every problem.
pub(crate) fn compile(
    parsed: &Parsed,
    mut resolved: Resolved,
    engine: Engine<'_>,
    reuse: &mut Reuse,
) -> (Option<Snapshot>, Summary, Vec<Diagnostic>) {
    let entities = &parsed.entities;
    let workspaces = std::mem::take(&mut resolved.workspaces);
    let deployment = Arc::new(deployment(parsed, &resolved.certificates));
    let mut work = Work { is_whole: true, reuse: std::mem::take(reuse), ..Work::default() };
    let memberships = Memberships::new(entities, &mut work.problems);
    let backend_entries = Arc::new(entries(resolved.backends.values(), ""));
    let extensions = extensions(engine.extensions, entities, parsed, &mut resolved);
    let mut apis = Vec::new();
    let mut products = Products::default();

    let service =
        Place { entities, workspace: None, resolved: &[&resolved], extensions: &extensions };
    let global = compile_scope(&service, parsed, engine, &backend_entries, &mut work, |mut cx| {
        let global = Arc::new(cx.global(entities.policy.as_ref()));
        products.extend(cx.products(&entities.products));
        let documents = [&*global];
        // Products of a workspace are for its own APIs only, so that those of the service suffice.
        let of_service = cx.apis(&entities.apis, &documents, &memberships, &products, None);
        apis.extend(of_service);
        Arc::clone(&global)
    });
    let mut backends = resolved.backends.clone();
    for (entity, mut own) in entities.workspaces.iter().zip(workspaces) {
        let prefix = format!("{}/", entity.id);
        let known = entries(own.backends.values(), &prefix);
        let all = Arc::new(backend_entries.with(&known));
        let extensions = self::extensions(engine.extensions, &entity.entities, parsed, &mut own);
        let info = WorkspaceInfo { id: entity.id.clone(), name: entity.display_name.clone() };
        let below = Below { info: Arc::new(info), backends: all, n_before: apis.len() };
        let place = Place {
            entities: &entity.entities,
            workspace: Some(&entity.id),
            resolved: &[&own, &resolved],
            extensions: &extensions,
        };
        let found = compile_scope(&place, parsed, engine, &known, &mut work, |mut cx| {
            let target = Target::scope(Scope::Workspace);
            let policy = entity.policy.as_ref().and_then(|it| cx.document(it, target, &entity.id));
            products.extend(cx.products(&entity.entities.products));
            let documents: Vec<&CompiledDocument> =
                std::iter::once(&*global).chain(policy.as_ref()).collect();
            let apis = &entity.entities.apis;
            cx.apis(apis, &documents, &memberships, &products, Some(below))
        });
        apis.extend(found);
        backends.extend(own.backends);
    }
    served(entities, parsed, &mut apis, &mut work.problems);
    addresses::check(entities, &mut work.problems);
    *reuse = work.reuse;
    let snapshot = Snapshot {
        products: products::infos(entities, &apis, &mut work.problems),
        apis,
        subscriptions: resolved.subscriptions,
        backends,
        backend_entries,
        global: Arc::new(Pipeline::splice(&[&global])),
        deployment,
        settings: parsed.settings.requests.clone(),
    };
    (work.is_whole.then_some(snapshot), work.summary, work.problems)
}

/// What compiling has come to so far.
#[derive(Default)]
struct Work {
    problems: Vec<Diagnostic>,
    summary: Summary,
    /// Whether every document was compiled.
    is_whole: bool,
    reuse: Reuse,
}

/// The documents of products, by the products' places.
#[derive(Default)]
struct Products(Vec<Option<CompiledDocument>>);

impl Products {
    fn extend(&mut self, more: Vec<Option<CompiledDocument>>) {
        self.0.extend(more);
    }

    fn get(&self, place: usize) -> Option<&CompiledDocument> {
        self.0.get(place)?.as_ref()
    }
}

/// A service or a workspace, with what its documents refer to.
struct Place<'a> {
    entities: &'a Entities,
    /// The workspace, by name.
    workspace: Option<&'a str>,
    /// Its own first, then those around it.
    resolved: &'a [&'a Resolved],
    extensions: &'a Extensions,
}

/// What the APIs of a workspace have.
struct Below {
    info: Arc<WorkspaceInfo>,
    /// Backends of the workspace and of the service.
    backends: Arc<Backends>,
    /// APIs that stand before them in the snapshot.
    n_before: usize,
}

/// Compiles what is in a service or a workspace.
fn compile_scope<T>(
    place: &Place<'_>,
    parsed: &Parsed,
    engine: Engine<'_>,
    backends: &Backends,
    work: &mut Work,
    run: impl FnOnce(Compiler<'_>) -> T,
) -> T {
    let mut fragments = Fragments::new();
    for it in &place.entities.fragments {
        fragments.insert(it.name.as_str(), it.file.clone(), &it.text);
    }
    let nothing = Resolved::default();
    let own = place.resolved.first().copied().unwrap_or(&nothing);
    let logging = Logging::new(
        place.entities,
        place.resolved,
        own.loggers.clone(),
        engine.extensions,
        &mut work.problems,
    );
    let surroundings = Surroundings {
        registry: engine.registry,
        named_values: &own.named_values,
        fragments: &fragments,
        backends: Some(backends),
        extensions: place.extensions,
        options: &parsed.settings.expressions,
    };
    work.summary.n_fragments += place.entities.fragments.len();
    for (_, fragment) in fragments.iter() {
        let checked = check_fragment(fragment, &surroundings);
        work.summary.n_expressions += checked.n_expressions;
        work.problems.extend(checked.diagnostics);
    }
    run(Compiler {
        surroundings: &surroundings,
        logging: &logging,
        backends,
        entities: place.entities,
        workspace: place.workspace,
        work,
    })
}

/// What policies are compiled with in a service or a workspace.
fn extensions(
    shared: &Extensions,
    entities: &Entities,
    parsed: &Parsed,
    resolved: &mut Resolved,
) -> Extensions {
    let mut schemas = NamedSchemas::default();
    for it in &entities.schemas {
        schemas.insert(&it.name, it.schema.clone());
    }
    let mut extensions = shared.clone();
    extensions.insert(Arc::new(schemas));
    extensions.insert(Arc::new(std::mem::take(&mut resolved.certificates)));
    extensions.insert(Arc::new(std::mem::take(&mut resolved.authorizations)));
    extensions.insert(Arc::clone(&resolved.loggers));
    extensions.insert(Arc::new(std::mem::take(&mut resolved.caches)));
    extensions.insert(Arc::new(api_names(&entities.apis)));
    extensions.insert(Arc::new(parsed.settings.ai.clone()));
    extensions
}

/// Backends as policies name them: without `prefix`.
fn entries<'b>(backends: impl Iterator<Item = &'b Arc<Backend>>, prefix: &str) -> Backends {
    let mut entries = Backends::default();
    for it in backends {
        let id = &it.entry.info.id;
        entries.insert(id.strip_prefix(prefix).unwrap_or(id), Arc::clone(&it.entry));
    }
    entries
}

/// If the configuration describes this gateway and lists its APIs, the others are not served.
fn served(entities: &Entities, parsed: &Parsed, apis: &mut [Api], problems: &mut Vec<Diagnostic>) {
    let Some(name) = &parsed.settings.gateway.name else { return };
    let is_this = |it: &&GatewayEntity| it.id.eq_ignore_ascii_case(name);
    let Some(gateway) = entities.gateways.iter().find(is_this) else { return };
    let Some(listed) = &gateway.apis else {
        let message = format!("gateway `{name}` lists no APIs: all are served");
        let help = "write the list as `apis.json`, or `[]` for none";
        problems.push(gateway.place.warning(codes::NO_EFFECT, message).help(help));
        return;
    };
    let is_listed = |api: &Api, link: &LinkEntity| {
        let workspace = api.workspace.as_ref().map(|it| it.id.to_lowercase());
        let name = link.name.split(";rev=").next().unwrap_or(&link.name);
        name.eq_ignore_ascii_case(&api.info.id)
            && link.workspace.as_ref().map(|it| it.to_lowercase()) == workspace
    };
    for link in listed.iter().filter(|link| !apis.iter().any(|it| is_listed(it, link))) {
        let message = format!("gateway `{name}`: there is no API `{}`", link.name);
        problems.push(link.place.warning(codes::UNKNOWN_ENTITY, message));
    }
    for api in apis {
        api.is_online &= listed.iter().any(|link| is_listed(api, link));
    }
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
    backends: &'a Backends,
    entities: &'a Entities,
    /// The workspace that is compiled, by name.
    workspace: Option<&'a str>,
    work: &'a mut Work,
}

impl Compiler<'_> {
    fn global(&mut self, policy: Option<&PolicyEntity>) -> CompiledDocument {
        match policy {
            Some(policy) => self.document(policy, Target::scope(Scope::Global), ""),
            None => compile_default_global(self.surroundings),
        }
        .unwrap_or_else(|| CompiledDocument::inheriting(Scope::Global))
    }

    /// The document of `owner`, a product or an API, or of one of its operations.
    fn document(
        &mut self,
        policy: &PolicyEntity,
        target: Target<'_>,
        owner: &str,
    ) -> Option<CompiledDocument> {
        self.work.summary.n_policies += 1;
        let spot = Spot::new(policy, target, self.workspace, owner);
        let known = spot.as_ref().and_then(|it| self.work.reuse.get(it, &policy.text));
        if let Some(known) = known {
            self.work.summary.n_expressions += known.n_expressions;
            self.work.problems.extend(known.problems);
            return Some(known.compiled);
        }
        let n_before = self.work.problems.len();
        let (compiled, n_expressions) = self.compile(policy, target);
        self.work.summary.n_expressions += n_expressions;
        self.work.is_whole &= compiled.is_some();
        let problems = self.work.problems.get(n_before..).unwrap_or_default().to_vec();
        if let Some((spot, compiled)) = spot.zip(compiled.as_ref())
            && !problems.iter().any(Diagnostic::is_error)
        {
            let (text, compiled) = (policy.text.clone(), compiled.clone());
            self.work.reuse.keep(spot, Known { text, compiled, problems, n_expressions });
        }
        compiled
    }

    /// A document, and how many expressions are in it.
    fn compile(
        &mut self,
        policy: &PolicyEntity,
        target: Target<'_>,
    ) -> (Option<CompiledDocument>, usize) {
        let (document, problems) = document::parse(&policy.text);
        let n_expressions = n_expressions(&document);
        let is_broken = problems.iter().any(Diagnostic::is_error);
        self.work.problems.extend(problems.into_iter().map(|it| it.in_file(policy.file.clone())));
        if is_broken {
            return (None, n_expressions);
        }
        let file = Some(policy.file.clone());
        let (compiled, problems) = compile_document(&document, file, target, self.surroundings);
        let in_file = |it: Diagnostic| match it.file {
            Some(_) => it,
            None => it.in_file(policy.file.clone()),
        };
        self.work.problems.extend(problems.into_iter().map(in_file));
        (compiled, n_expressions)
    }

    /// The documents of products, in order; none for a product without one.
    fn products(&mut self, products: &[ProductEntity]) -> Vec<Option<CompiledDocument>> {
        let target = Target::scope(Scope::Product);
        let policy = |it: &ProductEntity| self.document(it.policy.as_ref()?, target, &it.id);
        products.iter().map(policy).collect()
    }

    /// All APIs. `documents` are those of the scopes around products.
    fn apis(
        &mut self,
        entities: &[ApiEntity],
        documents: &[&CompiledDocument],
        memberships: &Memberships,
        products: &Products,
        below: Option<Below>,
    ) -> Vec<Api> {
        let mut apis = Vec::with_capacity(entities.len());
        for it in entities {
            let membership = memberships.of(self.workspace, &it.id);
            let around = Around { documents, membership: &membership, products };
            let mut api = self.api(it, &around);
            api.workspace = below.as_ref().map(|it| it.info.clone());
            api.backends = below.as_ref().map(|it| it.backends.clone());
            apis.push(api);
        }
        let n_before = below.map_or(0, |it| it.n_before);
        self.work.problems.extend(mcp::link(entities, &mut apis, n_before));
        apis
    }

    fn api(&mut self, api: &ApiEntity, around: &Around<'_>) -> Api {
        self.work.summary.n_apis += 1;
        let target = Target::scope(Scope::Api);
        let owner = api.full_name();
        let own = api.policy.as_ref().and_then(|it| self.document(it, target, &owner));
        let documents = around.with(None, &[own.as_ref()]);
        let pipeline = Arc::new(Pipeline::splice(&documents));
        let inherits =
            api.operations.is_empty() || api.operations.iter().any(|it| it.policy.is_none());
        if inherits {
            self.check_bodies(&documents);
        }
        let graphql = self.graphql(api);
        let logs = self.logging.of(api, &mut self.work.problems);
        let inherited = Inherited {
            own: own.as_ref(),
            in_products: self.in_products(&[own.as_ref()], &pipeline, around, &logs),
            logged: self.logging.around(pipeline.clone(), &logs),
            pipeline,
            logs,
        };
        if inherits {
            for (place, _) in inherited.in_products.iter() {
                self.check_bodies(&around.with(Some(*place), &[own.as_ref()]));
            }
        }
        let operations: Vec<Operation> = api
            .operations
            .iter()
            .filter(|_| !graphql::serves_nothing(api))
            .map(|it| self.operation(it, api, graphql.as_ref(), around, &inherited))
            .collect();
        if let Some((built, operation)) = graphql.as_ref().zip(operations.first()) {
            let problems = graphql::check(api, built, &operation.operation);
            self.work.is_whole &= !problems.iter().any(Diagnostic::is_error);
            self.work.problems.extend(problems);
        }
        let a2a = a2a::compile(api);
        self.work.problems.extend(a2a.problem);
        let (models, problems) = models::compile(api, self.backends);
        self.work.problems.extend(problems);
        let service = a2a.service.or_else(|| self.service(api));
        if api.mcp.as_ref().is_some_and(|it| it.tools.is_empty()) && reads_response(&documents) {
            let message = format!(
                "API `{}` holds every stream until its end: a policy reads the body of the response",
                api.full_name()
            );
            self.work.problems.push(api.place.warning(codes::HOLDS_STREAM, message));
        }
        Api {
            info: Arc::new(info(api)),
            version: versions::version(api, &self.entities.version_sets, &mut self.work.problems),
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
            agents: a2a.agents.or(models),
            products: around.membership.products.clone(),
            open_product: around.membership.open,
            workspace: None,
            backends: None,
            pipeline: inherited.pipeline,
        }
    }

    /// The effective policies in the context of each product of an API, where they differ from
    /// the one outside of products. `narrow` are the documents of the API and its operation.
    fn in_products(
        &mut self,
        narrow: &[Option<&CompiledDocument>],
        outside: &Pipeline,
        around: &Around<'_>,
        logs: &[LlmLog],
    ) -> InProducts {
        let mut found = Vec::new();
        for place in &around.membership.products {
            if around.products.get(*place).is_none() {
                continue;
            }
            let pipeline = Pipeline::splice(&around.with(Some(*place), narrow));
            if !pipeline.is_same(outside) {
                found.push((*place, self.logging.around(Arc::new(pipeline), logs)));
            }
        }
        InProducts::new(found)
    }

    /// Warnings about the effective policy; what several operations inherit is told once.
    fn check_bodies(&mut self, documents: &[&CompiledDocument]) {
        let halves = pair_warnings(&Pipeline::splice(documents));
        for problem in body_warnings(documents).into_iter().chain(halves) {
            if !self.work.problems.contains(&problem) {
                self.work.problems.push(problem);
            }
        }
    }

    /// Schema and resolvers of a GraphQL API.
    fn graphql(&mut self, api: &ApiEntity) -> Option<Arc<GraphQlApi>> {
        let compiled = graphql::compile(api, self.surroundings);
        self.work.summary.n_policies += compiled.n_documents;
        self.work.is_whole &= compiled.is_whole;
        self.work.problems.extend(compiled.problems);
        compiled.api
    }

    fn service(&mut self, api: &ApiEntity) -> Option<Service> {
        let backends = self.backends;
        if let Some(id) = &api.backend_id {
            let known = backends.names().find(|it| it.eq_ignore_ascii_case(id));
            return match known {
                Some(known) => Some(Service::Backend(known.to_owned())),
                None => {
                    let message = format!("API `{}`: unknown backend `{id}`", api.full_name());
                    let problem = api.place.error(document::codes::UNKNOWN_BACKEND, message);
                    self.work.problems.push(match document::closest(id, backends.names()) {
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
                self.work.problems.push(api.place.error(codes::BAD_VALUE, message));
                None
            }
        }
    }

    fn operation(
        &mut self,
        entity: &OperationEntity,
        api: &ApiEntity,
        graphql: Option<&Arc<GraphQlApi>>,
        around: &Around<'_>,
        inherited: &Inherited<'_>,
    ) -> Operation {
        self.work.summary.n_operations += 1;
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
        let own = entity.policy.as_ref().and_then(|it| self.document(it, target, &api.full_name()));
        let (pipeline, logged, in_products) = match &own {
            Some(own) => {
                let narrow = [inherited.own, Some(own)];
                let documents = around.with(None, &narrow);
                self.check_bodies(&documents);
                let pipeline = Arc::new(Pipeline::splice(&documents));
                let in_products = self.in_products(&narrow, &pipeline, around, &inherited.logs);
                for (place, _) in in_products.iter() {
                    self.check_bodies(&around.with(Some(*place), &narrow));
                }
                let logged = self.logging.around(pipeline.clone(), &inherited.logs);
                (pipeline, logged, in_products)
            }
            None => (
                inherited.pipeline.clone(),
                inherited.logged.clone(),
                inherited.in_products.clone(),
            ),
        };
        let mut problems = pipeline.prepare(&operation);
        for (_, pipeline) in in_products.iter() {
            problems.extend(pipeline.prepare_product(&operation));
        }
        for problem in problems {
            let message = format!("operation `{}`: {problem}", entity.id);
            self.work.problems.push(entity.place.error(codes::SPECIFICATION, message));
            self.work.is_whole = false;
        }
        Operation { operation, pipeline: logged, in_products }
    }
}

/// The documents around those of an API.
struct Around<'a> {
    /// Those of the global scope and of the workspace.
    documents: &'a [&'a CompiledDocument],
    membership: &'a Membership,
    products: &'a Products,
}

impl<'a> Around<'a> {
    /// All documents from the broadest scope to the narrowest, in the context of a product or
    /// outside of products.
    fn with(
        &self,
        product: Option<usize>,
        narrow: &[Option<&'a CompiledDocument>],
    ) -> Vec<&'a CompiledDocument> {
        let mut documents = self.documents.to_vec();
        documents.extend(product.and_then(|it| self.products.get(it)));
        documents.extend(narrow.iter().flatten());
        documents
    }
}

/// What operations without a document of their own have from their API.
struct Inherited<'a> {
    own: Option<&'a CompiledDocument>,
    pipeline: Arc<Pipeline>,
    /// The same with logging.
    logged: Arc<Pipeline>,
    in_products: InProducts,
    logs: Vec<LlmLog>,
}

fn info(api: &ApiEntity) -> ApiInfo {
    ApiInfo {
        id: api.id.clone(),
        name: api.display_name.clone(),
        path: api.path.clone(),
        revision: api.revision.clone(),
        version: api.version.clone(),
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

    const EMPTY: &str = "<policies><inbound><base /></inbound></policies>";

    #[tokio::test]
    async fn products_find_their_apis_and_are_shown() {
        let info = |path: &str| format!(r#"{{"properties":{{"path":"{path}"}}}}"#);
        let product = |required: bool| {
            format!(
                r#"{{"properties":{{"displayName":"P","state":"published","subscriptionsLimit":3,
                    "subscriptionRequired":{required}}}}}"#
            )
        };
        let (a, b, open, closed) = (info("a"), info("b"), product(false), product(true));
        let loaded = run(&[
            ("apis/A/apiInformation.json", &a),
            ("apis/b/apiInformation.json", &b),
            ("products/closed/productInformation.json", &closed),
            ("products/closed/apis.json", r#"["a","b","bb"]"#),
            ("products/closed/groups.json", r#"["developers","nobody"]"#),
            ("products/open/productInformation.json", &open),
            ("products/open/apis.json", r#"["b"]"#),
        ])
        .await;
        assert_eq!(
            told(&loaded),
            [
                "PC0510 product `closed`: there is no API `bb`",
                "PC0510 product `closed`: there is no group `nobody`",
            ]
        );
        let snapshot = loaded.snapshot.unwrap();
        let of = |n: usize| (snapshot.apis[n].products.clone(), snapshot.apis[n].open_product);
        assert_eq!((of(0), of(1)), ((vec![0], None), (vec![0, 1], Some(1))));
        let shown = &snapshot.products[0].info;
        let names: Vec<&str> = shown.apis.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(names, ["A", "b"]);
        assert_eq!((shown.name.as_str(), shown.subscriptions_limit), ("P", Some(3)));
        assert_eq!(shown.groups[0].name, "Developers");
    }

    #[tokio::test]
    async fn an_api_is_in_one_open_product_at_most() {
        let open = r#"{"properties":{"subscriptionRequired":false}}"#;
        let loaded = run(&[
            ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
            ("products/one/productInformation.json", open),
            ("products/one/apis.json", r#"["a"]"#),
            ("products/two/productInformation.json", open),
            ("products/two/apis.json", r#"["a"]"#),
        ])
        .await;
        assert_eq!(told(&loaded), ["PC0509 API `a` is in two products that need no subscription"]);
    }

    #[tokio::test]
    async fn operations_that_inherit_share_their_policies() {
        let loaded = run(&[
            ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
            ("apis/a/specification.yaml", SPEC),
            ("apis/a/operations/one/policy.xml", EMPTY),
            ("products/p/productInformation.json", "{}"),
            ("products/p/policy.xml", EMPTY),
            ("products/p/apis.json", r#"["a"]"#),
        ])
        .await;
        let api = &loaded.snapshot.unwrap().apis[0];
        // A product whose document adds nothing has no policies of its own.
        assert!(api.operations.iter().all(|it| it.in_products.get(0).is_none()));
        assert!(Arc::ptr_eq(api.operations[1].effective(Some(0)), &api.operations[1].pipeline));
    }

    #[tokio::test]
    async fn versions_are_those_of_the_set() {
        let set = r#"{"properties":{"versioningScheme":"Segment"}}"#;
        let loaded = run(&[
            ("version sets/s/versionSetInformation.json", set),
            (
                "apis/a/apiInformation.json",
                r#"{"properties":{"path":"a","apiVersion":"v1","apiVersionSetId":"/x/apiVersionSets/S"}}"#,
            ),
            (
                "apis/b/apiInformation.json",
                r#"{"properties":{"path":"b","apiVersion":"v1","apiVersionSetId":"/x/t"}}"#,
            ),
        ])
        .await;
        assert_eq!(told(&loaded), ["PC0510 API `b`: there is no version set `t`"]);
    }

    #[tokio::test]
    async fn a_workspace_has_its_own_named_values_and_backends() {
        let backend = r#"{"properties":{"url":"https://b.test"}}"#;
        let files = [
            ("backends/shared/backendInformation.json", backend),
            ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
            ("workspaces/team/workspaceInformation.json", r#"{"properties":{"displayName":"T"}}"#),
            ("workspaces/team/policy.xml", EMPTY),
            ("workspaces/team/backends/own/backendInformation.json", backend),
            (
                "workspaces/team/apis/a/apiInformation.json",
                r#"{"properties":{"path":"team","backendId":"own"}}"#,
            ),
            ("workspaces/team/products/p/productInformation.json", "{}"),
            ("workspaces/team/products/p/apis.json", r#"["a"]"#),
            (
                "workspaces/team/subscriptions/s/subscriptionInformation.json",
                r#"{"properties":{"scope":"/products/p","primaryKey":"k"}}"#,
            ),
        ];
        let loaded = run(&files).await;
        assert_eq!(told(&loaded), [""; 0]);
        let snapshot = loaded.snapshot.unwrap();
        let [own, of_team] = snapshot.apis.as_slice() else { panic!() };
        assert!(own.workspace.is_none() && own.backends.is_none() && own.products.is_empty());
        assert_eq!(of_team.workspace.as_ref().unwrap().name, "T");
        assert_eq!(of_team.products, [0]);
        let backends = of_team.backends.as_ref().unwrap();
        assert_eq!(backends.get("own").unwrap().info.id, "team/own");
        assert!(backends.get("shared").is_some() && snapshot.backends.contains_key("team/own"));
        assert_eq!(snapshot.subscriptions[0].scope, crate::SubscriptionScope::Product(0));

        let mut files = files.to_vec();
        files.push(("workspaces/team/backends/shared/backendInformation.json", backend));
        files[5].1 = r#"{"properties":{"path":"team","backendId":"shared2"}}"#;
        assert_eq!(
            told(&run(&files).await),
            [
                "PC0202 API `a`: unknown backend `shared2`",
                "PC0509 workspace `team`: backend `shared` has the name of one of the service",
            ]
        );
    }

    #[tokio::test]
    async fn a_gateway_serves_the_apis_of_its_list() {
        let info = |path: &str| format!(r#"{{"properties":{{"path":"{path}"}}}}"#);
        let (a, b) = (info("a"), info("b"));
        let served = async |name: &str, list: Option<&str>| {
            let settings = format!("gateway: {{ name: {name} }}\n");
            let mut files = vec![
                ("portcullis.yaml", settings.as_str()),
                ("apis/a/apiInformation.json", a.as_str()),
                ("apis/b/apiInformation.json", b.as_str()),
                ("gateways/mine/gatewayInformation.json", "{}"),
            ];
            files.extend(list.map(|it| ("gateways/mine/apis.json", it)));
            let loaded = run(&files).await;
            let online = |it: &Api| it.is_online;
            let all: Vec<bool> =
                loaded.snapshot.as_ref().unwrap().apis.iter().map(online).collect();
            (all, told(&loaded))
        };
        assert_eq!(served("MINE", Some(r#"["B"]"#)).await, (vec![false, true], vec![]));
        assert_eq!(served("mine", Some("[]")).await.0, [false, false]);
        assert_eq!(served("other", Some("[]")).await.0, [true, true]);
        let expected = "PC0518 gateway `mine` lists no APIs: all are served";
        assert_eq!(served("mine", None).await, (vec![true, true], vec![expected.to_owned()]));
    }
}
