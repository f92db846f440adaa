//! Every document of the corpus parses and prints back byte for byte, except the listed ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use portcullis_document::render::{self, Colours, Sources};
use portcullis_document::{Diagnostic, Document, parse};

/// Documents that are broken at the source: `path: reason`, one a line. May only shrink.
const BROKEN: &str = include_str!("../broken.txt");
/// The length of that list; lower it when an entry goes.
const N_BROKEN: usize = 17;

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the policy corpus is not at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Every `.xml` file below `folder`, ordered.
fn files(folder: &Path) -> Vec<PathBuf> {
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

fn problems_of(document: &Document, mut problems: Vec<Diagnostic>, name: &str) -> Option<String> {
    problems.retain(Diagnostic::is_error);
    let mut sources = Sources::new();
    sources.add(name, document.source().clone());
    let mut shown = String::new();
    for problem in problems {
        let problem = problem.in_file(name.into());
        let _ = write!(shown, "{}", render::human(&problem, &sources, Colours::Off));
    }
    (!shown.is_empty()).then_some(shown)
}

#[test]
fn every_document_parses_and_prints_back_except_the_broken_ones() {
    let Some(corpus) = corpus() else { return };
    let broken: BTreeMap<&str, &str> = BROKEN
        .lines()
        .filter(|it| !it.is_empty() && !it.starts_with('#'))
        .map(|it| it.split_once(": ").expect("path: reason"))
        .collect();
    let (mut failures, mut parsed, mut seen) = (String::new(), 0, 0);
    for path in files(&corpus) {
        let name = path.strip_prefix(&corpus).unwrap().to_str().unwrap().replace('\\', "/");
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let (document, problems) = parse(&text);
        assert_eq!(document.to_source(), text, "{name} is not printed back");
        let shown = problems_of(&document, problems, &name);
        match (shown, broken.contains_key(name.as_str())) {
            (None, false) => parsed += 1,
            (Some(_), true) => seen += 1,
            (None, true) => {
                let _ = writeln!(failures, "{name} parses now: take it off broken.txt");
            }
            (Some(shown), false) => {
                let _ = writeln!(failures, "{shown}");
            }
        }
    }
    eprintln!("{parsed} documents parse, {seen} are broken at the source");
    assert!(failures.is_empty(), "{failures}");
    assert_eq!(seen, broken.len(), "broken.txt names documents that do not exist");
    assert_eq!(seen, N_BROKEN, "broken.txt may only shrink, and this number with it");
}
