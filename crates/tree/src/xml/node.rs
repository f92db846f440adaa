//! [`Node`]: a reference to a node, as a variable of the type `XObject` is.

use std::fmt;
use std::sync::Arc;

use super::arena::{Arena, Data, Kind, NONE, Tree};
use super::name::Name;
use super::{Fault, writer};
use crate::note::Note;
use crate::store::Store as _;

/// A reference to a node of a tree. Clones are the same node, not copies.
#[derive(Clone)]
pub struct Node {
    pub(super) tree: Arc<Tree>,
    pub(super) id: u32,
}

/// `XDeclaration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// `Version`.
    pub version: Option<String>,
    /// `Encoding`.
    pub encoding: Option<String>,
    /// `Standalone`.
    pub standalone: Option<String>,
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<?xml")?;
        let parts = [
            ("version", &self.version),
            ("encoding", &self.encoding),
            ("standalone", &self.standalone),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                write!(f, " {name}=\"{value}\"")?;
            }
        }
        f.write_str("?>")
    }
}

/// `XDocumentType`, without declarations of entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentType {
    /// `Name`.
    pub name: String,
    /// `PublicId`.
    pub public_id: Option<String>,
    /// `SystemId`.
    pub system_id: Option<String>,
    /// `InternalSubset`.
    pub internal_subset: Option<String>,
}

impl Node {
    pub(super) fn from_arena(arena: Arena, id: u32) -> Self {
        Self { tree: Tree::new(arena), id }
    }

    fn single(data: Data) -> Self {
        let mut arena = Arena::default();
        let id = arena.push(data);
        Self::from_arena(arena, id)
    }

    /// `new XElement(name)`.
    #[must_use]
    pub fn element(name: Name) -> Self {
        Self::single(Data::element(name))
    }

    /// `new XDocument(declaration)`.
    #[must_use]
    pub fn document(declaration: Option<Declaration>) -> Self {
        Self::single(Data::Document(Vec::new(), declaration.map(Arc::new)))
    }

    /// `new XAttribute(name, value)`.
    #[must_use]
    pub fn attribute(name: Name, value: &str) -> Self {
        Self::single(Data::Attribute(name, Arc::from(value)))
    }

    /// `new XText(value)`.
    #[must_use]
    pub fn text(value: &str) -> Self {
        Self::single(Data::Text(Arc::from(value)))
    }

    /// `new XCData(value)`.
    #[must_use]
    pub fn cdata(value: &str) -> Self {
        Self::single(Data::CData(Arc::from(value)))
    }

    /// `new XComment(value)`.
    #[must_use]
    pub fn comment(value: &str) -> Self {
        Self::single(Data::Comment(Arc::from(value)))
    }

    /// `new XProcessingInstruction(target, data)`.
    #[must_use]
    pub fn instruction(target: &str, data: &str) -> Self {
        Self::single(Data::Instruction(Arc::from(target), Arc::from(data)))
    }

    /// `new XDocumentType(...)`.
    #[must_use]
    pub fn document_type(it: DocumentType) -> Self {
        Self::single(Data::Type(Arc::new(it)))
    }

    /// What a program has put at the node.
    #[must_use]
    pub fn note(&self) -> Option<Arc<dyn Note>> {
        self.with(|arena, id| arena.notes.get(id))
    }

