//! What the reference documents is shown: the tables in `tests/documented` name, for each
//! documented error, default and order rule, the case or test that shows it.
//!
//! A table has the name of the reference page that it goes through, and rows of five columns:
//!
//! ```text
//! SECTION | POLICY | RULE | SHOWN | WHERE
//! 4.4 | validate-jwt | no token | response: 401 ; last error: reason: TokenNotPresent | validate-jwt.case: its name
//! ```
//!
//! - `SECTION`: the number of the page's section.
//! - `POLICY`: the policy, or `-` where the rule is of no policy.
//! - `RULE`: what the page says, in a few words.
//! - `SHOWN`: what must stand in the case, as `BLOCK: TEXT`, several of them separated by ` ; `. A
//!   number in `response` is the status; any other text stands in a line of such a block.
//! - `WHERE`: `FILE.case: NAME` in `tests/cases`, or `crates/PATH.rs: FUNCTION` for a test in Rust,
//!   whose block is called `test`.
//!
//! Empty lines and lines that begin with `#` are not read. The cases themselves are run by
//! `cases.rs`: here is seen that there are any, and that they look at what the page says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Blocks that say what must come out.
const EXPECTED: &[&str] =
    &["response", "backend", "call", "variables", "last error", "metrics", "error", "warning"];

struct Row {
    /// File and line, for messages.
    place: String,
    page: String,
    section: String,
    policy: String,
    shown: Vec<(String, String)>,
    file: String,
    name: String,
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn reference() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the reference is not at {}", folder.display());
        return None;
    }
    Some(folder)
}

fn rows() -> Vec<Row> {
    let mut found = Vec::new();
    let mut files: Vec<PathBuf> =
        fs::read_dir(tests().join("documented")).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    files.retain(|it| it.extension().is_some_and(|own| own == "txt"));
    for file in files {
        let page = file.file_stem().unwrap().to_string_lossy().into_owned();
        for (at, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{page}.txt:{}", at + 1);
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            let [section, policy, rule, shown, place_shown] = columns[..] else {
                panic!("{place}: {} columns, not five", columns.len());
            };
            assert!(!rule.is_empty(), "{place}: no rule");
            let (file, name) =
                place_shown.split_once(": ").unwrap_or_else(|| panic!("{place}: FILE: NAME"));
            found.push(Row {
                section: section.to_owned(),
                policy: policy.to_owned(),
                shown: shown.split(" ; ").map(|it| block_and_text(it, &place)).collect(),
                file: file.to_owned(),
                name: name.trim().to_owned(),
                page: page.clone(),
                place,
            });
        }
    }
    found
}

fn block_and_text(shown: &str, place: &str) -> (String, String) {
    let (block, text) =
        shown.split_once(':').unwrap_or_else(|| panic!("{place}: BLOCK: TEXT, not {shown}"));
    let block = block.trim();
    assert!(EXPECTED.contains(&block) || block == "test", "{place}: no block is called {block}");
    (block.to_owned(), text.trim().to_owned())
}

/// What a case expects: name of block and line.
type Shown = Vec<(String, Vec<String>)>;

/// The cases of a file by name. A block `backend` that holds policies is one of what goes in.
fn cases_of(file: &Path) -> BTreeMap<String, Shown> {
    let text = fs::read_to_string(file).unwrap();
    let mut found = BTreeMap::new();
    let (mut name, mut blocks): (Option<String>, Shown) = (None, Vec::new());
    for line in text.lines().chain(["==="]) {
        if line.len() >= 3 && line.bytes().all(|it| it == b'=') {
            let own = std::mem::take(&mut blocks);
            if let Some(name) = name.take() {
                assert!(
                    found.insert(name.clone(), own).is_none(),
                    "{}: two cases are called `{name}`",
                    file.display()
                );
            }
        } else if let Some(heading) = line.strip_prefix("--- ") {
            blocks.push((heading.trim().to_owned(), Vec::new()));
        } else if let Some((_, lines)) = blocks.last_mut() {
            lines.push(line.to_owned());
        } else if name.is_none() && !line.trim().is_empty() && !line.starts_with('#') {
            name = Some(line.trim().to_owned());
        }
    }
    found
}

