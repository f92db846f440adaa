//! A document against a compiled schema.

use roxmltree::{Document, Node};

use crate::content::{Label, Walk};
use crate::model::{
    Attribute, Compiled, Complex, Content, Element, Kind, Name, Process, Type, TypeId, Wildcard,
};
use crate::read::XML;
use crate::simple::{Identifiers, Simple};
use crate::{MAX_VIOLATIONS, Violation};

/// The namespace of `xsi:type` and `xsi:nil`.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const ENVELOPES: [&str; 2] =
    ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"];
/// Elements within elements.
const MAX_DEPTH: usize = 128;
/// Steps of content models for one document.
const MAX_COST: u64 = 20_000_000;

pub(crate) struct Checker<'a> {
    compiled: &'a Compiled,
    document: &'a Document<'a>,
    violations: Vec<Violation>,
    ids: Identifiers,
    cost: u64,
    depth: usize,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(compiled: &'a Compiled, document: &'a Document<'a>) -> Self {
        Self {
            compiled,
            document,
            violations: Vec::new(),
            ids: Identifiers::default(),
            cost: 0,
            depth: 0,
        }
    }

    /// What was found, references to identifiers included.
    pub(crate) fn finish(mut self) -> Vec<Violation> {
        let wanted = std::mem::take(&mut self.ids.wanted);
        let root = self.document.root_element();
        for id in wanted {
            if !self.ids.own.contains(&id) {
                self.tell(root, format!("nothing has the ID `{}`", short(&id)));
            }
        }
        self.violations
    }

    fn tell(&mut self, node: Node<'_, '_>, message: impl Into<String>) {
        if self.violations.len() < MAX_VIOLATIONS {
            let at = self.document.text_pos_at(node.range().start);
            let (line, position) = (at.row as usize, at.col as usize);
            self.violations.push(Violation { message: message.into(), line, position });
        }
    }

    fn is_done(&self) -> bool {
        self.violations.len() >= MAX_VIOLATIONS || self.cost > MAX_COST
    }

    /// The root, or another element that a global declaration has to exist for.
    pub(crate) fn root(&mut self, node: Node<'a, 'a>) {
        match self.global(node) {
            Some(element) => self.element(node, element),
            None => {
                self.tell(node, format!("element `{}` is not declared", node.tag_name().name()))
            }
        }
    }

    pub(crate) fn envelope(&mut self, node: Node<'a, 'a>, may_be_fault: bool) {
        let space = node.tag_name().namespace();
        let is_soap = |it: &Node<'_, '_>, local: &str| {
            it.tag_name().namespace() == space && it.tag_name().name() == local
        };
        if !space.is_some_and(|it| ENVELOPES.contains(&it)) || !is_soap(&node, "Envelope") {
            self.tell(node, "the body is no SOAP envelope");
            return;
        }
        let mut bodies = node.children().filter(|it| it.is_element() && is_soap(it, "Body"));
        let (Some(body), None) = (bodies.next(), bodies.next()) else {
            self.tell(node, "the envelope has not one `Body`");
            return;
        };
        let mut n_parts = 0;
        for part in body.children().filter(Node::is_element) {
            n_parts += 1;
            if !(may_be_fault && is_soap(&part, "Fault")) {
                self.root(part);
            }
        }
        if n_parts == 0 {
            self.tell(body, "the envelope's `Body` is empty");
        }
    }

    fn global(&self, node: Node<'_, '_>) -> Option<&'a Element> {
        let name =
            Name::new(node.tag_name().namespace().unwrap_or_default(), node.tag_name().name());
        let id = self.compiled.global_elements.get(&name)?;
        self.compiled.elements.get(*id)
    }

    fn element(&mut self, node: Node<'a, 'a>, declared: &'a Element) {
        if self.is_done() {
            return;
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.tell(node, format!("elements are nested deeper than {MAX_DEPTH} levels"));
        } else {
            self.element_within(node, declared);
        }
        self.depth -= 1;
    }

    fn element_within(&mut self, node: Node<'a, 'a>, declared: &'a Element) {
        let name = node.tag_name().name();
        if declared.is_abstract {
            self.tell(node, format!("element `{name}` is abstract"));
            return;
        }
        let Some(of) = self.type_of(node, declared.type_id) else { return };
        if of.is_abstract {
            self.tell(node, format!("the type of element `{name}` is abstract"));
            return;
        }
        let nil = node.attribute((XSI, "nil")).map(str::trim);
        let is_nil = matches!(nil, Some("true" | "1"));
        if nil.is_some() && !declared.is_nillable {
            self.tell(node, format!("element `{name}` cannot be nil"));
            return;
        }
        if is_nil && node.children().any(|it| it.is_element() || it.is_text()) {
            self.tell(node, format!("element `{name}` is nil and not empty"));
            return;
        }
        match &of.kind {
            Kind::Any => self.anything(node),
            Kind::Simple(simple) => {
                self.attributes(node, &[], None);
                if !is_nil {
                    self.text(node, declared, simple);
                }
            }
            Kind::Complex(complex) => {
                self.attributes(node, &complex.attributes, complex.any_attribute.as_ref());
                if !is_nil {
                    self.content(node, declared, complex);
                }
            }
        }
    }

    /// The declared type, or the one that `xsi:type` names if it derives from that.
    fn type_of(&mut self, node: Node<'a, 'a>, declared: TypeId) -> Option<&'a Type> {
        let mut id = declared;
        if let Some(text) = node.attribute((XSI, "type")) {
            let text = text.trim();
            let (prefix, local) = match text.split_once(':') {
                Some((prefix, local)) => (Some(prefix), local),
                None => (None, text),
            };
            let space = node.lookup_namespace_uri(prefix).unwrap_or_default();
            let found = self.compiled.global_types.get(&Name::new(space, local));
            match found {
                Some(found) if self.compiled.derives(*found, declared) => id = *found,
                _ => {
                    let local = short(local);
                    self.tell(node, format!("`xsi:type` `{local}` is no type that may stand here"));
                    return None;
                }
            }
        }
        self.compiled.types.get(id)
    }

    /// Content of any type: what is declared is checked.
    fn anything(&mut self, node: Node<'a, 'a>) {
        for child in node.children().filter(Node::is_element) {
            self.wild(child, Process::Lax);
        }
    }

    fn wild(&mut self, node: Node<'a, 'a>, process: Process) {
        if self.is_done() {
            return;
        }
        match (process, self.global(node)) {
            (Process::Skip, _) => {}
            (_, Some(element)) => self.element(node, element),
            (Process::Strict, None) => self.root(node),
            (Process::Lax, None) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    self.tell(node, format!("elements are nested deeper than {MAX_DEPTH} levels"));
                } else {
                    self.anything(node);
                }
                self.depth -= 1;
            }
        }
    }

    fn content(&mut self, node: Node<'a, 'a>, declared: &'a Element, complex: &'a Complex) {
        let name = node.tag_name().name();
        let has_text = node.children().any(|it| {
            it.is_text()
                && it.text().is_some_and(|it| !it.trim_matches([' ', '\t', '\n', '\r']).is_empty())
        });
        match &complex.content {
            Content::Simple(simple) => self.text(node, declared, simple),
            Content::Empty => {
                if let Some(child) = node.children().find(Node::is_element) {
                    let child_name = child.tag_name().name();
                    self.tell(
                        child,
                        format!("element `{child_name}` is not expected: `{name}` is empty"),
                    );
                } else if has_text && !complex.is_mixed {
                    self.tell(node, format!("element `{name}` cannot have text"));
                }
            }
            Content::Elements(_, model) => {
                if has_text && !complex.is_mixed {
                    self.tell(node, format!("element `{name}` cannot have text"));
                }
                let mut walk = Walk::new(model, self.compiled);
                for child in node.children().filter(Node::is_element) {
                    let (space, local) = (child.tag_name().namespace(), child.tag_name().name());
                    match walk.child(space, local, &mut self.cost) {
                        Ok(Label::Element(id)) => {
                            if let Some(element) = self.compiled.elements.get(id) {
                                self.element(child, element);
                            }
                        }
                        Ok(Label::Any(wildcard)) => self.wild(child, wildcard.process),
                        Err(expected) => {
                            self.tell(
                                child,
                                format!("element `{local}` is not expected{expected}"),
                            );
                            return;
                        }
                    }
                    if self.cost > MAX_COST {
                        self.tell(node, "the content takes too long to check");
                        return;
                    }
                    if self.is_done() {
                        return;
                    }
                }
                if let Err(expected) = walk.end() {
                    self.tell(node, format!("element `{name}` is not complete{expected}"));
                }
            }
        }
    }

    fn text(&mut self, node: Node<'a, 'a>, declared: &'a Element, simple: &Simple) {
        let name = node.tag_name().name();
        if let Some(child) = node.children().find(Node::is_element) {
            let child_name = child.tag_name().name();
            self.tell(
                child,
                format!("element `{child_name}` is not expected: `{name}` holds text"),
            );
            return;
        }
        let text: String =
            node.children().filter_map(|it| it.text().filter(|_| it.is_text())).collect();
        let given = declared.fixed.as_ref().or(declared.default.as_ref());
        let text = match given {
            Some(given) if text.is_empty() => given.clone(),
            _ => text,
        };
        match simple.check(&text, &mut self.ids) {
            Err(why) => self.tell(node, format!("the value of element `{name}` {why}")),
            Ok(value) => {
                if declared.fixed.as_ref().is_some_and(|it| !simple.is(&value, it.trim())) {
                    self.tell(
                        node,
                        format!("element `{name}` has not the value that it has to have"),
                    );
                }
            }
        }
    }

    fn attributes(
        &mut self,
        node: Node<'a, 'a>,
        declared: &'a [Attribute],
        any: Option<&'a Wildcard>,
    ) {
        let of = node.tag_name().name();
        for it in node.attributes() {
            if it.namespace() == Some(XSI) {
                continue;
            }
            let name = it.name();
            if let Some(found) = declared.iter().find(|d| d.name.is(it.namespace(), name)) {
                match found.simple.check(it.value(), &mut self.ids) {
                    Err(why) => {
                        self.tell(node, format!("the value of attribute `{name}` of `{of}` {why}"));
                    }
                    Ok(value) => {
                        if found.fixed.as_ref().is_some_and(|it| !found.simple.is(&value, it)) {
                            let what = "has not the value that it has to have";
                            self.tell(node, format!("attribute `{name}` of `{of}` {what}"));
                        }
                    }
                }
                continue;
            }
            let process = any.filter(|any| any.takes(it.namespace())).map(|it| it.process);
            let full = Name::new(it.namespace().unwrap_or_default(), name);
            let global = self.compiled.global_attributes.get(&full).cloned();
            match (process, global) {
                (Some(Process::Skip), _) | (Some(Process::Lax), None) => {}
                (Some(Process::Strict | Process::Lax), Some(simple)) => {
                    if let Err(why) = simple.check(it.value(), &mut self.ids) {
                        self.tell(node, format!("the value of attribute `{name}` of `{of}` {why}"));
                    }
                }
                (Some(Process::Strict), None) if it.namespace() == Some(XML) => {}
                _ => self.tell(node, format!("attribute `{name}` of `{of}` is not declared")),
            }
        }
        for it in declared.iter().filter(|it| it.is_required) {
            let has = |a: &roxmltree::Attribute<'_, '_>| it.name.is(a.namespace(), a.name());
            if !node.attributes().any(|a| has(&a)) {
                self.tell(node, format!("attribute `{}` of `{of}` is missing", it.name.local));
            }
        }
    }
}

/// The beginning of a text that somebody else wrote.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
