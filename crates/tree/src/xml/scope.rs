//! Namespace declarations in scope, innermost last.

use std::sync::Arc;

use super::arena::{Arena, NONE};
use super::name::XMLNS_NAMESPACE;

/// Prefixes and namespaces that attributes declare.
#[derive(Debug, Default)]
pub(super) struct Scope {
    declared: Vec<(Arc<str>, Arc<str>)>,
}

impl Scope {
    /// What is in scope around an element.
    pub(super) fn of_ancestors(arena: &Arena, id: u32) -> Self {
        let mut ancestors = Vec::new();
        let mut parent = arena.parent(id);
        while parent != NONE {
            ancestors.push(parent);
            parent = arena.parent(parent);
        }
        let mut scope = Self::default();
        for ancestor in ancestors.into_iter().rev() {
            scope.enter(arena, ancestor);
        }
        scope
    }

    /// Adds what an element declares; gives the mark to leave with.
    pub(super) fn enter(&mut self, arena: &Arena, id: u32) -> usize {
        let mark = self.declared.len();
        for attribute in arena.attributes(id) {
            let Some((name, value)) = arena.attribute(*attribute) else { continue };
            if name.is_declaration() {
                let is_default = &*name.namespace != XMLNS_NAMESPACE;
                let prefix = if is_default { Arc::from("") } else { Arc::clone(&name.local) };
                self.declared.push((prefix, Arc::clone(value)));
            }
        }
        mark
    }

    /// Forgets what was added since the mark.
    pub(super) fn leave(&mut self, mark: usize) {
        self.declared.truncate(mark);
    }

    /// The namespace of a prefix.
    pub(super) fn namespace(&self, prefix: &str) -> Option<&Arc<str>> {
        self.declared.iter().rev().find(|(own, _)| &**own == prefix).map(|(_, it)| it)
    }

    /// The innermost prefix of a namespace that is not hidden; the default one only if allowed.
    pub(super) fn prefix(&self, namespace: &str, or_default: bool) -> Option<&str> {
        let fits = |(prefix, own): &&(Arc<str>, Arc<str>)| {
            &**own == namespace
                && (or_default || !prefix.is_empty())
                && self.namespace(prefix).is_some_and(|it| &**it == namespace)
        };
        self.declared.iter().rev().find(fits).map(|(prefix, _)| &**prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn a_hidden_prefix_is_not_found() {
        let scope =
            Scope { declared: vec![("p".into(), "urn:a".into()), ("p".into(), "urn:b".into())] };
        assert_eq!(scope.prefix("urn:b", false), Some("p"));
        assert_eq!(scope.prefix("urn:a", false), None);
        assert_eq!(scope.namespace("p").map(|it| &**it), Some("urn:b"));
    }
}
