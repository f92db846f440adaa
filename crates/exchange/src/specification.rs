//! A specification by itself, as an API that Azure would make of it.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/import-api-from-oas>,
//! <https://learn.microsoft.com/azure/api-management/api-management-api-import-restrictions>

use serde_json::{Map, Value, json};

use crate::Imported;

/// What a specification does not say.
#[derive(Clone, Debug, Default)]
pub struct ApiChoice {
    /// The name of the API; made of the title if absent.
    pub name: Option<String>,
    /// The path after the gateway's address; the name if absent.
    pub path: Option<String>,
    /// Where requests go; the first server of the specification if absent.
    pub service_url: Option<String>,
    /// Whether callers need a key.
    pub subscription_required: bool,
    /// Whether it is served over plain HTTP, too.
    pub over_http: bool,
}

/// Makes an API of the text of an OpenAPI specification, version 2.0, 3.0 or 3.1.
#[must_use]
pub fn from_specification(text: &str, choice: &ApiChoice) -> Imported {
    let mut imported = Imported::default();
    if text.trim_start().starts_with('<') {
        let message = "XML: WSDL and WADL are not imported; describe the operations in OpenAPI";
        imported.problem("", message);
        return imported;
    }
    let is_json = text.trim_start().starts_with('{');
    let specification: Result<Value, String> = match is_json {
        true => serde_json::from_str(text).map_err(|it| it.to_string()),
        false => serde_saphyr::from_str(text).map_err(|it| it.to_string()),
    };
    let specification = match specification {
        Ok(it) => it,
        Err(problem) => {
            let form = if is_json { "JSON" } else { "YAML" };
            imported.problem("", format!("not valid {form}: {problem}"));
            return imported;
        }
    };
    if let Err(message) = version(&specification) {
        imported.problem("", message);
        return imported;
    }
    let title = specification.pointer("/info/title").and_then(Value::as_str).unwrap_or("api");
    let name = choice.name.clone().unwrap_or_else(|| slug(title));
    if name.is_empty() || !name.chars().all(|it| it.is_ascii_alphanumeric() || "-._;=".contains(it))
    {
        imported.problem("info.title", format!("`{name}` is no name of an API: give one"));
        return imported;
    }
    let path = choice.path.clone().unwrap_or_else(|| name.clone());
    let mut properties = Map::new();
    properties.insert("displayName".to_owned(), title.into());
    if let Some(description) = specification.pointer("/info/description").and_then(Value::as_str) {
        properties.insert("description".to_owned(), description.into());
    }
    properties.insert("path".to_owned(), path.trim_matches('/').into());
    let protocols = if choice.over_http { json!(["http", "https"]) } else { json!(["https"]) };
    properties.insert("protocols".to_owned(), protocols);
    properties.insert("subscriptionRequired".to_owned(), choice.subscription_required.into());
    match choice.service_url.clone().or_else(|| server(&specification)) {
        Some(url) => {
            properties.insert("serviceUrl".to_owned(), url.into());
        }
        None => imported.notes.push(
            "the specification names no server: requests are answered only where a policy sets a backend"
                .to_owned(),
        ),
    }
    let info =
        serde_json::to_string_pretty(&json!({ "properties": properties })).unwrap_or_default();
    imported.add("", format!("apis/{name}/apiInformation.json"), info + "\n");
    let ending = if is_json { "json" } else { "yaml" };
    imported.add("", format!("apis/{name}/specification.{ending}"), text.to_owned());
    imported
}

fn version(specification: &Value) -> Result<(), String> {
    let text = |key: &str| specification.get(key).map(crate::specification::text);
    match (text("openapi"), text("swagger")) {
        (Some(it), _) if it.starts_with("3.0") || it.starts_with("3.1") => Ok(()),
        (None, Some(it)) if it.starts_with("2.0") || it == "2" => Ok(()),
        (Some(it), _) | (None, Some(it)) => {
            Err(format!("OpenAPI {it} is not supported; 2.0, 3.0 and 3.1 are"))
        }
        (None, None) => {
            Err("no OpenAPI specification: it has neither `openapi` nor `swagger`".to_owned())
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The address of the first server, without its variables.
fn server(specification: &Value) -> Option<String> {
    if let Some(server) = specification.pointer("/servers/0") {
        let mut url = server.get("url")?.as_str()?.to_owned();
        for (name, variable) in
            server.get("variables").and_then(Value::as_object).into_iter().flatten()
        {
            let default = variable.get("default").map(text)?;
            url = url.replace(&format!("{{{name}}}"), &default);
        }
        return url.contains("://").then_some(url);
    }
    let host = specification.get("host")?.as_str()?;
    let schemes: Vec<&str> = specification
        .get("schemes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let scheme = if schemes.is_empty() || schemes.contains(&"https") { "https" } else { "http" };
    let base = specification.get("basePath").and_then(Value::as_str).unwrap_or_default();
    Some(format!("{scheme}://{host}{}", base.trim_end_matches('/')))
}

/// A title as a name: small letters, digits, hyphens.
fn slug(title: &str) -> String {
    let mut name = String::new();
    for letter in title.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_end_matches('-').chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> Value {
        let it = from_specification(text, &ApiChoice::default());
        assert_eq!(it.problems, [], "{text}");
        let (_, file) =
            it.files.iter().find(|(name, _)| name.ends_with("Information.json")).unwrap();
        serde_json::from_str::<Value>(file).unwrap()["properties"].clone()
    }

    #[test]
    fn an_api_is_made_of_each_version() {
        for (text, name, url) in [
            (
                r#"{"openapi":"3.0.1","info":{"title":"My  Pets!"},"servers":[{"url":"https://{r}.test/v1","variables":{"r":{"default":"eu"}}}]}"#,
                "my-pets",
                json!("https://eu.test/v1"),
            ),
            (
                "openapi: 3.1.0\ninfo:\n  title: Echo\nservers:\n  - url: /relative\n",
                "echo",
                Value::Null,
            ),
            (
                r#"{"swagger":"2.0","info":{"title":"Old"},"host":"a.test","basePath":"/v2/","schemes":["http"]}"#,
                "old",
                json!("http://a.test/v2"),
            ),
        ] {
            let properties = info(text);
            assert_eq!(properties["path"], name);
            assert_eq!(properties.get("serviceUrl").unwrap_or(&Value::Null), &url);
        }
    }

    #[test]
    fn what_is_no_specification_is_told() {
        for (text, message) in [
            (
                "<definitions />",
                "XML: WSDL and WADL are not imported; describe the operations in OpenAPI",
            ),
            ("{", "not valid JSON: EOF while parsing an object at line 1 column 1"),
            ("{}", "no OpenAPI specification: it has neither `openapi` nor `swagger`"),
            (r#"{"openapi":"4.0.0"}"#, "OpenAPI 4.0.0 is not supported; 2.0, 3.0 and 3.1 are"),
            (r#"{"openapi":"3.0.0","info":{"title":"…"}}"#, "`` is no name of an API: give one"),
        ] {
            assert_eq!(
                from_specification(text, &ApiChoice::default()).problems[0].message,
                message
            );
        }
    }
}
