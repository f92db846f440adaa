//! Elements whose content is not only text: markup, and other vocabularies.

use document::{Diagnostic, Mode, Resolved, SourceText};

use super::cx::CompileCx;
use super::element::Element;
use super::values::Reading;
use crate::codes;
use crate::computed::{Computed, OnNull};
use crate::convert::Convert;
use crate::schema::Child;

impl CompileCx<'_> {
    /// The content of an element declared with [`Child::markup`](crate::Child::markup): a
    /// literal is kept exactly, tags included.
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn markup<T: Convert>(&mut self, element: Element<'_>) -> Result<Computed<T>, Diagnostic> {
        let text = element.text();
        let (_, problems) = self.surroundings.named_values.resolve(&text, Mode::Policy);
        for problem in problems {
            self.report(problem);
        }
        let subject = element.name().to_owned();
        let reading = Reading { on_null: OnNull::Convert, trim: false, subject };
        Ok(self.computed(&text, Mode::Policy, reading))
    }

    /// The element of another vocabulary in a policy declared with
    /// [`Child::foreign`](crate::Child::foreign): its source text, tags included, with named values
    /// put in. `known` are the child elements of the schema. `None` if a named value is missing.
    ///
    /// # Errors
    ///
    /// There is no such element, or more than one.
    pub fn foreign(
        &mut self,
        element: Element<'_>,
        known: &[&Child],
    ) -> Result<Option<Resolved>, Diagnostic> {
        let is_foreign =
            |it: &&document::Element| !known.iter().any(|child| child.name() == it.name);
        let mut found = element.node().child_elements().filter(is_foreign);
        let Some(first) = found.next() else {
            let message = format!("`{}` holds nothing", element.name());
            return Err(self.refuse(element, codes::MISSING_CHILD, message).label("empty"));
        };
        if let Some(second) = found.next() {
            let message = format!("`{}` may not stand beside `{}`", second.name, first.name);
            let it = Diagnostic::error(codes::REPEATED_CHILD, second.name_span, message);
            return Err(it.label("one element is allowed here"));
        }
        let source = self.source.get(first.span.range()).unwrap_or("");
        let text = SourceText::verbatim(source, first.span.range().start);
        let (resolved, problems) = self.surroundings.named_values.resolve(&text, Mode::Policy);
        for problem in problems {
            self.report(problem);
        }
        if resolved.is_missing() {
            self.is_incomplete = true;
            return Ok(None);
        }
        Ok(Some(resolved))
    }
}
