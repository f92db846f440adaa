//! Between the library's JSON values, whose texts are shared bytes, and ours.

use apollo_compiler::response::{JsonMap, JsonValue};
use serde_json::{Map, Value};

/// The library's value as ours.
pub(crate) fn ours(value: &JsonValue) -> Value {
    match value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(it) => Value::Bool(*it),
        JsonValue::Number(it) => Value::Number(it.clone()),
        JsonValue::String(it) => Value::String(it.as_str().to_owned()),
        JsonValue::Array(items) => items.iter().map(ours).collect(),
        JsonValue::Object(map) => Value::Object(our_map(map)),
    }
}

/// The library's object as ours.
pub(crate) fn our_map(map: &JsonMap) -> Map<String, Value> {
    map.iter().map(|(key, value)| (key.as_str().to_owned(), ours(value))).collect()
}

/// Our object as the library's.
pub(crate) fn their_map(map: &Map<String, Value>) -> JsonMap {
    map.iter().map(|(key, value)| (key.as_str().into(), JsonValue::from(value.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_come_back_as_they_went() {
        let value = json!({ "a": [1, 1.5, null, true, "x", { "b": 12345678901234567890_u64 }] });
        let map = value.as_object().unwrap();
        assert_eq!(Value::Object(our_map(&their_map(map))), value);
    }
}
