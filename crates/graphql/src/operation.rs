//! A request that was checked against a schema.
//!
//! Source: <https://spec.graphql.org/October2021/#sec-Validation>

use std::fmt;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast;
use apollo_compiler::executable::Operation as Definition;
use apollo_compiler::parser::Parser;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::{DiagnosticList, Valid};

use crate::error::Error;
use crate::limits::{Limits, MAX_FLAWS, MAX_SYNTAX_DEPTH};
use crate::measure::{Measure, measure};
use crate::request::Request;
use crate::schema::Schema;

/// An operation that fits its schema, with the values of its variables.
pub struct Operation {
    pub(crate) schema: Schema,
    pub(crate) document: Valid<ExecutableDocument>,
    pub(crate) name: Option<String>,
    pub(crate) variables: Valid<JsonMap>,
    pub(crate) measure: Measure,
}

impl Schema {
    /// Checks a request: syntax, validity, values of variables, size.
    ///
    /// # Errors
    ///
    /// The errors of the request, at most 20; nothing of it may be executed then.
    pub fn check(&self, request: &Request, limits: &Limits) -> Result<Operation, Vec<Error>> {
        let operation = self.check_any(request, limits)?;
        match operation.is_subscription() {
            true => Err(one("Subscriptions are WebSocket connections.", "OPERATION_NOT_SUPPORTED")),
            false => Ok(operation),
        }
    }

    /// The same for a request that came over WebSocket, which is for subscriptions only.
    ///
    /// # Errors
    ///
    /// See [`Schema::check`].
    ///
    /// Source: <https://learn.microsoft.com/azure/api-management/graphql-apis-overview>
    pub fn check_subscription(
        &self,
        request: &Request,
        limits: &Limits,
    ) -> Result<Operation, Vec<Error>> {
        let operation = self.check_any(request, limits)?;
        match operation.is_subscription() {
            true => Ok(operation),
            false => Err(vec![no_subscription()]),
        }
    }

    fn check_any(&self, request: &Request, limits: &Limits) -> Result<Operation, Vec<Error>> {
        let parsed = parse(request, limits)?;
        let document = parsed
            .to_executable_validate(self.definitions())
            .map_err(|it| errors(&it.errors, "GRAPHQL_VALIDATION_FAILED"))?;
        self.checked(document, request, limits)
    }

    fn checked(
        &self,
        document: Valid<ExecutableDocument>,
        request: &Request,
        limits: &Limits,
    ) -> Result<Operation, Vec<Error>> {
        let name = request.operation_name.as_deref();
        let found = document.operations.get(name);
        let definition =
            found.map_err(|it| one(it.message().to_string(), "OPERATION_NOT_FOUND"))?;
        let measure = measure(&document, &definition.selection_set);
        if measure.depth > limits.max_depth {
            let text = format!("The operation is deeper than {} fields.", limits.max_depth);
            return Err(one(text, "OPERATION_TOO_DEEP"));
        }
        if measure.n_fields > limits.max_fields {
            let text = format!("The operation selects more than {} fields.", limits.max_fields);
            return Err(one(text, "OPERATION_TOO_LARGE"));
        }
        if measure.n_selections > limits.max_selections {
            let most = limits.max_selections;
            let text = format!("The operation selects more than {most} fields and fragments.");
            return Err(one(text, "OPERATION_TOO_LARGE"));
        }
        apollo_compiler::introspection::check_max_depth(&document, definition)
            .map_err(|it| one(it.message().to_string(), "OPERATION_TOO_DEEP"))?;
        let given = crate::json::their_map(&request.variables);
        let variables =
            coerce_variable_values(self.definitions(), definition, &given).map_err(|it| {
                let error = Error::from_library(it.to_graphql_error(&document.sources));
                vec![error.code("BAD_USER_INPUT")]
            })?;
        let name = name.map(str::to_owned);
        Ok(Operation { schema: self.clone(), document, name, variables, measure })
    }
}

impl Operation {
    pub(crate) fn definition(&self) -> Option<&Definition> {
        self.document.operations.get(self.name.as_deref()).ok().map(|it| &**it)
    }

    /// Whether it changes something, so that its fields run one after the other.
    #[must_use]
    pub fn is_mutation(&self) -> bool {
        self.definition().is_some_and(Definition::is_mutation)
    }

    /// Whether it is told of events.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        self.definition().is_some_and(Definition::is_subscription)
    }

    /// The field of the root that it selects first; a subscription has one only.
    #[must_use]
    pub fn root_field(&self) -> Option<&str> {
        let mut fields = self.definition()?.root_fields(&self.document);
        fields.next().map(|it| it.name.as_str())
    }

    /// How deep its fields are nested, fragments spread; 1 for fields of the root.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.measure.depth
    }

    /// How many fields it selects, fragments spread.
    #[must_use]
    pub fn n_fields(&self) -> usize {
        self.measure.n_fields
    }
}

