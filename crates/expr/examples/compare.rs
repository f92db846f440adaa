//! Evaluates recorded cases and shows those whose result is not the recorded one.
//!
//! ```text
//! compare [--framework] CASES.jsonl...
//! ```

#![expect(clippy::unwrap_used, reason = "a tool of those who write cases")]

extern crate portcullis_expr as expr;

use std::panic::{AssertUnwindSafe, catch_unwind};

use expr::Runtime;
use oracle::{evaluate_case, same};
use serde_json::{Map, Value as Json};

fn main() {
    let framework = std::env::args().any(|it| it == "--framework");
    let (mut all, mut failed) = (0, 0);
    for file in std::env::args().skip(1).filter(|it| !it.starts_with("--")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|it| !it.trim().is_empty()) {
            let case: Map<String, Json> = serde_json::from_str(line).unwrap();
            let expected = case.get("expected").unwrap();
            let (runtime, expected) = match (framework, case.get("other")) {
                (true, Some(other)) => (Runtime::Framework, other),
                (true, None) => (Runtime::Framework, expected),
                (false, _) => (Runtime::Modern, expected),
            };
            all += 1;
            let ours = catch_unwind(AssertUnwindSafe(|| evaluate_case(&case, runtime)));
            let ours = match ours {
                Ok(Ok(it)) => it,
                Ok(Err(it)) => Json::String(it.to_string()),
                Err(_) => Json::String("PANIC".to_owned()),
            };
            let fine = if case.contains_key("lang") {
                ours.get("error") == Some(&Json::from("compile"))
            } else {
                same(expected, &ours)
            };
            if !fine {
                failed += 1;
                println!(
                    "{} {}{}\n  code     {}\n  expected {expected}\n  got      {ours}",
                    case.get("id").and_then(Json::as_str).unwrap_or(""),
                    case.get("tag").and_then(Json::as_str).unwrap_or(""),
                    case.get("lang").map(|it| format!(" lang {it}")).unwrap_or_default(),
                    case.get("code").and_then(Json::as_str).unwrap_or(""),
                );
            }
        }
    }
    println!("{} of {all} pass", all - failed);
}
