//! Rewrites schemas to what JSON Schema says, and to what the caller wants changed.
//!
//! The rewriting goes over the whole document: it looks at keywords, not at where schemas stand,
//! so examples and defaults are left out of it.
//!
//! Source: <https://spec.openapis.org/oas/v3.0.4#schema-object>

use serde_json::{Map, Value, json};

use crate::{Adjust, Dialect, Direction};

/// Members whose content is data, not schema.
const DATA: &[&str] = &["example", "examples", "default", "enum", "const"];
/// Members that hold schemas by name.
const BY_NAME: &[&str] =
    &["properties", "patternProperties", "definitions", "$defs", "schemas", "dependentSchemas"];
/// Keywords that put schemas together.
const COMPOSED: &[&str] = &["allOf", "anyOf", "oneOf", "if", "$ref"];

pub(crate) fn adapt(document: &Value, dialect: Dialect, adjust: Adjust) -> Value {
    Adapter { dialect, adjust }.value(document, Part::Whole)
}

/// What a value is to the schema around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A schema of its own.
    Whole,
    /// One of several that a value must fit together.
    Composed,
    /// Schemas by name: the names are no keywords.
    Names { are_members: bool },
}

struct Adapter {
    dialect: Dialect,
    adjust: Adjust,
}

impl Adapter {
    fn is_old(&self) -> bool {
        matches!(self.dialect, Dialect::OpenApi2 | Dialect::OpenApi30)
    }

