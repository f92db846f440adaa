//! What a policy's `compile` is given: typed values of attributes and texts, nested steps,
//! fragments, and a place to report problems.

use std::sync::Arc;

use document::{Code, Diagnostic, Mode, Resolved, Severity, SourceText, Value};
use expr::{Options, Program, Uses};

use super::element::Element;
use super::{Surroundings, Target};
use crate::bodies::Event;
use crate::codes;
use crate::computed::Computed;
use crate::convert::{Convert, Unfit};

use crate::message::Message;
use crate::operation::Operation;
use crate::origin::Origin;
use crate::schema::{Attr, Child};
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

/// Whether `null` has a meaning of its own, and how literals are trimmed.
struct Reading<T> {
    on_null: Option<T>,
    trim: bool,
    subject: String,
}

impl<'a> CompileCx<'a> {
    /// The value of an attribute that is required or has a default. A value that cannot be
    /// used is reported here; compiling goes on so that all problems are found.
    ///
    /// # Errors
    ///
    /// None today; the signature leaves room for values that stop the compilation.
    pub fn attr<T: Convert>(
        &mut self,
        element: Element<'_>,
        attr: &Attr,
    ) -> Result<Computed<T>, Diagnostic> {
        debug_assert!(attr.fits(T::TYPE), "`{}` is not declared as what is read", attr.name());
        let default = attr.default_text();
        match element.node().attribute(attr.name()) {
            Some(attribute) => Ok(self.computed(
                &attribute.value,
                Mode::Policy,
                Reading {
                    on_null: default.and_then(|it| T::from_text(it).ok()),
                    trim: false,
                    subject: attr.name().to_owned(),
                },
            )),
            None => match default.map(T::from_text) {
                Some(Ok(value)) => Ok(Computed::literal(value)),
                _ => Ok(Computed::refused()),
            },
        }
    }

    /// The value of an attribute, if it is written.
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn attr_if<T: Convert>(
        &mut self,
        element: Element<'_>,
        attr: &Attr,
    ) -> Result<Option<Computed<T>>, Diagnostic> {
        if element.has(attr) { self.attr(element, attr).map(Some) } else { Ok(None) }
    }

    /// The value of an attribute that takes no expression.
    ///
    /// # Errors
    ///
    /// The value cannot be used.
    pub fn literal<T: Convert>(
        &mut self,
        element: Element<'_>,
        attr: &Attr,
    ) -> Result<T, Diagnostic> {
        let computed: Computed<T> = self.attr(element, attr)?;
        match computed.as_literal() {
            Some(value) => Ok(value.clone()),
            None => Err(self.already_reported(element)),
        }
    }

    /// The value of an attribute that takes no expression, if it is written.
    ///
    /// # Errors
    ///
    /// The value cannot be used.
    pub fn literal_if<T: Convert>(
        &mut self,
        element: Element<'_>,
        attr: &Attr,
    ) -> Result<Option<T>, Diagnostic> {
        if element.has(attr) { self.literal(element, attr).map(Some) } else { Ok(None) }
    }

    /// The text of an element, without white space at its ends.
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn text<T: Convert>(&mut self, element: Element<'_>) -> Result<Computed<T>, Diagnostic> {
        let subject = element.name().to_owned();
        let reading = Reading { on_null: None, trim: true, subject };
        Ok(self.computed(&element.text(), Mode::Policy, reading))
    }

    /// The text of an element that takes no expression, without white space at its ends.
    ///
    /// # Errors
    ///
    /// The value cannot be used.
    pub fn literal_text<T: Convert>(&mut self, element: Element<'_>) -> Result<T, Diagnostic> {
        let computed: Computed<T> = self.text(element)?;
        match computed.as_literal() {
            Some(value) => Ok(value.clone()),
            None => Err(self.already_reported(element)),
        }
    }

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
        let reading = Reading { on_null: None, trim: false, subject };
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

    /// A problem that stops the policy but was reported before.
    fn already_reported(&self, element: Element<'_>) -> Diagnostic {
        let last = self.diagnostics.last().cloned();
        last.unwrap_or_else(|| {
            self.refuse(element, codes::BAD_VALUE, format!("`{}` has a bad value", element.name()))
        })
    }