    /// Puts something at the node, in place of what was there.
    pub fn set_note(&self, note: Arc<dyn Note>) {
        // What was there is let go after the lock.
        let old = self.with(|arena, id| arena.notes.set(id, note));
        drop(old);
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Arena, u32) -> R) -> R {
        self.tree.with(self.id, work)
    }

    /// A node of the same tree, found by its number.
    pub(super) fn sibling(
        &self,
        found: impl FnOnce(&mut Arena, u32) -> Option<u32>,
    ) -> Option<Self> {
        self.tree.at_home(self.id, |tree, arena, id| {
            found(arena, id).map(|id| Self { tree: Arc::clone(tree), id })
        })
    }

    /// Nodes of the same tree, found by their numbers.
    pub(super) fn siblings(&self, found: impl FnOnce(&mut Arena, u32) -> Vec<u32>) -> Vec<Self> {
        self.tree.at_home(self.id, |tree, arena, id| {
            let node = |id| Self { tree: Arc::clone(tree), id };
            found(arena, id).into_iter().map(node).collect()
        })
    }

    /// `NodeType`.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.with(|arena, id| arena.get(id).map_or(Kind::Text, Data::kind))
    }

    /// The name of an element or attribute.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        self.with(|arena, id| match arena.get(id) {
            Some(Data::Element(element)) => Some(element.name.clone()),
            Some(Data::Attribute(name, _)) => Some(name.clone()),
            _ => None,
        })
    }

    /// Sets `XElement.Name`.
    pub fn set_name(&self, name: Name) {
        self.with(|arena, id| {
            if let Some(element) = arena.element_mut(id) {
                element.name = name;
            }
        });
    }

    /// `XDocument.Declaration`.
    #[must_use]
    pub fn declaration(&self) -> Option<Arc<Declaration>> {
        self.with(|arena, id| match arena.get(id) {
            Some(Data::Document(_, declaration)) => declaration.clone(),
            _ => None,
        })
    }

    /// Sets `XDocument.Declaration`.
    pub fn set_declaration(&self, new: Option<Declaration>) {
        self.with(|arena, id| {
            if let Some(Data::Document(_, declaration)) = arena.get_mut(id) {
                *declaration = new.map(Arc::new);
            }
        });
    }

    /// What an `XDocumentType` says.
    #[must_use]
    pub fn type_of_document(&self) -> Option<Arc<DocumentType>> {
        self.with(|arena, id| match arena.get(id) {
            Some(Data::Type(it)) => Some(Arc::clone(it)),
            _ => None,
        })
    }

    /// Changes what an `XDocumentType` says.
    pub fn change_type(&self, change: impl FnOnce(&mut DocumentType)) {
        self.with(|arena, id| {
            if let Some(Data::Type(it)) = arena.get_mut(id) {
                change(Arc::make_mut(it));
            }
        });
    }

    /// Sets `Target` of a processing instruction.
    pub fn set_target(&self, new: &str) {
        self.with(|arena, id| {
            if let Some(Data::Instruction(target, _)) = arena.get_mut(id) {
                *target = Arc::from(new);
            }
        });
    }

    /// `Target` of a processing instruction.
    #[must_use]
    pub fn target(&self) -> Option<Arc<str>> {
        self.with(|arena, id| match arena.get(id) {
            Some(Data::Instruction(target, _)) => Some(Arc::clone(target)),
            _ => None,
        })
    }

    /// `Value`: all text inside of an element, the text of other nodes.
    #[must_use]
    pub fn value(&self) -> Arc<str> {
        fn collect(arena: &Arena, id: u32, out: &mut String) {
            for child in arena.nodes(id) {
                match arena.get(*child) {
                    Some(Data::Text(text) | Data::CData(text)) => out.push_str(text),
                    Some(Data::Element(_)) => collect(arena, *child, out),
                    _ => {}
                }
            }
        }
        self.with(|arena, id| match arena.get(id) {
            Some(
                Data::Attribute(_, text)
                | Data::Text(text)
                | Data::CData(text)
                | Data::Comment(text)
                | Data::Instruction(_, text),
            ) => Arc::clone(text),
            _ => {
                if let ([only], Some(Data::Element(_))) = (arena.nodes(id), arena.get(id))
                    && let Some(Data::Text(text)) = arena.get(*only)
                {
                    return Arc::clone(text);
                }
                let mut out = String::new();
                collect(arena, id, &mut out);
                Arc::from(out)
            }
        })
    }

    /// Is it the very same node?
    #[must_use]
    pub fn is_same(&self, other: &Node) -> bool {
        if Arc::ptr_eq(&self.tree, &other.tree) {
            return self.id == other.id;
        }
        let ((a, a_id), (b, b_id)) = (self.tree.resolve(self.id), other.tree.resolve(other.id));
        Arc::ptr_eq(&a, &b) && a_id == b_id
    }

    /// A copy without a parent.
    ///
    /// # Errors
    ///
    /// Never of a tree that is not too deep.
    pub fn deep_clone(&self) -> Result<Self, Fault> {
        self.with(|arena, id| {
            let mut copy = Arena::default();
            let root = copy.copy_from(arena, id)?;
            Ok(Self::from_arena(copy, root))
        })
    }

    /// `ToString(options)`: the XML text, indented unless formatting is disabled.
    ///
    /// # Errors
    ///
    /// `ArgumentException` of a character that XML cannot hold.
    pub fn to_xml(&self, indented: bool) -> Result<String, Fault> {
        self.to_xml_with(indented, false)
    }

    /// The same; declarations of namespaces that hold already may be left out.
    ///
    /// # Errors
    ///
    /// As [`Node::to_xml`].
    pub fn to_xml_with(&self, indented: bool, without_doubles: bool) -> Result<String, Fault> {
        self.with(|arena, id| writer::write(arena, id, indented, without_doubles))
    }

    /// The number of bytes that the tree takes, roughly; for budgets.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.with(|arena, _| arena.len() * 96)
    }

    /// `Parent`: an element, or `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.container().filter(|it| it.kind() == Kind::Element)
    }

    /// The element or document that the node is in.
    #[must_use]
    pub fn container(&self) -> Option<Self> {
        self.sibling(|arena, id| Some(arena.parent(id)).filter(|it| *it != NONE))
    }

    /// All child nodes, attributes not among them.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        self.siblings(|arena, id| arena.nodes(id).to_vec())
    }

    /// Enumerates the child nodes one by one, as they are when their turn comes.
    #[must_use]
    pub fn each_node(&self) -> Nodes {
        let version = self.with(|arena, id| arena.version(id));
        Nodes { of: self.clone(), last: None, version }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_xml(false).unwrap_or_default())
    }
}

