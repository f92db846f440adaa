//! Arbitrary text: the parser never panics, loses nothing and takes linear time.

use portcullis_document::{Mode, NamedValue, NamedValues, Node, SourceText, parse};
use proptest::prelude::*;

/// Pieces that the grammar reacts to.
const PIECES: &[&str] = &[
    "<",
    ">",
    "/>",
    "</",
    "<a",
    "<a>",
    "</a>",
    "<set-body>",
    "</set-body>",
    " b=\"",
    " c='",
    "\"",
    "'",
    "@(",
    "@{",
    ")",
    "}",
    "(",
    "{",
    "[",
    "]",
    "$\"",
    "@\"",
    "$@\"",
    "{{",
    "}}",
    "{{n}}",
    " d={{n}}",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<!",
    "&",
    "&lt;",
    "&quot;",
    "&#65;",
    "//",
    "/*",
    "*/",
    "\\",
    "\r\n",
    "\n",
    "\t",
    " ",
    "=",
    ":",
    ";",
    "x",
    "\u{e9}",
    "\u{1f600}",
    "\u{feff}",
    "\u{0}",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|it| it.concat())
}

/// Looks at everything in the tree that has a place.
fn visit(nodes: &[Node], text: &str) {
    let values = {
        let mut values = NamedValues::new();
        values.insert("n", NamedValue::secret("s\"e(c"));
        values
    };
    let look = |value: &SourceText| {
        let (resolved, _) = values.resolve(value, Mode::Policy);
        let _ = resolved.kind();
        for at in 0..=value.as_str().len() {
            let span = value.span_of(at..at);
            assert!(span.end as usize <= text.len());
        }
    };
    for node in nodes {
        assert!(text.get(node.span().range()).is_some(), "a place inside a character");
        if let Some(it) = node.as_text() {
            look(&it.value);
        }
        if let Some(element) = node.as_element() {
            element.attributes.iter().for_each(|it| look(&it.value));
            look(&element.text());
            visit(&element.children, text);
        }
    }
}

fn check(text: &str) {
    let (document, problems) = parse(text);
    assert_eq!(document.to_source(), text);
    for problem in &problems {
        assert!(text.get(problem.span.range()).is_some(), "{problem:?} in {text:?}");
    }
    visit(document.nodes(), text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_prints_back(text in text()) {
        check(&text);
    }

    #[test]
    fn any_expression_survives_both_spellings(code in "[a-z0-9<>& .+]{0,20}") {
        let escaped = code.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let of = |text: &str| {
            let (document, _) = parse(text);
            let value = document.root().map(|it| it.attributes.first().map(|it| it.value.clone()));
            value.ok().flatten().map(|it| it.as_str().to_owned())
        };
        let raw = of(&format!("<x a=\"@(\"\" + {code})\"/>"));
        let escaped = of(&format!("<x a=\"@(&quot;&quot; + {escaped})\"/>"));
        prop_assert_eq!(raw, escaped);
    }
}

#[test]
fn fuzzed_bytes_never_panic() {
    bolero::check!().with_iterations(3000).for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            check(text);
        }
    });
}

/// Texts made to be slow: each repeats something whose end is not found.
#[test]
fn time_is_linear_in_the_length() {
    for piece in [
        "<a b=\"@(",
        "<a b=\"x",
        "<a>@(",
        "<a>@(\"",
        "<set-body>",
        "<set-body><",
        "<!--",
        "<![CDATA[",
        "</a>",
        "<a b='@{ /*",
        "<a b=\"@($\"{",
        "{{",
        "<a>",
        "\"",
        "<a b=\"1\" c",
        "&",
        "<a b=\"@(1) x\"/>",
        "<a b=\"@(x &quot; )\"/>",
        "<x a=\"@(a\"\"/>",
    ] {
        // A quadratic reader would look at 10^10 bytes here and not come back.
        let text = piece.repeat(200_000 / piece.len());

        assert_eq!(parse(&text).0.to_source().len(), text.len());
    }
}
