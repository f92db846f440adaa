//! A tool: an operation as a model sees it.
//!
//! Every parameter of the operation is an argument, named as the parameter is if the name can be
//! one; its body is the argument `body`. Parameters with a default need not be given, and the default
//! is sent.

use http::Method;
use pipeline::{Location, Operation, Parameter, Style, placeholders};
use serde_json::{Map, Value, json};

use super::arguments::{Argument, BodyArgument, BodyForm};
use super::portable::Portable;

/// Headers that the gateway sets itself, or that the OpenAPI specification says to ignore.
const OWN_HEADERS: [&str; 8] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
];

/// Most arguments of a tool.
const MAX_ARGUMENTS: usize = 200;

/// An operation's place in the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Its API's place.
    pub api: usize,
    /// Its own place in the API.
    pub operation: usize,
}

/// What a model is told of a tool.
#[derive(Clone, Debug, Default)]
pub struct ToolText {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it does.
    pub description: Option<String>,
    /// Parameters that are not shown, such as the one of the subscription key.
    pub hidden: Vec<String>,
    /// Values of parameters that are sent if no argument is given.
    pub defaults: Vec<(String, String)>,
}

/// A tool of a server.
#[derive(Debug)]
pub struct Tool {
    name: String,
    /// Whose pipeline is run.
    pub target: Target,
    listed: Value,
    pub(super) method: Method,
    /// Path and query, with `{name}` for arguments.
    pub(super) template: String,
    pub(super) arguments: Vec<Argument>,
    pub(super) body: Option<BodyArgument>,
}

impl Tool {
    /// The tool of an operation.
    ///
    /// # Errors
    ///
    /// Why the operation cannot be one.
    pub fn new(text: ToolText, target: Target, operation: &Operation) -> Result<Tool, String> {
        if !super::is_tool_name(&text.name) {
            return Err("its name must be 1 to 128 of A-Z a-z 0-9 _ - .".to_owned());
        }
        let method: Method = match operation.info.method.as_str() {
            "*" => return Err("it takes every method".to_owned()),
            method => method.parse().map_err(|_| "its method cannot be sent".to_owned())?,
        };
        let template = operation.info.url_template.clone();
        if template.split('?').next().unwrap_or_default().ends_with('*') {
            return Err("its URL template ends with a wildcard".to_owned());
        }
        let mut portable = Portable::new(operation.specification.as_deref());
        let mut schema = Schema::default();
        let mut arguments = Vec::new();
        for parameter in parameters(operation, &template) {
            if is_hidden(&parameter, &text) {
                continue;
            }
            let default = text.defaults.iter().find(|(name, _)| *name == parameter.name);
            let default = default.map(|(_, value)| value.clone());
            let shape = portable.parameter(&parameter, default.as_deref());
            let is_required = parameter.is_required && default.is_none();
            let property = schema.add(&parameter.name, location(&parameter), shape, is_required);
            arguments.push(Argument { property, parameter, default });
        }
        let body = body(operation, &method, &mut portable, &mut schema)?;
        if schema.properties.len() > MAX_ARGUMENTS {
            return Err(format!("it has more than {MAX_ARGUMENTS} parameters"));
        }
        let listed = listed(&text, &method, schema, portable);
        Ok(Tool { name: text.name, target, listed, method, template, arguments, body })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As it stands in a list of tools.
    #[must_use]
    pub fn listed(&self) -> &Value {
        &self.listed
    }

    #[cfg(test)]
    pub(super) fn test(name: &str) -> Tool {
        let info = pipeline::Operation::default().info;
        let mut info = (*info).clone();
        info.method = "GET".to_owned();
        info.url_template = "/x".to_owned();
        let operation = Operation { info: std::sync::Arc::new(info), ..Operation::default() };
        let text = ToolText { name: name.to_owned(), ..ToolText::default() };
        Tool::new(text, Target::default(), &operation).unwrap()
    }
}

/// What is described, and what the template has beyond that.
fn parameters(operation: &Operation, template: &str) -> Vec<Parameter> {
    let mut all = operation.request.parameters.clone();
    let query = template.find('?').unwrap_or(template.len());
    for it in placeholders(template) {
        let location = if it.start < query { Location::Path } else { Location::Query };
        match all.iter_mut().find(|known| known.name == it.name && known.location == location) {
            Some(known) => known.is_required = true,
            None => all.push(Parameter {
                name: it.name.to_owned(),
                location,
                is_required: true,
                style: if location == Location::Query { Style::Form } else { Style::Simple },
                ..Parameter::default()
            }),
        }
    }
    // A path parameter that the template has not has no place to stand.
    let in_template = |name: &str| placeholders(template).any(|it| it.name == name);
    all.retain(|it| it.location != Location::Path || in_template(&it.name));
    all
}

fn is_hidden(parameter: &Parameter, text: &ToolText) -> bool {
    let is_listed = text.hidden.iter().any(|it| it.eq_ignore_ascii_case(&parameter.name));
    match parameter.location {
        Location::Header => is_listed || OWN_HEADERS.contains(&parameter.name.as_str()),
        Location::Query => is_listed,
        Location::Path => false,
    }
}

fn location(parameter: &Parameter) -> &'static str {
    match parameter.location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
    }
}

