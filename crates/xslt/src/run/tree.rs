//! The tree that a run makes, with its namespaces set right (XSLT 1.0, section 7.1).

use crate::document::{Builder, Document};
use crate::names::{Atom, Name, Names};

/// A tree that is being made.
pub(super) struct Tree {
    builder: Builder,
    /// Declarations in force, innermost last.
    scope: Vec<(Atom, Atom)>,
    /// How many of them there were before each open element.
    marks: Vec<usize>,
    /// Attributes can still be added to the innermost element.
    is_tag_open: bool,
    n_made_prefixes: usize,
}

/// Attributes come before everything else of an element.
#[derive(Debug)]
pub(super) struct TooLate;

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            builder: Builder::new(),
            scope: Vec::new(),
            marks: Vec::new(),
            is_tag_open: false,
            n_made_prefixes: 0,
        }
    }

    pub(super) fn is_tag_open(&self) -> bool {
        self.is_tag_open
    }

    pub(super) fn depth(&self) -> usize {
        self.builder.depth()
    }

    /// Attributes of the innermost element; none if it has content.
    pub(super) fn n_attributes(&self) -> usize {
        if !self.is_tag_open {
            return 0;
        }
        let document = self.builder.document();
        (document.len() - self.builder.innermost()) as usize
    }

    /// Declarations in scope.
    pub(super) fn n_declared(&self) -> usize {
        self.scope.len()
    }

    fn space(&self, prefix: Atom) -> Option<Atom> {
        if prefix == Atom::XML_PREFIX {
            return Some(Atom::XML);
        }
        self.scope.iter().rev().find(|(it, _)| *it == prefix).map(|(_, space)| *space)
    }

    /// What the innermost element declares itself.
    fn own(&self) -> &[(Atom, Atom)] {
        let mark = self.marks.last().copied().unwrap_or(0);
        self.scope.get(mark..).unwrap_or(&[])
    }

    fn push(&mut self, prefix: Atom, space: Atom) {
        self.scope.push((prefix, space));
        self.builder.declare(prefix, space);
    }

    pub(super) fn start(&mut self, name: Name) {
        self.builder.start(name);
        self.marks.push(self.scope.len());
        self.is_tag_open = true;
        if self.space(name.prefix).unwrap_or_default() != name.space {
            self.push(name.prefix, name.space);
        }
    }

    /// Declares a prefix at the innermost element, unless that is so already or it has another
    /// meaning there.
    pub(super) fn declare(&mut self, prefix: Atom, space: Atom) {
        let is_known = self.space(prefix).unwrap_or_default() == space;
        let is_taken = self.own().iter().any(|(it, _)| *it == prefix) || self.uses(prefix);
        if self.is_tag_open && !is_known && !is_taken && prefix != Atom::XML_PREFIX {
            self.push(prefix, space);
        }
    }

    /// Does the innermost element, or an attribute of it, stand under this prefix?
    fn uses(&self, prefix: Atom) -> bool {
        let document = self.builder.document();
        let id = self.builder.innermost();
        let is_in_use = |id: u32| document.name(id).prefix == prefix;
        (is_in_use(id) && self.depth() > 0)
            || prefix != Atom::EMPTY && document.attributes(id).any(is_in_use)
    }

    pub(super) fn attribute(
        &mut self,
        name: Name,
        value: &str,
        names: &mut Names,
    ) -> Result<bool, TooLate> {
        if !self.is_tag_open {
            return Err(TooLate);
        }
        let (document, element) = (self.builder.document(), self.builder.innermost());
        let same = document.attributes(element).find(|it| document.name(*it).key() == name.key());
        // The later one counts, at its own place.
        if let Some(same) = same {
            self.builder.remove_attribute(same);
        }
        let name = self.prefixed(name, names);
        self.builder.attribute(name, value);
        Ok(same.is_none())
    }

    /// The name with a prefix that has its namespace.
    fn prefixed(&mut self, name: Name, names: &mut Names) -> Name {
        if name.space == Atom::EMPTY {
            return Name { prefix: Atom::EMPTY, ..name };
        }
        if name.prefix != Atom::EMPTY {
            if self.space(name.prefix) == Some(name.space) {
                return name;
            }
            let is_own = self.own().iter().any(|(it, _)| *it == name.prefix);
            if !is_own && !self.uses(name.prefix) {
                self.push(name.prefix, name.space);
                return name;
            }
        }
        let other = self.scope.iter().rev().find(|(prefix, space)| {
            *space == name.space && *prefix != Atom::EMPTY && self.space(*prefix) == Some(*space)
        });
        if let Some((prefix, _)) = other {
            return Name { prefix: *prefix, ..name };
        }
        let prefix = loop {
            let prefix = names.atom(&format!("xp_{}", self.n_made_prefixes));
            if self.space(prefix).is_none() {
                break prefix;
            }
            self.n_made_prefixes += 1;
        };
        self.push(prefix, name.space);
        Name { prefix, ..name }
    }

    pub(super) fn text(&mut self, text: &str, is_raw: bool) -> bool {
        if text.is_empty() && is_raw {
            return false;
        }
        self.is_tag_open = false;
        self.builder.mark_full();
        self.builder.text(text, is_raw)
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.is_tag_open = false;
        self.builder.comment(text);
    }

    pub(super) fn instruction(&mut self, target: Atom, text: &str) {
        self.is_tag_open = false;
        self.builder.instruction(target, text);
    }

    pub(super) fn end(&mut self) {
        self.is_tag_open = false;
        if let Some(mark) = self.marks.pop() {
            self.scope.truncate(mark);
        }
        self.builder.end();
    }

    pub(super) fn finish(self) -> Document {
        self.builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(names: &mut Names, prefix: &str, space: &str, local: &str) -> Name {
        Name { prefix: names.atom(prefix), space: names.atom(space), local: names.atom(local) }
    }

    #[test]
    fn prefixes_are_declared_where_they_are_needed_and_made_where_they_clash() {
        let mut names = Names::new();
        let mut tree = Tree::new();
        let root = name(&mut names, "p", "u", "a");
        tree.start(root);
        for (prefix, space) in [("p", "v"), ("", "u"), ("", "w")] {
            let attribute = name(&mut names, prefix, space, "x");
            tree.attribute(attribute, "1", &mut names).unwrap();
        }
        let child = name(&mut names, "", "", "b");
        tree.start(child);
        let document = tree.finish();

        let declared: Vec<String> = document
            .declared(1)
            .iter()
            .map(|(prefix, space)| format!("{}={}", names.text(*prefix), names.text(*space)))
            .collect();
        assert_eq!(declared, ["p=u", "xp_0=v", "xp_1=w"]);
        let attributes: Vec<String> =
            document.attributes(1).map(|it| names.written(document.name(it))).collect();
        assert_eq!(attributes, ["xp_0:x", "p:x", "xp_1:x"]);
        assert!(document.declared(5).is_empty());
    }

    #[test]
    fn attributes_come_before_content_and_the_last_of_a_name_counts() {
        let mut names = Names::new();
        let mut tree = Tree::new();
        let a = name(&mut names, "", "", "a");
        tree.start(a);
        assert!(tree.attribute(a, "1", &mut names).unwrap());
        assert!(!tree.attribute(a, "2", &mut names).unwrap());
        tree.text("t", false);
        assert!(tree.attribute(a, "3", &mut names).is_err());
        let document = tree.finish();
        assert_eq!(document.value(2), "2");
    }

    #[test]
    fn a_default_namespace_is_taken_back() {
        let mut names = Names::new();
        let mut tree = Tree::new();
        let (a, b) = (name(&mut names, "", "u", "a"), name(&mut names, "", "", "b"));
        tree.start(a);
        tree.start(b);
        let document = tree.finish();
        assert_eq!(document.declared(2), [(Atom::EMPTY, Atom::EMPTY)]);
    }
}
