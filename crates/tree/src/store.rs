//! Trees whose nodes are handed out as references: how they are shared and how they unite.
//!
//! JSON and XML trees of .NET are mutable, know their parents and stay whole while any part of them
//! is referred to. So all nodes of a tree live in one [`Store`] behind one lock, and a reference is
//! the tree and the number of the node. When a node of one tree is attached to another tree, all
//! nodes of the smaller one move into the larger one, and the smaller one is left behind as a
//! signpost, so that references to it still find their node.
//!
//! No lock is ever taken while another is held, except by [`unite`], which orders them by address.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// No node.
pub(crate) const NONE: u32 = u32::MAX;

/// The nodes of a tree, which refer to each other by number.
pub(crate) trait Store: Default {
    /// How many nodes there are.
    fn len(&self) -> usize;

    /// Moves all nodes of `other` to the end of this store; gives how far they have moved.
    fn append(&mut self, other: Self) -> u32;
}

/// A tree, or the way to the tree that its nodes have moved to.
#[derive(Debug)]
pub(crate) struct Tree<S> {
    state: Mutex<State<S>>,
}

#[derive(Debug)]
enum State<S> {
    Here(S),
    Moved { to: Arc<Tree<S>>, offset: u32 },
}

impl<S: Store> Tree<S> {
    pub(crate) fn new(store: S) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::Here(store)) })
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives `work` the store in which the node `id` of this tree is now, and its number there.
    pub(crate) fn with<R>(self: &Arc<Self>, id: u32, work: impl FnOnce(&mut S, u32) -> R) -> R {
        self.at_home(id, |_, store, id| work(store, id))
    }

    /// The same, and the tree that the store is of.
    pub(crate) fn at_home<R>(
        self: &Arc<Self>,
        id: u32,
        work: impl FnOnce(&Arc<Self>, &mut S, u32) -> R,
    ) -> R {
        let mut next = match &mut *self.lock() {
            State::Here(store) => return work(self, store, id),
            State::Moved { to, offset } => (Arc::clone(to), id.saturating_add(*offset)),
        };
        loop {
            let (tree, id) = next;
            next = match &mut *tree.lock() {
                State::Here(store) => return work(&tree, store, id),
                State::Moved { to, offset } => (Arc::clone(to), id.saturating_add(*offset)),
            };
        }
    }

    /// The tree in which the node `id` of this tree is now, and its number there.
    pub(crate) fn resolve(self: &Arc<Self>, id: u32) -> (Arc<Self>, u32) {
        self.at_home(id, |tree, _, id| (Arc::clone(tree), id))
    }
}

/// Unites two trees that both hold their nodes; the larger one stays.
pub(crate) fn unite<S: Store>(a: &Arc<Tree<S>>, b: &Arc<Tree<S>>) {
    if Arc::ptr_eq(a, b) {
        return;
    }
    let (first, second) = if Arc::as_ptr(a) < Arc::as_ptr(b) { (a, b) } else { (b, a) };
    let (mut first_state, mut second_state) = (first.lock(), second.lock());
    let (State::Here(one), State::Here(two)) = (&mut *first_state, &mut *second_state) else {
        return;
    };
    if one.len() >= two.len() {
        let offset = one.append(std::mem::take(two));
        *second_state = State::Moved { to: Arc::clone(first), offset };
    } else {
        let offset = two.append(std::mem::take(one));
        *first_state = State::Moved { to: Arc::clone(second), offset };
    }
}

#[cfg(test)]
mod tests {
    use super::{Store, Tree, unite};

    #[derive(Default)]
    struct Numbers(Vec<i32>);

    impl Store for Numbers {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn append(&mut self, other: Self) -> u32 {
            let offset = self.0.len() as u32;
            self.0.extend(other.0);
            offset
        }
    }

    #[test]
    fn references_find_their_nodes_after_trees_unite() {
        let trees = [vec![7], vec![1, 2, 3], vec![9; 10]].map(|it| Tree::new(Numbers(it)));
        let [small, middle, large] = &trees;

        unite(small, middle);
        unite(middle, large);
        unite(middle, large);

        let seven = small.with(0, |numbers, id| numbers.0[id as usize]);
        assert_eq!(seven, 7);
        assert!(std::sync::Arc::ptr_eq(&small.resolve(0).0, large));
    }
}
