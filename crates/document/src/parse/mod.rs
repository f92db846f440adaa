//! Reading a document: first as strict XML, then, if that fails, as the raw dialect.
//!
//! ```text
//! parse ─▶ Parser(Xml): stops at the first problem ─ none ─▶ Document, format Xml
//!             │ any
//!             └▶ Parser(RawXml): reports every problem ────▶ Document, format RawXml
//! ```
//!
//! Both are the same recursive-free reader; `tag.rs` reads tags, `value.rs` attribute values and
//! text. It never panics and is linear: scans that fail are paid from a budget of a fixed multiple
//! of the length, and when that is spent the rest of the document is left unread.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-edit-policies>, XML 1.0.

mod tag;
mod value;

use std::sync::Arc;

use crate::tree::{Document, Element, Format, Node, TextNode};
use crate::{Diagnostic, SourceText, Span, codes};

/// Largest document that is read.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How deep elements may be nested.
pub const MAX_DEPTH: usize = 200;
/// Most problems that are reported for one document.
const MAX_PROBLEMS: usize = 100;
/// Scans that fail may look at this many times the document's length in all.
const FAILED_SCANS: usize = 8;

/// Parses a policy document, a fragment or a snippet.
///
/// Every problem is reported; the tree holds what could be read, and prints back as `text`
/// whatever the problems. A document with an error among them must not be run.
pub fn parse(text: &str) -> (Document, Vec<Diagnostic>) {
    let source: Arc<str> = text.into();
    if text.len() > MAX_BYTES {
        let nodes = vec![Node::Invalid(Span::new(bom_len(text), text.len()))];
        let message = format!("document is too large: {} bytes", text.len());
        let problem = Diagnostic::error(codes::TOO_LARGE, Span::default(), message);
        return (Document { source, format: Format::RawXml, nodes }, vec![problem]);
    }
    let (nodes, problems) = Parser::new(text, Format::Xml).run();
    if problems.is_empty() {
        let problems = value::check_expressions(&nodes);
        return (Document { source, format: Format::Xml, nodes }, problems);
    }
    let (nodes, mut problems) = Parser::new(text, Format::RawXml).run();
    if problems.iter().any(Diagnostic::is_error) {
        // How expressions are written cannot be told from a document that does not parse.
        problems.retain(|it| it.code != codes::ENTITIES_IN_EXPRESSION);
    }
    problems.sort_by_key(|it| it.span.start);
    // A value whose quote is nowhere ends where a later one does, which then says the same.
    problems.dedup_by(|later, first| later.code == first.code && later.span == first.span);
    (Document { source, format: Format::RawXml, nodes }, problems)
}

