//! Content of templates: text, literal result elements, instructions in a row.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Compiler, Given, MAX_DEPTH};
use crate::document::Kind;
use crate::names::{Atom, Name, is_space};
use crate::sheet::{Binding, Body, Literal, Op, What};
use crate::xpath::space_of;

impl Compiler<'_> {
    /// The content of an element. Variables that it declares end with it.
    pub(super) fn body(&mut self, id: u32) -> Body {
        self.content(id, self.document.first(id), true)
    }

    /// The content of a template: parameters come first.
    pub(super) fn body_with_params(&mut self, id: u32) -> Body {
        let mut ops = Vec::new();
        let n_locals = self.locals.len();
        let mut next = self.document.first(id);
        while let Some(child) = next {
            let is_param = self.instruction(child) == Some("param");
            let is_nothing = match self.document.kind(child) {
                Kind::Text => self.is_stripped(child),
                Kind::Element => false,
                _ => true,
            };
            if !is_param && !is_nothing {
                break;
            }
            if is_param {
                self.scoped(child, |it| it.param(child, &mut ops));
            }
            next = self.document.next(child);
        }
        ops.extend(self.content(id, next, false));
        self.locals.truncate(n_locals);
        ops
    }

    /// What stands from a child on.
    pub(super) fn content(&mut self, id: u32, from: Option<u32>, is_scope: bool) -> Body {
        let n_locals = self.locals.len();
        let mut ops = Vec::new();
        if self.depth > MAX_DEPTH {
            self.problem_at(id, format!("elements nest more than {MAX_DEPTH} levels deep"));
            return ops;
        }
        let mut next = from;
        while let Some(child) = next {
            match self.document.kind(child) {
                Kind::Text if !self.is_stripped(child) => {
                    let text = Arc::from(self.document.value(child));
                    ops.push(Op { at: self.at(child), what: What::Text(text, false) });
                }
                Kind::Element => self.operations(child, &mut ops),
                _ => {}
            }
            next = self.document.next(child);
        }
        if is_scope {
            self.locals.truncate(n_locals);
        }
        ops
    }

    /// White space alone is no content, unless `xml:space` says so.
    pub(super) fn is_stripped(&self, text: u32) -> bool {
        if !self.document.value(text).chars().all(is_space) {
            return false;
        }
        let mut at = self.document.parent(text);
        while let Some(id) = at {
            let space = self.document.attributes(id).find(|it| {
                let name = self.document.name(*it);
                name.space == Atom::XML && self.names.text(name.local) == "space"
            });
            if let Some(space) = space {
                return self.document.value(space) != "preserve";
            }
            at = self.document.parent(id);
        }
        true
    }

    /// One element of a template.
    pub(super) fn operations(&mut self, id: u32, ops: &mut Body) {
        self.scoped(id, |it| {
            let space = it.name_of(id).space;
            if space == Atom::XSLT {
                it.instruction_of(id, ops);
            } else if it.extensions.contains(&space) {
                it.extension(id, ops);
            } else {
                ops.extend(it.literal(id));
            }
        });
    }

    /// An instruction that is not there: its `xsl:fallback` children, else an error when it is
    /// reached (section 15).
    pub(super) fn extension(&mut self, id: u32, ops: &mut Body) {
        let children: Vec<u32> = self.document.children(id).collect();
        let mut has_fallback = false;
        for child in children {
            if self.instruction(child) == Some("fallback") {
                has_fallback = true;
                let body = self.scoped(child, |it| it.body(child));
                ops.extend(body);
            }
        }
        if !has_fallback {
            let message = format!("the instruction `{}` is not supported", self.tag(id));
            ops.push(Op { at: self.at(id), what: What::Unsupported(Arc::from(message)) });
        }
    }

    /// A literal result element (section 7.1.1); its own prefixes are in scope already.
    pub(super) fn literal(&mut self, id: u32) -> Option<Op> {
        let outer = (self.is_forwards, self.excluded.clone(), self.extensions.clone());
        if let Some(version) = self.given_xsl(id, "version") {
            self.set_version(version);
        }
        if let Some(given) = self.given_xsl(id, "exclude-result-prefixes") {
            let spaces = self.prefixes(given);
            self.excluded.extend(spaces);
        }
        if let Some(given) = self.given_xsl(id, "extension-element-prefixes") {
            let spaces = self.prefixes(given);
            self.extensions.extend(spaces.iter().copied());
            self.excluded.extend(spaces);
        }
        let literal = self.literal_element(id);
        (self.is_forwards, self.excluded, self.extensions) = outer;
        Some(Op { at: self.at(id), what: What::Literal(Box::new(literal)) })
    }

    fn literal_element(&mut self, id: u32) -> Literal {
        let sets = self.used_sets(self.given_xsl(id, "use-attribute-sets"));
        let mut attributes = Vec::new();
        let ids: Vec<u32> = self.document.attributes(id).collect();
        for attribute in ids {
            let name = self.name_of(attribute);
            if name.space == Atom::XSLT {
                let local = self.names.text(name.local);
                let is_known = matches!(
                    local,
                    "version"
                        | "exclude-result-prefixes"
                        | "extension-element-prefixes"
                        | "use-attribute-sets"
                );
                if !is_known && !self.is_forwards {
                    let message = format!("there is no attribute `{}`", self.tag(attribute));
                    let at = self.at(attribute);
                    self.problem(at..at + 3, message);
                }
                continue;
            }
            let at = self.document.place(attribute).1;
            let value = self.avt(Given { value: self.document.value(attribute), at });
            attributes.push((self.aliased(name), value));
        }
        let name = self.aliased(self.name_of(id));
        let declared = self.passed_on();
        let body = self.body(id);
        Literal { name, declared, sets, attributes, body }
    }

    /// A name as it is in the result.
    fn aliased(&self, name: Name) -> Name {
        match self.aliases.get(&name.space) {
            Some((prefix, space)) => Name { prefix: *prefix, space: *space, local: name.local },
            None => name,
        }
    }

    /// The declarations that a literal result element takes into the result.
    fn passed_on(&self) -> Vec<(Atom, Atom)> {
        let mut seen = HashSet::new();
        let mut declared = Vec::new();
        for (prefix, _) in self.spaces.iter().rev() {
            if !seen.insert(*prefix) {
                continue;
            }
            let space = space_of(&self.spaces, *prefix).unwrap_or_default();
            if space == Atom::EMPTY || self.excluded.contains(&space) {
                continue;
            }
            match self.aliases.get(&space) {
                Some((prefix, target)) if *target != Atom::EMPTY => {
                    declared.push((*prefix, *target));
                }
                Some(_) => {}
                None => declared.push((*prefix, space)),
            }
        }
        declared.reverse();
        declared
    }

    /// The places of the attribute sets that a list names.
    pub(super) fn used_sets(&mut self, given: Option<Given<'_>>) -> Vec<usize> {
        let Some(given) = given else { return Vec::new() };
        let mut places = Vec::new();
        for word in given.value.split(is_space).filter(|it| !it.is_empty()) {
            let Some(key) = self.qualified(Given { value: word, ..given }) else { continue };
            match self.sets.get(&key) {
                Some(place) => places.push(*place),
                None => self.problem_in(given, format!("there is no attribute set `{word}`")),
            }
        }
        places
    }

    /// Where a variable, a parameter or an argument has its value from.
    pub(super) fn binding(&mut self, id: u32) -> Binding {
        let has_content = self.document.children(id).any(|it| match self.document.kind(it) {
            Kind::Element => true,
            Kind::Text => !self.is_stripped(it),
            _ => false,
        });
        match self.given(id, "select") {
            Some(given) => {
                if has_content {
                    let message =
                        format!("`{}` has the attribute `select` and must be empty", self.tag(id));
                    self.problem_at(id, message);
                }
                self.expression(given).map_or(Binding::Empty, Binding::Select)
            }
            None if has_content => Binding::Content(self.body(id)),
            None => Binding::Empty,
        }
    }
}
