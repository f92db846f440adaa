//! The HTML method, as .NET's writer for HTML 4 does it: no end tags for empty elements, no
//! escaping in scripts, a `META` with the encoding, indentation around blocks unless told not to.

use super::html_names::Traits;
use super::pen::Pen;
use super::text::{Place, lines};
use super::{Sink, Visit, visits};
use crate::document::{Document, Kind};
use crate::limits::Failure;
use crate::names::{Atom, Names};
use crate::sheet::Output;

/// Writes a tree as HTML.
pub(super) fn write(
    tree: &Document,
    names: &Names,
    output: &Output,
    sink: Sink,
) -> Result<String, Failure> {
    let mut writer = Writer {
        pen: Pen { tree, names, sink },
        output,
        open: Vec::new(),
        block_end: None,
        has_element: false,
    };
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
    open: Vec<Open>,
    /// Where the last block began or ended.
    block_end: Option<usize>,
    has_element: bool,
}

/// An open element.
#[derive(Clone, Copy)]
struct Open {
    traits: Traits,
    /// It is of another vocabulary.
    is_xml: bool,
    /// Where its content begins.
    content: usize,
}

impl Writer<'_> {
    fn indents(&self) -> bool {
        self.output.indent != Some(false)
    }

    fn indent(&mut self, depth: usize) {
        if self.indents() {
            self.pen.push("\n");
            for _ in 0..depth {
                self.pen.push("  ");
            }
        }
    }

    fn is_at_block(&self) -> bool {
        self.block_end == Some(self.pen.sink.text.len())
    }

    fn enter(&mut self, id: u32) {
        match self.pen.tree.kind(id) {
            Kind::Element => self.start(id),
            Kind::Text => self.text(id),
            Kind::Comment => {
                self.pen.comment(id);
            }
            Kind::Instruction => {
                self.pen.instruction(id, ">");
            }
            Kind::Root | Kind::Attribute | Kind::Namespace => {}
        }
    }

    fn document_type(&mut self, id: u32) {
        let Output { public, system, .. } = self.output;
        if public.is_none() && system.is_none() {
            return;
        }
        self.pen.push("<!DOCTYPE ");
        self.pen.name(id);
        if let Some(public) = public {
            self.pen.push(" PUBLIC \"");
            self.pen.push(public);
            self.pen.push("\"");
        } else {
            self.pen.push(" SYSTEM");
        }
        if let Some(system) = system {
            self.pen.push(" \"");
            self.pen.push(system);
            self.pen.push("\"");
        }
        self.pen.push(">");
        self.block_end = Some(self.pen.sink.text.len());
    }

    fn start(&mut self, id: u32) {
        if !std::mem::replace(&mut self.has_element, true) {
            self.document_type(id);
        }
        let name = self.pen.tree.name(id);
        let is_xml = name.space != Atom::EMPTY;
        let traits = match is_xml {
            true => Traits::foreign(),
            false => Traits::of(self.pen.names.text(name.local)),
        };
        if traits.is_block && self.is_at_block() {
            self.indent(self.open.len());
        }
        self.pen.push("<");
        self.pen.name(id);
        for attribute in self.pen.tree.attributes(id) {
            self.attribute(attribute, traits, is_xml);
        }
        self.pen.namespaces(id);
        let is_full = self.pen.tree.is_full(id) && !traits.is_empty;
        let has_content = self.pen.tree.first(id).is_some() || is_full;
        let closes = has_content || !(is_xml || traits.is_empty) || traits.is_head;
        if closes {
            self.pen.push(">");
        }
        self.open.push(Open {
            traits,
            is_xml,
            content: if is_full { usize::MAX } else { self.pen.sink.text.len() },
        });
        if traits.is_head {
            self.meta();
        }
        if traits.is_block && closes {
            self.block_end = Some(self.pen.sink.text.len());
        }
    }

    /// The encoding, as browsers look for it.
    fn meta(&mut self) {
        self.indent(self.open.len());
        self.pen.push("<META http-equiv=\"Content-Type\" content=\"");
        self.pen.push(self.output.media_type.as_deref().unwrap_or("text/html"));
        self.pen.push("; charset=");
        self.pen.push(self.output.encoding.name());
        self.pen.push("\">");
    }

    fn attribute(&mut self, id: u32, traits: Traits, is_xml: bool) {
        self.pen.push(" ");
        self.pen.name(id);
        let name = self.pen.tree.name(id);
        let local = self.pen.names.text(name.local);
        let is_own = !is_xml && name.space == Atom::EMPTY;
        if is_own && traits.is_switch(local) {
            return;
        }
        let value = self.pen.tree.value(id);
        if is_xml {
            self.pen.value(value, Place::Attribute);
        } else if is_own && traits.is_address(local) {
            self.pen.value(&ascii_address(value), Place::HtmlAttribute);
        } else {
            self.pen.value(value, Place::HtmlAttribute);
        }
    }

    fn text(&mut self, id: u32) {
        let text = self.pen.tree.value(id);
        let is_raw = self.open.last().is_some_and(|it| it.traits.is_raw);
        if is_raw || self.pen.tree.is_raw(id) {
            self.pen.push(&lines(text));
        } else {
            self.pen.sink.escaped(text, Place::HtmlText);
        }
    }

    fn leave(&mut self, id: u32) {
        let Some(open) = self.open.pop() else { return };
        let is_full = self.pen.tree.is_full(id) && !open.traits.is_empty;
        let has_content = self.pen.tree.first(id).is_some() || open.traits.is_head || is_full;
        let is_block = open.traits.is_block;
        if is_block && self.is_at_block() && open.content != self.pen.sink.text.len() {
            self.indent(self.open.len());
        }
        if !has_content && open.is_xml {
            self.pen.push(" />");
        } else if !has_content && open.traits.is_empty {
            self.pen.push(">");
        } else {
            self.pen.end_tag(id);
        }
        if is_block {
            self.block_end = Some(self.pen.sink.text.len());
        }
    }
}

/// An address with the bytes of what is not ASCII in percent signs.
fn ascii_address(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        if it.is_ascii() {
            out.push(it);
        } else {
            for byte in it.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::ascii_address;

    #[test]
    fn addresses_are_ascii() {
        assert_eq!(ascii_address("a b\u{e9}?x=1&y"), "a b%C3%A9?x=1&y");
    }
}
