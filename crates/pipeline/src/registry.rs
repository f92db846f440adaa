//! The policies that are built in, by element name.

use std::collections::HashMap;

use crate::schema::PolicyKind;

/// All policies of a program.
#[derive(Clone, Debug, Default)]
pub struct Registry(HashMap<&'static str, &'static PolicyKind>);

impl Registry {
    /// The policies of the list. Of two with the same name the later one counts.
    #[must_use]
    pub fn new(kinds: &'static [PolicyKind]) -> Registry {
        Registry(kinds.iter().map(|it| (it.name, it)).collect())
    }

    /// The policy of that element name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static PolicyKind> {
        self.0.get(name).copied()
    }

    /// Whether another has the very same policies.
    #[must_use]
    pub fn is_same(&self, other: &Registry) -> bool {
        let has = |(name, kind): (&&str, &&'static PolicyKind)| {
            other.get(name).is_some_and(|it| std::ptr::eq(it, *kind))
        };
        self.0.len() == other.0.len() && self.0.iter().all(has)
    }

    /// All policies, sorted by name.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static PolicyKind> {
        let mut kinds: Vec<_> = self.0.values().copied().collect();
        kinds.sort_by_key(|it| it.name);
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::KINDS;

    #[test]
    fn policies_are_found_by_their_element_name() {
        let registry = Registry::new(KINDS);

        assert_eq!(registry.get("mark").map(|it| it.name), Some("mark"));
        assert!(registry.get("Mark").is_none());
        assert!(registry.kinds().is_sorted_by_key(|it| it.name));
        assert_eq!(registry.kinds().len(), KINDS.len());
    }
}
