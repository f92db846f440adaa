//! The XML method, as `System.Xml.XmlWriter` writes.

use super::text::{Place, lines};
use super::{Sink, Visit, visits};
use crate::document::{Document, Kind};
use crate::limits::Failure;
use crate::names::{Atom, Names};
use crate::sheet::{Encoding, Output};

/// Writes a tree as XML.
pub(super) fn write(
    tree: &Document,
    names: &Names,
    output: &Output,
    sink: Sink,
) -> Result<String, Failure> {
    let mut writer = Writer {
        tree,
        names,
        output,
        sink,
        depth: 0,
        is_mixed: false,
        outer: Vec::new(),
        is_empty: true,
        has_element: false,
    };
    if !output.omits_declaration {
        writer.declaration();
    }
    for visit in visits(tree) {
        match visit {
            Visit::Enter(id) => writer.enter(id),
            Visit::Leave(id) => writer.leave(id),
        }
        writer.sink.check()?;
    }
    Ok(writer.sink.text)
}

struct Writer<'a> {
    tree: &'a Document,
    names: &'a Names,
    output: &'a Output,
    sink: Sink,
    depth: usize,
    /// Text stood in the innermost element, so that nothing more may be indented there.
    is_mixed: bool,
    /// The same of the elements around.
    outer: Vec<bool>,
    /// Nothing has been written yet.
    is_empty: bool,
    has_element: bool,
}

impl Writer<'_> {
    fn declaration(&mut self) {
        self.sink.push("<?xml version=\"1.0\" encoding=\"");
        self.sink.push(self.output.encoding.name());
        self.sink.push("\"");
        if let Some(standalone) = self.output.standalone {
            let word = if standalone { "yes" } else { "no" };
            self.sink.push(" standalone=\"");
            self.sink.push(word);
            self.sink.push("\"");
        }
        self.sink.push("?>");
        self.is_empty = false;
    }

    /// A new line, unless nothing stands before it or text stands beside it.
    fn indent(&mut self) {
        if self.output.indent == Some(true) && !self.is_mixed && !self.is_empty {
            self.sink.push("\n");
            for _ in 0..self.depth {
                self.sink.push("  ");
            }
        }
        self.is_empty = false;
    }

    fn enter(&mut self, id: u32) {
        match self.tree.kind(id) {
            Kind::Element => self.start(id),
            Kind::Text => {
                self.text(id);
                (self.is_mixed, self.is_empty) = (true, false);
            }
            Kind::Comment => {
                self.indent();
                self.sink.push("<!--");
                self.sink.push(&lines(self.tree.value(id)));
                self.sink.push("-->");
            }
            Kind::Instruction => {
                self.indent();
                self.sink.push("<?");
                self.sink.push(self.names.text(self.tree.name(id).local));
                let value = self.tree.value(id);
                if !value.is_empty() {
                    self.sink.push(" ");
                    self.sink.push(&lines(value));
                }
                self.sink.push("?>");
            }
            Kind::Root | Kind::Attribute | Kind::Namespace => {}
        }
    }

    fn tag(&mut self, id: u32) {
        let name = self.tree.name(id);
        if name.prefix != Atom::EMPTY {
            self.sink.push(self.names.text(name.prefix));
            self.sink.push(":");
        }
        self.sink.push(self.names.text(name.local));
    }

    fn start(&mut self, id: u32) {
        if !std::mem::replace(&mut self.has_element, true) && self.depth == 0 {
            self.document_type(id);
        }
        self.indent();
        self.sink.push("<");
        self.tag(id);
        for attribute in self.tree.attributes(id) {
            self.sink.push(" ");
            self.tag(attribute);
            self.sink.push("=\"");
            self.sink.escaped(self.tree.value(attribute), Place::Attribute);
            self.sink.push("\"");
        }
        // .NET's writer has them behind the attributes.
        for (prefix, space) in self.tree.declared(id) {
            self.sink.push(" xmlns");
            if *prefix != Atom::EMPTY {
                self.sink.push(":");
                self.sink.push(self.names.text(*prefix));
            }
            self.sink.push("=\"");
            self.sink.escaped(self.names.text(*space), Place::Attribute);
            self.sink.push("\"");
        }
        self.outer.push(self.is_mixed);
        self.depth += 1;
        if self.tree.first(id).is_some() {
            self.sink.push(">");
        } else if self.tree.is_full(id) {
            self.sink.push(">");
            if self.output.cdata.contains(&self.tree.name(id).key()) {
                self.sink.push("<![CDATA[]]>");
            }
        }
    }

    fn leave(&mut self, id: u32) {
        self.depth -= 1;
        let has_content = self.tree.first(id).is_some();
        if !has_content && !self.tree.is_full(id) {
            self.sink.push(" />");
        } else {
            if has_content {
                self.indent();
            }
            self.sink.push("</");
            self.tag(id);
            self.sink.push(">");
        }
        self.is_mixed = self.outer.pop().unwrap_or(false);
    }

    fn document_type(&mut self, id: u32) {
        let Some(system) = &self.output.system else { return };
        self.indent();
        self.sink.push("<!DOCTYPE ");
        self.tag(id);
        match &self.output.public {
            Some(public) => {
                self.sink.push(" PUBLIC \"");
                self.sink.push(public);
                self.sink.push("\" \"");
            }
            None => self.sink.push(" SYSTEM \""),
        }
        self.sink.push(system);
        self.sink.push("\">");
    }

    fn text(&mut self, id: u32) {
        let text = self.tree.value(id);
        let is_cdata = !self.output.cdata.is_empty()
            && self.tree.parent(id).is_some_and(|parent| {
                let is_element = self.tree.kind(parent) == Kind::Element;
                is_element && self.output.cdata.contains(&self.tree.name(parent).key())
            });
        if is_cdata {
            self.cdata(text);
        } else if self.tree.is_raw(id) {
            self.sink.push(&lines(text));
        } else {
            self.sink.escaped(text, Place::Text);
        }
    }

    /// A CDATA section; characters that are not in the encoding stand between sections.
    fn cdata(&mut self, text: &str) {
        let text = lines(text).replace("]]>", "]]]]><![CDATA[>");
        self.sink.push("<![CDATA[");
        if matches!(self.sink.encoding, Encoding::Utf8 | Encoding::Utf16) {
            self.sink.push(&text);
        } else {
            for it in text.chars() {
                let is_encodable = super::text::is_encodable(it, self.sink.encoding);
                if is_encodable {
                    self.sink.text.push(it);
                } else {
                    self.sink.push("]]>");
                    self.sink.escaped(it.encode_utf8(&mut [0; 4]), Place::Text);
                    self.sink.push("<![CDATA[");
                }
            }
        }
        self.sink.push("]]>");
    }
}
