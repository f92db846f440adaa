//! Schemas of an OpenAPI document as plain JSON Schema that stands by itself.
//!
//! References become `#/$defs/...`, so that schemas which contain themselves stay finite. What
//! OpenAPI 3.0 writes in its own way (`nullable`, `exclusiveMinimum: true`) is written as JSON Schema
//! has it, and what means nothing there is left out.
//!
//! Source: <https://spec.openapis.org/oas/v3.0.4#schema-object>

use std::collections::HashMap;

use pipeline::{Location, OpenApi, Parameter, Specification};
use serde_json::{Map, Value, json};

/// How deep schemas may be nested.
const MAX_DEPTH: usize = 32;

/// Most nodes of the schemas of a tool.
const MAX_NODES: usize = 5_000;

/// Keys that mean nothing in JSON Schema.
const LEFT_OUT: [&str; 5] = ["xml", "externalDocs", "example", "discriminator", "nullable"];

/// Keys whose value is a map of schemas.
const MAPS: [&str; 4] = ["properties", "patternProperties", "definitions", "$defs"];

/// Keys whose value is a schema or a list of schemas.
const SCHEMAS: [&str; 12] = [
    "items",
    "prefixItems",
    "additionalProperties",
    "not",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
];

/// Collects the definitions that the schemas of a tool need.
#[derive(Debug)]
pub(super) struct Portable<'a> {
    document: &'a Value,
    version: OpenApi,
    /// Names by pointer.
    names: HashMap<String, String>,
    definitions: Map<String, Value>,
    n_nodes: usize,
}

impl<'a> Portable<'a> {
    pub(super) fn new(specification: Option<&'a Specification>) -> Portable<'a> {
        Portable {
            document: specification.map_or(&Value::Null, |it| &it.document),
            version: specification.map_or(OpenApi::default(), |it| it.version),
            names: HashMap::new(),
            definitions: Map::new(),
            n_nodes: 0,
        }
    }

    pub(super) fn into_definitions(self) -> Map<String, Value> {
        self.definitions
    }

    /// The schema at a pointer; `{}`, which allows anything, if there is none.
    pub(super) fn schema(&mut self, pointer: &str) -> Value {
        let document = self.document;
        document.pointer(pointer).map_or_else(|| json!({}), |it| self.value(it, 0))
    }

    /// The schema of a parameter, with its description.
    pub(super) fn parameter(&mut self, parameter: &Parameter, default: Option<&str>) -> Value {
        let definition = parameter.definition.as_deref();
        let mut shape = match definition {
            Some(pointer) => self.schema(pointer),
            None => json!({}),
        };
        // The description stands beside the schema; in OpenAPI 2 the parameter is the schema.
        let around = definition.and_then(|it| it.strip_suffix("/schema"));
        let around = around.and_then(|it| self.document.pointer(it));
        let description = around.and_then(|it| it.get("description")).cloned();
        let Some(members) = shape.as_object_mut() else { return json!({ "type": "string" }) };
        if self.version == OpenApi::V2 {
            for key in ["name", "in", "required", "collectionFormat", "allowEmptyValue"] {
                members.shift_remove(key);
            }
        }
        let says_nothing = ["type", "$ref", "enum", "anyOf", "oneOf", "allOf", "const"]
            .iter()
            .all(|it| !members.contains_key(*it));
        if says_nothing && parameter.location != Location::Query {
            members.insert("type".to_owned(), json!("string"));
        } else if says_nothing {
            members.insert("type".to_owned(), json!(["string", "number", "boolean"]));
        }
        if let Some(description) = description {
            members.entry("description").or_insert(description);
        }
        if let Some(default) = default {
            members.entry("default").or_insert(json!(default));
        }
        shape
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        self.n_nodes += 1;
        if depth > MAX_DEPTH || self.n_nodes > MAX_NODES {
            return json!({});
        }
        let Value::Object(members) = schema else { return schema.clone() };
        let mut made = Map::new();
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            let Some(name) = self.definition(reference, depth) else { return json!({}) };
            made.insert("$ref".to_owned(), json!(format!("#/$defs/{name}")));
            if self.version != OpenApi::V31 {
                return Value::Object(made);
            }
        }
        for (key, value) in members {
            let is_ours = key.starts_with("x-") || LEFT_OUT.contains(&key.as_str());
            if is_ours || key == "$ref" {
                continue;
            }
            let value = match (key.as_str(), value) {
                (key, Value::Object(map)) if MAPS.contains(&key) => {
                    map.iter().map(|(name, it)| (name.clone(), self.value(it, depth + 1))).collect()
                }
                (key, Value::Array(items)) if SCHEMAS.contains(&key) => {
                    items.iter().map(|it| self.value(it, depth + 1)).collect()
                }
                (key, value) if SCHEMAS.contains(&key) => self.value(value, depth + 1),
                ("type", Value::String(it)) if it == "file" => json!("string"),
                (_, value) => {
                    self.n_nodes += 1;
                    value.clone()
                }
            };
            made.insert(key.clone(), value);
        }
        if self.version != OpenApi::V31 {
            limits(&mut made);
        }
        if members.get("nullable") == Some(&Value::Bool(true)) {
            nullable(&mut made);
        }
        Value::Object(made)
    }

