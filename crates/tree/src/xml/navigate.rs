//! Finding nodes from nodes: elements, attributes, neighbours, ancestors, namespaces.

use std::sync::Arc;

use super::arena::{Arena, Data, Kind};
use super::name::{Name, XML_NAMESPACE, XMLNS_NAMESPACE};
use super::node::Node;
use super::scope::Scope;

impl Node {
    /// `Elements()` or `Elements(name)`.
    #[must_use]
    pub fn elements(&self, name: Option<&Name>) -> Vec<Node> {
        self.siblings(|arena, id| {
            let fits = |it: &&u32| is_element(arena, **it, name);
            arena.nodes(id).iter().filter(fits).copied().collect()
        })
    }

    /// `Element(name)`: the first child element of that name.
    #[must_use]
    pub fn child(&self, name: &Name) -> Option<Node> {
        self.sibling(|arena, id| {
            arena.nodes(id).iter().find(|it| is_element(arena, **it, Some(name))).copied()
        })
    }

    /// `XDocument.Root`: the first child that is an element.
    #[must_use]
    pub fn root_element(&self) -> Option<Node> {
        self.sibling(|arena, id| {
            arena.nodes(id).iter().find(|it| is_element(arena, **it, None)).copied()
        })
    }

    /// `Attributes()` or `Attributes(name)`.
    #[must_use]
    pub fn attributes(&self, name: Option<&Name>) -> Vec<Node> {
        self.siblings(|arena, id| {
            let fits = |it: &&u32| {
                name.is_none_or(|name| arena.attribute(**it).is_some_and(|(own, _)| own == name))
            };
            arena.attributes(id).iter().filter(fits).copied().collect()
        })
    }

    /// `Attribute(name)`.
    #[must_use]
    pub fn attribute_named(&self, name: &Name) -> Option<Node> {
        self.attributes(Some(name)).into_iter().next()
    }

    /// `IsEmpty`: written as one tag.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.with(|arena, id| arena.element(id).is_some_and(|it| it.is_empty))
    }

    /// `NextNode` or `NextAttribute`.
    #[must_use]
    pub fn next(&self) -> Option<Node> {
        self.neighbour(|at| at.checked_add(1))
    }

    /// `PreviousNode` or `PreviousAttribute`.
    #[must_use]
    pub fn previous(&self) -> Option<Node> {
        self.neighbour(|at| at.checked_sub(1))
    }

    fn neighbour(&self, other: impl FnOnce(usize) -> Option<usize>) -> Option<Node> {
        self.sibling(|arena, id| {
            let at = other(arena.position(id)?)?;
            let parent = arena.parent(id);
            let siblings = if arena.attribute(id).is_some() {
                arena.attributes(parent)
            } else {
                arena.nodes(parent)
            };
            siblings.get(at).copied()
        })
    }

    /// All nodes below this one, in document order; only elements, maybe of a name, if asked to.
    #[must_use]
    pub fn descendants(&self, and_self: bool, elements: bool, name: Option<&Name>) -> Vec<Node> {
        fn collect(
            arena: &Arena,
            id: u32,
            keep: &dyn Fn(&Arena, u32) -> bool,
            found: &mut Vec<u32>,
        ) {
            for child in arena.nodes(id) {
                if keep(arena, *child) {
                    found.push(*child);
                }
                collect(arena, *child, keep, found);
            }
        }
        self.siblings(|arena, id| {
            let keep = |arena: &Arena, id: u32| !elements || is_element(arena, id, name);
            let mut found = Vec::new();
            if and_self && keep(arena, id) {
                found.push(id);
            }
            collect(arena, id, &keep, &mut found);
            found
        })
    }

    /// `Ancestors()` or `Ancestors(name)`: the parent element, its parent, and so on.
    #[must_use]
    pub fn ancestors(&self, and_self: bool, name: Option<&Name>) -> Vec<Node> {
        let first = if and_self { Some(self.clone()) } else { self.parent() };
        let all = std::iter::successors(first, Node::parent);
        all.filter(|it| name.is_none_or(|name| it.name().as_ref() == Some(name))).collect()
    }

    /// `Document`: the document that the node is in.
    #[must_use]
    pub fn owner_document(&self) -> Option<Node> {
        let top = self.sibling(|arena, id| Some(arena.root(id)))?;
        (top.kind() == Kind::Document).then_some(top)
    }

    /// `GetPrefixOfNamespace(namespace)`.
    #[must_use]
    pub fn prefix_of(&self, namespace: &str) -> Option<String> {
        match namespace {
            XML_NAMESPACE => return Some("xml".to_owned()),
            XMLNS_NAMESPACE => return Some("xmlns".to_owned()),
            _ => {}
        }
        self.with(|arena, id| {
            let mut scope = Scope::of_ancestors(arena, id);
            scope.enter(arena, id);
            scope.prefix(namespace, false).map(str::to_owned)
        })
    }

    /// `GetNamespaceOfPrefix(prefix)`; the default namespace for an empty prefix.
    #[must_use]
    pub fn namespace_of(&self, prefix: &str) -> Option<Arc<str>> {
        match prefix {
            "xml" => return Some(Arc::from(XML_NAMESPACE)),
            "xmlns" => return Some(Arc::from(XMLNS_NAMESPACE)),
            _ => {}
        }
        self.with(|arena, id| {
            let mut scope = Scope::of_ancestors(arena, id);
            scope.enter(arena, id);
            scope.namespace(prefix).cloned()
        })
    }

    /// `XNode.DeepEquals(a, b)`: attributes in the same order, names, texts and all inside.
    #[must_use]
    pub fn deep_equals(&self, other: &Node) -> bool {
        if self.is_same(other) {
            return true;
        }
        let same = self.kind() == other.kind()
            && self.name() == other.name()
            && self.target() == other.target()
            && self.type_of_document() == other.type_of_document();
        if !same {
            return false;
        }
        if !matches!(self.kind(), Kind::Element | Kind::Document) {
            return self.value() == other.value();
        }
        let pairs_equal = |a: Vec<Node>, b: Vec<Node>| {
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.deep_equals(b))
        };
        self.is_empty() == other.is_empty()
            && pairs_equal(self.attributes(None), other.attributes(None))
            && pairs_equal(self.nodes(), other.nodes())
    }

    /// The places from the top down to this node; compares in document order.
    #[must_use]
    pub fn place(&self) -> Vec<usize> {
        self.with(|arena, id| {
            let mut places = Vec::new();
            let mut id = id;
            while let Some(at) = arena.position(id) {
                places.push(at);
                id = arena.parent(id);
            }
            places.reverse();
            places
        })
    }
}

