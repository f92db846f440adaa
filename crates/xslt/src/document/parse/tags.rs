//! Start tags with their attributes and namespaces, and end tags.

use super::text::decode;
use super::{Open, Parser, Raw, Read};
use crate::names::{Atom, Name};

/// Attributes of one element, which are compared with each other.
const MAX_ATTRIBUTES: usize = 1_000;
/// Declarations in scope, which are looked through for each name.
const MAX_PREFIXES: usize = 500;

impl<'a> Parser<'a, '_> {
    pub(super) fn start_tag(&mut self) -> Read<()> {
        let start = self.at;
        self.at += 1;
        let tag = self.name()?;
        if self.open.is_empty() && self.has_root {
            return self.error(start + 1, "There are multiple root elements.");
        }
        self.has_root = true;
        self.raw_attributes()?;
        let is_empty = self.take("/");
        if !self.take(">") {
            return self.unexpected("'>'");
        }
        let n_bound = self.bound.len();
        self.bind()?;
        let name = self.resolve(tag, true, start + 1)?;
        self.count()?;
        self.builder.start(name);
        self.placed(start, start + 1);
        for at in n_bound..self.bound.len() {
            if let Some((prefix, space)) = self.bound.get(at).copied() {
                self.count()?;
                self.builder.declare(prefix, space);
            }
        }
        let mut is_preserved = self.open.last().is_some_and(|it| it.is_preserved);
        self.add_attributes(&mut is_preserved)?;
        if is_empty {
            self.builder.end();
            self.bound.truncate(n_bound);
            return Ok(());
        }
        let keeps = is_preserved || self.options.keeps.is_none_or(|it| it.of(name.key()));
        self.open.push(Open { tag, at: start + 1, n_bound, is_preserved, keeps });
        Ok(())
    }

    /// The attributes of a tag; the declarations among them.
    fn raw_attributes(&mut self) -> Read<()> {
        self.attributes.clear();
        loop {
            let is_spaced = self.space();
            match self.rest().chars().next() {
                Some('/' | '>') => return Ok(()),
                None => return self.error(self.at, "Unexpected end of file has occurred."),
                Some(it) if !is_spaced => {
                    let message = format!("'{it}' is an unexpected token. Expecting whitespace.");
                    return self.error(self.at, message);
                }
                Some(_) => {}
            }
            let at = self.at;
            let name = self.name()?;
            self.space();
            if !self.take("=") {
                return self.unexpected("'='");
            }
            self.space();
            let (value, value_at) = self.quoted()?;
            if let Some(offset) = value.find('<') {
                return self.error(
                    value_at + offset,
                    "'<', hexadecimal value 0x3C, is an invalid attribute character.",
                );
            }
            if self.attributes.len() == MAX_ATTRIBUTES {
                return self.limit(format!("an element has more than {MAX_ATTRIBUTES} attributes"));
            }
            self.attributes.push(Raw { name, at, value, value_at });
        }
    }

    /// Binds the prefixes that a tag declares.
    fn bind(&mut self) -> Read<()> {
        for attribute in std::mem::take(&mut self.attributes) {
            let prefix = match attribute.name {
                "xmlns" => "",
                other => match other.strip_prefix("xmlns:") {
                    Some(prefix) => prefix,
                    None => {
                        self.attributes.push(attribute);
                        continue;
                    }
                },
            };
            let value = self.decoded(attribute.value, attribute.value_at, true)?;
            let is_wrong = (prefix == "xml") != (value == crate::names::XML)
                || prefix == "xmlns"
                || value == crate::names::XMLNS
                || (!prefix.is_empty() && value.is_empty());
            if is_wrong {
                return self.error(attribute.at, "Invalid namespace declaration.");
            }
            let (prefix, space) = (self.names.atom(prefix), self.names.atom(&value));
            if self.bound.len() == MAX_PREFIXES {
                return self.limit(format!("more than {MAX_PREFIXES} prefixes are in scope"));
            }
            self.bound.push((prefix, space));
        }
        Ok(())
    }

    fn add_attributes(&mut self, is_preserved: &mut bool) -> Read<()> {
        let attributes = std::mem::take(&mut self.attributes);
        for raw in &attributes {
            let name = self.resolve(raw.name, false, raw.at)?;
            let element = self.builder.innermost();
            let document = self.builder.document();
            if document.attributes(element).any(|it| document.name(it).key() == name.key()) {
                let message = format!("'{}' is a duplicate attribute name.", raw.name);
                return self.error(raw.at, message);
            }
            self.count()?;
            let value = self.decoded(raw.value, raw.value_at, true)?;
            if raw.name == "xml:space" {
                *is_preserved = value == "preserve";
            }
            self.builder.attribute(name, &value);
            self.placed(raw.at, raw.value_at);
        }
        self.attributes = attributes;
        Ok(())
    }

    pub(super) fn decoded(
        &self,
        raw: &'a str,
        at: usize,
        is_attribute: bool,
    ) -> Read<std::borrow::Cow<'a, str>> {
        decode(raw, is_attribute).or_else(|(offset, message)| self.error(at + offset, message))
    }

    fn resolve(&mut self, written: &str, is_element: bool, at: usize) -> Read<Name> {
        let (prefix, local) = crate::names::split(written).unwrap_or(("", written));
        let local = self.names.atom(local);
        if prefix.is_empty() && !is_element {
            return Ok(Name { prefix: Atom::EMPTY, space: Atom::EMPTY, local });
        }
        if prefix == "xml" {
            return Ok(Name { prefix: Atom::XML_PREFIX, space: Atom::XML, local });
        }
        let found = self.names.find(prefix);
        let bound = self.bound.iter().rev().find(|(it, _)| Some(*it) == found);
        match (found, bound) {
            (Some(prefix), Some((_, space))) => Ok(Name { prefix, space: *space, local }),
            _ if prefix.is_empty() => Ok(Name { prefix: Atom::EMPTY, space: Atom::EMPTY, local }),
            _ => self.error(at, format!("'{prefix}' is an undeclared prefix.")),
        }
    }

    pub(super) fn end_tag(&mut self) -> Read<()> {
        self.at += 2;
        let at = self.at;
        let tag = self.name()?;
        self.space();
        if !self.take(">") {
            return self.unexpected("'>'");
        }
        match self.open.pop() {
            Some(open) if open.tag == tag => {
                self.bound.truncate(open.n_bound);
                self.builder.end();
                Ok(())
            }
            Some(open) => {
                let before = self.text.get(..open.at).unwrap_or("");
                let line = before.matches('\n').count() + 1;
                let position =
                    before.rsplit('\n').next().map_or(1, |it| it.encode_utf16().count() + 1);
                self.error(at, format!(
                    "The '{}' start tag on line {line} position {position} does not match the end tag of '{tag}'.",
                    open.tag
                ))
            }
            None => self.error(at, "Unexpected end tag."),
        }
    }
}