fn body(
    operation: &Operation,
    method: &Method,
    portable: &mut Portable<'_>,
    schema: &mut Schema,
) -> Result<Option<BodyArgument>, String> {
    let request = &operation.request;
    let all = &request.representations;
    let form = |it: &str| BodyForm::of(it);
    let best = [BodyForm::Json, BodyForm::Fields, BodyForm::Text]
        .into_iter()
        .find_map(|wanted| all.iter().find(|it| form(&it.content_type) == Some(wanted)));
    let (content_type, definition, is_required) = match best {
        Some(it) => (it.content_type.clone(), it.definition.clone(), request.is_body_required),
        None if !all.is_empty() => {
            let types: Vec<&str> = all.iter().map(|it| it.content_type.as_str()).collect();
            return Err(format!("bodies of {} cannot be made of arguments", types.join(", ")));
        }
        // An operation of which nothing is described may take a body.
        None if operation.specification.is_none()
            && matches!(*method, Method::POST | Method::PUT | Method::PATCH) =>
        {
            ("application/json".to_owned(), None, false)
        }
        None => return Ok(None),
    };
    let form = form(&content_type).unwrap_or(BodyForm::Json);
    let shape = match (definition, form) {
        (Some(pointer), _) => portable.schema(&pointer),
        (None, BodyForm::Text) => json!({ "type": "string" }),
        (None, BodyForm::Fields) => json!({ "type": "object" }),
        (None, BodyForm::Json) => json!({}),
    };
    let property = schema.add("body", "request", shape, is_required);
    let content_type = match form {
        BodyForm::Fields => "application/x-www-form-urlencoded".to_owned(),
        _ if content_type.contains('*') => "application/json".to_owned(),
        _ => content_type,
    };
    Ok(Some(BodyArgument { property, content_type, form, is_required }))
}

fn listed(text: &ToolText, method: &Method, schema: Schema, portable: Portable<'_>) -> Value {
    let mut input = json!({
        "type": "object",
        "properties": schema.properties,
        "additionalProperties": false,
    });
    let definitions = portable.into_definitions();
    if let Some(members) = input.as_object_mut() {
        if !schema.required.is_empty() {
            members.insert("required".to_owned(), json!(schema.required));
        }
        if !definitions.is_empty() {
            members.insert("$defs".to_owned(), Value::Object(definitions));
        }
    }
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let mut annotations = json!({ "title": text.title, "readOnlyHint": reads });
    if let Some(members) = annotations.as_object_mut().filter(|_| !reads) {
        let is_same_again = matches!(*method, Method::PUT | Method::DELETE);
        members.insert("destructiveHint".to_owned(), json!(*method != Method::POST));
        members.insert("idempotentHint".to_owned(), json!(is_same_again));
    }
    let mut listed = json!({ "name": text.name, "title": text.title });
    if let Some(members) = listed.as_object_mut() {
        if let Some(description) = &text.description {
            members.insert("description".to_owned(), json!(description));
        }
        members.insert("inputSchema".to_owned(), input);
        members.insert("annotations".to_owned(), annotations);
    }
    listed
}

#[derive(Debug, Default)]
struct Schema {
    properties: Map<String, Value>,
    required: Vec<String>,
}

