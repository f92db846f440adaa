//! Resources of a template, as the files of an artifact folder.

use std::collections::{BTreeMap, BTreeSet};

use arm::{Deployment, Resource};
use serde_json::{Map, Value, json};

use crate::kinds::{self, Becomes};
use crate::{Imported, PROVIDER};

/// What stands for a secret in a file.
const REDACTED: &str = "*** REDACTED ***";

/// Turns what a template declares into files.
#[must_use]
pub fn from_template(deployment: Deployment) -> Imported {
    let mut imported = Imported { problems: deployment.problems, ..Imported::default() };
    let mut importer = Importer { to: &mut imported, aside: BTreeMap::new(), secrets: Vec::new() };
    for resource in &deployment.resources {
        importer.resource(resource);
    }
    importer.tell();
    if !deployment.others.is_empty() {
        let others: Vec<String> =
            deployment.others.iter().map(|(kind, n)| format!("{kind} ({n})")).collect();
        let message = format!(
            "resources that are no part of API Management are left out: {}",
            others.join(", ")
        );
        imported.notes.push(message);
    }
    if imported.files.is_empty() && imported.problems.is_empty() {
        imported.problem("resources", format!("the template declares nothing below {PROVIDER}"));
    }
    imported
}

struct Importer<'a> {
    to: &'a mut Imported,
    /// What is left out, by the words for it.
    aside: BTreeMap<&'static str, usize>,
    /// Variables that have to be set, for what.
    secrets: Vec<String>,
}

