//! `portcullis validate`: every policy, fragment, reference and expression, without the network.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use config::{Engine, Environment, NoSecrets, Options, Secrets, Source, Summary};
use document::Severity;
use document::render::Colours;

use super::run::block_on;
use super::{complain, say};
use crate::cli::{FindingFormat, Global, Validate};
use crate::edges::offline_extensions;
use crate::exit::Exit;
use crate::findings::Findings;
use crate::{explain, terminal};

pub(crate) fn run(arguments: &Validate, global: &Global) -> Exit {
    if let Some(code) = &arguments.explain {
        return explain_code(code);
    }
    let options = Options {
        environment_name: arguments.env.clone(),
        environment: Environment::of_process(),
        secrets: Secrets::Assume,
        ..Options::default()
    };
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() { &here } else { arguments.paths.as_slice() };
    let deny_warnings = arguments.deny.is_some();
    block_on(async {
        let report = Report { format: arguments.format, deny_warnings };
        report.check(paths, &options, global).await
    })
}

/// Checks as `run --dry-run` does.
pub(crate) async fn check(paths: &[PathBuf], options: &Options, global: &Global) -> Exit {
    let options = Options { secrets: Secrets::Assume, ..options.clone() };
    let report = Report { format: FindingFormat::Human, deny_warnings: false };
    report.check(paths, &options, global).await
}

struct Report {
    format: FindingFormat,
    deny_warnings: bool,
}

impl Report {
    async fn check(&self, paths: &[PathBuf], options: &Options, global: &Global) -> Exit {
        let started = Instant::now();
        let mut findings = Findings::default();
        let mut summary = Summary::default();
        for path in paths {
            let checked = match is_lone(path) {
                _ if !path.exists() => {
                    complain(&format!("{}: no such file or folder", path.display()));
                    return Exit::Unreadable;
                }
                true => lone(path, &mut findings, &mut summary),
                false => {
                    configuration(path, options, &mut findings, &mut summary).await;
                    Ok(())
                }
            };
            if let Err(error) = checked {
                complain(&format!("{}: {error}", path.display()));
                return Exit::Unreadable;
            }
        }
        let colours = match terminal::colours_of_output(global.color) {
            true => Colours::On,
            false => Colours::Off,
        };
        let text = findings.format(self.format, colours);
        if !text.is_empty() {
            say(&text);
        }
        if self.format == FindingFormat::Human {
            say(&closing(&findings, summary, started));
        }
        let warnings = findings.count(Severity::Warning);
        let found = findings.count(Severity::Error) > 0 || (self.deny_warnings && warnings > 0);
        if found { Exit::Findings } else { Exit::Success }
    }
}

fn explain_code(code: &str) -> Exit {
    match explain::find(code) {
        Some(entry) => {
            say(&format!("{}: {}\n\n{}", entry.code, entry.summary, entry.explanation));
            Exit::Success
        }
        None => {
            let codes: Vec<&str> = explain::all().iter().map(|it| it.code.as_str()).collect();
            complain(&format!("there is no code `{code}`; there are {}", codes.join(", ")));
            Exit::Usage
        }
    }
}

/// Whether a path is a policy or fragment file by itself.
fn is_lone(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    path.is_file() && !matches!(extension.to_str(), Some("yaml" | "yml"))
}

fn lone(path: &Path, findings: &mut Findings, summary: &mut Summary) -> std::io::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let name: Arc<str> = path.display().to_string().into();
    let registry = pipeline::Registry::new(policies::ALL);
    let options = expr::Options::default();
    let checked = pipeline::check_text(&text, Some(name.clone()), &registry, &options);
    findings.diagnostics.extend(checked.diagnostics);
    findings.sources.add(name.clone(), text);
    findings.files.push(name.to_string());
    summary.n_expressions += checked.n_expressions;
    if checked.is_fragment {
        summary.n_fragments += 1;
    } else {
        summary.n_policies += 1;
    }
    Ok(())
}

async fn configuration(
    path: &Path,
    options: &Options,
    findings: &mut Findings,
    summary: &mut Summary,
) {
    let (source, unreadable) = Source::read(path);
    let registry = pipeline::Registry::new(policies::ALL);
    let engine = Engine { registry: &registry, extensions: &offline_extensions() };
    let loaded = config::load(&source, options, &NoSecrets, engine).await;
    let names = source.files().map(|(name, _)| name.to_string());
    let found = unreadable.into_iter().chain(loaded.diagnostics);
    // Files are named from where the command was typed, as editors and code scanning want it.
    match folder(path) {
        None => {
            findings.diagnostics.extend(found);
            findings.files.extend(names);
            findings.sources.extend(loaded.sources);
        }
        Some(folder) => {
            findings.diagnostics.extend(found.map(|it| it.below(&folder)));
            findings.files.extend(names.map(|name| format!("{folder}/{name}")));
            findings.sources.extend(loaded.sources.below(&folder));
        }
    }
    summary.n_policies += loaded.summary.n_policies;
    summary.n_fragments += loaded.summary.n_fragments;
    summary.n_expressions += loaded.summary.n_expressions;
}

/// The folder of a configuration, unless it is the one where the command was typed.
fn folder(path: &Path) -> Option<String> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    let text = folder.to_string_lossy();
    let text = text.trim_end_matches('/').trim_start_matches("./");
    (!text.is_empty() && text != ".").then(|| text.to_owned())
}

fn closing(findings: &Findings, summary: Summary, started: Instant) -> String {
    let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let policies = match summary.n_policies {
        1 => "1 policy".to_owned(),
        n => format!("{n} policies"),
    };
    format!(
        "{policies}, {}, {} checked in {} ms: {}, {}",
        count(summary.n_fragments, "fragment"),
        count(summary.n_expressions, "expression"),
        started.elapsed().as_millis(),
        count(findings.count(Severity::Error), "error"),
        count(findings.count(Severity::Warning), "warning"),
    )
}
