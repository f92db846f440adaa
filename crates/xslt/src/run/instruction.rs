//! What each instruction does.

use std::rc::Rc;

use super::Run;
use super::frame::{Capture, Frame, Then};
use crate::document::{Kind, Node};
use crate::limits::Failure;
use crate::pattern::NO_MODE;
use crate::sheet::{Apply, Avt, Binding, Body, Element, ForEach, Literal, Op, Part, What};
use crate::xpath::{Expr, Value};

impl<'s> Run<'s> {
    pub(super) fn execute(&mut self, op: &'s Op) -> Result<(), Failure> {
        match &op.what {
            What::Text(text, is_raw) => self.write_text(text, *is_raw),
            What::ValueOf(expr, is_raw) => self.value_of(expr, *is_raw),
            What::CopyOf(expr) => self.copy_of(expr),
            What::Literal(literal) => self.literal(literal),
            What::Element(element) => self.element(element),
            What::Attribute(source, body) => {
                let name = self.made_name(source, true)?;
                match self.plain_content(body)? {
                    Some(text) => self.write_attribute(name, &text),
                    None => {
                        self.capture(Capture::Attribute(name), body);
                        Ok(())
                    }
                }
            }
            What::Comment(body) => {
                self.capture(Capture::Comment, body);
                Ok(())
            }
            What::Instruction(target, body) => {
                let target = self.avt(target)?;
                self.capture(Capture::Instruction(target), body);
                Ok(())
            }
            What::Copy(sets, body) => self.copy(sets, body),
            What::If(test, body) => {
                if self.boolean(test, self.focus)? {
                    self.push_body(body);
                }
                Ok(())
            }
            What::Choose(whens, otherwise) => {
                for (test, body) in whens {
                    if self.boolean(test, self.focus)? {
                        self.push_body(body);
                        return Ok(());
                    }
                }
                self.push_body(otherwise);
                Ok(())
            }
            What::ForEach(each) => self.for_each(each),
            What::Apply(apply) => self.apply(apply),
            What::ApplyImports => self.built_in(self.focus.node, self.rules),
            What::Call(template, arguments) => match self.sheet.templates.get(*template) {
                Some(template) => self.with_arguments(arguments, Then::Call(template)),
                None => Ok(()),
            },
            What::Variable(place, binding) => self.bind(*place, binding),
            What::Param(place, name, binding) => {
                let given = self.params.iter().find(|(it, _)| it == name);
                match given.map(|(_, value)| value.clone()) {
                    Some(value) => {
                        self.set_local(*place, value);
                        Ok(())
                    }
                    None => self.bind(*place, binding),
                }
            }
            What::Number(numbering) => self.number_instruction(numbering),
            What::Message(body, ends) => {
                self.capture(Capture::Message(*ends), body);
                Ok(())
            }
            What::Unsupported(message) => Err(Failure::broken(&**message)),
        }
    }

    fn bind(&mut self, place: u32, binding: &'s Binding) -> Result<(), Failure> {
        let value = match binding {
            Binding::Select(expr) => self.evaluate(expr, self.focus)?,
            Binding::Empty => Value::text(""),
            Binding::Content(body) => {
                self.capture(Capture::Variable(place), body);
                return Ok(());
            }
        };
        self.set_local(place, value);
        Ok(())
    }

    fn value_of(&mut self, expr: &'s Expr, is_raw: bool) -> Result<(), Failure> {
        if let Some(node) = self.simple_node(expr, self.focus)? {
            return match node {
                Some(node) => self.write_node_text(node, is_raw),
                None => self.write_text("", is_raw),
            };
        }
        match self.evaluate(expr, self.focus)? {
            Value::Nodes(nodes) => match nodes.first() {
                Some(node) => self.write_node_text(*node, is_raw),
                None => self.write_text("", is_raw),
            },
            Value::Fragment(tree) => self.write_text(&tree.string(0), is_raw),
            other => {
                let text = other.plain_text().unwrap_or_default();
                self.write_text(&text, is_raw)
            }
        }
    }

    fn write_node_text(&mut self, node: Node, is_raw: bool) -> Result<(), Failure> {
        let document = self.document(node);
        if node.space != 0 {
            let space = document.declaration(node.space).1;
            let text = self.names.text(space).to_owned();
            return self.write_text(&text, is_raw);
        }
        let n_inner = document.end(node.id).saturating_sub(node.id) as usize;
        self.budget.steps(n_inner / 8)?;
        self.write_text(&document.string(node.id), is_raw)
    }

