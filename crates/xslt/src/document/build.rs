//! Making a document from its beginning to its end.

use super::{Data, Document, Kind, NONE};
use crate::names::{Atom, Name};

/// A document that is being made. Attributes and declarations come right after the start of
/// their element; who calls sees to that.
#[derive(Debug)]
pub(crate) struct Builder {
    document: Document,
    /// Open elements, with the root first, and their last children.
    open: Vec<(u32, u32)>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        let document =
            Document { nodes: Vec::new(), text: String::new(), declared: vec![], places: vec![] };
        let mut builder = Self { document, open: Vec::new() };
        let root = builder.push(Kind::Root, Name::default(), NONE);
        builder.open.push((root, NONE));
        builder
    }

    fn push(&mut self, kind: Kind, name: Name, parent: u32) -> u32 {
        let id = self.document.len();
        let start = u32::try_from(self.document.text.len()).unwrap_or(u32::MAX);
        self.document.nodes.push(Data {
            kind,
            is_raw: false,
            name,
            parent,
            end: id + 1,
            next: NONE,
            previous: NONE,
            first: NONE,
            start,
            length: 0,
        });
        id
    }

    fn get(&mut self, id: u32) -> Option<&mut Data> {
        self.document.nodes.get_mut(id as usize)
    }

    /// A child of the innermost open element.
    fn child(&mut self, kind: Kind, name: Name) -> u32 {
        let (parent, last) = self.open.last().copied().unwrap_or((0, NONE));
        let id = self.push(kind, name, parent);
        if last == NONE {
            if let Some(parent) = self.get(parent) {
                parent.first = id;
            }
        } else {
            if let Some(last) = self.get(last) {
                last.next = id;
            }
            if let Some(own) = self.get(id) {
                own.previous = last;
            }
        }
        if let Some(open) = self.open.last_mut() {
            open.1 = id;
        }
        id
    }

    pub(crate) fn depth(&self) -> usize {
        self.open.len() - 1
    }

    /// The innermost open element, or the root.
    pub(crate) fn innermost(&self) -> u32 {
        self.open.last().map_or(0, |it| it.0)
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// Is the last child of the innermost open element a text?
    pub(crate) fn ends_with_text(&self) -> bool {
        self.open.last().is_some_and(|it| it.1 != NONE && self.document.kind(it.1) == Kind::Text)
    }

    pub(crate) fn start(&mut self, name: Name) -> u32 {
        let id = self.child(Kind::Element, name);
        let start = u32::try_from(self.document.declared.len()).unwrap_or(u32::MAX);
        if let Some(data) = self.get(id) {
            data.start = start;
        }
        self.open.push((id, NONE));
        id
    }

    /// Declares a prefix at the innermost open element.
    pub(crate) fn declare(&mut self, prefix: Atom, space: Atom) {
        self.document.declared.push((prefix, space));
        let id = self.innermost();
        if let Some(data) = self.get(id) {
            data.length += 1;
        }
    }

    pub(crate) fn attribute(&mut self, name: Name, value: &str) -> u32 {
        let parent = self.innermost();
        let id = self.push(Kind::Attribute, name, parent);
        self.append(id, value);
        id
    }

    /// Takes back an attribute of the innermost element, which has only attributes yet.
    pub(crate) fn remove_attribute(&mut self, id: u32) {
        let at = id as usize;
        if at < self.document.nodes.len() {
            self.document.nodes.remove(at);
        }
        for later in self.document.nodes.iter_mut().skip(at) {
            later.end -= 1;
        }
    }

    /// Notes that the innermost element, or the root, was given a text, if only an empty one: it
    /// is written with an end tag of its own.
    pub(crate) fn mark_full(&mut self) {
        let id = self.innermost();
        if let Some(data) = self.get(id) {
            data.is_raw = true;
        }
    }

    fn append(&mut self, id: u32, text: &str) {
        self.document.text.push_str(text);
        if let Some(data) = self.get(id) {
            data.length += u32::try_from(text.len()).unwrap_or(u32::MAX);
        }
    }

    /// Adds text; says whether a node was made for it.
    pub(crate) fn text(&mut self, text: &str, is_raw: bool) -> bool {
        if text.is_empty() {
            return false;
        }
        let n_bytes = self.document.text.len();
        if let Some((_, last)) = self.open.last().copied()
            && last != NONE
            && let Some(data) = self.get(last)
            && data.kind == Kind::Text
            && data.is_raw == is_raw
            && (data.start + data.length) as usize == n_bytes
        {
            self.append(last, text);
            return false;
        }
        let id = self.child(Kind::Text, Name::default());
        if let Some(data) = self.get(id) {
            data.is_raw = is_raw;
        }
        self.append(id, text);
        true
    }

    pub(crate) fn comment(&mut self, text: &str) -> u32 {
        let id = self.child(Kind::Comment, Name::default());
        self.append(id, text);
        id
    }

    pub(crate) fn instruction(&mut self, target: Atom, text: &str) -> u32 {
        let id = self.child(Kind::Instruction, Name { local: target, ..Name::default() });
        self.append(id, text);
        id
    }

    /// Ends the innermost open element.
    pub(crate) fn end(&mut self) {
        if self.open.len() > 1
            && let Some((id, _)) = self.open.pop()
        {
            let end = self.document.len();
            if let Some(data) = self.get(id) {
                data.end = end;
            }
        }
    }

    /// Notes where the last node stands in the source.
    pub(crate) fn place(&mut self, node: usize, value: usize) {
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        self.document.places.resize(self.document.nodes.len(), (0, 0));
        if let Some(last) = self.document.places.last_mut() {
            *last = (number(node), number(value));
        }
    }

    pub(crate) fn finish(mut self) -> Document {
        while self.open.len() > 1 {
            self.end();
        }
        let end = self.document.len();
        if let Some(root) = self.get(0) {
            root.end = end;
        }
        self.document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_beside_each_other_are_one_node_unless_one_is_raw() {
        let mut builder = Builder::new();
        builder.start(Name::default());
        assert!(builder.text("a", false));
        assert!(!builder.text("b", false));
        assert!(builder.text("<", true));
        builder.comment("c");
        assert!(builder.text("d", false));
        let document = builder.finish();

        let values: Vec<&str> = document.children(1).map(|it| document.value(it)).collect();
        assert_eq!(values, ["ab", "<", "c", "d"]);
        assert_eq!(document.string(0), "ab<d");
        assert_eq!((document.end(0), document.end(1)), (6, 6));
    }
}
