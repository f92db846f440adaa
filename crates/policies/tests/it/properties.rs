//! Arbitrary documents: checking them never panics, and what has an error is never given.

use document::{Diagnostic, NamedValues};
use pipeline::{
    Extensions, Fragments, Registry, Scope, Surroundings, Target, check_text, compile_document,
};
use proptest::prelude::*;

/// Pieces that the schema, the nesting and the values react to.
const PIECES: &[&str] = &[
    "<choose>",
    "</choose>",
    "<when condition=\"true\">",
    "<when condition=\"@(1 == 1)\">",
    "</when>",
    "<otherwise>",
    "</otherwise>",
    "<base />",
    "<set-header name=\"a\">",
    "</set-header>",
    "<value>@(\"x\")</value>",
    "<value>",
    "</value>",
    "<return-response>",
    "</return-response>",
    "<set-status code=\"200\" />",
    "<set-status code=\"@{ return 1; }\" />",
    "<set-body>x</set-body>",
    "<set-body template=\"liquid\">{{a}}</set-body>",
    "<include-fragment fragment-id=\"f\" />",
    "<set-variable name=\"{{n}}\" value=\"@(context.Nothing)\" />",
    "<rewrite-uri template=\"/{a}/{\" />",
    "<set-backend-service base-url=\"@(1)\" backend-id=\"b\" />",
    "<validate-jwt header-name=\"a\">",
    "</validate-jwt>",
    "<forward-request timeout=\"-1\" />",
    "<mock-response status-code=\"1\" />",
    "<retry />",
    "<nothing id=\"x\" />",
    "text",
    "<!-- c -->",
];

proptest! {
    #[test]
    fn checking_never_panics(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)) {
        let inside: String = pieces.concat();
        let registry = Registry::new(portcullis_policies::ALL);
        let options = expr::Options::default();
        for section in ["inbound", "backend", "outbound", "on-error"] {
            let text = format!("<policies><{section}>{inside}</{section}></policies>");
            let _ = check_text(&text, None, &registry, &options);
        }
        let _ = check_text(&format!("<fragment>{inside}</fragment>"), None, &registry, &options);
        let _ = check_text(&inside, None, &registry, &options);
    }

    #[test]
    fn a_document_with_an_error_is_never_given(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..8),
    ) {
        let text = format!("<policies><inbound>{}</inbound></policies>", pieces.concat());
        let (document, _) = document::parse(&text);
        let surroundings = Surroundings {
            registry: &Registry::new(portcullis_policies::ALL),
            named_values: &NamedValues::new(),
            fragments: &Fragments::new(),
            backends: None,
            extensions: &Extensions::default(),
            options: &expr::Options::default(),
        };
        let target = Target::scope(Scope::Api);
        let (compiled, problems) = compile_document(&document, None, target, &surroundings);
        let has_error = problems.iter().any(Diagnostic::is_error);
        prop_assert!(!(has_error && compiled.is_some()), "{text}");
    }
}
