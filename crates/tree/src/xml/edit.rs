//! Changing a tree: adding, replacing and removing nodes, with the rules of LINQ to XML.

use std::sync::Arc;

use super::Fault;
use super::arena::{Arena, Data, Kind, NONE, unite};
use super::name::{Name, XML_NAMESPACE, XMLNS_NAMESPACE};
use super::node::Node;

/// What a container is made of: what `new XElement(...)` and its like take.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing at all.
    Nothing,
    /// A node or attribute; it is copied if it has a parent already.
    Node(Node),
    /// Text; it joins a text before it.
    Text(String),
    /// Several of them, as any enumerable is.
    Many(Vec<Content>),
}

impl From<Node> for Content {
    fn from(node: Node) -> Self {
        Content::Node(node)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Content::Text(text.to_owned())
    }
}

impl Node {
    /// `Add(content)`: at the end.
    ///
    /// # Errors
    ///
    /// `InvalidOperationException`, `ArgumentException` if the content cannot stand here.
    pub fn add(&self, content: impl Into<Content>) -> Result<(), Fault> {
        self.insert(usize::MAX, content.into()).map(drop)
    }

    /// `AddFirst(content)`.
    ///
    /// # Errors
    ///
    /// As [`Node::add`].
    pub fn add_first(&self, content: impl Into<Content>) -> Result<(), Fault> {
        self.insert(0, content.into()).map(drop)
    }

    /// `AddAfterSelf(content)`.
    ///
    /// # Errors
    ///
    /// As [`Node::add`]; `InvalidOperationException` without a parent.
    pub fn add_after_self(&self, content: impl Into<Content>) -> Result<(), Fault> {
        let (container, at) = self.position_in()?;
        container.insert(at + 1, content.into()).map(drop)
    }

    /// `AddBeforeSelf(content)`.
    ///
    /// # Errors
    ///
    /// As [`Node::add`]; `InvalidOperationException` without a parent.
    pub fn add_before_self(&self, content: impl Into<Content>) -> Result<(), Fault> {
        let (container, at) = self.position_in()?;
        container.insert(at, content.into()).map(drop)
    }

    /// `ReplaceWith(content)`.
    ///
    /// # Errors
    ///
    /// As [`Node::add`]; `InvalidOperationException` without a parent.
    pub fn replace_with(&self, content: impl Into<Content>) -> Result<(), Fault> {
        let (container, at) = self.position_in()?;
        self.remove()?;
        container.insert(at, content.into()).map(drop)
    }

    fn position_in(&self) -> Result<(Node, usize), Fault> {
        let at = self.with(|arena, id| arena.position(id));
        self.container().zip(at).ok_or_else(|| Fault::invalid_operation("The parent is missing."))
    }

    /// `Remove()`.
    ///
    /// # Errors
    ///
    /// `InvalidOperationException` without a parent.
    pub fn remove(&self) -> Result<(), Fault> {
        self.position_in()?;
        self.with(|arena, id| arena.unhang(id));
        Ok(())
    }

    /// `RemoveNodes()`.
    pub fn remove_nodes(&self) {
        self.with(|arena, id| {
            for child in arena.nodes(id).to_vec() {
                arena.unhang(child);
            }
            if let Some(element) = arena.element_mut(id) {
                element.is_empty = true;
            }
        });
    }

    /// `RemoveAttributes()`.
    pub fn remove_attributes(&self) {
        self.with(|arena, id| {
            for attribute in arena.attributes(id).to_vec() {
                arena.unhang(attribute);
            }
        });
    }

    /// Inserts content before the node at `at`; gives where the next content goes.
    fn insert(&self, at: usize, content: Content) -> Result<usize, Fault> {
        match content {
            Content::Nothing => Ok(at),
            Content::Many(many) => many.into_iter().try_fold(at, |at, it| self.insert(at, it)),
            Content::Text(text) => self.insert_text(at, &text),
            Content::Node(node) => {
                self.validate(&node)?;
                let is_attribute = node.kind() == Kind::Attribute;
                self.attach(&node, at)?;
                Ok(if is_attribute || at == usize::MAX { at } else { at + 1 })
            }
        }
    }

    fn insert_text(&self, at: usize, text: &str) -> Result<usize, Fault> {
        if self.kind() == Kind::Document {
            if text.chars().all(char::is_whitespace) {
                return Ok(at);
            }
            return Err(Fault::argument("Non white space characters cannot be added to content."));
        }
        let joined = self.with(|arena, id| {
            if text.is_empty() {
                if let Some(element) = arena.element_mut(id) {
                    element.is_empty = false;
                }
                return true;
            }
            let before = at.min(arena.nodes(id).len()).checked_sub(1);
            let before = before.and_then(|at| arena.nodes(id).get(at).copied());
            match before.and_then(|id| arena.get_mut(id)) {
                Some(Data::Text(own)) => {
                    *own = Arc::from(format!("{own}{text}"));
                    true
                }
                _ => false,
            }
        });
        if joined {
            return Ok(at);
        }
        self.attach(&Node::text(text), at)?;
        Ok(if at == usize::MAX { at } else { at + 1 })
    }

