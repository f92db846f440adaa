//! A document as XPath sees it: one list of nodes in document order, never changed once made.
//!
//! ```text
//! root, element, its attributes, its children ..., next element, ...
//! ```
//!
//! A node is its place in the list, so document order is the order of numbers, a subtree is a
//! range, and walking descendants is walking the list. All texts lie in one string. Namespace
//! nodes are no nodes of the list: they are an element and one of the declarations in scope.

mod axes;
mod build;
mod parse;

pub(crate) use axes::{Axis, Test};
pub(crate) use build::Builder;
pub(crate) use parse::{Keeps, Options, parse};

use std::borrow::Cow;

use crate::names::{Atom, Name};

/// No node.
const NONE: u32 = u32::MAX;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    Element,
    Attribute,
    Text,
    Comment,
    Instruction,
    Namespace,
}

/// One node.
#[derive(Clone, Debug)]
struct Data {
    kind: Kind,
    /// Text that is written as it is (`disable-output-escaping`); elements that were given a text,
    /// if only an empty one.
    is_raw: bool,
    name: Name,
    parent: u32,
    /// One past the last node of the subtree, attributes included.
    end: u32,
    next: u32,
    previous: u32,
    first: u32,
    /// Place in `text`, or for elements in `declared`.
    start: u32,
    length: u32,
}

/// A node of one of the documents of a run. The order is document order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node {
    /// Number of the document.
    pub(crate) document: u32,
    /// Place in the document.
    pub(crate) id: u32,
    /// 0, or for a namespace node one more than the declaration's place; the greatest number is
    /// the declaration of `xml`.
    pub(crate) space: u32,
}

impl Node {
    pub(crate) fn root(document: u32) -> Self {
        Self { document, id: 0, space: 0 }
    }

    pub(crate) fn with(self, id: u32) -> Self {
        Self { document: self.document, id, space: 0 }
    }
}

/// A document, or the tree of a variable or of a result.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    nodes: Vec<Data>,
    text: String,
    /// Prefixes and namespaces, those of an element in a row.
    declared: Vec<(Atom, Atom)>,
    /// Where nodes stand in the source, if it was asked for: the node itself, and its value.
    places: Vec<(u32, u32)>,
}

impl Document {
    fn data(&self, id: u32) -> Option<&Data> {
        self.nodes.get(id as usize)
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn kind(&self, id: u32) -> Kind {
        self.data(id).map_or(Kind::Root, |it| it.kind)
    }

    pub(crate) fn kind_of(&self, node: Node) -> Kind {
        if node.space == 0 { self.kind(node.id) } else { Kind::Namespace }
    }

    /// The name of an element, an attribute or (its target) a processing instruction.
    pub(crate) fn name(&self, id: u32) -> Name {
        self.data(id).map_or(Name::default(), |it| it.name)
    }

    /// The name of any node: a namespace node's is its prefix.
    pub(crate) fn name_of(&self, node: Node) -> Name {
        match node.space {
            0 => self.name(node.id),
            space => Name { local: self.declaration(space).0, ..Name::default() },
        }
    }

    pub(crate) fn is_raw(&self, id: u32) -> bool {
        self.data(id).is_some_and(|it| it.is_raw)
    }

    /// Was the element, or the root, given a text, if only an empty one, and holds nothing?
    pub(crate) fn is_full(&self, id: u32) -> bool {
        let is_inner = matches!(self.kind(id), Kind::Element | Kind::Root);
        is_inner && self.is_raw(id) && self.first(id).is_none()
    }

    pub(crate) fn parent(&self, id: u32) -> Option<u32> {
        self.data(id).map(|it| it.parent).filter(|it| *it != NONE)
    }

    pub(crate) fn end(&self, id: u32) -> u32 {
        self.data(id).map_or(0, |it| it.end)
    }

    pub(crate) fn next(&self, id: u32) -> Option<u32> {
        self.data(id).map(|it| it.next).filter(|it| *it != NONE)
    }

    pub(crate) fn previous(&self, id: u32) -> Option<u32> {
        self.data(id).map(|it| it.previous).filter(|it| *it != NONE)
    }

    pub(crate) fn first(&self, id: u32) -> Option<u32> {
        self.data(id).map(|it| it.first).filter(|it| *it != NONE)
    }

    pub(crate) fn children(&self, id: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(self.first(id), |it| self.next(*it))
    }

    pub(crate) fn attributes(&self, id: u32) -> impl Iterator<Item = u32> {
        let from = if self.kind(id) == Kind::Element { id + 1 } else { self.len() };
        (from..self.len()).take_while(|it| self.kind(*it) == Kind::Attribute)
    }

    /// The value of the attribute without a namespace.
    pub(crate) fn attribute(&self, id: u32, local: Atom) -> Option<u32> {
        self.attributes(id).find(|it| {
            let name = self.name(*it);
            name.local == local && name.space == Atom::EMPTY
        })
    }

    /// The own text of an attribute, a text, a comment or an instruction.
    pub(crate) fn value(&self, id: u32) -> &str {
        let Some(data) = self.data(id) else { return "" };
        if matches!(data.kind, Kind::Element | Kind::Root) {
            return "";
        }
        let start = data.start as usize;
        self.text.get(start..start + data.length as usize).unwrap_or("")
    }

    /// The string-value (XPath 1.0, section 5).
    pub(crate) fn string(&self, id: u32) -> Cow<'_, str> {
        if !matches!(self.kind(id), Kind::Element | Kind::Root) {
            return Cow::Borrowed(self.value(id));
        }
        let mut texts = (id..self.end(id)).filter(|it| self.kind(*it) == Kind::Text);
        let Some(first) = texts.next() else { return Cow::Borrowed("") };
        let Some(second) = texts.next() else { return Cow::Borrowed(self.value(first)) };
        let mut all = String::from(self.value(first));
        all.push_str(self.value(second));
        for text in texts {
            all.push_str(self.value(text));
        }
        Cow::Owned(all)
    }

