//! What belongs to GraphQL APIs alone: the schema and the resolvers of its fields.
//!
//! The schema is the API's `specification.graphql`, or the text in its schema entity `graphql`. A
//! resolver is `resolvers/NAME/resolverInformation.json`, whose `path` is `type/field`, with its
//! document beside it. An override file changes it as an operation, below `resolvers` of the API.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/configure-graphql-resolver>,
//! <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/apis/resolvers>

use std::sync::Arc;

use super::{OperationEntity, PolicyEntity, Reading, policy, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::tree::{Fields, Tree};

/// The GraphQL part of an API.
#[derive(Clone, Debug, Default)]
pub struct GraphQlEntity {
    /// Its schema; a request is passed on without one.
    pub schema: Option<SchemaText>,
    /// Its resolvers.
    pub resolvers: Vec<ResolverEntity>,
}

/// A schema in the schema definition language.
#[derive(Clone, Debug)]
pub struct SchemaText {
    /// The text.
    pub text: Arc<str>,
    /// Where it stands.
    pub place: Place,
    /// Whether the text is the whole file, so that places in it can be told.
    pub is_file: bool,
}

/// The resolver of a field.
#[derive(Clone, Debug)]
pub struct ResolverEntity {
    /// Entity name.
    pub name: String,
    /// Object type of the schema.
    pub type_name: String,
    /// Field of that type.
    pub field: String,
    /// Its document.
    pub policy: PolicyEntity,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(id: &str, files: &EntityFiles, cx: &Reading<'_>) -> GraphQlEntity {
    let schema = match &files.specification {
        Some(file) if is_schema_file(file) => cx.source.text(file).map(|text| SchemaText {
            text: text.clone(),
            place: Place::file(file.clone()),
            is_file: true,
        }),
        Some(file) => {
            let message = format!("API `{id}`: the specification of a GraphQL API is its schema");
            let help = "name it `specification.graphql`";
            cx.report(Place::file(file.clone()).error(codes::SPECIFICATION, message).help(help));
            None
        }
        None => files.schemas.values().find_map(|it| schema_entity(it, cx)),
    };
    let resolvers = files.resolvers.values().filter_map(|it| resolver(id, it, cx)).collect();
    GraphQlEntity { schema, resolvers }
}

fn is_schema_file(file: &str) -> bool {
    let lower = file.to_ascii_lowercase();
    lower.ends_with(".graphql") || lower.ends_with(".graphqls") || lower.ends_with(".gql")
}

/// The text of an API's schema entity, if that is a GraphQL schema.
fn schema_entity(files: &EntityFiles, cx: &Reading<'_>) -> Option<SchemaText> {
    let info = cx.info("", files)?;
    let fields = properties(&info, cx.problems);
    let kind = fields.filled("contentType").unwrap_or_default().to_ascii_lowercase();
    if !kind.contains("graphql") {
        return None;
    }
    let content = fields.get("document").or_else(|| fields.get("value"))?;
    let text = content.scalar().or_else(|| content.get("value").and_then(Tree::scalar))?;
    Some(SchemaText { text: text.into(), place: Place::from(content), is_file: false })
}

fn resolver(api: &str, files: &EntityFiles, cx: &Reading<'_>) -> Option<ResolverEntity> {
    let (name, place) = (files.name.clone(), files.place());
    let missing = |what: &str| {
        let message = format!("resolver `{name}` of API `{api}` has no {what}");
        cx.report(place.error(codes::MISSING, message));
    };
    if files.info.is_none() {
        missing("`resolverInformation.json`");
        return None;
    }
    let mut info = cx.info("", files)?;
    cx.overrides.apply_below_api(api, "resolvers", &name, &mut info);
    let fields = properties(&info, cx.problems);
    let Some(path) = fields.filled("path") else {
        missing("`path`");
        return None;
    };
    let Some((type_name, field)) = split(&path) else {
        bad_path(&name, &path, &fields, cx);
        return None;
    };
    let Some(policy) = policy::read(files.policy.as_ref(), cx.overrides.resolver(api, &name), cx)
    else {
        // The management API makes a resolver first and gives it its document with the next call.
        let message =
            format!("resolver `{name}` of API `{api}` has no `policy.xml`: it is never called");
        cx.report(place.warning(codes::NOT_SERVED, message));
        return None;
    };
    Some(ResolverEntity { type_name, field, policy, place, name })
}

fn bad_path(name: &str, path: &str, fields: &Fields<'_, '_>, cx: &Reading<'_>) {
    let message = format!("resolver `{name}`: the path `{path}` is not `type/field`");
    let place = fields.get("path").map_or_else(|| Place::from(fields.tree()), Place::from);
    cx.report(place.error(codes::BAD_VALUE, message));
}

/// The two parts of `type/field`.
pub(crate) fn split(path: &str) -> Option<(String, String)> {
    let (type_name, field) = path.trim().split_once('/')?;
    let is_name =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    (is_name(type_name) && is_name(field)).then(|| (type_name.to_owned(), field.to_owned()))
}

/// The operation of a GraphQL API that handshakes for subscriptions are for.
pub(crate) const HANDSHAKE: &str = "onHandshake";

/// The operations of a GraphQL API: requests come to its own address, and handshakes as well.
pub(crate) fn operations(place: &Place) -> Vec<OperationEntity> {
    let operation = |id: &str, method: &str, url_template: &str| OperationEntity {
        id: id.to_owned(),
        display_name: id.to_owned(),
        description: None,
        method: method.to_owned(),
        url_template: url_template.to_owned(),
        parameters: Vec::new(),
        request: Default::default(),
        responses: Vec::new(),
        specification: None,
        policy: None,
        place: place.clone(),
    };
    vec![
        operation("graphql", "POST", "/"),
        operation("graphql-get", "GET", "/"),
        operation(HANDSHAKE, "GET", "/*"),
    ]
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::Entities;
    use super::super::tests::read;
    use super::*;
    use crate::environment::Environment;
    use crate::layout::Layout;
    use crate::overrides::Overrides;
    use crate::source::Source;

    const API: (&str, &str) = (
        "apis/g/apiInformation.json",
        r#"{"properties":{"path":"g","type":"graphql","serviceUrl":"https://h.test/graphql"}}"#,
    );
    const SDL: &str = "type Query { a: Int }";

    #[test]
    fn the_schema_stands_in_a_file_or_in_an_entity() {
        let schema = |file: &str, text: &str| {
            let (entities, problems) = read(&[API, (file, text)]);
            assert!(problems.is_empty(), "{problems:?}");
            let graphql = entities.apis[0].graphql.clone().unwrap();
            graphql.schema.map(|it| (it.text.to_string(), it.is_file))
        };
        assert_eq!(schema("apis/g/specification.graphql", SDL), Some((SDL.to_owned(), true)));
        for content in [r#"{"value":"SDL"}"#, r#""SDL""#] {
            let info = format!(
                r#"{{"properties":{{"contentType":"application/vnd.ms-azure-apim.graphql.schema","document":{content}}}}}"#
            );
            for folder in ["graphql", "default"] {
                let file = format!("apis/g/schemas/{folder}/apiSchemaInformation.json");
                assert_eq!(schema(&file, &info), Some(("SDL".to_owned(), false)));
            }
        }
        let other = r#"{"properties":{"contentType":"application/json","document":{"value":"x"}}}"#;
        assert_eq!(schema("apis/g/schemas/x/schemaInformation.json", other), None);
    }

    #[test]
    fn a_graphql_api_answers_at_its_own_address() {
        let (entities, _) = read(&[API]);
        let operations: Vec<String> = entities.apis[0]
            .operations
            .iter()
            .map(|it| format!("{} {} {}", it.id, it.method, it.url_template))
            .collect();
        assert_eq!(operations, ["graphql POST /", "graphql-get GET /", "onHandshake GET /*"]);
    }

    #[test]
    fn an_override_changes_a_resolver_of_its_api() {
        let folder = "apis/g/resolvers/r";
        let overrides = "apis:\n  - name: G\n    resolvers:\n      - name: R\n        properties: { path: Query/b }\n        \
                         policies: [{ name: policy, properties: { format: rawxml, value: <cosmosdb-data-source /> } }]\n";
        let source = Source::from_files([
            API,
            (
                &*format!("{folder}/resolverInformation.json"),
                r#"{"properties":{"path":"Query/a"}}"#,
            ),
            (&*format!("{folder}/policy.xml"), "<http-data-source />"),
            ("configuration.prod.yaml", overrides),
        ]);
        let file = crate::overrides::file_of(&source, "prod").unwrap();
        let text = source.text(&file).unwrap();
        let (overrides, _) = Overrides::read(&file, text, &Environment::default());
        let (layout, _) = Layout::read(&source);
        let problems = RefCell::default();
        let remembered = crate::remembered::Remembered::default();
        let cx = Reading {
            source: &source,
            overrides: &overrides,
            problems: &problems,
            remembered: &remembered,
        };
        let entities = Entities::read(&layout, &cx);
        let resolver = &entities.apis[0].graphql.as_ref().unwrap().resolvers[0];
        assert_eq!(
            (&*resolver.field, &*resolver.policy.text, &*resolver.policy.file),
            ("b", "<cosmosdb-data-source />", &*resolver.policy.place().file)
        );
        assert!(resolver.policy.file.starts_with("configuration.prod.yaml#"));
        assert!(overrides.unused().is_empty() && problems.borrow().is_empty());
    }

    #[test]
    fn a_resolver_has_a_path_and_a_document() {
        let (entities, problems) = read(&[
            API,
            ("apis/g/resolvers/r/resolverInformation.json", r#"{"properties":{"path":"Query/a"}}"#),
            ("apis/g/resolvers/r/policy.xml", "<http-data-source />"),
            ("apis/g/resolvers/s/resolverInformation.json", r#"{"properties":{"path":"Query"}}"#),
            ("apis/g/resolvers/t/resolverInformation.json", r#"{"properties":{"path":"Query/a"}}"#),
            ("apis/g/resolvers/u/resolverInformation.json", r#"{"properties":{}}"#),
            ("apis/g/resolvers/v/policy.xml", "<http-data-source />"),
            ("apis/g/specification.yaml", "openapi: 3.0.1"),
        ]);
        let resolvers = &entities.apis[0].graphql.as_ref().unwrap().resolvers;
        let shown: Vec<String> = resolvers
            .iter()
            .map(|it| format!("{} {}.{} {}", it.name, it.type_name, it.field, it.policy.text))
            .collect();
        assert_eq!(shown, ["r Query.a <http-data-source />"]);
        assert_eq!(
            problems,
            [
                "PC0516 API `g`: the specification of a GraphQL API is its schema",
                "PC0506 resolver `s`: the path `Query` is not `type/field`",
                "PC0520 resolver `t` of API `g` has no `policy.xml`: it is never called",
                "PC0505 resolver `u` of API `g` has no `path`",
                "PC0505 resolver `v` of API `g` has no `resolverInformation.json`",
            ]
        );
    }
}