    fn computed<T: Convert>(
        &mut self,
        text: &SourceText,
        mode: Mode,
        reading: Reading<T>,
    ) -> Computed<T> {
        // Problems of named values and of the expression's end were reported by the check.
        let (resolved, _) = self.surroundings.named_values.resolve(text, mode);
        if resolved.is_missing() {
            self.is_incomplete = true;
            return Computed::refused();
        }
        match resolved.kind() {
            Err(problem) => {
                self.report(problem);
                Computed::refused()
            }
            Ok(Value::Literal(literal)) => {
                let text = literal.as_str();
                match T::from_text(if reading.trim { text.trim() } else { text }) {
                    Ok(value) if resolved.is_secret() => Computed::literal(value.secret()),
                    Ok(value) => Computed::literal(value),
                    Err(unfit) => {
                        self.report_unfit(&resolved, &literal, &reading.subject, &unfit);
                        Computed::refused()
                    }
                }
            }
            Ok(Value::Expression { form, code }) => {
                self.n_expressions += 1;
                match self.expression(&resolved, form, &code) {
                    Some(program) => {
                        self.uses = self.uses.union(program.uses());
                        self.body_reads(&resolved, &code, &program);
                        self.check_type::<T>(&code, &program, &reading.subject);
                        let is_secret = resolved.is_secret();
                        let constant = program.constant().filter(|it| !it.is_null()).cloned();
                        match constant.map(T::from_value) {
                            Some(Ok(value)) if !is_secret => Computed::literal(value),
                            // What cannot be used fails when it is asked for, as elsewhere.
                            _ => {
                                let (file, source) = (self.file.clone(), self.source.clone());
                                let subject = &reading.subject;
                                Computed::expression(program, reading.on_null, subject, is_secret)
                                    .at(Origin::new(file, source, code))
                            }
                        }
                    }
                    None => Computed::refused(),
                }
            }
        }
    }

    fn report_unfit(
        &mut self,
        resolved: &Resolved,
        literal: &SourceText,
        subject: &str,
        unfit: &Unfit,
    ) {
        let message = if resolved.is_secret() {
            format!("`{subject}`: expected {}", unfit.what())
        } else {
            format!("`{subject}`: {unfit}")
        };
        let label = format!("expected {}", unfit.what());
        let literal = literal.trimmed();
        let end = literal.as_str().len();
        let problem =
            resolved.diagnostic(Severity::Error, codes::BAD_VALUE, &literal, 0..end, &message);
        self.report(problem.label(label));
    }

    fn expression(
        &mut self,
        resolved: &Resolved,
        form: expr::Form,
        code: &SourceText,
    ) -> Option<Program> {
        let options = Options { in_resolver: self.in_resolver, ..*self.surroundings.options };
        let (program, problems) = match expr::compile(code.as_str(), form, &options) {
            Ok(program) => {
                let warnings = program.warnings().to_vec();
                (Some(program), warnings)
            }
            Err(problems) => (None, problems),
        };
        let severity = if program.is_some() { Severity::Warning } else { Severity::Error };
        for problem in problems {
            let mut it = resolved
                .diagnostic(severity, Code::new(problem.code), code, problem.span, &problem.message)
                .in_expression();
            let is_shown = |text: &str| !text.is_empty() && !resolved.shows_secret(text);
            it = it.label(if is_shown(&problem.label) { problem.label.as_str() } else { "here" });
            if let Some(help) = problem.help.filter(|it| is_shown(it)) {
                it = it.help(help);
            }
            self.report(it);
        }
        program
    }

    /// Notes the bodies that an expression reads, each with the warning that it may become.
    fn body_reads(&mut self, resolved: &Resolved, code: &SourceText, program: &Program) {
        for read in program.body_reads() {
            let (message, name) = match read.of_response {
                true => (Message::Response, "response"),
                false => (Message::Request, "request"),
            };
            let warning = read.consumes.then(|| {
                let text = format!(
                    "the body of the {name} is read without `preserveContent: true` and needed later"
                );
                let it = resolved
                    .diagnostic(Severity::Warning, codes::BODY_GONE, code, read.span, &text)
                    .in_expression()
                    .label("the body is gone behind this")
                    .help("read it with `preserveContent: true`, or set the body anew");
                Box::new(match &self.file {
                    Some(file) => it.in_file(Arc::clone(file)),
                    None => it,
                })
            });
            self.events.push(Event::Read(message, warning));
        }
    }

