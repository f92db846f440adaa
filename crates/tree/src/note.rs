//! What a program notes at a node: annotations.
//!
//! They are no part of JSON or XML. Few nodes have any, so they stand beside the nodes.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

/// The notes of one node, whatever they are.
pub trait Note: Any + Debug + Send + Sync {
    /// The notes of a copy of the node.
    fn copied(&self) -> Arc<dyn Note>;
}

/// The notes of the nodes of a tree, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Option<HashMap<u32, Arc<dyn Note>>>);

impl Notes {
    /// The notes of a node.
    pub(crate) fn get(&self, id: u32) -> Option<Arc<dyn Note>> {
        self.0.as_ref().and_then(|it| it.get(&id)).cloned()
    }

    /// Puts notes at a node; gives those that were there.
    pub(crate) fn set(&mut self, id: u32, notes: Arc<dyn Note>) -> Option<Arc<dyn Note>> {
        self.0.get_or_insert_default().insert(id, notes)
    }

    /// Takes the notes of nodes whose numbers grow by `offset`.
    pub(crate) fn append(&mut self, other: Self, offset: u32) {
        let Some(other) = other.0 else { return };
        let own = self.0.get_or_insert_default();
        own.extend(other.into_iter().map(|(id, notes)| (id.saturating_add(offset), notes)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Text(&'static str);

    impl Note for Text {
        fn copied(&self) -> Arc<dyn Note> {
            Arc::new(Text(self.0))
        }
    }

    #[test]
    fn notes_move_with_their_nodes() {
        let (mut a, mut b) = (Notes::default(), Notes::default());
        assert!(a.set(1, Arc::new(Text("a"))).is_none());
        b.set(1, Arc::new(Text("b")));
        a.append(b, 10);
        let text = |id| a.get(id).map(|it| format!("{:?}", it.copied()));
        assert_eq!(text(1).as_deref(), Some("Text(\"a\")"));
        assert_eq!(text(11).as_deref(), Some("Text(\"b\")"));
        assert!(text(2).is_none());
    }
}
