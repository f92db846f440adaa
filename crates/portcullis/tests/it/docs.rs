//! What the documentation shows of the program is what the program prints.
//!
//! A block that starts with ```` ```console ```` holds one command after `$ ` and its output. The
//! test runs it at the root of the project and compares; `UPDATE_DOCS=1` writes the output instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    for folder in ["docs", "docs/policies"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|it| it.unwrap().path());
        pages.extend(files.filter(|it| it.extension().is_some_and(|e| e == "md")));
    }
    pages.sort();
    pages
}

/// Standard output, then standard error, of a command line that starts with `portcullis`.
fn output(command: &str) -> String {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("portcullis"), "`{command}` is not ours");
    let done = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(words.map(|it| it.trim_matches('\'')))
        .current_dir(root())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    let text = [done.stdout, done.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The page with every console block's output replaced by the real one, and how many there are.
fn with_real_output(page: &str) -> (String, usize) {
    let (mut real, mut n_blocks) = (String::new(), 0);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        real.push_str(line);
        real.push('\n');
        if line != "```console" {
            continue;
        }
        let command = lines.next().unwrap_or_default();
        let Some(command_line) = command.strip_prefix("$ ") else {
            panic!("a console block starts with `{command}`, not with `$ `");
        };
        n_blocks += 1;
        real.push_str(&format!("{command}\n{}```\n", output(command_line)));
        for line in lines.by_ref() {
            if line == "```" {
                break;
            }
        }
    }
    (real, n_blocks)
}

#[test]
fn every_console_block_shows_what_the_program_prints() {
    let mut n_blocks = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let (real, n) = with_real_output(&text);
        n_blocks += n;
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&page, &real).unwrap();
        } else {
            assert_eq!(text, real, "{}; UPDATE_DOCS=1 mends it", page.display());
        }
    }
    assert!(n_blocks >= 5, "only {n_blocks} console blocks were found");
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            // What has a space is code: a method behind a bracket.
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            let path = page.parent().unwrap().join(file);
            assert!(path.exists(), "{} links to {target}", page.display());
        }
    }
}