    /// Does any element declare a namespace?
    pub(crate) fn declares(&self) -> bool {
        !self.declared.is_empty()
    }

    /// How many ancestors a node has.
    pub(crate) fn depth(&self, id: u32) -> usize {
        std::iter::successors(self.parent(id), |it| self.parent(*it)).count()
    }

    /// What an element declares itself.
    pub(crate) fn declared(&self, id: u32) -> &[(Atom, Atom)] {
        match self.data(id) {
            Some(data) if data.kind == Kind::Element => {
                let start = data.start as usize;
                self.declared.get(start..start + data.length as usize).unwrap_or(&[])
            }
            _ => &[],
        }
    }

    /// Prefix and namespace of a namespace node.
    pub(crate) fn declaration(&self, space: u32) -> (Atom, Atom) {
        if space == u32::MAX {
            return (Atom::XML_PREFIX, Atom::XML);
        }
        let place = (space as usize).wrapping_sub(1);
        self.declared.get(place).copied().unwrap_or_default()
    }

    /// The namespace nodes of an element, as numbers of declarations; the one of `xml` is last.
    pub(crate) fn namespaces(&self, id: u32) -> Vec<u32> {
        let mut found: Vec<(Atom, u32)> = Vec::new();
        let mut at = (self.kind(id) == Kind::Element).then_some(id);
        while let Some(element) = at {
            let start = self.data(element).map_or(0, |it| it.start);
            for (number, (prefix, _)) in (start + 1..).zip(self.declared(element)) {
                if !found.iter().any(|(it, _)| it == prefix) {
                    found.push((*prefix, number));
                }
            }
            at = self.parent(element).filter(|it| self.kind(*it) == Kind::Element);
        }
        let mut numbers: Vec<u32> = found
            .into_iter()
            .map(|(_, number)| number)
            .filter(|it| self.declaration(*it).1 != Atom::EMPTY)
            .collect();
        numbers.sort_unstable();
        if self.kind(id) == Kind::Element {
            numbers.push(u32::MAX);
        }
        numbers
    }

    /// Where a node stands in the source, and where its value begins.
    pub(crate) fn place(&self, id: u32) -> (usize, usize) {
        let (node, value) = self.places.get(id as usize).copied().unwrap_or_default();
        (node as usize, value as usize)
    }
}
