//! Compiling policy elements: finding the kind, checking the place, nesting, fragments.

use std::sync::Arc;

use document::{Diagnostic, Mode, closest};

use super::check::{self, Shape};
use super::cx::CompileCx;
use super::element::{Element, segment};
use crate::bodies::{self, Event};
use crate::codes;
use crate::known::{POLICY_NAMES, is_known_to_azure};
use crate::message::Message;
use crate::place::Place;
use crate::schema::{Child, Content, PolicyKind};
use crate::section::Section;
use crate::step::{Effect, Placed, Steps};

impl CompileCx<'_> {
    /// The policies inside of an element, in order: those of a policy's own content, of a child
    /// element such as `when`, or the children that the schema calls policies.
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn steps(&mut self, element: Element<'_>) -> Result<Steps, Diagnostic> {
        self.steps_where(element, |_| true)
    }

    /// Those of the children that have these names; see [`CompileCx::steps_on`].
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn steps_of(
        &mut self,
        element: Element<'_>,
        children: &[Child],
        message: Message,
    ) -> Result<Steps, Diagnostic> {
        self.with_message(message, |cx| {
            cx.steps_where(element, |name| children.iter().any(|it| it.name == name))
        })
    }

    /// Where an element stands, for failures of its own such as that of a condition: the policy,
    /// its `id`, and the path down to the element.
    #[must_use]
    pub fn place_of(&self, policy: Element<'_>, element: Element<'_>) -> Arc<Place> {
        let mut path = self.path.join("/");
        if let Some(segment) = element.segment() {
            path = format!("{path}/{segment}");
        }
        Arc::new(self.place_at(policy.node(), policy.name(), &path))
    }

    fn steps_where(
        &mut self,
        element: Element<'_>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Steps, Diagnostic> {
        let segment = element.segment();
        let is_nested = segment.is_some();
        self.path.extend(segment);
        let uses = std::mem::take(&mut self.uses);
        let outer = std::mem::take(&mut self.events);
        let mut steps = Steps::default();
        for child in element.node().child_elements().filter(|it| is_wanted(&it.name)) {
            self.path.push(super::element::segment(element.node(), child));
            if let Some(step) = self.policy(child) {
                steps.push(step);
            }
            self.path.pop();
        }
        self.uses = uses;
        let inner = std::mem::replace(&mut self.events, outer);
        self.events.push(Event::Nested(inner));
        if is_nested {
            self.path.pop();
        }
        Ok(steps)
    }

    /// The children that the schema calls policies, working on this message.
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn steps_on(
        &mut self,
        element: Element<'_>,
        message: Message,
    ) -> Result<Steps, Diagnostic> {
        self.with_message(message, |cx| cx.steps(element))
    }

    fn with_message<T>(&mut self, message: Message, f: impl FnOnce(&mut Self) -> T) -> T {
        let outer_message = std::mem::replace(&mut self.message, message);
        let outer = std::mem::replace(&mut self.is_child_of_policy, true);
        let result = f(self);
        self.message = outer_message;
        self.is_child_of_policy = outer;
        result
    }

    /// The policies of a fragment, at the place of the element that includes it.
    ///
    /// # Errors
    ///
    /// There is no such fragment, or fragments may not be included here.
    pub fn fragment(&mut self, element: Element<'_>, name: &str) -> Result<Steps, Diagnostic> {
        if self.in_fragment {
            let message = format!("a fragment includes the fragment `{name}`");
            return Err(self
                .refuse(element, codes::NESTED_FRAGMENT, message)
                .label("fragments cannot include fragments"));
        }
        let fragments = self.surroundings.fragments;
        let Some(fragment) = fragments.get(name) else {
            let message = format!("unknown policy fragment `{name}`");
            self.events.push(Event::Unknown);
            if fragments.some_are_missing() {
                self.is_incomplete = true;
                let code = document::codes::UNKNOWN_FRAGMENT;
                return Err(Diagnostic::note(code, element.span(), message)
                    .label("not at hand: the document is checked on its own"));
            }
            let it = self.refuse(element, document::codes::UNKNOWN_FRAGMENT, message);
            return Err(match closest(name, fragments.iter().map(|(name, _)| name)) {
                Some(near) => it.label(format!("did you mean `{near}`?")),
                None => it.label("no fragment has this name"),
            });
        };
        for problem in fragment.problems() {
            self.report(problem.clone());
        }
        let file = self.file.replace(Arc::clone(&fragment.file));
        let source = std::mem::replace(&mut self.source, Arc::clone(fragment.document.source()));
        self.in_fragment = true;
        let steps = match fragment.document.root() {
            Ok(root) if root.name == "fragment" => {
                check::text_is_absent(self, root);
                let steps = self.steps(Element::new(root));
                // Its policies run for certain, as if they stood here.
                if let Some(Event::Nested(inner)) = self.events.pop() {
                    self.events.extend(inner);
                }
                steps
            }
            _ => Ok(Steps::default()),
        };
        self.in_fragment = false;
        (self.file, self.source) = (file, source);
        steps
    }

    /// One policy element; `self.path` ends with its own segment.
    pub(super) fn policy(&mut self, node: &document::Element) -> Option<Placed> {
        let outer = std::mem::take(&mut self.events);
        let placed = self.policy_step(node);
        let own = std::mem::replace(&mut self.events, outer);
        let effect = match &placed {
            None => Some(Event::Unknown),
            Some((_, effect)) => effect.map(|it| match it {
                Effect::Replaces => Event::Replaced(self.message),
                Effect::Ends => Event::Ended,
                Effect::Forwards => Event::Forwarded,
            }),
        };
        bodies::append(own, effect, &mut self.events);
        placed.map(|(placed, _)| placed)
    }

    fn policy_step(&mut self, node: &document::Element) -> Option<(Placed, Option<Effect>)> {
        let kind = self.kind(node)?;
        self.check_place(node, kind);
        let n_errors = self.n_errors();
        let shape = Shape { attrs: kind.attrs, children: kind.children, has_id: true };
        check::check(self, node, shape);
        if self.n_errors() > n_errors {
            if self.errors_since(n_errors).all(|it| it.code == codes::UNKNOWN_ATTRIBUTE) {
                // All that the policy needs is there: its values may have problems as well.
                let uses = std::mem::take(&mut self.uses);
                if let Err(problem) = (kind.compile)(Element::new(node), self) {
                    self.report(problem);
                }
                self.uses = uses;
            }
            self.look_inside(node, kind.children);
            return None;
        }
        let place = self.place(node, kind);
        let outer = std::mem::replace(&mut self.is_child_of_policy, false);
        let outer_uses = std::mem::take(&mut self.uses);
        let outer_preparations = std::mem::take(&mut self.preparations);
        let outcome = (kind.compile)(Element::new(node), self);
        let uses = std::mem::replace(&mut self.uses, outer_uses);
        let preparations = std::mem::replace(&mut self.preparations, outer_preparations);
        self.preparations.extend(preparations.iter().cloned());
        self.is_child_of_policy = outer;
        match outcome {
            Ok(step) => {
                let effect = step.effect();
                Some((step.placed(place, uses, preparations), effect))
            }
            Err(problem) => {
                self.report(problem);
                None
            }
        }
    }

    fn n_errors(&self) -> usize {
        self.errors_since(0).count()
    }

    /// The errors after the first `n`.
    fn errors_since(&self, n: usize) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|it| it.is_error()).skip(n)
    }

    fn place(&self, node: &document::Element, kind: &PolicyKind) -> Place {
        self.place_at(node, kind.name, &self.path.join("/"))
    }

    fn place_at(&self, node: &document::Element, name: &str, path: &str) -> Place {
        let id = node.attribute("id").map(|it| {
            let (id, _) = self.surroundings.named_values.resolve(&it.value, Mode::Policy);
            id.as_str().to_owned()
        });
        Place::policy(name, self.target.scope, self.section, path)
            .with_id(id.as_deref())
            .in_file(self.file.clone(), node.span.start)
    }

    fn kind(&mut self, node: &document::Element) -> Option<&'static PolicyKind> {
        let name = node.name.as_str();
        if let Some(kind) = self.surroundings.registry.get(name) {
            return Some(kind);
        }
        let span = node.name_span;
        let problem = if name == "base" {
            let message = if self.in_fragment {
                "`base` cannot stand in a fragment"
            } else {
                "`base` stands directly in a section only"
            };
            Diagnostic::error(codes::MISPLACED_BASE, span, message).label("not here")
        } else if is_known_to_azure(name) {
            let message = format!("policy `{name}` is not supported by this gateway yet");
            Diagnostic::error(codes::POLICY_NOT_SUPPORTED, span, message)
                .label("cannot be enforced")
                .help("remove it, or keep this document out of the configuration")
        } else {
            let message = format!("unknown policy `{name}`");
            let it = Diagnostic::error(codes::UNKNOWN_POLICY, span, message);
            match closest(name, POLICY_NAMES.iter().copied().chain(["base"])) {
                Some(near) => it.label(format!("did you mean `{near}`?")),
                None => it.label("no policy has this name"),
            }
        };
        self.report(problem);
        None
    }

    fn check_place(&mut self, node: &document::Element, kind: &PolicyKind) {
        if self.is_child_of_policy {
            return;
        }
        if kind.sections.are_once() {
            self.once(Element::new(node));
        }
        let name = kind.name;
        if !kind.sections.contains(self.section) {
            let sections: Vec<&str> = kind.sections.each().map(Section::name).collect();
            let message = format!("`{name}` cannot stand in `{}`", self.section);
            let label = match sections.is_empty() {
                true => "stands in GraphQL resolvers only".to_owned(),
                false => format!("works in {}", crate::convert::list_of_words(&sections)),
            };
            self.report(
                Diagnostic::error(codes::MISPLACED_POLICY, node.name_span, message).label(label),
            );
        }
        if !kind.scopes.contains(self.target.scope) {
            let scopes: Vec<&str> = kind.scopes.each().map(|it| it.name()).collect();
            let message = format!("`{name}` is not documented for {} scope", self.target.scope);
            self.report(
                Diagnostic::warning(codes::UNDOCUMENTED_SCOPE, node.name_span, message)
                    .label(format!("documented for {}", crate::convert::list_of_words(&scopes))),
            );
        }
    }

    /// Compiles the policies inside of a refused policy, to find what else is wrong.
    fn look_inside(&mut self, node: &document::Element, children: &'static [Child]) {
        let uses = std::mem::take(&mut self.uses);
        let outer = self.is_child_of_policy;
        for child in node.child_elements() {
            let schema = children.iter().find(|it| it.name == child.name);
            let own = children.iter().find(|it| it.name.is_empty());
            let content = schema.or(own).map(|it| it.content);
            self.path.push(segment(node, child));
            match content {
                Some(Content::Policy) => {
                    self.is_child_of_policy = true;
                    self.policy(child);
                }
                Some(Content::Policies) if schema.is_none() => {
                    self.policy(child);
                }
                Some(Content::Policies) => {
                    for inner in child.child_elements() {
                        self.path.push(segment(child, inner));
                        self.policy(inner);
                        self.path.pop();
                    }
                }
                _ => {}
            }
            self.is_child_of_policy = outer;
            self.path.pop();
        }
        self.uses = uses;
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{World, codes_of, place_of, problems};
    use crate::{Fragments, Pipeline, Scope, Section};

    fn at(scope: Scope, section: &str, policies: &str) -> String {
        let text = format!("<policies><{section}>{policies}</{section}></policies>");
        codes_of(&World::default().compile(scope, &text).1)
    }

    #[test]
    fn unknown_policies_are_told_from_those_that_are_not_built_yet() {
        let message = |policy: &str| {
            let text = format!("<policies><inbound>{policy}</inbound></policies>");
            let (_, problems) = World::default().compile(Scope::Api, &text);
            let label = problems[0].label.clone().unwrap();
            format!("{} {} ({label})", problems[0].code, problems[0].message)
        };

        assert_eq!(
            message("<rate-limit calls='1' renewal-period='2' />"),
            "PC0402 policy `rate-limit` is not supported by this gateway yet (cannot be enforced)"
        );
        assert_eq!(
            message("<set-haeder />"),
            "PC0401 unknown policy `set-haeder` (did you mean `set-header`?)"
        );
        assert_eq!(
            message("<coffee />"),
            "PC0401 unknown policy `coffee` (no policy has this name)"
        );
    }

    #[test]
    fn a_wrong_section_is_an_error_and_a_wrong_scope_a_warning() {
        assert_eq!(at(Scope::Api, "inbound", "<end/>"), "fine");
        assert_eq!(at(Scope::Api, "outbound", "<end/>"), "PC0413");
        assert_eq!(at(Scope::Workspace, "inbound", "<end/>"), "PC0414");
    }

    #[test]
    fn children_that_the_schema_names_may_stand_in_any_section() {
        assert_eq!(at(Scope::Api, "backend", "<draft><mark name='a'/><end/></draft>"), "fine");
        assert_eq!(
            at(Scope::Api, "inbound", "<draft><pause name='a'/><mark name='b'/></draft>"),
            "PC0405"
        );
        assert_eq!(at(Scope::Api, "inbound", "<draft><mark/></draft>"), "PC0404");
    }

    #[test]
    fn policies_inside_of_a_refused_policy_are_checked_too() {
        assert_eq!(
            problems("<end x='1'><mark/><end><nothing/></end></end>"),
            "PC0403 PC0404 PC0401"
        );
        assert_eq!(problems("<draft x='1'><mark/></draft>"), "PC0403 PC0404");
    }

    fn with_fragment(fragment: &str, document: &str) -> (Vec<String>, String) {
        let mut fragments = Fragments::new();
        fragments.insert("f", "f.xml".into(), fragment);
        let world = World { fragments, ..World::default() };
        let (compiled, problems) = world.compile(Scope::Api, document);
        let places = compiled
            .map(|it| place_of(Section::Inbound, &Pipeline::splice(&[&it])))
            .unwrap_or_default();
        (places, codes_of(&problems))
    }

    const INCLUDING: &str =
        "<policies><inbound><include name='f'/><end><include name='f'/></end></inbound></policies>";

    #[test]
    fn a_fragments_policies_stand_in_place_of_the_element() {
        let (places, codes) =
            with_fragment("<fragment><mark name='a'/><mark name='b'/></fragment>", INCLUDING);

        assert_eq!(codes, "fine");
        assert_eq!(places, ["api include/mark[1]", "api include/mark[2]", "api end"]);
    }

    #[test]
    fn a_fragments_problem_is_reported_once_and_with_its_own_file() {
        let mut fragments = Fragments::new();
        fragments.insert("f", "f.xml".into(), "<fragment><mark/></fragment>");
        let world = World { fragments, ..World::default() };
        let (_, problems) = world.compile(Scope::Api, INCLUDING);

        assert_eq!(codes_of(&problems), "PC0404");
        assert_eq!(problems[0].file.as_deref(), Some("f.xml"));
    }

    #[test]
    fn a_fragment_includes_no_fragment_and_no_base() {
        assert_eq!(
            with_fragment("<fragment><include name='f'/></fragment>", INCLUDING).1,
            "PC0420"
        );
        assert_eq!(with_fragment("<fragment><base/></fragment>", INCLUDING).1, "PC0417");
    }

    #[test]
    fn an_unknown_fragment_is_an_error_or_a_note_if_they_are_not_at_hand() {
        assert_eq!(problems("<include name='f'/>"), "PC0201");
        let world = World { fragments: Fragments::not_at_hand(), ..World::default() };
        let (compiled, problems) = world.compile(Scope::Api, INCLUDING);
        assert!(compiled.is_none() && !problems.iter().any(|it| it.is_error()));
    }
}
