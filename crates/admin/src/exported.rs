//! The specification of an API, as the service exports it: the one it was imported from, or one
//! that is made of its operations.
//!
//! Source: <https://learn.microsoft.com/rest/api/apimanagement/api-export/get>

use serde_json::{Map, Value, json};

use crate::address::{Step, Target};
use crate::described;
use crate::engine::{Answer, Call};
use crate::kinds::child;
use crate::links::{Linked, Links};
use crate::problem::Problem;
use crate::view::{Resource, View};

/// A specification, as it lies in a file or as it is made.
enum Specification {
    /// A text in YAML.
    Yaml(String, Value),
    /// JSON.
    Json(Value),
}

impl Specification {
    fn document(&self) -> &Value {
        match self {
            Self::Yaml(_, document) | Self::Json(document) => document,
        }
    }
}

/// The specification of an API, in the answer or behind a link.
pub(crate) fn export(
    view: &View,
    api: &Resource,
    call: &Call,
    links: &Links,
) -> Result<Answer, Problem> {
    let format = call.query("format").unwrap_or("openapi").to_ascii_lowercase();
    let specification = match imported(view, api)? {
        Some(imported) => imported,
        None => Specification::Json(made(view, api)),
    };
    let document = specification.document();
    let is_swagger = document.get("swagger").is_some();
    let (media_type, text, shown) = match format.trim_end_matches("-link") {
        "openapi" | "openapi+json" if is_swagger => {
            let message = "The API was imported from OpenAPI 2: it is exported as `swagger`.";
            return Err(Problem::property("format", message));
        }
        "swagger" if !is_swagger => {
            let message =
                "The API is not of OpenAPI 2: it is exported as `openapi` or `openapi+json`.";
            return Err(Problem::property("format", message));
        }
        "swagger" => ("application/json", compact(document), "swagger-link-json"),
        "openapi+json" => ("application/json", compact(document), "openapi+json-link"),
        "openapi" => ("application/yaml", yaml(&specification), "openapi-link"),
        _ => {
            let message =
                "`format` is `openapi`, `openapi+json` or `swagger`, with or without `-link`.";
            return Err(Problem::property("format", message));
        }
    };
    let id = api.target.id(&view.service);
    if !format.ends_with("-link") {
        return Ok(Answer::ok(json!({ "id": id, "format": format, "value": text })));
    }
    let name = links.keep(Linked { media_type, text: text.into() });
    let value = json!({ "link": format!("{}/exports/{name}", base(&call.url)) });
    // Clients read the one or the other.
    let properties = json!({ "format": shown, "value": value });
    Ok(Answer::ok(json!({ "id": id, "format": shown, "value": value, "properties": properties })))
}

/// Scheme and authority of a URL.
fn base(url: &str) -> &str {
    let start = url.find("://").map_or(0, |it| it + 3);
    let end = url.get(start..).and_then(|it| it.find('/')).map_or(url.len(), |it| start + it);
    url.get(..end).unwrap_or(url)
}

fn compact(document: &Value) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

fn yaml(specification: &Specification) -> String {
    match specification {
        Specification::Yaml(text, _) => text.clone(),
        // JSON is YAML.
        Specification::Json(document) => serde_json::to_string_pretty(document).unwrap_or_default(),
    }
}

/// The specification that the API was imported from.
fn imported(view: &View, api: &Resource) -> Result<Option<Specification>, Problem> {
    let found = view.index.find(&api.target).and_then(|it| it.specifications.first());
    let Some((name, text)) = found.and_then(|it| Some((it, view.source.text(it)?))) else {
        return Ok(None);
    };
    let lower = name.to_ascii_lowercase();
    if ![".json", ".yaml", ".yml"].iter().any(|it| lower.ends_with(it)) {
        return Err(Problem::property("format", "The API has a specification of another kind."));
    }
    let document =
        described::parse(text).map_err(|message| Problem::bad("ValidationError", message))?;
    Ok(Some(if lower.ends_with(".json") {
        Specification::Json(document)
    } else {
        Specification::Yaml(text.to_string(), document)
    }))
}