    /// The name of the definition that a reference leads to.
    fn definition(&mut self, reference: &str, depth: usize) -> Option<String> {
        let pointer = reference.strip_prefix('#')?;
        if let Some(name) = self.names.get(pointer) {
            return Some(name.clone());
        }
        let document = self.document;
        let target = document.pointer(pointer)?;
        let last = pointer.rsplit('/').next().unwrap_or_default();
        let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
        let own: String = last.chars().map(|it| if fits(it) { it } else { '_' }).collect();
        let mut candidates =
            std::iter::once(own.clone()).chain((2..).map(|n| format!("{own}_{n}")));
        let name = candidates.find(|it| !self.definitions.contains_key(it))?;
        self.names.insert(pointer.to_owned(), name.clone());
        // It has its place before it is read: it may contain itself.
        self.definitions.insert(name.clone(), json!({}));
        let made = self.value(target, depth + 1);
        self.definitions.insert(name.clone(), made);
        Some(name)
    }
}

/// `exclusiveMinimum: true` beside `minimum` is `exclusiveMinimum` itself.
fn limits(made: &mut Map<String, Value>) {
    for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        match made.get(exclusive) {
            Some(Value::Bool(true)) => {
                made.shift_remove(exclusive);
                if let Some(limit) = made.shift_remove(limit) {
                    made.insert(exclusive.to_owned(), limit);
                }
            }
            Some(Value::Bool(false)) => {
                made.shift_remove(exclusive);
            }
            _ => {}
        }
    }
}

/// `nullable: true` allows null.
fn nullable(made: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = made.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(Value::String(kind)) = made.get("type") {
        let kind = json!([kind, "null"]);
        made.insert("type".to_owned(), kind);
    } else if let Some(all) = made.shift_remove("allOf") {
        let own = std::mem::take(made);
        made.insert("anyOf".to_owned(), json!([{ "allOf": all }, { "type": "null" }]));
        made.extend(own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(version: OpenApi, document: Value, pointer: &str) -> (Value, Value) {
        let specification = Specification::new(version, document);
        let mut portable = Portable::new(Some(&specification));
        let schema = portable.schema(pointer);
        (schema, Value::Object(portable.into_definitions()))
    }

    #[test]
    fn references_become_definitions_even_if_they_go_round() {
        let document = json!({ "components": { "schemas": {
            "Node": { "type": "object", "properties": {
                "next": { "$ref": "#/components/schemas/Node" },
                "owner": { "$ref": "#/components/schemas/a b" },
            } },
            "a b": { "type": "string", "x-mcp-header": "X", "example": "e" },
        } } });
        let (schema, definitions) =
            made(OpenApi::V30, document, "/components/schemas/Node/properties/next");
        assert_eq!(schema, json!({ "$ref": "#/$defs/Node" }));
        assert_eq!(definitions["Node"]["properties"]["next"], json!({ "$ref": "#/$defs/Node" }));
        assert_eq!(definitions["a_b"], json!({ "type": "string" }));
    }

    #[test]
    fn openapi_3_0_is_written_as_json_schema() {
        let document = json!({ "s": {
            "type": "object",
            "properties": {
                "example": { "type": "string", "nullable": true, "enum": ["a"] },
                "n": { "type": "integer", "minimum": 1, "exclusiveMinimum": true },
                "o": { "nullable": true, "allOf": [{ "$ref": "#/t" }] },
            },
            "additionalProperties": false,
        }, "t": { "type": "object" } });
        let (schema, _) = made(OpenApi::V30, document, "/s");
        let properties = &schema["properties"];
        assert_eq!(
            properties["example"],
            json!({ "type": ["string", "null"], "enum": ["a", null] })
        );
        assert_eq!(properties["n"], json!({ "type": "integer", "exclusiveMinimum": 1 }));
        assert_eq!(
            properties["o"],
            json!({ "anyOf": [{ "allOf": [{ "$ref": "#/$defs/t" }] }, { "type": "null" }] })
        );
        assert_eq!(schema["additionalProperties"], false);
    }

    #[test]
    fn a_parameter_has_its_description_and_its_default() {
        let document = json!({ "p": { "description": "Which.", "schema": { "type": "integer" } } });
        let specification = Specification::new(OpenApi::V30, document);
        let mut portable = Portable::new(Some(&specification));
        let parameter = |definition: Option<&str>| Parameter {
            definition: definition.map(str::to_owned),
            ..Parameter::default()
        };
        assert_eq!(
            portable.parameter(&parameter(Some("/p/schema")), Some("1")),
            json!({ "type": "integer", "description": "Which.", "default": "1" })
        );
        assert_eq!(portable.parameter(&parameter(None), None), json!({ "type": "string" }));
    }

    #[test]
    fn a_parameter_of_version_two_is_its_own_schema() {
        let document = json!({ "p": { "name": "n", "in": "query", "required": true,
            "type": "array", "items": { "type": "string" }, "collectionFormat": "multi",
            "description": "Which." } });
        let specification = Specification::new(OpenApi::V2, document);
        let parameter = Parameter { definition: Some("/p".to_owned()), ..Parameter::default() };
        assert_eq!(
            Portable::new(Some(&specification)).parameter(&parameter, None),
            json!({ "type": "array", "items": { "type": "string" }, "description": "Which." })
        );
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let mut deep = json!({});
        for _ in 0..2 * MAX_DEPTH {
            deep = json!({ "items": deep });
        }
        let (schema, _) = made(OpenApi::V31, json!({ "s": deep }), "/s");
        assert!(schema.to_string().matches("items").count() <= MAX_DEPTH + 1);
        let wide: Map<String, Value> =
            (0..2 * MAX_NODES).map(|n| (n.to_string(), json!({ "type": "string" }))).collect();
        let (schema, _) = made(OpenApi::V31, json!({ "s": { "properties": wide } }), "/s");
        assert!(schema.to_string().matches("string").count() <= MAX_NODES);
        assert_eq!(made(OpenApi::V31, json!({}), "/nowhere").0, json!({}));
    }
}
