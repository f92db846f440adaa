//! Reading XML 1.0 with namespaces into a tree.
//!
//! White space between elements is left out unless asked for; line breaks become `\n`; entities
//! are the five predefined ones and character references. Depth, nodes and so time are bounded.

use std::sync::Arc;

use super::arena::{Arena, Data};
use super::markup::is_allowed;
use super::name::{is_part, is_start};
use super::node::Node;
use super::values::normal;
use super::{Fault, MAX_DEPTH, xml_exception};

/// What the text must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `XElement.Parse`: the root element alone.
    Element,
    /// `XDocument.Parse`.
    Document,
}

/// How text is read.
#[derive(Clone, Debug)]
pub struct ParseOptions {
    /// `LoadOptions.PreserveWhitespace`.
    pub preserve_whitespace: bool,
    /// Greatest number of nodes, attributes included.
    pub max_nodes: usize,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { preserve_whitespace: false, max_nodes: 1_000_000 }
    }
}

/// Parses `text`.
///
/// # Errors
///
/// `XmlException` with line and position; a limit.
pub fn parse(text: &str, root: Root, options: &ParseOptions) -> Result<Node, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut arena = Arena::default();
    let document = arena.push(Data::Document(Vec::new(), None));
    let mut parser =
        Parser { text, at: 0, arena, options, open: vec![], bound: vec![], document, n_nodes: 0 };
    parser.run()?;
    let arena = &parser.arena;
    let element = arena.nodes(document).iter().find(|it| arena.element(**it).is_some()).copied();
    let Some(element) = element else {
        return Err(xml_exception("Root element is missing."));
    };
    if root == Root::Element {
        parser.arena.unhang(element);
        return Ok(Node::from_arena(parser.arena, element));
    }
    Ok(Node::from_arena(parser.arena, document))
}

/// A text, a place in it, and what has been read so far.
pub(super) struct Parser<'a> {
    text: &'a str,
    pub(super) at: usize,
    pub(super) arena: Arena,
    options: &'a ParseOptions,
    pub(super) open: Vec<Open<'a>>,
    /// Namespaces by prefix, innermost last.
    bound: Vec<(&'a str, Arc<str>)>,
    pub(super) document: u32,
    n_nodes: usize,
}

/// An attribute as it is written: its name, its value, and where it stands.
type RawAttribute<'a> = (&'a str, Arc<str>, usize);

