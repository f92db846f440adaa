//! Entities in `portcullis.yaml`, for newcomers: the same model in a shorter form.
//!
//! ```yaml
//! named-values:
//!   aoai-key: { env: AOAI_KEY }
//! backends:
//!   eastus: { url: https://east.example.test/openai, auth: { header: api-key, value: "{{aoai-key}}" } }
//! apis:
//!   chat: { path: openai, spec: chat.yaml, backend: eastus, key: { header: api-key }, policy: chat.xml }
//! policy: global.xml
//! fragments: { usage: usage.xml }
//! ```

use std::cell::RefCell;

use http::HeaderName;
use pipeline::BaseUrl;
use transport::Secret;

use crate::codes;
use crate::entity::{
    A2aEntity, ApiEntity, CacheEntity, Entities, FragmentEntity, Given, GraphQlEntity, KEY_HEADER,
    KEY_QUERY, LoggerEntity, LoggerTarget, McpEntity, NamedValueEntity, OperationEntity,
    PolicyEntity, ResolverEntity, SchemaText, ToolEntity, VersionSetOf, a2a_operations,
    graphql_operations, handshake, is_name, log_file, mcp_operations, model_operations,
    read_diagnostics, read_groups, read_models, read_products, read_users, read_version_sets,
    split_field, split_operation,
};
use crate::openapi::{self, RequiredQuery, normalise_id};
use crate::place::Place;
use crate::secret_source::SecretSource;
use crate::short_backend;
use crate::snapshot::ApiKind;
use crate::source::Source;
use crate::tree::{Entry, Fields, Keys, Node, Tree};

