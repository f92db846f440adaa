//! Random templates and bodies: whatever they are, there is an answer within bounds.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use portcullis_liquid::{Limits, Template, Value, body};

/// Pieces that templates are made of, so that random ones mean something.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{{-",
    "-%}",
    " ",
    "\n",
    "'",
    "\"",
    "|",
    ":",
    ",",
    "(1..3)",
    "(1..99999)",
    "body",
    "body.a",
    "body.l",
    ".first",
    "[0]",
    "['a']",
    "x",
    "y",
    "1",
    "-2.5",
    "nil",
    "empty",
    "é",
    "if ",
    "elsif ",
    "else",
    "endif",
    "unless ",
    "endunless",
    "for x in ",
    "endfor",
    "break",
    "JSONArrayFor x in ",
    "endJSONArrayFor",
    "case ",
    "when ",
    "endcase",
    "assign x = ",
    "capture y",
    "endcapture",
    "cycle ",
    "raw",
    "endraw",
    "comment",
    "endcomment",
    "tablerow x in ",
    "endtablerow",
    "ifchanged",
    "endifchanged",
    "increment x",
    " == ",
    " contains ",
    " < ",
    " and ",
    "limit:2",
    "offset:continue",
    "reversed",
    "Append: x",
    "Times: 99",
    "Replace: 'a', x",
    "Sort",
    "Split: ','",
    "Join",
    "Date: 'yyyy'",
    "Plus: 1",
    "DividedBy: 0",
    "Slice: -1, 2",
    "Default: x",
    "Round: 2",
    "Truncate: 3",
    "Currency",
    "Map: 'a'",
    "Uniq",
    "Where: 'a', 1",
    "Upcase",
    "Capitalize",
];

const BODY: &str =
    r#"{"a":"text, é","l":[1,2.5,"b",{"a":1},[null,true]],"d":"2024-01-01T00:00:00Z"}"#;

fn check(template: &str) {
    let limits = Limits { steps: 3_000, output_bytes: 5_000, work_bytes: 50_000 };
    match Template::compile(template) {
        Ok(compiled) => {
            let value = body::json(BODY, body::Reading::default()).unwrap();
            let given = [("body", value)];
            if let Ok(text) = compiled.render(&given, &limits, 0) {
                assert!(text.len() <= limits.output_bytes, "{template:?}");
            }
        }
        Err(flaws) => {
            assert!(!flaws.is_empty());
            for flaw in flaws {
                assert!(flaw.span.start <= flaw.span.end && flaw.span.end <= template.len());
                assert!(template.is_char_boundary(flaw.span.start), "{template:?} {flaw:?}");
                assert!(template.is_char_boundary(flaw.span.end), "{template:?} {flaw:?}");
            }
        }
    }
}

#[test]
fn fuzzed_pieces_are_answered_within_bounds() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|choices| {
        let piece = |it: &u8| PIECES.get(usize::from(*it) % PIECES.len()).copied();
        check(&choices.iter().filter_map(piece).collect::<String>());
    });
}

#[test]
fn fuzzed_bytes_are_answered_within_bounds() {
    bolero::check!().for_each(|bytes: &[u8]| check(&String::from_utf8_lossy(bytes)));
}

#[test]
fn fuzzed_bodies_are_read_or_refused() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let template = Template::compile("{{ body }}{{ body.a }}{{ body | Size }}").unwrap();
        let text = String::from_utf8_lossy(bytes);
        for read in [body::json, body::xml] {
            if let Ok(value) = read(&text, body::Reading::default()) {
                let given: [(&str, Value); 1] = [("body", value)];
                let limits = Limits { output_bytes: 10_000, ..Limits::default() };
                let _ = template.render(&given, &limits, 0);
            }
        }
    });
}
