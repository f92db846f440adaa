//! The guide's snippets stand in the example unchanged, character for character.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text inside the guide's XML code blocks, indentation and trailing blanks included.
fn snippets(guide: &str) -> Vec<String> {
    let mut snippets = Vec::new();
    let mut open: Option<String> = None;
    for line in guide.lines() {
        match (&mut open, line.trim()) {
            (None, "```xml") => open = Some(String::new()),
            (Some(_), "```") => snippets.extend(open.take()),
            (Some(text), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    snippets
}

#[test]
fn the_example_holds_the_guides_snippets_character_for_character() {
    let Ok(guide) = fs::read_to_string(root().join("../shared/azure-openai-auth-guide.md")) else {
        eprintln!("skipped: the guide is not at hand in ../shared");
        return;
    };
    let snippets = snippets(&guide);
    let [key, identity, jwt, entra] = snippets.as_slice() else {
        panic!("the guide has {} snippets, not four", snippets.len());
    };
    let holds = |api: &str, wanted: &[&String]| {
        let file = root().join("examples/guide/apis").join(api).join("policy.xml");
        let text = fs::read_to_string(&file).unwrap();
        for snippet in wanted {
            assert!(text.contains(snippet.as_str()), "{} lost:\n{snippet}", file.display());
        }
    };
    holds("openai-key", &[key]);
    holds("openai-identity", &[identity]);
    holds("openai-jwt", &[jwt, identity]);
    holds("openai-entra", &[entra, identity]);
}
