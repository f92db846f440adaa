//! Policy documents: `policy.xml` at global, API and operation scope.

use std::sync::Arc;

use super::Reading;
use crate::place::Place;
use crate::tree::Tree;

/// A policy document as text.
#[derive(Clone, Debug)]
pub struct PolicyEntity {
    /// The file it stands in.
    pub file: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

impl PolicyEntity {
    /// The start of the document.
    pub fn place(&self) -> Place {
        Place::file(self.file.clone())
    }
}

/// Reads the document in `file`, or the text that the override file gives in its place.
pub(super) fn read(
    file: Option<&Arc<str>>,
    replacement: Option<&Tree>,
    cx: &Reading<'_>,
) -> Option<PolicyEntity> {
    if let Some(tree) = replacement {
        // Places inside a text of the override file cannot be told, so it has a name of its own.
        let file = format!("{}#{}", tree.file, tree.span.start).into();
        return Some(PolicyEntity { file, text: tree.scalar()?.into() });
    }
    let file = file?;
    Some(PolicyEntity { file: file.clone(), text: cx.source.text(file)?.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn the_global_document_stands_at_the_root() {
        let (entities, problems) = read(&[("policy.xml", "<policies/>")]);
        let policy = entities.policy.unwrap();
        assert_eq!((&*policy.text, &*policy.place().file), ("<policies/>", "policy.xml"));
        assert!(problems.is_empty());
    }
}