fn is_element(arena: &Arena, id: u32, name: Option<&Name>) -> bool {
    match arena.get(id) {
        Some(Data::Element(element)) => name.is_none_or(|name| element.name == *name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::xml::{Name, Node, ParseOptions, Root, parse};

    fn xml(text: &str) -> Node {
        parse(text, Root::Element, &ParseOptions::default()).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn elements_attributes_and_ancestors_are_found() {
        let root = xml("<a x='1' y='2'><b><c>1</c></b>t<c>2</c></a>");
        let inner = &root.descendants(false, true, Some(&name("c")))[0];

        assert_eq!(&*root.child(&name("c")).unwrap().value(), "2");
        assert_eq!(root.elements(None).len(), 2);
        assert_eq!(root.nodes().len(), 3);
        assert_eq!(&*root.attribute_named(&name("y")).unwrap().value(), "2");
        assert_eq!(root.attributes(None)[0].next().unwrap().name(), Some(name("y")));
        let above: Vec<String> =
            inner.ancestors(false, None).iter().map(|it| it.name().unwrap().to_string()).collect();
        assert_eq!(above, ["b", "a"]);
        assert!(root.parent().is_none() && root.next().is_none());
        assert_eq!(inner.place(), [0, 0]);
    }

    #[test]
    fn prefixes_and_namespaces_are_looked_up_in_scope() {
        let root = xml("<p:a xmlns:p='urn:x' xmlns='urn:d'><b/></p:a>");
        let inner = root.elements(None).remove(0);

        assert_eq!(inner.prefix_of("urn:x").as_deref(), Some("p"));
        assert_eq!(inner.prefix_of("urn:d"), None);
        assert_eq!(inner.namespace_of("").as_deref(), Some("urn:d"));
        assert_eq!(inner.namespace_of("q"), None);
    }

    #[test]
    fn deep_equality_minds_the_order_of_attributes() {
        assert!(xml("<a x='1'><b/>t</a>").deep_equals(&xml("<a x=\"1\"><b/>t</a>")));
        assert!(!xml("<a x='1' y='2'/>").deep_equals(&xml("<a y='2' x='1'/>")));
        assert!(!xml("<a/>").deep_equals(&xml("<a></a>")));
    }
}
