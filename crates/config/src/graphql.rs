//! GraphQL APIs of a snapshot: the schema checked, the resolvers compiled.

use std::sync::Arc;

use document::{Diagnostic, Span};
use pipeline::{FieldResolver, GraphQlApi, Operation, Surroundings, compile_resolver};

use crate::codes;
use crate::entity::{ApiEntity, ResolverEntity, SchemaText};

/// What a GraphQL API came to.
#[derive(Default)]
pub(crate) struct Compiled {
    /// None if it has no schema, or one that does not hold together.
    pub(crate) api: Option<Arc<GraphQlApi>>,
    /// Every problem.
    pub(crate) problems: Vec<Diagnostic>,
    /// How many documents were compiled.
    pub(crate) n_documents: usize,
    /// Whether every document was compiled.
    pub(crate) is_whole: bool,
}

/// Compiles the schema and the resolvers of an API; nothing for other kinds of APIs.
pub(crate) fn compile(api: &ApiEntity, surroundings: &Surroundings<'_>) -> Compiled {
    let mut compiled = Compiled { is_whole: true, ..Compiled::default() };
    let Some(entity) = &api.graphql else { return compiled };
    let name = api.full_name();
    let has_service = has_service(api);
    let Some(text) = &entity.schema else {
        compiled.problems.extend(without_schema(api, &entity.resolvers));
        return compiled;
    };
    let schema = match graphql::Schema::parse(&text.text) {
        Ok(schema) => schema,
        Err(flaws) => {
            compiled.problems.extend(flaws.iter().map(|it| flaw(&name, text, it)));
            return compiled;
        }
    };
    let mut built = GraphQlApi::new(schema, has_service);
    for it in &entity.resolvers {
        compiled.n_documents += 1;
        let (resolver, found) = document(it, surroundings);
        compiled.problems.extend(found);
        let Some(resolver) = resolver else {
            compiled.is_whole = false;
            continue;
        };
        match built.check_field(&it.type_name, &it.field) {
            Ok(()) => built = built.managed(&it.type_name, &it.field, resolver),
            Err(why) => {
                let message =
                    format!("resolver `{}` of API `{name}` is never called: {why}", it.name);
                compiled.problems.push(it.place.warning(codes::NOT_LINKED, message));
            }
        }
    }
    compiled.api = Some(Arc::new(built));
    compiled
}

/// Whether it is a GraphQL API that has neither a schema nor a service: it answers no request.
///
/// The management API makes such an API first and gives it its schema with the next call.
pub(crate) fn serves_nothing(api: &ApiEntity) -> bool {
    api.graphql.as_ref().is_some_and(|it| it.schema.is_none()) && !has_service(api)
}

fn has_service(api: &ApiEntity) -> bool {
    api.service_url.is_some() || api.backend_id.is_some()
}

/// What is wrong with a GraphQL API that has no schema, if anything.
fn without_schema(api: &ApiEntity, resolvers: &[ResolverEntity]) -> Option<Diagnostic> {
    let name = api.full_name();
    let problem = if !resolvers.is_empty() {
        let message = format!("API `{name}` has resolvers and no GraphQL schema");
        api.place.error(codes::MISSING, message)
    } else if serves_nothing(api) {
        let message = format!("API `{name}` has no GraphQL schema: it answers no request");
        api.place.warning(codes::NOT_SERVED, message)
    } else {
        return None;
    };
    Some(problem.help("put it into `specification.graphql`"))
}

/// What cannot be told before the policies of the API are compiled.
pub(crate) fn check(
    entity: &ApiEntity,
    api: &GraphQlApi,
    operation: &Arc<Operation>,
) -> Vec<Diagnostic> {
    let mut problems: Vec<Diagnostic> = Vec::new();
    for problem in api.prepare(operation) {
        let message = format!("API `{}`: {problem}", entity.full_name());
        problems.push(entity.place.error(codes::SPECIFICATION, message));
    }
    let silent = api.silent_subscriptions();
    if !silent.is_empty() {
        let names = silent.join("`, `");
        let message = format!(
            "API `{}`: nothing publishes events for the subscriptions `{names}`",
            entity.full_name()
        );
        let help = "put `publish-event` into the resolver that makes the change";
        problems.push(entity.place.warning(codes::NOT_SERVED, message).help(help));
    }
    if api.has_skipped() {
        let message = format!(
            "API `{}` has resolver entities: its `set-graphql-resolver` policies have no effect",
            entity.full_name()
        );
        problems.push(entity.place.warning(codes::NOT_LINKED, message));
    }
    problems
}

fn flaw(name: &str, text: &SchemaText, flaw: &graphql::Flaw) -> Diagnostic {
    let message =
        format!("API `{name}`: the GraphQL schema does not hold together: {}", flaw.message);
    let mut place = text.place.clone();
    if text.is_file {
        place.span = Span::from(flaw.span.clone());
    }
    place.error(codes::SPECIFICATION, message)
}

