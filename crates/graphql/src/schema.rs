//! Schemas, from the schema definition language.
//!
//! Source: <https://spec.graphql.org/October2021/#sec-Type-System>

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use apollo_compiler::collections::HashMap;
use apollo_compiler::parser::Parser;
use apollo_compiler::schema::{ExtendedType, Implementers};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Name, Schema as Definitions};

use crate::limits::{MAX_FLAWS, MAX_SCHEMA_BYTES, MAX_SCHEMA_TOKENS, MAX_SYNTAX_DEPTH};

/// A schema that holds together.
#[derive(Clone)]
pub struct Schema(Arc<Inner>);

struct Inner {
    definitions: Valid<Definitions>,
    implementers: HashMap<Name, Implementers>,
}

/// Why a text is no schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub message: String,
    /// The bytes of the text that are concerned.
    pub span: Range<usize>,
}

/// Why a field cannot have a resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownField {
    /// No type has the name; the names that there are.
    Type(Vec<String>),
    /// The type has fields but none of that name; the names that there are.
    Field(Vec<String>),
    /// The type is none that is executed: an interface, an input, a scalar.
    NoObject,
}

impl Schema {
    /// Reads and checks a schema.
    ///
    /// # Errors
    ///
    /// What is wrong with it, the first 20 flaws; among them a text over 4 MiB.
    pub fn parse(text: &str) -> Result<Schema, Vec<Flaw>> {
        if text.len() > MAX_SCHEMA_BYTES {
            let message = format!("the schema is longer than {MAX_SCHEMA_BYTES} bytes");
            return Err(vec![Flaw { message, span: 0..0 }]);
        }
        let mut parser =
            Parser::new().recursion_limit(MAX_SYNTAX_DEPTH).token_limit(MAX_SCHEMA_TOKENS);
        let parsed = parser.parse_schema(text, "schema").map_err(|it| flaws(&it.errors))?;
        let definitions = parsed.validate().map_err(|it| flaws(&it.errors))?;
        let implementers = definitions.implementers_map();
        Ok(Schema(Arc::new(Inner { definitions, implementers })))
    }

    pub(crate) fn definitions(&self) -> &Valid<Definitions> {
        &self.0.definitions
    }

    pub(crate) fn implementers(&self) -> &HashMap<Name, Implementers> {
        &self.0.implementers
    }

    /// The fields that clients can subscribe to.
    #[must_use]
    pub fn subscription_fields(&self) -> Vec<String> {
        let root = self.definitions().root_operation(OperationType::Subscription);
        match root.and_then(|it| self.definitions().types.get(it)) {
            Some(ExtendedType::Object(it)) => it.fields.keys().map(Name::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a type is the one whose fields a subscription selects.
    #[must_use]
    pub fn is_subscription_type(&self, name: &str) -> bool {
        self.definitions()
            .root_operation(OperationType::Subscription)
            .is_some_and(|it| it.as_str() == name)
    }

    /// Whether a field may have a resolver: its type is an object type and has it.
    ///
    /// # Errors
    ///
    /// Why it may not, with the names that there are, for suggestions.
    pub fn find_field(&self, type_name: &str, field: &str) -> Result<(), UnknownField> {
        let types = &self.definitions().types;
        match types.get(type_name) {
            None => {
                let objects = types.iter().filter(|(_, it)| it.is_object() && !it.is_built_in());
                Err(UnknownField::Type(objects.map(|(name, _)| name.to_string()).collect()))
            }
            Some(ExtendedType::Object(it)) if it.fields.contains_key(field) => Ok(()),
            Some(ExtendedType::Object(it)) => {
                Err(UnknownField::Field(it.fields.keys().map(Name::to_string).collect()))
            }
            Some(_) => Err(UnknownField::NoObject),
        }
    }

    /// The object types that a value of a type may have.
    pub(crate) fn possible_types<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        match self.definitions().types.get(name) {
            Some(ExtendedType::Object(it)) => vec![it.name.as_str()],
            Some(ExtendedType::Union(it)) => it.members.iter().map(|it| it.as_str()).collect(),
            Some(ExtendedType::Interface(it)) => self
                .implementers()
                .get(&it.name)
                .map(|it| it.objects.iter().map(Name::as_str).collect())
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({} types)", self.definitions().types.len())
    }
}

fn flaws(errors: &DiagnosticList) -> Vec<Flaw> {
    let flaw = |it: apollo_compiler::diagnostic::Diagnostic<'_, _>| -> Flaw {
        let it: &apollo_compiler::validation::DiagnosticData = it.error;
        let span = location(it).map_or(0..0, |it| it.offset()..it.end_offset());
        Flaw { message: it.to_string(), span }
    };
    errors.iter().take(MAX_FLAWS).map(flaw).collect()
}

fn location(
    it: &apollo_compiler::validation::DiagnosticData,
) -> Option<apollo_compiler::parser::SourceSpan> {
    use apollo_compiler::diagnostic::ToCliReport as _;
    it.location()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "interface Node { id: ID } \
        type User implements Node { id: ID name: String } type Robot implements Node { id: ID } \
        union Any = User | Robot input In { a: Int } \
        type Query { node: Node any(in: In): Any } type Subscription { made: User }";

    fn names(types: &[&str]) -> Vec<String> {
        types.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn what_does_not_hold_together_is_told_with_its_place() {
        let text = "type Query { a: Nothing }";
        let flaws = Schema::parse(text).unwrap_err();
        assert_eq!(flaws.len(), 1, "{flaws:?}");
        assert_eq!(&text[flaws[0].span.clone()], "Nothing");
        assert!(flaws[0].message.contains("Nothing"), "{flaws:?}");
        for text in ["", "type Query {", "query { a }", "type A { b: Int }"] {
            assert!(Schema::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn long_and_deep_texts_are_no_schemas() {
        let long = format!("type Query {{ a: Int }} #{}", "x".repeat(MAX_SCHEMA_BYTES));
        assert!(Schema::parse(&long).unwrap_err()[0].message.contains("longer than"));
        let deep = format!("type Query {{ a: {}Int{} }}", "[".repeat(400), "]".repeat(400));
        assert!(Schema::parse(&deep).is_err());
        let many = format!("type Query {{ {} }}", "a(b: Zzz): Int ".repeat(100));
        assert_eq!(Schema::parse(&many).unwrap_err().len(), MAX_FLAWS);
    }

    #[test]
    fn fields_that_may_have_a_resolver_are_those_of_object_types() {
        let schema = Schema::parse(SDL).unwrap();
        assert_eq!(schema.find_field("User", "name"), Ok(()));
        assert_eq!(schema.find_field("Node", "id"), Err(UnknownField::NoObject));
        assert_eq!(
            schema.find_field("User", "nmae"),
            Err(UnknownField::Field(names(&["id", "name"])))
        );
        assert_eq!(
            schema.find_field("Usr", "id"),
            Err(UnknownField::Type(names(&["User", "Robot", "Query", "Subscription"])))
        );
        assert!(schema.is_subscription_type("Subscription"));
        assert_eq!(schema.subscription_fields(), ["made"]);
        assert!(!schema.is_subscription_type("Query"));
    }

    #[test]
    fn the_possible_types_of_interfaces_and_unions_are_known() {
        let schema = Schema::parse(SDL).unwrap();
        assert_eq!(schema.possible_types("User"), ["User"]);
        assert_eq!(schema.possible_types("Any"), ["User", "Robot"]);
        let mut nodes = schema.possible_types("Node");
        nodes.sort_unstable();
        assert_eq!(nodes, ["Robot", "User"]);
        assert_eq!(schema.possible_types("Int"), [""; 0]);
    }
}
