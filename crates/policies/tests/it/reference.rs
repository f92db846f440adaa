//! The reference pages in `docs/policies` are what the schemas and the cases give; `UPDATE_DOCS=1`
//! writes them. The support table has every policy that Azure documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pipeline::Registry;
use pipeline::reference::{Refusal, Row, Status, markdown_table, page, rows};

/// Documented policies that documents cannot use yet. May only shrink.
const REFUSED: &[&str] = &[];

/// What stands above the table of all pages.
const HEAD: &str = "\
# Policies

What this gateway does with each policy of Azure API Management, as `portcullis policies` prints it.

- **supported**: as Azure documents it.
- **partial**: what differs stands beside it. What would not be enforced does not load.
- **refused**: a document that uses it does not load.

";

fn registry() -> Registry {
    Registry::new(portcullis_policies::ALL)
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policies")
}

/// What the cases bring about, by policy.
fn refusals() -> BTreeMap<String, BTreeSet<Refusal>> {
    let registry = registry();
    let world = cases::World::new(&registry);
    let mut found: BTreeMap<String, BTreeSet<Refusal>> = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "case") {
            continue;
        }
        for case in cases::parse(&fs::read_to_string(&path).unwrap()).unwrap() {
            let outcome = world.run(&case);
            for got in outcome.earlier.iter().chain(&outcome.ran) {
                let member = |name: &str| {
                    let found = got.last_error.iter().find(|(own, _)| own == name);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                if member("reason").is_empty() {
                    continue;
                }
                let status = got.response.first_line.split_whitespace().next().unwrap_or_default();
                found.entry(member("source")).or_default().insert(Refusal {
                    reason: member("reason"),
                    status: status.to_owned(),
                    message: member("message"),
                });
            }
        }
    }
    found
}

/// File name and text of every page.
fn pages() -> Vec<(String, String)> {
    let rows = rows(&registry());
    let refusals = refusals();
    let link = |row: &Row| match row.kind {
        Some(kind) => format!("{}.md", kind.name),
        None => row.documentation(),
    };
    let mut pages =
        vec![("README.md".to_owned(), format!("{HEAD}{}", markdown_table(&rows, link)))];
    for kind in rows.iter().filter_map(|it| it.kind) {
        let own: Vec<Refusal> = refusals.get(kind.name).into_iter().flatten().cloned().collect();
        pages.push((format!("{}.md", kind.name), page(kind, &own)));
    }
    pages
}

#[test]
fn the_reference_pages_are_current() {
    let is_update = std::env::var_os("UPDATE_DOCS").is_some();
    let pages = pages();
    for (name, text) in &pages {
        let file = docs().join(name);
        if is_update {
            fs::create_dir_all(docs()).unwrap();
            fs::write(&file, text).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        let differ = written.lines().zip(text.lines()).find(|(a, b)| a != b);
        assert!(
            written == *text,
            "docs/policies/{name} is not what the schema says; UPDATE_DOCS=1 mends it: {differ:?}"
        );
    }
    for entry in fs::read_dir(docs()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let is_known = pages.iter().any(|(own, _)| *own == name);
        assert!(is_known, "docs/policies/{name} is the page of no policy: remove it");
    }
}

#[test]
fn every_policy_has_a_line_in_the_bench_of_costs() {
    let measured: BTreeSet<&str> = crate::alone::ALONE
        .iter()
        .map(|(name, ..)| name.split_once(" (").map_or(*name, |(name, _)| name))
        .collect();
    let elsewhere: BTreeSet<&str> = crate::alone::ELSEWHERE.iter().map(|(name, _)| *name).collect();
    for row in rows(&registry()).iter().filter(|it| it.kind.is_some()) {
        let is_measured = measured.contains(row.name);
        assert_ne!(is_measured, elsewhere.contains(row.name), "{}", row.name);
    }
}

#[test]
fn every_constant_of_a_schema_says_what_it_is_for() {
    for kind in registry().kinds() {
        for attr in kind.attrs {
            assert!(!attr.description().is_empty(), "{} @{}", kind.name, attr.name());
        }
        for child in kind.children {
            assert!(!child.description().is_empty(), "{} {}", kind.name, child.name());
        }
        assert!(kind.summary.ends_with('.'), "{}", kind.name);
    }
}

#[test]
fn the_table_has_every_policy_that_is_documented() {
    let rows = rows(&registry());
    let Some(documented) = documented() else { return };
    let missing: Vec<_> =
        documented.iter().filter(|it| !rows.iter().any(|row| row.name == it.as_str())).collect();
    assert!(missing.is_empty(), "the table lacks {missing:?}");
    let refused: Vec<_> =
        rows.iter().filter(|it| it.status == Status::Refused).map(|it| it.name).collect();
    let new: Vec<_> = refused.iter().filter(|it| !REFUSED.contains(it)).collect();
    assert!(new.is_empty(), "refused, and not on the list: {new:?}");
    let built: Vec<_> = REFUSED.iter().filter(|it| !refused.contains(it)).collect();
    assert!(built.is_empty(), "these are built, take them off the list: {built:?}");
    for row in &rows {
        let told = row.differences.iter().all(|(_, what)| what.ends_with('.'));
        assert!(told, "{}: what differs is a sentence", row.name);
        assert_eq!(row.status == Status::Partial, !row.differences.is_empty(), "{}", row.name);
    }
}

/// The policies of the two reference tables: `policy-documents.md` section 4 and
/// `observability.md` section 11.
fn documented() -> Option<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the reference is not at {}", folder.display());
        return None;
    }
    let mut found = Vec::new();
    for (file, heading) in [("policy-documents.md", "## 4."), ("observability.md", "## 11.")] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let start = text.find(heading).unwrap();
        let section = text[start + heading.len()..].split("\n## ").next().unwrap();
        for line in section.lines().filter(|it| it.starts_with("| ") && !it.contains("---")) {
            let first = line.split('|').nth(1).unwrap();
            let names = first.split('(').next().unwrap().replace('`', "");
            found.extend(names.split(',').map(|it| it.trim().to_owned()));
        }
    }
    found.retain(|it| it != "Policy");
    assert!(found.len() > 40, "{found:?}");
    Some(found)
}
