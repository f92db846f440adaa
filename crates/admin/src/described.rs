//! Operations of an OpenAPI specification as resources, and specifications without one of them.

use config::tree::Tree;
use pipeline::{Location, Operation, Parameter, Representation, Statuses};
use serde_json::{Map, Value, json};

use crate::index::Found;
use crate::view::View;

/// The methods that a path of a specification may have.
const METHODS: &[&str] =
    &["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// The operations that the specification of an API describes, by name. One that cannot be read
/// describes none: the loader has told why.
pub(crate) fn operations(view: &View, api: &Found) -> Vec<(String, Map<String, Value>)> {
    let text =
        api.specifications.iter().filter(|it| is_openapi(it)).find_map(|it| view.source.text(it));
    let Some(described) = text.and_then(|it| config::described_operations(it).ok()) else {
        return Vec::new();
    };
    let keeps_query = view.information(api).get("translateRequiredQueryParameters")
        == Some(&Value::from("query"));
    described.iter().map(|it| (it.info.id.clone(), properties(it, keeps_query))).collect()
}

fn is_openapi(file: &str) -> bool {
    let lower = file.to_ascii_lowercase();
    [".json", ".yaml", ".yml"].iter().any(|it| lower.ends_with(it))
}

fn properties(operation: &Operation, keeps_query: bool) -> Map<String, Value> {
    let info = &operation.info;
    let template = match (keeps_query, info.url_template.split_once('?')) {
        (true, Some((path, _))) => path.to_owned(),
        _ => info.url_template.clone(),
    };
    let of = |location: Location| -> Vec<Value> {
        let all = operation.request.parameters.iter();
        all.filter(|it| it.location == location).map(parameter).collect()
    };
    let is_in_template = |it: &&Parameter| template.contains(&format!("{{{}}}", it.name));
    let in_template: Vec<Value> =
        operation.request.parameters.iter().filter(is_in_template).map(parameter).collect();
    let responses: Vec<Value> = operation
        .responses
        .iter()
        .map(|it| {
            let status = match it.statuses {
                Statuses::One(status) => status,
                Statuses::Class(class) => class * 100,
                Statuses::Others => 200,
            };
            json!({
                "statusCode": status,
                "representations": representations(&it.representations),
                "headers": it.headers.iter().map(parameter).collect::<Vec<_>>(),
            })
        })
        .collect();
    let properties = json!({
        "displayName": info.name,
        "method": info.method,
        "urlTemplate": template,
        "templateParameters": in_template,
        "request": {
            "queryParameters": of(Location::Query),
            "headers": of(Location::Header),
            "representations": representations(&operation.request.representations),
        },
        "responses": responses,
    });
    match properties {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn parameter(it: &Parameter) -> Value {
    json!({ "name": it.name, "type": "string", "required": it.is_required, "values": [] })
}

fn representations(all: &[Representation]) -> Vec<Value> {
    all.iter().map(|it| json!({ "contentType": it.content_type })).collect()
}

/// A specification, read. `Err`: why it cannot be.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let tree = Tree::parse(&"specification.yaml".into(), text).map_err(|it| it.message)?;
    Ok(tree.to_json())
}

/// The specification without one operation, as JSON; `None` if it has no such operation.
pub(crate) fn without(text: &str, method: &str, path: &str) -> Option<String> {
    let mut document = parse(text).ok()?;
    let paths = document.get_mut("paths")?.as_object_mut()?;
    let item = paths.get_mut(path)?.as_object_mut()?;
    item.shift_remove(&method.to_ascii_lowercase())?;
    if !METHODS.iter().any(|it| item.contains_key(*it)) {
        paths.shift_remove(path);
    }
    serde_json::to_string_pretty(&document).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use config::Source;

    use super::*;
    use crate::address::{ServiceName, Target, segments};
    use crate::index::Index;

    const SPEC: &str = "
openapi: 3.0.1
paths:
  /orders/{id}:
    get:
      operationId: Get Order
      summary: Get an order
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: view, in: query, schema: { type: string } }
      responses: { '200': { content: { application/json: {} } } }
    delete: { operationId: drop, responses: {} }
  /x: { get: { operationId: x, responses: {} } }
";

    fn all(info: &str) -> Vec<(String, Map<String, Value>)> {
        let source = Source::from_files([
            ("apis/a/apiInformation.json", info),
            ("apis/a/specification.yaml", SPEC),
        ]);
        let service = ServiceName {
            subscription_id: String::new(),
            resource_group: String::new(),
            name: String::new(),
        };
        let index = Arc::new(Index::new(&source));
        let view = View { source: Arc::new(source), index, service: Arc::new(service) };
        let target = Target::parse(&segments("apis/a").unwrap()).unwrap();
        operations(&view, view.index.find(&target).unwrap())
    }

    #[test]
    fn operations_are_told_with_their_parameters() {
        let all = all("{}");
        let names: Vec<&str> = all.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(names, ["get-order", "drop", "x"]);
        let first = &all[0].1;
        assert_eq!(
            (&first["method"], &first["urlTemplate"]),
            (&json!("GET"), &json!("/orders/{id}"))
        );
        assert_eq!(first["displayName"], "Get an order");
        assert_eq!(first["templateParameters"][0]["name"], "id");
        assert_eq!(first["request"]["queryParameters"][0]["name"], "view");
        assert_eq!(first["responses"][0]["representations"][0]["contentType"], "application/json");
    }

    #[test]
    fn an_operation_can_be_taken_out() {
        let one_less = without(SPEC, "GET", "/orders/{id}").unwrap();
        let ids: Vec<String> = config::described_operations(&one_less)
            .unwrap()
            .iter()
            .map(|it| it.info.id.clone())
            .collect();
        assert_eq!(ids, ["drop", "x"]);
        let none = without(SPEC, "GET", "/x").unwrap();
        assert!(!none.contains("\"/x\""));
        assert!(without(SPEC, "PUT", "/x").is_none());
    }
}
