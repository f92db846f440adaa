//! Policy fragments: named pieces of policy that documents include.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/policy-fragments>

use std::collections::BTreeMap;
use std::sync::Arc;

use document::{Diagnostic, Document};

use crate::codes;

/// Largest fragment, in bytes.
pub const MAX_FRAGMENT_BYTES: usize = 512 * 1024;

/// The fragments of a configuration, by name.
#[derive(Clone, Debug, Default)]
pub struct Fragments {
    fragments: BTreeMap<String, Fragment>,
    some_are_missing: bool,
}

/// One fragment, parsed once.
#[derive(Clone, Debug)]
pub struct Fragment {
    pub(crate) file: Arc<str>,
    pub(crate) document: Document,
    problems: Vec<Diagnostic>,
}

impl Fragments {
    /// No fragments; including one is an error.
    #[must_use]
    pub fn new() -> Fragments {
        Fragments::default()
    }

    /// For documents read on their own: including an unknown fragment is a note.
    #[must_use]
    pub fn not_at_hand() -> Fragments {
        Fragments { some_are_missing: true, ..Fragments::default() }
    }

    /// Adds a fragment; a second one of the same name replaces the first.
    pub fn insert(&mut self, name: impl Into<String>, file: Arc<str>, text: &str) {
        self.fragments.insert(name.into(), Fragment::parse(file, text));
    }

    /// The fragment of exactly that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Fragment> {
        self.fragments.get(name)
    }

    /// All fragments by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fragment)> {
        self.fragments.iter().map(|(name, it)| (name.as_str(), it))
    }

    /// Whether a fragment that is not here may exist elsewhere.
    pub(crate) fn some_are_missing(&self) -> bool {
        self.some_are_missing
    }
}

impl Fragment {
    /// Parses a fragment; its problems are reported where it is checked or included.
    #[must_use]
    pub fn parse(file: Arc<str>, text: &str) -> Fragment {
        let (document, mut problems) = document::parse(text);
        if text.len() > MAX_FRAGMENT_BYTES {
            problems.push(Diagnostic::error(
                codes::FRAGMENT_TOO_LARGE,
                0..0,
                format!("policy fragment has {} bytes, 524288 are allowed", text.len()),
            ));
        }
        match document.root() {
            Ok(root) if root.name != "fragment" => problems.push(
                Diagnostic::error(
                    codes::UNKNOWN_ROOT,
                    root.name_span,
                    format!("a policy fragment is `<fragment>`, not `<{}>`", root.name),
                )
                .label("root element"),
            ),
            Ok(_) => {}
            Err(problem) if problems.is_empty() => problems.push(problem),
            Err(_) => {}
        }
        let problems = problems.into_iter().map(|it| it.in_file(Arc::clone(&file))).collect();
        Fragment { file, document, problems }
    }

    /// The file as people name it.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// What is wrong with the fragment as a document, wherever it is included.
    #[must_use]
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes_of(text: &str) -> Vec<&'static str> {
        let fragment = Fragment::parse("f.xml".into(), text);
        fragment.problems().iter().map(|it| it.code.as_str()).collect()
    }

    #[test]
    fn a_fragment_is_a_fragment_element() {
        assert_eq!(codes_of("<fragment><a/></fragment>"), [""; 0]);
        assert_eq!(codes_of("<policies/>"), ["PC0419"]);
    }

    #[test]
    fn a_fragment_has_512_kib_at_most() {
        let filled = |n| format!("<fragment>{}</fragment>", " ".repeat(n));

        assert_eq!(codes_of(&filled(MAX_FRAGMENT_BYTES - 21)), [""; 0]);
        assert_eq!(codes_of(&filled(MAX_FRAGMENT_BYTES - 20)), ["PC0421"]);
    }

    #[test]
    fn problems_name_the_file() {
        let fragment = Fragment::parse("f.xml".into(), "<fragment>");

        assert_eq!(fragment.problems()[0].file.as_deref(), Some("f.xml"));
    }
}
