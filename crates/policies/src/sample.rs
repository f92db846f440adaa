//! A sample value for a JSON schema.
//!
//! Examples, defaults and the first of an enumeration count before values made up from the
//! type. Depth and size are bounded, so that a schema cannot make a large answer.

use serde_json::{Map, Value, json};

/// Deepest nesting of a sample.
const MAX_DEPTH: usize = 12;
/// Most values in a sample.
const MAX_VALUES: usize = 2_000;

/// A value that the schema allows, as far as can be told without solving it.
pub(crate) fn of_schema(schema: &Value) -> Value {
    let mut n_left = MAX_VALUES;
    value(schema, MAX_DEPTH, &mut n_left)
}

fn value(schema: &Value, depth: usize, n_left: &mut usize) -> Value {
    let (Some(depth), Some(left)) = (depth.checked_sub(1), n_left.checked_sub(1)) else {
        return Value::Null;
    };
    *n_left = left;
    if let Some(given) = given(schema) {
        return given.clone();
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
        return merged(schema, all, depth, n_left);
    }
    for one in ["oneOf", "anyOf"] {
        let first = schema.get(one).and_then(Value::as_array).and_then(|it| it.first());
        if let Some(first) = first {
            return value(first, depth, n_left);
        }
    }
    match type_of(schema) {
        "object" => object(schema, depth, n_left),
        "array" => match schema.get("items") {
            Some(items) => Value::Array(vec![value(items, depth, n_left)]),
            None => json!([]),
        },
        "string" => text(schema).into(),
        "integer" => schema.get("minimum").and_then(Value::as_i64).unwrap_or(0).into(),
        "number" => schema.get("minimum").filter(|it| it.is_number()).cloned().unwrap_or(json!(0)),
        "boolean" => Value::Bool(true),
        _ => Value::Null,
    }
}

/// A value that the schema itself brings.
fn given(schema: &Value) -> Option<&Value> {
    let first = |name: &str| schema.get(name).and_then(Value::as_array).and_then(|it| it.first());
    schema
        .get("example")
        .or_else(|| first("examples"))
        .or_else(|| schema.get("default"))
        .or_else(|| schema.get("const"))
        .or_else(|| first("enum"))
}

fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|it| *it != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "null",
    }
}

fn object(schema: &Value, depth: usize, n_left: &mut usize) -> Value {
    let mut sample = Map::new();
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            if *n_left == 0 {
                break;
            }
            sample.insert(name.clone(), value(property, depth, n_left));
        }
    }
    Value::Object(sample)
}

fn merged(schema: &Value, all: &[Value], depth: usize, n_left: &mut usize) -> Value {
    let mut sample = Map::new();
    for part in all {
        match value(part, depth, n_left) {
            Value::Object(members) => sample.extend(members),
            Value::Null => {}
            other => return other,
        }
    }
    if let Value::Object(members) = object(schema, depth, n_left) {
        sample.extend(members);
    }
    Value::Object(sample)
}

fn text(schema: &Value) -> &'static str {
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2024-01-01T00:00:00Z",
        Some("date") => "2024-01-01",
        Some("time") => "00:00:00Z",
        Some("uuid") => "00000000-0000-0000-0000-000000000000",
        Some("email") => "user@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("byte" | "binary") => "",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_follows_the_schema() {
        for (schema, sample) in [
            (json!({"type": "string"}), json!("string")),
            (json!({"type": "string", "format": "date"}), json!("2024-01-01")),
            (json!({"type": ["null", "integer"], "minimum": 3}), json!(3)),
            (json!({"type": "number"}), json!(0)),
            (json!({"enum": ["b", "a"]}), json!("b")),
            (json!({"type": "string", "default": "d", "example": "e"}), json!("e")),
            (json!({"items": {"type": "boolean"}}), json!([true])),
            (
                json!({"properties": {"b": {"type": "integer"}, "a": {"type": "string"}}}),
                json!({"b": 0, "a": "string"}),
            ),
            (
                json!({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}),
                json!({"a": 1, "b": 2}),
            ),
            (json!({"oneOf": [{"type": "boolean"}, {"type": "string"}]}), json!(true)),
            (json!({}), Value::Null),
        ] {
            assert_eq!(of_schema(&schema), sample, "{schema}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let mut deep = json!({"type": "string"});
        for _ in 0..100 {
            deep = json!({"type": "array", "items": deep});
        }
        assert!(of_schema(&deep).to_string().len() < 100);

        let mut wide = json!({"type": "string"});
        for _ in 0..4 {
            let members: Map<String, Value> =
                (0..10).map(|i| (i.to_string(), wide.clone())).collect();
            wide = json!({"properties": members});
        }
        assert!(of_schema(&wide).to_string().len() < 100_000);
    }
}