    fn check_type<T: Convert>(&mut self, code: &SourceText, program: &Program, subject: &str) {
        if let Some(wanted) = T::refuses(program.result_type()) {
            let found = program.result_type().to_string();
            let message = format!("`{subject}` needs {wanted}, the expression gives `{found}`");
            self.report(
                Diagnostic::error(codes::BAD_VALUE, code.span(), message)
                    .label(format!("gives `{found}`"))
                    .in_expression(),
            );
        }
    }
}

/// Whether the two tell the same of the same place, as the parser and the check may do.
fn is_same(a: &Diagnostic, b: &Diagnostic) -> bool {
    a.code == b.code
        && a.file == b.file
        && a.message == b.message
        && (a.span == b.span || a.span.contains(b.span) || b.span.contains(a.span))
}

#[cfg(test)]
mod tests {
    use document::{NamedValue, NamedValues};

    use crate::test_support::{KINDS, World, codes_of};
    use crate::{Registry, Scope, check_text};

    fn world() -> World {
        let mut named_values = NamedValues::new();
        named_values.insert("seven", NamedValue::plain("7"));
        named_values.insert("key", NamedValue::secret("hunter2"));
        named_values.insert("key-words", NamedValue::secret("x ".repeat(50)));
        World { named_values, ..World::default() }
    }

    fn problems(policies: &str) -> Vec<document::Diagnostic> {
        let text = format!("<policies><inbound>{policies}</inbound></policies>");
        world().compile(Scope::Api, &text).1
    }

    #[test]
    fn named_values_are_put_in_before_a_value_is_read() {
        assert_eq!(codes_of(&problems("<word>{{seven}}</word>")), "fine");
        assert_eq!(codes_of(&problems("<word>{{eight}}</word>")), "PC0204");
        assert_eq!(codes_of(&problems("<mark name='{{eight}}' />")), "PC0204");
    }

    #[test]
    fn a_problem_with_a_secret_does_not_show_it() {
        for policy in ["<word>{{key}}</word>", "<word>{{key-words}}</word>"] {
            let problems = problems(policy);
            assert_eq!(codes_of(&problems), "PC0409");
            let shown = format!("{:?}", problems[0]);
            assert!(!shown.contains("hunter2") && !shown.contains("x x"), "{shown}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_is_shown_at_its_place() {
        let problem = problems("<word> seven </word>").remove(0);

        assert_eq!(
            problem.message,
            "`word`: expected an integer from 0 to 4294967295, found `seven`"
        );
        assert_eq!(problem.span.len(), 5);
    }

    #[test]
    fn an_expression_that_is_not_closed_or_followed_by_text_is_reported_once() {
        let text = "<policies><inbound><word>@(1) tail</word></inbound></policies>";
        let registry = Registry::new(KINDS);
        let checked = check_text(text, None, &registry, &expr::Options::default());
        assert_eq!(codes_of(&checked.diagnostics), "PC0110");
    }

    #[test]
    fn an_expression_is_compiled_and_its_type_is_checked() {
        for (text, codes) in [
            ("@(1 + 1)", "fine"),
            ("@(\"7\")", "fine"),
            ("@{ return 7; }", "fine"),
            ("@(true)", "PC0409"),
            ("@(1.5)", "PC0409"),
        ] {
            assert_eq!(codes_of(&problems(&format!("<word>{text}</word>"))), codes, "{text}");
        }
    }

    #[test]
    fn a_problem_in_an_expression_is_shown_at_its_place() {
        let problem = problems("<word>@( nothing + 1)</word>").remove(0);
        let start = "<policies><inbound><word>@( ".len();

        assert!(problem.code.as_str().starts_with("PC03") && problem.in_expression);
        assert_eq!(problem.span.range(), start..start + "nothing".len());
    }

    #[test]
    fn a_resolver_alone_sees_its_arguments() {
        let word = "<word>@((int)context.GraphQL.Arguments[\"id\"])</word>";
        let problem = problems(word).remove(0);
        assert_eq!(problem.message, "`GraphQL` is there in GraphQL resolvers only");
        assert_eq!(codes_of(&problems(&format!("<resolve>{word}</resolve>"))), "fine");
        // What comes after it is outside again.
        let after = format!("<resolve>{word}</resolve>{word}");
        assert_eq!(problems(&after).len(), 1);
    }

    #[test]
    fn a_problem_that_a_secret_makes_does_not_show_it() {
        let problems = problems("<word>@({{key}} + 1)</word>");

        assert!(problems[0].code.as_str().starts_with("PC03"));
        assert!(!format!("{problems:?}").contains("hunter2"));
    }
}