/// Leaves out document and variables, which may hold secrets.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Checks that a request, whose schema is not known, is a document and its operation a subscription.
///
/// # Errors
///
/// It is not.
pub fn check_unknown_subscription(request: &Request, limits: &Limits) -> Result<(), Vec<Error>> {
    let document = parse(request, limits)?;
    let name = request.operation_name.as_deref();
    let mut kinds = document.definitions.iter().filter_map(|it| match it {
        ast::Definition::OperationDefinition(it) => Some(it),
        _ => None,
    });
    let found = match name {
        Some(name) => kinds.find(|it| it.name.as_ref().is_some_and(|it| it == name)),
        None => kinds.next().filter(|_| kinds.next().is_none()),
    };
    match found {
        None => Err(one("The operation is not known.", "OPERATION_NOT_FOUND")),
        Some(it) if it.operation_type == ast::OperationType::Subscription => Ok(()),
        Some(_) => Err(vec![no_subscription()]),
    }
}

fn no_subscription() -> Error {
    let text = "Queries and mutations are not served over WebSocket.";
    Error::new(text).code("OPERATION_NOT_SUPPORTED")
}

fn parse(request: &Request, limits: &Limits) -> Result<ast::Document, Vec<Error>> {
    if request.query.len() > limits.max_document_bytes {
        let most = limits.max_document_bytes;
        return Err(one(
            format!("The document is longer than {most} bytes."),
            "DOCUMENT_TOO_LARGE",
        ));
    }
    let mut parser = Parser::new().recursion_limit(MAX_SYNTAX_DEPTH).token_limit(limits.max_tokens);
    parser
        .parse_ast(request.query.as_str(), "request")
        .map_err(|it| errors(&it.errors, "GRAPHQL_PARSE_FAILED"))
}

fn one(message: impl Into<String>, code: &str) -> Vec<Error> {
    vec![Error::new(message).code(code)]
}

