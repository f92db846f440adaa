//! JSON Schema and OpenAPI's dialects of it: compiled once, then checked within bounds.
//!
//! ```text
//! specification or schema ─adapt─▶ Source ─compile (JSON pointer)─▶ Schema ─check─▶ Violations
//! ```
//!
//! Start with [`Source::new`]. OpenAPI 2 and 3.0 are rewritten to what JSON Schema 2020-12 says
//! (`nullable`, boolean `exclusiveMinimum`, siblings of `$ref`), and so is what the caller wants
//! changed ([`Adjust`]). Nothing is ever fetched: a reference to another file is a problem.
//!
//! This crate knows nothing of operations, policies or messages.

mod adapt;
mod place;
mod repeated;

use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Registry, Resource, Retrieve, Uri, Validator};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

pub use place::position;
pub use repeated::repeated_member;

/// Most violations that one check tells of.
pub const MAX_VIOLATIONS: usize = 20;
/// Most characters of one violation's text.
const MAX_TEXT_CHARS: usize = 400;
/// How far a pattern may go back before it counts as not matched.
const MAX_BACKTRACKS: usize = 100_000;

/// Where schemas are read from inside of a registry.
const HOME: &str = "urn:portcullis:schemas";

/// What may not stand in the fragment of a URI (RFC 3986, section 3.5).
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The language that schemas are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAPI 2 (Swagger).
    OpenApi2,
    /// OpenAPI 3.0.
    #[default]
    OpenApi30,
    /// OpenAPI 3.1: JSON Schema 2020-12.
    OpenApi31,
    /// The draft that `$schema` names, else draft 7.
    JsonSchema,
}

/// Who sends what is checked: OpenAPI's `readOnly` members need not be in requests, `writeOnly`
/// ones not in responses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The client.
    #[default]
    Request,
    /// The backend.
    Response,
}

/// What is changed about the schemas before they count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Adjust {
    /// Who sends what is checked.
    pub direction: Direction,
    /// Whether members that the schema does not name are allowed; `None`: as the schema says.
    pub additional_properties: Option<bool>,
    /// Whether the names of members compare without case.
    pub ignore_case: bool,
}

/// Why schemas cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// Schemas of one document, ready to compile.
#[derive(Debug)]
pub struct Source {
    registry: Registry<'static>,
    draft: Draft,
    ignore_case: bool,
}

/// A compiled schema.
#[derive(Clone, Debug)]
pub struct Schema {
    validator: Arc<Validator>,
    ignore_case: bool,
}

/// One way in which a value breaks its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong, in words. It names members and does not show values, which may be secret.
    pub message: String,
    /// The place in the value as a JSON pointer (RFC 6901); empty for the whole.
    pub path: String,
}

/// Refuses to fetch anything.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("`{uri}` lies outside of the document").into())
    }
}

impl Source {
    /// The schemas of a document.
    ///
    /// # Errors
    ///
    /// The document names an unknown draft, or refers to others.
    pub fn new(document: &Value, dialect: Dialect, adjust: Adjust) -> Result<Source, Unusable> {
        let draft = match dialect {
            Dialect::JsonSchema => draft_of(document)?,
            Dialect::OpenApi2 | Dialect::OpenApi30 | Dialect::OpenApi31 => Draft::Draft202012,
        };
        let document = adapt::adapt(document, dialect, adjust);
        let registry = Registry::new()
            .draft(draft)
            .retriever(Nothing)
            .add(HOME, Resource::from_contents(document))
            .and_then(|it| it.prepare())
            .map_err(|error| Unusable(error.to_string()))?;
        Ok(Source { registry, draft, ignore_case: adjust.ignore_case })
    }

    /// Compiles the schema that a JSON pointer (RFC 6901) leads to; the empty one leads to the
    /// document itself.
    ///
    /// # Errors
    ///
    /// There is no schema, or it or one that it refers to is none.
    pub fn compile(&self, pointer: &str) -> Result<Schema, Unusable> {
        let fragment = utf8_percent_encode(pointer, FRAGMENT);
        let schema = json!({ "$ref": format!("{HOME}#{fragment}") });
        let patterns = PatternOptions::fancy_regex().backtrack_limit(MAX_BACKTRACKS);
        let validator = jsonschema::options()
            .with_draft(self.draft)
            .with_registry(&self.registry)
            .with_retriever(Nothing)
            .with_pattern_options(patterns)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .build(&schema)
            .map_err(|error| Unusable(shortened(&error.to_string())))?;
        Ok(Schema { validator: Arc::new(validator), ignore_case: self.ignore_case })
    }
}

impl Schema {
    /// What is wrong with a value: at most [`MAX_VIOLATIONS`].
    #[must_use]
    pub fn check(&self, value: &Value) -> Vec<Violation> {
        if self.ignore_case {
            let lower = adapt::lower_names(value);
            return self.violations(&lower);
        }
        self.violations(value)
    }

