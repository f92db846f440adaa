//! What the XML and the HTML method write alike: names, comments, instructions, declarations of
//! namespaces.

use super::Sink;
use super::text::{Place, lines};
use crate::document::Document;
use crate::names::{Atom, Names};

/// A tree, and the text that becomes of it.
pub(super) struct Pen<'a> {
    pub(super) tree: &'a Document,
    pub(super) names: &'a Names,
    pub(super) sink: Sink,
}

impl Pen<'_> {
    pub(super) fn push(&mut self, text: &str) {
        self.sink.push(text);
    }

    /// The name of an element or attribute, with its prefix.
    pub(super) fn name(&mut self, id: u32) {
        let name = self.tree.name(id);
        if name.prefix != Atom::EMPTY {
            self.push(self.names.text(name.prefix));
            self.push(":");
        }
        self.push(self.names.text(name.local));
    }

    pub(super) fn comment(&mut self, id: u32) {
        self.push("<!--");
        self.push(&lines(self.tree.value(id)));
        self.push("-->");
    }

    /// A processing instruction; its end is the method's.
    pub(super) fn instruction(&mut self, id: u32, end: &str) {
        self.push("<?");
        self.push(self.names.text(self.tree.name(id).local));
        let value = self.tree.value(id);
        if !value.is_empty() {
            self.push(" ");
            self.push(&lines(value));
        }
        self.push(end);
    }

    /// The namespaces that an element declares. .NET's writer has them behind the attributes.
    pub(super) fn namespaces(&mut self, id: u32) {
        for (prefix, space) in self.tree.declared(id) {
            self.push(" xmlns");
            if *prefix != Atom::EMPTY {
                self.push(":");
                self.push(self.names.text(*prefix));
            }
            self.value(self.names.text(*space), Place::Attribute);
        }
    }

    /// The value of an attribute, in quotation marks.
    pub(super) fn value(&mut self, value: &str, place: Place) {
        self.push("=\"");
        self.sink.escaped(value, place);
        self.push("\"");
    }

    pub(super) fn end_tag(&mut self, id: u32) {
        self.push("</");
        self.name(id);
        self.push(">");
    }
}
