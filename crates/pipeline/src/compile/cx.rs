//! What a policy's `compile` is given: where it stands, what is at hand, and a place to report
//! problems. Values are read in `values`, nested steps and fragments in `policies`.

use std::sync::Arc;

use document::{Code, Diagnostic};
use expr::Uses;

use super::element::Element;
use super::{Surroundings, Target};
use crate::bodies::Event;
use crate::codes;
use crate::message::Message;
use crate::operation::Operation;
use crate::schema::Attr;
use crate::section::{Scope, Section};
use crate::step::Preparation;

/// Compiles the policies of one document.
#[derive(Debug)]
pub struct CompileCx<'a> {
    pub(super) surroundings: &'a Surroundings<'a>,
    pub(super) target: Target<'a>,
    pub(super) file: Option<Arc<str>>,
    /// The text that places of the document point into.
    pub(super) source: Arc<str>,
    pub(super) section: Section,
    pub(super) message: Message,
    /// Element names from below the section.
    pub(super) path: Vec<String>,
    pub(super) in_fragment: bool,
    /// The children of a policy such as `return-response`, whose schema names them.
    pub(super) is_child_of_policy: bool,
    pub(super) uses: Uses,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) n_expressions: usize,
    /// The policies belong to a GraphQL resolver.
    pub(super) in_resolver: bool,
    /// A named value or fragment is not at hand: the result cannot run.
    pub(super) is_incomplete: bool,
    /// Policies seen that should stand once in a section.
    pub(super) once: Vec<(Section, String)>,
    /// What the policies compiled so far do for each operation.
    pub(super) preparations: Vec<Preparation>,
    /// What the statements compiled so far do with the bodies.
    pub(super) events: Vec<Event>,
}

impl<'a> CompileCx<'a> {
    /// An error at an element.
    #[must_use]
    pub fn refuse(
        &self,
        element: Element<'_>,
        code: Code,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(code, element.span(), message)
    }

    /// An error at an attribute's value.
    #[must_use]
    pub fn refuse_attr(
        &self,
        element: Element<'_>,
        attr: &Attr,
        code: Code,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(code, element.attr_span(attr), message)
    }

    /// Reports a problem and goes on. An error keeps the document from loading.
    pub fn report(&mut self, problem: Diagnostic) {
        let problem = match &self.file {
            Some(file) if problem.file.is_none() => problem.in_file(Arc::clone(file)),
            _ => problem,
        };
        if !self.diagnostics.iter().any(|it| is_same(it, &problem)) {
            self.diagnostics.push(problem);
        }
    }

    /// What a policy needs and the framework does not know, by its type; none when documents
    /// are only checked.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.surroundings.extensions.get()
    }

    /// What all policies of a process share, such as counters; see [`Extensions::shared`].
    ///
    /// [`Extensions::shared`]: crate::Extensions::shared
    #[must_use]
    pub fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.surroundings.extensions.shared()
    }

    /// Whether a backend of that name exists; `None` if the backends are not at hand.
    #[must_use]
    pub fn has_backend(&self, id: &str) -> Option<bool> {
        self.surroundings.backends.map(|it| it.get(id).is_some())
    }

    /// The names of the backends at hand, for suggestions.
    #[must_use]
    pub fn backend_names(&self) -> Vec<&'a str> {
        self.surroundings.backends.map(|it| it.names().collect()).unwrap_or_default()
    }

    /// The operation that the document hangs at; none at other scopes.
    #[must_use]
    pub fn operation(&self) -> Option<&'a Operation> {
        self.target.operation
    }

    /// The section that is being compiled.
    #[must_use]
    pub fn section(&self) -> Section {
        self.section
    }

    /// The scope that the document hangs at.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.target.scope
    }

    /// The message that a transforming policy works on here.
    #[must_use]
    pub fn message(&self) -> Message {
        self.message
    }

    /// Whether the policy stands in a policy fragment.
    #[must_use]
    pub fn is_in_fragment(&self) -> bool {
        self.in_fragment
    }

    /// Whether the policy stands directly in its section, or in a fragment that does.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        let outer = self.path.split_last().map_or(&[][..], |(_, outer)| outer);
        outer.iter().all(|it| it.split('[').next() == Some("include-fragment"))
    }

    /// For a policy that should stand once in a section: a warning if it was there before. A
    /// schema says so with [`Sections::once`](crate::Sections::once).
    pub fn once(&mut self, element: Element<'_>) {
        let name = element.name();
        if self.once.iter().any(|(section, it)| *section == self.section && it == name) {
            let message = format!("`{name}` stands more than once in `{}`", self.section);
            let it = Diagnostic::warning(codes::REPEATED_POLICY, element.span(), message);
            self.report(it.label("documented to stand once in a section"));
            return;
        }
        self.once.push((self.section, name.to_owned()));
    }

    /// Something that the policy needs is not at hand: the document is only checked.
    pub fn not_at_hand(&mut self) {
        self.is_incomplete = true;
    }

    /// Compiles what belongs to a GraphQL resolver: expressions see `context.GraphQL` there.
    pub fn in_resolver<R>(&mut self, compile: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.in_resolver, true);
        // What a resolver does with its bodies is no concern of the section.
        let events = std::mem::take(&mut self.events);
        let compiled = compile(self);
        self.events = events;
        self.in_resolver = outer;
        compiled
    }

    /// Has the policy prepared for each operation that it runs for, when the configuration is
    /// loaded.
    pub fn prepare(
        &mut self,
        prepare: impl Fn(&Arc<Operation>) -> Vec<String> + Send + Sync + 'static,
    ) {
        self.preparations.push(Preparation(Arc::new(prepare)));
    }
}

/// Whether the two tell the same of the same place, as the parser and the check may do.
fn is_same(a: &Diagnostic, b: &Diagnostic) -> bool {
    a.code == b.code
        && a.file == b.file
        && a.message == b.message
        && (a.span == b.span || a.span.contains(b.span) || b.span.contains(a.span))
}
