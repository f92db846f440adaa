//! Reading XML 1.0 with namespaces into a document.
//!
//! Line breaks become `\n`; entities are the five predefined ones and character references. A
//! document type may be there and is skipped, but may declare no entities, so that neither
//! entity bombs nor external entities exist. Nothing here recurses: depth costs memory alone,
//! and the number of nodes is bounded.
//!
//! The messages are those of `System.Xml.XmlReader`.

mod text;

use std::collections::HashMap;

use super::{Builder, Document};
use crate::names::{Atom, Key, Name, Names, is_part, is_space, is_start};
use text::{allowed, decode};

/// How a document is read.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    /// Greatest number of nodes.
    pub(crate) max_nodes: usize,
    /// Which elements keep text that is white space alone; all, if there is no rule.
    pub(crate) keeps: Option<&'a Keeps>,
    /// Whether to note where nodes stand.
    pub(crate) places: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { max_nodes: 2_000_000, keeps: None, places: false }
    }
}

/// Rules of `xsl:strip-space` and `xsl:preserve-space`: the more exact one counts, of equals the
/// last.
#[derive(Clone, Debug)]
pub(crate) struct Keeps {
    pub(crate) names: HashMap<Key, bool>,
    pub(crate) spaces: HashMap<Atom, bool>,
    pub(crate) others: bool,
}

impl Keeps {
    fn of(&self, key: Key) -> bool {
        let exact = self.names.get(&key).or_else(|| self.spaces.get(&key.space));
        exact.copied().unwrap_or(self.others)
    }
}

/// Why a text is no XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// With line and position at its end.
    pub(crate) message: String,
    /// Byte of the text.
    pub(crate) at: usize,
    /// A bound was exceeded; the text may be good.
    pub(crate) is_limit: bool,
}

/// Reads a document.
pub(crate) fn parse(
    text: &str,
    names: &mut Names,
    options: &Options<'_>,
) -> Result<Document, Malformed> {
    let mut parser = Parser {
        text,
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        names,
        options,
        builder: Builder::new(),
        open: Vec::new(),
        bound: Vec::new(),
        attributes: Vec::new(),
        has_root: false,
        n_nodes: 0,
        buffer: String::new(),
    };
    parser.run()?;
    Ok(parser.builder.finish())
}

struct Parser<'a, 'o> {
    text: &'a str,
    at: usize,
    names: &'o mut Names,
    options: &'o Options<'o>,
    builder: Builder,
    open: Vec<Open<'a>>,
    bound: Vec<(Atom, Atom)>,
    attributes: Vec<Raw<'a>>,
    has_root: bool,
    n_nodes: usize,
    buffer: String,
}

/// An attribute as it is written.
struct Raw<'a> {
    name: &'a str,
    at: usize,
    value: &'a str,
    value_at: usize,
}

/// An element whose end has not come yet.
struct Open<'a> {
    tag: &'a str,
    at: usize,
    n_bound: usize,
    /// `xml:space="preserve"` is in force.
    is_preserved: bool,
    keeps: bool,
}

type Read<T> = Result<T, Malformed>;