    fn value(&self, value: &Value, part: Part) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|it| self.value(it, part)).collect(),
            Value::Object(members) => match part {
                Part::Names { are_members } => self.names(members, are_members),
                Part::Whole | Part::Composed => self.schema(members, part),
            },
            other => other.clone(),
        }
    }

    /// Schemas by name; the names of members may be compared without case.
    fn names(&self, members: &Map<String, Value>, are_members: bool) -> Value {
        let ignore_case = self.adjust.ignore_case && are_members;
        let name = |name: &String| if ignore_case { name.to_lowercase() } else { name.clone() };
        members.iter().map(|(key, it)| (name(key), self.value(it, Part::Whole))).collect()
    }

    fn schema(&self, members: &Map<String, Value>, part: Part) -> Value {
        if self.is_old() && members.get("$ref").is_some_and(Value::is_string) {
            // What stands beside a reference does not count there.
            return members.iter().filter(|(key, _)| *key == "$ref").map(owned).collect();
        }
        let mut adapted = Map::new();
        for (key, value) in members {
            let part = match key.as_str() {
                key if DATA.contains(&key) => {
                    adapted.insert(key.to_owned(), self.data(key, value));
                    continue;
                }
                "properties" => Part::Names { are_members: true },
                key if BY_NAME.contains(&key) => Part::Names { are_members: false },
                "allOf" | "anyOf" | "oneOf" | "if" | "then" | "else" => Part::Composed,
                _ => Part::Whole,
            };
            adapted.insert(key.clone(), self.value(value, part));
        }
        self.required(members, &mut adapted);
        self.additional(members, &mut adapted, part);
        if self.is_old() { modernised(adapted) } else { Value::Object(adapted) }
    }

    fn data(&self, key: &str, value: &Value) -> Value {
        let is_compared = key == "enum" || key == "const";
        if is_compared && self.adjust.ignore_case { lower_names(value) } else { value.clone() }
    }

    /// Takes out what the other side alone has to send.
    fn required(&self, members: &Map<String, Value>, adapted: &mut Map<String, Value>) {
        let Some(required) = members.get("required").and_then(Value::as_array) else {
            // OpenAPI 2 describes parameters by schemas that say `required: true` of themselves.
            if self.is_old() && members.get("required").is_some_and(Value::is_boolean) {
                adapted.remove("required");
            }
            return;
        };
        let mark = match self.adjust.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let is_foreign = |name: &str| {
            let property = members.get("properties").and_then(|it| it.get(name));
            property.and_then(|it| it.get(mark)) == Some(&Value::Bool(true))
        };
        let is_openapi = self.dialect != Dialect::JsonSchema;
        let names = required
            .iter()
            .filter(|it| !(is_openapi && it.as_str().is_some_and(is_foreign)))
            .map(|it| match it.as_str() {
                Some(name) if self.adjust.ignore_case => Value::from(name.to_lowercase()),
                _ => it.clone(),
            });
        let names: Vec<Value> = names.collect();
        // Draft 4 does not allow an empty list.
        match names.is_empty() {
            true => adapted.remove("required"),
            false => adapted.insert("required".to_owned(), names.into()),
        };
    }

    /// Says whether members without a name in the schema are allowed, if the caller does.
    fn additional(
        &self,
        members: &Map<String, Value>,
        adapted: &mut Map<String, Value>,
        part: Part,
    ) {
        let Some(are_allowed) = self.adjust.additional_properties else { return };
        let is_object = members.get("type").is_some_and(|it| it == "object")
            || members.get("properties").is_some_and(Value::is_object);
        if are_allowed {
            if members.get("additionalProperties") == Some(&Value::Bool(false)) {
                adapted.insert("additionalProperties".to_owned(), Value::Bool(true));
            }
            adapted.remove("unevaluatedProperties");
            return;
        }
        let is_composed = COMPOSED.iter().any(|it| members.contains_key(*it));
        let knows_unevaluated = self.dialect != Dialect::JsonSchema;
        match (part, is_composed && knows_unevaluated) {
            // The schema that is put together from this one says it.
            (Part::Composed, _) if knows_unevaluated => {
                adapted.remove("additionalProperties");
            }
            (_, true) if is_object || members.contains_key("allOf") => {
                adapted.remove("additionalProperties");
                adapted.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
            (_, false) if is_object => {
                adapted.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            _ => {}
        }
    }
}

/// OpenAPI 2 and 3.0 to JSON Schema 2020-12.
fn modernised(mut schema: Map<String, Value>) -> Value {
    for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        match schema.get(exclusive) {
            Some(Value::Bool(true)) => {
                match schema.remove(limit) {
                    Some(value) => schema.insert(exclusive.to_owned(), value),
                    None => schema.remove(exclusive),
                };
            }
            Some(Value::Bool(false)) => {
                schema.remove(exclusive);
            }
            _ => {}
        }
    }
    if schema.get("type").is_some_and(|it| it == "file") {
        schema.remove("type");
    }
    let is_nullable =
        ["nullable", "x-nullable"].iter().any(|it| schema.get(*it) == Some(&Value::Bool(true)));
    if !is_nullable {
        return Value::Object(schema);
    }
    schema.remove("nullable");
    schema.remove("x-nullable");
    json!({ "anyOf": [{ "type": "null" }, Value::Object(schema)] })
}

/// The value with the names of all members in lower case.
pub(crate) fn lower_names(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(lower_names).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, it)| (key.to_lowercase(), lower_names(it))).collect()
        }
        other => other.clone(),
    }
}