impl Schema {
    /// Adds a property under a name that is free: its own, with its place before it, or numbered.
    fn add(&mut self, name: &str, place: &str, shape: Value, is_required: bool) -> String {
        let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
        let own: String = name.chars().map(|it| if fits(it) { it } else { '_' }).take(64).collect();
        let placed = format!("{place}_{own}");
        let numbered = (2..).map(|n| format!("{placed}_{n}"));
        let mut candidates = [own, placed.clone()].into_iter().chain(numbered);
        let free = candidates.find(|it| !it.is_empty() && !self.properties.contains_key(it));
        let property = free.unwrap_or(placed);
        self.properties.insert(property.clone(), shape);
        if is_required {
            self.required.push(property.clone());
        }
        property
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::{OpenApi, OperationRequest, Representation, Specification};

    use super::*;

    fn operation(method: &str, template: &str, request: OperationRequest) -> Operation {
        let mut info = (*Operation::default().info).clone();
        info.method = method.to_owned();
        info.url_template = template.to_owned();
        let document = json!({ "components": { "schemas": { "New": {
            "type": "object", "required": ["sku"],
            "properties": { "sku": { "type": "string" } },
        } } } });
        Operation {
            info: Arc::new(info),
            request,
            specification: Some(Arc::new(Specification::new(OpenApi::V30, document))),
            ..Operation::default()
        }
    }

    fn parameter(name: &str, location: Location, is_required: bool) -> Parameter {
        Parameter { name: name.to_owned(), location, is_required, ..Parameter::default() }
    }

    fn text() -> ToolText {
        ToolText {
            name: "create".to_owned(),
            title: "Create".to_owned(),
            hidden: vec!["subscription-key".to_owned()],
            defaults: vec![("api-version".to_owned(), "1".to_owned())],
            ..ToolText::default()
        }
    }

    #[test]
    fn every_parameter_and_the_body_are_arguments() {
        let request = OperationRequest {
            parameters: vec![
                parameter("id", Location::Path, true),
                parameter("id", Location::Query, false),
                parameter("$top", Location::Query, true),
                parameter("subscription-key", Location::Query, true),
                parameter("authorization", Location::Header, true),
                parameter("x-trace", Location::Header, false),
            ],
            representations: vec![
                Representation { content_type: "text/xml".to_owned(), ..Default::default() },
                Representation {
                    content_type: "application/json".to_owned(),
                    definition: Some("/components/schemas/New".to_owned()),
                    ..Default::default()
                },
            ],
            is_body_required: true,
        };
        let operation = operation("POST", "/a/{id}?api-version={api-version}", request);
        let tool = Tool::new(text(), Target::default(), &operation).unwrap();
        let schema = &tool.listed()["inputSchema"];
        let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "query_id", "_top", "x-trace", "api-version", "body"]);
        assert_eq!(schema["required"], json!(["id", "_top", "body"]));
        assert_eq!(schema["properties"]["body"]["required"], json!(["sku"]));
        assert_eq!(schema["properties"]["api-version"]["default"], "1");
        assert_eq!(tool.listed()["annotations"]["readOnlyHint"], false);
        assert_eq!(tool.listed()["annotations"]["destructiveHint"], false);
        assert!(tool.listed().get("description").is_none());
    }

    #[test]
    fn an_operation_that_cannot_be_called_is_no_tool() {
        let why = |method, template, types: &[&str]| {
            let representations = types
                .iter()
                .map(|it| Representation { content_type: (*it).to_owned(), ..Default::default() })
                .collect();
            let request = OperationRequest { representations, ..Default::default() };
            Tool::new(text(), Target::default(), &operation(method, template, request)).unwrap_err()
        };
        assert_eq!(why("*", "/a", &[]), "it takes every method");
        assert_eq!(why("GET", "/a/*", &[]), "its URL template ends with a wildcard");
        assert_eq!(
            why("POST", "/a", &["multipart/form-data", "image/png"]),
            "bodies of multipart/form-data, image/png cannot be made of arguments"
        );
        let odd = ToolText { name: "a b".to_owned(), ..text() };
        let operation = operation("GET", "/a", OperationRequest::default());
        assert!(Tool::new(odd, Target::default(), &operation).unwrap_err().starts_with("its name"));
    }

    #[test]
    fn an_operation_without_a_description_may_take_any_json() {
        let it = operation("POST", "/a", OperationRequest::default());
        let tool = |it: &Operation| Tool::new(text(), Target::default(), it).unwrap();
        assert!(tool(&it).body.is_none());
        let bare = Operation { specification: None, ..it };
        assert_eq!(tool(&bare).listed()["inputSchema"]["properties"]["body"], json!({}));
    }
}
