//! The nodes of a tree of tokens, which refer to each other by number.

use std::collections::HashMap;
use std::sync::Arc;

use super::scalar::{Kind, Scalar};
use super::{Fault, MAX_TREE_DEPTH};
use crate::note::Notes;
use crate::store::Store;
pub(super) use crate::store::{NONE, unite};

/// A tree of tokens.
pub(super) type Tree = crate::store::Tree<Arena>;

/// Objects with more members than this find them by a map.
const MANY: usize = 16;

/// A node: what it holds and where it hangs.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) parent: u32,
    /// An upper bound of the number of containers below and including this one.
    pub(super) height: u16,
    /// Changes of the list of children, to notice changes during enumeration.
    pub(super) version: u16,
    pub(super) data: Data,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Object(Members),
    Array(Vec<u32>),
    Constructor(Box<(Arc<str>, Vec<u32>)>),
    Property(Arc<str>, u32),
    Value(Scalar),
}

/// The properties of an object, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    pub(super) items: Vec<u32>,
    /// Boxed, since most objects have none and nodes are to be small.
    #[expect(clippy::box_collection, reason = "a map is four times as large as a box")]
    index: Option<Box<HashMap<Arc<str>, u32>>>,
}

/// All nodes of a tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena {
    nodes: Vec<Node>,
    pub(super) notes: Notes,
}

static NULL: Data = Data::Value(Scalar::Null);

impl Node {
    fn new(data: Data) -> Self {
        Self { parent: NONE, height: data.own_height(), version: 0, data }
    }
}

impl Data {
    fn own_height(&self) -> u16 {
        u16::from(!matches!(self, Data::Value(_) | Data::Property(..)))
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Data::Object(_) => Kind::Object,
            Data::Array(_) => Kind::Array,
            Data::Constructor(_) => Kind::Constructor,
            Data::Property(..) => Kind::Property,
            Data::Value(value) => value.kind(),
        }
    }

    /// The numbers of the children, in order.
    pub(super) fn children(&self) -> &[u32] {
        match self {
            Data::Object(members) => &members.items,
            Data::Array(items) => items,
            Data::Constructor(inner) => &inner.1,
            Data::Property(_, value) => std::slice::from_ref(value),
            Data::Value(_) => &[],
        }
    }

    fn children_mut(&mut self) -> &mut [u32] {
        match self {
            Data::Object(members) => &mut members.items,
            Data::Array(items) => items,
            Data::Constructor(inner) => &mut inner.1,
            Data::Property(_, value) => std::slice::from_mut(value),
            Data::Value(_) => &mut [],
        }
    }
}

impl Arena {
    pub(super) fn with_capacity(n_nodes: usize) -> Self {
        Self { nodes: Vec::with_capacity(n_nodes), notes: Notes::default() }
    }

    /// Adds a detached node.
    pub(super) fn push(&mut self, data: Data) -> u32 {
        // Trees are bounded far below 2^32 nodes: by the reader, and by steps and bytes elsewhere.
        let id = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        self.nodes.push(Node::new(data));
        id
    }

    pub(super) fn data(&self, id: u32) -> &Data {
        self.nodes.get(id as usize).map_or(&NULL, |it| &it.data)
    }

    pub(super) fn data_mut(&mut self, id: u32) -> Option<&mut Data> {
        self.nodes.get_mut(id as usize).map(|it| &mut it.data)
    }

    pub(super) fn parent(&self, id: u32) -> u32 {
        self.nodes.get(id as usize).map_or(NONE, |it| it.parent)
    }

    pub(super) fn height(&self, id: u32) -> u16 {
        self.nodes.get(id as usize).map_or(0, |it| it.height)
    }

    pub(super) fn version(&self, id: u32) -> u16 {
        self.nodes.get(id as usize).map_or(0, |it| it.version)
    }

    pub(super) fn children(&self, id: u32) -> &[u32] {
        self.data(id).children()
    }

    pub(super) fn root(&self, mut id: u32) -> u32 {
        while self.parent(id) != NONE {
            id = self.parent(id);
        }
        id
    }

    /// The name and the value of a property.
    pub(super) fn property(&self, id: u32) -> Option<(&Arc<str>, u32)> {
        match self.data(id) {
            Data::Property(name, value) => Some((name, *value)),
            _ => None,
        }
    }