fn owned((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn violations(dialect: Dialect, adjust: Adjust, schema: &Value, value: &Value) -> usize {
        let source = Source::new(schema, dialect, adjust).unwrap();
        source.compile("/s").unwrap().check(value).len()
    }

    fn is_valid(schema: Value, value: Value) -> bool {
        let document = json!({ "s": schema, "text": {"type": "string"} });
        violations(Dialect::OpenApi30, Adjust::default(), &document, &value) == 0
    }

    #[test]
    fn openapi_says_some_things_in_its_own_way() {
        for (schema, value, valid) in [
            (json!({"type": "string", "nullable": true}), json!(null), true),
            (json!({"type": "string", "nullable": true}), json!(1), false),
            (json!({"type": "string"}), json!(null), false),
            (json!({"nullable": true, "allOf": [{"type": "string"}]}), json!(null), true),
            (json!({"enum": ["a"], "type": "string", "nullable": true}), json!(null), true),
            (json!({"minimum": 3, "exclusiveMinimum": true}), json!(3), false),
            (json!({"minimum": 3, "exclusiveMinimum": false}), json!(3), true),
            (json!({"exclusiveMaximum": true}), json!(3), true),
            (json!({"$ref": "#/text", "maxLength": 1}), json!("long"), true),
            (json!({"type": "string", "format": "date-time"}), json!("today"), false),
            (json!({"type": "string", "format": "password"}), json!("x"), true),
            (
                json!({"properties": {"nullable": {"type": "string"}}}),
                json!({"nullable": 1}),
                false,
            ),
            (json!({"required": true, "type": "string"}), json!("x"), true),
        ] {
            assert_eq!(is_valid(schema.clone(), value.clone()), valid, "{schema} {value}");
        }
    }

    #[test]
    fn members_of_the_other_side_need_not_be_sent() {
        let document = json!({"s": {"type": "object", "required": ["id", "secret"], "properties": {
            "id": {"type": "integer", "readOnly": true},
            "secret": {"type": "string", "writeOnly": true}}}});
        let n = |direction, value| {
            let adjust = Adjust { direction, ..Adjust::default() };
            violations(Dialect::OpenApi30, adjust, &document, &value)
        };
        assert_eq!(n(Direction::Request, json!({"secret": "x"})), 0);
        assert_eq!(n(Direction::Request, json!({"id": 1})), 1);
        assert_eq!(n(Direction::Response, json!({"id": 1})), 0);
        assert_eq!(n(Direction::Response, json!({})), 1);
    }

    #[test]
    fn additional_members_are_as_the_caller_says() {
        let open = json!({"type": "object", "properties": {"a": {"properties": {"b": {}}}}});
        let closed =
            json!({"type": "object", "additionalProperties": false, "properties": {"a": {}}});
        let both = json!({"allOf": [{"type": "object", "properties": {"a": {}}},
                                    {"type": "object", "properties": {"b": {}}}]});
        for dialect in [Dialect::OpenApi30, Dialect::OpenApi31, Dialect::JsonSchema] {
            let valid = |additional_properties, schema: &Value, value: Value| {
                let adjust = Adjust { additional_properties, ..Adjust::default() };
                violations(dialect, adjust, &json!({ "s": schema }), &value) == 0
            };
            assert!(valid(None, &open, json!({"x": 1})));
            assert!(!valid(Some(false), &open, json!({"x": 1})));
            assert!(!valid(Some(false), &open, json!({"a": {"x": 1}})));
            assert!(valid(Some(false), &open, json!({"a": {"b": 1}})));
            assert!(!valid(None, &closed, json!({"x": 1})));
            assert!(valid(Some(true), &closed, json!({"x": 1})));
            if dialect != Dialect::JsonSchema {
                assert!(valid(Some(false), &both, json!({"a": 1, "b": 2})));
                assert!(!valid(Some(false), &both, json!({"a": 1, "x": 2})));
            }
        }
    }

    #[test]
    fn names_can_be_compared_without_case() {
        let document = json!({"s": {"type": "object", "required": ["Id"],
            "additionalProperties": false, "properties": {"Id": {"enum": [{"A": 1}, "B"]}}}});
        let adjust = Adjust { ignore_case: true, ..Adjust::default() };
        let n = |value| violations(Dialect::OpenApi30, adjust, &document, &value);
        assert_eq!(n(json!({"iD": "B"})), 0);
        assert_eq!(n(json!({"ID": {"a": 1}})), 0);
        assert_eq!(n(json!({"id": "b"})), 1);
        assert_eq!(n(json!({"key": "B"})), 2);
    }

    proptest::proptest! {
        #[test]
        fn any_document_is_adapted_without_panic(text in "[{}\\[\\]\",:a-z$0-9]{0,40}") {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                adapt(&value, Dialect::OpenApi30, Adjust::default());
                lower_names(&value);
            }
        }
    }
}