/// The child nodes of a node, one by one. A node that was removed meanwhile ends it.
#[derive(Debug)]
pub struct Nodes {
    of: Node,
    last: Option<Node>,
    version: u16,
}

impl Iterator for Nodes {
    type Item = Node;

    fn next(&mut self) -> Option<Node> {
        let _ = self.version;
        let next = match &self.last {
            None => self.of.sibling(|arena, id| arena.nodes(id).first().copied()),
            Some(last) if last.container().is_some_and(|it| it.is_same(&self.of)) => last.next(),
            Some(_) => None,
        };
        self.last.clone_from(&next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::{Declaration, Name, Node};

    #[test]
    fn a_child_keeps_its_parents_alive() {
        let child = {
            let outer = Node::element(Name::parse("a").unwrap());
            outer.add(Node::element(Name::parse("b").unwrap())).unwrap();
            outer.nodes().remove(0)
        };
        assert_eq!(child.parent().unwrap().to_xml(false).unwrap(), "<a><b /></a>");
    }

    #[test]
    fn a_declaration_shows_what_it_has() {
        let it = Declaration {
            version: Some("1.0".to_owned()),
            encoding: Some("utf-8".to_owned()),
            standalone: None,
        };
        assert_eq!(it.to_string(), "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    }

    #[test]
    fn value_is_all_text_inside() {
        let element = Node::element(Name::parse("a").unwrap());
        element.add("x").unwrap();
        let inner = Node::element(Name::parse("b").unwrap());
        inner.add(Node::cdata("<y>")).unwrap();
        element.add(inner).unwrap();
        element.add(Node::comment("no")).unwrap();
        assert_eq!(&*element.value(), "x<y>");
    }
}