    fn validate(&self, new: &Node) -> Result<(), Fault> {
        let wrong_structure = || {
            Err(Fault::invalid_operation(
                "This operation would create an incorrectly structured document.",
            ))
        };
        let cannot = |what: &str| {
            Err(Fault::argument(format!("A node of type {what} cannot be added to content.")))
        };
        match (self.kind(), new.kind()) {
            (_, Kind::Document) => cannot("Document"),
            (Kind::Element, Kind::DocumentType) => cannot("DocumentType"),
            (Kind::Element, Kind::Attribute) => {
                let name = new.name();
                let is_there = name.is_some_and(|name| self.attribute_named(&name).is_some());
                if is_there {
                    return Err(Fault::invalid_operation("Duplicate attribute."));
                }
                Ok(())
            }
            (Kind::Document, Kind::Attribute) => {
                Err(Fault::argument("An attribute cannot be added to content."))
            }
            (Kind::Document, Kind::CData) => cannot("CDATA"),
            (Kind::Document, Kind::Text) if !new.value().chars().all(char::is_whitespace) => {
                Err(Fault::argument("Non white space characters cannot be added to content."))
            }
            (Kind::Document, Kind::Element) if self.root_element().is_some() => wrong_structure(),
            (Kind::Document, Kind::DocumentType) => {
                let is_first = self.nodes().iter().all(|it| {
                    matches!(it.kind(), Kind::Comment | Kind::ProcessingInstruction | Kind::Text)
                });
                if is_first { Ok(()) } else { wrong_structure() }
            }
            (Kind::Element | Kind::Document, _) => Ok(()),
            _ => Err(Fault::invalid_operation("The parent is missing.")),
        }
    }

    fn attach(&self, child: &Node, at: usize) -> Result<(), Fault> {
        let (mine, my_id) = self.tree.resolve(self.id);
        let (theirs, their_id) = child.tree.resolve(child.id);
        if Arc::ptr_eq(&mine, &theirs) {
            return mine.with(my_id, |arena, id| {
                let child = their_id.wrapping_sub(my_id).wrapping_add(id);
                let must_copy = arena.parent(child) != NONE || arena.root(id) == child;
                let child = if must_copy {
                    let mut copy = Arena::default();
                    let root = copy.copy_from(arena, child)?;
                    arena.copy_from(&copy, root)?
                } else {
                    child
                };
                arena.hang(id, at, child)
            });
        }
        let has_parent = theirs.with(their_id, |arena, id| arena.parent(id) != NONE);
        if has_parent {
            let mut copy = Arena::default();
            let root = theirs.with(their_id, |arena, id| copy.copy_from(arena, id))?;
            return mine.with(my_id, |arena, id| {
                let child = arena.copy_from(&copy, root)?;
                arena.hang(id, at, child)
            });
        }
        unite(&mine, &theirs);
        let (_, child_id) = theirs.resolve(their_id);
        mine.with(my_id, |arena, id| arena.hang(id, at, child_id))
    }

    /// Sets `Value`: of an element, all content is replaced by the text.
    ///
    /// # Errors
    ///
    /// `ArgumentException` of a namespace declaration that XML does not allow.
    pub fn set_value(&self, text: &str) -> Result<(), Fault> {
        if self.kind() == Kind::Element {
            self.remove_nodes();
            return self.add(text);
        }
        if let Some(name) = self.name() {
            check_declaration(&name, text)?;
        }
        self.with(|arena, id| {
            if let Some(
                Data::Attribute(_, own)
                | Data::Text(own)
                | Data::CData(own)
                | Data::Comment(own)
                | Data::Instruction(_, own),
            ) = arena.get_mut(id)
            {
                *own = Arc::from(text);
            }
        });
        Ok(())
    }

    /// `SetAttributeValue(name, value)`: null removes the attribute.
    ///
    /// # Errors
    ///
    /// As [`Node::set_value`].
    pub fn set_attribute_value(&self, name: &Name, value: Option<&str>) -> Result<(), Fault> {
        match (self.attribute_named(name), value) {
            (Some(attribute), Some(value)) => attribute.set_value(value),
            (Some(attribute), None) => attribute.remove(),
            (None, Some(value)) => {
                check_declaration(name, value)?;
                self.add(Node::attribute(name.clone(), value))
            }
            (None, None) => Ok(()),
        }
    }

    /// `SetElementValue(name, value)`: null removes the element.
    ///
    /// # Errors
    ///
    /// As [`Node::add`].
    pub fn set_element_value(&self, name: &Name, value: Option<&str>) -> Result<(), Fault> {
        match (self.child(name), value) {
            (Some(element), Some(value)) => element.set_value(value),
            (Some(element), None) => element.remove(),
            (None, Some(value)) => {
                let element = Node::element(name.clone());
                element.add(value)?;
                self.add(element)
            }
            (None, None) => Ok(()),
        }
    }
}

