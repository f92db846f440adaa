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

    /// All policies, sorted by name.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static PolicyKind> {
        let mut kinds: Vec<_> = self.0.values().copied().collect();
        kinds.sort_by_key(|it| it.name);
        kinds
    }
}
