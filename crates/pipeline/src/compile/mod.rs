//! From documents to steps.
//!
//! ```text
//! Document ─schema check─▶ every problem
//!          ─PolicyKind::compile─▶ steps with their places ─▶ CompiledDocument
//! ```
//!
//! Start with [`compile_document`]. Nothing stops at the first problem: elements that are refused
//! are left out, the rest is compiled to find what else is wrong, and the result is given only if
//! there is no error.

mod check;
mod content;
mod cx;
mod element;
mod expressions;
mod lone;
mod policies;
mod resolver;
mod template;
mod values;

use std::sync::Arc;

use document::{Diagnostic, Document, NamedValues};
use expr::Uses;

pub use cx::CompileCx;
pub use element::Element;
pub use lone::{Checked, check_fragment, check_text};
pub use resolver::compile_resolver;
pub use template::Flaw as TemplateFlaw;

use crate::backends::Backends;
use crate::bodies::Event;
use crate::codes;
use crate::effective::{CompiledDocument, Item};
use crate::fragments::Fragments;
use crate::message::Message;
use crate::operation::Operation;
use crate::registry::Registry;
use crate::section::{Scope, Section};
use crate::services::Extensions;

/// A policy that may stand in `backend` besides others, and several times.
const RESOLVER: &str = "set-graphql-resolver";

/// What documents may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The policies that are built in.
    pub registry: &'a Registry,
    /// What `{{name}}` stands for.
    pub named_values: &'a NamedValues,
    /// What `include-fragment` includes.
    pub fragments: &'a Fragments,
    /// The backend entities; `None` if they are not at hand.
    pub backends: Option<&'a Backends>,
    /// What policies need when they are compiled, by type; empty when documents are only checked.
    pub extensions: &'a Extensions,
    /// How expressions are compiled.
    pub options: &'a expr::Options,
}

/// Where a document hangs.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The scope.
    pub scope: Scope,
    /// The operation, at operation scope.
    pub operation: Option<&'a Operation>,
}

impl Target<'_> {
    /// A scope that is not an operation's.
    #[must_use]
    pub fn scope(scope: Scope) -> Target<'static> {
        Target { scope, operation: None }
    }
}

/// Compiles a `<policies>` document for the place where it hangs.
///
/// The document is given if there is no error and all it refers to is at hand. Problems of
/// parsing are not repeated here. A fragment's problems are reported with the fragment's file,
/// by every document that includes it.
#[must_use]
pub fn compile_document(
    document: &Document,
    file: Option<Arc<str>>,
    target: Target<'_>,
    surroundings: &Surroundings<'_>,
) -> (Option<CompiledDocument>, Vec<Diagnostic>) {
    let mut cx = CompileCx::new(surroundings, target, file, document.source());
    let compiled = match document.root() {
        Ok(root) => cx.policies_element(root),
        Err(problem) => {
            cx.report(problem);
            None
        }
    };
    let is_whole = !cx.is_incomplete && !cx.diagnostics.iter().any(Diagnostic::is_error);
    (compiled.filter(|_| is_whole), cx.diagnostics)
}

/// What the global scope does without a document: it forwards the request.
///
/// `None` if the registry has no `forward-request`.
#[must_use]
pub fn compile_default_global(surroundings: &Surroundings<'_>) -> Option<CompiledDocument> {
    const TEXT: &str = "<policies><inbound /><backend><forward-request /></backend>\
                        <outbound /><on-error /></policies>";
    let (document, _) = document::parse(TEXT);
    compile_document(&document, None, Target::scope(Scope::Global), surroundings).0
}