impl Importer<'_> {
    fn resource(&mut self, resource: &Resource) {
        let kind = resource.kind.get(PROVIDER.len()..).unwrap_or_default();
        let Some(kind) = kind.strip_prefix('/') else {
            *self
                .aside
                .entry("settings of the service itself (host names, networks, identities)")
                .or_default() += 1;
            return;
        };
        let names: Vec<&str> = resource.name.split('/').skip(1).collect();
        if names.len() != kind.split('/').count() {
            let message =
                format!("name `{}` does not go with type `{}`", resource.name, resource.kind);
            return self.to.problem(&resource.at, message);
        }
        if let Some(name) = names.iter().find(|it| !is_name(it)) {
            let message = format!("`{name}` is no name of an entity");
            return self.to.problem(&resource.at, message);
        }
        let (kind, names, mut path) = match kind.split_once('/') {
            Some((first, rest)) if first.eq_ignore_ascii_case("workspaces") => {
                let workspace = names.first().copied().unwrap_or_default();
                (rest, names.get(1..).unwrap_or_default(), format!("workspaces/{workspace}/"))
            }
            _ => (kind, names.as_slice(), String::new()),
        };
        let Some(becomes) = kinds::find(kind) else {
            let message = format!("type `{}` is not known", resource.kind);
            return self.to.problem(&resource.at, message);
        };
        // The folders of what it stands in, then its own.
        let mut ends = kind.match_indices('/').map(|(at, _)| at);
        for name in names {
            let end = ends.next().unwrap_or(kind.len());
            if matches!(becomes, Becomes::Policy) && end == kind.len() {
                break;
            }
            let folder = kinds::folder(kind.get(..end).unwrap_or_default());
            path.push_str(&format!("{folder}/{name}/"));
        }
        self.entity(resource, becomes, path);
    }

    fn entity(&mut self, resource: &Resource, becomes: Becomes, path: String) {
        let mut info = resource.body.clone();
        info.values_mut().for_each(shorten);
        let properties = info.entry("properties").or_insert_with(|| json!({}));
        let Some(properties) = properties.as_object_mut() else {
            return self.to.problem(&resource.at, "`properties` is no object");
        };
        match becomes {
            Becomes::Policy => {
                if let Some(text) = self.document(&resource.at, properties) {
                    self.to.add(&resource.at, format!("{path}policy.xml"), text);
                }
            }
            Becomes::Fragment => {
                if let Some(text) = self.document(&resource.at, properties) {
                    self.to.add(&resource.at, format!("{path}policy.xml"), text);
                }
                properties.remove("format");
                properties.remove("value");
                self.write(&resource.at, format!("{path}policyFragmentInformation.json"), info);
            }
            Becomes::Api => {
                self.specification(&resource.at, &path, properties);
                self.write(&resource.at, format!("{path}apiInformation.json"), info);
            }
            Becomes::Information(folder, file) => {
                self.secrets(folder, &path, properties);
                self.write(&resource.at, format!("{path}{file}"), info);
            }
            Becomes::Nothing(words) => *self.aside.entry(words).or_default() += 1,
        }
    }

    fn write(&mut self, at: &str, name: String, mut info: Map<String, Value>) {
        // What Azure Resource Manager keeps beside the properties is no part of the artifact.
        info.retain(|key, _| key == "properties");
        let text = serde_json::to_string_pretty(&info).unwrap_or_default();
        self.to.add(at, name, text + "\n");
    }

    /// The text of a policy document.
    fn document(&mut self, at: &str, properties: &Map<String, Value>) -> Option<String> {
        let format = properties.get("format").and_then(Value::as_str).unwrap_or("xml");
        if format.to_ascii_lowercase().ends_with("-link") {
            self.to.problem(at, "a linked document is not fetched: give its text as `value`");
            return None;
        }
        let value = properties.get("value").or_else(|| properties.get("policyContent"));
        match value.and_then(Value::as_str) {
            Some(text) => Some(text.to_owned()),
            None => {
                self.to.problem(at, "a policy without `value`, the text of its document");
                None
            }
        }
    }

    /// The specification that an API brings, as a file beside it.
    fn specification(&mut self, at: &str, path: &str, properties: &mut Map<String, Value>) {
        let format = properties.remove("format");
        let value = properties.remove("value");
        let (Some(Value::String(format)), Some(value)) = (format, value) else { return };
        let lower = format.to_ascii_lowercase();
        let text = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let ending = match lower.as_str() {
            _ if lower.contains("-link") => {
                let message = format!(
                    "`{format}`: {text} is not fetched; give the text of the specification"
                );
                return self.to.problem(at, message);
            }
            "wsdl" => "wsdl",
            "wadl-xml" => "wadl",
            _ if text.trim_start().starts_with('{') => "json",
            _ => "yaml",
        };
        self.to.add(at, format!("{path}specification.{ending}"), text);
    }

    /// Takes secrets out: they are given when the gateway runs.
    fn secrets(&mut self, folder: &str, path: &str, properties: &mut Map<String, Value>) {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let variable = variable(name);
        match folder {
            "named values"
                if properties.get("secret") == Some(&Value::Bool(true))
                    && properties.contains_key("value") =>
            {
                properties.insert("value".to_owned(), REDACTED.into());
                self.secrets.push(format!("PORTCULLIS_NAMED_VALUE_{variable}"));
            }
            "subscriptions" => {
                let had = properties.remove("primaryKey").is_some();
                let had = properties.remove("secondaryKey").is_some() || had;
                if had {
                    self.secrets.push(format!("PORTCULLIS_KEY_{variable}"));
                }
            }
            _ => {}
        }
    }

    /// Notes of what was left out.
    fn tell(&mut self) {
        for (words, n) in &self.aside {
            self.to.notes.push(format!("{words}: left out ({n})"));
        }
        if !self.secrets.is_empty() {
            let all: BTreeSet<&str> = self.secrets.iter().map(String::as_str).collect();
            let all: Vec<&str> = all.into_iter().collect();
            let message =
                format!("secrets are not written; set these variables: {}", all.join(", "));
            self.to.notes.push(message);
        }
    }
}

/// How a name stands in a variable of the environment.
fn variable(name: &str) -> String {
    name.chars()
        .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' })
        .collect()
}

/// Whether a name can be the name of a folder.
fn is_name(name: &str) -> bool {
    let is_odd = |it: char| {
        it.is_control() || matches!(it, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
    };
    !name.is_empty()
        && name != "."
        && name != ".."
        && name.len() <= 256
        && !name.chars().any(is_odd)
}

/// Identifiers of the service's own entities begin at the entity, as in extracted artifacts.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(short) = relative(text) {
                *text = short.to_owned();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(shorten),
        Value::Object(all) => all.values_mut().for_each(shorten),
        _ => {}
    }
}

