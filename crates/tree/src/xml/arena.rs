//! The nodes of an XML tree, which refer to each other by number.

use std::sync::Arc;

use super::name::Name;
use super::node::{Declaration, DocumentType};
use super::{Fault, MAX_DEPTH};
use crate::note::Notes;
use crate::store::Store;
pub(super) use crate::store::{NONE, unite};

/// A tree of nodes.
pub(super) type Tree = crate::store::Tree<Arena>;

/// What a node is: `System.Xml.XmlNodeType`, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the .NET enumeration")]
pub enum Kind {
    Element = 1,
    Attribute = 2,
    Text = 3,
    CData = 4,
    ProcessingInstruction = 7,
    Comment = 8,
    Document = 9,
    DocumentType = 10,
}

/// A node: what it holds and where it hangs.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) parent: u32,
    /// An upper bound of the number of elements below and including this one.
    height: u16,
    pub(super) version: u16,
    pub(super) data: Data,
}

/// What a node holds.
#[derive(Clone, Debug)]
#[expect(clippy::enum_variant_names, reason = "CData is what XML calls it")]
pub(super) enum Data {
    Document(Vec<u32>, Option<Arc<Declaration>>),
    Element(Box<Element>),
    Attribute(Name, Arc<str>),
    Text(Arc<str>),
    CData(Arc<str>),
    Comment(Arc<str>),
    Instruction(Arc<str>, Arc<str>),
    Type(Arc<DocumentType>),
}

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) name: Name,
    pub(super) attributes: Vec<u32>,
    pub(super) nodes: Vec<u32>,
    /// Written as `<a />`: it has no content, not even an empty text.
    pub(super) is_empty: bool,
}

/// All nodes of a tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena {
    items: Vec<Item>,
    pub(super) notes: Notes,
}

impl Data {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Data::Document(..) => Kind::Document,
            Data::Element(_) => Kind::Element,
            Data::Attribute(..) => Kind::Attribute,
            Data::Text(_) => Kind::Text,
            Data::CData(_) => Kind::CData,
            Data::Comment(_) => Kind::Comment,
            Data::Instruction(..) => Kind::ProcessingInstruction,
            Data::Type(_) => Kind::DocumentType,
        }
    }

    /// A new element without content.
    pub(super) fn element(name: Name) -> Self {
        Data::Element(Box::new(Element {
            name,
            attributes: Vec::new(),
            nodes: Vec::new(),
            is_empty: true,
        }))
    }

    fn own_height(&self) -> u16 {
        u16::from(matches!(self, Data::Element(_) | Data::Document(..)))
    }

    /// The numbers of the child nodes, attributes not among them.
    pub(super) fn nodes(&self) -> &[u32] {
        match self {
            Data::Document(nodes, _) => nodes,
            Data::Element(element) => &element.nodes,
            _ => &[],
        }
    }

    pub(super) fn nodes_mut(&mut self) -> Option<&mut Vec<u32>> {
        match self {
            Data::Document(nodes, _) => Some(nodes),
            Data::Element(element) => Some(&mut element.nodes),
            _ => None,
        }
    }
}

impl Arena {
    /// Adds a detached node.
    pub(super) fn push(&mut self, data: Data) -> u32 {
        let id = u32::try_from(self.items.len()).unwrap_or(NONE);
        self.items.push(Item { parent: NONE, height: data.own_height(), version: 0, data });
        id
    }