/// An element whose end has not come yet.
pub(super) struct Open<'a> {
    id: u32,
    tag: &'a str,
    at: usize,
    n_bound: usize,
    preserve: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().map_or(1, |it| it.chars().count() + 1))
    }

    pub(super) fn error_at<T>(&self, at: usize, message: impl AsRef<str>) -> Result<T, Fault> {
        let (line, position) = self.place(at);
        let message = message.as_ref();
        Err(xml_exception(format!("{message} Line {line}, position {position}.")))
    }

    pub(super) fn error<T>(&self, message: impl AsRef<str>) -> Result<T, Fault> {
        self.error_at(self.at, message)
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let is_there = self.rest().starts_with(text);
        if is_there {
            self.at += text.len();
        }
        is_there
    }

    pub(super) fn space(&mut self) -> bool {
        let before = self.at;
        while let Some(' ' | '\t' | '\n' | '\r') = self.peek() {
            self.at += 1;
        }
        self.at > before
    }

    pub(super) fn until(&mut self, end: &str, what: &str) -> Result<&'a str, Fault> {
        let rest = self.rest();
        match rest.find(end) {
            Some(length) => {
                self.at += length + end.len();
                let inner = rest.get(..length).unwrap_or("");
                match inner.chars().find(|it| !is_allowed(*it)) {
                    Some(it) => self.invalid(it),
                    None => Ok(inner),
                }
            }
            None => {
                self.at = self.text.len();
                self.error(format!("Unexpected end of file while parsing {what} has occurred."))
            }
        }
    }

    fn invalid<T>(&self, it: char) -> Result<T, Fault> {
        let code = u32::from(it);
        self.error(format!("'{it}', hexadecimal value 0x{code:02X}, is an invalid character."))
    }

    fn push(&mut self, data: Data) -> Result<u32, Fault> {
        self.n_nodes += 1;
        let most = self.options.max_nodes;
        if self.n_nodes > most {
            return Err(Fault::limit(format!("XML has more than {most} nodes")));
        }
        Ok(self.arena.push(data))
    }

    pub(super) fn add(&mut self, data: Data) -> Result<(), Fault> {
        let parent = self.open.last().map_or(self.document, |it| it.id);
        let id = self.push(data)?;
        self.arena.hang(parent, usize::MAX, id)
    }

    fn run(&mut self) -> Result<(), Fault> {
        if self.rest().starts_with("<?xml") && !self.rest().starts_with("<?xml-") {
            self.declaration()?;
        }
        while self.at < self.text.len() {
            if self.peek() != Some('<') {
                self.characters()?;
            } else if self.take("<!--") {
                let inner = self.until("--", "Comment")?;
                if !self.take(">") {
                    return self.error(
                        "An XML comment cannot contain '--', and '-' cannot be the last character.",
                    );
                }
                self.add(Data::Comment(normal(inner)))?;
            } else if self.take("<![CDATA[") {
                if self.open.is_empty() {
                    return self.error_at(self.at - 9, "Data at the root level is invalid.");
                }
                let inner = self.until("]]>", "CDATA")?;
                self.add(Data::CData(normal(inner)))?;
            } else if self.take("<?") {
                self.instruction()?;
            } else if self.take("<!DOCTYPE") {
                self.document_type()?;
            } else if self.take("</") {
                self.end_tag()?;
            } else {
                self.start_tag()?;
            }
        }
        if self.open.is_empty() {
            return Ok(());
        }
        let tags: Vec<&str> = self.open.iter().rev().map(|it| it.tag).collect();
        self.error(format!(
            "Unexpected end of file has occurred. The following elements are not closed: {}.",
            tags.join(", ")
        ))
    }

    pub(super) fn quoted(&mut self) -> Result<&'a str, Fault> {
        match self.peek() {
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                self.until(quote.encode_utf8(&mut [0; 4]), "literal")
            }
            _ => self.unexpected("'\"' or '''"),
        }
    }

    pub(super) fn unexpected<T>(&self, expected: &str) -> Result<T, Fault> {
        match self.peek() {
            Some(it) => self
                .error(format!("'{it}' is an unexpected token. The expected token is {expected}.")),
            None => self.error("Unexpected end of file has occurred."),
        }
    }

    /// A name with at most one colon.
    pub(super) fn name(&mut self) -> Result<&'a str, Fault> {
        let rest = self.rest();
        let length = rest.find(|it| !is_part(it) && it != ':').unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or("");
        let parts_are_names = name.split(':').all(|it| it.starts_with(is_start));
        if name.is_empty() || !parts_are_names || name.split(':').count() > 2 {
            return match self.peek() {
                Some(it) if !is_start(it) => self.error(format!(
                    "Name cannot begin with the '{it}' character, hexadecimal value 0x{:02X}.",
                    u32::from(it)
                )),
                Some(_) => self.error(
                    "The ':' character, hexadecimal value 0x3A, cannot be included in a name.",
                ),
                None => self.error("Unexpected end of file has occurred."),
            };
        }
        self.at += length;
        Ok(name)
    }

    fn start_tag(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        let tag_at = self.at;
        let tag = self.name()?;
        if self.open.is_empty() {
            let has_root =
                self.arena.nodes(self.document).iter().any(|it| self.arena.element(*it).is_some());
            if has_root {
                return self.error_at(start + 1, "There are multiple root elements.");
            }
        }
        if self.open.len() >= usize::from(MAX_DEPTH) - 1 {
            return Err(Fault::limit(format!("XML is nested more than {MAX_DEPTH} levels deep")));
        }
        let attributes = self.raw_attributes()?;
        let is_empty = self.take("/");
        if !self.take(">") {
            return self.unexpected("'>'");
        }
        let n_bound = self.bound.len();
        for (name, value, at) in &attributes {
            let prefix = match *name {
                "xmlns" => "",
                other => match other.strip_prefix("xmlns:") {
                    Some(prefix) => prefix,
                    None => continue,
                },
            };
            if !prefix.is_empty() && value.is_empty() {
                return self.error_at(*at, "Invalid namespace declaration.");
            }
            self.bound.push((prefix, Arc::clone(value)));
        }
        let name = self.resolve(tag, true, tag_at)?;
        let id = self.push(Data::element(name))?;
        let parent = self.open.last().map_or(self.document, |it| it.id);
        self.arena.hang(parent, usize::MAX, id)?;
        let mut preserve = self.open.last().is_some_and(|it| it.preserve);
        for (raw, value, at) in attributes {
            let name = self.resolve(raw, false, at)?;
            let is_duplicate = self
                .arena
                .attributes(id)
                .iter()
                .any(|it| self.arena.attribute(*it).is_some_and(|(own, _)| *own == name));
            if is_duplicate {
                return self.error_at(at, format!("'{raw}' is a duplicate attribute name."));
            }
            if raw == "xml:space" {
                preserve = &*value == "preserve";
            }
            let attribute = self.push(Data::Attribute(name, value))?;
            self.arena.hang(id, 0, attribute)?;
        }
        if is_empty {
            self.bound.truncate(n_bound);
            return Ok(());
        }
        if let Some(element) = self.arena.element_mut(id) {
            element.is_empty = false;
        }
        self.open.push(Open { id, tag, at: tag_at, n_bound, preserve });
        Ok(())
    }

    fn raw_attributes(&mut self) -> Result<Vec<RawAttribute<'a>>, Fault> {
        let mut attributes = Vec::new();
        loop {
            let spaced = self.space();
            match self.peek() {
                Some('/' | '>') => return Ok(attributes),
                None => return self.error("Unexpected end of file has occurred."),
                Some(it) if !spaced => {
                    return self
                        .error(format!("'{it}' is an unexpected token. Expecting white space."));
                }
                Some(_) => {}
            }
            let at = self.at;
            let name = self.name()?;
            let value = self.quoted_value()?;
            attributes.push((name, value, at));
        }
    }

    pub(super) fn namespace(&self, prefix: &str) -> Option<Arc<str>> {
        self.bound.iter().rev().find(|(own, _)| *own == prefix).map(|(_, it)| Arc::clone(it))
    }

    fn end_tag(&mut self) -> Result<(), Fault> {
        let at = self.at;
        let tag = self.name()?;
        self.space();
        if !self.take(">") {
            return self.unexpected("'>'");
        }
        match self.open.pop() {
            Some(open) if open.tag == tag => {
                self.bound.truncate(open.n_bound);
                Ok(())
            }
            Some(open) => {
                let (line, position) = self.place(open.at);
                self.error_at(at, format!(
                    "The '{}' start tag on line {line} position {position} does not match the end tag of '{tag}'.",
                    open.tag
                ))
            }
            None => self.error_at(at, "Unexpected end tag."),
        }
    }

    fn characters(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find('<').unwrap_or(rest.len());
        let raw = rest.get(..length).unwrap_or("");
        let is_blank = raw.chars().all(|it| matches!(it, ' ' | '\t' | '\n' | '\r'));
        if self.open.is_empty() && !is_blank {
            return self.error("Data at the root level is invalid.");
        }
        if let Some((at, it)) = raw.char_indices().find(|(_, it)| !is_allowed(*it)) {
            self.at += at;
            return self.invalid(it);
        }
        if let Some(at) = raw.find("]]>") {
            return self.error_at(start + at, "']]>' is not allowed in character data.");
        }
        self.at += length;
        let keep =
            self.options.preserve_whitespace || self.open.last().is_some_and(|it| it.preserve);
        if is_blank && !keep {
            return Ok(());
        }
        let mut text = String::with_capacity(raw.len());
        self.decode(raw, start, |it| it, &mut text)?;
        if text.is_empty() {
            return Ok(());
        }
        self.add(Data::Text(Arc::from(text)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ParseOptions, Root, parse};

    fn read(text: &str) -> String {
        match parse(text, Root::Document, &ParseOptions::default()) {
            Ok(node) => node.to_xml(false).unwrap(),
            Err(fault) => fault.message,
        }
    }

    #[test]
    fn well_formed_text_is_read() {
        let cases = [
            ("<?xml version=\"1.0\" encoding=\"utf-8\"?><r><a>1</a></r>", "<r><a>1</a></r>"),
            ("<a ><b  x = '1' /></a >", "<a><b x=\"1\" /></a>"),
            ("<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>", "<a>&lt;&amp;&gt;\"'AB</a>"),
            ("<a x=\"&lt;&quot;&amp;&#10;\n\"/>", "<a x=\"&lt;&quot;&amp;&#xA; \" />"),
            ("<a>\r\n</a>", "<a></a>"),
            ("<a> x\r\ny </a>", "<a> x\ny </a>"),
            ("<a><![CDATA[<x>]]></a>", "<a><![CDATA[<x>]]></a>"),
            ("<!--c--><?pi d?><!DOCTYPE a><a/>", "<!--c--><?pi d?><!DOCTYPE a []><a />"),
            ("<a xml:space='preserve'> <b/></a>", "<a xml:space=\"preserve\"> <b /></a>"),
            ("\u{feff}<a/>", "<a />"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let cases = [
            (
                "<a><b></a>",
                "The 'b' start tag on line 1 position 5 does not match the end tag of 'a'. Line 1, position 9.",
            ),
            ("", "Root element is missing."),
            ("<a/><b/>", "There are multiple root elements. Line 1, position 6."),
            (
                "<a>&undefined;</a>",
                "Reference to undeclared entity 'undefined'. Line 1, position 5.",
            ),
            (
                "<a x=1/>",
                "'1' is an unexpected token. The expected token is '\"' or '''. Line 1, position 6.",
            ),
            ("x", "Data at the root level is invalid. Line 1, position 1."),
            ("<a x='1' x='2'/>", "'x' is a duplicate attribute name. Line 1, position 10."),
            ("<p:a/>", "'p' is an undeclared prefix. Line 1, position 2."),
            (
                "<a>",
                "Unexpected end of file has occurred. The following elements are not closed: a. Line 1, position 4.",
            ),
            ("<a>]]></a>", "']]>' is not allowed in character data. Line 1, position 4."),
            (
                "<1/>",
                "Name cannot begin with the '1' character, hexadecimal value 0x31. Line 1, position 2.",
            ),
            (
                "<a>&#0;</a>",
                "Invalid character in the given encoding or invalid character reference. Line 1, position 4.",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(read(text), message);
        }
    }

    #[test]
    fn entity_bombs_and_external_entities_do_not_exist() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>";
        let external = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
        for text in [bomb, external] {
            assert!(read(text).starts_with("For security reasons"), "{text}");
        }
    }

    #[test]
    fn depth_and_number_of_nodes_are_bounded() {
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(read(&nested(200)).starts_with("<a>"));
        assert!(read(&nested(100_000)).contains("nested more than"));
        let options = ParseOptions { max_nodes: 3, ..ParseOptions::default() };
        assert!(parse("<a><b/><c/></a>", Root::Element, &options).is_ok());
        assert!(parse("<a><b/><c/><d/></a>", Root::Element, &options).unwrap_err().limit);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/a!?\\[\\]&;#x='\" :-]{0,40}") {
            let _ = read(&text);
        }

        #[test]
        fn what_is_written_is_read_back(text in "(<a>|</a>|<b x='1'/>|t|&amp;|<!--c-->|<p:c xmlns:p='u'/>){0,12}") {
            if let Ok(node) = parse(&format!("<r>{text}</r>"), Root::Element, &ParseOptions::default()) {
                let written = node.to_xml(false).unwrap();
                let again = parse(&written, Root::Element, &ParseOptions::default()).unwrap();
                prop_assert!(again.deep_equals(&node), "{}", written);
            }
        }
    }
}
