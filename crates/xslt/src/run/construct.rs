//! Making nodes: elements, attributes, text, copies, and trees for variables.

use std::rc::Rc;

use super::Run;
use super::frame::{Capture, Frame};
use super::tree::Tree;
use crate::document::{Document, Kind, Node};
use crate::limits::Failure;
use crate::names::{Atom, Name, is_local};
use crate::sheet::{Body, NameSource};
use crate::xpath::{Expr, Value, space_of};

const TOO_LATE: &str = "Attribute and namespace nodes cannot be added to the parent element after \
    a text, comment, pi, or sub-element node has already been added.";

impl<'s> Run<'s> {
    pub(super) fn write_text(&mut self, text: &str, is_raw: bool) -> Result<(), Failure> {
        self.budget.text(text.len())?;
        if self.out.text(text, is_raw) {
            self.budget.node()?;
        }
        Ok(())
    }

    pub(super) fn start(&mut self, name: Name) -> Result<(), Failure> {
        self.budget.node()?;
        self.budget.steps(self.out.n_declared() / 16)?;
        self.out.start(name);
        Ok(())
    }

    pub(super) fn write_attribute(&mut self, name: Name, value: &str) -> Result<(), Failure> {
        self.budget.text(value.len())?;
        self.budget.steps(self.out.n_attributes() / 8)?;
        match self.out.attribute(name, value, &mut self.names) {
            Ok(true) => self.budget.node(),
            Ok(false) => Ok(()),
            Err(_) => Err(Failure::broken(TOO_LATE)),
        }
    }

    fn write_comment(&mut self, text: &str) -> Result<(), Failure> {
        self.budget.node()?;
        self.budget.text(text.len())?;
        // Two hyphens may not stand in a comment, nor one at its end.
        let mut text = text.replace("--", "- -").replace("--", "- -");
        if text.ends_with('-') {
            text.push(' ');
        }
        self.out.comment(&text);
        Ok(())
    }

    fn write_instruction(&mut self, target: &str, text: &str) -> Result<(), Failure> {
        self.budget.node()?;
        self.budget.text(text.len())?;
        if !is_local(target) || target.eq_ignore_ascii_case("xml") {
            let message = format!("`{target}` is no name of a processing instruction");
            return Err(Failure::broken(message));
        }
        let target = self.names.atom(target);
        self.out.instruction(target, &text.replace("?>", "? >"));
        Ok(())
    }

    /// Declares what is in scope at an element.
    pub(super) fn declare_all(&mut self, document: &Document, id: u32) -> Result<(), Failure> {
        if !document.declares() {
            return Ok(());
        }
        self.budget.steps(document.depth(id))?;
        for space in document.namespaces(id) {
            let (prefix, space) = document.declaration(space);
            self.out.declare(prefix, space);
        }
        Ok(())
    }

    /// A node that is no element and no root.
    pub(super) fn copy_node(&mut self, document: &Document, node: Node) -> Result<(), Failure> {
        let id = node.id;
        match document.kind_of(node) {
            Kind::Attribute => self.write_attribute(document.name(id), document.value(id)),
            Kind::Text => self.write_text(document.value(id), document.is_raw(id)),
            Kind::Comment => self.write_comment(document.value(id)),
            Kind::Instruction => {
                let target = self.names.text(document.name(id).local).to_owned();
                self.write_instruction(&target, document.value(id))
            }
            Kind::Namespace => {
                if !self.out.is_tag_open() {
                    return Err(Failure::broken(TOO_LATE));
                }
                let (prefix, space) = document.declaration(node.space);
                self.out.declare(prefix, space);
                Ok(())
            }
            Kind::Root | Kind::Element => Ok(()),
        }
    }

    /// `xsl:copy-of`.
    pub(super) fn copy_of(&mut self, expr: &'s Expr) -> Result<(), Failure> {
        match self.evaluate(expr, self.focus)? {
            Value::Nodes(nodes) => {
                for node in nodes.iter() {
                    let document = self.document(*node);
                    match document.kind_of(*node) {
                        Kind::Root | Kind::Element => self.copy_tree(&document, node.id)?,
                        _ => self.copy_node(&document, *node)?,
                    }
                }
                Ok(())
            }
            Value::Fragment(tree) => self.copy_tree(&tree, 0),
            other => {
                let text = other.plain_text().unwrap_or_default();
                self.write_text(&text, false)
            }
        }
    }

