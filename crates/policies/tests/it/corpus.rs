//! Every real document that uses only policies of this gateway compiles, except the listed ones.
//!
//! What the documents refer to (named values, fragments, backends) is not at hand, so it counts
//! as a note. Documents with policies that are not built yet are left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use document::{Diagnostic, Document};
use pipeline::{Registry, Section, check_text, codes};

/// Documents that do not compile: `path: reason`, one a line. May only shrink.
const FAILING: &str = include_str!("../corpus_failures.txt");
/// The length of that list; lower it when an entry goes.
const N_FAILING: usize = 159;

pub(crate) fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the policy corpus is not at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Every `.xml` file below `folder`, ordered.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "xml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The errors of a document, or of a snippet where it would stand best.
fn errors_of(document: &Document, text: &str, registry: &Registry) -> Vec<Diagnostic> {
    let options = expr::Options::default();
    let errors = |text: &str| {
        let mut problems = check_text(text, None, registry, &options).diagnostics;
        problems.retain(Diagnostic::is_error);
        problems
    };
    let names: Vec<&str> = document.roots().map(|it| it.name.as_str()).collect();
    let text = text.trim_start_matches('\u{feff}');
    if matches!(
        names.as_slice(),
        ["policies" | "fragment" | "cosmosdb-data-source" | "http-data-source" | "sql-data-source"]
    ) {
        return errors(text);
    }
    if names.iter().any(|it| Section::from_name(it).is_some()) {
        return errors(&format!("<policies>{text}</policies>"));
    }
    let in_section = |it| errors(&format!("<policies><{it}>{text}</{it}></policies>"));
    Section::ALL.into_iter().map(in_section).min_by_key(Vec::len).unwrap_or_default()
}

/// Whether the document is made by the tests of a compiler: not a policy that somebody runs.
fn is_fixture(name: &str) -> bool {
    name.contains(".cs.embedded-") || name.contains("/test/Test.Decompiling/")
}

/// Whether the document uses a policy that is not built here.
fn is_left_out(name: &str, errors: &[Diagnostic]) -> bool {
    let has = |code| errors.iter().any(|it| it.code == code);
    has(codes::POLICY_NOT_SUPPORTED) || (is_fixture(name) && has(codes::UNKNOWN_POLICY))
}

#[test]
fn every_document_compiles_except_the_listed_ones() {
    let Some(corpus) = corpus() else { return };
    let failing: BTreeMap<&str, &str> = FAILING
        .lines()
        .filter(|it| !it.is_empty() && !it.starts_with('#'))
        .map(|it| it.split_once(": ").expect("path: reason"))
        .collect();
    let registry = Registry::new(portcullis_policies::ALL);
    let (mut failures, mut n_compiled, mut n_left_out, mut n_seen) = (String::new(), 0, 0, 0);
    for path in files(&corpus) {
        let name = path.strip_prefix(&corpus).unwrap().to_str().unwrap().replace('\\', "/");
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let (document, problems) = document::parse(&text);
        if problems.iter().any(Diagnostic::is_error) {
            // Broken at the source; the parser's own corpus test lists these.
            n_left_out += 1;
            continue;
        }
        let problems = errors_of(&document, &text, &registry);
        if is_left_out(&name, &problems) {
            n_left_out += 1;
            continue;
        }
        match (problems.first(), failing.contains_key(name.as_str())) {
            (None, false) => n_compiled += 1,
            (Some(_), true) => n_seen += 1,
            (None, true) => {
                let _ = writeln!(failures, "{name} compiles now: take it off corpus_failures.txt");
            }
            (Some(_), false) => {
                let _ = writeln!(failures, "{name}");
                for problem in problems {
                    let _ = writeln!(failures, "    {problem}");
                }
            }
        }
    }
    eprintln!("{n_compiled} documents compile, {n_seen} do not, {n_left_out} are left out");
    assert!(failures.is_empty(), "{failures}");
    assert_eq!(n_seen, failing.len(), "corpus_failures.txt names documents that do not fail");
    assert_eq!(n_seen, N_FAILING, "corpus_failures.txt may only shrink, and this number with it");
}
