//! Names as numbers: every prefix, namespace and local name is kept once, so that comparing two
//! names is comparing two numbers.

use std::collections::HashMap;
use std::sync::Arc;

/// A text that is kept once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Atom(u32);

/// The namespace of XSLT itself.
pub(crate) const XSLT: &str = "http://www.w3.org/1999/XSL/Transform";
/// The namespace of the prefix `xml`.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of namespace declarations.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

impl Atom {
    /// The empty text: no prefix, no namespace.
    pub(crate) const EMPTY: Atom = Atom(0);
    /// `xml`, the prefix.
    pub(crate) const XML_PREFIX: Atom = Atom(1);
    /// [`XML`].
    pub(crate) const XML: Atom = Atom(2);
    /// [`XSLT`].
    pub(crate) const XSLT: Atom = Atom(3);
}

/// The texts that are known without being asked for, in the order of the constants of [`Atom`].
const KNOWN: [&str; 4] = ["", "xml", XML, XSLT];

/// A name without its prefix: what makes two names equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) space: Atom,
    pub(crate) local: Atom,
}

/// A name as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) prefix: Atom,
    pub(crate) space: Atom,
    pub(crate) local: Atom,
}

impl Name {
    pub(crate) fn key(self) -> Key {
        Key { space: self.space, local: self.local }
    }
}

/// The texts behind the numbers. One that stands on another adds to it without changing it: a
/// stylesheet's names are shared by all of its runs, each of which adds those of its documents.
#[derive(Debug)]
pub(crate) struct Names {
    base: Option<Arc<Names>>,
    n_base: u32,
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Names {
    pub(crate) fn new() -> Self {
        let mut names =
            Self { base: None, n_base: 0, numbers: HashMap::new(), texts: Vec::with_capacity(64) };
        for text in KNOWN {
            names.atom(text);
        }
        names
    }

    pub(crate) fn on(base: &Arc<Names>) -> Self {
        let n_base = base.len();
        Self { base: Some(Arc::clone(base)), n_base, numbers: HashMap::new(), texts: Vec::new() }
    }

    fn len(&self) -> u32 {
        self.n_base.saturating_add(u32::try_from(self.texts.len()).unwrap_or(u32::MAX))
    }

    /// The number of a text that is known.
    pub(crate) fn find(&self, text: &str) -> Option<Atom> {
        if let Some(base) = &self.base
            && let Some(atom) = base.find(text)
        {
            return Some(atom);
        }
        self.numbers.get(text).map(|it| Atom(*it))
    }

    /// The number of a text.
    pub(crate) fn atom(&mut self, text: &str) -> Atom {
        if let Some(atom) = self.find(text) {
            return atom;
        }
        let number = self.len();
        let text: Arc<str> = Arc::from(text);
        self.numbers.insert(Arc::clone(&text), number);
        self.texts.push(text);
        Atom(number)
    }

    pub(crate) fn text(&self, atom: Atom) -> &str {
        match &self.base {
            Some(base) if atom.0 < self.n_base => base.text(atom),
            _ => self.texts.get((atom.0 - self.n_base) as usize).map_or("", |it| it),
        }
    }

    /// `prefix:local`, or `local`.
    pub(crate) fn written(&self, name: Name) -> String {
        match self.text(name.prefix) {
            "" => self.text(name.local).to_owned(),
            prefix => format!("{prefix}:{}", self.text(name.local)),
        }
    }
}

/// May a name begin with it? (XML 1.0, fifth edition, production 4, without the colon.)
pub(crate) fn is_start(it: char) -> bool {
    matches!(it,
        'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// May a name go on with it? (Production 4a.)
pub(crate) fn is_part(it: char) -> bool {
    is_start(it)
        || matches!(it, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}'
            | '\u{203f}' | '\u{2040}')
}

/// Is it a name without a colon?
pub(crate) fn is_local(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_start) && characters.all(is_part)
}

/// Prefix and local part of a name with at most one colon.
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    match text.split_once(':') {
        None => is_local(text).then_some(("", text)),
        Some((prefix, local)) => (is_local(prefix) && is_local(local)).then_some((prefix, local)),
    }
}

/// White space of XML.
pub(crate) fn is_space(it: char) -> bool {
    matches!(it, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_also_over_a_base() {
        let mut names = Names::new();
        let a = names.atom("a");
        assert_eq!(names.atom("a"), a);
        assert_eq!(names.text(Atom::XSLT), XSLT);

        let base = Arc::new(names);
        let mut more = Names::on(&base);
        assert_eq!(more.atom("a"), a);
        let b = more.atom("b");
        assert_ne!(b, a);
        assert_eq!((more.text(a), more.text(b), base.find("b")), ("a", "b", None));
    }

    #[test]
    fn names_are_split_at_their_colon() {
        for (text, expected) in [
            ("a", Some(("", "a"))),
            ("p:a-1.x", Some(("p", "a-1.x"))),
            ("1a", None),
            ("a:b:c", None),
            (":a", None),
            ("a:", None),
            ("", None),
            ("é", Some(("", "é"))),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
