//! The shape of the workspace: who may import whom, and what every file has.

use std::fs;
use std::path::{Path, PathBuf};

/// Every crate and the crates of ours that it may use; the plan in ARCHITECTURE.md, as a table.
const MAY_USE: &[(&str, &[&str])] = &[
    ("csharp", &[]),
    ("llm", &[]),
    ("odata", &[]),
    ("pfx", &[]),
    ("regex", &[]),
    ("dotnet", &["pfx", "regex"]),
    ("tree", &["dotnet"]),
    ("xslt", &["dotnet"]),
    ("liquid", &["dotnet", "tree"]),
    ("clr", &["dotnet"]),
    ("corelib", &["clr", "dotnet"]),
    ("library", &["clr", "corelib", "dotnet", "tree"]),
    ("context", &["clr", "corelib", "dotnet", "library"]),
    ("expr", &["clr", "context", "corelib", "csharp", "dotnet", "library"]),
    ("oracle", &["clr", "corelib", "expr", "library"]),
    ("graphql", &[]),
    ("schema", &[]),
    ("xsd", &["regex"]),
    ("mssql", &[]),
    ("postgres", &[]),
    ("state", &[]),
    ("transport", &[]),
    ("telemetry", &[]),
    ("otlp", &["telemetry", "transport"]),
    ("document", &["csharp"]),
    ("identity", &["transport"]),
    ("pipeline", &["document", "expr", "graphql", "telemetry", "transport"]),
    ("limits", &["document", "expr", "pipeline", "state", "telemetry", "transport"]),
    ("caching", &["document", "expr", "pipeline", "state", "transport"]),
    (
        "ai",
        &[
            "document",
            "expr",
            "identity",
            "limits",
            "llm",
            "pipeline",
            "postgres",
            "state",
            "telemetry",
            "transport",
        ],
    ),
    (
        "policies",
        &[
            "ai",
            "caching",
            "document",
            "expr",
            "graphql",
            "identity",
            "limits",
            "liquid",
            "mssql",
            "odata",
            "pfx",
            "pipeline",
            "schema",
            "telemetry",
            "transport",
            "tree",
            "xslt",
            "xsd",
        ],
    ),
    ("agents", &["pipeline"]),
    (
        "config",
        &["agents", "document", "expr", "graphql", "pfx", "pipeline", "telemetry", "transport"],
    ),
    ("proxy", &["agents", "config", "expr", "llm", "pipeline", "state", "telemetry", "transport"]),
    ("replicas", &["config", "postgres", "transport"]),
    (
        "cases",
        &[
            "config",
            "document",
            "expr",
            "graphql",
            "identity",
            "pipeline",
            "proxy",
            "telemetry",
            "transport",
        ],
    ),
    ("arm", &["document"]),
    ("exchange", &["arm"]),
    ("simulator", &["transport"]),
    ("admin", &["config", "document", "dotnet", "identity", "pipeline", "transport"]),
    (
        "portcullis",
        &[
            "admin",
            "ai",
            "arm",
            "caching",
            "config",
            "document",
            "exchange",
            "expr",
            "identity",
            "oracle",
            "otlp",
            "pipeline",
            "policies",
            "postgres",
            "proxy",
            "replicas",
            "simulator",
            "state",
            "telemetry",
            "transport",
        ],
    ),
];

/// Libraries that a crate must never see, whatever else it uses.
const NEVER: &[(&str, &[&str])] = &[
    ("arm", &["tokio", "http", "hyper"]),
    ("exchange", &["tokio", "http", "hyper"]),
    ("csharp", &["tokio", "http", "hyper"]),
    ("llm", &["tokio", "http", "hyper"]),
    ("odata", &["tokio", "http", "hyper"]),
    ("pfx", &["tokio", "http", "hyper"]),
    ("regex", &["tokio", "http", "hyper"]),
    ("dotnet", &["tokio", "http", "hyper"]),
    ("graphql", &["tokio", "http", "hyper"]),
    ("schema", &["tokio", "http", "hyper"]),
    ("xsd", &["tokio", "http", "hyper"]),
    ("mssql", &["http", "hyper"]),
    ("postgres", &["http", "hyper"]),
    ("replicas", &["http", "hyper"]),
    ("state", &["http", "hyper"]),
    ("tree", &["tokio", "http", "hyper"]),
    ("xslt", &["tokio", "http", "hyper"]),
    ("liquid", &["tokio", "http", "hyper"]),
    ("clr", &["tokio", "http", "hyper"]),
    ("corelib", &["tokio", "http", "hyper"]),
    ("library", &["tokio", "http", "hyper"]),
    ("context", &["tokio", "http", "hyper"]),
    ("expr", &["tokio", "http", "hyper"]),
    ("oracle", &["tokio", "http", "hyper"]),
    ("document", &["tokio", "http", "hyper"]),
    ("pipeline", &["hyper"]),
    ("limits", &["hyper"]),
    ("caching", &["hyper"]),
    ("ai", &["hyper"]),
    ("policies", &["hyper"]),
    ("admin", &["hyper"]),
    ("proxy", &["rustls", "tokio-rustls"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn crates() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The names under `[dependencies]` of a crate's manifest.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|it| it == "rs") {
            into.push(path);
        }
    }
}

fn all_rust_files() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

#[test]
fn every_crate_uses_only_what_the_plan_allows() {
    for name in crates() {
        let allowed = MAY_USE
            .iter()
            .find(|(it, _)| *it == name)
            .unwrap_or_else(|| panic!("`{name}` is not in the plan"));
        for dependency in dependencies(&name) {
            let is_ours = MAY_USE.iter().any(|(it, _)| *it == dependency);
            assert!(
                !is_ours || allowed.1.contains(&dependency.as_str()),
                "`{name}` must not use `{dependency}`"
            );
        }
    }
}

#[test]
fn no_crate_sees_a_library_that_the_plan_keeps_from_it() {
    for (name, never) in NEVER {
        for dependency in dependencies(name) {
            assert!(!never.contains(&dependency.as_str()), "`{name}` must not use `{dependency}`");
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (path, text) in all_rust_files() {
        assert!(text.starts_with("//!"), "{} has no `//!` header", path.display());
    }
}

#[test]
fn no_test_is_switched_off() {
    let mark = concat!("#[", "ignore");
    for (path, text) in all_rust_files() {
        assert!(!text.contains(mark), "{} switches a test off", path.display());
    }
}

#[test]
fn only_the_program_names_the_list_of_policies() {
    let mark = concat!("policies::", "ALL");
    for (path, text) in all_rust_files() {
        let inside = |name: &str| path.starts_with(root().join("crates").join(name));
        let is_test =
            path.components().any(|it| it.as_os_str() == "tests" || it.as_os_str() == "benches");
        assert!(
            !text.contains(mark) || inside("portcullis") || inside("policies") || is_test,
            "{} names the list of policies",
            path.display()
        );
    }
}

#[test]
fn every_crate_obeys_the_lints_of_the_workspace() {
    for name in crates() {
        let manifest = root().join("crates").join(&name).join("Cargo.toml");
        let text = fs::read_to_string(manifest).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "`{name}` has lints of its own");
    }
}

#[test]
fn a_policy_file_never_imports_another_policys_file() {
    let source = root().join("crates/policies/src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let policies: Vec<String> = files
        .iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("PolicyKind = PolicyKind {"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    for path in &files {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !policies.contains(&stem) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for other in policies.iter().filter(|it| **it != stem) {
            assert!(
                !text.contains(&format!("crate::{other}::")),
                "{stem} imports the file of {other}"
            );
        }
    }
}
