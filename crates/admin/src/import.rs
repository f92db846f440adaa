//! APIs from specifications: `properties.format` and `properties.value` of a PUT.
//!
//! The specification is kept beside the API as it was sent; operations are read from it.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/import-api-from-oas>

use serde_json::{Map, Value, json};

use crate::address::Target;
use crate::draft::Draft;
use crate::problem::Problem;
use crate::view::View;
use crate::{described, kinds};

/// Longest specification, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Reads the specification among the properties of an API; writes it to the draft. Returns the
/// properties that the API has then.
///
/// # Errors
///
/// The format is not imported, or the specification cannot be read.
pub(crate) fn into_api(
    view: &View,
    draft: &mut Draft,
    target: &Target,
    mut properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let format = properties.shift_remove("format");
    let value = properties.shift_remove("value");
    for name in ["wsdlSelector", "translateRequiredQueryParametersConduct"] {
        properties.shift_remove(name);
    }
    let ending = ending(format.as_ref().and_then(Value::as_str))?;
    let Some(Value::String(text)) = value else {
        return Err(Problem::property("value", "The specification is required, as a text."));
    };
    if text.len() > MAX_BYTES {
        let message = format!("A specification has at most {MAX_BYTES} bytes.");
        return Err(Problem::property("value", message));
    }
    let wrong =
        |message: String| Problem::property("value", format!("Parsing error(s): {message}"));
    let document = described::parse(&text).map_err(wrong)?;
    let ids: Vec<String> = config::described_operations(&text)
        .map_err(wrong)?
        .iter()
        .map(|it| it.info.id.to_lowercase())
        .collect();
    take_from(&document, &mut properties);
    let folder = view.index.folder(target);
    if let Some(found) = view.index.find(target) {
        found.specifications.iter().for_each(|it| draft.delete(it));
    }
    draft.put(format!("{folder}/specification.{ending}"), text);
    // What operations said of themselves is of the specification before; policies stay.
    let Some(kind) = kinds::child(&["apis"], "operations", false) else { return Ok(properties) };
    let mut operations = target.clone();
    operations.steps.push(crate::address::Step { kind, name: None });
    for (name, found) in view.index.all(&operations.collection()) {
        if !ids.contains(name) {
            draft.delete_folder(&found.folder);
        } else if let Some(info) = &found.info {
            draft.delete(info);
        }
    }
    Ok(properties)
}

/// The ending of the file that keeps a format.
fn ending(format: Option<&str>) -> Result<&'static str, Problem> {
    match format.unwrap_or("").to_ascii_lowercase().as_str() {
        "openapi+json" | "swagger-json" => Ok("json"),
        "openapi" => Ok("yaml"),
        "openapi-link" | "openapi+json-link" | "swagger-link-json" | "swagger-link" => {
            Err(Problem::property(
                "format",
                "Specifications behind links are not fetched. Send the text with `format` `openapi`, `openapi+json` or `swagger-json`.",
            ))
        }
        other => Err(Problem::property(
            "format",
            format!("`{other}` is not imported: `openapi`, `openapi+json` and `swagger-json` are."),
        )),
    }
}

/// What the specification says of the API itself, where the request says nothing.
fn take_from(document: &Value, properties: &mut Map<String, Value>) {
    let at = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let mut set = |name: &str, value: Option<Value>| {
        let is_absent = properties.get(name).is_none_or(Value::is_null);
        if let (true, Some(value)) = (is_absent, value) {
            properties.insert(name.to_owned(), value);
        }
    };
    set("displayName", at("/info/title").map(Value::from));
    set("description", at("/info/description").map(Value::from));
    set("serviceUrl", service_url(document).map(Value::from));
    set("type", Some(json!("http")));
}

/// The first server, if it is a whole URL.
fn service_url(document: &Value) -> Option<String> {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let is_whole = |it: &str| it.starts_with("http://") || it.starts_with("https://");
    if let Some(url) = text("/servers/0/url") {
        return is_whole(url).then(|| url.trim_end_matches('/').to_owned());
    }
    let host = text("/host")?;
    let scheme = text("/schemes/0").unwrap_or("https");
    let path = text("/basePath").unwrap_or("").trim_end_matches('/');
    Some(format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_not_imported_are_refused() {
        for (format, expected) in [
            (Some("openapi"), Some("yaml")),
            (Some("OpenApi+Json"), Some("json")),
            (Some("swagger-json"), Some("json")),
            (Some("openapi-link"), None),
            (Some("wsdl"), None),
            (None, None),
        ] {
            assert_eq!(ending(format).ok(), expected, "{format:?}");
        }
    }

    #[test]
    fn the_specification_fills_in_what_the_request_leaves_out() {
        let document = json!({
            "info": { "title": "T", "description": "D" },
            "servers": [{ "url": "https://x.test/v1/" }],
        });
        let mut properties =
            json!({ "description": "own", "path": "p" }).as_object().unwrap().clone();
        take_from(&document, &mut properties);
        assert_eq!(
            Value::Object(properties),
            json!({
                "description": "own", "path": "p", "displayName": "T",
                "serviceUrl": "https://x.test/v1", "type": "http",
            })
        );
        let swagger = json!({ "host": "h", "basePath": "/b", "schemes": ["http"] });
        assert_eq!(service_url(&swagger).as_deref(), Some("http://h/b"));
        assert_eq!(service_url(&json!({ "servers": [{ "url": "/relative" }] })), None);
    }
}