    fn violations(&self, value: &Value) -> Vec<Violation> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let violations: Vec<Violation> = self
            .validator
            .iter_errors(value)
            .take(MAX_VIOLATIONS)
            .map(|error| Violation {
                message: shortened(&error.masked_with("the value").to_string()),
                path: error.instance_path().as_str().to_owned(),
            })
            .collect();
        if violations.is_empty() {
            // The two ways of looking at a value must not disagree in its favour.
            let message = "the value does not conform to the schema".to_owned();
            return vec![Violation { message, path: String::new() }];
        }
        violations
    }
}

fn draft_of(document: &Value) -> Result<Draft, Unusable> {
    let Some(name) = document.get("$schema").and_then(Value::as_str) else {
        return Ok(Draft::Draft7);
    };
    let name = name.trim_end_matches('#').trim_start_matches("https://");
    let name = name.trim_start_matches("http://");
    match name {
        "json-schema.org/draft-04/schema" => Ok(Draft::Draft4),
        "json-schema.org/draft-06/schema" => Ok(Draft::Draft6),
        "json-schema.org/draft-07/schema" | "json-schema.org/schema" => Ok(Draft::Draft7),
        "json-schema.org/draft/2019-09/schema" => Ok(Draft::Draft201909),
        "json-schema.org/draft/2020-12/schema" => Ok(Draft::Draft202012),
        _ => Err(Unusable(format!("unknown `$schema`: `{}`", shortened(name)))),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: Value, value: Value) -> Vec<String> {
        let source = Source::new(&schema, Dialect::JsonSchema, Adjust::default()).unwrap();
        let found = source.compile("").unwrap().check(&value);
        found.into_iter().map(|it| format!("{} {}", it.path, it.message)).collect()
    }

    #[test]
    fn violations_say_what_and_where() {
        let schema = json!({"type": "object", "required": ["b"],
            "properties": {"a": {"items": {"type": "integer"}}}});
        assert_eq!(check(schema.clone(), json!({"b": 1, "a": [1]})), [""; 0]);
        assert_eq!(
            check(schema, json!({"a": [1, "x"]})),
            [" \"b\" is a required property", "/a/1 the value is not of type \"integer\""]
        );
    }

    #[test]
    fn numbers_are_compared_exactly() {
        assert_eq!(check(json!({"type": "integer"}), json!(12345678901234567890_u64)).len(), 0);
        let exact: Value = serde_json::from_str("0.1").unwrap();
        assert_eq!(check(json!({"multipleOf": 0.1}), exact).len(), 0);
        assert_eq!(check(json!({"type": "integer"}), json!(1.5)).len(), 1);
    }

    #[test]
    fn schemas_are_found_by_pointer_and_refer_to_others_of_the_document() {
        let document = json!({
            "paths": {"/a/{id}": {"get": {"schema": {"$ref": "#/components/schemas/Node"}}}},
            "components": {"schemas": {"Node": {"type": "object", "required": ["name"],
                "properties": {"next": {"$ref": "#/components/schemas/Node"}}}}}
        });
        let source = Source::new(&document, Dialect::OpenApi30, Adjust::default()).unwrap();
        let schema = source.compile("/paths/~1a~1{id}/get/schema").unwrap();
        assert!(schema.check(&json!({"name": "x", "next": {"name": "y"}})).is_empty());
        assert_eq!(schema.check(&json!({"name": "x", "next": {}}))[0].path, "/next");
        assert!(source.compile("/paths/nothing").is_err());
    }

    #[test]
    fn what_lies_elsewhere_is_not_fetched() {
        let outside = json!({"$ref": "https://example.invalid/schema.json"});
        let source = Source::new(&outside, Dialect::JsonSchema, Adjust::default());
        assert!(source.and_then(|it| it.compile("")).is_err());
        let unknown = json!({"$schema": "https://example.invalid/own"});
        assert!(Source::new(&unknown, Dialect::JsonSchema, Adjust::default()).is_err());
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for schema in [json!({"type": 1}), json!({"pattern": "("}), json!({"required": "a"})] {
            let source = Source::new(&schema, Dialect::JsonSchema, Adjust::default()).unwrap();
            assert!(source.compile("").is_err(), "{schema}");
        }
    }

    #[test]
    fn the_draft_is_the_one_that_is_named() {
        let old = json!({"$schema": "http://json-schema.org/draft-04/schema#",
            "minimum": 3, "exclusiveMinimum": true});
        assert_eq!(check(old, json!(3)).len(), 1);
        let new = json!({"$schema": "https://json-schema.org/draft/2020-12/schema",
            "dependentRequired": {"a": ["b"]}});
        assert_eq!(check(new, json!({"a": 1})).len(), 1);
    }

    #[test]
    fn the_number_and_length_of_violations_are_bounded() {
        let items: Vec<Value> = (0..100).map(|_| json!("x".repeat(1000))).collect();
        let found = check(json!({"items": {"type": "integer"}}), Value::Array(items));
        assert_eq!(found.len(), MAX_VIOLATIONS);
        assert!(found.iter().all(|it| it.chars().count() < MAX_TEXT_CHARS + 20));
    }

    #[test]
    fn a_pattern_that_goes_back_too_far_does_not_match() {
        let schema = json!({"pattern": "^(?:(a+)+)\\1b$"});
        assert_eq!(check(schema, json!("a".repeat(64))).len(), 1);
    }
}
