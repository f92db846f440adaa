//! The conformance vectors of the reference of policy expressions, section 9.
//!
//! Here the allow list of types is on, as it is for policies.

use ::oracle::RecordedHost;
use expr::{Form, Options, compile};
use serde_json::Value as Json;

const VECTORS: &str = include_str!("../data/vectors.jsonl");

/// What a vector comes to: a text, or how it fails.
fn outcome(vector: &Json) -> String {
    let form = if vector["kind"] == "statements" { Form::Statements } else { Form::Expression };
    let program = match compile(vector["code"].as_str().unwrap(), form, &Options::default()) {
        Ok(program) => program,
        Err(_) => return "load error".to_owned(),
    };
    let host = RecordedHost::over_default(vector.get("context")).unwrap();
    match program.evaluate(&host) {
        Ok(value) => format!("text: {}", value.to_text()),
        Err(exception) => {
            let expected = vector["message_ends_with"].as_str().unwrap_or("");
            assert!(exception.message.ends_with(expected), "{}", exception.message);
            "failure".to_owned()
        }
    }
}

#[test]
fn every_conformance_vector_holds() {
    let mut wrong = Vec::new();
    for line in VECTORS.lines() {
        let vector: Json = serde_json::from_str(line).unwrap();
        let expected = match vector["text"].as_str() {
            Some(text) => format!("text: {text}"),
            None => vector["outcome"].as_str().unwrap().to_owned(),
        };
        let ours = outcome(&vector);
        if ours != expected {
            wrong.push(format!(
                "{}: {} gives {ours}, not {expected}",
                vector["vector"], vector["code"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let numbers = VECTORS.lines().filter(|it| it.contains("\"vector\": ")).count();
    assert_eq!(numbers, 37, "the 36 of the reference, and one more form of the 25th");
}
