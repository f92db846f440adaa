//! Every case file in `tests/cases` holds.

use std::path::Path;

use cases::World;
use pipeline::{Attr, Child, Registry};

fn hold_in(world: &World<'_>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let report = cases::run_folder(&folder, world).unwrap();

    assert!(report.cases.len() > 100, "only {} cases", report.cases.len());
    assert_eq!(report.n_failed(), 0, "\n{report}");
}

#[test]
fn every_case_holds() {
    hold_in(&World::new(&Registry::new(portcullis_policies::ALL)));
}

#[test]
fn every_case_holds_over_sockets_too() {
    hold_in(&World::over_sockets(&Registry::new(portcullis_policies::ALL)));
}

#[test]
fn every_policy_has_a_case_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    for kind in portcullis_policies::ALL {
        let file = folder.join(format!("{}.case", kind.name));
        assert!(file.exists(), "{} is missing", file.display());
    }
}

/// Children that are read and refused until what they need is there.
const REFUSED: [&str; 1] = ["send-one-way-request: proxy"];

/// What a case file does not write, by its schema: `@attribute`, `child/@attribute`, `child`.
fn unwritten(text: &str, path: &str, attrs: &[Attr], children: &[Child], into: &mut Vec<String>) {
    for attr in attrs {
        if !text.contains(&format!("{}=", attr.name())) {
            into.push(format!("{path}@{}", attr.name()));
        }
    }
    for child in children {
        let own = if child.name().is_empty() {
            path.to_owned()
        } else {
            if !text.contains(&format!("<{}", child.name())) {
                into.push(format!("{path}{}", child.name()));
            }
            format!("{path}{}/", child.name())
        };
        unwritten(text, &own, child.attributes(), child.elements(), into);
    }
}

#[test]
fn every_attribute_and_child_stands_in_the_case_file_of_its_policy() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut missing = Vec::new();
    for kind in portcullis_policies::ALL {
        let text =
            std::fs::read_to_string(folder.join(format!("{}.case", kind.name))).unwrap_or_default();
        let mut own = Vec::new();
        unwritten(&text, "", kind.attrs, kind.children, &mut own);
        missing.extend(own.into_iter().map(|it| format!("{}: {it}", kind.name)));
    }
    assert_eq!(missing, REFUSED);
}