impl<'a> CompileCx<'a> {
    fn new(
        surroundings: &'a Surroundings<'a>,
        target: Target<'a>,
        file: Option<Arc<str>>,
        source: &Arc<str>,
    ) -> CompileCx<'a> {
        CompileCx {
            surroundings,
            target,
            file,
            source: Arc::clone(source),
            section: Section::Inbound,
            message: Message::Request,
            path: Vec::new(),
            in_fragment: false,
            in_resolver: false,
            is_child_of_policy: false,
            uses: Uses::default(),
            diagnostics: Vec::new(),
            n_expressions: 0,
            is_incomplete: false,
            once: Vec::new(),
            preparations: Vec::new(),
            events: Vec::new(),
        }
    }

    fn policies_element(&mut self, root: &document::Element) -> Option<CompiledDocument> {
        if root.name != "policies" {
            let message = match root.name.as_str() {
                name if resolver::is_root(name) => format!(
                    "`{name}` is the document of a GraphQL resolver: it stands in \
                     `apis/API/resolvers/NAME/policy.xml`"
                ),
                name => format!("a policy document is `<policies>`, not `<{name}>`"),
            };
            self.report(
                Diagnostic::error(codes::UNKNOWN_ROOT, root.name_span, message)
                    .label("root element"),
            );
            return None;
        }
        let shape = check::Shape { attrs: &[], children: &[], has_id: false };
        check::attributes(self, root, shape);
        check::text_is_absent(self, root);
        let mut compiled = CompiledDocument::inheriting(self.target.scope);
        let mut seen: Vec<Section> = Vec::new();
        for node in root.child_elements() {
            match Section::from_name(&node.name) {
                None => self.unknown_section(node),
                Some(section) if seen.contains(&section) => self.report(
                    Diagnostic::error(
                        codes::REPEATED_SECTION,
                        node.name_span,
                        format!("section `{section}` is repeated"),
                    )
                    .label("put the policies into the first one"),
                ),
                Some(section) => {
                    seen.push(section);
                    let items = self.section_element(node, section);
                    let events = std::mem::take(&mut self.events);
                    compiled.set(section, items, events);
                }
            }
        }
        Some(compiled)
    }

    fn unknown_section(&mut self, node: &document::Element) {
        let message = format!("unknown section `{}`", node.name);
        let it = Diagnostic::error(codes::UNKNOWN_SECTION, node.name_span, message);
        let near = document::closest(&node.name, Section::ALL.map(Section::name));
        let is_policy = self.surroundings.registry.get(&node.name).is_some();
        self.report(match near {
            Some(near) => it.label(format!("did you mean `{near}`?")),
            None if is_policy => it.label("policies stand inside of a section"),
            None => it.label("not a section"),
        });
    }

    fn section_element(&mut self, node: &document::Element, section: Section) -> Vec<Item> {
        self.section = section;
        self.message = match section {
            Section::Inbound | Section::Backend => Message::Request,
            Section::Outbound | Section::OnError => Message::Response,
        };
        let shape = check::Shape { attrs: &[], children: &[], has_id: false };
        check::attributes(self, node, shape);
        check::text_is_absent(self, node);
        let mut counted = node.child_elements().filter(|it| it.name != RESOLVER);
        if section == Section::Backend
            && let Some(second) = counted.nth(1)
        {
            self.report(
                Diagnostic::warning(
                    codes::SEVERAL_IN_BACKEND,
                    second.name_span,
                    "`backend` holds more than one policy",
                )
                .label("the documentation allows one"),
            );
        }
        let mut items = Vec::new();
        let mut has_base = false;
        for child in node.child_elements() {
            if child.name == "base" {
                self.base(child, has_base);
                has_base = true;
                items.push(Item::Base);
                self.events.push(Event::Base);
            } else {
                self.path.push(element::segment(node, child));
                if let Some(step) = self.policy(child) {
                    step.into_items(&mut items);
                }
                self.path.pop();
            }
        }
        items
    }

    fn base(&mut self, node: &document::Element, is_repeated: bool) {
        let shape = check::Shape { attrs: &[], children: &[], has_id: true };
        check::check(self, node, shape);
        if is_repeated {
            self.report(
                Diagnostic::error(
                    codes::MISPLACED_BASE,
                    node.name_span,
                    format!("`base` may stand only once in `{}`", self.section),
                )
                .label("repeated"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{World, document_problems};

    #[test]
    fn a_document_has_its_four_sections_once_each() {
        for (text, codes) in [
            ("<policies />", "fine"),
            ("<policies><inbound/><backend/><outbound/><on-error/></policies>", "fine"),
            ("<policies><inbound/><inbound/></policies>", "PC0416"),
            ("<policies><inbuond/></policies>", "PC0415"),
            ("<policies><mark name='a'/></policies>", "PC0415"),
            ("<policies>text</policies>", "PC0408"),
            ("<policies><inbound>text</inbound></policies>", "PC0408"),
            ("<policies x='1'/>", "PC0403"),
            ("<fragment />", "PC0419"),
            ("<http-data-source />", "PC0419"),
        ] {
            assert_eq!(document_problems(text), codes, "{text}");
        }
    }

    #[test]
    fn base_stands_directly_in_a_section_at_most_once() {
        for (inbound, codes) in [
            ("<base /><mark name='a'/>", "fine"),
            ("<base /><mark name='a'/><base />", "PC0417"),
            ("<base x='1'/>", "PC0403"),
            ("<base>text</base>", "PC0408"),
            ("<end><base /></end>", "PC0417"),
        ] {
            let text = format!("<policies><inbound>{inbound}</inbound></policies>");
            assert_eq!(document_problems(&text), codes, "{inbound}");
        }
    }

    #[test]
    fn several_policies_in_backend_are_a_warning() {
        let backend = |it| format!("<policies><backend>{it}</backend></policies>");

        assert_eq!(document_problems(&backend("<mark name='a'/>")), "fine");
        assert_eq!(document_problems(&backend("<mark name='a'/><base/>")), "PC0418");
        // A policy that is not known here: what is looked at is that it does not count.
        let resolvers = "<set-graphql-resolver/><set-graphql-resolver/><base/>";
        assert_eq!(document_problems(&backend(resolvers)), "PC0402 PC0402");
    }

    #[test]
    fn a_document_with_an_error_is_not_given() {
        let (compiled, problems) = World::default()
            .compile(Scope::Api, "<policies><inbound><nothing/></inbound></policies>");

        assert!(compiled.is_none());
        assert_eq!(problems[0].file.as_deref(), Some("policy.xml"));
        assert_eq!(problems[0].message, "unknown policy `nothing`");
    }

    #[test]
    fn the_default_of_the_global_scope_needs_forward_request() {
        assert!(World::default().surrounded(compile_default_global).is_none());
    }
}
