//! Checking documents on their own: what they refer to need not be at hand.

use std::sync::Arc;

use document::{Diagnostic, NamedValues};

use super::cx::CompileCx;
use super::{Element, Surroundings, Target, check, resolver};
use crate::bodies;
use crate::fragments::{Fragment, Fragments};
use crate::message::Message;
use crate::registry::Registry;
use crate::section::{Scope, Section};
use crate::services::Extensions;

/// What checking a document found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Every problem, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// How many policy expressions were compiled.
    pub n_expressions: usize,
    /// Whether it is a fragment and not a document.
    pub is_fragment: bool,
}

/// Checks the text of a policy document or fragment on its own: named values, fragments and
/// backends that are not at hand are notes.
#[must_use]
pub fn check_text(
    text: &str,
    file: Option<Arc<str>>,
    registry: &Registry,
    options: &expr::Options,
) -> Checked {
    let surroundings = Surroundings {
        registry,
        named_values: &NamedValues::not_at_hand(),
        fragments: &Fragments::not_at_hand(),
        backends: None,
        extensions: &Extensions::default(),
        options,
    };
    let (document, problems) = document::parse(text);
    let name = document.root().map(|it| it.name.as_str()).unwrap_or_default();
    if name == "fragment" {
        let fragment = Fragment::parse(file.unwrap_or_else(|| "fragment".into()), text);
        return check_fragment(&fragment, &surroundings);
    }
    let mut cx = CompileCx::new(&surroundings, Target::scope(Scope::Api), file, document.source());
    let is_readable = !problems.iter().any(Diagnostic::is_error);
    for problem in problems {
        cx.report(problem);
    }
    match document.root() {
        Ok(root) if resolver::is_root(&root.name) => {
            cx.resolver_element(root);
        }
        Ok(root) => {
            if let Some(compiled) = cx.policies_element(root) {
                let sections = [Section::Inbound, Section::Backend, Section::Outbound];
                for problem in bodies::lone_warnings(sections.map(|it| compiled.events(it))) {
                    cx.report(problem);
                }
            }
        }
        // A text that cannot be read has said so already.
        Err(problem) if is_readable => cx.report(problem),
        Err(_) => {}
    }
    checked(cx, false)
}

/// Checks a fragment on its own. It may be meant for any section, so the one that finds the
/// fewest errors counts.
#[must_use]
pub fn check_fragment(fragment: &Fragment, surroundings: &Surroundings<'_>) -> Checked {
    let in_section = |section: Section| {
        let file = Some(Arc::clone(fragment.file()));
        let source = fragment.document.source();
        let mut cx = CompileCx::new(surroundings, Target::scope(Scope::Api), file, source);
        cx.section = section;
        cx.message = match section {
            Section::Inbound | Section::Backend => Message::Request,
            Section::Outbound | Section::OnError => Message::Response,
        };
        cx.in_fragment = true;
        for problem in fragment.problems() {
            cx.report(problem.clone());
        }
        if let Ok(root) = fragment.document.root()
            && root.name == "fragment"
        {
            check::text_is_absent(&mut cx, root);
            if let Err(problem) = cx.steps(Element::new(root)) {
                cx.report(problem);
            }
        }
        checked(cx, true)
    };
    let n_errors = |it: &Checked| it.diagnostics.iter().filter(|it| it.is_error()).count();
    let mut best = in_section(Section::Inbound);
    for section in [Section::Outbound, Section::Backend, Section::OnError] {
        if n_errors(&best) == 0 {
            break;
        }
        let other = in_section(section);
        if n_errors(&other) < n_errors(&best) {
            best = other;
        }
    }
    best
}

fn checked(cx: CompileCx<'_>, is_fragment: bool) -> Checked {
    let mut diagnostics = cx.diagnostics;
    diagnostics.sort_by_key(|it| (it.span.start, it.severity));
    Checked { diagnostics, n_expressions: cx.n_expressions, is_fragment }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{KINDS, codes_of};

    fn check(text: &str) -> (String, bool) {
        let checked = check_text(text, None, &Registry::new(KINDS), &expr::Options::default());
        (codes_of(&checked.diagnostics), checked.is_fragment)
    }

    #[test]
    fn what_is_not_at_hand_is_a_note() {
        let text =
            "<policies><inbound><mark name='{{n}}'/><include name='f'/></inbound></policies>";
        let checked = check_text(text, None, &Registry::new(KINDS), &expr::Options::default());

        assert_eq!(codes_of(&checked.diagnostics), "PC0204 PC0201");
        assert!(checked.diagnostics.iter().all(|it| it.severity == document::Severity::Note));
    }

    #[test]
    fn a_fragment_may_be_meant_for_any_section() {
        assert_eq!(check("<fragment><end/></fragment>"), ("fine".to_owned(), true));
        assert_eq!(check("<fragment><end/><nothing/></fragment>"), ("PC0401".to_owned(), true));
        assert_eq!(check("<fragment><include name='f'/></fragment>"), ("PC0420".to_owned(), true));
    }

    #[test]
    fn a_text_that_cannot_be_read_says_why() {
        assert_eq!(check("<policies><inbound></policies>").0, "PC0102");
        assert_eq!(check("").0, "PC0116");
    }

    #[test]
    fn problems_are_sorted_by_place() {
        let text = "<policies><inbound><mark/><nothing/></inbound><inbound/></policies>";
        assert_eq!(check(text).0, "PC0404 PC0401 PC0416");
    }
}
