//! The XML method, as `System.Xml.XmlWriter` writes.

use super::pen::Pen;
use super::text::{Place, lines};
use super::{Sink, Visit, visits};
use crate::document::{Document, Kind};
use crate::limits::Failure;
use crate::names::Names;
use crate::sheet::{Encoding, Output};

/// Writes a tree as XML.
pub(super) fn write(
    tree: &Document,
    names: &Names,
    output: &Output,
    sink: Sink,
) -> Result<String, Failure> {
    let mut writer = Writer {
        pen: Pen { tree, names, sink },
        output,
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
        writer.pen.sink.check()?;
    }
    Ok(writer.pen.sink.text)
}

struct Writer<'a> {
    pen: Pen<'a>,
    output: &'a Output,
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
        self.pen.push("<?xml version=\"1.0\" encoding=\"");
        self.pen.push(self.output.encoding.name());
        self.pen.push("\"");
        if let Some(standalone) = self.output.standalone {
            let word = if standalone { "yes" } else { "no" };
            self.pen.push(" standalone=\"");
            self.pen.push(word);
            self.pen.push("\"");
        }
        self.pen.push("?>");
        self.is_empty = false;
    }

    /// A new line, unless nothing stands before it or text stands beside it.
    fn indent(&mut self) {
        if self.output.indent == Some(true) && !self.is_mixed && !self.is_empty {
            self.pen.push("\n");
            for _ in 0..self.depth {
                self.pen.push("  ");
            }
        }
        self.is_empty = false;
    }

    fn enter(&mut self, id: u32) {
        match self.pen.tree.kind(id) {
            Kind::Element => self.start(id),
            Kind::Text => {
                self.text(id);
                (self.is_mixed, self.is_empty) = (true, false);
            }
            Kind::Comment => {
                self.indent();
                self.pen.comment(id);
            }
            Kind::Instruction => {
                self.indent();
                self.pen.instruction(id, "?>");
            }
            Kind::Root | Kind::Attribute | Kind::Namespace => {}
        }
    }

    fn start(&mut self, id: u32) {
        if !std::mem::replace(&mut self.has_element, true) && self.depth == 0 {
            self.document_type(id);
        }
        self.indent();
        self.pen.push("<");
        self.pen.name(id);
        for attribute in self.pen.tree.attributes(id) {
            self.pen.push(" ");
            self.pen.name(attribute);
            self.pen.value(self.pen.tree.value(attribute), Place::Attribute);
        }
        self.pen.namespaces(id);
        self.outer.push(self.is_mixed);
        self.depth += 1;
        if self.pen.tree.first(id).is_some() {
            self.pen.push(">");
        } else if self.pen.tree.is_full(id) {
            self.pen.push(">");
            if self.output.cdata.contains(&self.pen.tree.name(id).key()) {
                self.pen.push("<![CDATA[]]>");
            }
        }
    }

    fn leave(&mut self, id: u32) {
        self.depth -= 1;
        let has_content = self.pen.tree.first(id).is_some();
        if !has_content && !self.pen.tree.is_full(id) {
            self.pen.push(" />");
        } else {
            if has_content {
                self.indent();
            }
            self.pen.end_tag(id);
        }
        self.is_mixed = self.outer.pop().unwrap_or(false);
    }

    fn document_type(&mut self, id: u32) {
        let Some(system) = &self.output.system else { return };
        self.indent();
        self.pen.push("<!DOCTYPE ");
        self.pen.name(id);
        match &self.output.public {
            Some(public) => {
                self.pen.push(" PUBLIC \"");
                self.pen.push(public);
                self.pen.push("\" \"");
            }
            None => self.pen.push(" SYSTEM \""),
        }
        self.pen.push(system);
        self.pen.push("\">");
    }

    fn text(&mut self, id: u32) {
        let text = self.pen.tree.value(id);
        let is_cdata = !self.output.cdata.is_empty()
            && self.pen.tree.parent(id).is_some_and(|parent| {
                let is_element = self.pen.tree.kind(parent) == Kind::Element;
                is_element && self.output.cdata.contains(&self.pen.tree.name(parent).key())
            });
        if is_cdata {
            self.cdata(text);
        } else if self.pen.tree.is_raw(id) {
            self.pen.push(&lines(text));
        } else {
            self.pen.sink.escaped(text, Place::Text);
        }
    }

    /// A CDATA section; characters that are not in the encoding stand between sections.
    fn cdata(&mut self, text: &str) {
        let text = lines(text).replace("]]>", "]]]]><![CDATA[>");
        self.pen.push("<![CDATA[");
        if matches!(self.pen.sink.encoding, Encoding::Utf8 | Encoding::Utf16) {
            self.pen.push(&text);
        } else {
            for it in text.chars() {
                let is_encodable = super::text::is_encodable(it, self.pen.sink.encoding);
                if is_encodable {
                    self.pen.sink.text.push(it);
                } else {
                    self.pen.push("]]>");
                    self.pen.sink.escaped(it.encode_utf8(&mut [0; 4]), Place::Text);
                    self.pen.push("<![CDATA[");
                }
            }
        }
        self.pen.push("]]>");
    }
}
