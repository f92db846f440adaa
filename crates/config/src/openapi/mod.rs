//! Operations from an OpenAPI 2, 3.0 or 3.1 specification.
//!
//! As Azure's import does, a required query parameter becomes part of the URL template
//! (`/chat?api-version={api-version}`), so that a call without it finds no operation; unless the API
//! says that they stay parameters ([`RequiredQuery`]).
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-api-import-restrictions>

mod description;
mod schema;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use document::{Diagnostic, Severity};
use pipeline::{OpenApi, OperationResponse, Representation, Specification, Statuses};

use crate::codes;
use crate::entity::{OperationEntity, TemplateParameter};
use crate::place::Place;
use crate::tree::{Node, Tree};
use description::At;
use schema::Schemas;

/// Methods that a path item may have, as keys.
const METHODS: &[&str] =
    &["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];
/// Most operations of one API.
const MAX_OPERATIONS: usize = 5_000;
/// How often a reference to a parameter or response may point to another one.
const MAX_HOPS: usize = 8;

/// What becomes of required query parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RequiredQuery {
    /// They become part of the URL template.
    #[default]
    Template,
    /// They stay parameters: a call without them finds the operation.
    Query,
}

/// Reads the operations of a specification in its order.
pub(crate) fn operations(
    spec: &Tree,
    required: RequiredQuery,
    problems: &RefCell<Vec<Diagnostic>>,
) -> Vec<OperationEntity> {
    let version = |key: &str| spec.get(key).and_then(Tree::scalar).unwrap_or("").to_owned();
    let (swagger, openapi) = (version("swagger"), version("openapi"));
    let is_v2 = swagger.starts_with("2.");
    if !is_v2 && !openapi.starts_with("3.") {
        let message = "specification is not OpenAPI 2, 3.0 or 3.1";
        problems.borrow_mut().push(
            spec.error(codes::SPECIFICATION, message)
                .help("the file starts with `\"openapi\": \"3.0.1\"` or `\"swagger\": \"2.0\"`"),
        );
        return Vec::new();
    }
    let version = match (is_v2, openapi.starts_with("3.0")) {
        (true, _) => OpenApi::V2,
        (false, true) => OpenApi::V30,
        (false, false) => OpenApi::V31,
    };
    let specification = Arc::new(Specification::new(version, spec.to_json()));
    let schemas = Schemas::new(spec);
    let reader = Reader { spec, is_v2, required, schemas, problems, specification };
    let mut operations = Vec::new();
    let mut ids = BTreeSet::new();
    let paths = spec.get("paths").map(Tree::entries).unwrap_or_default();
    for path in paths.iter().filter(|it| it.key.starts_with('/')) {
        let item = At { tree: &path.value, pointer: format!("/paths/{}", escaped(&path.key)) };
        reader.follow(&path.value, Severity::Error);
        let item = reader.follow_at(item);
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            if operations.len() >= MAX_OPERATIONS {
                let message = format!("specification has more than {MAX_OPERATIONS} operations");
                reader.report(spec.error(codes::SPECIFICATION, message));
                return operations;
            }
            let read = reader.operation(&path.key, method, &operation, &item);
            if ids.insert(read.id.clone()) {
                operations.push(read);
            } else {
                let message = format!("operation `{}` is given twice", read.id);
                reader.report(
                    read.place
                        .error(codes::DUPLICATE, message)
                        .help("operation ids compare without case"),
                );
            }
        }
    }
    operations
}

/// The operations that the text of a specification describes (JSON is YAML).
///
/// # Errors
///
/// The first problem, in words.
pub fn described_operations(text: &str) -> Result<Vec<pipeline::Operation>, String> {
    let problems = RefCell::default();
    let spec = Tree::parse(&"specification.yaml".into(), text).map_err(|it| it.message)?;
    let entities = operations(&spec, RequiredQuery::default(), &problems);
    match problems.into_inner().into_iter().find(Diagnostic::is_error) {
        Some(problem) => Err(problem.message),
        None => Ok(entities.into_iter().map(OperationEntity::into_operation).collect()),
    }
}