/// A specification of the API's operations.
fn made(view: &View, api: &Resource) -> Value {
    let text = |key: &str| api.properties.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut paths = Map::new();
    for operation in operations(view, &api.target) {
        let of = |key: &str| operation.properties.get(key).and_then(Value::as_str).unwrap_or("");
        let template = of("urlTemplate").split('?').next().unwrap_or_default();
        let path =
            if template.starts_with('/') { template.to_owned() } else { format!("/{template}") };
        let item = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(of("method").to_ascii_lowercase(), described_as(&operation));
        }
    }
    json!({
        "openapi": "3.0.1",
        "info": {
            "title": text("displayName"),
            "description": text("description"),
            "version": if text("apiVersion").is_empty() { "1.0" } else { text("apiVersion") },
        },
        "paths": paths,
    })
}

fn operations(view: &View, api: &Target) -> Vec<Resource> {
    let Some(kind) = child(&["apis"], "operations", api.workspace.is_some()) else {
        return Vec::new();
    };
    let mut collection = api.clone();
    collection.steps.push(Step { kind, name: None });
    view.list(&collection)
}

/// An operation in words of OpenAPI.
fn described_as(operation: &Resource) -> Value {
    let properties = &operation.properties;
    let text = |key: &str| properties.get(key).and_then(Value::as_str).unwrap_or_default();
    let request = properties.get("request");
    let lists = [
        (properties.get("templateParameters"), "path"),
        (request.and_then(|it| it.get("queryParameters")), "query"),
        (request.and_then(|it| it.get("headers")), "header"),
    ];
    let parameters: Vec<Value> = lists
        .into_iter()
        .flat_map(|(list, place)| items(list).iter().map(move |it| parameter(it, place)))
        .collect();
    let mut responses: Map<String, Value> = items(properties.get("responses"))
        .iter()
        .filter_map(|it| Some((it.get("statusCode")?.to_string(), response(it))))
        .collect();
    if responses.is_empty() {
        responses.insert("200".to_owned(), json!({ "description": "" }));
    }
    let mut shown = json!({
        "summary": text("displayName"),
        "description": text("description"),
        "operationId": operation.target.name().unwrap_or_default(),
        "parameters": parameters,
        "responses": responses,
    });
    let content = content(request);
    if let (false, Some(shown)) = (content.is_empty(), shown.as_object_mut()) {
        shown.insert("requestBody".to_owned(), json!({ "content": content }));
    }
    shown
}

fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn parameter(it: &Value, place: &str) -> Value {
    let kind = it.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = match kind {
        "number" | "integer" | "boolean" | "array" | "object" => kind,
        _ => "string",
    };
    let is_required = place == "path" || it.get("required") == Some(&Value::Bool(true));
    json!({
        "name": it.get("name"),
        "in": place,
        "required": is_required,
        "description": it.get("description").and_then(Value::as_str).unwrap_or_default(),
        "schema": { "type": kind },
    })
}

fn response(it: &Value) -> Value {
    let description = it.get("description").and_then(Value::as_str).unwrap_or_default();
    let content = content(Some(it));
    if content.is_empty() {
        return json!({ "description": description });
    }
    json!({ "description": description, "content": content })
}

/// The media types of a request's or an answer's representations.
fn content(of: Option<&Value>) -> Map<String, Value> {
    items(of.and_then(|it| it.get("representations")))
        .iter()
        .filter_map(|it| Some((it.get("contentType")?.as_str()?.to_owned(), json!({}))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_scheme_and_authority() {
        for (url, expected) in [
            ("https://m.test:8444/subscriptions/x", "https://m.test:8444"),
            ("https://m.test", "https://m.test"),
            ("", ""),
        ] {
            assert_eq!(base(url), expected);
        }
    }
}