    pub(super) fn get(&self, id: u32) -> Option<&Data> {
        self.items.get(id as usize).map(|it| &it.data)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Data> {
        self.items.get_mut(id as usize).map(|it| &mut it.data)
    }

    pub(super) fn element(&self, id: u32) -> Option<&Element> {
        match self.get(id) {
            Some(Data::Element(element)) => Some(element),
            _ => None,
        }
    }

    pub(super) fn element_mut(&mut self, id: u32) -> Option<&mut Element> {
        match self.get_mut(id) {
            Some(Data::Element(element)) => Some(element),
            _ => None,
        }
    }

    pub(super) fn attribute(&self, id: u32) -> Option<(&Name, &Arc<str>)> {
        match self.get(id) {
            Some(Data::Attribute(name, value)) => Some((name, value)),
            _ => None,
        }
    }

    pub(super) fn parent(&self, id: u32) -> u32 {
        self.items.get(id as usize).map_or(NONE, |it| it.parent)
    }

    pub(super) fn version(&self, id: u32) -> u16 {
        self.items.get(id as usize).map_or(0, |it| it.version)
    }

    pub(super) fn nodes(&self, id: u32) -> &[u32] {
        self.get(id).map_or(&[], Data::nodes)
    }

    pub(super) fn attributes(&self, id: u32) -> &[u32] {
        self.element(id).map_or(&[], |it| &it.attributes)
    }

    pub(super) fn root(&self, mut id: u32) -> u32 {
        while self.parent(id) != NONE {
            id = self.parent(id);
        }
        id
    }

    /// Where `child` stands among its parent's nodes or attributes.
    pub(super) fn position(&self, child: u32) -> Option<usize> {
        let parent = self.parent(child);
        let siblings = if self.attribute(child).is_some() {
            self.attributes(parent)
        } else {
            self.nodes(parent)
        };
        siblings.iter().position(|it| *it == child)
    }

    /// Hangs the detached `child` into `parent`; attributes go to the end of theirs.
    ///
    /// # Errors
    ///
    /// The tree would be too deep.
    pub(super) fn hang(&mut self, parent: u32, at: usize, child: u32) -> Result<(), Fault> {
        self.raise(parent, self.items.get(child as usize).map_or(0, |it| it.height))?;
        if let Some(item) = self.items.get_mut(child as usize) {
            item.parent = parent;
        }
        let is_attribute = self.attribute(child).is_some();
        let Some(item) = self.items.get_mut(parent as usize) else { return Ok(()) };
        item.version = item.version.wrapping_add(1);
        match &mut item.data {
            Data::Element(element) if is_attribute => element.attributes.push(child),
            Data::Element(element) => {
                element.is_empty = false;
                element.nodes.insert(at.min(element.nodes.len()), child);
            }
            Data::Document(nodes, _) => nodes.insert(at.min(nodes.len()), child),
            _ => {}
        }
        Ok(())
    }

    /// Takes a node out of its parent.
    pub(super) fn unhang(&mut self, child: u32) {
        let (parent, at) = (self.parent(child), self.position(child));
        let is_attribute = self.attribute(child).is_some();
        let (Some(item), Some(at)) = (self.items.get_mut(parent as usize), at) else { return };
        item.version = item.version.wrapping_add(1);
        match &mut item.data {
            Data::Element(element) if is_attribute => {
                element.attributes.remove(at);
            }
            Data::Element(element) => {
                element.nodes.remove(at);
                element.is_empty |= element.nodes.is_empty();
            }
            Data::Document(nodes, _) => {
                nodes.remove(at);
            }
            _ => {}
        }
        if let Some(item) = self.items.get_mut(child as usize) {
            item.parent = NONE;
        }
    }

    /// Copies the tree below `id` of `from` to the end of this arena; gives the copy's root.
    ///
    /// # Errors
    ///
    /// Never in a tree that is not too deep itself.
    pub(super) fn copy_from(&mut self, from: &Arena, id: u32) -> Result<u32, Fault> {
        let data = match from.get(id) {
            Some(Data::Document(_, declaration)) => Data::Document(Vec::new(), declaration.clone()),
            Some(Data::Element(element)) => Data::Element(Box::new(Element {
                name: element.name.clone(),
                attributes: Vec::new(),
                nodes: Vec::new(),
                is_empty: element.is_empty,
            })),
            Some(other) => other.clone(),
            None => Data::Text(Arc::from("")),
        };
        let copy = self.push(data);
        for child in from.attributes(id).iter().chain(from.nodes(id)) {
            let child = self.copy_from(from, *child)?;
            self.hang(copy, usize::MAX, child)?;
        }
        Ok(copy)
    }

    fn raise(&mut self, id: u32, child: u16) -> Result<(), Fault> {
        let mut levels = Vec::new();
        let (mut id, mut child) = (id, child);
        while let Some(item) = self.items.get(id as usize) {
            let height = item.data.own_height() + child;
            if height <= item.height {
                break;
            }
            if height > MAX_DEPTH {
                return Err(Fault::limit(format!(
                    "XML is nested more than {MAX_DEPTH} levels deep"
                )));
            }
            levels.push((id, height));
            (id, child) = (item.parent, height);
        }
        for (id, height) in levels {
            if let Some(item) = self.items.get_mut(id as usize) {
                item.height = height;
            }
        }
        Ok(())
    }
}

impl Store for Arena {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn append(&mut self, other: Self) -> u32 {
        let offset = u32::try_from(self.items.len()).unwrap_or(NONE);
        let shift = |id: &mut u32| {
            if *id != NONE {
                *id = id.saturating_add(offset);
            }
        };
        self.items.extend(other.items.into_iter().map(|mut item| {
            shift(&mut item.parent);
            if let Data::Element(element) = &mut item.data {
                element.attributes.iter_mut().for_each(shift);
            }
            if let Some(nodes) = item.data.nodes_mut() {
                nodes.iter_mut().for_each(shift);
            }
            item
        }));
        self.notes.append(other.notes, offset);
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, Data, Kind, MAX_DEPTH, Name};

    #[test]
    fn elements_nest_so_deep_and_no_deeper() {
        let mut arena = Arena::default();
        let mut inner = arena.push(Data::element(Name::of("", "a")));
        let mut refused = None;
        for _ in 0..MAX_DEPTH {
            let outer = arena.push(Data::element(Name::of("", "a")));
            refused = arena.hang(outer, 0, inner).err();
            inner = outer;
        }
        assert!(refused.unwrap().limit);
    }

    #[test]
    fn an_element_that_loses_its_last_node_is_empty() {
        let mut arena = Arena::default();
        let element = arena.push(Data::element(Name::of("", "a")));
        let text = arena.push(Data::Text("x".into()));
        arena.hang(element, 0, text).unwrap();
        assert!(!arena.element(element).unwrap().is_empty);

        arena.unhang(text);
        assert!(arena.element(element).unwrap().is_empty);
        assert_eq!(arena.get(text).map(Data::kind), Some(Kind::Text));
    }
}
