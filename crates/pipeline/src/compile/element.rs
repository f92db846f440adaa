//! An element of a document with the accessors that policies use.

use document::{SourceText, Span};

use crate::schema::{Attr, Child};

/// An element that the schema check has passed.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    node: &'a document::Element,
    /// None for the policy's own element.
    parent: Option<&'a document::Element>,
}

impl<'a> Element<'a> {
    pub(crate) fn new(node: &'a document::Element) -> Element<'a> {
        Element { node, parent: None }
    }

    /// The element's name.
    #[must_use]
    pub fn name(self) -> &'a str {
        &self.node.name
    }

    /// Where the name stands, for messages.
    #[must_use]
    #[expect(clippy::misnamed_getters, reason = "the whole element is too much to point at")]
    pub fn span(self) -> Span {
        self.node.name_span
    }

    /// Whether the attribute is written.
    #[must_use]
    pub fn has(self, attr: &Attr) -> bool {
        self.node.attribute(attr.name()).is_some()
    }

    /// Where the attribute's value stands, or else the element's name.
    #[must_use]
    pub fn attr_span(self, attr: &Attr) -> Span {
        self.node.attribute(attr.name()).map_or(self.node.name_span, |it| it.value_span)
    }

    /// The first child element of that kind.
    #[must_use]
    pub fn child(self, child: &Child) -> Option<Element<'a>> {
        self.children(child).next()
    }

    /// The child elements of that kind, in order.
    pub fn children(self, child: &Child) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let name = child.name();
        let parent = self.node;
        parent
            .child_elements()
            .filter(move |it| it.name == name)
            .map(move |node| Element { node, parent: Some(parent) })
    }

    /// Whether more than white space stands between the tags.
    #[must_use]
    pub fn has_text(self) -> bool {
        self.node.has_text()
    }

    /// The tree's own node.
    #[must_use]
    pub fn node(self) -> &'a document::Element {
        self.node
    }

    pub(crate) fn text(self) -> SourceText {
        self.node.text()
    }

    /// Name and position among equally named siblings; none for the policy's own element.
    pub(crate) fn segment(self) -> Option<String> {
        self.parent.map(|parent| segment(parent, self.node))
    }
}

/// The element's name, with its 1-based position if it has siblings of the same name.
pub(crate) fn segment(parent: &document::Element, node: &document::Element) -> String {
    let same = || parent.child_elements().filter(|it| it.name == node.name);
    let n_before = same().take_while(|it| !std::ptr::eq(*it, node)).count();
    if same().nth(1).is_none() {
        node.name.clone()
    } else {
        format!("{}[{}]", node.name, n_before + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_left_out_for_an_only_child() {
        let (document, _) = document::parse("<a><b/><c/><b/></a>");
        let root = document.root().unwrap();
        let segments: Vec<_> = root.child_elements().map(|it| segment(root, it)).collect();

        assert_eq!(segments, ["b[1]", "c", "b[2]"]);
    }

    #[test]
    fn children_are_found_by_kind() {
        let (document, _) = document::parse("<a x='1'><b>1</b><c/><b>2</b></a>");
        let element = Element::new(document.root().unwrap());
        const B: Child = Child::repeated("b");
        let texts: Vec<_> = element.children(&B).map(|it| it.text().as_str().to_owned()).collect();

        assert_eq!(texts, ["1", "2"]);
        assert!(element.child(&Child::repeated("d")).is_none());
        assert!(element.has(&Attr::required("x")) && !element.has(&Attr::required("y")));
        assert_eq!(element.child(&B).unwrap().segment().as_deref(), Some("b[1]"));
    }
}
