//! Operations: from the API's specification, from operation entities, or both.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-add-operations>

use std::collections::BTreeMap;
use std::sync::Arc;

use document::closest;
use expr::host::OperationInfo;
use pipeline::{
    Location, OperationRequest, OperationResponse, Parameter, Representation, Specification,
    Statuses, Style,
};

use super::{PolicyEntity, Reading, policy, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::openapi::normalise_id;
use crate::place::Place;
use crate::tree::{Fields, Tree};

/// An operation.
#[derive(Clone, Debug)]
pub struct OperationEntity {
    /// Entity name.
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// What it does.
    pub description: Option<String>,
    /// Its method in upper case; `*` for any.
    pub method: String,
    /// Its URL template, such as `/orders/{id}?view={view}`.
    pub url_template: String,
    /// The template's parameters.
    pub parameters: Vec<TemplateParameter>,
    /// Its described request.
    pub request: OperationRequest,
    /// Its described responses.
    pub responses: Vec<OperationResponse>,
    /// The specification that its definitions are found in.
    pub specification: Option<Arc<Specification>>,
    /// Its policy document.
    pub policy: Option<PolicyEntity>,
    /// Where it is described.
    pub place: Place,
}

impl OperationEntity {
    /// What policies and expressions see of it.
    #[must_use]
    pub fn into_operation(self) -> pipeline::Operation {
        let info = OperationInfo {
            id: self.id,
            method: self.method,
            name: self.display_name,
            url_template: self.url_template,
        };
        pipeline::Operation {
            info: Arc::new(info),
            request: self.request,
            responses: self.responses,
            is_websocket: false,
            speaks_graphql: false,
            specification: self.specification,
            graphql: None,
            schemas: None,
        }
    }
}

/// A parameter of a URL template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateParameter {
    /// Its name.
    pub name: String,
    /// Whether a request must have it.
    pub required: bool,
    /// Its default value.
    pub default: Option<String>,
    /// The values it may have; none: any.
    pub values: Vec<String>,
}

/// Adds operation entities and their policies to the operations of the specification.
pub(super) fn complete(api: &EntityFiles, operations: &mut Vec<OperationEntity>, cx: &Reading<'_>) {
    for files in api.operations.values() {
        let Some(mut info) = read_info(files, cx) else { continue };
        cx.overrides.apply_operation(&api.name, &files.name, &mut info);
        let fields = properties(&info, cx.problems);
        let id = normalise_id(&files.name);
        let found = operations.iter().position(|it| normalise_id(&it.id) == id);
        let operation = match found.and_then(|it| operations.get_mut(it)) {
            Some(operation) => operation,
            None if files.info.is_some() => {
                let Some(new) = from_entity(files, &fields, cx) else { continue };
                operations.push(new);
                let Some(new) = operations.last_mut() else { continue };
                new
            }
            None => {
                let names = operations.iter().map(|it| it.id.as_str());
                let message = format!("API `{}` has no operation `{}`", api.name, files.name);
                let problem = files.place().error(codes::UNKNOWN_ENTITY, message);
                cx.report(match closest(&id, names) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                });
                continue;
            }
        };
        update(operation, &fields);
        let replacement = cx.overrides.policy(Some(&api.name), Some(&files.name));
        operation.policy = policy::read(files.policy.as_ref(), replacement, cx);
    }
}

fn read_info(files: &EntityFiles, cx: &Reading<'_>) -> Option<Tree> {
    // Overrides of operations stand below their API, so the section is one that never matches.
    cx.info("", files)
}

fn from_entity(
    files: &EntityFiles,
    fields: &Fields<'_, '_>,
    cx: &Reading<'_>,
) -> Option<OperationEntity> {
    let place = files.place();
    let missing = |key: &str| {
        let message = format!("operation `{}` has no `{key}`", files.name);
        cx.report(place.error(codes::MISSING, message));
    };
    let (Some(method), Some(url_template)) = (fields.filled("method"), fields.text("urlTemplate"))
    else {
        missing(if fields.filled("method").is_none() { "method" } else { "urlTemplate" });
        return None;
    };
    Some(OperationEntity {
        id: files.name.clone(),
        display_name: files.name.clone(),
        description: None,
        method: method.to_ascii_uppercase(),
        url_template,
        parameters: Vec::new(),
        request: OperationRequest::default(),
        responses: Vec::new(),
        specification: None,
        policy: None,
        place,
    })
}

/// What the entity says goes over what the specification says.
fn update(operation: &mut OperationEntity, fields: &Fields<'_, '_>) {
    if let Some(name) = fields.filled("displayName") {
        operation.display_name = name;
    }
    if let Some(text) = fields.filled("description") {
        operation.description = Some(text);
    }
    if let Some(method) = fields.filled("method") {
        operation.method = method.to_ascii_uppercase();
    }
    if let Some(template) = fields.text("urlTemplate") {
        operation.url_template = template;
    }
    if fields.get("templateParameters").is_some() {
        operation.parameters =
            fields.list("templateParameters").into_iter().filter_map(parameter).collect();
        let listed = fields.list("templateParameters").into_iter();
        let listed = listed.filter_map(|it| described(it, Location::Path));
        add_parameters(&mut operation.request, listed.collect());
    }
    if let Some(request) = fields.get("request") {
        update_request(&mut operation.request, request);
    }
    if fields.get("responses").is_some() {
        operation.responses = fields.list("responses").into_iter().filter_map(response).collect();
    }
}

