//! Policies that need each other: one alone is legal, and does nothing.
//!
//! Only what stands directly in the sections counts. Where a policy that holds others stands, too,
//! the other half may be in it, and nothing is said.

use document::{Diagnostic, Span};

use crate::codes;
use crate::effective::Pipeline;
use crate::step::Steps;

/// What looks up in `inbound`, and what stores in `outbound`.
const PAIRS: &[(&str, &str)] = &[
    ("llm-semantic-cache-lookup", "llm-semantic-cache-store"),
    ("azure-openai-semantic-cache-lookup", "azure-openai-semantic-cache-store"),
];

/// Policies that hold others.
const HOLDERS: &[&str] = &["choose", "retry", "wait", "limit-concurrency", "include-fragment"];

/// Warnings about halves of pairs in an effective policy.
#[must_use]
pub fn pair_warnings(pipeline: &Pipeline) -> Vec<Diagnostic> {
    warnings(pipeline, PAIRS)
}

fn warnings(pipeline: &Pipeline, pairs: &[(&str, &str)]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (lookup, store) in pairs {
        alone(&pipeline.inbound, lookup, &pipeline.outbound, store, "outbound", &mut found);
        alone(&pipeline.outbound, store, &pipeline.inbound, lookup, "inbound", &mut found);
    }
    found
}

fn alone(
    here: &Steps,
    own: &str,
    there: &Steps,
    other: &str,
    section: &str,
    into: &mut Vec<Diagnostic>,
) {
    // Either name of a pair goes with either of the other: they are one policy.
    let plain =
        |name: &str| name.trim_start_matches("azure-openai-").trim_start_matches("llm-").to_owned();
    let is_there = there
        .places()
        .any(|it| plain(it.source()) == plain(other) || HOLDERS.contains(&it.source()));
    let Some(place) = here.places().find(|it| it.source() == own).filter(|_| !is_there) else {
        return;
    };
    let start = place.offset() as usize;
    let message = format!("`{own}` does nothing without `{other}` in `{section}`");
    let warning =
        Diagnostic::warning(codes::NO_EFFECT, Span::new(start, start + own.len() + 1), message)
            .label("is alone");
    into.push(match place.file() {
        Some(file) => warning.in_file(file.clone()),
        None => warning,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::test_support::pipeline;

    /// What is said of a document, with `mark` as the one half and `answer` as the other.
    fn said(sections: &str) -> Vec<String> {
        let pipeline = pipeline(&[(Scope::Api, &format!("<policies>{sections}</policies>"))]);
        let found = warnings(&pipeline, &[("mark", "answer")]);
        found.into_iter().map(|it| it.message).collect()
    }

    #[test]
    fn one_half_alone_does_nothing() {
        let mark = "<inbound><mark name='a' /></inbound>";
        assert_eq!(said(mark), ["`mark` does nothing without `answer` in `outbound`"]);
        let answer = "<outbound><answer /></outbound>";
        assert_eq!(said(answer), ["`answer` does nothing without `mark` in `inbound`"]);
        assert_eq!(said(&format!("{mark}{answer}")), [""; 0]);
        assert_eq!(said("<inbound /><outbound />"), [""; 0]);
    }
}
