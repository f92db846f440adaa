//! The warning about bodies that are gone when they are needed (PC0439): where it comes, and that
//! it comes nowhere else.

use std::fs;

use pipeline::{Registry, check_text, codes};

use crate::corpus::{corpus, files};

/// Where the warning comes: line and column, in order.
fn warned(text: &str) -> Vec<(usize, usize)> {
    let registry = Registry::new(portcullis_policies::ALL);
    let checked = check_text(text, None, &registry, &expr::Options::default());
    let errors: Vec<_> = checked.diagnostics.iter().filter(|it| it.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let lines = document::LineIndex::new(text);
    checked
        .diagnostics
        .iter()
        .filter(|it| it.code == codes::BODY_GONE)
        .map(|it| {
            let at = lines.position(text, it.span.start as usize);
            (at.line, at.column)
        })
        .collect()
}

fn inbound(policies: &str) -> usize {
    warned(&format!("<policies><inbound><base />{policies}</inbound></policies>")).len()
}

const EATS: &str =
    r#"<set-variable name="a" value="@(context.Request.Body.As<JObject>()["a"].ToString())" />"#;
const KEEPS: &str = r#"<set-variable name="b" value="@(context.Request.Body.As<string>(preserveContent: true))" />"#;
const SETS: &str = "<set-body>new</set-body>";
const ENDS: &str = r#"<return-response><set-status code="400" /></return-response>"#;

fn when(policies: &str) -> String {
    format!(
        r#"<choose><when condition="@(context.Request.Method == "POST")">{policies}</when></choose>"#
    )
}

#[test]
fn a_request_whose_body_was_read_is_forwarded_without_it() {
    assert_eq!(inbound(EATS), 1);
    assert_eq!(inbound(&format!("{EATS}{EATS}")), 2, "the second read is empty, too");
    assert_eq!(inbound(&format!("{EATS}{}", when(ENDS))), 1);
    assert_eq!(inbound(&when(EATS)), 1);
    assert_eq!(inbound(&format!("{SETS}{EATS}")), 1);
}

#[test]
fn what_keeps_or_replaces_the_body_or_ends_the_request_is_fine() {
    assert_eq!(inbound(KEEPS), 0);
    assert_eq!(inbound(&format!("{EATS}{SETS}")), 0);
    assert_eq!(inbound(&format!(r#"{EATS}<set-body template="liquid">new</set-body>"#)), 0);
    assert_eq!(inbound(&format!("{EATS}{ENDS}")), 0);
    assert_eq!(inbound(&format!("{EATS}<mock-response />")), 0);
    assert_eq!(inbound(&when(&format!("{EATS}{ENDS}"))), 0);
    assert_eq!(inbound(&format!("{EATS}{}", when(SETS))), 0, "the same condition, perhaps");
    assert_eq!(inbound(&format!("{}{}", when(EATS), when(SETS))), 0);
    let own = r#"<set-body>@(context.Request.Body.As<string>().Trim())</set-body>"#;
    assert_eq!(inbound(own), 0);
    let nothing = format!("<policies><inbound>{EATS}</inbound><backend /></policies>");
    assert_eq!(warned(&nothing), []);
}

#[test]
fn a_response_whose_body_was_read_reaches_the_client_without_it() {
    let outbound = |policies: &str| {
        warned(&format!("<policies><outbound>\n{policies}\n<base /></outbound></policies>"))
    };
    let eats =
        r#"<trace source="t"><message>@(context.Response.Body.As<string>())</message></trace>"#;

    assert_eq!(outbound(eats), [(2, 30)]);
    assert_eq!(outbound(&format!("{eats}{SETS}")), []);
    assert_eq!(outbound(&eats.replace("()", "(true)")), []);
}

/// A document of a compiler's tests: it sends the body of the request to a queue and has none left.
const EATEN: &str = "Test.Decompiling/TestData/send-service-bus-message.xml";

/// The documents that read a body without `preserveContent` set it anew, or may.
#[test]
fn one_document_of_the_corpus_gets_the_warning() {
    let Some(corpus) = corpus() else { return };
    let registry = Registry::new(portcullis_policies::ALL);
    for path in files(&corpus) {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.trim_start_matches('\u{feff}');
        let checked = check_text(text, None, &registry, &expr::Options::default());
        let found: Vec<_> =
            checked.diagnostics.iter().filter(|it| it.code == codes::BODY_GONE).collect();
        let n_expected = usize::from(path.ends_with(EATEN));
        assert_eq!(found.len(), n_expected, "{}: {found:?}", path.display());
    }
}