/// What the entity says of the request: parameters and media types that the specification does
/// not have. Their definitions stand in the specification only.
fn update_request(request: &mut OperationRequest, tree: &Tree) {
    for (key, location) in [("queryParameters", Location::Query), ("headers", Location::Header)] {
        let listed = tree.get(key).map(Tree::items).unwrap_or_default();
        let listed = listed.iter().filter_map(|it| described(it, location)).collect();
        add_parameters(request, listed);
    }
    let listed = tree.get("representations").map(Tree::items).unwrap_or_default();
    for it in listed {
        let Some(content_type) = it.get("contentType").and_then(Tree::scalar) else { continue };
        let is_same = |it: &Representation| it.content_type.eq_ignore_ascii_case(content_type);
        if !request.representations.iter().any(is_same) {
            request.representations.push(Representation {
                content_type: content_type.to_owned(),
                schema_id: schema_id(it),
                ..Default::default()
            });
        }
    }
}

/// The schema of the API that describes a body.
fn schema_id(representation: &Tree) -> Option<String> {
    let id = representation.get("schemaId").and_then(Tree::scalar)?;
    (!id.trim().is_empty()).then(|| id.trim().to_owned())
}

fn add_parameters(request: &mut OperationRequest, found: Vec<Parameter>) {
    for found in found {
        let is_same = |it: &Parameter| it.location == found.location && it.name == found.name;
        if !request.parameters.iter().any(is_same) {
            request.parameters.push(found);
        }
    }
}

fn described(tree: &Tree, location: Location) -> Option<Parameter> {
    let name = tree.get("name").and_then(Tree::scalar)?;
    let is_header = location == Location::Header;
    Some(Parameter {
        name: if is_header { name.to_ascii_lowercase() } else { name.to_owned() },
        location,
        is_required: tree.get("required").and_then(Tree::as_bool).unwrap_or(false),
        definition: None,
        style: if location == Location::Query { Style::Form } else { Style::Simple },
        is_exploded: location == Location::Query,
    })
}

fn parameter(tree: &Tree) -> Option<TemplateParameter> {
    let text = |key: &str| tree.get(key).and_then(Tree::scalar).map(str::to_owned);
    let values = tree.get("values").map(Tree::items).unwrap_or_default();
    Some(TemplateParameter {
        name: text("name")?,
        required: tree.get("required").and_then(Tree::as_bool).unwrap_or(false),
        default: text("defaultValue"),
        values: values.iter().filter_map(|it| it.scalar().map(str::to_owned)).collect(),
    })
}

fn response(tree: &Tree) -> Option<OperationResponse> {
    let statuses = Statuses::parse(tree.get("statusCode").and_then(Tree::scalar)?)?;
    let representations = tree.get("representations").map(Tree::items).unwrap_or_default();
    let representation = |it: &Tree| {
        let examples: BTreeMap<&str, &Tree> = it
            .get("examples")
            .map(Tree::entries)
            .unwrap_or_default()
            .iter()
            .map(|it| (it.key.as_str(), &it.value))
            .collect();
        let first = examples.get("default").or_else(|| examples.values().next());
        let value = first.and_then(|it| it.get("value")).or_else(|| it.get("sample"));
        Some(Representation {
            content_type: it.get("contentType").and_then(Tree::scalar)?.to_owned(),
            example: value.map(|it| match it.scalar() {
                Some(text) => text.to_owned(),
                None => it.to_json().to_string(),
            }),
            schema_id: schema_id(it),
            schema: None,
            definition: None,
        })
    };
    let representations = representations.iter().filter_map(representation).collect();
    let headers = tree.get("headers").map(Tree::items).unwrap_or_default();
    let headers = headers.iter().filter_map(|it| described(it, Location::Header)).collect();
    Some(OperationResponse { statuses, representations, headers })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    const API: (&str, &str) =
        ("apis/a/apiInformation.json", r#"{"properties":{"path":"a","displayName":"A"}}"#);

    #[test]
    fn entities_add_to_the_specification_and_go_over_it() {
        let (entities, problems) = read(&[
            API,
            (
                "apis/a/specification.yaml",
                "openapi: 3.0.1\npaths: { /x: { get: { operationId: getX } } }\n",
            ),
            (
                "apis/a/operations/GetX/operationInformation.json",
                r#"{"properties":{"displayName":"Named"}}"#,
            ),
            ("apis/a/operations/GetX/policy.xml", "<policies/>"),
            (
                "apis/a/operations/more/operationInformation.json",
                r#"{"properties":{"method":"post","urlTemplate":"/y/{id}",
                    "templateParameters":[{"name":"id","required":true,"defaultValue":"1"}],
                    "responses":[{"statusCode":200,"representations":[
                        {"contentType":"text/plain","examples":{"default":{"value":"hi"}}}]}]}}"#,
            ),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        let operations = &entities.apis[0].operations;
        assert_eq!(operations.len(), 2);
        assert_eq!(
            (operations[0].id.as_str(), operations[0].display_name.as_str()),
            ("getx", "Named")
        );
        assert!(operations[0].policy.is_some());
        assert_eq!(
            (operations[1].method.as_str(), operations[1].url_template.as_str()),
            ("POST", "/y/{id}")
        );
        assert_eq!(operations[1].parameters[0].default.as_deref(), Some("1"));
        let body = &operations[1].responses[0].representations[0];
        assert_eq!(body.example.as_deref(), Some("hi"));
    }

    #[test]
    fn a_policy_of_no_operation_is_an_error_with_a_suggestion() {
        let (_, problems) = read(&[
            API,
            (
                "apis/a/specification.yaml",
                "openapi: 3.0.1\npaths: { /x: { get: { operationId: getX } } }\n",
            ),
            ("apis/a/operations/gotx/policy.xml", "<policies/>"),
            (
                "apis/a/operations/z/operationInformation.json",
                r#"{"properties":{"urlTemplate":"/"}}"#,
            ),
        ]);
        assert_eq!(
            problems,
            ["PC0510 API `a` has no operation `gotx`", "PC0505 operation `z` has no `method`"]
        );
    }
}