fn bom_len(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// An element whose end tag was not seen yet.
struct Open {
    element: Element,
    /// Whether anything but white space and comments stood in it so far.
    has_content: bool,
}

struct Parser<'t> {
    text: &'t str,
    format: Format,
    at: usize,
    stack: Vec<Open>,
    nodes: Vec<Node>,
    problems: Vec<Diagnostic>,
    /// Bytes that failing scans may still look at.
    budget: usize,
    /// Whether an end of markup content was looked for in vain; no later one is to be found.
    no_markup_end: bool,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, format: Format) -> Self {
        Self {
            text,
            format,
            at: bom_len(text),
            stack: Vec::new(),
            nodes: Vec::new(),
            problems: Vec::new(),
            budget: text.len() * FAILED_SCANS + 4096,
            no_markup_end: false,
        }
    }

    fn run(mut self) -> (Vec<Node>, Vec<Diagnostic>) {
        self.control_characters();
        while self.at < self.text.len() && !self.stops() {
            self.node();
        }
        if self.at < self.text.len() {
            let rest = Span::new(self.at, self.text.len());
            if self.problems.len() < MAX_PROBLEMS || self.is_strict() {
                let message = "too many problems, the rest of the document is not read";
                self.problems.push(Diagnostic::error(codes::GAVE_UP, Span::at(self.at), message));
            }
            self.push(Node::Invalid(rest));
            self.at = self.text.len();
        }
        while let Some(open) = self.stack.pop() {
            self.not_closed(&open.element);
            self.close(open, None, self.text.len());
        }
        (self.nodes, self.problems)
    }

    fn is_strict(&self) -> bool {
        self.format == Format::Xml
    }

    fn stops(&self) -> bool {
        let limit = if self.is_strict() { 1 } else { MAX_PROBLEMS };
        self.problems.len() >= limit || self.budget == 0
    }

    fn rest(&self, at: usize) -> &'t str {
        self.text.get(at..).unwrap_or("")
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or("")
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn find(&self, needle: &str, at: usize) -> Option<usize> {
        self.rest(at).find(needle).map(|it| at + it)
    }

    /// The first place at or after `at` that is no white space. Documentation pages hold no-break
    /// spaces, so all of Unicode's counts.
    fn skip_space(&self, at: usize) -> usize {
        let rest = self.rest(at);
        at + rest.len() - rest.trim_start().len()
    }

    /// Pays for a scan that failed after looking at `n_bytes`.
    fn spend(&mut self, n_bytes: usize) {
        self.budget = self.budget.saturating_sub(n_bytes);
    }

    fn problem(&mut self, problem: Diagnostic) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn push(&mut self, node: Node) {
        match self.stack.last_mut() {
            Some(open) => {
                open.has_content |= match &node {
                    Node::Comment(_) | Node::Pi(_) => false,
                    Node::Text(it) => !it.value.is_blank(),
                    Node::Element(_) | Node::CData(_) | Node::Invalid(_) => true,
                };
                open.element.children.push(node);
            }
            None => self.nodes.push(node),
        }
    }

    fn control_characters(&mut self) {
        let is_bad = |it: char| it < ' ' && !matches!(it, '\t' | '\n' | '\r');
        for (at, found) in self.text.char_indices().filter(|(_, it)| is_bad(*it)).take(3) {
            let message = format!("character U+{:04X} is not allowed", u32::from(found));
            self.problem(
                Diagnostic::error(codes::CONTROL_CHARACTER, at..at + 1, message)
                    .label("a control character"),
            );
        }
    }

    /// Reads one piece of content.
    fn node(&mut self) {
        let rest = self.rest(self.at);
        if rest.starts_with("<!--") {
            self.delimited("comment", "<!--", "-->", Node::Comment);
        } else if rest.starts_with("<![CDATA[") {
            self.cdata();
        } else if rest.starts_with("<?") {
            self.delimited("processing instruction", "<?", "?>", Node::Pi);
        } else if rest.starts_with("<!") {
            self.declaration();
        } else if rest.starts_with("</") {
            self.end_tag();
        } else if rest.starts_with('<') && tag::name_len(self.rest(self.at + 1)) > 0 {
            self.start_tag();
        } else {
            self.text_node();
        }
    }

    /// Reads up to `closer`; without one, to the end of the document.
    fn delimited(&mut self, what: &str, opener: &str, closer: &str, node: fn(Span) -> Node) {
        let start = self.at;
        let end = self.find(closer, start + opener.len()).map(|it| it + closer.len());
        if end.is_none() {
            self.markup_not_closed(what, opener, closer);
        }
        self.at = end.unwrap_or(self.text.len());
        self.push(node(Span::new(start, self.at)));
    }

    fn markup_not_closed(&mut self, what: &str, opener: &str, closer: &str) {
        let span = Span::new(self.at, self.at + opener.len());
        let message = format!("{what} is not closed");
        let label = format!("no `{closer}` follows");
        self.problem(Diagnostic::error(codes::MARKUP_NOT_CLOSED, span, message).label(label));
    }

    fn cdata(&mut self) {
        let (start, content) = (self.at, self.at + "<![CDATA[".len());
        let end = self.find("]]>", content);
        if end.is_none() {
            self.markup_not_closed("CDATA section", "<![CDATA[", "]]>");
        }
        let content_end = end.unwrap_or(self.text.len());
        self.at = end.map_or(self.text.len(), |it| it + "]]>".len());
        let value = crate::entity::plain(self.slice(content, content_end), content);
        let node = TextNode { value, span: Span::new(start, self.at) };
        if self.stack.is_empty() {
            self.text_outside(node.span);
        }
        self.push(Node::CData(node));
    }

    fn declaration(&mut self) {
        let start = self.at;
        let mut depth = 0_usize;
        let end = self.rest(start).bytes().position(|it| {
            match it {
                b'[' => depth += 1,
                b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            it == b'>' && depth == 0
        });
        self.at = end.map_or(self.text.len(), |it| start + it + 1);
        let span = Span::new(start, self.at);
        let message = "declarations are refused in policy documents";
        self.problem(
            Diagnostic::error(codes::DECLARATION_REFUSED, start..start + 2, message)
                .label("a declaration starts here"),
        );
        self.push(Node::Invalid(span));
    }

    fn text_outside(&mut self, span: Span) {
        let message = "text outside of the root element";
        self.problem(
            Diagnostic::error(codes::TEXT_OUTSIDE, span, message)
                .label("only comments and white space may stand here"),
        );
    }

    /// Reads an end tag and closes the element it names.
    fn end_tag(&mut self) {
        let start = self.at;
        let name_start = start + 2;
        let name_end = name_start + tag::name_len(self.rest(name_start));
        let name = self.slice(name_start, name_end);
        let mut end = self.skip_space(name_end);
        if self.byte(end) == Some(b'>') {
            end += 1;
        } else {
            end = name_end;
            let message = format!("end tag `</{name}` is not closed");
            self.problem(
                Diagnostic::error(codes::TAG_NOT_CLOSED, start..name_end, message)
                    .label("`>` is missing"),
            );
        }
        self.at = end;
        let span = Span::new(start, end);
        if !self.stack.iter().any(|it| it.element.name == name) {
            let message = format!("`</{name}>` closes nothing");
            let problem = Diagnostic::error(codes::STRAY_END_TAG, span, message);
            let open = self.stack.last().map(|it| it.element.name.clone());
            self.problem(problem.label(match open {
                Some(open) => format!("`{open}` is the element that is open here"),
                None => "no element is open here".to_owned(),
            }));
            self.push(Node::Invalid(span));
            return;
        }
        while let Some(open) = self.stack.pop() {
            if open.element.name == name {
                self.close(open, Some(span), end);
                return;
            }
            self.not_closed(&open.element);
            self.close(open, None, start);
        }
    }

    fn not_closed(&mut self, element: &Element) {
        let message = format!("element `{}` is not closed", element.name);
        self.problem(
            Diagnostic::error(codes::ELEMENT_NOT_CLOSED, element.name_span, message)
                .label(format!("no `</{}>` follows", element.name)),
        );
    }

    fn close(&mut self, open: Open, close: Option<Span>, end: usize) {
        let mut element = open.element;
        element.close = close;
        element.span = Span::new(element.span.start as usize, end);
        // Only the outermost: what is inside becomes its text.
        let is_markup = tag::holds_markup(&element.name)
            && !self.stack.iter().any(|it| tag::holds_markup(&it.element.name));
        if is_markup && element.child_elements().next().is_some() {
            let span = element.content_span();
            let value = self.markup(span);
            element.children = vec![Node::Text(TextNode { value, span })];
        }
        self.push(Node::Element(element));
    }

    /// The source of `span` as text, line breaks excepted.
    fn markup(&self, span: Span) -> SourceText {
        let source = self.slice(span.start as usize, span.end as usize);
        let mut value = crate::entity::plain(source, span.start as usize);
        value.markup = true;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses, checks that printing gives the source back, and lists `code line:column`.
    fn problems(text: &str) -> Vec<String> {
        let (document, problems) = parse(text);
        assert_eq!(document.to_source(), text);
        let lines = crate::LineIndex::new(text);
        let place = |it: &Diagnostic| lines.position(text, it.span.start as usize);
        problems
            .iter()
            .map(|it| format!("{} {}:{}", it.code, place(it).line, place(it).column))
            .collect()
    }

    #[test]
    fn well_formed_documents_have_no_problems() {
        for text in [
            "<policies><inbound><base /></inbound></policies>",
            "\u{feff}<?xml version=\"1.0\"?>\r\n<!-- c -->\r\n<policies>\r\n</policies>\r\n",
            "<a b='x' c = \"y\"\n d='z'></a >",
            "<a><![CDATA[ <b> & ]]></a>",
            "<x:a xmlns:x=\"u\"><x:b/></x:a>",
            "",
        ] {
            assert_eq!(problems(text), [""; 0], "{text}");
            assert_eq!(parse(text).0.format(), Format::Xml);
        }
    }

    #[test]
    fn every_problem_is_reported_with_its_place() {
        for (text, expected) in [
            ("<a><b></a>", vec!["PC0102 1:5"]),
            ("<a>", vec!["PC0102 1:2"]),
            ("<a></b></a>", vec!["PC0103 1:4"]),
            ("<a></a", vec!["PC0104 1:4"]),
            ("<a/>text", vec!["PC0115 1:5"]),
            ("<a><!-- x</a>", vec!["PC0102 1:2", "PC0113 1:4"]),
            ("<a><![CDATA[ x</a>", vec!["PC0102 1:2", "PC0113 1:4"]),
            ("<!DOCTYPE a [<!ENTITY x 'y'>]><a/>", vec!["PC0114 1:1"]),
            ("<a>\u{1}</a>", vec!["PC0121 1:4"]),
            ("<a>\n<b x=1/>\n<c></d>\n</a>", vec!["PC0107 2:6", "PC0102 3:2", "PC0103 3:4"]),
        ] {
            assert_eq!(problems(text), expected, "{text}");
        }
    }

    #[test]
    fn nesting_and_size_are_bounded() {
        let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        assert_eq!(problems(&deep(MAX_DEPTH)), [""; 0]);
        assert!(
            problems(&deep(MAX_DEPTH + 1)).contains(&format!("PC0117 1:{}", MAX_DEPTH * 3 + 1))
        );
        assert!(!problems(&deep(50_000)).is_empty());
        assert_eq!(problems(&" ".repeat(MAX_BYTES + 1)), ["PC0101 1:1"]);
        assert_eq!(problems(&" ".repeat(MAX_BYTES)), [""; 0]);
    }

    #[test]
    fn one_place_is_told_once() {
        let text = "<p><c d=\"@(\"x\">\n<e f=\"@(\"x\">@(\"x</e></p>";
        let found = problems(text);
        let mut once = found.clone();
        once.dedup();
        assert_eq!(found, once);
    }

    #[test]
    fn the_number_of_problems_is_bounded() {
        let found = problems(&"</x>".repeat(5000));
        assert_eq!(found.len(), MAX_PROBLEMS);
    }

    #[test]
    fn markup_in_set_body_is_text() {
        for text in [
            "<set-body template=\"liquid\"><s:E><b>{{body.x}} &amp;</b></s:E></set-body>",
            "<set-body template=\"liquid\"><s:E><b>{{body.x}} &amp;</b><br></s:E></set-body>",
        ] {
            let (document, found) = parse(text);
            assert!(found.is_empty(), "{found:?}");
            let root = document.root().unwrap();
            assert_eq!(root.child_elements().count(), 0);
            let body = root.text();
            assert!(body.is_markup());
            assert_eq!(body.as_str(), document.text(root.content_span()));
            assert_eq!(document.to_source(), text);
        }
    }
}