impl<'a> Parser<'a, '_> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error<T>(&self, at: usize, message: impl AsRef<str>) -> Read<T> {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let position = before.rsplit('\n').next().map_or(1, |it| it.encode_utf16().count() + 1);
        let message = format!("{} Line {line}, position {position}.", message.as_ref());
        Err(Malformed { message, at, is_limit: false })
    }

    fn unexpected<T>(&self, expected: &str) -> Read<T> {
        match self.rest().chars().next() {
            Some(it) => self.error(
                self.at,
                format!("'{it}' is an unexpected token. The expected token is {expected}."),
            ),
            None => self.error(self.at, "Unexpected end of file has occurred."),
        }
    }

    fn count(&mut self) -> Read<()> {
        self.n_nodes += 1;
        let most = self.options.max_nodes;
        if self.n_nodes > most {
            let message = format!("the document has more than {most} nodes");
            return Err(Malformed { message, at: self.at, is_limit: true });
        }
        Ok(())
    }

    fn placed(&mut self, node: usize, value: usize) {
        if self.options.places {
            self.builder.place(node, value);
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let is_there = self.rest().starts_with(text);
        if is_there {
            self.at += text.len();
        }
        is_there
    }

    fn space(&mut self) -> bool {
        let rest = self.rest();
        let n_bytes = rest.len() - rest.trim_start_matches(is_space).len();
        self.at += n_bytes;
        n_bytes > 0
    }

    fn run(&mut self) -> Read<()> {
        if self.rest().starts_with("<?xml") && self.rest().get(5..).is_some_and(|it| it.starts_with(is_space)) {
            self.declaration()?;
        }
        while self.at < self.text.len() {
            let rest = self.rest().as_bytes();
            match (rest.first(), rest.get(1)) {
                (Some(b'<'), Some(b'/')) => self.end_tag()?,
                (Some(b'<'), Some(b'!')) => self.exclamation()?,
                (Some(b'<'), Some(b'?')) => self.instruction()?,
                (Some(b'<'), _) => self.start_tag()?,
                _ => self.characters()?,
            }
        }
        if !self.open.is_empty() {
            let tags: Vec<&str> = self.open.iter().rev().map(|it| it.tag).collect();
            return self.error(self.at, format!(
                "Unexpected end of file has occurred. The following elements are not closed: {}.",
                tags.join(", ")
            ));
        }
        if !self.has_root {
            let message = "Root element is missing.".to_owned();
            return Err(Malformed { message, at: self.at, is_limit: false });
        }
        Ok(())
    }

    fn exclamation(&mut self) -> Read<()> {
        if self.take("<!--") {
            let start = self.at - 4;
            let inner = self.until("--", "Comment")?;
            if !self.take(">") {
                return self.error(
                    self.at,
                    "An XML comment cannot contain '--', and '-' cannot be the last character.",
                );
            }
            self.count()?;
            let inner = lines(inner, &mut self.buffer);
            self.builder.comment(inner);
            self.placed(start, start + 4);
            return Ok(());
        }
        if self.take("<![CDATA[") {
            if self.open.is_empty() {
                return self.error(self.at - 9, "Data at the root level is invalid.");
            }
            let start = self.at;
            let inner = self.until("]]>", "CDATA")?;
            return self.add_text(lines(inner, &mut String::new()), start);
        }
        if self.take("<!DOCTYPE") {
            return self.document_type();
        }
        self.error(self.at + 1, "'!' is an unexpected token.")
    }

    /// Text up to a mark, which is passed.
    fn until(&mut self, end: &str, what: &str) -> Read<&'a str> {
        let rest = self.rest();
        let Some(length) = rest.find(end) else {
            self.at = self.text.len();
            let message = format!("Unexpected end of file while parsing {what} has occurred.");
            return self.error(self.at, message);
        };
        let inner = rest.get(..length).unwrap_or("");
        if let Err((offset, it)) = allowed(inner) {
            return self.invalid(self.at + offset, it);
        }
        self.at += length + end.len();
        Ok(inner)
    }

    fn invalid<T>(&self, at: usize, it: char) -> Read<T> {
        let code = u32::from(it);
        self.error(at, format!("'{it}', hexadecimal value 0x{code:02X}, is an invalid character."))
    }

    fn declaration(&mut self) -> Read<()> {
        self.at += 5;
        let Some(length) = self.rest().find("?>") else {
            return self.error(self.text.len(), "Unexpected end of file has occurred.");
        };
        let end = self.at + length;
        let mut n_seen = 0;
        while self.space() && self.at < end {
            let name = self.name()?;
            self.space();
            if !self.take("=") {
                return self.unexpected("'='");
            }
            self.space();
            let (value, _) = self.quoted()?;
            let is_right = match name {
                "version" => n_seen == 0 && value.starts_with("1."),
                "encoding" => n_seen == 1 && !value.is_empty(),
                "standalone" => n_seen >= 1 && matches!(value, "yes" | "no"),
                _ => false,
            };
            if !is_right {
                return self.error(self.at, "Syntax for an XML declaration is invalid.");
            }
            n_seen += 1;
        }
        if n_seen == 0 || !self.take("?>") {
            return self.error(self.at, "Syntax for an XML declaration is invalid.");
        }
        Ok(())
    }

    fn instruction(&mut self) -> Read<()> {
        let start = self.at;
        self.at += 2;
        let target = self.name()?;
        if target.eq_ignore_ascii_case("xml") {
            return self.error(start + 2, "Unexpected XML declaration. The XML declaration must be the first node in the document, and no whitespace characters are allowed to appear before it.");
        }
        if !self.space() && !self.rest().starts_with("?>") {
            return self.unexpected("'?>'");
        }
        let inner = self.until("?>", "PI")?;
        self.count()?;
        let target = self.names.atom(target);
        let inner = lines(inner, &mut self.buffer);
        self.builder.instruction(target, inner);
        self.placed(start, start + 2);
        Ok(())
    }

    /// A document type; declarations of entities are refused.
    fn document_type(&mut self) -> Read<()> {
        if self.has_root || !self.open.is_empty() {
            return self.error(self.at, "Unexpected DTD declaration.");
        }
        self.space();
        self.name()?;
        self.space();
        if self.take("PUBLIC") {
            self.space();
            self.quoted()?;
            self.space();
            self.quoted()?;
        } else if self.take("SYSTEM") {
            self.space();
            self.quoted()?;
        }
        self.space();
        if self.take("[") {
            let start = self.at;
            let subset = self.until("]", "DTD")?;
            if subset.contains("<!ENTITY") || subset.contains('%') {
                return self.error(
                    start,
                    "For security reasons entities cannot be declared in this XML document.",
                );
            }
            self.space();
        }
        if self.take(">") { Ok(()) } else { self.unexpected("'>'") }
    }

    /// A name with at most one colon.
    fn name(&mut self) -> Read<&'a str> {
        let rest = self.rest();
        let n_bytes = rest.find(|it| !is_part(it) && it != ':').unwrap_or(rest.len());
        let name = rest.get(..n_bytes).unwrap_or("");
        if crate::names::split(name).is_some() {
            self.at += n_bytes;
            return Ok(name);
        }
        match rest.chars().next() {
            Some(it) if !is_start(it) => self.error(self.at, format!(
                "Name cannot begin with the '{it}' character, hexadecimal value 0x{:02X}.",
                u32::from(it)
            )),
            Some(_) => self.error(
                self.at + name.rfind(':').unwrap_or(0),
                "The ':' character, hexadecimal value 0x3A, cannot be included in a name.",
            ),
            None => self.error(self.at, "Unexpected end of file has occurred."),
        }
    }

    /// A quoted text as it is written, and where it begins.
    fn quoted(&mut self) -> Read<(&'a str, usize)> {
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                let start = self.at;
                Ok((self.until(quote.encode_utf8(&mut [0; 4]), "literal")?, start))
            }
            _ => self.unexpected("'\"' or '''"),
        }
    }

    fn start_tag(&mut self) -> Read<()> {
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
                return self.error(value_at + offset, "'<', hexadecimal value 0x3C, is an invalid attribute character.");
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

    fn decoded(
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

    fn end_tag(&mut self) -> Read<()> {
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
                let position = before.rsplit('\n').next().map_or(1, |it| it.encode_utf16().count() + 1);
                self.error(at, format!(
                    "The '{}' start tag on line {line} position {position} does not match the end tag of '{tag}'.",
                    open.tag
                ))
            }
            None => self.error(at, "Unexpected end tag."),
        }
    }

    fn characters(&mut self) -> Read<()> {
        let start = self.at;
        let rest = self.rest();
        let n_bytes = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        let raw = rest.get(..n_bytes).unwrap_or("");
        if self.open.is_empty() {
            if raw.chars().all(is_space) {
                self.at += n_bytes;
                return Ok(());
            }
            let offset = raw.find(|it| !is_space(it)).unwrap_or(0);
            return self.error(start + offset, "Data at the root level is invalid.");
        }
        if let Err((offset, it)) = allowed(raw) {
            return self.invalid(start + offset, it);
        }
        if let Some(offset) = raw.find("]]>") {
            return self.error(start + offset, "']]>' is not allowed in character data.");
        }
        let text = self.decoded(raw, start, false)?;
        self.at += n_bytes;
        let is_dropped = !self.open.last().is_some_and(|it| it.keeps)
            && text.chars().all(is_space)
            && !self.goes_on();
        if is_dropped { Ok(()) } else { self.add_text(&text, start) }
    }

    /// Is the white space at hand part of a longer text: a CDATA section stands beside it?
    fn goes_on(&self) -> bool {
        self.rest().starts_with("<![CDATA[") || self.builder.ends_with_text()
    }

    fn add_text(&mut self, text: &str, at: usize) -> Read<()> {
        if self.builder.text(text, false) {
            self.count()?;
            self.placed(at, at);
        }
        Ok(())
    }
}

/// Line breaks as XML has them.
fn lines<'t>(text: &'t str, buffer: &'t mut String) -> &'t str {
    if !text.contains('\r') {
        return text;
    }
    *buffer = text.replace("\r\n", "\n").replace('\r', "\n");
    buffer
}

#[cfg(test)]
mod tests;