fn errors(found: &DiagnosticList, code: &str) -> Vec<Error> {
    let error = |it: apollo_compiler::diagnostic::Diagnostic<'_, _>| {
        let it: apollo_compiler::diagnostic::Diagnostic<
            '_,
            apollo_compiler::validation::DiagnosticData,
        > = it;
        Error::from_library(it.to_json()).code(code)
    };
    found.iter().take(MAX_FLAWS).map(error).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SDL: &str = "type Query { a(b: Int!): Int q: Query } type Mutation { m: Int } \
        type Subscription { s: Int }";

    fn check(request: Request, limits: Limits) -> String {
        match Schema::parse(SDL).unwrap().check(&request, &limits) {
            Ok(it) => format!("{} {}", it.depth(), it.is_mutation()),
            Err(errors) => {
                let first = &errors[0];
                format!("{} {}", first.code.as_deref().unwrap(), first.message)
            }
        }
    }

    fn query(text: &str) -> Request {
        Request { query: text.to_owned(), ..Request::default() }
    }

    #[test]
    fn a_request_must_fit_the_schema() {
        for (text, expected) in [
            ("{ a(b: 1) }", "1 false"),
            ("mutation { m }", "1 true"),
            ("{ a", "GRAPHQL_PARSE_FAILED syntax error: expected R_CURLY, got EOF"),
            (
                "subscription { s }",
                "OPERATION_NOT_SUPPORTED Subscriptions are WebSocket connections.",
            ),
            (
                "query x { a(b: 1) } query y { a(b: 1) }",
                "OPERATION_NOT_FOUND Ambiguous request: multiple operations but no specified `operationName`",
            ),
        ] {
            assert_eq!(check(query(text), Limits::default()), expected, "{text}");
        }
        for text in
            ["{ nothing }", "{ a }", "{ a(b: \"x\") }", "{ ...f } fragment f on Query { ...f }"]
        {
            let told = check(query(text), Limits::default());
            assert!(told.starts_with("GRAPHQL_VALIDATION_FAILED "), "{text}: {told}");
        }
        assert!(check(query(""), Limits::default()).starts_with("GRAPHQL_PARSE_FAILED"));
    }

    #[test]
    fn over_websocket_only_subscriptions_are_served() {
        let schema = Schema::parse(SDL).unwrap();
        let limits = Limits { max_document_bytes: 200, ..Limits::default() };
        let told = |outcome: Result<String, Vec<Error>>| {
            outcome.unwrap_or_else(|it| it[0].code.clone().unwrap_or_default())
        };
        for (text, name, known, unknown) in [
            ("subscription { x: s }", None, "s", "fine"),
            ("subscription a { s } query b { a(b: 1) }", Some("a"), "s", "fine"),
            (
                "subscription a { s } query b { a(b: 1) }",
                Some("b"),
                "OPERATION_NOT_SUPPORTED",
                "OPERATION_NOT_SUPPORTED",
            ),
            (
                "subscription a { s } query b { a(b: 1) }",
                None,
                "OPERATION_NOT_FOUND",
                "OPERATION_NOT_FOUND",
            ),
            ("mutation { m }", None, "OPERATION_NOT_SUPPORTED", "OPERATION_NOT_SUPPORTED"),
            ("subscription { t }", None, "GRAPHQL_VALIDATION_FAILED", "fine"),
            ("fragment f on Query { a }", None, "GRAPHQL_VALIDATION_FAILED", "OPERATION_NOT_FOUND"),
            ("subscription { s", None, "GRAPHQL_PARSE_FAILED", "GRAPHQL_PARSE_FAILED"),
        ] {
            let request = Request { operation_name: name.map(str::to_owned), ..query(text) };
            let checked = schema.check_subscription(&request, &limits);
            let checked = checked.map(|it| it.root_field().unwrap_or_default().to_owned());
            assert_eq!(told(checked), known, "{text}");
            let checked = check_unknown_subscription(&request, &limits);
            assert_eq!(told(checked.map(|()| "fine".to_owned())), unknown, "{text}");
        }
        let long = query(&format!("subscription {{ s }} #{}", "x".repeat(200)));
        let checked = check_unknown_subscription(&long, &limits);
        assert_eq!(told(checked.map(|()| "fine".to_owned())), "DOCUMENT_TOO_LARGE");
    }

    #[test]
    fn an_error_knows_its_place() {
        let schema = Schema::parse(SDL).unwrap();
        let errors = schema.check(&query("{\n  nothing\n}"), &Limits::default()).unwrap_err();
        assert_eq!(errors[0].locations[0], crate::Location { line: 2, column: 3 });
        let many = format!("{{ {} }}", "nothing ".repeat(100));
        let errors = schema.check(&query(&many), &Limits::default()).unwrap_err();
        assert_eq!(errors.len(), MAX_FLAWS);
    }

    #[test]
    fn an_operation_is_chosen_by_its_name_and_variables_have_their_types() {
        let text = "query x($b: Int!) { a(b: $b) } mutation y { m }";
        let named = |name: &str, variables: serde_json::Value| Request {
            operation_name: Some(name.to_owned()),
            variables: variables.as_object().unwrap().clone(),
            ..query(text)
        };
        let limits = Limits::default();
        assert_eq!(check(named("y", json!({})), limits), "1 true");
        assert_eq!(check(named("x", json!({ "b": 7 })), limits), "1 false");
        assert!(check(named("z", json!({})), limits).starts_with("OPERATION_NOT_FOUND "));
        for variables in [json!({}), json!({ "b": null }), json!({ "b": "7" })] {
            assert!(check(named("x", variables), limits).starts_with("BAD_USER_INPUT "));
        }
    }

    #[test]
    fn size_is_bounded() {
        let limits =
            Limits { max_depth: 2, max_fields: 4, max_document_bytes: 100, ..Limits::default() };
        assert_eq!(check(query("{ q { a(b: 1) } }"), limits), "2 false");
        assert_eq!(
            check(query("{ q { q { a(b: 1) } } }"), limits),
            "OPERATION_TOO_DEEP The operation is deeper than 2 fields."
        );
        assert_eq!(
            check(query("{ q { x: a(b: 1) y: a(b: 1) z: a(b: 1) a(b: 1) } }"), limits),
            "OPERATION_TOO_LARGE The operation selects more than 4 fields."
        );
        assert_eq!(
            check(query(&format!("{{ q }} #{}", "x".repeat(100))), limits),
            "DOCUMENT_TOO_LARGE The document is longer than 100 bytes."
        );
        let limits = Limits { max_tokens: 10, ..Limits::default() };
        let told = check(query("{ a(b: 1) b: a(b: 1) }"), limits);
        assert!(told.starts_with("GRAPHQL_PARSE_FAILED"), "{told}");
        let deep = format!("{{ {} a(b: 1) {}", "q {".repeat(1000), "}".repeat(1001));
        assert!(check(query(&deep), Limits::default()).starts_with("GRAPHQL_PARSE_FAILED"));
    }

    #[test]
    fn deep_introspection_is_refused() {
        let text = "{ __schema { types { fields { type { fields { type { fields { type { fields \
            { name } } } } } } } } } }";
        let told = check(query(text), Limits::default());
        assert!(told.starts_with("OPERATION_TOO_DEEP "), "{told}");
    }
}
