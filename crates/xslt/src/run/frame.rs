//! What is to be done next: frames, templates, lists of nodes.

use std::rc::Rc;

use super::{Focus, Params, Run};
use crate::document::{Kind, Node};
use crate::limits::Failure;
use crate::names::{Key, Name};
use crate::pattern::Rules;
use crate::sheet::{Argument, Binding, Body, Literal, Op, Template};
use crate::xpath::Value;

/// One thing to be done, or to be done when what stands above it is.
pub(super) enum Frame<'s> {
    /// Instructions, from one of them on.
    Body(&'s [Op], usize),
    /// `xsl:for-each`: the nodes, the next of them, and what was in focus before.
    Each(Rc<Vec<Node>>, usize, &'s Body, Focus),
    /// `xsl:apply-templates`: the nodes and the next of them.
    Apply(Box<Applying<'s>>),
    /// The end of a template: what was there before it.
    Return(Box<Before<'s>>),
    /// The end of an element.
    Close,
    /// The end of a tree that is no part of the one around it, and the byte of the stylesheet where
    /// its instruction stands.
    Captured(Capture, usize),
    /// An attribute set to be used.
    Set(usize),
    /// The attributes of a literal result element, when its attribute sets are done.
    Attributes(&'s Literal),
    /// Arguments that are being computed.
    Arguments(Box<Arguments<'s>>),
}

/// `xsl:apply-templates` under way.
pub(super) struct Applying<'s> {
    pub(super) nodes: Rc<Vec<Node>>,
    pub(super) next: usize,
    pub(super) rules: Option<&'s Rules>,
    pub(super) params: Params,
}

/// What a template returns to.
pub(super) struct Before<'s> {
    base: usize,
    n_locals: usize,
    params: Params,
    rules: Option<&'s Rules>,
    focus: Focus,
}

/// What a captured tree is for.
pub(super) enum Capture {
    Variable(u32),
    Global(usize),
    Argument(Key),
    Attribute(Name),
    Comment,
    Instruction(String),
    /// And whether it ends the run.
    Message(bool),
}

/// Arguments under way, and what they are for.
pub(super) struct Arguments<'s> {
    list: &'s [Argument],
    next: usize,
    done: Vec<(Key, Value)>,
    then: Then<'s>,
}

/// What happens when the arguments are computed.
pub(super) enum Then<'s> {
    Call(&'s Template),
    Apply(Rc<Vec<Node>>, Option<&'s Rules>),
}

impl<'s> Run<'s> {
    pub(super) fn step(&mut self) -> Result<(), Failure> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        match frame {
            Frame::Body(list, next) => {
                let list: &'s [Op] = list;
                let at = *next;
                *next += 1;
                // The last one takes the place of its list.
                if *next >= list.len() {
                    self.frames.pop();
                }
                self.budget.steps(1)?;
                match list.get(at) {
                    Some(op) => {
                        self.at = op.at;
                        self.execute(op).map_err(|it| it.at(op.at))
                    }
                    None => Ok(()),
                }
            }
            Frame::Each(nodes, next, body, outer) => {
                let (body, outer, at) = (*body, *outer, *next);
                let (node, size) = (nodes.get(at).copied(), nodes.len());
                *next += 1;
                match node {
                    Some(node) => {
                        self.focus = Focus { node, position: at + 1, size };
                        self.push_body(body);
                    }
                    None => {
                        self.focus = outer;
                        self.frames.pop();
                    }
                }
                self.budget.steps(1)
            }
            Frame::Apply(applying) => {
                let (at, size) = (applying.next, applying.nodes.len());
                let node = applying.nodes.get(at).copied();
                let (rules, params) = (applying.rules, Rc::clone(&applying.params));
                applying.next += 1;
                if at + 1 >= size {
                    self.frames.pop();
                    self.depth -= 1;
                }
                self.budget.steps(1)?;
                match node {
                    Some(node) => {
                        self.apply_to(Focus { node, position: at + 1, size }, rules, params)
                    }
                    None => Ok(()),
                }
            }
            _ => match self.frames.pop() {
                Some(frame) => self.finish(frame),
                None => Ok(()),
            },
        }
    }

    fn finish(&mut self, frame: Frame<'s>) -> Result<(), Failure> {
        match frame {
            Frame::Return(before) => {
                self.locals.truncate(before.n_locals);
                self.base = before.base;
                self.params = before.params;
                self.rules = before.rules;
                self.focus = before.focus;
                self.depth -= 1;
                Ok(())
            }
            Frame::Close => {
                self.out.end();
                Ok(())
            }
            Frame::Captured(capture, at) => self.captured(capture).map_err(|it| it.at(at)),
            Frame::Set(place) => self.use_set(place),
            Frame::Attributes(literal) => self.literal_attributes(literal),
            Frame::Arguments(arguments) => self.next_argument(*arguments),
            Frame::Body(..) | Frame::Each(..) | Frame::Apply(_) => Ok(()),
        }
    }

    /// Runs a template on the node in focus, or on another one.
    pub(super) fn enter(
        &mut self,
        template: &'s Template,
        focus: Focus,
        rules: Option<&'s Rules>,
        params: Params,
    ) -> Result<(), Failure> {
        // A call in last place: the caller has nothing left to do but to return.
        if matches!(self.frames.last(), Some(Frame::Return(_))) {
            self.locals.truncate(self.base);
        } else {
            self.deeper()?;
            let before = Before {
                base: self.base,
                n_locals: self.locals.len(),
                params: Rc::clone(&self.params),
                rules: self.rules,
                focus: self.focus,
            };
            self.frames.push(Frame::Return(Box::new(before)));
            self.base = self.locals.len();
        }
        (self.focus, self.rules, self.params) = (focus, rules, params);
        let n_locals = self.locals.len() + template.n_variables;
        self.locals.resize_with(n_locals, || Value::Boolean(false));
        self.push_body(&template.body);
        Ok(())
    }

    pub(super) fn push_apply(
        &mut self,
        nodes: Rc<Vec<Node>>,
        rules: Option<&'s Rules>,
        params: Params,
    ) -> Result<(), Failure> {
        if nodes.is_empty() {
            return Ok(());
        }
        self.deeper()?;
        self.frames.push(Frame::Apply(Box::new(Applying { nodes, next: 0, rules, params })));
        Ok(())
    }

    fn apply_to(
        &mut self,
        focus: Focus,
        rules: Option<&'s Rules>,
        params: Params,
    ) -> Result<(), Failure> {
        match self.template_for(focus.node, rules)? {
            Some(template) => self.enter(template, focus, rules, params),
            None => self.built_in(focus.node, rules),
        }
    }

    fn template_for(
        &mut self,
        node: Node,
        rules: Option<&'s Rules>,
    ) -> Result<Option<&'s Template>, Failure> {
        let Some(rules) = rules else { return Ok(None) };
        let document = self.document(node);
        for place in rules.of(&document, node) {
            let Some(rule) = rules.all.get(*place) else { continue };
            if self.matches(&rule.pattern, node)? {
                return Ok(self.sheet.templates.get(rule.template));
            }
        }
        Ok(None)
    }

    /// The rules that are always there (XSLT 1.0, section 5.8).
    pub(super) fn built_in(&mut self, node: Node, rules: Option<&'s Rules>) -> Result<(), Failure> {
        let document = self.document(node);
        match document.kind_of(node) {
            Kind::Root | Kind::Element => {
                let nodes = document.children(node.id).map(|it| node.with(it)).collect();
                let params = Rc::clone(&self.no_params);
                self.push_apply(Rc::new(nodes), rules, params)
            }
            Kind::Text | Kind::Attribute => self.write_text(document.value(node.id), false),
            Kind::Comment | Kind::Instruction | Kind::Namespace => Ok(()),
        }
    }

    /// Computes arguments, then calls or applies.
    pub(super) fn with_arguments(
        &mut self,
        list: &'s [Argument],
        then: Then<'s>,
    ) -> Result<(), Failure> {
        self.next_argument(Arguments { list, next: 0, done: Vec::with_capacity(list.len()), then })
    }

    fn next_argument(&mut self, mut arguments: Arguments<'s>) -> Result<(), Failure> {
        while let Some(argument) = arguments.list.get(arguments.next) {
            arguments.next += 1;
            let value = match &argument.binding {
                Binding::Select(expr) => self.evaluate(expr, self.focus)?,
                Binding::Empty => Value::text(""),
                Binding::Content(body) => {
                    self.frames.push(Frame::Arguments(Box::new(arguments)));
                    self.capture(Capture::Argument(argument.name), body);
                    return Ok(());
                }
            };
            arguments.done.push((argument.name, value));
        }
        let params = match arguments.done.is_empty() {
            true => Rc::clone(&self.no_params),
            false => Rc::new(arguments.done),
        };
        match arguments.then {
            Then::Call(template) => self.enter(template, self.focus, self.rules, params),
            Then::Apply(nodes, rules) => self.push_apply(nodes, rules, params),
        }
    }

    /// The value of an argument that had to be captured.
    pub(super) fn give(&mut self, name: Key, value: Value) {
        if let Some(Frame::Arguments(arguments)) = self.frames.last_mut() {
            arguments.done.push((name, value));
        }
    }
}
