//! Content in a language of its own, such as Liquid: named values are put in, problems are told at
//! their places, and secrets are not shown.

use std::ops::Range;

use document::{Code, Diagnostic, Mode, Severity};

use super::cx::CompileCx;
use super::element::Element;

/// Something wrong, or doubtful, in a text in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Error or warning.
    pub severity: Severity,
    /// The kind of problem.
    pub code: Code,
    /// The bytes of the text that are meant.
    pub span: Range<usize>,
    /// What is wrong. May quote the text.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl<'a> CompileCx<'a> {
    /// The content of an element, compiled by another language. `compile` is given the text, and
    /// whether it is source with its tags, in which references such as `&lt;` stand as written; it
    /// gives what it made and what is wrong.
    ///
    /// `{{name}}` stands for a named value only if there is one of that name; the rest is left to
    /// the language. Gives nothing if the text has errors, which are reported.
    ///
    /// # Errors
    ///
    /// None today; the signature leaves room for texts that stop the compilation.
    pub fn template<T>(
        &mut self,
        element: Element<'_>,
        compile: impl FnOnce(&str, bool) -> (Option<T>, Vec<Flaw>),
    ) -> Result<Option<T>, Diagnostic> {
        let text = element.text();
        let (resolved, problems) = self.surroundings.named_values.resolve(&text, Mode::Liquid);
        for problem in problems {
            self.report(problem);
        }
        if resolved.is_missing() {
            self.is_incomplete = true;
            return Ok(None);
        }
        let (made, flaws) = compile(resolved.as_str(), text.is_markup());
        let has_errors = flaws.iter().any(|it| it.severity == Severity::Error);
        for flaw in flaws {
            let mut it = resolved.diagnostic(
                flaw.severity,
                flaw.code,
                resolved.text(),
                flaw.span,
                &flaw.message,
            );
            if let Some(help) = flaw.help.filter(|it| !resolved.shows_secret(it)) {
                it = it.help(help);
            }
            self.report(it);
        }
        Ok(made.filter(|_| !has_errors))
    }

    /// The element that the policy is a child of; none for a policy that stands directly in its
    /// section.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        let parent = self.path.len().checked_sub(2).and_then(|at| self.path.get(at))?;
        parent.split('[').next()
    }
}

#[cfg(test)]
mod tests {
    use document::{NamedValue, NamedValues};

    use crate::test_support::{World, codes_of};
    use crate::{Scope, codes};

    #[test]
    fn problems_are_told_at_their_places_without_secrets() {
        let mut named_values = NamedValues::new();
        named_values.insert("key", NamedValue::secret("hunter2"));
        let world = World { named_values, ..World::default() };
        let compile = |content: &str| {
            let text = format!("<policies><inbound><shout>{content}</shout></inbound></policies>");
            (world.compile(Scope::Api, &text).1, text)
        };
        assert_eq!(codes_of(&compile("quiet {{body.x}}").0), "fine");
        let (problems, text) = compile("a LOUD {{key}}");
        assert_eq!(codes_of(&problems), codes::BAD_TEMPLATE.as_str());
        assert_eq!(&text[problems[0].span.range()], "LOUD");
        let (problems, _) = compile("a {{key}}");
        assert_eq!(codes_of(&problems), codes::BAD_TEMPLATE.as_str());
        assert!(!format!("{problems:?}").contains("hunter2"));
    }
}