    /// The property of `object` that is called `name`.
    pub(super) fn find(&self, object: u32, name: &str) -> Option<u32> {
        let Data::Object(members) = self.data(object) else { return None };
        if let Some(index) = &members.index {
            return index.get(name).copied();
        }
        let is_named = |id: &u32| self.property(*id).is_some_and(|(it, _)| &**it == name);
        members.items.iter().copied().find(is_named)
    }

    /// Where `child` stands among the children of `parent`.
    pub(super) fn position(&self, parent: u32, child: u32) -> Option<usize> {
        self.children(parent).iter().position(|it| *it == child)
    }

    /// Hangs the detached `child` into `parent` at `at`, in an object under its name.
    ///
    /// # Errors
    ///
    /// The tree would be too deep.
    pub(super) fn hang(&mut self, parent: u32, at: usize, child: u32) -> Result<(), Fault> {
        self.raise(parent, self.height(child))?;
        if let Some(node) = self.nodes.get_mut(child as usize) {
            node.parent = parent;
        }
        let name = self.property(child).map(|(name, _)| Arc::clone(name));
        let Some(node) = self.nodes.get_mut(parent as usize) else { return Ok(()) };
        node.version = node.version.wrapping_add(1);
        match &mut node.data {
            Data::Object(members) => {
                members.items.insert(at.min(members.items.len()), child);
                if let (Some(index), Some(name)) = (&mut members.index, name) {
                    index.insert(name, child);
                } else if members.items.len() > MANY {
                    self.build_index(parent);
                }
            }
            Data::Array(items) => items.insert(at.min(items.len()), child),
            Data::Constructor(inner) => inner.1.insert(at.min(inner.1.len()), child),
            Data::Property(_, value) => *value = child,
            Data::Value(_) => {}
        }
        Ok(())
    }

    /// Takes the child at `at` out of `parent`; it stays in the arena without a parent.
    pub(super) fn unhang(&mut self, parent: u32, at: usize) -> Option<u32> {
        let child = *self.children(parent).get(at)?;
        let name = self.property(child).map(|(name, _)| Arc::clone(name));
        let node = self.nodes.get_mut(parent as usize)?;
        node.version = node.version.wrapping_add(1);
        match &mut node.data {
            Data::Object(members) => {
                members.items.remove(at);
                if let (Some(index), Some(name)) = (&mut members.index, name) {
                    index.remove(&name);
                }
            }
            Data::Array(items) => {
                items.remove(at);
            }
            Data::Constructor(inner) => {
                inner.1.remove(at);
            }
            Data::Property(..) | Data::Value(_) => return None,
        }
        self.set_parent(child, NONE);
        Some(child)
    }

    pub(super) fn set_parent(&mut self, child: u32, parent: u32) {
        if let Some(node) = self.nodes.get_mut(child as usize) {
            node.parent = parent;
        }
    }

    /// Puts the detached `new` where `at` of `parent` is, and detaches that.
    pub(super) fn exchange(&mut self, parent: u32, at: usize, new: u32) -> Result<(), Fault> {
        self.raise(parent, self.height(new))?;
        let name = self.property(new).map(|(name, _)| Arc::clone(name));
        let Some(node) = self.nodes.get_mut(parent as usize) else { return Ok(()) };
        // The list's own indexer counts as a change; the value of a property does not.
        if !matches!(node.data, Data::Property(..)) {
            node.version = node.version.wrapping_add(1);
        }
        let Some(slot) = node.data.children_mut().get_mut(at) else { return Ok(()) };
        let old = std::mem::replace(slot, new);
        let old_name = self.property(old).map(|(name, _)| Arc::clone(name));
        if let (Some(Data::Object(members)), Some(name)) = (self.data_mut(parent), name)
            && let Some(index) = &mut members.index
        {
            if let Some(old_name) = old_name {
                index.remove(&old_name);
            }
            index.insert(name, new);
        }
        self.set_parent(old, NONE);
        self.set_parent(new, parent);
        Ok(())
    }

    /// Sets the children of a node that the reader has just finished, heights included.
    pub(super) fn adopt(&mut self, parent: u32, children: &[u32]) {
        let mut height = 0;
        for child in children {
            if let Some(node) = self.nodes.get_mut(*child as usize) {
                node.parent = parent;
                height = height.max(node.height);
            }
        }
        let Some(node) = self.nodes.get_mut(parent as usize) else { return };
        node.height = node.data.own_height() + height;
        match &mut node.data {
            Data::Object(members) => {
                members.items = children.to_vec();
                if children.len() > MANY {
                    self.build_index(parent);
                }
            }
            Data::Array(items) => *items = children.to_vec(),
            Data::Constructor(inner) => inner.1 = children.to_vec(),
            Data::Property(..) | Data::Value(_) => {}
        }
    }