/// The body of a test of that name, as one block `test`.
fn test_of(file: &Path, name: &str) -> Option<Shown> {
    let text = fs::read_to_string(file).ok()?;
    let start = text.find(&format!("fn {name}("))?;
    let rest = &text[start..];
    let end = ["#[test]", "::test]"].iter().filter_map(|it| rest.find(it)).min();
    let end = end.unwrap_or(rest.len());
    Some(vec![("test".to_owned(), rest[..end].lines().map(str::to_owned).collect())])
}

fn is_shown(blocks: &Shown, block: &str, text: &str) -> bool {
    let is_status = block == "response" && text.len() == 3 && text.parse::<u16>().is_ok();
    blocks.iter().filter(|(own, _)| own == block).any(|(_, lines)| {
        if is_status {
            lines.iter().find(|it| !it.is_empty()).is_some_and(|it| it.starts_with(text))
        } else {
            lines.iter().any(|it| it.contains(text))
        }
    })
}

#[test]
fn every_documented_rule_names_a_case_that_shows_it() {
    let mut files: BTreeMap<String, BTreeMap<String, Shown>> = BTreeMap::new();
    let mut problems = Vec::new();
    let rows = rows();
    for row in &rows {
        let is_case = row.file.ends_with(".case");
        let blocks = if is_case {
            let file = tests().join("cases").join(&row.file);
            if !file.exists() {
                problems.push(format!("{}: {} is missing", row.place, row.file));
                continue;
            }
            files.entry(row.file.clone()).or_insert_with(|| cases_of(&file)).get(&row.name).cloned()
        } else {
            test_of(&tests().join("../../..").join(&row.file), &row.name)
        };
        let Some(blocks) = blocks else {
            problems.push(format!("{}: {} has no `{}`", row.place, row.file, row.name));
            continue;
        };
        for (block, text) in &row.shown {
            if !is_shown(&blocks, block, text) {
                let what = format!("`{}` does not expect `{block}: {text}`", row.name);
                problems.push(format!("{}: {what}", row.place));
            }
        }
        let is_known = row.policy == "-"
            || portcullis_policies::ALL.iter().any(|kind| kind.name == row.policy);
        if !is_known {
            problems.push(format!("{}: there is no policy `{}`", row.place, row.policy));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    assert!(!rows.is_empty());
}

#[test]
fn every_row_names_a_section_of_its_page() {
    let Some(folder) = reference() else { return };
    let mut problems = Vec::new();
    for row in rows() {
        let page = fs::read_to_string(folder.join(format!("{}.md", row.page)))
            .unwrap_or_else(|error| panic!("{}: {error}", row.place));
        let is_there = page.lines().any(|line| {
            let heading = line.trim_start_matches('#');
            heading.len() < line.len()
                && heading
                    .trim()
                    .split([' ', '.'])
                    .collect::<Vec<_>>()
                    .join(".")
                    .starts_with(&format!("{}.", row.section.trim_end_matches('.')))
        });
        if !is_there {
            problems.push(format!("{}: the page has no section {}", row.place, row.section));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_reason_of_the_reference_is_shown() {
    let Some(folder) = reference() else { return };
    let shown: BTreeSet<String> = rows()
        .iter()
        .flat_map(|row| &row.shown)
        .flat_map(|(_, text)| text.split(|it: char| !it.is_alphanumeric()))
        .map(str::to_owned)
        .collect();
    let errors = fs::read_to_string(folder.join("errors.md")).unwrap();
    let documented: BTreeSet<String> = errors
        .lines()
        .filter(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(3)?.split('`').nth(1).map(str::to_owned))
        .filter(|it| it.chars().all(char::is_alphanumeric) && it.starts_with(char::is_uppercase))
        .collect();
    assert!(documented.len() > 20, "{documented:?}");
    // May only shrink: one reason a line.
    let list = fs::read_to_string(tests().join("documented/not-shown.list")).unwrap_or_default();
    let missing: Vec<&str> = documented.difference(&shown).map(String::as_str).collect();
    let new: Vec<_> = missing.iter().filter(|it| !list.lines().any(|own| own == **it)).collect();
    assert!(new.is_empty(), "no row shows {new:?}");
    let done: Vec<_> = list.lines().filter(|it| !missing.contains(it)).collect();
    assert!(done.is_empty(), "these are shown, take them off not-shown.list: {done:?}");
}