fn document(
    resolver: &ResolverEntity,
    surroundings: &Surroundings<'_>,
) -> (Option<FieldResolver>, Vec<Diagnostic>) {
    let policy = &resolver.policy;
    let (document, mut problems) = document::parse(&policy.text);
    let mut compiled = None;
    if !problems.iter().any(Diagnostic::is_error) {
        let file = Some(policy.file.clone());
        let (resolver, found) = compile_resolver(&document, file, surroundings);
        problems.extend(found);
        compiled = resolver;
    }
    let in_file = |it: Diagnostic| match it.file {
        Some(_) => it,
        None => it.in_file(policy.file.clone()),
    };
    (compiled, problems.into_iter().map(in_file).collect())
}

#[cfg(test)]
mod tests {
    use pipeline::{Extensions, Registry};

    use crate::load::{Engine, Loaded, Options, load};
    use crate::secret_source::NoSecrets;
    use crate::snapshot::ApiKind;
    use crate::source::Source;

    async fn run(files: &[(&str, &str)]) -> Loaded {
        let source = Source::from_files(files.iter().map(|(name, text)| (*name, *text)));
        let engine = Engine { registry: &Registry::default(), extensions: &Extensions::default() };
        load(&source, &Options::default(), &NoSecrets, engine).await
    }

    fn told(loaded: &Loaded) -> Vec<String> {
        loaded.diagnostics.iter().map(|it| format!("{} {}", it.code, it.message)).collect()
    }

    /// Loads an API of a folder with this schema and these further properties.
    async fn folder(properties: &str, schema: &str) -> Vec<String> {
        let info = format!(r#"{{"properties":{{"path":"g","type":"graphql"{properties}}}}}"#);
        let files = [
            ("apis/g/apiInformation.json", info.as_str()),
            ("apis/g/specification.graphql", schema),
        ];
        told(&run(&files).await)
    }

    #[tokio::test]
    async fn a_schema_makes_a_graphql_api_of_every_layout() {
        let sdl = "type Query { a: Int }";
        let info = r#"{"properties":{"path":"g","type":"graphql"}}"#;
        for files in [
            [("apis/g/apiInformation.json", info), ("apis/g/specification.graphql", sdl)],
            [("portcullis.yaml", "apis: { g: { graphql: s.graphql } }\n"), ("s.graphql", sdl)],
        ] {
            let loaded = run(&files).await;
            assert_eq!(told(&loaded), [""; 0]);
            let snapshot = loaded.snapshot.unwrap();
            let api = &snapshot.apis[0];
            assert_eq!(api.kind, ApiKind::GraphQl);
            let [post, get, handshake] = api.operations.as_slice() else {
                panic!("{}", api.operations.len())
            };
            assert_eq!(post.operation.info.method, "POST");
            let graphql = post.operation.graphql.as_ref().unwrap();
            assert!(graphql.is_synthetic());
            assert!(get.operation.graphql.is_some() && !get.operation.is_websocket);
            assert!(handshake.operation.speaks_graphql && handshake.operation.is_websocket);
        }
    }

    #[tokio::test]
    async fn an_api_with_a_service_passes_requests_on_and_needs_no_schema() {
        let yaml = "apis: { g: { graphql: true, url: https://h.test/graphql } }\n";
        let loaded = run(&[("portcullis.yaml", yaml)]).await;
        assert_eq!(told(&loaded), [""; 0]);
        let snapshot = loaded.snapshot.unwrap();
        assert!(snapshot.apis[0].operations[0].operation.graphql.is_none());

        let service = r#","serviceUrl":"https://h.test/graphql""#;
        assert_eq!(folder(service, "type Query { a: Int }").await, [""; 0]);
        let yaml = "apis: { g: { graphql: true } }\n";
        let loaded = run(&[("portcullis.yaml", yaml)]).await;
        assert_eq!(told(&loaded), ["PC0520 API `g` has no GraphQL schema: it answers no request"]);
        assert!(loaded.snapshot.unwrap().apis[0].operations.is_empty());
        let yaml = "apis: { g: { graphql: true, resolvers: { Query/a: r.xml } } }\n";
        let loaded = run(&[("portcullis.yaml", yaml), ("r.xml", "<http-data-source />")]).await;
        assert_eq!(told(&loaded), ["PC0505 API `g` has resolvers and no GraphQL schema"]);
    }

    #[tokio::test]
    async fn what_does_not_hold_together_is_told_at_its_place() {
        let problems = folder("", "type Query { a: Nothing }").await;
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].starts_with("PC0516 API `g`: the GraphQL schema does not hold together:")
        );
        assert_eq!(
            folder("", "type Query { a: Int } type Subscription { b: Int }").await,
            ["PC0520 API `g`: nothing publishes events for the subscriptions `b`"]
        );
        let yaml = "apis: { g: { path: g, resolvers: { Query/a: r.xml } } }\n";
        let loaded = run(&[("portcullis.yaml", yaml), ("r.xml", "<http-data-source />")]).await;
        assert_eq!(told(&loaded), ["PC0505 `resolvers` belong to an API with `graphql`"]);
        let yaml = "apis: { g: { graphql: s.graphql, resolvers: { a: r.xml } } }\n";
        let files = [
            ("portcullis.yaml", yaml),
            ("s.graphql", "type Query { a: Int }"),
            ("r.xml", "<http-data-source />"),
        ];
        assert_eq!(told(&run(&files).await), ["PC0506 `a` is not `type/field`"]);
    }
}