    /// Copies the tree below `id` of `from` to the end of this arena, annotations too; gives the copy's root.
    pub(super) fn copy_from(&mut self, from: &Arena, id: u32) -> u32 {
        let copy = self.copy_plain(from, id);
        if let Some(note) = from.notes.get(id) {
            self.notes.set(copy, note.copied());
        }
        copy
    }

    fn copy_plain(&mut self, from: &Arena, id: u32) -> u32 {
        let data = match from.data(id) {
            Data::Value(value) => return self.push(Data::Value(value.clone())),
            Data::Property(name, value) => {
                let copy = self.copy_from(from, *value);
                let property = self.push(Data::Property(Arc::clone(name), copy));
                self.adopt(property, &[copy]);
                return property;
            }
            Data::Object(_) => Data::Object(Members::default()),
            Data::Array(_) => Data::Array(Vec::new()),
            Data::Constructor(inner) => {
                Data::Constructor(Box::new((Arc::clone(&inner.0), Vec::new())))
            }
        };
        let copies: Vec<u32> =
            from.children(id).iter().map(|child| self.copy_from(from, *child)).collect();
        let copy = self.push(data);
        self.adopt(copy, &copies);
        copy
    }

    fn build_index(&mut self, object: u32) {
        let Data::Object(members) = self.data(object) else { return };
        let named = |id: &u32| self.property(*id).map(|(name, _)| (Arc::clone(name), *id));
        let index: HashMap<Arc<str>, u32> = members.items.iter().filter_map(named).collect();
        if let Some(Data::Object(members)) = self.data_mut(object) {
            members.index = Some(Box::new(index));
        }
    }

    /// Makes `id` and its ancestors high enough for a child of the height `child`.
    fn raise(&mut self, id: u32, child: u16) -> Result<(), Fault> {
        let mut levels = Vec::new();
        let (mut id, mut child) = (id, child);
        while let Some(node) = self.nodes.get(id as usize) {
            let height = node.data.own_height() + child;
            if height <= node.height {
                break;
            }
            if height > MAX_TREE_DEPTH {
                return Err(Fault::limit(format!(
                    "JSON is nested more than {MAX_TREE_DEPTH} levels deep"
                )));
            }
            levels.push((id, height));
            (id, child) = (node.parent, height);
        }
        for (id, height) in levels {
            if let Some(node) = self.nodes.get_mut(id as usize) {
                node.height = height;
            }
        }
        Ok(())
    }
}

impl Store for Arena {
    fn len(&self) -> usize {
        self.nodes.len()
    }

    fn append(&mut self, other: Arena) -> u32 {
        let offset = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        let shift = |id: u32| if id == NONE { NONE } else { id.saturating_add(offset) };
        self.nodes.extend(other.nodes.into_iter().map(|mut node| {
            node.parent = shift(node.parent);
            for child in node.data.children_mut() {
                *child = shift(*child);
            }
            if let Data::Object(members) = &mut node.data
                && let Some(index) = &mut members.index
            {
                index.values_mut().for_each(|it| *it = shift(*it));
            }
            node
        }));
        self.notes.append(other.notes, offset);
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, Data, MAX_TREE_DEPTH, Members};
    use crate::json::scalar::Scalar;

    #[test]
    fn a_tree_has_a_greatest_depth() {
        let mut arena = Arena::default();
        let mut inner = arena.push(Data::Array(Vec::new()));
        for _ in 1..MAX_TREE_DEPTH {
            let outer = arena.push(Data::Array(Vec::new()));
            arena.hang(outer, 0, inner).unwrap();
            inner = outer;
        }
        let outer = arena.push(Data::Array(Vec::new()));

        assert!(arena.hang(outer, 0, inner).unwrap_err().limit);
    }

    #[test]
    fn large_objects_find_members_by_their_index_after_changes() {
        let mut arena = Arena::default();
        let object = arena.push(Data::Object(Members::default()));
        for at in 0..100 {
            let value = arena.push(Data::Value(Scalar::Int(at)));
            let property = arena.push(Data::Property(format!("p{at}").into(), value));
            arena.adopt(property, &[value]);
            arena.hang(object, usize::MAX, property).unwrap();
        }
        arena.unhang(object, 50);

        assert_eq!(arena.find(object, "p50"), None);
        let found = arena.find(object, "p51").unwrap();
        assert_eq!(arena.position(object, found), Some(50));
    }
}
