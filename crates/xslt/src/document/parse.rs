//! Reading XML 1.0 with namespaces into a document.
//!
//! Line breaks become `\n`; entities are the five predefined ones and character references. A
//! document type may be there and is skipped, but may declare no entities, so that neither
//! entity bombs nor external entities exist. Nothing here recurses: depth costs memory alone,
//! and the number of nodes is bounded.
//!
//! The messages are those of `System.Xml.XmlReader`.

mod prolog;
mod tags;
mod text;

use std::collections::HashMap;

use super::{Builder, Document};
use crate::names::{Atom, Key, Names, is_part, is_space, is_start};
use text::allowed;

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
            return self.limit(format!("the document has more than {most} nodes"));
        }
        Ok(())
    }

    fn limit<T>(&self, message: String) -> Read<T> {
        Err(Malformed { message, at: self.at, is_limit: true })
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
        if self.rest().starts_with("<?xml")
            && self.rest().get(5..).is_some_and(|it| it.starts_with(is_space))
        {
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
            Some(it) if !is_start(it) => self.error(
                self.at,
                format!(
                    "Name cannot begin with the '{it}' character, hexadecimal value 0x{:02X}.",
                    u32::from(it)
                ),
            ),
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