    /// Content that is text and values alone, which needs no tree.
    fn plain_content(&mut self, body: &'s Body) -> Result<Option<String>, Failure> {
        let is_plain = |it: &Op| matches!(it.what, What::Text(..) | What::ValueOf(..));
        if !body.iter().all(is_plain) {
            return Ok(None);
        }
        let mut text = String::new();
        for op in body {
            match &op.what {
                What::Text(part, _) => text.push_str(part),
                What::ValueOf(expr, _) => {
                    let part = self.text(expr, self.focus).map_err(|it| it.at(op.at))?;
                    self.budget.text(part.len())?;
                    text.push_str(&part);
                }
                _ => {}
            }
        }
        Ok(Some(text))
    }

    pub(super) fn avt(&mut self, avt: &'s Avt) -> Result<String, Failure> {
        if let Some(text) = avt.as_text() {
            return Ok(text.to_owned());
        }
        let mut text = String::new();
        for part in &avt.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Expr(expr) => {
                    let part = self.text(expr, self.focus)?;
                    self.budget.text(part.len())?;
                    text.push_str(&part);
                }
            }
        }
        Ok(text)
    }

    fn literal(&mut self, literal: &'s Literal) -> Result<(), Failure> {
        self.start(literal.name)?;
        for (prefix, space) in &literal.declared {
            self.out.declare(*prefix, *space);
        }
        self.frames.push(Frame::Close);
        self.push_body(&literal.body);
        if literal.sets.is_empty() {
            return self.literal_attributes(literal);
        }
        self.frames.push(Frame::Attributes(literal));
        self.push_sets(&literal.sets);
        Ok(())
    }

    pub(super) fn literal_attributes(&mut self, literal: &'s Literal) -> Result<(), Failure> {
        for (name, value) in &literal.attributes {
            match value.as_text() {
                Some(text) => self.write_attribute(*name, text)?,
                None => {
                    let text = self.avt(value)?;
                    self.write_attribute(*name, &text)?;
                }
            }
        }
        Ok(())
    }

    fn element(&mut self, element: &'s Element) -> Result<(), Failure> {
        let name = self.made_name(&element.name, false)?;
        self.start(name)?;
        self.frames.push(Frame::Close);
        self.push_body(&element.body);
        self.push_sets(&element.sets);
        Ok(())
    }

    fn push_sets(&mut self, sets: &[usize]) {
        self.frames.extend(sets.iter().rev().map(|it| Frame::Set(*it)));
    }

    /// An attribute set: those that it uses come first.
    pub(super) fn use_set(&mut self, place: usize) -> Result<(), Failure> {
        let Some(set) = self.sheet.sets.get(place) else { return Ok(()) };
        self.budget.steps(1)?;
        let params = Rc::clone(&self.no_params);
        // Not in last place, whatever stands below.
        self.frames.push(Frame::Body(&[], 0));
        self.enter(&set.template, self.focus, self.rules, params)?;
        self.push_sets(&set.uses);
        Ok(())
    }

    /// `xsl:copy`.
    fn copy(&mut self, sets: &'s [usize], body: &'s Body) -> Result<(), Failure> {
        let node = self.focus.node;
        let document = self.document(node);
        match document.kind_of(node) {
            Kind::Root => self.push_body(body),
            Kind::Element => {
                self.start(document.name(node.id))?;
                self.declare_all(&document, node.id)?;
                self.frames.push(Frame::Close);
                self.push_body(body);
                self.push_sets(sets);
            }
            _ => self.copy_node(&document, node)?,
        }
        Ok(())
    }

    fn for_each(&mut self, each: &'s ForEach) -> Result<(), Failure> {
        let nodes = self.nodes(&each.select, self.focus)?;
        let nodes = self.sorted(nodes, &each.sorts)?;
        if !nodes.is_empty() && !each.body.is_empty() {
            self.frames.push(Frame::Each(nodes, 0, &each.body, self.focus));
        }
        Ok(())
    }

    fn apply(&mut self, apply: &'s Apply) -> Result<(), Failure> {
        let nodes = match &apply.select {
            Some(expr) => self.nodes(expr, self.focus)?,
            None => {
                let node = self.focus.node;
                let document = self.document(node);
                let is_inner = matches!(document.kind_of(node), Kind::Root | Kind::Element);
                let children = document.children(node.id).filter(|_| is_inner);
                Rc::new(children.map(|it| node.with(it)).collect())
            }
        };
        let nodes = self.sorted(nodes, &apply.sorts)?;
        let rules = match apply.mode == NO_MODE {
            true => self.sheet.modes.get(&NO_MODE),
            false => self.sheet.modes.get(&apply.mode),
        };
        self.with_arguments(&apply.arguments, Then::Apply(nodes, rules))
    }
}
