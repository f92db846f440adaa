//! Effective policies: documents of several scopes spliced at `<base />`, once, at load.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-policies>

use std::sync::Arc;

use crate::bodies::Event;
use crate::operation::Operation;
use crate::section::{Scope, Section};
use crate::step::{Placed, Steps};

/// The effective policy of one operation (in one product context, if products play a part).
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    /// Runs on the request.
    pub inbound: Steps,
    /// Calls the backend.
    pub backend: Steps,
    /// Runs on the response.
    pub outbound: Steps,
    /// Runs when an error jumped here.
    pub on_error: Steps,
}

impl Pipeline {
    /// Splices documents, from the broadest scope to the narrowest. A scope without a document
    /// is left out; the global scope should be there
    /// ([`compile_default_global`](crate::compile_default_global)), or no backend is called.
    #[must_use]
    pub fn splice(documents: &[&CompiledDocument]) -> Pipeline {
        let section = |section| {
            let mut steps = Steps::default();
            splice(documents, section, &mut steps);
            steps
        };
        Pipeline {
            inbound: section(Section::Inbound),
            backend: section(Section::Backend),
            outbound: section(Section::Outbound),
            on_error: section(Section::OnError),
        }
    }

    /// Prepares all policies for an operation ([`Steps::prepare`]).
    pub fn prepare(&self, operation: &Arc<Operation>) -> Vec<String> {
        Section::ALL.into_iter().flat_map(|it| self.section(it).prepare(operation)).collect()
    }

    /// Prepares the policies of the product scope only, for an operation whose other policies are
    /// prepared.
    pub fn prepare_product(&self, operation: &Arc<Operation>) -> Vec<String> {
        let of = |it: Section| self.section(it).prepare_scope(operation, Scope::Product);
        Section::ALL.into_iter().flat_map(of).collect()
    }

    /// Whether another pipeline has the very same steps.
    #[must_use]
    pub fn is_same(&self, other: &Pipeline) -> bool {
        Section::ALL.into_iter().all(|it| self.section(it).is_same(other.section(it)))
    }

    /// The steps of a section.
    #[must_use]
    pub fn section(&self, section: Section) -> &Steps {
        match section {
            Section::Inbound => &self.inbound,
            Section::Backend => &self.backend,
            Section::Outbound => &self.outbound,
            Section::OnError => &self.on_error,
        }
    }
}

fn splice(documents: &[&CompiledDocument], section: Section, steps: &mut Steps) {
    let Some((narrowest, broader)) = documents.split_last() else { return };
    for item in narrowest.section(section) {
        match item {
            Item::Base => splice(broader, section, steps),
            Item::Step(step) => steps.push_shared(Arc::clone(step)),
        }
    }
}

/// A policy document, compiled for the scope it hangs at; still with its `<base />`s.
#[derive(Clone, Debug)]
pub struct CompiledDocument {
    scope: Scope,
    sections: [Vec<Item>; 4],
    /// What the statements of each section do with the bodies.
    events: [Vec<Event>; 4],
}

/// A statement of a section.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// What the next broader scope has.
    Base,
    /// A policy.
    Step(Arc<Placed>),
}

impl CompiledDocument {
    /// A document that has only `<base />` in every section.
    #[must_use]
    pub fn inheriting(scope: Scope) -> CompiledDocument {
        CompiledDocument {
            scope,
            sections: std::array::from_fn(|_| vec![Item::Base]),
            events: std::array::from_fn(|_| vec![Event::Base]),
        }
    }

    pub(crate) fn set(&mut self, section: Section, items: Vec<Item>, events: Vec<Event>) {
        if let Some(slot) = self.sections.get_mut(section as usize) {
            *slot = items;
        }
        if let Some(slot) = self.events.get_mut(section as usize) {
            *slot = events;
        }
    }

    pub(crate) fn events(&self, section: Section) -> &[Event] {
        self.events.get(section as usize).map_or(&[], Vec::as_slice)
    }

    fn section(&self, section: Section) -> &[Item] {
        self.sections.get(section as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether policies of it prepare themselves for the operations they run for: they know those
    /// of one load only.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.sections.iter().flatten().any(|it| matches!(it, Item::Step(it) if it.is_prepared()))
    }

    /// The scope it was compiled for.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{pipeline, place_of};

    fn inbound(policies: &str) -> String {
        format!("<policies><inbound>{policies}</inbound></policies>")
    }

    #[test]
    fn base_is_replaced_by_what_the_broader_scopes_have() {
        let global = inbound("<mark name='g1'/><mark name='g2'/>");
        let api = inbound("<mark name='a'/><base />");
        let operation = inbound("<base /><mark name='o'/>");
        let pipeline = pipeline(&[
            (Scope::Global, &global),
            (Scope::Api, &api),
            (Scope::Operation, &operation),
        ]);

        assert_eq!(
            place_of(Section::Inbound, &pipeline),
            ["api mark", "global mark[1]", "global mark[2]", "operation mark"]
        );
    }

    #[test]
    fn a_section_without_base_drops_everything_broader() {
        let global = inbound("<mark name='g'/>");
        let api = inbound("<base /><mark name='a'/>");
        let operation = inbound("<mark name='o'/>");
        let all = [(Scope::Global, &*global), (Scope::Api, &*api), (Scope::Operation, &*operation)];

        assert_eq!(place_of(Section::Inbound, &pipeline(&all)), ["operation mark"]);
    }

    #[test]
    fn a_missing_section_inherits_and_an_empty_one_does_not() {
        let global = "<policies><backend><mark name='g'/></backend></policies>";
        let missing = [(Scope::Global, global), (Scope::Api, "<policies />")];
        let empty = [(Scope::Global, global), (Scope::Api, "<policies><backend/></policies>")];

        assert_eq!(place_of(Section::Backend, &pipeline(&missing)), ["global mark"]);
        assert!(pipeline(&empty).backend.is_empty());
    }

    #[test]
    fn base_at_the_broadest_scope_has_no_effect() {
        let global = inbound("<base /><mark name='g'/>");

        assert_eq!(place_of(Section::Inbound, &pipeline(&[(Scope::Global, &global)])).len(), 1);
    }

    #[test]
    fn pipelines_are_the_same_if_they_share_all_steps() {
        let compile = |scope, text: &str| crate::test_support::compiled(scope, text);
        let global = compile(Scope::Global, &inbound("<mark name='g'/>"));
        let product = compile(Scope::Product, &inbound("<base /><mark name='p'/>"));
        let silent = compile(Scope::Product, &inbound("<base />"));
        let closed = compile(Scope::Api, &inbound("<mark name='a'/>"));
        let plain = Pipeline::splice(&[&global]);
        assert!(Pipeline::splice(&[&global, &silent]).is_same(&plain));
        assert!(!Pipeline::splice(&[&global, &product]).is_same(&plain));
        let outside = Pipeline::splice(&[&global, &closed]);
        assert!(Pipeline::splice(&[&global, &product, &closed]).is_same(&outside));
    }

    #[test]
    fn a_document_that_only_inherits_adds_nothing() {
        let inheriting = CompiledDocument::inheriting(Scope::Product);
        let pipeline = Pipeline::splice(&[&inheriting]);

        assert_eq!(inheriting.scope(), Scope::Product);
        assert!(Section::ALL.into_iter().all(|it| pipeline.section(it).is_empty()));
    }
}