/// Refuses declarations that XML does not allow.
pub(super) fn check_declaration(name: &Name, value: &str) -> Result<(), Fault> {
    let is_prefixed = &*name.namespace == XMLNS_NAMESPACE;
    if !name.is_declaration() {
        return Ok(());
    }
    let wrong = if is_prefixed && value.is_empty() {
        Some(format!("The prefix '{}' cannot be bound to the empty namespace name.", name.local))
    } else if value == XML_NAMESPACE && !(is_prefixed && &*name.local == "xml") {
        Some("The prefix 'xml' is bound to the namespace name 'http://www.w3.org/XML/1998/namespace'.".to_owned())
    } else if value == XMLNS_NAMESPACE {
        Some(
            "The prefix 'xmlns' is bound to the namespace name 'http://www.w3.org/2000/xmlns/'."
                .to_owned(),
        )
    } else {
        None
    };
    wrong.map_or(Ok(()), |message| Err(Fault::argument(message)))
}

#[cfg(test)]
mod tests {
    use crate::xml::{Content, Fault, Name, Node, ParseOptions, Root, parse};

    fn xml(text: &str) -> Node {
        parse(text, Root::Element, &ParseOptions::default()).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// The text of `start` after `change`, or the type of the exception.
    fn after(start: &str, change: impl FnOnce(&Node) -> Result<(), Fault>) -> String {
        let node = xml(start);
        match change(&node) {
            Ok(()) => node.to_xml(false).unwrap(),
            Err(fault) => fault.type_name.to_owned(),
        }
    }

    #[test]
    fn nodes_are_added_replaced_and_removed() {
        let new = |text: &str| Node::element(name(text));
        let start = "<a><b/><c/></a>";
        let b = |it: &Node| it.child(&name("b")).unwrap();
        let cases = [
            (after(start, |it| it.add(new("z"))), "<a><b /><c /><z /></a>"),
            (after(start, |it| it.add_first(new("z"))), "<a><z /><b /><c /></a>"),
            (after(start, |it| b(it).add_after_self(new("z"))), "<a><b /><z /><c /></a>"),
            (after(start, |it| b(it).add_before_self("t")), "<a>t<b /><c /></a>"),
            (after(start, |it| b(it).remove()), "<a><c /></a>"),
            (after(start, |it| b(it).replace_with(new("z"))), "<a><z /><c /></a>"),
            (after(start, |it| it.set_value("<")), "<a>&lt;</a>"),
            (after(start, |it| it.set_value("")), "<a></a>"),
            (after("<a/>", |it| it.set_attribute_value(&name("k"), Some("v"))), "<a k=\"v\" />"),
            (after("<a k='v'/>", |it| it.set_attribute_value(&name("k"), None)), "<a />"),
            (after("<a><b>1</b></a>", |it| it.set_element_value(&name("b"), None)), "<a />"),
            (after("<a/>", |it| it.set_element_value(&name("b"), Some("1"))), "<a><b>1</b></a>"),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn texts_join_and_lists_keep_their_order() {
        let many = Content::Many(vec!["x".into(), "y".into(), Content::Nothing, "z".into()]);
        assert_eq!(after("<a>w</a>", |it| it.add(many.clone())), "<a>wxyz</a>");
        let mixed = Content::Many(vec![Node::comment("1").into(), Node::comment("2").into()]);
        assert_eq!(after("<a><b/></a>", |it| it.add_first(mixed)), "<a><!--1--><!--2--><b /></a>");
    }

    #[test]
    fn wrong_structures_are_refused() {
        let duplicate = || Node::attribute(name("x"), "2");
        let error = after("<a x='1'/>", |it| it.add(duplicate()));
        assert_eq!(error, "System.InvalidOperationException");
        let document = Node::document(None);
        document.add(xml("<a/>")).unwrap();
        assert_eq!(
            document.add(xml("<b/>")).unwrap_err().type_name,
            "System.InvalidOperationException"
        );
        assert_eq!(document.add("text").unwrap_err().type_name, "System.ArgumentException");
        assert!(xml("<a/>").remove().is_err());
    }

    #[test]
    fn a_node_with_a_parent_is_copied() {
        let root = xml("<a><b>1</b></a>");
        let inner = root.child(&name("b")).unwrap();
        root.add(inner.clone()).unwrap();
        inner.set_value("2").unwrap();
        assert_eq!(root.to_xml(false).unwrap(), "<a><b>2</b><b>1</b></a>");

        inner.add(root.clone()).unwrap();
        let text = "<a><b>2<a><b>2</b><b>1</b></a></b><b>1</b></a>";
        assert_eq!(root.to_xml(false).unwrap(), text);
    }
}