fn relative(text: &str) -> Option<&str> {
    const MARK: &str = "/providers/microsoft.apimanagement/service/";
    if !text.get(..15)?.eq_ignore_ascii_case("/subscriptions/") {
        return None;
    }
    let at = text.to_ascii_lowercase().find(MARK)?;
    let rest = text.get(at + MARK.len()..)?;
    rest.get(rest.find('/')?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(resources: &[(&str, &str, Value)]) -> Imported {
        let resources = resources.iter().enumerate().map(|(n, (kind, name, body))| Resource {
            kind: format!("Microsoft.ApiManagement/service{kind}"),
            name: format!("svc{name}"),
            body: body.as_object().unwrap().clone(),
            at: format!("resources[{n}]"),
        });
        from_template(Deployment { resources: resources.collect(), ..Deployment::default() })
    }

    fn policy(text: &str) -> Value {
        json!({ "properties": { "format": "rawxml", "value": text } })
    }

    #[test]
    fn each_type_goes_to_its_file() {
        let it = imported(&[
            ("", "", json!({"location": "x"})),
            ("/policies", "/policy", policy("<policies/>")),
            (
                "/apis",
                "/a;rev=2",
                json!({"properties": {"path": "a", "format": "openapi+json", "value": "{}"}}),
            ),
            ("/apis/operations/policies", "/a;rev=2/get/policy", policy("<o/>")),
            ("/policyFragments", "/f", policy("<fragment/>")),
            ("/products/apis", "/p/a", json!({})),
            ("/workspaces/apis/policies", "/w/a/policy", policy("<w/>")),
            ("/portalsettings", "/signin", json!({})),
            (
                "/loggers",
                "/l",
                json!({"properties": {"resourceId":
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/x/loggers/y"}}),
            ),
        ]);
        assert_eq!(it.problems, []);
        let names: Vec<&str> = it.files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "apis/a;rev=2/apiInformation.json",
                "apis/a;rev=2/operations/get/policy.xml",
                "apis/a;rev=2/specification.json",
                "loggers/l/loggerInformation.json",
                "policy fragments/f/policy.xml",
                "policy fragments/f/policyFragmentInformation.json",
                "policy.xml",
                "products/p/apis/a/productApiInformation.json",
                "workspaces/w/apis/a/policy.xml",
            ]
        );
        assert_eq!(it.files["policy.xml"], "<policies/>");
        assert!(!it.files["apis/a;rev=2/apiInformation.json"].contains("format"));
        assert!(it.files["loggers/l/loggerInformation.json"].contains("\"/loggers/y\""));
        assert_eq!(
            it.notes,
            [
                "settings of the developer portal: left out (1)",
                "settings of the service itself (host names, networks, identities): left out (1)",
            ]
        );
    }

    #[test]
    fn secrets_are_left_out_and_told() {
        let it = imported(&[
            ("/namedValues", "/my-key", json!({"properties": {"secret": true, "value": "s3cret"}})),
            ("/namedValues", "/plain", json!({"properties": {"value": "v"}})),
            (
                "/subscriptions",
                "/team a",
                json!({"properties": {"scope": "/apis", "primaryKey": "s3cret"}}),
            ),
        ]);
        assert_eq!(
            it.notes,
            [
                "secrets are not written; set these variables: PORTCULLIS_KEY_TEAM_A, PORTCULLIS_NAMED_VALUE_MY_KEY"
            ]
        );
        assert!(it.files.values().all(|it| !it.contains("s3cret")));
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let link = json!({"properties": {"format": "rawxml-link", "value": "https://x"}});
        for (kind, name, body, message) in [
            (
                "/policies",
                "/policy",
                link,
                "a linked document is not fetched: give its text as `value`",
            ),
            (
                "/policies",
                "/policy",
                json!({}),
                "a policy without `value`, the text of its document",
            ),
            (
                "/apis",
                "/../x",
                json!({}),
                "name `svc/../x` does not go with type `Microsoft.ApiManagement/service/apis`",
            ),
            ("/apis", "/..", json!({}), "`..` is no name of an entity"),
            (
                "/wonders",
                "/x",
                json!({}),
                "type `Microsoft.ApiManagement/service/wonders` is not known",
            ),
            (
                "/apis",
                "/x",
                json!({"properties": {"format": "openapi-link", "value": "https://x"}}),
                "`openapi-link`: https://x is not fetched; give the text of the specification",
            ),
            ("/apis", "/x", json!({"properties": 1}), "`properties` is no object"),
        ] {
            let it = imported(&[(kind, name, body)]);
            assert_eq!(it.problems[0].message, message);
        }
        let twice = imported(&[("/tags", "/a", json!({})), ("/tags", "/A", json!({}))]);
        assert_eq!(twice.problems[0].message, "`tags/A/tagInformation.json` is declared twice");
    }
}