    /// An element, or all that is in a root.
    fn copy_tree(&mut self, document: &Document, from: u32) -> Result<(), Failure> {
        let mut open: Vec<u32> = Vec::new();
        for id in from..document.end(from) {
            while let Some(last) = open.pop_if(|it| document.end(*it) <= id) {
                self.end_copy(document, last)?;
            }
            self.budget.steps(1)?;
            match document.kind(id) {
                Kind::Root => {
                    if document.is_full(id) {
                        self.write_text("", false)?;
                    }
                }
                Kind::Element => {
                    self.start(document.name(id))?;
                    if id == from {
                        self.declare_all(document, id)?;
                    } else {
                        for (prefix, space) in document.declared(id) {
                            self.out.declare(*prefix, *space);
                        }
                    }
                    open.push(id);
                }
                _ => self.copy_node(document, Node::root(0).with(id))?,
            }
        }
        while let Some(last) = open.pop() {
            self.end_copy(document, last)?;
        }
        Ok(())
    }

    fn end_copy(&mut self, document: &Document, id: u32) -> Result<(), Failure> {
        if document.is_full(id) {
            self.write_text("", false)?;
        }
        self.out.end();
        Ok(())
    }

    /// The name of an element or attribute that is made.
    pub(super) fn made_name(
        &mut self,
        source: &'s NameSource,
        is_attribute: bool,
    ) -> Result<Name, Failure> {
        let (name, space, spaces) = match source {
            NameSource::Fixed(name) => return Ok(*name),
            NameSource::Computed { name, space, spaces } => (name, space, spaces),
        };
        let written = self.avt(name)?;
        let Some((prefix, local)) = crate::names::split(&written) else {
            return Err(Failure::broken(format!("`{written}` is no name")));
        };
        if is_attribute && space.is_none() && written == "xmlns" {
            return Err(Failure::broken("an attribute cannot be named `xmlns`"));
        }
        let (prefix_atom, local) = (self.names.atom(prefix), self.names.atom(local));
        let space = match space {
            Some(space) => {
                let space = self.avt(space)?;
                self.names.atom(&space)
            }
            None if prefix.is_empty() && is_attribute => Atom::EMPTY,
            None => space_of(spaces, prefix_atom)
                .ok_or_else(|| Failure::broken(format!("prefix `{prefix}` is not defined")))?,
        };
        let has_no_prefix = space == Atom::EMPTY || prefix == "xmlns";
        let prefix = if has_no_prefix { Atom::EMPTY } else { prefix_atom };
        Ok(Name { prefix, space, local })
    }

    /// Makes a tree apart from the one around it.
    pub(super) fn capture(&mut self, capture: Capture, body: &'s Body) {
        self.outer.push(std::mem::replace(&mut self.out, Tree::new()));
        self.frames.push(Frame::Captured(capture, self.at));
        self.push_body(body);
    }

    /// What to do with a tree that is done.
    pub(super) fn captured(&mut self, capture: Capture) -> Result<(), Failure> {
        let outer = self.outer.pop().unwrap_or_else(Tree::new);
        let tree = std::mem::replace(&mut self.out, outer).finish();
        let value = match capture {
            Capture::Variable(place) => {
                self.set_local(place, Value::Fragment(Rc::new(tree)));
                return Ok(());
            }
            Capture::Global(place) => {
                self.set_global(place, Value::Fragment(Rc::new(tree)));
                return Ok(());
            }
            Capture::Argument(name) => {
                self.give(name, Value::Fragment(Rc::new(tree)));
                return Ok(());
            }
            Capture::Message(ends) => {
                let most = self.budget.limits().max_output_bytes;
                let text = crate::write::markup(&tree, &self.names, most)?;
                self.budget.text(text.len())?;
                if ends {
                    return Err(Failure::Terminated(text));
                }
                self.messages.push(text);
                return Ok(());
            }
            _ => tree,
        };
        let has_others = value.children(0).any(|it| value.kind(it) != Kind::Text);
        if has_others {
            return Err(Failure::broken(
                "attributes, comments and processing instructions hold text alone",
            ));
        }
        let text = value.string(0);
        match capture {
            Capture::Attribute(name) => self.write_attribute(name, &text),
            Capture::Comment => self.write_comment(&text),
            Capture::Instruction(target) => self.write_instruction(&target, &text),
            _ => Ok(()),
        }
    }
}
