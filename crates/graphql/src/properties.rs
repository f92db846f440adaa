//! What holds for any text: nothing panics, and every bound is kept.

use proptest::prelude::*;
use serde_json::json;

use crate::{Call, Decision, Limits, Pruned, Request, Resolved, Resolver, Schema, execute};

const SDL: &str = "interface N { id: ID } type Query { a(b: Int, c: [In!]): Int q: Query n: N l: [Query] } \
    type U implements N { id: ID } input In { x: Int = 1 y: In } type Mutation { m: Int }";

/// Pieces of documents, so that most of what comes out is nearly a document.
fn document() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "a",
        "q",
        "n",
        "l",
        "id",
        "m",
        "...",
        "on",
        "U",
        "N",
        "F",
        "fragment F on Query",
        "query",
        "mutation",
        "$v",
        ":",
        "b",
        "c",
        "x",
        "y",
        "1",
        "\"s\"",
        "@skip(if: true)",
        "@include(if: $v)",
        "__typename",
        "__schema { types { name } }",
        "=",
        "{ a }",
        "{ q { a } }",
        "...F",
        "{ n { id } }",
        "\"\"\"",
        "#",
        "\n",
        "Int",
        "null",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|it| it.join(" "))
}

struct Anything;

impl Resolver for Anything {
    fn has(&self, type_name: &str, field: &str) -> bool {
        (type_name, field) == ("Query", "l")
    }

    fn resolve<'a>(
        &'a self,
        _: Call<'a>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Resolved> + Send + 'a>> {
        Box::pin(async { Ok(json!([{ "a": 1, "q": { "a": "x" } }, null, 7])) })
    }
}

fn run(text: &str) {
    let schema = Schema::parse(SDL).unwrap();
    let limits = Limits { max_fields: 60, max_values: 50, max_calls: 9, ..Limits::default() };
    let variables = json!({ "v": 1 }).as_object().unwrap().clone();
    let request = Request { query: text.to_owned(), variables, operation_name: None };
    let Ok(operation) = schema.check(&request, &limits) else { return };
    assert!(operation.n_fields() <= 60);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let response = runtime.block_on(execute(&operation, &Anything, &limits));
    assert!(response.errors.len() <= limits.max_errors + 1);
    // What is left of a request is a request.
    let mut decide = |field: crate::Selected<'_>| -> Result<Decision, ()> {
        Ok(if field.name == "a" { Decision::Remove } else { Decision::Allow })
    };
    if let Ok(Pruned::Parted { request: Some(left), .. }) = operation.prune(&request, &mut decide) {
        let checked = schema.check(&left, &limits);
        assert!(checked.is_ok(), "{} {checked:?}", left.query);
    }
}

proptest! {
    #[test]
    fn any_document_is_checked_executed_and_pruned(text in document()) {
        run(&text);
    }

    #[test]
    fn any_text_is_no_schema_or_one(text in "\\PC{0,200}") {
        if let Ok(schema) = Schema::parse(&text) {
            let _ = schema.check(&Request { query: text, ..Request::default() }, &Limits::default());
        }
    }

    #[test]
    fn any_body_is_a_request_or_malformed(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Request::from_body(Some("application/json"), &body);
        let _ = Request::from_query_string(&String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_document_of_many_aliases_is_bounded() {
    let many: String = (0..200).map(|it| format!("x{it}: a ")).collect();
    run(&format!("{{ {many} }}"));
}