/// The files that a settings file names: specifications and policy documents.
pub(crate) fn referenced_files(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let mut add = |tree: Option<&Tree>| {
        if let Some(name) = tree.and_then(Tree::scalar).filter(|it| !it.is_empty()) {
            found.push(name.to_owned());
        }
    };
    add(tree.get("policy"));
    for entry in tree.get("fragments").map(Tree::entries).unwrap_or_default() {
        add(Some(&entry.value));
    }
    for product in tree.get("products").map(Tree::entries).unwrap_or_default() {
        add(product.value.get("policy"));
    }
    for api in tree.get("apis").map(Tree::entries).unwrap_or_default() {
        add(api.value.get("policy"));
        add(api.value.get("spec"));
        add(api.value.get("graphql").filter(|it| it.as_bool().is_none()));
        for it in api.value.get("resolvers").map(Tree::entries).unwrap_or_default() {
            add(Some(&it.value));
        }
        for it in api.value.get("operations").map(Tree::entries).unwrap_or_default() {
            add(it.value.get("policy"));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Reads the entities of the settings.
pub(crate) fn read(fields: &Fields<'_, '_>, source: &Source) -> Entities {
    let cx = Reader { source, problems: fields.problems() };
    let entries = |key| fields.map(key).map(|it| it.tree().entries()).unwrap_or_default();
    let fragment = |it: &Entry| {
        let policy = cx.file(&it.value)?;
        Some(FragmentEntity { name: it.key.clone(), file: policy.file, text: policy.text })
    };
    Entities {
        caches: entries("caches").iter().map(|it| cx.cache(it)).collect(),
        policy: fields.get("policy").and_then(|it| cx.file(it)),
        named_values: entries("named-values").iter().filter_map(|it| cx.named_value(it)).collect(),
        backends: short_backend::read(entries("backends"), fields),
        diagnostics: read_diagnostics(fields),
        fragments: entries("fragments").iter().filter_map(fragment).collect(),
        loggers: entries("loggers").iter().map(|it| cx.logger(it)).collect(),
        apis: entries("apis").iter().map(|it| cx.api(it)).collect(),
        products: read_products(fields, &|it| cx.file(it)),
        groups: read_groups(fields),
        users: read_users(fields),
        version_sets: read_version_sets(fields),
        ..Entities::default()
    }
}

/// Where an API's key stands.
struct KeyNames {
    is_required: bool,
    header: String,
    query: String,
}

struct Reader<'a> {
    source: &'a Source,
    problems: &'a RefCell<Vec<document::Diagnostic>>,
}

impl Reader<'_> {
    fn report(&self, problem: document::Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// The policy document that a text names.
    fn file(&self, tree: &Tree) -> Option<PolicyEntity> {
        let name = tree.scalar().unwrap_or("");
        match self.source.files().find(|(own, _)| &***own == name) {
            Some((file, text)) => Some(PolicyEntity { file: file.clone(), text: text.clone() }),
            None => {
                let message = format!("file `{name}` does not exist");
                self.report(tree.error(codes::UNREADABLE, message));
                None
            }
        }
    }

    fn named_value(&self, entry: &Entry) -> Option<NamedValueEntity> {
        let (name, tree) = (entry.key.clone(), &entry.value);
        let place = Place::from(tree);
        if !is_name(&name) {
            let message = format!("`{name}` is no name for a named value");
            self.report(place.error(codes::BAD_VALUE, message));
            return None;
        }
        let (value, is_secret) =
            match tree.scalar() {
                Some(text) => (SecretSource::Text(Secret::new(text)), false),
                None => {
                    let fields = Fields::new(tree, Keys::Known, self.problems);
                    let value = fields.text("value").map(|it| SecretSource::Text(Secret::new(it)));
                    let secret = fields.bool("secret");
                    let source = SecretSource::read(&fields);
                    fields.finish();
                    if value.is_some() && secret == Some(true) {
                        let message = format!("secret `{name}` stands in the file");
                        self.report(place.error(codes::SECRET_IN_FILE, message).help(
                            "write `{ env: NAME }`, `{ file: PATH }` or `{ keyvault: URL }`",
                        ));
                    }
                    let is_secret = secret.unwrap_or(source.is_some());
                    let Some(value) = source.or(value) else {
                        let message = format!("named value `{name}` has no value");
                        self.report(place.error(codes::MISSING, message));
                        return None;
                    };
                    (value, is_secret)
                }
            };
        Some(NamedValueEntity {
            id: name.clone(),
            display_name: name,
            is_secret,
            value: Some(value),
            place,
        })
    }

    fn logger(&self, entry: &Entry) -> LoggerEntity {
        let tree = &entry.value;
        let fields = Fields::new(tree, Keys::Known, self.problems);
        let given = |key| fields.get(key).and_then(Given::of);
        let (hub, text, endpoint) =
            (given("event-hub"), given("connection-string"), given("endpoint"));
        let client_id = given("client-id");
        let target = match (fields.filled("file"), text, hub, endpoint) {
            (Some(file), None, None, None) => {
                LoggerTarget::File(log_file(&fields, file, ["size", "files"]))
            }
            (None, Some(text), hub, None) => LoggerTarget::ConnectionString { hub, text },
            (None, None, Some(hub), Some(endpoint)) => {
                LoggerTarget::Identity { hub, endpoint, client_id }
            }
            _ => {
                let message = format!(
                    "logger `{}` needs `file`, or `connection-string`, or `event-hub` and `endpoint`",
                    entry.key
                );
                self.report(tree.error(codes::MISSING, message));
                LoggerTarget::Unusable("it names no target".to_owned())
            }
        };
        let is_buffered = fields.bool("buffered").unwrap_or(true);
        fields.finish();
        LoggerEntity { id: entry.key.clone(), is_buffered, target, place: Place::from(tree) }
    }

    fn cache(&self, entry: &Entry) -> CacheEntity {
        let tree = &entry.value;
        let fields = Fields::new(tree, Keys::Known, self.problems);
        let connection = fields.get("connection-string").and_then(Given::of);
        match &connection {
            None => {
                let message = format!("cache `{}` needs `connection-string`", entry.key);
                self.report(tree.error(codes::MISSING, message));
            }
            Some(it) if shows_password(&it.text) => {
                let message = format!("cache `{}`: the password stands in the file", entry.key);
                self.report(tree.error(codes::SECRET_IN_FILE, message).help(
                    "write `connection-string: \"{{NAME}}\"` and name the value in `named-values:`",
                ));
            }
            Some(_) => {}
        }
        let cache = CacheEntity {
            id: entry.key.clone(),
            connection,
            use_from: fields.filled("use-from").unwrap_or_else(|| entry.key.clone()),
            timeout: crate::settings::duration(&fields, "timeout"),
            place: Place::from(tree),
        };
        fields.finish();
        cache
    }

    fn api(&self, entry: &Entry) -> ApiEntity {
        let tree = &entry.value;
        let fields = Fields::new(tree, Keys::Known, self.problems);
        let place = Place::from(tree);
        let path = fields.text("path").unwrap_or_else(|| entry.key.clone());
        let is_websocket = fields.bool("websocket").unwrap_or(false);
        let graphql = self.graphql(&fields);
        let mcp = self.mcp(&fields);
        let a2a = a2a(&fields);
        let models = fields.get("models").map(|it| read_models(it, self.problems));
        let kind = match &graphql {
            _ if is_websocket => ApiKind::WebSocket,
            None if mcp.is_some() => ApiKind::Mcp,
            None if a2a.is_some() => ApiKind::A2a,
            None if models.is_some() => ApiKind::Models,
            Some(_) => ApiKind::GraphQl,
            None => ApiKind::Http,
        };
        let mut operations = match fields.get("spec") {
            _ if is_websocket => vec![handshake(&place)],
            _ if graphql.is_some() => graphql_operations(&place),
            _ if kind == ApiKind::Mcp => mcp_operations(&place, mcp.as_ref()),
            _ if kind == ApiKind::A2a => a2a_operations(&place, a2a.as_ref()),
            _ if kind == ApiKind::Models => model_operations(&place),
            Some(spec) => self.specification(spec),
            None => vec![anything(&place)],
        };
        if let Some(policies) = fields.map("operations") {
            self.operation_policies(entry, &policies, &mut operations);
        }
        let key = self.key(fields.get("key"));
        let api = ApiEntity {
            id: entry.key.clone(),
            revision: "1".to_owned(),
            is_current: true,
            version: fields.filled("version"),
            version_set: fields.filled("version-set").map(VersionSetOf::Named),
            releases: Vec::new(),
            is_online: true,
            display_name: fields.filled("name").unwrap_or_else(|| entry.key.clone()),
            path: path.trim().trim_matches('/').to_owned(),
            protocols: match kind {
                ApiKind::WebSocket => vec!["ws".to_owned(), "wss".to_owned()],
                _ => vec!["http".to_owned(), "https".to_owned()],
            },
            service_url: fields.filled("url"),
            backend_id: fields.filled("backend"),
            subscription_required: key.is_required,
            key_header: key.header,
            key_query: key.query,
            // Clients of model APIs send their key so.
            key_bearer: kind == ApiKind::Models && key.is_required,
            kind,
            graphql: graphql.filter(|_| !is_websocket),
            mcp,
            a2a,
            models,
            description: fields.filled("description"),
            operations,
            schemas: None,
            diagnostics: read_diagnostics(&fields),
            policy: fields.get("policy").and_then(|it| self.file(it)),
            place,
        };
        fields.finish();
        api
    }

    /// `graphql: SCHEMA`, or `graphql: true` for an API without one, and
    /// `resolvers: { type/field: FILE }`.
    fn graphql(&self, fields: &Fields<'_, '_>) -> Option<GraphQlEntity> {
        let resolvers = fields.map("resolvers");
        let tree = fields.get("graphql").filter(|it| it.as_bool() != Some(false));
        let Some(tree) = tree else {
            if let Some(resolvers) = resolvers {
                let message = "`resolvers` belong to an API with `graphql`";
                self.report(resolvers.tree().error(codes::MISSING, message));
            }
            return None;
        };
        let mut entity = GraphQlEntity::default();
        if tree.as_bool().is_none() {
            entity.schema = self.file(tree).map(|it| SchemaText {
                place: it.place(),
                text: it.text,
                is_file: true,
            });
        }
        for it in resolvers.map(|it| it.tree().entries()).unwrap_or_default() {
            let Some((type_name, field)) = split_field(&it.key) else {
                let message = format!("`{}` is not `type/field`", it.key);
                self.report(it.value.error(codes::BAD_VALUE, message));
                continue;
            };
            let Some(policy) = self.file(&it.value) else { continue };
            let (name, place) = (it.key.clone(), Place::from(&it.value));
            entity.resolvers.push(ResolverEntity { name, type_name, field, policy, place });
        }
        Some(entity)
    }

    /// `tools: [API/OPERATION, { operation: API/OPERATION, name: NAME, description: TEXT }]`, or
    /// `mcp: true` for a server that is passed through.
    fn mcp(&self, fields: &Fields<'_, '_>) -> Option<McpEntity> {
        let listed = fields.list("tools");
        let is_server = fields.bool("mcp").unwrap_or(false);
        let instructions = fields.filled("instructions");
        if !is_server && listed.is_empty() {
            return None;
        }
        let tools = listed.into_iter().filter_map(|it| self.tool(it)).collect();
        Some(McpEntity { tools, endpoint: None, instructions })
    }

    fn tool(&self, tree: &Tree) -> Option<ToolEntity> {
        let (mut name, mut title, mut description) = (None, None, None);
        let reference = match tree.scalar() {
            Some(text) => Some(text.to_owned()),
            None => {
                let fields = Fields::new(tree, Keys::Known, self.problems);
                (name, title) = (fields.filled("name"), fields.filled("title"));
                description = fields.filled("description");
                let reference = fields.filled("operation");
                fields.finish();
                reference
            }
        };
        let Some((api, operation)) = reference.as_deref().and_then(split_operation) else {
            let message = "a tool names an operation as `API/OPERATION`";
            self.report(tree.error(codes::MISSING, message));
            return None;
        };
        Some(ToolEntity { name, title, description, api, operation, place: Place::from(tree) })
    }

    /// `key: { header: NAME, query: NAME }`, or `key: false` for an API without keys.
    fn key(&self, tree: Option<&Tree>) -> KeyNames {
        let mut names = KeyNames {
            is_required: true,
            header: KEY_HEADER.to_owned(),
            query: KEY_QUERY.to_owned(),
        };
        match tree {
            Some(tree) if tree.as_bool() == Some(false) => names.is_required = false,
            Some(tree) => {
                let key = Fields::new(tree, Keys::Known, self.problems);
                names.query = key.filled("query").unwrap_or(names.query);
                match key.filled("header") {
                    Some(it) if HeaderName::from_bytes(it.as_bytes()).is_ok() => names.header = it,
                    Some(it) => {
                        let message = format!("`{it}` is no header name");
                        self.report(tree.error(codes::BAD_VALUE, message));
                    }
                    None => {}
                }
                key.finish();
            }
            None => {}
        }
        names
    }

    fn specification(&self, spec: &Tree) -> Vec<OperationEntity> {
        let name = spec.scalar().unwrap_or("");
        let Some(text) = self.source.text(name) else {
            let message = format!("specification `{name}` does not exist");
            self.report(spec.error(codes::UNREADABLE, message).help("name an OpenAPI file"));
            return Vec::new();
        };
        match Tree::parse(&name.into(), text) {
            Ok(tree) => openapi::operations(&tree, RequiredQuery::default(), self.problems),
            Err(problem) => {
                self.report(problem);
                Vec::new()
            }
        }
    }

    /// `operations: { <id>: { policy: FILE } }`.
    fn operation_policies(
        &self,
        api: &Entry,
        policies: &Fields<'_, '_>,
        operations: &mut [OperationEntity],
    ) {
        for entry in policies.tree().entries() {
            let id = normalise_id(&entry.key);
            let fields = Fields::new(&entry.value, Keys::Known, self.problems);
            let policy = fields.get("policy").and_then(|it| self.file(it));
            fields.finish();
            match operations.iter_mut().find(|it| normalise_id(&it.id) == id) {
                Some(operation) => operation.policy = policy,
                None => {
                    let message = format!("API `{}` has no operation `{}`", api.key, entry.key);
                    self.report(entry.value.error(codes::UNKNOWN_ENTITY, message));
                }
            }
        }
    }
}

/// `a2a: { card: URL, id: ID }`, or `a2a: true`.
fn a2a(fields: &Fields<'_, '_>) -> Option<A2aEntity> {
    let tree = fields.get("a2a").filter(|it| it.as_bool() != Some(false))?;
    let mut entity = A2aEntity::default();
    if tree.as_bool().is_none() {
        let agent = fields.map("a2a")?;
        entity.card_url = agent.filled("card");
        entity.agent_id = agent.filled("id");
        if let Some(url) = entity.card_url.as_ref().filter(|it| BaseUrl::parse(it).is_err()) {
            let message = format!("`{url}` cannot be the URL of a card");
            fields.report(tree.error(codes::BAD_VALUE, message));
        }
        agent.finish();
    }
    Some(entity)
}

/// The operation of an API without a specification: every call.
fn anything(place: &Place) -> OperationEntity {
    OperationEntity {
        id: "any".to_owned(),
        display_name: "any".to_owned(),
        description: None,
        method: "*".to_owned(),
        url_template: "/*".to_owned(),
        parameters: Vec::new(),
        request: Default::default(),
        responses: Vec::new(),
        specification: None,
        policy: None,
        place: place.clone(),
    }
}

/// Puts `--set a.b=c` into the settings: the value is read as YAML.
pub(crate) fn set(tree: &mut Tree, key: &str, value: &str) -> Result<(), document::Diagnostic> {
    let file = "--set".into();
    let mut patch = Tree::parse(&file, value)?;
    for segment in key.rsplit('.') {
        let span = document::Span::default();
        let entry = Entry { key: segment.to_owned(), key_span: span, value: patch };
        patch = Tree { file: file.clone(), span, node: Node::Map(vec![entry]) };
    }
    tree.merge(&patch);
    Ok(())
}

/// Whether a connection string shows a password that is no named value.
fn shows_password(text: &str) -> bool {
    let after = |mark: &str| text.to_ascii_lowercase().find(mark).map(|it| it + mark.len());
    let password = after("password=").and_then(|it| text.get(it..));
    let login = after("://").and_then(|it| text.get(it..)).filter(|it| it.contains('@'));
    [password, login].into_iter().flatten().any(|it| !it.contains("{{"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::GatewaySettings;
    use crate::tree::tests::yaml;

    fn read(text: &str) -> (Entities, Vec<String>) {
        let (tree, problems) = (yaml(text), RefCell::default());
        let source = Source::from_files([
            ("chat.xml", "<policies/>"),
            ("spec.yaml", "openapi: 3.0.1\npaths: { /a: { get: { operationId: getA } } }\n"),
        ]);
        let (_, entities) = GatewaySettings::read(&tree, &problems, &source);
        let told =
            problems.borrow().iter().map(|it| format!("{} {}", it.code, it.message)).collect();
        (entities, told)
    }

    #[test]
    fn the_short_form_gives_the_same_entities() {
        let (it, problems) = read(
            "policy: chat.xml\nfragments: { usage: chat.xml }\nnamed-values:\n  host: example.test\n  key: { env: KEY }\n\
             backends:\n  east: { url: 'https://{{host}}/openai', region: eastus, auth: { header: api-key, value: '{{key}}' } }\n  \
             west: { url: https://w.test, auth: { managed-identity: https://r, client-id: c }, verify-name: false }\n\
             apis:\n  chat: { path: /openai/, spec: spec.yaml, backend: east, key: { header: api-key }, policy: chat.xml, operations: { GetA: { policy: chat.xml } } }\n  \
             open: { url: https://o.test, key: false }\n",
        );
        assert_eq!(problems, [""; 0]);
        assert!(it.policy.is_some() && it.fragments.len() == 1);
        assert_eq!((it.named_values[0].is_secret, it.named_values[1].is_secret), (false, true));
        assert_eq!(it.backends[0].credentials.headers[0].0, "api-key");
        assert!(
            it.backends[1].credentials.managed_identity.is_some()
                && !it.backends[1].tls.verify_name
        );
        let [chat, open] = it.apis.as_slice() else { panic!("{:?}", it.apis) };
        assert_eq!((chat.path.as_str(), chat.key_header.as_str()), ("openai", "api-key"));
        assert!(chat.policy.is_some() && chat.operations[0].policy.is_some());
        assert_eq!(open.operations[0].url_template, "/*");
        assert!(!open.subscription_required && chat.subscription_required);
    }

    #[test]
    fn mistakes_are_told() {
        for (text, problem) in [
            (
                "named-values: { a: { value: x, secret: true } }",
                "PC0514 secret `a` stands in the file",
            ),
            ("named-values: { a: {} }", "PC0505 named value `a` has no value"),
            ("apis: { a: { policy: nope.xml } }", "PC0501 file `nope.xml` does not exist"),
            (
                "apis: { a: { spec: azure-openai } }",
                "PC0501 specification `azure-openai` does not exist",
            ),
            (
                "apis: { a: { spec: spec.yaml, operations: { z: {} } } }",
                "PC0510 API `a` has no operation `z`",
            ),
            ("apis: { a: { pth: x } }", "PC0503 unknown key `pth`"),
            ("apis: { a: { key: { header: 'a b' } } }", "PC0506 `a b` is no header name"),
        ] {
            assert_eq!(read(text).1, [problem], "{text}");
        }
    }

    #[test]
    fn files_are_found_and_values_set() {
        let mut tree = yaml(
            "policy: g.xml\napis: { a: { spec: s.json, operations: { o: { policy: o.xml } } } }\n",
        );
        assert_eq!(referenced_files(&tree), ["g.xml", "o.xml", "s.json"]);
        set(&mut tree, "apis.a.path", "x").unwrap();
        assert_eq!(tree.at(&["apis", "a", "path"]).unwrap().scalar(), Some("x"));
        assert!(set(&mut tree, "a", "[").is_err());
    }

    #[test]
    fn a_cache_names_its_server_and_no_password() {
        let text = "caches:\n  default: { connection-string: '{{redis}}', timeout: 20ms }\n  \
                    west: { connection-string: 'h:6380,password={{p}},ssl=True', use-from: westeurope }\n";
        let (entities, problems) = read(text);
        assert_eq!(problems, [""; 0]);
        let shown: Vec<(&str, &str)> =
            entities.caches.iter().map(|it| (it.id.as_str(), it.use_from.as_str())).collect();
        assert_eq!(shown, [("default", "default"), ("west", "westeurope")]);
        assert_eq!(entities.caches[0].timeout, Some(std::time::Duration::from_millis(20)));

        for (connection, expected) in [
            ("{}", "PC0505 cache `c` needs `connection-string`"),
            (
                "{ connection-string: 'h:1,password=hunter2' }",
                "PC0514 cache `c`: the password stands in the file",
            ),
            (
                "{ connection-string: 'redis://:hunter2@h:1' }",
                "PC0514 cache `c`: the password stands in the file",
            ),
        ] {
            assert_eq!(read(&format!("caches: {{ c: {connection} }}")).1, [expected]);
        }
    }
}