/// An operation id as Azure makes it: lower case, anything but letters, digits, `-` and `_` as `-`.
pub(crate) fn normalise_id(text: &str) -> String {
    let keep = |it: char| if it.is_ascii_alphanumeric() || it == '_' { it } else { '-' };
    let text: String = text.trim().chars().map(keep).collect::<String>().to_ascii_lowercase();
    text.split('-').filter(|it| !it.is_empty()).collect::<Vec<_>>().join("-")
}

struct Reader<'s> {
    spec: &'s Tree,
    is_v2: bool,
    required: RequiredQuery,
    schemas: Schemas<'s>,
    problems: &'s RefCell<Vec<Diagnostic>>,
    specification: Arc<Specification>,
}

impl<'s> Reader<'s> {
    fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// Follows `$ref` inside the specification. One that leads nowhere is reported: as an error
    /// where requests are matched by it.
    fn follow(&self, mut tree: &'s Tree, severity: Severity) -> &'s Tree {
        for _ in 0..MAX_HOPS {
            let Some(reference) = tree.get("$ref").and_then(Tree::scalar) else { return tree };
            match schema::pointer(self.spec, reference) {
                Some(target) => tree = target,
                None => {
                    let message = format!("`{reference}` points to nothing in this file");
                    let place = Place::from(tree);
                    self.report(place.problem(severity, codes::SPECIFICATION, message));
                    return tree;
                }
            }
        }
        tree
    }

    fn operation(&self, path: &str, method: &str, at: &At<'s>, item: &At<'s>) -> OperationEntity {
        let operation = at.tree;
        let text = |key: &str| operation.get(key).and_then(Tree::scalar);
        let id = match text("operationId").map(normalise_id).filter(|it| !it.is_empty()) {
            Some(id) => id,
            None => normalise_id(&format!("{method}-{path}")),
        };
        let (parameters, query) = self.parameters(operation, item.tree, path);
        let mut url_template = path.to_owned();
        for (n, name) in query.iter().enumerate() {
            let mark = if n == 0 && !url_template.contains('?') { '?' } else { '&' };
            url_template.push_str(&format!("{mark}{name}={{{name}}}"));
        }
        OperationEntity {
            description: text("description").or(text("summary")).map(str::to_owned),
            display_name: text("summary").or(text("operationId")).unwrap_or(&id).to_owned(),
            id,
            method: method.to_ascii_uppercase(),
            url_template,
            parameters,
            request: self.request(at, item),
            responses: self.responses(at),
            specification: Some(self.specification.clone()),
            policy: None,
            place: Place::from(operation),
        }
    }

    /// The template's parameters, and the names of required query parameters.
    fn parameters(
        &self,
        operation: &'s Tree,
        item: &'s Tree,
        path: &str,
    ) -> (Vec<TemplateParameter>, Vec<String>) {
        let mut found: Vec<TemplateParameter> = Vec::new();
        let mut query = Vec::new();
        let of = |tree: &'s Tree| tree.get("parameters").map(Tree::items).unwrap_or_default();
        for tree in of(operation).iter().chain(of(item)) {
            let tree = self.follow(tree, Severity::Error);
            let text = |key: &str| tree.get(key).and_then(Tree::scalar);
            let (Some(name), Some(place)) = (text("name"), text("in")) else { continue };
            let required = tree.get("required").and_then(Tree::as_bool).unwrap_or(false);
            let is_query = place == "query" && required && self.required == RequiredQuery::Template;
            let is_path = place == "path" && path.contains(&format!("{{{name}}}"));
            if found.iter().any(|it| it.name == name) || !(is_query || is_path) {
                continue;
            }
            if is_query {
                query.push(name.to_owned());
            }
            let schema = if self.is_v2 { tree } else { tree.get("schema").unwrap_or(tree) };
            let schema = self.follow(schema, Severity::Warning);
            let default = schema.get("default").and_then(Tree::scalar).map(str::to_owned);
            let values = schema.get("enum").map(Tree::items).unwrap_or_default();
            let values = values.iter().filter_map(|it| it.scalar().map(str::to_owned)).collect();
            found.push(TemplateParameter { name: name.to_owned(), required, default, values });
        }
        (found, query)
    }

    fn responses(&self, operation: &At<'s>) -> Vec<OperationResponse> {
        let Some(responses) = operation.get("responses") else { return Vec::new() };
        let mut read = Vec::new();
        for entry in responses.tree.entries() {
            let Some(statuses) = Statuses::parse(&entry.key) else { continue };
            self.follow(&entry.value, Severity::Warning);
            let Some(response) = responses.get(&entry.key).map(|it| self.follow_at(it)) else {
                continue;
            };
            read.push(OperationResponse {
                statuses,
                representations: if self.is_v2 {
                    self.representations_v2(operation.tree, &response)
                } else {
                    self.representations_v3(&response)
                },
                headers: self.headers(&response),
            });
        }
        read
    }

    fn representations_v3(&self, response: &At<'s>) -> Vec<Representation> {
        let Some(content) = response.get("content") else { return Vec::new() };
        let entries = content.tree.entries().iter();
        entries
            .map(|it| {
                let first = it.value.get("examples").and_then(|it| it.entries().first());
                let first =
                    first.and_then(|it| self.follow(&it.value, Severity::Warning).get("value"));
                let schema = content.get(&it.key).and_then(|it| it.get("schema"));
                Representation {
                    content_type: it.key.clone(),
                    example: it.value.get("example").or(first).map(example_text),
                    schema: schema.as_ref().map(|it| Arc::new(self.schemas.inline(it.tree))),
                    definition: schema.map(|it| it.pointer),
                    schema_id: None,
                }
            })
            .collect()
    }

    fn representations_v2(&self, operation: &'s Tree, response: &At<'s>) -> Vec<Representation> {
        let examples = response.tree.get("examples").map(Tree::entries).unwrap_or_default();
        let at = response.get("schema");
        let schema = at.as_ref().map(|it| Arc::new(self.schemas.inline(it.tree)));
        let definition = at.map(|it| it.pointer);
        let produces = operation.get("produces").or_else(|| self.spec.get("produces"));
        let mut types: Vec<String> = produces
            .map(Tree::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|it| it.scalar().map(str::to_owned))
            .collect();
        let more = examples.iter().map(|it| it.key.clone()).filter(|it| !types.contains(it));
        types.extend(more.collect::<Vec<_>>());
        if types.is_empty() && schema.is_some() {
            types.push("application/json".to_owned());
        }
        types
            .into_iter()
            .map(|content_type| Representation {
                example: examples
                    .iter()
                    .find(|it| it.key == content_type)
                    .map(|it| example_text(&it.value)),
                schema: schema.clone(),
                definition: definition.clone(),
                schema_id: None,
                content_type,
            })
            .collect()
    }
}

/// A key as a segment of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// An example as text: text as it is, anything else as JSON.
fn example_text(tree: &Tree) -> String {
    match &tree.node {
        Node::Text(text) => text.clone(),
        _ => serde_json::to_string_pretty(&tree.to_json()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::yaml;

    fn read(text: &str) -> (Vec<OperationEntity>, Vec<String>) {
        let (spec, problems) = (yaml(text), RefCell::default());
        let operations = operations(&spec, RequiredQuery::default(), &problems);
        (operations, problems.borrow().iter().map(|it| it.message.clone()).collect())
    }

    const V3: &str = r##"
openapi: 3.0.1
paths:
  /orders/{id}:
    parameters:
      - { $ref: '#/components/parameters/Id' }
    get:
      operationId: Orders.Get Order
      summary: Get an order
      parameters:
        - { name: api-version, in: query, required: true, schema: { type: string, enum: [a, b], default: a } }
        - { name: view, in: query }
        - { name: x-trace, in: header, required: true }
      responses:
        '200':
          content:
            application/json:
              example: { id: 1 }
              schema: { $ref: '#/components/schemas/Order' }
        default: { description: no }
    delete: {}
components:
  parameters:
    Id: { name: id, in: path, required: true }
  schemas:
    Order: { type: object, properties: { id: { type: integer }, next: { $ref: '#/components/schemas/Order' } } }
"##;

    #[test]
    fn operations_come_with_templates_and_responses() {
        let (operations, problems) = read(V3);
        assert!(problems.is_empty(), "{problems:?}");
        let [get, delete] = operations.as_slice() else { panic!("{operations:?}") };
        assert_eq!((get.id.as_str(), get.method.as_str()), ("orders-get-order", "GET"));
        assert_eq!(get.display_name, "Get an order");
        assert_eq!(get.url_template, "/orders/{id}?api-version={api-version}");
        let names: Vec<&str> = get.parameters.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["api-version", "id"]);
        assert_eq!(get.parameters[0].default.as_deref(), Some("a"));
        assert_eq!(get.responses.len(), 2);
        let body = &get.responses[0].representations[0];
        assert_eq!(body.example.as_deref(), Some("{\n  \"id\": 1\n}"));
        assert_eq!(body.schema.as_ref().unwrap()["properties"]["id"]["type"], "integer");
        assert_eq!(
            (delete.id.as_str(), delete.url_template.as_str()),
            ("delete-orders-id", "/orders/{id}")
        );
    }

    #[test]
    fn version_two_is_read() {
        let (operations, problems) = read(
            "swagger: '2.0'\nproduces: [application/json]\npaths:\n  /a:\n    get:\n      responses:\n        \
             '200': { schema: { type: string }, examples: { application/json: x } }\n",
        );
        assert!(problems.is_empty());
        let body = &operations[0].responses[0].representations[0];
        assert_eq!(
            (body.content_type.as_str(), body.example.as_deref()),
            ("application/json", Some("x"))
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert_eq!(read("a: 1\n").1, ["specification is not OpenAPI 2, 3.0 or 3.1"]);
        let (operations, problems) = read(
            "openapi: 3.1.0\npaths:\n  /a: { get: { operationId: x, parameters: [{ $ref: '#/nope' }] } }\n  \
             /b: { get: { operationId: X } }\n",
        );
        assert_eq!(operations.len(), 1);
        assert_eq!(
            problems,
            ["`#/nope` points to nothing in this file", "operation `x` is given twice"]
        );
    }

    #[test]
    fn operations_and_hops_are_bounded() {
        let mut text = String::from("openapi: 3.0.1\npaths:\n");
        for n in 0..=MAX_OPERATIONS {
            text.push_str(&format!("  /p{n}: {{ get: {{}} }}\n"));
        }
        let (operations, problems) = read(&text);
        assert_eq!(operations.len(), MAX_OPERATIONS);
        assert_eq!(problems, ["specification has more than 5000 operations"]);
        let circle = "openapi: 3.0.1\npaths:\n  /a: { get: { parameters: [{ $ref: '#/x' }] } }\nx: { $ref: '#/x' }\n";
        assert_eq!(read(circle).0[0].parameters.len(), 0);
    }

    #[test]
    fn a_response_that_leads_nowhere_is_a_warning() {
        let spec = yaml(
            "openapi: 3.0.1\npaths: { /a: { get: { responses: { '200': { $ref: 'other.yaml#/x' } } } } }\n",
        );
        let problems = RefCell::default();
        assert_eq!(operations(&spec, RequiredQuery::default(), &problems).len(), 1);
        assert!(!problems.borrow()[0].is_error());
    }

    #[test]
    fn ids_are_made_as_azure_makes_them() {
        for (text, id) in
            [("Get Order", "get-order"), ("a_B.c", "a_b-c"), ("get-/a/{b}", "get-a-b")]
        {
            assert_eq!(normalise_id(text), id);
        }
    }
}
