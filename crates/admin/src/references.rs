//! Ids inside of properties: files hold them short (`/products/gold`), so that a folder can be
//! taken elsewhere; answers show them in full.

use serde_json::{Map, Value};

use crate::address::{PROVIDER, ServiceName};

/// Properties that hold an id.
fn is_reference(key: &str) -> bool {
    matches!(key, "scope" | "id") || (key.ends_with("Id") && key != "resourceId")
}

/// Kinds that an id may name right below the service.
const KINDS: &[&str] = &[
    "apis",
    "apiVersionSets",
    "backends",
    "certificates",
    "gateways",
    "groups",
    "loggers",
    "products",
    "subscriptions",
    "tags",
    "users",
    "workspaces",
];

/// Writes ids of this service in full.
pub(crate) fn expand(
    service: &ServiceName,
    workspace: Option<&str>,
    properties: &mut Map<String, Value>,
) {
    let mut prefix = service.id();
    if let Some(workspace) = workspace {
        prefix.push_str(&format!("/workspaces/{workspace}"));
    }
    each(properties, &|key, text| {
        let rest = text.strip_prefix('/')?;
        let kind = rest.split('/').next()?;
        let is_short = is_reference(key)
            && KINDS.iter().any(|it| it.eq_ignore_ascii_case(kind))
            && !rest.to_ascii_lowercase().contains("/providers/");
        let is_service = key == "scope" && rest.is_empty();
        let own =
            if kind.eq_ignore_ascii_case("workspaces") { service.id() } else { prefix.clone() };
        (is_short || is_service).then(|| format!("{own}{}", text.trim_end_matches('/')))
    });
}

/// Writes ids of this service short.
pub(crate) fn shorten(
    service: &ServiceName,
    workspace: Option<&str>,
    properties: &mut Map<String, Value>,
) {
    let of_workspace = workspace.map(|it| format!("/workspaces/{it}").to_ascii_lowercase());
    each(properties, &|key, text| {
        if !is_reference(key) {
            return None;
        }
        let lower = text.to_ascii_lowercase();
        let mark = format!("/providers/{PROVIDER}/service/{}", service.name).to_ascii_lowercase();
        let at = lower.starts_with("/subscriptions/").then(|| lower.find(&mark)).flatten()?;
        let mut rest = text.get(at + mark.len()..)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        if let Some(own) = &of_workspace
            && rest.to_ascii_lowercase().starts_with(&format!("{own}/"))
        {
            rest = rest.get(own.len()..)?;
        }
        Some(if rest.is_empty() { "/".to_owned() } else { rest.to_owned() })
    });
}

/// Replaces texts anywhere in a map.
fn each(map: &mut Map<String, Value>, replace: &dyn Fn(&str, &str) -> Option<String>) {
    for (key, value) in map {
        each_in(key, value, replace);
    }
}

fn each_in(key: &str, value: &mut Value, replace: &dyn Fn(&str, &str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = replace(key, text) {
                *text = new;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| each_in(key, it, replace)),
        Value::Object(map) => each(map, replace),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service() -> ServiceName {
        ServiceName {
            subscription_id: "s".to_owned(),
            resource_group: "g".to_owned(),
            name: "n".to_owned(),
        }
    }

    const ID: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/n";

    #[test]
    fn ids_are_short_in_files_and_full_in_answers() {
        for (key, short, full) in [
            ("scope", "/products/gold", format!("{ID}/products/gold")),
            ("scope", "/apis", format!("{ID}/apis")),
            ("scope", "/", ID.to_owned()),
            ("loggerId", "/loggers/l", format!("{ID}/loggers/l")),
            ("apiVersionSetId", "/apiVersionSets/v", format!("{ID}/apiVersionSets/v")),
            ("backendId", "plain", "plain".to_owned()),
            ("path", "/apis/x", "/apis/x".to_owned()),
        ] {
            let map = |text: &str| json!({ key: text }).as_object().unwrap().clone();
            let mut shown = map(short);
            expand(&service(), None, &mut shown);
            assert_eq!(shown[key], full, "{key} {short}");
            shorten(&service(), None, &mut shown);
            assert_eq!(shown[key], short, "{key} {full}");
        }
    }

    #[test]
    fn ids_are_found_at_any_depth_and_in_any_case() {
        let id = ID.to_uppercase();
        let mut map =
            json!({ "pool": { "services": [{ "id": format!("{id}/backends/b"), "x": 1 }] } })
                .as_object()
                .unwrap()
                .clone();
        shorten(&service(), None, &mut map);
        assert_eq!(map["pool"]["services"][0]["id"], "/backends/b");
    }

    #[test]
    fn ids_of_another_service_stay() {
        let other =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/nn/apis/a";
        let mut map = json!({ "apiId": other }).as_object().unwrap().clone();
        shorten(&service(), None, &mut map);
        assert_eq!(map["apiId"], other);
    }

    #[test]
    fn ids_within_a_workspace_are_relative_to_it() {
        let full = format!("{ID}/workspaces/w/products/p");
        let mut map = json!({ "scope": full }).as_object().unwrap().clone();
        shorten(&service(), Some("W"), &mut map);
        assert_eq!(map["scope"], "/products/p");
        expand(&service(), Some("w"), &mut map);
        assert_eq!(map["scope"], full);
    }
}
