//! What no answer shows, and the actions that do.

use serde_json::{Map, Value, json};
use transport::fill_random;

use crate::kinds::Kind;
use crate::problem::Problem;
use crate::view::Resource;

/// Takes out what must not be shown.
pub(crate) fn hide(kind: &Kind, properties: &mut Map<String, Value>) {
    for name in kind.hidden {
        properties.remove(*name);
    }
    for name in kind.masked {
        let keep = match properties.get_mut(*name) {
            Some(value) => mask(value),
            None => continue,
        };
        if !keep {
            properties.remove(*name);
        }
    }
    if kind.is(&["namedValues"]) && is_secret(properties) {
        properties.remove("value");
    }
}

/// Whether a named value is never shown.
pub(crate) fn is_secret(properties: &Map<String, Value>) -> bool {
    let is_true = |value: &Value| match value {
        Value::Bool(it) => *it,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    properties.get("secret").is_some_and(is_true)
        || properties.get("keyVault").is_some_and(Value::is_object)
}

/// Leaves only references to named values; says whether anything is left.
fn mask(value: &mut Value) -> bool {
    match value {
        Value::String(text) => text.starts_with("{{") && text.ends_with("}}"),
        Value::Object(map) => {
            map.retain(|_, it| mask(it));
            true
        }
        Value::Array(items) => {
            items.retain_mut(mask);
            true
        }
        _ => true,
    }
}

/// The answer of `listSecrets` or `listValue`; `None`: there is no such action.
pub(crate) fn list(resource: &Resource, action: &str) -> Option<Result<Value, Problem>> {
    let kind = resource.target.kind();
    let property = |name: &str| resource.properties.get(name).cloned().unwrap_or(Value::Null);
    if kind.is(&["subscriptions"]) && action.eq_ignore_ascii_case("listSecrets") {
        let (primary, secondary) = (property("primaryKey"), property("secondaryKey"));
        return Some(Ok(json!({ "primaryKey": primary, "secondaryKey": secondary })));
    }
    if kind.is(&["namedValues"]) && action.eq_ignore_ascii_case("listValue") {
        if resource.properties.get("keyVault").is_some_and(Value::is_object) {
            let message = "The value is kept in Key Vault. Read it there.";
            return Some(Err(Problem::bad("ValidationError", message)));
        }
        return Some(Ok(json!({ "value": property("value") })));
    }
    None
}

/// The property that an action makes anew.
pub(crate) fn regenerated(kind: &Kind, action: &str) -> Option<&'static str> {
    let is = |name: &str| action.eq_ignore_ascii_case(name);
    match kind.is(&["subscriptions"]) {
        true if is("regeneratePrimaryKey") => Some("primaryKey"),
        true if is("regenerateSecondaryKey") => Some("secondaryKey"),
        _ => None,
    }
}

/// A new key, as Azure makes them: 32 hexadecimal digits.
pub(crate) fn new_key() -> String {
    let mut bytes = [0; 16];
    fill_random(&mut bytes);
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::child;

    fn shown(segment: &str, properties: Value) -> Value {
        let mut map = properties.as_object().unwrap().clone();
        hide(child(&[], segment, false).unwrap(), &mut map);
        Value::Object(map)
    }

    #[test]
    fn secrets_are_not_shown() {
        for (segment, properties, expected) in [
            (
                "subscriptions",
                json!({ "primaryKey": "a", "secondaryKey": "b", "x": 1 }),
                json!({ "x": 1 }),
            ),
            ("namedValues", json!({ "value": "v", "secret": true }), json!({ "secret": true })),
            (
                "namedValues",
                json!({ "value": "v", "secret": false }),
                json!({ "value": "v", "secret": false }),
            ),
            ("namedValues", json!({ "value": "v", "keyVault": {} }), json!({ "keyVault": {} })),
            ("certificates", json!({ "data": "d", "password": "p" }), json!({})),
            ("caches", json!({ "connectionString": "host,password=p" }), json!({})),
            (
                "caches",
                json!({ "connectionString": "{{redis}}" }),
                json!({ "connectionString": "{{redis}}" }),
            ),
            (
                "loggers",
                json!({ "credentials": { "instrumentationKey": "k", "connectionString": "{{c}}" } }),
                json!({ "credentials": { "connectionString": "{{c}}" } }),
            ),
            ("users", json!({ "email": "e", "password": "p" }), json!({ "email": "e" })),
        ] {
            assert_eq!(shown(segment, properties.clone()), expected, "{segment} {properties}");
        }
    }

    #[test]
    fn keys_are_long_and_never_the_same() {
        let (a, b) = (new_key(), new_key());
        assert!(a.len() == 32 && a != b && a.chars().all(|it| it.is_ascii_hexdigit()));
    }
}
