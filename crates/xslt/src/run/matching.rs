//! Does a node match a pattern? (XSLT 1.0, section 5.2)

use super::{Focus, Run};
use crate::document::{Axis, Kind, Node};
use crate::limits::Failure;
use crate::pattern::{Anchor, Pattern};
use crate::xpath::{Predicate, Step};

impl<'s> Run<'s> {
    pub(super) fn matches(&mut self, pattern: &'s Pattern, node: Node) -> Result<bool, Failure> {
        if pattern.steps.is_empty() {
            return match &pattern.anchor {
                Anchor::Free => Ok(false),
                Anchor::Root => Ok(self.document(node).kind_of(node) == Kind::Root),
                Anchor::Nodes(expr) => {
                    let nodes = self.nodes(expr, Focus::alone(node))?;
                    Ok(nodes.binary_search(&node).is_ok())
                }
            };
        }
        self.matches_from(pattern, 0, node)
    }

    /// Do a node and those above it match from one step on?
    fn matches_from(
        &mut self,
        pattern: &'s Pattern,
        at: usize,
        node: Node,
    ) -> Result<bool, Failure> {
        let Some(link) = pattern.steps.get(at) else { return Ok(true) };
        self.budget.steps(1)?;
        if !self.fits(&link.step, node)? {
            return Ok(false);
        }
        let is_first = at + 1 == pattern.steps.len();
        if is_first && matches!(pattern.anchor, Anchor::Free) {
            return Ok(true);
        }
        let document = self.document(node);
        let mut above = document.up(node);
        while let Some(id) = above {
            let parent = node.with(id);
            let is_match = match &pattern.anchor {
                _ if !is_first => self.matches_from(pattern, at + 1, parent)?,
                Anchor::Free => true,
                Anchor::Root => document.kind(id) == Kind::Root,
                Anchor::Nodes(expr) => {
                    self.budget.steps(1)?;
                    self.nodes(expr, Focus::alone(node))?.binary_search(&parent).is_ok()
                }
            };
            if is_match || !link.is_far {
                return Ok(is_match);
            }
            above = document.parent(id);
        }
        Ok(false)
    }

    fn fits(&mut self, step: &'s Step, node: Node) -> Result<bool, Failure> {
        let document = self.document(node);
        let is_on_axis = match document.kind_of(node) {
            Kind::Attribute => step.axis == Axis::Attribute,
            Kind::Root | Kind::Namespace => false,
            _ => step.axis == Axis::Child,
        };
        if !is_on_axis || !document.fits(node, step.axis, step.test) {
            return Ok(false);
        }
        if step.predicates.is_empty() {
            return Ok(true);
        }
        if step.predicates.iter().any(|it| it.is_positional) {
            return self.is_among(step, node);
        }
        for Predicate { expr, .. } in &step.predicates {
            if !self.boolean(expr, Focus::alone(node))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Is the node one of those that the step gives from its parent?
    fn is_among(&mut self, step: &'s Step, node: Node) -> Result<bool, Failure> {
        let document = self.document(node);
        let Some(parent) = document.up(node) else { return Ok(false) };
        let mut nodes = Vec::new();
        let n_seen = document.walk(node.with(parent), step.axis, step.test, &mut nodes);
        self.budget.steps(n_seen)?;
        for predicate in &step.predicates {
            self.filter(&mut nodes, 0, predicate)?;
        }
        Ok(nodes.contains(&node))
    }
}
