//! Recorded results of the C# compiler and runtime, area by area: those that are shared, and our own
//! in `tests/data/recorded`.
//!
//! The cases that fail are listed in `tests/pass/<area>.txt`; the lists may only shrink.
//! `UPDATE_PASS_LISTS=1` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ::oracle::{evaluate_case, same};
use expr::Runtime;
use serde_json::{Map, Value as Json};

use crate::corpus::shared;

type Case = Map<String, Json>;

fn text<'a>(case: &'a Case, name: &str) -> &'a str {
    case.get(name).and_then(Json::as_str).unwrap_or("")
}

fn read(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .filter(|it| !it.trim().is_empty())
        .map(|it| serde_json::from_str(it).unwrap())
        .collect()
}

/// Does the case rest on something that an engine may do in its own way?
fn may_differ(case: &Case) -> bool {
    matches!(text(case, "tag"), "culture" | "identity" | "unspecified" | "version")
}

/// Our result, if it is not the recorded one.
fn failure(case: &Case) -> Option<Json> {
    let ours =
        evaluate_case(case, Runtime::Modern).unwrap_or_else(|it| Json::String(it.to_string()));
    // Policy expressions are C# 7: what needs a later one must be refused.
    if case.contains_key("lang") {
        return (ours.get("error") != Some(&Json::from("compile"))).then_some(ours);
    }
    let expected = case.get("expected").unwrap();
    (!same(expected, &ours)).then_some(ours)
}

fn list_file(area: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pass").join(format!("{area}.txt"))
}

/// Ids and what stands behind them.
fn listed(area: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(list_file(area)).unwrap_or_default();
    text.lines()
        .filter(|it| !it.is_empty() && !it.starts_with('#'))
        .map(|it| it.split_once(' ').unwrap_or((it, "")))
        .map(|(id, reason)| (id.to_owned(), reason.to_owned()))
        .collect()
}

fn write_list(area: &str, failing: &BTreeMap<String, String>) {
    let head = format!("# Cases of {area} that fail. This list may only shrink.\n");
    let lines: String = failing
        .iter()
        .map(|(id, reason)| format!("{id} {reason}").trim_end().to_owned() + "\n")
        .collect();
    fs::create_dir_all(list_file(area).parent().unwrap()).unwrap();
    if failing.is_empty() {
        let _ = fs::remove_file(list_file(area));
    } else {
        fs::write(list_file(area), head + &lines).unwrap();
    }
}

/// Runs an area of the shared cases; returns how many there are and how many pass.
fn check(area: &str) -> Option<(usize, usize)> {
    check_file(area, &shared("oracle/cases")?.join(format!("{area}.jsonl")))
}

/// Runs a file of cases; returns how many there are and how many pass.
fn check_file(area: &str, file: &Path) -> Option<(usize, usize)> {
    let cases = read(file);
    let known = listed(area);
    let updating = std::env::var_os("UPDATE_PASS_LISTS").is_some();
    let mut failing = BTreeMap::new();
    let mut report = String::new();
    for case in &cases {
        let Some(ours) = failure(case) else { continue };
        let id = text(case, "id");
        let reason = known.get(id).cloned().unwrap_or_else(|| text(case, "tag").to_owned());
        failing.insert(id.to_owned(), reason);
        if updating || !known.contains_key(id) {
            let expected = case.get("expected").unwrap();
            report.push_str(&format!(
                "{id}\n  code     {}\n  expected {expected}\n  got      {ours}\n",
                text(case, "code")
            ));
        }
    }
    let (all, failed) = (cases.len(), failing.len());
    println!("{area}: {} of {all} pass", all - failed);
    if updating {
        print!("{report}");
        write_list(area, &failing);
        return Some((all, all - failed));
    }
    let fixed: Vec<&String> = known.keys().filter(|it| !failing.contains_key(*it)).collect();
    assert!(report.is_empty(), "not listed in {}:\n{report}", list_file(area).display());
    assert!(
        fixed.is_empty(),
        "these pass now, take them off {}: {fixed:?}",
        list_file(area).display()
    );
    Some((all, all - failed))
}

/// Our own cases.
fn recorded() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recorded");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn our_own_recorded_cases_pass() {
    let mut all = 0;
    for file in recorded() {
        let area = format!("own-{}", file.file_stem().unwrap().to_string_lossy());
        all += check_file(&area, &file).unwrap().0;
    }
    assert!(all >= 500, "only {all} cases");
}

/// Where .NET Framework answers differently, we do too if `expressions.runtime` says so.
#[test]
fn results_of_dotnet_framework_are_had_with_its_runtime() {
    let Some(folder) = shared("oracle/cases") else { return };
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let (mut all, mut passed, mut report) = (0, 0, String::new());
    for case in files.chain(recorded()).flat_map(|it| read(&it)) {
        let Some(other) = case.get("other").filter(|_| !may_differ(&case)) else { continue };
        all += 1;
        match evaluate_case(&case, Runtime::Framework) {
            Ok(ours) if same(other, &ours) => passed += 1,
            ours => {
                let code = text(&case, "code");
                report.push_str(&format!("{code}\n  expected {other}\n  got      {ours:?}\n"));
            }
        }
    }
    println!("runtime framework: {passed} of {all} pass");
    assert!(passed * 100 >= all * 97, "{passed} of {all} pass, fewer than 97 %:\n{report}");
}

macro_rules! areas {
    ($($area:ident)*) => { $(
        #[test]
        fn $area() {
            check(stringify!($area));
        }
    )* };
}

mod recorded_results_of {
    use super::check;

    areas! {
        collections crypto datetime encoding errors json jwt linq numbers regex statements strings
        typing values xml
    }

    #[test]
    fn realistic() {
        let Some((all, passed)) = check("realistic") else { return };
        assert!(passed * 100 >= all * 90, "{passed} of {all} pass: fewer than 90 %");
    }
}
