//! Documents of GraphQL resolvers: one data source as the root.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/http-data-source-policy>

use std::sync::Arc;

use document::{Diagnostic, Document};

use super::{CompileCx, Surroundings, Target};
use crate::codes;
use crate::graphql::FieldResolver;
use crate::message::Message;
use crate::schema::Child;
use crate::section::{Scope, Section};
use crate::step::Steps;

/// The roots of resolvers' documents.
const ROOTS: [&str; 3] = ["http-data-source", "cosmosdb-data-source", "sql-data-source"];

/// Whether a document with this root belongs to a resolver.
pub(super) fn is_root(name: &str) -> bool {
    ROOTS.contains(&name)
}

/// Compiles the document of a GraphQL resolver.
///
/// The resolver is given if there is no error and all it refers to is at hand. Problems of parsing
/// are not repeated here.
#[must_use]
pub fn compile_resolver(
    document: &Document,
    file: Option<Arc<str>>,
    surroundings: &Surroundings<'_>,
) -> (Option<FieldResolver>, Vec<Diagnostic>) {
    let target = Target::scope(Scope::Api);
    let mut cx = CompileCx::new(surroundings, target, file, document.source());
    let steps = match document.root() {
        Ok(root) => cx.resolver_element(root),
        Err(problem) => {
            cx.report(problem);
            None
        }
    };
    let is_whole = !cx.is_incomplete && !cx.diagnostics.iter().any(Diagnostic::is_error);
    (steps.filter(|_| is_whole).map(FieldResolver::new), cx.diagnostics)
}

impl CompileCx<'_> {
    pub(super) fn resolver_element(&mut self, root: &document::Element) -> Option<Steps> {
        if !ROOTS.contains(&root.name.as_str()) {
            let known = ROOTS.join(">` or `<");
            let message = format!("a resolver's document is `<{known}>`, not `<{}>`", root.name);
            self.report(
                Diagnostic::error(codes::UNKNOWN_ROOT, root.name_span, message)
                    .label("root element"),
            );
            return None;
        }
        self.section = Section::Backend;
        self.is_child_of_policy = true;
        self.path.push(root.name.clone());
        let step = self.in_resolver(|cx| cx.policy(root));
        self.path.pop();
        let mut steps = Steps::default();
        steps.push(step?);
        Some(steps)
    }

    /// Those of the children of a part of a resolver that have these names; the policies of a
    /// fragment are checked as if they stood in that section.
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn steps_in(
        &mut self,
        element: super::Element<'_>,
        children: &[Child],
        section: Section,
        message: Message,
    ) -> Result<Steps, Diagnostic> {
        let outer = std::mem::replace(&mut self.section, section);
        let steps = self.steps_of(element, children, message);
        self.section = outer;
        steps
    }
}
