//! The tree of a document. Spans tile the source, so the tree prints back byte for byte.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::{SourceText, Span, codes};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Well-formed XML: references are decoded everywhere.
    Xml,
    /// Unescaped: expressions stand as plain C#.
    RawXml,
}

/// A policy document, fragment or snippet.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) source: Arc<str>,
    pub(crate) format: Format,
    pub(crate) nodes: Vec<Node>,
}

impl Document {
    /// The source it was parsed from.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// How it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Everything at the top, comments and white space included.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The elements at the top: one in a document, maybe more in a snippet.
    pub fn roots(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(Node::as_element)
    }

    /// The one root element.
    ///
    /// # Errors
    ///
    /// A diagnostic if there is none, or more than one.
    pub fn root(&self) -> Result<&Element, Diagnostic> {
        let mut roots = self.roots();
        match (roots.next(), roots.next()) {
            (Some(root), None) => Ok(root),
            (None, _) => {
                let message = "document has no root element";
                Err(Diagnostic::error(codes::ROOT_ELEMENT, Span::default(), message)
                    .help("a policy document is `<policies>...</policies>`"))
            }
            (Some(first), Some(second)) => Err(Diagnostic::error(
                codes::ROOT_ELEMENT,
                second.name_span,
                "document has several root elements",
            )
            .label(format!("`{}` follows the root `{}`", second.name, first.name))
            .help("wrap the policies in `<policies>` and a section, or in `<fragment>`")),
        }
    }

    /// The source text of `span`.
    pub fn text(&self, span: Span) -> &str {
        self.source.get(span.range()).unwrap_or("")
    }

    /// Prints the tree; the result is the source, byte for byte.
    pub fn to_source(&self) -> String {
        let mut out = String::with_capacity(self.source.len());
        if self.source.starts_with('\u{feff}') {
            out.push('\u{feff}');
        }
        self.print(&self.nodes, &mut out);
        out
    }

    fn print(&self, nodes: &[Node], out: &mut String) {
        for node in nodes {
            match node {
                Node::Element(element) => self.print_element(element, out),
                Node::Text(it) | Node::CData(it) => out.push_str(self.text(it.span)),
                Node::Comment(span) | Node::Pi(span) | Node::Invalid(span) => {
                    out.push_str(self.text(*span));
                }
            }
        }
    }

    fn print_element(&self, element: &Element, out: &mut String) {
        out.push('<');
        out.push_str(&element.name);
        let mut end = element.name_span.end;
        for attribute in &element.attributes {
            out.push_str(self.text(Span { start: end, end: attribute.span.start }));
            out.push_str(&attribute.name);
            let to_value = Span { start: attribute.name_span.end, end: attribute.value_span.start };
            out.push_str(self.text(to_value));
            out.push_str(self.text(attribute.value_span));
            let rest = Span { start: attribute.value_span.end, end: attribute.span.end };
            out.push_str(self.text(rest));
            end = attribute.span.end;
        }
        out.push_str(self.text(Span { start: end, end: element.open.end }));
        self.print(&element.children, out);
        if let Some(close) = element.close {
            out.push_str(self.text(close));
        }
    }
}

/// An element.
#[derive(Debug, Clone)]
pub struct Element {
    /// Its name, with prefix if it has one.
    pub name: String,
    /// Where the name stands in the start tag.
    pub name_span: Span,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// Its content in order.
    pub children: Vec<Node>,
    /// From its start tag to its end tag.
    pub span: Span,
    /// The start tag, `<` to `>`.
    pub open: Span,
    /// The end tag; none if the element is written `<a />` or is not closed.
    pub close: Option<Span>,
}

impl Element {
    /// The attribute called `name`.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|it| it.name == name)
    }

    /// The child elements in order.
    pub fn child_elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(Node::as_element)
    }

    /// Its text: text and CDATA joined, comments left out, white space kept.
    ///
    /// Child elements are not part of it; see [`Element::child_elements`].
    pub fn text(&self) -> SourceText {
        let start = self.open.end as usize;
        let mut parts = self.children.iter().filter_map(Node::as_text);
        let Some(first) = parts.next() else { return SourceText::empty(Span::at(start)) };
        let mut text = first.value.clone();
        for part in parts {
            text.append(&part.value);
        }
        text
    }

    /// Whether its text is more than white space.
    pub fn has_text(&self) -> bool {
        self.children.iter().filter_map(Node::as_text).any(|it| !it.value.is_blank())
    }

    /// The content between the tags.
    pub fn content_span(&self) -> Span {
        let end = self.close.map_or(self.span.end, |it| it.start);
        Span { start: self.open.end, end: end.max(self.open.end) }
    }
}

/// An attribute.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its name, with prefix if it has one.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its value, decoded.
    pub value: SourceText,
    /// Where the value stands, without quotes.
    pub value_span: Span,
    /// What stands around the value.
    pub quote: Quote,
    /// From the name to the closing quote.
    pub span: Span,
}

/// What stands around an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// `"`.
    Double,
    /// `'`.
    Single,
    /// Nothing: `tenant-id={{tenant}}`.
    None,
}

/// A piece of content.
#[derive(Debug, Clone)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text, which may be one expression.
    Text(TextNode),
    /// A CDATA section; the value is its content.
    CData(TextNode),
    /// A comment.
    Comment(Span),
    /// A processing instruction or the XML declaration.
    Pi(Span),
    /// Something that a diagnostic was reported for, kept so that nothing is lost.
    Invalid(Span),
}

impl Node {
    /// The element, if it is one.
    pub fn as_element(&self) -> Option<&Element> {
        match self {
            Self::Element(it) => Some(it),
            _ => None,
        }
    }

    /// The text, if it is text or CDATA.
    pub fn as_text(&self) -> Option<&TextNode> {
        match self {
            Self::Text(it) | Self::CData(it) => Some(it),
            _ => None,
        }
    }

    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Self::Element(it) => it.span,
            Self::Text(it) | Self::CData(it) => it.span,
            Self::Comment(span) | Self::Pi(span) | Self::Invalid(span) => *span,
        }
    }
}

/// Text or CDATA.
#[derive(Debug, Clone)]
pub struct TextNode {
    /// Its text, decoded.
    pub value: SourceText,
    /// Its place, including `<![CDATA[` and `]]>`.
    pub span: Span,
}

#[cfg(test)]
mod tests {
    use crate::parse;

    #[test]
    fn text_joins_cdata_and_leaves_comments_out() {
        let (document, problems) = parse("<a>x <!-- c --> y<![CDATA[<z>]]></a>");
        assert!(problems.is_empty(), "{problems:?}");
        let root = document.root().unwrap();
        assert_eq!(root.text().as_str(), "x  y<z>");
        assert!(root.has_text());
        assert_eq!(document.text(root.content_span()), "x <!-- c --> y<![CDATA[<z>]]>");
    }

    #[test]
    fn a_document_has_exactly_one_root() {
        let message = |text: &str| parse(text).0.root().unwrap_err().message;
        assert_eq!(message("<!-- nothing -->"), "document has no root element");
        assert_eq!(message("<a/><b/>"), "document has several root elements");
        assert_eq!(parse("<a/><b/>").0.roots().count(), 2);
    }

    #[test]
    fn attributes_are_found_by_name() {
        let (document, _) = parse("<a x='1' y=\"2\"><b/></a>");
        let root = document.root().unwrap();
        assert_eq!(root.attribute("y").unwrap().value.as_str(), "2");
        assert!(root.attribute("z").is_none());
        assert_eq!(root.child_elements().count(), 1);
        assert!(!root.has_text());
    }
}
